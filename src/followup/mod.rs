//! Follow-up: which tasks an enquiry sets off, by when they are due, and which must be left out.
//!
//! This room owns due times and the guards that keep mail from going where it must not: age, address,
//! consent. It must not know where tasks are kept, who owns the lead or whether it was sent. Start at
//! [`plan`].

mod due;
mod said;
mod subject_line;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use self::said::Said;
use crate::model::consent::{Channel, Verdict};
use crate::model::decision::Segment;
use crate::model::field::{self, FieldValues};
use crate::model::moment::utc_from_ms;
use crate::model::subject::Subject;
use crate::model::task::{HandedOut, PlannedTask, TaskChannel, TaskKey, TaskState};
use crate::rules::followup::{FollowupPolicy, Plan, Step, WithoutConsent};
use crate::rules::hours::BusinessHours;

/// Kinds of touches that end what waits for contact: somebody of ours has spoken with the lead, or has a date to.
///
/// A visitor may book a meeting without having spoken to anybody; it counts all the same, for nobody has to chase
/// somebody who has a date.
pub const CONTACT_TOUCHES: &[&str] =
    &["contacted", "meeting-booked", "meeting-held", "won", "lost"];

/// An enquiry that a plan answers: the submission that opened the latest cycle.
#[derive(Debug, Clone, Copy)]
pub struct Enquiry<'a> {
    /// When it was sent; the time of receipt when the source gave none.
    pub at: DateTime<Utc>,
    /// Whether the source gave it. A table without dates may be years old: nobody is mailed on a guess.
    pub is_known: bool,
    /// Which cycle of the lead it opened, counted from 1.
    pub cycle: u32,
    /// What became due of the lead's tasks before and was handed out, in order.
    pub handed_out: &'a [HandedOut],
}

/// Who answers, and by what.
#[derive(Clone, Copy)]
pub struct Answering<'a> {
    /// The plans.
    pub policy: &'a FollowupPolicy,
    /// Hours of the lead's owner, when somebody has it.
    pub owner_hours: Option<&'a BusinessHours>,
    /// The consent gate.
    pub allowed: &'a dyn Fn(&str, Channel) -> Verdict,
}

/// Returns the tasks that `enquiry` sets off, by due time, then in the plan's order.
///
/// A duplicate neither doubles nor restarts a plan, for times count from the submission that opened the cycle, and
/// the keys of the tasks are the same however often this is asked. Who never asked for anything gets none.
pub fn plan(
    enquiry: Enquiry<'_>,
    subject: &Subject<'_>,
    display_name: &str,
    segment: Segment,
    answering: Answering<'_>,
) -> Vec<PlannedTask> {
    let Answering { policy, owner_hours, allowed } = answering;
    let plan = policy.plan_for(subject, segment).filter(|_| subject.facts.n_submissions > 0);
    let Some(plan) = plan else { return Vec::new() };
    let cycle = Cycle {
        enquiry,
        contacted_at: contacted_since(enquiry.at, subject),
        said: Said::about(subject),
        subject,
        display_name,
        hours: owner_hours.unwrap_or(&policy.hours),
        policy,
        allowed,
    };
    let mut tasks: Vec<PlannedTask> = Vec::with_capacity(plan.steps.len());
    let mut above = enquiry.at;
    for step in &plan.steps {
        let (task, reached) = cycle.task(plan, step, above);
        tasks.push(task);
        above = reached;
    }
    // The sort is stable: steps due at the same instant keep the plan's order.
    tasks.sort_by_key(|task| task.due_ms);
    tasks
}

/// Returns when the latest cycle was opened, and which it is, counted from 1: the first submission, and then each that
/// comes more than `restart_after` after the one that opened the cycle before it.
///
/// The order of `submitted_at` does not matter. `None` when there is none.
pub fn latest_cycle(
    submitted_at: &[DateTime<Utc>],
    restart_after: TimeDelta,
) -> Option<(DateTime<Utc>, u32)> {
    let mut sorted = submitted_at.to_vec();
    sorted.sort_unstable();
    sorted.into_iter().fold(None, |latest, at| match latest {
        Some((opened, cycle)) if !opens_cycle(opened, at, restart_after) => Some((opened, cycle)),
        Some((_, cycle)) => Some((at, cycle + 1)),
        None => Some((at, 1)),
    })
}

/// Returns whether a submission at `at` opens a cycle anew when the one before was opened at `opened_at`.
pub fn opens_cycle(opened_at: DateTime<Utc>, at: DateTime<Utc>, restart_after: TimeDelta) -> bool {
    at.signed_duration_since(opened_at) > restart_after
}

