//! Distances between short folded texts, for comparing millions of pairs.
//!
//! Both work on bytes: folded texts are ASCII. They agree with `strsim` on ASCII, which a property test
//! says; they are here because they run several times per candidate pair and allocate nothing.

/// Texts longer than this are compared by their first bytes only: one machine word holds a column.
const BYTES_MAX: usize = 64;

fn head(text: &str) -> &[u8] {
    &text.as_bytes()[..text.len().min(BYTES_MAX)]
}

/// Returns the Jaro-Winkler similarity of `a` and `b`, from 0 to 1.
///
/// The prefix bonus is 0.1 for each of the first four equal bytes (Winkler 1990).
pub fn jaro_winkler(a: &str, b: &str) -> f32 {
    let (a, b) = (head(a), head(b));
    let jaro = jaro(a, b);
    // Winkler's threshold: what differs as much is no slip behind a good beginning.
    if jaro <= 0.7 {
        return jaro;
    }
    let prefix = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count();
    jaro + prefix as f32 * 0.1 * (1.0 - jaro)
}

fn jaro(a: &[u8], b: &[u8]) -> f32 {
    if a.is_empty() || b.is_empty() {
        return if a.len() == b.len() { 1.0 } else { 0.0 };
    }
    let window = (a.len().max(b.len()) / 2).saturating_sub(1);
    let (mut taken_a, mut taken_b) = (0_u64, 0_u64);
    for (i, x) in a.iter().enumerate() {
        let (from, to) = (i.saturating_sub(window), (i + window + 1).min(b.len()));
        for (j, y) in b.iter().enumerate().take(to).skip(from) {
            if x == y && taken_b & (1 << j) == 0 {
                taken_a |= 1 << i;
                taken_b |= 1 << j;
                break;
            }
        }
    }
    let matches = taken_a.count_ones();
    if matches == 0 {
        return 0.0;
    }
    let mut transposed = 0;
    let mut rest = taken_b;
    let mut left = taken_a;
    while left != 0 {
        let (i, j) = (left.trailing_zeros() as usize, rest.trailing_zeros() as usize);
        transposed += u32::from(a[i] != b[j]);
        left &= left - 1;
        rest &= rest - 1;
    }
    let m = matches as f32;
    (m / a.len() as f32 + m / b.len() as f32 + (m - (transposed / 2) as f32) / m) / 3.0
}

/// Returns the optimal string alignment distance of `a` and `b`: insertions, deletions, substitutions
/// and swaps of neighbours; at most `max` + 1.
pub fn edits(a: &str, b: &str, max: usize) -> usize {
    let (a, b) = (head(a), head(b));
    if a.len().abs_diff(b.len()) > max {
        return max + 1;
    }
    // What both begin and end with costs nothing.
    let prefix = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[prefix..], &b[prefix..]);
    let suffix = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - suffix], &b[..b.len() - suffix]);
    if a.is_empty() || b.is_empty() {
        return a.len().max(b.len()).min(max + 1);
    }
    // An edit adds at most one letter to a set of letters and takes one away.
    if a.len() + b.len() > 2 * max && (letters(a) ^ letters(b)).count_ones() as usize > 2 * max {
        return max + 1;
    }
    let mut before = [0_u8; BYTES_MAX + 1];
    let mut last = [0_u8; BYTES_MAX + 1];
    let mut row = [0_u8; BYTES_MAX + 1];
    for (j, cell) in last.iter_mut().enumerate().take(b.len() + 1) {
        *cell = j as u8;
    }
    for i in 1..=a.len() {
        row[0] = i as u8;
        let mut least = row[0];
        for j in 1..=b.len() {
            let cost = u8::from(a[i - 1] != b[j - 1]);
            let mut best = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row[j] = best;
            least = least.min(best);
        }
        if usize::from(least) > max {
            return max + 1;
        }
        before = last;
        last = row;
    }
    usize::from(last[b.len()]).min(max + 1)
}

/// Returns which letters and digits occur, as bits; some share one.
fn letters(text: &[u8]) -> u32 {
    text.iter().fold(0, |set, byte| set | 1 << (byte & 31))
}

/// Returns whether each of two texts holds a number that the other does not: `firma 12` beside `firma 13`.
///
/// A number that only one of them holds may have been left out or added; digits that are swapped or miscounted make
/// another number, because numbers are given out to tell things apart.
pub fn numbers_differ(a: &str, b: &str) -> bool {
    let has_digits = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
    has_digits(a) && has_digits(b) && holds_another(a, b) && holds_another(b, a)
}

