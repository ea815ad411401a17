//! Clocks that are wrong and calendars at their edges. What time it is comes from the command line, so every one of
//! these nights can be had on any day.

use super::undo::assert_rebuild_changes_nothing;
use super::workspace::{Workspace, table};

fn row(number: u32, at: &str) -> String {
    format!(
        "{number},{at},Osoba Numer{number},osoba{number}@przyklad.pl,+486000{number:05},Firma,PL,Prosze o wycene,yes"
    )
}

fn run_at(workspace: &Workspace, at: &str) -> String {
    let outcome = workspace.done(&["run", "--json", "--as-of", at]);
    outcome.json()["run"].as_str().unwrap().to_owned()
}

/// Which enquiry was sent when, in milliseconds.
fn sent(workspace: &Workspace) -> Vec<Vec<String>> {
    workspace.sql("SELECT email, first_submitted_at FROM leads ORDER BY email")
}

#[test]
fn a_clock_that_is_set_back_changes_neither_order_nor_values() {
    let workspace = Workspace::new();
    workspace.table("one.csv", &[&row(1, "2026-11-18T09:00:00Z")]);
    let first = run_at(&workspace, "2026-11-20T19:00:00Z");
    workspace.table("two.csv", &[&row(2, "2026-11-19T09:00:00Z")]);
    // A day and an hour back, then forward again.
    let second = run_at(&workspace, "2026-11-19T18:00:00Z");
    let said = workspace.run(&["run", "--dry-run", "--as-of", "2026-11-18T18:00:00Z"]);
    said.says(&["as of 2026-11-18T18:00:00Z", "run 2026-11-19-0002", "as of 2026-11-19T18:00:00Z"]);
    workspace
        .table("three.csv", &[&row(3, "2026-11-19T10:00:00Z"), &row(1, "2026-11-18T09:00:00Z")]);
    let third = run_at(&workspace, "2026-11-21T19:00:00Z");
    assert!(first != second && second != third);
    let runs = workspace.sql("SELECT id FROM runs ORDER BY run_no").concat();
    assert_eq!(runs, [first, second, third], "runs stand in the order in which they were run");
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 3);
    assert_rebuild_changes_nothing(&workspace);
    // The last is what it would be had the clock been right.
    let right = Workspace::new();
    right.table(
        "one.csv",
        &[
            &row(1, "2026-11-18T09:00:00Z"),
            &row(2, "2026-11-19T09:00:00Z"),
            &row(3, "2026-11-19T10:00:00Z"),
        ],
    );
    run_at(&right, "2026-11-21T19:00:00Z");
    assert_eq!(sent(&workspace), sent(&right));
    let points = "SELECT email, score, segment FROM leads ORDER BY email";
    workspace.done(&["run", "--as-of", "2026-11-21T19:00:00Z"]);
    assert_eq!(workspace.sql(points), right.sql(points));
}

#[test]
fn both_nights_in_which_the_clocks_change_have_every_minute_once() {
    let workspace = Workspace::new();
    // Local times of Warsaw: on 29 March 02:30 is skipped, on 25 October it comes twice.
    let times = [
        ("2026-03-29 01:59:59", "2026-03-29T00:59:59Z"),
        ("2026-03-29 03:00:00", "2026-03-29T01:00:00Z"),
        ("2026-10-25 01:59:59", "2026-10-24T23:59:59Z"),
        ("2026-10-25 03:00:00", "2026-10-25T02:00:00Z"),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00Z"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00Z"),
    ];
    let rows: Vec<String> =
        times.iter().zip(1..).map(|((local, _), number)| row(number, local)).collect();
    workspace.table("leads.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    run_at(&workspace, "2026-10-25T12:00:00Z");
    let found: Vec<String> = sent(&workspace).into_iter().map(|row| row[1].clone()).collect();
    assert_eq!(found, times.map(|(_, utc)| utc.to_owned()));
    // The hour that there is not, and the one that there is twice, are said to be assumed.
    workspace.clear_inbox();
    workspace.table("odd.csv", &[&row(8, "2026-03-29 02:30:00"), &row(9, "2026-10-25 02:30:00")]);
    let told = workspace.done(&["run", "--json", "--as-of", "2026-10-25T13:00:00Z"]).json();
    for notice in ["time-in-dst-gap", "time-ambiguous-dst"] {
        assert_eq!(told["notices"][notice], 1, "{told}");
    }
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_run_in_the_hour_that_comes_twice_is_at_one_of_both() {
    for (at, utc) in [
        ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00Z"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00Z"),
    ] {
        let workspace = Workspace::new();
        workspace.table("leads.csv", &[&row(1, "2026-10-25T00:10:00Z")]);
        let told = workspace.done(&["run", "--json", "--as-of", at]).json();
        assert_eq!(told["as_of"], utc);
    }
}

