//! The program under strace: its system calls counted, one of them made the last, one of them made to fail, or all of
//! them written down.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use tempfile::NamedTempFile;

use super::workspace::{Outcome, Workspace};

/// Calls that change what is on the disk, or promise that it stays there.
pub const MUTATING: &[&str] = &[
    "openat",
    "write",
    "writev",
    "pwrite64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "fallocate",
    "copy_file_range",
    "sendfile",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "symlink",
    "symlinkat",
    "link",
    "linkat",
    "flock",
];

/// A place in a run: the `nth` time that a thread makes `call`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    pub call: String,
    pub nth: usize,
}

/// A system call as strace wrote it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub thread: u32,
    pub name: String,
    /// The arguments, as strace spells them, with the path of every file in angle brackets.
    pub arguments: String,
    /// What came back; `?` for a call that never did.
    pub answer: String,
}

impl Call {
    pub fn failed(&self) -> bool {
        self.answer.starts_with('-') || self.answer.starts_with('?')
    }

    /// The path of the file that the first argument is open on.
    pub fn file(&self) -> Option<&str> {
        let first = self.arguments.split(',').next()?;
        first.split_once('<')?.1.strip_suffix('>')
    }

    /// The quoted arguments, as far as strace spells paths.
    pub fn paths(&self) -> Vec<&str> {
        self.arguments.split('"').skip(1).step_by(2).collect()
    }
}

/// Returns whether strace can be used here; says so where it cannot, and the test passes unasked.
#[expect(
    clippy::explicit_write,
    reason = "past the capturing of tests that pass: who reads the log is to know what was not looked at"
)]
pub fn is_there() -> bool {
    static IS_THERE: OnceLock<bool> = OnceLock::new();
    *IS_THERE.get_or_init(|| {
        let probe = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=write", "true"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let is_there = probe.is_ok_and(|status| status.success());
        if !is_there {
            let text = "strace cannot be used here: kills and faults at system calls, and the order of flushes, were \
                        not looked at";
            writeln!(std::io::stderr(), "\n{text}").unwrap();
        }
        is_there
    })
}

/// Returns `command` as strace runs it with `options`.
pub fn under(options: &[&str], command: &Command) -> Command {
    let mut traced = Command::new("strace");
    // Without `--seccomp-bpf`, with which strace 6.1 loses count of the calls that it is to disturb.
    traced.args(["-f", "-qq"]).args(options);
    traced.arg(command.get_program()).args(command.get_args());
    traced.env_clear().stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            traced.env(name, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        traced.current_dir(folder);
    }
    traced
}

/// Where strace writes down the calls that it was asked for.
pub struct Log {
    file: NamedTempFile,
    options: Vec<String>,
}

impl Log {
    /// With the beginning of what is written.
    pub fn of(calls: &[&str]) -> Self {
        Self::with(calls, 256)
    }

    /// With every byte that is written.
    pub fn whole(calls: &[&str]) -> Self {
        Self::with(calls, 1 << 26)
    }

    fn with(calls: &[&str], bytes: u32) -> Self {
        let file = NamedTempFile::new().unwrap();
        // Some machines lack `rename`, some `renameat`: what is not there is not asked for.
        let calls: Vec<String> = calls.iter().map(|call| format!("?{call}")).collect();
        let options = [
            "-y".to_owned(),
            "-s".to_owned(),
            bytes.to_string(),
            "-o".to_owned(),
            file.path().display().to_string(),
            "-e".to_owned(),
            format!("trace={}", calls.join(",")),
            "-e".to_owned(),
            "signal=none".to_owned(),
        ];
        Self { file, options: options.to_vec() }
    }

    pub fn options(&self) -> Vec<&str> {
        self.options.iter().map(String::as_str).collect()
    }

    pub fn calls(&self) -> Vec<Call> {
        parse(&std::fs::read_to_string(self.file.path()).unwrap())
    }
}

/// Runs the command and returns every one of `calls` that it made, in the order in which they came back.
pub fn calls_of(command: &Command, calls: &[&str]) -> (Vec<Call>, Outcome) {
    let log = Log::of(calls);
    let outcome = under(&log.options(), command).output().unwrap().into();
    (log.calls(), outcome)
}

/// Runs the command, which is killed when it comes to `point`.
pub fn killed_at(point: &Point, command: &Command) -> Outcome {
    injected(point, "signal=SIGKILL", command)
}

/// Runs the command, in which the call at `point` fails with `error` without being made.
pub fn failing_at(point: &Point, error: &str, command: &Command) -> Outcome {
    injected(point, &format!("error={error}"), command)
}

fn injected(point: &Point, what: &str, command: &Command) -> Outcome {
    let trace = format!("trace={}", point.call);
    let inject = format!("inject={}:{what}:when={}", point.call, point.nth);
    under(&["-o", "/dev/null", "-e", &trace, "-e", &inject], command).output().unwrap().into()
}

