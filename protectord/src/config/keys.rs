//! Every key of `protector.conf` in one table: section, name, default. `docs/operations/configuration.md`
//! describes the same ones, and a test holds the two together.
//!
//! Absent: what a value must look like (`read`).

/// What holds if the file is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// There has to be a value.
    Required,
    /// Nothing; the effect says what that means.
    None,
    Text(&'static str),
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub section: &'static str,
    pub name: &'static str,
    pub preset: Preset,
}

const fn key(section: &'static str, name: &'static str, preset: Preset) -> Key {
    Key {
        section,
        name,
        preset,
    }
}

use Preset::{None as Nothing, Required, Text};

const AUTH: &str = "keystone_authtoken";

/// CFG-01, and the keys of ours.
pub const KEYS: &[Key] = &[
    key("DEFAULT", "debug", Text("False")),
    key("DEFAULT", "log_dir", Nothing),
    key("DEFAULT", "state_path", Text("/var/lib/protector")),
    key("api", "bind_host", Text("0.0.0.0")),
    key("api", "bind_port", Text("8788")),
    key("api", "workers", Text("4")),
    key("api", "public_endpoint", Nothing),
    key("database", "connection", Required),
    key("database", "encryption_key_file", Nothing),
    key(AUTH, "www_authenticate_uri", Nothing),
    key(AUTH, "auth_url", Required),
    key(AUTH, "auth_type", Text("password")),
    key(AUTH, "memcached_servers", Nothing),
    key(AUTH, "project_domain_name", Text("Default")),
    key(AUTH, "user_domain_name", Text("Default")),
    key(AUTH, "project_name", Text("service")),
    key(AUTH, "username", Text("protector")),
    key(AUTH, "password", Required),
    key(AUTH, "region_name", Nothing),
    key(AUTH, "interface", Text("internal")),
    key(AUTH, "cafile", Nothing),
    key(AUTH, "insecure", Text("False")),
    key(
        "service_credentials",
        "default_trust_roles",
        Text("member,_member_"),
    ),
    key("oslo_policy", "policy_file", Nothing),
    key("engine", "storage_driver", Text("pure")),
    key("engine", "mock_db_path", Text(":memory:")),
    key("engine", "site_name", Text("protector")),
    key("engine", "allow_loopback_urls", Text("False")),
];

/// The key of this place.
pub fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter()
        .find(|key| key.section == section && key.name == name)
}

/// The known key that was probably meant.
pub fn nearest(section: &str, name: &str) -> Option<&'static Key> {
    let same = |key: &&Key| key.name.eq_ignore_ascii_case(name);
    let here = |key: &&Key| key.section.eq_ignore_ascii_case(section);
    KEYS.iter()
        .find(|key| same(key) && here(key))
        .or_else(|| KEYS.iter().find(same))
}
