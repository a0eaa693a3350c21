//! The promises of supervision, in virtual time and to the millisecond.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::*;
use crate::ctx::Ctx;
use crate::introspect::{ActorView, Phase, TreeFilter};
use crate::mailbox::{ActorProcessingErr, AskErr, Behaviour, Kind, Mailbox, Reply, SendErr};

#[derive(Debug)]
enum Msg {
    Panic,
    Fail,
    Leave,
    /// After the pause, a task of this incarnation says `Late` to it and falls silent.
    Task(Duration),
    Late,
    /// Blocks its thread until somebody sends: nothing can end that.
    Block(std::sync::mpsc::Receiver<()>),
    Incarnation(Reply<u32>),
}

/// Everything that happened, with its millisecond; and how the children behave.
#[derive(Clone)]
struct World {
    ctx: Ctx,
    began: Instant,
    log: Arc<Mutex<Vec<(u64, String)>>>,
    /// What the next starts of a child do instead of working.
    inits: Arc<Mutex<BTreeMap<String, Vec<Init>>>>,
    born: Arc<Mutex<BTreeMap<String, u32>>>,
}

#[derive(Clone, Copy)]
enum Init {
    Fail,
    Panic,
    Hang(Duration),
}

impl World {
    fn new() -> Self {
        Self {
            ctx: Ctx::seeded("a", 1, 0),
            began: Instant::now(),
            log: Arc::default(),
            inits: Arc::default(),
            born: Arc::default(),
        }
    }

    fn note(&self, what: String) {
        let at_ms = self.began.elapsed().as_millis() as u64;
        self.log.lock().unwrap().push((at_ms, what));
    }

    fn inits(self, id: &str, inits: &[Init]) -> Self {
        self.inits.lock().unwrap().insert(id.into(), inits.to_vec());
        self
    }

    fn child(&self, id: &'static str, restart: Restart) -> (ChildSpec, Mailbox<Msg>) {
        self.slow_child(id, restart, Duration::ZERO)
    }

    fn slow_child(
        &self,
        id: &'static str,
        restart: Restart,
        last_words: Duration,
    ) -> (ChildSpec, Mailbox<Msg>) {
        let world = self.clone();
        let kind = Kind {
            name: "worker",
            cap: 4,
        };
        let make = move || {
            let world = world.clone();
            (
                Worker {
                    id,
                    world,
                    last_words,
                },
                (),
            )
        };
        ChildSpec::tracked(&self.ctx, id, restart, 100, kind, make)
    }

    /// The log lines that contain `part`, with their milliseconds.
    fn times(&self, part: &str) -> Vec<u64> {
        let log = self.log.lock().unwrap();
        log.iter()
            .filter(|(_, what)| what.contains(part))
            .map(|(at, _)| *at)
            .collect()
    }

    fn lines(&self, part: &str) -> Vec<String> {
        let log = self.log.lock().unwrap();
        log.iter()
            .map(|(_, what)| what.clone())
            .filter(|what| what.contains(part))
            .collect()
    }

    fn views(&self) -> Vec<ActorView> {
        self.ctx.tree.snapshot(&TreeFilter::default(), 100)
    }

    fn paths(&self) -> Vec<String> {
        self.views().into_iter().map(|view| view.path).collect()
    }

    fn view(&self, path: &str) -> ActorView {
        self.views()
            .into_iter()
            .find(|view| view.path == path)
            .unwrap()
    }
}

struct Worker {
    id: &'static str,
    world: World,
    last_words: Duration,
}

impl Behaviour for Worker {
    type Msg = Msg;
    type State = u32;
    type Args = ();

    async fn init(&self, _me: &Mailbox<Msg>, (): ()) -> Result<u32, ActorProcessingErr> {
        self.world.note(format!("start {}", self.id));
        let init = self
            .world
            .inits
            .lock()
            .unwrap()
            .get_mut(self.id)
            .and_then(|left| (!left.is_empty()).then(|| left.remove(0)));
        match init {
            Some(Init::Fail) => return Err("no start".into()),
            Some(Init::Panic) => panic!("no start either"),
            Some(Init::Hang(time)) => sleep(time).await,
            None => {}
        }
        let mut born = self.world.born.lock().unwrap();
        let count = born.entry(self.id.to_owned()).or_default();
        *count += 1;
        Ok(*count)
    }

