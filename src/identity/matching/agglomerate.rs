//! Pairs → clusters: the best pairs first, and no cluster of which the members do not belong together on average.
//!
//! Connected components would join everything that a chain of likely pairs connects. Here two clusters become
//! one only if the average over the pairs between them says so.

use rustc_hash::FxHashMap;

/// A pair counts at most this much for or against, so that one overwhelming agreement cannot carry strangers.
const PAIR_BITS_MAX: f32 = 12.0;
/// Pairs between two clusters that are scored to find the average.
const CROSS_PAIRS_MAX: usize = 40;
/// More than sums of so many pairs differ that were added up in different orders.
const ROUNDING: f32 = 0.01;

/// Two records and the log2 odds that they are one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// Smaller row.
    pub a: u32,
    /// Larger row.
    pub b: u32,
    /// Log2 odds.
    pub bits: f32,
}

/// Bits of pairs: those that are at hand, and any.
pub trait PairBits {
    /// Returns the bits of a pair, smaller row first, if they are at hand.
    fn known(&self, a: u32, b: u32) -> Option<f32>;
    /// Returns the bits of a pair, smaller row first.
    fn compared(&mut self, a: u32, b: u32) -> f32;
}

/// Clusters `n` records by `edges`, the best first; returns for each record the smallest row of its cluster.
///
/// Two clusters are joined where the average of the bits of `pairs` between them is at least `average_bits_min`.
/// Where `side` tells two lists apart, a cluster holds at most one record of each.
pub fn agglomerate(
    n: usize,
    edges: &[Edge],
    side: Option<&[bool]>,
    average_bits_min: f32,
    pairs: &mut impl PairBits,
) -> Vec<u32> {
    let mut cluster_of: Vec<u32> = (0..n as u32).collect();
    let mut members: Vec<Vec<u32>> = (0..n as u32).map(|row| vec![row]).collect();
    // Clusters only grow, so two of the same sizes as when they were kept apart are the same two.
    let mut kept_apart: FxHashMap<(u32, u32), (u32, u32)> = FxHashMap::default();
    for edge in edges {
        let (a, b) = (cluster_of[edge.a as usize], cluster_of[edge.b as usize]);
        if a == b {
            continue;
        }
        let (keep, go) = (a.min(b) as usize, a.max(b) as usize);
        let (ours, theirs) = (&members[keep], &members[go]);
        if side.is_some() && ours.len() + theirs.len() > 2 {
            continue;
        }
        if ours.len() + theirs.len() > 2 {
            let clusters = (keep as u32, go as u32);
            let sizes = (ours.len() as u32, theirs.len() as u32);
            if kept_apart.get(&clusters) == Some(&sizes) {
                continue;
            }
            if !is_average(ours, theirs, average_bits_min, pairs) {
                kept_apart.insert(clusters, sizes);
                continue;
            }
        }
        let moved = std::mem::take(&mut members[go]);
        for row in &moved {
            cluster_of[*row as usize] = keep as u32;
        }
        members[keep].extend(moved);
        members[keep].sort_unstable();
    }
    cluster_of
}

