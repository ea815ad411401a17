//! `tests/*.toml`: the rules' own tests, a lead given and a decision expected.
//!
//! This module reads them and builds the facts of the lead; whoever runs the stages runs the tests.

use chrono::{DateTime, TimeDelta, Utc};

use super::decode::{FIELDS, SCORING, Table, duration_seconds};
use super::diagnostics::{Place, did_you_mean};
use super::field::FieldCatalog;
use super::scoring::{ScoringPolicy, expect_rule};
use super::touch_kind::touch_kind;
use crate::model::decision::{Grade, Group, Segment};
use crate::model::field::FieldValues;
use crate::model::ids::Fingerprint;
use crate::model::subject::Facts;
use crate::model::touch::Touch;

/// One test.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleTest {
    /// What it shows, as a sentence.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// The instant at which the decision is made; the runner's own when absent.
    pub as_of: Option<DateTime<Utc>>,
    /// The lead's values as written; the runner may normalize and enrich them.
    pub given: FieldValues,
    /// What is given beyond values.
    pub given_facts: GivenFacts,
    /// Id of the owner that the lead had.
    pub owner_before: Option<String>,
    /// Leads that came to owners before.
    pub loads: Vec<GivenLoad>,
    /// What is expected.
    pub expect: Expectation,
}

/// What a test says of a lead beyond its values; ages count back from as-of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenFacts {
    /// Ages of the submissions in seconds, oldest first; never empty.
    pub submission_ages_seconds: Vec<i64>,
    /// Whether they asked for anything by them; else they are only known from a list.
    pub has_enquired: bool,
    /// Distinct sources.
    pub n_sources: u32,
    /// Whether marketing by e-mail is allowed.
    pub marketing_email_allowed: bool,
    /// Whether marketing by phone is allowed.
    pub marketing_phone_allowed: bool,
    /// Touches, oldest first.
    pub touches: Vec<GivenTouch>,
}

/// A touch of a test's lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenTouch {
    /// Kind, such as `page-view`.
    pub kind: String,
    /// URL of the page or name of the event.
    pub detail: String,
    /// Seconds before as-of.
    pub age_seconds: i64,
}

/// Leads that came to an owner before the test's lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenLoad {
    /// Owner's id.
    pub owner: String,
    /// Queue's id; without one they count for the owner alone.
    pub queue: Option<String>,
    /// How many.
    pub leads: i64,
    /// Seconds before as-of.
    pub age_seconds: i64,
}

/// The owner whom a test expects when the lead is to wait.
pub const NOBODY: &str = "nobody";

/// What a test expects; what it does not mention is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expectation {
    /// Segment.
    pub segment: Option<Segment>,
    /// Place in the matrix.
    pub grade: Option<Grade>,
    /// Id of the scoring model that decides.
    pub model: Option<String>,
    /// Totals by id of scoring model.
    pub models: Vec<(String, i32)>,
    /// Total.
    pub score: Option<i32>,
    /// Points per group, in the order of [`Group::ALL`].
    pub groups: [Option<i32>; 4],
    /// Queue's id.
    pub queue: Option<String>,
    /// Owner's id, or [`NOBODY`].
    pub owner: Option<String>,
    /// Ids of exactly the owners who were passed over, in alphabetical order.
    pub passed: Option<Vec<String>>,
    /// Route's id.
    pub route: Option<String>,
    /// Scoring rules that must have given points.
    pub because: Vec<String>,
    /// Scoring rules that must not have given points.
    pub not_because: Vec<String>,
    /// Scoring rules that must have found their value missing, and said what that costs.
    pub missing: Vec<String>,
    /// Scoring rules that count each touch, and how many of them must have counted.
    pub times: Vec<(String, u32)>,
    /// Ids of exactly the steps that are planned, in order.
    pub tasks: Option<Vec<String>>,
}

impl RuleTest {
    /// Reads the `[[test]]` tables of one file; rule ids are checked against `scoring`.
    pub fn decode(root: &Table<'_>, fields: &FieldCatalog, scoring: &ScoringPolicy) -> Vec<Self> {
        root.tables("test", |table| {
            let name = table.string("name");
            let mut given = FieldValues::default();
            let mut given_facts = GivenFacts::default();
            let read = table.table("given", |inner| {
                given_facts = decode_facts(inner);
                given = decode_values(inner, fields);
            });
            if read.is_none() && !table.has("given") {
                table.missing("given");
            }
            let expect = table.table("expect", |inner| decode_expectation(inner, scoring));
            if expect.is_none() && !table.has("expect") {
                table.missing("expect");
            }
            let as_of = decode_as_of(table);
            let place = table.place_of("name");
            let owner_before = table.opt_string("owner-before");
            let loads = table.tables("loads", decode_load);
            let expect = expect.unwrap_or_default();
            Self { name, place, as_of, given, given_facts, owner_before, loads, expect }
        })
    }

