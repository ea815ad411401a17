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

/// Pairs of records, smaller row first, in order.
#[derive(Debug, Default)]
pub struct Candidates {
    /// For each row where its partners begin, and the end of the last.
    starts: Vec<u32>,
    /// The larger rows.
    partners: Vec<u32>,
}

impl Candidates {
    /// Returns the number of pairs.
    pub fn len(&self) -> usize {
        self.partners.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.partners.is_empty()
    }

    /// Returns the larger rows that `row` is paired with, and which of the pairs they are.
    pub fn of(&self, row: u32) -> impl Iterator<Item = (usize, u32)> {
        let (start, end) = (self.starts[row as usize], self.starts[row as usize + 1]);
        (start as usize..end as usize).map(|at| (at, self.partners[at]))
    }

    /// Returns which of the pairs `a` and `b` is, the smaller row first.
    pub fn position(&self, a: u32, b: u32) -> Option<usize> {
        let start = *self.starts.get(a as usize)? as usize;
        let end = *self.starts.get(a as usize + 1)? as usize;
        Some(start + self.partners[start..end].binary_search(&b).ok()?)
    }

    /// Keeps the pairs for which `is_kept` says so, asked in order.
    pub fn retain(&mut self, mut is_kept: impl FnMut(u32, u32) -> bool) {
        let (mut kept, mut start) = (0, 0);
        for row in 1..self.starts.len() {
            let end = self.starts[row];
            for at in start as usize..end as usize {
                let other = self.partners[at];
                if is_kept(row as u32 - 1, other) {
                    self.partners[kept] = other;
                    kept += 1;
                }
            }
            start = end;
            self.starts[row] = kept as u32;
        }
        self.partners.truncate(kept);
    }

    fn all(n: u32) -> Self {
        let mut all = Self { starts: vec![0], partners: Vec::new() };
        for row in 0..n {
            all.partners.extend(row + 1..n);
            all.starts.push(all.partners.len() as u32);
        }
        all
    }
}

/// Returns the candidate pairs of `records`, whose rows in order of names are given.
pub fn candidates(records: &Records, rows_by_name: &[u32]) -> Candidates {
    if records.n_records <= ALL_PAIRS_RECORDS {
        return Candidates::all(records.n_records as u32);
    }
    let blocks = blocks(records, rows_by_name);
    let places = Places::of(&blocks, records.n_records);
    most_shared(&blocks, &places, records.n_records * CANDIDATES_PER_RECORD)
}

/// What becomes of a key.
#[derive(Clone, Copy, Default)]
struct KeyUse {
    /// How many records have it.
    count: u32,
    /// Where the next record with it comes in its block; of a common one its number among the common ones.
    place: u32,
}

impl KeyUse {
    fn is_common(self) -> bool {
        self.count > RARE_MAX
    }
}

/// Records that share something, block by block.
#[derive(Default)]
struct Blocks {
    /// Where each block begins, and the end of the last.
    starts: Vec<u32>,
    /// The rows of the blocks: in order, or, where a block is larger than [`BLOCK_MAX`], in order of names.
    rows: Vec<u32>,
}

impl Blocks {
    fn all(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.starts.windows(2).map(|ends| ends[0] as usize..ends[1] as usize)
    }
}

/// Returns the blocks of rare atoms and of two common ones.
fn blocks(records: &Records, rows_by_name: &[u32]) -> Blocks {
    let atoms = Atoms::of(records);
    let mut keys = vec![KeyUse::default(); atoms.n_keys];
    let mut own = Vec::new();
    for row in 0..records.n_records as u32 {
        own_atoms(&atoms, records, row, &mut own);
        for atom in &own {
            keys[atom.number as usize].count += 1;
        }
    }
    let mut blocks = Blocks::default();
    let (mut end, mut n_common) = (0, 0);
    for key in &mut keys {
        if key.is_common() {
            key.place = n_common;
            n_common += 1;
        } else if key.count > 1 {
            blocks.starts.push(end);
            key.place = end;
            end += key.count;
        }
    }
    blocks.rows = vec![0; end as usize];
    let mut chosen = Chosen::new(records.n_records);
    for row in 0..records.n_records as u32 {
        own_atoms(&atoms, records, row, &mut own);
        for atom in &own {
            let used = &mut keys[atom.number as usize];
            if used.is_common() {
                let key = atoms.keys[atom.number as usize];
                let (count, number) = (used.count, used.place);
                chosen.own.push(Common { count, number, key, source: atom.source });
            } else if used.count > 1 {
                blocks.rows[used.place as usize] = row;
                used.place += 1;
            }
        }
        chosen.close_record();
    }
    drop(atoms);
    blocks.add_common(&chosen, n_common as usize);
    blocks.starts.push(blocks.rows.len() as u32);
    blocks.order_large(rows_by_name);
    blocks
}

