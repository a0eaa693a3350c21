//! A record's body as words: every leaf by its path, members by their server at home, so that two bodies can be
//! compared whatever the order.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) type Words = BTreeMap<String, Value>;

/// Every leaf of `body`.
pub(super) fn words(body: &Value) -> Words {
    let mut all = Words::new();
    walk(String::new(), body, &mut all);
    all
}

fn walk(path: String, value: &Value, all: &mut Words) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                walk(format!("{path}/{name}"), field, all);
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                let name = server_of(item).unwrap_or_else(|| place.to_string());
                walk(format!("{path}/{name}"), item, all);
            }
        }
        leaf => {
            all.insert(path, leaf.clone());
        }
    }
}

/// The server of a member, at home or else where it is.
fn server_of(item: &Value) -> Option<String> {
    item.get("captured")?;
    let at = |side: &str| item.pointer(&format!("/places/{side}"))?.as_str();
    at("home").or_else(|| at("other")).map(str::to_owned)
}

/// Paths at which the two differ.
pub(super) fn differing(one: &Words, two: &Words) -> BTreeSet<String> {
    let all: BTreeSet<&String> = one.keys().chain(two.keys()).collect();
    let other = all.into_iter().filter(|at| one.get(*at) != two.get(*at));
    other.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_compared_by_their_server_and_not_by_their_place() {
        let member = |server: &str, tier: u8| json!({ "captured": {}, "places": { "home": server }, "tier": tier });
        let one = words(&json!({ "name": "a", "members": [member("x", 0), member("y", 0)] }));
        let two = words(&json!({ "name": "a", "members": [member("y", 1), member("x", 0)] }));
        assert_eq!(
            differing(&one, &two),
            BTreeSet::from(["/members/y/tier".to_owned()])
        );
        let gone = words(&json!({ "name": "b", "members": [member("y", 0)] }));
        let at: Vec<String> = differing(&one, &gone).into_iter().collect();
        assert_eq!(at, ["/members/x/places/home", "/members/x/tier", "/name"]);
    }
}
