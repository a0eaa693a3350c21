//! A simulated array as its administrator sees it, over its REST API, with its certificate pinned.
//!
//! Absent: anything but its id.

use super::places::ArrayPlace;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::request::Builder;
use protector_domain::ids::ArrayId;
use protector_runtime::remote::{HttpService, ReqwestOptions, reqwest_service};
use serde_json::Value;
use tower::ServiceExt;

const VERSION: &str = "2.26";

/// The id that the array gives itself.
///
/// # Errors
/// The array says no.
pub(super) async fn identity(place: &ArrayPlace) -> Result<ArrayId> {
    let http = reqwest_service(ReqwestOptions {
        extra_root_pem: Some(place.certificate()?.into_bytes()),
        only_extra_root: true,
        ..ReqwestOptions::default()
    })?;
    let url = format!("{}/api/{VERSION}", place.url);
    let login = http::Request::post(format!("{url}/login"));
    let answer = call(&http, login.header("api-token", &place.api_token)).await?;
    let token = answer.headers().get("x-auth-token");
    let token = token.context("the array does not log us in")?.clone();
    let asked = http::Request::get(format!("{url}/arrays"));
    let answer = call(&http, asked.header("x-auth-token", token)).await?;
    let shown: Value = serde_json::from_slice(answer.body())?;
    let id = shown.pointer("/items/0/id").and_then(Value::as_str);
    Ok(id.context("the array does not name itself")?.into())
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
