//! Changes of the record: facts are gathered aside, the draft becomes a ticket (R1). What follows
//! (R2, R3, R6, R7) comes with couriers.

use super::actor::{ProtectionGroupActor, State, unavailable};
use super::apply::{ask_rules, not_found, reply_in, standing};
use super::body_check::BodyFacts;
use super::messages::{Answer, ChangeAsk, GroupMsg};
use crate::gather;
use crate::gather::change::Drafted;
use crate::gather::failover;
use crate::overtaken;
use protector_domain::ids::PointSuffix;
use protector_domain::operation::failover::settle;
use protector_domain::ports::engine::{Caller, EngineError, Reply};
use protector_domain::refusal::{Refusal, Refusals};
use protector_domain::sync::{Content, GroupSync, Input, Intent, Nonce, Role, Signed, SyncRefusal};
use protector_runtime::mailbox::Mailbox;
use std::collections::BTreeMap;

/// Reads the world in a task of its own; the outcome comes back as `Drafted`.
pub(super) fn gather(
    group: &ProtectionGroupActor,
    me: &Mailbox<GroupMsg>,
    state: &mut State,
    ask: ChangeAsk,
    answer: Answer,
) {
    let (site, id, me) = (group.site.clone(), group.group, me.clone());
    state.tasks.spawn(async move {
        let msg = match gather::change::draft(&site, id, &ask).await {
            Ok(drafted) => GroupMsg::Drafted {
                drafted: Box::new(drafted),
                answer,
            },
            Err(why) => GroupMsg::DraftFailed { why, answer },
        };
        let _ = me.send("drafted", msg).await;
    });
}

fn nonce(group: &ProtectionGroupActor) -> Nonce {
    let mut bytes = [0; 16];
    group.site.ctx().entropy.fill(&mut bytes);
    Nonce::from_bytes(bytes)
}

/// The signed answer of a rule that changes nothing durable, for a caller of the group's project.
pub(super) async fn attest(
    group: &ProtectionGroupActor,
    state: &mut State,
    caller: &Caller,
    input: Input,
) -> Result<Signed, EngineError> {
    let (site, id) = (&group.site, group.group);
    let stored = site.store().group_fetch(id).await;
    let stored = stored.map_err(|e| unavailable(&e))?;
    let own = stored.filter(|s| caller.is_admin || s.project == caller.project);
    let stored = own.ok_or_else(|| not_found(id))?;
    let compares = matches!(&input, Input::AskTicket { intent, .. } if *intent == Intent::Head);
    if !compares {
        stored.sync.trusted()?;
        overtaken::refuse(site, id, stored.sync.epoch())?;
    }
    let facts = BodyFacts::gather(site, stored.body.as_ref()).await;
    let facts = facts.map_err(|e| unavailable(&e))?;
    let now_ms = state.monotonic_ms();
    let next = ask_rules(site, &stored.sync, &state.tickets, now_ms, &facts, input)?;
    state.tickets = next.tickets;
    reply_in(&next.outputs)
        .cloned()
        .ok_or_else(|| not_found(id))
}

/// R1 for a lock, at the leader; it says nothing but that the leader stands ready.
pub(super) async fn lock_ticket(
    group: &ProtectionGroupActor,
    state: &mut State,
    caller: &Caller,
) -> Result<Reply, EngineError> {
    all_settled(group).await?;
    let input = Input::AskTicket {
        nonce: nonce(group),
        intent: Intent::Lock,
        draft: None,
        for_operation: None,
    };
    let ticket = attest(group, state, caller, input).await?;
    let group = group.group;
    Ok(Reply::Ticket { group, ticket })
}

/// R1 for a head, at a site in doubt.
pub(super) async fn head_ticket(
    group: &ProtectionGroupActor,
    state: &mut State,
    caller: &Caller,
) -> Result<Reply, EngineError> {
    let input = Input::AskTicket {
        nonce: nonce(group),
        intent: Intent::Head,
        draft: None,
        for_operation: None,
    };
    let ticket = attest(group, state, caller, input).await?;
    let group = group.group;
    Ok(Reply::Ticket { group, ticket })
}

