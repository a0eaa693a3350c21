//! What must hold after a journey, judged from the truth of both clouds and both arrays and from the
//! ledger, never from what the product says of itself.
//!
//! Absent: the loss of a site; that has its own verdict in the lab.

use crate::journey::{Ends, Journey};
use crate::traces;
use anyhow::{Context, Result};
use protector_domain::effect::{EffectKey, EffectKind, EffectState, METADATA_KEY};
use protector_lab::cloud::{GroundTruth, Server};
use protector_lab::story::OperationRun;
use protector_lab::world::{Which, World, lock};
use std::collections::{BTreeMap, BTreeSet};

const BOTH: [Which; 2] = [Which::A, Which::B];

fn cloud(world: &World, which: Which) -> GroundTruth {
    lock(&world.site(which).cloud).ground_truth(world.now_ms())
}

fn live(truth: &GroundTruth) -> Vec<&Server> {
    let servers = truth.servers.iter();
    servers.filter(|s| s.vm_state != "deleted").collect()
}

/// How both sites stood before the operation.
pub struct Stood {
    /// Ids of servers, volumes and ports, by site.
    objects: BTreeMap<Which, BTreeSet<String>>,
    /// How often each server of a site was started or stopped.
    power: BTreeMap<String, usize>,
    /// Contents of the live volumes of each array, by serial.
    contents: BTreeMap<Which, BTreeMap<String, String>>,
}

impl Stood {
    pub fn of(world: &World) -> Self {
        let truths = BOTH.map(|which| (which, cloud(world, which)));
        let objects = truths
            .iter()
            .map(|(which, truth)| (*which, keyed(truth).into_keys().collect()));
        let servers = truths.iter().flat_map(|(_, truth)| live(truth));
        Self {
            objects: objects.collect(),
            power: servers.map(|s| (s.id.clone(), s.power.len())).collect(),
            contents: BOTH
                .map(|which| (which, contents(world, which)))
                .into_iter()
                .collect(),
        }
    }
}

/// Everything at a cloud, by id, each with its key or nothing.
fn keyed(truth: &GroundTruth) -> BTreeMap<String, String> {
    let key = |metadata: &BTreeMap<String, String>| {
        metadata.get(METADATA_KEY).cloned().unwrap_or_default()
    };
    let servers = live(truth).into_iter();
    let servers = servers.map(|s| (s.id.clone(), key(&s.metadata)));
    let volumes = truth.volumes.iter();
    let volumes = volumes.map(|v| (v.id.clone(), v.key()));
    let ports = truth.ports.iter();
    let ports = ports.map(|p| (p.id.clone(), p.description.clone()));
    servers.chain(volumes).chain(ports).collect()
}

fn contents(world: &World, which: Which) -> BTreeMap<String, String> {
    let truth = world.arrays.ground_truth();
    let volumes = truth
        .arrays
        .get(which.array())
        .into_iter()
        .flat_map(|a| &a.volumes);
    let live = volumes.filter(|v| !v.destroyed);
    live.map(|v| (v.serial.clone(), v.hash.clone())).collect()
}

/// Everything that does not hold; each line names its invariant.
///
/// # Errors
/// A store cannot be read.
pub async fn violations(
    world: &World,
    stood: &Stood,
    ends: &Ends,
    run: &OperationRun,
) -> Result<Vec<String>> {
    let journey = ends.like;
    let mut found = ended(ends, run);
    found.extend(one_home(world, journey));
    for which in BOTH {
        found.extend(one_effect_per_intent(world, which));
        found.extend(nothing_left_over(world, stood, which).await?);
    }
    found.extend(members_are_where_they_belong(world, journey));
    found.extend(source_untouched(world, stood, journey));
    if journey.came_home() {
        found.extend(same_volumes(world, stood, Which::A));
        found.extend(sizes_agree(world, Which::A));
    }
    found.extend(traces::replayed(world).await?);
    Ok(found)
}

fn ended(ends: &Ends, run: &OperationRun) -> Vec<String> {
    let text = |key: &str| {
        let value = run.operation.get(key).and_then(|v| v.as_str());
        value.unwrap_or_default()
    };
    let is = (text("status"), text("outcome"));
    let wanted = (ends.status, ends.outcome);
    if is == wanted {
        return Vec::new();
    }
    let why = text("error_message");
    vec![format!("L1/L6: ended {is:?}, expected {wanted:?}: {why}")]
}

