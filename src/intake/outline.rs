//! Tells by its outline alone what a text could be: enough to find a column or a header, no judgement.

/// Fewest and most digits of a number that is marked as one: E.164 allows 15 with the country code.
const PHONE_DIGITS_MIN: usize = 6;
const PHONE_DIGITS_MAX: usize = 17;
/// Longest postal code of any country, with a blank and some to spare.
const POSTCODE_BYTES_MAX: usize = 12;

/// Returns whether `text` has the outline of an e-mail address.
pub(super) fn looks_like_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let tidy = |part: &str| !part.is_empty() && !part.contains([' ', '/', ',', ';', '@', '<', '{']);
    tidy(local) && tidy(domain) && domain.contains('.') && !domain.ends_with('.')
}

/// Returns whether `text` has the outline of a phone number rather than of an id or an amount.
pub(super) fn looks_like_phone(text: &str) -> bool {
    let text = text.trim_start_matches('\'');
    let text = text.strip_prefix("p:").unwrap_or(text);
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let is_plain = text.chars().all(|c| c.is_ascii_digit() || " +-()/.\u{a0}".contains(c));
    let is_date =
        text.matches(['.', '/']).count() == 2 || text.matches('-').count() == 2 && digits == 8;
    is_plain && !is_date && (9..=13).contains(&digits) && (text.starts_with('+') || digits <= 11)
}

/// Returns the number in `text` where Meta marked it as the answer to a question for one, as in `p:+48501234567`:
/// it does so whatever the author called the question.
pub(super) fn marked_phone(text: &str) -> Option<&str> {
    let number = text.trim().strip_prefix("p:")?.trim();
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = number.chars().all(|c| c.is_ascii_digit() || " +-()/.\u{a0}".contains(c));
    (is_plain && (PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&digits)).then_some(number)
}

/// Returns the postal code in `text` where Meta marked it as one, as in `z:00-950`.
pub(super) fn marked_postcode(text: &str) -> Option<&str> {
    let code = text.trim().strip_prefix("z:")?.trim();
    let is_plain = code.chars().all(|c| c.is_ascii_alphanumeric() || " -".contains(c));
    let has_digit = code.bytes().any(|byte| byte.is_ascii_digit());
    (is_plain && has_digit && code.len() <= POSTCODE_BYTES_MAX).then_some(code)
}

/// Returns whether `text` is something that a person or a program filled in rather than a header: it
/// has an address or a number of five digits in it.
pub(super) fn looks_filled_in(text: &str) -> bool {
    let mut run = 0;
    let has_number = text.bytes().any(|byte| {
        run = if byte.is_ascii_digit() { run + 1 } else { 0 };
        run >= 5
    });
    has_number || looks_like_email(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_numbers_and_headers_are_told_apart() {
        for (text, email, phone, filled) in [
            ("anna@example.com", true, false, true),
            ("E-mail", false, false, false),
            ("@", false, false, false),
            ("+48 600 123 456", false, true, false),
            ("600123456", false, true, true),
            ("2025-09-12", false, false, false),
            ("100000000000001", false, false, true),
            ("Zgoda {{field:01}}", false, false, false),
        ] {
            let found = (looks_like_email(text), looks_like_phone(text), looks_filled_in(text));
            assert_eq!(found, (email, phone, filled), "{text}");
        }
    }

    #[test]
    fn metas_marks_are_taken_off_what_they_mark() {
        for (text, phone, postcode) in [
            ("p:+48501234567", Some("+48501234567"), None),
            (" p:07405 263058 ", Some("07405 263058"), None),
            ("p:", None, None),
            ("p:<test lead: dummy data for phone_number>", None, None),
            ("p: see the note", None, None),
            ("+48501234567", None, None),
            ("z:00-950", None, Some("00-950")),
            ("z:SW1A 1AA", None, Some("SW1A 1AA")),
            ("z:", None, None),
            ("z: polecenia znajomych 2", None, None),
        ] {
            assert_eq!((marked_phone(text), marked_postcode(text)), (phone, postcode), "{text}");
        }
    }
}
