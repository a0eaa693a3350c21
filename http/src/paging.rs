//! Pages: `limit` and `marker` in, a link to the next page out.
//!
//! Absent: sorting; lists come in the engine's order.

use crate::cx::Cx;
use crate::error::ApiError;
use crate::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::request::{is_name, percent_encode};
use crate::wire::system::Link;

/// The page that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub limit: u32,
    /// Id of the last item of the page before.
    pub marker: Option<String>,
}

/// Reads `limit` and `marker`.
///
/// Errors: `BadRequest` for a limit outside 1 to [`PAGE_MAX`], or a marker that can be no id (K14).
pub(crate) fn page(cx: &Cx) -> Result<Page, ApiError> {
    let marker = cx.query("marker").map(str::to_owned);
    if !marker.as_deref().is_none_or(is_name) {
        return Err(ApiError::bad("marker is the id of the last item seen"));
    }
    Ok(Page {
        limit: limit(cx, PAGE_DEFAULT)?,
        marker,
    })
}

/// Reads `limit`; `default` if there is none.
pub(crate) fn limit(cx: &Cx, default: u32) -> Result<u32, ApiError> {
    let Some(text) = cx.query("limit") else {
        return Ok(default);
    };
    let number = text
        .parse::<u32>()
        .ok()
        .filter(|limit| (1..=PAGE_MAX).contains(limit));
    number.ok_or_else(|| ApiError::bad(format!("limit is a number from 1 to {PAGE_MAX}")))
}

/// The link to the page after one of `count` items that ends with `last`. A full page has one, also
/// if nothing follows.
pub(crate) fn next_links(
    cx: &Cx,
    page: &Page,
    count: usize,
    last: Option<String>,
) -> Option<Vec<Link>> {
    let is_full = u32::try_from(count).is_ok_and(|count| count >= page.limit);
    let last = last.filter(|_| is_full)?;
    let kept = cx
        .query("group")
        .map(|group| format!("group={}&", percent_encode(group)));
    let query = format!(
        "{}limit={}&marker={}",
        kept.unwrap_or_default(),
        page.limit,
        percent_encode(&last)
    );
    let href = format!("{}?{query}", cx.href(cx.path()));
    Some(vec![Link {
        rel: "next".to_owned(),
        href,
    }])
}
