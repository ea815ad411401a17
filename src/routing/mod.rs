//! Routing: every lead gets an owner or at least a queue, and one line that says why.
//!
//! This room owns the choice of a route, who of a pool may take a lead and whose turn it is, and the rule
//! that a returning lead keeps its owner. It must not know where turns and loads are kept or what an owner
//! does with a lead. Start at [`choose`], which looks at one lead alone and may run on any thread, and
//! [`assign`], which deals from a [`Desk`] and runs one lead after the other.

mod again;
mod desk;
mod loads;
mod overdue;
mod passed;
mod pool;
mod rotation;

use std::borrow::Cow;

use crate::model::decision::Assignment;
use crate::model::subject::Subject;
use crate::rules::condition::Lens;
use crate::rules::routing::{Owner, Route, RoutingPolicy, STICKY, TRIAGE, WhenAway};

use self::pool::Needs;

pub use again::assign_again;
pub use desk::{AccountClaim, Dealt, Desk, NoTaker};
pub use loads::{LoadEntry, Loads};
pub use overdue::{Enquiry, Overdue, TimeUp, next_try, time_up};
pub use passed::{Passed, PassedOver, Why};
pub use rotation::{Pool, RotationEntry, TurnTaken};

/// Characters of a value that a routing reason shows.
const REASON_VALUE_CHARS_MAX: usize = 60;

/// Returns the position of the first route that takes the lead; `None` when none does.
pub fn choose(subject: &Subject<'_>, policy: &RoutingPolicy) -> Option<usize> {
    next_route(0, subject, policy)
}

fn next_route(from: usize, subject: &Subject<'_>, policy: &RoutingPolicy) -> Option<usize> {
    let below = policy.routes.get(from..)?;
    let lens = Lens::new(subject);
    below.iter().position(|route| route.when.matches_through(&lens)).map(|offset| from + offset)
}

/// Returns how many routes may be asked about the lead, of which [`choose`] found `chosen`: a route that lets leads
/// pass which nobody takes hands them on.
pub fn routes_asked(chosen: Option<usize>, subject: &Subject<'_>, policy: &RoutingPolicy) -> usize {
    let mut at = chosen;
    while let Some(position) = at {
        if !policy.lets_pass(&policy.routes[position]) {
            return position + 1;
        }
        at = next_route(position + 1, subject, policy);
    }
    policy.routes.len()
}

/// Whom a lead knows already; the first of them counts most.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Claims<'a> {
    /// The owner whom the lead had, when their time with it is up.
    pub overdue: Option<Overdue<'a>>,
    /// Id of the owner that the lead had.
    pub owner: Option<&'a str>,
    /// The queue in which it was last with that owner.
    pub queue: Option<&'a str>,
    /// Whether it may stay with them where the policy lets it.
    pub may_keep: bool,
    /// What the CRM that it was exported from calls its owner.
    pub crm_owner: Option<&'a str>,
    /// Who has other leads of its company; asked where a turn would decide.
    pub account: Option<&'a AccountClaim>,
}

/// Returns who gets the lead, dealing from `desk` when a queue decides.
///
/// `chosen` is what [`choose`] found. Leads must be assigned in a fixed order: turns and loads depend on it.
///
/// # Panics
/// If the lead would end without a queue; `RoutingPolicy::decode` rejects rules that could do that.
pub fn assign(
    chosen: Option<usize>,
    subject: &Subject<'_>,
    policy: &RoutingPolicy,
    claims: Claims<'_>,
    desk: &mut Desk,
) -> Assignment {
    if let Some(assignment) = take_over(chosen, subject, policy, claims, desk) {
        return assignment;
    }
    let decision = Decision { chosen, subject, policy };
    let assignment = match (returning(policy, claims), claims.account) {
        (Some(claim), _) => decision.keep_or_pass_on(&claim, desk),
        (None, Some(account)) if decision.goes_by_turns() => {
            desk.ask_account(account);
            let because = format!("owner of other leads at {}", account.at);
            let owner = policy.owner(&account.owner);
            let claim = Claim { id: &account.owner, owner, queue: None, because: because.into() };
            decision.keep_or_pass_on(&claim, desk)
        }
        (None, _) => decision.route(&[], desk),
    };
    assert!(!assignment.queue.is_empty(), "a lead was routed to no queue: {}", assignment.reason);
    let is_work = is_work(&assignment, subject);
    let arrives = |owner: &&str| is_work && claims.owner != Some(*owner);
    if let Some(owner) = assignment.owner.as_deref().filter(arrives) {
        desk.arrive(&assignment.queue, owner);
    }
    assignment
}

