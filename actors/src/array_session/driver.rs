//! The storage port with a session before every array: the same trait, so that nobody else knows.

use super::actor::{Msg, child_spec};
use super::{Call, Urgency};
use async_trait::async_trait;
use protector_domain::ids::{ArrayId, PointSuffix, Serial, VolumeId};
use protector_domain::ports::storage::{
    ArrayVolume, Copied, CopyAsk, GroupHealth, GroupSpec, OverwriteAsk, PointVolume, RecoveryPoint,
};
use protector_domain::ports::{ErrorKind, PortError, PortResult, StorageDriver};
use protector_runtime::ctx::Ctx;
use protector_runtime::mailbox::{Mailbox, Reply, SendErr};
use protector_runtime::supervisor::{SupErr, Supervisor};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// A driver whose calls go through the sessions of their arrays.
pub(crate) struct ArraySessions {
    ctx: Ctx,
    supervisor: Supervisor,
    inner: Arc<dyn StorageDriver>,
    open: Mutex<BTreeMap<ArrayId, Mailbox<Msg>>>,
}

fn busy(array: &ArrayId, why: &dyn std::fmt::Display) -> PortError {
    let retry_after_ms = None;
    let what = format!("the session of array {array}: {why}");
    PortError::new(ErrorKind::Busy { retry_after_ms }, what)
}

impl ArraySessions {
    pub fn new(ctx: Ctx, supervisor: Supervisor, inner: Arc<dyn StorageDriver>) -> Self {
        Self {
            ctx,
            supervisor,
            inner,
            open: Mutex::default(),
        }
    }

    async fn session(&self, array: &ArrayId) -> Result<Mailbox<Msg>, SupErr> {
        let mut open = self.open.lock().await;
        if let Some(session) = open.get(array) {
            return Ok(session.clone());
        }
        let (spec, session) = child_spec(&self.ctx, array);
        self.supervisor.add(spec).await?;
        open.insert(array.clone(), session.clone());
        Ok(session)
    }

    /// Runs `work` in the session of `array`. A session that falls leaves the outcome open.
    async fn on<T, F>(
        &self,
        array: &ArrayId,
        urgency: Urgency,
        what: &'static str,
        work: impl FnOnce(Arc<dyn StorageDriver>) -> F,
    ) -> PortResult<T>
    where
        T: Send + 'static,
        F: Future<Output = PortResult<T>> + Send + 'static,
    {
        let session = self.session(array).await.map_err(|e| busy(array, &e))?;
        let (reply, answer) = Reply::pair();
        let work = work(self.inner.clone());
        let call = Call {
            what,
            urgency,
            work: Box::pin(async move {
                reply.send(work.await);
            }),
        };
        match session.try_send(what, Msg::Call(call)) {
            Ok(()) => {}
            Err(error) => {
                if error == SendErr::Gone {
                    // Its supervisor has fallen and forgotten it: the next call opens another one.
                    self.open.lock().await.remove(array);
                }
                return Err(busy(array, &error));
            }
        }
        answer.await.unwrap_or_else(|_| {
            let what = format!("the session of array {array} fell during {what}");
            Err(PortError::new(ErrorKind::Unknown, what))
        })
    }
}

/// Clones what a call needs, so that it can outlive its caller.
macro_rules! in_session {
    ($self:ident, $array:expr, $urgency:ident, $method:ident($($arg:ident),*)) => {{
        $(let $arg = $arg.to_owned();)*
        let array = $array.clone();
        $self
            .on(&array, Urgency::$urgency, stringify!($method), move |driver| async move {
                driver.$method($(in_session!(@borrow $arg)),*).await
            })
            .await
    }};
    (@borrow $arg:ident) => { &$arg };
}

#[async_trait]
impl StorageDriver for ArraySessions {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    async fn locate(
        &self,
        array: &ArrayId,
        cinder_volume: &VolumeId,
    ) -> PortResult<Option<ArrayVolume>> {
        in_session!(self, array, Look, locate(array, cinder_volume))
    }

