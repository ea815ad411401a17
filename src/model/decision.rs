//! What was decided about a lead, and why.

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

/// Points that one rule gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// Position of the rule in the scoring policy; `u16::MAX` for a cap that took points away.
    pub rule: u16,
    /// Group the points belong to.
    pub group: Group,
    /// Points, possibly negative.
    pub points: i32,
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
    /// Where the total falls.
    pub segment: Segment,
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
