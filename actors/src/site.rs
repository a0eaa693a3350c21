//! One running site as its actors see it: ports, store, identity, and the way to each other.
//! Also where the supervision tree is built.
//!
//! Absent: configuration files and the choice of adapters (`protectord`).

use crate::array_session::ArraySessions;
use crate::care::Care;
use crate::groups::Groups;
use crate::overtaken::Overtaken;
use crate::restored::Memory;
use crate::site_connection::{self, Watch};
use crate::sweepers::{self, SweeperMsg};
use protector_domain::ids::{GroupId, OperationId, SiteId};
use protector_domain::ports::{Cloud, MarkError, MarkKeeper, PeerDial, StorageDriver};
use protector_domain::sync::{Output, Peer, SigningIdentity};
use protector_runtime::ctx::Ctx;
use protector_runtime::mailbox::Mailbox;
use protector_runtime::supervisor::{Supervisor, SupervisorOptions};
use protector_store::Store;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// The other sites' OpenStack, by site (design: whose rights).
pub type PeerClouds = BTreeMap<SiteId, Cloud>;

/// The other sites, with their pinned keys.
pub type Peers = BTreeMap<SiteId, Peer>;

/// What a site is made of.
pub struct SiteParts {
    pub ctx: Ctx,
    pub store: Store,
    pub identity: SigningIdentity,
    pub peers: Peers,
    pub cloud: Cloud,
    /// Those of which a login is known at the start.
    pub peer_clouds: PeerClouds,
    /// Makes those that are registered while the site runs.
    pub dial: Arc<dyn PeerDial>,
    pub storage: Arc<dyn StorageDriver>,
    /// The restore mark beside the identity key; the database has been held against it.
    pub marks: Arc<dyn MarkKeeper>,
    pub care: Care,
}

/// Why a site did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the supervision tree could not be started: {0}")]
    Tree(String),
    #[error(transparent)]
    Mark(#[from] MarkError),
}

struct Inner {
    parts: SiteParts,
    peers: RwLock<Arc<Peers>>,
    peer_clouds: RwLock<PeerClouds>,
    overtaken: Overtaken,
    mark: AtomicU64,
    watch: Watch,
    groups: Groups,
    sweeper: OnceLock<Mailbox<SweeperMsg>>,
}

/// Cheap to clone; every actor of the site holds one.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

/// Restarts a supervisor bears before it gives up; the top bears fewer, as budgets multiply.
/// All groups share one supervisor: pauses of up to ten seconds hold a broken one back, and one tenant's
/// trouble must not bring down everybody's tree.
const GROUP_RESTARTS_MAX: usize = 1_000;
const ROOT_RESTARTS_MAX: usize = 3;

fn patience(restarts_max: usize) -> SupervisorOptions {
    SupervisorOptions {
        restarts_max,
        ..SupervisorOptions::default()
    }
}

impl Site {
    /// Starts the tree: connections, array sessions, groups, sweepers. The supervisor returned is its root.
    ///
    /// # Errors
    /// The root itself could not be spawned; the restore mark is not known.
    pub async fn start(mut parts: SiteParts) -> Result<(Self, Supervisor), StartError> {
        let mark = AtomicU64::new(parts.marks.fetch()?);
        let ctx = parts.ctx.clone();
        let peers = RwLock::new(Arc::new(std::mem::take(&mut parts.peers)));
        let peer_clouds = RwLock::new(std::mem::take(&mut parts.peer_clouds));
        let (arrays, arrays_sup) =
            Supervisor::child(&ctx, "arrays", patience(GROUP_RESTARTS_MAX), Vec::new());
        let driver = parts.storage.clone();
        parts.storage = Arc::new(ArraySessions::new(ctx.clone(), arrays_sup, driver));
        let (connection, watch) = site_connection::child_spec(&ctx, parts.cloud.clone());
        let (sites, _) = Supervisor::child(
            &ctx,
            "sites",
            patience(GROUP_RESTARTS_MAX),
            vec![connection],
        );
        let (groups_spec, groups_sup) =
            Supervisor::child(&ctx, "groups", patience(GROUP_RESTARTS_MAX), Vec::new());
        let groups = Groups::new(groups_sup);
        let site = Self(Arc::new(Inner {
            parts,
            peers,
            peer_clouds,
            overtaken: Overtaken::default(),
            mark,
            watch,
            groups,
            sweeper: OnceLock::new(),
        }));
        let (sweeper_spec, sweeper) = sweepers::child_spec(&site);
        // Set once, here, before anybody can ask.
        let _ = site.0.sweeper.set(sweeper);
        let (sweepers, _) = Supervisor::child(
            &ctx,
            "sweepers",
            patience(GROUP_RESTARTS_MAX),
            vec![sweeper_spec],
        );
        let children = vec![sites, arrays, groups_spec, sweepers];
        let root = Supervisor::start(&ctx, "root", patience(ROOT_RESTARTS_MAX), children).await;
        let (root, _ended) = root.map_err(|error| StartError::Tree(error.to_string()))?;
        Ok((site, root))
    }

