//! Joining by likeness: people who share no key that identifies, but so much else that they are one.

use std::collections::BTreeSet;

use anyhow::Result;
use rustc_hash::{FxHashMap, FxHashSet};

use super::contacts::Contacts;
use super::joining::Work;
use crate::identity::keys::KeyKind;
use crate::identity::likeness::{
    AVERAGE_BITS_MIN, JOIN_BITS_MIN, NEAR_HOLDERS_MAX, REVIEW_BITS_MIN, SPEAKERS_MAX, counted_bits,
};
use crate::model::ids::SubmissionNo;
use crate::store::absorb::KeyGroup;

/// A pair of submissions and the log2 odds that they are one person.
type LikelyPair = (SubmissionNo, SubmissionNo, f32);

/// Holders whose values are in memory while their pairs are compared: half a kilobyte each. Each time they are read in
/// their own order, which takes most pages of the submissions.
const HOLDERS_AT_ONCE: usize = 49_152;

/// Returns a pair in half the room, for there are millions of them. Numbers take 32 bits: so many rows would be a store
/// of 18 TB.
fn packed((a, b): (SubmissionNo, SubmissionNo)) -> u64 {
    (a.0 as u64) << 32 | (b.0 as u64 & u64::from(u32::MAX))
}

/// Pairs that are alike, as they are found.
#[derive(Default)]
pub(super) struct Likely<'a> {
    waiting: Vec<Vec<SubmissionNo>>,
    pairs: Vec<LikelyPair>,
    /// Pairs that were compared, [`packed`]; never walked through.
    seen: FxHashSet<u64>,
    contacts: Option<Contacts<'a>>,
}

impl<'a> Likely<'a> {
    /// Takes the holders of a near key in, to be compared once it is known who is joined anyway.
    ///
    /// A key that has become too common compares nobody any more: whom it may have joined is touched.
    pub(super) fn take(&mut self, work: &mut Work<'a>, group: &KeyGroup) -> Result<()> {
        let holders: Vec<SubmissionNo> = group.holders.iter().map(|one| one.submission).collect();
        if holders.len() <= NEAR_HOLDERS_MAX {
            self.waiting.push(holders);
            return Ok(());
        }
        let is_old = |one: &&SubmissionNo| !work.fresh.contains(**one);
        let old: Vec<SubmissionNo> = holders.iter().filter(is_old).copied().collect();
        if old.len() <= NEAR_HOLDERS_MAX {
            for holder in old {
                work.touch(holder)?;
            }
        }
        Ok(())
    }

    /// Compares the holders that wait, except those who are one already, and touches whom they are like.
    pub(super) fn find_pairs(&mut self, work: &mut Work<'a>) -> Result<()> {
        let mut pairs = Vec::new();
        let mut n_holders = 0;
        for holders in std::mem::take(&mut self.waiting) {
            let before = pairs.len();
            self.add_new_pairs(work, &holders, &mut pairs);
            if pairs.len() > before {
                n_holders += holders.len();
            }
            if n_holders >= HOLDERS_AT_ONCE {
                self.compare(work, &pairs)?;
                pairs.clear();
                n_holders = 0;
            }
        }
        self.compare(work, &pairs)
    }

    /// Adds the pairs of `holders` to `pairs` that nobody has compared and that are not one already.
    fn add_new_pairs(
        &mut self,
        work: &mut Work<'a>,
        holders: &[SubmissionNo],
        pairs: &mut Vec<(SubmissionNo, SubmissionNo)>,
    ) {
        let here: Vec<bool> = holders.iter().map(|one| work.is_here(*one)).collect();
        let roots: Vec<Option<u32>> =
            holders.iter().zip(&here).map(|(one, here)| here.then(|| work.root(*one))).collect();
        for i in 0..holders.len() {
            for j in i + 1..holders.len() {
                let is_new = (here[i] || here[j]) && (roots[i].is_none() || roots[i] != roots[j]);
                let pair = (holders[i], holders[j]);
                if is_new && self.seen.insert(packed(pair)) {
                    pairs.push(pair);
                }
            }
        }
    }

