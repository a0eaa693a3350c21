//! `protector-manage db restored`: what is refused before anything is written, and what is told after.
//!
//! Absent: what being restored means for a group (`actors::restored` and the rules).

use crate::config::Config;
use crate::daemon::{self, DaemonError};
use crate::identity::{self, IdentityError};
use crate::mark_file::MarkFile;
use protector_actors::{Doubted, Memory, RestoreError};
use protector_domain::ids::SiteId;
use protector_domain::ports::MarkKeeper;
use protector_runtime::ctx::Ctx;
use protector_store::{Store, StoreError};
use std::io::ErrorKind;
use tokio::net::TcpListener;

/// Why nothing was marked.
#[derive(Debug, thiserror::Error)]
pub enum RestoredError {
    #[error(
        "no_database: there is no schema in [database] connection; restore the backup into it first"
    )]
    NoDatabase,
    #[error(
        "schema_mismatch: the database has schema {found}, this program {wanted}; {}", remedy(*.newer)
    )]
    Schema {
        found: String,
        wanted: String,
        newer: bool,
    },
    #[error(
        "no_identity: the database has no identity of a site; bring it back: protector-manage key import <file>"
    )]
    NoIdentity,
    #[error("daemon_runs: {0}; stop protectord, then repeat")]
    DaemonRuns(#[source] DaemonError),
    #[error("{code}: {0}; mend that, then repeat: it is harmless twice", code = code(.0))]
    Marking(#[from] RestoreError),
    #[error("store_down: {0}; mend that, then repeat")]
    Store(#[from] StoreError),
    #[error("identity_damaged: {0}")]
    Identity(#[from] IdentityError),
}

fn remedy(newer: bool) -> &'static str {
    if newer {
        "install the newer program"
    } else {
        "run protector-manage db sync, then repeat"
    }
}

fn code(error: &RestoreError) -> &'static str {
    match error {
        RestoreError::Mark(_) => "mark_file",
        RestoreError::Store(_) => "store_down",
        RestoreError::Rules { .. } | RestoreError::Restless(_) => "group_not_marked",
    }
}

/// What was done, for people.
#[derive(Debug)]
pub struct Told {
    pub site: SiteId,
    pub place: String,
    pub doubted: Doubted,
}

/// Puts every group of this site in doubt, and the raised mark into the database and beside the key.
///
/// # Errors
/// No database of this schema with an identity; a daemon that listens; the store; the mark's file.
pub async fn restored(config: &Config, store: &Store, ctx: &Ctx) -> Result<Told, RestoredError> {
    store.schema_check().await.map_err(refused)?;
    let known = store.identity_fetch().await?;
    let site = known.ok_or(RestoredError::NoIdentity)?.site;
    // Held until all is done: a daemon on this host cannot come up meanwhile.
    let _place = place(config).await?;
    let identity = identity::ensure(store, ctx, site).await?;
    let marks = MarkFile::beside(&config.encryption_key_file);
    let memory = Memory {
        store,
        identity: &identity,
        marks: &marks,
        ctx,
    };
    let doubted = memory.restored().await?;
    let place = marks.place();
    Ok(Told {
        site,
        place,
        doubted,
    })
}

/// The daemon's own place on this host. Where it cannot listen at all, none runs.
async fn place(config: &Config) -> Result<Option<TcpListener>, RestoredError> {
    match daemon::bind(config).await {
        Ok((listener, _)) => Ok(Some(listener)),
        Err(DaemonError::Bind { cause, .. }) if cause.kind() != ErrorKind::AddrInUse => Ok(None),
        Err(error) => Err(RestoredError::DaemonRuns(error)),
    }
}

fn refused(error: StoreError) -> RestoredError {
    match error {
        StoreError::SchemaMismatch { found, .. } if found == "none" => RestoredError::NoDatabase,
        StoreError::SchemaMismatch {
            found,
            wanted,
            newer,
        } => RestoredError::Schema {
            found,
            wanted,
            newer,
        },
        other => other.into(),
    }
}
