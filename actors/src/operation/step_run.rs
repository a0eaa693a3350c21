//! One step, to its end: intent, deed, outcome, and after any doubt a look before the repetition.
//!
//! Absent: what a deed is (`perform`), and what comes next (`domain::saga`).

use super::overtaken;
use super::perform::{self, Job, Unmade};
use crate::journal::{Made, StepRows};
use protector_domain::effect::{Effect, EffectState};
use protector_domain::operation::EventKind;
use protector_domain::plan::{Lane, Step, StepAt};
use protector_domain::ports::{Acting, ErrorKind, PortError};
use protector_domain::saga::Way;
use protector_domain::sync::Epoch;
use protector_store::StoreError;
use std::time::Duration;

/// Looks of one undo; an undo also waits for deletions, so it may ask more often.
const UNDO_ATTEMPTS_MAX: u32 = 40;
const BACKOFF_BASE_MS: u64 = 500;
const BACKOFF_MAX_MS: u64 = 15_000;
/// Asked to wait longer than this, we ask again earlier.
const RETRY_AFTER_MAX_MS: u64 = 60_000;

/// How often a step is tried again over a store that does not serve, and the pause between.
const STORE_TRIES_MAX: u32 = 60;
const STORE_PAUSE_MS: u64 = 2_000;

/// True for what goes by (J1, J3).
fn passes(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Busy | StoreError::Down(_) | StoreError::Unknown
    )
}

/// How a step's run ended.
#[derive(Debug)]
pub(crate) enum StepEnd {
    /// Rows as they are now: done, failed, undone, ...
    Rows(Vec<Effect>),
    /// A newer epoch leads: stop quietly (S11).
    Fenced,
    /// The store did not answer; nothing is claimed, the operation starts over from its journal.
    StoreDown(StoreError),
}

pub(crate) struct StepRun {
    pub job: Job,
    pub lane: Lane,
    pub at: StepAt,
    pub way: Way,
    /// The epoch that has overtaken the operation, if one has.
    pub overtaken: Option<Epoch>,
}

enum Attempt {
    Done(Vec<Made>, EventKind),
    Failed(PortError),
    Again {
        wait_ms: u64,
        doubtful: bool,
        why: PortError,
    },
}

fn backoff_ms(run: &StepRun, attempt: u32, error: &PortError) -> u64 {
    let doubled = BACKOFF_BASE_MS
        .saturating_mul(1 << attempt.min(10))
        .min(BACKOFF_MAX_MS);
    let asked = match error.kind {
        ErrorKind::Busy {
            retry_after_ms: Some(ms),
        } => ms.min(RETRY_AFTER_MAX_MS),
        _ => 0,
    };
    let jittered = doubled / 2 + run.job.site.ctx().jitter_ms(doubled / 2);
    asked.max(jittered)
}

impl StepRun {
    /// A database that is busy or away costs time, not the operation.
    pub async fn run(self) -> StepEnd {
        let mut tried = 0;
        loop {
            tried += 1;
            match self.once(tried > 1).await {
                StepEnd::StoreDown(error) if passes(&error) && tried < STORE_TRIES_MAX => {
                    tokio::time::sleep(Duration::from_millis(STORE_PAUSE_MS)).await;
                }
                end => return end,
            }
        }
    }

    /// `again`: an earlier try of this run may have had an effect.
    async fn once(&self, again: bool) -> StepEnd {
        let (site, plan) = (&self.job.site, &self.job.plan);
        let rows = StepRows::of(
            site,
            plan,
            self.at,
            &self.lane,
            &self.job.step,
            &self.job.journal,
        )
        .under(self.overtaken);
        let ended = match self.way {
            Way::Do => self.forward(rows, again).await,
            Way::Undo => self.backward(rows).await,
        };
        match ended {
            Ok(rows) => StepEnd::Rows(rows.effects),
            Err(StoreError::Fenced) => StepEnd::Fenced,
            Err(error) => StepEnd::StoreDown(error),
        }
    }

    async fn crash_point(&self, place: &str) {
        let key = self
            .job
            .step
            .targets(self.job.plan.operation)
            .into_iter()
            .next();
        let key = key.map(|t| t.key.to_string()).unwrap_or_default();
        let way = if self.way == Way::Do { "do" } else { "undo" };
        self.job
            .site
            .ctx()
            .crash
            .at(&format!("{place}:{way}:{}:{key}", self.job.step.name()))
            .await;
    }

