//! The tenant with a laptop: at both APIs with tokens of the tenant's own, carrying what the sites sign.
//!
//! Absent: judging (`judge`), and killing anything (`story`).

use super::cloud::{Session, TENANT, User, text};
use super::places::Places;
use crate::courier::{self, CourierError, Endpoint};
use crate::world::Which;
use anyhow::{Context, Result, bail};
use http::Method;
use protector_runtime::remote::HttpService;
use serde_json::{Value, json};
use std::time::Duration;

/// Longest wait for anything, in looks.
const LOOKS_MAX: u32 = 600;
const LOOK_EVERY_MS: u64 = 500;

/// The tenant, and the group once it is made.
pub(super) struct Tenant<'a> {
    pub http: &'a HttpService,
    pub places: &'a Places,
    pub group: String,
    /// Who asks: anybody who is a member of the project.
    pub user: User,
    /// Requests so far; each has a key of its own.
    asked: u32,
}

impl<'a> Tenant<'a> {
    pub fn new(http: &'a HttpService, places: &'a Places) -> Self {
        Self {
            http,
            places,
            group: String::new(),
            user: TENANT,
            asked: 0,
        }
    }

    /// The product's API at a site, with a fresh token.
    ///
    /// # Errors
    /// Keystone says no.
    pub async fn at(&self, which: Which) -> Result<Endpoint> {
        let auth_url = &self.places.cloud(which)?.auth_url;
        let session = Session::log_in(self.http, auth_url, self.user).await?;
        Ok(session.at(&self.places.api_url(which)))
    }

    async fn both(&self, first: Which) -> Result<(Endpoint, Endpoint)> {
        Ok((self.at(first).await?, self.at(first.other()).await?))
    }

