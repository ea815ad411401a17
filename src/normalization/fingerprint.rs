//! What makes two received rows the same submission.

use sha2::{Digest as _, Sha256};

use super::text::unguard;
use crate::model::ids::Fingerprint;
use crate::model::row::{Cell, Role};

/// Separates parts of what is hashed; no decoded text holds it.
const UNIT: &[u8] = b"\x1f";

/// Returns the fingerprint of the row with `cells` from `source_id`.
///
/// The source's own id decides where there is one; `by_content`, or without an id, the non-empty cells
/// decide, whatever their order, except those that change between two exports of one submission.
pub fn fingerprint(source_id: &str, cells: &[Cell], by_content: bool) -> Fingerprint {
    let mut hash = Sha256::new();
    hash.update(source_id);
    hash.update(UNIT);
    if let Some(id) = native_id(cells).filter(|_| !by_content) {
        hash.update("id");
        hash.update(UNIT);
        hash.update(id);
    } else {
        let mut contents: Vec<(&str, &str)> = cells
            .iter()
            .filter(|cell| !matches!(cell.role, Role::Volatile | Role::ModifiedAt))
            .map(|cell| (&*cell.column, cell.text.trim()))
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
        .find(|id| id.chars().any(char::is_alphanumeric) && !is_rounded(id))
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

    fn of(cells: &[(&str, Role, &str)], by_content: bool) -> Fingerprint {
        let cells: Vec<Cell> = cells
            .iter()
            .map(|(column, role, text)| Cell {
                column: (*column).into(),
                role: *role,
                text: (*text).into(),
            })
            .collect();
        fingerprint("meta", &cells, by_content)
    }

    #[test]
    fn an_id_outweighs_the_rest_of_the_row() {
        let one = [("id", Role::SubmissionId, "42"), ("city", Role::Answer, "Kraków")];
        let other = [("id", Role::SubmissionId, "'42"), ("city", Role::Answer, "Łódź")];
        assert_eq!(of(&one, false), of(&other, false));
        assert_ne!(of(&one, true), of(&other, true));
    }

    #[test]
    fn without_an_id_order_blanks_and_volatile_cells_do_not_matter() {
        let one =
            [("a", Role::Answer, "1"), ("b", Role::Answer, "2"), ("s", Role::Volatile, "new")];
        let other = [("b", Role::Answer, "2 "), ("c", Role::Answer, " "), ("a", Role::Answer, "1")];
        assert_eq!(of(&one, false), of(&other, false));
        let shifted = [("a", Role::Answer, "12"), ("b", Role::Answer, "")];
        assert_ne!(of(&one, false), of(&shifted, false));
    }

    #[test]
    fn a_rounded_id_does_not_join_two_rows() {
        let one = [("id", Role::SubmissionId, "1,80988E+18"), ("a", Role::Answer, "1")];
        let other = [("id", Role::SubmissionId, "1,80988E+18"), ("a", Role::Answer, "2")];
        assert_ne!(of(&one, false), of(&other, false));
    }
}
