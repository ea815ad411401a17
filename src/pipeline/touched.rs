//! Whose touches are whose, and which leads new ones concern.
//!
//! A touch carries identities; a lead has those of its rows. The strongest identity of a touch that is some
//! lead's own decides: a lead id, a record id, a user id, an e-mail address, a phone number, and last an anonymous
//! id. An identity that several leads hold is nobody's own (a switchboard, `biuro@`), and the next weaker one is
//! asked. Ids of users and browsers are also known by what they were seen with: an anonymous id that ever
//! came together with an address is that of whoever has the address, and so is all that was done under it before.
//! A browser of several leads is theirs as long as no two of their names contradict each other.
//!
//! All of it is a function of what was received, so it does not matter whether a touch or its lead came first.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use anyhow::Result;

use super::absorb::Absorbed;
use super::evaluate::Deciding;
use crate::identity::guard::{Guard, holder};
use crate::identity::keys::{identities, identity_hash};
use crate::model::ids::{KeyHash, LeadNo, RunNo, SubmissionNo};
use crate::model::touch::{Identity, IdentityKind, Touch};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::touches::KeptTouch;

/// What the ids of sources begin with that hold rows of any system.
const GENERIC: &str = "generic-";

/// Follows identities through the touches that they stand in together, each only once.
pub struct Reach<'a> {
    store: &'a Store,
    /// The last run whose touches are seen.
    run: RunNo,
    met: HashSet<KeyHash>,
}

impl<'a> Reach<'a> {
    /// Begins with no identity met; touches that runs after `run` received are not looked at.
    pub fn new(store: &'a Store, run: RunNo) -> Self {
        Self { store, run, met: HashSet::new() }
    }

    /// Hands the submissions that hold `identity`, or any that it leads to, to `visit`.
    pub fn follow(
        &mut self,
        identity: Identity,
        mut visit: impl FnMut(SubmissionNo) -> Result<()>,
    ) -> Result<()> {
        let mut waiting = vec![identity];
        while let Some(identity) = waiting.pop() {
            let key = identity_hash(&identity);
            if self.met.contains(&key) || !self.store.has_touch(key, self.run)? {
                continue;
            }
            self.met.insert(key);
            for submission in self.store.submissions_with(&identity)? {
                visit(submission)?;
            }
            let met = &self.met;
            self.store.each_identity_beside(key, self.run, |other| {
                if !met.contains(&identity_hash(&other)) {
                    waiting.push(other);
                }
            })?;
        }
        Ok(())
    }

    /// Returns the keys under which touches were met, in order.
    pub fn into_keys(self) -> Vec<KeyHash> {
        let keys: BTreeSet<KeyHash> = self.met.into_iter().collect();
        keys.into_iter().collect()
    }
}

/// Returns the identities of `submission`.
pub fn identities_of(
    store: &Store,
    rules: &RuleSet,
    submission: SubmissionNo,
) -> Result<Vec<Identity>> {
    let values = store.submission_values(submission, &rules.fields)?;
    Ok(identities(&values, store.fingerprint_of_row(submission)?))
}

/// Adds the leads to `absorbed` whose touches may be others since this run, in the place where their turn is.
///
/// Those are the leads that the run's touches lead to, and those that its leads share touches with: one that gains
/// an identity may take touches from another. Who is in which lead must be written by then.
pub fn add_touched(deciding: Deciding<'_>, absorbed: &mut Absorbed) -> Result<()> {
    let Deciding { store, rules, run, is_replay, .. } = deciding;
    let mut reach = Reach::new(store, run);
    let mut leads = BTreeSet::new();
    let mut note = |submission| -> Result<()> {
        leads.extend(store.lead_of(submission)?);
        Ok(())
    };
    for member in absorbed.leads.iter().flat_map(|plan| &plan.members) {
        for identity in identities_of(store, rules, *member)? {
            reach.follow(identity, &mut note)?;
        }
    }
    store.each_identity_received(run, is_replay, |identity| reach.follow(identity, &mut note))?;
    absorbed.add_standing(store, leads)
}

