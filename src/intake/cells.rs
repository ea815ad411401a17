//! Takes one record of a delimited file apart into cells.
//!
//! Quoting follows RFC 4180 with the dialects of [`Escape`] that exporters really write.

use std::ops::Range;

use memchr::{memchr, memchr2, memchr3};

use crate::rules::source::Escape;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// How a delimited file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) escape: Escape,
    /// Whether every line is one quoted cell that holds the real cells.
    pub(super) whole_row_quoted: bool,
    /// Whether a quote may stand behind blanks at the start of a cell (`a, "b, c"`), which RFC 4180
    /// takes for text.
    pub(super) blanks_before_quotes: bool,
    /// Whether a quote inside a quoted cell is text where no delimiter and no line end stands behind it:
    /// `"Jan "Janek" Kowalski"`, as programs write it that know nothing of escapes.
    pub(super) bare_quotes: bool,
}

impl Dialect {
    /// Returns the plain dialect of RFC 4180 with this delimiter.
    pub(super) fn rfc4180(delimiter: u8) -> Self {
        Self {
            delimiter,
            escape: Escape::Doubled,
            whole_row_quoted: false,
            blanks_before_quotes: false,
            bare_quotes: false,
        }
    }
}

/// The cells of one record as bytes.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent findings about one record")]
pub(super) struct Record {
    pub(super) text: Vec<u8>,
    ends: Vec<usize>,
    /// More cells than allowed were met; the surplus is not kept.
    pub(super) overflows: bool,
    /// Something stood between a closing quote and the next delimiter: the escape is probably another.
    pub(super) has_strays: bool,
    /// A bare cell ends with a quote: an inch mark, or the end of a cell that was cut in two.
    pub(super) has_loose_quote: bool,
    /// A byte order mark stood before it: a file that starts here was joined to the one before.
    pub(super) has_bom: bool,
    /// Every cell is a JSON scalar; found only with [`Escape::Json`].
    pub(super) is_json: bool,
    /// It was read with [`Dialect::bare_quotes`].
    pub(super) has_bare_quotes: bool,
    /// Something in it only JSON writes: `\"`, `\/`, `\u`, a bare `null`.
    pub(super) has_json_marks: bool,
}

impl Record {
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.overflows = false;
        self.has_strays = false;
        self.has_loose_quote = false;
        self.has_bom = false;
        self.is_json = false;
        self.has_json_marks = false;
        self.has_bare_quotes = false;
    }

    fn end_cell(&mut self, fields_max: usize) {
        if self.ends.len() < fields_max {
            self.ends.push(self.text.len());
        } else {
            self.text.truncate(self.cell_start());
            self.overflows = true;
        }
    }

    /// Where the cell that is being read starts in `text`.
    fn cell_start(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        self.bounds().map(|bounds| &self.text[bounds])
    }

    /// Where each cell stands in the text.
    pub(super) fn bounds(&self) -> impl Iterator<Item = Range<usize>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| start..end)
    }

    pub(super) fn is_blank_line(&self) -> bool {
        self.len() == 1 && self.text.is_empty()
    }

    /// Closes a quoted cell of a JSON dialect: its escapes become what they stand for.
    fn decode_json_string(&mut self) {
        let start = self.cell_start();
        let found = self.text.get(start..).unwrap_or_default();
        if memchr(b'\\', found).is_none() {
            return;
        }
        let (decoded, sound) = json_unescaped(found);
        self.has_json_marks |=
            found.windows(2).any(|pair| pair[0] == b'\\' && matches!(pair[1], b'"' | b'/' | b'u'));
        self.is_json &= sound;
        self.text.truncate(start);
        self.text.extend_from_slice(&decoded);
    }

    /// Judges a bare cell of a JSON dialect; `null` is no value.
    fn judge_json_word(&mut self) {
        let start = self.cell_start();
        let word = self.text.get(start..).unwrap_or_default().trim_ascii();
        if word == b"null" {
            self.text.truncate(start);
            self.has_json_marks = true;
        } else {
            let text = std::str::from_utf8(word).unwrap_or_default();
            let is_scalar = word.is_empty()
                || text == "true"
                || text == "false"
                || serde_json::from_str::<serde_json::Number>(text).is_ok();
            self.is_json &= is_scalar;
        }
    }
}

pub(super) enum Scan {
    /// A record of so many bytes, and whether a line end closed it.
    Complete(usize, bool),
    /// The record goes on behind the bytes at hand.
    More { in_quotes: bool },
}

