//! Measures the functions that every row or pair goes through, one by one: nanoseconds a call, and how many instructions
//! a call takes, which hardly hang on what else the machine does.
//!
//! ```text
//! cargo bench --bench hot -- --rounds 5
//! cargo bench --bench hot -- --keep    # the instructions of today become those that later ones are held against
//! ```
//!
//! Instructions are counted by valgrind's callgrind, where it is installed: of the preparations alone, and of the
//! preparations with some thousand calls. They are held against `instructions.json`, which was counted on the machine
//! that it names: another compiler or processor counts otherwise, so a difference is told and fails nothing.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    hint::black_box,
    io::BufWriter,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::AtomicBool,
    time::Instant,
};

use anyhow::{Context, anyhow, ensure};
use chrono::{DateTime, Utc};
use clap::Parser;
use leadmill::{
    identity::{
        keys::Keyring,
        likeness::{Compared, Judge, PairModel, Weighing, is_compared},
    },
    intake::{self, Caps, InputPath},
    model::{
        field::FieldValues,
        row::Row,
        subject::{Facts, Subject},
        submission::RowVerdict,
    },
    normalization::{Normalizer, SourceContext},
    pipeline::{dates, ingest::source_context},
    rules::{RuleSet, embedded},
    scoring::score,
    store::codec::{decode_values, encode_values},
};
use serde_json::json;

#[path = "../tools/generate/invention/mod.rs"]
#[expect(dead_code, reason = "the fixtures use what this benchmark does not")]
mod invention;
mod output;

use invention::{
    form_export::{FormExport, Format},
    moment::{Moment, days_from_civil},
};
use output::print;

/// Measures the functions that every row or pair goes through.
#[derive(Parser)]
struct Arguments {
    /// Times each function is measured; the table shows the medians
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Keeps the instructions counted in `instructions.json`
    #[arg(long)]
    keep: bool,
    /// Calls one function so often and ends; this is what callgrind is given
    #[arg(long, hide = true, num_args = 2, value_names = ["FUNCTION", "CALLS"])]
    only: Option<Vec<String>>,
    /// Passed by `cargo bench`; means nothing here
    #[arg(long, hide = true)]
    bench: bool,
}

// As in the program, so that the same work is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AS_OF: &str = "2026-11-20T18:00:00Z";
/// Rows of the generated export.
const ROWS: u64 = 2_000;
/// Calls in each measurement of the time.
const CALLS: usize = 20_000;
/// Calls of which instructions are counted.
const COUNTED_CALLS: usize = 10_000;
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/instructions.json");

/// A function and what it is called here.
type Function = (&'static str, fn(&mut Prepared, usize));

const FUNCTIONS: [Function; 7] = [
    ("Normalizer::normalize, a copied row", |it, at| {
        let row = it.rows[at % it.rows.len()].clone();
        black_box(it.normalizer.normalize(row));
    }),
    ("Keyring::keys, a submission", |it, at| {
        black_box(it.keyring.keys(&it.values[at % it.values.len()]));
    }),
    ("encode_values, a submission", |it, at| {
        let values = &it.values[at % it.values.len()];
        black_box(encode_values(values, &it.rules.fields));
    }),
    ("decode_values, a submission", |it, at| {
        let text = &it.encoded[at % it.encoded.len()];
        black_box(decode_values(text, &it.rules.fields).is_ok());
    }),
    ("score, a lead", |it, at| {
        let values = &it.values[at % it.values.len()];
        let subject = Subject { values, facts: &it.facts, touches: &[], as_of: it.as_of };
        black_box(score(&subject, &it.rules.scoring));
    }),
    ("Judge::new, two submissions", |it, at| {
        let pair = [at, at + 1].map(|one| &it.compared[one % it.compared.len()]);
        black_box(Judge::new(&pair, &it.weighing, it.keyring.lists()));
    }),
    ("Judge::totals, a pair", |it, at| {
        let pair = (at % it.compared.len(), (at + 1) % it.compared.len());
        black_box(it.judge.totals(std::iter::once(pair)));
    }),
];

/// What the functions are called with.
struct Prepared<'a> {
    rules: &'a RuleSet,
    as_of: DateTime<Utc>,
    facts: Facts,
    rows: Vec<Row>,
    normalizer: Normalizer<'a>,
    keyring: Keyring,
    values: Vec<FieldValues>,
    encoded: Vec<String>,
    compared: Vec<Compared>,
    weighing: Weighing,
    judge: Judge,
}

