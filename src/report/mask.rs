//! Masks people in what is shown: an address becomes `a***@p***.pl`, a number `+48*******01`, a name an initial.
//!
//! Everything that is printed goes through here when it was asked for, so nothing has to remember to.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Letters of the shortest name that is masked: `Li` and `Bo` are too many other words.
const NAME_LETTERS_MIN: usize = 3;

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"([\p{L}\p{N}._%+'-]+)@([\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*)\.([\p{L}\p{N}-]+)")
        .expect("the pattern is part of the program and sound")
});

/// A number with a country's code, or at least nine digits that are written as one.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:\+|\b00)\d(?:[ ()/-]?\d){6,13}\b|\b\d{3}[ -]\d{3}[ -]\d{3}\b")
        .expect("the pattern is part of the program and sound")
});

static WORD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\p{L}[\p{L}\p{M}]+").expect("the pattern is part of the program and sound")
});

/// What is masked: addresses and numbers by their form, names by a list.
#[derive(Debug, Default)]
pub struct Mask {
    names: HashSet<String>,
    /// Words that are shown when they are written just so.
    shown: HashSet<String>,
}

impl Mask {
    /// Masks the words of `names`, whatever their case, but for the words of `shown` where they are written just so:
    /// `ola` is who has the lead, `Ola` may be anybody.
    pub fn of_names<'a>(
        names: impl Iterator<Item = &'a str>,
        shown: impl Iterator<Item = &'a str>,
    ) -> Self {
        let words = |text: &'a str| WORD.find_iter(text).map(|word| word.as_str());
        let is_name = |word: &String| word.chars().count() >= NAME_LETTERS_MIN;
        Self {
            names: names.flat_map(words).map(str::to_lowercase).filter(is_name).collect(),
            shown: shown.flat_map(words).map(str::to_owned).collect(),
        }
    }

    /// Returns `text` with everybody in it masked.
    pub fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = replaced(text, &ADDRESS, |found| {
            let initial = |part: &str| part.chars().next().map(String::from).unwrap_or_default();
            format!("{}***@{}***.{}", initial(&found[1]), initial(&found[2]), &found[3])
        });
        let text = replaced_in(text, &NUMBER, |found| masked_number(&found[0]));
        if self.names.is_empty() {
            return text;
        }
        replaced_in(text, &WORD, |found| {
            let word = &found[0];
            if self.names.contains(&word.to_lowercase()) && !self.shown.contains(word) {
                initial(word)
            } else {
                word.to_owned()
            }
        })
    }
}

fn replaced<'t>(
    text: &'t str,
    pattern: &Regex,
    with: impl Fn(&Captures<'_>) -> String,
) -> Cow<'t, str> {
    pattern.replace_all(text, with)
}

fn replaced_in<'t>(
    text: Cow<'t, str>,
    pattern: &Regex,
    with: impl Fn(&Captures<'_>) -> String,
) -> Cow<'t, str> {
    match pattern.replace_all(&text, with) {
        Cow::Borrowed(_) => text,
        Cow::Owned(masked) => Cow::Owned(masked),
    }
}

/// Returns what is known to be a name in initials, however short it is.
pub fn initials(name: &str) -> Cow<'_, str> {
    replaced(name, &WORD, |found| initial(&found[0]))
}

fn initial(word: &str) -> String {
    word.chars().next().map(|first| format!("{first}.")).unwrap_or_default()
}

/// Keeps the first three signs and the last two.
fn masked_number(number: &str) -> String {
    let signs: Vec<char> = number.chars().collect();
    let middle = signs.len().saturating_sub(5);
    let start: String = signs.iter().take(3).collect();
    let end: String = signs.iter().skip(3 + middle).collect();
    format!("{start}{}{end}", "*".repeat(middle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mask =
            Mask::of_names(["Anna Żak", "Bo Li", "Ola Nowa"].into_iter(), ["ola"].into_iter());
        assert_eq!(mask.apply(text), expected, "{text:?}");
        assert_eq!(mask.apply(expected), expected, "masked twice: {text:?}");
    }

    #[test]
    fn a_name_that_is_known_to_be_one_is_masked_however_short() {
        assert_eq!(initials("Bo Li"), "B. L.");
        assert_eq!(initials("Anna Żak-Nowa"), "A. Ż.-N.");
    }

    #[test]
    fn people_are_masked_and_nothing_else_is() {
        check("anna.zak@przyklad.com.pl", "a***@p***.pl");
        check("+48600000101", "+48*******01");
        check("600 000 101", "600******01");
        check("Ola Nowa with ola", "O. N. with ola");
        check("Zadzwoń: ANNA ŻAK, Przykład (AI)", "Zadzwoń: A. Ż., Przykład (AI)");
        for kept in [
            "LM-0123456789AB/hot/call",
            "2026-11-20T19:00:00Z",
            "2026-11-20-0001",
            "score 82; with ola",
            "Bo Li",
            "1234567890",
        ] {
            check(kept, kept);
        }
    }
}
