//! `leadmill doctor`: a sound workspace is well, and whatever is not is found and told with the way out.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::far_end::{Deed, Receiver, answer};
use super::workspace::{Outcome, Random, Workspace, assert_fits_a_terminal, files_below};

/// How many bytes are changed unless `LEADMILL_FLIPS` says otherwise.
const FLIPS: usize = 300;

/// Returns how the check called `name` ended, and what it found.
#[track_caller]
fn found(outcome: &Outcome, name: &str) -> (String, String) {
    let json = outcome.json();
    let checks = json["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["check"] == name);
    let check = check.unwrap_or_else(|| panic!("no check {name}: {json}"));
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    if text("verdict") != "ok" {
        assert!(!text("hint").is_empty(), "{name} says no way out: {json}");
    }
    (text("verdict"), text("found"))
}

/// Fails unless the check called `name` ended as `verdict` and says every one of `words`.
#[track_caller]
fn check(outcome: &Outcome, name: &str, verdict: &str, words: &[&str]) {
    let (ended, text) = found(outcome, name);
    assert_eq!(ended, verdict, "{name}: {text}");
    for word in words {
        assert!(text.contains(word), "{name} does not say {word:?}: {text}");
    }
}

fn doctor(workspace: &Workspace, args: &[&str]) -> Outcome {
    workspace.run(&[&["doctor", "--json"], args].concat())
}

const ANNA: &str =
    "1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Prosze,yes";

/// One lead with a consent, published.
fn small() -> Workspace {
    let workspace = Workspace::new();
    workspace.table("a.csv", &[ANNA]);
    workspace.ok(&["run"]);
    workspace
}

fn flip(path: &Path, offset: usize, mask: u8) {
    let mut bytes = fs::read(path).unwrap();
    bytes[offset] ^= mask;
    fs::write(path, bytes).unwrap();
}

/// Returns where a text stands in the store's file, as often as it does.
#[track_caller]
fn places(workspace: &Workspace, text: &str) -> Vec<usize> {
    let bytes = fs::read(workspace.path("leadmill.db")).unwrap();
    let places: Vec<usize> = bytes
        .windows(text.len())
        .enumerate()
        .filter(|(_, at)| *at == text.as_bytes())
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty(), "{text} is nowhere in the store");
    places
}

/// Fails unless the next night is taken in, and all is well then.
#[track_caller]
fn assert_goes_on(workspace: &Workspace) {
    workspace.table("b.csv", &["2,2026-11-18T09:00:00Z,Jan Nowy,jan@example.com,600000102,,PL,,"]);
    workspace.ok(&["run"]);
    workspace.ok(&["doctor", "--deep"]);
}

#[test]
fn a_sound_workspace_is_well_and_left_as_it_is() {
    let workspace = Workspace::fixtures_run();
    let files = || {
        let mut files = files_below(&workspace.path(""));
        // Readers of a WAL database need these two; nothing stands in them.
        files.retain(|name, _| !name.ends_with("-shm") && !name.ends_with("-wal"));
        files
    };
    let before = files();
    for args in [&["doctor"][..], &["doctor", "--deep"]] {
        let told = workspace.ok(args);
        assert_fits_a_terminal(&told.stdout);
        assert!(told.stdout.lines().count() > 10, "{}", told.stdout);
        assert_eq!(workspace.ok(&[args, &["--quiet"]].concat()).stdout, "");
    }
    let deep = doctor(workspace, &["--deep"]);
    assert_eq!(deep.json()["verdict"], "ok");
    check(&deep, "pages", "ok", &["as they were written"]);
    check(&deep, "structure", "ok", &[]);
    check(&deep, "size", "ok", &["submission"]);
    check(&deep, "files", "ok", &["manifests"]);
    assert_eq!(files(), before, "doctor changed something");
}

