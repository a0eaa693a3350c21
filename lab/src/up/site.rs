//! One site on sockets: its cloud behind one port, the product behind another. It can be lost, and come
//! back: then nobody listens at either, while its VMs run on.
//!
//! Absent: the other site; the two are introduced when both run.

use super::reach::Reach;
use crate::cloud::{Cloud as CloudModel, routes};
use crate::world::{Tenant, Which, WorldOptions, cloud_config, one_cloud, tenant};
use anyhow::Result;
use protector_actors::{AdminOptions, Care};
use protector_domain::admin::UrlRules;
use protector_domain::ids::ArrayId;
use protector_http::ApiOptions;
use protector_runtime::ctx::Ctx;
use protector_runtime::remote::HttpService;
use protector_runtime::serve::{ServeOptions, serve};
use protector_storage_drivers::link::SharedWorld;
use protector_storage_drivers::mock::MockDriver;
use protector_store::{KeySource, Store, StoreConfig};
use protectord::{BootParts, Dialer, MarkFile, RunningSite, boot};
use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use warp::filters::BoxedFilter;
use warp::reply::Response;

/// Both arrays, and their names by id.
pub(super) struct Arrays {
    pub world: SharedWorld,
    pub ids: BTreeMap<ArrayId, String>,
    pub reach: Reach,
}

/// A site that is up.
pub(super) struct UpSite {
    pub which: Which,
    pub auth_url: String,
    pub api_url: String,
    pub database: PathBuf,
    pub tenant: Tenant,
    /// `None`: it is lost.
    running: Option<RunningSite>,
    /// Dropped with everything that listens and every open connection.
    served: JoinSet<()>,
    cloud_at: SocketAddr,
    pub api_at: SocketAddr,
    cloud: Arc<Mutex<CloudModel>>,
    ctx: Ctx,
    http: HttpService,
}

/// Binds two loopback ports, fills the cloud, makes the database, and boots the product.
///
/// # Errors
/// Whatever of these fails.
pub(super) async fn start(
    which: Which,
    state: &Path,
    options: &WorldOptions,
    arrays: &Arrays,
    http: &HttpService,
) -> Result<UpSite> {
    let ctx = Ctx::production(which.name());
    let cloud_socket = TcpListener::bind("127.0.0.1:0").await?;
    let api_socket = TcpListener::bind("127.0.0.1:0").await?;
    let (cloud_at, api_at) = (cloud_socket.local_addr()?, api_socket.local_addr()?);
    let cloud_url = format!("http://{cloud_at}");
    let api_url = format!("http://{api_at}");
    let auth_url = format!("{cloud_url}/identity/v3");

    let cloud = one_cloud(which, cloud_url, options.seed, &arrays.world);
    let (mut cloud, tenant) = tenant::seed(which, cloud, options, ctx.now_ms())?;
    let endpoint = format!("{api_url}/v1/$(project_id)s");
    cloud.seed_service("protector", "protector", &endpoint);
    let mut site = UpSite {
        which,
        auth_url,
        api_url,
        database: state.join(format!("{}.db", which.name())),
        tenant,
        running: None,
        served: JoinSet::new(),
        cloud_at,
        api_at,
        cloud: Arc::new(Mutex::new(cloud)),
        ctx,
        http: http.clone(),
    };
    site.come_up(arrays, cloud_socket, api_socket).await?;
    Ok(site)
}

impl UpSite {
    async fn come_up(
        &mut self,
        arrays: &Arrays,
        cloud_socket: TcpListener,
        api_socket: TcpListener,
    ) -> Result<()> {
        let now = self.ctx.clock.clone();
        let face = routes(self.cloud.clone(), Arc::new(move || now.now_us() / 1_000));
        listen(cloud_socket, face, &mut self.served);
        let running = boot(parts(self, arrays).await?).await?;
        listen(api_socket, running.api.clone(), &mut self.served);
        self.running = Some(running);
        Ok(())
    }

    /// Its cloud, its array and its product are gone; its VMs run on where nobody sees them.
    pub async fn lose(&mut self, arrays: &Arrays) {
        arrays.reach.set(self.which.array(), false);
        self.served.shutdown().await;
        if let Some(running) = self.running.take() {
            running.crash();
        }
    }

    /// The lost site is there again, at its old ports and on its old database.
    ///
    /// # Errors
    /// A port was taken meanwhile; the product does not come up.
    pub async fn come_back(&mut self, arrays: &Arrays) -> Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let cloud_socket = TcpListener::bind(self.cloud_at).await?;
        let api_socket = TcpListener::bind(self.api_at).await?;
        arrays.reach.set(self.which.array(), true);
        self.come_up(arrays, cloud_socket, api_socket).await
    }

    /// Where the key for its secrets at rest is.
    pub fn key_file(&self) -> PathBuf {
        let mut name = self.database.clone().into_os_string();
        name.push(".key");
        name.into()
    }

    /// An orderly end.
    pub async fn stop(self) {
        if let Some(running) = self.running {
            running.stop().await;
        }
    }
}

async fn parts(site: &UpSite, arrays: &Arrays) -> Result<BootParts> {
    let (ctx, auth_url) = (&site.ctx, &site.auth_url);
    let store = StoreConfig::new(format!("sqlite:///{}", site.database.display()))
        .key(KeySource::File(site.key_file()));
    let store = Store::open(store, ctx.clone()).await?;
    store.migrate().await?;
    let dialer = Dialer {
        http: site.http.clone(),
        ctx: ctx.clone(),
    };
    Ok(BootParts {
        cloud: dialer.connect(cloud_config(auth_url.clone())),
        dial: Arc::new(dialer),
        site: site.which.site_id(),
        store,
        storage: Arc::new(MockDriver::new(
            Arc::new(arrays.reach.clone()),
            arrays.ids.clone(),
        )),
        marks: Arc::new(MarkFile::beside(&site.key_file())),
        care: Care::default(),
        admin: AdminOptions {
            urls: UrlRules {
                allow_loopback: true,
            },
        },
        api: ApiOptions {
            keystone_uri: auth_url.clone(),
            public_endpoint: site.api_url.clone(),
            ..ApiOptions::default()
        },
        ctx: ctx.clone(),
    })
}

/// Serves until `served` is dropped.
fn listen(at: TcpListener, filter: BoxedFilter<(Response,)>, served: &mut JoinSet<()>) {
    served.spawn(async move {
        serve(
            at,
            warp::service(filter),
            ServeOptions::default(),
            pending(),
        )
        .await;
    });
}
