//! Cuts a stream of JSON into records: lines, one array, objects in a row, or a list in a wrapper.

use std::io::{self, Read};

use memchr::{memchr, memrchr};
use regex::Regex;
use serde_json::Value;

use super::encoding::Charset;
use super::json_layout::{Braces, Layout};
use super::json_text;
use super::json_wrappers::{self, array_start};
use super::roles::{self, Traits, keys_of};
use super::{Caps, SourceCatalog, SourcePreset};
use crate::rules::source::{Expectation, HeaderGroup, NamePattern, Recognition};
use std::sync::Arc;

const READ_BYTES: usize = 1 << 16;
const SAMPLE_RECORDS: usize = 50;
/// What the next piece of a JSON input is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JsonPiece {
    /// The text of a record, the line it starts on, and whether its end was seen.
    Record { line: u32, text: Vec<u8>, terminated: bool },
    /// A record over the cap: the line it starts on and its first bytes.
    TooLong { line: u32, head: Vec<u8> },
    /// The input ends inside something opened on this line.
    Cut { line: u32 },
    /// There is no more.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Inside,
    After,
}

/// Reads the texts of records one by one.
pub(super) struct JsonReader<R> {
    source: R,
    layout: Layout,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    line: u32,
    /// How far the next byte is indented; none behind anything but blanks.
    indent: Option<usize>,
    /// The same of the record read last.
    last_indent: Option<usize>,
    /// Bytes that were taken off the end of the record read last.
    trimmed_bytes: usize,
    place: Place,
    open_lists: usize,
    record_bytes: usize,
}

impl<R: Read> JsonReader<R> {
    pub(super) fn new(source: R, layout: Layout, caps: &Caps) -> Self {
        Self {
            source,
            layout,
            buffer: Vec::new(),
            start: 0,
            ended: false,
            line: 1,
            indent: Some(0),
            last_indent: None,
            trimmed_bytes: 0,
            place: Place::Before,
            open_lists: 0,
            record_bytes: caps.record_bytes,
        }
    }

    /// Reads the next record.
    pub(super) fn next(&mut self) -> io::Result<JsonPiece> {
        if self.layout == Layout::Lines { self.next_line() } else { self.next_object() }
    }

    fn next_line(&mut self) -> io::Result<JsonPiece> {
        loop {
            let bytes = &self.buffer[self.start..];
            let end = memchr(b'\n', bytes);
            if end.is_none() && !self.ended {
                if bytes.len() > self.record_bytes {
                    return self.skip_long(|bytes| {
                        bytes.iter().position(|&byte| byte == b'\n').map(|end| end + 1)
                    });
                }
                self.fill()?;
                continue;
            }
            let line_end = end.map_or(bytes.len(), |end| end + 1);
            if line_end == 0 {
                return Ok(JsonPiece::End);
            }
            let Some(used) = self.lines_end(line_end) else {
                self.fill()?;
                continue;
            };
            let terminated = bytes[..used].ends_with(b"\n");
            let text = bytes[..used].trim_ascii();
            let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
            let text = text.trim_ascii_end();
            if text.len() > self.record_bytes {
                let head = first_bytes(text);
                let line = self.consume(used);
                return Ok(JsonPiece::TooLong { line, head });
            }
            let text = text.to_vec();
            let line = self.consume(used);
            if !text.iter().all(|&byte| byte == 0x1A) {
                return Ok(JsonPiece::Record { line, text, terminated });
            }
        }
    }

    /// Returns where the record ends whose first line ends at `line_end`: an object may go on over lines
    /// that start with something else than an object or a list. Nothing when there is more to read first.
    fn lines_end(&self, line_end: usize) -> Option<usize> {
        let bytes = &self.buffer[self.start..];
        let mut braces = Braces::default();
        let is_whole = !bytes[..line_end].trim_ascii_start().starts_with(b"{")
            || braces.feed(&bytes[..line_end]).is_some();
        if is_whole {
            return Some(line_end);
        }
        let mut at = line_end;
        loop {
            let rest = &bytes[at..];
            if matches!(rest.first(), Some(b'{' | b'[')) || rest.is_empty() && self.ended {
                return Some(at);
            }
            let end = match rest.iter().position(|&byte| byte == b'\n') {
                Some(end) => at + end + 1,
                None if self.ended => bytes.len(),
                None if bytes.len() > self.record_bytes => return Some(line_end),
                None => return None,
            };
            if braces.feed(&bytes[at..end]).is_some() {
                return Some(end);
            }
            at = end;
        }
    }

