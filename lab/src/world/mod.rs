//! Two pretend sites, whole: a cloud and an array each, the product on both, one network between
//! everything. What happens in it is judged from its ground truth.
//!
//! Absent: what a story does with it (`story`), and what must hold (`chaos-tests`).

mod backend;
mod crash;
mod marks;
mod options;
mod records;
pub(crate) mod register;
mod site;
pub(crate) mod tenant;

pub use backend::ArrayBackend;
pub use crash::{CrashSwitch, Strike};
pub use options::{Which, WorldOptions};
pub use site::LabSite;
pub(crate) use site::{SERVICE_PASSWORD, cloud_config};
pub use tenant::Tenant;

use crate::cloud::{Cloud, CloudConfig, routes};
use crate::courier::Endpoint;
use crate::net::{Fabric, FabricOptions};
use anyhow::{Context, Result};
use protector_runtime::clock::{Clock, TokioClock};
use protector_runtime::remote::in_process;
use protector_storage_drivers::link::SharedWorld;
use protector_storage_drivers::model::Control;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// When every world begins: 2026-01-01T00:00:00Z, Unix microseconds.
pub const START_US: i64 = 1_767_225_600_000_000;
/// What the two arrays replicate with.
const BANDWIDTH_BYTES_PER_S: u64 = 10 * (1 << 30);
/// Where the tenant works.
pub const LAPTOP: &str = "laptop";

/// Both sites and everything around them.
pub struct World {
    pub options: WorldOptions,
    pub clock: Arc<dyn Clock>,
    pub fabric: Fabric,
    pub arrays: SharedWorld,
    pub a: LabSite,
    pub b: LabSite,
    /// The tenant at each site.
    pub tenants: [Tenant; 2],
}

