//! Reading a whole list that comes in pages (B14): every page, each object once, and never a part of
//! it passed off as the whole. Absent: what is listed.
//!
//! The next page is asked for by the last id seen, at our own address: links of an answer are looked
//! at only for whether there is more (S16).

use crate::answer::not_understood;
use crate::ask::Ask;
use crate::client::Client;
use protector_domain::ports::{Acting, ErrorKind, PortError, PortResult};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;

/// Objects asked for per page; services may cap it lower.
const PAGE_LIMIT: usize = 500;
/// Most pages of one list.
const PAGES_MAX: usize = 400;
/// How often a list is begun again because the object that marked the place was deleted meanwhile.
const RESTARTS_MAX: usize = 2;

/// What of a list's items the walk needs.
pub(crate) trait Listed: DeserializeOwned {
    fn id(&self) -> &str;
}

/// The two keys of a list's body: `servers`, `servers_links`.
#[derive(Clone, Copy)]
pub(crate) struct ListKeys {
    pub(crate) items: &'static str,
    pub(crate) links: &'static str,
}

/// Why a walk cannot go on.
#[derive(Debug, PartialEq, Eq)]
enum Stuck {
    /// The body is not that list.
    Body,
    /// A page without anything new that promises more.
    Loop,
    TooLong,
}

/// How far a list was read.
struct Walk<T> {
    items: Vec<T>,
    ids: BTreeSet<String>,
    marker: Option<String>,
    pages: usize,
}

impl<T: Listed> Walk<T> {
    fn new() -> Self {
        Self {
            items: Vec::new(),
            ids: BTreeSet::new(),
            marker: None,
            pages: 0,
        }
    }

    /// Takes a page; `Ok(true)`: there is more, behind `marker`.
    fn take(&mut self, items: Vec<T>, more: bool) -> Result<bool, Stuck> {
        self.pages += 1;
        let last = items.last().map(|item| item.id().to_owned());
        let known = self.ids.len();
        for item in items {
            if self.ids.insert(item.id().to_owned()) {
                self.items.push(item);
            }
        }
        if !more {
            return Ok(false);
        }
        // Also an empty page that promises more: what follows it is out of reach.
        let Some(last) = last.filter(|_| self.ids.len() > known) else {
            return Err(Stuck::Loop);
        };
        if self.pages >= PAGES_MAX {
            return Err(Stuck::TooLong);
        }
        self.marker = Some(last);
        Ok(true)
    }
}

impl Client {
    /// All items of a list, in the order of the service, each once.
    pub(crate) async fn list<T: Listed>(
        &self,
        acting: &Acting,
        ask: &Ask,
        keys: ListKeys,
    ) -> PortResult<Vec<T>> {
        for _ in 0..=RESTARTS_MAX {
            match self.walk(acting, ask, keys).await {
                Err(Broken::MarkerGone) => {}
                Err(Broken::Error(error)) => return Err(error),
                Ok(items) => return Ok(items),
            }
        }
        let busy = ErrorKind::Busy {
            retry_after_ms: None,
        };
        Err(ask.error(busy, "the list changes faster than it can be read"))
    }

    async fn walk<T: Listed>(
        &self,
        acting: &Acting,
        ask: &Ask,
        keys: ListKeys,
    ) -> Result<Vec<T>, Broken> {
        let mut walk = Walk::new();
        // Ends by `Walk::take`: PAGES_MAX.
        loop {
            let page = page_ask(ask, walk.marker.as_deref());
            let answer = match self.send(acting, &page).await {
                Err(error) if walk.marker.is_some() && is_lost_marker(&error) => {
                    return Err(Broken::MarkerGone);
                }
                outcome => outcome?,
            };
            let body = answer.json(ask)?;
            let (items, more) = read_page(ask, body, keys)?;
            match walk.take(items, more) {
                Ok(true) => {}
                Ok(false) => return Ok(walk.items),
                Err(stuck) => return Err(Broken::Error(stuck_error(ask, &stuck))),
            }
        }
    }
}

enum Broken {
    MarkerGone,
    Error(PortError),
}

impl From<PortError> for Broken {
    fn from(error: PortError) -> Self {
        Self::Error(error)
    }
}

