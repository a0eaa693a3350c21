//! The engine as the API sees it: commands and questions in, answers or refusals out. In process
//! today; a broker may carry the same values later, so everything here is serde.
//!
//! Absent: tokens and HTTP. `Caller` is what the API made of them.

use crate::change::{PolicyAsk, RebuildAsk};
use crate::condition::Condition;
use crate::health::HealthView;
use crate::ids::{GroupId, OperationId, ProjectId, ServerId, UserId};
use crate::operation::failover::{FailoverAsk, TestAsk};
use crate::operation::{Operation, OperationEvent};
use crate::plan::Plan;
use crate::ports::storage::RecoveryPoint;
use crate::record::{GroupBody, Mappings, ReplicationType};
use crate::refusal::Refusals;
use crate::sync::{Head, Pair, Signed, SyncRefusal};
use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Who asks, as the token said. Tenants see their own project only (S14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub user: UserId,
    pub project: ProjectId,
    pub is_admin: bool,
    pub request_id: String,
}

/// A change to a group's record, before it is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// PG-04. The caller's site becomes `home`.
    Create {
        name: String,
        #[serde(default)]
        description: String,
        replication_type: ReplicationType,
        /// Name or id of the other site.
        secondary_site: String,
        volume_type: String,
        /// C1; defaults to the same name.
        secondary_volume_type: Option<String>,
    },
    SetPolicy(PolicyAsk),
    /// POL-07: other times; the arrays and the name on them stay.
    UpdatePolicy(PolicyAsk),
    /// PG-11: other words; `None`: as it is.
    Update {
        name: Option<String>,
        description: Option<String>,
    },
    /// MEM-01.
    AddMember {
        instance_id: ServerId,
        #[serde(default)]
        rebuild: RebuildAsk,
    },
    /// How a member is rebuilt at the other side. The server at either site.
    SetMember {
        instance_id: ServerId,
        rebuild: RebuildAsk,
    },
    /// MEM-10. The server at either site.
    RemoveMember {
        instance_id: ServerId,
    },
    /// PG-11. The record becomes a tombstone at both sites; then the array's objects go.
    Delete {},
    /// RP-01: protect the group from where it is now, towards the other site.
    Reprotect {},
    /// What `retry_members` has brought up since the last record.
    SettleMembers {},
    /// Where things of the home side are at the other, in place of what was said before.
    SetMappings(Mappings),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// R1: check a change and ask for the peer's attestation. `group` is `None` for `Create`.
    Ticket {
        group: Option<GroupId>,
        change: Change,
    },
    /// R2, at the peer.
    Reserve { ticket: Signed },
    /// R3: what the ticket said, now that the peer has attested.
    Commit { reservation: Signed },
    /// R4, section 10: delete although the peer is gone for good. For administrators.
    AbandonPeer { group: GroupId },
    /// R6.
    Store { envelope: Signed },
    /// R7.
    Receipt { receipt: Signed },
    /// R9, at the author: its record was refused for good.
    Withdraw { rejection: Signed },
    /// R11, at the holder of a lock: sign that its operation is over without a move.
    AskRelease {
        group: GroupId,
        operation: OperationId,
    },
    /// R11, at the leader: the lock comes back.
    Release { release: Signed },
    /// R1, at the leader: the right to start VMs is to go to an operation of the peer.
    LockTicket { group: GroupId },
    /// R1, at a suspect site: where does the peer stand?
    HeadTicket { group: GroupId },
    /// M7, at the peer: the head ticket is answered, also for a group that is not here.
    SignHead { group: GroupRef, ticket: Signed },
    /// R13, at the suspect site: the peer's head, with its record if that is the newer one.
    CompareHead {
        head: Signed,
        envelope: Option<Signed>,
    },
    /// A move of leadership to this site. Unplanned: begins at once. Planned: needs the leader's
    /// lock ticket and is answered with a reservation for it (R2); it begins when the lock comes
    /// back as an envelope (R6).
    Move {
        group: GroupId,
        kind: MoveKind,
        ask: FailoverAsk,
        dry_run: bool,
        idempotency_key: Option<String>,
        ticket: Option<Signed>,
    },
    /// TF-01: a drill at this site; `networks` says where each network of the primary is for it.
    TestFailover {
        group: GroupId,
        ask: TestAsk,
        dry_run: bool,
        idempotency_key: Option<String>,
    },
    /// TF-04: takes the newest drill's objects away.
    TestCleanup {
        group: GroupId,
        idempotency_key: Option<String>,
    },
    /// CG-06: an extra replicated snapshot now.
    SyncVolumes { group: GroupId },
    /// A word to an operation that runs or waits.
    Operation {
        operation: OperationId,
        order: Order,
    },
}

impl Command {
    /// True for what runs servers here: the tenant's leave is wanted before it is decided.
    pub fn boots_servers(&self) -> bool {
        matches!(self, Self::Move { .. } | Self::TestFailover { .. })
    }

    /// True for what may bring a group here: the tenant's leave is wanted once it is.
    pub fn brings_a_group(&self) -> bool {
        matches!(
            self,
            Self::Commit { .. } | Self::Store { .. } | Self::CompareHead { .. }
        )
    }
}

