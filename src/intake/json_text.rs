//! Parses JSON as webhooks log it: with numbers kept digit by digit and stray commas forgiven.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use memchr::memchr2;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::json_layout::Braces;

/// Parses `text`; numbers become strings of the same digits, since ids do not survive a float.
///
/// A key that stands twice in an object with two values keeps both: the second is called `key #2`. Line
/// breaks and tabs that a template put into a string as they are count as if they were escaped.
///
/// # Errors
/// What is wrong and where, in words; nesting deeper than 128 is an error, too.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let quoted = match shape(text.as_bytes()) {
        Shape::Plain => Cow::Borrowed(text),
        Shape::WithNumbers => Cow::Owned(with_quoted_numbers(text)),
        Shape::Odd => return parse_with_care(text),
    };
    match serde_json::from_str::<Document>(&quoted) {
        Ok(document) => Ok(document.0),
        Err(_) => parse_with_care(text),
    }
}

fn parse_with_care(text: &str) -> Result<Value, String> {
    let text = forgiven(text);
    let quoted = with_quoted_numbers(&text);
    let found = serde_json::from_str::<Document>(&quoted).or_else(|error| {
        let escaped = with_escaped_controls(&quoted).ok_or(error)?;
        serde_json::from_str::<Document>(&escaped)
    });
    found.map(|document| document.0).map_err(|quoted| {
        // Quoting numbers moved the columns, so the place is taken from the text as it was.
        let error = serde_json::from_str::<Value>(&text).err().unwrap_or(quoted);
        error.to_string()
    })
}

/// Returns `text`, which [`parse`] has accepted, as JSON that every parser accepts.
pub(super) fn strict(text: &str) -> Cow<'_, str> {
    let is_sound = shape(text.as_bytes()) != Shape::Odd;
    let text = if is_sound { Cow::Borrowed(text) } else { forgiven(text) };
    // Looking at all bytes at once is what a processor is fast at.
    let controls = text.bytes().fold(0, |found, byte| found | u8::from(byte.is_ascii_control()));
    if controls == 0 {
        return text;
    }
    with_escaped_controls(&text).map_or(text, Cow::Owned)
}

/// What stands outside the strings of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Nothing to be forgiven, and no number.
    Plain,
    /// Numbers, and nothing to be forgiven.
    WithNumbers,
    /// What may have to be forgiven.
    Odd,
}

/// Returns the shape of a record, of which most hold text alone.
fn shape(bytes: &[u8]) -> Shape {
    let (mut has_numbers, mut is_odd) = (false, false);
    outside_strings(bytes, |at| match bytes[at] {
        // Between the letters of true, false and null nothing is hidden.
        b'{' | b'}' | b'[' | b']' | b':' | b' ' | b't' | b'r' | b'u' | b'e' | b'f' | b'a'
        | b'l' | b's' | b'n' => {}
        b'0'..=b'9' | b'.' => has_numbers = true,
        b',' => {
            let next = bytes[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
            is_odd |= matches!(next, Some(b'}' | b']'));
        }
        _ => is_odd = true,
    });
    match (is_odd, has_numbers) {
        (true, _) => Shape::Odd,
        (false, true) => Shape::WithNumbers,
        (false, false) => Shape::Plain,
    }
}

/// As many values as most records have, so that an object seldom has to grow.
const VALUES_EXPECTED: usize = 24;

/// A JSON value whose objects have kept all of their keys.
struct Document(Value);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DocumentVisitor).map(Self)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Document(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::with_capacity(VALUES_EXPECTED);
        while let Some((key, Document(value))) = entries.next_entry::<String, Document>()? {
            insert_beside(&mut object, key, value);
        }
        Ok(object.into())
    }
}

fn insert_beside(object: &mut Map<String, Value>, key: String, value: Value) {
    let key = match object.entry(key) {
        Entry::Vacant(free) => {
            free.insert(value);
            return;
        }
        Entry::Occupied(known) if *known.get() == value => return,
        Entry::Occupied(known) => known.key().clone(),
    };
    let mut times = 2;
    let mut name = format!("{key} #{times}");
    while let Some(known) = object.get(&name) {
        if *known == value {
            return;
        }
        times += 1;
        name = format!("{key} #{times}");
    }
    object.insert(name, value);
}