#[test]
fn what_happens_to_a_workspace_is_no_damage() {
    let workspace = Workspace::with_fixtures();
    workspace.ok(&["run"]);
    let latest = "SELECT id FROM run ORDER BY run_no DESC LIMIT 1";
    workspace.clear_inbox();
    workspace.table(
        "b.csv",
        &[
            "8,2026-11-18T09:00:00Z,Ewa Nowa,ewa@nowa.example,600000777,Nowa,PL,Prosze,yes",
            "9,2026-11-18T09:00:00Z,Jan Wzorcowy,jan@nowy.example,600000778,Nowy,PL,Prosze,yes",
            "11,2026-11-18T09:00:00Z,Ola Inna,ola@inna.example,600000779,Inna,PL,Prosze,yes",
            "10,2026-11-18T09:00:00Z,Jan Zly,zly@,,,PL,,",
        ],
    );
    workspace.done(&["run"]);
    let second = workspace.sql(latest)[0][0].clone();
    workspace.done(&["merge", "ewa@nowa.example", "ola@inna.example", "--because", "a test"]);
    workspace.done(&["subject", "forget", "jan@nowy.example", "--because", "asked"]);
    workspace.table(
        "c.csv",
        &["9,2026-11-18T09:00:00Z,Jan Wzorcowy,jan@nowy.example,600000778,Nowy,PL,Prosze,yes"],
    );
    workspace.done(&["run"]);
    workspace.done(&["consent", "withdraw", "ewa@nowa.example", "--because", "a test"]);
    workspace.done(&["rescore"]);
    let third = workspace.sql(latest)[0][0].clone();
    workspace.done(&["undo", &third]);
    workspace.run(&["undo", &second]);
    let deep = doctor(&workspace, &["--deep"]);
    let failed: Vec<_> = deep.json()["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["verdict"] == "failure")
        .cloned()
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    for name in ["references", "accounts", "ledger", "files", "erasures", "permissions"] {
        check(&deep, name, "ok", &[]);
    }
}

#[test]
fn every_byte_that_changes_on_the_disk_is_found() {
    let flips = std::env::var("LEADMILL_FLIPS").map_or(FLIPS, |text| text.parse().unwrap());
    let workspace = Workspace::with_fixtures();
    workspace.ok(&["run"]);
    let path = workspace.path("leadmill.db");
    let sound = fs::read(&path).unwrap();
    let live = live_bytes(&workspace, "main");
    let ledger: Vec<usize> = ["consent_record", "consent_payload", "wording"]
        .iter()
        .flat_map(|table| live_bytes(&workspace, table))
        .collect();
    assert!(
        live.len() > sound.len() / 4 && ledger.len() > 20_000,
        "{} {}",
        live.len(),
        ledger.len()
    );
    let mut random = Random::new();
    let mut by_sqlite = 0;
    for number in 0..flips {
        let seed = random.next();
        let among = if number % 2 == 0 { &live } else { &ledger };
        let offset = among[(seed >> 8) as usize % among.len()];
        flip(&path, offset, 1 << (seed % 8));
        let pages = leadmill::store::pages::look::pages(&path).unwrap();
        assert_eq!(pages.damaged.len(), 1, "byte {offset}");
        let said = workspace
            .store()
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
        by_sqlite += u32::from(!said.is_ok_and(|said| said == "ok"));
        // All the way through the command, for some of them: an odd step takes turns with both kinds.
        if number % ((flips / 20) | 1) == 0 {
            let deep = doctor(&workspace, &["--deep"]).expect_code(5);
            check(&deep, "pages", "failure", &["is not as it was written"]);
        }
        fs::write(&path, &sound).unwrap();
    }
    assert!(!leadmill::store::pages::look::pages(&path).unwrap().is_damaged());
    eprintln!("{flips} of {flips} changed bytes found; SQLite's own check finds {by_sqlite}");
}

/// Returns the offsets of the bytes of live cells, and of what flows over from them: of a table's pages, or with `main`
/// of all.
fn live_bytes(workspace: &Workspace, table: &str) -> Vec<usize> {
    let bytes = fs::read(workspace.path("leadmill.db")).unwrap();
    let page_bytes = 16_384;
    let of = if table == "main" { String::new() } else { format!("AND d.name = '{table}'") };
    let pages = workspace.sql(&format!(
        "SELECT d.pageno, d.pagetype, d.unused FROM dbstat AS d WHERE TRUE {of} ORDER BY 1"
    ));
    let mut offsets = Vec::new();
    for page in pages {
        let start = (page[0].parse::<usize>().unwrap() - 1) * page_bytes;
        let pointers = match &*page[1] {
            "leaf" => 8,
            "internal" => 12,
            _ => {
                offsets.extend(start..start + page_bytes - page[2].parse::<usize>().unwrap());
                continue;
            }
        };
        let head = start + if start == 0 { 100 } else { 0 };
        let two = |at: usize| usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1]);
        let cells = (0..two(head + 3)).map(|cell| two(head + pointers + 2 * cell));
        // From the first cell to the end of the page there are cells, but for a few gaps, which are covered as well.
        let first = cells.min().unwrap_or(page_bytes);
        offsets.extend(start + first..start + page_bytes);
    }
    offsets
}