/// Returns whether the average of the bits between two clusters is at least `min`.
///
/// What is at hand is looked at first, and no pair is compared that could not change the answer.
fn is_average(ours: &[u32], theirs: &[u32], min: f32, pairs: &mut impl PairBits) -> bool {
    let all = ours.len() * theirs.len();
    // An even spread over all pairs, the same every time.
    let step = all.div_ceil(CROSS_PAIRS_MAX);
    let n = all.div_ceil(step);
    let pair = |number: usize| {
        let at = number * step;
        let (a, b) = (ours[at / theirs.len()], theirs[at % theirs.len()]);
        (a.min(b), a.max(b))
    };
    let bounded = |bits: f32| bits.clamp(-PAIR_BITS_MAX, PAIR_BITS_MAX);
    let mut bits = [None; CROSS_PAIRS_MAX];
    let (mut sum, mut unknown) = (0.0, 0);
    for (number, bits) in bits.iter_mut().enumerate().take(n) {
        let (a, b) = pair(number);
        *bits = pairs.known(a, b).map(bounded);
        sum += bits.unwrap_or(0.0);
        unknown += usize::from(bits.is_none());
    }
    let needed = min * n as f32;
    for (number, bits) in bits.iter_mut().enumerate().take(n) {
        let open = PAIR_BITS_MAX * unknown as f32;
        if sum + open < needed - ROUNDING {
            return false;
        }
        if sum - open > needed + ROUNDING {
            return true;
        }
        if bits.is_none() {
            let (a, b) = pair(number);
            let compared = bounded(pairs.compared(a, b));
            *bits = Some(compared);
            sum += compared;
            unknown -= 1;
        }
    }
    // Too close for a sum in another order.
    bits[..n].iter().flatten().sum::<f32>() / n as f32 >= min
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pairs of which `compared` says what they are worth, and the first `known` rows know it already.
    struct Told<F> {
        known: u32,
        bits: F,
        n_compared: usize,
    }

    impl<F: Fn(u32, u32) -> f32> PairBits for Told<F> {
        fn known(&self, a: u32, b: u32) -> Option<f32> {
            (b < self.known).then(|| (self.bits)(a, b))
        }

        fn compared(&mut self, a: u32, b: u32) -> f32 {
            self.n_compared += 1;
            (self.bits)(a, b)
        }
    }

    fn told<F: Fn(u32, u32) -> f32>(known: u32, bits: F) -> Told<F> {
        Told { known, bits, n_compared: 0 }
    }

    fn clusters<F: Fn(u32, u32) -> f32>(
        n: usize,
        edges: &[Edge],
        side: Option<&[bool]>,
        bits: F,
    ) -> Vec<u32> {
        agglomerate(n, edges, side, -1.5, &mut told(0, bits))
    }

    fn edge(a: u32, b: u32, bits: f32) -> Edge {
        Edge { a, b, bits }
    }

    #[test]
    fn a_chain_of_likely_pairs_does_not_join_its_ends() {
        // 0-1 and 1-2 are likely, 0 and 2 contradict each other.
        let bits = |a: u32, b: u32| if (a, b) == (0, 2) { -20.0 } else { 4.0 };
        let edges = [edge(0, 1, 5.0), edge(1, 2, 4.0)];
        assert_eq!(clusters(3, &edges, None, bits), [0, 0, 2]);
        assert_eq!(clusters(3, &edges, None, |_, _| 4.0), [0, 0, 0]);
    }

    #[test]
    fn linked_lists_give_each_record_one_partner() {
        let side = [false, false, true];
        let edges = [edge(1, 2, 6.0), edge(0, 2, 5.0)];
        assert_eq!(clusters(3, &edges, Some(&side), |_, _| 5.0), [0, 1, 1]);
    }

    proptest! {
        #[test]
        fn pairs_that_are_not_compared_would_not_have_changed_the_answer(
            values in prop::collection::vec(-20.0_f32..20.0, 144),
            n in 1_usize..12,
            known in 0_u32..24,
        ) {
            let (ours, theirs): (Vec<u32>, Vec<u32>) = ((0..n as u32).collect(), (12..24).collect());
            let bits = |a: u32, b: u32| values[(a * 12 + b - 12) as usize];
            let step = (n * 12).div_ceil(CROSS_PAIRS_MAX);
            let sample: Vec<f32> = (0..n * 12)
                .step_by(step)
                .map(|at| bits((at / 12) as u32, (at % 12) as u32 + 12).clamp(-12.0, 12.0))
                .collect();
            let expected = sample.iter().sum::<f32>() / sample.len() as f32 >= -1.5;
            prop_assert_eq!(is_average(&ours, &theirs, -1.5, &mut told(known, bits)), expected);
        }
    }

    #[test]
    fn clusters_that_were_kept_apart_are_not_compared_again_until_one_grows() {
        // 0 and 1 are one, as are 2 and 3; between the two pairs there are many likely edges and one strong no.
        let bits = |a: u32, b: u32| if (a, b) == (1, 3) { -12.0 } else { 1.0 };
        let mut edges = vec![edge(0, 1, 9.0), edge(2, 3, 8.0)];
        edges.extend([(0, 2), (0, 3), (1, 2)].map(|(a, b)| edge(a, b, 1.0)));
        let mut pairs = told(0, bits);
        assert_eq!(agglomerate(4, &edges, None, -1.5, &mut pairs), [0, 0, 2, 2]);
        assert_eq!(pairs.n_compared, 4);
    }
}
