//! Values to columns and back: closed-list words, ids, JSON documents, counters.
//!
//! A value that does not read is `Corrupt` and names its column; nothing is guessed (J7).

use crate::error::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Display;
use std::str::FromStr;

/// The word of a closed list, as the API spells it.
pub(crate) fn word<T: Serialize>(value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => Ok(text),
        _ => Err(StoreError::Illegal(
            "not a word of a closed list".to_owned(),
        )),
    }
}

pub(crate) fn parse_word<T: DeserializeOwned>(
    column: &'static str,
    text: String,
) -> Result<T, StoreError> {
    serde_json::from_value(Value::String(text)).map_err(|e| damaged(column, e))
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Illegal(e.to_string()))
}

pub(crate) fn parse_json<T: DeserializeOwned>(
    column: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| damaged(column, e))
}

pub(crate) fn parse_id<T>(column: &'static str, text: &str) -> Result<T, StoreError>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|e: T::Err| damaged(column, e))
}

/// A counter into its column.
pub(crate) fn count<T: TryInto<i64>>(what: &'static str, value: T) -> Result<i64, StoreError> {
    value
        .try_into()
        .map_err(|_| StoreError::Illegal(format!("{what} is out of range")))
}

pub(crate) fn parse_count<T: TryFrom<i64>>(
    column: &'static str,
    value: i64,
) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| damaged(column, "out of range"))
}

fn damaged(column: &'static str, why: impl Display) -> StoreError {
    StoreError::Corrupt(format!("{column}: {why}"))
}
