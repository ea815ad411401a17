//! What `next_change_ms` promises: never too late, and the same whenever it is asked for.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

const HOUR_MS: i64 = 3_600_000;

/// When a lead did what, in hours from noon: page views, events, and its first and last submission.
type Doings = (Vec<(i64, bool)>, i64, i64);

fn doings() -> impl Strategy<Value = Doings> {
    (vec((-800..60_i64, any::<bool>()), 0..9), -900..30_i64, 0..800_i64)
        .prop_map(|(touches, first, later)| (touches, first, (first + later).min(30)))
}

/// Clauses of every kind that looks at time, and one that does not.
fn clause() -> impl Strategy<Value = String> {
    let field = prop::sample::select(vec!["days-since-last-touch", "days-since-first-submission"]);
    let asked = prop_oneof![
        (0..40_i64).prop_map(|days| format!("at-least = {days}")),
        (0..40_i64).prop_map(|days| format!("at-most = {days}.5")),
        (0..20_i64, 0..20_i64).prop_map(|(low, more)| format!("between = [{low}, {}]", low + more)),
        (0..40_i64, 0..40_i64).prop_map(|(one, other)| format!("one-of = [{one}, {other}]")),
        (0..9_i64).prop_map(|digit| format!("contains = \"{digit}\"")),
    ];
    let touch = (
        prop::sample::select(vec!["page-view", "event"]),
        option::of(0..500_i64),
        0..4_u32,
        option::of(0..3_u32),
    )
        .prop_map(|(kind, within, at_least, more)| {
            let within = within.map_or(String::new(), |hours| format!(", within = \"{hours}h\""));
            let least = at_least.max(1);
            let most = more.map_or(String::new(), |more| format!(", at-most = {}", least + more));
            format!("{{ touch = \"{kind}\"{within}, at-least = {least}{most} }}")
        });
    let leaf = prop_oneof![
        3 => touch,
        2 => (field, asked).prop_map(|(field, asked)| format!("{{ field = \"{field}\", {asked} }}")),
        1 => (1..400_i64).prop_map(|hours| format!("{{ returned-within = \"{hours}h\" }}")),
        1 => any::<bool>().prop_map(|is| format!("{{ field = \"country\", is = \"{}\" }}",
            if is { "PL" } else { "DE" })),
        1 => Just("{ field = \"employees\", at-least = 5 }".to_owned()),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..3)
                .prop_map(|parts| format!("{{ all = [{}] }}", parts.join(", "))),
            vec(inner.clone(), 1..3)
                .prop_map(|parts| format!("{{ any = [{}] }}", parts.join(", "))),
            inner.prop_map(|part| format!("{{ not = {part} }}")),
        ]
    })
}

/// Rules of every kind; what is no sound rule is left out by whoever compiles them.
fn rule() -> impl Strategy<Value = String> {
    let decay = prop_oneof![
        2 => Just(String::new()),
        1 => (1..300_i64).prop_map(|hours| format!("half-life = \"{hours}h\"\n")),
        1 => (1..600_i64).prop_map(|hours| format!("decay = {{ to-zero-after = \"{hours}h\" }}\n")),
    ];
    let count = prop_oneof![
        2 => Just(String::new()),
        1 => Just("count = \"each\"\n".to_owned()),
        1 => (1..3_u32, 1..60_i64).prop_map(|(times, hours)| format!(
            "count = \"each\"\nmax-per-window = {{ times = {times}, window = \"{hours}h\" }}\n\
             max-in-total = {{ times = 3 }}\n"
        )),
    ];
    let missing = prop_oneof![3 => Just(""), 1 => Just("missing = -3\n")];
    (clause(), -40..60_i32, decay, count, missing).prop_map(
        |(when, points, decay, count, missing)| {
            format!("points = {points}\n{decay}{count}{missing}when = {when}\n")
        },
    )
}

fn with_doings<T>((touches, first, last): &Doings, ask: impl FnOnce(&Facts, &[Touch]) -> T) -> T {
    let mut facts = plain_facts();
    facts.n_submissions = 2;
    facts.first_submitted_at = noon() + TimeDelta::hours(*first);
    facts.last_submitted_at = noon() + TimeDelta::hours(*last);
    let mut touches: Vec<Touch> = touches
        .iter()
        .map(|(hours, is_view)| Touch {
            fingerprint: Fingerprint([0; 16]),
            at_ms: (noon() + TimeDelta::hours(*hours)).timestamp_millis(),
            kind: if *is_view { "page-view" } else { "event" }.to_owned(),
            detail: String::new(),
            amount: None,
            identities: Vec::new(),
        })
        .collect();
    touches.sort_by_key(|touch| touch.at_ms);
    ask(&facts, &touches)
}

/// Returns a policy of those of `rules` that are sound.
fn policy_of(rules: &[String]) -> ScoringPolicy {
    let head =
        |id: usize| format!("[[score]]\nid = \"r{id}\"\ngroup = \"behavior\"\nbecause = \"x\"\n");
    let one = |(id, rule): (usize, &String)| format!("{}{rule}", head(id));
    let sound = |text: &String| !compile(&format!("{SEGMENTS}{text}")).1.has_errors();
    let texts: Vec<String> = rules.iter().enumerate().map(one).filter(sound).collect();
    policy(&format!("[total]\nlowest = -200\nhighest = 200\n{SEGMENTS}{}", texts.concat()))
}

