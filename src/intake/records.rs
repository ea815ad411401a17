//! Cuts a stream of bytes into the records and cells of a delimited file.
//!
//! The caps hold here, before anything is decoded: no line, however long, takes more memory than a
//! record may, and reading goes on behind it. Quoting follows RFC 4180 with the two dialects of
//! [`Escape`] that exporters really write.

use std::io::{self, Read};

use super::Caps;
use crate::rules::source::Escape;

const READ_BYTES: usize = 1 << 16;
const BOM: &[u8] = b"\xEF\xBB\xBF";
const END_OF_FILE: u8 = 0x1A;

/// How a delimited file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) escape: Escape,
    /// Whether every line is one quoted cell that holds the real cells.
    pub(super) whole_row_quoted: bool,
}

/// The cells of one record as bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    text: Vec<u8>,
    ends: Vec<usize>,
    /// More cells than allowed were met; the surplus is not kept.
    pub(super) overflows: bool,
}

impl Record {
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.overflows = false;
    }

    fn end_cell(&mut self, fields_max: usize) {
        if self.ends.len() < fields_max {
            self.ends.push(self.text.len());
        } else {
            self.text.truncate(self.ends.last().copied().unwrap_or(0));
            self.overflows = true;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[start..end])
    }

    fn is_blank_line(&self) -> bool {
        self.len() == 1 && self.text.is_empty()
    }
}

enum Scan {
    /// A record of so many bytes, and whether a line end closed it.
    Complete(usize, bool),
    /// The record goes on behind the bytes at hand.
    More { in_quotes: bool },
}

fn scan(
    bytes: &[u8],
    at_end: bool,
    dialect: Dialect,
    fields_max: usize,
    record: &mut Record,
) -> Scan {
    record.clear();
    let mut at = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
    let escape = dialect.escape;
    loop {
        if bytes.get(at) == Some(&b'"') {
            match quoted(bytes, at + 1, at_end, escape, record) {
                Some(end) => at = end,
                None => return Scan::More { in_quotes: true },
            }
        }
        // The rest of the cell, or all of it when it is not quoted.
        loop {
            let rest = &bytes[at..];
            let plain = rest.iter().position(|&byte| {
                matches!(byte, b'\n' | b'\r' | b'\\') || byte == dialect.delimiter
            });
            let Some(plain) = plain else {
                record.text.extend_from_slice(rest);
                if !at_end {
                    return Scan::More { in_quotes: false };
                }
                record.end_cell(fields_max);
                return Scan::Complete(bytes.len(), false);
            };
            record.text.extend_from_slice(&rest[..plain]);
            at += plain;
            let next = bytes.get(at + 1).copied();
            match bytes[at] {
                b'\\' => {
                    if escape == Escape::BackslashDelimiter && next == Some(dialect.delimiter) {
                        at += 1;
                    }
                    record.text.push(bytes[at]);
                    at += 1;
                }
                b'\r' if next.is_none() && !at_end => return Scan::More { in_quotes: false },
                end @ (b'\n' | b'\r') => {
                    record.end_cell(fields_max);
                    let used = if end == b'\r' && next == Some(b'\n') { at + 2 } else { at + 1 };
                    return Scan::Complete(used, true);
                }
                _ => {
                    record.end_cell(fields_max);
                    at += 1;
                    break;
                }
            }
        }
    }
}

/// Reads a quoted cell from behind its first quote; returns where it ended, behind its last one.
fn quoted(
    bytes: &[u8],
    mut at: usize,
    at_end: bool,
    escape: Escape,
    record: &mut Record,
) -> Option<usize> {
    loop {
        let plain = bytes[at..].iter().position(|&byte| byte == b'"' || byte == b'\\')?;
        record.text.extend_from_slice(&bytes[at..at + plain]);
        at += plain;
        let next = bytes.get(at + 1).copied();
        if next.is_none() && !at_end {
            return None;
        }
        match (bytes[at], next) {
            (b'"', Some(b'"')) => {
                record.text.push(b'"');
                at += 2;
            }
            (b'"', _) => return Some(at + 1),
            (_, Some(b'"')) if escape == Escape::Backslash => {
                record.text.extend_from_slice(b"\\\"");
                at += 2;
            }
            _ => {
                record.text.push(b'\\');
                at += 1;
            }
        }
    }
}

/// What the next piece of a file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A record, the line it starts on, and whether a line end closed it.
    Record { line: u32, terminated: bool },
    /// A record over the cap: the line it starts on, its first bytes, and whether an open quote made it so.
    TooLong { line: u32, head: Vec<u8>, open_quote: bool },
    /// The file ends inside quotes opened on or after this line.
    OpenQuote { line: u32 },
    /// There is no more.
    End,
}

