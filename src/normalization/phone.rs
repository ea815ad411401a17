//! Phone numbers: repaired where spreadsheets and habits break them, then judged by libphonenumber.
//!
//! The repairs come first because the library trusts its input: it calls `123456789` a valid line in
//! Kraków, reads the letters of `wew. 12` as keypad digits and a Polish trunk zero as part of the number.

use std::borrow::Cow;

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

use super::Remark;
use super::phone_library::{self, ask_library};
use super::text::{narrow, unguard};
use crate::rules::field::fold_header;
use crate::rules::tables::Tables;

/// A number that can be dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// The number in E.164.
    pub e164: String,
    /// One of [`crate::model::field::PHONE_TYPES`].
    pub kind: &'static str,
    /// Country of the number, ISO 3166-1 alpha-2; numbers outside geography have none.
    pub region: Option<String>,
    /// Digits to dial after somebody answers; empty without.
    pub extension: String,
    /// Other valid numbers of the cell in E.164, in their order, none twice.
    pub others: Vec<String>,
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
const EXTENSIONS: &[&str] = &[
    "wew",
    "w",
    "wewn",
    "wewnetrzny",
    "ext",
    "extension",
    "x",
    "dw",
    "durchwahl",
    "app",
    "nst",
    "nebenstelle",
];

/// Fewest digits a piece of a cell must have to be a number of its own.
pub(super) const NUMBER_DIGITS_MIN: usize = 7;
/// Most digits of an extension; longer ones are numbers.
const EXTENSION_DIGITS_MAX: usize = 6;
/// Most digits of an area code that a slash may part from its number (`030/1234567`).
const AREA_DIGITS_MAX: usize = 6;
/// Digits of a Polish number with its country code.
const POLISH_WITH_CODE_DIGITS: usize = 11;
/// A longer cell is prose; nothing that is dialled stands behind so much of it.
const CELL_CHARS_MAX: usize = 400;

/// A run of a cell that may be a number.
#[derive(Debug, Default)]
struct Piece {
    text: String,
    /// A slash stands before it.
    is_after_slash: bool,
}

/// A cell taken apart.
#[derive(Debug, Default)]
struct Parts {
    pieces: Vec<Piece>,
    extension: String,
}

/// Returns the number in `raw`; one without a country code is read as dialled in `country`.
///
/// Of several numbers the first valid one is taken and the others are kept beside it; an extension is
/// cut off and kept. Both are remarked.
pub fn parse(raw: &str, country: &str, tables: &Tables) -> Result<Phone, PhoneFault> {
    if phone_library::is_one_number(raw)
        && !is_placeholder(raw, country, tables)
        && let Ok(phone) = judge(raw, country)
    {
        return Ok(phone);
    }
    parse_with_care(raw, country, tables)
}

pub(super) fn parse_with_care(
    raw: &str,
    country: &str,
    tables: &Tables,
) -> Result<Phone, PhoneFault> {
    let text = unguard(raw);
    let text = narrow(&text);
    let digit_count = digits_in(&text);
    if digit_count == 0 {
        return no_digits(&text, tables);
    }
    if is_rounded(&text) {
        return Err(PhoneFault::Unrecoverable);
    }
    if text.chars().nth(CELL_CHARS_MAX).is_some() {
        return Err(PhoneFault::Invalid("a whole text stands where a number belongs".to_owned()));
    }
    let (text, hours) = without_hours(without_decimals(&text));
    let parts = parts(text);
    let mut fault = None;
    let mut left_out = None;
    let mut found: Vec<Phone> = Vec::new();
    for candidate in candidates(&parts.pieces) {
        // Nobody invents an extension to a made-up number: `12 345 67 89 wew. 12` is a line in Kraków.
        let is_made_up = parts.extension.is_empty() && is_placeholder(&candidate, country, tables);
        let judged =
            if is_made_up { Err(PhoneFault::Placeholder) } else { judge(&candidate, country) };
        match judged {
            Ok(phone) => found.push(phone),
            Err(why) => {
                left_out = left_out.or_else(|| Some(candidate.trim().to_owned()));
                fault = fault.or(Some(why));
            }
        }
    }
    if found.is_empty() {
        let none = || PhoneFault::Invalid(format!("{digit_count} digits are no number"));
        return Err(fault.unwrap_or_else(none));
    }
    let mut phone = first_of(found, parts);
    if let Some(rest) = left_out {
        let message = format!("`{rest}` makes no valid number and was left out");
        phone.remarks.push(Remark::new("phone-second", message));
    }
    if let Some(hours) = hours {
        let message = format!("`{hours}` after the number reads as hours and was left out");
        phone.remarks.push(Remark::new("phone-repaired", message));
    }
    Ok(phone)
}

