//! The ratchet: paths that may break a rule for now, each with a number that may only fall.
//!
//! One entry per line, `path rule limit`; `#` starts a comment. An entry that is no longer needed, or higher than
//! needed, is itself a finding. Deliberately absent: patterns and folders, which would excuse files not yet written.

use std::collections::BTreeMap;

use super::finding::{Finding, Measure, Rule};

static ALLOWANCE: Rule = Rule {
    name: "allowance",
    why: "an excuse that is larger than the thing it excuses lets it grow back unseen",
    instead: "write the number it has now, or delete the line",
    measure: Measure::Count,
};

/// Removes what `text` (the content of `allow_path`) excuses and adds a finding for every slack or broken entry.
pub fn apply(allow_path: &str, text: &str, found: Vec<Finding>) -> Vec<Finding> {
    let mut sums: BTreeMap<(String, &'static str), usize> = BTreeMap::new();
    for finding in &found {
        let sum = sums
            .entry((finding.path.clone(), finding.rule.name))
            .or_default();
        *sum = match finding.rule.measure {
            Measure::Most => finding.size.max(*sum),
            Measure::Count => *sum + 1,
        };
    }
    let mut left = found;
    for (i, line) in text.lines().enumerate() {
        let entry = line.split('#').next().unwrap_or_default().trim();
        if entry.is_empty() {
            continue;
        }
        match judge(entry, &sums) {
            Ok((path, rule)) => {
                left.retain(|finding| !(finding.path == path && finding.rule.name == rule))
            }
            Err(what) => left.push(Finding::new(&ALLOWANCE, allow_path, i + 1, what)),
        }
    }
    left
}

/// The path and rule an entry excuses in full, or what is wrong with it.
fn judge<'a>(
    entry: &'a str,
    sums: &BTreeMap<(String, &'static str), usize>,
) -> Result<(&'a str, &'a str), String> {
    let words: Vec<&str> = entry.split_whitespace().collect();
    let [path, rule, limit] = words.as_slice() else {
        return Err(format!("`{entry}` is not `path rule limit`"));
    };
    let limit: usize = limit
        .parse()
        .map_err(|_| format!("`{limit}` is not a number"))?;
    let sum = sums
        .iter()
        .find(|((p, r), _)| p == path && r == rule)
        .map_or(0, |(_, sum)| *sum);
    match sum.cmp(&limit) {
        std::cmp::Ordering::Equal if sum > 0 => Ok((path, rule)),
        std::cmp::Ordering::Greater => Err(format!(
            "{path} has {sum} for {rule}, more than the {limit} allowed"
        )),
        _ => Err(format!(
            "{path} has {sum} for {rule}, less than the {limit} allowed"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static BAN: Rule = Rule {
        name: "ban",
        why: "",
        instead: "",
        measure: Measure::Count,
    };
    static SIZE: Rule = Rule {
        name: "size",
        why: "",
        instead: "",
        measure: Measure::Most,
    };

    fn found() -> Vec<Finding> {
        let size = |lines| Finding {
            size: lines,
            ..Finding::new(&SIZE, "a.rs", 1, "long")
        };
        vec![
            Finding::new(&BAN, "a.rs", 3, "x"),
            Finding::new(&BAN, "a.rs", 4, "x"),
            size(80),
            size(75),
        ]
    }

    fn names(allowed: &str) -> Vec<&'static str> {
        apply("allow.txt", allowed, found())
            .iter()
            .map(|finding| finding.rule.name)
            .collect()
    }

    #[test]
    fn an_exact_entry_excuses_its_path_and_rule_only() {
        assert_eq!(names("# none\n\n"), ["ban", "ban", "size", "size"]);
        assert_eq!(names("a.rs ban 2 # reason"), ["size", "size"]);
        assert_eq!(names("a.rs size 80"), ["ban", "ban"]);
        assert_eq!(
            names("b.rs ban 2"),
            ["ban", "ban", "size", "size", "allowance"]
        );
    }

    #[test]
    fn too_low_too_high_stale_and_broken_entries_are_findings() {
        for entry in [
            "a.rs ban 1",
            "a.rs ban 3",
            "a.rs ban 0",
            "gone.rs ban 1",
            "a.rs ban",
            "a.rs ban many",
        ] {
            assert_eq!(
                names(entry),
                ["ban", "ban", "size", "size", "allowance"],
                "{entry}"
            );
        }
    }
}
