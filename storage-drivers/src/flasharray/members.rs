//! Making a group's members exactly those wanted.

use protector_domain::ids::Serial;
use protector_domain::ports::PortResult;
use protector_domain::ports::storage::GroupSpec;

use super::door::{Door, Field, NAMES_PER_CALL, nonsense};
use super::schedule::off_when_empty;
use crate::model::{Answer, Command, GroupMemberRow, Query, VolumeRow};

/// Look, change, look: rounds until the members are as wanted.
const ROUNDS_MAX: usize = 3;

/// The members become exactly `wanted`. The schedule stays as it is, but for a group left empty.
///
/// Errors: `Missing` when a volume or the group is not there, nothing changed then.
pub(super) async fn set(source: &Door, spec: &GroupSpec, wanted: &[Serial]) -> PortResult<()> {
    let mut failure = None;
    for _ in 0..ROUNDS_MAX {
        let difference = difference(source, spec, wanted).await?;
        if difference.is_empty() {
            return off_when_empty(source, spec, wanted.is_empty()).await;
        }
        // A definite no may come from a rename, or from the first of two deliveries: look again.
        failure = apply(source, spec, &difference).await.err();
        if failure
            .as_ref()
            .is_some_and(|error| !error.is_definite_no())
        {
            break;
        }
    }
    Err(failure.unwrap_or_else(|| nonsense("group_members_post")))
}

/// Names to add and to remove.
struct Difference {
    add: Vec<String>,
    remove: Vec<String>,
}

impl Difference {
    fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

async fn difference(source: &Door, spec: &GroupSpec, wanted: &[Serial]) -> PortResult<Difference> {
    let rows = source.volumes_live(wanted).await?;
    let held = list(source, spec).await?;
    let add = rows
        .iter()
        .filter(|volume| !held.iter().any(|member| is(member, volume)));
    let remove = held
        .iter()
        .filter(|member| !rows.iter().any(|volume| is(member, volume)));
    Ok(Difference {
        add: add.map(|volume| volume.name.clone()).collect(),
        remove: remove.map(|member| member.member.name.clone()).collect(),
    })
}

/// True when `member` is this volume: by id, or by name where an array lists members by name alone.
pub(super) fn is(member: &GroupMemberRow, volume: &VolumeRow) -> bool {
    match member.member.id.as_str() {
        "" => member.member.name.eq_ignore_ascii_case(&volume.name),
        id => id == volume.id,
    }
}

/// What the volumes of these members can be looked for by.
pub(super) fn known_by(members: &[GroupMemberRow]) -> (Field, Vec<&str>) {
    let ids: Vec<&str> = members.iter().map(|m| m.member.id.as_str()).collect();
    if ids.contains(&"") {
        let names = members.iter().map(|m| m.member.name.as_str());
        return (Field::Name, names.collect());
    }
    (Field::Id, ids)
}

/// The members as the array has them.
pub(super) async fn list(source: &Door, spec: &GroupSpec) -> PortResult<Vec<GroupMemberRow>> {
    let group_names = vec![spec.name.0.clone()];
    let ask = move |query| Command::GroupMembersGet {
        group_names: group_names.clone(),
        member_names: Vec::new(),
        query,
    };
    let open = |answer| match answer {
        Answer::GroupMembers(page) => Some(page),
        _ => None,
    };
    source.walk(&ask, open, Query::default()).await
}

async fn apply(source: &Door, spec: &GroupSpec, difference: &Difference) -> PortResult<()> {
    let group_names = || vec![spec.name.0.clone()];
    for chunk in difference.add.chunks(NAMES_PER_CALL) {
        let command = Command::GroupMembersPost {
            group_names: group_names(),
            member_names: chunk.to_vec(),
        };
        source.call(command).await?;
    }
    for chunk in difference.remove.chunks(NAMES_PER_CALL) {
        let command = Command::GroupMembersDelete {
            group_names: group_names(),
            member_names: chunk.to_vec(),
        };
        source.call(command).await?;
    }
    Ok(())
}
