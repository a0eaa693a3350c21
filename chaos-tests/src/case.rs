//! One case of the matrix, and how the cases of a scenario are listed from a clean run.

use protector_lab::net::Fault;
use protector_lab::verdict::Expected;
use std::collections::BTreeSet;
use std::fmt;

/// Later than a caller waits, earlier than the look that follows (B3): what settling is for.
pub const LATE_BEFORE_LOOK_MS: u64 = 11_500;
/// Later than everybody waits: what the sweep is for.
pub const LATE_AFTER_ALL_MS: u64 = 25_000;

/// What goes wrong, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    None,
    /// The product is killed where it passes this place.
    Crash(String),
    /// The product's n-th call since the request meets this.
    Call(u64, Fault),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::None => f.write_str("no trouble"),
            Trouble::Crash(place) => write!(f, "killed at {place}"),
            Trouble::Call(n, fault) => write!(f, "call {n}: {fault:?}"),
        }
    }
}

/// What the target is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Everything can be recovered.
    Healthy,
    /// Nova boots nothing: every member goes back.
    NothingBoots,
    /// The array is full: the group goes back.
    ArrayFull,
    /// A newer point has begun to arrive when the site is lost, and never will have arrived (F1).
    NewestHalfThere,
    /// Nova is too busy for any boot, for ever: asked again within the budget, then every member goes back.
    NovaBusy,
}

impl Scenario {
    /// How the operation must end.
    pub fn expected(self) -> Expected {
        let failed = |outcome| Expected {
            status: "failed",
            outcome,
            all_up: false,
        };
        match self {
            Scenario::Healthy | Scenario::NewestHalfThere => Expected::FULL,
            Scenario::NothingBoots | Scenario::NovaBusy => failed("partial"),
            Scenario::ArrayFull => failed("rolled_back"),
        }
    }
}

/// Every place once, in order: generated from what the steps themselves pass, so that a new step is
/// covered by itself.
pub fn crashes(places: &[String]) -> Vec<Trouble> {
    let mut seen = BTreeSet::new();
    let fresh = places.iter().filter(|place| seen.insert((*place).clone()));
    fresh.cloned().map(Trouble::Crash).collect()
}

/// Every call once with each fault.
pub fn calls(count: u64, faults: &[Fault]) -> Vec<Trouble> {
    let each = |n| faults.iter().map(move |fault| Trouble::Call(n, *fault));
    (0..count).flat_map(each).collect()
}

/// `PROTECTOR_MATRIX=full` runs every case of the wide sweeps; otherwise every `SHARE`-th, from the first.
const SHARE: usize = 6;

/// The cases of a wide sweep that this run takes. Which ones is no matter of chance, so that a red one
/// is found again.
pub fn sampled<C>(cases: Vec<C>) -> Vec<C> {
    let full = std::env::var("PROTECTOR_MATRIX").is_ok_and(|v| v == "full");
    let step = if full { 1 } else { SHARE };
    cases.into_iter().step_by(step).collect()
}
