//! What an actor does, and the wrapper that measures it doing so.
//!
//! Deliberately absent: restarting (the supervisor's) and any message of the product.

use std::future::Future;
use std::sync::Arc;

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::envelope::{Env, Mailbox, Slot};
use crate::ctx::Ctx;
use crate::introspect::{Entry, Phase};

/// How a linked child ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChildEnd {
    /// It stopped, with the reason it was given, if any.
    Normal(Option<String>),
    /// It was killed, or its runtime went away.
    Killed,
    /// It returned an error or panicked.
    Failed(String),
}

/// A linked child that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildDown {
    /// Which one. Decide by your own list: copies of other actors' ends may come, too.
    pub actor: ActorId,
    /// How.
    pub end: ChildEnd,
}

/// An actor's conduct. `self` is fixed configuration; what changes is the state.
///
/// No handler awaits the world: while it runs, neither a stop nor a child's end is heard. Spawn a
/// task and let it send the outcome to `me`.
pub trait Behaviour: Send + Sync + 'static {
    /// What it is sent.
    type Msg: Send + 'static;
    /// What it remembers; lost in a crash.
    type State: Send + 'static;
    /// What a start needs.
    type Args: Send + 'static;

    /// Makes the state, from the store if it must survive.
    ///
    /// # Errors
    /// Counts as a failure of the child and is tried again by its restart rule.
    fn init(
        &self,
        me: &Mailbox<Self::Msg>,
        args: Self::Args,
    ) -> impl Future<Output = Result<Self::State, ActorProcessingErr>> + Send;

    /// Handles one message.
    ///
    /// # Errors
    /// An error ends this incarnation: keep it for "I no longer trust my state". A refusal is a reply.
    fn handle(
        &self,
        me: &Mailbox<Self::Msg>,
        msg: Self::Msg,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send;

    /// Last words after an orderly stop. Not called after a crash or a kill.
    fn stopped(&self, _state: &mut Self::State) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// A linked child ended. By default nothing happens.
    ///
    /// # Errors
    /// An error ends this incarnation: how a supervisor escalates.
    fn on_child(
        &self,
        _me: &Mailbox<Self::Msg>,
        _down: ChildDown,
        _state: &mut Self::State,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        std::future::ready(Ok(()))
    }

    /// The state for introspection, taken after every message: small, and without secrets.
    fn snapshot(&self, _state: &Self::State) -> serde_json::Value {
        serde_json::Value::Null
    }
}

/// Runs a behaviour and notes what it does in its slot's figures.
pub struct Tracked<B: Behaviour> {
    pub(super) behaviour: B,
    pub(super) slot: Arc<Slot<B::Msg>>,
    pub(super) ctx: Ctx,
    /// Only for actors that no supervisor lists. Leaves the tree with the incarnation.
    pub(super) _entry: Option<Entry>,
}

impl<B: Behaviour> Tracked<B> {
    fn begin(&self, what: &'static str) {
        self.slot.stats.begin(what, self.ctx.now_us());
    }

    fn note_error(&self, outcome: &Result<(), ActorProcessingErr>) {
        if let Err(error) = outcome {
            self.slot.stats.error(&error.to_string(), self.ctx.now_us());
        }
    }
}

/// A behaviour's state and its way to itself.
pub struct Held<B: Behaviour> {
    me: Mailbox<B::Msg>,
    state: B::State,
}

impl<B: Behaviour> Actor for Tracked<B> {
    type Msg = Env<B::Msg>;
    type State = Held<B>;
    type Arguments = B::Args;

    async fn pre_start(
        &self,
        me: ActorRef<Self::Msg>,
        args: B::Args,
    ) -> Result<Held<B>, ActorProcessingErr> {
        self.slot.stats.enter(Phase::Starting);
        self.begin("init");
        let me = Mailbox::to_incarnation(self.slot.clone(), me);
        match self.behaviour.init(&me, args).await {
            Ok(state) => {
                let shown = self.behaviour.snapshot(&state);
                self.slot.stats.up(self.ctx.now_us(), shown);
                Ok(Held { me, state })
            }
            Err(error) => {
                self.slot.stats.error(&error.to_string(), self.ctx.now_us());
                Err(error)
            }
        }
    }

    async fn handle(
        &self,
        _me: ActorRef<Self::Msg>,
        env: Env<B::Msg>,
        held: &mut Held<B>,
    ) -> Result<(), ActorProcessingErr> {
        // The room stays taken until the handler ends, or falls.
        let Env {
            kind,
            msg,
            room: _room,
        } = env;
        self.begin(kind);
        let outcome = self.behaviour.handle(&held.me, msg, &mut held.state).await;
        self.slot.stats.finish(self.behaviour.snapshot(&held.state));
        self.note_error(&outcome);
        outcome
    }

    async fn handle_supervisor_evt(
        &self,
        _me: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        held: &mut Held<B>,
    ) -> Result<(), ActorProcessingErr> {
        let Some(down) = down_of(event) else {
            return Ok(());
        };
        self.begin("child_down");
        let outcome = self
            .behaviour
            .on_child(&held.me, down, &mut held.state)
            .await;
        self.slot
            .stats
            .rest_now(self.behaviour.snapshot(&held.state));
        self.note_error(&outcome);
        outcome
    }

    async fn post_stop(
        &self,
        _me: ActorRef<Self::Msg>,
        held: &mut Held<B>,
    ) -> Result<(), ActorProcessingErr> {
        self.slot.fill(None);
        self.slot.stats.enter(Phase::Stopping);
        self.begin("stopped");
        self.behaviour.stopped(&mut held.state).await;
        Ok(())
    }
}

/// The end that an event tells of. Starts are not told: one may arrive when the child is dead.
fn down_of(event: SupervisionEvent) -> Option<ChildDown> {
    let (cell, end) = match event {
        SupervisionEvent::ActorFailed(cell, error) => (cell, ChildEnd::Failed(error.to_string())),
        SupervisionEvent::ActorTerminated(cell, state, reason) => {
            // Only a clean end hands its state over; a kill and a lost runtime do not.
            let clean = state.is_some();
            let end = if clean {
                ChildEnd::Normal(reason)
            } else {
                ChildEnd::Killed
            };
            (cell, end)
        }
        _ => return None,
    };
    let actor = cell.get_id();
    Some(ChildDown { actor, end })
}
