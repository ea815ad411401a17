//! What is seen of a value at a glance: enough to tell most pairs of values apart without reading them.
//!
//! Nearly all pairs that are compared differ in nearly all they say. A sketch holds what bounds every distance from
//! below, beside that of its neighbours in one array, so that a far text is not fetched to learn that it is far.
//! Sketches never decide anything that [`super::compare`] would not: they say "different", or nothing.

use std::cmp::Ordering;

use super::field::{Field, Value};
use super::kind::Kind;

/// Jaro-Winkler similarities from which two names are similar, and from which two names or towns with slips are one,
/// less what single precision may be off.
const NAME_LIKENESS_MIN: f32 = 0.82 - 1e-3;
const SLIP_LIKENESS_MIN: f32 = 0.92 - 1e-3;
/// Edits from which no two values are one with slips.
const EDITS_MIN: u32 = 3;
/// Bytes that distances look at.
const BYTES_MAX: usize = 64;
/// Bytes of a text that a sketch holds whole.
const WHOLE_BYTES_MAX: usize = 8;

/// The glance at one value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sketch {
    /// Which letters and digits occur, as bits; some share one. Of a number how often each digit occurs.
    letters: u32,
    /// The first four bytes; of a date its digits, four bits each; of an e-mail address a hash of the mailbox.
    start: u32,
    /// Groups of given names, as bits; some share one.
    groups: u16,
    /// Length in bytes; 0 where a sketch says too little to be used.
    len: u8,
    /// Whether it is a given name that people are known to bear.
    pub(super) is_given_name: bool,
}

/// Returns the sketches of the values of `field`; none for kinds that are compared otherwise.
pub(super) fn sketches(field: &Field) -> Vec<Sketch> {
    let of_kind = match field.kind {
        Kind::Given | Kind::Surname | Kind::City | Kind::Web => of_text,
        Kind::Date => of_date,
        Kind::Email => of_email,
        Kind::Phone | Kind::Id => of_number,
        Kind::Postcode | Kind::House => of_code,
        _ => return Vec::new(),
    };
    field.values.iter().map(of_kind).collect()
}

/// Returns the level of two values of `kind` that are not equal, if a glance is enough.
pub(super) fn level(kind: Kind, a: Sketch, b: Sketch) -> Option<u8> {
    if a.len == 0 || b.len == 0 {
        return None;
    }
    let is_initial = a.len == 1 || b.len == 1;
    match kind {
        Kind::Given | Kind::Surname | Kind::City | Kind::Web if is_initial => None,
        Kind::Given => (a.groups & b.groups == 0 && a.is_far(b, NAME_LIKENESS_MIN)).then_some(4),
        Kind::Surname => a.is_far(b, NAME_LIKENESS_MIN).then_some(4),
        Kind::City => a.is_far(b, SLIP_LIKENESS_MIN).then_some(2),
        Kind::Date => Some(dates(a.start, b.start)),
        Kind::Email => (a.start != b.start && a.edits_min(b) >= EDITS_MIN).then_some(3),
        Kind::Phone | Kind::Id | Kind::Web => (a.edits_min(b) >= EDITS_MIN).then_some(2),
        Kind::House => Some(if a.is_extended(b) || a.is_slip_of_two(b) { 1 } else { 2 }),
        Kind::Postcode if a.is_whole_slip(b) => Some(1),
        Kind::Postcode => Some(if a.common_start(b) >= 2 { 2 } else { 3 }),
        _ => None,
    }
}

impl Sketch {
    /// The sketch that says nothing.
    pub(super) const NOTHING: Self =
        Self { letters: 0, start: 0, groups: 0, len: 0, is_given_name: false };

    /// Returns the whole text of one that is held whole, zeros behind it.
    fn whole(self) -> u64 {
        u64::from(self.letters) << 32 | u64::from(self.start)
    }

    /// Returns how many bytes two different texts that are held whole begin with.
    fn common_start(self, other: Self) -> u32 {
        (self.whole() ^ other.whole()).trailing_zeros() / 8
    }

