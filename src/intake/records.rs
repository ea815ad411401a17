//! Cuts a stream of bytes into the records and cells of a delimited file.
//!
//! The caps hold here, before anything is decoded: no line, however long, takes more memory than a
//! record may, and reading goes on behind it.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memchr2, memchr2_iter, memmem};

use super::Caps;
use super::cells::{Dialect, Record, Scan, scan};
use crate::rules::source::Escape;

const READ_BYTES: usize = 1 << 16;
const END_OF_FILE: u8 = 0x1A;
/// Programs of the age of CP/M fill the last block of a file with end-of-file marks.
const PADDING_BYTES: usize = 128;
/// Bytes of an unreadable record that are kept to be shown.
const HEAD_BYTES: usize = 200;

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
    /// Where the last record starts, and behind it the next one.
    last: usize,
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
            last: 0,
            start: 0,
            ended: false,
            line: 1,
            dialect,
            record_bytes: caps.record_bytes,
            fields_max: caps.fields,
        }
    }

    /// Returns the line at which the next record starts.
    pub(super) fn line(&self) -> u32 {
        self.line
    }

    /// Returns the bytes of the record read last, as they stand in the file, without its line end.
    pub(super) fn last_bytes(&self) -> &[u8] {
        let mut bytes = &self.buffer[self.last..self.start];
        while let [rest @ .., b'\n' | b'\r'] = bytes {
            bytes = rest;
        }
        bytes
    }

    /// Reads the next record that is not an empty line into `record`.
    ///
    /// `fits` says whether a number of cells is what the file has. A record that does not fit is read
    /// once more in the other ways in which some exporter might have written it.
    pub(super) fn next(
        &mut self,
        record: &mut Record,
        fits: impl Fn(usize) -> bool,
    ) -> io::Result<Piece> {
        loop {
            let bytes = &self.buffer[self.start..];
            if bytes.len() <= PADDING_BYTES
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
                    let is_wrapped = self.dialect.whole_row_quoted && record.len() == 1;
                    let is_odd = record.has_strays || !is_wrapped && !fits(record.len());
                    if is_odd && let Some(end) = self.stray_quote_line(used, 1, &fits) {
                        return Ok(self.too_long(end, true));
                    }
                    let line = self.consume(used);
                    if !record.is_blank_line() {
                        self.unwrap_row(record, &fits);
                        return Ok(Piece::Record { line, terminated });
                    }
                }
                Scan::More { in_quotes } if self.ended || bytes.len() > self.record_bytes => {
                    if in_quotes && let Some((used, true)) = self.in_another_dialect(record, &fits)
                    {
                        let line = self.consume(used);
                        return Ok(Piece::Record { line, terminated: true });
                    }
                    if self.ended {
                        let left = self.buffer.len() - self.start;
                        return Ok(match self.stray_quote_line(left, 20, &fits) {
                            Some(end) => self.too_long(end, true),
                            None => Piece::OpenQuote { line: self.line },
                        });
                    }
                    return self.skip_line(in_quotes);
                }
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
        let is_sound = fits(record.len()) && !record.has_strays && !record.has_loose_quote;
        if self.dialect.whole_row_quoted || is_sound {
            return (used, terminated);
        }
        self.in_another_dialect(record, fits).unwrap_or((used, terminated))
    }

    /// Reads the record at hand in each dialect that its bytes allow until one fits; then it stands in
    /// `record`.
    fn in_another_dialect(
        &self,
        record: &mut Record,
        fits: impl Fn(usize) -> bool,
    ) -> Option<(usize, bool)> {
        let bytes = &self.buffer[self.start..];
        let mut other = Record::default();
        let mut attempt = |dialect: Dialect| {
            let found = scan(bytes, self.ended, dialect, self.fields_max, &mut other);
            if let Scan::Complete(used, terminated) = found
                && used <= self.record_bytes
                && fits(other.len())
                && !other.has_strays
                && !other.has_loose_quote
            {
                std::mem::swap(record, &mut other);
                return Some((used, terminated));
            }
            None
        };
        if memchr(b'\\', bytes).is_some() {
            for escape in [Escape::Doubled, Escape::Backslash, Escape::BackslashDelimiter] {
                if let Some(found) = attempt(Dialect { escape, ..self.dialect }) {
                    return Some(found);
                }
            }
        }
        if memmem::find(bytes, &[self.dialect.delimiter, b' ', b'"']).is_some() {
            return attempt(Dialect { blanks_before_quotes: true, ..self.dialect });
        }
        None
    }

    /// Tells a stray quote from one that holds several lines: up to `lines_max` lines behind the first
    /// one of the record are sound rows in their own right. Returns the end of the first line.
    fn stray_quote_line(
        &self,
        used: usize,
        lines_max: usize,
        fits: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let bytes = &self.buffer[self.start..];
        let first = line_end(&bytes[..used])?;
        let mut at = first;
        let mut other = Record::default();
        for _ in 0..lines_max {
            if at >= used {
                break;
            }
            let found = scan(&bytes[at..], self.ended, self.dialect, self.fields_max, &mut other);
            let Scan::Complete(length, true) = found else { return None };
            // Text on lines of its own may pass for a row of one or two cells, hardly for one of more.
            // A quote among its cells is more likely the end of the first line's.
            let is_sound = !other.has_strays && !other.text().contains(&b'"');
            if other.len() < 3 || !fits(other.len()) || !is_sound {
                return None;
            }
            at += length;
        }
        (at > first).then_some(first)
    }

    /// Opens a row that is one quoted cell as a whole: where the file says so, or where what it holds
    /// fits. Spreadsheets that opened a file with the wrong delimiter quote only some of its lines so.
    fn unwrap_row(&self, record: &mut Record, fits: impl Fn(usize) -> bool) {
        let is_quoted = self.last_bytes().first() == Some(&b'"');
        let is_odd = is_quoted && !fits(1);
        if record.len() != 1 || !(self.dialect.whole_row_quoted || is_odd) {
            return;
        }
        let inner = Dialect { whole_row_quoted: false, ..self.dialect };
        let mut opened = Record::default();
        scan(&record.text, true, inner, self.fields_max, &mut opened);
        let is_sound = fits(opened.len()) && !opened.has_strays;
        if self.dialect.whole_row_quoted || is_sound {
            *record = opened;
        }
    }

    fn too_long(&mut self, used: usize, open_quote: bool) -> Piece {
        let bytes = &self.buffer[self.start..];
        let head = bytes[..bytes.len().min(used).min(HEAD_BYTES)].to_vec();
        let line = self.consume(used);
        Piece::TooLong { line, head, open_quote }
    }

    /// Gives up on a record over the cap and goes on with the next line.
    fn skip_line(&mut self, in_quotes: bool) -> io::Result<Piece> {
        // A quote that never closes must not swallow the lines behind its own.
        if let Some(end) = line_end(&self.buffer[self.start..]) {
            return Ok(self.too_long(end, in_quotes));
        }
        let piece = self.too_long(self.buffer.len() - self.start, false);
        loop {
            self.fill()?;
            let bytes = &self.buffer[self.start..];
            let end = line_end(bytes);
            let used = end.unwrap_or(bytes.len());
            self.consume(used);
            if end.is_some() || self.ended {
                return Ok(piece);
            }
        }
    }

    fn consume(&mut self, used: usize) -> u32 {
        let first = self.line;
        let bytes = &self.buffer[self.start..self.start + used];
        let breaks = memchr2_iter(b'\n', b'\r', bytes)
            .filter(|&at| bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n'))
            .count();
        self.line = self.line.saturating_add(breaks as u32);
        self.last = self.start;
        self.start += used;
        first
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.last = 0;
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

/// Returns where the first line of `bytes` ends, behind its `\n`, `\r\n` or `\r`.
fn line_end(bytes: &[u8]) -> Option<usize> {
    let at = memchr2(b'\n', b'\r', bytes)?;
    let is_pair = bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
    Some(if is_pair { at + 2 } else { at + 1 })
}

/// Counts line feeds.
pub(super) fn line_feeds(bytes: &[u8]) -> usize {
    memchr_iter(b'\n', bytes).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Dialect = Dialect {
        delimiter: b',',
        escape: Escape::Doubled,
        whole_row_quoted: false,
        blanks_before_quotes: false,
    };

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
    fn a_stray_quote_costs_only_its_line() {
        let long = "2:too long, open quote true";
        check("1,2,3\n\"x,b,c\n4,5,6\n7,8,9\n", COMMA, &["1:1|2|3", long, "3:4|5|6", "4:7|8|9"]);
        check(
            "1,2,3\n\"x,b,c\n4,5,6\n7,\"8\",9\n",
            COMMA,
            &["1:1|2|3", long, "3:4|5|6", "4:7|8|9"],
        );
        check("\"two\nlines\" ,b,c\n", COMMA, &["1:two\nlines |b|c"]);
        check("\"two\nlines\",b,c,d\n", COMMA, &["1:two\nlines|b|c|d"]);
        check("1,2,3\n1,2,\"text\nmore", COMMA, &["1:1|2|3", "2:open quote"]);
    }

    #[test]
    fn a_row_quoted_as_a_whole_is_opened() {
        let dialect = Dialect { whole_row_quoted: true, ..COMMA };
        check("\"a,b,c\"\n\"1,\"\"2\"\",3\"\n", dialect, &["1:a|b|c", "2:1|2|3"]);
        check("a,b,c\n\"1,\"\"2\"\",3\"\n4,5,6\n", COMMA, &["1:a|b|c", "2:1|2|3", "3:4|5|6"]);
        check("a,b,c\n\"1,2\"\n", COMMA, &["1:a|b|c", "2:1,2"]);
    }

    #[test]
    fn blanks_before_quotes_are_read_the_way_that_fits() {
        check("1, \"2, b\", 3\n1, 2, 3\n", COMMA, &["1:1|2, b| 3", "2:1| 2| 3"]);
        check("1, \"2\n\"\"b\"\"\", 3\n", COMMA, &["1:1|2\n\"b\"| 3"]);
    }

    #[test]
    fn a_record_is_kept_as_it_stands_in_the_file() {
        let caps = Caps::default();
        let mut reader = RecordReader::new(&b"\"a\",b\r\n\"1\n2\";x"[..], COMMA, &caps);
        let mut record = Record::default();
        reader.next(&mut record, |_| true).unwrap();
        assert_eq!(reader.last_bytes(), b"\"a\",b");
        reader.next(&mut record, |_| true).unwrap();
        assert_eq!(reader.last_bytes(), b"\"1\n2\";x");
    }

    #[test]
    fn a_line_over_the_cap_costs_only_itself() {
        let caps = Caps { record_bytes: 100_000, fields: 4, ..Caps::default() };
        let long = format!("1,2,3\n{},b,c\n4,5,6\n", "x".repeat(1_000_000));
        let expected = ["1:1|2|3", "2:too long, open quote false", "3:4|5|6"];
        assert_eq!(read(long.as_bytes(), COMMA, &caps, 3), expected);
        let old_mac = read(long.replace('\n', "\r").as_bytes(), COMMA, &caps, 3);
        assert_eq!(old_mac, expected);
        let open = format!("1,2,3\n\"x,b,c\n{}", "4,5,6\n".repeat(30_000));
        let found = read(open.as_bytes(), COMMA, &caps, 3);
        assert_eq!(found[..3], ["1:1|2|3", "2:too long, open quote true", "3:4|5|6"]);
        assert_eq!(found.len(), 30_002);
        assert_eq!(read(b"1,2,3,4,5,6\n", COMMA, &caps, 3), ["1:1|2|3|4"]);
    }
}
