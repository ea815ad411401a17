//! Phone numbers: repaired where spreadsheets and habits break them, then judged by libphonenumber.
//!
//! The repairs come first because the library trusts its input: it calls `123456789` a valid line in
//! Kraków, reads the letters of `wew. 12` as keypad digits and a Polish trunk zero as part of the number.

use std::sync::LazyLock;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType, Region};

use super::Remark;
use super::text::{narrow, unguard};
use crate::rules::field::fold_header;
use crate::rules::tables::Tables;

/// A number that can be dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// The number in E.164.
    pub e164: String,
    /// `mobile`, `fixed`, `voip`, `premium`, `toll-free` or `unknown`.
    pub kind: &'static str,
    /// Country of the number, ISO 3166-1 alpha-2; numbers outside geography have none.
    pub region: Option<String>,
    /// Repairs and losses.
    pub remarks: Vec<Remark>,
}

/// Why a cell holds no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhoneFault {
    /// The cell says that there is none.
    Blank,
    /// A made-up number.
    Placeholder,
    /// A spreadsheet rounded it; the digits are gone.
    Unrecoverable,
    /// No valid number, with the reason for a marketer.
    Invalid(String),
}

/// Words before an extension, folded.
const EXTENSIONS: &[&str] =
    &["wew", "w", "wewn", "wewnetrzny", "ext", "extension", "x", "dw", "durchwahl", "app", "nst"];

/// Fewest digits a piece of a cell must have to be a number of its own.
const NUMBER_DIGITS_MIN: usize = 7;

/// Returns the number in `raw`; one without a country code is read as dialled in `country`.
///
/// Of several numbers the first valid one is taken, with a remark; an extension is cut, with a remark.
pub fn parse(raw: &str, country: &str, tables: &Tables) -> Result<Phone, PhoneFault> {
    let text = unguard(raw);
    let text = narrow(&text);
    let digit_count = text.bytes().filter(u8::is_ascii_digit).count();
    if digit_count == 0 {
        return no_digits(&text, tables);
    }
    if is_rounded(&text) {
        return Err(PhoneFault::Unrecoverable);
    }
    let text = without_decimals(&text);
    let (pieces, had_extension) = pieces(text);
    let (candidates, are_many) = candidates(&pieces);
    let mut fault = None;
    for candidate in &candidates {
        // Nobody invents an extension to a made-up number: `12 345 67 89 wew. 12` is a line in Kraków.
        let is_made_up = !had_extension && is_placeholder(candidate, country, tables);
        let judged =
            if is_made_up { Err(PhoneFault::Placeholder) } else { judge(candidate, country) };
        match judged {
            Ok(mut phone) => {
                if are_many {
                    let message =
                        format!("the cell holds several numbers; {} was taken", phone.e164);
                    phone.remarks.push(Remark::new("phone-second", message));
                }
                if had_extension {
                    let message = "the extension was cut; dial it by hand".to_owned();
                    phone.remarks.push(Remark::new("phone-extension-cut", message));
                }
                return Ok(phone);
            }
            Err(found) => fault = fault.or(Some(found)),
        }
    }
    Err(fault.unwrap_or_else(|| PhoneFault::Invalid(format!("{digit_count} digits are no number"))))
}

fn no_digits(text: &str, tables: &Tables) -> Result<Phone, PhoneFault> {
    let words = fold_header(text);
    // Meta leaves a bare `p:` where nobody typed a number.
    if words.is_empty() || words == "p" || tables.is_placeholder(&words) {
        return Err(PhoneFault::Blank);
    }
    Err(PhoneFault::Invalid("there are no digits in it".to_owned()))
}

/// Returns whether a spreadsheet wrote the number as `4,86001E+10`.
fn is_rounded(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let mantissa = mantissa.trim().trim_start_matches(['+', '-', 'p', ':', '\'']);
    let exponent = exponent.trim().trim_start_matches(['+', '-']);
    !mantissa.is_empty()
        && mantissa.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b',')
        && !exponent.is_empty()
        && exponent.len() <= 3
        && exponent.bytes().all(|byte| byte.is_ascii_digit())
}

/// Drops the `.0` that comes from reading a column of numbers as floating point.
fn without_decimals(text: &str) -> &str {
    for ending in [".0", ",0", ".00", ",00"] {
        if let Some(whole) = text.strip_suffix(ending)
            && whole.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit())
        {
            return whole;
        }
    }
    text
}

/// Splits a cell at letters and separators into runs that may be numbers, without extensions.
fn pieces(text: &str) -> (Vec<String>, bool) {
    let mut pieces = vec![String::new()];
    let mut had_extension = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_alphabetic() {
            let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
            let word = fold_header(&rest[..end]);
            rest = &rest[end..];
            let follows_number = pieces.last().is_some_and(|piece| digits_in(piece) > 0);
            if follows_number && EXTENSIONS.contains(&word.as_str()) {
                had_extension = true;
                rest = rest.trim_start_matches(|c: char| !c.is_alphabetic() && !";,/|".contains(c));
            }
            pieces.push(String::new());
            continue;
        }
        rest = &rest[c.len_utf8()..];
        if ";,/|\n".contains(c) {
            pieces.push(String::new());
        } else if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces.retain(|piece| digits_in(piece) > 0);
    (pieces, had_extension)
}

