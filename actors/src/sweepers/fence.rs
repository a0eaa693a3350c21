//! After a forced move: the source servers are quieted as soon as their cloud answers again (I4), and the
//! old direction of replication is switched off (I6). One turn looks once; the sweep's clock brings the
//! next, so that a link that flaps makes no storm (C4).
//!
//! Intent before, result after, under the move's own keys: a kill at any place only means that it is
//! looked at again. Absent: what is to be done (`domain::fence`), and starting anything.

use crate::gather::group_spec;
use crate::operation::perform::power::quiet;
use crate::site::Site;
use protector_domain::effect::{Effect, EffectKey, EffectKind, EffectState};
use protector_domain::fence::{Deed, FENCE_STEP, Obligation, deed, forced_move, obligations};
use protector_domain::ids::{GroupId, ProjectId};
use protector_domain::operation::{EventKind, Operation};
use protector_domain::ports::{Acting, Cloud, ErrorKind, PortError, PortResult};
use protector_domain::record::GroupBody;
use protector_domain::sync::Role;
use protector_store::{EffectSettle, NewEvent, StoreError, StoredGroup, Write};
use std::collections::BTreeMap;

/// Newest operations of a group among which the forced move is looked for.
const RECENT_MAX: u32 = 32;

fn store_failed(error: &StoreError) -> PortError {
    PortError::new(ErrorKind::Unreachable, error.to_string())
}

/// What this site still owes the group's source servers, with the move that made it owe.
pub(crate) async fn owed(
    site: &Site,
    stored: &StoredGroup,
) -> Result<Option<(Operation, Vec<Obligation>)>, StoreError> {
    let (Some(body), Some(epoch)) = (&stored.body, stored.sync.epoch()) else {
        return Ok(None);
    };
    if !stored.sync.leads() {
        return Ok(None);
    }
    let store = site.store();
    let recent = store
        .operation_list(&stored.project, Some(stored.id), None, RECENT_MAX)
        .await?;
    let Some(moved) = forced_move(&recent, epoch, true).cloned() else {
        return Ok(None);
    };
    let effects = store.effects_by_operation(moved.id).await?;
    let ledger: BTreeMap<String, Effect> = effects
        .into_iter()
        .map(|effect| (effect.key.to_string(), effect))
        .collect();
    let owed = obligations(body, stored.sync.role(), moved.id, &ledger);
    Ok(Some((moved, owed)))
}

/// One turn for one group.
pub(super) async fn group(site: &Site, id: GroupId) -> PortResult<()> {
    let stored = site.store().group_fetch(id).await;
    let Some(stored) = stored.map_err(|e| store_failed(&e))? else {
        return Ok(());
    };
    let found = owed(site, &stored).await.map_err(|e| store_failed(&e))?;
    let (Some((moved, owed)), Some(body)) = (found, &stored.body) else {
        return Ok(());
    };
    if owed.is_empty() {
        return Ok(());
    }
    let there = body.sides.of(stored.sync.role().peer());
    let Some(cloud) = site.peer_cloud(there.site) else {
        return Ok(());
    };
    let fencing = Fencing {
        site,
        moved: &moved,
        body,
        cloud,
        project: there.project.clone(),
        acting: Acting::ServiceIn(there.project.clone()),
        here: stored.sync.role(),
    };
    for obligation in owed {
        fencing.meet(&obligation).await?;
    }
    // The old primary's array went on by its own schedule when it came back.
    let old_direction = group_spec(body, stored.sync.role());
    match old_direction {
        None => Ok(()),
        Some(spec) => match site.storage().set_replication(&spec, false).await {
            Err(error) if error.kind == ErrorKind::Missing => Ok(()),
            other => other,
        },
    }
}

struct Fencing<'a> {
    site: &'a Site,
    moved: &'a Operation,
    body: &'a GroupBody,
    cloud: Cloud,
    project: ProjectId,
    acting: Acting,
    here: Role,
}

impl Fencing<'_> {
    async fn meet(&self, owed: &Obligation) -> PortResult<()> {
        let compute = &self.cloud.compute;
        let server = compute.server_fetch(&self.acting, &owed.server).await?;
        match deed(server.as_ref(), self.body.on_return) {
            Deed::Settled(why) => {
                self.intend(owed).await?;
                self.settle(owed, EventKind::StepDone, why).await
            }
            Deed::StopAndLock { keep } => {
                self.intend(owed).await?;
                self.crash_point("after_intent", &owed.key).await;
                if let Some(server) = &server {
                    let operation = self.moved.id;
                    quiet(operation, &self.cloud, &self.acting, server, &keep).await?;
                }
                self.crash_point("after_effect", &owed.key).await;
                let why = "it ran, and was stopped and locked";
                self.settle(owed, EventKind::StepDone, why).await
            }
            Deed::Report => {
                tracing::warn!(server = %owed.server, "a source server runs; the policy says report");
                Ok(())
            }
        }
    }

    async fn crash_point(&self, place: &str, key: &EffectKey) {
        let place = format!("{place}:do:{FENCE_STEP}:{key}");
        self.site.ctx().crash.at(&place).await;
    }

    async fn intend(&self, owed: &Obligation) -> PortResult<()> {
        let effect = Effect {
            key: owed.key.clone(),
            operation: self.moved.id,
            group: self.moved.group,
            project: self.project.clone(),
            site: self.body.sides.of(self.here.peer()).site,
            lane: owed.member.to_string(),
            stage: u32::MAX,
            place: 0,
            step: FENCE_STEP.to_owned(),
            kind: EffectKind::None,
            state: EffectState::Intended,
            object_id: Some(owed.server.to_string()),
            detail: serde_json::Value::Null,
            attempts: 1,
            error: None,
            intended_us: self.site.ctx().now_us(),
            settled_us: None,
        };
        self.write(vec![Write::EffectsIntend {
            group: self.moved.group,
            fence: self.moved.epoch,
            effects: vec![effect],
        }])
        .await
    }

    async fn settle(&self, owed: &Obligation, kind: EventKind, why: &str) -> PortResult<()> {
        let settle = Write::EffectsSettle {
            group: self.moved.group,
            fence: self.moved.epoch,
            settles: vec![EffectSettle {
                key: owed.key.clone(),
                state: EffectState::Done,
                object_id: Some(owed.server.to_string()),
                detail: Some(serde_json::json!({ "found": why })),
                error: None,
            }],
        };
        let event = Write::EventsAppend {
            operation: self.moved.id,
            events: vec![NewEvent {
                at_us: self.site.ctx().now_us(),
                kind,
                lane: Some(owed.member.to_string()),
                step: Some(FENCE_STEP.to_owned()),
                text: format!("source server {}: {why}", owed.server),
            }],
        };
        self.write(vec![settle, event]).await
    }

    async fn write(&self, writes: Vec<Write>) -> PortResult<()> {
        let written = self.site.store().write(Write::Batch(writes)).await;
        written.map(drop).map_err(|e| store_failed(&e))
    }
}
