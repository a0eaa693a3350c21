//! What must be there by the ledgers of both sites: read from their databases, not asked of the product.
//!
//! Absent: what is there (`census`).

use super::cloud::{HELPER, Session};
use super::places::Places;
use crate::world::Which;
use anyhow::{Context, Result};
use protector_domain::effect::{Effect, EffectKey, EffectKind, EffectState};
use protector_domain::ids::{GroupId, ProjectId};
use protector_domain::operation::Operation;
use protector_domain::operation::failover::copy_name_prefix;
use protector_domain::plan::{Part, Step};
use protector_runtime::ctx::Ctx;
use protector_runtime::remote::HttpService;
use protector_store::{Store, StoreConfig};
use std::collections::BTreeSet;

/// Most operations of one story that are read.
const OPERATIONS_MAX: u32 = 500;

/// An operation, and its rows.
type Ran = (Operation, Vec<Effect>);

/// Objects that a ledger says stand at its site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub servers: BTreeSet<String>,
    pub ports: BTreeSet<String>,
    pub volumes: BTreeSet<String>,
    pub trusts: BTreeSet<String>,
    /// Server and volume.
    pub attachments: BTreeSet<(String, String)>,
    /// Serials.
    pub array_volumes: BTreeSet<String>,
    /// What the names of safety snapshots end in.
    pub safety: BTreeSet<String>,
}

/// Both databases.
pub(super) struct Ledgers {
    /// By site, with the tenant's project there.
    sites: [(Store, ProjectId); 2],
}

impl Ledgers {
    /// # Errors
    /// A database cannot be reached.
    pub async fn open(http: &HttpService, places: &Places, databases: [&str; 2]) -> Result<Self> {
        let [a, b] = databases;
        let at = async |which: Which, url: &str| -> Result<(Store, ProjectId)> {
            let store = Store::open(StoreConfig::new(url), Ctx::production(which.name())).await?;
            let auth_url = &places.cloud(which)?.auth_url;
            let session = Session::log_in(http, auth_url, HELPER).await?;
            Ok((store, ProjectId(session.project)))
        };
        Ok(Self {
            sites: [at(Which::A, a).await?, at(Which::B, b).await?],
        })
    }

    fn site(&self, which: Which) -> &(Store, ProjectId) {
        let [a, b] = &self.sites;
        match which {
            Which::A => a,
            Which::B => b,
        }
    }

    async fn ran(&self, which: Which) -> Result<Vec<Ran>> {
        let (store, project) = self.site(which);
        let found = store.operation_list(project, None, None, OPERATIONS_MAX);
        let mut ran = Vec::new();
        for operation in found.await? {
            let effects = store.effects_by_operation(operation.id).await?;
            ran.push((operation, effects));
        }
        Ok(ran)
    }

    /// What stands at a site: what its own ledger lists, without what the other site's moves have retired
    /// there.
    ///
    /// # Errors
    /// A database cannot be read.
    pub async fn standing(&self, which: Which, group: &str) -> Result<Standing> {
        let (own, other) = (self.ran(which).await?, self.ran(which.other()).await?);
        let mut standing = standing(&own, &retired(&other));
        let (store, _) = self.site(which);
        let delegation = store.delegation_fetch(group.parse()?).await?;
        let trust = delegation.and_then(|delegation| delegation.trust);
        standing.trusts.extend(trust.map(|trust| trust.to_string()));
        Ok(standing)
    }

    /// The name of the array's group.
    ///
    /// # Errors
    /// A database cannot be read; there is no such group, or it has no policy.
    pub async fn array_group(&self, group: &str) -> Result<String> {
        let (store, _) = self.site(Which::A);
        let id: GroupId = group.parse()?;
        let stored = store.group_fetch(id).await?;
        let body = stored.and_then(|stored| stored.body);
        let policy = body.and_then(|body| body.policy);
        Ok(policy.context("no policy")?.array_group.to_string())
    }
}

/// Ids of everything at the peer that finished steps have taken away there.
fn retired(ran: &[Ran]) -> BTreeSet<String> {
    let mut gone = BTreeSet::new();
    for (operation, effects) in ran {
        let done = |step: &Step| {
            let targets = step.targets(operation.id).into_iter();
            let mut keys = targets.map(|t| t.key);
            keys.all(|key| row(effects, &key).is_some_and(|e| e.state == EffectState::Done))
        };
        for (_, _, step) in operation.plan.steps().filter(|(_, _, step)| done(step)) {
            match step {
                Step::RetireServer { server, .. } => gone.extend([server.to_string()]),
                Step::RetirePorts { ports, .. } => gone.extend(ports.iter().map(|p| p.0.clone())),
                Step::RetireVolumes { volumes, .. } => {
                    gone.extend(volumes.iter().map(|v| v.0.clone()));
                }
                _ => {}
            }
        }
    }
    gone
}

fn row<'a>(effects: &'a [Effect], key: &EffectKey) -> Option<&'a Effect> {
    effects.iter().find(|e| &e.key == key)
}

fn standing(ran: &[Ran], retired: &BTreeSet<String>) -> Standing {
    let mut all = Standing::default();
    for (operation, effects) in ran {
        all.safety
            .insert(format!("{}-safety", copy_name_prefix(operation.id)));
        for effect in effects {
            add(&mut all, operation, effects, effect, retired);
        }
        attachments(&mut all, operation, effects);
    }
    let servers = all.servers.clone();
    all.attachments
        .retain(|(server, _)| servers.contains(server));
    all
}

fn add(
    all: &mut Standing,
    operation: &Operation,
    effects: &[Effect],
    effect: &Effect,
    retired: &BTreeSet<String>,
) {
    let stands = matches!(effect.state, EffectState::Done | EffectState::LeftBehind);
    let Some(id) = effect.object_id.clone().filter(|_| stands) else {
        return;
    };
    // The array's copy of a disk went with the volume that it had become.
    let target = effect.key.as_str().rsplit('/').next().unwrap_or_default();
    let import = EffectKey::new(operation.id, "import_volumes", target);
    let became = row(effects, &import).and_then(|e| e.object_id.as_ref());
    let became = became.filter(|_| effect.kind == EffectKind::ArrayVolume);
    if retired.contains(&id) || became.is_some_and(|volume| retired.contains(volume)) {
        return;
    }
    let kind = match effect.kind {
        EffectKind::Server => &mut all.servers,
        EffectKind::Port => &mut all.ports,
        EffectKind::Volume => &mut all.volumes,
        EffectKind::ArrayVolume => &mut all.array_volumes,
        EffectKind::None
        | EffectKind::ArrayGroup
        | EffectKind::ArraySnapshot
        | EffectKind::VolumeGroup => return,
    };
    kind.insert(id);
}

/// What the servers that the operation has booted have attached.
fn attachments(all: &mut Standing, operation: &Operation, effects: &[Effect]) {
    for (_, _, step) in operation.plan.steps() {
        let Step::BootServer { volumes, .. } = step else {
            continue;
        };
        let key = step.targets(operation.id).into_iter().next().map(|t| t.key);
        let server = key.and_then(|key| row(effects, &key)?.object_id.clone());
        let Some(server) = server else { continue };
        for from in volumes {
            let volume = match &from.volume {
                Part::Made(key) => row(effects, key).and_then(|e| e.object_id.clone()),
                Part::Kept(id) => Some(id.clone()),
            };
            all.attachments
                .extend(volume.map(|volume| (server.clone(), volume)));
        }
    }
}