#[test]
fn a_damaged_page_is_never_taken_over_by_the_next_run() {
    let workspace = small();
    workspace.ok(&["backup"]);
    let place = places(&workspace, "Wzorcowa")[0];
    flip(&workspace.path("leadmill.db"), place, 0x01);
    let damaged = fs::read(workspace.path("leadmill.db")).unwrap();
    workspace.table("b.csv", &["2,2026-11-18T09:00:00Z,Jan Nowy,jan@example.com,600000102,,PL,,"]);
    for _ in 0..2 {
        let refused = workspace.run(&["run"]).expect_code(5);
        refused.says(&[
            "is damaged",
            "is not as it was written",
            "hint: `leadmill restore ",
            "backups/leadmill-",
        ]);
        assert_eq!(fs::read(workspace.path("leadmill.db")).unwrap(), damaged, "it was written to");
    }
    assert_eq!(workspace.run_json()["run"], "2026-11-20-0001", "something was put out");
    let deep = doctor(&workspace, &["--deep"]).expect_code(5);
    check(&deep, "pages", "failure", &["is not as it was written"]);
    workspace.ok(&["restore", "backups/leadmill-2026-11-20T190000Z.db"]);
    workspace.ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);
    workspace.ok(&["doctor", "--deep"]);
}

#[test]
fn every_command_refuses_a_damaged_store_and_names_the_way_back() {
    let workspace = small();
    workspace.ok(&["backup"]);
    let path = workspace.path("leadmill.db");
    let sound = fs::read(&path).unwrap();
    let mut no_database = sound.clone();
    no_database[..16].fill(0);
    let cut = sound[..sound.len() / 2].to_vec();
    let mut no_pages = sound.clone();
    no_pages[16_384..].fill(0x5A);
    let commands: [&[&str]; 10] = [
        &["run"],
        &["leads"],
        &["tasks"],
        &["tick"],
        &["deliver"],
        &["explain", "anna@przyklad.pl"],
        &["report", "html"],
        &["consent", "verify"],
        &["rebuild"],
        &["backup", "other.db"],
    ];
    for (what, bytes) in [("no database", no_database), ("cut", cut), ("no pages", no_pages)] {
        fs::write(&path, &bytes).unwrap();
        for args in commands {
            let refused = workspace.run(args);
            assert_eq!(refused.code, 5, "{what}: {args:?}: {}{}", refused.stdout, refused.stderr);
            refused.says(&["hint: ", "leadmill restore ", "leadmill-2026-11-20T190000Z.db"]);
            assert!(fs::read(&path).unwrap() == bytes, "{what}: {args:?} wrote to the store");
        }
        let deep = doctor(&workspace, &["--deep"]).expect_code(5);
        check(&deep, "pages", "failure", &[]);
    }
    // Nobody can say whether it had erased anybody.
    let told = workspace.run(&["restore", "backups/leadmill-2026-11-20T190000Z.db"]);
    told.expect_code(3).says(&["there is no log of erasures", "nor an old store to be asked"]);
    workspace.ok(&["leads"]);
}

#[test]
fn a_writer_that_was_killed_raises_no_alarm() {
    let undisturbed = Workspace::with_fixtures();
    let began = std::time::Instant::now();
    undisturbed.ok(&["run", "--quiet"]);
    let whole = began.elapsed();
    let kills = std::env::var("LEADMILL_KILLS").map_or(6, |text| text.parse().unwrap());
    let mut died = 0;
    for kill in 0..kills {
        let disturbed = Workspace::with_fixtures();
        let mut child = disturbed.command(&["run", "--quiet"]).spawn().unwrap();
        std::thread::sleep(whole.mul_f64(0.2 + 0.8 * f64::from(kill) / f64::from(kills)));
        child.kill().unwrap();
        child.wait().unwrap();
        if !disturbed.path("leadmill.db.sums").exists() {
            continue;
        }
        if kill % 2 == 1 {
            // A shell writes the WAL back, and knows of no checksums.
            let shell = Connection::open(disturbed.path("leadmill.db")).unwrap();
            let _ = shell.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
        }
        if disturbed.sql("SELECT name FROM sqlite_schema WHERE name = 'run'").is_empty() {
            continue;
        }
        let deep = doctor(&disturbed, &["--deep"]);
        assert!([0, 3].contains(&deep.code), "kill {kill}: {}", deep.stdout);
        died += u32::from(found(&deep, "writers").0 == "warning");
        disturbed.ok(&["run", "--quiet"]);
        let deep = doctor(&disturbed, &["--deep"]);
        check(&deep, "pages", "ok", &[]);
        check(&deep, "writers", "ok", &[]);
        // When the first run had ended before it was killed, the second is a run of its own.
        if disturbed.number("SELECT count(*) FROM run") == 1 {
            assert!(disturbed.dump() == undisturbed.dump(), "kill {kill}: another store");
        }
    }
    assert!(died > 0, "nobody was killed while they wrote: the test is blind");
}

