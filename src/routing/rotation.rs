//! Whose turn it is: smooth weighted round robin, with a state that people can read and a store keep.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::passed::Passed;
use crate::rules::routing::PoolMember;

/// One owner's standing in one queue, as a store keeps it and the rotation report shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RotationEntry {
    /// Queue's id.
    pub queue: String,
    /// Owner's id.
    pub owner: String,
    /// How much the owner is owed; the highest of those available gets the next lead.
    pub current: i64,
    /// Leads the queue has given to the owner so far.
    pub assigned: i64,
}

/// The turns of all queues.
///
/// A turn pays every available member its weight and takes the sum of the weights from the one who
/// gets the lead. Weights 3 and 2 give a-b-a-b-a instead of a-a-a-b-b. Who is away is neither paid nor
/// charged, so nobody comes back to a pile of leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    queues: BTreeMap<String, BTreeMap<String, Standing>>,
    /// Who was paid by the last turn of all: mostly the same people as by the next.
    pool: Option<Pool>,
}

/// Owners and what a turn pays each.
pub type Pool = Arc<[(String, i64)]>;

/// A turn as it is kept: enough to give it back, and to take it again when its run is decided anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnTaken {
    /// Queue's id.
    pub queue: String,
    /// Who got the lead.
    pub owner: String,
    /// Position in the round, from 1.
    pub turn: i64,
    /// Who was paid what; the owner paid the sum.
    pub pool: Pool,
    /// Who was passed over.
    pub passed: Passed,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Standing {
    current: i64,
    assigned: i64,
}

impl Rotation {
    /// Returns the rotation that `entries` describe.
    pub fn from_entries(entries: impl IntoIterator<Item = RotationEntry>) -> Self {
        let mut rotation = Self::default();
        for RotationEntry { queue, owner, current, assigned } in entries {
            rotation.queues.entry(queue).or_default().insert(owner, Standing { current, assigned });
        }
        rotation
    }

    /// Returns every standing, in order of queue and owner.
    pub fn to_entries(&self) -> Vec<RotationEntry> {
        let entries = self.queues.iter().flat_map(|(queue, owners)| {
            owners.iter().map(|(owner, standing)| RotationEntry {
                queue: queue.clone(),
                owner: owner.clone(),
                current: standing.current,
                assigned: standing.assigned,
            })
        });
        entries.collect()
    }

    fn pool_of(&mut self, available: &[&PoolMember]) -> Pool {
        let is_same = |pool: &&Pool| {
            pool.len() == available.len()
                && pool
                    .iter()
                    .zip(available)
                    .all(|(paid, one)| paid.0 == one.owner && paid.1 == one.weight)
        };
        if let Some(pool) = self.pool.as_ref().filter(is_same) {
            return Arc::clone(pool);
        }
        let pool: Pool = available.iter().map(|one| (one.owner.clone(), one.weight)).collect();
        self.pool = Some(Arc::clone(&pool));
        pool
    }