/// S1: nobody ran at both sites at any moment. A drill's servers are told apart by their key.
fn one_home(world: &World, journey: Journey) -> Vec<String> {
    let drills = matches!(
        journey,
        Journey::Drill | Journey::DrillGoesBack | Journey::Cleanup
    );
    let mut marks: BTreeMap<String, Vec<(i64, i32)>> = BTreeMap::new();
    for which in BOTH {
        for server in cloud(world, which).servers {
            if drills && server.metadata.contains_key(METADATA_KEY) {
                continue;
            }
            let mut before = false;
            for mark in &server.power {
                let step = i32::from(mark.running) - i32::from(before);
                before = mark.running;
                let of_name = marks.entry(server.name.clone()).or_default();
                of_name.push((mark.at_ms, step));
            }
        }
    }
    let twice = marks.into_iter().filter_map(|(name, mut marks)| {
        marks.sort_unstable();
        let mut running = 0;
        let at = marks.into_iter().find(|(_, step)| {
            running += step;
            running > 1
        });
        at.map(|(at_ms, _)| format!("S1: {name} runs twice at {at_ms}"))
    });
    twice.collect()
}

/// S2: no key on two objects.
fn one_effect_per_intent(world: &World, which: Which) -> Vec<String> {
    let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, key) in keyed(&cloud(world, which)) {
        if EffectKey::is_key(&key) {
            by_key.entry(key).or_default().push(id);
        }
    }
    let twins = by_key.into_iter().filter(|(_, ids)| ids.len() > 1);
    twins
        .map(|(key, ids)| format!("S2: {key} is on {ids:?}"))
        .collect()
}

/// S3: what stands is what stood, or what a ledger of either site lists as standing.
async fn nothing_left_over(world: &World, stood: &Stood, which: Which) -> Result<Vec<String>> {
    let truth = cloud(world, which);
    let listed = listed(world).await?;
    let known = stood.objects.get(&which).context("a site")?;
    let now = keyed(&truth);
    let new = now.iter().filter(|(id, _)| !known.contains(*id));
    let orphans = new.filter(|(id, _)| !listed.contains(*id));
    let mut found: Vec<String> = orphans
        .map(|(id, key)| {
            format!(
                "S3: {id} with key {key} at {} is in no ledger",
                which.name()
            )
        })
        .collect();
    let before = stood.contents.get(&which).context("an array")?;
    let fresh = contents(world, which).into_keys();
    let copies = fresh.filter(|serial| !before.contains_key(serial) && !listed.contains(serial));
    found.extend(copies.map(|serial| {
        format!(
            "S3: array volume {serial} at {} is in no ledger",
            which.array()
        )
    }));
    Ok(found)
}

/// Objects that either ledger lists as standing.
async fn listed(world: &World) -> Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for which in BOTH {
        let running = world
            .site(which)
            .running
            .as_ref()
            .context("a site is down")?;
        let project = protector_domain::ids::ProjectId(world.tenant(which).project.clone());
        let operations = running
            .store
            .operation_list(&project, None, None, 100)
            .await?;
        for operation in operations {
            for effect in running.store.effects_by_operation(operation.id).await? {
                let stands = matches!(effect.state, EffectState::Done | EffectState::LeftBehind);
                if stands && effect.kind != EffectKind::None {
                    all.extend(effect.object_id);
                }
            }
        }
    }
    Ok(all)
}

/// L6, I8, S7: the members run once, where the journey ends, on what was written last.
fn members_are_where_they_belong(world: &World, journey: Journey) -> Vec<String> {
    let (home, counter) = journey.home();
    let members = world.options.members;
    let truth = cloud(world, home);
    let there: Vec<&Server> = live(&truth);
    let mut found = Vec::new();
    let up = there.iter().filter(|s| s.running && !s.locked).count();
    if up != members || there.len() != members {
        let of = there.len();
        found.push(format!(
            "L6/I8: {up} of {of} servers run at {}, expected {members}",
            home.name()
        ));
    }
    found.extend(wrong_writes(world, home, &there, &truth, counter));
    found.extend(match journey {
        Journey::Drill => drilled(world),
        // Its copies wait for the cleanup, and are listed.
        Journey::DrillGoesBack => no_server(world),
        Journey::Planned | Journey::FailbackGoesBack => quiet(world, Which::A),
        _ => empty(world, Which::B),
    });
    found
}

fn wrong_writes(
    world: &World,
    which: Which,
    servers: &[&Server],
    truth: &GroundTruth,
    counter: u64,
) -> Vec<String> {
    let disks = servers.iter().flat_map(|s| &s.disks);
    let ids: BTreeSet<&String> = disks.map(|d| &d.volume_id).collect();
    let volumes = truth.volumes.iter().filter(|v| ids.contains(&v.id));
    let serials: BTreeSet<&String> = volumes.filter_map(|v| v.serial.as_ref()).collect();
    let arrays = world.arrays.ground_truth();
    let array = arrays.arrays.get(which.array());
    let on_array = array.into_iter().flat_map(|a| &a.volumes);
    let used: Vec<_> = on_array
        .filter(|v| !v.destroyed && serials.contains(&v.serial))
        .collect();
    let mut found = Vec::new();
    if used.len() != world.options.volumes {
        found.push(format!("L6: {} volumes are in use", used.len()));
    }
    let wrong = used.iter().filter(|v| v.counter != counter);
    found.extend(wrong.map(|v| {
        format!(
            "S6/S7: {} holds write {}, expected {counter}",
            v.name, v.counter
        )
    }));
    found
}

