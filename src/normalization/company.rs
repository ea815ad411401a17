//! Company names, their legal forms, and Polish tax numbers.

use super::text::unguard;
use crate::rules::field::fold_header;
use crate::rules::tables::Tables;

/// Weights of the check digit of a NIP (Dz.U. 1995 nr 142 poz. 702).
const NIP_WEIGHTS: [u32; 9] = [6, 5, 7, 2, 3, 4, 5, 6, 7];

/// Returns the name with tidy blanks and quotes; quotes around the whole name go.
pub fn tidy(raw: &str) -> String {
    let text = unguard(raw);
    let straight: String =
        text.chars().map(|c| if "„”“«»‟".contains(c) { '"' } else { c }).collect();
    let inner = straight.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let bare = inner.filter(|inner| !inner.contains('"')).unwrap_or(&straight);
    bare.trim().trim_end_matches([',', ';']).trim_end().to_owned()
}

/// Returns the folded name without legal forms: what two spellings of one company share.
///
/// A name that is nothing but a legal form is returned whole.
pub fn core_name(name: &str, tables: &Tables) -> String {
    let folded = fold_header(name);
    let words: Vec<&str> = folded.split(' ').collect();
    let mut end = words.len();
    while let Some(len) = legal_form_at_end(&words[..end], tables) {
        if len == end {
            break;
        }
        end -= len;
    }
    words[..end].join(" ")
}

fn legal_form_at_end(words: &[&str], tables: &Tables) -> Option<usize> {
    let longest = tables.legal_form_words_max().min(words.len());
    (1..=longest).rev().find(|len| tables.is_legal_form(&words[words.len() - len..].join(" ")))
}

/// Returns the ten digits of a NIP when its check digit is right.
pub fn nip(raw: &str) -> Option<String> {
    let text = unguard(raw);
    let bare = text.trim_start_matches(|c: char| c.is_alphabetic() || ": ".contains(c));
    if !bare.bytes().all(|byte| byte.is_ascii_digit() || b" -.".contains(&byte)) {
        return None;
    }
    let digits: Vec<u32> = bare.chars().filter_map(|c| c.to_digit(10)).collect();
    // A spreadsheet that took it for a number may have left `.0`; ten digits are not guessed out of eleven.
    if digits.len() != 10 || digits.iter().all(|digit| *digit == digits[0]) {
        return None;
    }
    let sum: u32 = NIP_WEIGHTS.iter().zip(&digits).map(|(weight, digit)| weight * digit).sum();
    (sum % 11 == digits[9])
        .then(|| digits.iter().filter_map(|digit| char::from_digit(*digit, 10)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tables::shipped;

    #[track_caller]
    fn check_core(raw: &str, expected: &str) {
        assert_eq!(core_name(&tidy(raw), shipped()), expected, "{raw:?}");
    }

    #[test]
    fn one_company_has_one_core_name() {
        check_core("Łęcka sp. z o.o.", "lecka");
        check_core("ŁĘCKA SP. Z O. O.", "lecka");
        check_core("Łęcka Spółka z ograniczoną odpowiedzialnością", "lecka");
        check_core("Łęcka sp. z o.o. sp.k.", "lecka");
        check_core("Bau & Söhne GmbH & Co. KG", "bau sohne");
        check_core("\"Firma\" S.A.", "firma");
        check_core("Example Ltd.", "example");
        check_core("S.A.", "s a");
        check_core("", "");
    }

    #[test]
    fn quotes_around_the_whole_name_go() {
        assert_eq!(tidy("„Firma”"), "Firma");
        assert_eq!(tidy("„Firma” Sp. z o.o. "), "\"Firma\" Sp. z o.o.");
    }

    #[track_caller]
    fn check_nip(raw: &str, expected: Option<&str>) {
        assert_eq!(nip(raw).as_deref(), expected, "{raw:?}");
    }

    #[test]
    fn a_nip_needs_its_check_digit() {
        check_nip("526-000-12-46", Some("5260001246"));
        check_nip("PL 5260001246", Some("5260001246"));
        check_nip("5260001247", None);
        check_nip("0000000000", None);
        check_nip("526000124", None);
        check_nip("5260001246 lub inny", None);
    }
}
