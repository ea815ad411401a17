//! Company names, their legal forms, and Polish tax numbers.

use std::sync::LazyLock;

use regex::Regex;

use super::text::{narrow, unescape, unguard};
use crate::model::field::{self, FieldNo};
use crate::rules::field::fold_header;
use crate::rules::tables::Tables;

/// Labels of numbers that people write behind a company's name.
static NUMBERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)[\s,;:|/(\[–-]*\b(NIP|REGON|KRS)\b(?:[\s:.-]|\bUE\b|\bEU\b|\bnr\b|\bnumer\b|\bPL)*((?:\d[\s-]?){7,14})[)\]]?",
    )
    .ok()
});

/// Weights of the check digit of a NIP (Dz.U. 1995 nr 142 poz. 702).
const NIP_WEIGHTS: [u32; 9] = [6, 5, 7, 2, 3, 4, 5, 6, 7];
/// Weights of the check digit of a REGON of 9 digits (Dz.U. 1999 nr 69 poz. 763); a sum of 10 gives 0.
const REGON_WEIGHTS: [u32; 8] = [8, 9, 2, 3, 4, 5, 6, 7];
/// Weights of the check digit of a REGON of 14 digits, a local unit's.
const REGON_LONG_WEIGHTS: [u32; 13] = [2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8];

/// Folded words that open the name of a Polish company or institution and nobody's own.
const OPENINGS: &[&str] = &[
    "fhu",
    "f h u",
    "phu",
    "p h u",
    "pphu",
    "p p h u",
    "ppuh",
    "p p u h",
    "phup",
    "pth",
    "f h",
    "firma",
    "firma handlowa",
    "biuro",
    "kancelaria",
    "urzad",
    "szkola",
    "gmina",
    "powiat",
    "starostwo",
    "przedszkole",
    "zlobek",
    "zespol szkol",
    "zaklad",
    "hurtownia",
    "sklep",
    "salon",
    "fundacja",
    "stowarzyszenie",
    "parafia",
    "wspolnota mieszkaniowa",
    "spoldzielnia",
    "hotel",
    "restauracja",
    "apteka",
    "przychodnia",
    "gabinet",
    "przedsiebiorstwo",
    "grupa",
    "studio",
    "agencja",
    "centrum",
    "gospodarstwo rolne",
    "warsztat",
];

/// Returns the name with tidy blanks and quotes; quotes around the whole name go.
pub fn tidy(raw: &str) -> String {
    let text = unguard(raw);
    let text = unescape(&text);
    let straight: String =
        text.chars().map(|c| if "„”“«»‟".contains(c) { '"' } else { c }).collect();
    let inner = straight.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let bare = inner.filter(|inner| !inner.contains('"')).unwrap_or(&straight);
    bare.trim().trim_end_matches([',', ';']).trim_end().to_owned()
}

/// Returns the name without numbers that carry a label, and these: `Firma sp. z o.o., NIP 526-000-12-46`.
pub fn split_numbers(name: &str) -> (String, Vec<(FieldNo, String)>) {
    let Some(numbers) = NUMBERS.as_ref().filter(|numbers| numbers.is_match(name)) else {
        return (name.to_owned(), Vec::new());
    };
    let labelled = |found: regex::Captures<'_>| {
        let (number, digits_max) = match found[1].to_ascii_uppercase().as_str() {
            "NIP" => (field::NIP, 10),
            "REGON" => (field::REGON, 14),
            _ => (field::KRS, 10),
        };
        let digits = found[2].chars().filter(char::is_ascii_digit).take(digits_max).collect();
        (number, digits)
    };
    let found = numbers.captures_iter(name).map(labelled).collect();
    let bare = numbers.replace_all(name, " ");
    (tidy(bare.trim_matches([' ', ',', ';', '-', '–', '|'])), found)
}

/// Returns the folded name without legal forms: what two spellings of one company share.
///
/// A name that is nothing but a legal form is returned whole.
pub fn core_name(name: &str, tables: &Tables) -> String {
    let folded = fold_header(name);
    let words: Vec<&str> = folded.split(' ').collect();
    words[..split(&words, tables).core_len].join(" ")
}

