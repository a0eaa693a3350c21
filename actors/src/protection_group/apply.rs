//! One rule, one transaction: read the state, ask `sync::step`, write the new state if nobody was
//! quicker, and only then answer.

use super::actor::{ProtectionGroupActor, State, unavailable};
use super::body_check::BodyFacts;
use super::{doubt, leaving, moves};
use crate::overtaken;
use crate::site::Site;
use protector_domain::change::difference;
use protector_domain::ids::{GroupId, ProjectId};
use protector_domain::ports::engine::{Caller, EngineError, Reply};
use protector_domain::record::GroupBody;
use protector_domain::refusal::{Refusal, Refusals};
use protector_domain::sync::{
    GroupSync, Input, Intent, Kept, MessageContent, MessageType, Output, Role, Signed, Step,
    StepContext, SyncRefusal, Tickets, Verified, raised_mark, step,
};
use protector_store::{GroupPut, StoreError, StoredGroup, Write};

/// Rereads after somebody else was quicker.
const CONFLICTS_MAX: u32 = 8;

/// A group as it is, or as it would be before its first record.
pub(crate) struct Standing {
    pub stored: Option<StoredGroup>,
    pub sync: GroupSync,
}

/// Where the group stands; `vacant` if the store has never heard of it.
pub(crate) async fn standing(
    site: &Site,
    group: GroupId,
    vacant: impl FnOnce() -> GroupSync,
) -> Result<Standing, StoreError> {
    let stored = site.store().group_fetch(group).await?;
    let sync = stored.as_ref().map_or_else(vacant, |s| s.sync.clone());
    Ok(Standing { stored, sync })
}

/// Asks the rules. `body` judges what a record says.
pub(crate) fn ask_rules(
    site: &Site,
    sync: &GroupSync,
    tickets: &Tickets,
    monotonic_ms: u64,
    body: &BodyFacts,
    input: Input,
) -> Result<Step, SyncRefusal> {
    let now_ms = u64::try_from(site.ctx().now_ms()).unwrap_or_default();
    let fresh_mark = raised_mark(sync.restore_mark().max(site.mark()), now_ms);
    let ctx = StepContext {
        identity: site.identity(),
        body,
        monotonic_ms,
        fresh_mark,
    };
    step(sync, tickets, input, &ctx)
}

/// The write that makes a step's state the one in force.
pub(crate) fn put(standing: &Standing, project: ProjectId, next: &Step) -> GroupPut {
    GroupPut {
        project,
        expect_revision: standing.stored.as_ref().map(|s| s.revision),
        sync: next.state.clone(),
        kept: kept_in(&next.outputs),
    }
}

/// What the rules left out, for the sync log.
pub(crate) fn kept_in(outputs: &[Output]) -> Vec<Kept> {
    let kept = outputs.iter().filter_map(|output| match output {
        Output::Kept(kept) => Some((**kept).clone()),
        _ => None,
    });
    kept.collect()
}

/// The tenant's project here: of a group in the store, of a record that comes, or of the create that
/// a reservation answers.
fn project_here(
    site: &Site,
    standing: &Standing,
    message: &Verified,
    creating_for: Option<&ProjectId>,
) -> Option<ProjectId> {
    if let Some(stored) = &standing.stored {
        return Some(stored.project.clone());
    }
    match body_in(message) {
        Some(body) => {
            let role = body.sides.role_of(site.id())?;
            Some(body.sides.of(role).project.clone())
        }
        None => creating_for.cloned(),
    }
}

/// Asks where this site stands, and nothing else: answered also for a group that is not here (R13).
fn is_head_ticket(message: &Verified) -> bool {
    let content = &message.message().content;
    matches!(content, MessageContent::Ticket(ticket) if ticket.intent == Intent::Head)
}

/// Where the group stands for this message. Of what is not here, or deleted here, this site may have
/// forgotten records of its own: should one come, the next of its own lies above the mark.
async fn standing_for(
    site: &Site,
    group: GroupId,
    message: &Verified,
) -> Result<Standing, StoreError> {
    let mut now = standing(site, group, || vacant(site, message)).await?;
    let comes = matches!(message.message().content, MessageContent::Envelope(_));
    if comes && (now.stored.is_none() || now.sync.is_deleted()) {
        now.sync = now.sync.under_mark(site.mark());
    }
    Ok(now)
}

/// A group without a record here: a reservation answers our own create, so we are its home.
fn vacant(site: &Site, message: &Verified) -> GroupSync {
    let asked = message.message();
    match &asked.content {
        MessageContent::Reservation(_) => {
            GroupSync::vacant(asked.group, asked.to, asked.from, Role::Home)
        }
        _ => GroupSync::vacant_for(message, site.id()),
    }
}

fn body_in(message: &Verified) -> Option<GroupBody> {
    let body = match &message.message().content {
        MessageContent::Envelope(record) => record.body.clone(),
        MessageContent::Ticket(ticket) => ticket.draft.as_ref()?.body.clone(),
        _ => return None,
    };
    serde_json::from_value(body).ok()
}