/// Returns the language in which a lead is written to, ISO 639-1: the one it said; else the country is the best guess
/// for a greeting, then the domain.
pub fn language_of(values: &FieldValues) -> Option<&str> {
    let domain = values.get(field::EMAIL_DOMAIN).and_then(|domain| domain.rsplit('.').next());
    let likely = || match values.get(field::COUNTRY).or(domain)? {
        "PL" | "pl" => Some("pl"),
        "DE" | "AT" | "de" | "at" => Some("de"),
        _ => None,
    };
    values.get(field::LANGUAGE).or_else(likely)
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
    enquiry: Enquiry<'a>,
    contacted_at: Option<DateTime<Utc>>,
    said: Said<'a>,
    subject: &'a Subject<'a>,
    display_name: &'a str,
    hours: &'a BusinessHours,
    policy: &'a FollowupPolicy,
    allowed: &'a dyn Fn(&str, Channel) -> Verdict,
}

/// Where a step stands, and why.
struct Standing {
    channel: TaskChannel,
    state: TaskState,
    because: String,
}

impl Cycle<'_> {
    /// Returns the task that `step` makes, and the instant from which the step below counts.
    fn task(&self, plan: &Plan, step: &Step, above: DateTime<Utc>) -> (PlannedTask, DateTime<Utc>) {
        let key =
            TaskKey { plan: plan.id.clone(), step: step.id.clone(), cycle: self.enquiry.cycle };
        let (mut due, mut counted) = due::due(step, self.enquiry.at, above, self.hours);
        let done_at = self.said.done_at(&key, step.is_automatic(), self.enquiry.at);
        let (put_off, until) = self.said.snoozed(&key);
        if let Some(until) = until.filter(|_| done_at.is_none()) {
            counted = format!("put off from {} by hand", self.local(due));
            due = until;
        }
        let Standing { channel, state, because } = self.standing(&key, step, done_at, &counted);
        let values = self.subject.values;
        let language = language_of(values);
        let task = PlannedTask {
            key,
            channel,
            subject: subject_line::fill(step.subject_in(language), self.display_name, values),
            due_ms: due.timestamp_millis(),
            put_off,
            state,
            because,
            done_ms: done_at.map(|at| at.timestamp_millis()),
        };
        (task, done_at.unwrap_or(due))
    }

    /// Returns the day of `at` as the workspace's clocks show it, for that is how contacts are listed.
    fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.policy.zone).date_naive()
    }

    fn local(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.hours.zone()).format("%Y-%m-%d %H:%M").to_string()
    }

    /// Returns where the step stands, by the weightiest reason.
    fn standing(
        &self,
        key: &TaskKey,
        step: &Step,
        done_at: Option<DateTime<Utc>>,
        counted: &str,
    ) -> Standing {
        let stands = |state, because| Standing { channel: step.channel, state, because };
        if let Some(at) = done_at {
            return stands(TaskState::Done, format!("done on {}", self.local(at)));
        }
        if let Some(at) = self.contacted_at.filter(|_| step.unless_contacted) {
            return stands(TaskState::Superseded, format!("contacted on {}", self.day(at)));
        }
        if let Some(plan) = self.sent_by_another_plan(key, step) {
            return stands(TaskState::Superseded, format!("plan {plan} has sent it already"));
        }
        if !step.when.matches(self.subject) {
            let misses = step.when.misses(self.subject).join("; ");
            return stands(TaskState::NotNeeded, misses);
        }
        if let Some(lacking) = self.lacking_address(step.channel) {
            return stands(TaskState::NotAllowed, lacking.to_owned());
        }
        let verdict =
            step.consent_channel().map(|channel| (self.allowed)(&step.purpose.0, channel));
        if let Some(verdict) = verdict.filter(|verdict| !verdict.allowed) {
            return match step.without_consent {
                WithoutConsent::LeaveOut => stands(TaskState::NotAllowed, verdict.because),
                WithoutConsent::Task => Standing {
                    channel: TaskChannel::Task,
                    state: TaskState::Open,
                    because: format!(
                        "not by {}: {}; somebody decides; {counted}",
                        step.channel.word(),
                        verdict.because
                    ),
                },
            };
        }
        match self.too_old(step) {
            Some(because) => stands(TaskState::TooOld, because),
            None => stands(TaskState::Open, format!("{}; {counted}", step.because)),
        }
    }

    /// Returns the plan under which the same mail or message went out in this cycle: who moves to another segment
    /// is not thanked twice.
    fn sent_by_another_plan(&self, key: &TaskKey, step: &Step) -> Option<&str> {
        let since = self.enquiry.at.timestamp_millis();
        let same = |one: &&HandedOut| {
            one.key.step == key.step && one.key.plan != key.plan && one.at_ms >= since
        };
        let sent = self.enquiry.handed_out.iter().filter(|_| step.is_automatic()).find(same);
        sent.map(|one| one.key.plan.as_str())
    }

    fn too_old(&self, step: &Step) -> Option<String> {
        if !step.is_automatic() {
            return None;
        }
        if !self.enquiry.is_known {
            return Some(
                "the row does not say when the form was sent, so it may be long ago".to_owned(),
            );
        }
        let age = self.subject.as_of.signed_duration_since(self.enquiry.at);
        (age > self.policy.max_age).then(|| {
            format!(
                "the enquiry is {} old and mail goes out for {} only",
                due::about(age),
                due::words(self.policy.max_age)
            )
        })
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
