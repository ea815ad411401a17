//! The bits of the pairs that were compared, so that none is compared again.

use super::model::VETO_BITS;

/// Bits of pairs that came in order.
#[derive(Debug)]
pub(super) struct Scored {
    /// For each smaller row how many pairs came before its own.
    starts: Vec<u32>,
    larger: Vec<u32>,
    /// Log2 odds, in the order of the pairs, before the prior moved.
    pub(super) bits: Vec<f32>,
    shift: f32,
}

impl Scored {
    /// Begins to keep pairs of `n_records` rows, about `n_pairs` of them.
    pub(super) fn new(n_records: usize, n_pairs: usize) -> Self {
        Self {
            starts: Vec::with_capacity(n_records + 1),
            larger: Vec::with_capacity(n_pairs),
            bits: Vec::with_capacity(n_pairs),
            shift: 0.0,
        }
    }

    /// Keeps the bits of `a` and `b`, which come after all that were kept before.
    pub(super) fn push(&mut self, a: u32, b: u32, bits: f32) {
        while self.starts.len() <= a as usize {
            self.starts.push(self.larger.len() as u32);
        }
        self.larger.push(b);
        self.bits.push(bits);
    }

    /// Says by how much the prior moved since.
    pub(super) fn shift(&mut self, shift: f32) {
        self.shift = shift;
    }

    /// Returns the bits of `a` and `b`, if they were kept and are none that a veto may have set, which do not move.
    pub(super) fn bits(&self, a: u32, b: u32) -> Option<f32> {
        let start = *self.starts.get(a as usize)? as usize;
        let end = self.starts.get(a as usize + 1).map_or(self.larger.len(), |end| *end as usize);
        let at = self.larger[start..end].binary_search(&b).ok()?;
        Some(self.bits[start + at]).filter(|bits| *bits > VETO_BITS).map(|bits| bits + self.shift)
    }
}