#[track_caller]
fn assert_holds(doings: &Doings, policy: &ScoringPolicy, at: impl Iterator<Item = i64>) {
    let mut values = FieldValues::default();
    values.set(field::COUNTRY, "PL");
    with_doings(doings, |facts, touches| {
        let subject = |at_ms: i64| Subject {
            values: &values,
            facts,
            touches,
            as_of: DateTime::from_timestamp_millis(at_ms).unwrap(),
        };
        let noon_ms = noon().timestamp_millis();
        let now = score(&subject(noon_ms), policy);
        let next = next_change_ms(&subject(noon_ms), policy);
        assert!(next.is_none_or(|next_ms| next_ms > noon_ms));
        let last = next.map(|next_ms| next_ms - 1);
        for at_ms in at.map(|after| noon_ms + after).chain(last) {
            if next.is_some_and(|next_ms| at_ms >= next_ms) {
                continue;
            }
            assert_eq!(score(&subject(at_ms), policy), now, "{} ms on", at_ms - noon_ms);
            let again = next_change_ms(&subject(at_ms), policy);
            assert_eq!(again, next, "asked {} ms later", at_ms - noon_ms);
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases().min(600)))]
    #[test]
    fn a_score_holds_until_the_instant_that_is_named(
        doings in doings(),
        rules in vec(rule(), 1..5),
        at in vec(0..2_500 * HOUR_MS, 12),
        near in vec(0..90 * HOUR_MS, 12),
    ) {
        // Whole hours, too: that is where touches and windows lie.
        let hours = (0..200).map(|hour| hour * HOUR_MS);
        let at = at.into_iter().chain(near).chain(hours);
        assert_holds(&doings, &policy_of(&rules), at);
    }

    #[test]
    fn what_is_looked_at_whenever_it_may_have_changed_is_never_out_of_date(
        doings in doings(), rules in vec(rule(), 1..4),
    ) {
        let policy = policy_of(&rules);
        let values = FieldValues::default();
        with_doings(&doings, |facts, touches| {
            let at = |at_ms: i64| Subject {
                values: &values,
                facts,
                touches,
                as_of: DateTime::from_timestamp_millis(at_ms).unwrap(),
            };
            let mut known = (None, Some(0));
            for night in 0..60 {
                let at_ms = noon().timestamp_millis() + night * 24 * HOUR_MS;
                if known.1.is_some_and(|look_ms| look_ms <= at_ms) {
                    known = (Some(score(&at(at_ms), &policy)), next_change_ms(&at(at_ms), &policy));
                }
                assert_eq!(known.0.as_ref(), Some(&score(&at(at_ms), &policy)), "night {night}");
            }
        });
    }
}

#[test]
fn the_instants_are_exact() {
    #[track_caller]
    fn check(rule: &str, hours: &[i64], expected_hours: Option<f64>) {
        let policy = policy_of(&[format!("points = 16\n{rule}\n")]);
        assert_eq!(policy.rules.len(), 1, "{rule}");
        let touches = hours.iter().map(|hours| (*hours, true)).collect();
        let found = with_doings(&(touches, -48, -48), |facts, touches| {
            let mut values = FieldValues::default();
            values.set(field::COUNTRY, "PL");
            let lead = Subject { values: &values, facts, touches, as_of: noon() };
            next_change_ms(&lead, &policy)
        });
        let found = found.map(|at_ms| (at_ms - noon().timestamp_millis()) as f64 / HOUR_MS as f64);
        assert_eq!(found, expected_hours, "{rule} with page views at {hours:?} h");
    }
    let once = "when = { touch = \"page-view\", within = \"7d\" }";
    check(once, &[], None);
    check(once, &[-24], Some(144.0));
    check(once, &[-24, -12], Some(156.0)); // as long as one of them is in
    check(once, &[5], Some(5.0)); // it has not happened yet
    check(
        "count = \"each\"\nwhen = { touch = \"page-view\", within = \"7d\" }",
        &[-24, -12],
        Some(144.0),
    );
    check(
        "when = { touch = \"page-view\", within = \"7d\", at-least = 2 }",
        &[-24, -12],
        Some(144.0),
    );
    check("when = { touch = \"page-view\", within = \"7d\", at-least = 3 }", &[-24, -12], None);
    check("when = { touch = \"page-view\" }", &[-24], None);
    check("when = { field = \"days-since-last-touch\", at-least = 90 }", &[-24], Some(89.0 * 24.0));
    check("when = { field = \"days-since-last-touch\", between = [0, 3] }", &[-24], Some(72.0));
    check("when = { field = \"days-since-last-touch\", at-most = 0 }", &[-24], None);
    // Straight to nothing in 32 hours, of which one gave half a point: rounded, 15 are left after 1 hour and a bit.
    check(
        "decay = { to-zero-after = \"32h\" }\nwhen = { touch = \"page-view\" }",
        &[0],
        Some(1.0 + 1.0 / HOUR_MS as f64),
    );
    check("half-life = \"1h\"\nwhen = { touch = \"page-view\" }", &[-24], None);
    let abroad = "{ field = \"country\", is = \"DE\" }";
    check(
        &format!("when = {{ all = [{abroad}, {{ touch = \"page-view\", within = \"7d\" }}] }}"),
        &[-24],
        None,
    );
    check(
        &format!("when = {{ any = [{abroad}, {{ touch = \"page-view\", within = \"7d\" }}] }}"),
        &[-24],
        Some(144.0),
    );
}
