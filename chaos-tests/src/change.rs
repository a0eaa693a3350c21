//! Changes of a group that are no moves, and its end, with the product of one site killed on the way: what
//! comes before in peace, the change carried by a courier that does not give up, and what must hold.
//!
//! Absent: the moves (`run`, `journey`).

use crate::run::{AFTERMATH_MS, Ground, simulated};
use crate::traces;
use anyhow::{Context, Result, bail};
use protector_lab::courier::{see, sync};
use protector_lab::story::{
    Protected, delete, fail_over, failback, protect, remove_member, reprotect, sync_force,
    take_point, update,
};
use protector_lab::world::{Strike, Which, World, lock};
use protector_store::Store;
use secrecy::SecretString;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

const SITES: [Which; 2] = [Which::A, Which::B];
/// Times that the courier begins again, and the pause between, milliseconds.
const TRIES_MAX: u32 = 40;
const PAUSE_MS: u64 = 2_000;
/// How long a killed product stays down, milliseconds.
const DOWN_MS: u64 = 700;
/// Longer than a first replication of the way back, milliseconds.
const REVERSED_MS: u64 = 120_000;
/// What every volume holds.
const GIVEN: u64 = 7;
const NEW_NAME: &str = "store";
/// The name of a secret of the group's.
const SECRET: &str = "canary";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// PG-11: another name.
    Rename,
    /// MEM-10: the array's group follows the record.
    MemberLeaves,
    /// PG-11: the tombstone, and what the retire sweeper takes away.
    Delete,
    /// The same with an epoch mark and safety snapshots there: after a loss, and the way home.
    DeleteAfterReturn,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Rename,
        Self::MemberLeaves,
        Self::Delete,
        Self::DeleteAfterReturn,
    ];

    fn is_end(self) -> bool {
        matches!(self, Self::Delete | Self::DeleteAfterReturn)
    }
}

/// Where the product of a site is killed: when it comes there after `skip` other times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kill {
    pub at: Which,
    pub place: String,
    pub skip: u64,
}

/// What a case showed.
#[derive(Debug, Clone)]
pub struct Changed {
    pub violations: Vec<String>,
    /// Places that each site passed, in order.
    pub places: BTreeMap<Which, Vec<String>>,
    pub crashes: u32,
}

impl Changed {
    /// Every time that a place was passed, as a case.
    pub fn kills(&self) -> Vec<Kill> {
        let mut all = Vec::new();
        for (at, places) in &self.places {
            let mut times: BTreeMap<&String, u64> = BTreeMap::new();
            for place in places {
                let skip = times.entry(place).or_default();
                all.push(Kill {
                    at: *at,
                    place: place.clone(),
                    skip: *skip,
                });
                *skip += 1;
            }
        }
        all
    }
}

/// Runs one case in a paused runtime of its own.
///
/// # Errors
/// The world could not be built, or the change never got through.
pub fn change(ground: &Ground, change: Change, kill: Option<&Kill>) -> Result<Changed> {
    let case = one(ground, change, kill);
    simulated(case).with_context(|| format!("seed {}, {change:?}, {kill:?}", ground.seed))
}

async fn one(ground: &Ground, change: Change, kill: Option<&Kill>) -> Result<Changed> {
    let mut world = World::build(ground.options()).await?;
    let group = protect(&world).await?;
    take_point(&world, &group, GIVEN).await?;
    if change == Change::DeleteAfterReturn {
        away_and_home(&mut world, &group).await?;
    }
    keep_secrets(&world, &group).await?;
    let before = SITES.map(|which| holds(&world, which));
    let passed = SITES.map(|which| world.site(which).crash.seen().len());
    if let Some(kill) = kill {
        world.site(kill.at).crash.arm(Strike {
            place: kill.place.clone(),
            skip: kill.skip,
        });
    }
    let mut crashes = 0;
    until_carried(&mut world, &group, change, &mut crashes).await?;
    let end_ms = world.now_ms() + i64::try_from(AFTERMATH_MS)?;
    while world.now_ms() < end_ms {
        let left_ms = u64::try_from(end_ms - world.now_ms())?;
        let over = tokio::time::sleep(Duration::from_millis(left_ms));
        if let Some(struck) = struck_before(&world, over).await.err() {
            revive(&mut world, struck, &mut crashes).await?;
        }
    }
    let mut violations = in_step(&world, &group, change).await?;
    violations.extend(arrays_follow(&world, &group, change));
    violations.extend(secrets_follow(&world, &group, change).await?);
    violations.extend(traces::replayed(&world).await?);
    for (which, before) in SITES.into_iter().zip(before) {
        if holds(&world, which) != before {
            violations.push(format!("S4, S5: what {} holds has changed", which.name()));
        }
    }
    let places = SITES.into_iter().zip(passed).map(|(which, passed)| {
        let seen = world.site(which).crash.seen();
        (which, seen.into_iter().skip(passed).collect())
    });
    let places = places.collect();
    world.a.crash();
    world.b.crash();
    Ok(Changed {
        violations,
        places,
        crashes,
    })
}

