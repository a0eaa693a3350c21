//! Facts for a change of the record, and the draft that `domain` makes of them.

use super::failover::{drills_up, forced};
use super::{member, patiently};
use crate::protection_group::{ChangeAsk, not_found};
use crate::site::Site;
use crate::sweepers::fence;
use protector_domain::change::{
    CreateAsk, CreateFacts, LeaveFacts, PeerFacts, PolicyAsk, PolicyFacts, UpdateAsk, add_member,
    create, delete, remove_member, reprotect, set_mappings, set_member, set_policy, update,
    update_policy,
};
use protector_domain::ids::{ArrayId, GroupId, ProjectId, SiteId};
use protector_domain::operation::failover::settle;
use protector_domain::ports::Acting;
use protector_domain::ports::engine::{Change, EngineError};
use protector_domain::ports::volumes::VolumeType;
use protector_domain::record::GroupBody;
use protector_domain::refusal::{Refusal, Refusals};
use protector_domain::sync::{Intent, RecordRef};
use protector_store::{Array, StoredGroup};

/// What the record would say.
pub(crate) struct Drafted {
    /// Of a deletion: what goes.
    pub body: GroupBody,
    pub intent: Intent,
    /// The record it was drafted on; none for a create.
    pub base: Option<RecordRef>,
}

pub(super) fn unavailable(why: &impl std::fmt::Display) -> EngineError {
    EngineError::Unavailable {
        why: why.to_string(),
    }
}

/// The draft, or why there is none; an `EngineError` if the world could not be asked.
pub(crate) async fn draft(
    site: &Site,
    group: GroupId,
    ask: &ChangeAsk,
) -> Result<Result<Drafted, Refusals>, EngineError> {
    if let Change::Create { .. } = &ask.change {
        let drafted = create_draft(site, ask).await?;
        return Ok(drafted.map(|body| Drafted {
            body,
            intent: Intent::Create,
            base: None,
        }));
    }
    let stored = own_group(site, group, ask).await?;
    let intent = match &ask.change {
        Change::Delete {} => Intent::Delete,
        _ => Intent::Change,
    };
    let drafted = body_draft(site, &stored, ask).await?;
    Ok(drafted.map(|body| Drafted {
        body,
        intent,
        base: stored.sync.fence(),
    }))
}

async fn body_draft(
    site: &Site,
    stored: &StoredGroup,
    ask: &ChangeAsk,
) -> Result<Result<GroupBody, Refusals>, EngineError> {
    let body = body_of(stored)?;
    match &ask.change {
        Change::Create { .. } => Err(not_found(stored.id)),
        Change::SetPolicy(asked) => {
            let (wanted, facts) = policy_facts(site, stored, asked).await?;
            Ok(set_policy(body, &wanted, &facts))
        }
        Change::UpdatePolicy(asked) => {
            let (wanted, facts) = policy_facts(site, stored, asked).await?;
            Ok(update_policy(body, &wanted, &facts))
        }
        Change::Update { name, description } => {
            let (name, description) = (name.clone(), description.clone());
            let taken = name_taken(site, stored, name.as_deref()).await?;
            Ok(update(body, &UpdateAsk { name, description }, taken))
        }
        Change::AddMember {
            instance_id,
            rebuild,
        } => {
            let facts = member::facts(site, stored, body, instance_id).await?;
            Ok(add_member(body, &facts, *rebuild))
        }
        Change::SetMember {
            instance_id,
            rebuild,
        } => Ok(set_member(body, instance_id, *rebuild)),
        Change::RemoveMember { instance_id } => {
            let facts = leave_facts(site, stored).await?;
            Ok(remove_member(body, instance_id, &facts))
        }
        Change::Delete {} => {
            let facts = leave_facts(site, stored).await?;
            Ok(delete(body, &facts).map(|()| body.clone()))
        }
        Change::Reprotect {} => reprotect_draft(site, stored).await,
        Change::SettleMembers {} => {
            let since = forced(site, stored).await?;
            let nothing = || Refusals::from(Refusal::NothingToSettle);
            let since = since.ok_or_else(nothing);
            Ok(since.and_then(|since| settle(body, stored.sync.role(), &since)))
        }
        Change::SetMappings(mappings) => Ok(Ok(set_mappings(body, mappings))),
    }
}

/// True if another living group of the project has the name.
async fn name_taken(
    site: &Site,
    stored: &StoredGroup,
    name: Option<&str>,
) -> Result<bool, EngineError> {
    let Some(name) = name else {
        return Ok(false);
    };
    let found = site.store().group_find(&stored.project, name).await;
    let found = found.map_err(|e| unavailable(&e))?;
    Ok(found.is_some_and(|other| other.id != stored.id))
}

/// What stands at this site that the group is still needed for.
pub(crate) async fn leave_facts(
    site: &Site,
    stored: &StoredGroup,
) -> Result<LeaveFacts, EngineError> {
    let owed = fence::owed(site, stored).await;
    let owed = owed.map_err(|e| unavailable(&e))?;
    let unfenced = owed.into_iter().flat_map(|owed| owed.servers);
    Ok(LeaveFacts {
        drills: drills_up(site, stored).await?,
        unfenced: unfenced.map(|owed| owed.server).collect(),
    })
}