/// Does as a shell does that writes back what a writer had committed who had the lock that ends in `ending` and died.
fn leave_and_merge(workspace: &Workspace, ending: &str, sql: &str) {
    let path = workspace.path("leadmill.db");
    let lock = fs::File::create(workspace.path(&format!("leadmill.db{ending}"))).unwrap();
    write!(&lock, "999999999").unwrap();
    let before = fs::metadata(&path).unwrap().modified().unwrap() - Duration::from_mins(1);
    lock.set_modified(before).unwrap();
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    assert!(leadmill::store::pages::look::pages(&path).unwrap().is_damaged());
}

#[test]
fn what_a_run_left_is_looked_after_by_deliver() {
    let receiver = Receiver::start(|_| answer(204));
    let workspace = Workspace::new();
    workspace.hook(&receiver.url("hook"));
    workspace.table("a.csv", &[ANNA]);
    workspace.ok(&["run"]);
    leave_and_merge(&workspace, ".lock", "UPDATE outbox SET queued_ms = queued_ms - 1");
    let told = doctor(&workspace, &["--deep"]).expect_code(3);
    check(&told, "pages", "warning", &["not as last noted"]);
    check(&told, "writers", "warning", &["process 999999999 (a run or another command) died, or"]);
    workspace.ok(&["deliver"]);
    assert_eq!(receiver.seen().len(), 1);
    workspace.ok(&["doctor", "--deep"]);
}

#[test]
fn what_a_killed_deliver_left_is_looked_after_by_the_next_run() {
    let receiver = Receiver::start(|_| Deed::Silence);
    let workspace = Workspace::new();
    workspace.hook(&receiver.url("hook"));
    workspace.table("a.csv", &[ANNA]);
    workspace.ok(&["run"]);
    let mut deliver = workspace.command(&["deliver", "--quiet"]).spawn().unwrap();
    while receiver.seen().is_empty() {
        assert!(deliver.try_wait().unwrap().is_none(), "it ended without sending anything");
        std::thread::yield_now();
    }
    deliver.kill().unwrap();
    deliver.wait().unwrap();
    let shell = Connection::open(workspace.path("leadmill.db")).unwrap();
    shell.query_row("SELECT count(*) FROM outbox", [], |_| Ok(())).unwrap();
    drop(shell);
    let path = workspace.path("leadmill.db");
    assert!(leadmill::store::pages::look::pages(&path).unwrap().is_damaged(), "nothing was left");
    workspace.table("b.csv", &["2,2026-11-18T09:00:00Z,Jan Nowy,jan@example.com,600000102,,PL,,"]);
    workspace.done(&["run"]);
    let deep = doctor(&workspace, &["--deep"]);
    check(&deep, "pages", "ok", &[]);
    check(&deep, "writers", "ok", &["nobody"]);
}

#[test]
fn whoever_fails_before_they_look_leaves_the_sign_to_the_next() {
    let workspace = small();
    leave_and_merge(&workspace, ".lock", "UPDATE lead SET name = name || '!'");
    let mark = r#"{"sha256": "", "backup": "x.db", "stamp": "", "had_erased": null}"#;
    workspace.file("leadmill.db.restore", mark);
    workspace.run(&["run"]).expect_code(5).says(&["about to be restored"]);
    fs::remove_file(workspace.path("leadmill.db.restore")).unwrap();
    assert_goes_on(&workspace);
}

