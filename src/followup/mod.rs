//! Follow-up: which tasks an enquiry sets off, by when they are due, and which must be left out.
//!
//! This room owns due times and the guards that keep mail from going where it must not: age, address,
//! consent. It must not know where tasks are kept, who owns the lead or whether it was sent. Start at
//! [`plan`].

mod due;
mod subject_line;

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::consent::{Channel, Verdict};
use crate::model::decision::Segment;
use crate::model::field::{self, FieldValues};
use crate::model::moment::utc_from_ms;
use crate::model::subject::Subject;
use crate::model::task::{PlannedTask, TaskChannel, TaskState};
use crate::rules::followup::{FollowupPolicy, Plan, Step};
use crate::rules::hours::BusinessHours;

/// Kinds of touches that end what waits for contact: somebody of ours has spoken with the lead, or has a date to.
///
/// A visitor may book a meeting without having spoken to anybody; it counts all the same, for nobody has to chase
/// somebody who has a date.
pub const CONTACT_TOUCHES: &[&str] =
    &["contacted", "meeting-booked", "meeting-held", "won", "lost"];

/// Returns the tasks that the lead's latest enquiry sets off, by due time, then in the plan's order.
///
/// Times count from the submission that opened the cycle (see [`cycle_opened_at`]), of which the
/// subject's facts know the first and the last: a duplicate neither doubles nor restarts the plan.
/// `owner_hours` are those of the lead's owner, `allowed` is the consent gate. The keys of the tasks
/// (plan and step) are the same however often this is asked.
pub fn plan(
    subject: &Subject<'_>,
    display_name: &str,
    segment: Segment,
    owner_hours: Option<&BusinessHours>,
    policy: &FollowupPolicy,
    allowed: &dyn Fn(&str, Channel) -> Verdict,
) -> Vec<PlannedTask> {
    let facts = subject.facts;
    let known = [facts.first_submitted_at, facts.last_submitted_at];
    let at = cycle_opened_at(&known, policy.restart_after).unwrap_or(subject.as_of);
    let opening = Opening { at, is_known: true };
    plan_from(opening, subject, display_name, segment, owner_hours, policy, allowed)
}

/// When an enquiry opened a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The instant; the time of receipt when the source gave none.
    pub at: DateTime<Utc>,
    /// Whether the source gave it. A table without dates may be years old: nobody is mailed on a guess.
    pub is_known: bool,
}

/// Returns the same as [`plan`] for a cycle whose `opening` is known.
pub fn plan_from(
    opening: Opening,
    subject: &Subject<'_>,
    display_name: &str,
    segment: Segment,
    owner_hours: Option<&BusinessHours>,
    policy: &FollowupPolicy,
    allowed: &dyn Fn(&str, Channel) -> Verdict,
) -> Vec<PlannedTask> {
    let Some(plan) = policy.plan_for(subject, segment) else { return Vec::new() };
    let cycle = Cycle {
        opened_at: opening.at,
        is_time_known: opening.is_known,
        contacted_at: contacted_since(opening.at, subject),
        subject,
        display_name,
        hours: owner_hours.unwrap_or(&policy.hours),
        policy,
        allowed,
    };
    let mut tasks: Vec<PlannedTask> =
        plan.steps.iter().map(|step| cycle.task(plan, step)).collect();
    // The sort is stable: steps due at the same instant keep the plan's order.
    tasks.sort_by_key(|task| task.due_ms);
    tasks
}

/// Returns when the latest cycle was opened: the first submission, and then each that comes more than
/// `restart_after` after the one that opened the cycle before it.
///
/// The order of `submitted_at` does not matter. `None` when there is none.
pub fn cycle_opened_at(
    submitted_at: &[DateTime<Utc>],
    restart_after: TimeDelta,
) -> Option<DateTime<Utc>> {
    let mut sorted = submitted_at.to_vec();
    sorted.sort_unstable();
    sorted.into_iter().fold(None, |opened, at| match opened {
        Some(opened) if !opens_cycle(opened, at, restart_after) => Some(opened),
        _ => Some(at),
    })
}

/// Returns whether a submission at `at` opens a cycle anew when the one before was opened at `opened_at`.
pub fn opens_cycle(opened_at: DateTime<Utc>, at: DateTime<Utc>, restart_after: TimeDelta) -> bool {
    at.signed_duration_since(opened_at) > restart_after
}

