//! Conditions: the tables under `when`, compiled so that nothing is interpreted per lead.
//!
//! A condition is `{ all = [..] }`, `{ any = [..] }`, `{ not = {..} }`, a field clause
//! `{ field = "country", is = "PL" }` with exactly one operator, a touch clause
//! `{ touch = "page-view", url-contains = "/pricing", within = "7d", at-least = 2 }` or
//! `{ returned-within = "7d" }`. A new operator belongs into [`operator`], a new derived field into
//! [`operand`]; nothing else has to change.

mod horizon;
mod lens;
mod miss;
mod needles;
mod operand;
mod operator;
mod suppose;
mod touches;
pub mod vocabulary;

use std::collections::BTreeMap;

use chrono::{TimeDelta, Utc};

pub use self::lens::Lens;
use self::operand::Operand;
use self::operator::Operator;
pub use self::suppose::{Change, Gap, Supposition};
use self::touches::TouchTest;
use super::decode::Table;
use super::field::FieldCatalog;
use crate::model::subject::{Facts, Subject};

/// A second submission this long after the first is a return; sooner it is the same visit (web
/// analytics end a visit after 30 minutes) or a double click.
const RETURN_AFTER_MINUTES: i64 = 30;

/// What conditions may refer to.
#[derive(Debug, Clone, Copy)]
pub struct ConditionContext<'a> {
    /// The fields of the workspace.
    pub fields: &'a FieldCatalog,
    /// The lists of `rules/tables/*.txt` by name, for `one-of-list`.
    pub lists: &'a BTreeMap<String, Vec<String>>,
    /// The ids of the scoring models, whose totals are the fields `score-<id>`.
    pub models: &'a [&'a str],
    /// Whether leads have grades.
    pub has_matrix: bool,
}

/// Whether a lead meets a condition, when a value that is not there is not taken for one that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// Yes, whatever the missing values are.
    Yes,
    /// No, whatever the missing values are.
    No,
    /// It hangs on the value of this field, which is missing.
    Missing(&'a str),
}

impl From<bool> for Answer<'_> {
    fn from(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }
}

/// A touch that fits a touch clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FittingTouch {
    /// When it happened, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Whether it lies in the window of the clause, too.
    pub is_within: bool,
}

/// A question about a lead that is answered yes or no.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition(Test);

#[derive(Debug, Clone, PartialEq)]
enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Field(Operand, Operator),
    Touch(TouchTest),
    ReturnedWithin(TimeDelta),
}

impl Test {
    /// Stands in for a test with a mistake: matching nothing, it shadows nothing either.
    fn never() -> Self {
        Self::Any(Vec::new())
    }
}

impl Condition {
    /// Returns the condition that every lead meets.
    pub fn always() -> Self {
        Self(Test::All(Vec::new()))
    }

    /// Reads the table under `when`; a mistake is reported and makes the condition match nothing.
    pub fn decode(table: &Table<'_>, context: &ConditionContext<'_>) -> Self {
        Self(table.as_named(NAME, |table| decode(table, context)))
    }

    /// Reads the table at `key`; `None` when there is none.
    pub fn decode_key(
        parent: &Table<'_>,
        key: &str,
        context: &ConditionContext<'_>,
    ) -> Option<Self> {
        parent.table(key, |table| Self::decode(table, context))
    }

