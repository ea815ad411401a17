use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use proptest::prelude::*;

use super::*;
use crate::model::field::{self, FieldNo, FieldValues};
use crate::model::ids::Fingerprint;
use crate::model::subject::Facts;
use crate::model::touch::Touch;
use crate::rules::scoring::compiled::{SEGMENTS, policy};
use crate::scoring::score;

/// A lead that can be changed.
#[derive(Debug, Clone, Default)]
struct Lead {
    values: FieldValues,
    touches: Vec<Touch>,
}

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 10, 12, 0, 0).unwrap()
}

impl Lead {
    fn with(values: &[(FieldNo, &str)]) -> Self {
        let mut lead = Self::default();
        for (number, value) in values {
            lead.values.set(*number, *value);
        }
        lead
    }

    fn touch(&mut self, kind: &str) {
        self.touch_at(0, kind, "");
    }

    fn touch_at(&mut self, days_ago: i64, kind: &str, detail: &str) {
        self.touches.push(Touch {
            fingerprint: Fingerprint([0; 16]),
            at_ms: (noon() - TimeDelta::days(days_ago)).timestamp_millis(),
            kind: kind.to_owned(),
            detail: detail.to_owned(),
            amount: None,
            identities: Vec::new(),
        });
    }

    fn ask<T>(&self, ask: impl FnOnce(&Subject<'_>) -> T) -> T {
        let facts = Facts {
            first_submitted_at: noon() - TimeDelta::days(120),
            ..Facts::of_one_submission(noon() - TimeDelta::days(100))
        };
        let Self { values, touches } = self;
        ask(&Subject { values, facts: &facts, touches, as_of: noon() })
    }
}

/// Returns rules `r0`, `r1`, .. of these groups, points and conditions.
fn rules(rules: &[(&str, i32, &str)]) -> String {
    let each = rules.iter().enumerate().map(|(at, (group, points, when))| {
        format!(
            "[[score]]\nid = 'r{at}'\ngroup = '{group}'\npoints = {points}\nbecause = 'x'\nwhen = {when}\n"
        )
    });
    each.collect::<Vec<_>>().concat()
}

/// Fails unless the ways of `lead` to hot are `expected`, each as its rules and its total.
#[track_caller]
fn check(head: &str, given: &[(&str, i32, &str)], lead: &Lead, expected: &[(&[usize], i32)]) {
    let policy = policy(&format!("{head}\n{}", rules(given)));
    let found = lead.ask(|subject| missing(subject, &policy, Segment::Hot));
    let ways: Vec<(&[usize], i32)> =
        found.ways.iter().map(|way| (&*way.takes, way.score.total)).collect();
    assert_eq!(ways, expected);
}

const BASE: (&str, i32, &str) = ("fit", 42, "{ field = 'n-submissions', at-least = 1 }");

#[test]
fn the_fewest_rules_are_told_and_none_that_is_not_needed() {
    let budget = ("intent", 10, "{ field = 'budget', at-least = 1 }");
    let demo = ("intent", 20, "{ field = 'message', matches = '\\bdemo\\b' }");
    let came = ("behavior", 30, "{ touch = 'download' }");
    check(SEGMENTS, &[BASE, budget, demo, came], &Lead::default(), &[(&[3], 72), (&[1, 2], 72)]);
}

#[test]
fn nobody_is_supposed_to_be_somebody_else() {
    let boss = ("fit", 30, "{ field = 'seniority', is = 'owner' }");
    let poland = ("fit", 30, "{ field = 'country', is = 'PL' }");
    let campaign = ("intent", 30, "{ field = 'campaign', is = 'wiosna' }");
    let free = ("quality", -30, "{ field = 'email-is-free', is = true }");
    let lead = Lead::with(&[
        (field::SENIORITY, "manager"),
        (field::COUNTRY, "DE"),
        (field::EMAIL_IS_FREE, "true"),
    ]);
    check(SEGMENTS, &[BASE, boss, poland, campaign, free], &lead, &[]);
    let policy = policy(&format!("{SEGMENTS}{}", rules(&[BASE, boss, poland, campaign, free])));
    let found = lead.ask(|subject| missing(subject, &policy, Segment::Hot));
    let told: Vec<(usize, i32)> =
        found.out_of_reach.iter().map(|one| (one.rule, one.points)).collect();
    assert_eq!(told, [(1, 30), (2, 30), (3, 30), (4, 30)]);
    assert_eq!(found.out_of_reach[1].misses, ["country is DE, not PL"]);
}

#[test]
fn a_missing_value_is_supposed_to_be_one_value_only() {
    let director = ("fit", 16, "{ field = 'seniority', is = 'director' }");
    let manager = ("fit", 15, "{ field = 'seniority', is = 'manager' }");
    let few = ("fit", 16, "{ field = 'employees', between = [1, 49] }");
    let many = ("fit", 15, "{ field = 'employees', at-least = 50 }");
    check(SEGMENTS, &[BASE, director, manager], &Lead::default(), &[]);
    check(SEGMENTS, &[BASE, few, many], &Lead::default(), &[]);
    // 500 people are more than 50: one number, two rules.
    let huge = ("fit", 14, "{ field = 'employees', at-least = 500 }");
    check(SEGMENTS, &[BASE, many, huge], &Lead::default(), &[(&[2], 71)]);
}

#[test]
fn points_that_cease_count_and_so_do_those_that_come_along() {
    let quiet = ("behavior", -30, "{ field = 'days-since-last-touch', at-least = 90 }");
    let download = ("behavior", 8, "{ touch = 'download' }");
    let more = ("fit", 30, "{ field = 'country', exists = false }");
    // A download is a touch: it gives its points, and nobody is quiet any more.
    check(SEGMENTS, &[BASE, more, quiet, download], &Lead::default(), &[(&[2], 72), (&[3], 80)]);
    let phone = ("intent", 14, "{ field = 'has-phone', is = true }");
    let twice = ("quality", 14, "{ field = 'phone', exists = true }");
    check(SEGMENTS, &[BASE, phone, twice], &Lead::default(), &[(&[1], 70), (&[2], 70)]);
}

#[test]
fn caps_models_and_grades_have_their_say() {
    let demo = ("intent", 30, "{ field = 'message', contains = 'demo' }");
    let caps = format!("[caps]\nintent = 20\n{SEGMENTS}");
    check(&caps, &[BASE, demo], &Lead::default(), &[]);
    let models = format!(
        "{SEGMENTS}[[model]]\nid = 'ai'\nbecause = 'x'\nwhen = {{ field = 'product', is = 'AI' }}\n\
         [model.segment.hot]\nfrom = 42\n[[model]]\nid = 'rest'\nbecause = 'x'\n"
    );
    // Naming the product gives 1 point, and another scale.
    let product = ("intent", 1, "{ field = 'product', is = 'AI' }");
    check(&models, &[BASE, product], &Lead::default(), &[(&[1], 43)]);
    let matrix = "[matrix.fit]\nA = 40\nB = 20\n[matrix.engagement]\n1 = 30\n2 = 20\n[matrix.cells]\n\
                  A1 = { segment = 'hot' }\nA2 = { segment = 'warm' }\nA3 = { segment = 'warm' }\n\
                  B1 = { segment = 'warm' }\nB2 = { segment = 'warm' }\nB3 = { segment = 'cold' }\n\
                  C1 = { segment = 'cold' }\nC2 = { segment = 'cold' }\nC3 = { segment = 'cold' }\n\
                  [segment.cold]\naction = 'a'\n[segment.warm]\naction = 'b'\n[segment.hot]\naction = 'c'\n";
    let fit = ("fit", 30, "{ field = 'budget', at-least = 1 }");
    check(matrix, &[BASE, fit, demo], &Lead::default(), &[(&[2], 72)]);
}

#[test]
fn a_value_that_a_rule_waits_for_is_missing_whatever_the_rule_asks() {
    // Whoever names another department than this one gets the points; whoever names none does not.
    let other = ("fit", 30, "{ field = 'department', is-not = 'it' }\nmissing = -5");
    check(SEGMENTS, &[BASE, other], &Lead::default(), &[(&[1], 72)]);
    let known = Lead::with(&[(field::DEPARTMENT, "it")]);
    check(SEGMENTS, &[BASE, other], &known, &[]);
    // Whoever is known not to be a specialist costs nothing; nobody knows yet.
    let plenty = ("fit", 30, "{ field = 'n-sources', at-least = 1 }");
    let specialist = ("fit", -20, "{ field = 'seniority', is = 'specialist' }\nmissing = -10");
    check(SEGMENTS, &[BASE, plenty, specialist], &Lead::default(), &[(&[2], 72)]);
    // One value of two is not enough.
    let both = "{ all = [{ field = 'department', is-not = 'it' }, { field = 'budget', at-least = 1 }] }\nmissing = -5";
    let named = ("fit", 5, "{ field = 'department', exists = true }");
    check(SEGMENTS, &[BASE, ("fit", 30, both), named], &Lead::default(), &[(&[1], 77)]);
    let unasked = ("fit", 30, "{ field = 'crm-status', is-not = 'lost' }\nmissing = -5");
    let policy = policy(&format!("{SEGMENTS}{}", rules(&[BASE, unasked])));
    let found = Lead::default().ask(|subject| missing(subject, &policy, Segment::Hot));
    assert_eq!(found.out_of_reach[0].misses, ["crm-status is not known"]);
}

#[test]
fn a_touch_counts_wherever_it_fits() {
    let viewed = Lead::default;
    let cennik = ("intent", 20, "{ touch = 'page-view', url-contains = '/cennik' }");
    let any = ("behavior", 8, "{ touch = 'page-view' }");
    check(SEGMENTS, &[BASE, cennik, any], &viewed(), &[(&[1], 70)]);
    // Points for not having come cease.
    let never = ("behavior", 9, "{ touch = 'page-view', at-most = 0 }");
    check(SEGMENTS, &[BASE, cennik, never], &viewed(), &[]);
    let costly = ("behavior", -9, "{ touch = 'page-view', at-most = 0 }");
    check(SEGMENTS, &[BASE, cennik, any, costly], &viewed(), &[(&[1], 70)]);
    // Each touch counts, up to the limit.
    let each = |limit: i32| {
        format!("{{ touch = 'page-view' }}\ncount = 'each'\nmax-in-total = {{ times = {limit} }}")
    };
    let mut lead = viewed();
    lead.touch_at(1, "page-view", "/blog");
    check(SEGMENTS, &[BASE, cennik, ("behavior", 4, &each(2))], &lead, &[(&[1], 70)]);
    check(SEGMENTS, &[BASE, cennik, ("behavior", 4, &each(1))], &lead, &[]);
}

#[test]
fn points_that_fade_are_whole_again_where_they_are_counted_from_anew() {
    let mut lead = Lead::default();
    lead.touch_at(7, "page-view", "/blog");
    let fading = ("behavior", 10, "{ touch = 'page-view' }\nhalf-life = '7d'");
    let cennik = ("intent", 18, "{ touch = 'page-view', url-contains = '/cennik' }");
    check(SEGMENTS, &[BASE, fading, cennik], &lead, &[(&[2], 70)]);
    let budget = ("intent", 18, "{ field = 'budget', at-least = 1 }");
    check(SEGMENTS, &[BASE, fading, budget], &lead, &[]);
}

/// What a lead does.
type Act = fn(&mut Lead);

/// The conditions of the property with their groups, and what a lead does to meet each.
const WORLD: &[(&str, &str, Act)] = &[
    ("intent", "{ field = 'message', contains = 'demo' }", |lead| say(lead, "demo")),
    ("intent", "{ field = 'message', matches = '\\bwycen' }", |lead| say(lead, "wycena")),
    ("behavior", "{ touch = 'download', within = '7d' }", |lead| lead.touch("download")),
    ("behavior", "{ touch = 'call', at-most = 0 }", |lead| lead.touch("call")),
    ("fit", "{ field = 'product', exists = true }", |lead| lead.values.set(field::PRODUCT, "x")),
    ("fit", "{ field = 'budget', at-least = 100 }", |lead| lead.values.set(field::BUDGET, "100")),
    ("fit", "{ field = 'budget', exists = true }", |lead| {
        if lead.values.get(field::BUDGET).is_none() {
            lead.values.set(field::BUDGET, "50");
        }
    }),
    ("quality", "{ field = 'has-phone', is = true }", |lead| {
        lead.values.set(field::PHONE, "+48600000101");
    }),
    ("behavior", "{ field = 'days-since-last-touch', at-least = 90 }", |lead| lead.touch("video")),
    (
        "fit",
        "{ all = [{ field = 'employees', at-least = 50 }, { not = { field = 'employees', at-least = 250 } }] }",
        |lead| lead.values.set(field::EMPLOYEES, "50"),
    ),
    ("fit", "{ field = 'department', is-not = 'it' }\nmissing = -5", |lead| {
        lead.values.set(field::DEPARTMENT, "sales");
    }),
    ("fit", "{ field = 'seniority', is = 'specialist' }\nmissing = -5", |lead| {
        lead.values.set(field::SENIORITY, "manager");
    }),
    ("intent", "{ touch = 'page-view', url-contains = '/cennik' }", |lead| {
        lead.touch_at(0, "page-view", "/cennik");
    }),
    ("behavior", "{ touch = 'page-view' }", |lead| lead.touch("page-view")),
    ("behavior", "{ touch = 'page-view', at-most = 0 }", |lead| lead.touch("page-view")),
    ("behavior", "{ touch = 'page-view' }\ncount = 'each'\nmax-in-total = { times = 2 }", |lead| {
        lead.touch("page-view");
    }),
];
/// Those of them that cost points: what ceases by what a lead does would else be an advantage to lose.
const COSTLY: &[usize] = &[3, 8, 11, 14];

fn say(lead: &mut Lead, word: &str) {
    let said = lead.values.get(field::MESSAGE).unwrap_or_default().to_owned();
    lead.values.set(field::MESSAGE, format!("{said} {word}"));
    // Whoever writes again was heard of.
    lead.touch("form-start");
}

proptest! {
    /// Every way is walked: the lead does what the rules ask for, and is scored as any lead is.
    #[test]
    fn a_way_that_is_walked_leads_there(
        points in prop::collection::vec(5..45_i32, WORLD.len()),
        has in prop::collection::vec(prop::bool::weighted(0.2), WORLD.len()),
        caps in prop::collection::vec(prop::option::of(10..60_i32), 3),
    ) {
        let caps = ["fit", "intent", "behavior"].iter().zip(&caps).filter_map(|(group, cap)| {
            cap.map(|cap| format!("{group} = {cap}\n"))
        });
        let caps: String = caps.collect();
        let given: Vec<(&str, i32, &str)> = WORLD.iter().zip(&points).enumerate()
            .map(|(at, ((group, when, _), points))| {
                (*group, if COSTLY.contains(&at) { -points } else { *points }, *when)
            })
            .collect();
        let policy = policy(&format!("[caps]\n{caps}{SEGMENTS}{}", rules(&given)));
        let mut lead = Lead::default();
        WORLD.iter().zip(&has).filter(|(_, has)| **has).for_each(|((.., act), _)| act(&mut lead));
        let found = lead.ask(|subject| missing(subject, &policy, Segment::Hot));
        let now = lead.ask(|subject| score(subject, &policy));
        prop_assert_eq!(&found.now, &now);
        for way in &found.ways {
            let mut walked = lead.clone();
            way.takes.iter().rev().for_each(|rule| WORLD[*rule].2(&mut walked));
            let then = walked.ask(|subject| score(subject, &policy));
            prop_assert_eq!(then.segment, Segment::Hot);
            prop_assert!(way.takes.len() <= RULES_AT_MOST);
        }
        // And no single step was overlooked.
        for (at, (_, _, act)) in WORLD.iter().enumerate() {
            let gives = now.contributions.iter().find(|one| usize::from(one.rule) == at);
            let lacks = gives.is_some_and(|one| matches!(one.basis, Basis::Missing(_)));
            let can = found.out_of_reach.iter().all(|one| one.rule != at)
                && (lacks || gives.is_some() == (given[at].1 < 0));
            let mut walked = lead.clone();
            act(&mut walked);
            if now.segment < Segment::Hot && can
                && walked.ask(|subject| score(subject, &policy)).segment == Segment::Hot
            {
                prop_assert!(found.ways.iter().any(|way| way.takes == [at]), "r{}", at);
            }
        }
    }
}
