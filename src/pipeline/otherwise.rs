//! What would have to be otherwise for a lead to be hotter, or to come to another queue.
//!
//! Nothing is decided here: the rules in force are asked about the lead as it is known now.

use anyhow::Result;

use super::candidate::Seen;
use crate::model::decision::Segment;
use crate::model::ids::RunNo;
use crate::model::moment::utc_from_ms;
use crate::model::subject::Subject;
use crate::pipeline::story::Story;
use crate::rules::RuleSet;
use crate::rules::routing::{Owner, RoutingPolicy, WhenAway};
use crate::scoring::{Missing, missing};
use crate::store::Store;
use crate::store::leads::MemberRow;

/// What a lead could still be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Otherwise {
    /// What it lacks for a segment; `None` when it is hot and nothing else was asked for.
    pub missing: Option<Missing>,
    /// What keeps it from a queue; `None` when that was not asked.
    pub to_queue: Option<ToQueue>,
}

/// What keeps a lead from a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToQueue {
    /// Queue's id.
    pub queue: String,
    /// Who has the lead and would keep it, whatever the routes say: an owner who is there, or whom leads wait for.
    pub kept_by: Option<String>,
    /// Whether it is the queue of leads that no route takes.
    pub is_triage: bool,
    /// Every route to it, in order.
    pub routes: Vec<RouteThere>,
}

/// A route to the queue that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteThere {
    /// Id of the route.
    pub route: String,
    /// Why it leads there.
    pub because: String,
    /// What the lead lacks for it; nothing when it matches.
    pub misses: Vec<String>,
    /// Routes above it that take the lead first, in order.
    pub above: Vec<String>,
    /// Routes above it that take the lead first if somebody there may take it, and else hand it on; in order.
    pub above_perhaps: Vec<String>,
}

/// Returns what the lead of `story` could still be at `as_of_ms`: of `segment`, else of the next one, and in `queue`.
pub fn otherwise(
    store: &Store,
    rules: &RuleSet,
    story: &Story,
    as_of_ms: i64,
    segment: Option<Segment>,
    queue: Option<&str>,
) -> Result<Otherwise> {
    let members: Vec<MemberRow> = story.submissions.iter().map(|one| one.row.clone()).collect();
    let when = (RunNo(i64::MAX), utc_from_ms(as_of_ms));
    let seen = Seen::by_run(store, rules, when, story.lead.no, &members)?;
    let subject = seen.subject();
    let next = match subject.facts.segment {
        Some(Segment::Hot) => None,
        Some(Segment::Warm) => Some(Segment::Hot),
        Some(Segment::Cold) | None => Some(Segment::Warm),
    };
    let owner = story.decisions.first().and_then(|latest| latest.owner.clone());
    Ok(Otherwise {
        missing: segment.or(next).map(|segment| missing(&subject, &rules.scoring, segment)),
        to_queue: queue.map(|queue| to_queue(&subject, &rules.routing, owner, queue)),
    })
}

fn to_queue(
    subject: &Subject<'_>,
    policy: &RoutingPolicy,
    owner: Option<String>,
    queue: &str,
) -> ToQueue {
    let keeps = |id: &String| {
        let returning = policy.returning;
        let waits = |owner: &Owner| {
            owner.away(subject.as_of).is_none() || returning.when_away == WhenAway::Keep
        };
        returning.keep_owner && policy.owner(id).is_some_and(waits)
    };
    let (mut above, mut above_perhaps) = (Vec::new(), Vec::new());
    let mut routes = Vec::new();
    for route in &policy.routes {
        if route.queue == queue {
            routes.push(RouteThere {
                route: route.id.clone(),
                because: route.because.clone(),
                misses: route.when.misses(subject),
                above: above.clone(),
                above_perhaps: above_perhaps.clone(),
            });
        } else if route.when.matches(subject) {
            let takers = if policy.lets_pass(route) { &mut above_perhaps } else { &mut above };
            takers.push(route.id.clone());
        }
    }
    let kept_by = owner.filter(keeps);
    ToQueue { queue: queue.to_owned(), kept_by, is_triage: policy.triage == queue, routes }
}
