//! The accounts of a store: which leads are of one company. Computed when somebody asks, kept nowhere.
//!
//! One pass over the leads keeps hashes of their keys and the different names of companies; what is shown of an
//! account is read when it is shown.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use anyhow::Result;
use rayon::prelude::*;

use crate::identity::accounts::keys::{
    CompanyKeyKind, CompanyKeys, KeyKinds, company_keys, own_domains, tells_of_company,
};
use crate::identity::accounts::{AccountBook, Accounts, Position};
use crate::identity::keys::Keyring;
use crate::model::decision::Segment;
use crate::model::field::{self, FieldValues};
use crate::model::ids::{AccountId, LeadId, LeadNo};
use crate::model::lead::display_name;
use crate::model::moment::utc_from_ms;
use crate::report::accounts::{AccountFigures, AccountMember};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::accounts::{AccountLead, CompanyGlance, Said};
use crate::store::codec::decode_some;
use crate::store::identifying::IdentifyingColumns;

/// All leads of a store, linked into accounts.
pub struct StoreAccounts<'a> {
    store: &'a Store,
    rules: &'a RuleSet,
    keyring: Keyring,
    accounts: Accounts,
    /// See [`Self::largest`]; who asks about one lead needs no order.
    largest: OnceCell<Vec<Vec<Position>>>,
    /// Number and latest submission of each lead.
    leads: Vec<(LeadNo, i64)>,
}

/// The company of one lead and the other leads of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Company {
    /// The account, where there are other leads in it.
    pub account: Option<AccountFigures>,
    /// Some of the other leads, in founding order.
    pub others: Vec<Colleague>,
    /// Keys that others hold, too, but that link nobody, because those are of several companies.
    pub refused: Vec<String>,
}

/// Another lead of a lead's company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Colleague {
    /// Its id.
    pub id: LeadId,
    /// What to call it.
    pub name: String,
    /// Owner, or the queue in brackets.
    pub with: String,
    /// The key that both have, or how it is linked through others.
    pub linked_by: String,
}

impl<'a> StoreAccounts<'a> {
    /// Links the leads of `store`.
    pub fn new(store: &'a Store, rules: &'a RuleSet) -> Result<Self> {
        let keyring = Keyring::new(&rules.tables);
        let mut book = AccountBook::default();
        let mut leads = Vec::new();
        let asked = IdentifyingColumns::new(&rules.fields, tells_of_company);
        store.each_company_glance(&asked, |glances| {
            for keys in keys_of_each(glances, rules, &keyring)? {
                book.add(&keys);
            }
            leads.extend(glances.iter().map(|lead| (lead.no, lead.last_ms)));
            Ok(())
        })?;
        let (accounts, largest) = (book.close(), OnceCell::new());
        Ok(Self { store, rules, keyring, accounts, largest, leads })
    }

    /// Returns the accounts of two leads or more: those with the most leads first, of equals the one last heard of.
    fn largest(&self) -> &[Vec<Position>] {
        let latest = |members: &[Position]| {
            members.iter().map(|one| self.leads[*one as usize].1).max().unwrap_or_default()
        };
        self.largest.get_or_init(|| {
            let mut accounts = self.accounts.of_several();
            accounts.sort_by_cached_key(|members| {
                (Reverse((members.len(), latest(members))), members[0])
            });
            accounts
        })
    }

    fn largest_of(&self, limit: Option<usize>) -> impl Iterator<Item = &Vec<Position>> {
        self.largest().iter().take(limit.unwrap_or(usize::MAX))
    }

    /// Returns how many accounts of two leads or more there are.
    pub fn count(&self) -> usize {
        self.largest().len()
    }

    /// Returns the figures of the accounts of two leads or more, at most `limit`, the largest first.
    pub fn figures(&self, limit: Option<usize>) -> Result<Vec<AccountFigures>> {
        self.largest_of(limit).map(|members| self.figures_of(members)).collect()
    }

    /// Returns the leads of these accounts, account by account.
    pub fn members(&self, limit: Option<usize>) -> Result<Vec<AccountMember>> {
        let mut found = Vec::new();
        for members in self.largest_of(limit) {
            let account = AccountId::of_oldest(self.lead(members[0])?.id).to_string();
            for &member in members {
                let lead = self.lead(member)?;
                found.push(AccountMember {
                    account: account.clone(),
                    lead: lead.id.to_string(),
                    name: display_name(&lead.values),
                    company: lead.values.get(field::COMPANY).unwrap_or_default().to_owned(),
                    with: with(&lead),
                    linked_by: self.accounts.linked(member).words(),
                });
            }
        }
        Ok(found)
    }

