//! What power loss leaves. A kill cannot show it, because what was written lives on in the system's memory; so the
//! system calls of whole commands are written down, and every step that others rely on must have been flushed before
//! it: files and folders before the rename that shows them, the rename before the store says that it was done, a page
//! before the journal that holds it is emptied, a claim before its first byte leaves, a submission before it is
//! acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::every_command;
use super::far_end::{self, answer};
use super::receiver::Receiver;
use super::traced::{Call, calls_of, is_there};
use super::workspace::Workspace;

/// Calls that write, flush or show something.
const CALLS: &[&str] = &[
    "openat",
    "write",
    "writev",
    "pwrite64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "symlink",
    "symlinkat",
    "unlink",
    "sendto",
    "sendmsg",
];

/// What is on the disk for sure, and what only the system's memory has.
struct Disk {
    root: PathBuf,
    /// Files with bytes that were not flushed.
    unflushed: BTreeSet<PathBuf>,
    /// Folders with an entry that was not flushed.
    unlisted: BTreeMap<PathBuf, String>,
    /// What was there before, or was flushed into its folder.
    known: BTreeSet<PathBuf>,
    violations: Vec<String>,
    /// Whether something of `out` was shown.
    is_published: bool,
    renames: usize,
    commits: usize,
    sends: usize,
    acknowledged: usize,
}

impl Disk {
    /// Returns what `calls` left, made by a command in the folder `root` that held `known`.
    fn after(root: &Path, known: &[PathBuf], calls: &[Call]) -> Self {
        let mut disk = Self {
            root: root.to_owned(),
            unflushed: BTreeSet::new(),
            unlisted: BTreeMap::new(),
            known: known.iter().cloned().chain([root.to_owned()]).collect(),
            violations: Vec::new(),
            is_published: false,
            renames: 0,
            commits: 0,
            sends: 0,
            acknowledged: 0,
        };
        for call in calls.iter().filter(|call| !call.failed()) {
            disk.meet(call);
        }
        disk.expect_all_flushed("at the end");
        disk
    }

    fn meet(&mut self, call: &Call) {
        match call.name.as_str() {
            "write" | "writev" | "pwrite64" | "ftruncate" | "sendto" | "sendmsg" => {
                self.write(call);
            }
            "fsync" | "fdatasync" => self.flush(call),
            "openat" if call.arguments.contains("O_CREAT") => {
                let path = call.answer.split_once('<').and_then(|(_, path)| path.strip_suffix('>'));
                // A journal without a byte in it says nothing.
                let path = PathBuf::from(path.unwrap());
                if !has_end(&path, "-wal") {
                    self.enter(&path, &call.arguments);
                }
            }
            "mkdir" | "mkdirat" => self.enter(&self.absolute(call.paths()[0]), "a folder"),
            "symlink" | "symlinkat" => self.enter(&self.absolute(call.paths()[1]), "a link"),
            "rename" | "renameat" | "renameat2" => {
                let paths = call.paths();
                self.rename(&self.absolute(paths[0]), &self.absolute(paths[1]));
            }
            "unlink" => {
                let path = self.absolute(call.paths()[0]);
                if has_end(&path, "-wal") {
                    self.empty_journal("removed");
                }
                self.unflushed.remove(&path);
                self.unlisted.retain(|_, what| !what.starts_with(&path.display().to_string()));
                self.known.remove(&path);
            }
            _ => {}
        }
    }

    fn write(&mut self, call: &Call) {
        let Some(file) = call.file() else { return };
        if file.starts_with("socket:") || file.starts_with("TCP:") {
            return self.send(call);
        }
        let path = PathBuf::from(file);
        if !path.starts_with(&self.root) || is_volatile(&path) {
            return;
        }
        if has_end(&path, "-wal") {
            if call.name == "ftruncate" {
                return self.empty_journal("cut to nothing");
            }
            if call.arguments.ends_with(", 0") {
                self.empty_journal("begun anew");
            }
            self.enter(&path, "a journal");
        }
        self.unflushed.insert(path);
    }

