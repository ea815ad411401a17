//! Every other command that writes, met at every system call that changes or flushes anything: killed there, without
//! power from there on, or told that the disk is full, broken, or not theirs. Whatever it is, the same command done again
//! ends where the undisturbed one did; where it had been done already, it ends where the undisturbed one does when it is
//! done twice.
//!
//! The suite meets a few places of each; `LEADMILL_EVERY_CALL=1` meets all of them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use rusqlite::Connection;

use super::power::{Cut, Watched};
use super::traced::{
    Count, MUTATING, Point, calls_of, each, failing_at, faults, is_there, killed_at, points,
    says_why, some_of, workspace,
};
use super::workspace::{
    Files, Outcome, Workspace, assert_same_files, assert_same_text, files_below,
};

/// Places at which the suite kills each command.
const KILLS: usize = 3;
/// Places at which the suite cuts each command's power.
const CUTS: usize = 3;
/// Faults that the suite lets each command meet.
const FAULTS: usize = 4;

/// The commands, each as it is typed in [`world`].
pub const COMMANDS: &[&[&str]] = &[
    &["undo", "2026-11-19-0003", "--quiet"],
    &["subject", "forget", "anna@przyklad.pl", "--because", "asked", "--quiet"],
    &["subject", "allow", "piotr@example.com", "--because", "asked", "--quiet"],
    &["backup", "--quiet"],
    &["restore", "saved.db", "--quiet"],
    &["rescore", "--quiet"],
    &["rebuild", "--quiet"],
    &["merge", "jan@example.com", "ewa@example.org", "--quiet"],
    &["split", "anna@przyklad.pl", "--rows", "3", "--quiet"],
    &["consent", "withdraw", "anna@przyklad.pl", "--because", "asked", "--quiet"],
    &["tasks", "done", "LM-WMEVYEW818FJ/warm/call", "--quiet"],
    &["tasks", "snooze", "LM-WMEVYEW818FJ/warm/call", "--until", "2d", "--quiet"],
    &["tick", "--quiet"],
    &["retention", "apply", "--quiet"],
];

const RETENTION: &str = "[[keep]]\nid = 'rows'\non = true\nof = 'quarantine'\nkeep-for = '5d'\nthen = 'forget'\n\
                         because = 'a test'\n\n\
                         [[keep]]\nid = 'raw'\non = true\nof = 'leads'\nkeep-for = '8d'\nthen = 'strip-raw'\n\
                         because = 'a test'\n";

/// Returns a workspace, for copying only, in which every command has something to do: two runs, somebody who was
/// forgotten between them, a backup from before the second, and other rules since.
pub fn world() -> &'static Workspace {
    static WORLD: OnceLock<Workspace> = OnceLock::new();
    WORLD.get_or_init(|| {
        let world = workspace();
        world.file("rules/workspace.toml", "[limits]\nrejected-share-max-percent = 90\n");
        world.table(
            "one.csv",
            &[
                "1,2026-11-10T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Prosze o wycene,yes",
                "2,2026-11-10T10:00:00Z,Jan Testowski,jan@example.com,600000102,Inna,PL,Kiedy?,no",
                "3,2026-11-10T11:00:00Z,Ania Wzorcowa,anna@przyklad.pl,,Firma,PL,Jeszcze raz,yes",
                "4,2026-11-10T12:00:00Z,Piotr Dawny,piotr@example.com,600000104,Trzecia,PL,Prosze,yes",
                "5,2026-11-10T12:30:00Z,Nikt,nikt(at)example,,,PL,,",
            ],
        );
        world.ok(&["run", "--as-of", "2026-11-11T08:00:00Z"]);
        let forget = ["subject", "forget", "piotr@example.com", "--because", "asked"];
        world.ok(&[&forget[..], &["--as-of", "2026-11-11T09:00:00Z"]].concat());
        world.ok(&["backup", "saved.db", "--as-of", "2026-11-12T09:00:00Z"]);
        world.clear_inbox().table(
            "two.csv",
            &[
                "6,2026-11-19T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Czekam,yes",
                "7,2026-11-19T10:00:00Z,Ewa Nowa,ewa@example.org,600000107,Nowa,PL,Ile kosztuje?,yes",
            ],
        );
        world.ok(&["run", "--as-of", "2026-11-19T20:00:00Z"]);
        world.file("rules/retention.toml", RETENTION);
        world
    })
}

/// Returns another workspace that holds all that `world` does.
pub fn copy_of(world: &Workspace) -> Workspace {
    let copy = workspace();
    let from = world.path(".");
    let status = Command::new("cp").arg("-a").arg(&from).arg(copy.path(".")).status();
    assert!(status.unwrap().success(), "cannot copy {}", from.display());
    copy
}

