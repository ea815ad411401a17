use std::collections::BTreeMap;

use chrono::{DateTime, TimeZone as _, Utc};

use super::*;
use crate::model::field::FieldValues;
use crate::model::subject::Facts;
use crate::rules::condition::ConditionContext;
use crate::rules::decode::{Sink, document};
use crate::rules::diagnostics::{Diagnostics, RuleText};
use crate::rules::field::FieldCatalog;
use crate::rules::test::RuleTest;

const SHIPPED: &str = include_str!("../../rules/scoring.toml");
const SHIPPED_TESTS: &str = include_str!("../../rules/tests/scoring.toml");
const SEGMENTS: &str = r#"
    [segment.cold]
    action = "wait"
    [segment.warm]
    from = 40
    action = "write"
    [segment.hot]
    from = 70
    action = "call"
"#;

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 10, 12, 0, 0).unwrap()
}

fn compile(text: &str) -> (ScoringPolicy, Diagnostics) {
    let sink = Sink::default();
    let file = RuleText { path: "rules/scoring.toml".into(), text: text.into() };
    let (fields, lists) = (FieldCatalog::decode(None), BTreeMap::new());
    let context = ConditionContext { fields: &fields, lists: &lists };
    let mut policy = ScoringPolicy::default();
    document(&file, &sink, |root| policy = ScoringPolicy::decode(Some(root), &context));
    (policy, Diagnostics::new(sink.take()))
}

#[track_caller]
fn policy(text: &str) -> ScoringPolicy {
    let (policy, found) = compile(text);
    assert!(!found.has_errors(), "{found}");
    policy
}

fn rules(rules: &[(&str, i32)]) -> String {
    let rules: Vec<String> = rules
        .iter()
        .enumerate()
        .map(|(position, (group, points))| {
            format!(
                "[[score]]\nid = \"r{position}\"\ngroup = \"{group}\"\npoints = {points}\n\
                 because = \"x\"\nwhen = {{ field = \"n-submissions\", at-least = 1 }}\n"
            )
        })
        .collect();
    format!("{SEGMENTS}{}", rules.concat())
}

fn score_plain_lead(policy: &ScoringPolicy) -> Score {
    let facts = Facts {
        n_submissions: 1,
        n_sources: 1,
        first_submitted_at: noon(),
        last_submitted_at: noon(),
        marketing_email_allowed: false,
        marketing_phone_allowed: false,
        score: None,
        segment: None,
    };
    let values = FieldValues::default();
    score(&Subject { values: &values, facts: &facts, touches: &[], as_of: noon() }, policy)
}

#[test]
fn thresholds_are_exact() {
    for (points, expected) in [
        (1, Segment::Cold),
        (39, Segment::Cold),
        (40, Segment::Warm),
        (69, Segment::Warm),
        (70, Segment::Hot),
        (100, Segment::Hot),
    ] {
        let scored = score_plain_lead(&policy(&rules(&[("fit", points)])));
        assert_eq!((scored.total, scored.segment), (points, expected));
    }
    let shipped = policy(SHIPPED);
    let segments = [39, 40, 69, 70].map(|total| shipped.segment_of(total));
    assert_eq!(segments, [Segment::Cold, Segment::Warm, Segment::Warm, Segment::Hot]);
}

#[test]
fn caps_are_contributions() {
    #[track_caller]
    fn check(caps: &str, given: &[(&str, i32)], groups: [i32; 4], taken: &[(Group, i32, &str)]) {
        let policy = policy(&format!("{caps}\n{}", rules(given)));
        let scored = score_plain_lead(&policy);
        assert_eq!(scored.groups, groups);
        let caps: Vec<(Group, i32, &str)> = scored
            .contributions
            .iter()
            .filter(|given| given.rule == CAP_RULE)
            .map(|given| (given.group, given.points, because(given, &policy)))
            .collect();
        assert_eq!(caps, taken);
        assert_eq!(
            scored.contributions.iter().map(|given| given.points).sum::<i32>(),
            scored.total
        );
    }
    check("", &[("fit", 30), ("intent", 20)], [30, 20, 0, 0], &[]);
    check(
        "[caps]\nfit = 20",
        &[("fit", 30), ("fit", -5), ("quality", 50)],
        [20, 0, 0, 50],
        &[(Group::Fit, -5, "capped at 20 points for fit, and at 100 in total")],
    );
    check(
        "",
        &[("intent", 90), ("behavior", 30)],
        [0, 70, 30, 0],
        &[(Group::Intent, -20, "capped at 100 points in total")],
    );
    check(
        "",
        &[("fit", 80), ("intent", 80), ("quality", 80)],
        [0, 20, 0, 80],
        &[
            (Group::Fit, -80, "capped at 100 points in total"),
            (Group::Intent, -60, "capped at 100 points in total"),
        ],
    );
    check(
        "",
        &[("fit", 5), ("quality", -40)],
        [5, 0, 0, -5],
        &[(Group::Quality, 35, "raised to 0, the lowest total")],
    );
}

