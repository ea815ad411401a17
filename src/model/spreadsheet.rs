//! Text that is safe to open in a spreadsheet, and back.
//!
//! A spreadsheet runs a cell that starts with `=`, `+`, `-` or `@` as a formula (OWASP, "CSV
//! injection"). The guard is an apostrophe in front; an apostrophe that was there before is doubled,
//! so [`unguard`] is the exact inverse. Both rooms that write for people use it.

use std::borrow::Cow;

/// Returns `text` with an apostrophe in front when a spreadsheet might run it, or when it starts with one.
pub fn guard(text: &str) -> Cow<'_, str> {
    if text.starts_with('\'') || runs_as_formula(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Returns what [`guard`] was given.
pub fn unguard(text: &str) -> &str {
    text.strip_prefix('\'').unwrap_or(text)
}

/// Returns whether `text` is a number in E.164: a plus and 7 to 15 digits.
pub fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Returns whether `text` is a plain decimal number, such as `-12.50`.
pub fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole) && all_digits(fraction)
}

fn runs_as_formula(text: &str) -> bool {
    // Some programs trim before they look, so what follows blanks counts; the wide forms are what
    // East Asian keyboards type and Excel takes for the same.
    let starts_with_control = text.starts_with(['\t', '\r', '\n']);
    let first =
        text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
    starts_with_control || first.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: &str) {
        assert_eq!(guard(raw), expected, "{raw:?}");
        assert_eq!(unguard(&guard(raw)), raw, "{raw:?}");
    }

    #[test]
    fn formulas_are_guarded_and_other_texts_are_not() {
        check("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0");
        check("+48 600 123 456", "'+48 600 123 456");
        check("-1+2", "'-1+2");
        check("@SUM(A1)", "'@SUM(A1)");
        check("\t=1", "'\t=1");
        check("\rx", "'\rx");
        check("  =1", "'  =1");
        check("＝1", "'＝1");
        check("'s-Hertogenbosch", "''s-Hertogenbosch");
        check("a=b", "a=b");
        check("", "");
    }

    #[test]
    fn numbers_prove_themselves() {
        assert!(is_e164("+48600123456"));
        assert!(!is_e164("+48 600") && !is_e164("+1+2345678") && !is_e164("48600123456"));
        assert!(is_number("-12.50") && is_number("0") && is_number("120000"));
        assert!(!is_number("-1+2") && !is_number("") && !is_number("-") && !is_number("1."));
    }

    proptest! {
        #[test]
        fn the_guard_comes_off_again(raw in "[=+@\t\r' a-]{0,8}|\\PC*") {
            let guarded = guard(&raw);
            prop_assert_eq!(unguard(&guarded), raw.as_str());
            prop_assert!(!guarded.starts_with(['=', '+', '-', '@', '\t', '\r']));
        }
    }
}