/// I4: nothing is replicated over anything while servers of the old primary may still write.
async fn reprotect_draft(
    site: &Site,
    stored: &StoredGroup,
) -> Result<Result<GroupBody, Refusals>, EngineError> {
    let owed = fence::owed(site, stored).await;
    let owed = owed.map_err(|e| unavailable(&e))?;
    let owed = owed.map(|owed| owed.servers).unwrap_or_default();
    if owed.is_empty() {
        return Ok(reprotect(body_of(stored)?));
    }
    let servers: Vec<String> = owed.iter().map(|o| o.server.to_string()).collect();
    let servers = servers.join(", ");
    Ok(Err(Refusal::SplitBrain { servers }.into()))
}

async fn own_group(
    site: &Site,
    group: GroupId,
    ask: &ChangeAsk,
) -> Result<StoredGroup, EngineError> {
    let stored = site
        .store()
        .group_fetch(group)
        .await
        .map_err(|e| unavailable(&e))?;
    let own = stored.filter(|s| ask.caller.is_admin || s.project == ask.caller.project);
    let own = own.ok_or_else(|| not_found(group))?;
    own.sync.trusted()?;
    Ok(own)
}

fn body_of(stored: &StoredGroup) -> Result<&GroupBody, EngineError> {
    stored.body.as_ref().ok_or_else(|| not_found(stored.id))
}

async fn create_draft(
    site: &Site,
    ask: &ChangeAsk,
) -> Result<Result<GroupBody, Refusals>, EngineError> {
    let Change::Create {
        name,
        description,
        replication_type,
        secondary_site,
        volume_type,
        secondary_volume_type,
    } = &ask.change
    else {
        return Err(unavailable(&"not a create"));
    };
    let project = &ask.caller.project;
    let store = site.store();
    let peer = store
        .site_find(secondary_site)
        .await
        .map_err(|e| unavailable(&e))?;
    let peer = match peer.filter(|p| p.id != site.id()) {
        None => None,
        Some(found) => {
            let mapping = store
                .tenant_mapping_find(project, found.id)
                .await
                .map_err(|e| unavailable(&e))?;
            let (project, mappings) = mapping.map(|m| (m.remote_project, m.mappings)).unzip();
            Some(PeerFacts {
                site: found.id,
                volume_types: types_there(site, found.id, project.as_ref()).await,
                project,
                mappings: mappings.unwrap_or_default(),
            })
        }
    };
    let taken = store
        .group_find(project, name)
        .await
        .map_err(|e| unavailable(&e))?;
    let acting = Acting::ServiceIn(project.clone());
    let volume_types = patiently(|| site.cloud().volumes.volume_type_list(&acting)).await;
    let facts = CreateFacts {
        site: site.id(),
        project: project.clone(),
        peer,
        name_taken: taken.is_some(),
        volume_types: volume_types.map_err(|e| unavailable(&e))?,
        now_us: site.ctx().now_us(),
    };
    let wanted = CreateAsk {
        name: name.clone(),
        description: description.clone(),
        replication_type: *replication_type,
        secondary_site: secondary_site.clone(),
        volume_type: volume_type.clone(),
        secondary_volume_type: secondary_volume_type.clone(),
    };
    Ok(create(&wanted, &facts))
}

/// Volume types of the peer's cloud; `None`: it cannot be asked. Asked once: nothing rests on an answer.
async fn types_there(
    site: &Site,
    peer: SiteId,
    project: Option<&ProjectId>,
) -> Option<Vec<VolumeType>> {
    let cloud = site.peer_cloud(peer)?;
    let acting = Acting::ServiceIn(project?.clone());
    cloud.volumes.volume_type_list(&acting).await.ok()
}

/// The registered array that `wanted` names or identifies, if this project may use it.
fn resolve(arrays: &[Array], wanted: &ArrayId, project: &ProjectId) -> ArrayId {
    let may = |a: &&Array| {
        a.allowed_projects
            .as_ref()
            .is_none_or(|p| p.contains(project))
    };
    let is = |a: &&Array| &a.id == wanted || a.name == wanted.as_str();
    let found = arrays.iter().filter(may).find(is);
    found.map_or_else(|| wanted.clone(), |a| a.id.clone())
}

/// What is asked for with the arrays it means, and what it is judged by.
async fn policy_facts(
    site: &Site,
    stored: &StoredGroup,
    asked: &PolicyAsk,
) -> Result<(PolicyAsk, PolicyFacts), EngineError> {
    let arrays = site
        .store()
        .array_list()
        .await
        .map_err(|e| unavailable(&e))?;
    let project = &stored.project;
    let may = |a: &&Array| {
        a.allowed_projects
            .as_ref()
            .is_none_or(|p| p.contains(project))
    };
    let facts = PolicyFacts {
        group: stored.id,
        registered: arrays.iter().filter(may).map(|a| a.id.clone()).collect(),
    };
    let wanted = PolicyAsk {
        primary_array: resolve(&arrays, &asked.primary_array, project),
        secondary_array: resolve(&arrays, &asked.secondary_array, project),
        ..asked.clone()
    };
    Ok((wanted, facts))
}
