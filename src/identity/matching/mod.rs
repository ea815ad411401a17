//! The probabilistic matcher: which records of a table are one person or company, with nothing configured.
//!
//! It profiles the columns ([`profile`]), prepares their values ([`records`]), takes shared contacts out of
//! what identifies ([`hubs`]), proposes pairs ([`blocking`]), compares them ([`compare`]), learns what each
//! agreement is worth ([`training`], [`model`], from [`prior`] on) and what all that people share is worth together
//! ([`calibration`]), and joins the best pairs first ([`agglomerate`]). Everything is a function of what the
//! records say: not of their order, nor of the number of threads.
//!
//! Start at [`match_sheet`].

pub mod agglomerate;
pub mod blocking;
pub mod calibration;
pub mod compare;
pub mod evaluation;
pub mod field;
pub mod genders;
pub mod hashing;
pub mod hubs;
pub mod kind;
pub mod lists;
pub mod model;
mod person;
pub mod prepare;
pub mod prior;
pub mod profile;
pub mod records;
mod scored;
pub mod sheet;
pub mod similarity;
mod sketch;
pub mod texts;
pub mod training;

#[cfg(test)]
mod tests;

use agglomerate::{Edge, PairBits, agglomerate};
use compare::Comparer;
use lists::Lists;
use model::{Bits, Model, PRIOR_SHIFT_MAX};
use profile::Profile;
use records::Records;
use scored::Scored;
use sheet::Sheet;

/// Log2 odds from which two records may be joined: even odds, less what the prior may be off.
pub const JOIN_BITS_MIN: f32 = -1.0;
/// Log2 odds that the pairs between two clusters must have on average for the clusters to be joined.
pub const AVERAGE_BITS_MIN: f32 = -1.5;
/// Log2 odds from which a pair that was not joined is worth a look.
pub const REVIEW_BITS_MIN: f32 = -6.0;

/// Two records that were compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Smaller row.
    pub a: u32,
    /// Larger row.
    pub b: u32,
    /// What that is worth.
    pub bits: Bits,
}

/// What matching found.
#[derive(Debug)]
pub struct Matching {
    /// The records as they were compared, in canonical order.
    pub records: Records,
    /// For each row the smallest row of its cluster.
    pub clusters: Vec<u32>,
    /// The pairs that were joined or are worth a look, the likeliest first.
    pub pairs: Vec<Pair>,
    /// What was learned.
    pub model: Model,
    /// Number of pairs compared.
    pub compared: usize,
}

/// Matches the records of `sheet`, which is in canonical order and whose columns hold what `profiles` says.
///
/// `side` says for each row which of two lists it comes from, when lists are linked: then only rows of
/// different lists are joined, and each with one at most.
pub fn match_sheet(
    sheet: &Sheet,
    profiles: &[Profile],
    lists: &Lists,
    side: Option<&[bool]>,
) -> Matching {
    let records = Records::prepare(sheet, profiles, lists);
    let mut comparer = Comparer::new(&records);
    let mut model = training::train(&records, &mut comparer);
    let rows_by_name = blocking::by_name(&records);
    let mut candidates = blocking::candidates(&records, &rows_by_name);
    if let Some(side) = side {
        candidates.retain(|a, b| side[a as usize] != side[b as usize]);
    }
    let compared = candidates.len();
    let mut scored = Scored::new(&candidates);
    let mut pairs = Vec::new();
    for a in rows_by_name {
        comparer.fetch(candidates.of(a).map(|(_, b)| b));
        for (position, b) in candidates.of(a) {
            let is_ruled_out = |given: u8, surname: u8, keys: &dyn Fn() -> usize| {
                model.rules_out(given, surname, keys)
            };
            let Some(agreement) = comparer.compare_unless(a, b, is_ruled_out) else { continue };
            let bits = model.bits(&agreement);
            scored.keep(position, bits.total);
            // The prior may still move, by so much at most.
            if bits.total >= REVIEW_BITS_MIN - PRIOR_SHIFT_MAX {
                pairs.push(Pair { a, b, bits });
            }
        }
    }
    let n = records.n_records as f64;
    let shift = model.refine_prior(&scored.totals(), (n * (n - 1.0) / 2.0).max(1.0));
    for pair in pairs.iter_mut().filter(|pair| !pair.bits.is_vetoed) {
        pair.bits.total += shift;
    }
    pairs.retain(|pair| pair.bits.total >= REVIEW_BITS_MIN);
    pairs.sort_unstable_by(|x, y| {
        y.bits.total.total_cmp(&x.bits.total).then((x.a, x.b).cmp(&(y.a, y.b)))
    });
    let joining = pairs.iter().filter(|pair| pair.bits.total >= JOIN_BITS_MIN);
    let edges: Vec<Edge> =
        joining.map(|pair| Edge { a: pair.a, b: pair.b, bits: pair.bits.total }).collect();
    scored.shift(shift);
    let mut between = Between { scored: &scored, comparer: &mut comparer, model: &model };
    let clusters = agglomerate(records.n_records, &edges, side, AVERAGE_BITS_MIN, &mut between);
    drop(comparer);
    Matching { records, clusters, pairs, model, compared }
}

/// The bits of pairs between clusters: nearly all have been compared.
struct Between<'a, 'r> {
    scored: &'a Scored<'a>,
    comparer: &'a mut Comparer<'r>,
    model: &'a Model,
}

impl PairBits for Between<'_, '_> {
    fn known(&self, a: u32, b: u32) -> Option<f32> {
        self.scored.bits(a, b)
    }

    fn compared(&mut self, a: u32, b: u32) -> f32 {
        self.model.bits(&self.comparer.compare(a, b)).total
    }
}
