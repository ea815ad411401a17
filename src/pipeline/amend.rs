//! A run that receives nothing: an undo, a verdict, other weights.
//!
//! All that it decides is one transaction, so a kill leaves either nothing or a run that is decided, and that
//! the next command publishes.

use anyhow::Result;
use sha2::{Digest as _, Sha256};

use super::absorb::Fresh;
use super::books::Books;
use super::event::{Event, Events};
use super::interrupted::{Interrupted, unless_interrupted};
use super::{BrokenPromise, Job, decide, publish, recover};
use crate::model::ids::{SubmissionNo, hex};
use crate::report::run_json::RunSummary;
use crate::store::Store;
use crate::store::runs::RunRecord;

/// Opens the store of `job`, which must be there already.
///
/// # Errors
/// [`crate::store::StoreFault`] inside the error when there is none, another process holds it or it is not usable.
pub(super) fn open_existing(job: &Job<'_>) -> Result<Store> {
    Store::open_existing(job.store)
}

/// Lets `work` write a run and its books, given the store and the digest that tells the run from others,
/// and publishes it.
///
/// `asked` is what was asked for: given again after a kill, it is that run.
///
/// # Errors
/// Those of `work`; nothing is written then. Whatever the error, doing it again is safe.
pub(super) fn amend(
    job: &Job<'_>,
    asked: &str,
    events: Events<'_>,
    work: impl FnOnce(&Store, &str, Events<'_>) -> Result<(RunRecord, Books)>,
) -> Result<RunSummary> {
    let store = open_existing(job)?;
    let digest = asked_digest(asked);
    if let Some(summary) = recover(job, &store, &digest, events)? {
        return Ok(summary);
    }
    store.begin()?;
    let decided =
        unless_interrupted(job, &store, Interrupted::Deciding, || work(&store, &digest, events));
    match decided {
        Ok((record, books)) => {
            store.commit()?;
            publish::publish(job, &store, &record, &books, events)
        }
        Err(fault) => {
            let _ = store.rollback();
            Err(fault)
        }
    }
}

/// Tells a run that was asked for by `asked` from others, as the digest of its inputs tells an import.
pub(super) fn asked_digest(asked: &str) -> String {
    hex(&Sha256::digest(asked))
}

/// Decides anew about the leads of `seeds` and closes the books of `record`.
pub(super) fn decide_about(
    job: &Job<'_>,
    store: &Store,
    record: &RunRecord,
    seeds: &[SubmissionNo],
    events: Events<'_>,
) -> Result<Books> {
    events(Event::Phase { name: "deciding who is who", total: 0 });
    let fresh = Fresh::starting_at(record.first_submission_no);
    let (absorbed, _) = decide(job, store, record, &fresh, seeds, events)?;
    all_have_a_place(store, |broken| {
        format!("{broken} leads or submissions would be without a place")
    })?;
    close(store, record, Books::of_decision(&absorbed))
}

/// Keeps `books` as those of `record`, which has decided with them.
pub(super) fn close(store: &Store, record: &RunRecord, books: Books) -> Result<Books> {
    store.mark_decided(record.no, &serde_json::to_string(&books)?)?;
    Ok(books)
}

/// Checks that every submission has a lead and every lead an owner or a queue.
///
/// # Errors
/// [`BrokenPromise`] with what `message` says of their number.
pub(super) fn all_have_a_place(store: &Store, message: impl FnOnce(u64) -> String) -> Result<()> {
    match store.broken_promises(0)? {
        0 => Ok(()),
        broken => Err(BrokenPromise(message(broken)).into()),
    }
}
