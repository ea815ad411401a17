//! The rules' own tests: each given lead goes through scoring, routing and follow-up.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::consents::contact;
use crate::consent;
use crate::followup::{self, Answering, Enquiry};
use crate::model::consent::{Channel, ConsentRecord, ConsentState, Grade, Purpose};
use crate::model::field::{self, FieldValues};
use crate::model::lead::display_name;
use crate::model::subject::Subject;
use crate::model::task::{PlannedTask, TaskState};
use crate::routing::{self, Claims, Dealt, Desk, LoadEntry};
use crate::rules::RuleSet;
use crate::rules::diagnostics::Place;
use crate::rules::followup::Plan;
use crate::rules::test::{NOBODY, RuleTest};
use crate::scoring;

/// A test that did not come out as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The test's name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// One line for each difference.
    pub differences: Vec<String>,
}

/// What the tests of a rule set came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Tests run.
    pub run: usize,
    /// Tests that failed, in the order of the files.
    pub failures: Vec<Failure>,
    /// Ids of scoring rules that gave points in no test.
    pub rules_untested: Vec<String>,
    /// Ids of routes that no test took.
    pub routes_untested: Vec<String>,
    /// Ids of follow-up plans that no test's lead follows.
    pub plans_untested: Vec<String>,
    /// Steps of the other plans that no test's lead is to be taken through, as `plan/step`: what is left out
    /// everywhere for want of a consent, say.
    pub steps_untested: Vec<String>,
}

/// Runs every test of `rules`; one without an instant of its own is asked at `as_of`.
pub fn run_tests(rules: &RuleSet, as_of: DateTime<Utc>) -> Verdict {
    let mut failures = Vec::new();
    let mut rules_untested: Vec<String> =
        rules.scoring.rules.iter().map(|rule| rule.id.clone()).collect();
    let mut routes_untested: Vec<String> =
        rules.routing.routes.iter().map(|route| route.id.clone()).collect();
    let plans = &rules.followup.plans;
    let mut plans_untested: Vec<String> = plans.iter().map(|plan| plan.id.clone()).collect();
    let steps_of = |plan: &Plan| {
        let steps = plan.steps.iter();
        steps.map(|step| format!("{}/{}", plan.id, step.id)).collect::<Vec<_>>()
    };
    let mut steps_untested: Vec<String> = plans.iter().flat_map(steps_of).collect();
    for test in &rules.tests {
        let outcome = outcome(test, rules, test.as_of.unwrap_or(as_of));
        rules_untested.retain(|id| !outcome.gave.contains(id));
        routes_untested.retain(|id| *id != outcome.route);
        plans_untested.retain(|id| outcome.tasks.iter().all(|task| task.key.plan != *id));
        steps_untested.retain(|id| {
            let is_it = |task: &PlannedTask| *id == format!("{}/{}", task.key.plan, task.key.step);
            !outcome.tasks.iter().any(|task| task.state == TaskState::Open && is_it(task))
        });
        if !outcome.differences.is_empty() {
            failures.push(Failure {
                name: test.name.clone(),
                place: test.place.clone(),
                differences: outcome.differences,
            });
        }
    }
    // Of a plan that nobody follows, every step would be said again.
    let is_followed =
        |step: &String| plans_untested.iter().all(|plan| !step.starts_with(&format!("{plan}/")));
    steps_untested.retain(is_followed);
    let run = rules.tests.len();
    Verdict { run, failures, rules_untested, routes_untested, plans_untested, steps_untested }
}

struct Outcome {
    differences: Vec<String>,
    gave: Vec<String>,
    route: String,
    tasks: Vec<PlannedTask>,
}