/// Splits the hours off the end of `600 123 455 8-16`: their digits would make another country's number.
fn without_hours(text: &str) -> (&str, Option<&str>) {
    let Some((number, last)) = text.trim_end().rsplit_once([' ', '\t']) else {
        return (text, None);
    };
    let is_hour = |part: &str| {
        let (hour, minutes) = part.split_once([':', '.']).unwrap_or((part, "00"));
        minutes.len() == 2
            && minutes.parse::<u8>().is_ok_and(|minutes| minutes < 60)
            && hour.len() <= 2
            && hour.parse::<u8>().is_ok_and(|hour| hour <= 24)
    };
    let bare = last.trim_matches(['(', ')']);
    let are_hours =
        bare.split_once(['-', '–']).is_some_and(|(from, to)| is_hour(from) && is_hour(to));
    if are_hours && digits_in(number) >= NUMBER_DIGITS_MIN + 2 {
        (number, Some(last))
    } else {
        (text, None)
    }
}

/// Returns the first of `found`, with what else the cell held.
fn first_of(mut found: Vec<Phone>, parts: Parts) -> Phone {
    let mut phone = found.remove(0);
    for other in found {
        if other.e164 != phone.e164 && !phone.others.contains(&other.e164) {
            phone.others.push(other.e164);
        }
    }
    if !phone.others.is_empty() {
        let others = phone.others.join(", ");
        let message =
            format!("the cell holds several numbers; {} was taken and {others} kept", phone.e164);
        phone.remarks.push(Remark::new("phone-second", message));
    } else if let Some(rest) = parts.pieces.iter().skip(1).find(|piece| piece.is_ending()) {
        let message = format!("`{}` after the number was left out", rest.text.trim());
        phone.remarks.push(Remark::new("phone-second", message));
    }
    if !parts.extension.is_empty() {
        let message = format!("the extension {} was cut; dial it by hand", parts.extension);
        phone.remarks.push(Remark::new("phone-extension-cut", message));
        phone.extension = parts.extension;
    }
    phone
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
            && whole
                .trim_start_matches('+')
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b' ')
        {
            return whole;
        }
    }
    text
}

impl Piece {
    /// Returns whether this is the other ending of the number before it: `600123456/57`.
    fn is_ending(&self) -> bool {
        self.is_after_slash && digits_in(&self.text) < NUMBER_DIGITS_MIN
    }
}

/// Splits a cell at letters and separators into runs that may be numbers, without the extension.
fn parts(text: &str) -> Parts {
    let mut parts = Parts::default();
    let mut piece = Piece::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_alphabetic() || c == '#' {
            let is_first = digits_in(&piece.text) == 0 && parts.pieces.is_empty();
            parts.pieces.push(std::mem::take(&mut piece));
            let end = rest.find(|c: char| !c.is_alphabetic() && c != '#').unwrap_or(rest.len());
            let word = if c == '#' { "x".to_owned() } else { fold_header(&rest[..end]) };
            rest = &rest[end..];
            if !is_first
                && EXTENSIONS.contains(&word.as_str())
                && let Some((digits, after)) = extension(rest)
            {
                digits.clone_into(&mut parts.extension);
                rest = after;
            }
            continue;
        }
        rest = &rest[c.len_utf8()..];
        // `+48 +48 600…`: a plus sign always starts anew.
        let starts_anew = c == '+' && digits_in(&piece.text) > 0;
        if ";,/|\n".contains(c) || starts_anew {
            parts.pieces.push(std::mem::take(&mut piece));
            piece.is_after_slash = c == '/';
        }
        if !";,/|\n".contains(c) {
            piece.text.push(c);
        }
    }
    parts.pieces.push(piece);
    parts.pieces.retain(|piece| digits_in(&piece.text) > 0);
    parts
}

