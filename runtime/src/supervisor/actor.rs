//! The supervisor's actor: hears of starts and ends, decides, and never waits in a handler. The one
//! exception is its own end, when it stops its children in order.
//!
//! Deliberately absent: arithmetic (`budget`) and bookkeeping (`roster`).

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::budget::{Budget, backoff_ms, comes_back};
use super::handle::SupErr;
use super::roster::{Child, Life, Roster, Timer};
use super::spec::{ChildSpec, StartPlace, Started, SupervisorOptions};
use super::stopping;
use crate::ctx::Ctx;
use crate::introspect::Phase;
use crate::mailbox::{ActorProcessingErr, Behaviour, ChildDown, ChildEnd, Mailbox, Reply};

/// How long the start of a tree waits for one child before it goes on with the next, milliseconds.
/// The child is not given up: it goes on starting.
const START_WAIT_MS: u64 = 10_000;

/// What a supervisor is told.
#[derive(Debug)]
pub(super) enum Msg {
    Add(Box<ChildSpec>, Reply<Result<(), SupErr>>),
    Remove(String, Reply<Result<(), SupErr>>),
    /// The first steps of an incarnation ended. Sent by the task that watches them.
    Opened(String, u64, Result<(), String>),
    /// The pause is over. Sent by its timer.
    Respawn(String, u64),
    /// The stop of a removed child ended; false: in vain. Sent by the task that stops it.
    Ended(String, u64, bool),
}

/// A one-for-one supervisor.
pub(super) struct OneForOne {
    ctx: Ctx,
    path: String,
    options: SupervisorOptions,
}

pub(super) struct State {
    roster: Roster,
    budget: Budget,
    made: Instant,
}

type Outcome = Result<(), ActorProcessingErr>;

impl OneForOne {
    pub(super) fn new(ctx: Ctx, path: String, options: SupervisorOptions) -> Self {
        Self { ctx, path, options }
    }

    /// Lists the child and begins its start. The receiver hears when its first steps are over.
    fn add(&self, me: &Mailbox<Msg>, st: &mut State, spec: ChildSpec) -> oneshot::Receiver<()> {
        let path = format!("{}/{}", self.path, spec.id);
        let entry = self.ctx.tree.enter(path, spec.stats.clone());
        let order = st.roster.number_take();
        let (life, opened) = self.launch(me, &spec, order);
        st.roster.insert(Child {
            spec,
            life,
            order,
            incarnation: order,
            fails: 0,
            up_since: Instant::now(),
            _entry: entry,
        });
        opened
    }

    /// Begins a start. One that fails at once is told as one that failed later, so there is one path.
    fn launch(
        &self,
        me: &Mailbox<Msg>,
        spec: &ChildSpec,
        incarnation: u64,
    ) -> (Life, oneshot::Receiver<()>) {
        let (over, opened) = oneshot::channel();
        let (me, id) = (me.clone(), spec.id.clone());
        spec.stats.enter(Phase::Starting);
        let started = me.cell().ok_or_else(|| "no supervisor".to_owned());
        let started = started.and_then(|supervisor| {
            let path = format!("{}/{id}", self.path);
            (spec.start)(StartPlace { supervisor, path }).map_err(|e| e.to_string())
        });
        match started {
            Ok(Started { cell, done }) => {
                tokio::spawn(async move {
                    let outcome = done.await;
                    let _ = over.send(());
                    let _ = me
                        .send("opened", Msg::Opened(id, incarnation, outcome))
                        .await;
                });
                (Life::Starting(cell), opened)
            }
            Err(why) => {
                let task = tokio::spawn(async move {
                    let _ = over.send(());
                    let _ = me
                        .send("opened", Msg::Opened(id, incarnation, Err(why)))
                        .await;
                });
                (Life::Backoff(Timer::over(&task)), opened)
            }
        }
    }

