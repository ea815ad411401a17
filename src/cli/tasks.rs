//! `leadmill tasks`

use std::io::Write as _;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::workspace::Global;
use super::{Outcome, terminal};
use crate::delivery::tasks::{CalendarWriter, TaskListWriter, duration_text};
use crate::model::moment::utc_from_ms;
use crate::model::task::Task;
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::listing::TaskFilter;

/// How the task list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TaskFormat {
    /// For people.
    Table,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Jsonl,
    /// For calendars (iCalendar).
    Ics,
}

/// List what is to be done, the earliest due first.
#[derive(Debug, Args)]
pub struct Tasks {
    /// Only tasks of this owner.
    #[arg(long, value_name = "ID")]
    owner: Option<String>,
    /// Only tasks of leads in this segment: hot, warm or cold.
    #[arg(long, value_name = "SEGMENT", value_parser = ["hot", "warm", "cold"])]
    segment: Option<String>,
    /// Only tasks past due.
    #[arg(long)]
    overdue: bool,
    /// Also tasks that were left out or replaced, with the reason.
    #[arg(long)]
    all: bool,
    /// At most this many.
    #[arg(long, value_name = "N")]
    limit: Option<i64>,
    /// How to write the list.
    #[arg(long, value_enum, default_value = "table")]
    format: TaskFormat,
}

impl Tasks {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let as_of = global.now(&rules)?;
        let store = global.read_store()?;
        Global::expect_owner(&rules, &store, self.owner.as_deref())?;
        let as_of_ms = as_of.timestamp_millis();
        let filter = TaskFilter {
            owner: self.owner.clone(),
            segment: self.segment.clone(),
            due_before_ms: self.overdue.then_some(as_of_ms),
            any_state: self.all,
            limit: self.limit,
            ..TaskFilter::default()
        };
        let each =
            |visit: &mut dyn FnMut(Task) -> Result<()>| store.each_task(&filter, as_of_ms, visit);
        match self.format {
            TaskFormat::Table => Self::print_table(&store, &filter, as_of_ms, &rules)?,
            TaskFormat::Csv => {
                let mut writer =
                    TaskListWriter::new(terminal::stdout(), rules.workspace.zone, as_of)?;
                each(&mut |task| writer.write(&task))?;
                writer.finish()?.1.flush()?;
            }
            TaskFormat::Ics => {
                let mut writer =
                    CalendarWriter::new(terminal::stdout(), rules.workspace.zone, as_of)?;
                each(&mut |task| writer.write(&task).map(drop))?;
                writer.finish()?.1.flush()?;
            }
            TaskFormat::Jsonl => {
                let mut out = terminal::stdout();
                each(&mut |task| Ok(writeln!(out, "{}", line(&task))?))?;
                out.flush()?;
            }
        }
        Ok(0)
    }

    fn print_table(
        store: &Store,
        filter: &TaskFilter,
        as_of_ms: i64,
        rules: &RuleSet,
    ) -> Result<()> {
        let mut rows =
            vec![["due", "late", "what", "who", "lead", "state"].map(str::to_owned).to_vec()];
        store.each_task(filter, as_of_ms, |task| {
            let due = utc_from_ms(task.planned.due_ms).with_timezone(&rules.workspace.zone);
            let late = match task.late_minutes {
                0 => String::new(),
                minutes => duration_text(minutes),
            };
            rows.push(vec![
                due.format("%m-%d %H:%M").to_string(),
                late,
                task.planned.subject.clone(),
                task.owner.clone().unwrap_or_else(|| format!("({})", task.queue)),
                task.lead_id.to_string(),
                task.planned.state.word().to_owned(),
            ]);
            Ok(())
        })?;
        terminal::print(&terminal::table(&rows, &[]))?;
        let listed = rows.len() as u64 - 1;
        terminal::print(&format!("\n{}", terminal::count(listed, "task", "tasks")))
    }
}

fn line(task: &Task) -> serde_json::Value {
    let planned = &task.planned;
    json!({
        "task": task.id,
        "lead": task.lead_id.to_string(),
        "name": task.lead_name,
        "owner": task.owner,
        "queue": task.queue,
        "segment": task.segment,
        "plan": planned.plan,
        "step": planned.step,
        "channel": planned.channel.word(),
        "subject": planned.subject,
        "due": utc_from_ms(planned.due_ms).to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        "late_minutes": task.late_minutes,
        "state": planned.state.word(),
        "because": planned.because,
        "email": task.email,
        "phone": task.phone,
    })
}