    /// Returns the company of `lead`, with at most `others_max` of the other leads.
    pub fn company_of(&self, lead: LeadNo, others_max: usize) -> Result<Company> {
        let Ok(position) = self.leads.binary_search_by_key(&lead, |(no, _)| *no) else {
            return Ok(Company::default());
        };
        let position = position as Position;
        let keys = self.keys(&self.lead(position)?);
        let members = self.accounts.members(position);
        let mut company = Company { refused: self.refused(position, &keys), ..Company::default() };
        if members.len() < 2 {
            return Ok(company);
        }
        company.account = Some(self.figures_of(&members)?);
        for member in members.into_iter().filter(|one| *one != position).take(others_max) {
            let other = self.lead(member)?;
            company.others.push(Colleague {
                id: other.id,
                name: display_name(&other.values),
                with: with(&other),
                linked_by: self.link(position, &keys, member, &self.keys(&other)),
            });
        }
        Ok(company)
    }

    fn lead(&self, position: Position) -> Result<AccountLead> {
        self.store.account_lead(self.leads[position as usize].0, &self.rules.fields)
    }

    fn keys(&self, lead: &AccountLead) -> CompanyKeys {
        company_keys(&lead.values, self.keyring.lists(), &self.rules.tables)
    }

    /// Says how two leads of one account hang together: by a key that linked both, or through others.
    fn link(&self, a: Position, a_keys: &CompanyKeys, b: Position, b_keys: &CompanyKeys) -> String {
        let linked: KeyKinds = self.accounts.linked(a).and(self.accounts.linked(b));
        if let Some(key) = a_keys.shared(b_keys, linked) {
            return match key.kind {
                // Its value is how a name sounds, and nothing for people.
                CompanyKeyKind::SimilarName => key.kind.words().to_owned(),
                kind => format!("{} {}", kind.words(), key.value),
            };
        }
        let through = self.accounts.linked(b).iter().next().map_or("", CompanyKeyKind::words);
        format!("through others, by {through}")
    }

    fn refused(&self, position: Position, keys: &CompanyKeys) -> Vec<String> {
        let refused = self.accounts.refused(position);
        keys.keys
            .iter()
            .filter(|key| refused.contains(key.kind) && key.kind != CompanyKeyKind::SimilarName)
            .map(|key| format!("{} {}", key.kind.words(), key.value))
            .collect()
    }

    fn figures_of(&self, members: &[Position]) -> Result<AccountFigures> {
        let [mut domains, mut nips, mut owners, mut queues] =
            std::array::from_fn(|_| Tally::default());
        let mut names = Names::default();
        let mut segments = [0; Segment::ALL.len()];
        let mut linked = KeyKinds::default();
        let mut latest_ms = i64::MIN;
        let mut account = AccountFigures { leads: members.len(), ..AccountFigures::default() };
        for member in members {
            let lead = self.lead(*member)?;
            if account.id.is_empty() {
                account.id = AccountId::of_oldest(lead.id).to_string();
            }
            if let Some(spelling) = lead.values.get(field::COMPANY) {
                names.add(&self.keys(&lead).name.unwrap_or_default(), spelling);
            }
            nips.extend(lead.values.get(field::NIP));
            domains
                .extend(own_domains(&lead.values, &self.rules.tables).iter().map(String::as_str));
            match &lead.owner {
                Some(owner) => owners.add(owner),
                None => queues.add(&lead.queue),
            }
            let at = Segment::ALL.iter().position(|(_, segment)| *segment == lead.segment);
            segments[at.unwrap_or(0)] += 1;
            linked = linked.or(self.accounts.linked(*member));
            latest_ms = latest_ms.max(lead.last_ms);
        }
        account.segments = Segment::ALL
            .iter()
            .map(|(word, _)| *word)
            .zip(segments)
            .filter(|(_, n)| *n > 0)
            .collect();
        account.name = names.usual();
        account.domains = domains.ranked().into_iter().map(|(domain, _)| domain).collect();
        account.nips = nips.ranked().into_iter().map(|(nip, _)| nip).collect();
        (account.owners, account.queues) = (owners.ranked(), queues.ranked());
        account.linked_by = linked.words();
        let latest = utc_from_ms(latest_ms).with_timezone(&self.rules.workspace.zone);
        account.latest = latest.format("%Y-%m-%d %H:%M").to_string();
        Ok(account)
    }
}

