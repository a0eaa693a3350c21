//! What a new record changed, in words for the audit trail (S18). Names of servers only, no secrets.

use super::leave::gone;
use crate::record::{GroupBody, Member};

/// The words, in a fixed order. `None`: no record before, or none that lives after.
pub fn difference(before: Option<&GroupBody>, after: Option<&GroupBody>) -> Vec<String> {
    let (before, after) = match (before, after) {
        (None, None) => return Vec::new(),
        (None, Some(_)) => return vec!["created".to_owned()],
        (Some(_), None) => return vec!["deleted".to_owned()],
        (Some(before), Some(after)) => (before, after),
    };
    let mut words = Vec::new();
    let mut add = |changed: bool, word: &str| {
        if changed {
            words.push(word.to_owned());
        }
    };
    add(before.name != after.name, "name");
    add(before.description != after.description, "description");
    let policy = before.policy != after.policy || before.on_return != after.on_return;
    add(policy, "policy");
    add(before.mappings != after.mappings, "mappings");
    add(before.status != after.status, "status");
    add(before.protected != after.protected, "protection");
    words.extend(members("member added", after, before));
    words.extend(changed(before, after));
    words.extend(members("member removed", before, after));
    words
}

/// Members that both have, and that are to be rebuilt otherwise.
fn changed(before: &GroupBody, after: &GroupBody) -> Vec<String> {
    let wishes = |m: &Member| {
        let keeps: Vec<_> = m.nics.iter().map(|n| (n.keep_ip, n.keep_mac)).collect();
        (m.tier, keeps)
    };
    let was = |m: &&Member| {
        let mut all = before.members.iter();
        all.any(|old| old.id == m.id && wishes(old) != wishes(m))
    };
    let other = after.members.iter().filter(was);
    other
        .map(|m| format!("member changed: {}", m.captured.name))
        .collect()
}

/// Members of `of` that `without` does not have, each by its server's name.
fn members(word: &str, of: &GroupBody, without: &GroupBody) -> Vec<String> {
    let ids = gone(of, without);
    let named = of.members.iter().filter(|m| ids.contains(&m.id));
    named
        .map(|m| format!("{word}: {}", m.captured.name))
        .collect()
}
