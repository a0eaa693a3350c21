//! The tree as text for a person.
//!
//! Deliberately absent: ages. A snapshot carries instants; who prints it later would print a wrong age.

use std::fmt::Write;

use super::tree::ActorView;

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
    if let Some(busy) = &view.busy {
        let _ = write!(text, " busy {} since {}us", busy.what, busy.since_us);
    }
    if let Some(error) = &view.last_error {
        let first = error.reason.lines().next().unwrap_or_default();
        let _ = write!(text, " last error: {first}");
    }
    text
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
}