    /// Returns whether the lead meets the condition.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.matches_through(&Lens::new(subject))
    }

    /// Returns whether the lead meets the condition, with what was found out about it already.
    pub fn matches_through(&self, lens: &Lens<'_>) -> bool {
        self.0.matches(lens)
    }

    /// Returns whether every lead meets the condition.
    pub fn is_always(&self) -> bool {
        matches!(&self.0, Test::All(parts) if parts.is_empty())
    }

    /// Returns whether a lead that meets this condition surely meets `other`, too.
    ///
    /// Good enough to find rules that can never match because of one above them: `false` only means
    /// that it could not be shown.
    pub fn implies_same(&self, other: &Self) -> bool {
        self.0.implies(&other.0)
    }

    /// Returns what the condition looked at and the lead has, such as `("country", "PL")`, each name
    /// once and in the order of the rule; alternatives that did not match are left out.
    pub fn witness(&self, subject: &Subject<'_>) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.0.witness(&Lens::new(subject), &mut found);
        found
    }

    /// Returns whether the answer depends on touches, and so may change with them.
    pub fn looks_at_touches(&self) -> bool {
        self.any_test(|test| match test {
            Test::Touch(_) => true,
            Test::Field(operand, _) => operand.looks_at_touches(),
            _ => false,
        })
    }

    /// Returns whether the answer may change with as-of alone, though nothing new came in.
    pub fn looks_at_time(&self) -> bool {
        self.any_test(|test| match test {
            Test::Touch(test) => test.looks_at_time(),
            Test::Field(operand, _) => operand.looks_at_time(),
            Test::ReturnedWithin(_) => true,
            _ => false,
        })
    }

    /// Returns whether the answer depends on the score, which scoring itself cannot know.
    pub fn looks_at_score(&self) -> bool {
        self.any_test(|test| matches!(test, Test::Field(operand, _) if operand.looks_at_score()))
    }

    /// Returns whether the lead meets the condition, telling a missing value from one that does not fit.
    pub fn answer(&self, lens: &Lens<'_>) -> Answer<'_> {
        self.0.answer(lens)
    }

    /// Returns whether [`Condition::answer`] may be that a value is missing.
    pub fn may_miss_a_value(&self) -> bool {
        self.any_test(|test| match test {
            Test::Field(operand, operator) => {
                operand.may_be_absent() && *operator != Operator::Exists
            }
            _ => false,
        })
    }

    /// Returns whether there is a touch clause to count by, other than under `not`.
    pub fn counts_touches(&self) -> bool {
        let mut found = false;
        self.0.visit_touch_tests(&mut |_| found = true);
        found
    }

    /// Returns every touch up to now that fits one of the touch clauses, oldest first and each once.
    pub fn fitting_touches(&self, lens: &Lens<'_>) -> Vec<FittingTouch> {
        let mut found: BTreeMap<usize, bool> = BTreeMap::new();
        self.0.visit_touch_tests(&mut |test| {
            for (position, is_within) in test.fitting_ever(lens) {
                *found.entry(position).or_default() |= is_within;
            }
        });
        let at_ms = |position: usize| lens.subject().touches[position].at_ms;
        let touches = found.into_iter();
        touches.map(|(at, is_within)| FittingTouch { at_ms: at_ms(at), is_within }).collect()
    }

    /// Returns when the newest touch that a touch clause counts happened, in milliseconds since 1970.
    pub fn newest_touch_ms(&self, lens: &Lens<'_>) -> Option<i64> {
        self.0.newest_touch_ms(lens)
    }

    fn any_test(&self, wanted: impl Fn(&Test) -> bool) -> bool {
        let mut found = false;
        self.0.visit(&mut |test| found |= wanted(test));
        found
    }
}

/// What all conditions are called where it is noted what they may hold.
pub(super) const NAME: &str = "condition";
/// The keys of which a condition has exactly one.
pub(super) const SHAPES: &[&str] =
    &["all", "any", "not", "field", "touch", "event", "returned-within"];

