//! May this failover start, and with which plan. Pure: the same call serves the dry run.
//! *All* findings are collected; an unplanned one is stopped only by what leaves nothing to start.

use super::build::{Builder, copy_name_prefix, group_stage};
use super::disks::size_gib;
use super::facts::{Asked, FailoverAsk, FailoverFacts, TestAsk, unasked};
use super::mapping::Mapper;
use super::source::{quiesce_lanes, retire_lanes};
use super::termination::restore_lanes;
use crate::fence::mark_name;
use crate::ids::{NetworkId, PointSuffix, ServerId, VolumeId};
use crate::operation::{OperationKind, OperationMode};
use crate::plan::{
    ChosenPoint, CopyPlan, Lane, LeftOut, OnMemberFailure, OverwritePlan, PLAN_SCHEMA, Part, Plan,
    Stage, Step,
};
use crate::ports::compute::QuotaUse;
use crate::ports::engine::MoveKind;
use crate::ports::storage::{GroupSpec, RecoveryPoint};
use crate::record::{GroupStatus, ReplicationType};
use crate::refusal::{Finding, Refusal, Refusals, Severity};
use crate::sync::Role;
use crate::volume_type::serving_pool;
use std::collections::BTreeMap;

/// The frozen plan, or everything that stands in the way.
pub fn decide(kind: MoveKind, ask: &FailoverAsk, facts: &FailoverFacts) -> Result<Plan, Refusals> {
    let mut against = request_refusals(kind, ask, facts);
    let mut warnings = could_not_ask(facts);
    warnings.extend(quota_findings(facts));
    let point = point_of_the_plan(ask, facts, &mut against, &mut warnings);
    let host = volume_host(facts, &mut against);
    let (Some(storage), Some(point), Some(host)) = (&facts.storage, point, host) else {
        against.extend(warnings);
        return Err(Refusals(against));
    };
    if !against.is_empty() {
        against.extend(warnings);
        return Err(Refusals(against));
    }
    let members = plan_members(facts, host, &point, None, &mut warnings);
    let nothing = members.lanes.is_empty();
    // A planned move takes all or none: there is time to mend what is missing (I8).
    let incomplete = ask.mode == OperationMode::Planned && !members.left_out.is_empty();
    if nothing || incomplete {
        let reasons = members.left_out.into_iter().flat_map(|left| left.reasons);
        return Err(Refusals(reasons.chain(warnings).collect()));
    }
    let plan = Frame {
        kind: match kind {
            MoveKind::Failover => OperationKind::Failover,
            MoveKind::Failback => OperationKind::Failback,
        },
        on_member_failure: match ask.mode {
            OperationMode::Planned => OnMemberFailure::Stop,
            OperationMode::Unplanned => OnMemberFailure::Continue,
        },
        stages: stages(kind, facts, storage, &point, &members),
        point,
    };
    Ok(plan.assemble(facts, members.left_out, warnings))
}

/// A drill: the same recovery from the same kind of point, onto networks of its own, and no commit.
pub fn decide_test(ask: &TestAsk, facts: &FailoverFacts) -> Result<Plan, Refusals> {
    let wanted = Locally {
        kind: OperationKind::TestFailover,
        drill: Some(&ask.networks),
        point: ask.recovery_point.clone(),
        all_or_none: true,
    };
    wanted.decide(facts)
}

/// A recovery that moves nothing: a drill, or another try for members that are down.
pub(super) struct Locally<'a> {
    pub kind: OperationKind,
    /// Networks of a drill.
    pub drill: Option<&'a BTreeMap<NetworkId, NetworkId>>,
    /// `None`: the newest complete one.
    pub point: Option<PointSuffix>,
    /// A member that cannot be rebuilt is a refusal, not one that is left out.
    pub all_or_none: bool,
}

