//! Dates and times as exporters, spreadsheets and people write them.

use super::super::date_order::{DateHabits, DateOrders};
use super::*;
use proptest::prelude::*;

fn style(order: DateOrder, formats: &[String]) -> TimeStyle<'_> {
    let habits = DateHabits { order, formats, country: "PL" };
    TimeStyle {
        zone: chrono_tz::Europe::Warsaw,
        formats,
        orders: DateOrders::of_source(habits).of(""),
        counts_from_1904: false,
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
                Certainty::ClockChange => "clocks",
            };
            let mut words = vec![moment.utc().format("%F %T").to_string(), certainty.to_owned()];
            words.extend(remarks.iter().map(|remark| remark.code.to_owned()));
            words.join(" ")
        }
        Err(MomentFault::Blank) => "blank".to_owned(),
        Err(MomentFault::Null(remark) | MomentFault::Unusable(remark)) => remark.code.to_owned(),
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
    check("Fri Sep 12 15:05:13 CEST 2025", "2025-09-12 13:05:13 exact");
    check("2025-09-12 15:05:13 Europe/Warsaw", "2025-09-12 13:05:13 exact");
    check("2025-09-12T15:05:13+02:00[Europe/Warsaw]", "2025-09-12 13:05:13 exact");
    check("20250912T130513Z", "2025-09-12 13:05:13 exact");
    check("45912.545 UTC", "2025-09-12 13:04:48 exact");
    check("2025-09-12 +02:00", "2025-09-12 10:00:00 date");
    check("2025-09-12 15:05:13 (CEST)", "2025-09-12 13:05:13 exact");
    check("2025-09-12 15:05:13 (UTC)", "2025-09-12 15:05:13 exact");
    check("2025-09-12 15:05:13 +0200 CEST", "2025-09-12 13:05:13 exact");
    check("2025-09-12 15:05:13 +0200 (CEST)", "2025-09-12 13:05:13 exact");
    check("45912,545 +02:00", "2025-09-12 11:04:48 exact");
}

#[test]
fn local_time_is_placed_in_the_zone_of_the_source() {
    check("2025-09-12 15:05:13", "2025-09-12 13:05:13 zone");
    check("12.09.2025 15:05", "2025-09-12 13:05:00 zone");
    check("12. 9. 2025 15:05", "2025-09-12 13:05:00 zone");
    check("12.09.2025, 15:05:13", "2025-09-12 13:05:13 zone");
    check("1.09.2025 8:00:01", "2025-09-01 06:00:01 zone");
    check("12-09-2025 09:30", "2025-09-12 07:30:00 zone date-ambiguous");
    check("12.09.2025 r., godz. 15:05", "2025-09-12 13:05:00 zone");
    check("12.09.2025r. godz.15.05", "2025-09-12 13:05:00 zone");
    check("12 IX 2025 15:05", "2025-09-12 13:05:00 zone");
    check("Fri Sep 12 15:05:13 2025", "2025-09-12 13:05:13 zone");
    check("20250912150513", "2025-09-12 13:05:13 zone");
    check("202509121505", "2025-09-12 13:05:00 zone");
    check("20250912T150513", "2025-09-12 13:05:13 zone");
    check("2025-03-03 11:00 am", "2025-03-03 10:00:00 zone");
    // Programs that write both the hours of a whole day and its half.
    check("2025-03-03 22:15 PM", "2025-03-03 21:15:00 zone");
    check("2025-03-03 00:15 AM", "2025-03-02 23:15:00 zone");
    check("2025-03-03 13:15 AM", "time-unreadable");
    check("2025-03-03 0:15 PM", "time-unreadable");
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
    check("12. 9. 2025", "2025-09-12 10:00:00 date");
    check("12 . 09 . 2025", "2025-09-12 10:00:00 date");
    check("2025. 09. 12.", "2025-09-12 10:00:00 date");
    check("2025–09–12", "2025-09-12 10:00:00 date");
    check("dn. 12.09.2025 r.", "2025-09-12 10:00:00 date");
    check("2025-09-12", "2025-09-12 10:00:00 date");
    check("20250912", "2025-09-12 10:00:00 date");
    check("13/09/2025", "2025-09-13 10:00:00 date");
    check("wrz 12, 2025", "2025-09-12 10:00:00 date");
    check("Sep 12, 2025", "2025-09-12 10:00:00 date");
    check("12 wrz 2025", "2025-09-12 10:00:00 date");
    check("12-Sep-2025", "2025-09-12 10:00:00 date");
    check("45912", "2025-09-12 10:00:00 date");
    check("29.02.2024", "2024-02-29 11:00:00 date");
    check("12 IX 2025", "2025-09-12 10:00:00 date");
}

