//! Bringing a site up, and taking it down.

use crate::identity::{self, IdentityError};
use protector_actors::{
    ActorAdmin, ActorEngine, AdminOptions, Care, Memory, RestoreError, Site, SiteParts, StartError,
    peer_clouds_fetch, peers_fetch,
};
use protector_domain::ids::SiteId;
use protector_domain::ports::{Cloud, MarkKeeper, PeerDial, StorageDriver};
use protector_http::{Api, ApiOptions};
use protector_runtime::ctx::Ctx;
use protector_runtime::supervisor::Supervisor;
use protector_store::{Store, StoreError};
use std::sync::Arc;
use warp::filters::BoxedFilter;
use warp::reply::Response;

/// What a site is booted from. The store is open and migrated.
pub struct BootParts {
    pub ctx: Ctx,
    pub store: Store,
    /// Used when the store has no identity yet.
    pub site: SiteId,
    pub cloud: Cloud,
    /// Makes the clients of the other sites' OpenStack, of what administrators registered.
    pub dial: Arc<dyn PeerDial>,
    pub storage: Arc<dyn StorageDriver>,
    /// The restore mark beside the identity key.
    pub marks: Arc<dyn MarkKeeper>,
    pub care: Care,
    pub admin: AdminOptions,
    pub api: ApiOptions,
}

/// Why a site does not come up.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("{0}; run protector-manage db restored")]
    Restore(#[from] RestoreError),
}

/// A site that runs: its API as a filter, its engine behind it.
pub struct RunningSite {
    pub site: Site,
    pub engine: ActorEngine,
    pub api: BoxedFilter<(Response,)>,
    pub store: Store,
    root: Supervisor,
}

/// Checks the schema, finds the identity, holds the database against the restore mark, starts the tree, and puts
/// the API before it.
///
/// # Errors
/// Whatever of these fails, with its cause.
pub async fn boot(parts: BootParts) -> Result<RunningSite, BootError> {
    let BootParts {
        ctx,
        store,
        site,
        cloud,
        dial,
        storage,
        marks,
        care,
        admin,
        api,
    } = parts;
    store.schema_check().await?;
    let identity = identity::ensure(&store, &ctx, site).await?;
    let memory = Memory {
        store: &store,
        identity: &identity,
        marks: &*marks,
        ctx: &ctx,
    };
    // Before anything runs that could act on an old memory.
    if let Some(doubted) = memory.heed().await? {
        tracing::error!(
            mark = doubted.mark,
            groups = doubted.groups.len(),
            "the mark beside the key is ahead of this database: it was restored from a backup; no group is \
             trusted until it has been compared with its peer (openstack protector protection-group sync-force)"
        );
    }
    let peers = peers_fetch(&store, identity.site).await?;
    let peer_clouds = peer_clouds_fetch(&store, identity.site, &*dial).await?;
    tracing::info!("Storage driver: {}", storage.name());
    let keystone = cloud.identity.clone();
    let parts = SiteParts {
        ctx: ctx.clone(),
        store: store.clone(),
        identity,
        peers,
        cloud,
        peer_clouds,
        dial,
        storage,
        marks,
        care,
    };
    let (site, root) = Site::start(parts).await?;
    let engine = ActorEngine::new(site.clone());
    let api = protector_http::routes(Api {
        engine: Arc::new(engine.clone()),
        admin: Arc::new(ActorAdmin::new(site.clone(), admin)),
        identity: keystone,
        ctx,
        options: api,
    });
    Ok(RunningSite {
        site,
        engine,
        api,
        store,
        root,
    })
}

impl RunningSite {
    /// An orderly end: children last started first, then the store's queue.
    pub async fn stop(self) {
        self.root.stop().await;
        self.store.close().await;
    }

    /// As a power failure: nothing is told, queues are lost. For simulations.
    pub fn crash(self) {
        self.store.cut();
        self.root.kill();
    }
}
