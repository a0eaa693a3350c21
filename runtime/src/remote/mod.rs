//! How we call anybody over HTTP: one seam, and everything polite and careful around it.
//!
//! The seam is a boxed tower service. reqwest stands behind it in production, a simulated network or
//! a handler in the same process in tests; nothing above the seam can tell. Around it [`Remote`] adds
//! limits of time, room, pace and body size, a circuit and a call log.
//!
//! Deliberately absent: retries (only the caller knows whether a call may be repeated), logins (see
//! [`single_flight`]), vendors, and every header and body in the log.

mod call_log;
mod circuit;
mod endpoint;
mod errors;
mod in_process;
mod options;
mod pace;
mod reqwest_seam;
mod retry_after;
pub mod single_flight;
#[cfg(test)]
mod tests;

use bytes::Bytes;

pub use call_log::{CALL_LOG_MAX, CallRecord, PathTemplate, StatusOrError};
pub use endpoint::{Remote, RemoteView};
pub use errors::{BodyTooBig, CallError, NotSent, RemoteError};
pub use in_process::{Detached, IN_PROCESS_BODY_MAX_BYTES, in_process};
pub use options::RemoteOptions;
pub use reqwest_seam::{ReqwestOptions, reqwest_service, tls_provider_install};
pub use retry_after::{RETRY_AFTER_MAX_MS, retry_after_ms};
pub use single_flight::{Fresh, Lease, Session};

/// Whatever a service behind the seam fails with. Unless it is a [`NotSent`], nobody knows whether
/// the request had its effect.
pub type BoxErr = Box<dyn std::error::Error + Send + Sync>;

/// The seam: one whole request in, one whole response out.
pub type HttpService =
    tower::util::BoxCloneSyncService<http::Request<Bytes>, http::Response<Bytes>, BoxErr>;