    fn opened(&self, st: &mut State, id: &str, incarnation: u64) {
        let Some(child) = st.roster.present(id, incarnation) else {
            return;
        };
        if let Life::Starting(cell) = &child.life {
            child.life = Life::Up(cell.clone());
            child.up_since = Instant::now();
            if child.spec.stats.phase() == Phase::Starting {
                // An actor that does not note it itself.
                child
                    .spec
                    .stats
                    .up(self.ctx.now_us(), serde_json::Value::Null);
            }
        }
    }

    /// A child ended, or could not start.
    async fn down(&self, me: &Mailbox<Msg>, st: &mut State, id: &str, end: ChildEnd) -> Outcome {
        let now_ms = u64::try_from(st.made.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Some(child) = st.roster.get(id) else {
            return Ok(());
        };
        let removed = matches!(child.life, Life::Stopping(..));
        if removed || !comes_back(child.spec.restart, &end) {
            st.roster.remove(id);
            return Ok(());
        }
        let why = reason(&end);
        tracing::warn!(path = %self.path, child = id, %why, "child down");
        child.spec.stats.error(&why, self.ctx.now_us());
        if !st.budget.spend(now_ms) {
            self.stop_all(st).await;
            return Err(format!("too many restarts, the last of {id}: {why}").into());
        }
        child.spec.stats.restart(&why, self.ctx.now_us());
        child.spec.stats.enter(Phase::Backoff);
        let incarnation = st.roster.number_take();
        if let Some(child) = st.roster.get(id) {
            let paused = self.pause(me, child, incarnation);
            st.roster.replace(id, paused);
        }
        Ok(())
    }

    fn pause(&self, me: &Mailbox<Msg>, child: &mut Child, incarnation: u64) -> Life {
        if child.up_since.elapsed() >= Duration::from_millis(self.options.window_ms) {
            child.fails = 0;
        }
        child.fails = child.fails.saturating_add(1);
        child.incarnation = incarnation;
        let pause = Duration::from_millis(backoff_ms(&self.options, child.fails));
        let (me, id) = (me.clone(), child.spec.id.clone());
        let timer = tokio::spawn(async move {
            sleep(pause).await;
            let _ = me.send("respawn", Msg::Respawn(id, incarnation)).await;
        });
        Life::Backoff(Timer::over(&timer))
    }

    fn respawn(&self, me: &Mailbox<Msg>, st: &mut State, id: &str, incarnation: u64) {
        let Some(child) = st.roster.present(id, incarnation) else {
            return;
        };
        if matches!(child.life, Life::Backoff(_)) {
            child.up_since = Instant::now();
            let (started, _) = self.launch(me, &child.spec, incarnation);
            st.roster.replace(id, started);
        }
    }

    fn remove(me: &Mailbox<Msg>, st: &mut State, id: &str, reply: Reply<Result<(), SupErr>>) {
        let Some(child) = st.roster.get(id) else {
            reply.send(Err(SupErr::NoSuchChild));
            return;
        };
        match &mut child.life {
            Life::Backoff(_) => {
                st.roster.remove(id);
                reply.send(Ok(()));
            }
            Life::Starting(cell) | Life::Up(cell) => {
                child.life = Life::Stopping(cell.clone(), vec![reply]);
                child.spec.stats.enter(Phase::Stopping);
                Self::stop_begin(me, child);
            }
            // The last stop was in vain. It has been told everything; there is nothing to add.
            Life::Stopping(_, waiting) if waiting.is_empty() => {
                reply.send(Err(SupErr::Stuck));
            }
            Life::Stopping(_, waiting) => waiting.push(reply),
        }
    }

    /// Stops the child in a task of its own: it may take its whole `shutdown_ms`.
    fn stop_begin(me: &Mailbox<Msg>, child: &Child) {
        let Some(cell) = child.cell().cloned() else {
            return;
        };
        let (me, id) = (me.clone(), child.spec.id.clone());
        let (incarnation, shutdown_ms) = (child.incarnation, child.spec.shutdown_ms);
        tokio::spawn(async move {
            let gone = stopping::stop(&cell, shutdown_ms).await;
            let _ = me.send("ended", Msg::Ended(id, incarnation, gone)).await;
        });
    }

    fn ended(st: &mut State, id: &str, incarnation: u64, gone: bool) {
        let Some(child) = st.roster.present(id, incarnation) else {
            return;
        };
        let Life::Stopping(_, waiting) = &mut child.life else {
            return;
        };
        if gone {
            st.roster.remove(id);
            return;
        }
        // It stays listed: a second one beside it would be worse than none.
        for reply in waiting.drain(..) {
            reply.send(Err(SupErr::Stuck));
        }
    }

    /// Stops everybody, last started first, one at a time.
    async fn stop_all(&self, st: &mut State) {
        for child in st.roster.take_for_stop() {
            child.spec.stats.enter(Phase::Stopping);
            if let Some(cell) = child.cell()
                && !stopping::stop(cell, child.spec.shutdown_ms).await
            {
                tracing::error!(path = %self.path, child = %child.spec.id, "child does not end");
            }
            if let Life::Stopping(_, waiting) = child.life {
                for reply in waiting {
                    reply.send(Ok(()));
                }
            }
        }
    }
}

impl Behaviour for OneForOne {
    type Msg = Msg;
    type State = State;
    type Args = Vec<ChildSpec>;

