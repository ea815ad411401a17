//! Mails that were sent do their tasks, as if somebody had said so.

use anyhow::Result;
use chrono::SecondsFormat;
use serde_json::json;

use crate::model::moment::utc_from_ms;
use crate::model::touch::TASK_DONE;
use crate::pipeline::Job;
use crate::pipeline::amend::open_existing;
use crate::pipeline::tick::take_in_events;
use crate::report::run_json::RunSummary;

/// Takes in, for each mail that was sent since this was asked last, that its task is done; `None` when there is none.
///
/// # Errors
/// Those of a run. Cut short, it is done by the next: the same event at the same instant is only a repeat.
pub fn tell_sent(job: &Job<'_>) -> Result<Option<RunSummary>> {
    let store = open_existing(job)?;
    let mails = store.mails_to_tell()?;
    drop(store);
    if mails.is_empty() {
        return Ok(None);
    }
    let events = mails.iter().filter_map(|mail| {
        let (lead, key) = mail.item.split_once('/')?;
        let at = utc_from_ms(mail.at_ms).to_rfc3339_opts(SecondsFormat::Millis, true);
        Some(json!({"event": TASK_DONE, "detail": key, "lead_id": lead, "time": at}))
    });
    let summary = take_in_events(job, "leadmill deliver", events, |_| Ok(()))?;
    let store = open_existing(job)?;
    store.begin()?;
    for mail in &mails {
        store.mark_told(mail.no, job.as_of.timestamp_millis())?;
    }
    store.commit()?;
    Ok(Some(summary))
}
