//! Everything that a condition can look at and ask, for people and for editors.

use std::fmt::Write as _;

use serde::Serialize;

use super::operand::{DERIVED, Derived, Operand};
use super::operator::OPERATORS;
use crate::model::touch;
use crate::rules::RuleSet;
use crate::rules::diagnostics::RuleText;
use crate::rules::field::KINDS;

/// An operator with a value that it may have, as it is written, and what it asks.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("is", "\"PL\"", "the value is this one, whatever the case and the accents"),
    ("is-not", "\"PL\"", "the value is another one, or there is none"),
    ("one-of", "[\"PL\", \"DE\"]", "the value is one of these"),
    ("one-of-list", "\"free-mail\"", "the value is in the list of that name in tables/*.txt"),
    ("contains", "[\"wycen\", \"quote\"]", "the value has one of these in it"),
    ("starts-with", "\"+48\"", "the value begins with one of these"),
    ("ends-with", "\".pl\"", "the value ends with one of these"),
    ("matches", "'^pl-\\d+$'", "the value fits a regular expression, whatever the case"),
    ("at-least", "50", "the number is this or more"),
    ("at-most", "10", "the number is this or less"),
    ("between", "[10, 49]", "the number is one of these two or between them"),
    ("exists", "true", "there is a value; with false: there is none"),
];

/// What each derived field is, in the order of [`DERIVED`].
const DERIVED_SENTENCES: &[&str] = &[
    "How often they have written to us",
    "From how many sources they came",
    "Whole days since the latest submission, page view or event",
    "Whole days since the first submission",
    "Points in all; for routes and plans only",
    "How warm the lead is; for routes and plans only",
    "Whether marketing by e-mail is allowed",
    "Whether marketing by phone is allowed",
    "Whether there is an e-mail address",
    "Whether there is a phone number",
    "Hour in UTC at which the latest submission was sent",
    "The grade of the matrix in scoring.toml; for routes and plans only",
    "The scoring model that counts for the lead; for routes and plans only",
    "Whether they ever asked for something; false for whom only a CRM's export knows",
];

/// Something that a field clause can look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Term {
    /// Name, as after `field =`.
    pub name: String,
    /// `field`, `derived`, `touch` or `shape`.
    pub what: &'static str,
    /// Kind of value.
    pub kind: String,
    /// Operators that make sense.
    pub operators: Vec<&'static str>,
    /// The only values there are, when they are few.
    pub values: Vec<String>,
    /// What it is.
    pub because: String,
    /// A condition with it.
    pub example: String,
}

/// All terms of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary(Vec<Term>);

impl Vocabulary {
    /// Returns what conditions under `rules` can look at: fields in their order, then derived fields, then
    /// touches, then what looks at a lead as a whole.
    pub fn of(rules: &RuleSet) -> Self {
        let mut terms = Vec::new();
        for (number, spec) in rules.fields.iter() {
            let operand = Operand::of_field(number, &spec.name, spec.kind);
            let kind =
                KINDS.iter().find(|(_, kind)| *kind == spec.kind).map_or("", |(word, _)| *word);
            terms.push(term(&operand, "field", kind, &spec.because));
        }
        for ((_, derived), because) in DERIVED.iter().zip(DERIVED_SENTENCES) {
            let is_lacking = match derived {
                Derived::Grade => rules.scoring.matrix.is_none(),
                Derived::Model => rules.scoring.models.is_empty(),
                _ => false,
            };
            if is_lacking {
                continue;
            }
            let operand = Operand::Derived(*derived);
            let kind = match (operand.is_number(), operand.possible_values()) {
                (true, _) => "number",
                (_, Some(["true", "false"])) => "boolean",
                _ => "text",
            };
            terms.push(term(&operand, "derived", kind, because));
        }
        for model in &rules.scoring.models {
            let operand = Operand::of_model(&model.id);
            let because = format!("Points of the model `{}`; for routes and plans only", model.id);
            terms.push(term(&operand, "derived", "number", &because));
        }
        terms.extend(touches());
        terms.push(Term {
            name: "returned-within".to_owned(),
            what: "shape",
            kind: "duration".to_owned(),
            operators: Vec::new(),
            values: Vec::new(),
            because: "They came back, half an hour or more after the first time, within this long"
                .to_owned(),
            example: "{ returned-within = \"7d\" }".to_owned(),
        });
        Self(terms)
    }

