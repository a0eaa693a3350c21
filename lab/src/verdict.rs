//! What must hold when everything has come to rest, judged from the ground truth of clouds and
//! arrays and from the ledger, never from what the product says of itself.

use crate::cloud::GroundTruth;
use crate::world::{Which, World, lock};
use anyhow::{Context, Result};
use protector_domain::effect::{Effect, EffectKind, EffectState, METADATA_KEY};
use protector_domain::ids::OperationId;
use protector_storage_drivers::model::{ArrayTruth, GroundTruth as ArraysTruth};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How the operation has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    pub status: &'static str,
    pub outcome: &'static str,
    /// Every member runs afterwards, on volumes of one point.
    pub all_up: bool,
}

impl Expected {
    /// Completed, everything up.
    pub const FULL: Self = Self {
        status: "completed",
        outcome: "full",
        all_up: true,
    };
}

/// How it was before the failover was asked for.
pub struct Before {
    cloud: BTreeMap<String, String>,
    power: BTreeMap<String, usize>,
    arrays: ArraysTruth,
}

impl Before {
    pub fn of(world: &World) -> Self {
        let truth = lock(&world.b.cloud).ground_truth(world.now_ms());
        Self {
            cloud: live(&truth),
            power: power(&truth),
            arrays: world.arrays.ground_truth(),
        }
    }
}

/// How often each server was started or stopped.
fn power(truth: &GroundTruth) -> BTreeMap<String, usize> {
    let servers = truth.servers.iter();
    servers.map(|s| (s.id.clone(), s.power.len())).collect()
}

/// Servers, volumes and ports that exist, by id, each with its key (or nothing).
fn live(truth: &GroundTruth) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for server in truth.servers.iter().filter(|s| s.vm_state != "deleted") {
        all.insert(
            server.id.clone(),
            server
                .metadata
                .get(METADATA_KEY)
                .cloned()
                .unwrap_or_default(),
        );
    }
    for volume in &truth.volumes {
        all.insert(volume.id.clone(), volume.key());
    }
    for port in &truth.ports {
        all.insert(port.id.clone(), port.description.clone());
    }
    all
}

fn array(truth: &ArraysTruth, which: Which) -> Result<&ArrayTruth> {
    truth
        .arrays
        .get(which.array())
        .context("the array is in the truth")
}

/// Everything that does not hold; each line names its invariant.
///
/// # Errors
/// The store of site B cannot be read.
pub async fn violations(
    world: &World,
    before: &Before,
    operation: &Value,
    expected: Expected,
    counter: u64,
) -> Result<Vec<String>> {
    let id = operation
        .get("id")
        .and_then(Value::as_str)
        .context("an operation has an id")?;
    let id: OperationId = id.parse()?;
    let running = world.b.running.as_ref().context("site-b is down")?;
    let effects = running.store.effects_by_operation(id).await?;
    let cloud = lock(&world.b.cloud).ground_truth(world.now_ms());
    let arrays = world.arrays.ground_truth();
    let mut found = Vec::new();
    found.extend(ended_as_expected(operation, expected));
    found.extend(one_effect_per_intent(&cloud, &arrays)?);
    found.extend(nothing_left_over(before, &cloud, &arrays, &effects)?);
    found.extend(what_is_done_is_there(&cloud, &arrays, &effects)?);
    found.extend(source_untouched(before, &arrays)?);
    found.extend(written_first(&cloud, &effects));
    if expected.all_up {
        found.extend(one_point_in_time(&arrays, &effects, counter)?);
        found.extend(members_are_up(&cloud, world.options.members));
    }
    Ok(found)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn ended_as_expected(operation: &Value, expected: Expected) -> Vec<String> {
    let Expected {
        status, outcome, ..
    } = expected;
    let (is_status, is_outcome) = (text(operation, "status"), text(operation, "outcome"));
    if (status, outcome) == (is_status, is_outcome) {
        return Vec::new();
    }
    let why = text(operation, "error_message");
    vec![format!(
        "L1/L6: ended {is_status}/{is_outcome}, expected {status}/{outcome}: {why}"
    )]
}

/// S2: no key on two objects.
fn one_effect_per_intent(cloud: &GroundTruth, arrays: &ArraysTruth) -> Result<Vec<String>> {
    let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, key) in live(cloud).into_iter().filter(|(_, key)| key.contains('/')) {
        by_key.entry(key).or_default().push(id);
    }
    let twins = by_key.iter().filter(|(_, ids)| ids.len() > 1);
    let mut found: Vec<String> = twins
        .map(|(key, ids)| format!("S2: {key} is on {ids:?}"))
        .collect();
    let ours = array(arrays, Which::B)?
        .volumes
        .iter()
        .filter(|v| !v.destroyed);
    let stray = ours
        .filter(|v| v.name.starts_with("prt-"))
        .map(|v| v.name.clone());
    let stray: Vec<String> = stray.collect();
    let names: BTreeSet<&String> = stray.iter().collect();
    if names.len() != stray.len() {
        found.push(format!("S2: array names twice: {stray:?}"));
    }
    Ok(found)
}

fn objects(effects: &[Effect], kind: EffectKind) -> BTreeSet<String> {
    let stays = |e: &&Effect| matches!(e.state, EffectState::Done | EffectState::LeftBehind);
    let of_kind = effects.iter().filter(|e| e.kind == kind).filter(stays);
    of_kind.filter_map(|e| e.object_id.clone()).collect()
}

