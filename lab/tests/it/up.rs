//! `protector-lab up` as a process: what it writes, what answers, how it ends.

use bytes::Bytes;
use protector_runtime::remote::{HttpService, ReqwestOptions, reqwest_service};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tower::ServiceExt;

/// Ends the process also when a test fails.
struct Lab(Child);

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(state: &Path) -> Lab {
    let child = Command::new(env!("CARGO_BIN_EXE_protector-lab"))
        .args(["up", "--state", state.to_str().unwrap(), "--vms", "1"])
        .stdout(Stdio::piped())
        .spawn();
    Lab(child.unwrap())
}

/// Reads on until it says that it is up.
fn ready(state: &Path, lab: &mut Lab) -> Value {
    let mut lines = BufReader::new(lab.0.stdout.take().unwrap()).lines();
    let up = lines.any(|line| line.unwrap().starts_with("both sites are up"));
    assert!(up, "it ended");
    let text = std::fs::read_to_string(state.join("lab.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn send(
    http: &HttpService,
    request: http::request::Builder,
    body: &Value,
) -> (u16, Value, String) {
    let bytes = if body.is_null() {
        Bytes::new()
    } else {
        Bytes::from(body.to_string())
    };
    let request = request.header("Content-Type", "application/json");
    let answer = http
        .clone()
        .oneshot(request.body(bytes).unwrap())
        .await
        .unwrap();
    let token = answer.headers().get("X-Subject-Token");
    let token = token.map(|t| t.to_str().unwrap().to_owned());
    let value = serde_json::from_slice(answer.body()).unwrap_or_default();
    (answer.status().as_u16(), value, token.unwrap_or_default())
}

async fn token(http: &HttpService, auth_url: &str) -> (String, Value) {
    let user = json!({ "name": "admin", "domain": { "name": "Default" }, "password": "secret" });
    let project = json!({ "name": "admin", "domain": { "name": "Default" } });
    let body = json!({ "auth": {
        "identity": { "methods": ["password"], "password": { "user": user } },
        "scope": { "project": project },
    }});
    let request = http::Request::post(format!("{auth_url}/auth/tokens"));
    let (status, shown, token) = send(http, request, &body).await;
    assert_eq!(status, 201, "{shown}");
    (token, shown)
}

/// Each site knows the other with keys and a login, the catalog leads to the API, files are the
/// owner's, SIGTERM ends it in order, and a used directory is left alone.
#[tokio::test]
async fn two_sites_stay_up_until_they_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("new");
    let mut lab = start(&state);
    let shown = ready(&state, &mut lab);
    for name in ["lab.json", "clouds.yaml"] {
        let mode = std::fs::metadata(state.join(name)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
    }
    assert_eq!(shown["pid"], lab.0.id());
    let http = reqwest_service(ReqwestOptions::default()).unwrap();
    for (here, there) in [("site-a", "site-b"), ("site-b", "site-a")] {
        let site = &shown["sites"][here];
        let (token, scoped) = token(&http, site["auth_url"].as_str().unwrap()).await;
        let api = site["api_url"].as_str().unwrap();
        assert!(
            scoped["token"]["catalog"].to_string().contains(api),
            "{here}"
        );
        let request = http::Request::get(format!("{api}/v1/admin/sites"));
        let request = request.header("X-Auth-Token", token);
        let (status, sites, _) = send(&http, request, &Value::Null).await;
        assert_eq!(status, 200, "{sites}");
        let known = &sites["sites"][0];
        assert_eq!(known["name"], there);
        assert_eq!(known["id"], shown["sites"][there]["site_id"]);
        assert_eq!(
            (&known["paired"], &known["has_credential"]),
            (&json!(true), &json!(true))
        );
    }
    let pid = lab.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(lab.0.wait().unwrap().code(), Some(0));

    let before = std::fs::read(state.join("site-a.db")).unwrap();
    assert_eq!(start(&state).0.wait().unwrap().code(), Some(1));
    assert_eq!(std::fs::read(state.join("site-a.db")).unwrap(), before);
}

fn tell(lab: &Lab, signal: &str) {
    let pid = lab.0.id().to_string();
    assert!(
        Command::new("kill")
            .args([signal, &pid])
            .status()
            .unwrap()
            .success()
    );
}

/// Reads on until the process says this.
fn wait_for(lines: &mut impl Iterator<Item = std::io::Result<String>>, wanted: &str) {
    assert!(
        lines.any(|line| line.unwrap() == wanted),
        "it ended before {wanted}"
    );
}

/// A site that is lost answers nowhere; back, it is the same site at the same place.
#[tokio::test]
async fn site_a_can_be_lost_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("new");
    let mut lab = start(&state);
    let out = lab.0.stdout.take().unwrap();
    let mut lines = BufReader::new(out).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("both sites are up")));
    let text = std::fs::read_to_string(state.join("lab.json")).unwrap();
    let shown: Value = serde_json::from_str(&text).unwrap();
    let at = |site: &str, key: &str| shown["sites"][site][key].as_str().unwrap().to_owned();
    let host = |url: String| {
        let rest = url.strip_prefix("http://").unwrap().to_owned();
        rest.split('/').next().unwrap().to_owned()
    };
    let answers = |site: &str, key: &str| std::net::TcpStream::connect(host(at(site, key))).is_ok();
    tell(&lab, "-USR1");
    wait_for(&mut lines, "site-a is lost");
    for key in ["api_url", "auth_url"] {
        assert!(!answers("site-a", key), "{key}");
        assert!(answers("site-b", key), "{key}");
    }
    tell(&lab, "-USR2");
    wait_for(&mut lines, "site-a is back");
    let http = reqwest_service(ReqwestOptions::default()).unwrap();
    let (token, _) = token(&http, &at("site-a", "auth_url")).await;
    let request = http::Request::get(format!("{}/v1/admin/pair", at("site-a", "api_url")));
    let request = request.header("X-Auth-Token", token);
    let (status, pair, _) = send(&http, request, &Value::Null).await;
    assert_eq!(status, 200, "{pair}");
    assert_eq!(
        pair["pair"]["offer"]["site"],
        shown["sites"]["site-a"]["site_id"]
    );
}
