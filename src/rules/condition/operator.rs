//! The operators of a field clause, of which it has exactly one.

use std::borrow::Cow;

use regex::Regex;

use super::lens::Lens;
use super::needles::Needles;
use super::operand::{Operand, parse_number};
use super::{ConditionContext, listed};
use crate::model::field;
use crate::rules::decode::Table;
use crate::rules::diagnostics::{Place, did_you_mean};
use crate::rules::pattern;

/// Whole numbers that are tried one by one for another answer.
const NUMBERS_TRIED: i64 = 1_000;

/// What is asked of a value. Texts are folded: lower case, no diacritics.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operator {
    /// Sorted.
    OneOf(Vec<Box<str>>),
    Contains(Needles),
    StartsWith(Vec<Box<str>>),
    EndsWith(Vec<Box<str>>),
    Matches(Pattern),
    /// Both ends included; open ends are infinite.
    Between(f64, f64),
    Exists,
}

/// A regular expression, compared by its source.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// An operator as written: `is-not` and `exists = false` are the opposite of another.
pub(super) struct Decoded {
    pub(super) operator: Operator,
    pub(super) negated: bool,
}

pub(super) const OPERATORS: &[&str] = &[
    "is",
    "is-not",
    "one-of",
    "one-of-list",
    "contains",
    "starts-with",
    "ends-with",
    "matches",
    "at-least",
    "at-most",
    "between",
    "exists",
];

/// Returns how many operators the table has.
pub(super) fn count_present(table: &Table<'_>) -> usize {
    let keys = table.keys();
    OPERATORS.iter().filter(|word| keys.iter().any(|key| key == *word)).count()
}

/// Asks for every operator, so that none is reported as unknown.
pub(super) fn ask_all(table: &Table<'_>) {
    for word in OPERATORS {
        table.has(word);
    }
}

/// Reads the one operator of the clause; `operand` is `None` when its name was not known.
pub(super) fn decode(
    table: &Table<'_>,
    operand: Option<&Operand>,
    context: &ConditionContext<'_>,
) -> Option<Decoded> {
    let present: Vec<&str> = OPERATORS.iter().copied().filter(|word| table.has(word)).collect();
    let [word] = present[..] else {
        let (message, hint) = if present.is_empty() {
            ("the clause does not say what is asked of the field".to_owned(), OPERATORS.join(", "))
        } else {
            let hint = "keep one and put the others into clauses of their own under `all`";
            (
                format!("the clause has {}, but may have only one operator", listed(&present)),
                hint.into(),
            )
        };
        let hint = if present.is_empty() { format!("add one of: {hint}") } else { hint };
        table.sink().error(table.place(), message, Some(hint));
        return None;
    };
    let operator = match word {
        "is" | "is-not" => one_of(table, word, operand, &[table.opt_scalar(word)?]),
        "one-of" => one_of(table, word, operand, &table.scalars(word)),
        "one-of-list" => list(table, operand, context),
        "contains" => needles(table, word).map(Needles::new).map(Operator::Contains),
        "starts-with" => needles(table, word).map(Operator::StartsWith),
        "ends-with" => needles(table, word).map(Operator::EndsWith),
        "matches" => matches(table),
        "at-least" => table.opt_number(word).map(|low| Operator::Between(low, f64::INFINITY)),
        "at-most" => table.opt_number(word).map(|high| Operator::Between(f64::NEG_INFINITY, high)),
        "between" => between(table),
        _ => Some(Operator::Exists),
    }?;
    let negated = word == "is-not" || (word == "exists" && !table.bool_or("exists", true));
    Some(Decoded { operator, negated })
}

fn one_of(
    table: &Table<'_>,
    word: &str,
    operand: Option<&Operand>,
    values: &[String],
) -> Option<Operator> {
    if values.is_empty() {
        table.error(word, format!("`{word}` lists nothing"), None);
        return None;
    }
    for value in values {
        doubt(table, &table.place_of(word), operand, value);
    }
    Some(Operator::OneOf(folded_set(operand, values)))
}

