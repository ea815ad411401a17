//! `leadmill rebuild`

use std::num::NonZeroUsize;

use clap::Args;

use super::run::Worker;
use super::workspace::Global;
use super::{Outcome, terminal};
use crate::pipeline::BrokenPromise;
use crate::pipeline::rebuild::{Rebuilt, check, rebuild};

/// Compute leads, scores, owners and tasks anew from what was received.
///
/// Every run that stands decides once more, at its own instant and under its own rules, and whoever had a
/// turn keeps it. What comes out must be what is there; if it is not, it is put in its place and published.
#[derive(Debug, Args)]
pub struct Rebuild {
    /// Only compare; exit with 70 and name what differs.
    #[arg(long = "check")]
    only_compare: bool,
    /// Threads; the result does not depend on it. Default: one for each core.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl Rebuild {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let worker = Worker::new(global, &rules, self.threads)?;
        let work = if self.only_compare { check } else { rebuild };
        let rebuilt = worker.work(global, work)?;
        if rebuilt.differences.is_empty() {
            if !global.quiet {
                terminal::print(&format!(
                    "computed anew from {}: {}, nothing differs",
                    terminal::count(rebuilt.runs, "run", "runs"),
                    terminal::count(rebuilt.leads, "lead", "leads")
                ))?;
            }
            return Ok(0);
        }
        say_differences(&rebuilt);
        let Some(summary) = &rebuilt.published else {
            return Err(BrokenPromise(
                "derived state is not what follows from what was received".to_owned(),
            )
            .into());
        };
        if !global.quiet {
            terminal::print(&format!(
                "run {} put it right; {} changed",
                summary.run,
                terminal::count(summary.leads.updated, "lead", "leads")
            ))?;
        }
        Ok(summary.exit_code)
    }
}

fn say_differences(rebuilt: &Rebuilt) {
    for one in &rebuilt.differences {
        terminal::warning(&format!(
            "table {}: {} too many, {} missing, such as {}",
            one.table,
            terminal::count(one.too_many, "row", "rows"),
            one.missing,
            one.example
        ));
    }
}
