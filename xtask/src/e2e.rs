//! `cargo xtask e2e`: two real daemons, each on a database server of its own, on two real OpenStack clouds made anew,
//! through the story, or under the client's tour; everything is taken down afterwards.
//!
//! Deliberately absent: the story (`protector-lab e2e`), the tour (`tests.tour` of the client), and skipping.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use crate::clients;
use crate::clock;
use crate::mariadb::Server;
use crate::openstack::{self, Ask, Place};
use crate::process::{Group, Interrupt};

/// Most time of the story.
const STORY_LIMIT: Duration = Duration::from_secs(3 * 60 * 60);
/// Most time until both daemons serve.
const SERVE_LIMIT: Duration = Duration::from_secs(3 * 60);
/// Most time of the tour.
const TOUR_LIMIT: Duration = Duration::from_secs(20 * 60);
/// Beside another pair of clouds on the same machine.
const PORT_OFFSET: u16 = 500;
/// Of each site on its own server.
const DATABASE: &str = "protector";

/// How it is told.
#[derive(Debug, Clone, Args)]
pub struct Ways {
    /// Two legs only: away on purpose, and back by force when that site is lost
    #[arg(long)]
    short: bool,
    /// Instead: the tour of the client's README, command by command, compared with what stands there
    #[arg(long, conflicts_with = "short")]
    tour: bool,
    /// Leave clouds, state and logs as they are at the end
    #[arg(long)]
    keep: bool,
}

/// What the story's program is told besides.
#[derive(Debug, Clone, Copy)]
enum Telling {
    Whole,
    Short,
    Tour,
    Kills { runs: u16, seed: u64 },
}

/// How often engines are killed.
#[derive(Debug, Clone, Args)]
pub struct Kills {
    /// Moves of the group
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    runs: u16,
    /// Same seed, same instants
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave clouds, state and logs as they are at the end
    #[arg(long)]
    keep: bool,
}

/// The clouds, taken down on drop.
struct Clouds<'a> {
    root: &'a Path,
    place: Place,
    keep: bool,
}

impl Clouds<'_> {
    fn tell(&self, ask: &Ask, interrupt: &Interrupt) -> anyhow::Result<()> {
        let code = openstack::run(self.root, &self.place, ask, interrupt)?;
        let well = code == ExitCode::SUCCESS;
        well.then_some(())
            .with_context(|| format!("{ask:?} failed"))
    }
}

impl Drop for Clouds<'_> {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        // Also after a signal: that is why it does not listen for one.
        if let Err(error) = self.tell(&Ask::Down { kill: None }, &Interrupt::default()) {
            eprintln!("warning: {error:#}");
        }
    }
}

/// Tells it from the beginning.
///
/// Errors: something cannot be installed or started; the text says which and why.
pub fn run(root: &Path, ways: &Ways, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    let telling = match (ways.short, ways.tour) {
        (true, _) => Telling::Short,
        (_, true) => Telling::Tour,
        _ => Telling::Whole,
    };
    tell(root, telling, ways.keep, interrupt)
}

/// Moves the group there and back, killing daemons on the way.
///
/// Errors: as `run`.
pub fn kill_loop(root: &Path, kills: &Kills, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    let (runs, seed) = (kills.runs, kills.seed);
    tell(root, Telling::Kills { runs, seed }, kills.keep, interrupt)
}

fn tell(
    root: &Path,
    telling: Telling,
    keep: bool,
    interrupt: &Interrupt,
) -> anyhow::Result<ExitCode> {
    let home = root.join("target/e2e");
    let place = Place {
        dir: Some(home.join("openstack")),
    };
    let clouds = Clouds { root, place, keep };
    if home.exists() {
        clouds.tell(&Ask::Down { kill: None }, interrupt)?;
        fs::remove_dir_all(&home)?;
    }
    fs::create_dir_all(&home)?;
    let up = Ask::Up {
        port_offset: Some(PORT_OFFSET),
    };
    clouds.tell(&up, interrupt)?;
    let set = match telling {
        Telling::Tour => "tour",
        _ => "fidelity",
    };
    let (site, set) = ("site-a".to_owned(), set.to_owned());
    clouds.tell(&Ask::SeedServers { site, set }, interrupt)?;
    let databases = [
        Server::start(root, interrupt)?,
        Server::start(root, interrupt)?,
    ];
    let [a, b] = &databases;
    let program = openstack::product(root, interrupt)?;
    let mut story = Command::new(program);
    story
        .args(["e2e", "--openstack"])
        .arg(home.join("openstack/openstack.json"))
        .arg("--state")
        .arg(home.join("state"))
        .env("PROTECTOR_E2E_DATABASE_A", a.database(DATABASE)?)
        .env("PROTECTOR_E2E_DATABASE_B", b.database(DATABASE)?);
    match telling {
        Telling::Whole => {}
        Telling::Short => drop(story.arg("--short")),
        Telling::Tour => return tour(root, &home, story.arg("--serve"), interrupt),
        Telling::Kills { runs, seed } => {
            story.arg(format!("--kills={runs}"));
            story.arg(format!("--seed={seed}"));
        }
    }
    let status = Group::spawn(&mut story)?.wait(STORY_LIMIT, interrupt)?;
    Ok(ExitCode::from(u8::from(!status.success())))
}

/// The tour on both clouds, while `serve` keeps the daemons up.
fn tour(
    root: &Path,
    home: &Path,
    serve: &mut Command,
    interrupt: &Interrupt,
) -> anyhow::Result<ExitCode> {
    let python = clients::plugin_python(root, interrupt)?;
    let mut daemons = Group::spawn(serve)?;
    let ready = home.join("state/ready");
    let up = clock::wait_until(SERVE_LIMIT, || {
        interrupt.check()?;
        if let Some(status) = daemons.ended()? {
            bail!("the daemons ended at once: {status}");
        }
        Ok(ready.exists().then_some(()))
    })?;
    up.context("the daemons did not come up")?;
    let mut walk = Command::new(python);
    walk.args(["-m", "tests.tour", "--against"])
        .arg(home.join("openstack/clouds.yaml"))
        .current_dir(root.join(clients::PLUGIN));
    let status = Group::spawn(&mut walk)?.wait(TOUR_LIMIT, interrupt)?;
    Ok(ExitCode::from(u8::from(!status.success())))
}
