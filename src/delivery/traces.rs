//! What names a person in a text: ids, addresses, numbers, their name.

use std::collections::HashSet;

use aho_corasick::AhoCorasick;
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::rewrite::{disguise_of_id, disguises_of_email, disguises_of_phone};

/// Digits at the end of a telephone number by which it is found however it was dialled: with the country's code,
/// with a trunk zero, or with neither.
const TELLING_DIGITS: usize = 8;

/// Signs that people put between the digits of a number.
const BETWEEN_DIGITS: [char; 7] = [' ', '-', '(', ')', '.', '/', '\u{a0}'];

/// What names a person. Whatever somebody else bears, too, is left out by whoever collects it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traces {
    /// Ids that were given out for them.
    pub ids: Vec<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Telephone numbers in E.164.
    pub phones: Vec<String>,
    /// Names of at least two words.
    pub names: Vec<String>,
    /// Whatever else nobody but them has said: while rows of theirs were in somebody else's lead, files show that
    /// there.
    pub words: Vec<String>,
}

/// Finds traces in texts.
#[derive(Debug)]
pub struct Finder {
    words: Option<AhoCorasick>,
    /// The last digits of each number.
    digits: HashSet<Vec<u8>>,
}

impl Traces {
    /// Returns whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
            && self.emails.is_empty()
            && self.phones.is_empty()
            && self.names.is_empty()
            && self.words.is_empty()
    }

    /// Puts everything in order, each thing once.
    pub fn tidy(&mut self) {
        let Self { ids, emails, phones, names, words } = self;
        for list in [ids, emails, phones, names, words] {
            list.sort();
            list.dedup();
        }
    }

    /// Prepares to look for them.
    pub fn finder(&self) -> Result<Finder> {
        let Self { ids, emails, phones, names, words } = self;
        let words = ids.iter().chain(emails).chain(names).chain(words).cloned();
        // What CRMs and ad networks are given names people by hashes and ids of other forms.
        let words = words
            .chain(ids.iter().map(|id| disguise_of_id(id)))
            .chain(emails.iter().flat_map(|email| disguises_of_email(email)))
            .chain(phones.iter().flat_map(|phone| disguises_of_phone(phone)));
        // The letters of a name fold together with those of the text: `ŻAK` is `żak`.
        let words: Vec<String> = words.map(|word| word.to_lowercase()).collect();
        let digits = phones.iter().map(|phone| {
            let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
            digits.as_bytes()[digits.len().saturating_sub(TELLING_DIGITS)..].to_vec()
        });
        let words = (!words.is_empty()).then(|| AhoCorasick::new(&words)).transpose();
        Ok(Finder {
            words: words.context("cannot prepare to look for a person's traces")?,
            digits: digits.filter(|digits| digits.len() == TELLING_DIGITS).collect(),
        })
    }
}

impl Finder {
    /// Returns whether `text` names the person.
    pub fn finds_in(&self, text: &str) -> bool {
        let by_word =
            || self.words.as_ref().is_some_and(|words| words.is_match(&text.to_lowercase()));
        self.finds_number_in(text) || by_word()
    }

    fn finds_number_in(&self, text: &str) -> bool {
        if self.digits.is_empty() {
            return false;
        }
        let mut run = Vec::new();
        for c in text.chars().chain(['\n']) {
            if c.is_ascii_digit() {
                run.push(c as u8);
            } else if !BETWEEN_DIGITS.contains(&c) {
                if run.windows(TELLING_DIGITS).any(|digits| self.digits.contains(digits)) {
                    return true;
                }
                run.clear();
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::rewrite::{rewrite, sha256};
    use crate::model::field;
    use crate::rules::decode::Sink;
    use crate::rules::diagnostics::RuleText;
    use crate::rules::embedded;
    use crate::rules::field::FieldCatalog;
    use crate::rules::target::{ColumnValue, Derived, TargetCatalog};

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let traces = Traces {
            ids: vec!["LM-0123456789AB".to_owned()],
            emails: vec!["anna.zak@przyklad.pl".to_owned()],
            phones: vec!["+48600123456".to_owned(), "+493023125338".to_owned()],
            names: vec!["Anna Żak".to_owned()],
            words: vec!["Ile kosztuje wdrożenie".to_owned()],
        };
        assert_eq!(traces.finder().unwrap().finds_in(text), expected, "{text:?}");
    }

    #[test]
    fn a_person_is_found_however_they_are_written() {
        for text in [
            "LM-0123456789AB/hot/call",
            "Anna.ZAK@przyklad.pl",
            "ANNA ŻAK, dyrektor",
            "\"Pytam: ile kosztuje wdrożenie?\"",
            "+48600123456",
            "600 123 456",
            "(0048) 600-123-456",
            "tel. 030 / 23 12 53 38",
        ] {
            check(text, true);
        }
    }

    /// A target that hashes an address or a number, or writes an id in another form, must not hide anybody.
    #[test]
    fn whatever_shipped_targets_make_of_somebody_names_them() {
        let traces = Traces {
            ids: vec!["LM-0123456789AB".to_owned()],
            emails: vec!["Anna.Zak@gmail.com".to_owned()],
            phones: vec!["+48600123456".to_owned()],
            ..Traces::default()
        };
        let finder = traces.finder().unwrap();
        let texts: Vec<RuleText> = embedded::texts()
            .into_iter()
            .filter(|text| text.path.starts_with("rules/targets/"))
            .collect();
        let sink = Sink::default();
        let targets = TargetCatalog::decode(&texts, &FieldCatalog::decode(None), &sink);
        let mut hidden = 0;
        for column in targets.iter().flat_map(|target| &target.columns) {
            let plain = match column.from.first() {
                Some(ColumnValue::Field(field::EMAIL)) => &traces.emails[0],
                Some(ColumnValue::Field(field::PHONE)) => &traces.phones[0],
                Some(ColumnValue::Derived(Derived::LeadId)) => &traces.ids[0],
                _ => continue,
            };
            let mut text = plain.clone();
            if let Some(how) = column.rewrite {
                text = rewrite(&text, how);
            }
            if column.is_hashed {
                text = sha256(&text).into_owned();
            }
            hidden += u32::from(text != *plain);
            assert!(finder.finds_in(&text), "{}: {text}", column.header);
        }
        assert!(hidden > 4, "only {hidden} columns write somebody in another form");
    }

    #[test]
    fn others_are_not() {
        for text in ["", "LM-0123456789AC", "ona@przyklad.pl", "Anna Żuk", "600123457", "60012345"]
        {
            check(text, false);
        }
        assert!(!Traces::default().finder().unwrap().finds_in("Anna Żak +48600123456"));
    }
}
