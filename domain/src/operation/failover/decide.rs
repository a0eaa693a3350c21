//! May this failover start, and with which plan. Pure: the same call serves the dry run.
//! *All* findings are collected; an unplanned one is stopped only by what leaves nothing to start.

use super::build::{Builder, MemberPlan, group_stage};
use super::facts::{Asked, FailoverAsk, FailoverFacts, unasked};
use super::mapping::Mapper;
use crate::operation::{OperationKind, OperationMode};
use crate::plan::{
    ChosenPoint, CopyPlan, Lane, LeftOut, OnMemberFailure, PLAN_SCHEMA, Plan, Stage, Step,
};
use crate::ports::compute::QuotaUse;
use crate::ports::storage::{GroupSpec, RecoveryPoint};
use crate::record::{GroupStatus, ReplicationType};
use crate::refusal::{Finding, Refusal, Refusals, Severity};

/// The frozen plan, or everything that stands in the way.
pub fn decide(ask: &FailoverAsk, facts: &FailoverFacts) -> Result<Plan, Refusals> {
    let mut against = request_refusals(ask, facts);
    let mut warnings = could_not_ask(facts);
    warnings.extend(quota_findings(facts));
    let point = choose_point(ask, facts, &mut against, &mut warnings);
    let host = volume_host(facts, &mut against);
    let (Some(storage), Some(point), Some(host)) = (&facts.storage, point, host) else {
        against.extend(warnings);
        return Err(Refusals(against));
    };
    if !against.is_empty() {
        against.extend(warnings);
        return Err(Refusals(against));
    }
    let members = plan_members(facts, host, &mut warnings);
    if members.lanes.is_empty() {
        let reasons = members.left_out.into_iter().flat_map(|left| left.reasons);
        return Err(Refusals(reasons.chain(warnings).collect()));
    }
    Ok(assemble(facts, storage, point, members, warnings))
}

fn request_refusals(ask: &FailoverAsk, facts: &FailoverFacts) -> Vec<Refusal> {
    let mut against = Vec::new();
    if ask.mode == OperationMode::Planned {
        against.push(Refusal::NotSupported {
            what: "planned failover".to_owned(),
        });
    }
    if facts.body.replication_type == ReplicationType::Sync {
        against.push(Refusal::SyncNotSupported);
    }
    let status = facts.body.status;
    if !matches!(status, GroupStatus::Active | GroupStatus::FailedOverPartial) {
        against.push(Refusal::WrongGroupStatus {
            status: word(&status),
            needed: "active".to_owned(),
        });
    }
    if facts.body.members.is_empty() {
        against.push(Refusal::NoMembers);
    }
    if facts.storage.is_none() {
        against.push(Refusal::NoPolicy);
    }
    against
}

/// A closed list's member in the API's spelling.
fn word<T: serde::Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn could_not_ask(facts: &FailoverFacts) -> Vec<Refusal> {
    let target = &facts.target;
    let delegation = match &target.delegation {
        Asked::Known(()) => None,
        Asked::CouldNotAsk(why) => Some(Refusal::DelegationBroken { why: why.clone() }),
    };
    let unasked = [
        delegation,
        unasked("flavors", &target.flavors),
        unasked("networks", &target.networks),
        unasked("subnets", &target.subnets),
        unasked("security groups", &target.security_groups),
        unasked("ports", &target.ports),
        unasked("volume types", &target.volume_types),
        unasked("volume services", &target.volume_services),
        unasked("volume pools", &target.volume_pools),
        unasked("compute quota", &target.compute_quota),
        unasked("volume quota", &target.volume_quota),
        unasked("port quota", &target.port_quota),
    ];
    unasked.into_iter().flatten().collect()
}

/// Summed over all members, before anything starts (G8, H11).
fn quota_findings(facts: &FailoverFacts) -> Vec<Refusal> {
    let members = &facts.body.members;
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let disks = || members.iter().flat_map(|m| &m.disks);
    let flavor_sum = |of: fn(&crate::ports::compute::Flavor) -> u64| {
        signed(members.iter().map(|m| of(&m.captured.flavor)).sum())
    };
    let mut wanted: Vec<(&str, i64, QuotaUse)> = Vec::new();
    if let Asked::Known(quota) = &facts.target.compute_quota {
        wanted.push(("instances", count(members.len()), quota.instances));
        wanted.push(("cores", flavor_sum(|f| u64::from(f.vcpus)), quota.cores));
        wanted.push(("ram_mib", flavor_sum(|f| f.ram_mib), quota.ram_mib));
    }
    if let Asked::Known(quota) = &facts.target.volume_quota {
        wanted.push(("volumes", count(disks().count()), quota.volumes));
        wanted.push((
            "gigabytes",
            signed(disks().map(|d| d.size_gib).sum()),
            quota.gigabytes,
        ));
    }
    if let Asked::Known(quota) = &facts.target.port_quota {
        wanted.push((
            "ports",
            count(members.iter().map(|m| m.nics.len()).sum()),
            *quota,
        ));
    }
    let short = wanted
        .into_iter()
        .filter(|(_, wanted, quota)| !quota.fits(*wanted));
    short
        .map(|(resource, wanted, quota)| Refusal::QuotaExceeded {
            resource: resource.to_owned(),
            wanted,
            used: quota.used,
            limit: quota.limit,
        })
        .collect()
}