    /// Compares `pairs`, and touches whom they are like.
    fn compare(
        &mut self,
        work: &mut Work<'a>,
        pairs: &[(SubmissionNo, SubmissionNo)],
    ) -> Result<()> {
        if pairs.is_empty() {
            return Ok(());
        }
        let totals = self.contacts(work)?.totals(pairs)?;
        for ((a, b), bits) in pairs.iter().copied().zip(totals) {
            if bits >= REVIEW_BITS_MIN {
                self.pairs.push((a, b, bits));
            }
            if bits >= JOIN_BITS_MIN {
                work.touch(a)?;
                work.touch(b)?;
            }
        }
        Ok(())
    }

    /// Joins the pairs found, the likeliest first, where the two sides as wholes are alike, too.
    pub(super) fn join(mut self, work: &mut Work<'a>) -> Result<()> {
        // Nothing is compared anew from here on: what comes takes the room.
        self.seen = FxHashSet::default();
        let mut pairs = std::mem::take(&mut self.pairs);
        pairs.retain(|(a, b, _)| work.is_here(*a) && work.is_here(*b));
        let order = |(a, b, _): &LikelyPair| {
            let (a, b) = (work.fingerprint(*a), work.fingerprint(*b));
            (a.min(b), a.max(b))
        };
        pairs.sort_by(|x, y| y.2.total_cmp(&x.2).then_with(|| order(x).cmp(&order(y))));
        let ends: BTreeSet<SubmissionNo> = pairs.iter().flat_map(|(a, b, _)| [*a, *b]).collect();
        let mut members = work.members_of(&ends);
        let mut open: BTreeSet<(u32, u32)> = BTreeSet::new();
        // By the components and how many they have become: most that are alike meet in several pairs.
        let mut averages: FxHashMap<(u32, usize, u32, usize), f32> = FxHashMap::default();
        let is_alike = |(_, _, bits): &&LikelyPair| *bits >= JOIN_BITS_MIN;
        work.alike = pairs.iter().filter(is_alike).map(|(a, b, _)| (*a, *b)).collect();
        let different = work.different();
        for (a, b, bits) in pairs {
            let (x, y) = (work.root(a), work.root(b));
            if x == y || work.are_kept_apart(&different, a, b) {
                continue;
            }
            let (ours, theirs) = (&members[&x], &members[&y]);
            let average = match averages.get(&(x, ours.len(), y, theirs.len())) {
                Some(average) => *average,
                None if (ours.len(), theirs.len()) == (1, 1) => counted_bits(bits),
                None => self.average(work, ours, theirs)?,
            };
            averages.insert((x, ours.len(), y, theirs.len()), average);
            if bits < JOIN_BITS_MIN || average < AVERAGE_BITS_MIN {
                if average >= REVIEW_BITS_MIN {
                    open.insert((x.min(y), x.max(y)));
                }
                continue;
            }
            work.join(a, b, KeyKind::Near);
            let mut all = members.remove(&x).unwrap_or_default();
            all.extend(members.remove(&y).unwrap_or_default());
            members.insert(work.root(a), all);
        }
        work.joined.to_review = open.len() as u64;
        Ok(())
    }

    /// Returns the average bits between the members of two leads that speak for them.
    fn average(
        &mut self,
        work: &Work<'a>,
        ours: &[SubmissionNo],
        theirs: &[SubmissionNo],
    ) -> Result<f32> {
        let speakers = |members: &[SubmissionNo]| {
            let mut members = members.to_vec();
            members.sort_by_key(|one| work.fingerprint(*one));
            members.truncate(SPEAKERS_MAX);
            members
        };
        let (ours, theirs) = (speakers(ours), speakers(theirs));
        let all: Vec<SubmissionNo> = ours.iter().chain(&theirs).copied().collect();
        Ok(self.contacts(work)?.judge(&all)?.average(ours.len()))
    }

    fn contacts(&mut self, work: &Work<'a>) -> Result<&mut Contacts<'a>> {
        match &mut self.contacts {
            Some(contacts) => Ok(contacts),
            none => {
                let Work { store, rules, horizon, .. } = *work;
                Ok(none.insert(match &work.shared_keys {
                    Some(keys) => Contacts::knowing(store, rules, horizon, keys.iter().copied())?,
                    None => Contacts::new(store, rules, horizon)?,
                }))
            }
        }
    }
}
