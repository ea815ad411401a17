//! `leadmill tasks`

mod said;

use std::io::Write as _;

use anyhow::Result;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::workspace::{Global, UsageError};
use super::{Outcome, clock, terminal};
use crate::delivery::calendar::{CalendarEntry, CalendarStyle, CalendarWriter};
use crate::delivery::tasks::{TaskListWriter, duration_text, todo_txt};
use crate::model::moment::utc_from_ms;
use crate::model::task::Task;
use crate::pipeline::messages::Messages;
use crate::rules::RuleSet;
use crate::rules::decode::duration_seconds;
use crate::rules::hours::instant_of;
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
    /// For calendars (iCalendar): to-dos.
    Ics,
    /// For calendars that show no to-dos: events that ring.
    Events,
    /// For lists in the format of todo.txt.
    Todotxt,
}

/// List what is to be done, the earliest due first; or say that something is done or put off.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Tasks {
    #[command(subcommand)]
    action: Option<Action>,
    /// Only tasks of this owner.
    #[arg(long, value_name = "ID")]
    owner: Option<String>,
    /// Only tasks of leads in this segment: hot, warm or cold.
    #[arg(long, value_name = "SEGMENT", value_parser = ["hot", "warm", "cold"])]
    segment: Option<String>,
    /// Only tasks past due.
    #[arg(long)]
    overdue: bool,
    /// Only tasks due by then: an instant, the end of a day (2026-11-20), or a stretch from now (4h, 2d).
    #[arg(long, value_name = "WHEN", conflicts_with = "overdue")]
    due: Option<String>,
    /// Also tasks that were left out or replaced, with the reason.
    #[arg(long)]
    all: bool,
    /// At most this many.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// How to write the list.
    #[arg(long, value_enum, default_value = "table")]
    format: TaskFormat,
}

#[derive(Debug, Subcommand)]
enum Action {
    Done(said::Done),
    Snooze(said::Snooze),
}

impl Tasks {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        match &self.action {
            Some(Action::Done(command)) => command.run(global),
            Some(Action::Snooze(command)) => command.run(global),
            None => self.list(global),
        }
    }

    fn list(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let as_of = global.now(&rules)?;
        let store = global.read_store()?;
        Global::expect_owner(&rules, &store, self.owner.as_deref())?;
        let as_of_ms = as_of.timestamp_millis();
        let filter = TaskFilter {
            owner: self.owner.clone(),
            segment: self.segment.clone(),
            due_before_ms: match &self.due {
                Some(text) => {
                    Some(due_before(text, as_of, rules.workspace.zone)?.timestamp_millis())
                }
                None => self.overdue.then_some(as_of_ms),
            },
            any_state: self.all,
            limit: self.limit.map(i64::from),
            ..TaskFilter::default()
        };
        let each =
            |visit: &mut dyn FnMut(Task) -> Result<()>| store.each_task(&filter, as_of_ms, visit);
        let messages = Messages::new(&store, &rules);
        match self.format {
            TaskFormat::Table => Self::print_table(&store, &filter, as_of_ms, &rules)?,
            TaskFormat::Csv => {
                let mut writer =
                    TaskListWriter::new(terminal::stdout(), rules.workspace.zone, as_of)?;
                each(&mut |task| writer.write(&task))?;
                writer.finish()?.1.flush()?;
            }
            TaskFormat::Ics | TaskFormat::Events => {
                let style = CalendarStyle { zone: rules.workspace.zone, as_of };
                let mut writer = match self.format {
                    TaskFormat::Events => CalendarWriter::of_events(terminal::stdout(), style)?,
                    _ => CalendarWriter::new(terminal::stdout(), style)?,
                };
                each(&mut |task| {
                    let text = messages.text(&task)?;
                    let entry = CalendarEntry::of(&task, text.as_deref(), style);
                    entry.map_or(Ok(()), |entry| writer.write(&entry))
                })?;
                writer.finish()?.1.flush()?;
            }
            TaskFormat::Todotxt => {
                let mut out = terminal::stdout();
                each(&mut |task| {
                    Ok(writeln!(out, "{}", todo_txt(&task, rules.workspace.zone, as_of))?)
                })?;
                out.flush()?;
            }
            TaskFormat::Jsonl => {
                let mut out = terminal::stdout();
                each(&mut |task| {
                    let text = messages.text(&task)?;
                    Ok(writeln!(out, "{}", line(&task, text.as_deref()))?)
                })?;
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
            vec![["due", "late", "what", "who", "task", "state"].map(str::to_owned).to_vec()];
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
                task.id(),
                task.planned.state.word().to_owned(),
            ]);
            Ok(())
        })?;
        terminal::print(&terminal::table(&rows, &[]))?;
        let listed = rows.len() as u64 - 1;
        terminal::print(&format!("\n{}", terminal::count(listed, "task", "tasks")))
    }
}

/// Returns the first instant that is later than what `text` means.
fn due_before(text: &str, as_of: DateTime<Utc>, zone: Tz) -> Result<DateTime<Utc>> {
    let a_day = text.trim().parse::<NaiveDate>().ok();
    let last = match duration_seconds(text).and_then(TimeDelta::try_seconds) {
        Some(stretch) => as_of.checked_add_signed(stretch).unwrap_or(as_of),
        None => match a_day.and_then(|day| day.succ_opt()) {
            Some(day) => return Ok(instant_of(zone, day.and_time(NaiveTime::MIN))),
            None => clock::as_of(Some(text), zone).map_err(UsageError)?,
        },
    };
    Ok(last + TimeDelta::milliseconds(1))
}

fn line(task: &Task, text: Option<&str>) -> serde_json::Value {
    let planned = &task.planned;
    json!({
        "task": task.id(),
        "lead": task.lead_id.to_string(),
        "name": task.lead_name,
        "owner": task.owner,
        "queue": task.queue,
        "segment": task.segment,
        "plan": planned.key.plan,
        "step": planned.key.step,
        "cycle": planned.key.cycle,
        "channel": planned.channel.word(),
        "subject": planned.subject,
        "text": text,
        "due": utc_from_ms(planned.due_ms).to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        "late_minutes": task.late_minutes,
        "state": planned.state.word(),
        "because": planned.because,
        "email": task.email,
        "phone": task.phone,
    })
}
