//! Names of people: split, cleaned and given the capitals their owners use.
//!
//! Order is turned round only on evidence: in `KOWALSKI JAN` the second word is a known given name and
//! the first is not, in `KOWALSKI Jan` the capitals say it. A name in mixed case is kept as typed.

use super::person_name_words::{
    BORN, CONNECTIVES, FAMILY_ENDINGS, NOBLE, PARTICLES, PATRONYMIC_ENDINGS, ROLES_BEHIND,
    SUFFIXES, SUFFIXES_WITH_DOT, TITLES_BEHIND, VIETNAMESE_FAMILIES, VIETNAMESE_MIDDLES,
};
use super::text::{narrow, unescape, unguard, without_tags};
use crate::rules::field::fold_header;
use crate::rules::tables::Tables;

/// A name taken apart; absent parts are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonName {
    /// Titles and salutations as written.
    pub honorific: String,
    /// Given name or names.
    pub first: String,
    /// Family name with its particles.
    pub last: String,
}

/// A longer cell is prose; its beginning is enough of a name.
const NAME_CHARS_MAX: usize = 200;
/// Times that a name with odd signs is read again at most.
const PART_READINGS_MAX: usize = 8;

/// Splits a whole name.
pub fn split(raw: &str, tables: &Tables) -> PersonName {
    let text = cleaned(raw, tables);
    let (honorific, bare) = split_honorific(&text, tables);
    let bare = first_person(bare, tables);
    let Some((before, after)) = bare.split_once(',') else {
        return with_honorific(honorific, split_words(bare, tables));
    };
    let (before, after) = (before.trim(), after.trim());
    if after.is_empty() || after.split([' ', ',']).all(|word| word.is_empty() || is_behind(word)) {
        // `Jan Kowalski, MBA`: letters behind the name. What is no degree is a title.
        let titles: Vec<&str> =
            after.split([' ', ',']).filter(|word| is_title_behind(word)).collect();
        let honorific = joined(honorific, &titles.join(" "));
        return with_honorific(&honorific, split_words(before, tables));
    }
    let (more, first) = split_honorific(after, tables);
    let is_given = |word: Option<&str>| word.is_some_and(|word| is_given(word, tables));
    let is_whole_before = before.contains(' ')
        && (is_given(before.split(' ').next()) || is_given(before.rsplit(' ').next()))
        && !is_given(first.split([' ', ',']).next());
    // `Anna, Kowalska` is in the order of the words.
    if !before.contains(' ') && is_given(Some(before)) && !is_given(first.split(' ').next()) {
        return with_honorific(honorific, split_words(&format!("{before} {first}"), tables));
    }
    if is_whole_before {
        // `Jan Kowalski, Firma`: something else follows a name that is whole.
        return with_honorific(honorific, split_words(before, tables));
    }
    let (first, particles) = split_particles(first.split(',').next().unwrap_or_default().trim());
    PersonName {
        honorific: joined(honorific, more),
        first: with_capitals(first, Part::Given, is_shouted(bare)),
        last: with_capitals(&joined(particles, before), Part::Family, is_shouted(bare)),
    }
}

/// Splits the particles of the family name off the given ones: `Thomas von`, as in `Müller, Thomas von`.
fn split_particles(text: &str) -> (&str, &str) {
    let mut given = text;
    while let Some((before, word)) = given.rsplit_once(' ')
        && word.starts_with(char::is_lowercase)
        && is_particle(word)
    {
        given = before;
    }
    (given, text[given.len()..].trim_start())
}

/// Returns the first of two people: `Anna Nowak i Jan Kowalski`, `Nowak Anna, Kowalski Jan`.
fn first_person<'a>(text: &'a str, tables: &Tables) -> &'a str {
    let is_whole = |name: &str| {
        let name = name.trim();
        name.split_once(' ').is_some_and(|(first, _)| is_given(first, tables))
            || name.rsplit_once(' ').is_some_and(|(_, last)| is_given(last, tables))
    };
    [" i ", " oraz ", " and ", " und ", " & ", " + ", ", "]
        .iter()
        .filter_map(|between| text.split_once(between))
        .find(|(one, other)| is_whole(one) && is_whole(other))
        .map_or(text, |(one, _)| one)
}

/// Returns a given name, cleaned and without a title.
pub fn given_part(raw: &str, tables: &Tables) -> PersonName {
    let (honorific, first) = settled_part(raw, Part::Given, tables);
    PersonName { honorific, first, last: String::new() }
}

