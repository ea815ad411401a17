//! Amounts and counts as people write them.

use std::borrow::Cow;

use super::text::tidy;
use crate::rules::field::fold_header;

/// Words of a limit before a number, folded: it is at least that much,
const AT_LEAST: &[&str] = &[
    "powyzej",
    "ponad",
    "wiecej niz",
    "od",
    "min",
    "minimum",
    "co najmniej",
    "przynajmniej",
    "over",
    "more than",
    "above",
    "from",
    "at least",
    "ab",
    "uber",
    "mehr als",
    "mindestens",
    "desde",
    "mas de",
    "al menos",
    "plus de",
    "au moins",
    "a partir de",
    "des",
];
/// or at most,
const AT_MOST: &[&str] = &[
    "do",
    "ponizej",
    "mniej niz",
    "max",
    "maks",
    "maksymalnie",
    "maximum",
    "najwyzej",
    "up to",
    "under",
    "below",
    "less than",
    "at most",
    "bis",
    "bis zu",
    "unter",
    "weniger als",
    "hochstens",
    "maximal",
    "hasta",
    "menos de",
    "maximo",
    "moins de",
    "jusqu a",
    "jusqu",
];
/// and what follows a number that may be smaller.
const OR_LESS: &[&str] = &["lub mniej", "i mniej", "or less", "or fewer", "oder weniger"];
/// Words between the ends of a range.
const TO: &[&str] = &["do", "to", "bis", "a", "i", "and", "und", "y", "et", "e"];

/// Words between two numbers of which either may be meant.
const OR: &[&str] = &["lub", "albo", "czy", "or", "oder"];
/// Signs and words between how many and how much each: `2 x 5000`.
const TIMES: &[&str] = &["x", "×", "*", "razy", "times", "mal"];
/// More of the same than this is a code or a size, not a count.
const TIMES_MAX: f64 = 100.0;

/// Currencies by the folded words and the signs that name them.
const CURRENCIES: &[(&str, &[&str])] = &[
    ("PLN", &["zl", "pln", "zloty", "zlote", "zlotych", "tpln", "kpln"]),
    ("EUR", &["€", "eur", "euro", "euros", "teur", "keur"]),
    ("USD", &["$", "usd", "dolar", "dolarow", "dolary", "dollar", "dollars"]),
    ("GBP", &["£", "gbp", "funt", "funtow", "funty", "pounds", "pfund"]),
    ("CHF", &["chf", "sfr", "frank", "frankow", "franken"]),
    ("CZK", &["czk", "kc", "koron czeskich"]),
    ("UAH", &["₴", "uah", "hrn", "hrywien"]),
    ("SEK", &["sek"]),
    ("NOK", &["nok"]),
    ("DKK", &["dkk"]),
    ("HUF", &["huf", "ft", "forint"]),
    ("RON", &["ron", "lei"]),
];

/// Short names of months into which a spreadsheet turns `1-5`.
const MONTHS: &[&str] = &[
    "sty", "lut", "mar", "kwi", "maj", "cze", "lip", "sie", "wrz", "paz", "lis", "gru", "jan",
    "feb", "apr", "may", "mai", "jun", "jul", "aug", "sep", "oct", "okt", "nov", "dec", "dez",
];

/// An amount or a count, in plain text with a dot for decimals and no trailing zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// The number; of a range its lower bound, of a limit alone that limit.
    pub value: String,
    /// The upper bound, where one was given.
    pub upper: Option<String>,
    /// ISO 4217 code of the currency named beside it.
    pub currency: Option<&'static str>,
    /// Whether it was multiplied out, as in `2 x 5000`.
    pub is_product: bool,
}

/// Returns the number in `raw` as plain text; see [`amount`].
pub fn parse(raw: &str) -> Option<String> {
    let text = tidy(raw);
    if !text.is_empty() && text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(plain(text.parse().ok()?));
    }
    Some(amount(&text)?.value)
}

/// Returns what `raw` says of money; see [`amount`]. A small `m` is a million then.
pub fn money(raw: &str) -> Option<Amount> {
    read(raw, true)
}

/// Returns what `raw` says of an amount: number, bounds and currency.
///
/// Thousands may be parted by blanks, dots, commas or apostrophes; `tys.`, `k`, `mln` multiply; `~`, `+` and
/// words are read or dropped. Text without digits, a date, a range that a spreadsheet made one, and `1/2`, which
/// is a range or a half, is `None`.
pub fn amount(raw: &str) -> Option<Amount> {
    read(raw, false)
}