/// Returns what to try, in order, and whether the cell holds several numbers.
fn candidates(pieces: &[String]) -> (Vec<String>, bool) {
    let long: Vec<String> =
        pieces.iter().filter(|piece| digits_in(piece) >= NUMBER_DIGITS_MIN).cloned().collect();
    if long.len() > 1 {
        return (long, true);
    }
    // `030/1234567` is one number, `600123456/57` is one and the end of another.
    let mut candidates = Vec::new();
    if pieces.len() > 1 {
        candidates.push(pieces.join(" "));
    }
    candidates.extend(long);
    if candidates.is_empty() {
        candidates.extend(pieces.iter().cloned());
    }
    (candidates, false)
}

fn digits_in(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

fn is_placeholder(candidate: &str, country: &str, tables: &Tables) -> bool {
    let (digits, is_international) = digits_of(candidate);
    let dialled = dialled(&digits, is_international, country);
    tables.is_placeholder_phone(&digits)
        || tables.is_placeholder_phone(national_part(&dialled, country))
}

/// Returns the digits without `(0)`, and whether a plus sign opens them.
fn digits_of(candidate: &str) -> (String, bool) {
    let joined = candidate.replace("(0)", "");
    let is_international = joined.trim_start_matches(['(', ' ']).starts_with('+');
    (joined.chars().filter(char::is_ascii_digit).collect(), is_international)
}

fn judge(candidate: &str, country: &str) -> Result<Phone, PhoneFault> {
    let (digits, is_international) = digits_of(candidate);
    if digits.is_empty() {
        return Err(PhoneFault::Invalid("there are no digits in it".to_owned()));
    }
    let dialled = dialled(&digits, is_international, country);
    if let Some(phone) = ask_library(&dialled, country) {
        return Ok(phone);
    }
    // A spreadsheet evaluates `+447400123456` to the bare number.
    if !dialled.starts_with('+')
        && !digits.starts_with('0')
        && digits.len() >= 10
        && let Some(mut phone) = ask_library(&format!("+{digits}"), country)
    {
        let message = format!("read as {}, as if the plus sign had been lost", phone.e164);
        phone.remarks.push(Remark::new("phone-repaired", message));
        return Ok(phone);
    }
    let place =
        if dialled.starts_with('+') { "any country".to_owned() } else { country.to_owned() };
    Err(PhoneFault::Invalid(format!("{} digits make no valid number in {place}", digits.len())))
}

/// Returns the digits with a plus sign where they carry a country code, without Poland's old trunk zero.
fn dialled(digits: &str, is_international: bool, country: &str) -> String {
    let international = if is_international { Some(digits) } else { digits.strip_prefix("00") };
    match international {
        // 0048… after a plus sign is dialled twice over.
        Some(number) if is_international && number.starts_with("00") => {
            dialled(number, false, country)
        }
        Some(number) => match number.strip_prefix("480") {
            Some(national) => format!("+48{national}"),
            None => format!("+{number}"),
        },
        // Poland abolished the trunk zero in 2010; the library does not know it.
        None if country == "PL" && digits.len() == 10 => {
            digits.strip_prefix('0').unwrap_or(digits).to_owned()
        }
        None => digits.to_owned(),
    }
}

/// Returns the number without the country code, as far as that is plain, for the list of placeholders.
fn national_part<'a>(dialled: &'a str, country: &str) -> &'a str {
    match dialled.strip_prefix('+') {
        Some(number) if number.len() == 11 => number.strip_prefix("48").unwrap_or(number),
        Some(number) => number,
        None if country == "PL" && dialled.len() == 11 => {
            dialled.strip_prefix("48").unwrap_or(dialled)
        }
        None => dialled,
    }
}

