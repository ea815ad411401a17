use chrono::{DateTime, TimeZone as _};

use super::*;
use crate::model::decision::Segment;
use crate::model::field::{self as f, FieldValues};
use crate::model::ids::Fingerprint;
use crate::model::subject::Facts;
use crate::model::touch::Touch;
use crate::rules::decode::{Sink, document};
use crate::rules::diagnostics::RuleText;

fn compile(when: &str) -> (Condition, Vec<String>) {
    let sink = Sink::default();
    let file = RuleText { path: "rules/x.toml".into(), text: format!("when = {when}").into() };
    let fields = FieldCatalog::decode(None);
    let lists = BTreeMap::from([(
        "target-accounts".to_owned(),
        vec!["Żółw sp. z o.o.".to_owned(), "Example".to_owned()],
    )]);
    let context =
        ConditionContext { fields: &fields, lists: &lists, models: &[], has_matrix: false };
    let mut condition = None;
    document(&file, &sink, |root| condition = Condition::decode_key(root, "when", &context));
    let found = sink
        .take()
        .into_iter()
        .map(|found| {
            let hint = found.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
            format!("{}{hint}", found.message)
        })
        .collect();
    (condition.unwrap_or_else(Condition::always), found)
}

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 10, 12, 0, 0).unwrap()
}

fn touch(hours_ago: i64, kind: &str, detail: &str) -> Touch {
    Touch {
        fingerprint: Fingerprint([0; 16]),
        at_ms: (noon() - TimeDelta::hours(hours_ago)).timestamp_millis(),
        kind: kind.to_owned(),
        detail: detail.to_owned(),
        amount: None,
        identities: Vec::new(),
    }
}

