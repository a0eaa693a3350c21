//! The engine port, in process: every command to its group's actor, every question to the store.
//!
//! Absent: decisions, and anything that waits for a cloud.

use crate::audit::{Asked, Trail};
use crate::delegation;
use crate::health::{health, points};
use crate::operation::OperationMsg;
use crate::overtaken;
use crate::protection_group::{Answer, ChangeAsk, Goal, GroupMsg, OperationAsk, not_found};
use crate::site::Site;
use crate::sweepers::fence;
use async_trait::async_trait;
use protector_domain::condition::{Condition, ConditionKind};
use protector_domain::ids::{GroupId, OperationId};
use protector_domain::operation::{Operation, OperationStatus};
use protector_domain::ports::Engine;
use protector_domain::ports::engine::{
    Caller, Change, Command, EngineError, GroupRef, GroupView, Order, Query, Reply, SyncView, View,
};
use protector_domain::refusal::{Refusal, Refusals};
use protector_domain::sync::{
    Intent, MAX_MESSAGE_BYTES, MessageContent, MessageType, Signed, SyncRefusal, Verified, leader,
    verify,
};
use protector_store::{StoreError, StoredGroup};
use secrecy::SecretString;
use std::sync::Arc;

/// How long a caller waits for its group, milliseconds: a gatherer asks many services.
const COMMAND_LIMIT_MS: u64 = 120_000;
/// Rows of one page at most.
const PAGE_MAX: u32 = 1_000;

/// Clones are equal.
#[derive(Clone)]
pub struct ActorEngine {
    site: Site,
    trail: Arc<Trail>,
}

fn malformed(why: &str) -> EngineError {
    let why = why.to_owned();
    SyncRefusal::Malformed { why }.into()
}

fn asks_for_head(message: &Verified) -> bool {
    let content = &message.message().content;
    matches!(content, MessageContent::Ticket(ticket) if ticket.intent == Intent::Head)
}

fn store_failed(error: &StoreError) -> EngineError {
    EngineError::Unavailable {
        why: error.to_string(),
    }
}

impl ActorEngine {
    pub fn new(site: Site) -> Self {
        let trail = Arc::default();
        Self { site, trail }
    }

    async fn ask_group(
        &self,
        group: GroupId,
        kind: &'static str,
        message: impl FnOnce(Answer) -> GroupMsg,
    ) -> Result<Reply, EngineError> {
        let unavailable = |why: &dyn std::fmt::Display| EngineError::Unavailable {
            why: why.to_string(),
        };
        let mailbox = self
            .site
            .groups()
            .wake(&self.site, group)
            .await
            .map_err(|e| unavailable(&e))?;
        let answer = mailbox.ask(kind, COMMAND_LIMIT_MS, message).await;
        answer.map_err(|e| unavailable(&e))?
    }

    /// A message of the type that belongs here, if it is genuine (X11).
    fn verified(&self, wanted: MessageType, signed: &Signed) -> Result<Verified, EngineError> {
        if signed.message_type != wanted {
            let (wanted, got) = (wanted.as_str(), signed.message_type.as_str());
            let why = format!("a {wanted} belongs here, this is a {got}");
            return Err(SyncRefusal::Malformed { why }.into());
        }
        let me = self.site.identity().as_peer();
        Ok(verify(signed, MAX_MESSAGE_BYTES, &me, &self.site.peers())?)
    }

    async fn operate(
        &self,
        caller: &Caller,
        group: GroupId,
        goal: Goal,
        dry_run: bool,
        idempotency_key: Option<String>,
    ) -> Result<Reply, EngineError> {
        let ask = Box::new(OperationAsk {
            caller: caller.clone(),
            goal,
            dry_run,
            idempotency_key,
        });
        let message = |answer| GroupMsg::Operate { ask, answer };
        self.ask_group(group, "operate", message).await
    }

