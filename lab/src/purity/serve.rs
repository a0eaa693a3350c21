//! `protector-lab arrays`: simulated arrays alone, over HTTPS on loopback, until they are told to stop.
//! Their state is in a file and survives; so do their names, tokens and certificate.
//!
//! Absent: what an array answers (`Face`).

use super::{BODY_MAX_BYTES, Face};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use protector_runtime::ctx::Ctx;
use protector_runtime::remote::BoxErr;
use protector_runtime::serve::{Listen, ServeOptions, serve};
use protector_storage_drivers::link::FileWorld;
use protector_storage_drivers::model::Control;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What two arrays replicate with.
const BANDWIDTH_BYTES_PER_S: u64 = 1 << 30;
/// Handshakes at once; more wait in the kernel's queue.
const HANDSHAKES_MAX: usize = 64;
const HANDSHAKE_LIMIT_MS: u64 = 5_000;
/// Connections that have shaken hands and wait for the server.
const READY_MAX: usize = 64;

/// What arrays are served with.
#[derive(Debug, Clone, clap::Args)]
pub struct ArraysOptions {
    /// How many; all are connected to each other.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(2..=3))]
    pub count: u16,
    /// Where their state lives; made if it is not there.
    #[arg(long)]
    pub state: PathBuf,
    /// Port of the first; the others follow. 0: free ones, kept from then on.
    #[arg(long, default_value_t = 0)]
    pub port_base: u16,
}

/// What is kept of one array beside its state. The token opens it.
#[derive(Serialize, Deserialize)]
struct Kept {
    name: String,
    api_token: String,
    port: u16,
}

/// One array as told to whoever started us.
#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    url: String,
    api_token: &'a str,
    ca: &'a Path,
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// A port is taken, the state cannot be read, or it is another number of arrays than before.
pub async fn arrays(options: ArraysOptions) -> Result<bool> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    fs::create_dir_all(&options.state).context("making the state directory")?;
    let ctx = Ctx::production("arrays");
    let mut kept = kept(&options, &ctx)?;
    let world = Arc::new(world(&options, &kept, &ctx)?);
    let ca = options.state.join("ca.pem");
    let acceptor = acceptor(&options.state, &ca)?;
    let mut listeners = Vec::new();
    for array in &mut kept {
        let listener = TcpListener::bind(("127.0.0.1", array.port)).await;
        let listener = listener.with_context(|| format!("port {}", array.port))?;
        array.port = listener.local_addr()?.port();
        listeners.push(TlsListener::over(listener, acceptor.clone()));
    }
    write_private(&kept_path(&options), &serde_json::to_vec_pretty(&kept)?)?;
    let (stop, _) = tokio::sync::watch::channel(false);
    let mut serving = tokio::task::JoinSet::new();
    for (array, listener) in kept.iter().zip(listeners) {
        let token = SecretString::from(array.api_token.clone());
        let face = Arc::new(Face::new(world.clone(), &array.name, token, ctx.clone()));
        let mut stopped = stop.subscribe();
        let shutdown = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        serving.spawn(serve(
            listener,
            over_http(face),
            ServeOptions::default(),
            shutdown,
        ));
    }
    tell(&kept, &ca)?;
    told_to_stop().await?;
    let _ = stop.send(true);
    while serving.join_next().await.is_some() {}
    Ok(true)
}

fn kept_path(options: &ArraysOptions) -> PathBuf {
    options.state.join("arrays.json")
}

/// Names, tokens and ports of the last time, or new ones.
fn kept(options: &ArraysOptions, ctx: &Ctx) -> Result<Vec<Kept>> {
    let count = usize::from(options.count);
    let path = kept_path(options);
    let mut kept: Vec<Kept> = if path.exists() {
        serde_json::from_slice(&fs::read(&path)?).context("reading arrays.json")?
    } else {
        let names = ["array-a", "array-b", "array-c"];
        let fresh = |name: &&str| Kept {
            name: (*name).to_owned(),
            api_token: ctx.uuid().to_string(),
            port: 0,
        };
        names.iter().take(count).map(fresh).collect()
    };
    if kept.len() != count {
        bail!(
            "{} holds {} arrays, not {count}",
            path.display(),
            kept.len()
        );
    }
    if options.port_base > 0 {
        for (number, array) in (0u16..).zip(&mut kept) {
            array.port = options.port_base.saturating_add(number);
        }
    }
    Ok(kept)
}