    fn next_object(&mut self) -> io::Result<JsonPiece> {
        loop {
            self.skip_between();
            let bytes = &self.buffer[self.start..];
            if bytes.is_empty() {
                if !self.ended {
                    self.fill()?;
                    continue;
                }
                let inside = self.open_lists > 0
                    || self.place == Place::Inside
                    || self.place == Place::After;
                return Ok(if inside {
                    JsonPiece::Cut { line: self.line }
                } else {
                    JsonPiece::End
                });
            }
            if matches!(self.layout, Layout::Wrapped(_)) && self.place != Place::Inside {
                if let Some(piece) = self.pass_wrapper()? {
                    return Ok(piece);
                }
                continue;
            }
            if bytes[0] != b'{' {
                return self.next_stray();
            }
            self.last_indent = self.indent;
            self.trimmed_bytes = 0;
            let mut braces = Braces::default();
            if let Some(used) = braces.feed(bytes) {
                let text = bytes[..used].to_vec();
                let line = self.consume(used);
                if text.len() > self.record_bytes {
                    return Ok(JsonPiece::TooLong { line, head: first_bytes(&text) });
                }
                return Ok(JsonPiece::Record { line, text, terminated: true });
            }
            if self.ended || bytes.len() > self.record_bytes {
                // An unbalanced quote must not take the next record with it.
                if let Some(used) = next_record(bytes, self.indent) {
                    return Ok(self.broken(used));
                }
                let is_list = self.open_lists > 0 || self.place == Place::Inside;
                if self.ended && is_complete(bytes, self.indent, braces.in_string, is_list) {
                    self.open_lists = 0;
                    self.place = Place::Before;
                    return Ok(self.broken(bytes.len()));
                }
            }
            if self.ended {
                return Ok(JsonPiece::Cut { line: self.line });
            }
            if bytes.len() > self.record_bytes {
                let mut braces = Braces::default();
                return self.skip_long(move |bytes| braces.feed(bytes));
            }
            self.fill()?;
        }
    }

    /// Hands out a record that is known to be broken, without the comma behind it.
    fn broken(&mut self, used: usize) -> JsonPiece {
        let text = self.buffer[self.start..self.start + used].trim_ascii_end();
        let text = text.strip_suffix(b",").unwrap_or(text).trim_ascii_end().to_vec();
        self.trimmed_bytes = used - text.len();
        let line = self.consume(used);
        JsonPiece::Record { line, text, terminated: true }
    }

    /// Goes back to the first whole record inside `text`, the record read last, which turned out not to
    /// be JSON; returns what stands before it.
    pub(super) fn take_back(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        if self.layout == Layout::Lines {
            return None;
        }
        // An object does not end with a bracket; this one closes the list around it.
        let end = text.len() - usize::from(text.ends_with(b"]"));
        let used = next_record(text, self.last_indent).or((end < text.len()).then_some(end))?;
        let start = self.start.checked_sub(self.trimmed_bytes + text.len() - used)?;
        let again = super::records::line_feeds(&self.buffer[start..self.start]);
        self.line = self.line.saturating_sub(again as u32);
        self.start = start;
        let own = text[..used].trim_ascii_end();
        Some(own.strip_suffix(b",").unwrap_or(own).trim_ascii_end().to_vec())
    }

