//! The seam over real sockets: reqwest with everything it does by itself switched off.
//!
//! Deliberately absent: redirects (a credential would follow them), retries (the caller counts
//! effects), proxies from the environment, cookies and compression.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Certificate, Client};

use super::errors::{BodyTooBig, NotSent, RemoteError, chain};
use super::{BoxErr, HttpService};

/// How long an unused connection is kept, milliseconds. Short: servers close theirs without a word.
const POOL_IDLE_MS: u64 = 20_000;

/// How sockets are used.
#[derive(Debug, Clone)]
pub struct ReqwestOptions {
    /// Longest wait for a connection including TLS, milliseconds. After that: [`NotSent`].
    pub connect_timeout_ms: u64,
    /// From the start of the request to the end of the answer, milliseconds.
    pub timeout_ms: u64,
    /// Certificates in PEM that are trusted besides the machine's.
    pub extra_root_pem: Option<Vec<u8>>,
    /// Trust `extra_root_pem` and nothing else: a pinned certificate.
    pub only_extra_root: bool,
    /// Trust everybody. For labs.
    pub accept_invalid_certs: bool,
    /// Longest answer that is read, bytes. Longer ones: [`BodyTooBig`].
    pub body_max_bytes: usize,
}

impl Default for ReqwestOptions {
    fn default() -> Self {
        Self {
            connect_timeout_ms: 5_000,
            timeout_ms: 30_000,
            extra_root_pem: None,
            only_extra_root: false,
            accept_invalid_certs: false,
            body_max_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Makes ring the TLS library of the process; programs call it first thing, before anybody picks
/// another.
pub fn tls_provider_install() {
    // An error only says that somebody installed one before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A service that sends over TCP and TLS.
///
/// # Errors
/// Roots that cannot be read, or options the client refuses.
pub fn reqwest_service(options: ReqwestOptions) -> Result<HttpService, RemoteError> {
    tls_provider_install();
    let body_max_bytes = options.body_max_bytes;
    let client = client_build(&options)?;
    let send = move |request| request_send(client.clone(), request, body_max_bytes);
    Ok(HttpService::new(tower::service_fn(send)))
}

fn client_build(options: &ReqwestOptions) -> Result<Client, RemoteError> {
    let roots = match &options.extra_root_pem {
        Some(pem) => {
            Certificate::from_pem_bundle(pem).map_err(|e| RemoteError::Roots(chain(&e)))?
        }
        None => Vec::new(),
    };
    if options.only_extra_root && roots.is_empty() {
        return Err(RemoteError::Roots("nothing to pin".to_owned()));
    }
    let builder = Client::builder()
        .connect_timeout(Duration::from_millis(options.connect_timeout_ms))
        .timeout(Duration::from_millis(options.timeout_ms))
        .pool_idle_timeout(Duration::from_millis(POOL_IDLE_MS))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .tls_danger_accept_invalid_certs(options.accept_invalid_certs);
    let builder = match options.only_extra_root {
        true => builder.tls_certs_only(roots),
        false => builder.tls_certs_merge(roots),
    };
    builder.build().map_err(|e| RemoteError::Client(chain(&e)))
}

async fn request_send(
    client: Client,
    request: http::Request<Bytes>,
    body_max_bytes: usize,
) -> Result<http::Response<Bytes>, BoxErr> {
    let request = reqwest::Request::try_from(request).map_err(not_sent)?;
    let mut response = client.execute(request).await.map_err(|error| {
        if error.is_connect() || error.is_builder() {
            not_sent(error)
        } else {
            unknown(error)
        }
    })?;
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(unknown)? {
        if body.len() + chunk.len() > body_max_bytes {
            return Err(Box::new(BodyTooBig {
                limit_bytes: body_max_bytes,
            }));
        }
        body.extend_from_slice(&chunk);
    }
    let mut whole = http::Response::new(body.freeze());
    *whole.status_mut() = response.status();
    *whole.version_mut() = response.version();
    *whole.headers_mut() = std::mem::take(response.headers_mut());
    Ok(whole)
}

/// The URL is cut off everywhere: its query may carry a secret, and errors reach logs.
fn not_sent(error: reqwest::Error) -> BoxErr {
    Box::new(NotSent(chain(&error.without_url())))
}

fn unknown(error: reqwest::Error) -> BoxErr {
    Box::new(error.without_url())
}
