//! Languages in which people read pages.

/// A language of the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Polish.
    Polish,
}

impl Language {
    /// Each with its tag (BCP 47), in order.
    pub const ALL: &[(&str, Language)] = &[("en", Self::English), ("pl", Self::Polish)];

    /// Returns the tag.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Returns what goes by this tag.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, language)| *language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_stand_where_their_meaning_says() {
        for (word, language) in Language::ALL {
            assert_eq!((language.word(), Language::of(word)), (*word, Some(*language)));
        }
        assert_eq!(Language::of("de"), None);
    }
}
