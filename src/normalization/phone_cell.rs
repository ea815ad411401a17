//! What stands about the numbers in a phone cell: labels, hours, lists, letters typed for figures.

use std::borrow::Cow;

use crate::rules::field::fold_header;

/// Words before or behind a number that takes no calls, folded.
const FAX: &[&str] =
    &["fax", "faks", "telefax", "telefaks", "faksu", "faxu", "faksem", "fx", "telefaxnummer"];
/// Words that make a number behind them one for calls, folded.
const TELEPHONE: &[&str] =
    &["tel", "telefon", "phone", "telephone", "t", "kom", "mobil", "mobile", "handy", "komorka"];
/// Words before an hour, folded.
const BEFORE_HOURS: &[&str] = &["po", "od", "do", "godz", "after", "ab", "nach", "before", "przed"];

/// What a word in a cell says of the number next to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// It is a fax.
    Fax,
    /// It is for calls.
    Telephone,
    /// Nothing.
    Other,
}

/// Returns what the folded `word` says, behind which `rest` follows.
pub(super) fn label(word: &str, rest: &str) -> Label {
    if FAX.contains(&word) || (word == "f" && rest.starts_with(['.', ':'])) {
        Label::Fax
    } else if TELEPHONE.contains(&word) {
        Label::Telephone
    } else {
        Label::Other
    }
}

/// Returns what follows the hour behind the folded `word`, as in `po 17 600 123 456`.
pub(super) fn after_hour<'a>(word: &str, rest: &'a str) -> Option<&'a str> {
    if !BEFORE_HOURS.contains(&word) {
        return None;
    }
    let bare = rest.trim_start_matches(['.', ' ', ':']);
    let end = bare.find(|c: char| !c.is_ascii_digit()).unwrap_or(bare.len());
    let hour: u8 = bare[..end].parse().ok().filter(|hour| *hour <= 24 && end <= 2)?;
    let after = &bare[end..];
    let minutes = after.strip_prefix([':', '.']).and_then(|minutes| {
        let is_two = minutes.bytes().take_while(u8::is_ascii_digit).count() == 2;
        is_two.then(|| &minutes[2..])
    });
    let after = minutes.unwrap_or(after);
    // `od 22 123 45 67` may be somebody's number in Warsaw.
    let is_hour = hour < 22 || minutes.is_some();
    (is_hour && after.starts_with(' ')).then_some(after)
}

/// Returns the cell without addresses and numbers of a list, and whether letters were read as figures.
pub(super) fn prepared(text: &str) -> (Cow<'_, str>, bool) {
    let mut text = Cow::Borrowed(text);
    if text.contains('@') {
        let kept = text.split(' ').filter(|word| !word.trim_start_matches('@').contains('@'));
        text = Cow::Owned(kept.collect::<Vec<_>>().join(" "));
    }
    if let Some(figures) = letters_as_figures(&text) {
        return (Cow::Owned(figures), true);
    }
    if let Some(bare) = without_list_numbers(&text) {
        text = Cow::Owned(bare);
    }
    (text, false)
}

/// Reads `6oo 123 456` and `600l23456`: an o for a nought and an l for a one, next to figures.
fn letters_as_figures(text: &str) -> Option<String> {
    let is_letter = |c: char| matches!(c, 'o' | 'O' | 'l' | 'I');
    let letters = text.chars().filter(|c| is_letter(*c)).count();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_only = text.chars().all(|c| c.is_ascii_digit() || is_letter(c) || " +-().".contains(c));
    if letters == 0 || digits < 6 || letters > 3 || !is_only {
        return None;
    }
    let figure = |c| match c {
        'o' | 'O' => '0',
        'l' | 'I' => '1',
        other => other,
    };
    let words = text.split([' ', '-', '.', '(', ')']);
    let is_beside = words
        .into_iter()
        .all(|word| !word.contains(is_letter) || word.bytes().any(|byte| byte.is_ascii_digit()));
    is_beside.then(|| text.chars().map(figure).collect())
}

/// Returns `1) 600123456 2) 601123457` and `nr 1: 600123456` without the numbers of the list.
fn without_list_numbers(text: &str) -> Option<String> {
    if text.contains('(') || !text.contains([')', '.', ':']) {
        return None;
    }
    let mut bare = String::with_capacity(text.len());
    let mut found = false;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let follows = |back: usize| at < back || matches!(bytes[at - 1], b' ' | b',' | b';' | b'/');
        let is_number = ('1'..='5').contains(&c)
            && follows(1)
            && matches!(bytes.get(at + 1), Some(b')' | b'.' | b':'))
            && matches!(bytes.get(at + 2), Some(b' '))
            && text[at + 2..].trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '+');
        if is_number {
            bare.push(';');
            found = true;
            at += 2;
            continue;
        }
        bare.push(c);
        at += c.len_utf8();
    }
    found.then_some(bare)
}

/// Returns every way to part `text` in two numbers of at least `digits_min` figures, at a sign between figures.
pub(super) fn halves(text: &str, digits_min: usize) -> impl Iterator<Item = (&str, &str)> {
    let digits = |part: &str| part.bytes().filter(u8::is_ascii_digit).count();
    text.match_indices([' ', '.', '-'])
        .map(|(at, sign)| (&text[..at], &text[at + sign.len()..]))
        .filter(move |(one, other)| {
            digits(one) >= digits_min
                && digits(other) >= digits_min
                && one.ends_with(|c: char| c.is_ascii_digit())
        })
}

/// Splits the ending off `22 123 45 67-69`, which stands for another line of the same exchange.
pub(super) fn without_ending(text: &str) -> Option<(&str, &str)> {
    let (number, ending) = text.trim_end().rsplit_once(['-', '–'])?;
    let is_short =
        (1..=3).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_digit());
    is_short.then_some((number, ending))
}

/// Returns the folded word at the beginning of `text` and what follows it.
pub(super) fn word(text: &str) -> (String, &str) {
    if let Some(rest) = text.strip_prefix('#') {
        return ("x".to_owned(), rest);
    }
    let end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    (fold_header(&text[..end]), &text[end..])
}
