//! Letters that were garbled before the export was made: repaired where that is sure, else pointed out.
//!
//! Two accidents are common. UTF-8 was read as windows-1250 or windows-1252 (`Ĺ‚Ăłd`, `WÃ³jcik`): undoing
//! it is sure when the signs make valid UTF-8 of letters that people write, which real text hardly ever
//! does by chance. And windows-1250 was read as windows-1252 (`£ódŸ`, `Paw³owski`): undoing it is sure where
//! a sign stands inside a word in which nobody puts it. Real text of other languages stays as it is.

use std::borrow::Cow;

use encoding_rs::{WINDOWS_1250, WINDOWS_1252};

use super::codepage::{SURE, weight};
use crate::model::outcome::Notice;
use crate::model::row::{Cell, Role};

/// Text may have been garbled more than once, seldom more than twice.
const ROUNDS_MAX: usize = 3;

const UTF8_AS_LEGACY: &str = "UTF-8 was read as windows-1250 or windows-1252";
const POLISH_AS_WESTERN: &str = "windows-1250 was read as windows-1252";

/// What stands where a character could not be read.
const LOST: char = '\u{fffd}';
/// Every letter of two bytes starts with one of these signs, and typographic signs with `â`.
const OF_UTF8: [char; 11] = ['Ã', 'Ä', 'Å', 'Â', 'Ă', 'Ĺ', 'â', 'ð', 'đ', 'ď', 'ï'];
/// What windows-1252 shows for Polish letters of windows-1250 and few people write.
const OF_WINDOWS_1250: [char; 9] = ['³', '¹', '¿', '£', '¯', 'Ÿ', '¥', 'œ', 'Œ'];

/// What is to be said about a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    /// What the text was, and what had happened to it.
    Repaired(String, &'static str),
    /// It is garbled, and more than one text could have been behind it.
    Garbled,
    /// Characters were replaced by U+FFFD: nothing tells which they were.
    Lost,
}

/// Repairs the texts of a row's cells; returns what was done to which, with the text as received.
pub(super) fn mend(cells: &mut [Cell]) -> Vec<Notice> {
    let mut notices = Vec::new();
    if !cells.iter().any(|cell| may_be_garbled(&cell.text)) {
        return notices;
    }
    // The cells of a row went the same way: one that is sure about it speaks for the others.
    let is_western = cells.iter().any(|cell| !cell.text.is_ascii() && has_foreign_sign(&cell.text));
    for cell in cells.iter_mut().filter(|cell| !cell.text.is_ascii() && cell.role != Role::Answer) {
        let found = find(&cell.text).or_else(|| {
            let text = is_western.then(|| polish_behind(&cell.text)).flatten()?;
            Some(Finding::Repaired(text, POLISH_AS_WESTERN))
        });
        let Some(found) = found else { continue };
        let (code, message) = match &found {
            Finding::Repaired(text, cause) => (
                "text-repaired",
                format!("its letters were garbled before the export ({cause}); it was read as `{text}`"),
            ),
            Finding::Garbled => (
                "text-garbled",
                "its letters were garbled before the export and cannot be told for sure; correct them \
                 where the text comes from"
                    .to_owned(),
            ),
            Finding::Lost => (
                "text-lost",
                "letters were lost before the export and stand as `\u{fffd}`; correct them where the text \
                 comes from"
                    .to_owned(),
            ),
        };
        let column = cell.column.to_string();
        notices.push(Notice { code, column, value: cell.text.clone(), message });
        if let Finding::Repaired(text, _) = found {
            cell.text = text;
        }
    }
    notices
}

/// Returns whether `text` holds any sign that [`find`] and [`has_foreign_sign`] begin with; by its bytes, since
/// every row is asked.
fn may_be_garbled(text: &str) -> bool {
    let is_sign = |pair: &[u8]| {
        matches!(
            pair,
            [0xC2, ..]
                | [0xC3, 0x82..=0x85 | 0xA2 | 0xAF | 0xB0]
                | [0xC4, 0x82 | 0x8F | 0x91 | 0xB9]
                | [0xC5, 0x92 | 0x93 | 0xB8]
                | [0xEF, 0xBF]
        )
    };
    !text.is_ascii() && text.as_bytes().windows(2).any(is_sign)
}

/// Returns `text` repaired where that is sure.
pub(super) fn mended(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    match find(text) {
        Some(Finding::Repaired(text, _)) => Cow::Owned(text),
        _ => Cow::Borrowed(text),
    }
}

