//! `protector.conf` (requirements 1.3): one file per site, read once at start.
//!
//! What is unknown is warned of, what is wrong stops the program before it did anything. Absent:
//! arrays and other sites, which administrators register through the API (CFG-03).

mod ini;
mod keys;
mod policy_file;
mod read;
#[cfg(test)]
mod tests;

pub use keys::{KEYS, Key, Preset};

use ini::Entries;
use protector_openstack::Interface;
use read::Values;
use secrecy::SecretString;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where the file is unless `--config-file` says otherwise (INS-08).
pub const CONFIG_FILE: &str = "/etc/protector/protector.conf";
/// Largest file that is read, bytes.
const CONFIG_BYTES_MAX: u64 = 1 << 20;
const WORKERS_MAX: usize = 256;

/// Which storage driver the engine loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Driver {
    Pure,
    /// Simulated arrays. Never for production.
    Mock(MockArrays),
}

/// Where the simulated arrays live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MockArrays {
    /// Gone when the process ends.
    Memory,
    File(PathBuf),
}

/// How Keystone is reached, and as whom.
#[derive(Debug, Clone)]
pub struct Keystone {
    /// Named in 401 answers; the public address.
    pub www_authenticate_uri: String,
    pub auth_url: String,
    pub region_name: Option<String>,
    pub interface: Interface,
    pub username: String,
    pub user_domain_name: String,
    pub password: SecretString,
    pub project_name: String,
    pub project_domain_name: String,
    /// Roots in PEM that are trusted besides the machine's.
    pub cafile: Option<PathBuf>,
    /// Trust everybody. For labs.
    pub insecure: bool,
}

/// The whole file.
#[derive(Debug, Clone)]
pub struct Config {
    pub debug: bool,
    /// Logs go there, too.
    pub log_dir: Option<PathBuf>,
    pub state_path: PathBuf,
    pub bind_host: String,
    /// 0: any free port, for tests; it is logged.
    pub bind_port: u16,
    /// Threads that serve API and engine.
    pub workers: usize,
    /// Stands before the paths in links; empty: links are paths.
    pub public_endpoint: String,
    pub connection: SecretString,
    pub encryption_key_file: PathBuf,
    pub keystone: Keystone,
    pub default_trust_roles: Vec<String>,
    pub driver: Driver,
    /// For logs and names of threads and actors.
    pub site_name: String,
    /// URLs on this machine may be registered. For labs.
    pub allow_loopback_urls: bool,
}

/// A value that cannot be used. It names the place and never shows the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}{cause}", .file.display(), place(.section, .key))]
pub struct ConfigError {
    pub file: PathBuf,
    /// Empty: the file itself.
    pub section: String,
    pub key: String,
    pub cause: String,
}

fn place(section: &str, key: &str) -> String {
    if section.is_empty() {
        return String::new();
    }
    format!("[{section}] {key}: ")
}

/// A configuration with what is odd about its file, to be logged once there is a log.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub config: Config,
    pub warnings: Vec<String>,
}

/// Reads the file.
///
/// # Errors
/// The file cannot be read, or the first value that does not fit.
pub fn load(file: &Path) -> Result<Loaded, ConfigError> {
    let whole = |cause: String| ConfigError {
        file: file.to_owned(),
        section: String::new(),
        key: String::new(),
        cause,
    };
    let opened = std::fs::File::open(file).map_err(|e| whole(e.to_string()))?;
    let mode = opened.metadata().map(|m| m.permissions().mode());
    let mut text = String::new();
    let read = opened
        .take(CONFIG_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|e| whole(e.to_string()))?;
    if u64::try_from(read).unwrap_or(u64::MAX) > CONFIG_BYTES_MAX {
        return Err(whole(format!("it is larger than {CONFIG_BYTES_MAX} bytes")));
    }
    let mut loaded = parse(file, &text)?;
    if mode.is_ok_and(|mode| mode & 0o007 != 0) {
        let name = file.display();
        loaded
            .warnings
            .push(format!("{name}: everybody may read it; chmod 0640 {name}"));
    }
    Ok(loaded)
}

/// As `load`, of a text that was read already; `file` is for messages.
///
/// # Errors
/// As `load`.
pub fn parse(file: &Path, text: &str) -> Result<Loaded, ConfigError> {
    let entries = ini::parse(text).map_err(|cause| ConfigError {
        file: file.to_owned(),
        section: String::new(),
        key: String::new(),
        cause,
    })?;
    let values = Values {
        file,
        entries: &entries,
    };
    let config = config(&values)?;
    Ok(Loaded {
        warnings: warnings(file, &entries, &config),
        config,
    })
}

