//! The performer: for each step family its look, make and unmake, side by side in one file each.
//! This file is only the table that lists them.
//!
//! Absent: what to run when (`domain::saga`), rows and retries (`step_run`).

mod array;
mod await_server;
mod commit;
mod grow;
mod mark;
mod overwrite;
mod point;
mod poll;
mod ports;
pub(crate) mod power;
mod retire;
mod server;
mod take_back;
mod termination;
mod volume;

use crate::journal::Made;
use crate::site::Site;
use protector_domain::effect::{EffectKey, EffectKind};
use protector_domain::plan::{Part, Plan, Step};
use protector_domain::ports::{Acting, Cloud, ErrorKind, PortError, PortResult};
use protector_domain::saga::Journal;
use std::collections::BTreeSet;
use std::sync::Arc;

/// All that a family may know: the frozen step, and what earlier steps have made.
#[derive(Clone)]
pub(crate) struct Job {
    pub site: Site,
    pub plan: Arc<Plan>,
    pub step: Step,
    pub journal: Arc<Journal>,
}

impl Job {
    /// The peer's OpenStack (design: whose rights).
    ///
    /// Errors: `Refused` if it is not registered here.
    pub(crate) fn peer_cloud(&self) -> PortResult<Cloud> {
        self.site.peer_cloud(self.plan.peer).ok_or_else(|| {
            let what = "no login at the peer's cloud is registered here".to_owned();
            PortError::new(ErrorKind::Refused, what)
        })
    }

    /// The id of a part of a server to boot.
    pub(crate) fn part(&self, part: &Part) -> PortResult<String> {
        match part {
            Part::Made(key) => self.object_of(key),
            Part::Kept(id) => Ok(id.clone()),
        }
    }

    /// The object that an earlier step made under `key`.
    pub(crate) fn object_of(&self, key: &EffectKey) -> PortResult<String> {
        let effect = self.journal.get(key.as_str());
        effect.and_then(|e| e.object_id.clone()).ok_or_else(|| {
            let what = format!("the journal has no object for {key}");
            PortError::new(ErrorKind::Refused, what)
        })
    }
}

/// Everything that carries a key of this step, twins included, oldest first.
pub(crate) async fn look(job: &Job) -> PortResult<Vec<Made>> {
    match &job.step {
        Step::RecoverVolumes { spec, copies, .. } => array::look(job, spec, copies).await,
        Step::ImportVolumes { acting, imports } => volume::look(job, acting, imports).await,
        Step::CreatePorts { acting, ports, .. } => ports::look(job, acting, ports).await,
        Step::BootServer { acting, .. } => server::look(job, acting).await,
        Step::TakeLastPoint { spec, suffix } => point::look(job, spec, suffix).await,
        Step::MarkEpoch { array, name } => mark::look(job, array, name).await,
        // Nothing of these can be found outside: they are done again, and twice is once.
        Step::ValidateTarget
        | Step::QuiesceServer { .. }
        | Step::GrowVolumes { .. }
        | Step::SafetySnapshot { .. }
        | Step::OverwriteVolumes { .. }
        | Step::RestartServer { .. }
        | Step::AwaitServer { .. }
        | Step::RetireServer { .. }
        | Step::RetirePorts { .. }
        | Step::RetireVolumes { .. }
        | Step::RestoreTermination { .. }
        | Step::TakeBack { .. }
        | Step::CommitNewPrimary => Ok(Vec::new()),
    }
}

/// What an undo finds by the keys of its step, whether or not it is usable.
pub(crate) async fn seen(job: &Job) -> PortResult<Vec<Made>> {
    match &job.step {
        Step::ImportVolumes { acting, imports } => volume::seen(job, acting, imports).await,
        _ => look(job).await,
    }
}

/// Does what is `missing` of the step. An error that is no definite no leaves the outcome open.
pub(crate) async fn make(job: &Job, missing: &[EffectKey]) -> PortResult<Vec<Made>> {
    match &job.step {
        Step::ValidateTarget => Ok(nothing_made(job)),
        Step::MarkEpoch { array, name } => mark::make(job, array, name).await,
        Step::RecoverVolumes {
            spec,
            point,
            copies,
        } => array::make(job, spec, point, copies).await,
        Step::ImportVolumes { acting, imports } => {
            volume::make(job, acting, imports, missing).await
        }
        Step::CreatePorts { acting, ports, .. } => ports::make(job, acting, ports, missing).await,
        Step::BootServer {
            ask,
            volumes,
            ports,
            ..
        } => {
            let ask = server::filled(job, ask, volumes, ports)?;
            server::make(job, ask).await
        }
        Step::AwaitServer { acting, server, .. } => await_server::make(job, acting, server).await,
        Step::CommitNewPrimary => commit::make(job).await,
        Step::QuiesceServer { .. }
        | Step::TakeLastPoint { .. }
        | Step::GrowVolumes { .. }
        | Step::SafetySnapshot { .. }
        | Step::OverwriteVolumes { .. }
        | Step::RestartServer { .. } => make_on_the_way(job).await,
        Step::RetireServer { acting, server, .. } => retire::server(job, acting, server).await,
        Step::RetirePorts { acting, ports, .. } => retire::ports(job, acting, ports).await,
        Step::RetireVolumes {
            acting, volumes, ..
        } => retire::volumes(job, acting, volumes).await,
        Step::RestoreTermination {
            acting,
            server,
            volumes,
            ..
        } => termination::make(job, acting, server, volumes).await,
        Step::TakeBack { of, what } => take_back::make(job, *of, what).await,
    }
}