/// Returns the legal form in `name` in its usual spelling (`sp. z o.o.`, `GmbH & Co. KG`); several that
/// stand in a row come together, as in `sp. z o.o. w likwidacji`.
pub fn legal_form(name: &str, tables: &Tables) -> Option<String> {
    let folded = fold_header(name);
    let words: Vec<&str> = folded.split(' ').collect();
    let forms = split(&words, tables).forms;
    (!forms.is_empty()).then(|| forms.join(" "))
}

/// Returns the company that stands where a person's name was asked for: `„Firma” Sp. z o.o.`.
///
/// Only forms that are nobody's initials tell: `S.A.` and `AG` stand behind people's names, too.
pub fn in_name(raw: &str, tables: &Tables) -> Option<String> {
    const SURE: &[&str] = &["gmbh", "ltd", "llc", "inc", "spzoo", "sro"];
    let name = tidy(raw);
    let folded = fold_header(&name);
    let words: Vec<&str> = folded.split(' ').collect();
    let opens =
        |phrase: &&str| folded.strip_prefix(phrase).is_some_and(|rest| rest.starts_with(' '));
    if OPENINGS.iter().any(opens) {
        return Some(name);
    }
    let form = &words[split(&words, tables).core_len..];
    let is_sure = match form {
        [] | ["s", "a" | "c"] => false,
        [only] => SURE.contains(only),
        _ => true,
    };
    is_sure.then_some(name)
}

/// A folded company name taken apart.
struct Split<'a> {
    /// How many words stand before the legal form.
    core_len: usize,
    forms: Vec<&'a str>,
}

fn split<'a>(words: &[&str], tables: &'a Tables) -> Split<'a> {
    let mut forms = Vec::new();
    let mut end = words.len();
    while let Some((len, form)) = legal_form_at_end(&words[..end], tables)
        && len < end
    {
        // Who writes a form twice means it once.
        if forms.first() != Some(&form) {
            forms.insert(0, form);
        }
        end -= len;
    }
    if forms.is_empty()
        && let Some((at, form)) = legal_form_inside(words, tables)
    {
        return Split { core_len: at, forms: vec![form] };
    }
    Split { core_len: end, forms }
}

fn legal_form_at_end<'a>(words: &[&str], tables: &'a Tables) -> Option<(usize, &'a str)> {
    let longest = tables.legal_form_words_max().min(words.len());
    (1..=longest).rev().find_map(|len| {
        let form = tables.legal_form(&words[words.len() - len..].join(" "))?;
        Some((len, form))
    })
}

/// Finds a form that a place or a branch follows: `Łęcka sp. z o.o., Oddział w Krakowie`.
///
/// Only forms of three words and more: shorter ones are initials as often.
fn legal_form_inside<'a>(words: &[&str], tables: &'a Tables) -> Option<(usize, &'a str)> {
    let longest = tables.legal_form_words_max();
    (1..words.len()).find_map(|at| {
        (3..=longest.min(words.len() - at)).rev().find_map(|len| {
            let form = tables.legal_form(&words[at..at + len].join(" "))?;
            Some((at, form))
        })
    })
}

/// Returns the digits of an identification number written with blanks, dashes, dots, a label or the
/// `.0` of a spreadsheet; nothing where other signs stand between them.
fn digits(raw: &str, labels: &[&str]) -> Option<Vec<u32>> {
    let text = unguard(raw);
    let upper = narrow(&text).to_uppercase().replace(['–', '—', '‑'], "-");
    let mut bare = upper.trim_start_matches([' ', ':', '.', '-']);
    while let Some(rest) = labels.iter().find_map(|label| bare.strip_prefix(label)) {
        bare = rest.trim_start_matches([' ', ':', '.', '-']);
    }
    let bare = bare.strip_suffix(".0").or_else(|| bare.strip_suffix(",0")).unwrap_or(bare);
    if !bare.bytes().all(|byte| byte.is_ascii_digit() || b" -.".contains(&byte)) {
        return None;
    }
    let digits: Vec<u32> = bare.chars().filter_map(|c| c.to_digit(10)).collect();
    // One digit throughout passes some checksums, and nobody has it.
    let is_made_up = digits.iter().all(|digit| Some(digit) == digits.first());
    (!is_made_up).then_some(digits)
}

fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    weights.iter().zip(digits).map(|(weight, digit)| weight * digit).sum::<u32>() % 11
}

fn written(digits: &[u32]) -> String {
    digits.iter().filter_map(|digit| char::from_digit(*digit, 10)).collect()
}

/// Returns the ten digits of a NIP when its check digit is right.
///
/// A country's letters other than `PL` make it the tax number of another country, and so no NIP.
pub fn nip(raw: &str) -> Option<String> {
    let digits = digits(raw, &["NIP", "VAT", "UE", "EU", "PL", "ID", "NR", "NUMER"])?;
    let is_right = digits.len() == 10 && weighted(&digits, &NIP_WEIGHTS) == digits[9];
    is_right.then(|| written(&digits))
}

/// Returns the 9 or 14 digits of a REGON when its check digits are right.
///
/// Zeros that a spreadsheet took off the front come back when the check digit then fits.
pub fn regon(raw: &str) -> Option<String> {
    let mut digits = digits(raw, &["REGON", "NR", "NUMER"])?;
    let len = match digits.len() {
        7..=9 => 9,
        12..=14 => 14,
        _ => return None,
    };
    while digits.len() < len {
        digits.insert(0, 0);
    }
    let is_right =
        |digits: &[u32], weights: &[u32]| weighted(digits, weights) % 10 == digits[weights.len()];
    let is_regon =
        is_right(&digits, &REGON_WEIGHTS) && (len == 9 || is_right(&digits, &REGON_LONG_WEIGHTS));
    is_regon.then(|| written(&digits))
}

