//! Reads the body of a request: JSON, a form as browsers send it, or a form as scripts do.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use serde_json::value::RawValue;

use super::multipart;
use super::record::Record;
use crate::intake::mended_json;

/// Submissions of one request at most.
const RECORDS_MAX: usize = 1_000;

/// Why a body cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyFault {
    /// It is of a kind that is not read.
    Unsupported,
    /// It holds files.
    HasFiles,
    /// Its letters are in another encoding.
    NotUtf8,
    /// It is not what it is said to be.
    Broken(&'static str),
    /// There is nothing in it.
    Empty,
    /// There is more in it than is taken at once.
    TooMany,
}

/// Returns the submissions in a body.
pub(super) fn records(kind: Option<&str>, body: &[u8]) -> Result<Vec<Record>, BodyFault> {
    let bare = kind.unwrap_or_default().split(';').next().unwrap_or_default();
    let bare = bare.trim().to_ascii_lowercase();
    let records = match bare.as_str() {
        "application/x-www-form-urlencoded" => vec![Record::of_fields(form_fields(body)?)],
        "multipart/form-data" => {
            let boundary = multipart::parameter(kind.unwrap_or_default(), "boundary");
            let boundary =
                boundary.ok_or(BodyFault::Broken("the boundary of its parts is not said"))?;
            vec![Record::of_fields(multipart::fields(body, &boundary)?)]
        }
        // Some senders leave the kind out, and what they send says it.
        "" if body.trim_ascii_start().starts_with(b"{") => json_records(body)?,
        "application/json" => json_records(body)?,
        other if other.starts_with("application/") && other.ends_with("+json") => {
            json_records(body)?
        }
        _ => return Err(BodyFault::Unsupported),
    };
    if records.is_empty() || records.iter().any(Record::is_empty) {
        return Err(BodyFault::Empty);
    }
    if records.len() > RECORDS_MAX { Err(BodyFault::TooMany) } else { Ok(records) }
}

