//! Accounts: the leads of one company, linked for routing and reports and never merged.
//!
//! Leads are linked through the keys of their company ([`keys`]), the strongest kind first. A key links whoever
//! holds it unless its holders are clearly of several companies; then it links only those who agree otherwise,
//! too. Everything is a function of the set of leads: each kind of key sees what the stronger kinds came to, and
//! nothing of what other keys of its own kind do.
//!
//! Start at [`AccountBook`].

pub mod keys;
mod names;
#[cfg(test)]
mod tests;

use rustc_hash::FxHashMap;

use self::keys::{CompanyKey, CompanyKeyKind, CompanyKeys, KeyKinds};
use self::names::NameComparer;
use super::clusters::Clusters;
use super::matching::hashing::{hash_text, mix};

/// Beyond this many different names a key is shared beyond doubt, and only equal names are one company:
/// comparing all pairs would take quadratic time.
const NAMES_COMPARED_MAX: usize = 200;

/// Where a key's holders are of several companies, those of whom nothing is known belong to the one that has at
/// least this share (in quarters) of the others, if any.
const MAIN_QUARTERS_MIN: usize = 3;

/// Number of a lead in its book, in founding order.
pub type Position = u32;

/// No name, no country.
const NOTHING: u32 = u32::MAX;

/// What is kept of a lead while accounts are formed; 24 bytes.
#[derive(Debug, Clone, Copy)]
struct Entry {
    name: u32,
    country: u32,
    /// The tax number's hash; 0 for none.
    nip: u64,
    /// Whether it names a town or a postal area.
    has_place: bool,
}

/// One key of one lead; 16 bytes. Equal hashes are taken for equal keys: among ten million keys, two that differ
/// have one in a chance of 1 to 370,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct HeldKey {
    kind: CompanyKeyKind,
    hash: u64,
    lead: Position,
}

/// Gathers what leads say of their companies; add them in founding order.
#[derive(Debug, Default)]
pub struct AccountBook {
    entries: Vec<Entry>,
    keys: Vec<HeldKey>,
    names: FxHashMap<Box<str>, u32>,
    countries: FxHashMap<Box<str>, u32>,
}

impl AccountBook {
    /// Adds a lead, and returns its position.
    pub fn add(&mut self, company: &CompanyKeys) -> Position {
        let lead = self.entries.len() as Position;
        for key in &company.keys {
            self.keys.push(HeldKey { kind: key.kind, hash: hash_of(key), lead });
        }
        let nip = company.keys.iter().find(|key| key.kind == CompanyKeyKind::Nip);
        self.entries.push(Entry {
            name: number_of(&mut self.names, company.name.as_deref()),
            country: number_of(&mut self.countries, company.country.as_deref()),
            nip: nip.map_or(0, hash_of),
            has_place: company.keys.iter().any(|key| key.kind == CompanyKeyKind::SimilarName),
        });
        lead
    }

    /// Links the leads that were added.
    pub fn close(mut self) -> Accounts {
        self.keys.sort_unstable();
        self.keys.dedup();
        let mut names: Vec<(u32, Box<str>)> =
            self.names.drain().map(|(name, number)| (number, name)).collect();
        names.sort_unstable();
        let comparer = NameComparer::new(names.iter().map(|(_, name)| &**name));
        let n_leads = self.entries.len();
        let mut linking = Linking {
            entries: &self.entries,
            comparer,
            clusters: Clusters::new(n_leads),
            roots: Vec::new(),
            is_anchored: vec![false; n_leads],
            linked: vec![KeyKinds::default(); n_leads],
            refused: vec![KeyKinds::default(); n_leads],
        };
        for of_kind in self.keys.chunk_by(|a, b| a.kind == b.kind) {
            linking.link_kind(of_kind);
        }
        let Linking { mut clusters, linked, refused, .. } = linking;
        let oldest = (0..n_leads as Position).map(|lead| clusters.find(lead)).collect();
        Accounts { oldest, linked, refused }
    }
}

fn number_of(numbers: &mut FxHashMap<Box<str>, u32>, text: Option<&str>) -> u32 {
    let Some(text) = text else { return NOTHING };
    if let Some(known) = numbers.get(text) {
        return *known;
    }
    let number = numbers.len() as u32;
    numbers.insert(text.into(), number);
    number
}

fn hash_of(key: &CompanyKey) -> u64 {
    mix(hash_text(&key.value), key.kind as u64)
}

/// Which leads are of one company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    oldest: Vec<Position>,
    linked: Vec<KeyKinds>,
    refused: Vec<KeyKinds>,
}