pub(super) fn scan(
    bytes: &[u8],
    at_end: bool,
    dialect: Dialect,
    fields_max: usize,
    record: &mut Record,
) -> Scan {
    record.clear();
    record.is_json = dialect.escape == Escape::Json;
    let mut at = 0;
    if bytes.starts_with(BOM) {
        record.has_bom = true;
        at = BOM.len();
    }
    loop {
        at += blanks_before_quote(&bytes[at..], dialect);
        let is_quoted = bytes.get(at) == Some(&b'"');
        if is_quoted {
            let Some(end) = quoted(bytes, at + 1, at_end, dialect, record) else {
                return Scan::More { in_quotes: true };
            };
            record.has_strays |= is_text_behind(&bytes[end..], dialect);
            at = end;
        }
        let stop = match bare(bytes, at, dialect, record) {
            Some(stop) => stop,
            None if at_end => bytes.len(),
            None => return Scan::More { in_quotes: false },
        };
        let cell = record.text.get(record.cell_start()..).unwrap_or_default();
        record.has_loose_quote |= !is_quoted && cell.ends_with(b"\"");
        if dialect.escape == Escape::Json {
            if is_quoted {
                record.is_json &= !record.has_strays;
            } else {
                record.judge_json_word();
            }
        }
        let next = bytes.get(stop + 1).copied();
        match bytes.get(stop) {
            None => {
                record.end_cell(fields_max);
                return Scan::Complete(bytes.len(), false);
            }
            Some(b'\r') if next.is_none() && !at_end => return Scan::More { in_quotes: false },
            Some(b'\r') if next == Some(b'\n') => {
                record.end_cell(fields_max);
                return Scan::Complete(stop + 2, true);
            }
            Some(b'\n' | b'\r') => {
                record.end_cell(fields_max);
                return Scan::Complete(stop + 1, true);
            }
            Some(_) => {
                record.end_cell(fields_max);
                at = stop + 1;
            }
        }
    }
}

fn blanks_before_quote(bytes: &[u8], dialect: Dialect) -> usize {
    if !dialect.blanks_before_quotes {
        return 0;
    }
    let blanks = bytes.iter().take_while(|&&byte| byte == b' ').count();
    if bytes.get(blanks) == Some(&b'"') { blanks } else { 0 }
}

/// Reads the rest of a cell, or all of it when it is not quoted; returns where it stops.
fn bare(bytes: &[u8], mut at: usize, dialect: Dialect, record: &mut Record) -> Option<usize> {
    let delimiter = dialect.delimiter;
    loop {
        let rest = &bytes[at..];
        let Some(plain) = memchr3(delimiter, b'\n', b'\r', rest) else {
            record.text.extend_from_slice(rest);
            return None;
        };
        let is_escaped = dialect.escape == Escape::BackslashDelimiter
            && rest[plain] == delimiter
            && plain > 0
            && rest[plain - 1] == b'\\';
        if !is_escaped {
            record.text.extend_from_slice(&rest[..plain]);
            return Some(at + plain);
        }
        record.text.extend_from_slice(&rest[..plain - 1]);
        record.text.push(delimiter);
        at += plain + 1;
    }
}

