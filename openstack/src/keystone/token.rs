//! What Keystone says of a token. Absent: how it was asked.
//!
//! How long a token lives is measured between two of Keystone's own times, so that a clock of ours
//! that is ten minutes off neither throws good tokens away nor keeps dead ones (D1, D5).

use crate::answer::{Answer, same};
use crate::ask::Ask;
use crate::catalog::Catalog;
use crate::json::null_default;
use jiff::Timestamp;
use protector_domain::ports::identity::TokenInfo;
use protector_domain::ports::{Acting, ErrorKind, PortResult};
use protector_runtime::remote::Fresh;
use secrecy::SecretString;
use serde::Deserialize;
use std::sync::Arc;

/// Longest time that a token is renewed before its end, milliseconds.
const EARLY_MAX_MS: i64 = 60_000;
/// How long a token with times that make no sense is used; a 401 ends it anyway.
const LIFETIME_FALLBACK_MS: i64 = 60_000;

/// A token of ours with what it opens. No `Debug`: it is a secret.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) secret: SecretString,
    pub(crate) user_id: String,
    pub(crate) project_id: Option<String>,
    pub(crate) catalog: Arc<Catalog>,
    /// Our clock, Unix milliseconds: how fresh the catalog is.
    pub(crate) taken_ms: i64,
}

#[derive(Deserialize)]
struct Envelope {
    token: Shape,
}

#[derive(Deserialize)]
struct Shape {
    user: Named,
    #[serde(default)]
    project: Option<Named>,
    #[serde(default, deserialize_with = "null_default")]
    roles: Vec<Named>,
    #[serde(default)]
    catalog: Catalog,
    expires_at: String,
    #[serde(default)]
    issued_at: Option<String>,
    #[serde(default, rename = "OS-TRUST:trust")]
    trust: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default, deserialize_with = "null_default")]
    id: String,
    #[serde(default, deserialize_with = "null_default")]
    name: String,
}

/// Reads the answer to a login as `acting` and checks that it is about what was asked (B19).
pub(crate) fn read_login(
    ask: &Ask,
    acting: &Acting,
    answer: &Answer,
    now_ms: i64,
) -> PortResult<Fresh<Token>> {
    let shape: Envelope = answer.json(ask)?;
    let shape = shape.token;
    check_scope(ask, acting, &shape)?;
    let secret = answer.header("x-subject-token");
    if secret.is_empty() {
        return Err(ask.error(ErrorKind::Unknown, "the answer carries no token"));
    }
    let expires_at_ms = Some(now_ms.saturating_add(use_for_ms(&shape, now_ms)));
    let value = Token {
        secret: SecretString::from(secret),
        user_id: shape.user.id,
        project_id: shape.project.map(|project| project.id),
        catalog: Arc::new(shape.catalog),
        taken_ms: now_ms,
    };
    Ok(Fresh {
        value,
        expires_at_ms,
    })
}

fn check_scope(ask: &Ask, acting: &Acting, shape: &Shape) -> PortResult<()> {
    let project = shape.project.as_ref().map_or("", |p| p.id.as_str());
    match acting {
        Acting::Service => Ok(()),
        // Also an application credential of another project: it can never act here.
        Acting::ServiceIn(wanted) => scoped_to(ask, wanted.as_str(), project),
        Acting::Trust {
            trust,
            project: wanted,
        } => {
            let answered = shape.trust.as_ref().map_or("", |t| t.id.as_str());
            same(ask, "trust", trust.as_str(), answered)?;
            scoped_to(ask, wanted.as_str(), project)
        }
    }
}

fn scoped_to(ask: &Ask, wanted: &str, project: &str) -> PortResult<()> {
    if wanted == project {
        return Ok(());
    }
    Err(ask.error(ErrorKind::Denied, "these rights are for another project"))
}

/// Milliseconds from now until the token is renewed.
fn use_for_ms(shape: &Shape, now_ms: i64) -> i64 {
    let issued_ms = shape
        .issued_at
        .as_deref()
        .and_then(unix_ms)
        .unwrap_or(now_ms);
    let lifetime_ms = unix_ms(&shape.expires_at).map_or(0, |end| end.saturating_sub(issued_ms));
    if lifetime_ms <= 0 {
        return LIFETIME_FALLBACK_MS;
    }
    lifetime_ms - EARLY_MAX_MS.min(lifetime_ms / 4)
}

fn unix_ms(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(|at| at.as_millisecond())
}

