//! Putting things into the cloud without its APIs, for tests and demos.
//!
//! Deliberately absent: checks. A seed that makes no sense makes a cloud that makes no sense.

mod servers;
mod standard;

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::Cloud;
use super::cinder::{GroupType, VolumeType};
use super::glance::Image;
use super::keystone::{CatalogService, Grant, Project, User};
use super::neutron::Network;
use super::nova::{Flavor, Keypair, ServerGroup};
use super::wire::Service;
pub use servers::{SeedServer, SeededServer};
pub use standard::Standard;

/// A map from pairs of literals.
fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

impl Cloud {
    /// A project; gives its id.
    pub fn seed_project(&mut self, name: &str) -> String {
        let id = self.ids.hex32();
        let project = Project {
            id: id.clone(),
            name: name.to_owned(),
            description: String::new(),
            enabled: true,
        };
        self.keystone.projects.insert(id.clone(), project);
        id
    }

    /// A service at a URL of its own (`$(project_id)s` stands for the project), on all interfaces.
    pub fn seed_service(&mut self, name: &str, kind: &str, url: &str) {
        let service = CatalogService::new(&mut self.ids, name, kind, url);
        self.keystone.services.push(service);
    }

    /// A user without roles; gives its id.
    pub fn seed_user(&mut self, name: &str, password: &str) -> String {
        let id = self.ids.hex32();
        let user = User {
            id: id.clone(),
            name: name.to_owned(),
            enabled: true,
            default_project_id: None,
            password: SecretString::from(password.to_owned()),
        };
        self.keystone.users.insert(id.clone(), user);
        id
    }

    /// A role that implies nothing; gives its id.
    pub fn seed_role(&mut self, name: &str) -> String {
        self.keystone.role_add(&mut self.ids, name, &[])
    }

    /// A role that brings another with it, for example one for recovery that implies `member`.
    pub fn seed_role_implying(&mut self, name: &str, implied: &str) -> String {
        let implied = self.role_id(implied).unwrap_or_default();
        self.keystone.role_add(&mut self.ids, name, &[&implied])
    }

    /// The id of a role by name.
    pub fn role_id(&self, name: &str) -> Option<String> {
        self.keystone.role_named(name).map(|role| role.id.clone())
    }

    /// Gives a user a role in a project. `false`: no such role.
    pub fn seed_grant(&mut self, user_id: &str, project_id: &str, role: &str) -> bool {
        let Some(role_id) = self.role_id(role) else {
            return false;
        };
        self.keystone.grants.insert(Grant {
            user_id: user_id.to_owned(),
            project_id: project_id.to_owned(),
            role_id,
        });
        true
    }

    /// A public flavor; gives its id.
    pub fn seed_flavor(&mut self, name: &str, vcpus: i64, ram_mb: i64, disk_gb: i64) -> String {
        let id = self.ids.uuid();
        let flavor = Flavor {
            id: id.clone(),
            name: name.to_owned(),
            vcpus,
            ram_mb,
            disk_gb,
            is_public: true,
            extra_specs: BTreeMap::new(),
        };
        self.nova.flavors.insert(id.clone(), flavor);
        id
    }

    /// Sets an extra spec of a flavor.
    pub fn seed_flavor_spec(&mut self, flavor_id: &str, key: &str, value: &str) {
        if let Some(flavor) = self.nova.flavors.get_mut(flavor_id) {
            flavor.extra_specs.insert(key.to_owned(), value.to_owned());
        }
    }

    /// A keypair of a user.
    pub fn seed_keypair(&mut self, user_id: &str, name: &str, public_key: &str, now_ms: i64) {
        let keypair = Keypair {
            name: name.to_owned(),
            user_id: user_id.to_owned(),
            public_key: public_key.to_owned(),
            created_ms: now_ms,
        };
        let key = (user_id.to_owned(), name.to_owned());
        self.nova.keypairs.insert(key, keypair);
    }

    /// A server group; gives its id.
    pub fn seed_server_group(
        &mut self,
        project_id: &str,
        user_id: &str,
        name: &str,
        policy: &str,
    ) -> String {
        let id = self.ids.uuid();
        let group = ServerGroup {
            id: id.clone(),
            name: name.to_owned(),
            project_id: project_id.to_owned(),
            user_id: user_id.to_owned(),
            policy: policy.to_owned(),
            members: Vec::new(),
        };
        self.nova.server_groups.insert(id.clone(), group);
        id
    }

