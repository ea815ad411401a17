//! RFC 4180 to the byte: what it forgives no importer has to.

/// A record as it stands in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// Line on which it begins, from 1.
    pub(super) line: u64,
    /// Its cells, without their quotes.
    pub(super) cells: Vec<String>,
    /// What is wrong with its quotes.
    pub(super) faults: Vec<QuoteFault>,
}

/// A quote where none may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuoteFault {
    pub(super) line: u64,
    pub(super) what: &'static str,
}

/// How the lines outside of quotes end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LineEnds {
    pub(super) lf: u64,
    pub(super) crlf: u64,
    pub(super) cr: u64,
}

/// Reads records, one after the other.
pub(super) struct Strict<'t> {
    rest: &'t str,
    delimiter: char,
    line: u64,
    ends: LineEnds,
}

impl<'t> Strict<'t> {
    pub(super) fn new(text: &'t str, delimiter: u8) -> Self {
        Self { rest: text, delimiter: char::from(delimiter), line: 1, ends: LineEnds::default() }
    }

    /// Takes a line that is no record.
    pub(super) fn skip_line(&mut self) -> &'t str {
        let end = self.rest.find(['\r', '\n']).unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.end_line();
        line
    }

    pub(super) fn line_ends(&self) -> LineEnds {
        self.ends
    }

    /// Takes a line end, if one is next.
    fn end_line(&mut self) -> bool {
        let (length, count) = if self.rest.starts_with("\r\n") {
            (2, &mut self.ends.crlf)
        } else if self.rest.starts_with('\n') {
            (1, &mut self.ends.lf)
        } else if self.rest.starts_with('\r') {
            (1, &mut self.ends.cr)
        } else {
            return false;
        };
        *count += 1;
        self.line += 1;
        self.rest = &self.rest[length..];
        true
    }

    /// Takes a cell up to what ends it.
    fn cell(&mut self, faults: &mut Vec<QuoteFault>) -> String {
        if self.rest.starts_with('"') {
            return self.quoted(faults);
        }
        let ends = [self.delimiter, '\r', '\n'];
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (cell, rest) = self.rest.split_at(end);
        if cell.contains('"') {
            faults.push(QuoteFault {
                line: self.line,
                what: "a quote inside a cell that does not begin with one",
            });
        }
        self.rest = rest;
        cell.to_owned()
    }

    fn quoted(&mut self, faults: &mut Vec<QuoteFault>) -> String {
        let opened = self.line;
        let mut cell = String::new();
        self.rest = &self.rest[1..];
        loop {
            let Some(quote) = self.rest.find('"') else {
                faults.push(QuoteFault { line: opened, what: "a quote that is never closed" });
                cell.push_str(std::mem::take(&mut self.rest));
                return cell;
            };
            let (inside, rest) = self.rest.split_at(quote);
            self.line += inside.matches('\n').count() as u64;
            cell.push_str(inside);
            self.rest = &rest[1..];
            if let Some(rest) = self.rest.strip_prefix('"') {
                cell.push('"');
                self.rest = rest;
                continue;
            }
            let ends = [self.delimiter, '\r', '\n'];
            let end = self.rest.find(ends).unwrap_or(self.rest.len());
            if end > 0 {
                let what = "text between a closing quote and the end of its cell";
                faults.push(QuoteFault { line: self.line, what });
                cell.push_str(&self.rest[..end]);
                self.rest = &self.rest[end..];
            }
            return cell;
        }
    }
}

impl Iterator for Strict<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        if self.rest.is_empty() {
            return None;
        }
        let mut record = Record { line: self.line, ..Record::default() };
        loop {
            let cell = self.cell(&mut record.faults);
            record.cells.push(cell);
            match self.rest.strip_prefix(self.delimiter) {
                Some(rest) => self.rest = rest,
                None => break,
            }
        }
        self.end_line();
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, rows: &[&[&str]], faults: &[&str]) {
        let records: Vec<Record> = Strict::new(text, b',').collect();
        let cells: Vec<Vec<&str>> = records
            .iter()
            .map(|record| record.cells.iter().map(String::as_str).collect())
            .collect();
        assert_eq!(cells, rows, "{text:?}");
        let found: Vec<&str> =
            records.iter().flat_map(|record| &record.faults).map(|fault| fault.what).collect();
        assert_eq!(found, faults, "{text:?}");
    }

    #[test]
    fn cells_are_read_as_the_rfc_says() {
        check("a,b\r\n1,\r\n", &[&["a", "b"], &["1", ""]], &[]);
        check("\"a,\"\"b\"\"\r\nc\",d", &[&["a,\"b\"\r\nc", "d"]], &[]);
        check("a\n\nb\n", &[&["a"], &[""], &["b"]], &[]);
    }

    #[test]
    fn quotes_in_the_wrong_place_are_told() {
        check("a\"b\n", &[&["a\"b"]], &["a quote inside a cell that does not begin with one"]);
        check(
            "\"a\" ,b\n",
            &[&["a ", "b"]],
            &["text between a closing quote and the end of its cell"],
        );
        check("\"a,b\n", &[&["a,b\n"]], &["a quote that is never closed"]);
    }

    #[test]
    fn lines_are_counted_across_quotes() {
        let mut reader = Strict::new("a\r\n\"x\ny\"\nb\rc", b',');
        let lines: Vec<u64> = reader.by_ref().map(|record| record.line).collect();
        assert_eq!(lines, [1, 2, 4, 5]);
        assert_eq!(reader.line_ends(), LineEnds { lf: 1, crlf: 1, cr: 1 });
    }
}
