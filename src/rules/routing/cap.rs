//! How many leads somebody takes, and in what time.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::rules::decode::{Table, duration_seconds};
use crate::rules::diagnostics::did_you_mean;
use crate::rules::hours::day_begins;

/// A higher limit limits nothing.
const LEADS_MAX: i64 = 1_000_000;

/// A day, week or month as a calendar shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// From the first to the last.
    Month,
}

impl Period {
    /// Every period with its word in `routing.toml`, in order.
    pub const ALL: &[(&str, Period)] =
        &[("day", Self::Day), ("week", Self::Week), ("month", Self::Month)];

    /// Returns the word used in rules.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Returns the first day of the period that `day` is in, and the first of the next.
    fn days(self, day: NaiveDate) -> (NaiveDate, NaiveDate) {
        let later = |from: NaiveDate, days: u64| from.checked_add_days(Days::new(days));
        let (first, next) = match self {
            Self::Day => (day, later(day, 1)),
            Self::Week => {
                let into = u64::from(day.weekday().num_days_from_monday());
                let first = day.checked_sub_days(Days::new(into)).unwrap_or(day);
                (first, later(first, 7))
            }
            Self::Month => {
                let first = day.with_day(1).unwrap_or(day);
                (first, first.checked_add_months(chrono::Months::new(1)))
            }
        };
        (first, next.unwrap_or(NaiveDate::MAX))
    }
}

/// The stretch of time in which leads are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// A period of the owner's calendar.
    Calendar(Period),
    /// The seconds up to now.
    Rolling(i64),
}

impl Window {
    /// Returns the stretch around `as_of` for somebody who lives by `zone`: its first millisecond since 1970
    /// UTC, and the first after it.
    pub fn span_ms(self, zone: Tz, as_of: DateTime<Utc>) -> (i64, i64) {
        match self {
            Self::Calendar(period) => {
                let (first, next) = period.days(as_of.with_timezone(&zone).date_naive());
                let midnight = |day: NaiveDate| day_begins(zone, day).timestamp_millis();
                (midnight(first), midnight(next))
            }
            Self::Rolling(seconds) => {
                let since = as_of - TimeDelta::try_seconds(seconds).unwrap_or_default();
                (since.timestamp_millis() + 1, as_of.timestamp_millis() + 1)
            }
        }
    }

    /// Returns the window in words that follow a number of leads: `a day`, `in 7d`.
    pub fn words(self) -> String {
        match self {
            Self::Calendar(period) => format!("a {}", period.word()),
            Self::Rolling(seconds) => match seconds {
                whole if whole % 86_400 == 0 => format!("in {}d", whole / 86_400),
                whole if whole % 3_600 == 0 => format!("in {}h", whole / 3_600),
                whole if whole % 60 == 0 => format!("in {}m", whole / 60),
                whole => format!("in {whole}s"),
            },
        }
    }
}

/// At most so many leads in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// The limit, at least 1.
    pub leads: i64,
    /// When it counts.
    pub window: Window,
}

/// Reads `cap = [{ leads = 20, per = "day" }, { leads = 60, per = "7d" }]`.
pub(super) fn decode_caps(table: &Table<'_>) -> Vec<Cap> {
    let caps = table.tables("cap", |cap| {
        let leads = cap.integer("leads");
        if cap.has("leads") && !(1..=LEADS_MAX).contains(&leads) {
            let hint = if leads == 0 {
                "write `active = false`, or take the owner out of the pool"
            } else {
                "write a number from 1 to 1000000"
            };
            cap.error("leads", format!("a cap of {leads} takes no leads"), Some(hint.to_owned()));
        }
        let window = decode_window(cap)?;
        Some(Cap { leads, window })
    });
    caps.into_iter().flatten().collect()
}

fn decode_window(table: &Table<'_>) -> Option<Window> {
    let text = table.string("per");
    if text.is_empty() {
        return None;
    }
    if let Some((_, period)) = Period::ALL.iter().find(|(word, _)| *word == text) {
        return Some(Window::Calendar(*period));
    }
    if let Some(seconds) = duration_seconds(&text).filter(|seconds| *seconds > 0) {
        return Some(Window::Rolling(seconds));
    }
    let words = Period::ALL.iter().map(|(word, _)| *word);
    let hint = did_you_mean(&text, words).map_or_else(
        || "write day, week or month for the calendar's, or a stretch up to now: 24h, 7d".into(),
        |near| format!("did you mean `{near}`?"),
    );
    table.error("per", format!("`{text}` is no time in which leads are counted"), Some(hint));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(window: Window, zone: Tz, as_of: &str, from: &str, to: &str) {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let found = window.span_ms(zone, at(as_of));
        let expected = (at(from).timestamp_millis(), at(to).timestamp_millis());
        assert_eq!(found, expected, "{window:?} around {as_of}");
    }

    #[test]
    fn periods_are_those_of_the_owners_calendar() {
        let (warsaw, new_york) = (Tz::Europe__Warsaw, Tz::America__New_York);
        for (period, zone, as_of, from, to) in [
            // In Warsaw the 19th has begun an hour before midnight UTC, in New York it has not.
            (
                Period::Day,
                warsaw,
                "2026-11-18T23:30:00Z",
                "2026-11-18T23:00:00Z",
                "2026-11-19T23:00:00Z",
            ),
            (
                Period::Day,
                new_york,
                "2026-11-18T23:30:00Z",
                "2026-11-18T05:00:00Z",
                "2026-11-19T05:00:00Z",
            ),
            // The days on which clocks change have 23 and 25 hours.
            (
                Period::Day,
                warsaw,
                "2026-03-29T12:00:00Z",
                "2026-03-28T23:00:00Z",
                "2026-03-29T22:00:00Z",
            ),
            (
                Period::Day,
                warsaw,
                "2026-10-25T00:30:00Z",
                "2026-10-24T22:00:00Z",
                "2026-10-25T23:00:00Z",
            ),
            (
                Period::Day,
                warsaw,
                "2026-10-25T01:30:00Z",
                "2026-10-24T22:00:00Z",
                "2026-10-25T23:00:00Z",
            ),
            // A week begins on Monday, in the old year if need be.
            (
                Period::Week,
                warsaw,
                "2027-01-02T12:00:00Z",
                "2026-12-27T23:00:00Z",
                "2027-01-03T23:00:00Z",
            ),
            (
                Period::Month,
                warsaw,
                "2028-02-29T12:00:00Z",
                "2028-01-31T23:00:00Z",
                "2028-02-29T23:00:00Z",
            ),
            (
                Period::Month,
                warsaw,
                "2026-12-31T22:59:59Z",
                "2026-11-30T23:00:00Z",
                "2026-12-31T23:00:00Z",
            ),
        ] {
            check(Window::Calendar(period), zone, as_of, from, to);
        }
    }

    #[test]
    fn a_rolling_window_ends_now_whatever_the_clocks_do() {
        check(
            Window::Rolling(86_400),
            Tz::Europe__Warsaw,
            "2026-03-29T12:00:00Z",
            "2026-03-28T12:00:00.001Z",
            "2026-03-29T12:00:00.001Z",
        );
        for (seconds, words) in
            [(604_800, "in 7d"), (43_200, "in 12h"), (90, "in 90s"), (1_800, "in 30m")]
        {
            assert_eq!(Window::Rolling(seconds).words(), words);
        }
    }
}
