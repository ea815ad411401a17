//! Routing: every lead gets an owner or at least a queue, and one line that says why.
//!
//! This room owns the choice of a route, the rotation in a queue and the rule that a returning lead
//! keeps its owner. It must not know where the rotation is kept or what an owner does with a lead.
//! Start at [`choose`], which looks at one lead alone and may run on any thread, and [`assign`], which
//! takes turns and runs one lead after the other.

mod again;
mod rotation;

use crate::model::decision::Assignment;
use crate::model::subject::Subject;
use crate::rules::condition::Condition;
use crate::rules::routing::{Owner, Queue, RoutingPolicy, STICKY, TRIAGE, WhenAway};

pub use again::assign_again;
pub use rotation::{Pool, Rotation, RotationEntry, TurnTaken};

/// Characters of a value that a routing reason shows.
const REASON_VALUE_CHARS_MAX: usize = 60;

/// Which route takes a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Position of the route in the policy; `None` when no route takes it and it goes to triage.
    pub route: Option<usize>,
    /// Positions of the routes above it that did not match.
    pub tried: Vec<usize>,
}

/// Returns the first route that takes the lead.
pub fn choose(subject: &Subject<'_>, policy: &RoutingPolicy) -> Choice {
    let route = policy.routes.iter().position(|route| route.when.matches(subject));
    Choice { route, tried: (0..route.unwrap_or(policy.routes.len())).collect() }
}

/// Returns the routes that did not match: the id of each and what the lead has of what it looks at.
pub fn explain_tried(
    choice: &Choice,
    subject: &Subject<'_>,
    policy: &RoutingPolicy,
) -> Vec<(String, String)> {
    let tried = choice.tried.iter().map(|position| &policy.routes[*position]);
    tried
        .map(|route| {
            let witness = route.when.witness(subject);
            let parts: Vec<(&str, &str)> =
                witness.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            (route.id.clone(), line(&parts))
        })
        .collect()
}

/// Returns who gets the lead, taking a turn of `rotation` when a queue decides.
///
/// `previous_owner` is the id of the owner the lead had, `crm_owner` what the CRM it was exported from
/// calls its owner; the former counts more. Leads must be assigned in a fixed order: the turns depend
/// on it.
///
/// # Panics
/// If the lead would end without a queue; `RoutingPolicy::decode` rejects rules that could do that.
pub fn assign(
    choice: &Choice,
    subject: &Subject<'_>,
    policy: &RoutingPolicy,
    previous_owner: Option<&str>,
    crm_owner: Option<&str>,
    rotation: &mut Rotation,
) -> Assignment {
    let decision = Decision::new(choice, subject, policy);
    let assignment = match returning(policy, previous_owner, crm_owner) {
        Some(claim) => decision.keep_or_pass_on(&claim, rotation),
        None => decision.route(Vec::new(), rotation),
    };
    assert!(!assignment.queue.is_empty(), "a lead was routed to no queue: {}", assignment.reason);
    assignment
}

/// An owner the lead had before.
struct Claim<'a> {
    id: &'a str,
    owner: Option<&'a Owner>,
    because: &'static str,
}

fn returning<'a>(
    policy: &'a RoutingPolicy,
    previous_owner: Option<&'a str>,
    crm_owner: Option<&'a str>,
) -> Option<Claim<'a>> {
    let rules = policy.returning;
    if let Some(id) = previous_owner.filter(|_| rules.keep_owner) {
        return Some(Claim { id, owner: policy.owner(id), because: "returning lead" });
    }
    let owner = policy.owner_named(crm_owner.filter(|_| rules.keep_crm_owner)?)?;
    Some(Claim { id: &owner.id, owner: Some(owner), because: "owner in the CRM" })
}

/// What is known about a lead before its owner is.
struct Decision<'a> {
    subject: &'a Subject<'a>,
    policy: &'a RoutingPolicy,
    route: &'a str,
    when: Option<&'a Condition>,
    queue: &'a str,
    named: Option<&'a str>,
}

