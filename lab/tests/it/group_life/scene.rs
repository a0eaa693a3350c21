//! A protected group, what is seen of it, and a courier that stops where it is told to.

use http::Method;
use protector_lab::courier::{CourierError, Endpoint};
use protector_lab::story::{Protected, poll_until_over, protect, take_point};
use protector_lab::world::{Which, World, WorldOptions, lock};
use protector_storage_drivers::model::GroupTruth;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the volumes hold.
pub const GIVEN: u64 = 7;
/// Two turns of the sweep's clock, seconds.
pub const SWEPT_S: u64 = 130;

pub struct Scene {
    pub world: World,
    pub group: Protected,
}

/// How far a courier gets with a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    Reserved,
    Committed,
    Stored,
}

pub async fn rest(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

pub fn said<T>(outcome: Result<T, CourierError>) -> String {
    match outcome {
        Ok(_) => "done".to_owned(),
        Err(refused) => format!("{} {}", refused.status, refused.code()),
    }
}

/// The refusal's code of a story.
pub fn code(outcome: anyhow::Result<()>) -> String {
    let refused = outcome.unwrap_err();
    let refused = refused.downcast_ref::<CourierError>().unwrap();
    assert_ne!(refused.body["error"]["remedy"], Value::Null, "{refused}");
    refused.code().to_owned()
}

impl Scene {
    /// Protected, and replicated once.
    pub async fn of(name: &str) -> Self {
        let world = World::build(WorldOptions::seeded(name, 53)).await.unwrap();
        let group = protect(&world).await.unwrap();
        take_point(&world, &group, GIVEN).await.unwrap();
        Self { world, group }
    }

    pub async fn at(&self, which: Which) -> Endpoint {
        self.world.endpoint(which).await.unwrap()
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/protection-groups/{}{rest}", self.group.group)
    }

    /// What a site shows under the group's path.
    pub async fn shown(&self, which: Which, rest: &str) -> Result<Value, CourierError> {
        let at = self.at(which).await;
        at.call(Method::GET, &self.path(rest), None).await
    }

    /// Names of the project's groups at a site.
    pub async fn names(&self, which: Which) -> Vec<String> {
        let at = self.at(which).await;
        let listed = at.call(Method::GET, "/protection-groups", None).await;
        let listed = listed.unwrap()["protection_groups"].clone();
        let names = listed.as_array().unwrap().iter();
        names
            .map(|g| g["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// A change at A, carried so far and no further; the last message.
    pub async fn carry(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        until: Until,
    ) -> Result<Value, CourierError> {
        let (a, b) = (self.at(Which::A).await, self.at(Which::B).await);
        let asked = a.call(method, path, body).await?;
        let ticket = json!({ "ticket": asked["ticket"] });
        let answer = b
            .call(Method::POST, "/sync/reservations", Some(&ticket))
            .await?;
        let reservation = json!({ "reservation": answer["reservation"] });
        if until == Until::Reserved {
            return Ok(reservation);
        }
        let answer = a
            .call(Method::POST, "/sync/commits", Some(&reservation))
            .await?;
        let envelope = json!({ "envelope": answer["envelope"] });
        if until == Until::Committed {
            return Ok(envelope);
        }
        b.call(Method::POST, "/sync/envelopes", Some(&envelope))
            .await
    }

    /// The group's own object on the array of `which`; in the bin counts as gone.
    pub fn on_array(&self, which: Which) -> Option<GroupTruth> {
        let truth = self.world.arrays.ground_truth();
        let groups = truth.arrays[which.array()].groups.iter();
        let own = |g: &&GroupTruth| g.is_local && g.name == self.group.array_group && !g.destroyed;
        groups.into_iter().find(own).cloned()
    }

    /// Serials in it.
    pub fn members_on_array(&self) -> BTreeSet<String> {
        let group = self.on_array(Which::A);
        group.into_iter().flat_map(|g| g.member_serials).collect()
    }

    /// Marks of epochs on the array of `which`.
    pub fn marks(&self, which: Which) -> usize {
        let truth = self.world.arrays.ground_truth();
        let volumes = truth.arrays[which.array()].volumes.iter();
        let marks = volumes.filter(|v| !v.destroyed && v.name.contains("-epoch-"));
        marks.count()
    }

    /// Snapshots of single volumes on the array of `which`: what a failback keeps as its way back.
    pub fn kept(&self, which: Which) -> usize {
        let truth = self.world.arrays.ground_truth();
        let snapshots = truth.arrays[which.array()].volume_snapshots.iter();
        snapshots.filter(|s| !s.destroyed).count()
    }

    /// Everything of the tenant's that a site holds: servers with every change of their power, Cinder
    /// volumes, and what is in each volume of the array, but for marks.
    pub fn holds(&self, which: Which) -> Holds {
        let cloud = lock(&self.world.site(which).cloud).ground_truth(self.world.now_ms());
        let servers = cloud.servers.iter().filter(|s| s.vm_state != "deleted");
        let power = servers.map(|s| (s.id.clone(), (s.running, s.locked, s.power.len())));
        let volumes = cloud.volumes.iter();
        let arrays = self.world.arrays.ground_truth();
        let on_array = arrays.arrays[which.array()].volumes.iter();
        let live = on_array.filter(|v| !v.destroyed && !v.name.contains("-epoch-"));
        Holds {
            servers: power.collect(),
            volumes: volumes.map(|v| (v.id.clone(), v.status.clone())).collect(),
            contents: live
                .map(|v| (v.serial.clone(), (v.name.clone(), v.hash.clone())))
                .collect(),
        }
    }

    /// Names of servers that run.
    pub fn running(&self, which: Which) -> BTreeSet<String> {
        let cloud = lock(&self.world.site(which).cloud).ground_truth(self.world.now_ms());
        let up = cloud.servers.into_iter().filter(|s| s.running);
        up.map(|s| s.name).collect()
    }

    /// Serials of the volumes of one server at A.
    pub fn serials_of(&self, server: &str) -> BTreeSet<String> {
        let cloud = lock(&self.world.a.cloud).ground_truth(self.world.now_ms());
        let its: BTreeSet<&String> = cloud
            .attachments
            .iter()
            .filter(|a| a.server_id == server)
            .map(|a| &a.volume_id)
            .collect();
        let volumes = cloud.volumes.iter().filter(|v| its.contains(&v.id));
        volumes.filter_map(|v| v.serial.clone()).collect()
    }

    /// A's product dies and lives again.
    pub async fn kill(&mut self, which: Which) {
        self.world.site_mut(which).crash();
        rest(1).await;
        self.world.site_mut(which).boot().await.unwrap();
    }

    /// An operation of a site, when it has ended.
    pub async fn end_of(&mut self, which: Which, id: &str) -> Value {
        let ended = poll_until_over(&mut self.world, which, id, &mut 0, &mut |_| {}).await;
        ended.unwrap()
    }

    /// What the trail of a site says that records changed, newest last.
    pub async fn trail(&self, which: Which) -> Vec<String> {
        let running = self.world.site(which).running.as_ref().unwrap();
        let mut all = running.store.audit_list(None, None, 1_000).await.unwrap();
        all.reverse();
        let lines = all.into_iter().filter(|e| e.action == "sync.commit");
        lines
            .flat_map(|e| e.detail["changed"].as_array().cloned().unwrap_or_default())
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    }
}

/// See [`Scene::holds`].
#[derive(Debug, Clone, PartialEq)]
pub struct Holds {
    pub servers: BTreeMap<String, (bool, bool, usize)>,
    pub volumes: BTreeMap<String, String>,
    pub contents: BTreeMap<String, (String, String)>,
}
