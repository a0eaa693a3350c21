//! `protector-lab e2e`: two real daemons, two real OpenStack clouds, and the story told on them, judged from
//! what the clouds say of themselves.
//!
//! Absent: bringing clouds and databases up (`cargo xtask e2e` does).

mod array;
mod census;
mod cloud;
mod daemon;
mod judge;
mod kills;
mod ledger;
mod places;
mod portrait;
mod setup;
mod story;
mod tenant;

use anyhow::{Context, Result, bail};
use places::Places;
use protector_runtime::remote::{ReqwestOptions, reqwest_service};
use std::path::PathBuf;
use story::Story;
use tokio::signal::unix::{SignalKind, signal};

/// What the story is told with.
#[derive(Debug, Clone, clap::Args)]
pub struct E2eOptions {
    /// `openstack.json` of the two clouds.
    #[arg(long)]
    pub openstack: PathBuf,
    /// An empty directory, or one that is made: the daemons' own files and logs.
    #[arg(long)]
    pub state: PathBuf,
    /// Only away on purpose, and the loss of the site where the group then is.
    #[arg(long)]
    pub short: bool,
    /// Instead: so many moves there and back, each with daemons killed at random instants.
    #[arg(long, conflicts_with = "short", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub kills: Option<u16>,
    /// Instead: keep both daemons up, introduced to each other and with nothing protected, until SIGTERM; a file
    /// `ready` in the state directory says when
    #[arg(long, conflicts_with_all = ["short", "kills"])]
    pub serve: bool,
    /// Same seed, same instants.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Database of site-a. Better given by the environment: arguments are public.
    #[arg(long, env = "PROTECTOR_E2E_DATABASE_A", hide_env_values = true)]
    pub database_a: String,
    /// Database of site-b.
    #[arg(long, env = "PROTECTOR_E2E_DATABASE_B", hide_env_values = true)]
    pub database_b: String,
}

/// Tells it; true if everything was as it has to be.
///
/// # Errors
/// The story breaks off.
pub async fn e2e(options: E2eOptions) -> Result<bool> {
    let places = Places::read(&options.openstack)?;
    if std::fs::read_dir(&options.state).is_ok_and(|mut found| found.next().is_some()) {
        let state = options.state.display();
        bail!("{state} is not empty: the story begins with new sites; give an empty directory");
    }
    std::fs::create_dir_all(&options.state)?;
    let state = std::path::absolute(&options.state)?;
    let programs = std::env::current_exe()?;
    let programs = programs.parent().context("no directory of programs")?;
    let databases = [options.database_a.as_str(), &options.database_b];
    let http = reqwest_service(ReqwestOptions::default())?;
    if options.serve {
        let _daemons = daemon::up(&places, &http, &state, programs, databases).await?;
        setup::introduce(&http, &places).await?;
        std::fs::write(state.join("ready"), "")?;
        until_terminated().await?;
        return Ok(true);
    }
    let mut story = Story::begin(&places, &http, &state, programs, databases).await?;
    if let Some(runs) = options.kills {
        story.kill_loop(runs, options.seed).await?;
        return Ok(story.end());
    }
    story.away().await?;
    if options.short {
        story.loss_abroad().await?;
    } else {
        story.meanwhile().await?;
        story.home().await?;
        story.loss().await?;
        story.return_of_the_lost().await?;
    }
    Ok(story.end())
}

async fn until_terminated() -> Result<()> {
    let mut told = signal(SignalKind::terminate())?;
    told.recv().await;
    Ok(())
}
