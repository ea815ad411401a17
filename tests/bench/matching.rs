//! Measures `leadmill match` with nothing configured: how good its clusters are and what they cost, on generated
//! leads or on labelled sets of yours, beside joining what shares an e-mail address or a phone number, and beside
//! Splink where a Python with it is at hand.
//!
//! ```text
//! cargo bench --bench matching -- --records 10000,100000 --seeds 1,2
//! cargo bench --bench matching -- --sets FOLDER --rounds 3 --output FILE.md
//! LEADMILL_SPLINK_PYTHON=venv/bin/python cargo bench --bench matching
//! ```
//!
//! A folder of sets holds every NAME.csv (first column the id) beside a NAME.truth.csv (id, entity). Each round runs
//! the programs in turn; the tables hold medians. Machines carry other load, so read the ratios of CPU seconds.
//! All clusters are judged here, by one evaluator; the truth is never shown to leadmill.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use clap::Parser;
use leadmill::identity::matching::evaluation::Quality;

#[path = "matching/baseline.rs"]
mod baseline;
#[path = "../tools/generate/invention/mod.rs"]
#[expect(dead_code, reason = "the fixtures use what this benchmark does not")]
mod invention;
mod measure;
mod output;
#[path = "matching/sets.rs"]
mod sets;
#[path = "matching/splink.rs"]
mod splink;
#[path = "matching/tables.rs"]
mod tables;

use measure::{Usage, notice};
use output::print;
use sets::{LabelledSet, Truth};
use splink::{Splink, SplinkResult};

/// Measures the quality and the cost of `leadmill match`.
#[derive(Parser)]
struct Arguments {
    /// Numbers of leads to generate
    #[arg(long, value_delimiter = ',', default_value = "10000,100000")]
    records: Vec<usize>,
    /// Worlds to generate them in
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    seeds: Vec<u64>,
    /// Folder of labelled sets to take instead of generated leads
    #[arg(long)]
    sets: Option<PathBuf>,
    /// Sets to take, by name; all when not given
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Times each program is measured on each set; the tables show the medians
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Markdown file the tables are written to as well
    #[arg(long)]
    output: Option<PathBuf>,
    /// Folder for what is generated, removed at the end
    #[arg(long, default_value = env!("CARGO_TARGET_TMPDIR"))]
    directory: PathBuf,
    /// Program measured instead of this build's leadmill, for comparing builds
    #[arg(long, default_value = env!("CARGO_BIN_EXE_leadmill"))]
    command: PathBuf,
    /// A Python that can import Splink 5; without it the comparison is left out
    #[arg(long, env = "LEADMILL_SPLINK_PYTHON")]
    splink_python: Option<PathBuf>,
    /// Passed by `cargo bench`; means nothing here
    #[arg(long, hide = true)]
    bench: bool,
}

/// Everything measured on one set.
struct Measured {
    name: String,
    quality: Quality,
    usages: Vec<Usage>,
    /// None for a set with neither e-mail addresses nor phone numbers.
    exact_keys: Option<Quality>,
    splink: Vec<SplinkResult>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let scratch = tempfile::Builder::new()
        .prefix("matching-")
        .tempdir_in(&arguments.directory)
        .with_context(|| format!("cannot create a folder in {}", arguments.directory.display()))?;
    let splink = match &arguments.splink_python {
        Some(python) => Some(Splink::of(python)?),
        None => {
            notice("LEADMILL_SPLINK_PYTHON is not set: the comparison with Splink is left out");
            None
        }
    };
    let mut sets = match &arguments.sets {
        Some(folder) => sets::labelled_sets(folder)?,
        None => sets::generated(&arguments.records, &arguments.seeds, scratch.path())?,
    };
    if !arguments.only.is_empty() {
        sets.retain(|set| arguments.only.contains(&set.name));
    }
    ensure!(!sets.is_empty(), "there is no labelled set to match");
    let mut measured = Vec::new();
    for set in &sets {
        measured.push(measure_set(set, &arguments, splink.as_ref(), scratch.path())?);
    }
    let text = tables::markdown(&measured, &arguments, splink.as_ref())?;
    print(&text);
    if let Some(output) = &arguments.output {
        fs::write(output, &text).with_context(|| format!("cannot write {}", output.display()))?;
    }
    Ok(())
}

fn measure_set(
    set: &LabelledSet,
    arguments: &Arguments,
    splink: Option<&Splink>,
    scratch: &Path,
) -> anyhow::Result<Measured> {
    let truth = Truth::read(&set.truth)?;
    let clusters = scratch.join("clusters.csv");
    let (mut usages, mut with_splink) = (Vec::new(), Vec::new());
    for round in 1..=arguments.rounds {
        let usage = match_set(&arguments.command, &set.table, &clusters)?;
        notice(&format!("{}, round {round}: leadmill: {usage}", set.name));
        usages.push(usage);
        if let Some((splink, settings)) = splink.zip(set.splink_settings()) {
            let result = splink.run(settings, &set.table, &truth, scratch)?;
            notice(&format!("{}, round {round}: Splink: {}", set.name, result.usage));
            with_splink.push(result);
        }
    }
    let quality = truth.judge(&sets::clusters(&clusters, 1)?)?;
    notice(&format!("{}: F1 {:.4}, largest {}", set.name, quality.f1, quality.largest));
    let exact_keys =
        baseline::exact_keys(&set.table)?.map(|found| truth.judge(&found)).transpose()?;
    Ok(Measured { name: set.name.clone(), quality, usages, exact_keys, splink: with_splink })
}

/// Runs the program on a table with nothing configured.
fn match_set(leadmill: &Path, table: &Path, clusters: &Path) -> anyhow::Result<Usage> {
    let arguments = [
        "match".as_ref(),
        table.as_os_str(),
        "--output".as_ref(),
        clusters.as_os_str(),
        "--quiet".as_ref(),
    ];
    let _ = fs::remove_file(clusters);
    let (usage, exit) = measure::run(leadmill, &arguments)?;
    ensure!(
        exit.code == Some(0),
        "{} {} on {}: {}",
        leadmill.display(),
        exit.outcome(),
        table.display(),
        exit.stderr
    );
    Ok(usage)
}
