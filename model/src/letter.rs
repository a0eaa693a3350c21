//! A signed message with what the explorer has to know of it.
//!
//! Absent: what it causes.

use crate::cast::{ROLES, operation_number, pinned, site_of};
use protector_domain::sync::{
    Intent, LockKind, MAX_MESSAGE_BYTES, MessageContent, Nonce, RecordKind, RecordRef, Role,
    Signed, Verified, verify,
};
use std::fmt;

/// What a message says, as far as it is asked for.
#[derive(Debug, Clone)]
pub enum Says {
    Ticket { intent: Intent, nonce: Nonce },
    Reservation { operation: Option<u32> },
    Envelope(Written),
    Receipt(RecordRef),
    Rejection(RecordRef),
    Release { operation: u32 },
    Head { at: Option<RecordRef> },
}

/// A record.
#[derive(Debug, Clone)]
pub struct Written {
    pub at: RecordRef,
    pub parent: Option<RecordRef>,
    pub author: Role,
    pub kind: RecordKind,
    /// It holds a lock: of which operation, and which kind.
    pub lock: Option<(u32, LockKind)>,
    pub deleted: bool,
}

/// One message.
#[derive(Debug, Clone)]
pub struct Letter {
    pub signed: Signed,
    pub says: Says,
    /// As either site accepts it, home first. An envelope is for both (R6).
    received: [Option<Verified>; 2],
}

impl Letter {
    /// None: no site accepts it.
    pub fn of(signed: &Signed) -> Option<Self> {
        let received = ROLES.map(|role| {
            let (me, peers) = pinned(role);
            verify(signed, MAX_MESSAGE_BYTES, &me, &peers).ok()
        });
        let [home, other] = &received;
        let says = says(home.as_ref().or(other.as_ref())?);
        Some(Self {
            signed: signed.clone(),
            says,
            received,
        })
    }

    /// As `role` accepts it.
    pub fn at(&self, role: Role) -> Option<&Verified> {
        let [home, other] = &self.received;
        match role {
            Role::Home => home.as_ref(),
            Role::Other => other.as_ref(),
        }
    }

    pub fn written(&self) -> Option<&Written> {
        match &self.says {
            Says::Envelope(written) => Some(written),
            _ => None,
        }
    }
}

fn says(message: &Verified) -> Says {
    match &message.message().content {
        MessageContent::Ticket(ticket) => Says::Ticket {
            intent: ticket.intent,
            nonce: ticket.nonce.clone(),
        },
        MessageContent::Reservation(reservation) => {
            let lock = reservation.lock.as_ref();
            Says::Reservation {
                operation: lock.map(|lock| operation_number(lock.operation)),
            }
        }
        MessageContent::Envelope(_) => written(message),
        MessageContent::Receipt(receipt) => Says::Receipt(receipt.at.clone()),
        MessageContent::Rejection(rejection) => Says::Rejection(rejection.at.clone()),
        MessageContent::Release(release) => Says::Release {
            operation: operation_number(release.operation),
        },
        MessageContent::Head(report) => Says::Head {
            at: report.head.at.clone(),
        },
    }
}

fn written(message: &Verified) -> Says {
    let MessageContent::Envelope(record) = &message.message().content else {
        return Says::Head { at: None };
    };
    let header = &record.header;
    let Ok(digest) = record.digest() else {
        return Says::Head { at: None };
    };
    let lock = header.lock.as_ref();
    Says::Envelope(Written {
        at: RecordRef {
            epoch: header.epoch,
            version: header.version,
            digest,
        },
        parent: header.parent.clone(),
        author: header.author,
        kind: header.kind,
        lock: lock.map(|lock| (operation_number(lock.operation), lock.kind)),
        deleted: header.deleted,
    })
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.received.iter().flatten().next();
        let home = from.is_some_and(|m| m.message().from == site_of(Role::Home));
        let by = if home { Role::Home } else { Role::Other };
        match &self.says {
            Says::Ticket { intent, .. } => write!(f, "{by}'s ticket for {intent:?}"),
            Says::Reservation { .. } => write!(f, "{by}'s reservation"),
            Says::Envelope(w) => write!(f, "{by}'s {:?} {}", w.kind, w.at.pair()),
            Says::Receipt(at) => write!(f, "{by}'s receipt for {}", at.pair()),
            Says::Rejection(at) => write!(f, "{by}'s rejection of {}", at.pair()),
            Says::Release { operation } => write!(f, "{by}'s release of operation {operation}"),
            Says::Head { at } => match at {
                Some(at) => write!(f, "{by}'s head {}", at.pair()),
                None => write!(f, "{by}'s empty head"),
            },
        }
    }
}