fn list(
    table: &Table<'_>,
    operand: Option<&Operand>,
    context: &ConditionContext<'_>,
) -> Option<Operator> {
    let name = table.opt_string("one-of-list")?;
    let Some(values) = context.lists.get(&name) else {
        let hint = did_you_mean(&name, context.lists.keys().map(String::as_str)).map_or_else(
            || format!("put it into rules/tables/{name}.txt, one value on a line"),
            |near| format!("did you mean `{near}`?"),
        );
        table.error("one-of-list", format!("there is no list `{name}`"), Some(hint));
        return None;
    };
    Some(Operator::OneOf(folded_set(operand, values)))
}

fn folded_set(operand: Option<&Operand>, values: &[String]) -> Vec<Box<str>> {
    let numeric = operand.is_some_and(Operand::is_number);
    let mut folded: Vec<Box<str>> = values
        .iter()
        .map(|value| if numeric { plain_number(value) } else { fold(value.trim()) })
        .map(|value| value.into_owned().into())
        .collect();
    folded.sort_unstable();
    folded.dedup();
    folded
}

/// Warns of a value that the field never has: the rule would silently never match.
fn doubt(table: &Table<'_>, place: &Place, operand: Option<&Operand>, value: &str) {
    let Some(operand) = operand else { return };
    let message = format!("`{}` is never `{value}`", operand.name());
    if let Some(possible) = operand.possible_values() {
        if possible.contains(&&*fold(value)) {
            return;
        }
        let hint = did_you_mean(value, possible.iter().copied()).map_or_else(
            || format!("one of: {}", possible.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        table.sink().warning(place, message, Some(hint));
    } else if operand.field() == Some(field::COUNTRY) && value.chars().count() != 2 {
        let hint = "countries are compared by their two letters, such as PL or DE".to_owned();
        table.sink().warning(place, message, Some(hint));
    }
}

/// Returns the folded strings at `key`, an array or one alone.
pub(super) fn folded_strings(table: &Table<'_>, key: &str) -> Vec<Box<str>> {
    let mut folded = Vec::new();
    for (text, place) in table.located_strings(key) {
        if text.trim().is_empty() {
            table.sink().error(&place, format!("`{key}` is blank, which every value has"), None);
            continue;
        }
        folded.push(fold(&text).into_owned().into());
    }
    folded
}

fn needles(table: &Table<'_>, key: &str) -> Option<Vec<Box<str>>> {
    let folded = folded_strings(table, key);
    if folded.is_empty() { None } else { Some(folded) }
}

fn matches(table: &Table<'_>) -> Option<Operator> {
    let source = table.opt_string("matches")?;
    match pattern::compile_for_any_case(&source) {
        Ok(regex) => Some(Operator::Matches(Pattern(regex))),
        Err(reason) => {
            let hint = Some(pattern::HINT.to_owned());
            table.error("matches", format!("the pattern cannot be used: {reason}"), hint);
            None
        }
    }
}

fn between(table: &Table<'_>) -> Option<Operator> {
    let ends: Vec<Option<f64>> =
        table.scalars("between").iter().map(|text| parse_number(text)).collect();
    match ends[..] {
        [Some(low), Some(high)] if low <= high => Some(Operator::Between(low, high)),
        _ => {
            let hint = "write [lowest, highest], both included".to_owned();
            table.error("between", "`between` needs two numbers in order", Some(hint));
            None
        }
    }
}

impl Operator {
    /// Returns whether the lead's value is what is asked; a lead without the value never is.
    pub(super) fn matches(&self, operand: &Operand, lens: &Lens<'_>) -> bool {
        let subject = lens.subject();
        match self {
            Self::Between(low, high) => {
                operand.number(subject).is_some_and(|value| *low <= value && value <= *high)
            }
            Self::Exists => operand.text(subject).is_some(),
            // A pattern cannot be folded, so the value is tried both ways.
            Self::Matches(pattern) => operand.text(subject).is_some_and(|value| {
                pattern.0.is_match(&value)
                    || (!value.is_ascii()
                        && folded(operand, lens).is_some_and(|value| pattern.0.is_match(&value)))
            }),
            Self::OneOf(set) if operand.is_number() => operand.text(subject).is_some_and(|value| {
                set.binary_search_by(|known| (**known).cmp(&plain_number(&value))).is_ok()
            }),
            _ => folded(operand, lens).is_some_and(|value| self.accepts(&value)),
        }
    }

    /// Returns whether a lead whose value were `value` would have what is asked.
    pub(super) fn accepts_value(&self, operand: &Operand, value: &str) -> bool {
        match self {
            Self::Between(low, high) => {
                parse_number(value).is_some_and(|value| *low <= value && value <= *high)
            }
            Self::Exists => true,
            Self::Matches(pattern) => pattern.0.is_match(value),
            Self::OneOf(_) if operand.is_number() => self.accepts(&plain_number(value)),
            _ => self.accepts(value),
        }
    }

    /// Returns values among which is one that has what is asked, where the operator tells; and others that
    /// just do not, for whoever asks for the opposite.
    pub(super) fn typical_values(&self) -> Vec<String> {
        let texts = |words: &[Box<str>]| words.iter().map(ToString::to_string).collect();
        match self {
            Self::OneOf(words) | Self::StartsWith(words) | Self::EndsWith(words) => texts(words),
            Self::Contains(needles) => texts(needles.words()),
            Self::Between(low, high) => [*low, *high, *high + 1.0]
                .iter()
                .filter(|end| end.is_finite())
                .map(f64::to_string)
                .collect(),
            Self::Matches(_) | Self::Exists => Vec::new(),
        }
    }

    /// Returns whether a folded text is what is asked.
    fn accepts(&self, value: &str) -> bool {
        match self {
            Self::OneOf(set) => set.binary_search_by(|known| (**known).cmp(value)).is_ok(),
            Self::Contains(needles) => needles.are_in(value),
            Self::StartsWith(needles) => needles.iter().any(|needle| value.starts_with(&**needle)),
            Self::EndsWith(needles) => needles.iter().any(|needle| value.ends_with(&**needle)),
            Self::Matches(_) | Self::Between(..) | Self::Exists => false,
        }
    }

    /// Returns the first whole number above `number`, which counts up, for which the answer may be another.
    pub(super) fn next_change(&self, number: i64) -> Option<i64> {
        match self {
            Self::Exists => None,
            Self::Between(low, high) => {
                let value = number as f64;
                if value < *low {
                    Some(low.ceil() as i64)
                } else {
                    (value <= *high && high.is_finite()).then(|| high.floor() as i64 + 1)
                }
            }
            // Whoever looks at figures as a text gets another look every so many of them.
            _ => {
                let answer = self.accepts_number(number);
                let end = (number / NUMBERS_TRIED + 1) * NUMBERS_TRIED;
                Some((number + 1..end).find(|at| self.accepts_number(*at) != answer).unwrap_or(end))
            }
        }
    }

    fn accepts_number(&self, number: i64) -> bool {
        let text = number.to_string();
        match self {
            Self::Matches(pattern) => pattern.0.is_match(&text),
            _ => self.accepts(&text),
        }
    }

    /// Returns whether a value that passes this operator passes `other`, too.
    pub(super) fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exists) => true,
            (Self::OneOf(mine), Self::OneOf(theirs)) => {
                mine.iter().all(|value| theirs.binary_search(value).is_ok())
            }
            (Self::OneOf(mine), Self::Contains(needles)) => {
                mine.iter().all(|value| needles.are_in(value))
            }
            (Self::Between(low, high), Self::Between(other_low, other_high)) => {
                other_low <= low && high <= other_high
            }
            _ => self == other,
        }
    }
}

fn folded<'s>(operand: &Operand, lens: &'s Lens<'_>) -> Option<Cow<'s, str>> {
    if let Operand::Field(number, ..) = operand {
        return lens.value(*number).map(Cow::Borrowed);
    }
    operand.text(lens.subject()).map(|text| fold(&text).into_owned().into())
}

/// Returns `text` in lower case and without diacritics; most values are both already and are lent.
pub(super) fn fold(text: &str) -> Cow<'_, str> {
    if !text.is_ascii() {
        Cow::Owned(deunicode::deunicode(text).to_ascii_lowercase())
    } else if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Returns a number in one spelling, so that `50`, `50.0` and `5e1` are equal.
fn plain_number(text: &str) -> Cow<'_, str> {
    parse_number(text).map_or_else(|| fold(text.trim()), |number| number.to_string().into())
}
