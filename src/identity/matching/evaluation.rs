//! How good clusters are, given who is really who.

use std::collections::BTreeMap;

/// The quality of clusters against a truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Records judged.
    pub records: usize,
    /// Pairs of records that are one entity.
    pub true_pairs: u64,
    /// Pairs of records that were put into one cluster.
    pub found_pairs: u64,
    /// Pairs that are both.
    pub right_pairs: u64,
    /// Of the pairs found, the share that is right.
    pub precision: f64,
    /// Of the true pairs, the share that was found.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// B-cubed precision, recall and F1: the same for each record's cluster, averaged over records (Bagga and
    /// Baldwin 1998).
    pub b_cubed: [f64; 3],
    /// Records of the largest cluster.
    pub largest: usize,
}

/// Judges `found` by `truth`; both give each record's cluster.
///
/// # Panics
/// If the two differ in length.
pub fn evaluate(found: &[u32], truth: &[u32]) -> Quality {
    assert_eq!(found.len(), truth.len(), "every record needs a cluster and a truth");
    let mut sizes_found: BTreeMap<u32, u64> = BTreeMap::new();
    let mut sizes_true: BTreeMap<u32, u64> = BTreeMap::new();
    let mut cells: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for (f, t) in found.iter().zip(truth) {
        *sizes_found.entry(*f).or_default() += 1;
        *sizes_true.entry(*t).or_default() += 1;
        *cells.entry((*f, *t)).or_default() += 1;
    }
    let pairs =
        |sizes: &mut dyn Iterator<Item = &u64>| sizes.map(|n| n * n.saturating_sub(1) / 2).sum();
    let true_pairs = pairs(&mut sizes_true.values());
    let found_pairs = pairs(&mut sizes_found.values());
    let right_pairs = pairs(&mut cells.values());
    let share = |part: u64, whole: u64| if whole == 0 { 1.0 } else { part as f64 / whole as f64 };
    let (precision, recall) = (share(right_pairs, found_pairs), share(right_pairs, true_pairs));
    let n = found.len().max(1) as f64;
    let b_cubed = |size: &dyn Fn(u32, u32) -> u64| -> f64 {
        cells.iter().map(|((f, t), n)| (n * n) as f64 / size(*f, *t) as f64).sum::<f64>() / n
    };
    let b_precision = b_cubed(&|f, _| sizes_found[&f]);
    let b_recall = b_cubed(&|_, t| sizes_true[&t]);
    Quality {
        records: found.len(),
        true_pairs,
        found_pairs,
        right_pairs,
        precision,
        recall,
        f1: harmonic(precision, recall),
        b_cubed: [b_precision, b_recall, harmonic(b_precision, b_recall)],
        largest: sizes_found.values().max().map_or(0, |n| *n as usize),
    }
}

fn harmonic(a: f64, b: f64) -> f64 {
    if a + b == 0.0 { 0.0 } else { 2.0 * a * b / (a + b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_records_are_counted() {
        // True: {0,1,2} {3}; found: {0,1} {2,3}.
        let quality = evaluate(&[0, 0, 1, 1], &[7, 7, 7, 8]);
        assert_eq!((quality.true_pairs, quality.found_pairs, quality.right_pairs), (3, 2, 1));
        assert!((quality.precision - 0.5).abs() < 1e-9);
        assert!((quality.recall - 1.0 / 3.0).abs() < 1e-9);
        assert!((quality.f1 - 0.4).abs() < 1e-9);
        // Per record: precisions 1, 1, 1/2, 1/2; recalls 2/3, 2/3, 1/3, 1.
        assert!((quality.b_cubed[0] - 0.75).abs() < 1e-9);
        assert!((quality.b_cubed[1] - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(quality.largest, 2);
        assert!((evaluate(&[], &[]).f1 - 1.0).abs() < 1e-9);
    }
}
