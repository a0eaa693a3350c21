//! The audit trail of a tenant's requests (S18): who did what, in which project, and what came of it.
//! Accepted changes are told each time; a message that is not genuine (X11) once, however often it is
//! brought.
//!
//! Absent: what administrators change; that is written in the transaction of the change itself (`admin`).

use crate::site::Site;
use protector_domain::ids::GroupId;
use protector_domain::ports::engine::{Caller, Command, EngineError, MoveKind, Order, Reply};
use protector_domain::sync::{Digest, Signed, SyncRefusal};
use protector_store::AuditEntry;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Messages that are remembered as refused; beyond that the oldest is told again.
const REFUSED_MAX: usize = 1_024;

/// What a command was, before it is given away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    action: &'static str,
    group: Option<GroupId>,
    /// Names a courier's message without repeating it.
    message: Option<Digest>,
}

/// What is worth a line of an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub target: String,
    pub outcome: String,
    pub detail: Value,
}

impl Asked {
    /// Its name in the trail, and what it is about.
    pub fn of(command: &Command) -> Self {
        let named = |action, group: &GroupId| Self {
            action,
            group: Some(*group),
            message: None,
        };
        match command {
            Command::Ticket { group, .. } => Self {
                action: "group.draft",
                group: *group,
                message: None,
            },
            Command::Reserve { ticket } => Self::brought("sync.reserve", ticket),
            Command::Commit { reservation } => Self::brought("sync.commit", reservation),
            Command::Store { envelope } => Self::brought("sync.store", envelope),
            Command::Receipt { receipt } => Self::brought("sync.receipt", receipt),
            Command::Withdraw { rejection } => Self::brought("sync.withdraw", rejection),
            Command::Release { release } => Self::brought("sync.release", release),
            Command::AskRelease { group, .. } => named("sync.ask_release", group),
            Command::LockTicket { group } => named("sync.lock_ticket", group),
            Command::HeadTicket { group } => named("sync.head_ticket", group),
            Command::SignHead { ticket, .. } => Self::brought("sync.sign_head", ticket),
            Command::CompareHead { head, .. } => Self::brought("sync.compare_head", head),
            Command::Move { group, kind, .. } => match kind {
                MoveKind::Failover => named("group.failover", group),
                MoveKind::Failback => named("group.failback", group),
            },
            Command::TestFailover { group, .. } => named("group.test_failover", group),
            Command::TestCleanup { group, .. } => named("group.test_cleanup", group),
            Command::AbandonPeer { group } => named("group.abandon_peer", group),
            Command::SyncVolumes { group } => named("group.sync_volumes", group),
            Command::Operation { order, .. } => Self {
                action: match order {
                    Order::Cancel {} => "operation.cancel",
                    Order::Resume {} => "operation.resume",
                    Order::SkipStep { .. } => "operation.skip_step",
                    Order::RetryMembers {} => "operation.retry_members",
                    Order::Adopt { .. } => "operation.adopt",
                },
                group: None,
                message: None,
            },
        }
    }

    fn brought(action: &'static str, message: &Signed) -> Self {
        let text = format!("{}\n{}", message.payload, message.signature);
        Self {
            action,
            group: None,
            message: Some(Digest::of_bytes(text.as_bytes())),
        }
    }
}

/// What the trail says of an outcome; `None`: nothing happened that it keeps.
pub(crate) fn told(asked: &Asked, outcome: &Result<Reply, EngineError>) -> Option<Told> {
    let target = |group: Option<GroupId>| group.map_or_else(|| "?".to_owned(), |g| g.to_string());
    let accepted = |group: Option<GroupId>, detail: Value| {
        Some(Told {
            target: target(group.or(asked.group)),
            outcome: "accepted".to_owned(),
            detail,
        })
    };
    match outcome {
        Ok(Reply::Committed { group, changed, .. }) => {
            let detail = json!({ "message": asked.message, "changed": changed });
            accepted(Some(*group), detail)
        }
        Ok(Reply::Synced { group } | Reply::Trusted { group }) => {
            accepted(Some(*group), message_of(asked))
        }
        Ok(Reply::Stored { .. } | Reply::Rejected { .. }) => accepted(None, message_of(asked)),
        Ok(Reply::Requested { operation, .. } | Reply::Accepted { operation }) => {
            let detail = json!({ "operation": operation.id, "mode": operation.mode });
            accepted(Some(operation.group), detail)
        }
        Ok(Reply::SnapshotTaken { suffix }) => accepted(None, json!({ "suffix": suffix })),
        Ok(
            Reply::Ticket { .. }
            | Reply::Reservation { .. }
            | Reply::Head { .. }
            | Reply::Release { .. }
            | Reply::Planned { .. },
        ) => None,
        Err(EngineError::Sync { refusal }) if is_not_genuine(refusal) => Some(Told {
            target: target(asked.group),
            outcome: refusal.code().to_owned(),
            detail: message_of(asked),
        }),
        Err(_) => None,
    }
}

fn message_of(asked: &Asked) -> Value {
    json!({ "message": asked.message })
}

/// X11: what only somebody who forges, replays elsewhere, or is badly set up can bring.
fn is_not_genuine(refusal: &SyncRefusal) -> bool {
    matches!(
        refusal,
        SyncRefusal::BadSignature
            | SyncRefusal::UnknownKey { .. }
            | SyncRefusal::WrongPair { .. }
            | SyncRefusal::WrongAuthor { .. }
    )
}

/// Writes the trail, and remembers what it has told of refused messages.
#[derive(Default)]
pub(crate) struct Trail {
    refused: Mutex<VecDeque<Digest>>,
}

impl Trail {
    /// One line about a request that is over. A store that does not take it is told to the log: the
    /// request has been answered by its own transaction.
    pub async fn keep(
        &self,
        site: &Site,
        caller: &Caller,
        asked: &Asked,
        outcome: &Result<Reply, EngineError>,
    ) {
        let Some(told) = told(asked, outcome) else {
            return;
        };
        if outcome.is_err() && self.known(asked) {
            return;
        }
        let entry = AuditEntry {
            id: site.ctx().uuid(),
            at_us: site.ctx().now_us(),
            project: caller.project.clone(),
            user: caller.user.clone(),
            action: asked.action.to_owned(),
            target: told.target,
            outcome: told.outcome,
            request_id: caller.request_id.clone(),
            detail: told.detail,
        };
        let action = asked.action;
        if let Err(error) = site.store().audit_append(entry).await {
            tracing::error!(action, request_id = %caller.request_id, %error, "not in the audit trail");
        }
    }

    /// True when this refused message has been told before.
    fn known(&self, asked: &Asked) -> bool {
        let Some(message) = &asked.message else {
            return false;
        };
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.contains(message) {
            return true;
        }
        if refused.len() >= REFUSED_MAX {
            refused.pop_front();
        }
        refused.push_back(message.clone());
        false
    }
}
