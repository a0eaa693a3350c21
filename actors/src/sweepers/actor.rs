//! The sweeper actor: a timer, a queue of hints, and one task per sweep.

use super::{fence, protect, recovery, retire, strays};
use crate::site::Site;
use protector_domain::ids::{GroupId, OperationId};
use protector_runtime::mailbox::{Behaviour, Kind, Mailbox};
use protector_runtime::supervisor::{ChildSpec, Restart};
use ractor::ActorProcessingErr;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinSet;

/// Hints that may wait; what does not fit is found by the clock.
const KIND: Kind = Kind {
    name: "sweeper",
    cap: 1_024,
};
const SHUTDOWN_MS: u64 = 1_000;
/// Pause before a failed reconciliation of one group is tried again.
const PROTECT_AGAIN_MS: u64 = 5_000;
/// Sweeps in flight; beyond that a hint waits for the clock.
const TASKS_MAX: usize = 256;

pub(crate) enum SweeperMsg {
    /// A record changed: make the arrays match it. Sent by groups.
    RecordChanged(GroupId),
    /// An operation is over: look for strays for a while. Sent by operations.
    OperationEnded(OperationId),
    /// Look at everything. Sent by our own timer.
    Sweep,
    /// A look at everything is over. Sent by our own task.
    Swept(Vec<GroupId>),
    /// A group's turn at its array is over. Sent by our own task.
    TurnOver(GroupId),
}

pub(crate) struct Sweeper {
    site: Site,
}

pub(crate) struct State {
    tasks: JoinSet<()>,
    sweeps: u64,
    /// Two sweeps at once would only get in each other's way.
    sweeping: bool,
    /// Groups whose turn runs; true: another one is wanted after it.
    turns: BTreeMap<GroupId, bool>,
}

pub(crate) fn child_spec(site: &Site) -> (ChildSpec, Mailbox<SweeperMsg>) {
    let made = site.clone();
    let make = move || (Sweeper { site: made.clone() }, ());
    ChildSpec::tracked(
        site.ctx(),
        "sweeper",
        Restart::Permanent,
        SHUTDOWN_MS,
        KIND,
        make,
    )
}

impl Behaviour for Sweeper {
    type Msg = SweeperMsg;
    type State = State;
    type Args = ();

    async fn init(&self, me: &Mailbox<SweeperMsg>, _args: ()) -> Result<State, ActorProcessingErr> {
        me.try_send("sweep", SweeperMsg::Sweep)?;
        Ok(State {
            tasks: JoinSet::new(),
            sweeps: 0,
            sweeping: false,
            turns: BTreeMap::new(),
        })
    }

    async fn handle(
        &self,
        me: &Mailbox<SweeperMsg>,
        msg: SweeperMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        while state.tasks.try_join_next().is_some() {}
        let site = self.site.clone();
        match msg {
            SweeperMsg::Sweep => {
                set_timer(me, state, site.care().sweep_ms);
                self.sweep(me, state);
            }
            SweeperMsg::Swept(groups) => {
                state.sweeping = false;
                for group in groups {
                    self.turn(me, state, group);
                }
            }
            SweeperMsg::RecordChanged(group) => self.turn(me, state, group),
            SweeperMsg::TurnOver(group) => {
                if state.turns.remove(&group) == Some(true) {
                    self.turn(me, state, group);
                }
            }
            _ if state.tasks.len() >= TASKS_MAX => {}
            SweeperMsg::OperationEnded(operation) => {
                state
                    .tasks
                    .spawn(async move { strays::watch(&site, operation).await });
            }
        }
        Ok(())
    }

    fn snapshot(&self, state: &State) -> serde_json::Value {
        serde_json::json!({ "sweeps": state.sweeps, "in_flight": state.tasks.len() })
    }
}

impl Sweeper {
    fn sweep(&self, me: &Mailbox<SweeperMsg>, state: &mut State) {
        if state.sweeping {
            return;
        }
        state.sweeping = true;
        state.sweeps += 1;
        let (site, me) = (self.site.clone(), me.clone());
        let at_start = state.sweeps == 1;
        state.tasks.spawn(async move {
            let groups = recovery::sweep(&site, at_start).await;
            let _ = me.send("swept", SweeperMsg::Swept(groups)).await;
        });
    }

    /// One turn of a group at its array; another one after it if somebody asks meanwhile.
    fn turn(&self, me: &Mailbox<SweeperMsg>, state: &mut State, group: GroupId) {
        if let Some(again) = state.turns.get_mut(&group) {
            *again = true;
            return;
        }
        state.turns.insert(group, false);
        let (site, me) = (self.site.clone(), me.clone());
        state.tasks.spawn(async move {
            if let Err(error) = fence::group(&site, group).await {
                tracing::info!(%group, %error, "source servers were not looked at; the next sweep will");
            }
            let matches = match protect::group(&site, group).await {
                Ok(()) => retire::group(&site, group).await,
                failed => failed,
            };
            if let Err(error) = matches {
                tracing::warn!(%group, %error, "the array group does not match its record yet");
                tokio::time::sleep(Duration::from_millis(PROTECT_AGAIN_MS)).await;
                let _ = me.try_send("record_changed", SweeperMsg::RecordChanged(group));
            }
            let _ = me.send("turn_over", SweeperMsg::TurnOver(group)).await;
        });
    }
}

fn set_timer(me: &Mailbox<SweeperMsg>, state: &mut State, pause_ms: u64) {
    let me = me.clone();
    state.tasks.spawn(async move {
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        let _ = me.send("sweep", SweeperMsg::Sweep).await;
    });
}
