//! One behaviour model of an OpenStack cloud: Keystone, Nova, Cinder, Neutron and Glance subsets.
//!
//! Owns: what such a cloud is at a moment (`Cloud`) and how it answers a request (`Cloud::handle`).
//! A deterministic state machine: same seed, same requests, same times, same answers.
//!
//! Deliberately absent: clocks, sockets, tasks and entropy. Work that takes time is put on an agenda
//! and done lazily, at its own due time, when the next call arrives. The time a call itself takes
//! belongs to the network in front (`face` only carries bytes in and out). No Placement, no consoles,
//! no guest inside a server, no volume content: that is the array's.

mod agenda;
pub mod backend;
mod cinder;
mod dispatch;
pub mod face;
mod glance;
pub mod ids;
mod json;
mod keystone;
pub mod knobs;
mod log;
mod memory_backend;
mod neutron;
mod nova;
mod paging;
mod policy;
mod seed;
mod timefmt;
mod truth;
mod versions;
pub mod wire;

use std::sync::Arc;

use backend::VolumeBackend;
pub use cinder::{Attachment, Group, GroupType, Snapshot, Transfer, Volume, VolumeType};
pub use face::{NowMs, routes};
pub use glance::Image;
use ids::IdSource;
pub use keystone::{AppCredential, Grant, Project, Role, Trust, User};
pub use knobs::{Allow, FailRule, Knobs, Latencies, Span};
pub use log::CallRecord;
pub use memory_backend::MemoryBackend;
pub use neutron::{FixedIp, FloatingIp, Network, Port, Router, SecurityGroup, Subnet};
pub use nova::{BlockDevice, Flavor, Keypair, Nic, PowerMark, Server, ServerGroup};
pub use seed::{SeedServer, SeededServer, Standard};
pub use truth::GroundTruth;
pub use wire::{Req, Resp, Service};

/// What does not change while a cloud lives.
#[derive(Debug, Clone)]
pub struct CloudConfig {
    /// Short name, also the host part of its services, for example `site-a`.
    pub name: String,
    /// Where ids and latencies start. Two clouds of one test need different seeds.
    pub seed: u64,
    /// Scheme and authority that the catalog and the links carry, without a trailing slash.
    pub base_url: String,
    /// The one region of the catalog.
    pub region: String,
    /// Hosts that servers are put on, in turn.
    pub compute_hosts: Vec<String>,
    /// Cinder's only pool, `host@backend#pool`.
    pub volume_host: String,
    /// What `volume_backend_name` of a type must say, where it says anything.
    pub volume_backend_name: String,
    /// The one availability zone, of Nova, Cinder and Neutron alike.
    pub availability_zone: String,
}

impl CloudConfig {
    /// A cloud of the usual shape: two compute hosts, back end `pure`, region `RegionOne`.
    pub fn named(name: &str, seed: u64) -> Self {
        Self {
            name: name.to_owned(),
            seed,
            base_url: format!("http://{name}.cloud.test"),
            region: "RegionOne".to_owned(),
            compute_hosts: vec![format!("{name}-compute-1"), format!("{name}-compute-2")],
            volume_host: format!("{name}@pure#pure"),
            volume_backend_name: "pure".to_owned(),
            availability_zone: "nova".to_owned(),
        }
    }
}

/// A whole cloud at one moment.
pub struct Cloud {
    config: CloudConfig,
    /// What a test makes go slow or wrong. Free to change at any time.
    pub knobs: Knobs,
    ids: IdSource,
    /// Latencies are drawn from here, so that changing one never changes an id.
    dice: IdSource,
    agenda: agenda::Agenda,
    backend: Arc<dyn VolumeBackend>,
    keystone: keystone::Keystone,
    nova: nova::Nova,
    cinder: cinder::Cinder,
    neutron: neutron::Neutron,
    glance: glance::Glance,
    log: log::CallLog,
}

impl Cloud {
    /// An empty cloud with the roles every Keystone has, over `backend`.
    pub fn new(config: CloudConfig, backend: Arc<dyn VolumeBackend>) -> Self {
        let mut ids = IdSource::new(config.seed);
        let dice = IdSource::new(config.seed ^ 0x5eed_1a7e_0000_0001);
        let keystone = keystone::Keystone::bootstrapped(&mut ids);
        Self {
            config,
            knobs: Knobs::default(),
            ids,
            dice,
            agenda: agenda::Agenda::default(),
            backend,
            keystone,
            nova: nova::Nova::default(),
            cinder: cinder::Cinder::default(),
            neutron: neutron::Neutron::default(),
            glance: glance::Glance::default(),
            log: log::CallLog::default(),
        }
    }

    /// What the cloud was made with.
    pub fn config(&self) -> &CloudConfig {
        &self.config
    }
}
