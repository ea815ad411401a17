//! How much two records agree, field by field: a level for each, the best first.

use super::field::{Field, Value, ValueNo};
use super::genders::are_two_genders;
use super::kind::Kind;
use super::model::{Key, Part};
use super::records::Records;
use super::similarity::{edits, jaro_winkler, numbers_differ};
use super::sketch::{self, Sketch, sketches};

/// Fields beyond this many are not compared; no export that a person made has more that tell people apart.
pub const FIELDS_MAX: usize = 24;

/// The level of a field of which one record says nothing.
pub const SILENT: u8 = u8::MAX;

/// The agreement of two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// For each field the level, [`SILENT`] where a record has no value.
    pub levels: [u8; FIELDS_MAX],
    /// For each field with equal values, which value; 0 elsewhere.
    pub equal: [ValueNo; FIELDS_MAX],
    /// Whether given name and surname agree only when one record's are swapped.
    pub swapped: bool,
    /// Whether the given names are two that people bear, and not one in two forms or with a slip.
    pub is_another_given: bool,
}

impl Agreement {
    /// Returns the level of `field`, if both records say something.
    pub fn level(&self, field: usize) -> Option<u8> {
        Some(self.levels[field]).filter(|level| *level != SILENT)
    }
}

/// Slots of the memory for compared values; a power of two.
const REMEMBERED: usize = 1 << 16;
/// Bits of the number of a value in such a slot: two of them and a level fill one word.
const VALUE_BITS: u32 = 28;

/// A cell of a record without a value, and of one with several.
const NO_VALUE: ValueNo = ValueNo::MAX;
const VALUES: ValueNo = ValueNo::MAX - 1;

/// What a record says in one field: the number of its value and what is seen of it at a glance.
#[derive(Debug, Clone, Copy)]
struct Cell {
    value: ValueNo,
    sketch: Sketch,
}

impl Cell {
    /// A cell of a field with several values, or of records that are not laid out.
    const VALUES: Self = Self { value: VALUES, sketch: Sketch::NOTHING };
    /// A cell of a field without a value.
    const EMPTY: Self = Self { value: NO_VALUE, sketch: Sketch::NOTHING };
}

/// As many cells as a line of a processor's cache holds. A record begins with one: names and keys come first, and most
/// pairs are ruled out by them.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line([Cell; CELLS_OF_LINE]);

const CELLS_OF_LINE: usize = 4;

/// Compares records, remembering how values compared before.
#[derive(Debug)]
pub struct Comparer<'a> {
    records: &'a Records,
    names: Option<(usize, usize)>,
    /// Per field that is costly to compare: value pair and level in one number, direct-mapped.
    memory: Vec<Vec<u64>>,
    /// The only value of each record in each field, a record beside a record: two records are two places.
    lines: Vec<Line>,
    /// Lines of a record.
    lines_of_record: usize,
    /// Per field what is seen of its values at a glance.
    sketches: Vec<Vec<Sketch>>,
    /// The fields of personal keys, as bits.
    keys: u32,
}

impl<'a> Comparer<'a> {
    /// Prepares to compare `records`.
    pub fn new(records: &'a Records) -> Self {
        let remembers =
            |field: &Field| is_costly(field.kind) && field.values.len() < 1 << VALUE_BITS;
        let memory = |field: &Field| {
            if remembers(field) { vec![u64::MAX; REMEMBERED] } else { Vec::new() }
        };
        let memory = records.fields.iter().map(memory).collect();
        let sketches: Vec<Vec<Sketch>> = records.fields.iter().map(sketches).collect();
        let lines_of_record = records.fields.len().div_ceil(CELLS_OF_LINE);
        let lines = lines(records, &sketches, lines_of_record);
        Self { memory, lines, lines_of_record, sketches, ..Self::without_memory(records) }
    }

    /// Prepares to compare a few records, for which remembering does not pay.
    pub fn without_memory(records: &'a Records) -> Self {
        let n_fields = records.fields.len();
        Self {
            records,
            names: records.names(),
            memory: vec![Vec::new(); n_fields],
            lines: Vec::new(),
            lines_of_record: 0,
            sketches: vec![Vec::new(); n_fields],
            keys: keys(records),
        }
    }