/// Returns a family name, cleaned and without a title.
pub fn family_part(raw: &str, tables: &Tables) -> PersonName {
    let (honorific, last) = settled_part(raw, Part::Family, tables);
    PersonName { honorific, first: String::new(), last }
}

/// Returns the titles and the name in `raw`, read until nothing is left that would be read otherwise: signs that
/// go may leave others behind that go, too.
fn settled_part(raw: &str, part: Part, tables: &Tables) -> (String, String) {
    let (mut honorific, mut name) = read_part(raw, part, tables);
    let is_plain = raw.chars().all(|c| c.is_alphabetic() || c == ' ');
    for _ in 0..PART_READINGS_MAX {
        if is_plain || name.is_empty() {
            break;
        }
        let (more, again) = read_part(&name, part, tables);
        if again == name {
            break;
        }
        (honorific, name) = (joined(&honorific, &more), again);
    }
    (honorific, name)
}

fn read_part(raw: &str, part: Part, tables: &Tables) -> (String, String) {
    let text = cleaned(raw, tables);
    let (honorific, bare) = split_honorific(&text, tables);
    let bare = if part == Part::Family { without_birth_name(bare, 1) } else { bare };
    let name = with_capitals(bare.trim_matches([',', ' ']), part, is_shouted(bare));
    (honorific.to_owned(), name)
}

fn with_honorific(honorific: &str, name: PersonName) -> PersonName {
    PersonName { honorific: joined(honorific, &name.honorific), ..name }
}

fn joined(one: &str, other: &str) -> String {
    [one, other].join(" ").trim().to_owned()
}

fn is_title_behind(word: &str) -> bool {
    let folded = fold_header(word);
    !folded.is_empty() && folded.split(' ').all(|part| TITLES_BEHIND.contains(&part))
}

fn is_behind(word: &str) -> bool {
    is_title_behind(word) || SUFFIXES.contains(&fold_header(word).as_str())
}

/// Returns the name without nicknames in quotes or brackets, stray punctuation, pictures, addresses and
/// numbers; empty when nothing is left that could be a name.
fn cleaned(raw: &str, tables: &Tables) -> String {
    let text = unguard(raw);
    let text = unescape(&text);
    let text = without_tags(&text);
    let text = narrow(&text);
    let end = text.char_indices().nth(NAME_CHARS_MAX).map_or(text.len(), |(at, _)| at);
    let text: String = text[..end]
        .chars()
        .filter(|c| !is_joiner(*c) && *c != '\\')
        .map(|c| if is_picture(c) || c == '_' { ' ' } else { c })
        .collect();
    let text = text.replace(['–', '—'], "-");
    let bare = without_asides(&text, tables);
    let words = bare.split_whitespace().filter(|word| is_of_name(word));
    let words = words.map(without_signs_before).filter(|word| !word.is_empty());
    let bare = words.collect::<Vec<_>>().join(" ");
    let bare = without_rest(from_first_letter(&bare))
        .replace(" - ", "-")
        .replace(" -", "-")
        .replace("- ", "-");
    let bare = spaced_titles(from_first_letter(&bare), tables);
    let bare = from_first_letter(&bare)
        .trim_end_matches(|c: char| !c.is_alphanumeric() && !".'’".contains(c));
    let bare = spaced_names(bare, tables);
    if is_no_name(&bare, tables) { String::new() } else { bare }
}

fn is_no_name(text: &str, tables: &Tables) -> bool {
    !text.chars().any(char::is_alphabetic)
        || (text.len() <= 20 && tables.is_placeholder_name(&fold_header(text)))
}

/// Returns `word` without signs before it that no name begins with and that part none. A stray @ goes on both
/// sides, for it would make an address of two words that a dash joins: `Anna@ -Maria`.
fn without_signs_before(word: &str) -> &str {
    let is_sign = |c: char| !c.is_alphanumeric() && !".,;:'’-/|+&".contains(c);
    word.trim_end_matches('@').trim_start_matches(is_sign)
}

/// Returns `text` without the signs before it; an apostrophe stays before a letter, as in `'t Hoff`.
fn from_first_letter(text: &str) -> &str {
    let bare = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    let before = &text[..text.len() - bare.len()];
    match before.chars().next_back().filter(|c| matches!(c, '\'' | '’')) {
        Some(mark) if bare.starts_with(char::is_alphabetic) => {
            &text[before.len() - mark.len_utf8()..]
        }
        _ => bare,
    }
}