fn find(text: &str) -> Option<Finding> {
    if text.contains(LOST) {
        return Some(Finding::Lost);
    }
    let mut found = utf8_behind(text, Reading::Strict);
    for _ in 1..ROUNDS_MAX {
        let so_far = match &found {
            Some(Finding::Repaired(repaired, _)) => Cow::Borrowed(repaired.as_str()),
            // What was garbled twice is signs that nobody writes after the first undoing.
            _ => match utf8_behind(text, Reading::Lenient) {
                Some(Finding::Repaired(next, _)) => Cow::Owned(next),
                _ => break,
            },
        };
        match utf8_behind(&so_far, Reading::Strict) {
            Some(next @ Finding::Repaired(..)) => found = Some(next),
            _ => break,
        }
    }
    if found.is_some() {
        return found;
    }
    if has_foreign_sign(text) {
        return Some(Finding::Repaired(polish_behind(text)?, POLISH_AS_WESTERN));
    }
    None
}

/// Which characters may come out of undoing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Those that people write.
    Strict,
    /// Any, because they will be undone once more.
    Lenient,
}

/// Undoes UTF-8 read as a legacy encoding, by runs of characters outside ASCII.
fn utf8_behind(text: &str, reading: Reading) -> Option<Finding> {
    if !text.contains(OF_UTF8) {
        return None;
    }
    let mut repaired = String::with_capacity(text.len());
    let (mut found, mut others, mut is_sure) = (0, 0, reading == Reading::Lenient);
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.find(|c: char| !c.is_ascii()).unwrap_or(rest.len());
        repaired.push_str(&rest[..plain]);
        rest = &rest[plain..];
        let length = rest.find(|c: char| c.is_ascii()).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(length);
        rest = behind;
        if run.is_empty() {
            continue;
        }
        let is_written = |letters: &String| {
            reading == Reading::Lenient
                || letters.chars().all(is_written) && fits_case(&repaired, letters, behind)
        };
        match decoded_run(run).filter(is_written) {
            Some(letters) => {
                found += 1;
                is_sure |= letters.chars().any(|c| weight(c) >= SURE || is_pictogram(c));
                repaired.push_str(&letters);
            }
            None => {
                others += 1;
                repaired.push_str(run);
            }
        }
    }
    match (found, others) {
        (0, _) => None,
        (_, 0) if is_sure => Some(Finding::Repaired(repaired, UTF8_AS_LEGACY)),
        (_, 0) => None,
        // Sound letters beside garbled ones: the text was put together from several.
        _ if is_sure => Some(Finding::Garbled),
        _ => None,
    }
}

/// The text whose UTF-8 bytes `run` shows as characters.
fn decoded_run(run: &str) -> Option<String> {
    let as_latin1 = || run.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let encoded = |encoding: &'static encoding_rs::Encoding| {
        let (bytes, _, failed) = encoding.encode(run);
        (!failed).then(|| bytes.into_owned())
    };
    let bytes: Option<Vec<u8>> =
        encoded(WINDOWS_1250).or_else(|| encoded(WINDOWS_1252)).or_else(as_latin1);
    String::from_utf8(bytes?).ok()
}

fn is_written(c: char) -> bool {
    weight(c) > 0 || is_pictogram(c) || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}')
}

fn is_pictogram(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{27bf}' | '\u{fe0f}' | '\u{1f300}'..='\u{1faff}')
}

/// Returns whether `letters` suit the capitals around them: `RĂŞINARI` is Romanian and no `RêINARI`.
fn fits_case(before: &str, letters: &str, behind: &str) -> bool {
    if !letters.chars().all(char::is_lowercase) {
        return true;
    }
    let mut backwards = before.chars().rev();
    let is_capital = |c: Option<char>| c.is_some_and(char::is_uppercase);
    let (last, second_last) = (backwards.next(), backwards.next());
    let next = behind.chars().next();
    let ends_word = !next.is_some_and(char::is_alphabetic);
    !(is_capital(last) && (is_capital(next) || (ends_word && is_capital(second_last))))
}

/// Returns whether a sign of windows-1252 stands where only a Polish letter can.
fn has_foreign_sign(text: &str) -> bool {
    if !text.contains(OF_WINDOWS_1250) {
        return false;
    }
    let chars: Vec<char> = text.chars().collect();
    // Spanish opens its questions with the sign that `ż` turns into.
    let is_spanish = text.contains(['?', '¡']);
    (0..chars.len()).any(|at| is_foreign_sign(&chars, at, is_spanish))
}

