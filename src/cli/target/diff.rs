//! `leadmill target diff`

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::known;
use crate::cli::workspace::{Global, UsageError};
use crate::cli::{Outcome, terminal};
use crate::pipeline::differences::{Asked, Difference, DifferenceKind, each_difference};
use crate::rules::target::RowsOf;

/// Show what the next file of a target would change there: new, changed, withdrawn and refused rows.
///
/// Compared is with what the target was given last, under the rules of today; nothing is written. What cells were is
/// read in the files of earlier runs; where they are gone, only that a row changed is known.
#[derive(Debug, Args)]
pub struct Diff {
    /// The target, such as salesforce-lead.
    #[arg(value_name = "TARGET")]
    target: String,
    /// How to write the list; jsonl has every cell.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Jsonl,
}

impl Diff {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let target = known(&rules, &self.target)?;
        if target.rows_of != RowsOf::Leads {
            let what = target.rows_of.word();
            let message =
                format!("the rows of `{}` are {what}, each of which is told once", target.id);
            let hint = "its next file holds those that were in none yet";
            return Err(UsageError(format!("{message}\nhint: {hint}")).into());
        }
        let store = global.read_store()?;
        let as_of_ms = global.now(&rules)?.timestamp_millis();
        let mut rows = vec![["what", "lead", "why"].map(str::to_owned).to_vec()];
        let mut counts: BTreeMap<DifferenceKind, u64> = BTreeMap::new();
        let mut out = terminal::stdout();
        let out_path = global.out_path();
        let asked = Asked { store: &store, rules: &rules, target, out: &out_path, as_of_ms };
        let unchanged = each_difference(asked, &mut |one| {
            *counts.entry(one.kind).or_default() += 1;
            match self.format {
                Format::Table => {
                    let why = why(&one);
                    rows.push(vec![one.kind.word().to_owned(), one.item, why]);
                    Ok(())
                }
                Format::Jsonl => Ok(writeln!(out, "{}", line(&one))?),
            }
        })?;
        out.flush()?;
        drop(out);
        if self.format == Format::Table {
            print(&rows, &counts, unchanged)?;
        }
        Ok(0)
    }
}

fn print(
    rows: &[Vec<String>],
    counts: &BTreeMap<DifferenceKind, u64>,
    unchanged: u64,
) -> Result<()> {
    if rows.len() > 1 {
        terminal::print(&format!("{}\n", terminal::table(rows, &[])))?;
    }
    let mut parts: Vec<String> =
        counts.iter().map(|(kind, count)| format!("{count} {}", kind.word())).collect();
    parts.push(format!("{unchanged} unchanged"));
    terminal::print(&parts.join(", "))
}

/// Returns why a row is in the list: of a changed one which cells changed, before and after.
fn why(one: &Difference) -> String {
    if one.kind != DifferenceKind::Changed || one.before.is_empty() {
        return one.reason.clone();
    }
    let shown = |text: Option<&String>| match text.map(String::as_str) {
        None | Some("") => "(nothing)".to_owned(),
        Some(text) => text.replace('\n', " "),
    };
    let changed = one.cells.iter().filter(|(header, cell)| one.before.get(*header) != Some(cell));
    let changed = changed.map(|(header, cell)| {
        format!("{header}: {} → {}", shown(one.before.get(header)), shown(Some(cell)))
    });
    changed.collect::<Vec<_>>().join("; ")
}

fn line(one: &Difference) -> Value {
    json!({
        "what": one.kind.word(), "lead": one.item, "why": one.reason,
        "before": one.before, "row": one.cells,
    })
}
