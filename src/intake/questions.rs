//! Answers whose question stands in the row itself: `Question 1`, `Response 1`.

use std::collections::HashMap;

use super::outline::{looks_like_email, looks_like_phone};
use super::roles::{Column, Resolver, RoleOrigin, keys_of};
use crate::model::field::{EMAIL, PHONE};
use crate::model::row::{Cell, GENERIC_CONSENT, Role};
use crate::rules::source::header_key;

/// Questions remembered with their meaning.
const QUESTIONS_MAX: usize = 1024;

/// Beginnings of folded headers of a consent's name or text,
const CONSENT_NAMES: &[&str] = &[
    "nazwa zgod",
    "rodzaj zgod",
    "typ zgod",
    "tytul zgod",
    "tresc zgod",
    "tekst zgod",
    "zgoda nazwa",
    "zgoda tresc",
    "zgoda tekst",
    "consent name",
    "consent label",
    "consent type",
    "consent title",
    "consent text",
    "consent description",
    "name der einwilligung",
    "art der einwilligung",
    "text der einwilligung",
    "einwilligungstext",
];
/// and of what was said to it.
const CONSENT_ANSWERS: &[&str] = &[
    "status zgod",
    "stan zgod",
    "wartosc zgod",
    "odpowiedz zgod",
    "zgoda status",
    "zgoda stan",
    "zgoda wartosc",
    "zgoda odpowiedz",
    "zgoda udzielona",
    "zgoda wyrazona",
    "consent value",
    "consent status",
    "consent state",
    "consent answer",
    "consent response",
    "consent given",
    "consent granted",
    "consent accepted",
    "status der einwilligung",
    "einwilligung status",
    "einwilligung wert",
    "einwilligung erteilt",
];

/// Returns the columns of a consent's name and of what was said to it, where there is one consent a row.
fn named_consents(columns: &[Column]) -> Vec<(Column, Column)> {
    let of = |beginnings: &[&str]| -> Vec<&Column> {
        let fits = |column: &&Column| {
            let header = header_key(&column.name);
            beginnings.iter().any(|beginning| header.starts_with(beginning))
        };
        columns.iter().filter(fits).collect()
    };
    let (names, answers) = (of(CONSENT_NAMES), of(CONSENT_ANSWERS));
    match (names.first(), &*answers) {
        (Some(name), [answer]) => vec![((*name).clone(), (*answer).clone())],
        _ => Vec::new(),
    }
}

/// The columns of questions and answers, and what the questions met so far ask for.
#[derive(Debug, Default)]
pub(super) struct Questions {
    /// The columns of a question and its answer.
    pairs: Vec<(Column, Column)>,
    /// The columns of a consent's name and of what was said to it.
    consents: Vec<(Column, Column)>,
    known: HashMap<String, Column>,
}

impl Questions {
    /// Finds the pairs that the preset speaks of.
    pub(super) fn find(columns: &[Column], resolver: &Resolver) -> Self {
        let answer_of = |column: &Column| {
            let mut answers =
                resolver.preset.pairs.iter().filter_map(|pair| pair.answer_to(&column.name));
            answers.find_map(|name| columns.iter().find(|other| *other.name == *name))
        };
        let pairs = columns
            .iter()
            .filter_map(|column| Some((column.clone(), answer_of(column)?.clone())))
            .collect();
        Self { pairs, consents: named_consents(columns), known: HashMap::new() }
    }

    /// Gives every answer among the cells of a row the role that its question asks for. The first one
    /// that nobody can place keeps the role of the first answer's column, the others are answers.
    pub(super) fn place(&mut self, cells: &mut [Cell], resolver: &Resolver) {
        self.place_consents(cells, resolver);
        let Some((_, first)) = self.pairs.first() else { return };
        let mut default = Some(first.role);
        for at in 0..self.pairs.len() {
            let (question, answer) = &self.pairs[at];
            let of = |column: &Column| cells.iter().position(|cell| cell.column == column.name);
            let (asked, Some(answer)) = (of(question), of(answer)) else { continue };
            let asked = asked.map(|at| cells[at].text.trim().to_owned()).unwrap_or_default();
            let column = self.column(&asked, resolver);
            let cell = &mut cells[answer];
            cell.role = match column.role {
                Role::Answer if looks_like_email(cell.text.trim()) => Role::Field(EMAIL),
                Role::Answer if looks_like_phone(cell.text.trim()) => Role::Field(PHONE),
                Role::Answer if column.origin == RoleOrigin::Nothing => {
                    default.take().unwrap_or(Role::Answer)
                }
                // A row has one time and one id of its own, which no question asks for.
                Role::SubmittedAt | Role::SubmissionId | Role::Honeypot | Role::TestMarker => {
                    Role::Answer
                }
                role => role,
            };
            if matches!(cell.role, Role::Consent(_)) {
                cell.column = column.name.clone();
            }
        }
    }

    /// Lets what was said to a consent stand below the consent's name.
    fn place_consents(&mut self, cells: &mut [Cell], resolver: &Resolver) {
        for at in 0..self.consents.len() {
            let (name, said) = &self.consents[at];
            let of = |column: &Column| cells.iter().position(|cell| cell.column == column.name);
            let (Some(name), Some(said)) = (of(name), of(said)) else { continue };
            let asked = cells[name].text.trim().to_owned();
            let column = self.column(&asked, resolver);
            cells[said].role = match column.role {
                Role::Consent(consent) => Role::Consent(consent),
                _ => Role::Consent(GENERIC_CONSENT),
            };
            cells[said].column = column.name.clone();
        }
    }

    fn column(&mut self, question: &str, resolver: &Resolver) -> Column {
        if let Some(known) = self.known.get(question) {
            return known.clone();
        }
        let column = resolver.column(&question.into(), &keys_of(question));
        if self.known.len() < QUESTIONS_MAX {
            self.known.insert(question.to_owned(), column.clone());
        }
        column
    }
}
