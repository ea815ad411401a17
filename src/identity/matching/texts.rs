//! Distinct texts, each kept once and known by its number.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

/// Numbers of things by their hashes; the things themselves are kept elsewhere.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    /// Half a hash and a number; [`FREE`] where nothing is. A power of two, at most half of them taken.
    slots: Vec<(u32, u32)>,
    taken: usize,
}

const FREE: u32 = u32::MAX;
const SLOTS_MIN: usize = 16;

impl Numbers {
    /// Returns the number under `hash` of which `is_it` says yes; else takes `next` for it and returns none.
    pub(super) fn find_or_take(
        &mut self,
        hash: u64,
        next: u32,
        is_it: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        if self.taken * 2 >= self.slots.len() {
            self.grow();
        }
        let (hash, last) = ((hash >> 32) as u32, self.slots.len() - 1);
        let mut at = hash as usize & last;
        loop {
            match self.slots[at] {
                (_, FREE) => break,
                (known, number) if known == hash && is_it(number) => return Some(number),
                _ => at = (at + 1) & last,
            }
        }
        self.slots[at] = (hash, next);
        self.taken += 1;
        None
    }

    fn grow(&mut self) {
        let len = (self.slots.len() * 2).max(SLOTS_MIN);
        let old = std::mem::replace(&mut self.slots, vec![(0, FREE); len]);
        for (hash, number) in old.into_iter().filter(|(_, number)| *number != FREE) {
            let mut at = hash as usize & (len - 1);
            while self.slots[at].1 != FREE {
                at = (at + 1) & (len - 1);
            }
            self.slots[at] = (hash, number);
        }
    }
}

/// Returns a hash of `text` for tables that are looked up and never walked through.
pub(super) fn table_hash(text: &str) -> u64 {
    // The bits in the middle are the best mixed ones.
    FxBuildHasher.hash_one(text).rotate_left(32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Distinct texts, numbered as they came.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    /// All of them, one behind the other.
    joined: String,
    /// Where each ends.
    ends: Vec<usize>,
    numbers: Numbers,
}

impl Texts {
    /// Returns the number of `text`, which is kept if it is new.
    pub fn number_of(&mut self, text: &str) -> u32 {
        let Self { joined, ends, numbers } = self;
        let next = ends.len() as u32;
        let known = numbers.find_or_take(table_hash(text), next, |number| {
            let at = number as usize;
            let start = if at == 0 { 0 } else { ends[at - 1] };
            joined[start..ends[at]] == *text
        });
        known.unwrap_or_else(|| {
            joined.push_str(text);
            ends.push(joined.len());
            next
        })
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns all of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|number| &self[number])
    }
}

impl std::ops::Index<usize> for Texts {
    type Output = str;

    fn index(&self, number: usize) -> &str {
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.joined[start..self.ends[number]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_one_number_however_many_there_are() {
        let mut texts = Texts::default();
        for round in 0..2 {
            for number in 0..1_000_u32 {
                let text = if number == 3 { String::new() } else { format!("ł{number}") };
                assert_eq!(texts.number_of(&text), number, "in round {round}");
            }
        }
        assert_eq!((texts.len(), &texts[3], &texts[999]), (1_000, "", "ł999"));
        assert_eq!(texts.iter().nth(4), Some("ł4"));
    }

    #[test]
    fn texts_of_one_hash_are_told_apart() {
        let mut numbers = Numbers::default();
        for number in 0..40 {
            assert_eq!(numbers.find_or_take(7, number, |_| false), None);
        }
        assert_eq!(numbers.find_or_take(7, 40, |number| number == 31), Some(31));
    }
}