/// Reads a quoted cell from behind its first quote; returns where it ended, behind its last one.
fn quoted(
    bytes: &[u8],
    mut at: usize,
    at_end: bool,
    dialect: Dialect,
    record: &mut Record,
) -> Option<usize> {
    let escape = dialect.escape;
    loop {
        let rest = &bytes[at..];
        let plain = match escape {
            Escape::Backslash | Escape::Json => memchr2(b'"', b'\\', rest)?,
            Escape::Doubled | Escape::BackslashDelimiter => memchr(b'"', rest)?,
        };
        record.text.extend_from_slice(&rest[..plain]);
        at += plain;
        let next = bytes.get(at + 1).copied();
        if next.is_none() && !at_end {
            return None;
        }
        match (bytes[at], next) {
            (b'"', Some(b'"'))
                if escape == Escape::Json && record.text.len() > record.cell_start() =>
            {
                // JSON never doubles a quote.
                record.is_json = false;
                record.text.push(b'"');
                at += 2;
            }
            (b'"', Some(b'"')) if escape != Escape::Json => {
                record.text.push(b'"');
                at += 2;
            }
            (b'"', _) if dialect.bare_quotes && is_text_behind(&bytes[at + 1..], dialect) => {
                record.text.push(b'"');
                at += 1;
            }
            (b'"', _) => {
                if escape == Escape::Json {
                    record.decode_json_string();
                }
                return Some(at + 1);
            }
            (_, Some(escaped)) if escape == Escape::Json => {
                record.text.extend_from_slice(&[b'\\', escaped]);
                at += 2;
            }
            (_, Some(b'"')) => {
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

/// Returns whether something else than the end of a cell stands at the start of `bytes`.
fn is_text_behind(bytes: &[u8], dialect: Dialect) -> bool {
    let behind = bytes.iter().find(|byte| **byte != b' ');
    behind.is_some_and(|byte| !matches!(byte, b'\n' | b'\r') && *byte != dialect.delimiter)
}

/// Returns what the inside of a JSON string stands for, and whether all its escapes are JSON's; one that
/// is not stays as it is.
fn json_unescaped(inner: &[u8]) -> (Vec<u8>, bool) {
    let mut decoded = Vec::with_capacity(inner.len());
    let mut sound = true;
    let mut rest = inner;
    while let Some(at) = memchr(b'\\', rest) {
        decoded.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let plain = match rest.get(1) {
            Some(&sign @ (b'"' | b'\\' | b'/')) => Some(sign),
            Some(b'b') => Some(0x08),
            Some(b'f') => Some(0x0C),
            Some(b'n') => Some(b'\n'),
            Some(b'r') => Some(b'\r'),
            Some(b't') => Some(b'\t'),
            _ => None,
        };
        let used = match plain {
            Some(sign) => {
                decoded.push(sign);
                Some(2)
            }
            None => unicode_escape(&mut decoded, rest),
        };
        let used = used.unwrap_or_else(|| {
            sound = false;
            decoded.push(b'\\');
            1
        });
        rest = &rest[used..];
    }
    decoded.extend_from_slice(rest);
    (decoded, sound)
}

/// Decodes `\u` with its four digits, or a pair of them for a character beyond the first plane.
fn unicode_escape(decoded: &mut Vec<u8>, rest: &[u8]) -> Option<usize> {
    let unit = |from: usize| {
        let digits = std::str::from_utf8(rest.get(from..from + 4)?).ok()?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let first = rest.starts_with(b"\\u").then(|| unit(2))??;
    let second = rest.get(6..8).filter(|start| *start == b"\\u").and_then(|_| unit(8));
    let mut push = |c: char| {
        decoded.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    };
    if let Some(c) = char::from_u32(u32::from(first)) {
        push(c);
        return Some(6);
    }
    let c = char::decode_utf16([first, second?]).next()?.ok()?;
    push(c);
    Some(12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, dialect: Dialect, expected: &[&str]) {
        let mut record = Record::default();
        assert!(matches!(
            scan(text.as_bytes(), true, dialect, 99, &mut record),
            Scan::Complete(used, _) if used == text.len()
        ));
        let cells: Vec<_> = record.cells().map(String::from_utf8_lossy).collect();
        assert_eq!(cells, expected, "{text}");
    }

    #[test]
    fn cells_of_json_are_decoded() {
        let json = Dialect { escape: Escape::Json, ..Dialect::rfc4180(b',') };
        check(
            r#""Anna","\"Hej,\r\nzobacz https:\/\/example.com\"",794,null,"C:\\",,"us\u0142ugi \ud83d\ude00","#,
            json,
            &[
                "Anna",
                "\"Hej,\r\nzobacz https://example.com\"",
                "794",
                "",
                "C:\\",
                "",
                "usługi 😀",
                "",
            ],
        );
        check(r#""\x \u12 \ud83d","""#, json, &[r"\x \u12 \ud83d", ""]);
    }

    #[test]
    fn what_is_json_is_told_from_what_only_looks_like_it() {
        let json = Dialect { escape: Escape::Json, ..Dialect::rfc4180(b',') };
        let found = |text: &str| {
            let mut record = Record::default();
            scan(text.as_bytes(), true, json, 99, &mut record);
            (record.is_json, record.has_json_marks)
        };
        assert_eq!(found(r#""a \"b\"",1,null"#), (true, true));
        assert_eq!(found(r#""a","b""#), (true, false));
        assert_eq!(found(r#""C:\new",1"#), (true, false), "could be either: no mark");
        assert_eq!(found(r#""a ""b""",1"#), (false, false));
        assert!(!found(r#""C:\dir \"b\"",2025-09-12"#).0);
    }

    #[test]
    fn blanks_before_quotes_are_part_of_no_value_where_the_dialect_says_so() {
        let spaced = Dialect { blanks_before_quotes: true, ..Dialect::rfc4180(b',') };
        check("a, \"b, c\", d \"e\"", spaced, &["a", "b, c", " d \"e\""]);
        check("a, \"b, c\"", Dialect::rfc4180(b','), &["a", " \"b", " c\""]);
    }

    #[test]
    fn quotes_that_end_no_cell_are_text_where_the_dialect_says_so() {
        let bare = Dialect { bare_quotes: true, ..Dialect::rfc4180(b',') };
        check("1,\"a \"b\" c\" ,\"d \"\"e\"\"\"", bare, &["1", "a \"b\" c ", "d \"e\""]);
        check("1,\"a \"b\", c\"", bare, &["1", "a \"b", " c\""]);
    }

    #[test]
    fn typographic_quotes_are_text() {
        check("„Firma, s.c.”,“x”", Dialect::rfc4180(b','), &["„Firma", " s.c.”", "“x”"]);
    }
}