    /// Notes that the journal is emptied: from then on the store alone has what was committed.
    fn empty_journal(&mut self, how: &str) {
        if let Some(page) = self.unflushed.iter().find(|path| has_end(path, ".db")) {
            self.violations
                .push(format!("the journal is {how} before {} is flushed", page.display()));
        }
    }

    fn flush(&mut self, call: &Call) {
        let path = PathBuf::from(call.file().unwrap());
        let was_written = self.unflushed.remove(&path);
        self.unlisted.remove(&path);
        if has_end(&path, "-wal") && was_written {
            // A commit: what it says was done must be on the disk.
            self.commits += 1;
            if self.is_published {
                self.expect_published_flushed();
            }
        }
    }

    fn expect_published_flushed(&mut self) {
        let out = self.root.join("out");
        let open = self
            .unlisted
            .iter()
            .filter(|(folder, _)| out.starts_with(folder) || folder.starts_with(&out));
        let told: Vec<String> = open
            .map(|(folder, what)| format!("committed before {} lists {what}", folder.display()))
            .collect();
        self.violations.extend(told);
    }

    fn enter(&mut self, path: &Path, what: &str) {
        if path.starts_with(&self.root) && !is_volatile(path) && self.known.insert(path.to_owned())
        {
            let folder = path.parent().unwrap().to_owned();
            self.unlisted.insert(folder, format!("{} ({what})", path.display()));
        }
    }

    fn rename(&mut self, from: &Path, to: &Path) {
        self.renames += 1;
        self.is_published |= to.starts_with(self.root.join("out"));
        let open = self.unflushed.iter().filter(|path| path.starts_with(from));
        let files = open.map(|path| format!("{} is shown before it is flushed", path.display()));
        let open = self.unlisted.iter().filter(|(folder, _)| folder.starts_with(from));
        let folders = open
            .map(|(folder, what)| format!("{} is shown before it lists {what}", folder.display()));
        let told: Vec<String> = files.chain(folders).collect();
        self.violations.extend(told);
        self.known.remove(to);
        self.enter(to, "renamed");
        if let Some(folder) = from.parent().filter(|folder| *folder != to.parent().unwrap()) {
            self.unlisted.insert(folder.to_owned(), format!("that {} is gone", from.display()));
        }
    }

    fn send(&mut self, call: &Call) {
        if call.arguments.contains("\"POST ") {
            self.sends += 1;
            if self.commits == 0 {
                self.violations.push(format!("sent without a claim: {}", call.arguments));
            }
            self.expect_all_flushed("sent");
        }
        if call.arguments.contains("HTTP/1.1 200") {
            self.acknowledged += 1;
            self.expect_all_flushed("acknowledged");
        }
    }

    fn expect_all_flushed(&mut self, when: &str) {
        let files = self.unflushed.iter().filter(|path| !has_end(path, ".lock"));
        let files = files.map(|path| format!("{when} before {} is flushed", path.display()));
        let folders = self.unlisted.iter();
        let folders = folders
            .map(|(folder, what)| format!("{when} before {} lists {what}", folder.display()));
        let told: Vec<String> = files.chain(folders).collect();
        self.violations.extend(told);
    }

    fn absolute(&self, path: &str) -> PathBuf {
        let whole = self.root.join(path);
        whole.components().filter(|part| !matches!(part, Component::CurDir)).collect()
    }
}

fn has_end(path: &Path, end: &str) -> bool {
    path.to_string_lossy().ends_with(end)
}

/// What nobody needs after a crash: SQLite makes the one anew, the others are empty.
fn is_volatile(path: &Path) -> bool {
    has_end(path, "-shm") || has_end(path, ".lock")
}

/// Everything that is in the workspace, by its path.
fn there(workspace: &Workspace) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root(workspace)]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path.clone());
            }
            found.push(path);
        }
    }
    found
}

fn root(workspace: &Workspace) -> PathBuf {
    workspace.path("").canonicalize().unwrap()
}