    /// A public volume type with extra specs; gives its id. The first one is the default type.
    pub fn seed_volume_type(&mut self, name: &str, specs: &[(&str, &str)]) -> String {
        let id = self.ids.uuid();
        let kind = VolumeType {
            id: id.clone(),
            name: name.to_owned(),
            description: String::new(),
            is_public: true,
            encrypted: false,
            extra_specs: map(specs),
        };
        self.cinder.types.insert(id.clone(), kind);
        self.cinder.default_type.get_or_insert_with(|| id.clone());
        id
    }

    /// Changes a volume type behind everybody's back (fault `G5`).
    pub fn seed_volume_type_change(&mut self, type_id: &str, change: impl FnOnce(&mut VolumeType)) {
        if let Some(kind) = self.cinder.types.get_mut(type_id) {
            change(kind);
        }
    }

    /// A group type with group specs; gives its id.
    pub fn seed_group_type(&mut self, name: &str, specs: &[(&str, &str)]) -> String {
        let id = self.ids.uuid();
        let kind = GroupType {
            id: id.clone(),
            name: name.to_owned(),
            group_specs: map(specs),
        };
        self.cinder.group_types.insert(id.clone(), kind);
        id
    }

    /// A network with one subnet; gives both ids. `None`: the CIDR is none, or too small.
    pub fn seed_network(
        &mut self,
        project_id: &str,
        name: &str,
        cidr: &str,
        now_ms: i64,
    ) -> Option<(String, String)> {
        let network_id = self.ids.uuid();
        let network = Network {
            id: network_id.clone(),
            name: name.to_owned(),
            description: String::new(),
            project_id: project_id.to_owned(),
            shared: false,
            external: false,
            port_security_enabled: true,
            created_ms: now_ms,
        };
        self.neutron.networks.insert(network_id.clone(), network);
        let subnet_id = self.subnet_add(&network_id, &format!("{name}-v4"), cidr, now_ms)?;
        Some((network_id, subnet_id))
    }

    /// Makes a network shared, or external, or neither.
    pub fn seed_network_kind(&mut self, network_id: &str, shared: bool, external: bool) {
        if let Some(network) = self.neutron.networks.get_mut(network_id) {
            network.shared = shared;
            network.external = external;
        }
    }

    /// A further IPv4 subnet; gives its id.
    pub fn seed_subnet(
        &mut self,
        network_id: &str,
        name: &str,
        cidr: &str,
        now_ms: i64,
    ) -> Option<String> {
        self.subnet_add(network_id, name, cidr, now_ms)
    }

    /// A security group; gives its id.
    pub fn seed_security_group(&mut self, project_id: &str, name: &str, now_ms: i64) -> String {
        self.security_group_add(project_id, name, "", now_ms)
    }

    /// A public image; gives its id.
    pub fn seed_image(&mut self, owner: &str, name: &str, min_disk_gb: i64, now_ms: i64) -> String {
        let id = self.ids.uuid();
        let image = Image {
            id: id.clone(),
            name: name.to_owned(),
            visibility: "public".to_owned(),
            owner: owner.to_owned(),
            min_disk_gb,
            size_bytes: 1 << 20,
            properties: map(&[("hw_disk_bus", "virtio")]),
            created_ms: now_ms,
        };
        self.glance.images.insert(id.clone(), image);
        id
    }

    /// Sets a limit of a project at Nova, Cinder or Neutron; -1 lifts it.
    pub fn seed_quota(&mut self, service: Service, project_id: &str, resource: &str, limit: i64) {
        let quotas = match service {
            Service::Compute => &mut self.nova.quotas,
            Service::Volume => &mut self.cinder.quotas,
            Service::Network => &mut self.neutron.quotas,
            Service::Identity | Service::Image => return,
        };
        let limits = quotas.entry(project_id.to_owned()).or_default();
        limits.insert(resource.to_owned(), limit);
    }

    /// A token for a user in a project as if it had logged in; for tests that are not about login.
    pub fn seed_token(&mut self, user_id: &str, project_id: &str, now_ms: i64) -> String {
        let expires_ms = now_ms + self.knobs.token_lifetime_s * 1_000;
        self.token_mint(user_id, project_id, now_ms, expires_ms)
    }
}
