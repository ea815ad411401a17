//! One comparable property of all records: its distinct values, prepared once, and who has which.

use std::sync::Arc;

use super::kind::Kind;
use super::lists::Lists;
use super::prepare;
use super::texts::{Numbers, Texts, table_hash};

/// A value that all have that have any is compared if so many have it at most; beyond, it is what the table is about.
pub const HOLDERS_OF_ONE_MAX: usize = 30;
/// Imagined records that have none of the words of a table.
const WORD_RECORDS: f32 = 30.0;

/// Number of a value within its field.
pub type ValueNo = u32;

/// A value in the form in which it is compared.
#[derive(Debug, Clone, Default)]
pub struct Value {
    /// Folded text; of an e-mail address `mailbox@domain`.
    pub text: Box<str>,
    /// Words, numbered within the field's vocabulary.
    pub words: Box<[u32]>,
    /// Year, month, day of a date; 0 where a part is not told.
    pub date: [u16; 3],
    /// Groups of given names that stand for each other.
    pub groups: Box<[u16]>,
    /// Whether it is a given name that people are known to bear.
    pub is_given_name: bool,
}

/// Which evidence hangs together: what follows from where somebody lives or works is one fact, not five.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bundle {
    /// Tells of the person or company itself.
    Own,
    /// Tells of its surroundings, which others share: employer, address, switchboard.
    Shared,
}

/// One comparable property of all records.
#[derive(Debug, Clone)]
pub struct Field {
    /// What it holds.
    pub kind: Kind,
    /// Headers of the columns it was made of, joined with ` + `.
    pub label: String,
    /// What it tells of.
    pub bundle: Bundle,
    /// The distinct values, by number.
    pub values: Arc<Vec<Value>>,
    /// How many records hold each value.
    pub counts: Vec<u32>,
    /// The words of all values.
    pub words: Texts,
    /// The weight of each word in bits: rare words weigh more.
    pub word_weights: Vec<f32>,
    /// Values of each record: `ids[starts[row]..starts[row + 1]]`.
    starts: Vec<u32>,
    ids: Vec<ValueNo>,
}

impl Field {
    /// Returns the values of `row`.
    pub fn of(&self, row: u32) -> &[ValueNo] {
        let row = row as usize;
        &self.ids[self.starts[row] as usize..self.starts[row + 1] as usize]
    }

    /// Returns the first value of `row`, as text.
    pub fn first_text(&self, row: u32) -> Option<&str> {
        self.of(row).first().map(|value| &*self.values[*value as usize].text)
    }

    /// Returns how many records have a value.
    pub fn filled(&self) -> usize {
        self.starts.windows(2).filter(|pair| pair[0] < pair[1]).count()
    }

    /// Returns every value with every record that holds it, in order.
    pub fn holders(&self) -> Vec<(ValueNo, u32)> {
        let mut places = vec![0; self.values.len() + 1];
        for value in &self.ids {
            places[*value as usize + 1] += 1;
        }
        for value in 0..self.values.len() {
            places[value + 1] += places[value];
        }
        let mut holders = vec![(0, 0); self.ids.len()];
        for row in 0..self.starts.len() as u32 - 1 {
            for value in self.of(row) {
                let place = &mut places[*value as usize];
                holders[*place] = (*value, row);
                *place += 1;
            }
        }
        holders
    }

    /// Returns a copy that holds only the values for which `marks` says `keep`.
    #[must_use]
    pub fn only(&self, marks: &[bool], keep: bool) -> Self {
        let mut copy = Self { starts: vec![0], ids: Vec::new(), ..self.clone() };
        for row in 0..self.starts.len() as u32 - 1 {
            let kept = self.of(row).iter().filter(|value| marks[**value as usize] == keep);
            copy.ids.extend(kept);
            copy.starts.push(copy.ids.len() as u32);
        }
        for (count, mark) in copy.counts.iter_mut().zip(marks) {
            if *mark != keep {
                *count = 0;
            }
        }
        copy
    }
}