    /// Compares records `a` and `b` in every field.
    pub fn compare(&mut self, a: u32, b: u32) -> Agreement {
        let mut agreement = self.compare_names(a, b);
        self.compare_rest(a, b, &mut agreement);
        agreement
    }

    /// Looks at `rows`, which are compared next, so that the processor waits for all of them at once and not for each.
    pub fn fetch(&self, rows: impl Iterator<Item = u32>) {
        for row in rows {
            let first = self.lines.get(row as usize * self.lines_of_record);
            std::hint::black_box(first.map(|line| line.0[0].value));
        }
    }

    /// Returns what `row` says in the field `at`.
    fn cell(&self, row: u32, at: usize) -> Cell {
        let place = row as usize * self.lines_of_record + at / CELLS_OF_LINE;
        self.lines.get(place).map_or(Cell::VALUES, |line| line.0[at % CELLS_OF_LINE])
    }

    /// Returns in how many personal keys two records are equal.
    fn equal_keys(&self, a: u32, b: u32) -> usize {
        let is_equal = |at: &usize| match (self.cell(a, *at).value, self.cell(b, *at).value) {
            (VALUES, _) | (_, VALUES) => {
                let field = &self.records.fields[*at];
                field.of(a).iter().any(|value| field.of(b).contains(value))
            }
            (x, y) => x == y && x != NO_VALUE,
        };
        (0..FIELDS_MAX).filter(|at| self.keys >> at & 1 == 1).filter(is_equal).count()
    }

    /// Compares records `a` and `b`, unless `is_ruled_out` by the levels of given name and surname and the number of
    /// personal keys in which the two are equal.
    pub fn compare_unless(
        &mut self,
        a: u32,
        b: u32,
        is_ruled_out: impl Fn(u8, u8, &dyn Fn() -> usize) -> bool,
    ) -> Option<Agreement> {
        let mut agreement = self.compare_names(a, b);
        if let Some((given, surname)) = self.names
            && is_ruled_out(agreement.levels[given], agreement.levels[surname], &|| {
                self.equal_keys(a, b)
            })
        {
            return None;
        }
        self.compare_rest(a, b, &mut agreement);
        Some(agreement)
    }

    fn compare_names(&mut self, a: u32, b: u32) -> Agreement {
        let mut agreement = Agreement {
            levels: [SILENT; FIELDS_MAX],
            equal: [0; FIELDS_MAX],
            swapped: false,
            is_another_given: false,
        };
        if let Some((given, surname)) = self.names {
            self.compare_field(a, b, given, &mut agreement);
            self.compare_field(a, b, surname, &mut agreement);
            self.try_swapped(a, b, given, surname, &mut agreement);
            let field = &self.records.fields[given];
            let is_known = |row: u32| match self.cell(row, given) {
                Cell { value: VALUES, .. } => {
                    field.of(row).iter().all(|value| field.values[*value as usize].is_given_name)
                }
                cell => cell.sketch.is_given_name,
            };
            agreement.is_another_given = agreement.levels[given] == 4 && is_known(a) && is_known(b);
        }
        agreement
    }

    fn compare_rest(&mut self, a: u32, b: u32, agreement: &mut Agreement) {
        let names = self.names;
        let is_name =
            |at: usize| names.is_some_and(|(given, surname)| at == given || at == surname);
        for at in (0..self.records.fields.len().min(FIELDS_MAX)).filter(|at| !is_name(*at)) {
            self.compare_field(a, b, at, agreement);
        }
    }

    /// Compares what two records say in the field `at`.
    fn compare_field(&mut self, a: u32, b: u32, at: usize, agreement: &mut Agreement) {
        let (x, y) = (self.cell(a, at), self.cell(b, at));
        match (x.value, y.value) {
            (NO_VALUE, _) | (_, NO_VALUE) => {}
            (VALUES, _) | (_, VALUES) => self.compare_several(a, b, at, agreement),
            (value, other) => {
                agreement.levels[at] = if value == other { 0 } else { self.level(at, x, y) };
                agreement.equal[at] = value;
            }
        }
    }

