//! How many leads came to whom, as far as caps and loads look back.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::rules::routing::{Cap, Owner, Period, PoolMember, RoutingPolicy, Window};

/// Leads that came to an owner through a queue at one instant, as a store keeps them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoadEntry {
    /// Queue's id.
    pub queue: String,
    /// Owner's id.
    pub owner: String,
    /// When they came: as-of of the run that decided, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// How many.
    pub leads: i64,
}

/// Counts of the leads that came to each owner, in the windows that the policy looks at around one instant.
///
/// A lead comes to an owner once, when it becomes theirs: by a turn, by a route that names them, or by a
/// claim. It counts at the as-of of the run, for that is when the owner gets it; a lead that comes back to
/// the owner whom it has is no new one.
#[derive(Debug, Clone, Default)]
pub struct Loads {
    as_of_ms: i64,
    owners: BTreeMap<String, OwnerLoad>,
    /// For each queue and owner the windows of the caps of that part in the pool.
    members: BTreeMap<String, BTreeMap<String, Vec<Counter>>>,
}

#[derive(Debug, Clone, Default)]
struct OwnerLoad {
    /// In the order of [`Period::ALL`].
    periods: Vec<Counter>,
    /// In the order of the owner's caps.
    caps: Vec<Counter>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counter {
    from_ms: i64,
    to_ms: i64,
    leads: i64,
}

impl Counter {
    fn new(window: Window, zone: Tz, as_of: DateTime<Utc>) -> Self {
        let (from_ms, to_ms) = window.span_ms(zone, as_of);
        Self { from_ms, to_ms, leads: 0 }
    }

    fn add(&mut self, at_ms: i64, leads: i64) {
        if (self.from_ms..self.to_ms).contains(&at_ms) {
            self.leads += leads;
        }
    }
}

impl Loads {
    /// Returns the windows of `policy` around `as_of`, with nothing counted yet.
    pub fn new(policy: &RoutingPolicy, as_of: DateTime<Utc>) -> Self {
        let counters = |caps: &[Cap], zone: Tz| -> Vec<Counter> {
            caps.iter().map(|cap| Counter::new(cap.window, zone, as_of)).collect()
        };
        let owners = policy.owners.iter().map(|owner| {
            let calendar = |(_, period): &(&str, Period)| {
                Counter::new(Window::Calendar(*period), owner.zone, as_of)
            };
            let load = OwnerLoad {
                periods: Period::ALL.iter().map(calendar).collect(),
                caps: counters(&owner.caps, owner.zone),
            };
            (owner.id.clone(), load)
        });
        let mut members: BTreeMap<String, BTreeMap<String, Vec<Counter>>> = BTreeMap::new();
        for queue in &policy.queues {
            for member in queue.pool.iter().filter(|member| !member.caps.is_empty()) {
                if let Some(owner) = policy.owner(&member.owner) {
                    let found = counters(&member.caps, owner.zone);
                    members.entry(queue.id.clone()).or_default().insert(owner.id.clone(), found);
                }
            }
        }
        Self { as_of_ms: as_of.timestamp_millis(), owners: owners.collect(), members }
    }

    /// Returns the first instant that any window looks back to, in milliseconds since 1970 UTC.
    pub fn since_ms(&self) -> i64 {
        let members = self.members.values().flat_map(BTreeMap::values).flatten();
        let owners = self.owners.values().flat_map(|load| load.periods.iter().chain(&load.caps));
        members.chain(owners).map(|counter| counter.from_ms).min().unwrap_or(self.as_of_ms)
    }

    /// Counts leads that came before.
    pub fn add(&mut self, entry: &LoadEntry) {
        self.count(&entry.queue, &entry.owner, entry.at_ms, entry.leads);
    }

    /// Counts a lead that comes to `owner` through `queue` now.
    pub fn arrive(&mut self, queue: &str, owner: &str) {
        self.count(queue, owner, self.as_of_ms, 1);
    }

    fn count(&mut self, queue: &str, owner: &str, at_ms: i64, leads: i64) {
        if let Some(load) = self.owners.get_mut(owner) {
            for counter in load.periods.iter_mut().chain(&mut load.caps) {
                counter.add(at_ms, leads);
            }
        }
        let member = self.members.get_mut(queue).and_then(|pool| pool.get_mut(owner));
        for counter in member.into_iter().flatten() {
            counter.add(at_ms, leads);
        }
    }

    /// Returns the leads that came to `owner` in the current `period` of their calendar.
    pub fn leads(&self, owner: &str, period: Period) -> i64 {
        self.owners.get(owner).map_or(0, |load| load.periods[period as usize].leads)
    }

    /// Returns the caps of `owner` and of their part in `queue`, each with how many of its leads came.
    pub fn caps<'a>(
        &self,
        owner: &'a Owner,
        queue: &str,
        member: &'a PoolMember,
    ) -> impl Iterator<Item = (&'a Cap, i64)> {
        let none: &[Counter] = &[];
        let own = self.owners.get(&owner.id).map_or(none, |load| &load.caps);
        let part = self.members.get(queue).and_then(|pool| pool.get(&owner.id));
        let part = part.map_or(none, Vec::as_slice);
        let counted = |counters: &[Counter]| -> Vec<i64> {
            counters.iter().map(|counter| counter.leads).collect()
        };
        let own = owner.caps.iter().zip(counted(own));
        own.chain(member.caps.iter().zip(counted(part)))
    }

    /// Returns the tightest cap, with the leads that are left of it; `None` without a cap. Claims may take more than
    /// there are, which leaves fewer than none.
    pub fn tightest<'a>(
        &self,
        owner: &'a Owner,
        queue: &str,
        member: &'a PoolMember,
    ) -> Option<(&'a Cap, i64)> {
        let left = self.caps(owner, queue, member).map(|(cap, came)| (cap, cap.leads - came));
        // Shares are compared by cross multiplication; of equals the first counts.
        left.reduce(
            |best, one| {
                if one.1 * best.0.leads < best.1 * one.0.leads { one } else { best }
            },
        )
    }
}