impl Accounts {
    /// Returns the oldest lead of the account of `lead`: itself, where it is alone.
    pub fn oldest(&self, lead: Position) -> Position {
        self.oldest[lead as usize]
    }

    /// Returns all leads of the account of `lead`, the oldest first.
    pub fn members(&self, lead: Position) -> Vec<Position> {
        let oldest = self.oldest(lead);
        (oldest..self.oldest.len() as Position).filter(|one| self.oldest(*one) == oldest).collect()
    }

    /// Returns every account of two leads or more, its leads in founding order; the oldest account first.
    pub fn of_several(&self) -> Vec<Vec<Position>> {
        let mut order: Vec<(Position, Position)> =
            self.oldest.iter().zip(0..).map(|(oldest, lead)| (*oldest, lead)).collect();
        order.sort_unstable();
        order
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|members| members.len() > 1)
            .map(|members| members.iter().map(|(_, lead)| *lead).collect())
            .collect()
    }

    /// Returns the kinds of keys that linked `lead` to others.
    pub fn linked(&self, lead: Position) -> KeyKinds {
        self.linked[lead as usize]
    }

    /// Returns the kinds of keys of `lead` that others hold, too, but that link it to nobody, because their holders
    /// are of several companies.
    pub fn refused(&self, lead: Position) -> KeyKinds {
        self.refused[lead as usize]
    }
}

/// The work of linking: what the stronger kinds of keys came to, and who is known by what.
struct Linking<'a> {
    entries: &'a [Entry],
    comparer: NameComparer,
    clusters: Clusters,
    /// For each lead the cluster it was in when the present kind's turn began.
    roots: Vec<Position>,
    /// For each cluster of `roots` whether a number or a domain tells its company.
    is_anchored: Vec<bool>,
    linked: Vec<KeyKinds>,
    refused: Vec<KeyKinds>,
}

