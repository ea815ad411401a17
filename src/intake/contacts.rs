//! Finds the address and the number to answer to where no name of a column gives them away.

use super::outline::{looks_like_email, looks_like_phone, marked_phone};
use super::roles::{Column, RoleOrigin};
use crate::model::field::{EMAIL, PHONE};
use crate::model::row::{Cell, Role};
use crate::rules::source::header_key;

/// Returns whether a column holds what somebody can be answered by.
pub(super) fn is_contact(column: &Column) -> bool {
    column.role == Role::Field(EMAIL) || column.role == Role::Field(PHONE)
}

/// Stems of words by which a question asks for a phone number.
const PHONE_STEMS: &[&str] =
    &["telefon", "phone", "komork", "mobil", "dzwon", "whatsapp", "handy", "rufnummer", "nr tel"];

/// Stems of words by which a header speaks of somebody other than whoever fills the form in.
const OTHERS_STEMS: &[&str] = &[
    "polec",
    "znajom",
    "koleg",
    "kolez",
    "awaryjn",
    "malzon",
    "friend",
    "referr",
    "referee",
    "recommend",
    "emergency",
    "spouse",
    "empfehl",
    "empfohl",
    "freund",
    "bekannt",
    "notfall",
    "parrain",
    "recomend",
    "conyuge",
];

fn asks_for_phone(header: &str) -> bool {
    let key = header_key(header);
    PHONE_STEMS.iter().any(|stem| key.contains(stem))
}

pub(super) fn asks_for_another(header: &str) -> bool {
    let key = header_key(header);
    OTHERS_STEMS.iter().any(|stem| key.contains(stem))
}

/// Fewest digits of something in a phone column that may be dialled.
const DIALLED_DIGITS_MIN: usize = 7;

/// Takes the contact of a row that names none from an answer that evidently is one: `+48501234567` below
/// `Where can we reach you?`. `is_unknown` says of which cells the column's name means nothing.
///
/// A number stands in wherever the row has none, an address only where the row could not be answered at all: in
/// a question it is more often somebody else's.
pub(super) fn rescue_contact(cells: &mut [Cell], is_unknown: impl Fn(usize, &Cell) -> bool) {
    let mut has_email = false;
    let mut has_phone = false;
    for cell in cells.iter() {
        match cell.role {
            Role::Field(EMAIL) | Role::AccountEmail => has_email |= cell.text.contains('@'),
            Role::Field(PHONE) => {
                let digits = cell.text.bytes().filter(u8::is_ascii_digit).count();
                has_phone |= digits >= DIALLED_DIGITS_MIN;
            }
            _ => {}
        }
    }
    if has_phone {
        return;
    }
    let is_number = |cell: &Cell| {
        let text = cell.text.trim();
        looks_like_phone(text) && (text.starts_with('+') || asks_for_phone(&cell.column))
    };
    let is_address = |cell: &Cell| !has_email && looks_like_email(cell.text.trim());
    let (mut email, mut phone) = (None, None);
    for (at, cell) in cells.iter().enumerate() {
        let may_be_theirs = |cell: &Cell| {
            let could_be = cell.role == Role::Answer && is_unknown(at, cell);
            (could_be || cell.role == Role::FullName) && !asks_for_another(&cell.column)
        };
        if email.is_none() && is_address(cell) && may_be_theirs(cell) {
            email = Some(at);
        } else if phone.is_none() && is_number(cell) && may_be_theirs(cell) {
            phone = Some(at);
        }
    }
    for (at, field) in [(email, EMAIL), (phone, PHONE)] {
        if let Some(cell) = at.and_then(|at| cells.get_mut(at)) {
            cell.role = Role::Field(field);
        }
    }
}

/// Finds the e-mail and the phone column by what is in them when no header gives them away.
pub(super) fn by_their_values(columns: &mut [Column], sample: &[Vec<String>]) {
    for (field, is_one) in
        [(EMAIL, looks_like_email as fn(&str) -> bool), (PHONE, looks_like_phone)]
    {
        let role = Role::Field(field);
        // A column that is named right but empty does not count: a form may ask for the address in a
        // question of its own (Microsoft Forms, Calendly) beside the system's blank one.
        let has_role = |column: &Column| {
            column.role == role || field == EMAIL && column.role == Role::AccountEmail
        };
        let is_known = columns
            .iter()
            .enumerate()
            .any(|(at, column)| has_role(column) && values(sample, at).any(is_one));
        if is_known {
            continue;
        }
        let has_email = columns
            .iter()
            .any(|column| [Role::Field(EMAIL), Role::AccountEmail].contains(&column.role));
        let found = columns.iter().enumerate().find(|(at, column)| {
            let total = values(sample, *at).count();
            let good = values(sample, *at).filter(|value| is_one(value)).count();
            // Bare digits are as often an id or an amount, so they count only where no e-mail does.
            let is_whole = |value: &str| value.starts_with('+') || marked_phone(value).is_some();
            let is_sure = field == EMAIL
                || !has_email
                || asks_for_phone(&column.name)
                || values(sample, *at).all(is_whole);
            column.origin == RoleOrigin::Nothing
                && good > 0
                && good * 10 >= total * 6
                && is_sure
                && !asks_for_another(&column.name)
        });
        if let Some((at, _)) = found {
            columns[at].role = role;
            columns[at].origin = RoleOrigin::Values;
        }
    }
}

fn values(sample: &[Vec<String>], at: usize) -> impl Iterator<Item = &str> {
    sample
        .iter()
        .filter_map(move |row| row.get(at))
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_without_contact_takes_it_from_an_evident_answer() {
        let check = |cells: &[(&str, Role, &str)], expected: &[Role]| {
            let cell = |(column, role, text): &(&str, Role, &str)| Cell {
                column: (*column).into(),
                role: *role,
                text: (*text).to_owned(),
            };
            let mut read: Vec<Cell> = cells.iter().map(cell).collect();
            rescue_contact(&mut read, |_, cell| *cell.column != *"known");
            let found: Vec<Role> = read.iter().map(|cell| cell.role).collect();
            assert_eq!(found, expected, "{cells:?}");
        };
        let (answer, email, phone) = (Role::Answer, Role::Field(EMAIL), Role::Field(PHONE));
        check(&[("reply to", answer, "a@example.com")], &[email]);
        check(&[("Kontakt", Role::FullName, "a@example.com")], &[email]);
        check(&[("ring me", answer, "+48 501 234 567")], &[phone]);
        check(&[("numer komórki do pracy", answer, "501234567")], &[phone]);
        check(&[("order", answer, "501234567")], &[answer]);
        check(
            &[("e-mail", email, "a@example.com"), ("ring", answer, "+48501234567")],
            &[email, phone],
        );
        check(
            &[("e-mail", email, "a@example.com"), ("chef", answer, "b@example.com")],
            &[email, answer],
        );
        check(&[("tel", phone, "501234567"), ("chef", answer, "b@example.com")], &[phone, answer]);
        check(&[("known", answer, "a@example.com")], &[answer]);
        check(&[("e-mail osoby polecającej", answer, "a@example.com")], &[answer]);
        check(&[("tel", phone, "brak"), ("ring", answer, "+48501234567")], &[phone, phone]);
    }
}
