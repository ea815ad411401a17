//! What the next file of a target would change there, asked without a run: nothing is written.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::deliveries::{said, with_lookups};
use super::publish::{read_as, rule_no};
use crate::delivery::crm::{CrmRow, Lookups, asks_about, concerns, row};
use crate::delivery::form::Refusal;
use crate::delivery::published::{self, Cells};
use crate::model::consent::{Channel, Purpose};
use crate::model::lead::Lead;
use crate::rules::RuleSet;
use crate::rules::target::Target;
use crate::store::Store;
use crate::store::deliveries::{NOT_TAKEN, TargetNo};
use crate::store::listing::LeadFilter;
use crate::store::runs::RunRecord;

/// What the next file of a target would do to one of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The lead's id.
    pub item: String,
    /// What would be done.
    pub kind: DifferenceKind,
    /// The row's cells by header; none of a row that is not written.
    pub cells: Cells,
    /// The cells as they were, where the file that has them is still there.
    pub before: Cells,
    /// Why the target would refuse it, or where the lead is now; may be empty.
    pub reason: String,
}

/// What the next file of a target would do to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// The target does not have it yet.
    New,
    /// The target has it otherwise.
    Changed,
    /// The target has it and is to take it out.
    Withdrawn,
    /// The target would not take it.
    Refused,
}

impl DifferenceKind {
    /// Returns the word for lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Withdrawn => "withdrawn",
            Self::Refused => "refused",
        }
    }
}

/// Where to look, and for which target.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The store.
    pub store: &'a Store,
    /// The rules of today.
    pub rules: &'a RuleSet,
    /// A target whose rows are leads.
    pub target: &'a Target,
    /// Where runs are published.
    pub out: &'a Path,
    /// The instant that counts as now, milliseconds since 1970 UTC.
    pub as_of_ms: i64,
}

/// Hands what the next file would change to `visit`, in order of lead, then what is no more; returns how many rows the
/// target has as they are. All leads are looked at, whenever they changed; what cells were is read in the files of
/// earlier runs.
///
/// # Errors
/// When there was no run yet.
pub fn each_difference(
    asked: Asked<'_>,
    visit: &mut dyn FnMut(Difference) -> Result<()>,
) -> Result<u64> {
    let Asked { store, rules, target, as_of_ms, .. } = asked;
    let latest = store.latest_run()?.context("there was no run yet")?;
    let record = RunRecord { as_of_ms, ..latest };
    let no = store.known_target(&target.id)?;
    let mut looking = Looking { asked, no, asks: asks_about(target), earlier: BTreeMap::new() };
    let mut unchanged = 0;
    let rule_no = |id: &str| rule_no(rules, id);
    let read = read_as(rules, &rule_no, record.no);
    with_lookups(rules, |lookups| {
        store.each_lead(&LeadFilter::default(), read, |lead, _| {
            match looking.at(&lead, lookups)? {
                Found::Unchanged => unchanged += 1,
                Found::NotTheirs => {}
                Found::Differs(difference) => visit(difference)?,
            }
            Ok(())
        })
    })?;
    for gone in no.map_or(Ok(Vec::new()), |no| store.withdrawn_from(no))? {
        let now_in = gone.now_in.map_or(String::new(), |lead| format!("now in {lead}"));
        visit(bare(gone.item, DifferenceKind::Withdrawn, now_in))?;
    }
    Ok(unchanged)
}

enum Found {
    Unchanged,
    NotTheirs,
    Differs(Difference),
}

struct Looking<'a> {
    asked: Asked<'a>,
    no: Option<TargetNo>,
    asks: Vec<(Purpose, Channel)>,
    /// Files of earlier runs, each read once.
    earlier: BTreeMap<String, BTreeMap<String, Cells>>,
}

impl Looking<'_> {
    fn at(&mut self, lead: &Lead, lookups: &Lookups<'_>) -> Result<Found> {
        let Asked { store, rules, target, as_of_ms, .. } = self.asked;
        let item = lead.id.to_string();
        let consents = said(store, rules, lead, &self.asks, as_of_ms)?;
        let record_id = self.no.map_or(Ok(None), |no| store.record_id(no, &item))?;
        let lookups = Lookups { consents: &consents, record_id: record_id.as_deref(), ..*lookups };
        let known = self.no.map_or(Ok(None), |no| store.delivered(no, &item))?;
        if !concerns(target, lead, &lookups) {
            return Ok(match known {
                None => Found::NotTheirs,
                Some(_) => Found::Differs(bare(item, DifferenceKind::Withdrawn, String::new())),
            });
        }
        let row = match row(target, &rules.fields, lead, &lookups) {
            Ok(row) => row,
            Err(Refusal { column, reason, .. }) => {
                let reason = format!("{column}: {reason}");
                return Ok(Found::Differs(bare(item, DifferenceKind::Refused, reason)));
            }
        };
        let kind = match known {
            Some(NOT_TAKEN) => {
                let refusal = self.no.map_or(Ok(None), |no| store.refusal(no, &item))?;
                let reason = refusal.unwrap_or_default();
                return Ok(Found::Differs(bare(item, DifferenceKind::Refused, reason)));
            }
            Some(known) if known == row.hash(target) => return Ok(Found::Unchanged),
            Some(_) => DifferenceKind::Changed,
            None => DifferenceKind::New,
        };
        let before = self.before(&item)?;
        Ok(Found::Differs(Difference {
            cells: cells(target, &row),
            before,
            ..bare(item, kind, String::new())
        }))
    }

    /// Returns the cells of `item` as the target was given them last; none where that cannot be read any more.
    fn before(&mut self, item: &str) -> Result<Cells> {
        let Asked { store, target, out, .. } = self.asked;
        let run = self.no.map_or(Ok(None), |no| store.delivered_by(no, item))?;
        let Some(run) = run else { return Ok(Cells::new()) };
        if !self.earlier.contains_key(&run) {
            let rows = published::rows(target, &out.join("runs").join(&run))?;
            self.earlier.insert(run.clone(), rows);
        }
        Ok(self.earlier.get(&run).and_then(|rows| rows.get(item)).cloned().unwrap_or_default())
    }
}

fn cells(target: &Target, row: &CrmRow<'_>) -> Cells {
    let headers = target.columns.iter().map(|column| column.header.clone());
    headers.zip(row.texts().map(str::to_owned)).collect()
}

fn bare(item: String, kind: DifferenceKind, reason: String) -> Difference {
    Difference { item, kind, cells: Cells::new(), before: Cells::new(), reason }
}
