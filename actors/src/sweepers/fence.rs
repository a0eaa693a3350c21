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
use protector_domain::fence::{Deed, FENCE_STEP, Obligation, deed, direction_owed, obligations};
use protector_domain::ids::{GroupId, ProjectId};
use protector_domain::operation::{EventKind, Operation};
use protector_domain::plan::GROUP_LANE;
use protector_domain::ports::{Acting, Cloud, ErrorKind, PortError, PortResult};
use protector_domain::record::GroupBody;
use protector_domain::sync::Role;
use protector_store::{EffectSettle, NewEvent, StoreError, StoredGroup, Write};
use std::collections::BTreeMap;

fn store_failed(error: &StoreError) -> PortError {
    PortError::new(ErrorKind::Unreachable, error.to_string())
}

/// What this site owes since it took the group by force.
pub(crate) struct Owed {
    /// The move that made it owe.
    pub moved: Operation,
    pub servers: Vec<Obligation>,
    /// The old direction of replication, under this key.
    pub direction: Option<EffectKey>,
}

/// What this site still owes, if it leads the group by a forced move.
pub(crate) async fn owed(site: &Site, stored: &StoredGroup) -> Result<Option<Owed>, StoreError> {
    let (Some(body), Some(epoch)) = (&stored.body, stored.sync.epoch()) else {
        return Ok(None);
    };
    // In doubt it may be the peer's servers that run by right.
    if !stored.sync.leads() || stored.sync.is_suspect() {
        return Ok(None);
    }
    let store = site.store();
    let Some(moved) = store.operation_forced(stored.id, epoch).await? else {
        return Ok(None);
    };
    let effects = store.effects_by_operation(moved.id).await?;
    let ledger: BTreeMap<String, Effect> = effects
        .into_iter()
        .map(|effect| (effect.key.to_string(), effect))
        .collect();
    Ok(Some(Owed {
        servers: obligations(body, stored.sync.role(), moved.id, &ledger),
        direction: direction_owed(moved.id, &ledger),
        moved,
    }))
}

