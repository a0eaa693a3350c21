//! One site of the world over all its lives: what outlives a crash stands here, what does not is
//! made anew by `boot`.

use super::crash::CrashSwitch;
use super::marks::MemMark;
use super::options::{Which, WorldOptions};
use super::records::witnessed;
use crate::cloud::Cloud as CloudModel;
use crate::net::{Fabric, FabricArrayLink};
use anyhow::Result;
use protector_actors::{AdminOptions, Care, Doubted, Memory};
use protector_domain::admin::SiteCredential;
use protector_domain::ids::{ArrayId, SiteId};
use protector_domain::ports::{Cloud, PeerAddress, PeerDial};
use protector_http::ApiOptions;
use protector_openstack::{CloudConfig, Credential, Interface, OpenStackCloud};
use protector_runtime::clock::Clock;
use protector_runtime::ctx::Ctx;
use protector_runtime::entropy::SeededEntropy;
use protector_runtime::introspect::Tree;
use protector_runtime::remote::{RemoteOptions, in_process};

use protector_storage_drivers::link::{ArrayLink, SharedWorld};
use protector_storage_drivers::mock::MockDriver;
use protector_store::{KeySource, MemKeeper, SealingKey, Store, StoreConfig};
use protectord::{BootParts, RunningSite, boot, identity};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Password of every user in every pretend cloud.
pub(crate) const SERVICE_PASSWORD: &str = "secret";
/// How long the product waits for a pretend service, milliseconds.
const CALL_TIMEOUT_MS: u64 = 10_000;

pub struct LabSite {
    pub which: Which,
    pub id: SiteId,
    pub cloud: Arc<Mutex<CloudModel>>,
    pub crash: Arc<CrashSwitch>,
    pub running: Option<RunningSite>,
    /// Taken by the next boot.
    pub care: Care,
    /// Beside its key: no database of it has this.
    pub marks: Arc<MemMark>,
    seed: u64,
    lives: u64,
    clock: Arc<dyn Clock>,
    fabric: Fabric,
    arrays: Arc<dyn ArrayLink>,
    addresses: BTreeMap<ArrayId, String>,
    database: Database,
    sealing: SealingKey,
}

/// Where the site remembers.
enum Database {
    Memory(MemKeeper),
    At { url: SecretString, replays: bool },
}

impl Database {
    fn of(which: Which, options: &WorldOptions) -> Result<Self> {
        let Some([a, b]) = &options.databases else {
            let name = format!("{}-{}", options.name, which.name());
            return Ok(Self::Memory(MemKeeper::open(&name)?));
        };
        let url = match which {
            Which::A => a.clone(),
            Which::B => b.clone(),
        };
        let replays = options.replays;
        Ok(Self::At { url, replays })
    }

    fn config(&self) -> StoreConfig {
        let (url, replays) = match self {
            Self::Memory(keeper) => (keeper.url(), true),
            Self::At { url, replays } => (url.expose_secret().to_owned(), *replays),
        };
        StoreConfig::new(url)
            .inline(replays)
            .synchronous_full(!replays)
    }
}

impl LabSite {
    pub(super) fn new(
        which: Which,
        cloud: Arc<Mutex<CloudModel>>,
        options: &WorldOptions,
        clock: Arc<dyn Clock>,
        fabric: &Fabric,
        arrays: &SharedWorld,
    ) -> Result<Self> {
        let truth = arrays.ground_truth();
        let addresses = truth
            .arrays
            .iter()
            .map(|(name, array)| (ArrayId(array.id.clone()), name.clone()));
        let seed = options.seed.wrapping_mul(16).wrapping_add(which.number());
        Ok(Self {
            which,
            id: which.site_id(),
            cloud,
            crash: Arc::default(),
            running: None,
            care: options.care.clone(),
            marks: Arc::default(),
            seed,
            lives: 0,
            fabric: fabric.clone(),
            arrays: Arc::new(arrays.clone()),
            clock,
            addresses: addresses.collect(),
            database: Database::of(which, options)?,
            sealing: SealingKey::new(1, [7; 32]),
        })
    }

    /// The id that the array called `name` gives of itself.
    pub fn array_id(&self, name: &str) -> Option<ArrayId> {
        self.addresses
            .iter()
            .find(|(_, address)| *address == name)
            .map(|(id, _)| id.clone())
    }

