use proptest::prelude::*;

use super::*;

const OFFICE: &str = Calendar::DEFAULT_HOURS;

fn compile(expression: &str) -> BusinessHours {
    BusinessHours::compile(expression, Tz::Europe__Warsaw, "PL", &[]).unwrap()
}

fn warsaw(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_str(text, "%Y-%m-%d %H:%M %z").unwrap().to_utc()
}

#[track_caller]
fn opens(expression: &str, at: &str, expected: &str) {
    let found = compile(expression).next_open(warsaw(at));
    assert_eq!(found, warsaw(expected), "{expression} after {at}");
}

#[track_caller]
fn adds(expression: &str, from: &str, minutes: i64, expected: &str) {
    let found = compile(expression).add_business_minutes(warsaw(from), minutes);
    assert_eq!(found, warsaw(expected), "{expression}: {minutes} minutes from {from}");
}

#[test]
fn the_next_open_minute() {
    for (at, expected) in [
        ("2026-11-18 10:15 +0100", "2026-11-18 10:15 +0100"), // a Wednesday, open
        ("2026-11-18 08:59 +0100", "2026-11-18 09:00 +0100"), // before opening
        ("2026-11-18 17:00 +0100", "2026-11-19 09:00 +0100"), // closing time is closed
        ("2026-11-20 17:30 +0100", "2026-11-23 09:00 +0100"), // Friday evening
        ("2026-11-22 00:00 +0100", "2026-11-23 09:00 +0100"), // Sunday, midnight
        ("2026-11-11 10:00 +0100", "2026-11-12 09:00 +0100"), // Independence Day
        ("2026-04-06 10:00 +0200", "2026-04-07 09:00 +0200"), // Easter Monday
        ("2026-06-04 10:00 +0200", "2026-06-05 09:00 +0200"), // Corpus Christi
        ("2025-12-31 17:30 +0100", "2026-01-02 09:00 +0100"), // over the new year
        ("2026-11-18 10:15 +0100", "2026-11-18 09:15 +0000"), // an instant has no zone
    ] {
        opens(OFFICE, at, expected);
    }
}

#[test]
fn christmas_eve_is_a_holiday_in_poland_since_2025() {
    opens(OFFICE, "2024-12-24 10:00 +0100", "2024-12-24 10:00 +0100");
    opens(OFFICE, "2025-12-24 10:00 +0100", "2025-12-29 09:00 +0100");
    opens(OFFICE, "2026-12-24 10:00 +0100", "2026-12-28 09:00 +0100");
}

#[test]
fn open_minutes_skip_what_is_closed() {
    for (from, minutes, expected) in [
        ("2026-11-18 09:00 +0100", 0, "2026-11-18 09:00 +0100"),
        ("2026-11-21 12:00 +0100", 0, "2026-11-21 12:00 +0100"),
        ("2026-11-18 16:45 +0100", 15, "2026-11-18 17:00 +0100"),
        ("2026-11-18 16:45 +0100", 16, "2026-11-19 09:01 +0100"),
        ("2026-11-20 16:50 +0100", 15, "2026-11-23 09:05 +0100"),
        ("2026-11-21 03:00 +0100", 15, "2026-11-23 09:15 +0100"),
        ("2026-04-03 15:00 +0200", 240, "2026-04-07 11:00 +0200"), // Good Friday is a working day
        ("2026-12-23 16:00 +0100", 120, "2026-12-28 10:00 +0100"),
        ("2026-11-18 09:00 +0100", 2_400, "2026-11-24 17:00 +0100"), // a whole working week
    ] {
        adds(OFFICE, from, minutes, expected);
    }
}

#[test]
fn clocks_that_jump_forward_skip_no_promise() {
    // Sunday 2026-03-29: 02:00 becomes 03:00.
    opens("Su 02:30-06:00", "2026-03-29 00:00 +0100", "2026-03-29 03:00 +0200");
    adds("Sa,Su 00:00-24:00", "2026-03-29 01:30 +0100", 60, "2026-03-29 03:30 +0200");
    adds("Mo-Su 22:00-06:00", "2026-03-28 23:00 +0100", 240, "2026-03-29 04:00 +0200");
    opens("Su 02:10-02:50; Mo 09:00-17:00", "2026-03-29 00:00 +0100", "2026-03-30 09:00 +0200");
}

#[test]
fn clocks_that_fall_back_count_the_hour_once_per_minute_that_passes() {
    // Sunday 2026-10-25: 03:00 becomes 02:00.
    opens("Su 02:30-06:00", "2026-10-25 00:00 +0200", "2026-10-25 02:30 +0200");
    adds("Sa,Su 00:00-24:00", "2026-10-25 01:30 +0200", 120, "2026-10-25 02:30 +0100");
    adds("Mo-Su 22:00-06:00", "2026-10-24 23:00 +0200", 240, "2026-10-25 02:00 +0100");
    opens(OFFICE, "2026-10-23 18:00 +0200", "2026-10-26 09:00 +0100");
}

#[test]
fn midnight_does_not_close_a_night_shift() {
    opens("Mo-Su 22:00-06:00", "2026-11-18 00:00 +0100", "2026-11-18 00:00 +0100");
    adds("Mo-Su 00:00-24:00", "2026-12-31 23:00 +0100", 120, "2027-01-01 01:00 +0100");
    assert!(compile("24/7").is_open(warsaw("2026-12-25 00:00 +0100")));
}

