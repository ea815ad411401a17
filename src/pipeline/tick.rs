//! Between two imports: what became due is handed out, and what was said about tasks is taken in.

use anyhow::{Context as _, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::absorb::Fresh;
use super::amend::{all_have_a_place, asked_digest, close, open_existing};
use super::books::{Books, INPUT_REFUSED};
use super::event::Events;
use super::{Job, Scratch, alerts, decide, deciding, elapsed, opening, publish, recover, run_as};
use crate::intake::InputPath;
use crate::model::ids::LeadId;
use crate::model::task::TaskKey;
use crate::model::touch::{TASK_DONE, TASK_SNOOZED};
use crate::report::run_json::{LookedSummary, RunSummary};
use crate::rules::alerts::AlertFigures;
use crate::rules::source::GENERIC_EVENTS;
use crate::store::Store;
use crate::store::runs::{RunKind, RunRecord};

/// What somebody says about a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It is done; with what came of it, a kind of touch such as `contacted`.
    Done {
        /// What came of it, if anything did.
        outcome: Option<String>,
    },
    /// It is put off until then.
    Snoozed {
        /// Until when.
        until: DateTime<Utc>,
    },
}

/// What somebody says about one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AboutTask {
    /// Its lead.
    pub lead: LeadId,
    /// Which of its tasks.
    pub key: TaskKey,
    /// What is said.
    pub said: Said,
}

/// Hands out what became due since the last run, exactly once, and publishes it. `None` when nothing did and nothing
/// has changed with time: then nothing is written.
///
/// # Errors
/// Those of a run; doing it again is safe.
pub fn tick(job: &Job<'_>, events: Events<'_>) -> Result<Option<RunSummary>> {
    let store = open_existing(job)?;
    let digest = asked_digest("tick");
    if let Some(summary) = recover(job, &store, &digest, events)? {
        return Ok(Some(summary));
    }
    store.begin()?;
    match look_at_the_clock(job, &store, &digest, events) {
        Ok(Some((record, books))) => {
            store.commit()?;
            publish::publish(job, &store, &record, &books, events).map(Some)
        }
        Ok(None) => store.rollback().map(|()| None),
        Err(fault) => {
            let _ = store.rollback();
            Err(fault)
        }
    }
}

fn look_at_the_clock(
    job: &Job<'_>,
    store: &Store,
    digest: &str,
    events: Events<'_>,
) -> Result<Option<(RunRecord, Books)>> {
    let record = store.begin_run(opening(job, RunKind::Tick, None, digest))?;
    store.keep_rules(job.rules)?;
    let fresh = Fresh::starting_at(record.first_submission_no);
    store.prepare_fresh_keys()?;
    let (absorbed, decided) = decide(job, store, &record, &fresh, &[], events)?;
    let looked = elapsed::look_again(deciding(job, store, &record, &fresh), events)?;
    let handed_out = store.hand_out(record.no, record.as_of_ms)?;
    let figures = AlertFigures {
        nobody_eligible: decided.nobody_eligible,
        sla_breached: decided.overdue + looked.overdue,
        ..AlertFigures::default()
    };
    let told = alerts::watch(job, store, &record, &figures)?;
    let is_quiet = told.is_empty() && store.alerts_closed_by(record.no)?.is_empty();
    if is_quiet && handed_out == 0 && looked.changed == 0 && absorbed.leads.is_empty() {
        return Ok(None);
    }
    all_have_a_place(store, |broken| {
        format!("{broken} leads or submissions would be without a place")
    })?;
    let mut books = Books::of_decision(&absorbed);
    books.handed_out = handed_out;
    books.tell(told);
    books.looked_again = LookedSummary { leads: looked.leads, changed: looked.changed };
    let books = close(store, &record, books)?;
    Ok(Some((record, books)))
}

/// Takes in what is said, as events that came in at as-of, and publishes what that changed; `may_be_said` is asked
/// first, unless that is what a run that was killed had taken in.
///
/// # Errors
/// Those of `may_be_said`, before anything is written, and those of a run.
pub fn say(
    job: &Job<'_>,
    said: &[AboutTask],
    may_be_said: impl FnOnce(&Store) -> Result<()>,
) -> Result<RunSummary> {
    let mut events = Vec::new();
    for AboutTask { lead, key, said } in said {
        let mut add = |event: &str, detail: String| {
            events.push(json!({"event": event, "detail": detail, "lead_id": lead.to_string()}));
        };
        match said {
            Said::Done { outcome } => {
                add(TASK_DONE, key.to_string());
                if let Some(outcome) = outcome {
                    add(outcome, key.to_string());
                }
            }
            Said::Snoozed { until } => {
                let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
                add(TASK_SNOOZED, format!("{key} until {until}"));
            }
        }
    }
    take_in_events(job, "leadmill tasks", events, may_be_said)
}

/// Takes in `events`, which somebody reports on the command line, as an input called `name`, once `may_begin` agrees;
/// those that do not say when they were were at the job's instant.
///
/// # Errors
/// Those of `may_begin` and of a run.
pub(super) fn take_in_events(
    job: &Job<'_>,
    name: &str,
    events: impl IntoIterator<Item = Value>,
    may_begin: impl FnOnce(&Store) -> Result<()>,
) -> Result<RunSummary> {
    drop(open_existing(job)?);
    let scratch = Scratch::create()?;
    let path = scratch.0.join("events.jsonl");
    let at = job.as_of.to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut text = String::new();
    for mut event in events {
        if event.get("time").is_none() {
            event["time"] = at.clone().into();
        }
        text.push_str(&event.to_string());
        text.push('\n');
    }
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    let inputs = [InputPath::named(path, name)];
    let job = Job { inputs: &inputs, forced_source: Some(GENERIC_EVENTS), ..*job };
    let summary = run_as(&job, RunKind::Tick, may_begin, &mut |_| {})?;
    let was_taken = summary.exit_code != INPUT_REFUSED;
    anyhow::ensure!(was_taken, "run {} could not take in what was said; say it again", summary.run);
    Ok(summary)
}
