//! What a check says: a rule with its reason and its way out, and the places that break it.
//!
//! Deliberately absent: what the rules are (each check owns its own) and who is excused (`allow`).

use std::fmt::Write;

/// How several findings of one rule in one file add up to the number an allowance limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The greatest size counts.
    Most,
    /// The number of findings counts.
    Count,
}

/// One agreement.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Short, stable name; also used in the allow file.
    pub name: &'static str,
    /// Why we have it.
    pub why: &'static str,
    /// What to do instead.
    pub instead: &'static str,
    /// What an allowance for it limits.
    pub measure: Measure,
}

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// File, relative to the root.
    pub path: String,
    /// Line, counted from 1.
    pub line: usize,
    /// What was found there.
    pub what: String,
    /// Lines for a size rule, otherwise 1.
    pub size: usize,
}

impl Finding {
    /// A finding that counts as one.
    pub fn new(rule: &'static Rule, path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            rule,
            path: path.to_owned(),
            line,
            what: what.into(),
            size: 1,
        }
    }
}

/// The findings as text, grouped by rule: `path:line: what`, then why the rule exists and what to do.
pub fn report(found: &[Finding]) -> String {
    let mut sorted: Vec<&Finding> = found.iter().collect();
    sorted.sort_by(|a, b| {
        (a.rule.name, &a.path, a.line, &a.what).cmp(&(b.rule.name, &b.path, b.line, &b.what))
    });
    let mut text = String::new();
    for group in sorted.chunk_by(|a, b| a.rule.name == b.rule.name) {
        let Some(first) = group.first() else { continue };
        for finding in group {
            let _ = writeln!(
                text,
                "{}:{}: [{}] {}",
                finding.path, finding.line, first.rule.name, finding.what
            );
        }
        let _ = writeln!(
            text,
            "    why: {}\n    do:  {}\n",
            first.rule.why, first.rule.instead
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    static A: Rule = Rule {
        name: "a-rule",
        why: "because",
        instead: "the other way",
        measure: Measure::Count,
    };

    #[test]
    fn a_report_names_place_rule_reason_and_way_out_in_a_stable_order() {
        let found = [
            Finding::new(&A, "z.rs", 7, "late"),
            Finding::new(&A, "b.rs", 9, "early"),
        ];
        let text = "b.rs:9: [a-rule] early\nz.rs:7: [a-rule] late\n    why: because\n    do:  the other way\n\n";
        assert_eq!(report(&found), text);
    }
}
