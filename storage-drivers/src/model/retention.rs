//! Which group snapshots retention removes, and when. Removed ones go to the bin.
//!
//! All are kept for a while, then the first `per_day` of each day for `days` days more. (Arrays
//! spread the kept ones over the day; the first ones are as good here.)

use super::array::Array;
use super::group_snapshots::GroupSnapshot;
use super::groups::Retention;

const DAY_MS: i64 = 86_400_000;

fn due_ms(snapshot: &GroupSnapshot, retention: Retention) -> Option<i64> {
    let counts =
        snapshot.apply_retention && snapshot.destroyed_ms.is_none() && snapshot.is_complete();
    let daily_ms = if snapshot.kept_daily {
        retention.days * DAY_MS
    } else {
        0
    };
    counts.then(|| snapshot.taken_ms + retention.all_for_s * 1_000 + daily_ms)
}

impl Array {
    /// The snapshot that retention looks at first, and when.
    pub(super) fn retention_next(&self) -> Option<(i64, u64)> {
        self.group_snapshots
            .iter()
            .filter_map(|(seq, snapshot)| {
                let retention = self.groups.get(snapshot.group)?.retention();
                Some((due_ms(snapshot, retention)?, seq))
            })
            .min()
    }

    /// Keeps the snapshot as one of its day, or throws it into the bin.
    pub(super) fn retention_apply(&mut self, seq: u64, now_ms: i64) {
        let keep = self.keeps_daily(seq);
        if let Some(snapshot) = self.group_snapshots.get_mut(seq) {
            if keep {
                snapshot.kept_daily = true;
            } else {
                snapshot.destroyed_ms = Some(now_ms);
            }
        }
    }

    fn keeps_daily(&self, seq: u64) -> bool {
        let Some(snapshot) = self.group_snapshots.get(seq) else {
            return false;
        };
        let Some(group) = self.groups.get(snapshot.group) else {
            return false;
        };
        let retention = group.retention();
        let day = |s: &GroupSnapshot| s.taken_ms.div_euclid(DAY_MS);
        let held = self
            .group_snapshots
            .iter()
            .filter(|(_, other)| other.group == snapshot.group && day(other) == day(snapshot))
            .filter(|(_, other)| other.kept_daily && other.destroyed_ms.is_none())
            .count() as i64;
        !snapshot.kept_daily && retention.days > 0 && held < retention.per_day
    }

    /// After a change of retention every snapshot of the group is judged anew.
    pub(super) fn retention_afresh(&mut self, group: u64) {
        for (_, snapshot) in self
            .group_snapshots
            .iter_mut()
            .filter(|(_, s)| s.group == group)
        {
            snapshot.kept_daily = false;
        }
    }
}
