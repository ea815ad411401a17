//! Wordings: the texts that people agreed to, as they were shown (`wordings/*.txt`).
//!
//! A sentence fits into the source that shows it; a clause of a page, and the information under article 13 GDPR beside
//! it, stands better in a file of its own that a lawyer can read. What is no longer shown may stay: what people agreed
//! to then is in the ledger either way.

use std::collections::BTreeMap;

use super::decode::Sink;
use super::diagnostics::{Place, RuleText};

/// The texts by the names of their files, without `.txt`.
#[derive(Debug, Clone, Default)]
pub struct Wordings(BTreeMap<String, String>);

impl Wordings {
    /// Reads `texts`: the files of the folder `wordings`.
    pub fn decode(texts: &[&RuleText], sink: &Sink) -> Self {
        let mut wordings = BTreeMap::new();
        for file in texts {
            let place = Place { file: (*file).clone(), span: 0..0 };
            let name = file.path.rsplit('/').next().unwrap_or_default();
            let Some(name) = name.strip_suffix(".txt") else {
                let hint = "name it with .txt at its end".to_owned();
                sink.error(&place, "a wording is a text, not TOML", Some(hint));
                continue;
            };
            // Editors differ in how they end lines and files; nobody agreed to that.
            let lines: Vec<&str> = file.text.lines().map(str::trim_end).collect();
            let text = lines.join("\n").trim_matches('\n').to_owned();
            if text.is_empty() {
                sink.error(&place, "nobody can agree to an empty text", None);
                continue;
            }
            wordings.insert(name.to_owned(), text);
        }
        Self(wordings)
    }

    /// Returns the text of the file called `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, text: &str) -> (Option<String>, Vec<String>) {
        let sink = Sink::default();
        let file = RuleText { path: path.into(), text: text.into() };
        let found = Wordings::decode(&[&file], &sink);
        let messages = sink.take().into_iter().map(|found| found.message).collect();
        (found.text("zgoda").map(str::to_owned), messages)
    }

    #[test]
    fn line_ends_are_no_part_of_a_text() {
        let as_one = read("rules/wordings/zgoda.txt", "Wyrażam zgodę\nna newsletter.");
        assert_eq!(as_one.0.as_deref(), Some("Wyrażam zgodę\nna newsletter."));
        assert_eq!(
            read("rules/wordings/zgoda.txt", "\nWyrażam zgodę \r\nna newsletter.\r\n"),
            as_one
        );
    }

    #[test]
    fn what_is_no_text_is_named() {
        let nothing = read("rules/wordings/zgoda.txt", " \n");
        assert_eq!(nothing, (None, vec!["nobody can agree to an empty text".to_owned()]));
        let toml = read("rules/wordings/zgoda.toml", "a = 1");
        assert_eq!(toml, (None, vec!["a wording is a text, not TOML".to_owned()]));
    }
}