impl Locally<'_> {
    pub(super) fn decide(self, facts: &FailoverFacts) -> Result<Plan, Refusals> {
        let mut against = group_refusals(facts);
        let mut warnings = could_not_ask(facts);
        warnings.extend(quota_findings(facts));
        let wanted = FailoverAsk {
            mode: OperationMode::Unplanned,
            force: false,
            recovery_point: self.point,
        };
        let point = choose_point(&wanted, facts, &mut against, &mut warnings);
        let host = volume_host(facts, &mut against);
        let (Some(storage), Some(point), Some(host)) = (&facts.storage, point, host) else {
            against.extend(warnings);
            return Err(Refusals(against));
        };
        let members = plan_members(facts, host, &point, self.drill, &mut warnings);
        if self.all_or_none || members.lanes.is_empty() {
            let left = members.left_out.iter();
            against.extend(left.flat_map(|left| left.reasons.clone()));
        }
        if !against.is_empty() {
            against.extend(warnings);
            return Err(Refusals(against));
        }
        let storage = storage_steps(facts, storage, &point, &members);
        let instances = Stage {
            name: "instances".to_owned(),
            lanes: members.lanes,
        };
        let frame = Frame {
            kind: self.kind,
            on_member_failure: OnMemberFailure::Continue,
            stages: vec![
                group_stage("validate_target", vec![Step::ValidateTarget]),
                group_stage("storage_promo", storage),
                instances,
            ],
            point,
        };
        Ok(frame.assemble(facts, members.left_out, warnings))
    }
}

fn group_refusals(facts: &FailoverFacts) -> Vec<Refusal> {
    let mut against = Vec::new();
    if facts.body.replication_type == ReplicationType::Sync {
        against.push(Refusal::SyncNotSupported);
    }
    if facts.body.members.is_empty() {
        against.push(Refusal::NoMembers);
    }
    if facts.storage.is_none() {
        against.push(Refusal::NoPolicy);
    }
    against
}

fn request_refusals(kind: MoveKind, ask: &FailoverAsk, facts: &FailoverFacts) -> Vec<Refusal> {
    use GroupStatus::{Active, FailedOver, FailedOverPartial};
    let mut against = group_refusals(facts);
    let status = facts.body.status;
    let (fits, needed) = match (kind, ask.mode) {
        (MoveKind::Failover, OperationMode::Planned) => (status == Active, "active"),
        (MoveKind::Failover, OperationMode::Unplanned) => (
            matches!(status, Active | FailedOverPartial),
            "active or failed_over_partial",
        ),
        (MoveKind::Failback, _) => (
            matches!(status, FailedOver | FailedOverPartial),
            "failed_over",
        ),
    };
    if !fits {
        let (status, needed) = (word(&status), needed.to_owned());
        against.push(Refusal::WrongGroupStatus { status, needed });
    }
    if kind == MoveKind::Failback && facts.here != Role::Home {
        against.push(Refusal::WrongSite {
            verb: "failback".to_owned(),
            site: "the site that made the group".to_owned(),
        });
    }
    if !facts.body.protected {
        against.push(Refusal::NotProtected);
    }
    if ask.mode == OperationMode::Planned {
        against.extend(source_refusals(facts));
    }
    against
}

/// A planned move needs to see the source servers before it stops them.
fn source_refusals(facts: &FailoverFacts) -> Vec<Refusal> {
    let what = || "the servers at the source".to_owned();
    match facts.source.as_ref().map(|source| &source.servers) {
        None => {
            let why = "the peer's cloud is not registered".to_owned();
            vec![Refusal::CouldNotAsk { what: what(), why }]
        }
        Some(Asked::CouldNotAsk(why)) => {
            let why = why.clone();
            vec![Refusal::CouldNotAsk { what: what(), why }]
        }
        Some(Asked::Known(_)) => Vec::new(),
    }
}

