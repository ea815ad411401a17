//! Submissions → leads: what belongs together becomes a lead, with its id, founder and merges.
//!
//! A lead is never patched. Every lead that a fresh submission touches is taken apart into its
//! submissions and clustered anew together with the fresh ones ([`super::joining`]); so a value that
//! turns out to be shared splits what it had joined, and any sequence of runs ends with the same
//! clusters as one run.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;

use super::joining::{Edge, Joined, join};
use crate::identity::keys::KeyKind;
use crate::model::ids::{Fingerprint, LeadId, LeadNo, SubmissionNo};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::absorb::Horizon;

/// What orders submissions among possible founders of a lead: earlier run, earlier sent, smaller
/// fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundingOrder {
    run: i64,
    submitted_ms: i64,
    fingerprint: Fingerprint,
}

/// The submissions that a run accepted: 24 bytes each, in order of number.
#[derive(Debug, Default)]
pub struct Fresh {
    first: i64,
    orders: Vec<(i64, Fingerprint)>,
    /// Their numbers where they do not follow each other: when a run of earlier is decided again, and
    /// only some of its rows are at stake.
    scattered: Vec<i64>,
}

impl Fresh {
    /// Begins an empty list whose first submission will be number `first`.
    pub fn starting_at(first: i64) -> Self {
        Self { first, ..Self::default() }
    }