    /// Takes the next turn of `queue`, which pays everybody `available` and goes to one of `leading`, who are
    /// some of them; `None` when nobody is.
    ///
    /// `turns` is the number of turns in a full round. Of equals the first in the pool comes first.
    pub(super) fn take_turn(
        &mut self,
        queue: &str,
        available: &[&PoolMember],
        leading: &[&PoolMember],
        turns: i64,
    ) -> Option<TurnTaken> {
        if leading.is_empty() {
            return None;
        }
        if !self.queues.contains_key(queue) {
            self.queues.insert(queue.to_owned(), BTreeMap::new());
        }
        let owners = self.queues.get_mut(queue)?;
        let given: i64 = owners.values().map(|standing| standing.assigned).sum();
        let mut paid = 0;
        for member in available {
            if !owners.contains_key(&member.owner) {
                owners.insert(member.owner.clone(), Standing::default());
            }
            owners.get_mut(&member.owner)?.current += member.weight;
            paid += member.weight;
        }
        let mut best: Option<(i64, &str)> = None;
        for member in leading {
            let current = owners.get(&member.owner)?.current;
            if best.is_none_or(|(most, _)| current > most) {
                best = Some((current, &member.owner));
            }
        }
        let (_, owner) = best?;
        let standing = owners.get_mut(owner)?;
        standing.current -= paid;
        standing.assigned += 1;
        Some(TurnTaken {
            queue: queue.to_owned(),
            owner: owner.to_owned(),
            turn: given.rem_euclid(turns.max(1)) + 1,
            pool: self.pool_of(available),
            passed: Passed::from([]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::diagnostics::{Place, RuleText};

    fn draw(rotation: &mut Rotation, pool: &[(&str, i64)], times: usize) -> String {
        let nowhere = Place { file: RuleText { path: "".into(), text: "".into() }, span: 0..0 };
        let members: Vec<PoolMember> = pool
            .iter()
            .map(|(owner, weight)| PoolMember {
                owner: (*owner).to_owned(),
                weight: *weight,
                caps: Vec::new(),
                place: nowhere.clone(),
                weight_place: None,
            })
            .collect();
        let available: Vec<&PoolMember> = members.iter().collect();
        let turns = pool.iter().map(|(_, weight)| weight).sum();
        let drawn =
            (0..times).filter_map(|_| rotation.take_turn("q", &available, &available, turns));
        drawn.map(|turn| turn.owner).collect()
    }

    #[track_caller]
    fn check(pool: &[(&str, i64)], times: usize, expected: &str) {
        assert_eq!(draw(&mut Rotation::default(), pool, times), expected);
    }

    #[test]
    fn turns_are_spread_evenly() {
        check(&[("a", 1), ("b", 1)], 4, "abab");
        check(&[("a", 3), ("b", 2)], 10, "ababaababa");
        check(&[("a", 5), ("b", 1), ("c", 1)], 7, "aabacaa");
        check(&[("a", 1)], 3, "aaa");
        check(&[], 3, "");
    }

    #[test]
    fn weights_two_to_one_give_two_hundred_to_one_hundred() {
        let drawn = draw(&mut Rotation::default(), &[("a", 2), ("b", 1)], 300);
        assert_eq!((drawn.matches('a').count(), drawn.matches('b').count()), (200, 100));
    }

    #[test]
    fn who_was_away_gets_no_pile_afterwards() {
        let both = [("a", 1), ("b", 1)];
        let mut rotation = Rotation::default();
        draw(&mut rotation, &both, 2);
        assert_eq!(draw(&mut rotation, &both[..1], 50), "a".repeat(50));
        assert_eq!(draw(&mut rotation, &both, 4), "abab");
    }

    #[test]
    fn a_turn_goes_to_one_of_those_in_the_lead_and_pays_everybody() {
        let nowhere = Place { file: RuleText { path: "".into(), text: "".into() }, span: 0..0 };
        let member = |owner: &str| PoolMember {
            owner: owner.to_owned(),
            weight: 1,
            caps: Vec::new(),
            place: nowhere.clone(),
            weight_place: None,
        };
        let (a, b) = (member("a"), member("b"));
        let mut rotation = Rotation::default();
        let turn = rotation.take_turn("q", &[&a, &b], &[&b], 2).expect("a turn");
        assert_eq!((turn.owner.as_str(), turn.pool.len()), ("b", 2));
        let owed: Vec<i64> = rotation.to_entries().iter().map(|one| one.current).collect();
        assert_eq!(owed, [1, -1]);
    }

    #[test]
    fn a_kept_rotation_goes_on_where_it_stopped() {
        let pool = [("a", 3), ("b", 2), ("c", 2)];
        let at_once = draw(&mut Rotation::default(), &pool, 40);
        let mut rotation = Rotation::default();
        let mut one_by_one = String::new();
        for _ in 0..40 {
            one_by_one += &draw(&mut rotation, &pool, 1);
            rotation = Rotation::from_entries(rotation.to_entries());
        }
        assert_eq!(one_by_one, at_once);
    }
}