#[test]
fn what_cannot_be_looked_at_is_said_beside_the_rest() {
    let workspace = small();
    // A folder or a file where the other should be is as good as a disk that cannot be read.
    fs::remove_file(workspace.path("leadmill.db.sums")).unwrap();
    fs::create_dir(workspace.path("leadmill.db.sums")).unwrap();
    fs::rename(workspace.path("out/runs"), workspace.path("out/moved")).unwrap();
    workspace.file("out/runs", "").file("backups", "");
    for args in [&[][..], &["--deep"]] {
        let told = doctor(&workspace, args).expect_code(3);
        for name in ["pages", "files", "backups"] {
            check(&told, name, "warning", &["cannot be looked at: cannot read "]);
        }
        for name in ["store", "references", "ledger", "space"] {
            check(&told, name, "ok", &[]);
        }
    }
}

#[test]
fn rows_without_those_that_they_refer_to_are_told() {
    let workspace = small();
    let path = workspace.path("leadmill.db");
    let sound = fs::read(&path).unwrap();
    for (sql, name, words) in [
        (
            "DELETE FROM membership",
            "references",
            &["1 row of `submission` without theirs in `membership`"][..],
        ),
        ("UPDATE lead SET founder_no = 9", "references", &["`lead`", "`submission`"]),
        ("DELETE FROM input", "references", &["`submission`", "`input`"]),
        ("DELETE FROM lead_alias", "references", &["`lead_alias`"]),
        (
            "UPDATE input SET rows_read = 5",
            "accounts",
            &["a.csv", "5 rows were read, 1 have an outcome"],
        ),
        (
            "UPDATE lead_total SET leads = leads + 1",
            "accounts",
            &["totals are not what the leads add up to"],
        ),
        // What no query of ours expects stands in the file, so it is no fault of the disk.
        ("ALTER TABLE quarantine RENAME TO other", "quarantine", &["no such table"]),
        (
            "UPDATE wording SET text = text || ' '",
            "ledger",
            &["is a wording that is not what its hash says"],
        ),
    ] {
        let triggers = "DROP TRIGGER IF EXISTS wording_is_not_edited;";
        workspace.edit(&format!("PRAGMA foreign_keys = OFF; {triggers} {sql}"));
        check(&doctor(&workspace, &[]).expect_code(5), name, "failure", words);
        fs::write(&path, &sound).unwrap();
    }
    workspace.ok(&["rebuild", "--check"]);
    workspace.ok(&["doctor"]);
}

#[test]
fn a_ledger_whose_end_was_cut_off_is_not_the_one_that_manifests_know() {
    let workspace = small();
    workspace.edit(
        "DROP TRIGGER consent_is_not_deleted; DROP TRIGGER consent_payload_is_not_deleted;
        DELETE FROM consent_payload WHERE seq = (SELECT max(seq) FROM consent_record);
        DELETE FROM consent_record WHERE seq = (SELECT max(seq) FROM consent_record);",
    );
    let told = doctor(&workspace, &[]).expect_code(5);
    check(&told, "ledger", "ok", &[]);
    check(
        &told,
        "files",
        "failure",
        &["the consent ledger is not the one that 2026-11-20-0001 knows"],
    );
}

#[test]
fn files_that_are_not_as_they_were_put_out_are_told() {
    let workspace = small();
    let file = workspace.path("out/runs/2026-11-20-0001/tasks.csv");
    flip(&file, 3, 1);
    let told = doctor(&workspace, &[]).expect_code(3);
    check(&told, "files", "warning", &["tasks.csv is not what was written"]);
    assert!(told.stdout.contains("`leadmill run --full` puts everything out"), "{}", told.stdout);
    // Of a run before nothing is put out anew.
    workspace.ok(&["run"]);
    let told = doctor(&workspace, &["--deep"]).expect_code(3);
    check(&told, "files", "warning", &["tasks.csv is not what was written"]);
    assert!(told.stdout.contains("put the file back"), "{}", told.stdout);
    assert!(!told.stdout.contains("--full"), "{}", told.stdout);
    flip(&file, 3, 1);
    fs::create_dir(workspace.path("out/runs/2026-11-21-0009")).unwrap();
    let told = doctor(&workspace, &[]).expect_code(3);
    check(&told, "files", "warning", &["2026-11-21-0009 is of no run that the store knows"]);
    fs::remove_dir(workspace.path("out/runs/2026-11-21-0009")).unwrap();
    fs::remove_file(workspace.path("out/latest")).unwrap();
    check(&doctor(&workspace, &[]).expect_code(3), "files", "warning", &["latest is missing"]);
}

