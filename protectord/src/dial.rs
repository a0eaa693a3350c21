//! Clients of OpenStack clouds over TCP: our own, and the other sites' (`PeerDial`).
//!
//! Absent: whose logins they are; the configuration and the store say that.

use protector_domain::admin::SiteCredential;
use protector_domain::ports::{Cloud, PeerAddress, PeerDial};
use protector_openstack::{CloudConfig, Credential, Interface, OpenStackCloud};
use protector_runtime::ctx::Ctx;
use protector_runtime::remote::{HttpService, RemoteOptions};
use std::sync::Arc;

/// The client configuration of another site's cloud: its public face, with the login given here.
pub fn peer_config(
    address: &PeerAddress,
    credential: &SiteCredential,
    remote: RemoteOptions,
) -> CloudConfig {
    let credential = match credential.clone() {
        SiteCredential::Password {
            username,
            user_domain_name,
            password,
            project_name,
            project_domain_name,
        } => Credential::Password {
            username,
            user_domain_name,
            password,
            project_name,
            project_domain_name,
        },
        SiteCredential::ApplicationCredential { id, secret } => {
            Credential::ApplicationCredential { id, secret }
        }
    };
    CloudConfig {
        auth_url: address.auth_url.clone(),
        region_name: Some(address.region_name.clone()),
        interface: Interface::Public,
        credential,
        remote,
    }
}

/// Dials over `http`; all clouds share its connections.
pub struct Dialer {
    pub http: HttpService,
    pub ctx: Ctx,
}

impl Dialer {
    /// Sends nothing: the first call logs in.
    pub fn connect(&self, config: CloudConfig) -> Cloud {
        let cloud = OpenStackCloud::connect(config, self.http.clone(), self.ctx.clone());
        Arc::new(cloud).ports()
    }
}

impl PeerDial for Dialer {
    fn dial(&self, address: &PeerAddress, credential: &SiteCredential) -> Result<Cloud, String> {
        Ok(self.connect(peer_config(address, credential, RemoteOptions::default())))
    }
}
