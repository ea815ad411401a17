//! Submissions → leads: clusters what shares a key with this run's submissions, and nothing else.
//!
//! A lead is never patched. Every lead that a fresh submission touches is taken apart into its
//! submissions and clustered anew together with the fresh ones; so a value that turns out to be shared
//! splits what it had joined, and any sequence of runs ends with the same clusters as one run.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;

use crate::identity::clusters::Clusters;
use crate::identity::guard::Guard;
use crate::identity::keys::{KeyKind, match_keys};
use crate::model::ids::{Fingerprint, KeyHash, LeadId, LeadNo, SubmissionNo};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::absorb::KeyGroup;

/// What orders submissions among possible founders of a lead: earlier run, earlier sent, smaller
/// fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundingOrder {
    run: i64,
    submitted_ms: i64,
    fingerprint: Fingerprint,
}

/// The submissions that this run accepted: 24 bytes each, in order of number.
#[derive(Debug, Default)]
pub struct Fresh {
    first: i64,
    orders: Vec<(i64, Fingerprint)>,
}

impl Fresh {
    /// Begins an empty list whose first submission will be number `first`.
    pub fn starting_at(first: i64) -> Self {
        Self { first, orders: Vec::new() }
    }

    /// Adds the next submission.
    pub fn push(&mut self, submitted_ms: i64, fingerprint: Fingerprint) {
        self.orders.push((submitted_ms, fingerprint));
    }

    /// Forgets the submissions from number `no` on: their input was refused after all.
    pub fn truncate_from(&mut self, no: i64) {
        self.orders.truncate((no - self.first).max(0) as usize);
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// Returns whether the store held submissions before; if not, every key of the store is fresh.
    pub fn meets_older_ones(&self) -> bool {
        self.first > 1
    }

    /// Returns the number that the next submission takes.
    pub fn next_no(&self) -> i64 {
        self.first + self.orders.len() as i64
    }
}

/// A lead to be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadPlan {
    /// Number, of an earlier run or new.
    pub no: LeadNo,
    /// Id, that of its founder.
    pub id: LeadId,
    /// Founding submission.
    pub founder: SubmissionNo,
    /// Whether this run founds it.
    pub is_new: bool,
    /// All members, in order of number.
    pub members: Vec<SubmissionNo>,
    /// Leads of earlier runs that it takes in.
    pub absorbs: Vec<LeadNo>,
}

/// Which submission was joined to which, and through what.
pub type Links = BTreeMap<SubmissionNo, (SubmissionNo, KeyKind)>;

/// Leads to evaluate, in the order in which owners rotate, and why submissions joined.
#[derive(Debug, Default)]
pub struct Absorbed {
    /// Leads of earlier runs by number, then new ones by founder.
    pub leads: Vec<LeadPlan>,
    /// Joins among their members.
    pub links: Links,
    /// Keys that this run found to be shared, which joined people before.
    pub flipped_keys: u64,
}

/// Clusters the `fresh` submissions with whatever they touch.
pub fn absorb(store: &Store, rules: &RuleSet, run: i64, fresh: &Fresh) -> Result<Absorbed> {
    let mut work = Work {
        store,
        guard: Guard::new(&rules.identity),
        run,
        fresh,
        clusters: Clusters::new(fresh.len()),
        old: Vec::new(),
        old_index: HashMap::new(),
        touched: BTreeSet::new(),
        edges: Vec::new(),
        flipped_keys: 0,
    };
    if fresh.is_empty() {
        return Ok(Absorbed::default());
    }
    store.key_groups(fresh.meets_older_ones(), |group| work.link_fresh(&group))?;
    work.take_leads_apart(rules)?;
    work.into_leads()
}

struct Work<'a> {
    store: &'a Store,
    guard: Guard<'a>,
    run: i64,
    fresh: &'a Fresh,
    /// Fresh submissions come first, then old ones as they are met.
    clusters: Clusters,
    old: Vec<SubmissionNo>,
    old_index: HashMap<SubmissionNo, u32>,
    touched: BTreeSet<LeadNo>,
    /// The joins that made one component of two: together the spanning trees of all components.
    edges: Vec<(SubmissionNo, SubmissionNo, KeyKind)>,
    flipped_keys: u64,
}