    /// Compares every value of one record with every value of the other; the best level counts.
    fn compare_several(&mut self, a: u32, b: u32, at: usize, agreement: &mut Agreement) {
        let records = self.records;
        let field = &records.fields[at];
        let (left, right) = (field.of(a), field.of(b));
        let mut best = SILENT;
        for &x in left {
            for &y in right {
                let cell = |value: ValueNo| Cell { value, sketch: self.sketch(at, value) };
                let level = if x == y { 0 } else { self.level(at, cell(x), cell(y)) };
                if level < best {
                    best = level;
                    agreement.equal[at] = x;
                }
            }
        }
        agreement.levels[at] = best;
    }

    /// Reads `Kowalski Anna` beside `Anna Kowalski`: both names agree crosswise.
    fn try_swapped(&self, a: u32, b: u32, given: usize, surname: usize, agreement: &mut Agreement) {
        let (g, s) = (agreement.levels[given], agreement.levels[surname]);
        if g < 2 || s < 2 {
            return;
        }
        if self.are_far_across(a, b, given, surname) {
            return;
        }
        let fields = &self.records.fields;
        let text = |field: usize, row: u32| fields[field].first_text(row);
        let alike = |x: Option<&str>, y: Option<&str>| {
            x.zip(y)
                .is_some_and(|(x, y)| x == y || (x.len() > 2 && y.len() > 2 && one_name(x, y) <= 1))
        };
        // An initial or a nickname may stand in the wrong column, too, when the surname is plain.
        let value = |field: usize, row: u32| {
            fields[field].of(row).first().map(|no| &fields[field].values[*no as usize])
        };
        let given_alike = |x: Option<&Value>, y: Option<&Value>| {
            x.zip(y).is_some_and(|(x, y)| given_names(x, y) <= 2)
        };
        let straight = alike(text(given, a), text(surname, b));
        let crossed = alike(text(surname, a), text(given, b));
        let across = (
            straight || (crossed && given_alike(value(given, a), value(surname, b))),
            crossed || (straight && given_alike(value(surname, a), value(given, b))),
        );
        let is_loose = !(straight && crossed);
        let is_whole = g != SILENT && s != SILENT;
        // Half a name in the wrong column: the other halves of the two records cannot be compared.
        let is_half = (text(surname, a).is_none() || text(given, b).is_none()) && across.0
            || (text(given, a).is_none() || text(surname, b).is_none()) && across.1;
        if is_whole && across == (true, true) {
            agreement.levels[given] = if is_loose { 2 } else { 1 };
            agreement.levels[surname] = 1;
            agreement.swapped = true;
        } else if is_half {
            agreement.levels[given] = SILENT;
            agreement.levels[surname] = 1;
            agreement.swapped = true;
        }
    }

    /// Returns whether a glance tells that neither name of one record is the other one of the other.
    fn are_far_across(&self, a: u32, b: u32, given: usize, surname: usize) -> bool {
        let is_far = |x: Cell, y: Cell| {
            x.value == NO_VALUE || y.value == NO_VALUE || x.sketch.is_no_variant_of(y.sketch)
        };
        is_far(self.cell(a, given), self.cell(b, surname))
            && is_far(self.cell(a, surname), self.cell(b, given))
    }

    fn sketch(&self, field: usize, value: ValueNo) -> Sketch {
        self.sketches[field].get(value as usize).copied().unwrap_or_default()
    }

    /// Returns the level of two values that are not equal.
    fn level(&mut self, field: usize, x: Cell, y: Cell) -> u8 {
        let of = &self.records.fields[field];
        if let Some(level) = sketch::level(of.kind, x.sketch, y.sketch) {
            return level;
        }
        let (x, y) = (x.value.min(y.value), x.value.max(y.value));
        let (left, right) = (&of.values[x as usize], &of.values[y as usize]);
        if self.memory[field].is_empty() {
            // Numbers depend on who else is compared; that must not turn the levels of two values.
            let is_turned = self.lines.is_empty() && left.text > right.text;
            let (left, right) = if is_turned { (right, left) } else { (left, right) };
            return compare_values(of, left, right);
        }
        let key = (u64::from(x) << VALUE_BITS) | u64::from(y);
        let slot = super::hashing::mix(u64::from(x), u64::from(y)) as usize & (REMEMBERED - 1);
        let remembered = self.memory[field][slot];
        if remembered >> 8 == key {
            return remembered as u8;
        }
        let level = compare_values(of, left, right);
        self.memory[field][slot] = (key << 8) | u64::from(level);
        level
    }
}

