//! `leadmill backup` and `restore`: the way back, also from the midst of a run, and whatever is killed on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::far_end::{Receiver, answer};
use super::workspace::{
    Workspace, assert_fits_a_terminal, assert_same_files, assert_same_text, files_below,
};

/// The backup that a command makes at the suite's instant.
const BACKUP: &str = "backups/leadmill-2026-11-20T190000Z.db";

/// How many restores are killed unless `LEADMILL_KILLS` says otherwise.
const KILLS: u32 = 6;

const ANNA: &str =
    "1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Prosze,yes";
const JAN: &str = "2,2026-11-18T10:00:00Z,Jan Nowy,jan@nowy.example,600000102,Nowy,PL,Prosze,yes";

/// A workspace that was backed up after its first run, and has had a second one since.
fn backed_up() -> Workspace {
    let workspace = Workspace::new();
    workspace.table("a.csv", &[ANNA]);
    workspace.ok(&["run"]);
    workspace.ok(&["backup"]);
    workspace.table("b.csv", &[JAN]);
    workspace.ok(&["run"]);
    workspace
}

/// Returns where the store is that stepped aside, if one did.
fn aside(workspace: &Workspace) -> Option<PathBuf> {
    let entries = fs::read_dir(workspace.path("")).unwrap().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with("leadmill.db.before-")
                && ["-wal", "-shm", "-journal", ".sums"].iter().all(|end| !name.ends_with(end))
        })
        .collect();
    assert!(found.len() < 2, "{found:?}");
    found.pop()
}

/// Returns the tables of the store that lies at `path`, moved into a workspace of its own with whatever lies beside it.
fn dump_of(path: &Path) -> String {
    let other = Workspace::new();
    fs::copy(path, other.path("leadmill.db")).unwrap();
    let wal = PathBuf::from(format!("{}-wal", path.display()));
    if wal.exists() {
        fs::copy(wal, other.path("leadmill.db-wal")).unwrap();
    }
    other.dump()
}

#[test]
fn a_backup_is_the_store_in_one_file_with_a_record_of_it() {
    let workspace = Workspace::new();
    workspace.table("a.csv", &[ANNA]);
    workspace.ok(&["run"]);
    let told = workspace.ok(&["backup"]);
    assert_fits_a_terminal(&told.stdout);
    assert!(told.flat().contains("1 lead and 1 submission"), "{}", told.stdout);
    assert!(
        told.flat().contains("not in it: rules/, inbox/, out/, and the key"),
        "{}",
        told.stdout
    );
    let names: Vec<String> = files_below(&workspace.path("backups")).into_keys().collect();
    assert_eq!(names, ["leadmill-2026-11-20T190000Z.db", "leadmill-2026-11-20T190000Z.db.json"]);
    assert_same_text("the backup", &dump_of(&workspace.path(BACKUP)), &workspace.dump());
    let record: serde_json::Value =
        serde_json::from_slice(&fs::read(workspace.path(&format!("{BACKUP}.json"))).unwrap())
            .unwrap();
    let bytes = fs::read(workspace.path(BACKUP)).unwrap();
    let sha256 = <sha2::Sha256 as sha2::Digest>::digest(&bytes);
    assert_eq!(record["sha256"], leadmill::model::ids::hex(&sha256));
    assert_eq!(record["latest_run"], "2026-11-20-0001");
    assert_eq!(record["leads"], 1);
    #[cfg(unix)]
    for path in ["backups", BACKUP, &format!("{BACKUP}.json")] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(workspace.path(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path}");
    }
    workspace.run(&["backup"]).expect_code(2).says(&["is there already", "hint:"]);
}

