//! What two administrators do once, through the APIs of both running sites: each registers and pairs
//! the other site, the arrays, and which two projects belong together.
//!
//! Absent: writing into anybody's store.

use super::site::SERVICE_PASSWORD;
use super::{Which, World};
use crate::courier::Endpoint;
use anyhow::{Context, Result};
use http::Method;
use serde_json::{Value, json};

/// Both sites run; afterwards each believes the other's signatures.
pub(super) async fn introduce(world: &World) -> Result<()> {
    let a = world.admin_endpoint(Which::A).await?;
    let b = world.admin_endpoint(Which::B).await?;
    for (here, admin, there) in [(Which::A, &a, &b), (Which::B, &b, &a)] {
        register_site(admin, here.other()).await?;
        pair(admin, here.other(), there).await?;
        give_login(admin, here.other()).await?;
        for array in [Which::A.array(), Which::B.array()] {
            register_array(world, admin, array).await?;
        }
        map_tenant(world, admin, here).await?;
    }
    Ok(())
}

async fn register_site(admin: &Endpoint, other: Which) -> Result<()> {
    let site_type = match other {
        Which::A => "primary",
        Which::B => "secondary",
    };
    let site = json!({ "site": {
        "name": other.name(),
        "type": site_type,
        "auth_url": format!("http://{}/identity/v3", other.cloud_host()),
        "region_name": "RegionOne",
    }});
    post(admin, "/v1/admin/sites", &site).await
}

/// The offer is read at the other site; so is its fingerprint, as people would by telephone.
async fn pair(admin: &Endpoint, other: Which, there: &Endpoint) -> Result<()> {
    let shown = there.send(Method::GET, "/v1/admin/pair", None).await?;
    let offer = shown.pointer("/pair/offer").context("no offer")?;
    let fingerprint = shown
        .pointer("/pair/fingerprint")
        .context("no fingerprint")?;
    let pair = json!({ "pair": { "offer": offer, "fingerprint": fingerprint } });
    let path = format!("/v1/admin/sites/{}/pair", other.name());
    post(admin, &path, &pair).await
}

/// The service user of the other cloud (C26).
async fn give_login(admin: &Endpoint, other: Which) -> Result<()> {
    let credential = json!({ "credential": {
        "type": "password",
        "username": "protector",
        "password": SERVICE_PASSWORD,
        "project_name": "service",
    }});
    let path = format!("/v1/admin/sites/{}/credential", other.name());
    let given = admin.send(Method::PUT, &path, Some(&credential)).await;
    Ok(given.map(drop)?)
}

async fn register_array(world: &World, admin: &Endpoint, name: &str) -> Result<()> {
    let id = world.a.array_id(name);
    let id = id.with_context(|| format!("no array {name}"))?;
    let array = json!({ "array": {
        "name": name,
        "url": format!("https://{name}.test"),
        "array_id": id,
    }});
    post(admin, "/v1/admin/arrays", &array).await
}

async fn map_tenant(world: &World, admin: &Endpoint, here: Which) -> Result<()> {
    let there = here.other();
    let mapping = json!({ "tenant_mapping": {
        "local_project": world.tenant(here).project,
        "remote_site": there.name(),
        "remote_project": world.tenant(there).project,
    }});
    post(admin, "/v1/admin/tenant-mappings", &mapping).await
}

async fn post(admin: &Endpoint, path: &str, body: &Value) -> Result<()> {
    let sent = admin.send(Method::POST, path, Some(body)).await;
    Ok(sent.map(drop)?)
}
