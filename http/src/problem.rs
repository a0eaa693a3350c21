//! The one mapping from errors to statuses, codes and texts. No arm stands for "the rest", so a new
//! error or refusal does not compile before somebody decided what it means to a client.
//!
//! Absent: headers and bytes (`answer`).

mod admin;

use crate::error::ApiError;
use crate::limits::SHOWN_CHARS_MAX;
use http::StatusCode;
use protector_domain::ports::engine::EngineError;
use protector_domain::refusal::Refusal as R;
use protector_domain::refusal::{Refusal, Refusals};
use protector_domain::sync::{Signed, SyncRefusal};

/// One thing that speaks against the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub status: StatusCode,
    /// Stable.
    pub code: String,
    pub message: String,
    pub reason: Option<String>,
    pub remedy: Option<String>,
}

/// An error, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub status: StatusCode,
    /// At least one.
    pub items: Vec<Item>,
    /// X2: this site's newer record, for the courier.
    pub envelope: Option<Box<Signed>>,
}

/// What an answer may say of the request.
pub(crate) struct Asked<'a> {
    /// As it came, percent-encoded.
    pub path: &'a str,
    /// The group named in the path.
    pub group: Option<&'a str>,
}

/// The mapping.
pub(crate) fn problem(error: &ApiError, asked: &Asked<'_>) -> Problem {
    match error {
        ApiError::Engine(error) => engine_problem(error, asked),
        ApiError::Admin(error) => admin::admin_problem(error, asked),
        own => one(own_item(own, asked)),
    }
}

fn one(item: Item) -> Problem {
    Problem {
        status: item.status,
        items: vec![item],
        envelope: None,
    }
}

fn item(status: StatusCode, code: &str, message: impl Into<String>) -> Item {
    Item {
        status,
        code: code.to_owned(),
        message: message.into(),
        reason: None,
        remedy: None,
    }
}

impl Item {
    fn reason(self, reason: impl Into<String>) -> Self {
        Self {
            reason: Some(reason.into()),
            ..self
        }
    }

    fn remedy(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }
}

/// Absent, foreign and unknown paths: one text, made of the caller's own words only (S14, K6, K7).
fn not_found(asked: &Asked<'_>) -> Item {
    let shown: String = asked.path.chars().take(SHOWN_CHARS_MAX).collect();
    item(
        StatusCode::NOT_FOUND,
        "not_found",
        format!("There is nothing at {shown}"),
    )
    .reason("It does not exist, or it does not belong to this project.")
    .remedy("openstack protector protection-group list")
}

