//! Whether something may still be sent, asked just before it is.

use anyhow::Result;

use crate::model::consent::Channel;
use crate::model::field;
use crate::model::ids::{LeadId, RunNo};
use crate::model::lead::Lead;
use crate::model::task::{TaskKey, TaskState};
use crate::pipeline::deliveries::said;
use crate::pipeline::publish::{read_as, rule_no};
use crate::rules::RuleSet;
use crate::rules::outbox::{Endpoint, SmtpEndpoint, Wire};
use crate::store::Store;

/// What is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Id of the item.
    pub(super) item: &'a str,
    /// Id of its lead; empty where there is none.
    pub(super) lead_id: &'a str,
    /// The address that a mail goes to; empty elsewhere.
    pub(super) recipient: &'a str,
    /// When it was laid down, milliseconds since 1970 UTC.
    pub(super) queued_ms: i64,
}

/// Why something is not sent any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Barred {
    /// For programs.
    pub(super) code: &'static str,
    /// For people.
    pub(super) because: &'static str,
}

const GONE: Barred = Barred { code: "gone", because: "the lead is in no list any more" };
const MERGED: Barred = Barred { code: "merged", because: "the lead was merged into another" };
const NOT_ALLOWED: Barred =
    Barred { code: "not-allowed", because: "the consent that it needs is not there any more" };
const CLOSED: Barred = Barred { code: "task-closed", because: "its task is not open any more" };
const TOO_OLD: Barred = Barred { code: "too-old", because: "it was due too long ago" };
const ELSEWHERE: Barred =
    Barred { code: "other-address", because: "the lead has another address now" };

/// Returns why `asked` may not be sent to `endpoint` at `now_ms`; none when it may.
///
/// What is about no lead may always be sent, but for a mail that was meant for another day.
pub(super) fn barred(
    store: &Store,
    rules: &RuleSet,
    endpoint: &Endpoint,
    asked: Asked<'_>,
    now_ms: i64,
) -> Result<Option<Barred>> {
    if asked.lead_id.is_empty() {
        let max_age = endpoint.smtp().map(|smtp| smtp.max_age.num_milliseconds());
        let is_too_old = max_age.is_some_and(|max_age| now_ms - asked.queued_ms > max_age);
        return Ok(is_too_old.then_some(TOO_OLD));
    }
    let found = match asked.lead_id.parse::<LeadId>() {
        Ok(id) => store.lead_by_id(id)?,
        Err(_) => None,
    };
    let Some(no) = found else { return Ok(Some(GONE)) };
    let rule_no = |id: &str| rule_no(rules, id);
    let lead = store.lead(no, read_as(rules, &rule_no, RunNo(0)))?;
    if lead.id.to_string() != asked.lead_id {
        return Ok(Some(MERGED));
    }
    match &endpoint.wire {
        Wire::Http(http) => {
            let target = http.target.as_deref().and_then(|id| rules.targets.get(id));
            let Some(target) = target else { return Ok(None) };
            let said = said(store, rules, &lead, &target.only_with_consent, now_ms)?;
            Ok((!said.iter().all(|(.., allowed)| *allowed)).then_some(NOT_ALLOWED))
        }
        Wire::Smtp(smtp) => barred_mail(store, rules, smtp, &lead, asked, now_ms),
    }
}

/// A mail is barred with its task, too: somebody may have done it, or reached the lead otherwise.
fn barred_mail(
    store: &Store,
    rules: &RuleSet,
    smtp: &SmtpEndpoint,
    lead: &Lead,
    asked: Asked<'_>,
    now_ms: i64,
) -> Result<Option<Barred>> {
    let key = asked.item.split_once('/').and_then(|(_, key)| key.parse::<TaskKey>().ok());
    let Some(key) = key else { return Ok(Some(CLOSED)) };
    let tasks = store.tasks_of(lead.no, now_ms)?;
    let task = tasks.into_iter().find(|task| task.planned.key == key);
    let Some(task) = task.filter(|task| task.planned.state == TaskState::Open) else {
        return Ok(Some(CLOSED));
    };
    if now_ms - task.planned.due_ms > smtp.max_age.num_milliseconds() {
        return Ok(Some(TOO_OLD));
    }
    if lead.values.get(field::EMAIL) != Some(asked.recipient) {
        return Ok(Some(ELSEWHERE));
    }
    let Some(step) = rules.followup.step(&key) else { return Ok(Some(CLOSED)) };
    let asks = [(step.purpose.clone(), Channel::Email)];
    let said = said(store, rules, lead, &asks, now_ms)?;
    Ok((!said.iter().all(|(.., allowed)| *allowed)).then_some(NOT_ALLOWED))
}