/// Lays out the values of `records` by record.
fn lines(records: &Records, sketches: &[Vec<Sketch>], lines_of_record: usize) -> Vec<Line> {
    let mut lines = Vec::with_capacity(records.n_records * lines_of_record);
    for row in 0..records.n_records as u32 {
        let fields = records.fields.chunks(CELLS_OF_LINE).zip(sketches.chunks(CELLS_OF_LINE));
        for (fields, sketches) in fields {
            let mut line = Line([Cell::EMPTY; CELLS_OF_LINE]);
            for ((cell, field), sketches) in line.0.iter_mut().zip(fields).zip(sketches) {
                *cell = match field.of(row) {
                    [] => Cell::EMPTY,
                    [value] => {
                        let sketch = sketches.get(*value as usize).copied().unwrap_or_default();
                        Cell { value: *value, sketch }
                    }
                    _ => Cell::VALUES,
                };
            }
            lines.push(line);
        }
    }
    lines
}

/// Returns the fields of personal keys, as bits.
fn keys(records: &Records) -> u32 {
    let is_key = |field: &Field| Part::of(field).key != Key::None;
    let fields = records.fields.iter().take(FIELDS_MAX).enumerate();
    fields.fold(0, |keys, (at, field)| keys | u32::from(is_key(field)) << at)
}

fn is_costly(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Given | Kind::Surname | Kind::Organization | Kind::Street | Kind::Text | Kind::City
    )
}

pub(super) fn compare_values(field: &Field, a: &Value, b: &Value) -> u8 {
    match field.kind {
        Kind::Given => given_names(a, b),
        Kind::Surname => surnames(&a.text, &b.text),
        Kind::Date => dates(a, b),
        Kind::Email => emails(&a.text, &b.text),
        Kind::Phone | Kind::Id => codes(&a.text, &b.text),
        Kind::House => houses(&a.text, &b.text),
        Kind::Postcode => postcodes(&a.text, &b.text),
        Kind::City => cities(&a.text, &b.text),
        Kind::Organization | Kind::Street | Kind::Text => words(field, a, b),
        Kind::Web => webs(&a.text, &b.text),
        _ => 1,
    }
}

pub(super) fn given_names(a: &Value, b: &Value) -> u8 {
    if a.groups.iter().any(|group| b.groups.contains(group)) {
        return 1;
    }
    // Ivanna is no slip of the pen for Ivan, and Olha none for Oleh.
    let is_known = |name: &str| (if *name == *a.text { a } else { b }).is_given_name;
    let level = one_name(&a.text, &b.text);
    if level != 4 && are_two_genders(&a.text, &b.text, is_known) { 4 } else { level }
}

fn surnames(a: &str, b: &str) -> u8 {
    // A Polish wife: Kowalska beside Kowalski.
    let stem = |name: &str| -> Option<usize> {
        ["ski", "ska", "cki", "cka", "dzki", "dzka"]
            .iter()
            .any(|end| name.ends_with(end))
            .then(|| name.len() - 1)
    };
    if let (Some(x), Some(y)) = (stem(a), stem(b))
        && a[..x] == b[..y]
    {
        return 1;
    }
    one_name(a, b)
}

