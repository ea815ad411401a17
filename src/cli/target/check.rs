//! `leadmill target check`

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{known, read};
use crate::cli::workspace::{Global, UsageError};
use crate::cli::{Outcome, terminal};
use crate::delivery::audit::{Audit, Consequence, Finding, audit};

/// Blanks before what belongs to the finding above.
const INDENT: usize = 4;

/// Check any file against what a target takes: bytes, header, every cell.
///
/// Exit code 0 when the target would take all of it, 3 when it would refuse the file or a row.
#[derive(Debug, Args)]
pub struct Check {
    /// The file, whoever wrote it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What is to import it, such as salesforce-lead.
    #[arg(long, value_name = "TARGET")]
    target: String,
    /// How to write what is found.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

impl Check {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let target = known(&rules, &self.target)?;
        if !target.format.is_built() {
            let word = target.format.word();
            let hint = format!("build it with --features {word}");
            let message = format!("this build of leadmill cannot read `{word}`\nhint: {hint}");
            return Err(UsageError(message).into());
        }
        let bytes = read(&self.file)?;
        let zone = target.zone.unwrap_or(rules.workspace.zone);
        let found = audit(target, zone.name(), &bytes);
        match self.format {
            Format::Table => self.print(&format!("`{}`", target.id), &found)?,
            Format::Json => terminal::print(&self.json(&target.id, &found).to_string())?,
        }
        Ok(if found.is_refused { 3 } else { 0 })
    }

    fn print(&self, target: &str, found: &Audit) -> Result<()> {
        let file = self.file.display();
        for Finding { line, column, what, consequence, hint, .. } in &found.findings {
            let mut place = file.to_string();
            if *line > 0 {
                place = format!("{place}:{line}");
            }
            if !column.is_empty() {
                place = format!("{place}:{column}");
            }
            terminal::print_wrapped(&format!("{place}: {what}"), INDENT)?;
            let told = match consequence {
                Consequence::Takes => String::new(),
                refuses => format!("{target} {}; ", refuses.words()),
            };
            terminal::print_wrapped(&format!("{}{told}{hint}", " ".repeat(INDENT)), INDENT)?;
        }
        let all: u64 = found.counts.values().sum();
        let shown = found.findings.len() as u64;
        if all > shown {
            terminal::print(&format!("and {} more", all - shown))?;
        }
        let rows = terminal::count(found.rows, "row", "rows");
        let verdict = match (all, found.is_refused) {
            (0, _) => format!("{target} takes all of it"),
            (_, false) => format!("{target} takes it; {all} to look at"),
            (_, true) => format!("{} found", terminal::count(all, "fault", "faults")),
        };
        terminal::print(&format!("{}{rows}: {verdict}", if shown > 0 { "\n" } else { "" }))
    }

    fn json(&self, target: &str, found: &Audit) -> Value {
        let findings: Vec<Value> = found
            .findings
            .iter()
            .map(|one| {
                json!({
                    "line": one.line, "column": one.column, "code": one.code, "what": one.what,
                    "consequence": one.consequence.words(), "hint": one.hint,
                })
            })
            .collect();
        json!({
            "file": self.file.display().to_string(), "target": target, "rows": found.rows,
            "is_refused": found.is_refused, "counts": found.counts, "findings": findings,
        })
    }
}
