//! Names of people: split, cleaned and given the capitals their owners use.
//!
//! Order is turned round only on evidence: in `KOWALSKI JAN` the second word is a known given name and
//! the first is not. A name in mixed case is kept as typed.

use super::text::{narrow, unguard};
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

/// Words that belong to the family name after them, folded.
const PARTICLES: &[&str] = &[
    "von", "van", "vom", "zu", "zum", "zur", "de", "del", "della", "di", "da", "dos", "das", "du",
    "des", "la", "le", "der", "den", "ter", "ten", "bin", "ibn", "al", "el", "st", "dal", "af",
    "av",
];
/// Letters after a name that tell of degrees, folded.
const SUFFIXES: &[&str] = &[
    "phd", "ph d", "mba", "md", "esq", "jr", "sr", "msc", "bsc", "ma", "ba", "llm", "ii", "iii",
    "iv", "cpa", "emba",
];

/// Splits a whole name.
pub fn split(raw: &str, tables: &Tables) -> PersonName {
    let text = cleaned(raw, tables);
    let (honorific, bare) = split_honorific(&text, tables);
    let honorific = honorific.to_owned();
    if let Some((last, first)) = bare.split_once(',') {
        let (last, first) = (last.trim(), first.trim());
        if !first.is_empty() && !SUFFIXES.contains(&fold_header(first).as_str()) {
            let (more, first) = split_honorific(first, tables);
            let honorific = [honorific.as_str(), more].join(" ").trim().to_owned();
            return PersonName {
                honorific,
                first: with_capitals(first),
                last: with_capitals(last),
            };
        }
        return PersonName { honorific, ..split_words(last, tables) };
    }
    PersonName { honorific, ..split_words(bare, tables) }
}

/// Returns one part of a name, cleaned and without a title.
pub fn part(raw: &str, tables: &Tables) -> PersonName {
    let text = cleaned(raw, tables);
    let (honorific, bare) = split_honorific(&text, tables);
    PersonName { honorific: honorific.to_owned(), first: with_capitals(bare), last: String::new() }
}

/// Returns the name without nicknames in quotes or brackets, stray punctuation and placeholders;
/// empty when nothing is left that could be a name.
fn cleaned(raw: &str, tables: &Tables) -> String {
    let text = unguard(raw);
    let text = narrow(&text);
    let mut bare = without_quoted(&text);
    if bare.trim().is_empty() {
        // The quotes stood around the whole name.
        bare = text.chars().filter(|c| !is_quote(*c) && !"()[]".contains(*c)).collect();
    }
    let bare = bare.replace('_', " ").replace(" - ", "-").replace(" -", "-").replace("- ", "-");
    let bare =
        bare.trim_matches(|c: char| !c.is_alphanumeric() && c != '.' && c != '\'' && c != '’');
    let bare = bare.split_whitespace().collect::<Vec<_>>().join(" ");
    let has_letters = bare.chars().any(char::is_alphabetic);
    let is_address = bare.contains('@') || bare.contains("://") || bare.starts_with("www.");
    if !has_letters
        || is_address
        || (bare.len() <= 20 && tables.is_placeholder(&fold_header(&bare)))
    {
        return String::new();
    }
    bare
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '„' | '”' | '“' | '«' | '»')
}

/// Drops `"Ania"` and `(Ania)` from `Anna "Ania" Łęcka`.
fn without_quoted(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut is_inside = false;
    for c in text.chars() {
        match c {
            '(' | '[' => is_inside = true,
            ')' | ']' => is_inside = false,
            c if is_quote(c) => is_inside = !is_inside,
            c if !is_inside => bare.push(c),
            _ => {}
        }
    }
    bare
}

/// Splits leading titles off, the longest first: `prof. dr hab. inż.`.
fn split_honorific<'a>(text: &'a str, tables: &Tables) -> (&'a str, &'a str) {
    let mut end = 0;
    while let Some(word) = text[end..].split_whitespace().next() {
        let start = end + text[end..].find(word).unwrap_or(0);
        let after = start + word.len();
        let folded = fold_header(word);
        // A one-letter word is an initial unless a second title or two more words follow.
        let is_title = tables.is_honorific(&folded)
            && !(folded.len() == 1 && text[after..].split_whitespace().count() < 2);
        if !is_title || text[after..].trim().is_empty() {
            break;
        }
        end = after;
    }
    let (title, bare) = text.split_at(end);
    (title.trim(), bare.trim())
}

fn split_words(text: &str, tables: &Tables) -> PersonName {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    while words.len() > 1
        && words.last().is_some_and(|word| SUFFIXES.contains(&fold_header(word).as_str()))
    {
        words.pop();
    }
    let [first_word, .., last_word] = words.as_slice() else {
        return one_word(text, tables);
    };
    let is_given = |word: &str| tables.is_given_name(&fold_header(word));
    if !is_given(first_word) && is_given(last_word) && !has_particle(&words[1..]) {
        let given = words
            .iter()
            .skip(1)
            .position(|word| is_given(word))
            .map_or(words.len() - 1, |at| at + 1);
        return assemble(&words[given..], &words[..given]);
    }
    let particle = words.iter().skip(1).position(|word| is_particle(word)).map(|at| at + 1);
    let family = particle.unwrap_or(words.len() - 1);
    assemble(&words[..family], &words[family..])
}