/// Escapes control characters inside strings; none when there are none.
fn with_escaped_controls(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut outside = vec![];
    outside_strings(bytes, |at| {
        if bytes[at].is_ascii_control() {
            outside.push(at);
        }
    });
    let mut outside = outside.into_iter().peekable();
    let mut clean = String::with_capacity(text.len() + 16);
    let mut found = false;
    for (at, c) in text.char_indices() {
        let is_outside = outside.next_if_eq(&at).is_some();
        if c.is_ascii_control() && !is_outside && c != '\u{7f}' {
            found = true;
            // A formatted write into a string cannot fail.
            let _ = write!(clean, "\\u{:04x}", u32::from(c));
        } else {
            clean.push(c);
        }
    }
    found.then_some(clean)
}

/// What leadmill puts first into a record that it gives back to be mended.
const OWN: &str = "{\"leadmill\":";

/// Returns the record as it was received: without what leadmill put in to say what was wrong with it.
pub(super) fn without_own(text: &str) -> Cow<'_, str> {
    let Some(rest) = text.strip_prefix(OWN) else { return Cow::Borrowed(text) };
    let end = Braces::default().feed(rest.as_bytes()).filter(|_| rest.starts_with('{'));
    let Some(rest) = end.and_then(|end| rest.get(end..)) else { return Cow::Borrowed(text) };
    Cow::Owned(format!("{{{}", rest.strip_prefix(',').unwrap_or(rest)))
}

/// Words that programs write for a value they have not got, which JSON does not know.
const NO_VALUES: &[&[u8]] = &[b"NaN", b"undefined", b"None", b"Infinity", b"-Infinity"];

/// Removes commas before a closing brace or bracket, and writes `null` for `NaN` and the like.
fn forgiven(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut stray = Vec::new();
    outside_strings(bytes, |at| match bytes[at] {
        b',' => {
            let next = bytes[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
            if matches!(next, Some(b'}' | b']')) {
                stray.push((at, 1, ""));
            }
        }
        b'N' | b'u' | b'I' | b'-' => {
            let is_value = bytes[..at].trim_ascii_end().ends_with(b":");
            let word = NO_VALUES.iter().find(|word| is_value && bytes[at..].starts_with(word));
            stray.extend(word.map(|word| (at, word.len(), "null")));
        }
        _ => {}
    });
    if stray.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    let mut from = 0;
    for (at, length, instead) in stray {
        clean.push_str(&text[from..at]);
        clean.push_str(instead);
        from = at + length;
    }
    clean.push_str(&text[from..]);
    Cow::Owned(clean)
}

fn with_quoted_numbers(text: &str) -> String {
    let bytes = text.as_bytes();
    let is_part =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
    let mut quoted = String::with_capacity(text.len() + 16);
    let mut from = 0;
    outside_strings(bytes, |at| {
        let starts = bytes[at].is_ascii_digit() || bytes[at] == b'-';
        if at < from || !starts || at > 0 && bytes[at - 1].is_ascii_alphanumeric() {
            return;
        }
        let end =
            bytes[at..].iter().position(|&byte| !is_part(byte)).map_or(bytes.len(), |n| at + n);
        // What is no number stays as it is, for the parser to name.
        if serde_json::from_str::<serde_json::Number>(&text[at..end]).is_ok() {
            quoted.push_str(&text[from..at]);
            quoted.push('"');
            quoted.push_str(&text[at..end]);
            quoted.push('"');
            from = end;
        }
    });
    quoted.push_str(&text[from..]);
    quoted
}

/// Visits the places of all `bytes` that stand in no string.
fn outside_strings(bytes: &[u8], mut visit: impl FnMut(usize)) {
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' {
            at = string_end(bytes, at + 1);
        } else {
            visit(at);
            at += 1;
        }
    }
}

/// Returns where the string ends whose inside begins at `at`: behind its closing quote, or at the end of `bytes`.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(rest) = bytes.get(at..) {
        match memchr2(b'"', b'\\', rest) {
            Some(found) if rest[found] == b'"' => return at + found + 1,
            // Whatever stands behind a backslash ends nothing.
            Some(found) => at += found + 2,
            None => break,
        }
    }
    bytes.len()
}

