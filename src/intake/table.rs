//! Turns the records of a delimited file into rows.

use std::io::Read;

use memchr::memchr2;

use super::cells::{Dialect, Record, scan};
use super::clean::escaped;
use super::contacts::rescue_contact;
use super::dialect::{DELIMITERS, tidy_header};
use super::encoding::Charset;
use super::headings::{Headings, is_footer, is_second_header, is_totals};
use super::mojibake::mend;
use super::questions::Questions;
use super::records::{Piece, RecordReader};
use super::roles::{Column, Resolver, RoleOrigin};
use super::split_times::SplitTime;
use super::{Caps, Refusal, RefusalKind};
use crate::model::blank;
use crate::model::outcome::{Notice, Rejection};
use crate::model::row::{Cell, Origin, Role, Row, RowContent, RowKind};

/// The rows of one delimited file.
pub(super) struct TableRows {
    reader: RecordReader<Box<dyn Read + Send>>,
    record: Record,
    reading: Reading,
    headings: Headings,
    split_time: Option<SplitTime>,
    questions: Questions,
    number: u32,
    newline_needed: bool,
    /// Whether the row before was a total or the end of a report: more of it may follow.
    is_behind_end: bool,
}

/// What reading a table takes beside its records.
pub(super) struct Reading {
    pub(super) input: String,
    pub(super) charset: Charset,
    pub(super) resolver: Resolver,
    pub(super) columns: Vec<Column>,
    /// Data records start behind this line.
    pub(super) lines_before: u32,
    /// Whether a row may end behind its last column that means something.
    pub(super) is_open_ended: bool,
    pub(super) caps: Caps,
}

impl TableRows {
    pub(super) fn new(
        reader: RecordReader<Box<dyn Read + Send>>,
        reading: Reading,
        header: &[String],
    ) -> Self {
        let mut headings = Headings::new(header, &reading.columns);
        if reading.is_open_ended {
            headings.width = reading
                .columns
                .iter()
                .rposition(|column| column.role != Role::Answer)
                .map_or(0, |last| last + 1);
        }
        Self {
            reader,
            record: Record::default(),
            newline_needed: reading.resolver.preset.ends_with_newline,
            headings,
            split_time: SplitTime::find(&reading.columns),
            questions: Questions::find(&reading.columns, &reading.resolver),
            reading,
            number: 0,
            is_behind_end: false,
        }
    }

    /// Reads the next row.
    pub(super) fn next_row(&mut self) -> Option<Result<Row, Refusal>> {
        loop {
            let (width, length) = (self.headings.width, self.reading.columns.len());
            // What stands above the data has any number of cells.
            let is_above = self.reader.line() <= self.reading.lines_before;
            let fits = |cells: usize| is_above || cells >= width && cells <= length.max(width);
            let piece = match self.reader.next(&mut self.record, fits) {
                Ok(piece) => piece,
                Err(error) => {
                    return Some(Err(super::bytes::unreadable(&self.reading.input, &error)));
                }
            };
            match piece {
                Piece::Record { line, .. } if line <= self.reading.lines_before => {}
                Piece::End => return None,
                Piece::OpenQuote { line } => {
                    let message = format!(
                        "the file ends inside quotes that were opened in the row of line {line}"
                    );
                    return Some(Err(Refusal::new(
                        &self.reading.input,
                        RefusalKind::Truncated,
                        &message,
                        "it was probably cut while being written or copied: export or download it again; \
                         if it is complete, close or delete the quote in that row",
                    )));
                }
                Piece::TooLong { line, head, open_quote } => {
                    return Some(Ok(self.too_long(line, &head, open_quote)));
                }
                Piece::Record { line, terminated } => return Some(self.row(line, terminated)),
            }
        }
    }

    fn row(&mut self, line: u32, terminated: bool) -> Result<Row, Refusal> {
        self.number += 1;
        let origin = Origin { record: self.number, line };
        let found = self.record.len();
        if !terminated && (found < self.headings.width || self.newline_needed) {
            return Err(self.truncated(&format!(
                "the last row (line {line}) is cut: it has {found} of {} cells and no line end",
                self.headings.width
            )));
        }
        if self.record.overflows {
            let message = format!(
                "the row has more than {} cells; check the delimiter of this line",
                self.reading.caps.fields
            );
            let bytes = self.reader.last_bytes();
            let head = escaped(&bytes[..bytes.len().min(200)]);
            return Ok(rejected(origin, &head, "too-many-fields", &head, message));
        }
        let Some((cells, charset)) = self.decode(&self.record) else {
            let text = escaped(self.reader.last_bytes());
            let message = "the row mixes characters of different encodings; correct its letters and \
                           import it again";
            return Ok(rejected(origin, &text, "invalid-utf8", &text, message.to_owned()));
        };
        let has_bare_quotes = self.record.has_bare_quotes;
        let mut row = self.judge(origin, cells);
        row.notices.extend(has_bare_quotes.then(|| Notice {
            code: "quotes-bare",
            column: String::new(),
            value: String::new(),
            message: "quotes inside a cell were not doubled; they were read as text".to_owned(),
        }));
        row.notices.extend(self.reading.charset.notice_of_part(charset));
        Ok(row)
    }

