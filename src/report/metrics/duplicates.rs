//! Duplicate rate: how many of the rows received were of somebody who had been there, and in which way.

use std::io::Write;

use anyhow::Result;

use super::{ALL, Cell, Column, Kind, MetricRow, MetricTable, SMALL_N, Share, column};
use crate::model::spreadsheet::guard;

/// In which way a row is a duplicate; the first that fits counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Again {
    /// The very same row, received again.
    Resubmit,
    /// Somebody who had been won before.
    ExistingCustomer,
    /// The same person by the same form, source and campaign, within the days that were asked for.
    Repeat,
    /// The same person through a source or campaign by which they had not come.
    CrossCampaign,
    /// The same person through a source and campaign of theirs, later or by another form.
    Returning,
}

impl Again {
    /// Each with its word, in order.
    pub const ALL: &[(&str, Again)] = &[
        ("resubmit", Self::Resubmit),
        ("existing-customer", Self::ExistingCustomer),
        ("repeat", Self::Repeat),
        ("cross-campaign", Self::CrossCampaign),
        ("returning", Self::Returning),
    ];

    /// Returns the word used in files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// How many rows of one group were duplicates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DuplicateGroup {
    /// The group.
    pub name: String,
    /// Rows received, those seen before included.
    pub rows: u64,
    /// Duplicates of each kind, in the order of [`Again::ALL`].
    pub by_kind: [u64; 5],
}

impl DuplicateGroup {
    /// Counts `times` rows, duplicates of a kind or none.
    pub fn add(&mut self, kind: Option<Again>, times: u64) {
        self.rows += times;
        if let Some(kind) = kind {
            self.by_kind[kind as usize] += times;
        }
    }

    /// Returns the duplicates of every kind.
    pub fn duplicates(&self) -> Share {
        Share::new(self.by_kind.iter().sum(), self.rows)
    }
}

/// How many of all rows were duplicates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DuplicateFigures {
    /// By group.
    pub groups: Vec<DuplicateGroup>,
    /// Together.
    pub total: DuplicateGroup,
}

const COLUMNS: &[Column] = &[
    column(0, "rows", "rows", Kind::Count),
    column(0, "resubmit", "resubmit", Kind::Count),
    column(0, "existing_customer", "customer", Kind::Count),
    column(0, "repeat", "repeat", Kind::Count),
    column(0, "cross_campaign", "cross", Kind::Count),
    column(0, "returning", "return", Kind::Count),
    column(0, "duplicates", "rate", Kind::Share),
    column(0, "note", "note", Kind::Text),
];

impl DuplicateFigures {
    /// Returns the figures as a table; `by` heads the groups.
    pub fn to_table(&self, title: String, by: &'static str, repeat_within: &str) -> MetricTable {
        MetricTable {
            report: "duplicates",
            title,
            by,
            part: None,
            columns: COLUMNS.to_vec(),
            sections: vec![String::new()],
            rows: self.groups.iter().map(|one| MetricRow::new(&one.name, cells(one))).collect(),
            totals: vec![MetricRow::new(ALL, cells(&self.total))],
            notes: vec![format!(
                "Rows are accepted submissions and those seen before. resubmit: the very same row again; customer: \
                 won before the row was sent; repeat: the same person by the same form, source and campaign within \
                 {repeat_within}; cross: through a source or campaign that was new for them; return: any other row \
                 of a known person. The first that fits counts; rate: all of them, of the rows. `--list` names each."
            )],
            missing: None,
        }
    }
}

fn cells(one: &DuplicateGroup) -> Vec<Cell> {
    let mut cells = vec![Cell::Count(one.rows)];
    cells.extend(one.by_kind.map(Cell::Count));
    let is_small = one.rows < SMALL_N;
    cells.extend([
        Cell::Share(one.duplicates()),
        Cell::Text(if is_small { format!("n < {SMALL_N}") } else { String::new() }),
    ]);
    cells
}

/// A duplicate, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateRow {
    /// The lead's id.
    pub lead: String,
    /// In which way it is a duplicate.
    pub kind: Again,
    /// Where it stands, `file:line`.
    pub row: String,
    /// When it was sent, in local time.
    pub sent_at: String,
    /// Its source, campaign and form; empty where it names none.
    pub of: [String; 3],
    /// Where the row stands that it repeats, or the one before it; empty where no row does.
    pub earlier: String,
}

/// Writes duplicates one by one, as CSV.
pub struct DuplicateList<W: Write>(csv::Writer<W>);

impl<W: Write> DuplicateList<W> {
    /// Opens the list.
    pub fn new(out: W) -> Result<Self> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record([
            "lead", "kind", "row", "sent_at", "source", "campaign", "form", "earlier",
        ])
        .map_err(unwrapped)?;
        Ok(Self(csv))
    }

    /// Writes one.
    pub fn write(&mut self, one: &DuplicateRow) -> Result<()> {
        let [source, campaign, form] = &one.of;
        let cells = [
            &one.lead,
            one.kind.word(),
            &one.row,
            &one.sent_at,
            source,
            campaign,
            form,
            &one.earlier,
        ];
        self.0.write_record(cells.map(|cell| guard(cell).into_owned())).map_err(unwrapped)
    }

    /// Writes out what is left.
    pub fn finish(mut self) -> Result<()> {
        Ok(self.0.flush()?)
    }
}

/// Returns the fault of the world inside one of the writer's, so that a reader who has gone away is known as one.
fn unwrapped(fault: csv::Error) -> anyhow::Error {
    match fault.into_kind() {
        csv::ErrorKind::Io(fault) => fault.into(),
        kind => anyhow::anyhow!("cannot write a list: {kind:?}"),
    }
}