/// Returns who takes the lead over from the owner whose time with it is up; `None` when it is not, or nobody can.
pub fn take_over(
    chosen: Option<usize>,
    subject: &Subject<'_>,
    policy: &RoutingPolicy,
    claims: Claims<'_>,
    desk: &mut Desk,
) -> Option<Assignment> {
    let overdue = claims.overdue?;
    let assignment = Decision { chosen, subject, policy }.take_over(&overdue, desk)?;
    desk.arrive(&assignment.queue, assignment.owner.as_deref()?);
    Some(assignment)
}

/// Returns whether the lead is something to do for its owner. Whom only a list knows, and who is where the CRM has
/// them, is not: else the export of a CRM would fill the caps of a whole team.
pub fn is_work(assignment: &Assignment, subject: &Subject<'_>) -> bool {
    subject.facts.n_submissions > 0 || assignment.route != STICKY
}

/// An owner the lead had before.
struct Claim<'a> {
    id: &'a str,
    owner: Option<&'a Owner>,
    /// The queue in which they had it.
    queue: Option<&'a str>,
    because: Cow<'a, str>,
}

fn returning<'a>(policy: &'a RoutingPolicy, claims: Claims<'a>) -> Option<Claim<'a>> {
    let rules = policy.returning;
    if let Some(id) = claims.owner.filter(|_| rules.keep_owner && claims.may_keep) {
        let (owner, queue) = (policy.owner(id), claims.queue);
        return Some(Claim { id, owner, queue, because: "returning lead".into() });
    }
    let owner = policy.owner_named(claims.crm_owner.filter(|_| rules.keep_crm_owner)?)?;
    let queue = claims.queue.filter(|_| claims.owner == Some(&owner.id));
    Some(Claim { id: &owner.id, owner: Some(owner), queue, because: "owner in the CRM".into() })
}

/// What is known about a lead before its owner is.
struct Decision<'a> {
    chosen: Option<usize>,
    subject: &'a Subject<'a>,
    policy: &'a RoutingPolicy,
}

