//! A small, usual cloud: an admin, a service user, one tenant with networks, groups and a key.

use super::super::Cloud;

/// Ids of what `seed_standard` made. Every password is `secret`.
#[derive(Debug, Clone)]
pub struct Standard {
    /// Project `admin`.
    pub admin_project: String,
    /// Project `service`.
    pub service_project: String,
    /// Project `demo`, the tenant.
    pub demo_project: String,
    /// User `admin`, admin in `admin` and `demo`.
    pub admin_user: String,
    /// User `protector`, admin in `service`.
    pub protector_user: String,
    /// User `demo`, member of `demo`.
    pub demo_user: String,
    /// Flavors `lab.tiny`, `lab.small`, `lab.medium`, `lab.large`.
    pub flavors: Vec<String>,
    /// Networks `app-net`, `db-net`, `mgmt-net` of `demo`.
    pub networks: Vec<String>,
    /// Their subnets, in the same order.
    pub subnets: Vec<String>,
    /// External network `public`.
    pub public_network: String,
    /// Type `standard`, the default.
    pub type_standard: String,
    /// Type `replicated-ssd`, asynchronous.
    pub type_replicated: String,
    /// Type `replicated-sync`, synchronous.
    pub type_sync: String,
    /// Group type `consistent`.
    pub group_type: String,
    /// Image `tiny`.
    pub image: String,
}

const PASSWORD: &str = "secret";
const FLAVORS: [(&str, i64, i64, i64); 4] = [
    ("lab.tiny", 1, 256, 0),
    ("lab.small", 1, 1_024, 10),
    ("lab.medium", 2, 4_096, 10),
    ("lab.large", 4, 8_192, 10),
];
const NETWORKS: [&str; 3] = ["app-net", "db-net", "mgmt-net"];
const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFake lab-key";

impl Cloud {
    /// Fills an empty cloud. `octet` keeps two sites' addresses apart: networks are `10.OCTET.N.0/24`.
    pub fn seed_standard(&mut self, octet: u8, now_ms: i64) -> Standard {
        let admin_project = self.seed_project("admin");
        let service_project = self.seed_project("service");
        let demo_project = self.seed_project("demo");
        let admin_user = self.seed_user("admin", PASSWORD);
        let protector_user = self.seed_user("protector", PASSWORD);
        let demo_user = self.seed_user("demo", PASSWORD);
        self.seed_grant(&admin_user, &admin_project, "admin");
        self.seed_grant(&admin_user, &demo_project, "admin");
        self.seed_grant(&protector_user, &service_project, "admin");
        self.seed_grant(&demo_user, &demo_project, "member");
        let (networks, subnets) = self.seed_standard_networks(&demo_project, octet, now_ms);
        let public = format!("172.24.{octet}.0/24");
        let public = self.seed_network(&admin_project, "public", &public, now_ms);
        let public_network = public.map(|(network, _)| network).unwrap_or_default();
        self.seed_network_kind(&public_network, false, true);
        for group in ["ssh", "web", "db"] {
            self.seed_security_group(&demo_project, group, now_ms);
        }
        self.seed_keypair(&demo_user, "lab-key", PUBLIC_KEY, now_ms);
        let backend = self.config.volume_backend_name.clone();
        let mut kind = |name: &str, mode: Option<&str>| {
            let mut specs = vec![("volume_backend_name", backend.as_str())];
            if let Some(mode) = mode {
                specs.extend([
                    ("replication_enabled", "<is> True"),
                    ("replication_type", mode),
                ]);
            }
            self.seed_volume_type(name, &specs)
        };
        let type_standard = kind("standard", None);
        let type_replicated = kind("replicated-ssd", Some("<in> async"));
        let type_sync = kind("replicated-sync", Some("<in> sync"));
        let consistent = [("consistent_group_snapshot_enabled", "<is> True")];
        Standard {
            flavors: FLAVORS
                .iter()
                .map(|(name, cpu, ram, disk)| self.seed_flavor(name, *cpu, *ram, *disk))
                .collect(),
            group_type: self.seed_group_type("consistent", &consistent),
            image: self.seed_image(&admin_project, "tiny", 1, now_ms),
            admin_project,
            service_project,
            demo_project,
            admin_user,
            protector_user,
            demo_user,
            networks,
            subnets,
            public_network,
            type_standard,
            type_replicated,
            type_sync,
        }
    }

    /// The three networks of a project, with their subnets in the same order.
    pub fn seed_standard_networks(
        &mut self,
        project: &str,
        octet: u8,
        now_ms: i64,
    ) -> (Vec<String>, Vec<String>) {
        let numbered = (0..).zip(NETWORKS);
        let pairs = numbered.filter_map(|(number, name): (u8, &str)| {
            self.seed_network(project, name, &format!("10.{octet}.{number}.0/24"), now_ms)
        });
        pairs.unzip()
    }
}