    /// Returns the facts of the lead at `as_of`; neither score nor segment is known yet.
    pub fn facts(&self, as_of: DateTime<Utc>) -> Facts {
        let given = &self.given_facts;
        let at = |age: Option<&i64>| before(as_of, age.copied().unwrap_or_default());
        let submissions = given.submission_ages_seconds.len().max(1) as u32;
        Facts {
            n_submissions: if given.has_enquired { submissions } else { 0 },
            n_sources: given.n_sources,
            first_submitted_at: at(given.submission_ages_seconds.first()),
            last_submitted_at: at(given.submission_ages_seconds.last()),
            marketing_email_allowed: given.marketing_email_allowed,
            marketing_phone_allowed: given.marketing_phone_allowed,
            ..Facts::of_one_submission(as_of)
        }
    }

    /// Returns the touches of the lead at `as_of`, oldest first.
    pub fn touches(&self, as_of: DateTime<Utc>) -> Vec<Touch> {
        self.given_facts
            .touches
            .iter()
            .enumerate()
            .map(|(position, given)| Touch {
                fingerprint: Fingerprint((position as u128).to_be_bytes()),
                at_ms: before(as_of, given.age_seconds).timestamp_millis(),
                kind: given.kind.clone(),
                detail: given.detail.clone(),
                amount: None,
                identities: Vec::new(),
            })
            .collect()
    }
}

fn decode_load(table: &Table<'_>) -> GivenLoad {
    let leads = table.integer("leads");
    if leads < 0 {
        table.error("leads", "nobody has fewer leads than none", None);
    }
    GivenLoad {
        owner: table.string("owner"),
        queue: table.opt_string("queue"),
        leads,
        age_seconds: table.opt_duration_seconds("ago").unwrap_or_default(),
    }
}

fn before(as_of: DateTime<Utc>, age_seconds: i64) -> DateTime<Utc> {
    let age = TimeDelta::try_seconds(age_seconds).unwrap_or_default();
    as_of.checked_sub_signed(age).unwrap_or(as_of)
}

fn decode_as_of(table: &Table<'_>) -> Option<DateTime<Utc>> {
    let text = table.opt_string("as-of")?;
    let parsed = DateTime::parse_from_rfc3339(&text).ok();
    if parsed.is_none() {
        let hint = "write it like \"2026-03-10T12:00:00Z\"".to_owned();
        table.error("as-of", format!("`{text}` is not an instant"), Some(hint));
    }
    parsed.map(|instant| instant.to_utc())
}

/// The keys of `given` that are no fields.
const FACT_KEYS: &[&str] = &[
    "submissions",
    "n-submissions",
    "n-sources",
    "days-since-last-touch",
    "days-since-first-submission",
    "consent-marketing-email",
    "consent-marketing-phone",
    "touches",
];
/// Submissions that `n-submissions` may ask for.
const SUBMISSIONS_MAX: i64 = 1_000;
const DAY_SECONDS: i64 = 86_400;

fn decode_facts(table: &Table<'_>) -> GivenFacts {
    let mut touches = table.tables("touches", |touch| {
        if !touch.has("ago") {
            touch.missing("ago");
        }
        GivenTouch {
            kind: touch_kind(touch, "kind").to_owned(),
            detail: touch.opt_string("detail").unwrap_or_default(),
            age_seconds: touch.opt_duration_seconds("ago").unwrap_or_default(),
        }
    });
    touches.sort_by_key(|touch| std::cmp::Reverse(touch.age_seconds));
    let count = whole(table, "n-submissions");
    GivenFacts {
        submission_ages_seconds: submission_ages(table, count),
        has_enquired: count != Some(0),
        n_sources: whole(table, "n-sources").unwrap_or(1) as u32,
        marketing_email_allowed: table.bool_or("consent-marketing-email", false),
        marketing_phone_allowed: table.bool_or("consent-marketing-phone", false),
        touches,
    }
}

/// Reads `submissions = ["10d", "1h"]`, or what the derived fields say: the last one as long ago as
/// the last touch, the first one as given, any others a day apart; `count` is `n-submissions`.
fn submission_ages(table: &Table<'_>, count: Option<i64>) -> Vec<i64> {
    let last_days = whole(table, "days-since-last-touch");
    let first_days = whole(table, "days-since-first-submission");
    let mut ages = Vec::new();
    for (text, place) in table.located_strings("submissions") {
        match duration_seconds(&text) {
            Some(seconds) => ages.push(seconds),
            None => table.sink().error(
                &place,
                format!("`{text}` is not a duration"),
                Some("write how long ago: submissions = [\"10d\", \"1h\"]".to_owned()),
            ),
        }
    }
    if ages.is_empty() {
        let last = last_days.unwrap_or_default() * DAY_SECONDS;
        let count = count.unwrap_or(1).max(1);
        ages = (0..count).map(|position| last + position * DAY_SECONDS).collect();
        if let (Some(days), Some(oldest)) = (first_days, ages.last_mut()) {
            *oldest = days * DAY_SECONDS;
        }
    } else if count.is_some() || last_days.is_some() || first_days.is_some() {
        let hint = "keep `submissions`, it says everything".to_owned();
        table.error("submissions", "`submissions` and its counts contradict", Some(hint));
    }
    ages.sort_unstable_by_key(|age| std::cmp::Reverse(*age));
    ages
}