/// Reads the answer to a validation (K9).
pub(crate) fn read_validation(ask: &Ask, answer: &Answer) -> PortResult<TokenInfo> {
    let shape: Envelope = answer.json(ask)?;
    let shape = shape.token;
    let unreadable = || ask.error(ErrorKind::Unknown, "the token's end is not a time");
    let expires_at_ms = unix_ms(&shape.expires_at).ok_or_else(unreadable)?;
    if shape.user.id.is_empty() {
        return Err(ask.error(ErrorKind::Unknown, "the answer names no user"));
    }
    let (project_id, project_name) = match shape.project {
        Some(project) => (Some(project.id.into()), Some(project.name)),
        None => (None, None),
    };
    Ok(TokenInfo {
        user_id: shape.user.id.into(),
        user_name: shape.user.name,
        project_id,
        project_name,
        roles: shape.roles.into_iter().map(|role| role.name).collect(),
        expires_at_s: expires_at_ms.div_euclid(1_000),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Service;
    use bytes::Bytes;
    use http::HeaderMap;
    use secrecy::ExposeSecret;
    use serde_json::{Value, json};

    const NOW_MS: i64 = 1_800_000_000_000;

    fn ask() -> Ask {
        Ask::post(Service::Identity, "login", "/auth/tokens")
    }

    fn answer(token: &Value) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("x-subject-token", "gAAA".parse().unwrap());
        Answer {
            headers,
            body: Bytes::from(json!({"token": token}).to_string()),
        }
    }

    fn token() -> Value {
        json!({
            "user": {"id": "u1", "name": "demo", "domain": {"id": "default"}},
            "project": {"id": "p1", "name": "demo"},
            "roles": [{"id": "r1", "name": "member"}, {"id": "r2", "name": "reader"}],
            "catalog": null,
            "issued_at": "2026-11-20T05:00:00.000000Z",
            "expires_at": "2026-11-20T06:00:00.000000Z",
            "methods": ["password"], "audit_ids": ["x"],
        })
    }

    fn login(acting: &Acting, token: &Value) -> PortResult<Fresh<Token>> {
        read_login(&ask(), acting, &answer(token), NOW_MS)
    }

    fn kind(acting: &Acting, token: &Value) -> Option<ErrorKind> {
        login(acting, token).err().map(|error| error.kind)
    }

    #[test]
    fn the_lifetime_is_keystones_own_whatever_our_clock_says() {
        // NOW_MS lies two months after these times.
        let fresh = login(&Acting::Service, &token()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(fresh.expires_at_ms, Some(NOW_MS + 3_600_000 - EARLY_MAX_MS));
        assert_eq!(fresh.value.secret.expose_secret(), "gAAA");
        assert_eq!(fresh.value.project_id.as_deref(), Some("p1"));
    }

    #[test]
    fn short_and_senseless_lifetimes_are_still_used_once() {
        for (expires, lives_ms) in [
            ("2026-11-20T05:00:20Z", 15_000),
            ("2026-11-20T04:00:00Z", LIFETIME_FALLBACK_MS),
            ("soon", LIFETIME_FALLBACK_MS),
        ] {
            let mut odd = token();
            odd["expires_at"] = json!(expires);
            let fresh = login(&Acting::Service, &odd).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(fresh.expires_at_ms, Some(NOW_MS + lives_ms), "{expires}");
        }
    }

    #[test]
    fn rights_for_another_project_are_no_rights() {
        let here = Acting::ServiceIn("p1".into());
        let there = Acting::ServiceIn("p2".into());
        assert_eq!(kind(&here, &token()), None);
        assert_eq!(kind(&there, &token()), Some(ErrorKind::Denied));
        let mut unscoped = token();
        unscoped["project"] = Value::Null;
        assert_eq!(kind(&here, &unscoped), Some(ErrorKind::Denied));
    }

    #[test]
    fn a_trust_token_names_its_trust() {
        let acting = Acting::Trust {
            trust: "t1".into(),
            project: "p1".into(),
        };
        assert_eq!(kind(&acting, &token()), Some(ErrorKind::Unknown));
        let mut by_trust = token();
        by_trust["OS-TRUST:trust"] = json!({"id": "t1", "impersonation": true});
        assert_eq!(kind(&acting, &by_trust), None);
    }

    #[test]
    fn a_login_without_a_token_is_none() {
        let mut answer = answer(&token());
        answer.headers.clear();
        let outcome = read_login(&ask(), &Acting::Service, &answer, NOW_MS);
        assert_eq!(outcome.err().map(|e| e.kind), Some(ErrorKind::Unknown));
    }

    #[test]
    fn a_validation_says_who_where_and_until_when() {
        let info = read_validation(&ask(), &answer(&token())).unwrap();
        assert_eq!(
            (info.user_id.as_str(), info.user_name.as_str()),
            ("u1", "demo")
        );
        assert_eq!(info.project_id, Some("p1".into()));
        assert_eq!(info.roles, ["member", "reader"]);
        assert_eq!(info.expires_at_s, 1_795_154_400);
        let mut nobody = token();
        nobody["user"]["id"] = Value::Null;
        assert!(read_validation(&ask(), &answer(&nobody)).is_err());
    }
}