impl<'a> Decision<'a> {
    fn chosen_route(&self) -> Option<&'a Route> {
        self.chosen.map(|position| &self.policy.routes[position])
    }

    /// Whether the lead's route leads to a pool, rather than to one person or to nobody in particular.
    fn goes_by_turns(&self) -> bool {
        let queue = self.chosen_route().map_or(&self.policy.triage, |route| &route.queue);
        self.chosen_route().is_none_or(|route| route.owner.is_none())
            && self.policy.queue(queue).is_some_and(|queue| !queue.pool.is_empty())
    }

    fn keep_or_pass_on(&self, claim: &Claim<'_>, desk: &mut Desk) -> Assignment {
        let away = match claim.owner {
            None => Some("no longer in the team".to_owned()),
            Some(owner) => owner.away(self.subject.as_of),
        };
        let (Some(owner), None) = (claim.owner, &away) else {
            return self.pass_on(claim, &away.unwrap_or_default(), desk);
        };
        self.sticky(owner, claim, &claim.because)
    }

    fn pass_on(&self, claim: &Claim<'_>, away: &str, desk: &mut Desk) -> Assignment {
        match (self.policy.returning.when_away, claim.owner) {
            (WhenAway::Keep, Some(owner)) => {
                self.sticky(owner, claim, &format!("{}, though {away}", claim.because))
            }
            (WhenAway::Queue, _) => {
                let queue = self.queue_of(claim);
                desk.wait(queue, self.waited_for(claim));
                let reason = line(&[
                    ("rule", STICKY),
                    ("because", &format!("owner {} {away}", claim.id)),
                    ("queue", queue),
                ]);
                Assignment {
                    route: STICKY.to_owned(),
                    owner: None,
                    queue: queue.to_owned(),
                    reason,
                }
            }
            _ => self.route(&[("instead-of", claim.id), ("because", away)], desk),
        }
    }

    /// Who is not there: whom the lead waits for, or somebody who will not be back.
    fn waited_for(&self, claim: &Claim<'_>) -> PassedOver {
        let active = claim.owner.filter(|owner| owner.active);
        let last = active.and_then(|owner| owner.absent_until(self.subject.as_of));
        PassedOver {
            owner: claim.id.to_owned(),
            why: last.map_or(Why::Inactive, |_| Why::WaitedFor),
            detail: last.map(|last| last.to_string()).unwrap_or_default(),
        }
    }

    fn sticky(&self, owner: &Owner, claim: &Claim<'_>, because: &str) -> Assignment {
        let queue = self.queue_of(claim);
        let reason =
            line(&[("rule", STICKY), ("owner", &owner.id), ("because", because), ("queue", queue)]);
        Assignment {
            route: STICKY.to_owned(),
            owner: Some(owner.id.clone()),
            queue: queue.to_owned(),
            reason,
        }
    }

    /// The route's queue when the owner serves it, else that in which they had the lead, else the first that they
    /// serve, else the route's.
    fn queue_of(&self, claim: &Claim<'_>) -> &'a str {
        let chosen = self.chosen_route().map_or(&self.policy.triage, |route| &route.queue);
        if self.policy.queue(chosen).is_some_and(|queue| queue.is_served_by(claim.id)) {
            return chosen;
        }
        let before = claim.queue.and_then(|queue| self.policy.queue(queue));
        before.or_else(|| self.policy.queue_of(claim.id)).map_or(chosen, |queue| &queue.id)
    }

    /// Goes from route to route until somebody takes the lead or it waits; in the end it is in triage.
    fn route(&self, notes: &[(&str, &str)], desk: &mut Desk) -> Assignment {
        let mut passed: Vec<&str> = Vec::new();
        let mut at = self.chosen;
        let (route, taken) = loop {
            let Some(position) = at else {
                break (None, self.taker(None, &self.policy.triage, desk));
            };
            let route = &self.policy.routes[position];
            let taken = self.taker(Some(route), &route.queue, desk);
            if taken.is_some() || !self.policy.lets_pass(route) {
                break (Some(route), taken);
            }
            passed.push(&route.id);
            at = next_route(position + 1, self.subject, self.policy);
        };
        let passed = passed.join(", ");
        let mut notes = notes.to_vec();
        if !passed.is_empty() {
            notes.push((PASSED, &passed));
        }
        self.assignment(route, taken, &notes)
    }

    fn assignment(
        &self,
        route: Option<&Route>,
        taken: Option<Taken>,
        notes: &[(&str, &str)],
    ) -> Assignment {
        let name = route.map_or(TRIAGE, |route| &route.id);
        let queue = route.map_or(&self.policy.triage, |route| &route.queue);
        let witness = route.map(|route| route.when.witness(self.subject)).unwrap_or_default();
        let score = self.subject.facts.score.map(|score| score.to_string());
        let mut parts: Vec<(&str, &str)> = vec![("rule", name)];
        parts.extend(witness.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        if let Some(score) = score.as_deref().filter(|_| !has(&parts, "score")) {
            parts.push(("score", score));
        }
        parts.push(("queue", queue));
        if let Some(taken) = &taken {
            parts.push(("owner", &taken.owner));
            parts.extend(taken.turn.as_deref().map(|turn| ("turn", turn)));
        }
        parts.extend(notes);
        if taken.is_none() && !has(&parts, "because") {
            let is_served = route.is_some_and(|route| route.owner.is_some())
                || self.policy.queue(queue).is_some_and(|queue| !queue.pool.is_empty());
            if is_served || has(&parts, PASSED) {
                parts.push(("because", "nobody is available"));
            } else if route.is_none() {
                parts.push(("because", "no route matched"));
            }
        }
        Assignment {
            route: name.to_owned(),
            reason: line(&parts),
            queue: queue.to_owned(),
            owner: taken.map(|taken| taken.owner),
        }
    }

    /// The person the route names, else whose turn it is.
    fn taker(&self, route: Option<&Route>, queue: &str, desk: &mut Desk) -> Option<Taken> {
        let as_of = self.subject.as_of;
        let named = route.and_then(|route| route.owner.as_deref());
        let named = named.and_then(|id| self.policy.owner(id));
        if let Some(owner) = named.filter(|owner| owner.away(as_of).is_none()) {
            return Some(Taken { owner: owner.id.clone(), turn: None });
        }
        let besides = named.map(|owner| {
            let until = owner.absent_until(as_of).filter(|_| owner.active);
            let why = until.map_or(Why::Inactive, |_| Why::Away);
            let detail = until.map(|last| last.to_string()).unwrap_or_default();
            PassedOver { owner: owner.id.clone(), why, detail }
        });
        let queue = self.policy.queue(queue)?;
        let needs = Needs::of(self.subject, queue, route);
        let turn = desk.deal(self.policy, queue, &needs, as_of, besides)?;
        let round = format!("{}/{}", turn.turn, queue.turns());
        Some(Taken { owner: turn.owner, turn: Some(round) })
    }
}

/// Names the routes whose queue had nobody for the lead, in a reason.
const PASSED: &str = "passed";

struct Taken {
    owner: String,
    turn: Option<String>,
}

fn has(parts: &[(&str, &str)], name: &str) -> bool {
    parts.iter().any(|(known, _)| *known == name)
}

/// Joins the parts as `name=value; name=value`; what would break the line in a value becomes a space.
fn line(parts: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in parts {
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(name);
        text.push('=');
        let plain = |c: char| if c.is_control() || c == ';' { ' ' } else { c };
        text.extend(value.chars().take(REASON_VALUE_CHARS_MAX).map(plain));
        if value.chars().nth(REASON_VALUE_CHARS_MAX).is_some() {
            text.push('…');
        }
    }
    text
}

#[cfg(test)]
mod tests;
