//! Neutron's lists: filtered by any attribute shown, sorted by id, cut to pages, reduced to fields.

use serde_json::{Value, json};

use crate::cloud::dispatch::Call;
use crate::cloud::json;
use crate::cloud::paging;
use crate::cloud::wire::{Answer, Fault, Resp};

/// Neutron has no limit of its own by default; this one is the model's.
const PAGE_MAX: usize = 100_000;
const CONTROL: [&str; 8] = [
    "limit",
    "marker",
    "fields",
    "sort_key",
    "sort_dir",
    "page_reverse",
    "tenant_id",
    "shared",
];

/// Answers a list of `views` under `collection`.
///
/// `tenant_id` filters as `project_id`. Errors: 400 for a filter that no object has.
pub(super) fn answer(
    call: &Call<'_>,
    collection: &str,
    views: Vec<Value>,
    known: &[&str],
) -> Answer {
    let mut kept = Vec::new();
    check_filters(call, known)?;
    for view in views {
        if fits(call, &view) {
            kept.push(view);
        }
    }
    let page = paging::page(call, kept, PAGE_MAX)?;
    let asked_limit = call.query("limit").is_some();
    let fields: Vec<&str> = values(call, "fields").collect();
    let items: Vec<Value> = page
        .items
        .into_iter()
        .map(|item| reduce(item, &fields))
        .collect();
    let mut body = json!({});
    json::put(&mut body, collection, Value::Array(items));
    if let Some(href) = page.next.filter(|_| asked_limit) {
        let links = format!("{collection}_links");
        json::put(&mut body, &links, json!([{"rel": "next", "href": href}]));
    }
    Ok(Resp::json(200, body))
}

fn values<'a>(call: &'a Call<'_>, name: &str) -> impl Iterator<Item = &'a str> {
    let pairs = call.req.query.iter();
    let name = name.to_owned();
    pairs
        .filter(move |(key, _)| *key == name)
        .map(|(_, value)| value.as_str())
}

fn check_filters(call: &Call<'_>, known: &[&str]) -> Result<(), Fault> {
    let tags = ["tags", "tags-any", "not-tags", "not-tags-any"];
    for (name, _) in &call.req.query {
        let name = name.as_str();
        if !CONTROL.contains(&name) && !tags.contains(&name) && !known.contains(&name) {
            return Err(Fault::typed(
                400,
                "HTTPBadRequest",
                format!("['{name}'] is invalid attribute for filtering"),
            ));
        }
    }
    Ok(())
}

/// Values of one filter are alternatives, filters are all needed.
fn fits(call: &Call<'_>, view: &Value) -> bool {
    let mut names: Vec<&str> = call
        .req
        .query
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().all(|name| {
        let mut wanted = values(call, name);
        match name {
            "tenant_id" => wanted.any(|value| holds(view.get("project_id"), value)),
            "shared" => wanted.any(|value| {
                view.get("shared")
                    .is_none_or(|own| own.as_bool() == Some(json::is_true(value)))
            }),
            "tags" => wanted.all(|value| tagged(view, value, true)),
            "tags-any" => wanted.any(|value| tagged(view, value, false)),
            "not-tags" => !wanted.all(|value| tagged(view, value, true)),
            "not-tags-any" => !wanted.any(|value| tagged(view, value, false)),
            "fixed_ips" => fixed_ip_fits(view, wanted),
            "limit" | "marker" | "fields" | "sort_key" | "sort_dir" | "page_reverse" => true,
            _ => wanted.any(|value| holds(view.get(name), value)),
        }
    })
}

/// Whether an attribute has a value; a list has it when one of its elements has.
fn holds(own: Option<&Value>, value: &str) -> bool {
    match own {
        Some(Value::String(text)) => text == value,
        Some(Value::Bool(truth)) => *truth == json::is_true(value),
        Some(Value::Number(number)) => number.to_string() == value,
        Some(Value::Array(items)) => items.iter().any(|item| holds(Some(item), value)),
        Some(Value::Null) | None => value.is_empty(),
        Some(Value::Object(_)) => false,
    }
}

fn tagged(view: &Value, listed: &str, all: bool) -> bool {
    let own = json::texts(view, "tags");
    let mut asked = listed.split(',');
    match all {
        true => asked.all(|tag| own.iter().any(|one| one == tag)),
        false => asked.any(|tag| own.iter().any(|one| one == tag)),
    }
}

/// `fixed_ips=ip_address=10.0.0.5` and `fixed_ips=subnet_id=...`; several addresses are
/// alternatives, an address and a subnet are both needed.
fn fixed_ip_fits<'a>(view: &Value, wanted: impl Iterator<Item = &'a str>) -> bool {
    let wanted: Vec<(&str, &str)> = wanted.filter_map(|text| text.split_once('=')).collect();
    ["ip_address", "subnet_id"].into_iter().all(|key| {
        let mut asked = wanted.iter().filter(|(name, _)| *name == key).peekable();
        let none_asked = asked.peek().is_none();
        none_asked
            || asked.any(|(_, value)| {
                let mut own = json::list(view, "fixed_ips").iter();
                own.any(|fixed| json::text(fixed, key) == Some(value))
            })
    })
}

fn reduce(item: Value, fields: &[&str]) -> Value {
    if fields.is_empty() {
        return item;
    }
    let Value::Object(mut object) = item else {
        return item;
    };
    object.retain(|name, _| fields.contains(&name.as_str()));
    Value::Object(object)
}
