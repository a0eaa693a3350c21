//! When a schedule is due. Pure arithmetic over UTC; absent: what happens then (`events`).

use serde::{Deserialize, Serialize};

use super::groups::Schedule;

const DAY_MS: i64 = 86_400_000;

/// How far a schedule has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Run {
    enabled_ms: Option<i64>,
    last_ms: Option<i64>,
}

impl Run {
    /// Takes note that the schedule changed from `old` to `new`.
    pub(super) fn switched(&mut self, old: Schedule, new: Schedule, now_ms: i64) {
        if new.enabled && !old.enabled {
            self.enabled_ms = Some(now_ms);
        }
    }

    pub(super) fn ran(&mut self, now_ms: i64) {
        self.last_ms = Some(now_ms);
    }

    /// The next run, ms. A run missed while the array was away happens once, not per miss.
    pub(super) fn due_ms(&self, schedule: Schedule) -> Option<i64> {
        let enabled = self.enabled_ms.filter(|_| schedule.enabled)?;
        let Some(at_s) = schedule.at_s else {
            let next = self.last_ms.map(|last| last + schedule.frequency_ms);
            return Some(next.map_or(enabled, |next| next.max(enabled)));
        };
        let moment = |day_of: i64| day_of - day_of.rem_euclid(DAY_MS) + at_s * 1_000;
        let next = self
            .last_ms
            .map(|last| moment(last) + schedule.frequency_ms);
        let first = moment(enabled);
        let first = if first < enabled {
            first + DAY_MS
        } else {
            first
        };
        Some(next.map_or(first, |next| next.max(first)))
    }
}