    async fn handle(
        &self,
        me: &Mailbox<Msg>,
        msg: Msg,
        state: &mut u32,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Panic => panic!("told to"),
            Msg::Fail => return Err("lost trust".into()),
            Msg::Leave => me.stop(),
            Msg::Task(pause) => {
                let (me, world) = (me.clone(), self.world.clone());
                tokio::spawn(async move {
                    sleep(pause).await;
                    let sent = me.try_send("late", Msg::Late);
                    world.note(format!("late {sent:?}"));
                });
            }
            Msg::Block(gate) => gate.recv().unwrap_or_default(),
            Msg::Late => self.world.note(format!("heard late by {state}")),
            Msg::Incarnation(reply) => {
                reply.send(*state);
            }
        }
        Ok(())
    }

    async fn stopped(&self, _state: &mut u32) {
        self.world.note(format!("stopping {}", self.id));
        sleep(self.last_words).await;
        self.world.note(format!("gone {}", self.id));
    }
}

fn options(restarts_max: usize) -> SupervisorOptions {
    SupervisorOptions {
        restarts_max,
        window_ms: 1_000,
        backoff_base_ms: 10,
        backoff_max_ms: 40,
    }
}

async fn ms(time: u64) {
    sleep(Duration::from_millis(time)).await;
}

async fn incarnation(of: &Mailbox<Msg>) -> Result<u32, AskErr> {
    of.ask("incarnation", 1_000, Msg::Incarnation).await
}

