//! Instants in every form that exporters, spreadsheets and people write.

use chrono::{
    DateTime, Datelike as _, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime,
    TimeZone as _, Utc,
};
use chrono_tz::Tz;

use super::Remark;
use super::moment_words::{offset_at_end, spelled_date, without_words};
use super::text::{narrow, unguard};
use crate::model::moment::{Certainty, DateOrder, Moment};

/// How a source writes its times.
#[derive(Debug, Clone, Copy)]
pub struct TimeStyle<'a> {
    /// Zone of times that carry none.
    pub zone: Tz,
    /// chrono formats that are tried before anything else.
    pub formats: &'a [String],
    /// Order of `9/12/2025`.
    pub order: DateOrder,
    /// Zone in which an ambiguous order is settled against, and the stand-in of a missing time.
    pub received_at: DateTime<Utc>,
}

/// Why a cell holds no instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MomentFault {
    /// The cell is empty, or holds the null date of a database.
    Blank,
    /// The cell holds something else; the remark says what.
    Unusable(Remark),
}

/// Years that a lead can come from; outside them a number is an id and a date a slip.
const YEARS: std::ops::RangeInclusive<i32> = 1990..=2100;
/// Day 0 of Excel's calendar on Windows, shifted for its invented 29 February 1900.
const EXCEL_EPOCH: (i32, u32, u32) = (1899, 12, 30);

/// Returns the instant in `raw` with remarks on what was assumed.
pub fn parse(raw: &str, style: TimeStyle<'_>) -> Result<(Moment, Vec<Remark>), MomentFault> {
    let text = unguard(raw);
    let text = narrow(&text);
    if is_null(&text) {
        return Err(MomentFault::Blank);
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
    if let Some(local) = excel_serial(&text) {
        return in_range(localized(local, false, style.zone), &text);
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
        None => {
            Err(unusable("time-unreadable", format!("`{text}` is no date or time leadmill knows")))
        }
    }
}

fn unusable(code: &'static str, message: String) -> MomentFault {
    MomentFault::Unusable(Remark::new(code, message))
}

/// Returns whether `text` says nothing: empty, dashes, or a date of noughts.
fn is_null(text: &str) -> bool {
    !text.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
        && !text.chars().any(char::is_alphabetic)
        || matches!(text.get(..10), Some("1899-12-30" | "1899-12-31" | "1900-01-00" | "0001-01-01"))
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
    style.formats.iter().find_map(|format| {
        if let Ok(fixed) = DateTime::parse_from_str(text, format) {
            return Some((
                exact(fixed.to_utc(), fixed.offset().local_minus_utc() / 60),
                Vec::new(),
            ));
        }
        if let Ok(local) = NaiveDateTime::parse_from_str(text, format) {
            return Some(localized(local, false, style.zone));
        }
        let date = NaiveDate::parse_from_str(text, format).ok()?;
        Some(localized(noon(date), true, style.zone))
    })
}

fn noon(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN) + Duration::hours(12)
}

fn exact(instant: DateTime<Utc>, offset_minutes: i32) -> Moment {
    Moment { epoch_ms: instant.timestamp_millis(), offset_minutes, certainty: Certainty::Exact }
}

