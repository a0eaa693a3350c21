//! The tenant of a pretend cloud: its project, its login, and at site A its servers.

use super::options::{Which, WorldOptions};
use crate::cloud::{Cloud, SeedServer, Standard};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::Request;
use protector_runtime::remote::HttpService;
use serde_json::json;
use tower::ServiceExt;

/// Sites share no network; equal addresses at both let VMs keep theirs.
const OCTET: u8 = 10;
/// Of every user.
const PASSWORD: &str = "secret";
/// Size of every disk, GiB.
const DISK_GIB: i64 = 8;

#[derive(Debug, Clone)]
pub struct Tenant {
    pub project: String,
    pub user: String,
    /// Protected later; only at site A.
    pub servers: Vec<String>,
    pub standard: Standard,
}

/// Fills the cloud; the service user gets its role in the tenant's project, as a tenant mapping
/// would grant it.
pub(crate) fn seed(
    which: Which,
    mut cloud: Cloud,
    options: &WorldOptions,
    now_ms: i64,
) -> Result<(Cloud, Tenant)> {
    let standard = cloud.seed_standard(OCTET, now_ms);
    let tenant = settled(which, &mut cloud, standard, options, now_ms)?;
    Ok((cloud, tenant))
}

/// Another tenant in the same cloud, under another name: networks, security groups and servers are called as
/// the first one's are, and have their addresses.
pub(super) fn seed_another(
    which: Which,
    cloud: &mut Cloud,
    first: &Tenant,
    options: &WorldOptions,
    now_ms: i64,
) -> Result<Tenant> {
    let mut standard = first.standard.clone();
    standard.demo_project = cloud.seed_project("another");
    standard.demo_user = cloud.seed_user("another", PASSWORD);
    let (user, project) = (standard.demo_user.clone(), standard.demo_project.clone());
    cloud.seed_grant(&user, &project, "member");
    (standard.networks, standard.subnets) = cloud.seed_standard_networks(&project, OCTET, now_ms);
    for group in ["ssh", "web", "db"] {
        cloud.seed_security_group(&project, group, now_ms);
    }
    settled(which, cloud, standard, options, now_ms)
}

fn settled(
    which: Which,
    cloud: &mut Cloud,
    standard: Standard,
    options: &WorldOptions,
    now_ms: i64,
) -> Result<Tenant> {
    cloud.seed_grant(&standard.protector_user, &standard.demo_project, "admin");
    let mut servers = Vec::new();
    if which == Which::A {
        for number in 0..options.members {
            servers.push(seed_server(cloud, &standard, options, number, now_ms)?);
        }
    }
    Ok(Tenant {
        project: standard.demo_project.clone(),
        user: standard.demo_user.clone(),
        servers,
        standard,
    })
}

fn seed_server(
    cloud: &mut Cloud,
    standard: &Standard,
    options: &WorldOptions,
    number: usize,
    now_ms: i64,
) -> Result<String> {
    let flavor = standard.flavors.get(1).context("a flavor")?;
    let network = standard.networks.first().context("a network")?;
    let disks = vec![(DISK_GIB, "replicated-ssd".to_owned()); options.volumes_of(number)];
    let server = SeedServer {
        project_id: standard.demo_project.clone(),
        user_id: standard.demo_user.clone(),
        name: format!("web-{}", number + 1),
        flavor_id: flavor.clone(),
        network_ids: vec![network.clone()],
        security_groups: vec!["web".to_owned(), "ssh".to_owned()],
        disks,
        key_name: Some("lab-key".to_owned()),
        metadata: [("tier".to_owned(), "web".to_owned())].into(),
    };
    let seeded = cloud
        .seed_server(&server, now_ms)
        .map_err(|e| anyhow::anyhow!("{e}"))?;
    Ok(seeded.server_id)
}

impl Tenant {
    /// A token of the tenant's own user, scoped to its project.
    ///
    /// # Errors
    /// Keystone does not answer, or refuses.
    pub async fn token(&self, http: HttpService, auth_url: &str) -> Result<String> {
        token_of(http, auth_url, &self.user, &self.project).await
    }
}

/// A token of a user of the cloud, scoped to a project.
pub(crate) async fn token_of(
    http: HttpService,
    auth_url: &str,
    user: &str,
    project: &str,
) -> Result<String> {
    let body = json!({ "auth": {
        "identity": { "methods": ["password"], "password": { "user": {
            "id": user, "password": PASSWORD,
        }}},
        "scope": { "project": { "id": project } },
    }});
    let request = Request::builder()
        .method("POST")
        .uri(format!("{auth_url}/auth/tokens"))
        .header("Content-Type", "application/json")
        .body(Bytes::from(body.to_string()))?;
    let answer = http
        .oneshot(request)
        .await
        .map_err(|e| anyhow::anyhow!("Keystone: {e}"))?;
    if answer.status().as_u16() != 201 {
        bail!("Keystone: {}", answer.status());
    }
    let token = answer
        .headers()
        .get("X-Subject-Token")
        .and_then(|t| t.to_str().ok());
    token
        .map(str::to_owned)
        .context("an answer without a token")
}
