//! Many at once: one run works, the others say so and leave no trace; who only reads is held up by nobody.
//!
//! `LEADMILL_ROUNDS=1000` starts twenty runs a thousand times.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::workspace::{Workspace, code_of, table};

/// Runs that are started at once.
const AT_ONCE: usize = 20;
/// How often the suite does it.
const ROUNDS: usize = 1;

fn row(round: usize) -> String {
    format!(
        "{round},2026-11-18T09:00:00Z,Osoba Numer{round},osoba{round}@przyklad.pl,+4860000{round:04},Firma,PL,\
         Prosze o wycene,yes"
    )
}

/// Starts a run that reads what it will be given: it holds the store until its input ends.
fn waiting_run(workspace: &Workspace) -> Child {
    workspace
        .command(&["run", "-", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Starts a run and waits until it holds the store, which it does before it reads its input.
fn holding_run(workspace: &Workspace) -> Child {
    let lock = File::options().write(true).open(workspace.path("leadmill.db.lock")).unwrap();
    let patience = Instant::now() + Duration::from_mins(2);
    loop {
        assert!(Instant::now() < patience, "no run gets hold of the store");
        let mut run = waiting_run(workspace);
        while run.try_wait().unwrap().is_none() {
            if lock.try_lock().is_err() {
                return run;
            }
            lock.unlock().unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
        // It wanted the lock in the instant in which we had it to look.
    }
}

/// Waits until all but one have ended; returns the one that goes on, and with which codes and words the others ended.
#[track_caller]
fn all_but_one(mut runs: Vec<Child>) -> (Child, Vec<(i32, String)>) {
    let mut ended = Vec::new();
    while runs.len() > 1 {
        let over = runs.iter_mut().position(|run| run.try_wait().unwrap().is_some());
        let Some(over) = over else {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        };
        let mut run = runs.swap_remove(over);
        let mut said = String::new();
        run.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        ended.push((code_of(run.wait().unwrap()), said));
    }
    (runs.pop().expect("one run goes on"), ended)
}

#[test]
fn of_twenty_runs_at_once_one_works_and_the_others_leave_no_trace() {
    let rounds = std::env::var("LEADMILL_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let workspace = Workspace::new();
    workspace.table("first.csv", &[&row(9_999)]);
    workspace.ok(&["run", "--quiet"]);
    for round in 1..=rounds {
        let before = (workspace.dump(), workspace.published());
        let runs = (0..AT_ONCE).map(|_| waiting_run(&workspace)).collect();
        let (mut working, ended) = all_but_one(runs);
        assert_eq!(ended.len(), AT_ONCE - 1);
        for (code, said) in &ended {
            assert_eq!(*code, 4, "{said}");
            assert!(said.contains("another run holds") && said.contains("hint:"), "{said}");
        }
        // The one that works has decided nothing yet, so whatever is new is of the others.
        assert_eq!((workspace.dump(), workspace.published()), before, "round {round}");
        working.stdin.take().unwrap().write_all(table(&[&row(round)]).as_bytes()).unwrap();
        let output = working.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code_of(output.status), 0, "{said}");
        assert_eq!(workspace.number("SELECT count(*) FROM run"), round as i64 + 1);
        assert_eq!(workspace.number("SELECT count(*) FROM leads"), round as i64 + 1);
    }
}

#[test]
fn whoever_reads_is_held_up_by_no_run() {
    let workspace = Workspace::new();
    workspace.table("first.csv", &[&row(1)]);
    workspace.ok(&["run", "--quiet"]);
    let readers: [&[&str]; 8] = [
        &["leads", "--format", "csv"],
        &["tasks", "--format", "csv"],
        &["explain", "osoba1@przyklad.pl"],
        &["report", "dropoff"],
        &["report", "html"],
        &["quarantine"],
        &["consent", "verify"],
        &["review"],
    ];
    let before = readers.map(|args| workspace.ok(args));
    let mut working = holding_run(&workspace);
    for (args, before) in readers.iter().zip(&before) {
        assert_eq!(workspace.ok(args), *before, "{args:?} while a run holds the store");
    }
    working.stdin.take().unwrap().write_all(table(&[&row(2)]).as_bytes()).unwrap();
    assert_eq!(code_of(working.wait().unwrap()), 0);
    assert_ne!(workspace.ok(readers[0]), before[0], "the second lead is not there");
}

#[cfg(unix)]
#[test]
fn a_reader_sees_a_run_whole_or_not_at_all() {
    // Readers that go on all the time see a run whole or not at all.
    let workspace = Workspace::new();
    workspace.table("first.csv", &[&row(1)]);
    workspace.ok(&["run", "--quiet"]);
    let rows: Vec<String> = (2..400).map(row).collect();
    workspace.table("second.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let mut run = workspace.command(&["run", "--quiet"]).spawn().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    while run.try_wait().unwrap().is_none() {
        let store = workspace.store();
        let counts =
            "SELECT (SELECT count(*) FROM leads), (SELECT count(DISTINCT lead_no) FROM tasks)";
        let counts: (i64, i64) =
            store.query_row(counts, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        seen.insert(counts);
    }
    assert_eq!(code_of(run.wait().unwrap()), 0);
    assert!(!seen.is_empty(), "the run was over before anybody had looked");
    assert!(seen.iter().all(|(leads, with_tasks)| leads == with_tasks), "{seen:?}");
    assert!(seen.iter().all(|(leads, _)| [1, 399].contains(leads)), "{seen:?}");
}