fn whole(table: &Table<'_>, key: &str) -> Option<i64> {
    let number = table.opt_integer(key)?;
    if !(0..=SUBMISSIONS_MAX * 100).contains(&number)
        || (key == "n-submissions" && number > SUBMISSIONS_MAX)
    {
        table.error(key, format!("`{key}` cannot be {number}"), None);
        return None;
    }
    Some(number)
}

fn decode_values(table: &Table<'_>, fields: &FieldCatalog) -> FieldValues {
    let mut values = FieldValues::default();
    for key in table.keys() {
        if FACT_KEYS.contains(&key.as_str()) {
            continue;
        }
        let value = table.opt_scalar(&key);
        if let Some(number) = fields.number(&key) {
            values.set(number, value.unwrap_or_default());
            continue;
        }
        let known = fields.iter().map(|(_, spec)| spec.name.as_str());
        let hint = did_you_mean(&key, known.chain(FACT_KEYS.iter().copied()))
            .map(|near| format!("did you mean `{near}`?"));
        table.lacks(FIELDS, &key, format!("unknown field `{key}`"), hint);
    }
    values
}

fn decode_expectation(table: &Table<'_>, scoring: &ScoringPolicy) -> Expectation {
    let mut groups = [None; 4];
    table.table("groups", |inner| {
        for (word, group) in Group::ALL {
            groups[*group as usize] = opt_points(inner, word);
        }
    });
    let rule_ids = |key: &str| -> Vec<String> {
        let ids = table.located_strings(key);
        for (id, place) in &ids {
            expect_rule(&scoring.rules, id, place, table);
        }
        ids.into_iter().map(|(id, _)| id).collect()
    };
    let expectation = Expectation {
        segment: table.opt_choice("segment", Segment::ALL),
        grade: decode_grade(table, scoring),
        model: table.opt_string("model").inspect(|id| expect_model(scoring, id, "model", table)),
        models: decode_models(table, scoring),
        score: opt_points(table, "score"),
        groups,
        queue: table.opt_string("queue"),
        owner: table.opt_string("owner"),
        passed: table.has("passed").then(|| {
            let mut owners = table.strings("passed");
            owners.sort();
            owners
        }),
        route: table.opt_string("route"),
        because: rule_ids("because"),
        not_because: rule_ids("not-because"),
        missing: rule_ids("missing"),
        times: decode_times(table, scoring),
        tasks: table.has("tasks").then(|| table.strings("tasks")),
    };
    if expectation == Expectation::default() {
        let hint =
            "expect a segment, a grade, a score, a queue, an owner, a route, tasks or reasons";
        table.sink().error(table.place(), "the test expects nothing", Some(hint.to_owned()));
    }
    expectation
}

fn opt_points(table: &Table<'_>, key: &str) -> Option<i32> {
    let number = table.opt_integer(key)?;
    let points = i32::try_from(number).ok();
    if points.is_none() {
        table.error(key, format!("no lead can have {number} points"), None);
    }
    points
}

fn decode_grade(table: &Table<'_>, scoring: &ScoringPolicy) -> Option<Grade> {
    let grade = table.opt_choice("grade", Grade::ALL)?;
    if scoring.matrix.is_none() {
        let hint = Some("leads get one where scoring.toml has a [matrix]".to_owned());
        table.error("grade", "no lead has a grade", hint);
    }
    Some(grade)
}

fn decode_models(table: &Table<'_>, scoring: &ScoringPolicy) -> Vec<(String, i32)> {
    let read = table.table("models", |inner| {
        let ids = inner.keys().into_iter();
        ids.map(|id| {
            expect_model(scoring, &id, &id, inner);
            let total = opt_points(inner, &id).unwrap_or_default();
            (id, total)
        })
        .collect()
    });
    read.unwrap_or_default()
}

fn expect_model(scoring: &ScoringPolicy, id: &str, key: &str, table: &Table<'_>) {
    let known = || scoring.models.iter().map(|model| &*model.id);
    if !known().any(|model| model == id) {
        let hint = did_you_mean(id, known()).map(|near| format!("did you mean `{near}`?"));
        table.lacks(SCORING, key, format!("there is no model `{id}`"), hint);
    }
}

