//! Exports of what salespeople did, as their CRMs write them: each row joins the lead that it is about, once.

use super::undo::assert_rebuild_changes_nothing;
use super::workspace::Workspace;

const CONTACTS: &str = "\
Record ID,First Name,Last Name,Email,Phone Number,Create Date,Lifecycle Stage\n\
901,Anna,Łęcka,anna@firma.pl,+48 601 000 101,2026-11-16 09:00,Lead\n\
902,Żaneta,Ślązak,zaneta@druga.pl,,2026-11-16 09:00,Lead\n";

/// Returns the kinds of touches that `explain` shows of the lead, the oldest first.
fn kinds(workspace: &Workspace, who: &str) -> Vec<String> {
    let story = workspace.ok(&["explain", who, "--json"]).json();
    let touches = story["touches"].as_array().unwrap();
    touches.iter().rev().map(|touch| touch["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_record_id_is_the_same_in_every_export_of_one_crm() {
    let workspace = Workspace::new();
    workspace.input("contacts.csv", CONTACTS).input(
        "meetings.csv",
        "Record ID,Meeting name,Meeting outcome,Meeting start time,Create date,Associated Contact IDs\n\
         1,Demo,Scheduled,2026-11-30 10:00,2026-11-17 09:00,901\n\
         2,Demo,Completed,2026-11-18 10:00,2026-11-17 09:00,902\n\
         3,Demo,No show,2026-11-19 10:00,2026-11-17 09:00,902\n",
    );
    workspace.input(
        "deals.csv",
        "Record ID,Deal Name,Deal Stage,Close Date,Associated Contact IDs\n\
         1,CRM,Closed won,2026-11-20 09:00,902\n\
         2,CRM,Decision maker bought-in,2026-12-20 09:00,901\n",
    );
    // The same number in another system is somebody else.
    workspace.input(
        "pipedrive.csv",
        "Activity - ID,Activity - Type,Activity - Done,Activity - Marked as done time,Person - ID\n\
         7,Call,Done,2026-11-17 10:00:00,901\n",
    );
    workspace.ok(&["run"]);
    assert_eq!(kinds(&workspace, "anna@firma.pl"), ["meeting-booked"]);
    assert_eq!(kinds(&workspace, "zaneta@druga.pl"), ["meeting-held", "no-show", "won"]);
    let rows = workspace.number("SELECT sum(touches) FROM input");
    assert_eq!(rows, 5, "the call is kept, though nobody's here");
    assert_eq!(workspace.number("SELECT sum(skipped) FROM input"), 1, "the open deal");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn an_activity_exported_again_is_the_same_one_until_something_came_of_it() {
    let workspace = Workspace::new();
    workspace.input("contacts.csv", CONTACTS);
    workspace.ok(&["run"]);
    let header = "Activity - ID,Activity - Subject,Activity - Type,Activity - Due date,Activity - Done,\
                  Activity - Marked as done time,Activity - Creation date,Person - Email - Work\n";
    let export = |name: &str, row: &str| {
        workspace.clear_inbox().input(name, format!("{header}{row}\n"));
        workspace.ok(&["run"]);
        kinds(&workspace, "anna@firma.pl")
    };
    let booked = "7,Demo,Meeting,2026-11-25,To do,,2026-11-17 09:00:00,anna@firma.pl";
    assert_eq!(export("monday.csv", booked), ["meeting-booked"]);
    // Moved and renamed: still the date that they have with us.
    let moved = "7,Prezentacja,Meeting,2026-11-19,To do,,2026-11-17 09:00:00,anna@firma.pl";
    assert_eq!(export("tuesday.csv", moved), ["meeting-booked"]);
    let held = "7,Prezentacja,Meeting,2026-11-19,Done,2026-11-19 11:00:00,2026-11-17 09:00:00,anna@firma.pl";
    assert_eq!(export("friday.csv", held), ["meeting-booked", "meeting-held"]);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn what_nobody_knows_waits_until_it_is_named() {
    let workspace = Workspace::new();
    let fair = "Activity - ID,Activity - Type,Activity - Due date,Activity - Done,Person - Email - Work\n\
                7,Trade fair,2026-11-17,Done,anna@firma.pl\n\
                8,Call,,Done,anna@firma.pl\n";
    workspace.input("contacts.csv", CONTACTS).input("activities.csv", fair);
    workspace.run(&["run"]);
    let open = || workspace.ok(&["quarantine"]).stdout;
    assert!(open().contains("touch-kind") && open().contains("touch-time"), "{}", open());
    let shown = workspace.ok(&["quarantine", "show", "1"]);
    assert!(shown.flat().contains("tables/touches.toml"), "{}", shown.stdout);
    let touches =
        std::fs::read_to_string(super::workspace::package().join("rules/tables/touches.toml"));
    let named = touches.unwrap().replace("\"meeting held\"", "\"meeting held\", \"trade fair\"");
    workspace.file("rules/tables/touches.toml", named);
    workspace.ok(&["quarantine", "export", "fix"]);
    workspace.clear_inbox();
    workspace.run(&["run", "fix"]);
    assert_eq!(kinds(&workspace, "anna@firma.pl"), ["meeting-held"]);
    assert!(!open().contains("touch-kind") && open().contains("touch-time"), "{}", open());
}

#[test]
fn a_change_of_owner_is_told_and_ends_nothing() {
    let workspace = Workspace::new();
    workspace.table(
        "a.csv",
        &["1,2026-11-20 09:00:00,Anna Nowak,anna@firma.pl,+48600000101,Firma,PL,Proszę o WYCENĘ,yes"],
    );
    workspace.ok(&["run"]);
    let open = "SELECT count(*) FROM tasks WHERE state = 'open'";
    let before = workspace.number(open);
    workspace.clear_inbox().input(
        "log.jsonl",
        "{\"time\":\"2026-11-20T10:00:00Z\",\"event\":\"Owner changed\",\"detail\":\"Jan\",\"email\":\"anna@firma.pl\"}\n",
    );
    workspace.input(
        "dziennik.csv",
        "Data zdarzenia;Zdarzenie;Telefon\n20.11.2026 11:30;zmiana opiekuna;600 000 101\n",
    );
    workspace.ok(&["run"]);
    assert_eq!(kinds(&workspace, "anna@firma.pl"), ["owner-changed", "owner-changed"]);
    assert_eq!(workspace.number(open), before);
}
