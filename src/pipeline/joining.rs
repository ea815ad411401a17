//! Which submissions belong together: the one step that decides it, and nothing else.
//!
//! It is given the fresh submissions and answers components: sets of submissions, fresh ones and those
//! of the leads they touch, that are one person each, with the joins that made them. What a component
//! means for leads (ids, founders, merges) is [`super::absorb`]'s.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;

use super::absorb::Fresh;
use crate::identity::clusters::Clusters;
use crate::identity::guard::Guard;
use crate::identity::keys::{KeyKind, match_keys};
use crate::model::ids::{KeyHash, LeadNo, SubmissionNo};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::absorb::{Horizon, KeyGroup, KeyHolder, KeyScope};

/// A join of two submissions through a key.
pub type Edge = (SubmissionNo, SubmissionNo, KeyKind);

/// What belongs together.
#[derive(Debug, Default)]
pub struct Joined {
    /// Each person's submissions in order of number.
    pub components: Vec<Vec<SubmissionNo>>,
    /// The joins that made one component of two: together the spanning trees of all components.
    pub edges: Vec<Edge>,
    /// Leads that were taken apart: their submissions are in the components.
    pub touched: BTreeSet<LeadNo>,
    /// Keys that were found to be shared, which joined people before.
    pub flipped_keys: u64,
}

/// Joins the `fresh` submissions with each other and with those of whatever leads they touch.
pub fn join(store: &Store, rules: &RuleSet, fresh: &Fresh, horizon: Horizon) -> Result<Joined> {
    if fresh.is_empty() {
        return Ok(Joined::default());
    }
    let mut work = Work {
        store,
        guard: Guard::new(&rules.identity),
        fresh,
        horizon,
        clusters: Clusters::new(fresh.len()),
        old: Vec::new(),
        old_index: HashMap::new(),
        joined: Joined::default(),
    };
    let scope = if fresh.meets_older_ones() { KeyScope::Fresh(horizon) } else { KeyScope::All };
    store.key_groups(scope, |group| work.link_fresh(&group))?;
    work.take_leads_apart(rules)?;
    Ok(work.into_components())
}

struct Work<'a> {
    store: &'a Store,
    guard: Guard<'a>,
    fresh: &'a Fresh,
    horizon: Horizon,
    /// Fresh submissions come first, then old ones as they are met.
    clusters: Clusters,
    old: Vec<SubmissionNo>,
    old_index: HashMap<SubmissionNo, u32>,
    joined: Joined,
}

impl Work<'_> {
    /// Joins the holders of a key that fresh submissions brought, as far as the guard lets it.
    fn link_fresh(&mut self, group: &KeyGroup) -> Result<()> {
        // Old holders first: a row that a later run keeps since an earlier one was undone has a low number.
        let is_fresh = |one: &&KeyHolder| self.fresh.contains(one.submission);
        let (new, mut holders): (Vec<&KeyHolder>, Vec<&KeyHolder>) =
            group.holders.iter().partition(is_fresh);
        let n_old = holders.len();
        holders.extend(new);
        let names: Vec<&str> = holders.iter().map(|one| one.holder.as_str()).collect();
        let labels = self.guard.labels(group.kind, &names);
        let fresh_labels: BTreeSet<u32> = labels[n_old..].iter().copied().collect();
        let before = self.guard.labels(group.kind, &names[..n_old]);
        // Holders that the key joined before and no longer joins: whatever leads they are in must be
        // clustered anew.
        let mut label_of_class: BTreeMap<u32, u32> = BTreeMap::new();
        let flipped = (0..n_old)
            .any(|at| *label_of_class.entry(before[at]).or_insert(labels[at]) != labels[at]);
        self.joined.flipped_keys += u64::from(flipped);
        for (at, holder) in holders[..n_old].iter().enumerate() {
            if flipped || fresh_labels.contains(&labels[at]) {
                self.touch(holder.submission)?;
            }
        }
        let mut first_of: BTreeMap<u32, usize> = BTreeMap::new();
        for (at, label) in labels.iter().enumerate() {
            if at < n_old && !fresh_labels.contains(label) {
                continue;
            }
            match first_of.get(label) {
                None => drop(first_of.insert(*label, at)),
                Some(&first) => {
                    self.join(holders[first].submission, holders[at].submission, group.kind);
                }
            }
        }
        Ok(())
    }

    fn touch(&mut self, submission: SubmissionNo) -> Result<()> {
        if let Some(lead) = self.store.lead_of(submission)? {
            self.joined.touched.insert(lead);
        }
        Ok(())
    }

    /// Brings the submissions of every touched lead in and joins them by the keys that still hold.
    fn take_leads_apart(&mut self, rules: &RuleSet) -> Result<()> {
        let touched: Vec<LeadNo> = self.joined.touched.iter().copied().collect();
        let mut keys: BTreeSet<KeyHash> = BTreeSet::new();
        for lead in touched {
            for member in self.store.members(lead)? {
                self.element(member.no);
                let values = self.store.submission_values(member.no, &rules.fields)?;
                keys.extend(match_keys(&values).into_iter().map(|key| key.hash));
            }
        }
        for key in keys {
            let Some(group) = self.store.key_group(key, self.horizon)? else { continue };
            let names: Vec<&str> = group.holders.iter().map(|one| one.holder.as_str()).collect();
            let labels = self.guard.labels(group.kind, &names);
            let mut first_of: BTreeMap<u32, SubmissionNo> = BTreeMap::new();
            for (holder, label) in group.holders.iter().zip(labels) {
                let is_here = self.fresh.contains(holder.submission)
                    || self.old_index.contains_key(&holder.submission);
                if !is_here {
                    continue;
                }
                match first_of.get(&label).copied() {
                    None => drop(first_of.insert(label, holder.submission)),
                    Some(first) => self.join(first, holder.submission, group.kind),
                }
            }
        }
        Ok(())
    }

    fn join(&mut self, first: SubmissionNo, other: SubmissionNo, kind: KeyKind) {
        let (a, b) = (self.element(first), self.element(other));
        if self.clusters.union(a, b) {
            self.joined.edges.push((first, other, kind));
        }
    }

    fn element(&mut self, submission: SubmissionNo) -> u32 {
        if let Some(position) = self.fresh.position(submission) {
            return position as u32;
        }
        if let Some(known) = self.old_index.get(&submission) {
            return *known;
        }
        let element = self.clusters.push();
        self.old.push(submission);
        self.old_index.insert(submission, element);
        element
    }

    fn submission(&self, element: usize) -> SubmissionNo {
        match element.checked_sub(self.fresh.len()) {
            None => self.fresh.no(element),
            Some(old) => self.old[old],
        }
    }

    fn into_components(mut self) -> Joined {
        // Sorting (root, submission) pairs puts the members of a component side by side: 12 bytes a
        // submission.
        let n = self.clusters.len();
        let mut by_root: Vec<(u32, SubmissionNo)> = Vec::with_capacity(n);
        for element in 0..n {
            by_root.push((self.clusters.find(element as u32), self.submission(element)));
        }
        by_root.sort_unstable();
        self.joined.components = by_root
            .chunk_by(|a, b| a.0 == b.0)
            .map(|component| component.iter().map(|(_, no)| *no).collect())
            .collect();
        self.joined
    }
}