    async fn init(
        &self,
        me: &Mailbox<Msg>,
        children: Vec<ChildSpec>,
    ) -> Result<State, ActorProcessingErr> {
        let mut st = State {
            roster: Roster::default(),
            budget: Budget::new(&self.options),
            made: Instant::now(),
        };
        for spec in children {
            if st.roster.has(&spec.id) {
                return Err(format!("two children are called {}", spec.id).into());
            }
            // One after the other: the later may need the earlier. How it went arrives as a message.
            let opened = self.add(me, &mut st, spec);
            let _ = timeout(Duration::from_millis(START_WAIT_MS), opened).await;
        }
        Ok(st)
    }

    async fn handle(&self, me: &Mailbox<Msg>, msg: Msg, st: &mut State) -> Outcome {
        match msg {
            Msg::Add(spec, reply) if st.roster.has(&spec.id) => {
                reply.send(Err(SupErr::Exists));
            }
            Msg::Add(spec, reply) => {
                drop(self.add(me, st, *spec));
                reply.send(Ok(()));
            }
            Msg::Remove(id, reply) => Self::remove(me, st, &id, reply),
            Msg::Opened(id, incarnation, Ok(())) => self.opened(st, &id, incarnation),
            Msg::Opened(id, incarnation, Err(why)) => {
                // No supervision event tells of a start that failed: it was not linked yet.
                if st.roster.present(&id, incarnation).is_some() {
                    return self.down(me, st, &id, ChildEnd::Failed(why)).await;
                }
            }
            Msg::Respawn(id, incarnation) => self.respawn(me, st, &id, incarnation),
            Msg::Ended(id, incarnation, gone) => Self::ended(st, &id, incarnation, gone),
        }
        Ok(())
    }

    async fn on_child(&self, me: &Mailbox<Msg>, down: ChildDown, st: &mut State) -> Outcome {
        match st.roster.id_of(down.actor) {
            Some(id) => self.down(me, st, &id, down.end).await,
            None => Ok(()),
        }
    }

    async fn stopped(&self, st: &mut State) {
        self.stop_all(st).await;
    }

    fn snapshot(&self, st: &State) -> serde_json::Value {
        serde_json::json!({ "children": st.roster.len() })
    }
}

fn reason(end: &ChildEnd) -> String {
    match end {
        ChildEnd::Normal(None) => "ended".to_owned(),
        ChildEnd::Normal(Some(why)) => format!("ended: {why}"),
        ChildEnd::Killed => "killed".to_owned(),
        ChildEnd::Failed(why) => why.clone(),
    }
}
