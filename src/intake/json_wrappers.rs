//! Finds the records that a JSON object wraps: in a list under one of the usual keys, in a list of people
//! under any key, in a request's body, or under their ids.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use super::json_layout::Braces;
use super::json_text;
use super::outline::looks_like_email;
use crate::rules::source::header_key;

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

/// Wrappers that a request's body is logged under as text.
const ENVELOPES: &[&str] = &["body", "payload", "data"];
/// What a log keeps of a request beside its body.
const REQUEST: &[&str] =
    &["headers", "query", "params", "method", "url", "path", "ip", "timestamp"];

/// The keys down to the list that the object `text` opens with wraps: one of the usual names, beside nothing
/// but page counts and the like; or, of an object that `text` does not hold whole, wrappers in each other and
/// a list of people under any name.
pub(super) fn wrapper_path(text: &[u8]) -> Option<Vec<String>> {
    let keys = top_keys(text);
    let is_wrapper = |key: &&TopKey| WRAPPERS.contains(&key.name.as_str());
    let is_alone = |list: &str| {
        let mut names = keys.iter().map(|key| &key.name);
        names.all(|name| name == list || is_about_pages(name))
    };
    let list = keys.iter().filter(is_wrapper).find(|key| list_at(text, key.value).is_some());
    if let Some(list) = list.filter(|list| is_alone(&list.name)) {
        return Some(vec![list.name.clone()]);
    }
    let is_whole = Braces::default().feed(text).is_some();
    if is_whole {
        return None;
    }
    inner_path(text, WRAPPERS_MAX)
}

/// The keys down to a list inside wrappers, or to one of people, in an object that goes on behind `text`.
fn inner_path(text: &[u8], depth: usize) -> Option<Vec<String>> {
    let keys = top_keys(text);
    let list = keys.iter().find_map(|key| Some((&key.name, list_at(text, key.value)?)));
    if let Some((list, start)) = list {
        let is_alone = keys.iter().all(|key| may_be_beside(&key.name, list));
        let is_known = WRAPPERS.contains(&list.as_str()) && is_alone;
        let is_found = is_known
            || !text[..start].contains(&b'@')
                && is_list_of_people(list, &first_items(&text[start..]));
        return is_found.then(|| vec![list.clone()]);
    }
    let is_wrapper = |key: &&TopKey| depth > 0 && WRAPPERS.contains(&key.name.as_str());
    let wrapper = keys.iter().find(is_wrapper)?;
    let inside = text.get(wrapper.value..)?;
    let is_alone = keys.iter().all(|key| may_be_beside(&key.name, &wrapper.name));
    (is_alone && inside.starts_with(b"{")).then_some(())?;
    let inner = inner_path(inside, depth - 1)?;
    Some([vec![wrapper.name.clone()], inner].concat())
}

/// The first two items of the list whose inside `text` opens with.
fn first_items(text: &[u8]) -> Vec<Value> {
    let mut items = Vec::new();
    let mut rest = text;
    while items.len() < 2 {
        let Some(start) = memchr::memchr(b'{', rest) else { break };
        let Some(end) = Braces::default().feed(&rest[start..]) else { break };
        let item = std::str::from_utf8(&rest[start..start + end]).ok();
        let Some(item) = item.and_then(|item| json_text::parse(item).ok()) else { break };
        items.push(item);
        rest = &rest[start + end..];
    }
    items
}

/// Lists that hold the answers of one person, among which several may be addresses.
const ANSWERS: &[&str] = &["answers", "fields", "questions", "values", "traits", "properties"];

/// Returns whether the list called `key` holds people rather than something about one: two items at least, and
/// half of all, have an address under a key that says so, and not the same.
fn is_list_of_people(key: &str, items: &[Value]) -> bool {
    let name = header_key(key);
    let is_about_one = ANSWERS.contains(&name.as_str())
        || ["mail", "phone", "telefon"].iter().any(|word| name.contains(word));
    let address = |item: &Value| {
        let entries = item.as_object()?.iter();
        let is_address = |key: &str, text: &str| {
            header_key(key).contains("mail") && looks_like_email(text.trim())
        };
        entries
            .filter_map(|(key, value)| value.as_str().map(|text| (key, text)))
            .find(|(key, text)| is_address(key, text))
            .map(|(_, text)| text.trim().to_lowercase())
    };
    let addresses: BTreeSet<String> = items.iter().filter_map(address).collect();
    !is_about_one && addresses.len() >= 2 && addresses.len() * 2 >= items.len()
}

/// Returns whether `key` says nothing of its own in an object that wraps `list`.
fn may_be_beside(key: &str, list: &str) -> bool {
    key == list || key == "id" || is_about_pages(key)
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

/// Returns `value` with the list that one of its wrappers holds as text read: `{"body": "[{…}, {…}]"}`.
pub(super) fn opened(mut value: Value) -> Value {
    let Some(object) = value.as_object_mut() else { return value };
    for key in ENVELOPES {
        let text = object.get(*key).and_then(Value::as_str).filter(|text| {
            let rest = text.trim_start().strip_prefix('[').map(str::trim_start);
            rest.is_some_and(|rest| rest.starts_with('{'))
        });
        let Some(list) = text.and_then(|text| json_text::parse(text).ok()) else { continue };
        object.insert((*key).to_owned(), list);
        // What stands beside a request's body is about the request.
        let mut alone = object.clone();
        alone.retain(|key, _| !REQUEST.contains(&key.to_ascii_lowercase().as_str()));
        let alone = Value::Object(alone);
        if list_path(&alone, WRAPPERS_MAX).is_some() {
            return alone;
        }
    }
    value
}

/// The keys down to the list that `value` wraps, if it wraps one and holds nothing else but its own id.
fn list_path(value: &Value, depth: usize) -> Option<Vec<String>> {
    let object = value.as_object().filter(|_| depth > 0)?;
    if let Some(key) = people_in(object) {
        return Some(vec![key]);
    }
    let (key, path) = object.iter().find_map(|(key, inner)| {
        let path = match inner {
            Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object) => {
                Vec::new()
            }
            Value::Object(_) => list_path(inner, depth - 1)?,
            _ => return None,
        };
        WRAPPERS.contains(&key.as_str()).then_some((key, path))
    })?;
    object.keys().all(|other| may_be_beside(other, key)).then(|| [vec![key.clone()], path].concat())
}