/// Returns the value at the dotted `path`; keys match in any case, since senders disagree on it.
///
/// In a list of `{"key": …, "value": …}` pairs, as Google Analytics writes them, a step of the path is the
/// name of a pair, and leads to the first thing in its value.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| {
        if let Some(items) = value.as_array() {
            let is_meant = |item: &&Value| item.get("key").and_then(Value::as_str) == Some(key);
            let found = items.iter().find(is_meant)?.get("value")?;
            return found.as_object().map_or(Some(found), |inner| inner.values().next());
        }
        let object = value.as_object()?;
        object.get(key).or_else(|| {
            object.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, value)| value)
        })
    })
}

/// Returns a scalar, or a list of scalars joined with commas, as text; nothing for null and objects.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let parts: Vec<String> =
                items.iter().filter_map(text_of).filter(|part| !part.is_empty()).collect();
            Some(parts.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(parse(text).map(|value| value.to_string()).as_deref(), Ok(expected));
    }

    /// As [`outside_strings`], byte by byte.
    fn outside_strings_one_by_one(bytes: &[u8], mut visit: impl FnMut(usize)) {
        let (mut in_string, mut escaped) = (false, false);
        for (at, &byte) in bytes.iter().enumerate() {
            if in_string {
                in_string = escaped || byte != b'"';
                escaped = !escaped && byte == b'\\';
            } else if byte == b'"' {
                in_string = true;
            } else {
                visit(at);
            }
        }
    }

    proptest! {
        #[test]
        fn strings_are_passed_over_whole(text in "[\"\\\\a,{ ]{0,12}") {
            let (mut passed, mut seen) = (Vec::new(), Vec::new());
            outside_strings(text.as_bytes(), |at| passed.push(at));
            outside_strings_one_by_one(text.as_bytes(), |at| seen.push(at));
            prop_assert_eq!(passed, seen);
        }

        #[test]
        fn plain_records_say_what_they_say_with_care(
            text in "[\\[{](\"(a|b|\\\\\"|\\\\n|\n|\u{7f}|ł){0,2}\"|[:, ,}\\]\\[{]|true|null|:undefined|:NaN|-?1|1[.]5|\n|[tu:]){0,14}[}\\]]",
        ) {
            prop_assert_eq!(parse(&text), parse_with_care(&text));
            let careful = forgiven(&text);
            let careful = with_escaped_controls(&careful).unwrap_or_else(|| careful.to_string());
            prop_assert_eq!(strict(&text), careful);
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        check(
            r#"{"id":12345678901234567890123,"x":[1.50,-0,1E+3],"s":"1, 2","a1":true}"#,
            r#"{"id":"12345678901234567890123","x":["1.50","-0","1E+3"],"s":"1, 2","a1":true}"#,
        );
    }

    #[test]
    fn stray_commas_are_forgiven() {
        check("{\"a\":[1,2,],\n \"b\":\"x,}\", }", r#"{"a":["1","2"],"b":"x,}"}"#);
    }

    #[test]
    fn no_key_hides_another() {
        check(
            r#"{"email":"a","email":"b","email":"a","x":{"y":1,"y":2,"y":3}}"#,
            r#"{"email":"a","email #2":"b","x":{"y":"1","y #2":"2","y #3":"3"}}"#,
        );
    }

    #[test]
    fn line_breaks_of_templates_are_forgiven() {
        let text = "{\"a\":\"x\ny\tz\",\n\t\"b\":1,}";
        check(text, r#"{"a":"x\ny\tz","b":"1"}"#);
        assert_eq!(strict(text), "{\"a\":\"x\\u000ay\\u0009z\",\n\t\"b\":1}");
        assert_eq!(strict("{\"a\":1}"), "{\"a\":1}");
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(parse(&deep).unwrap_err().contains("recursion limit"));
        assert!(parse(&format!("{}1{}", "[".repeat(100), "]".repeat(100))).is_ok());
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        let error = parse("{\"a\": 12345, \"b\": \"Home\"\"}").unwrap_err();
        assert!(error.contains("column 25"), "{error}");
        assert!(parse("{\"a\": 1x}").is_err());
    }

    #[test]
    fn paths_ignore_case() {
        let value = parse(r#"{"Google_key":{"Inner":[1,null,2]}}"#).unwrap();
        assert_eq!(at(&value, "google_key.inner").and_then(text_of).as_deref(), Some("1, 2"));
        assert_eq!(at(&value, "google_key.other"), None);
    }
}
