//! Values in the form in which they are compared: folded, canonical, without junk.

use std::borrow::Cow;

/// Returns `text` in lower-case ASCII letters and digits with single blanks: `Müller-Łoś` is `muller los`.
pub fn fold(text: &str) -> String {
    let ascii: Cow<'_, str> =
        if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(deunicode::deunicode(text)) };
    let mut folded = String::with_capacity(ascii.len());
    for byte in ascii.bytes() {
        // `O'Brien` and `d'Arc` are one word each.
        if byte == b'\'' || byte == b'`' {
            continue;
        }
        if byte.is_ascii_alphanumeric() {
            folded.push(char::from(byte.to_ascii_lowercase()));
        } else if !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    if folded.ends_with(' ') {
        folded.pop();
    }
    folded
}

/// Folded values that stand where somebody had nothing to say.
const NOTHING: &[&str] = &[
    "",
    "na",
    "n a",
    "nan",
    "null",
    "none",
    "nil",
    "unknown",
    "brak",
    "nie podano",
    "nie dotyczy",
    "b d",
    "bd",
    "x",
    "xx",
    "xxx",
    "test",
    "undefined",
    "not provided",
    "no",
    "nie",
    "tbd",
    "keine",
    "unbekannt",
    "void",
];

/// Returns whether a folded value says nothing.
pub fn is_nothing(folded: &str) -> bool {
    NOTHING.contains(&folded)
}

/// Returns the digits of a phone number by which two ways of writing it are one: the last nine, which no
/// country code and no trunk zero reaches; all of a shorter number. Nothing for numbers that nobody has.
pub fn phone(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    // An extension is not part of the number: `wew. 12`, `ext 12`, `x12`.
    let cut = ["wew", "ext", "int.", "durchwahl", "app", "#", "x"]
        .iter()
        .filter_map(|mark| lower.find(mark))
        .min();
    let number = cut.filter(|at| *at >= 7).map_or(lower.as_str(), |at| &lower[..at]);
    let number = number.replace("(0)", "");
    // A spreadsheet's `48600123456.0`.
    let number = number.strip_suffix(".0").unwrap_or(&number);
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    let tail = &digits[digits.len().saturating_sub(9)..];
    (tail.len() >= 6 && !is_made_up(tail)).then(|| tail.to_owned())
}

/// Returns whether a number is one digit repeated or a run such as `123456789`.
fn is_made_up(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    let step = |by: i16| bytes.windows(2).all(|pair| i16::from(pair[1]) - i16::from(pair[0]) == by);
    let distinct = bytes.iter().fold(0_u32, |seen, byte| seen | 1 << (byte & 31)).count_ones();
    step(1)
        || step(-1)
        || distinct < 2
        || (distinct == 2 && bytes.len() >= 8 && bytes[1..].iter().all(|byte| *byte == bytes[1]))
}

/// Returns mailbox and domain of an address in the form that identifies: lower case, without `+tag`, and at
/// Gmail without dots (nobody else there can have them differently).
pub fn email(text: &str) -> Option<(String, String)> {
    let text = text.trim().trim_start_matches("mailto:");
    let text = text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>'));
    // A sign lost or in the wrong place is still an address to compare with.
    let Some((local, domain)) = text.rsplit_once('@').filter(|(_, domain)| domain.contains('.'))
    else {
        let looks_like_one = text.len() >= 8 && text.contains('.') && !text.contains([' ', '/']);
        return looks_like_one.then(|| (text.to_lowercase(), String::new()));
    };
    let mut local = deunicode::deunicode(local.trim()).to_ascii_lowercase();
    if let Some(plus) = local.find('+').filter(|at| *at > 0) {
        local.truncate(plus);
    }
    let domain = domain.trim().trim_end_matches(['.', ',', ';']).to_lowercase();
    let domain = if domain == "googlemail.com" { "gmail.com".to_owned() } else { domain };
    if domain == "gmail.com" {
        local.retain(|c| c != '.');
    }
    let is_junk = |name: &str| {
        matches!(
            name,
            "test"
                | "none"
                | "noemail"
                | "brak"
                | "a"
                | "asd"
                | "x"
                | "no"
                | "nomail"
                | "email"
                | "mail"
                | "anonymous"
                | "null"
        )
    };
    let company = domain.split('.').next().unwrap_or_default();
    let is_junk = is_junk(&local)
        && (is_junk(company) || company == "example" || company == local || local == "test");
    (!local.is_empty() && domain.contains('.') && !is_junk).then_some((local, domain))
}

/// Returns the domain of a web address, without `www.`.
pub fn domain(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let bare = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let host = bare.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    (host.contains('.') && host.len() > 3).then(|| host.to_owned())
}