    /// Passes over a wrapper's own keys, up to its list or behind its end.
    fn pass_wrapper(&mut self) -> io::Result<Option<JsonPiece>> {
        let Layout::Wrapped(path) = &self.layout else { return Ok(None) };
        let bytes = &self.buffer[self.start..];
        let is_before = self.place == Place::Before;
        let used = if is_before {
            array_start(bytes, path)
        } else {
            Braces { depth: path.len(), ..Braces::default() }.feed(bytes)
        };
        if let Some(used) = used {
            self.consume(used);
            self.place = if is_before { Place::Inside } else { Place::Before };
        } else if self.ended && is_before && is_whole(bytes) {
            // An object without the list: an empty last page.
            self.consume(bytes.len());
        } else if self.ended {
            return Ok(Some(JsonPiece::Cut { line: self.line }));
        } else if bytes.len() > self.record_bytes {
            return self.skip_long(|bytes| Some(bytes.len())).map(Some);
        } else {
            self.fill()?;
        }
        Ok(None)
    }

    /// Passes over what stands between records.
    fn skip_between(&mut self) {
        let wrapped = matches!(self.layout, Layout::Wrapped(_));
        while let Some(&byte) = self.buffer.get(self.start) {
            match byte {
                b']' if wrapped && self.place == Place::Inside => self.place = Place::After,
                b'[' if !wrapped => self.open_lists += 1,
                b']' if !wrapped => self.open_lists = self.open_lists.saturating_sub(1),
                b',' if !wrapped || self.place == Place::Inside => {}
                // Byte order marks, the end of a DOS file, the separator of RFC 7464.
                0xEF | 0xBB | 0xBF | 0x1A | 0x1E => {}
                byte if byte.is_ascii_whitespace() => {}
                _ => return,
            }
            self.consume(1);
        }
    }

    /// Something that is no object where one should be: up to the end of its line.
    fn next_stray(&mut self) -> io::Result<JsonPiece> {
        loop {
            let bytes = &self.buffer[self.start..];
            let end = bytes.iter().position(|&byte| byte == b'\n');
            if end.is_some() || self.ended {
                let used = end.unwrap_or(bytes.len());
                let text = bytes[..used].trim_ascii().to_vec();
                self.trimmed_bytes = used - bytes[..used].trim_ascii_end().len();
                let line = self.consume(used);
                return Ok(JsonPiece::Record { line, text, terminated: true });
            }
            if bytes.len() > self.record_bytes {
                return self.skip_long(|bytes| bytes.iter().position(|&byte| byte == b'\n'));
            }
            self.fill()?;
        }
    }

    fn skip_long(&mut self, mut end: impl FnMut(&[u8]) -> Option<usize>) -> io::Result<JsonPiece> {
        let line = self.line;
        let head = first_bytes(&self.buffer[self.start..]);
        loop {
            let bytes = &self.buffer[self.start..];
            let found = end(bytes);
            let used = found.unwrap_or(bytes.len());
            self.consume(used);
            if found.is_some() {
                return Ok(JsonPiece::TooLong { line, head });
            }
            if self.ended {
                return Ok(JsonPiece::Cut { line });
            }
            self.fill()?;
        }
    }

