//! Measures the whole nightly job beside a reference everybody can run: `sqlite3` importing the same file.
//!
//! ```text
//! cargo bench --bench whole_job -- --rows 100000,1000000 --rounds 3 --output FILE.md --json FILE.json
//! ```
//!
//! For every size an export of 21 columns is generated (25 % re-submissions, 3 % unusable), and each round runs, in
//! turn, the reference, leadmill on the CSV, the same file again, one row for each hundred more as the next night
//! brings them (of other people), the list of the next twenty tasks and the page of that store, then leadmill on the
//! same rows as JSONL, and those again. Where Python has `duckdb`, or `pandas` and `phonenumbers`, the scripts in `rivals/`
//! do the common denominator of the job on the same CSV in each round. Machines carry other load, so read the ratios to the reference of the same
//! minutes rather than the seconds; the table holds medians over the rounds.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail, ensure};
use clap::Parser;

#[path = "../tools/generate/invention/mod.rs"]
#[expect(dead_code, reason = "the fixtures use what this benchmark does not")]
mod invention;
mod measure;
mod output;
mod table;

use invention::{
    form_export::{COLUMNS, FormExport, Format},
    moment::{Moment, days_from_civil},
};
use measure::{Usage, notice};
use output::print;

/// Measures the whole nightly job beside `sqlite3 .import` of the same file.
#[derive(Parser)]
struct Arguments {
    /// Sizes to measure, in rows
    #[arg(long, value_delimiter = ',', default_value = "100000")]
    rows: Vec<u64>,
    /// Times each step is measured; the table shows the medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Markdown file the table is written to as well
    #[arg(long)]
    output: Option<PathBuf>,
    /// File that the same is written to as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Folder for the exports and stores, removed at the end; they take about 4 GB for each million rows
    #[arg(long, default_value = env!("CARGO_TARGET_TMPDIR"))]
    directory: PathBuf,
    /// Program measured instead of this build's leadmill, for comparing builds
    #[arg(long, default_value = env!("CARGO_BIN_EXE_leadmill"))]
    command: PathBuf,
    /// Python that the rivals' scripts are run by, as far as it has what they import
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Passed by `cargo bench`; means nothing here
    #[arg(long, hide = true)]
    bench: bool,
}

const AS_OF: &str = "2026-11-20T18:00:00Z";
const NEXT_NIGHT: &str = "2026-11-21T18:00:00Z";
/// Rows in the store for each that a night brings.
const ROWS_A_NIGHTLY_ROW: u64 = 100;

/// What is measured in each round, in the order in which it runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Reference,
    DuckDb,
    Pandas,
    Csv,
    CsvAgain,
    Nightly,
    Tasks,
    Page,
    JsonLines,
    JsonLinesAgain,
}

const STEPS: [Step; 10] = [
    Step::Reference,
    Step::DuckDb,
    Step::Pandas,
    Step::Csv,
    Step::CsvAgain,
    Step::Nightly,
    Step::Tasks,
    Step::Page,
    Step::JsonLines,
    Step::JsonLinesAgain,
];

impl Step {
    fn title(self) -> &'static str {
        match self {
            Self::Reference => "`sqlite3 .import` (reference)",
            Self::DuckDb => "a DuckDB script, less work",
            Self::Pandas => "a pandas script, less work",
            Self::Csv => "`leadmill run`, CSV",
            Self::CsvAgain => "the same CSV again",
            Self::Nightly => "a night's rows, 1 % more",
            Self::Tasks => "`leadmill tasks --limit 20`",
            Self::Page => "`leadmill report html`",
            Self::JsonLines => "`leadmill run`, JSONL",
            Self::JsonLinesAgain => "the same JSONL again",
        }
    }

    /// Returns its name for programs.
    fn id(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::DuckDb => "duckdb",
            Self::Pandas => "pandas",
            Self::Csv => "csv",
            Self::CsvAgain => "csv-again",
            Self::Nightly => "nightly",
            Self::Tasks => "tasks",
            Self::Page => "page",
            Self::JsonLines => "jsonl",
            Self::JsonLinesAgain => "jsonl-again",
        }
    }

    /// Returns what a rival's script imports, and where it lies; `None` for what is no rival.
    fn rival(self) -> Option<(&'static [&'static str], &'static str)> {
        match self {
            Self::DuckDb => Some((
                &["duckdb"],
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/rivals/duckdb_job.py"),
            )),
            Self::Pandas => Some((
                &["pandas", "phonenumbers"],
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/rivals/pandas_job.py"),
            )),
            _ => None,
        }
    }

    /// Returns how many rows it reads; `None` when it reads none.
    fn rows(self, size: &Size) -> Option<u64> {
        match self {
            Self::Tasks | Self::Page => None,
            Self::Nightly => Some(size.rows.div_ceil(ROWS_A_NIGHTLY_ROW)),
            _ => Some(size.rows),
        }
    }
}