fn decode_times(table: &Table<'_>, scoring: &ScoringPolicy) -> Vec<(String, u32)> {
    let read = table.table("times", |inner| {
        let ids = inner.keys().into_iter();
        ids.map(|id| {
            expect_rule(&scoring.rules, &id, &inner.place_of(&id), inner);
            let times = inner.opt_integer(&id).unwrap_or_default();
            let count = u32::try_from(times);
            if count.is_err() {
                inner.error(&id, format!("no rule can give its points {times} times"), None);
            }
            (id, count.unwrap_or_default())
        })
        .collect()
    });
    read.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;
    use crate::model::field;
    use crate::rules::decode::{Sink, document};
    use crate::rules::diagnostics::RuleText;

    fn read(text: &str) -> (Vec<RuleTest>, Vec<String>) {
        let sink = Sink::default();
        let file = RuleText { path: "rules/tests/x.toml".into(), text: text.into() };
        let mut tests = Vec::new();
        let (fields, policy) = (FieldCatalog::decode(None), ScoringPolicy::default());
        document(&file, &sink, |root| tests = RuleTest::decode(root, &fields, &policy));
        let found = sink.take().into_iter().map(|found| {
            let hint = found.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
            format!("{}{hint}", found.message)
        });
        (tests, found.collect())
    }

    fn noon() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 3, 10, 12, 0, 0).unwrap()
    }

    #[test]
    fn what_is_given_becomes_values_facts_and_touches() {
        let (tests, found) = read(
            r#"[[test]]
               name = "x"
               as-of = "2026-03-10T13:00:00+01:00"
               given = { employees = 500, submissions = ["1h", "3d"], n-sources = 2, touches = [
                   { kind = "page-view", detail = "/b", ago = "1h" },
                   { kind = "page-view", detail = "/a", ago = "2d" } ] }
               expect = { queue = "sales", tasks = ["call"], score = 40 }"#,
        );
        assert_eq!(found, [""; 0]);
        let test = &tests[0];
        assert_eq!(test.as_of, Some(noon()));
        assert_eq!(test.given.get(field::EMPLOYEES), Some("500"));
        let facts = test.facts(noon());
        assert_eq!((facts.n_submissions, facts.n_sources), (2, 2));
        assert_eq!(facts.first_submitted_at, noon() - TimeDelta::days(3));
        assert_eq!(facts.last_submitted_at, noon() - TimeDelta::hours(1));
        let details: Vec<String> =
            test.touches(noon()).into_iter().map(|touch| touch.detail).collect();
        assert_eq!(details, ["/a", "/b"], "oldest first");
        assert_eq!(test.expect.tasks.as_deref(), Some(["call".to_owned()].as_slice()));
    }

    #[test]
    fn derived_facts_may_be_given_instead_of_submissions() {
        #[track_caller]
        fn check(given: &str, ages_days: &[i64]) {
            let text =
                format!("[[test]]\nname = \"x\"\ngiven = {{ {given} }}\nexpect = {{ score = 0 }}");
            let (tests, found) = read(&text);
            assert_eq!(found, [""; 0]);
            let ages: Vec<i64> = tests[0]
                .given_facts
                .submission_ages_seconds
                .iter()
                .map(|seconds| seconds / DAY_SECONDS)
                .collect();
            assert_eq!(ages, ages_days, "{given}");
        }
        check("country = \"PL\"", &[0]);
        check("n-submissions = 3", &[2, 1, 0]);
        check("days-since-last-touch = 5", &[5]);
        check(
            "n-submissions = 2, days-since-last-touch = 1, days-since-first-submission = 9",
            &[9, 1],
        );
    }

    #[test]
    fn mistakes_are_named() {
        let (_, found) = read(
            r#"[[test]]
               name = "x"
               as-of = "yesterday"
               given = { contry = "PL", touches = [{ kind = "pageview", ago = "1h" }] }
               expect = { because = ["decision-maker"] }
               [[test]]
               name = "y"
               given = { country = "PL" }
               expect = {}
               [[test]]
               name = "z"
               given = { country = "PL" }
               expect = { queue = "q", score = 4294967336, groups = { fit = -4294967336 } }"#,
        );
        assert_eq!(
            found,
            [
                "there is no kind of touch `pageview` (did you mean `page-view`?)",
                "unknown field `contry` (did you mean `country`?)",
                "there is no scoring rule `decision-maker`",
                "`yesterday` is not an instant (write it like \"2026-03-10T12:00:00Z\")",
                "the test expects nothing (expect a segment, a grade, a score, a queue, an owner, a \
                 route, tasks or reasons)",
                "no lead can have -4294967336 points",
                "no lead can have 4294967336 points",
            ]
        );
    }
}
