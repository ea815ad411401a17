//! Receipts: what a submission is known by, and which were given of late.

use std::collections::{HashSet, VecDeque};
use std::fmt;

use crate::model::ids::{hex, unhex};

/// Receipts of one form that are remembered at most: 12 million bytes.
const RECEIPTS_MAX: usize = 250_000;

/// What a submission is known by: a function of its form and its content, so the same one gets the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Receipt(pub(super) [u8; 16]);

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl Receipt {
    /// Reads a receipt as it is shown.
    pub(super) fn parse(text: &str) -> Option<Self> {
        unhex(text)?.try_into().ok().map(Self)
    }
}

/// The receipts that a form gave of late: the same content once more is the same submission.
#[derive(Debug)]
pub(super) struct Known {
    window_ms: i64,
    given: HashSet<Receipt>,
    order: VecDeque<(i64, Receipt)>,
}

impl Known {
    pub(super) fn new(window_ms: i64) -> Self {
        Self { window_ms, given: HashSet::new(), order: VecDeque::new() }
    }

    /// Returns how long receipts are remembered.
    pub(super) fn window_ms(&self) -> i64 {
        self.window_ms
    }

    /// Returns whether `receipt` was given within the window before `now_ms`.
    pub(super) fn holds(&mut self, receipt: Receipt, now_ms: i64) -> bool {
        self.forget(now_ms);
        self.given.contains(&receipt)
    }

    /// Remembers that `receipt` was given at `at_ms`, which is no earlier than those before.
    pub(super) fn add(&mut self, receipt: Receipt, at_ms: i64) {
        if self.given.insert(receipt) {
            self.order.push_back((at_ms, receipt));
        }
        if self.order.len() > RECEIPTS_MAX
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.given.remove(&oldest);
        }
    }

    fn forget(&mut self, now_ms: i64) {
        while let Some(&(at_ms, oldest)) = self.order.front()
            && now_ms.saturating_sub(at_ms) >= self.window_ms
        {
            self.order.pop_front();
            self.given.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(number: u32) -> Receipt {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        Receipt(bytes)
    }

    #[test]
    fn a_receipt_is_read_as_it_is_shown() {
        let one = receipt(0xBEEF);
        assert_eq!(Receipt::parse(&one.to_string()), Some(one));
        for text in ["", "beef", &"g".repeat(32), &"ż".repeat(16)] {
            assert_eq!(Receipt::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_receipt_is_known_until_its_time_is_up() {
        let mut known = Known::new(1_000);
        assert!(!known.holds(receipt(1), 0));
        known.add(receipt(1), 0);
        known.add(receipt(2), 500);
        assert!(known.holds(receipt(1), 999));
        assert!(!known.holds(receipt(1), 1_000));
        assert!(known.holds(receipt(2), 1_000));
        known.add(receipt(1), 1_000);
        assert!(known.holds(receipt(1), 1_999));
    }

    #[test]
    fn the_memory_has_an_end() {
        let mut known = Known::new(i64::MAX);
        for number in 0..=RECEIPTS_MAX as u32 {
            known.add(receipt(number), 0);
        }
        assert!(!known.holds(receipt(0), 0));
        assert!(known.holds(receipt(1), 0));
        assert_eq!(known.given.len(), RECEIPTS_MAX);
    }
}