proptest::proptest! {
    #[test]
    fn contributions_sum_to_the_total_whatever_the_rules(
        given in proptest::collection::vec((0..4_usize, -80..80_i32), 0..12),
        caps in proptest::collection::vec(proptest::option::of(1..60_i32), 4),
        lowest in -50..1_i32,
    ) {
        let mut policy = ScoringPolicy::default();
        policy.total = (lowest, 100);
        policy.group_caps.copy_from_slice(&caps);
        let template = compile(&rules(&[("fit", 1)])).0.rules.remove(0);
        policy.rules = given
            .iter()
            .map(|(group, points)| ScoreRule {
                group: Group::ALL[*group].1,
                points: *points,
                ..template.clone()
            })
            .collect();
        let scored = score_plain_lead(&policy);
        proptest::prop_assert!((lowest..=100).contains(&scored.total));
        for (group, cap) in caps.iter().enumerate() {
            proptest::prop_assert!(cap.is_none_or(|cap| scored.groups[group] <= cap));
        }
    }
}

#[test]
fn points_halve_on_a_straight_line() {
    #[track_caller]
    fn check(points: i32, age_hours: i64, expected: i32) {
        const HOUR_MS: i64 = 3_600_000;
        let left = decayed(points, age_hours * HOUR_MS, 24 * HOUR_MS);
        assert_eq!(left, expected, "{points} points after {age_hours} h");
    }
    check(16, 0, 16);
    check(16, 12, 12);
    check(16, 24, 8);
    check(16, 36, 6);
    check(16, 48, 4);
    check(15, 24, 8); // 7.5: halves are rounded away from 0
    check(-15, 24, -8);
    check(1, 24 * 7, 0);
    check(1_000, 24 * 400, 0);
}

#[test]
fn the_way_to_the_next_segment_is_counted() {
    let warm = policy(&rules(&[("fit", 45)]));
    assert_eq!(missing_to_next(&score_plain_lead(&warm), &warm), Some((Segment::Hot, 25)));
    let hot = policy(&rules(&[("fit", 75)]));
    assert_eq!(missing_to_next(&score_plain_lead(&hot), &hot), None);
}

#[test]
fn mistakes_in_the_policy_are_named() {
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let (_, found) = compile(text);
        let found: Vec<String> = found
            .iter()
            .map(|found| format!("{}: {}", found.place.line(), found.message))
            .collect();
        assert_eq!(found, expected);
    }
    check(
        "",
        &[
            "1: segment `cold` has no action",
            "1: segment `hot` has no action",
            "1: segment `warm` has no action",
        ],
    );
    check(
        "[segment.cold]\naction = \"wait\"\n[segment.warm]\nfrom = 70\naction = \" \"\n[segment.hot]\nfrom = 70\naction = \"call\"\n",
        &["1: warm from 70 but hot from 70", "3: segment `warm` has no action"],
    );
    check(
        "[segment.cold]\naction = \"wait\"\n[segment.warm]\nfrom = 0\naction = \"write\"\n[segment.hot]\nfrom = 101\naction = \"call\"\n",
        &["1: hot from 101 is outside the total", "1: warm from 0 is outside the total"],
    );
    check(
        &format!("[total]\nlowest = 10\n{SEGMENTS}"),
        &["1: the total has to go from 0 or less to more than 0"],
    );
    let rule = |id: &str, rest: &str| {
        format!(
            "[[score]]\nid = \"{id}\"\ngroup = \"fit\"\nwhen = {{ field = \"country\", is = \"PL\" }}\n{rest}\n"
        )
    };
    let good = rule("pl", "points = 90\nbecause = \"Poland\"");
    check(&format!("{good}{good}{SEGMENTS}"), &["8: scoring rule `pl` exists already"]);
    check(
        &format!("{}{good}{SEGMENTS}", rule("de", "points = 0")),
        &["2: scoring rule `de` has no `because`", "5: rule `de` gives 0 points"],
    );
    check(
        &format!("{}{SEGMENTS}", rule("pl", "points = 50\nbecause = \"Poland\"")),
        &["8: no lead can be hot: the rules give at most 50 points"],
    );
    check(
        &format!("{}{SEGMENTS}", good.replace("country", "segment").replace("PL", "hot")),
        &["4: a scoring rule cannot look at the score"],
    );
}

#[test]
fn the_shipped_rules_pass_their_own_tests() {
    let (policy, found) = compile(SHIPPED);
    assert!(found.is_empty(), "{found}");
    let fields = FieldCatalog::decode(None);
    let sink = Sink::default();
    let file = RuleText { path: "rules/tests/scoring.toml".into(), text: SHIPPED_TESTS.into() };
    let mut tests = Vec::new();
    document(&file, &sink, |root| tests = RuleTest::decode(root, &fields, &policy));
    let found = Diagnostics::new(sink.take());
    assert!(found.is_empty(), "{found}");
    assert!(tests.len() >= 12);
    for test in tests {
        let as_of = test.as_of.unwrap_or_else(noon);
        let (facts, touches) = (test.facts(as_of), test.touches(as_of));
        let lead = Subject { values: &test.given, facts: &facts, touches: &touches, as_of };
        let wrong = mismatches(&test.expect, &score(&lead, &policy), &policy);
        assert!(wrong.is_empty(), "{}:\n{}", test.name, wrong.join("\n"));
    }
}