impl Linking<'_> {
    /// Links through all keys of one kind; `keys` are sorted.
    fn link_kind(&mut self, keys: &[HeldKey]) {
        let kind = keys[0].kind;
        self.roots =
            (0..self.entries.len() as Position).map(|lead| self.clusters.find(lead)).collect();
        for held in keys.chunk_by(|a, b| a.hash == b.hash) {
            let holders: Vec<Position> = held.iter().map(|key| key.lead).collect();
            if holders.len() > 1 {
                self.link_holders(kind, &holders);
            }
        }
        // A lead with a number or a domain of its own is known by it, alone or not; so is whoever it is linked to.
        let mut is_anchored = std::mem::take(&mut self.is_anchored);
        for lead in 0..self.entries.len() {
            let root = self.clusters.find(lead as Position) as usize;
            is_anchored[root] |= is_anchored[lead];
        }
        if kind.is_anchor() {
            for key in keys {
                is_anchored[self.clusters.find(key.lead) as usize] = true;
            }
        }
        self.is_anchored = is_anchored;
    }

    fn link_holders(&mut self, kind: CompanyKeyKind, holders: &[Position]) {
        match kind {
            CompanyKeyKind::Nip
            | CompanyKeyKind::Krs
            | CompanyKeyKind::Regon
            | CompanyKeyKind::Domain => {
                let labels = self.companies_named(holders, NameComparer::may_be_one);
                self.admit(kind, holders, &labels);
            }
            CompanyKeyKind::NameAndDomain => {
                self.admit(kind, holders, &self.tax_numbers(holders));
            }
            CompanyKeyKind::NameAndTown | CompanyKeyKind::NameAndPostcode => {
                self.admit(kind, holders, &self.known_as(holders));
            }
            CompanyKeyKind::SimilarName => {
                let named = self.companies_named(holders, NameComparer::is_nearly_equal);
                for group in split_by(holders, &named) {
                    self.admit(kind, &group, &self.known_as(&group));
                }
            }
            CompanyKeyKind::Name => {
                let countries = self.countries(holders);
                for group in split_by(holders, &countries) {
                    self.admit(kind, &group, &self.known_or_placed(&group));
                }
            }
        }
    }

    /// Links the holders of one key, of whom `labels` tell which company each is of, where that is known.
    fn admit(&mut self, kind: CompanyKeyKind, holders: &[Position], labels: &[Option<u64>]) {
        let mut sizes: FxHashMap<u64, (usize, Position)> = FxHashMap::default();
        for (lead, label) in holders.iter().zip(labels) {
            if let Some(label) = label {
                sizes.entry(*label).or_insert((0, *lead)).0 += 1;
            }
        }
        let labelled: usize = labels.iter().flatten().count();
        let home_of_silent = match sizes.len() {
            0 => Some(holders[0]),
            _ => sizes
                .values()
                .find(|(size, _)| 4 * size >= MAIN_QUARTERS_MIN * labelled)
                .map(|(_, first)| *first),
        };
        for (lead, label) in holders.iter().zip(labels) {
            let home = match label {
                Some(label) => Some(sizes[label].1),
                None => home_of_silent,
            };
            match home {
                Some(home) if home != *lead => {
                    self.clusters.union(home, *lead);
                    self.linked[home as usize].insert(kind);
                    self.linked[*lead as usize].insert(kind);
                }
                Some(_) => {}
                None => self.refused[*lead as usize].insert(kind),
            }
        }
        if sizes.len() > 1 {
            for (lead, label) in holders.iter().zip(labels) {
                if label.is_some_and(|label| sizes[&label].0 == 1) {
                    self.refused[*lead as usize].insert(kind);
                }
            }
        }
    }

    /// Labels the holders by the companies they name; those that `is_one` takes for one have one label.
    fn companies_named(
        &self,
        holders: &[Position],
        is_one: fn(&NameComparer, u32, u32) -> bool,
    ) -> Vec<Option<u64>> {
        let name_of = |lead: &Position| self.entries[*lead as usize].name;
        let mut names: Vec<u32> =
            holders.iter().map(name_of).filter(|name| *name != NOTHING).collect();
        names.sort_unstable();
        names.dedup();
        let mut same =
            Clusters::joining(&names, NAMES_COMPARED_MAX, |a, b| is_one(&self.comparer, *a, *b));
        let labels: FxHashMap<u32, u64> = names
            .iter()
            .zip(0..)
            .map(|(name, number)| (*name, u64::from(same.find(number))))
            .collect();
        holders.iter().map(|lead| labels.get(&name_of(lead)).copied()).collect()
    }

    /// Labels the holders by the company that a number or a domain ties them to.
    fn known_as(&self, holders: &[Position]) -> Vec<Option<u64>> {
        let known = |lead: &Position| {
            let root = self.roots[*lead as usize];
            self.is_anchored[root as usize].then_some(u64::from(root))
        };
        holders.iter().map(known).collect()
    }

    /// Labels the holders by their tax number.
    fn tax_numbers(&self, holders: &[Position]) -> Vec<Option<u64>> {
        let nip = |lead: &Position| Some(self.entries[*lead as usize].nip).filter(|nip| *nip > 0);
        holders.iter().map(nip).collect()
    }

    /// Labels the holders of a name by what ties them to a company: a number, a domain, or else a place. Where the name
    /// is known of one company alone, places tell nothing against it: that company has people in several.
    fn known_or_placed(&self, holders: &[Position]) -> Vec<Option<u64>> {
        let known = self.known_as(holders);
        let mut companies = known.iter().flatten();
        if let Some(first) = companies.next()
            && companies.all(|other| other == first)
        {
            return known;
        }
        let placed = |lead: &Position| {
            let has_place = self.entries[*lead as usize].has_place;
            has_place.then_some(u64::from(self.roots[*lead as usize]))
        };
        known.iter().zip(holders).map(|(known, lead)| known.or_else(|| placed(lead))).collect()
    }

    /// Labels the holders of a name by country; nobody says two countries, and one alone is everybody's.
    fn countries(&self, holders: &[Position]) -> Vec<Option<u64>> {
        let country = |lead: &Position| self.entries[*lead as usize].country;
        let mut known: Vec<u32> =
            holders.iter().map(country).filter(|one| *one != NOTHING).collect();
        known.sort_unstable();
        known.dedup();
        holders
            .iter()
            .map(|lead| match (country(lead), &known[..]) {
                (_, [] | [_]) => Some(0),
                (NOTHING, _) => None,
                (one, _) => Some(u64::from(one)),
            })
            .collect()
    }
}

/// Splits holders into those of one label each, the smallest label first; those without one are left out.
fn split_by(holders: &[Position], labels: &[Option<u64>]) -> Vec<Vec<Position>> {
    let mut order: Vec<(u64, Position)> =
        labels.iter().zip(holders).filter_map(|(label, lead)| Some(((*label)?, *lead))).collect();
    order.sort_unstable();
    order
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|group| group.len() > 1)
        .map(|group| group.iter().map(|(_, lead)| *lead).collect())
        .collect()
}
