//! `import_volumes`: the member's array copies become Cinder volumes of the tenant (DD-10), and are
//! `available` when the step is done (G1, G10).
//!
//! Key: in each volume's metadata. Cinder renames the array volume at once, so after a lost answer
//! the old name finds nothing (G3). A request that comes twice or late finds nothing to import: it
//! leaves a volume in `error` with our key (G2), which is no effect but a stray.

use super::array::unmanaged_name;
use super::{Job, Unmade};
use crate::journal::Made;
use crate::site::Site;
use futures::future::join_all;
use protector_domain::effect::EffectKey;
use protector_domain::ids::{ArrayId, VolumeId};
use protector_domain::plan::ImportPlan;
use protector_domain::ports::volumes::{Volume, VolumeFilter, VolumeManage};
use protector_domain::ports::{Acting, ErrorKind, PortError, PortResult};
use serde_json::Value;
use std::time::Duration;

fn key_of(job: &Job, import: &ImportPlan) -> EffectKey {
    EffectKey::new(
        job.plan.operation,
        job.step.name(),
        &import.disk.to_string(),
    )
}

/// Everything in Cinder that carries a key of this step, in whatever state.
async fn carriers<'a>(
    job: &Job,
    acting: &Acting,
    imports: &'a [ImportPlan],
) -> PortResult<Vec<(&'a ImportPlan, Volume)>> {
    let prefix = format!(
        "{}{}/",
        EffectKey::operation_prefix(job.plan.operation),
        job.step.name()
    );
    let filter = VolumeFilter {
        key_prefix: Some(prefix),
        all_projects: false,
    };
    let found = job
        .site
        .cloud()
        .volumes
        .volume_list(acting, &filter)
        .await?;
    let ours = found.into_iter().filter_map(|volume| {
        let key = volume.key()?;
        let import = imports.iter().find(|i| key_of(job, i).as_str() == key)?;
        Some((import, volume))
    });
    Ok(ours.collect())
}

fn is_failed(volume: &Volume) -> bool {
    volume.status.starts_with("error")
}

/// The volume once it is usable, with its description and all its metadata.
///
/// Errors: `Refused` when the import ended badly.
async fn settle(
    job: &Job,
    acting: &Acting,
    import: &ImportPlan,
    id: &VolumeId,
) -> PortResult<Made> {
    let volume = job.site.watch().volume_settled(acting, id).await?;
    if is_failed(&volume) {
        let what = format!("volume {id} is {} after its import", volume.status);
        return Err(PortError::new(ErrorKind::Refused, what));
    }
    let (key, ports) = (key_of(job, import), &job.site.cloud().volumes);
    let wanted = &import.ask;
    let lacks = |(key, value)| volume.metadata.get(key) != Some(value);
    if volume.description != wanted.description || wanted.metadata.iter().any(lacks) {
        // What the back end has written there stays.
        let (text, mut metadata) = (wanted.description.as_deref(), volume.metadata);
        metadata.extend(wanted.metadata.clone());
        ports.volume_describe(acting, id, text, &metadata).await?;
    }
    let wanted = &import.image_metadata;
    let differs = |(key, value)| volume.image_metadata.get(key) != Some(value);
    if wanted.iter().any(differs) {
        ports.volume_set_image_metadata(acting, id, wanted).await?;
    }
    let (id, detail) = (id.to_string(), Value::Null);
    Ok(Made { key, id, detail })
}

