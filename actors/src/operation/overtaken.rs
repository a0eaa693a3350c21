//! How an operation learns that a higher epoch leads, and stops at once (I5, S11): by a write that was
//! fenced off, by a word of its group, or when it starts.
//!
//! Absent: what it may take back then (`domain::saga`).

use super::actor::{Msg, State};
use crate::site::Site;
use protector_domain::operation::Operation;
use protector_domain::plan::Plan;
use protector_domain::saga::{Journal, acts_under};
use protector_domain::sync::Epoch;
use protector_runtime::mailbox::Mailbox;
use protector_store::StoreError;
use tokio::task::JoinSet;

/// What the store says now.
pub(crate) struct Seen {
    /// The group's.
    pub epoch: Option<Epoch>,
    /// What this site remembers of the group is in doubt (I12): nothing is done until it is not.
    pub suspect: bool,
    pub journal: Journal,
}

impl Seen {
    /// The group's epoch, if it is above the one that the operation acts under.
    pub fn overtaken_by(&self, plan: &Plan) -> Option<Epoch> {
        let mine = acts_under(plan, &self.journal);
        self.epoch.filter(|epoch| *epoch > mine)
    }
}

/// The epoch is read before the journal: if it is our own commit's, the journal says so.
pub(super) async fn see(site: &Site, plan: &Plan) -> Result<Seen, StoreError> {
    let stored = site.store().group_fetch(plan.group).await?;
    let effects = site.store().effects_by_operation(plan.operation).await?;
    let effects = effects.into_iter();
    let suspect = stored.as_ref().is_some_and(|s| s.sync.is_suspect());
    let epoch = stored.and_then(|stored| stored.sync.epoch());
    Ok(Seen {
        suspect,
        epoch: epoch.filter(|_| site.care().heed_epochs),
        journal: effects.map(|e| (e.key.to_string(), e)).collect(),
    })
}

/// Asks the store. Nothing new is started until it has answered.
pub(super) fn look(site: &Site, me: &Mailbox<Msg>, state: &mut State) {
    if state.ending || state.looking {
        return;
    }
    state.looking = true;
    let (site, me, plan) = (site.clone(), me.clone(), state.plan.clone());
    state.tasks.spawn(async move {
        let seen = see(&site, &plan).await.map(Box::new);
        let _ = me.send("seen", Msg::Seen(seen)).await;
    });
}

/// A higher epoch ends whatever runs; what was sent is looked for by its key before it is taken back.
///
/// # Errors
/// A write was fenced off, and no higher epoch explains it.
pub(super) fn heed(state: &mut State, seen: Seen) -> Result<(), &'static str> {
    state.looking = false;
    let fenced = std::mem::take(&mut state.fenced);
    let epoch = match seen.overtaken_by(&state.plan) {
        None if fenced => return Err("fenced off, and no higher epoch explains it"),
        None => return Ok(()),
        // The last word of a step that has been stopped.
        Some(epoch) if state.overtaken == Some(epoch) => return Ok(()),
        Some(epoch) => epoch,
    };
    tracing::warn!(operation = %state.plan.operation, %epoch, "a newer epoch leads: only its own objects go");
    state.overtaken = Some(epoch);
    state.waits_for = None;
    state.steps = JoinSet::new();
    state.running.clear();
    state.journal = seen.journal;
    Ok(())
}

/// True while an earlier operation of the group, which this plan's epoch has overtaken, takes back what is
/// its own: addresses and quota come free then.
pub(super) async fn tidies_up(site: &Site, plan: &Plan) -> bool {
    // If that cannot be read, nothing is waited for.
    let unfinished = site.store().operation_list_unfinished().await;
    let before = |other: &Operation| {
        other.group == plan.group && other.id != plan.operation && other.epoch < plan.fence
    };
    unfinished.is_ok_and(|all| all.iter().any(before))
}
