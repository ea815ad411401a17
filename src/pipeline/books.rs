//! The books of a run: added up before anything is published, and kept with the run.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::absorb::Absorbed;
use super::elapsed::LookedAgain;
use super::evaluate::Decided;
use super::{BrokenPromise, Job, alerts};
use crate::model::ids::hex;
use crate::model::run::{Alert, InputReport, InputStatus, NoticeCounts, RowCounts};
use crate::report::comparison::Comparison;
use crate::report::run_json::{AlertSummary, ErasureSummary, LookedSummary, UndoSummary};
use crate::rules::alerts::AlertFigures;
use crate::store::Store;
use crate::store::listing::LeadCounts;
use crate::store::looks::ChangedByTime;
use crate::store::runs::{RunKind, RunRecord};

/// Exit code of a run that refused an input whole.
pub(super) const INPUT_REFUSED: u8 = 6;

/// What a run did, as its row in the store keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Books {
    inputs: Vec<InputBook>,
    rows: RowBook,
    alerts: Vec<AlertBook>,
    /// Keys that turned out to be shared and split what they had joined.
    pub flipped_keys: u64,
    /// Pairs of leads that the run found to be alike, but not enough to be joined.
    #[serde(default)]
    pub to_review: u64,
    /// Leads that the run looked at again because time had passed.
    #[serde(default)]
    pub looked_again: LookedSummary,
    /// Tasks that became due and were handed out.
    #[serde(default)]
    pub handed_out: u64,
    /// Whether a limit of the workspace was passed.
    pub over_limit: Vec<String>,
    /// The funnel as the run's `dropoff.csv` has it, its header first: what the store counts changes with later runs.
    /// Empty until the run is published, and for runs of an older leadmill.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub funnel: Vec<Vec<String>>,
    /// What an undo took back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoSummary>,
    /// What a rescore changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescore: Option<Comparison>,
    /// What an erasure took out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure: Option<ErasureSummary>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct InputBook {
    name: String,
    sha256: String,
    source: String,
    encoding: String,
    status: String,
    detail: String,
    rows: RowBook,
    notices: NoticeCounts,
    warnings: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct RowBook {
    read: u64,
    created: u64,
    merged: u64,
    repeated: u64,
    quarantined: u64,
    held: u64,
    touches: u64,
    skipped: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct AlertBook {
    id: String,
    #[serde(default)]
    key: String,
    message: String,
}

impl Books {
    /// Adds the run up, twice over: once from what the phases counted, once from what the store holds.
    ///
    /// # Errors
    /// [`BrokenPromise`] when the two differ, a row has no outcome, or a lead has neither owner nor
    /// queue; the caller rolls everything back.
    pub(super) fn close(
        job: &Job<'_>,
        store: &Store,
        record: &RunRecord,
        inputs: &[InputReport],
        decided: &Decided,
        absorbed: &Absorbed,
        looked: LookedAgain,
    ) -> Result<Self> {
        let mut rows = RowCounts::default();
        for input in inputs {
            rows.add(&input.rows);
        }
        let accepted = rows.merged;
        rows.created = decided.created;
        rows.merged = decided.merged;
        let sources = store.source_counts(record.no)?;
        let mut stored = RowCounts::default();
        for source in &sources {
            stored.add(&source.rows);
        }
        let broken = store.broken_promises(record.first_submission_no)?;
        let by_time = changed_by_time(job, store, record, &looked)?;
        if accepted != rows.created + rows.merged
            || !rows.balances()
            || stored != rows
            || broken != 0
        {
            return Err(BrokenPromise(format!(
                "the books of run {} do not balance: counted {rows:?}, stored {stored:?}, {accepted} \
                 accepted, {broken} leads or submissions without a place",
                record.id
            ))
            .into());
        }
        // What was said about tasks is no export that alerts could be about.
        let is_import = record.kind != RunKind::Tick;
        let leads = leads_in(job, store, record, by_time)?;
        let figures = figures(inputs, &rows, (decided, looked), &leads);
        let over_limit = if is_import { over_limit(job, &figures) } else { Vec::new() };
        let alerts = alerts::watch(job, store, record, &figures)?;
        let mut inputs: Vec<InputBook> = inputs.iter().map(InputBook::from).collect();
        for (sha256, created) in store.founded_by_input(record.no)? {
            // Intake counts every accepted row as merged; only now is known which of them founded a lead.
            let sha256 = hex(&sha256);
            let imported =
                |input: &&mut InputBook| input.sha256 == sha256 && input.status == "imported";
            if let Some(input) = inputs.iter_mut().find(imported) {
                input.rows.created = created;
                input.rows.merged -= created;
            }
        }
        Ok(Self {
            inputs,
            rows: RowBook::from(&rows),
            alerts: alerts.into_iter().map(AlertBook::from).collect(),
            flipped_keys: absorbed.flipped_keys,
            to_review: absorbed.to_review,
            looked_again: LookedSummary { leads: looked.leads, changed: looked.changed },
            handed_out: 0,
            over_limit,
            funnel: Vec::new(),
            undo: None,
            rescore: None,
            erasure: None,
        })
    }

    /// Returns the books of a run that took another back.
    pub fn of_undo(undo: UndoSummary) -> Self {
        Self { undo: Some(undo), ..Self::without_inputs() }
    }

    /// Returns the books of a run that took people out.
    pub fn of_erasure(erasure: ErasureSummary) -> Self {
        Self { erasure: Some(erasure), ..Self::without_inputs() }
    }

    /// Returns the books of a run that decided anew about leads that were there.
    pub fn of_rescore(comparison: Comparison) -> Self {
        Self { rescore: Some(comparison), ..Self::without_inputs() }
    }

    /// Returns the books of a run that received nothing and decided who is who.
    pub fn of_decision(absorbed: &Absorbed) -> Self {
        Self {
            flipped_keys: absorbed.flipped_keys,
            to_review: absorbed.to_review,
            ..Self::without_inputs()
        }
    }

    /// Returns the books of a run that received nothing.
    pub fn without_inputs() -> Self {
        Self {
            inputs: Vec::new(),
            rows: RowBook::from(&RowCounts::default()),
            alerts: Vec::new(),
            flipped_keys: 0,
            to_review: 0,
            looked_again: LookedSummary::default(),
            handed_out: 0,
            over_limit: Vec::new(),
            funnel: Vec::new(),
            undo: None,
            rescore: None,
            erasure: None,
        }
    }

    /// Returns the same books with the funnel that is published.
    #[must_use]
    pub fn with_funnel(&self, funnel: Vec<Vec<String>>) -> Self {
        Self { funnel, ..self.clone() }
    }

    /// Returns what became of each input.
    pub fn inputs(&self) -> Vec<InputReport> {
        self.inputs.iter().map(InputReport::from).collect()
    }

    /// Returns the rows by outcome.
    pub fn rows(&self) -> RowCounts {
        RowCounts::from(&self.rows)
    }

    /// Returns how many accepted rows carry which notice, over all inputs.
    pub fn notices(&self) -> NoticeCounts {
        let mut total = NoticeCounts::new();
        for (code, rows) in self.inputs.iter().flat_map(|input| &input.notices) {
            *total.entry(code.clone()).or_default() += rows;
        }
        total
    }

    /// Says that somebody is told of `alerts`.
    pub fn tell(&mut self, alerts: Vec<Alert>) {
        self.alerts = alerts.into_iter().map(AlertBook::from).collect();
    }

    /// Says that somebody is told of `alerts`, too.
    pub fn tell_also(&mut self, alerts: Vec<Alert>) {
        self.alerts.extend(alerts.into_iter().map(AlertBook::from));
    }

    /// Returns what somebody is told: alerts that opened or go on, and limits of the workspace that were passed.
    pub fn alerts_and_limits(&self) -> Vec<AlertSummary> {
        let alerts = self.alerts.iter().map(|alert| AlertSummary {
            id: alert.id.clone(),
            key: alert.key.clone(),
            message: alert.message.clone(),
        });
        alerts.chain(self.limits()).collect()
    }

    /// Returns the limits of the workspace that were passed.
    pub fn limits(&self) -> impl Iterator<Item = AlertSummary> {
        self.over_limit.iter().map(|message| AlertSummary {
            id: "limit".to_owned(),
            key: "limit".to_owned(),
            message: message.clone(),
        })
    }

    /// Returns the exit code of the run: 6 when an input was refused, 3 when somebody must look, else 0.
    pub fn exit_code(&self) -> u8 {
        if self.inputs.iter().any(|input| input.status == "refused") {
            INPUT_REFUSED
        } else if self.alerts.is_empty() && self.over_limit.is_empty() {
            0
        } else {
            3
        }
    }
}

/// Returns the leads that time alone changed, counted by the store.
///
/// # Errors
/// [`BrokenPromise`] when they are not as many as were written.
fn changed_by_time(
    job: &Job<'_>,
    store: &Store,
    record: &RunRecord,
    looked: &LookedAgain,
) -> Result<ChangedByTime> {
    if looked.changed == 0 {
        return Ok(ChangedByTime::default());
    }
    let stored = store.changed_by_time(record.no, &job.rules.routing.triage)?;
    if stored.leads != looked.shown || looked.shown > looked.changed {
        return Err(BrokenPromise(format!(
            "the books of run {} do not balance: of the leads looked at again counted {looked:?}, stored {stored:?}",
            record.id
        ))
        .into());
    }
    Ok(stored)
}

/// Returns the leads of the run. Alerts watch what comes in: that an old lead in triage cools down is nobody's alarm.
fn leads_in(
    job: &Job<'_>,
    store: &Store,
    record: &RunRecord,
    by_time: ChangedByTime,
) -> Result<LeadCounts> {
    let mut leads = store.lead_counts(record.no, &job.rules.routing.triage)?;
    leads.changed -= by_time.leads;
    leads.changed_owned -= by_time.owned;
    leads.changed_triage -= by_time.triage;
    Ok(leads)
}

fn figures(
    inputs: &[InputReport],
    rows: &RowCounts,
    (decided, looked): (&Decided, LookedAgain),
    leads: &LeadCounts,
) -> AlertFigures {
    let refused = |input: &&InputReport| matches!(input.status, InputStatus::Refused(_));
    let empty = |input: &&InputReport| {
        input.status == InputStatus::Imported && input.rows.read == input.rows.skipped
    };
    AlertFigures {
        inputs: inputs.len() as u64,
        refused_inputs: inputs.iter().filter(refused).count() as u64,
        empty_inputs: inputs.iter().filter(empty).count() as u64,
        rows_read: rows.read,
        quarantined: rows.quarantined,
        duplicates: rows.merged,
        leads_touched: leads.changed,
        triage: leads.changed_triage,
        unowned: leads.changed - leads.changed_owned,
        nobody_eligible: decided.nobody_eligible,
        sla_breached: decided.overdue + looked.overdue,
    }
}

/// Returns which limits of the workspace were passed.
fn over_limit(job: &Job<'_>, figures: &AlertFigures) -> Vec<String> {
    let limits = job.rules.workspace.limits;
    let mut over_limit = Vec::new();
    let percent = |part: u64, whole: u64| part as f64 * 100.0 / whole.max(1) as f64;
    let AlertFigures { quarantined, rows_read, triage, leads_touched, .. } = *figures;
    if percent(quarantined, rows_read) > limits.rejected_share_max_percent {
        over_limit.push(format!(
            "{quarantined} of {rows_read} rows were quarantined, more than {} %",
            limits.rejected_share_max_percent
        ));
    }
    if percent(triage, leads_touched) > limits.triage_share_max_percent {
        over_limit.push(format!(
            "{triage} of {leads_touched} leads are in triage, more than {} %",
            limits.triage_share_max_percent
        ));
    }
    over_limit
}

impl From<Alert> for AlertBook {
    fn from(Alert { id, key, message }: Alert) -> Self {
        Self { id, key, message }
    }
}

impl From<&RowCounts> for RowBook {
    fn from(counts: &RowCounts) -> Self {
        let RowCounts { read, created, merged, repeated, quarantined, held, touches, skipped } =
            *counts;
        Self { read, created, merged, repeated, quarantined, held, touches, skipped }
    }
}

impl From<&RowBook> for RowCounts {
    fn from(book: &RowBook) -> Self {
        let RowBook { read, created, merged, repeated, quarantined, held, touches, skipped } =
            *book;
        Self { read, created, merged, repeated, quarantined, held, touches, skipped }
    }
}

impl From<&InputReport> for InputBook {
    fn from(report: &InputReport) -> Self {
        let (status, detail) = match &report.status {
            InputStatus::Imported => ("imported", ""),
            InputStatus::Known(run) => ("known", run.as_str()),
            InputStatus::Refused(reason) => ("refused", reason.as_str()),
            InputStatus::Postponed(reason) => ("postponed", reason.as_str()),
        };
        Self {
            name: report.name.clone(),
            sha256: report.sha256.clone(),
            source: report.source.clone(),
            encoding: report.encoding.clone(),
            status: status.to_owned(),
            detail: detail.to_owned(),
            rows: RowBook::from(&report.rows),
            notices: report.notices.clone(),
            warnings: report.warnings.clone(),
        }
    }
}

impl From<&InputBook> for InputReport {
    fn from(book: &InputBook) -> Self {
        let detail = book.detail.clone();
        Self {
            name: book.name.clone(),
            sha256: book.sha256.clone(),
            source: book.source.clone(),
            encoding: book.encoding.clone(),
            status: match book.status.as_str() {
                "known" => InputStatus::Known(detail),
                "refused" => InputStatus::Refused(detail),
                "postponed" => InputStatus::Postponed(detail),
                _ => InputStatus::Imported,
            },
            rows: RowCounts::from(&book.rows),
            notices: book.notices.clone(),
            warnings: book.warnings.clone(),
        }
    }
}
