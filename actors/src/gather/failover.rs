//! Everything an operation is decided from. Unplanned moves and drills read this site only: the
//! other one may be gone (L3).

use super::{asked, group_spec, patiently};
use crate::delegation;
use crate::protection_group::{Goal, OperationAsk, not_found};
use crate::site::Site;
use protector_domain::change::DrillUp;
use protector_domain::effect::EffectKey;
use protector_domain::ids::{GroupId, OperationId, PointSuffix, ServerId};
use protector_domain::operation::failover::{
    Asked, BRINGS_UP, FailoverFacts, ForcedMove, LeftHere, Ran, SourceFacts, TargetFacts,
    leaves_something, pick_point,
};
use protector_domain::operation::{Operation, OperationKind, OperationMode};
use protector_domain::ports::compute::Server;
use protector_domain::ports::engine::EngineError;
use protector_domain::ports::network::PortFilter;
use protector_domain::ports::storage::{GroupSpec, PointVolume, RecoveryPoint};
use protector_domain::ports::{Acting, Cloud, PortResult};
use protector_domain::record::GroupBody;
use protector_domain::refusal::{Refusal, Refusals};
use protector_domain::saga::{Journal, may_take_back};
use protector_domain::sync::{RecordRef, Role};
use protector_store::StoredGroup;
use std::collections::BTreeSet;

/// What a request is decided from.
pub(crate) enum Prepared {
    Facts(Box<FailoverFacts>),
    Cleanup(Box<Drill>),
    Retry(Box<Retry>),
}

/// What another try is decided from.
pub(crate) struct Retry {
    pub facts: FailoverFacts,
    pub since: ForcedMove,
}

/// The newest drill that has left something.
pub(crate) struct Drill {
    pub base: RecordRef,
    pub operation: Operation,
    pub journal: Journal,
}

impl Prepared {
    /// The record that all was read for.
    pub fn base(&self) -> &RecordRef {
        match self {
            Prepared::Facts(facts) => &facts.base,
            Prepared::Cleanup(drill) => &drill.base,
            Prepared::Retry(retry) => &retry.facts.base,
        }
    }
}

/// How many operations are looked through for the drill.
const RECENT_MAX: u32 = 100;

fn unavailable(why: &impl std::fmt::Display) -> EngineError {
    EngineError::Unavailable {
        why: why.to_string(),
    }
}

/// The facts of a request of `ask`'s caller for `group`, under a fresh operation id.
pub(crate) async fn prepare(
    site: &Site,
    group: GroupId,
    ask: &OperationAsk,
) -> Result<Prepared, EngineError> {
    let caller = &ask.caller;
    let stored = site.store().group_fetch(group).await;
    let stored = stored.map_err(|e| unavailable(&e))?;
    let stored = stored.filter(|s| caller.is_admin || s.project == caller.project);
    let stored = stored.ok_or_else(|| not_found(group))?;
    if !ask.goal.is_forced() {
        stored.sync.trusted()?;
    }
    match &ask.goal {
        Goal::Cleanup => Ok(Prepared::Cleanup(Box::new(drill(site, &stored).await?))),
        Goal::Retry(wanted) => {
            let found = forced(site, &stored).await?;
            let is_it = |found: &ForcedMove| found.moved.0.operation == *wanted;
            let since = found.filter(is_it).ok_or_else(|| {
                let operation = wanted.to_string();
                Refusals::from(Refusal::NotTheMove { operation })
            })?;
            let point = since.moved.0.point.as_ref();
            let named = point.map(|point| point.suffix.clone());
            let facts = facts(site, stored, Acts::Locally, named.as_ref()).await?;
            Ok(Prepared::Retry(Box::new(Retry { facts, since })))
        }
        Goal::Test(test) => {
            let named = test.recovery_point.as_ref();
            let facts = facts(site, stored, Acts::Locally, named).await?;
            Ok(Prepared::Facts(Box::new(facts)))
        }
        Goal::Move { ask, .. } => {
            let acts = match ask.mode {
                OperationMode::Planned => Acts::Planned,
                OperationMode::Unplanned => Acts::Alone,
            };
            let named = ask.recovery_point.as_ref();
            let facts = facts(site, stored, acts, named).await?;
            Ok(Prepared::Facts(Box::new(facts)))
        }
    }
}

