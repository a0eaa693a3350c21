//! A change that somebody wants of the group: how it is asked for, and what of the record it may touch.
//!
//! Absent: choosing one (`plan`), and carrying it (`ride`).

use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What one courier carries. Numbers make values that no other ask has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    Name(u32),
    Description(u32),
    Times {
        interval_s: u64,
        rpo_minutes: u64,
    },
    /// Of the member with this place among the tenant's servers.
    Tier {
        member: usize,
        tier: u8,
    },
    /// Whether the member's interfaces keep their MAC addresses.
    KeepsMac {
        member: usize,
        keeps: bool,
    },
    /// The last member goes.
    Leaves,
    /// And comes back.
    Joins,
    Keypair(u32),
    /// A planned move to the site that does not lead.
    Moves,
    /// An unplanned one to it, with the leader alive and in the middle of changes.
    Forces,
}

/// Names that an ask needs: what the tenant and the arrays are called here.
#[derive(Debug, Clone, Default)]
pub struct Cast {
    pub group: String,
    pub servers: Vec<String>,
    pub arrays: [String; 2],
}

/// A call to the API, below the project.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub method: Method,
    pub path: String,
    pub body: Value,
}

impl Want {
    /// True for what is no change of the record alone.
    pub fn is_move(self) -> bool {
        matches!(self, Self::Moves | Self::Forces)
    }

    /// The request that drafts it; nothing for a move.
    pub fn call(self, cast: &Cast) -> Option<Call> {
        let at = |method: Method, rest: &str, body: Value| {
            let path = format!("/protection-groups/{}{rest}", cast.group);
            Some(Call { method, path, body })
        };
        let action = |body: Value| at(Method::POST, "/action", body);
        let words = |words: Value| at(Method::PATCH, "", json!({ "protection_group": words }));
        match self {
            Self::Name(n) => words(json!({ "name": format!("shop-{n}") })),
            Self::Description(n) => words(json!({ "description": format!("words {n}") })),
            Self::Times {
                interval_s,
                rpo_minutes,
            } => action(json!({ "policy_update": {
                "primary_array": cast.arrays[0],
                "secondary_array": cast.arrays[1],
                "replication_interval": interval_s,
                "rpo_minutes": rpo_minutes,
            }})),
            Self::Tier { member, tier } => action(json!({ "member_update": {
                "instance_id": cast.server(member), "tier": tier,
            }})),
            Self::KeepsMac { member, keeps } => action(json!({ "member_update": {
                "instance_id": cast.server(member), "mac": if keeps { "keep" } else { "new" },
            }})),
            Self::Leaves => action(json!({ "member_remove": { "instance_id": cast.last() } })),
            Self::Joins => {
                let member = json!({ "member": { "instance_id": cast.last() } });
                at(Method::POST, "/members", member)
            }
            Self::Keypair(n) => {
                let keypairs = json!({ format!("key-{n}"): "lab-key" });
                let body = json!({ "mappings": { "keypairs": keypairs } });
                at(Method::PUT, "/mappings", body)
            }
            Self::Moves | Self::Forces => None,
        }
    }

    /// The words of a record that it may touch start so (`words`).
    pub(super) fn touches(self, cast: &Cast) -> String {
        match self {
            Self::Name(_) => "/name".to_owned(),
            Self::Description(_) => "/description".to_owned(),
            Self::Times { .. } => "/policy/".to_owned(),
            Self::Tier { member, .. } => format!("/members/{}/tier", cast.server(member)),
            Self::KeepsMac { member, .. } => format!("/members/{}/nics/", cast.server(member)),
            Self::Leaves | Self::Joins => format!("/members/{}/", cast.last()),
            Self::Keypair(_) => "/mappings/keypairs".to_owned(),
            Self::Moves | Self::Forces => "nothing".to_owned(),
        }
    }

    /// Words that have to stand in the record then; for a member that has left, words that may not.
    pub(super) fn says(self, cast: &Cast) -> BTreeMap<String, Option<Value>> {
        let under = self.touches(cast);
        let all = match self {
            Self::Name(n) => vec![(under, json!(format!("shop-{n}")))],
            Self::Description(n) => vec![(under, json!(format!("words {n}")))],
            Self::Times {
                interval_s,
                rpo_minutes,
            } => vec![
                (format!("{under}replication_interval_s"), json!(interval_s)),
                (format!("{under}rpo_max_s"), json!(rpo_minutes * 60)),
            ],
            Self::Tier { tier, .. } => vec![(under, json!(tier))],
            Self::KeepsMac { keeps, .. } => vec![(format!("{under}0/keep_mac"), json!(keeps))],
            Self::Leaves => return BTreeMap::from([(format!("{under}tier"), None)]),
            Self::Joins => vec![(format!("{under}tier"), json!(0))],
            Self::Keypair(n) => vec![(format!("{under}/key-{n}"), json!("lab-key"))],
            Self::Moves | Self::Forces => Vec::new(),
        };
        all.into_iter().map(|(at, word)| (at, Some(word))).collect()
    }
}

impl Cast {
    fn server(&self, member: usize) -> &str {
        self.servers.get(member).map_or("", String::as_str)
    }

    fn last(&self) -> &str {
        self.servers.last().map_or("", String::as_str)
    }
}
