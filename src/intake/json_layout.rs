//! Finds out how the records of a JSON input follow each other, from its first bytes.

use serde_json::Value;

/// Wrappers that may stand in each other (`{"leads":{"data":[…]}}`).
const WRAPPERS_MAX: usize = 4;
/// Characters of a key that is an id though it has no digit.
const ID_CHARS_MIN: usize = 16;

/// Keys under which APIs wrap their list of records.
const WRAPPERS: &[&str] = &[
    "data",
    "items",
    "leads",
    "results",
    "records",
    "rows",
    "responses",
    "submissions",
    "contacts",
    "entries",
    "elements",
    "collection",
    "content",
    "members",
    "attendees",
    "registrants",
    "invitees",
    "events",
    "batch",
    "value",
    "response",
    "result",
    "payload",
    "body",
];

/// What keys beside such a list are about.
const PAGING: &[&str] = &[
    "pag",
    "meta",
    "next",
    "prev",
    "total",
    "count",
    "more",
    "link",
    "cursor",
    "status",
    "success",
    "object",
    "limit",
    "offset",
    "size",
    "error",
    "kind",
    "etag",
    "version",
    "summary",
    "took",
    "info",
    "done",
    "duration",
    "resultset",
    "context",
    "additional",
    "code",
    "sent",
    "request",
];

/// How the records of a JSON input follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layout {
    /// One object a line.
    Lines,
    /// Objects one after another, or in an array.
    Sequence,
    /// Objects in the array that an object holds under this key.
    Wrapped(String),
}

/// Returns whether the text starts like JSON.
pub(super) fn is_json(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    let next = text.get(1..).unwrap_or_default().trim_ascii_start().first();
    match text.first() {
        // A log of bodies: every line is the text of a record, quoted as a string once more.
        Some(b'"') => text.starts_with(b"\"{\\\""),
        Some(b'{') => matches!(next, Some(b'"' | b'}') | None),
        Some(b'[') => matches!(next, Some(b'{' | b']') | None),
        _ => false,
    }
}

/// Returns how records follow each other in a text that starts with `head`.
pub(super) fn layout(head: &[u8]) -> Layout {
    let text = head.trim_ascii_start();
    if text.starts_with(b"[") {
        return Layout::Sequence;
    }
    if text.starts_with(b"\"") {
        return Layout::Lines;
    }
    if let Some(key) = wrapper_key(text) {
        return Layout::Wrapped(key);
    }
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut braces = Braces::default();
    let line = line.trim_ascii();
    // A first line that is broken is still a line when others of its kind stand behind it.
    let is_followed = || text[line.len()..].trim_ascii_start().starts_with(b"{");
    let is_line = match braces.feed(line) {
        Some(end) if end == line.len() => true,
        Some(end) => {
            let is_next = matches!(line[end..].trim_ascii_start().first(), Some(b'{' | b','));
            !(line[end - 1] == b'}' && is_next) && is_followed()
        }
        None => is_followed() || !text.contains(&b'\n'),
    };
    if is_line { Layout::Lines } else { Layout::Sequence }
}

/// The key of the list that the object `text` opens with wraps: one of the usual names, beside nothing
/// but page counts and the like.
fn wrapper_key(text: &[u8]) -> Option<String> {
    let keys = top_keys(text);
    let is_list =
        |key: &&String| WRAPPERS.contains(&key.as_str()) && array_start(text, key).is_some();
    let list = keys.iter().find(is_list)?;
    keys.iter().all(|key| key == list || is_about_pages(key)).then(|| list.clone())
}

fn is_about_pages(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    PAGING.iter().any(|word| key.contains(word))
}

/// Returns the records of `value`: those of the list that it wraps, however deep, or else itself.
pub(super) fn unwrapped(value: Value) -> Vec<Value> {
    let Some(path) = list_path(&value, WRAPPERS_MAX) else { return by_id(value) };
    let inner = path.iter().try_fold(value, |mut value, key| {
        value.as_object_mut().and_then(|object| object.remove(key.as_str()))
    });
    match inner {
        Some(Value::Array(items)) => items,
        other => other.into_iter().collect(),
    }
}