#[tokio::test(start_paused = true)]
async fn a_child_that_cannot_start_is_tried_again_after_growing_pauses() {
    // A failed start gives no supervision event: it must count all the same.
    let world = World::new().inits("w", &[Init::Fail, Init::Panic, Init::Fail, Init::Fail]);
    let (spec, worker) = world.child("w", Restart::Permanent);
    let (_top, _end) = Supervisor::start(&world.ctx, "top", options(9), vec![spec])
        .await
        .unwrap();
    ms(500).await;
    assert_eq!(world.times("start w"), [0, 10, 30, 70, 110]);
    assert_eq!(incarnation(&worker).await, Ok(1));
    let view = world.view("top/w");
    assert_eq!((view.phase, view.restarts), (Phase::Up, 4));
    let why: Vec<String> = view.restart_reasons.into_iter().map(|r| r.reason).collect();
    assert!(
        why[0].contains("no start") && why[1].contains("no start either"),
        "{why:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn one_mailbox_reaches_every_incarnation_and_news_of_the_old_never_the_new() {
    let world = World::new();
    let (spec, worker) = world.child("w", Restart::Permanent);
    let (_top, _end) = Supervisor::start(&world.ctx, "top", options(9), vec![spec])
        .await
        .unwrap();
    worker
        .try_send("task", Msg::Task(Duration::from_millis(50)))
        .unwrap();
    worker.try_send("panic", Msg::Panic).unwrap();
    ms(5).await;
    assert_eq!(worker.try_send("leave", Msg::Leave), Err(SendErr::Gone));
    let view = world.view("top/w");
    assert_eq!(
        (view.phase, view.busy, view.depth),
        (Phase::Backoff, None, 0)
    );
    ms(100).await;
    assert_eq!(incarnation(&worker).await, Ok(2));
    assert_eq!(world.lines("late"), ["late Err(Gone)"]);
}

#[tokio::test(start_paused = true)]
async fn a_long_life_starts_the_pauses_afresh() {
    let world = World::new();
    let (spec, worker) = world.child("w", Restart::Permanent);
    let (_top, _end) = Supervisor::start(&world.ctx, "top", options(9), vec![spec])
        .await
        .unwrap();
    for wait in [0, 100, 2_000] {
        ms(wait).await;
        worker.try_send("fail", Msg::Fail).unwrap();
    }
    ms(1_000).await;
    // Falls at 0, 100 and 2100: pauses 10, 20, and 10 again.
    assert_eq!(world.times("start w"), [0, 10, 120, 2_110]);
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_stops_the_rest_in_order_and_ends_the_top() {
    let world = World::new().inits("bad", &[Init::Fail; 9]);
    let (a, _) = world.child("a", Restart::Permanent);
    let (b, _) = world.child("b", Restart::Permanent);
    let (bad, _) = world.child("bad", Restart::Permanent);
    let children = vec![a, bad, b];
    let (top, end) = Supervisor::start(&world.ctx, "top", options(2), children)
        .await
        .unwrap();
    end.await.unwrap();
    assert_eq!(world.times("start bad"), [0, 10, 30]);
    assert_eq!(world.lines("gone"), ["gone b", "gone a"]);
    assert_eq!(world.paths(), [""; 0]);
    let (late, _) = world.child("late", Restart::Permanent);
    assert_eq!(top.add(late).await, Err(SupErr::Ask(AskErr::Gone)));
}

#[tokio::test(start_paused = true)]
async fn escalation_rebuilds_the_failed_supervisor_with_its_own_children_only() {
    let world = World::new();
    let (w, worker) = world.child("w", Restart::Permanent);
    let (late, late_box) = world.child("late", Restart::Permanent);
    let (lower, lower_handle) = Supervisor::child(&world.ctx, "lower", options(1), vec![w]);
    let (_top, _end) = Supervisor::start(&world.ctx, "top", options(9), vec![lower])
        .await
        .unwrap();
    lower_handle.add(late).await.unwrap();
    ms(1).await;
    assert_eq!(
        world.paths(),
        ["top", "top/lower", "top/lower/late", "top/lower/w"]
    );
    worker.try_send("fail", Msg::Fail).unwrap();
    ms(15).await;
    assert_eq!(incarnation(&worker).await, Ok(2));
    worker.try_send("fail", Msg::Fail).unwrap();
    ms(100).await;
    assert_eq!(
        incarnation(&worker).await,
        Ok(3),
        "the same mailbox, below a new supervisor"
    );
    assert_eq!(world.lines("gone"), ["gone late"]);
    assert_eq!(incarnation(&late_box).await, Err(AskErr::Gone));
    assert_eq!(world.paths(), ["top", "top/lower", "top/lower/w"]);
    let view = world.view("top/lower");
    assert_eq!(view.restarts, 1);
    assert!(
        view.last_error
            .unwrap()
            .reason
            .contains("too many restarts")
    );
}

#[tokio::test(start_paused = true)]
async fn removal_during_the_pause_cancels_the_restart() {
    let world = World::new();
    let (spec, worker) = world.child("w", Restart::Permanent);
    let (top, _end) = Supervisor::start(&world.ctx, "top", options(9), vec![spec])
        .await
        .unwrap();
    worker.try_send("fail", Msg::Fail).unwrap();
    ms(5).await;
    assert_eq!(world.view("top/w").phase, Phase::Backoff);
    top.remove("w").await.unwrap();
    assert_eq!(world.paths(), ["top"]);
    ms(10_000).await;
    assert_eq!(world.times("start w"), [0]);
    assert_eq!(top.remove("w").await, Err(SupErr::NoSuchChild));
}

#[tokio::test(start_paused = true)]
async fn everybody_stops_last_started_first_and_the_slow_are_killed() {
    let world = World::new();
    let (a, _) = world.child("a", Restart::Permanent);
    let (slow, _) = world.slow_child("slow", Restart::Permanent, Duration::from_secs(3_600));
    let (c, _) = world.child("c", Restart::Permanent);
    let (lower, _) = Supervisor::child(&world.ctx, "lower", options(9), vec![c]);
    let children = vec![a, slow, lower];
    let (top, end) = Supervisor::start(&world.ctx, "top", options(9), children)
        .await
        .unwrap();
    top.stop().await;
    end.await.unwrap();
    let order = [
        "stopping c",
        "gone c",
        "stopping slow",
        "stopping a",
        "gone a",
    ];
    assert_eq!(
        [world.lines("stopping"), world.lines("gone")]
            .concat()
            .len(),
        order.len()
    );
    let log: Vec<String> = world
        .log
        .lock()
        .unwrap()
        .iter()
        .map(|l| l.1.clone())
        .collect();
    assert_eq!(log[log.len() - order.len()..], order);
    assert_eq!(
        world.times("stopping a"),
        [100],
        "the slow one had its 100 ms"
    );
    assert_eq!(world.paths(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_restarted_child_keeps_its_place_in_the_order() {
    let world = World::new();
    let (a, a_box) = world.child("a", Restart::Permanent);
    let (b, _) = world.child("b", Restart::Permanent);
    let (top, _end) = Supervisor::start(&world.ctx, "top", options(9), vec![a, b])
        .await
        .unwrap();
    a_box.try_send("fail", Msg::Fail).unwrap();
    ms(50).await;
    top.stop().await;
    assert_eq!(world.lines("gone"), ["gone b", "gone a"]);
}

#[tokio::test(start_paused = true)]
async fn children_that_do_not_come_back_leave_the_tree() {
    let world = World::new();
    let rules = [
        ("permanent", Restart::Permanent),
        ("temporary", Restart::Temporary),
        ("transient", Restart::Transient),
        ("transient-falls", Restart::Transient),
    ];
    let (specs, boxes): (Vec<_>, Vec<_>) = rules
        .map(|(id, rule)| world.child(id, rule))
        .into_iter()
        .unzip();
    let (_top, _end) = Supervisor::start(&world.ctx, "top", options(9), specs)
        .await
        .unwrap();
    assert_eq!(world.paths().len(), 5);
    boxes[0].try_send("leave", Msg::Leave).unwrap();
    boxes[1].try_send("panic", Msg::Panic).unwrap();
    boxes[2].try_send("leave", Msg::Leave).unwrap();
    boxes[3].try_send("panic", Msg::Panic).unwrap();
    ms(100).await;
    assert_eq!(
        world.paths(),
        ["top", "top/permanent", "top/transient-falls"]
    );
    assert_eq!(incarnation(&boxes[0]).await, Ok(2));
    assert_eq!(
        world.view("top/permanent").restart_reasons[0].reason,
        "ended"
    );
    assert_eq!(
        world.view("top/transient-falls").restart_reasons[0].reason,
        "told to"
    );
}

#[tokio::test(start_paused = true)]
async fn an_added_child_takes_messages_at_once_and_its_id_is_free_only_when_it_is_gone() {
    let world = World::new();
    let (top, _end) = Supervisor::start(&world.ctx, "top", options(9), vec![])
        .await
        .unwrap();
    let (spec, worker) = world.slow_child("w", Restart::Permanent, Duration::from_millis(50));
    top.add(spec.clone()).await.unwrap();
    assert_eq!(incarnation(&worker).await, Ok(1));
    assert_eq!(top.add(spec.clone()).await, Err(SupErr::Exists));
    let removal = {
        let top = top.clone();
        tokio::spawn(async move { top.remove("w").await })
    };
    ms(20).await;
    assert_eq!(
        top.add(spec.clone()).await,
        Err(SupErr::Exists),
        "it is still ending"
    );
    assert_eq!(world.view("top/w").phase, Phase::Stopping);
    assert_eq!(top.remove("w").await, Ok(()), "a second remover waits, too");
    assert_eq!(removal.await.unwrap(), Ok(()));
    assert_eq!(world.times("gone w"), [50]);
    top.add(spec).await.unwrap();
    ms(500).await;
    assert_eq!(
        incarnation(&worker).await,
        Ok(2),
        "no late news of the old one touches it"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hanging_start_blocks_neither_its_siblings_nor_its_removal() {
    let world = World::new().inits("hangs", &[Init::Hang(Duration::from_secs(3_600))]);
    let (top, _end) = Supervisor::start(&world.ctx, "top", options(9), vec![])
        .await
        .unwrap();
    let (hangs, _) = world.child("hangs", Restart::Permanent);
    let (w, worker) = world.child("w", Restart::Permanent);
    top.add(hangs).await.unwrap();
    top.add(w).await.unwrap();
    assert_eq!(incarnation(&worker).await, Ok(1));
    let view = world.view("top/hangs");
    assert_eq!(
        (view.phase, view.busy.unwrap().what),
        (Phase::Starting, "init")
    );
    top.remove("hangs").await.unwrap();
    assert_eq!(world.paths(), ["top", "top/w"]);
    assert_eq!(world.times("start hangs").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn first_children_start_one_after_the_other() {
    let world = World::new()
        .inits("a", &[Init::Hang(Duration::from_millis(30))])
        .inits("b", &[Init::Hang(Duration::from_secs(60))]);
    let ids = ["a", "b", "c"];
    let specs = ids.map(|id| world.child(id, Restart::Permanent).0).to_vec();
    let (_top, _end) = Supervisor::start(&world.ctx, "top", options(9), specs)
        .await
        .unwrap();
    // c waits for b only so long.
    assert_eq!(world.times("start"), [0, 30, 10_030]);
    ms(60_000).await;
    assert!(world.views().iter().all(|view| view.phase == Phase::Up));
}

#[tokio::test(start_paused = true)]
async fn a_killed_tree_is_gone_without_last_words() {
    let world = World::new();
    let (w, worker) = world.child("w", Restart::Permanent);
    let (lower, _) = Supervisor::child(&world.ctx, "lower", options(9), vec![w]);
    let (top, end) = Supervisor::start(&world.ctx, "top", options(9), vec![lower])
        .await
        .unwrap();
    top.kill();
    end.await.unwrap();
    ms(1_000).await;
    assert_eq!(world.lines("stopping"), [""; 0]);
    assert_eq!(world.paths(), [""; 0]);
    assert_eq!(worker.try_send("leave", Msg::Leave), Err(SendErr::Gone));
}

#[tokio::test(start_paused = true)]
async fn two_runs_tell_the_same_story() {
    async fn story() -> Vec<(u64, String)> {
        let world = World::new().inits("b", &[Init::Fail, Init::Panic]);
        let ids = ["c", "a", "b"];
        let (specs, boxes): (Vec<_>, Vec<_>) = ids
            .map(|id| world.child(id, Restart::Permanent))
            .into_iter()
            .unzip();
        let (top, _end) = Supervisor::start(&world.ctx, "top", options(99), specs)
            .await
            .unwrap();
        for round in 0..6 {
            for mailbox in &boxes {
                let _ = mailbox.try_send("fail", Msg::Fail);
                ms(world.ctx.jitter_ms(7) + round).await;
            }
        }
        top.stop().await;
        world.log.lock().unwrap().clone()
    }
    let first = story().await;
    assert!(first.len() > 10, "{first:?}");
    assert_eq!(first, story().await);
}

/// In real time and for one second: a blocked thread stops paused time as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_child_that_cannot_be_ended_stays_listed_until_it_ends() {
    let world = World::new();
    let (spec, worker) = world.child("w", Restart::Permanent);
    let (top, _end) = Supervisor::start(&world.ctx, "top", options(9), vec![spec.clone()])
        .await
        .unwrap();
    let (open, gate) = std::sync::mpsc::channel();
    worker.try_send("block", Msg::Block(gate)).unwrap();
    while world.view("top/w").busy.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(top.remove("w").await, Err(SupErr::Stuck));
    assert_eq!(top.remove("w").await, Err(SupErr::Stuck));
    assert_eq!(
        top.add(spec.clone()).await,
        Err(SupErr::Exists),
        "never two of one id"
    );
    assert_eq!(world.view("top/w").busy.unwrap().what, "block");
    open.send(()).unwrap();
    // The kill it was sent long ago reaches it now.
    while world.paths() != ["top"] {
        tokio::task::yield_now().await;
    }
    top.add(spec).await.unwrap();
    assert_eq!(incarnation(&worker).await, Ok(2));
}
