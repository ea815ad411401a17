//! What a field clause looks at: a field of the lead, or something derived from it.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};

use super::horizon::{min_of, next_touch_ms};
use super::operator::Operator;
use crate::model::field::{self, FieldNo, PHONE_TYPES};
use crate::model::moment::utc_from_ms;
use crate::model::subject::Subject;
use crate::rules::condition::ConditionContext;
use crate::rules::decode::{FIELDS, SCORING, Table};
use crate::rules::diagnostics::did_you_mean;
use crate::rules::field::FieldKind;
use crate::rules::tables::DEPARTMENTS;

const DAY_MS: i64 = 86_400_000;
/// The core fields that hold numbers whatever fields.toml says of them.
const CORE_NUMBERS: &[FieldNo] =
    &[field::EMPLOYEES, field::EMPLOYEES_MAX, field::BUDGET, field::BUDGET_MAX];

/// A field, or something derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operand {
    /// A field of the catalog with its name, and whether it holds a number.
    Field(FieldNo, Box<str>, bool),
    /// Something derived.
    Derived(Derived),
    /// What the scoring model of this id says, and the name of it as a field.
    ModelScore(Box<str>, Box<str>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Derived {
    Submissions,
    Sources,
    DaysSinceLastTouch,
    DaysSinceFirstSubmission,
    Score,
    Segment,
    ConsentMarketingEmail,
    ConsentMarketingPhone,
    HasEmail,
    HasPhone,
    SubmittedHourUtc,
    Grade,
    Model,
    HasEnquired,
}

/// The derived fields by name, in the order of [`Derived`].
pub(super) const DERIVED: &[(&str, Derived)] = &[
    ("n-submissions", Derived::Submissions),
    ("n-sources", Derived::Sources),
    ("days-since-last-touch", Derived::DaysSinceLastTouch),
    ("days-since-first-submission", Derived::DaysSinceFirstSubmission),
    ("score", Derived::Score),
    ("segment", Derived::Segment),
    ("consent-marketing-email", Derived::ConsentMarketingEmail),
    ("consent-marketing-phone", Derived::ConsentMarketingPhone),
    ("has-email", Derived::HasEmail),
    ("has-phone", Derived::HasPhone),
    ("submitted-hour-utc", Derived::SubmittedHourUtc),
    ("grade", Derived::Grade),
    ("model", Derived::Model),
    ("has-enquired", Derived::HasEnquired),
];

/// What stands before a model's id in the name of its total.
const MODEL_SCORE: &str = "score-";

impl Operand {
    /// Returns the operand that looks at a field of the catalog.
    pub(super) fn of_field(number: FieldNo, name: &str, kind: FieldKind) -> Self {
        let is_number = kind == FieldKind::Number || CORE_NUMBERS.contains(&number);
        Self::Field(number, name.into(), is_number)
    }

    /// Returns the operand that looks at the total of the scoring model `id`.
    pub(super) fn of_model(id: &str) -> Self {
        Self::ModelScore(id.into(), format!("{MODEL_SCORE}{id}").into())
    }

    /// Reads `field`, reporting a name that is neither a field's nor derived.
    pub(super) fn decode(table: &Table<'_>, context: &ConditionContext<'_>) -> Option<Self> {
        let ConditionContext { fields, models, has_matrix, .. } = *context;
        let name = table.opt_string("field")?;
        if let Some((_, derived)) = DERIVED.iter().find(|(known, _)| *known == name) {
            let lacks = match derived {
                Derived::Grade if !has_matrix => "[matrix]",
                Derived::Model if models.is_empty() => "[[model]]",
                _ => return Some(Self::Derived(*derived)),
            };
            let hint = Some("leads get one where scoring.toml says how".to_owned());
            table.lacks(
                SCORING,
                "field",
                format!("no lead has a `{name}`: there is no {lacks}"),
                hint,
            );
            return None;
        }
        if let Some(number) = fields.number(&name) {
            return Some(Self::of_field(number, &name, fields.spec(number).kind));
        }
        if let Some(id) = name.strip_prefix(MODEL_SCORE).filter(|id| models.contains(id)) {
            return Some(Self::of_model(id));
        }
        let scores: Vec<String> = models.iter().map(|id| format!("{MODEL_SCORE}{id}")).collect();
        let known = fields
            .iter()
            .map(|(_, spec)| spec.name.as_str())
            .chain(DERIVED.iter().map(|(known, _)| *known))
            .chain(scores.iter().map(String::as_str));
        let hint = did_you_mean(&name, known).map_or_else(
            || "fields are listed in fields.toml; a new one is added there".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let of = if name.starts_with(MODEL_SCORE) { SCORING } else { FIELDS };
        table.lacks(of, "field", format!("unknown field `{name}`"), Some(hint));
        None
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Field(_, name, _) | Self::ModelScore(_, name) => name,
            Self::Derived(derived) => DERIVED[*derived as usize].0,
        }
    }

    /// Returns the field of the lead behind it.
    pub(super) fn field(&self) -> Option<FieldNo> {
        match self {
            Self::Field(number, ..) => Some(*number),
            Self::Derived(Derived::HasEmail) => Some(field::EMAIL),
            Self::Derived(Derived::HasPhone) => Some(field::PHONE),
            Self::Derived(_) | Self::ModelScore(..) => None,
        }
    }

    /// Returns whether a lead may be without the value.
    pub(super) fn may_be_absent(&self) -> bool {
        matches!(self, Self::Field(..))
    }

    /// Returns whether the lead is without the value.
    pub(super) fn is_absent(&self, subject: &Subject<'_>) -> bool {
        matches!(self, Self::Field(number, ..) if subject.values.get(*number).is_none())
    }

    pub(super) fn is_number(&self) -> bool {
        match self {
            Self::Field(.., numeric) => *numeric,
            Self::ModelScore(..) => true,
            Self::Derived(derived) => !matches!(
                derived,
                Derived::Segment
                    | Derived::Grade
                    | Derived::Model
                    | Derived::ConsentMarketingEmail
                    | Derived::ConsentMarketingPhone
                    | Derived::HasEmail
                    | Derived::HasPhone
                    | Derived::HasEnquired
            ),
        }
    }

    pub(super) fn looks_at_touches(&self) -> bool {
        *self == Self::Derived(Derived::DaysSinceLastTouch)
    }

    pub(super) fn looks_at_time(&self) -> bool {
        matches!(
            self,
            Self::Derived(Derived::DaysSinceLastTouch | Derived::DaysSinceFirstSubmission)
        )
    }

    pub(super) fn looks_at_score(&self) -> bool {
        matches!(
            self,
            Self::ModelScore(..)
                | Self::Derived(
                    Derived::Score | Derived::Segment | Derived::Grade | Derived::Model
                )
        )
    }

    /// Returns when `operator` next answers otherwise, because days went by or a touch that lies ahead happens.
    pub(super) fn next_change_ms(&self, operator: &Operator, subject: &Subject<'_>) -> Option<i64> {
        let Self::Derived(derived) = self else { return None };
        let since_ms = derived.counts_days_since(subject)?.timestamp_millis();
        let days = derived.whole_number(subject)?;
        let after_ms = operator.next_change(days).and_then(|days| days.checked_mul(DAY_MS));
        let by_days = after_ms.and_then(|after_ms| since_ms.checked_add(after_ms));
        let ahead = self.looks_at_touches().then(|| next_touch_ms(subject)).flatten();
        min_of(by_days, ahead)
    }

    /// Returns the only values that it can have, when they are few.
    pub(super) fn possible_values(&self) -> Option<&'static [&'static str]> {
        Some(match self.name() {
            "seniority" => &["owner", "c-level", "director", "manager", "specialist"],
            "department" => DEPARTMENTS,
            "phone-type" => PHONE_TYPES,
            "device" => &["desktop", "mobile", "tablet", "bot"],
            "segment" => &["cold", "warm", "hot"],
            "grade" => &["a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3"],
            "email-is-free"
            | "email-is-role"
            | "email-is-disposable"
            | "has-email"
            | "email-is-undeliverable"
            | "is-customer"
            | "has-phone"
            | "has-enquired"
            | "consent-marketing-email"
            | "consent-marketing-phone" => &["true", "false"],
            _ => return None,
        })
    }

    /// Returns the value as text; `None` when the lead has none.
    pub(super) fn text<'a>(&self, subject: &Subject<'a>) -> Option<Cow<'a, str>> {
        let derived = match self {
            Self::Field(number, ..) => return subject.values.get(*number).map(Cow::Borrowed),
            Self::ModelScore(id, _) => {
                return subject.facts.models.total(id).map(|total| total.to_string().into());
            }
            Self::Derived(derived) => derived,
        };
        let facts = subject.facts;
        let flag = match derived {
            Derived::Segment => return facts.segment.map(|segment| segment.word().into()),
            Derived::Grade => return facts.grade.map(|grade| grade.word().into()),
            Derived::Model => return facts.models.primary_id().map(Cow::Borrowed),
            Derived::ConsentMarketingEmail => facts.marketing_email_allowed,
            Derived::ConsentMarketingPhone => facts.marketing_phone_allowed,
            Derived::HasEmail => subject.values.get(field::EMAIL).is_some(),
            Derived::HasPhone => subject.values.get(field::PHONE).is_some(),
            Derived::HasEnquired => facts.n_submissions > 0,
            other => return other.whole_number(subject).map(|number| number.to_string().into()),
        };
        Some(if flag { "true" } else { "false" }.into())
    }

    /// Returns the value as a number; `None` when the lead has none or it is not one.
    pub(super) fn number(&self, subject: &Subject<'_>) -> Option<f64> {
        match self {
            Self::Field(number, ..) => parse_number(subject.values.get(*number)?),
            Self::ModelScore(id, _) => subject.facts.models.total(id).map(f64::from),
            Self::Derived(derived) => derived.whole_number(subject).map(|number| number as f64),
        }
    }
}

