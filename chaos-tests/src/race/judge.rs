//! What must hold of all that was ever signed, once the sites are in step again: no pair with two contents, no
//! change that was acknowledged and is lost, no change that nobody asked for.
//!
//! Absent: what the clouds and arrays hold (`protector_lab::verdict`), and whether the rules allow each record, which
//! a replay says.

use super::want::{Cast, Want};
use super::words::{Words, differing, words};
use protector_domain::sync::{Digest, Head, Pair, Record, RecordKind, RecordRef, SyncRefusal};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// All that is known of one group.
#[derive(Debug, Clone)]
pub struct History {
    pub cast: Cast,
    /// Every one that was signed, by its digest.
    pub records: BTreeMap<Digest, Record>,
    /// Where both sites stand.
    pub heads: [Head; 2],
    /// What is in their logs.
    pub kept: BTreeSet<Digest>,
    /// What each ticket that a courier was given would write, and what that courier wanted.
    pub promised: BTreeMap<Digest, Want>,
    /// Records whose commit a courier was answered.
    pub committed: BTreeSet<Digest>,
    /// Records that a courier was told are at both sites.
    pub synced: BTreeSet<Digest>,
    /// Up to here everything was made in peace.
    pub given: Pair,
    /// Somebody moved the group by force.
    pub forced: bool,
}

/// The digest of each record, which is its name.
///
/// # Errors
/// A record that has no canonical form.
pub fn by_digest(records: Vec<Record>) -> Result<BTreeMap<Digest, Record>, SyncRefusal> {
    let named = records.into_iter().map(|r| Ok((r.digest()?, r)));
    named.collect()
}

/// Everything that does not hold.
pub fn violations(history: &History) -> Vec<String> {
    let mut found = one_content(history);
    found.extend(in_step(history));
    let Some(head) = history.heads.first().and_then(|head| head.at.as_ref()) else {
        found.push("S9: no record is in force".to_owned());
        return found;
    };
    let chain = match chain(history, head) {
        Ok(chain) => chain,
        Err(gap) => {
            found.push(gap);
            return found;
        }
    };
    let names: BTreeSet<&Digest> = chain.iter().map(|(digest, _)| *digest).collect();
    found.extend(nothing_lost(history, &names));
    for (digest, record) in &history.records {
        found.extend(as_asked(history, digest, record));
    }
    found.extend(in_force(history, &chain));
    found
}

/// P1.
fn one_content(history: &History) -> Vec<String> {
    let mut at: BTreeMap<Pair, BTreeSet<&Digest>> = BTreeMap::new();
    for (digest, record) in &history.records {
        at.entry(record.header.pair()).or_default().insert(digest);
    }
    let forked = at.into_iter().filter(|(_, digests)| digests.len() > 1);
    let line = |(pair, digests)| format!("P1: {pair} has the contents {digests:?}");
    forked.map(line).collect()
}

/// Both heads are one, acknowledged, and in nobody's hands.
fn in_step(history: &History) -> Vec<String> {
    let mut found = Vec::new();
    let [one, two] = &history.heads;
    if one.at != two.at {
        found.push(format!("S8: the sites hold {:?} and {:?}", one.at, two.at));
    }
    for head in &history.heads {
        if !head.synced || head.suspect || head.lock.is_some() {
            found.push(format!("S9: not at rest: {head:?}"));
        }
    }
    let leaders = history.heads.iter().filter(|head| head.leads).count();
    if leaders != 1 {
        found.push(format!("S8: {leaders} sites lead"));
    }
    found
}

type Link<'a> = (&'a Digest, &'a Record);

/// The record in force and all that it was built on, newest first.
fn chain<'a>(history: &'a History, head: &RecordRef) -> Result<Vec<Link<'a>>, String> {
    let mut chain = Vec::new();
    let mut next = Some(head.clone());
    // Each parent is older, so that it ends.
    while let Some(at) = next {
        let known = history.records.get_key_value(&at.digest);
        let (digest, record) = known.ok_or_else(|| format!("P4: {} is nowhere", at.pair()))?;
        chain.push((digest, record));
        next = record.header.parent.clone();
    }
    Ok(chain)
}