impl Work<'_> {
    /// Joins the holders of a key that fresh submissions brought, as far as the guard lets it.
    fn link_fresh(&mut self, group: &KeyGroup) -> Result<()> {
        let names: Vec<&str> = group.holders.iter().map(|one| one.holder.as_str()).collect();
        let labels = self.guard.labels(group.kind, &names);
        let n_old = group.holders.partition_point(|one| one.submission.0 < self.fresh.first);
        let fresh_labels: BTreeSet<u32> = labels[n_old..].iter().copied().collect();
        let before = self.guard.labels(group.kind, &names[..n_old]);
        // Holders that the key joined before and no longer joins: whatever leads they are in must be
        // clustered anew.
        let mut label_of_class: BTreeMap<u32, u32> = BTreeMap::new();
        let flipped = (0..n_old)
            .any(|at| *label_of_class.entry(before[at]).or_insert(labels[at]) != labels[at]);
        self.flipped_keys += u64::from(flipped);
        for (at, holder) in group.holders[..n_old].iter().enumerate() {
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
                    self.join(
                        group.holders[first].submission,
                        group.holders[at].submission,
                        group.kind,
                    );
                }
            }
        }
        Ok(())
    }

    fn touch(&mut self, submission: SubmissionNo) -> Result<()> {
        if let Some(lead) = self.store.lead_of(submission)? {
            self.touched.insert(lead);
        }
        Ok(())
    }

    /// Brings the submissions of every touched lead in and joins them by the keys that still hold.
    fn take_leads_apart(&mut self, rules: &RuleSet) -> Result<()> {
        let touched: Vec<LeadNo> = self.touched.iter().copied().collect();
        let mut keys: BTreeSet<KeyHash> = BTreeSet::new();
        for lead in touched {
            for member in self.store.members(lead)? {
                self.element(member.no);
                let values = self.store.submission_values(member.no, &rules.fields)?;
                keys.extend(match_keys(&values).into_iter().map(|key| key.hash));
            }
        }
        for key in keys {
            let Some(group) = self.store.key_group(key)? else { continue };
            let names: Vec<&str> = group.holders.iter().map(|one| one.holder.as_str()).collect();
            let labels = self.guard.labels(group.kind, &names);
            let mut first_of: BTreeMap<u32, SubmissionNo> = BTreeMap::new();
            for (holder, label) in group.holders.iter().zip(labels) {
                let is_here = holder.submission.0 >= self.fresh.first
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
            self.edges.push((first, other, kind));
        }
    }

    fn element(&mut self, submission: SubmissionNo) -> u32 {
        let offset = submission.0 - self.fresh.first;
        if offset >= 0 {
            return offset as u32;
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
        if element < self.fresh.len() {
            SubmissionNo(self.fresh.first + element as i64)
        } else {
            self.old[element - self.fresh.len()]
        }
    }

    fn into_leads(mut self) -> Result<Absorbed> {
        let mut old_orders: HashMap<SubmissionNo, FoundingOrder> = HashMap::new();
        let mut lead_of_founder: HashMap<SubmissionNo, LeadNo> = HashMap::new();
        let touched: Vec<LeadNo> = self.touched.iter().copied().collect();
        for lead in touched {
            lead_of_founder.insert(self.store.founder(lead)?, lead);
            for member in self.store.members(lead)? {
                old_orders.insert(
                    member.no,
                    FoundingOrder {
                        run: member.run,
                        submitted_ms: member.submitted_ms,
                        fingerprint: member.fingerprint,
                    },
                );
            }
        }
        let order_of = |submission: SubmissionNo| match old_orders.get(&submission) {
            Some(known) => *known,
            None => {
                let (submitted_ms, fingerprint) =
                    self.fresh.orders[(submission.0 - self.fresh.first) as usize];
                FoundingOrder { run: self.run, submitted_ms, fingerprint }
            }
        };
        // Sorting (root, submission) pairs puts the members of a component side by side: 12 bytes a
        // submission instead of a list for each component.
        let n = self.clusters.len();
        let mut by_root: Vec<(u32, SubmissionNo)> = Vec::with_capacity(n);
        for element in 0..n {
            by_root.push((self.clusters.find(element as u32), self.submission(element)));
        }
        by_root.sort_unstable();
        let mut known = Vec::new();
        let mut founded: Vec<(FoundingOrder, LeadPlan)> = Vec::new();
        for component in by_root.chunk_by(|a, b| a.0 == b.0) {
            let members: Vec<SubmissionNo> = component.iter().map(|(_, no)| *no).collect();
            let founder =
                *members.iter().min_by_key(|member| order_of(**member)).unwrap_or(&members[0]);
            let order = order_of(founder);
            let mut plan = LeadPlan {
                no: LeadNo(0),
                id: LeadId::of_founder(order.fingerprint),
                founder,
                is_new: true,
                absorbs: members
                    .iter()
                    .filter(|member| **member != founder)
                    .filter_map(|member| lead_of_founder.get(member).copied())
                    .collect(),
                members,
            };
            if let Some(lead) = lead_of_founder.get(&founder) {
                plan.no = *lead;
                plan.is_new = false;
                known.push(plan);
            } else {
                founded.push((order, plan));
            }
        }
        known.sort_by_key(|plan| plan.no);
        founded.sort_by_key(|(order, _)| *order);
        let mut leads = known;
        for (number, (_, mut plan)) in (self.store.next_lead_no()?..).zip(founded) {
            plan.no = LeadNo(number);
            leads.push(plan);
        }
        let links = links(&leads, &self.edges);
        Ok(Absorbed { leads, links, flipped_keys: self.flipped_keys })
    }
}

/// Turns the spanning tree of each lead so that it hangs from the founder: every other member is then
/// joined by exactly one key to exactly one member, and that is what `duplicates.csv` lists.
fn links(leads: &[LeadPlan], edges: &[(SubmissionNo, SubmissionNo, KeyKind)]) -> Links {
    let mut neighbors: BTreeMap<SubmissionNo, Vec<(SubmissionNo, KeyKind)>> = BTreeMap::new();
    for &(a, b, kind) in edges {
        neighbors.entry(a).or_default().push((b, kind));
        neighbors.entry(b).or_default().push((a, kind));
    }
    let mut links = Links::new();
    for lead in leads.iter().filter(|lead| lead.members.len() > 1) {
        let mut reached = vec![lead.founder];
        while let Some(member) = reached.pop() {
            for &(other, kind) in neighbors.get(&member).into_iter().flatten() {
                if other != lead.founder && !links.contains_key(&other) {
                    links.insert(other, (member, kind));
                    reached.push(other);
                }
            }
        }
    }
    links
}
