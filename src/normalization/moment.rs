//! Instants in every form that exporters, spreadsheets and people write.

use std::borrow::Cow;

use chrono::{
    DateTime, Datelike as _, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime,
    TimeZone as _, Utc,
};
use chrono_tz::Tz;

use super::date_order::{Basis, Figures, Orders, format_order, split_figures};
use super::moment_words::{offset_at_end, plain_clock, spelled_date, without_words, zone_at_end};
use super::text::{narrow, unguard};
use super::{Remark, moment_plain};
use crate::model::moment::{Certainty, DateOrder, Moment};

/// How a source writes its times.
#[derive(Debug, Clone, Copy)]
pub struct TimeStyle<'a> {
    /// Zone of times that carry none.
    pub zone: Tz,
    /// chrono formats that are tried before anything else.
    pub formats: &'a [String],
    /// Order of `9/12/2025` in the column, by separator.
    pub orders: Orders,
    /// Whether serial numbers of days count from 1904, as Excel for Mac once did.
    pub counts_from_1904: bool,
}

/// Why a cell holds no instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MomentFault {
    /// The cell is empty or says that there is none.
    Blank,
    /// The cell holds the date by which programs say that they know none, such as 1970-01-01; the remark says so.
    Null(Remark),
    /// The cell holds something else; the remark says what.
    Unusable(Remark),
}

/// Years that a lead can come from; outside them a number is an id and a date a slip.
const YEARS: std::ops::RangeInclusive<i32> = 1990..=2100;
/// Day 0 of Excel's calendar on Windows, shifted for its invented 29 February 1900.
const EXCEL_EPOCH: (i32, u32, u32) = (1899, 12, 30);
/// Days that the calendar of old Excel for Mac starts later.
const MAC_EPOCH_DAYS: i64 = 1462;
/// Dates that stand for none: the first day of spreadsheets, SQL Server, Unix and .NET.
const NULL_DATES: &[&str] = &[
    "1899-12-30",
    "1899-12-31",
    "1900-01-00",
    "30.12.1899",
    "31.12.1899",
    "12/30/1899",
    "12/31/1899",
    "00.01.1900",
    "0001-01-01",
    "01.01.0001",
    "01/01/0001",
    "1900-01-01",
    "01.01.1900",
    "01/01/1900",
    "1970-01-01",
    "01.01.1970",
    "01/01/1970",
];

/// Returns the instant in `raw` with remarks on what was assumed.
pub fn parse(raw: &str, style: TimeStyle<'_>) -> Result<(Moment, Vec<Remark>), MomentFault> {
    let text = unguard(raw);
    let text = narrow(&text);
    let text = plain_signs(&text);
    let text = plain_clock(text);
    if is_null(&text) {
        let is_date = text.bytes().any(|byte| byte.is_ascii_digit());
        return Err(if is_date { null_date(&text) } else { MomentFault::Blank });
    }
    if let Some(found) = with_formats(&text, style) {
        return in_range(found, &text);
    }
    if let Some(instant) = epoch(&text) {
        return in_range((exact(instant, 0), Vec::new()), &text);
    }
    if is_mangled(&text) {
        return Err(unusable(
            "time-unrecoverable",
            format!("a spreadsheet rounded `{text}`; the time is lost"),
        ));
    }
    let (serial, offset) = serial_and_offset(&text);
    if let Some((local, is_date_only)) = excel_serial(serial, style.counts_from_1904) {
        let found = placed(local, is_date_only, (offset, None), style);
        return found.map_or_else(|| Err(unreadable(&text)), |found| in_range(found, &text));
    }
    let found = if text.as_bytes().first().is_some_and(u8::is_ascii_digit)
        && text.as_bytes().get(4) == Some(&b'-')
    {
        iso(&text, style).or_else(|| written(&text, style))
    } else {
        written(&text, style)
    };
    match found {
        Some(found) => in_range(found, &text),
        None => Err(unreadable(&text)),
    }
}

fn unreadable(text: &str) -> MomentFault {
    unusable("time-unreadable", format!("`{text}` is no date or time leadmill knows"))
}

fn unusable(code: &'static str, message: String) -> MomentFault {
    MomentFault::Unusable(Remark::new(code, message))
}

/// Returns `text` with hyphens for dashes and without the blanks about the dots of `12. 9. 2025`.
fn plain_signs(text: &str) -> Cow<'_, str> {
    let is_dash = |c: char| matches!(c, '–' | '—' | '‑' | '−');
    let mut text = if text.contains(is_dash) && !text.contains(char::is_alphabetic) {
        Cow::Owned(text.replace(is_dash, "-"))
    } else {
        Cow::Borrowed(text)
    };
    let is_digit = |c: char| c.is_ascii_digit();
    for _ in 0..2 {
        // Only the dots of the date: those before two others have been passed.
        let Some(at) = text.match_indices(". ").map(|(at, _)| at).next() else { break };
        let before = text[..at].trim_end();
        let after = text[at + 2..].trim_start();
        let is_of_date = before.bytes().filter(|byte| *byte == b'.').count() < 2
            && before.ends_with(is_digit)
            && after.starts_with(is_digit);
        if !is_of_date {
            break;
        }
        text = Cow::Owned(format!("{before}.{after}"));
    }
    text
}