impl Blocks {
    /// Adds the blocks of two common atoms, of which there are `n_common`: records are grouped by the first of the two,
    /// and each group is put in order of the second.
    fn add_common(&mut self, chosen: &Chosen, n_common: usize) {
        let mut group_ends = vec![0_u32; n_common + 1];
        chosen.each_pair(|first, _, _| group_ends[first as usize + 1] += 1);
        for group in 0..n_common {
            group_ends[group + 1] += group_ends[group];
        }
        let mut second_and_row = vec![0_u64; group_ends[n_common] as usize];
        let mut group_places = group_ends.clone();
        chosen.each_pair(|first, second, row| {
            let place = &mut group_places[first as usize];
            second_and_row[*place as usize] = u64::from(second) << 32 | u64::from(row);
            *place += 1;
        });
        self.rows.reserve_exact(second_and_row.len());
        for ends in group_ends.windows(2) {
            let group = &mut second_and_row[ends[0] as usize..ends[1] as usize];
            group.sort_unstable();
            for block in group.chunk_by(|a, b| a >> 32 == b >> 32).filter(|block| block.len() > 1) {
                self.starts.push(self.rows.len() as u32);
                self.rows.extend(block.iter().map(|entry| *entry as u32));
            }
        }
    }

    /// Puts the rows of large blocks into the order of names.
    fn order_large(&mut self, rows_by_name: &[u32]) {
        let large: Vec<_> = self.all().filter(|block| block.len() > BLOCK_MAX).collect();
        if large.is_empty() {
            return;
        }
        let mut ranks = vec![0_u32; rows_by_name.len()];
        for (rank, row) in (0_u32..).zip(rows_by_name) {
            ranks[*row as usize] = rank;
        }
        for block in large {
            self.rows[block].sort_unstable_by_key(|row| ranks[*row as usize]);
        }
    }
}

/// A common atom of one record.
#[derive(Clone, Copy)]
struct Common {
    count: u32,
    /// Number among the common atoms.
    number: u32,
    key: u64,
    source: u8,
}

/// The pairs of common atoms that make blocks, record by record.
struct Chosen {
    n_records: f32,
    /// The common atoms of the record at hand.
    own: Vec<Common>,
    /// Of the record at hand how many records would be in a block by chance, and of which two atoms.
    pairs: Vec<(f32, u16, u16)>,
    /// The numbers of the common atoms of all records, and the pairs of each by their places among its own.
    numbers: Vec<u32>,
    picks: Vec<(u16, u16)>,
    /// How many numbers and pairs each record has.
    lens: Vec<(u16, u8)>,
}

impl Chosen {
    fn new(n_records: usize) -> Self {
        Self {
            n_records: n_records as f32,
            own: Vec::new(),
            pairs: Vec::new(),
            // What is reserved and not used costs nothing; what grows is copied.
            numbers: Vec::with_capacity(n_records * COMMON_PAIRS_MAX),
            picks: Vec::with_capacity(n_records * COMMON_PAIRS_MAX),
            lens: Vec::with_capacity(n_records),
        }
    }

