//! What is older than it is to be kept: shown by a plan, taken away by an erasure like any other.

use std::collections::BTreeSet;

use anyhow::Result;

use super::Job;
use super::consents::{consents_of, contact};
use super::event::Events;
use super::forget::{Asked, Chosen, forget_chosen};
use crate::consent;
use crate::model::ids::LeadNo;
use crate::report::run_json::RunSummary;
use crate::rules::RuleSet;
use crate::rules::retention::{Afterwards, KeptThing, RetentionRule};
use crate::store::Store;
use crate::store::retention::{Due, RowPart};

/// A rule, and what it says is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The rule.
    pub rule: RetentionRule,
    /// What is due, in order of number.
    pub due: Vec<Due>,
}

/// Returns what each rule says is over by `as_of_ms`, in the order of the rules.
pub fn plan(store: &Store, rules: &RuleSet, as_of_ms: i64) -> Result<Vec<Planned>> {
    let mut planned = Vec::new();
    for rule in &rules.retention.rules {
        let mut due = Vec::new();
        for one in store.due(rule, as_of_ms)? {
            let has_it = match part_of(rule) {
                Some(part) => !store.rows_with(LeadNo(one.no), part)?.is_empty(),
                None => true,
            };
            if has_it && !agrees(store, rules, rule, &one, as_of_ms)? {
                due.push(one);
            }
        }
        planned.push(Planned { rule: rule.clone(), due });
    }
    Ok(planned)
}

/// Takes away what the rules that are on say is over, as one run; `None` when nothing is.
///
/// # Errors
/// Those of [`super::forget::forget`].
pub fn apply(job: &Job<'_>, events: Events<'_>) -> Result<Option<RunSummary>> {
    let as_of_ms = job.as_of.timestamp_millis();
    let asked = Asked { text: "retention", because: "kept as long as the rules say" };
    forget_chosen(job, asked, |store| choose(&plan(store, job.rules, as_of_ms)?, store), events)
}

/// Returns whether the lead agreed to a purpose that `rule` names, and the gate still takes it for a consent.
fn agrees(
    store: &Store,
    rules: &RuleSet,
    rule: &RetentionRule,
    due: &Due,
    as_of_ms: i64,
) -> Result<bool> {
    if rule.unless_agreed.is_empty() {
        return Ok(false);
    }
    let values = store.lead_values(LeadNo(due.no), &rules.fields)?;
    let records = consents_of(store, rules, LeadNo(due.no), as_of_ms)?;
    Ok(rule.unless_agreed.iter().any(|purpose| {
        rules.consent.asked_first(&purpose.0).any(|channel| {
            let contact = contact(&purpose.0, channel, &values);
            consent::allowed(&rules.consent, &records, contact, as_of_ms).allowed
        })
    }))
}

fn part_of(rule: &RetentionRule) -> Option<RowPart> {
    match rule.then {
        Afterwards::Forget => None,
        Afterwards::StripRaw => Some(RowPart::Raw),
        Afterwards::StripIp => Some(RowPart::Ip),
    }
}

fn choose(planned: &[Planned], store: &Store) -> Result<Chosen> {
    let mut chosen = Chosen::default();
    for one in planned.iter().filter(|one| one.rule.is_on) {
        let numbers = one.due.iter().map(|due| due.no);
        match (one.rule.of, part_of(&one.rule)) {
            (KeptThing::Quarantine, _) => chosen.quarantined.extend(numbers),
            (KeptThing::Held, _) => chosen.held.extend(numbers),
            (KeptThing::Leads, None) => chosen.leads.extend(numbers.map(LeadNo)),
            (KeptThing::Leads, Some(part)) => {
                for lead in numbers {
                    let rows = store.rows_with(LeadNo(lead), part)?;
                    match part {
                        RowPart::Raw => chosen.without_raw.extend(rows),
                        RowPart::Ip => chosen.without_ip.extend(rows),
                    }
                }
            }
        }
    }
    let leads: BTreeSet<LeadNo> = chosen.leads.drain(..).collect();
    chosen.leads = leads.into_iter().collect();
    Ok(chosen)
}
