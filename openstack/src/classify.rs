//! The one place where answers and failures of the five services become [`ErrorKind`]s. Nobody else
//! reads a status or a vendor's text. Absent: second tries (`client`).

use crate::ask::Ask;
use crate::fault::Fault;
use crate::service::Service;
use protector_domain::ports::{ErrorKind, PortError};
use protector_runtime::remote::CallError;

/// States from which a volume leaves by itself, so that a 400 because of them means "wait" (H13).
/// Error texts carry Cinder's inner states: `managing` is shown as `creating` everywhere else (G1).
const PASSING_VOLUME_STATES: [&str; 8] = [
    "creating",
    "managing",
    "downloading",
    "attaching",
    "detaching",
    "retyping",
    "uploading",
    "extending",
];

/// What a refusing answer means. `status` is not a success; 401 is one that stayed after a new login.
pub(crate) fn answer_error(
    ask: &Ask,
    status: u16,
    retry_after_ms: Option<u64>,
    fault: &Fault,
) -> PortError {
    let kind = kind_of(ask.service, ask.writes(), status, retry_after_ms, fault);
    let reason = match (fault.message.as_str(), kind) {
        ("", ErrorKind::Unknown) if status == 404 => "404, but not in the service's words".into(),
        ("", _) => status.to_string(),
        (message, _) => format!("{status} {message}"),
    };
    ask.error(kind, &reason)
}

/// The table.
fn kind_of(
    service: Service,
    writes: bool,
    status: u16,
    retry_after_ms: Option<u64>,
    fault: &Fault,
) -> ErrorKind {
    let busy = ErrorKind::Busy { retry_after_ms };
    let open = if writes { ErrorKind::Unknown } else { busy };
    match status {
        401 => ErrorKind::Denied,
        403 if is_quota(service, fault) => ErrorKind::Refused,
        403 => ErrorKind::Denied,
        404 if speaks_for(service, fault) => ErrorKind::Missing,
        // A proxy's or another service's "not found" proves nothing about our object.
        404 => ErrorKind::Unknown,
        400 if waits_for_volume(service, fault) || is_down(service, fault) => busy,
        409 => conflict(service, fault),
        429 | 503 => busy,
        408 => open,
        501 | 505 | 507 => ErrorKind::Refused,
        300..=499 => ErrorKind::Refused,
        _ => open,
    }
}

/// Nova says "quota" with 403 (Cinder with 413, Neutron with 409).
fn is_quota(service: Service, fault: &Fault) -> bool {
    service == Service::Compute && fault.mentions(&["quota", "exceeded"])
}

/// True when a 404 is in the words of the service itself. Glance answers in HTML.
fn speaks_for(service: Service, fault: &Fault) -> bool {
    match service {
        Service::Compute | Service::Volume => fault.name == "itemNotFound",
        Service::Network => !fault.name.is_empty() && fault.name != "error",
        Service::Identity => fault.name == "error",
        Service::Image => true,
    }
}

/// Neutron's taken addresses (H6, H7); any other conflict is one of state.
fn conflict(service: Service, fault: &Fault) -> ErrorKind {
    let taken = matches!(
        fault.name.as_str(),
        "IpAddressInUse" | "IpAddressAlreadyAllocated" | "MacAddressInUse"
    );
    if service == Service::Network && taken {
        return ErrorKind::AlreadyThere;
    }
    ErrorKind::Refused
}

/// Cinder's 400 when the cinder-volume that is to do it is down or disabled (G4).
fn is_down(service: Service, fault: &Fault) -> bool {
    service == Service::Volume && fault.mentions(&["service is unavailable at this time"])
}

fn waits_for_volume(service: Service, fault: &Fault) -> bool {
    if service != Service::Compute || !fault.mentions(&["status must be"]) {
        return false;
    }
    let message = fault.message.to_lowercase();
    let tail = ["currently in ", "current status is "]
        .iter()
        .find_map(|mark| message.split(mark).nth(1));
    let state = tail.map(|rest| rest.trim_start_matches(['\'', '"']));
    state.is_some_and(|state| PASSING_VOLUME_STATES.iter().any(|p| state.starts_with(p)))
}

