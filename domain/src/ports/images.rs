//! Glance, as far as we need it: does an image exist. Absent: image data.

use super::{Acting, PortResult};
use crate::ids::ImageId;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    pub id: ImageId,
    pub name: String,
    pub status: String,
}

#[async_trait]
pub trait Images: Send + Sync {
    async fn image_fetch(&self, acting: &Acting, id: &ImageId) -> PortResult<Option<Image>>;
}
