//! Leads that wait because nobody could take them, and whom a run deals again.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::absorb::Absorbed;
use super::evaluate::Deciding;
use crate::routing::{Desk, Why};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::loads::WaitingLead;

/// Adds the waiting leads to `absorbed` that somebody could take now, the oldest lead first: no more than the caps of a
/// pool leave room for, and all of them once the rules have changed. A replay adds those about which the run decided.
///
/// That somebody is back, works or has room is seen from those who were passed over; a lead that waits
/// for a skill which nobody has is left alone, and one that waits for its owner until they are back.
pub(super) fn add_waiting(
    deciding: Deciding<'_>,
    desk: &Desk,
    absorbed: &mut Absorbed,
) -> Result<()> {
    let Deciding { store, rules, run, as_of, is_replay, .. } = deciding;
    let mut rooms: HashMap<(String, i64), i64> = HashMap::new();
    let mut given: HashMap<String, i64> = HashMap::new();
    let mut leads = BTreeSet::new();
    store.each_waiting(is_replay.then_some(run), |waiting| {
        let WaitingLead { lead, queue, passed_no, rules_hash } = waiting;
        if is_replay || rules_hash != rules.hash {
            leads.insert(lead);
        }
        if leads.contains(&lead) {
            return Ok(());
        }
        let place = (queue, passed_no);
        let room = match rooms.get(&place) {
            Some(room) => *room,
            None => {
                let found = room(store, rules, desk, &place, as_of)?;
                rooms.insert(place.clone(), found);
                found
            }
        };
        let given = given.entry(place.0).or_default();
        if *given < room {
            *given += 1;
            leads.insert(lead);
        }
        Ok(())
    })?;
    absorbed.add_standing(store, leads)
}

/// Returns how many leads those can take now who were passed over, but not for good, and who are new.
fn room(
    store: &Store,
    rules: &RuleSet,
    desk: &Desk,
    (queue, passed_no): &(String, i64),
    as_of: DateTime<Utc>,
) -> Result<i64> {
    let Some(queue) = rules.routing.queue(queue) else { return Ok(0) };
    let passed = store.passed_over(*passed_no)?;
    let is_back =
        |owner: &str| rules.routing.owner(owner).is_some_and(|owner| owner.away(as_of).is_none());
    // Who had a lead that waits for them gets it whatever their caps.
    if let Some(owner) = passed.iter().find(|one| one.why == Why::WaitedFor) {
        return Ok(if is_back(&owner.owner) { i64::MAX } else { 0 });
    }
    let named = passed.iter().filter(|one| one.why.passes() && !queue.is_served_by(&one.owner));
    if named.map(|one| one.owner.as_str()).any(is_back) {
        return Ok(i64::MAX);
    }
    let can_take = |owner: &str| {
        passed.iter().find(|one| one.owner == owner).is_none_or(|one| one.why.passes())
    };
    Ok(desk.room_in(&rules.routing, queue, as_of, can_take).unwrap_or(i64::MAX))
}