/// One turn for one group.
pub(super) async fn group(site: &Site, id: GroupId) -> PortResult<()> {
    let stored = site.store().group_fetch(id).await;
    let Some(stored) = stored.map_err(|e| store_failed(&e))? else {
        return Ok(());
    };
    let found = owed(site, &stored).await.map_err(|e| store_failed(&e))?;
    let (Some(owed), Some(body)) = (found, &stored.body) else {
        return Ok(());
    };
    if owed.servers.is_empty() && owed.direction.is_none() {
        return Ok(());
    }
    let there = body.sides.of(stored.sync.role().peer());
    let Some(cloud) = site.peer_cloud(there.site) else {
        return Ok(());
    };
    let fencing = Fencing {
        site,
        moved: &owed.moved,
        body,
        cloud,
        project: there.project.clone(),
        acting: Acting::ServiceIn(there.project.clone()),
        here: stored.sync.role(),
    };
    let direction = match owed.direction {
        Some(key) => fencing.stand_still(&key).await,
        None => Ok(()),
    };
    let servers = fencing.meet_all(&owed.servers).await;
    servers.and(direction)
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
    /// One that cannot be stopped does not shield the others; a cloud that is away is not asked again in
    /// this turn.
    async fn meet_all(&self, owed: &[Obligation]) -> PortResult<()> {
        let mut worst = Ok(());
        for obligation in owed {
            match self.meet(obligation).await {
                Err(away) if away.kind == ErrorKind::Unreachable => return Err(away),
                Err(error) => worst = Err(error),
                Ok(()) => {}
            }
        }
        worst
    }

    /// The old primary's array goes on by its own schedule when it comes back (I6).
    async fn stand_still(&self, key: &EffectKey) -> PortResult<()> {
        if let Some(spec) = group_spec(self.body, self.here) {
            match self.site.storage().set_replication(&spec, false).await {
                Err(error) if error.kind == ErrorKind::Missing => {}
                other => other?,
            }
        }
        let object = "the old direction of replication";
        self.intend(key, GROUP_LANE, object).await?;
        self.settle(key, GROUP_LANE, object, "it stands still")
            .await
    }

    async fn meet(&self, owed: &Obligation) -> PortResult<()> {
        let compute = &self.cloud.compute;
        let server = compute.server_fetch(&self.acting, &owed.server).await?;
        match deed(server.as_ref(), self.body.on_return) {
            Deed::Settled(why) => {
                self.intend_server(owed).await?;
                self.settle_server(owed, why).await
            }
            Deed::StopAndLock { keep } => {
                self.intend_server(owed).await?;
                self.crash_point("after_intent", &owed.key).await;
                if let Some(server) = &server {
                    let operation = self.moved.id;
                    quiet(operation, &self.cloud, &self.acting, server, &keep).await?;
                }
                self.crash_point("after_effect", &owed.key).await;
                let why = "it ran, and was stopped and locked";
                self.settle_server(owed, why).await
            }
            // Told once; the condition stays for as long as it runs.
            Deed::Report if owed.begun => Ok(()),
            Deed::Report => {
                self.intend_server(owed).await?;
                let text = format!(
                    "source server {} runs; on_return is report: it is left for people to stop",
                    owed.server
                );
                let lane = owed.member.to_string();
                self.write(vec![self.event(EventKind::Warning, lane, text)])
                    .await
            }
        }
    }

    async fn crash_point(&self, place: &str, key: &EffectKey) {
        let place = format!("{place}:do:{FENCE_STEP}:{key}");
        self.site.ctx().crash.at(&place).await;
    }

    async fn intend_server(&self, owed: &Obligation) -> PortResult<()> {
        let (lane, object) = (owed.member.to_string(), owed.server.to_string());
        self.intend(&owed.key, &lane, &object).await
    }

    async fn settle_server(&self, owed: &Obligation, why: &str) -> PortResult<()> {
        let (lane, object) = (owed.member.to_string(), owed.server.to_string());
        self.settle(&owed.key, &lane, &object, why).await
    }

    async fn intend(&self, key: &EffectKey, lane: &str, object: &str) -> PortResult<()> {
        let effect = Effect {
            key: key.clone(),
            operation: self.moved.id,
            group: self.moved.group,
            project: self.project.clone(),
            site: self.body.sides.of(self.here.peer()).site,
            lane: lane.to_owned(),
            stage: u32::MAX,
            place: 0,
            step: FENCE_STEP.to_owned(),
            kind: EffectKind::None,
            state: EffectState::Intended,
            object_id: Some(object.to_owned()),
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

    async fn settle(&self, key: &EffectKey, lane: &str, object: &str, why: &str) -> PortResult<()> {
        let settle = Write::EffectsSettle {
            group: self.moved.group,
            fence: self.moved.epoch,
            settles: vec![EffectSettle {
                key: key.clone(),
                state: EffectState::Done,
                object_id: Some(object.to_owned()),
                detail: Some(serde_json::json!({ "found": why })),
                error: None,
            }],
        };
        let whose = if lane == GROUP_LANE {
            ""
        } else {
            "source server "
        };
        let text = format!("{whose}{object}: {why}");
        let event = self.event(EventKind::StepDone, lane.to_owned(), text);
        self.write(vec![settle, event]).await
    }

    fn event(&self, kind: EventKind, lane: String, text: String) -> Write {
        Write::EventsAppend {
            operation: self.moved.id,
            events: vec![NewEvent {
                at_us: self.site.ctx().now_us(),
                kind,
                lane: Some(lane),
                step: Some(FENCE_STEP.to_owned()),
                text,
            }],
        }
    }

    async fn write(&self, writes: Vec<Write>) -> PortResult<()> {
        let written = self.site.store().write(Write::Batch(writes)).await;
        written.map(drop).map_err(|e| store_failed(&e))
    }
}