/// The forced move by which this site leads the group now, and the tries after it that have ended, however
/// long ago: one that was forgotten would boot a member twice (S2).
pub(crate) async fn forced(
    site: &Site,
    stored: &StoredGroup,
) -> Result<Option<ForcedMove>, EngineError> {
    let epoch = stored.sync.epoch().ok_or_else(|| not_found(stored.id))?;
    if !stored.sync.leads() {
        return Ok(None);
    }
    let store = site.store();
    let moved = store.operation_forced(stored.id, epoch).await;
    let Some(moved) = moved.map_err(|e| unavailable(&e))? else {
        return Ok(None);
    };
    let kind = OperationKind::RetryMembers;
    let found = store
        .operations_that_did(stored.id, epoch, kind, &BRINGS_UP)
        .await
        .map_err(|e| unavailable(&e))?;
    let mut tries = Vec::new();
    for operation in found.into_iter().filter(|o| o.status.is_terminal()) {
        tries.push(ran(site, operation).await?);
    }
    let moved = ran(site, moved).await?;
    Ok(Some(ForcedMove { moved, tries }))
}

async fn ran(site: &Site, operation: Operation) -> Result<Ran, EngineError> {
    let effects = site.store().effects_by_operation(operation.id).await;
    let effects = effects.map_err(|e| unavailable(&e))?.into_iter();
    let journal = effects.map(|e| (e.key.to_string(), e)).collect();
    Ok((operation.plan, journal))
}

async fn drill(site: &Site, stored: &StoredGroup) -> Result<Drill, EngineError> {
    let base = stored.sync.fence().ok_or_else(|| not_found(stored.id))?;
    let store = site.store();
    let recent = store
        .operation_list(&stored.project, Some(stored.id), None, RECENT_MAX)
        .await
        .map_err(|e| unavailable(&e))?;
    let drills = recent.into_iter();
    for operation in drills.filter(|o| o.kind == OperationKind::TestFailover) {
        let effects = store.effects_by_operation(operation.id).await;
        let effects = effects.map_err(|e| unavailable(&e))?;
        if leaves_something(&effects) {
            let journal = effects.into_iter().map(|e| (e.key.to_string(), e));
            return Ok(Drill {
                base,
                operation,
                journal: journal.collect(),
            });
        }
    }
    Err(Refusals::from(Refusal::NoDrill).into())
}

/// Drills of the group here that nobody has cleaned up.
pub(super) async fn drills_up(
    site: &Site,
    stored: &StoredGroup,
) -> Result<Vec<DrillUp>, EngineError> {
    let store = site.store();
    let recent = store
        .operation_list(&stored.project, Some(stored.id), None, RECENT_MAX)
        .await
        .map_err(|e| unavailable(&e))?;
    let mut up = Vec::new();
    let drills = recent.into_iter();
    for drill in drills.filter(|o| o.kind == OperationKind::TestFailover) {
        let effects = store.effects_by_operation(drill.id).await;
        let effects = effects.map_err(|e| unavailable(&e))?;
        if leaves_something(&effects) {
            up.push(DrillUp::of(&drill));
        }
    }
    Ok(up)
}

/// Under which epoch, and asking whom.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Acts {
    /// Unplanned: under an epoch of its own, asking nobody else (L3).
    Alone,
    /// Planned: under the present epoch until its commit, with the peer's cloud.
    Planned,
    /// A drill: under the present epoch.
    Locally,
}

