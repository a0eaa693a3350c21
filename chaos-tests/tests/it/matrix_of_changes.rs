//! The crash matrix of changes of a group and of its end: either site killed wherever it commits something and
//! wherever the retire sweeper stands, while a courier carries the change and afterwards. Places come from a
//! clean run.

use protector_actors::Care;
use protector_chaos_tests::case::sampled;
use protector_chaos_tests::change::{Change, Kill, change};
use protector_chaos_tests::run::Ground;
use protector_chaos_tests::sweep::each;

const SEED: u64 = 53;

fn ground() -> Ground {
    Ground::in_memory(SEED, Care::default())
}

/// What does not hold in one case, if anything.
fn wrong(asked: Change, kill: &Kill) -> Option<String> {
    let violations = match change(&ground(), asked, Some(kill)) {
        Ok(report) if report.crashes != 1 => vec![format!("{} kills", report.crashes)],
        Ok(report) => report.violations,
        Err(error) => vec![format!("L1: {error:#}")],
    };
    let what = || {
        format!(
            "seed {SEED}, {asked:?}, {kill:?}: {}",
            violations.join("\n    ")
        )
    };
    (!violations.is_empty()).then(what)
}

#[test]
fn killed_wherever_a_change_commits_or_a_group_retires() {
    let mut all = Vec::new();
    for asked in Change::ALL {
        let clean = change(&ground(), asked, None).unwrap();
        assert_eq!(clean.violations, Vec::<String>::new(), "{asked:?}");
        let (retires, commits): (Vec<Kill>, Vec<Kill>) = clean
            .kills()
            .into_iter()
            .partition(|kill| kill.place.contains("_retire:"));
        assert!(commits.len() > 4, "{asked:?} writes");
        // Few, and each of them another thing: never sampled.
        let cases = [retires, sampled(commits)].concat();
        let red: Vec<String> = each(&cases, |kill| wrong(asked, kill))
            .into_iter()
            .flatten()
            .collect();
        println!(
            "{asked:?}: {} of {} cases hold",
            cases.len() - red.len(),
            cases.len()
        );
        all.extend(red);
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn an_ended_group_retires_at_both_sites() {
    let clean = change(&ground(), Change::DeleteAfterReturn, None).unwrap();
    for (which, places) in &clean.places {
        for place in ["before_retire:", "between_retire:", "after_retire:"] {
            let passed = places.iter().any(|p| p.starts_with(place));
            assert!(passed, "{which:?} comes to {place}");
        }
    }
}