fn config(values: &Values<'_>) -> Result<Config, ConfigError> {
    let state_path = values.path("DEFAULT", "state_path")?;
    let state_path = state_path.unwrap_or_default();
    let key_file = values.path("database", "encryption_key_file")?;
    policy_file::check(values)?;
    Ok(Config {
        debug: values.flag("DEFAULT", "debug")?,
        log_dir: values.path("DEFAULT", "log_dir")?,
        encryption_key_file: key_file.unwrap_or_else(|| state_path.join("encryption.key")),
        state_path,
        bind_host: values.given("api", "bind_host")?,
        bind_port: values.number("api", "bind_port", 0, u16::MAX)?,
        workers: values.number("api", "workers", 1, WORKERS_MAX)?,
        public_endpoint: values.url("api", "public_endpoint")?.unwrap_or_default(),
        connection: connection(values)?,
        keystone: keystone(values)?,
        default_trust_roles: values.list("service_credentials", "default_trust_roles")?,
        driver: driver(values)?,
        site_name: values.given("engine", "site_name")?,
        allow_loopback_urls: values.flag("engine", "allow_loopback_urls")?,
    })
}

fn connection(values: &Values<'_>) -> Result<SecretString, ConfigError> {
    let (section, key) = ("database", "connection");
    let connection = values.secret(section, key)?;
    let judged = protector_store::StoreConfig::check(&connection);
    judged.map_err(|e| values.fault(section, key, e.to_string()))?;
    Ok(connection)
}

fn keystone(values: &Values<'_>) -> Result<Keystone, ConfigError> {
    const S: &str = "keystone_authtoken";
    let kind = values.given(S, "auth_type")?;
    if !["password", "v3password"].contains(&kind.as_str()) {
        let cause = "only `password` is supported: the service acts in many projects";
        return Err(values.fault(S, "auth_type", cause));
    }
    let auth_url = values.url(S, "auth_url")?.unwrap_or_default();
    let public = values.url(S, "www_authenticate_uri")?;
    let interface = values.given(S, "interface")?;
    Ok(Keystone {
        www_authenticate_uri: public.unwrap_or_else(|| auth_url.clone()),
        auth_url,
        region_name: values.text(S, "region_name")?,
        interface: interface
            .parse()
            .map_err(|_| values.fault(S, "interface", "it is none of public, internal, admin"))?,
        username: values.given(S, "username")?,
        user_domain_name: values.given(S, "user_domain_name")?,
        password: values.secret(S, "password")?,
        project_name: values.given(S, "project_name")?,
        project_domain_name: values.given(S, "project_domain_name")?,
        cafile: values.path(S, "cafile")?,
        insecure: values.flag(S, "insecure")?,
    })
}

fn driver(values: &Values<'_>) -> Result<Driver, ConfigError> {
    let (section, key) = ("engine", "storage_driver");
    match values.given(section, key)?.as_str() {
        "pure" => Ok(Driver::Pure),
        "mock" if values.given(section, "mock_db_path")? == ":memory:" => {
            Ok(Driver::Mock(MockArrays::Memory))
        }
        "mock" => {
            let path = values.path(section, "mock_db_path")?.unwrap_or_default();
            Ok(Driver::Mock(MockArrays::File(path)))
        }
        _ => Err(values.fault(section, key, "it is neither pure nor mock")),
    }
}

fn warnings(file: &Path, entries: &Entries, config: &Config) -> Vec<String> {
    let file = file.display();
    let mut warnings: Vec<String> = entries
        .keys()
        .filter(|(section, key)| keys::find(section, key).is_none())
        .map(|(section, key)| {
            let meant = keys::nearest(section, key);
            let meant = meant.map_or(String::new(), |k| {
                format!("; did you mean [{}] {}?", k.section, k.name)
            });
            format!("{file}: [{section}] {key} is unknown and has no effect{meant}")
        })
        .collect();
    let has =
        |section: &str, key: &str| entries.contains_key(&(section.to_owned(), key.to_owned()));
    if has("keystone_authtoken", "memcached_servers") {
        warnings.push(format!(
            "{file}: [keystone_authtoken] memcached_servers has no effect: tokens are remembered in the process"
        ));
    }
    if config.keystone.insecure {
        warnings.push(format!(
            "{file}: [keystone_authtoken] insecure: nobody's certificate is checked; never in production"
        ));
    }
    if config.debug {
        warnings.push(format!("{file}: [DEFAULT] debug: not for production"));
    }
    warnings
}
