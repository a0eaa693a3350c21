//! The operation actor: holds the journal, asks the saga rule what is next, starts it.

use super::ending;
use super::orders::{self, Answer};
use super::overtaken::{self, Seen};
use super::perform::Job;
use super::step_run::{StepEnd, StepRun};
use crate::journal::{StepRows, of_lane};
use crate::site::Site;
use protector_domain::effect::Effect;
use protector_domain::ids::OperationId;
use protector_domain::operation::order::Change;
use protector_domain::operation::{OperationStatus, Outcome};
use protector_domain::plan::{Plan, Step, StepAt};
use protector_domain::ports::engine::{EngineError, Order};
use protector_domain::saga::{self, Advance, Journal, Outline, Way};
use protector_domain::sync::Epoch;
use protector_runtime::mailbox::{Behaviour, Kind, Mailbox};
use protector_runtime::supervisor::{ChildSpec, Restart};
use protector_store::{OperationUpdate, StoreError};
use ractor::ActorProcessingErr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Steps of one operation that act at the same time. How many of their calls a service gets at once is the
/// endpoint's affair; this bounds the line before it. A group of 100 is one wave.
const STEPS_AT_ONCE: usize = 128;
/// Steps that only wait, and so take nobody's place: all of them are fed by one listing.
const WAITS_AT_ONCE: usize = 1_024;
/// Each running step sends one message; besides these there are only progress notes.
const KIND: Kind = Kind {
    name: "operation",
    cap: STEPS_AT_ONCE * 2,
};
const SHUTDOWN_MS: u64 = 5_000;

pub(crate) struct OperationActor {
    site: Site,
}

pub(crate) struct OperationArgs {
    pub operation: OperationId,
}

/// What an operation hears from its own tasks, and from people through the engine.
pub(crate) enum Msg {
    /// A word of people; each waits for its answer, so these are bounded by the API's connections.
    Order { order: Order, answer: Answer },
    /// What an order changes is written down, or could not be. Sent by our own task.
    Ordered {
        done: Result<Change, EngineError>,
        answer: Answer,
    },
    /// The group may have a higher epoch by now (I5).
    LookAgain,
    /// What the store says of that. Sent by our own task.
    Seen(Result<Box<Seen>, StoreError>),
    /// A step's run is over.
    StepEnded { at: StepAt, way: Way, end: StepEnd },
    /// The last words are written: nothing is left to do.
    Over,
    /// They could not be written.
    EndFailed(String),
}

pub(crate) struct State {
    pub(super) plan: Arc<Plan>,
    outline: Outline,
    pub(super) journal: Journal,
    pub(super) running: BTreeSet<(StepAt, Way)>,
    /// Steps that run. They die with the actor: a killed operation leaves no step behind.
    pub(super) steps: JoinSet<()>,
    /// Everything else, as mortal.
    pub(super) tasks: JoinSet<()>,
    pct: u8,
    pub(super) ending: bool,
    /// The epoch that has overtaken it: nothing is done any more but to take back its own (I5).
    pub(super) overtaken: Option<Epoch>,
    /// Whether one has is being asked.
    pub(super) looking: bool,
    /// A write was fenced off, and nothing explains it yet.
    pub(super) fenced: bool,
    /// Somebody wants it undone; the row says so, too (I13).
    pub(super) cancelled: bool,
    /// An order is being written down: nothing new is started meanwhile.
    pub(super) ordering: bool,
    /// What people were told it waits for.
    pub(super) waits_for: Option<String>,
}

/// The operation as a child of the groups' supervisor; it is over when it ends cleanly.
pub(crate) fn child_spec(site: &Site, operation: OperationId) -> (ChildSpec, Mailbox<Msg>) {
    let made = site.clone();
    let make = move || {
        (
            OperationActor { site: made.clone() },
            OperationArgs { operation },
        )
    };
    let id = format!("operation-{operation}");
    ChildSpec::tracked(site.ctx(), id, Restart::Transient, SHUTDOWN_MS, KIND, make)
}

impl Behaviour for OperationActor {
    type Msg = Msg;
    type State = State;
    type Args = OperationArgs;

