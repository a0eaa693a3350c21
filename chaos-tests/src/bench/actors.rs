//! The actor runtime with very many actors: what one costs, and whether it costs more among many.

use super::durable::in_real_time;
use super::{Figure, Sizes};
use anyhow::{Context, Result};
use protector_runtime::Ctx;
use protector_runtime::introspect::TreeFilter;
use protector_runtime::mailbox::{ActorProcessingErr, Behaviour, Kind, Mailbox};
use protector_runtime::supervisor::{ChildSpec, Restart, Supervisor, SupervisorOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Size of the small tree that the large one is compared with.
const FEW: usize = 1_000;
/// Of them fall in one round.
const FALLEN: usize = 1_000;
/// Places that people look at.
const SHOWN: usize = 100;
const KIND: Kind = Kind {
    name: "bench",
    cap: 4,
};
/// Longest wait for actors to be up.
const UP_MAX: Duration = Duration::from_secs(120);

/// Falls over the first thing that it is told.
struct Leaf {
    ups: Arc<AtomicUsize>,
}

impl Behaviour for Leaf {
    type Msg = ();
    type State = ();
    type Args = ();

    async fn init(&self, _me: &Mailbox<()>, _args: ()) -> Result<(), ActorProcessingErr> {
        AtomicUsize::fetch_add(&self.ups, 1, Ordering::Relaxed);
        Ok(())
    }

    async fn handle(
        &self,
        _me: &Mailbox<()>,
        _msg: (),
        _state: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        Err("told to fall".into())
    }
}

/// Seconds: for one actor of a tree of some size.
struct Costs {
    spawn: f64,
    restart: f64,
    snapshot: f64,
    /// The first places of the whole tree, all together.
    page: f64,
}

async fn until_up(ups: &AtomicUsize, wanted: usize) -> Result<()> {
    let began = Instant::now();
    while AtomicUsize::load(ups, Ordering::Relaxed) < wanted {
        anyhow::ensure!(began.elapsed() < UP_MAX, "the actors do not come up");
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    Ok(())
}

async fn tree(count: usize) -> Result<Costs> {
    let ctx = Ctx::production("bench");
    let patient = SupervisorOptions {
        restarts_max: usize::MAX,
        window_ms: 1,
        backoff_base_ms: 0,
        backoff_max_ms: 0,
    };
    let (top, ended) = Supervisor::start(&ctx, "bench", patient, Vec::new()).await?;
    let ups = Arc::new(AtomicUsize::new(0));
    let mut leaves = Vec::new();
    let began = Instant::now();
    for number in 0..count {
        let ups = ups.clone();
        let make = move || (Leaf { ups: ups.clone() }, ());
        let (spec, leaf) = ChildSpec::tracked(
            &ctx,
            number.to_string(),
            Restart::Permanent,
            1_000,
            KIND,
            make,
        );
        top.add(spec).await?;
        leaves.push(leaf);
    }
    until_up(&ups, count).await?;
    let spawn = began.elapsed().as_secs_f64() / count as f64;
    let fallen = FALLEN.min(count);
    let began = Instant::now();
    for leaf in leaves.iter().step_by(count / fallen).take(fallen) {
        leaf.try_send("fall", ())?;
    }
    until_up(&ups, count + fallen).await?;
    let restart = began.elapsed().as_secs_f64() / fallen as f64;
    let began = Instant::now();
    let shown = ctx.tree.snapshot(&TreeFilter::default(), usize::MAX).len();
    let snapshot = began.elapsed().as_secs_f64() / shown as f64;
    let began = Instant::now();
    let _page = ctx.tree.snapshot(&TreeFilter::default(), SHOWN);
    let page = began.elapsed().as_secs_f64();
    top.kill();
    ended.await.context("the tree ends")?;
    Ok(Costs {
        spawn,
        restart,
        snapshot,
        page,
    })
}

/// The least that an actor could be: a task with a bounded channel that has said that it is up.
async fn bare_tasks(count: usize) -> Result<f64> {
    let ups = Arc::new(AtomicUsize::new(0));
    let mut ways = Vec::new();
    let began = Instant::now();
    for _ in 0..count {
        let (way, mut inbox) = mpsc::channel::<()>(KIND.cap);
        let ups = ups.clone();
        tokio::spawn(async move {
            AtomicUsize::fetch_add(&ups, 1, Ordering::Relaxed);
            while inbox.recv().await.is_some() {}
        });
        ways.push(way);
    }
    until_up(&ups, count).await?;
    Ok(began.elapsed().as_secs_f64() / count as f64)
}

/// Spawn, restart and snapshot: for one actor among very many beside one among few.
pub(super) fn trees(sizes: &Sizes) -> Result<Vec<Figure>> {
    in_real_time(async {
        let (few, many) = (FEW.min(sizes.actors), sizes.actors);
        let mut ratios = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
        let mut last = None;
        for _ in 0..sizes.rounds.min(3) {
            let (small, bare, large) =
                (tree(few).await?, bare_tasks(many).await?, tree(many).await?);
            let [spawn, restart, snapshot, task] = &mut ratios;
            spawn.push(large.spawn / small.spawn);
            restart.push(large.restart / small.restart);
            snapshot.push(large.snapshot / small.snapshot);
            task.push(large.spawn / bare);
            last = Some(large);
        }
        let last = last.context("a round")?;
        let us = |seconds: f64| format!("{:.1} \u{b5}s each", seconds * 1e6);
        let page = format!("; the first {SHOWN} places in {:.1} ms", last.page * 1e3);
        let notes = [
            us(last.spawn),
            us(last.restart),
            us(last.snapshot) + &page,
            String::new(),
        ];
        let among = format!("{many} beside {few}");
        let parts = [
            format!("spawn one among {among}"),
            format!("restart one among {among}"),
            format!("snapshot of one among {among}"),
            "spawn one beside a bare task with a channel".to_owned(),
        ];
        let figures = parts.into_iter().zip(ratios).zip(notes);
        let figures =
            figures.map(|((part, ratios), note)| Figure::of("actors", part, ratios).note(note));
        Ok(figures.collect())
    })
}