fn one_word(text: &str, tables: &Tables) -> PersonName {
    let name = with_capitals(text);
    if name.is_empty() || tables.is_given_name(&fold_header(&name)) {
        return PersonName { first: name, ..PersonName::default() };
    }
    PersonName { last: name, ..PersonName::default() }
}

fn assemble(first: &[&str], last: &[&str]) -> PersonName {
    PersonName {
        honorific: String::new(),
        first: with_capitals(&first.join(" ")),
        last: with_capitals(&last.join(" ")),
    }
}

fn has_particle(words: &[&str]) -> bool {
    words.iter().any(|word| is_particle(word))
}

fn is_particle(word: &str) -> bool {
    PARTICLES.contains(&fold_header(word).as_str())
}

/// Gives `ANNA` and `anna` their capital; a word of mixed case is kept, particles stay small.
fn with_capitals(text: &str) -> String {
    let is_shouted = !text.chars().any(char::is_lowercase);
    let words: Vec<String> = text
        .split(' ')
        .filter(|word| !word.is_empty())
        .enumerate()
        .map(|(at, word)| {
            let letters = word.chars().filter(|c| c.is_alphabetic()).count();
            let is_upper = !word.chars().any(char::is_lowercase) && letters > 1;
            let is_lower = !word.chars().any(char::is_uppercase);
            // Two capitals in a name of mixed case are initials: JP Morgan.
            let is_recased = is_lower || (is_upper && (is_shouted || letters > 3));
            if is_recased && is_particle(word) && (is_shouted || is_lower) && text.contains(' ') {
                return word.to_lowercase();
            }
            let is_roman = at > 0 && is_upper && word.chars().all(|c| "IVX".contains(c));
            if is_recased && !is_roman { capitalized(word) } else { word.to_owned() }
        })
        .collect();
    words.join(" ")
}

fn capitalized(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    let mut starts = true;
    for c in word.chars() {
        if starts {
            text.extend(c.to_uppercase());
        } else {
            text.extend(c.to_lowercase());
        }
        starts = matches!(c, '-' | '\'' | '’' | '.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tables::shipped;
    use proptest::prelude::*;

    #[track_caller]
    fn check(raw: &str, honorific: &str, first: &str, last: &str) {
        let name = split(raw, shipped());
        assert_eq!(
            (&*name.honorific, &*name.first, &*name.last),
            (honorific, first, last),
            "{raw:?}"
        );
    }

    #[test]
    fn a_name_is_split_before_the_family_name() {
        check("Anna Łęcka", "", "Anna", "Łęcka");
        check("Anna Maria Nowak-Kowalska", "", "Anna Maria", "Nowak-Kowalska");
        check("Anna Nowak - Kowalska", "", "Anna", "Nowak-Kowalska");
        check("Ludwig van Beethoven", "", "Ludwig", "van Beethoven");
        check("Charles de la Tour", "", "Charles", "de la Tour");
        check("Anna \"Ania\" Łęcka", "", "Anna", "Łęcka");
        check("Anna (Ania) Łęcka", "", "Anna", "Łęcka");
        check("John Smith, PhD", "", "John", "Smith");
    }

    #[test]
    fn titles_are_set_apart() {
        check("Pan Jan Kowalski", "Pan", "Jan", "Kowalski");
        check("prof. dr hab. inż. Ewa Nowak", "prof. dr hab. inż.", "Ewa", "Nowak");
        check("Herr Dr. Jürgen Groß", "Herr Dr.", "Jürgen", "Groß");
        check("Mrs. Mary Smith", "Mrs.", "Mary", "Smith");
        check("Pan Kowalski", "Pan", "", "Kowalski");
        check("P. Kowalski", "", "P.", "Kowalski");
    }

    #[test]
    fn order_is_turned_round_only_on_evidence() {
        check("KOWALSKI JAN", "", "Jan", "Kowalski");
        check("Łęcka Anna", "", "Anna", "Łęcka");
        check("Kowalski, Jan", "", "Jan", "Kowalski");
        check("Jan Adam", "", "Jan", "Adam");
        check("Qwerty Zxcvb", "", "Qwerty", "Zxcvb");
    }

    #[test]
    fn capitals_are_restored() {
        check("ANNA ŁĘCKA", "", "Anna", "Łęcka");
        check("anna łęcka", "", "Anna", "Łęcka");
        check("EWA NOWAK-ŻÓŁĆ", "", "Ewa", "Nowak-Żółć");
        check("LUDWIG VON MISES", "", "Ludwig", "von Mises");
        check("Ian McDonald", "", "Ian", "McDonald");
        check("SEAN O'CONNOR", "", "Sean", "O'Connor");
    }

    #[test]
    fn one_word_is_a_given_name_only_when_known() {
        check("Ania", "", "Ania", "");
        check("Żak", "", "", "Żak");
        check("\"Anna\"", "", "Anna", "");
    }

    #[test]
    fn what_is_no_name_is_dropped() {
        check("-", "", "", "");
        check("brak", "", "", "");
        check("12345", "", "", "");
        check("anna@example.com", "", "", "");
        check("@krzysztof", "", "Krzysztof", "");
    }

    proptest! {
        #[test]
        fn any_text_is_split_without_a_panic(raw in "\\PC{0,40}", words in "[A-Ża-ż.,'\"() -]{0,40}") {
            split(&raw, shipped());
            split(&words, shipped());
            part(&words, shipped());
        }
    }
}
