//! Names that nobody has: runs along the keyboard and the random letters of bots.
//!
//! Real names decide what counts: Szczpk, Brzęczyszczykiewicz, McDonald and van 't Hoff must pass. So only
//! what hands or generators leave behind is named here; rare letters and missing vowels prove nothing.

/// Rows of keys, on the keyboards that the users of leadmill have.
const KEY_ROWS: &[&str] = &[
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "qsdfghjklm",
    "zxcvbnm",
    "yxcvbnm",
    "wxcvbn",
];

/// Fewest letters of a run along the keyboard: Weert and Poręba share shorter ones.
const RUN_LETTERS_MIN: usize = 5;
/// Fewest letters of a generated word.
const RANDOM_LETTERS_MIN: usize = 10;

/// Returns whether every word of `name` is what a hand leaves on a keyboard or a generator makes.
pub fn is_gibberish(name: &str) -> bool {
    let mut words = name.split([' ', '-', '.', '_']).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| is_key_run(word) || is_random(word))
}

/// Returns whether `word` is one run along a row of keys (`asdfgh`, `poiuy`), or the same few letters over
/// and over (`asdasd`, `aaaa`).
fn is_key_run(word: &str) -> bool {
    let lower = word.to_lowercase();
    if !lower.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return false;
    }
    let backwards: String = lower.chars().rev().collect();
    let is_run = lower.len() >= RUN_LETTERS_MIN
        && KEY_ROWS.iter().any(|row| row.contains(&lower) || row.contains(&backwards));
    is_run || is_repeated_run(&lower)
}

fn is_repeated_run(word: &str) -> bool {
    let is_one_letter = word.len() >= 4 && word.bytes().all(|byte| byte == word.as_bytes()[0]);
    // `asdasd` and `qweqwe`: three neighbours twice. Real names double syllables, too, so `Baba` and
    // `Lulu` stay: a syllable is no row of keys.
    let is_doubled = (3..=4).any(|len| {
        word.len() >= 2 * len && word.len().is_multiple_of(len) && {
            let first = &word[..len];
            word.as_bytes().chunks(len).all(|part| part == first.as_bytes())
                && KEY_ROWS.iter().any(|row| row.contains(first))
        }
    });
    is_one_letter || is_doubled
}

/// Returns whether `word` mixes capitals as only a generator does: `tRjMSfbSdLpcxCP`.
///
/// `McDonald`, `DeLaCruz` and `JanKowalski` change from small to capital a few times, and never have two
/// capitals in a row twice.
fn is_random(word: &str) -> bool {
    let letters: Vec<char> = word.chars().filter(|c| c.is_alphabetic()).collect();
    if letters.len() < RANDOM_LETTERS_MIN {
        return false;
    }
    let rises = letters.windows(2).filter(|two| two[0].is_lowercase() && two[1].is_uppercase());
    let capital_runs =
        letters.split(|c| c.is_lowercase()).filter(|capitals| capitals.len() >= 2).count();
    rises.count() >= 2 && capital_runs >= 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(name: &str, expected: bool) {
        assert_eq!(is_gibberish(name), expected, "{name:?}");
    }

    #[test]
    fn hands_and_generators_are_recognized() {
        for name in [
            "asdfgh",
            "Qwerty",
            "poiuy",
            "zxcvb",
            "asdasd",
            "qweqweqwe",
            "aaaa",
            "Xxxxx",
            "tRjMSfbSdLpcxCP",
            "ZPoLqfxWGJRmvbDk QkdJXWyzPVFh",
            "lkjhgfdsa asdasd",
        ] {
            check(name, true);
        }
    }

    /// Invented people with real names that look odd to a machine.
    #[test]
    fn real_names_are_never_gibberish() {
        for name in [
            "Grzegorz Brzęczyszczykiewicz",
            "Łukasz Szczpk",
            "Krzysztof Chrząszcz",
            "Zbigniew Źdźbło",
            "Szczepan Pszczółka",
            "Żaneta Trzpil",
            "Wszebor Strzępka-Grzmiszczok",
            "Jerzy Wrzszcz",
            "Mścisław Krztoń",
            "Bożydar Iwanow",
            "Ng Ng",
            "Nguyễn Thị Hoa",
            "Vlk Strnad",
            "Jan Smrž",
            "Xu Xi",
            "Bob Lulu",
            "Ada Baba",
            "Ewa Asda",
            "Ola Sasas",
            "Jan Weert",
            "Anna Poreba",
            "Ian McDonaldMacGregor",
            "AnnaMariaJolantaKowalska",
            "ANNA ŁĘCKA-KOWALSKA",
            "Maria DeLaCruzYGarcia",
            "Rewa Trewa",
            "Wera Tryt",
            "Ąćęłńóśźż Żźśóńłęćą",
            "O'Neill",
            "Jj Abrams",
            "Aaa",
            "",
            "123456",
        ] {
            check(name, false);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_a_panic(name in "\\PC{0,40}", plain in "[A-Ża-ż' -]{0,30}") {
            is_gibberish(&name);
            // A name in one case of letters is gibberish only along the keys.
            let capital: String = plain.to_uppercase();
            let by_keys = capital.split([' ', '-']).any(is_key_run);
            prop_assert!(by_keys || !is_gibberish(&capital));
        }
    }
}
