//! Pages by `limit` and `marker`, as Nova, Cinder, Neutron and Glance cut them.
//!
//! A page that is exactly full carries a next link even when nothing follows, as the real ones do.

use serde_json::{Value, json};

use super::dispatch::Call;
use super::json;
use super::wire::{Fault, encode_query};

/// Nova's and Cinder's `osapi_max_limit`: no page is longer, whatever was asked.
pub(super) const PAGE_MAX: usize = 1_000;

/// One page of a list.
pub(super) struct Page {
    pub(super) items: Vec<Value>,
    /// Address of the next page.
    pub(super) next: Option<String>,
}

/// Cuts the page that the query asks for out of `items`, which are in the list's order.
///
/// Errors: 400 for a limit that is no number and for a marker that is not in the list.
pub(super) fn page(call: &Call<'_>, items: Vec<Value>, cap: usize) -> Result<Page, Fault> {
    let limit = match call.query("limit") {
        None | Some("") => cap,
        Some(text) => match text.parse::<usize>() {
            Ok(0) => cap,
            Ok(wanted) => wanted.min(cap),
            Err(_) => return Err(Fault::bad_request("limit param must be an integer")),
        },
    };
    let skipped = match call.query("marker") {
        None | Some("") => 0,
        Some(marker) => {
            let at = items
                .iter()
                .position(|item| json::text(item, "id") == Some(marker));
            at.ok_or_else(|| Fault::bad_request(format!("marker [{marker}] not found")))? + 1
        }
    };
    let items: Vec<Value> = items.into_iter().skip(skipped).take(limit).collect();
    let last = items.last().and_then(|item| json::text(item, "id"));
    let next = last
        .filter(|_| items.len() == limit)
        .map(|marker| next_href(call, marker));
    Ok(Page { items, next })
}

fn next_href(call: &Call<'_>, marker: &str) -> String {
    let mut pairs: Vec<(String, String)> = call.req.query.clone();
    pairs.retain(|(name, _)| name != "marker");
    pairs.push(("marker".to_owned(), marker.to_owned()));
    format!(
        "{}{}?{}",
        call.base_url,
        call.req.path,
        encode_query(&pairs)
    )
}

/// `{collection: [...], collection_links: [{"rel": "next", ...}]}`.
pub(super) fn body(collection: &str, links: &str, page: Page) -> Value {
    let mut body = json!({});
    json::put(&mut body, collection, Value::Array(page.items));
    if let Some(href) = page.next {
        json::put(&mut body, links, json!([{"rel": "next", "href": href}]));
    }
    body
}
