//! A small whole run, met at every system call that changes or flushes anything: killed there, without power from there
//! on, or told that the disk is full, broken, or not theirs. Whatever it is, the run that comes next ends where the
//! undisturbed one did.
//!
//! The suite meets a few dozen of these places; `LEADMILL_EVERY_CALL=1` meets all of them.

use std::sync::OnceLock;

use super::crash::assert_same_end;
use super::power::Watched;
use super::traced::{
    Count, MUTATING, Point, calls_of, each, failing_at, faults, is_there, killed_at, points,
    says_why, some_of, workspace,
};
use super::workspace::{Outcome, Workspace};

/// Places at which the suite kills a run.
const KILLS: usize = 10;
/// Places at which the suite cuts the power.
const CUTS: usize = 16;
/// Faults that the suite lets a run meet.
const FAULTS: usize = 12;

/// One thread works, so that each run comes to the same places.
const RUN: &[&str] = &["run", "--quiet", "--threads", "1"];

/// Makes a workspace with enquiries, a list, page views, and rows that are repeats, held and broken.
fn small_world() -> Workspace {
    let workspace = workspace();
    workspace.file("rules/workspace.toml", "[limits]\nrejected-share-max-percent = 90\n");
    workspace.table(
        "forms.csv",
        &[
            "1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Prosze o wycene,yes",
            "2,2026-11-18T10:00:00Z,Jan Testowski,jan@example.com,600000102,Inna,PL,Kiedy?,no",
            "2,2026-11-18T10:00:00Z,Jan Testowski,jan@example.com,600000102,Inna,PL,Kiedy?,no",
            "3,2026-11-19T10:00:00Z,Ania Wzorcowa,anna@przyklad.pl,,Firma,PL,Jeszcze raz,yes",
            "4,2026-11-19T11:00:00Z,Nikt,nikt(at)example,,,PL,,",
        ],
    );
    workspace.input(
        "more.jsonl",
        "{\"email\":\"ewa@example.org\",\"full_name\":\"Ewa Nowa\",\"created_at\":\"2026-11-19T09:00:00Z\"}\n\
         {\"email\":\"test@test.com\",\"full_name\":\"test\",\"created_at\":\"2026-11-19T09:00:00Z\"}\n",
    );
    workspace
}

/// The run that nothing happens to, and all places in it.
fn undisturbed() -> &'static (Workspace, Vec<Point>) {
    static RUN_ONCE: OnceLock<(Workspace, Vec<Point>)> = OnceLock::new();
    RUN_ONCE.get_or_init(|| {
        let workspace = small_world();
        let (calls, outcome) = calls_of(&workspace.command(RUN), MUTATING);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        assert_eq!(workspace.number("SELECT count(*) FROM leads"), 3);
        assert_eq!(workspace.number("SELECT count(*) FROM quarantine"), 1);
        let points = points(&calls, MUTATING);
        assert!(points.len() > 200, "only {} places: the test is blind", points.len());
        (workspace, points)
    })
}

/// Returns whether the one run that was begun has published and marked itself so.
fn is_published(workspace: &Workspace) -> bool {
    let path = workspace.path("leadmill.db");
    path.exists() && {
        let state = "SELECT state FROM run";
        let said = workspace.store().query_row(state, [], |row| row.get::<_, String>(0));
        said.is_ok_and(|state| state == "published")
    }
}

/// Fails unless the workspace ends where the undisturbed one did, by another run if need be.
#[track_caller]
fn assert_converges(disturbed: &Workspace, place: &str) {
    let (undisturbed, _) = undisturbed();
    if is_published(disturbed) {
        // It was over already; a further run adds nothing to it.
        assert_same_end(undisturbed, disturbed);
        let again = disturbed.run(RUN);
        assert_eq!(again.code, 0, "{place}: {}", again.stderr);
        assert_eq!(undisturbed.clusters_by_raw(), disturbed.clusters_by_raw(), "{place}");
        return;
    }
    let again = disturbed.run(RUN);
    assert_eq!(again.code, 0, "{place}: {}", again.stderr);
    assert_same_end(undisturbed, disturbed);
}

