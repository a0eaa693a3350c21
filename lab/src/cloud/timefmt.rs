//! The time formats of the services, from and to Unix milliseconds in UTC.
//!
//! Deliberately absent: time zones other than `Z` and `+00:00`, and leap seconds.

const MS_PER_DAY: i64 = 86_400_000;

/// `(year, month, day)` of a day counted from 1970-01-01 (proleptic Gregorian).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let month_index = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// `2026-11-20T04:48:00`, without fraction or zone.
fn plain(at_ms: i64) -> String {
    let (year, month, day) = civil_from_days(at_ms.div_euclid(MS_PER_DAY));
    let second = at_ms.rem_euclid(MS_PER_DAY) / 1_000;
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}",
        second % 60
    )
}

/// Nova, Neutron, Glance: whole seconds and `Z`.
pub(super) fn iso_z(at_ms: i64) -> String {
    format!("{}Z", plain(at_ms))
}

/// Cinder, and Nova's launch time: microseconds and no zone.
pub(super) fn iso_micros(at_ms: i64) -> String {
    format!("{}.{:03}000", plain(at_ms), at_ms.rem_euclid(1_000))
}

/// Keystone: microseconds and `Z`.
pub(super) fn iso_micros_z(at_ms: i64) -> String {
    format!("{}Z", iso_micros(at_ms))
}

/// Unix milliseconds of an ISO 8601 date and time; a missing zone means UTC. `None` when it is not one.
pub(super) fn parse_iso(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let text = text.strip_suffix("+00:00").unwrap_or(text);
    let (date, time) = text.split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut clock = whole.splitn(3, ':').map(str::parse::<i64>);
    let (hour, minute) = (clock.next()?.ok()?, clock.next()?.ok()?);
    let second = clock.next().unwrap_or(Ok(0)).ok()?;
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    if !in_range {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let seconds = hour * 3_600 + minute * 60 + second;
    Some(days_from_civil(year, month, day) * MS_PER_DAY + seconds * 1_000 + millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_print_as_the_services_print_them() {
        assert_eq!(iso_z(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso_z(1_709_210_096_789), "2024-02-29T12:34:56Z");
        assert_eq!(iso_micros(1_709_210_096_789), "2024-02-29T12:34:56.789000");
        assert_eq!(iso_micros_z(-1), "1969-12-31T23:59:59.999000Z");
    }

    #[test]
    fn what_was_printed_is_read_back() {
        for at_ms in [0, 951_782_400_000, 1_709_210_096_789, 4_102_444_799_001] {
            assert_eq!(parse_iso(&iso_micros_z(at_ms)), Some(at_ms));
        }
        assert_eq!(parse_iso("2024-02-29 12:34"), Some(1_709_210_040_000));
        assert_eq!(parse_iso("2024-13-01T00:00:00Z"), None);
        assert_eq!(parse_iso("yesterday"), None);
    }
}