/// P3, P4.
fn nothing_lost(history: &History, in_force: &BTreeSet<&Digest>) -> Vec<String> {
    let mut found = Vec::new();
    let lost = |digests: &BTreeSet<Digest>| -> Vec<Digest> {
        let gone = digests.iter().filter(|digest| !in_force.contains(digest));
        gone.cloned().collect()
    };
    for digest in lost(&history.synced) {
        found.push(format!(
            "P3: {} was at both sites and is in force no more",
            history.show(&digest)
        ));
    }
    for digest in lost(&history.committed) {
        if !history.kept.contains(&digest) {
            found.push(format!(
                "P4: {} was committed and is neither in force nor in a log",
                history.show(&digest)
            ));
        }
    }
    for digest in &history.kept {
        if in_force.contains(digest) {
            found.push(format!(
                "P4: {} is in force and in a log",
                history.show(digest)
            ));
        }
        if !history.forced {
            found.push(format!(
                "P4: {} was left out, and nobody moved by force",
                history.show(digest)
            ));
        }
    }
    found
}

impl History {
    fn show(&self, digest: &Digest) -> String {
        let record = self.records.get(digest);
        let at = record.map_or("?".to_owned(), |r| {
            format!("{} {:?}", r.header.pair(), r.header.kind)
        });
        match self.promised.get(digest) {
            Some(want) => format!("{at} ({want:?})"),
            None => at,
        }
    }

    fn body_of_parent(&self, record: &Record) -> Words {
        let parent = record.header.parent.as_ref();
        let parent = parent.and_then(|at| self.records.get(&at.digest));
        parent.map(|r| words(&r.body)).unwrap_or_default()
    }
}

/// A record changes what its asker wanted, in that way, and nothing else.
fn as_asked(history: &History, digest: &Digest, record: &Record) -> Vec<String> {
    let header = &record.header;
    if header.pair() <= history.given {
        return Vec::new();
    }
    let (before, after) = (history.body_of_parent(record), words(&record.body));
    let changed = differing(&before, &after);
    let (touched, says): (Vec<String>, BTreeMap<String, Option<Value>>) =
        match (header.kind, history.promised.get(digest)) {
            (RecordKind::Edit, Some(want)) => {
                (vec![want.touches(&history.cast)], want.says(&history.cast))
            }
            // A reprotection is asked for by whoever looks after the world.
            (RecordKind::Edit, None) => (vec!["/protected".to_owned()], BTreeMap::new()),
            (RecordKind::Mint | RecordKind::Finish, _) => {
                (OF_A_MOVE.map(str::to_owned).to_vec(), BTreeMap::new())
            }
            _ => (Vec::new(), BTreeMap::new()),
        };
    let show = history.show(digest);
    let allowed = |at: &&String| touched.iter().any(|under| fits(at, under));
    let mut found: Vec<String> = changed
        .iter()
        .filter(|at| !allowed(at))
        .map(|at| format!("S9: {show} changes {at}, which nobody asked for"))
        .collect();
    let missing = says
        .iter()
        .filter(|(at, word)| after.get(*at) != word.as_ref());
    found.extend(missing.map(|(at, word)| {
        format!(
            "S9: {show} says {:?} at {at}, asked for was {word:?}",
            after.get(at)
        )
    }));
    found
}

/// What a move may write. `*`: any one part of a path.
const OF_A_MOVE: [&str; 8] = [
    "/status",
    "/protected",
    "/failover_count",
    "/last_failover_at_us",
    "/members/*/places/",
    "/members/*/disks/",
    "/members/*/nics/*/places/",
    "/members/*/captured/",
];

/// Whether the path begins with this.
fn fits(path: &str, under: &str) -> bool {
    let mut parts = path.split('/');
    under.trim_end_matches('/').split('/').all(|wanted| {
        parts
            .next()
            .is_some_and(|part| wanted == "*" || part == wanted)
    })
}

/// The last change of each word that the record in force was built on is what it says.
fn in_force(history: &History, chain: &[Link<'_>]) -> Vec<String> {
    let Some((_, newest)) = chain.first() else {
        return Vec::new();
    };
    let now = words(&newest.body);
    let mut wanted: BTreeMap<String, Option<Value>> = BTreeMap::new();
    for (digest, record) in chain.iter().rev() {
        if record.header.pair() <= history.given {
            continue;
        }
        let Some(want) = history.promised.get(*digest) else {
            continue;
        };
        if matches!(want, Want::Leaves | Want::Joins | Want::Keypair(_)) {
            // All that was there before is replaced.
            let under = want.touches(&history.cast);
            wanted.retain(|at, _| !fits(at, &under));
        }
        wanted.extend(want.says(&history.cast));
    }
    let wrong = wanted
        .iter()
        .filter(|(at, word)| now.get(*at) != word.as_ref());
    wrong
        .map(|(at, word)| {
            format!(
                "S9: in force is {:?} at {at}, the last change said {word:?}",
                now.get(at)
            )
        })
        .collect()
}

#[cfg(test)]
mod tests;
