//! One submission: what was sent, what is added to it, and the line that is kept.
//!
//! Values stay the text that was sent, digit by digit; only the names of members are looked at. What leadmill itself
//! has to know later stands first, under a name of its own that no row has (`{"leadmill":{…}`), as in rows that are
//! given back to be mended; intake leaves it out of the row as received.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::receipt::Receipt;
use crate::model::blank::is_blank;
use crate::rules::source::header_key;

/// What a line that was received starts with.
const OWN_START: &str = "{\"leadmill\":{\"receipt\":\"";
/// What stands between the receipt and its time.
const OWN_TIME: &str = "\",\"at-ms\":";

/// Separates parts of what is hashed; no JSON text holds it.
const UNIT: &[u8] = b"\x1f";

/// One submission as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    members: Vec<Member>,
}

/// A name and its value, which is JSON on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    name: String,
    value: String,
}

impl Member {
    /// Returns whether rules that say `name` mean this one.
    fn has_name(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// What is added to a submission: what the request says besides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Addition {
    /// The name, which presets know.
    pub(super) name: &'static str,
    /// The value.
    pub(super) value: String,
    /// Whether it outweighs what was sent under such a name, which then gets another.
    pub(super) is_evidence: bool,
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RecordVisitor)
    }
}

struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Record, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = entries.next_entry::<String, Box<RawValue>>()? {
            // A sound string holds no line end as it is, so one that is there stands between values.
            members.push(Member { name, value: value.get().replace(['\n', '\r'], " ") });
        }
        Ok(Record { members })
    }
}

