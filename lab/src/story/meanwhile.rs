//! What a tenant does with things of its own while its group is away. Not through the product: asked of the
//! clouds.
//!
//! Absent: which cloud, and with whose token; the endpoint says so.

use crate::courier::{CourierError, Endpoint};
use http::Method;
use serde_json::json;

/// From here on Cinder extends a volume that is in use.
const EXTEND_IN_USE: &str = "volume 3.42";

/// Deletes a server; one that is locked only for an administrator.
///
/// # Errors
/// Nova says no.
pub async fn delete_server(nova: &Endpoint, id: &str) -> Result<(), CourierError> {
    let path = format!("/servers/{id}");
    nova.send(Method::DELETE, &path, None).await.map(drop)
}

/// Makes a volume as large as `size_gib`; accepted, not done.
///
/// # Errors
/// Cinder says no.
pub async fn extend_volume(cinder: &Endpoint, id: &str, size_gib: u64) -> Result<(), CourierError> {
    let path = format!("/volumes/{id}/action");
    let ask = json!({ "os-extend": { "new_size": size_gib } });
    let asked = cinder.send_in(EXTEND_IN_USE, Method::POST, &path, Some(&ask));
    asked.await.map(drop)
}
