//! Tiny builders: a folder with an inbox, the command in it, and what came of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// The instant that counts as now unless a test says otherwise.
pub const AS_OF: &str = "2026-11-20T19:00:00Z";

/// The header of [`Workspace::table`].
pub const HEADER: &str =
    "id,created_at,full_name,email,phone,company,country,message,marketing_consent";

/// Columns of a terminal that everything printed must fit.
const TERMINAL_COLUMNS: usize = 80;

/// A workspace in a folder of its own, which goes away with it.
pub struct Workspace {
    folder: PathBuf,
    _until_dropped: Option<TempDir>,
}

/// What a command left: its exit code (128 and the signal, when one ended it) and its output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Numbers that look drawn and are the same every time (xorshift64), so that a sweep that fails can be had again.
pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        Self(0x2545_f491_4f6c_dd1d)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Files by their path below a folder.
pub type Files = BTreeMap<String, Vec<u8>>;

impl Workspace {
    /// Makes an empty one.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder: folder.path().to_owned(), _until_dropped: Some(folder) }
    }

    /// Makes one at `folder`, which somebody else takes away.
    pub fn at(folder: PathBuf) -> Self {
        fs::create_dir_all(&folder).unwrap();
        Self { folder, _until_dropped: None }
    }

    /// Makes an empty one in a folder of its own below `folder`.
    pub fn below(folder: &Path) -> Self {
        let folder = tempfile::tempdir_in(folder).unwrap();
        Self { folder: folder.path().to_owned(), _until_dropped: Some(folder) }
    }

    /// Returns the one workspace, for looking only, in which the fixtures were run once.
    pub fn fixtures_run() -> &'static Self {
        static RUN: OnceLock<Workspace> = OnceLock::new();
        RUN.get_or_init(|| {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixtures-run");
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            let workspace = Self { folder, _until_dropped: None };
            for (name, bytes) in fixtures() {
                workspace.input(&name, &bytes);
            }
            workspace.ok(&["run"]);
            workspace
        })
    }

    /// Makes one whose inbox holds the fixture exports.
    pub fn with_fixtures() -> Self {
        let workspace = Self::new();
        for (name, bytes) in fixtures() {
            workspace.input(&name, &bytes);
        }
        workspace
    }

    /// Returns a path in the workspace.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file, and the folders above it.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// Writes a file that nobody else may read.
    pub fn secret(&self, name: &str, text: &str) -> &Self {
        self.file(name, text);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        self
    }

    /// Puts a file into the inbox.
    pub fn input(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        self.file(&format!("inbox/{name}"), bytes)
    }

    /// Puts a table with [`HEADER`] into the inbox.
    pub fn table(&self, name: &str, rows: &[&str]) -> &Self {
        self.input(name, table(rows))
    }

    /// Empties the inbox.
    pub fn clear_inbox(&self) -> &Self {
        fs::remove_dir_all(self.path("inbox")).unwrap();
        fs::create_dir_all(self.path("inbox")).unwrap();
        self
    }

    /// Empties the inbox, or makes it.
    pub fn clear_or_make_inbox(&self) -> &Self {
        fs::create_dir_all(self.path("inbox")).unwrap();
        self.clear_inbox()
    }

    /// Returns the command, run in the workspace with nothing in its environment but `PATH`.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leadmill"));
        command.env_clear().current_dir(&self.folder).stdin(Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        // Else two ledgers would never be the same.
        command.env("LEADMILL_TEST_SALTS", "suite");
        command.args(args);
        if !args.contains(&"--as-of") {
            command.args(["--as-of", AS_OF]);
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Outcome {
        self.command(args).output().unwrap().into()
    }

    /// Runs a command behind `before` in a shell: a limit, say.
    pub fn run_in_shell(&self, before: &str, args: &[&str]) -> Outcome {
        let plain = self.command(args);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{before} exec \"$0\" \"$@\"")]);
        shell.arg(plain.get_program()).args(plain.get_args());
        shell.env_clear().current_dir(plain.get_current_dir().unwrap());
        shell.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.output().unwrap().into()
    }

    /// Runs a command with something on its stdin.
    pub fn run_with_stdin(&self, args: &[&str], stdin: &[u8]) -> Outcome {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// Runs a command that must end well.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> Outcome {
        let outcome = self.run(args);
        assert_eq!(outcome.code, 0, "{args:?}\n{}\n{}", outcome.stdout, outcome.stderr);
        outcome
    }

    /// Runs a command that must do its work, be it with something for somebody to look at: a lead of few values may be
    /// one that a target refuses.
    #[track_caller]
    pub fn done(&self, args: &[&str]) -> Outcome {
        let outcome = self.run(args);
        let is_done = [0, 3].contains(&outcome.code);
        assert!(is_done, "{args:?}: {}\n{}\n{}", outcome.code, outcome.stdout, outcome.stderr);
        outcome
    }

    /// Lets leads be sent to `url` as they are.
    pub fn hook(&self, url: &str) -> &Self {
        self.secret("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").file(
            "rules/outbox.toml",
            format!(
                "[[endpoint]]\nid = \"hook\"\nkind = \"http\"\nrequest = \"webhook\"\ntarget = \"leads-json\"\n\
                 url = \"{url}\"\nbecause = \"a test\"\nsecret = {{ file = \"secret\" }}\n"
            ),
        )
    }

    /// Changes the store as somebody does who has an SQLite shell, on purpose: its checksums are to be made anew then.
    pub fn edit(&self, sql: &str) {
        let store = Connection::open(self.path("leadmill.db")).unwrap();
        store.execute_batch(sql).unwrap();
        drop(store);
        let _ = fs::remove_file(self.path("leadmill.db.sums"));
    }

    /// Opens the store for reading.
    pub fn store(&self) -> Connection {
        Connection::open_with_flags(self.path("leadmill.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)
            .unwrap()
    }

    /// Returns the rows of a query, every value as text.
    pub fn sql(&self, query: &str) -> Vec<Vec<String>> {
        rows(&self.store(), query)
    }

    /// Returns the one number that a query yields.
    #[track_caller]
    pub fn number(&self, query: &str) -> i64 {
        self.store().query_row(query, [], |row| row.get(0)).unwrap()
    }

    /// Returns every table of the store as text, in the order of its columns.
    pub fn dump(&self) -> String {
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        self.dump_of(&self.sql(tables).concat())
    }

    /// Returns these tables and views as text, each in the order of its columns.
    pub fn dump_of(&self, names: &[String]) -> String {
        let store = self.store();
        let mut text = String::new();
        for name in names {
            let columns = rows(&store, &format!("SELECT name FROM pragma_table_info('{name}')"));
            let order: Vec<String> =
                columns.iter().map(|column| format!("\"{}\"", column[0])).collect();
            writeln!(text, "== {name}").unwrap();
            let query = format!("SELECT * FROM \"{name}\" ORDER BY {}", order.join(", "));
            for row in rows(&store, &query) {
                writeln!(text, "{}", row.join("|")).unwrap();
            }
        }
        text
    }

    /// Returns everything published, by its path below `out/runs`.
    pub fn published(&self) -> Files {
        files_below(&self.path("out/runs"))
    }

    /// Returns a published file of the latest run.
    #[track_caller]
    pub fn latest(&self, name: &str) -> String {
        let path = self.path("out/latest").join(name);
        let bytes = fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
        String::from_utf8(bytes).unwrap()
    }

    /// Returns `run.json` of the latest run.
    pub fn run_json(&self) -> serde_json::Value {
        serde_json::from_str(&self.latest("run.json")).unwrap()
    }

    /// Returns the rows of `crm/leads.csv` of the latest run, each by its headers.
    pub fn leads_csv(&self) -> Vec<BTreeMap<String, String>> {
        let text = self.latest("crm/leads.csv");
        csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
    }

    /// Returns segment and score of the lead with this address, as in `warm 59`.
    #[track_caller]
    pub fn standing(&self, email: &str) -> String {
        let query = format!("SELECT segment || ' ' || score FROM leads WHERE email = '{email}'");
        self.sql(&query)[0][0].clone()
    }

    /// Returns which rows form a lead: for each lead its (input, line) pairs, all sorted.
    pub fn clusters(&self) -> Vec<Vec<String>> {
        self.grouped("SELECT lead_no, input || ':' || line FROM submissions")
    }

    /// Returns which rows, as received, form a lead, all sorted.
    pub fn clusters_by_raw(&self) -> Vec<Vec<String>> {
        self.grouped("SELECT lead_no, raw FROM submissions")
    }

    /// Groups the second column of `query` by the first and forgets the first.
    fn grouped(&self, query: &str) -> Vec<Vec<String>> {
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in self.sql(query) {
            groups.entry(row[0].clone()).or_default().push(row[1].clone());
        }
        let mut groups: Vec<Vec<String>> = groups.into_values().collect();
        for group in &mut groups {
            group.sort();
        }
        groups.sort();
        groups
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: code_of(output.status),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Outcome {
    /// Returns the one JSON object on the last line of stdout.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        let line = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|fault| panic!("{fault}: {line}"))
    }

    /// Returns the words of stdout with a blank between them, wherever the lines were wrapped.
    pub fn flat(&self) -> String {
        self.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Fails unless the exit code is `code`.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Fails unless stderr says every one of `words`.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "stderr does not say {word:?}: {}", self.stderr);
        }
        self
    }
}