async fn facts(
    site: &Site,
    stored: StoredGroup,
    acts: Acts,
    named: Option<&PointSuffix>,
) -> Result<FailoverFacts, EngineError> {
    let (group, here) = (stored.id, stored.sync.role());
    let (Some(base), Some(minted)) = (stored.sync.fence(), stored.sync.next_mint_epoch()) else {
        return Err(not_found(group));
    };
    let leaves = leaves(site, &stored, acts).await?;
    let tenant = delegation::of(site, &stored).await;
    let body = stored.body.ok_or_else(|| not_found(group))?;
    let volumes_as = Acting::ServiceIn(body.sides.of(here).project.clone());
    let servers_as = volumes_as.clone();
    let storage = group_spec(&body, here);
    let keys_of = tenant.known().unwrap_or(&servers_as);
    let (points, mut target, source, left_here) = futures::join!(
        points(site, storage.as_ref()),
        target(site.cloud(), &volumes_as, &servers_as, keys_of, &body),
        source(site, &body, here, acts),
        left_here(site.cloud(), &volumes_as, &body, here),
    );
    let point_volumes = point_volumes(site, storage.as_ref(), &points, named).await;
    if let (Asked::Known(ports), Some(leaves)) = (&mut target.ports, leaves) {
        let prefix = EffectKey::operation_prefix(leaves);
        ports.retain(|port| !port.description.starts_with(&prefix));
    }
    let (fence, fence_after) = match acts {
        Acts::Alone => (minted, minted),
        Acts::Planned => (base.epoch, minted),
        Acts::Locally => (base.epoch, base.epoch),
    };
    Ok(FailoverFacts {
        operation: OperationId(site.ctx().uuid()),
        group,
        site: site.id(),
        here,
        fence,
        fence_after,
        base,
        source,
        left_here: left_here.map_err(|e| unavailable(&e))?,
        body,
        storage,
        points,
        point_volumes,
        target,
        volumes_as,
        servers_as,
        tenant,
    })
}

/// The operation here that a move by force overtakes, and whose objects go before the move needs their
/// addresses.
async fn leaves(
    site: &Site,
    stored: &StoredGroup,
    acts: Acts,
) -> Result<Option<OperationId>, EngineError> {
    let (Acts::Alone, Some(own)) = (acts, stored.sync.operation()) else {
        return Ok(None);
    };
    let found = site.store().operation_fetch(own.id).await;
    let Some(found) = found.map_err(|e| unavailable(&e))? else {
        return Ok(None);
    };
    let effects = site.store().effects_by_operation(own.id).await;
    let effects = effects.map_err(|e| unavailable(&e))?.into_iter();
    let journal: Journal = effects.map(|e| (e.key.to_string(), e)).collect();
    Ok(may_take_back(&found.plan, &journal).then_some(own.id))
}

/// The volumes of the point that would be taken.
async fn point_volumes(
    site: &Site,
    spec: Option<&GroupSpec>,
    points: &Asked<Vec<RecoveryPoint>>,
    named: Option<&PointSuffix>,
) -> Asked<Vec<PointVolume>> {
    let picked = points.known().and_then(|points| pick_point(points, named));
    match (spec, picked) {
        (Some(spec), Some(point)) => {
            let storage = site.storage();
            asked(patiently(|| storage.point_volumes(spec, &point.suffix)).await)
        }
        _ => Asked::CouldNotAsk("there is no point to ask about".to_owned()),
    }
}

/// The members' servers at the source; only a planned move asks.
async fn source(site: &Site, body: &GroupBody, here: Role, acts: Acts) -> Option<SourceFacts> {
    if acts != Acts::Planned {
        return None;
    }
    let there = body.sides.of(here.peer());
    let acting = Acting::ServiceIn(there.project.clone());
    let cloud = site.peer_cloud(there.site)?;
    let places = body.members.iter().map(|m| &m.places);
    let ids = places.filter_map(|p| p.at(here.peer()));
    let servers = servers(&cloud, &acting, ids).await;
    Some(SourceFacts {
        servers: asked(servers),
        acting,
    })
}

async fn servers(
    cloud: &Cloud,
    acting: &Acting,
    ids: impl Iterator<Item = &ServerId>,
) -> PortResult<Vec<Server>> {
    let mut found = Vec::new();
    for id in ids {
        found.extend(patiently(|| cloud.compute.server_fetch(acting, id)).await?);
    }
    Ok(found)
}

