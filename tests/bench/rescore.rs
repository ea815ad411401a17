//! Measures deciding anew about all leads of a store, with a simulation of the same, and the page of it, and whether
//! memory stays flat as the store grows.
//!
//! ```text
//! cargo bench --bench rescore -- --leads 100000,1000000 --rounds 3 --output FILE.md
//! ```
//!
//! For every size a store is filled by `leadmill run` from a generated export (a quarter of the rows are
//! re-submissions) and, with `--touches`, from a log of page views. Each round then runs, in turn: the page (`report
//! html`), a rescore by the rules that hold, a simulation of rules that give other points, a rescore by those, and a
//! rescore back, so that every round finds the store as the one before did. Machines carry other load, so read CPU
//! seconds; the table holds medians.

use std::{
    ffi::OsStr,
    fmt::Write as _,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use clap::Parser;
use leadmill::rules::embedded;

#[path = "../tools/generate/invention/mod.rs"]
#[expect(dead_code, reason = "the fixtures use what this benchmark does not")]
mod invention;
mod measure;
mod output;

use invention::{
    form_export::{FormExport, Format},
    moment::{Moment, days_from_civil},
    person::Population,
    random::Random,
};
use measure::{Usage, machine, median, notice};
use output::print;

/// Measures `rescore` and `simulate` over all leads of stores of several sizes.
#[derive(Parser)]
struct Arguments {
    /// Sizes to measure, in leads
    #[arg(long, value_delimiter = ',', default_value = "100000", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    leads: Vec<u64>,
    /// Page views to go with each lead
    #[arg(long, default_value_t = 0)]
    touches: u64,
    /// Times each step is measured; the table shows the medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Markdown file the table is written to as well
    #[arg(long)]
    output: Option<PathBuf>,
    /// Folder for exports and stores, removed at the end; they take about 5 GB for each million leads
    #[arg(long, default_value = env!("CARGO_TARGET_TMPDIR"))]
    directory: PathBuf,
    /// Program measured instead of this build's leadmill, for comparing builds
    #[arg(long, default_value = env!("CARGO_BIN_EXE_leadmill"))]
    command: PathBuf,
    /// Passed by `cargo bench`; means nothing here
    #[arg(long, hide = true)]
    bench: bool,
}

const AS_OF: &str = "2026-11-20T18:00:00Z";
const SEED: u64 = 1;

/// What is measured in each round, in the order in which it runs; each with the folder of its rules.
const STEPS: [(&str, &str, &str); 5] = [
    ("`report html`", "report html", RULES),
    ("`rescore`, nothing changed", "rescore", RULES),
    ("`simulate`, other points", "simulate", OTHER_RULES),
    ("`rescore`, other points", "rescore", OTHER_RULES),
    ("`rescore`, back again", "rescore", RULES),
];
const RULES: &str = "rules";
const OTHER_RULES: &str = "other-rules";

/// One size: how many leads there came to be, and what each step took, round by round.
struct Size {
    leads: u32,
    store_megabytes: f64,
    measured: [Vec<Usage>; STEPS.len()],
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut sizes = Vec::new();
    for &leads in &arguments.leads {
        let workspace = tempfile::Builder::new()
            .prefix("rescore-")
            .tempdir_in(&arguments.directory)
            .with_context(|| {
                format!("cannot create a folder in {}", arguments.directory.display())
            })?;
        sizes.push(measure_size(leads, workspace.path(), &arguments)?);
    }
    let text = markdown(&sizes, &arguments)?;
    print(&text);
    if let Some(output) = &arguments.output {
        fs::write(output, &text).with_context(|| format!("cannot write {}", output.display()))?;
    }
    Ok(())
}

fn measure_size(leads: u64, workspace: &Path, arguments: &Arguments) -> anyhow::Result<Size> {
    write_rules(workspace)?;
    fill(leads, workspace, arguments)?;
    let store = workspace.join("leadmill.db");
    let mut size = Size {
        leads: count_leads(&store)?,
        store_megabytes: fs::metadata(&store)?.len() as f64 / 1e6,
        measured: Default::default(),
    };
    for round in 1..=arguments.rounds {
        for (at, (title, command, rules)) in STEPS.into_iter().enumerate() {
            let rules = workspace.join(rules);
            let mut asked: Vec<&OsStr> = command.split(' ').map(OsStr::new).collect();
            asked.extend([OsStr::new("--rules"), rules.as_os_str()]);
            let usage = leadmill(&arguments.command, workspace, &asked)?;
            notice(&format!(
                "{} leads, round {round} of {}: {title}: {usage}",
                size.leads, arguments.rounds
            ));
            size.measured[at].push(usage);
        }
        fs::remove_dir_all(workspace.join("out"))?;
    }
    Ok(size)
}

/// Writes the shipped rules, and beside them a set in which all that gives points gives two more: nearly every lead
/// has another score by those.
fn write_rules(workspace: &Path) -> anyhow::Result<()> {
    for folder in [RULES, OTHER_RULES] {
        fs::create_dir(workspace.join(folder))?;
    }
    let texts = embedded::texts();
    let scoring = texts
        .iter()
        .find(|text| &*text.path == "rules/scoring.toml")
        .context("no rules/scoring.toml")?;
    let other: Vec<String> = scoring
        .text
        .lines()
        .map(|line| match line.strip_prefix("points = ").map(str::parse::<i32>) {
            Some(Ok(points)) if points > 0 => format!("points = {}", points + 2),
            _ => line.to_owned(),
        })
        .collect();
    fs::write(workspace.join(RULES).join("scoring.toml"), &*scoring.text)?;
    fs::write(workspace.join(OTHER_RULES).join("scoring.toml"), other.join("\n"))?;
    Ok(())
}

/// Fills the store with as many leads as are asked for, and some that re-submit.
fn fill(leads: u64, workspace: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let until = Moment(days_from_civil(2026, 11, 20) * 86_400 + 18 * 3600);
    let export = FormExport {
        rows: leads * 4 / 3,
        duplicates_percent: 25,
        invalid_percent: 0,
        seed: SEED,
        until,
    };
    let path = workspace.join("form.csv");
    let mut output = BufWriter::new(File::create(&path)?);
    export.write(Format::Csv, &mut output, None)?;
    output.into_inner()?.sync_all()?;
    let mut inputs = vec![path];
    if arguments.touches > 0 {
        inputs.push(write_page_views(workspace, leads, arguments.touches, until)?);
    }
    let mut asked: Vec<&OsStr> = vec!["run".as_ref()];
    asked.extend(inputs.iter().map(|input| input.as_os_str()));
    let usage = leadmill(&arguments.command, workspace, &asked)?;
    notice(&format!("a store for {leads} leads: {usage}"));
    for input in &inputs {
        fs::remove_file(input)?;
    }
    Ok(())
}

/// Writes a log of page views of the persons of the export, `each` as many, spread over the sixty days before `until`.
fn write_page_views(
    workspace: &Path,
    leads: u64,
    each: u64,
    until: Moment,
) -> anyhow::Result<PathBuf> {
    let population = Population::new(SEED, leads * 4 / 3);
    let mut random = Random::of(SEED, 0);
    let path = workspace.join("views.csv");
    let mut output = BufWriter::new(File::create(&path)?);
    writeln!(output, "timestamp,event,url,email")?;
    for person in 0..leads {
        let email = population.person(person).email;
        for _ in 0..each {
            let at = until.plus(-(random.below(60 * 86_400) as i64)).iso_offset();
            let page = random.pick(&["/", "/cennik", "/produkty/asystent", "/blog/wdrożenie"]);
            writeln!(output, "{at},page_view,https://www.example.com{page},{email}")?;
        }
    }
    output.into_inner()?.sync_all()?;
    Ok(path)
}

fn count_leads(store: &Path) -> anyhow::Result<u32> {
    let connection = rusqlite::Connection::open(store)?;
    let sql = "SELECT count(*) FROM lead WHERE merged_into IS NULL";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// Runs `leadmill` in the workspace at the fixed instant.
fn leadmill(program: &Path, workspace: &Path, asked: &[&OsStr]) -> anyhow::Result<Usage> {
    let mut arguments = vec!["--workspace".as_ref(), workspace.as_os_str()];
    arguments.extend(asked);
    arguments.extend::<[&OsStr; 3]>(["--as-of".as_ref(), AS_OF.as_ref(), "--quiet".as_ref()]);
    let (usage, exit) = measure::run(program, &arguments)?;
    // 3 is "done, but somebody must look".
    ensure!(matches!(exit.code, Some(0 | 3)), "leadmill {}: {}", exit.outcome(), exit.stderr);
    Ok(usage)
}

fn markdown(sizes: &[Size], arguments: &Arguments) -> anyhow::Result<String> {
    let mut text = String::from(
        "| leads | store MB | step | leads/s | wall s | CPU s | CPU µs a lead | peak MB | peak ÷ first size |\n\
         |---:|---:|---|---:|---:|---:|---:|---:|---:|\n",
    );
    let first = sizes.first().context("no size was measured")?;
    for size in sizes {
        for (at, (title, ..)) in STEPS.iter().enumerate() {
            let Usage { wall_seconds, cpu_seconds, peak_megabytes } = median(&size.measured[at]);
            let leads = f64::from(size.leads);
            writeln!(
                text,
                "| {} | {:.0} | {title} | {:.0} | {wall_seconds:.2} | {cpu_seconds:.2} | {:.0} | {peak_megabytes:.0} | {:.2} |",
                size.leads,
                size.store_megabytes,
                leads / wall_seconds,
                cpu_seconds * 1e6 / leads,
                peak_megabytes / median(&first.measured[at]).peak_megabytes,
            )?;
        }
    }
    let version = measure::version_of(&arguments.command).unwrap_or_default();
    writeln!(
        text,
        "\n{version}; medians of {} rounds, each step in turn. {}. {} page views a lead. A rescore writes its decisions \
         and all files of its run.",
        arguments.rounds,
        machine(),
        arguments.touches
    )?;
    Ok(text)
}
