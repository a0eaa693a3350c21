//! The one writer of a process: takes what has gathered in the queue, does it in one transaction,
//! commits once, and only then answers. Writes of steps that stand side by side are done together;
//! around any other there is a savepoint.
//!
//! The only place that repeats a transaction (J3). Absent: repeating anything after a commit whose
//! outcome is not known (J2): the caller must look first.

use super::apply::apply;
use super::{Conn, Target, dialect, ledger};
use crate::classify::is_full;
use crate::connect::Target as _;
use crate::error::StoreError;
use crate::inbox::{Inbox, Job, add};
use crate::ledger::is_of_steps;
use crate::write::{Write, Written};
use diesel_async::SimpleAsyncConnection;
use protector_runtime::Ctx;
use std::sync::Arc;
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
        let (writes, replies): (Vec<_>, Vec<_>) = jobs.into_iter().map(Job::parts).unzip();
        let answers = commit_writes(&target, &mut connection, writes.into(), &inbox, &ctx).await;
        ctx.crash.at("store.after_commit").await;
        if inbox.is_cut() {
            return;
        }
        add(&inbox.counters.writes, replies.len());
        for (reply, answer) in replies.into_iter().zip(answers) {
            // A caller that has gone does not want it.
            let _ = reply.send(answer);
        }
    }
}

async fn commit_writes(
    target: &Target,
    connection: &mut Option<Conn>,
    writes: Arc<[Write]>,
    inbox: &Inbox,
    ctx: &Ctx,
) -> Answers {
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
        match attempt_once(target, connection, &writes, inbox, ctx).await {
            Ok(answers) => return answers,
            Err(Failed::Repeat(why)) => last = why,
            Err(Failed::Final(why)) => {
                last = why;
                break;
            }
        }
    }
    tracing::warn!(error = %last, writes = writes.len(), "a transaction did not come through");
    writes.iter().map(|_| Err(last.clone())).collect()
}

/// One transaction. The connection is put back only if it can be used again.
async fn attempt_once(
    target: &Target,
    connection: &mut Option<Conn>,
    writes: &Arc<[Write]>,
    inbox: &Inbox,
    ctx: &Ctx,
) -> Result<Answers, Failed> {
    let c = match connection.take() {
        Some(c) => c,
        None => target.connect_to_perform().await.map_err(repeatable)?,
    };
    let (c, answers) = attempt_work(target, c, writes, ctx)
        .await
        .inspect_err(|_| add(&inbox.counters.rollbacks, 1))
        .map_err(repeatable)?;
    let answers = match answers {
        Ok(answers) if answers.iter().any(Result::is_ok) => answers,
        refused => {
            add(&inbox.counters.rollbacks, 1);
            *connection = take_back(target, c).await.ok();
            return refused.map_err(repeatable);
        }
    };
    ctx.crash.at("store.before_commit").await;
    if inbox.is_cut() {
        return Err(Failed::Final(StoreError::Unknown));
    }
    *connection = Some(commit(target, c, inbox).await?);
    Ok(answers)
}

/// Errors: those after which the connection is not to be used again.
async fn attempt_work(
    target: &Target,
    mut c: Conn,
    writes: &Arc<[Write]>,
    ctx: &Ctx,
) -> Result<(Conn, Result<Answers, StoreError>), StoreError> {
    let (writes, now_us) = (writes.clone(), ctx.now_us());
    let working = async move {
        let answers = work(&mut c, &writes, now_us).await;
        (c, answers)
    };
    match target.perform(WORK_MAX_MS, working).await? {
        (_, Err(why)) if why.breaks_connection() => Err(why),
        (c, answers) => Ok((c, answers)),
    }
}

async fn take_back(target: &Target, c: Conn) -> Result<Conn, StoreError> {
    perform_word(target, c, WORK_MAX_MS, "ROLLBACK").await
}

async fn perform_word(
    target: &Target,
    mut c: Conn,
    limit_ms: u64,
    word: &'static str,
) -> Result<Conn, StoreError> {
    let asked = async move { c.batch_execute(word).await.map(|()| c) };
    Ok(target.perform(limit_ms, asked).await??)
}

/// What went wrong before the commit was asked for: nothing is written.
fn repeatable(why: StoreError) -> Failed {
    if why.is_own_fault() {
        Failed::Final(why)
    } else {
        Failed::Repeat(why)
    }
}

async fn work(c: &mut Conn, writes: &[Write], now_us: i64) -> Result<Answers, StoreError> {
    c.batch_execute(dialect::BEGIN).await?;
    if let [alone] = writes {
        // Nobody to protect from it: what fails takes the whole transaction back.
        return Ok(vec![own(apply(c, alone, now_us).await)?]);
    }
    let mut answers = Vec::with_capacity(writes.len());
    for some in writes.chunk_by(|one, next| is_of_steps(one) && is_of_steps(next)) {
        answers.extend(side_by_side(c, some, now_us).await?);
    }
    Ok(answers)
}

/// Together, if they are of steps and nothing is wrong in what came out; else each by itself, so that a
/// fault is its own.
async fn side_by_side(c: &mut Conn, writes: &[Write], now_us: i64) -> Result<Answers, StoreError> {
    if let [_, _, ..] = writes {
        let all: Vec<&Write> = writes.iter().collect();
        c.batch_execute("SAVEPOINT w").await?;
        let together = own(ledger::apply_together(c, &all, now_us).await)?;
        if let Ok(answers) = close_savepoint(c, together).await? {
            return Ok(answers);
        }
    }
    let mut answers = Vec::with_capacity(writes.len());
    for write in writes {
        c.batch_execute("SAVEPOINT w").await?;
        let answer = own(apply(c, write, now_us).await)?;
        answers.push(close_savepoint(c, answer).await?);
    }
    Ok(answers)
}

/// Keeps what was done since the savepoint, or takes it back.
async fn close_savepoint<T>(
    c: &mut Conn,
    answer: Result<T, StoreError>,
) -> Result<Result<T, StoreError>, StoreError> {
    if answer.is_err() {
        c.batch_execute("ROLLBACK TO SAVEPOINT w").await?;
    }
    c.batch_execute("RELEASE SAVEPOINT w").await?;
    Ok(answer)
}

/// Tells the write's own fault, which is its answer, from what ends the transaction.
fn own<T>(answer: Result<T, StoreError>) -> Result<Result<T, StoreError>, StoreError> {
    match answer {
        Err(why) if !why.is_own_fault() => Err(why),
        answer => Ok(answer),
    }
}

/// A definite no (a deadlock, a full disk) leaves nothing behind; anything else is not known.
async fn commit(target: &Target, c: Conn, inbox: &Inbox) -> Result<Conn, Failed> {
    match perform_word(target, c, COMMIT_MAX_MS, "COMMIT").await {
        Ok(c) => {
            add(&inbox.counters.commits, 1);
            Ok(c)
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
