//! Operations as a client asks for them: one key, and what that operation wants to know.
//!
//! Absent: drafts of changes (`changes`), and judging what is asked, which is the engine's.

use crate::error::ApiError;
use crate::wire::changes::{MemberAdd, PolicySet};
use crate::wire::object::maybe_object;
use crate::wire::sync::SignedSchema;
use protector_domain::ids::{GroupId, NetworkId, PointSuffix, ServerId};
use protector_domain::operation::OperationMode;
use protector_domain::operation::failover::{FailoverAsk, TestAsk};
use protector_domain::ports::engine::{Change, Command, EngineError, MoveKind};
use protector_domain::refusal::{Refusal, Refusals};
use protector_domain::sync::Signed;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// FO-01, FO-08, FB-01: a failover or a failback, asked at the site that is to lead.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveAction {
    /// `planned` or `unplanned`; there is no default (C14).
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub mode: OperationMode,
    /// Accept what would otherwise be refused.
    #[serde(default)]
    pub force: bool,
    /// Suffix of a complete recovery point; none: the newest.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub recovery_point: Option<PointSuffix>,
    /// Only make and show the plan.
    #[serde(default)]
    pub dry_run: bool,
    /// The leading site's lock ticket. A planned move begins with one, an unplanned needs nobody.
    #[serde(default)]
    #[schema(value_type = Option<SignedSchema>)]
    pub ticket: Option<Signed>,
}

/// TF-01 to TF-03, asked at the site that does not lead.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestFailoverAction {
    /// Networks of the present primary to isolated ones of this site.
    #[schema(value_type = BTreeMap<String, String>)]
    pub network_mapping: BTreeMap<NetworkId, NetworkId>,
    /// Suffix of a complete recovery point; none: the newest.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub recovery_point: Option<PointSuffix>,
    /// Only make and show the plan.
    #[serde(default)]
    pub dry_run: bool,
    /// A drill never touches the primary: nothing but true (C12).
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub retain_primary: bool,
}

fn yes() -> bool {
    true
}

/// Nothing to say: `{}`, and not the `[]` that a derived reader takes for it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(try_from = "BTreeMap<String, IgnoredAny>", deny_unknown_fields)]
pub struct Empty {}

impl TryFrom<BTreeMap<String, IgnoredAny>> for Empty {
    type Error = String;

    fn try_from(given: BTreeMap<String, IgnoredAny>) -> Result<Self, String> {
        match given.keys().next() {
            Some(key) => Err(format!("unknown field `{key}`, there are no fields")),
            None => Ok(Self {}),
        }
    }
}

/// MEM-10.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberRemove {
    /// Id of the Nova server, at either site.
    #[schema(value_type = String)]
    pub instance_id: ServerId,
}

/// Exactly one of the keys.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionRequest {
    #[serde(default, deserialize_with = "maybe_object")]
    pub failover: Option<MoveAction>,
    #[serde(default, deserialize_with = "maybe_object")]
    pub failback: Option<MoveAction>,
    #[serde(default, deserialize_with = "maybe_object")]
    pub test_failover: Option<TestFailoverAction>,
    #[serde(default)]
    pub test_cleanup: Option<Empty>,
    #[serde(default)]
    pub reprotect: Option<Empty>,
    #[serde(default)]
    pub sync_volumes: Option<Empty>,
    /// Brings what `retry_members` achieved into the record of both sites.
    #[serde(default)]
    pub settle_members: Option<Empty>,
    /// Takes a VM out of the group. Nothing of the VM is deleted.
    #[serde(default, deserialize_with = "maybe_object")]
    pub member_remove: Option<MemberRemove>,
    /// How a VM is rebuilt at the other side. What is left out stays as it is; the server at either site.
    #[serde(default, deserialize_with = "maybe_object")]
    pub member_update: Option<MemberAdd>,
    /// Other times for the policy; its arrays and its name on them stay.
    #[serde(default, deserialize_with = "maybe_object")]
    pub policy_update: Option<PolicySet>,
}

