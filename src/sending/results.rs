//! What a reply says of each item of a request.

use serde_json::Value;

use crate::rules::request::Results;

/// Characters of a receiver's reason that are kept.
const REASON_CHARS_MAX: usize = 200;

/// No system has longer ids.
const RECORD_ID_BYTES_MAX: usize = 255;

/// What became of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemResult {
    /// It was taken.
    Taken,
    /// It was not, with the receiver's code.
    Refused(String),
    /// The reply does not say.
    Unsaid,
}

/// Reads what `body` says of `items`, which are the ids of the request's items in order.
pub fn read(results: Results, body: &[u8], items: &[&str]) -> Vec<ItemResult> {
    let reply: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    match results {
        Results::Status => items.iter().map(|_| ItemResult::Taken).collect(),
        Results::InOrder => in_order(&reply, items.len()),
        Results::ByTrace => items.iter().map(|item| by_trace(&reply, item)).collect(),
    }
}

/// Returns the id of the record that `body` tells of, at the place `at`; none where it tells of none that could be one.
pub fn record_id(at: &[String], body: &[u8]) -> Option<String> {
    let reply: Value = serde_json::from_slice(body).ok()?;
    let id = match at.iter().try_fold(&reply, |inner, member| inner.get(member))? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    is_record_id(&id).then_some(id)
}

/// Returns whether `text` can be the id of a record. It becomes a part of an address, where dots alone lead elsewhere.
pub fn is_record_id(text: &str) -> bool {
    let is_fit = !text.is_empty() && text.len() <= RECORD_ID_BYTES_MAX;
    is_fit && !matches!(text, "." | "..") && !text.chars().any(char::is_control)
}

/// A list of which each `success` says whether it was taken, and `errors` why not.
fn in_order(reply: &Value, count: usize) -> Vec<ItemResult> {
    let list = reply.as_array().map_or(&[] as &[Value], Vec::as_slice);
    // A list of another length tells of other items.
    if list.len() != count {
        return vec![ItemResult::Unsaid; count];
    }
    let result = |one: &Value| match one["success"].as_bool() {
        Some(true) => ItemResult::Taken,
        Some(false) => ItemResult::Refused(code(&one["errors"][0]["statusCode"])),
        None => ItemResult::Unsaid,
    };
    list.iter().map(result).collect()
}

/// `results` name what was taken, `errors` what was not, each by `objectWriteTraceId`.
fn by_trace(reply: &Value, item: &str) -> ItemResult {
    let trace = "objectWriteTraceId";
    let list = |key: &str| reply[key].as_array().into_iter().flatten();
    if list("results").any(|one| one[trace] == *item) {
        return ItemResult::Taken;
    }
    let is_about = |one: &&Value| match &one["context"][trace] {
        Value::Array(ids) => ids.iter().any(|id| *id == *item),
        id => *id == *item,
    };
    match list("errors").find(is_about) {
        Some(error) => ItemResult::Refused(code(&error["category"])),
        None => ItemResult::Unsaid,
    }
}

/// Returns a receiver's code, which is a word of its own and no value of a lead; else nothing.
fn code(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_code = !text.is_empty() && text.chars().all(is_word);
    if is_code && text.len() <= REASON_CHARS_MAX { text.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ItemResult::{Refused, Taken, Unsaid};

    #[track_caller]
    fn check(results: Results, body: &str, expected: &[ItemResult]) {
        assert_eq!(read(results, body.as_bytes(), &["a", "b"]), expected, "{body}");
    }

    #[test]
    fn a_status_is_for_all() {
        check(Results::Status, "", &[Taken, Taken]);
    }

    #[test]
    fn a_list_is_in_the_order_of_the_request() {
        let failed =
            "{\"success\":false,\"errors\":[{\"statusCode\":\"MALFORMED_ID\",\"message\":\"x\"}]}";
        let both = format!("[{{\"success\":true,\"id\":\"1\",\"errors\":[]}},{failed}]");
        check(Results::InOrder, &both, &[Taken, Refused("MALFORMED_ID".to_owned())]);
        check(Results::InOrder, "[{\"success\":true}]", &[Unsaid, Unsaid]);
        check(Results::InOrder, "no json", &[Unsaid, Unsaid]);
    }

    #[test]
    fn a_trace_names_the_item() {
        let error =
            "{\"category\":\"VALIDATION_ERROR\",\"context\":{\"objectWriteTraceId\":[\"b\"]}}";
        let both =
            format!("{{\"results\":[{{\"objectWriteTraceId\":\"a\"}}],\"errors\":[{error}]}}");
        check(Results::ByTrace, &both, &[Taken, Refused("VALIDATION_ERROR".to_owned())]);
        check(Results::ByTrace, "{\"results\":[]}", &[Unsaid, Unsaid]);
    }

    #[test]
    fn what_is_no_code_is_not_kept() {
        let body = "[{\"success\":false,\"errors\":[{\"statusCode\":\"anna@example.com\"}]},{\"success\":false}]";
        check(Results::InOrder, body, &[Refused(String::new()), Refused(String::new())]);
    }

    #[test]
    fn the_id_of_a_record_stands_where_the_shape_says() {
        let at = ["data".to_owned(), "id".to_owned()];
        let read = |body: &str| record_id(&at, body.as_bytes());
        assert_eq!(read("{\"success\":true,\"data\":{\"id\":501}}").as_deref(), Some("501"));
        assert_eq!(read("{\"data\":{\"id\":\"0a-7\"}}").as_deref(), Some("0a-7"));
        for body in
            ["{\"data\":{\"id\":\"\"}}", "{\"data\":{\"id\":{}}}", "{\"data\":[501]}", "501", "no"]
        {
            assert_eq!(read(body), None, "{body}");
        }
        for id in [".", "..", "a\nb", &"x".repeat(256)] {
            assert_eq!(read(&serde_json::json!({"data": {"id": id}}).to_string()), None, "{id}");
        }
    }
}