/// Returns what each lead says of its company; on all threads.
pub(super) fn keys_of_each(
    leads: &[CompanyGlance],
    rules: &RuleSet,
    keyring: &Keyring,
) -> Result<Vec<CompanyKeys>> {
    let keys_of = |values: &FieldValues| company_keys(values, keyring.lists(), &rules.tables);
    let keys = leads.par_iter().map(|lead| match &lead.said {
        Said::Values(values) => Ok(keys_of(values)),
        Said::Fields(fields) => Ok(keys_of(&decode_some(fields, &rules.fields, tells_of_company)?)),
    });
    keys.collect()
}

/// Who has a lead: the owner, or the queue in brackets.
fn with(lead: &AccountLead) -> String {
    lead.owner.clone().unwrap_or_else(|| format!("({})", lead.queue))
}

/// The names that the leads of an account give their company, in the order in which they were met.
#[derive(Default)]
struct Names(Vec<Name>);

/// A name as folded, and its spellings with how often each was met.
struct Name {
    bare: String,
    spellings: Vec<(String, usize)>,
}

impl Names {
    /// Counts a `spelling` of the name that is `bare` when folded; an empty one says nothing of the company.
    fn add(&mut self, bare: &str, spelling: &str) {
        let at = self.0.iter().position(|name| name.bare == bare).unwrap_or_else(|| {
            self.0.push(Name { bare: bare.to_owned(), spellings: Vec::new() });
            self.0.len() - 1
        });
        let spellings = &mut self.0[at].spellings;
        match spellings.iter_mut().find(|(known, _)| known == spelling) {
            Some((_, count)) => *count += 1,
            None => spellings.push((spelling.to_owned(), 1)),
        }
    }

    /// Returns the usual spelling of the usual name; of equals the one of the older lead.
    fn usual(self) -> String {
        let total = |name: &Name| name.spellings.iter().map(|(_, count)| count).sum::<usize>();
        // `max_by_key` takes the last of equals, so the oldest comes last.
        let names = self.0.into_iter().rev();
        let usual = names.max_by_key(|name| (!name.bare.is_empty(), total(name)));
        let spellings = usual.map(|name| name.spellings).unwrap_or_default().into_iter().rev();
        spellings.max_by_key(|(_, count)| *count).map(|(name, _)| name).unwrap_or_default()
    }
}

/// Counts texts.
#[derive(Default)]
struct Tally(BTreeMap<String, usize>);

impl Tally {
    fn add(&mut self, text: &str) {
        match self.0.get_mut(text) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(text.to_owned(), 1)),
        }
    }

    fn extend<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) {
        for text in texts {
            self.add(text);
        }
    }

    /// Returns each text with its count, the most frequent first; of equals the smaller one.
    fn ranked(self) -> Vec<(String, usize)> {
        let mut ranked: Vec<(String, usize)> = self.0.into_iter().collect();
        ranked.sort_by_key(|(_, count)| Reverse(*count));
        ranked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_name_in_its_usual_spelling_is_shown_of_equals_the_older() {
        #[track_caller]
        fn check(names: &[(&str, &str)], expected: &str) {
            let mut known = Names::default();
            for (bare, spelling) in names {
                known.add(bare, spelling);
            }
            assert_eq!(known.usual(), expected, "{names:?}");
        }
        check(&[], "");
        check(&[("beta", "Beta"), ("alfa", "Alfa")], "Beta");
        check(&[("alfa", "Alfa"), ("beta", "Beta")], "Alfa");
        check(&[("beta", "Beta"), ("alfa", "ALFA"), ("alfa", "Alfa")], "ALFA");
        check(&[("alfa", "ALFA"), ("alfa", "Alfa"), ("alfa", "Alfa")], "Alfa");
        check(&[("", "Firma"), ("", "Firma"), ("beta", "Beta")], "Beta");
        check(&[("", "Firma")], "Firma");
    }
}
