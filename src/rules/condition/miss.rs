//! Why a lead does not meet a condition, in words.

use super::operand::Operand;
use super::operator::Operator;
use super::{Condition, Lens, Test};
use crate::model::subject::Subject;

/// Values of a list that are shown; the rest is hinted at.
const VALUES_SHOWN: usize = 4;

impl Condition {
    /// Returns what keeps the lead from meeting the condition, such as `country is DE, not PL`: every clause that
    /// would have to be otherwise; nothing when it meets it.
    ///
    /// Of alternatives each is named: it takes only one of them.
    pub fn misses(&self, subject: &Subject<'_>) -> Vec<String> {
        let mut found = Vec::new();
        self.0.misses(&Lens::new(subject), &mut found);
        found
    }
}

impl Test {
    fn misses(&self, lens: &Lens<'_>, found: &mut Vec<String>) {
        if self.matches(lens) {
            return;
        }
        let miss = match self {
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.misses(lens, found);
                }
                return;
            }
            Self::Not(inner) => {
                let mut witness = Vec::new();
                inner.witness(lens, &mut witness);
                let each: Vec<String> =
                    witness.iter().map(|(name, value)| format!("{name} is {value}")).collect();
                format!("{}, which is left out", each.join(" and "))
            }
            Self::Field(operand, operator) => field_miss(operand, operator, lens.subject()),
            Self::Touch(test) => {
                let (at_least, at_most) = test.bounds();
                let count = test.count(lens);
                let wanted = match at_most {
                    Some(at_most) if count > at_most as usize => format!("at most {at_most}"),
                    _ => format!("at least {at_least}"),
                };
                format!("{} happened {count} times, not {wanted}", test.name())
            }
            Self::ReturnedWithin(_) => "did not come back in time".to_owned(),
        };
        if !found.contains(&miss) {
            found.push(miss);
        }
    }
}

fn field_miss(operand: &Operand, operator: &Operator, subject: &Subject<'_>) -> String {
    let name = operand.name();
    let Some(value) = operand.text(subject) else { return format!("{name} is not known") };
    let expected = match operator {
        Operator::OneOf(set) => format!("not {}", listed(set, &value)),
        Operator::Contains(needles) => format!("without {}", listed(needles.words(), &value)),
        Operator::StartsWith(needles) => format!("not beginning with {}", listed(needles, &value)),
        Operator::EndsWith(needles) => format!("not ending in {}", listed(needles, &value)),
        Operator::Matches(_) => "not of the pattern".to_owned(),
        Operator::Between(low, high) => match operand.number(subject) {
            None => "not a number".to_owned(),
            Some(number) if number < *low => format!("less than {low}"),
            Some(_) => format!("more than {high}"),
        },
        Operator::Exists => "not known".to_owned(),
    };
    format!("{name} is {value}, {expected}")
}

/// Lists the folded `values`, in capitals where the lead's own value is in capitals.
fn listed(values: &[Box<str>], own: &str) -> String {
    let is_capitals = own.chars().any(char::is_alphabetic) && !own.chars().any(char::is_lowercase);
    let spelt = |value: &str| if is_capitals { value.to_uppercase() } else { value.to_owned() };
    let mut shown: Vec<String> =
        values.iter().take(VALUES_SHOWN).map(|value| spelt(value)).collect();
    if values.len() > VALUES_SHOWN {
        shown.push("…".to_owned());
    }
    match shown.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => shown.concat(),
    }
}
