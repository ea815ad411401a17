//! The parts of people's names, wherever the columns put them.

use super::lists::Lists;
use super::prepare::{fold, is_nothing};
use super::sheet::Sheet;

/// Where the parts of a person's name are.
pub(super) struct Names<'a> {
    sheet: &'a Sheet,
    given: Vec<usize>,
    surname: Vec<usize>,
    full: Vec<usize>,
    lists: &'a Lists,
}

impl<'a> Names<'a> {
    /// Reads names from these columns; a whole name fills in for parts that have no column or no value.
    pub(super) fn new(
        sheet: &'a Sheet,
        given: &[usize],
        surname: &[usize],
        full: &[usize],
        lists: &'a Lists,
    ) -> Self {
        Self { sheet, given: given.to_vec(), surname: surname.to_vec(), full: full.to_vec(), lists }
    }

    /// Returns the folded given names of `row`.
    pub(super) fn given(&self, row: usize) -> Option<String> {
        self.joined(&self.given, row).or_else(|| self.split(row).0)
    }

    /// Returns the folded surname of `row`.
    pub(super) fn surname(&self, row: usize) -> Option<String> {
        self.joined(&self.surname, row).or_else(|| self.split(row).1)
    }

    fn joined(&self, columns: &[usize], row: usize) -> Option<String> {
        let mut name = String::new();
        for at in columns {
            let part = fold(self.sheet.columns[*at].text(row));
            let part = self.lists.without_honorific(&part);
            if !is_nothing(part) {
                if !name.is_empty() {
                    name.push(' ');
                }
                name.push_str(part);
            }
        }
        (!name.is_empty()).then_some(name)
    }

    fn split(&self, row: usize) -> (Option<String>, Option<String>) {
        let texts = self.full.iter().map(|at| self.sheet.columns[*at].text(row));
        texts
            .filter(|text| !text.is_empty())
            .map(|text| split(text, self.lists))
            .next()
            .unwrap_or_default()
    }
}

/// Splits a whole name into given name and surname, both folded.
///
/// `Last, First` is read as it says; else the last word is the surname, unless it is a known given name and
/// the first word is none (`KOWALSKI Jan`). A single word is a surname.
pub(super) fn split(text: &str, lists: &Lists) -> (Option<String>, Option<String>) {
    if let Some((last, first)) = text.split_once(',') {
        let (last, first) = (fold(last), fold(first));
        if !first.is_empty() && !last.is_empty() {
            return (Some(first), Some(last));
        }
    }
    let name = fold(text);
    let name = lists.without_honorific(&name);
    if is_nothing(name) {
        return (None, None);
    }
    let Some((front, last)) = name.rsplit_once(' ') else { return (None, Some(name.to_owned())) };
    let first = front.split(' ').next().unwrap_or(front);
    if lists.is_given_name(last) && !lists.is_given_name(first) {
        return (Some(last.to_owned()), Some(front.to_owned()));
    }
    (Some(front.to_owned()), Some(last.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_are_split_in_any_usual_order() {
        let given = ["jan", "anna", "maria"];
        let lists = Lists::new([], given, ["dr", "pani"], [], [], []);
        let check = |text: &str, expected: (&str, &str)| {
            let (given, surname) = split(text, &lists);
            let found = (given.unwrap_or_default(), surname.unwrap_or_default());
            assert_eq!((found.0.as_str(), found.1.as_str()), expected, "{text}");
        };
        check("Jan Kowalski", ("jan", "kowalski"));
        check("KOWALSKI Jan", ("jan", "kowalski"));
        check("Kowalski, Jan", ("jan", "kowalski"));
        check("Dr Anna Maria Żółć", ("anna maria", "zolc"));
        check("Olgierd Wron", ("olgierd", "wron"));
        check("Kowalski", ("", "kowalski"));
        check("brak", ("", ""));
    }
}
