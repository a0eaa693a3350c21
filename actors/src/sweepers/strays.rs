//! Younger twins of keys: requests that arrived later than anybody waited (B3). Looked for some
//! times after an operation has ended, then no more. The same clock brings the late look at power.

use super::power;
use crate::journal::Made;
use crate::operation::perform;
use crate::restored::was_ended;
use crate::site::Site;
use protector_domain::effect::{Effect, EffectKey, EffectKind, METADATA_KEY};
use protector_domain::ids::{ArrayId, GroupId, OperationId, ServerId};
use protector_domain::operation::failover::copy_name_prefix;
use protector_domain::operation::{EventKind, Operation};
use protector_domain::plan::{CopyPlan, Step};
use protector_domain::ports::compute::{ServerFilter, ServerStatus};
use protector_domain::ports::network::PortFilter;
use protector_domain::ports::volumes::VolumeFilter;
use protector_domain::ports::{Acting, ErrorKind, PortResult};
use protector_domain::stray::{Found, Verdict, judge};
use protector_store::{NewEvent, StoreError};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Rounds until everything that was to go is gone: deletions take their time.
const ROUNDS_MAX: u32 = 20;
const ROUND_MS: u64 = 3_000;
/// Operations of a group that are looked at after a restart.
const RECENT_MAX: u32 = 4;

/// Sweeps for one operation at its appointed times.
pub(super) async fn watch(site: &Site, operation: OperationId) {
    let mut waited_ms = 0;
    let mut mended = BTreeSet::new();
    for at_ms in site.care().stray_sweeps_ms.clone() {
        tokio::time::sleep(Duration::from_millis(at_ms.saturating_sub(waited_ms))).await;
        waited_ms = at_ms.max(waited_ms);
        if let Err(error) = until_clean(site, operation).await {
            tracing::warn!(%operation, error, "strays will be looked for again");
        }
        power_of(site, operation, &mut mended).await;
    }
}

async fn power_of(site: &Site, id: OperationId, mended: &mut BTreeSet<ServerId>) {
    let Ok(Some(operation)) = site.store().operation_fetch(id).await else {
        return;
    };
    if let Err(error) = power::put_right(site, &operation, mended).await {
        tracing::warn!(operation = %id, %error, "the power of its servers will be looked at again");
    }
}

/// After a restart nobody waits for an operation's sweeps any more: one look now for the recent ones
/// whose time is not over.
pub(super) async fn resume(site: &Site, group: GroupId) -> Result<(), StoreError> {
    let Some(last_ms) = site.care().stray_sweeps_ms.iter().max().copied() else {
        return Ok(());
    };
    let stored = site.store().group_fetch(group).await?;
    let Some(stored) = stored.filter(|stored| !stored.sync.is_suspect()) else {
        return Ok(());
    };
    let recent = site
        .store()
        .operation_list(&stored.project, Some(group), None, RECENT_MAX)
        .await?;
    for operation in recent.into_iter().filter(|o| !was_ended(o)) {
        let Some(ended_us) = operation.completed_at_us else {
            continue;
        };
        let since_ms = site.ctx().now_us().saturating_sub(ended_us) / 1_000;
        if u64::try_from(since_ms).is_ok_and(|ms| ms <= last_ms) {
            let _ = until_clean(site, operation.id).await;
            power_of(site, operation.id, &mut BTreeSet::new()).await;
        }
    }
    Ok(())
}

async fn until_clean(site: &Site, id: OperationId) -> Result<(), String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let operation = site
        .store()
        .operation_fetch(id)
        .await
        .map_err(|e| text(&e))?;
    let Some(operation) = operation else {
        return Ok(());
    };
    let stored = site.store().group_fetch(operation.group).await;
    let stored = stored.map_err(|e| text(&e))?;
    // An old ledger would call the living ones strays.
    if was_ended(&operation) || stored.is_some_and(|stored| stored.sync.is_suspect()) {
        return Ok(());
    }
    for _ in 0..ROUNDS_MAX {
        let effects = site
            .store()
            .effects_by_operation(id)
            .await
            .map_err(|e| text(&e))?;
        let ledger: BTreeMap<String, Effect> = effects
            .into_iter()
            .map(|e| (e.key.to_string(), e))
            .collect();
        let found = everything(site, &operation).await.map_err(|e| text(&e))?;
        let strays = found
            .into_iter()
            .filter(|s| judge(&s.found, &ledger) == Verdict::Remove);
        let strays: Vec<Stray> = strays.collect();
        if strays.is_empty() {
            return Ok(());
        }
        for stray in &strays {
            remove(site, &operation, stray).await;
        }
        tokio::time::sleep(Duration::from_millis(ROUND_MS)).await;
    }
    Err("strays are left over".to_owned())
}