/// Runs a command that must do its work, and returns what it left on the disk and what it called.
fn traced(workspace: &Workspace, args: &[&str]) -> (Disk, Vec<PathBuf>, Vec<Call>) {
    let known = there(workspace);
    let (calls, outcome) = calls_of(&workspace.command(args), CALLS);
    assert!([0, 3].contains(&outcome.code), "{args:?}: {}", outcome.stderr);
    (Disk::after(&root(workspace), &known, &calls), known, calls)
}

#[track_caller]
fn assert_sound(disk: &Disk, what: &str) {
    assert_eq!(disk.violations, Vec::<String>::new(), "{what}");
}

fn row(number: u32) -> String {
    format!(
        "{number},2026-11-18T09:00:00Z,Osoba Numer{number},osoba{number}@przyklad.pl,+486000{number:05},Firma,PL,\
         Prosze o wycene,yes"
    )
}

#[test]
fn what_a_run_shows_is_on_the_disk_before_it_shows_it() {
    if !is_there() {
        return;
    }
    let workspace = Workspace::new();
    workspace.table("one.csv", &[&row(1), &row(2)]);
    let (disk, known, calls) = traced(&workspace, &["run", "--quiet"]);
    assert_sound(&disk, "the first run");
    // The run's folder and the link to it.
    assert!(disk.renames >= 2 && disk.commits >= 3, "{} {}", disk.renames, disk.commits);
    workspace.table("two.csv", &[&row(3)]);
    for args in [
        &["run", "--quiet"][..],
        &["undo", "2026-11-20-0001", "--quiet"],
        &["rescore", "--quiet"],
        &["subject", "forget", "osoba3@przyklad.pl", "--because", "asked", "--quiet"],
    ] {
        let (disk, _, _) = traced(&workspace, args);
        assert_sound(&disk, args[0]);
        assert!(disk.commits > 0, "{args:?}");
    }
    // What this looks for is found: each flush that is left out is missed.
    let flushes: Vec<usize> = (0..calls.len())
        .filter(|at| {
            let name = calls[*at].file().unwrap_or_default();
            calls[*at].name == "fsync" && name.contains("/out") && !calls[*at].failed()
        })
        .collect();
    assert!(flushes.len() > 10, "only {} files and folders are flushed", flushes.len());
    for flush in flushes {
        let mut fewer = calls.clone();
        let left_out = fewer.remove(flush);
        let disk = Disk::after(&root(&workspace), &known, &fewer);
        assert!(!disk.violations.is_empty(), "nobody misses {left_out:?}");
    }
}

#[test]
fn what_any_other_command_shows_is_on_the_disk_before_it_shows_it() {
    if !is_there() {
        return;
    }
    for args in every_command::COMMANDS {
        let workspace = every_command::copy_of(every_command::world());
        let (disk, _, _) = traced(&workspace, args);
        assert_sound(&disk, &format!("{args:?}"));
        let shows = disk.commits + disk.renames;
        assert!(shows > 0 || args[0] == "rebuild", "{args:?} shows nothing: the test is blind");
        // A name that is not on the disk yet may be that of the only copy.
        assert_eq!(disk.unlisted, BTreeMap::new(), "{args:?}");
    }
}

