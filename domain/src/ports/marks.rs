//! The restore mark outside the database: beside the identity key, where no backup of the database
//! takes it along (R13; sync-protocol, "Restored database").
//!
//! Absent: the mark inside the database, and what a difference between the two means.

/// Why the mark is not known, or not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    #[error("{place}: {why}")]
    Unreachable { place: String, why: String },
    /// Something is there, and it is no mark.
    #[error("{place} is no restore mark")]
    Damaged { place: String },
}

/// Keeps one number, which never falls.
pub trait MarkKeeper: Send + Sync {
    /// The mark; 0 if there never was one.
    ///
    /// # Errors
    /// It cannot be read, or is damaged. Neither means that there is none.
    fn fetch(&self) -> Result<u64, MarkError>;

    /// Once it returns the mark is `mark` or higher, also after a power failure. A damaged one is
    /// written anew.
    ///
    /// # Errors
    /// It cannot be written.
    fn raise(&self, mark: u64) -> Result<(), MarkError>;

    /// Where it is, for people.
    fn place(&self) -> String;
}