struct Stray {
    found: Found,
    acting: Acting,
    array: ArrayId,
    made: Made,
}

async fn remove(site: &Site, operation: &Operation, stray: &Stray) {
    let kind = stray.found.kind;
    let removed = perform::remove_twin(site, &stray.acting, &stray.array, kind, &stray.made).await;
    match removed {
        Ok(()) => {}
        // On its way out: the next round sees it gone.
        Err(error) if matches!(error.kind, ErrorKind::Busy { .. }) => return,
        Err(error) => {
            tracing::warn!(operation = %operation.id, %error, "a stray stays for now");
            return;
        }
    }
    let event = NewEvent {
        at_us: site.ctx().now_us(),
        kind: EventKind::StrayRemoved,
        lane: None,
        step: None,
        text: format!("{:?} {} carried {}", kind, stray.found.id, stray.found.key),
    };
    let _ = site.store().events_append(operation.id, vec![event]).await;
}

/// Whatever carries a key of the operation, at our cloud and our array.
async fn everything(site: &Site, operation: &Operation) -> PortResult<Vec<Stray>> {
    let prefix = EffectKey::operation_prefix(operation.id);
    let acting = Acting::ServiceIn(operation.project.clone());
    let cloud = site.cloud();
    let server_filter = ServerFilter {
        metadata_prefix: Some((METADATA_KEY.to_owned(), prefix.clone())),
        ..ServerFilter::default()
    };
    let volume_filter = VolumeFilter {
        key_prefix: Some(prefix.clone()),
        ..VolumeFilter::default()
    };
    let port_filter = PortFilter {
        description_prefix: Some(prefix),
        ..PortFilter::default()
    };
    let mut all = Vec::new();
    let mut add = |key: String, kind, id: String| {
        all.push(stray(
            EffectKey(key),
            kind,
            id,
            &acting,
            ArrayId(String::new()),
        ));
    };
    for server in cloud.compute.server_list(&acting, &server_filter).await? {
        if let Some(key) = server
            .metadata
            .get(METADATA_KEY)
            .filter(|_| server.status != ServerStatus::Deleted)
        {
            add(key.clone(), EffectKind::Server, server.id.0);
        }
    }
    for volume in cloud.volumes.volume_list(&acting, &volume_filter).await? {
        if let Some(key) = volume.key() {
            add(key.to_owned(), EffectKind::Volume, volume.id.0.clone());
        }
    }
    for port in cloud.network.port_list(&acting, &port_filter).await? {
        add(port.description, EffectKind::Port, port.id.0);
    }
    let array = on_array(site, operation, &acting).await?;
    all.extend(array);
    let target = recover_step(operation)
        .map(|(array, _)| array.clone())
        .unwrap_or_else(|| ArrayId(String::new()));
    for stray in &mut all {
        stray.array = target.clone();
    }
    Ok(all)
}

fn stray(key: EffectKey, kind: EffectKind, id: String, acting: &Acting, array: ArrayId) -> Stray {
    let made = Made {
        key: key.clone(),
        id: id.clone(),
        detail: serde_json::Value::Null,
    };
    Stray {
        found: Found { key, kind, id },
        acting: acting.clone(),
        array,
        made,
    }
}

fn recover_step(operation: &Operation) -> Option<(&ArrayId, &[CopyPlan])> {
    operation.plan.steps().find_map(|(_, _, step)| match step {
        Step::RecoverVolumes { spec, copies, .. } => Some((&spec.target, copies.as_slice())),
        _ => None,
    })
}

/// Copies that still carry our name. The one in the ledger, imported, carries Cinder's by now.
async fn on_array(site: &Site, operation: &Operation, acting: &Acting) -> PortResult<Vec<Stray>> {
    let Some((array, copies)) = recover_step(operation) else {
        return Ok(Vec::new());
    };
    let prefix = copy_name_prefix(operation.id);
    let found = site.storage().find_by_key(array, &prefix).await?;
    let strays = found.into_iter().filter_map(|volume| {
        let copy = copies.iter().find(|c| c.copy_name == volume.name)?;
        let key = EffectKey::new(operation.id, "recover_volumes", &copy.disk.to_string());
        let serial = volume.serial.to_string();
        let mut stray = stray(key, EffectKind::ArrayVolume, serial, acting, array.clone());
        stray.made.detail = json!({ "copy_name": volume.name });
        Some(stray)
    });
    Ok(strays.collect())
}
