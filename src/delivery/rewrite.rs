//! How each network wants contacts spelled before it compares their hashes.
//!
//! Two networks hash the same address to different values, because one drops the dots of Gmail and the other keeps
//! them. So a rewritten value is for its network alone and never goes back into a lead.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use crate::model::ids::hex;
use crate::rules::target::Rewrite;

/// Domains at which Google ignores dots before the `@`.
const GMAIL: &[&str] = &["gmail.com", "googlemail.com"];

/// Returns `text` the way `rewrite` wants it; empty where nothing is left of it.
pub(super) fn rewrite(text: &str, rewrite: Rewrite) -> String {
    let lower = text.trim().to_lowercase();
    match rewrite {
        Rewrite::Lower | Rewrite::MetaEmail => lower,
        Rewrite::GoogleEmail => match lower.rsplit_once('@') {
            Some((local, domain)) if GMAIL.contains(&domain) => {
                format!("{}@{domain}", local.replace('.', ""))
            }
            _ => lower,
        },
        Rewrite::Digits => {
            let digits: String = lower.chars().filter(char::is_ascii_digit).collect();
            digits.trim_start_matches('0').to_owned()
        }
        Rewrite::Bare => lower.chars().filter(|c| c.is_alphanumeric()).collect(),
        Rewrite::Uuid => uuid(text),
    }
}

/// Returns the SHA-256 of `text` in lower-case hexadecimal; nothing of nothing, so that a missing value stays one.
pub(super) fn sha256(text: &str) -> Cow<'_, str> {
    if text.is_empty() { "".into() } else { hex(&Sha256::digest(text)).into() }
}

/// Returns how files may name the mailbox `email` besides as it is: hashed in each network's spelling, or without the
/// dots of Gmail.
pub(super) fn disguises_of_email(email: &str) -> Vec<String> {
    let spellings = [Rewrite::Lower, Rewrite::MetaEmail, Rewrite::GoogleEmail];
    let spellings = spellings.map(|how| rewrite(email, how));
    let hashes = hashes(&spellings);
    spellings.into_iter().chain(hashes).collect()
}

/// Returns how files may name the number `phone` besides by its digits: hashed in each network's spelling.
pub(super) fn disguises_of_phone(phone: &str) -> Vec<String> {
    hashes(&[Rewrite::Lower, Rewrite::Digits].map(|how| rewrite(phone, how)))
}

/// Returns how files may name the id `id` besides as it is.
pub(super) fn disguise_of_id(id: &str) -> String {
    rewrite(id, Rewrite::Uuid)
}

fn hashes(spellings: &[String]) -> Vec<String> {
    spellings.iter().map(|text| sha256(text).into_owned()).collect()
}

/// Returns a UUID of version 8 (RFC 9562, 5.8) made of the SHA-256 of `text`.
fn uuid(text: &str) -> String {
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&Sha256::digest(format!("leadmill:{text}"))[..16]);
    bytes[6] = (bytes[6] & 0x0F) | 0x80;
    bytes[8] = (bytes[8] & 0x3F) | 0x80;
    let digits = hex(&bytes);
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(how: Rewrite, raw: &str, expected: &str) {
        assert_eq!(rewrite(raw, how), expected, "{raw:?}");
    }

    #[test]
    fn google_drops_the_dots_of_its_own_mailboxes_only() {
        check(Rewrite::GoogleEmail, " Anna.Lecka@Gmail.com ", "annalecka@gmail.com");
        check(Rewrite::GoogleEmail, "a.b@googlemail.com", "ab@googlemail.com");
        check(Rewrite::GoogleEmail, "Anna.Lecka@example.com", "anna.lecka@example.com");
        check(Rewrite::MetaEmail, "Anna.Lecka@Gmail.com", "anna.lecka@gmail.com");
    }

    #[test]
    fn meta_takes_digits_and_bare_letters() {
        check(Rewrite::Digits, "+48600123456", "48600123456");
        check(Rewrite::Digits, "0048 600-123-456", "48600123456");
        check(Rewrite::Bare, "Łęcka-Nowak", "łęckanowak");
        check(Rewrite::Bare, "O'Brien Jr.", "obrienjr");
        check(Rewrite::Bare, "30-001", "30001");
        check(Rewrite::Lower, " PL ", "pl");
    }

    /// Hashes that were computed by other programs.
    #[test]
    fn known_values_have_their_known_hashes() {
        for (how, raw, expected) in [
            (
                Rewrite::GoogleEmail,
                "Anna.Lecka@example.com",
                "f5e9e2f497560b9e702f4d28a03960ac6961bc99c1d27b3aa26dd1169ea14733",
            ),
            (
                Rewrite::Lower,
                "+48600123456",
                "380494e54f0f22bf3ecadf0e6513fb3725fb1455bb4f093cc5806c82267a43b1",
            ),
            (
                Rewrite::Digits,
                "+48600123456",
                "bf1c98f0048a265e33f7ad4b5c81fe35921263cd3a290b90e76affaff387d146",
            ),
            (
                Rewrite::Bare,
                "Anna",
                "55579b557896d0ce1764c47fed644f9b35f58bad620674af23f356d80ed0c503",
            ),
            (
                Rewrite::Bare,
                "Łęcka",
                "780b7d4a770ca3653cce51323308da153f435353d2bd997532ac11e121e4b95f",
            ),
            (
                Rewrite::Bare,
                "Kraków",
                "59cbd4cbd8c0631899e466c8ee7c63443932d4902768fff60071a52a7ec25e45",
            ),
            (
                Rewrite::Bare,
                "30-001",
                "acb6af4c0a661cee72d9a0d1c1615f23d9b0f029acca7247b3eb89fed25b85c6",
            ),
            (
                Rewrite::Lower,
                "PL",
                "3485639faf1591f3c16f295198e9389db5b33c949587ec48663597d4e00299d5",
            ),
        ] {
            assert_eq!(sha256(&rewrite(raw, how)), expected, "{raw}");
        }
        assert_eq!(sha256(""), "");
    }

    #[test]
    fn a_uuid_is_the_same_for_the_same_value() {
        let one = rewrite("LM-0123456789AB", Rewrite::Uuid);
        assert_eq!(one, rewrite("LM-0123456789AB", Rewrite::Uuid));
        assert_ne!(one, rewrite("LM-0123456789AC", Rewrite::Uuid));
        assert_eq!((one.len(), one.as_bytes()[14]), (36, b'8'));
    }
}