/// By force away from a site that is lost and returns, and home again: what leaves marks and snapshots.
async fn away_and_home(world: &mut World, group: &Protected) -> Result<()> {
    world.lose(Which::A);
    fail_over(world, group, |_| {}).await?;
    world.come_back(Which::A).await?;
    tokio::time::sleep(Duration::from_millis(AFTERMATH_MS)).await;
    sync_force(world, group).await?;
    reprotect(world, group, Which::B).await?;
    tokio::time::sleep(Duration::from_millis(REVERSED_MS)).await;
    failback(world, group).await?;
    tokio::time::sleep(Duration::from_millis(AFTERMATH_MS)).await;
    Ok(())
}

/// `Err`: this site was struck before it was done.
async fn struck_before<T>(world: &World, doing: impl Future<Output = T>) -> Result<T, Which> {
    tokio::select! {
        biased;
        () = world.a.crash.struck() => Err(Which::A),
        () = world.b.crash.struck() => Err(Which::B),
        done = doing => Ok(done),
    }
}

async fn revive(world: &mut World, at: Which, crashes: &mut u32) -> Result<()> {
    *crashes += 1;
    world.site_mut(at).crash();
    tokio::time::sleep(Duration::from_millis(DOWN_MS)).await;
    let back = world.site_mut(at).boot().await;
    back.with_context(|| format!("{} does not come back", at.name()))
}

/// The courier begins again until the change is made and both sites know it.
async fn until_carried(
    world: &mut World,
    group: &Protected,
    change: Change,
    crashes: &mut u32,
) -> Result<()> {
    let mut last = anyhow::anyhow!("never tried");
    for _ in 0..TRIES_MAX {
        match struck_before(world, attempt(world, group, change)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => {
                last = error;
                tokio::time::sleep(Duration::from_millis(PAUSE_MS)).await;
            }
            Err(at) => revive(world, at, crashes).await?,
        }
    }
    bail!("{change:?} never got through: {last:#}")
}

/// What an earlier try has left on its way is carried first; if that was all, nothing is asked again.
async fn attempt(world: &World, group: &Protected, change: Change) -> Result<()> {
    let (a, b) = (
        world.endpoint(Which::A).await?,
        world.endpoint(Which::B).await?,
    );
    sync(&a, &b, &group.group).await?;
    if !is_made(world, group, change).await? {
        match change {
            Change::Rename => update(world, group, &json!({ "name": NEW_NAME })).await?,
            Change::MemberLeaves => {
                let server = world.tenant(Which::A).servers.first();
                remove_member(world, group, server.context("a server")?).await?;
            }
            Change::Delete | Change::DeleteAfterReturn => delete(world, group).await?,
        }
    }
    sync(&a, &b, &group.group).await?;
    Ok(())
}

async fn is_made(world: &World, group: &Protected, change: Change) -> Result<bool> {
    let at = world.endpoint(Which::A).await?;
    if see(&at, &group.group).await?.head.deleted {
        return Ok(change.is_end());
    }
    let path = format!("/protection-groups/{}", group.group);
    let shown = at.call(http::Method::GET, &path, None).await?;
    let path = format!("{path}/members");
    let members = at.call(http::Method::GET, &path, None).await?;
    let members = members.get("members").and_then(|m| m.as_array());
    let name = shown.pointer("/protection_group/name");
    Ok(match change {
        Change::Rename => name.is_some_and(|name| name == NEW_NAME),
        Change::MemberLeaves => members.is_some_and(|m| m.len() + 1 == world.options.members),
        Change::Delete | Change::DeleteAfterReturn => false,
    })
}

