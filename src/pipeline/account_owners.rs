//! Who has other leads of a lead's company, by the keys that alone tell which company it is.
//!
//! The accounts of a store take a pass over all leads and hang on every one of them, so a run that brings three leads
//! does not form them. It asks the leads that share a number or a domain of the company's own with the one at hand,
//! at most [`ASKED_MAX`], and links these as accounts are linked: a key of several companies links only who names the
//! same one. Weaker keys, such as a name and a town, give nobody a lead.

use std::collections::{BTreeSet, HashMap, VecDeque};

use anyhow::Result;

use super::accounts::keys_of_each;
use super::candidate::Candidate;
use super::evaluate::{Deciding, LEADS_PER_CHUNK};
use crate::identity::accounts::AccountBook;
use crate::identity::accounts::keys::{
    CompanyKey, CompanyKeyKind, CompanyKeys, company_keys, tells_of_company,
};
use crate::identity::keys::Keyring;
use crate::model::ids::LeadNo;
use crate::routing::AccountClaim;
use crate::store::identifying::IdentifyingColumns;

/// Leads of one company that are asked about, the latest first.
const ASKED_MAX: usize = 32;

/// The leads that somebody has, by what tells their company.
pub(super) struct AccountOwners<'a> {
    deciding: Deciding<'a>,
    keyring: Keyring,
    /// Leads by key; built when it is asked for first.
    holders: Option<HashMap<CompanyKey, BTreeSet<LeadNo>>>,
    /// Leads dealt of late, which may not be written yet: what they say of their company, and who has them.
    dealt: HashMap<LeadNo, (CompanyKeys, Option<String>)>,
    dealt_in_order: VecDeque<LeadNo>,
    /// Owners, by position, of those dealt before: a simulation does not write them.
    owners: HashMap<LeadNo, Option<usize>>,
}

impl<'a> AccountOwners<'a> {
    /// Begins with nothing read.
    pub(super) fn new(deciding: Deciding<'a>) -> Self {
        Self {
            deciding,
            keyring: Keyring::new(&deciding.rules.tables),
            holders: None,
            dealt: HashMap::new(),
            dealt_in_order: VecDeque::new(),
            owners: HashMap::new(),
        }
    }

    /// Returns the active owner who has most of the leads of its company, of equals the one who has the latest.
    pub(super) fn claim(
        &mut self,
        lead: LeadNo,
        candidate: &Candidate,
    ) -> Result<Option<AccountClaim>> {
        let own = self.keys_of(candidate);
        let holders = match self.holders.take() {
            Some(holders) => holders,
            None => self.read()?,
        };
        let mut sharing = BTreeSet::new();
        for held in
            own.keys.iter().filter(|key| tells_company(key)).filter_map(|key| holders.get(key))
        {
            sharing.extend(held.iter().rev().filter(|no| **no != lead).take(ASKED_MAX));
        }
        self.holders = Some(holders);
        let mut asked: Vec<(LeadNo, CompanyKeys, Option<String>)> = Vec::new();
        for no in sharing.into_iter().rev().take(ASKED_MAX) {
            asked.extend(self.known(no)?.map(|(keys, owner)| (no, keys, owner)));
        }
        if asked.is_empty() {
            return Ok(None);
        }
        asked.push((lead, own, None));
        asked.sort_by_key(|(no, ..)| *no);
        Ok(self.of_one_company(lead, &asked))
    }