/// What an action body asks for, with nothing in it that speaks against itself.
#[derive(Debug)]
pub(crate) enum Action {
    Move(MoveKind, MoveAction),
    TestFailover(TestFailoverAction),
    TestCleanup,
    /// A change of the record, not an operation: it needs the peer's attestation (RP-01, I14, MEM-10,
    /// POL-07).
    Edit(Change),
    SyncVolumes,
}

impl ActionRequest {
    /// Errors: `BadRequest` without exactly one key, or with fields that exclude each other;
    /// the refusal `TicketNeeded`.
    pub(crate) fn action(self) -> Result<Action, ApiError> {
        let all = [
            self.failover.map(|a| Action::Move(MoveKind::Failover, a)),
            self.failback.map(|a| Action::Move(MoveKind::Failback, a)),
            self.test_failover.map(Action::TestFailover),
            self.test_cleanup.map(|Empty {}| Action::TestCleanup),
            self.reprotect
                .map(|Empty {}| Action::Edit(Change::Reprotect {})),
            self.settle_members
                .map(|Empty {}| Action::Edit(Change::SettleMembers {})),
            self.member_remove
                .map(|MemberRemove { instance_id }| Change::RemoveMember { instance_id })
                .map(Action::Edit),
            self.member_update
                .map(MemberAdd::parts)
                .map(|(instance_id, rebuild)| Change::SetMember {
                    instance_id,
                    rebuild,
                })
                .map(Action::Edit),
            self.policy_update
                .map(|policy| Action::Edit(Change::UpdatePolicy(policy.into()))),
            self.sync_volumes.map(|Empty {}| Action::SyncVolumes),
        ];
        let mut given = all.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(action), None) => action.checked(),
            _ => Err(ApiError::bad(
                "the body names exactly one action: failover, failback, test_failover, \
                 test_cleanup, reprotect, settle_members, member_remove, member_update, policy_update \
                 or sync_volumes",
            )),
        }
    }
}

impl Action {
    fn checked(self) -> Result<Self, ApiError> {
        match &self {
            Self::Move(_, asked) => asked.check()?,
            Self::TestFailover(asked) if !asked.retain_primary => {
                let why =
                    "retain_primary can only be true: a test failover never touches the primary";
                return Err(ApiError::bad(why));
            }
            Self::TestFailover(_) | Self::TestCleanup | Self::Edit(_) | Self::SyncVolumes => {}
        }
        Ok(self)
    }
}

/// As the engine would say it, before anything is asked of it.
fn ticket_needed() -> ApiError {
    EngineError::from(Refusals::from(Refusal::TicketNeeded)).into()
}

impl MoveAction {
    fn check(&self) -> Result<(), ApiError> {
        match (self.mode, &self.ticket) {
            (OperationMode::Planned, None) if !self.dry_run => Err(ticket_needed()),
            (OperationMode::Unplanned, Some(_)) => Err(ApiError::bad(
                "an unplanned move takes no ticket: it asks nobody",
            )),
            (OperationMode::Planned | OperationMode::Unplanned, _) => Ok(()),
        }
    }

    pub(crate) fn command(
        self,
        kind: MoveKind,
        group: GroupId,
        idempotency_key: Option<String>,
    ) -> Command {
        Command::Move {
            group,
            kind,
            ask: FailoverAsk {
                mode: self.mode,
                force: self.force,
                recovery_point: self.recovery_point,
            },
            dry_run: self.dry_run,
            idempotency_key,
            ticket: self.ticket,
        }
    }
}

impl TestFailoverAction {
    pub(crate) fn command(self, group: GroupId, idempotency_key: Option<String>) -> Command {
        Command::TestFailover {
            group,
            ask: TestAsk {
                networks: self.network_mapping,
                recovery_point: self.recovery_point,
            },
            dry_run: self.dry_run,
            idempotency_key,
        }
    }
}
