//! Measures how fast exports are read and normalized, beside the `csv` crate cutting the same file into byte
//! records, which is as little as reading a table can cost.
//!
//! ```text
//! cargo bench --bench intake -- --rows 100000 --rounds 3
//! ```
//!
//! Everything runs on one thread, in turn in each round. Machines carry other load, so read the ratios to the
//! reference of the same minutes rather than the seconds; the table holds medians over the rounds.

use std::{
    fmt::Write as _,
    fs::{self, File},
    hint::black_box,
    io::BufWriter,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Instant,
};

use anyhow::{Context, anyhow, ensure};
use chrono::{DateTime, Utc};
use clap::Parser;
use leadmill::{
    intake::{self, Caps, InputPath, OpenInput},
    model::submission::RowVerdict,
    normalization::Normalizer,
    pipeline::{dates, ingest::source_context},
    rules::{RuleSet, embedded},
};

#[path = "../tools/generate/invention/mod.rs"]
#[expect(dead_code, reason = "the fixtures use what this benchmark does not")]
mod invention;
mod output;

use invention::{
    form_export::{FormExport, Format},
    moment::{Moment, days_from_civil},
};
use output::print;

/// Measures reading and normalizing beside the `csv` crate reading the same file.
#[derive(Parser)]
struct Arguments {
    /// Rows of the generated export
    #[arg(long, default_value_t = 100_000)]
    rows: u64,
    /// Times each step is measured; the table shows the medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Measures only the steps whose title holds this, such as "intake, CSV", beside the reference
    #[arg(long, default_value = "")]
    only: String,
    /// Folder for the exports, removed at the end
    #[arg(long, default_value = env!("CARGO_TARGET_TMPDIR"))]
    directory: PathBuf,
    /// Passed by `cargo bench`; means nothing here
    #[arg(long, hide = true)]
    bench: bool,
}

// As in the program, so that the same work is measured; the reference hardly allocates.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AS_OF: &str = "2026-11-20T18:00:00Z";

/// What is measured in each round, in the order in which it runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Reference,
    ReadCsv,
    NormalizeCsv,
    ReadJsonLines,
    NormalizeJsonLines,
}

const STEPS: [Step; 5] = [
    Step::Reference,
    Step::ReadCsv,
    Step::NormalizeCsv,
    Step::ReadJsonLines,
    Step::NormalizeJsonLines,
];

impl Step {
    fn title(self) -> &'static str {
        match self {
            Self::Reference => "`csv` crate, byte records (reference)",
            Self::ReadCsv => "intake, CSV",
            Self::NormalizeCsv => "intake and normalization, CSV",
            Self::ReadJsonLines => "intake, JSONL",
            Self::NormalizeJsonLines => "intake and normalization, JSONL",
        }
    }
}

/// The generated export, once as a table and once as JSON lines.
struct Export {
    rows: u64,
    csv: PathBuf,
    json_lines: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let scratch = tempfile::Builder::new()
        .prefix("intake-")
        .tempdir_in(&arguments.directory)
        .with_context(|| format!("cannot create a folder in {}", arguments.directory.display()))?;
    let (rules, _) = RuleSet::parse(&embedded::texts())
        .map_err(|_| anyhow!("the shipped rules do not compile"))?;
    let as_of = AS_OF.parse::<DateTime<Utc>>()?;
    let export = generate(arguments.rows, scratch.path())?;
    let mut seconds: Vec<Vec<f64>> = vec![Vec::new(); STEPS.len()];
    let is_asked_for =
        |step: Step| step == Step::Reference || step.title().contains(&arguments.only);
    for _ in 0..arguments.rounds {
        for (step, measured) in STEPS.into_iter().zip(&mut seconds) {
            if !is_asked_for(step) {
                continue;
            }
            let started = Instant::now();
            run(step, &export, &rules, as_of)?;
            measured.push(started.elapsed().as_secs_f64());
        }
    }
    let bytes = |path: &Path| fs::metadata(path).map(|found| found.len());
    print(&table(&export, &mut seconds, bytes(&export.csv)?, bytes(&export.json_lines)?)?);
    Ok(())
}

