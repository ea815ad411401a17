//! When a step is due.

use chrono::{DateTime, TimeDelta, Utc};

use crate::rules::followup::{Start, Step, Window};
use crate::rules::hours::BusinessHours;

/// Looks for an instant that suits two calendars at most so often; a year has fewer windows of either.
const TRIES_MAX: usize = 1_000;
const DAY: i64 = 86_400;
/// Seconds of the shortest span that is told in days: `24h` says more than `1d`.
const DAYS_FROM: i64 = 2 * DAY;

/// Returns when `step` is due, for a form sent at `sent` and a step above reached at `above`, and how that was counted
/// in words.
///
/// `hours` are those of whoever does it.
pub(super) fn due(
    step: &Step,
    sent: DateTime<Utc>,
    above: DateTime<Utc>,
    hours: &BusinessHours,
) -> (DateTime<Utc>, String) {
    let (from, since) = match step.start {
        Start::Enquiry => (sent, "the form was sent"),
        Start::StepAbove => (above, "the step above"),
    };
    let (due, counted) = counted(step.window, step.after, (from, since), hours);
    let Some(own) = step.hours.as_ref().map(|own| own.in_zone(hours.zone())) else {
        return (due, counted);
    };
    let suits = match step.window {
        Window::Any => own.next_open(due),
        Window::Owner | Window::OwnerMinutes => both_open(due, hours, own),
    };
    let moved = if suits == due { "" } else { ", moved into the hours of the step" };
    (suits, format!("{counted}{moved}"))
}

/// Returns the first instant from `from` on at which both are open; `from` itself when there is none.
fn both_open(from: DateTime<Utc>, a: &BusinessHours, b: &BusinessHours) -> DateTime<Utc> {
    let mut at = from;
    for _ in 0..TRIES_MAX {
        let next = b.next_open(a.next_open(at));
        if next == at && a.is_open(at) {
            return at;
        }
        at = next;
    }
    from
}

/// Returns the instant `after` past `from`, counted as `window` says, and how it was counted in words; `since` says
/// what happened at `from`.
fn counted(
    window: Window,
    after: TimeDelta,
    (from, since): (DateTime<Utc>, &str),
    hours: &BusinessHours,
) -> (DateTime<Utc>, String) {
    let due = window.past(from, after, hours);
    let span = words(after);
    let told = match window {
        Window::Any => format!("due {span} after {since}"),
        Window::Owner => {
            let moved = if Some(due) == from.checked_add_signed(after) {
                ""
            } else {
                ", moved into working hours"
            };
            format!("due {span} after {since}{moved}")
        }
        Window::OwnerMinutes if after <= TimeDelta::zero() => {
            "due in the first working minute".to_owned()
        }
        Window::OwnerMinutes => {
            let whence = if since == "the form was sent" { "" } else { " from the step above" };
            format!("due after {span} of working time{whence}")
        }
    };
    (due, told)
}

/// Returns `span` in the largest unit that it is a whole number of, such as `15m`, `24h` or `12d`; days from two on.
pub(super) fn words(span: TimeDelta) -> String {
    match span.num_seconds() {
        whole if whole >= DAYS_FROM && whole % DAY == 0 => format!("{}d", whole / DAY),
        whole if whole >= 3_600 && whole % 3_600 == 0 => format!("{}h", whole / 3_600),
        whole if whole >= 60 && whole % 60 == 0 => format!("{}m", whole / 60),
        seconds => format!("{seconds}s"),
    }
}

