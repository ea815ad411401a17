//! One scoring rule: how often it gives its points, how they fade, what a missing value costs.

use super::CAP_ID;
use crate::model::decision::Group;
use crate::rules::condition::{Condition, ConditionContext};
use crate::rules::decode::{SCORING, Table};
use crate::rules::diagnostics::{Place, did_you_mean};

/// Points that one rule may give or take, and that a limit may name.
const RULE_POINTS_MAX: u64 = 1_000;
/// Touches for which one rule gives points; more are somebody's robot.
pub const TIMES_MAX: u32 = 1_000;

/// One scoring rule.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRule {
    /// Stable id.
    pub id: String,
    /// Group the points belong to.
    pub group: Group,
    /// Points, possibly negative, never 0.
    pub points: i32,
    /// Which leads get them.
    pub when: Condition,
    /// Why, in words that a salesperson understands.
    pub because: String,
    /// How often a lead gets them.
    pub count: Count,
    /// How they fade; `None` when they do not.
    pub decay: Option<Decay>,
    /// Points, possibly 0, of a lead of whom the rule cannot be answered for want of a value; `None`
    /// when a missing value is like any that does not fit.
    pub missing: Option<i32>,
    /// Positions of the models that it belongs to; `None` for all.
    pub models: Option<Vec<usize>>,
    /// Where the rule stands.
    pub place: Place,
    /// Where its points stand.
    pub points_place: Place,
}

/// How often a lead gets the points of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Once, however many touches fit.
    Once,
    /// For every touch that fits, within limits.
    Each {
        /// The most that count in any one window.
        per_window: Option<WindowLimit>,
        /// The most that count at one time, at most [`TIMES_MAX`].
        in_total: u32,
    },
}

/// At most so many touches in any span of time.
///
/// The span moves with the touches: they are gone through from the oldest, and one counts unless `times`
/// others that count lie less than the span before it. So a touch that counted once always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowLimit {
    /// Touches, at least 1.
    pub times: u32,
    /// Length of the span in milliseconds, above 0.
    pub window_ms: i64,
}

/// How points fade with the age of what they were given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    /// Half is left after each span of so many milliseconds, on a straight line between two halvings.
    HalfLife(i64),
    /// Nothing is left after so many milliseconds, on a straight line.
    ToZero(i64),
}

impl ScoreRule {
    /// Returns whether leads of the model at `position` get the points.
    pub fn is_of(&self, position: usize) -> bool {
        self.models.as_ref().is_none_or(|models| models.contains(&position))
    }

    /// Returns the most points that it can give a lead; 0 for one that only takes.
    pub(super) fn most(&self) -> i32 {
        (self.points * self.times_at_most()).max(self.missing.unwrap_or(0)).max(0)
    }

    /// Returns the least that it can give a lead; 0 for one that only gives.
    pub(super) fn least(&self) -> i32 {
        (self.points * self.times_at_most()).min(self.missing.unwrap_or(0)).min(0)
    }

    fn times_at_most(&self) -> i32 {
        match self.count {
            Count::Once => 1,
            Count::Each { in_total, .. } => in_total as i32,
        }
    }

    pub(super) fn decode(
        table: &Table<'_>,
        context: &ConditionContext<'_>,
        models: &[&str],
    ) -> Self {
        let id = table.string("id");
        let group = table.choice("group", Group::ALL, Group::Fit);
        let points = points(table, "points");
        if !table.has("points") {
            table.missing("points");
        } else if points == Some(0) {
            let hint = "give or take points, or remove the rule".to_owned();
            table.error("points", format!("rule `{id}` gives 0 points"), Some(hint));
        }
        let because = table.opt_string("because").unwrap_or_default();
        if because.trim().is_empty() {
            let hint = "one line that tells a salesperson why: because = \"Asked for a quote\"";
            let message = format!("scoring rule `{id}` has no `because`");
            table.sink().error(&table.place_of("id"), message, Some(hint.to_owned()));
        }
        let when = Condition::decode_key(table, "when", context);
        if !table.has("when") {
            table.missing("when");
        }
        if when.as_ref().is_some_and(Condition::looks_at_score) {
            let hint =
                "`score`, `segment`, `grade` and `model` are for routes and plans".to_owned();
            table.error("when", "a scoring rule cannot look at the score", Some(hint));
        }
        let count = decode_count(table, when.as_ref(), points.unwrap_or(1));
        let decay = decode_decay(table);
        let missing = decode_missing(table, when.as_ref());
        // What refers to the rule by its id is right; a stand-in keeps it from being reported, too.
        Self {
            group,
            points: points.unwrap_or(1),
            when: when.unwrap_or_else(Condition::always),
            because,
            count,
            decay,
            missing,
            models: decode_models(table, models),
            place: table.place_of("id"),
            points_place: table.place_of("points"),
            id,
        }
    }
}

