//! Reads any table with a header as it stands: no source, no roles, nothing judged.
//!
//! For those who match or audit tables that are no exports of leads.

use std::borrow::Cow;
use std::io::Read;

use super::bytes::{Store, unreadable};
use super::cells::{Dialect, Record};
use super::dialect;
use super::encoding::Charset;
use super::locate::InputPath;
use super::records::{Piece, RecordReader};
use super::survey::survey;
use super::utf16::Utf16Reader;
use super::{Caps, Refusal, RefusalKind};

/// A table with a header, ready to be read.
pub struct PlainTable {
    /// Name for people.
    pub name: String,
    /// Names of its columns.
    pub header: Vec<String>,
    store: Store,
    charset: Charset,
    dialect: Dialect,
    lines_before: u32,
    caps: Caps,
}

impl PlainTable {
    /// Looks at `input` and finds its encoding, its dialect and its header.
    ///
    /// # Errors
    /// When it cannot be read, is no table, or is over a cap.
    pub fn open(
        input: &InputPath,
        caps: &Caps,
        is_known: impl Fn(&str) -> bool + Sync,
    ) -> Result<Self, Refusal> {
        let store = Store::new(input, caps, &is_known)?;
        let found = survey(&store, caps)?;
        let layout =
            dialect::layout(&found.head, found.head_is_all, found.charset, caps, &is_known)
                .ok_or_else(|| no_table(&store.name))?;
        if layout.header_line == 0 {
            return Err(without_header(&store.name));
        }
        Ok(Self {
            name: store.name.clone(),
            header: layout.header,
            charset: found.charset,
            dialect: layout.dialect,
            lines_before: layout.lines_before,
            caps: *caps,
            store,
        })
    }

    /// Hands every row to `visit`: the line it starts on and its cells.
    ///
    /// # Errors
    /// When reading fails, a row is over a cap, or the file ends inside quotes.
    pub fn read(
        &self,
        mut visit: impl FnMut(u32, &[Cow<'_, str>]) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let file = self.store.open(&self.caps).map_err(|error| self.store.refusal(&error))?;
        let bytes: Box<dyn Read + Send> = if self.charset.is_utf16() {
            Box::new(Utf16Reader::new(file, self.charset == Charset::Utf16Le))
        } else {
            Box::new(file)
        };
        let mut reader = RecordReader::new(bytes, self.dialect, &self.caps);
        let mut record = Record::default();
        let width = self.header.len();
        loop {
            let piece = reader.next(&mut record, |cells| cells == width);
            match piece.map_err(|error| unreadable(&self.name, &error))? {
                Piece::End => return Ok(()),
                Piece::Record { line, .. } if line <= self.lines_before => {}
                Piece::Record { line, .. } => {
                    let decoded = |cell| {
                        let charset = self.charset.of_part(cell).unwrap_or(self.charset);
                        charset.decoded(cell)
                    };
                    let cells: Vec<Cow<'_, str>> = record.cells().map(decoded).collect();
                    if cells.iter().any(|cell| !cell.trim().is_empty()) {
                        visit(line, &cells)?;
                    }
                }
                Piece::TooLong { line, open_quote: true, .. } => {
                    let message = format!("a quote in the row of line {line} has no other end");
                    let hint = "double the quotes inside a cell, or delete the stray one";
                    return Err(Refusal::new(&self.name, RefusalKind::Unreadable, &message, hint));
                }
                Piece::TooLong { line, .. } => {
                    let message = format!("the row of line {line} is longer than a record may be");
                    let hint = "a missing quote may have joined several rows; correct it there";
                    return Err(Refusal::new(&self.name, RefusalKind::OverCap, &message, hint));
                }
                Piece::OpenQuote { line } => {
                    let message = format!("the file ends inside quotes opened in line {line}");
                    let hint = "it was probably cut while being copied; export it again";
                    return Err(Refusal::new(&self.name, RefusalKind::Truncated, &message, hint));
                }
            }
        }
    }
}

fn no_table(name: &str) -> Refusal {
    let hint = "save it as CSV with a row of column names on top";
    Refusal::new(name, RefusalKind::Unrecognized, "no table was found in it", hint)
}

fn without_header(name: &str) -> Refusal {
    let message = "the first row holds values, not the names of columns";
    let hint = "put a row of column names on top";
    Refusal::new(name, RefusalKind::Unrecognized, message, hint)
}
