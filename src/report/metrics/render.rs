//! A table of figures as text: for terminals, spreadsheets, programs and Markdown.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{Cell, Column, Kind, MetricRow, MetricTable};
use crate::model::spreadsheet::{guard, is_number};
use crate::report::escape::for_markdown;

/// Some columns of a table, as people read them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What stands above; may be empty.
    pub title: String,
    /// Rows of text, the header first.
    pub rows: Vec<Vec<String>>,
    /// Columns that hold figures.
    pub right: Vec<usize>,
}

impl MetricTable {
    /// Returns the sections as people read them.
    pub fn to_sections(&self) -> Vec<Section> {
        let of = |(section, title): (usize, &String)| self.section(section, title);
        self.sections.iter().enumerate().map(of).collect()
    }

    fn section<'a>(&'a self, section: usize, title: &str) -> Section {
        let own: Vec<usize> =
            (0..self.columns.len()).filter(|at| self.columns[*at].section == section).collect();
        let has_periods = self.has_periods();
        let mut header = vec![self.by.to_owned()];
        header.extend(self.part.map(str::to_owned));
        header.extend(has_periods.then(|| "period".to_owned()));
        let lead = header.len();
        header.extend(own.iter().map(|at| self.columns[*at].head.to_owned()));
        // What stands in the row above already is not said again.
        let mut above: Option<(&str, &str)> = None;
        let text = |row: &'a MetricRow| {
            let once =
                |text: &str, is_repeated| if is_repeated { String::new() } else { text.to_owned() };
            let same_name = above.is_some_and(|(name, _)| name == row.name);
            let mut cells = vec![once(&row.name, same_name)];
            cells.extend(self.part.map(|_| once(&row.part, above == Some(row.key()))));
            above = Some(row.key());
            cells.extend(has_periods.then(|| row.period.unwrap_or_default().to_owned()));
            cells.extend(own.iter().map(|at| for_people(&row.cells[*at])));
            cells
        };
        let rows =
            std::iter::once(header).chain(self.rows.iter().chain(&self.totals).map(text)).collect();
        let right = (0..own.len()).filter(|at| self.columns[own[*at]].kind != Kind::Text);
        Section { title: title.to_owned(), rows, right: right.map(|at| at + lead).collect() }
    }

    fn has_periods(&self) -> bool {
        self.rows.iter().any(|row| row.period.is_some())
    }

    /// Returns the figures for spreadsheets, a row for each group and no sum.
    ///
    /// A share has three columns: those that count, `_of` how many, and `_percent`. Lengths of time are in seconds.
    pub fn to_csv(&self) -> Result<String> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let has_periods = self.has_periods();
        let mut header = vec![self.by.replace(" / ", "_")];
        header.extend(self.part.map(str::to_owned));
        header.extend(has_periods.then(|| "period".to_owned()));
        header.extend(self.columns.iter().flat_map(keys));
        csv.write_record(&header)?;
        for row in &self.rows {
            let mut record = vec![guard(&row.name).into_owned()];
            record.extend(self.part.map(|_| row.part.clone()));
            record.extend(has_periods.then(|| row.period.unwrap_or_default().to_owned()));
            for (column, cell) in self.columns.iter().zip(&row.cells) {
                record.extend(values(column, cell).into_iter().map(|value| match value {
                    Value::Null => String::new(),
                    Value::String(text) if is_number(&text) => text,
                    Value::String(text) => guard(&text).into_owned(),
                    number => number.to_string(),
                }));
            }
            csv.write_record(&record)?;
        }
        Ok(String::from_utf8(csv.into_inner()?)?)
    }

    /// Returns the figures for programs: those of [`Self::to_csv`], the sum, and what one must know.
    pub fn to_json(&self) -> Value {
        json!({
            "report": self.report,
            "title": self.title,
            "by": self.by,
            "rows": self.rows.iter().map(|row| self.row_json(row)).collect::<Vec<_>>(),
            "totals": self.totals.iter().map(|row| self.row_json(row)).collect::<Vec<_>>(),
            "notes": self.notes,
            "missing": self.missing,
        })
    }

    fn row_json(&self, row: &MetricRow) -> Value {
        let mut object = Map::new();
        object.insert("name".to_owned(), row.name.clone().into());
        if let Some(part) = self.part {
            object.insert(part.to_owned(), row.part.clone().into());
        }
        if let Some(period) = row.period {
            object.insert("period".to_owned(), period.into());
        }
        for (column, cell) in self.columns.iter().zip(&row.cells) {
            object.extend(keys(column).into_iter().zip(values(column, cell)));
        }
        Value::Object(object)
    }

    /// Returns the sections as Markdown.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("## {}\n", for_markdown(&self.title));
        if let Some(missing) = &self.missing {
            return format!("{text}\n{}\n", for_markdown(missing));
        }
        for section in self.to_sections() {
            if !section.title.is_empty() {
                let _ = writeln!(text, "\n{}", for_markdown(&section.title));
            }
            text.push('\n');
            text.push_str(&crate::report::to_markdown(&section.rows, &section.right));
        }
        for note in &self.notes {
            let _ = writeln!(text, "\n{}", for_markdown(note));
        }
        text
    }
}