fn own_item(error: &ApiError, asked: &Asked<'_>) -> Item {
    use StatusCode as S;
    match error {
        ApiError::NotFound => not_found(asked),
        ApiError::MethodNotAllowed { allow } => {
            item(S::METHOD_NOT_ALLOWED, "method_not_allowed", format!("This path takes {}", allow.join(", ")))
        }
        ApiError::Unauthorized => {
            item(S::UNAUTHORIZED, "unauthorized", "The request you have made requires authentication.")
                .remedy("openstack token issue")
        }
        ApiError::Forbidden => item(S::FORBIDDEN, "forbidden", "The roles of this token do not allow this.")
            .remedy("openstack role assignment list --user <user> --project <project> --names"),
        ApiError::IdentityUnavailable => {
            item(S::SERVICE_UNAVAILABLE, "identity_unavailable", "Keystone cannot be asked about this token now.")
                .remedy("repeat the request")
        }
        ApiError::BadRequest { why } => item(S::BAD_REQUEST, "bad_request", why.clone()),
        ApiError::UriTooLong => item(S::URI_TOO_LONG, "uri_too_long", "The path or query is too long."),
        ApiError::BodyTooLarge { bytes_max } => {
            item(S::PAYLOAD_TOO_LARGE, "body_too_large", format!("The body may have {bytes_max} bytes."))
        }
        ApiError::BodyTimeout => item(S::REQUEST_TIMEOUT, "body_timeout", "The body took too long to arrive."),
        ApiError::UnsupportedMediaType { why } => {
            item(S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", *why)
        }
        ApiError::NotAcceptable { asked } => {
            item(S::NOT_ACCEPTABLE, "not_acceptable", format!("API version {asked:?} does not exist here."))
                .remedy("ask for OpenStack-API-Version: protector 1.0")
        }
        ApiError::StaleVersion { current } => stale(current.as_ref().map(ToString::to_string)),
        ApiError::Timeout => {
            item(S::GATEWAY_TIMEOUT, "timeout", "The engine did not answer in time; what was asked may still happen.")
                .remedy("repeat the request with the same Idempotency-Key, or look at openstack protector operation list")
        }
        ApiError::Overloaded => {
            item(S::SERVICE_UNAVAILABLE, "overloaded", "Too many requests are in work.").remedy("repeat the request")
        }
        ApiError::Internal => internal(),
        ApiError::Engine(error) => return_first(engine_problem(error, asked)),
        ApiError::Admin(error) => return_first(admin::admin_problem(error, asked)),
    }
}

fn return_first(problem: Problem) -> Item {
    problem.items.into_iter().next().unwrap_or_else(internal)
}

fn internal() -> Item {
    item(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal_error",
        "Something unexpected happened.",
    )
    .remedy("give the request id to your administrator, who finds it in the log")
}

fn stale(current: Option<String>) -> Item {
    let at = current.unwrap_or_else(|| "another version".to_owned());
    item(
        StatusCode::PRECONDITION_FAILED,
        "stale_version",
        format!("The group changed; it is at version {at}."),
    )
    .remedy("openstack protector protection-group show <group>, then repeat")
}

fn engine_problem(error: &EngineError, asked: &Asked<'_>) -> Problem {
    use StatusCode as S;
    match error {
        // What the engine says of it is dropped: nothing may tell absent from foreign.
        EngineError::NotFound { what: _ } => one(not_found(asked)),
        EngineError::Refused { refusals } => refused_problem(refusals),
        EngineError::Sync { refusal } => sync_problem(refusal, asked),
        EngineError::Ambiguous { name: _ } => {
            one(item(S::CONFLICT, "ambiguous_name", error.to_string())
                .remedy("openstack protector protection-group list, then use the id"))
        }
        // Why may quote a database or a driver: for the log, not for tenants (K12).
        EngineError::Unavailable { why: _ } => one(item(
            S::SERVICE_UNAVAILABLE,
            "engine_unavailable",
            "The engine cannot answer now.",
        )
        .remedy("repeat the request with the same Idempotency-Key")),
        EngineError::Internal { request_id: _ } => one(internal()),
    }
}

/// All findings; the status they share, or 409.
fn refused_problem(refusals: &Refusals) -> Problem {
    let items: Vec<Item> = refusals.0.iter().map(refusal_item).collect();
    let Some(first) = items.first() else {
        return one(internal());
    };
    let shared = items.iter().all(|item| item.status == first.status);
    let status = if shared {
        first.status
    } else {
        StatusCode::CONFLICT
    };
    Problem {
        status,
        items,
        envelope: None,
    }
}

fn refusal_item(refusal: &Refusal) -> Item {
    let status = refusal_status(refusal);
    let made = item(status, &refusal.code(), refusal.to_string()).remedy(refusal.remedy());
    match refusal {
        Refusal::TicketNeeded => made.reason(TICKET_FROM),
        _ => made,
    }
}

/// As documented, not as called: the tenant's project has another id at the leading site.
const TICKET_FROM: &str =
    "POST /v1/{tenant}/protection-groups/{group}/sync/lock-tickets at the leading site gives one";

/// 400: the request itself names or says something that cannot be (API-02). 409: the state of things speaks
/// against it.
#[rustfmt::skip] // a list, several to a line
fn refusal_status(refusal: &R) -> StatusCode {
    match refusal {
        R::BadName | R::NoReason | R::BadPolicy { .. } | R::NoSuchPoint { .. }
        | R::NoSuchServer { .. } | R::NotAMember { .. } | R::NoSuchSite { .. }
        | R::ArrayNotRegistered { .. } | R::TypeNotReplicated { .. } | R::NoVolumeType { .. }
        | R::VolumeTypeMismatch { .. } | R::VolumeNotEligible { .. } | R::VolumeEncrypted { .. }
        | R::VolumeMultiattach { .. } | R::VolumeOfOtherProject { .. }
        | R::PortNotRebuildable { .. } | R::RootNotAVolume { .. } | R::EphemeralDisk { .. }
        | R::TicketNeeded | R::NoTestNetwork { .. }
        | R::TestNetworkNotIsolated { .. } | R::SyncNotSupported => StatusCode::BAD_REQUEST,
        R::NoMembers | R::NoPolicy | R::NothingToRecover | R::NotInPoint { .. }
        | R::RpoViolation { .. } | R::OperationInProgress { .. } | R::WrongGroupStatus { .. }
        | R::CouldNotAsk { .. } | R::NoVolumeService { .. } | R::NoFlavor { .. }
        | R::FlavorSmaller { .. } | R::NoNetwork { .. } | R::NoSubnet { .. }
        | R::NoSecurityGroup { .. } | R::AddressTaken { .. } | R::NoKeypair { .. }
        | R::NoTrust { .. } | R::NoUserData { .. } | R::ServerGroupDropped { .. }
        | R::FloatingIpDropped { .. } | R::ZoneDropped { .. }
        | R::QuotaExceeded { .. } | R::DelegationBroken { .. } | R::ServerState { .. }
        | R::VolumeNotOnArray { .. } | R::VolumeAlreadyProtected { .. }
        | R::AlreadyProtected { .. } | R::NameTaken { .. } | R::NotProtected
        | R::NotReplicating { .. } | R::Overtaken { .. } | R::OperationEnded { .. }
        | R::PastNoReturn { .. } | R::NotStuck { .. } | R::NotAdoptable { .. }
        | R::NoSuchObject { .. } | R::NotItsObject { .. } | R::NobodyDown | R::NotTheMove { .. }
        | R::NothingToSettle | R::NotSettled | R::NotSkippable { .. } | R::SplitBrain { .. }
        | R::WrongSite { .. } | R::NoDrill | R::DrillIsUp { .. } | R::NotHome { .. }
        | R::NothingToChange | R::IdempotencyKeyUsed { .. } | R::NoTenantMapping { .. } => StatusCode::CONFLICT,
    }
}

fn sync_problem(refusal: &SyncRefusal, asked: &Asked<'_>) -> Problem {
    let status = sync_status(refusal);
    let group = asked
        .group
        .filter(|name| is_plain(name))
        .unwrap_or("<group>");
    let made = match refusal {
        SyncRefusal::NoRecord => not_found(asked),
        // The documented wording of a blocked change.
        SyncRefusal::PeerRequired => item(
            status,
            refusal.code(),
            "Cannot modify protection group - remote site unreachable.",
        )
        .reason(refusal.to_string())
        .remedy(refusal.remedy(group)),
        other => item(status, other.code(), other.to_string()).remedy(other.remedy(group)),
    };
    let envelope = match refusal {
        SyncRefusal::OlderVersion { envelope, .. } => Some(envelope.clone()),
        _ => None,
    };
    Problem {
        envelope,
        ..one(made)
    }
}

/// Section 6 of the protocol: 409 unless it says otherwise.
fn sync_status(refusal: &SyncRefusal) -> StatusCode {
    use SyncRefusal as X;
    match refusal {
        X::NotLeader { .. }
        | X::OlderVersion { .. }
        | X::SyncPending { .. }
        | X::PeerBehind { .. }
        | X::PeerAhead { .. }
        | X::OperationInProgress { .. }
        | X::ReservationStale
        | X::PeerRequired
        | X::AlreadyPrimary { .. }
        | X::SiteSuspect
        | X::RejectedByPeer { .. }
        | X::ReleaseMismatch { .. }
        | X::OperationOver { .. } => StatusCode::CONFLICT,
        X::GroupDeleted => StatusCode::GONE,
        X::BadSignature | X::UnknownKey { .. } | X::WrongPair { .. } | X::WrongAuthor { .. } => {
            StatusCode::FORBIDDEN
        }
        X::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        X::Malformed { .. } | X::WrongGroup => StatusCode::BAD_REQUEST,
        X::NoRecord => StatusCode::NOT_FOUND,
    }
}

/// A remedy is copied into a shell: only harmless names go into it.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.starts_with('-') && !name.is_empty() && name.chars().all(plain)
}
