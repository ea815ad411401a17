//! `leadmill undo`

use std::num::NonZeroUsize;

use anyhow::Result;
use clap::Args;

use super::run::Worker;
use super::terminal::figure;
use super::workspace::Global;
use super::{Outcome, terminal};
use crate::pipeline::undo::{dry_undo, undo};
use crate::report::run_json::{RunSummary, UndoSummary};

/// Take a run back, as if it had never been.
///
/// Its rows go; the leads that they founded go with them, those that they changed or merged are what they
/// were before, with owner, score and tasks, and the turns that they took are given back. Later runs stay:
/// what both touched is decided anew. The consent ledger keeps its records and says that they no longer
/// count. The same files can be run again afterwards. A run of `merge`, `split`, `review` or `model` goes the same way.
#[derive(Debug, Args)]
pub struct Undo {
    /// The run's id, such as 2026-11-22-0001.
    #[arg(value_name = "RUN")]
    run: String,
    /// Do everything on a copy and keep nothing.
    #[arg(long = "dry-run")]
    keep_nothing: bool,
    /// End with one JSON object on stdout instead of tables.
    #[arg(long)]
    json: bool,
    /// Threads; the result does not depend on it. Default: one for each core.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl Undo {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let worker = Worker::new(global, &rules, self.threads)?;
        let work = if self.keep_nothing { dry_undo } else { undo };
        let summary = worker.work(global, |job, events| work(job, &self.run, events))?;
        if self.json {
            terminal::print(&summary.to_line()?)?;
        } else if !global.quiet {
            self.print_tables(global, &summary)?;
        }
        if let Some(undo) = summary.undo.as_ref().filter(|_| !self.keep_nothing) {
            say_what_comes_next(undo);
        }
        Ok(summary.exit_code)
    }

    fn print_tables(&self, global: &Global, summary: &RunSummary) -> Result<()> {
        let Some(undo) = &summary.undo else { return Ok(()) };
        let verb = if self.keep_nothing { "would undo" } else { "undid" };
        terminal::print(&format!("run {} {verb} run {}", summary.run, undo.run))?;
        terminal::print("")?;
        let lines = vec![
            vec!["taken back".to_owned(), String::new()],
            figure("  submissions", undo.rows.submissions),
            figure("  page views, calls and other events", undo.rows.touches),
            figure("  quarantined rows", undo.rows.quarantined),
            figure("  held rows", undo.rows.held),
            figure("  rows seen before", undo.rows.repeated),
            figure("  consent records that no longer count", undo.rows.consents),
            vec!["stays".to_owned(), String::new()],
            figure("  rows that a later run received, too", undo.rows.kept),
            vec!["leads".to_owned(), String::new()],
            figure("  gone", summary.withdrawn.len() as u64),
            figure("  changed or back", summary.leads.updated),
            figure("  in the store", summary.leads.total),
        ];
        terminal::print(&terminal::table(&lines, &[1]))?;
        terminal::print("")?;
        if self.keep_nothing {
            return terminal::print("dry run: nothing was stored or published");
        }
        let folder = global.out_path().join("runs").join(&summary.run);
        if !summary.withdrawn.is_empty() {
            let file = folder.join("crm").join("withdrawn.csv");
            terminal::print_wrapped(
                &format!("take the leads in {} out of your CRM", file.display()),
                2,
            )?;
        }
        terminal::print(&format!("{} files in {}", summary.files.len() + 1, folder.display()))
    }
}

/// What is gone from the store may still lie in the inbox, and the next run would take it in again.
fn say_what_comes_next(undo: &UndoSummary) {
    let waiting: Vec<&str> = undo
        .inputs
        .iter()
        .map(String::as_str)
        .filter(|name| std::path::Path::new(name).exists())
        .collect();
    if !waiting.is_empty() {
        terminal::warning(&format!(
            "still where the run found it: {}\nhint: the next run takes it in again unless it is moved \
             away",
            waiting.join(", ")
        ));
    }
    if !undo.offered_again.is_empty() {
        terminal::warning(&format!(
            "later runs passed over what run {} had imported: {}\nhint: nobody has these rows now; run \
             the files again to have them",
            undo.run,
            undo.offered_again.join(", ")
        ));
    }
}
