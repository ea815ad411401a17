//! Reports over one run, gathered from the store.

use anyhow::Result;

use super::books::Books;
use super::contacts::Contacts;
use super::review::{Comparison, compare_rows};
use crate::identity::keys::KeyKind;
use crate::model::field::{self, FieldValues};
use crate::model::mailbox::mailbox_key;
use crate::report::dropoff::{DropoffFigures, Funnel, SourceFigures, TargetFigures};
use crate::report::duplicates::{DuplicateKind, DuplicateRates, JoinedSubmission, Sent};
use crate::rules::RuleSet;
use crate::rules::target::RowsOf;
use crate::store::Store;
use crate::store::absorb::Horizon;
use crate::store::codec::decode_values;
use crate::store::listing::{CountBy, JoinEntry};
use crate::store::runs::RunRecord;

/// Returns the drop-off of `run` as it was published, as rows of text, the header first; `None` when that was not kept.
pub fn published_dropoff(run: &RunRecord) -> Result<Option<Vec<Vec<String>>>> {
    let funnel = super::books_of(run)?.funnel;
    Ok((!funnel.is_empty()).then_some(funnel))
}

/// Returns the drop-off of `run` as the store counts it today: leads that later runs changed are theirs.
pub fn dropoff_table(store: &Store, rules: &RuleSet, run: &RunRecord) -> Result<Vec<Vec<String>>> {
    let figures = dropoff_figures(store, rules, run, &super::books_of(run)?, Vec::new())?;
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
    let mut contacts = Contacts::new(store, rules, Horizon::Now)?;
    store.each_join(run.first_submission_no, |join| {
        let joined = joined(&join, rules, &mut contacts)?;
        by_source.add_duplicate(&joined.source, joined.kind);
        by_campaign.add_duplicate(&campaign_word(&joined.campaign), joined.kind);
        Ok(())
    })?;
    Ok(vec![by_source.table("source"), by_campaign.table("campaign")])
}

/// Returns what the drop-off report of `record`'s run counts; `sent` is what its targets took.
pub fn dropoff_figures(
    store: &Store,
    rules: &RuleSet,
    record: &RunRecord,
    books: &Books,
    sent: Vec<TargetFigures>,
) -> Result<DropoffFigures> {
    let run = record.no;
    let leads = store.lead_counts(run, &rules.routing.triage)?;
    let tasks = store.task_counts(run, record.as_of_ms)?;
    let by_source = store
        .source_counts(run)?
        .into_iter()
        .map(|source| SourceFigures {
            source: source.source,
            received: source.rows.read,
            created: source.rows.created,
            merged: source.rows.merged,
            repeated: source.rows.repeated,
            quarantined: source.rows.quarantined,
            held: source.rows.held,
        })
        .collect();
    Ok(DropoffFigures {
        rows: books.rows(),
        leads_total: leads.total,
        leads_touched: leads.changed,
        scored: leads.changed,
        routed_owner: leads.changed_owned,
        routed_queue: leads.changed - leads.changed_owned - leads.changed_triage,
        triage: leads.changed_triage,
        followup_open: tasks.open,
        followup_late: tasks.late,
        followup_not_allowed: tasks.not_allowed + tasks.too_old,
        sent: sent
            .into_iter()
            .map(|one| TargetFigures { unit: unit(rules, &one.target), ..one })
            .collect(),
        by_source,
        quarantine_by_code: store.counts_by(CountBy::QuarantineCode, run)?,
        held_by_reason: store.counts_by(CountBy::HoldReason, run)?,
    })
}

/// Returns what the rows of the target or endpoint called `id` are.
fn unit(rules: &RuleSet, id: &str) -> &'static str {
    let mut endpoints = rules.endpoints_of_rows();
    let of_endpoint = endpoints.find(|(endpoint, ..)| endpoint.id == id).map(|(.., target)| target);
    let target = of_endpoint.or_else(|| rules.targets.iter().find(|target| target.id == id));
    target.map_or(RowsOf::Leads, |target| target.rows_of).word()
}

/// Returns a join as the analyst reads it.
pub(super) fn joined(
    join: &JoinEntry,
    rules: &RuleSet,
    contacts: &mut Contacts<'_>,
) -> Result<JoinedSubmission> {
    let values = decode_values(&join.fields, &rules.fields)?;
    let with = decode_values(&join.with_fields, &rules.fields)?;
    let form = |values: &FieldValues| {
        values.get(field::FORM_ID).or_else(|| values.get(field::FORM_NAME)).unwrap_or("").to_owned()
    };
    let campaign = |values: &FieldValues| values.get(field::CAMPAIGN).unwrap_or("").to_owned();
    let (form, with_form) = (form(&values), form(&with));
    let (own_campaign, with_campaign) = (campaign(&values), campaign(&with));
    let kind = DuplicateKind::of(
        &Sent {
            source: &join.preset,
            form: &form,
            campaign: &own_campaign,
            at_ms: join.submitted_ms,
        },
        &Sent {
            source: &join.with_preset,
            form: &with_form,
            campaign: &with_campaign,
            at_ms: join.with_submitted_ms,
        },
    );
    let key_value = match join.kind {
        KeyKind::Phone => values.get(field::PHONE).unwrap_or("").to_owned(),
        KeyKind::Near => likeness(&compare_rows(contacts, join.joined_no, join.with_no)?),
        KeyKind::Verdict => "somebody said so".to_owned(),
        _ => values.get(field::EMAIL).map(mailbox_key).unwrap_or_default(),
    };
    Ok(JoinedSubmission {
        lead_id: join.lead,
        joined: join.joined.clone(),
        submitted_ms: join.submitted_ms,
        source: join.preset.clone(),
        campaign: own_campaign,
        kind,
        matched_key: format!("{}={key_value}", join.kind.word()),
        matched_with: join.with.clone(),
    })
}

/// Returns the bits of two rows and the fields that speak for their being one person's.
fn likeness(comparison: &Comparison) -> String {
    let speaking = comparison.reasons.iter().filter(|(_, _, bits)| *bits > 0.0);
    let fields: Vec<String> =
        speaking.map(|(field, level, _)| format!("{field} {level}")).collect();
    format!("{:+.1} bits: {}", comparison.bits, fields.join(", "))
}