fn page_ask(ask: &Ask, marker: Option<&str>) -> Ask {
    let page = ask.clone().query("limit", PAGE_LIMIT.to_string());
    match marker {
        Some(marker) => page.query("marker", marker),
        None => page,
    }
}

/// Nova says 400 to a marker that is gone, Cinder and Neutron 404.
fn is_lost_marker(error: &PortError) -> bool {
    matches!(error.kind, ErrorKind::Missing | ErrorKind::Refused)
}

fn stuck_error(ask: &Ask, stuck: &Stuck) -> PortError {
    let reason = match stuck {
        Stuck::Body => "the answer is not that list",
        Stuck::Loop => "the list does not get on",
        Stuck::TooLong => "the list is too long",
    };
    ask.error(ErrorKind::Unknown, reason)
}

/// A `null` or missing list is no list: taken for an empty one it would prove absence.
fn read_page<T: Listed>(ask: &Ask, mut body: Value, keys: ListKeys) -> PortResult<(Vec<T>, bool)> {
    let links = body.get(keys.links).and_then(Value::as_array);
    let more = links.is_some_and(|links| links.iter().any(is_next));
    let Some(Value::Array(items)) = body.get_mut(keys.items).map(Value::take) else {
        return Err(stuck_error(ask, &Stuck::Body));
    };
    let read = items.into_iter().map(serde_json::from_value);
    let items: Result<Vec<T>, _> = read.collect();
    Ok((items.map_err(|error| not_understood(ask, &error))?, more))
}

fn is_next(link: &Value) -> bool {
    link.get("rel").and_then(Value::as_str) == Some("next")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Service;
    use serde_json::json;

    #[derive(serde::Deserialize, Debug)]
    struct Item {
        id: String,
    }

    impl Listed for Item {
        fn id(&self) -> &str {
            &self.id
        }
    }

    const KEYS: ListKeys = ListKeys {
        items: "things",
        links: "things_links",
    };

    fn page(ids: &[&str]) -> Vec<Item> {
        ids.iter().map(|id| Item { id: (*id).into() }).collect()
    }

    fn ids(walk: &Walk<Item>) -> Vec<&str> {
        walk.items.iter().map(|item| item.id.as_str()).collect()
    }

    #[test]
    fn pages_join_and_twins_are_dropped() {
        let mut walk = Walk::new();
        assert_eq!(walk.take(page(&["a", "b"]), true), Ok(true));
        assert_eq!(walk.marker.as_deref(), Some("b"));
        assert_eq!(walk.take(page(&["b", "c"]), true), Ok(true));
        assert_eq!(walk.take(page(&[]), false), Ok(false));
        assert_eq!(ids(&walk), ["a", "b", "c"]);
    }

    #[test]
    fn a_page_that_comes_again_is_no_end() {
        let mut walk = Walk::new();
        assert_eq!(walk.take(page(&["a", "b"]), true), Ok(true));
        assert_eq!(walk.take(page(&["b", "a"]), true), Err(Stuck::Loop));
        assert_eq!(walk.take(page(&[]), true), Err(Stuck::Loop));
    }

    #[test]
    fn an_endless_list_ends() {
        let mut walk = Walk::new();
        let mut outcome = Ok(true);
        let mut pages = 0;
        while outcome == Ok(true) {
            pages += 1;
            outcome = walk.take(page(&[&format!("{pages}")]), true);
        }
        assert_eq!((outcome, pages), (Err(Stuck::TooLong), PAGES_MAX));
    }

    #[test]
    fn no_list_is_not_an_empty_list() {
        let ask = Ask::get(Service::Compute, "thing_list", "/things");
        let read = |body| read_page::<Item>(&ask, body, KEYS);
        for body in [
            json!({}),
            json!({"things": null}),
            json!([]),
            json!({"things": [{"id": 1}]}),
        ] {
            let error = read(body.clone()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unknown, "{body}");
        }
        let (items, more) = read(json!({"things": [], "things_links": null})).unwrap();
        assert!(items.is_empty() && !more);
        let links =
            json!([{"rel": "previous", "href": "x"}, {"rel": "next", "href": "http://evil/"}]);
        let body = json!({"things": [{"id": "a", "new": {}}], "things_links": links});
        let (items, more) = read(body).unwrap();
        assert!(items.len() == 1 && more);
    }
}
