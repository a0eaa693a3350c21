//! When a server asks to be left alone: for how long.
//!
//! Deliberately absent: what to do about it.

use std::time::UNIX_EPOCH;

use http::HeaderMap;

/// Longest pause that is believed, milliseconds: a bad header must not silence an endpoint for a year.
pub const RETRY_AFTER_MAX_MS: u64 = 300_000;
/// A reset above this is an instant in Unix seconds and not a number of seconds (it would be 31 years).
const RESET_IS_INSTANT_FROM_S: f64 = 1e9;

/// How long the server asks us to wait, milliseconds, at most [`RETRY_AFTER_MAX_MS`] (fault `B5`).
///
/// `Retry-After` as seconds or as a date wins over `RateLimit-Reset` as seconds or as a Unix time.
/// A date in the past means 0. `None`: it does not say, or says it unreadably. `now_ms`: Unix time.
pub fn retry_after_ms(headers: &HeaderMap, now_ms: i64) -> Option<u64> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let told = text("retry-after").and_then(|t| seconds_ms(t).or_else(|| date_ms(t, now_ms)));
    let reset = || {
        let names = ["ratelimit-reset", "x-ratelimit-reset"];
        names.iter().find_map(|name| reset_ms(text(name)?, now_ms))
    };
    told.or_else(reset).map(|ms| ms.min(RETRY_AFTER_MAX_MS))
}

fn seconds_ms(text: &str) -> Option<u64> {
    let seconds: f64 = text.parse().ok()?;
    // The cast saturates; rounding up never asks too early.
    (seconds.is_finite() && seconds >= 0.0).then(|| (seconds * 1_000.0).ceil() as u64)
}

fn date_ms(text: &str, now_ms: i64) -> Option<u64> {
    let date = httpdate::parse_http_date(text).ok()?;
    let date_ms = i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()?;
    Some(u64::try_from(date_ms.saturating_sub(now_ms)).unwrap_or(0))
}

fn reset_ms(text: &str, now_ms: i64) -> Option<u64> {
    let told = seconds_ms(text)?;
    if (told as f64) < RESET_IS_INSTANT_FROM_S * 1_000.0 {
        return Some(told);
    }
    Some(told.saturating_sub(u64::try_from(now_ms).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    const NOW_MS: i64 = 1_700_000_000_000;

    fn check(headers: &[(&'static str, &'static str)], expected: Option<u64>) {
        let pairs = headers
            .iter()
            .map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v)));
        let map: HeaderMap = pairs.collect();
        assert_eq!(retry_after_ms(&map, NOW_MS), expected, "{headers:?}");
    }

    #[test]
    fn reads_every_form_and_nothing_else() {
        check(&[], None);
        check(&[("retry-after", "7")], Some(7_000));
        check(&[("retry-after", " 0.25 ")], Some(250));
        // 1,700,000,000 is Tue, 14 Nov 2023 22:13:20 GMT.
        check(
            &[("retry-after", "Tue, 14 Nov 2023 22:13:50 GMT")],
            Some(30_000),
        );
        check(&[("retry-after", "Tue, 14 Nov 2023 22:13:00 GMT")], Some(0));
        check(&[("ratelimit-reset", "3")], Some(3_000));
        check(&[("x-ratelimit-reset", "1700000004")], Some(4_000));
        check(
            &[("retry-after", "2"), ("ratelimit-reset", "9")],
            Some(2_000),
        );
        check(
            &[("retry-after", "soon"), ("ratelimit-reset", "9")],
            Some(9_000),
        );
        for bad in ["-1", "NaN", "inf", "", "tomorrow"] {
            check(&[("retry-after", bad)], None);
        }
        check(&[("retry-after", "1e300")], Some(RETRY_AFTER_MAX_MS));
        check(&[("retry-after", "86400")], Some(RETRY_AFTER_MAX_MS));
    }
}
