//! Which pairs of records are worth a comparison: those that share something rare, or two common things.
//!
//! Comparing all pairs takes quadratic time. Each record has a dozen *atoms* (a whole phone number, how the
//! surname sounds, a rare word of the company's name). Records that share a rare atom are candidates; common
//! atoms count only two at a time. Whatever the data, no block is compared whole that is larger than
//! [`BLOCK_MAX`], so the number of candidates grows with the records and no faster.

use rustc_hash::FxHashMap;

use super::field::{Field, Value};
use super::hashing::{hash_text, mix};
use super::kind::Kind;
use super::records::Records;
use super::similarity::sound;

/// An atom that at most this many records have is a block by itself.
const RARE_MAX: u32 = 20;
/// Largest block of which all pairs are candidates.
const BLOCK_MAX: usize = 40;
/// In larger blocks each record is paired with this many neighbours in order of names.
const NEIGHBOURS: usize = 8;
/// Two common atoms make a block if chance alone would put fewer records than this into it.
const CHANCE_MAX: f32 = 12.0;
/// Blocks of two common atoms that one record takes part in: the ones with the fewest records by chance.
const COMMON_PAIRS_MAX: usize = 20;
/// Candidates a record that are compared; beyond this, pairs that share the least are left out.
const CANDIDATES_PER_RECORD: usize = 16;

/// In a table of so many records all pairs are candidates.
const ALL_PAIRS_RECORDS: usize = 64;

/// Something a record has in common with its possible twins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Atom {
    key: u64,
    /// Atoms of one source say the same thing and are no two reasons.
    source: u8,
    /// Number of the key among all.
    number: u32,
}

/// Returns the candidate pairs of `records`, smaller row first, in order.
pub fn candidates(records: &Records) -> Vec<(u32, u32)> {
    let n = records.n_records as u32;
    if records.n_records <= ALL_PAIRS_RECORDS {
        return (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b))).collect();
    }
    let Atoms { starts, all: atoms, n_keys } = atoms(records);
    let row_atoms = |row: usize| &atoms[starts[row] as usize..starts[row + 1] as usize];
    let mut frequency = vec![0_u32; n_keys];
    for atom in &atoms {
        frequency[atom.number as usize] += 1;
    }
    let n = records.n_records as f32;
    let mut entries: Vec<(u64, u32)> = Vec::new();
    let mut common: Vec<(u32, Atom)> = Vec::new();
    let mut pairs: Vec<(f32, u64)> = Vec::new();
    for row in 0..records.n_records {
        common.clear();
        pairs.clear();
        for atom in row_atoms(row) {
            match frequency[atom.number as usize] {
                0 | 1 => {}
                count if count <= RARE_MAX => entries.push((atom.key, row as u32)),
                count => common.push((count, *atom)),
            }
        }
        for (i, (count_a, a)) in common.iter().enumerate() {
            for (count_b, b) in &common[i + 1..] {
                let by_chance = *count_a as f32 * *count_b as f32 / n;
                if a.source != b.source && by_chance <= CHANCE_MAX {
                    pairs.push((by_chance, mix(a.key.min(b.key), a.key.max(b.key))));
                }
            }
        }
        if pairs.len() > COMMON_PAIRS_MAX {
            pairs.select_nth_unstable_by(COMMON_PAIRS_MAX, |a, b| {
                a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
            });
            pairs.truncate(COMMON_PAIRS_MAX);
        }
        entries.extend(pairs.iter().map(|(_, key)| (*key, row as u32)));
    }
    drop(atoms);
    entries.sort_unstable();
    entries.dedup();
    let proposed = Proposals::of(&mut entries, &name_ranks(records), records.n_records);
    drop(entries);
    proposed.most_shared(records.n_records * CANDIDATES_PER_RECORD)
}

/// The pairs that blocks propose, as often as each is proposed.
struct Proposals {
    /// Where the partners of each row begin.
    starts: Vec<usize>,
    /// For each row the larger rows that it is paired with, in order.
    partners: Vec<u32>,
}