fn ask_library(number: &str, country: &str) -> Option<Phone> {
    static UTIL: LazyLock<&rlibphonenumber::PhoneNumberUtil> = LazyLock::new(|| &PHONE_NUMBER_UTIL);
    let region = Region::from_code(country).ok();
    let parsed = UTIL.parse(number, region).ok()?;
    if !UTIL.is_valid_number(&parsed) {
        return None;
    }
    let kind = match UTIL.get_number_type(&parsed) {
        PhoneNumberType::Mobile => "mobile",
        PhoneNumberType::FixedLine => "fixed",
        PhoneNumberType::VoIP => "voip",
        PhoneNumberType::PremiumRate => "premium",
        PhoneNumberType::TollFree => "toll-free",
        _ => "unknown",
    };
    let region =
        UTIL.get_region_for_number(&parsed).map(|region| region.as_region_str().to_string());
    Some(Phone {
        e164: UTIL.format(&parsed, PhoneNumberFormat::E164).into_owned(),
        kind,
        region: region.filter(|code| code != "001"),
        remarks: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tables::shipped;
    use proptest::prelude::*;

    #[track_caller]
    fn check(raw: &str, country: &str, expected: Option<(&str, &str)>) {
        let found = parse(raw, country, shipped());
        let seen = found.as_ref().ok().map(|phone| (phone.e164.as_str(), phone.kind));
        assert_eq!(seen, expected, "{raw:?} in {country}: {found:?}");
    }

    #[track_caller]
    fn check_fault(raw: &str, expected: &PhoneFault) {
        assert_eq!(parse(raw, "PL", shipped()).as_ref(), Err(expected), "{raw:?}");
    }

    /// Rows whose answer is that of Google's libphonenumber 9.0.43.
    #[test]
    fn plain_spellings_agree_with_the_oracle() {
        for raw in [
            "+48 600 123 456",
            "+48600123456",
            "0048600123456",
            "48600123456",
            "48 600 123 456",
            "600123456",
            "600-123-456",
            "600 123 456",
            "(+48) 600 123 456",
            "tel. 600 123 456",
            "'+48600123456",
            "=\"600123456\"",
            "p:+48600123456",
            "\"+48600123456\"",
            "＋48 600 123 456",
            "６００１２３４５６",
            "#600123456",
        ] {
            check(raw, "PL", Some(("+48600123456", "mobile")));
        }
        check("22 123 45 67", "PL", Some(("+48221234567", "fixed")));
        check("(22) 123-45-67", "PL", Some(("+48221234567", "fixed")));
        check("48 362 12 34", "PL", Some(("+48483621234", "fixed")));
        check("+447400123456", "PL", Some(("+447400123456", "mobile")));
        check("801 123 456", "PL", Some(("+48801123456", "unknown")));
        for raw in ["+4860012345", "112"] {
            check(raw, "PL", None);
        }
    }

    /// Rows where the library alone would be wrong.
    #[test]
    fn habits_and_spreadsheets_are_repaired_first() {
        for raw in [
            "+48(0)22 123 45 67",
            "0-22 123 45 67",
            "022 1234567",
            "+48 022 123 45 67",
            "(0-22) 123 45 67",
        ] {
            check(raw, "PL", Some(("+48221234567", "fixed")));
        }
        check("12 345 67 89 wew. 12", "PL", Some(("+48123456789", "fixed")));
        check("22 123-45-67 w. 12", "PL", Some(("+48221234567", "fixed")));
        check("0048 22 123-45-67 w. 12", "PL", Some(("+48221234567", "fixed")));
        check("600123456/601123457", "PL", Some(("+48600123456", "mobile")));
        check("600 123 456 lub 601 123 457", "PL", Some(("+48600123456", "mobile")));
        check("600123456/57", "PL", Some(("+48600123456", "mobile")));
        check("48600123456.0", "PL", Some(("+48600123456", "mobile")));
        check("\u{202a}+48 600 123 456\u{202c}", "PL", Some(("+48600123456", "mobile")));
        check("600123456 (Anna)", "PL", Some(("+48600123456", "mobile")));
        check("447400123456", "PL", Some(("+447400123456", "mobile")));
        check("p:07400123456", "GB", Some(("+447400123456", "mobile")));
        check("030/1234567", "DE", Some(("+49301234567", "fixed")));
        check("+49 (0)30 1234567", "DE", Some(("+49301234567", "fixed")));
        check(
            "(Security Alert: Suspicious content is detected. See https://contactform7.com/heads-up-about-spreadsheet-vulnerabilities for details.) +48600123456",
            "PL",
            Some(("+48600123456", "mobile")),
        );
    }

    #[test]
    fn a_number_that_is_none_says_why() {
        for raw in ["4,86001E+10", "4.86E+10", "4,86001e10"] {
            check_fault(raw, &PhoneFault::Unrecoverable);
        }
        for raw in ["brak", "nie podam", "-", "p:", "", "n/a"] {
            check_fault(raw, &PhoneFault::Blank);
        }
        for raw in
            ["123456789", "000000000", "111111111", "+48 123 456 789", "48123456789", "600000000"]
        {
            check_fault(raw, &PhoneFault::Placeholder);
        }
        check_fault("zadzwoń", &PhoneFault::Invalid("there are no digits in it".to_owned()));
    }

    #[test]
    fn the_region_is_that_of_the_number() {
        let phone = parse("+49 30 1234567", "PL", shipped()).unwrap();
        assert_eq!(phone.region.as_deref(), Some("DE"));
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_a_panic(raw in "\\PC{0,30}", digits in "[0-9+() /.,;extwż-]{0,25}") {
            let _ = parse(&raw, "PL", shipped());
            for country in ["PL", "DE", "US", "??"] {
                if let Ok(phone) = parse(&digits, country, shipped()) {
                    prop_assert!(phone.e164.starts_with('+'));
                }
            }
        }
    }
}
