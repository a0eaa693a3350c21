//! One request, taken apart: method, path below the version, parameters, JSON body.
//!
//! Absent: what it asks for (`commands`).

use super::filter_text;
use super::refusal::{Refused, refused};
use bytes::Bytes;
use http::{Method, Request};
use protector_storage_drivers::model::{Query, SortKey};
use serde_json::Value;
use std::collections::BTreeMap;
use url::form_urlencoded;

/// Parameters of one request at most.
const PARAMETERS_MAX: usize = 64;
/// Names in one parameter at most.
const NAMES_MAX: usize = 10_000;

/// A request below `/api/<version>`.
#[derive(Debug)]
pub(super) struct Ask {
    pub method: Method,
    /// `volumes/tags/batch`.
    pub path: String,
    parameters: BTreeMap<String, String>,
    body: Value,
}

impl Ask {
    /// Reads the request; `path` is what stands behind the version.
    pub fn of(path: &str, request: &Request<Bytes>) -> Result<Self, Refused> {
        let query = request.uri().query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        let parameters: BTreeMap<String, String> = pairs
            .take(PARAMETERS_MAX)
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        let body = request.body();
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(body).map_err(|_| refused("Invalid request body.", "body"))?
        };
        Ok(Self {
            method: request.method().clone(),
            path: path.trim_matches('/').to_owned(),
            parameters,
            body,
        })
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// A list of names; absent or empty: none. An empty list never means "all".
    pub fn names(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        let names = text.split(',').filter(|one| !one.is_empty());
        names.take(NAMES_MAX).map(str::to_owned).collect()
    }

    /// The same path, read, without anything in it.
    pub fn as_bare_read(&self) -> Self {
        Self {
            method: Method::GET,
            path: self.path.clone(),
            parameters: BTreeMap::new(),
            body: Value::Null,
        }
    }

    /// Puts names in the place of ids.
    pub fn set_names(&mut self, names: &[String]) {
        self.parameters.remove("ids");
        self.parameters.insert("names".to_owned(), names.join(","));
    }

    pub fn has(&self, name: &str) -> bool {
        self.parameters.contains_key(name)
    }

    /// `None`: not said.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Refused> {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(refused("Invalid boolean value.", name)),
        }
    }

    fn number(&self, name: &str) -> Result<Option<u64>, Refused> {
        let parsed = self.text(name).map(str::parse).transpose();
        parsed.map_err(|_| refused("Invalid number.", name))
    }

    /// A field of the body, by its path.
    pub fn field(&self, path: &str) -> Option<&Value> {
        let found = path
            .split('.')
            .try_fold(&self.body, |value, part| value.get(part));
        found.filter(|value| !value.is_null())
    }

    pub fn field_text(&self, path: &str) -> Result<Option<String>, Refused> {
        match self.field(path) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(refused("Invalid text.", path)),
        }
    }

    pub fn field_int(&self, path: &str) -> Result<Option<i64>, Refused> {
        let wrong = || refused("Invalid number.", path);
        let read = |value: &Value| value.as_i64().ok_or_else(wrong);
        self.field(path).map(read).transpose()
    }

    pub fn field_bool(&self, path: &str) -> Result<Option<bool>, Refused> {
        let wrong = || refused("Invalid boolean value.", path);
        let read = |value: &Value| value.as_bool().ok_or_else(wrong);
        self.field(path).map(read).transpose()
    }

    /// The body as a list; an object alone counts as a list of one.
    pub fn list(&self) -> Vec<&Value> {
        match &self.body {
            Value::Array(items) => items.iter().collect(),
            Value::Object(_) => vec![&self.body],
            _ => Vec::new(),
        }
    }

    /// Names, filter, order and page, the same for every list.
    pub fn query(&self) -> Result<Query, Refused> {
        let filter = self.text("filter").filter(|text| !text.trim().is_empty());
        let filter = filter.map(filter_text::parse).transpose();
        let filter = filter.map_err(|_| refused("Invalid filter.", "filter"))?;
        Ok(Query {
            names: self.names("names"),
            source_names: self.names("source_names"),
            filter,
            destroyed: self.flag("destroyed")?,
            sort: self.names("sort").iter().map(|key| sort_key(key)).collect(),
            limit: self.number("limit")?,
            offset: self.number("offset")?.unwrap_or_default(),
            continuation_token: self.text("continuation_token").map(str::to_owned),
            total_item_count: self.flag("total_item_count")?.unwrap_or_default(),
        })
    }
}

/// `name-` before REST 2.52, `-name` since; both are understood.
fn sort_key(text: &str) -> SortKey {
    let down = text.strip_suffix('-').or_else(|| text.strip_prefix('-'));
    match down {
        Some(field) => SortKey::down(field),
        None => SortKey::up(text.strip_suffix('+').unwrap_or(text)),
    }
}
