//! What is believed before the table has spoken: a hundred rows can count little, and five rows nothing.
//!
//! Every figure that is learned begins as one that is known of people and companies in general, as if so many
//! imagined pairs or records had been seen; the more rows there are, the less that counts. A table of some
//! thousand rows speaks for itself.

use super::kind::Kind;

/// Imagined pairs of different entities, of which as many are equal in a value as [`Kind::expected_by_chance`] says.
pub const CHANCE_PAIRS: f64 = 2_000.0;
/// Imagined pairs of different entities that say how the unequal ones of them differ.
pub const LEVEL_PAIRS: f32 = 200.0;
/// Imagined pairs that say how many pairs of a table are one entity, and how many of them are.
pub const TABLE_PAIRS: f64 = 2_000.0;
/// One pair in two thousand, as in tables of some thousand people: there are few namesakes in one list.
pub const TABLE_MATCHES: f64 = 1.0;
/// Imagined records among which a value is as common as [`expected_share`] says.
pub const VALUE_RECORDS: f32 = 100.0;
/// What it is worth that everything about the surroundings differs: one in thirty has moved.
pub const FLOOR_BITS: f32 = -5.0;
/// Rows of which half of what is concluded is known and half counted.
const ROWS_OF_EVEN_VOICE: f32 = 150.0;

/// Given names and surnames that are common in Poland, Germany and Great Britain with their share of the people there:
/// rounded from what the registries publish (PESEL register; telephone directories; electoral rolls).
pub const COMMON_NAMES: &[(&str, f32)] = &[
    ("nowak", 0.0055),
    ("kowalski", 0.0036),
    ("kowalska", 0.0036),
    ("wisniewski", 0.0029),
    ("wisniewska", 0.0029),
    ("wojcik", 0.0026),
    ("kowalczyk", 0.0025),
    ("kaminski", 0.0025),
    ("kaminska", 0.0025),
    ("lewandowski", 0.0024),
    ("lewandowska", 0.0024),
    ("zielinski", 0.0024),
    ("zielinska", 0.0024),
    ("wozniak", 0.0023),
    ("szymanski", 0.0023),
    ("szymanska", 0.0023),
    ("muller", 0.0095),
    ("schmidt", 0.0069),
    ("schneider", 0.0040),
    ("fischer", 0.0035),
    ("smith", 0.0126),
    ("jones", 0.0075),
    ("williams", 0.0052),
    ("taylor", 0.0048),
    ("brown", 0.0045),
    ("anna", 0.028),
    ("maria", 0.016),
    ("katarzyna", 0.016),
    ("malgorzata", 0.015),
    ("agnieszka", 0.015),
    ("piotr", 0.018),
    ("krzysztof", 0.016),
    ("andrzej", 0.014),
    ("tomasz", 0.014),
    ("jan", 0.014),
    ("pawel", 0.014),
    ("michal", 0.013),
    ("thomas", 0.013),
    ("david", 0.014),
    ("john", 0.016),
];

/// Returns how much what is known counts beside `n` rows, from 0 to 1.
pub fn voice(n: usize) -> f32 {
    let (even, n) = (ROWS_OF_EVEN_VOICE, n as f32);
    even * even / (even * even + n * n)
}

/// Returns what lies between two figures as odds and shares do: by their logarithms; at voice 1 the `known` one.
pub fn between(counted: f32, known: f32, voice: f32) -> f32 {
    (counted.log2() * (1.0 - voice) + known.log2() * voice).exp2()
}

/// Returns the share of records that have the value `text`, before any is seen.
pub fn expected_share(kind: Kind, text: &str) -> f32 {
    let is_name = matches!(kind, Kind::Given | Kind::Surname);
    if is_name && let Some((_, share)) = COMMON_NAMES.iter().find(|(name, _)| *name == text) {
        return *share;
    }
    match kind {
        // Names are common or rare; most of the others are rare.
        Kind::Given => 0.005,
        Kind::Surname => 0.0005,
        _ => kind.expected_by_chance()[0],
    }
}

/// Returns which share of `all_pairs` is one entity, of which `matches` were found, beside the imagined ones.
pub fn share_of_matches(matches: f64, all_pairs: f64) -> f64 {
    (matches + TABLE_MATCHES) / (all_pairs + TABLE_PAIRS)
}

/// Returns how likely two records of equal value are one entity, before any is seen.
pub fn expected_in_equal(kind: Kind) -> f32 {
    match kind {
        Kind::Email | Kind::Phone | Kind::Id => 0.9,
        _ => 0.3,
    }
}

/// Returns what agreeing surroundings are worth before any pair is seen, given their naive sum: whoever shares an
/// employer or an address is one of a few, not one of none.
pub fn surroundings_bits(naive: f32) -> f32 {
    const MOST: f32 = 12.0;
    MOST * (1.0 - (-naive / MOST).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_fades_as_rows_come() {
        assert!(voice(0) > 0.999 && voice(5) > 0.99);
        assert!((voice(150) - 0.5).abs() < 1e-6);
        assert!(voice(1_000) < 0.03 && voice(10_000) < 0.001);
        assert!((between(0.5, 0.001, 1.0) - 0.001).abs() < 1e-6);
        assert!((between(0.5, 0.001, 0.0) - 0.5).abs() < 1e-6);
        assert!((between(0.01, 0.0001, 0.5) - 0.001).abs() < 1e-6);
    }

    #[test]
    fn common_names_say_less_than_rare_ones() {
        let share = |text| expected_share(Kind::Surname, text);
        assert!(share("nowak") > 5.0 * share("wrzos"));
        assert!(expected_share(Kind::City, "nowak") > share("nowak"), "a town is no name");
    }
}
