//! A real cloud as one of its users sees it: a login, and GET. Nothing of the product is in between.
//!
//! Absent: changing anything, except the catalogue (`setup`).

use crate::courier::Endpoint;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use protector_runtime::remote::HttpService;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tower::ServiceExt;

/// Of every user of the lab's clouds.
pub(super) const PASSWORD: &str = "secret";
/// What the services are asked in.
const MICROVERSIONS: [(&str, &str); 2] = [("compute", "compute 2.79"), ("volumev3", "volume 3.59")];
/// Most objects of one kind that are looked at.
const OBJECTS_MAX: usize = 500;

/// Who asks, and in which project.
#[derive(Debug, Clone, Copy)]
pub(super) struct User {
    pub name: &'static str,
    pub project: &'static str,
}

pub(super) const ADMIN: User = User {
    name: "admin",
    project: "admin",
};
pub(super) const TENANT: User = User {
    name: "demo",
    project: "demo",
};
/// An administrator who works in the tenant's project.
pub(super) const HELPER: User = User {
    name: "admin",
    project: "demo",
};

/// A user who has logged in.
#[derive(Clone)]
pub(super) struct Session {
    http: HttpService,
    token: String,
    /// Id of the project.
    pub project: String,
    /// Public endpoints by type of service.
    catalog: BTreeMap<String, String>,
}

impl Session {
    /// # Errors
    /// Keystone says no.
    pub async fn log_in(http: &HttpService, auth_url: &str, user: User) -> Result<Self> {
        let request = http::Request::post(format!("{auth_url}/auth/tokens"))
            .header("Content-Type", "application/json")
            .body(Bytes::from(login(user).to_string()))?;
        let answer = http.clone().oneshot(request).await;
        let answer = answer.map_err(|e| anyhow::anyhow!("{auth_url}: {e}"))?;
        let status = answer.status();
        let token = answer.headers().get("X-Subject-Token");
        let token = token.and_then(|t| t.to_str().ok()).map(str::to_owned);
        let shown: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let Some(token) = token.filter(|_| status.is_success()) else {
            bail!("{auth_url} does not log {} in: {status}", user.name);
        };
        let project = shown.pointer("/token/project/id").and_then(Value::as_str);
        Ok(Self {
            http: http.clone(),
            token,
            project: project.context("a token without a project")?.to_owned(),
            catalog: catalog(&shown),
        })
    }

    /// The same user at the product's API, or at any other.
    pub fn at(&self, url: &str) -> Endpoint {
        Endpoint {
            url: url.to_owned(),
            token: self.token.clone(),
            project: self.project.clone(),
            http: self.http.clone(),
        }
    }

    /// # Errors
    /// The cloud has no such service, or says no.
    pub async fn get(&self, service: &str, path: &str) -> Result<Value> {
        let url = self.catalog.get(service);
        let url = url.with_context(|| format!("no {service} in the catalogue"))?;
        let micro = MICROVERSIONS.iter().find(|(of, _)| *of == service);
        let micro = micro.map_or_else(String::new, |(_, version)| (*version).to_owned());
        let request = http::Request::get(format!("{url}{path}"))
            .header("X-Auth-Token", &self.token)
            .header("OpenStack-API-Version", micro)
            .body(Bytes::new())?;
        let answer = self.http.clone().oneshot(request).await;
        let answer = answer.map_err(|e| anyhow::anyhow!("{service}{path}: {e}"))?;
        if !answer.status().is_success() {
            bail!("{service}{path}: {}", answer.status());
        }
        Ok(serde_json::from_slice(answer.body())?)
    }

    /// All objects of a list, which has to be short.
    ///
    /// # Errors
    /// As `get`; there are too many.
    pub async fn list(&self, service: &str, path: &str, key: &str) -> Result<Vec<Value>> {
        let answer = self.get(service, path).await?;
        let found = answer.get(key).and_then(Value::as_array).cloned();
        let found = found.with_context(|| format!("no {key} in the answer"))?;
        if found.len() > OBJECTS_MAX {
            bail!("{} {key} are more than {OBJECTS_MAX}", found.len());
        }
        Ok(found)
    }

    /// A service of the cloud, for whoever changes something there.
    ///
    /// # Errors
    /// The cloud has no such service.
    pub fn service(&self, service: &str) -> Result<Endpoint> {
        let url = self.catalog.get(service);
        let url = url.with_context(|| format!("no {service} in the catalogue"))?;
        Ok(self.at(url))
    }

    pub fn has(&self, service: &str) -> bool {
        self.catalog.contains_key(service)
    }
}

fn login(user: User) -> Value {
    let domain = json!({ "name": "Default" });
    json!({ "auth": {
        "identity": { "methods": ["password"], "password": { "user": {
            "name": user.name, "domain": domain, "password": PASSWORD,
        }}},
        "scope": { "project": { "name": user.project, "domain": domain } },
    }})
}

fn catalog(shown: &Value) -> BTreeMap<String, String> {
    let services = shown.pointer("/token/catalog").and_then(Value::as_array);
    let entry = |service: &Value| {
        let endpoints = service.get("endpoints")?.as_array()?;
        let public = endpoints
            .iter()
            .find(|e| text(e, "interface") == "public")?;
        let url = text(public, "url").trim_end_matches('/').to_owned();
        Some((text(service, "type").to_owned(), url))
    };
    services.into_iter().flatten().filter_map(entry).collect()
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