    /// Time, randomness and crash points of the next life.
    pub fn ctx(&self) -> Ctx {
        Ctx {
            clock: self.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(
                self.seed.wrapping_mul(1_000).wrapping_add(self.lives),
            )),
            crash: self.crash.clone(),
            tree: Arc::new(Tree::default()),
            site: self.which.name().to_owned(),
        }
    }

    /// Its database, also while it is down.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn open_store(&self, ctx: &Ctx) -> Result<Store> {
        let key = KeySource::Given(self.sealing.clone());
        let config = self.database.config().key(key);
        let store = Store::open(config, ctx.clone()).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Comes up on the database of its last life.
    ///
    /// # Errors
    /// Whatever does not come up.
    pub async fn boot(&mut self) -> Result<()> {
        self.lives += 1;
        let host = self.which.api_host();
        self.fabric.up(&host);
        let ctx = self.ctx();
        let store = self.open_store(&ctx).await?;
        let dial = FabricDial {
            fabric: self.fabric.clone(),
            host: host.clone(),
            ctx: ctx.clone(),
        };
        let cloud = dial.connect(cloud_config(self.which.auth_url()));
        let link = FabricArrayLink {
            fabric: self.fabric.clone(),
            from: self.fabric.origin(&host),
            inner: self.arrays.clone(),
        };
        let parts = BootParts {
            ctx,
            store,
            site: self.id,
            cloud,
            dial: Arc::new(dial),
            storage: Arc::new(MockDriver::new(Arc::new(link), self.addresses.clone())),
            marks: self.marks.clone(),
            care: self.care.clone(),
            admin: AdminOptions::default(),
            api: ApiOptions::default(),
        };
        let running = boot(parts).await?;
        let api = in_process(warp::service(running.api.clone()));
        let witness = self.fabric.witness().clone();
        let api = witnessed(api, running.store.clone(), witness);
        self.fabric.serve(&host, api);
        self.running = Some(running);
        Ok(())
    }

    /// What `protector-manage db restored` does to the site while it is down.
    ///
    /// # Errors
    /// Its database; a group that the rules do not let through.
    pub async fn db_restored(&self) -> Result<Doubted> {
        let ctx = self.ctx();
        let store = self.open_store(&ctx).await?;
        let identity = identity::ensure(&store, &ctx, self.id).await?;
        let memory = Memory {
            store: &store,
            identity: &identity,
            marks: &*self.marks,
            ctx: &ctx,
        };
        let doubted = memory.restored().await;
        store.close().await;
        Ok(doubted?)
    }

    /// As a power failure: nothing is told, what was under way is lost.
    pub fn crash(&mut self) {
        self.fabric.down(&self.which.api_host());
        if let Some(running) = self.running.take() {
            running.crash();
        }
    }
}

/// Clouds, as one site's engine reaches them over the pretend network.
struct FabricDial {
    fabric: Fabric,
    host: String,
    ctx: Ctx,
}

impl FabricDial {
    fn connect(&self, config: CloudConfig) -> Cloud {
        let http = self.fabric.client(&self.host);
        Arc::new(OpenStackCloud::connect(config, http, self.ctx.clone())).ports()
    }
}

impl PeerDial for FabricDial {
    fn dial(&self, address: &PeerAddress, credential: &SiteCredential) -> Result<Cloud, String> {
        let remote = RemoteOptions {
            timeout_ms: CALL_TIMEOUT_MS,
            ..RemoteOptions::default()
        };
        Ok(self.connect(protectord::peer_config(address, credential, remote)))
    }
}

pub(crate) fn cloud_config(auth_url: String) -> CloudConfig {
    CloudConfig {
        auth_url,
        region_name: Some("RegionOne".to_owned()),
        interface: Interface::Public,
        credential: Credential::Password {
            username: "protector".to_owned(),
            user_domain_name: "Default".to_owned(),
            password: SecretString::from(SERVICE_PASSWORD),
            project_name: "service".to_owned(),
            project_domain_name: "Default".to_owned(),
        },
        remote: RemoteOptions {
            timeout_ms: CALL_TIMEOUT_MS,
            ..RemoteOptions::default()
        },
    }
}
