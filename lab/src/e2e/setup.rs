//! What the administrators of both sites do once: the catalogue, and introducing the sites to each other.
//!
//! Absent: groups (`story`).

use super::array::identity;
use super::cloud::{ADMIN, Session, TENANT};
use super::places::Places;
use crate::world::Which;
use crate::world::register::{ArrayAt, Side, introduce_sides};
use anyhow::{Context, Result};
use http::Method;
use protector_runtime::remote::HttpService;
use secrecy::SecretString;
use serde_json::{Value, json};

/// Both daemons run; afterwards each believes the other's signatures and reaches both arrays.
///
/// # Errors
/// The first refusal.
pub(super) async fn introduce(http: &HttpService, places: &Places) -> Result<()> {
    let mut sides = Vec::new();
    for which in [Which::A, Which::B] {
        sides.push(side(http, places, which).await?);
    }
    let mut arrays = Vec::new();
    for array in &places.arrays {
        arrays.push(ArrayAt {
            name: array.name.clone(),
            id: identity(array).await?,
            url: array.url.clone(),
            api_token: Some(SecretString::from(array.api_token.clone())),
            certificate: Some(array.certificate()?),
        });
    }
    let [a, b] = sides.as_slice() else {
        anyhow::bail!("two sites")
    };
    introduce_sides(a, b, &arrays).await
}

async fn side(http: &HttpService, places: &Places, which: Which) -> Result<Side> {
    let auth_url = &places.cloud(which)?.auth_url;
    let admin = Session::log_in(http, auth_url, ADMIN).await?;
    let url = places.api_url(which);
    if !admin.has("protector") {
        publish(&admin, auth_url, &url).await?;
    }
    let tenant = Session::log_in(http, auth_url, TENANT).await?;
    Ok(Side {
        which,
        admin: admin.at(&url),
        auth_url: auth_url.clone(),
        project: tenant.project,
    })
}

/// The account of the tenant's user is closed, or open again, at a site.
///
/// # Errors
/// Keystone says no.
pub(super) async fn tenant_enabled(
    http: &HttpService,
    places: &Places,
    which: Which,
    enabled: bool,
) -> Result<()> {
    let auth_url = &places.cloud(which)?.auth_url;
    let admin = Session::log_in(http, auth_url, ADMIN).await?;
    let keystone = admin.at(auth_url);
    let path = format!("/users?name={}", TENANT.name);
    let found = keystone.send(Method::GET, &path, None).await?;
    let id = found.pointer("/users/0/id").and_then(Value::as_str);
    let path = format!("/users/{}", id.context("no such user")?);
    let change = json!({ "user": { "enabled": enabled } });
    keystone.send(Method::PATCH, &path, Some(&change)).await?;
    Ok(())
}

/// INS-05: the service and its endpoint.
async fn publish(admin: &Session, auth_url: &str, url: &str) -> Result<()> {
    let keystone = admin.at(auth_url);
    let service = json!({ "service": { "type": "protector", "name": "protector" } });
    let made = keystone
        .send(Method::POST, "/services", Some(&service))
        .await?;
    let id = made
        .pointer("/service/id")
        .context("a service without id")?;
    let endpoint = json!({ "endpoint": {
        "service_id": id,
        "interface": "public",
        "region_id": "RegionOne",
        "url": format!("{url}/v1/%(tenant_id)s"),
    }});
    keystone
        .send(Method::POST, "/endpoints", Some(&endpoint))
        .await?;
    Ok(())
}
