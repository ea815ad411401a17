//! What figures can be split by.

/// What tells the rows of a report apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// The preset that recognized the export in which the enquiry came.
    Source,
    /// The campaign that the enquiry names.
    Campaign,
    /// The form: its name, else its id.
    Form,
    /// Who has the lead now.
    Owner,
    /// The queue in which the lead is now.
    Queue,
    /// Hot, warm or cold, as the lead is now.
    Segment,
    /// The lead's country.
    Country,
    /// The day, in the workspace's zone.
    Day,
    /// The ISO week, which begins on Monday.
    Week,
    /// The month.
    Month,
}

impl By {
    /// Each with its word, in order.
    pub const ALL: &[(&str, By)] = &[
        ("source", Self::Source),
        ("campaign", Self::Campaign),
        ("form", Self::Form),
        ("owner", Self::Owner),
        ("queue", Self::Queue),
        ("segment", Self::Segment),
        ("country", Self::Country),
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
    ];

    /// Returns the word that people use.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Returns what goes by this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, by)| *by)
    }

    /// Returns whether it follows from the time of the enquiry alone.
    pub fn is_time(self) -> bool {
        matches!(self, Self::Day | Self::Week | Self::Month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_where_their_meaning_says() {
        for (word, by) in By::ALL {
            assert_eq!((by.word(), By::of(word)), (*word, Some(*by)));
        }
        assert_eq!(By::of("weather"), None);
    }
}