/// The keys down to the list that `value` wraps, if it wraps one and holds nothing else but its own id.
fn list_path(value: &Value, depth: usize) -> Option<Vec<String>> {
    let object = value.as_object().filter(|_| depth > 0)?;
    let (key, path) = object.iter().find_map(|(key, inner)| {
        let is_wrapper = WRAPPERS.contains(&key.as_str());
        let path = match inner {
            Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object) => {
                Vec::new()
            }
            Value::Object(_) => list_path(inner, depth - 1)?,
            _ => return None,
        };
        is_wrapper.then_some((key, path))
    })?;
    let is_beside = |other: &String| other == key || other == "id" || is_about_pages(other);
    object.keys().all(is_beside).then(|| [vec![key.clone()], path].concat())
}

/// The keys of the object that `text` opens with, as far as `text` goes.
fn top_keys(text: &[u8]) -> Vec<String> {
    let mut braces = Braces::default();
    let mut keys = Vec::new();
    let mut opened = 0;
    for at in 0..text.len() {
        let was_in_string = braces.in_string;
        if braces.feed(&text[at..=at]).is_some() {
            break;
        }
        if braces.depth != 1 || was_in_string == braces.in_string {
            continue;
        }
        if braces.in_string {
            opened = at + 1;
        } else if text[at + 1..].trim_ascii_start().starts_with(b":") {
            keys.push(String::from_utf8_lossy(&text[opened..at]).into_owned());
        }
    }
    keys
}

/// Returns where the array under `key` of the object that `text` opens with starts, behind its bracket.
pub(super) fn array_start(text: &[u8], key: &str) -> Option<usize> {
    let quoted = format!("\"{key}\"");
    let mut braces = Braces::default();
    let mut at = 0;
    while at < text.len() {
        if !braces.in_string && braces.depth == 1 && text[at..].starts_with(quoted.as_bytes()) {
            let behind = skip(text, at + quoted.len(), |byte| byte.is_ascii_whitespace());
            if text.get(behind) == Some(&b':') {
                let value = skip(text, behind + 1, |byte| byte.is_ascii_whitespace());
                let inner = skip(text, value + 1, |byte| byte.is_ascii_whitespace());
                if text.get(value) == Some(&b'[') && matches!(text.get(inner), Some(b'{' | b']')) {
                    return Some(value + 1);
                }
            }
        }
        if braces.feed(&text[at..=at]).is_some() {
            return None;
        }
        at += 1;
    }
    None
}

fn skip(text: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len())
}

/// Follows braces and brackets outside strings.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Braces {
    pub(super) depth: usize,
    pub(super) in_string: bool,
    pub(super) escaped: bool,
}

impl Braces {
    /// Returns behind which byte the outermost brace closed.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, &byte) in bytes.iter().enumerate() {
            if self.in_string {
                self.in_string = self.escaped || byte != b'"';
                self.escaped = !self.escaped && byte == b'\\';
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// Parts an object that holds records under their ids, as Firebase writes them:
/// `{"-Nx1": {"email": "…"}, "-Nx2": {"email": "…"}}`. Anything else is one record.
fn by_id(value: Value) -> Vec<Value> {
    let Value::Object(entries) = value else { return vec![value] };
    let is_id =
        |key: &String| key.len() >= ID_CHARS_MIN || key.bytes().any(|byte| byte.is_ascii_digit());
    let first = entries.values().next().and_then(Value::as_object);
    let is_alike = |other: &Value| {
        first.zip(other.as_object()).is_some_and(|(first, other)| {
            first.keys().filter(|key| other.contains_key(*key)).count() * 2 >= other.len()
        })
    };
    if entries.len() > 1 && entries.keys().all(is_id) && entries.values().all(is_alike) {
        return entries.into_iter().map(|(_, record)| record).collect();
    }
    vec![Value::Object(entries)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = unwrapped(serde_json::from_str(text).unwrap())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn pages_are_opened_and_records_are_not() {
        check(
            r#"{"leads":{"data":[{"a":1},{"a":2}],"paging":{}},"id":"7"}"#,
            &[r#"{"a":1}"#, r#"{"a":2}"#],
        );
        check(r#"{"success":true,"data":{"items":[{"a":1}]}}"#, &[r#"{"a":1}"#]);
        for record in [
            r#"{"email":"a@example.com","items":[{"sku":1}]}"#,
            r#"{"payload":{"email":"a@example.com"}}"#,
            r#"{"data":["a"]}"#,
            r#"{"field_data":[{"name":"email"}],"id":"1"}"#,
        ] {
            check(record, &[record]);
        }
    }
}
