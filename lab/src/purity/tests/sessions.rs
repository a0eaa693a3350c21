//! Transport, versions, sessions.

use super::{API_TOKEN, Client, json_of, login, request, send};
use crate::purity::{BODY_MAX_BYTES, VERSIONS};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn versions_are_told_without_a_session_oldest_first() {
    let client = Client::new().await;
    let asked = request(Method::GET, "/api/api_version", &[], &Value::Null);
    let answer = send(&client.a, asked).await;
    assert_eq!(json_of(&answer), json!({ "version": VERSIONS }));
    let number = |v: &str| v.split_once('.').map(|(_, n)| n.parse::<u32>().unwrap());
    assert!(VERSIONS.windows(2).all(|w| number(w[0]) < number(w[1])));
    for path in ["/api/2.12/arrays", "/api/1.0/arrays", "/", "/api/2.36"] {
        let asked = request(Method::GET, path, &[], &Value::Null);
        assert_eq!(send(&client.a, asked).await.status(), 404, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_living_session_everything_is_401() {
    let client = Client::new().await;
    let wrong = request(
        Method::POST,
        "/api/2.36/login",
        &[("api-token", "x")],
        &Value::Null,
    );
    assert_eq!(send(&client.a, wrong).await.status(), 401);
    for token in ["", "made-up"] {
        let headers = [("x-auth-token", token)];
        for path in ["/api/2.36/arrays", "/api/2.36/nothing"] {
            let asked = request(Method::GET, path, &headers, &Value::Null);
            assert_eq!(send(&client.a, asked).await.status(), 401, "{path}");
        }
    }
    // Another array's session is none here.
    let headers = [("x-auth-token", client.tokens[1].as_str())];
    let asked = request(Method::GET, "/api/2.36/arrays", &headers, &Value::Null);
    assert_eq!(send(&client.a, asked).await.status(), 401);
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_by_logout_or_by_idling() {
    let client = Client::new().await;
    let (status, _) = client.call(Method::GET, "arrays", Value::Null).await;
    assert_eq!(status, 200);
    let (status, _) = client.call(Method::POST, "logout", Value::Null).await;
    assert_eq!(status, 200);
    let (status, _) = client.call(Method::GET, "arrays", Value::Null).await;
    assert_eq!(status, 401);
    for (idle_min, expected) in [(29, 200), (29, 200), (31, 401)] {
        tokio::time::sleep(Duration::from_secs(idle_min * 60)).await;
        let (status, _) = client.call_b(Method::GET, "arrays", Value::Null).await;
        assert_eq!(status, expected, "after {idle_min} min");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_carry_the_clock_of_the_array_and_the_callers_id() {
    let client = Client::new().await;
    let token = login(&client.a).await;
    let headers = [("x-auth-token", token.as_str()), ("X-Request-ID", "r-1")];
    let asked = request(Method::GET, "/api/2.36/arrays", &headers, &Value::Null);
    let answer = send(&client.a, asked).await;
    assert_eq!(answer.headers()["X-Request-ID"], "r-1");
    assert_eq!(answer.headers()["Date"], "Thu, 01 Jan 2026 00:00:00 GMT");
    assert!(!String::from_utf8_lossy(answer.body()).contains(API_TOKEN));
}

#[tokio::test(start_paused = true)]
async fn bad_bodies_and_unknown_paths_are_refused() {
    let client = Client::new().await;
    let token = client.tokens[0].clone();
    let headers = [("x-auth-token", token.as_str())];
    let mut broken = request(
        Method::POST,
        "/api/2.36/volumes?names=v",
        &headers,
        &json!({}),
    );
    *broken.body_mut() = "{\"provisioned\":".into();
    assert_eq!(send(&client.a, broken).await.status(), 400);
    let mut huge = request(
        Method::POST,
        "/api/2.36/volumes?names=v",
        &headers,
        &json!({}),
    );
    *huge.body_mut() = vec![b' '; BODY_MAX_BYTES + 1].into();
    assert_eq!(send(&client.a, huge).await.status(), 413);
    for (method, path, expected) in [
        (Method::GET, "nothing", 404),
        (Method::POST, "volumes/nothing", 404),
        (Method::PUT, "volumes", 405),
        (Method::DELETE, "arrays", 405),
        (Method::POST, "controllers", 405),
    ] {
        let (status, _) = client.call(method, path, Value::Null).await;
        assert_eq!(status, expected, "{path}");
    }
}
