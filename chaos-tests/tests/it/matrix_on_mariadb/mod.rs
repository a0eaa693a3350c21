//! The matrix on MariaDB: killed behind every effect, before its result is written, in every operation. The
//! same seed on SQLite is the measure: whatever is sent to clouds and arrays, and every place that is
//! passed, has to be the same on both databases.

mod maria;

use maria::Databases;
use protector_actors::Care;
use protector_chaos_tests::case::{Scenario, Trouble, crashes, sampled};
use protector_chaos_tests::journey::{Journey, travel_on};
use protector_chaos_tests::run::{Ground, Report, run_on};
use protector_chaos_tests::sweep::{bad, sweep};

const SEED: u64 = 815;
const AFTER_EFFECT: &str = "after_effect";

#[derive(Debug, Clone, Copy)]
enum Course {
    Lost(Scenario),
    Moved(Journey),
}

impl Course {
    fn go(self, trouble: &Trouble, databases: Option<[String; 2]>) -> anyhow::Result<Report> {
        let ground = Ground {
            databases,
            ..Ground::in_memory(SEED, Care::default())
        };
        match self {
            Self::Lost(scenario) => run_on(&ground, scenario, trouble),
            Self::Moved(journey) => travel_on(&ground, journey, trouble),
        }
    }

    /// On MariaDB; what went another way on SQLite is added to what does not hold.
    fn on_both(self, trouble: &Trouble, databases: &Databases) -> anyhow::Result<Report> {
        let mut report = databases.with_pair(|pair| self.go(trouble, Some(pair)))?;
        let measure = self.go(trouble, None)?;
        report.violations.extend(differences(&report, &measure));
        Ok(report)
    }
}

fn differences(maria: &Report, sqlite: &Report) -> Vec<String> {
    let places = first_difference("place", &maria.places, &sqlite.places);
    let calls = first_difference("call", &maria.notes, &sqlite.notes);
    places.into_iter().chain(calls).collect()
}

fn first_difference<T: PartialEq + std::fmt::Debug>(
    what: &str,
    maria: &[T],
    sqlite: &[T],
) -> Option<String> {
    let longer = maria.len().max(sqlite.len());
    let at = (0..longer).find(|i| maria.get(*i) != sqlite.get(*i))?;
    Some(format!(
        "{what} {at}: {:?} on MariaDB, {:?} on SQLite",
        maria.get(at),
        sqlite.get(at)
    ))
}

/// Every operation, and each also where it goes back.
fn courses() -> Vec<Course> {
    let lost = [
        Scenario::Healthy,
        Scenario::NothingBoots,
        Scenario::ArrayFull,
    ];
    let moved = Journey::ALL.into_iter().map(Course::Moved);
    lost.into_iter().map(Course::Lost).chain(moved).collect()
}

#[test]
fn killed_behind_every_effect_on_mariadb() {
    let Some(databases) = Databases::on_the_test_server().unwrap() else {
        return;
    };
    let mut wrong = Vec::new();
    for course in courses() {
        let clean = course.on_both(&Trouble::None, &databases).unwrap();
        assert_eq!(clean.violations, Vec::<String>::new(), "{course:?}");
        let behind = |place: &&String| place.starts_with(AFTER_EFFECT);
        let places: Vec<String> = clean.places.iter().filter(behind).cloned().collect();
        let cases = sampled(crashes(&places));
        assert!(!cases.is_empty(), "{course:?} has effects");
        let reports = sweep(&cases, |trouble| course.on_both(trouble, &databases));
        let struck = reports.iter().all(|r| r.crashes == 1);
        let red = bad(&reports);
        println!(
            "{course:?}: {} of {} cases hold",
            cases.len() - red.len(),
            cases.len()
        );
        wrong.extend(
            red.into_iter()
                .map(|b| format!("seed {SEED}, {course:?}, {b}")),
        );
        assert!(
            struck || !wrong.is_empty(),
            "{course:?}: every case killed the product"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