/// Reads what strace wrote: `12 write(3</tmp/x>, "a"..., 1) = 1`, of two threads at once in two halves.
fn parse(log: &str) -> Vec<Call> {
    const OPEN: &str = " <unfinished ...>";
    let mut halves: BTreeMap<u32, String> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let Some((thread, text)) = line.split_once(' ') else { continue };
        let thread: u32 = thread.parse().unwrap_or_else(|_| panic!("no thread in {line:?}"));
        let text = text.trim_start();
        if let Some(start) = text.strip_suffix(OPEN) {
            halves.insert(thread, start.to_owned());
            continue;
        }
        let whole = match text.split_once(" resumed>") {
            Some((_, end)) => halves.remove(&thread).unwrap_or_default() + end,
            None => text.to_owned(),
        };
        calls.extend(call_of(thread, &whole));
    }
    // What never came back was on its way when the process ended.
    for (thread, start) in halves {
        calls.extend(call_of(thread, &format!("{start}) = ?")));
    }
    calls
}

fn call_of(thread: u32, text: &str) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let (arguments, answer) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')').unwrap_or(arguments);
    let word =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    word(&name.replace('_', "")).then(|| Call {
        thread,
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        answer: answer.to_owned(),
    })
}

/// The arguments of a call, taken apart.
pub struct Arguments {
    pub handles: Vec<(u32, PathBuf)>,
    /// What stands in quotes, as bytes and as paths from the folder that is named before it, else from the root.
    texts: Vec<Vec<u8>>,
    pub paths: Vec<PathBuf>,
    plain: String,
}

impl Arguments {
    pub fn of(text: &str, root: &Path) -> Self {
        let mut found = Self {
            handles: Vec::new(),
            texts: Vec::new(),
            paths: Vec::new(),
            plain: String::new(),
        };
        let mut base = root.to_owned();
        let mut rest = text;
        while let Some(at) = rest.find(['"', '<']) {
            found.plain.push_str(&rest[..at]);
            if rest[at..].starts_with('"') {
                let (bytes, after) = unquoted(&rest[at + 1..]);
                assert!(!after.starts_with("..."), "strace left bytes out");
                let path = base.join(String::from_utf8_lossy(&bytes).trim_end_matches('/'));
                found.paths.push(path.components().collect());
                found.texts.push(bytes);
                rest = after;
            } else {
                let (path, after) = rest[at + 1..].split_once('>').unwrap();
                base = PathBuf::from(path);
                let handle: String =
                    found.plain.chars().rev().take_while(char::is_ascii_digit).collect();
                let handle: String = handle.chars().rev().collect();
                if let Ok(handle) = handle.parse() {
                    found.handles.push((handle, base.clone()));
                }
                rest = after;
            }
        }
        found.plain.push_str(rest);
        found
    }

    /// The first `count` bytes of what was to be written.
    pub fn bytes(&self, count: usize) -> Vec<u8> {
        let mut all = self.texts.concat();
        assert!(all.len() >= count, "strace left bytes out");
        all.truncate(count);
        all
    }

    pub fn last(&self) -> usize {
        number(self.plain.rsplit(',').next().unwrap())
    }
}

/// Returns what stands before the next quotation mark, with strace's escapes undone, and what stands after it.
fn unquoted(text: &str) -> (Vec<u8>, &str) {
    let bytes = text.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    loop {
        match bytes[at] {
            b'"' => return (found, &text[at + 1..]),
            b'\\' => {
                at += 1;
                let octal: usize = bytes[at..]
                    .iter()
                    .take(3)
                    .take_while(|byte| (b'0'..b'8').contains(byte))
                    .count();
                if octal > 0 {
                    let value = u16::from_str_radix(&text[at..at + octal], 8).unwrap();
                    found.push(u8::try_from(value).unwrap());
                    at += octal;
                    continue;
                }
                found.push(match bytes[at] {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'v' => 0x0b,
                    b'f' => 0x0c,
                    other => other,
                });
            }
            other => found.push(other),
        }
        at += 1;
    }
}

pub fn number(text: &str) -> usize {
    text.trim().parse().unwrap_or_else(|_| panic!("no number: {text}"))
}

/// Returns every place at which a run that made `calls` can be met, in the order in which it comes to them.
///
/// Strace counts the calls of each thread by themselves, so the `nth` of one thread hides those of the threads that
/// come to their own later.
pub fn points(calls: &[Call], names: &[&str]) -> Vec<Point> {
    let mut counts: BTreeMap<(u32, &str), usize> = BTreeMap::new();
    let mut found = Vec::new();
    let mut is_known = std::collections::BTreeSet::new();
    for call in calls.iter().filter(|call| names.contains(&call.name.as_str())) {
        let nth = counts.entry((call.thread, &call.name)).or_default();
        *nth += 1;
        if is_known.insert((call.name.as_str(), *nth)) {
            found.push(Point { call: call.name.clone(), nth: *nth });
        }
    }
    found
}

