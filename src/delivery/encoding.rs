//! How rows are written down: a file for each format of more than a few lines, the others here.

use std::borrow::Cow;

use anyhow::Result;
use serde_json::{Map, Value};

use super::cell::{self, CellText};
use super::workbook::Workbook;
use crate::rules::target::{Column, LineEnd, Profile, QuoteRule, Target, TargetFormat};

/// A format: appends what it writes to the bytes that it is given.
pub(super) trait Encode {
    /// Appends what stands before the rows.
    fn open(&mut self, out: &mut Vec<u8>) -> Result<()>;
    /// Appends one row; returns how many of its cells were guarded.
    fn row(&mut self, cells: &[CellText<'_>], out: &mut Vec<u8>) -> Result<u64>;
    /// Appends what stands behind the rows.
    fn close(&mut self, out: &mut Vec<u8>) -> Result<()>;
}

/// Returns what writes `target` down; `zone` is the name of the zone that its instants are in.
///
/// # Errors
/// The format is none that this build can write, which the rules are checked for.
pub(super) fn encoder<'a>(target: &'a Target, zone: &'a str) -> Result<Box<dyn Encode + 'a>> {
    Ok(match target.format {
        TargetFormat::Csv => Box::new(Csv { target, zone }),
        TargetFormat::Jsonl => Box::new(Json { target, is_array: false, is_first: true }),
        TargetFormat::Json => Box::new(Json { target, is_array: true, is_first: true }),
        TargetFormat::Xlsx => Box::new(Workbook::new(target)),
        TargetFormat::Parquet => super::parquet::encoder(target)?,
    })
}

/// Does what reads a file that somebody else may have written. Where another crate panics at what is damaged, it is a
/// file that cannot be read like others.
pub(super) fn read_guarded(read: impl FnOnce() -> Option<()> + Send) -> Option<()> {
    std::thread::scope(|scope| scope.spawn(read).join().unwrap_or(None))
}

fn line_end(target: &Target) -> &'static [u8] {
    match target.line_end {
        LineEnd::Lf => b"\n",
        LineEnd::Crlf => b"\r\n",
    }
}

/// RFC 4180, with the delimiter and line end of the target.
struct Csv<'a> {
    target: &'a Target,
    zone: &'a str,
}

impl Csv<'_> {
    fn field(&self, text: &str, is_alone: bool, out: &mut Vec<u8>) {
        let needs =
            |byte: &u8| *byte == self.target.delimiter || matches!(byte, b'"' | b'\r' | b'\n');
        // A lone empty cell would be a blank line, which readers pass over.
        let is_quoted = self.target.quote == QuoteRule::Always
            || text.as_bytes().iter().any(needs)
            || (is_alone && text.is_empty());
        if !is_quoted {
            out.extend_from_slice(text.as_bytes());
            return;
        }
        out.push(b'"');
        out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    }

    fn record<'c>(&self, cells: impl ExactSizeIterator<Item = Cow<'c, str>>, out: &mut Vec<u8>) {
        let is_alone = cells.len() == 1;
        for (at, text) in cells.enumerate() {
            if at > 0 {
                out.push(self.target.delimiter);
            }
            self.field(&text, is_alone, out);
        }
        out.extend_from_slice(line_end(self.target));
    }
}

impl Encode for Csv<'_> {
    fn open(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.target.bom {
            out.extend_from_slice("\u{feff}".as_bytes());
        }
        for line in &self.target.preamble {
            out.extend_from_slice(line.replace(crate::rules::target::ZONE, self.zone).as_bytes());
            out.extend_from_slice(line_end(self.target));
        }
        let headers = self.target.columns.iter();
        self.record(headers.map(|column| Cow::Borrowed(column.header.as_str())), out);
        Ok(())
    }

    fn row(&mut self, cells: &[CellText<'_>], out: &mut Vec<u8>) -> Result<u64> {
        let texts: Vec<Cow<'_, str>> = match self.target.profile {
            Profile::Machine => cells.iter().map(|cell| Cow::Borrowed(&*cell.text)).collect(),
            Profile::Spreadsheet => cells.iter().map(cell::guard_cell).collect(),
        };
        let guarded = texts.iter().zip(cells).filter(|(text, cell)| text.len() != cell.text.len());
        let guarded = guarded.count() as u64;
        self.record(texts.into_iter(), out);
        Ok(guarded)
    }

    fn close(&mut self, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}

/// One object a line, or an array of them; a header with dots is a path into objects, `[]` makes it an array.
struct Json<'a> {
    target: &'a Target,
    is_array: bool,
    is_first: bool,
}

impl Encode for Json<'_> {
    fn open(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.is_array {
            out.push(b'[');
        }
        Ok(())
    }

    fn row(&mut self, cells: &[CellText<'_>], out: &mut Vec<u8>) -> Result<u64> {
        if self.is_array {
            if !std::mem::take(&mut self.is_first) {
                out.push(b',');
            }
            out.extend_from_slice(line_end(self.target));
        }
        let mut object = Map::new();
        for (column, cell) in self.target.columns.iter().zip(cells) {
            place(&mut object, column, cell::json(cell));
        }
        serde_json::to_writer(&mut *out, &object)?;
        if !self.is_array {
            out.extend_from_slice(line_end(self.target));
        }
        Ok(0)
    }

    fn close(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.is_array {
            out.extend_from_slice(line_end(self.target));
            out.push(b']');
            out.extend_from_slice(line_end(self.target));
        }
        Ok(())
    }
}

/// Returns a row as an object, without what is not there: an empty cell takes nothing away from who has a value.
pub(super) fn object(target: &Target, cells: &[CellText<'_>]) -> Map<String, Value> {
    let mut object = Map::new();
    for (column, cell) in target.columns.iter().zip(cells) {
        let value = cell::json(cell);
        if !value.is_null() {
            place(&mut object, column, value);
        }
    }
    object
}

/// Puts `value` where the header says. What lies deeper is left out when there is nothing to say.
fn place(object: &mut Map<String, Value>, column: &Column, value: Value) {
    let (path, is_list) = match column.header.strip_suffix("[]") {
        Some(path) => (path, true),
        None => (column.header.as_str(), false),
    };
    if value.is_null() && (is_list || path.contains('.')) {
        return;
    }
    let mut parts: Vec<&str> = path.split('.').collect();
    let last = parts.pop().unwrap_or_default();
    let mut inner = object;
    for part in parts {
        let entry = inner.entry(part).or_insert_with(|| Value::Object(Map::new()));
        // `Target::decode` has seen to it that no value stands where others are.
        let Value::Object(next) = entry else { return };
        inner = next;
    }
    inner.insert(last.to_owned(), if is_list { Value::Array(vec![value]) } else { value });
}