/// Planned: the snapshot that the move itself will take, named now. Its age says what would be lost
/// if the replication had been broken all along: that refuses, unless forced (C13).
fn point_of_the_plan(
    ask: &FailoverAsk,
    facts: &FailoverFacts,
    against: &mut Vec<Refusal>,
    warnings: &mut Vec<Refusal>,
) -> Option<ChosenPoint> {
    let mut found = Vec::new();
    let chosen = choose_point(ask, facts, against, &mut found);
    if ask.mode == OperationMode::Unplanned || ask.force {
        warnings.extend(found);
    } else {
        against.extend(found);
    }
    let chosen = chosen?;
    if ask.mode == OperationMode::Unplanned {
        return Some(chosen);
    }
    Some(ChosenPoint {
        suffix: PointSuffix(copy_name_prefix(facts.operation)),
        created_ms: chosen.created_ms,
        age_s: Some(0),
    })
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
        unasked("availability zones", &target.availability_zones),
        unasked("ports", &target.ports),
        unasked("volume types", &target.volume_types),
        unasked("volume services", &target.volume_services),
        unasked("volume pools", &target.volume_pools),
        unasked("compute quota", &target.compute_quota),
        unasked("volume quota", &target.volume_quota),
        unasked("port quota", &target.port_quota),
        unasked("keypairs", &target.keypairs),
        no_trust(facts),
    ];
    unasked.into_iter().flatten().collect()
}

/// A deviation, never a reason against: the service stands in (E3).
fn no_trust(facts: &FailoverFacts) -> Option<Refusal> {
    match &facts.tenant {
        Asked::Known(_) => None,
        Asked::CouldNotAsk(why) => Some(Refusal::NoTrust { why: why.clone() }),
    }
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
            signed(disks().map(|d| size_gib(facts, d)).sum()),
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

/// The complete point that is named, or the newest by the array's own order: never by date (F1, D4).
pub fn pick_point<'a>(
    points: &'a [RecoveryPoint],
    named: Option<&PointSuffix>,
) -> Option<&'a RecoveryPoint> {
    let mut complete = points.iter().filter(|p| p.completed_ms.is_some());
    match named {
        Some(named) => complete.find(|p| &p.suffix == named),
        None => complete.max_by_key(|p| p.sequence),
    }
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
    let chosen = pick_point(points, ask.recovery_point.as_ref());
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
            site: "the target".to_owned(),
        });
        return None;
    };
    let pool = serving_pool(found, services, pools);
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
    overwrites: Vec<OverwritePlan>,
    left_out: Vec<LeftOut>,
}