fn read(raw: &str, is_money: bool) -> Option<Amount> {
    let text = tidy(raw);
    let text = unslugged(&text);
    if is_mangled_range(&text) || is_fraction(&text) || is_in_parts(&text) {
        return None;
    }
    let start = number_start(&text)?;
    let before = &text[..start];
    let currency = currency(&text);
    let is_money = is_money || currency.is_some();
    let (digits, rest) = take_digits(&text[start..]);
    let (number, rest) = scientific(separated(&digits)?, rest);
    if let Some(each) = product(rest, number) {
        let amount = read(each, is_money)?;
        let times = |value: &str| Some(plain(value.parse::<f64>().ok()? * number));
        let upper = amount.upper.as_deref().map(times);
        let value = times(&amount.value)?;
        return Some(Amount { value, upper: upper.flatten(), currency, is_product: true });
    }
    let unit = factor(rest, is_money).or_else(|| factor_before(before));
    let upper = upper_bound(rest, is_money);
    let (mut value, mut highest) = (number * unit.unwrap_or(1.0), upper.map(|(bound, _)| bound));
    // Both ends of `10-50 tys.` are thousands.
    if let Some((bound, Some(shared))) = upper
        && unit.is_none()
        && number * shared <= bound
    {
        value = number * shared;
    }
    if highest.is_some_and(|bound| bound < value) {
        highest = None;
    }
    if highest.is_none() && is_at_most(before, rest) {
        highest = Some(value);
    }
    let is_about = ["+-", "+/-", "-/+"].iter().any(|sign| before.ends_with(sign));
    // A dash with a blank behind it opens a list.
    if before.ends_with(['-', '\u{2212}']) && !is_about {
        (value, highest) = (-value, None);
    }
    if !value.is_finite() || value.abs() >= 1e15 {
        return None;
    }
    let upper = highest.filter(|bound| *bound < 1e15).map(plain);
    Some(Amount { value: plain(value), upper, currency, is_product: false })
}

/// Returns `text` with blanks for the underscores of a slug: Meta writes the choice `10 000 - 20 000 zł` as
/// `10_000_-_20_000_zł`.
fn unslugged(text: &str) -> Cow<'_, str> {
    if !text.contains('_') {
        return Cow::Borrowed(text);
    }
    let words: Vec<&str> = text.split(['_', ' ']).filter(|word| !word.is_empty()).collect();
    Cow::Owned(words.join(" "))
}

/// Returns where the first number of `text` begins: at a digit, or at the mark of `.5`.
fn number_start(text: &str) -> Option<usize> {
    let digit = text.find(|c: char| c.is_ascii_digit())?;
    let opens = matches!(text[..digit].chars().next_back(), Some('.' | ','))
        && text[..digit - 1].chars().next_back().is_none_or(char::is_whitespace);
    Some(if opens { digit - 1 } else { digit })
}

/// Multiplies `number` by the power of ten with which `rest` goes on, as in `1,5E+06`.
fn scientific(number: f64, rest: &str) -> (f64, &str) {
    let Some(tail) = rest.strip_prefix(['e', 'E']) else { return (number, rest) };
    let figures = tail.strip_prefix('+').unwrap_or(tail);
    let end = figures.find(|c: char| !c.is_ascii_digit()).unwrap_or(figures.len());
    match figures[..end].parse::<u8>() {
        Ok(power) if power < 15 => (number * 10_f64.powi(i32::from(power)), &figures[end..]),
        _ => (number, rest),
    }
}

/// Returns whether `text` is `1/2`: two small numbers that a slash parts.
fn is_fraction(text: &str) -> bool {
    let (digits, rest) = take_digits(text);
    let Some(rest) = rest.trim_start().strip_prefix('/') else { return false };
    let (others, rest) = take_digits(rest.trim_start());
    digits.len() == 1 && others.len() == 1 && factor(rest, false).is_none()
}

