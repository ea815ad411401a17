//! Reports over one run, gathered from the store.

use anyhow::{Context as _, Result};

use super::books::Books;
use super::publish::{dropoff_figures, joined};
use crate::report::dropoff::Funnel;
use crate::report::duplicates::DuplicateRates;
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::runs::RunRecord;

/// Returns the drop-off of `run` as rows of text, the header first.
pub fn dropoff_table(store: &Store, rules: &RuleSet, run: &RunRecord) -> Result<Vec<Vec<String>>> {
    let text = run.books.as_deref().with_context(|| format!("run {} is not done", run.id))?;
    let books: Books = serde_json::from_str(text)
        .with_context(|| format!("the books of run {} are not readable", run.id))?;
    let figures = dropoff_figures(store, rules, run, &books, Vec::new())?;
    Ok(Funnel::new(&figures).table())
}

/// Returns the duplicate rates of `run` by source and by campaign, each with its header first.
pub fn duplicate_tables(
    store: &Store,
    rules: &RuleSet,
    run: &RunRecord,
) -> Result<Vec<Vec<Vec<String>>>> {
    let mut by_source = DuplicateRates::default();
    let mut by_campaign = DuplicateRates::default();
    let campaign_word = |campaign: &str| match campaign {
        "" => "(none)".to_owned(),
        named => named.to_owned(),
    };
    for (source, campaign, count) in store.submissions_by_source(run.first_submission_no)? {
        by_source.add_submissions(&source, count);
        by_campaign.add_submissions(&campaign_word(&campaign), count);
    }
    store.each_join(run.first_submission_no, |join| {
        let joined = joined(&join, rules)?;
        by_source.add_duplicate(&joined.source, joined.kind);
        by_campaign.add_duplicate(&campaign_word(&joined.campaign), joined.kind);
        Ok(())
    })?;
    Ok(vec![by_source.table("source"), by_campaign.table("campaign")])
}
