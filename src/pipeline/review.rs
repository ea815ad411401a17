//! Pairs of leads that are alike, but not enough to be joined: what somebody should have a look at.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;

use super::contacts::Contacts;
use crate::identity::likeness::{
    JOIN_BITS_MIN, Judge, NEAR_HOLDERS_MAX, REVIEW_BITS_MIN, SPEAKERS_MAX,
};
use crate::identity::matching::model::probability;
use crate::model::ids::{LeadNo, SubmissionNo};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::absorb::{Horizon, KeyScope};

/// How two submissions agree, and what that is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Log2 odds that both are one person.
    pub bits: f32,
    /// The same as a probability.
    pub probability: f32,
    /// Whether contradicting names forbid it whatever else agrees.
    pub is_vetoed: bool,
    /// Each field in which both say something: its name, how they agree, and the bits of that.
    pub reasons: Vec<(&'static str, &'static str, f32)>,
}

/// Two leads that somebody should have a look at.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewPair {
    /// The lead of the smaller number.
    pub a: LeadNo,
    /// The other lead.
    pub b: LeadNo,
    /// How their likest submissions agree.
    pub comparison: Comparison,
}

/// Returns the pairs of leads that are alike enough for a look, the likeliest first.
///
/// Their leads as wholes must be alike, too: relatives behind one switchboard are not asked about. What somebody
/// has decided already is not asked again.
pub fn pairs(store: &Store, rules: &RuleSet) -> Result<Vec<ReviewPair>> {
    let mut contacts = Contacts::new(store, rules, Horizon::Now)?;
    let decided = decided(store)?;
    let mut best: BTreeMap<(LeadNo, LeadNo), Comparison> = BTreeMap::new();
    let mut leads: HashMap<SubmissionNo, LeadNo> = HashMap::new();
    store.key_groups(KeyScope::All, |group| {
        if group.holders.len() > NEAR_HOLDERS_MAX {
            return Ok(());
        }
        let holders: Vec<SubmissionNo> = group.holders.iter().map(|one| one.submission).collect();
        for holder in &holders {
            if !leads.contains_key(holder)
                && let Some(lead) = store.lead_of(*holder)?
            {
                leads.insert(*holder, lead);
            }
        }
        let lead = |at: usize| leads.get(&holders[at]).copied();
        let pairs: Vec<(usize, usize)> = (0..holders.len())
            .flat_map(|i| (i + 1..holders.len()).map(move |j| (i, j)))
            .filter(|(i, j)| lead(*i).zip(lead(*j)).is_some_and(|(a, b)| a != b))
            .collect();
        if pairs.is_empty() {
            return Ok(());
        }
        let judge = contacts.judge(&holders)?;
        for (i, j) in pairs {
            let (Some(a), Some(b)) = (lead(i), lead(j)) else { continue };
            let key = (a.min(b), a.max(b));
            let found = comparison(&judge, i, j);
            let is_better = best.get(&key).is_none_or(|known| found.bits > known.bits);
            if found.bits >= REVIEW_BITS_MIN && is_better && !decided.contains(&key) {
                best.insert(key, found);
            }
        }
        Ok(())
    })?;
    let mut pairs = Vec::new();
    for ((a, b), comparison) in best {
        if average(store, &mut contacts, a, b)? >= REVIEW_BITS_MIN {
            pairs.push(ReviewPair { a, b, comparison });
        }
    }
    pairs.sort_by(|x, y| {
        y.comparison.bits.total_cmp(&x.comparison.bits).then((x.a, x.b).cmp(&(y.a, y.b)))
    });
    Ok(pairs)
}