/// Returns `count` of what may be met, evenly spread; all of it when `LEADMILL_EVERY_CALL` is 1, every n-th when it is n.
pub fn some_of<T: Clone>(points: &[T], count: usize) -> Vec<T> {
    if let Ok(step) = std::env::var("LEADMILL_EVERY_CALL") {
        return points.iter().step_by(step.parse().unwrap()).cloned().collect();
    }
    if points.len() <= count {
        return points.to_vec();
    }
    // From the midst of each part: a command begins by opening what cannot be missing.
    (0..count).map(|number| points[(2 * number + 1) * points.len() / (2 * count)].clone()).collect()
}

/// What a call may be told, beside being told that the disk is broken.
fn errors_of(call: &str) -> &'static [&'static str] {
    match call {
        "openat" => &["EIO", "ENOSPC", "EMFILE", "EACCES"],
        "write" | "writev" | "pwrite64" | "fsync" | "fdatasync" | "ftruncate" | "fallocate" => {
            &["EIO", "ENOSPC"]
        }
        "copy_file_range" | "sendfile" => &["EIO", "ENOSPC"],
        "mkdir" | "mkdirat" | "rename" | "renameat" | "renameat2" | "symlink" | "symlinkat"
        | "link" | "linkat" => &["EIO", "ENOSPC", "EACCES"],
        "unlink" | "unlinkat" | "rmdir" => &["EIO", "EACCES"],
        "connect" => &["ECONNREFUSED", "ETIMEDOUT"],
        "sendto" | "recvfrom" => &["ECONNRESET"],
        _ => &["EIO"],
    }
}

/// Returns every fault that may be met at `points`.
pub fn faults(points: &[Point]) -> Vec<(Point, &'static str)> {
    let of_point = |point: &Point| {
        let point = point.clone();
        errors_of(&point.call).iter().map(|error| (point.clone(), *error)).collect::<Vec<_>>()
    };
    points.iter().flat_map(of_point).collect()
}

/// Returns whether what a command said tells that it failed at `place`. A fault is met by each thread at its own `nth`
/// call, so one of a `write` may take the line that says so.
pub fn says_why(said: &str, place: &str) -> bool {
    said.contains("error: ") || place.contains("call: \"write\"")
}

/// How many workers share a sweep: one for each core.
pub fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, NonZero::get)
}

/// How many failures end a sweep: whoever mends one wants to know of its neighbours, not of thousands.
const ENOUGH: usize = 20;

/// Does `work` for each item, on all cores. What panics says so and the rest goes on, until there was [`ENOUGH`] of it;
/// then the sweep fails as the first one did.
pub fn each<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let panics = Mutex::new(Vec::new());
    let work_off = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(item))) {
                let mut panics = panics.lock().unwrap();
                panics.push(panic);
                if panics.len() == ENOUGH {
                    next.store(items.len(), Ordering::Relaxed);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..workers() {
            scope.spawn(work_off);
        }
    });
    if let Some(first) = panics.into_inner().unwrap().into_iter().next() {
        resume_unwind(first);
    }
}

/// Counts from several threads at once.
#[derive(Debug, Default)]
pub struct Count(AtomicU32);

impl Count {
    pub fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Makes a workspace whose files never come to a disk, where the system has such a place: nothing here cuts the power.
pub fn workspace() -> Workspace {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { Workspace::below(&memory) } else { Workspace::new() }
}

#[test]
fn what_strace_writes_is_read() {
    let log = "7 openat(AT_FDCWD</tmp/x>, \"/tmp/x/a\", O_WRONLY|O_CREAT, 0600) = 5</tmp/x/a>\n\
               7 write(5</tmp/x/a>, \"id = (1)\\n\"..., 9 <unfinished ...>\n\
               8 fsync(6</tmp/x>)        = -1 EIO (Input/output error)\n\
               7 <... write resumed>) = 9\n\
               7 rename(\"/tmp/x/a\", \"/tmp/x/b\") = 0\n\
               8 fdatasync(9</tmp/y> <unfinished ...>\n\
               7 +++ exited with 0 +++\n";
    let calls = parse(log);
    let told: Vec<String> =
        calls.iter().map(|call| format!("{} {} {}", call.thread, call.name, call.answer)).collect();
    assert_eq!(
        told,
        [
            "7 openat 5</tmp/x/a>",
            "8 fsync -1 EIO (Input/output error)",
            "7 write 9",
            "7 rename 0",
            "8 fdatasync ?"
        ]
    );
    assert_eq!(calls[1].file(), Some("/tmp/x"));
    assert_eq!(calls[3].paths(), ["/tmp/x/a", "/tmp/x/b"]);
    assert!(calls[1].failed() && calls[4].failed() && !calls[2].failed());
    let points = points(&calls, &["write", "fsync", "rename"]);
    assert_eq!(points.len(), 3);
    assert_eq!(points[0], Point { call: "fsync".to_owned(), nth: 1 });
}