/// Ways out of an operation that is not wanted any more, or waits for people (I13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Turn round before the point of no return: everything of its own is undone.
    Cancel {},
    /// Try the stuck steps again, with fresh patience.
    Resume {},
    /// Give a stuck undo up: what it would have removed is listed as left behind. For administrators.
    SkipStep { reason: String },
    /// Another try for the members that this forced move left down (I14).
    RetryMembers {},
    /// This object is that step's, though it carries no key any more. For administrators.
    Adopt {
        /// `<step>/<target>`, as in its key.
        step: String,
        object_id: String,
        reason: String,
    },
}

impl Order {
    /// True for what leaves things behind, or takes them on somebody's word.
    pub fn is_for_admins(&self) -> bool {
        matches!(self, Self::SkipStep { .. } | Self::Adopt { .. })
    }
}

/// Which way a move goes; the code is the same (ARC-12), the verb and its conditions differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveKind {
    /// Away from the present primary.
    Failover,
    /// Back to the site that made the group.
    Failback,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    Ticket {
        group: GroupId,
        ticket: Signed,
    },
    Reservation {
        reservation: Signed,
    },
    /// Committed and pending: carry the envelope to the peer.
    Committed {
        group: GroupId,
        envelope: Signed,
        /// What it changed, in words for the audit trail.
        #[serde(default)]
        changed: Vec<String>,
    },
    Stored {
        receipt: Signed,
    },
    Rejected {
        rejection: Signed,
    },
    /// Carry it to the leader: it frees the lock.
    Release {
        release: Signed,
    },
    Synced {
        group: GroupId,
    },
    /// Carry it to the suspect site that asked.
    Head {
        head: Signed,
    },
    /// The doubt is over: the peer's record is in force here.
    Trusted {
        group: GroupId,
    },
    /// A planned move is checked and written down; it begins when the leader's lock comes.
    Requested {
        operation: Box<Operation>,
        reservation: Signed,
    },
    /// 202: written down, before anything outside was touched.
    Accepted {
        operation: Box<Operation>,
    },
    /// The plan of a dry run, with all findings in it.
    Planned {
        plan: Box<Plan>,
    },
    SnapshotTaken {
        suffix: String,
    },
}

/// Questions; answered from the store, but for the two that say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "query", rename_all = "snake_case")]
pub enum Query {
    GroupList {
        marker: Option<String>,
        limit: u32,
    },
    Group {
        group: GroupRef,
    },
    /// Asks the array that the group replicates to.
    RecoveryPoints {
        group: GroupRef,
    },
    /// Asks both arrays.
    Health {
        group: GroupRef,
    },
    /// Also of a tombstone, by its id.
    Sync {
        group: GroupRef,
    },
    OperationList {
        group: Option<GroupId>,
        marker: Option<String>,
        limit: u32,
    },
    Operation {
        operation: OperationId,
    },
    OperationEvents {
        operation: OperationId,
        after_seq: u64,
        limit: u32,
    },
}

/// A group by name or id, as the user gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupRef(pub String);

/// A group as shown (PG-02).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupView {
    pub id: GroupId,
    pub project: ProjectId,
    pub body: GroupBody,
    pub pair: Pair,
    pub synced: bool,
    /// What is wrong with it now, besides its status.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// The site that leads now (ARC-11).
    pub current_primary_site: crate::ids::SiteId,
    pub deleted: bool,
}

/// What a courier reads (M7) and carries (M3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncView {
    pub head: Head,
    pub envelope: Signed,
    pub synced: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "view", rename_all = "snake_case")]
pub enum View {
    Groups {
        groups: Vec<GroupView>,
    },
    Group {
        group: Box<GroupView>,
    },
    /// Newest first, complete and incomplete ones.
    RecoveryPoints {
        points: Vec<RecoveryPoint>,
    },
    Health {
        health: Box<HealthView>,
    },
    Sync {
        sync: Box<SyncView>,
    },
    Operations {
        operations: Vec<Operation>,
    },
    Operation {
        operation: Box<Operation>,
    },
    Events {
        events: Vec<OperationEvent>,
    },
}

/// Why the engine did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum EngineError {
    /// Not there, or not yours: the same answer (S14).
    #[error("{what} does not exist")]
    NotFound { what: String },
    #[error(transparent)]
    Refused { refusals: Refusals },
    #[error(transparent)]
    Sync { refusal: SyncRefusal },
    /// More than one group of this name: use the id.
    #[error("more than one protection group is named {name}; use the id")]
    Ambiguous { name: String },
    /// Busy, starting or stopping: repeat with the same `Idempotency-Key`.
    #[error("the engine cannot answer now: {why}")]
    Unavailable { why: String },
    #[error("internal error; the log of request {request_id} tells more")]
    Internal { request_id: String },
}

impl From<Refusals> for EngineError {
    fn from(refusals: Refusals) -> Self {
        Self::Refused { refusals }
    }
}

impl From<SyncRefusal> for EngineError {
    fn from(refusal: SyncRefusal) -> Self {
        Self::Sync { refusal }
    }
}

#[async_trait]
pub trait Engine: Send + Sync {
    async fn command(&self, caller: &Caller, command: Command) -> Result<Reply, EngineError>;
    async fn query(&self, caller: &Caller, query: Query) -> Result<View, EngineError>;
    /// The caller's token is at hand, and these are the roles that it would lend the service: taken for its
    /// groups that have nobody's yet (SEC-03). Never stops what was asked besides: what fails shows as a
    /// condition of the group. A broker would carry the token sealed.
    async fn delegate(&self, _caller: &Caller, _roles: &[String], _token: &SecretString) {}
}
