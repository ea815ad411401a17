//! Joins a date and the time of day that stands in a column of its own: `Data` and `Godzina`.

use std::sync::Arc;

use super::roles::{Column, RoleOrigin, keys_of};
use crate::model::row::{Cell, Role};

/// Words of a header that ask for a time of day.
const TIME_WORDS: &[&str] =
    &["time", "godzina", "godz", "czas", "uhrzeit", "zeit", "hour", "hora", "heure"];
/// Words of a header that ask for a day.
const DATE_WORDS: &[&str] = &["date", "data", "datum", "day", "dzien", "tag", "fecha", "jour"];
/// Words that change nothing about what is meant.
const ZONE_WORDS: &[&str] = &["utc", "gmt", "local", "cet", "h", "hh", "mm", "ss"];
/// A time of day with its zone, as long as anybody writes it.
const TIME_BYTES_MAX: usize = 20;
const SECONDS_OF_DAY: f64 = 86_400.0;

/// Two columns that tell together when a form was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SplitTime {
    /// The one that counts as the time of sending.
    main: Arc<str>,
    /// The one beside it.
    beside: Arc<str>,
    is_utc: bool,
}

impl SplitTime {
    /// Finds the two columns, if there are such.
    pub(super) fn find(columns: &[Column]) -> Option<Self> {
        let mut mains = columns.iter().filter(|column| column.role == Role::SubmittedAt);
        mains.find_map(|main| Self::beside(main, columns))
    }

    /// Finds the column that completes `main`.
    fn beside(main: &Column, columns: &[Column]) -> Option<Self> {
        let rest = words_of(&main.name);
        let (main_has_date, main_has_time) = (has(&rest, DATE_WORDS), has(&rest, TIME_WORDS));
        let is_beside = |column: &&Column| {
            let is_free = column.role == Role::Answer && column.origin != RoleOrigin::Own;
            let words = words_of(&column.name);
            let is_other_half =
                has(&words, TIME_WORDS) && !has(&words, DATE_WORDS) && !main_has_time
                    || has(&words, DATE_WORDS)
                        && !has(&words, TIME_WORDS)
                        && main_has_time
                        && !main_has_date;
            let is_about_the_same = words.iter().all(|word| {
                [TIME_WORDS, DATE_WORDS, ZONE_WORDS]
                    .iter()
                    .any(|list| list.contains(&word.as_str()))
                    || rest.contains(word)
            });
            let is_sibling = parent(&column.name) == parent(&main.name);
            is_free && is_sibling && is_other_half && is_about_the_same
        };
        let beside = columns.iter().find(is_beside)?;
        let is_utc = words_of(&beside.name).iter().any(|word| word == "utc" || word == "gmt");
        Some(Self { main: main.name.clone(), beside: beside.name.clone(), is_utc })
    }

    /// Completes the time of sending among the cells of a row.
    pub(super) fn join(&self, cells: &mut [Cell]) {
        let of = |name: &Arc<str>| cells.iter().position(|cell| cell.column == *name);
        let (Some(main), Some(beside)) = (of(&self.main), of(&self.beside)) else { return };
        let zone = if self.is_utc { "UTC" } else { "" };
        let joined = joined(cells[main].text.trim(), cells[beside].text.trim(), zone)
            .or_else(|| joined(cells[beside].text.trim(), cells[main].text.trim(), zone));
        if let Some(joined) = joined {
            cells[main].text = joined;
        }
    }
}

/// What stands before the last part of a dotted path.
fn parent(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(parent, _)| parent)
}

/// The words of a header, or of the last part of a dotted path.
fn words_of(name: &str) -> Vec<String> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let key = keys_of(last).pop().unwrap_or_default();
    key.split(' ').map(str::to_owned).collect()
}

fn has(words: &[String], list: &[&str]) -> bool {
    words.iter().any(|word| list.contains(&word.as_str()))
}

/// Joins a date without a time of day and a time of day without a date; `zone` is that of a time which names none.
fn joined(date: &str, time: &str, zone: &str) -> Option<String> {
    let date = [" 00:00:00", "T00:00:00", " 0:00:00", " 00:00", " 0:00"]
        .iter()
        .find_map(|midnight| date.strip_suffix(midnight))
        .unwrap_or(date);
    let is_date = !date.contains(':') && date.bytes().filter(u8::is_ascii_digit).count() >= 3;
    if !is_date {
        return None;
    }
    let (seconds, own_zone) = time_of_day(time)?;
    let is_serial = date.len() == 5 && date.bytes().all(|byte| byte.is_ascii_digit());
    let mut text = if is_serial {
        let part = format!("{:.6}", f64::from(seconds) / SECONDS_OF_DAY);
        let zone = if own_zone.is_empty() { String::new() } else { format!(" {own_zone}") };
        format!("{date}.{}{zone}", part.strip_prefix("0.")?)
    } else if is_part(time) {
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        format!("{date} {hours:02}:{minutes:02}:{:02}", seconds % 60)
    } else {
        format!("{date} {time}")
    };
    if own_zone.is_empty() && !zone.is_empty() {
        text += " ";
        text += zone;
    }
    Some(text)
}

