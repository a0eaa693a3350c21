//! A group's schedule, and its end.
//! Absent: making the group (`group`), who is in it (`members`).

use protector_domain::ports::storage::GroupSpec;
use protector_domain::ports::{ErrorKind, PortError, PortResult};

use super::door::Door;
use super::group::{find, patch_of, targets};
use super::points::peer_name;
use crate::model::{GroupPatch, GroupRow, SchedulePatch};

/// Switches the schedule on or off.
pub(super) async fn set(source: &Door, spec: &GroupSpec, enabled: bool) -> PortResult<()> {
    let group = live(source, spec).await?;
    if enabled && group.volume_count == 0 {
        let what = format!("protection group {} has no members to send", spec.name);
        return Err(PortError::new(ErrorKind::Refused, what));
    }
    switch(source, spec, &group, enabled).await
}

/// An empty snapshot would be a point from which nothing can be recovered: a group that was left
/// without members takes none. One with members stays as it is.
pub(super) async fn off_when_empty(source: &Door, spec: &GroupSpec, empty: bool) -> PortResult<()> {
    let group = live(source, spec).await?;
    if empty {
        switch(source, spec, &group, false).await
    } else {
        Ok(())
    }
}

/// Destroys the group if it is ours. What has arrived on the target stays there.
pub(super) async fn retire(source: &Door, spec: &GroupSpec) -> PortResult<()> {
    let found = find(source, spec).await?;
    let Some(group) = found.filter(|group| !group.destroyed) else {
        return Ok(());
    };
    if !is_ours(source, spec, &group).await? {
        let what = format!(
            "protection group {} on array {} is not as we make them: left alone",
            spec.name, source.array.name
        );
        return Err(PortError::new(ErrorKind::Refused, what));
    }
    // Off in the same call: whoever takes it out of the bin must not start to replicate by that.
    let patch = GroupPatch {
        destroyed: Some(true),
        ..schedule_patch(false)
    };
    match source.call(patch_of(spec, patch)).await {
        // Somebody was quicker, or the request was delivered twice (`B4`).
        Err(error) if error.kind == ErrorKind::Missing => Ok(()),
        other => other.map(|_| ()),
    }
}

pub(super) fn schedule_patch(enabled: bool) -> GroupPatch {
    GroupPatch {
        replication_schedule: SchedulePatch {
            enabled: Some(enabled),
            ..SchedulePatch::default()
        },
        ..GroupPatch::default()
    }
}

async fn live(source: &Door, spec: &GroupSpec) -> PortResult<GroupRow> {
    let group = find(source, spec).await?.filter(|group| !group.destroyed);
    group.ok_or_else(|| {
        let what = format!("there is no protection group {}", spec.name);
        PortError::new(ErrorKind::Missing, what)
    })
}

async fn switch(
    source: &Door,
    spec: &GroupSpec,
    group: &GroupRow,
    enabled: bool,
) -> PortResult<()> {
    if group.replication_schedule.enabled == enabled {
        return Ok(());
    }
    let command = patch_of(spec, schedule_patch(enabled));
    source.call(command).await.map(|_| ())
}

/// Groups carry no mark of ours, so the caller's word for the name is held against what the array
/// shows: sent to our target and nowhere else, with the retention that we give (`C6`, `S4`).
async fn is_ours(source: &Door, spec: &GroupSpec, group: &GroupRow) -> PortResult<bool> {
    let target = peer_name(source, &spec.target).await?;
    let rows = targets(source, spec).await?;
    let only_there = rows
        .iter()
        .all(|row| row.member.name.eq_ignore_ascii_case(&target));
    let retention = group.target_retention;
    Ok(!rows.is_empty() && only_there && (retention.days, retention.per_day) == (0, 0))
}
