//! What can go wrong, in the few kinds that a caller acts on differently.
//!
//! Absent: reading message texts (`classify` alone does that) and HTTP statuses.

use std::path::PathBuf;

/// Why a call to the store did not do what was asked. Cheap to clone: neighbours in one commit may
/// share a fate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The row changed since it was read. Read it again and decide again.
    #[error("the row changed since it was read")]
    Conflict,
    /// The group has another epoch than the writer acts under: its runner is superseded (S11).
    #[error("the group's epoch is no longer the one this writer acts under")]
    Fenced,
    /// The row that was to be changed does not exist.
    #[error("no such row")]
    Missing,
    /// A row of this identity or name exists.
    #[error("{what} already exists")]
    AlreadyThere {
        /// What is taken: a table's thing, or `idempotency_key`.
        what: &'static str,
        /// The row that has it, where known.
        id: Option<String>,
    },
    /// Queue full, or locked for longer than we wait. Nothing was written; ask again later (J10).
    #[error("the store is busy")]
    Busy,
    /// The connection was lost while committing: it may or may not be written. Re-read (J2).
    #[error("the outcome of the commit is not known")]
    Unknown,
    /// The database cannot be reached or takes no writes (J1, J6). Nothing was written.
    #[error("the database does not serve: {0}")]
    Down(String),
    /// A stored value cannot be read (J7).
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
    /// The schema is not the one of this program (J9).
    #[error("the database schema is {} than this program: it is at {found}, the program at {wanted}", if *.newer { "newer" } else { "older" })]
    SchemaMismatch {
        /// Newest migration of the database, or `none`.
        found: String,
        /// Newest migration of this program.
        wanted: String,
        /// True if the database knows migrations that this program does not.
        newer: bool,
    },
    /// Encryption at rest (J11).
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// What was asked can never be right; a defect of the caller.
    #[error("the store refuses: {0}")]
    Illegal(String),
}

/// Why sealed data cannot be opened, or nothing can be sealed. There is no plaintext fallback.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("there is no encryption key at {}", .path.display())]
    NoKey { path: PathBuf },
    #[error("a MariaDB store needs the path of its encryption key file")]
    NoPath,
    #[error("the encryption key file {} is unusable: {why}", .path.display())]
    BadKeyFile { path: PathBuf, why: String },
    #[error("sealed with key {sealed_with}, but this site has key {have}")]
    OtherKey { sealed_with: u8, have: u8 },
    #[error("{what} does not open: the encryption key is wrong or the value was tampered with")]
    WrongKey { what: String },
}

impl StoreError {
    /// True if the write itself is at fault, so that its neighbours may go on.
    pub(crate) fn is_own_fault(&self) -> bool {
        !matches!(self, Self::Busy | Self::Unknown | Self::Down(_))
    }

    /// True if the connection that said this must not be used again.
    pub(crate) fn breaks_connection(&self) -> bool {
        matches!(self, Self::Unknown | Self::Down(_))
    }
}