/// Returns whether `text` is a part of a day, as spreadsheets count: `0,545`.
fn is_part(text: &str) -> bool {
    let digits = text.strip_prefix("0,").or_else(|| text.strip_prefix("0."));
    digits
        .is_some_and(|digits| digits.len() >= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns the seconds since midnight of a time of day, and the zone that it names: `15:05`, `3:05:13 PM UTC`,
/// `godz. 15.05`, `0,545`.
fn time_of_day(text: &str) -> Option<(u32, &str)> {
    if is_part(text) {
        let part: f64 = text.replace(',', ".").parse().ok()?;
        return Some(((part * SECONDS_OF_DAY).round() as u32, ""));
    }
    let text = text.strip_prefix("godz").map_or(text, |rest| rest.trim_start_matches(['.', ' ']));
    let end =
        text.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(text.len());
    let (figures, behind) = text.split_at(end);
    let behind = behind.trim();
    let is_zone = behind.starts_with(['+', '-', 'Z']);
    let is_of = |text: &str, words: &[&str]| words.iter().any(|it| text.eq_ignore_ascii_case(it));
    let is_zone_word = |text: &str| is_of(text, &["utc", "gmt", "cet", "cest"]);
    let is_word = |text: &str| {
        text.is_empty()
            || is_of(text, &["am", "pm", "a.m.", "p.m.", "uhr", "h"])
            || is_zone_word(text)
    };
    let is_known = is_zone || behind.split(' ').all(is_word);
    let last = behind.rsplit(' ').next().unwrap_or_default();
    let zone = match last {
        _ if is_zone => behind,
        last if is_zone_word(last) => last,
        _ => "",
    };
    if text.len() > TIME_BYTES_MAX || !is_known {
        return None;
    }
    let separator = if figures.contains(':') { ':' } else { '.' };
    let mut parts = figures.split(separator);
    let hours: u32 = parts.next().filter(|part| part.len() <= 2)?.parse().ok()?;
    let minutes: u32 = parts.next().filter(|part| part.len() == 2)?.parse().ok()?;
    let seconds: u32 = match parts.next() {
        Some(part) => part.split('.').next()?.parse().ok()?,
        None => 0,
    };
    let hour = match behind.bytes().next().map(|byte| byte.to_ascii_lowercase()) {
        Some(b'a') if hours == 12 => 0,
        Some(b'p') if hours < 12 => hours + 12,
        _ => hours,
    };
    let is_valid = parts.next().is_none() && hours < 24 && minutes < 60 && seconds < 61;
    is_valid.then_some((hour * 3600 + minutes * 60 + seconds, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_and_a_time_are_joined_and_nothing_else() {
        let check = |date: &str, time: &str, expected: Option<&str>| {
            assert_eq!(joined(date, time, "").as_deref(), expected, "{date} and {time}");
        };
        check("12.09.2025", "15:05", Some("12.09.2025 15:05"));
        check("9/12/2025", "3:05:13 PM", Some("9/12/2025 3:05:13 PM"));
        check("2025-09-12", "03:05 PM UTC", Some("2025-09-12 03:05 PM UTC"));
        check("2025-09-12", "15:05:13+02:00", Some("2025-09-12 15:05:13+02:00"));
        check("2025-09-12 00:00:00", "15.05", Some("2025-09-12 15.05"));
        check("12 września 2025", "godz. 15:05", Some("12 września 2025 godz. 15:05"));
        check("12.09.2025", "0,628622685", Some("12.09.2025 15:05:13"));
        check("45912", "0,5", None);
        check("45912", "12:00", Some("45912.500000"));
        check("45912", "12:30 AM", Some("45912.020833"));
        check("45912", "3:05 PM UTC", Some("45912.628472 UTC"));
        check("45912", "15:05+02:00", Some("45912.628472 +02:00"));
        check("2025-09-12 15:05", "15:05", None);
        check("2025-09-12", "rano", None);
        check("2025-09-12", "25:00", None);
        check("2025-09-12", "2:30 h walk", None);
        check("2025-09-12", "600123456", None);
    }

    #[test]
    fn the_zone_of_a_header_is_that_of_a_time_which_names_none() {
        let check = |date: &str, time: &str, expected: &str| {
            assert_eq!(joined(date, time, "UTC").as_deref(), Some(expected), "{date} and {time}");
        };
        check("12 października 2025", "15:05", "12 października 2025 15:05 UTC");
        check("12.09.2025", "3:05 PM", "12.09.2025 3:05 PM UTC");
        check("12.09.2025", "15:05+02:00", "12.09.2025 15:05+02:00");
        check("12.09.2025", "15:05 CEST", "12.09.2025 15:05 CEST");
        check("12.09.2025", "15:05Z", "12.09.2025 15:05Z");
        check("12.09.2025", "0,500", "12.09.2025 12:00:00 UTC");
        check("45912", "12:00", "45912.500000 UTC");
    }
}
