//! A disk, a pipe or a limit that takes no more: said, never passed over, and nothing of a run is lost or half there.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use super::crash::assert_same_end;
use super::traced;
use super::workspace::{Outcome, Workspace, code_of};

fn workspace() -> Workspace {
    let workspace = traced::workspace();
    let rows: Vec<String> = (0..60)
        .map(|number| {
            format!(
                "{number},2026-11-18T09:00:00Z,Osoba Numer{number},osoba{number}@przyklad.pl,+486000{number:05},Firma,\
                 PL,Prosze o wycene {number},yes"
            )
        })
        .collect();
    workspace.table("leads.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    workspace
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_whose_files_may_not_grow_says_so_and_is_simply_run_again() {
    let undisturbed = workspace();
    undisturbed.ok(&["run", "--quiet"]);
    let mut failed = 0;
    // In blocks of 512 bytes: the store, its journal and the page are the first to be too large.
    for blocks in [0, 20, 100, 700, 5_000] {
        let disturbed = workspace();
        let outcome = disturbed.run_in_shell(&format!("ulimit -f {blocks};"), &["run", "--quiet"]);
        if outcome.code == 0 {
            assert_same_end(&undisturbed, &disturbed);
            continue;
        }
        failed += 1;
        assert_eq!(outcome.code, 1, "{blocks}: {}", outcome.stderr);
        assert!(outcome.stderr.starts_with("error: "), "{blocks}: {}", outcome.stderr);
        disturbed.ok(&["run", "--quiet"]);
        assert_same_end(&undisturbed, &disturbed);
    }
    assert!(failed > 3, "only {failed} runs felt the limit");
}

#[test]
fn a_full_disk_is_said_with_the_way_out() {
    if !traced::is_there() {
        return;
    }
    let undisturbed = workspace();
    let args = ["run", "--quiet", "--threads", "1"];
    undisturbed.ok(&args);
    // SQLite's own file, and a file that is put out.
    for (call, nth) in [("pwrite64", 200), ("write", 40)] {
        let disturbed = workspace();
        let point = traced::Point { call: call.to_owned(), nth };
        let outcome = traced::failing_at(&point, "ENOSPC", &disturbed.command(&args));
        outcome.expect_code(1).says(&["error: ", "hint: make room on that disk"]);
        disturbed.ok(&args);
        assert_same_end(&undisturbed, &disturbed);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_gets_no_more_memory_ends_and_is_simply_run_again() {
    let undisturbed = workspace();
    undisturbed.ok(&["run", "--quiet"]);
    let (mut failed, mut whole) = (0, 0);
    for mib in [30, 90, 400] {
        let disturbed = workspace();
        let args = ["run", "--quiet", "--threads", "1"];
        let outcome = disturbed.run_in_shell(&format!("ulimit -v {};", mib << 10), &args);
        if outcome.code == 0 {
            whole += 1;
        } else {
            failed += 1;
            disturbed.ok(&["run", "--quiet"]);
        }
        assert_same_end(&undisturbed, &disturbed);
    }
    assert!(failed > 0 && whole > 0, "{failed} runs ended early, {whole} did not");
}

#[cfg(target_os = "linux")]
#[test]
fn a_summary_that_cannot_be_printed_is_a_failure_of_a_run_that_is_whole() {
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    for args in [&["run"][..], &["run", "--json"]] {
        let undisturbed = workspace();
        undisturbed.ok(&["run", "--quiet"]);
        let disturbed = workspace();
        let mut command = disturbed.command(args);
        command.stdout(full());
        let outcome = Outcome::from(command.output().unwrap());
        assert_eq!(outcome.code, 1, "{args:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("space"), "{args:?}: {}", outcome.stderr);
        assert_same_end(&undisturbed, &disturbed);
    }
    // What is said beside the result has nowhere to go; the result has.
    let silenced = workspace();
    let mut command = silenced.command(&["run", "--json"]);
    command.stderr(full());
    assert_eq!(Outcome::from(command.output().unwrap()).json()["rows"]["read"], 60);
}

/// Starts a command, reads so many bytes of what it prints, and goes away.
fn read_a_little(workspace: &Workspace, args: &[&str], bytes: usize) -> (i32, String) {
    let mut child =
        workspace.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_exact(&mut vec![0; bytes]).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    (code_of(output.status), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn whoever_goes_away_after_a_line_is_not_told_of_a_failure() {
    let workspace = Workspace::fixtures_run();
    for args in [
        &["leads"][..],
        &["leads", "--format", "csv"],
        &["leads", "--format", "jsonl"],
        &["tasks"],
        &["tasks", "--format", "csv"],
        &["tasks", "--format", "ics"],
        &["quarantine"],
        &["report", "dropoff"],
        &["report", "duplicates"],
        &["report", "html"],
        &["rules", "fields"],
    ] {
        for bytes in [0, 1] {
            let (code, said) = read_a_little(workspace, args, bytes);
            assert_eq!(code, 0, "{args:?}: {said}");
            assert!(!said.contains("error") && !said.contains("panicked"), "{args:?}: {said}");
        }
    }
}

#[test]
fn a_run_says_by_its_code_how_it_went_though_nobody_reads_on() {
    let workspace = Workspace::new();
    // Half of the rows cannot be taken, which is more than a limit.
    workspace.table(
        "leads.csv",
        &[
            "1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,,PL,,yes",
            "2,2026-11-18T09:00:00Z,Zly Adres,zly(at)x,,,PL,,",
        ],
    );
    let (code, said) = read_a_little(&workspace, &["run"], 0);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("alert"), "{said}");
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
}
