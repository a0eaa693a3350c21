//! Every answer "no" that the rules can give (X1 to X13), with a stable code and the next command.
//! Absent: status codes of HTTP, which the edge maps from [`SyncRefusal::code`].

use super::frame::KeyId;
use super::frame::Signed;
use super::order::{Epoch, Pair, Role};
use crate::ids::{OperationId, SiteId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a rule does not apply. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum SyncRefusal {
    /// X1: changes are asked at the leading site.
    #[error("the {leader} site leads this group (epoch {epoch})")]
    NotLeader { leader: Role, epoch: Epoch },
    /// X2, I11: the record is not newer than the one here. Carries this site's own envelope; a
    /// courier takes it to the other site. With equal pairs the contents differ.
    #[error("version {theirs} is not newer than version {mine}, which this site has")]
    OlderVersion {
        mine: Pair,
        theirs: Pair,
        envelope: Box<Signed>,
    },
    /// X3: the last change has not been acknowledged by the peer.
    #[error("version {pair} has not been acknowledged by the peer")]
    SyncPending { pair: Pair },
    /// X4: this site, asked to attest, stands below the base.
    #[error(
        "this site stands at version {}, the asker at {}",
        ShowPair(mine),
        ShowPair(theirs)
    )]
    PeerBehind {
        mine: Option<Pair>,
        theirs: Option<Pair>,
    },
    /// X4: this site stands above the base, or beside it with other content.
    #[error(
        "this site stands at version {}, the asker at {}",
        ShowPair(mine),
        ShowPair(theirs)
    )]
    PeerAhead {
        mine: Option<Pair>,
        theirs: Option<Pair>,
    },
    /// X5: a lock, or an operation here or there.
    #[error("operation {operation} of the {site} site is in progress")]
    OperationInProgress { operation: OperationId, site: Role },
    /// X6: the ticket is unknown, used, too old, or lost by a restart.
    #[error("the reservation is not good any more")]
    ReservationStale,
    /// X7: a change or a planned move without the peer's attestation.
    #[error("the peer site must take part, and its answer is missing")]
    PeerRequired,
    /// X8: an unplanned failover at the site that leads already.
    #[error("this site leads the group already (epoch {epoch})")]
    AlreadyPrimary { epoch: Epoch },
    /// X9: the group is deleted, for ever.
    #[error("the group is deleted")]
    GroupDeleted,
    /// X10: this site's memory may be incomplete.
    #[error("this site was restored and has not compared itself with its peer")]
    SiteSuspect,
    /// X11: the signature does not fit.
    #[error("the signature is not valid")]
    BadSignature,
    /// X11: the key is not pinned, or retired.
    #[error("key {key_id} is not pinned for this site, or retired")]
    UnknownKey { key_id: KeyId },
    /// X11: the sites are not the pair of this group.
    #[error("sites {from} and {to} are not this pair")]
    WrongPair { from: SiteId, to: SiteId },
    /// X11: written by a site that does not lead that epoch.
    #[error("the {author} site does not lead epoch {epoch}")]
    WrongAuthor { epoch: Epoch, author: Role },
    /// X12: the peer cannot store this, for lasting reasons.
    #[error("the peer site cannot accept this: {}", reasons.join("; "))]
    RejectedByPeer { reasons: Vec<String> },
    /// X13: a release of another epoch or operation.
    #[error("the release of operation {operation} does not fit this group's lock")]
    ReleaseMismatch { operation: OperationId },
    /// Section 4: over the size limit; nothing was parsed.
    #[error("the message has {bytes} bytes, at most {max_bytes} are read")]
    #[serde(rename = "message_too_large")]
    TooLarge { bytes: usize, max_bytes: usize },
    /// Section 4: not a message of this protocol, or one that contradicts itself.
    #[error("the message is not well formed: {why}")]
    #[serde(rename = "malformed_message")]
    Malformed { why: String },
    /// The message is about another group than the one it was delivered to.
    #[error("the message is about another group")]
    WrongGroup,
    /// This site has no record of the group.
    #[error("this site has no record of the group")]
    NoRecord,
    /// The operation is not, or no longer, this site's operation in the mode that the act needs.
    #[error("operation {operation} is not running here")]
    OperationOver { operation: OperationId },
}