/// Who moves the group away reads in the record where its servers are: it has to know those that another
/// try brought up.
async fn all_settled(group: &ProtectionGroupActor) -> Result<(), EngineError> {
    let stored = group.site.store().group_fetch(group.group).await;
    let stored = stored.map_err(|e| unavailable(&e))?;
    let Some((stored, body)) = stored.and_then(|s| s.body.clone().map(|body| (s, body))) else {
        return Ok(());
    };
    stored.sync.trusted()?;
    let since = failover::forced(&group.site, &stored).await?;
    let open = since.is_some_and(|since| settle(&body, stored.sync.role(), &since).is_ok());
    if open {
        return Err(Refusals::from(Refusal::NotSettled).into());
    }
    Ok(())
}

/// R1.
pub(super) async fn open_ticket(
    group: &ProtectionGroupActor,
    state: &mut State,
    drafted: Result<Drafted, Refusals>,
) -> Result<Reply, EngineError> {
    let (site, id) = (&group.site, group.group);
    let drafted = drafted?;
    let sides = &drafted.body.sides;
    let vacant = || GroupSync::vacant(id, sides.home.site, sides.other.site, Role::Home);
    let now = standing(site, id, vacant)
        .await
        .map_err(|e| unavailable(&e))?;
    now.sync.trusted()?;
    overtaken::refuse(site, id, now.sync.epoch())?;
    // Drafted on a record that is no longer the newest: its change would be lost (S9).
    if now.sync.fence() != drafted.base {
        return Err(changed_meanwhile());
    }
    let body = serde_json::to_value(&drafted.body).map_err(|e| unavailable(&e))?;
    let content = Content {
        body,
        sealed: BTreeMap::new(),
    };
    let input = Input::AskTicket {
        nonce: nonce(group),
        intent: drafted.intent,
        // The rules make a tombstone by themselves.
        draft: (drafted.intent != Intent::Delete).then_some(content),
        for_operation: None,
    };
    let facts = BodyFacts::gather(site, Some(&drafted.body))
        .await
        .map_err(|e| unavailable(&e))?;
    let next = ask_rules(
        site,
        &now.sync,
        &state.tickets,
        state.monotonic_ms(),
        &facts,
        input,
    )?;
    state.tickets = next.tickets;
    if drafted.intent == Intent::Create {
        state.creating_for = Some(drafted.body.sides.home.project.clone());
    }
    let ticket = reply_in(&next.outputs)
        .cloned()
        .ok_or_else(|| not_found(id))?;
    Ok(Reply::Ticket { group: id, ticket })
}

/// The facts were read for an older record.
pub(super) fn changed_meanwhile() -> EngineError {
    EngineError::Unavailable {
        why: "the group changed meanwhile; repeat".to_owned(),
    }
}

/// An extra replicated snapshot now, at the leader (CG-06). The suffix follows from the moment, so
/// that the replica's name needs no look-up.
pub(super) fn sync_volumes(
    group: &ProtectionGroupActor,
    state: &mut State,
    caller: Caller,
    answer: Answer,
) {
    let (site, id) = (group.site.clone(), group.group);
    state.tasks.spawn(async move {
        let outcome = async {
            let stored = site
                .store()
                .group_fetch(id)
                .await
                .map_err(|e| unavailable(&e))?;
            let stored = stored.filter(|s| caller.is_admin || s.project == caller.project);
            let stored = stored.ok_or_else(|| not_found(id))?;
            stored.sync.trusted()?;
            overtaken::refuse(&site, id, stored.sync.epoch())?;
            if !stored.sync.leads() {
                let leader = stored.sync.role().peer();
                let epoch = stored.sync.epoch().ok_or_else(|| not_found(id))?;
                return Err(SyncRefusal::NotLeader { leader, epoch }.into());
            }
            let spec = stored
                .body
                .as_ref()
                .and_then(|b| gather::group_spec(b, stored.sync.role().peer()));
            let spec = spec.ok_or_else(|| Refusals::from(Refusal::NoPolicy))?;
            let suffix = format!("prt-{}", site.ctx().uuid().simple());
            let taken = site
                .storage()
                .snapshot_now(&spec, &PointSuffix(suffix.clone()))
                .await;
            taken.map_err(|e| unavailable(&e))?;
            Ok(Reply::SnapshotTaken { suffix })
        };
        answer.send(outcome.await);
    });
}
