//! `protector-lab up`: both pretend sites on real sockets, for stock clients and for people. Clouds and
//! arrays live in memory, the sites' databases in files; time is the machine's. SIGUSR1 loses site-a
//! whole, SIGUSR2 brings it back.
//!
//! Absent: the pretend network with its faults (`world`), and coming up again on old files: the clouds
//! they belong to are gone.

mod files;
mod reach;
mod site;

use crate::courier::Endpoint;
use crate::world::register::{ArrayAt, Side, introduce_sides};
use crate::world::{SERVICE_PASSWORD, Which, WorldOptions, tenant, two_arrays};
use anyhow::{Context, Result};
use protector_domain::ids::ArrayId;
use protector_runtime::clock::{Clock, SystemClock};
use protector_runtime::remote::{HttpService, ReqwestOptions, reqwest_service};
use protector_storage_drivers::link::SharedWorld;
use protector_storage_drivers::model::{Control, LinkState};
use reach::Reach;
use site::{Arrays, UpSite};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// What the two sites are started with.
#[derive(Debug, Clone, clap::Args)]
pub struct UpOptions {
    /// An empty directory, or one that is made: databases, keys, `clouds.yaml`, `lab.json`,
    /// and `site-a.conf` and `site-b.conf` for `protector-manage`.
    #[arg(long)]
    pub state: PathBuf,
    /// VMs of the tenant at site-a.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub vms: u16,
    /// Volumes of all VMs together; each has at least one. Default: five for three.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=2_000))]
    pub volumes: Option<u16>,
    /// Same seed, same ids in the clouds.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Both sites, and what they share.
struct Up {
    sites: [UpSite; 2],
    arrays: Arrays,
}

/// Brings both sites up, says so, and keeps them until SIGTERM or SIGINT.
///
/// # Errors
/// Whatever does not come up, or back; a directory that is not empty.
pub async fn up(options: UpOptions) -> Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    let mut lose = signal(SignalKind::user_defined1())?;
    let mut back = signal(SignalKind::user_defined2())?;
    files::prepare(&options.state)?;
    let mut up = start(&options).await?;
    files::write(&options.state, &up.sites)?;
    let state = options.state.display();
    tell(&format!(
        "both sites are up: {state}\n  export OS_CLIENT_CONFIG_FILE={state}/clouds.yaml OS_CLOUD=site-a\n"
    ));
    loop {
        tokio::select! {
            biased;
            _ = term.recv() => break,
            _ = int.recv() => break,
            _ = lose.recv() => up.lose_a().await?,
            _ = back.recv() => up.bring_a_back().await?,
        }
    }
    for site in up.sites {
        site.stop().await;
    }
    Ok(())
}

impl Up {
    fn link(&self, state: LinkState) -> Result<()> {
        let (a, b) = (Which::A.array().to_owned(), Which::B.array().to_owned());
        Ok(self
            .arrays
            .world
            .control(Control::LinkState { a, b, state })?)
    }

    async fn lose_a(&mut self) -> Result<()> {
        self.link(LinkState::Cut)?;
        let [a, _] = &mut self.sites;
        a.lose(&self.arrays).await;
        tell("site-a is lost\n");
        Ok(())
    }

    async fn bring_a_back(&mut self) -> Result<()> {
        self.link(LinkState::Connected)?;
        let [a, _] = &mut self.sites;
        a.come_back(&self.arrays).await.context("site-a again")?;
        tell("site-a is back\n");
        Ok(())
    }
}

/// Who reads this may have gone away after the first line; the sites stay up all the same.
fn tell(told: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(told.as_bytes()).and_then(|()| out.flush()) {
        tracing::debug!(%error, "nobody reads what is told here");
    }
}

async fn start(options: &UpOptions) -> Result<Up> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let world = two_arrays(options.seed, clock.clone())?;
    let arrays = Arrays {
        ids: array_ids(&world),
        reach: Reach::new(world.clone()),
        world,
    };
    let vms = usize::from(options.vms);
    let world_options = WorldOptions {
        members: vms,
        volumes: options.volumes.map_or(vms * 5 / 3, usize::from).max(vms),
        ..WorldOptions::seeded("up", options.seed)
    };
    let http = reqwest_service(ReqwestOptions::default())?;
    let mut sites = Vec::new();
    for which in [Which::A, Which::B] {
        let starting = site::start(which, &options.state, &world_options, &arrays, &http);
        sites.push(starting.await.with_context(|| which.name())?);
    }
    let sites: [UpSite; 2] = sites.try_into().map_err(|_| anyhow::anyhow!("two sites"))?;
    let [a, b] = &sites;
    let (a, b) = (side(a, &http).await?, side(b, &http).await?);
    let named = arrays.ids.iter();
    let named: Vec<ArrayAt> = named
        .map(|(id, name)| ArrayAt::pretend(name, id.clone()))
        .collect();
    introduce_sides(&a, &b, &named)
        .await
        .context("introducing the sites to each other")?;
    Ok(Up { sites, arrays })
}

fn array_ids(world: &SharedWorld) -> std::collections::BTreeMap<ArrayId, String> {
    let truth = world.ground_truth();
    let arrays = truth.arrays.iter();
    arrays
        .map(|(name, array)| (ArrayId(array.id.clone()), name.clone()))
        .collect()
}

async fn side(site: &UpSite, http: &HttpService) -> Result<Side> {
    let standard = &site.tenant.standard;
    let (user, project) = (&standard.admin_user, &standard.admin_project);
    let token = tenant::token_of(http.clone(), &site.auth_url, user, project).await?;
    Ok(Side {
        which: site.which,
        admin: Endpoint {
            url: site.api_url.clone(),
            token,
            project: project.clone(),
            http: http.clone(),
        },
        auth_url: site.auth_url.clone(),
        project: site.tenant.project.clone(),
    })
}

/// Of every user of both clouds.
pub(crate) const PASSWORD: &str = SERVICE_PASSWORD;
