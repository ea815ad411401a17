//! Measures where the time of a night goes: new rows that come into a store that is large already, phase by phase.
//!
//! ```text
//! cargo bench --bench night -- --rows 100000 --night 1000 --rounds 5 --output FILE.md
//! ```
//!
//! A store is filled by `leadmill run` from a generated export (25 % re-submissions, 3 % unusable). Each round puts the
//! workspace back as it was and takes the rows of the next night in, in this process, so that the beginnings of the
//! phases can be noted. Times are by the wall clock, with everything that is brought to the disk; the table holds
//! medians over the rounds.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use clap::Parser;
use leadmill::intake::InputPath;
use leadmill::pipeline::event::Event;
use leadmill::pipeline::{self, Job};
use leadmill::rules::{RuleSet, embedded};
use leadmill::store::key::key_path;

#[path = "../tools/generate/invention/mod.rs"]
#[expect(dead_code, reason = "the fixtures use what this benchmark does not")]
mod invention;
#[expect(dead_code, reason = "times are noted here, inside of one process")]
mod measure;
mod output;

use invention::{
    form_export::{FormExport, Format},
    moment::{Moment, days_from_civil},
};
use measure::{machine, notice};
use output::print;

// As in the program, so that the same work is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the phases of a run that takes a few rows into a large store.
#[derive(Parser)]
struct Arguments {
    /// Rows in the store before
    #[arg(long, default_value_t = 100_000)]
    rows: u64,
    /// Rows that the night brings
    #[arg(long, default_value_t = 1_000)]
    night: u64,
    /// Nights measured, each of the same store; the table shows the medians
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Markdown file the table is written to as well
    #[arg(long)]
    output: Option<PathBuf>,
    /// Folder for exports and stores, removed at the end; they take about 10 GB for each million rows
    #[arg(long, default_value = env!("CARGO_TARGET_TMPDIR"))]
    directory: PathBuf,
    /// Passed by `cargo bench`; means nothing here
    #[arg(long, hide = true)]
    bench: bool,
}

const AS_OF: &str = "2026-11-20T18:00:00Z";
const NEXT_NIGHT: &str = "2026-11-21T18:00:00Z";
/// The phase in which a run brings out what it has committed; before it everything is decided and on the disk.
const PUBLISHING: &str = "writing the files";
/// A phase and the seconds that it took.
type Phase = (&'static str, f64);
/// What comes before the first phase that a run names.
const OPENING: &str = "opening the store";

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let scratch = tempfile::Builder::new()
        .prefix("night-")
        .tempdir_in(&arguments.directory)
        .with_context(|| format!("cannot create a folder in {}", arguments.directory.display()))?;
    let (before, night) = (scratch.path().join("before.csv"), scratch.path().join("night.csv"));
    generate(&before, arguments.rows, 1, 20)?;
    generate(&night, arguments.night, 2, 21)?;
    let full = scratch.path().join("full");
    fs::create_dir(&full)?;
    notice(&format!("filling a store from {} rows", arguments.rows));
    fill(&full, &before)?;

    let mut nights = Vec::new();
    for round in 1..=arguments.rounds {
        let workspace = scratch.path().join("workspace");
        copy(&full, &workspace)?;
        let phases = measure_night(&workspace, &night)?;
        let seconds: f64 = phases.iter().map(|(_, seconds)| seconds).sum();
        notice(&format!("round {round} of {}: {seconds:.2} s", arguments.rounds));
        nights.push(phases);
        fs::remove_dir_all(&workspace)?;
    }
    let text = markdown(&arguments, &nights)?;
    print(&text);
    if let Some(output) = &arguments.output {
        fs::write(output, &text).with_context(|| format!("cannot write {}", output.display()))?;
    }
    Ok(())
}

fn generate(path: &Path, rows: u64, seed: u64, day: i64) -> anyhow::Result<()> {
    let until = Moment(days_from_civil(2026, 11, day) * 86_400 + 18 * 3600);
    let export = FormExport { rows, duplicates_percent: 25, invalid_percent: 3, seed, until };
    let mut out = BufWriter::new(File::create(path)?);
    export.write(Format::Csv, &mut out, None)?;
    Ok(out.into_inner()?.sync_all()?)
}