/// Returns whether `a` holds a number more often than `b` does.
fn holds_another(a: &str, b: &str) -> bool {
    let count = |text: &str, number: &str| numbers(text).filter(|other| *other == number).count();
    numbers(a).any(|number| count(a, number) > count(b, number))
}

/// Returns the numbers in `text`, without zeros in front.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let runs = text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
    runs.map(|run| run.trim_start_matches('0'))
}

/// Returns how `name` sounds, roughly, for Polish, German and English alike: blocking only.
///
/// Vowels after the first letter, doubled letters and the difference between voiced and unvoiced
/// consonants go; spellings of one sound become one letter (`sz`, `sch`, `sh`, `s`; `cz`, `tsch`, `c`; `w`,
/// `v`, `f`, `ph`; `k`, `c`, `q`, `g`).
pub fn sound(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut code = String::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (letter, len) = match rest {
            [b't', b's', b'c', b'h', ..] => ('c', 4),
            [b's', b'c', b'h', ..] => ('s', 3),
            [b's' | b'c' | b'r', b'z', ..] => (if rest[0] == b'c' { 'c' } else { 's' }, 2),
            [b's', b'h', ..] => ('s', 2),
            [b'p', b'h', ..] => ('f', 2),
            [b'c', b'k', ..] => ('k', 2),
            [b'c', b'h', ..] => ('h', 2),
            [b't', b'h', ..] => ('t', 2),
            [b'c', b'e' | b'i' | b'y', ..] => ('c', 1),
            [b'c' | b'q' | b'g' | b'k' | b'x', ..] => ('k', 1),
            [b'w' | b'v' | b'f', ..] => ('f', 1),
            [b'd' | b't', ..] => ('t', 1),
            [b'b' | b'p', ..] => ('p', 1),
            [b's' | b'z', ..] => ('s', 1),
            [b'a' | b'e' | b'i' | b'o' | b'u' | b'y' | b'j', ..] => ('a', 1),
            [b'h', ..] => ('-', 1),
            [other, ..] => (char::from(*other), 1),
            [] => break,
        };
        at += len;
        let is_kept = letter != '-' && (letter != 'a' || code.is_empty());
        if is_kept && !code.ends_with(letter) {
            code.push(letter);
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_agree_with_strsim(a in "[a-e]{0,12}", b in "[a-e]{0,12}") {
            let expected = strsim::jaro_winkler(&a, &b) as f32;
            // At Winkler's threshold itself single precision may fall on the other side.
            if (strsim::jaro(&a, &b) - 0.7).abs() > 1e-6 {
                prop_assert!((jaro_winkler(&a, &b) - expected).abs() < 1e-5, "{a} {b}");
            }
            let distance = strsim::osa_distance(&a, &b);
            for max in [0, 1, 2, 12] {
                prop_assert_eq!(edits(&a, &b, max), distance.min(max + 1), "{} {} {}", a, b, max);
            }
        }
    }

    #[test]
    fn numbers_tell_things_apart() {
        for (a, b, expected) in [
            ("firma 12", "firma 13", true),
            ("firma 9", "firma 12", true),
            ("sklep24", "sklep42", true),
            ("anna12@firma12.pl", "anna12@firma13.pl", true),
            ("sklep 24 oddzial 3", "sklep 24 oddzial 7", true),
            ("sklep 24 oddzial 3", "oddzial 3 sklep 24", false),
            ("sklep 24", "sklep 24 oddzial 3", false),
            ("szkola 07", "szkola 7", false),
            ("firma", "firma 2", false),
            ("firma", "frima", false),
        ] {
            assert_eq!(numbers_differ(a, b), expected, "{a} / {b}");
            assert_eq!(numbers_differ(b, a), expected, "{b} / {a}");
        }
    }

    #[test]
    fn spellings_of_one_sound_are_one() {
        for same in [
            &["schmidt", "szmit", "schmitt", "szmidt"][..],
            &["kowalski", "kowalsky", "cowalski"],
            &["wisniewski", "visniewsky"],
            &["meyer", "maier", "mayer", "meier"],
            &["kaczmarek", "katschmarek"],
        ] {
            for name in same {
                assert_eq!(sound(name), sound(same[0]), "{name}");
            }
        }
        assert_ne!(sound("nowak"), sound("kowalski"));
    }
}
