//! Leads that their owner leaves lying: when somebody's time is up, and who gets the lead then.
//!
//! An owner's time runs from when the lead became theirs, or from when we heard of an enquiry that came later.

use chrono::{DateTime, Days, TimeDelta, Utc};

use super::desk::{Desk, NoTaker};
use super::passed::{PassedOver, Why};
use super::pool::Needs;
use super::{Decision, line};
use crate::model::decision::Assignment;
use crate::model::subject::Subject;
use crate::rules::hours::day_begins;
use crate::rules::routing::{
    ESCALATED, Escalation, Owner, Queue, REASSIGNED, Reassign, RoutingPolicy, StoppedBy,
};

/// A lead's latest enquiry, which it may come back about without opening another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enquiry {
    /// When it was sent.
    pub opened_at: DateTime<Utc>,
    /// As-of of the run that heard of it first.
    pub heard_at: DateTime<Utc>,
    /// Whether somebody has been in contact since it was sent.
    pub is_contacted: bool,
    /// Whether anybody has called since, reached or not.
    pub is_called: bool,
}

/// When the time of a lead's owner is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUp {
    /// Never: no rule is about the lead, somebody has been in contact, or the enquiry will be too old by then.
    Never,
    /// At this instant, which lies ahead.
    At(DateTime<Utc>),
    /// It has been up since this instant.
    Since(DateTime<Utc>),
}

/// Returns when the time of `owner`, who has had the lead in `queue` since `since`, is up, and by which rule.
pub fn time_up<'a>(
    policy: &'a RoutingPolicy,
    subject: &Subject<'_>,
    (owner, queue): (&str, &str),
    since: DateTime<Utc>,
    enquiry: &Enquiry,
) -> (TimeUp, Option<&'a Reassign>) {
    let never = (TimeUp::Never, None);
    let Some(rule) = policy.reassign_for(subject, queue) else { return never };
    let is_touched =
        enquiry.is_contacted || (rule.stopped_by == StoppedBy::Attempt && enquiry.is_called);
    let Some(owner) = policy.owner(owner).filter(|_| !is_touched) else { return never };
    let starts = since.max(enquiry.heard_at).max(enquiry.opened_at);
    let Some(up) = rule.up_at(owner, starts) else { return never };
    let is_too_old = up.max(subject.as_of) - enquiry.opened_at > rule.max_age;
    let time_up = match up {
        _ if is_too_old => TimeUp::Never,
        up if up > subject.as_of => TimeUp::At(up),
        up => TimeUp::Since(up),
    };
    (time_up, Some(rule))
}

/// A lead whose owner's time is up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overdue<'a> {
    /// The rule.
    pub rule: &'a Reassign,
    /// The owner.
    pub owner: &'a str,
    /// The queue that the lead is in.
    pub queue: &'a str,
    /// Everybody who has had it, the latest first and none twice.
    pub had_by: &'a [String],
}

impl<'a> Overdue<'a> {
    /// Those to whom it does not go back.
    fn barred(&self) -> &'a [String] {
        &self.had_by[..self.had_by.len().min(self.rule.remember)]
    }
}

impl Decision<'_> {
    /// Gives the lead to the next of its queue's pool, else to where it is escalated; `None` leaves it with its owner,
    /// because nobody can take it over.
    pub(super) fn take_over(&self, overdue: &Overdue<'_>, desk: &mut Desk) -> Option<Assignment> {
        let queue = self.policy.queue(overdue.queue)?;
        if let Some((owner, turn)) = self.next_in(queue, overdue, desk) {
            return Some(told(REASSIGNED, overdue, queue, &owner, Some(&turn)));
        }
        match &overdue.rule.escalation {
            Escalation::Stay => None,
            Escalation::Owner(id) => {
                let may_have =
                    |owner: &&Owner| owner.active && !overdue.barred().contains(&owner.id);
                let owner = self.policy.owner(id).filter(may_have)?;
                if let Some(last) = owner.absent_until(self.subject.as_of) {
                    let (owner, detail) = (owner.id.clone(), last.to_string());
                    desk.wait(&queue.id, PassedOver { owner, why: Why::Away, detail });
                    return None;
                }
                Some(told(ESCALATED, overdue, queue, &owner.id, None))
            }
            Escalation::Queue(id) => {
                let queue = self.policy.queue(id).filter(|other| other.id != queue.id)?;
                let (owner, turn) = self.next_in(queue, overdue, desk)?;
                Some(told(ESCALATED, overdue, queue, &owner, Some(&turn)))
            }
        }
    }

    /// Whose turn it is among those who have not had the lead, and which.
    fn next_in(
        &self,
        queue: &Queue,
        overdue: &Overdue<'_>,
        desk: &mut Desk,
    ) -> Option<(String, String)> {
        let route = self.chosen_route().filter(|route| route.queue == queue.id);
        let needs = Needs::of(self.subject, queue, route).but_not(overdue.barred());
        let turn = desk.deal(self.policy, queue, &needs, self.subject.as_of, None)?;
        let round = format!("{}/{}", turn.turn, queue.turns());
        Some((turn.owner, round))
    }
}

fn told(
    route: &str,
    overdue: &Overdue<'_>,
    queue: &Queue,
    owner: &str,
    turn: Option<&str>,
) -> Assignment {
    let time = overdue.rule.time_in_words();
    let because = format!("{} had it for {time} without contact", overdue.owner);
    let mut parts =
        vec![("rule", route), ("by", &overdue.rule.id), ("queue", &queue.id), ("owner", owner)];
    parts.extend(turn.map(|turn| ("turn", turn)));
    parts.push(("because", &because));
    Assignment {
        route: route.to_owned(),
        owner: Some(owner.to_owned()),
        queue: queue.id.clone(),
        reason: line(&parts),
    }
}

/// Returns when to ask again for somebody who can take a lead over that `nobody` could at `as_of`; `None` when time
/// alone changes nothing.
pub fn next_try(
    policy: &RoutingPolicy,
    nobody: &[NoTaker],
    as_of: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let passed = nobody.iter().flat_map(|one| one.passed.iter());
    let tries = passed.filter(|one| one.why.passes()).filter_map(|one| {
        let owner = policy.owner(&one.owner)?;
        let today = as_of.with_timezone(&owner.zone).date_naive();
        let last = match one.why {
            Why::Closed => return Some(owner.hours.next_open(as_of)),
            Why::Away => owner.absent_until(as_of).unwrap_or(today),
            // A cap of any window may have room the next day.
            _ => today,
        };
        Some(day_begins(owner.zone, last.checked_add_days(Days::new(1))?))
    });
    tries.map(|at| at.max(as_of + TimeDelta::milliseconds(1))).min()
}