/// Splits the digits of an extension off the text after its word.
fn extension(text: &str) -> Option<(&str, &str)> {
    let bare = text.trim_start_matches([' ', '.', ':', '=', '-', ')']);
    let end = bare.find(|c: char| !c.is_ascii_digit()).unwrap_or(bare.len());
    (1..=EXTENSION_DIGITS_MAX).contains(&end).then(|| bare.split_at(end))
}

/// Returns what to try, in order.
fn candidates(pieces: &[Piece]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    // `030/1234567` is one number; what a comma or a word parts is two.
    if let [area, rest] = pieces
        && rest.is_after_slash
        && digits_in(&area.text) <= AREA_DIGITS_MAX
    {
        found.push(format!("{} {}", area.text, rest.text));
        return found;
    }
    let is_long = |piece: &&Piece| digits_in(&piece.text) >= NUMBER_DIGITS_MIN;
    found.extend(pieces.iter().filter(is_long).map(|piece| piece.text.clone()));
    if found.is_empty() {
        found.extend(pieces.iter().map(|piece| piece.text.clone()));
    }
    found
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
    let joined = if candidate.contains('(') {
        Cow::Owned(candidate.replace("(0)", ""))
    } else {
        Cow::Borrowed(candidate)
    };
    let is_international = joined.trim_start_matches(['(', ' ']).starts_with('+');
    let mut digits = String::with_capacity(joined.len());
    digits.extend(joined.chars().filter(char::is_ascii_digit));
    (digits, is_international)
}

fn judge(candidate: &str, country: &str) -> Result<Phone, PhoneFault> {
    let (digits, is_international) = digits_of(candidate);
    if digits.is_empty() {
        return Err(PhoneFault::Invalid("there are no digits in it".to_owned()));
    }
    if !is_international
        && digits.len() == POLISH_WITH_CODE_DIGITS
        && digits.starts_with("48")
        && calling_code(country).is_some_and(|code| code != "48")
        && let Some(mut phone) = ask_library(&format!("+{digits}"), country)
    {
        // 48 and nine digits is how Poles write their own number, wherever they live; national numbers of
        // other countries begin with a zero or are no longer than ten digits.
        let message = format!("read as {}, as if the plus sign had been lost", phone.e164);
        phone.remarks.push(Remark::new("phone-repaired", message));
        return Ok(phone);
    }
    let dialled = dialled(&digits, is_international, country);
    if let Some(phone) = ask_library(&dialled, country) {
        return Ok(phone);
    }
    if let Some(phone) = mended(&digits, is_international, &dialled, country) {
        return Ok(phone);
    }
    let place =
        if dialled.starts_with('+') { "any country".to_owned() } else { country.to_owned() };
    Err(PhoneFault::Invalid(format!("{} digits make no valid number in {place}", digits.len())))
}

/// Returns the valid number that one known slip away from `digits` is, with a remark.
fn mended(digits: &str, is_international: bool, dialled: &str, country: &str) -> Option<Phone> {
    let with_remark = |mut phone: Phone, slip: &str| {
        let message = format!("read as {}, as if {slip}", phone.e164);
        phone.remarks.push(Remark::new("phone-repaired", message));
        Some(phone)
    };
    // A spreadsheet evaluates `+447400123456` to the bare number.
    if !dialled.starts_with('+')
        && !digits.starts_with('0')
        && digits.len() >= 10
        && let Some(phone) = ask_library(&format!("+{digits}"), country)
    {
        return with_remark(phone, "the plus sign had been lost");
    }
    let code = calling_code(country)?;
    // A form's field has +48 in it already, and somebody types 48600123456 behind it.
    let bare = dialled.trim_start_matches('+');
    if let Some(rest) = bare.strip_prefix(&format!("{code}{code}"))
        && let Some(phone) = ask_library(&format!("+{code}{rest}"), country)
    {
        return with_remark(phone, "the country code had been typed twice");
    }
    // `+600123456` is a national number behind a plus sign that an input mask wanted.
    if is_international
        && !digits.starts_with('0')
        && !digits.starts_with(&code)
        && let Some(phone) = ask_library(digits, country)
        && phone.e164.strip_prefix('+').and_then(|number| number.strip_prefix(&code))
            == Some(digits)
    {
        return with_remark(phone, "the country code had been left out after the plus sign");
    }
    None
}

