//! Everything the cloud holds, for tests. Deliberately absent: tokens, passwords, keys, user data,
//! and any way to read it by HTTP: the product must never see it.

use serde::Serialize;

use super::keystone::{AppCredential, Grant, Project, Role, Trust, User};
use super::neutron::{FloatingIp, Network, Port, Router, SecurityGroup, Subnet};
use super::{
    Attachment, Cloud, Flavor, Group, GroupType, Image, Keypair, Server, ServerGroup, Snapshot,
    Transfer, Volume, VolumeType,
};

/// All objects at one moment, each list sorted by id.
#[derive(Debug, Clone, Serialize)]
pub struct GroundTruth {
    /// The cloud's name.
    pub cloud: String,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// Projects.
    pub projects: Vec<Project>,
    /// Users.
    pub users: Vec<User>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Role assignments.
    pub grants: Vec<Grant>,
    /// Trusts that were not deleted.
    pub trusts: Vec<Trust>,
    /// Application credentials.
    pub app_credentials: Vec<AppCredential>,
    /// Flavors.
    pub flavors: Vec<Flavor>,
    /// Keypairs.
    pub keypairs: Vec<Keypair>,
    /// Server groups.
    pub server_groups: Vec<ServerGroup>,
    /// Servers, deleted ones included, each with its power over time.
    pub servers: Vec<Server>,
    /// Volume types.
    pub volume_types: Vec<VolumeType>,
    /// Volumes.
    pub volumes: Vec<Volume>,
    /// Attachments.
    pub attachments: Vec<Attachment>,
    /// Snapshots.
    pub snapshots: Vec<Snapshot>,
    /// Volume groups.
    pub groups: Vec<Group>,
    /// Group types.
    pub group_types: Vec<GroupType>,
    /// Open transfers.
    pub transfers: Vec<Transfer>,
    /// Networks.
    pub networks: Vec<Network>,
    /// Subnets.
    pub subnets: Vec<Subnet>,
    /// Ports.
    pub ports: Vec<Port>,
    /// Security groups.
    pub security_groups: Vec<SecurityGroup>,
    /// Routers.
    pub routers: Vec<Router>,
    /// Floating IPs.
    pub floating_ips: Vec<FloatingIp>,
    /// Tags by id of the network object that carries them.
    pub tags: std::collections::BTreeMap<String, Vec<String>>,
    /// Images.
    pub images: Vec<Image>,
}

fn all<K, V: Clone>(map: &std::collections::BTreeMap<K, V>) -> Vec<V> {
    map.values().cloned().collect()
}

impl Cloud {
    /// Everything there is at `now_ms`, after what is due by then.
    pub fn ground_truth(&mut self, now_ms: i64) -> GroundTruth {
        self.advance(now_ms);
        let tagged = self
            .neutron
            .tags
            .iter()
            .filter(|(_, tags)| !tags.is_empty());
        let tags = tagged
            .map(|(id, tags)| (id.clone(), tags.iter().cloned().collect()))
            .collect();
        GroundTruth {
            cloud: self.config.name.clone(),
            at_ms: now_ms,
            projects: all(&self.keystone.projects),
            users: all(&self.keystone.users),
            roles: all(&self.keystone.roles),
            grants: self.keystone.grants.iter().cloned().collect(),
            trusts: all(&self.keystone.trusts),
            app_credentials: all(&self.keystone.app_credentials),
            flavors: all(&self.nova.flavors),
            keypairs: all(&self.nova.keypairs),
            server_groups: all(&self.nova.server_groups),
            servers: all(&self.nova.servers),
            volume_types: all(&self.cinder.types),
            volumes: all(&self.cinder.volumes),
            attachments: all(&self.cinder.attachments),
            snapshots: all(&self.cinder.snapshots),
            groups: all(&self.cinder.groups),
            group_types: all(&self.cinder.group_types),
            transfers: all(&self.cinder.transfers),
            networks: all(&self.neutron.networks),
            subnets: all(&self.neutron.subnets),
            ports: all(&self.neutron.ports),
            security_groups: all(&self.neutron.security_groups),
            routers: all(&self.neutron.routers),
            floating_ips: all(&self.neutron.floating_ips),
            tags,
            images: all(&self.glance.images),
        }
    }
}
