//! The operations besides the failover of a lost site, each as a journey: what comes before it in
//! peace, the one operation that meets the trouble, and how everything has to stand afterwards.
//!
//! Absent: the loss of a site (`run`), and what must hold (`judge`).

use crate::case::Trouble;
use crate::judge::{self, Stood};
use crate::run::{AFTERMATH_MS, Ground, Report, arm, simulated};
use anyhow::{Context, Result};
use protector_actors::Care;
use protector_lab::cloud::Allow;
use protector_lab::courier::Endpoint;
use protector_lab::story::{
    OperationRun, Protected, delete_server, drill, extend_volume, failback, planned_failover,
    protect, reprotect, take_point, test_cleanup, write_volumes,
};
use protector_lab::world::{Which, World, lock};
use std::collections::BTreeMap;
use std::time::Duration;

/// The write that the first point holds.
pub const GIVEN: u64 = 7;
/// The write after it, at home: a planned move takes it along.
pub const AT_HOME: u64 = 8;
/// The write after that, away: a failback brings it home.
pub const AWAY: u64 = 9;
/// What a volume grows to away from home, GiB.
pub const GROWN_GIB: u64 = 11;
/// Longer than a first replication of the way back, milliseconds.
const REVERSED_MS: u64 = 120_000;

/// What is asked for, and what the clouds are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journey {
    Planned,
    /// B's Nova boots nothing: everything goes back, and the source runs again (I8).
    PlannedGoesBack,
    Failback,
    /// At home a server has been deleted meanwhile, and a volume has grown away from it: the member gets a new
    /// server on its old volumes, and Cinder there learns the size first.
    FailbackToLess,
    /// A's Nova starts nothing: the members stay at B, with what was written there.
    FailbackGoesBack,
    Drill,
    /// B's Nova boots nothing: nothing of the drill stays.
    DrillGoesBack,
    Cleanup,
}

/// How a journey has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Everything stands as at the end of this one.
    pub like: Journey,
    pub status: &'static str,
    pub outcome: &'static str,
}

impl Journey {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Planned,
        Self::PlannedGoesBack,
        Self::Failback,
        Self::FailbackToLess,
        Self::FailbackGoesBack,
        Self::Drill,
        Self::DrillGoesBack,
        Self::Cleanup,
    ];

    /// The site that runs it: the one that becomes primary, or the drill's.
    pub fn runner(self) -> Which {
        match self {
            _ if self.is_way_home() => Which::A,
            _ => Which::B,
        }
    }

    /// How it ends if nobody stops it.
    pub fn as_asked(self) -> Ends {
        let (status, outcome) = match self {
            Self::Planned | Self::Failback | Self::FailbackToLess | Self::Drill | Self::Cleanup => {
                ("completed", "full")
            }
            Self::PlannedGoesBack | Self::FailbackGoesBack => ("failed", "rolled_back"),
            Self::DrillGoesBack => ("failed", "partial"),
        };
        Ends {
            like: self,
            status,
            outcome,
        }
    }

    /// How it ends if somebody cancels it in time: as if it had had to go back.
    pub fn cancelled(self) -> Ends {
        let like = match self {
            Self::Planned => Self::PlannedGoesBack,
            Self::Failback => Self::FailbackGoesBack,
            Self::Drill => Self::DrillGoesBack,
            other => other,
        };
        Ends {
            like,
            status: "failed",
            outcome: "cancelled",
        }
    }

    /// Where the members run at its end, and the write that their volumes hold.
    pub fn home(self) -> (Which, u64) {
        match self {
            Self::Planned => (Which::B, AT_HOME),
            Self::Failback | Self::FailbackToLess => (Which::A, AWAY),
            Self::FailbackGoesBack => (Which::B, AWAY),
            _ => (Which::A, AT_HOME),
        }
    }

    fn is_way_home(self) -> bool {
        matches!(
            self,
            Self::Failback | Self::FailbackToLess | Self::FailbackGoesBack
        )
    }

    /// Everything is at home again in the end, and nothing of ours is left at the other site.
    pub(crate) fn came_home(self) -> bool {
        matches!(self, Self::Failback | Self::FailbackToLess)
    }
}

/// Runs one case in a paused runtime of its own.
///
/// # Errors
/// The world could not be built, or never came to rest.
pub fn travel(seed: u64, journey: Journey, trouble: &Trouble, care: Care) -> Result<Report> {
    travel_on(&Ground::in_memory(seed, care), journey, trouble)
}

