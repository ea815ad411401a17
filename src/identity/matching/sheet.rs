//! Records as read: columns of texts, each distinct text kept once.

use super::hashing::{hash_text, mix};
use super::texts::Texts;

/// A column: its distinct texts, and for each row which one.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// Header as people see it.
    pub header: String,
    /// Distinct texts, trimmed; number 0 is the empty one.
    pub texts: Texts,
    /// For each row the number of its text.
    pub rows: Vec<u32>,
}

impl Column {
    fn new(header: &str) -> Self {
        let mut column = Self { header: header.to_owned(), ..Self::default() };
        column.texts.number_of("");
        column
    }

    /// Returns how many rows hold each text.
    pub fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.texts.len()];
        for text in &self.rows {
            counts[*text as usize] += 1;
        }
        counts
    }

    /// Returns the text of `row`.
    pub fn text(&self, row: usize) -> &str {
        &self.texts[self.rows[row] as usize]
    }
}

/// Records as read, each with an id.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    /// The columns, in the order of the file.
    pub columns: Vec<Column>,
    /// An id for each row.
    pub ids: Vec<Box<str>>,
}

impl Sheet {
    /// Begins a sheet with these columns.
    pub fn new<'h>(headers: impl IntoIterator<Item = &'h str>) -> Self {
        Self { columns: headers.into_iter().map(Column::new).collect(), ids: Vec::new() }
    }

    /// Adds a row; cells beyond the last column are dropped, missing ones are empty.
    pub fn push<'c>(&mut self, id: &str, cells: impl IntoIterator<Item = &'c str>) {
        self.ids.push(id.into());
        let mut cells = cells.into_iter();
        for column in &mut self.columns {
            let number = column.texts.number_of(cells.next().unwrap_or_default().trim());
            column.rows.push(number);
        }
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Puts the rows in an order that depends on what they say only, so that the order of a file cannot
    /// change anything that follows.
    #[must_use]
    pub fn in_canonical_order(self) -> Self {
        let order = self.canonical_order();
        self.in_order(&order)
    }

    /// Returns the rows in an order that depends on what they say only.
    pub fn canonical_order(&self) -> Vec<u32> {
        let mut hashes = vec![0_u64; self.len()];
        for column in &self.columns {
            let texts: Vec<u64> = column.texts.iter().map(hash_text).collect();
            for (hash, text) in hashes.iter_mut().zip(&column.rows) {
                *hash = mix(*hash, texts[*text as usize]);
            }
        }
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        order.sort_by(|a, b| {
            let (a, b) = (*a as usize, *b as usize);
            (hashes[a], &self.ids[a]).cmp(&(hashes[b], &self.ids[b]))
        });
        order
    }

    /// Puts the rows in this order.
    #[must_use]
    pub fn in_order(self, order: &[u32]) -> Self {
        let mut sorted = self;
        for column in &mut sorted.columns {
            column.rows = order.iter().map(|row| column.rows[*row as usize]).collect();
        }
        sorted.ids =
            order.iter().map(|row| std::mem::take(&mut sorted.ids[*row as usize])).collect();
        sorted
    }
}
