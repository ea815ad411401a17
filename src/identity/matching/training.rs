//! Learns a [`Model`] from the records themselves: nothing is labelled, and nobody chooses a threshold.
//!
//! u is counted: equal values over all pairs, other levels over random ones. m is estimated by expectation
//! maximization over pairs that are equal in one field at a time, that field left out of its own pass
//! (Winkler 1988), beside thirty imagined pairs that make a hundred records work.

use super::calibration::Calibration;
use super::compare::{Agreement, Comparer};
use super::field::{Field, Value};
use super::hashing::Stream;
use super::kind::Kind;
use super::model::{FieldWeights, Model, Part, log2_odds, probability};
use super::prior;
use super::records::Records;

/// Imagined pairs that speak for what was expected before any data.
const PRIOR_PAIRS: f32 = 30.0;
/// Pairs compared to learn what chance does.
const RANDOM_PAIRS: usize = 20_000;
/// Pairs compared in the pass of one field.
const PASS_PAIRS: usize = 2_500;
/// Times that chance, weights and calibration are learned, each from what the last time found.
const ITERATIONS: usize = 3;
/// Rounds of expectation maximization, and within each of finding the share of a pass.
const ROUNDS: usize = 6;
const SHARE_ROUNDS: usize = 6;
/// A pass in which fewer pairs than this are one entity teaches nothing about entities.
const PASS_SHARE_MIN: f32 = 0.01;
/// Pairs of one entity that a pass may speak for at most, so that no field dominates.
const PASS_VOICE_MAX: f32 = 1_500.0;
/// A rare value weighs at most this many bits more than the field does on average.
const RARITY_BITS_MAX: f32 = 6.0;
/// Contradicting names are at most this common within an entity: else bad data would excuse everything.
const NAME_CONFLICT_MAX: f32 = 0.10;
/// Naive bits below which surroundings contradict each other.
const APART_BITS: f32 = -2.0;
/// Not more than this share of all pairs is one entity, however the records look.
const PRIOR_SHARE_MAX: f64 = 0.25;
/// Share of those who moved among imagined pairs of one entity.
const MOVED: f32 = 0.04;

/// Pairs that are equal in one field, compared in all.
struct Pass {
    field: usize,
    agreements: Vec<Agreement>,
    /// Number of such pairs in the whole.
    pairs: f64,
    /// Share of them that is one entity.
    share: f32,
    /// What that is expected to be.
    expected_share: f32,
}

impl Pass {
    /// Returns the weight of each pair, so that the pass speaks for no more than it may.
    fn voice(&self) -> f32 {
        let found = self.share * self.agreements.len() as f32;
        (PASS_VOICE_MAX / found.max(1.0)).min(1.0)
    }
}

/// Learns the model of `records`.
pub fn train(records: &Records, comparer: &mut Comparer<'_>) -> Model {
    let n = records.n_records as f64;
    let all_pairs = (n * (n - 1.0) / 2.0).max(1.0);
    let random = random_agreements(records, comparer);
    let mut passes = passes(records, comparer);
    let mut model = untrained(records, &passes);
    let mut random_weights = vec![1.0_f32; random.len()];
    for _ in 0..ITERATIONS {
        count_chance(records, &random, &random_weights, &passes, &mut model.fields);
        for pass in &mut passes {
            pass.share = expect(&model, pass).0;
        }
        maximize(records, &passes, &mut model);
        for (at, field) in records.fields.iter().enumerate() {
            let pass = passes.iter().find(|pass| pass.field == at);
            let by_chance = pass.map_or(1.0, |pass| 1.0 - pass.share);
            let weights = &mut model.fields[at];
            weights.value_bits = value_bits(field, weights, n as f32, by_chance);
        }
        let matches = expected_matches(&passes, &model.fields).max(0.5);
        let share = prior::share_of_matches(matches, all_pairs);
        model.prior_bits = log2_odds(share.min(PRIOR_SHARE_MAX) as f32);
        model.calibration = Calibration::none();
        model.calibration = calibration(&model, &passes, &random, prior::voice(records.n_records));
        for (weight, agreement) in random_weights.iter_mut().zip(&random) {
            *weight = 1.0 - probability(model.bits(agreement).total);
        }
    }
    model
}

