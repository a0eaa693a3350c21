//! The daemon: API and engine of one site in one process, from a configuration to an orderly end.
//!
//! Absent: making schema and identity (`protector-manage db sync`); a daemon that finds none refuses.

use crate::boot::{BootError, BootParts, boot};
use crate::config::{Config, Keystone};
use crate::dial::Dialer;
use crate::driver::{DriverError, storage_driver};
use crate::mark_file::MarkFile;
use protector_actors::{AdminOptions, Care};
use protector_domain::admin::UrlRules;
use protector_http::ApiOptions;
use protector_openstack::{CloudConfig, Credential};
use protector_runtime::ctx::Ctx;
use protector_runtime::remote::{RemoteError, RemoteOptions, ReqwestOptions, reqwest_service};
use protector_runtime::serve::{ServeOptions, serve};
use protector_store::{KeySource, Store, StoreConfig, StoreError};
use secrecy::ExposeSecret;
use std::future::Future;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error("[api] bind_host, bind_port: {host} port {port}: {cause}")]
    Bind {
        host: String,
        port: u16,
        cause: std::io::Error,
    },
    #[error("[keystone_authtoken] cafile: {0}")]
    CaFile(std::io::Error),
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] RemoteError),
    #[error("[database]: {error}{}", remedy(error))]
    Store {
        #[from]
        error: StoreError,
    },
    #[error("this site has no identity yet: run protector-manage db sync")]
    NoIdentity,
    #[error(transparent)]
    Driver(#[from] DriverError),
    #[error(transparent)]
    Boot(#[from] BootError),
}

fn remedy(error: &StoreError) -> &'static str {
    match error {
        StoreError::SchemaMismatch { newer: false, .. } => "; run protector-manage db sync",
        StoreError::SchemaMismatch { newer: true, .. } => "; install the newer program",
        _ => "",
    }
}

/// Opens the store of a configuration. Touches no table.
///
/// # Errors
/// The database or its key.
pub async fn store_open(config: &Config, ctx: &Ctx) -> Result<Store, StoreError> {
    let key = KeySource::File(config.encryption_key_file.clone());
    let store = StoreConfig::new(config.connection.expose_secret()).key(key);
    Store::open(store, ctx.clone()).await
}

/// Runs the site until `shutdown` ends, then lets requests in flight, actors and writes end (A13).
///
/// # Errors
/// What kept it from coming up.
pub async fn run(
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), DaemonError> {
    let ctx = Ctx::production(config.site_name.clone());
    // First: a second daemon on this host ends here, before its engine touches anything.
    let (listener, address) = bind(&config).await?;
    tracing::info!(%address, "listening");
    let store = store_open(&config, &ctx).await?;
    store.schema_check().await?;
    let identity = store
        .identity_fetch()
        .await?
        .ok_or(DaemonError::NoIdentity)?;
    let storage = storage_driver(&config.driver, &store, &ctx).await?;
    let dialer = dialer(&config.keystone, &ctx)?;
    let running = boot(BootParts {
        cloud: dialer.connect(own_cloud(&config.keystone)),
        dial: std::sync::Arc::new(dialer),
        site: identity.site,
        store,
        storage,
        marks: std::sync::Arc::new(MarkFile::beside(&config.encryption_key_file)),
        care: Care::default(),
        admin: AdminOptions {
            urls: UrlRules {
                allow_loopback: config.allow_loopback_urls,
            },
        },
        api: ApiOptions {
            keystone_uri: config.keystone.www_authenticate_uri.clone(),
            public_endpoint: config.public_endpoint.clone(),
            trust_roles: config.default_trust_roles.clone(),
        },
        ctx,
    })
    .await?;
    let api = warp::service(running.api.clone());
    let served = serve(listener, api, ServeOptions::default(), shutdown).await;
    tracing::info!(served.connections, served.drained, "stopping");
    running.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// The place where the API of this configuration listens, taken.
pub(crate) async fn bind(config: &Config) -> Result<(TcpListener, SocketAddr), DaemonError> {
    let (host, port) = (config.bind_host.clone(), config.bind_port);
    let bound = async {
        let listener = TcpListener::bind((host.as_str(), port)).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    let bound: std::io::Result<_> = bound.await;
    bound.map_err(|cause| DaemonError::Bind { host, port, cause })
}

fn dialer(keystone: &Keystone, ctx: &Ctx) -> Result<Dialer, DaemonError> {
    let roots = keystone.cafile.as_ref().map(std::fs::read).transpose();
    let http = reqwest_service(ReqwestOptions {
        extra_root_pem: roots.map_err(DaemonError::CaFile)?,
        accept_invalid_certs: keystone.insecure,
        ..ReqwestOptions::default()
    })?;
    Ok(Dialer {
        http,
        ctx: ctx.clone(),
    })
}

fn own_cloud(keystone: &Keystone) -> CloudConfig {
    CloudConfig {
        auth_url: keystone.auth_url.clone(),
        region_name: keystone.region_name.clone(),
        interface: keystone.interface,
        credential: Credential::Password {
            username: keystone.username.clone(),
            user_domain_name: keystone.user_domain_name.clone(),
            password: keystone.password.clone(),
            project_name: keystone.project_name.clone(),
            project_domain_name: keystone.project_domain_name.clone(),
        },
        remote: RemoteOptions::default(),
    }
}
