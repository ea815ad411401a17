//! `deliver`, met at every system call that changes or flushes anything or speaks to the receiver: killed there, or told
//! that the disk is full or broken, or that the connection is gone. Whatever it is, `deliver` done again brings every
//! delivery to its end, none under two ids, none twice without saying that it may have been.
//!
//! The suite meets a few places; `LEADMILL_EVERY_CALL=1` meets all of them.

use std::sync::OnceLock;

use super::every_command::copy_of;
use super::far_end::{Receiver, answer};
use super::outbox_sweep::{check_books, plain_request};
use super::traced::{
    Count, MUTATING, Point, calls_of, each, failing_at, faults, is_there, killed_at, points,
    says_why, some_of, workspace,
};
use super::workspace::{Outcome, Workspace, table};

/// Places at which the suite kills it.
const KILLS: usize = 8;
/// Faults that the suite lets it meet.
const FAULTS: usize = 8;
const PEOPLE: u64 = 3;

const OPEN: &str = "SELECT count(*) FROM outbox WHERE state IN ('pending', 'claimed')";

/// The workspace, for copying only, after a run that left deliveries.
fn world() -> &'static Workspace {
    static WORLD: OnceLock<Workspace> = OnceLock::new();
    WORLD.get_or_init(|| {
        let world = workspace();
        let rows: Vec<String> = (0..PEOPLE)
            .map(|number| {
                format!("{number},2026-11-18T09:00:00Z,,osoba{number}@przyklad.pl,,,PL,,")
            })
            .collect();
        world.input("leads.csv", table(&rows.iter().map(String::as_str).collect::<Vec<_>>()));
        send_to(&world, "http://127.0.0.1:9/hook");
        world.done(&["run", "--quiet"]);
        assert_eq!(world.number(OPEN) as u64, PEOPLE);
        world
    })
}

fn send_to(workspace: &Workspace, url: &str) {
    plain_request(workspace);
    workspace.file(
        "rules/outbox.toml",
        format!(
            "[[endpoint]]\nid = \"hook\"\nkind = \"http\"\nrequest = \"plain\"\ntarget = \"leads-json\"\n\
             url = \"{url}\"\nbecause = \"a test\"\nrate = 100000\ntimeout = \"2s\"\nbatch = 1\nconcurrency = 1\n"
        ),
    );
}

/// A workspace with deliveries, and who waits for them.
struct Waiting {
    workspace: Workspace,
    receiver: Receiver,
}

impl Waiting {
    fn new() -> Self {
        let workspace = copy_of(world());
        let receiver = Receiver::start(|_| answer(200));
        send_to(&workspace, &receiver.url("hook"));
        Self { workspace, receiver }
    }

    /// Delivers, a quarter of an hour later each time, until nothing is open; fails when that takes a day.
    #[track_caller]
    fn assert_ends(&self, place: &str) {
        let run = chrono::DateTime::parse_from_rfc3339(super::workspace::AS_OF).unwrap();
        for round in 1..100 {
            if self.workspace.number(OPEN) == 0 {
                check_books(&self.workspace, &self.receiver, PEOPLE);
                let delivered = "SELECT count(*) FROM outbox WHERE state = 'delivered'";
                assert_eq!(self.workspace.number(delivered) as u64, PEOPLE, "{place}");
                return;
            }
            let at = (run + chrono::TimeDelta::minutes(15 * round)).to_rfc3339();
            let again = self.workspace.run(&["deliver", "--quiet", "--as-of", &at]);
            assert!([0, 3].contains(&again.code), "{place}: {} {}", again.code, again.stderr);
        }
        panic!(
            "{place}: {:?}",
            self.workspace.sql("SELECT state, count(*) FROM outbox GROUP BY 1")
        );
    }
}

/// Calls that are met: what changes the disk, and what is said to the receiver.
fn met() -> Vec<&'static str> {
    [MUTATING, &["connect", "sendto", "recvfrom"]].concat()
}

const DELIVER: &[&str] = &["deliver", "--quiet"];

fn all_points() -> &'static [Point] {
    static POINTS: OnceLock<Vec<Point>> = OnceLock::new();
    POINTS.get_or_init(|| {
        let waiting = Waiting::new();
        let (calls, outcome) = calls_of(&waiting.workspace.command(DELIVER), &met());
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        assert_eq!(waiting.receiver.count("hook") as u64, PEOPLE);
        waiting.assert_ends("undisturbed");
        let points = points(&calls, &met());
        assert!(points.len() > 50, "only {} places: the test is blind", points.len());
        let sends = points.iter().filter(|point| point.call == "sendto").count() as u64;
        assert!(sends >= PEOPLE, "only {sends} calls that send: the test is blind");
        points
    })
}

#[test]
fn a_deliver_killed_at_any_system_call_is_simply_done_again() {
    if !is_there() {
        return;
    }
    let points = some_of(all_points(), KILLS);
    let (killed, unknown) = (Count::default(), Count::default());
    each(&points, |point| {
        let waiting = Waiting::new();
        let outcome = killed_at(point, &waiting.workspace.command(DELIVER));
        if outcome.code == 137 {
            killed.one_more();
        }
        let place = format!("killed at {point:?}");
        waiting.assert_ends(&place);
        if waiting.workspace.number("SELECT count(*) FROM outbox_items WHERE unknowns > 0") > 0 {
            unknown.one_more();
        }
    });
    let missed = points.len() - killed.get() as usize;
    assert!(missed <= (points.len() / 20).max(1), "{missed} of {} not met", points.len());
    eprintln!(
        "{} places, {} killed, {} with an answer lost",
        points.len(),
        killed.get(),
        unknown.get()
    );
}

/// Fails when a fault was met with a panic or a signal, or nothing was said of it.
#[track_caller]
fn assert_met_well(outcome: &Outcome, place: &str) {
    let said = &outcome.stderr;
    assert!(!said.contains("panicked"), "{place}: {said}");
    // Delivered, left for later, or the world failed: never damage, never a broken promise.
    assert!([0, 1, 3].contains(&outcome.code), "{place}: {} {said}", outcome.code);
    if outcome.code == 1 {
        assert!(says_why(said, place), "{place}: exit code 1 and only {said:?}");
    }
}

#[test]
fn a_deliver_that_meets_a_fault_at_any_system_call_says_so_and_is_simply_done_again() {
    if !is_there() {
        return;
    }
    let faults = some_of(&faults(all_points()), FAULTS);
    let harmless = Count::default();
    each(&faults, |(point, error)| {
        let place = format!("{error} at {point:?}");
        let waiting = Waiting::new();
        let outcome = failing_at(point, error, &waiting.workspace.command(DELIVER));
        assert_met_well(&outcome, &place);
        if outcome.code == 0 {
            harmless.one_more();
        }
        waiting.assert_ends(&place);
    });
    assert!((harmless.get() as usize) < faults.len() * 3 / 4, "most of the faults did nothing");
    eprintln!("{} faults, {} of them harmless", faults.len(), harmless.get());
}
