//! The words in dates: months in three languages, zones, and what people write between them.

use std::borrow::Cow;
use std::sync::LazyLock;

use chrono::NaiveDate;
use chrono_tz::Tz;
use regex::Regex;

use crate::rules::field::fold_header;

/// Beginnings of month names, folded; Polish genitive and locative share them with the nominative.
const MONTHS: &[(&str, u32)] = &[
    ("sty", 1),
    ("jan", 1),
    ("janner", 1),
    ("lut", 2),
    ("feb", 2),
    ("mar", 3),
    ("maerz", 3),
    ("mrz", 3),
    ("kwi", 4),
    ("apr", 4),
    ("maj", 5),
    ("may", 5),
    ("mai", 5),
    ("cze", 6),
    ("jun", 6),
    ("lip", 7),
    ("jul", 7),
    ("sie", 8),
    ("aug", 8),
    ("wrz", 9),
    ("sep", 9),
    ("paz", 10),
    ("oct", 10),
    ("okt", 10),
    ("lis", 11),
    ("nov", 11),
    ("gru", 12),
    ("dec", 12),
    ("dez", 12),
    ("ene", 1),
    ("avr", 4),
    ("abr", 4),
    ("juin", 6),
    ("juil", 7),
    ("aou", 8),
    ("ago", 8),
    ("dic", 12),
];

const ROMAN: &[&str] = &["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

/// Zones by the letters that exporters put behind a time, in minutes east of UTC.
const ZONES: &[(&str, i32)] = &[
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    ("cest", 120),
    ("cet", 60),
    ("mesz", 120),
    ("mez", 60),
    ("bst", 60),
    ("wet", 0),
    ("west", 60),
    ("eest", 180),
    ("eet", 120),
    ("est", -300),
    ("edt", -240),
    ("cst", -360),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
];

/// Words that carry no date: weekdays and what stands before a clock time.
const FILLERS: &[&str] = &[
    "o",
    "godz",
    "godzina",
    "godzinie",
    "at",
    "um",
    "uhr",
    "r",
    "roku",
    "dnia",
    "dn",
    "the",
    "of",
    "on",
    "am",
    "pon",
    "poniedzialek",
    "wt",
    "wtorek",
    "sr",
    "sroda",
    "czw",
    "czwartek",
    "pt",
    "piatek",
    "sob",
    "sobota",
    "ndz",
    "nd",
    "niedz",
    "niedziela",
    "mon",
    "monday",
    "tue",
    "tuesday",
    "wed",
    "wednesday",
    "thu",
    "thursday",
    "fri",
    "friday",
    "sat",
    "saturday",
    "sun",
    "sunday",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonntag",
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
    "lunes",
    "martes",
    "miercoles",
    "jueves",
    "viernes",
    "sabado",
    "domingo",
    "le",
    "a",
    "de",
    "del",
    "el",
    "las",
];

/// Returns `text` with the clock time at its end as programs write it: `15h05` and `15 h 05` are 15:05, `3:05 p. m.`
/// is 3:05 pm.
pub(super) fn plain_clock(text: Cow<'_, str>) -> Cow<'_, str> {
    static HOURS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(\d{1,2}) ?h(?: ?(\d{2})(?: ?min)?(?: ?(\d{2}) ?s)?)?$").ok()
    });
    static HALVES: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)(\d) ?([ap])\. ?m\.?$").ok());
    if text.ends_with(['.', 'm', 'M'])
        && let Some(found) = HALVES.as_ref().and_then(|halves| halves.captures(&text))
    {
        let start = found.get(0).map_or(0, |whole| whole.start());
        return Cow::Owned(format!("{}{} {}m", &text[..start], &found[1], &found[2]));
    }
    if text.contains(['h', 'H'])
        && let Some(found) = HOURS.as_ref().and_then(|hours| hours.captures(&text))
    {
        let start = found.get(0).map_or(0, |whole| whole.start());
        let part = |at: usize| found.get(at).map_or("00", |part| part.as_str());
        return Cow::Owned(format!("{}{}:{}:{}", &text[..start], part(1), part(2), part(3)));
    }
    text
}

/// Returns `text` without weekdays, filler words and a zone name in brackets.
pub(super) fn without_words(text: &str) -> String {
    let is_digit = |c: char| c.is_ascii_digit();
    let (text, zone) = text.split_once('(').unwrap_or((text, ""));
    // `(CEST)` places the time; longer names only repeat the offset before them.
    let zone = zone.trim_end_matches([')', ' ']);
    if ZONES.iter().any(|(name, _)| name.eq_ignore_ascii_case(zone)) {
        return without_words(&format!("{text} {zone}"));
    }
    if !text.chars().any(char::is_alphabetic) {
        return text.trim().to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        // `2025r.` and `godz.15:05`: the word was written without a blank.
        let word = word.strip_suffix("r.").filter(|rest| rest.ends_with(is_digit)).unwrap_or(word);
        let word =
            word.strip_prefix("godz.").filter(|rest| rest.starts_with(is_digit)).unwrap_or(word);
        let folded = fold_header(word);
        // `am` is German for "on the" in front of a date, and half a day behind a time.
        let is_half = folded == "am"
            && kept.iter().any(|before| before.contains(|c: char| c.is_ascii_digit()));
        if is_half || !FILLERS.contains(&folded.as_str()) {
            kept.push(word);
        }
    }
    kept.join(" ").trim_matches(|c: char| c == ',' || c == ' ').to_owned()
}