    fn consume(&mut self, used: usize) -> u32 {
        let first = self.line;
        let bytes = &self.buffer[self.start..self.start + used];
        let lines = super::records::line_feeds(bytes);
        self.line = self.line.saturating_add(lines as u32);
        let (tail, before) = match memrchr(b'\n', bytes) {
            Some(at) => (&bytes[at + 1..], Some(0)),
            None => (bytes, self.indent),
        };
        let is_blank = tail.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        self.indent = before.filter(|_| is_blank).map(|before| before + tail.len());
        self.start += used;
        first
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let old = self.buffer.len();
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

/// How many times a record inside a broken one is looked for by parsing.
const ATTEMPTS_MAX: usize = 64;

/// Returns where in `bytes`, which open with a broken record indented by `indent`, the next record starts:
/// as far from the margin as the first one, or with the same key and whole.
fn next_record(bytes: &[u8], indent: Option<usize>) -> Option<usize> {
    let key = first_key(bytes);
    let mut attempts = 0;
    for at in memchr::memchr_iter(b'{', bytes).filter(|&at| at > 0) {
        let before = bytes[..at].trim_ascii_end();
        if !matches!(before.last(), Some(b'}' | b',')) {
            continue;
        }
        let margin = bytes[..at].iter().rposition(|&byte| byte == b'\n').map(|end| end + 1);
        let is_aligned =
            margin.is_some_and(|start| start >= before.len() && Some(at - start) == indent);
        if is_aligned {
            return Some(at);
        }
        if key.is_some() && first_key(&bytes[at..]) == key && attempts < ATTEMPTS_MAX {
            attempts += 1;
            let end = Braces::default().feed(&bytes[at..]);
            let text = end.and_then(|end| std::str::from_utf8(&bytes[at..at + end]).ok());
            if text.is_some_and(|text| json_text::parse(text).is_ok()) {
                return Some(at);
            }
        }
    }
    None
}

/// The text of the first key of the object that `bytes` open with.
fn first_key(bytes: &[u8]) -> Option<&[u8]> {
    let inner = bytes.get(1..)?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr(b'"', inner)?;
    inner[end + 1..].trim_ascii_start().starts_with(b":").then(|| &inner[..end])
}

/// Tells a last record that is broken from one that is cut: its brace stands below its first one, or an
/// open quote has swallowed the very signs that the input has to end with.
fn is_complete(bytes: &[u8], indent: Option<usize>, in_string: bool, is_list: bool) -> bool {
    let text = bytes.trim_ascii_end();
    let inner = text.strip_suffix(b"]").map(<[u8]>::trim_ascii_end);
    let Some(record) = (if is_list { inner } else { Some(text) }) else { return false };
    let Some(before) = record.strip_suffix(b"}") else { return false };
    let blanks = before.iter().rev().take_while(|&&byte| byte == b' ' || byte == b'\t').count();
    let is_aligned = before[..before.len() - blanks].ends_with(b"\n") && Some(blanks) == indent;
    is_aligned || in_string
}

/// Parses the text of a record into the records that it holds: more than one when it is a page of them.
///
/// # Errors
/// What is wrong and where, in words.
pub(super) fn records(text: &str) -> Result<Vec<Value>, String> {
    let value = match json_text::parse(text)? {
        Value::String(inner) if inner.trim_start().starts_with('{') => {
            json_text::parse(&inner).unwrap_or(Value::String(inner))
        }
        value => value,
    };
    Ok(json_wrappers::unwrapped(json_wrappers::opened(value)))
}

fn first_bytes(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(200)].to_vec()
}

fn is_whole(bytes: &[u8]) -> bool {
    Braces::default().feed(bytes).is_some_and(|end| bytes[end..].trim_ascii().is_empty())
}

/// Returns the first records of an input that starts with `head`, leaving out those that do not parse.
pub(super) fn sample(head: &[u8], charset: Charset, layout: &Layout) -> Vec<Value> {
    let caps = Caps { record_bytes: head.len(), ..Caps::default() };
    let mut reader = JsonReader::new(head, layout.clone(), &caps);
    let mut values = Vec::new();
    while values.len() < SAMPLE_RECORDS {
        let text = match reader.next() {
            Ok(JsonPiece::Record { text, .. }) => text,
            Ok(JsonPiece::TooLong { .. }) => continue,
            Ok(JsonPiece::Cut { .. } | JsonPiece::End) | Err(_) => break,
        };
        let found = charset.decode(&text).and_then(|text| records(&text).ok());
        if found.is_none() {
            reader.take_back(&text);
        }
        values.extend(found.into_iter().flatten().filter(Value::is_object));
    }
    values
}

/// Returns the preset whose marks a record of the sample shows.
pub(super) fn recognize(
    sources: &SourceCatalog,
    sample: &[Value],
    file_name: &str,
) -> Option<Arc<SourcePreset>> {
    roles::recognize(sources, &JsonTraits(sample), file_name)
}

/// Returns the preset of which records without any of their own may be.
pub(super) fn doubt(
    sources: &SourceCatalog,
    sample: &[Value],
    header: &[String],
) -> Option<Arc<SourcePreset>> {
    roles::doubt(sources, &JsonTraits(sample), header)
}

struct JsonTraits<'a>(&'a [Value]);

