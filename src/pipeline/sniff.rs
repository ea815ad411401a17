//! What a run would make of one file, without a store.

mod draft;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};

pub use self::draft::{Drafted, draft, id_from};
use super::{dates, ingest};
use crate::intake::{self, OpenInput};
use crate::model::consent::ConsentClaim;
use crate::model::ids::Fingerprint;
use crate::model::outcome::{Hold, HoldReason, Notice, Rejection};
use crate::model::row::{Cell, Origin, Row, RowContent};
use crate::model::submission::{RowVerdict, Submission};
use crate::model::touch::Touch;
use crate::normalization::Normalizer;
use crate::normalization::date_order::ColumnOrder;
use crate::rules::RuleSet;

/// First rows that are kept to be shown.
const ROWS_SHOWN: usize = 5;
/// Problems that are kept to be shown.
const PROBLEMS_SHOWN: usize = 10;
/// Wordings of consents that are kept apart.
const CONSENTS_SHOWN: usize = 50;

/// How many rows would end where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SniffCounts {
    /// Would be taken as leads.
    pub lead: u64,
    /// Vendor's or our own tests.
    pub test: u64,
    /// Withheld for another reason.
    pub held: u64,
    /// Not accepted.
    pub quarantined: u64,
    /// No records.
    pub skipped: u64,
    /// Touches instead of submissions.
    pub touch: u64,
    /// The same submission again, inside this file.
    pub repeated: u64,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Rows by what they would become.
    pub counts: SniffCounts,
    /// The first submissions.
    pub first: Vec<Submission>,
    /// The first touches.
    pub touches: Vec<(Origin, Touch)>,
    /// The first rows that would be quarantined.
    pub rejected: Vec<(Origin, Rejection)>,
    /// The first rows that would be withheld.
    pub held: Vec<(Origin, Hold)>,
    /// The first notices on accepted rows.
    pub notices: Vec<(Origin, Notice)>,
    /// How many notices there are in all.
    pub notices_total: u64,
    /// Which figure is the day, for columns whose dates leave it open.
    pub date_orders: Vec<ColumnOrder>,
    /// Rows in which each column holds something, by the column's name.
    pub filled: HashMap<Arc<str>, u64>,
    /// What was said to consent questions, by wording: how often.
    pub consents: BTreeMap<ConsentFinding, u64>,
}

/// One kind of answer to a consent question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConsentFinding {
    /// The sentence or the header of the question.
    pub wording: String,
    /// What for.
    pub purpose: String,
    /// Through which channel.
    pub channel: &'static str,
    /// Given, refused or withdrawn.
    pub state: &'static str,
}

impl ConsentFinding {
    fn of(claim: &ConsentClaim) -> Self {
        Self {
            wording: claim.wording.clone(),
            purpose: claim.purpose.to_string(),
            channel: claim.channel.word(),
            state: claim.state.word(),
        }
    }
}

/// Reads every row of `input` and judges it as a run at `as_of` would.
///
/// # Errors
/// [`intake::Refusal`] when the input turns out cut or changes while it is read.
pub fn judge(
    input: OpenInput,
    rules: &RuleSet,
    as_of: DateTime<Utc>,
) -> Result<Findings, intake::Refusal> {
    let preset = input.preset.clone();
    let date_orders = dates::settle(&input, rules, as_of, &AtomicBool::new(false));
    let context = ingest::source_context(&preset, &date_orders, rules, as_of);
    let mut normalizer = Normalizer::new(&rules.tables, &rules.fields, context);
    let mut findings =
        Findings { date_orders: date_orders.iter().cloned().collect(), ..Findings::default() };
    let mut seen: HashSet<Fingerprint> = HashSet::new();
    for row in input.rows() {
        let row = row?;
        findings.see(&row);
        let (origin, _, verdict) = normalizer.normalize(row);
        findings.add(origin, verdict, &mut seen);
    }
    Ok(findings)
}

impl Findings {
    fn see(&mut self, row: &Row) {
        let RowContent::Cells(_, cells) = &row.content else { return };
        for Cell { column, .. } in cells {
            match self.filled.get_mut(column) {
                Some(rows) => *rows += 1,
                None => drop(self.filled.insert(column.clone(), 1)),
            }
        }
    }

    fn add(&mut self, origin: Origin, verdict: RowVerdict, seen: &mut HashSet<Fingerprint>) {
        let counts = &mut self.counts;
        match verdict {
            RowVerdict::Accepted(submission) if seen.insert(submission.fingerprint) => {
                counts.lead += 1;
                self.accept(origin, *submission);
            }
            RowVerdict::Touch(touch) if seen.insert(touch.fingerprint) => {
                counts.touch += 1;
                if self.touches.len() < ROWS_SHOWN {
                    self.touches.push((origin, touch));
                }
            }
            RowVerdict::Accepted(_) | RowVerdict::Touch(_) => counts.repeated += 1,
            RowVerdict::Held(hold) => {
                if hold.reason == HoldReason::Test {
                    counts.test += 1;
                } else {
                    counts.held += 1;
                }
                if self.held.len() < PROBLEMS_SHOWN {
                    self.held.push((origin, hold));
                }
            }
            RowVerdict::Quarantined(rejection) => {
                counts.quarantined += 1;
                if self.rejected.len() < PROBLEMS_SHOWN {
                    self.rejected.push((origin, rejection));
                }
            }
            RowVerdict::Skipped(_) => counts.skipped += 1,
        }
    }

    fn accept(&mut self, origin: Origin, submission: Submission) {
        self.notices_total += submission.notices.len() as u64;
        let room = PROBLEMS_SHOWN - self.notices.len();
        let notices = submission.notices.iter().take(room);
        self.notices.extend(notices.map(|notice| (origin, notice.clone())));
        for claim in &submission.consents {
            let finding = ConsentFinding::of(claim);
            if self.consents.len() < CONSENTS_SHOWN || self.consents.contains_key(&finding) {
                *self.consents.entry(finding).or_insert(0) += 1;
            }
        }
        if self.first.len() < ROWS_SHOWN {
            self.first.push(submission);
        }
    }
}
