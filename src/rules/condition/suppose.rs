//! What would have to be otherwise for a condition to be met, and what else would be met then.
//!
//! Only what may still come is supposed: a value that is missing, another enquiry, something done. Nobody is
//! supposed to be somebody else.

use super::operand::{Derived, Operand};
use super::operator::Operator;
use super::touches::TouchTest;
use super::{Answer, Condition, Lens, Test};
use crate::model::field::{self, FieldNo};

/// What each enquiry may say anew, whatever the ones before it said.
const SAID_ANEW: &[FieldNo] = &[field::MESSAGE, field::FORM_NAME];
/// Values besides those of the ways to us, which nobody can be asked for.
const UNASKED: &[FieldNo] = &[
    field::EXTERNAL_ID,
    field::CRM_OWNER,
    field::CRM_STATUS,
    field::BROWSER,
    field::OPERATING_SYSTEM,
    field::LAST_SOURCE,
    field::LAST_MEDIUM,
    field::LAST_CAMPAIGN,
    field::EMAIL_SUGGESTION,
    field::EMAIL_IS_UNDELIVERABLE,
    field::USER_ID,
    field::IS_CUSTOMER,
];
/// A value of which nothing is asked but that there is one.
const ANY_VALUE: &str = "(any)";

/// One clause that would come out otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change<'r> {
    test: &'r Test,
    holds: bool,
}

/// What a value that is missing makes of a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// The same as one that does not fit, as in [`Condition::matches`].
    DoesNotFit,
    /// Neither yes nor no, as in [`Condition::answer`]: somebody has to name it first.
    IsOpen,
}

/// A lead as it would be after some changes that go together.
#[derive(Debug, Clone, PartialEq)]
pub struct Supposition<'r> {
    changes: Vec<Change<'r>>,
    /// Values that the lead would have; none where a clause does not tell one, as a pattern.
    values: Vec<(&'r Operand, String)>,
}