impl Traits for JsonTraits<'_> {
    fn fit(&self, recognition: &Recognition) -> Option<usize> {
        if !recognition.one_of.is_empty() {
            // Most records at hand: what a few of them have, a form's record may have by chance. One mark: a
            // preset that names paths knows better.
            let fitting = self.0.iter().filter(|value| shows(value, recognition)).count();
            return (2 * fitting > self.0.len()).then_some(1);
        }
        let marks = recognition.json_keys.len() + recognition.json_equals.len();
        let fits = |value: &&Value| {
            recognition.json_keys.iter().all(|path| json_text::at(value, path).is_some())
                && holds(value, &recognition.json_equals)
        };
        (marks > 0).then_some(())?;
        self.0.iter().find(fits).map(|_| marks)
    }
}

/// Returns whether the keys of `value`, and of the objects right inside it, are what `recognition` asks for.
fn shows(value: &Value, recognition: &Recognition) -> bool {
    let mut pairs: Vec<(Vec<String>, &Value)> = Vec::new();
    for (key, inner) in value.as_object().into_iter().flatten() {
        pairs.push((keys_of(key), inner));
        for (key, inner) in inner.as_object().into_iter().flatten() {
            pairs.push((keys_of(key), inner));
        }
    }
    let is_meant = |names: &[NamePattern], keys: &[String]| {
        names.iter().any(|name| keys.iter().any(|key| name.fits(key)))
    };
    let has_group = |group: &HeaderGroup| {
        pairs.iter().any(|(keys, inner)| {
            let fits = |regex: &Regex| {
                json_text::text_of(inner).is_some_and(|text| regex.is_match(text.trim()))
            };
            is_meant(&group.names, keys) && group.cell.as_ref().is_none_or(fits)
        })
    };
    recognition.one_of.iter().all(has_group)
        && !pairs.iter().any(|(keys, _)| is_meant(&recognition.without_headers, keys))
}

/// Returns whether `value` has at every path one of the values expected there.
pub(super) fn holds(value: &Value, expectations: &[Expectation]) -> bool {
    expectations.iter().all(|expected| {
        let found = json_text::at(value, &expected.path).and_then(json_text::text_of);
        found.is_some_and(|found| expected.values.contains(&found))
    })
}

#[cfg(test)]
mod tests {
    use super::super::json_layout::layout;
    use super::*;