impl Proposals {
    /// Collects the pairs of the blocks in `entries`, which are in order.
    fn of(entries: &mut [(u64, u32)], ranks: &[u32], n_records: usize) -> Self {
        for block in entries.chunk_by_mut(|a, b| a.0 == b.0) {
            if block.len() > BLOCK_MAX {
                block.sort_unstable_by_key(|(_, row)| ranks[*row as usize]);
            }
        }
        let mut starts = vec![0_usize; n_records + 1];
        each_pair(entries, |a, _| starts[a as usize + 1] += 1);
        for row in 0..n_records {
            starts[row + 1] += starts[row];
        }
        let mut partners = vec![0_u32; starts[n_records]];
        let mut ends = starts.clone();
        each_pair(entries, |a, b| {
            let end = &mut ends[a as usize];
            partners[*end] = b;
            *end += 1;
        });
        for row in 0..n_records {
            partners[starts[row]..starts[row + 1]].sort_unstable();
        }
        Self { starts, partners }
    }

    /// Returns the partners of each row; who is proposed again stands there again.
    fn rows(&self) -> impl Iterator<Item = &[u32]> {
        self.starts.windows(2).map(|ends| &self.partners[ends[0]..ends[1]])
    }

    /// Keeps the pairs that are proposed most often: as many as fit `limit`, but all of equal standing.
    fn most_shared(&self, limit: usize) -> Vec<(u32, u32)> {
        let mut pairs_of_count = [0_usize; 256];
        for run in self.rows().flat_map(|partners| partners.chunk_by(|a, b| a == b)) {
            pairs_of_count[run.len().min(255)] += 1;
        }
        let mut least = 255;
        let mut sum = 0;
        while least > 1 && sum + pairs_of_count[least - 1] <= limit.max(pairs_of_count[255]) {
            sum += pairs_of_count[least - 1];
            least -= 1;
        }
        let mut kept = Vec::with_capacity(pairs_of_count[least..].iter().sum());
        for (row, partners) in self.rows().enumerate() {
            let runs = partners.chunk_by(|a, b| a == b).filter(|run| run.len() >= least);
            kept.extend(runs.map(|run| (row as u32, run[0])));
        }
        kept
    }
}

/// Calls `propose` with each pair of each block, smaller row first; in large blocks only with neighbours.
fn each_pair(entries: &[(u64, u32)], mut propose: impl FnMut(u32, u32)) {
    for block in entries.chunk_by(|a, b| a.0 == b.0) {
        let partners = if block.len() <= BLOCK_MAX { BLOCK_MAX } else { NEIGHBOURS };
        for (i, (_, a)) in block.iter().enumerate() {
            for (_, b) in block[i + 1..].iter().take(partners) {
                propose(*a.min(b), *a.max(b));
            }
        }
    }
}

/// Ranks records by name, so that neighbours in a large block are likely twins.
fn name_ranks(records: &Records) -> Vec<u32> {
    let order =
        [Kind::Surname, Kind::Organization, Kind::Given, Kind::Text, Kind::Street, Kind::Date];
    let fields: Vec<&Field> = order
        .iter()
        .filter_map(|kind| records.field_of(*kind))
        .map(|at| &records.fields[at])
        .collect();
    // Texts of one field are ranked once, records by their ranks.
    let text_ranks: Vec<Vec<u32>> = fields
        .iter()
        .map(|field| {
            let mut by_text: Vec<u32> = (0..field.values.len() as u32).collect();
            by_text.sort_unstable_by(|a, b| {
                field.values[*a as usize].text.cmp(&field.values[*b as usize].text)
            });
            let mut ranks = vec![0; by_text.len()];
            for (rank, value) in by_text.iter().enumerate() {
                ranks[*value as usize] = rank as u32 + 1;
            }
            ranks
        })
        .collect();
    let key = |row: u32| -> [u32; 6] {
        let rank = |at: usize| {
            fields[at].of(row).first().map_or(0, |value| text_ranks[at][*value as usize])
        };
        std::array::from_fn(|at| if at < fields.len() { rank(at) } else { 0 })
    };
    let mut rows: Vec<u32> = (0..records.n_records as u32).collect();
    rows.sort_by_cached_key(|row| key(*row));
    let mut ranks = vec![0; rows.len()];
    for (rank, row) in rows.iter().enumerate() {
        ranks[*row as usize] = rank as u32;
    }
    ranks
}

/// The atoms of all records: those of a row are `all[starts[row]..starts[row + 1]]`.
struct Atoms {
    starts: Vec<u32>,
    all: Vec<Atom>,
    /// Number of different keys.
    n_keys: usize,
}

