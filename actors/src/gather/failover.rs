//! Everything a failover is decided from, read at this site only: the other one may be gone (L3).

use super::{asked, group_spec, patiently};
use crate::protection_group::not_found;
use crate::site::Site;
use protector_domain::ids::GroupId;
use protector_domain::operation::failover::{Asked, FailoverFacts, TargetFacts};
use protector_domain::ports::engine::{Caller, EngineError};
use protector_domain::ports::network::PortFilter;
use protector_domain::ports::storage::{GroupSpec, RecoveryPoint};
use protector_domain::ports::{Acting, Cloud};
use protector_domain::record::GroupBody;
use protector_domain::sync::next_own_epoch;
use std::collections::BTreeSet;

/// Facts for a move of `group` to this site, under a fresh operation id.
pub(crate) async fn facts(
    site: &Site,
    group: GroupId,
    caller: &Caller,
) -> Result<FailoverFacts, EngineError> {
    let stored = site.store().group_fetch(group).await;
    let stored = stored.map_err(|e| EngineError::Unavailable { why: e.to_string() })?;
    let stored = stored.filter(|s| caller.is_admin || s.project == caller.project);
    let stored = stored.ok_or_else(|| not_found(group))?;
    let here = stored.sync.role();
    let (Some(body), Some(epoch)) = (stored.body, stored.sync.epoch()) else {
        return Err(not_found(group));
    };
    let volumes_as = Acting::ServiceIn(body.sides.of(here).project.clone());
    let servers_as = volumes_as.clone();
    let storage = group_spec(&body, here);
    let (points, target) = futures::join!(
        points(site, storage.as_ref()),
        target(site.cloud(), &volumes_as, &servers_as, &body)
    );
    Ok(FailoverFacts {
        operation: protector_domain::ids::OperationId(site.ctx().uuid()),
        group,
        site: site.id(),
        here,
        fence: next_own_epoch(epoch, here),
        body,
        storage,
        points,
        target,
        volumes_as,
        servers_as,
    })
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
    body: &GroupBody,
) -> TargetFacts {
    let all_ports = PortFilter::default();
    let (delegation, flavors, networks, subnets, security_groups, ports) = futures::join!(
        patiently(|| cloud.identity.delegation_check(volumes_as)),
        patiently(|| cloud.compute.flavor_list(servers_as)),
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
        ports: asked(ports),
        volume_types: asked(volume_types),
        volume_services: asked(volume_services),
        volume_pools: asked(volume_pools),
        compute_quota: asked(compute_quota),
        volume_quota: asked(volume_quota),
        port_quota: asked(port_quota),
        keypairs: keypairs(cloud, servers_as, body).await,
    }
}

/// Which of the members' keypairs the identity that boots them has.
async fn keypairs(cloud: &Cloud, servers_as: &Acting, body: &GroupBody) -> Asked<Vec<String>> {
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
        match patiently(|| cloud.compute.keypair_exists(servers_as, name)).await {
            Ok(true) => there.push(name.clone()),
            Ok(false) => {}
            Err(error) => return Asked::CouldNotAsk(error.what),
        }
    }
    Asked::Known(there)
}
