//! Forgetting once more: a store that was restored from a backup still knows whom the log of erasures says was erased.
//!
//! The log lies beside the key and outside of backups. It names nobody, so people are found as a file's rows are: by
//! the keyed marks of their rows. Whoever was allowed again since is left alone.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::Job;
use super::event::Events;
use super::forget::{Asked, Chosen, forget_chosen};
use super::recognition::Mark;
use crate::consent::suppression::{Keyed, Pepper};
use crate::model::ids::{LeadNo, SubmissionNo, unhex};
use crate::report::run_json::RunSummary;
use crate::store::{Store, key};

/// A line of the log; which of the two instants it has says what it is.
#[derive(Debug, Deserialize)]
struct Line {
    as_of_ms: Option<i64>,
    allowed_ms: Option<i64>,
    key: String,
    marks: Vec<String>,
}

/// Erases from the store of `job` whomever the log beside its key says was erased; `None` when it knows nobody of them.
///
/// # Errors
/// [`key::KeyFault`] when there is a log and its key is missing. Doing it again is safe.
pub fn replay_erasures(job: &Job<'_>, events: Events<'_>) -> Result<Option<RunSummary>> {
    let Some(log) = read_log(job)? else { return Ok(None) };
    let asked =
        Asked { text: "erasures of the log", because: "erased before the store was restored" };
    forget_chosen(job, asked, |store| choose(store, &log), events)
}

/// Everybody who is erased by the log, and the key of their marks.
struct Log {
    pepper: Pepper,
    since_ms: BTreeMap<Keyed, i64>,
}

fn read_log(job: &Job<'_>) -> Result<Option<Log>> {
    let path = key::log_path(job.key);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(fault).with_context(|| format!("cannot read {}", path.display())),
    };
    // A line that was cut off by a kill is none; its erasure wrote it again.
    let lines: Vec<Line> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let Some(last) = lines.last() else { return Ok(None) };
    let pepper = key::read_known(job.key, &last.key)?;
    let mut since_ms = BTreeMap::new();
    for line in lines.iter().filter(|line| line.key == last.key) {
        for mark in line.marks.iter().filter_map(|mark| keyed(mark)) {
            match line.as_of_ms.filter(|_| line.allowed_ms.is_none()) {
                Some(as_of_ms) => drop(since_ms.insert(mark, as_of_ms)),
                None => drop(since_ms.remove(&mark)),
            }
        }
    }
    Ok(Some(Log { pepper, since_ms }))
}

fn keyed(digits: &str) -> Option<Keyed> {
    unhex(digits)?.try_into().ok().map(Keyed)
}

fn choose(store: &Store, log: &Log) -> Result<Chosen> {
    let mut chosen = Chosen::default();
    store.each_seen(|fingerprint, kind, no| {
        if log.since_ms.contains_key(&Mark::Row(fingerprint).keyed(&log.pepper)) {
            match kind {
                "s" => chosen.submissions.push(SubmissionNo(no)),
                "t" => chosen.touches.push(no),
                "q" => chosen.quarantined.push(no),
                _ => chosen.held.push(no),
            }
        }
    })?;
    chosen.submissions.sort_unstable();
    chosen.leads = all_of(store, &chosen.submissions)?;
    let known = store.suppressions()?;
    let is_news =
        |(mark, at_ms): &(&Keyed, &i64)| known.since(**mark).is_none_or(|known| known < **at_ms);
    chosen.marks =
        log.since_ms.iter().filter(is_news).map(|(mark, at_ms)| (*mark, *at_ms)).collect();
    Ok(chosen)
}

/// Returns the leads whose rows are all among `submissions`; of others only these rows go.
fn all_of(store: &Store, submissions: &[SubmissionNo]) -> Result<Vec<LeadNo>> {
    let mut leads = Vec::new();
    for submission in submissions {
        leads.extend(store.lead_of(*submission)?);
    }
    leads.sort_unstable();
    leads.dedup();
    let mut whole = Vec::new();
    for lead in leads {
        let members = store.members(lead)?;
        if members.iter().all(|member| submissions.binary_search(&member.no).is_ok()) {
            whole.push(lead);
        }
    }
    Ok(whole)
}