struct ShowPair<'a>(&'a Option<Pair>);

impl fmt::Display for ShowPair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pair) => pair.fmt(f),
            None => f.write_str("none"),
        }
    }
}

impl SyncRefusal {
    pub(crate) fn malformed(why: &str) -> Self {
        Self::Malformed {
            why: why.to_owned(),
        }
    }

    /// The stable machine code (section 6 of the protocol).
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotLeader { .. } => "not_leader",
            Self::OlderVersion { .. } => "older_version",
            Self::SyncPending { .. } => "sync_pending",
            Self::PeerBehind { .. } => "peer_behind",
            Self::PeerAhead { .. } => "peer_ahead",
            Self::OperationInProgress { .. } => "operation_in_progress",
            Self::ReservationStale => "reservation_stale",
            Self::PeerRequired => "peer_required",
            Self::AlreadyPrimary { .. } => "already_primary",
            Self::GroupDeleted => "group_deleted",
            Self::SiteSuspect => "site_suspect",
            Self::BadSignature => "bad_signature",
            Self::UnknownKey { .. } => "unknown_key",
            Self::WrongPair { .. } => "wrong_pair",
            Self::WrongAuthor { .. } => "wrong_author",
            Self::RejectedByPeer { .. } => "rejected_by_peer",
            Self::ReleaseMismatch { .. } => "release_mismatch",
            Self::TooLarge { .. } => "message_too_large",
            Self::Malformed { .. } => "malformed_message",
            Self::WrongGroup => "wrong_group",
            Self::NoRecord => "no_record",
            Self::OperationOver { .. } => "operation_over",
        }
    }

    /// What the operator does next; `group` is the name or id to put into the command.
    pub fn remedy(&self, group: &str) -> String {
        let force = format!("openstack protector protection-group sync-force {group}");
        let status = format!("openstack protector protection-group sync-status {group}");
        let unplanned =
            format!("openstack protector protection-group failover --type unplanned {group}");
        match self {
            Self::NotLeader { leader, .. } => format!("send the same command to the {leader} site"),
            Self::OlderVersion { .. } => {
                format!("see both versions: {status}; then bring the newer one over: {force}")
            }
            Self::SyncPending { .. } | Self::PeerBehind { .. } | Self::PeerAhead { .. } => force,
            Self::OperationInProgress { operation, .. } => {
                format!("openstack protector operation show {operation}")
            }
            Self::ReservationStale => "repeat the command".to_owned(),
            Self::PeerRequired => format!(
                "restore the link and repeat the command, or, at the other site: {unplanned}"
            ),
            Self::AlreadyPrimary { .. } => "nothing to do".to_owned(),
            Self::GroupDeleted => "openstack protector protection-group create".to_owned(),
            Self::SiteSuspect => format!("{force}; still possible: {unplanned}"),
            Self::BadSignature
            | Self::UnknownKey { .. }
            | Self::WrongPair { .. }
            | Self::WrongAuthor { .. } => "openstack protector site validate <site>".to_owned(),
            Self::RejectedByPeer { .. } => {
                format!("mend the reasons; to take a stored change back: {force}")
            }
            Self::ReleaseMismatch { .. } | Self::WrongGroup => status,
            Self::TooLarge { .. } => "make the group smaller".to_owned(),
            Self::Malformed { .. } => {
                "bring both sites and the client to the same release".to_owned()
            }
            Self::NoRecord => format!("openstack protector protection-group show {group}"),
            Self::OperationOver { operation } => {
                format!("openstack protector operation show {operation}")
            }
        }
    }
}
