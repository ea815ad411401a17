//! Which submissions belong together: the one step that decides it, and nothing else.
//!
//! It is given the fresh submissions and answers components: sets of submissions, fresh ones and those
//! of the leads they touch, that are one person each, with the joins that made them. What a component
//! means for leads (ids, founders, merges) is [`super::absorb`]'s.
//!
//! Three kinds of evidence, the strongest first: what somebody said ([`super::verdicts`] writes it), keys
//! that identify, as far as the guard lets them, and likeness ([`super::likely`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;

use super::absorb::Fresh;
use super::likely::Likely;
use crate::identity::clusters::Clusters;
use crate::identity::guard::Guard;
use crate::identity::keys::KeyKind;
use crate::model::ids::{Fingerprint, KeyHash, LeadNo, SubmissionNo};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::absorb::{Horizon, KeyGroup, KeyHolder, KeyScope};
use crate::store::verdicts::Verdict;

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
    /// Pairs of people who are alike, but not enough to be joined: somebody should have a look.
    pub to_review: u64,
}

/// Joins the `fresh` submissions with each other and with those of whatever leads they touch.
///
/// `seeds` are touched whatever the fresh ones say: somebody said something about them.
pub fn join(
    store: &Store,
    rules: &RuleSet,
    fresh: &Fresh,
    seeds: &[SubmissionNo],
    horizon: Horizon,
) -> Result<Joined> {
    if fresh.is_empty() && seeds.is_empty() {
        return Ok(Joined::default());
    }
    let mut work = Work {
        store,
        rules,
        guard: Guard::new(&rules.identity),
        fresh,
        horizon,
        verdicts: store.verdicts(horizon)?,
        clusters: Clusters::new(fresh.len()),
        old: Vec::new(),
        old_index: HashMap::new(),
        fingerprints: HashMap::new(),
        halves: HashMap::new(),
        bridges: BTreeSet::new(),
        apart: BTreeSet::new(),
        alike: Vec::new(),
        shared_keys: None,
        joined: Joined::default(),
    };
    for seed in seeds {
        work.touch(*seed)?;
    }
    let mut likely = Likely::default();
    if !fresh.is_empty() {
        let scope = if fresh.meets_older_ones() { KeyScope::Fresh(horizon) } else { KeyScope::All };
        if (scope, horizon) == (KeyScope::All, Horizon::Now) {
            work.shared_keys = Some(BTreeSet::new());
        }
        store.key_groups(scope, |group| match group.kind {
            KeyKind::Near => likely.take(&mut work, &group),
            // Whose touches change is found out afterwards ([`super::touched`]).
            kind if kind.only_joins_touches() => Ok(()),
            _ => work.link_fresh(&group),
        })?;
    }
    // Whatever is taken apart may touch more: until nothing new does.
    loop {
        work.take_leads_apart(&mut likely)?;
        work.follow_verdicts()?;
        likely.find_pairs(&mut work)?;
        if work.waiting().is_empty() {
            break;
        }
    }
    work.join_by_verdicts();
    likely.join(&mut work)?;
    work.into_components()
}

/// The work of joining, as far as it has come.
pub(super) struct Work<'a> {
    pub(super) store: &'a Store,
    pub(super) rules: &'a RuleSet,
    pub(super) guard: Guard<'a>,
    pub(super) fresh: &'a Fresh,
    pub(super) horizon: Horizon,
    pub(super) verdicts: Vec<Verdict>,
    /// Fresh submissions come first, then old ones as they are met.
    clusters: Clusters,
    old: Vec<SubmissionNo>,
    old_index: HashMap<SubmissionNo, u32>,
    /// Of old submissions.
    fingerprints: HashMap<SubmissionNo, Fingerprint>,
    /// Of each submission with half a name or none a key that it shares with people of whole names, and these.
    halves: HashMap<SubmissionNo, (KeyHash, Vec<String>)>,
    /// Those of them that would tie people together whose names contradict each other.
    bridges: BTreeSet<SubmissionNo>,
    /// Touched leads that have been taken apart.
    apart: BTreeSet<LeadNo>,
    /// Pairs that are alike enough to be joined.
    pub(super) alike: Vec<(SubmissionNo, SubmissionNo)>,
    /// Keys that several people hold, where every key of the store was seen.
    pub(super) shared_keys: Option<BTreeSet<KeyHash>>,
    pub(super) joined: Joined,
}

