//! The register of live places by path, and what a reader gets of it.
//!
//! Deliberately absent: parents and children as objects. A path says it all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::Serialize;

use super::stats::{Busy, Ended, Phase, Stats};
use crate::sync::lock;

/// All live places of one site.
#[derive(Debug, Default)]
pub struct Tree {
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    by_path: BTreeMap<String, (u64, Arc<Stats>)>,
    entered: u64,
}

/// Which part of the tree a reader wants. Empty: all of it.
#[derive(Debug, Clone, Default)]
pub struct TreeFilter {
    /// Only this path and what is below it.
    pub root: Option<String>,
    /// Only actors of this kind.
    pub kind: Option<String>,
    /// At most so many levels below the root (below the top without one); 0 is the root alone.
    pub depth: Option<usize>,
}

/// One live place as a reader sees it. Times are Unix microseconds of the site's clock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActorView {
    /// Where it is, parts joined by `/`.
    pub path: String,
    /// What sort of actor it is.
    pub kind: &'static str,
    /// Where it is in its life.
    pub phase: Phase,
    /// Messages queued and in hand.
    pub depth: usize,
    /// Room in its mailbox; 0 if it has no bounded one.
    pub cap: usize,
    /// Messages handled, over all incarnations.
    pub handled: u64,
    /// How often it was started again.
    pub restarts: u64,
    /// Why, newest last.
    pub restart_reasons: Vec<Ended>,
    /// What it does now; `None`: it waits for a message.
    pub busy: Option<Busy>,
    /// What it said of its state after its last message.
    pub state: serde_json::Value,
    /// The newest thing that went wrong.
    pub last_error: Option<Ended>,
    /// When the present incarnation came up.
    pub started_us: Option<i64>,
}

/// Keeps a place in the tree while it lives.
#[derive(Debug)]
pub struct Entry {
    tree: Arc<Tree>,
    path: String,
    number: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut places = lock(&self.tree.places);
        // A successor may have taken the path already, even with the same figures: leave it alone.
        if places
            .by_path
            .get(&self.path)
            .is_some_and(|(number, _)| *number == self.number)
        {
            places.by_path.remove(&self.path);
        }
    }
}

impl Tree {
    /// Shows `stats` at `path` until the entry is dropped. A second entry at one path hides the first.
    pub fn enter(self: &Arc<Self>, path: impl Into<String>, stats: Arc<Stats>) -> Entry {
        let path = path.into();
        let mut places = lock(&self.places);
        places.entered += 1;
        let number = places.entered;
        places.by_path.insert(path.clone(), (number, stats));
        let tree = self.clone();
        Entry { tree, path, number }
    }

    /// The figures at `path`, if something lives there.
    pub fn stats(&self, path: &str) -> Option<Arc<Stats>> {
        let places = lock(&self.places);
        places.by_path.get(path).map(|(_, stats)| stats.clone())
    }

    /// At most `limit` places that pass `filter`, sorted by the parts of their paths, parents first.
    pub fn snapshot(&self, filter: &TreeFilter, limit: usize) -> Vec<ActorView> {
        let mut places: Vec<(String, Arc<Stats>)> = lock(&self.places)
            .by_path
            .iter()
            .filter(|(path, (_, stats))| filter.passes(path, stats.kind()))
            .map(|(path, (_, stats))| (path.clone(), stats.clone()))
            .collect();
        // By parts: as plain text `a-b` would fall between `a` and `a/b`.
        places.sort_by(|a, b| a.0.split('/').cmp(b.0.split('/')));
        places.truncate(limit);
        places.into_iter().map(|(p, s)| view(p, &s)).collect()
    }
}

impl TreeFilter {
    fn passes(&self, path: &str, kind: &str) -> bool {
        let kind_fits = self.kind.as_deref().is_none_or(|wanted| wanted == kind);
        kind_fits
            && levels_below(self.root.as_deref(), path)
                .is_some_and(|levels| self.depth.is_none_or(|max| levels <= max))
    }
}

