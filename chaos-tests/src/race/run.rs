//! A world, its pairs one after the other, and the judgement after each.
//!
//! Absent: the plan, and what must hold.

use super::judge::{self, History};
use super::plan::{Pair as RacingPair, Plan};
use super::ride::{End, Ends, Ridden, ride};
use super::road::{Brought, Note};
use super::settle::settle;
use super::want::{Cast, Want};
use crate::run::{AFTERMATH_MS, named_world, simulated};
use crate::traces;
use anyhow::{Context, Result};
use protector_domain::sync::{Digest, Head, Pair, Record, Signed};
use protector_lab::courier::sync;
use protector_lab::story::{
    Protected, fail_over, failback, leading, protect, reprotect, take_point,
};
use protector_lab::verdict::{self, Before, Expected};
use protector_lab::world::{Which, World, WorldOptions};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const SITES: [Which; 2] = [Which::A, Which::B];
/// The write that the last point holds.
const GIVEN: u64 = 7;
/// Entries of a site's log that are read.
const LOG_MAX: u32 = 1_000;
/// How long a killed product stays down, milliseconds.
const DOWN_MS: u64 = 700;
/// Longer than a first replication of the way back, milliseconds.
const REVERSED_MS: u64 = 120_000;

/// What a world showed.
#[derive(Debug, Clone, Default)]
pub struct Raced {
    pub pairs: usize,
    /// Each with its pair.
    pub violations: Vec<String>,
    /// How couriers ended, by what they were told.
    pub ends: BTreeMap<String, usize>,
    /// Records that were written again by the rules.
    pub replayed: usize,
    /// Contents that a log keeps.
    pub kept: usize,
    pub moves: usize,
}

struct Scene {
    world: World,
    group: Protected,
    cast: Cast,
    given: Pair,
    brought: Brought,
    promised: BTreeMap<Digest, Want>,
    committed: BTreeSet<Digest>,
    synced: BTreeSet<Digest>,
}

/// Runs the world of a plan in a paused runtime of its own.
///
/// # Errors
/// The world could not be built, or its sites never came into step.
pub fn race(plan: &Plan) -> Result<Raced> {
    simulated(one(plan)).with_context(|| format!("seed {}", plan.seed))
}

async fn one(plan: &Plan) -> Result<Raced> {
    let mut scene = Scene::of(plan.seed).await?;
    let mut raced = Raced::default();
    for (number, pair) in plan.pairs.iter().enumerate() {
        let what = || format!("pair {number}, {}", show(pair));
        let led = leading(&scene.world, &scene.group).await?;
        let ridden = scene.run(pair, led).await.with_context(what)?;
        let heads = settle(&mut scene.world, &scene.group)
            .await
            .with_context(what)?;
        let now = leading(&scene.world, &scene.group).await?;
        raced.moves += usize::from(now != led);
        let forced = ridden.iter().any(|r| r.want == Want::Forces);
        for rider in &ridden {
            *raced.ends.entry(told(rider)).or_default() += 1;
            scene.hear(rider)?;
        }
        let found = scene.judged(heads, forced, &mut raced).await?;
        raced
            .violations
            .extend(found.into_iter().map(|line| format!("{}: {line}", what())));
        raced.pairs += 1;
        if now == Which::B && led == Which::A && !forced {
            reprotect(&scene.world, &scene.group, Which::B)
                .await
                .with_context(what)?;
            tokio::time::sleep(Duration::from_millis(REVERSED_MS)).await;
        }
    }
    if !plan.ends_by_force() {
        raced.violations.extend(scene.last_judgement().await?);
    }
    scene.world.a.crash();
    scene.world.b.crash();
    Ok(raced)
}

fn show(pair: &RacingPair) -> String {
    let [one, two] = &pair.riders;
    let killed = if pair.kill.is_some() {
        " with a kill"
    } else {
        ""
    };
    format!("{:?} against {:?}{killed}", one.want, two.want)
}

fn told(rider: &Ridden) -> String {
    let of_move = if rider.want.is_move() { "move: " } else { "" };
    match &rider.end {
        End::Done => format!("{of_move}done"),
        End::Died => format!("{of_move}died"),
        End::Refused(code) if code.is_empty() => format!("{of_move}heard nothing"),
        End::Refused(code) => format!("{of_move}{code}"),
    }
}

impl Scene {
    async fn of(seed: u64) -> Result<Self> {
        let world = World::build(WorldOptions::seeded(&named_world(), seed)).await?;
        let group = protect(&world).await?;
        take_point(&world, &group, GIVEN).await?;
        let cast = Cast {
            group: group.group.clone(),
            servers: world.tenant(Which::A).servers.clone(),
            arrays: SITES.map(|which| which.array().to_owned()),
        };
        let mut scene = Self {
            world,
            group,
            cast,
            given: Pair::new(0, 0),
            brought: Brought::default(),
            promised: BTreeMap::new(),
            committed: BTreeSet::new(),
            synced: BTreeSet::new(),
        };
        let heads = settle(&mut scene.world, &scene.group).await?;
        let at = heads.first().and_then(|head| head.at.as_ref());
        scene.given = at.context("a record")?.pair();
        Ok(scene)
    }

    async fn ends(&self, led: Which) -> Result<Ends> {
        Ok(Ends {
            leader: self.world.endpoint(led).await?,
            peer: self.world.endpoint(led.other()).await?,
            verb: if led == Which::A {
                "failover"
            } else {
                "failback"
            },
        })
    }