    #[track_caller]
    fn check(text: &str, expected_layout: &Layout, expected: &[&str]) {
        let found_layout = layout(text.as_bytes());
        assert_eq!(&found_layout, expected_layout, "{text}");
        let mut reader = JsonReader::new(text.as_bytes(), found_layout, &Caps::default());
        let mut found = Vec::new();
        loop {
            match reader.next().unwrap() {
                JsonPiece::End => break,
                JsonPiece::Record { line, text, .. } => {
                    found.push(format!("{line}:{}", String::from_utf8_lossy(&text)));
                }
                JsonPiece::TooLong { line, .. } => found.push(format!("{line}:long")),
                JsonPiece::Cut { line } => {
                    found.push(format!("{line}:cut"));
                    break;
                }
            }
        }
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_is_taken_back_is_read_again_from_its_own_line() {
        let text = "[{\"a\":1},\n{[],\n{\"data\":[{\"a\":1}]}\n\"";
        let mut reader = JsonReader::new(text.as_bytes(), Layout::Sequence, &Caps::default());
        let mut found = Vec::new();
        loop {
            let piece = reader.next().unwrap();
            let JsonPiece::Record { line, text, .. } = piece else { break };
            let is_record = records(str::from_utf8(&text).unwrap()).is_ok();
            let own = if is_record { None } else { reader.take_back(&text) };
            let own = own.as_deref().unwrap_or(&text);
            found.push(format!("{line}:{}", String::from_utf8_lossy(own)));
        }
        assert_eq!(found, ["1:{\"a\":1}", "2:{[", "3:{\"data\":[{\"a\":1}]}", "4:\""]);
    }

    #[test]
    fn records_are_found_however_they_are_laid_out() {
        check("{\"a\":1}\n\n{\"a\":2}", &Layout::Lines, &["1:{\"a\":1}", "3:{\"a\":2}"]);
        check("{\"a\":1}\n{\"a\":", &Layout::Lines, &["1:{\"a\":1}", "2:{\"a\":"]);
        check(
            "[{\"a\":\"]\"},\n{\"a\":2}]\n",
            &Layout::Sequence,
            &["1:{\"a\":\"]\"}", "2:{\"a\":2}"],
        );
        check(
            "{\n \"a\": 1\n}\n{\n \"a\": 2\n}",
            &Layout::Sequence,
            &["1:{\n \"a\": 1\n}", "4:{\n \"a\": 2\n}"],
        );
        let wrapped = Layout::Wrapped(vec!["data".into()]);
        check(
            "{\"count\":{\"data\":1},\"data\":[{\"a\":1},{\"a\":2}],\"paging\":{}}\n{\"data\":[{\"a\":3}]}\n",
            &wrapped,
            &["1:{\"a\":1}", "1:{\"a\":2}", "2:{\"a\":3}"],
        );
        check("{\"data\":[]}", &wrapped, &[]);
        let path = vec!["response".to_owned(), "leads".to_owned()];
        check(
            "{\"status\":200,\"response\":{\"leads\":[{\"a\":1},{\"a\":2}",
            &Layout::Wrapped(path),
            &["1:{\"a\":1}", "1:{\"a\":2}", "1:cut"],
        );
        let with_list = "{\"email\":\"a\",\"items\":[{\"sku\":1}]}\n";
        check(with_list, &Layout::Lines, &[&format!("1:{}", with_list.trim())]);
    }

    #[test]
    fn a_broken_record_costs_only_itself() {
        check(
            "{\"a\":0}\n{\"a\": \"x\ny\"}\n{\"a\":\n 1}\n{\"a\": \"2\nz\n{\"a\":3}\n",
            &Layout::Lines,
            &[
                "1:{\"a\":0}",
                "2:{\"a\": \"x\ny\"}",
                "4:{\"a\":\n 1}",
                "6:{\"a\": \"2\nz",
                "8:{\"a\":3}",
            ],
        );
        check(
            "[\n  {\n    \"a\": \"x\"\",\n    \"b\": [{\"c\":1},\n      {\"c\":2}]\n  },\n  {\"d\":2}\n]",
            &Layout::Sequence,
            &[
                "2:{\n    \"a\": \"x\"\",\n    \"b\": [{\"c\":1},\n      {\"c\":2}]\n  }",
                "7:{\"d\":2}",
            ],
        );
        check(
            "[{\"a\":\"x\"\",\"b\":[{\"c\":1},{\"c\":2}]},{\"a\":2}]",
            &Layout::Sequence,
            &["1:{\"a\":\"x\"\",\"b\":[{\"c\":1},{\"c\":2}]}", "1:{\"a\":2}"],
        );
        check(
            "[{\"a\":1},{\"a\":\"x\"\"}]",
            &Layout::Sequence,
            &["1:{\"a\":1}", "1:{\"a\":\"x\"\"}]"],
        );
    }

    #[test]
    fn a_cut_is_seen() {
        check("[{\"a\":1},", &Layout::Sequence, &["1:{\"a\":1}", "1:cut"]);
        check("{\n\"a\":1", &Layout::Sequence, &["1:cut"]);
        check(
            "{\"data\":[{\"a\":1}]",
            &Layout::Wrapped(vec!["data".into()]),
            &["1:{\"a\":1}", "1:cut"],
        );
    }

    #[test]
    fn a_long_record_costs_only_itself() {
        let caps = Caps { record_bytes: 1000, ..Caps::default() };
        for (open, between, close) in [("", "\n", "\n"), ("[", ",", "]")] {
            let long = "x".repeat(300_000);
            let text = format!("{open}{{\"a\":\"{long}\"}}{between}{{\"a\":2}}{close}");
            let mut reader = JsonReader::new(text.as_bytes(), layout(open.as_bytes()), &caps);
            if open.is_empty() {
                reader.layout = Layout::Lines;
            }
            assert!(matches!(reader.next().unwrap(), JsonPiece::TooLong { line: 1, .. }));
            assert!(matches!(reader.next().unwrap(), JsonPiece::Record { .. }));
            assert_eq!(reader.next().unwrap(), JsonPiece::End);
        }
    }
}
