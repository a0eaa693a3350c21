//! The switchboard: every message to the file that handles it.

use super::messages::GroupMsg;
use super::{apply, changes, leaving, moves, release};
use crate::site::Site;
use protector_domain::ids::{GroupId, ProjectId};
use protector_domain::ports::engine::EngineError;
use protector_domain::sync::Tickets;
use protector_runtime::mailbox::{Behaviour, Kind, Mailbox};
use protector_runtime::supervisor::{ChildSpec, Restart};
use ractor::ActorProcessingErr;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

/// Requests that may wait for one group; more are told to come back.
const KIND: Kind = Kind {
    name: "protection_group",
    cap: 256,
};
const SHUTDOWN_MS: u64 = 5_000;

pub(crate) struct ProtectionGroupActor {
    pub(super) site: Site,
    pub(super) group: GroupId,
}

pub(crate) struct State {
    /// K6: they die with us, and nothing that matters with them.
    pub(super) tickets: Tickets,
    /// Who asked for the group that is being created: until its first record nothing else tells.
    pub(super) creating_for: Option<ProjectId>,
    /// Tickets age by a clock that never jumps (D2).
    pub(super) started: Instant,
    /// A move is being prepared; a second one waits for its turn by asking again.
    pub(super) preparing: Option<AbortHandle>,
    pub(super) tasks: JoinSet<()>,
}

impl State {
    pub(super) fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The group as a child of the groups' supervisor.
pub(crate) fn child_spec(site: &Site, group: GroupId) -> (ChildSpec, Mailbox<GroupMsg>) {
    let made = site.clone();
    let make = move || {
        (
            ProtectionGroupActor {
                site: made.clone(),
                group,
            },
            (),
        )
    };
    let id = format!("group-{group}");
    ChildSpec::tracked(site.ctx(), id, Restart::Permanent, SHUTDOWN_MS, KIND, make)
}

impl Behaviour for ProtectionGroupActor {
    type Msg = GroupMsg;
    type State = State;
    type Args = ();

    async fn init(&self, _me: &Mailbox<GroupMsg>, _args: ()) -> Result<State, ActorProcessingErr> {
        Ok(State {
            tickets: Tickets::new(),
            creating_for: None,
            started: Instant::now(),
            preparing: None,
            tasks: JoinSet::new(),
        })
    }

    async fn handle(
        &self,
        me: &Mailbox<GroupMsg>,
        msg: GroupMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        while state.tasks.try_join_next().is_some() {}
        match msg {
            GroupMsg::Ticket { ask, answer } => changes::gather(self, me, state, *ask, answer),
            GroupMsg::Drafted { drafted, answer } => {
                answer.send(changes::open_ticket(self, state, *drafted).await);
            }
            GroupMsg::Courier {
                caller,
                message,
                envelope,
                answer,
            } => {
                let envelope = envelope.map(|envelope| *envelope);
                answer.send(apply::courier(self, state, &caller, *message, envelope).await);
            }
            GroupMsg::Operate { ask, answer } => moves::gather(self, me, state, *ask, answer),
            GroupMsg::AskRelease {
                caller,
                operation,
                answer,
            } => release::ask(self, me, state, caller, operation, answer).await,
            GroupMsg::Searched {
                caller,
                operation,
                found,
                answer,
            } => {
                answer.send(release::searched(self, state, &caller, operation, found).await);
            }
            GroupMsg::HeadTicket { caller, answer } => {
                answer.send(changes::head_ticket(self, state, &caller).await);
            }
            GroupMsg::LockTicket { caller, answer } => {
                answer.send(changes::lock_ticket(self, state, &caller).await);
            }
            GroupMsg::AbandonPeer { caller, answer } => {
                answer.send(leaving::abandon(self, state, &caller).await);
            }
            GroupMsg::WithdrawRequest { operation, answer } => {
                answer.send(moves::withdraw(self, state, operation).await);
            }
            GroupMsg::RequestDeadline(operation) => moves::expire(self, state, operation).await,
            GroupMsg::Gathered {
                ask,
                prepared,
                answer,
            } => {
                state.preparing = None;
                answer.send(moves::begin(self, me, state, &ask, &prepared).await);
            }
            GroupMsg::Idle => state.preparing = None,
            GroupMsg::DraftFailed { why, answer } => {
                answer.send(Err(why));
            }
            GroupMsg::SyncVolumes { caller, answer } => {
                changes::sync_volumes(self, state, caller, answer)
            }
        }
        Ok(())
    }

    fn snapshot(&self, state: &State) -> serde_json::Value {
        serde_json::json!({
            "group": self.group,
            "open_tickets": state.tickets.len(),
            "preparing_an_operation": state.preparing.is_some(),
        })
    }
}

/// A store that does not answer is the caller's "come back".
pub(crate) fn unavailable(error: &impl std::fmt::Display) -> EngineError {
    EngineError::Unavailable {
        why: error.to_string(),
    }
}
