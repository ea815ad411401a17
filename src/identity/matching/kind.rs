//! What a column of records holds, and how many degrees of agreement two of its values may have.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Given names.
    Given,
    /// Family name.
    Surname,
    /// A whole name of a person, to be split.
    FullName,
    /// Name of a company, school, shop.
    Organization,
    /// E-mail address.
    Email,
    /// Phone or fax number.
    Phone,
    /// Date, foremost of birth.
    Date,
    /// Year of a date whose parts have columns of their own.
    Year,
    /// Month of such a date.
    Month,
    /// Day of such a date.
    Day,
    /// Number that somebody was given: tax, insurance, passport.
    Id,
    /// Postal code.
    Postcode,
    /// Street, with or without the number of the house.
    Street,
    /// Number of the house or flat.
    House,
    /// Town, suburb, place of birth.
    City,
    /// State, county, country.
    Region,
    /// Web site.
    Web,
    /// One of few values: sex, occupation.
    Category,
    /// Any other words.
    Text,
    /// Nothing that tells people apart.
    Ignored,
}

/// A word for each kind, as people pin it on the command line.
const WORDS: &[(Kind, &str)] = &[
    (Kind::Given, "given-name"),
    (Kind::Surname, "surname"),
    (Kind::FullName, "full-name"),
    (Kind::Organization, "organization"),
    (Kind::Email, "email"),
    (Kind::Phone, "phone"),
    (Kind::Date, "date"),
    (Kind::Year, "year"),
    (Kind::Month, "month"),
    (Kind::Day, "day"),
    (Kind::Id, "id"),
    (Kind::Postcode, "postcode"),
    (Kind::Street, "street"),
    (Kind::House, "house-number"),
    (Kind::City, "city"),
    (Kind::Region, "region"),
    (Kind::Web, "web"),
    (Kind::Category, "category"),
    (Kind::Text, "text"),
    (Kind::Ignored, "ignored"),
];

impl Kind {
    /// Returns the word for this kind.
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|(kind, _)| *kind == self).map_or("ignored", |(_, word)| word)
    }

    /// Reads what [`Kind::word`] wrote.
    pub fn from_word(word: &str) -> Option<Self> {
        WORDS.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }

    /// Returns all words, for a message that lists them.
    pub fn words() -> impl Iterator<Item = &'static str> {
        WORDS.iter().map(|(_, word)| *word)
    }

    /// Returns what the degrees of agreement of two values are called, the best first.
    pub fn levels(self) -> &'static [&'static str] {
        match self {
            Self::Given | Self::Surname | Self::FullName => {
                &["equal", "variant", "initial", "similar", "different"]
            }
            Self::Date | Self::Year | Self::Month | Self::Day => {
                &["equal", "one slip", "two parts", "one part", "different"]
            }
            Self::Email => &["equal", "one or two slips", "same mailbox name", "different"],
            Self::Phone | Self::Id | Self::House | Self::Web => &["equal", "one slip", "different"],
            Self::Postcode => &["equal", "one slip", "same area", "different"],
            Self::City => &["equal", "similar", "different"],
            Self::Region | Self::Category | Self::Ignored => &["equal", "different"],
            Self::Organization | Self::Street | Self::Text => {
                &["equal", "nearly equal", "similar", "some words", "different"]
            }
        }
    }

    /// Returns how often each level is found between two records of one entity, before any data is seen.
    ///
    /// Rounded from published m-probabilities of person and company linkage and from reading exports;
    /// training corrects them, thirty imagined pairs against the real ones.
    pub fn expected_in_matches(self) -> &'static [f32] {
        match self {
            Self::Given => &[0.72, 0.14, 0.05, 0.04, 0.05],
            Self::Surname | Self::FullName => &[0.80, 0.11, 0.01, 0.03, 0.05],
            Self::Date | Self::Year | Self::Month | Self::Day => &[0.84, 0.08, 0.05, 0.01, 0.02],
            Self::Email => &[0.66, 0.10, 0.06, 0.18],
            Self::Phone => &[0.62, 0.05, 0.33],
            Self::Id => &[0.86, 0.08, 0.06],
            Self::House => &[0.82, 0.08, 0.10],
            Self::Postcode => &[0.80, 0.08, 0.05, 0.07],
            Self::City => &[0.82, 0.10, 0.08],
            Self::Web => &[0.84, 0.04, 0.12],
            Self::Region | Self::Category | Self::Ignored => &[0.88, 0.12],
            Self::Organization | Self::Street | Self::Text => &[0.55, 0.20, 0.10, 0.06, 0.09],
        }
    }

    /// Returns how often each level is found between two records of different entities, before any data is seen.
    ///
    /// For people of one or two countries, rounded: a surname is shared by one pair in six hundred, a birthday by
    /// one in twenty thousand. A table of few rows can count nothing as rare as that.
    pub fn expected_by_chance(self) -> &'static [f32] {
        match self {
            Self::Given => &[0.010, 0.006, 0.009, 0.005, 0.970],
            Self::Surname | Self::FullName => &[0.0016, 0.0005, 0.0003, 0.0036, 0.994],
            Self::Date | Self::Year | Self::Month | Self::Day => {
                &[0.000_05, 0.000_45, 0.004, 0.02, 0.9755]
            }
            Self::Email => &[0.000_01, 0.000_05, 0.000_10, 0.999_84],
            Self::Phone => &[0.000_02, 0.000_10, 0.999_88],
            Self::Id => &[0.000_01, 0.000_10, 0.999_89],
            Self::House => &[0.02, 0.06, 0.92],
            Self::Postcode => &[0.001, 0.002, 0.020, 0.977],
            Self::City => &[0.040, 0.005, 0.955],
            Self::Web => &[0.0005, 0.0005, 0.999],
            Self::Region | Self::Category | Self::Ignored => &[0.35, 0.65],
            Self::Organization | Self::Street | Self::Text => {
                &[0.0005, 0.0005, 0.002, 0.010, 0.987]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_and_expectations_that_add_up() {
        for &(kind, word) in WORDS {
            assert_eq!(Kind::from_word(word), Some(kind));
            assert_eq!(kind.word(), word);
            assert_eq!(kind.levels().len(), kind.expected_in_matches().len(), "{word}");
            assert_eq!(kind.levels().len(), kind.expected_by_chance().len(), "{word}");
            for expected in [kind.expected_in_matches(), kind.expected_by_chance()] {
                let sum: f32 = expected.iter().sum();
                assert!((sum - 1.0).abs() < 1e-4, "{word}: {sum}");
            }
        }
    }
}
