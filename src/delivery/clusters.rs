//! What the matcher alone found, as files: which record is in which cluster, and which pairs decided it.

use std::io::Write;

use anyhow::Result;

use crate::identity::matching::compare::Comparer;
use crate::identity::matching::model::probability;
use crate::identity::matching::sheet::Sheet;
use crate::identity::matching::{JOIN_BITS_MIN, Matching, Pair};

/// Writes one row for each record, in `order`: its id and the name of its cluster.
pub fn write_clusters(
    out: impl Write,
    sheet: &Sheet,
    order: &[u32],
    cluster_names: &[&str],
) -> Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["id", "cluster"])?;
    for row in order {
        csv.write_record([&*sheet.ids[*row as usize], cluster_names[*row as usize]])?;
    }
    csv.flush()?;
    Ok(())
}

/// Writes one row for each pair that was joined or is worth a look, the likeliest first.
///
/// `bits` are log2 odds that both are one; `own` and `shared` the evidence about the records themselves and
/// about their surroundings; `why` lists each field with its level and its bits.
pub fn write_pairs(out: impl Write, sheet: &Sheet, matching: &Matching) -> Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["id_a", "id_b", "decision", "probability", "bits", "own", "shared", "why"])?;
    let mut comparer = Comparer::new(&matching.records);
    for pair in &matching.pairs {
        let (a, b) = (&*sheet.ids[pair.a as usize], &*sheet.ids[pair.b as usize]);
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        csv.write_record([
            a,
            b,
            decision(pair, &matching.clusters),
            &format!("{:.4}", probability(pair.bits.total)),
            &format!("{:.1}", pair.bits.total),
            &format!("{:.1}", pair.bits.own),
            &format!("{:.1}", pair.bits.shared),
            &why(pair, matching, &mut comparer),
        ])?;
    }
    csv.flush()?;
    Ok(())
}

/// What became of a pair.
fn decision(pair: &Pair, clusters: &[u32]) -> &'static str {
    let is_together = clusters[pair.a as usize] == clusters[pair.b as usize];
    match (is_together, pair.bits.total >= JOIN_BITS_MIN) {
        (true, true) => "same",
        (true, false) => "same through others",
        (false, true) => "kept apart by others",
        (false, false) => "review",
    }
}

fn why(pair: &Pair, matching: &Matching, comparer: &mut Comparer<'_>) -> String {
    let agreement = comparer.compare(pair.a, pair.b);
    let fields = matching.records.fields.iter().enumerate();
    let mut parts: Vec<String> = fields
        .filter_map(|(at, field)| {
            let level = agreement.level(at)?;
            let bits = matching.model.field_bits(&agreement, at);
            let word = field.kind.levels()[usize::from(level)];
            Some(format!("{}: {word} {bits:+.1}", field.label))
        })
        .collect();
    if agreement.swapped {
        parts.push("names swapped".to_owned());
    }
    if pair.bits.is_vetoed {
        parts.push("names contradict each other".to_owned());
    }
    parts.join("; ")
}
