//! A journey that somebody cancels: as soon as its runner has passed a given place (I13).
//!
//! Absent: the loss of a site; its cancel has a test of its own.

use crate::case::Trouble;
use crate::journey::{self, Journey};
use crate::judge::{self, Stood};
use crate::run::{AFTERMATH_MS, Report, named_world, simulated};
use anyhow::{Context, Result, bail};
use http::Method;
use protector_actors::Care;
use protector_lab::courier::{CourierError, Endpoint};
use protector_lab::story::protect;
use protector_lab::world::{CrashSwitch, Strike, World, WorldOptions};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Looks for the place, and the pause between two of them.
const LOOKS_MAX: u32 = 400_000;
const LOOK_MS: u64 = 5;

/// Runs one journey that is cancelled behind `place`; `killed`: and its engine is killed at the first undo.
/// A cancel that comes too late is refused, and the journey ends as if nobody had asked.
///
/// # Errors
/// The world could not be built, never came to rest, or never came to the place.
pub fn travel_cancelled(seed: u64, journey: Journey, place: &str, killed: bool) -> Result<Report> {
    let case = one(seed, journey, place, killed);
    simulated(case).with_context(|| format!("seed {seed}, {journey:?}, cancelled behind {place}"))
}

async fn one(seed: u64, journey: Journey, place: &str, killed: bool) -> Result<Report> {
    let options = WorldOptions {
        care: Care::default(),
        ..WorldOptions::seeded(&named_world(), seed)
    };
    let mut world = World::build(options).await?;
    let group = protect(&world).await?;
    journey::before(&mut world, &group, journey).await?;
    let stood = Stood::of(&world);
    let runner = journey.runner();
    let crash = world.site(runner).crash.clone();
    let passed = crash.seen().len();
    if killed {
        crash.arm(Strike {
            place: "after_intent:undo".to_owned(),
            skip: 0,
        });
    }
    let asker = Asker {
        at: world.endpoint(runner).await?,
        group: group.group.clone(),
        crash: crash.clone(),
        passed,
    };
    let (run, cancelled) = tokio::join!(
        journey::go(&mut world, &group, journey),
        asker.cancel_behind(place)
    );
    let (run, heard) = (run?, cancelled?);
    tokio::time::sleep(Duration::from_millis(AFTERMATH_MS)).await;
    // Killed before it could answer, it may have written the wish down or not.
    let is_cancelled = run.operation.get("outcome").and_then(Value::as_str) == Some("cancelled");
    let ends = if heard.unwrap_or(is_cancelled) {
        journey.cancelled()
    } else {
        journey.as_asked()
    };
    let violations = judge::violations(&world, &stood, &ends, &run).await?;
    let report = Report {
        trouble: Trouble::Crash(format!("cancel behind {place}")),
        violations,
        places: crash.seen().split_off(passed),
        calls: 0,
        crashes: run.crashes,
        notes: Vec::new(),
    };
    world.a.crash();
    world.b.crash();
    Ok(report)
}

struct Asker {
    at: Endpoint,
    group: String,
    crash: Arc<CrashSwitch>,
    passed: usize,
}

impl Asker {
    /// True if the cancel was accepted; false if it came too late; nothing if nothing was heard.
    async fn cancel_behind(&self, place: &str) -> Result<Option<bool>> {
        for _ in 0..LOOKS_MAX {
            let seen = self.crash.seen();
            let mut seen = seen.iter().skip(self.passed).map(|p| in_any_run(p));
            if seen.any(|p| p == in_any_run(place)) {
                return self.cancel().await;
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        }
        bail!("the engine never came there")
    }

    async fn cancel(&self) -> Result<Option<bool>> {
        let path = format!("/operations?group={}", self.group);
        let listed = self.at.call(Method::GET, &path, None).await?;
        let all = listed.get("operations").and_then(Value::as_array);
        let ids = all
            .into_iter()
            .flatten()
            .filter_map(|o| o.get("id")?.as_str());
        let newest = ids.max().context("an operation")?;
        let path = format!("/operations/{newest}/action");
        let order = json!({ "cancel": {} });
        match self.at.call(Method::POST, &path, Some(&order)).await {
            Ok(_) => Ok(Some(true)),
            Err(no) if too_late(&no) => Ok(Some(false)),
            Err(no) if no.is_unanswered() => Ok(None),
            Err(other) => Err(other.into()),
        }
    }
}

/// A place without the operation's id, which is another one in every run.
fn in_any_run(place: &str) -> (&str, &str) {
    let (position, key) = place.rsplit_once(':').unwrap_or((place, ""));
    (position, key.split_once('/').map_or(key, |(_, rest)| rest))
}

fn too_late(no: &CourierError) -> bool {
    matches!(no.code(), "past_no_return" | "operation_ended")
}