/// S3: whatever is new is in the ledger as standing.
fn nothing_left_over(
    before: &Before,
    cloud: &GroundTruth,
    arrays: &ArraysTruth,
    effects: &[Effect],
) -> Result<Vec<String>> {
    let kinds = [EffectKind::Server, EffectKind::Volume, EffectKind::Port];
    let listed: BTreeSet<String> = kinds
        .iter()
        .flat_map(|kind| objects(effects, *kind))
        .collect();
    let now = live(cloud);
    let new = now.iter().filter(|(id, _)| !before.cloud.contains_key(*id));
    let orphans = new.filter(|(id, _)| !listed.contains(*id));
    let mut found: Vec<String> = orphans
        .map(|(id, key)| format!("S3: {id} with key {key} is not in the ledger"))
        .collect();
    let gone = before.cloud.keys().filter(|id| !now.contains_key(*id));
    found.extend(gone.map(|id| format!("S4: {id} was there before and is gone")));
    let power = power(cloud);
    let touched = before
        .power
        .iter()
        .filter(|(id, was)| power.get(*id) != Some(was));
    found.extend(
        touched.map(|(id, _)| format!("S4: {id} was there before and was started or stopped")),
    );
    let known: BTreeSet<&String> = array(&before.arrays, Which::B)?
        .volumes
        .iter()
        .map(|v| &v.serial)
        .collect();
    let copies = objects(effects, EffectKind::ArrayVolume);
    for volume in array(arrays, Which::B)?
        .volumes
        .iter()
        .filter(|v| !v.destroyed)
    {
        if !known.contains(&volume.serial) && !copies.contains(&volume.serial) {
            found.push(format!(
                "S3: array volume {} ({}) is not in the ledger",
                volume.name, volume.serial
            ));
        }
    }
    Ok(found)
}

/// What the ledger says stands, stands.
fn what_is_done_is_there(
    cloud: &GroundTruth,
    arrays: &ArraysTruth,
    effects: &[Effect],
) -> Result<Vec<String>> {
    let now = live(cloud);
    let kinds = [EffectKind::Server, EffectKind::Volume, EffectKind::Port];
    let listed = kinds.iter().flat_map(|kind| objects(effects, *kind));
    let missing = listed.filter(|id| !now.contains_key(id));
    let mut found: Vec<String> = missing
        .map(|id| format!("S3: {id} is in the ledger and nowhere else"))
        .collect();
    let there = array(arrays, Which::B)?
        .volumes
        .iter()
        .filter(|v| !v.destroyed);
    let serials: BTreeSet<&String> = there.map(|v| &v.serial).collect();
    let copies = objects(effects, EffectKind::ArrayVolume);
    let missing = copies.iter().filter(|serial| !serials.contains(serial));
    found.extend(
        missing
            .map(|serial| format!("S3: array volume {serial} is in the ledger and nowhere else")),
    );
    Ok(found)
}

/// S5: nothing of the source array changed.
fn source_untouched(before: &Before, arrays: &ArraysTruth) -> Result<Vec<String>> {
    let contents = |truth: &ArrayTruth| -> BTreeMap<String, (String, bool)> {
        let volumes = truth.volumes.iter().filter(|v| !v.destroyed);
        volumes
            .map(|v| (v.serial.clone(), (v.hash.clone(), v.destroyed)))
            .collect()
    };
    let (was, is) = (
        contents(array(&before.arrays, Which::A)?),
        contents(array(arrays, Which::A)?),
    );
    let changed = was
        .iter()
        .filter(|(serial, content)| is.get(*serial) != Some(content));
    Ok(changed
        .map(|(serial, _)| format!("S5: source volume {serial} changed"))
        .collect())
}

/// S6, S7: every copy holds the write that the point holds, none a later or earlier one.
fn one_point_in_time(
    arrays: &ArraysTruth,
    effects: &[Effect],
    counter: u64,
) -> Result<Vec<String>> {
    let copied: Vec<Effect> = effects
        .iter()
        .filter(|e| e.step == "recover_volumes")
        .cloned()
        .collect();
    let copies = objects(&copied, EffectKind::ArrayVolume);
    let volumes = array(arrays, Which::B)?
        .volumes
        .iter()
        .filter(|v| copies.contains(&v.serial));
    let wrong = volumes.filter(|v| v.counter != counter);
    Ok(wrong
        .map(|v| {
            format!(
                "S6: {} holds write {}, the point holds {counter}",
                v.name, v.counter
            )
        })
        .collect())
}

/// S12: no object is older than the intent to make it.
fn written_first(cloud: &GroundTruth, effects: &[Effect]) -> Vec<String> {
    let created: BTreeMap<&String, i64> = cloud
        .servers
        .iter()
        .map(|s| (&s.id, s.created_ms))
        .collect();
    let made = effects.iter().filter(|e| e.kind == EffectKind::Server);
    let early = made.filter(|e| {
        let at = e.object_id.as_ref().and_then(|id| created.get(id));
        at.is_some_and(|ms| *ms < e.intended_us / 1_000)
    });
    early
        .map(|e| format!("S12: {} is older than its intent", e.key))
        .collect()
}

/// L6: completed means that every member runs, with its disks and its port.
fn members_are_up(cloud: &GroundTruth, members: usize) -> Vec<String> {
    let ours = cloud
        .servers
        .iter()
        .filter(|s| s.metadata.contains_key(METADATA_KEY));
    let up = ours.filter(|s| {
        s.vm_state == "active" && s.running && !s.disks.is_empty() && !s.nics.is_empty()
    });
    let count = up.count();
    if count == members {
        return Vec::new();
    }
    vec![format!("L6: {count} of {members} members run")]
}