/// A lock that a panic elsewhere does not take away.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// Builds clouds, arrays and network, boots both sites, and has their administrators introduce
    /// them to each other.
    ///
    /// # Errors
    /// Whatever does not come up.
    pub async fn build(options: WorldOptions) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_at(START_US));
        let latency = FabricOptions {
            latency_min_ms: options.latency_min_ms,
            latency_max_ms: options.latency_max_ms,
        };
        let fabric = Fabric::new(options.seed, clock.clone(), latency);
        let arrays = two_arrays(options.seed, clock.clone())?;
        let mut sites = Vec::new();
        let mut tenants = Vec::new();
        for which in [Which::A, Which::B] {
            let base_url = format!("http://{}", which.cloud_host());
            let cloud = one_cloud(which, base_url, options.seed, &arrays);
            let (cloud, tenant) = tenant::seed(which, cloud, &options, clock.now_us() / 1_000)?;
            let cloud = Arc::new(Mutex::new(cloud));
            let now = clock.clone();
            let face = routes(cloud.clone(), Arc::new(move || now.now_us() / 1_000));
            fabric.serve(&which.cloud_host(), in_process(warp::service(face)));
            tenants.push(tenant);
            sites.push(LabSite::new(
                which,
                cloud,
                &options,
                clock.clone(),
                &fabric,
                &arrays,
            )?);
        }
        for array in [Which::A.array(), Which::B.array()] {
            fabric.up(array);
        }
        let [a, b]: [LabSite; 2] = sites.try_into().map_err(|_| anyhow::anyhow!("two sites"))?;
        let tenants: [Tenant; 2] = tenants
            .try_into()
            .map_err(|_| anyhow::anyhow!("two tenants"))?;
        let mut world = Self {
            options,
            clock,
            fabric,
            arrays,
            a,
            b,
            tenants,
        };
        world.a.boot().await.context("booting site-a")?;
        world.b.boot().await.context("booting site-b")?;
        register::introduce(&world)
            .await
            .context("introducing the sites to each other")?;
        Ok(world)
    }

    pub fn site(&self, which: Which) -> &LabSite {
        match which {
            Which::A => &self.a,
            Which::B => &self.b,
        }
    }

    pub fn site_mut(&mut self, which: Which) -> &mut LabSite {
        match which {
            Which::A => &mut self.a,
            Which::B => &mut self.b,
        }
    }

    pub fn tenant(&self, which: Which) -> &Tenant {
        let [a, b] = &self.tenants;
        match which {
            Which::A => a,
            Which::B => b,
        }
    }

    /// The site as the tenant's laptop reaches it, with a fresh token.
    ///
    /// # Errors
    /// Keystone does not answer, or refuses.
    pub async fn endpoint(&self, which: Which) -> Result<Endpoint> {
        let http = self.fabric.client(LAPTOP);
        let tenant = self.tenant(which);
        let token = tenant.token(http.clone(), &which.auth_url()).await?;
        Ok(Endpoint {
            url: format!("http://{}", which.api_host()),
            token,
            project: tenant.project.clone(),
            http,
        })
    }

    /// The site as its administrator reaches it, with a fresh token.
    ///
    /// # Errors
    /// Keystone does not answer, or refuses.
    pub async fn admin_endpoint(&self, which: Which) -> Result<Endpoint> {
        let http = self.fabric.client(LAPTOP);
        let tenant = self.tenant(which);
        let standard = &tenant.standard;
        let (user, project) = (&standard.admin_user, &standard.admin_project);
        let token = tenant::token_of(http.clone(), &which.auth_url(), user, project).await?;
        Ok(Endpoint {
            url: format!("http://{}", which.api_host()),
            token,
            project: project.clone(),
            http,
        })
    }

    /// Another tenant at both sites, whose things are called as the first one's are. `tenants` may be exchanged
    /// for it: whoever asks then is that one.
    ///
    /// # Errors
    /// A cloud that cannot be filled; a refusal of an administrator's request.
    pub async fn another_tenant(&self) -> Result<[Tenant; 2]> {
        let seed = |which| {
            let cloud = &mut lock(&self.site(which).cloud);
            let (first, now_ms) = (self.tenant(which), self.now_ms());
            tenant::seed_another(which, cloud, first, &self.options, now_ms)
        };
        let (a, b) = (seed(Which::A)?, seed(Which::B)?);
        let projects = [a.project.clone(), b.project.clone()];
        register::introduce_tenant(self, projects).await?;
        Ok([a, b])
    }

    /// The site is gone: its cloud, its array, its product.
    pub fn lose(&mut self, which: Which) {
        self.fabric.down(&which.cloud_host());
        self.fabric.down(which.array());
        self.site_mut(which).crash();
    }

    /// The lost site is there again: its cloud with everything as it was, its array, its product on the
    /// database of its last life.
    ///
    /// # Errors
    /// The product does not come up.
    pub async fn come_back(&mut self, which: Which) -> Result<()> {
        self.fabric.up(&which.cloud_host());
        self.fabric.up(which.array());
        self.site_mut(which).boot().await
    }

    pub fn now_ms(&self) -> i64 {
        self.clock.now_us() / 1_000
    }
}

pub(crate) fn two_arrays(seed: u64, clock: Arc<dyn Clock>) -> Result<SharedWorld> {
    let world = SharedWorld::new(seed, clock);
    let (a, b) = (Which::A.array().to_owned(), Which::B.array().to_owned());
    world.control(Control::ArrayAdd { name: a.clone() })?;
    world.control(Control::ArrayAdd { name: b.clone() })?;
    world.control(Control::LinkAdd {
        a,
        b,
        bandwidth_bytes_per_s: BANDWIDTH_BYTES_PER_S,
    })?;
    Ok(world)
}

pub(crate) fn one_cloud(which: Which, base_url: String, seed: u64, arrays: &SharedWorld) -> Cloud {
    let backend = ArrayBackend {
        world: arrays.clone(),
        array: which.array().to_owned(),
    };
    let seed = seed.wrapping_mul(2).wrapping_add(which.number());
    let config = CloudConfig {
        base_url,
        ..CloudConfig::named(which.name(), seed)
    };
    Cloud::new(config, Arc::new(backend))
}