fn contacted_since(opened_at: DateTime<Utc>, subject: &Subject<'_>) -> Option<DateTime<Utc>> {
    let since = opened_at.timestamp_millis();
    subject
        .touches
        .iter()
        .filter(|touch| CONTACT_TOUCHES.contains(&touch.kind.as_str()))
        .filter(|touch| touch.at_ms >= since && touch.at_ms <= subject.as_of.timestamp_millis())
        .map(|touch| utc_from_ms(touch.at_ms))
        .min()
}

struct Cycle<'a> {
    opened_at: DateTime<Utc>,
    is_time_known: bool,
    contacted_at: Option<DateTime<Utc>>,
    subject: &'a Subject<'a>,
    display_name: &'a str,
    hours: &'a BusinessHours,
    policy: &'a FollowupPolicy,
    allowed: &'a dyn Fn(&str, Channel) -> Verdict,
}

/// Without a word about language, the country is the best guess for a greeting, then the domain.
fn likely_language(values: &FieldValues) -> Option<&'static str> {
    let domain = values.get(field::EMAIL_DOMAIN).and_then(|domain| domain.rsplit('.').next());
    match values.get(field::COUNTRY).or(domain)? {
        "PL" | "pl" => Some("pl"),
        "DE" | "AT" | "de" | "at" => Some("de"),
        _ => None,
    }
}

impl Cycle<'_> {
    fn task(&self, plan: &Plan, step: &Step) -> PlannedTask {
        let (due, counted) = due::due(step.window, step.after, self.opened_at, self.hours);
        let (state, because) = match self.left_out(step) {
            Some(left_out) => left_out,
            None => (TaskState::Open, format!("{}; {counted}", step.because)),
        };
        let values = self.subject.values;
        let language = values.get(field::LANGUAGE).or_else(|| likely_language(values));
        PlannedTask {
            step: step.id.clone(),
            plan: plan.id.clone(),
            channel: step.channel,
            subject: subject_line::fill(
                step.subject_in(language),
                self.display_name,
                self.subject.values,
            ),
            due_ms: due.timestamp_millis(),
            state,
            because,
        }
    }

    /// Returns why the step is not to be done, the weightiest reason first.
    fn left_out(&self, step: &Step) -> Option<(TaskState, String)> {
        let done = self.contacted_at.filter(|_| step.unless_contacted);
        if let Some(at) = done {
            return Some((TaskState::Superseded, format!("contacted on {}", at.date_naive())));
        }
        if let Some(lacking) = self.lacking_address(step.channel) {
            return Some((TaskState::NotAllowed, lacking.to_owned()));
        }
        if let Some(channel) = step.consent_channel() {
            let verdict = (self.allowed)(&step.purpose.0, channel);
            if !verdict.allowed {
                return Some((TaskState::NotAllowed, verdict.because));
            }
        }
        if step.is_automatic() && !self.is_time_known {
            let because = "the row does not say when the form was sent, so it may be long ago";
            return Some((TaskState::TooOld, because.to_owned()));
        }
        let age = self.subject.as_of.signed_duration_since(self.opened_at);
        if step.is_automatic() && age > self.policy.max_age {
            let because = format!(
                "the enquiry is {} old and mail goes out for {} only",
                due::words(age),
                due::words(self.policy.max_age)
            );
            return Some((TaskState::TooOld, because));
        }
        None
    }

    fn lacking_address(&self, channel: TaskChannel) -> Option<&'static str> {
        let values = self.subject.values;
        let has = |wanted| values.get(wanted).is_some();
        match channel {
            TaskChannel::Email if !has(field::EMAIL) => Some("no e-mail address"),
            TaskChannel::Email if values.is_true(field::EMAIL_IS_DISPOSABLE) => {
                Some("the e-mail address is a throw-away one")
            }
            TaskChannel::Email if values.is_true(field::EMAIL_IS_UNDELIVERABLE) => {
                Some("mail to the address came back for good")
            }
            TaskChannel::Call | TaskChannel::Sms if !has(field::PHONE) => Some("no phone number"),
            TaskChannel::Sms if values.get(field::PHONE_TYPE) == Some("fixed") => {
                Some("a landline takes no text messages")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
