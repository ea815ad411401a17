//! `leadmill restore`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::run::Worker;
use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::pipeline::restore::{Restored, restore};
use crate::store::backup::stamp;
use crate::store::key::{key_path, log_path};

/// Put a backup in the place of the store; the old one is moved aside.
///
/// The backup is looked at from end to end first. What happened after it was made is unknown to it, so: people who
/// were erased since are erased once more (which needs leadmill.key and the log beside it); what waited to be sent is
/// held as dead letters with the code `restored`, because it may have been sent; folders of runs that it does not know
/// move from out/runs to out/before-…; and exports that came in since are to be run again. Killed in between, nothing
/// opens the store until the same command was run again.
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup: a file that `leadmill backup` made.
    #[arg(value_name = "FILE")]
    backup: PathBuf,
    /// Answer with one JSON object.
    #[arg(long)]
    json: bool,
}

impl Restore {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        if !self.backup.is_file() {
            let shown = self.backup.display();
            let hint = "hint: `leadmill backup --list` shows which there are";
            return Err(UsageError(format!("{shown} is no file\n{hint}")).into());
        }
        let rules = global.rules()?;
        let now = global.now(&rules)?;
        let stamp = stamp(now.timestamp_millis());
        let worker = Worker::at(global, &rules, None, now)?;
        let restored =
            worker.work(global, |job, events| restore(job, &self.backup, &stamp, events))?;
        if self.json {
            terminal::print(&as_json(&restored).to_string())?;
        } else if !global.quiet {
            say(global, &restored)?;
        }
        if !restored.had_record {
            terminal::warning(
                "there was no record beside the backup: it is sound, but nobody can say whether it is the one that was \
                 made",
            );
        }
        if restored.may_have_erased {
            let log = log_path(&key_path(&global.store_path()));
            terminal::warning(&format!(
                "there is no log of erasures ({}), nor an old store to be asked: whoever was erased after the backup \
                 was made is back\nhint: put the log and its key there and restore once more; was nobody erased, all \
                 is well",
                log.display()
            ));
        }
        Ok(if restored.held > 0 || restored.may_have_erased { 3 } else { 0 })
    }
}

fn say(global: &Global, restored: &Restored) -> Result<()> {
    let record = &restored.record;
    let latest = record.latest_run.as_deref().unwrap_or("none");
    let taken = record.taken_at.as_deref().unwrap_or("an instant that it does not say");
    let leads = terminal::count(record.leads, "lead", "leads");
    let mut lines = vec![format!(
        "{} is the backup of {taken} now: {leads}, the latest run is {latest}",
        global.store_path().display()
    )];
    if let Some(aside) = &restored.aside {
        lines.push(format!(
            "the old store is {}; remove it when nobody needs it any more, for it holds people who are forgotten here",
            aside.display()
        ));
    }
    if !restored.forgotten.is_empty() {
        let leads = terminal::count(restored.forgotten.len() as u64, "lead", "leads");
        lines.push(format!(
            "erased once more: {leads}; `out/latest/crm/withdrawn.csv` names them for your CRM"
        ));
    }
    if !restored.runs.is_empty() {
        lines.push(format!(
            "it does not know {}: {} moved to {}; what others took from there they have",
            terminal::count(restored.runs.len() as u64, "run", "runs"),
            restored.runs.join(", "),
            restored.runs_aside.display()
        ));
    }
    if restored.held > 0 {
        let held = terminal::count(restored.held, "delivery is", "deliveries are");
        lines.push(format!(
            "{held} held, for they may have been sent since: `leadmill dead-letter redrive --code restored` sends \
             them all the same, `leadmill dead-letter drop` lets one rest"
        ));
    }
    lines.push(
        "run what came in since the backup once more: `leadmill run FILE…`; then `leadmill doctor --deep`".to_owned(),
    );
    lines.iter().try_for_each(|line| terminal::print_wrapped(line, 2))
}

fn as_json(restored: &Restored) -> serde_json::Value {
    json!({
        "record": restored.record,
        "had_record": restored.had_record,
        "continued": restored.is_continued,
        "old_store": restored.aside.as_ref().map(|path| path.display().to_string()),
        "may_have_erased": restored.may_have_erased,
        "held": restored.held,
        "unknown_runs": restored.runs,
        "unknown_runs_in": restored.runs_aside.display().to_string(),
        "erased_again": restored.forgotten,
    })
}
