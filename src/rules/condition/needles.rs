//! Words that are looked for inside a text, all of them in one pass.

use regex::{Regex, RegexBuilder};

/// Words of which one is enough; folded, and looked for in folded texts.
#[derive(Debug, Clone)]
pub(super) struct Needles {
    words: Vec<Box<str>>,
    /// All words as one pattern, which the engine turns into a search for several words at once; a single
    /// word is found faster by itself.
    all: Option<Regex>,
}

impl PartialEq for Needles {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl Needles {
    /// Returns `words`, which are folded, ready to be looked for.
    pub(super) fn new(words: Vec<Box<str>>) -> Self {
        let pattern: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
        // Should they be too many for one pattern, they are looked for one by one.
        let all = if words.len() > 1 {
            RegexBuilder::new(&pattern.join("|")).unicode(false).build().ok()
        } else {
            None
        };
        Self { words, all }
    }

    /// Returns the words.
    pub(super) fn words(&self) -> &[Box<str>] {
        &self.words
    }

    /// Returns whether one of them is in `folded`.
    pub(super) fn are_in(&self, folded: &str) -> bool {
        match &self.all {
            Some(all) => all.is_match(folded),
            None => self.words.iter().any(|word| folded.contains(&**word)),
        }
    }
}