/// What an earlier stay left of the members here.
async fn left_here(
    cloud: &Cloud,
    acting: &Acting,
    body: &GroupBody,
    here: Role,
) -> PortResult<LeftHere> {
    let places = body.members.iter().map(|m| &m.places);
    let servers = servers(cloud, acting, places.filter_map(|p| p.at(here))).await?;
    let mut volumes = Vec::new();
    let disks = body.members.iter().flat_map(|m| &m.disks);
    for place in disks.filter_map(|d| d.places.at(here)) {
        let found = patiently(|| cloud.volumes.volume_fetch(acting, &place.volume)).await?;
        volumes.extend(found);
    }
    Ok(LeftHere { servers, volumes })
}

async fn points(site: &Site, spec: Option<&GroupSpec>) -> Asked<Vec<RecoveryPoint>> {
    match spec {
        Some(spec) => asked(patiently(|| site.storage().recovery_points(spec)).await),
        None => Asked::CouldNotAsk("the group has no policy".to_owned()),
    }
}

async fn target(
    cloud: &Cloud,
    volumes_as: &Acting,
    servers_as: &Acting,
    keys_of: &Acting,
    body: &GroupBody,
) -> TargetFacts {
    let all_ports = PortFilter::default();
    let (delegation, flavors, zones, networks, subnets, security_groups, ports) = futures::join!(
        patiently(|| cloud.identity.delegation_check(volumes_as)),
        patiently(|| cloud.compute.flavor_list(servers_as)),
        zones(cloud, servers_as, body),
        patiently(|| cloud.network.network_list(volumes_as)),
        patiently(|| cloud.network.subnet_list(volumes_as)),
        patiently(|| cloud.network.security_group_list(volumes_as)),
        patiently(|| cloud.network.port_list(volumes_as, &all_ports)),
    );
    let (volume_types, volume_services, volume_pools, compute_quota, volume_quota, port_quota) = futures::join!(
        patiently(|| cloud.volumes.volume_type_list(volumes_as)),
        patiently(|| cloud.volumes.volume_service_list(&Acting::Service)),
        patiently(|| cloud.volumes.volume_pool_list(&Acting::Service)),
        patiently(|| cloud.compute.compute_quota(servers_as)),
        patiently(|| cloud.volumes.volume_quota(volumes_as)),
        patiently(|| cloud.network.port_quota(volumes_as)),
    );
    TargetFacts {
        delegation: asked(delegation),
        flavors: asked(flavors),
        networks: asked(networks),
        subnets: asked(subnets),
        security_groups: asked(security_groups),
        availability_zones: zones,
        ports: asked(ports),
        volume_types: asked(volume_types),
        volume_services: asked(volume_services),
        volume_pools: asked(volume_pools),
        compute_quota: asked(compute_quota),
        volume_quota: asked(volume_quota),
        port_quota: asked(port_quota),
        keypairs: keypairs(cloud, keys_of, body).await,
    }
}

/// Nova's zones, if any member was asked into one.
async fn zones(cloud: &Cloud, acting: &Acting, body: &GroupBody) -> Asked<Vec<String>> {
    let mut members = body.members.iter();
    if members.all(|m| m.captured.availability_zone.is_none()) {
        return Asked::Known(Vec::new());
    }
    asked(patiently(|| cloud.compute.zone_list(acting)).await)
}

/// Which of the members' keypairs the identity that makes them has.
async fn keypairs(cloud: &Cloud, keys_of: &Acting, body: &GroupBody) -> Asked<Vec<String>> {
    let mapped = body
        .mappings
        .keypairs
        .iter()
        .flat_map(|(home, other)| [home, other]);
    let had = body
        .members
        .iter()
        .filter_map(|m| m.captured.key_name.as_ref());
    let wanted: BTreeSet<&String> = had.chain(mapped).collect();
    let mut there = Vec::new();
    for name in wanted {
        match patiently(|| cloud.compute.keypair_exists(keys_of, name)).await {
            Ok(true) => there.push(name.clone()),
            Ok(false) => {}
            Err(error) => return Asked::CouldNotAsk(error.what),
        }
    }
    Asked::Known(there)
}