fn generate(rows: u64, scratch: &Path) -> anyhow::Result<Export> {
    let until = Moment(days_from_civil(2026, 11, 20) * 86_400 + 18 * 3600);
    let export = FormExport { rows, duplicates_percent: 25, invalid_percent: 3, seed: 1, until };
    let write = |format: Format, name: &str| -> anyhow::Result<PathBuf> {
        let path = scratch.join(name);
        let mut output = BufWriter::new(File::create(&path)?);
        export.write(format, &mut output, None)?;
        output.into_inner()?.sync_all()?;
        Ok(path)
    };
    let (csv, json_lines) =
        (write(Format::Csv, "form.csv")?, write(Format::JsonLines, "form.jsonl")?);
    Ok(Export { rows, csv, json_lines })
}

/// Runs one step and fails when it has not seen every row: a reader that does nothing would win.
fn run(step: Step, export: &Export, rules: &RuleSet, as_of: DateTime<Utc>) -> anyhow::Result<()> {
    let read = match step {
        Step::Reference => byte_records(&export.csv)?,
        Step::ReadCsv => read(open(&export.csv, rules)?)?,
        Step::ReadJsonLines => read(open(&export.json_lines, rules)?)?,
        Step::NormalizeCsv => normalize(open(&export.csv, rules)?, rules, as_of)?,
        Step::NormalizeJsonLines => normalize(open(&export.json_lines, rules)?, rules, as_of)?,
    };
    ensure!(read == export.rows, "{}: {read} of {} rows", step.title(), export.rows);
    Ok(())
}

fn byte_records(path: &Path) -> anyhow::Result<u64> {
    let mut reader = csv::Reader::from_path(path)?;
    let mut record = csv::ByteRecord::new();
    let mut rows = 0;
    while reader.read_byte_record(&mut record)? {
        black_box(&record);
        rows += 1;
    }
    Ok(rows)
}

fn open(path: &Path, rules: &RuleSet) -> anyhow::Result<OpenInput> {
    Ok(intake::open(&InputPath::file(path), &rules.sources, &Caps::default(), None)?)
}

fn read(input: OpenInput) -> anyhow::Result<u64> {
    let mut rows = 0;
    for row in input.rows() {
        black_box(row?);
        rows += 1;
    }
    Ok(rows)
}

fn normalize(input: OpenInput, rules: &RuleSet, as_of: DateTime<Utc>) -> anyhow::Result<u64> {
    let preset = input.preset.clone();
    let orders = dates::settle(&input, rules, as_of, &AtomicBool::new(false));
    let context = source_context(&preset, &orders, rules, as_of);
    let mut normalizer = Normalizer::new(&rules.tables, &rules.fields, context);
    let (mut rows, mut accepted) = (0, 0);
    for row in input.rows() {
        let (_, _, verdict) = black_box(normalizer.normalize(row?));
        accepted += u64::from(matches!(verdict, RowVerdict::Accepted(_)));
        rows += 1;
    }
    ensure!(accepted * 2 > rows, "only {accepted} of {rows} rows were accepted");
    Ok(rows)
}

fn table(
    export: &Export,
    seconds: &mut [Vec<f64>],
    csv: u64,
    json_lines: u64,
) -> anyhow::Result<String> {
    let mut medians = seconds.iter_mut().map(|measured| {
        measured.sort_by(f64::total_cmp);
        measured.get(measured.len() / 2).copied().unwrap_or_default()
    });
    let medians: [f64; STEPS.len()] = std::array::from_fn(|_| medians.next().unwrap_or_default());
    let mut text = String::from(
        "| step | rows/s | MB/s | wall s | wall ÷ reference |\n|---|---:|---:|---:|---:|\n",
    );
    for (step, median) in STEPS.into_iter().zip(medians).filter(|(_, median)| *median > 0.0) {
        let is_json = matches!(step, Step::ReadJsonLines | Step::NormalizeJsonLines);
        let megabytes = if is_json { json_lines } else { csv } as f64 / 1e6;
        writeln!(
            text,
            "| {} | {:.0} | {:.0} | {median:.2} | {:.1} |",
            step.title(),
            export.rows as f64 / median,
            megabytes / median,
            median / medians[0],
        )?;
    }
    write!(text, "\n{} rows, medians; one thread.", export.rows)?;
    Ok(text)
}
