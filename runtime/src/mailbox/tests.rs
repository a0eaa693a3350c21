//! The promises of the mailbox: bounded, measured also across crashes, readable while stuck.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::*;
use crate::ctx::Ctx;
use crate::introspect::{Phase, TreeFilter};

#[derive(Debug)]
enum Msg {
    Note(u32),
    Wait(Arc<Notify>),
    Panic,
    Fail,
    Sum(Reply<u32>),
    Forget(#[allow(dead_code)] Reply<u32>),
}

struct Adder(Arc<Mutex<Vec<u32>>>);

impl Behaviour for Adder {
    type Msg = Msg;
    type State = Vec<u32>;
    type Args = u32;

    async fn init(&self, _me: &Mailbox<Msg>, first: u32) -> Result<Vec<u32>, ActorProcessingErr> {
        Ok(vec![first])
    }

    async fn handle(
        &self,
        _me: &Mailbox<Msg>,
        msg: Msg,
        state: &mut Vec<u32>,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Note(n) => {
                state.push(n);
                self.0.lock().unwrap().push(n);
            }
            Msg::Wait(gate) => gate.notified().await,
            Msg::Panic => panic!("told to"),
            Msg::Fail => return Err("lost trust".into()),
            Msg::Sum(reply) => {
                reply.send(state.iter().sum());
            }
            Msg::Forget(_) => {}
        }
        Ok(())
    }

    async fn stopped(&self, state: &mut Vec<u32>) {
        self.0.lock().unwrap().push(1_000 + state.len() as u32);
    }

    fn snapshot(&self, state: &Vec<u32>) -> serde_json::Value {
        serde_json::json!({ "noted": state.len() })
    }
}

struct Rig {
    ctx: Ctx,
    noted: Arc<Mutex<Vec<u32>>>,
    mailbox: Mailbox<Msg>,
    end: ractor::concurrency::JoinHandle<()>,
}

async fn rig(cap: usize) -> Rig {
    let ctx = Ctx::seeded("a", 1, 5_000_000);
    let noted = Arc::new(Mutex::new(Vec::new()));
    let kind = Kind { name: "adder", cap };
    let spawned = spawn_tracked(&ctx, "top/adder", kind, Adder(noted.clone()), 7, None);
    let (mailbox, end) = spawned.await.unwrap();
    Rig {
        ctx,
        noted,
        mailbox,
        end,
    }
}

impl Rig {
    fn view(&self) -> crate::introspect::ActorView {
        self.ctx.tree.snapshot(&TreeFilter::default(), 10).remove(0)
    }

