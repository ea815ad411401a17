//! `leadmill rescore`

use std::num::NonZeroUsize;

use anyhow::Result;
use clap::Args;

use super::run::Worker;
use super::workspace::{Global, UsageError};
use super::{Outcome, clock, terminal};
use crate::pipeline::rescore::rescore;
use crate::report::comparison::Comparison;
use crate::report::simulation::tables;
use crate::rules::RuleSet;
use crate::store::rescore::RescoreScope;

/// Decide anew about the leads that are there, by the rules of today.
///
/// Score, segment, owner, queue and tasks follow from what was received, as of now; who is whose duplicate
/// stays as it is. A lead keeps its owner where the rules say that returning leads do, mail that was let go
/// is not sent after all, and a lead for which nothing comes out otherwise keeps the decision it has. It is a
/// run of its own: it writes CRM files of what changed, and `leadmill undo RUN` takes it back. `leadmill
/// simulate` says beforehand what it would change.
#[derive(Debug, Args)]
pub struct Rescore {
    #[command(flatten)]
    pub(super) scope: ScopeArgs,
    /// End with one JSON object on stdout instead of tables.
    #[arg(long)]
    json: bool,
}

/// Which leads are decided about anew, and how.
#[derive(Debug, Args)]
pub struct ScopeArgs {
    /// Only leads last heard of since then, such as 2026-11-01.
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Move leads from owners who would not get them now; the others stay with whom they are.
    #[arg(long)]
    pub reroute: bool,
    /// Threads; the result does not depend on it. Default: one for each core.
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

impl ScopeArgs {
    /// Returns what is meant.
    pub fn scope(&self, rules: &RuleSet) -> Result<RescoreScope> {
        let since = self.since.as_deref();
        let since = since.map(|text| clock::as_of(Some(text), rules.workspace.zone)).transpose();
        let since = since.map_err(UsageError)?;
        Ok(RescoreScope {
            since_ms: since.map(|since| since.timestamp_millis()),
            reroutes: self.reroute,
        })
    }
}

impl Rescore {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let scope = self.scope.scope(&rules)?;
        let worker = Worker::new(global, &rules, self.scope.threads)?;
        let summary = worker.work(global, |job, events| rescore(job, scope, events))?;
        if self.json {
            terminal::print(&summary.to_line()?)?;
        } else if let Some(comparison) = summary.rescore.as_ref().filter(|_| !global.quiet) {
            terminal::print(&format!("run {} as of {}", summary.run, summary.as_of))?;
            print_sums(comparison, "changed")?;
            let folder = global.out_path().join("runs").join(&summary.run);
            terminal::print("")?;
            terminal::print(&format!("{} files in {}", summary.files.len() + 1, folder.display()))?;
            terminal::print(&format!("`leadmill undo {}` takes it back", summary.run))?;
        }
        Ok(summary.exit_code)
    }
}

/// Prints the sums of a comparison in which leads `changed`, or would.
pub(super) fn print_sums(comparison: &Comparison, changed: &str) -> Result<()> {
    let Comparison { leads, changed: count, tasks, .. } = comparison;
    terminal::print("")?;
    terminal::print_wrapped(
        &format!(
            "{count} of {} {changed}: {} in segment, {} in owner, {} in queue",
            terminal::count(*leads, "lead", "leads"),
            comparison.segment_changed,
            comparison.owner_changed,
            comparison.queue_changed
        ),
        2,
    )?;
    terminal::print(&format!(
        "tasks: {} more, {} moved, {} less",
        tasks.opened, tasks.moved, tasks.ended
    ))?;
    if let Some(by_time) = comparison.by_time_alone.filter(|by_time| *by_time > 0) {
        terminal::print_wrapped(
            &format!(
                "{by_time} of them by time alone: the rules at hand would come to the same by now"
            ),
            2,
        )?;
    }
    for table in tables(comparison) {
        terminal::print("")?;
        terminal::print(table.title)?;
        terminal::print(&terminal::table(&table.rows, &table.right))?;
    }
    Ok(())
}