    /// Returns whether one of two different texts that are held whole is the beginning of the other.
    fn is_extended(self, other: Self) -> bool {
        self.common_start(other) == u32::from(self.len.min(other.len))
    }

    /// Returns whether two different texts that are held whole are one edit apart, and both longer than a letter.
    fn is_slip_of_two(self, other: Self) -> bool {
        self.len.min(other.len) >= 2 && self.is_whole_slip(other)
    }

    /// Returns whether two different texts that are held whole are one edit apart.
    fn is_whole_slip(self, other: Self) -> bool {
        let from = 8 * self.common_start(other);
        let (a, b) = (self.whole() >> from, other.whole() >> from);
        match self.len.cmp(&other.len) {
            Ordering::Less => self.len + 1 == other.len && a == b >> 8,
            Ordering::Greater => other.len + 1 == self.len && a >> 8 == b,
            Ordering::Equal => {
                let is_swapped = || a & 0xff == b >> 8 & 0xff && a >> 8 & 0xff == b & 0xff;
                a >> 8 == b >> 8 || (a >> 16 == b >> 16 && is_swapped())
            }
        }
    }

    /// Returns whether a glance tells that two names are neither equal nor variants of each other.
    pub(super) fn is_no_variant_of(self, other: Self) -> bool {
        match self.len.min(other.len) {
            0 => false,
            1 | 2 => (self.len, self.start) != (other.len, other.start),
            _ => match self.edits_min(other) {
                0 | 1 => false,
                2 => self.likeness_max(other) < SLIP_LIKENESS_MIN,
                _ => true,
            },
        }
    }

    /// Returns a number of edits that are needed at least.
    fn edits_min(self, other: Self) -> u32 {
        // An edit adds at most one letter to a set of letters and takes one away.
        let by_letters = (self.letters ^ other.letters).count_ones().div_ceil(2);
        by_letters.max(u32::from(self.len.abs_diff(other.len)))
    }

    /// Returns whether two texts of one word are neither alike nor one the beginning of the other.
    fn is_far(self, other: Self, likeness_min: f32) -> bool {
        if self.edits_min(other) < EDITS_MIN {
            return false;
        }
        let (short, long) = if self.len <= other.len { (self, other) } else { (other, self) };
        short.letters & !long.letters != 0 && self.likeness_max(other) < likeness_min
    }

    /// Returns a Jaro-Winkler similarity that is not exceeded: as if all letters that both have stood in order.
    fn likeness_max(self, other: Self) -> f32 {
        let only_a = (self.letters & !other.letters).count_ones();
        let only_b = (other.letters & !self.letters).count_ones();
        let (len_a, len_b) = (u32::from(self.len), u32::from(other.len));
        let matches = (len_a - only_a).min(len_b - only_b) as f32;
        let jaro = (matches / len_a as f32 + matches / len_b as f32 + 1.0) / 3.0;
        let prefix = ((self.start ^ other.start).trailing_zeros() / 8).min(4);
        jaro + prefix as f32 * 0.1 * (1.0 - jaro)
    }
}

fn of_text(value: &Value) -> Sketch {
    let bytes = value.text.as_bytes();
    let nothing = Sketch { is_given_name: value.is_given_name, ..Sketch::default() };
    // Several words and what is longer than a name have rules of their own.
    if bytes.is_empty() || bytes.len() > BYTES_MAX || bytes.contains(&b' ') {
        return nothing;
    }
    let groups = value.groups.iter().fold(0, |groups, group| groups | 1 << (group & 15));
    let (start, _) = words(bytes);
    Sketch { letters: letters(bytes), start, groups, len: bytes.len() as u8, ..nothing }
}

/// Returns the first four bytes and the next four, zeros behind the last.
fn words(bytes: &[u8]) -> (u32, u32) {
    let mut whole = [0; WHOLE_BYTES_MAX];
    let len = bytes.len().min(WHOLE_BYTES_MAX);
    whole[..len].copy_from_slice(&bytes[..len]);
    let whole = u64::from_le_bytes(whole);
    (whole as u32, (whole >> 32) as u32)
}

