//! What would have to be otherwise for a lead to be hotter, or to come to another queue.
//!
//! Nothing is decided here: the rules in force are asked about the lead as it is known now.

use anyhow::Result;

use super::candidate::Seen;
use crate::model::decision::Segment;
use crate::model::ids::RunNo;
use crate::model::moment::utc_from_ms;
use crate::pipeline::story::Story;
use crate::rules::RuleSet;
use crate::rules::routing::RoutingPolicy;
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
    /// Who has the lead and would keep it, whatever the routes say.
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
        to_queue: queue.map(|queue| ToQueue {
            kept_by: owner.filter(|_| rules.routing.returning.keep_owner),
            ..to_queue(&seen, &rules.routing, queue)
        }),
    })
}

fn to_queue(seen: &Seen, policy: &RoutingPolicy, queue: &str) -> ToQueue {
    let subject = seen.subject();
    let mut above = Vec::new();
    let mut routes = Vec::new();
    for route in &policy.routes {
        if route.queue == queue {
            routes.push(RouteThere {
                route: route.id.clone(),
                because: route.because.clone(),
                misses: route.when.misses(&subject),
                above: above.clone(),
            });
        } else if route.when.matches(&subject) {
            above.push(route.id.clone());
        }
    }
    ToQueue { queue: queue.to_owned(), kept_by: None, is_triage: policy.triage == queue, routes }
}