/// Returns what stands before the company of `Jan Kowalski - Firma XYZ` and `Jan Kowalski / XYZ`, and before
/// the name that somebody was born with.
///
/// One word after a dash is the other half of a family name: `Anna Nowak - Kowalska`.
fn without_rest(text: &str) -> &str {
    const SEPARATORS: &[(&str, usize)] = &[(" - ", 2), (" / ", 1), (" | ", 1)];
    for &(separator, words_min) in SEPARATORS {
        if let Some((name, company)) = text.split_once(separator)
            && name.split_whitespace().count() >= 2
            && company.split_whitespace().count() >= words_min
        {
            return name;
        }
    }
    without_birth_name(text, 2)
}

/// Returns what stands before the name that somebody was born with, if it is `words_min` words or more.
fn without_birth_name(text: &str, words_min: usize) -> &str {
    BORN.iter()
        .filter_map(|born| text.split_once(born))
        .map(|(name, _)| name)
        .find(|name| name.split_whitespace().count() >= words_min)
        .unwrap_or(text)
}

/// Returns whether `word` may be part of a name: no address and no phone number.
fn is_of_name(word: &str) -> bool {
    let is_address = word.trim_matches('@').contains('@')
        || word.contains("://")
        || word.to_ascii_lowercase().starts_with("www.");
    let has_digits = word.bytes().any(|byte| byte.is_ascii_digit());
    let is_number = has_digits && !word.chars().any(char::is_alphabetic);
    !is_address && !is_number
}

/// Puts the blank into `J.Kowalski`, and into `Anna.Kowalska` where one of the two is a given name.
fn spaced_names(text: &str, tables: &Tables) -> String {
    let apart = |word: &str| -> String {
        let (parts, sign): (Vec<&str>, _) = match word.find(['.', ';', '/', '|', '+']) {
            Some(at) => (word.splitn(2, &word[at..=at]).collect(), &word[at..=at]),
            None => return word.to_owned(),
        };
        let [one, other] = parts[..] else { return word.to_owned() };
        let is_word = |part: &str| {
            part.chars().count() > 1 && part.chars().all(|c| c.is_alphabetic() || c == '-')
        };
        let is_given = |part: &str| is_given(part, tables);
        let is_initial = one.chars().count() == 1 && one.chars().all(char::is_alphabetic);
        if sign == "." && is_initial && is_word(other) {
            return format!("{one}. {other}");
        }
        if tables.is_honorific(&fold_header(one), true) {
            return word.to_owned();
        }
        let is_pair = is_word(one) && is_word(other) && (is_given(one) || is_given(other));
        match (is_pair, sign) {
            (true, "+") if is_given(one) && is_given(other) => format!("{one} i {other}"),
            (true, _) => format!("{one} {other}"),
            _ => word.to_owned(),
        }
    };
    text.split(' ').map(apart).collect::<Vec<_>>().join(" ")
}

/// Puts the blank into `dr.Jan` and `mgr.inż.Jan`.
fn spaced_titles(text: &str, tables: &Tables) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let mut rest = word;
        while let Some((title, after)) = rest.split_once('.')
            && title.chars().count() > 1
            && title.chars().all(char::is_alphabetic)
            && after.starts_with(char::is_alphabetic)
            && tables.is_honorific(&fold_header(title), true)
        {
            words.push(format!("{title}."));
            rest = after;
        }
        words.push(rest.to_owned());
    }
    words.join(" ")
}

/// Returns whether `c` is an emoji, an arrow, a dingbat or a sign such as ™.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{a9}' | '\u{ae}' | '\u{2122}' | '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{1f000}'..='\u{1faff}')
}

/// Returns whether `c` only changes how the character before it looks.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{20e3}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e007f}')
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '„' | '”' | '“' | '«' | '»')
}

