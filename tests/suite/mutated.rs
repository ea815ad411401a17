//! What the fuzzers ask for (`tests/fuzz/targets.rs`), asked of the kept corpus changed at random: on any compiler, the
//! same changes each time. `LEADMILL_MUTATIONS=100000` changes it more often.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::workspace::{fixtures, package};

#[path = "../fuzz/targets.rs"]
mod targets;

/// Changed inputs of a target, unless `LEADMILL_MUTATIONS` says otherwise.
const MUTATIONS: usize = 100;

/// What is put in somewhere: the signs that formats are made of.
const PIECES: &[&[u8]] = &[
    b"\"",
    b"\"\"",
    b"\\",
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\x1a",
    b"\x1b[31m",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"=",
    b"&",
    b"%",
    b"%00",
    b"+",
    b"-",
    b"@",
    b"<",
    b">",
    b"'",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    "ż".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{200b}".as_bytes(),
    b"9999999999999999999",
    b"-1",
    b"0",
    b"1e308",
    b"null",
    b"T24:60:61",
    b"\\u0000",
    b"\\ud800",
    b"[[",
    b"--q",
    b"\r\n\r\n",
    b"../",
    b"=1+1",
];

/// Xorshift: the same numbers each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    /// Changes `bytes` in a few places; `other` is what something may be taken from.
    fn change(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let length = self.below(bytes.len() - at + 1).min(1 + self.below(64));
            match self.below(8) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 => drop(bytes.drain(at..at + length)),
                2 => {
                    let part = bytes[at..at + length].to_vec();
                    let times = 1 + self.below(3);
                    bytes.splice(at..at, part.repeat(times));
                }
                3 => bytes.truncate(at),
                4 => {
                    let from = self.below(other.len() + 1);
                    let to = (from + self.below(64)).min(other.len());
                    bytes.splice(at..at, other[from..to].iter().copied());
                }
                _ => {
                    let piece = PIECES[self.below(PIECES.len())];
                    let repeated = piece.repeat(1 + self.below(2) * self.below(20));
                    bytes.splice(at..at, repeated);
                }
            }
        }
    }
}

/// Returns the corpus of a target: what is kept, and of whole exports those that are not too long to be read often.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = package().join("tests/fuzz/corpus").join(name);
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut found: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(found.len() > 2, "{}", folder.display());
    if name == "sniffing" {
        let heads = fixtures().into_values().map(|bytes| {
            let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').take(4).collect();
            lines.concat()
        });
        found.extend(heads.filter(|head| head.len() < 4_000));
    }
    found
}

/// Fails with the bytes, to be kept in the corpus, for which the target does not hold.
#[track_caller]
fn check(name: &str, share: usize) {
    let (_, target) = targets::ALL.iter().find(|(known, _)| *known == name).unwrap();
    let corpus = corpus(name);
    let mutations =
        std::env::var("LEADMILL_MUTATIONS").map_or(MUTATIONS, |text| text.parse().unwrap());
    let mut random = Random(0x2545_f491_4f6c_dd1d ^ name.len() as u64);
    let changed = (0..mutations.div_ceil(share)).map(|_| {
        let mut bytes = corpus[random.below(corpus.len())].clone();
        let other = &corpus[random.below(corpus.len())];
        random.change(&mut bytes, other);
        bytes
    });
    for bytes in corpus.iter().cloned().chain(changed) {
        let outcome = catch_unwind(AssertUnwindSafe(|| target(&bytes)));
        assert!(outcome.is_ok(), "{name} does not hold for b\"{}\"", bytes.escape_ascii());
    }
}

#[test]
fn whatever_a_file_holds_it_is_judged_or_refused_with_a_way_out() {
    check("sniffing", 1);
}

#[test]
fn whatever_a_table_holds_its_rows_are_read_or_refused() {
    check("csv", 1);
}

#[test]
fn whatever_json_holds_its_records_are_read_or_refused() {
    check("json", 1);
}

#[test]
fn whatever_a_file_of_rules_says_its_mistakes_are_shown() {
    // Each reads all rules anew.
    check("rules", 5);
}

#[test]
fn whatever_a_date_says_it_comes_back_from_its_spelling() {
    check("dates", 1);
}

#[test]
fn whatever_a_number_says_it_comes_back_from_its_spelling() {
    check("phones", 1);
}

#[test]
fn whatever_an_address_says_it_comes_back_from_its_spelling() {
    check("emails", 1);
}

#[test]
fn whatever_a_body_holds_it_is_refused_or_kept_line_by_line() {
    check("receive", 1);
}

#[test]
fn every_target_is_hunted_by_a_fuzzer_of_its_own() {
    let manifest = fs::read_to_string(package().join("tests/fuzz/Cargo.toml")).unwrap();
    for (name, _) in targets::ALL {
        let file = format!("fuzz_targets/{name}.rs");
        assert!(
            manifest.contains(&format!("path = \"{file}\"")),
            "{name} is no binary of tests/fuzz"
        );
        let text = fs::read_to_string(package().join("tests/fuzz").join(file)).unwrap();
        assert!(text.contains(&format!("targets::{name}(bytes)")), "{name}: {text}");
    }
}