impl Record {
    /// Returns the record of a form's fields; one that was sent several times is a list.
    pub(super) fn of_fields(fields: Vec<(String, String)>) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut values: Vec<Vec<String>> = Vec::new();
        for (name, value) in fields {
            match names.iter().position(|known| *known == name) {
                Some(at) => values[at].push(value),
                None => {
                    names.push(name);
                    values.push(vec![value]);
                }
            }
        }
        let text = |values: Vec<String>| match <[String; 1]>::try_from(values) {
            Ok([value]) => quoted(&value),
            Err(values) => {
                let quoted: Vec<String> = values.iter().map(|value| quoted(value)).collect();
                format!("[{}]", quoted.join(","))
            }
        };
        let members = names.into_iter().zip(values);
        Self {
            members: members.map(|(name, values)| Member { name, value: text(values) }).collect(),
        }
    }

    /// Returns whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Takes the members called `name` out, whatever their case, and returns the text of the first.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let value = self.members.extract_if(.., |it| it.has_name(name)).collect::<Vec<_>>();
        let value = value.into_iter().next()?.value;
        Some(serde_json::from_str::<String>(&value).unwrap_or(value))
    }

    /// Returns whether a member called `name`, whatever its case, says something.
    pub(super) fn is_filled(&self, name: &str) -> bool {
        let says = |value: &str| match serde_json::from_str::<String>(value) {
            Ok(text) => !is_blank(&text),
            Err(_) => !matches!(value.trim(), "null" | "[]" | "{}"),
        };
        self.members.iter().any(|member| member.has_name(name) && says(&member.value))
    }

    /// Returns what the submission is known by, however its members are ordered.
    pub(super) fn receipt(&self, form: &str) -> Receipt {
        let mut sorted: Vec<&Member> = self.members.iter().collect();
        sorted.sort_by(|a, b| (&a.name, &a.value).cmp(&(&b.name, &b.value)));
        let mut hash = Sha256::new_with_prefix(form);
        for member in sorted {
            for part in [&member.name, &member.value] {
                hash.update(UNIT);
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        let mut first = [0; 16];
        first.copy_from_slice(&hash.finalize()[..16]);
        Receipt(first)
    }

    /// Returns the line that is kept, with its end.
    pub(super) fn line(&self, receipt: Receipt, at_ms: i64, additions: &[Addition]) -> Vec<u8> {
        let mut line = format!("{OWN_START}{receipt}{OWN_TIME}{at_ms}}}");
        for member in &self.members {
            let evidence = additions.iter().any(|it| it.is_evidence && is_called(member, it.name));
            // What leadmill writes itself nobody else may seem to have written.
            let is_own = header_key(&member.name).starts_with("leadmill");
            let name = if evidence || is_own {
                quoted(&format!("sent {}", member.name))
            } else {
                quoted(&member.name)
            };
            append(&mut line, &name, &member.value);
        }
        for addition in additions {
            let is_said = self.members.iter().any(|member| is_called(member, addition.name));
            if addition.is_evidence || !is_said {
                append(&mut line, &quoted(addition.name), &quoted(&addition.value));
            }
        }
        line.push_str("}\n");
        line.into_bytes()
    }
}

/// Appends a member to an object that is not empty.
fn append(line: &mut String, name: &str, value: &str) {
    for part in [",", name, ":", value] {
        line.push_str(part);
    }
}

fn is_called(member: &Member, name: &str) -> bool {
    header_key(&member.name) == header_key(name)
}

/// Returns `text` as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Returns the receipt and the time of a line that was received.
pub(super) fn read_own(line: &str) -> Option<(Receipt, i64)> {
    let rest = line.strip_prefix(OWN_START)?;
    let (receipt, rest) = rest.split_once(OWN_TIME)?;
    let (at_ms, _) = rest.split_once('}')?;
    Some((Receipt::parse(receipt)?, at_ms.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(json: &str) -> Record {
        serde_json::from_str(json).unwrap()
    }

    fn fields(pairs: &[(&str, &str)]) -> Record {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Record::of_fields(pairs.iter().map(own).collect())
    }

    /// The line without what stands first in it.
    #[track_caller]
    fn check(record: &Record, additions: &[Addition], expected: &str) {
        let receipt = record.receipt("contact");
        let line = String::from_utf8(record.line(receipt, 7, additions)).unwrap();
        assert_eq!(read_own(&line), Some((receipt, 7)), "{line}");
        let rest = line.strip_prefix(&format!("{OWN_START}{receipt}{OWN_TIME}7}}")).unwrap();
        assert_eq!(rest, format!("{expected}}}\n"));
        let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert!(parsed.is_object());
    }

    #[test]
    fn values_stay_as_they_were_sent() {
        let sent = "{ \"id\": 12345678901234567890123,\n \"a\": {\"b\" :\r\n[1.10, null]}, \"ź\":\"\\u017c\\n\"}";
        check(
            &record(sent),
            &[],
            ",\"id\":12345678901234567890123,\"a\":{\"b\" :  [1.10, null]},\"ź\":\"\\u017c\\n\"",
        );
        check(
            &fields(&[("imię", "Łucja \"Lu\""), ("co", "a"), ("co", "b"), ("x", "1\n2")]),
            &[],
            ",\"imię\":\"Łucja \\\"Lu\\\"\",\"co\":[\"a\",\"b\"],\"x\":\"1\\n2\"",
        );
    }

    #[test]
    fn what_the_request_says_is_added_and_evidence_outweighs_what_was_sent() {
        let seen = |name, value: &str, is_evidence| Addition {
            name,
            value: value.to_owned(),
            is_evidence,
        };
        let additions =
            [seen("ip", "203.0.113.7", true), seen("page_url", "https://a.example", false)];
        check(
            &fields(&[("email", "a@b.pl")]),
            &additions,
            ",\"email\":\"a@b.pl\",\"ip\":\"203.0.113.7\",\"page_url\":\"https://a.example\"",
        );
        check(
            &fields(&[("IP", "1.2.3.4"), ("Page URL", "https://b.example")]),
            &additions,
            ",\"sent IP\":\"1.2.3.4\",\"Page URL\":\"https://b.example\",\"ip\":\"203.0.113.7\"",
        );
    }

    #[test]
    fn nobody_can_write_what_leadmill_writes_itself() {
        check(
            &record(r#"{"leadmill":{"row":"x"},"leadmill.row":"y","Leadmill Row":"z"}"#),
            &[],
            r#","sent leadmill":{"row":"x"},"sent leadmill.row":"y","sent Leadmill Row":"z""#,
        );
    }

    #[test]
    fn the_same_content_has_the_same_receipt() {
        let one = record(r#"{"a":"1","b":2}"#);
        assert_eq!(one.receipt("f"), record(r#"{ "b" : 2, "a" : "1" }"#).receipt("f"));
        for other in
            [r#"{"a":"1","b":3}"#, r#"{"a":"1"}"#, r#"{"b":"1","a":2}"#, r#"{"ab":"1","":2}"#]
        {
            assert_ne!(one.receipt("f"), record(other).receipt("f"), "{other}");
        }
        assert_ne!(one.receipt("f"), one.receipt("g"));
        assert_eq!(fields(&[("a", "1")]).receipt("f"), record(r#"{"a":"1"}"#).receipt("f"));
    }

    #[test]
    fn a_field_is_filled_in_or_not() {
        let record = record(r#"{"a":"x","b":" ","c":null,"d":0,"e":[],"f":["x"]}"#);
        let filled: Vec<&str> = ["a", "b", "c", "d", "e", "f", "g"]
            .into_iter()
            .filter(|name| record.is_filled(name))
            .collect();
        assert_eq!(filled, ["a", "d", "f"]);
        assert!(record.is_filled("A") && !record.is_filled("B"));
    }

    #[test]
    fn what_is_taken_out_is_gone() {
        let mut record = record(r#"{"Google_key":"k","a":1}"#);
        assert_eq!(record.take("google_key").as_deref(), Some("k"));
        assert_eq!(record.take("google_key"), None);
        assert_eq!(record.take("a").as_deref(), Some("1"));
        assert!(record.is_empty());
        // What is sent twice is gone as well, whatever its case: it may be a secret.
        let mut twice = self::record(r#"{"key":"k","b":1,"Key":"l"}"#);
        assert_eq!(twice.take("key").as_deref(), Some("k"));
        assert_eq!((twice.take("key"), twice.is_empty()), (None, false));
    }
}
