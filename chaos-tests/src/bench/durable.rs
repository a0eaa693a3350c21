//! What a durable step costs: its two transactions beside one commit of a single row in the same database.
//! The rows are those of a real operation, and the writer is the store's own.

use super::{Figure, Sizes};
use crate::run::named_world;
use anyhow::{Context, Result};
use protector_actors::Care;
use protector_domain::effect::{Effect, EffectKey, EffectState};
use protector_domain::operation::EventKind;
use protector_domain::plan::Plan;
use protector_lab::cloud::{Latencies, Span};
use protector_lab::story::{fail_over, protect, take_point};
use protector_lab::world::{Which, World, WorldOptions, lock};
use protector_runtime::Ctx;
use protector_store::{AuditEntry, EffectSettle, NewEvent, Store, Write};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Steps at the same time in the second figure.
const WORKERS: usize = 64;
const SEED: u64 = 64;
/// The array's group is made by a sweep, which nobody wants to wait for here.
const SWEEP_MS: u64 = 1_000;

/// A database of a site that has failed a group over, without its site.
struct Ledger {
    store: Store,
    ctx: Ctx,
    plan: Plan,
    /// A row as the operation left it.
    like: Effect,
    next: AtomicU64,
}

/// Runs on real time and real threads, as a daemon does.
pub(super) fn in_real_time<T>(bench: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(bench)
}

/// Two databases in files below a folder, which is to be kept.
pub(super) fn files(folder: &std::path::Path) -> [String; 2] {
    ["a", "b"].map(|site| format!("sqlite://{}", folder.join(site).display()))
}

/// A world on these databases whose clouds and arrays are as near and as quick as can be.
pub(super) async fn quick_world(databases: [String; 2]) -> Result<World> {
    let options = WorldOptions {
        members: 1,
        volumes: 1,
        latency_min_ms: 0,
        latency_max_ms: 0,
        databases: Some(databases.map(Into::into)),
        care: Care {
            sweep_ms: SWEEP_MS,
            ..Care::default()
        },
        ..WorldOptions::seeded(&named_world(), SEED)
    };
    let world = World::build(options).await?;
    lock(&world.b.cloud).knobs.latency = Latencies {
        volume_manage: Span::exactly(1),
        boot: Span::exactly(1),
        ..Latencies::default()
    };
    Ok(world)
}

impl Ledger {
    async fn of(databases: [String; 2]) -> Result<Self> {
        let mut world = quick_world(databases).await?;
        let group = protect(&world).await?;
        take_point(&world, &group, 1).await?;
        world.lose(Which::A);
        let run = fail_over(&mut world, &group, |_| {}).await?;
        world.b.crash();
        let ctx = world.b.ctx();
        let store = world.b.open_store(&ctx).await?;
        let id = run.operation.get("id").and_then(Value::as_str);
        let id = protector_domain::ids::OperationId(id.context("an id")?.parse()?);
        let operation = store.operation_fetch(id).await?.context("the operation")?;
        let effects = store.effects_by_operation(id).await?;
        let volumes = effects.into_iter().find(|e| e.step == "import_volumes");
        Ok(Self {
            store,
            ctx,
            plan: operation.plan,
            like: volumes.context("an import")?,
            next: AtomicU64::new(0),
        })
    }

    /// Intent and outcome, each with its line of story, as `actors::journal` writes them.
    async fn step(&self) -> Result<()> {
        let number = AtomicU64::fetch_add(&self.next, 1, Ordering::Relaxed);
        let key = EffectKey::new(self.plan.operation, "bench", &number.to_string());
        let (group, fence) = (self.plan.group, self.plan.fence_after);
        let effect = Effect {
            key: key.clone(),
            state: EffectState::Intended,
            object_id: None,
            ..self.like.clone()
        };
        let effects = vec![effect];
        let intent = Write::EffectsIntend {
            group,
            fence,
            effects,
        };
        let writes = vec![intent, self.event(EventKind::StepStarted)];
        self.store.write(Write::Batch(writes)).await?;
        let settles = vec![EffectSettle {
            key,
            state: EffectState::Done,
            object_id: self.like.object_id.clone(),
            detail: Some(self.like.detail.clone()),
            error: None,
        }];
        let outcome = Write::EffectsSettle {
            group,
            fence,
            settles,
        };
        let writes = vec![outcome, self.event(EventKind::StepDone)];
        self.store.write(Write::Batch(writes)).await?;
        Ok(())
    }

    fn event(&self, kind: EventKind) -> Write {
        let line = NewEvent {
            at_us: self.ctx.now_us(),
            kind,
            lane: Some(self.like.lane.clone()),
            step: Some(self.like.step.clone()),
            text: String::new(),
        };
        Write::EventsAppend {
            operation: self.plan.operation,
            events: vec![line],
        }
    }

    async fn row(&self) -> Result<()> {
        commit_row(&self.store, &self.ctx).await
    }
}

/// One transaction with one row in it.
pub(super) async fn commit_row(store: &Store, ctx: &Ctx) -> Result<()> {
    let entry = AuditEntry {
        id: ctx.uuid(),
        at_us: ctx.now_us(),
        project: "bench".into(),
        user: "bench".into(),
        action: "bench".to_owned(),
        target: "bench".to_owned(),
        outcome: "200".to_owned(),
        request_id: "req-bench".to_owned(),
        detail: json!({}),
    };
    store.write(Write::AuditAppend(Box::new(entry))).await?;
    Ok(())
}

/// Seconds of one, when `count` are done one after the other.
async fn each<F: Future<Output = Result<()>>>(count: usize, one: impl Fn() -> F) -> Result<f64> {
    let began = Instant::now();
    for _ in 0..count {
        one().await?;
    }
    Ok(began.elapsed().as_secs_f64() / count as f64)
}

async fn side_by_side(ledger: &Arc<Ledger>, count: usize) -> Result<f64> {
    let began = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let ledger = ledger.clone();
        workers.spawn(async move { each(count / WORKERS, || ledger.step()).await });
    }
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    Ok(began.elapsed().as_secs_f64() / count as f64)
}

async fn measure(name: &str, databases: [String; 2], sizes: &Sizes) -> Result<Vec<Figure>> {
    let ledger = Arc::new(Ledger::of(databases).await?);
    let (mut one, mut many, mut row_ms) = (Vec::new(), Vec::new(), Vec::new());
    let count = sizes.steps.next_multiple_of(WORKERS);
    for _ in 0..sizes.rounds {
        let row = each(count, || ledger.row()).await?;
        one.push(each(count, || ledger.step()).await? / row);
        many.push(side_by_side(&ledger, count).await? / row);
        row_ms.push(row * 1_000.0);
    }
    ledger.store.close().await;
    let row = Figure::of("step", "", row_ms).median;
    let note = format!("one row is {row:.2} ms");
    let part = |workers: &str| format!("{name}, {workers}");
    Ok(vec![
        Figure::of("step", part("1 worker"), one)
            .aim(2.2)
            .note(note),
        Figure::of("step", part("64 workers"), many).aim(0.2),
    ])
}

/// On SQLite in a file, and on MariaDB where there is one.
pub(super) fn steps(sizes: &Sizes) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    in_real_time(async {
        let mut figures = measure("SQLite", files(folder.path()), sizes).await?;
        if let Some(server) = &sizes.mariadb {
            let server = server.trim_end_matches('/');
            let databases = ["bench_a", "bench_b"].map(|name| format!("{server}/{name}"));
            figures.extend(measure("MariaDB", databases, sizes).await?);
        }
        Ok(figures)
    })
}