/// What a call without an answer means. `resting`: the endpoint's circuit is not closed, i.e. it
/// could not be reached again and again.
pub(crate) fn call_error(ask: &Ask, error: &CallError, resting: bool) -> PortError {
    match error {
        CallError::NotSent(why) => ask.error(ErrorKind::Unreachable, why),
        CallError::CircuitOpen { .. } if resting => ask.error(
            ErrorKind::Unreachable,
            "failed too often; resting for a moment",
        ),
        CallError::CircuitOpen { retry_after_ms } => {
            let retry_after_ms = Some(*retry_after_ms);
            ask.error(
                ErrorKind::Busy { retry_after_ms },
                "the service asked to wait",
            )
        }
        CallError::Unknown(why) => ask.error(ErrorKind::Unknown, why),
        CallError::BodyTooBig => ask.error(ErrorKind::Unknown, "the answer is too long"),
    }
}

/// A failed login, as an error of the call that needed it. Nothing was sent to the service, so the
/// outcome of that call is never open.
pub(crate) fn login_error(error: PortError) -> PortError {
    let kind = match error.kind {
        // 404: no such trust.
        ErrorKind::Missing | ErrorKind::Denied => ErrorKind::Denied,
        ErrorKind::Unknown | ErrorKind::Unreachable => ErrorKind::Unreachable,
        kept => kept,
    };
    PortError::new(kind, error.what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    const BUSY: ErrorKind = ErrorKind::Busy {
        retry_after_ms: None,
    };

    fn fault(name: &str, message: &str) -> Fault {
        Fault {
            name: name.into(),
            message: message.into(),
        }
    }

    fn check(service: Service, status: u16, fault: &Fault, read: ErrorKind, write: ErrorKind) {
        for (method, expected) in [(Method::GET, read), (Method::POST, write)] {
            let ask = Ask::new(service, "call", method, "/x");
            let got = answer_error(&ask, status, None, fault).kind;
            assert_eq!(got, expected, "{} {status} {fault:?}", service.name());
        }
    }

    #[test]
    fn statuses_without_words() {
        use ErrorKind::{Denied, Refused, Unknown};
        let none = Fault::default();
        for service in [
            Service::Identity,
            Service::Compute,
            Service::Volume,
            Service::Network,
        ] {
            for (status, read, write) in [
                (301, Refused, Refused),
                (400, Refused, Refused),
                (401, Denied, Denied),
                (403, Denied, Denied),
                (404, Unknown, Unknown),
                (406, Refused, Refused),
                (408, BUSY, Unknown),
                (409, Refused, Refused),
                (413, Refused, Refused),
                (429, BUSY, BUSY),
                (500, BUSY, Unknown),
                (501, Refused, Refused),
                (502, BUSY, Unknown),
                (503, BUSY, BUSY),
                (504, BUSY, Unknown),
                (507, Refused, Refused),
            ] {
                check(service, status, &none, read, write);
            }
        }
    }

    #[test]
    fn a_404_counts_only_in_the_words_of_the_service() {
        use ErrorKind::{Missing, Unknown};
        let (item, neutron, plain) = (
            fault("itemNotFound", "no"),
            fault("PortNotFound", "no"),
            fault("error", "no"),
        );
        check(Service::Compute, 404, &item, Missing, Missing);
        check(Service::Volume, 404, &item, Missing, Missing);
        check(Service::Network, 404, &neutron, Missing, Missing);
        check(Service::Identity, 404, &plain, Missing, Missing);
        check(Service::Image, 404, &Fault::default(), Missing, Missing);
        check(Service::Compute, 404, &plain, Unknown, Unknown);
        check(Service::Network, 404, &plain, Unknown, Unknown);
    }

    #[test]
    fn quotas_are_refusals_in_every_dialect() {
        use ErrorKind::{Denied, Refused};
        let nova = fault(
            "forbidden",
            "Quota exceeded for cores: Requested 4, but already used 20",
        );
        check(Service::Compute, 403, &nova, Refused, Refused);
        check(Service::Network, 403, &nova, Denied, Denied);
        check(
            Service::Volume,
            413,
            &fault("overLimit", "VolumeLimitExceeded"),
            Refused,
            Refused,
        );
        check(
            Service::Network,
            409,
            &fault("OverQuota", "ports"),
            Refused,
            Refused,
        );
    }

    #[test]
    fn only_taken_addresses_are_already_there() {
        use ErrorKind::{AlreadyThere, Refused};
        for name in [
            "IpAddressInUse",
            "MacAddressInUse",
            "IpAddressAlreadyAllocated",
        ] {
            check(
                Service::Network,
                409,
                &fault(name, ""),
                AlreadyThere,
                AlreadyThere,
            );
            check(Service::Volume, 409, &fault(name, ""), Refused, Refused);
        }
        check(
            Service::Network,
            409,
            &fault("PortInUse", ""),
            Refused,
            Refused,
        );
    }

    #[test]
    fn a_volume_on_its_way_is_waited_for() {
        let on_its_way = "Invalid volume: Volume v status must be available or in-use or downloading \
                          to reserve, but the current status is creating.";
        let older = "volume 'v' status must be 'available'. Currently in 'detaching'";
        let inner = on_its_way.replace("creating", "managing");
        let stuck = "volume 'v' status must be 'available'. Currently in 'error'";
        let no = ErrorKind::Refused;
        for (text, kind) in [
            (on_its_way, BUSY),
            (older, BUSY),
            (&inner, BUSY),
            (stuck, no),
        ] {
            check(
                Service::Compute,
                400,
                &fault("badRequest", text),
                kind,
                kind,
            );
        }
    }

    #[test]
    fn a_back_end_that_is_down_may_come_back() {
        let down = fault("badRequest", "Service is unavailable at this time.");
        let unknown = fault("badRequest", "Host 'h@x#y' not found");
        check(Service::Volume, 400, &down, BUSY, BUSY);
        let no = ErrorKind::Refused;
        check(Service::Volume, 400, &unknown, no, no);
        check(Service::Compute, 400, &down, no, no);
    }

    #[test]
    fn the_told_wait_is_handed_on() {
        let ask = Ask::get(Service::Compute, "server_list", "/servers");
        let error = answer_error(&ask, 503, Some(7_000), &Fault::default());
        assert_eq!(
            error.kind,
            ErrorKind::Busy {
                retry_after_ms: Some(7_000)
            }
        );
        assert_eq!(error.what, "nova: server_list: 503");
    }

    #[test]
    fn calls_without_an_answer() {
        let ask = Ask::post(Service::Volume, "volume_manage", "/x").on("db-1");
        let waits = CallError::CircuitOpen { retry_after_ms: 5 };
        for (error, resting, kind) in [
            (
                CallError::NotSent("refused".into()),
                false,
                ErrorKind::Unreachable,
            ),
            (waits.clone(), true, ErrorKind::Unreachable),
            (
                waits,
                false,
                ErrorKind::Busy {
                    retry_after_ms: Some(5),
                },
            ),
            (
                CallError::Unknown("no answer in time".into()),
                false,
                ErrorKind::Unknown,
            ),
            (CallError::BodyTooBig, false, ErrorKind::Unknown),
        ] {
            assert_eq!(call_error(&ask, &error, resting).kind, kind, "{error}");
        }
    }

    #[test]
    fn a_lost_login_leaves_no_call_open() {
        for (kind, expected) in [
            (ErrorKind::Unknown, ErrorKind::Unreachable),
            (ErrorKind::Unreachable, ErrorKind::Unreachable),
            (ErrorKind::Missing, ErrorKind::Denied),
            (ErrorKind::Denied, ErrorKind::Denied),
            (BUSY, BUSY),
            (ErrorKind::Refused, ErrorKind::Refused),
        ] {
            assert_eq!(login_error(PortError::new(kind, "x")).kind, expected);
        }
    }
}