    async fn run(&mut self, pair: &RacingPair, led: Which) -> Result<[Ridden; 2]> {
        let ends = self.ends(led).await?;
        let riders = pair
            .riders
            .each_ref()
            .map(|rider| rider.at(led == Which::A));
        let [one, two] =
            riders.map(|rider| ride(ends.clone(), self.cast.clone(), rider, self.brought.clone()));
        let killed = kill(&mut self.world, pair.kill, led);
        let (one, two, killed) = tokio::join!(one, two, killed);
        killed?;
        Ok([one, two])
    }

    /// What the notes of a courier say.
    fn hear(&mut self, rider: &Ridden) -> Result<()> {
        for note in &rider.notes {
            self.heed(note, rider.want)?;
        }
        if rider.end == End::Done && !rider.want.is_move() {
            let told = rider.notes.iter().rev();
            let mut told = told.filter(|n| n.path.ends_with("/sync/receipts") && n.status == 200);
            told.next().context("done, and no receipt was taken")?;
        }
        Ok(())
    }

    fn heed(&mut self, note: &Note, want: Want) -> Result<()> {
        if note.status >= 400 {
            return Ok(());
        }
        if let Some(digest) = said(&note.answer, "ticket", "/content/next_digest") {
            self.promised.insert(digest?, want);
        }
        if note.path.ends_with("/sync/commits")
            && let Some(envelope) = note.answer.get("envelope")
        {
            self.committed.insert(record(&signed(envelope)?)?.digest()?);
        }
        if note.path.ends_with("/sync/receipts")
            && let Some(digest) = said(&note.sent, "receipt", "/content/at/digest")
        {
            self.synced.insert(digest?);
        }
        Ok(())
    }

    async fn judged(
        &self,
        heads: [Head; 2],
        forced: bool,
        raced: &mut Raced,
    ) -> Result<Vec<String>> {
        let all = self.world.records().await?;
        let group = self.group.group.parse()?;
        let envelopes = all.get(&group).context("records of the group")?;
        let records = envelopes.iter().map(record).collect::<Result<Vec<_>>>()?;
        let kept = self.kept().await?;
        raced.kept += kept.len();
        let mut found = judge::violations(&History {
            cast: self.cast.clone(),
            records: judge::by_digest(records)?,
            heads,
            kept,
            promised: self.promised.clone(),
            committed: self.committed.clone(),
            synced: self.synced.clone(),
            given: self.given,
            forced,
        });
        match traces::replay_one(envelopes) {
            Ok(written) => raced.replayed = written,
            Err(fault) => found.push(fault),
        }
        Ok(found)
    }

    /// What the logs of both sites show.
    async fn kept(&self) -> Result<BTreeSet<Digest>> {
        let group = self.group.group.parse()?;
        let mut all = BTreeSet::new();
        for which in SITES {
            let running = self.world.site(which).running.as_ref();
            let store = &running.context("a site is down")?.store;
            let log = store.sync_log_list(group, 0, LOG_MAX).await?;
            all.extend(log.into_iter().map(|entry| entry.at.digest));
        }
        Ok(all)
    }

    /// Everything comes home, and is lost: the verdict of the lab over an unplanned failover.
    async fn last_judgement(&mut self) -> Result<Vec<String>> {
        let (world, group) = (&mut self.world, &self.group);
        if leading(world, group).await? == Which::B {
            failback(world, group).await?;
        }
        tokio::time::sleep(Duration::from_millis(AFTERMATH_MS)).await;
        let ends = self.ends(Which::A).await?;
        let call = Want::Joins.call(&self.cast).context("a call")?;
        let (a, b) = (&ends.leader, &ends.peer);
        let joined =
            protector_lab::courier::change(a, b, call.method, &call.path, &call.body).await;
        if let Err(refused) = joined {
            anyhow::ensure!(refused.code() == "already_protected", "{refused}");
        }
        sync(a, b, &self.cast.group).await?;
        let (world, group) = (&mut self.world, &self.group);
        take_point(world, group, GIVEN + 1).await?;
        world.lose(Which::A);
        let before = Before::of(world);
        let run = fail_over(world, group, |_| {}).await?;
        tokio::time::sleep(Duration::from_millis(AFTERMATH_MS)).await;
        let mut found =
            verdict::violations(world, &before, &run.operation, Expected::FULL, GIVEN + 1).await?;
        found.extend(traces::replayed(world).await?);
        Ok(found)
    }
}

async fn kill(world: &mut World, kill: Option<(bool, u64)>, led: Which) -> Result<()> {
    let Some((of_leader, at_ms)) = kill else {
        return Ok(());
    };
    let which = if of_leader { led } else { led.other() };
    tokio::time::sleep(Duration::from_millis(at_ms)).await;
    world.site_mut(which).crash();
    tokio::time::sleep(Duration::from_millis(DOWN_MS)).await;
    world.site_mut(which).boot().await
}

fn signed(value: &Value) -> Result<Signed> {
    Ok(serde_json::from_value(value.clone())?)
}

fn record(signed: &Signed) -> Result<Record> {
    let payload: Value = serde_json::from_str(&signed.payload)?;
    let content = payload.get("content").cloned().unwrap_or_default();
    Ok(serde_json::from_value(content)?)
}

/// The digest in a message, if there is that message in `body`, and one in it.
fn said(body: &Value, message: &str, place: &str) -> Option<Result<Digest>> {
    let message = signed(body.get(message)?).ok()?;
    let payload: Value = serde_json::from_str(&message.payload).ok()?;
    let digest = payload.pointer(place)?.clone();
    Some(serde_json::from_value(digest).map_err(Into::into))
}
