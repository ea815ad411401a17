//! `leadmill retention`

use clap::{Args, Subcommand};
use serde_json::json;

use super::run::Worker;
use super::terminal::figure;
use super::workspace::Global;
use super::{Outcome, terminal};
use crate::model::moment::utc_from_ms;
use crate::pipeline::retention::{Planned, apply, plan};

/// What is kept longer than the rules say (`rules/retention.toml`), and taking it away.
#[derive(Debug, Args)]
pub struct Retention {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Plan(Plan),
    Apply(Apply),
}

/// Show what each rule says is over, also of rules that are off; changes nothing.
#[derive(Debug, Args)]
struct Plan {
    /// List every lead and row.
    #[arg(long)]
    list: bool,
    /// Answer with one JSON object.
    #[arg(long)]
    json: bool,
}

/// Take away what the rules that are on say is over, as a run of its own. It cannot be undone.
#[derive(Debug, Args)]
struct Apply {
    /// End with one JSON object on stdout instead of a table.
    #[arg(long)]
    json: bool,
}

impl Retention {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        match &self.command {
            Command::Plan(command) => command.run(global),
            Command::Apply(command) => command.run(global),
        }
    }
}

impl Plan {
    fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let as_of = global.now(&rules)?;
        let planned = plan(&global.read_store()?, &rules, as_of.timestamp_millis())?;
        if self.json {
            let rules: Vec<_> = planned.iter().map(as_json).collect();
            terminal::print(&json!({"as_of": as_of.to_rfc3339(), "rules": rules}).to_string())?;
            return Ok(0);
        }
        let zone = rules.workspace.zone;
        let day = |at_ms: i64| utc_from_ms(at_ms).with_timezone(&zone).date_naive().to_string();
        let mut rows =
            vec![["rule", "state", "of", "then", "due", "oldest"].map(str::to_owned).to_vec()];
        rows.extend(planned.iter().map(|one| {
            vec![
                one.rule.id.clone(),
                if one.rule.is_on { "on" } else { "off" }.to_owned(),
                one.rule.of.word().to_owned(),
                one.rule.then.word().to_owned(),
                one.due.len().to_string(),
                oldest(one).map_or_else(String::new, &day),
            ]
        }));
        terminal::print(&terminal::table(&rows, &[4]))?;
        if self.list {
            for one in planned.iter().filter(|one| !one.due.is_empty()) {
                terminal::print(&format!("\n{}: {}", one.rule.id, one.rule.because))?;
                for due in &one.due {
                    terminal::print_wrapped(&format!("  {} {}", day(due.since_ms), due.called), 4)?;
                }
            }
        }
        if planned.iter().any(|one| one.rule.is_on && !one.due.is_empty()) {
            terminal::print_wrapped(
                "\n`leadmill retention apply` takes away what is on and due",
                2,
            )?;
        }
        Ok(0)
    }
}

impl Apply {
    fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let worker = Worker::new(global, &rules, None)?;
        let Some(summary) = worker.work(global, |job, events| apply(job, events))? else {
            if self.json {
                terminal::print(&json!({"run": null}).to_string())?;
            } else if !global.quiet {
                terminal::print_wrapped(
                    "nothing is due by a rule that is on; `leadmill retention plan` shows the others",
                    2,
                )?;
            }
            return Ok(0);
        };
        if self.json {
            terminal::print(&summary.to_line()?)?;
        } else if let Some(erasure) = summary.erasure.as_ref().filter(|_| !global.quiet) {
            terminal::print(&format!("run {}", summary.run))?;
            terminal::print("")?;
            let lines = vec![
                figure("leads erased", erasure.leads.len() as u64),
                figure("submissions", erasure.rows.submissions),
                figure("quarantined rows", erasure.rows.quarantined),
                figure("held rows", erasure.rows.held),
                figure("rows of which only the values stay", erasure.stripped),
                figure("files rewritten: whoever got one is to be told", erasure.told.len() as u64),
            ];
            terminal::print(&terminal::table(&lines, &[1]))?;
        }
        Ok(summary.exit_code)
    }
}

fn oldest(planned: &Planned) -> Option<i64> {
    planned.due.iter().map(|due| due.since_ms).min()
}

fn as_json(one: &Planned) -> serde_json::Value {
    let due: Vec<_> = one
        .due
        .iter()
        .map(|due| json!({"what": due.called, "since": utc_from_ms(due.since_ms).to_rfc3339()}))
        .collect();
    json!({
        "id": one.rule.id,
        "on": one.rule.is_on,
        "of": one.rule.of.word(),
        "then": one.rule.then.word(),
        "keep_days": one.rule.keep_seconds / 86_400,
        "because": one.rule.because,
        "source": one.rule.source,
        "due": due,
    })
}
