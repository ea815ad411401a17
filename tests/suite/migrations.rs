//! Stores of other leadmills: an older one is backed up and brought up to date, a newer one left alone. Every schema
//! there was, and the kills, are in `src/store/migrating/tests.rs`.

use std::fs;

use rusqlite::Connection;

use super::workspace::{Workspace, assert_same_text, files_below, package};

/// The last step that is SQL alone; the next one chains the ledger.
const SCHEMA: i64 = 15;

/// Makes a store as a leadmill left it that had the first steps only.
fn old_store(workspace: &Workspace) {
    let folder = package().join("src/store/migrations");
    let mut steps: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    steps.sort();
    let store = Connection::open(workspace.path("leadmill.db")).unwrap();
    for (number, step) in (1..=SCHEMA).zip(&steps) {
        store.execute_batch(&fs::read_to_string(step).unwrap()).unwrap();
        if number == 1 {
            let rows = package().join("fixtures/stores/rows.sql");
            store.execute_batch(&fs::read_to_string(rows).unwrap()).unwrap();
        }
    }
    store.pragma_update(None, "application_id", 0x4C44_4D4C).unwrap();
    store.pragma_update(None, "user_version", SCHEMA).unwrap();
}

#[test]
fn an_older_store_is_backed_up_and_brought_up_to_date_by_whatever_writes_next() {
    let workspace = Workspace::new();
    old_store(&workspace);
    let before = workspace.dump();
    workspace
        .run(&["leads"])
        .expect_code(5)
        .says(&["older leadmill", "hint: the next `leadmill run`"]);
    let told = workspace.run(&["doctor", "--json"]).expect_code(3);
    assert!(told.stdout.contains("schema 15, this leadmill has"), "{}", told.stdout);
    // It brings the store up to date, and then says why it cannot.
    workspace.run(&["undo", "2026-01-06-0002"]).expect_code(2).says(&["older leadmill"]);
    assert_eq!(workspace.sql("SELECT email FROM leads"), [["anna@przyklad.pl"]]);
    workspace.ok(&["consent", "verify"]);
    let listed = workspace.ok(&["backup", "--list", "--json"]).json();
    let backups = listed["backups"].as_array().unwrap();
    assert_eq!(backups.len(), 1, "{listed}");
    assert_eq!(backups[0]["record"]["schema"], SCHEMA);

    let name = "backups/leadmill-schema-0015-2026-01-06-0002.db";
    assert!(backups[0]["backup"].as_str().unwrap().ends_with(name), "{listed}");
    let bytes = fs::read(workspace.path(name)).unwrap();
    let other = Workspace::new();
    other.file("leadmill.db", &bytes);
    assert_same_text("the backup", &other.dump(), &before);

    // A restore of it that is stopped half-way, once the store is up to date again, can be gone on with.
    workspace.edit("INSERT INTO erasure (run_no, key_id, because) VALUES (1, 'k', 'a test')");
    workspace.run(&["restore", name]).expect_code(5).says(&["leadmill.erasures.log"]);
    workspace.file("leadmill.erasures.log", "");
    workspace.ok(&["restore", name]);
    assert_eq!(workspace.sql("SELECT email FROM leads"), [["anna@przyklad.pl"]]);
    assert!(fs::read(workspace.path(name)).unwrap() == bytes, "the backup was written over");
    let backups = files_below(&workspace.path("backups"));
    assert_eq!(backups.len(), 2, "{:?}", backups.keys());
}

#[test]
fn an_older_store_that_is_not_sound_is_left_alone_and_the_older_leadmill_named() {
    let workspace = Workspace::new();
    old_store(&workspace);
    workspace.clear_or_make_inbox();
    workspace.edit("PRAGMA foreign_keys = OFF; DELETE FROM input WHERE input_no = 2");
    let refused = workspace.run(&["run"]).expect_code(5);
    assert!(!refused.stderr.contains(".part"), "{}", refused.stderr);
    let words = ["nothing was changed", "leadmill.db is damaged", "its `leadmill rebuild` mends"];
    refused.says(&words);
    assert_eq!(workspace.number("PRAGMA user_version"), SCHEMA);
    assert!(files_below(&workspace.path("backups")).is_empty());
}

/// Fails unless every command refuses the store and leaves every byte of it, also of its WAL.
#[track_caller]
fn assert_left_alone(workspace: &Workspace, words: &[&str]) {
    let files = || {
        let mut files = files_below(&workspace.path(""));
        // The index of the WAL, which every reader makes anew; and our locks.
        files.retain(|name, _| !name.ends_with("-shm") && !name.ends_with(".lock"));
        files
    };
    let before = files();
    let commands: [&[&str]; 7] = [
        &["run"],
        &["leads"],
        &["tick"],
        &["deliver"],
        &["backup"],
        &["rebuild"],
        &["subject", "forget", "anna@przyklad.pl", "--because", "asked"],
    ];
    for args in commands {
        workspace.run(args).expect_code(5).says(words).says(&["nothing was changed", "hint: "]);
        let now = files();
        assert_eq!(now.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{args:?}");
        assert!(now == before, "{args:?} changed a byte");
    }
    workspace.run(&["doctor"]).expect_code(5);
}

/// Leaves the store as a process does that dies: with what it committed last in the WAL alone.
fn with_a_wal(workspace: &Workspace, sql: &str) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("x.db");
    fs::copy(workspace.path("leadmill.db"), &copy).unwrap();
    let store = Connection::open(&copy).unwrap();
    store.pragma_update(None, "journal_mode", "WAL").unwrap();
    store.execute_batch(sql).unwrap();
    for (from, to) in [("x.db", "leadmill.db"), ("x.db-wal", "leadmill.db-wal")] {
        fs::copy(folder.path().join(from), workspace.path(to)).unwrap();
    }
    assert!(fs::metadata(workspace.path("leadmill.db-wal")).unwrap().len() > 0);
}

#[test]
fn a_store_of_a_newer_leadmill_is_left_alone() {
    let workspace = Workspace::new();
    workspace.table(
        "a.csv",
        &["1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Prosze,yes"],
    );
    workspace.ok(&["run"]);
    with_a_wal(&workspace, "PRAGMA user_version = 9999");
    assert_left_alone(&workspace, &["made by a newer leadmill (schema 9999"]);
}

#[test]
fn a_database_of_somebody_else_is_left_alone_with_its_wal() {
    let workspace = Workspace::new();
    workspace.clear_or_make_inbox();
    drop(Connection::open(workspace.path("leadmill.db")).unwrap());
    with_a_wal(&workspace, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    assert_left_alone(&workspace, &["is not a leadmill store"]);
}
