//! Every change of the store as data: queued, grouped, repeated after a deadlock, all without the
//! caller's help. Absent: doing them (`q::apply`).

use crate::model::{
    Array, AuditEntry, Claimed, ConsistencyFacts, Delegation, EffectSettle, GroupPut,
    IdempotencyClaim, NewEvent, OperationUpdate, Site, SiteStatus, SyncLogEntry, TenantMapping,
};
use crate::seal::Sealed;
use protector_domain::effect::Effect;
use protector_domain::ids::{ArrayId, GroupId, OperationId, ProjectId, SiteId, TenantMappingId};
use protector_domain::operation::Operation;
use protector_domain::sync::{Epoch, KeyId};
use serde_json::Value;
use uuid::Uuid;

/// Writes in one batch at most; also what one effect call may bring.
pub(crate) const BATCH_MAX: usize = 4_096;

/// One change. It happens whole or not at all, and can be repeated from the start.
#[derive(Debug, Clone)]
pub enum Write {
    /// All or nothing, in this order. No batch inside a batch.
    Batch(Vec<Write>),
    /// Fails with `Fenced` unless the group is at this epoch: guards the batch it stands in.
    Fence {
        group: GroupId,
        epoch: Epoch,
    },

    /// This site's identity, once and for all.
    IdentityPut {
        site: SiteId,
        installation: Uuid,
        key_id: KeyId,
        secret: Sealed,
    },
    /// R13: the mark inside the database. The caller sees to it that it never falls.
    RestoreMarkPut(u64),
    SiteCreate {
        site: Box<Site>,
        credential: Option<Sealed>,
    },
    /// All but status, keys and credential.
    SiteUpdate(Box<Site>),
    SiteStatusSet {
        id: SiteId,
        status: SiteStatus,
    },
    SitePeerKeysSet {
        id: SiteId,
        keys: Value,
    },
    SiteCredentialPut {
        id: SiteId,
        credential: Sealed,
    },
    SiteDelete(SiteId),
    ArrayCreate {
        array: Box<Array>,
        token: Option<Sealed>,
    },
    /// All but the token.
    ArrayUpdate(Box<Array>),
    ArrayTokenPut {
        id: ArrayId,
        token: Sealed,
    },
    ArrayDelete(ArrayId),
    TenantMappingCreate(Box<TenantMapping>),
    TenantMappingDelete(TenantMappingId),

    /// Compare and set, with its projections.
    GroupPut(Box<GroupPut>),
    GroupRebuild(GroupId),
    /// Nothing of a deleted group is left at this site's array.
    GroupRetired(GroupId),
    ConsistencyGroupSet {
        group: GroupId,
        facts: ConsistencyFacts,
    },
    GroupSecretPut {
        group: GroupId,
        name: String,
        value: Sealed,
    },
    GroupSecretsDelete(GroupId),
    DelegationPut(Box<Delegation>),
    DelegationDelete(GroupId),

    /// Fails with `AlreadyThere { what: "idempotency_key", .. }` if the key was used.
    OperationInsert(Box<Operation>),
    OperationUpdate(OperationUpdate),
    EventsAppend {
        operation: OperationId,
        events: Vec<NewEvent>,
    },
    EffectsIntend {
        group: GroupId,
        fence: Epoch,
        effects: Vec<Effect>,
    },
    EffectsSettle {
        group: GroupId,
        fence: Epoch,
        settles: Vec<EffectSettle>,
    },

    SyncLogAppend(SyncLogEntry),
    SyncLogDelete {
        group: GroupId,
        seq: i64,
    },
    AuditAppend(Box<AuditEntry>),
    IdempotencyClaim(IdempotencyClaim),
    IdempotencySettle {
        project: ProjectId,
        key: String,
        status: u16,
        body: Value,
    },
    IdempotencyForget {
        project: ProjectId,
        key: String,
    },
    /// Forgets keys made before this Unix microsecond.
    IdempotencySweep {
        before_us: i64,
    },
}

/// The answer to a [`Write`].
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// It is done.
    Done,
    /// Of a batch, in its order.
    Batch(Vec<Written>),
    /// Of a group: its new revision.
    Revision(i64),
    /// Of an operation: as it is now.
    Operation(Box<Operation>),
    /// Of events: the number of the last one.
    Seq(u64),
    /// How many rows went.
    Count(u64),
    /// Of an idempotency key.
    Claimed(Claimed),
}
