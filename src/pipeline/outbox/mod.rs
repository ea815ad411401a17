//! The outbox: what is to be sent is laid down by runs, and sent by `deliver`.
//!
//! A run lays deliveries down in the transaction that puts out its files ([`enqueue`]), each rendered once, and [`digest`] the mail of the day. [`deliver`]
//! claims some, commits, sends them, and records what came of it: after any crash each is delivered, waits, or is known
//! to be of unknown fate. [`gate`] asks just before sending whether it may still be sent; [`settle`] turns answers
//! into what is kept.

use anyhow::Result;

use crate::report::run_json::{OutboxSummary, WaitingSummary};
use crate::store::Store;
use crate::store::outbox::Waiting;

mod claim;
pub mod deliver;
pub mod digest;
pub mod enqueue;
mod gate;
pub mod redrive;
mod settle;
pub mod tell;

/// Returns what waits for each endpoint at `now_ms`, or is stuck there.
pub(super) fn waiting_at(store: &Store, now_ms: i64) -> Result<Vec<OutboxSummary>> {
    let waiting = store.waiting_deliveries()?;
    let summary =
        |one: Waiting| OutboxSummary { waiting: summary_of(&one, now_ms), endpoint: one.endpoint };
    Ok(waiting.into_iter().map(summary).collect())
}

fn summary_of(one: &Waiting, now_ms: i64) -> WaitingSummary {
    let counts = [one.items, one.unknown, one.stuck];
    WaitingSummary::new(counts, one.oldest_ms, one.failing_since_ms, &one.last_code, now_ms)
}

#[cfg(test)]
mod tests;
