//! One site on sockets: its cloud behind one port, the product behind another.
//!
//! Absent: the other site; the two are introduced when both run.

use crate::cloud::routes;
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
use protector_store::{Store, StoreConfig};
use protectord::{BootParts, Dialer, RunningSite, boot};
use std::collections::BTreeMap;
use std::future::pending;
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
}

/// A site that is up.
pub(super) struct UpSite {
    pub which: Which,
    pub auth_url: String,
    pub api_url: String,
    pub database: PathBuf,
    pub tenant: Tenant,
    pub running: RunningSite,
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
    served: &mut JoinSet<()>,
) -> Result<UpSite> {
    let ctx = Ctx::production(which.name());
    let cloud_at = TcpListener::bind("127.0.0.1:0").await?;
    let api_at = TcpListener::bind("127.0.0.1:0").await?;
    let cloud_url = format!("http://{}", cloud_at.local_addr()?);
    let api_url = format!("http://{}", api_at.local_addr()?);
    let auth_url = format!("{cloud_url}/identity/v3");

    let cloud = one_cloud(which, cloud_url, options.seed, &arrays.world);
    let (mut cloud, tenant) = tenant::seed(which, cloud, options, ctx.now_ms())?;
    let endpoint = format!("{api_url}/v1/$(project_id)s");
    cloud.seed_service("protector", "protector", &endpoint);
    let now = ctx.clock.clone();
    let face = routes(
        Arc::new(Mutex::new(cloud)),
        Arc::new(move || now.now_us() / 1_000),
    );
    listen(cloud_at, face, served);

    let database = state.join(format!("{}.db", which.name()));
    let running = boot(parts(which, &ctx, &database, &auth_url, &api_url, arrays, http).await?);
    let running = running.await?;
    listen(api_at, running.api.clone(), served);
    Ok(UpSite {
        which,
        auth_url,
        api_url,
        database,
        tenant,
        running,
    })
}

async fn parts(
    which: Which,
    ctx: &Ctx,
    database: &Path,
    auth_url: &str,
    api_url: &str,
    arrays: &Arrays,
    http: &HttpService,
) -> Result<BootParts> {
    let store = StoreConfig::new(format!("sqlite:///{}", database.display()));
    let store = Store::open(store, ctx.clone()).await?;
    store.migrate().await?;
    let dialer = Dialer {
        http: http.clone(),
        ctx: ctx.clone(),
    };
    Ok(BootParts {
        cloud: dialer.connect(cloud_config(auth_url.to_owned())),
        dial: Arc::new(dialer),
        site: which.site_id(),
        store,
        storage: Arc::new(MockDriver::new(
            Arc::new(arrays.world.clone()),
            arrays.ids.clone(),
        )),
        care: Care::default(),
        admin: AdminOptions {
            urls: UrlRules {
                allow_loopback: true,
            },
        },
        api: ApiOptions {
            keystone_uri: auth_url.to_owned(),
            public_endpoint: api_url.to_owned(),
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