/// Reads a date with a month name, `12 września, 2025` or `Sep 12, 2025`; returns what follows it.
pub(super) fn spelled_date(text: &str) -> Option<(NaiveDate, &str)> {
    let mut rest = text;
    let mut month = None;
    let mut figures: Vec<(u32, usize)> = Vec::new();
    while month.is_none() || figures.len() < 2 {
        rest = rest.trim_start_matches([' ', ',', '.', '-', '/']);
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let word = &rest[..end];
        if let Some(digits) = leading_figures(word) {
            // The year may stand behind the time, as in `Fri Sep 12 15:05:13 2025`; nobody exports that.
            if figures.len() == 2 || rest[end..].starts_with(':') {
                return None;
            }
            figures.push((digits.parse().ok()?, digits.len()));
        } else {
            month = Some(month_of(word).filter(|_| month.is_none())?);
        }
        rest = &rest[end..];
    }
    let (&(first, first_len), &(second, _)) = (figures.first()?, figures.get(1)?);
    let (year, day) = if first_len == 4 { (first, second) } else { (second, first) };
    let year = if year < 100 { 2000 + year } else { year };
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month?, day)?;
    Some((date, rest.trim_start_matches([' ', ',', 'T', '-'])))
}

/// Returns the figures of `12`, `12th`, `2025r`; a word has none.
fn leading_figures(word: &str) -> Option<&str> {
    let end = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let tail = &word[end..];
    let is_ordinal = matches!(tail, "" | "st" | "nd" | "rd" | "th" | "r");
    (end > 0 && end <= 4 && is_ordinal).then(|| &word[..end])
}

fn month_of(word: &str) -> Option<u32> {
    let folded = fold_header(word);
    // Poles write the month in Roman figures: 12 IX 2025.
    if let Some(at) = ROMAN.iter().position(|figure| *figure == word) {
        return Some(at as u32 + 1);
    }
    if folded.len() < 3 || !folded.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    MONTHS.iter().find(|(start, _)| folded.starts_with(start)).map(|(_, month)| *month)
}

/// Splits the name of a zone off the end of a clock time: `15:05 Europe/Warsaw`, `+02:00[Europe/Warsaw]`.
pub(super) fn zone_at_end(text: &str) -> (&str, Option<Tz>) {
    if let Some((clock, name)) = text.strip_suffix(']').and_then(|text| text.rsplit_once('[')) {
        return (clock.trim_end(), name.parse().ok());
    }
    let Some((clock, name)) = text.rsplit_once(' ').filter(|(_, name)| name.contains('/')) else {
        return (text, None);
    };
    name.parse().map_or((text, None), |zone| (clock.trim_end(), Some(zone)))
}

/// Splits a zone off the end of a clock time: `Z`, `+02:00`, `+0200`, `+02`, `GMT+2`, `CEST`.
pub(super) fn offset_at_end(text: &str) -> (&str, Option<i32>) {
    if let Some(sign) = text.rfind(['+', '-', '\u{2212}']) {
        let factor = if text[sign..].starts_with('+') { 1 } else { -1 };
        let figures = text[sign..].trim_start_matches(['+', '-', '\u{2212}']);
        if let Some(minutes) = offset_minutes(figures) {
            let clock = text[..sign].trim_end();
            let clock =
                strip_end(clock, "gmt").or_else(|| strip_end(clock, "utc")).unwrap_or(clock);
            return (clock, Some(factor * minutes));
        }
    }
    let start = text
        .rfind(|c: char| !c.is_ascii_alphabetic())
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let word = text[start..].to_ascii_lowercase();
    let Some((_, minutes)) = ZONES.iter().find(|(name, _)| *name == word) else {
        return (text, None);
    };
    // `+0200 CEST` says it twice.
    let clock = text[..start].trim_end();
    match clock.rsplit_once(' ').map(|(before, offset)| (before, offset_at_end(offset))) {
        Some((before, ("", Some(offset)))) => (before, Some(offset)),
        _ => (&text[..start], Some(*minutes)),
    }
}

fn strip_end<'a>(text: &'a str, ending: &str) -> Option<&'a str> {
    let start = text.len().checked_sub(ending.len())?;
    let tail = text.get(start..)?;
    tail.eq_ignore_ascii_case(ending).then(|| &text[..start])
}

fn offset_minutes(figures: &str) -> Option<i32> {
    let (hours, minutes) = match figures.split_once(':') {
        Some(parts) => parts,
        None if figures.len() == 4 && figures.is_ascii() => figures.split_at(2),
        None => (figures, "0"),
    };
    let is_short = |part: &str| !part.is_empty() && part.len() <= 2;
    if !is_short(hours) || !is_short(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then_some(hours * 60 + minutes)
}