/// True for what would have this site write a record, or lend its word to one, on what it remembers.
fn commits(message: &Verified) -> bool {
    let asks = is_head_ticket(message);
    !asks
        && matches!(
            message.message().content,
            MessageContent::Reservation(_) | MessageContent::Release(_) | MessageContent::Ticket(_)
        )
}

/// The message as the rules take it; a head may have its record with it.
fn input_of(message: Verified, envelope: Option<&Verified>) -> Input {
    match (Input::from_courier(message), envelope) {
        (Input::Head { head, .. }, Some(envelope)) => {
            let envelope = Some(Box::new(envelope.clone()));
            Input::Head { head, envelope }
        }
        (input, _) => input,
    }
}

/// Does what a courier's message asks, for a caller who may talk to this project's group at all.
pub(super) async fn courier(
    group: &ProtectionGroupActor,
    state: &mut State,
    caller: &Caller,
    message: Verified,
    envelope: Option<Verified>,
) -> Result<Reply, EngineError> {
    let site = &group.site;
    for _ in 0..CONFLICTS_MAX {
        let now = standing_for(site, group.group, &message)
            .await
            .map_err(|e| unavailable(&e))?;
        let asker = is_head_ticket(&message).then_some(&caller.project);
        let doing = state.creating_for.as_ref().or(asker);
        let project = project_here(site, &now, &message, doing);
        let project = project.filter(|p| caller.is_admin || p == &caller.project);
        // Not there and not yours are answered alike (S14).
        let Some(project) = project else {
            return Err(not_found(group.group));
        };
        if commits(&message) {
            now.sync.trusted()?;
            overtaken::refuse(site, group.group, now.sync.epoch())?;
        }
        leaving::check(site, now.stored.as_ref(), &message).await?;
        let body = body_in(envelope.as_ref().unwrap_or(&message));
        let facts = BodyFacts::gather(site, body.as_ref()).await;
        let facts = facts.map_err(|e| unavailable(&e))?;
        let input = input_of(message.clone(), envelope.as_ref());
        let monotonic_ms = state.monotonic_ms();
        let next = ask_rules(site, &now.sync, &state.tickets, monotonic_ms, &facts, input)?;
        if next.state != now.sync {
            let mut writes = vec![Write::GroupPut(Box::new(put(&now, project, &next)))];
            writes.extend(doubt::before(site, &now.sync, &next).await?);
            match site.store().write(Write::Batch(writes)).await {
                Err(StoreError::Conflict) => continue,
                // Somebody took the name since it was looked for.
                Err(StoreError::AlreadyThere { id: Some(name), .. }) => {
                    return Err(Refusals::from(Refusal::NameTaken { name }).into());
                }
                Err(StoreError::AlreadyThere { .. }) => continue,
                other => other.map_err(|e| unavailable(&e))?,
            };
        }
        state.tickets = next.tickets.clone();
        site.after_record(group.group, &next.outputs);
        site.after_deaths(&next.outputs).await;
        doubt::after(group, state, &next.outputs);
        for output in &next.outputs {
            if let Output::OperationStarts { operation, .. } = output {
                moves::lock_came(group, state, *operation).await;
            }
        }
        let before = now.stored.as_ref().and_then(|s| s.body.as_ref());
        let changed = changed(before, &next);
        return answer(group.group, &message, &next.outputs, changed);
    }
    Err(EngineError::Unavailable {
        why: "the group changes all the time".to_owned(),
    })
}

pub(crate) fn not_found(group: GroupId) -> EngineError {
    EngineError::NotFound {
        what: format!("protection group {group}"),
    }
}

/// The signed reply among the outputs.
pub(crate) fn reply_in(outputs: &[Output]) -> Option<&Signed> {
    outputs.iter().find_map(|output| match output {
        Output::Reply(signed) => Some(signed),
        _ => None,
    })
}

/// What the record in force says now that it did not say before.
fn changed(before: Option<&GroupBody>, next: &Step) -> Vec<String> {
    let record = next.state.current().map(|current| current.record());
    let lives = record.filter(|record| !record.header.deleted);
    let after = lives.and_then(|record| serde_json::from_value(record.body.clone()).ok());
    difference(before, after.as_ref())
}

fn answer(
    group: GroupId,
    asked: &Verified,
    outputs: &[Output],
    changed: Vec<String>,
) -> Result<Reply, EngineError> {
    let signed = reply_in(outputs).cloned();
    let reply = match (&asked.message().content, signed) {
        (MessageContent::Receipt(_), _) => Reply::Synced { group },
        (MessageContent::Head(_), None) => Reply::Trusted { group },
        (_, Some(signed)) => match signed.message_type {
            MessageType::Reservation => Reply::Reservation {
                reservation: signed,
            },
            MessageType::Envelope => Reply::Committed {
                group,
                envelope: signed,
                changed,
            },
            MessageType::Receipt => Reply::Stored { receipt: signed },
            MessageType::Rejection => Reply::Rejected { rejection: signed },
            MessageType::Ticket => Reply::Ticket {
                group,
                ticket: signed,
            },
            MessageType::Head => Reply::Head { head: signed },
            MessageType::Release => Reply::Synced { group },
        },
        (_, None) => Reply::Synced { group },
    };
    Ok(reply)
}
