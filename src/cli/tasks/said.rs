//! `leadmill tasks done` and `leadmill tasks snooze`

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, ValueEnum};

use crate::cli::clock;
use crate::cli::run::Worker;
use crate::cli::workspace::{Global, UsageError};
use crate::cli::{Outcome, terminal};
use crate::model::ids::LeadId;
use crate::model::task::{Task, TaskChannel, TaskKey, TaskState};
use crate::pipeline::tick::{AboutTask, Said, say};
use crate::rules::RuleSet;
use crate::rules::decode::duration_seconds;
use crate::store::Store;

/// What came of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Cause {
    /// Somebody spoke with them.
    Contacted,
    /// Nobody answered.
    NoAnswer,
    /// They have a date for a meeting.
    MeetingBooked,
    /// The meeting took place.
    MeetingHeld,
    /// They did not come to the meeting.
    NoShow,
    /// They bought.
    Won,
    /// They will not buy.
    Lost,
    /// Nothing that anybody would count.
    None,
}

impl Cause {
    /// Returns the kind of touch that it is.
    fn touch(self) -> Option<&'static str> {
        match self {
            Self::Contacted => Some("contacted"),
            Self::NoAnswer => Some("call"),
            Self::MeetingBooked => Some("meeting-booked"),
            Self::MeetingHeld => Some("meeting-held"),
            Self::NoShow => Some("no-show"),
            Self::Won => Some("won"),
            Self::Lost => Some("lost"),
            Self::None => None,
        }
    }
}

/// Say that tasks are done, and what came of it.
///
/// A contact ends what waits for one: the reminder, the second touch. It is a run of its own, so `leadmill undo RUN`
/// takes it back, and what was said follows the lead through merges and splits.
#[derive(Debug, Args)]
pub struct Done {
    /// Tasks, as `leadmill tasks --format csv` names them: LM-0123456789AB/hot/call.
    #[arg(value_name = "TASK", required = true)]
    tasks: Vec<String>,
    /// What came of it [default: contacted for calls, none for the rest]
    #[arg(long, value_enum, value_name = "OUTCOME")]
    outcome: Option<Cause>,
    /// End with one JSON object on stdout.
    #[arg(long)]
    json: bool,
}

/// Put tasks off.
#[derive(Debug, Args)]
pub struct Snooze {
    /// Tasks, as `leadmill tasks --format csv` names them: LM-0123456789AB/hot/call.
    #[arg(value_name = "TASK", required = true)]
    tasks: Vec<String>,
    /// Until when: an instant (2026-11-20T09:00), a day (2026-11-20) or a stretch from now (4h, 2d).
    #[arg(long, value_name = "WHEN")]
    until: String,
    /// End with one JSON object on stdout.
    #[arg(long)]
    json: bool,
}

impl Done {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let as_of = global.now(&rules)?;
        let usual = |task: &Task| match task.planned.channel {
            TaskChannel::Call => Cause::Contacted,
            _ => Cause::None,
        };
        let tasks = named_tasks(global, as_of, &self.tasks)?;
        let said = tasks.into_iter().map(|task| {
            let outcome = self.outcome.unwrap_or_else(|| usual(&task)).touch();
            about(&task, Said::Done { outcome: outcome.map(str::to_owned) })
        });
        let said: Vec<AboutTask> = said.collect();
        told(global, (&rules, as_of), (&self.tasks, &said), "done", self.json)
    }
}

