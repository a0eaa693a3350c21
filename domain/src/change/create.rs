//! A new group (PG-04). Storage objects are made later, when there is a policy (C7).

use crate::fence::OnReturn;
use crate::ids::{ProjectId, SiteId};
use crate::ports::volumes::VolumeType;
use crate::record::{GroupBody, GroupStatus, Mappings, ReplicationType, SCHEMA, SidePlace, Sides};
use crate::refusal::{Refusal, Refusals};
use crate::volume_type::is_replicated;

/// Longest name, in letters; the same as OpenStack's.
pub const NAME_LETTERS_MAX: usize = 255;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateAsk {
    pub name: String,
    pub description: String,
    pub replication_type: ReplicationType,
    pub secondary_site: String,
    pub volume_type: String,
    pub secondary_volume_type: Option<String>,
}

/// The other site, as registered here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerFacts {
    pub site: SiteId,
    /// The caller's project there; `None`: no tenant mapping (TEN-01).
    pub project: Option<ProjectId>,
    /// What groups of the two projects start with.
    pub mappings: Mappings,
    /// `None`: its Cinder could not be asked.
    pub volume_types: Option<Vec<VolumeType>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateFacts {
    pub site: SiteId,
    pub project: ProjectId,
    /// `None`: no such site is registered.
    pub peer: Option<PeerFacts>,
    pub name_taken: bool,
    pub volume_types: Vec<VolumeType>,
    pub now_us: i64,
}

pub(super) fn is_good_name(name: &str) -> bool {
    let letters = name.chars().count();
    (1..=NAME_LETTERS_MAX).contains(&letters) && !name.chars().any(char::is_control)
}

/// The first body of a group, or everything that speaks against it.
pub fn create(ask: &CreateAsk, facts: &CreateFacts) -> Result<GroupBody, Refusals> {
    let mut against = Vec::new();
    if !is_good_name(&ask.name) {
        against.push(Refusal::BadName);
    }
    if facts.name_taken {
        against.push(Refusal::NameTaken {
            name: ask.name.clone(),
        });
    }
    if ask.replication_type == ReplicationType::Sync {
        against.push(Refusal::SyncNotSupported);
    }
    against.extend(type_refusals(ask, facts));
    let site = ask.secondary_site.clone();
    let peer = match &facts.peer {
        None => Err(Refusal::NoSuchSite { site }),
        Some(peer) => match &peer.project {
            None => Err(Refusal::NoTenantMapping { site }),
            Some(project) => Ok((peer, project.clone())),
        },
    };
    match (peer, against.is_empty()) {
        (Ok((peer, project)), true) => Ok(first_body(ask, facts, peer, project)),
        (peer, _) => {
            against.extend(peer.err());
            Err(Refusals(against))
        }
    }
}

/// VT-02: both sites need the type with both properties before there is a group. A peer that cannot be asked is
/// no reason against one (C26): `site validate` and dry runs find it later.
fn type_refusals(ask: &CreateAsk, facts: &CreateFacts) -> Vec<Refusal> {
    let here = type_refusal(&facts.volume_types, ask, &ask.volume_type, "this site");
    let there = facts.peer.as_ref().and_then(|peer| {
        let types = peer.volume_types.as_ref()?;
        type_refusal(types, ask, secondary_type(ask), &ask.secondary_site)
    });
    here.into_iter().chain(there).collect()
}

fn type_refusal(types: &[VolumeType], ask: &CreateAsk, name: &str, site: &str) -> Option<Refusal> {
    let (volume_type, site) = (name.to_owned(), site.to_owned());
    match types.iter().find(|t| t.name == name) {
        None => Some(Refusal::NoVolumeType { volume_type, site }),
        Some(found) if !is_replicated(found, ask.replication_type) => {
            Some(Refusal::TypeNotReplicated { volume_type, site })
        }
        Some(_) => None,
    }
}

/// C1: of the same name as the primary's, unless it is named.
fn secondary_type(ask: &CreateAsk) -> &str {
    ask.secondary_volume_type
        .as_ref()
        .unwrap_or(&ask.volume_type)
}

fn first_body(
    ask: &CreateAsk,
    facts: &CreateFacts,
    peer: &PeerFacts,
    peer_project: ProjectId,
) -> GroupBody {
    GroupBody {
        schema: SCHEMA,
        name: ask.name.clone(),
        description: ask.description.clone(),
        replication_type: ask.replication_type,
        sides: Sides {
            home: SidePlace {
                site: facts.site,
                project: facts.project.clone(),
                volume_type: ask.volume_type.clone(),
            },
            other: SidePlace {
                site: peer.site,
                project: peer_project,
                volume_type: secondary_type(ask).to_owned(),
            },
        },
        status: GroupStatus::Active,
        policy: None,
        mappings: peer.mappings.clone(),
        members: Vec::new(),
        protected: true,
        on_return: OnReturn::default(),
        failover_count: 0,
        last_failover_at_us: None,
        created_at_us: facts.now_us,
    }
}