/// Returns how long something has lasted, in full days or minutes: nobody wants the seconds of what was days ago.
pub(super) fn about(span: TimeDelta) -> String {
    let unit = match span.num_seconds() {
        DAYS_FROM.. => DAY,
        60.. => 60,
        _ => 1,
    };
    words(TimeDelta::seconds(span.num_seconds() / unit * unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Tz;

    fn instant(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_str(text, "%Y-%m-%d %H:%M %z").unwrap().to_utc()
    }

    #[track_caller]
    fn check(window: Window, minutes: i64, opened: &str, expected: &str) {
        let office = "Mo-Fr 09:00-17:00; PH off";
        let hours = BusinessHours::compile(office, Tz::Europe__Warsaw, "PL", &[]).unwrap();
        let from = (instant(opened), "the form was sent");
        let (found, _) = counted(window, TimeDelta::minutes(minutes), from, &hours);
        assert_eq!(found, instant(expected), "{window:?}: {minutes} minutes from {opened}");
    }

    #[test]
    fn the_wall_clock_knows_no_weekend() {
        for (minutes, opened, expected) in [
            (5, "2026-11-21 23:58 +0100", "2026-11-22 00:03 +0100"), // over midnight
            (5, "2026-12-24 10:00 +0100", "2026-12-24 10:05 +0100"), // Christmas Eve
            (1_440, "2026-03-28 12:00 +0100", "2026-03-29 13:00 +0200"), // 24 hours over the short night
            (1_440, "2026-10-24 12:00 +0200", "2026-10-25 11:00 +0100"), // and over the long one
        ] {
            check(Window::Any, minutes, opened, expected);
        }
    }

    #[test]
    fn people_are_asked_in_their_working_hours() {
        for (minutes, opened, expected) in [
            (240, "2026-11-18 10:00 +0100", "2026-11-18 14:00 +0100"), // inside
            (240, "2026-11-18 14:00 +0100", "2026-11-19 09:00 +0100"), // closing time is closed
            (240, "2026-11-20 15:00 +0100", "2026-11-23 09:00 +0100"), // Friday afternoon
            (240, "2026-11-22 00:00 +0100", "2026-11-23 09:00 +0100"), // Sunday midnight
            (240, "2026-11-10 22:00 +0100", "2026-11-12 09:00 +0100"), // Independence Day between
            (240, "2026-12-24 07:00 +0100", "2026-12-28 09:00 +0100"), // Christmas Eve to Sunday
            (240, "2026-03-29 00:30 +0100", "2026-03-30 09:00 +0200"), // the short night
            (240, "2026-10-25 00:30 +0200", "2026-10-26 09:00 +0100"), // the long night
        ] {
            check(Window::Owner, minutes, opened, expected);
        }
    }

    #[test]
    fn working_minutes_are_counted_in_working_hours_only() {
        for (minutes, opened, expected) in [
            (15, "2026-11-18 10:00 +0100", "2026-11-18 10:15 +0100"),
            (15, "2026-11-18 16:50 +0100", "2026-11-19 09:05 +0100"),
            (15, "2026-11-18 00:00 +0100", "2026-11-18 09:15 +0100"),
            (15, "2026-11-20 17:00 +0100", "2026-11-23 09:15 +0100"),
            (15, "2026-12-23 16:50 +0100", "2026-12-28 09:05 +0100"),
            (240, "2026-04-03 15:00 +0200", "2026-04-07 11:00 +0200"), // over Easter Monday
            (0, "2026-11-21 12:00 +0100", "2026-11-23 09:00 +0100"),
            (120, "2026-03-27 16:00 +0100", "2026-03-30 10:00 +0200"), // over the short night
            (120, "2026-10-23 16:00 +0200", "2026-10-26 10:00 +0100"), // over the long one
        ] {
            check(Window::OwnerMinutes, minutes, opened, expected);
        }
    }

    #[test]
    fn spans_are_told_in_their_largest_whole_unit() {
        let found = [0, 30, 90, 900, 5_400, 14_400, 86_400, 172_800, 216_000, 1_036_800]
            .map(|seconds| words(TimeDelta::seconds(seconds)));
        assert_eq!(found, ["0s", "30s", "90s", "15m", "90m", "4h", "24h", "2d", "60h", "12d"]);
    }

    #[test]
    fn ages_are_told_without_what_nobody_asks_for() {
        let found = [30, 95, 5_430, 7_205, 172_799, 216_001]
            .map(|seconds| about(TimeDelta::seconds(seconds)));
        assert_eq!(found, ["30s", "1m", "90m", "2h", "2879m", "2d"]);
    }
}