/// Drops `"Ania"` and `(Ania)` from `Anna "Ania" Łęcka`; a mark that nothing closes drops alone, and
/// asides that leave no whole name behind are no asides.
fn without_asides(text: &str, tables: &Tables) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| is_quote(c) || c == '(' || c == '[') {
        bare.push_str(&rest[..start]);
        let open = rest[start..].chars().next().unwrap_or(' ');
        let inside = &rest[start + open.len_utf8()..];
        let close = inside.find(|c: char| match open {
            '(' => c == ')',
            '[' => c == ']',
            _ => is_quote(c),
        });
        bare.push(' ');
        rest = inside;
        if let Some(close) = close {
            rest = inside[close..].trim_start_matches(|c| is_quote(c) || c == ')' || c == ']');
        }
    }
    bare.push_str(rest);
    let words: Vec<&str> = bare.split_whitespace().collect();
    let is_whole = match words.as_slice() {
        [] => false,
        // `Jan "Kowalski"` has its family name in quotes, `Anna (Ania)` only another given name.
        [only] => tables.is_given_name(&fold_header(only)) && !text.contains(is_quote),
        _ => true,
    };
    let is_mark = |c: char| is_quote(c) || "()[]".contains(c);
    if is_whole {
        return bare.chars().map(|c| if is_mark(c) { ' ' } else { c }).collect();
    }
    text.chars().map(|c| if is_mark(c) { ' ' } else { c }).collect()
}

/// Splits leading titles off, the longest first: `prof. dr hab. inż.`, `lek. med.`.
fn split_honorific<'a>(text: &'a str, tables: &Tables) -> (&'a str, &'a str) {
    let mut end = 0;
    let start_of_next = |end: usize| text.len() - from_first_letter(&text[end..]).len();
    while let Some(after) = title_end(text, start_of_next(end), tables)
        .or_else(|| university_end(text, end, start_of_next(end)))
    {
        end = after;
    }
    let (title, bare) = text.split_at(end);
    let bare = from_first_letter(bare).trim_end();
    // `Pan brak`
    (title.trim(), if end > 0 && is_no_name(bare, tables) { "" } else { bare })
}

/// Returns where the university of a `prof. PW` ends, behind which a name or another title follows.
fn university_end(text: &str, end: usize, start: usize) -> Option<usize> {
    if !text[..end].to_lowercase().ends_with("prof.") || is_shouted(&text[start..]) {
        return None;
    }
    let word = text[start..].split_whitespace().next()?;
    let is_short = (2..=4).contains(&word.chars().count());
    let follows = text[start + word.len()..].split_whitespace().count();
    (is_short && word.chars().all(char::is_uppercase) && follows >= 2).then_some(start + word.len())
}

/// Returns where the title that begins at `start` ends, if one begins there and a name follows it.
fn title_end(text: &str, start: usize, tables: &Tables) -> Option<usize> {
    let mut ends = Vec::with_capacity(3);
    let mut at = start;
    for word in text[start..].split_whitespace().take(3) {
        at += text[at..].find(word)? + word.len();
        ends.push(at);
    }
    ends.into_iter().rev().find(|&end| {
        let words = text[start..end].trim();
        // Folding spells signs out: ¶ would be a P.
        if !words.starts_with(char::is_alphabetic) {
            return false;
        }
        let folded = fold_header(words);
        let is_word = |word: &&str| word.chars().any(char::is_alphabetic);
        let follows = text[end..].split_whitespace().filter(is_word).count();
        // A one-letter word is an initial unless two more words follow.
        follows > usize::from(folded.len() == 1)
            && tables.is_honorific(&folded, words.ends_with('.'))
    })
}

fn split_words(text: &str, tables: &Tables) -> PersonName {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    while words.len() > 1 && words.last().is_some_and(|word| is_suffix(word)) {
        words.pop();
    }
    // `Jan Kowalski właściciel` and `Jan Kowalski-właściciel`, in which a dash had blanks about it.
    if words.len() > 2 && words.last().is_some_and(|word| is_role(word)) {
        words.pop();
    }
    if let [_, .., last] = words[..]
        && let Some((family, role)) = last.rsplit_once('-')
        && role.starts_with(char::is_lowercase)
        && is_role(role)
    {
        words.pop();
        words.push(family);
    }
    // `Jan Kowalski mgr inż.`: of two words the second is the name, whatever it looks like.
    let behind = words.iter().skip(2).rev().take_while(|word| is_title_behind(word)).count();
    let titles = words.split_off(words.len() - behind).join(" ");
    PersonName { honorific: titles, ..ordered(&words, tables) }
}

fn is_suffix(word: &str) -> bool {
    let folded = fold_header(word);
    SUFFIXES.contains(&folded.as_str())
        || (word.ends_with('.') && SUFFIXES_WITH_DOT.contains(&folded.as_str()))
}

fn is_role(word: &str) -> bool {
    ROLES_BEHIND.contains(&fold_header(word).as_str())
}

