//! Figures about enquiries as people, spreadsheets and programs read them.
//!
//! Every metric is a [`MetricTable`]: groups by what tells them apart, a column for each figure, sections in which
//! people read them side by side. One renderer writes them all, and [`compare`] sets any of them beside the same of
//! an earlier period. A metric is a file beside this one: its figures as types, and how they become a table.

pub mod costs;
pub mod dropoff;
pub mod duplicates;
pub mod meetings;
pub mod sla;
pub mod speed;

mod compare;
mod render;

pub use compare::compare;

/// Below this many a share says little.
pub const SMALL_N: u64 = super::duplicates::SMALL_N;

/// How the name of the row of everything reads.
pub const ALL: &str = "all";

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Those that count.
    pub part: u64,
    /// All that could.
    pub of: u64,
}

impl Share {
    /// Makes a share.
    pub fn new(part: u64, of: u64) -> Self {
        Self { part, of }
    }

    /// Counts one more of those that could, and maybe of those that count.
    pub fn count(&mut self, counts: bool) {
        self.of += 1;
        self.part += u64::from(counts);
    }

    /// Returns the tenths of a percent, rounded to the nearest; none of none is nothing.
    pub fn per_mille(self) -> Option<u64> {
        (self.part * 1_000 + self.of / 2).checked_div(self.of)
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number of things.
    Count,
    /// A share of things.
    Share,
    /// A length of time.
    Span,
    /// An amount of money.
    Money,
    /// Words.
    Text,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A number of things.
    Count(u64),
    /// A share of things.
    Share(Share),
    /// A length of time in milliseconds.
    Span(i64),
    /// An amount in hundredths.
    Money(i64),
    /// Words.
    Text(String),
    /// More or fewer things.
    MoreBy(i64),
    /// A larger or smaller share, in tenths of a percentage point.
    PointsBy(i64),
    /// Nothing can be said.
    Nothing,
}

impl Cell {
    /// Makes a length of time of milliseconds that may be unknown.
    pub fn span(ms: Option<i64>) -> Self {
        ms.map_or(Self::Nothing, Self::Span)
    }

    /// Makes an amount of hundredths that may be unknown.
    pub fn money(hundredths: Option<i64>) -> Self {
        hundredths.map_or(Self::Nothing, Self::Money)
    }
}

/// The section of columns that only spreadsheets and programs get.
pub const UNSEEN: usize = usize::MAX;

/// A column of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Name for spreadsheets and programs; of a length of time it ends in `_seconds`.
    pub key: &'static str,
    /// Heading for people.
    pub head: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The section in which people read it.
    pub section: usize,
}

/// Makes a column.
pub const fn column(section: usize, key: &'static str, head: &'static str, kind: Kind) -> Column {
    Column { key, head, kind, section }
}

/// The figures of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricRow {
    /// The group.
    pub name: String,
    /// The part of it, such as a step; empty where groups have none.
    pub part: String,
    /// Which period, where several stand side by side.
    pub period: Option<&'static str>,
    /// A cell for each column.
    pub cells: Vec<Cell>,
}

impl MetricRow {
    /// Makes the row of a group.
    pub fn new(name: impl Into<String>, cells: Vec<Cell>) -> Self {
        Self { name: name.into(), part: String::new(), period: None, cells }
    }

    /// Returns what tells it apart from the others of its period.
    fn key(&self) -> (&str, &str) {
        (&self.name, &self.part)
    }
}

/// The figures of one metric.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricTable {
    /// Name of the report.
    pub report: &'static str,
    /// What is counted, in one line.
    pub title: String,
    /// Heading of the groups.
    pub by: &'static str,
    /// Heading of their parts, where they have some.
    pub part: Option<&'static str>,
    /// Columns, section by section.
    pub columns: Vec<Column>,
    /// What stands above each section.
    pub sections: Vec<String>,
    /// Groups in the order in which they are read.
    pub rows: Vec<MetricRow>,
    /// Everything together, where there are groups; no part of the rows.
    pub totals: Vec<MetricRow>,
    /// What one must know to read it.
    pub notes: Vec<String>,
    /// Why there is nothing to read, and how to get it.
    pub missing: Option<String>,
}

/// Returns what is said where the sales side has reported nothing.
pub fn no_activity() -> String {
    "no activity yet, so nobody can know who was contacted: import calls, meetings and deals, see README \
     \"What people did\""
        .to_owned()
}

/// Returns what is said where nobody enquired.
pub fn no_enquiries() -> String {
    "no enquiry in this period: run leadmill on exports, or widen --since and --until".to_owned()
}

#[cfg(test)]
mod tests;
