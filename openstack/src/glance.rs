//! Glance: the `Images` port. Absent: image data.

use crate::answer::{optional, same};
use crate::ask::{Ask, segment};
use crate::cloud::OpenStackCloud;
use crate::json::null_default;
use crate::service::Service;
use async_trait::async_trait;
use protector_domain::ids::ImageId;
use protector_domain::ports::images::{Image, Images};
use protector_domain::ports::{Acting, PortResult};
use serde::Deserialize;

#[derive(Deserialize)]
struct ImageShape {
    id: String,
    #[serde(default, deserialize_with = "null_default")]
    name: String,
    status: String,
}

#[async_trait]
impl Images for OpenStackCloud {
    async fn image_fetch(&self, acting: &Acting, id: &ImageId) -> PortResult<Option<Image>> {
        let path = format!("/images/{}", segment("image_fetch", id.as_str())?);
        let ask = Ask::get(Service::Image, "image_fetch", path).on(id.as_str());
        let Some(answer) = optional(self.client.send(acting, &ask).await)? else {
            return Ok(None);
        };
        let shape: ImageShape = answer.json(&ask)?;
        same(&ask, "image", id.as_str(), &shape.id)?;
        let (name, status) = (shape.name, shape.status);
        Ok(Some(Image {
            id: shape.id.into(),
            name,
            status,
        }))
    }
}
