//! Cuts a stream of bytes into the records and cells of a delimited file.
//!
//! The caps hold here, before anything is decoded: no line, however long, takes more memory than a
//! record may, and reading goes on behind it.

use std::cell::Cell;
use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memchr2, memchr2_iter, memmem};

use super::Caps;
use super::cells::{Dialect, Record, Scan, scan};
use crate::rules::source::Escape;

const READ_BYTES: usize = 1 << 16;
const END_OF_FILE: u8 = 0x1A;
/// Programs of the age of CP/M fill the last block of a file with end-of-file marks.
const PADDING_BYTES: usize = 128;
/// How far a quote is followed at least before it counts as one that never closes.
const PATIENCE_BYTES_MIN: usize = 8 << 10;
/// How far a record that does not fit is read in other dialects, and how far at least.
const RETRY_BYTES_MAX: usize = 64 << 10;
const RETRY_BYTES_MIN: usize = 2 << 10;
/// Bytes of an unreadable record that are kept to be shown.
const HEAD_BYTES: usize = 200;
/// The same of a row that a stray quote spoils, and that somebody is to mend.
const OPEN_HEAD_BYTES: usize = 16 << 10;

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
    /// How far an open quote is followed. A file full of stray quotes would be read once to the cap for
    /// each of its lines; so every record that leads nowhere shortens the way and every sound one lengthens
    /// it again.
    patience: usize,
    /// The same of a record that does not fit and is read in other dialects.
    retry_patience: Cell<usize>,
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
            patience: caps.record_bytes,
            retry_patience: Cell::new(RETRY_BYTES_MAX),
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
            let mut window = bytes.len().min(self.patience.saturating_add(1));
            let mut scanned = self.scan(window, self.dialect, record);
            if matches!(scanned, Scan::More { in_quotes: false }) && window < bytes.len() {
                // The line is long, but no quote makes it so.
                window = bytes.len();
                scanned = self.scan(window, self.dialect, record);
            }
            match scanned {
                Scan::Complete(used, _) if used > self.record_bytes => {
                    return Ok(self.too_long(used, false));
                }
                Scan::Complete(used, _) if record.is_blank_line() => {
                    self.consume(used);
                }
                Scan::Complete(..) if self.needs_more(record, &fits) => self.fill()?,
                Scan::Complete(used, terminated) => {
                    let (used, terminated) = self.retry(used, terminated, record, &fits);
                    if let Some(end) = self.stray_quote(used, record, &fits) {
                        self.patience = (self.patience / 16).max(PATIENCE_BYTES_MIN);
                        return Ok(self.too_long(end, true));
                    }
                    self.patience = self.record_bytes.min(self.patience + PATIENCE_BYTES_MIN);
                    let line = self.consume(used);
                    self.unwrap_row(record, &fits);
                    return Ok(Piece::Record { line, terminated });
                }
                Scan::More { in_quotes }
                    if self.ended || bytes.len() > window.min(self.record_bytes) =>
                {
                    if in_quotes && let Some((used, true)) = self.in_another_dialect(record, &fits)
                    {
                        let line = self.consume(used);
                        return Ok(Piece::Record { line, terminated: true });
                    }
                    if self.ended && bytes.len() == window {
                        let end = self.stray_quote_line(window, 20, &fits);
                        return Ok(match end.or_else(|| self.line_before_rows(&fits)) {
                            Some(end) => self.too_long(end, true),
                            None => Piece::OpenQuote { line: self.line },
                        });
                    }
                    self.patience = (self.patience / 16).max(PATIENCE_BYTES_MIN);
                    return self.skip_line(in_quotes);
                }
                Scan::More { .. } => self.fill()?,
            }
        }
    }

    /// Scans the record at hand, at most the first `window` bytes.
    fn scan(&self, window: usize, dialect: Dialect, record: &mut Record) -> Scan {
        let bytes = &self.buffer[self.start..];
        let at_end = self.ended && window == bytes.len();
        scan(&bytes[..window], at_end, dialect, self.fields_max, record)
    }

    /// Returns the end of what a stray quote spoils, if `record`, which goes to `used`, has one: its first
    /// line where that or the next one is a row by itself, else all of it.
    fn stray_quote(
        &self,
        used: usize,
        record: &Record,
        fits: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let is_wrapped = self.dialect.whole_row_quoted && record.len() == 1;
        let is_odd = record.has_strays || !is_wrapped && !fits(record.len());
        if !is_odd {
            return None;
        }
        if let Some(end) = self.stray_quote_line(used, 1, &fits) {
            return Some(end);
        }
        // Text behind a closing quote whose cell holds a line end: the quote was another row's.
        let bytes = &self.buffer[self.start..][..used];
        let first = line_end(bytes).filter(|end| *end < used && record.has_strays)?;
        let is_row = |line: &[u8]| fits(memchr_iter(self.dialect.delimiter, line).count() + 1);
        Some(if is_row(&bytes[..first]) { first } else { used })
    }

    /// Tells a stray quote from a cut where the file ends inside quotes: most of the lines behind the first
    /// one have as many delimiters as rows have. Returns the end of the first line.
    fn line_before_rows(&self, fits: impl Fn(usize) -> bool) -> Option<usize> {
        let bytes = &self.buffer[self.start..];
        let first = line_end(bytes)?;
        let (mut at, mut lines, mut rows) = (first, 0, 0);
        while let Some(end) = line_end(&bytes[at..]).filter(|_| lines < 20) {
            let cells = memchr_iter(self.dialect.delimiter, &bytes[at..at + end]).count() + 1;
            lines += 1;
            rows += usize::from(cells >= 3 && fits(cells));
            at += end;
        }
        (lines >= 2 && rows * 4 >= lines * 3).then_some(first)
    }

    /// Returns whether a record that does not fit must not be judged yet: where the bytes at hand end would
    /// decide whether it fits another dialect.
    fn needs_more(&self, record: &Record, fits: impl Fn(usize) -> bool) -> bool {
        let is_short = self.buffer.len() - self.start < RETRY_BYTES_MAX;
        is_short && !self.ended && !(fits(record.len()) && is_tidy(record))
    }

    fn retry(
        &self,
        used: usize,
        terminated: bool,
        record: &mut Record,
        fits: impl Fn(usize) -> bool,
    ) -> (usize, bool) {
        let is_sound = fits(record.len()) && is_tidy(record);
        if self.dialect.whole_row_quoted || is_sound {
            let longer = self.retry_patience.get() + RETRY_BYTES_MIN;
            self.retry_patience.set(longer.min(RETRY_BYTES_MAX));
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
        let window = bytes.len().min(self.patience / 4).min(self.retry_patience.get());
        let bytes = &bytes[..window];
        let mut other = Record::default();
        let mut attempt = |dialect: Dialect| {
            let found = self.scan(window, dialect, &mut other);
            if matches!(found, Scan::More { .. }) {
                let shorter = (self.retry_patience.get() / 8).max(RETRY_BYTES_MIN);
                self.retry_patience.set(shorter);
            }
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
            let found = attempt(Dialect { blanks_before_quotes: true, ..self.dialect });
            if found.is_some() {
                return found;
            }
        }
        if !record.has_strays || self.dialect.escape == Escape::Json {
            return None;
        }
        let line = line_end(bytes).unwrap_or(window);
        let found = self.scan(line, Dialect { bare_quotes: true, ..self.dialect }, &mut other);
        let Scan::Complete(used, terminated) = found else { return None };
        if !fits(other.len()) || other.has_strays {
            return None;
        }
        std::mem::swap(record, &mut other);
        record.has_bare_quotes = true;
        Some((used, terminated))
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
        let most = if open_quote { OPEN_HEAD_BYTES } else { HEAD_BYTES };
        let head = bytes[..bytes.len().min(used).min(most)].trim_ascii_end().to_vec();
        let line = self.consume(used);
        Piece::TooLong { line, head, open_quote }
    }

    /// Gives up on a record over the cap, or on a quote that was followed far enough, and goes on with the next
    /// line.
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

/// Returns whether no quote stands in `record` where none should.
fn is_tidy(record: &Record) -> bool {
    !record.has_strays && !record.has_loose_quote
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
        bare_quotes: false,
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
    fn rows_that_stray_quotes_join_are_not_taken_for_one() {
        let long = |line: usize| format!("{line}:too long, open quote true");
        let text = "1,\"b,c\n2,\"b,c\n3,\"b,c\n4,5,6\n";
        check(text, COMMA, &[&long(1), &long(2), &long(3), "4:4|5|6"]);
        check("\"x\ny\" z,2,3\n4,5,6\n", COMMA, &[&long(1), "3:4|5|6"]);
        // The first quote swallows all the rest, line by line.
        let text = "1,2\" x,\"c\n".repeat(5);
        let found = read(text.as_bytes(), COMMA, &Caps::default(), 3);
        assert_eq!(found[..3], [long(1), long(2), long(3)]);
        assert_eq!(found.last().unwrap(), "4:open quote");
    }

    #[test]
    fn quotes_inside_a_quoted_cell_are_text() {
        check("1,\"a \"b\" c\",3\n", COMMA, &["1:1|a \"b\" c|3"]);
        check("\"15\" monitor\",\"2\",3\n", COMMA, &["1:15\" monitor|2|3"]);
    }

    #[test]
    fn a_record_is_read_alike_wherever_the_buffer_ends() {
        // The last quote of the first line is the first of a cell of two lines only where backslashes escape.
        let odd = "1,\"x \\\" y\n\",3\n";
        for pad in READ_BYTES - 20..READ_BYTES + 2 {
            let text = format!("1,2,{}\n{odd}4,5,6\n", "x".repeat(pad - 5));
            let found = read(text.as_bytes(), COMMA, &Caps::default(), 3);
            assert_eq!(found[1..], ["2:1|x \\\" y\n|3", "4:4|5|6"], "{pad}");
        }
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
        let mut reader = RecordReader::new(&b"\"a\",b\r\n\"1\n2\",x"[..], COMMA, &caps);
        let mut record = Record::default();
        reader.next(&mut record, |_| true).unwrap();
        assert_eq!(reader.last_bytes(), b"\"a\",b");
        reader.next(&mut record, |_| true).unwrap();
        assert_eq!(reader.last_bytes(), b"\"1\n2\",x");
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