    /// Chooses of the atoms of the record at hand the pairs with the fewest records by chance.
    fn close_record(&mut self) {
        let Self { own, pairs, .. } = self;
        pairs.clear();
        for (i, a) in own.iter().enumerate() {
            for (j, b) in own.iter().enumerate().skip(i + 1) {
                let by_chance = a.count as f32 * b.count as f32 / self.n_records;
                if a.source != b.source && by_chance <= CHANCE_MAX {
                    pairs.push((by_chance, i as u16, j as u16));
                }
            }
        }
        if pairs.len() > COMMON_PAIRS_MAX {
            let key = |(_, i, j): &(f32, u16, u16)| {
                let (a, b) = (own[usize::from(*i)].key, own[usize::from(*j)].key);
                mix(a.min(b), a.max(b))
            };
            pairs.select_nth_unstable_by(COMMON_PAIRS_MAX, |a, b| {
                a.0.total_cmp(&b.0).then_with(|| key(a).cmp(&key(b)))
            });
            pairs.truncate(COMMON_PAIRS_MAX);
        }
        self.numbers.extend(own.iter().map(|atom| atom.number));
        self.picks.extend(pairs.iter().map(|(_, i, j)| (*i, *j)));
        self.lens.push((own.len() as u16, pairs.len() as u8));
        own.clear();
    }

    /// Calls `pair` with the numbers of the two atoms of each pair, the smaller first, and the record.
    fn each_pair(&self, mut pair: impl FnMut(u32, u32, u32)) {
        let (mut numbers, mut picks) = (self.numbers.as_slice(), self.picks.as_slice());
        for (row, (n_own, n_pairs)) in (0_u32..).zip(&self.lens) {
            let (own, other_numbers) = numbers.split_at(usize::from(*n_own));
            let (pairs, other_picks) = picks.split_at(usize::from(*n_pairs));
            for (i, j) in pairs {
                let (a, b) = (own[usize::from(*i)], own[usize::from(*j)]);
                pair(a.min(b), a.max(b), row);
            }
            (numbers, picks) = (other_numbers, other_picks);
        }
    }
}

/// For each record the places in its blocks where its partners are.
struct Places {
    /// Where the places of each record begin, and the end of the last.
    starts: Vec<u32>,
    /// Where in the rows of the blocks the partners begin, and how many there are.
    first: Vec<u32>,
    len: Vec<u8>,
}

impl Places {
    fn of(blocks: &Blocks, n_records: usize) -> Self {
        let mut starts = vec![0_u32; n_records + 1];
        for row in &blocks.rows {
            starts[*row as usize + 1] += 1;
        }
        for row in 0..n_records {
            starts[row + 1] += starts[row];
        }
        let mut next = starts.clone();
        let (mut first, mut len) = (vec![0; blocks.rows.len()], vec![0; blocks.rows.len()]);
        for block in blocks.all() {
            let is_large = block.len() > BLOCK_MAX;
            for at in block.clone() {
                // In order of rows the larger ones follow; in order of names they stand on both sides.
                let partners = if is_large {
                    at.saturating_sub(NEIGHBOURS).max(block.start)
                        ..(at + NEIGHBOURS + 1).min(block.end)
                } else {
                    at + 1..block.end
                };
                let place = &mut next[blocks.rows[at] as usize];
                first[*place as usize] = partners.start as u32;
                len[*place as usize] = partners.len() as u8;
                *place += 1;
            }
        }
        Self { starts, first, len }
    }
}

/// Proposes the pairs of each block, in large blocks those of neighbours, and keeps those that are proposed most often:
/// as many as fit `limit`, but all of equal standing.
fn most_shared(blocks: &Blocks, places: &Places, limit: usize) -> Candidates {
    let mut proposed = Candidates { starts: vec![0], partners: Vec::new() };
    let mut counts: Vec<u8> = Vec::new();
    // How often each larger row is proposed to the one at hand.
    let mut count_of = vec![0_u8; places.starts.len() - 1];
    let mut pairs_of_count = [0_usize; 256];
    for (row, ends) in (0_u32..).zip(places.starts.windows(2)) {
        let start = proposed.partners.len();
        for at in ends[0] as usize..ends[1] as usize {
            let first = places.first[at] as usize;
            for other in &blocks.rows[first..first + usize::from(places.len[at])] {
                if *other > row {
                    let count = &mut count_of[*other as usize];
                    if *count == 0 {
                        proposed.partners.push(*other);
                    }
                    *count = count.saturating_add(1);
                }
            }
        }
        let partners = &mut proposed.partners[start..];
        partners.sort_unstable();
        counts.extend(partners.iter().map(|other| std::mem::take(&mut count_of[*other as usize])));
        for count in &counts[start..] {
            pairs_of_count[usize::from(*count)] += 1;
        }
        proposed.starts.push(proposed.partners.len() as u32);
    }
    let mut least = 255;
    let mut sum = 0;
    while least > 1 && sum + pairs_of_count[least - 1] <= limit.max(pairs_of_count[255]) {
        sum += pairs_of_count[least - 1];
        least -= 1;
    }
    if least > 1 {
        let mut counts = counts.iter();
        proposed.retain(|_, _| counts.next().is_some_and(|count| usize::from(*count) >= least));
    }
    proposed
}