    async fn init(
        &self,
        me: &Mailbox<Msg>,
        args: OperationArgs,
    ) -> Result<State, ActorProcessingErr> {
        let store = self.site.store();
        let missing = || format!("operation {} is not in the store", args.operation);
        let operation = store
            .operation_fetch(args.operation)
            .await?
            .ok_or_else(missing)?;
        let seen = overtaken::see(&self.site, &operation.plan).await?;
        let mut state = State {
            overtaken: seen.overtaken_by(&operation.plan),
            looking: false,
            fenced: false,
            outline: Outline::of(&operation.plan),
            plan: Arc::new(operation.plan),
            journal: seen.journal,
            running: BTreeSet::new(),
            steps: JoinSet::new(),
            tasks: JoinSet::new(),
            pct: operation.progress_pct,
            ending: operation.status.is_terminal() || seen.suspect,
            cancelled: operation.status == OperationStatus::RollingBack,
            ordering: false,
            waits_for: None,
        };
        if state.ending {
            me.try_send("over", Msg::Over)?;
        } else {
            self.go_on(me, &mut state);
        }
        Ok(state)
    }

    async fn handle(
        &self,
        me: &Mailbox<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Order { order, answer } => {
                orders::take(&self.site, me, state, &order, answer);
                Ok(())
            }
            Msg::Ordered { done, answer } => {
                let done = orders::done(state, done);
                answer.send(orders::reply(&self.site, state, done).await);
                self.go_on(me, state);
                Ok(())
            }
            Msg::StepEnded {
                at,
                way,
                end: StepEnd::Rows(effects),
            } => {
                state.running.remove(&(at, way));
                state.note(effects);
                self.show_progress(state);
                self.go_on(me, state);
                Ok(())
            }
            Msg::StepEnded {
                end: StepEnd::Fenced,
                ..
            } => {
                state.fenced = true;
                overtaken::look(&self.site, me, state);
                Ok(())
            }
            Msg::LookAgain => {
                overtaken::look(&self.site, me, state);
                Ok(())
            }
            // It leaves, and takes nothing back: the sweeper brings it again when the group is trusted.
            Msg::Seen(Ok(seen)) if seen.suspect => {
                state.ending = true;
                state.steps = JoinSet::new();
                self.leave(me, state).await;
                Ok(())
            }
            Msg::Seen(Ok(seen)) => {
                overtaken::heed(state, *seen)?;
                self.go_on(me, state);
                Ok(())
            }
            // As any store that is down.
            Msg::Seen(Err(error)) => Err(Box::new(error)),
            // The supervisor starts us again from the journal, after its pause.
            Msg::StepEnded {
                end: StepEnd::StoreDown(error),
                ..
            } => Err(Box::new(error)),
            Msg::Over => {
                self.leave(me, state).await;
                Ok(())
            }
            Msg::EndFailed(why) => Err(why.into()),
        }
    }

    fn snapshot(&self, state: &State) -> serde_json::Value {
        let running = state.running.iter().filter_map(|(at, way)| {
            let lane = state.plan.lane(*at)?;
            let step = state.plan.step(*at)?;
            Some((lane, step, way))
        });
        let mut steps: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, step, _) in running.clone() {
            *steps.entry(step.name()).or_default() += 1;
        }
        let running =
            running.map(|(lane, step, way)| format!("{} {} {way:?}", lane.title, step.name()));
        serde_json::json!({
            "group": state.plan.group,
            "kind": state.plan.kind,
            "progress_pct": state.pct,
            "cancelled": state.cancelled,
            "overtaken_by_epoch": state.overtaken,
            "waits_for": state.waits_for,
            "steps": steps,
            "running": running.take(STEPS_AT_ONCE).collect::<Vec<_>>(),
        })
    }
}

fn stop(me: &Mailbox<Msg>) {
    if let Some(cell) = me.cell() {
        cell.stop(None);
    }
}

impl State {
    /// The epoch that its writes are good for.
    pub(super) fn fence(&self) -> Epoch {
        let mine = saga::acts_under(&self.plan, &self.journal);
        self.overtaken.unwrap_or(mine)
    }

    pub(super) fn note(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.journal.insert(effect.key.to_string(), effect);
        }
    }

    /// Nothing of it but a wait for what another step has made.
    fn only_waits(&self, at: StepAt, way: Way) -> bool {
        way == Way::Do && matches!(self.plan.step(at), Some(Step::AwaitServer { .. }))
    }

    /// A lane is one after the other, also when it turns round.
    fn lane_runs(&self, at: StepAt) -> bool {
        let first = (StepAt { place: 0, ..at }, Way::Do);
        let next = self.running.range(first..).next();
        next.is_some_and(|(r, _)| (r.stage, r.lane) == (at.stage, at.lane))
    }
}