    /// A message that a courier brought; to the actor of its group.
    async fn courier(
        &self,
        caller: &Caller,
        wanted: MessageType,
        signed: &Signed,
    ) -> Result<Reply, EngineError> {
        let message = self.verified(wanted, signed)?;
        if asks_for_head(&message) {
            let why = "a head ticket belongs to .../sync/heads of its group";
            return Err(malformed(why));
        }
        self.bring(caller, message, None).await
    }

    async fn bring(
        &self,
        caller: &Caller,
        message: Verified,
        envelope: Option<Verified>,
    ) -> Result<Reply, EngineError> {
        let (group, caller) = (message.message().group, caller.clone());
        let (message, envelope) = (Box::new(message), envelope.map(Box::new));
        self.ask_group(group, "courier", |answer| GroupMsg::Courier {
            caller,
            message,
            envelope,
            answer,
        })
        .await
    }

    /// M7 for a ticket of the group that the path names. A group that is not here is named by its id, and
    /// only a good ticket for it learns that it is not.
    async fn sign_head(
        &self,
        caller: &Caller,
        wanted: &GroupRef,
        ticket: &Signed,
    ) -> Result<Reply, EngineError> {
        let ticket = self.verified(MessageType::Ticket, ticket);
        let ticket = match self.find(caller, wanted).await {
            Ok(stored) => {
                let ticket = ticket?;
                if !asks_for_head(&ticket) {
                    return Err(malformed("this ticket does not ask where this site stands"));
                }
                if ticket.message().group != stored.id {
                    return Err(SyncRefusal::WrongGroup.into());
                }
                ticket
            }
            Err(absent) => {
                let about = wanted.0.parse::<GroupId>().ok();
                let fits = |t: &Verified| asks_for_head(t) && Some(t.message().group) == about;
                ticket.ok().filter(fits).ok_or(absent)?
            }
        };
        self.bring(caller, ticket, None).await
    }

    /// R13: the peer's head, and its record.
    async fn compare_head(
        &self,
        caller: &Caller,
        head: &Signed,
        envelope: Option<&Signed>,
    ) -> Result<Reply, EngineError> {
        let head = self.verified(MessageType::Head, head)?;
        let envelope = envelope.map(|signed| self.verified(MessageType::Envelope, signed));
        self.bring(caller, head, envelope.transpose()?).await
    }

    async fn ticket(
        &self,
        caller: &Caller,
        group: Option<GroupId>,
        change: Change,
    ) -> Result<Reply, EngineError> {
        let is_create = matches!(change, Change::Create { .. });
        let group = match (group, is_create) {
            (Some(group), false) => group,
            (None, true) => GroupId(self.site.ctx().uuid()),
            _ => {
                return Err(EngineError::NotFound {
                    what: "protection group".to_owned(),
                });
            }
        };
        let ask = Box::new(ChangeAsk {
            caller: caller.clone(),
            change,
        });
        self.ask_group(group, "ticket", |answer| GroupMsg::Ticket { ask, answer })
            .await
    }

    /// A group of this store that the caller may see.
    async fn known(&self, caller: &Caller, group: GroupId) -> Result<StoredGroup, EngineError> {
        let stored = self
            .site
            .store()
            .group_fetch(group)
            .await
            .map_err(|e| store_failed(&e))?;
        let seen = stored.filter(|s| caller.is_admin || s.project == caller.project);
        seen.ok_or_else(|| not_found(group))
    }

    async fn find(&self, caller: &Caller, wanted: &GroupRef) -> Result<StoredGroup, EngineError> {
        if let Ok(id) = wanted.0.parse::<GroupId>() {
            return self.known(caller, id).await;
        }
        let found = self
            .site
            .store()
            .group_find(&caller.project, &wanted.0)
            .await;
        let missing = || EngineError::NotFound {
            what: format!("protection group {}", wanted.0),
        };
        match found {
            Ok(found) => found.ok_or_else(missing),
            Err(StoreError::AlreadyThere { .. }) => Err(EngineError::Ambiguous {
                name: wanted.0.clone(),
            }),
            Err(error) => Err(store_failed(&error)),
        }
    }