    fn of_one_company(
        &self,
        lead: LeadNo,
        asked: &[(LeadNo, CompanyKeys, Option<String>)],
    ) -> Option<AccountClaim> {
        let mut book = AccountBook::default();
        for (_, keys, _) in asked {
            book.add(keys);
        }
        let at = asked.iter().position(|(no, ..)| *no == lead)?;
        let accounts = book.close();
        let linked = accounts.linked(at as u32);
        let mut had: Vec<(&str, usize, LeadNo, &CompanyKey)> = Vec::new();
        for other in accounts.members(at as u32) {
            let (no, keys, owner) = &asked[other as usize];
            let active =
                |id: &&str| self.deciding.rules.routing.owner(id).is_some_and(|one| one.active);
            let Some(owner) = owner.as_deref().filter(active) else { continue };
            let Some(key) = asked[at].1.shared(keys, linked).filter(|key| tells_company(key))
            else {
                continue;
            };
            match had.iter_mut().find(|(known, ..)| *known == owner) {
                Some(one) => (one.1, one.2, one.3) = (one.1 + 1, *no, key),
                None => had.push((owner, 1, *no, key)),
            }
        }
        let (owner, _, _, key) =
            had.into_iter().max_by_key(|(_, leads, latest, _)| (*leads, *latest))?;
        let at = match key.kind {
            CompanyKeyKind::Domain => key.value.clone(),
            kind => format!("{} {}", kind.words(), key.value),
        };
        Some(AccountClaim { owner: owner.to_owned(), at })
    }

    /// Notes who has a lead now; it need not be written yet.
    pub(super) fn note(&mut self, lead: LeadNo, candidate: &Candidate, owner: Option<&str>) {
        let keys = self.keys_of(candidate);
        if let Some(holders) = self.holders.as_mut().filter(|_| owner.is_some()) {
            hold(holders, lead, &keys);
        }
        if self.dealt.insert(lead, (keys, owner.map(str::to_owned))).is_none() {
            self.dealt_in_order.push_back(lead);
        }
        // Leads are written chunk by chunk.
        while self.dealt_in_order.len() > 2 * LEADS_PER_CHUNK {
            if let Some(written) = self.dealt_in_order.pop_front()
                && let Some((_, owner)) = self.dealt.remove(&written)
            {
                let policy = &self.deciding.rules.routing;
                let position = |id: String| policy.owners.iter().position(|one| one.id == id);
                self.owners.insert(written, owner.and_then(position));
            }
        }
    }

    fn keys_of(&self, candidate: &Candidate) -> CompanyKeys {
        let values = &candidate.lead.golden.values;
        company_keys(values, self.keyring.lists(), &self.deciding.rules.tables)
    }

    /// What a lead says of its company, and who has it; nothing of one that was merged meanwhile.
    fn known(&self, lead: LeadNo) -> Result<Option<(CompanyKeys, Option<String>)>> {
        if let Some(known) = self.dealt.get(&lead) {
            return Ok(Some(known.clone()));
        }
        let Deciding { store, rules, .. } = self.deciding;
        let found = store.account_lead_if_there(lead, &rules.fields)?;
        Ok(found.map(|lead| {
            let owner = match self.owners.get(&lead.no) {
                Some(position) => position.map(|at| rules.routing.owners[at].id.clone()),
                None => lead.owner,
            };
            (company_keys(&lead.values, self.keyring.lists(), &rules.tables), owner)
        }))
    }

    fn read(&self) -> Result<HashMap<CompanyKey, BTreeSet<LeadNo>>> {
        let Deciding { store, rules, .. } = self.deciding;
        let mut holders = HashMap::new();
        let asked = IdentifyingColumns::new(&rules.fields, tells_of_company);
        store.each_company_glance(&asked, |glances| {
            let keys = keys_of_each(glances, rules, &self.keyring)?;
            for (lead, keys) in glances.iter().zip(&keys).filter(|(lead, _)| lead.is_owned) {
                hold(&mut holders, lead.no, keys);
            }
            Ok(())
        })?;
        for (lead, (keys, _)) in
            self.dealt_in_order.iter().filter_map(|no| Some((no, self.dealt.get(no)?)))
        {
            hold(&mut holders, *lead, keys);
        }
        Ok(holders)
    }
}

/// Whether a key alone tells which company a lead is of.
fn tells_company(key: &CompanyKey) -> bool {
    key.kind <= CompanyKeyKind::Domain
}

fn hold(holders: &mut HashMap<CompanyKey, BTreeSet<LeadNo>>, lead: LeadNo, keys: &CompanyKeys) {
    for key in keys.keys.iter().filter(|key| tells_company(key)) {
        holders.entry(key.clone()).or_default().insert(lead);
    }
}