impl<'a> Work<'a> {
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
        // A contact that becomes shared no longer speaks for its holders' being like others, whoever they are.
        let is_shared = |labels: &[u32]| labels.iter().any(|label| *label != labels[0]);
        let flipped = flipped || is_shared(&before) != is_shared(&labels);
        if let Some(keys) = self.shared_keys.as_mut().filter(|_| is_shared(&labels)) {
            keys.insert(group.key);
        }
        for (at, holder) in holders[..n_old].iter().enumerate() {
            if flipped || fresh_labels.contains(&labels[at]) {
                self.touch(holder.submission)?;
            }
        }
        self.note_halves(group.key, &holders, &labels)?;
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

    pub(super) fn touch(&mut self, submission: SubmissionNo) -> Result<()> {
        if !self.fresh.contains(submission)
            && let Some(lead) = self.store.lead_of(submission)?
        {
            self.joined.touched.insert(lead);
        }
        Ok(())
    }

    /// Returns the touched leads that have not been taken apart yet.
    fn waiting(&self) -> Vec<LeadNo> {
        self.joined.touched.difference(&self.apart).copied().collect()
    }

    /// Brings the submissions of touched leads in and joins them by the keys that still hold.
    fn take_leads_apart(&mut self, likely: &mut Likely<'a>) -> Result<()> {
        let mut keys: BTreeMap<KeyHash, KeyKind> = BTreeMap::new();
        for lead in self.waiting() {
            self.apart.insert(lead);
            for member in self.store.members(lead)? {
                self.element(member.no);
                self.fingerprints.insert(member.no, member.fingerprint);
                let own = self.store.keys_of(member.no)?.into_iter();
                keys.extend(own.filter(|(_, kind)| !kind.only_joins_touches()));
            }
        }
        for (key, kind) in keys {
            let Some(group) = self.store.key_group(key, self.horizon)? else { continue };
            if kind == KeyKind::Near {
                likely.take(self, &group)?;
                continue;
            }
            for (first, other) in self.pairs_here(&group)? {
                self.join(first, other, group.kind);
            }
        }
        Ok(())
    }

    /// Returns the pairs that `group` joins among the submissions at hand: each holder with the first of its label.
    fn pairs_here(&mut self, group: &KeyGroup) -> Result<Vec<(SubmissionNo, SubmissionNo)>> {
        let names: Vec<&str> = group.holders.iter().map(|one| one.holder.as_str()).collect();
        let labels = self.guard.labels(group.kind, &names);
        self.note_halves(group.key, &group.holders.iter().collect::<Vec<_>>(), &labels)?;
        let mut first_of: BTreeMap<u32, SubmissionNo> = BTreeMap::new();
        let mut pairs = Vec::new();
        for (holder, label) in group.holders.iter().zip(labels) {
            if !self.is_here(holder.submission) {
                continue;
            }
            match first_of.get(&label) {
                None => drop(first_of.insert(label, holder.submission)),
                Some(first) => pairs.push((*first, holder.submission)),
            }
        }
        Ok(pairs)
    }

