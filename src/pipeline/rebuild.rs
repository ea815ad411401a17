//! Computing derived state anew from what was received, and holding it against what is there.

use anyhow::Result;

use super::amend::{all_have_a_place, asked_digest, close, open_existing};
use super::books::Books;
use super::event::{Event, Events};
use super::replay::{decide_again, standing_runs};
use super::{Job, opening, publish, recover};
use crate::report::run_json::RunSummary;
use crate::store::Store;
use crate::store::replay::Difference;
use crate::store::runs::RunKind;

/// What a rebuild found.
#[derive(Debug)]
pub struct Rebuilt {
    /// Runs that decided anew.
    pub runs: u64,
    /// Leads that they decided about.
    pub leads: u64,
    /// What was otherwise than it should be.
    pub differences: Vec<Difference>,
    /// The run that put it right; none when there was nothing to put right, or it was only looked at.
    pub published: Option<RunSummary>,
}

/// Computes all derived state anew; what differs is replaced, and published as a run.
///
/// # Errors
/// [`super::Impossible`] when the rules of a run were not kept; [`super::BrokenPromise`] when what comes out has a
/// submission without a lead.
pub fn rebuild(job: &Job<'_>, events: Events<'_>) -> Result<Rebuilt> {
    work(job, Purpose::Mend, events)
}

/// Computes all derived state anew and says what differs. It changes nothing, but for what any command does
/// first: a run that was killed is taken back or published.
pub fn check(job: &Job<'_>, events: Events<'_>) -> Result<Rebuilt> {
    work(job, Purpose::Compare, events)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Mend,
    Compare,
}

fn work(job: &Job<'_>, purpose: Purpose, events: Events<'_>) -> Result<Rebuilt> {
    let store = open_existing(job)?;
    let digest = asked_digest("rebuild");
    recover(job, &store, &digest, events)?;
    store.begin()?;
    let mut rebuilt = match compute(job, &store, events) {
        Ok(rebuilt) => rebuilt,
        Err(fault) => {
            let _ = store.rollback();
            return Err(fault);
        }
    };
    if rebuilt.differences.is_empty() || purpose == Purpose::Compare {
        store.rollback()?;
        return Ok(rebuilt);
    }
    let record = store.begin_run(opening(job, RunKind::Rebuild, None, &digest))?;
    store.keep_rules(job.rules)?;
    store.write_corrections(record.no)?;
    let books = close(&store, &record, Books::without_inputs())?;
    store.commit()?;
    rebuilt.published = Some(publish::publish(job, &store, &record, &books, events)?);
    Ok(rebuilt)
}

fn compute(job: &Job<'_>, store: &Store, events: Events<'_>) -> Result<Rebuilt> {
    let runs = standing_runs(store)?;
    events(Event::Phase { name: "taking everything apart", total: 0 });
    store.prepare_replay()?;
    store.put_all_at_stake()?;
    store.remember_derived()?;
    store.take_derived_apart()?;
    decide_again(job, store, &runs, events)?;
    store.finish_replay()?;
    all_have_a_place(store, |broken| {
        format!("computed anew, {broken} leads or submissions are without a place")
    })?;
    Ok(Rebuilt {
        runs: runs.len() as u64,
        leads: store.lead_counts(crate::model::ids::RunNo(0), "")?.total,
        differences: store.differences()?,
        published: None,
    })
}
