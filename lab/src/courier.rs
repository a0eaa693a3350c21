//! A courier: carries signed messages between two sites' APIs with a tenant's own tokens. It is
//! trusted with nothing, and adds nothing of its own.
//!
//! Absent: repair after a courier that died (`sync-force`).

use bytes::Bytes;
use http::{Method, Request};
use protector_runtime::remote::HttpService;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt;

/// How long one call may take, milliseconds.
const CALL_LIMIT_MS: u64 = 150_000;

/// One site as the courier reaches it.
#[derive(Clone)]
pub struct Endpoint {
    /// `http://host:8788`.
    pub url: String,
    pub token: String,
    pub project: String,
    pub http: HttpService,
}

/// An answer that is not the expected one, as the user would read it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{method} {path}: {status} {body}")]
pub struct CourierError {
    pub method: String,
    pub path: String,
    pub status: u16,
    pub body: Value,
}

impl Endpoint {
    /// One call; `path` follows `/v1/{project}`.
    ///
    /// # Errors
    /// Any status of 400 and above, or no answer (status 0).
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, CourierError> {
        self.send(method, &format!("/v1/{}{path}", self.project), body)
            .await
    }

    /// One call to a path of its own.
    ///
    /// # Errors
    /// As `call`.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, CourierError> {
        let failed = |status: u16, body: Value| CourierError {
            method: method.to_string(),
            path: path.to_owned(),
            status,
            body,
        };
        let bytes = body.map(|b| Bytes::from(b.to_string())).unwrap_or_default();
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.url))
            .header("X-Auth-Token", &self.token)
            .header("Content-Type", "application/json")
            .header("Content-Length", bytes.len())
            .body(bytes)
            .map_err(|e| failed(0, json!(e.to_string())))?;
        let answer = self.http.clone().oneshot(request);
        let answer = tokio::time::timeout(Duration::from_millis(CALL_LIMIT_MS), answer).await;
        let answer = answer.map_err(|_| failed(0, json!("no answer")))?;
        let answer = answer.map_err(|e| failed(0, json!(e.to_string())))?;
        let status = answer.status().as_u16();
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if status >= 400 {
            Err(failed(status, value))
        } else {
            Ok(value)
        }
    }
}

/// A change at the leader `at`, carried to its peer and back (section 7 of the protocol, "Change").
/// Returns the group's id.
///
/// # Errors
/// The first answer that is not as expected; what is left behind, `sync-force` finishes.
pub async fn change(
    at: &Endpoint,
    peer: &Endpoint,
    method: Method,
    path: &str,
    body: &Value,
) -> Result<String, CourierError> {
    let asked = at.call(method, path, Some(body)).await?;
    let group = asked
        .pointer("/protection_group/id")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let ticket = json!({ "ticket": asked.get("ticket") });
    let reserved = peer
        .call(Method::POST, "/sync/reservations", Some(&ticket))
        .await?;
    let commit =
        json!({ "ticket": asked.get("ticket"), "reservation": reserved.get("reservation") });
    let committed = at
        .call(Method::POST, "/sync/commits", Some(&commit))
        .await?;
    let envelope = json!({ "envelope": committed.get("envelope") });
    let stored = peer
        .call(Method::POST, "/sync/envelopes", Some(&envelope))
        .await?;
    let receipt = json!({ "receipt": stored.get("receipt") });
    at.call(Method::POST, "/sync/receipts", Some(&receipt))
        .await?;
    Ok(group)
}
