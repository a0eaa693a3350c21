//! The one type that stands behind the five ports. Absent: the calls; each service has a folder.

use crate::client::Client;
use crate::config::CloudConfig;
use crate::nova::version::ServerMax;
use protector_domain::ports::Cloud;
use protector_runtime::Ctx;
use protector_runtime::remote::{HttpService, RemoteView};
use std::sync::Arc;

/// One cloud, reached with one service identity.
pub struct OpenStackCloud {
    pub(crate) client: Client,
    pub(crate) nova_max: ServerMax,
}

impl OpenStackCloud {
    /// Sends nothing: the first call logs in.
    pub fn connect(config: CloudConfig, http: HttpService, ctx: Ctx) -> Self {
        let nova_max = ServerMax::new(ctx.clock.clone());
        Self {
            client: Client::new(config, &http, ctx),
            nova_max,
        }
    }

    /// How the five endpoints stand, Keystone first; for people and health checks.
    pub fn endpoints(&self) -> Vec<RemoteView> {
        self.client.view()
    }

    /// The five services as ports.
    pub fn ports(self: Arc<Self>) -> Cloud {
        Cloud {
            identity: self.clone(),
            compute: self.clone(),
            volumes: self.clone(),
            network: self.clone(),
            images: self,
        }
    }
}

impl std::fmt::Debug for OpenStackCloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenStackCloud").finish_non_exhaustive()
    }
}