    /// Iterates over all terms.
    pub fn iter(&self) -> impl Iterator<Item = &Term> {
        self.0.iter()
    }

    /// Iterates over those that stand after `field =`.
    pub fn operands(&self) -> impl Iterator<Item = &Term> {
        self.0.iter().filter(|term| ["field", "derived"].contains(&term.what))
    }
}

/// Returns every operator with what it asks.
pub fn operators() -> impl Iterator<Item = (&'static str, &'static str)> {
    EXAMPLES.iter().map(|(word, _, sentence)| (*word, *sentence))
}

fn term(operand: &Operand, what: &'static str, kind: &str, because: &str) -> Term {
    let values = operand.possible_values().unwrap_or_default();
    let operators: Vec<&'static str> = OPERATORS
        .iter()
        .copied()
        .filter(|word| match *word {
            "at-least" | "at-most" | "between" => operand.is_number(),
            "contains" | "starts-with" | "ends-with" | "matches" | "one-of-list" => {
                values.is_empty() && !operand.is_number()
            }
            _ => true,
        })
        .collect();
    let example = match (values.first(), kind) {
        (Some(value), _) => format!("is = \"{value}\""),
        _ if operand.is_number() => "at-least = 50".to_owned(),
        (_, "country") => "is = \"PL\"".to_owned(),
        (_, "boolean") => "is = \"true\"".to_owned(),
        (_, "email") => "ends-with = \".pl\"".to_owned(),
        (_, "phone") => "starts-with = \"+48\"".to_owned(),
        (_, "text" | "url") => "contains = [\"wycen\", \"quote\"]".to_owned(),
        _ => "exists = true".to_owned(),
    };
    Term {
        name: operand.name().to_owned(),
        what,
        kind: kind.to_owned(),
        operators,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
        because: because.to_owned(),
        example: format!("{{ field = \"{}\", {example} }}", operand.name()),
    }
}

/// Returns every kind of touch.
fn touches() -> impl Iterator<Item = Term> {
    touch::KINDS.iter().map(|(kind, detail)| Term {
        name: (*kind).to_owned(),
        what: "touch",
        kind: "touch".to_owned(),
        operators: vec!["url-contains", "event", "within", "at-least", "at-most"],
        values: Vec::new(),
        because: format!("A touch; its detail says {detail}"),
        example: format!("{{ touch = \"{kind}\", within = \"7d\", at-least = 2 }}"),
    })
}

/// Returns scoring rules in which every operator and every touch clause stands once, to be read.
pub(in crate::rules) fn samples() -> RuleText {
    let mut text = String::new();
    let mut push = |clause: &str| {
        let _ = writeln!(text, "[[score]]\nwhen = {{ {clause} }}");
    };
    for (word, example, _) in EXAMPLES {
        push(&format!("field = \"country\", {word} = {example}"));
    }
    push(
        "touch = \"page-view\", url-contains = \"/cennik\", within = \"7d\", at-least = 1, at-most = 2",
    );
    push("event = \"demo\"");
    push("returned-within = \"7d\"");
    push("not = { field = \"country\", exists = true }");
    for group in ["all", "any"] {
        push(&format!("{group} = [{{ field = \"country\", exists = true }}]"));
    }
    RuleText { path: "rules/scoring.toml".into(), text: text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_and_derived_field_is_explained() {
        let explained: Vec<&str> = EXAMPLES.iter().map(|(word, ..)| *word).collect();
        assert_eq!(explained, OPERATORS);
        assert_eq!(DERIVED_SENTENCES.len(), DERIVED.len());
    }
}