/// Returns the rows in order of names, so that neighbours in a large block are likely twins, and rows that are compared
/// with the same others come one after another.
pub fn by_name(records: &Records) -> Vec<u32> {
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
    rows
}

/// Something a record has in common with its possible twins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Atom {
    /// Number of its key among all.
    number: u32,
    /// Atoms of one source say the same thing and are no two reasons.
    source: u8,
}

/// The atoms of all values.
struct Atoms {
    /// For each field where the atoms of its values begin, and the end of the last.
    starts: Vec<Vec<u32>>,
    all: Vec<Atom>,
    /// The keys, by number.
    keys: Vec<u64>,
    n_keys: usize,
}

impl Atoms {
    fn of(records: &Records) -> Self {
        let mut numbers: FxHashMap<u64, u32> = FxHashMap::default();
        let mut atoms = Self { starts: Vec::new(), all: Vec::new(), keys: Vec::new(), n_keys: 0 };
        for (number, field) in records.fields.iter().enumerate() {
            let mut starts = Vec::with_capacity(field.values.len() + 1);
            for value in field.values.iter() {
                let start = atoms.all.len();
                starts.push(start as u32);
                value_atoms(number, field, value, |key, source| {
                    let number = *numbers.entry(key).or_insert_with(|| {
                        atoms.keys.push(key);
                        atoms.keys.len() as u32 - 1
                    });
                    // Of the sources that say the same the first counts.
                    let of_value = &atoms.all[start..];
                    if of_value.iter().all(|known| known.number != number) {
                        atoms.all.push(Atom { number, source });
                    }
                });
            }
            starts.push(atoms.all.len() as u32);
            atoms.starts.push(starts);
        }
        atoms.n_keys = atoms.keys.len();
        atoms
    }

    fn of_value(&self, field: usize, value: u32) -> &[Atom] {
        let starts = &self.starts[field][value as usize..];
        &self.all[starts[0] as usize..starts[1] as usize]
    }
}

/// Gathers the atoms of `row`, each key once.
fn own_atoms(atoms: &Atoms, records: &Records, row: u32, own: &mut Vec<Atom>) {
    own.clear();
    for (number, field) in records.fields.iter().enumerate() {
        let is_name = matches!(field.kind, Kind::Given | Kind::Surname);
        for (at, value) in field.of(row).iter().enumerate() {
            let of_value = atoms.of_value(number, *value);
            // Only several values of one field and names have keys in common.
            if at == 0 && !is_name {
                own.extend_from_slice(of_value);
                continue;
            }
            for atom in of_value {
                match own.iter_mut().find(|known| known.number == atom.number) {
                    // Of the sources that say the same the first counts.
                    Some(known) => known.source = known.source.min(atom.source),
                    None => own.push(*atom),
                }
            }
        }
    }
}

/// Names share a namespace, so that a swapped name meets its twin.
const NAME_SOUND: u64 = 1;
/// Rare words of a company's name or street that become atoms.
const RARE_WORDS: usize = 3;

/// Calls `atom` with the key and the source of everything that `value` may have in common with others.
fn value_atoms(number: usize, field: &Field, value: &Value, mut atom: impl FnMut(u64, u8)) {
    let source = (number * 4) as u8;
    let mut push = |space: u64, text: &str, part: u8| {
        if !text.is_empty() {
            atom(mix(space, hash_text(text)), source + part);
        }
    };
    let space = 16 * (number as u64 + 1);
    let text = &*value.text;
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
}
