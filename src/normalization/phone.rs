//! Phone numbers: repaired where spreadsheets and habits break them, then judged by libphonenumber.
//!
//! The repairs come first because the library trusts its input: it calls `123456789` a valid line in
//! Kraków, reads the letters of `wew. 12` as keypad digits and a Polish trunk zero as part of the number.

use std::borrow::Cow;

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

use super::Remark;
use super::phone_cell::{self, Label};
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
    "int",
    "intern",
    "tonowo",
    "tonowy",
];
/// Countries whose numbers are dialled with a nought, so that a leading country code is no part of them.
const WITH_TRUNK_ZERO: &[&str] = &["DE", "AT", "CH"];

/// Calling codes of the countries that most leads come from; asking the library takes as long as reading a number.
const CALLING_CODES: &[(&str, &str)] =
    &[("PL", "48"), ("DE", "49"), ("GB", "44"), ("AT", "43"), ("CH", "41"), ("US", "1")];

/// Fewest digits a piece of a cell must have to be a number of its own.
pub(super) const NUMBER_DIGITS_MIN: usize = 7;
/// Most digits of an extension; longer ones are numbers.
const EXTENSION_DIGITS_MAX: usize = 6;
/// Most digits of an area code that a slash may part from its number (`030/1234567`).
const AREA_DIGITS_MAX: usize = 6;
/// Most digits of each part of a number that slashes part.
const PART_DIGITS_MAX: usize = 4;
/// Digits of a Polish number with its country code.
const POLISH_WITH_CODE_DIGITS: usize = 11;
/// A longer cell is prose; nothing that is dialled stands behind so much of it.
pub(super) const CELL_CHARS_MAX: usize = 400;

/// A run of a cell that may be a number.
#[derive(Debug, Default)]
struct Piece {
    text: String,
    /// The sign that parts it from the piece before; words part without one.
    after: Option<char>,
    /// It is said to be a fax.
    is_fax: bool,
}