fn decode(table: &Table<'_>, context: &ConditionContext<'_>) -> Test {
    let mut shapes: Vec<&str> = SHAPES.iter().copied().filter(|key| table.has(key)).collect();
    if shapes == ["touch", "event"] {
        shapes.pop();
    }
    match shapes[..] {
        ["all"] => group(table, "all", context).map_or_else(Test::never, Test::All),
        ["any"] => group(table, "any", context).map_or_else(Test::never, Test::Any),
        ["not"] => table
            .table("not", |inner| Test::Not(Box::new(decode_part(inner, context))))
            .unwrap_or_else(Test::never),
        ["field"] => field_clause(table, context),
        ["touch" | "event"] => TouchTest::decode(table).map_or_else(Test::never, Test::Touch),
        ["returned-within"] => table
            .opt_duration_seconds("returned-within")
            .map_or_else(Test::never, |seconds| Test::ReturnedWithin(TimeDelta::seconds(seconds))),
        [] => {
            // A misspelt key is reported by itself, with a suggestion.
            if table.keys().is_empty() || operator::count_present(table) > 0 {
                operator::ask_all(table);
                table.sink().error(
                    table.place(),
                    "a condition needs a `field`, a `touch` or a group",
                    Some(format!("one of: {}", SHAPES.join(", "))),
                );
            }
            Test::never()
        }
        _ => {
            table.accept_all();
            table.sink().error(
                table.place(),
                format!("a condition cannot have {} at once", listed(&shapes)),
                Some("put each into a table of its own under `all` or `any`".to_owned()),
            );
            Test::never()
        }
    }
}

/// Reads a condition inside another.
fn decode_part(table: &Table<'_>, context: &ConditionContext<'_>) -> Test {
    table.as_named(NAME, |table| decode(table, context))
}

fn group(table: &Table<'_>, key: &str, context: &ConditionContext<'_>) -> Option<Vec<Test>> {
    let parts = table.tables(key, |part| decode_part(part, context));
    if parts.is_empty() {
        table.error(
            key,
            format!("`{key}` is empty"),
            Some("leave `when` out to match always".into()),
        );
        return None;
    }
    Some(parts)
}

fn field_clause(table: &Table<'_>, context: &ConditionContext<'_>) -> Test {
    let operand = Operand::decode(table, context);
    let operator = operator::decode(table, operand.as_ref(), context);
    match (operand, operator) {
        (Some(operand), Some(operator::Decoded { operator, negated })) => {
            let test = Test::Field(operand, operator);
            if negated { Test::Not(Box::new(test)) } else { test }
        }
        _ => Test::never(),
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" and ")
}

