//! One row as received, judged: ground state, never edited.

use super::consent::ConsentClaim;
use super::field::FieldValues;
use super::ids::Fingerprint;
use super::moment::Moment;
use super::outcome::{Hold, Notice, Rejection};
use super::row::Origin;
use super::touch::Touch;

/// One accepted row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Where it stands in its input.
    pub origin: Origin,
    /// What makes it the same submission when it is received again.
    pub fingerprint: Fingerprint,
    /// When the form was sent.
    pub submitted_at: Moment,
    /// When the source last changed its record of it, milliseconds since 1970 UTC; only contact lists say.
    pub modified_at_ms: Option<i64>,
    /// Normalized and enriched values.
    pub values: FieldValues,
    /// Repairs, suggestions and losses.
    pub notices: Vec<Notice>,
    /// Answers to consent questions.
    pub consents: Vec<ConsentClaim>,
    /// The row as received, as JSON.
    pub raw: String,
}

/// What normalization decided about one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowVerdict {
    /// A submission.
    Accepted(Box<Submission>),
    /// A touch of somebody's.
    Touch(Touch),
    /// Withheld.
    Held(Hold),
    /// Not accepted.
    Quarantined(Rejection),
    /// Not a record at all.
    Skipped(&'static str),
}
