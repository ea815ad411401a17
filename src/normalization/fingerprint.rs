//! What makes two received rows the same submission.

use sha2::{Digest as _, Sha256};

use super::text::unguard;
use crate::model::blank::trim;
use crate::model::ids::Fingerprint;
use crate::model::row::{Cell, Role};

/// Separates parts of what is hashed; no decoded text holds it.
const UNIT: &[u8] = b"\x1f";

/// Shortest id that is taken to be unique whatever its source says: UUIDs, tokens, hashes.
const UNIQUE_ID_CHARS_MIN: usize = 16;

/// What tells the submissions of a source apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToldApart {
    /// Their id.
    ById,
    /// Their id and the time, since every form counts from 1.
    ByIdAndTime,
    /// What is in them.
    ByContent,
}

/// Returns the fingerprint of the row with `cells` from `source_id`.
///
/// Where the id does not decide, or there is none, the non-empty cells do, whatever their order, except
/// those that change between two exports of one submission.
pub fn fingerprint(source_id: &str, cells: &[Cell], told_apart: ToldApart) -> Fingerprint {
    let mut hash = Sha256::new();
    hash.update(source_id);
    hash.update(UNIT);
    let id = native_id(cells).filter(|_| told_apart != ToldApart::ByContent);
    let time =
        cells.iter().find(|cell| cell.role == Role::SubmittedAt).map(|cell| trim(&cell.text));
    let is_unique = |id: &String| {
        told_apart == ToldApart::ById
            || id.chars().filter(|c| c.is_alphanumeric()).count() >= UNIQUE_ID_CHARS_MIN
    };
    if let Some(id) = id.as_ref().filter(|id| is_unique(id)) {
        hash.update("id");
        hash.update(UNIT);
        hash.update(id);
    } else if let (Some(id), Some(time)) = (&id, time) {
        hash.update("id and time");
        hash.update(UNIT);
        hash.update(id);
        hash.update(UNIT);
        hash.update(time);
    } else {
        let mut contents: Vec<(&str, &str)> = cells
            .iter()
            .filter(|cell| !matches!(cell.role, Role::Volatile | Role::ModifiedAt))
            .map(|cell| (&*cell.column, trim(&cell.text)))
            .filter(|(_, text)| !text.is_empty())
            .collect();
        contents.sort_unstable();
        for (column, text) in contents {
            hash.update(column);
            hash.update(UNIT);
            hash.update(text);
            hash.update(UNIT);
        }
    }
    let mut first = [0_u8; 16];
    first.copy_from_slice(&hash.finalize()[..16]);
    Fingerprint(first)
}

/// Returns the source's own id of the row; one that a spreadsheet rounded is none, because many rows
/// would share it.
pub(super) fn native_id(cells: &[Cell]) -> Option<String> {
    cells
        .iter()
        .filter(|cell| cell.role == Role::SubmissionId)
        .map(|cell| unguard(&cell.text).into_owned())
        .find(|id| id.chars().any(char::is_alphanumeric) && !is_rounded(id) && !is_cut(id))
}

/// Returns whether `id` may have been through a spreadsheet, which keeps 15 digits of a number and puts zeros
/// for the rest. An id that ends so by itself loses nothing: its row is told by its content.
fn is_cut(id: &str) -> bool {
    id.len() > 15
        && id.bytes().all(|byte| byte.is_ascii_digit())
        && id.as_bytes()[15..].iter().all(|byte| *byte == b'0')
}

/// Returns whether `id` looks like `1,80988E+18`.
pub(super) fn is_rounded(id: &str) -> bool {
    id.split_once(['E', 'e']).is_some_and(|(mantissa, exponent)| {
        mantissa.contains(['.', ','])
            && mantissa.bytes().all(|byte| byte.is_ascii_digit() || b".,".contains(&byte))
            && exponent.starts_with('+')
            && exponent[1..].bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    use ToldApart::{ByContent, ById, ByIdAndTime};

    fn of(cells: &[(&str, Role, &str)], told_apart: ToldApart) -> Fingerprint {
        let cells: Vec<Cell> = cells
            .iter()
            .map(|(column, role, text)| Cell {
                column: (*column).into(),
                role: *role,
                text: (*text).into(),
            })
            .collect();
        fingerprint("meta", &cells, told_apart)
    }

    #[test]
    fn an_id_that_a_spreadsheet_cut_tells_nobody_apart() {
        let row =
            |id, name| of(&[("id", Role::SubmissionId, id), ("name", Role::FullName, name)], ById);
        assert_ne!(row("5912350000000000000", "Iza Lis"), row("5912350000000000000", "Ewa Kot"));
        assert_ne!(row("1234567890123450", "Iza Lis"), row("1234567890123450", "Ewa Kot"));
        assert_eq!(row("1234567890123450", "Iza Lis"), row("1234567890123450", "Iza Lis"));
        assert_eq!(row("591235000000000", "Iza Lis"), row("591235000000000", "Ewa Kot"));
    }

    #[test]
    fn an_id_outweighs_the_rest_of_the_row() {
        let one = [("id", Role::SubmissionId, "42"), ("city", Role::Answer, "Kraków")];
        let other = [("id", Role::SubmissionId, "'42"), ("city", Role::Answer, "Łódź")];
        assert_eq!(of(&one, ById), of(&other, ById));
        assert_ne!(of(&one, ByContent), of(&other, ByContent));
    }

    #[test]
    fn without_an_id_order_blanks_and_volatile_cells_do_not_matter() {
        let one =
            [("a", Role::Answer, "1"), ("b", Role::Answer, "2"), ("s", Role::Volatile, "new")];
        let other = [("b", Role::Answer, "2 "), ("c", Role::Answer, " "), ("a", Role::Answer, "1")];
        assert_eq!(of(&one, ById), of(&other, ById));
        let shifted = [("a", Role::Answer, "12"), ("b", Role::Answer, "")];
        assert_ne!(of(&one, ById), of(&shifted, ById));
    }

    #[test]
    fn a_rounded_id_does_not_join_two_rows() {
        let one = [("id", Role::SubmissionId, "1,80988E+18"), ("a", Role::Answer, "1")];
        let other = [("id", Role::SubmissionId, "1,80988E+18"), ("a", Role::Answer, "2")];
        assert_ne!(of(&one, ById), of(&other, ById));
    }

    #[test]
    fn two_forms_that_count_from_one_are_not_taken_for_each_other() {
        let row = |id, at| {
            [
                ("ID", Role::SubmissionId, id),
                ("Start", Role::SubmittedAt, at),
                ("a", Role::Answer, "x"),
            ]
        };
        let edited = |id, at| {
            [
                ("ID", Role::SubmissionId, id),
                ("Start", Role::SubmittedAt, at),
                ("a", Role::Answer, "y"),
            ]
        };
        let (monday, tuesday) = ("12.09.2025 15:05", "13.09.2025 08:00");
        assert_ne!(of(&row("1", monday), ByIdAndTime), of(&row("1", tuesday), ByIdAndTime));
        assert_eq!(of(&row("1", monday), ByIdAndTime), of(&edited("1", monday), ByIdAndTime));
        let unique = "00000000-0000-4000-8000-000000000001";
        assert_eq!(of(&row(unique, monday), ByIdAndTime), of(&row(unique, tuesday), ByIdAndTime));
        // Without a time the content has to tell them apart.
        let bare = |text| [("ID", Role::SubmissionId, "1"), ("a", Role::Answer, text)];
        assert_ne!(of(&bare("x"), ByIdAndTime), of(&bare("y"), ByIdAndTime));
    }
}