/// Returns the average bits between the submissions that speak for two leads.
fn average(store: &Store, contacts: &mut Contacts<'_>, a: LeadNo, b: LeadNo) -> Result<f32> {
    let speakers = |lead| -> Result<Vec<SubmissionNo>> {
        let mut members = store.members(lead)?;
        members.sort_by_key(|member| member.fingerprint);
        Ok(members.iter().take(SPEAKERS_MAX).map(|member| member.no).collect())
    };
    let (ours, theirs) = (speakers(a)?, speakers(b)?);
    let all: Vec<SubmissionNo> = ours.iter().chain(&theirs).copied().collect();
    Ok(contacts.judge(&all)?.average(ours.len()))
}

/// Returns the pairs of leads about which somebody said that they are two.
fn decided(store: &Store) -> Result<std::collections::BTreeSet<(LeadNo, LeadNo)>> {
    let mut decided = std::collections::BTreeSet::new();
    for verdict in store.verdicts(Horizon::Now)?.iter().filter(|verdict| !verdict.is_same) {
        if let (Some(a), Some(b)) = (store.lead_of(verdict.a)?, store.lead_of(verdict.b)?) {
            decided.insert((a.min(b), a.max(b)));
        }
    }
    Ok(decided)
}

/// Returns how the likest submissions of two leads agree, with their numbers.
pub fn compare_leads(
    store: &Store,
    rules: &RuleSet,
    a: LeadNo,
    b: LeadNo,
) -> Result<(SubmissionNo, SubmissionNo, Comparison)> {
    let mut contacts = Contacts::new(store, rules, Horizon::Now)?;
    let members = |lead| -> Result<Vec<SubmissionNo>> {
        Ok(store.members(lead)?.iter().take(NEAR_HOLDERS_MAX).map(|one| one.no).collect())
    };
    let (ours, theirs) = (members(a)?, members(b)?);
    let all: Vec<SubmissionNo> = ours.iter().chain(&theirs).copied().collect();
    let judge = contacts.judge(&all)?;
    let mut best: Option<(SubmissionNo, SubmissionNo, Comparison)> = None;
    for i in 0..ours.len() {
        for j in ours.len()..all.len() {
            let found = comparison(&judge, i, j);
            if best.as_ref().is_none_or(|(.., known)| found.bits > known.bits) {
                best = Some((all[i], all[j], found));
            }
        }
    }
    best.ok_or_else(|| anyhow::anyhow!("a lead without a submission"))
}

/// Returns the comparison that is weakest among those that hold the members of `lead` together, if it has two or
/// more: each member with the one it is joined to.
pub fn weakest_bridge(
    store: &Store,
    rules: &RuleSet,
    lead: LeadNo,
) -> Result<Option<(SubmissionNo, SubmissionNo, Comparison)>> {
    let mut contacts = Contacts::new(store, rules, Horizon::Now)?;
    let mut weakest: Option<(SubmissionNo, SubmissionNo, Comparison)> = None;
    for member in store.members(lead)? {
        let Some(with) = store.joined_with(member.no)? else { continue };
        let found = compare_rows(&mut contacts, member.no, with)?;
        if weakest.as_ref().is_none_or(|(.., known)| found.bits < known.bits) {
            weakest = Some((member.no, with, found));
        }
    }
    Ok(weakest)
}

/// Returns how two submissions agree.
pub(super) fn compare_rows(
    contacts: &mut Contacts<'_>,
    a: SubmissionNo,
    b: SubmissionNo,
) -> Result<Comparison> {
    Ok(comparison(&contacts.judge(&[a, b])?, 0, 1))
}

/// Returns what a comparison means: `same`, `review` or `different`.
pub fn meaning(comparison: &Comparison) -> &'static str {
    match comparison.bits {
        bits if bits >= JOIN_BITS_MIN => "same",
        bits if bits >= REVIEW_BITS_MIN => "review",
        _ => "different",
    }
}

fn comparison(judge: &Judge, i: usize, j: usize) -> Comparison {
    let (agreement, bits) = judge.bits(i, j);
    Comparison {
        bits: bits.total,
        probability: probability(bits.total),
        is_vetoed: bits.is_vetoed,
        reasons: judge.reasons(i, j, &agreement),
    }
}