/// Returns how many words at the beginning are the family name in orders of other languages: Vietnamese, with a
/// patronymic, with a particle in front, or with an initial behind.
fn family_in_front(words: &[&str], is_given: impl Fn(&str) -> bool) -> Option<usize> {
    let folded: Vec<String> = words.iter().map(|word| fold_header(word)).collect();
    let [first, middle @ .., last] = &folded[..] else { return None };
    // `Do van der Berg` is Dutch.
    let is_dutch = middle.get(1).is_some_and(|word| PARTICLES.contains(&word.as_str()));
    let is_vietnamese = VIETNAMESE_FAMILIES.contains(&first.as_str())
        && middle.first().is_some_and(|word| VIETNAMESE_MIDDLES.contains(&word.as_str()))
        && !is_dutch;
    let is_patronymic = |word: &str| PATRONYMIC_ENDINGS.iter().any(|ending| word.ends_with(ending));
    if is_vietnamese || (middle.len() == 1 && is_patronymic(last)) {
        return Some(1);
    }
    let particles = words.iter().take_while(|word| is_particle(word)).count();
    let is_small = words[0].starts_with(char::is_lowercase);
    if particles > 0 && words.len() == particles + 1 && is_small {
        return Some(words.len());
    }
    // `von Braun Wernher`, `Van der Berg Jan`
    if particles > 0
        && words.len() == particles + 2
        && (is_small || is_given(words[words.len() - 1]))
    {
        return Some(particles + 1);
    }
    let is_initial = last.len() == 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_family = middle.is_empty() && first.len() > 2 && !is_given(words[0]);
    (is_initial && is_family && words[1].ends_with('.')).then_some(1)
}

/// Returns where the family name begins in a name that begins with the given one.
fn family_start(words: &[&str], is_given: impl Fn(&str) -> bool) -> usize {
    let last = words.len() - 1;
    // `An Van Nguyen`: no particle, though it looks like one.
    let is_vietnamese = VIETNAMESE_FAMILIES.contains(&fold_header(words[last]).as_str())
        && VIETNAMESE_MIDDLES.contains(&fold_header(words[last - 1]).as_str());
    if is_vietnamese {
        return last;
    }
    let particle = words.iter().skip(1).position(|word| is_particle(word)).map(|at| at + 1);
    // `Jan de`: a particle with nothing behind it is a name.
    if let Some(at) = particle.filter(|at| *at < last) {
        let is_noble = at > 1 && NOBLE.contains(&fold_header(words[at - 1]).as_str());
        return if is_noble { at - 1 } else { at };
    }
    // `Jan Kowalski vel Nowak`, `Anna Kowalska Nowak`
    let vel = words.iter().position(|word| *word == "vel").filter(|at| *at > 1);
    let is_family = |word: &&str| {
        let folded = fold_header(word);
        !is_given(word) && FAMILY_ENDINGS.iter().any(|ending| folded.ends_with(ending))
    };
    let before_last = || words.iter().take(last).skip(1);
    // `Otto Graf Lambsdorff`
    let noble = before_last().position(|word| NOBLE.contains(&fold_header(word).as_str()));
    let double = before_last().position(is_family);
    vel.map(|at| at - 1).or(noble.or(double).map(|at| at + 1)).unwrap_or(last)
}

fn ordered(words: &[&str], tables: &Tables) -> PersonName {
    let [first_word, .., last_word] = words else {
        return one_word(&words.join(" "), tables);
    };
    let is_given = |word: &str| is_given(word, tables);
    if let Some(family) = family_in_front(words, is_given) {
        return assemble(&words[family..], &words[..family]);
    }
    // `KOWALSKI Jan`: where only the first word is in capitals, it is the family name.
    let letters = first_word.chars().filter(|c| c.is_alphabetic()).count();
    let is_shouted_family = letters > 2
        && is_shouted(first_word)
        && words[1..].iter().all(|word| word.chars().any(char::is_lowercase))
        && !is_given(first_word);
    let is_turned = is_shouted_family || (!is_given(first_word) && is_given(last_word));
    if is_turned && !has_particle(&words[1..]) {
        let given = words.iter().skip(1).position(|word| is_given(word)).map_or(1, |at| at + 1);
        return assemble(&words[given..], &words[..given]);
    }
    let family = family_start(words, is_given);
    assemble(&words[..family], &words[family..])
}

