//! Who was passed over, and why.

use std::sync::Arc;

/// Why somebody of a pool did not get a lead, whoever's turn it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// They are no longer active.
    Inactive,
    /// They are absent; the detail says until when.
    Away,
    /// They are not working now.
    Closed,
    /// Somebody else starts sooner.
    StartsLater,
    /// They have as many leads as they take; the detail is the cap.
    Full,
    /// They lack a skill; the detail names it.
    Skill,
    /// They do not speak a language; the detail names it.
    Language,
    /// They have had the lead, and left it lying or saw it go to somebody else.
    HadIt,
    /// They are absent, and the lead waits for them; the detail says until when.
    WaitedFor,
}

impl Why {
    /// Every answer with the word under which it is kept, in order.
    pub const ALL: &[(&str, Why)] = &[
        ("inactive", Self::Inactive),
        ("away", Self::Away),
        ("closed", Self::Closed),
        ("starts-later", Self::StartsLater),
        ("full", Self::Full),
        ("skill", Self::Skill),
        ("language", Self::Language),
        ("had-it", Self::HadIt),
        ("waited-for", Self::WaitedFor),
    ];

    /// Returns the word under which it is kept.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Returns whether time alone may change it.
    pub fn passes(self) -> bool {
        matches!(self, Self::Away | Self::Closed | Self::Full)
    }
}

/// Somebody of a pool who did not get a lead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PassedOver {
    /// Owner's id.
    pub owner: String,
    /// Why.
    pub why: Why,
    /// Until when, which cap, which skill or language.
    pub detail: String,
}

impl PassedOver {
    /// Returns why in words that follow the owner's name.
    pub fn words(&self) -> String {
        let detail = &self.detail;
        match self.why {
            Why::Inactive => "no longer active".to_owned(),
            Why::Away => format!("away until {detail}"),
            Why::Closed => "not working now".to_owned(),
            Why::StartsLater => "starts later than others".to_owned(),
            Why::Full => format!("cap of {detail} reached"),
            Why::Skill => format!("lacks skill {detail}"),
            Why::Language => format!("does not speak {detail}"),
            Why::WaitedFor => format!("away until {detail}; the lead waits for them"),
            Why::HadIt => "has had the lead before".to_owned(),
        }
    }
}

/// Everybody who was passed over, in the order of the pool; mostly nobody.
pub type Passed = Arc<[PassedOver]>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_order() {
        assert!(Why::ALL.iter().all(|(word, why)| why.word() == *word));
    }
}
