//! Everything that can go wrong on the way to and from the engine. No status codes here.
//!
//! Absent: statuses and texts (`problem`).

use protector_domain::ports::admin::AdminError;
use protector_domain::ports::engine::EngineError;
use protector_domain::sync::Pair;

/// Why a request got no good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// Nothing is there, or nothing of the caller's: one answer for both (S14).
    NotFound,
    MethodNotAllowed {
        allow: Vec<&'static str>,
    },
    /// No token, or one that stands for nobody.
    Unauthorized,
    Forbidden,
    /// Keystone could not be asked.
    IdentityUnavailable,
    BadRequest {
        why: String,
    },
    UriTooLong,
    BodyTooLarge {
        bytes_max: usize,
    },
    BodyTimeout,
    UnsupportedMediaType {
        why: &'static str,
    },
    /// The asked API version does not exist.
    NotAcceptable {
        asked: String,
    },
    /// `If-Match` names another version than the group has.
    StaleVersion {
        current: Option<Pair>,
    },
    Timeout,
    Overloaded,
    /// A panic; the log has it under the request id.
    Internal,
    Engine(EngineError),
    Admin(AdminError),
}

impl ApiError {
    pub fn bad(why: impl Into<String>) -> Self {
        Self::BadRequest { why: why.into() }
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<AdminError> for ApiError {
    fn from(error: AdminError) -> Self {
        Self::Admin(error)
    }
}
