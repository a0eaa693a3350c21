//! Looking at groups. Absent: changing them (`changes`), and moving them (`actions`).

use crate::answer::Answer;
use crate::cx::{Cx, unexpected};
use crate::error::ApiError;
use crate::paging::{next_links, page};
use crate::wire::consistency::{ConsistencyGroupAnswer, ConsistencyGroupInfo};
use crate::wire::group::{
    GroupAnswer, GroupInfo, GroupsAnswer, MappingsAnswer, MembersAnswer, PolicyAnswer, PolicyInfo,
    etag,
};
use crate::wire::looks::{HealthAnswer, HealthInfo, RecoveryPointInfo, RecoveryPointsAnswer};
use http::StatusCode;
use protector_domain::ports::engine::{GroupView, Query, View};

pub(super) async fn list(cx: &Cx) -> Result<Answer, ApiError> {
    let page = page(cx)?;
    let query = Query::GroupList {
        marker: page.marker.clone(),
        limit: page.limit,
    };
    let groups = match cx.ask(query).await? {
        View::Groups { groups } => groups,
        other => return Err(unexpected(&other)),
    };
    let last = groups.last().map(|group| group.id.to_string());
    let answer = GroupsAnswer {
        protection_groups_links: next_links(cx, &page, groups.len(), last),
        protection_groups: groups.iter().map(GroupInfo::from).collect(),
    };
    Ok(Answer::json(StatusCode::OK, &answer))
}

pub(super) async fn show(cx: &Cx) -> Result<Answer, ApiError> {
    let group = cx.group().await?;
    Ok(tagged(
        &group,
        &GroupAnswer {
            protection_group: GroupInfo::from(&group),
        },
    ))
}

pub(super) async fn members(cx: &Cx) -> Result<Answer, ApiError> {
    let group = cx.group().await?;
    Ok(tagged(&group, &MembersAnswer::from(&group)))
}

pub(super) async fn policy(cx: &Cx) -> Result<Answer, ApiError> {
    let group = cx.group().await?;
    Ok(tagged(
        &group,
        &PolicyAnswer {
            policy: group.body.policy.as_ref().map(PolicyInfo::from),
        },
    ))
}

pub(super) async fn mappings(cx: &Cx) -> Result<Answer, ApiError> {
    let group = cx.group().await?;
    Ok(tagged(
        &group,
        &MappingsAnswer {
            mappings: group.body.mappings.clone().into(),
        },
    ))
}

pub(super) async fn consistency_group(cx: &Cx) -> Result<Answer, ApiError> {
    let group = cx.group().await?;
    let consistency_group = ConsistencyGroupInfo::from(&group);
    Ok(tagged(
        &group,
        &ConsistencyGroupAnswer { consistency_group },
    ))
}

pub(super) async fn recovery_points(cx: &Cx) -> Result<Answer, ApiError> {
    let group = cx.group_ref()?;
    let points = match cx.ask(Query::RecoveryPoints { group }).await? {
        View::RecoveryPoints { points } => points,
        other => return Err(unexpected(&other)),
    };
    let recovery_points = points.iter().map(RecoveryPointInfo::from).collect();
    Ok(Answer::json(
        StatusCode::OK,
        &RecoveryPointsAnswer { recovery_points },
    ))
}

pub(super) async fn health(cx: &Cx) -> Result<Answer, ApiError> {
    let group = cx.group_ref()?;
    let health = match cx.ask(Query::Health { group }).await? {
        View::Health { health } => health,
        other => return Err(unexpected(&other)),
    };
    let health = HealthInfo::from(&*health);
    Ok(Answer::json(StatusCode::OK, &HealthAnswer { health }))
}

/// Everything of a group carries its version, to be sent back in `If-Match`.
fn tagged(group: &GroupView, answer: &impl serde::Serialize) -> Answer {
    Answer::json(StatusCode::OK, answer).etag(&etag(&group.pair))
}