/// Reads records one by one.
pub(super) struct RecordReader<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    line: u32,
    pub(super) dialect: Dialect,
    record_bytes: usize,
    fields_max: usize,
}

impl<R: Read> RecordReader<R> {
    pub(super) fn new(source: R, dialect: Dialect, caps: &Caps) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            start: 0,
            ended: false,
            line: 1,
            dialect,
            record_bytes: caps.record_bytes,
            fields_max: caps.fields,
        }
    }

    /// Reads the next record that is not an empty line into `record`.
    ///
    /// `fits` says whether a number of cells is what the file has; where it is not and a backslash
    /// is involved, the record is read once more with the other escapes.
    pub(super) fn next(
        &mut self,
        record: &mut Record,
        fits: impl Fn(usize) -> bool,
    ) -> io::Result<Piece> {
        loop {
            let bytes = &self.buffer[self.start..];
            if bytes.len() <= 8
                && bytes.iter().all(|byte| *byte == END_OF_FILE || byte.is_ascii_whitespace())
            {
                if self.ended {
                    return Ok(Piece::End);
                }
                self.fill()?;
                continue;
            }
            match scan(bytes, self.ended, self.dialect, self.fields_max, record) {
                Scan::Complete(used, _) if used > self.record_bytes => {
                    return Ok(self.too_long(used, false));
                }
                Scan::Complete(used, terminated) => {
                    let (used, terminated) = self.retry(used, terminated, record, &fits);
                    let line = self.consume(used);
                    if !record.is_blank_line() {
                        self.unwrap_row(record);
                        return Ok(Piece::Record { line, terminated });
                    }
                }
                Scan::More { in_quotes } if bytes.len() > self.record_bytes => {
                    return self.skip_line(in_quotes);
                }
                Scan::More { .. } if self.ended => return Ok(Piece::OpenQuote { line: self.line }),
                Scan::More { .. } => self.fill()?,
            }
        }
    }

    fn retry(
        &self,
        used: usize,
        terminated: bool,
        record: &mut Record,
        fits: impl Fn(usize) -> bool,
    ) -> (usize, bool) {
        let bytes = &self.buffer[self.start..];
        if self.dialect.whole_row_quoted || fits(record.len()) || !bytes[..used].contains(&b'\\') {
            return (used, terminated);
        }
        let mut other = Record::default();
        for escape in [Escape::Doubled, Escape::Backslash, Escape::BackslashDelimiter] {
            let dialect = Dialect { escape, ..self.dialect };
            let found = scan(bytes, self.ended, dialect, self.fields_max, &mut other);
            if let Scan::Complete(used, terminated) = found
                && used <= self.record_bytes
                && fits(other.len())
            {
                std::mem::swap(record, &mut other);
                return (used, terminated);
            }
        }
        (used, terminated)
    }

    fn unwrap_row(&self, record: &mut Record) {
        if self.dialect.whole_row_quoted && record.len() == 1 {
            let row = std::mem::take(&mut record.text);
            let inner = Dialect { whole_row_quoted: false, ..self.dialect };
            scan(&row, true, inner, self.fields_max, record);
        }
    }

    fn too_long(&mut self, used: usize, open_quote: bool) -> Piece {
        let bytes = &self.buffer[self.start..];
        let head = bytes[..bytes.len().min(used).min(200)].to_vec();
        let line = self.consume(used);
        Piece::TooLong { line, head, open_quote }
    }

    /// Gives up on a record over the cap and goes on with the next line.
    fn skip_line(&mut self, in_quotes: bool) -> io::Result<Piece> {
        let is_end = |byte: &u8| *byte == b'\n';
        // A quote that never closes must not swallow the lines behind its own.
        if let Some(end) = self.buffer[self.start..].iter().position(is_end) {
            return Ok(self.too_long(end + 1, in_quotes));
        }
        let piece = self.too_long(self.buffer.len() - self.start, false);
        loop {
            self.fill()?;
            let bytes = &self.buffer[self.start..];
            let end = bytes.iter().position(is_end);
            let used = end.map_or(bytes.len(), |end| end + 1);
            self.consume(used);
            if end.is_some() || self.ended {
                return Ok(piece);
            }
        }
    }

    fn consume(&mut self, used: usize) -> u32 {
        let first = self.line;
        let bytes = &self.buffer[self.start..self.start + used];
        let feeds = bytes.iter().filter(|&&byte| byte == b'\n').count();
        let returns = bytes
            .iter()
            .enumerate()
            .filter(|&(at, &byte)| byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
            .count();
        self.line = self.line.saturating_add((feeds + returns) as u32);
        self.start += used;
        first
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let old = self.buffer.len();
        // Doubling keeps the cost of scanning a long record again in proportion to its length.
        self.buffer.resize(old + old.max(READ_BYTES), 0);
        let mut filled = old;
        while filled < self.buffer.len() {
            let count = self.source.read(&mut self.buffer[filled..])?;
            if count == 0 {
                self.ended = true;
                break;
            }
            filled += count;
        }
        self.buffer.truncate(filled);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Dialect =
        Dialect { delimiter: b',', escape: Escape::Doubled, whole_row_quoted: false };

    fn read(text: &[u8], dialect: Dialect, caps: &Caps, width: usize) -> Vec<String> {
        let mut reader = RecordReader::new(text, dialect, caps);
        let mut record = Record::default();
        let mut found = Vec::new();
        loop {
            match reader.next(&mut record, |cells| cells == width).unwrap() {
                Piece::End => return found,
                Piece::Record { line, .. } => {
                    let cells: Vec<_> = record.cells().map(String::from_utf8_lossy).collect();
                    found.push(format!("{line}:{}", cells.join("|")));
                }
                Piece::TooLong { line, open_quote, .. } => {
                    found.push(format!("{line}:too long, open quote {open_quote}"));
                }
                Piece::OpenQuote { line } => {
                    found.push(format!("{line}:open quote"));
                    return found;
                }
            }
        }
    }

    #[track_caller]
    fn check(text: &str, dialect: Dialect, expected: &[&str]) {
        assert_eq!(read(text.as_bytes(), dialect, &Caps::default(), 3), expected, "{text:?}");
    }

    #[test]
    fn every_line_end_ends_a_record() {
        check("a,b,c\n1,2,3\n", COMMA, &["1:a|b|c", "2:1|2|3"]);
        check("a,b,c\r\n1,2,3\r\n\x1A", COMMA, &["1:a|b|c", "2:1|2|3"]);
        check("a,b,c\r1,2,3", COMMA, &["1:a|b|c", "2:1|2|3"]);
        check("a,b,\n\n,,3\n", COMMA, &["1:a|b|", "3:||3"]);
    }

    #[test]
    fn quotes_hold_everything() {
        check(
            "\"a,1\",\"b\r\nB\",\"say \"\"c\"\"\"\n1,2,3",
            COMMA,
            &["1:a,1|b\r\nB|say \"c\"", "3:1|2|3"],
        );
        check("37\"8,b\"b\",c\n", COMMA, &["1:37\"8|b\"b\"|c"]);
        check("a,b,\"c", COMMA, &["1:open quote"]);
        check("\u{feff}\"a\",b,c", COMMA, &["1:a|b|c"]);
    }

    #[test]
    fn backslashes_are_read_the_way_that_fits() {
        check("1,2,\"C:\\\"temp\\\"\"\n", COMMA, &["1:1|2|C:\\\"temp\\\""]);
        check("1,\"x \\\" y, z\",3\n", COMMA, &["1:1|x \\\" y, z|3"]);
        check("a\\,b,2,3\n", COMMA, &["1:a,b|2|3"]);
        check("1,2,\"C:\\\"\n", Dialect { escape: Escape::Backslash, ..COMMA }, &["1:1|2|C:\\"]);
    }

    #[test]
    fn a_row_quoted_as_a_whole_is_opened() {
        let dialect = Dialect { whole_row_quoted: true, ..COMMA };
        check("\"a,b,c\"\n\"1,\"\"2\"\",3\"\n", dialect, &["1:a|b|c", "2:1|2|3"]);
    }

    #[test]
    fn a_line_over_the_cap_costs_only_itself() {
        let caps = Caps { record_bytes: 100_000, fields: 4, ..Caps::default() };
        let long = format!("1,2,3\n{},b,c\n4,5,6\n", "x".repeat(1_000_000));
        let expected = ["1:1|2|3", "2:too long, open quote false", "3:4|5|6"];
        assert_eq!(read(long.as_bytes(), COMMA, &caps, 3), expected);
        let open = format!("1,2,3\n\"x,b,c\n{}", "4,5,6\n".repeat(30_000));
        let found = read(open.as_bytes(), COMMA, &caps, 3);
        assert_eq!(found[..3], ["1:1|2|3", "2:too long, open quote true", "3:4|5|6"]);
        assert_eq!(found.len(), 30_002);
        assert_eq!(read(b"1,2,3,4,5,6\n", COMMA, &caps, 3), ["1:1|2|3|4"]);
    }
}
