//! The rules of the wire: sessions, lists, errors, and what clients read of each object.

mod lists;
mod objects;
mod sessions;

use super::Face;
use bytes::Bytes;
use http::{Method, Request, Response};
use protector_runtime::ctx::Ctx;
use protector_runtime::remote::HttpService;
use protector_storage_drivers::link::SharedWorld;
use protector_storage_drivers::model::Control;
use secrecy::SecretString;
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt;

const API_TOKEN: &str = "11111111-2222-3333-4444-555555555555";
const START_US: i64 = 1_767_225_600_000_000;

/// Two connected arrays, and a client with a session at each.
struct Client {
    world: SharedWorld,
    a: HttpService,
    b: HttpService,
    tokens: [String; 2],
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Request<Bytes> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("https://array.test{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let bytes = if body.is_null() {
        Bytes::new()
    } else {
        Bytes::from(body.to_string())
    };
    request.body(bytes).unwrap()
}

async fn send(service: &HttpService, request: Request<Bytes>) -> Response<Bytes> {
    service.clone().oneshot(request).await.unwrap()
}

fn json_of(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or(Value::Null)
}

impl Client {
    async fn new() -> Self {
        let ctx = Ctx::seeded("arrays", 5, START_US);
        let world = SharedWorld::new(5, ctx.clock.clone());
        for name in ["array-a", "array-b"] {
            let name = name.to_owned();
            world.control(Control::ArrayAdd { name }).unwrap();
        }
        let link = Control::LinkAdd {
            a: "array-a".to_owned(),
            b: "array-b".to_owned(),
            bandwidth_bytes_per_s: 1 << 30,
        };
        world.control(link).unwrap();
        let face = |name: &str| {
            let token = SecretString::from(API_TOKEN);
            Arc::new(Face::new(Arc::new(world.clone()), name, token, ctx.clone())).service()
        };
        let (a, b) = (face("array-a"), face("array-b"));
        let tokens = [login(&a).await, login(&b).await];
        Self {
            world,
            a,
            b,
            tokens,
        }
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        self.call_at(&self.a, &self.tokens[0], method, path, body)
            .await
    }

    async fn call_b(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        self.call_at(&self.b, &self.tokens[1], method, path, body)
            .await
    }

    async fn call_at(
        &self,
        at: &HttpService,
        token: &str,
        method: Method,
        path: &str,
        body: Value,
    ) -> (u16, Value) {
        let path = format!("/api/2.36/{path}");
        let request = request(method, &path, &[("x-auth-token", token)], &body);
        let response = send(at, request).await;
        (response.status().as_u16(), json_of(&response))
    }

    /// A change that is accepted.
    async fn done(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// A call that is refused by the object layer; its texts.
    async fn no(&self, method: Method, path: &str, body: Value) -> Vec<String> {
        let (status, answer) = self.call(method, path, body).await;
        assert_eq!(status, 400, "{path}: {answer}");
        let errors = answer["errors"].as_array().unwrap().iter();
        errors
            .map(|e| e["message"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn login(service: &HttpService) -> String {
    let headers = [("api-token", API_TOKEN)];
    let login = request(Method::POST, "/api/2.36/login", &headers, &Value::Null);
    let response = send(service, login).await;
    assert_eq!(response.status(), 200);
    let token = response.headers().get("x-auth-token").unwrap();
    token.to_str().unwrap().to_owned()
}

fn names(answer: &Value) -> Vec<String> {
    let items = answer["items"].as_array().unwrap().iter();
    items
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}
