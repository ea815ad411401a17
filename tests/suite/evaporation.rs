//! Rows that vanish inside the program. A trigger planted in the store drops one row on its way into one table, as a
//! bug in that stage would; the run must notice by itself, say so, and put nothing out.

use rusqlite::Connection;

use super::workspace::{Outcome, Workspace};

const FIRST: &str =
    "1,2026-11-17T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Prosze o wycene,yes";

/// Rows that end in each of the ways in which a row can end.
const ROWS: &[&str] = &[
    FIRST,
    "2,2026-11-18T10:00:00Z,Ania Wzorcowa,anna@przyklad.pl,,Firma,PL,Jeszcze raz,yes",
    "3,2026-11-18T11:00:00Z,Jan Testowski,jan@example.com,600000102,Inna,PL,Kiedy?,no",
    "4,2026-11-18T12:00:00Z,test,test@test.com,123456789,test,PL,test,yes",
    "5,2026-11-18T13:00:00Z,Zly Adres,zly(at)x,,,PL,,",
];

/// Returns a workspace after a night, with a second to come and `sql` planted.
fn planted(sql: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.table("one.csv", &[FIRST]);
    workspace.done(&["run", "--as-of", "2026-11-17T21:00:00Z"]);
    workspace.clear_inbox().table("two.csv", ROWS);
    workspace.input(
        "views.csv",
        "email,event,url,time\nanna@przyklad.pl,page view,https://firma.example/cennik,2026-11-18T10:00:00Z\n",
    );
    let store = Connection::open(workspace.path("leadmill.db")).unwrap();
    store.execute_batch(sql).unwrap();
    workspace
}

fn run(workspace: &Workspace) -> Outcome {
    workspace.run(&["run", "--as-of", "2026-11-18T21:00:00Z"])
}

/// Fails unless a row that vanishes on its way into `table` stops the run before anything is put out.
#[track_caller]
fn check_stops(table: &str, which: &str) -> Workspace {
    let workspace = planted(&format!(
        "CREATE TABLE dropped (n);
         CREATE TRIGGER drops_a_row BEFORE INSERT ON {table} WHEN {which} AND (SELECT count(*) FROM dropped) = 0
         BEGIN INSERT INTO dropped VALUES (1); SELECT RAISE(IGNORE); END;"
    ));
    let before = workspace.published();
    let outcome = run(&workspace);
    let said = &outcome.stderr;
    assert!([1, 70].contains(&outcome.code), "{table}: {} {said}", outcome.code);
    assert!(!said.contains("panicked"), "{table}: {said}");
    assert_eq!(workspace.published(), before, "{table}: something was put out");
    assert_eq!(
        workspace.number("SELECT count(*) FROM run WHERE state <> 'published'"),
        0,
        "{table}"
    );
    workspace
}

/// Fails unless the same files are taken in whole once nothing drops rows any more.
#[track_caller]
fn check_is_no_loss(table: &str, which: &str) {
    let workspace = check_stops(table, which);
    let store = Connection::open(workspace.path("leadmill.db")).unwrap();
    store.execute_batch("DROP TRIGGER drops_a_row; DROP TABLE IF EXISTS dropped;").unwrap();
    drop(store);
    let again = run(&workspace);
    assert!([0, 3].contains(&again.code), "{table}: {}", again.stderr);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2, "{table}");
    workspace.ok(&["rebuild", "--check"]);
}

#[test]
fn the_rows_end_in_every_way() {
    let workspace = planted("");
    let outcome = run(&workspace);
    assert!([0, 3].contains(&outcome.code), "{}", outcome.stderr);
    let rows = workspace.run_json()["rows"].clone();
    for end in ["created", "merged", "repeated", "quarantined", "held", "touches"] {
        assert_eq!(rows[end], 1, "{end}: {rows}");
    }
}

#[test]
fn a_row_that_vanishes_as_it_is_taken_in_stops_the_run() {
    for table in ["touch", "quarantine", "held", "repeat"] {
        check_is_no_loss(table, "true");
    }
    // What is kept beside it names a row that is not there: a damaged store, to be restored.
    check_stops("submission", "true");
}

#[test]
fn a_lead_that_vanishes_as_it_is_formed_stops_the_run() {
    check_is_no_loss("lead", "NEW.founded_run = (SELECT max(run_no) FROM run)");
    check_is_no_loss("membership", "NEW.submission_no > 1");
}
