//! Glance: images that exist. Deliberately absent: image data, creation, sharing.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::Cloud;
use super::dispatch::{Call, nowhere};
use super::json;
use super::paging::{self, PAGE_MAX};
use super::policy::Who;
use super::timefmt::iso_z;
use super::wire::{Answer, Fault, Resp};

/// An image.
#[derive(Debug, Clone, Serialize)]
pub struct Image {
    /// UUID.
    pub id: String,
    /// Name, not unique.
    pub name: String,
    /// `public` or `private`.
    pub visibility: String,
    /// Owning project.
    pub owner: String,
    /// Smallest disk it fits on, in GiB.
    pub min_disk_gb: i64,
    /// Size in bytes.
    pub size_bytes: i64,
    /// Free properties, for example `hw_disk_bus`.
    pub properties: BTreeMap<String, String>,
    /// Unix milliseconds.
    pub created_ms: i64,
}

/// All images.
#[derive(Default)]
pub(super) struct Glance {
    pub(super) images: BTreeMap<String, Image>,
}

impl Image {
    fn seen_by(&self, who: &Who) -> bool {
        self.visibility == "public" || who.sees(&self.owner)
    }

    fn view(&self) -> Value {
        let at = iso_z(self.created_ms);
        let mut view = json!({
            "id": self.id, "name": self.name, "status": "active", "visibility": self.visibility,
            "owner": self.owner, "min_disk": self.min_disk_gb, "min_ram": 0, "size": self.size_bytes,
            "disk_format": "raw", "container_format": "bare", "protected": false, "os_hidden": false,
            "checksum": null, "virtual_size": null, "tags": [], "created_at": at, "updated_at": at,
            "self": format!("/v2/images/{}", self.id), "file": format!("/v2/images/{}/file", self.id),
            "schema": "/v2/schemas/image",
        });
        for (name, value) in &self.properties {
            json::put(&mut view, name, json!(value));
        }
        view
    }
}

impl Cloud {
    /// The image that `who` may use, if there is one.
    pub(super) fn image_seen(&self, id: &str, who: &Who) -> Option<&Image> {
        self.glance
            .images
            .get(id)
            .filter(|image| image.seen_by(who))
    }

    pub(super) fn glance_answer(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["v2", "images"]) => self.image_list(call),
            ("GET", ["v2", "images", id]) => self
                .image_seen(id, call.who)
                .map(|image| Resp::json(200, image.view()))
                .ok_or_else(|| Fault::not_found(format!("No image found with ID {id}"))),
            _ => Err(nowhere()),
        }
    }

    fn image_list(&self, call: &Call<'_>) -> Answer {
        let fits = |image: &&Image| {
            call.query("name").is_none_or(|name| name == image.name)
                && call
                    .query("visibility")
                    .is_none_or(|asked| asked == image.visibility)
                && call.query("owner").is_none_or(|asked| asked == image.owner)
                && call.query("status").is_none_or(|asked| asked == "active")
        };
        let views = self
            .glance
            .images
            .values()
            .filter(|image| image.seen_by(call.who))
            .filter(fits)
            .map(Image::view)
            .collect();
        let page = paging::page(call, views, PAGE_MAX)?;
        let mut body =
            json!({"images": page.items, "schema": "/v2/schemas/images", "first": "/v2/images"});
        if let Some(next) = page.next {
            json::put(&mut body, "next", json!(next));
        }
        Ok(Resp::json(200, body))
    }
}
