//! Times in the formats that a source names; those that most exports write need no chrono.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

use super::Remark;
use super::moment::{exact, localized, noon};
use crate::model::moment::Moment;

/// Reads `text` as the chrono `format` says.
pub(super) fn with_format(text: &str, format: &str, zone: Tz) -> Option<(Moment, Vec<Remark>)> {
    plain(text, format, zone).or_else(|| by_chrono(text, format, zone))
}

fn by_chrono(text: &str, format: &str, zone: Tz) -> Option<(Moment, Vec<Remark>)> {
    if let Ok(fixed) = DateTime::parse_from_str(text, format) {
        return Some((exact(fixed.to_utc(), fixed.offset().local_minus_utc() / 60), Vec::new()));
    }
    if let Ok(local) = NaiveDateTime::parse_from_str(text, format) {
        return Some(localized(local, false, zone));
    }
    let date = NaiveDate::parse_from_str(text, format).ok()?;
    Some(localized(noon(date), true, zone))
}

/// Reads `2025-09-12T15:05:13+02:00` and `2025-09-12 15:05:13` where `format` asks for just that: most exports write
/// their times so. Whatever else there is in `text` is left to chrono.
fn plain(text: &str, format: &str, zone: Tz) -> Option<(Moment, Vec<Remark>)> {
    let (mark, has_offset) = match format {
        "%Y-%m-%dT%H:%M:%S%z" | "%Y-%m-%dT%H:%M:%S%:z" => (b'T', true),
        "%Y-%m-%d %H:%M:%S" => (b' ', false),
        _ => return None,
    };
    let bytes = text.as_bytes();
    let figures = |at: usize, count: usize| {
        let digits = bytes.get(at..at + count)?;
        digits.iter().try_fold(0_u32, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
        })
    };
    let has = |at: usize, mark: u8| bytes.get(at) == Some(&mark);
    let is_formed = has(4, b'-') && has(7, b'-') && has(10, mark) && has(13, b':') && has(16, b':');
    if !is_formed || bytes.len() != if has_offset { 25 } else { 19 } {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(figures(0, 4)? as i32, figures(5, 2)?, figures(8, 2)?)?;
    let local = date.and_hms_opt(figures(11, 2)?, figures(14, 2)?, figures(17, 2)?)?;
    if !has_offset {
        return Some(localized(local, false, zone));
    }
    let (hours, minutes) = (figures(20, 2)?, figures(23, 2)?);
    let sign = match bytes[19] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    if hours > 14 || minutes > 59 || !has(22, b':') {
        return None;
    }
    let offset_minutes = sign * (hours * 60 + minutes) as i32;
    let instant = local.checked_sub_signed(Duration::minutes(i64::from(offset_minutes)))?.and_utc();
    Some((exact(instant, offset_minutes), Vec::new()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_times_are_what_chrono_reads(
            text in "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]([+-][01][0-9]:[0-6][0-9])?",
            format in "%Y-%m-%d(T%H:%M:%S%z|T%H:%M:%S%:z| %H:%M:%S)",
        ) {
            let found = plain(&text, &format, chrono_tz::Europe::Warsaw);
            if found.is_some() {
                prop_assert_eq!(found, by_chrono(&text, &format, chrono_tz::Europe::Warsaw));
            }
        }
    }
}
