//! Contacts that several people share: they do not speak for two submissions being one person's.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;

use super::model::pair_model;
use crate::identity::guard::Guard;
use crate::identity::keys::{KeyKind, match_keys};
use crate::identity::likeness::PairModel;
use crate::model::field::{self, FieldValues};
use crate::model::ids::{KeyHash, SubmissionNo};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::absorb::Horizon;

/// Which addresses and numbers are shared, as far as somebody has asked.
#[derive(Debug)]
pub(super) struct Contacts<'a> {
    store: &'a Store,
    rules: &'a RuleSet,
    guard: Guard<'a>,
    horizon: Horizon,
    shared: HashMap<KeyHash, bool>,
    model: Option<PairModel>,
}

impl<'a> Contacts<'a> {
    /// Asks the store as `horizon` lets see it.
    pub(super) fn new(store: &'a Store, rules: &'a RuleSet, horizon: Horizon) -> Self {
        let guard = Guard::new(&rules.identity);
        Self { store, rules, guard, horizon, shared: HashMap::new(), model: None }
    }

    /// Returns the values of `submission` without an address or number that several people hold.
    pub(super) fn own_values(&mut self, submission: SubmissionNo) -> Result<FieldValues> {
        let mut values = self.store.submission_values(submission, &self.rules.fields)?;
        for key in match_keys(&values) {
            let field = match key.kind {
                KeyKind::Email | KeyKind::RoleEmail => field::EMAIL,
                KeyKind::Phone => field::PHONE,
                _ => continue,
            };
            if key.kind == KeyKind::RoleEmail || self.is_shared(key.hash)? {
                values.set(field, "");
            }
        }
        Ok(values)
    }

    /// Returns the weights that hold.
    pub(super) fn model(&mut self) -> Result<&PairModel> {
        match &mut self.model {
            Some(model) => Ok(model),
            none => Ok(none.insert(pair_model(self.store, self.horizon)?)),
        }
    }

    fn is_shared(&mut self, key: KeyHash) -> Result<bool> {
        if let Some(known) = self.shared.get(&key) {
            return Ok(*known);
        }
        let shared = self.store.key_group(key, self.horizon)?.is_some_and(|group| {
            let names: Vec<&str> = group.holders.iter().map(|one| one.holder.as_str()).collect();
            let labels: BTreeSet<u32> = self.guard.labels(group.kind, &names).into_iter().collect();
            labels.len() > 1
        });
        self.shared.insert(key, shared);
        Ok(shared)
    }
}