/// A touch of a lead, and how it is joined to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedTouch {
    /// Its number.
    pub no: i64,
    /// What it is.
    pub touch: Touch,
    /// The identity that decided.
    pub by: Identity,
    /// The lead's own identity that `by` was seen with, when `by` is none of its own.
    pub seen_with: Option<Identity>,
}

/// Finds the touches of leads, and remembers what it read: for as many leads as may be held in memory.
pub struct TouchBook<'a> {
    store: &'a Store,
    rules: &'a RuleSet,
    run: RunNo,
    guard: Guard<'a>,
    under: HashMap<KeyHash, Rc<[KeptTouch]>>,
    owners: HashMap<(KeyHash, Option<String>), Rc<[LeadNo]>>,
}

impl<'a> TouchBook<'a> {
    /// Opens the book as it was at the end of `run`.
    pub fn new(store: &'a Store, rules: &'a RuleSet, run: RunNo) -> Self {
        Self {
            store,
            rules,
            run,
            guard: Guard::new(&rules.identity),
            under: HashMap::new(),
            owners: HashMap::new(),
        }
    }

    /// Returns the touches of `lead`, whose rows have the identities `own`, the oldest first and each once.
    pub fn touches_of(&mut self, lead: LeadNo, own: &[Identity]) -> Result<Vec<JoinedTouch>> {
        let mut waiting = own.to_vec();
        let mut asked = HashSet::new();
        let mut found = BTreeMap::new();
        while let Some(identity) = waiting.pop() {
            let key = identity_hash(&identity);
            if !asked.insert(key) {
                continue;
            }
            // Before anything is read: a junk id may stand in half of all touches.
            let may_be_own = identity.kind == IdentityKind::External
                || self.owners(&identity, "")?.contains(&lead);
            if !may_be_own {
                continue;
            }
            for kept in self.under(key)?.iter() {
                if found.contains_key(&kept.no) {
                    continue;
                }
                let Some(by) = self.decided_by(kept, lead)? else { continue };
                let others = kept.touch.identities.iter().filter(|one| is_followed(one.kind));
                waiting.extend(others.cloned());
                found.insert(kept.no, (kept.touch.clone(), by));
            }
        }
        let seen_with = seen_with(own, found.values().map(|(touch, _)| touch));
        let mut touches: Vec<JoinedTouch> = found
            .into_iter()
            .map(|(no, (touch, by))| {
                let seen_with = seen_with.get(&identity_hash(&by)).cloned();
                JoinedTouch { no, touch, by, seen_with }
            })
            .collect();
        // The number last: it hangs on the order of rows.
        touches.sort_by(|a, b| in_order(a).cmp(&in_order(b)));
        Ok(touches)
    }

    fn under(&mut self, key: KeyHash) -> Result<Rc<[KeptTouch]>> {
        if let Some(known) = self.under.get(&key) {
            return Ok(known.clone());
        }
        let touches: Rc<[KeptTouch]> = self.store.touches_under(key, self.run)?.into();
        self.under.insert(key, touches.clone());
        Ok(touches)
    }

    /// Returns the identity by which `kept` is a touch of `lead`, if it is one.
    fn decided_by(&mut self, kept: &KeptTouch, lead: LeadNo) -> Result<Option<Identity>> {
        let decided = self.leads_of(kept)?;
        Ok(decided.filter(|(_, leads)| leads.contains(&lead)).map(|(identity, _)| identity))
    }

    /// Returns whose touch `kept` is, in order, and the identity that decided; none when it is nobody's.
    pub fn leads_of(&mut self, kept: &KeptTouch) -> Result<Option<(Identity, Rc<[LeadNo]>)>> {
        for identity in &kept.touch.identities {
            let owners = self.owners(identity, &kept.source)?;
            if !owners.is_empty() {
                return Ok(Some((identity.clone(), owners)));
            }
        }
        Ok(None)
    }