    async fn volume_by_serial(
        &self,
        array: &ArrayId,
        serial: &Serial,
    ) -> PortResult<Option<ArrayVolume>> {
        in_session!(self, array, Look, volume_by_serial(array, serial))
    }

    async fn ensure_group(&self, spec: &GroupSpec, ours: bool) -> PortResult<()> {
        let asked = spec.clone();
        self.on(
            &spec.source,
            Urgency::Upkeep,
            "ensure_group",
            move |driver| async move { driver.ensure_group(&asked, ours).await },
        )
        .await
    }

    async fn set_members(&self, spec: &GroupSpec, members: &[Serial]) -> PortResult<()> {
        in_session!(self, spec.source, Upkeep, set_members(spec, members))
    }

    async fn set_replication(&self, spec: &GroupSpec, enabled: bool) -> PortResult<()> {
        let asked = spec.clone();
        self.on(
            &spec.source,
            Urgency::Upkeep,
            "set_replication",
            move |driver| async move { driver.set_replication(&asked, enabled).await },
        )
        .await
    }

    async fn retire_group(&self, spec: &GroupSpec) -> PortResult<()> {
        in_session!(self, spec.source, Upkeep, retire_group(spec))
    }

    async fn snapshot_now(&self, spec: &GroupSpec, suffix: &PointSuffix) -> PortResult<()> {
        in_session!(self, spec.source, Move, snapshot_now(spec, suffix))
    }

    async fn recovery_points(&self, spec: &GroupSpec) -> PortResult<Vec<RecoveryPoint>> {
        in_session!(self, spec.target, Move, recovery_points(spec))
    }

    async fn point_volumes(
        &self,
        spec: &GroupSpec,
        point: &PointSuffix,
    ) -> PortResult<Vec<PointVolume>> {
        in_session!(self, spec.target, Move, point_volumes(spec, point))
    }

    async fn recover_point(
        &self,
        spec: &GroupSpec,
        point: &PointSuffix,
        copies: &[CopyAsk],
    ) -> PortResult<Vec<Copied>> {
        in_session!(self, spec.target, Move, recover_point(spec, point, copies))
    }

    async fn safety_snapshot(
        &self,
        array: &ArrayId,
        serials: &[Serial],
        suffix: &PointSuffix,
    ) -> PortResult<()> {
        in_session!(self, array, Move, safety_snapshot(array, serials, suffix))
    }

    async fn overwrite_from_point(
        &self,
        spec: &GroupSpec,
        point: &PointSuffix,
        overwrites: &[OverwriteAsk],
        guard: &PointSuffix,
    ) -> PortResult<()> {
        in_session!(
            self,
            spec.target,
            Move,
            overwrite_from_point(spec, point, overwrites, guard)
        )
    }

    async fn restore_safety(
        &self,
        array: &ArrayId,
        serials: &[Serial],
        suffix: &PointSuffix,
    ) -> PortResult<()> {
        in_session!(self, array, Move, restore_safety(array, serials, suffix))
    }

    async fn release_safety(
        &self,
        array: &ArrayId,
        serials: &[Serial],
        suffix: &PointSuffix,
    ) -> PortResult<()> {
        in_session!(self, array, Upkeep, release_safety(array, serials, suffix))
    }

    async fn mark(&self, array: &ArrayId, name: &str) -> PortResult<ArrayVolume> {
        in_session!(self, array, Move, mark(array, name))
    }

    async fn find_by_key(
        &self,
        array: &ArrayId,
        name_prefix: &str,
    ) -> PortResult<Vec<ArrayVolume>> {
        in_session!(self, array, Look, find_by_key(array, name_prefix))
    }

    async fn release(
        &self,
        array: &ArrayId,
        serials: &[Serial],
        ours: &[String],
    ) -> PortResult<Vec<Serial>> {
        in_session!(self, array, Upkeep, release(array, serials, ours))
    }

    async fn health(&self, spec: &GroupSpec) -> PortResult<GroupHealth> {
        in_session!(self, spec.target, Look, health(spec))
    }
}