/// The key of the one list in `object` that holds people, where nothing beside it has an
/// address of its own.
fn people_in(object: &Map<String, Value>) -> Option<String> {
    let is_list = |value: &Value| {
        value.as_array().is_some_and(|items| items.len() >= 2 && items.iter().all(Value::is_object))
    };
    let mut lists = object.iter().filter(|(_, value)| is_list(value));
    let (key, value) = lists.next()?;
    if lists.next().is_some() {
        return None;
    }
    let beside = object.iter().filter(|(other, _)| *other != key);
    let is_anonymous = beside.map(|(_, other)| other.to_string()).all(|text| !text.contains('@'));
    (is_anonymous && is_list_of_people(key, value.as_array()?)).then(|| key.clone())
}

/// A key of an object.
struct TopKey {
    name: String,
    /// Where its value starts.
    value: usize,
}

/// The keys of the object that `text` opens with, as far as `text` goes, each once with its first value.
///
/// In one pass: an object may have as many keys as its text has room for.
fn top_keys(text: &[u8]) -> Vec<TopKey> {
    let mut braces = Braces::default();
    let (mut keys, mut known) = (Vec::new(), HashSet::new());
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
            continue;
        }
        let colon = skip(text, at + 1, |byte| byte.is_ascii_whitespace());
        let is_key = text.get(colon) == Some(&b':') && known.insert(&text[opened..at]);
        if is_key {
            let name = String::from_utf8_lossy(&text[opened..at]).into_owned();
            let value = skip(text, colon + 1, |byte| byte.is_ascii_whitespace());
            keys.push(TopKey { name, value });
        }
    }
    keys
}

/// Returns where the array at the end of `path` in the object that `text` opens with starts, behind its
/// bracket.
pub(super) fn array_start(text: &[u8], path: &[String]) -> Option<usize> {
    let (last, wrappers) = path.split_last()?;
    let mut from = 0;
    for key in wrappers {
        from += value_start(&text[from..], key)?;
        text[from..].starts_with(b"{").then_some(())?;
    }
    Some(from + list_start(&text[from..], last)?)
}

/// Returns where the list of objects under `key` starts, behind its bracket.
fn list_start(text: &[u8], key: &str) -> Option<usize> {
    list_at(text, value_start(text, key)?)
}

/// Returns where the inside of the list of objects starts that `value` starts, if it does.
fn list_at(text: &[u8], value: usize) -> Option<usize> {
    let inner = skip(text, value + 1, |byte| byte.is_ascii_whitespace());
    let is_list = text.get(value) == Some(&b'[') && matches!(text.get(inner), Some(b'{' | b']'));
    is_list.then_some(value + 1)
}

/// Returns where the value of `key` starts.
fn value_start(text: &[u8], key: &str) -> Option<usize> {
    let quoted = format!("\"{key}\"");
    let mut braces = Braces::default();
    for at in 0..text.len() {
        let is_key = !braces.in_string && braces.depth == 1;
        if is_key && text[at..].starts_with(quoted.as_bytes()) {
            let behind = skip(text, at + quoted.len(), |byte| byte.is_ascii_whitespace());
            if text.get(behind) == Some(&b':') {
                return Some(skip(text, behind + 1, |byte| byte.is_ascii_whitespace()));
            }
        }
        if braces.feed(&text[at..=at]).is_some() {
            return None;
        }
    }
    None
}

fn skip(text: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len())
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
        let found: Vec<String> = unwrapped(opened(serde_json::from_str(text).unwrap()))
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
        check(
            r#"{"generated":"2025","leady":[{"email":"a@b.pl"},{"e-mail":"c@b.pl"}]}"#,
            &[r#"{"email":"a@b.pl"}"#, r#"{"e-mail":"c@b.pl"}"#],
        );
        check(
            r#"{"body":"[{\"a\":1},{\"a\":2}]","headers":{"x":"y"}}"#,
            &[r#"{"a":"1"}"#, r#"{"a":"2"}"#],
        );
        check(
            r#"{"email":"a@b.pl","url":"https://b.pl","timestamp":"2025-09-12","data":"[{\"a\":1}]"}"#,
            &[
                r#"{"email":"a@b.pl","url":"https://b.pl","timestamp":"2025-09-12","data":[{"a":"1"}]}"#,
            ],
        );
        for record in [
            r#"{"email":"a@b.pl","friends":[{"email":"c@b.pl"},{"email":"d@b.pl"}]}"#,
            r#"{"name":"Ala","emails":[{"email":"c@b.pl"},{"email":"d@b.pl"}]}"#,
            r#"{"name":"Ala","list":[{"value":"c@b.pl"},{"value":"d@b.pl"}]}"#,
            r#"{"answers":[{"email":"c@b.pl"},{"email":"d@b.pl"}]}"#,
            r#"{"email":"a@example.com","items":[{"sku":1}]}"#,
            r#"{"payload":{"email":"a@example.com"}}"#,
            r#"{"data":["a"]}"#,
            r#"{"field_data":[{"name":"email"}],"id":"1"}"#,
        ] {
            check(record, &[record]);
        }
    }
}