fn keys(column: &Column) -> Vec<String> {
    let key = column.key;
    match column.kind {
        Kind::Share => vec![key.to_owned(), format!("{key}_of"), format!("{key}_percent")],
        _ => vec![key.to_owned()],
    }
}

/// Returns a value for each of [`keys`].
fn values(column: &Column, cell: &Cell) -> Vec<Value> {
    let tenths = |tenths: i64| Value::from(tenths as f64 / 10.0);
    let value = match cell {
        Cell::Count(count) => (*count).into(),
        Cell::Span(ms) => (ms / 1_000).into(),
        Cell::Money(hundredths) => money_text(*hundredths).into(),
        Cell::Text(text) => text.clone().into(),
        Cell::MoreBy(more) => (*more).into(),
        Cell::Share(share) => {
            let percent = share.per_mille().map(|tenth| tenths(tenth as i64));
            return vec![share.part.into(), share.of.into(), percent.unwrap_or_default()];
        }
        Cell::PointsBy(points) => return vec![Value::Null, Value::Null, tenths(*points)],
        Cell::Nothing if column.kind == Kind::Share => return vec![Value::Null; 3],
        Cell::Nothing => Value::Null,
    };
    vec![value]
}

fn for_people(cell: &Cell) -> String {
    match cell {
        Cell::Count(count) => count.to_string(),
        Cell::Share(share) => share
            .per_mille()
            .map_or_else(|| "–".to_owned(), |tenths| format!("{}.{}%", tenths / 10, tenths % 10)),
        Cell::Span(ms) => span_text(*ms),
        Cell::Money(hundredths) => money_text(*hundredths),
        Cell::Text(text) => text.clone(),
        Cell::MoreBy(more) => format!("{more:+}"),
        Cell::PointsBy(points) => format!("{:+.1}pp", *points as f64 / 10.0),
        Cell::Nothing => "–".to_owned(),
    }
}

/// Writes a length of time in its two largest units: `45s`, `12m30s`, `5h08m`, `3d04h`.
pub fn span_text(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let seconds = ms.unsigned_abs() / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (minutes, hours, days) {
        (0, ..) => format!("{sign}{seconds}s"),
        (_, 0, _) => format!("{sign}{minutes}m{:02}s", seconds % 60),
        (_, _, 0) => format!("{sign}{hours}h{:02}m", minutes % 60),
        _ => format!("{sign}{days}d{:02}h", hours % 24),
    }
}

/// Writes an amount with two decimals.
pub fn money_text(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let amount = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", amount / 100, amount % 100)
}
