//! A lead as the rules see it.

use chrono::{DateTime, Utc};

use super::decision::{Grade, ModelScores, Score, Segment};
use super::field::FieldValues;
use super::touch::Touch;

/// What is known of a lead beyond its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Submissions by which the lead asked for something; 0 for somebody whom only a CRM's export or another list
    /// knows.
    pub n_submissions: u32,
    /// Distinct sources among them; of the lists where there are none, and so the times.
    pub n_sources: u32,
    /// When the earliest submission was sent.
    pub first_submitted_at: DateTime<Utc>,
    /// When the latest submission was sent.
    pub last_submitted_at: DateTime<Utc>,
    /// Whether marketing by e-mail is allowed now.
    pub marketing_email_allowed: bool,
    /// Whether marketing by phone is allowed now.
    pub marketing_phone_allowed: bool,
    /// Total score, once scoring has run.
    pub score: Option<i32>,
    /// Segment, once scoring has run.
    pub segment: Option<Segment>,
    /// Place in the matrix, once scoring has run; `None` without a matrix, too.
    pub grade: Option<Grade>,
    /// What the scoring models say, once scoring has run; empty without models, too.
    pub models: ModelScores,
}

impl Facts {
    /// Returns the facts of a lead made of one submission sent at `at`, to whom nothing is allowed.
    pub fn of_one_submission(at: DateTime<Utc>) -> Self {
        Self {
            n_submissions: 1,
            n_sources: 1,
            first_submitted_at: at,
            last_submitted_at: at,
            marketing_email_allowed: false,
            marketing_phone_allowed: false,
            score: None,
            segment: None,
            grade: None,
            models: ModelScores::default(),
        }
    }

    /// Makes known what scoring came to, for whoever decides next.
    pub fn know(&mut self, score: &Score) {
        self.score = Some(score.total);
        self.segment = Some(score.segment);
        self.grade = score.grade;
        self.models = score.models.clone();
    }
}

/// Everything a condition may look at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Golden values.
    pub values: &'a FieldValues,
    /// What is known beyond them.
    pub facts: &'a Facts,
    /// Touches, oldest first.
    pub touches: &'a [Touch],
    /// The instant at which the question is asked.
    pub as_of: DateTime<Utc>,
}
