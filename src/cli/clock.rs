//! The only place that knows what time it is.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::workspace::UsageError;
use crate::rules::hours::day_begins;

/// Returns the instant that counts as now: the one given, else the clock's, in whole seconds.
///
/// # Errors
/// A sentence for people when `given` is not an instant.
pub fn as_of(given: Option<&str>, zone: Tz) -> Result<DateTime<Utc>, String> {
    match given {
        Some(text) => parse(text, zone),
        None => Ok(now()),
    }
}

/// Returns the same where no rules may be asked, because these may be what is wrong: a time without an offset is UTC.
///
/// # Errors
/// [`UsageError`] when `given` is not an instant.
pub fn as_of_whatever_the_rules(given: Option<&str>) -> Result<DateTime<Utc>, UsageError> {
    as_of(given, Tz::UTC).map_err(UsageError)
}

/// Returns what the clock says, to the millisecond.
#[expect(clippy::disallowed_methods, reason = "the command line is where time comes in")]
pub fn instant() -> DateTime<Utc> {
    Utc::now()
}

/// A clock that shows an instant and goes on from there, whatever the machine's own is set to meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Ticking {
    from: DateTime<Utc>,
    began: std::time::Instant,
}

impl Ticking {
    /// Returns a clock that shows `from` now.
    pub fn from(from: DateTime<Utc>) -> Self {
        Self { from, began: std::time::Instant::now() }
    }

    /// Returns what it shows, as an instant.
    pub fn instant(&self) -> DateTime<Utc> {
        crate::model::moment::utc_from_ms(self.now_ms())
    }

    /// Returns what it shows, milliseconds since 1970 UTC.
    pub fn now_ms(&self) -> i64 {
        let elapsed_ms = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.from.timestamp_millis().saturating_add(elapsed_ms)
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line is where time comes in")]
fn now() -> DateTime<Utc> {
    let now = Utc::now();
    DateTime::from_timestamp(now.timestamp(), 0).unwrap_or(now)
}

/// Reads RFC 3339, or a date with or without a time in `zone`.
fn parse(text: &str, zone: Tz) -> Result<DateTime<Utc>, String> {
    if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
        return Ok(exact.to_utc());
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        // A day begins in every zone, also where its clocks jump over midnight.
        return Ok(day_begins(zone, day));
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M"))
        .map_err(|_| {
            format!(
                "`{text}` is not an instant\nhint: write 2026-11-22T06:00:00Z, \"2026-11-22 06:00\" \
                 or 2026-11-22 (the latter two in {zone})"
            )
        })?;
    zone.from_local_datetime(&local).earliest().map(|at| at.to_utc()).ok_or_else(|| {
        format!("{text} does not exist in {zone}: the clocks go forward\nhint: add an offset")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_in(zone: Tz, text: &str, expected: Option<&str>) {
        let found = parse(text, zone).ok().map(|at| at.to_rfc3339());
        assert_eq!(found.as_deref(), expected, "{text} in {zone}");
    }

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        check_in(Tz::Europe__Warsaw, text, expected);
    }

    #[test]
    fn an_instant_may_leave_its_zone_to_the_workspace() {
        check("2026-11-22T06:00:00Z", Some("2026-11-22T06:00:00+00:00"));
        check("2026-11-22T06:00:00+02:00", Some("2026-11-22T04:00:00+00:00"));
        check("2026-07-01 06:00", Some("2026-07-01T04:00:00+00:00"));
        check("2026-11-22", Some("2026-11-21T23:00:00+00:00"));
        check("2026-03-29 02:30", None);
        check("yesterday", None);
    }

    #[test]
    fn a_day_begins_also_where_the_clocks_jump_over_its_midnight() {
        check_in(Tz::Africa__Cairo, "2026-04-24", Some("2026-04-23T22:00:00+00:00"));
        check_in(Tz::Africa__Cairo, "2026-04-24 00:30", None);
    }
}