/// What a command leaves: the store, and every file that is not the store's own. Of another database (a backup, a store
/// that stepped aside) what it holds, for SQLite counts in its first page how often it was opened.
#[derive(Clone, PartialEq, Eq)]
struct State {
    store: String,
    files: Files,
}

impl State {
    fn of(workspace: &Workspace) -> Self {
        let mut files = files_below(&workspace.path(""));
        // The receipt says how many bytes were there as well as what they say.
        files.retain(|name, _| !is_of_store(name) && !name.ends_with("-shm"));
        let databases: Vec<String> = files
            .iter()
            .filter(|(_, bytes)| bytes.starts_with(b"SQLite"))
            .map(|(name, _)| name.clone())
            .collect();
        for name in databases {
            let held = held_by(&workspace.path(&name));
            files.insert(name, held.into_bytes());
        }
        if let Ok(latest) = fs::read_link(workspace.path("out/latest")) {
            files.insert("out/latest".to_owned(), latest.display().to_string().into_bytes());
        }
        Self { store: workspace.dump(), files }
    }
}

/// Returns whether a file is the store's own: what stands in it is compared as rows.
fn is_of_store(name: &str) -> bool {
    const ENDINGS: [&str; 6] = ["", "-wal", "-shm", ".sums", ".lock", ".deliver.lock"];
    name.strip_prefix("leadmill.db").is_some_and(|ending| ENDINGS.contains(&ending))
}

/// Returns what the database at `path` holds.
fn held_by(path: &Path) -> String {
    let other = workspace();
    for ending in ["", "-wal", "-journal"] {
        let (from, to) = (format!("{}{ending}", path.display()), format!("leadmill.db{ending}"));
        if Path::new(&from).exists() {
            fs::copy(from, other.path(&to)).unwrap();
        }
    }
    let store = Connection::open(other.path("leadmill.db")).unwrap();
    // One that was begun and not finished.
    let is_whole = store.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    drop(store);
    if is_whole.is_ok_and(|it| it == "ok") { other.dump() } else { "no whole database".to_owned() }
}

/// A command that nothing happens to.
struct Undisturbed {
    args: &'static [&'static str],
    points: Vec<Point>,
    /// How it ends, and what it leaves then.
    once: (i32, State),
    /// The same when it is done again.
    twice: (i32, State),
}

fn undisturbed() -> &'static [Undisturbed] {
    static ALL: OnceLock<Vec<Undisturbed>> = OnceLock::new();
    ALL.get_or_init(|| COMMANDS.iter().map(|args| Undisturbed::of(args)).collect())
}

impl Undisturbed {
    fn of(args: &'static [&'static str]) -> Self {
        let workspace = copy_of(world());
        let before = State::of(&workspace);
        let (calls, outcome) = calls_of(&workspace.command(args), MUTATING);
        assert!([0, 3].contains(&outcome.code), "{args:?}: {} {}", outcome.code, outcome.stderr);
        let once = (outcome.code, State::of(&workspace));
        let again = workspace.run(args);
        assert!([0, 2, 3].contains(&again.code), "{args:?}: {} {}", again.code, again.stderr);
        let twice = (again.code, State::of(&workspace));
        let points = points(&calls, MUTATING);
        assert!(points.len() > 50, "{args:?}: only {} places: the test is blind", points.len());
        // A store that follows from what it holds is as it was.
        let is_idle = args[0] == "rebuild";
        assert_eq!(before == once.1, is_idle, "{args:?} changes nothing: the test is blind");
        Self { args, points, once, twice }
    }

    /// Fails unless the workspace ends where the undisturbed one did, by doing the same again.
    #[track_caller]
    fn assert_converges(&self, disturbed: &Workspace, place: &str) {
        let met = State::of_what_is_left(disturbed);
        let is_over = met.as_ref() == Some(&self.once.1);
        // What makes a command over may leave something to be cleared away.
        let may_be_over = met.is_some_and(|met| met.store == self.once.1.store);
        let again = disturbed.run(self.args);
        let end = State::of(disturbed);
        let whole =
            if is_over || (may_be_over && end == self.twice.1) { &self.twice } else { &self.once };
        assert!(
            [self.once.0, self.twice.0].contains(&again.code),
            "{place}: {} {}",
            again.code,
            again.stderr
        );
        assert_same_state(&whole.1, &end, place);
        let check: String =
            disturbed.store().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok", "{place}");
    }

    /// Fails when a fault was met with a panic or a signal, or was passed over while something is missing.
    #[track_caller]
    fn assert_met_well(&self, disturbed: &Workspace, outcome: &Outcome, place: &str) {
        let said = &outcome.stderr;
        assert!(!said.contains("panicked"), "{place}: {said}");
        if outcome.code == self.once.0 {
            assert_same_state(&self.once.1, &State::of(disturbed), place);
        } else {
            // The world failed: never damage, never a broken promise.
            assert_eq!(outcome.code, 1, "{place}: {said}");
            assert!(says_why(said, place), "{place}: exit code 1 and only {said:?}");
        }
    }
}

