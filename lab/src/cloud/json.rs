//! Reading request bodies without panics. Deliberately absent: any service's own words.

use std::collections::BTreeMap;

use serde_json::Value;

use super::wire::Fault;

/// The text under `key`, if there is one.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// The text under `key` as an owned string; empty when absent.
pub(super) fn text_or_empty(value: &Value, key: &str) -> String {
    text(value, key).unwrap_or_default().to_owned()
}

/// The text under `key`, or 400.
pub(super) fn need<'a>(value: &'a Value, key: &str) -> Result<&'a str, Fault> {
    text(value, key).ok_or_else(|| {
        Fault::bad_request(format!(
            "Invalid input for field/attribute {key}: a string is required"
        ))
    })
}

/// The object under `key`, or 400.
pub(super) fn need_object<'a>(value: &'a Value, key: &str) -> Result<&'a Value, Fault> {
    value
        .get(key)
        .filter(|inner| inner.is_object())
        .ok_or_else(|| Fault::bad_request(format!("'{key}' is a required property")))
}

/// The whole number under `key`; a number in quotes counts, as it does in the services.
pub(super) fn number(value: &Value, key: &str) -> Option<i64> {
    let inner = value.get(key)?;
    inner
        .as_i64()
        .or_else(|| inner.as_str().and_then(|text| text.parse().ok()))
}

/// The truth under `key`; `"True"` and `"1"` count.
pub(super) fn truth(value: &Value, key: &str) -> Option<bool> {
    let inner = value.get(key)?;
    inner
        .as_bool()
        .or_else(|| inner.as_str().map(is_true))
        .or_else(|| inner.as_i64().map(|number| number != 0))
}

/// Whether a query or header value means yes.
pub(super) fn is_true(text: &str) -> bool {
    matches!(
        text.to_ascii_lowercase().as_str(),
        "1" | "true" | "yes" | "on" | "t" | "y"
    )
}

/// The list under `key`; empty when absent or null.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The texts of the list under `key`.
pub(super) fn texts(value: &Value, key: &str) -> Vec<String> {
    list(value, key)
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// The map of texts under `key`; values that are no text are written as JSON.
pub(super) fn text_map(value: &Value, key: &str) -> BTreeMap<String, String> {
    let Some(object) = value.get(key).and_then(Value::as_object) else {
        return BTreeMap::new();
    };
    object
        .iter()
        .map(|(name, inner)| {
            let text = inner
                .as_str()
                .map_or_else(|| inner.to_string(), str::to_owned);
            (name.clone(), text)
        })
        .collect()
}

/// Sets `key` in an object value; does nothing to anything else.
pub(super) fn put(target: &mut Value, key: &str, value: Value) {
    if let Some(object) = target.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}
