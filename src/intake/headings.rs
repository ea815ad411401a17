//! The header in force while a table is read: what repeats it, what replaces it, what merely decorates it.

use std::collections::HashSet;
use std::sync::Arc;

use super::outline::{looks_filled_in, looks_like_email, looks_like_phone};
use super::roles::{Column, Resolver, RoleOrigin, keys_of};
use crate::model::blank::trim;
use crate::model::field::{EMAIL, PHONE};
use crate::model::row::Role;
use crate::rules::source::header_key;

/// A cell longer than this is no header, however its text may fold.
const HEADER_BYTES_MAX: usize = 300;

const TOTALS: &[&str] = &[
    "razem",
    "suma",
    "suma koncowa",
    "lacznie",
    "ogolem",
    "total",
    "totals",
    "total leads",
    "grand total",
    "grand totals",
    "summe",
    "gesamt",
    "gesamtsumme",
];

/// What is counted behind a total.
const COUNTED: &[&str] = &[" records", " record", " rekordow", " datensatze"];

/// What survey tools write below a question that has a single answer.
const ANSWER_KINDS: &[&str] =
    &["response", "open ended response", "odpowiedz", "other please specify"];

/// The header in force, and how its columns stand to those of the file's first header.
pub(super) struct Headings {
    keys: HashSet<String>,
    /// Columns up to the last one that has a name.
    pub(super) width: usize,
    first: Vec<Arc<str>>,
    /// Where each column stands under the first header; none while that one is in force.
    order: Option<Vec<usize>>,
    /// Whether the header in force has more columns than the first one.
    is_longer: bool,
}

impl Headings {
    /// Takes `header` as the first header of a file and `columns` as what it means.
    pub(super) fn new(header: &[String], columns: &[Column]) -> Self {
        let first = columns.iter().map(|column| column.name.clone()).collect();
        let mut headings =
            Self { keys: HashSet::new(), width: 0, first, order: None, is_longer: false };
        headings.learn(header);
        headings
    }

    fn learn(&mut self, header: &[String]) {
        self.keys = header.iter().map(|text| header_key(text)).collect();
        self.keys.remove("");
        self.width = header.iter().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1);
    }

    /// Takes `header` as the one in force from here on and returns its columns: a name that was met
    /// before keeps its meaning, whatever its place.
    pub(super) fn replace(
        &mut self,
        header: &[String],
        known: &[Column],
        resolver: &Resolver,
    ) -> Vec<Column> {
        let columns: Vec<Column> = resolver
            .columns(header, &[])
            .into_iter()
            .map(|fresh| known.iter().find(|old| old.name == fresh.name).cloned().unwrap_or(fresh))
            .collect();
        self.learn(header);
        let mut behind = self.first.len();
        let order: Vec<usize> = columns
            .iter()
            .map(|column| {
                self.first.iter().position(|name| *name == column.name).unwrap_or_else(|| {
                    behind += 1;
                    behind - 1
                })
            })
            .collect();
        let is_same = order.iter().enumerate().all(|(at, place)| at == *place);
        self.is_longer = columns.len() > self.first.len();
        self.order = (!is_same).then_some(order);
        columns
    }

    /// Returns whether rows stand under the file's first header, or under one whose columns can be put into
    /// its order: it has no names that the first one has not.
    pub(super) fn is_first_or_its_order(&self) -> bool {
        self.order.as_ref().is_none_or(|order| order.iter().all(|place| *place < self.first.len()))
            && !self.is_longer
    }

    /// Returns whether rows stand under a header in another order than the file's first one.
    pub(super) fn is_another_order(&self) -> bool {
        self.order.is_some() || self.is_longer
    }

    /// Returns the cells of a whole row in the order of the first header, with cells of columns that it
    /// does not have behind them: under that header the row is shown, corrected and read again.
    pub(super) fn in_first_order(&self, cells: &[String]) -> Option<Vec<String>> {
        let order = self.order.as_ref().filter(|order| order.len() >= cells.len())?;
        let length = order.iter().map(|place| place + 1).max().unwrap_or(0).max(self.first.len());
        let mut ordered = vec![String::new(); length];
        for (cell, &place) in cells.iter().zip(order) {
            ordered[place].clone_from(cell);
        }
        Some(ordered)
    }

    /// Returns whether the row is a header: this one again, or that of another export behind it.
    pub(super) fn is_header(&self, cells: &[String], has_bom: bool, resolver: &Resolver) -> bool {
        let Some(texts) = names_only(cells) else { return false };
        let count = texts.len();
        let keys: Vec<String> = texts.iter().map(|text| header_key(text)).collect();
        let own = keys.iter().filter(|key| self.keys.contains(*key)).count();
        if own == count && own * 2 > self.keys.len() && (own >= 2 || self.keys.len() == 1) {
            return true;
        }
        let known = known_names(&texts, resolver);
        // Columns come and go between the blocks of one export, so a quarter may be new.
        let is_most = |part: usize| part >= 3 && part * 4 >= count * 3;
        is_most(own) || is_most(known) || has_bom && own.max(known) * 2 > count
    }
}

