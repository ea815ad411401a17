//! Amounts and counts as people write them.

use super::text::tidy;

/// Returns the number in `raw` as plain text with a dot for decimals and no trailing zeros.
///
/// Thousands may be parted by blanks, dots, commas or apostrophes; `tys.`, `k`, `mln` multiply; of a
/// range the lower bound is taken; currency, `~` and `+` are dropped. Text without digits is `None`.
pub fn parse(raw: &str) -> Option<String> {
    let text = tidy(raw);
    if !text.is_empty() && text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(plain(text.parse().ok()?));
    }
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let is_negative = text[..start].trim_end().ends_with(['-', '\u{2212}']);
    let (digits, rest) = take_digits(&text[start..]);
    let mut value = separated(&digits)?;
    value *= factor(rest).or_else(|| range_factor(rest)).unwrap_or(1.0);
    if !value.is_finite() || value >= 1e15 {
        return None;
    }
    Some(plain(if is_negative { -value } else { value }))
}

/// Splits off digits with their separators: `12 500,50 zł` gives `12 500,50` and ` zł`.
fn take_digits(text: &str) -> (String, &str) {
    let mut taken = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let next_is_digit = after.starts_with(|c: char| c.is_ascii_digit());
        let is_part = c.is_ascii_digit()
            || (matches!(c, '.' | ',' | '\'' | '’') && next_is_digit)
            || (c == ' ' && begins_thousands(after));
        if !is_part {
            break;
        }
        taken.push(c);
        rest = after;
    }
    (taken, rest)
}

/// Returns whether exactly three digits follow, so that a blank before them parts thousands.
fn begins_thousands(text: &str) -> bool {
    text.bytes().take_while(u8::is_ascii_digit).count() == 3
}

/// Reads digits whose last separator may be decimal.
fn separated(digits: &str) -> Option<f64> {
    let last = digits.rfind(['.', ',']);
    let is_decimal = last.is_some_and(|at| {
        let mark = digits.as_bytes()[at];
        let decimals = digits.len() - at - 1;
        let is_alone = digits.bytes().filter(|byte| *byte == mark).count() == 1;
        let has_other = digits.contains(if mark == b'.' { ',' } else { '.' });
        // `1.234` and `1,234` are thousands in a lead's budget; `0,125` and `1.234,000` are not.
        is_alone && (decimals != 3 || has_other || digits.starts_with('0'))
    });
    let mut plain = String::with_capacity(digits.len());
    for (at, c) in digits.char_indices() {
        if c.is_ascii_digit() {
            plain.push(c);
        } else if is_decimal && Some(at) == last {
            plain.push('.');
        }
    }
    plain.parse().ok()
}

fn factor(rest: &str) -> Option<f64> {
    let word: String = rest
        .trim_start()
        .chars()
        .take_while(|c| c.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect();
    match word.as_str() {
        "k" | "tys" | "tyś" | "tysiąc" | "tysiące" | "tysięcy" | "tsd" | "tausend" | "thousand" => {
            Some(1e3)
        }
        "m" | "mln" | "mio" | "milion" | "miliony" | "milionów" | "million" | "millionen" => {
            Some(1e6)
        }
        "mld" | "miliard" | "bn" | "billion" => Some(1e9),
        _ => None,
    }
}

/// Returns the unit after the upper bound: both ends of `10-50 tys.` are thousands.
fn range_factor(rest: &str) -> Option<f64> {
    let upper = rest.trim_start().strip_prefix(['-', '–', '—'])?.trim_start();
    let (digits, unit) = take_digits(upper);
    if digits.is_empty() { None } else { factor(unit) }
}

fn plain(value: f64) -> String {
    let rounded = format!("{value:.2}");
    let trimmed = rounded.trim_end_matches('0').trim_end_matches('.');
    if trimmed == "-0" { "0".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(raw: &str, expected: Option<&str>) {
        assert_eq!(parse(raw).as_deref(), expected, "{raw:?}");
    }

    #[test]
    fn amounts_are_read_in_any_locale() {
        check("12 500,50 zł", Some("12500.5"));
        check("12\u{a0}500,50\u{202f}PLN", Some("12500.5"));
        check("1.234,00", Some("1234"));
        check("1 234.00", Some("1234"));
        check("1,234", Some("1234"));
        check("1.234.567", Some("1234567"));
        check("€ 2'500", Some("2500"));
        check("0,5", Some("0.5"));
        check("5000", Some("5000"));
        check("007", Some("7"));
        check("-200 zł", Some("-200"));
        check("0", Some("0"));
    }

    #[test]
    fn units_multiply_and_ranges_give_their_lower_bound() {
        check("~10 tys.", Some("10000"));
        check("10k", Some("10000"));
        check("1,5 mln", Some("1500000"));
        check("10-50", Some("10"));
        check("10 – 50 osób", Some("10"));
        check("10-50 tys. zł", Some("10000"));
        check("200+", Some("200"));
        check("1 000-5 000", Some("1000"));
        check("więcej niż 500", Some("500"));
    }

    #[test]
    fn words_are_no_number() {
        check("brak", None);
        check("", None);
        check("-", None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(raw in "\\PC{0,30}", digits in "[0-9., '’~k+-]{0,20}") {
            let _ = parse(&raw);
            let _ = parse(&digits);
        }
    }
}
