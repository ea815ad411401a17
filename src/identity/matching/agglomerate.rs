//! Pairs → clusters: the best pairs first, and no cluster of which the members do not belong together on average.
//!
//! Connected components would join everything that a chain of likely pairs connects. Here two clusters become
//! one only if the average over the pairs between them says so.

/// A pair counts at most this much for or against, so that one overwhelming agreement cannot carry strangers.
const PAIR_BITS_MAX: f32 = 12.0;
/// Pairs between two clusters that are scored to find the average.
const CROSS_PAIRS_MAX: usize = 40;

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

/// Clusters `n` records by `edges`, the best first; returns for each record the smallest row of its cluster.
///
/// Two clusters are joined where the average of `bits` between them is at least `average_bits_min`. Where
/// `side` tells two lists apart, a cluster holds at most one record of each.
pub fn agglomerate(
    n: usize,
    edges: &[Edge],
    side: Option<&[bool]>,
    average_bits_min: f32,
    mut bits: impl FnMut(u32, u32) -> f32,
) -> Vec<u32> {
    let mut cluster_of: Vec<u32> = (0..n as u32).collect();
    let mut members: Vec<Vec<u32>> = (0..n as u32).map(|row| vec![row]).collect();
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
        let is_more = ours.len() + theirs.len() > 2;
        if is_more && average(ours, theirs, &mut bits) < average_bits_min {
            continue;
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

fn average(ours: &[u32], theirs: &[u32], bits: &mut impl FnMut(u32, u32) -> f32) -> f32 {
    let all = ours.len() * theirs.len();
    // An even spread over all pairs, the same every time.
    let step = all.div_ceil(CROSS_PAIRS_MAX);
    let (mut sum, mut count) = (0.0, 0);
    let mut at = 0;
    while at < all {
        let (a, b) = (ours[at / theirs.len()], theirs[at % theirs.len()]);
        sum += bits(a.min(b), a.max(b)).clamp(-PAIR_BITS_MAX, PAIR_BITS_MAX);
        count += 1;
        at += step;
    }
    sum / count as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(a: u32, b: u32, bits: f32) -> Edge {
        Edge { a, b, bits }
    }

    #[test]
    fn a_chain_of_likely_pairs_does_not_join_its_ends() {
        // 0-1 and 1-2 are likely, 0 and 2 contradict each other.
        let bits = |a: u32, b: u32| if (a, b) == (0, 2) { -20.0 } else { 4.0 };
        let edges = [edge(0, 1, 5.0), edge(1, 2, 4.0)];
        assert_eq!(agglomerate(3, &edges, None, -1.5, bits), [0, 0, 2]);
        assert_eq!(agglomerate(3, &edges, None, -1.5, |_, _| 4.0), [0, 0, 0]);
    }

    #[test]
    fn linked_lists_give_each_record_one_partner() {
        let side = [false, false, true];
        let edges = [edge(1, 2, 6.0), edge(0, 2, 5.0)];
        assert_eq!(agglomerate(3, &edges, Some(&side), -1.5, |_, _| 5.0), [0, 1, 1]);
    }
}
