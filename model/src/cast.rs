//! Who plays: two sites with fixed keys, one group, numbered operations and contents.
//!
//! Absent: randomness. Ed25519 signs alike what is alike, so equal histories give equal bytes.

use protector_domain::ids::{GroupId, OperationId, SiteId};
use protector_domain::sync::{
    BodyCheck, Content, Digest, GroupSync, Nonce, Peer, Record, Role, SigningIdentity,
};
use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Both roles, home first.
pub const ROLES: [Role; 2] = [Role::Home, Role::Other];

pub fn group() -> GroupId {
    GroupId(Uuid::from_u128(7))
}

pub fn site_of(role: Role) -> SiteId {
    SiteId(Uuid::from_u128(match role {
        Role::Home => 100,
        Role::Other => 200,
    }))
}

pub fn identity(role: Role) -> SigningIdentity {
    let seed = match role {
        Role::Home => [1; 32],
        Role::Other => [2; 32],
    };
    SigningIdentity::from_seed(site_of(role), &seed)
}

pub fn vacant(role: Role) -> GroupSync {
    GroupSync::vacant(group(), site_of(Role::Home), site_of(Role::Other), role)
}

/// This role's own keys, and its peer pinned.
pub fn pinned(role: Role) -> (Peer, BTreeMap<SiteId, Peer>) {
    let peer = identity(role.peer()).as_peer();
    (
        identity(role).as_peer(),
        BTreeMap::from([(peer.site, peer)]),
    )
}

pub fn operation(number: u32) -> OperationId {
    OperationId(Uuid::from_u128(u128::from(number)))
}

/// The number of an operation of this cast.
pub fn operation_number(operation: OperationId) -> u32 {
    u32::try_from(operation.0.as_u128()).unwrap_or(u32::MAX)
}

pub fn plan(number: u32) -> Digest {
    Digest::of_bytes(&number.to_be_bytes())
}

pub fn nonce(number: u32) -> Nonce {
    Nonce::from_bytes(u128::from(number).to_be_bytes())
}

pub fn content(text: &str) -> Content {
    Content {
        body: json!({ "name": "pg", "text": text }),
        sealed: BTreeMap::new(),
    }
}

/// A site that finds lasting reasons, or none.
pub struct Verdict {
    pub refuses: bool,
}

impl BodyCheck for Verdict {
    fn lasting_reasons(&self, _: &Record, _: Option<&Record>) -> Vec<String> {
        let reason = "no such volume type".to_owned();
        if self.refuses {
            vec![reason]
        } else {
            Vec::new()
        }
    }
}