impl Test {
    fn matches(&self, lens: &Lens<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(lens)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(lens)),
            Self::Not(inner) => !inner.matches(lens),
            Self::Field(operand, operator) => operator.matches(operand, lens),
            Self::Touch(test) => test.matches(lens),
            Self::ReturnedWithin(window) => returned_within(*window, lens.subject()),
        }
    }

    fn answer(&self, lens: &Lens<'_>) -> Answer<'_> {
        self.answer_by(&|leaf| match leaf {
            Self::Field(operand, _) if leaf.lacks_its_value(lens) => {
                Answer::Missing(operand.name())
            }
            _ => Answer::from(leaf.matches(lens)),
        })
    }

    /// Kleene's three values: a missing value makes a difference only where nothing else decides. `of_leaf`
    /// answers the clauses.
    fn answer_by<'a>(&'a self, of_leaf: &impl Fn(&'a Self) -> Answer<'a>) -> Answer<'a> {
        match self {
            Self::All(parts) => settle(parts, of_leaf, Answer::No, Answer::Yes),
            Self::Any(parts) => settle(parts, of_leaf, Answer::Yes, Answer::No),
            Self::Not(inner) => match inner.answer_by(of_leaf) {
                Answer::Yes => Answer::No,
                Answer::No => Answer::Yes,
                missing @ Answer::Missing(_) => missing,
            },
            leaf => of_leaf(leaf),
        }
    }

    /// Returns whether it is a clause about a value that the lead is without.
    fn lacks_its_value(&self, lens: &Lens<'_>) -> bool {
        matches!(self, Self::Field(operand, operator)
            if *operator != Operator::Exists && operand.is_absent(lens.subject()))
    }

    fn implies(&self, other: &Self) -> bool {
        if *self == Self::never() {
            // A mistake, reported already; that it shadows or is shadowed would be one report too many.
            return false;
        }
        if self == other {
            return true;
        }
        match (self, other) {
            (_, Self::All(parts)) => parts.iter().all(|part| self.implies(part)),
            (Self::Any(parts), _) => parts.iter().all(|part| part.implies(other)),
            (Self::All(mine), Self::Any(theirs)) => {
                mine.iter().any(|part| part.implies(other))
                    || theirs.iter().any(|part| self.implies(part))
            }
            (Self::All(parts), _) => parts.iter().any(|part| part.implies(other)),
            (_, Self::Any(parts)) => parts.iter().any(|part| self.implies(part)),
            (Self::Not(mine), Self::Not(theirs)) => theirs.implies(mine),
            (Self::Field(my_field, mine), Self::Field(their_field, theirs)) => {
                my_field == their_field && mine.implies(theirs)
            }
            (Self::Touch(mine), Self::Touch(theirs)) => mine.implies(theirs),
            (Self::ReturnedWithin(mine), Self::ReturnedWithin(theirs)) => mine <= theirs,
            _ => false,
        }
    }

    fn witness(&self, lens: &Lens<'_>, found: &mut Vec<(String, String)>) {
        let (name, value) = match self {
            Self::All(parts) => {
                for part in parts {
                    part.witness(lens, found);
                }
                return;
            }
            Self::Any(parts) => {
                for part in parts.iter().filter(|part| part.matches(lens)) {
                    part.witness(lens, found);
                }
                return;
            }
            Self::Not(inner) => return inner.witness(lens, found),
            Self::Field(operand, _) => match operand.text(lens.subject()) {
                Some(text) => (operand.name(), text.into_owned()),
                None => return,
            },
            Self::Touch(test) => (test.name(), test.count(lens).to_string()),
            Self::ReturnedWithin(_) => {
                ("n-submissions", lens.subject().facts.n_submissions.to_string())
            }
        };
        if !found.iter().any(|(known, _)| known == name) {
            found.push((name.to_owned(), value));
        }
    }

    fn newest_touch_ms(&self, lens: &Lens<'_>) -> Option<i64> {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().filter_map(|part| part.newest_touch_ms(lens)).max()
            }
            Self::Touch(test) => test.newest_ms(lens),
            Self::Not(_) | Self::Field(..) | Self::ReturnedWithin(_) => None,
        }
    }

    /// Shows the touch clauses that count something, which those under `not` do not.
    fn visit_touch_tests<'a>(&'a self, see: &mut impl FnMut(&'a TouchTest)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.visit_touch_tests(see);
                }
            }
            Self::Touch(test) => see(test),
            Self::Not(_) | Self::Field(..) | Self::ReturnedWithin(_) => {}
        }
    }

    fn visit(&self, see: &mut impl FnMut(&Self)) {
        see(self);
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.visit(see)),
            Self::Not(inner) => inner.visit(see),
            Self::Field(..) | Self::Touch(_) | Self::ReturnedWithin(_) => {}
        }
    }
}

/// Returns `decided` when a part says so, else the first missing value, else `otherwise`.
fn settle<'a>(
    parts: &'a [Test],
    of_leaf: &impl Fn(&'a Test) -> Answer<'a>,
    decided: Answer<'a>,
    otherwise: Answer<'a>,
) -> Answer<'a> {
    let mut missing = None;
    for part in parts {
        match part.answer_by(of_leaf) {
            answer @ Answer::Missing(_) => missing = missing.or(Some(answer)),
            answer if answer == decided => return decided,
            _ => {}
        }
    }
    missing.unwrap_or(otherwise)
}

fn returned_within(window: TimeDelta, subject: &Subject<'_>) -> bool {
    let facts = subject.facts;
    let since =
        subject.as_of.checked_sub_signed(window).unwrap_or(chrono::DateTime::<Utc>::MIN_UTC);
    came_back(facts) && facts.last_submitted_at > since && facts.last_submitted_at <= subject.as_of
}

/// Returns whether somebody wrote again, be it long ago.
fn came_back(facts: &Facts) -> bool {
    facts.n_submissions >= 2
        && facts.last_submitted_at - facts.first_submitted_at
            >= TimeDelta::minutes(RETURN_AFTER_MINUTES)
}

#[cfg(test)]
mod tests;
