//! Making the replicating group, or finding it as asked.
//!
//! Five calls in the good case: the group, its target, leave on the target, interval and
//! retention. Absent: switching the schedule on (`schedule`), so that ensuring a group again never
//! restarts one that was stopped.

use std::time::Duration;

use protector_domain::ports::storage::GroupSpec;
use protector_domain::ports::{ErrorKind, PortError, PortResult};

use super::door::{Door, nonsense};
use super::schedule::schedule_patch;
use crate::model::{
    Answer, Command, Filter, GroupPatch, GroupRow, GroupTargetRow, Query, RetentionPatch,
    SchedulePatch,
};

/// Looks for the group on the target before the caller is asked to come back.
const SHOW_TRIES: usize = 60;
const SHOW_PAUSE_MS: u64 = 1_000;
/// Shortest retention an array takes.
const RETENTION_MIN_S: u64 = 60;

pub(super) async fn ensure(
    source: &Door,
    target: &Door,
    spec: &GroupSpec,
    ours: bool,
) -> PortResult<()> {
    let group = group_own(source, target, spec, ours).await?;
    target_own(source, target, spec).await?;
    configure(source, spec, &group).await?;
    allow(source, target, spec).await
}

/// The group of exactly this name, destroyed or not.
pub(super) async fn find(door: &Door, spec: &GroupSpec) -> PortResult<Option<GroupRow>> {
    let open = |answer| match answer {
        Answer::Groups(page) => Some(page),
        _ => None,
    };
    let query = Query::filtered(Filter::eq("name", spec.name.as_str()));
    let rows = door.walk(&Command::GroupsGet, open, query).await?;
    let exact = |row: &GroupRow| row.name.eq_ignore_ascii_case(spec.name.as_str());
    Ok(rows.into_iter().find(exact))
}

async fn group_own(
    source: &Door,
    target: &Door,
    spec: &GroupSpec,
    ours: bool,
) -> PortResult<GroupRow> {
    match find(source, spec).await? {
        Some(_) if !ours => Err(foreign(spec)),
        Some(row) if row.destroyed => recover(source, spec).await,
        Some(row) => Ok(row),
        None => create(source, target, spec).await,
    }
}

fn foreign(spec: &GroupSpec) -> PortError {
    let what = format!("protection group {} is there and not ours", spec.name);
    PortError::new(ErrorKind::AlreadyThere, what)
}

/// A group that was not there a moment ago and is now, without members and targets, is the other
/// half of a request that was delivered twice (`B4`).
async fn create(source: &Door, target: &Door, spec: &GroupSpec) -> PortResult<GroupRow> {
    let command = Command::GroupsPost {
        names: vec![spec.name.0.clone()],
    };
    match source.call(command).await {
        Ok(answer) => one_group(answer),
        Err(error) if error.kind == ErrorKind::AlreadyThere => {
            let found = find(source, spec).await?;
            let fresh = |row: &GroupRow| !row.destroyed && row.volume_count + row.target_count == 0;
            found.filter(fresh).ok_or_else(|| foreign(spec))
        }
        Err(error) => Err(PortError::new(
            error.kind,
            format!("{} (for replication to {})", error.what, target.array.name),
        )),
    }
}

/// Out of the bin and off in one call: its members may be those of long ago.
async fn recover(source: &Door, spec: &GroupSpec) -> PortResult<GroupRow> {
    let patch = GroupPatch {
        destroyed: Some(false),
        ..schedule_patch(false)
    };
    one_group(source.call(patch_of(spec, patch)).await?)
}

fn one_group(answer: Answer) -> PortResult<GroupRow> {
    match answer {
        Answer::Groups(page) => page
            .items
            .into_iter()
            .next()
            .ok_or_else(|| nonsense("groups_post")),
        _ => Err(nonsense("groups_post")),
    }
}

pub(super) fn patch_of(spec: &GroupSpec, patch: GroupPatch) -> Command {
    Command::GroupsPatch {
        names: vec![spec.name.0.clone()],
        patch,
    }
}

async fn target_own(source: &Door, target: &Door, spec: &GroupSpec) -> PortResult<()> {
    if has_target(source, target, spec).await? {
        return Ok(());
    }
    let command = Command::GroupTargetsPost {
        group_names: vec![spec.name.0.clone()],
        member_names: vec![target.array.name.clone()],
    };
    match source.call(command).await {
        Err(error) if error.is_definite_no() && has_target(source, target, spec).await? => Ok(()),
        other => other.map(|_| ()),
    }
}

async fn has_target(source: &Door, target: &Door, spec: &GroupSpec) -> PortResult<bool> {
    let rows = targets(source, spec).await?;
    let same = |name: &str| name.eq_ignore_ascii_case(&target.array.name);
    Ok(rows.iter().any(|row| same(&row.member.name)))
}

/// Where the group replicates to.
pub(super) async fn targets(source: &Door, spec: &GroupSpec) -> PortResult<Vec<GroupTargetRow>> {
    let group_names = vec![spec.name.0.clone()];
    let ask = move |query| Command::GroupTargetsGet {
        group_names: group_names.clone(),
        query,
    };
    let open = |answer| match answer {
        Answer::GroupTargets(page) => Some(page),
        _ => None,
    };
    source.walk(&ask, open, Query::default()).await
}

async fn configure(source: &Door, spec: &GroupSpec, group: &GroupRow) -> PortResult<()> {
    let frequency_ms = i64::try_from(spec.replication_interval_s.saturating_mul(1_000));
    let all_for_s = i64::try_from(spec.target_retention_s.max(RETENTION_MIN_S));
    let patch = GroupPatch {
        replication_schedule: SchedulePatch {
            frequency_ms: Some(frequency_ms.unwrap_or(i64::MAX)),
            ..SchedulePatch::default()
        },
        target_retention: RetentionPatch {
            all_for_s: Some(all_for_s.unwrap_or(i64::MAX)),
            days: Some(0),
            per_day: Some(0),
        },
        ..GroupPatch::default()
    };
    let retention = group.target_retention;
    let settled = patch.replication_schedule.frequency_ms
        == Some(group.replication_schedule.frequency_ms)
        && patch.target_retention.all_for_s == Some(retention.all_for_s)
        && (retention.days, retention.per_day) == (0, 0);
    if settled {
        return Ok(());
    }
    source.call(patch_of(spec, patch)).await.map(|_| ())
}

/// The group shows up on the target only after a while; until then it cannot be allowed.
async fn allow(source: &Door, target: &Door, spec: &GroupSpec) -> PortResult<()> {
    let command = Command::GroupTargetsPatch {
        group_names: vec![format!("{}:{}", source.array.name, spec.name)],
        allowed: true,
    };
    for _ in 0..SHOW_TRIES {
        match target.call(command.clone()).await {
            Err(error) if error.kind == ErrorKind::Missing => {
                tokio::time::sleep(Duration::from_millis(SHOW_PAUSE_MS)).await;
            }
            // Allowed before: an array may say so as a refusal.
            Err(error) if error.kind == ErrorKind::AlreadyThere => return Ok(()),
            other => return other.map(|_| ()),
        }
    }
    Err(PortError::new(
        ErrorKind::Busy {
            retry_after_ms: Some(SHOW_PAUSE_MS),
        },
        format!(
            "protection group {} does not show up on array {}",
            spec.name, target.array.name
        ),
    ))
}
