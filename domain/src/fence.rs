//! What keeps an old primary from leading again, without a courier (I4 to I6): the epoch marks on the
//! arrays, by which a site that returns learns that it was overtaken, and the obligation of the new
//! leader to quiet the source servers when their cloud answers again.
//!
//! Pure. Absent: asking arrays and clouds, and doing it (`actors::sweepers`).

use crate::change::array_group_name;
use crate::effect::{Effect, EffectKey, EffectState};
use crate::ids::{GroupId, MemberId, OperationId, ServerId, VolumeId};
use crate::plan::GROUP_LANE;
use crate::ports::compute::{Server, ServerStatus};
use crate::record::GroupBody;
use crate::sync::{Epoch, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The step under which the ledger keeps it.
pub const FENCE_STEP: &str = "fence_source";

/// What is done with source servers that run when their site returns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnReturn {
    /// Stopped, and locked with a reason.
    #[default]
    Stop,
    /// Left as they are, and told.
    Report,
}

/// What the name of every epoch mark of a group starts with. It follows from the group's id alone, so
/// that either site finds it on either array whatever its record says.
pub fn mark_prefix(group: GroupId) -> String {
    format!("{}-epoch-", array_group_name(None, group))
}

/// The mark that says: this group is led under `epoch`, or a higher one.
pub fn mark_name(group: GroupId, epoch: Epoch) -> String {
    format!("{}{epoch}", mark_prefix(group))
}

/// The highest epoch among names of objects on an array.
pub fn highest_mark<'a>(group: GroupId, names: impl IntoIterator<Item = &'a str>) -> Option<Epoch> {
    let prefix = mark_prefix(group);
    let epochs = names.into_iter().filter_map(|name| {
        let number = name.strip_prefix(&prefix)?;
        number.parse::<u64>().ok()
    });
    epochs.max().map(Epoch)
}

/// One source server that this site owes a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obligation {
    pub key: EffectKey,
    pub member: MemberId,
    pub server: ServerId,
    /// It was met before, and is still to be settled.
    pub begun: bool,
}

/// Source servers that nobody has looked after yet.
pub fn obligations(
    body: &GroupBody,
    here: Role,
    operation: OperationId,
    ledger: &BTreeMap<String, Effect>,
) -> Vec<Obligation> {
    let owed = body.members.iter().filter_map(|member| {
        let server = member.places.at(here.peer())?;
        let key = EffectKey::new(operation, FENCE_STEP, &member.id.to_string());
        let known = ledger.get(key.as_str()).map(|e| e.state);
        (known != Some(EffectState::Done)).then(|| Obligation {
            begun: known.is_some(),
            key,
            member: member.id,
            server: server.clone(),
        })
    });
    owed.collect()
}

/// The old direction of replication, if nobody has switched it off yet: the key under which that is
/// written down. The array may answer later than its cloud.
pub fn direction_owed(
    operation: OperationId,
    ledger: &BTreeMap<String, Effect>,
) -> Option<EffectKey> {
    let key = EffectKey::new(operation, FENCE_STEP, GROUP_LANE);
    let done = ledger.get(key.as_str()).map(|e| e.state) == Some(EffectState::Done);
    (!done).then_some(key)
}

/// What is to be done about one source server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// It is gone, or quiet already: that is written down.
    Settled(&'static str),
    /// It runs, or somebody could start it: it is stopped and locked, and keeps these volumes when it is
    /// deleted.
    StopAndLock { keep: Vec<VolumeId> },
    /// It runs, and the policy says that people decide.
    Report,
}

/// Decides from what the cloud says of the server; `None`: it is gone.
pub fn deed(server: Option<&Server>, on_return: OnReturn) -> Deed {
    let Some(server) = server.filter(|s| s.status != ServerStatus::Deleted) else {
        return Deed::Settled("it is gone");
    };
    let quiet = server.status == ServerStatus::Shutoff;
    if quiet && server.locked {
        return Deed::Settled("it was stopped and locked");
    }
    if quiet && on_return == OnReturn::Report {
        return Deed::Settled("it is stopped");
    }
    if on_return == OnReturn::Report {
        return Deed::Report;
    }
    let doomed = server.volumes.iter().filter(|v| v.delete_on_termination);
    Deed::StopAndLock {
        keep: doomed.map(|v| v.volume.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_highest_mark_counts_and_nothing_else_does() {
        let group = GroupId(Uuid::from_u128(7));
        let other = GroupId(Uuid::from_u128(8));
        let mark = |epoch| mark_name(group, Epoch(epoch));
        let names = [mark(2), mark(10), mark(4), mark_name(other, Epoch(99))];
        let noise = [format!("{}x", mark(50)), "volume-1-cinder".to_owned()];
        let all = names.iter().chain(&noise).map(String::as_str);
        assert_eq!(highest_mark(group, all), Some(Epoch(10)));
        assert_eq!(highest_mark(group, []), None);
        assert!(mark(u64::MAX).len() <= 63, "an array takes it as a name");
    }
}