#[test]
fn an_order_that_nothing_settles_is_assumed_and_said() {
    check("09/12/2025", "2025-12-09 11:00:00 date date-ambiguous");
    check("13/09/25 18:01:02", "2025-09-13 16:01:02 zone");
    check("9/25/25 18:01:02", "2025-09-25 16:01:02 zone");
    assert_eq!(read("9/12/2025", DateOrder::Mdy, &[]), "2025-09-12 10:00:00 date");
    assert_eq!(read("9/12/2025", DateOrder::Dmy, &[]), "2025-12-09 11:00:00 date");
    assert_eq!(read("9.12.2025", DateOrder::Mdy, &[]), "2025-12-09 11:00:00 date");
    assert_eq!(read("08/08/2025", DateOrder::Unknown, &[]), "2025-08-08 10:00:00 date");
    assert_eq!(
        read("12/25/2024", DateOrder::Dmy, &[]),
        "2024-12-25 11:00:00 date date-against-column"
    );
    check("2025-13-01", "2025-01-13 11:00:00 date date-swapped");
}

#[test]
fn epochs_are_told_by_their_length() {
    check("1757682313", "2025-09-12 13:05:13 exact");
    check("1757682313.0", "2025-09-12 13:05:13 exact");
    check("1757682313000", "2025-09-12 13:05:13 exact");
    check("1757682313000000", "2025-09-12 13:05:13 exact");
    check("1757682313000000000", "2025-09-12 13:05:13 exact");
    check("1,75768E+12", "time-unrecoverable");
}

#[test]
fn the_clocks_change() {
    check("30.03.2025 02:30", "2025-03-30 01:30:00 clocks time-in-dst-gap");
    check("26.10.2025 02:30", "2025-10-26 00:30:00 clocks time-ambiguous-dst");
}

#[test]
fn null_dates_and_nonsense_are_said() {
    for raw in ["", "-", "null", "brak", "n/a"] {
        check(raw, "blank");
    }
    for raw in [
        "00.00.0000",
        "0000-00-00 00:00:00",
        "1899-12-30",
        "0",
        "1970-01-01 00:00:00",
        "1970-01-01T01:00:00+01:00",
        "01.01.1970",
        "0001-01-01T00:00:00",
    ] {
        check(raw, "time-null");
    }
    check("jutro", "time-unreadable");
    check("31.02.2025", "time-unreadable");
    check("12.09.2025 25:00", "time-unreadable");
    check("12.09.1925", "time-out-of-range");
    check("12345", "time-out-of-range");
    check("31.12.9999", "time-out-of-range");
    check("29.02.2025", "time-unreadable");
}

#[test]
fn old_macs_count_days_from_1904() {
    let mac = TimeStyle { counts_from_1904: true, ..style(DateOrder::Unknown, &[]) };
    let (found, _) = parse("44450,545", mac).unwrap();
    assert_eq!(found.utc().to_string(), "2025-09-12 11:04:48 UTC");
}

#[test]
fn the_formats_of_the_source_come_first() {
    let formats = ["%d|%m|%Y %H.%M".to_owned(), "%y%m%d".to_owned()];
    assert_eq!(read("12|09|2025 15.05", DateOrder::Unknown, &formats), "2025-09-12 13:05:00 zone");
    assert_eq!(read("250912", DateOrder::Unknown, &formats), "2025-09-12 10:00:00 date");
    let both = ["%m/%d/%Y", "%d/%m/%Y"].map(str::to_owned);
    assert_eq!(
        read("09/12/2025", DateOrder::Unknown, &both),
        "2025-12-09 11:00:00 date date-ambiguous"
    );
    assert_eq!(read("09/12/2025", DateOrder::Mdy, &both), "2025-09-12 10:00:00 date");
    assert_eq!(
        read("12.09.25", DateOrder::Unknown, &["%d.%m.%Y".to_owned()]),
        "2025-09-12 10:00:00 date"
    );
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

    #[test]
    fn an_instant_written_in_any_form_comes_back(seconds in 1_000_000_000_i64..4_102_358_400, form in 0..FORMS.len()) {
        let at = Utc.timestamp_opt(seconds, 0).unwrap().with_timezone(&chrono_tz::Europe::Warsaw);
        let text = localize(&at.format(FORMS[form].0).to_string(), at.month0() as usize);
        let (moment, remarks) = parse(&text, style(FORMS[form].1, &[])).map_err(|fault| {
            TestCaseError::fail(format!("{text:?}: {fault:?}"))
        })?;
        // A doubled hour is read as the first of the two, which is said.
        let is_doubled = remarks.iter().any(|remark| remark.code == "time-ambiguous-dst");
        let found = moment.epoch_ms / 1000 + if is_doubled && moment.epoch_ms / 1000 != at.timestamp() { 3600 } else { 0 };
        prop_assert_eq!(found, at.timestamp(), "{:?}", text);
    }
}