impl Condition {
    /// Returns the fewest clauses that would have to come out otherwise for the condition to be met
    /// (`holds`) or not to be: none when it is so already. `gap` says what missing values make of it now.
    ///
    /// `None` when the lead would have to be somebody else: it has another value than the one asked for.
    pub fn changes_to(&self, holds: bool, gap: Gap, lens: &Lens<'_>) -> Option<Vec<Change<'_>>> {
        self.0.changes_to(holds, gap, lens)
    }
}

impl<'r> Supposition<'r> {
    /// Supposes all of `changes` at once; `None` when they contradict each other.
    pub fn new(changes: &[Change<'r>]) -> Option<Self> {
        let mut unique: Vec<Change<'r>> = Vec::new();
        for change in changes.iter().filter(|change| !change.is_implied_by_others(changes)) {
            if !unique.contains(change) {
                unique.push(*change);
            }
        }
        let mut values: Vec<(&Operand, String)> = Vec::new();
        for change in &unique {
            if let Test::Field(operand, _) = change.test
                && !operand.is_said_anew()
                && !values.iter().any(|(known, _)| *known == operand)
            {
                let of_operand: Vec<(&Operator, bool)> =
                    unique.iter().filter_map(|one| one.about(operand)).collect();
                match value_for(operand, &of_operand) {
                    Some(value) => values.push((operand, value)),
                    None if of_operand.len() == 1 && change.holds => {}
                    None => return None,
                }
            }
        }
        Some(Self { changes: unique, values })
    }

    /// Returns how many clauses come out otherwise.
    pub fn clauses(&self) -> usize {
        self.changes.len()
    }

    /// Returns whether the lead would meet `condition`.
    pub fn meets(&self, condition: &Condition, lens: &Lens<'_>) -> bool {
        self.holds(&condition.0, lens)
    }

    /// Returns whether the lead would meet `condition`, telling a missing value from one that does not fit.
    pub fn answer<'c>(&self, condition: &'c Condition, lens: &Lens<'_>) -> Answer<'c> {
        condition.0.answer_by(&|leaf| match leaf {
            Test::Field(operand, _) if leaf.lacks_its_value(lens) && !self.knows(operand) => {
                Answer::Missing(operand.name())
            }
            _ => Answer::from(self.holds(leaf, lens)),
        })
    }

    /// Returns how many touches would come that a touch clause of `condition` counts.
    pub fn touches_for(&self, condition: &Condition, lens: &Lens<'_>) -> usize {
        let mut counting = Vec::new();
        condition.0.visit_touch_tests(&mut |test| counting.push(test));
        self.touches(lens, |made_for| counting.iter().any(|test| made_for.makes_one_for(test)))
    }

    /// Returns how many touches would come for the clauses that `is_wanted` accepts: each clause brings its own.
    fn touches(&self, lens: &Lens<'_>, is_wanted: impl Fn(&TouchTest) -> bool) -> usize {
        let brought = self.changes.iter().filter_map(|change| match change.test {
            Test::Touch(test) if is_wanted(test) => Some(test.lacks(change.holds, lens)),
            _ => None,
        });
        brought.sum()
    }

    /// Returns whether the lead would have the value, whatever it is.
    fn knows(&self, operand: &Operand) -> bool {
        self.value(operand).is_some() || self.changes.iter().any(|one| one.about(operand).is_some())
    }

    fn holds(&self, test: &Test, lens: &Lens<'_>) -> bool {
        match test {
            Test::All(parts) => parts.iter().all(|part| self.holds(part, lens)),
            Test::Any(parts) => parts.iter().any(|part| self.holds(part, lens)),
            Test::Not(inner) => !self.holds(inner, lens),
            Test::Field(operand, operator) => self
                .value(operand)
                .map(|value| operator.accepts_value(operand, value))
                .or_else(|| self.settled(test))
                .unwrap_or_else(|| test.matches(lens)),
            Test::Touch(wanted) => wanted
                .accepts(wanted.count(lens) + self.touches(lens, |one| one.makes_one_for(wanted))),
            Test::ReturnedWithin(_) => self.settled(test).unwrap_or_else(|| test.matches(lens)),
        }
    }

    /// Returns the value that the lead would have, as far as it is another than it has.
    fn value(&self, operand: &Operand) -> Option<&str> {
        let known = self.values.iter().find(|(known, _)| *known == operand);
        let sibling = match operand {
            Operand::Derived(Derived::HasEmail) => self.has(field::EMAIL).then_some("true"),
            Operand::Derived(Derived::HasPhone) => self.has(field::PHONE).then_some("true"),
            Operand::Derived(Derived::DaysSinceLastTouch) => self.brings_a_touch().then_some("0"),
            Operand::Field(field::EMAIL | field::PHONE, ..) => {
                let flag = operand.flag_of_presence()?;
                self.values.iter().any(|(known, _)| **known == flag).then_some(ANY_VALUE)
            }
            _ => None,
        };
        known.map(|(_, value)| value.as_str()).or(sibling)
    }

    /// Returns what a change says of `leaf`, where it says anything.
    fn settled(&self, leaf: &Test) -> Option<bool> {
        self.changes.iter().find_map(|change| match change.holds {
            true if change.test.implies(leaf) => Some(true),
            false if leaf.implies(change.test) => Some(false),
            _ => None,
        })
    }

    fn has(&self, number: FieldNo) -> bool {
        self.changes.iter().any(|change| {
            change.holds && matches!(change.test, Test::Field(Operand::Field(known, ..), _) if *known == number)
        })
    }

    /// Returns whether the lead would have done something just now.
    fn brings_a_touch(&self) -> bool {
        self.changes.iter().any(|change| match change.test {
            Test::Touch(_) | Test::ReturnedWithin(_) => true,
            Test::Field(operand, _) => operand.is_said_anew(),
            _ => false,
        })
    }
}

impl Change<'_> {
    fn about(&self, operand: &Operand) -> Option<(&Operator, bool)> {
        match self.test {
            Test::Field(known, operator) if known == operand => Some((operator, self.holds)),
            _ => None,
        }
    }

