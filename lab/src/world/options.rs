//! What a world is like, and which of its two sites is meant.

use protector_actors::Care;
use protector_domain::ids::SiteId;
use secrecy::SecretString;
use uuid::Uuid;

/// One of the two sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    A,
    B,
}

impl Which {
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "site-a",
            Self::B => "site-b",
        }
    }

    pub fn array(self) -> &'static str {
        match self {
            Self::A => "array-a",
            Self::B => "array-b",
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    pub(super) fn number(self) -> u64 {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }

    pub fn site_id(self) -> SiteId {
        SiteId(Uuid::from_u128(0x5173_0000 + u128::from(self.number())))
    }

    /// Where the cloud's services are.
    pub fn cloud_host(self) -> String {
        format!("{}.cloud.test", self.name())
    }

    /// The cloud's Keystone.
    pub fn auth_url(self) -> String {
        format!("http://{}/identity/v3", self.cloud_host())
    }

    /// Where the product's API is.
    pub fn api_host(self) -> String {
        format!("{}.protector.test:8788", self.name())
    }
}

#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// Same seed, same world.
    pub seed: u64,
    pub members: usize,
    /// The first of every this many members has one volume more.
    pub volumes: usize,
    pub latency_min_ms: u64,
    pub latency_max_ms: u64,
    pub care: Care,
    /// Worlds of one process need names of their own for their databases in memory.
    pub name: String,
    /// Addresses of the two sites' databases. `None`: in memory.
    pub databases: Option<[SecretString; 2]>,
    /// Such databases are waited for in place, so that simulated time stands still meanwhile and a case on them
    /// replays; otherwise they are asked as in production.
    pub replays: bool,
}

impl WorldOptions {
    /// Three VMs with five volumes.
    pub fn seeded(name: &str, seed: u64) -> Self {
        Self {
            seed,
            members: 3,
            volumes: 5,
            latency_min_ms: 1,
            latency_max_ms: 8,
            care: Care::default(),
            name: name.to_owned(),
            databases: None,
            replays: false,
        }
    }

    /// How many volumes each member has: all at least one, the rest spread from the first on.
    pub fn volumes_of(&self, member: usize) -> usize {
        let members = self.members.max(1);
        let extra = self.volumes.saturating_sub(members);
        1 + extra / members + usize::from(member < extra % members)
    }
}
