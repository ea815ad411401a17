//! Remembers what was made of values: in an export most of them come again and again.

use std::cell::RefCell;
use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Values remembered at most; a memory that is full begins anew.
const VALUES_MAX: usize = 16_384;
/// A longer value is prose that hardly comes again, and would cost memory.
const VALUE_BYTES_MAX: usize = 1_024;
/// Values after which a memory has to have paid.
const TRIAL_VALUES: u64 = 4_096;
/// Of so many values one at least has to have come before.
const VALUES_PER_HIT_MAX: u64 = 8;

/// What was made of values, by their text.
///
/// It changes nothing but the time taken: what is remembered must follow from the text alone.
#[derive(Debug)]
pub(super) struct Memory<V>(RefCell<Known<V>>);

#[derive(Debug)]
struct Known<V> {
    by_text: HashMap<Box<str>, V, RandomState>,
    asked: u64,
    hits: u64,
    /// Addresses and messages do not come again: keeping them costs and yields nothing.
    has_failed: bool,
}

impl<V> Default for Memory<V> {
    fn default() -> Self {
        let by_text = HashMap::default();
        Self(RefCell::new(Known { by_text, asked: 0, hits: 0, has_failed: false }))
    }
}

impl<V: Clone> Memory<V> {
    /// Returns what was made of `text`, which `read` makes of one that is not remembered.
    pub(super) fn recall(&self, text: &str, read: impl FnOnce() -> V) -> V {
        match self.0.borrow_mut().find(text) {
            Ok(known) => return known,
            Err(is_wanted) if !is_wanted => return read(),
            Err(_) => {}
        }
        let found = read();
        let by_text = &mut self.0.borrow_mut().by_text;
        if by_text.len() >= VALUES_MAX {
            by_text.clear();
        }
        by_text.insert(text.into(), found.clone());
        found
    }
}

impl<V: Clone> Known<V> {
    /// Returns what is known of `text`, else whether it should be remembered.
    fn find(&mut self, text: &str) -> Result<V, bool> {
        if self.has_failed || text.len() > VALUE_BYTES_MAX {
            return Err(false);
        }
        self.asked += 1;
        if let Some(found) = self.by_text.get(text) {
            self.hits += 1;
            return Ok(found.clone());
        }
        if self.asked >= TRIAL_VALUES {
            self.has_failed = self.hits * VALUES_PER_HIT_MAX < self.asked;
            (self.asked, self.hits) = (0, 0);
            if self.has_failed {
                self.by_text = HashMap::default();
            }
        }
        Err(!self.has_failed)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_value_that_comes_again_is_read_once() {
        let (memory, reads) = (Memory::default(), Cell::new(0));
        let length = |text: &str| {
            memory.recall(text, || {
                reads.set(reads.get() + 1);
                text.len()
            })
        };
        for _ in 0..5 {
            assert_eq!((length("Polska"), length("PL")), (6, 2));
        }
        assert_eq!(reads.get(), 2);
    }

    #[test]
    fn values_that_do_not_come_again_are_soon_not_kept() {
        let memory = Memory::default();
        for number in 0..50_000 {
            let text = number.to_string();
            assert_eq!(memory.recall(&text, || text.len()), text.len());
            assert!(memory.0.borrow().by_text.len() <= TRIAL_VALUES as usize);
        }
    }

    #[test]
    fn a_full_memory_begins_anew() {
        let memory = Memory::default();
        for number in 0..60_000_usize {
            for text in [number.to_string(), "again".to_owned()] {
                assert_eq!(memory.recall(&text, || text.len()), text.len());
            }
            assert!(memory.0.borrow().by_text.len() <= VALUES_MAX);
        }
    }
}
