//! Registered arrays and the open connections to them. Absent: where registrations are kept; the
//! site's store is asked through `ArrayRegistry`, at every call, so that an array may be added,
//! moved or given another token while the site runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use protector_domain::ids::ArrayId;
use protector_domain::ports::{ErrorKind, PortError, PortResult};
use protector_runtime::Ctx;
use protector_runtime::remote::{
    HttpService, RemoteError, RemoteOptions, ReqwestOptions, reqwest_service,
};
use secrecy::{ExposeSecret, SecretString};

use super::connection::Connection;
use super::link::RestLink;
use crate::flasharray::{Driver, Reach, Way};

/// A batch of a large group takes an array a while, milliseconds.
const TIMEOUT_MS: u64 = 60_000;
/// Calls to one array at once: management planes are small.
const CONCURRENCY_MAX: usize = 8;

/// How one registered array is reached.
#[derive(Debug, Clone)]
pub struct ArrayAccess {
    /// `https://array.example[:port]`.
    pub url: String,
    /// `None`: registered without one, so that it cannot be called.
    pub api_token: Option<SecretString>,
    /// PEM of the certificates that are trusted, and no others; `None`: the machine's.
    pub certificate_pem: Option<String>,
}

impl ArrayAccess {
    fn is_same(&self, other: &Self) -> bool {
        let token = |access: &Self| {
            access
                .api_token
                .as_ref()
                .map(|t| t.expose_secret().to_owned())
        };
        self.url == other.url
            && self.certificate_pem == other.certificate_pem
            && token(self) == token(other)
    }
}

/// What a site knows of arrays.
#[async_trait]
pub trait ArrayRegistry: Send + Sync {
    /// The array registered as `id`; `Ok(None)`: there is none.
    ///
    /// Errors: what keeps the registry from being read.
    async fn access(&self, id: &ArrayId) -> PortResult<Option<ArrayAccess>>;
}

/// Makes the HTTP client for one array.
pub type Connector = Arc<dyn Fn(&ArrayAccess) -> Result<HttpService, RemoteError> + Send + Sync>;

/// TCP and TLS, trusting what the registration pins. Never without TLS: the token would be read.
#[must_use]
pub fn sockets() -> Connector {
    Arc::new(|access: &ArrayAccess| {
        if !access.url.starts_with("https://") {
            let why = "an array is called over https only".to_owned();
            return Err(RemoteError::Client(why));
        }
        let pinned = access
            .certificate_pem
            .as_ref()
            .map(|pem| pem.clone().into_bytes());
        reqwest_service(ReqwestOptions {
            timeout_ms: TIMEOUT_MS,
            only_extra_root: pinned.is_some(),
            extra_root_pem: pinned,
            ..ReqwestOptions::default()
        })
    })
}

/// The driver over FlashArrays (PURE-01, PURE-03).
pub type PureStorageDriver = Driver<FlashArrays>;

/// Arrays by registration, each with its connection.
#[derive(Clone)]
pub struct FlashArrays {
    registry: Arc<dyn ArrayRegistry>,
    connector: Connector,
    ctx: Ctx,
    open: Arc<Mutex<BTreeMap<ArrayId, Open>>>,
}

struct Open {
    access: ArrayAccess,
    way: Way,
}

impl PureStorageDriver {
    /// A driver for the arrays of `registry`, reached through clients of `connector`. Sends nothing.
    #[must_use]
    pub fn new(registry: Arc<dyn ArrayRegistry>, connector: Connector, ctx: Ctx) -> Self {
        Self {
            reach: FlashArrays {
                registry,
                connector,
                ctx,
                open: Arc::default(),
            },
        }
    }
}

fn refused(id: &ArrayId, why: &str) -> PortError {
    PortError::new(ErrorKind::Refused, format!("array {id} {why}"))
}

#[async_trait]
impl Reach for FlashArrays {
    fn driver_name(&self) -> &'static str {
        "pure"
    }

    async fn way(&self, id: &ArrayId) -> PortResult<Way> {
        let Some(access) = self.registry.access(id).await? else {
            self.open().remove(id);
            return Err(refused(id, "is not registered"));
        };
        if let Some(open) = self.open().get(id).filter(|o| o.access.is_same(&access)) {
            return Ok(open.way.clone());
        }
        let way = self.connect(id, &access)?;
        let opened = Open {
            access,
            way: way.clone(),
        };
        self.open().insert(id.clone(), opened);
        Ok(way)
    }
}

impl FlashArrays {
    /// Held for a look or a change, never across an await.
    fn open(&self) -> MutexGuard<'_, BTreeMap<ArrayId, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self, id: &ArrayId, access: &ArrayAccess) -> PortResult<Way> {
        let without = || {
            refused(
                id,
                "is registered without an API token; register it with one",
            )
        };
        let api_token = access.api_token.clone().ok_or_else(without)?;
        let http = (self.connector)(access);
        let http = http.map_err(|error| refused(id, &format!("cannot be reached: {error}")))?;
        let options = RemoteOptions {
            timeout_ms: TIMEOUT_MS,
            concurrency_max: CONCURRENCY_MAX,
            ..RemoteOptions::default()
        };
        let connection = Connection::new(&access.url, api_token, http, options, self.ctx.clone());
        Ok(Way {
            link: Arc::new(RestLink::new(connection)),
            address: access.url.clone(),
        })
    }
}