/// The steps that planned moves and ways home have besides.
async fn make_on_the_way(job: &Job) -> PortResult<Vec<Made>> {
    match &job.step {
        Step::QuiesceServer {
            acting,
            server,
            delete_on_termination,
            ..
        } => power::quiesce(job, acting, server, delete_on_termination).await,
        Step::TakeLastPoint { spec, suffix } => point::make(job, spec, suffix).await,
        Step::GrowVolumes {
            acting,
            spec,
            point,
            overwrites,
        } => grow::make(job, acting, spec, point, overwrites).await,
        Step::SafetySnapshot {
            array,
            serials,
            suffix,
        } => overwrite::guard(job, array, serials, suffix).await,
        Step::OverwriteVolumes {
            spec,
            point,
            guard,
            overwrites,
            acting,
            servers,
            loose,
        } => {
            let users = overwrite::Users {
                acting,
                servers,
                loose,
            };
            overwrite::make(job, spec, point, guard, overwrites, users).await
        }
        Step::RestartServer { acting, server, .. } => power::restart(job, acting, server).await,
        _ => Ok(nothing_made(job)),
    }
}

/// What is left of a step after its undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unmade {
    Gone,
    /// Ours, and it stays until somebody lets go of it.
    Left,
}

/// Takes the step back; copes with the deed never done, half done, done twice.
pub(crate) async fn unmake(job: &Job) -> PortResult<Unmade> {
    match &job.step {
        Step::RecoverVolumes { spec, copies, .. } => array::unmake(job, spec, copies).await,
        Step::ImportVolumes { acting, imports } => volume::unmake(job, acting, imports).await,
        Step::CreatePorts { acting, ports, .. } => ports::unmake(job, acting, ports).await,
        Step::BootServer { acting, .. } => server::unmake(job, acting).await,
        Step::QuiesceServer {
            acting,
            server,
            was_active,
            delete_on_termination,
            ..
        } => power::unquiesce(job, acting, server, *was_active, delete_on_termination).await,
        Step::SafetySnapshot {
            array,
            serials,
            suffix,
        } => overwrite::unguard(job, array, serials, suffix).await,
        Step::OverwriteVolumes {
            spec,
            guard,
            overwrites,
            acting,
            servers,
            loose,
            ..
        } => {
            let users = overwrite::Users {
                acting,
                servers,
                loose,
            };
            overwrite::unmake(job, spec, guard, overwrites, users).await
        }
        Step::RestartServer { acting, server, .. } => power::unrestart(job, acting, server).await,
        Step::MarkEpoch { .. } => Ok(Unmade::Left),
        Step::ValidateTarget
        | Step::TakeLastPoint { .. }
        | Step::GrowVolumes { .. }
        | Step::AwaitServer { .. }
        | Step::RetireServer { .. }
        | Step::RetirePorts { .. }
        | Step::RetireVolumes { .. }
        | Step::RestoreTermination { .. }
        | Step::TakeBack { .. }
        | Step::CommitNewPrimary => Ok(Unmade::Gone),
    }
}

/// Removes one object that carries our key and is not the one the ledger names.
pub(crate) async fn remove_twin(
    site: &Site,
    acting: &Acting,
    array: &protector_domain::ids::ArrayId,
    kind: EffectKind,
    made: &Made,
) -> PortResult<()> {
    match kind {
        EffectKind::Server => server::remove(site, acting, &made.id.clone().into()).await,
        EffectKind::Port => ports::remove(site, acting, &made.id.clone().into()).await,
        EffectKind::Volume => {
            volume::remove_twin(site, acting, array, &made.id.clone().into()).await
        }
        EffectKind::ArrayVolume => array::remove_twin(site, array, made).await,
        EffectKind::None
        | EffectKind::ArrayGroup
        | EffectKind::ArraySnapshot
        | EffectKind::VolumeGroup => Ok(()),
    }
}

/// For steps that make no object: their rows carry the step's own name.
pub(super) fn nothing_made(job: &Job) -> Vec<Made> {
    let targets = job.step.targets(job.plan.operation).into_iter();
    targets
        .map(|t| Made {
            key: t.key,
            id: job.step.name().to_owned(),
            detail: serde_json::Value::Null,
        })
        .collect()
}

/// What a look found and what the ledger knows: a tenant may have cleared the key from the object.
pub(super) fn known_objects(job: &Job, found: Vec<Made>) -> BTreeSet<String> {
    let targets = job.step.targets(job.plan.operation).into_iter();
    let rows = targets.filter_map(|t| job.journal.get(t.key.as_str())?.object_id.clone());
    rows.chain(found.into_iter().map(|made| made.id)).collect()
}

/// The key of a step that has exactly one target.
pub(super) fn only_key(job: &Job) -> EffectKey {
    let first = job.step.targets(job.plan.operation).into_iter().next();
    first.map_or_else(|| EffectKey(String::new()), |t| t.key)
}