/// The newest complete point by the array's own order, never by date (F1, D4), or the one named.
fn choose_point(
    ask: &FailoverAsk,
    facts: &FailoverFacts,
    against: &mut Vec<Refusal>,
    warnings: &mut Vec<Refusal>,
) -> Option<ChosenPoint> {
    let points = match &facts.points {
        Asked::Known(points) => points,
        Asked::CouldNotAsk(why) => {
            let what = "the target array".to_owned();
            against.push(Refusal::CouldNotAsk {
                what,
                why: why.clone(),
            });
            return None;
        }
    };
    let complete = points.iter().filter(|p| p.completed_ms.is_some());
    let chosen: Option<&RecoveryPoint> = match &ask.recovery_point {
        Some(named) => complete.clone().find(|p| &p.suffix == named),
        None => complete.max_by_key(|p| p.sequence),
    };
    let Some(chosen) = chosen else {
        against.push(match &ask.recovery_point {
            Some(named) => Refusal::NoSuchPoint {
                point: named.to_string(),
            },
            None => Refusal::NothingToRecover,
        });
        return None;
    };
    let rpo_max_s = facts.body.policy.as_ref().map_or(u64::MAX, |p| p.rpo_max_s);
    if let Some(age_s) = chosen.age_s.filter(|age| *age > rpo_max_s) {
        warnings.push(Refusal::RpoViolation {
            age_min: age_s / 60,
            max_min: rpo_max_s / 60,
        });
    }
    Some(ChosenPoint {
        suffix: chosen.suffix.clone(),
        created_ms: chosen.created_ms,
        age_s: chosen.age_s,
    })
}

/// The pool of a running cinder-volume that serves the group's type (G4, G5).
fn volume_host(facts: &FailoverFacts, against: &mut Vec<Refusal>) -> Option<String> {
    let target = &facts.target;
    let wanted = &facts.body.sides.of(facts.here).volume_type;
    let (types, services, pools) = match (
        &target.volume_types,
        &target.volume_services,
        &target.volume_pools,
    ) {
        (Asked::Known(types), Asked::Known(services), Asked::Known(pools)) => {
            (types, services, pools)
        }
        _ => return None,
    };
    let Some(found) = types.iter().find(|t| &t.name == wanted || &t.id == wanted) else {
        against.push(Refusal::NoVolumeType {
            volume_type: wanted.clone(),
        });
        return None;
    };
    let backend = found.extra_specs.get("volume_backend_name");
    let is_up = |pool: &str| {
        let host = pool.split('#').next().unwrap_or(pool);
        services.iter().any(|s| s.host == host && s.up && s.enabled)
    };
    let serves = |name: &String| backend.is_none_or(|wanted| wanted == name);
    let pool = pools
        .iter()
        .find(|p| serves(&p.volume_backend_name) && is_up(&p.name));
    if pool.is_none() {
        against.push(Refusal::NoVolumeService {
            volume_type: wanted.clone(),
        });
    }
    pool.map(|p| p.name.clone())
}

#[derive(Default)]
struct Members {
    lanes: Vec<Lane>,
    copies: Vec<CopyPlan>,
    left_out: Vec<LeftOut>,
}

fn plan_members(facts: &FailoverFacts, host: String, warnings: &mut Vec<Refusal>) -> Members {
    let builder = Builder {
        facts,
        map: Mapper {
            mappings: &facts.body.mappings,
            here: facts.here,
            target: &facts.target,
        },
        volume_host: host,
        volume_type: facts.body.sides.of(facts.here).volume_type.clone(),
    };
    let mut planned = Members::default();
    for member in &facts.body.members {
        match builder.member(member, planned.copies.len()) {
            Ok(MemberPlan {
                lane,
                mut copies,
                warnings: mut found,
            }) => {
                planned.lanes.push(lane);
                planned.copies.append(&mut copies);
                warnings.append(&mut found);
            }
            Err(reasons) => planned.left_out.push(LeftOut {
                member: member.id,
                name: member.captured.name.clone(),
                reasons,
            }),
        }
    }
    planned
}

fn assemble(
    facts: &FailoverFacts,
    storage: &GroupSpec,
    point: ChosenPoint,
    members: Members,
    warnings: Vec<Refusal>,
) -> Plan {
    let recover = Step::RecoverVolumes {
        spec: storage.clone(),
        point: point.suffix.clone(),
        copies: members.copies,
    };
    let warning = |refusal| Finding {
        severity: Severity::Warning,
        refusal,
    };
    Plan {
        schema: PLAN_SCHEMA,
        operation: facts.operation,
        group: facts.group,
        kind: OperationKind::Failover,
        site: facts.site,
        project: facts.body.sides.of(facts.here).project.clone(),
        fence: facts.fence,
        point: Some(point),
        on_member_failure: OnMemberFailure::Continue,
        stages: vec![
            group_stage("validate_target", Step::ValidateTarget),
            group_stage("storage_promo", recover),
            Stage {
                name: "instances".to_owned(),
                lanes: members.lanes,
            },
            group_stage("finalize", Step::CommitNewPrimary),
        ],
        warnings: warnings.into_iter().map(warning).collect(),
        left_out: members.left_out,
    }
}
