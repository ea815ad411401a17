//! Turns the records of a delimited file into rows.

use std::collections::HashSet;
use std::io::Read;

use super::cells::Record;
use super::clean::{clean, escaped};
use super::dialect::tidy_header;
use super::encoding::Charset;
use super::records::{Piece, RecordReader};
use super::roles::{Column, Resolver, RoleOrigin};
use super::{Caps, Refusal, RefusalKind};
use crate::model::outcome::Rejection;
use crate::model::row::{Cell, Origin, Row, RowContent, RowKind};
use crate::rules::source::header_key;

const TOTALS: &[&str] = &[
    "razem",
    "suma",
    "suma koncowa",
    "lacznie",
    "ogolem",
    "total",
    "totals",
    "grand total",
    "summe",
    "gesamt",
    "gesamtsumme",
];

/// The rows of one delimited file.
pub(super) struct TableRows {
    reader: RecordReader<Box<dyn Read + Send>>,
    record: Record,
    reading: Reading,
    header_keys: HashSet<String>,
    /// Columns up to the last one that has a name.
    width: usize,
    to_skip: usize,
    number: u32,
    newline_needed: bool,
}

/// What reading a table takes beside its records.
pub(super) struct Reading {
    pub(super) input: String,
    pub(super) charset: Charset,
    pub(super) resolver: Resolver,
    pub(super) columns: Vec<Column>,
    pub(super) records_before: usize,
    pub(super) caps: Caps,
}

impl TableRows {
    pub(super) fn new(
        reader: RecordReader<Box<dyn Read + Send>>,
        reading: Reading,
        header: &[String],
    ) -> Self {
        let mut rows = Self {
            reader,
            record: Record::default(),
            newline_needed: reading.resolver.preset.ends_with_newline,
            to_skip: reading.records_before,
            reading,
            header_keys: HashSet::new(),
            width: 0,
            number: 0,
        };
        rows.learn(header);
        rows
    }