/// Returns the model that knows nothing but what is expected of each kind.
fn untrained(records: &Records, passes: &[Pass]) -> Model {
    let names = records.names();
    let family_name = names.map(|(_, surname)| surname).filter(|_| are_families(records, passes));
    let weights = |field: &Field| {
        let mut weights = FieldWeights::default();
        let m = field.kind.expected_in_matches().to_vec();
        let u = vec![1.0; m.len()];
        weights.set(m, u);
        weights
    };
    let part = |(at, field): (usize, &Field)| {
        let part = Part::of(field);
        // In a family the surname comes with the address.
        Part { is_shared: part.is_shared || family_name == Some(at), ..part }
    };
    Model {
        fields: records.fields.iter().map(weights).collect(),
        parts: records.fields.iter().enumerate().map(part).collect(),
        names,
        title: records.field_of(Kind::Organization).filter(|_| !records.are_people),
        prior_bits: 0.0,
        calibration: Calibration::none(),
    }
}

fn random_agreements(records: &Records, comparer: &mut Comparer<'_>) -> Vec<Agreement> {
    let n = records.n_records as u64;
    if n < 2 {
        return Vec::new();
    }
    if n * (n - 1) / 2 <= RANDOM_PAIRS as u64 {
        let pairs = (0..n as u32).flat_map(|a| (a + 1..n as u32).map(move |b| (a, b)));
        return pairs.map(|(a, b)| comparer.compare(a, b)).collect();
    }
    let mut stream = Stream::new(1);
    let mut agreements = Vec::with_capacity(RANDOM_PAIRS);
    while agreements.len() < RANDOM_PAIRS {
        let (a, b) = (stream.below(n) as u32, stream.below(n) as u32);
        if a != b {
            agreements.push(comparer.compare(a, b));
        }
    }
    agreements
}

fn passes(records: &Records, comparer: &mut Comparer<'_>) -> Vec<Pass> {
    let fields = records.fields.iter().enumerate();
    fields.filter_map(|(number, field)| pass(number, field, comparer)).collect()
}

/// Draws pairs that are equal in a field: each such pair is as likely as any other.
fn pass(number: usize, field: &Field, comparer: &mut Comparer<'_>) -> Option<Pass> {
    let holders = field.holders();
    let groups: Vec<&[(u32, u32)]> =
        holders.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1).collect();
    let mut ends = Vec::with_capacity(groups.len());
    let mut sum = 0_u64;
    for group in &groups {
        let len = group.len() as u64;
        sum += len * (len - 1) / 2;
        ends.push(sum);
    }
    if sum == 0 {
        return None;
    }
    let mut agreements = Vec::new();
    if sum <= PASS_PAIRS as u64 {
        for group in groups {
            for (i, (_, a)) in group.iter().enumerate() {
                agreements.extend(group[i + 1..].iter().map(|(_, b)| comparer.compare(*a, *b)));
            }
        }
    } else {
        let mut stream = Stream::new(100 + number as u64);
        while agreements.len() < PASS_PAIRS {
            let drawn = stream.below(sum);
            let group = groups[ends.partition_point(|end| *end <= drawn)];
            let mut member = || stream.below(group.len() as u64) as usize;
            let (a, b) = (member(), member());
            if a != b {
                agreements.push(comparer.compare(group[a].1, group[b].1));
            }
        }
    }
    let expected_share = prior::expected_in_equal(field.kind);
    Some(Pass { field: number, agreements, pairs: sum as f64, share: 0.0, expected_share })
}

/// Counts u, without the pairs that are one entity.
fn count_chance(
    records: &Records,
    random: &[Agreement],
    weights: &[f32],
    passes: &[Pass],
    fields: &mut [FieldWeights],
) {
    for (number, field) in records.fields.iter().enumerate() {
        let expected = field.kind.expected_by_chance();
        let voice = prior::voice(field.filled());
        let imagined = |share: &f32| prior::between(0.5, prior::LEVEL_PAIRS * share, voice);
        let mut counts: Vec<f32> = expected.iter().map(imagined).collect();
        for (agreement, weight) in random.iter().zip(weights) {
            if let Some(level) = agreement.level(number) {
                counts[usize::from(level)] += weight;
            }
        }
        let filled = field.filled() as f64;
        let pairs = (filled * (filled - 1.0) / 2.0).max(1.0);
        let pass = passes.iter().find(|pass| pass.field == number);
        let by_chance = pass.map_or(0.0, |pass| pass.pairs * f64::from(1.0 - pass.share));
        let distinct = field.counts.iter().filter(|count| **count > 0).count() as f64;
        // Values that were not seen twice could be: chance is never less than half of an even spread.
        let spread = (0.5 / distinct.max(filled.sqrt()).max(1.0)) as f32;
        let spread = f64::from(prior::between(spread, expected[0], voice));
        let imagined = prior::CHANCE_PAIRS * f64::from(expected[0]);
        let counted = (by_chance + imagined) / (pairs + prior::CHANCE_PAIRS);
        let equal = counted.max(spread).min(0.98) as f32;
        let rest: f32 = counts[1..].iter().sum();
        let others = counts[1..].iter().map(|count| (1.0 - equal) * count / rest);
        let u = std::iter::once(equal).chain(others).collect();
        let m = std::mem::take(&mut fields[number].m);
        fields[number].set(m, u);
    }
}