    /// Lists submissions of an earlier run, in order of number.
    pub fn of_earlier_run(submissions: Vec<(SubmissionNo, i64, Fingerprint)>) -> Self {
        Self {
            // Others are older for all that is known here.
            first: i64::MAX,
            scattered: submissions.iter().map(|(no, ..)| no.0).collect(),
            orders: submissions.into_iter().map(|(_, ms, print)| (ms, print)).collect(),
        }
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

    /// Returns the position of `submission` in the list, when it is there.
    pub fn position(&self, submission: SubmissionNo) -> Option<usize> {
        if !self.scattered.is_empty() {
            return self.scattered.binary_search(&submission.0).ok();
        }
        let offset = submission.0.checked_sub(self.first)?;
        (offset >= 0 && (offset as usize) < self.orders.len()).then_some(offset as usize)
    }

    /// Returns what identifies `submission`, when it is in the list.
    pub fn fingerprint(&self, submission: SubmissionNo) -> Option<Fingerprint> {
        self.position(submission).map(|at| self.orders[at].1)
    }

    /// Returns whether `submission` is in the list.
    pub fn contains(&self, submission: SubmissionNo) -> bool {
        self.position(submission).is_some()
    }

    /// Returns the submission at `position`.
    pub fn no(&self, position: usize) -> SubmissionNo {
        SubmissionNo(match self.scattered.get(position) {
            Some(no) => *no,
            None => self.first + position as i64,
        })
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
    /// Whether it had been merged into another and stands for itself again.
    pub is_back: bool,
    /// Whether nobody joined or left it: its touches may be others, or it waits for an owner.
    pub keeps_members: bool,
    /// All members, in order of number.
    pub members: Vec<SubmissionNo>,
    /// Leads of earlier runs that it takes in.
    pub absorbs: Vec<LeadNo>,
    /// Leads that had been merged into one that came apart, and whose founders are among the members.
    pub inherits: Vec<LeadNo>,
}

impl LeadPlan {
    /// Returns how the lead `no`, whose rows stay together, is decided about anew.
    pub(super) fn as_it_stands(
        store: &Store,
        no: LeadNo,
        id: LeadId,
        founder: SubmissionNo,
    ) -> Result<Self> {
        Ok(Self {
            no,
            id,
            founder,
            is_new: false,
            is_back: false,
            keeps_members: true,
            members: store.member_numbers(no)?,
            absorbs: Vec::new(),
            inherits: Vec::new(),
        })
    }
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
    /// Pairs of leads that are alike, but not enough to be joined.
    pub to_review: u64,
}

impl Absorbed {
    /// Adds leads of earlier runs as they stand, in the place where their turn is; those that are there already
    /// are left out. Who is in which lead must be written by then.
    pub fn add_standing(&mut self, store: &Store, mut leads: BTreeSet<LeadNo>) -> Result<()> {
        for plan in &self.leads {
            leads.remove(&plan.no);
        }
        if leads.is_empty() {
            return Ok(());
        }
        for no in leads {
            let founder = store.founder(no)?;
            let id = LeadId::of_founder(store.fingerprint_of_row(founder)?);
            self.leads.push(LeadPlan::as_it_stands(store, no, id, founder)?);
        }
        // A stable sort: founded leads stay behind those of earlier runs, in their own order.
        self.leads.sort_by_key(|plan| {
            let is_founded = plan.is_new || plan.is_back;
            (is_founded, if is_founded { 0 } else { plan.no.0 })
        });
        Ok(())
    }
}

/// Clusters the `fresh` submissions of `run` with whatever they touch, as far as `horizon` lets see.
pub fn absorb(
    store: &Store,
    rules: &RuleSet,
    run: i64,
    fresh: &Fresh,
    seeds: &[SubmissionNo],
    horizon: Horizon,
) -> Result<Absorbed> {
    let joined = join(store, rules, fresh, seeds, horizon)?;
    if joined.components.is_empty() {
        return Ok(Absorbed::default());
    }
    let mut known = Known::read(store, &joined)?;
    known.find_torn(&joined.components);
    // Only a lead that was there before can have a number already.
    let may_return = horizon != Horizon::Now || store.has_withdrawn()?;
    let (mut leads, mut founded) = (Vec::new(), Vec::new());
    for members in joined.components {
        let order_of = |member: &SubmissionNo| match fresh.position(*member) {
            Some(at) => {
                let (submitted_ms, fingerprint) = fresh.orders[at];
                FoundingOrder { run, submitted_ms, fingerprint }
            }
            None => known.orders[member],
        };
        let founder = *members.iter().min_by_key(|member| order_of(member)).unwrap_or(&members[0]);
        let order = order_of(&founder);
        let mut plan = LeadPlan {
            no: LeadNo(0),
            id: LeadId::of_founder(order.fingerprint),
            founder,
            is_new: true,
            is_back: false,
            keeps_members: false,
            absorbs: members
                .iter()
                .filter(|member| **member != founder)
                .filter_map(|member| known.lead_of_founder.get(member).copied())
                .collect(),
            inherits: Vec::new(),
            members,
        };
        plan.inherits = known.merged_before(store, &plan)?;
        if let Some(lead) = known.lead_of_founder.get(&founder) {
            (plan.no, plan.is_new) = (*lead, false);
            leads.push(plan);
            continue;
        }
        if (may_return || !fresh.contains(founder))
            && let Some((number, is_there)) = store.number_of(plan.id)?
        {
            plan.no = number;
            (plan.is_new, plan.is_back) = (!is_there, is_there);
        }
        founded.push((order, plan));
    }
    leads.sort_by_key(|plan| plan.no);
    founded.sort_by_key(|(order, _)| *order);
    let mut next = store.next_lead_no()?;
    for (_, mut plan) in founded {
        if plan.no.0 == 0 {
            plan.no = LeadNo(next);
            next += 1;
        }
        leads.push(plan);
    }
    let links = links(&leads, &joined.edges);
    Ok(Absorbed { leads, links, flipped_keys: joined.flipped_keys, to_review: joined.to_review })
}

/// What the store knows of the submissions that were in leads before.
#[derive(Default)]
struct Known {
    orders: HashMap<SubmissionNo, FoundingOrder>,
    lead_of_founder: HashMap<SubmissionNo, LeadNo>,
    lead_of_member: HashMap<SubmissionNo, LeadNo>,
    /// Leads whose members are not all in one lead any more.
    torn: BTreeSet<LeadNo>,
}

impl Known {
    fn read(store: &Store, joined: &Joined) -> Result<Self> {
        let mut known = Self::default();
        for lead in &joined.touched {
            known.lead_of_founder.insert(store.founder(*lead)?, *lead);
            for member in store.members(*lead)? {
                let order = FoundingOrder {
                    run: member.run,
                    submitted_ms: member.submitted_ms,
                    fingerprint: member.fingerprint,
                };
                known.orders.insert(member.no, order);
                known.lead_of_member.insert(member.no, *lead);
            }
        }
        Ok(known)
    }

    fn find_torn(&mut self, components: &[Vec<SubmissionNo>]) {
        let mut component_of: HashMap<LeadNo, usize> = HashMap::new();
        for (at, members) in components.iter().enumerate() {
            for lead in members.iter().filter_map(|member| self.lead_of_member.get(member)) {
                if *component_of.entry(*lead).or_insert(at) != at {
                    self.torn.insert(*lead);
                }
            }
        }
    }

    /// Returns the leads that members of `plan` had founded and that were merged, where what they were merged
    /// into came apart: they go where their founders go.
    fn merged_before(&self, store: &Store, plan: &LeadPlan) -> Result<Vec<LeadNo>> {
        let mut merged = Vec::new();
        for member in plan.members.iter().filter(|member| **member != plan.founder) {
            let came_apart =
                self.lead_of_member.get(member).is_some_and(|lead| self.torn.contains(lead));
            if !came_apart || self.lead_of_founder.contains_key(member) {
                continue;
            }
            let id = LeadId::of_founder(self.orders[member].fingerprint);
            merged.extend(store.number_of(id)?.filter(|(_, is_there)| *is_there).map(|(no, _)| no));
        }
        Ok(merged)
    }
}

/// Turns the spanning tree of each lead so that it hangs from the founder: every other member is then
/// joined by exactly one key to exactly one member, and that is what `duplicates.csv` lists.
fn links(leads: &[LeadPlan], edges: &[Edge]) -> Links {
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
