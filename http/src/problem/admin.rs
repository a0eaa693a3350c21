//! Statuses and texts of what an administrator asked for. Only administrators see them, so they may
//! say what is there.
//!
//! Absent: codes and remedies, which the refusals carry themselves.

use super::{Asked, Item, Problem, item, one};
use crate::limits::SHOWN_CHARS_MAX;
use http::StatusCode;
use protector_domain::admin::AdminRefusal;
use protector_domain::ports::admin::AdminError;

pub(super) fn admin_problem(error: &AdminError, asked: &Asked<'_>) -> Problem {
    one(match error {
        AdminError::NotFound { what } => {
            let shown: String = what.chars().take(SHOWN_CHARS_MAX).collect();
            let path: String = asked.path.chars().take(SHOWN_CHARS_MAX).collect();
            item(
                StatusCode::NOT_FOUND,
                "not_found",
                format!("There is no {shown}."),
            )
            .reason(format!("asked at {path}"))
            .remedy("GET /v1/admin/sites lists what is registered")
        }
        AdminError::Refused { refusal } => {
            item(status(refusal), refusal.code(), refusal.to_string()).remedy(refusal.remedy())
        }
        // Why may quote a database: for the log (K12).
        AdminError::Unavailable { why: _ } => unavailable(),
    })
}

fn unavailable() -> Item {
    item(
        StatusCode::SERVICE_UNAVAILABLE,
        "engine_unavailable",
        "The engine cannot answer now.",
    )
    .remedy("list what is registered, then repeat the request")
}

fn status(refusal: &AdminRefusal) -> StatusCode {
    use AdminRefusal as R;
    match refusal {
        R::BadName { .. } | R::BadUrl { .. } | R::BadOffer { .. } | R::OwnOffer => {
            StatusCode::BAD_REQUEST
        }
        R::FingerprintMismatch => StatusCode::FORBIDDEN,
        R::Taken { .. }
        | R::OtherKeys { .. }
        | R::OtherInstallation { .. }
        | R::SiteTaken { .. }
        | R::SiteInUse { .. }
        | R::NotPaired { .. }
        | R::InUse { .. }
        | R::SecretNeeded { .. }
        | R::NoCredential { .. }
        | R::CouldNotAsk { .. } => StatusCode::CONFLICT,
    }
}