/// Returns the share of `pass` that is one entity, and the probability of each of its pairs.
fn expect(model: &Model, pass: &Pass) -> (f32, Vec<f32>) {
    let others = teachers(model, pass.field);
    // Odds of one pair against the other; the share only scales them.
    let ratio = |agreement: &Agreement| {
        let bits = |at: &usize| {
            agreement.level(*at).map(|level| model.fields[*at].bits[usize::from(level)])
        };
        others.iter().filter_map(bits).sum::<f32>().clamp(-100.0, 100.0).exp2()
    };
    let ratios: Vec<f32> = pass.agreements.iter().map(ratio).collect();
    let posterior = |odds: f32, ratio: f32| odds * ratio / (1.0 + odds * ratio);
    let mut share = if pass.share > 0.0 { pass.share } else { 0.3 };
    for _ in 0..SHARE_ROUNDS {
        let odds = share / (1.0 - share);
        let sum: f32 = ratios.iter().map(|ratio| posterior(odds, *ratio)).sum();
        share = ((sum + pass.expected_share) / (ratios.len() as f32 + 1.0)).clamp(1e-5, 0.999);
    }
    let odds = share / (1.0 - share);
    (share, ratios.iter().map(|ratio| posterior(odds, *ratio)).collect())
}

/// Returns the fields that may judge pairs equal in `field`: not itself, nor what hangs together with it.
fn teachers(model: &Model, field: usize) -> Vec<usize> {
    let hangs_together = |at: usize| model.parts[field].is_shared && model.parts[at].is_shared;
    (0..model.parts.len()).filter(|at| *at != field && !hangs_together(*at)).collect()
}

/// Re-estimates m from the pairs that the passes take for one entity.
fn maximize(records: &Records, passes: &[Pass], model: &mut Model) {
    for _ in 0..ROUNDS {
        let expected = |field: &Field| {
            field.kind.expected_in_matches().iter().map(|m| m * PRIOR_PAIRS).collect::<Vec<f32>>()
        };
        let mut counts: Vec<Vec<f32>> = records.fields.iter().map(expected).collect();
        for pass in passes.iter().filter(|pass| pass.share >= PASS_SHARE_MIN) {
            let (_, probabilities) = expect(model, pass);
            let voice = pass.voice();
            for at in teachers(model, pass.field) {
                for (agreement, p) in pass.agreements.iter().zip(&probabilities) {
                    if let Some(level) = agreement.level(at) {
                        counts[at][usize::from(level)] += p * voice;
                    }
                }
            }
        }
        for (number, counts) in counts.into_iter().enumerate() {
            let sum: f32 = counts.iter().sum();
            let mut m: Vec<f32> = counts.iter().map(|count| count / sum).collect();
            let is_name = matches!(records.fields[number].kind, Kind::Given | Kind::Surname);
            if let Some(different) = m.last_mut().filter(|_| is_name) {
                *different = different.min(NAME_CONFLICT_MAX);
            }
            let u = std::mem::take(&mut model.fields[number].u);
            model.fields[number].set(m, u);
        }
    }
}

/// Estimates how many pairs are one entity: each pass has found its share of those equal in its field.
fn expected_matches(passes: &[Pass], fields: &[FieldWeights]) -> f64 {
    let estimate = |pass: &Pass| {
        pass.pairs * f64::from(pass.share) / f64::from(fields[pass.field].m[0].max(0.2))
    };
    let teach = passes.iter().filter(|pass| pass.share >= PASS_SHARE_MIN);
    let mut estimates: Vec<f64> = teach.map(estimate).collect();
    estimates.sort_by(f64::total_cmp);
    estimates.get(estimates.len() / 2).copied().unwrap_or(1.0)
}