    async fn forward(&self, mut rows: StepRows, again: bool) -> Result<StepRows, StoreError> {
        let site = &self.job.site;
        let mut doubtful = again || rows.begun_before();
        let mut attempt = 0;
        loop {
            attempt += 1;
            if site.care().intent_first {
                rows.intend(site, &self.job.plan).await?;
            }
            self.crash_point("after_intent").await;
            match self.attempt(&rows, doubtful, attempt).await {
                Attempt::Done(made, event) => {
                    self.crash_point("after_effect").await;
                    self.record_done(&mut rows, &made, event).await?;
                    self.crash_point("after_record").await;
                    if doubtful {
                        self.drop_twins(&made).await;
                    }
                    return Ok(rows);
                }
                Attempt::Failed(error) => {
                    self.record(
                        &mut rows,
                        EffectState::Failed,
                        EventKind::StepFailed,
                        &error,
                    )
                    .await?;
                    return Ok(rows);
                }
                Attempt::Again { why, .. } if attempt >= site.care().step_attempts_max => {
                    self.record(&mut rows, EffectState::Failed, EventKind::StepFailed, &why)
                        .await?;
                    return Ok(rows);
                }
                Attempt::Again {
                    wait_ms,
                    doubtful: now,
                    why,
                } => {
                    doubtful |= now;
                    let text = format!("attempt {attempt}: {why}");
                    let event = rows.event(site, &self.job.plan, EventKind::StepRetried, text);
                    site.store().write(event).await?;
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                }
            }
        }
    }

    async fn attempt(&self, rows: &StepRows, doubtful: bool, attempt: u32) -> Attempt {
        let again = |why: PortError, doubtful: bool| Attempt::Again {
            wait_ms: backoff_ms(self, attempt, &why),
            doubtful,
            why,
        };
        let mut found = Vec::new();
        if doubtful && self.job.site.care().look_before_repeat {
            tokio::time::sleep(Duration::from_millis(self.job.site.care().settle_ms)).await;
            match perform::look(&self.job).await {
                Ok(seen) => found = first_of_each(seen),
                Err(error) => return again(error, true),
            }
        }
        let missing = rows.missing(&found);
        if missing.is_empty() {
            return Attempt::Done(found, EventKind::Adopted);
        }
        match perform::make(&self.job, &missing).await {
            Ok(made) => {
                found.extend(made);
                let still_missing = rows.missing(&found);
                if still_missing.is_empty() {
                    return Attempt::Done(found, EventKind::StepDone);
                }
                let what = format!("the answer does not name {} objects", still_missing.len());
                again(PortError::new(ErrorKind::Unknown, what), true)
            }
            Err(error) if error.is_definite_no() => self.believe_the_no(rows, error, attempt).await,
            Err(error) => {
                // A proxy may say "busy" after the deed; only what never left leaves no doubt.
                let in_doubt = error.kind != ErrorKind::Unreachable;
                again(error, in_doubt)
            }
        }
    }

    /// A no may be the answer to our own request delivered twice (B4): the first one took the name,
    /// the port, the volume. Looked at once, then believed. While an operation that this one has overtaken
    /// still holds addresses and quota, it is no answer either.
    async fn believe_the_no(&self, rows: &StepRows, error: PortError, attempt: u32) -> Attempt {
        if overtaken::tidies_up(&self.job.site, &self.job.plan).await {
            return Attempt::Again {
                wait_ms: backoff_ms(self, attempt, &error),
                doubtful: false,
                why: error,
            };
        }
        if !self.job.site.care().look_before_repeat {
            return Attempt::Failed(error);
        }
        match perform::look(&self.job).await.map(first_of_each) {
            Ok(found) if !found.is_empty() && rows.missing(&found).is_empty() => {
                Attempt::Done(found, EventKind::Adopted)
            }
            Err(unseen) if !unseen.is_definite_no() => Attempt::Again {
                wait_ms: BACKOFF_BASE_MS,
                doubtful: true,
                why: unseen,
            },
            _ => Attempt::Failed(error),
        }
    }

    async fn record_done(
        &self,
        rows: &mut StepRows,
        made: &[Made],
        event: EventKind,
    ) -> Result<(), StoreError> {
        let (site, plan) = (&self.job.site, &self.job.plan);
        if !site.care().intent_first {
            rows.intend(site, plan).await?;
        }
        if matches!(self.job.step, Step::CommitNewPrimary) {
            // Written with the record, in its transaction.
            rows.mark(EffectState::Done, made, site.ctx().now_us());
            return Ok(());
        }
        rows.settle(site, plan, EffectState::Done, made, event, None)
            .await?;
        self.tell_deviations(rows, made).await
    }

    /// What came out otherwise than planned is in the operation's story, member by member.
    async fn tell_deviations(&self, rows: &StepRows, made: &[Made]) -> Result<(), StoreError> {
        let (site, plan) = (&self.job.site, &self.job.plan);
        for text in made.iter().filter_map(Made::deviation) {
            let event = rows.event(site, plan, EventKind::Warning, text.to_owned());
            site.store().write(event).await?;
        }
        Ok(())
    }

    async fn record(
        &self,
        rows: &mut StepRows,
        state: EffectState,
        event: EventKind,
        error: &PortError,
    ) -> Result<(), StoreError> {
        let (site, plan) = (&self.job.site, &self.job.plan);
        rows.settle(site, plan, state, &[], event, Some(&told(error)))
            .await
    }