/// As `travel`, on the given ground.
///
/// # Errors
/// As `travel`.
pub fn travel_on(ground: &Ground, journey: Journey, trouble: &Trouble) -> Result<Report> {
    let case = one(ground, journey, trouble);
    simulated(case).with_context(|| format!("seed {}, {journey:?}, {trouble}", ground.seed))
}

async fn one(ground: &Ground, journey: Journey, trouble: &Trouble) -> Result<Report> {
    let mut world = World::build(ground.options()).await?;
    let group = protect(&world).await?;
    before(&mut world, &group, journey).await?;
    set_scene(&world, journey);
    let stood = Stood::of(&world);
    let runner = journey.runner();
    let (noted, passed) = (
        world.fabric.notes().len(),
        world.site(runner).crash.seen().len(),
    );
    arm(&world, runner, trouble);
    let run = go(&mut world, &group, journey).await?;
    tokio::time::sleep(Duration::from_millis(AFTERMATH_MS)).await;
    let violations = judge::violations(&world, &stood, &journey.as_asked(), &run).await?;
    let notes = world.fabric.notes().split_off(noted);
    let host = runner.api_host();
    let report = Report {
        trouble: trouble.clone(),
        violations,
        places: world.site(runner).crash.seen().split_off(passed),
        calls: notes.iter().filter(|n| n.from == host).count() as u64,
        crashes: run.crashes,
        notes,
    };
    world.a.crash();
    world.b.crash();
    Ok(report)
}

pub(crate) async fn before(world: &mut World, group: &Protected, journey: Journey) -> Result<()> {
    take_point(world, group, GIVEN).await?;
    write_volumes(world, Which::A, AT_HOME)?;
    if journey.is_way_home() {
        planned_failover(world, group).await?;
        write_volumes(world, Which::B, AWAY)?;
        if journey == Journey::FailbackToLess {
            less_at_home(world).await?;
        }
        reprotect(world, group, Which::B).await?;
        tokio::time::sleep(Duration::from_millis(REVERSED_MS)).await;
    }
    if journey == Journey::Cleanup {
        drill(world, group, &isolated(world)?).await?;
    }
    Ok(())
}

/// The first server is deleted at home, and the last volume grows away from it.
async fn less_at_home(world: &World) -> Result<()> {
    let truth = |which: Which| lock(&world.site(which).cloud).ground_truth(world.now_ms());
    let service = async |which: Which, path: &str| -> Result<Endpoint> {
        let admin = world.admin_endpoint(which).await?;
        let path = path.replace("{project}", &admin.project);
        let url = format!("http://{}/{path}", which.cloud_host());
        Ok(Endpoint { url, ..admin })
    };
    let a_server = truth(Which::A).servers.into_iter().next();
    let a_server = a_server.context("a server at home")?;
    let nova = service(Which::A, "compute/v2.1").await?;
    delete_server(&nova, &a_server.id).await?;
    let mut used = truth(Which::B).volumes.into_iter();
    let grows = used.rfind(|v| v.status == "in-use");
    let cinder = service(Which::B, "volume/v3/{project}").await?;
    extend_volume(&cinder, &grows.context("a volume")?.id, GROWN_GIB).await?;
    Ok(())
}

fn isolated(world: &World) -> Result<BTreeMap<String, String>> {
    let network = |which: Which, number: usize| {
        let networks = &world.tenant(which).standard.networks;
        networks.get(number).cloned().context("a network")
    };
    Ok(BTreeMap::from([(
        network(Which::A, 0)?,
        network(Which::B, 2)?,
    )]))
}

fn set_scene(world: &World, journey: Journey) {
    match journey {
        Journey::PlannedGoesBack | Journey::DrillGoesBack => {
            lock(&world.b.cloud).knobs.boots_refused = Some("No valid host was found.".to_owned());
        }
        Journey::FailbackGoesBack => {
            let rule = "os_compute_api:servers:start".to_owned();
            let policies = &mut lock(&world.a.cloud).knobs.policies;
            policies.insert(rule, Allow::Nobody);
        }
        _ => {}
    }
}

pub(crate) async fn go(
    world: &mut World,
    group: &Protected,
    journey: Journey,
) -> Result<OperationRun> {
    match journey {
        Journey::Planned | Journey::PlannedGoesBack => planned_failover(world, group).await,
        way_home if way_home.is_way_home() => failback(world, group).await,
        Journey::Drill | Journey::DrillGoesBack => {
            let networks = isolated(world)?;
            drill(world, group, &networks).await
        }
        _ => test_cleanup(world, group).await,
    }
}
