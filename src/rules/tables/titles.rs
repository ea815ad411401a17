//! Job titles: which words of `seniority.toml` and `departments.toml` stand in them.

use super::Table;
use crate::rules::field::fold_header;

/// The keys of `seniority.toml` in the order they are asked, with the word each one gives.
const SENIORITIES: &[(&str, &str)] = &[
    ("assistants", "specialist"),
    ("owner", "owner"),
    ("c-level", "c-level"),
    ("director", "director"),
    ("manager", "manager"),
    ("specialist", "specialist"),
];

/// The departments that `departments.toml` gives words for.
pub const DEPARTMENTS: &[&str] = &[
    "management",
    "sales",
    "marketing",
    "it",
    "finance",
    "hr",
    "purchasing",
    "operations",
    "logistics",
    "production",
    "legal",
    "support",
];

/// What job titles say, by the words of the tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Titles {
    seniority: Vec<(&'static str, Vec<Phrase>)>,
    departments: Vec<(&'static str, Vec<Phrase>)>,
}

impl Titles {
    pub(super) fn read_seniority(&mut self, root: &Table<'_>) {
        self.seniority =
            SENIORITIES.iter().map(|(key, word)| (*word, phrases(root, key))).collect();
    }

    pub(super) fn read_departments(&mut self, root: &Table<'_>) {
        self.departments = DEPARTMENTS.iter().map(|word| (*word, phrases(root, word))).collect();
    }

    /// Returns the seniority word of a folded job title; whole words are asked before parts of words, and a
    /// phrase inside a longer one does not count: a vice president is no president.
    pub fn seniority(&self, title: &str) -> Option<&'static str> {
        let whole = |phrase: &&Phrase| !phrase.is_part();
        let mut found: Vec<(usize, usize, usize)> = Vec::new();
        for (rank, (_, phrases)) in self.seniority.iter().enumerate() {
            for phrase in phrases.iter().filter(whole) {
                if let Some(at) = phrase.stands_in(title) {
                    found.push((at, at + phrase.words.len(), rank));
                }
            }
        }
        let is_inside = |(start, end, _): &(usize, usize, usize)| {
            found.iter().any(|(from, to, _)| from <= start && end <= to && to - from > end - start)
        };
        let best = found.iter().filter(|it| !is_inside(it)).map(|(_, _, rank)| *rank).min();
        let in_part = || {
            self.seniority.iter().position(|(_, phrases)| {
                phrases.iter().any(|phrase| phrase.is_part() && phrase.stands_in(title).is_some())
            })
        };
        best.or_else(in_part).map(|rank| self.seniority[rank].0)
    }

    /// Returns the department that a folded job title names first.
    pub fn department(&self, title: &str) -> Option<&'static str> {
        self.departments
            .iter()
            .enumerate()
            .flat_map(|(rank, (word, phrases))| {
                phrases.iter().filter_map(move |phrase| {
                    let at = phrase.stands_in(title)?;
                    Some(((at, std::cmp::Reverse(phrase.words.len()), rank), *word))
                })
            })
            .min()
            .map(|(_, word)| word)
    }
}

/// Folded words to look for in a title; `sprzedaz*` is the beginning of a word, `*leiter` its end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Phrase {
    words: String,
    is_beginning: bool,
    is_end: bool,
}

impl Phrase {
    fn read(text: &str) -> Self {
        Self {
            words: fold_header(text),
            is_beginning: text.ends_with('*'),
            is_end: text.starts_with('*'),
        }
    }

    fn is_part(&self) -> bool {
        self.is_beginning || self.is_end
    }

    /// Returns where the phrase begins in the folded `text`.
    fn stands_in(&self, text: &str) -> Option<usize> {
        let bytes = text.as_bytes();
        text.match_indices(&self.words).map(|(start, found)| (start, start + found.len())).find_map(
            |(start, end)| {
                let begins = self.is_end || start == 0 || bytes[start - 1] == b' ';
                let ends = self.is_beginning || end == text.len() || bytes[end] == b' ';
                (begins && ends).then_some(start)
            },
        )
    }
}

