//! What stands in a request beside its body: parts of the path, query, headers; and what each may be.
//!
//! Absent: reading them, which `request`, `paging` and the handlers do by the same limits.

use crate::limits::{IDEMPOTENCY_KEY_BYTES_MAX, NAME_CHARS_MAX, PAGE_MAX};
use crate::route::{Endpoint, Route};
use serde_json::{Value, json};

pub(super) fn parameters(route: &Route) -> Vec<Value> {
    let in_path = route
        .path_params()
        .map(|name| parameter(name, "path", true));
    let in_query = route
        .query
        .iter()
        .map(|name| parameter(name, "query", false));
    let headers = headers_of(route.endpoint);
    let in_header = headers.iter().map(|name| parameter(name, "header", false));
    in_path.chain(in_query).chain(in_header).collect()
}

fn parameter(name: &str, place: &str, required: bool) -> Value {
    json!({ "name": name, "in": place, "required": required, "schema": shape(name) })
}

fn shape(name: &str) -> Value {
    match name {
        "limit" => json!({ "type": "integer", "minimum": 1, "maximum": PAGE_MAX }),
        "after" | "Last-Event-ID" | "depth" => json!({ "type": "integer", "minimum": 0 }),
        "abandon_peer" => json!({ "type": "boolean" }),
        "format" => json!({ "type": "string", "enum": ["json", "text"] }),
        "operation" | "mapping" => json!({ "type": "string", "format": "uuid" }),
        "Idempotency-Key" => {
            json!({ "type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_BYTES_MAX })
        }
        "root" | "kind" | "If-Match" => json!({ "type": "string" }),
        _ => json!({ "type": "string", "minLength": 1, "maxLength": NAME_CHARS_MAX }),
    }
}

pub(super) fn headers_of(endpoint: Endpoint) -> &'static [&'static str] {
    match endpoint {
        Endpoint::GroupAction => &["Idempotency-Key", "If-Match"],
        Endpoint::GroupUpdate
        | Endpoint::GroupDelete
        | Endpoint::MemberAdd
        | Endpoint::PolicySet
        | Endpoint::MappingsSet => &["If-Match"],
        Endpoint::OperationEvents => &["Last-Event-ID"],
        _ => &[],
    }
}