fn decode_count(table: &Table<'_>, when: Option<&Condition>, points: i32) -> Count {
    const WORDS: &[(&str, bool)] = &[("once", false), ("each", true)];
    let is_each = table.opt_choice("count", WORDS).unwrap_or(false);
    let per_window = table.table("max-per-window", |limit| {
        let times = decode_times(limit, points);
        if !limit.has("window") {
            limit.missing("window");
        }
        let window = limit.opt_duration_seconds("window");
        if window == Some(0) {
            limit.error("window", "a window of 0 holds no touches", None);
        }
        let window_ms = window.filter(|seconds| *seconds > 0)?.checked_mul(1_000)?;
        Some(WindowLimit { times: times?, window_ms })
    });
    let in_total = table.table("max-in-total", |limit| decode_times(limit, points));
    if !is_each {
        for key in ["max-per-window", "max-in-total"].into_iter().filter(|key| table.has(key)) {
            let hint = "count = \"each\" gives the points for every touch, up to the limit";
            table.error(
                key,
                format!("`{key}` limits nothing: the points are given once"),
                Some(hint.into()),
            );
        }
        return Count::Once;
    }
    if when.is_some_and(|when| !when.counts_touches()) {
        let hint = "add a touch clause, such as { touch = \"page-view\" }, or leave `count` out";
        table.error("count", "there are no touches to count in `when`", Some(hint.to_owned()));
    }
    let in_total = in_total.flatten().unwrap_or(TIMES_MAX);
    Count::Each { per_window: per_window.flatten(), in_total }
}

/// Reads a limit, `{ times = 3 }` or `{ points = 15 }`, as touches.
fn decode_times(limit: &Table<'_>, each: i32) -> Option<u32> {
    let (times, total) = (limit.opt_integer("times"), limit.opt_integer("points"));
    let each = u64::from(each.unsigned_abs().max(1));
    let (key, number) = match (times, total) {
        (Some(times), None) => ("times", u64::try_from(times).unwrap_or(0)),
        (None, Some(total)) if total.unsigned_abs() % each == 0 => {
            ("points", total.unsigned_abs() / each)
        }
        (None, Some(total)) => {
            let below = total.unsigned_abs() / each * each;
            let near =
                if below == 0 { each.to_string() } else { format!("{below} or {}", below + each) };
            let message = format!("{total} is not a multiple of the {each} points of one touch");
            limit.error(
                "points",
                message,
                Some(format!("say {near}, or count the touches: times = ..")),
            );
            return None;
        }
        _ => {
            let hint = "write { times = 3 } or { points = 15 }".to_owned();
            let present = if times.is_some() { "both" } else { "neither" };
            let message = format!("a limit has `times` or `points`, and this has {present}");
            limit.sink().error(limit.place(), message, Some(hint));
            return None;
        }
    };
    if (1..=u64::from(TIMES_MAX)).contains(&number) {
        return Some(number as u32);
    }
    limit.error(key, format!("a limit is 1 to {TIMES_MAX} touches"), None);
    None
}

/// Reads `decay = { half-life = "7d" }`, `decay = { to-zero-after = "30d" }` or, in short, `half-life`.
fn decode_decay(table: &Table<'_>) -> Option<Decay> {
    let span = |table: &Table<'_>, key: &str| -> Option<i64> {
        let seconds = table.opt_duration_seconds(key)?;
        if seconds == 0 {
            table.error(key, format!("a {key} of 0 leaves no points"), None);
        }
        (seconds > 0).then(|| seconds.saturating_mul(1_000))
    };
    let short = span(table, "half-life").map(Decay::HalfLife);
    let long = table.table("decay", |inner| {
        let (half, zero) = (span(inner, "half-life"), span(inner, "to-zero-after"));
        if inner.has("half-life") == inner.has("to-zero-after") {
            let hint = "write { half-life = \"7d\" } or { to-zero-after = \"30d\" }".to_owned();
            inner.sink().error(inner.place(), "points fade in one of two ways", Some(hint));
            return None;
        }
        half.map(Decay::HalfLife).or(zero.map(Decay::ToZero))
    });
    if table.has("decay") && table.has("half-life") {
        let hint = "`half-life` is short for decay = { half-life = .. }; keep one".to_owned();
        table.error("half-life", "`decay` says already how the points fade", Some(hint));
    }
    short.or(long.flatten())
}

fn decode_missing(table: &Table<'_>, when: Option<&Condition>) -> Option<i32> {
    let points = points(table, "missing")?;
    if when.is_some_and(|when| !when.may_miss_a_value()) {
        let hint = "`when` looks at no field that may be absent; `exists` is always answered";
        table.error("missing", "nothing can be missing here", Some(hint.to_owned()));
    }
    Some(points)
}

fn decode_models(table: &Table<'_>, models: &[&str]) -> Option<Vec<usize>> {
    if !table.has("models") {
        return None;
    }
    let mut found = Vec::new();
    for (id, place) in table.located_strings("models") {
        match models.iter().position(|known| *known == id) {
            Some(position) => found.push(position),
            None => {
                let hint = did_you_mean(&id, models.iter().copied()).map_or_else(
                    || "a model is declared in this file: [[model]]".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                table.sink().error(&place, format!("there is no model `{id}`"), Some(hint));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    Some(found)
}

pub(super) fn points(table: &Table<'_>, key: &str) -> Option<i32> {
    let number = table.opt_integer(key)?;
    if number.unsigned_abs() > RULE_POINTS_MAX {
        table.error(key, format!("{number} points are more than {RULE_POINTS_MAX}"), None);
        return None;
    }
    Some(number as i32)
}

/// Reports a scoring rule that does not exist, with a suggestion.
pub(in crate::rules) fn expect_rule(
    rules: &[ScoreRule],
    id: &str,
    place: &Place,
    table: &Table<'_>,
) {
    let ids = || rules.iter().map(|rule| rule.id.as_str()).chain([CAP_ID]);
    if ids().any(|known| known == id) {
        return;
    }
    let hint = did_you_mean(id, ids()).map(|near| format!("did you mean `{near}`?"));
    table.sink().lacks(SCORING, place, format!("there is no scoring rule `{id}`"), hint);
}