impl Derived {
    /// Returns the instant from which days are counted; `None` for what counts none.
    fn counts_days_since(self, subject: &Subject<'_>) -> Option<DateTime<Utc>> {
        let facts = subject.facts;
        match self {
            Self::DaysSinceFirstSubmission => Some(facts.first_submitted_at),
            // Submissions are touches, too; those after as-of have not happened yet.
            Self::DaysSinceLastTouch => {
                let as_of_ms = subject.as_of.timestamp_millis();
                let newest = subject.touches.iter().rev().find(|touch| touch.at_ms <= as_of_ms);
                let touched = newest.map(|touch| utc_from_ms(touch.at_ms));
                let last = facts.last_submitted_at;
                Some(touched.map_or(last, |touched| touched.max(last)))
            }
            _ => None,
        }
    }

    fn whole_number(self, subject: &Subject<'_>) -> Option<i64> {
        let facts = subject.facts;
        match self {
            Self::Submissions => Some(i64::from(facts.n_submissions)),
            Self::Sources => Some(i64::from(facts.n_sources)),
            Self::DaysSinceFirstSubmission | Self::DaysSinceLastTouch => {
                let since = self.counts_days_since(subject)?;
                Some(TimeDelta::num_days(&(subject.as_of - since)).max(0))
            }
            Self::Score => facts.score.map(i64::from),
            Self::SubmittedHourUtc => Some(i64::from(facts.last_submitted_at.hour())),
            Self::Segment
            | Self::Grade
            | Self::Model
            | Self::ConsentMarketingEmail
            | Self::ConsentMarketingPhone
            | Self::HasEmail
            | Self::HasPhone
            | Self::HasEnquired => None,
        }
    }
}

/// Returns the number that `text` is; what Rust reads beyond numbers (`inf`, `nan`) is none.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_names_are_in_order() {
        for (position, (name, derived)) in DERIVED.iter().enumerate() {
            assert_eq!(*derived as usize, position, "{name}");
        }
    }
}
