//! The one writer of a process: takes what has gathered in the queue, does it in one transaction
//! with a savepoint around each write, commits once, and only then answers.
//!
//! The only place that repeats a transaction (J3). Absent: repeating anything after a commit whose
//! outcome is not known (J2): the caller must look first.

use super::apply::apply;
use super::{Conn, Target, dialect};
use crate::classify::is_full;
use crate::connect::Target as _;
use crate::error::StoreError;
use crate::inbox::{Inbox, Job, add};
use crate::write::Written;
use diesel_async::SimpleAsyncConnection;
use protector_runtime::Ctx;
use std::future::Future;
use std::time::Duration;
use tokio::time::Instant;

/// How often a transaction is begun in all.
const TRIES_MAX: u32 = 6;
/// How long after the first try a transaction may be begun again, in milliseconds.
const REPEAT_MAX_MS: u64 = 30_000;
/// Pause before the first repeat; doubles, plus as much again by chance. In milliseconds.
const PAUSE_FIRST_MS: u64 = 5;
/// How long the statements of one transaction may take, in milliseconds.
const WORK_MAX_MS: u64 = 30_000;
/// How long the commit itself may take, in milliseconds (J8).
const COMMIT_MAX_MS: u64 = 30_000;

type Answers = Vec<Result<Written, StoreError>>;

/// Why a whole transaction did not come through.
enum Failed {
    /// Nothing was written; it can be begun again.
    Repeat(StoreError),
    /// Not to be repeated by us.
    Final(StoreError),
}

/// Runs until the queue is closed and empty, or cut.
pub(crate) async fn run(target: Target, mut inbox: Inbox, ctx: Ctx) {
    let mut connection = None;
    while let Some(jobs) = inbox.next().await {
        let (jobs, answers) = commit_jobs(&target, &mut connection, jobs, &inbox, &ctx).await;
        ctx.crash.at("store.after_commit").await;
        if inbox.is_cut() {
            return;
        }
        add(&inbox.counters.writes, jobs.len());
        for (job, answer) in jobs.into_iter().zip(answers) {
            // A caller that has gone does not want it.
            let _ = job.reply.send(answer);
        }
    }
}

async fn commit_jobs(
    target: &Target,
    connection: &mut Option<Conn>,
    jobs: Vec<Job>,
    inbox: &Inbox,
    ctx: &Ctx,
) -> (Vec<Job>, Answers) {
    let mut pause_ms = PAUSE_FIRST_MS;
    let mut last = StoreError::Busy;
    let give_up = Instant::now() + Duration::from_millis(REPEAT_MAX_MS);
    for attempt in 0..TRIES_MAX {
        if attempt > 0 {
            if Instant::now() > give_up || inbox.is_cut() {
                break;
            }
            add(&inbox.counters.retries, 1);
            tokio::time::sleep(Duration::from_millis(pause_ms + ctx.jitter_ms(pause_ms))).await;
            pause_ms = pause_ms.saturating_mul(2);
        }
        match attempt_once(target, connection, &jobs, inbox, ctx).await {
            Ok(answers) => return (jobs, answers),
            Err(Failed::Repeat(why)) => last = why,
            Err(Failed::Final(why)) => {
                last = why;
                break;
            }
        }
    }
    tracing::warn!(error = %last, writes = jobs.len(), "a transaction did not come through");
    let answers = jobs.iter().map(|_| Err(last.clone())).collect();
    (jobs, answers)
}

/// One transaction. The connection is put back only if it can be used again.
async fn attempt_once(
    target: &Target,
    connection: &mut Option<Conn>,
    jobs: &[Job],
    inbox: &Inbox,
    ctx: &Ctx,
) -> Result<Answers, Failed> {
    let mut c = match connection.take() {
        Some(c) => c,
        None => target.connect().await.map_err(repeatable)?,
    };
    let answers = match target
        .drive(within(WORK_MAX_MS, work(&mut c, jobs, ctx)))
        .await
    {
        Ok(answers) => answers,
        Err(why) => {
            add(&inbox.counters.rollbacks, 1);
            if !why.breaks_connection() && take_back(target, &mut c).await.is_ok() {
                *connection = Some(c);
            }
            return Err(repeatable(why));
        }
    };
    if answers.iter().all(Result::is_err) {
        add(&inbox.counters.rollbacks, 1);
        if take_back(target, &mut c).await.is_ok() {
            *connection = Some(c);
        }
        return Ok(answers);
    }
    ctx.crash.at("store.before_commit").await;
    if inbox.is_cut() {
        return Err(Failed::Final(StoreError::Unknown));
    }
    commit(target, &mut c, inbox).await?;
    *connection = Some(c);
    Ok(answers)
}

async fn take_back(target: &Target, c: &mut Conn) -> Result<(), StoreError> {
    let asked = async { Ok(c.batch_execute("ROLLBACK").await?) };
    target.drive(within(WORK_MAX_MS, asked)).await
}

/// What went wrong before the commit was asked for: nothing is written.
fn repeatable(why: StoreError) -> Failed {
    if why.is_own_fault() {
        Failed::Final(why)
    } else {
        Failed::Repeat(why)
    }
}

async fn within<T>(
    limit_ms: u64,
    doing: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(Duration::from_millis(limit_ms), doing).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::Down(format!("no answer within {limit_ms} ms"))),
    }
}

async fn work(c: &mut Conn, jobs: &[Job], ctx: &Ctx) -> Result<Answers, StoreError> {
    c.batch_execute(dialect::BEGIN).await?;
    let now_us = ctx.now_us();
    if let [alone] = jobs {
        // Nobody to protect from it: what fails takes the whole transaction back.
        return Ok(vec![own(apply(c, &alone.write, now_us).await)?]);
    }
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        c.batch_execute("SAVEPOINT w").await?;
        let answer = own(apply(c, &job.write, now_us).await)?;
        if answer.is_err() {
            c.batch_execute("ROLLBACK TO SAVEPOINT w").await?;
        }
        c.batch_execute("RELEASE SAVEPOINT w").await?;
        answers.push(answer);
    }
    Ok(answers)
}

/// Tells the write's own fault, which is its answer, from what ends the transaction.
fn own(answer: Result<Written, StoreError>) -> Result<Result<Written, StoreError>, StoreError> {
    match answer {
        Err(why) if !why.is_own_fault() => Err(why),
        answer => Ok(answer),
    }
}

/// A definite no (a deadlock, a full disk) leaves nothing behind; anything else is not known.
async fn commit(target: &Target, c: &mut Conn, inbox: &Inbox) -> Result<(), Failed> {
    let asked = async { Ok(c.batch_execute("COMMIT").await?) };
    match target.drive(within(COMMIT_MAX_MS, asked)).await {
        Ok(()) => {
            add(&inbox.counters.commits, 1);
            Ok(())
        }
        Err(StoreError::Busy) => {
            add(&inbox.counters.rollbacks, 1);
            Err(Failed::Repeat(StoreError::Busy))
        }
        Err(why) if is_full(&why) => {
            add(&inbox.counters.rollbacks, 1);
            Err(Failed::Final(why))
        }
        Err(why) => {
            tracing::error!(error = %why, "the outcome of a commit is not known");
            Err(Failed::Final(StoreError::Unknown))
        }
    }
}