    async fn operation(&self, caller: &Caller, id: OperationId) -> Result<Operation, EngineError> {
        let found = self
            .site
            .store()
            .operation_fetch(id)
            .await
            .map_err(|e| store_failed(&e))?;
        let seen = found.filter(|o| caller.is_admin || o.project == caller.project);
        seen.ok_or_else(|| EngineError::NotFound {
            what: format!("operation {id}"),
        })
    }

    async fn groups(
        &self,
        caller: &Caller,
        marker: Option<String>,
        limit: u32,
    ) -> Result<View, EngineError> {
        let marker = marker.and_then(|m| m.parse().ok());
        let listed = self
            .site
            .store()
            .group_list(&caller.project, marker, limit.min(PAGE_MAX))
            .await;
        let groups = listed.map_err(|e| store_failed(&e))?;
        Ok(View::Groups {
            groups: groups.iter().filter_map(group_view).collect(),
        })
    }

    async fn operations(
        &self,
        caller: &Caller,
        group: Option<GroupId>,
        marker: Option<String>,
        limit: u32,
    ) -> Result<View, EngineError> {
        let marker = marker.and_then(|m| m.parse().ok());
        let store = self.site.store();
        let listed = store
            .operation_list(&caller.project, group, marker, limit.min(PAGE_MAX))
            .await;
        Ok(View::Operations {
            operations: listed.map_err(|e| store_failed(&e))?,
        })
    }

    async fn events(
        &self,
        caller: &Caller,
        id: OperationId,
        after: u64,
        limit: u32,
    ) -> Result<View, EngineError> {
        let operation = self.operation(caller, id).await?;
        let listed = self
            .site
            .store()
            .event_list(operation.id, after, limit.min(PAGE_MAX))
            .await;
        Ok(View::Events {
            events: listed.map_err(|e| store_failed(&e))?,
        })
    }

    async fn sync(&self, caller: &Caller, group: &GroupRef) -> Result<View, EngineError> {
        let stored = self.find(caller, group).await?;
        let current = stored.sync.current().ok_or_else(|| not_found(stored.id))?;
        let sync = SyncView {
            head: stored.sync.head(),
            envelope: current.signed().clone(),
            synced: stored.sync.is_synced(),
        };
        Ok(View::Sync {
            sync: Box::new(sync),
        })
    }

    /// A word to an operation of the caller's: to its actor, or to its group while it waits for its lock.
    async fn order(
        &self,
        caller: &Caller,
        id: OperationId,
        order: Order,
    ) -> Result<Reply, EngineError> {
        let operation = self.operation(caller, id).await?;
        let unavailable = |why: &dyn std::fmt::Display| EngineError::Unavailable {
            why: why.to_string(),
        };
        if order == (Order::RetryMembers {}) {
            let goal = Goal::Retry(id);
            return self
                .operate(caller, operation.group, goal, false, None)
                .await;
        }
        if operation.status.is_terminal() {
            let (operation, status) = (id.to_string(), operation.status.to_string());
            return Err(Refusals::from(Refusal::OperationEnded { operation, status }).into());
        }
        let stored = self.site.store().group_fetch(operation.group).await;
        let stored = stored.map_err(|e| store_failed(&e))?;
        if let Some(stored) = &stored {
            stored.sync.trusted()?;
        }
        let epoch = stored.and_then(|stored| stored.sync.epoch());
        overtaken::refuse(&self.site, operation.group, epoch)?;
        if operation.status == OperationStatus::Pending && order != (Order::Cancel {}) {
            let operation = id.to_string();
            return Err(Refusals::from(Refusal::NotStuck { operation }).into());
        }
        if operation.status == OperationStatus::Pending {
            return self
                .ask_group(operation.group, "withdraw_request", |answer| {
                    GroupMsg::WithdrawRequest {
                        operation: id,
                        answer,
                    }
                })
                .await;
        }
        let mailbox = self.site.groups().run(&self.site, id).await;
        let mailbox = mailbox.map_err(|e| unavailable(&e))?;
        let message = |answer| OperationMsg::Order { order, answer };
        let answer = mailbox.ask("order", COMMAND_LIMIT_MS, message).await;
        answer.map_err(|e| unavailable(&e))?
    }