/// Compares two spellings of a given name or a surname.
fn one_name(a: &str, b: &str) -> u8 {
    if numbers_differ(a, b) {
        return 4;
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.len() == 1 {
        return if long.starts_with(short) { 2 } else { 4 };
    }
    if short.len() > 2 && long.contains(' ') && long.split(' ').any(|word| word == short) {
        return 1;
    }
    let both_of_several = short.contains(' ') && long.contains(' ');
    if both_of_several
        && short.split(' ').any(|word| word.len() > 2 && long.split(' ').any(|other| other == word))
    {
        return 1;
    }
    let slips = edits(a, b, 2);
    if slips <= 1 && short.len() >= 4 {
        return 1;
    }
    let similarity = jaro_winkler(a, b);
    if similarity >= 0.92 && slips <= 2 {
        return 1;
    }
    let is_prefix = short.len() >= 3 && long.starts_with(short);
    if is_prefix
        || (slips <= 1 && short.len() >= 3)
        || (slips <= 2 && short.len() >= 5)
        || similarity >= 0.82
    {
        return 3;
    }
    4
}

fn dates(a: &Value, b: &Value) -> u8 {
    let ([y1, m1, d1], [y2, m2, d2]) = (a.date, b.date);
    if (y1 == y2 && m1 == d2 && d1 == m2) || edits(&a.text, &b.text, 1) <= 1 {
        return 1;
    }
    let equal = [y1 == y2, m1 == m2, d1 == d2].iter().filter(|equal| **equal).count();
    match equal {
        2.. => 2,
        1 if y1 == y2 => 3,
        _ => 4,
    }
}

fn emails(a: &str, b: &str) -> u8 {
    // A number tells namesakes apart: `jan.lis81` is not `jan.lis82` mistyped.
    if a.len().min(b.len()) >= 9 && edits(a, b, 2) <= 2 && !numbers_differ(a, b) {
        return 1;
    }
    let (mailbox_a, _) = a.split_once('@').unwrap_or((a, ""));
    let (mailbox_b, _) = b.split_once('@').unwrap_or((b, ""));
    let letters =
        |mailbox: &str| -> String { mailbox.chars().filter(char::is_ascii_alphanumeric).collect() };
    if mailbox_a.len() >= 5 && letters(mailbox_a) == letters(mailbox_b) {
        return 2;
    }
    3
}

fn codes(a: &str, b: &str) -> u8 {
    let len = a.len().min(b.len());
    let allowed = if len >= 8 { 2 } else { 1 };
    if len >= 5 && edits(a, b, allowed) <= allowed { 1 } else { 2 }
}

fn houses(a: &str, b: &str) -> u8 {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.starts_with(short) || (short.len() >= 2 && edits(a, b, 1) <= 1) { 1 } else { 2 }
}

fn webs(a: &str, b: &str) -> u8 {
    let is_slip = a.len().min(b.len()) >= 8 && edits(a, b, 2) <= 2 && !numbers_differ(a, b);
    if is_slip { 1 } else { 2 }
}

fn postcodes(a: &str, b: &str) -> u8 {
    if edits(a, b, 1) <= 1 {
        return 1;
    }
    let common = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    if common >= 2 { 2 } else { 3 }
}

fn cities(a: &str, b: &str) -> u8 {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let is_part = short.len() > 3 && long.split(' ').any(|word| word == short);
    let slips = edits(a, b, 2);
    let alike = (slips <= 1 && short.len() >= 3)
        || (slips <= 2 && short.len() >= 6)
        || jaro_winkler(a, b) >= 0.92;
    if is_part || alike { 1 } else { 2 }
}

/// Compares names of companies, streets and the like word by word, rare words weighing more.
fn words(field: &Field, a: &Value, b: &Value) -> u8 {
    if a.text.len() >= 5 && is_same_without_blanks(&a.text, &b.text) {
        return 0;
    }
    let weight = |value: &Value| -> f32 {
        value.words.iter().map(|word| field.word_weights[*word as usize]).sum()
    };
    let (weight_a, weight_b) = (weight(a), weight(b));
    let shared = f32::midpoint(shared_weight(field, a, b), shared_weight(field, b, a));
    // Names are shortened: half counts what of the longer one is shared, half what of the shorter.
    let dice = 2.0 * shared / (weight_a + weight_b);
    let overlap = shared / weight_a.min(weight_b);
    let similarity = 0.6 * dice + 0.4 * overlap.min(1.0);
    // Two houses of one street are two places, and two branches of one name two branches.
    if field.kind == Kind::Street && houses_differ(field, a, b) {
        return if similarity >= 0.62 { 3 } else { 4 };
    }
    if field.kind == Kind::Organization && numbers_differ(&a.text, &b.text) {
        return 4;
    }
    match similarity {
        s if s >= 0.86 => 1,
        s if s >= 0.62 => 2,
        s if s >= 0.35 => 3,
        _ if a.text.len() >= 6 && edits(&a.text, &b.text, 2) <= 2 => 1,
        _ => 4,
    }
}

/// Returns whether both hold numbers and not one of them is the same.
fn houses_differ(field: &Field, a: &Value, b: &Value) -> bool {
    let numbers = |value: &'_ Value| -> Vec<u32> {
        value
            .words
            .iter()
            .copied()
            .filter(|word| field.words[*word as usize].as_bytes()[0].is_ascii_digit())
            .collect()
    };
    let (a, b) = (numbers(a), numbers(b));
    !a.is_empty() && !b.is_empty() && !a.iter().any(|number| b.contains(number))
}

