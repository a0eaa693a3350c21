//! What two administrators do once, through the APIs of both running sites: each registers and pairs
//! the other site, the arrays, and which two projects belong together.
//!
//! Absent: writing into anybody's store.

use super::site::SERVICE_PASSWORD;
use super::{Which, World};
use crate::courier::Endpoint;
use anyhow::{Context, Result};
use http::Method;
use protector_domain::ids::ArrayId;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// One of the two sites, as its administrator knows it.
pub(crate) struct Side {
    pub which: Which,
    pub admin: Endpoint,
    /// Its Keystone, as the other site reaches it.
    pub auth_url: String,
    /// The tenant's project there.
    pub project: String,
}

/// An array, as an administrator registers it.
pub(crate) struct ArrayAt {
    pub name: String,
    pub id: ArrayId,
    pub url: String,
    pub api_token: Option<SecretString>,
    /// PEM, to be pinned.
    pub certificate: Option<String>,
}

impl ArrayAt {
    /// One of the mock driver's, which needs no way to it.
    pub fn pretend(name: &str, id: ArrayId) -> Self {
        Self {
            name: name.to_owned(),
            id,
            url: format!("https://{name}.test"),
            api_token: None,
            certificate: None,
        }
    }
}

/// Both sites run; afterwards each believes the other's signatures.
pub(super) async fn introduce(world: &World) -> Result<()> {
    let (a, b) = (side(world, Which::A).await?, side(world, Which::B).await?);
    let arrays = [Which::A, Which::B].map(|which| {
        let name = which.array();
        Some(ArrayAt::pretend(name, world.a.array_id(name)?))
    });
    let arrays: Vec<ArrayAt> = arrays.into_iter().flatten().collect();
    introduce_sides(&a, &b, &arrays).await
}

/// The projects of another tenant belong together, too.
pub(super) async fn introduce_tenant(world: &World, projects: [String; 2]) -> Result<()> {
    let (mut a, mut b) = (side(world, Which::A).await?, side(world, Which::B).await?);
    [a.project, b.project] = projects;
    map_tenant(&a, &b).await?;
    map_tenant(&b, &a).await
}

async fn side(world: &World, which: Which) -> Result<Side> {
    Ok(Side {
        which,
        admin: world.admin_endpoint(which).await?,
        auth_url: which.auth_url(),
        project: world.tenant(which).project.clone(),
    })
}

/// As `introduce`, of any two sites and the arrays by name.
pub(crate) async fn introduce_sides(a: &Side, b: &Side, arrays: &[ArrayAt]) -> Result<()> {
    for (here, there) in [(a, b), (b, a)] {
        register_site(here, there).await?;
        pair(here, there).await?;
        give_login(here, there).await?;
        for array in arrays {
            register_array(&here.admin, array).await?;
        }
        map_tenant(here, there).await?;
    }
    Ok(())
}

async fn register_site(here: &Side, there: &Side) -> Result<()> {
    let site_type = match there.which {
        Which::A => "primary",
        Which::B => "secondary",
    };
    let site = json!({ "site": {
        "name": there.which.name(),
        "type": site_type,
        "auth_url": there.auth_url,
        "region_name": "RegionOne",
    }});
    post(&here.admin, "/v1/admin/sites", &site).await
}

/// The offer is read at the other site; so is its fingerprint, as people would by telephone.
async fn pair(here: &Side, there: &Side) -> Result<()> {
    let shown = there.admin.send(Method::GET, "/v1/admin/pair", None);
    let shown = shown.await?;
    let offer = shown.pointer("/pair/offer").context("no offer")?;
    let fingerprint = shown
        .pointer("/pair/fingerprint")
        .context("no fingerprint")?;
    let pair = json!({ "pair": { "offer": offer, "fingerprint": fingerprint } });
    let path = format!("/v1/admin/sites/{}/pair", there.which.name());
    post(&here.admin, &path, &pair).await
}

/// The service user of the other cloud (C26).
async fn give_login(here: &Side, there: &Side) -> Result<()> {
    let credential = json!({ "credential": {
        "type": "password",
        "username": "protector",
        "password": SERVICE_PASSWORD,
        "project_name": "service",
    }});
    let path = format!("/v1/admin/sites/{}/credential", there.which.name());
    let given = here.admin.send(Method::PUT, &path, Some(&credential));
    Ok(given.await.map(drop)?)
}

async fn register_array(admin: &Endpoint, array: &ArrayAt) -> Result<()> {
    let mut body = json!({ "array": {
        "name": array.name,
        "url": array.url,
        "array_id": array.id,
    }});
    if let (Some(token), Some(fields)) = (&array.api_token, body.pointer_mut("/array")) {
        fields["api_token"] = json!(token.expose_secret());
        fields["certificate"] = json!(array.certificate);
    }
    post(admin, "/v1/admin/arrays", &body).await
}

async fn map_tenant(here: &Side, there: &Side) -> Result<()> {
    let mapping = json!({ "tenant_mapping": {
        "local_project": here.project,
        "remote_site": there.which.name(),
        "remote_project": there.project,
    }});
    post(&here.admin, "/v1/admin/tenant-mappings", &mapping).await
}

async fn post(admin: &Endpoint, path: &str, body: &Value) -> Result<()> {
    let sent = admin.send(Method::POST, path, Some(body)).await;
    Ok(sent.map(drop)?)
}
