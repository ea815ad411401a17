//! Generates exports of leads that look real and hold nobody's data.
//!
//! ```text
//! cargo run --release --example generate -- --rows 100000 --duplicates 25 --invalid 3 --seed 1 --format csv --output leads.csv --truth truth.csv
//! cargo run --example generate -- fixtures --output fixtures/exports
//! cargo run --example generate -- fixtures --check
//! cargo run --release --example generate -- match-leads 10000 leads --seed 1
//! ```
//!
//! The first form writes one long web-form export (and the truth about it), the second the small fixtures of every
//! source that this repository ships, the third proves that the committed fixtures are what the code writes, the
//! fourth leads for `leadmill match` with the truth about them.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};

#[path = "generate/fixtures/mod.rs"]
mod fixtures;
#[path = "generate/invention/mod.rs"]
mod invention;

use invention::{
    form_export::{FormExport, Format},
    leads::{Leads, Texts},
    moment::Moment,
};

/// Generates exports of leads that look real and hold nobody's data.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    export: ExportArguments,
}

#[derive(Subcommand)]
enum Command {
    /// Writes, or checks, the small exports of every source
    Fixtures {
        /// Folder the exports are written to
        #[arg(long, default_value = "fixtures/exports")]
        output: PathBuf,
        /// Write nothing; fail unless the files are there, byte for byte
        #[arg(long)]
        check: bool,
    },
    /// Writes labelled leads for judging `leadmill match`: PREFIX.csv, PREFIX.truth.csv (id, person) and
    /// PREFIX.company_truth.csv (id, company)
    MatchLeads {
        /// Number of leads
        #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
        count: u32,
        /// What the three files' names begin with; folders are made
        prefix: PathBuf,
        /// Another seed gives another world
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

#[derive(Args)]
struct ExportArguments {
    /// Number of rows
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    rows: u64,
    /// Percentage of rows in which somebody submits again
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u64).range(0..=90))]
    duplicates: u64,
    /// Percentage of rows with neither a usable address nor a usable number
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(0..=90))]
    invalid: u64,
    /// Another seed gives another world
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// File format
    #[arg(long, value_enum, default_value_t = FormatArgument::Csv)]
    format: FormatArgument,
    /// The export ends here and begins 90 days earlier
    #[arg(long, default_value = "2026-11-20T18:00:00Z")]
    until: DateTime<Utc>,
    /// File the export is written to
    #[arg(long, required = false)]
    output: Option<PathBuf>,
    /// File the truth is written to: which person submitted each row, and what to make of it
    #[arg(long)]
    truth: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatArgument {
    Csv,
    Jsonl,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Fixtures { output, check: false }) => fixtures::write(&output),
        Some(Command::Fixtures { output, check: true }) => fixtures::check(&output),
        Some(Command::MatchLeads { count, prefix, seed }) => {
            match_leads(&Leads { count: count as usize, seed }.invent(), &prefix)
        }
        None => export(&arguments.export),
    }
}

fn export(arguments: &ExportArguments) -> anyhow::Result<()> {
    let Some(output) = &arguments.output else { bail!("nothing to write to: give --output FILE") };
    ensure!(
        arguments.duplicates + arguments.invalid <= 95,
        "--duplicates and --invalid together exceed 95 percent"
    );
    let form_export = FormExport {
        rows: arguments.rows,
        duplicates_percent: arguments.duplicates,
        invalid_percent: arguments.invalid,
        seed: arguments.seed,
        until: Moment(arguments.until.timestamp()),
    };
    let format = match arguments.format {
        FormatArgument::Csv => Format::Csv,
        FormatArgument::Jsonl => Format::JsonLines,
    };
    let create = |path: &PathBuf| -> anyhow::Result<BufWriter<File>> {
        Ok(BufWriter::new(
            File::create(path).with_context(|| format!("cannot create {}", path.display()))?,
        ))
    };
    let mut truth = arguments.truth.as_ref().map(create).transpose()?;
    let truth_writer = truth.as_mut().map(|writer| writer as &mut dyn Write);
    form_export
        .write(format, &mut create(output)?, truth_writer)
        .context("cannot write the export")?;
    if let Some(writer) = &mut truth {
        writer.flush().context("cannot write the truth")?;
    }
    Ok(())
}

fn match_leads(texts: &Texts, prefix: &Path) -> anyhow::Result<()> {
    if let Some(folder) = prefix.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let files = [
        (".csv", &texts.leads),
        (".truth.csv", &texts.truth),
        (".company_truth.csv", &texts.company_truth),
    ];
    for (ending, text) in files {
        let mut path = prefix.as_os_str().to_owned();
        path.push(ending);
        std::fs::write(&path, text)
            .with_context(|| format!("cannot write {}", Path::new(&path).display()))?;
    }
    Ok(())
}
