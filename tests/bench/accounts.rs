//! Measures how well leads are linked into the accounts of their companies, given who really belongs to whom.
//!
//! ```text
//! cargo bench --bench accounts -- leads.csv company_truth.csv
//! ```
//!
//! Each row counts as a lead of its own. The truth is a table of row ids and companies. A company `12m7` is that of
//! somebody who was at company 12 before: to be linked with 12 is neither right nor wrong, so such pairs are left out.
//! A row that leadmill would not accept is a lead that is linked to nobody.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Instant,
};

use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use clap::Parser;
use leadmill::{
    identity::{
        accounts::{
            AccountBook, Accounts,
            keys::{CompanyKeys, company_keys},
        },
        keys::Keyring,
        matching::evaluation::evaluate,
    },
    intake::{self, Caps, InputPath},
    model::submission::RowVerdict,
    normalization::Normalizer,
    pipeline::{dates, ingest::source_context},
    rules::{RuleSet, embedded},
};

mod output;

use output::print;

/// Measures how well leads are linked into accounts.
#[derive(Parser)]
struct Arguments {
    /// A table of leads, with the id in the first column
    leads: PathBuf,
    /// A table of these ids and companies
    truth: PathBuf,
    /// Show this many wrong and this many missing links
    #[arg(long, default_value_t = 0)]
    show: usize,
    /// Passed by `cargo bench`; means nothing here
    #[arg(long, hide = true)]
    bench: bool,
}

const AS_OF: &str = "2026-11-20T18:00:00Z";

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let (rules, _) = RuleSet::parse(&embedded::texts())
        .map_err(|_| anyhow!("the shipped rules do not compile"))?;
    let ids = first_column(&arguments.leads)?;
    let companies = companies(&arguments.truth)?;
    let truth: Vec<&str> = ids
        .iter()
        .map(|id| companies.get(id).map(String::as_str).with_context(|| format!("{id}: no truth")))
        .collect::<anyhow::Result<_>>()?;
    let keys = keys(&arguments.leads, &rules)?;
    let started = Instant::now();
    let mut book = AccountBook::default();
    for one in &keys {
        book.add(one);
    }
    let accounts = book.close();
    let seconds = started.elapsed().as_secs_f64();
    let found: Vec<u32> = (0..keys.len() as u32).map(|lead| accounts.oldest(lead)).collect();
    print(&format!("all rows: {}\nlinked in {seconds:.2} s", report(&found, &truth)));
    let (tells, known): (Vec<u32>, Vec<&str>) = (0..keys.len())
        .filter(|lead| !keys[*lead].keys.is_empty())
        .map(|lead| (found[lead], truth[lead]))
        .unzip();
    print(&format!("rows that say something of a company: {}", report(&tells, &known)));
    if arguments.show > 0 {
        print(&examples(&accounts, &found, &truth, &keys, arguments.show));
    }
    Ok(())
}

fn first_column(path: &Path) -> anyhow::Result<Vec<String>> {
    let mut reader = csv::Reader::from_path(path)?;
    reader.records().map(|record| Ok(record?.get(0).unwrap_or_default().to_owned())).collect()
}

fn companies(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path)?;
    let cell = |record: &csv::StringRecord, at| record.get(at).unwrap_or_default().to_owned();
    reader
        .records()
        .map(|record| record.map(|one| (cell(&one, 0), cell(&one, 1))).map_err(Into::into))
        .collect()
}

/// Returns what each row says of its company, in the order of the file.
fn keys(path: &Path, rules: &RuleSet) -> anyhow::Result<Vec<CompanyKeys>> {
    let input = intake::open(&InputPath::file(path), &rules.sources, &Caps::default(), None)?;
    let as_of = AS_OF.parse::<DateTime<Utc>>()?;
    let orders = dates::settle(&input, rules, as_of, &AtomicBool::new(false));
    let preset = input.preset.clone();
    let context = source_context(&preset, &orders, rules, as_of);
    let mut normalizer = Normalizer::new(&rules.tables, &rules.fields, context);
    let keyring = Keyring::new(&rules.tables);
    let mut keys = Vec::new();
    for row in input.rows() {
        let (_, _, verdict) = normalizer.normalize(row?);
        keys.push(match verdict {
            RowVerdict::Accepted(submission) => {
                company_keys(&submission.values, keyring.lists(), &rules.tables)
            }
            _ => CompanyKeys::default(),
        });
    }
    Ok(keys)
}

fn report(found: &[u32], truth: &[&str]) -> String {
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    let mut former: BTreeMap<&str, u32> = BTreeMap::new();
    let mut number_of = |name| {
        let next = numbers.len() as u32;
        *numbers.entry(name).or_insert(next)
    };
    let strict: Vec<u32> = truth.iter().map(|name| number_of(*name)).collect();
    for name in truth {
        former.insert(name, number_of(name.split('m').next().unwrap_or(name)));
    }
    let quality = evaluate(found, &strict);
    // Pairs of somebody who moved with the former company are left out of what was found.
    let moved = found.iter().zip(truth).filter(|(_, name)| name.contains('m'));
    let neutral: u64 = moved
        .map(|(account, name)| {
            let home = former[name];
            let of_home = found
                .iter()
                .zip(&strict)
                .filter(|(other, number)| *other == account && **number == home);
            of_home.count() as u64
        })
        .sum();
    let precision = quality.right_pairs as f64 / (quality.found_pairs - neutral) as f64;
    let f1 = 2.0 * precision * quality.recall / (precision + quality.recall);
    format!(
        "{} leads, {} true pairs, {} found, {} right, {neutral} left out\n\
         pairwise P {precision:.4} R {:.4} F1 {f1:.4}; B-cubed {:.4?}; largest {}",
        quality.records,
        quality.true_pairs,
        quality.found_pairs,
        quality.right_pairs,
        quality.recall,
        quality.b_cubed,
        quality.largest,
    )
}

/// Shows leads that were linked wrongly, and leads of one company that were not linked.
fn examples(
    accounts: &Accounts,
    found: &[u32],
    truth: &[&str],
    keys: &[CompanyKeys],
    limit: usize,
) -> String {
    let tells: Vec<usize> = (0..found.len()).filter(|lead| !keys[*lead].keys.is_empty()).collect();
    let line = |lead: usize| {
        let values: Vec<&str> = keys[lead].keys.iter().map(|key| key.value.as_str()).collect();
        format!("  {} {values:?}, linked by {:?}\n", truth[lead], accounts.linked(lead as u32))
    };
    let mut text = String::new();
    for (title, is_one, is_linked) in [("wrong", false, true), ("missing", true, false)] {
        let first_of = |a: &usize| {
            let is_case = |b: &&usize| {
                (truth[*a] == truth[**b]) == is_one && (found[*a] == found[**b]) == is_linked
            };
            Some((*a, *tells.iter().filter(|b| *b > a).find(is_case)?))
        };
        for (a, b) in tells.iter().filter_map(first_of).take(limit) {
            text.push_str(&[title, "\n", &line(a), &line(b)].concat());
        }
    }
    text
}