    fn judge(&mut self, origin: Origin, cells: Vec<String>) -> Row {
        let is_behind_end = std::mem::take(&mut self.is_behind_end);
        let resolver = &self.reading.resolver;
        let is_blank = |(at, cell): (usize, &String)| blank::is_blank(cell) || self.is_own(at);
        let content = if cells.iter().enumerate().all(is_blank) {
            self.is_behind_end = is_behind_end;
            RowContent::Skipped("padding")
        } else if self.number == 1 && is_second_header(&cells, &self.reading.columns, resolver) {
            RowContent::Skipped("second header")
        } else if self.headings.is_header(&cells, self.record.has_bom, resolver) {
            self.remap(&cells);
            RowContent::Skipped("repeated header")
        } else if is_totals(&cells) {
            self.is_behind_end = true;
            RowContent::Skipped("totals")
        } else if is_footer(&cells, is_behind_end) {
            self.is_behind_end = true;
            RowContent::Skipped("footer")
        } else if let Some(header) = self.header_in_another_dialect(cells.len()) {
            self.remap(&header);
            RowContent::Skipped("repeated header")
        } else if let Some(rejection) = self.fault(&cells) {
            RowContent::Rejected(rejection)
        } else {
            let raw = self.raw_as_shown(&cells);
            let mut cells = self.cells(cells);
            let notices = mend(&mut cells);
            let kind = RowKind::of_rows(self.reading.resolver.preset.tells_events);
            let content = RowContent::Cells(kind, cells);
            return Row { origin, raw, content, notices };
        };
        Row { origin, raw: self.raw_as_shown(&cells), content, notices: Vec::new() }
    }

    /// The row as received, in the order of the file's first header, under which it is shown and given back
    /// to be mended. Where its cells cannot be put into that order (some are missing, or the header above
    /// them has other names), the header above them comes first: `[[names], [cells]]`.
    fn raw_as_shown(&self, cells: &[String]) -> String {
        let is_whole = cells.len() == self.reading.columns.len();
        if !self.headings.is_another_order() {
            self.raw(cells)
        } else if is_whole && self.headings.is_first_or_its_order() {
            let ordered = self.headings.in_first_order(cells);
            ordered.map_or_else(|| self.raw(cells), |ordered| json_list(ordered.iter(), false))
        } else {
            let names = names(&self.reading.columns);
            format!("[{},{}]", json_list(names.iter(), false), self.raw(cells))
        }
    }

    /// The row as it was received: without the cells that leadmill put beside it to say what was wrong, so
    /// that a row which comes back as it went is known again.
    fn raw(&self, cells: &[String]) -> String {
        let received = cells.iter().enumerate().filter(|(at, _)| !self.is_own(*at));
        json_list(received.map(|(_, cell)| cell), is_plain(self.record.text()))
    }

    fn is_own(&self, at: usize) -> bool {
        self.reading.columns.get(at).is_some_and(|column| column.origin == RoleOrigin::Own)
    }

    /// Returns the header of a file with another delimiter that was joined to this one, if the record at
    /// hand is one; from here on its dialect is read.
    fn header_in_another_dialect(&mut self, found: usize) -> Option<Vec<String>> {
        if found > 2 || found >= self.headings.width {
            return None;
        }
        let mut record = Record::default();
        for &delimiter in DELIMITERS {
            let dialect = Dialect::rfc4180(delimiter);
            let bytes = self.reader.last_bytes();
            scan(bytes, true, dialect, self.reading.caps.fields, &mut record);
            if delimiter == self.reader.dialect.delimiter || record.len() < 3 {
                continue;
            }
            let (header, _) = self.decode(&record)?;
            if self.headings.is_header(&header, record.has_bom, &self.reading.resolver) {
                self.reader.dialect = dialect;
                return Some(header);
            }
        }
        None
    }

    /// Decodes the record as a whole, or cell by cell where cells of it come from different programs.
    /// Returns the first character set that is not the file's.
    fn decode(&self, record: &Record) -> Option<(Vec<String>, Charset)> {
        let file = self.reading.charset;
        if let Some(text) = file.sound_utf8(record.text()) {
            let mut cells = Vec::with_capacity(record.len());
            cells.extend(record.bounds().map(|bounds| match text.get(bounds.clone()) {
                Some(cell) => cell.to_owned(),
                // A character that two cells share belongs to neither.
                None => Charset::Utf8.decoded(&record.text()[bounds]).into_owned(),
            }));
            return Some((cells, Charset::Utf8));
        }
        if let Some(charset) = file.of_part(record.text()) {
            let cells = record.cells().map(|cell| charset.decoded(cell).into_owned());
            return Some((cells.collect(), charset));
        }
        let mut odd = None;
        let mut cells = Vec::with_capacity(record.len());
        for cell in record.cells() {
            let charset = file.of_part(cell)?;
            odd = odd.or((charset != Charset::Utf8).then_some(charset));
            cells.push(charset.decoded(cell).into_owned());
        }
        Some((cells, odd.unwrap_or(file)))
    }