/// Returns the ten digits of a number in the court register, with the zeros that stand in front.
///
/// It has no check digit; a number of fewer than ten digits has lost its zeros to a spreadsheet, and
/// numbers are given out in sequence, far below the seventh place, so longer ones are slips.
pub fn krs(raw: &str) -> Option<String> {
    let digits = digits(raw, &["KRS", "NR", "NUMER"])?;
    let is_krs = (4..=10).contains(&digits.len()) && (digits.len() < 8 || digits.starts_with(&[0]));
    is_krs.then(|| format!("{:0>10}", written(&digits)))
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
    fn a_company_is_told_from_a_person() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(in_name(name, shipped()).as_deref(), expected, "{name}");
        };
        check("„Firma” Sp. z o.o.", Some("\"Firma\" Sp. z o.o."));
        check("Kowalski i Synowie sp. k.", Some("Kowalski i Synowie sp. k."));
        check("Muster GmbH", Some("Muster GmbH"));
        check("F.H.U. Janex Jan Kowalski", Some("F.H.U. Janex Jan Kowalski"));
        check("Urząd Gminy Nowa Wieś", Some("Urząd Gminy Nowa Wieś"));
        check("Biuro Rachunkowe Nowak", Some("Biuro Rachunkowe Nowak"));
        for person in [
            "Biuro",
            "Firmin Nowak",
            "Grupa",
            "Jan Kowalski",
            "Kumar S. A.",
            "Inc",
            "Anna Sp",
            "Ewa Ag",
            "Łęcka Anna",
        ] {
            check(person, None);
        }
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

    #[track_caller]
    fn check_form(raw: &str, expected: Option<&str>) {
        assert_eq!(legal_form(raw, shipped()).as_deref(), expected, "{raw:?}");
    }

    #[test]
    fn the_legal_form_has_one_spelling() {
        for raw in [
            "Łęcka sp. z o.o.",
            "Łęcka Sp.z o.o",
            "ŁĘCKA SP. Z O. O.",
            "Łęcka spzoo",
            "Łęcka sp.zo.o. Sp. z o.o.",
            "Łęcka Spółka z o.o.",
            "Łęcka Spółka z ograniczoną odpowiedzialnością",
            "Łęcka sp. z o.o., Oddział w Krakowie",
        ] {
            check_form(raw, Some("sp. z o.o."));
        }
        check_form("Łęcka sp. z o.o. sp.k.", Some("sp. z o.o. sp.k."));
        check_form("Łęcka sp. z o.o. w likwidacji", Some("sp. z o.o. w likwidacji"));
        check_form("Łęcka S.A.", Some("S.A."));
        check_form("Łęcka P.S.A.", Some("P.S.A."));
        check_form("Hotel & Spa", None);
        check_form("Łęcka S.p.A.", Some("S.p.A."));
        check_form("Łęcka V.O.F.", Some("V.O.F."));
        check_form("Example p.l.c.", Some("PLC"));
        check_form("Łęcka Sp.zo.o.", Some("sp. z o.o."));
        check_form("Łęcka i Wspólnicy s.c.", Some("s.c."));
        check_form("Łęcka Sp. J.", Some("sp.j."));
        check_form("Bau & Söhne GmbH & Co. KG", Some("GmbH & Co. KG"));
        check_form("Example Ltd.", Some("Ltd"));
        check_form("Example L.L.C.", Some("LLC"));
        check_form("Łęcka", None);
        check_form("S.A.", None);
        check_form("", None);
        assert_eq!(core_name("Łęcka sp. z o.o., Oddział w Krakowie", shipped()), "lecka");
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
        check_nip("PL5260001246", Some("5260001246"));
        check_nip("NIP: 526-000-12-46", Some("5260001246"));
        check_nip("nip pl 526 000 12 46", Some("5260001246"));
        check_nip("5260001246.0", Some("5260001246"));
        check_nip("DE5260001246", None);
        check_nip("5260001247", None);
        check_nip("0000000000", None);
        check_nip("526000124", None);
        check_nip("5260001246 lub inny", None);
        check_nip("526–000–12–46", Some("5260001246"));
        check_nip("５２６０００１２４６", Some("5260001246"));
    }

    #[test]
    fn numbers_behind_a_name_are_set_apart() {
        let check = |raw: &str, name: &str, expected: &[(FieldNo, &str)]| {
            let (bare, found) = split_numbers(raw);
            let found: Vec<(FieldNo, &str)> =
                found.iter().map(|(number, digits)| (*number, digits.as_str())).collect();
            assert_eq!((&*bare, &found[..]), (name, expected), "{raw}");
        };
        let nip = [(field::NIP, "5252248481")];
        check("Firma Sp. z o.o. NIP 525-22-48-481", "Firma Sp. z o.o.", &nip);
        check("Firma sp.j., NIP: 5252248481", "Firma sp.j.", &nip);
        check("Firma (NIP PL 525 224 84 81)", "Firma", &nip);
        check("NIP 5252248481 Firma S.A.", "Firma S.A.", &nip);
        check("Firma NIP: 5252248481, 00-950 Warszawa", "Firma , 00-950 Warszawa", &nip);
        check("nip 5252248481", "", &nip);
        check(
            "Firma, NIP 5252248481, REGON 123456785, KRS 0000123456",
            "Firma",
            &[(field::NIP, "5252248481"), (field::REGON, "123456785"), (field::KRS, "0000123456")],
        );
        check("Nipponex 123 sp. z o.o.", "Nipponex 123 sp. z o.o.", &[]);
        check("Snip 5252248481", "Snip 5252248481", &[]);
    }

    #[test]
    fn a_regon_needs_its_check_digits() {
        let check = |raw: &str, expected: Option<&str>| {
            assert_eq!(regon(raw).as_deref(), expected, "{raw:?}");
        };
        check("123456785", Some("123456785"));
        check("REGON 123-456-785", Some("123456785"));
        check("12345678512347", Some("12345678512347"));
        check("123456786", None);
        check("12345678512348", None);
        check("000000000", None);
        check("023456788", Some("023456788"));
        check("23456788", Some("023456788"));
        check("23456789", None);
        check("1234", None);
    }

    #[test]
    fn a_krs_has_its_zeros() {
        let check = |raw: &str, expected: Option<&str>| {
            assert_eq!(krs(raw).as_deref(), expected, "{raw:?}");
        };
        check("KRS 0000123456", Some("0000123456"));
        check("123456", Some("0000123456"));
        check("1234567890", None);
        check("12", None);
        check("123456 lub inny", None);
    }
}
