//! How alike submissions are: the one way to the bits, whoever asks for them.
//!
//! Contacts that several people share do not speak for two submissions being one person's.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::model::pair_model;
use crate::identity::guard::Guard;
use crate::identity::keys::{KeyKind, Keyring, MatchKey, match_keys};
use crate::identity::likeness::{Compared, Judge, Weighing, is_compared};
use crate::model::field::{self, FieldNo, FieldValues};
use crate::model::ids::{KeyHash, SubmissionNo};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::absorb::Horizon;
use crate::store::identifying::IdentifyingColumns;

/// Submissions kept in memory between comparisons.
const COMPARED_KEPT_MAX: usize = 60_000;

/// Pairs whose submissions are prepared together: most towns and names are met again among them, and there is work for
/// all threads.
const PAIRS_AT_ONCE: usize = 2_048;

/// A contact that a submission gives.
struct Contact {
    field: FieldNo,
    /// What it is known by; `None` for a role mailbox, which is never one person's.
    key: Option<KeyHash>,
}

/// Returns the contacts that a submission with these `values` gives.
fn contacts_of(values: &FieldValues) -> Vec<Contact> {
    let of = |key: MatchKey| match key.kind {
        KeyKind::Email => Some(Contact { field: field::EMAIL, key: Some(key.hash) }),
        KeyKind::RoleEmail => Some(Contact { field: field::EMAIL, key: None }),
        KeyKind::Phone => Some(Contact { field: field::PHONE, key: Some(key.hash) }),
        _ => None,
    };
    match_keys(values).into_iter().filter_map(of).collect()
}

/// What submissions say by themselves, and the weights that hold, as far as somebody has asked.
#[derive(Debug)]
pub(super) struct Contacts<'a> {
    store: &'a Store,
    columns: IdentifyingColumns,
    guard: Guard<'a>,
    keyring: Keyring,
    horizon: Horizon,
    shared: HashMap<KeyHash, bool>,
    /// Whether every key that several people hold is in `shared`.
    knows_all_shared: bool,
    compared: HashMap<SubmissionNo, Compared>,
    weighing: Weighing,
}

impl<'a> Contacts<'a> {
    /// Asks the store as `horizon` lets see it.
    pub(super) fn new(store: &'a Store, rules: &'a RuleSet, horizon: Horizon) -> Result<Self> {
        Ok(Self {
            store,
            columns: IdentifyingColumns::new(&rules.fields, is_compared),
            guard: Guard::new(&rules.identity),
            keyring: Keyring::new(&rules.tables),
            horizon,
            shared: HashMap::new(),
            knows_all_shared: false,
            compared: HashMap::new(),
            weighing: Weighing::new(pair_model(store, horizon)?),
        })
    }

    /// The same where several people hold the keys `shared`, and no others of those that identify.
    pub(super) fn knowing(
        store: &'a Store,
        rules: &'a RuleSet,
        horizon: Horizon,
        shared: impl Iterator<Item = KeyHash>,
    ) -> Result<Self> {
        let shared = shared.map(|key| (key, true)).collect();
        Ok(Self { shared, knows_all_shared: true, ..Self::new(store, rules, horizon)? })
    }

    /// Prepares to compare `submissions`, which are known by their position.
    pub(super) fn judge(&mut self, submissions: &[SubmissionNo]) -> Result<Judge> {
        self.read(submissions.iter().copied())?;
        let compared: Vec<&Compared> = submissions.iter().map(|one| &self.compared[one]).collect();
        Ok(Judge::new(&compared, &self.weighing, self.keyring.lists()))
    }

    /// Returns the log2 odds that each of `pairs` is one person; on all threads.
    pub(super) fn totals(&mut self, pairs: &[(SubmissionNo, SubmissionNo)]) -> Result<Vec<f32>> {
        // In their own order, so that neighbors are read from one page.
        let all: BTreeSet<SubmissionNo> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
        self.read(all.into_iter())?;
        let (known, weighing, lists) = (&self.compared, &self.weighing, self.keyring.lists());
        let totals = |pairs: &[(SubmissionNo, SubmissionNo)]| {
            let mut positions: FxHashMap<SubmissionNo, usize> = FxHashMap::default();
            let mut compared = Vec::new();
            let mut position = |one: SubmissionNo| {
                *positions.entry(one).or_insert_with(|| {
                    compared.push(&known[&one]);
                    compared.len() - 1
                })
            };
            let pairs: Vec<_> = pairs.iter().map(|(a, b)| (position(*a), position(*b))).collect();
            Judge::new(&compared, weighing, lists).totals(pairs.into_iter())
        };
        Ok(pairs.par_chunks(PAIRS_AT_ONCE).flat_map_iter(totals).collect())
    }

    /// Reads what is not in memory yet.
    fn read(&mut self, submissions: impl Iterator<Item = SubmissionNo>) -> Result<()> {
        if self.compared.len() > COMPARED_KEPT_MAX {
            self.compared.clear();
        }
        let mut fresh = Vec::new();
        for no in submissions.filter(|no| !self.compared.contains_key(no)) {
            fresh.push((no, self.store.identifying_values(no, &self.columns)?));
        }
        let contacts: Vec<Vec<Contact>> =
            fresh.par_iter().map(|(_, values)| contacts_of(values)).collect();
        // Keys are hashes: asked in their own order, neighbors are read from one page.
        let keys: BTreeSet<KeyHash> =
            contacts.iter().flatten().filter_map(|contact| contact.key).collect();
        for key in keys {
            self.look_up(key)?;
        }
        for ((no, mut values), contacts) in fresh.into_iter().zip(contacts) {
            let address = values.get(field::EMAIL).unwrap_or_default().to_owned();
            for contact in contacts {
                if contact.key.is_none_or(|key| self.is_shared(key)) {
                    values.set(contact.field, "");
                }
            }
            self.compared.insert(no, Compared { values, address });
        }
        Ok(())
    }

    /// Returns whether several people are known to hold `key`.
    fn is_shared(&self, key: KeyHash) -> bool {
        self.shared.get(&key).copied().unwrap_or_default()
    }

    /// Finds out whether several people hold `key`.
    fn look_up(&mut self, key: KeyHash) -> Result<()> {
        if self.knows_all_shared || self.shared.contains_key(&key) {
            return Ok(());
        }
        let shared = self.store.key_group(key, self.horizon)?.is_some_and(|group| {
            let names: Vec<&str> = group.holders.iter().map(|one| one.holder.as_str()).collect();
            let labels: BTreeSet<u32> = self.guard.labels(group.kind, &names).into_iter().collect();
            labels.len() > 1
        });
        self.shared.insert(key, shared);
        Ok(())
    }
}