fn outcome(test: &RuleTest, rules: &RuleSet, as_of: DateTime<Utc>) -> Outcome {
    let mut facts = test.facts(as_of);
    let touches = test.touches(as_of);
    let unscored = Subject { values: &test.given, facts: &facts, touches: &touches, as_of };
    let score = scoring::score(&unscored, &rules.scoring);
    let mut differences = scoring::mismatches(&test.expect, &score, &rules.scoring);
    facts.know(&score);
    let subject = Subject { values: &test.given, facts: &facts, touches: &touches, as_of };
    let chosen = routing::choose(&subject, &rules.routing);
    let mut desk = desk(test, rules, as_of);
    let assignment = routing::assign(
        chosen,
        &subject,
        &rules.routing,
        Claims {
            overdue: None,
            account: None,
            owner: test.owner_before.as_deref(),
            queue: None,
            may_keep: true,
            crm_owner: test.given.get(field::CRM_OWNER),
        },
        &mut desk,
    );
    let owner = assignment.owner.as_deref().unwrap_or(NOBODY);
    let passed = passed(&desk.take_dealt());
    let mut compare = |what: &str, found: &str, expected: Option<&str>| {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            differences
                .push(format!("{what} is {found}, expected {expected}: {}", assignment.reason));
        }
    };
    compare("queue", &assignment.queue, test.expect.queue.as_deref());
    compare("owner", owner, test.expect.owner.as_deref());
    compare("route", &assignment.route, test.expect.route.as_deref());
    if let Some(expected) =
        test.expect.passed.as_ref().filter(|expected| !expected.iter().eq(passed.keys()))
    {
        let found: Vec<String> =
            passed.iter().map(|(owner, why)| format!("{owner} ({why})")).collect();
        differences.push(format!("passed over: {}, expected {}", listed(&found), listed(expected)));
    }
    let records = consents(&facts, &test.given, as_of);
    let allowed = |purpose: &str, channel: Channel| {
        let at = as_of.timestamp_millis();
        consent::allowed(&rules.consent, &records, contact(purpose, channel, &test.given), at)
    };
    let hours = assignment.owner.as_deref().and_then(|owner| rules.routing.owner(owner));
    let times = [facts.first_submitted_at, facts.last_submitted_at];
    let cycle = followup::latest_cycle(&times, rules.followup.restart_after);
    let (at, cycle) = cycle.unwrap_or((as_of, 1));
    let owner_hours = hours.map(|owner| &owner.hours);
    let planned = followup::plan(
        Enquiry { at, is_known: true, cycle, handed_out: &[] },
        &subject,
        &display_name(&test.given),
        score.segment,
        Answering { policy: &rules.followup, owner_hours, allowed: &allowed },
    );
    if let Some(expected) = &test.expect.tasks {
        let steps: Vec<&str> = planned.iter().map(|task| task.key.step.as_str()).collect();
        if steps != expected.iter().map(String::as_str).collect::<Vec<_>>() {
            differences.push(format!(
                "tasks are {}, expected {}",
                steps.join(", "),
                expected.join(", ")
            ));
        }
    }
    Outcome {
        differences,
        gave: score.contributions.iter().map(|one| rules.scoring.id(one).to_owned()).collect(),
        route: assignment.route,
        tasks: planned,
    }
}

/// The desk before the test's lead comes.
fn desk(test: &RuleTest, rules: &RuleSet, as_of: DateTime<Utc>) -> Desk {
    let mut desk = Desk::new(&rules.routing, as_of);
    for load in &test.loads {
        desk.add(&LoadEntry {
            queue: load.queue.clone().unwrap_or_default(),
            owner: load.owner.clone(),
            at_ms: as_of.timestamp_millis().saturating_sub(load.age_seconds.saturating_mul(1_000)),
            leads: load.leads,
        });
    }
    desk
}

/// Everybody who was passed over on the way, each with the last reason.
fn passed(dealt: &Dealt) -> BTreeMap<String, String> {
    let without = dealt.nobody.iter().flat_map(|one| one.passed.iter());
    let by_turn = dealt.turn.iter().flat_map(|turn| turn.passed.iter());
    without.chain(by_turn).map(|one| (one.owner.clone(), one.words())).collect()
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { NOBODY.to_owned() } else { names.join(", ") }
}

/// The consents that a test's `consent-marketing-…` facts stand for.
fn consents(
    facts: &crate::model::subject::Facts,
    given: &FieldValues,
    as_of: DateTime<Utc>,
) -> Vec<ConsentRecord> {
    [
        (facts.marketing_email_allowed, Channel::Email),
        (facts.marketing_phone_allowed, Channel::Phone),
    ]
    .into_iter()
    .filter(|(given, _)| *given)
    .map(|(_, channel)| ConsentRecord {
        seq: 1,
        purpose: Purpose::new(Purpose::MARKETING),
        channel,
        state: ConsentState::Given,
        grade: Grade::A,
        address: contact(Purpose::MARKETING, channel, given).address.map(str::to_owned),
        event_at_ms: as_of.timestamp_millis(),
        is_dated: true,
        wording: String::new(),
        mechanism: "test".to_owned(),
        evidence: String::new(),
        ip: None,
        user_agent: None,
    })
    .collect()
}