impl OperationActor {
    async fn leave(&self, me: &Mailbox<Msg>, state: &State) {
        self.site.groups().ended(state.plan.operation).await;
        stop(me);
    }

    /// Starts what may run now, or the end.
    fn go_on(&self, me: &Mailbox<Msg>, state: &mut State) {
        if state.ending || state.ordering || state.looking {
            return;
        }
        let next = if state.overtaken.is_some() {
            saga::overtaken(&state.plan, &state.journal)
        } else if state.cancelled {
            state.outline.turned_round(&state.journal)
        } else {
            state.outline.advance(&state.journal)
        };
        match next {
            Advance::Work(work) => self.start_steps(me, state, work),
            Advance::Settled(Outcome::NeedsOperator) if state.running.is_empty() => {
                orders::wait(&self.site, state);
            }
            Advance::Settled(outcome) if state.running.is_empty() => {
                state.ending = true;
                self.start_end(me, state, outcome);
            }
            Advance::Settled(_) => {}
        }
    }

    fn start_steps(&self, me: &Mailbox<Msg>, state: &mut State, work: Vec<(StepAt, Way)>) {
        let running = state.running.iter();
        let mut waits = running
            .filter(|(at, way)| state.only_waits(*at, *way))
            .count();
        let mut acts = state.running.len() - waits;
        for (at, way) in work {
            let (taken, limit) = if state.only_waits(at, way) {
                (&mut waits, WAITS_AT_ONCE)
            } else {
                (&mut acts, STEPS_AT_ONCE)
            };
            if *taken < limit && !state.lane_runs(at) {
                *taken += 1;
                self.start_step(me, state, at, way);
            }
        }
    }

    fn start_step(&self, me: &Mailbox<Msg>, state: &mut State, at: StepAt, way: Way) {
        state.running.insert((at, way));
        self.begin_in_memory(state, at, way);
        let (Some(lane), Some(step)) = (state.plan.lane(at), state.plan.step(at)) else {
            return;
        };
        let job = Job {
            site: self.site.clone(),
            plan: state.plan.clone(),
            step: step.clone(),
            journal: Arc::new(of_lane(&state.journal, lane)),
        };
        let run = StepRun {
            job,
            lane: lane.clone(),
            at,
            way,
            overtaken: state.overtaken,
        };
        let me = me.clone();
        state.steps.spawn(async move {
            let end = run.run().await;
            let _ = me.send("step_ended", Msg::StepEnded { at, way, end }).await;
        });
    }

    /// The saga rule has to see a running step as begun before its row is written.
    fn begin_in_memory(&self, state: &mut State, at: StepAt, way: Way) {
        let (Some(lane), Some(step)) = (state.plan.lane(at), state.plan.step(at)) else {
            return;
        };
        if way == Way::Do {
            let rows = StepRows::of(&self.site, &state.plan, at, lane, step, &state.journal);
            state.note(rows.effects);
        }
    }

    fn start_end(&self, me: &Mailbox<Msg>, state: &mut State, outcome: Outcome) {
        let (site, me) = (self.site.clone(), me.clone());
        let (plan, journal) = (state.plan.clone(), state.journal.clone());
        let by = state.overtaken;
        state.tasks.spawn(async move {
            let ended = match by {
                Some(epoch) => ending::overtaken(&site, &plan, &journal, epoch, outcome).await,
                None => ending::end(&site, &plan, &journal, outcome).await,
            };
            let msg = match ended {
                Ok(()) => Msg::Over,
                Err(error) => Msg::EndFailed(error.to_string()),
            };
            let _ = me.send("over", msg).await;
        });
    }

    /// Written beside the work, never awaited by it: progress is for people.
    fn show_progress(&self, state: &mut State) {
        let pct = state.outline.progress_pct(&state.journal).min(99);
        if pct <= state.pct {
            return;
        }
        state.pct = pct;
        let store = self.site.store().clone();
        let update = OperationUpdate {
            progress_pct: Some(pct),
            ..OperationUpdate::new(state.plan.operation)
        };
        state.tasks.spawn(async move {
            let _ = store.operation_update(update).await;
        });
    }
}