impl State {
    /// The same where there may be no store for the moment, or none that can be read.
    fn of_what_is_left(workspace: &Workspace) -> Option<Self> {
        let path = workspace.path("leadmill.db");
        let is_readable =
            Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
                .is_ok_and(|it| it.query_row("SELECT count(*) FROM run", [], |_| Ok(())).is_ok());
        (path.exists() && is_readable).then(|| Self::of(workspace))
    }
}

#[track_caller]
fn assert_same_state(expected: &State, found: &State, place: &str) {
    if expected == found {
        return;
    }
    eprintln!("{place}:");
    assert_same_text("the store", &expected.store, &found.store);
    assert_same_files(&expected.files, &found.files);
}

/// A place in a command, and what happens there.
struct Met<'a> {
    command: &'a Undisturbed,
    point: Point,
    error: &'static str,
}

impl Met<'_> {
    fn place(&self) -> String {
        format!("{:?}: {} at {:?}", self.command.args, self.error, self.point)
    }
}

#[test]
fn a_command_killed_at_any_system_call_is_simply_done_again() {
    if !is_there() {
        return;
    }
    let mut places: Vec<Met<'_>> = Vec::new();
    for command in undisturbed() {
        let points = some_of(&command.points, KILLS);
        places.extend(points.into_iter().map(|point| Met { command, point, error: "killed" }));
    }
    let killed = Count::default();
    each(&places, |met| {
        let disturbed = copy_of(world());
        let outcome = killed_at(&met.point, &disturbed.command(met.command.args));
        if outcome.code == 137 {
            killed.one_more();
        }
        met.command.assert_converges(&disturbed, &met.place());
    });
    let missed = places.len() - killed.get() as usize;
    assert!(missed <= (places.len() / 20).max(1), "{missed} of {} not met", places.len());
    eprintln!("{} places of {} commands, {} killed", places.len(), COMMANDS.len(), killed.get());
}

#[test]
fn a_command_that_loses_power_at_any_moment_is_simply_done_again() {
    if !is_there() {
        return;
    }
    let watched: Vec<(&Undisturbed, Watched)> = undisturbed()
        .iter()
        .map(|command| (command, Watched::new(&copy_of(world()), command.args).0))
        .collect();
    let mut places: Vec<(&Undisturbed, &Watched, Cut)> = Vec::new();
    for (command, watched) in &watched {
        let cuts = some_of(&watched.cuts(), CUTS);
        places.extend(cuts.into_iter().map(|cut| (*command, watched, cut)));
    }
    each(&places, |(command, watched, cut)| {
        let disturbed = workspace();
        watched.cut(cut, &disturbed);
        command.assert_converges(&disturbed, &format!("{:?}: {cut:?}", command.args));
    });
    eprintln!("{} cuts of {} commands", places.len(), COMMANDS.len());
}

/// What a run published is on the disk somewhere, whatever the disk loses while its folder steps aside.
#[test]
fn no_power_cut_of_a_restore_loses_what_was_published() {
    if !is_there() {
        return;
    }
    let (watched, _) = Watched::new(&copy_of(world()), &["restore", "saved.db", "--quiet"]);
    let cuts = watched.cuts();
    assert!(cuts.len() > 50, "only {} cuts: the test is blind", cuts.len());
    for cut in cuts {
        let disturbed = workspace();
        watched.cut(&cut, &disturbed);
        let files = files_below(&disturbed.path("out"));
        for run in ["2026-11-11-0001", "2026-11-19-0003"] {
            let name = format!("/{run}/run.json");
            assert!(files.keys().any(|file| file.ends_with(&name)), "{cut:?}: {run} is lost");
        }
    }
}

#[test]
fn a_command_that_meets_a_fault_at_any_system_call_says_so_and_is_simply_done_again() {
    if !is_there() {
        return;
    }
    let mut places: Vec<Met<'_>> = Vec::new();
    for command in undisturbed() {
        let faults = some_of(&faults(&command.points), FAULTS);
        places.extend(faults.into_iter().map(|(point, error)| Met { command, point, error }));
    }
    let harmless = Count::default();
    each(&places, |met| {
        let disturbed = copy_of(world());
        let outcome = failing_at(&met.point, met.error, &disturbed.command(met.command.args));
        met.command.assert_met_well(&disturbed, &outcome, &met.place());
        if outcome.code == met.command.once.0 {
            harmless.one_more();
        }
        met.command.assert_converges(&disturbed, &met.place());
    });
    eprintln!(
        "{} faults of {} commands, {} harmless",
        places.len(),
        COMMANDS.len(),
        harmless.get()
    );
    assert!((harmless.get() as usize) < places.len() / 2, "half of the faults did nothing");
}
