//! `leadmill target result`

use std::path::PathBuf;

use clap::Args;

use super::{known, read};
use crate::cli::workspace::{Global, UsageError};
use crate::cli::{Outcome, terminal};
use crate::delivery::results::{NoResults, target_of};
use crate::pipeline::targets::keep_results;
use crate::store::Store;

/// Lines of rows that nobody knows which are shown.
const LINES_SHOWN: usize = 5;

/// Read what a target said of the rows that it was given: its file of successes or of errors.
///
/// Known are the results of Salesforce's Bulk API 2.0 and Data Loader, and any CSV with a column of errors beside the
/// columns that leadmill wrote, such as Pipedrive's skip file. Ids of records are kept, refusals become dead letters.
/// Exit code 3 when there was a refusal.
#[derive(Debug, Args)]
pub struct ReadResult {
    /// The file that the target wrote.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which target wrote it; found out by the header without it.
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,
}

impl ReadResult {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let bytes = read(&self.file)?;
        let target = match &self.target {
            Some(id) => known(&rules, id)?,
            None => target_of(rules.targets.iter(), &bytes)?.ok_or_else(|| {
                let message = format!("{} has the columns of no target", self.file.display());
                UsageError(format!("{message}\nhint: name the one that wrote it with --target"))
            })?,
        };
        let at_ms = global.now(&rules)?.timestamp_millis();
        let store = Store::open_existing(&global.store_path())?;
        let kept = keep_results(&store, &rules, target, &bytes, at_ms);
        let figures = kept.map_err(|fault| match fault.downcast_ref::<NoResults>() {
            Some(none) => UsageError(format!(
                "{}: {none}\nhint: `leadmill target docs {}` shows the columns that it has",
                self.file.display(),
                target.id
            ))
            .into(),
            None => fault,
        })?;
        let row = |count| terminal::count(count, "row", "rows");
        terminal::print(&format!(
            "{}: {} taken, {} refused, {} resolved",
            target.id,
            row(figures.taken),
            figures.refused,
            terminal::count(figures.resolved, "dead letter", "dead letters")
        ))?;
        if !figures.unknown.is_empty() {
            let shown = figures.unknown.iter().take(LINES_SHOWN).map(u64::to_string);
            let shown = shown.collect::<Vec<_>>().join(", ");
            let more = if figures.unknown.len() > LINES_SHOWN { ", …" } else { "" };
            terminal::warning(&format!(
                "{} not of leads that {} was given: line {shown}{more}",
                row(figures.unknown.len() as u64),
                target.id
            ));
        }
        Ok(if figures.refused > 0 { 3 } else { 0 })
    }
}
