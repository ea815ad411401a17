//! Who gets which lead when people are away, full or lack what it needs, and that all of it can be done again.

use std::fmt::Write as _;

use super::undo::{assert_rebuild_changes_nothing, take_in, undo};
use super::workspace::{Workspace, assert_same_text};

/// Anna takes two leads a day; Jan takes the cold rest when she cannot.
const CAPPED: &str = "triage = 'triage'
[[owner]]
id = 'anna'
cap = { leads = 2, per = 'day' }
[[owner]]
id = 'jan'
skills = ['ai']
[[queue]]
id = 'pl'
pool = [{ owner = 'anna' }]
because = 'b'
[[queue]]
id = 'abroad'
pool = [{ owner = 'anna', cap = { leads = 1, per = 'day' } }]
when-nobody = 'next'
because = 'b'
[[queue]]
id = 'rest'
pool = [{ owner = 'jan' }]
needs-skill = 'ai'
because = 'b'
[[queue]]
id = 'triage'
because = 'b'
[[route]]
id = 'pl'
when = { field = 'country', is = 'PL' }
queue = 'pl'
because = 'b'
[[route]]
id = 'abroad'
queue = 'abroad'
when = { field = 'country', exists = true }
because = 'b'
[[route]]
id = 'rest'
when = { field = 'country', one-of = ['DE', 'AT'] }
queue = 'rest'
because = 'b'
";

/// Makes a workspace with these rules of routing.
pub(super) fn with_routing(rules: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.file("rules/routing.toml", rules);
    workspace
}

/// A row whose lead has nothing in common with others.
pub(super) fn lead(number: usize, country: &str) -> String {
    format!(
        "{number},2026-11-17T08:00:{:02}Z,Osoba Numer{number},osoba{number}@p{number}.example,,,{country},Prosze o oferte,",
        number % 60
    )
}

/// Takes leads in on a night of its own; returns the run's id.
fn night(workspace: &Workspace, number: usize, leads: &[(usize, &str)]) -> String {
    let rows: Vec<String> = leads.iter().map(|(no, country)| lead(*no, country)).collect();
    take_in(workspace, number, &rows.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Who has which lead: `1 anna pl; 2 - pl`.
fn dealt(workspace: &Workspace) -> String {
    let rows = workspace.sql(
        "SELECT last_name, coalesce(owner, '-'), queue FROM leads
         ORDER BY CAST(substr(last_name, 6) AS INTEGER)",
    );
    let mut text = String::new();
    for row in rows {
        write!(text, "{} {} {}; ", row[0].trim_start_matches("Numer"), row[1], row[2]).unwrap();
    }
    text.trim_end_matches("; ").to_owned()
}

#[test]
fn leads_beyond_a_cap_wait_and_are_dealt_when_there_is_room() {
    let workspace = with_routing(CAPPED);
    let all: Vec<(usize, &str)> = (1..=5).map(|number| (number, "PL")).collect();
    night(&workspace, 1, &all);
    assert_eq!(dealt(&workspace), "1 anna pl; 2 anna pl; 3 - pl; 4 - pl; 5 - pl");
    // The next night two of those who wait come before a new one; in the end nobody waits.
    night(&workspace, 2, &[(6, "PL")]);
    assert_eq!(dealt(&workspace), "1 anna pl; 2 anna pl; 3 anna pl; 4 anna pl; 5 - pl; 6 - pl");
    night(&workspace, 3, &[]);
    assert_eq!(
        dealt(&workspace),
        "1 anna pl; 2 anna pl; 3 anna pl; 4 anna pl; 5 anna pl; 6 anna pl"
    );
    assert_rebuild_changes_nothing(&workspace);
    // A run at the same instant finds no room and decides about nobody.
    let before = workspace.number("SELECT count(*) FROM decision");
    night(&workspace, 3, &[(7, "PL")]);
    assert_eq!(workspace.number("SELECT count(*) FROM decision"), before + 1);
}

#[test]
fn a_lead_that_nobody_may_take_goes_on_to_the_next_route() {
    let workspace = with_routing(CAPPED);
    night(&workspace, 1, &[(1, "DE"), (2, "DE"), (3, "FR")]);
    assert_eq!(dealt(&workspace), "1 anna abroad; 2 jan rest; 3 - triage");
    let reason = |name: &str| {
        let query = format!("SELECT routing_reason FROM leads WHERE last_name = '{name}'");
        workspace.sql(&query)[0][0].clone()
    };
    assert!(
        reason("Numer2").ends_with("owner=jan; turn=1/1; passed=abroad"),
        "{}",
        reason("Numer2")
    );
    assert!(
        reason("Numer3").ends_with("queue=triage; passed=abroad; because=nobody is available"),
        "{}",
        reason("Numer3")
    );
    // The next day there is room for it.
    night(&workspace, 2, &[]);
    assert_eq!(dealt(&workspace), "1 anna abroad; 2 jan rest; 3 anna abroad");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_lead_that_nobody_may_take_is_an_alert() {
    let workspace = with_routing(CAPPED);
    let rows: Vec<String> = (1..=3).map(|number| lead(number, "PL")).collect();
    workspace.table("a.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let outcome = workspace.run(&["run", "--json"]);
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    let alerts = outcome.json()["alerts"].to_string();
    assert!(alerts.contains("leads that nobody of a pool could take: 1"), "{alerts}");
}

#[test]
fn an_undo_gives_turns_and_loads_back() {
    let workspace = with_routing(CAPPED);
    let first = night(&workspace, 1, &[(1, "PL"), (2, "DE")]);
    let only = with_routing(CAPPED);
    night(&only, 2, &[(3, "PL"), (4, "FR")]);
    night(&workspace, 2, &[(3, "PL"), (4, "FR")]);
    undo(&workspace, &first);
    let state = |workspace: &Workspace| {
        let mut text = dealt(workspace);
        for query in [
            "SELECT queue, owner, leads, as_of FROM load JOIN runs USING (run_no) ORDER BY 1, 2, 4",
            "SELECT * FROM rotation ORDER BY queue, owner",
        ] {
            for row in workspace.sql(query) {
                write!(text, "\n{}", row.join(" | ")).unwrap();
            }
        }
        text
    };
    assert_same_text("the desk", &state(&only), &state(&workspace));
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn what_waited_because_of_a_run_that_is_gone_still_waits_until_the_next() {
    let workspace = with_routing(CAPPED);
    let first = night(&workspace, 1, &[(1, "PL"), (2, "PL")]);
    // The same night: a second file, and Anna is full.
    workspace.clear_inbox();
    workspace.table("more.csv", &[&lead(3, "PL")]);
    workspace.run(&["run", "--as-of", "2026-11-18T21:00:00Z"]);
    undo(&workspace, &first);
    assert_eq!(dealt(&workspace), "3 - pl");
    assert_rebuild_changes_nothing(&workspace);
    night(&workspace, 2, &[]);
    assert_eq!(dealt(&workspace), "3 anna pl");
    assert_rebuild_changes_nothing(&workspace);
}
