//! What was decided about a lead, and why.

use std::sync::Arc;

/// The four groups of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Is this the kind of customer we serve?
    Fit,
    /// Did they say they want to buy?
    Intent,
    /// What did they do?
    Behavior,
    /// Can we trust and use the record?
    Quality,
}

impl Group {
    /// Every group with its word, in order.
    pub const ALL: &[(&str, Group)] = &[
        ("fit", Self::Fit),
        ("intent", Self::Intent),
        ("behavior", Self::Behavior),
        ("quality", Self::Quality),
    ];

    /// Returns the word used in rules and files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// How warm a lead is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Below the warm threshold.
    Cold,
    /// Between the thresholds.
    Warm,
    /// At or above the hot threshold.
    Hot,
}

impl Segment {
    /// Every segment with its word, in order.
    pub const ALL: &[(&str, Segment)] =
        &[("cold", Self::Cold), ("warm", Self::Warm), ("hot", Self::Hot)];

    /// Returns the word used in rules and files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// A place in the matrix of fit and engagement, from `A1`, the best, to `C3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Fits, and is engaged.
    A1,
    /// Fits, and is somewhat engaged.
    A2,
    /// Fits, but is not engaged.
    A3,
    /// Fits somewhat, and is engaged.
    B1,
    /// Fits somewhat, and is somewhat engaged.
    B2,
    /// Fits somewhat, but is not engaged.
    B3,
    /// Does not fit, but is engaged.
    C1,
    /// Does not fit, and is somewhat engaged.
    C2,
    /// Neither fits nor is engaged.
    C3,
}

impl Grade {
    /// Every grade with its word, the best fit first.
    pub const ALL: &[(&str, Grade)] = &[
        ("A1", Self::A1),
        ("A2", Self::A2),
        ("A3", Self::A3),
        ("B1", Self::B1),
        ("B2", Self::B2),
        ("B3", Self::B3),
        ("C1", Self::C1),
        ("C2", Self::C2),
        ("C3", Self::C3),
    ];

    /// Returns the grade in row `fit` and column `engagement`, each from 0, the best, to 2.
    pub fn at(fit: usize, engagement: usize) -> Self {
        Self::ALL[fit.min(2) * 3 + engagement.min(2)].1
    }

    /// Returns the word used in rules and files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// What the points of a contribution were given for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// The rule's condition was met.
    Met,
    /// Several touches gave points.
    Repeated {
        /// Touches that counted.
        times: u32,
        /// Points of each, before any decay.
        each: i32,
    },
    /// The rule could not be answered, because this field has no value.
    Missing(Arc<str>),
    /// The group had more points than this.
    GroupLimit(i32),
    /// The total was beyond this end.
    TotalLimit(i32),
}

/// Points that one rule gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// Position of the rule in the scoring policy; `u16::MAX` for a cap that took points away.
    pub rule: u16,
    /// Group the points belong to.
    pub group: Group,
    /// Points, possibly negative.
    pub points: i32,
    /// What they were given for.
    pub basis: Basis,
}

/// A lead's score; the contributions sum to the total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// Sum of the contributions.
    pub total: i32,
    /// Sum per group, in the order of [`Group::ALL`].
    pub groups: [i32; 4],
    /// What each rule gave, in rule order; caps last.
    pub contributions: Vec<Contribution>,
    /// Where the total falls, or what the grade stands for.
    pub segment: Segment,
    /// Where the lead stands in the matrix; `None` without one.
    pub grade: Option<Grade>,
    /// What the models say; empty without any.
    pub models: ModelScores,
}

/// What each scoring model says of a lead; one of them decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelScores {
    /// Id and total of each, in the order of the rules.
    pub totals: Vec<(Arc<str>, i32)>,
    /// Position of the one that decided.
    pub primary: usize,
}

impl ModelScores {
    /// Returns the id of the model that decided; `None` when there are no models.
    pub fn primary_id(&self) -> Option<&str> {
        self.totals.get(self.primary).map(|(id, _)| &**id)
    }

    /// Returns the total of the model `id`.
    pub fn total(&self, id: &str) -> Option<i32> {
        self.totals.iter().find(|(known, _)| **known == *id).map(|(_, total)| *total)
    }
}

/// Who has a lead, or where it waits, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Id of the route that decided; `sticky` for a returning lead, `triage` when none matched.
    pub route: String,
    /// Owner's id.
    pub owner: Option<String>,
    /// Queue's id; always set.
    pub queue: String,
    /// One line such as `rule=pl-ai; country=PL; score=82; queue=enterprise; turn=3/5`.
    pub reason: String,
}