/// Builds one field record by record.
pub(super) struct Builder<'l> {
    kind: Kind,
    label: String,
    bundle: Bundle,
    lists: &'l Lists,
    starts: Vec<u32>,
    ids: Vec<ValueNo>,
    values: Vec<Value>,
    /// The values by their texts.
    numbers: Numbers,
    words: Texts,
}

impl<'l> Builder<'l> {
    pub(super) fn new(kind: Kind, label: String, bundle: Bundle, lists: &'l Lists) -> Self {
        Self {
            kind,
            label,
            bundle,
            lists,
            starts: vec![0],
            ids: Vec::new(),
            values: Vec::new(),
            numbers: Numbers::default(),
            words: Texts::default(),
        }
    }

    /// Gives the record being built one more value, in the form in which it is compared; returns its number.
    pub(super) fn add(&mut self, text: &str) -> ValueNo {
        let (values, next) = (&self.values, self.values.len() as ValueNo);
        let is_it = |number: ValueNo| *values[number as usize].text == *text;
        let number =
            self.numbers.find_or_take(table_hash(text), next, is_it).unwrap_or_else(|| {
                let value = self.prepared(text);
                self.values.push(value);
                next
            });
        self.add_known(number);
        number
    }

    /// Gives the record being built one more value, which was added before.
    pub(super) fn add_known(&mut self, number: ValueNo) {
        let start = self.starts.last().copied().unwrap_or(0) as usize;
        if !self.ids[start..].contains(&number) {
            self.ids.push(number);
        }
    }

    fn prepared(&mut self, text: &str) -> Value {
        let mut value = Value { text: text.into(), ..Value::default() };
        match self.kind {
            Kind::Organization | Kind::Street | Kind::Text => {
                value.words = text.split(' ').map(|word| self.words.number_of(word)).collect();
            }
            // A given name may stand in the column of surnames.
            Kind::Given | Kind::Surname => {
                let groups = text.split(' ').flat_map(|name| self.lists.groups_of(name));
                let mut groups: Vec<u16> = groups.copied().collect();
                groups.sort_unstable();
                groups.dedup();
                value.groups = groups.into();
                value.is_given_name = self.lists.is_given_name(text);
            }
            Kind::Date => value.date = prepare::date_parts(text).unwrap_or_default(),
            _ => {}
        }
        value
    }

    pub(super) fn close_record(&mut self) {
        self.starts.push(self.ids.len() as u32);
    }

    /// Returns the field, unless it says the same of all records and of too many to be a coincidence.
    pub(super) fn build(self) -> Option<Field> {
        let holders = self.ids.len();
        if self.values.len() < 2 && !(2..=HOLDERS_OF_ONE_MAX).contains(&holders) {
            return None;
        }
        let mut field = self.build_of_few();
        let mut holders = vec![0_u32; field.words.len()];
        for (value, count) in field.values.iter().zip(&field.counts) {
            for (at, word) in value.words.iter().enumerate() {
                if !value.words[..at].contains(word) {
                    holders[*word as usize] += count;
                }
            }
        }
        // Words are rare in the world that are not in a small file: some more records are imagined.
        let n_records = ((field.starts.len() - 1) as f32).hypot(WORD_RECORDS);
        // A word that all records have still weighs half a bit: it is not nothing that it is there.
        let weight = |count: &u32| (n_records / (*count).max(1) as f32).log2() + 0.5;
        field.word_weights = holders.iter().map(weight).collect();
        Some(field)
    }

    /// Returns the field with words that all weigh the same.
    pub(super) fn build_of_few(self) -> Field {
        let mut counts = vec![0; self.values.len()];
        for id in &self.ids {
            counts[*id as usize] += 1;
        }
        Field {
            word_weights: vec![1.0; self.words.len()],
            kind: self.kind,
            label: self.label,
            bundle: self.bundle,
            values: Arc::new(self.values),
            counts,
            words: self.words,
            starts: self.starts,
            ids: self.ids,
        }
    }
}
