//! The outbox: what is to be sent is laid down by runs, and sent by `deliver`.
//!
//! A run lays deliveries down in the transaction that puts out its files ([`enqueue`]), each rendered once, and the
//! mail of the day with them ([`digest`]). [`deliver`] claims some, commits, sends them, and records what came of it:
//! after any crash each is delivered, waits, or is known to be of unknown fate. [`gate`] asks just before sending
//! whether it may still be sent; [`settle`] turns answers into what is kept.

use anyhow::Result;

use crate::report::run_json::{OutboxSummary, WaitingSummary, age};
use crate::rules::RuleSet;
use crate::rules::outbox::Endpoint;
use crate::store::Store;
use crate::store::deliveries::{Refused, TargetNo};
use crate::store::outbox::{ItemEnd, Member, Waiting, Waits};

mod claim;
pub mod deliver;
pub mod digest;
pub mod enqueue;
mod gate;
pub mod redrive;
mod settle;
pub mod tell;

/// Returns what waits for each endpoint at `now_ms`, or is stuck there.
pub(super) fn waiting_at(
    store: &Store,
    rules: &RuleSet,
    now_ms: i64,
) -> Result<Vec<OutboxSummary>> {
    let summary = |one: Waiting| {
        let waits = rules.outbox.get(&one.endpoint).map(|endpoint| waits(store, endpoint));
        let blocked = store.count_blocked(one.target, waits.transpose()?.unwrap_or_default())?;
        let waiting = WaitingSummary {
            items: one.items,
            unknown: one.unknown,
            for_record: blocked.for_record,
            for_look: blocked.for_look,
            stuck: one.stuck,
            oldest: one.oldest_ms.map(|since_ms| age(now_ms - since_ms)).unwrap_or_default(),
            failing: one.failing_since_ms.map(|since_ms| age(now_ms - since_ms)),
            last_code: one.last_code,
        };
        Ok(OutboxSummary { endpoint: one.endpoint, waiting })
    };
    store.waiting_deliveries()?.into_iter().map(summary).collect()
}

/// Code of what nobody knows to have been taken or not.
pub const UNKNOWN: &str = "unknown-outcome";
/// Code of what was taken as a record, by a receiver that did not say what it calls that.
pub const NO_RECORD: &str = "no-record";

/// Returns what items of `endpoint` wait for beside their turn.
fn waits(store: &Store, endpoint: &Endpoint) -> Result<Waits> {
    let Some(http) = endpoint.http() else { return Ok(Waits::default()) };
    let parent = http.parent.as_deref().map(|id| store.known_target(id)).transpose()?;
    Ok(Waits {
        // Where nothing was ever laid down there is no record of anything; numbers count from 1.
        parent: parent.map(|known| known.unwrap_or(TargetNo(0))),
        until_looked_at: http.shape.record.is_some(),
    })
}

/// Returns whether `endpoint` has a record of `item` and leaves it alone, however the row has changed.
fn is_made(store: &Store, endpoint: &Endpoint, target: TargetNo, item: &str) -> Result<bool> {
    let only_makes = endpoint.http().is_some_and(|http| http.shape.only_makes());
    Ok(only_makes && store.record_id(target, item)?.is_some())
}

/// Keeps what may have been taken for somebody to look at. Its dead letter is a new one: who let an earlier one rest
/// has not looked at this.
fn hold(
    store: &Store,
    target: TargetNo,
    member: &Member,
    (code, reason): (&str, &str),
    at_ms: i64,
) -> Result<()> {
    store.end_item(member.no, ItemEnd::Held, code, reason, at_ms)?;
    store.resolve_dead_letter(target, &member.item, at_ms, "it was sent once more")?;
    let refused = Refused { code, column: "", reason, run: None, at_ms };
    store.keep_dead_letter(target, &member.item, refused)?;
    // The endpoint may not have it, so the next change of the lead is offered.
    store.forget_delivered(target, &member.item)
}

#[cfg(test)]
mod tests;