fn of_email(value: &Value) -> Sketch {
    let bytes = value.text.as_bytes();
    if bytes.len() > BYTES_MAX {
        return Sketch::default();
    }
    let mailbox = value.text.split('@').next().unwrap_or_default();
    let named = mailbox.bytes().filter(u8::is_ascii_alphanumeric);
    let hash = named
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    Sketch { letters: letters(bytes), start: hash, len: bytes.len() as u8, ..Sketch::default() }
}

fn of_number(value: &Value) -> Sketch {
    let bytes = value.text.as_bytes();
    if bytes.len() > BYTES_MAX {
        return Sketch::default();
    }
    // Three bits for each digit say how often it occurs, two how many letters there are. An edit adds one at most and
    // takes one away, as it does with a set of letters.
    let mut counts = 0_u32;
    for byte in bytes {
        let (lowest, bits) = if byte.is_ascii_digit() { (3 * (byte - b'0'), 3) } else { (30, 2) };
        let mask = ((1 << bits) - 1) << lowest;
        counts |= (counts << 1 | 1 << lowest) & mask;
    }
    Sketch { letters: counts, len: bytes.len() as u8, ..Sketch::default() }
}

/// Holds a short text whole: its end where others have their letters.
fn of_code(value: &Value) -> Sketch {
    let bytes = value.text.as_bytes();
    if bytes.len() > WHOLE_BYTES_MAX {
        return Sketch::default();
    }
    let (start, end) = words(bytes);
    Sketch { letters: end, start, len: bytes.len() as u8, ..Sketch::default() }
}

fn of_date(value: &Value) -> Sketch {
    let [year, month, day] = value.date;
    let digits = [year / 1000, year / 100 % 10, year / 10 % 10, year % 10];
    let digits = digits.into_iter().chain([month / 10, month % 10, day / 10, day % 10]);
    let start = digits.fold(0, |packed, digit| packed << 4 | u32::from(digit));
    // Only a date that was written by its parts is what its digits are.
    let is_plain =
        *value.text == *format!("{year:04}-{month:02}-{day:02}") && value.text.len() == 10;
    Sketch { start, len: u8::from(is_plain), ..Sketch::default() }
}

fn letters(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |set, byte| set | 1 << (byte & 31))
}

/// Compares two dates by their digits: year, month and day in eight, four bits each.
fn dates(a: u32, b: u32) -> u8 {
    let difference = a ^ b;
    let (year, month, day) = (difference >> 16, difference >> 8 & 0xff, difference & 0xff);
    let is_swapped = year == 0 && a & 0xff == b >> 8 & 0xff && a >> 8 & 0xff == b & 0xff;
    if is_swapped || is_slip(a, b) {
        return 1;
    }
    match [year, month, day].iter().filter(|part| **part == 0).count() {
        2.. => 2,
        1 if year == 0 => 3,
        _ => 4,
    }
}