fn phrases(root: &Table<'_>, key: &str) -> Vec<Phrase> {
    root.strings(key)
        .iter()
        .map(|text| Phrase::read(text))
        .filter(|phrase| !phrase.words.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tables::shipped;

    #[track_caller]
    fn check_seniority(title: &str, expected: Option<&str>) {
        assert_eq!(shipped().titles().seniority(&fold_header(title)), expected, "{title}");
    }

    #[test]
    fn seniority_is_read_from_whole_words() {
        check_seniority("Prezes Zarządu", Some("c-level"));
        check_seniority("Właścicielka", Some("owner"));
        check_seniority("Geschäftsführer", Some("c-level"));
        check_seniority("Head of Marketing", Some("director"));
        check_seniority("Asystentka Prezesa", Some("specialist"));
        check_seniority("Kierownik działu", Some("manager"));
        check_seniority("Leadership coach", None);
        check_seniority("Product Owner", Some("specialist"));
        check_seniority("Właściciel domu", Some("specialist"));
        check_seniority("HR Business Partner", Some("specialist"));
        check_seniority("Były prezes", Some("specialist"));
        check_seniority("Managing Partner", Some("owner"));
        check_seniority("Vice President, Marketing", Some("director"));
        check_seniority("President", Some("c-level"));
        check_seniority("Lead Generation Specialist", Some("specialist"));
        check_seniority("Tech Lead", Some("manager"));
        check_seniority("C.E.O.", Some("c-level"));
        check_seniority("Dyr. ds. sprzedaży", Some("director"));
        check_seniority("Kier. produkcji", Some("manager"));
        check_seniority("gł. księgowa", Some("director"));
        check_seniority("Managerka", Some("manager"));
        check_seniority("Dyrektorka", Some("director"));
        check_seniority("Wiceprezeska", Some("c-level"));
        check_seniority("Właściciel produktu", Some("specialist"));
        check_seniority("były dyrektor", Some("specialist"));
        check_seniority("żona prezesa", Some("specialist"));
        check_seniority("własna działalność", Some("owner"));
        check_seniority("Vorstandsvorsitzende", Some("c-level"));
        check_seniority("Freiberuflerin", Some("owner"));
        check_seniority("Zarządca nieruchomości", Some("manager"));
        check_seniority("Prawniczka", Some("specialist"));
        check_seniority("CEO", Some("c-level"));
        check_seniority("Z-ca Dyrektora", Some("director"));
        check_seniority("Vertriebsleiterin", Some("director"));
        check_seniority("Teamleiter", Some("manager"));
        check_seniority("Asystent dyrektora", Some("specialist"));
        check_seniority("Kierowniczka Działu", Some("manager"));
        check_seniority("Starszy specjalista ds. zakupów", Some("specialist"));
    }

    #[track_caller]
    fn check_department(title: &str, expected: Option<&str>) {
        assert_eq!(shipped().titles().department(&fold_header(title)), expected, "{title}");
    }

    #[test]
    fn the_department_named_first_decides() {
        check_department("Dyrektor sprzedaży i marketingu", Some("sales"));
        check_department("Marketing & Sales Director", Some("marketing"));
        check_department("Head of Sales", Some("sales"));
        check_department("CFO", Some("finance"));
        check_department("Główna księgowa", Some("finance"));
        check_department("IT-Leiter", Some("it"));
        check_department("Vertriebsleiter DACH", Some("sales"));
        check_department("Specjalista ds. zakupów", Some("purchasing"));
        check_department("Kierownik magazynu", Some("logistics"));
        check_department("HR Business Partner", Some("hr"));
        check_department("Prezes Zarządu", Some("management"));
        check_department("Geschäftsführerin", Some("management"));
        check_department("Kierownik produkcji", Some("production"));
        check_department("Radca prawny", Some("legal"));
        check_department("Specjalista ds. obsługi klienta", Some("support"));
        check_department("Personalleiter", Some("hr"));
        check_department("Kierownik ds. zarządzania jakością", Some("production"));
        check_department("Zarządca nieruchomości", None);
        check_department("Członek zarządu", Some("management"));
        check_department("Kierownik", None);
        check_department("Leadership coach", None);
    }
}