/// One size: its three files and everything measured with them.
struct Size {
    rows: u64,
    csv: PathBuf,
    csv_bytes: u64,
    /// What the store takes after the first run on the CSV.
    store_bytes: u64,
    json_lines: PathBuf,
    /// What the night after brings.
    nightly: PathBuf,
    measured: Vec<(Step, Usage)>,
}

/// What leadmill is measured beside.
struct Versions<'a> {
    /// What `sqlite3 --version` prints; `None` where it is not installed.
    reference: Option<&'a str>,
    /// Modules of Python, each with its version.
    rivals: &'a [String],
}

/// The rivals whose modules Python has.
struct Rivals {
    steps: Vec<Step>,
    versions: Vec<String>,
}

impl Rivals {
    fn of(python: &Path) -> Self {
        let mut found = Self { steps: Vec::new(), versions: Vec::new() };
        for step in STEPS {
            let Some((modules, _)) = step.rival() else { continue };
            let versions: Option<Vec<String>> =
                modules.iter().map(|module| version_of_module(python, module)).collect();
            match versions {
                Some(versions) => {
                    found.steps.push(step);
                    found.versions.extend(versions);
                }
                None => notice(&format!(
                    "{} is skipped: {} has not all of {}",
                    step.title(),
                    python.display(),
                    modules.join(", ")
                )),
            }
        }
        found
    }

    /// Whether `step` can be measured, as far as it takes a rival.
    fn have(&self, step: Step) -> bool {
        step.rival().is_none() || self.steps.contains(&step)
    }
}

/// Returns a module of Python with its version, none when `python` has it not.
fn version_of_module(python: &Path, module: &str) -> Option<String> {
    let program = format!("import {module}; print({module}.__version__)");
    let output = Command::new(python).args(["-c", &program]).stdin(Stdio::null()).output().ok()?;
    let version = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| format!("{module} {}", version.trim()))
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let scratch = tempfile::Builder::new()
        .prefix("whole-job-")
        .tempdir_in(&arguments.directory)
        .with_context(|| format!("cannot create a folder in {}", arguments.directory.display()))?;
    let reference = measure::version_of(Path::new("sqlite3"));
    if reference.is_none() {
        notice("sqlite3 is not installed: the reference is skipped and no ratios are shown");
    }
    let rivals = Rivals::of(&arguments.python);
    let mut sizes = Vec::new();
    for &rows in &arguments.rows {
        let mut size = generate(rows, scratch.path())?;
        for round in 1..=arguments.rounds {
            for step in STEPS {
                if step == Step::Reference && reference.is_none() || !rivals.have(step) {
                    continue;
                }
                let usage = run(step, &size, &arguments, scratch.path())?;
                notice(&format!(
                    "{rows} rows, round {round} of {}: {}: {usage}",
                    arguments.rounds,
                    step.title()
                ));
                size.measured.push((step, usage));
                if step == Step::Csv {
                    let store = fs::metadata(scratch.path().join("csv/leadmill.db"));
                    size.store_bytes = store.map_or(0, |store| store.len());
                }
            }
        }
        for file in [&size.csv, &size.json_lines, &size.nightly] {
            fs::remove_file(file)?;
        }
        sizes.push(size);
    }
    let versions = Versions { reference: reference.as_deref(), rivals: &rivals.versions };
    let text = table::markdown(&sizes, &arguments, &versions)?;
    print(&text);
    let json = table::json(&sizes, &arguments, &versions);
    let json = serde_json::to_string_pretty(&json)? + "\n";
    for (output, text) in [(&arguments.output, text), (&arguments.json, json)] {
        if let Some(output) = output {
            fs::write(output, text)
                .with_context(|| format!("cannot write {}", output.display()))?;
        }
    }
    Ok(())
}

fn generate(rows: u64, scratch: &Path) -> anyhow::Result<Size> {
    let export = |rows, seed, day| {
        let until = Moment(days_from_civil(2026, 11, day) * 86_400 + 18 * 3600);
        FormExport { rows, duplicates_percent: 25, invalid_percent: 3, seed, until }
    };
    let write = |export: FormExport, format: Format, name: &str| -> anyhow::Result<PathBuf> {
        let path = scratch.join(name);
        let mut output = BufWriter::new(File::create(&path)?);
        export.write(format, &mut output, None)?;
        output.into_inner()?.sync_all()?;
        Ok(path)
    };
    notice(&format!("generating {rows} rows"));
    let csv = write(export(rows, 1, 20), Format::Csv, &format!("form-{rows}.csv"))?;
    Ok(Size {
        rows,
        csv_bytes: fs::metadata(&csv)?.len(),
        csv,
        store_bytes: 0,
        json_lines: write(export(rows, 1, 20), Format::JsonLines, &format!("form-{rows}.jsonl"))?,
        nightly: write(
            export(rows.div_ceil(ROWS_A_NIGHTLY_ROW), 2, 21),
            Format::Csv,
            &format!("night-{rows}.csv"),
        )?,
        measured: Vec::new(),
    })
}

