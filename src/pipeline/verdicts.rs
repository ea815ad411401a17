//! What somebody says about who is who: kept as a run of its own, so that it outlives later imports, can be
//! taken back like any run, and is decided by at once.

use anyhow::Result;

use super::amend::{amend, decide_about};
use super::event::Events;
use super::{Impossible, Job, opening};
use crate::model::ids::{LeadNo, SubmissionNo};
use crate::report::run_json::RunSummary;
use crate::store::Store;
use crate::store::absorb::MemberOrder;
use crate::store::runs::{RunKind, RunRecord};

/// Rows that a message lists at most.
const ROWS_LISTED: usize = 20;

/// What somebody says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saying {
    /// These two leads are one person.
    Same(LeadNo, LeadNo),
    /// These two leads are two people, and stay so.
    Different(LeadNo, LeadNo),
    /// These rows of a lead are somebody else.
    Split(LeadNo, Vec<SubmissionNo>),
}

/// Two submissions, and whether they are one person.
type Said = (MemberOrder, MemberOrder, bool);

/// Keeps what `sayings` returns of the store, decides by it and publishes what that changed.
///
/// `command` is what was typed: given again after a kill, it is that run.
///
/// # Errors
/// Whatever `sayings` finds wrong; [`Impossible`] when a lead or row that is named is not there. Nothing is
/// written then.
pub fn say(
    job: &Job<'_>,
    command: &str,
    because: &str,
    sayings: impl FnOnce(&Store) -> Result<Vec<Saying>>,
    events: Events<'_>,
) -> Result<RunSummary> {
    amend(job, &format!("{command} {because}"), events, |store, digest, events| {
        let said = said(store, &sayings(store)?)?;
        let record = store.begin_run(opening(job, RunKind::Verdict, None, digest))?;
        store.keep_rules(job.rules)?;
        let seeds = keep(store, &record, &said, because)?;
        let books = decide_about(job, store, &record, &seeds, events)?;
        Ok((record, books))
    })
}

/// Turns sayings about leads into verdicts about their rows, which outlive the leads.
fn said(store: &Store, sayings: &[Saying]) -> Result<Vec<Said>> {
    let mut said: Vec<Said> = Vec::new();
    for saying in sayings {
        match saying {
            // Every row with every row: the last word holds whatever was said before about some of them, and
            // whichever of them meet later.
            Saying::Same(a, b) => said.extend(all_pairs(store, *a, *b, true)?),
            Saying::Different(a, b) => said.extend(all_pairs(store, *a, *b, false)?),
            Saying::Split(lead, rows) => said.extend(split(store, *lead, rows)?),
        }
    }
    Ok(said)
}

fn all_pairs(store: &Store, a: LeadNo, b: LeadNo, is_same: bool) -> Result<Vec<Said>> {
    let (ours, theirs) = (store.members(a)?, store.members(b)?);
    let pairs = |one: MemberOrder| theirs.iter().map(move |other| (one, *other, is_same));
    Ok(ours.into_iter().flat_map(pairs).collect())
}

fn split(store: &Store, lead: LeadNo, rows: &[SubmissionNo]) -> Result<Vec<Said>> {
    let members = store.members(lead)?;
    let listed = || {
        let shown: Vec<String> =
            members.iter().take(ROWS_LISTED).map(|member| member.no.0.to_string()).collect();
        shown.join(", ")
    };
    if let Some(stranger) = rows.iter().find(|row| members.iter().all(|member| member.no != **row))
    {
        return Err(Impossible(format!(
            "row {} is none of this lead's\nhint: its rows are {}; `leadmill explain` shows what they say",
            stranger.0,
            listed()
        ))
        .into());
    }
    let (going, staying): (Vec<MemberOrder>, Vec<MemberOrder>) =
        members.iter().partition(|member| rows.contains(&member.no));
    if staying.is_empty() || going.is_empty() {
        return Err(Impossible(format!(
            "a split needs rows that go and rows that stay\nhint: name some, but not all, of the lead's \
             rows with --rows: {}",
            listed()
        ))
        .into());
    }
    let mut said: Vec<Said> = Vec::new();
    for goes in &going {
        said.extend(staying.iter().map(|stays| (*goes, *stays, false)));
        // Those who go are one person, unless somebody says otherwise.
        if *goes != going[0] {
            said.push((going[0], *goes, true));
        }
    }
    Ok(said)
}

/// Keeps what was `said` as verdicts of `record`; returns the rows that it is about.
fn keep(
    store: &Store,
    record: &RunRecord,
    said: &[Said],
    because: &str,
) -> Result<Vec<SubmissionNo>> {
    let mut seeds = Vec::new();
    for (a, b, is_same) in said {
        store.keep_verdict(record.no, (a.fingerprint, b.fingerprint), *is_same, because)?;
        seeds.extend([a.no, b.no]);
    }
    Ok(seeds)
}