/// Returns whether slashes or hyphens part more than two numbers, as in `10/20/30`, a date or a phone number.
fn is_in_parts(text: &str) -> bool {
    ['/', '-'].iter().any(|mark| {
        let third = (0..2).try_fold(text, |rest, _| {
            let (digits, after) = take_digits(rest);
            let next = after.trim_start().strip_prefix(*mark).filter(|_| !digits.is_empty())?;
            Some(next.trim_start())
        });
        third.is_some_and(|third| third.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Returns how much each is, where `rest` goes on so behind the `count`.
fn product(rest: &str, count: f64) -> Option<&str> {
    let rest = rest.trim_start();
    let word = TIMES.iter().find(|word| {
        rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    })?;
    let each = rest[word.len()..].trim_start();
    let starts =
        each.trim_start_matches(['$', '€', '£', ' ']).starts_with(|c: char| c.is_ascii_digit());
    (starts && (2.0..=TIMES_MAX).contains(&count) && count.fract() == 0.0).then_some(each)
}

/// Returns the ISO 4217 code of the one currency that `text` names.
pub fn currency(text: &str) -> Option<&'static str> {
    let signs =
        |sign: &str| !sign.is_ascii() && text.contains(sign) || sign == "$" && text.contains('$');
    // `15tys.zł` and `100eur` have no blanks between figures and words.
    let apart: String =
        text.chars().map(|c| if c.is_ascii_digit() { ' ' } else { c }).collect::<String>();
    let padded = format!(" {} ", fold_header(&apart));
    let named = |name: &str| padded.contains(&format!(" {name} "));
    let mut found = CURRENCIES
        .iter()
        .filter(|(_, names)| names.iter().any(|name| signs(name) || named(name)))
        .map(|(code, _)| *code);
    found.next().filter(|_| found.next().is_none())
}

/// Returns the ISO 4217 code that `text` is, or that it names in words.
pub fn currency_code(text: &str) -> Option<String> {
    let text = text.trim();
    let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let named = currency(text).map(str::to_owned);
    named.or_else(|| is_code.then(|| text.to_ascii_uppercase()))
}

/// Returns whether a spreadsheet took the range `1-5` for a day: `05.sty`, `5-Jan`, `paź.50`.
pub(super) fn is_mangled_range(text: &str) -> bool {
    let folded = fold_header(text);
    let mut words = folded.split(' ');
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_figure =
        |word: &str| matches!(word.len(), 1..=4) && word.bytes().all(|byte| byte.is_ascii_digit());
    words.next().is_none()
        && (MONTHS.contains(&first) && is_figure(second)
            || is_figure(first) && MONTHS.contains(&second))
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

/// Reads digits whose last separator may be decimal; `12.09.2025` is none that parts thousands.
fn separated(digits: &str) -> Option<f64> {
    let last = digits.rfind(['.', ',']);
    let is_decimal = match last {
        Some(at) => {
            let (mark, decimals) = (&digits[at..=at], digits.len() - at - 1);
            let is_alone = digits.matches(mark).count() == 1;
            if !is_alone && decimals != 3 {
                return None;
            }
            let has_other = digits.contains(if mark == "." { ',' } else { '.' });
            // `1.234` and `1,234` are thousands in a lead's budget; `0,125`, `1234.567` and `1.234,000` are not.
            let is_group = decimals == 3 && !has_other && at <= 3 && !digits.starts_with('0');
            is_alone && !is_group
        }
        None => false,
    };
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

/// Returns what the word after a number multiplies it by. A lone `m` is a million only of money: `120 m` and
/// `120 m²` are metres.
fn factor(rest: &str, is_money: bool) -> Option<f64> {
    let rest = rest.trim_start();
    let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    let word = &rest[..end];
    if rest[end..].starts_with(['²', '³']) {
        return None;
    }
    let folded = fold_header(word);
    match folded.as_str() {
        "k" | "tsd" | "tausend" | "thousand" | "teur" | "keur" | "tpln" | "kpln" | "kusd" => {
            Some(1e3)
        }
        "m" if is_money || word == "M" => Some(1e6),
        "mln" | "mio" | "million" | "millions" | "millionen" => Some(1e6),
        "mld" | "mrd" | "bn" | "billion" => Some(1e9),
        tys if tys.starts_with("tys") => Some(1e3),
        milion if milion.starts_with("milion") => Some(1e6),
        miliard if miliard.starts_with("miliard") => Some(1e9),
        _ => None,
    }
}

/// Returns what `k€ 800` and `TEUR 100` say before the number.
fn factor_before(before: &str) -> Option<f64> {
    let lower = before.trim_end().to_lowercase();
    let word = lower.rsplit(' ').next().unwrap_or_default();
    matches!(word, "k€" | "t€" | "keur" | "teur" | "kpln" | "tpln").then_some(1e3)
}

/// Reads the upper end of a range in what follows its lower one; returns it with its unit.
fn upper_bound(rest: &str, is_money: bool) -> Option<(f64, Option<f64>)> {
    let start = rest.find(|c: char| c.is_ascii_digit())?;
    let between = rest[..start].trim_end_matches(['€', '$', '£', ' ']).trim_start();
    let last_word = fold_header(between.rsplit(' ').next().unwrap_or_default());
    let is_range = between.ends_with(['-', '–', '—', '…', '÷'])
        || between.ends_with("..")
        || between == "/"
        || TO.contains(&last_word.as_str())
        || OR.contains(&between.trim_end().to_lowercase().as_str());
    if !is_range {
        return None;
    }
    let (digits, unit) = take_digits(&rest[start..]);
    let unit = factor(unit, is_money);
    Some((separated(&digits)? * unit.unwrap_or(1.0), unit))
}

/// Returns whether the words around a number make it an upper limit.
fn is_at_most(before: &str, after: &str) -> bool {
    let words = fold_header(before);
    let ends_with = |phrases: &[&str]| {
        phrases.iter().any(|phrase| {
            words.strip_suffix(phrase).is_some_and(|rest| rest.is_empty() || rest.ends_with(' '))
        })
    };
    let trailing = fold_header(after);
    !ends_with(AT_LEAST)
        && (before.contains('<')
            || ends_with(AT_MOST)
            || OR_LESS.iter().any(|it| trailing.contains(it)))
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

    #[track_caller]
    fn check_amount(raw: &str, expected: &str) {
        let found = amount(raw).unwrap();
        let upper = found.upper.map(|upper| format!("..{upper}")).unwrap_or_default();
        let currency = found.currency.map(|code| format!(" {code}")).unwrap_or_default();
        assert_eq!(format!("{}{upper}{currency}", found.value), expected, "{raw:?}");
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
        check("15.000,- zł", Some("15000"));
        check("1,00,000", Some("100000"));
        check(".5", Some("0.5"));
        check(",75", Some("0.75"));
        check("ok.5", Some("5"));
        // A spreadsheet shows large amounts in this way.
        check("1E+05", Some("100000"));
        check("1,5E+06", Some("1500000"));
        check("2.5e3", Some("2500"));
        check("5 e-maili", Some("5"));
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
        check("120 m2", Some("120"));
        check("120 m²", Some("120"));
    }

    #[test]
    fn bounds_and_currency_stand_beside_the_number() {
        check_amount("12 500,50 zł", "12500.5 PLN");
        check_amount("10-50 tys. zł", "10000..50000 PLN");
        check_amount("500 tys. - 1 mln EUR", "500000..1000000 EUR");
        check_amount("500-1 mln", "500..1000000");
        check_amount("od 10 do 50 osób", "10..50");
        check_amount("between 10 and 49 employees", "10..49");
        check_amount("€10k–€50k", "10000..50000 EUR");
        check_amount("powyżej 100", "100");
        check_amount("10,001+ employees", "10001");
        check_amount("do 15tys.zł", "15000..15000 PLN");
        check_amount("< 10", "10..10");
        check_amount("5 lub mniej", "5..5");
        check_amount("$1.5M", "1500000 USD");
        check_amount("20 000 EUR albo 85 000 zł", "20000");
        check_amount("1 mln", "1000000");
        check_amount("50-10", "50");
        check_amount("10/20 tys.", "10000..20000");
        check_amount("10 / 20 000 zł", "10..20000 PLN");
        check_amount("2 lub 3", "2..3");
        check_amount("10-15 lub 20", "10..15");
        check_amount("100 TEUR", "100000 EUR");
        check_amount("k€ 800", "800000 EUR");
        check_amount("+/- 50 000", "50000");
        check_amount("- 5000 zł", "5000 PLN");
        check_amount("1.2m", "1.2");
        assert_eq!(money("1.2m").unwrap().value, "1200000");
        assert_eq!(money("1-1.5m").unwrap().upper.as_deref(), Some("1500000"));
    }

    #[test]
    fn slugs_of_choices_are_read_as_what_they_were_made_of() {
        check_amount("10_000_-_20_000_zł", "10000..20000 PLN");
        check_amount("do_10_000_zł", "10000..10000 PLN");
        check_amount("powyżej_50_000_zł", "50000 PLN");
        check_amount("10_tys._zł", "10000 PLN");
        check_amount("50.000_-_100.000_zł", "50000..100000 PLN");
        check_amount("od_10_000_do_20_000_zł", "10000..20000 PLN");
        check_amount("10-20_tys._zł", "10000..20000 PLN");
        check_amount("od_100_tys._do_1_mln_zł", "100000..1000000 PLN");
        check_amount("<_5000_€", "5000..5000 EUR");
        check_amount(">_5000_€", "5000 EUR");
        check_amount("€5.000-€10.000", "5000..10000 EUR");
        check_amount("5.000_€_–_10.000_€", "5000..10000 EUR");
        check_amount("über_10.000_€", "10000 EUR");
        check_amount("$10,000+", "10000 USD");
        check_amount("$10,000_-_$25,000", "10000..25000 USD");
        check_amount("$5k_-_$10k", "5000..10000 USD");
        check_amount("1_000_-_5_000_pracowników", "1000..5000");
        check_amount("10_-_49", "10..49");
        check_amount("powyżej_250_osób", "250");
        check_amount("mniej_niż_10", "10..10");
        check_amount("más_de_250_empleados", "250");
        check_amount("moins_de_5_000_€", "5000..5000 EUR");
        check_amount("de_5_000_à_10_000_€", "5000..10000 EUR");
        check_amount("entre_5.000_y_10.000_€", "5000..10000 EUR");
        check_amount("hasta_5.000_€", "5000..5000 EUR");
        check_amount("jusqu'à_5_000_€", "5000..5000 EUR");
        check_amount("więcej_niż_1_mln", "1000000");
        check_amount("10000_zł_miesięcznie", "10000 PLN");
    }

    #[test]
    fn so_many_times_so_much_is_multiplied_out() {
        check_amount("2 x 5000", "10000");
        check_amount("12x500 zł", "6000 PLN");
        check_amount("2 razy 5 tys. zł", "10000 PLN");
        check_amount("3 × $2,000", "6000 USD");
        check_amount("4 * 1-2 tys.", "4000..8000");
        assert!(amount("2 x 5000").unwrap().is_product);
        assert!(!amount("5000").unwrap().is_product);
        // A size of pictures and screens.
        check_amount("1920x1080", "1920");
    }

    #[test]
    fn a_header_may_name_the_currency() {
        assert_eq!(currency("Budżet (PLN)"), Some("PLN"));
        assert_eq!(currency("Budget in €"), Some("EUR"));
        assert_eq!(currency("Budżet"), None);
    }

    #[test]
    fn words_are_no_number() {
        check("brak", None);
        check("kilka", None);
        check("1/2", None);
        check("10/20/30", None);
        check("12.09.2025", None);
        check("12.09.25", None);
        check("2025-09-12", None);
        check("600-100-200", None);
        check("10 000 000 000 000 000", None);
        check("999 mld mld", Some("999000000000"));
        check("", None);
        check("-", None);
    }

    #[test]
    fn a_range_that_became_a_date_is_lost() {
        for raw in ["05.sty", "5-Jan", "paź.50", "10. Mai", "Nov 50"] {
            check(raw, None);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(raw in "\\PC{0,30}", digits in "[0-9., '’~k+-]{0,20}", words in "[0-9a-zł€$ .-]{0,30}") {
            for text in [&raw, &digits, &words] {
                if let Some(found) = amount(text) {
                    prop_assert!(found.value.parse::<f64>().is_ok_and(f64::is_finite));
                }
            }
        }

        #[test]
        fn an_amount_written_in_any_locale_comes_back(cents in 0_i64..1_000_000_000_000) {
            let (whole, cents) = (cents / 100, cents % 100);
            let grouped = |mark: &str| {
                let digits = whole.to_string();
                let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
                groups.join(mark)
            };
            let expected = plain(whole as f64 + cents as f64 / 100.0);
            for (thousands, decimal) in [(" ", ","), ("\u{a0}", ","), ("\u{202f}", "."), (".", ","), (",", "."), ("'", "."), ("", ",")] {
                let text = format!("{}{decimal}{cents:02} zł", grouped(thousands));
                prop_assert_eq!(parse(&text), Some(expected.clone()), "{:?}", text);
            }
        }
    }
}