impl<'a> Prepared<'a> {
    fn new(rules: &'a RuleSet, rows: Vec<Row>, context: SourceContext<'a>) -> anyhow::Result<Self> {
        let as_of: DateTime<Utc> = AS_OF.parse()?;
        let mut normalizer = Normalizer::new(&rules.tables, &rules.fields, context);
        let verdicts = rows.iter().map(|row| normalizer.normalize(row.clone()).2);
        let accepted = verdicts.filter_map(|verdict| match verdict {
            RowVerdict::Accepted(submission) => Some(submission.values),
            _ => None,
        });
        let values: Vec<FieldValues> = accepted.collect();
        ensure!(values.len() * 2 > rows.len(), "only {} rows were accepted", values.len());
        let compared: Vec<Compared> = values
            .iter()
            .map(|all| {
                let mut values = FieldValues::default();
                for (field, value) in all.iter().filter(|(field, _)| is_compared(*field)) {
                    values.set(field, value);
                }
                Compared { values, address: String::new() }
            })
            .collect();
        let (keyring, weighing) =
            (Keyring::new(&rules.tables), Weighing::new(PairModel::shipped()));
        let judge = Judge::new(&compared.iter().collect::<Vec<_>>(), &weighing, keyring.lists());
        Ok(Self {
            rules,
            as_of,
            facts: Facts::of_one_submission(as_of),
            encoded: values.iter().map(|one| encode_values(one, &rules.fields)).collect(),
            rows,
            normalizer,
            keyring,
            values,
            compared,
            weighing,
            judge,
        })
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let (rules, _) = RuleSet::parse(&embedded::texts())
        .map_err(|_| anyhow!("the shipped rules do not compile"))?;
    let as_of: DateTime<Utc> = AS_OF.parse()?;
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let export = generate(scratch.path())?;
    let input = intake::open(&InputPath::file(&export), &rules.sources, &Caps::default(), None)?;
    let preset = input.preset.clone();
    let orders = dates::settle(&input, &rules, as_of, &AtomicBool::new(false));
    let context = source_context(&preset, &orders, &rules, as_of);
    let rows: Vec<Row> = input.rows().collect::<Result<_, _>>()?;
    let mut prepared = Prepared::new(&rules, rows, context)?;
    if let Some(only) = &arguments.only {
        let calls: usize = only[1].parse()?;
        let (_, function) = FUNCTIONS
            .iter()
            .find(|(name, _)| *name == only[0])
            .with_context(|| format!("there is no function `{}`", only[0]))?;
        (0..calls).for_each(|at| function(&mut prepared, at));
        return Ok(());
    }
    let mut nanoseconds: Vec<Vec<f64>> = vec![Vec::new(); FUNCTIONS.len()];
    for _ in 0..arguments.rounds {
        for ((_, function), measured) in FUNCTIONS.iter().zip(&mut nanoseconds) {
            let started = Instant::now();
            (0..CALLS).for_each(|at| function(&mut prepared, at));
            measured.push(started.elapsed().as_secs_f64() * 1e9 / CALLS as f64);
        }
    }
    let counted = counted()?;
    print(&table(&mut nanoseconds, counted.as_ref(), arguments.rounds)?);
    if let (Some(counted), true) = (counted, arguments.keep) {
        let kept = json!({"counted_on": machine(), "instructions_a_call": counted});
        fs::write(KEPT, serde_json::to_string_pretty(&kept)? + "\n")?;
    }
    Ok(())
}

fn generate(scratch: &Path) -> anyhow::Result<PathBuf> {
    let until = Moment(days_from_civil(2026, 11, 20) * 86_400 + 18 * 3600);
    let export =
        FormExport { rows: ROWS, duplicates_percent: 25, invalid_percent: 3, seed: 1, until };
    let path = scratch.join("form.csv");
    let mut output = BufWriter::new(File::create(&path)?);
    export.write(Format::Csv, &mut output, None)?;
    output.into_inner()?.sync_all()?;
    Ok(path)
}

/// Returns the instructions that a call of each function takes; `None` where valgrind is not installed.
fn counted() -> anyhow::Result<Option<BTreeMap<String, u64>>> {
    let is_there = Command::new("valgrind").arg("--version").output().is_ok();
    if !is_there {
        return Ok(None);
    }
    let (first, _) = FUNCTIONS[0];
    let alone = instructions(first, 0)?;
    let a_call = |name: &str| -> anyhow::Result<u64> {
        let with_calls = instructions(name, COUNTED_CALLS)?;
        Ok(with_calls.saturating_sub(alone) / COUNTED_CALLS as u64)
    };
    FUNCTIONS
        .iter()
        .map(|(name, _)| Ok(((*name).to_owned(), a_call(name)?)))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Returns the instructions that this benchmark takes to prepare itself and call `function` so often.
fn instructions(function: &str, calls: usize) -> anyhow::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["--only", function, &calls.to_string()])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "callgrind of {function}: {said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = collected.with_context(|| format!("callgrind counted nothing: {said}"))?;
    Ok(count.split_whitespace().next().unwrap_or_default().parse()?)
}

fn table(
    nanoseconds: &mut [Vec<f64>],
    counted: Option<&BTreeMap<String, u64>>,
    rounds: u32,
) -> anyhow::Result<String> {
    let kept: serde_json::Value = fs::read_to_string(KEPT)
        .map_or(Ok(serde_json::Value::Null), |text| serde_json::from_str(&text))?;
    let mut text = String::from(
        "| function | ns a call | instructions a call | kept | change |\n|---|---:|---:|---:|---:|\n",
    );
    for ((name, _), measured) in FUNCTIONS.iter().zip(nanoseconds) {
        measured.sort_by(f64::total_cmp);
        let now = counted.and_then(|counted| counted.get(*name).copied());
        let before = kept["instructions_a_call"][name].as_u64();
        let shown = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), |it| it.to_string());
        let change = now.zip(before.filter(|before| *before > 0)).map_or_else(
            || "–".to_owned(),
            |(now, before)| format!("{:+.1} %", (now as f64 / before as f64 - 1.0) * 100.0),
        );
        writeln!(
            text,
            "| {name} | {:.0} | {} | {} | {change} |",
            measured[measured.len() / 2],
            shown(now),
            shown(before),
        )?;
    }
    writeln!(text, "\nMedians of {rounds} rounds of {CALLS} calls, one thread. {}.", machine())?;
    if let Some(machine) = kept["counted_on"].as_str() {
        writeln!(text, "Kept on {machine}.")?;
    }
    if counted.is_none() {
        writeln!(text, "valgrind is not installed: no instructions are counted.")?;
    }
    Ok(text)
}

/// Returns the processor and the compiler: what instructions hang on beside the program.
fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split(": ").nth(1)).unwrap_or("an unnamed processor");
    let compiler = Command::new("rustc").arg("--version").output();
    let compiler = compiler.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    format!("{model}, {}", compiler.unwrap_or_else(|_| "an unknown compiler".to_owned()))
}