/// S8, S9: both sites hold the same record, the author knows, and it is the one that was asked for.
async fn in_step(world: &World, group: &Protected, change: Change) -> Result<Vec<String>> {
    let mut heads = Vec::new();
    let mut found = Vec::new();
    for which in SITES {
        let at = world.endpoint(which).await?;
        let head = see(&at, &group.group).await?.head;
        if head.deleted != change.is_end() || !head.synced {
            found.push(format!("S9: {}: {head:?}", which.name()));
        }
        heads.push(head.at);
    }
    if heads.first() != heads.last() {
        found.push(format!("S8: the sites hold {heads:?}"));
    }
    if !change.is_end() && !is_made(world, group, change).await? {
        found.push("S9: the change is gone".to_owned());
    }
    Ok(found)
}

/// S3: the arrays' groups are as the record says, and nothing is left of a group that has ended.
fn arrays_follow(world: &World, group: &Protected, change: Change) -> Vec<String> {
    let truth = world.arrays.ground_truth();
    let mut found = Vec::new();
    for which in SITES {
        let Some(array) = truth.arrays.get(which.array()) else {
            continue;
        };
        let own = array.groups.iter();
        let own = own.filter(|g| g.is_local && !g.destroyed && g.name == group.array_group);
        let members: Vec<usize> = own.map(|g| g.member_serials.len()).collect();
        let all = world.options.volumes;
        let wanted = match (which, change) {
            (Which::A, Change::Rename) => vec![all],
            (Which::A, Change::MemberLeaves) => vec![all - world.options.volumes_of(0)],
            _ => Vec::new(),
        };
        if members != wanted {
            found.push(format!(
                "S3: groups with {members:?} volumes on {}, expected {wanted:?}",
                which.array()
            ));
        }
        let marks = array.volumes.iter();
        let marks = marks.filter(|v| !v.destroyed && v.name.contains("-epoch-"));
        let kept = array.volume_snapshots.iter().filter(|s| !s.destroyed);
        let left = marks.count() + kept.count();
        if change.is_end() && left > 0 {
            found.push(format!(
                "S3: {left} marks and snapshots are left on {}",
                which.array()
            ));
        }
    }
    found
}

fn store(world: &World, which: Which) -> Result<&Store> {
    let running = world.site(which).running.as_ref();
    Ok(&running.context("a site is down")?.store)
}

/// A secret of the group at each site.
async fn keep_secrets(world: &World, group: &Protected) -> Result<()> {
    for which in SITES {
        let secret = SecretString::from("canary");
        let kept = store(world, which)?.group_secret_put(group.group.parse()?, SECRET, secret);
        kept.await?;
    }
    Ok(())
}

/// S15: a group that lives keeps its secrets, and one that has ended takes them along.
async fn secrets_follow(world: &World, group: &Protected, change: Change) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for which in SITES {
        let secret = store(world, which)?.group_secret_fetch(group.group.parse()?, SECRET);
        if secret.await?.is_some() == change.is_end() {
            found.push(format!("S15: the group's secret at {}", which.name()));
        }
    }
    Ok(found)
}

/// Servers with every change of their power, Cinder volumes, and what the volumes of the array hold.
type Holds = (
    BTreeMap<String, (bool, bool, usize)>,
    BTreeMap<String, String>,
    BTreeMap<String, String>,
);

fn holds(world: &World, which: Which) -> Holds {
    let cloud = lock(&world.site(which).cloud).ground_truth(world.now_ms());
    let servers = cloud.servers.iter().filter(|s| s.vm_state != "deleted");
    let power = servers.map(|s| (s.id.clone(), (s.running, s.locked, s.power.len())));
    let volumes = cloud.volumes.iter();
    let volumes = volumes.map(|v| (v.id.clone(), v.status.clone()));
    let arrays = world.arrays.ground_truth();
    let on_array = arrays.arrays.get(which.array());
    let on_array = on_array.into_iter().flat_map(|a| &a.volumes);
    let data = on_array.filter(|v| !v.destroyed && !v.name.contains("-epoch-"));
    let contents = data.map(|v| (v.serial.clone(), v.hash.clone()));
    (power.collect(), volumes.collect(), contents.collect())
}
