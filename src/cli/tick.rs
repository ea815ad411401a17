//! `leadmill tick`

use clap::Args;

use super::run::Worker;
use super::workspace::Global;
use super::{Outcome, terminal};
use crate::pipeline::tick::tick;

/// Hand out what became due since the last run, without reading anything.
///
/// For a cron line that comes every few minutes, between the nightly imports: tasks that are due by now are in the
/// run's `due.csv`, each once and never again. Leads that time has changed are decided anew, and those that waited for
/// somebody are dealt. When there is nothing of the kind, nothing is written.
#[derive(Debug, Args)]
pub struct Tick {
    /// End with one JSON object on stdout.
    #[arg(long)]
    json: bool,
}

impl Tick {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let worker = Worker::new(global, &rules, None)?;
        let Some(summary) = worker.work(global, tick)? else {
            if self.json {
                terminal::print("{\"run\":null}")?;
            } else if !global.quiet {
                terminal::print("nothing became due")?;
            }
            return Ok(0);
        };
        if self.json {
            terminal::print(&summary.to_line()?)?;
        } else if !global.quiet {
            let tasks = terminal::count(summary.tasks.handed_out, "task", "tasks");
            let path = global.out_path().join("runs").join(&summary.run).join("due.csv");
            terminal::print_wrapped(
                &format!("run {}: {tasks} became due, listed in {}", summary.run, path.display()),
                2,
            )?;
        }
        Ok(summary.exit_code)
    }
}