    /// Once more after a doubtful step: what came late and carries the same key goes at once. What
    /// comes later still is the stray sweep's.
    async fn drop_twins(&self, made: &[Made]) {
        let Ok(seen) = perform::look(&self.job).await else {
            return;
        };
        let twin = |m: &&Made| made.iter().all(|kept| kept.id != m.id);
        for found in seen.iter().filter(twin) {
            let kind = self
                .job
                .step
                .targets(self.job.plan.operation)
                .first()
                .map(|t| t.kind);
            let Some(kind) = kind else { return };
            let (acting, array) = (acting_of(&self.job), array_of(&self.job));
            // A failure here is no failure of the step: the sweep comes again.
            let _ = perform::remove_twin(&self.job.site, &acting, &array, kind, found).await;
        }
    }

    async fn backward(&self, mut rows: StepRows) -> Result<StepRows, StoreError> {
        let (site, plan) = (&self.job.site, &self.job.plan);
        // Begun and not known to have ended; also when an undo was begun before, or the attempts
        // ran out on an open outcome.
        let open = |e: &Effect| {
            use EffectState::{Failed, Intended, UndoIntended};
            matches!(e.state, Intended | UndoIntended | Failed)
        };
        let doubtful = rows.effects.iter().any(open);
        rows.settle(
            site,
            plan,
            EffectState::UndoIntended,
            &[],
            EventKind::StepStarted,
            None,
        )
        .await?;
        self.crash_point("after_intent").await;
        if doubtful {
            // What was sent last may still be on its way; a look that is too early proves nothing.
            tokio::time::sleep(Duration::from_millis(site.care().settle_ms)).await;
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            let unmade = match self.name_the_found(&mut rows, doubtful).await? {
                Ok(()) => perform::unmake(&self.job).await,
                Err(unseen) => Err(unseen),
            };
            match unmade {
                Ok(end) => {
                    self.crash_point("after_effect").await;
                    let state = match end {
                        Unmade::Gone => EffectState::Undone,
                        Unmade::Left => EffectState::LeftBehind,
                    };
                    rows.settle(site, plan, state, &[], EventKind::StepUndone, None)
                        .await?;
                    self.crash_point("after_record").await;
                    return Ok(rows);
                }
                Err(error) if attempt >= UNDO_ATTEMPTS_MAX => {
                    let (state, event) = (EffectState::UndoFailed, EventKind::UndoFailed);
                    self.record(&mut rows, state, event, &error).await?;
                    return Ok(rows);
                }
                Err(error) => {
                    let wait_ms = backoff_ms(self, attempt.min(3), &error);
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                }
            }
        }
    }

    /// Of a step whose outcome is open, what is found by its keys is written down before it goes: a volume
    /// that Cinder has let go of is found on the array by that id alone.
    async fn name_the_found(
        &self,
        rows: &mut StepRows,
        doubtful: bool,
    ) -> Result<Result<(), PortError>, StoreError> {
        let nameless = rows.effects.iter().any(|e| e.object_id.is_none());
        if !doubtful || !nameless {
            return Ok(Ok(()));
        }
        let found = match perform::seen(&self.job).await {
            Ok(seen) => first_of_each(seen),
            Err(unseen) => return Ok(Err(unseen)),
        };
        if !found.is_empty() {
            let (site, plan) = (&self.job.site, &self.job.plan);
            let (state, event) = (EffectState::UndoIntended, EventKind::Adopted);
            rows.settle(site, plan, state, &found, event, None).await?;
        }
        Ok(Ok(()))
    }
}

/// The oldest of each key: looks answer in order of creation.
fn first_of_each(seen: Vec<Made>) -> Vec<Made> {
    let mut first: Vec<Made> = Vec::new();
    for made in seen {
        if first.iter().all(|kept| kept.key != made.key) {
            first.push(made);
        }
    }
    first
}

fn acting_of(job: &Job) -> Acting {
    match &job.step {
        Step::ImportVolumes { acting, .. }
        | Step::CreatePorts { acting, .. }
        | Step::BootServer { acting, .. }
        | Step::AwaitServer { acting, .. }
        | Step::RestartServer { acting, .. } => acting.clone(),
        // These make nothing that could get a twin, or nothing at a cloud of ours.
        _ => Acting::Service,
    }
}

fn array_of(job: &Job) -> protector_domain::ids::ArrayId {
    let specs = job.plan.steps().filter_map(|(_, _, step)| match step {
        Step::RecoverVolumes { spec, .. } => Some(spec.target.clone()),
        _ => None,
    });
    specs
        .last()
        .unwrap_or_else(|| protector_domain::ids::ArrayId(String::new()))
}

/// What people read of a failed step: its cause and, where rights are missing, the command that says which.
fn told(error: &PortError) -> String {
    match error.kind {
        ErrorKind::Denied => format!("{} {RIGHTS_MISSING}", error.what),
        _ => error.what.clone(),
    }
}

const RIGHTS_MISSING: &str = "(openstack protector site validate, at this site, names the rule or the role that is missing; then: openstack protector operation retry-members <id>)";