/// Returns the bits of being equal in each value of `field`, of whose equal pairs the share `by_chance` is of different
/// entities.
fn value_bits(field: &Field, weights: &FieldWeights, n_records: f32, by_chance: f32) -> Vec<f32> {
    let average = weights.bits[0];
    // A value seen once in a small file may be common in the world: one more is imagined.
    let share = |count: &u32| (*count as f32 + 1.0) / (n_records + 1.0);
    let filled = field.filled();
    let voice = prior::voice(filled);
    // Of those who share a value in a small file, most are one; the others tell how common it is.
    let known_share = |count: &u32, text: &str| {
        let others = count.saturating_sub(1) as f32 * by_chance;
        let imagined = prior::VALUE_RECORDS * prior::expected_share(field.kind, text);
        (others + imagined) / (filled as f32 + prior::VALUE_RECORDS)
    };
    let bits = |(count, value): (&u32, &Value)| {
        let share = prior::between(share(count), known_share(count, &value.text), voice);
        let bits = (weights.m[0] / share).log2();
        bits.clamp(average - RARITY_BITS_MAX, average + RARITY_BITS_MAX)
    };
    field.counts.iter().zip(field.values.iter()).map(bits).collect()
}

fn calibration(model: &Model, passes: &[Pass], random: &[Agreement], voice: f32) -> Calibration {
    let pairs = passes
        .iter()
        .filter(|pass| model.parts[pass.field].is_shared)
        .flat_map(|pass| &pass.agreements)
        .map(|agreement| model.bits(agreement))
        .map(|bits| (bits.shared, bits.own));
    let counted = floor_bits(model, passes, random);
    let floor_bits = counted + voice * (prior::FLOOR_BITS - counted);
    Calibration::learn(pairs, model.prior_bits, floor_bits, voice)
}

/// Returns what it is worth that everything about the surroundings differs: of those who are one by their own
/// evidence, so many have moved.
fn floor_bits(model: &Model, passes: &[Pass], random: &[Agreement]) -> f32 {
    let bits = |agreement: &Agreement| {
        let is_told = |at: usize| model.parts[at].is_shared && agreement.level(at).is_some();
        (0..model.parts.len()).any(is_told).then(|| model.bits(agreement))
    };
    let (mut moved, mut all) = (PRIOR_PAIRS * MOVED, PRIOR_PAIRS);
    for pass in passes.iter().filter(|pass| !model.parts[pass.field].is_shared) {
        let voice = pass.voice();
        for bits in pass.agreements.iter().filter_map(bits) {
            let p = probability(model.prior_bits + bits.own) * voice;
            all += p;
            moved += if bits.shared < APART_BITS { p } else { 0.0 };
        }
    }
    let (mut apart, mut told) = (1.0, 2.0);
    for bits in random.iter().filter_map(bits) {
        told += 1.0;
        apart += f32::from(u8::from(bits.shared < APART_BITS));
    }
    (moved / all / (apart / told)).log2().min(0.0)
}

/// Returns whether the records come in families: many at one address have different given names, and many of
/// those one surname.
fn are_families(records: &Records, passes: &[Pass]) -> bool {
    let Some((given, surname)) = records.names() else { return false };
    let is_place =
        |at: &usize| matches!(records.fields[*at].kind, Kind::Street | Kind::House | Kind::City);
    let places: Vec<usize> = (0..records.fields.len()).filter(is_place).collect();
    let streets = passes.iter().filter(|pass| records.fields[pass.field].kind == Kind::Street);
    let (mut together, mut conflicting, mut one_name) = (0, 0, 0);
    for agreement in streets.flat_map(|pass| &pass.agreements) {
        let is_one_place =
            places.iter().all(|at| agreement.level(*at).is_none_or(|level| level <= 1));
        let names = agreement.level(given).zip(agreement.level(surname));
        let Some((given, surname)) = names.filter(|_| is_one_place) else { continue };
        together += 1;
        if given >= 3 {
            conflicting += 1;
            one_name += u32::from(surname <= 1);
        }
    }
    together >= 20 && conflicting * 100 > together * 35 && one_name * 10 >= conflicting
}
