//! What this site, asked to attest, has against a draft of the leader's that makes less of the group: the
//! drills that it alone knows of. And the end of a group whose peer is gone for good.

use super::actor::{ProtectionGroupActor, State, unavailable};
use super::apply::{Standing, not_found, put, reply_in};
use super::changes::changed_meanwhile;
use super::moves::ask;
use crate::gather::change::leave_facts;
use crate::site::Site;
use protector_domain::change::{gone, may_leave};
use protector_domain::ports::engine::{Caller, EngineError, Reply};
use protector_domain::record::GroupBody;
use protector_domain::refusal::{Refusal, Refusals};
use protector_domain::sync::{Input, Intent, MessageContent, Verified};
use protector_store::{StoreError, StoredGroup};

/// Refused while a copy of what goes runs here, or may come up any moment.
///
/// # Errors
/// `OperationInProgress`, `DrillIsUp`; the store does not answer.
pub(super) async fn check(
    site: &Site,
    stored: Option<&StoredGroup>,
    message: &Verified,
) -> Result<(), EngineError> {
    let MessageContent::Ticket(ticket) = &message.message().content else {
        return Ok(());
    };
    let Some((stored, before)) = stored.and_then(|s| Some((s, s.body.as_ref()?))) else {
        return Ok(());
    };
    let draft = ticket.draft.as_ref().map(|d| d.body.clone());
    let next: Option<GroupBody> = match ticket.intent {
        Intent::Delete => None,
        Intent::Change => draft.and_then(|body| serde_json::from_value(body).ok()),
        _ => return Ok(()),
    };
    let leaves = match &next {
        None => ticket.intent == Intent::Delete,
        Some(next) => !gone(before, next).is_empty(),
    };
    if !leaves {
        return Ok(());
    }
    if let Some(own) = stored.sync.operation() {
        let operation = own.id.to_string();
        return Err(Refusals::from(Refusal::OperationInProgress { operation }).into());
    }
    let facts = leave_facts(site, stored).await?;
    Ok(may_leave(before, next.as_ref(), &facts)?)
}

/// R4 with a tombstone (section 10). What runs here dies with the group.
pub(super) async fn abandon(
    group: &ProtectionGroupActor,
    state: &mut State,
    caller: &Caller,
) -> Result<Reply, EngineError> {
    let (site, id) = (&group.site, group.group);
    let stored = site.store().group_fetch(id).await;
    let stored = stored.map_err(|e| unavailable(&e))?;
    let seen = stored.filter(|s| caller.is_admin || s.project == caller.project);
    let stored = seen.ok_or_else(|| not_found(id))?;
    let (project, sync) = (stored.project.clone(), stored.sync.clone());
    let stored = Some(stored);
    let now = Standing { stored, sync };
    let next = ask(group, state, &now, Input::AbandonPeer).await?;
    match site.store().group_put(put(&now, project, &next)).await {
        Err(StoreError::Conflict) => return Err(changed_meanwhile()),
        other => other.map_err(|e| unavailable(&e))?,
    };
    state.tickets = next.tickets.clone();
    site.after_record(id, &next.outputs);
    site.after_deaths(&next.outputs).await;
    let envelope = reply_in(&next.outputs).cloned();
    Ok(Reply::Committed {
        group: id,
        envelope: envelope.ok_or_else(|| not_found(id))?,
        changed: vec!["deleted, the peer given up".to_owned()],
    })
}
