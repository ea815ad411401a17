//! What an agreement is worth: Fellegi-Sunter weights in bits.
//!
//! A field's level weighs log2(m/u): how much more often it is found between two records of one entity (m)
//! than of two (u). [`super::training`] learns both from the records themselves.

use super::calibration::Calibration;
use super::compare::{Agreement, SILENT};
use super::field::{Bundle, Field};
use super::kind::Kind;
use super::prior;

/// Log2 odds that a pair with contradicting names has at most.
pub(super) const VETO_BITS: f32 = -10.0;
/// Equal personal keys that outweigh a name of which both parts are different.
const KEYS_OUTWEIGH_NAME: usize = 2;
/// The prior moves by this many bits at most: two estimates of it that are further apart than twice that are not
/// of the same thing.
pub const PRIOR_SHIFT_MAX: f32 = 2.0;
/// Rounds after which the prior of the candidates moves no more.
const PRIOR_ROUNDS: usize = 12;

/// The weights of one field.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldWeights {
    /// How often each level is found within an entity.
    pub m: Vec<f32>,
    /// How often between entities.
    pub u: Vec<f32>,
    /// log2(m/u) of each level.
    pub bits: Vec<f32>,
    /// Bits of being equal in each value; rare ones weigh more.
    pub value_bits: Vec<f32>,
}

impl FieldWeights {
    /// Makes weights of how often each level is found within and between entities.
    pub fn set(&mut self, m: Vec<f32>, u: Vec<f32>) {
        self.bits = m.iter().zip(&u).map(|(m, u)| (m / u).log2()).collect();
        self.m = m;
        self.u = u;
    }

    /// Returns the bits of `field` in `agreement`; 0 where a record is silent.
    pub fn of(&self, agreement: &Agreement, field: usize) -> f32 {
        match agreement.levels[field] {
            SILENT => 0.0,
            0 => self.value_bits[agreement.equal[field] as usize],
            level => self.bits[usize::from(level)],
        }
    }
}

/// What a field is to the model beside its weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// It tells of surroundings that others share.
    pub is_shared: bool,
    /// It holds e-mail addresses.
    pub is_email: bool,
    /// Whether equal values outweigh a name that is not.
    pub key: Key,
}

/// How far equal values identify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Not by themselves.
    None,
    /// One person, or those of one household: an address, a telephone.
    OfHousehold,
    /// One person: a number that nobody else was given.
    OfPerson,
}

impl Part {
    /// Returns the part that `field` plays unless the records as a whole say otherwise.
    pub fn of(field: &Field) -> Self {
        let is_own = field.bundle == Bundle::Own;
        Self {
            is_shared: !is_own,
            is_email: field.kind == Kind::Email,
            key: match field.kind {
                Kind::Email | Kind::Phone if is_own => Key::OfHousehold,
                Kind::Id if is_own => Key::OfPerson,
                _ => Key::None,
            },
        }
    }
}

/// Everything needed to say how likely two records are one.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Weights by field.
    pub fields: Vec<FieldWeights>,
    /// The parts that the fields play.
    pub parts: Vec<Part>,
    /// Fields of given name and surname.
    pub names: Option<(usize, usize)>,
    /// Field of the name of an organization, where the records are no people.
    pub title: Option<usize>,
    /// Log2 odds that two records taken at random are one entity.
    pub prior_bits: f32,
    /// What the evidence of the surroundings is really worth.
    pub calibration: Calibration,
}

/// The bits of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bits {
    /// Evidence about the entity itself.
    pub own: f32,
    /// Evidence about its surroundings, added up as if independent.
    pub shared: f32,
    /// Log2 odds that the two are one: prior, own evidence and what the surroundings are worth.
    pub total: f32,
    /// Whether contradicting names forbid it whatever else agrees.
    pub is_vetoed: bool,
}

impl Model {
    /// Returns the bits of a pair that agrees as `agreement` says.
    pub fn bits(&self, agreement: &Agreement) -> Bits {
        let (mut own, mut shared) = (0.0, 0.0);
        for (field, part) in self.parts.iter().enumerate() {
            let bits = self.field_bits(agreement, field);
            if part.is_shared { shared += bits } else { own += bits }
        }
        let total = self.prior_bits + own + self.calibration.bits(shared);
        let is_vetoed = self.is_vetoed(agreement);
        Bits { own, shared, total: if is_vetoed { total.min(VETO_BITS) } else { total }, is_vetoed }
    }