/// Fills a workspace by the program itself, so that this process begins small.
fn fill(workspace: &Path, rows: &Path) -> anyhow::Result<()> {
    let arguments = [
        "--workspace".as_ref(),
        workspace.as_os_str(),
        "run".as_ref(),
        rows.as_os_str(),
        "--as-of".as_ref(),
        AS_OF.as_ref(),
        "--quiet".as_ref(),
    ];
    let (_, exit) = measure::run(Path::new(env!("CARGO_BIN_EXE_leadmill")), &arguments)?;
    // 3 is "done, but somebody must look": an export with unusable rows may well deserve it.
    ensure!(matches!(exit.code, Some(0 | 3)), "leadmill {}: {}", exit.outcome(), exit.stderr);
    Ok(())
}

/// Copies the store and what lies beside it; what earlier runs put out is not looked at.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let copied = to.join(entry.file_name());
            fs::copy(entry.path(), &copied)?;
            // What the copy costs is not the night's.
            File::open(&copied)?.sync_all()?;
        }
    }
    Ok(())
}

/// Takes `night` in and returns the phases in order, each with its seconds.
fn measure_night(workspace: &Path, night: &Path) -> anyhow::Result<Vec<Phase>> {
    let (rules, _) = RuleSet::parse(&embedded::texts())
        .map_err(|found| anyhow::anyhow!("the shipped rules: {found:?}"))?;
    let (store, out) = (workspace.join("leadmill.db"), workspace.join("out"));
    let inputs = [InputPath::file(night)];
    let interrupted = Arc::new(AtomicBool::new(false));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let as_of: DateTime<Utc> = NEXT_NIGHT.parse()?;
    let job = Job {
        rules: &rules,
        store: &store,
        key: &key_path(&store),
        out: &out,
        inputs: &inputs,
        forced_source: None,
        as_of,
        threads,
        full: false,
        interrupted: &interrupted,
    };
    let mut begun = vec![(OPENING, Instant::now())];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let summary = pool.install(|| {
        pipeline::run(&job, &mut |event| match event {
            Event::Phase { name, .. } => begun.push((name, Instant::now())),
            Event::InputOpened { .. } => begun.push(("taking rows in", Instant::now())),
            _ => {}
        })
    })?;
    let ended = Instant::now();
    ensure!(summary.leads.new > 0, "the night brought no lead: nothing was measured");
    let ends = begun.iter().skip(1).map(|(_, at)| *at).chain([ended]);
    let lasted = begun.iter().zip(ends);
    Ok(lasted.map(|((name, at), end)| (*name, (end - *at).as_secs_f64())).collect())
}

fn markdown(arguments: &Arguments, nights: &[Vec<Phase>]) -> Result<String, std::fmt::Error> {
    let mut text = format!(
        "{} rows into a store of {}, {} rounds, {}.\n\n| phase | seconds |\n|---|---:|\n",
        arguments.night,
        arguments.rows,
        arguments.rounds,
        machine()
    );
    let median = |of: &dyn Fn(&[Phase]) -> f64| {
        let mut values: Vec<f64> = nights.iter().map(|night| of(night)).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    for (at, (name, _)) in nights.iter().take(1).flatten().enumerate() {
        let seconds = median(&|night| night.get(at).map_or(0.0, |(_, seconds)| *seconds));
        writeln!(text, "| {name} | {seconds:.3} |")?;
    }
    let decided = median(&|night| {
        night.iter().take_while(|(name, _)| *name != PUBLISHING).map(|(_, seconds)| seconds).sum()
    });
    let whole = median(&|night| night.iter().map(|(_, seconds)| seconds).sum());
    writeln!(text, "| **decided and committed** | **{decided:.3}** |")?;
    writeln!(text, "| **whole run, files and report included** | **{whole:.3}** |")?;
    Ok(text)
}
