//! Trusts of tenants to the service (SEC-03). A trust carries no key of ours: it is known by who gave it to
//! whom for which project and roles, and so one that is there is taken over.
//!
//! Absent: when one is taken or ended.

use crate::answer::{Answer, new_id, optional};
use crate::ask::{Ask, segment};
use crate::client::Client;
use crate::json::null_default;
use crate::service::Service;
use protector_domain::ids::TrustId;
use protector_domain::ports::identity::TrustAsk;
use protector_domain::ports::{Acting, PortResult};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Trusts of one user to the service that are looked at; each costs a call.
const CANDIDATES_MAX: usize = 32;

#[derive(Deserialize)]
struct Envelope {
    trust: Shape,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default, deserialize_with = "null_default")]
    trusts: Vec<Shape>,
}

#[derive(Deserialize)]
struct Role {
    #[serde(default, deserialize_with = "null_default")]
    name: String,
}

#[derive(Deserialize)]
struct Shape {
    #[serde(default, deserialize_with = "null_default")]
    id: String,
    #[serde(default, deserialize_with = "null_default")]
    trustor_user_id: String,
    #[serde(default, deserialize_with = "null_default")]
    trustee_user_id: String,
    #[serde(default)]
    project_id: Option<String>,
    #[serde(default)]
    impersonation: bool,
    #[serde(default)]
    expires_at: Option<String>,
    #[serde(default)]
    remaining_uses: Option<u64>,
    #[serde(default)]
    deleted_at: Option<String>,
    /// Only of a trust that is asked for by its id.
    #[serde(default, deserialize_with = "null_default")]
    roles: Vec<Role>,
}

impl Shape {
    /// True for one that is as we would make it; the roles aside.
    fn fits(&self, ask: &TrustAsk, trustee: &str) -> bool {
        let endless = self.expires_at.is_none() && self.remaining_uses.is_none();
        self.trustor_user_id == ask.trustor.as_str()
            && self.trustee_user_id == trustee
            && self.project_id.as_deref() == Some(ask.project.as_str())
            && self.impersonation
            && endless
            && self.deleted_at.is_none()
    }

    fn has_roles(&self, wanted: &[String]) -> bool {
        let has: BTreeSet<&str> = self.roles.iter().map(|role| role.name.as_str()).collect();
        let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
        has == wanted
    }
}

fn body(ask: &TrustAsk, trustee: &str) -> Value {
    let roles = ask.roles.iter().map(|name| json!({ "name": name }));
    json!({"trust": {
        "trustor_user_id": ask.trustor.as_str(),
        "trustee_user_id": trustee,
        "project_id": ask.project.as_str(),
        "impersonation": true,
        "allow_redelegation": false,
        "roles": roles.collect::<Vec<Value>>(),
    }})
}

/// Looks before it makes one: an earlier answer may have been lost.
pub(super) async fn take(
    client: &Client,
    token: &SecretString,
    ask: &TrustAsk,
) -> PortResult<TrustId> {
    let trustee = client.trustee().await?;
    if let Some(found) = find(client, token, ask, &trustee).await? {
        return Ok(found);
    }
    let create = Ask::post(Service::Identity, "trust_take", "/OS-TRUST/trusts")
        .on(format!("of user {}", ask.trustor))
        .json(&body(ask, &trustee));
    let answer: Answer = client.send_as(token, &create).await?;
    let made: Envelope = answer.json(&create)?;
    new_id(&create, made.trust.id).map(TrustId)
}

async fn find(
    client: &Client,
    token: &SecretString,
    ask: &TrustAsk,
    trustee: &str,
) -> PortResult<Option<TrustId>> {
    let list = Ask::get(Service::Identity, "trust_list", "/OS-TRUST/trusts")
        .query("trustor_user_id", ask.trustor.as_str());
    let listed: Listed = client.send_as(token, &list).await?.json(&list)?;
    let fitting = listed.trusts.iter().filter(|t| t.fits(ask, trustee));
    for candidate in fitting.take(CANDIDATES_MAX) {
        let path = format!("/OS-TRUST/trusts/{}", segment("trust_show", &candidate.id)?);
        let show = Ask::get(Service::Identity, "trust_show", path).on(candidate.id.as_str());
        let Some(answer) = optional(client.send_as(token, &show).await)? else {
            continue;
        };
        let shown: Envelope = answer.json(&show)?;
        if shown.trust.has_roles(&ask.roles) {
            return Ok(Some(TrustId(candidate.id.clone())));
        }
    }
    Ok(None)
}

/// By our own rights: the tenant may be gone.
pub(super) async fn end(client: &Client, trust: &TrustId) -> PortResult<()> {
    let path = format!("/OS-TRUST/trusts/{}", segment("trust_end", trust.as_str())?);
    let ask = Ask::delete(Service::Identity, "trust_end", path).on(trust.as_str());
    optional(client.send(&Acting::Service, &ask).await).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask() -> TrustAsk {
        TrustAsk {
            trustor: "u1".into(),
            project: "p1".into(),
            roles: vec!["member".into()],
        }
    }

    fn trust() -> Value {
        json!({
            "id": "t1", "trustor_user_id": "u1", "trustee_user_id": "us", "project_id": "p1",
            "impersonation": true, "expires_at": null, "remaining_uses": null,
            "deleted_at": null, "roles": [{"id": "r", "name": "member"}],
        })
    }

    #[test]
    fn only_a_trust_that_is_as_ours_is_taken_over() {
        let fits = |value: &Value| {
            let shape: Shape = serde_json::from_value(value.clone()).unwrap();
            shape.fits(&ask(), "us") && shape.has_roles(&ask().roles)
        };
        assert!(fits(&trust()));
        for (key, other) in [
            ("trustor_user_id", json!("u2")),
            ("trustee_user_id", json!("somebody")),
            ("project_id", json!("p2")),
            ("impersonation", json!(false)),
            ("expires_at", json!("2030-01-01T00:00:00.000000Z")),
            ("remaining_uses", json!(1)),
            ("deleted_at", json!("2020-01-01T00:00:00.000000Z")),
            ("roles", json!([])),
            ("roles", json!([{"name": "member"}, {"name": "admin"}])),
        ] {
            let mut another = trust();
            another[key] = other;
            assert!(!fits(&another), "{key}");
        }
    }

    #[test]
    fn what_is_asked_for_names_the_roles_and_nothing_more() {
        let expected = json!({"trust": {
            "trustor_user_id": "u1", "trustee_user_id": "us", "project_id": "p1",
            "impersonation": true, "allow_redelegation": false, "roles": [{"name": "member"}],
        }});
        assert_eq!(body(&ask(), "us"), expected);
    }
}