/// Levels of `path` below `root`; `None` if it is not below. Without a root a top place is level 0.
fn levels_below(root: Option<&str>, path: &str) -> Option<usize> {
    let Some(root) = root else {
        return Some(path.matches('/').count());
    };
    let rest = path.strip_prefix(root)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.matches('/').count())
}

fn view(path: String, stats: &Stats) -> ActorView {
    let rest = stats.rest();
    ActorView {
        path,
        kind: stats.kind(),
        phase: rest.phase,
        depth: stats.depth(),
        cap: stats.cap(),
        handled: stats.handled(),
        restarts: rest.restarts,
        restart_reasons: rest.reasons.into(),
        busy: rest.busy,
        state: rest.state,
        last_error: rest.last_error,
        started_us: rest.started_us,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{REASONS_MAX, TEXT_BYTES_MAX};
    use super::*;

    fn tree_of(paths: &[&str]) -> (Arc<Tree>, Vec<Entry>) {
        let tree = Arc::new(Tree::default());
        let entries = paths
            .iter()
            .map(|p| tree.enter(*p, Arc::new(Stats::new("leaf", 4))))
            .collect();
        (tree, entries)
    }

    fn paths(tree: &Tree, filter: &TreeFilter, limit: usize) -> Vec<String> {
        let views = tree.snapshot(filter, limit);
        views.into_iter().map(|v| v.path).collect()
    }

    #[test]
    fn a_subtree_stays_together_whatever_its_names() {
        let (tree, _entries) = tree_of(&["a-b", "a/x", "a", "a/x/y"]);
        let all = TreeFilter::default();
        assert_eq!(paths(&tree, &all, 9), ["a", "a/x", "a/x/y", "a-b"]);
        assert_eq!(paths(&tree, &all, 2), ["a", "a/x"]);
    }

    #[test]
    fn filters_by_root_depth_and_kind() {
        let (tree, _entries) = tree_of(&["a", "a/x", "a/x/y", "ab"]);
        let _other = tree.enter("a/z", Arc::new(Stats::new("other", 1)));
        let rooted = |depth| TreeFilter {
            root: Some("a".into()),
            depth,
            ..TreeFilter::default()
        };
        assert_eq!(paths(&tree, &rooted(None), 9), ["a", "a/x", "a/x/y", "a/z"]);
        assert_eq!(paths(&tree, &rooted(Some(0)), 9), ["a"]);
        assert_eq!(paths(&tree, &rooted(Some(1)), 9), ["a", "a/x", "a/z"]);
        let kind = TreeFilter {
            kind: Some("other".into()),
            ..TreeFilter::default()
        };
        assert_eq!(paths(&tree, &kind, 9), ["a/z"]);
    }

    #[test]
    fn a_dropped_entry_leaves_and_never_takes_its_successor_along() {
        let (tree, mut entries) = tree_of(&["a"]);
        let same = tree.stats("a").unwrap();
        let successor = tree.enter("a", same);
        entries.clear();
        assert_eq!(paths(&tree, &TreeFilter::default(), 9), ["a"]);
        drop(successor);
        assert!(tree.stats("a").is_none());
    }

    #[test]
    fn old_reasons_make_room_and_long_ones_are_cut() {
        let stats = Stats::new("leaf", 4);
        for n in 0..20 {
            stats.restart(&format!("{n}{}", "ä".repeat(TEXT_BYTES_MAX)), n);
        }
        let (tree, _) = tree_of(&[]);
        let _entry = tree.enter("a", Arc::new(stats));
        let view = tree.snapshot(&TreeFilter::default(), 1).remove(0);
        assert_eq!(view.restarts, 20);
        assert_eq!(view.restart_reasons.len(), REASONS_MAX);
        assert_eq!(view.restart_reasons.last().map(|r| r.at_us), Some(19));
        assert!(
            view.restart_reasons
                .iter()
                .all(|r| r.reason.len() <= TEXT_BYTES_MAX)
        );
    }
}
