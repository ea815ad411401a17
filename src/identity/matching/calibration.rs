//! What the evidence of the surroundings is worth, all of it together.
//!
//! Colleagues share company, domain, street, town and switchboard; a family shares an address; two bars of one
//! casino share everything but the name. Each of these agreements is improbable by chance, and adding them up
//! would make one person of them all. So the sum is taken as a single fact, and how often pairs of which it
//! is true are one entity is learned from what else the pairs say.

use super::model::probability;
use super::prior;

/// Width of a bucket in bits of naive evidence.
const BUCKET_BITS: f32 = 4.0;
/// Evidence below this is too common for a chance agreement to hide in; it counts as it is.
const FROM_BITS: f32 = 4.0;
const BUCKETS: usize = 16;
/// Imagined pairs a bucket that agree with the naive sum.
const PRIOR_PAIRS: f32 = 4.0;
/// Pairs with such evidence that count as much as what is known before any.
const KNOWN_PAIRS: f32 = 20.0;
/// What other evidence says about a pair counts at most this much when learning.
const OWN_BITS_MAX: f32 = 20.0;
const ROUNDS: usize = 25;
/// Evidence that would be overwhelming if its parts were independent.
const CROWD_BITS: f32 = 22.0;

/// A monotone map from naive bits to bits.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Bits at the middle of each bucket; empty where nothing was learned.
    bits: Vec<f32>,
    /// What surroundings that differ in everything are worth: people move.
    floor_bits: f32,
}

impl Calibration {
    /// Takes evidence as it is.
    pub fn none() -> Self {
        Self { bits: Vec::new(), floor_bits: f32::NEG_INFINITY }
    }

    /// Takes a map that was learned before: bits at the middle of each bucket, and the floor.
    pub fn of_bits(bits: Vec<f32>, floor_bits: f32) -> Self {
        Self { bits, floor_bits }
    }

    /// Returns what [`Calibration::of_bits`] takes.
    pub fn to_bits(&self) -> (&[f32], f32) {
        (&self.bits, self.floor_bits)
    }

    /// Learns from pairs with strong evidence of their surroundings: naive bits, and bits of all other evidence.
    /// With `voice` what is known of people in general counts beside them.
    pub fn learn(
        pairs: impl Iterator<Item = (f32, f32)>,
        prior_bits: f32,
        floor_bits: f32,
        voice: f32,
    ) -> Self {
        let mut buckets: Vec<Vec<f32>> = vec![Vec::new(); BUCKETS];
        for (shared, own) in pairs {
            if shared >= FROM_BITS {
                let bucket = (((shared - FROM_BITS) / BUCKET_BITS) as usize).min(BUCKETS - 1);
                buckets[bucket].push(own.clamp(-OWN_BITS_MAX, OWN_BITS_MAX));
            }
        }
        // What is known gives way to what is seen.
        let seen: usize = buckets.iter().map(Vec::len).sum();
        let voice = voice * KNOWN_PAIRS / (KNOWN_PAIRS + seen as f32);
        let mut before = FROM_BITS;
        let mut learned: Vec<(f32, f32)> = buckets
            .iter()
            .enumerate()
            .map(|(bucket, owns)| {
                // Before any pair is seen, a bucket grows on the one below as fast as that one grew.
                let slope =
                    if bucket == 0 { 1.0 } else { (before / middle(bucket - 1)).clamp(0.0, 1.0) };
                let grown = if bucket == 0 { middle(0) } else { before + BUCKET_BITS * slope };
                let known = prior::surroundings_bits(middle(bucket));
                let grown = grown + voice * (known - grown);
                let expected = probability(prior_bits + grown);
                let mut share = expected.clamp(1e-6, 0.999_999);
                for _ in 0..ROUNDS {
                    let odds = (share / (1.0 - share)).log2();
                    let sum: f32 = owns.iter().map(|own| probability(odds + own)).sum();
                    share = (sum + PRIOR_PAIRS * expected) / (owns.len() as f32 + PRIOR_PAIRS);
                    share = share.clamp(1e-6, 0.999_999);
                }
                // Independent evidence is the most that the parts can be worth together.
                before = ((share / (1.0 - share)).log2() - prior_bits).min(middle(bucket));
                (before, owns.len() as f32 + PRIOR_PAIRS)
            })
            .collect();
        make_monotone(&mut learned);
        Self { bits: learned.into_iter().map(|(bits, _)| bits).collect(), floor_bits }
    }

    /// Returns whether different entities share their surroundings: strong evidence of them is worth much
    /// less than its sum.
    pub fn is_crowded(&self) -> bool {
        self.bits(CROWD_BITS) < CROWD_BITS - 6.0
    }

    /// Returns what `naive` bits are worth.
    pub fn bits(&self, naive: f32) -> f32 {
        let naive = naive.max(self.floor_bits);
        let (Some(first), Some(last)) = (self.bits.first(), self.bits.last()) else { return naive };
        let at = (naive - middle(0)) / BUCKET_BITS;
        if at <= 0.0 {
            return naive.min(*first);
        }
        let low = at as usize;
        match (self.bits.get(low), self.bits.get(low + 1)) {
            (Some(a), Some(b)) => a + (b - a) * (at - low as f32),
            _ => *last,
        }
    }
}

fn middle(bucket: usize) -> f32 {
    FROM_BITS + BUCKET_BITS * (bucket as f32 + 0.5)
}

/// Pools adjacent violators: more naive evidence is never worth less.
fn make_monotone(values: &mut [(f32, f32)]) {
    let mut blocks: Vec<(f32, f32, usize)> = Vec::new();
    for &(bits, weight) in values.iter() {
        blocks.push((bits, weight, 1));
        while let [.., before, last] = blocks.as_mut_slice() {
            if before.0 <= last.0 {
                break;
            }
            let weight = before.1 + last.1;
            *before = ((before.0 * before.1 + last.0 * last.1) / weight, weight, before.2 + last.2);
            blocks.pop();
        }
    }
    let mut at = 0;
    for (bits, _, len) in blocks {
        for value in &mut values[at..at + len] {
            value.0 = bits;
        }
        at += len;
    }
}
