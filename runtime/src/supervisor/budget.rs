//! How often and how soon: pure arithmetic over milliseconds.
//!
//! Deliberately absent: clocks and children.

use std::collections::VecDeque;

use super::spec::{Restart, SupervisorOptions};
use crate::mailbox::ChildEnd;

/// Restarts within a sliding window.
#[derive(Debug)]
pub(super) struct Budget {
    restarts_max: usize,
    window_ms: u64,
    spent_ms: VecDeque<u64>,
}

impl Budget {
    pub(super) fn new(options: &SupervisorOptions) -> Self {
        Self {
            restarts_max: options.restarts_max,
            window_ms: options.window_ms,
            spent_ms: VecDeque::new(),
        }
    }

    /// Takes one restart. False: there was none left. Holds at most `restarts_max` instants.
    pub(super) fn spend(&mut self, now_ms: u64) -> bool {
        let old = |at: &u64| now_ms.saturating_sub(*at) >= self.window_ms;
        while self.spent_ms.front().is_some_and(old) {
            self.spent_ms.pop_front();
        }
        if self.spent_ms.len() >= self.restarts_max {
            return false;
        }
        self.spent_ms.push_back(now_ms);
        true
    }
}

/// The pause before the start that follows `fails` failures in a row: doubles up to the cap.
pub(super) fn backoff_ms(options: &SupervisorOptions, fails: u32) -> u64 {
    let doublings = fails.saturating_sub(1).min(63);
    let grown = options.backoff_base_ms.saturating_mul(1 << doublings);
    grown.min(options.backoff_max_ms)
}

/// Does a child with this rule come back after such an end?
pub(super) fn comes_back(restart: Restart, end: &ChildEnd) -> bool {
    match (restart, end) {
        (Restart::Permanent, _) => true,
        (Restart::Transient, ChildEnd::Normal(_)) | (Restart::Temporary, _) => false,
        (Restart::Transient, ChildEnd::Killed | ChildEnd::Failed(_)) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> SupervisorOptions {
        SupervisorOptions {
            restarts_max: 3,
            window_ms: 1_000,
            backoff_base_ms: 10,
            backoff_max_ms: 55,
        }
    }

    #[test]
    fn the_window_slides() {
        let mut budget = Budget::new(&options());
        let spent: Vec<bool> = [0, 400, 800, 999, 1_000, 1_001, 1_400]
            .into_iter()
            .map(|at| budget.spend(at))
            .collect();
        assert_eq!(spent, [true, true, true, false, true, false, true]);
    }

    #[test]
    fn the_pause_doubles_up_to_the_cap_and_never_overflows() {
        let pauses: Vec<u64> = (1..=5).map(|fails| backoff_ms(&options(), fails)).collect();
        assert_eq!(pauses, [10, 20, 40, 55, 55]);
        assert_eq!(backoff_ms(&options(), u32::MAX), 55);
    }

    #[test]
    fn only_a_clean_end_lets_a_transient_child_go() {
        let ends = [
            ChildEnd::Normal(None),
            ChildEnd::Killed,
            ChildEnd::Failed("x".into()),
        ];
        let back = |restart| ends.each_ref().map(|end| comes_back(restart, end));
        assert_eq!(back(Restart::Permanent), [true, true, true]);
        assert_eq!(back(Restart::Transient), [false, true, true]);
        assert_eq!(back(Restart::Temporary), [false, false, false]);
    }
}
