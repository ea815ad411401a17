//! Stores of other leadmills: an older one is backed up and brought up to date, a newer one left alone. Every schema there
//! was, and the kills, are in `src/store/migrating/tests.rs`.

use std::fs;

use rusqlite::Connection;

use super::workspace::{Workspace, files_below, package};

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

    workspace.ok(&["restore", backups[0]["backup"].as_str().unwrap()]);
    assert_eq!(workspace.sql("SELECT email FROM leads"), [["anna@przyklad.pl"]]);
    let old = fs::read(workspace.path("backups/leadmill-schema-0015.db")).unwrap();
    workspace.file("old/leadmill.db", old);
    let again = Connection::open(workspace.path("old/leadmill.db")).unwrap();
    let runs: i64 = again.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).unwrap();
    assert_eq!(runs, 2);
    assert!(before.contains("2026-01-06-0002"));
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