fn atoms(records: &Records) -> Atoms {
    let mut numbers: FxHashMap<u64, u32> = FxHashMap::default();
    let mut numbered = |mut atoms: Vec<Atom>| {
        for atom in &mut atoms {
            let next = numbers.len() as u32;
            atom.number = *numbers.entry(atom.key).or_insert(next);
        }
        atoms
    };
    let mut per_value: Vec<Vec<Vec<Atom>>> = Vec::with_capacity(records.fields.len());
    for (number, field) in records.fields.iter().enumerate() {
        let values = field.values.iter();
        per_value.push(values.map(|value| numbered(value_atoms(number, field, value))).collect());
    }
    let mut starts = Vec::with_capacity(records.n_records + 1);
    starts.push(0);
    let mut atoms: Vec<Atom> = Vec::new();
    for row in 0..records.n_records as u32 {
        let start = atoms.len();
        for (field, per_value) in records.fields.iter().zip(&per_value) {
            for value in field.of(row) {
                atoms.extend_from_slice(&per_value[*value as usize]);
            }
        }
        atoms[start..].sort_unstable();
        let mut kept = start;
        for at in start..atoms.len() {
            if at == start || atoms[at].key != atoms[kept - 1].key {
                atoms[kept] = atoms[at];
                kept += 1;
            }
        }
        atoms.truncate(kept);
        starts.push(atoms.len() as u32);
    }
    Atoms { starts, all: atoms, n_keys: numbers.len() }
}

/// Names share a namespace, so that a swapped name meets its twin.
const NAME_SOUND: u64 = 1;
/// Rare words of a company's name or street that become atoms.
const RARE_WORDS: usize = 3;

fn value_atoms(number: usize, field: &Field, value: &Value) -> Vec<Atom> {
    let source = (number * 4) as u8;
    let mut atoms = Vec::new();
    let mut push = |space: u64, text: &str, part: u8| {
        if !text.is_empty() {
            atoms.push(Atom { key: mix(space, hash_text(text)), source: source + part, number: 0 });
        }
    };
    let space = 16 * (number as u64 + 1);
    let text = value.text.as_str();
    match field.kind {
        Kind::Given => {
            for word in text.split(' ').filter(|word| word.len() > 1).take(2) {
                push(NAME_SOUND, &sound(word), 0);
            }
            for group in &value.groups {
                push(space + 1, &group.to_string(), 0);
            }
            if value.groups.is_empty() {
                push(space + 2, text.get(..3).unwrap_or(text), 0);
            }
        }
        Kind::Surname => {
            push(space, text, 0);
            for word in text.split(' ').filter(|word| word.len() > 1).take(3) {
                push(NAME_SOUND, &sound(word), 0);
            }
            push(space + 1, text.get(..4).unwrap_or(text), 0);
        }
        Kind::Date => {
            push(space, text, 0);
            let [year, month, day] = value.date;
            push(space + 1, &year.to_string(), 1);
            if month > 0 {
                push(space + 2, &format!("{}-{}", month.min(day), month.max(day)), 2);
            }
        }
        Kind::Email => {
            push(space, text, 0);
            let mailbox = text.split('@').next().unwrap_or_default();
            let letters: String = mailbox.chars().filter(char::is_ascii_alphabetic).collect();
            if letters.len() >= 4 {
                push(space + 1, &letters, 0);
                push(space + 2, &letters[..4], 0);
            }
        }
        Kind::Phone | Kind::Id => {
            push(space, text, 0);
            if text.len() > 6 {
                push(space + 1, &text[text.len() - 5..], 0);
                push(space + 2, &text[..text.len() - 4], 1);
            }
        }
        Kind::Postcode | Kind::House | Kind::City | Kind::Category | Kind::Web | Kind::Region => {
            push(space, text, 0);
        }
        Kind::Organization | Kind::Street | Kind::Text => {
            push(space, text, 0);
            let mut words: Vec<u32> = value.words.to_vec();
            let weight = |word: u32| field.word_weights[word as usize];
            words.sort_unstable_by(|a, b| {
                weight(*b)
                    .total_cmp(&weight(*a))
                    .then_with(|| field.words[*a as usize].cmp(&field.words[*b as usize]))
            });
            words.dedup();
            for (at, word) in words.iter().take(RARE_WORDS).enumerate() {
                let word = &field.words[*word as usize];
                push(space + 1, word, at as u8);
                if word.len() > 4 {
                    push(space + 2, &word[..4], at as u8);
                }
            }
        }
        _ => {}
    }
    atoms
}
