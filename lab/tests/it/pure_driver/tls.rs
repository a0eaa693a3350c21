//! The same over real sockets and TLS, by the real clock: a pinned certificate is trusted, and an
//! array with another one is told nothing.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use protector_domain::ids::{ArrayId, PointSuffix, Serial};
use protector_domain::ports::storage::{CopyAsk, GroupSpec};
use protector_domain::ports::{ErrorKind, StorageDriver};
use protector_runtime::Ctx;
use protector_runtime::remote::{BoxErr, HttpService};
use protector_runtime::serve::{Listen, ServeOptions, serve};
use protector_storage_drivers::link::SharedWorld;
use protector_storage_drivers::model::{Answer, Command, VolumeSource};
use protector_storage_drivers::pure::{ArrayAccess, PureStorageDriver, sockets};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;

use super::fixture::{API_TOKEN, Registered, face, two_arrays};

/// Looks for the point, and the time from one to the next.
const LOOKS_MAX: usize = 200;
const TURN_MS: u64 = 50;

struct TlsListener {
    tcp: TcpListener,
    tls: TlsAcceptor,
}

impl Listen for TlsListener {
    type Io = TlsStream<TcpStream>;

    async fn accept(&self) -> std::io::Result<(Self::Io, SocketAddr)> {
        let (stream, peer) = self.tcp.accept().await?;
        Ok((self.tls.accept(stream).await?, peer))
    }
}

/// An array behind TLS with a certificate of its own.
struct Served {
    access: ArrayAccess,
    /// Requests that came through.
    requests: Arc<AtomicU64>,
}

async fn served(world: &SharedWorld, array: &str, ctx: &Ctx) -> Served {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", tcp.local_addr().unwrap().port());
    let tls = TlsAcceptor::from(Arc::new(config));
    let requests = Arc::new(AtomicU64::new(0));
    let service = whole_bodies(face(world, array, ctx).service(), requests.clone());
    let forever = std::future::pending();
    tokio::spawn(serve(
        TlsListener { tcp, tls },
        service,
        ServeOptions::default(),
        forever,
    ));
    Served {
        access: ArrayAccess {
            url,
            api_token: Some(SecretString::from(API_TOKEN)),
            certificate_pem: Some(made.cert.pem()),
        },
        requests,
    }
}

type Incoming = http::Request<hyper::body::Incoming>;
type Outgoing = Result<http::Response<Full<Bytes>>, BoxErr>;

fn whole_bodies(
    inner: HttpService,
    requests: Arc<AtomicU64>,
) -> impl tower::Service<
    Incoming,
    Response = http::Response<Full<Bytes>>,
    Error = BoxErr,
    Future = impl Future<Output = Outgoing> + Send,
> + Clone
+ Send {
    tower::service_fn(move |request: Incoming| {
        requests.fetch_add(1, Ordering::Relaxed);
        let inner = inner.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let answer = inner
                .oneshot(http::Request::from_parts(parts, body))
                .await?;
            Ok(answer.map(Full::new))
        }
    })
}

fn array_id(world: &SharedWorld, name: &str) -> ArrayId {
    ArrayId(world.ground_truth().arrays[name].id.clone())
}

#[tokio::test]
async fn a_group_is_protected_and_recovered_over_tls() {
    let ctx = Ctx::production("tls");
    let world = two_arrays(&ctx);
    let (a, b) = (
        served(&world, "A", &ctx).await,
        served(&world, "B", &ctx).await,
    );
    let ids = [array_id(&world, "A"), array_id(&world, "B")];
    let registry = Registered(ids.clone().into_iter().zip([a.access, b.access]).collect());
    let driver = PureStorageDriver::new(Arc::new(registry), sockets(), ctx.clone());
    let [source, target] = ids;
    let spec = GroupSpec {
        name: "drill-0123abcd".into(),
        source,
        target,
        replication_interval_s: 900,
        target_retention_s: 86_400,
    };
    let volume = Command::VolumesPost {
        names: vec!["v1".to_owned()],
        source: VolumeSource::Provisioned(1 << 20),
        overwrite: false,
        add_to_groups: Vec::new(),
    };
    let Answer::Volumes(page) = world.apply("A", volume).unwrap() else {
        panic!()
    };
    let serial = Serial(page.items[0].serial.clone());
    driver.ensure_group(&spec, false).await.unwrap();
    driver.set_members(&spec, &[serial]).await.unwrap();
    let point = PointSuffix("p1".to_owned());
    driver.snapshot_now(&spec, &point).await.unwrap();
    arrived(&driver, &spec).await;
    let ask = CopyAsk {
        source_name: "v1".to_owned(),
        copy_name: "c1".to_owned(),
    };
    let copied = driver.recover_point(&spec, &point, &[ask]).await.unwrap();
    let held = world.ground_truth();
    let copy = held.arrays["B"]
        .volumes
        .iter()
        .find(|v| v.name == "c1")
        .unwrap();
    assert_eq!(copy.serial, copied[0].serial.0);
    // The age told is by the array's clock and cannot be far from ours.
    let newest = driver.health(&spec).await.unwrap().newest_complete.unwrap();
    let age_ms = ctx.clock.now_us() / 1_000 - newest.created_ms;
    assert!(newest.age_s.unwrap() * 1_000 + 1_000 >= u64::try_from(age_ms).unwrap());
}

async fn arrived(driver: &PureStorageDriver, spec: &GroupSpec) {
    let mut turns = tokio::time::interval(Duration::from_millis(TURN_MS));
    for _ in 0..LOOKS_MAX {
        turns.tick().await;
        let points = driver.recovery_points(spec).await.unwrap();
        if points.iter().any(|p| p.completed_ms.is_some()) {
            return;
        }
    }
    panic!("the point does not arrive");
}

/// S15, F15: the token is not given to whoever answers there.
#[tokio::test]
async fn an_array_with_another_certificate_is_told_nothing() {
    let ctx = Ctx::production("tls");
    let world = two_arrays(&ctx);
    let (a, b) = (
        served(&world, "A", &ctx).await,
        served(&world, "B", &ctx).await,
    );
    let id = array_id(&world, "A");
    let mut access = a.access;
    access.certificate_pem = b.access.certificate_pem;
    let registry = Registered([(id.clone(), access)].into());
    let driver = PureStorageDriver::new(Arc::new(registry), sockets(), ctx);
    let error = driver.locate(&id, &"v".into()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    assert_eq!(a.requests.load(Ordering::Relaxed), 0);
}
