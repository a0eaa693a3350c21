//! The `Volumes` port: a switchboard.

use crate::cinder::volumes;
use crate::cloud::OpenStackCloud;
use async_trait::async_trait;
use protector_domain::ids::VolumeId;
use protector_domain::ports::volumes::{
    Volume, VolumeFilter, VolumeManage, VolumePool, VolumeQuota, VolumeService, VolumeType, Volumes,
};
use protector_domain::ports::{Acting, PortResult};
use std::collections::BTreeMap;

#[async_trait]
impl Volumes for OpenStackCloud {
    async fn volume_fetch(&self, acting: &Acting, id: &VolumeId) -> PortResult<Option<Volume>> {
        volumes::fetch(self, acting, id).await
    }

    async fn volume_list(&self, acting: &Acting, filter: &VolumeFilter) -> PortResult<Vec<Volume>> {
        volumes::list(self, acting, filter).await
    }

    async fn volume_manage(&self, acting: &Acting, ask: &VolumeManage) -> PortResult<VolumeId> {
        volumes::manage(self, acting, ask).await
    }

    async fn volume_unmanage(&self, acting: &Acting, id: &VolumeId) -> PortResult<()> {
        volumes::unmanage(self, acting, id).await
    }

    async fn volume_delete(&self, acting: &Acting, id: &VolumeId) -> PortResult<()> {
        volumes::delete(self, acting, id).await
    }

    async fn volume_extend(&self, acting: &Acting, id: &VolumeId, size_gib: u64) -> PortResult<()> {
        volumes::extend(self, acting, id, size_gib).await
    }

    async fn volume_describe(
        &self,
        acting: &Acting,
        id: &VolumeId,
        description: Option<&str>,
        metadata: &BTreeMap<String, String>,
    ) -> PortResult<()> {
        volumes::describe(self, acting, id, description, metadata).await
    }

    async fn volume_set_image_metadata(
        &self,
        acting: &Acting,
        id: &VolumeId,
        metadata: &BTreeMap<String, String>,
    ) -> PortResult<()> {
        volumes::set_image_metadata(self, acting, id, metadata).await
    }

    async fn volume_type_list(&self, acting: &Acting) -> PortResult<Vec<VolumeType>> {
        volumes::type_list(self, acting).await
    }

    async fn volume_service_list(&self, acting: &Acting) -> PortResult<Vec<VolumeService>> {
        volumes::service_list(self, acting).await
    }

    async fn volume_pool_list(&self, acting: &Acting) -> PortResult<Vec<VolumePool>> {
        volumes::pool_list(self, acting).await
    }

    async fn volume_quota(&self, acting: &Acting) -> PortResult<VolumeQuota> {
        volumes::quota(self, acting).await
    }
}
