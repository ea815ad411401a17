//! How a lead came to its owner: the routes that were asked, who was passed over, where everybody stood.

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};

use super::candidate::Seen;
use super::replay::rules_of;
use crate::model::ids::{LeadNo, RunNo};
use crate::model::moment::utc_from_ms;
use crate::model::subject::Subject;
use crate::routing::{Dealt, Desk, PassedOver, TimeUp, TurnTaken, time_up};
use crate::rules::RuleSet;
use crate::rules::routing::{
    ESCALATED, REASSIGNED, RESERVED_ROUTES, RoutingPolicy, STICKY, Strategy,
};
use crate::store::Store;
use crate::store::history::DecisionEntry;
use crate::store::leads::MemberRow;

/// How the latest decision about a lead found its owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutingTrace {
    /// The routes above the one that decided, in order; none for a lead that keeps its owner.
    pub asked: Vec<AskedRoute>,
    /// Who was passed over, by queue in the order in which they were asked.
    pub passed: Vec<(String, PassedOver)>,
    /// The turn that the lead took.
    pub turn: Option<TurnTrace>,
    /// Until when its owner has to be in contact.
    pub until: Option<Until>,
}

/// Until when a lead's owner has to be in contact, as of the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Until {
    /// Owner's id.
    pub owner: String,
    /// The instant at which their time is up.
    pub at: DateTime<Utc>,
    /// Id of the rule that says so.
    pub rule: String,
}

/// A route that did not get the lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedRoute {
    /// Id of the route.
    pub route: String,
    /// What the lead lacks; nothing where it matches.
    pub misses: Vec<String>,
    /// Whether it was asked, and nobody could take the lead; where it matches and was not, the lead stayed with
    /// its owner.
    pub had_nobody: bool,
}

/// A turn, and where everybody stood before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnTrace {
    /// Queue's id.
    pub queue: String,
    /// Who got the lead.
    pub owner: String,
    /// Position in the round, from 1.
    pub turn: i64,
    /// How the pool shares its leads.
    pub strategy: &'static str,
    /// Who could have got it, in the order of the pool.
    pub standings: Vec<StandingTrace>,
}

/// Where somebody stood before a turn, as the turns and leads that stand add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingTrace {
    /// Owner's id.
    pub owner: String,
    /// What the turn paid them.
    pub weight: i64,
    /// What they were owed before.
    pub owed: i64,
    /// Leads that they had got in the period by which the queue loads.
    pub leads: Option<i64>,
    /// Leads that were left of their tightest cap.
    pub left: Option<i64>,
}

/// Returns how `decision`, the latest about `lead`, found its owner; `None` when the rules that decided were
/// not kept.
pub(super) fn trace(
    store: &Store,
    rules: &RuleSet,
    lead: LeadNo,
    decision: &DecisionEntry,
    members: &[MemberRow],
) -> Result<Option<RoutingTrace>> {
    let run = store.run_by_id(&decision.run)?.context("a decision without its run")?;
    let kept;
    let rules = if run.rules_hash == rules.hash {
        rules
    } else if store.has_rules(&run.rules_hash)? {
        kept = rules_of(store, &run)?;
        &kept
    } else {
        return Ok(None);
    };
    let as_of = utc_from_ms(run.as_of_ms);
    let seen = Seen::by_run(store, rules, (run.no, as_of), lead, members)?;
    let dealt = store.dealt(lead, run.no)?;
    let turn = match &dealt.turn {
        Some(turn) => {
            let mut desk = Desk::new(&rules.routing, as_of).with_rotation(store.rotation_before(
                &turn.queue,
                run.no,
                lead,
            )?);
            store.each_load(RunNo(run.no.0 - 1), desk.looks_back_to_ms(), |one| desk.add(&one))?;
            store.each_arrival_before(run.no, run.as_of_ms, lead, |one| desk.add(&one))?;
            Some(turn_trace(&rules.routing, &desk, turn))
        }
        None => None,
    };
    let asked = asked(&rules.routing, &seen.subject(), decision, &dealt);
    let until = until(store, rules, (lead, run.no), decision, &seen)?;
    Ok(Some(RoutingTrace { asked, passed: passed(&dealt), turn, until }))
}

fn until(
    store: &Store,
    rules: &RuleSet,
    (lead, run): (LeadNo, RunNo),
    decision: &DecisionEntry,
    seen: &Seen,
) -> Result<Option<Until>> {
    let Some(owner) = decision.owner.as_deref().filter(|_| !rules.routing.reassign.is_empty())
    else {
        return Ok(None);
    };
    let subject = seen.subject();
    let since = store.tenure(lead, owner, run)?.since_ms.map_or(subject.as_of, utc_from_ms);
    let enquiry = seen.enquiry(store, rules)?;
    let place = (owner, decision.queue.as_str());
    let found = time_up(&rules.routing, &subject, place, since, &enquiry);
    let (TimeUp::At(at) | TimeUp::Since(at), Some(rule)) = found else { return Ok(None) };
    Ok(Some(Until { owner: owner.to_owned(), at, rule: rule.id.clone() }))
}

fn asked(
    policy: &RoutingPolicy,
    seen: &Subject<'_>,
    decision: &DecisionEntry,
    dealt: &Dealt,
) -> Vec<AskedRoute> {
    if [STICKY, REASSIGNED, ESCALATED].contains(&decision.route.as_str()) {
        return Vec::new();
    }
    let above = policy.routes.iter().take_while(|route| {
        RESERVED_ROUTES.contains(&decision.route.as_str()) || route.id != decision.route
    });
    above
        .map(|route| AskedRoute {
            route: route.id.clone(),
            misses: route.when.misses(seen),
            had_nobody: dealt.nobody.iter().any(|one| one.queue == route.queue),
        })
        .collect()
}

fn passed(dealt: &Dealt) -> Vec<(String, PassedOver)> {
    let without = dealt.nobody.iter().map(|one| (&one.queue, &one.passed));
    let by_turn = dealt.turn.iter().map(|turn| (&turn.queue, &turn.passed));
    without
        .chain(by_turn)
        .flat_map(|(queue, passed)| passed.iter().map(|one| (queue.clone(), one.clone())))
        .collect()
}

fn turn_trace(policy: &RoutingPolicy, desk: &Desk, turn: &TurnTaken) -> TurnTrace {
    let queue = policy.queue(&turn.queue);
    let entries = desk.rotation_entries();
    let standings = turn.pool.iter().map(|(owner, weight)| {
        let standing = entries.iter().find(|one| one.owner == *owner);
        let period = queue.and_then(|queue| match queue.strategy {
            Strategy::LeastLoaded(period) => Some(period),
            _ => None,
        });
        let member = queue.and_then(|queue| queue.pool.iter().find(|one| one.owner == *owner));
        let left = member.zip(policy.owner(owner)).and_then(|(member, known)| {
            desk.loads().tightest(known, &turn.queue, member).map(|(_, left)| left)
        });
        StandingTrace {
            owner: owner.clone(),
            weight: *weight,
            owed: standing.map_or(0, |one| one.current),
            leads: period.map(|period| desk.loads().leads(owner, period)),
            left,
        }
    });
    TurnTrace {
        standings: standings.collect(),
        queue: turn.queue.clone(),
        owner: turn.owner.clone(),
        turn: turn.turn,
        strategy: queue.map_or("", |queue| queue.strategy.word()),
    }
}