impl<'a> Decision<'a> {
    fn new(choice: &Choice, subject: &'a Subject<'a>, policy: &'a RoutingPolicy) -> Self {
        let Some(route) = choice.route.map(|position| &policy.routes[position]) else {
            let queue = &policy.triage;
            return Self { subject, policy, route: TRIAGE, when: None, queue, named: None };
        };
        Self {
            subject,
            policy,
            route: &route.id,
            when: Some(&route.when),
            queue: &route.queue,
            named: route.owner.as_deref(),
        }
    }

    fn keep_or_pass_on(&self, claim: &Claim<'_>, rotation: &mut Rotation) -> Assignment {
        let away = match claim.owner {
            None => Some("no longer in the team".to_owned()),
            Some(owner) => owner.away(self.subject.as_of),
        };
        let (Some(owner), None) = (claim.owner, &away) else {
            return self.pass_on(claim, &away.unwrap_or_default(), rotation);
        };
        self.sticky(owner, claim.because)
    }

    fn pass_on(&self, claim: &Claim<'_>, away: &str, rotation: &mut Rotation) -> Assignment {
        match (self.policy.returning.when_away, claim.owner) {
            (WhenAway::Keep, Some(owner)) => {
                self.sticky(owner, &format!("{}, though {away}", claim.because))
            }
            (WhenAway::Queue, _) => {
                let queue = self.queue_of(claim.id);
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
            _ => self.route(vec![("instead-of", claim.id), ("because", away)], rotation),
        }
    }

    fn sticky(&self, owner: &Owner, because: &str) -> Assignment {
        let queue = self.queue_of(&owner.id);
        let reason =
            line(&[("rule", STICKY), ("owner", &owner.id), ("because", because), ("queue", queue)]);
        Assignment {
            route: STICKY.to_owned(),
            owner: Some(owner.id.clone()),
            queue: queue.to_owned(),
            reason,
        }
    }

    /// The route's queue when the owner serves it, else the first that they serve, else the route's.
    fn queue_of(&self, owner: &str) -> &'a str {
        let serves = self.policy.queue(self.queue).is_some_and(|queue| queue.is_served_by(owner));
        match self.policy.queue_of(owner) {
            Some(queue) if !serves => &queue.id,
            _ => self.queue,
        }
    }

    fn route(&self, notes: Vec<(&str, &str)>, rotation: &mut Rotation) -> Assignment {
        let witness = self.when.map(|when| when.witness(self.subject)).unwrap_or_default();
        let score = self.subject.facts.score.map(|score| score.to_string());
        let mut parts: Vec<(&str, &str)> = vec![("rule", self.route)];
        parts.extend(witness.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        if let Some(score) = score.as_deref().filter(|_| !has(&parts, "score")) {
            parts.push(("score", score));
        }
        parts.push(("queue", self.queue));

        let taken = self.owner(rotation);
        let turn = taken.as_ref().and_then(|taken| taken.turn.as_deref());
        match &taken {
            Some(taken) => parts.push(("owner", &taken.owner)),
            None if self.when.is_none() => parts.push(("because", "no route matched")),
            None => {}
        }
        parts.extend(turn.map(|turn| ("turn", turn)));
        parts.extend(notes);
        let everybody_away = taken.is_none() && self.has_pool() && !has(&parts, "because");
        if everybody_away {
            parts.push(("because", "nobody is available"));
        }
        Assignment {
            route: self.route.to_owned(),
            reason: line(&parts),
            owner: taken.map(|taken| taken.owner),
            queue: self.queue.to_owned(),
        }
    }

    fn has_pool(&self) -> bool {
        self.policy.queue(self.queue).is_some_and(|queue| !queue.pool.is_empty())
    }

    /// The person the route names, else whose turn it is.
    fn owner(&self, rotation: &mut Rotation) -> Option<Taken> {
        if let Some(owner) = self.named.and_then(|id| self.policy.owner(id))
            && owner.away(self.subject.as_of).is_none()
        {
            return Some(Taken { owner: owner.id.clone(), turn: None });
        }
        let queue: &Queue = self.policy.queue(self.queue)?;
        let available = self.policy.available(queue, self.subject);
        let turn = rotation.take_turn(&queue.id, &available, queue.turns())?;
        Some(Taken { owner: turn.owner, turn: Some(format!("{}/{}", turn.turn, queue.turns())) })
    }
}

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