fn is_foreign_sign(chars: &[char], at: usize, is_spanish: bool) -> bool {
    let letter = |index: Option<usize>| {
        index.and_then(|index| chars.get(index)).copied().filter(|c| c.is_alphabetic())
    };
    let (before, after) = (letter(at.checked_sub(1)), letter(Some(at + 1)));
    let is_inside = before.is_some() && after.is_some();
    let is_initial = before.is_none() && after.is_some();
    let is_lower = |c: Option<char>| c.is_some_and(char::is_lowercase);
    match chars[at] {
        // `m³/h` and a footnote's number end a word; inside one they cannot stand.
        '³' => is_inside || (is_initial && is_lower(after)) || ends_given_name(&chars[..at]),
        '¹' | '¥' => is_inside,
        '¿' => before.is_some() && !is_spanish,
        '£' => {
            let word: Vec<char> =
                chars[at + 1..].iter().copied().take_while(|c| c.is_alphabetic()).collect();
            // `£GBP` is an amount; `£ukasz` and `MICHA£` are not.
            let is_word = word.len() > 3 || (word.len() > 1 && !word.iter().all(char::is_ascii));
            let is_amount = chars.get(at + 1).is_some_and(char::is_ascii_digit);
            is_word
                || (is_lower(before) || is_inside || ends_in_capitals(&chars[..at])) && !is_amount
        }
        '¯' => before.is_some() || after.is_some(),
        // No word has a capital behind a small letter.
        'Ÿ' => is_lower(before) && !after.is_some_and(char::is_uppercase),
        // French has œ before other letters, and many of them inside words.
        'œ' if before.is_some() => after.is_some_and(|c| "kwmpz".contains(c)),
        'œ' | 'Œ' => after.is_some_and(|c| "wmlpkrWMLPKR".contains(c)),
        _ => false,
    }
}

/// Given names end in `³` where a footnote's number is not to be expected.
fn ends_given_name(before: &[char]) -> bool {
    let start = before.iter().rposition(|c| !c.is_alphabetic()).map_or(0, |at| at + 1);
    let word: String = before[start..].iter().collect::<String>().to_lowercase();
    ["micha", "pawe", "rafa"].contains(&word.as_str())
}

fn ends_in_capitals(before: &[char]) -> bool {
    let word = before.iter().rev().take_while(|c| c.is_alphabetic());
    before.len() >= 3
        && word.clone().count() >= 3
        && word.clone().all(|c| c.is_uppercase())
        && !before.ends_with(&['E', 'U', 'R'])
        && !before.ends_with(&['G', 'B', 'P'])
}

