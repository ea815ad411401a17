//! Takes one record of a delimited file apart into cells.
//!
//! Quoting follows RFC 4180 with the two dialects of [`Escape`] that exporters really write.

use crate::rules::source::Escape;

const BOM: &[u8] = b"\xEF\xBB\xBF";

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
    pub(super) text: Vec<u8>,
    ends: Vec<usize>,
    /// More cells than allowed were met; the surplus is not kept.
    pub(super) overflows: bool,
    /// Something stood between a closing quote and the next delimiter: the escape is probably another.
    pub(super) has_strays: bool,
}

impl Record {
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.overflows = false;
        self.has_strays = false;
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

    pub(super) fn is_blank_line(&self) -> bool {
        self.len() == 1 && self.text.is_empty()
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
    let mut at = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
    let escape = dialect.escape;
    loop {
        if bytes.get(at) == Some(&b'"') {
            let Some(end) = quoted(bytes, at + 1, at_end, escape, record) else {
                return Scan::More { in_quotes: true };
            };
            record.has_strays |= bytes.get(end).is_some_and(|byte| {
                !matches!(byte, b'\n' | b'\r' | b' ') && *byte != dialect.delimiter
            });
            at = end;
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