fn with_anna<T>(ask: impl FnOnce(&Subject<'_>) -> T) -> T {
    let mut values = FieldValues::default();
    for (field, value) in [
        (f::EMAIL, "anna@przyklad.pl"),
        (f::COUNTRY, "PL"),
        (f::CITY, "Łódź"),
        (f::COMPANY, "ŻÓŁW sp. z o.o."),
        (f::EMPLOYEES, "250"),
        (f::BUDGET, "5000.50"),
        (f::MESSAGE, "Proszę o WYCENĘ dla 20 osób"),
    ] {
        values.set(field, value);
    }
    let facts = Facts {
        n_submissions: 2,
        first_submitted_at: noon() - TimeDelta::days(10),
        last_submitted_at: noon() - TimeDelta::days(3),
        marketing_email_allowed: true,
        score: Some(72),
        segment: Some(Segment::Hot),
        ..Facts::of_one_submission(noon())
    };
    let touches = [
        touch(168, "page-view", "https://www.example.com/cennik"),
        touch(30, "page-view", "https://www.example.com/Cennik?x=1"),
        touch(5, "event", "Whitepaper download"),
        touch(1, "page-view", "https://www.example.com/cennik/pro"),
        touch(-2, "page-view", "https://www.example.com/cennik"),
    ];
    ask(&Subject { values: &values, facts: &facts, touches: &touches, as_of: noon() })
}

#[track_caller]
fn check(when: &str, expected: bool) {
    let (condition, found) = compile(when);
    assert_eq!(found, [""; 0], "{when}");
    assert_eq!(with_anna(|anna| condition.matches(anna)), expected, "{when}");
}

#[track_caller]
fn check_error(when: &str, expected: &str) {
    let (condition, found) = compile(when);
    assert_eq!(found, [expected], "{when}");
    assert!(!with_anna(|anna| condition.matches(anna)), "a broken condition matches nothing");
}

#[test]
fn text_is_compared_without_case_and_diacritics() {
    check(r#"{ field = "country", is = "pl" }"#, true);
    check(r#"{ field = "country", is-not = "PL" }"#, false);
    check(r#"{ field = "city", is = "lodz" }"#, true);
    check(r#"{ field = "city", one-of = ["Kraków", "Łódź"] }"#, true);
    check(r#"{ field = "company", one-of-list = "target-accounts" }"#, true);
    check(r#"{ field = "message", contains = "wycenę" }"#, true);
    check(r#"{ field = "message", contains = ["pricing", "wycen"] }"#, true);
    check(r#"{ field = "message", starts-with = "prosze" }"#, true);
    check(r#"{ field = "email", ends-with = "@PRZYKLAD.pl" }"#, true);
    check(r#"{ field = "message", matches = 'wycen[ęy] dla \d+' }"#, true);
    check(r#"{ field = "message", matches = 'wycen[ey] dla \d+ osob' }"#, true);
}

#[test]
fn numbers_are_compared_as_numbers() {
    check(r#"{ field = "employees", at-least = 250 }"#, true);
    check(r#"{ field = "employees", at-most = 249.9 }"#, false);
    check(r#"{ field = "employees", between = [50, 250] }"#, true);
    check(r#"{ field = "budget", is = 5000.5 }"#, true);
    check(r#"{ field = "city", at-least = 0 }"#, false);
}

#[test]
fn an_absent_value_is_neither_small_nor_like_anything() {
    check(r#"{ field = "product", at-most = 1000000 }"#, false);
    check(r#"{ field = "product", is-not = "AI" }"#, true);
    check(r#"{ field = "product", exists = false }"#, true);
    check(r#"{ field = "email", exists = true }"#, true);
}

#[test]
fn derived_fields_are_fields() {
    check(r#"{ field = "n-submissions", at-least = 2 }"#, true);
    check(r#"{ field = "n-sources", is = 1 }"#, true);
    check(r#"{ field = "days-since-last-touch", is = 0 }"#, true);
    check(r#"{ field = "days-since-first-submission", between = [10, 10] }"#, true);
    check(r#"{ field = "score", at-least = 70 }"#, true);
    check(r#"{ field = "segment", is = "hot" }"#, true);
    check(r#"{ field = "consent-marketing-email", is = true }"#, true);
    check(r#"{ field = "consent-marketing-phone", is = true }"#, false);
    check(r#"{ field = "has-phone", is = false }"#, true);
    check(r#"{ field = "submitted-hour-utc", is = 12 }"#, true);
}

#[test]
fn touches_are_counted_in_a_window_that_ends_now() {
    check(
        r#"{ touch = "page-view", url-contains = "/cennik", within = "7d", at-least = 2 }"#,
        true,
    );
    // The one exactly seven days old is out, the one in the future has not happened.
    check(
        r#"{ touch = "page-view", url-contains = "/cennik", within = "7d", at-least = 3 }"#,
        false,
    );
    check(r#"{ touch = "page-view", url-contains = "/cennik", at-least = 3 }"#, true);
    check(r#"{ event = "whitepaper", within = "6h" }"#, true);
    check(r#"{ touch = "event", event = "webinar" }"#, false);
    check(r#"{ touch = "call", at-most = 0 }"#, true);
    check(r#"{ returned-within = "7d" }"#, true);
    check(r#"{ returned-within = "2d" }"#, false);
}

#[test]
fn groups_nest() {
    check(
        r#"{ all = [{ field = "country", is = "PL" }, { any = [{ field = "product", is = "AI" },
           { not = { field = "employees", at-most = 10 } }] }] }"#,
        true,
    );
}

#[test]
fn the_witness_names_what_was_looked_at_and_is_there() {
    let (condition, _) = compile(
        r#"{ all = [{ field = "country", is = "PL" }, { field = "product", is-not = "AI" },
           { any = [{ field = "city", is = "Wien" }, { field = "score", at-least = 70 }] },
           { touch = "page-view", within = "2d" }] }"#,
    );
    let witness = with_anna(|anna| condition.witness(anna));
    let witness: Vec<String> =
        witness.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(witness, ["country=PL", "score=72", "page-view=2"]);
    assert!(condition.looks_at_touches() && condition.looks_at_score());
    assert!(condition.looks_at_time() && !compile(r#"{ touch = "call" }"#).0.looks_at_time());
}

#[test]
fn a_narrower_condition_implies_a_wider_one() {
    #[track_caller]
    fn check(narrow: &str, wide: &str, expected: bool) {
        let (narrow_condition, wide_condition) = (compile(narrow).0, compile(wide).0);
        assert_eq!(narrow_condition.implies_same(&wide_condition), expected, "{narrow} => {wide}");
    }
    let pl = r#"{ field = "country", is = "PL" }"#;
    let pl_or_de = r#"{ field = "country", one-of = ["de", "pl"] }"#;
    let pl_ai = r#"{ all = [{ field = "product", is = "AI" }, { field = "country", is = "PL" }] }"#;
    check(pl, pl, true);
    check(pl, pl_or_de, true);
    check(pl_or_de, pl, false);
    check(pl_ai, pl, true);
    check(pl_ai, pl_or_de, true);
    check(pl, pl_ai, false);
    check(r#"{ field = "score", at-least = 80 }"#, r#"{ field = "score", at-least = 70 }"#, true);
    check(r#"{ field = "score", at-least = 60 }"#, r#"{ field = "score", at-least = 70 }"#, false);
    assert!(compile(pl).0.implies_same(&Condition::always()));
    assert!(!Condition::always().implies_same(&compile(pl).0));
}

#[test]
fn mistakes_name_the_way_out() {
    check_error(
        r#"{ field = "contry", is = "PL" }"#,
        "unknown field `contry` (did you mean `country`?)",
    );
    check_error(
        r#"{ field = "country", is = "PL", one-of = ["PL"] }"#,
        "the clause has `is` and `one-of`, but may have only one operator (keep one and put the \
         others into clauses of their own under `all`)",
    );
    check_error(r#"{ feild = "country" }"#, "unknown key `feild` (did you mean `field`?)");
    check_error(
        r#"{ field = "company", one-of-list = "target-acounts" }"#,
        "there is no list `target-acounts` (did you mean `target-accounts`?)",
    );
    check_error(
        r#"{ field = "employees", between = [250, 50] }"#,
        "`between` needs two numbers in order (write [lowest, highest], both included)",
    );
    check_error(
        r#"{ field = "country", is = "PL", all = [] }"#,
        "a condition cannot have `all` and `field` at once (put each into a table of its own under \
         `all` or `any`)",
    );
    check_error("{ any = [] }", "`any` is empty (leave `when` out to match always)");
}

#[test]
fn what_is_never_used_or_never_true_is_pointed_out() {
    #[track_caller]
    fn check(when: &str, expected: &str) {
        assert_eq!(compile(when).1, [expected], "{when}");
    }
    check(
        r#"{ field = "seniority", is = "directer" }"#,
        "`seniority` is never `directer` (did you mean `director`?)",
    );
    check(
        r#"{ field = "department", is = "sale" }"#,
        "`department` is never `sale` (did you mean `sales`?)",
    );
    check(
        r#"{ touch = "pageview" }"#,
        "there is no kind of touch `pageview` (did you mean `page-view`?)",
    );
    check(
        r#"{ field = "country", is = "PL", exits = true }"#,
        "unknown key `exits` (did you mean `exists`?)",
    );
    check(
        r#"{ field = "country", is = "Polska" }"#,
        "`country` is never `Polska` (countries are compared by their two letters, such as PL or DE)",
    );
}

proptest::proptest! {
    #[test]
    fn compiled_clauses_answer_as_plain_ones(
        words in proptest::collection::vec(proptest::sample::select(&WORDS[..]), 0..5),
        needles in proptest::collection::vec(proptest::sample::select(&WORDS[..]), 1..5),
        operator in proptest::sample::select(&["contains", "starts-with", "ends-with", "one-of"][..]),
    ) {
        let text = words.join(" ");
        let plain = |text: &str| deunicode::deunicode(text).to_lowercase();
        let mut values = FieldValues::default();
        values.set(f::MESSAGE, text.as_str());
        let (condition, found) = compile(&format!("{{ field = \"message\", {operator} = {needles:?} }}"));
        proptest::prop_assert_eq!(found, [""; 0]);
        let value = plain(&text);
        let expected = !text.is_empty() && needles.iter().map(|needle| plain(needle)).any(|needle| {
            match operator {
                "contains" => value.contains(&needle),
                "starts-with" => value.starts_with(&needle),
                "ends-with" => value.ends_with(&needle),
                _ => value == needle,
            }
        });
        let answers = with_anna(|anna| {
            let subject = Subject { values: &values, ..*anna };
            let lens = Lens::new(&subject);
            // Asked twice, the second time of what was folded the first time.
            [condition.matches(&subject), condition.matches_through(&lens), condition.matches_through(&lens)]
        });
        proptest::prop_assert_eq!(answers, [expected; 3]);
    }

    #[test]
    fn a_window_holds_what_a_look_at_every_touch_finds(
        ages in proptest::collection::vec((-50..400_i64, proptest::sample::select(&WORDS[..])), 0..30),
        hours in 1..300_i64,
        needle in proptest::sample::select(&WORDS[..]),
    ) {
        let mut touches: Vec<Touch> =
            ages.iter().map(|(age, detail)| touch(*age, "Page-View", detail)).collect();
        touches.sort_by_key(|touch| touch.at_ms);
        let plain = |text: &str| deunicode::deunicode(text).to_lowercase();
        let expected = ages.iter().filter(|(age, detail)| {
            (0..hours).contains(age) && plain(detail).contains(&plain(needle))
        });
        let expected = expected.count();
        let exactly = format!(
            "{{ touch = \"page-view\", url-contains = {needle:?}, within = \"{hours}h\", \
             at-least = {expected}, at-most = {expected} }}"
        );
        // `at-least = 0` is a mistake: what did not happen is asked for by `at-most = 0`.
        let (condition, found) = compile(&exactly.replace("at-least = 0, ", ""));
        proptest::prop_assert_eq!(found, [""; 0]);
        let is_met = with_anna(|anna| condition.matches(&Subject { touches: &touches, ..*anna }));
        proptest::prop_assert!(is_met);
    }
}

const WORDS: [&str; 8] =
    ["wycena", "WYCENĘ", "Łódź", "lodz", "Straße", "a.b", "Ile kosztuje (netto)?", "ofert"];

#[test]
fn what_a_lead_misses_is_said_in_words() {
    #[track_caller]
    fn check(when: &str, expected: &[&str]) {
        let (condition, found) = compile(when);
        assert_eq!(found, [""; 0]);
        assert_eq!(with_anna(|anna| condition.misses(anna)), expected, "{when}");
    }
    check("{ field = 'country', is = 'PL' }", &[]);
    check(
        "{ field = 'country', one-of = ['de', 'AT', 'CH'] }",
        &["country is PL, not AT, CH or DE"],
    );
    check("{ field = 'product', is = 'AI' }", &["product is not known"]);
    check("{ field = 'city', starts-with = 'War' }", &["city is Łódź, not beginning with war"]);
    check(
        "{ field = 'message', contains = 'demo' }",
        &["message is Proszę o WYCENĘ dla 20 osób, without demo"],
    );
    check("{ field = 'employees', at-least = 500 }", &["employees is 250, less than 500"]);
    check("{ field = 'employees', between = [10, 49] }", &["employees is 250, more than 49"]);
    check("{ field = 'segment', is-not = 'hot' }", &["segment is hot, which is left out"]);
    check("{ field = 'country', exists = false }", &["country is PL, which is left out"]);
    check(
        "{ all = [{ field = 'country', is = 'PL' }, { any = [{ field = 'employees', at-least = 500 }, { field = 'product', is = 'AI' }] }] }",
        &["employees is 250, less than 500", "product is not known"],
    );
    check("{ touch = 'download', at-least = 2 }", &["download happened 0 times, not at least 2"]);
    check("{ returned-within = '1d' }", &["did not come back in time"]);
}

#[test]
fn only_what_may_still_come_is_supposed() {
    #[track_caller]
    fn check(when: &str, expected: Option<usize>) {
        let (condition, found) = compile(when);
        assert_eq!(found, [""; 0]);
        let changes = with_anna(|anna| {
            let lens = Lens::new(anna);
            let holds = !condition.matches_through(&lens);
            condition.changes_to(holds, Gap::DoesNotFit, &lens).map(|changes| {
                let supposed = Supposition::new(&changes).expect("a condition contradicts itself");
                assert_eq!(supposed.meets(&condition, &lens), holds, "{when}");
                supposed.clauses()
            })
        });
        assert_eq!(changes, expected, "{when}");
    }
    check("{ field = 'product', is = 'AI' }", Some(1));
    check("{ field = 'message', contains = 'demo' }", Some(1));
    check("{ field = 'message', contains = 'wycen' }", None); // said is said
    check("{ field = 'country', is = 'DE' }", None);
    check("{ field = 'budget', at-least = 9000 }", None);
    check("{ field = 'campaign', is = 'x' }", None);
    check("{ field = 'has-phone', is = true }", Some(1));
    check("{ field = 'has-phone', is = false }", Some(1)); // the phone may still come
    check("{ field = 'has-email', is = true }", None);
    check("{ field = 'n-submissions', at-least = 3 }", Some(1));
    check("{ field = 'n-submissions', at-most = 2 }", Some(1));
    check("{ field = 'n-submissions', at-most = 1 }", None);
    check("{ touch = 'download', at-least = 2 }", Some(1));
    check("{ touch = 'download', at-most = 0 }", Some(1));
    check("{ touch = 'page-view' }", None);
    check("{ returned-within = '1d' }", Some(1));
    check(
        "{ all = [{ field = 'product', is = 'AI' }, { field = 'nip', exists = true }] }",
        Some(2),
    );
    check(
        "{ any = [{ field = 'country', is = 'DE' }, { field = 'nip', exists = true }] }",
        Some(1),
    );
    check(
        "{ all = [{ field = 'job-title', contains = 'x' }, { not = { field = 'city', is = 'Łódź' } }] }",
        None,
    );
}