/// Forms with their order; `{pl}` and `{de}` stand for the month's name.
const FORMS: &[(&str, DateOrder)] = &[
    ("%Y-%m-%dT%H:%M:%S%:z", DateOrder::Unknown),
    ("%Y-%m-%dT%H:%M:%S%z", DateOrder::Unknown),
    ("%Y-%m-%d %H:%M:%S", DateOrder::Unknown),
    ("%d.%m.%Y %H:%M:%S", DateOrder::Unknown),
    ("%-d.%-m.%Y, %H:%M:%S", DateOrder::Unknown),
    ("%d-%m-%Y %H:%M:%S", DateOrder::Dmy),
    ("%-m/%-d/%Y %-I:%M:%S %p", DateOrder::Mdy),
    ("%d/%m/%Y %H:%M:%S", DateOrder::Dmy),
    ("%Y/%m/%d %-I:%M:%S %p %:z", DateOrder::Unknown),
    ("%-d {pl} %Y %H:%M:%S", DateOrder::Unknown),
    ("%-d {pl}, %Y %H:%M:%S", DateOrder::Unknown),
    ("%-d. {de} %Y %H:%M:%S Uhr", DateOrder::Unknown),
    ("%B %-d, %Y at %-I:%M:%S %p", DateOrder::Unknown),
    ("%a, %d %b %Y %H:%M:%S %z", DateOrder::Unknown),
    ("%a %b %d %Y %H:%M:%S GMT%z", DateOrder::Unknown),
    ("%Y%m%d%H%M%S", DateOrder::Unknown),
    ("%s", DateOrder::Unknown),
    ("%s000", DateOrder::Unknown),
    ("%s000000", DateOrder::Unknown),
];

fn localize(text: &str, month0: usize) -> String {
    let polish = "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia";
    let german =
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember";
    let name = |names: &str| names.split(' ').nth(month0).unwrap().to_owned();
    text.replace("{pl}", &name(polish)).replace("{de}", &name(german))
}

#[test]
fn clock_times_are_read_as_french_and_spanish_programs_write_them() {
    check("2026-11-12 15h05", "2026-11-12 14:05:00 zone");
    check("12/11/2026 à 15h05", "2026-11-12 14:05:00 zone date-ambiguous");
    check("12 novembre 2026 à 15 h 05", "2026-11-12 14:05:00 zone");
    check("jeudi 12 novembre 2026 15h05", "2026-11-12 14:05:00 zone");
    check("le 12 nov. 2026 à 15h", "2026-11-12 14:00:00 zone");
    check("1 août 2026 08h30", "2026-08-01 06:30:00 zone");
    check("14 juillet 2026", "2026-07-14 10:00:00 date");
    check("14 juin 2026", "2026-06-14 10:00:00 date");
    check("12 de noviembre de 2026", "2026-11-12 11:00:00 date");
    check("12 de noviembre de 2026, 15:05", "2026-11-12 14:05:00 zone");
    check("jueves, 12 de noviembre de 2026 a las 3:05 p. m.", "2026-11-12 14:05:00 zone");
    check("12 ene. 2026 3:05:13 p.\u{a0}m.", "2026-01-12 14:05:13 zone");
    check("2026-11-12 3:05 a. m.", "2026-11-12 02:05:00 zone");
    check("2026-11-12 3:05 p.m.", "2026-11-12 14:05:00 zone");
    check("11/13/2026 12:05 A.M.", "2026-11-12 23:05:00 zone");
    check("12 lis 2026, 15:05", "2026-11-12 14:05:00 zone");
    check("12. Nov. 2026, 15:05 Uhr", "2026-11-12 14:05:00 zone");
}
