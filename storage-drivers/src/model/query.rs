//! Lists: filter, sort, limit, paging. Absent: which names a kind knows (each object's own file).
//!
//! A walk by token sees each item that existed throughout exactly once, whatever is added or
//! removed meanwhile: the token is a place in creation order, not an offset.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::Page;
use super::error::{ArrayError, refuse};
use super::filter::{Filter, field_of};

/// Place of a row in the stable order of its list.
pub(super) type RowKey = (u64, u64);

/// One key of a sort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortKey {
    pub field: String,
    pub descending: bool,
}

impl SortKey {
    /// Rising order of `field`.
    #[must_use]
    pub fn up(field: &str) -> Self {
        Self {
            field: field.to_owned(),
            descending: false,
        }
    }

    /// Falling order of `field`.
    #[must_use]
    pub fn down(field: &str) -> Self {
        Self {
            field: field.to_owned(),
            descending: true,
        }
    }
}

/// What to list. The default asks for everything, destroyed objects included, as the arrays do.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Query {
    /// Each must match something, or the whole call is refused. No wildcards.
    pub names: Vec<String>,
    /// Names of the things listed objects were made of (`source_names`).
    pub source_names: Vec<String>,
    pub filter: Option<Filter>,
    /// `None` lists both.
    pub destroyed: Option<bool>,
    pub sort: Vec<SortKey>,
    /// Clipped to the system's maximum. 0 with `total_item_count` counts only.
    pub limit: Option<u64>,
    /// Only with a sort.
    pub offset: u64,
    pub continuation_token: Option<String>,
    pub total_item_count: bool,
}

impl Query {
    /// Everything called one of `names`.
    #[must_use]
    pub fn named<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self {
            names: names.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Everything that passes `filter`.
    #[must_use]
    pub fn filtered(filter: Filter) -> Self {
        Self {
            filter: Some(filter),
            ..Self::default()
        }
    }

    /// The same, live objects only.
    #[must_use]
    pub fn live(mut self) -> Self {
        self.destroyed = Some(false);
        self
    }
}

/// Cuts the page that `query` asks for out of `rows` (in stable order).
pub(super) fn page<R: Serialize>(
    rows: Vec<(RowKey, R)>,
    query: &Query,
    page_max: u64,
) -> Result<Page<R>, ArrayError> {
    if query.continuation_token.is_some() && !query.sort.is_empty() {
        return Err(refuse(
            "A token cannot be used with sort.",
            "continuation_token",
        ));
    }
    let rows = sifted(rows, query)?;
    let total = rows.len() as u64;
    let rest = if query.sort.is_empty() {
        after_token(rows, query.continuation_token.as_deref())?
    } else {
        sorted(rows, query)
    };
    let limit = query.limit.unwrap_or(page_max).min(page_max) as usize;
    Ok(cut(rest, limit, query, total))
}

/// Rows with their JSON shape, for filter and sort.
type Shaped<R> = Vec<(RowKey, R, Value)>;

fn sifted<R: Serialize>(rows: Vec<(RowKey, R)>, query: &Query) -> Result<Shaped<R>, ArrayError> {
    let shape_needed = query.filter.is_some() || !query.sort.is_empty();
    let mut kept = Vec::new();
    for (key, row) in rows {
        let shape = if shape_needed {
            serde_json::to_value(&row).map_err(|e| refuse(e.to_string(), "filter"))?
        } else {
            Value::Null
        };
        if query
            .filter
            .as_ref()
            .is_none_or(|filter| filter.passes(&shape))
        {
            kept.push((key, row, shape));
        }
    }
    Ok(kept)
}

fn after_token<R>(rows: Shaped<R>, token: Option<&str>) -> Result<Shaped<R>, ArrayError> {
    let Some(token) = token else { return Ok(rows) };
    let last = token_read(token).ok_or_else(|| refuse("Invalid token.", "continuation_token"))?;
    Ok(rows.into_iter().filter(|(key, _, _)| *key > last).collect())
}

fn sorted<R>(mut rows: Shaped<R>, query: &Query) -> Shaped<R> {
    rows.sort_by(|(key_a, _, a), (key_b, _, b)| {
        query
            .sort
            .iter()
            .map(|key| {
                let order = compare(field_of(a, &key.field), field_of(b, &key.field));
                if key.descending {
                    order.reverse()
                } else {
                    order
                }
            })
            .find(|order| *order != Ordering::Equal)
            .unwrap_or_else(|| key_a.cmp(key_b))
    });
    rows.into_iter().skip(query.offset as usize).collect()
}

fn cut<R>(rest: Shaped<R>, limit: usize, query: &Query, total: u64) -> Page<R> {
    let more = rest.len() > limit;
    let taken: Shaped<R> = rest.into_iter().take(limit).collect();
    let last = taken.last().map(|(key, _, _)| *key);
    Page {
        continuation_token: last
            .filter(|_| more && query.sort.is_empty())
            .map(token_write),
        items: taken.into_iter().map(|(_, row, _)| row).collect(),
        more_items_remaining: more,
        total_item_count: query.total_item_count.then_some(total),
    }
}

fn token_write((major, minor): RowKey) -> String {
    format!("{major:016x}{minor:016x}")
}

fn token_read(token: &str) -> Option<RowKey> {
    let major = u64::from_str_radix(token.get(..16)?, 16).ok()?;
    let minor = u64::from_str_radix(token.get(16..)?, 16).ok()?;
    Some((major, minor))
}

fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(Value::Number(x)), Some(Value::Number(y))) => x
            .as_f64()
            .unwrap_or(0.0)
            .total_cmp(&y.as_f64().unwrap_or(0.0)),
        (Some(Value::String(x)), Some(Value::String(y))) => {
            x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase())
        }
        (Some(Value::Bool(x)), Some(Value::Bool(y))) => x.cmp(y),
        (Some(Value::Null) | None, Some(Value::Null) | None) => Ordering::Equal,
        (Some(Value::Null) | None, _) => Ordering::Less,
        (_, Some(Value::Null) | None) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}
