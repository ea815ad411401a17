use super::compiled::{SEGMENTS, compile};
use super::*;

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let (_, found) = compile(text);
    let found: Vec<String> =
        found.iter().map(|found| format!("{}: {}", found.place.line(), found.message)).collect();
    assert_eq!(found, expected);
}

/// Asserts what is found, message and hint, wherever it is.
#[track_caller]
fn check_hints(text: &str, expected: &[&str]) {
    let (_, found) = compile(text);
    let said = found.iter().map(|found| {
        let hint = found.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}{hint}", found.message)
    });
    assert_eq!(said.collect::<Vec<_>>(), expected);
}

fn rule(id: &str, rest: &str) -> String {
    let when =
        if rest.contains("when =") { "" } else { "when = { field = \"country\", is = \"PL\" }" };
    let group = if rest.contains("group =") { "" } else { "group = \"fit\"" };
    format!("[[score]]\nid = \"{id}\"\n{group}\n{when}\nbecause = \"x\"\n{rest}\n")
}

#[test]
fn mistakes_in_the_policy_are_named() {
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
        &SEGMENTS.replace("from = 40", "from = 4294967336"),
        &["5: 4294967336 points are more than 1000"],
    );
    check_hints(
        &format!(
            "{SEGMENTS}{}{}",
            rule(
                "views",
                "points = 3\ncount = 'each'\nmax-in-total = { points = -9223372036854775808 }\n\
                 when = { touch = 'page-view' }"
            ),
            rule("least", "points = -9223372036854775808\nmissing = -9223372036854775808")
        ),
        &[
            "-9223372036854775808 is not a multiple of the 3 points of one touch (say \
             9223372036854775806 or 9223372036854775809, or count the touches: times = ..)",
            "-9223372036854775808 points are more than 1000",
            "-9223372036854775808 points are more than 1000",
        ],
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

const VIEWS: &str = "when = { touch = \"page-view\" }\ngroup = \"behavior\"";

fn hot() -> String {
    rule("base", "points = 90\nwhen = { field = \"country\", is = \"DE\" }\ngroup = \"intent\"")
}

#[test]
fn limits_are_for_touches_that_are_counted() {
    #[track_caller]
    fn check(rest: &str, expected: &[&str]) {
        check_hints(&format!("{}{}{SEGMENTS}", rule("views", rest), hot()), expected);
    }
    let views = |rest: &str| format!("points = 5\n{VIEWS}\n{rest}");
    check(&views("count = \"each\""), &[]);
    check(&views("count = \"each\"\nmax-per-window = { points = 10, window = \"1d\" }"), &[]);
    check(
        &views("max-in-total = { times = 3 }"),
        &[
            "`max-in-total` limits nothing: the points are given once (count = \"each\" gives the points \
           for every touch, up to the limit)",
        ],
    );
    check(
        &views("count = \"each\"\nmax-in-total = { points = 12 }"),
        &[
            "12 is not a multiple of the 5 points of one touch (say 10 or 15, or count the touches: \
           times = ..)",
        ],
    );
    check(
        &views("count = \"each\"\nmax-in-total = { times = 0 }"),
        &["a limit is 1 to 1000 touches"],
    );
    check(
        &views("count = \"each\"\nmax-per-window = { window = \"1d\" }"),
        &[
            "a limit has `times` or `points`, and this has neither (write { times = 3 } or { points = 15 })",
        ],
    );
    check(
        &views("count = \"each\"\nmax-per-window = { times = 1, window = \"0d\" }"),
        &["a window of 0 holds no touches"],
    );
    check(
        "points = 5\ncount = \"each\"",
        &["there are no touches to count in `when` (add a touch clause, such as { touch = \
           \"page-view\" }, or leave `count` out)"],
    );
    check(&views("count = \"every\""), &["`count` cannot be `every` (one of: once, each)"]);
}

#[test]
fn points_fade_in_one_way() {
    #[track_caller]
    fn check(rest: &str, expected: Option<Decay>, found: &[&str]) {
        let text = format!(
            "{}{}{SEGMENTS}",
            rule("views", &format!("points = 5\n{VIEWS}\n{rest}")),
            hot()
        );
        check_hints(&text, found);
        if found.is_empty() {
            assert_eq!(compile(&text).0.rules[0].decay, expected);
        }
    }
    const DAY_MS: i64 = 86_400_000;
    check("", None, &[]);
    check("half-life = \"7d\"", Some(Decay::HalfLife(7 * DAY_MS)), &[]);
    check("decay = { half-life = \"7d\" }", Some(Decay::HalfLife(7 * DAY_MS)), &[]);
    check("decay = { to-zero-after = \"30d\" }", Some(Decay::ToZero(30 * DAY_MS)), &[]);
    check(
        "decay = {}",
        None,
        &[
            "points fade in one of two ways (write { half-life = \"7d\" } or { to-zero-after = \"30d\" })",
        ],
    );
    check(
        "half-life = \"1d\"\ndecay = { to-zero-after = \"30d\" }",
        None,
        &[
            "`decay` says already how the points fade (`half-life` is short for decay = { half-life = .. \
           }; keep one)",
        ],
    );
    check("decay = { to-zero-after = \"0d\" }", None, &["a to-zero-after of 0 leaves no points"]);
    check_hints(
        &format!("{}{}{SEGMENTS}", rule("pl", "points = 5\nhalf-life = \"7d\""), hot()),
        &[
            "rule `pl` fades, but looks at nothing that has a date (its age would be that of the latest \
           submission; leave the decay out)",
        ],
    );
}

#[test]
fn a_value_can_be_missing_only_where_one_is_looked_at() {
    check_hints(
        &format!(
            "{}{}{SEGMENTS}",
            rule(
                "known",
                "points = 5\nmissing = -3\nwhen = { field = \"company\", exists = true }"
            ),
            hot()
        ),
        &["nothing can be missing here (`when` looks at no field that may be absent; `exists` is \
           always answered)"],
    );
}

#[test]
fn rules_that_change_nothing_are_pointed_out() {
    check_hints(
        &format!("{}{}{}{SEGMENTS}", rule("pl", "points = 5"), rule("poland", "points = 3"), hot()),
        &[
            "rule `poland` asks the same as `pl` (their points are added up; one rule is enough (line 2))",
        ],
    );
    let size = |least: u32| format!("when = {{ field = \"employees\", at-least = {least} }}");
    let rules = format!(
        "{}{}{}",
        rule("huge", &format!("points = 30\n{}", size(1_000))),
        rule("large", &format!("points = 25\n{}", size(250))),
        rule("medium", &format!("points = 15\n{}", size(50))),
    );
    check_hints(
        &format!("[caps]\nfit = 40\n{rules}{}{SEGMENTS}", hot()),
        &[
            "rule `huge` never matters: `large`, `medium` fill the cap of fit for its leads (raise the \
           cap, or remove the rule)",
        ],
    );
    // Points may be taken again, and then the rule counts.
    let student =
        rule("student", "points = -9\nwhen = { field = \"job-title\", is = \"student\" }");
    check_hints(&format!("[caps]\nfit = 40\n{rules}{student}{}{SEGMENTS}", hot()), &[]);
    check_hints(&format!("[caps]\nfit = 41\n{rules}{}{SEGMENTS}", hot()), &[]);
}

#[test]
fn thresholds_are_said_and_are_reached() {
    check_hints(
        &format!("{}{}", hot(), SEGMENTS.replace("from = 40", "")),
        &["segment `warm` does not say from how many points (add it, or 40 is assumed: from = 40)"],
    );
    check_hints(
        &format!("{}{SEGMENTS}", rule("pl", "points = 39")),
        &["no lead can be warm: the rules give at most 39 points (warm starts at 40)"],
    );
}

const GRADED: &str = r#"
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
    2 = 20
    [matrix.cells]
    A1 = { segment = "hot" }
    A2 = { segment = "hot", action = "write, then call" }
    A3 = { segment = "warm" }
    B1 = { segment = "hot" }
    B2 = { segment = "warm" }
    B3 = { segment = "cold" }
    C1 = { segment = "warm" }
    C2 = { segment = "cold" }
    C3 = { segment = "cold" }
"#;

#[test]
fn every_grade_has_a_segment_and_somebody_gets_there() {
    let (fit, intent) = (rule("pl", "points = 45"), hot());
    check_hints(&format!("{fit}{intent}{GRADED}"), &[]);
    check_hints(
        &format!("{fit}{intent}{}", GRADED.replace("    B2 = { segment = \"warm\" }\n", "")),
        &["grade B2 has no segment (say what it stands for: B2 = { segment = \"warm\" })"],
    );
    check_hints(
        &format!("{fit}{intent}{}", GRADED.replace("A = 40", "A = 20")),
        &["A from 20 but B from 20 (`A` has to start above `B`)"],
    );
    check_hints(
        &format!("{fit}{intent}{}", GRADED.replace("A = 40", "A = 46")),
        &["no lead can be in the cells with A (fit goes from 0 to 45 points)"],
    );
    check_hints(
        &format!("{fit}{intent}{}", GRADED.replace("B = 20", "B = 0")),
        &["no lead can be in the cells with C (fit goes from 0 to 45 points)"],
    );
    check_hints(
        &format!("{fit}{intent}{}", GRADED.replace("\"warm\" }", "\"cold\" }")),
        &[
            "no lead can be warm: no cell that leads get to says so (its plans, routes and tasks wait \
           for nobody; give a cell segment = \"warm\")",
        ],
    );
    check_hints(
        &format!(
            "{fit}{intent}{}",
            GRADED.replace("action = \"call\"", "action = \"call\"\nfrom = 70")
        ),
        &["points do not say who is hot (with a [matrix] its cells do; remove `from`)"],
    );
    check_hints(
        &format!(
            "{fit}{intent}{}",
            GRADED.replace("1 = 40", "1 = 40\ngroups = [\"fit\", \"intent\"]")
        ),
        &["`fit` counts for fit and for engagement (a group belongs to one side)"],
    );
    let policy = compile(&format!("{fit}{intent}{GRADED}")).0;
    let actions = [Grade::A1, Grade::A2].map(|grade| policy.action(Segment::Hot, Some(grade)));
    assert_eq!(actions, ["call", "write, then call"]);
}

fn model(id: &str, rest: &str) -> String {
    format!("[[model]]\nid = \"{id}\"\nbecause = \"x\"\n{rest}\n")
}

const AI: &str = "when = { field = \"product\", is = \"AI\" }";

#[test]
fn every_lead_has_one_model() {
    #[track_caller]
    fn check(models: &str, rest: &str, expected: &[&str]) {
        check_hints(
            &format!("{SEGMENTS}{models}{}{}{rest}", hot(), rule("pl", "points = 5")),
            expected,
        );
    }
    check(&format!("{}{}", model("ai", AI), model("rest", "")), "", &[]);
    check(
        &model("ai", AI),
        "",
        &[
            "a lead that is not for model `ai` would have no score (leave `when` out of the last model, \
           or add one without)",
        ],
    );
    check(
        &format!("{}{}", model("rest", ""), model("ai", "")),
        "",
        &["model `ai` is never chosen: `rest` (line 11) is above it and takes its leads (put the \
           narrower model first, the one without `when` last)"],
    );
    check(
        &format!("{}{}", model("fit", AI), model("rest", "")),
        "",
        &["`fit` is a group: `score-fit` would be two things (choose another id)"],
    );
    check(
        &format!("{}{}", model("ai", AI), model("rest", "[model.caps]\nintent = 30")),
        "",
        &[
            "no lead of model `rest` can be warm: the rules give at most 35 points (warm starts at 40)",
        ],
    );
    check(
        &format!("{}{}", model("ai", AI), model("rest", "[model.segment.warm]\nfrom = 80")),
        "",
        &["warm from 80 but hot from 70 (`warm` has to start below `hot`)"],
    );
    check(
        &format!("{}{}", model("ai", AI), model("rest", "")),
        &rule("de", "points = 5\nmodels = [\"ia\"]\nwhen = { field = \"country\", is = \"AT\" }"),
        &["there is no model `ia` (did you mean `ai`?)"],
    );
}

#[test]
fn a_rule_of_some_models_counts_in_these_alone() {
    let text = format!(
        "{SEGMENTS}{}{}{}{}",
        model("ai", AI),
        model("rest", ""),
        hot(),
        rule("pl", "points = 5\nmodels = [\"rest\"]")
    );
    let policy = compile(&text).0;
    let belongs: Vec<(bool, bool)> =
        policy.rules.iter().map(|rule| (rule.is_of(0), rule.is_of(1))).collect();
    assert_eq!(belongs, [(true, true), (false, true)]);
}

#[test]
fn a_misspelt_key_is_one_mistake_and_the_rule_is_still_there() {
    let text = format!("{SEGMENTS}{}", rule("views", "pointss = 22"));
    check_hints(&text, &["unknown key `pointss` (did you mean `points`?)"]);
    assert_eq!(compile(&text).0.rules[0].id, "views");
}