    /// What a courier brought, each to the rule that its path stands for.
    async fn carried(&self, caller: &Caller, command: Command) -> Result<Reply, EngineError> {
        let (wanted, signed) = match command {
            Command::Reserve { ticket } => (MessageType::Ticket, ticket),
            Command::Commit { reservation } => (MessageType::Reservation, reservation),
            Command::Store { envelope } => (MessageType::Envelope, envelope),
            Command::Receipt { receipt } => (MessageType::Receipt, receipt),
            Command::Withdraw { rejection } => (MessageType::Rejection, rejection),
            Command::Release { release } => (MessageType::Release, release),
            _ => {
                let why = "nothing was carried".to_owned();
                return Err(SyncRefusal::Malformed { why }.into());
            }
        };
        self.courier(caller, wanted, &signed).await
    }

    /// What the group's actor answers by itself.
    async fn asked_of_group(&self, caller: Caller, command: Command) -> Result<Reply, EngineError> {
        match command {
            Command::AskRelease { group, operation } => {
                let message = |answer| GroupMsg::AskRelease {
                    caller,
                    operation,
                    answer,
                };
                self.ask_group(group, "ask_release", message).await
            }
            Command::AbandonPeer { group } => {
                let message = |answer| GroupMsg::AbandonPeer { caller, answer };
                self.ask_group(group, "abandon_peer", message).await
            }
            Command::LockTicket { group } => {
                let message = |answer| GroupMsg::LockTicket { caller, answer };
                self.ask_group(group, "lock_ticket", message).await
            }
            Command::HeadTicket { group } => {
                let message = |answer| GroupMsg::HeadTicket { caller, answer };
                self.ask_group(group, "head_ticket", message).await
            }
            Command::SyncVolumes { group } => {
                let message = |answer| GroupMsg::SyncVolumes { caller, answer };
                self.ask_group(group, "sync_volumes", message).await
            }
            _ => Err(malformed("no group was asked")),
        }
    }

    async fn perform(&self, caller: &Caller, command: Command) -> Result<Reply, EngineError> {
        match command {
            Command::Ticket { group, change } => self.ticket(caller, group, change).await,
            Command::Reserve { .. }
            | Command::Commit { .. }
            | Command::Store { .. }
            | Command::Receipt { .. }
            | Command::Withdraw { .. }
            | Command::Release { .. } => self.carried(caller, command).await,
            Command::AskRelease { .. }
            | Command::AbandonPeer { .. }
            | Command::LockTicket { .. }
            | Command::HeadTicket { .. }
            | Command::SyncVolumes { .. } => self.asked_of_group(caller.clone(), command).await,
            Command::SignHead { group, ticket } => self.sign_head(caller, &group, &ticket).await,
            Command::CompareHead { head, envelope } => {
                self.compare_head(caller, &head, envelope.as_ref()).await
            }
            Command::Move {
                group,
                kind,
                ask,
                dry_run,
                idempotency_key,
                ticket,
            } => {
                let ticket = ticket
                    .map(|t| self.verified(MessageType::Ticket, &t))
                    .transpose()?;
                let ticket = ticket.map(Box::new);
                let goal = Goal::Move { kind, ask, ticket };
                self.operate(caller, group, goal, dry_run, idempotency_key)
                    .await
            }
            Command::TestFailover {
                group,
                ask,
                dry_run,
                idempotency_key,
            } => {
                let goal = Goal::Test(ask);
                self.operate(caller, group, goal, dry_run, idempotency_key)
                    .await
            }
            Command::TestCleanup {
                group,
                idempotency_key,
            } => {
                self.operate(caller, group, Goal::Cleanup, false, idempotency_key)
                    .await
            }
            Command::Operation { operation, order } => self.order(caller, operation, order).await,
        }
    }
}

