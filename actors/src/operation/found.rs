//! The look at an object that somebody says is a step's own, before the ledger believes it (S4).
//!
//! Absent: the judgement (`domain::adopt`).

use super::orders::unavailable;
use super::perform::Job;
use crate::site::Site;
use protector_domain::adopt::{self, Seen};
use protector_domain::effect::{Effect, EffectKey, EffectKind, METADATA_KEY};
use protector_domain::ids::{ArrayId, PortId, ServerId, VolumeId};
use protector_domain::plan::{Plan, Step};
use protector_domain::ports::compute::ServerStatus;
use protector_domain::ports::engine::EngineError;
use protector_domain::ports::{Acting, PortError, PortResult};
use protector_domain::refusal::{Refusal, Refusals};
use protector_domain::saga::Journal;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The row with `object` as its own.
///
/// # Errors
/// What `domain::adopt` refuses; `CouldNotAsk` if nobody could look.
pub(super) async fn adopted(
    site: &Site,
    plan: &Arc<Plan>,
    journal: Arc<Journal>,
    object: &str,
    row: &Effect,
) -> Result<Effect, EngineError> {
    let ledger = site.store().effects_of_group(plan.group).await;
    let ledger = ledger.map_err(|e| unavailable(&e))?;
    let seen = look(site, plan, &journal, row, object).await;
    let seen = seen.map_err(|e| refused(could_not_ask(&e)))?;
    adopt::adopted(row, &ledger, object, seen.as_ref()).map_err(refused)
}

fn refused(refusal: Refusal) -> EngineError {
    Refusals::from(refusal).into()
}

fn could_not_ask(error: &PortError) -> Refusal {
    Refusal::CouldNotAsk {
        what: "whoever has the object".to_owned(),
        why: error.what.clone(),
    }
}

async fn look(
    site: &Site,
    plan: &Arc<Plan>,
    journal: &Arc<Journal>,
    row: &Effect,
    object: &str,
) -> PortResult<Option<Seen>> {
    let mut steps = plan.steps().map(|(_, _, step)| step);
    let own = steps.find(|step| {
        step.targets(plan.operation)
            .iter()
            .any(|t| t.key == row.key)
    });
    let Some(step) = own else { return Ok(None) };
    let job = Job {
        site: site.clone(),
        plan: plan.clone(),
        step: step.clone(),
        journal: journal.clone(),
    };
    match step {
        Step::BootServer { acting, .. } => server(&job, acting, row, object).await,
        Step::CreatePorts { acting, .. } => port(&job, acting, row, object).await,
        Step::ImportVolumes { acting, .. } => volume(&job, acting, object).await,
        _ => Ok(None),
    }
}

/// Objects of one kind that the journal knows, of one lane or of all.
fn made<'a>(job: &'a Job, kind: EffectKind, lane: Option<&'a str>) -> BTreeSet<&'a str> {
    let rows = job.journal.values();
    let rows = rows.filter(|e| e.kind == kind && lane.is_none_or(|l| l == e.lane));
    rows.filter_map(|e| e.object_id.as_deref()).collect()
}

/// A server of ours has a disk that its lane has imported.
async fn server(
    job: &Job,
    acting: &Acting,
    row: &Effect,
    object: &str,
) -> PortResult<Option<Seen>> {
    let id = ServerId(object.to_owned());
    let found = job.site.cloud().compute.server_fetch(acting, &id).await?;
    let disks = made(job, EffectKind::Volume, Some(&row.lane));
    let found = found.filter(|s| s.status != ServerStatus::Deleted);
    Ok(found.map(|server| Seen {
        project: Some(server.project_id),
        key: server.metadata.get(METADATA_KEY).cloned(),
        is_of_the_operation: server
            .volumes
            .iter()
            .any(|v| disks.contains(v.volume.as_str())),
    }))
}

/// A port of ours is the one of a server of its lane, which may have been adopted just before.
async fn port(job: &Job, acting: &Acting, row: &Effect, object: &str) -> PortResult<Option<Seen>> {
    let id = PortId(object.to_owned());
    let found = job.site.cloud().network.port_fetch(acting, &id).await?;
    let servers = made(job, EffectKind::Server, Some(&row.lane));
    Ok(found.map(|port| Seen {
        project: Some(port.project_id),
        is_of_the_operation: port.device.is_some_and(|d| servers.contains(d.as_str())),
        key: EffectKey::is_key(&port.description).then_some(port.description),
    }))
}

/// A volume of ours stands on a copy that the operation has made on the array.
async fn volume(job: &Job, acting: &Acting, object: &str) -> PortResult<Option<Seen>> {
    let id = VolumeId(object.to_owned());
    let found = job.site.cloud().volumes.volume_fetch(acting, &id).await?;
    let Some(volume) = found else { return Ok(None) };
    let mut steps = job.plan.steps().map(|(_, _, step)| step);
    let array: Option<ArrayId> = steps.find_map(|step| match step {
        Step::RecoverVolumes { spec, .. } => Some(spec.target.clone()),
        _ => None,
    });
    let on_array = match array {
        Some(array) => job.site.storage().locate(&array, &id).await?,
        None => None,
    };
    let copies = made(job, EffectKind::ArrayVolume, None);
    Ok(Some(Seen {
        key: volume.key().map(str::to_owned),
        project: volume.project_id,
        is_of_the_operation: on_array.is_some_and(|v| copies.contains(v.serial.as_str())),
    }))
}