#[test]
fn as_many_backups_are_kept_as_somebody_says() {
    let workspace = Workspace::new();
    workspace.table("a.csv", &[ANNA]);
    workspace.ok(&["run"]);
    workspace.file("backups/leadmill-notes.db", "somebody else's");
    // What cannot be read is no record, and disturbs nobody.
    workspace.file("backups/leadmill-notes.db.json", b"\xff");
    for hour in 10..14 {
        let as_of = format!("2026-11-21T{hour}:00:00Z");
        let line = workspace.ok(&["backup", "--keep", "2", "--json", "--as-of", &as_of]).json();
        assert_eq!(line["record"]["taken_at"], as_of);
        assert_eq!(line["removed"].as_array().unwrap().len(), usize::from(hour > 11));
    }
    let listed = workspace.ok(&["backup", "--list", "--json"]).json();
    let names: Vec<&str> = listed["backups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["backup"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    let expected =
        ["leadmill-notes.db", "leadmill-2026-11-21T120000Z.db", "leadmill-2026-11-21T130000Z.db"];
    assert_eq!(names, expected);
    let told = workspace.ok(&["backup", "--list"]);
    assert_fits_a_terminal(&told.stdout);
    assert!(told.flat().contains("no record of it"), "{}", told.stdout);
    assert!(!workspace.path("backups/leadmill-2026-11-21T110000Z.db.json").exists());
    // Somebody was killed who had removed a copy and not its record yet.
    fs::remove_file(workspace.path("backups/leadmill-2026-11-21T120000Z.db")).unwrap();
    let left = workspace.path("backups/leadmill-2026-11-21T120000Z.db.json");
    assert!(left.exists());
    workspace.ok(&["backup", "--keep", "2", "--as-of", "2026-11-21T14:00:00Z"]);
    assert!(!left.exists());
    assert!(workspace.path("backups/leadmill-2026-11-21T130000Z.db.json").exists());
    workspace.ok(&["backup", "elsewhere/mine.db"]);
    assert!(workspace.path("elsewhere/mine.db.json").exists());
    workspace.run(&["backup", "other.db", "--keep", "2"]).expect_code(2).says(&["hint:"]);
    workspace.run(&["doctor"]).expect_code(3);
}

#[test]
fn a_restore_puts_the_backup_in_place_and_what_was_there_aside() {
    let workspace = backed_up();
    let (now, then) = (workspace.dump(), dump_of(&workspace.path(BACKUP)));
    let before = workspace.published();
    let told = workspace.ok(&["restore", BACKUP]);
    assert_fits_a_terminal(&told.stdout);
    let said = told.flat();
    for words in [
        "the old store is",
        "it does not know 1 run: 2026-11-20-0002",
        "out/before-2026-11-20T190000Z",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_same_text("the store", &workspace.dump(), &then);
    let aside = aside(&workspace).unwrap();
    assert!(!PathBuf::from(format!("{}-wal", aside.display())).exists(), "an empty journal");
    assert_same_text("the old store", &dump_of(&aside), &now);
    assert_eq!(workspace.run_json()["run"], "2026-11-20-0001");
    let moved = files_below(&workspace.path("out/before-2026-11-20T190000Z"));
    assert_eq!(
        moved.len(),
        before.keys().filter(|name| name.starts_with("2026-11-20-0002/")).count()
    );
    workspace.ok(&["doctor", "--deep"]);

    // What came in since is run again, and ends where it had ended.
    workspace.ok(&["run"]);
    assert_same_text("the store", &workspace.dump(), &now);
    assert_same_files(&workspace.published(), &before);
    workspace.ok(&["doctor", "--deep"]);
}

#[test]
fn a_backup_that_is_not_sound_is_refused_and_nothing_changes() {
    let workspace = backed_up();
    let sound = fs::read(workspace.path(BACKUP)).unwrap();
    let everything = || {
        let mut files = files_below(&workspace.path(""));
        files.retain(|name, _| {
            ["-shm", "-wal", ".lock"].iter().all(|ending| !name.ends_with(ending))
        });
        files
    };
    let mut flipped = sound.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut garbled = sound.clone();
    garbled[16_384..].fill(0x5A);
    for (what, bytes, with_record) in [
        ("one byte", flipped, true),
        ("garbled", garbled, false),
        ("cut", sound[..sound.len() / 2].to_vec(), false),
        ("no database", b"nothing of the kind".repeat(99), false),
    ] {
        fs::write(workspace.path(BACKUP), bytes).unwrap();
        if !with_record {
            let _ = fs::remove_file(workspace.path(&format!("{BACKUP}.json")));
        }
        let before = everything();
        let refused = workspace.run(&["restore", BACKUP]);
        assert_eq!(refused.code, 5, "{what}: {}", refused.stderr);
        refused.says(&["leadmill-2026-11-20T190000Z.db", "hint:"]);
        assert!(everything() == before, "{what}: something changed");
    }
    workspace.run(&["restore", "backups/none.db"]).expect_code(2).says(&["is no file", "--list"]);
    fs::write(workspace.path(BACKUP), &sound).unwrap();
    workspace.ok(&["restore", BACKUP]).says(&["there was no record beside the backup"]);
}

#[test]
fn a_damaged_store_yields_no_backup() {
    let workspace = backed_up();
    let path = workspace.path("leadmill.db");
    let mut bytes = fs::read(&path).unwrap();
    let name = b"Wzorcowa";
    let at = bytes.windows(name.len()).position(|at| at == name).unwrap();
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    let before = files_below(&workspace.path("backups"));
    let refused = workspace.run(&["backup", "--keep", "1", "--as-of", "2026-11-22T00:00:00Z"]);
    refused.expect_code(5).says(&["is damaged", "hint: `leadmill restore "]);
    assert_eq!(files_below(&workspace.path("backups")), before);

    // What only SQLite finds was in the store as well, not in the copy alone.
    let workspace = backed_up();
    workspace.edit("PRAGMA foreign_keys = OFF; DELETE FROM input WHERE name LIKE '%b.csv'");
    let refused = workspace.run(&["backup", "other.db"]).expect_code(5);
    assert!(!refused.stderr.contains(".part"), "{}", refused.stderr);
    refused.says(&["leadmill.db is damaged: ", "`submission`", "hint: `leadmill restore "]);
}

#[test]
fn a_backup_of_a_store_without_checksums_says_so() {
    let workspace = backed_up();
    assert_eq!(workspace.ok(&["backup", "one.db"]).stderr, "");
    fs::remove_file(workspace.path("leadmill.db.sums")).unwrap();
    workspace.ok(&["backup", "two.db"]).says(&["warning: the store has no checksums"]);
}

#[test]
fn whoever_was_erased_after_the_backup_does_not_come_back_with_it() {
    let workspace = Workspace::new();
    workspace.table("a.csv", &[ANNA, JAN]);
    workspace.ok(&["run"]);
    workspace.ok(&["backup"]);
    workspace.done(&["subject", "forget", "jan@nowy.example", "--because", "asked"]);
    let key = fs::read(workspace.path("leadmill.key")).unwrap();
    fs::remove_file(workspace.path("leadmill.key")).unwrap();
    // Without the key nobody can tell whom: then the store stays shut, until it is there again.
    workspace.run(&["restore", BACKUP]).expect_code(5).says(&["leadmill.key", "is missing"]);
    for args in [&["leads"][..], &["run"], &["deliver"]] {
        workspace
            .run(args)
            .expect_code(5)
            .says(&["about to be restored", "hint: `leadmill restore "]);
    }
    workspace.run(&["doctor"]).expect_code(5);
    // Also where it was killed just after the old store had been moved away.
    let (store, moved) = (workspace.path("leadmill.db"), workspace.path("moved.db"));
    fs::rename(&store, &moved).unwrap();
    for args in [
        &["leads"][..],
        &["run"],
        &["run", "--dry-run"],
        &["tick"],
        &["deliver"],
        &["dead-letter", "list"],
    ] {
        workspace.run(args).expect_code(5).says(&["about to be restored"]);
    }
    workspace.run(&["doctor"]).expect_code(5);
    fs::rename(moved, store).unwrap();
    fs::write(workspace.path("leadmill.key"), key).unwrap();
    let told = workspace.ok(&["restore", BACKUP]);
    assert!(told.flat().contains("erased once more: 1 lead"), "{}", told.stdout);
    assert_eq!(workspace.sql("SELECT email FROM leads"), [["anna@przyklad.pl"]]);
    let bytes = fs::read(workspace.path("leadmill.db")).unwrap();
    assert!(!bytes.windows(8).any(|at| at == b"jan@nowy"));
    workspace.done(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
    let deep = workspace.run(&["doctor", "--deep"]);
    assert!([0, 3].contains(&deep.code), "{}", deep.stdout);
}

#[test]
fn without_the_log_of_erasures_nobody_comes_back_unnoticed() {
    let log = "leadmill.erasures.log";
    let workspace = Workspace::new();
    workspace.table("a.csv", &[ANNA, JAN]);
    workspace.ok(&["run"]);
    workspace.ok(&["backup"]);
    workspace.done(&["subject", "forget", "jan@nowy.example", "--because", "asked"]);
    let text = fs::read(workspace.path(log)).unwrap();
    fs::remove_file(workspace.path(log)).unwrap();
    let told = workspace.run(&["doctor", "--json"]).expect_code(3);
    assert!(told.stdout.contains("people were erased, but their log"), "{}", told.stdout);
    // The old store says that there were erasures; done again, it lies aside and is not asked any more.
    for _ in 0..2 {
        workspace.run(&["restore", BACKUP]).expect_code(5).says(&[log, "is missing", "hint: "]);
        workspace.run(&["leads"]).expect_code(5).says(&["about to be restored"]);
    }
    workspace.file(log, &text);
    workspace.done(&["restore", BACKUP]);
    assert_eq!(workspace.sql("SELECT email FROM leads"), [["anna@przyklad.pl"]]);

    // It is lost for good: somebody has to say so.
    fs::write(workspace.path(log), "").unwrap();
    workspace.done(&["restore", BACKUP]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);

    // On another machine there is no old store to be asked.
    let other = Workspace::new();
    other.file("a.db", fs::read(workspace.path(BACKUP)).unwrap());
    let told = other.run(&["restore", "a.db", "--json"]).expect_code(3);
    assert_eq!(told.json()["may_have_erased"], true);
    told.says(&["there is no log of erasures", "hint: "]);
    let told = other.run(&["restore", "a.db", "--json"]).expect_code(0);
    assert_eq!(told.json()["may_have_erased"], false);
}

#[test]
fn copies_that_an_erasure_does_not_reach_are_named() {
    let workspace = backed_up();
    workspace.ok(&["restore", BACKUP]);
    workspace.ok(&["run"]);
    let copies = [BACKUP, "leadmill.db.before-2026-11-20T190000Z", "out/before-2026-11-20T190000Z"];
    let told = workspace.done(&["subject", "forget", "jan@nowy.example", "--because", "asked"]);
    assert_fits_a_terminal(&told.stdout);
    let verified = workspace.ok(&["subject", "forget", "jan@nowy.example", "--verify"]);
    assert_fits_a_terminal(&verified.stdout);
    for copy in copies {
        assert!(told.stdout.contains(copy), "{copy}: {}", told.stdout);
        assert!(verified.stdout.contains(copy), "{copy}: {}", verified.stdout);
    }
    let json = workspace.ok(&["subject", "forget", "jan@nowy.example", "--verify", "--json"]);
    assert_eq!(json.json()["copies"].as_array().unwrap().len(), copies.len());
}

#[test]
fn what_waited_to_be_sent_is_held_until_somebody_looked() {
    let workspace = Workspace::new();
    workspace.table("a.csv", &[ANNA, JAN]);
    let receiver = Receiver::start(|_| answer(204));
    workspace.hook(&receiver.url("hook"));
    workspace.ok(&["run"]);
    workspace.ok(&["backup"]);
    workspace.ok(&["deliver"]);
    let sent = receiver.seen().len();
    assert_eq!(sent, 2);

    let told = workspace.run(&["restore", BACKUP]).expect_code(3);
    assert!(
        told.flat().contains("2 deliveries are held, for they may have been sent since"),
        "{}",
        told.stdout
    );
    let states = "SELECT DISTINCT state, code FROM outbox_items";
    assert_eq!(workspace.sql(states), [["held", "restored"]]);
    workspace.run(&["deliver"]).expect_code(3);
    assert_eq!(receiver.seen().len(), sent, "something was sent twice");
    let listed = workspace.run(&["dead-letter", "list"]);
    assert!(listed.flat().contains("may have been sent since"), "{}", listed.stdout);

    // One rests, for it was sent; the other is sent all the same.
    let letters = workspace.sql("SELECT dead_letter_no FROM dead_letters ORDER BY 1");
    workspace.done(&["dead-letter", "drop", &letters[0][0], "--because", "it has arrived"]);
    workspace.done(&["dead-letter", "redrive", "--code", "restored"]);
    workspace.run(&["deliver"]);
    assert_eq!(receiver.seen().len(), sent + 1);
}

/// Rows for some seconds of a run, in batches that others see.
fn many_rows(workspace: &Workspace) {
    for file in 0..6 {
        let rows: Vec<String> = (0..250)
            .map(|number| {
                let person = (number * 7 + file * 31) % 900;
                format!(
                    "{file}-{number},2026-11-{:02}T09:00:00Z,Osoba Numer{person},p{person}@example.com,\
                     +486000{:05},Firma {},PL,Prosze o wycene {number},yes",
                    10 + number % 9,
                    10_000 + person,
                    person % 20,
                )
            })
            .collect();
        workspace
            .table(&format!("{file}.csv"), &rows.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn a_backup_made_during_a_run_ends_where_the_undisturbed_run_ends() {
    let undisturbed = Workspace::new();
    many_rows(&undisturbed);
    undisturbed.ok(&["run", "--quiet"]);

    let workspace = Workspace::new();
    many_rows(&workspace);
    let mut run = workspace.command(&["run", "--quiet"]).spawn().unwrap();
    let mut made = Vec::new();
    let began = Instant::now();
    while run.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_mins(5) {
        if !workspace.path("leadmill.db.sums").exists() {
            std::thread::yield_now();
            continue;
        }
        let name = format!("b/{}.db", made.len());
        let outcome = workspace.run(&["backup", &name]);
        // Before the first transaction there is no store of ours yet.
        assert!(outcome.code == 0 || made.is_empty(), "{}", outcome.stderr);
        if outcome.code == 0 {
            made.push(name);
        }
    }
    assert!(run.wait().unwrap().success(), "the run was disturbed");
    assert_same_text("the store", &workspace.dump(), &undisturbed.dump());
    workspace.ok(&["doctor", "--deep"]);
    let states: Vec<String> = made
        .iter()
        .map(|name| {
            let backup = rusqlite::Connection::open(workspace.path(name)).unwrap();
            backup.query_row("SELECT group_concat(state) FROM run", [], |row| {
                row.get::<_, Option<String>>(0)
            })
        })
        .map(|state| state.unwrap().unwrap_or_default())
        .collect();
    assert!(
        states.iter().any(|state| state == "ingesting"),
        "no backup fell into the run: {states:?}"
    );

    for index in [0, made.len() / 2] {
        workspace.ok(&["restore", &made[index]]);
        workspace.ok(&["run", "--quiet"]);
        assert_same_text("the store", &workspace.dump(), &undisturbed.dump());
        assert_same_files(&workspace.published(), &undisturbed.published());
        fs::remove_file(aside(&workspace).unwrap()).unwrap();
        // The run's folder steps aside unless the backup knows that the run came to be decided.
        let runs_aside = workspace.path("out/before-2026-11-20T190000Z");
        let is_out = ["decided", "published"].contains(&states[index].as_str());
        assert_eq!(runs_aside.exists(), !is_out, "{states:?}");
        if !is_out {
            fs::remove_dir_all(runs_aside).unwrap();
        }
    }
    workspace.ok(&["doctor", "--deep"]);
}

#[test]
fn a_wal_of_the_old_store_is_never_taken_for_one_of_the_new() {
    let workspace = backed_up();
    let then = dump_of(&workspace.path(BACKUP));
    // What a process leaves that dies between commit and checkpoint: a WAL with the newest pages.
    let store = rusqlite::Connection::open(workspace.path("leadmill.db")).unwrap();
    store.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    store.execute_batch("UPDATE lead SET name = 'from the WAL'").unwrap();
    for name in ["leadmill.db", "leadmill.db-wal"] {
        fs::copy(workspace.path(name), workspace.path(&format!("{name}.kept"))).unwrap();
    }
    drop(store);
    for name in ["leadmill.db", "leadmill.db-wal"] {
        fs::rename(workspace.path(&format!("{name}.kept")), workspace.path(name)).unwrap();
    }
    // The same of the journal that a program leaves which knows of no WAL.
    workspace.file("leadmill.db-journal", "");
    workspace.ok(&["restore", BACKUP]);
    assert_same_text("the store", &workspace.dump(), &then);
    assert!(!workspace.path("leadmill.db-journal").exists());
    let old = aside(&workspace).unwrap();
    assert!(dump_of(&old).contains("from the WAL"));

    // It is no backup: what stands in its WAL would be lost. A backup of it is one.
    let old = old.file_name().unwrap().to_str().unwrap();
    let before = workspace.dump();
    let refused = workspace.run(&["restore", old]).expect_code(5);
    refused.says(&["is no backup but a store", "-wal", "nothing was changed", " backup FILE.db`"]);
    assert_same_text("the store", &workspace.dump(), &before);
    workspace.ok(&["--store", old, "backup", "made.db"]);
    workspace.ok(&["restore", "made.db"]);
    assert!(workspace.dump().contains("from the WAL"));
}

#[test]
fn a_restore_that_is_killed_is_done_again_and_ends_the_same() {
    let kills = std::env::var("LEADMILL_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let prepare = || {
        let workspace = Workspace::new();
        workspace.table("a.csv", &[ANNA, JAN]);
        workspace.ok(&["run"]);
        workspace.ok(&["backup"]);
        workspace.done(&["subject", "forget", "jan@nowy.example", "--because", "asked"]);
        workspace
    };
    // Each workspace has a key of its own for those who were erased.
    let dump = |one: &Workspace| {
        let tables = "SELECT name FROM sqlite_schema
                      WHERE type = 'table' AND name NOT IN ('erasure', 'suppression') ORDER BY name";
        one.dump_of(&one.sql(tables).concat())
    };
    let undisturbed = prepare();
    let began = Instant::now();
    undisturbed.ok(&["restore", BACKUP]);
    let whole = began.elapsed();
    let (mut hit, mut shut) = (0, 0);
    for kill in 0..kills {
        let workspace = prepare();
        let old = dump(&workspace);
        let mut child = workspace.command(&["restore", BACKUP, "--quiet"]).spawn().unwrap();
        std::thread::sleep(whole.mul_f64(0.3 + 0.7 * f64::from(kill) / f64::from(kills)));
        child.kill().unwrap();
        hit += u32::from(!child.wait().unwrap().success());
        if workspace.path("leadmill.db.restore").exists() {
            shut += 1;
            workspace.run(&["run"]).expect_code(5).says(&["about to be restored"]);
            workspace.run(&["tick"]).expect_code(5);
        } else if aside(&workspace).is_none() {
            assert_same_text("the store", &dump(&workspace), &old);
        }
        workspace.ok(&["restore", BACKUP, "--quiet"]);
        assert_same_text("the store", &dump(&workspace), &dump(&undisturbed));
        let of_runs = |one: &Workspace| {
            let mut files = one.published();
            // Other hashes of the same: the second restore finds the run of the first.
            files.retain(|name, _| name.starts_with("2026-11-20-0001/"));
            files
        };
        assert_same_files(&of_runs(&workspace), &of_runs(&undisturbed));
        assert!(!workspace.path("leadmill.db.restoring").exists());
        let deep = workspace.run(&["doctor", "--deep"]);
        assert!([0, 3].contains(&deep.code), "kill {kill}: {}", deep.stdout);
    }
    assert!(hit > 0 && shut > 0, "{hit} killed, {shut} in the midst: the test is blind");
}

#[test]
fn nobody_restores_under_a_command_that_writes() {
    let workspace = backed_up();
    for lock in ["leadmill.db.lock", "leadmill.db.deliver.lock"] {
        let file = fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(workspace.path(lock))
            .unwrap();
        file.lock().unwrap();
        workspace.run(&["restore", BACKUP]).expect_code(4);
        assert!(aside(&workspace).is_none());
    }
}