fn plan_members(
    facts: &FailoverFacts,
    host: String,
    point: &ChosenPoint,
    drill: Option<&BTreeMap<NetworkId, NetworkId>>,
    warnings: &mut Vec<Refusal>,
) -> Members {
    let builder = Builder {
        facts,
        map: Mapper {
            mappings: &facts.body.mappings,
            here: facts.here,
            project: &facts.body.sides.of(facts.here).project,
            target: &facts.target,
        },
        drill,
        point,
        volume_host: host,
        volume_type: facts.body.sides.of(facts.here).volume_type.clone(),
    };
    let mut planned = Members::default();
    for member in &facts.body.members {
        let again = builder.again(member);
        match again.unwrap_or_else(|| builder.member(member, planned.copies.len())) {
            Ok(mut found) => {
                planned.lanes.push(found.lane);
                planned.copies.append(&mut found.copies);
                planned.overwrites.append(&mut found.overwrites);
                warnings.append(&mut found.warnings);
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

/// Stages in order; those without a step are left out.
fn stages(
    kind: MoveKind,
    facts: &FailoverFacts,
    storage: &GroupSpec,
    point: &ChosenPoint,
    members: &Members,
) -> Vec<Stage> {
    let mut stages = vec![group_stage("validate_target", first_steps(facts, storage))];
    if let Some(source) = &facts.source {
        stages.push(Stage {
            name: "quiesce".to_owned(),
            lanes: quiesce_lanes(facts, source),
        });
        let last = Step::TakeLastPoint {
            spec: storage.clone(),
            suffix: point.suffix.clone(),
        };
        stages.push(group_stage("last_point", vec![last]));
    }
    let promo = storage_steps(facts, storage, point, members);
    stages.push(group_stage("storage_promo", promo));
    stages.push(Stage {
        name: "instances".to_owned(),
        lanes: members.lanes.clone(),
    });
    stages.push(group_stage("finalize", vec![Step::CommitNewPrimary]));
    if kind == MoveKind::Failback {
        stages.push(Stage {
            name: "restore".to_owned(),
            lanes: restore_lanes(facts, &members.lanes),
        });
    }
    if let (MoveKind::Failback, Some(source)) = (kind, &facts.source) {
        stages.push(Stage {
            name: "retire".to_owned(),
            lanes: retire_lanes(facts, source),
        });
    }
    stages.retain(|stage| stage.lanes.iter().any(|lane| !lane.steps.is_empty()));
    stages
}

/// A forced move tells the arrays before it does anything else: the site that was lost reads it there
/// when it comes back, and needs no courier for that.
fn first_steps(facts: &FailoverFacts, storage: &GroupSpec) -> Vec<Step> {
    let mark = Step::MarkEpoch {
        array: storage.target.clone(),
        name: mark_name(facts.group, facts.fence),
    };
    let forced = facts.source.is_none();
    let marked = forced.then_some(mark);
    [Step::ValidateTarget].into_iter().chain(marked).collect()
}

fn storage_steps(
    facts: &FailoverFacts,
    storage: &GroupSpec,
    point: &ChosenPoint,
    members: &Members,
) -> Vec<Step> {
    let mut steps = Vec::new();
    if !members.overwrites.is_empty() {
        let guard = PointSuffix(format!("{}-safety", copy_name_prefix(facts.operation)));
        steps.push(Step::GrowVolumes {
            acting: facts.volumes_as.clone(),
            spec: storage.clone(),
            point: point.suffix.clone(),
            overwrites: members.overwrites.clone(),
        });
        let serials = members.overwrites.iter().map(|o| o.serial.clone());
        steps.push(Step::SafetySnapshot {
            array: storage.target.clone(),
            serials: serials.collect(),
            suffix: guard.clone(),
        });
        steps.push(Step::OverwriteVolumes {
            spec: storage.clone(),
            point: point.suffix.clone(),
            guard,
            overwrites: members.overwrites.clone(),
            acting: facts.servers_as.clone(),
            servers: restarted(&members.lanes),
            loose: loose(members),
        });
    }
    if !members.copies.is_empty() {
        steps.push(Step::RecoverVolumes {
            spec: storage.clone(),
            point: point.suffix.clone(),
            copies: members.copies.clone(),
        });
    }
    steps
}

/// The servers that lanes start again.
fn restarted(lanes: &[Lane]) -> Vec<ServerId> {
    let steps = lanes.iter().flat_map(|lane| &lane.steps);
    let servers = steps.filter_map(|step| match step {
        Step::RestartServer { server, .. } => Some(server.clone()),
        _ => None,
    });
    servers.collect()
}

/// Volumes that are overwritten and then get a new server.
fn loose(members: &Members) -> Vec<VolumeId> {
    let steps = members.lanes.iter().flat_map(|lane| &lane.steps);
    let boots = steps.filter_map(|step| match step {
        Step::BootServer { volumes, .. } => Some(volumes),
        _ => None,
    });
    let kept = boots.flatten().filter_map(|from| match &from.volume {
        Part::Kept(id) => Some(VolumeId(id.clone())),
        Part::Made(_) => None,
    });
    kept.collect()
}

/// What kinds of plan differ in.
struct Frame {
    kind: OperationKind,
    on_member_failure: OnMemberFailure,
    stages: Vec<Stage>,
    point: ChosenPoint,
}

impl Frame {
    fn assemble(
        self,
        facts: &FailoverFacts,
        left_out: Vec<LeftOut>,
        warnings: Vec<Refusal>,
    ) -> Plan {
        let warning = |refusal| Finding {
            severity: Severity::Warning,
            refusal,
        };
        Plan {
            schema: PLAN_SCHEMA,
            operation: facts.operation,
            group: facts.group,
            kind: self.kind,
            site: facts.site,
            peer: facts.body.sides.of(facts.here.peer()).site,
            project: facts.body.sides.of(facts.here).project.clone(),
            fence: facts.fence,
            fence_after: facts.fence_after,
            point: Some(self.point),
            on_member_failure: self.on_member_failure,
            stages: self.stages,
            warnings: warnings.into_iter().map(warning).collect(),
            left_out,
        }
    }
}
