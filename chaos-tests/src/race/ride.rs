//! One courier of a pair: sets out, brings what it wants, perhaps tries again, perhaps dies.
//!
//! Absent: believing it; what it was told is in its notes.

use super::plan::Rider;
use super::road::{Brought, Note, Road};
use super::want::{Cast, Want};
use http::Uri;
use protector_lab::courier::{CourierError, Endpoint, change, planned_move, sync};
use serde_json::json;
use std::time::Duration;
use tower::ServiceExt;

/// Times that a courier asks for what it wants.
const TRIES_MAX: u32 = 2;

/// How long it waits for the answer to what somebody brought before, milliseconds.
const PARROT_MS: u64 = 5_000;

/// What came of it, for the courier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Done,
    /// The code of the last refusal, or nothing for silence.
    Refused(String),
    Died,
}

/// A courier that has ended.
#[derive(Debug, Clone)]
pub(super) struct Ridden {
    pub want: Want,
    pub end: End,
    pub notes: Vec<Note>,
}

/// The leading site and its peer, as a courier reaches them.
#[derive(Clone)]
pub(super) struct Ends {
    pub leader: Endpoint,
    pub peer: Endpoint,
    /// How the group moves from the one to the other.
    pub verb: &'static str,
}

pub(super) async fn ride(ends: Ends, cast: Cast, rider: Rider, brought: Brought) -> Ridden {
    let road = Road::new(ends.leader.http.clone(), &rider.legs, &brought);
    let on_road = |at: &Endpoint| Endpoint {
        http: road.service(),
        ..at.clone()
    };
    let ends = Ends {
        leader: on_road(&ends.leader),
        peer: on_road(&ends.peer),
        ..ends
    };
    let want = rider.want;
    let end = tokio::select! {
        biased;
        () = road.end() => End::Died,
        end = live(&ends, &cast, &rider, &brought) => end,
    };
    let notes = road.notes();
    Ridden { want, end, notes }
}

async fn live(ends: &Ends, cast: &Cast, rider: &Rider, brought: &Brought) -> End {
    tokio::time::sleep(Duration::from_millis(rider.starts_ms)).await;
    if let Some(number) = rider.parrots {
        parrot(ends, brought, number).await;
    }
    let mut end = End::Done;
    for tried in 0..TRIES_MAX {
        let said = attempt(ends, cast, rider).await;
        let Err(refused) = said else {
            return End::Done;
        };
        end = End::Refused(refused.code().to_owned());
        let again = rider.tries_again && tried + 1 < TRIES_MAX;
        if !again || sync(&ends.leader, &ends.peer, &cast.group).await.is_err() {
            break;
        }
    }
    end
}

/// What somebody brought before, with this courier's own token.
async fn parrot(ends: &Ends, brought: &Brought, number: u64) {
    let Some(mut request) = brought.nth(number) else {
        return;
    };
    let host = request.uri().authority().map(ToString::to_string);
    let own = [&ends.leader, &ends.peer].into_iter().find(|at| {
        let uri: Option<Uri> = at.url.parse().ok();
        uri.and_then(|uri| uri.authority().map(ToString::to_string)) == host
    });
    if let Some(token) = own.and_then(|at| at.token.parse().ok()) {
        request.headers_mut().insert("X-Auth-Token", token);
        let said = ends.leader.http.clone().oneshot(request);
        let _whatever_it_says = tokio::time::timeout(Duration::from_millis(PARROT_MS), said).await;
    }
}

async fn attempt(ends: &Ends, cast: &Cast, rider: &Rider) -> Result<(), CourierError> {
    let (one, other) = match rider.crosswise {
        true => (&ends.peer, &ends.leader),
        false => (&ends.leader, &ends.peer),
    };
    match (rider.want, rider.want.call(cast)) {
        (_, Some(call)) => change(one, other, call.method, &call.path, &call.body)
            .await
            .map(drop),
        (Want::Forces, None) => {
            let body = json!({ ends.verb: { "type": "unplanned" } });
            ends.peer
                .act(&cast.group, &body, "by-force")
                .await
                .map(drop)
        }
        (_, None) => {
            let body = json!({ "type": "planned" });
            planned_move(one, other, &cast.group, ends.verb, &body)
                .await
                .map(drop)
        }
    }
}
