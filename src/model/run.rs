//! The books of one run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How many accepted rows carry a notice, by its code.
pub type NoticeCounts = BTreeMap<String, u64>;

/// How many rows ended in which outcome; they must add up to the rows read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows read.
    pub read: u64,
    /// Became a lead.
    pub created: u64,
    /// Joined a lead.
    pub merged: u64,
    /// Were seen before.
    pub repeated: u64,
    /// Were not accepted.
    pub quarantined: u64,
    /// Were withheld: test, spam, partial, suppressed.
    pub held: u64,
    /// Reported a touch instead of a submission.
    pub touches: u64,
    /// Were no records: padding, totals, repeated headers.
    pub skipped: u64,
}

impl RowCounts {
    /// Returns whether every row read ended in exactly one outcome.
    pub fn balances(&self) -> bool {
        self.read == self.outcomes()
    }

    /// Returns the sum of all outcomes.
    pub fn outcomes(&self) -> u64 {
        self.created
            + self.merged
            + self.repeated
            + self.quarantined
            + self.held
            + self.touches
            + self.skipped
    }

    /// Adds `other` to these counts.
    pub fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.created += other.created;
        self.merged += other.merged;
        self.repeated += other.repeated;
        self.quarantined += other.quarantined;
        self.held += other.held;
        self.touches += other.touches;
        self.skipped += other.skipped;
    }
}

/// The rows of a run that was undone: those that were taken back, and those that stayed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenBack {
    /// Submissions that are gone.
    pub submissions: u64,
    /// Touches that are gone.
    pub touches: u64,
    /// Quarantined rows that are gone.
    pub quarantined: u64,
    /// Held rows that are gone.
    pub held: u64,
    /// Rows that had been seen before when the run read them.
    pub repeated: u64,
    /// Records of the consent ledger that no longer count.
    pub consents: u64,
    /// Rows that stay, because a later run received them as well.
    pub kept: u64,
}

/// The rows of somebody who was erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedRows {
    /// Submissions.
    pub submissions: u64,
    /// What they did.
    pub touches: u64,
    /// Quarantined rows.
    pub quarantined: u64,
    /// Held rows.
    pub held: u64,
    /// Times that one of these had been received again.
    pub repeated: u64,
}

/// What a run did with one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputReport {
    /// File as the user named it.
    pub name: String,
    /// Lower-case hexadecimal SHA-256 of the decompressed bytes; empty when it could not be read.
    pub sha256: String,
    /// Preset that recognized it.
    pub source: String,
    /// Encoding as found.
    pub encoding: String,
    /// What became of it.
    pub status: InputStatus,
    /// Its rows; all zero unless it was imported.
    pub rows: RowCounts,
    /// What was repaired, suspected or lost in accepted rows.
    pub notices: NoticeCounts,
    /// What somebody should know about the input as a whole, such as a sheet that was not read.
    pub warnings: Vec<String>,
}

/// What became of an input as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputStatus {
    /// Its rows were taken.
    Imported,
    /// Its bytes were imported before, by the run named.
    Known(String),
    /// It was refused whole, with the reason.
    Refused(String),
    /// Somebody was still writing it, so it is left for the next run, with what was seen.
    Postponed(String),
}

/// An alert that fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Stable id of the alert's rule.
    pub id: String,
    /// What tells it from others: the rule's id, and what it is about (`silent/meta-lead-ads`).
    pub key: String,
    /// What happened, with the figures.
    pub message: String,
}
