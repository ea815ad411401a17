//! A backup in the place of the store, and everything around it put in order.
//!
//! Whatever happened after the backup was made is unknown to it: people who were erased since, deliveries that were
//! sent since, runs that were published since. So people are erased once more, what waited is held for somebody to look
//! at, and the folders of runs that the store does not know step aside, for the next runs bear their names again. All
//! of it is done before anything else can open the store, and each step can be done again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Job;
use super::event::{Event, Events};
use super::replay_erasures::replay_erasures;
use crate::delivery::shelf;
use crate::store::backup::BackupRecord;
use crate::store::restore::Restoring;
use crate::store::runs::RunState;
use crate::store::{Store, key};

/// Begins the name of the folder to which runs step aside; the stamp follows.
pub const RUNS_ASIDE: &str = "before-";

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup is.
    pub record: BackupRecord,
    /// Whether there was a record beside the backup to hold it against.
    pub had_record: bool,
    /// Whether it went on with a restore that had begun before.
    pub is_continued: bool,
    /// Where the old store is now; none when there was none.
    pub aside: Option<PathBuf>,
    /// Whether nobody can say who was erased since: there is no log of erasures, nor an old store to be asked.
    pub may_have_erased: bool,
    /// Deliveries that are held, because nobody knows whether they were sent since.
    pub held: u64,
    /// Runs that the restored store does not know, and whose folders stepped aside.
    pub runs: Vec<String>,
    /// Where these folders are now.
    pub runs_aside: PathBuf,
    /// Leads that were erased once more.
    pub forgotten: Vec<String>,
}

/// Puts the backup at `backup` in the place of the store of `job`; `stamp` tells what steps aside from what did before.
///
/// # Errors
/// [`crate::store::StoreFault`] inside the error when the store is held or the backup cannot be used: then nothing was
/// changed. [`crate::store::key::KeyFault`] when people were erased and the key of their marks, or the log of erasures,
/// is missing: then nothing opens the store until the restore was done again with both in their place.
pub fn restore(job: &Job<'_>, backup: &Path, stamp: &str, events: Events<'_>) -> Result<Restored> {
    events(Event::Phase { name: "looking at the backup", total: 0 });
    let restoring = Restoring::begin(job.store, backup, stamp)?;
    // Everything that steps aside by this restore bears one name, also when it is done again.
    let runs_aside = format!("{RUNS_ASIDE}{}", restoring.begun.stamp);
    let (held, known) = {
        let store = Store::open(job.store)?;
        if restoring.begun.had_erased == Some(true) || store.erasure_key()?.is_some() {
            key::expect_log(job.key)?;
        }
        let held = store.hold_unsent(job.as_of.timestamp_millis())?;
        let is_out = |state: RunState| state != RunState::Ingesting;
        let known: BTreeSet<String> = store
            .all_runs()?
            .into_iter()
            .filter(|run| is_out(run.state))
            .map(|run| run.id)
            .collect();
        (held, known)
    };
    let runs = shelf::set_aside(job.out, &known, &runs_aside)?;
    let forgotten = replay_erasures(job, events)?
        .and_then(|summary| summary.erasure)
        .map_or_else(Vec::new, |erasure| erasure.leads);
    let is_log_missing = !key::log_path(job.key).exists();
    let restored = Restored {
        record: restoring.record.clone(),
        had_record: restoring.had_record,
        is_continued: restoring.is_continued,
        aside: Some(restoring.aside.clone()).filter(|aside| aside.exists()),
        may_have_erased: is_log_missing && restoring.begun.had_erased.is_none(),
        held,
        runs,
        runs_aside: job.out.join(runs_aside),
        forgotten,
    };
    restoring.finish()?;
    Ok(restored)
}