    pub fn id(&self) -> SiteId {
        self.0.parts.identity.site
    }

    pub(crate) fn ctx(&self) -> &Ctx {
        &self.0.parts.ctx
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.parts.store
    }

    pub(crate) fn cloud(&self) -> &Cloud {
        &self.0.parts.cloud
    }

    /// As registered now; a login can be given while the site runs.
    pub(crate) fn peer_cloud(&self, site: SiteId) -> Option<Cloud> {
        let clouds = self.0.peer_clouds.read();
        let clouds = clouds.unwrap_or_else(PoisonError::into_inner);
        clouds.get(&site).cloned()
    }

    pub(crate) fn peer_cloud_set(&self, site: SiteId, cloud: Cloud) {
        let clouds = self.0.peer_clouds.write();
        let mut clouds = clouds.unwrap_or_else(PoisonError::into_inner);
        clouds.insert(site, cloud);
    }

    pub(crate) fn peer_cloud_forget(&self, site: SiteId) {
        let clouds = self.0.peer_clouds.write();
        let mut clouds = clouds.unwrap_or_else(PoisonError::into_inner);
        clouds.remove(&site);
    }

    pub(crate) fn dial(&self) -> &dyn PeerDial {
        &*self.0.parts.dial
    }

    pub(crate) fn storage(&self) -> &dyn StorageDriver {
        &*self.0.parts.storage
    }

    pub(crate) fn identity(&self) -> &SigningIdentity {
        &self.0.parts.identity
    }

    /// The pinned sites as they are now; pairing changes them while the site runs.
    pub(crate) fn peers(&self) -> Arc<Peers> {
        let peers = self.0.peers.read().unwrap_or_else(PoisonError::into_inner);
        peers.clone()
    }

    pub(crate) fn peers_set(&self, peers: Peers) {
        let mut held = self.0.peers.write().unwrap_or_else(PoisonError::into_inner);
        *held = Arc::new(peers);
    }

    /// Groups that the arrays say the peer leads by now.
    pub(crate) fn overtaken(&self) -> &Overtaken {
        &self.0.overtaken
    }

    /// The highest restore mark that this site knows (R13).
    pub(crate) fn mark(&self) -> u64 {
        self.0.mark.load(Ordering::Acquire)
    }

    /// Writes a higher mark beside the identity key.
    pub(crate) fn raise_mark(&self, mark: u64) -> Result<(), MarkError> {
        self.0.parts.marks.raise(mark)?;
        self.0.mark.fetch_max(mark, Ordering::AcqRel);
        Ok(())
    }

    /// Its memory, and the mark that is not part of it.
    pub(crate) fn memory(&self) -> Memory<'_> {
        let parts = &self.0.parts;
        Memory {
            store: &parts.store,
            identity: &parts.identity,
            marks: &*parts.marks,
            ctx: &parts.ctx,
        }
    }

    pub(crate) fn care(&self) -> &Care {
        &self.0.parts.care
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.0.watch
    }

    pub(crate) fn groups(&self) -> &Groups {
        &self.0.groups
    }

    /// A record changed here, has its receipt, or is trusted again: what it asks of the arrays is made true, now
    /// if the sweeper has room.
    pub(crate) fn after_record(&self, group: GroupId, outputs: &[Output]) {
        let changed = outputs.iter().any(|o| {
            matches!(
                o,
                Output::RecordChanged { .. } | Output::Synced { .. } | Output::Trusted
            )
        });
        if let (true, Some(sweeper)) = (changed, self.0.sweeper.get()) {
            let _ = sweeper.try_send("record_changed", SweeperMsg::RecordChanged(group));
        }
    }

    /// Operations that these outputs ended for ever hear of it at once, not at their next write (I5).
    pub(crate) async fn after_deaths(&self, outputs: &[Output]) {
        for output in outputs {
            if let Output::OperationDied { operation, .. } = output {
                self.groups().look_again(*operation).await;
            }
        }
    }

    /// Tells the sweeper that an operation is over: its strays are looked for from now on.
    pub(crate) fn after_operation(&self, operation: OperationId) {
        if let Some(sweeper) = self.0.sweeper.get() {
            // Full or gone: the sweeper reads the store when it starts, and by the clock.
            let _ = sweeper.try_send("operation_ended", SweeperMsg::OperationEnded(operation));
        }
    }
}