/// The arrays' world, with every array and link of `kept` in it.
fn world(options: &ArraysOptions, kept: &[Kept], ctx: &Ctx) -> Result<FileWorld> {
    let mut seed = [0; 8];
    ctx.entropy.fill(&mut seed);
    let path = options.state.join("arrays.sqlite");
    let world = FileWorld::open(&path, u64::from_le_bytes(seed), ctx.clock.clone())?;
    let there = world.ground_truth()?;
    let names: Vec<&String> = kept.iter().map(|array| &array.name).collect();
    for (number, name) in names.iter().enumerate() {
        if there.arrays.contains_key(*name) {
            continue;
        }
        world.control(Control::ArrayAdd {
            name: (*name).clone(),
        })?;
        for other in names.iter().take(number) {
            world.control(Control::LinkAdd {
                a: (*other).clone(),
                b: (*name).clone(),
                bandwidth_bytes_per_s: BANDWIDTH_BYTES_PER_S,
            })?;
        }
    }
    Ok(world)
}

/// TLS with the certificate of the last time, or a new self-signed one.
fn acceptor(state: &Path, ca: &Path) -> Result<TlsAcceptor> {
    let key_path = state.join("key.pem");
    if !ca.exists() || !key_path.exists() {
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names)?;
        write_private(&key_path, signing_key.serialize_pem().as_bytes())?;
        fs::write(ca, cert.pem())?;
    }
    let certs = CertificateDer::pem_file_iter(ca)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(&key_path)?;
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certs, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A file that only its owner reads.
fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    Ok(())
}

/// One line for whoever started us.
fn tell(kept: &[Kept], ca: &Path) -> Result<()> {
    let ca = fs::canonicalize(ca)?;
    let told: Vec<Told<'_>> = kept
        .iter()
        .map(|array| Told {
            name: &array.name,
            url: format!("https://127.0.0.1:{}", array.port),
            api_token: &array.api_token,
            ca: &ca,
        })
        .collect();
    println!("{}", serde_json::json!({ "arrays": told }));
    std::io::stdout().flush()?;
    Ok(())
}

async fn told_to_stop() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        biased;
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}

/// The face behind hyper: bodies are read whole, within their limit.
fn over_http(
    face: Arc<Face>,
) -> impl tower::Service<
    Request<Incoming>,
    Response = Response<Full<Bytes>>,
    Error = BoxErr,
    Future: Send,
> + Clone
+ Send {
    tower::service_fn(move |request: Request<Incoming>| {
        let face = face.clone();
        async move {
            let (head, body) = request.into_parts();
            let Ok(body) = Limited::new(body, BODY_MAX_BYTES).collect().await else {
                let mut refused = Response::new(Full::default());
                *refused.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
                return Ok(refused);
            };
            let request = Request::from_parts(head, body.to_bytes());
            let task = tokio::spawn(async move { face.answer(request).await });
            let answer = task.await.map_err(BoxErr::from)?;
            Ok::<_, BoxErr>(answer.map(Full::new))
        }
    })
}

type Ready = (TlsStream<TcpStream>, SocketAddr);

/// Connections that have shaken hands. A slow handshake holds up nobody else.
struct TlsListener(Mutex<mpsc::Receiver<Ready>>);

impl TlsListener {
    fn over(listener: TcpListener, acceptor: TlsAcceptor) -> Self {
        let (ready, receiver) = mpsc::channel(READY_MAX);
        let room = Arc::new(Semaphore::new(HANDSHAKES_MAX));
        tokio::spawn(async move {
            while let Ok(permit) = room.clone().acquire_owned().await {
                let accepted = tokio::select! {
                    biased;
                    () = ready.closed() => return,
                    accepted = Listen::accept(&listener) => accepted,
                };
                let Ok((stream, peer)) = accepted else {
                    continue;
                };
                let (acceptor, ready) = (acceptor.clone(), ready.clone());
                tokio::spawn(async move {
                    let _permit = permit;
                    let limit = Duration::from_millis(HANDSHAKE_LIMIT_MS);
                    let shaken = tokio::time::timeout(limit, acceptor.accept(stream)).await;
                    if let Ok(Ok(stream)) = shaken {
                        let _ = ready.send((stream, peer)).await;
                    }
                });
            }
        });
        Self(Mutex::new(receiver))
    }
}

impl Listen for TlsListener {
    type Io = TlsStream<TcpStream>;

    async fn accept(&self) -> std::io::Result<Ready> {
        let next = self.0.lock().await.recv().await;
        next.ok_or_else(|| std::io::Error::other("no more connections"))
    }
}
