//! How often each rule fired, gathered from the decisions of all runs.

use std::collections::BTreeMap;

use anyhow::Result;

use super::calibrate::{Lessons, Question, gather};
use crate::model::decision::{Basis, Group};
use crate::model::moment::utc_from_ms;
use crate::report::rules::{Outcomes, RouteFigures, RuleFigures, RuleLifts};
use crate::rules::RuleSet;
use crate::rules::routing::RESERVED_ROUTES;
use crate::rules::scoring::CAP_ID;
use crate::scoring::lift::{Ended, lifts};
use crate::store::Store;
use crate::store::history::DecisionGlance;
use crate::store::points::read_contributions;

/// How often every rule and every route fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleUsage {
    /// Leads that there are.
    pub leads: u64,
    /// Scoring rules in the order of the file, then those that the rules no longer have, then caps.
    pub rules: Vec<RuleFigures>,
    /// Routes in the order of the file, then kept owners and triage, then those that are gone.
    pub routes: Vec<RouteFigures>,
    /// How leads ended; none where nobody told, or nobody asked.
    pub outcomes: Option<Outcomes>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Fired {
    leads: u64,
    given: i64,
    decisions: u64,
    last_ms: Option<i64>,
}

/// Looks at every decision once. Memory is that of the rules.
pub fn rule_usage(store: &Store, rules: &RuleSet) -> Result<RuleUsage> {
    let mut by_rule: BTreeMap<(String, String), Fired> = BTreeMap::new();
    let mut by_route: BTreeMap<String, Fired> = BTreeMap::new();
    let mut leads = 0;
    store.each_decision(|one| {
        leads += u64::from(one.is_latest);
        count(&one, &mut by_rule, &mut by_route)
    })?;
    let since = Since::read(store)?;
    let local = |ms: i64| {
        utc_from_ms(ms).with_timezone(&rules.workspace.zone).format("%Y-%m-%d").to_string()
    };
    let mut figures = Vec::new();
    let mut figure = |rule: &str, group: &str, points: Option<i64>, fired: Option<Fired>| {
        let fired = fired.unwrap_or_default();
        figures.push(RuleFigures {
            rule: rule.to_owned(),
            group: group.to_owned(),
            points,
            leads: fired.leads,
            given: fired.given,
            last_fired: fired.last_ms.map(local),
            since: since.rules.get(rule).copied().map(local),
            lifts: None,
        });
    };
    for rule in &rules.scoring.rules {
        let key = (rule.id.clone(), rule.group.word().to_owned());
        figure(&rule.id, rule.group.word(), Some(i64::from(rule.points)), by_rule.remove(&key));
    }
    let caps: Vec<Option<Fired>> = Group::ALL
        .iter()
        .map(|(word, _)| by_rule.remove(&(CAP_ID.to_owned(), (*word).to_owned())))
        .collect();
    for ((rule, group), fired) in by_rule {
        figure(&rule, &group, None, Some(fired));
    }
    for ((word, _), fired) in Group::ALL.iter().zip(caps) {
        if fired.is_some() {
            figure(CAP_ID, word, None, fired);
        }
    }
    let mut routes = Vec::new();
    let mut route = |id: &str, queue: Option<&str>, fired: Option<Fired>| {
        let fired = fired.unwrap_or_default();
        routes.push(RouteFigures {
            route: id.to_owned(),
            queue: queue.map(str::to_owned),
            leads: fired.leads,
            decisions: fired.decisions,
            last_fired: fired.last_ms.map(local),
            since: since.routes.get(id).copied().map(local),
        });
    };
    for one in &rules.routing.routes {
        route(&one.id, Some(&one.queue), by_route.remove(&one.id));
    }
    for id in RESERVED_ROUTES {
        if let Some(fired) = by_route.remove(*id) {
            route(id, Some(""), Some(fired));
        }
    }
    for (id, fired) in by_route {
        route(&id, None, Some(fired));
    }
    Ok(RuleUsage { leads, rules: figures, routes, outcomes: None })
}

/// Adds to `usage` what each rule is worth: the leads that met it beside the others, by whether they had a meeting
/// and whether they bought, as `asked`. Where nobody told how any lead ended, it stays as it is.
///
/// The leads are scored by `rules` as they were soon after they came, see [`gather`].
pub fn compare_outcomes(
    store: &Store,
    rules: &RuleSet,
    asked: [&Question; 2],
    usage: &mut RuleUsage,
) -> Result<()> {
    if !store.has_touches()? && !store.has_crm_status()? {
        return Ok(());
    }
    let of = |lessons: &Lessons| lifts(&lessons.lessons, rules.scoring.rules.len());
    let ended = |lessons: &Lessons| Ended {
        leads: lessons.lessons.len() as u64,
        well: lessons.lessons.iter().filter(|lesson| lesson.succeeded).count() as u64,
    };
    let [meeting, won] = gather(store, rules, asked)?;
    usage.outcomes = Some(Outcomes {
        meeting: ended(&meeting),
        won: ended(&won),
        young: won.young,
        changed_since: won.changed_since,
    });
    let lifts = of(&meeting).into_iter().zip(of(&won));
    for (figures, (meeting, won)) in usage.rules.iter_mut().zip(lifts) {
        figures.lifts = Some(RuleLifts { meeting, won });
    }
    Ok(())
}

fn count(
    one: &DecisionGlance<'_>,
    by_rule: &mut BTreeMap<(String, String), Fired>,
    by_route: &mut BTreeMap<String, Fired>,
) -> Result<()> {
    for given in read_contributions(one.contributions)? {
        let key = (given.rule, given.group.word().to_owned());
        let fired = by_rule.entry(key).or_default();
        if one.is_latest {
            fired.given += i64::from(given.points);
        }
        // Points for a value that is missing are not for what the rule asks.
        if matches!(given.basis, Basis::Missing(_)) {
            continue;
        }
        fired.decisions += 1;
        fired.last_ms = fired.last_ms.max(Some(one.as_of_ms));
        fired.leads += u64::from(one.is_latest);
    }
    let fired = by_route.entry(one.route.to_owned()).or_default();
    fired.decisions += 1;
    fired.last_ms = fired.last_ms.max(Some(one.as_of_ms));
    fired.leads += u64::from(one.is_latest);
    Ok(())
}

/// Since when runs have decided by rules that have a rule of that name.
#[derive(Default)]
struct Since {
    rules: BTreeMap<String, i64>,
    routes: BTreeMap<String, i64>,
}

impl Since {
    fn read(store: &Store) -> Result<Self> {
        let mut since = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for run in store.all_runs()? {
            if run.undone_by.is_some()
                || !run.kind.brings_something()
                || seen.contains(&run.rules_hash)
            {
                continue;
            }
            seen.push(run.rules_hash.clone());
            // Rules that this leadmill cannot read any more tell nothing, and that is no reason to fail.
            let Ok((rules, _)) = RuleSet::parse(&store.kept_rules(&run.rules_hash)?) else {
                continue;
            };
            for rule in &rules.scoring.rules {
                since.rules.entry(rule.id.clone()).or_insert(run.as_of_ms);
            }
            for route in &rules.routing.routes {
                since.routes.entry(route.id.clone()).or_insert(run.as_of_ms);
            }
        }
        Ok(since)
    }
}