#[test]
fn extra_closed_days_and_absences_are_closed() {
    let closed = [NaiveDate::from_ymd_opt(2026, 11, 19).unwrap()];
    let hours = BusinessHours::compile(OFFICE, Tz::Europe__Warsaw, "PL", &closed).unwrap();
    let at = warsaw("2026-11-18 17:00 +0100");
    assert_eq!(hours.next_open(at), warsaw("2026-11-20 09:00 +0100"));
    let absent = [(closed[0], NaiveDate::from_ymd_opt(2026, 11, 24).unwrap())];
    assert_eq!(hours.without(&absent).next_open(at), warsaw("2026-11-25 09:00 +0100"));
}

#[test]
fn hours_that_end_for_good_never_hang() {
    let hours = compile("2026 Mo-Fr 09:00-17:00");
    let after = warsaw("2027-03-01 10:00 +0100");
    assert_eq!(hours.next_open(after), after);
    assert_eq!(hours.add_business_minutes(after, 60), after);
    assert!(!hours.is_open(DateTime::<Utc>::MAX_UTC));
    assert_eq!(hours.next_open(DateTime::<Utc>::MIN_UTC), warsaw("2026-01-01 09:00 +0100"));
}

#[track_caller]
fn refused(expression: &str, country: &str, expected: &str) {
    let found = BusinessHours::compile(expression, Tz::Europe__Warsaw, country, &[]);
    assert_eq!(found, Err(expected.to_owned()));
}

#[test]
fn unusable_hours_are_refused() {
    refused("nine to five", "PL", "`nine to five` is not an opening-hours expression");
    refused("off", "PL", "`off` never opens");
    refused("Mo-Fr 09:00-17:00; Mo-Su off", "PL", "`Mo-Fr 09:00-17:00; Mo-Su off` never opens");
    refused("24/7", "XX", "no holidays are known for `XX`");
}

#[test]
fn a_million_questions_are_cheap() {
    // Only that the windows are kept: each question below would take the crate tens of microseconds.
    let hours = compile(OFFICE);
    let start = warsaw("2026-01-01 00:00 +0100");
    let mut open = 0_u32;
    for minute in 0..200_000_i64 {
        open += u32::from(hours.is_open(start + chrono::Duration::minutes(minute)));
    }
    assert!(open > 30_000, "{open}");
}

proptest! {
    #[test]
    fn the_next_open_minute_is_open_and_nothing_before_it_is(
        minute in 0_i64..2_000_000,
        expression in prop::sample::select(vec![
            OFFICE, "Mo-Su 22:00-06:00", "Tu,Th 08:15-11:45,13:00-15:00; PH off", "24/7",
        ]),
    ) {
        let hours = compile(expression);
        let at = warsaw("2025-01-01 00:00 +0100") + chrono::Duration::minutes(minute);
        let next = hours.next_open(at);
        prop_assert!(next >= at && hours.is_open(next));
        prop_assert_eq!(next == at, hours.is_open(at));
        let before = next - chrono::Duration::milliseconds(1);
        prop_assert!(before < at || !hours.is_open(before));
    }

    #[test]
    fn working_minutes_add_up(minute in 0_i64..1_000_000, first in 1_i64..3_000, second in 0_i64..3_000) {
        let hours = compile(OFFICE);
        let from = warsaw("2025-01-01 00:00 +0100") + chrono::Duration::minutes(minute);
        let in_two = hours.add_business_minutes(hours.add_business_minutes(from, first), second);
        prop_assert_eq!(in_two, hours.add_business_minutes(from, first + second));
    }

    #[test]
    fn open_time_is_what_was_added(minute in 0_i64..1_000_000, minutes in 0_i64..6_000, more in 0_i64..900) {
        let hours = compile(OFFICE);
        let from = warsaw("2025-01-01 00:00 +0100") + chrono::Duration::minutes(minute);
        let (from_ms, to) = (from.timestamp_millis(), hours.add_business_minutes(from, minutes));
        let to_ms = to.timestamp_millis();
        prop_assert_eq!(hours.open_ms_between(from_ms, to_ms), minutes * 60_000);
        prop_assert_eq!(hours.open_ms_between(to_ms, from_ms), 0);
        let later_ms = to_ms + more * 60_000;
        let rest = hours.open_ms_between(to_ms, later_ms);
        prop_assert_eq!(hours.open_ms_between(from_ms, later_ms), minutes * 60_000 + rest);
    }
}

#[test]
fn no_country_keeps_as_many_holidays_as_hours_need_days_to_be_believed_without_them() {
    let letters = || ('A'..='Z').map(String::from);
    let codes = letters().flat_map(|first| letters().map(move |second| first.clone() + &second));
    let known: Vec<String> = codes.filter(|code| code.parse::<Country>().is_ok()).collect();
    assert!(known.len() > 50, "{known:?}");
    for country in known {
        let holidays = BusinessHours::read("PH,SH 10:00-11:00", Tz::UTC, &country, &[]).unwrap();
        for year in YEARS_CHECKED {
            let days = holidays.windows(year).len();
            assert!(days < DAYS_ENOUGH, "{days} in {country} in {year}");
        }
    }
}