impl Snooze {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let as_of = global.now(&rules)?;
        let until = self.until(&rules, as_of)?;
        let tasks = named_tasks(global, as_of, &self.tasks)?;
        let said: Vec<AboutTask> =
            tasks.iter().map(|task| about(task, Said::Snoozed { until })).collect();
        let local = until.with_timezone(&rules.workspace.zone).format("%Y-%m-%d %H:%M");
        let what = format!("put off until {local}");
        told(global, (&rules, as_of), (&self.tasks, &said), &what, self.json)
    }

    fn until(&self, rules: &RuleSet, as_of: DateTime<Utc>) -> Result<DateTime<Utc>> {
        let latest = as_of + TimeDelta::days(366);
        let until = match duration_seconds(&self.until).and_then(TimeDelta::try_seconds) {
            Some(stretch) => as_of.checked_add_signed(stretch).unwrap_or(as_of),
            None => clock::as_of(Some(&self.until), rules.workspace.zone).map_err(UsageError)?,
        };
        if until <= as_of || until > latest {
            return Err(UsageError(format!(
                "`{}` is not within the next year\nhint: give an instant, a day, or a stretch such as 4h or 2d",
                self.until
            ))
            .into());
        }
        Ok(until)
    }
}

/// Finds the tasks that are named.
fn named_tasks(global: &Global, as_of: DateTime<Utc>, named: &[String]) -> Result<Vec<Task>> {
    let store = global.read_store()?;
    let mut found: Vec<Task> = Vec::new();
    for text in named {
        let task = named_task(&store, as_of, text)?;
        if found.iter().all(|known| known.id() != task.id()) {
            found.push(task);
        }
    }
    Ok(found)
}

/// Fails unless all tasks that are named are open.
fn expect_open(store: &Store, as_of: DateTime<Utc>, named: &[String]) -> Result<()> {
    for text in named {
        let task = named_task(store, as_of, text)?.planned;
        if task.state != TaskState::Open {
            let state = task.state.word();
            let why = format!("`{text}` is not open but {state}: {}", task.because);
            return Err(UsageError(why).into());
        }
    }
    Ok(())
}

fn named_task(store: &Store, as_of: DateTime<Utc>, text: &str) -> Result<Task> {
    let parts = text.trim().split_once('/');
    let parsed = parts
        .and_then(|(lead, key)| Some((lead.parse::<LeadId>().ok()?, key.parse::<TaskKey>().ok()?)));
    let Some((lead, key)) = parsed else {
        return Err(UsageError(format!(
            "`{text}` is not a task\nhint: write it as in LM-0123456789AB/hot/call; `leadmill tasks --format csv` \
             lists them"
        ))
        .into());
    };
    let tasks = match store.lead_by_id(lead)? {
        Some(lead) => store.tasks_of(lead, as_of.timestamp_millis())?,
        None => Vec::new(),
    };
    let open: Vec<String> = tasks
        .iter()
        .filter(|task| task.planned.state == TaskState::Open)
        .map(|task| task.planned.key.to_string())
        .collect();
    match tasks.into_iter().find(|task| task.planned.key == key) {
        Some(task) => Ok(task),
        None if open.is_empty() => Err(UsageError(format!(
            "there is no task `{text}`\nhint: `leadmill tasks --format csv` lists those that are open"
        ))
        .into()),
        None => Err(UsageError(format!(
            "there is no task `{text}`\nhint: open for this lead are {}",
            open.join(", ")
        ))
        .into()),
    }
}

fn about(task: &Task, said: Said) -> AboutTask {
    AboutTask { lead: task.lead_id, key: task.planned.key.clone(), said }
}

fn told(
    global: &Global,
    (rules, as_of): (&RuleSet, DateTime<Utc>),
    (named, said): (&[String], &[AboutTask]),
    what: &str,
    json: bool,
) -> Outcome {
    let worker = Worker::at(global, rules, None, as_of)?;
    // What is done may be so by this very command, which was killed before it had published that.
    let may_be_said = |store: &Store| expect_open(store, as_of, named);
    let summary = worker.work(global, |job, _| say(job, said, may_be_said))?;
    if json {
        terminal::print(&summary.to_line()?)?;
    } else if !global.quiet {
        let tasks = terminal::count(said.len() as u64, "task", "tasks");
        terminal::print_wrapped(
            &format!("run {0}: {tasks} {what}; `leadmill undo {0}` takes it back", summary.run),
            2,
        )?;
    }
    Ok(summary.exit_code)
}
