//! The tree as text for a person.
//!
//! Of a state only what fits on the line is told: one long list of a hundred is its length.
//!
//! Deliberately absent: ages. A snapshot carries instants; who prints it later would print a wrong age.

use std::fmt::Write;

use super::tree::ActorView;
use crate::text::cut;
use serde_json::Value;

/// Longest text of a state that is shown, bytes; the JSON form has all of it.
const TEXT_SHOWN_MAX: usize = 80;
/// Fields of one state that are shown.
const FIELDS_SHOWN_MAX: usize = 12;

/// Draws `views` as a tree, one line each. Expects the order of a snapshot: parents first, subtrees
/// together. A place whose parent is not among them hangs below its nearest ancestor that is.
pub fn render_tree(views: &[ActorView]) -> String {
    let parents: Vec<Option<usize>> = (0..views.len()).map(|i| parent_of(views, i)).collect();
    let mut text = String::new();
    for (i, view) in views.iter().enumerate() {
        let parent = parents.get(i).copied().flatten();
        let above = parent.and_then(|p| views.get(p)).map(|p| p.path.len() + 1);
        let name = view.path.get(above.unwrap_or(0)..).unwrap_or(&view.path);
        let _ = writeln!(text, "{}{name}  {}", rails(&parents, i), line(view));
    }
    text
}

fn parent_of(views: &[ActorView], child: usize) -> Option<usize> {
    let path = &views.get(child)?.path;
    let above = |v: &ActorView| {
        path.strip_prefix(&v.path)
            .is_some_and(|r| r.starts_with('/'))
    };
    views.iter().take(child).rposition(above)
}

/// The lines left of a name: its own branch, and the trunks of ancestors that go on below it.
fn rails(parents: &[Option<usize>], child: usize) -> String {
    let parent_at = |i: usize| parents.get(i).copied().flatten();
    let goes_on = |i: usize| {
        let later = parents.iter().skip(i + 1);
        later.copied().any(|p| p == parent_at(i))
    };
    let mut parts = Vec::new();
    let mut at = child;
    while let Some(up) = parent_at(at) {
        parts.push(match (at == child, goes_on(at)) {
            (true, true) => "├─ ",
            (true, false) => "└─ ",
            (false, true) => "│  ",
            (false, false) => "   ",
        });
        at = up;
    }
    parts.into_iter().rev().collect()
}

fn line(view: &ActorView) -> String {
    let phase = serde_json::to_value(view.phase).unwrap_or_default();
    let mut text = format!("[{}] {}", view.kind, phase.as_str().unwrap_or("?"));
    if view.cap > 0 {
        let _ = write!(text, " {}/{}", view.depth, view.cap);
    }
    let _ = write!(text, " handled {}", view.handled);
    if view.restarts > 0 {
        let _ = write!(text, " restarts {}", view.restarts);
    }
    text.push_str(&fields(&view.state).map_or_else(String::new, |said| format!(" | {said}")));
    if let Some(busy) = &view.busy {
        let _ = write!(text, " busy {} since {}us", busy.what, busy.since_us);
    }
    if let Some(error) = &view.last_error {
        let first = error.reason.lines().next().unwrap_or_default();
        let _ = write!(text, " last error: {first}");
    }
    text
}

/// The fields of a state, or of an object within, that say something.
fn fields(state: &Value) -> Option<String> {
    let said = state.as_object()?.iter().filter_map(|(name, value)| {
        Some(match value {
            Value::Null | Value::Bool(false) => return None,
            Value::Bool(true) => name.clone(),
            Value::Number(number) => format!("{name} {number}"),
            Value::String(text) => format!("{name} {}", one_line(text)),
            Value::Array(all) if all.is_empty() => return None,
            Value::Array(all) => format!("{name} x{}", all.len()),
            Value::Object(_) => format!("{name} ({})", fields(value)?),
        })
    });
    let said: Vec<String> = said.take(FIELDS_SHOWN_MAX).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

fn one_line(text: &str) -> &str {
    cut(text.lines().next().unwrap_or_default(), TEXT_SHOWN_MAX)
}

#[cfg(test)]
mod tests {
    use super::super::{Stats, Tree, TreeFilter, render_tree};
    use std::sync::Arc;

    #[test]
    fn reads_like_a_tree_and_bridges_missing_parents() {
        let tree = Arc::new(Tree::default());
        let enter = |path: &str, kind, cap| {
            let stats = Arc::new(Stats::new(kind, cap));
            stats.up(5, serde_json::Value::Null);
            (tree.enter(path, stats.clone()), stats)
        };
        let _root = enter("root", "supervisor", 0);
        let one = enter("root/groups/one", "group", 8);
        let _lane = enter("root/groups/one/lane", "lane", 2);
        let _two = enter("root/two", "group", 8);
        one.1.begin("failover", 42);
        one.1.restart("boom", 7);
        one.1.error("boom\nat line 3", 7);
        let text = render_tree(&tree.snapshot(&TreeFilter::default(), 10));
        let expected = "\
root  [supervisor] up handled 0
├─ groups/one  [group] up 0/8 handled 0 restarts 1 busy failover since 42us last error: boom
│  └─ lane  [lane] up 0/2 handled 0
└─ two  [group] up 0/8 handled 0
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_state_is_told_on_one_line_however_much_it_holds() {
        let tree = Arc::new(Tree::default());
        let stats = Arc::new(Stats::new("operation", 64));
        let lanes: Vec<String> = (0..100).map(|n| format!("lane {n}")).collect();
        let state = serde_json::json!({
            "pct": 42, "cancelled": false, "waits_for": null, "running": lanes,
            "steps": { "boot": 3, "wait": 29 }, "why": format!("first\n{}", "x".repeat(500)),
        });
        stats.up(5, state);
        let _entry = tree.enter("one", stats);
        let text = render_tree(&tree.snapshot(&TreeFilter::default(), 10));
        let expected = "one  [operation] up 0/64 handled 0 | \
                        pct 42, running x100, steps (boot 3, wait 29), why first\n";
        assert_eq!(text, expected);
    }
}
