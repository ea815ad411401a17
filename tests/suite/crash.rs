//! A run that was killed, interrupted or locked out: run it again and it ends where the undisturbed
//! one would have.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::traced::{self, Count, each};
use super::workspace::{Random, Workspace, assert_same_files, assert_same_text, code_of};

const ROW: &str =
    "1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Prosze o wycene,yes";

/// How many runs are killed unless `LEADMILL_KILLS` says otherwise.
const KILLS: u64 = 25;

/// A hundred rows of enquiries in three files; small, so that many can be killed.
fn small_inbox(workspace: &Workspace) {
    for file in 0..3_u32 {
        let rows: Vec<String> = (0..40_u32)
            .map(|number| {
                let person = (number * 7 + file * 31) % 50;
                format!(
                    "{file}-{number},2026-11-{:02}T{:02}:00:00Z,Osoba Numer{person},p{person}@example.com,\
                     +486000{:05},Firma {},PL,Prosze o wycene {number},yes",
                    10 + number % 9,
                    number % 24,
                    10_000 + person,
                    person % 20,
                )
            })
            .collect();
        workspace
            .table(&format!("{file}.csv"), &rows.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

fn start(workspace: &Workspace) -> Child {
    workspace
        .command(&["run", "--quiet"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Fails unless both workspaces hold the same store and the same published files, and nothing else.
#[track_caller]
pub fn assert_same_end(undisturbed: &Workspace, disturbed: &Workspace) {
    assert_same_text("the store", &undisturbed.dump(), &disturbed.dump());
    assert_same_files(&undisturbed.published(), &disturbed.published());
    let left_over: Vec<String> = fs::read_dir(disturbed.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name != "runs" && name != "latest")
        .collect();
    assert_eq!(left_over, Vec::<String>::new(), "left over in out/");
    let check: String =
        disturbed.store().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

/// How long a run takes, as those see it that are killed: while others work beside them, and the machine has other
/// things to do.
struct Length(AtomicU64);

impl Length {
    fn new(measured: Duration) -> Self {
        Self(AtomicU64::new(measured.as_micros() as u64))
    }

    fn get(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }

    /// Takes in that a run was killed, or was over, when this share of its length had passed.
    fn learn(&self, share: f64, was_killed: bool) {
        let now = self.get();
        let next = match was_killed {
            false => now.mul_f64(0.9),
            // Else the end of a run would never be met on a machine that has become slower.
            true if share > 0.9 => now.mul_f64(1.1),
            true => now,
        };
        self.0.store(next.as_micros() as u64, Ordering::Relaxed);
    }
}

/// What came of the kills of a sweep.
#[derive(Default)]
struct Kills {
    hit: Count,
    with_store: Count,
    decided: Count,
}

#[test]
fn a_run_killed_at_any_moment_ends_as_if_nothing_had_happened() {
    let kills = std::env::var("LEADMILL_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let undisturbed = Workspace::new();
    small_inbox(&undisturbed);
    let began = Instant::now();
    undisturbed.ok(&["run", "--quiet"]);
    let length = Length::new(began.elapsed());
    assert_eq!(undisturbed.run_json()["rows"]["read"], 120);

    let mut random = Random::new();
    let shares: Vec<(u64, f64)> = (0..kills)
        .map(|kill| (kill, 0.1 + 0.9 * (random.next() % 1_000) as f64 / 1_000.0))
        .collect();
    let seen = Kills::default();
    let began = Instant::now();
    each(&shares, |(kill, share)| kill_once(&undisturbed, *kill, *share, &length, &seen));
    let hit = u64::from(seen.hit.get());
    assert!(hit * 2 > kills, "only {hit} of {kills} runs were killed: the test is blind");
    assert!(seen.with_store.get() > 0, "no run was killed after its store was there");
    eprintln!(
        "{hit} of {kills} killed, {} with a store, {} decided; {} s on {} cores",
        seen.with_store.get(),
        seen.decided.get(),
        began.elapsed().as_secs(),
        traced::workers(),
    );
}

/// Kills a run when `share` of its length has passed, and holds against the undisturbed one where the next one ends.
fn kill_once(undisturbed: &Workspace, kill: u64, share: f64, length: &Length, seen: &Kills) {
    let disturbed = Workspace::new();
    small_inbox(&disturbed);
    let mut child = start(&disturbed);
    std::thread::sleep(length.get().mul_f64(share));
    child.kill().unwrap();
    let was_killed = code_of(child.wait().unwrap()) == 137;
    length.learn(share, was_killed);
    if was_killed {
        seen.hit.one_more();
    }
    if was_killed && disturbed.path("leadmill.db").exists() {
        seen.with_store.one_more();
        // Only looked at: who opens it for writing would clear up before the next run does.
        let state = "SELECT state FROM run";
        let state = disturbed.store().query_row(state, [], |row| row.get::<_, String>(0));
        if state.is_ok_and(|state| state == "decided") {
            seen.decided.one_more();
        }
    }
    let again = disturbed.run(&["run", "--quiet"]);
    assert_eq!(again.code, 0, "kill {kill} at {share:.2}: {}", again.stderr);
    // When the first run had ended before it was killed, the second is a run of its own.
    if was_killed && disturbed.number("SELECT count(*) FROM run") == 1 {
        assert_same_end(undisturbed, &disturbed);
    } else {
        let leads = "SELECT count(*) FROM leads";
        assert_eq!(disturbed.number(leads), undisturbed.number(leads));
    }
}

#[test]
fn a_run_killed_while_it_published_is_published_by_the_next() {
    let undisturbed = Workspace::new();
    small_inbox(&undisturbed);
    undisturbed.ok(&["run", "--quiet"]);
    let mut killed = 0;
    for pause_ms in [0, 1, 3, 6, 10, 15] {
        let disturbed = Workspace::new();
        small_inbox(&disturbed);
        let mut child = start(&disturbed);
        while !is_staging(&disturbed) && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(pause_ms));
        child.kill().unwrap();
        if code_of(child.wait().unwrap()) != 137 {
            continue;
        }
        killed += 1;
        disturbed.ok(&["run", "--quiet"]);
        if disturbed.number("SELECT count(*) FROM run") == 1 {
            assert_same_end(&undisturbed, &disturbed);
        }
    }
    assert!(killed > 0, "every run ended before it was killed");
}

/// Puts the store back to where the latest run had decided and not yet published.
fn unpublish(workspace: &Workspace) {
    workspace.edit(
        "UPDATE publication SET run_no = run_no - 1 WHERE run_no = (SELECT max(run_no) FROM run);
         UPDATE run SET state = 'decided' WHERE run_no = (SELECT max(run_no) FROM run);",
    );
}

#[test]
fn whoever_finishes_a_run_writes_what_it_was_to_write() {
    let workspace = Workspace::new();
    small_inbox(&workspace);
    workspace.done(&["run", "--quiet"]);
    workspace.done(&["run", "--quiet", "--full"]);
    let whole = workspace.latest("crm/leads.csv");
    assert!(whole.lines().count() > 1, "{whole}");
    unpublish(&workspace);
    workspace.done(&["run", "--quiet"]);
    assert_eq!(workspace.number("SELECT count(*) FROM run"), 2);
    assert_eq!(workspace.latest("crm/leads.csv"), whole);
    // What is asked for in full is no run that shows what is new.
    workspace.done(&["run", "--quiet", "--as-of", "2026-11-20T19:01:00Z"]);
    unpublish(&workspace);
    workspace.done(&["run", "--quiet", "--full"]);
    assert_eq!(workspace.number("SELECT count(*) FROM run"), 4);
    assert_eq!(workspace.latest("crm/leads.csv").lines().count(), whole.lines().count());
}

#[test]
fn a_tick_that_was_cut_short_is_no_import_of_nothing() {
    let workspace = Workspace::new();
    small_inbox(&workspace);
    workspace.done(&["run", "--quiet"]);
    workspace.clear_inbox();
    workspace.done(&["tick", "--as-of", "2026-11-23T12:00:00Z"]);
    assert_eq!(workspace.sql("SELECT kind FROM run"), [["import"], ["tick"]]);
    unpublish(&workspace);
    workspace.done(&["run", "--quiet", "--as-of", "2026-11-23T12:00:00Z"]);
    assert_eq!(workspace.sql("SELECT kind FROM run"), [["import"], ["tick"], ["import"]]);
}

#[test]
fn a_store_without_tables_is_a_store_to_be() {
    // What a kill between SQLite's first page and the first migration leaves behind.
    let workspace = Workspace::new();
    let store = rusqlite::Connection::open(workspace.path("leadmill.db")).unwrap();
    store.pragma_update(None, "journal_mode", "WAL").unwrap();
    drop(store);
    assert!(workspace.path("leadmill.db").metadata().unwrap().len() > 0);
    workspace.table("leads.csv", &[ROW]);
    workspace.ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
}

#[test]
fn a_database_of_somebody_else_is_left_alone() {
    let workspace = Workspace::new();
    let store = rusqlite::Connection::open(workspace.path("leadmill.db")).unwrap();
    store.execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)").unwrap();
    drop(store);
    workspace.table("leads.csv", &[ROW]);
    workspace.run(&["run"]).expect_code(5).says(&["leadmill.db", "hint:"]);
    assert_eq!(workspace.number("SELECT x FROM theirs"), 1);
    workspace.file("leadmill.db", "this is no database at all, it only has its name".repeat(99));
    workspace.run(&["run"]).expect_code(5).says(&["leadmill.db", "hint:"]);
}

/// Returns whether a run is being published: its staging folder appears once everything is decided.
fn is_staging(workspace: &Workspace) -> bool {
    fs::read_dir(workspace.path("out")).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with(".staging"))
    })
}

#[test]
fn a_second_run_at_the_same_time_is_exit_code_4_and_writes_nothing() {
    let workspace = Workspace::new();
    workspace.table("leads.csv", &[ROW]);
    workspace.ok(&["run"]);
    let before = (workspace.dump(), workspace.published());
    let lock = File::options().write(true).open(workspace.path("leadmill.db.lock")).unwrap();
    lock.lock().unwrap();
    workspace.table("more.csv", &["2,2026-11-18T09:00:00Z,Jan Nowy,jan@example.com,,,PL,,"]);
    workspace.run(&["run"]).expect_code(4).says(&["leadmill.db"]);
    assert_eq!((workspace.dump(), workspace.published()), before);
    workspace.ok(&["leads"]);
    drop(lock);
    workspace.ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_says_so_and_is_simply_run_again() {
    let undisturbed = Workspace::fixtures_run();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let disturbed = Workspace::with_fixtures();
        let mut child = start(&disturbed);
        while !disturbed.path("leadmill.db").exists() && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        let sent =
            Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        let ended = wait_at_most(&mut child, Duration::from_mins(1));
        assert_eq!(ended, code, "{signal}");
        assert!(!disturbed.path("out/latest").exists(), "{signal}: published all the same");
        disturbed.ok(&["run", "--quiet"]);
        assert_same_end(undisturbed, &disturbed);
    }
}

#[cfg(unix)]
#[test]
fn a_run_interrupted_while_it_writes_its_files_has_them_when_it_is_run_again() {
    let undisturbed = Workspace::fixtures_run();
    // It may be done before the signal comes.
    for _ in 0..20 {
        let disturbed = Workspace::with_fixtures();
        let mut child = start(&disturbed);
        while !is_staging(&disturbed) && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        let ended = wait_at_most(&mut child, Duration::from_mins(1));
        if ended != 130 {
            continue;
        }
        assert!(!disturbed.path("out/latest").exists(), "published all the same");
        assert_eq!(disturbed.number("SELECT count(*) FROM run WHERE state = 'decided'"), 1);
        disturbed.ok(&["run", "--quiet"]);
        assert_same_end(undisturbed, &disturbed);
        return;
    }
    panic!("no signal came in time");
}

fn wait_at_most(child: &mut Child, limit: Duration) -> i32 {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return code_of(status);
        }
        assert!(began.elapsed() < limit, "the signal was not heard");
        std::thread::yield_now();
    }
}