#[test]
fn a_backup_is_on_the_disk_with_the_folders_that_were_made_for_it() {
    if !is_there() {
        return;
    }
    let workspace = Workspace::new();
    workspace.table("one.csv", &[&row(1)]);
    workspace.ok(&["run", "--quiet"]);
    let args = ["backup", "far/away/", "--quiet"];
    let (disk, known, calls) = traced(&workspace, &args);
    assert_sound(&disk, "a backup");
    assert_eq!(disk.unlisted, BTreeMap::new());
    // What this looks for is found: whatever is not flushed at all is missed.
    let folder = root(&workspace).join("far/away");
    let is_flush = |call: &Call| ["fsync", "fdatasync"].contains(&call.name.as_str());
    let flushed: BTreeSet<&str> =
        calls.iter().filter(|call| is_flush(call)).filter_map(Call::file).collect();
    let ours = flushed.iter().filter(|path| {
        path.ends_with(".part")
            || folder.starts_with(path) && path.starts_with(&*root(&workspace).to_string_lossy())
    });
    let mut left_out = 0;
    for path in ours {
        let is_of_it = |call: &Call| is_flush(call) && call.file() == Some(path);
        let fewer: Vec<Call> = calls.iter().filter(|call| !is_of_it(call)).cloned().collect();
        let disk = Disk::after(&root(&workspace), &known, &fewer);
        assert!(!disk.violations.is_empty() || !disk.unlisted.is_empty(), "nobody misses {path}");
        left_out += 1;
    }
    assert_eq!(left_out, 5, "the copy, its record and three folders");
    // The same for a workspace that a run makes.
    workspace.table("two.csv", &[&row(2)]);
    let args = ["run", "inbox/two.csv", "--workspace", "new/one", "--quiet"];
    let (disk, _, _) = traced(&workspace, &args);
    assert_sound(&disk, "a run in a new folder");
    assert!(workspace.path("new/one/out/latest").exists());
}

#[test]
fn a_file_that_was_asked_for_is_on_the_disk_when_the_command_ends() {
    if !is_there() {
        return;
    }
    let workspace = Workspace::new();
    workspace.table("one.csv", &[&row(1)]).file("for-them/.keep", "");
    workspace.ok(&["run", "--quiet"]);
    let output = "for-them/osoba.json";
    let args = ["subject", "export", "osoba1@przyklad.pl", "--output", output];
    let (disk, _, _) = traced(&workspace, &args);
    assert_sound(&disk, "an export");
    assert!(disk.renames > 0 && workspace.path(output).is_file());
    let folder = root(&workspace).join("for-them");
    assert_eq!(disk.unlisted.get(&folder), None, "its name is not on the disk");
}

#[test]
fn what_is_sent_was_claimed_on_the_disk_before_its_first_byte() {
    if !is_there() {
        return;
    }
    let workspace = Workspace::new();
    workspace.table("one.csv", &[&row(1), &row(2), &row(3)]);
    let receiver = far_end::Receiver::start(|_| answer(204));
    workspace.file(
        "rules/outbox.toml",
        format!(
            "[[endpoint]]\nid = \"hook\"\nkind = \"http\"\nrequest = \"webhook\"\ntarget = \"leads-json\"\n\
             url = \"{}\"\nbecause = \"a test\"\nrate = 100000\nbatch = 1\nconcurrency = 1\n\
             secret = {{ file = \"secret\" }}\n",
            receiver.url("hook")
        ),
    );
    workspace.secret("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    workspace.ok(&["run", "--quiet"]);
    let (disk, _, _) = traced(&workspace, &["deliver", "--quiet"]);
    assert_eq!(receiver.count("hook"), 3);
    assert_eq!(disk.sends, 3, "not every request was seen");
    assert_sound(&disk, "deliver");
}

#[test]
fn what_is_acknowledged_is_on_the_disk_before_the_answer() {
    if !is_there() {
        return;
    }
    let workspace = Workspace::new();
    workspace.file(
        "rules/receive.toml",
        "[[form]]\nid = \"contact\"\npath = \"/contact\"\nsource = \"generic-json\"\ncheck = \"none\"\n\
         because = \"a test\"\n",
    );
    let known = there(&workspace);
    let (receiver, log) = Receiver::start_traced(&workspace, CALLS);
    for number in 0..3 {
        let body = format!("{{\"email\":\"osoba{number}@przyklad.pl\",\"name\":\"Osoba\"}}");
        receiver.post("/contact", "application/json", body).receipt();
    }
    let calls = receiver.stop_traced(&log);
    let disk = Disk::after(&root(&workspace), &known, &calls);
    assert_eq!(disk.acknowledged, 3, "not every answer was seen");
    assert_sound(&disk, "receive");
}