    /// Returns the leads whose own `identity` is, in order; `source` is the preset of the touch that has it.
    fn owners(&mut self, identity: &Identity, source: &str) -> Result<Rc<[LeadNo]>> {
        // Every CRM counts its records by itself.
        let system = |source: &str| self.rules.sources.system_of(source).to_owned();
        let scope = (identity.kind == IdentityKind::External).then(|| system(source));
        let entry = (identity_hash(identity), scope);
        if let Some(known) = self.owners.get(&entry) {
            return Ok(known.clone());
        }
        let holders = self.store.holders(identity)?;
        let mut leads: BTreeSet<LeadNo> = holders
            .into_iter()
            .filter(|holder| {
                let is_any = |source: &str| source.starts_with(GENERIC);
                let Some(scope) = &entry.1 else { return true };
                system(&holder.source) == *scope || is_any(&holder.source) || is_any(scope)
            })
            .map(|holder| holder.lead)
            .collect();
        match identity.kind {
            IdentityKind::User if leads.is_empty() => {
                leads = self.owners_beside(identity, entry.0)?;
            }
            IdentityKind::Visitor | IdentityKind::Kept => {
                leads.extend(self.owners_beside(identity, entry.0)?);
            }
            _ => {}
        }
        let is_browser = matches!(identity.kind, IdentityKind::Visitor | IdentityKind::Kept);
        let is_own = leads.len() < 2 || (is_browser && self.is_one_persons(&leads)?);
        let owners: Rc<[LeadNo]> = if is_own { leads.into_iter().collect() } else { Rc::from([]) };
        self.owners.insert(entry, owners.clone());
        Ok(owners)
    }

    /// Returns the leads that own the identities which `identity` was seen with, and which are somebody's by
    /// themselves: a browser is also its user's, a user is never known by the browser.
    fn owners_beside(&mut self, identity: &Identity, key: KeyHash) -> Result<BTreeSet<LeadNo>> {
        let mut leads = BTreeSet::new();
        for kept in self.under(key)?.iter() {
            let by_itself = |kind| match kind {
                IdentityKind::User => identity.kind != IdentityKind::User,
                kind => !matches!(kind, IdentityKind::Visitor | IdentityKind::Kept),
            };
            let others = kept.touch.identities.iter().filter(|one| by_itself(one.kind));
            for other in others {
                let owners = self.owners(other, &kept.source)?;
                if !owners.is_empty() {
                    leads.extend(owners.iter());
                    break;
                }
            }
        }
        Ok(leads)
    }

    fn is_one_persons(&self, leads: &BTreeSet<LeadNo>) -> Result<bool> {
        let mut names = Vec::new();
        for lead in leads {
            for member in self.store.members(*lead)? {
                names.push(holder(&self.store.submission_values(member.no, &self.rules.fields)?));
            }
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Ok(self.guard.is_one_persons(&names))
    }
}

fn in_order(one: &JoinedTouch) -> (i64, &str, &str, i64) {
    (one.touch.at_ms, &one.touch.kind, &one.touch.detail, one.no)
}

/// Returns whether identities of this kind are also known by what they were seen with.
fn is_followed(kind: IdentityKind) -> bool {
    matches!(kind, IdentityKind::User | IdentityKind::Visitor)
}

/// Returns, for each user id and anonymous id that is none of the lead's `own`, what makes it the lead's: an
/// identity of its own in one of its `touches`, else the strongest that leads to one.
fn seen_with<'t>(
    own: &[Identity],
    touches: impl Iterator<Item = &'t Touch>,
) -> HashMap<KeyHash, Identity> {
    let own: HashSet<KeyHash> = own.iter().map(identity_hash).collect();
    let mut best: HashMap<KeyHash, (bool, Identity)> = HashMap::new();
    for touch in touches {
        let keyed: Vec<(KeyHash, &Identity)> =
            touch.identities.iter().map(|one| (identity_hash(one), one)).collect();
        let foreign = keyed.iter().filter(|(key, one)| is_followed(one.kind) && !own.contains(key));
        for (key, identity) in foreign {
            let ranked = keyed.iter().filter_map(|(other_key, other)| {
                let is_own = own.contains(other_key);
                let counts = other_key != key && (is_own || other.kind < identity.kind);
                counts.then(|| (!is_own, (*other).clone()))
            });
            // The smallest of all, whatever order the touches came in.
            let candidate = ranked.min().into_iter().chain(best.remove(key)).min();
            best.extend(candidate.map(|candidate| (*key, candidate)));
        }
    }
    best.into_iter().map(|(key, (_, identity))| (key, identity)).collect()
}