fn null_date(text: &str) -> MomentFault {
    let message = format!("`{text}` is how a program writes that it knows no date");
    MomentFault::Null(Remark::new("time-null", message))
}

/// Returns whether `text` says nothing: empty, dashes, or a date of noughts.
fn is_null(text: &str) -> bool {
    !text.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
        && !text.chars().any(char::is_alphabetic)
        || text.get(..10).is_some_and(|date| NULL_DATES.contains(&date))
        || matches!(
            text.to_ascii_lowercase().as_str(),
            "null" | "none" | "n/a" | "brak" | "nan" | "nat"
        )
}

fn in_range(
    (moment, remarks): (Moment, Vec<Remark>),
    text: &str,
) -> Result<(Moment, Vec<Remark>), MomentFault> {
    if YEARS.contains(&moment.utc().year()) {
        return Ok((moment, remarks));
    }
    Err(unusable("time-out-of-range", format!("`{text}` is not between 1990 and 2100")))
}

fn with_formats(text: &str, style: TimeStyle<'_>) -> Option<(Moment, Vec<Remark>)> {
    let formats = style.formats.iter().filter(|format| may_be_tried(format, style.orders));
    let found = formats
        .into_iter()
        .find_map(|format| moment_plain::with_format(text, format, style.zone))?;
    // chrono reads the 25 of `12.09.25` as the year 25 where the format asks for four figures.
    YEARS.contains(&found.0.utc().year()).then_some(found)
}

/// A format with figures for day and month must not read against the rest of the column, nor without a
/// notice what the column leaves open.
fn may_be_tried(format: &str, orders: Orders) -> bool {
    format_order(format).is_none_or(|(separator, order)| {
        let settled = orders[separator as usize];
        settled.order == order && settled.is_sure()
    })
}

pub(super) fn noon(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN) + Duration::hours(12)
}

pub(super) fn exact(instant: DateTime<Utc>, offset_minutes: i32) -> Moment {
    Moment { epoch_ms: instant.timestamp_millis(), offset_minutes, certainty: Certainty::Exact }
}

/// Reads seconds, milliseconds, microseconds or nanoseconds since 1970.
fn epoch(text: &str) -> Option<DateTime<Utc>> {
    let whole = text.strip_suffix(".0").unwrap_or(text);
    if !(9..=19).contains(&whole.len())
        || !whole.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return None;
    }
    let (number, fraction) = whole.split_once('.').unwrap_or((whole, ""));
    let count: i64 = number.parse().ok()?;
    match number.len() {
        9 | 10 => {
            let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
            DateTime::from_timestamp_millis(count * 1000 + millis)
        }
        13 => DateTime::from_timestamp_millis(count),
        15 | 16 => DateTime::from_timestamp_micros(count),
        18 | 19 => Some(DateTime::from_timestamp_nanos(count)),
        _ => None,
    }
}

/// Returns whether a spreadsheet wrote an epoch as `1,75768E+12`.
fn is_mangled(text: &str) -> bool {
    text.split_once(['E', 'e']).is_some_and(|(mantissa, exponent)| {
        mantissa.starts_with(|c: char| c.is_ascii_digit())
            && mantissa.bytes().all(|byte| byte.is_ascii_digit() || b".,".contains(&byte))
            && exponent.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit())
            && !exponent.is_empty()
    })
}

