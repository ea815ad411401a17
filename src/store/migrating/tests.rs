//! Stores of every schema that there ever was, brought up to date, and killed while they are.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rusqlite::OpenFlags;
use rusqlite::types::ValueRef;

use super::*;
use crate::store::backup;
use crate::store::pages::look;

/// Kills of each store unless `LEADMILL_KILLS` says otherwise.
const KILLS: u32 = 2;
/// Names the store that [`child`] opens.
const STORE: &str = "LEADMILL_TEST_STORE";

/// A few rows in every table of the first schema.
const ROWS: &str = include_str!("../../../fixtures/stores/rows.sql");
/// Rows for what later steps made, each behind its step.
const LATER_ROWS: &str = include_str!("../../../fixtures/stores/later_rows.sql");

/// Makes a store as the leadmill left it that had `schema` steps.
fn old_store(path: &Path, schema: i64) {
    let mut old = Connection::open(path).unwrap();
    old.pragma_update(None, "page_size", 4_096).unwrap();
    old.pragma_update(None, "journal_mode", "WAL").unwrap();
    take_steps(&mut old, 1).unwrap();
    old.execute_batch(ROWS).unwrap();
    for step in 2..=schema {
        take_steps(&mut old, step).unwrap();
        add_later_rows(&old, step);
    }
}

/// Adds the rows for what `step` made.
fn add_later_rows(store: &Connection, step: i64) {
    for section in LATER_ROWS.split("\n-- step ").skip(1) {
        let (of_step, sql) = section.split_once('\n').unwrap();
        if of_step.parse() == Ok(step) {
            store.execute_batch(sql).unwrap();
        }
    }
}

/// Returns all tables as text, but for what is drawn at random.
fn dump(path: &Path) -> String {
    let store = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let list = |sql: &str| -> Vec<String> {
        let mut statement = store.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut text =
        list("SELECT coalesce(sql, '') FROM sqlite_schema ORDER BY type, name").join("\n");
    for table in list("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
        let mut columns = list(&format!("SELECT name FROM pragma_table_info('{table}')"));
        columns.retain(|column| !["salt", "commitment", "hash"].contains(&column.as_str()));
        let columns = columns.join("\", \"");
        let mut statement =
            store.prepare(&format!("SELECT \"{columns}\" FROM \"{table}\"")).unwrap();
        let count = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        let mut lines = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let cells = (0..count).map(|at| match row.get_ref(at).unwrap() {
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                other => format!("{other:?}"),
            });
            lines.push(format!("\n{table}: {}", cells.collect::<Vec<_>>().join("|")));
        }
        lines.sort();
        text.push_str(&lines.concat());
    }
    text
}

fn schema_of(path: &Path) -> i64 {
    let store = Connection::open(path).unwrap();
    store.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

#[test]
fn every_schema_that_there_was_is_brought_up_to_date_after_a_backup() {
    let mut newest = None;
    for schema in 1..SCHEMA_VERSION {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("leadmill.db");
        old_store(&path, schema);
        let before = dump(&path);
        assert_eq!(schema_of(&path), schema);
        let store = Store::open(&path).unwrap();
        assert_eq!(store.integrity().unwrap(), Vec::<String>::new(), "schema {schema}");
        assert_eq!(store.dangling().unwrap(), [], "schema {schema}");
        assert_eq!(store.verify_ledger(None).unwrap().problems, [], "schema {schema}");
        assert_eq!(store.ledger_head().unwrap().seq, 2, "schema {schema}");
        drop(store);
        let pages = look::pages(&path).unwrap();
        assert!(!pages.is_damaged() && pages.sound > 0, "schema {schema}: {pages:?}");

        let backups = backup::list(&backup::folder(&path)).unwrap();
        assert_eq!(backups.len(), 1, "schema {schema}");
        assert_eq!(backups[0].record.as_ref().unwrap().schema, schema);
        assert_eq!(dump(&backups[0].path), before, "schema {schema}: the backup is what was there");
        // Whatever the schema they were written under, the rows are the same now, as those are that are written today.
        let today = Connection::open(&path).unwrap();
        (schema + 1..=SCHEMA_VERSION).for_each(|step| add_later_rows(&today, step));
        drop(today);
        let now = dump(&path);
        assert!(now.contains("msg-1"), "nothing was added");
        assert_eq!(newest.get_or_insert_with(|| now.clone()), &now, "schema {schema}");
    }
}

#[test]
fn a_migration_that_is_killed_is_none_or_whole() {
    let kills = std::env::var("LEADMILL_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let (mut hit, mut untouched) = (0, 0);
    for schema in 1..SCHEMA_VERSION {
        let folder = tempfile::tempdir().unwrap();
        let undisturbed = folder.path().join("undisturbed.db");
        old_store(&undisturbed, schema);
        let before = dump(&undisturbed);
        assert!(migrating_child(&undisturbed).wait().unwrap().success());
        let after = dump(&undisturbed);
        for kill in 0..kills {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("leadmill.db");
            old_store(&path, schema);
            let mut child = migrating_child(&path);
            // The migration begins once the backup is there.
            let name = format!("leadmill-schema-{schema:04}-2026-01-06-0002.db");
            let backup = backup::folder(&path).join(name);
            while !backup.exists() && child.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
            let pause_ms = u64::from((kill * 7 + schema as u32 * 3) % 12);
            std::thread::sleep(Duration::from_millis(pause_ms));
            child.kill().unwrap();
            hit += u32::from(!child.wait().unwrap().success());
            let found = dump(&path);
            if schema_of(&path) == schema {
                untouched += 1;
                assert_eq!(found, before, "schema {schema}, kill {kill} after {pause_ms} ms");
            } else {
                assert_eq!(found, after, "schema {schema}, kill {kill} after {pause_ms} ms");
            }
            if kill % 2 == 1 {
                // Somebody looks with SQLite's own shell, which writes the WAL back and knows of no checksums.
                let shell = Connection::open(&path).unwrap();
                shell.query_row("SELECT count(*) FROM run", [], |_| Ok(())).unwrap();
            }
            drop(Store::open(&path).unwrap());
            assert_eq!(dump(&path), after, "schema {schema}, kill {kill} after {pause_ms} ms");
            assert!(!look::pages(&path).unwrap().is_damaged());
        }
    }
    assert!(
        hit > 0 && untouched > 0,
        "{hit} killed, {untouched} before the end: the test is blind"
    );
}

/// Starts a process that opens the store at `path`, and so brings it up to date.
fn migrating_child(path: &Path) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::migrating::tests::child", "--ignored", "--test-threads", "1"])
        .env(STORE, path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "a part of another test, which starts it"]
fn child() {
    let path = std::env::var(STORE).unwrap();
    drop(Store::open(Path::new(&path)).unwrap());
    // Time to be killed in once all is done, so that the kill and not the end is what is waited for.
    std::thread::sleep(Duration::from_millis(1));
}

/// A released step is never edited: stores that have taken it would differ from those that take it today.
#[test]
fn released_steps_are_as_they_were() {
    use sha2::{Digest as _, Sha256};
    let found: Vec<String> =
        MIGRATIONS.iter().map(|step| crate::model::ids::hex(&Sha256::digest(step)[..8])).collect();
    let known: Vec<&str> = include_str!("../../../fixtures/stores/steps.txt").lines().collect();
    assert_eq!(
        found, known,
        "a new step gets a new line in fixtures/stores/steps.txt, no line changes"
    );
}
