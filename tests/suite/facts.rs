//! What happened, when, and what brought it: dates, answers and channels as a user meets them.

use std::fmt::Write as _;

use serde_json::Value;

use super::workspace::Workspace;

/// Makes an export whose dates are `dates`, in rows of different people.
fn dated(dates: &[&str]) -> String {
    let mut text = "id,created_at,full_name,email\n".to_owned();
    for (at, date) in dates.iter().enumerate() {
        let _ = writeln!(text, "a{at}x,{date},Anna Wzorcowa,anna{at}@przyklad.pl");
    }
    text
}

fn sniffed(text: &str) -> Value {
    let workspace = Workspace::new();
    workspace.file("leads.csv", text);
    workspace.ok(&["sniff", "leads.csv", "--json"]).json()
}

fn times(workspace: &Workspace) -> Vec<Vec<String>> {
    workspace.ok(&["run"]);
    workspace.sql("SELECT json_extract(fields, '$.email') AS email, submitted_at FROM submissions ORDER BY email")
}

#[test]
fn one_date_settles_the_order_of_its_column() {
    let found = sniffed(&dated(&["09/12/2025", "13/09/2025", "01/02/2025"]));
    assert_eq!(found["dates"][0]["order"], "dmy", "{found}");
    assert_eq!(found["dates"][0]["sure"], true);
    assert_eq!(found["dates"][0]["example"], "13/09/2025");
    assert_eq!(found["notices"].as_array().unwrap().len(), 0, "{found}");
    let found = sniffed(&dated(&["9/12/2025 2:30 PM", "9/25/2025 2:30 PM"]));
    assert_eq!(found["dates"][0]["order"], "mdy", "{found}");
}

#[test]
fn an_order_that_nothing_settles_is_said_with_the_way_out() {
    let workspace = Workspace::new();
    workspace.file("leads.csv", dated(&["09/12/2025", "03/04/2025"]));
    let found = workspace.ok(&["sniff", "leads.csv"]).stdout;
    assert!(
        found.contains("dates in column `created_at`: ambiguous, read day first (03/04/2025)"),
        "{found}"
    );
    assert!(found.contains("set `date-order` in the source's preset"), "{found}");
    assert!(
        found.contains("leads.csv:2, column `created_at`, value `09/12/2025`: date-ambiguous"),
        "{found}"
    );
}

#[test]
fn dates_that_leave_nothing_open_are_not_spoken_of() {
    let found = sniffed(&dated(&["2025-09-12 15:05", "12.09.2025 15:05", "12 września 2025"]));
    assert_eq!(found["dates"].as_array().unwrap().len(), 0, "{found}");
    assert_eq!(found["notices"].as_array().unwrap().len(), 0, "{found}");
}

#[test]
fn the_order_of_rows_does_not_change_when_they_were_sent() {
    let dates = ["09/12/2024", "03/04/2025", "25/09/2025", "01/02/2025"];
    let text = dated(&dates);
    let (head, rows) = text.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    let first = Workspace::new();
    first.input("leads.csv", text.as_bytes());
    rows.reverse();
    let second = Workspace::new();
    second.input("leads.csv", format!("{head}\n{}\n", rows.join("\n")).as_bytes());
    let expected = times(&first);
    assert_eq!(expected.len(), dates.len());
    assert!(expected[0][1].starts_with("2024-12-09"), "{expected:?}");
    assert_eq!(times(&second), expected);
}

#[test]
fn what_brought_somebody_first_and_last_are_kept_apart() {
    let workspace = Workspace::new();
    workspace.input(
        "leads.csv",
        "id,created_at,full_name,email,page_url\n\
         1,2026-09-12T10:00:00Z,Anna Wzorcowa,anna@przyklad.pl,https://example.com/?utm_source=google&utm_medium=cpc\n\
         2,2026-10-12T10:00:00Z,Anna Wzorcowa,anna@przyklad.pl,https://example.com/?utm_source=FB&utm_medium=paid_social\n\
         3,2026-11-12T10:00:00Z,Anna Wzorcowa,anna@przyklad.pl,https://example.com/\n",
    );
    workspace.ok(&["run"]);
    let values = workspace.ok(&["explain", "anna@przyklad.pl", "--json"]).json();
    let value = |name: &str| values["values"][name].as_str().unwrap_or_default().to_owned();
    assert_eq!([value("source"), value("medium")], ["google", "cpc"], "{values}");
    assert_eq!(
        [value("last-source"), value("last-medium")],
        ["facebook", "paid-social"],
        "{values}"
    );
}
