//! One site's API as a courier calls it, and an answer that is not the expected one.
//!
//! Absent: what is carried.

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
    /// In a box: every `Result` carries its room.
    pub body: Box<Value>,
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

    /// Asks for an operation on a group. The same `key` again is the same request (I3).
    ///
    /// # Errors
    /// As `call`.
    pub async fn act(&self, group: &str, action: &Value, key: &str) -> Result<Value, CourierError> {
        let path = format!("/v1/{}/protection-groups/{group}/action", self.project);
        let key = Some(("Idempotency-Key", key));
        self.exchange(Method::POST, &path, Some(action), key).await
    }

    /// One call in a microversion, such as `volume 3.42`.
    ///
    /// # Errors
    /// As `call`.
    pub async fn send_in(
        &self,
        version: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, CourierError> {
        let version = Some(("OpenStack-API-Version", version));
        self.exchange(method, path, body, version).await
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
        self.exchange(method, path, body, None).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        header: Option<(&str, &str)>,
    ) -> Result<Value, CourierError> {
        let failed =
            |status: u16, body: Value| CourierError::new(method.as_str(), path, status, body);
        let request = self.request(&method, path, body, header);
        let request = request.map_err(|e| failed(0, json!(e.to_string())))?;
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

    fn request(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        header: Option<(&str, &str)>,
    ) -> http::Result<Request<Bytes>> {
        let bytes = body.map(|b| Bytes::from(b.to_string())).unwrap_or_default();
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.url))
            .header("X-Auth-Token", &self.token)
            .header("Content-Type", "application/json")
            .header("Content-Length", bytes.len());
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        request.body(bytes)
    }
}

impl CourierError {
    /// An answer, or with status 0 something of the courier's own.
    pub fn new(method: &str, path: &str, status: u16, body: Value) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            status,
            body: Box::new(body),
        }
    }

    /// Nothing definite was heard: the same request may be sent again with its key.
    pub fn is_unanswered(&self) -> bool {
        matches!(self.status, 0 | 503 | 504)
    }

    /// The refusal's stable code, or nothing.
    pub fn code(&self) -> &str {
        let code = self.body.pointer("/error/code");
        code.and_then(Value::as_str).unwrap_or_default()
    }
}