#[test]
fn the_day_that_only_some_years_have_is_a_day() {
    let workspace = Workspace::new();
    workspace.table(
        "leads.csv",
        &[
            &row(1, "2028-02-29T23:30:00+01:00"),
            &row(2, "29.02.2028 10:00"),
            &row(3, "2027-02-29 10:00"),
        ],
    );
    run_at(&workspace, "2028-02-29T23:59:59+01:00");
    let found = sent(&workspace);
    assert_eq!(found[0][1], "2028-02-29T22:30:00Z");
    assert_eq!(found[1][1], "2028-02-29T09:00:00Z");
    let notices = workspace.run_json()["notices"].clone();
    assert_eq!(notices["time-unreadable"], 1, "{notices}");
    // A year later there is no such day, and nothing falls over.
    run_at(&workspace, "2029-03-01T00:00:00+01:00");
    for args in [
        &["report", "meetings", "--since", "2028-02-01", "--by", "source", "--compare", "year"][..],
        &["report", "html"],
        &["retention", "plan"],
    ] {
        workspace.done(&[args, &["--as-of", "2028-02-29T23:59:59+01:00"]].concat());
        workspace.done(&[args, &["--as-of", "2029-02-28T23:59:59+01:00"]].concat());
    }
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn dates_beyond_all_calendars_are_said_and_cost_nothing() {
    let dates = [
        "9999-12-31T23:59:59Z",
        "9999-12-31",
        "31.12.9999",
        "10000-01-01T00:00:00Z",
        "+262143-12-31T23:59:59Z",
        "-0001-01-01",
        "0000-00-00 00:00:00",
        "1969-12-31T23:59:59Z",
        "253402300799",
        "253402300799999",
        "9223372036854775807",
        "2958465.99999",
        "2026-13-45T25:61:61Z",
        "2026-06-30T23:59:60Z",
    ];
    let rows: Vec<String> = dates.iter().zip(1..).map(|(date, number)| row(number, date)).collect();
    let workspace = Workspace::new();
    workspace.input("leads.csv", table(&rows.iter().map(String::as_str).collect::<Vec<_>>()));
    run_at(&workspace, "2026-11-20T19:00:00Z");
    let leads = workspace.number("SELECT count(*) FROM leads");
    let quarantined = workspace.number("SELECT count(*) FROM quarantine");
    assert_eq!(leads + quarantined, dates.len() as i64);
    let late = "SELECT count(*) FROM leads WHERE first_submitted_at > '2026-11-20T19:00:00Z'";
    assert_eq!(workspace.number(late), 0, "{:?}", sent(&workspace));
    for args in [&["leads"][..], &["tasks"], &["report", "speed"], &["report", "html"]] {
        workspace.done(args);
    }
    assert_rebuild_changes_nothing(&workspace);
    // A run that is said to be at the end of time is refused or done, and no panic.
    for at in ["9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "+262142-12-31T23:59:59Z"] {
        let outcome = workspace.run(&["run", "--as-of", at]);
        assert!([0, 2, 3].contains(&outcome.code), "{at}: {} {}", outcome.code, outcome.stderr);
        assert!(!outcome.stderr.contains("panicked"), "{at}: {}", outcome.stderr);
    }
}