#[test]
fn a_run_killed_at_any_system_call_ends_as_if_nothing_had_happened() {
    if !is_there() {
        return;
    }
    let (_, points) = undisturbed();
    let points = some_of(points, KILLS);
    let (killed, decided) = (Count::default(), Count::default());
    each(&points, |point| {
        let disturbed = small_world();
        let outcome = killed_at(point, &disturbed.command(RUN));
        if outcome.code == 137 {
            killed.one_more();
        }
        if disturbed.path("out").exists() {
            decided.one_more();
        }
        assert_converges(&disturbed, &format!("killed at {point:?}"));
    });
    // A place that another thread comes to first in one run and not in the next is missed.
    let missed = points.len() - killed.get() as usize;
    assert!(missed <= (points.len() / 20).max(1), "{missed} of {} not met", points.len());
    assert!(decided.get() > 0, "no run was killed after it had decided");
    eprintln!(
        "{} places, {} killed, {} after the decision",
        points.len(),
        killed.get(),
        decided.get()
    );
}

#[test]
fn a_run_that_loses_power_at_any_moment_ends_as_if_nothing_had_happened() {
    if !is_there() {
        return;
    }
    let (watched, outcome) = Watched::new(&small_world(), RUN);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let cuts = watched.cuts();
    assert!(cuts.len() > 200, "only {} cuts: the test is blind", cuts.len());
    let (undecided, decided) = (Count::default(), Count::default());
    let cuts = some_of(&cuts, CUTS);
    each(&cuts, |cut| {
        let disturbed = workspace();
        watched.cut(cut, &disturbed);
        if disturbed.path("out").exists() {
            decided.one_more();
        } else {
            undecided.one_more();
        }
        assert_converges(&disturbed, &format!("{cut:?}"));
    });
    assert!(undecided.get() > 0 && decided.get() > 0, "the test is blind");
    eprintln!("{} cuts, {} after the decision", cuts.len(), decided.get());
    // What this looks for is found: a run that flushed none of its files would be said to be published without them.
    let careless = watched.without_flushes_below("out");
    let disturbed = workspace();
    careless.cut(&careless.at_the_end(), &disturbed);
    assert!(is_published(&disturbed) && !disturbed.path("out/latest/run.json").exists());
}

/// Fails when a fault was met with a panic or a signal, or was passed over while something is missing.
#[track_caller]
fn assert_met_well(disturbed: &Workspace, outcome: &Outcome, place: &str) {
    let said = &outcome.stderr;
    assert!(!said.contains("panicked"), "{place}: {said}");
    // The world failed, or an input could not be read: never damage, never a broken promise.
    assert!([0, 1, 6].contains(&outcome.code), "{place}: {} {said}", outcome.code);
    if outcome.code == 0 {
        assert!(is_published(disturbed), "{place}: ended well, but did not publish");
        assert_same_end(&undisturbed().0, disturbed);
    } else {
        assert!(says_why(said, place), "{place}: exit code {} and only {said:?}", outcome.code);
    }
}

#[test]
fn a_run_that_meets_a_fault_at_any_system_call_says_so_and_converges() {
    if !is_there() {
        return;
    }
    let (undisturbed, points) = undisturbed();
    let faults = some_of(&faults(points), FAULTS);
    let (harmless, refused) = (Count::default(), Count::default());
    each(&faults, |(point, error)| {
        let place = format!("{error} at {point:?}");
        let disturbed = small_world();
        let outcome = failing_at(point, error, &disturbed.command(RUN));
        assert_met_well(&disturbed, &outcome, &place);
        match outcome.code {
            0 => harmless.one_more(),
            // The input that could not be read was refused, and the run went on without it.
            6 => {
                refused.one_more();
                let again = disturbed.run(RUN);
                assert_eq!(again.code, 0, "{place}: {}", again.stderr);
                assert_eq!(undisturbed.clusters_by_raw(), disturbed.clusters_by_raw(), "{place}");
                return;
            }
            _ => {}
        }
        assert_converges(&disturbed, &place);
    });
    eprintln!(
        "{} faults, {} of them harmless, {} of an input",
        faults.len(),
        harmless.get(),
        refused.get()
    );
    assert!((harmless.get() as usize) < faults.len() / 2, "half of the faults did nothing");
}
