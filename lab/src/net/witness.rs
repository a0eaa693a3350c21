//! What a bystander on the wire hears: every record that a site has signed, in a request or in an answer, whether
//! or not it arrived. Sites forget a record that another one took the place of; the bystander does not.
//!
//! Absent: judging them, and what no courier was ever given.

use protector_domain::sync::{MessageType, Signed};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Records that are remembered; a world that signs more is not judged by them.
const RECORDS_MAX: usize = 50_000;
/// Stands in every body that carries a signed message, and in hardly any other.
const MARK: &str = "\"payload\"";

/// Records by their bytes. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Witness(Arc<Mutex<BTreeMap<String, Signed>>>);

impl Witness {
    /// Remembers the records in the body of a call. Anything else is passed over.
    pub(super) fn hear(&self, body: &[u8]) {
        let text = std::str::from_utf8(body).unwrap_or_default();
        if !text.contains(MARK) {
            return;
        }
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        self.remember(records_in(&value));
    }

    /// Remembers what was seen elsewhere.
    pub(crate) fn remember(&self, records: Vec<Signed>) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for signed in records {
            if heard.len() < RECORDS_MAX {
                heard.insert(signed.payload.clone(), signed);
            }
        }
    }

    /// All of them, each once.
    pub fn records(&self) -> Vec<Signed> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.values().cloned().collect()
    }
}

/// Every signed record anywhere in `value`.
pub fn records_in(value: &Value) -> Vec<Signed> {
    match value {
        Value::Array(all) => all.iter().flat_map(records_in).collect(),
        Value::Object(fields) => match serde_json::from_value::<Signed>(value.clone()) {
            Ok(signed) if signed.message_type == MessageType::Envelope => vec![signed],
            _ => fields.values().flat_map(records_in).collect(),
        },
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(kind: &str, payload: &str) -> Value {
        json!({ "type": kind, "payload": payload, "key_id": "k1", "signature": "00" })
    }

    #[test]
    fn records_are_found_wherever_they_stand_and_kept_once() {
        let witness = Witness::default();
        let one = json!({ "sync": { "envelope": message("envelope", "one") } });
        let kept = json!([{ "stored": message("envelope", "two") }, message("receipt", "three")]);
        for body in [&one, &kept, &one] {
            witness.hear(body.to_string().as_bytes());
        }
        witness.hear(b"\"payload\" but no JSON");
        let heard = witness.records();
        let heard: Vec<&str> = heard.iter().map(|s| s.payload.as_str()).collect();
        assert_eq!(heard, ["one", "two"]);
    }
}
