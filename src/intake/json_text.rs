//! Parses JSON as webhooks log it: with numbers kept digit by digit and stray commas forgiven.

use std::borrow::Cow;

use serde_json::Value;

use super::json_layout::Braces;

/// Parses `text`; numbers become strings of the same digits, since ids do not survive a float.
///
/// # Errors
/// What is wrong and where, in words.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let text = without_trailing_commas(text);
    serde_json::from_str(&with_quoted_numbers(&text)).map_err(|quoted| {
        // Quoting numbers moved the columns, so the place is taken from the text as it was.
        let error = serde_json::from_str::<Value>(&text).err().unwrap_or(quoted);
        error.to_string()
    })
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

/// Removes commas before a closing brace or bracket.
pub(super) fn without_trailing_commas(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut stray = Vec::new();
    outside_strings(bytes, |at| {
        if bytes[at] == b',' {
            let next = bytes[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
            if matches!(next, Some(b'}' | b']')) {
                stray.push(at);
            }
        }
    });
    if stray.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    for at in stray {
        clean.push_str(&text[from..at]);
        from = at + 1;
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

fn outside_strings(bytes: &[u8], mut visit: impl FnMut(usize)) {
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
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(parse(text).map(|value| value.to_string()).as_deref(), Ok(expected));
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