/// Waits for what is still being made: an object that is found is one that can be used.
pub(super) async fn look(
    job: &Job,
    acting: &Acting,
    imports: &[ImportPlan],
) -> PortResult<Vec<Made>> {
    let mut found = Vec::new();
    for (import, volume) in carriers(job, acting, imports).await? {
        if is_failed(&volume) {
            continue;
        }
        match settle(job, acting, import, &volume.id).await {
            Ok(made) => found.push(made),
            Err(error) if error.is_definite_no() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// What carries the step's keys, usable or not: an undo waits for nothing to get ready.
pub(super) async fn seen(
    job: &Job,
    acting: &Acting,
    imports: &[ImportPlan],
) -> PortResult<Vec<Made>> {
    let mut found = carriers(job, acting, imports).await?;
    // A failed one has nothing on the array, and is no reason to overlook the one that has.
    found.sort_by_key(|(_, volume)| is_failed(volume));
    let made = |(import, volume): (&ImportPlan, Volume)| Made {
        key: key_of(job, import),
        id: volume.id.0,
        detail: Value::Null,
    };
    Ok(found.into_iter().map(made).collect())
}

async fn import_one(job: &Job, acting: &Acting, import: &ImportPlan) -> PortResult<Made> {
    let ports = &job.site.cloud().volumes;
    // What it is described as comes when it is there (`settle`): until then this is where its key is safe.
    let ask = VolumeManage {
        description: Some(key_of(job, import).to_string()),
        ..import.ask.clone()
    };
    let id = ports.volume_manage(acting, &ask).await?;
    let settled = settle(job, acting, import, &id).await;
    // It is imported: whatever else goes wrong now is no reason to import it again.
    settled.map_err(|error| match error.kind {
        ErrorKind::Refused => error,
        _ => PortError::new(ErrorKind::Unknown, error.what),
    })
}

/// All of them side by side. An outcome that is open weighs more than a no: what may have happened
/// has to be looked for first.
pub(super) async fn make(
    job: &Job,
    acting: &Acting,
    imports: &[ImportPlan],
    missing: &[EffectKey],
) -> PortResult<Vec<Made>> {
    let wanted = imports.iter().filter(|i| missing.contains(&key_of(job, i)));
    let ends = join_all(wanted.map(|import| import_one(job, acting, import))).await;
    let (mut made, mut worst) = (Vec::new(), None::<PortError>);
    for end in ends {
        match end {
            Ok(one) => made.push(one),
            Err(error) => {
                let heavier = |w: &PortError| w.is_definite_no() || error.is_unknown();
                if worst.as_ref().is_none_or(heavier) {
                    worst = Some(error);
                }
            }
        }
    }
    match worst {
        None => Ok(made),
        // Some are there: the next look finds them.
        Some(error) if !made.is_empty() && !error.is_definite_no() => {
            Err(PortError::new(ErrorKind::Unknown, error.what))
        }
        Some(error) => Err(error),
    }
}

/// Cinder lets go of it, and it is gone from Cinder when this returns `Ok`.
async fn let_go(site: &Site, acting: &Acting, id: &VolumeId) -> PortResult<()> {
    let volumes = &site.cloud().volumes;
    match volumes.volume_fetch(acting, id).await? {
        None => Ok(()),
        Some(v) if matches!(v.status.as_str(), "unmanaging" | "deleting" | "creating") => {
            Err(busy(format!("volume {id} is {}", v.status)))
        }
        // A failed import has no array volume behind it; Cinder forgets only by a delete (G2).
        Some(v) if is_failed(&v) => {
            let asked = volumes.volume_delete(acting, id).await;
            on_its_way(site, acting, id, asked).await
        }
        Some(v) if matches!(v.status.as_str(), "in-use" | "detaching" | "reserved") => {
            Err(busy(format!("volume {id} is still {}", v.status)))
        }
        Some(_) => {
            let asked = volumes.volume_unmanage(acting, id).await;
            on_its_way(site, acting, id, asked).await
        }
    }
}

/// It goes, and is looked at again. A no may be the answer to our own request delivered twice (B4): then
/// it goes already.
async fn on_its_way(
    site: &Site,
    acting: &Acting,
    id: &VolumeId,
    asked: PortResult<()>,
) -> PortResult<()> {
    let goes = || Err(busy(format!("volume {id} is on its way out")));
    match asked {
        Ok(()) => goes(),
        Err(no) if no.kind == ErrorKind::Refused => {
            match site.cloud().volumes.volume_fetch(acting, id).await? {
                None => Ok(()),
                Some(v) if matches!(v.status.as_str(), "unmanaging" | "deleting") => goes(),
                Some(_) => Err(no),
            }
        }
        Err(other) => Err(other),
    }
}

/// Volumes that are about to be overwritten and that nobody uses: somebody may have attached one meanwhile,
/// and its contents would change under a running server.
///
/// Errors: `Refused` then; `Missing` if one is gone.
pub(super) async fn all_loose(job: &Job, acting: &Acting, loose: &[VolumeId]) -> PortResult<()> {
    for id in loose {
        let found = job.site.cloud().volumes.volume_fetch(acting, id).await?;
        let missing = || PortError::new(ErrorKind::Missing, format!("volume {id} is gone"));
        let volume = found.ok_or_else(missing)?;
        if !volume.attached_to.is_empty() {
            let what = format!(
                "volume {id} has been attached to a server meanwhile; openstack server remove volume <server> {id}"
            );
            return Err(PortError::new(ErrorKind::Refused, what));
        }
    }
    Ok(())
}

/// Asked again by the caller's retries until it is over.
fn busy(what: String) -> PortError {
    let retry_after_ms = None;
    PortError::new(ErrorKind::Busy { retry_after_ms }, what)
}

/// The copies stay on the array: they are what `retry_members` or the group's undo needs.
pub(super) async fn unmake(
    job: &Job,
    acting: &Acting,
    imports: &[ImportPlan],
) -> PortResult<Unmade> {
    let carriers = carriers(job, acting, imports).await?;
    let mut ids: Vec<String> = carriers.into_iter().map(|(_, v)| v.id.0).collect();
    let known = imports
        .iter()
        .filter_map(|i| job.journal.get(key_of(job, i).as_str()));
    ids.extend(known.filter_map(|e| e.object_id.clone()));
    ids.sort();
    ids.dedup();
    let ends = ids.into_iter().map(|id| async move {
        let id = VolumeId(id);
        let_go(&job.site, acting, &id).await
    });
    for end in join_all(ends).await {
        end?;
    }
    Ok(Unmade::Gone)
}

/// How often a twin on its way out is asked for, and how far apart.
const GONE_POLLS_MAX: u32 = 20;
const GONE_POLL_MS: u64 = 1_000;

/// A second import of the same copy can only be an empty shell or a failed one: Cinder refuses to
/// manage what it manages. If it did take a copy, that one goes, too.
pub(super) async fn remove_twin(
    site: &Site,
    acting: &Acting,
    array: &ArrayId,
    id: &VolumeId,
) -> PortResult<()> {
    let on_array = site.storage().locate(array, id).await?;
    for _ in 0..GONE_POLLS_MAX {
        match let_go(site, acting, id).await {
            Err(error) if matches!(error.kind, ErrorKind::Busy { .. }) => {
                tokio::time::sleep(Duration::from_millis(GONE_POLL_MS)).await;
            }
            other => {
                other?;
                break;
            }
        }
    }
    let Some(found) = on_array else { return Ok(()) };
    let name = unmanaged_name(id.as_str());
    let serials = [found.serial];
    site.storage().release(array, &serials, &[name]).await?;
    Ok(())
}