fn is_same_without_blanks(a: &str, b: &str) -> bool {
    let letters = |text: &'_ str| text.bytes().filter(|byte| *byte != b' ').collect::<Vec<u8>>();
    a.as_bytes()[0] == b.as_bytes()[0] && a.len().abs_diff(b.len()) <= 4 && letters(a) == letters(b)
}

/// Returns the weight of the words of `a` that `b` has, too, or nearly.
fn shared_weight(field: &Field, a: &Value, b: &Value) -> f32 {
    let mut sum = 0.0;
    for word in &a.words {
        let weight = field.word_weights[*word as usize];
        if b.words.contains(word) {
            sum += weight;
            continue;
        }
        let text = &field.words[*word as usize];
        let best = b
            .words
            .iter()
            .map(|other| word_likeness(text, &field.words[*other as usize]))
            .fold(0.0, f32::max);
        sum += best * weight;
    }
    sum
}

/// Returns how much two different words are one, from 0 to 1; numbers are one only when equal.
fn word_likeness(a: &str, b: &str) -> f32 {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let is_number = |word: &str| word.as_bytes()[0].is_ascii_digit();
    if short.is_empty() || is_number(short) || is_number(long) {
        return 0.0;
    }
    if short.len() >= 4 && edits(a, b, 1) <= 1 {
        return 0.9;
    }
    if short.len() >= 6 && edits(a, b, 2) <= 2 {
        return 0.8;
    }
    if long.starts_with(short) {
        return if short.len() >= 3 { 0.8 } else { 0.5 };
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(compare: impl Fn(&str, &str) -> u8, pairs: &[(&str, &str, u8)]) {
        for (a, b, expected) in pairs {
            assert_eq!(compare(a, b), *expected, "{a} / {b}");
            assert_eq!(compare(b, a), *expected, "{b} / {a}");
        }
    }

    #[test]
    fn names_vary_in_known_ways() {
        check(
            surnames,
            &[
                ("kowalska", "kowalski", 1),
                ("nowak", "nowakk", 1),
                ("kowalska nowak", "kowalska", 1),
                ("k", "kowalska", 2),
                ("n", "kowalska", 4),
                ("lis", "list", 1),
                ("wojcik", "nowak", 4),
                ("zielinski", "zielonka", 3),
                ("w12ska", "w13ska", 4),
                ("w12ska", "w12sak", 1),
                ("kowalsk1", "kowalski", 1),
            ],
        );
    }

    #[test]
    fn addresses_and_numbers_slip() {
        check(
            emails,
            &[
                ("anna.lis@przyklad.pl", "anna.lis@przyklad.p", 1),
                ("anna.lis@przyklad.pl", "annalis@gmail.com", 2),
                ("anna.lis@przyklad.pl", "jan.wilk@przyklad.pl", 3),
                ("anna.lis81@przyklad.pl", "anna.lis82@przyklad.pl", 3),
                ("anna.lis81@przyklad.pl", "anna.lis8@przyklad.pl", 3),
                ("anna.lis81@przyklad.pl", "anna.lis@przyklad.pl", 1),
                ("anna12@firma12.pl", "anna9@firma9.pl", 3),
                ("anna.lis81@przyklad.pl", "anna.lsi81@przyklad.pl", 1),
            ],
        );
        check(codes, &[("600123456", "600123465", 1), ("600123456", "501999888", 2)]);
        check(houses, &[("12", "12a", 1), ("12", "47", 2)]);
        check(postcodes, &[("00950", "00951", 1), ("00950", "00123", 2), ("00950", "80123", 3)]);
        check(cities, &[("warszawa", "warszwa", 1), ("lodz", "radom", 2)]);
        check(
            webs,
            &[
                ("przyklad.pl", "przykld.pl", 1),
                ("przyklad.pl", "inny.pl", 2),
                ("sklep24.pl", "sklep42.pl", 2),
                ("firma12.pl", "firma1.pl", 2),
                ("sklep24.pl", "skelp24.pl", 1),
            ],
        );
    }
}
