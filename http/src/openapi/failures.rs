//! With which statuses a route may refuse or fail; each with an `ErrorAnswer`.
//!
//! Absent: 405, which belongs to a path and not to one of its methods; and which error has which status
//! (`problem`).

use super::parameters::headers_of;
use crate::policy::Need;
use crate::route::Route;
use http::StatusCode;

/// In no order, each once.
pub(super) fn statuses(route: &Route) -> Vec<StatusCode> {
    use StatusCode as S;
    let in_path = |name: &str| route.path_params().any(|other| other == name);
    let knows = |name: &str| in_path(name) || route.query.contains(&name);
    let is_write = route.method != "GET";
    let is_synced = is_write && route.path_params().next() == Some("tenant");
    let when: [(bool, &[S]); 9] = [
        // The version, the query, the length: asked of everybody. Ours to fail: always.
        (true, &[S::BAD_REQUEST, S::NOT_ACCEPTABLE, S::URI_TOO_LONG]),
        (
            true,
            &[
                S::INTERNAL_SERVER_ERROR,
                S::SERVICE_UNAVAILABLE,
                S::GATEWAY_TIMEOUT,
            ],
        ),
        (route.need != Need::Open, &[S::UNAUTHORIZED]),
        (
            !matches!(route.need, Need::Open | Need::Token),
            &[S::FORBIDDEN],
        ),
        (
            route.path_params().next().is_some() || knows("group"),
            &[S::NOT_FOUND],
        ),
        // A name that several have, or a state that speaks against it.
        (is_write || knows("group"), &[S::CONFLICT]),
        (
            is_write,
            &[
                S::REQUEST_TIMEOUT,
                S::PAYLOAD_TOO_LARGE,
                S::UNSUPPORTED_MEDIA_TYPE,
            ],
        ),
        (
            headers_of(route.endpoint).contains(&"If-Match"),
            &[S::PRECONDITION_FAILED],
        ),
        (is_synced, &[S::GONE]),
    ];
    let holds = when.iter().filter(|(holds, _)| *holds);
    holds
        .flat_map(|(_, statuses)| statuses.iter().copied())
        .collect()
}
