//! From the databases' words to ours: the one place that reads their message texts.
//!
//! diesel gives no error codes: on MariaDB deadlocks, lock waits, CHECK failures and lost
//! connections all arrive as `Unknown`, on SQLite "locked" does. Absent: what to do about it.

use crate::error::StoreError;
use diesel::ConnectionError;
use diesel::result::{DatabaseErrorKind as Kind, Error};

/// Somebody else holds the rows; the whole transaction can be repeated (J3).
const BUSY: &[&str] = &[
    "Deadlock found when trying to get lock", // 1213, also Galera's brute-force abort
    "Lock wait timeout exceeded",             // 1205
    "Record has changed since last read",     // 1020
    "WSREP has not yet prepared node",        // 1047
    "database is locked",                     // SQLITE_BUSY
    "database table is locked",               // SQLITE_LOCKED
    "database schema is locked",
    "Too many connections", // 1040
];

/// No connection, or a database that takes nothing.
const DOWN: &[&str] = &[
    "Connection to the server is closed",
    "Input/output error",
    "Driver error",
    "Pool was disconnected",
    "Server shutdown in progress",     // 1053
    "Connection was killed",           // 1927
    "Query execution was interrupted", // 1317
    "server has gone away",            // 2006
    "Lost connection",                 // 2013
    "database or disk is full",        // SQLITE_FULL
    "is full",                         // 1114 "The table '..' is full"
    "No space left",                   // 28
    "disk I/O error",                  // SQLITE_IOERR
    "unable to open database file",    // SQLITE_CANTOPEN
    "attempt to write a readonly",     // SQLITE_READONLY
    "running with the --read-only",    // 1290
    "running with the --innodb-read-only",
];

/// Bytes on disk that make no sense.
const CORRUPT: &[&str] = &[
    "database disk image is malformed",
    "file is not a database",
    "malformed database schema",
    "is marked as crashed", // 145, 1194
    "Index for table",      // 1034 "Index for table '..' is corrupt"
    "unsupported file format",
];

/// The schema of this program is not there.
const NO_SCHEMA: &[&str] = &[
    "no such table",
    "no such column",
    "doesn't exist",
    "Unknown column",
];

/// Values that can never be stored.
const ILLEGAL: &[&str] = &[
    "Data too long for column", // 1406
    "Out of range value",       // 1264
    "Incorrect string value",   // 1366
    "CONSTRAINT",               // 4025 "CONSTRAINT `..` failed"
    "CHECK constraint failed",
    "cannot store",             // STRICT tables
    "Got a packet bigger than", // 1153
    "string or blob too big",   // SQLITE_TOOBIG
];

/// No room (J6).
const FULL: &[&str] = &["is full", "No space left"];

/// A commit that found no room is a definite no, unlike other lost commits.
pub fn is_full(error: &StoreError) -> bool {
    matches!(error, StoreError::Down(why) if says(why, FULL))
}

fn says(message: &str, texts: &[&str]) -> bool {
    texts.iter().any(|text| message.contains(text))
}

/// An answer of the database, as what it means to a caller. A duplicate is `AlreadyThere` of a
/// `row`; the query that knows better says so itself.
pub fn classify(error: &Error) -> StoreError {
    match error {
        Error::NotFound => StoreError::Missing,
        Error::DatabaseError(kind, info) => by_kind(kind, info.message()),
        Error::DeserializationError(why) => StoreError::Corrupt(why.to_string()),
        Error::SerializationError(why) => StoreError::Illegal(why.to_string()),
        other => by_text(&other.to_string()),
    }
}

fn by_kind(kind: &Kind, message: &str) -> StoreError {
    match kind {
        Kind::UniqueViolation => StoreError::AlreadyThere {
            what: "row",
            id: None,
        },
        Kind::SerializationFailure => StoreError::Busy,
        Kind::ClosedConnection | Kind::UnableToSendCommand | Kind::ReadOnlyTransaction => {
            StoreError::Down(message.to_owned())
        }
        Kind::NotNullViolation | Kind::CheckViolation | Kind::ForeignKeyViolation => {
            StoreError::Illegal(message.to_owned())
        }
        _ => by_text(message),
    }
}

fn by_text(message: &str) -> StoreError {
    if says(message, BUSY) {
        StoreError::Busy
    } else if says(message, CORRUPT) {
        StoreError::Corrupt(message.to_owned())
    } else if says(message, NO_SCHEMA) {
        StoreError::Corrupt(format!("the schema is not there: {message}"))
    } else if says(message, ILLEGAL) {
        StoreError::Illegal(message.to_owned())
    } else if says(message, DOWN) {
        StoreError::Down(message.to_owned())
    } else {
        // Nothing known was written, and nothing known is wrong with what was asked.
        StoreError::Down(format!("unexpected answer: {message}"))
    }
}

/// Why no connection could be made. `Busy` if the server has no seat left.
pub fn classify_connection(error: &ConnectionError) -> StoreError {
    let message = error.to_string();
    if says(&message, BUSY) {
        StoreError::Busy
    } else if says(&message, CORRUPT) {
        StoreError::Corrupt(message)
    } else {
        StoreError::Down(message)
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        classify(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(message: &str) -> StoreError {
        classify(&Error::DatabaseError(
            Kind::Unknown,
            Box::new(message.to_owned()),
        ))
    }

    #[test]
    fn every_busy_text_is_retried() {
        for text in BUSY {
            assert_eq!(said(&format!("{text}; more")), StoreError::Busy, "{text}");
        }
    }

    #[test]
    fn every_down_text_is_down_with_its_cause() {
        for text in DOWN {
            assert_eq!(said(text), StoreError::Down((*text).to_owned()), "{text}");
        }
    }

    #[test]
    fn every_corrupt_and_schema_text_is_corrupt() {
        for text in CORRUPT.iter().chain(NO_SCHEMA) {
            assert!(matches!(said(text), StoreError::Corrupt(_)), "{text}");
        }
    }

    #[test]
    fn every_illegal_text_is_the_callers_fault() {
        for text in ILLEGAL {
            assert!(said(text).is_own_fault(), "{text}");
            assert!(matches!(said(text), StoreError::Illegal(_)), "{text}");
        }
    }

    #[test]
    fn the_full_texts_as_the_servers_say_them() {
        let busy = "Deadlock found when trying to get lock; try restarting transaction";
        assert_eq!(said(busy), StoreError::Busy);
        let check = "CONSTRAINT `effects.attempts` failed for `protector`.`effects`";
        assert!(matches!(said(check), StoreError::Illegal(_)));
        let lost =
            "Input/output error: Input/output error: Connection reset by peer (os error 104)";
        assert!(matches!(said(lost), StoreError::Down(_)));
        assert!(matches!(said("words nobody knows"), StoreError::Down(_)));
    }

    #[test]
    fn kinds_that_diesel_knows() {
        let of = |kind| classify(&Error::DatabaseError(kind, Box::new("x".to_owned())));
        assert!(matches!(
            of(Kind::UniqueViolation),
            StoreError::AlreadyThere { .. }
        ));
        assert!(matches!(of(Kind::CheckViolation), StoreError::Illegal(_)));
        assert_eq!(of(Kind::SerializationFailure), StoreError::Busy);
        assert_eq!(classify(&Error::NotFound), StoreError::Missing);
    }
}