    async fn stick(&self) -> Arc<Notify> {
        let gate = Arc::new(Notify::new());
        self.mailbox
            .try_send("wait", Msg::Wait(gate.clone()))
            .unwrap();
        sleep(Duration::from_millis(1)).await;
        gate
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_refuses_and_a_patient_sender_gets_the_next_room() {
    let rig = rig(2).await;
    let gate = rig.stick().await;
    rig.mailbox.try_send("note", Msg::Note(1)).unwrap();
    assert_eq!(
        rig.mailbox.try_send("note", Msg::Note(2)),
        Err(SendErr::Full)
    );
    assert_eq!(rig.mailbox.stats().depth(), 2);
    let waiting = rig.mailbox.send("note", Msg::Note(3));
    let mut waiting = std::pin::pin!(waiting);
    let early = timeout(Duration::from_secs(60), &mut waiting).await;
    assert!(early.is_err(), "there was no room yet");
    gate.notify_one();
    waiting.await.unwrap();
    assert_eq!(rig.mailbox.ask("sum", 100, Msg::Sum).await, Ok(11));
    assert_eq!(*rig.noted.lock().unwrap(), [1, 3]);
    assert_eq!(rig.mailbox.stats().depth(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_crash_gives_all_room_back_also_of_messages_behind_it() {
    let rig = rig(4).await;
    let gate = rig.stick().await;
    rig.mailbox.try_send("panic", Msg::Panic).unwrap();
    rig.mailbox.try_send("note", Msg::Note(1)).unwrap();
    let (reply, answer) = Reply::pair();
    rig.mailbox.try_send("sum", Msg::Sum(reply)).unwrap();
    assert_eq!(rig.mailbox.stats().depth(), 4);
    gate.notify_one();
    rig.end.await.unwrap();
    assert!(
        answer.await.is_err(),
        "the asker hears that no answer comes"
    );
    assert_eq!(rig.mailbox.stats().depth(), 0);
    // Had a room been lost, one of these would be refused as full.
    for _ in 0..9 {
        assert_eq!(
            rig.mailbox.try_send("note", Msg::Note(2)),
            Err(SendErr::Gone)
        );
    }
    assert!(rig.noted.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_tree_answers_while_the_actor_is_stuck() {
    let rig = rig(8).await;
    sleep(Duration::from_secs(3)).await;
    let _gate = rig.stick().await;
    rig.mailbox.try_send("note", Msg::Note(1)).unwrap();
    sleep(Duration::from_secs(60)).await;
    let view = rig.view();
    assert_eq!((view.path.as_str(), view.kind), ("top/adder", "adder"));
    let busy = view.busy.unwrap();
    assert_eq!((busy.what, busy.since_us), ("wait", 8_000_000));
    assert_eq!((view.depth, view.cap, view.handled), (2, 8, 0));
    assert_eq!(view.started_us, Some(5_000_000));
    assert_eq!(view.state, serde_json::json!({ "noted": 1 }));
}

#[tokio::test(start_paused = true)]
async fn state_and_count_follow_each_message() {
    let rig = rig(8).await;
    rig.mailbox.try_send("note", Msg::Note(1)).unwrap();
    assert_eq!(rig.mailbox.ask("sum", 100, Msg::Sum).await, Ok(8));
    sleep(Duration::from_millis(1)).await;
    let view = rig.view();
    assert_eq!((view.phase, view.handled, view.busy), (Phase::Up, 2, None));
    assert_eq!(view.state, serde_json::json!({ "noted": 2 }));
}

#[tokio::test(start_paused = true)]
async fn every_way_of_getting_no_answer_has_its_name() {
    let rig = rig(2).await;
    let ask = async |limit_ms| rig.mailbox.ask("sum", limit_ms, Msg::Sum).await;
    assert_eq!(
        rig.mailbox.ask("forget", 100, Msg::Forget).await,
        Err(AskErr::NoAnswer)
    );
    let gate = rig.stick().await;
    assert_eq!(ask(100).await, Err(AskErr::Timeout));
    assert_eq!(ask(100).await, Err(AskErr::Full));
    gate.notify_one();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(ask(100).await, Ok(7));
    rig.mailbox.try_send("fail", Msg::Fail).unwrap();
    assert_eq!(ask(100).await, Err(AskErr::NoAnswer));
    assert_eq!(ask(100).await, Err(AskErr::Gone));
}

#[tokio::test(start_paused = true)]
async fn an_orderly_stop_runs_the_last_words_and_leaves_the_tree() {
    let rig = rig(2).await;
    rig.mailbox.stop();
    rig.end.await.unwrap();
    assert_eq!(*rig.noted.lock().unwrap(), [1_001]);
    assert!(rig.ctx.tree.stats("top/adder").is_none());
    assert_eq!(
        rig.mailbox.try_send("note", Msg::Note(1)),
        Err(SendErr::Gone)
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_is_noted_and_ends_the_incarnation() {
    let rig = rig(2).await;
    let stats = rig.mailbox.stats().clone();
    let entry = rig.ctx.tree.enter("kept", stats);
    rig.mailbox.try_send("fail", Msg::Fail).unwrap();
    rig.end.await.unwrap();
    let views = rig.ctx.tree.snapshot(&TreeFilter::default(), 10);
    assert_eq!(views.len(), 1, "its own entry left with it");
    assert_eq!(views[0].last_error.as_ref().unwrap().reason, "lost trust");
    drop(entry);
}
