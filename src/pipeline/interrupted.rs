//! What a signal stops, and what is kept then.

use std::fmt::{Display, Formatter, Result as Written};
use std::sync::atomic::Ordering;

use anyhow::Result;

use super::Job;
use crate::store::Store;
use crate::store::stopping::is_stopped;

/// What was asked to stop by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    /// A run that had not decided: nothing of it is kept.
    Deciding,
    /// A run that had decided, and whose files were not out.
    Publishing,
    /// What sends deliveries.
    Delivering,
}

impl Display for Interrupted {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        f.write_str(match self {
            Self::Deciding => "interrupted; nothing of this run was kept, run it again",
            Self::Publishing => "interrupted; the run is decided, run it again to have its files",
            Self::Delivering => "interrupted; what was sent is kept, run it again to send the rest",
        })
    }
}

impl std::error::Error for Interrupted {}

/// Fails when a signal has come to a run that has not decided.
pub(super) fn stop_if_interrupted(job: &Job<'_>) -> Result<()> {
    let is_interrupted = job.interrupted.load(Ordering::Relaxed);
    if is_interrupted { Err(Interrupted::Deciding.into()) } else { Ok(()) }
}

/// Does `work`; a signal stops it in the middle of whatever it asks of `store`, and it fails as `interrupted`. What it
/// has begun to write is the caller's to take back.
pub(super) fn unless_interrupted<T>(
    job: &Job<'_>,
    store: &Store,
    interrupted: Interrupted,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let stopping = store.stop_when(job.interrupted)?;
    let outcome = work();
    drop(stopping);
    outcome.map_err(|fault| if is_stopped(&fault) { interrupted.into() } else { fault })
}