/// Returns whether the row right below the header explains its `columns`: labels to the names, or `Response`
/// below every question.
pub(super) fn is_second_header(cells: &[String], columns: &[Column], resolver: &Resolver) -> bool {
    let Some(texts) = names_only(cells) else { return false };
    let is_kind = |text: &&&str| {
        ANSWER_KINDS.contains(&header_key(text).as_str()) || text.starts_with("{\"ImportId\"")
    };
    let kinds = texts.iter().filter(is_kind).count();
    if kinds > 0 && kinds * 2 >= texts.len() {
        return true;
    }
    // Labels mean what the names above them mean; another file's header would not.
    let agree = cells.iter().zip(columns).all(|(cell, column)| {
        let keys = keys_of(cell.trim());
        !resolver.knows(&keys) || resolver.column(&column.name, &keys).role == column.role
    });
    agree && texts.len() >= 2 && known_names(&texts, resolver) * 2 > texts.len()
}

/// Returns the header with the name of its group before every column that a merged cell above it makes a
/// consent: `Zgody` over `E-mail` and `SMS` asks for a yes or no, not for an address.
///
/// `sample` are the first rows: a column of addresses or numbers is none of the group's, which in text ends
/// nowhere.
pub(super) fn under_groups(
    header: Vec<String>,
    above: &[String],
    sample: &[Vec<String>],
    resolver: &Resolver,
) -> Vec<String> {
    // One name before many blanks is the title of the sheet.
    let is_title = above.iter().skip(1).all(String::is_empty);
    if is_title {
        return header;
    }
    let is_consent = |role| matches!(role, Role::Consent(_));
    let mut group = None;
    let named = header.into_iter().enumerate().map(|(at, name)| {
        if let Some(text) = above.get(at).filter(|text| !text.is_empty()) {
            let column = resolver.column(&text.as_str().into(), &keys_of(text));
            group = Some(text).filter(|_| is_consent(column.role));
        }
        let Some(group) = group.filter(|group| !name.is_empty() && **group != name) else {
            return name;
        };
        let own = resolver.column(&name.as_str().into(), &keys_of(&name));
        let may_be_channel = [Role::Field(EMAIL), Role::Field(PHONE)].contains(&own.role)
            || own.origin == RoleOrigin::Nothing
            || is_consent(own.role);
        let is_contact = |row: &Vec<String>| {
            let cell = row.get(at).map_or("", |cell| cell.trim());
            looks_like_email(cell) || looks_like_phone(cell)
        };
        let is_of_group = may_be_channel && !sample.iter().any(is_contact);
        if is_of_group { format!("{group}: {name}") } else { name }
    });
    named.collect()
}

/// The cells that are not empty, when each of them could be a name.
fn names_only(cells: &[String]) -> Option<Vec<&str>> {
    let filled = || cells.iter().map(|cell| trim(cell)).filter(|text| !text.is_empty());
    let could_be_name = |text: &str| {
        text.len() <= HEADER_BYTES_MAX && !looks_filled_in(text) && !looks_like_phone(text)
    };
    // Almost every row fails this at one of its first cells.
    let texts: Vec<&str> =
        if filled().all(could_be_name) { filled().collect() } else { return None };
    (!texts.is_empty()).then_some(texts)
}

fn known_names(texts: &[&str], resolver: &Resolver) -> usize {
    let is_known = |text: &&&str| resolver.knows(&keys_of(text));
    texts.iter().filter(is_known).count()
}

/// Returns whether the row sums up the others: `Razem;6;;`, `Total: 12`.
pub(super) fn is_totals(cells: &[String]) -> bool {
    let mut filled = cells.iter().map(|cell| trim(cell)).filter(|cell| !cell.is_empty());
    let first = filled.next();
    if filled.clone().count() * 2 >= cells.len().max(2) {
        return false;
    }
    let first = first.map(header_key).unwrap_or_default();
    // A report of Salesforce ends with `Grand Totals (2 records)`.
    let word = COUNTED.iter().find_map(|word| first.strip_suffix(word)).unwrap_or(&first);
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ');
    TOTALS.contains(&word) && filled.all(|cell| !cell.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_no_rows() {
        let check = |row: &str, expected: bool| {
            let cells: Vec<String> = row.split(';').map(str::to_owned).collect();
            assert_eq!(is_totals(&cells), expected, "{row}");
        };
        check("Razem;6;;;;", true);
        check(";;Suma końcowa;12 500,50 zł;;", true);
        check("Total: 12;;;", true);
        check("Łącznie 25", true);
        check("Grand Totals (2 records);;;", true);
        check("Suma;Anna;anna@example.com;600123456", false);
        check("Total Fitness sp. z o.o.;;;", false);
    }
}