    fn learn(&mut self, header: &[String]) {
        self.header_keys = header.iter().map(|text| header_key(text)).collect();
        self.header_keys.remove("");
        self.width = header.iter().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1);
    }

    /// Reads the next row.
    pub(super) fn next_row(&mut self) -> Option<Result<Row, Refusal>> {
        loop {
            let (width, length) = (self.width, self.reading.columns.len());
            let fits = |cells: usize| cells >= width && cells <= length.max(width);
            let piece = match self.reader.next(&mut self.record, fits) {
                Ok(piece) => piece,
                Err(error) => {
                    return Some(Err(super::bytes::unreadable(&self.reading.input, &error)));
                }
            };
            if self.to_skip > 0 && matches!(piece, Piece::Record { .. } | Piece::TooLong { .. }) {
                self.to_skip -= 1;
                continue;
            }
            return match piece {
                Piece::End => None,
                Piece::OpenQuote { line } => Some(Err(self.truncated(&format!(
                    "the file ends inside quotes that were opened in the row of line {line}"
                )))),
                Piece::TooLong { line, head, open_quote } => {
                    Some(Ok(self.too_long(line, &head, open_quote)))
                }
                Piece::Record { line, terminated } => self.row(line, terminated).transpose(),
            };
        }
    }

    fn row(&mut self, line: u32, terminated: bool) -> Result<Option<Row>, Refusal> {
        self.number += 1;
        let origin = Origin { record: self.number, line };
        let found = self.record.len();
        if !terminated && (found < self.width || self.newline_needed) {
            return Err(self.truncated(&format!(
                "the last row (line {line}) is cut: it has {found} of {} cells and no line end",
                self.width
            )));
        }
        if self.record.overflows {
            let message = format!(
                "the row has more than {} cells; check the delimiter of this line",
                self.reading.caps.fields
            );
            let head = escaped(&self.record.text()[..self.record.text().len().min(200)]);
            return Ok(Some(rejected(origin, &head, "too-many-fields", &head, message)));
        }
        let Some(cells) = self.decode() else {
            let text = escaped(self.record.text());
            let message = "the row mixes characters of different encodings; correct its letters and \
                           import it again";
            return Ok(Some(rejected(origin, &text, "invalid-utf8", &text, message.to_owned())));
        };
        Ok(Some(self.judge(origin, cells)))
    }

    fn judge(&mut self, origin: Origin, cells: Vec<String>) -> Row {
        let raw = self.raw(&cells);
        let is_blank = |(at, cell): (usize, &String)| cell.trim().is_empty() || self.is_own(at);
        let content = if cells.iter().enumerate().all(is_blank) {
            RowContent::Skipped("padding")
        } else if self.is_header(&cells) {
            self.remap(&cells);
            RowContent::Skipped("repeated header")
        } else if is_totals(&cells) {
            RowContent::Skipped("totals")
        } else if let Some(rejection) = self.fault(&cells) {
            RowContent::Rejected(rejection)
        } else {
            RowContent::Cells(RowKind::Submission, self.cells(cells))
        };
        Row { origin, raw, content }
    }

    /// The row as it was received: without the cells that leadmill put beside it to say what was wrong, so
    /// that a row which comes back as it went is known again.
    fn raw(&self, cells: &[String]) -> String {
        let received: Vec<&String> = cells
            .iter()
            .enumerate()
            .filter(|(at, _)| !self.is_own(*at))
            .map(|(_, cell)| cell)
            .collect();
        serde_json::to_string(&received).unwrap_or_default()
    }

    fn is_own(&self, at: usize) -> bool {
        self.reading.columns.get(at).is_some_and(|column| column.origin == RoleOrigin::Own)
    }

    fn decode(&self) -> Option<Vec<String>> {
        if std::str::from_utf8(self.record.text()).is_err()
            && self.reading.charset.decode(self.record.text()).is_none()
        {
            return None;
        }
        self.record
            .cells()
            .map(|cell| self.reading.charset.decode(cell).map(std::borrow::Cow::into_owned))
            .collect()
    }

    fn fault(&self, cells: &[String]) -> Option<Rejection> {
        let fault = |code, column: &str, value: &str, message: String| {
            Some(Rejection { code, column: column.to_owned(), value: value.to_owned(), message })
        };
        for (at, cell) in cells.iter().enumerate() {
            let column = self.reading.columns.get(at).map_or("", |column| &*column.name);
            if cell.contains(['\0', '\u{1A}']) {
                let value = cell.escape_default().to_string();
                let message = "the row holds control characters that no form produces; delete them \
                               and import it again";
                return fault("control-characters", column, &value, message.to_owned());
            }
            if cell.len() > self.reading.caps.field_bytes {
                let value: String = cell.chars().take(200).collect();
                let message = format!(
                    "the cell has {} bytes, more than the {} allowed; a missing quote may have joined \
                     several rows",
                    cell.len(),
                    self.reading.caps.field_bytes
                );
                return fault("field-too-long", column, &value, message);
            }
        }
        let surplus =
            cells.iter().skip(self.reading.columns.len()).any(|cell| !cell.trim().is_empty());
        if surplus || cells.len() < self.width {
            let message = format!(
                "the row has {} cells where the header has {}; check for a stray or missing delimiter \
                 or quote",
                cells.len(),
                self.width
            );
            return fault("ragged-row", "", "", message);
        }
        None
    }

    fn cells(&self, cells: Vec<String>) -> Vec<Cell> {
        cells
            .into_iter()
            .zip(&self.reading.columns)
            .filter_map(|(text, column)| {
                let text =
                    clean(&text, &self.reading.resolver.preset, &column.strip, &column.nulls);
                let text = column.said(text);
                let cell = Cell { column: column.name.clone(), role: column.role, text };
                (!cell.text.trim().is_empty()).then_some(cell)
            })
            .collect()
    }

    /// Returns whether the row is a header again: every cell names a column of this file.
    fn is_header(&self, cells: &[String]) -> bool {
        let mut named = 0;
        for cell in cells.iter().filter(|cell| !cell.trim().is_empty()) {
            if cell.len() > 300 || !self.header_keys.contains(&header_key(cell)) {
                return false;
            }
            named += 1;
        }
        named >= 2 && named * 2 > self.header_keys.len()
    }

    fn remap(&mut self, cells: &[String]) {
        let header: Vec<String> = cells.iter().map(|cell| tidy_header(cell)).collect();
        let by_name = |text: &String| {
            self.reading.columns.iter().find(|column| *column.name == **text).cloned()
        };
        let fresh = self.reading.resolver.columns(&header, &[]);
        self.reading.columns = header
            .iter()
            .zip(fresh)
            .map(|(text, fresh)| {
                by_name(text).filter(|known| known.name == fresh.name).unwrap_or(fresh)
            })
            .collect();
        self.learn(&header);
    }

    fn too_long(&mut self, line: u32, head: &[u8], open_quote: bool) -> Row {
        self.number += 1;
        let origin = Origin { record: self.number, line };
        let head = escaped(head);
        let (code, message) = if open_quote {
            (
                "unclosed-quote",
                "the row opens a quote that never closes; close it or delete it".to_owned(),
            )
        } else {
            let message = format!(
                "the row is longer than {} bytes; it was left out and reading went on behind it",
                self.reading.caps.record_bytes
            );
            ("record-too-long", message)
        };
        rejected(origin, &head, code, &head, message)
    }

    fn truncated(&self, message: &str) -> Refusal {
        Refusal::new(
            &self.reading.input,
            RefusalKind::Truncated,
            message,
            "it was probably cut while being written or copied: export or download it again; if it is \
             complete, end its last line with a line break",
        )
    }
}

fn is_totals(cells: &[String]) -> bool {
    let mut filled = cells.iter().filter(|cell| !cell.trim().is_empty());
    let first = filled.next().map(|cell| header_key(cell)).unwrap_or_default();
    let rest: Vec<&String> = filled.collect();
    TOTALS.contains(&first.as_str())
        && rest.len() * 2 < cells.len().max(2)
        && rest.iter().all(|cell| !cell.contains('@'))
}

/// Makes a row that goes to quarantine and whose cells could not be had.
pub(super) fn rejected(
    origin: Origin,
    raw: &str,
    code: &'static str,
    value: &str,
    message: String,
) -> Row {
    let raw = serde_json::to_string(&[raw]).unwrap_or_default();
    let rejection = Rejection { code, column: String::new(), value: value.to_owned(), message };
    Row { origin, raw, content: RowContent::Rejected(rejection) }
}

/// The names of an export's own columns, for those who look at it before reading it.
pub(super) fn names(columns: &[Column]) -> Vec<String> {
    let exported = columns.iter().filter(|column| column.origin != RoleOrigin::Own);
    exported.map(|column| column.name.to_string()).collect()
}