    /// A group at site A with these servers.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn protect(&mut self, servers: &[String]) -> Result<()> {
        let (a, b) = self.both(Which::A).await?;
        let create = json!({ "protection_group": {
            "name": "shop",
            "replication_type": "async",
            "secondary_site": Which::B.name(),
            "volume_type": "replicated-ssd",
        }});
        self.group = courier::change(&a, &b, Method::POST, "/protection-groups", &create).await?;
        let policy = json!({ "policy": {
            "primary_array": Which::A.array(),
            "secondary_array": Which::B.array(),
            "replication_interval": 900,
            "rpo_minutes": 30,
        }});
        let path = format!("/protection-groups/{}/policy", self.group);
        courier::change(&a, &b, Method::POST, &path, &policy).await?;
        for server in servers {
            let member = json!({ "member": { "instance_id": server } });
            let path = format!("/protection-groups/{}/members", self.group);
            courier::change(&a, &b, Method::POST, &path, &member).await?;
        }
        Ok(())
    }

    /// Has the leading site replicate now. The array's group may still be on its way.
    ///
    /// # Errors
    /// It is refused for too long.
    pub async fn replicate(&mut self, leader: Which) -> Result<()> {
        for _ in 0..LOOKS_MAX {
            let at = self.at(leader).await?;
            let taken = self.act(&at, &json!({ "sync_volumes": {} })).await;
            match taken {
                Ok(_) => return Ok(()),
                Err(error) if error.status == 409 || error.is_unanswered() => pause().await,
                Err(error) => return Err(error.into()),
            }
        }
        bail!("{} does not replicate", leader.name())
    }

    async fn act(&mut self, at: &Endpoint, body: &Value) -> Result<Value, CourierError> {
        self.asked += 1;
        let key = format!("e2e-{}", self.asked);
        at.act(&self.group, body, &key).await
    }

    /// A move on purpose, away from `leader`. Refused until there is something to recover, so this waits.
    /// Returns the operation at the other site.
    ///
    /// # Errors
    /// Another refusal.
    pub async fn hand_over(&mut self, leader: Which, verb: &str) -> Result<String> {
        let body = json!({ "type": "planned" });
        let mut last = None;
        for _ in 0..LOOKS_MAX {
            let (from, to) = self.both(leader).await?;
            match courier::planned_move(&from, &to, &self.group, verb, &body).await {
                Ok(operation) => return Ok(operation),
                Err(error) if waits(&error) => last = Some(error),
                Err(error) => return Err(error.into()),
            }
            pause().await;
        }
        bail!(
            "{verb}: {}",
            last.map(|e| e.to_string()).unwrap_or_default()
        )
    }

    /// A move of force, asked at `at` alone.
    ///
    /// # Errors
    /// A refusal.
    pub async fn force(&mut self, at: Which, verb: &str) -> Result<String> {
        let endpoint = self.at(at).await?;
        let body = json!({ verb: { "type": "unplanned" } });
        let answer = self.act(&endpoint, &body).await?;
        Ok(courier::operation_id(verb, &answer)?)
    }

    /// Waits until a move of force to `at` would recover what `replicate` took last: by the plan that a dry
    /// run shows, which it returns.
    ///
    /// # Errors
    /// Another refusal; it does not arrive.
    pub async fn until_recoverable(
        &mut self,
        at: Which,
        verb: &str,
        since_ms: i64,
    ) -> Result<Value> {
        let body = json!({ verb: { "type": "unplanned", "dry_run": true } });
        let mut last = Value::Null;
        for _ in 0..LOOKS_MAX {
            let endpoint = self.at(at).await?;
            match self.act(&endpoint, &body).await {
                Ok(shown) => {
                    let point = shown.pointer("/plan/point/created_ms");
                    if point.and_then(Value::as_i64) >= Some(since_ms) {
                        return Ok(shown);
                    }
                    last = shown;
                }
                Err(error) if waits(&error) => last = *error.body,
                Err(error) => return Err(error.into()),
            }
            pause().await;
        }
        bail!("nothing new to recover at {}: {last}", at.name())
    }

    /// One look at an operation; nothing while the site does not answer.
    ///
    /// # Errors
    /// Keystone says no.
    pub async fn look(&self, at: Which, operation: &str) -> Result<Option<Value>> {
        let endpoint = self.at(at).await?;
        let path = format!("/operations/{operation}");
        match endpoint.call(Method::GET, &path, None).await {
            Ok(shown) => Ok(shown.get("operation").cloned()),
            Err(error) if error.is_unanswered() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until `is_so` of the operation.
    ///
    /// # Errors
    /// It is not so for too long.
    pub async fn until(
        &self,
        at: Which,
        operation: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let mut last = Value::Null;
        for _ in 0..LOOKS_MAX {
            if let Some(shown) = self.look(at, operation).await? {
                if is_so(&shown) {
                    return Ok(shown);
                }
                last = shown;
            }
            pause().await;
        }
        bail!("operation {operation} is not as expected: {last}")
    }

    /// Brings both sites into step.
    ///
    /// # Errors
    /// They do not come into step.
    pub async fn sync(&self, leader: Which) -> Result<()> {
        let (one, other) = self.both(leader).await?;
        courier::sync(&one, &other, &self.group).await?;
        Ok(())
    }

    /// RP-01: protected from `leader` from now on.
    ///
    /// # Errors
    /// A refusal.
    pub async fn reprotect(&self, leader: Which) -> Result<()> {
        self.sync(leader).await?;
        let (at, peer) = self.both(leader).await?;
        courier::reprotect(&at, &peer, &self.group).await?;
        Ok(())
    }

    /// Waits until a site says nothing of two primaries any more (I4).
    ///
    /// # Errors
    /// It goes on saying so.
    pub async fn until_fenced(&self, at: Which) -> Result<()> {
        let path = format!("/protection-groups/{}", self.group);
        for _ in 0..LOOKS_MAX {
            let endpoint = self.at(at).await?;
            let shown = endpoint.call(Method::GET, &path, None).await?;
            if !shown.to_string().contains("split_brain") {
                return Ok(());
            }
            pause().await;
        }
        bail!("the source servers were not fenced")
    }

    /// An operation from its beginning to its end.
    ///
    /// # Errors
    /// It does not end.
    pub async fn until_over(&self, at: Which, operation: &str) -> Result<Value> {
        self.until(at, operation, over).await
    }
}

/// Refusals that time alone cures.
fn waits(error: &CourierError) -> bool {
    error.is_unanswered() || error.code() == "nothing_to_recover"
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
}

/// It has ended, well or not.
pub(super) fn over(shown: &Value) -> bool {
    shown.get("completed_at").is_some_and(|at| !at.is_null())
}

/// How far an operation is, percent.
pub(super) fn progress(shown: &Value) -> u64 {
    shown.get("progress").and_then(Value::as_u64).unwrap_or(0)
}

/// # Errors
/// It has not ended as it should.
pub(super) fn is_full(shown: &Value) -> Result<()> {
    let ended = (text(shown, "status"), text(shown, "outcome"));
    let full = ended == ("completed", "full");
    full.then_some(())
        .with_context(|| format!("it has not ended in full: {shown}"))
}
