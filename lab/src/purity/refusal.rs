//! What is said when an array says no, and how it looks on the wire.

use http::StatusCode;
use protector_storage_drivers::link::LinkError;
use protector_storage_drivers::model::{ArrayError, ErrorItem};
use serde_json::{Value, json};

/// A no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// By the object layer: always 400, also for what is not there.
    Object(Vec<ErrorItem>),
    /// No session, or a dead one; 401 stands for nothing else.
    NoSession,
    NoSuchPath,
    NotAllowed,
    TooLarge,
    /// The array cannot be reached: the connection would not have come about.
    Away,
    /// Nobody knows whether it happened.
    Broken,
}

/// One line of the object layer.
pub(super) fn refused(message: &str, context: &str) -> Refused {
    Refused::Object(vec![ErrorItem {
        message: message.to_owned(),
        context: context.to_owned(),
    }])
}

impl From<LinkError> for Refused {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Refused(ArrayError::Refused(items)) => Self::Object(items),
            LinkError::Refused(ArrayError::Unreachable) | LinkError::NotSent(_) => Self::Away,
            LinkError::Busy { .. } => Self::Away,
            LinkError::Denied(_) | LinkError::Unknown(_) => Self::Broken,
        }
    }
}

impl Refused {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Object(_) => StatusCode::BAD_REQUEST,
            Self::NoSession => StatusCode::UNAUTHORIZED,
            Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::NotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Away => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::BAD_GATEWAY,
        }
    }

    pub fn body(&self) -> Value {
        let one = |message: &str| json!({ "errors": [{ "message": message, "context": null }] });
        match self {
            Self::Object(items) => json!({ "errors": items }),
            Self::NoSession => one("Invalid or missing session."),
            Self::NoSuchPath => one("No such path."),
            Self::NotAllowed => one("Method not allowed."),
            Self::TooLarge => one("Request body too large."),
            Self::Away => one("The array does not answer."),
            Self::Broken => one("The outcome is unknown."),
        }
    }
}