/// Reads days since Excel's epoch, such as `45912,545`; years 1990 to 2100 are 32874 to 73415.
/// A whole number is a date without a time.
fn excel_serial(text: &str, counts_from_1904: bool) -> Option<(NaiveDateTime, bool)> {
    let (days, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if days.len() != 5 || !is_plain(days) || !is_plain(fraction) || fraction.len() > 15 {
        return None;
    }
    let days: i64 = days.parse::<i64>().ok()? + if counts_from_1904 { MAC_EPOCH_DAYS } else { 0 };
    let share: f64 = format!("0.{fraction}").parse().ok()?;
    let seconds = (share * 86_400.0).round() as i64;
    let (year, month, day) = EXCEL_EPOCH;
    let date =
        NaiveDate::from_ymd_opt(year, month, day)?.checked_add_signed(Duration::days(days))?;
    if fraction.bytes().all(|byte| byte == b'0') {
        return Some((noon(date), true));
    }
    Some((date.and_time(NaiveTime::MIN) + Duration::seconds(seconds), false))
}

/// Splits a zone off a serial: `45912,545 UTC`.
fn serial_and_offset(text: &str) -> (&str, Option<i32>) {
    match text.rsplit_once(' ').map(|(serial, zone)| (serial, offset_at_end(zone))) {
        Some((serial, ("", Some(minutes)))) => (serial, Some(minutes)),
        _ => (text, None),
    }
}

/// Reads `2025-09-12`, then perhaps a time, then perhaps an offset or `Z`.
fn iso(text: &str, style: TimeStyle<'_>) -> Option<(Moment, Vec<Remark>)> {
    let date = NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()?;
    finish(date, text.get(10..)?.trim_start_matches(['T', 't', ' ', ',']), style)
}

/// Reads everything that is not ISO: figures in any order, or month names.
fn written(text: &str, style: TimeStyle<'_>) -> Option<(Moment, Vec<Remark>)> {
    let bare = without_words(text);
    if let Some((date, rest)) = spelled_date(&bare) {
        return finish(date, rest, style);
    }
    // `Sep 12 15:05:13 CEST 2025`: Unix puts the year behind the time.
    if let Some((before, year)) = bare.rsplit_once(' ')
        && year.len() == 4
        && year.bytes().all(|byte| byte.is_ascii_digit())
        && let Some((date, rest)) = spelled_date(&format!("{year} {before}"))
    {
        return finish(date, rest, style);
    }
    let (figures, rest) = split_figures(&bare);
    if let Some((date, clock)) = compact(figures) {
        let rest = rest.trim_start_matches(['T', 't', ' ']);
        return finish(date, if clock.is_empty() { rest } else { clock }, style);
    }
    let (date, remark) = figures_date(figures, style)?;
    let rest = rest.trim_start_matches(['T', ' ', ',']);
    let (moment, mut remarks) = finish(date, rest, style)?;
    remarks.extend(remark);
    Some((moment, remarks))
}

/// Reads `20250912`, `202509121505` and `20250912150513`; returns the clock's figures.
fn compact(figures: &str) -> Option<(NaiveDate, &str)> {
    if !matches!(figures.len(), 8 | 12 | 14) || !figures.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (date, clock) = figures.split_at(8);
    Some((NaiveDate::parse_from_str(date, "%Y%m%d").ok()?, clock))
}

/// Reads `12.09.2025`, `9/12/25`, `2025/09/12` and says what the column could not settle.
fn figures_date(text: &str, style: TimeStyle<'_>) -> Option<(NaiveDate, Option<Remark>)> {
    let Some(figures) = Figures::read(text) else { return year_first(text) };
    let settled = style.orders[figures.separator as usize];
    let (by_day, by_month) = (figures.day_first(), figures.month_first());
    let is_month_first = settled.order == DateOrder::Mdy;
    let (chosen, other) = if is_month_first { (by_month, by_day) } else { (by_day, by_month) };
    let remark = match (chosen, other) {
        (Some(chosen), Some(other)) if chosen != other && !settled.is_sure() => {
            let message = format!("`{text}` was read as {chosen}: {}", settled.because());
            Some(Remark::new("date-ambiguous", message))
        }
        (None, Some(other)) if settled.basis != Basis::Assumed => {
            let message = format!("`{text}` can only be {other}, against the order of its column");
            Some(Remark::new("date-against-column", message))
        }
        _ => None,
    };
    Some((chosen.or(other)?, remark))
}

fn year_first(text: &str) -> Option<(NaiveDate, Option<Remark>)> {
    let separator = text.chars().find(|c| !c.is_ascii_digit())?;
    let mut parts = text.split(separator);
    let (year, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let (year, second, third) = (year.parse().ok()?, second.parse().ok()?, third.parse().ok()?);
    if let Some(date) = NaiveDate::from_ymd_opt(year, second, third) {
        return Some((date, None));
    }
    // A month over 12 in second place is a day: 2025-13-01 was written by a swapping program.
    let date = NaiveDate::from_ymd_opt(year, third, second)?;
    let message = format!("`{text}` has its day before its month");
    Some((date, Some(Remark::new("date-swapped", message))))
}

/// Joins `date` with the clock time and offset in `rest`; text that is neither makes it no instant.
fn finish(date: NaiveDate, rest: &str, style: TimeStyle<'_>) -> Option<(Moment, Vec<Remark>)> {
    let (rest, zone) = zone_at_end(rest.trim());
    let (clock, offset) = offset_at_end(rest);
    let clock = clock.trim().trim_end_matches([',', '.']).trim_end();
    let (local, is_date_only) =
        if clock.is_empty() { (noon(date), true) } else { (clock_time(date, clock)?, false) };
    placed(local, is_date_only, (offset, zone), style)
}

/// Places local time by the offset or the zone that the text names, or else in the zone of its column.
fn placed(
    local: NaiveDateTime,
    is_date_only: bool,
    (offset, zone): (Option<i32>, Option<Tz>),
    style: TimeStyle<'_>,
) -> Option<(Moment, Vec<Remark>)> {
    match offset {
        Some(minutes) => {
            let instant =
                local.checked_sub_signed(Duration::minutes(i64::from(minutes)))?.and_utc();
            let mut moment = exact(instant, minutes);
            if is_date_only {
                moment.certainty = Certainty::DateOnly;
            }
            Some((moment, Vec::new()))
        }
        None => {
            let (mut moment, remarks) = localized(local, is_date_only, zone.unwrap_or(style.zone));
            if zone.is_some() && moment.certainty == Certainty::ZoneAssumed {
                moment.certainty = Certainty::Exact;
            }
            Some((moment, remarks))
        }
    }
}

/// Reads `15:05`, `3:05:13 PM`, `15:05:13.123`, `15.05`, `24:00`, `150513`.
fn clock_time(date: NaiveDate, clock: &str) -> Option<NaiveDateTime> {
    if matches!(clock.len(), 4 | 6) && clock.bytes().all(|byte| byte.is_ascii_digit()) {
        let format = if clock.len() == 4 { "%H%M" } else { "%H%M%S" };
        return NaiveTime::parse_from_str(clock, format).ok().map(|time| date.and_time(time));
    }
    let lower = clock.to_ascii_lowercase().replace("a.m.", "am").replace("p.m.", "pm");
    let (figures, half) = match lower.strip_suffix("am") {
        Some(figures) => (figures.trim_end(), Some(0)),
        None => {
            lower.strip_suffix("pm").map_or((lower.as_str(), None), |it| (it.trim_end(), Some(12)))
        }
    };
    let (figures, fraction) = match figures.split_once(',') {
        Some(parts) => parts,
        None if figures.contains(':') => figures.split_once('.').unwrap_or((figures, "")),
        None => (figures, ""),
    };
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut parts = figures.split([':', '.']);
    let mut figure = |is_required: bool| match parts.next() {
        Some(part) if !part.is_empty() && part.len() <= 2 => part.parse::<u32>().ok(),
        Some(_) => None,
        None => (!is_required).then_some(0),
    };
    let (mut hour, minute, second) = (figure(true)?, figure(half.is_none())?, figure(false)?);
    if parts.next().is_some() {
        return None;
    }
    hour = match half {
        None => hour,
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        // Some programs write `22:15 PM` and `00:15 AM`, in which the hour says all.
        Some(0) if hour == 0 => hour,
        Some(12) if hour > 12 => hour,
        Some(_) => return None,
    };
    if hour == 24 && minute == 0 && second == 0 {
        return date.succ_opt()?.and_hms_opt(0, 0, 0);
    }
    let millis = format!("{fraction:0<3}").get(..3).and_then(|text| text.parse().ok()).unwrap_or(0);
    date.and_hms_milli_opt(hour, minute, second, millis)
}

/// Places local time in `zone`: a time that the clocks skip moves forward, a doubled one is the first.
pub(super) fn localized(
    local: NaiveDateTime,
    is_date_only: bool,
    zone: Tz,
) -> (Moment, Vec<Remark>) {
    let mut remarks = Vec::new();
    let placed = match zone.from_local_datetime(&local) {
        LocalResult::Single(placed) => Some(placed),
        LocalResult::Ambiguous(first, _) => {
            let message = format!("{local} happens twice in {zone}; the first one was taken");
            remarks.push(Remark::new("time-ambiguous-dst", message));
            Some(first)
        }
        LocalResult::None => {
            let message = format!("{local} does not exist in {zone}; it was moved past the gap");
            remarks.push(Remark::new("time-in-dst-gap", message));
            after_gap(local, zone)
        }
    };
    let certainty = match (is_date_only, remarks.is_empty()) {
        (true, _) => Certainty::DateOnly,
        (false, true) => Certainty::ZoneAssumed,
        (false, false) => Certainty::ClockChange,
    };
    let moment = match placed {
        Some(placed) => {
            let offset_minutes = (placed.naive_local() - placed.naive_utc()).num_minutes() as i32;
            Moment { epoch_ms: placed.timestamp_millis(), offset_minutes, certainty }
        }
        None => {
            Moment { epoch_ms: local.and_utc().timestamp_millis(), offset_minutes: 0, certainty }
        }
    };
    (moment, remarks)
}

/// Returns the wall-clock time as the clocks would have shown it had they not been moved: an hour gap
/// turns 02:30 into 03:30.
fn after_gap(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Tz>> {
    let before = local.checked_sub_signed(Duration::hours(3))?;
    let anchor = zone.from_local_datetime(&before).earliest()?;
    anchor.checked_add_signed(Duration::hours(3))
}

#[cfg(test)]
mod tests;