    /// Notes whom the submissions at hand that have half a name or none meet at a key, and touches these: whose such
    /// a row is may depend on all of them.
    fn note_halves(&mut self, key: KeyHash, holders: &[&KeyHolder], labels: &[u32]) -> Result<()> {
        let mut halves: BTreeMap<u32, Vec<SubmissionNo>> = BTreeMap::new();
        for (holder, label) in holders.iter().zip(labels) {
            if Guard::is_half(&holder.holder) && self.is_here(holder.submission) {
                halves.entry(*label).or_default().push(holder.submission);
            }
        }
        if halves.is_empty() {
            return Ok(());
        }
        let mut names: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
        for (holder, label) in holders.iter().zip(labels) {
            if halves.contains_key(label) && !Guard::is_half(&holder.holder) {
                names.entry(*label).or_default().insert(&holder.holder);
                self.touch(holder.submission)?;
            }
        }
        for (label, names) in names {
            for half in &halves[&label] {
                match self.halves.get(half) {
                    None => {
                        let names = names.iter().map(|name| (*name).to_owned()).collect();
                        self.halves.insert(*half, (key, names));
                    }
                    Some((known, _)) if *known == key => {}
                    Some((_, met)) => {
                        let contradicts =
                            |a: &String| names.iter().any(|b| !self.guard.may_be_one(a, b));
                        if met.iter().any(contradicts) {
                            self.bridges.insert(*half);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns whether `submission` is fresh or belongs to a lead that was taken apart.
    pub(super) fn is_here(&self, submission: SubmissionNo) -> bool {
        self.fresh.contains(submission) || self.old_index.contains_key(&submission)
    }

    /// Touches the leads that a verdict joins with somebody at hand.
    fn follow_verdicts(&mut self) -> Result<()> {
        let verdicts = std::mem::take(&mut self.verdicts);
        for verdict in verdicts.iter().filter(|verdict| verdict.is_same) {
            match (self.is_here(verdict.a), self.is_here(verdict.b)) {
                (true, false) => self.touch(verdict.b)?,
                (false, true) => self.touch(verdict.a)?,
                _ => {}
            }
        }
        self.verdicts = verdicts;
        Ok(())
    }

    fn join_by_verdicts(&mut self) {
        let verdicts = std::mem::take(&mut self.verdicts);
        for verdict in verdicts.iter().filter(|verdict| verdict.is_same) {
            if self.is_here(verdict.a) && self.is_here(verdict.b) {
                self.join(verdict.a, verdict.b, KeyKind::Verdict);
            }
        }
        self.verdicts = verdicts;
    }

    /// Returns whether a member of one component is not one of the other, as somebody said of the pairs
    /// [`Work::different`].
    pub(super) fn are_kept_apart(
        &mut self,
        different: &[(SubmissionNo, SubmissionNo)],
        a: SubmissionNo,
        b: SubmissionNo,
    ) -> bool {
        let (a, b) = (self.root(a), self.root(b));
        different.iter().any(|(x, y)| {
            let (x, y) = (self.root(*x), self.root(*y));
            (x, y) == (a, b) || (x, y) == (b, a)
        })
    }

    /// Returns the pairs among the submissions at hand of which somebody said that they are two people.
    pub(super) fn different(&self) -> Vec<(SubmissionNo, SubmissionNo)> {
        let verdicts = self.verdicts.iter().filter(|verdict| !verdict.is_same);
        let pairs = verdicts.map(|verdict| (verdict.a, verdict.b));
        pairs.filter(|(a, b)| self.is_here(*a) && self.is_here(*b)).collect()
    }

    pub(super) fn join(&mut self, first: SubmissionNo, other: SubmissionNo, kind: KeyKind) {
        let (a, b) = (self.element(first), self.element(other));
        if self.clusters.union(a, b) {
            self.joined.edges.push((first, other, kind));
        }
    }

    /// Returns the number of the component that `submission`, which is here, belongs to.
    pub(super) fn root(&mut self, submission: SubmissionNo) -> u32 {
        let element = self.element(submission);
        self.clusters.find(element)
    }

    /// Returns what orders submissions whatever numbers they were given.
    pub(super) fn fingerprint(&self, submission: SubmissionNo) -> Fingerprint {
        match self.fresh.fingerprint(submission) {
            Some(fingerprint) => fingerprint,
            None => self.fingerprints[&submission],
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

    /// Returns the members of each component that has one of `submissions` in it, in order of number.
    pub(super) fn members_of(
        &mut self,
        submissions: &BTreeSet<SubmissionNo>,
    ) -> HashMap<u32, Vec<SubmissionNo>> {
        let roots: BTreeSet<u32> = submissions.iter().map(|one| self.root(*one)).collect();
        let mut members: HashMap<u32, Vec<SubmissionNo>> = HashMap::new();
        for element in 0..self.clusters.len() {
            let root = self.clusters.find(element as u32);
            if roots.contains(&root) {
                let submission = self.submission(element);
                members.entry(root).or_default().push(submission);
            }
        }
        members
    }

    fn into_components(mut self) -> Result<Joined> {
        // Sorting (root, submission) pairs puts the members of a component side by side: 12 bytes a
        // submission.
        let n = self.clusters.len();
        let mut by_root: Vec<(u32, SubmissionNo)> = Vec::with_capacity(n);
        for element in 0..n {
            by_root.push((self.clusters.find(element as u32), self.submission(element)));
        }
        by_root.sort_unstable();
        let components: Vec<Vec<SubmissionNo>> = by_root
            .chunk_by(|a, b| a.0 == b.0)
            .map(|component| component.iter().map(|(_, no)| *no).collect())
            .collect();
        let different = self.different();
        let mut torn = self.torn(&different);
        for bridge in std::mem::take(&mut self.bridges) {
            torn.insert(self.root(bridge));
        }
        for members in components {
            if torn.is_empty() || !torn.contains(&self.root(members[0])) {
                self.joined.components.push(members);
            } else {
                self.part(&members, &different)?;
            }
        }
        Ok(self.joined)
    }

    /// Returns the components that hold both of two `different` submissions.
    fn torn(&mut self, different: &[(SubmissionNo, SubmissionNo)]) -> BTreeSet<u32> {
        let mut torn = BTreeSet::new();
        for (a, b) in different {
            let root = self.root(*a);
            if root == self.root(*b) {
                torn.insert(root);
            }
        }
        torn
    }
}
