//! The actor behind a session.

use super::Call;
use protector_domain::ids::ArrayId;
use protector_runtime::ctx::Ctx;
use protector_runtime::mailbox::{Behaviour, Kind, Mailbox};
use protector_runtime::supervisor::{ChildSpec, Restart};
use ractor::ActorProcessingErr;
use std::collections::VecDeque;
use tokio::task::JoinSet;

/// Calls to one array at the same time: management planes are small.
const CALLS_AT_ONCE: usize = 4;
/// Calls that wait for one array; beyond that it is busy.
const KIND: Kind = Kind {
    name: "array_session",
    cap: 1_024,
};
const SHUTDOWN_MS: u64 = 1_000;

pub(super) struct ArraySession {
    array: ArrayId,
}

pub(super) enum Msg {
    /// Sent by whoever calls the array.
    Call(Call),
    /// A call is over. Sent by its own task.
    Over(&'static str),
}

#[derive(Default)]
pub(super) struct State {
    waiting: VecDeque<Call>,
    running: Vec<&'static str>,
    done: u64,
    tasks: JoinSet<()>,
}

pub(super) fn child_spec(ctx: &Ctx, array: &ArrayId) -> (ChildSpec, Mailbox<Msg>) {
    let id = array.clone();
    let make = move || (ArraySession { array: id.clone() }, ());
    let name = array.to_string();
    ChildSpec::tracked(ctx, name, Restart::Permanent, SHUTDOWN_MS, KIND, make)
}

impl Behaviour for ArraySession {
    type Msg = Msg;
    type State = State;
    type Args = ();

    async fn init(&self, _me: &Mailbox<Msg>, _args: ()) -> Result<State, ActorProcessingErr> {
        Ok(State::default())
    }

    async fn handle(
        &self,
        me: &Mailbox<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        while state.tasks.try_join_next().is_some() {}
        match msg {
            Msg::Call(call) => {
                // Behind everything as urgent, before everything less so.
                let behind = |c: &Call| c.urgency <= call.urgency;
                let place = state
                    .waiting
                    .iter()
                    .rposition(behind)
                    .map_or(0, |at| at + 1);
                state.waiting.insert(place, call);
            }
            Msg::Over(what) => {
                state.done += 1;
                if let Some(at) = state.running.iter().position(|r| *r == what) {
                    state.running.remove(at);
                }
            }
        }
        while state.running.len() < CALLS_AT_ONCE {
            let Some(call) = state.waiting.pop_front() else {
                break;
            };
            state.running.push(call.what);
            let me = me.clone();
            state.tasks.spawn(async move {
                call.work.await;
                let _ = me.send("over", Msg::Over(call.what)).await;
            });
        }
        Ok(())
    }

    fn snapshot(&self, state: &State) -> serde_json::Value {
        serde_json::json!({
            "array": self.array,
            "running": state.running,
            "waiting": state.waiting.len(),
            "done": state.done,
        })
    }
}
