//! What routing knows beyond the lead before it: whose turn it is, and who has how many leads.

use chrono::{DateTime, Utc};

use super::loads::{LoadEntry, Loads};
use super::passed::{Passed, PassedOver, Why};
use super::pool::{Needs, available, bench, leading};
use super::rotation::{Rotation, RotationEntry, TurnTaken};
use crate::rules::routing::{Queue, RoutingPolicy};

/// What dealing one lead came to, as far as it hung on other leads: enough to deal it again the same way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dealt {
    /// The turn that it took.
    pub turn: Option<TurnTaken>,
    /// Queues in which nobody could take it, in the order in which they were asked.
    pub nobody: Vec<NoTaker>,
    /// Who was asked before anybody's turn, because they have other leads of its company.
    pub account: Option<AccountClaim>,
}

/// Somebody who has other leads of a lead's company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountClaim {
    /// Owner's id.
    pub owner: String,
    /// What tells the company: its domain, or a number with its kind.
    pub at: String,
}

/// A queue in which nobody could take a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoTaker {
    /// Queue's id.
    pub queue: String,
    /// Everybody in its pool, and why.
    pub passed: Passed,
}

/// The table from which leads are dealt, one after the other.
#[derive(Debug, Clone, Default)]
pub struct Desk {
    rotation: Rotation,
    loads: Loads,
    /// How the next lead was dealt when it was decided about first.
    earlier: Dealt,
    /// How the last lead was dealt.
    dealt: Dealt,
}

impl Dealt {
    /// Returns whom the lead waits for, who had it and is away.
    pub fn waits_for(&self) -> Option<&str> {
        let mut passed = self.nobody.iter().flat_map(|one| one.passed.iter());
        passed.find(|one| one.why == Why::WaitedFor).map(|one| one.owner.as_str())
    }
}

impl Desk {
    /// Returns the desk for deciding at `as_of`, with nothing dealt yet.
    pub fn new(policy: &RoutingPolicy, as_of: DateTime<Utc>) -> Self {
        Self { loads: Loads::new(policy, as_of), ..Self::default() }
    }

    /// Takes up the turns that were kept.
    #[must_use]
    pub fn with_rotation(mut self, entries: impl IntoIterator<Item = RotationEntry>) -> Self {
        self.rotation = Rotation::from_entries(entries);
        self
    }

    /// Returns how far back leads count, in milliseconds since 1970 UTC.
    pub fn looks_back_to_ms(&self) -> i64 {
        self.loads.since_ms()
    }

    /// Counts leads that came before.
    pub fn add(&mut self, entry: &LoadEntry) {
        self.loads.add(entry);
    }

    /// Counts a lead that becomes the owner's now.
    pub fn arrive(&mut self, queue: &str, owner: &str) {
        self.loads.arrive(queue, owner);
    }

    /// Prepares for the next lead: as it was dealt `earlier`, it is dealt again, without moving the
    /// rotation, wherever it comes to the same queues.
    pub fn expect(&mut self, earlier: Dealt) {
        self.earlier = earlier;
        self.dealt = Dealt::default();
    }

    /// Returns how the last lead was dealt.
    pub fn take_dealt(&mut self) -> Dealt {
        std::mem::take(&mut self.dealt)
    }

    /// Returns every standing, in order of queue and owner.
    pub fn rotation_entries(&self) -> Vec<RotationEntry> {
        self.rotation.to_entries()
    }

    /// Returns who has how many leads.
    pub fn loads(&self) -> &Loads {
        &self.loads
    }

    /// Notes that the owner of other leads of the company was asked.
    pub(super) fn ask_account(&mut self, claim: &AccountClaim) {
        self.dealt.account = Some(claim.clone());
    }

    /// Lets the lead wait in `queue` because `besides`, who is to have it, is not there.
    pub(super) fn wait(&mut self, queue: &str, besides: PassedOver) {
        let waits = NoTaker { queue: queue.to_owned(), passed: [besides].into() };
        if self.earlier.nobody.first() == Some(&waits) {
            self.earlier.nobody.remove(0);
        }
        self.dealt.nobody.push(waits);
    }

    /// Gives the next lead of `queue` to somebody; `None` when nobody may take it.
    ///
    /// `besides` was asked before the pool, and passed over.
    pub(super) fn deal(
        &mut self,
        policy: &RoutingPolicy,
        queue: &Queue,
        needs: &Needs<'_>,
        as_of: DateTime<Utc>,
        besides: Option<PassedOver>,
    ) -> Option<TurnTaken> {
        // The queues in which nobody could come before the one in which somebody did.
        if self.earlier.nobody.first().is_some_and(|one| one.queue == queue.id) {
            self.dealt.nobody.push(self.earlier.nobody.remove(0));
            return None;
        }
        let may_have =
            |turn: &mut TurnTaken| turn.queue == queue.id && !needs.had_by.contains(&turn.owner);
        if let Some(turn) = self.earlier.turn.take_if(may_have) {
            self.dealt.turn = Some(turn.clone());
            return Some(turn);
        }
        let bench = bench(policy, queue, needs, &self.loads, as_of);
        let first = besides.filter(|besides| !queue.is_served_by(&besides.owner));
        let passed: Passed = first.into_iter().chain(bench.passed).collect();
        let leading = leading(policy, queue, &bench.available, &self.loads);
        let turn = self.rotation.take_turn(&queue.id, &bench.available, &leading, queue.turns());
        match turn {
            Some(turn) => {
                let turn = TurnTaken { passed, ..turn };
                self.dealt.turn = Some(turn.clone());
                Some(turn)
            }
            None => {
                if !passed.is_empty() {
                    self.dealt.nobody.push(NoTaker { queue: queue.id.clone(), passed });
                }
                None
            }
        }
    }

    /// Returns who would get the next lead of `queue`, did it ask for no more than the queue does, and who would not,
    /// and why.
    pub fn next_of(
        &self,
        policy: &RoutingPolicy,
        queue: &Queue,
        as_of: DateTime<Utc>,
    ) -> (Option<String>, Vec<PassedOver>) {
        let bench = bench(policy, queue, &Needs::of_queue(queue), &self.loads, as_of);
        let leading = leading(policy, queue, &bench.available, &self.loads);
        let mut rotation = self.rotation.clone();
        let turn = rotation.take_turn(&queue.id, &bench.available, &leading, queue.turns());
        (turn.map(|turn| turn.owner), bench.passed)
    }

    /// Returns the leads that the pool of `queue` could take before its caps stop it, leaving out whom
    /// `can_take` does not know; `None` when nothing stops it.
    pub fn room_in(
        &self,
        policy: &RoutingPolicy,
        queue: &Queue,
        as_of: DateTime<Utc>,
        can_take: impl Fn(&str) -> bool,
    ) -> Option<i64> {
        // Whom a lead would rather have does not matter: it takes anybody before it waits.
        let needs = Needs::of_queue(queue);
        let seated = available(policy, queue, &needs, &self.loads, as_of);
        let asked = seated.filter(|(member, _)| can_take(&member.owner));
        asked
            .map(|(member, owner)| {
                self.loads.tightest(owner, &queue.id, member).map(|(_, left)| left)
            })
            .sum()
    }
}