/// A drill's servers run at B on what the first point holds.
fn drilled(world: &World) -> Vec<String> {
    let truth = cloud(world, Which::B);
    let there = live(&truth);
    let up = there.iter().filter(|s| s.running).count();
    let mut found = wrong_writes(world, Which::B, &there, &truth, crate::journey::GIVEN);
    if up != world.options.members {
        found.push(format!("L6: {up} servers of the drill run"));
    }
    found
}

/// A drill that could boot nothing leaves no server behind.
fn no_server(world: &World) -> Vec<String> {
    let truth = cloud(world, Which::B);
    let left = live(&truth).into_iter();
    left.map(|s| format!("S3: {} of the drill is left", s.name))
        .collect()
}

/// The servers at a site that does not lead are stopped, and locked with a reason.
fn quiet(world: &World, which: Which) -> Vec<String> {
    let truth = cloud(world, which);
    let loud = live(&truth);
    let loud = loud
        .iter()
        .filter(|s| s.running || !s.locked || s.locked_reason.is_none());
    loud.map(|s| {
        format!(
            "S1: {} at {} is not stopped and locked",
            s.name,
            which.name()
        )
    })
    .collect()
}

/// Nothing of ours is left at a site that holds nothing.
fn empty(world: &World, which: Which) -> Vec<String> {
    let truth = cloud(world, which);
    let left = keyed(&truth);
    let ours = left.iter().filter(|(_, key)| EffectKey::is_key(key));
    let mut found: Vec<String> = ours
        .map(|(id, key)| format!("S3: {id} with key {key} is left at {}", which.name()))
        .collect();
    let copies = contents(world, which).into_keys();
    found.extend(copies.map(|serial| format!("S3: array volume {serial} is left")));
    found
}

/// Coming home: servers are on the volumes that stayed there, each with its id.
fn same_volumes(world: &World, stood: &Stood, home: Which) -> Vec<String> {
    let truth = cloud(world, home);
    let known = stood.objects.get(&home).cloned().unwrap_or_default();
    let disks = live(&truth).into_iter().flat_map(|s| &s.disks);
    let new = disks.filter(|disk| !known.contains(&disk.volume_id));
    new.map(|disk| format!("coming home: volume {} is a new one", disk.volume_id))
        .collect()
}

/// G8: Cinder knows how large the array has made its volumes.
fn sizes_agree(world: &World, which: Which) -> Vec<String> {
    let arrays = world.arrays.ground_truth();
    let on_array = arrays.arrays.get(which.array()).into_iter();
    let sizes: BTreeMap<&str, u64> = on_array
        .flat_map(|a| &a.volumes)
        .map(|v| (v.serial.as_str(), v.provisioned >> 30))
        .collect();
    let truth = cloud(world, which);
    let mut found = Vec::new();
    for volume in &truth.volumes {
        let on_array = volume.serial.as_deref().and_then(|s| sizes.get(s));
        let in_cinder = u64::try_from(volume.size_gb).ok();
        if on_array.copied() != in_cinder {
            let id = &volume.id;
            found.push(format!(
                "G8: volume {id} has {in_cinder:?} GiB in Cinder, {on_array:?} on the array"
            ));
        }
    }
    found
}

/// S5, TF-01: a drill and its cleanup leave production alone, and no move overwrites its source.
fn source_untouched(world: &World, stood: &Stood, journey: Journey) -> Vec<String> {
    let source = journey.runner().other();
    let now = contents(world, source);
    let before = stood.contents.get(&source).into_iter().flatten();
    // After a failback its source is taken away, on purpose.
    let gone_is_fine = journey.came_home();
    let changed = before.filter(|(serial, hash)| match now.get(*serial) {
        Some(hash_now) => hash_now != *hash,
        None => !gone_is_fine,
    });
    let mut found: Vec<String> = changed
        .map(|(serial, _)| format!("S5: source volume {serial} changed"))
        .collect();
    if matches!(
        journey,
        Journey::Drill | Journey::DrillGoesBack | Journey::Cleanup
    ) {
        let truth = cloud(world, Which::A);
        let touched = live(&truth).into_iter().filter(|s| {
            let before = stood.power.get(&s.id);
            before != Some(&s.power.len())
        });
        found.extend(touched.map(|s| format!("TF-01: {} was stopped or started", s.name)));
    }
    found
}