    /// Returns what `field` adds to the bits of `agreement`.
    pub fn field_bits(&self, agreement: &Agreement, field: usize) -> f32 {
        let bits = self.fields[field].of(agreement, field);
        // Namesakes at two companies have one mailbox name because they have one name.
        let is_namesake = self.parts[field].is_email
            && agreement.levels[field] == 2
            && self.names.is_some_and(|(given, surname)| {
                agreement.levels[given] <= 2 && agreement.levels[surname] <= 1
            });
        if is_namesake { bits.min(1.0) } else { bits }
    }

    /// Returns whether two names contradict each other so much that the rest need not be compared.
    pub fn rules_out(&self, given: u8, surname: u8, equal_keys: &dyn Fn() -> usize) -> bool {
        given == 4
            && surname == 4
            && self.calibration.is_crowded()
            && equal_keys() < KEYS_OUTWEIGH_NAME
    }

    /// Returns whether names contradict each other where different entities share their surroundings.
    ///
    /// Two whole names that differ in one part need an equal personal key to be one person's, with both parts different
    /// two; so do two known given names beside one surname, unless the key is a number of one person. Two shops in one
    /// house with different names are two shops.
    fn is_vetoed(&self, agreement: &Agreement) -> bool {
        let Some((given, surname)) = self.names else {
            return self.title.is_some_and(|title| agreement.levels[title] == 4);
        };
        let differ = [given, surname].iter().filter(|field| agreement.levels[**field] == 4).count();
        let is_equal =
            |(at, part): &(usize, &Part)| part.key != Key::None && agreement.levels[*at] == 0;
        let equal_keys = || self.parts.iter().enumerate().filter(is_equal);
        let keys = || equal_keys().count();
        match differ {
            0 => false,
            // Spouses and brothers have one telephone, or one address.
            1 if agreement.is_another_given && agreement.levels[surname] <= 1 => {
                self.calibration.is_crowded()
                    && keys() < KEYS_OUTWEIGH_NAME
                    && !equal_keys().any(|(_, part)| part.key == Key::OfPerson)
            }
            1 => self.calibration.is_crowded() && keys() == 0,
            _ => self.calibration.is_crowded() && keys() < KEYS_OUTWEIGH_NAME,
        }
    }

    /// Corrects the prior by the candidates: of two estimates of how many pairs are one entity, the mean.
    ///
    /// Training sees pairs that are equal in something, the candidates are those that share enough to be
    /// compared; each alone is off by up to two bits on one kind of data or another. Returns the shift in bits.
    pub fn refine_prior(
        &mut self,
        totals: &(impl Iterator<Item = f32> + Clone),
        all_pairs: f64,
    ) -> f32 {
        let mut shift = 0.0_f32;
        for _ in 0..PRIOR_ROUNDS {
            let sum: f64 = totals.clone().map(|bits| f64::from(probability(bits + shift))).sum();
            let share = prior::share_of_matches(sum, all_pairs).clamp(1e-12, 0.5);
            let before = std::mem::replace(&mut shift, log2_odds(share as f32) - self.prior_bits);
            if shift.to_bits() == before.to_bits() {
                break;
            }
        }
        shift = (shift / 2.0).clamp(-PRIOR_SHIFT_MAX, PRIOR_SHIFT_MAX);
        self.prior_bits += shift;
        shift
    }
}

/// Returns the probability that log2 odds of `bits` stand for.
pub fn probability(bits: f32) -> f32 {
    1.0 / (1.0 + (-bits).exp2())
}

/// Returns the log2 odds of a probability strictly between 0 and 1.
pub fn log2_odds(probability: f32) -> f32 {
    (probability / (1.0 - probability)).log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odds_and_probabilities_are_two_ways_of_saying_one_thing() {
        for bits in [-12.0_f32, -1.0, 0.0, 3.5, 12.0] {
            assert!((log2_odds(probability(bits)) - bits).abs() < 0.02, "{bits}");
        }
    }
}