fn json_records(body: &[u8]) -> Result<Vec<Record>, BodyFault> {
    let text = std::str::from_utf8(body).map_err(|_| BodyFault::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    match strict_records(text) {
        Some(found) => found,
        // Google's own samples end lists with a comma, and templates put line ends into strings.
        None => {
            let mended: Option<Cow<'_, str>> = mended_json(text);
            let broken = BodyFault::Broken("the body is not JSON");
            mended.and_then(|text| strict_records(&text)).unwrap_or(Err(broken))
        }
    }
}

/// Returns the objects of sound JSON, and nothing when it is not sound.
fn strict_records(text: &str) -> Option<Result<Vec<Record>, BodyFault>> {
    if text.starts_with('{') {
        return serde_json::from_str(text).ok().map(|record| Ok(vec![record]));
    }
    if !text.starts_with('[') {
        let is_json = serde_json::from_str::<&RawValue>(text).is_ok();
        return is_json
            .then_some(Err(BodyFault::Broken("the body is no object and no list of objects")));
    }
    let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    if items.iter().any(|item| !item.get().starts_with('{')) {
        return Some(Err(BodyFault::Broken("the list holds something that is no object")));
    }
    items
        .into_iter()
        .map(|item| serde_json::from_str(item.get()).ok())
        .collect::<Option<_>>()
        .map(Ok)
}

/// Reads fields as browsers encode them.
fn form_fields(body: &[u8]) -> Result<Vec<(String, String)>, BodyFault> {
    let parts = body.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
    let field = |part: &[u8]| {
        let end = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
        let value = part.get(end + 1..).unwrap_or_default();
        Ok((decoded(&part[..end])?, decoded(value)?))
    };
    parts.map(field).collect()
}

/// Decodes `%C5%82` and `+`; a percent sign with anything else behind it stays.
fn decoded(text: &[u8]) -> Result<String, BodyFault> {
    let spaced: Vec<u8> =
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let text = percent_decode(&spaced).decode_utf8().map_err(|_| BodyFault::NotUtf8)?;
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    /// Compares the lines of a body without what stands first in them.
    #[track_caller]
    fn check(kind: &str, body: &[u8], expected: Result<&[&str], BodyFault>) {
        let line = |record: &Record| {
            let line = String::from_utf8(record.line(record.receipt(""), 0, &[])).unwrap();
            format!("{{{}", line.trim_end().split_once("},").unwrap().1)
        };
        let found = records(Some(kind).filter(|kind| !kind.is_empty()), body)
            .map(|records| records.iter().map(line).collect::<Vec<_>>());
        let expected =
            expected.map(|lines| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
        assert_eq!(found, expected, "{kind} {}", String::from_utf8_lossy(body));
    }

    #[test]
    fn json_is_one_object_or_a_list() {
        check("application/json", br#"{"a":1}"#, Ok(&[r#"{"a":1}"#]));
        check(
            "Application/JSON; charset=utf-8",
            b"\xEF\xBB\xBF [{\"a\":1}, {\"b\":2}]\n",
            Ok(&[r#"{"a":1}"#, r#"{"b":2}"#]),
        );
        check("application/vnd.api+json", br#"{"a":1}"#, Ok(&[r#"{"a":1}"#]));
        check("", br#" {"a":1}"#, Ok(&[r#"{"a":1}"#]));
        check("application/json", b"{}", Err(BodyFault::Empty));
        check("application/json", b"[]", Err(BodyFault::Empty));
        check("application/json", b"", Err(BodyFault::Broken("the body is not JSON")));
        check("application/json", b"{\"a\":", Err(BodyFault::Broken("the body is not JSON")));
        check(
            "application/json",
            b"7",
            Err(BodyFault::Broken("the body is no object and no list of objects")),
        );
        check(
            "application/json",
            b"[{\"a\":1},7]",
            Err(BodyFault::Broken("the list holds something that is no object")),
        );
        check("application/json", b"{\"a\":\"\xB3\"}", Err(BodyFault::NotUtf8));
        let many = format!("[{}]", vec!["{\"a\":1}"; RECORDS_MAX + 1].join(","));
        check("application/json", many.as_bytes(), Err(BodyFault::TooMany));
    }

    #[test]
    fn stray_commas_are_forgiven() {
        check(
            "application/json",
            b"{\"a\":[1,2,],\"b\":12345678901234567890123,}",
            Ok(&["{\"a\":[1,2],\"b\":12345678901234567890123}"]),
        );
    }

    #[test]
    fn forms_are_read_as_browsers_send_them() {
        check(
            FORM,
            b"email=a%40b.pl&imi%C4%99=%C5%81ucja+Nowak",
            Ok(&[r#"{"email":"a@b.pl","imię":"Łucja Nowak"}"#]),
        );
        check(
            FORM,
            b"a=1&a=2&b=&c&&d=x%3Dy=z",
            Ok(&[r#"{"a":["1","2"],"b":"","c":"","d":"x=y=z"}"#]),
        );
        check(FORM, b"a=100%&b=%zz&c=%4", Ok(&[r#"{"a":"100%","b":"%zz","c":"%4"}"#]));
        check(FORM, b"a=%B3", Err(BodyFault::NotUtf8));
        check(FORM, b"a=\xB3", Err(BodyFault::NotUtf8));
        check(FORM, b"", Err(BodyFault::Empty));
    }

    #[test]
    fn other_kinds_are_not_read() {
        for kind in ["", "text/plain", "application/xml", "image/png", "application/octet-stream"] {
            check(kind, b"a=1", Err(BodyFault::Unsupported));
        }
        check(
            "multipart/form-data",
            b"x",
            Err(BodyFault::Broken("the boundary of its parts is not said")),
        );
        let body = b"--q\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--q--\r\n";
        check("multipart/form-data; boundary=q", body, Ok(&[r#"{"a":"1"}"#]));
    }
}