/// Returns the country calling code of `country`, without the plus sign.
fn calling_code(country: &str) -> Option<String> {
    let region = Region::from_code(country).ok()?;
    PHONE_NUMBER_UTIL.get_country_code_for_region(region).map(|code| code.to_string())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::spreadsheet::is_e164;
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
        check("801 123 456", "PL", Some(("+48801123456", "shared-cost")));
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
        check("+48 600 123 456 (po 16)", "PL", Some(("+48600123456", "mobile")));
        check("030 1234567 ab 16 Uhr", "DE", Some(("+49301234567", "fixed")));
        check("600123456 w godz. 9-17", "PL", Some(("+48600123456", "mobile")));
        check("+48 +48 600 123 456", "PL", Some(("+48600123456", "mobile")));
        check("+48 48600123456", "PL", Some(("+48600123456", "mobile")));
        check("+600 123 456", "PL", Some(("+48600123456", "mobile")));
        check("48 600 123 456,0", "PL", Some(("+48600123456", "mobile")));
        check("48 48 362 12 34", "PL", Some(("+48483621234", "fixed")));
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

    #[track_caller]
    fn check_rest(raw: &str, country: &str, extension: &str, others: &[&str], codes: &[&str]) {
        let phone = parse(raw, country, shipped()).unwrap();
        let found: Vec<&str> = phone.remarks.iter().map(|remark| remark.code).collect();
        let others: Vec<String> = others.iter().map(|&other| other.to_owned()).collect();
        assert_eq!((&*phone.extension, phone.others, found), (extension, others, codes.to_vec()));
    }

    #[test]
    fn hours_behind_a_number_are_no_digits_of_it() {
        for raw in ["600 123 455 8-16", "600123455 (8:00-16:00)", "600 123 455 9–17"] {
            check_rest(raw, "PL", "", &[], &["phone-repaired"]);
            check(raw, "PL", Some(("+48600123455", "mobile")));
        }
        check("22 123 45 67", "PL", Some(("+48221234567", "fixed")));
        check("+49 30 123456-12", "DE", Some(("+493012345612", "fixed")));
    }

    #[test]
    fn a_polish_number_stays_one_whatever_the_country_says() {
        check("48600123455", "DE", Some(("+48600123455", "mobile")));
        check("48 22 123 45 67", "DE", Some(("+48221234567", "fixed")));
        check("0151 23456789", "DE", Some(("+4915123456789", "mobile")));
    }

    #[test]
    fn what_else_the_cell_holds_is_kept() {
        let both = ["+48601123457"];
        let said = ["phone-second"];
        check_rest("600123456/601123457", "PL", "", &both, &said);
        check_rest("+49 151 23456789 oder 030 1234567", "PL", "", &[], &said);
        check_rest("600 123 456 lub 601 123 457", "PL", "", &both, &said);
        check_rest("+48600123456+48601123457", "PL", "", &both, &said);
        check_rest("600123456, 600-123-456", "PL", "", &[], &[]);
        check_rest("600123456; 601123457, 600123456", "PL", "", &both, &said);
        check_rest("600123456/57", "PL", "", &[], &said);
        let cut = ["phone-extension-cut"];
        check_rest("12 345 67 89 wew. 12", "PL", "12", &[], &cut);
        check_rest("12 345 67 89 nr wew. 12", "PL", "12", &[], &cut);
        check_rest("+48123456780;ext=12", "PL", "12", &[], &cut);
        check_rest("22 123-45-67 w.12", "PL", "12", &[], &cut);
        check_rest("22 123 45 67 #12", "PL", "12", &[], &cut);
        check_rest("030 1234567 Durchwahl: 12", "DE", "12", &[], &cut);
        check_rest("600123456 w godz. 9-17", "PL", "", &[], &["phone-repaired"]);
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
                    prop_assert!(is_e164(&phone.e164), "{}", phone.e164);
                    prop_assert!(crate::model::field::PHONE_TYPES.contains(&phone.kind));
                    let again = parse(&phone.e164, country, shipped()).map(|again| again.e164);
                    // A number with an extension may look made up without it.
                    if again != Err(PhoneFault::Placeholder) {
                        prop_assert_eq!(again, Ok(phone.e164));
                    }
                }
            }
        }
    }
}