    /// Returns whether another of `changes` brings it along, and is not brought along by it.
    fn is_implied_by_others(&self, changes: &[Self]) -> bool {
        self.holds
            && changes.iter().any(|other| {
                other.holds && other.test.implies(self.test) && !self.test.implies(other.test)
            })
    }
}

/// Returns a value of which every operator says what it should.
fn value_for(operand: &Operand, asked: &[(&Operator, bool)]) -> Option<String> {
    let given = match operand {
        Operand::Derived(Derived::DaysSinceLastTouch) => vec!["0".to_owned()],
        _ if operand.is_flag() => vec!["true".to_owned()],
        _ => asked.iter().flat_map(|(operator, _)| operator.typical_values()).collect(),
    };
    let any = std::iter::once(ANY_VALUE.to_owned());
    given.into_iter().chain(any).find(|value| {
        asked.iter().all(|(operator, holds)| operator.accepts_value(operand, value) == *holds)
    })
}

impl Operand {
    fn is_said_anew(&self) -> bool {
        matches!(self, Self::Field(number, ..) if SAID_ANEW.contains(number))
    }

    /// Returns whether somebody can be asked for the value.
    fn can_be_asked_for(&self) -> bool {
        let Self::Field(number, ..) = self else { return false };
        let is_way_to_us = (field::SOURCE..=field::PHONE_TYPE).contains(number);
        !(is_way_to_us || UNASKED.contains(number))
    }

    /// Returns whether it says that something is there or allowed, which may still come.
    fn is_flag(&self) -> bool {
        matches!(
            self,
            Self::Derived(
                Derived::HasEmail
                    | Derived::HasPhone
                    | Derived::HasEnquired
                    | Derived::ConsentMarketingEmail
                    | Derived::ConsentMarketingPhone
            )
        )
    }

    /// Returns the flag that says whether this address or number is there.
    fn flag_of_presence(&self) -> Option<Self> {
        match self.field()? {
            field::EMAIL => Some(Self::Derived(Derived::HasEmail)),
            field::PHONE => Some(Self::Derived(Derived::HasPhone)),
            _ => None,
        }
    }

    /// Returns whether the lead's answer to `operator` may still become `holds`.
    fn may_become(&self, operator: &Operator, holds: bool, lens: &Lens<'_>) -> bool {
        let subject = lens.subject();
        if self.is_said_anew() {
            return holds;
        }
        if self.is_absent(subject) {
            return holds && self.can_be_asked_for();
        }
        if self.is_flag() {
            return self.text(subject).as_deref() == Some("false");
        }
        match (self, operator) {
            (Self::Derived(Derived::DaysSinceLastTouch), Operator::Between(..)) => {
                operator.accepts_value(self, "0") == holds
            }
            // They only grow.
            (
                Self::Derived(Derived::Submissions | Derived::Sources),
                Operator::Between(low, high),
            ) => {
                let number = self.number(subject).unwrap_or(0.0);
                if holds { number < *low } else { number <= *high && high.is_finite() }
            }
            _ => false,
        }
    }
}

impl Test {
    fn changes_to(&self, holds: bool, gap: Gap, lens: &Lens<'_>) -> Option<Vec<Change<'_>>> {
        let is_so = match gap {
            Gap::DoesNotFit => self.matches(lens) == holds,
            Gap::IsOpen => self.answer(lens) == Answer::from(holds),
        };
        if is_so {
            return Some(Vec::new());
        }
        let may_become = match (self, holds) {
            (Self::All(parts), true) | (Self::Any(parts), false) => {
                let each: Option<Vec<_>> =
                    parts.iter().map(|part| part.changes_to(holds, gap, lens)).collect();
                return each.map(|each| each.concat());
            }
            (Self::All(parts), false) | (Self::Any(parts), true) => {
                let ways = parts.iter().filter_map(|part| part.changes_to(holds, gap, lens));
                return ways.min_by_key(Vec::len);
            }
            (Self::Not(inner), _) => return inner.changes_to(!holds, gap, lens),
            (Self::Field(operand, _), _) if gap == Gap::IsOpen && self.lacks_its_value(lens) => {
                operand.is_said_anew() || operand.can_be_asked_for()
            }
            (Self::Field(operand, operator), _) => operand.may_become(operator, holds, lens),
            (Self::Touch(test), _) => {
                // What happened cannot be undone.
                let (at_least, at_most) = test.bounds();
                let count = test.count(lens);
                if holds { count < at_least as usize } else { at_most.is_some() }
            }
            (Self::ReturnedWithin(_), _) => holds,
        };
        may_become.then(|| vec![Change { test: self, holds }])
    }
}