/// Returns year, month and day of a date in one of the usual orders; 0 where a part is not told.
///
/// `1980-05-01`, `19800501`, `1.5.1980`, `05/01/1980` (a part over 12 decides, else day first), `1980`.
pub fn date_parts(text: &str) -> Option<[u16; 3]> {
    let text = text.split(['T', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> =
        text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    if !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'/')) {
        return None;
    }
    let number = |part: &str| part.parse::<u16>().ok();
    let [year, month, day] = match parts[..] {
        [whole] if whole.len() == 8 => eight_digits(whole)?,
        [year] if year.len() == 4 => [number(year)?, 0, 0],
        [first, second, third] if first.len() == 4 => {
            [number(first)?, number(second)?, number(third)?]
        }
        [first, second, third] if third.len() == 4 => {
            let (a, b) = (number(first)?, number(second)?);
            let (day, month) = if b > 12 { (b, a) } else { (a, b) };
            [number(third)?, month, day]
        }
        _ => return None,
    };
    // Dates with slips in them are still compared; what can be no date at all is not.
    ((1000..=2999).contains(&year) && month <= 99 && day <= 99).then_some([year, month, day])
}

/// Reads `19800521`, else `05211980` or `21051980`: whichever can be a date; the first where none can.
fn eight_digits(text: &str) -> Option<[u16; 3]> {
    let number = |from: usize, to: usize| text[from..to].parse::<u16>().ok();
    let year_first = [number(0, 4)?, number(4, 6)?, number(6, 8)?];
    let (a, b) = (number(0, 2)?, number(2, 4)?);
    let (day, month) = if b > 12 { (b, a) } else { (a, b) };
    let year_last = [number(4, 8)?, month, day];
    let can_be = |[year, month, day]: [u16; 3]| {
        (1800..=2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
    };
    Some(if !can_be(year_first) && can_be(year_last) { year_last } else { year_first })
}

/// Returns a number or code in capital letters and digits, without the `.0` of spreadsheets.
pub fn code(text: &str) -> Option<String> {
    let text = text.strip_suffix(".0").unwrap_or(text);
    let code: String = fold(text).chars().filter(|c| *c != ' ').collect();
    let is_blank = is_nothing(&code)
        || (code.len() > 3 && code.bytes().all(|byte| byte == code.as_bytes()[0]));
    (!is_blank).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        for text in [
            "+48 600 123 456",
            "0048600123456",
            "600-123-456",
            "600123456 wew. 12",
            "48600123456.0",
            "+48 (0)600123456",
        ] {
            assert_eq!(phone(text).as_deref(), Some("600123456"), "{text}");
        }
        assert_eq!(phone("310/246-1501").as_deref(), Some("102461501"));
        assert_eq!(phone("3865286").as_deref(), Some("3865286"));
        for text in ["", "000000000", "123456789", "555 555 55 55", "0", "12", "brak"] {
            assert_eq!(phone(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_lose_what_does_not_identify() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let expected = expected.map(|(local, domain)| (local.to_owned(), domain.to_owned()));
            assert_eq!(email(text), expected, "{text}");
        };
        check("Anna.Lis+news@GoogleMail.com", Some(("annalis", "gmail.com")));
        check("Anna Lis <anna.lis@przyklad.pl>", Some(("anna.lis", "przyklad.pl")));
        for junk in [
            "test@test.com",
            "a@a.com",
            "brak@brak.pl",
            "none@none.com",
            "noemail@example.com",
            "x",
            "@",
            "a@b",
        ] {
            check(junk, None);
        }
        check("test@przyklad.pl", None);
    }

    #[test]
    fn dates_are_read_in_the_usual_orders() {
        let check = |text: &str, expected: Option<[u16; 3]>| {
            assert_eq!(date_parts(text), expected, "{text}");
        };
        check("1980-05-01", Some([1980, 5, 1]));
        check("19800501", Some([1980, 5, 1]));
        check("1.5.1980", Some([1980, 5, 1]));
        check("05/21/1980", Some([1980, 5, 21]));
        check("1980", Some([1980, 0, 0]));
        for text in ["", "600123456", "Nowak", "12345678", "1980-05", "5 May 1980"] {
            check(text, if text == "12345678" { Some([1234, 56, 78]) } else { None });
        }
    }

    #[test]
    fn folding_keeps_words_apart() {
        assert_eq!(fold("  Müller-Łoś & O'Brien, S.A. "), "muller los obrien s a");
        assert_eq!(code("PL 525-22-48.481").as_deref(), Some("pl5252248481"));
        assert_eq!(code("0000"), None);
        assert_eq!(domain("https://www.Przyklad.pl/kontakt?x=1").as_deref(), Some("przyklad.pl"));
        assert_eq!(domain("brak"), None);
    }
}