/// Returns the package's own folder.
pub fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the fixture exports by `<source>/<file>`.
pub fn fixtures() -> Files {
    let mut files = files_below(&package().join("fixtures/exports"));
    files.retain(|name, _| name.contains('/'));
    assert!(files.len() >= 10, "only {} fixture exports", files.len());
    files
}

/// Returns a table with [`HEADER`].
pub fn table(rows: &[&str]) -> String {
    let mut text = format!("{HEADER}\n");
    for row in rows {
        text.push_str(row);
        text.push('\n');
    }
    text
}

/// Returns all files below a folder; links are not followed.
pub fn files_below(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for entry in entries {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let name = entry.path().strip_prefix(folder).unwrap().display().to_string();
                files.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    files
}

/// Fails with the first line that is wider than a terminal, and when there is none at all.
#[track_caller]
pub fn assert_fits_a_terminal(text: &str) {
    assert!(!text.is_empty(), "nothing was printed");
    let wide = text.lines().find(|line| line.chars().count() > TERMINAL_COLUMNS);
    assert_eq!(wide, None, "in\n{text}");
}

/// Fails with the first difference, which is all one wants to read of two long texts.
#[track_caller]
pub fn assert_same_text(what: &str, left: &str, right: &str) {
    if left == right {
        return;
    }
    for (number, (a, b)) in left.lines().zip(right.lines()).enumerate() {
        assert_eq!(a, b, "{what} differs in line {}", number + 1);
    }
    panic!("{what}: {} lines against {}", left.lines().count(), right.lines().count());
}

/// Fails with the name of the first file that is missing or differs.
#[track_caller]
pub fn assert_same_files(left: &Files, right: &Files) {
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    for (name, bytes) in left {
        assert_same_text(
            name,
            &String::from_utf8_lossy(bytes),
            &String::from_utf8_lossy(&right[name]),
        );
        assert_eq!(bytes, &right[name], "{name}");
    }
}

/// Returns the exit code as a shell would say it.
pub fn code_of(status: std::process::ExitStatus) -> i32 {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        if let Some(signal) = status.signal() {
            return 128 + signal;
        }
    }
    status.code().unwrap()
}

fn rows(store: &Connection, query: &str) -> Vec<Vec<String>> {
    let mut statement = store.prepare(query).unwrap();
    let columns = statement.column_count();
    statement
        .query_map([], |row| (0..columns).map(|at| row.get_ref(at).map(text_of)).collect())
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

fn text_of(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
    }
}
