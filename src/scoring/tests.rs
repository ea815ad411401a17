mod horizon;
use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};

use super::*;
use crate::model::decision::Segment;
use crate::model::field::{self, FieldValues};
use crate::model::ids::Fingerprint;
use crate::model::subject::Facts;
use crate::model::touch::Touch;
use crate::rules::decode::{Sink, document};
use crate::rules::diagnostics::{Diagnostics, RuleText};
use crate::rules::field::FieldCatalog;
use crate::rules::scoring::ScoreRule;
use crate::rules::scoring::compiled::{SEGMENTS, compile, policy};
use crate::rules::test::RuleTest;

const SHIPPED: &str = include_str!("../../rules/scoring.toml");
const SHIPPED_TESTS: &str = include_str!("../../rules/tests/scoring.toml");
fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 10, 12, 0, 0).unwrap()
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

fn plain_facts() -> Facts {
    Facts::of_one_submission(noon())
}

fn score_plain_lead(policy: &ScoringPolicy) -> Score {
    let (values, facts) = (FieldValues::default(), plain_facts());
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
    let expected = [Segment::Cold, Segment::Warm, Segment::Warm, Segment::Hot];
    assert_eq!(segments, expected.map(Some));
}

#[test]
fn caps_are_contributions() {
    #[track_caller]
    fn check(caps: &str, given: &[(&str, i32)], groups: [i32; 4], taken: &[(Group, i32, &str)]) {
        let policy = policy(&format!("{caps}\n{}", rules(given)));
        let scored = score_plain_lead(&policy);
        assert_eq!(scored.groups, groups);
        let caps: Vec<(Group, i32, String)> = scored
            .contributions
            .iter()
            .filter(|given| given.rule == CAP_RULE)
            .map(|given| (given.group, given.points, policy.because(given)))
            .collect();
        let taken: Vec<(Group, i32, String)> =
            taken.iter().map(|(group, points, why)| (*group, *points, (*why).to_owned())).collect();
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
        &[(Group::Fit, -5, "Capped at 20 points for fit")],
    );
    check(
        "",
        &[("intent", 90), ("behavior", 30)],
        [0, 70, 30, 0],
        &[(Group::Intent, -20, "Capped at 100 points in total")],
    );
    check(
        "",
        &[("fit", 80), ("intent", 80), ("quality", 80)],
        [0, 20, 0, 80],
        &[
            (Group::Fit, -80, "Capped at 100 points in total"),
            (Group::Intent, -60, "Capped at 100 points in total"),
        ],
    );
    check(
        "",
        &[("fit", 5), ("quality", -40)],
        [5, 0, 0, -5],
        &[(Group::Quality, 35, "Raised to 0, the lowest total")],
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
        policy.scale.total = (lowest, 100);
        policy.scale.group_caps.copy_from_slice(&caps);
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

/// Asserts that leads come out of the rules in `scoring` as expected, one rule test on each line.
#[track_caller]
fn check_tests(scoring: &str, tests: &[&str]) {
    let policy = policy(scoring);
    let fields = FieldCatalog::decode(None);
    for test in tests {
        let sink = Sink::default();
        let text = format!("[[test]]\nname = \"x\"\n{test}");
        let file = RuleText { path: "rules/tests/x.toml".into(), text: text.into() };
        let mut read = Vec::new();
        document(&file, &sink, |root| read = RuleTest::decode(root, &fields, &policy));
        let found = Diagnostics::new(sink.take());
        assert!(found.is_empty(), "{found}");
        let (facts, touches) = (read[0].facts(noon()), read[0].touches(noon()));
        let (values, as_of) = (&read[0].given, noon());
        let lead = Subject { values, facts: &facts, touches: &touches, as_of };
        let wrong = mismatches(&read[0].expect, &score(&lead, &policy), &policy);
        assert!(wrong.is_empty(), "{test}:\n{}", wrong.join("\n"));
    }
}

/// Rules that look at price pages, with `rest` in the rule.
fn pages(rest: &str) -> String {
    format!(
        "[[score]]\nid = \"pages\"\ngroup = \"behavior\"\nbecause = \"Read the prices\"\n{rest}\n{SEGMENTS}"
    )
}

/// A rule test of somebody who read the prices at these times.
fn viewed(ages: &[&str], expect: &str) -> String {
    let touches: Vec<String> = ages
        .iter()
        .map(|ago| format!("{{ kind = \"page-view\", detail = \"/cennik\", ago = \"{ago}\" }}"))
        .collect();
    format!("given = {{ touches = [{}] }}\nexpect = {{ {expect} }}", touches.join(", "))
}

const VIEW: &str = "points = 5\nwhen = { touch = \"page-view\", url-contains = \"/cennik\" }\n";

#[test]
fn a_touch_that_comes_again_gives_points_as_often_as_the_rule_says() {
    #[track_caller]
    fn check(rest: &str, ages: &[&str], expect: &str) {
        check_tests(&pages(&format!("{VIEW}{rest}")), &[&viewed(ages, expect)]);
    }
    check("", &["3d", "2d", "1d"], "score = 5");
    check("count = \"once\"", &["3d", "2d", "1d"], "score = 5");
    let each = "count = \"each\"\n";
    check(each, &["3d", "2d", "1d"], "score = 15, times = { pages = 3 }, because = [\"pages\"]");
    check(each, &[], "score = 0, not-because = [\"pages\"]");
    let total = format!("{each}max-in-total = {{ points = 10 }}");
    check(&total, &["3d", "2d", "1d"], "score = 10, times = { pages = 2 }");
    // Two a day, and the day moves along: the third within 24 hours of the first does not count, the
    // one 24 hours after the first does.
    let daily = format!("{each}max-per-window = {{ times = 2, window = \"1d\" }}");
    check(&daily, &["50h", "49h", "27h"], "score = 10");
    check(&daily, &["50h", "49h", "26h"], "score = 15");
    check(&daily, &["50h", "49h", "48h", "26h", "26h", "26h", "2h"], "score = 20");
    // One that does not count does not stand in the way of the next.
    check(
        &format!("{each}max-per-window = {{ times = 1, window = \"1d\" }}"),
        &["60h", "50h", "36h", "30h", "12h"],
        "times = { pages = 3 }",
    );
}

#[test]
fn repeats_count_within_the_window_of_the_clause() {
    let week = "points = 5\ncount = \"each\"\nwhen = { touch = \"page-view\", within = \"7d\", at-least = 2 }\n";
    check_tests(
        &pages(week),
        &[
            &viewed(&["9d", "2d"], "score = 0"),
            &viewed(&["9d", "3d", "2d"], "times = { pages = 2 }, score = 10"),
        ],
    );
    // What had used up the limit before the window began still has: time alone never adds points.
    check_tests(
        &pages(&format!("{week}max-per-window = {{ times = 1, window = \"3d\" }}")),
        &[
            &viewed(&["8d", "6d", "2d"], "times = { pages = 1 }"),
            &viewed(&["6d", "2d"], "times = { pages = 2 }"),
        ],
    );
    check_tests(
        &pages(
            "points = 5\ncount = \"each\"\nwhen = { any = [{ touch = \"page-view\" }, { touch = \
             \"page-view\", within = \"1d\" }, { not = { touch = \"call\" } }] }",
        ),
        &[&viewed(&["3d", "1h"], "times = { pages = 2 }")],
    );
}

#[test]
fn every_counted_touch_fades_by_its_own_age() {
    check_tests(
        &pages(&format!("{VIEW}count = \"each\"\nhalf-life = \"7d\"")),
        &[
            &viewed(&["0s", "7d", "14d"], "score = 9, times = { pages = 3 }"),
            &viewed(&["300d"], "score = 0, not-because = [\"pages\"]"),
        ],
    );
    check_tests(
        &pages(&format!("{VIEW}count = \"each\"\ndecay = {{ to-zero-after = \"10d\" }}")),
        &[&viewed(&["0s", "5d", "10d"], "score = 8, times = { pages = 3 }")],
    );
    // Given once, they fade from the newest.
    check_tests(
        &pages(&format!("{VIEW}decay = {{ to-zero-after = \"10d\" }}")),
        &[&viewed(&["9d", "2d"], "score = 4")],
    );
}

#[test]
fn what_was_counted_is_told() {
    let policy = policy(&pages(&format!("{VIEW}count = \"each\"\nhalf-life = \"7d\"")));
    let told = |points, basis| {
        policy.because(&Contribution { rule: 0, group: Group::Behavior, points, basis })
    };
    let thrice = || Basis::Repeated { times: 3, each: 5 };
    assert_eq!(told(15, thrice()), "Read the prices (3 x 5)");
    assert_eq!(told(9, thrice()), "Read the prices (3 x 5, faded)");
    assert_eq!(told(-3, Basis::Missing("employees".into())), "No employees given");
    assert_eq!(told(5, Basis::Met), "Read the prices");
}

const SIZES: &str = r#"
    [[score]]
    id = "large"
    group = "fit"
    points = 40
    missing = -3
    because = "Large company"
    when = { all = [{ field = "country", is = "PL" }, { field = "employees", at-least = 250 }] }
    [[score]]
    id = "not-ours"
    group = "fit"
    points = 2
    missing = 0
    because = "Another product"
    when = { field = "product", is-not = "AI" }
"#;

#[test]
fn a_missing_value_is_scored_as_declared() {
    check_tests(
        &format!("[total]\nlowest = -50\n{SIZES}{SEGMENTS}"),
        &[
            "given = { country = \"PL\", employees = 300 }\n\
             expect = { score = 40, because = [\"large\"] }",
            "given = { country = \"PL\", employees = 3 }\n\
             expect = { score = 0, not-because = [\"large\"] }",
            "given = { country = \"PL\" }\n\
             expect = { score = -3, missing = [\"large\"], not-because = [\"large\"] }",
            // Where the country says no already, the size makes no difference.
            "given = { country = \"DE\" }\nexpect = { score = 0 }",
            "given = { country = \"DE\", product = \"CRM\" }\nexpect = { score = 2 }",
        ],
    );
}

#[test]
fn a_grade_says_the_segment() {
    let cells: Vec<String> = [("A1", "hot"), ("A2", "hot"), ("A3", "warm"), ("B1", "hot")]
        .into_iter()
        .chain([("B2", "warm"), ("B3", "cold"), ("C1", "warm"), ("C2", "cold"), ("C3", "cold")])
        .map(|(grade, segment)| format!("{grade} = {{ segment = \"{segment}\" }}\n"))
        .collect();
    let segments = SEGMENTS.replace("from = 40", "").replace("from = 70", "");
    let rule = |id: &str, group: &str, points: i32, field: &str, value: &str| {
        format!(
            "[[score]]\nid = \"{id}\"\ngroup = \"{group}\"\npoints = {points}\nbecause = \"x\"\n\
             when = {{ field = \"{field}\", is = \"{value}\" }}\n"
        )
    };
    let rules = [
        rule("owner", "fit", 60, "seniority", "owner"),
        rule("manager", "fit", 39, "seniority", "manager"),
        rule("director", "fit", 40, "seniority", "director"),
        rule("ai", "intent", 30, "product", "AI"),
        rule("wien", "behavior", 20, "city", "Wien"),
        rule("named", "quality", 60, "last-name", "Nowak"),
    ];
    check_tests(
        &format!(
            "[matrix.fit]\nA = 40\nB = 20\n[matrix.engagement]\n1 = 50\n2 = 30\n\
             [matrix.cells]\n{}{segments}{}",
            cells.concat(),
            rules.concat()
        ),
        &[
            "given = { seniority = \"director\", product = \"AI\", city = \"Wien\" }\n\
             expect = { grade = \"A1\", segment = \"hot\", score = 90 }",
            "given = { seniority = \"manager\", product = \"AI\" }\n\
             expect = { grade = \"B2\", segment = \"warm\", score = 69 }",
            "given = { city = \"Wien\", last-name = \"Nowak\" }\n\
             expect = { grade = \"C3\", segment = \"cold\", score = 80 }",
            // The total is cut to 100, which takes points from fit; the grade knows better.
            "given = { seniority = \"owner\", last-name = \"Nowak\", product = \"AI\" }\n\
             expect = { grade = \"A2\", score = 100, groups = { fit = 10 } }",
        ],
    );
}

#[test]
fn the_first_model_that_fits_decides_and_the_others_are_told() {
    check_tests(
        &format!(
            r#"{SEGMENTS}
            [[model]]
            id = "ai"
            when = {{ field = "product", is = "AI" }}
            because = "Asked about AI"
            [model.segment.hot]
            from = 50
            [[model]]
            id = "crm"
            because = "Everybody else"
            [model.caps]
            fit = 30
            [[score]]
            id = "large"
            group = "fit"
            points = 40
            because = "Large company"
            when = {{ field = "employees", at-least = 250 }}
            [[score]]
            id = "owner"
            group = "fit"
            points = 10
            models = ["ai"]
            because = "Owner"
            when = {{ field = "seniority", is = "owner" }}
            [[score]]
            id = "sales"
            group = "intent"
            points = 45
            models = ["crm"]
            because = "In sales"
            when = {{ field = "department", is = "sales" }}"#
        ),
        &[
            "given = { product = \"AI\", employees = 300, seniority = \"owner\", department = \"sales\" }\n\
             expect = { model = \"ai\", score = 50, segment = \"hot\", models = { ai = 50, crm = 75 }, \
             not-because = [\"cap\", \"sales\"] }",
            "given = { employees = 300, seniority = \"owner\" }\n\
             expect = { model = \"crm\", score = 30, segment = \"cold\", models = { ai = 50, crm = 30 }, \
             because = [\"large\", \"cap\"], not-because = [\"owner\"] }",
        ],
    );
}

/// A policy in which everything that scoring can do is done at once.
const EVERYTHING: &str = r#"
    [total]
    lowest = -20
    highest = 90
    [caps]
    fit = 45
    behavior = 40
    [segment.cold]
    action = "wait"
    [segment.warm]
    action = "write"
    [segment.hot]
    action = "call"
    [matrix.fit]
    A = 40
    B = 20
    [matrix.engagement]
    1 = 40
    2 = 15
    [matrix.cells]
    A1 = { segment = "hot" }
    A2 = { segment = "hot" }
    A3 = { segment = "warm" }
    B1 = { segment = "hot" }
    B2 = { segment = "warm" }
    B3 = { segment = "cold" }
    C1 = { segment = "warm" }
    C2 = { segment = "cold" }
    C3 = { segment = "cold" }
    [[model]]
    id = "ai"
    when = { field = "product", is = "AI" }
    because = "Asked about AI"
    [model.caps]
    fit = 30
    [[model]]
    id = "rest"
    because = "Everybody else"
    [[score]]
    id = "large"
    group = "fit"
    points = 40
    missing = -7
    because = "Large"
    when = { field = "employees", at-least = 250 }
    [[score]]
    id = "poland"
    group = "fit"
    points = 25
    models = ["rest"]
    because = "Poland"
    when = { field = "country", is = "PL" }
    [[score]]
    id = "quote"
    group = "intent"
    points = 20
    half-life = "20d"
    because = "Quote"
    when = { field = "message", contains = ["wycen", "ofert"] }
    [[score]]
    id = "views"
    group = "behavior"
    points = 3
    count = "each"
    max-per-window = { times = 2, window = "1d" }
    max-in-total = { points = 30 }
    half-life = "10d"
    because = "Read pages"
    when = { touch = "page-view" }
    [[score]]
    id = "downloads"
    group = "behavior"
    points = 7
    count = "each"
    decay = { to-zero-after = "40d" }
    because = "Took material"
    when = { event = ["whitepaper", "webinar"], within = "30d" }
    [[score]]
    id = "quiet"
    group = "behavior"
    points = -35
    because = "Quiet"
    when = { field = "days-since-last-touch", at-least = 45 }
    [[score]]
    id = "private"
    group = "quality"
    points = -12
    because = "Private"
    when = { field = "email-is-free", is = true }
"#;

type Lead = (Vec<&'static str>, Vec<(i64, bool)>, i64);

/// Any lead: a word or none for each field, touches with their age in hours, days since it wrote.
fn any_lead() -> impl proptest::strategy::Strategy<Value = Lead> {
    use proptest::collection::vec;
    use proptest::sample::select;
    const WORDS: &[&str] =
        &["", "AI", "PL", "300", "12", "true", "Proszę o WYCENĘ", "oferta", "DE"];
    (vec(select(WORDS), 5), vec((-30..1_500_i64, proptest::bool::ANY), 0..40), 0..90_i64)
}

/// Scores `lead` as it is `later` than noon.
fn score_of(lead: &Lead, policy: &ScoringPolicy, later: TimeDelta) -> Score {
    let (words, touched, days) = lead;
    let mut values = FieldValues::default();
    let fields =
        [field::PRODUCT, field::COUNTRY, field::EMPLOYEES, field::MESSAGE, field::EMAIL_IS_FREE];
    for (field, word) in fields.into_iter().zip(words) {
        values.set(field, *word);
    }
    let mut facts = plain_facts();
    facts.last_submitted_at = noon() - TimeDelta::days(*days);
    let mut touches: Vec<Touch> = touched
        .iter()
        .map(|(hours, is_view)| Touch {
            fingerprint: Fingerprint([0; 16]),
            at_ms: (noon() - TimeDelta::hours(*hours)).timestamp_millis(),
            kind: if *is_view { "page-view" } else { "event" }.to_owned(),
            detail: "Whitepaper".to_owned(),
            amount: None,
            identities: Vec::new(),
        })
        .collect();
    touches.sort_by_key(|touch| touch.at_ms);
    let as_of = noon() + later;
    score(&Subject { values: &values, facts: &facts, touches: &touches, as_of }, policy)
}

/// Asserts what holds of every score.
#[track_caller]
fn assert_sound(score: &Score, policy: &ScoringPolicy) {
    let scale = policy.scale_of(score.models.primary);
    let mut groups = [0; 4];
    for given in &score.contributions {
        groups[given.group as usize] += given.points;
        assert_ne!(given.points, 0, "nothing is given for nothing: {given:?}");
    }
    assert_eq!(groups, score.groups, "contributions sum to the groups");
    assert_eq!(groups.iter().sum::<i32>(), score.total, "groups sum to the total");
    assert!((scale.total.0..=scale.total.1).contains(&score.total));
    for (cap, sum) in scale.group_caps.iter().zip(groups) {
        assert!(cap.is_none_or(|cap| sum <= cap));
    }
    let of_primary = score.models.totals.get(score.models.primary).map(|(_, total)| *total);
    assert!(of_primary.is_none_or(|total| total == score.total));
    let matrix = policy.matrix.as_ref().zip(score.grade);
    let segment =
        matrix.map_or(scale.segment_of(score.total), |(matrix, grade)| matrix.cell(grade).segment);
    assert_eq!(score.segment, segment);
}

/// How many leads are generated; `LEADMILL_CASES` asks for more, such as the 100000 of a release.
fn cases() -> u32 {
    std::env::var("LEADMILL_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

#[test]
fn every_point_of_generated_leads_is_explained() {
    let (everything, shipped) = (policy(EVERYTHING), policy(SHIPPED));
    let config = proptest::test_runner::Config::with_cases(cases());
    let result = proptest::test_runner::TestRunner::new(config).run(&any_lead(), |lead| {
        assert_sound(&score_of(&lead, &everything, TimeDelta::zero()), &everything);
        assert_sound(&score_of(&lead, &shipped, TimeDelta::zero()), &shipped);
        Ok(())
    });
    assert_eq!(result, Ok(()));
}

proptest::proptest! {
    #[test]
    fn what_fades_never_comes_back(
        lead in any_lead(), hours in 0..2_000_i64, more in 0..500_i64,
    ) {
        let mut fading = policy(EVERYTHING);
        fading.rules.retain(|rule| rule.decay.is_some());
        for scale in fading.models.iter_mut().map(|model| &mut model.scale) {
            scale.total = (-10_000, 10_000);
            scale.group_caps = [None; 4];
        }
        // The touches ahead of noon are all in by then.
        let at = |hours| score_of(&lead, &fading, TimeDelta::hours(30 + hours)).total;
        proptest::prop_assert!(at(hours + more) <= at(hours));
        proptest::prop_assert!(at(hours + more) >= 0);
    }
}
