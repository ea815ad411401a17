//! The weights by which people are told alike: which hold, what the store would teach, and what that would change.
//!
//! They never change by themselves. `leadmill model refresh` learns from the store and shows the difference;
//! accepted, they are kept by a run of their own, which decides anew by them and can be undone.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::amend::{amend, decide_about, open_existing};
use super::event::Events;
use super::{Impossible, Job, on_a_copy, opening};
use crate::identity::keys::Keyring;
use crate::identity::likeness::PairModel;
use crate::identity::matching::calibration::Calibration;
use crate::report::run_json::RunSummary;
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::absorb::Horizon;
use crate::store::runs::RunKind;

/// Fewer submissions than this teach nothing that leadmill's own weights do not know better.
const SUBMISSIONS_MIN: usize = 100;
/// Submissions that are learned from at most: the first by fingerprint, which is as good as drawn.
const SUBMISSIONS_MAX: usize = 200_000;

/// A model as the store keeps it.
#[derive(Debug, Serialize, Deserialize)]
struct ModelBook {
    prior_bits: f32,
    levels: Vec<(Vec<f32>, Vec<f32>)>,
    common: Vec<(String, f32)>,
    calibration: Vec<f32>,
    floor_bits: f32,
}

/// Returns the weights that hold as far as `horizon` lets see.
pub fn pair_model(store: &Store, horizon: Horizon) -> Result<PairModel> {
    let Some((run, body)) = store.pair_model(horizon)? else { return Ok(PairModel::shipped()) };
    let book: ModelBook = serde_json::from_str(&body)
        .with_context(|| format!("the weights of run {} are not readable", run.0))?;
    Ok(PairModel {
        version: run.0,
        prior_bits: book.prior_bits,
        levels: book.levels,
        common: book.common,
        calibration: Calibration::of_bits(book.calibration, book.floor_bits),
    })
}

fn written(model: &PairModel) -> Result<String> {
    let (calibration, floor_bits) = model.calibration.to_bits();
    Ok(serde_json::to_string(&ModelBook {
        prior_bits: model.prior_bits,
        levels: model.levels.clone(),
        common: model.common.clone(),
        calibration: calibration.to_vec(),
        floor_bits,
    })?)
}

/// Learns weights from what the store has received.
///
/// # Errors
/// [`Impossible`] when that is too little.
pub fn learn(store: &Store, rules: &RuleSet) -> Result<PairModel> {
    let mut sheet = PairModel::sheet();
    store.each_values(&rules.fields, SUBMISSIONS_MAX, |values| {
        let id = sheet.len().to_string();
        PairModel::push(&mut sheet, &id, &values);
        Ok(())
    })?;
    if sheet.len() < SUBMISSIONS_MIN {
        return Err(Impossible(format!(
            "{} submissions are too few to learn from\nhint: leadmill's own weights serve until there are \
             {SUBMISSIONS_MIN}",
            sheet.len()
        ))
        .into());
    }
    Ok(PairModel::learn(sheet, Keyring::new(&rules.tables).lists()))
}

/// Keeps `model` and decides anew by it whoever may be joined by likeness.
pub fn accept(job: &Job<'_>, model: &PairModel, events: Events<'_>) -> Result<RunSummary> {
    let body = written(model)?;
    amend(job, &format!("model {body}"), events, |store, digest, events| {
        let record = store.begin_run(opening(job, RunKind::Model, None, digest))?;
        store.keep_rules(job.rules)?;
        store.keep_pair_model(record.no, &body)?;
        let seeds = store.near_holders()?;
        let books = decide_about(job, store, &record, &seeds, events)?;
        Ok((record, books))
    })
}

/// Says what [`accept`] would do, on a copy of the store that is thrown away.
pub fn dry_accept(job: &Job<'_>, model: &PairModel, events: Events<'_>) -> Result<RunSummary> {
    on_a_copy(job, Some(open_existing(job)?), |job| accept(job, model, events))
}