/// Returns whether `word` is a known given name, or two of them as Hans-Peter is.
fn is_given(word: &str, tables: &Tables) -> bool {
    fold_header(word).split(' ').all(|part| tables.is_given_name(part))
}

/// Returns whether `c` is a small letter that has a capital: no keyboard has one for ß, as in `GROß`.
fn is_small(c: char) -> bool {
    c.is_lowercase() && c != 'ß'
}

/// Returns whether `text` has no small letter, lone ones apart, which get a capital anyway.
fn is_shouted(text: &str) -> bool {
    text.split(|c: char| !c.is_alphabetic())
        .filter(|word| word.chars().filter(|c| c.is_lowercase() || c.is_uppercase()).count() > 1)
        .all(|word| !word.chars().any(is_small))
}

fn one_word(text: &str, tables: &Tables) -> PersonName {
    if text.is_empty() {
        return PersonName::default();
    }
    if is_given(text, tables) {
        let first = with_capitals(text, Part::Given, is_shouted(text));
        return PersonName { first, ..PersonName::default() };
    }
    PersonName {
        last: with_capitals(text, Part::Family, is_shouted(text)),
        ..PersonName::default()
    }
}

fn assemble(first: &[&str], last: &[&str]) -> PersonName {
    let is_shouted = first.iter().chain(last).all(|word| is_shouted(word));
    PersonName {
        honorific: String::new(),
        first: with_capitals(&first.join(" "), Part::Given, is_shouted),
        last: with_capitals(&last.join(" "), Part::Family, is_shouted),
    }
}

fn has_particle(words: &[&str]) -> bool {
    words.iter().any(|word| is_particle(word))
}

fn is_particle(word: &str) -> bool {
    PARTICLES.contains(&fold_header(word).as_str())
}

/// Which part of a name words are: `la` opens `la Tour`, but `La` of `La Toya` is a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Given,
    Family,
}

/// Gives `ANNA` and `anna` their capital; a word of mixed case is kept, particles stay small.
///
/// `is_shouted` says that the whole name is in capitals; otherwise two of them are initials: JP Morgan.
fn with_capitals(text: &str, part: Part, is_shouted: bool) -> String {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let recased = words.iter().enumerate().map(|(at, word)| {
        let letters = word.chars().filter(|c| c.is_alphabetic()).count();
        let is_upper = !word.chars().any(is_small) && letters > 1;
        let is_lower = !word.chars().any(char::is_uppercase);
        let is_recased = is_lower || (is_upper && (is_shouted || letters > 2));
        // A particle opens a family name and never stands alone or last.
        let may_be_small = at + 1 < words.len() && (at > 0 || part == Part::Family);
        if may_be_small && (is_lower || is_upper) && is_particle(word) {
            return word.to_lowercase();
        }
        if at > 0 && (is_lower || is_upper) && CONNECTIVES.contains(&&*word.to_lowercase()) {
            return word.to_lowercase();
        }
        let is_roman = at > 0 && is_upper && word.chars().all(|c| "IVX".contains(c));
        if (is_recased || is_inverted(word)) && !is_roman {
            capitalized(word)
        } else {
            (*word).to_owned()
        }
    });
    recased.collect::<Vec<_>>().join(" ")
}

/// Returns whether `word` was typed with the capitals locked, as `aNNA`; `McDONALD` has small letters of its own.
fn is_inverted(word: &str) -> bool {
    let after_small =
        || word.chars().next().filter(|c| c.is_lowercase()).map(|c| &word[c.len_utf8()..]);
    let tail = word.strip_prefix("Mc").or_else(after_small);
    tail.is_some_and(|tail| tail.chars().count() > 1 && tail.chars().all(char::is_uppercase))
}

fn capitalized(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    let mut starts = true;
    for c in word.chars() {
        // The capital of ß is two letters, which no name begins with.
        let capital = Some(c.to_uppercase()).filter(|upper| upper.len() == 1);
        match capital.filter(|_| starts) {
            Some(upper) => text.extend(upper),
            // Only the Turkish İ is two characters in small letters, an i and a dot that it has anyway.
            None => text.extend(c.to_lowercase().next()),
        }
        // `MCDONALD` is McDonald; no other language begins a name with these letters.
        starts = matches!(c, '-' | '\'' | '’' | '.') || (text == "Mc" && word.len() > 4);
    }
    text
}

#[cfg(test)]
mod tests;