/// A cell taken apart.
#[derive(Debug, Default)]
struct Parts {
    pieces: Vec<Piece>,
    extension: String,
    /// The piece that the extension stands behind.
    extension_of: String,
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
    let (text, has_letters) = phone_cell::prepared(&text);
    let (text, hours) = without_hours(without_decimals(&text));
    let mut parts = parts(text);
    let faxes: Vec<Piece> = parts.pieces.extract_if(.., |piece| piece.is_fax).collect();
    join_areas(&mut parts.pieces);
    if parts.pieces.is_empty() && !faxes.is_empty() {
        return Err(PhoneFault::Invalid("it is a fax number".to_owned()));
    }
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
            Err(PhoneFault::Invalid(why)) => match second_look(&candidate, country, &found) {
                Some(more) => found.extend(more),
                None => {
                    left_out = left_out.or_else(|| Some(candidate.trim().to_owned()));
                    fault = fault.or(Some(PhoneFault::Invalid(why)));
                }
            },
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
    let mut phone = first_of(found, parts, country);
    if has_letters {
        let message = format!("read as {}, as if letters had been typed for figures", phone.e164);
        phone.remarks.push(Remark::new("phone-repaired", message));
    }
    if let Some(fax) = faxes.first() {
        let number = fax.text.trim_start_matches([':', '.', ' ']).trim_end_matches([' ', '(', ')']);
        let message = format!("`{number}` is a fax number and was left out");
        phone.remarks.push(Remark::new("phone-second", message));
    }
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

/// Returns the numbers that `candidate` may yet hold: two that only a blank parts, one with the ending of
/// another, or one dialled as in the country of the number before it.
fn second_look(candidate: &str, country: &str, before: &[Phone]) -> Option<Vec<Phone>> {
    let home = before.first().and_then(|phone| phone.region.as_deref());
    if let Some(home) = home.filter(|home| *home != country)
        && candidate.trim_start().starts_with('0')
        && let Ok(phone) = judge(candidate, home)
    {
        return Some(vec![phone]);
    }
    let both =
        |(one, other): (&str, &str)| Some((judge(one, country).ok()?, judge(other, country).ok()?));
    let mut pairs = phone_cell::halves(candidate, NUMBER_DIGITS_MIN + 2).filter_map(both);
    if let Some((one, other)) = pairs.next() {
        // Where it could be parted in two places nobody knows which.
        return pairs.next().is_none().then(|| vec![one, other]);
    }
    let (number, ending) = phone_cell::without_ending(candidate)?;
    let mut phone = judge(number, country).ok()?;
    let message = format!("`{ending}` after the number was left out");
    phone.remarks.push(Remark::new("phone-second", message));
    Some(vec![phone])
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
fn first_of(mut found: Vec<Phone>, parts: Parts, country: &str) -> Phone {
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
    }
    let endings = parts.pieces.iter().skip(1).filter(|piece| piece.is_ending());
    let endings: Vec<&str> = endings.map(|piece| piece.text.trim()).collect();
    if !endings.is_empty() && !is_in_parts(&parts.pieces) {
        let message = format!("`{}` after the number was left out", endings.join(", "));
        phone.remarks.push(Remark::new("phone-second", message));
    }
    // `600 123 456 / 22 123 45 67 w. 5`: the extension is that of the other number.
    let is_of_other = !phone.others.is_empty()
        && judge(&parts.extension_of, country).is_ok_and(|other| other.e164 != phone.e164);
    if !parts.extension.is_empty() && is_of_other {
        let message = format!("the extension {} belongs to another number", parts.extension);
        phone.remarks.push(Remark::new("phone-extension-cut", message));
    } else if !parts.extension.is_empty() {
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
    /// Returns whether this is the other ending of the number before it, `600123456/57`, or else too short for one.
    fn is_ending(&self) -> bool {
        self.after.is_some() && digits_in(&self.text) < NUMBER_DIGITS_MIN
    }
}

/// Splits a cell at letters and separators into runs that may be numbers, without the extension.
fn parts(text: &str) -> Parts {
    let mut parts = Parts::default();
    let mut piece = Piece::default();
    let mut last_label = Label::Other;
    let mut number_came = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_alphabetic() || c == '#' {
            let is_first = digits_in(&piece.text) == 0 && parts.pieces.is_empty();
            let has_digits = digits_in(&piece.text) > 0;
            // `Fax nr 22 123 45 67`: a label holds until a number came.
            let is_still_fax = piece.is_fax && !has_digits;
            parts.pieces.push(std::mem::take(&mut piece));
            let (word, after) = phone_cell::word(rest);
            rest = phone_cell::after_hour(&word, after).unwrap_or(after);
            let label = phone_cell::label(&word, rest);
            number_came |= has_digits;
            // `tel./fax` is both.
            let is_both = last_label == Label::Telephone && !number_came;
            piece.is_fax = is_still_fax && label != Label::Telephone;
            if label == Label::Fax && !is_both {
                mark_fax(&mut parts, &mut piece, rest);
            }
            if label != Label::Other {
                (last_label, number_came) = (label, false);
            }
            if !is_first
                && EXTENSIONS.contains(&word.as_str())
                && let Some((digits, after)) = extension(rest)
            {
                digits.clone_into(&mut parts.extension);
                let number = parts.pieces.iter().rev().find(|piece| digits_in(&piece.text) > 0);
                parts.extension_of = number.map_or_else(String::new, |piece| piece.text.clone());
                rest = after;
            }
            continue;
        }
        rest = &rest[c.len_utf8()..];
        // `+48 +48 600…`: a plus sign always starts anew.
        let starts_anew = c == '+' && digits_in(&piece.text) > 0;
        if ";,/|\n".contains(c) || starts_anew {
            let is_still_fax = piece.is_fax && digits_in(&piece.text) == 0;
            number_came |= digits_in(&piece.text) > 0;
            parts.pieces.push(std::mem::take(&mut piece));
            piece.after = Some(c);
            piece.is_fax = is_still_fax;
        }
        if !";,/|\n".contains(c) {
            piece.text.push(c);
        }
    }
    parts.pieces.push(piece);
    parts.pieces.retain(|piece| digits_in(&piece.text) > 0);
    parts
}

/// Marks the number beside the word for a fax, which `rest` follows: the one behind it, else the one before.
fn mark_fax(parts: &mut Parts, next: &mut Piece, rest: &str) {
    let end = rest.find([';', ',', '/', '|', '\n', ')']).unwrap_or(rest.len());
    if digits_in(&rest[..end]) > 0 {
        next.is_fax = true;
    } else if let Some(before) = parts.pieces.iter_mut().rev().find(|it| digits_in(&it.text) > 0) {
        before.is_fax = true;
    }
}

/// Splits the digits of an extension off the text after its word.
fn extension(text: &str) -> Option<(&str, &str)> {
    let bare = text.trim_start_matches([' ', '.', ':', '=', '-', ')']);
    let end = bare.find(|c: char| !c.is_ascii_digit()).unwrap_or(bare.len());
    (1..=EXTENSION_DIGITS_MAX).contains(&end).then(|| bare.split_at(end))
}

/// Returns what to try, in order.
fn candidates(pieces: &[Piece]) -> Vec<String> {
    if is_in_parts(pieces) {
        let texts: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
        return vec![texts.join(" ")];
    }
    let is_long = |piece: &&Piece| digits_in(&piece.text) >= NUMBER_DIGITS_MIN;
    let of = |piece: &Piece| piece.text.clone();
    if pieces.iter().any(|piece| is_long(&piece)) {
        return pieces.iter().filter(is_long).map(of).collect();
    }
    pieces.iter().map(of).collect()
}

/// Joins area codes to their numbers: `030/1234567` is one number; what a comma or a word parts is two.
fn join_areas(pieces: &mut Vec<Piece>) {
    if is_in_parts(pieces) {
        return;
    }
    let mut at = 0;
    while at + 1 < pieces.len() {
        let (area, rest) = (digits_in(&pieces[at].text), digits_in(&pieces[at + 1].text));
        let is_parted = pieces[at].after != Some('/') && pieces[at + 1].after == Some('/');
        if is_parted && area <= AREA_DIGITS_MAX && area + rest >= NUMBER_DIGITS_MIN {
            let rest = pieces.remove(at + 1);
            pieces[at].text = format!("{} {}", pieces[at].text, rest.text);
        }
        at += 1;
    }
}

/// Returns whether signs part one number: `600/123/456`, and `600,123,456`, no part of which is one.
fn is_in_parts(pieces: &[Piece]) -> bool {
    let are_parted = |signs: &[char], digits_max: usize| {
        pieces[1..].iter().all(|piece| piece.after.is_some_and(|sign| signs.contains(&sign)))
            && pieces.iter().all(|piece| digits_in(&piece.text) <= digits_max)
    };
    (pieces.len() > 2 && are_parted(&['/'], PART_DIGITS_MAX))
        || (pieces.len() > 1 && are_parted(&[',', ';'], NUMBER_DIGITS_MIN - 1))
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
    if !is_international
        && digits.len() >= POLISH_WITH_CODE_DIGITS
        && WITH_TRUNK_ZERO.contains(&country)
        && calling_code(country).is_some_and(|code| digits.starts_with(&*code))
        && let Some(mut phone) = ask_library(&format!("+{digits}"), country)
    {
        // Nobody dials a national number there without its nought, though the library would take one.
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
        && !digits.starts_with(&*code)
        && let Some(phone) = ask_library(digits, country)
        && phone.e164.strip_prefix('+').and_then(|number| number.strip_prefix(&*code))
            == Some(digits)
    {
        return with_remark(phone, "the country code had been left out after the plus sign");
    }
    None
}

/// Returns the country calling code of `country`, without the plus sign.
fn calling_code(country: &str) -> Option<Cow<'static, str>> {
    let known = CALLING_CODES.iter().find(|(known, _)| *known == country);
    known.map(|(_, code)| Cow::Borrowed(*code)).or_else(|| code_by_library(country))
}

fn code_by_library(country: &str) -> Option<Cow<'static, str>> {
    let region = Region::from_code(country).ok()?;
    PHONE_NUMBER_UTIL.get_country_code_for_region(region).map(|code| code.to_string().into())
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
mod tests;