/// What is wrong with a group now, besides its status.
async fn conditions(site: &Site, stored: &StoredGroup) -> Result<Vec<Condition>, StoreError> {
    let mut found = Vec::new();
    let mut add = |kind, reason: String| found.push(Condition { kind, reason });
    if stored.body.as_ref().is_some_and(|body| !body.protected) {
        let why = "nothing replicates from where the group is now; reprotect it";
        add(ConditionKind::Unprotected, why.to_owned());
    }
    let epoch = stored.sync.epoch();
    if stored.sync.is_suspect() {
        let why = "this site was restored from a backup and has not compared itself with its peer; sync-force does";
        add(ConditionKind::OutOfSync, why.to_owned());
    } else if let Some(epoch) = site.overtaken().by(stored.id, epoch) {
        let why = format!("the other site leads under epoch {epoch}; sync-force brings its record");
        add(ConditionKind::OutOfSync, why);
    } else if !stored.sync.is_synced() {
        let why = "the other site has not acknowledged the newest record; sync-force carries it";
        add(ConditionKind::OutOfSync, why.to_owned());
    }
    let owed = fence::owed(site, stored).await?;
    let servers: Vec<String> = owed
        .into_iter()
        .flat_map(|owed| owed.servers)
        .map(|o| o.server.to_string())
        .collect();
    if !servers.is_empty() {
        let why = format!(
            "source servers not known to be stopped: {}",
            servers.join(", ")
        );
        add(ConditionKind::SplitBrain, why);
    }
    if let Some(why) = delegation::condition(site, stored.id).await? {
        add(ConditionKind::Delegation, why);
    }
    Ok(found)
}

/// The group as shown; `None` for what has no readable body (a tombstone).
fn group_view(stored: &StoredGroup) -> Option<GroupView> {
    let body = stored.body.clone()?;
    let at = stored.sync.fence()?;
    Some(GroupView {
        id: stored.id,
        project: stored.project.clone(),
        current_primary_site: body.sides.of(leader(at.epoch)).site,
        body,
        pair: at.pair(),
        synced: stored.sync.is_synced(),
        conditions: Vec::new(),
        deleted: stored.sync.is_deleted(),
    })
}

#[async_trait]
impl Engine for ActorEngine {
    async fn command(&self, caller: &Caller, command: Command) -> Result<Reply, EngineError> {
        let asked = Asked::of(&command);
        let outcome = self.perform(caller, command).await;
        self.trail.keep(&self.site, caller, &asked, &outcome).await;
        outcome
    }

    async fn delegate(&self, caller: &Caller, roles: &[String], token: &SecretString) {
        delegation::take(&self.site, caller, roles, token).await;
    }

    async fn query(&self, caller: &Caller, query: Query) -> Result<View, EngineError> {
        match query {
            Query::GroupList { marker, limit } => self.groups(caller, marker, limit).await,
            Query::Group { group } => {
                let stored = self.find(caller, &group).await?;
                if stored.sync.is_deleted() {
                    return Err(SyncRefusal::GroupDeleted.into());
                }
                let mut view = group_view(&stored).ok_or_else(|| not_found(stored.id))?;
                let found = conditions(&self.site, &stored).await;
                view.conditions = found.map_err(|e| store_failed(&e))?;
                Ok(View::Group {
                    group: Box::new(view),
                })
            }
            Query::RecoveryPoints { group } => {
                let stored = self.find(caller, &group).await?;
                points(&self.site, &stored).await
            }
            Query::Health { group } => {
                let stored = self.find(caller, &group).await?;
                let conditions = conditions(&self.site, &stored).await;
                let conditions = conditions.map_err(|e| store_failed(&e))?;
                health(&self.site, &stored, &conditions).await
            }
            Query::Sync { group } => self.sync(caller, &group).await,
            Query::OperationList {
                group,
                marker,
                limit,
            } => self.operations(caller, group, marker, limit).await,
            Query::Operation { operation } => {
                let operation = Box::new(self.operation(caller, operation).await?);
                Ok(View::Operation { operation })
            }
            Query::OperationEvents {
                operation,
                after_seq,
                limit,
            } => self.events(caller, operation, after_seq, limit).await,
        }
    }
}