    fn fault(&self, cells: &[String]) -> Option<Rejection> {
        let fault = |code, column: &str, value: &str, message: String| {
            Some(Rejection { code, column: column.to_owned(), value: value.to_owned(), message })
        };
        let has_controls = memchr2(0, 0x1A, self.record.text()).is_some();
        for (at, cell) in cells.iter().enumerate() {
            if !has_controls && cell.len() <= self.reading.caps.field_bytes {
                continue;
            }
            let column = self.reading.columns.get(at).map_or("", |column| &*column.name);
            if memchr2(0, 0x1A, cell.as_bytes()).is_some() {
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
            cells.iter().skip(self.reading.columns.len()).any(|cell| !blank::is_blank(cell));
        if surplus || cells.len() < self.headings.width {
            let message = format!(
                "the row has {} {} where the header has {}; check for a stray or missing delimiter or quote",
                cells.len(),
                if cells.len() == 1 { "cell" } else { "cells" },
                self.headings.width
            );
            return fault("ragged-row", "", "", message);
        }
        None
    }

    fn cells(&mut self, cells: Vec<String>) -> Vec<Cell> {
        let preset = &self.reading.resolver.preset;
        let mut filled = Vec::with_capacity(cells.len());
        let received = cells.into_iter().zip(&self.reading.columns);
        for (received, column) in received.filter(|(text, _)| !text.is_empty()) {
            filled.extend(column.cell(received, preset));
        }
        if let Some(split) = &self.split_time {
            split.join(&mut filled);
        }
        self.questions.place(&mut filled, &self.reading.resolver);
        if !preset.tells_events {
            let columns = &self.reading.columns;
            rescue_contact(&mut filled, |_, cell| {
                let mut named = columns.iter().filter(|column| column.name == cell.column);
                named.any(|column| column.origin == RoleOrigin::Nothing)
            });
        }
        filled
    }

    fn remap(&mut self, cells: &[String]) {
        let header: Vec<String> = cells.iter().map(|cell| tidy_header(cell)).collect();
        let Reading { columns, resolver, .. } = &mut self.reading;
        *columns = self.headings.replace(&header, columns, resolver);
        self.split_time = SplitTime::find(columns);
        self.questions = Questions::find(columns, resolver);
    }

    fn too_long(&mut self, line: u32, head: &[u8], open_quote: bool) -> Row {
        self.number += 1;
        let origin = Origin { record: self.number, line };
        let head = match self.reading.charset.of_part(head).filter(|_| open_quote) {
            Some(charset) => charset.decoded(head).into_owned(),
            None => escaped(head),
        };
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

/// The row as received: its cells as a JSON array. Where `are_plain`, no cell holds what JSON escapes.
fn json_list<'c>(cells: impl Iterator<Item = &'c String> + Clone, are_plain: bool) -> String {
    let length: usize = cells.clone().map(|cell| cell.len() + 3).sum();
    let mut list = String::with_capacity(length + 2);
    let mut before = "[\"";
    for cell in cells {
        list.push_str(before);
        before = "\",\"";
        if are_plain || is_plain(cell.as_bytes()) {
            list.push_str(cell);
        } else {
            let quoted = serde_json::to_string(cell).unwrap_or_default();
            list.push_str(quoted.get(1..quoted.len() - 1).unwrap_or_default());
        }
    }
    list.push_str(if list.is_empty() { "[]" } else { "\"]" });
    list
}

/// Returns whether JSON escapes none of `bytes`; looking at all of them at once is what a processor is fast at.
fn is_plain(bytes: &[u8]) -> bool {
    let mut odd = 0;
    for &byte in bytes {
        odd |= u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\');
    }
    odd == 0
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
    Row { origin, raw, content: RowContent::Rejected(rejection), notices: Vec::new() }
}

/// The names of an export's own columns, for those who look at it before reading it.
pub(super) fn names(columns: &[Column]) -> Vec<String> {
    let exported = columns.iter().filter(|column| column.origin != RoleOrigin::Own);
    exported.map(|column| column.name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_row_as_received_is_the_json_that_serde_writes(
            cells in prop::collection::vec("[\\x00-\\x7fł€]{0,6}|[a-z]{0,20}", 0..6),
        ) {
            prop_assert_eq!(json_list(cells.iter(), false), serde_json::to_string(&cells).unwrap());
        }
    }
}