#[cfg(unix)]
#[test]
fn whoever_else_may_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = small();
    workspace.ok(&["backup"]);
    workspace.ok(&["doctor"]);
    for name in ["leadmill.db", "leadmill.db.sums", "backups", "out/runs/2026-11-20-0001/tasks.csv"]
    {
        let path = workspace.path(name);
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(before.mode() | 0o040)).unwrap();
        let told = doctor(&workspace, &[]).expect_code(3);
        check(&told, "permissions", "warning", &[name]);
        fs::set_permissions(&path, before).unwrap();
    }
}

#[test]
fn checksums_that_are_gone_or_damaged_are_told_and_made_anew() {
    let workspace = small();
    let sums = workspace.path("leadmill.db.sums");
    fs::remove_file(&sums).unwrap();
    check(&doctor(&workspace, &[]).expect_code(3), "pages", "warning", &["is not there"]);
    workspace.ok(&["run"]);
    workspace.ok(&["doctor", "--deep"]);
    flip(&sums, 40, 4);
    for args in [&[][..], &["--deep"]] {
        check(&doctor(&workspace, args).expect_code(3), "pages", "warning", &["is damaged"]);
    }
    assert_goes_on(&workspace);
}

#[test]
fn what_is_stuck_or_was_killed_is_told() {
    let workspace = small();
    workspace.edit("UPDATE run SET state = 'decided'");
    let told = doctor(&workspace, &[]).expect_code(3);
    check(&told, "runs", "warning", &["has decided, and is not marked as published"]);
}

#[test]
fn deliveries_that_nobody_sends_are_told_after_a_day() {
    let receiver = Receiver::start(|_| answer(503));
    let workspace = Workspace::new();
    workspace.hook(&receiver.url("hook"));
    workspace.table("a.csv", &[ANNA]);
    workspace.ok(&["run"]);
    for (at, sends) in [("2026-11-21T18:00:00Z", false), ("2026-11-21T18:30:00Z", true)] {
        if sends {
            workspace.done(&["deliver", "--as-of", at]);
        }
        let told = doctor(&workspace, &["--as-of", at]).expect_code(0);
        check(&told, "deliveries", "ok", &["1 delivery is under way"]);
        let told = doctor(&workspace, &["--as-of", "2026-11-22T01:00:00Z"]).expect_code(3);
        let words = &["1 delivery waits for `hook`, the oldest for 30 h"];
        check(&told, "deliveries", "warning", words);
    }
}

#[test]
fn who_writes_is_told_without_disturbing_them() {
    let workspace = small();
    let path = workspace.path("leadmill.db");
    let store = leadmill::store::Store::open(&path).unwrap();
    let told = doctor(&workspace, &["--deep"]).expect_code(0);
    check(&told, "writers", "ok", &[&format!("process {}", std::process::id()), "at work"]);
    workspace.run(&["run"]).expect_code(4);
    drop(store);
    check(&doctor(&workspace, &[]).expect_code(0), "writers", "ok", &["nobody"]);
}

#[test]
fn a_store_of_which_only_the_first_page_was_begun_is_begun_anew() {
    let workspace = Workspace::new();
    workspace.table("a.csv", &["1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,,PL,,"]);
    // What a kill leaves between the journal of the first page and its end.
    let other = Workspace::new();
    let begun = Connection::open(other.path("x.db")).unwrap();
    begun.execute_batch("PRAGMA page_size = 16384; BEGIN; CREATE TABLE t (x);").unwrap();
    begun.cache_flush().unwrap();
    for (from, to) in [("x.db", "leadmill.db"), ("x.db-journal", "leadmill.db-journal")] {
        fs::copy(other.path(from), workspace.path(to)).unwrap();
    }
    assert!(fs::metadata(workspace.path("leadmill.db-journal")).unwrap().len() > 0);
    workspace.ok(&["run"]);
    check(&doctor(&workspace, &["--deep"]), "pages", "ok", &[]);
}

#[test]
fn without_a_store_there_is_nothing_to_look_at() {
    let workspace = Workspace::new();
    workspace.run(&["doctor"]).expect_code(2).says(&["there is no store", "hint:"]);
    workspace.file("leadmill.db", "this is no database at all, it only has its name".repeat(99));
    check(&doctor(&workspace, &["--deep"]).expect_code(5), "store", "failure", &["leadmill.db"]);
}