/// Reads seconds, milliseconds or microseconds since 1970.
fn epoch(text: &str) -> Option<DateTime<Utc>> {
    let whole = text.strip_suffix(".0").unwrap_or(text);
    if !(9..=17).contains(&whole.len())
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
        12 | 13 => DateTime::from_timestamp_millis(count),
        15 | 16 => DateTime::from_timestamp_micros(count),
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
fn excel_serial(text: &str) -> Option<NaiveDateTime> {
    let (days, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if days.len() != 5 || !is_plain(days) || !is_plain(fraction) || fraction.len() > 15 {
        return None;
    }
    let days: i64 = days.parse().ok()?;
    let share: f64 = format!("0.{fraction}").parse().ok()?;
    let seconds = (share * 86_400.0).round() as i64;
    let (year, month, day) = EXCEL_EPOCH;
    let start = NaiveDate::from_ymd_opt(year, month, day)?.and_time(NaiveTime::MIN);
    let whole = fraction.bytes().all(|byte| byte == b'0');
    let seconds = if whole { 43_200 } else { seconds };
    start.checked_add_signed(Duration::days(days) + Duration::seconds(seconds))
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
    let end = bare.find(|c: char| !c.is_ascii_digit() && !"./-".contains(c)).unwrap_or(bare.len());
    let (figures, rest) = bare.split_at(end);
    if figures.len() == 8 && figures.bytes().all(|byte| byte.is_ascii_digit()) {
        let date = NaiveDate::parse_from_str(figures, "%Y%m%d").ok()?;
        return finish(date, rest.trim_start_matches(['T', ' ']), style);
    }
    let (date, remark) = figures_date(figures.trim_end_matches(['.', '-']), style)?;
    let rest = rest.trim_start_matches(['T', ' ', ',']);
    let (moment, mut remarks) = finish(date, rest, style)?;
    remarks.extend(remark);
    Some((moment, remarks))
}

/// Reads `12.09.2025`, `9/12/25`, `2025/09/12` and settles which figure is the month.
fn figures_date(figures: &str, style: TimeStyle<'_>) -> Option<(NaiveDate, Option<Remark>)> {
    let separator = figures.chars().find(|c| !c.is_ascii_digit())?;
    let mut parts = figures.split(separator).map(str::parse::<u32>);
    let (a, b, c) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    if parts.next().is_some() {
        return None;
    }
    if a > 31 {
        // A month over 12 in second place is a day: 2025-13-01 was written by a swapping program.
        let date = NaiveDate::from_ymd_opt(a as i32, b, c);
        let swapped = || NaiveDate::from_ymd_opt(a as i32, c, b);
        let remark =
            || Remark::new("date-swapped", format!("`{figures}` has its day before its month"));
        return date.map(|date| (date, None)).or_else(|| Some((swapped()?, Some(remark()))));
    }
    let year = if c < 100 { 2000 + c as i32 } else { c as i32 };
    let day_first = || NaiveDate::from_ymd_opt(year, b, a);
    let month_first = || NaiveDate::from_ymd_opt(year, a, b);
    if separator != '/' && style.order != DateOrder::Mdy {
        // Nobody who writes 12.09.2025 or 12-09-2025 means 9 December, unless the source says so.
        return day_first().or_else(month_first).map(|date| (date, None));
    }
    let (Some(by_day), Some(by_month)) = (day_first(), month_first()) else {
        return day_first().or_else(month_first).map(|date| (date, None));
    };
    let chosen = match style.order {
        DateOrder::Dmy => return Some((by_day, None)),
        DateOrder::Mdy => return Some((by_month, None)),
        DateOrder::Unknown if a == b => return Some((by_day, None)),
        DateOrder::Unknown => nearest_before(by_day, by_month, style.received_at),
    };
    let message =
        format!("`{figures}` was read as {chosen}; set `date-order` for this source to be sure");
    Some((chosen, Some(Remark::new("date-ambiguous", message))))
}

/// Returns the reading that is not in the future of the receipt and closest to it; day first when even.
fn nearest_before(by_day: NaiveDate, by_month: NaiveDate, received_at: DateTime<Utc>) -> NaiveDate {
    let received = received_at.date_naive() + Duration::days(1);
    let age = |date: NaiveDate| received.signed_duration_since(date).num_days();
    match (age(by_day) >= 0, age(by_month) >= 0) {
        (true, false) => by_day,
        (false, true) => by_month,
        _ if age(by_month).abs() < age(by_day).abs() => by_month,
        _ => by_day,
    }
}

/// Joins `date` with the clock time and offset in `rest`; text that is neither makes it no instant.
fn finish(date: NaiveDate, rest: &str, style: TimeStyle<'_>) -> Option<(Moment, Vec<Remark>)> {
    let (clock, offset) = offset_at_end(rest.trim());
    let clock = clock.trim().trim_end_matches([',', '.']).trim_end();
    let (local, is_date_only) =
        if clock.is_empty() { (noon(date), true) } else { (clock_time(date, clock)?, false) };
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
        None => Some(localized(local, is_date_only, style.zone)),
    }
}

/// Reads `15:05`, `3:05:13 PM`, `15:05:13.123`, `15.05`, `24:00`.
fn clock_time(date: NaiveDate, clock: &str) -> Option<NaiveDateTime> {
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
    if let Some(half) = half {
        if hour == 0 || hour > 12 {
            return None;
        }
        hour = hour % 12 + half;
    }
    if hour == 24 && minute == 0 && second == 0 {
        return date.succ_opt()?.and_hms_opt(0, 0, 0);
    }
    let millis = format!("{fraction:0<3}").get(..3).and_then(|text| text.parse().ok()).unwrap_or(0);
    date.and_hms_milli_opt(hour, minute, second, millis)
}

/// Places local time in `zone`: a time that the clocks skip moves forward, a doubled one is the first.
fn localized(local: NaiveDateTime, is_date_only: bool, zone: Tz) -> (Moment, Vec<Remark>) {
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
    let certainty = if is_date_only { Certainty::DateOnly } else { Certainty::ZoneAssumed };
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn style(order: DateOrder, formats: &[String]) -> TimeStyle<'_> {
        TimeStyle {
            zone: chrono_tz::Europe::Warsaw,
            formats,
            order,
            received_at: Utc.with_ymd_and_hms(2025, 9, 30, 12, 0, 0).unwrap(),
        }
    }

    fn read(raw: &str, order: DateOrder, formats: &[String]) -> String {
        match parse(raw, style(order, formats)) {
            Ok((moment, remarks)) => {
                let certainty = match moment.certainty {
                    Certainty::Exact => "exact",
                    Certainty::ZoneAssumed => "zone",
                    Certainty::DateOnly => "date",
                    Certainty::Received => "received",
                };
                let mut words =
                    vec![moment.utc().format("%F %T").to_string(), certainty.to_owned()];
                words.extend(remarks.iter().map(|remark| remark.code.to_owned()));
                words.join(" ")
            }
            Err(MomentFault::Blank) => "blank".to_owned(),
            Err(MomentFault::Unusable(remark)) => remark.code.to_owned(),
        }
    }

    #[track_caller]
    fn check(raw: &str, expected: &str) {
        assert_eq!(read(raw, DateOrder::Unknown, &[]), expected, "{raw:?}");
    }

    #[test]
    fn an_offset_makes_an_instant_exact() {
        check("2025-09-12T15:05:13+02:00", "2025-09-12 13:05:13 exact");
        check("2025-09-12T13:05:13+0000", "2025-09-12 13:05:13 exact");
        check("2025-09-12T13:05:13.123Z", "2025-09-12 13:05:13 exact");
        check("2025-09-12 13:05:13 UTC", "2025-09-12 13:05:13 exact");
        check("2025-09-12T08:05:13-05:00", "2025-09-12 13:05:13 exact");
        check("2025/09/12 3:05:13 PM GMT+2", "2025-09-12 13:05:13 exact");
        check("2025-09-12 15:05:13 +02", "2025-09-12 13:05:13 exact");
        check("2025-09-12T15:05+05:30", "2025-09-12 09:35:00 exact");
        check("Fri, 12 Sep 2025 13:05:13 GMT", "2025-09-12 13:05:13 exact");
        check(
            "Fri Sep 12 2025 15:05:13 GMT+0200 (Central European Summer Time)",
            "2025-09-12 13:05:13 exact",
        );
        check("2025-09-12 15:05:13 CEST", "2025-09-12 13:05:13 exact");
    }

    #[test]
    fn local_time_is_placed_in_the_zone_of_the_source() {
        check("2025-09-12 15:05:13", "2025-09-12 13:05:13 zone");
        check("12.09.2025 15:05", "2025-09-12 13:05:00 zone");
        check("12.09.2025, 15:05:13", "2025-09-12 13:05:13 zone");
        check("1.09.2025 8:00:01", "2025-09-01 06:00:01 zone");
        check("12-09-2025 09:30", "2025-09-12 07:30:00 zone");
        check("2025-03-03 11:00 am", "2025-03-03 10:00:00 zone");
        check("3/15/2024 2:30 PM", "2024-03-15 13:30:00 zone");
        check("12 września 2025 15:05", "2025-09-12 13:05:00 zone");
        check("12 września, 2025 15:05", "2025-09-12 13:05:00 zone");
        check("12 września 2025, o godz. 15:05", "2025-09-12 13:05:00 zone");
        check("September 12, 2025 at 3:05 PM", "2025-09-12 13:05:00 zone");
        check("12. September 2025 15:05 Uhr", "2025-09-12 13:05:00 zone");
        check("2025-09-12 24:00", "2025-09-12 22:00:00 zone");
        check("45912,545", "2025-09-12 11:04:48 zone");
        check("45912.545", "2025-09-12 11:04:48 zone");
    }

    #[test]
    fn a_date_alone_is_noon() {
        check("12.9.2025", "2025-09-12 10:00:00 date");
        check("2025-09-12", "2025-09-12 10:00:00 date");
        check("20250912", "2025-09-12 10:00:00 date");
        check("13/09/2025", "2025-09-13 10:00:00 date");
        check("wrz 12, 2025", "2025-09-12 10:00:00 date");
        check("Sep 12, 2025", "2025-09-12 10:00:00 date");
        check("12 wrz 2025", "2025-09-12 10:00:00 date");
        check("12-Sep-2025", "2025-09-12 10:00:00 date");
        check("45912", "2025-09-12 10:00:00 zone");
    }

    #[test]
    fn an_ambiguous_order_is_settled_by_source_or_receipt_and_said() {
        check("09/12/2025", "2025-09-12 10:00:00 date date-ambiguous");
        check("9/12/25 18:01:02", "2025-09-12 16:01:02 zone date-ambiguous");
        assert_eq!(read("9/12/2025", DateOrder::Mdy, &[]), "2025-09-12 10:00:00 date");
        assert_eq!(read("9/12/2025", DateOrder::Dmy, &[]), "2025-12-09 11:00:00 date");
        assert_eq!(read("08/08/2025", DateOrder::Unknown, &[]), "2025-08-08 10:00:00 date");
        assert_eq!(read("12/25/2024", DateOrder::Dmy, &[]), "2024-12-25 11:00:00 date");
        check("2025-13-01", "2025-01-13 11:00:00 date date-swapped");
    }

    #[test]
    fn epochs_are_told_by_their_length() {
        check("1757682313", "2025-09-12 13:05:13 exact");
        check("1757682313.0", "2025-09-12 13:05:13 exact");
        check("1757682313000", "2025-09-12 13:05:13 exact");
        check("1757682313000000", "2025-09-12 13:05:13 exact");
        check("1,75768E+12", "time-unrecoverable");
    }

    #[test]
    fn the_clocks_change() {
        check("30.03.2025 02:30", "2025-03-30 01:30:00 zone time-in-dst-gap");
        check("26.10.2025 02:30", "2025-10-26 00:30:00 zone time-ambiguous-dst");
    }

    #[test]
    fn null_dates_are_blank_and_nonsense_is_said() {
        for raw in ["00.00.0000", "0000-00-00 00:00:00", "1899-12-30", "", "-", "null", "0"] {
            check(raw, "blank");
        }
        check("jutro", "time-unreadable");
        check("31.02.2025", "time-unreadable");
        check("12.09.2025 25:00", "time-unreadable");
        check("12.09.1925", "time-out-of-range");
        check("12345", "time-out-of-range");
    }

    #[test]
    fn the_formats_of_the_source_come_first() {
        let formats = ["%d|%m|%Y %H.%M".to_owned(), "%y%m%d".to_owned()];
        assert_eq!(
            read("12|09|2025 15.05", DateOrder::Unknown, &formats),
            "2025-09-12 13:05:00 zone"
        );
        assert_eq!(read("250912", DateOrder::Unknown, &formats), "2025-09-12 10:00:00 date");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(raw in "\\PC{0,30}", date in "[0-9./: ,TZ+-]{0,30}", words in "[0-9a-ż :,.]{0,30}") {
            for text in [&raw, &date, &words] {
                if let Ok((moment, _)) = parse(text, style(DateOrder::Unknown, &[])) {
                    prop_assert!(YEARS.contains(&moment.utc().year()));
                }
            }
        }
    }
}
