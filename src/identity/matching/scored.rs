//! The bits of the pairs that were compared, so that none is compared again.

use super::blocking::Candidates;
use super::model::VETO_BITS;

/// The bits of candidates, in their order.
#[derive(Debug)]
pub(super) struct Scored<'c> {
    candidates: &'c Candidates,
    /// Log2 odds before the prior moved; no number for a pair that was ruled out before all of it was compared.
    bits: Vec<f32>,
    shift: f32,
}

impl<'c> Scored<'c> {
    /// Prepares to keep the bits of `candidates`.
    pub(super) fn new(candidates: &'c Candidates) -> Self {
        Self { candidates, bits: vec![f32::NAN; candidates.len()], shift: 0.0 }
    }

    /// Keeps the bits of the candidate at `position`.
    pub(super) fn keep(&mut self, position: usize, bits: f32) {
        self.bits[position] = bits;
    }

    /// Returns the bits of the pairs that were compared, in order, before the prior moved.
    pub(super) fn totals(&self) -> impl Iterator<Item = f32> + Clone {
        self.bits.iter().copied().filter(|bits| !bits.is_nan())
    }

    /// Says by how much the prior moved since.
    pub(super) fn shift(&mut self, shift: f32) {
        self.shift = shift;
    }

    /// Returns the bits of `a` and `b`, if they were kept and are none that a veto may have set, which do not move.
    pub(super) fn bits(&self, a: u32, b: u32) -> Option<f32> {
        let bits = self.bits[self.candidates.position(a, b)?];
        Some(bits).filter(|bits| *bits > VETO_BITS).map(|bits| bits + self.shift)
    }
}