/// Returns whether one digit differs, or two neighbours within a part are swapped.
fn is_slip(a: u32, b: u32) -> bool {
    let difference = a ^ b;
    let lowest = difference.trailing_zeros() / 4 * 4;
    if difference >> lowest <= 0xf {
        return true;
    }
    // Between day and month and between month and year stands a hyphen.
    if difference >> lowest > 0xff || lowest == 4 || lowest == 12 {
        return false;
    }
    let (a, b) = (a >> lowest & 0xff, b >> lowest & 0xff);
    a >> 4 == b & 0xf && a & 0xf == b >> 4
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::identity::matching::compare::compare_values;
    use crate::identity::matching::field::{Builder, Bundle};
    use crate::identity::matching::lists::Lists;

    /// Returns a field of one record with two values.
    fn field_of(kind: Kind, a: &str, b: &str) -> Field {
        let nicknames = [vec!["abba".to_owned(), "dec".to_owned(), "eve".to_owned()]];
        let lists = Lists::new(nicknames.iter().map(Vec::as_slice), [], [], [], [], []);
        let mut builder = Builder::new(kind, String::new(), Bundle::Own, &lists);
        builder.add(a);
        builder.add(b);
        builder.close_record();
        builder.build_of_few()
    }

    /// Compares two texts at a glance, if that is enough, and by reading them.
    fn both_ways(kind: Kind, a: &str, b: &str) -> (Option<u8>, u8) {
        let field = field_of(kind, a, b);
        let sketches = sketches(&field);
        let read = compare_values(&field, &field.values[0], &field.values[1]);
        (level(kind, sketches[0], sketches[1]), read)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_glance_says_what_reading_says(
            kind in prop::sample::select(vec![Kind::Given, Kind::Surname, Kind::City]),
            a in "[a-h]{1,9}(ski|ska| [a-h]{1,4})?|abba|dec|eve",
            b in "[a-h]{1,9}(ski|ska| [a-h]{1,4})?|abba|dec|eve",
        ) {
            prop_assume!(a != b);
            if let (Some(glance), read) = both_ways(kind, &a, &b) {
                prop_assert_eq!(glance, read);
            }
        }

        #[test]
        fn a_glance_at_a_date_is_enough(
            a in "19[0-2][0-2]-[01][0-2]-[0-2][0-2]",
            b in "[12]9[0-2][0-2]-[01][0-2]-[0-2][0-2]",
        ) {
            prop_assume!(a != b);
            let (glance, read) = both_ways(Kind::Date, &a, &b);
            prop_assert_eq!(glance, Some(read));
        }

        #[test]
        fn a_glance_at_two_names_that_may_be_swapped_says_what_reading_says(
            a in "[a-h]{1,9}(ski|ska| [a-h]{1,4})?",
            b in "[a-h]{1,9}(ski|ska| [a-h]{1,4})?",
        ) {
            let field = field_of(Kind::Surname, &a, &b);
            let (x, y) = (sketches(&field)[0], *sketches(&field).last().expect("one at least"));
            if x.is_no_variant_of(y) {
                prop_assert!(a != b);
                prop_assert!(a.len() < 3 || b.len() < 3 || both_ways(Kind::Surname, &a, &b).1 > 1);
            }
        }

        #[test]
        fn a_glance_at_a_short_code_is_enough(
            kind in prop::sample::select(vec![Kind::Postcode, Kind::House]),
            a in "[0-2a]{1,8}",
            b in "[0-2a]{1,8}",
        ) {
            prop_assume!(a != b);
            let (glance, read) = both_ways(kind, &a, &b);
            prop_assert_eq!(glance, Some(read));
        }

        #[test]
        fn a_glance_at_a_number_says_what_reading_says(
            kind in prop::sample::select(vec![Kind::Phone, Kind::Id, Kind::Web]),
            a in "[0-3a-c]{4,11}",
            b in "[0-4a-d]{4,11}",
        ) {
            prop_assume!(a != b);
            if let (Some(glance), read) = both_ways(kind, &a, &b) {
                prop_assert_eq!(glance, read);
            }
        }

        #[test]
        fn a_glance_at_an_address_says_what_reading_says(
            a in "[a-d.]{3,8}[12]?@(ab|cd)\\.pl",
            b in "[a-h.]{3,8}[12]?@(ab|cd)\\.pl",
        ) {
            prop_assume!(a != b);
            if let (Some(glance), read) = both_ways(Kind::Email, &a, &b) {
                prop_assert_eq!(glance, read);
            }
        }
    }

    #[test]
    fn most_names_are_told_apart_at_a_glance() {
        let check = |a: &str, b: &str, expected: Option<u8>| {
            assert_eq!(both_ways(Kind::Surname, a, b).0, expected, "{a} / {b}");
        };
        check("kowalska", "kowalik", None);
        check("wisniewski", "kruk", Some(4));
        check("wisniewski", "wisniewska", None);
        check("gawron", "zielinski", Some(4));
    }
}
