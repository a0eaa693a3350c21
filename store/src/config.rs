//! Where the store is and how it is opened. Absent: opening it (`connect`).

use crate::error::StoreError;
use crate::seal::SealingKey;
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;

/// Prefix of a database in memory; what follows names it within the process.
const MEMORY: &str = "sqlite::memory:";

/// Where the key for secrets at rest is.
#[derive(Debug, Clone, Default)]
pub enum KeySource {
    /// `<database file>.key`; only for SQLite files.
    #[default]
    BesideDatabase,
    /// This file, made by the first `migrate`.
    File(PathBuf),
    /// Given directly. Tests and simulation.
    Given(SealingKey),
}

/// How to open a store. The URL may hold a password, so it is never shown.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    pub(crate) url: SecretString,
    pub(crate) inline: bool,
    pub(crate) synchronous_full: bool,
    pub(crate) key: KeySource,
}

impl StoreConfig {
    /// `sqlite:///path`, `sqlite::memory:NAME`, `mysql://user:pass@host/db` or `mysql+pymysql://..`
    /// (`[database] connection`, section 1.3).
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: SecretString::from(url.into()),
            inline: false,
            synchronous_full: true,
            key: KeySource::default(),
        }
    }

    /// Whether `url` is one that `new` takes, before anything is opened.
    ///
    /// Errors: `Illegal`, without showing it.
    pub fn check(url: &SecretString) -> Result<(), StoreError> {
        Address::parse(url).map(drop)
    }

    /// The database is waited for where it is asked, not aside: mandatory under simulated time, which a
    /// pending thread would stop and a pending socket would let run away.
    #[must_use]
    pub fn inline(self, inline: bool) -> Self {
        Self { inline, ..self }
    }

    /// SQLite `synchronous=FULL` (the default): a commit survives power loss. Off in simulation only.
    #[must_use]
    pub fn synchronous_full(self, synchronous_full: bool) -> Self {
        Self {
            synchronous_full,
            ..self
        }
    }

    /// Where the key for secrets at rest is.
    #[must_use]
    pub fn key(self, key: KeySource) -> Self {
        Self { key, ..self }
    }
}

/// A database address, read.
#[derive(Debug, Clone)]
pub(crate) enum Address {
    File(PathBuf),
    Memory(String),
    MariaDb(SecretString),
}

impl Address {
    /// Errors: `Illegal` for what names no database we know.
    pub(crate) fn parse(url: &SecretString) -> Result<Self, StoreError> {
        let url = url.expose_secret();
        if let Some(name) = url.strip_prefix(MEMORY) {
            return memory(name);
        }
        if let Some(path) = url.strip_prefix("sqlite://") {
            return file(path);
        }
        let rest = url
            .strip_prefix("mysql+pymysql://")
            .or_else(|| url.strip_prefix("mysql://"));
        match rest {
            Some(rest) => Ok(Self::MariaDb(SecretString::from(mariadb(rest)))),
            None => Err(illegal(
                "[database] connection must begin with sqlite:// or mysql://",
            )),
        }
    }
}

fn illegal(why: &str) -> StoreError {
    StoreError::Illegal(why.to_owned())
}

fn memory(name: &str) -> Result<Address, StoreError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(plain) {
        return Err(illegal(
            "a database in memory needs a name of letters, digits, - _ .",
        ));
    }
    Ok(Address::Memory(name.to_owned()))
}

fn file(path: &str) -> Result<Address, StoreError> {
    // Three slashes or, as SQLAlchemy spells an absolute path, four.
    let path = path
        .strip_prefix('/')
        .map_or(path, |rest| if rest.starts_with('/') { rest } else { path });
    if path.is_empty() || path.contains(['?', '#', '%']) {
        return Err(illegal(
            "the path of the database must be given, without ? # or %",
        ));
    }
    Ok(Address::File(PathBuf::from(path)))
}

/// Options of the address that this driver knows and may be given: the rest are the Python driver's
/// (`charset=utf8`), which it would refuse; the connection is UTF-8 anyway.
const OPTIONS: &[&str] = &["prefer_socket", "socket"];

fn mariadb(rest: &str) -> String {
    // A `?` before the `@` is part of a password.
    let options = rest
        .rsplit_once('?')
        .filter(|(_, options)| !options.contains('@'));
    let Some((address, options)) = options else {
        return format!("mysql://{rest}");
    };
    let known = |option: &&str| {
        let name = option.split('=').next().unwrap_or_default();
        OPTIONS.contains(&name)
    };
    let kept: Vec<&str> = options.split('&').filter(known).collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    format!("mysql://{address}{mark}{}", kept.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> String {
        match Address::parse(&SecretString::from(url.to_owned())) {
            Ok(Address::File(path)) => format!("file {}", path.display()),
            Ok(Address::Memory(name)) => format!("memory {name}"),
            Ok(Address::MariaDb(url)) => format!("mariadb {}", url.expose_secret()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_kind_of_address() {
        assert_eq!(read("sqlite:///var/lib/p.db"), "file /var/lib/p.db");
        assert_eq!(read("sqlite:////var/lib/p.db"), "file /var/lib/p.db");
        assert_eq!(read("sqlite::memory:site-a.1"), "memory site-a.1");
        assert_eq!(
            read("mysql+pymysql://protector:p%40ss@controller/protector?charset=utf8"),
            "mariadb mysql://protector:p%40ss@controller/protector"
        );
        assert_eq!(read("mysql://a:b?c@h/d"), "mariadb mysql://a:b?c@h/d");
        let mixed = "mysql://a:b@h/d?charset=utf8&prefer_socket=false&ssl_ca=x";
        assert_eq!(read(mixed), "mariadb mysql://a:b@h/d?prefer_socket=false");
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_it() {
        for url in [
            "postgres://u:hunter2@h/d",
            "sqlite://",
            "sqlite::memory:",
            "sqlite::memory:a?b",
        ] {
            let said = read(url);
            assert!(said.starts_with("the store refuses"), "{url}: {said}");
            assert!(!said.contains("hunter2"));
        }
        let config = StoreConfig::new("mysql://u:hunter2@h/d");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
