//! The `Compute` port: a switchboard.

use crate::cloud::OpenStackCloud;
use crate::nova::{flavors, servers};
use async_trait::async_trait;
use protector_domain::ids::{ServerId, VolumeId};
use protector_domain::ports::compute::{
    Compute, ComputeQuota, Flavor, Server, ServerCreate, ServerFilter,
};
use protector_domain::ports::{Acting, PortResult};
use serde_json::json;

#[async_trait]
impl Compute for OpenStackCloud {
    async fn server_fetch(&self, acting: &Acting, id: &ServerId) -> PortResult<Option<Server>> {
        servers::fetch(self, acting, id).await
    }

    async fn server_list(&self, acting: &Acting, filter: &ServerFilter) -> PortResult<Vec<Server>> {
        servers::list(self, acting, filter).await
    }

    async fn server_create(&self, acting: &Acting, ask: &ServerCreate) -> PortResult<ServerId> {
        servers::create(self, acting, ask).await
    }

    async fn server_delete(&self, acting: &Acting, id: &ServerId) -> PortResult<()> {
        servers::delete(self, acting, id).await
    }

    async fn server_stop(&self, acting: &Acting, id: &ServerId) -> PortResult<()> {
        servers::act(self, acting, "server_stop", id, &json!({"os-stop": null})).await
    }

    async fn server_start(&self, acting: &Acting, id: &ServerId) -> PortResult<()> {
        servers::act(self, acting, "server_start", id, &json!({"os-start": null})).await
    }

    async fn server_forget_task(&self, acting: &Acting, id: &ServerId) -> PortResult<()> {
        let active = json!({"os-resetState": {"state": "active"}});
        servers::act(self, acting, "server_forget_task", id, &active).await
    }

    async fn server_lock(&self, acting: &Acting, id: &ServerId, reason: &str) -> PortResult<()> {
        let action = json!({"lock": {"locked_reason": reason}});
        servers::act(self, acting, "server_lock", id, &action).await
    }

    async fn server_unlock(&self, acting: &Acting, id: &ServerId) -> PortResult<()> {
        servers::act(self, acting, "server_unlock", id, &json!({"unlock": null})).await
    }

    async fn attachment_set_delete(
        &self,
        acting: &Acting,
        server: &ServerId,
        volume: &VolumeId,
        delete_on_termination: bool,
    ) -> PortResult<()> {
        servers::set_delete(self, acting, server, volume, delete_on_termination).await
    }

    async fn flavor_list(&self, acting: &Acting) -> PortResult<Vec<Flavor>> {
        flavors::list(self, acting).await
    }

    async fn zone_list(&self, acting: &Acting) -> PortResult<Vec<String>> {
        flavors::zones(self, acting).await
    }

    async fn keypair_exists(&self, acting: &Acting, name: &str) -> PortResult<bool> {
        flavors::keypair_exists(self, acting, name).await
    }

    async fn compute_quota(&self, acting: &Acting) -> PortResult<ComputeQuota> {
        flavors::quota(self, acting).await
    }
}