/// Runs one step; the `again` steps use the workspace their forerunner left.
fn run(step: Step, size: &Size, arguments: &Arguments, scratch: &Path) -> anyhow::Result<Usage> {
    if let Some((_, script)) = step.rival() {
        let folder = fresh_workspace(scratch, step.id())?;
        return measure_rival(&arguments.python, script, &size.csv, &folder);
    }
    let leadmill = &*arguments.command;
    match step {
        Step::DuckDb | Step::Pandas => bail!("{} has no script", step.title()),
        Step::Reference => import(&size.csv, &scratch.join("reference.db")),
        Step::Csv => {
            let workspace = fresh_workspace(scratch, "csv")?;
            measure_run(leadmill, &workspace, &size.csv, AS_OF)
        }
        Step::CsvAgain => measure_run(leadmill, &scratch.join("csv"), &size.csv, AS_OF),
        Step::Nightly => measure_run(leadmill, &scratch.join("csv"), &size.nightly, NEXT_NIGHT),
        Step::Tasks => measure_look(leadmill, &scratch.join("csv"), &["tasks", "--limit", "20"]),
        Step::Page => measure_look(leadmill, &scratch.join("csv"), &["report", "html"]),
        Step::JsonLines => {
            let workspace = fresh_workspace(scratch, "jsonl")?;
            measure_run(leadmill, &workspace, &size.json_lines, AS_OF)
        }
        Step::JsonLinesAgain => {
            measure_run(leadmill, &scratch.join("jsonl"), &size.json_lines, AS_OF)
        }
    }
}

fn fresh_workspace(scratch: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let workspace = scratch.join(name);
    if workspace.exists() {
        fs::remove_dir_all(&workspace)?;
    }
    fs::create_dir(&workspace)?;
    Ok(workspace)
}

/// Imports the file into a bare table of text columns in a new database.
fn import(csv: &Path, database: &Path) -> anyhow::Result<Usage> {
    if database.exists() {
        fs::remove_file(database)?;
    }
    let columns: Vec<String> = COLUMNS.iter().map(|column| format!("{column} TEXT")).collect();
    let table = format!("CREATE TABLE leads({})", columns.join(", "));
    let import = format!(".import --csv --skip 1 '{}' leads", csv.display());
    let (usage, exit) = measure::run(
        Path::new("sqlite3"),
        &[database.as_os_str(), table.as_ref(), import.as_ref()],
    )?;
    ensure!(exit.code == Some(0), "sqlite3 {}: {}", exit.outcome(), exit.stderr);
    Ok(usage)
}

fn measure_rival(python: &Path, script: &str, csv: &Path, folder: &Path) -> anyhow::Result<Usage> {
    let arguments = [script.as_ref(), csv.as_os_str(), folder.as_os_str(), AS_OF.as_ref()];
    let (usage, exit) = measure::run(python, &arguments)?;
    ensure!(exit.code == Some(0), "{script} {}: {}", exit.outcome(), exit.stderr);
    Ok(usage)
}

/// Measures a command that only looks.
fn measure_look(leadmill: &Path, workspace: &Path, command: &[&str]) -> anyhow::Result<Usage> {
    let mut arguments = vec!["--workspace".as_ref(), workspace.as_os_str()];
    arguments.extend(command.iter().map(OsStr::new));
    arguments.extend(["--as-of", NEXT_NIGHT].map(OsStr::new));
    let (usage, exit) = measure::run(leadmill, &arguments)?;
    ensure!(exit.code == Some(0), "{} {}: {}", leadmill.display(), exit.outcome(), exit.stderr);
    Ok(usage)
}

fn measure_run(
    leadmill: &Path,
    workspace: &Path,
    input: &Path,
    as_of: &str,
) -> anyhow::Result<Usage> {
    let arguments = [
        "--workspace".as_ref(),
        workspace.as_os_str(),
        "run".as_ref(),
        input.as_os_str(),
        "--as-of".as_ref(),
        as_of.as_ref(),
        "--quiet".as_ref(),
    ];
    let (usage, exit) = measure::run(leadmill, &arguments)?;
    // 3 is "done, but somebody must look": an export with unusable rows may well deserve it.
    if !matches!(exit.code, Some(0 | 3)) {
        bail!("{} {} on {}: {}", leadmill.display(), exit.outcome(), input.display(), exit.stderr);
    }
    // A program that does nothing would win every race.
    let is_leadmill = leadmill == Path::new(env!("CARGO_BIN_EXE_leadmill"));
    if is_leadmill && !workspace.join("leadmill.db").exists() {
        bail!(
            "leadmill ended well but left no store in {}: nothing was measured",
            workspace.display()
        );
    }
    Ok(usage)
}
