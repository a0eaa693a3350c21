//! A simulated array as its administrator sees it, over its REST API, with its certificate pinned.
//!
//! Absent: changing anything.

use super::cloud::text;
use super::places::ArrayPlace;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::HeaderValue;
use http::request::Builder;
use protector_domain::ids::ArrayId;
use protector_runtime::remote::{HttpService, ReqwestOptions, reqwest_service};
use serde_json::Value;
use tower::ServiceExt;

const VERSION: &str = "2.26";

/// An administrator who has logged in.
pub(super) struct Array {
    http: HttpService,
    url: String,
    token: HeaderValue,
    /// The id that the array gives itself.
    pub id: ArrayId,
}

impl Array {
    /// # Errors
    /// The array says no.
    pub async fn log_in(place: &ArrayPlace) -> Result<Self> {
        let http = reqwest_service(ReqwestOptions {
            extra_root_pem: Some(place.certificate()?.into_bytes()),
            only_extra_root: true,
            ..ReqwestOptions::default()
        })?;
        let url = format!("{}/api/{VERSION}", place.url);
        let login = http::Request::post(format!("{url}/login"));
        let login = login.header("api-token", &place.api_token);
        let answer = call(&http, login).await?;
        let token = answer.headers().get("x-auth-token");
        let token = token.context("the array does not log us in")?.clone();
        let mut array = Self {
            http,
            url,
            token,
            id: ArrayId::from(""),
        };
        let own = array.items("/arrays").await?;
        let own = own.first().context("the array does not name itself")?;
        array.id = ArrayId::from(text(own, "id"));
        Ok(array)
    }

    /// # Errors
    /// The array says no.
    pub async fn items(&self, path: &str) -> Result<Vec<Value>> {
        let asked = http::Request::get(format!("{}{path}", self.url));
        let answer = call(&self.http, asked.header("x-auth-token", &self.token)).await?;
        let shown: Value = serde_json::from_slice(answer.body())?;
        let items = shown.get("items").and_then(Value::as_array).cloned();
        items.with_context(|| format!("{path}: no items"))
    }
}

async fn call(http: &HttpService, request: Builder) -> Result<http::Response<Bytes>> {
    let request = request.body(Bytes::new())?;
    let what = request.uri().path().to_owned();
    let answer = http.clone().oneshot(request).await;
    let answer = answer.map_err(|e| anyhow::anyhow!("{what}: {e}"))?;
    if !answer.status().is_success() {
        bail!("{what}: {}", answer.status());
    }
    Ok(answer)
}