/// Undoes windows-1250 read as windows-1252; nothing when that changes nothing or cannot have been.
fn polish_behind(text: &str) -> Option<String> {
    let (bytes, _, failed) = WINDOWS_1252.encode(text);
    let polish = WINDOWS_1250.decode_without_bom_handling(&bytes).0;
    (!failed && polish != text).then(|| polish.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(garbled: &str, expected: &str) {
        assert_eq!(mended(garbled), expected, "{garbled:?}");
    }

    const POLISH: &[&str] = &[
        "Łódź",
        "Wójcik",
        "Świętosława",
        "Zażółć gęślą jaźń",
        "ZAŻÓŁĆ GĘŚLĄ JAŹŃ",
        "Michał Żak",
        "Dziękuję, proszę o ofertę – „pilne”",
        "źdźbło",
    ];

    #[test]
    fn every_sign_is_seen_by_its_bytes() {
        for sign in OF_UTF8.into_iter().chain(OF_WINDOWS_1250).chain([LOST]) {
            assert!(may_be_garbled(&format!("a{sign}b")), "{sign}");
        }
        assert!(!may_be_garbled("Zażółć gęślą jaźń, ZAŻÓŁĆ GĘŚLĄ JAŹŃ, Größe, Čeština"));
    }

    #[test]
    fn utf8_read_as_something_else_is_undone() {
        check("Ĺ‚Ăłd", "łód");
        check("WĂłjcik, ĹšwiÄ™ta", "Wójcik, Święta");
        check("WÃ³jcik, ÅšwiÄ™ta", "Wójcik, Święta");
        check("MÃ¼ller, GrÃ¶ÃŸe", "Müller, Größe");
        check("Framsida lÃ¥r", "Framsida lår");
        check("12Â\u{a0}500 â‚¬", "12\u{a0}500 €");
        check("super ðŸ˜€", "super 😀");
        for text in POLISH {
            for encoding in [WINDOWS_1250, WINDOWS_1252] {
                let once = encoding.decode_without_bom_handling(text.as_bytes()).0;
                check(&once, text);
                let twice = encoding.decode_without_bom_handling(once.as_bytes()).0;
                check(&twice, text);
            }
            let latin1: String = text.bytes().map(char::from).collect();
            check(&latin1, text);
        }
    }

    #[test]
    fn polish_read_as_western_is_undone() {
        check("£ódŸ, Œwiêta", "Łódź, Święta");
        check("Paw³owski", "Pawłowski");
        check("Micha³", "Michał");
        check("MICHA£ ¯AK", "MICHAŁ ŻAK");
        check("Gra¿yna Zaj¹c", "Grażyna Zając");
        check("£ukasz", "Łukasz");
        check("Jaœkowiak", "Jaśkowiak");
        for text in ["Łódź", "Świętosława", "Zażółć gęślą jaźń", "Michał Żak"] {
            let bytes = WINDOWS_1250.encode(text).0;
            check(&WINDOWS_1252.decode_without_bom_handling(&bytes).0, text);
        }
    }

    #[test]
    fn real_text_stays() {
        let real = [
            "SPÓŁKA Z O.O.",
            "PÓŁNOC, WRÓŻKA, RÓŻA",
            "Größe Ä–Ö „Ä“ “Ä” MÄ’s",
            "ÄÖÜ, Straße, Äußerst… Ä",
            "Hélène, forêt, cœur, œuvre, phœnix, Œuvres, fœtus, Noël à Besançon",
            "L'HAŸ-LES-ROSES",
            "¿Cuál es tu presupuesto?",
            "Hola¿qué tal?",
            "mañana señor Núñez, ¡olé!",
            "São João, IRMÃ, AMANHÃ\u{a0}…",
            "Příliš žluťoučký kůň úpěl ďábelské ódy",
            "PŘÍLIŠ ŽLUŤOUČKÝ KŮŇ",
            "RĂŞINARI, BĂŞESCU",
            "Søren Ærø på Åland, ÅSE",
            "30 m³/h, 12 cm², Angebot³, Preis¹, x² + y³",
            "£500, £GBP, 20 £, EUR£, ¥1000",
            "¯\\_(ツ)_/¯",
            "Đorđe Šćepanović, țară, Łęcka",
            "Київ, Москва, Αθήνα, 東京, żółw 🐢",
            "zażółć gęślą jaźń – „cudzysłów”",
            "naïve café résumé, Zoë, ïle",
        ];
        for text in real {
            assert_eq!(find(text), None, "{text:?}");
        }
        for text in POLISH {
            assert_eq!(find(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_looked_at_without_harm(text in "\\PC{0,60}") {
            let _ = mended(&text);
        }

        #[test]
        fn polish_german_and_french_words_are_never_touched(
            text in "[a-zA-ZąćęłńóśźżĄĆĘŁŃÓŚŹŻ]{1,12}( [a-zA-ZäöüßÄÖÜ]{1,12})?( [a-zéèàçêôîûâ]{1,12})?"
        ) {
            prop_assert_eq!(mended(&text), text.as_str());
        }
    }

    #[test]
    fn what_cannot_be_told_is_said() {
        assert_eq!(find("Łódź, WÃ³jcik"), Some(Finding::Garbled));
        assert_eq!(find("Micha\u{fffd}"), Some(Finding::Lost));
    }

    #[test]
    fn one_cell_speaks_for_its_row() {
        let cell = |column: &str, text: &str| Cell {
            column: column.into(),
            role: Role::FullName,
            text: text.to_owned(),
        };
        let mut cells =
            [cell("imię", "Wiœniewski"), cell("miasto", "Gda\u{f1}sk"), cell("x", "Paw³owska")];
        let notices = mend(&mut cells);
        let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
        assert_eq!(texts, ["Wiśniewski", "Gdańsk", "Pawłowska"]);
        let said: Vec<(&str, &str, &str)> = notices
            .iter()
            .map(|notice| (notice.code, notice.column.as_str(), notice.value.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                ("text-repaired", "imię", "Wiœniewski"),
                ("text-repaired", "miasto", "Gda\u{f1}sk"),
                ("text-repaired", "x", "Paw³owska"),
            ]
        );
    }
}
