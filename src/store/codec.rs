//! How values lie in a row: JSON that any SQLite tool can read.

use std::fmt;

use anyhow::{Context as _, Result};
use rusqlite::types::ValueRef;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Value, json};

use crate::model::consent::{Channel, ConsentClaim, ConsentState, Purpose, Shown};
use crate::model::field::{FieldNo, FieldValues};
use crate::model::outcome::Notice;
use crate::rules::field::FieldCatalog;

/// Returns `values` as a JSON object keyed by field name, in order of field number.
pub fn encode_values(values: &FieldValues, catalog: &FieldCatalog) -> String {
    let mut text = String::with_capacity(32 * values.len() + 2);
    text.push('{');
    for (field, value) in values.iter() {
        if text.len() > 1 {
            text.push(',');
        }
        push_json_string(&mut text, catalog.name(field));
        text.push(':');
        push_json_string(&mut text, value);
    }
    text.push('}');
    text
}

/// Reads what [`encode_values`] wrote; fields that the catalog no longer knows are left out.
pub fn decode_values(text: &str, catalog: &FieldCatalog) -> Result<FieldValues> {
    decode(text, ValuesSeed { catalog, wanted: |_| true, room: (VALUES_USUAL, text.len()) })
}

/// Reads the values of the fields that are `wanted`, and passes over the others.
pub fn decode_some(
    text: &str,
    catalog: &FieldCatalog,
    wanted: impl Fn(FieldNo) -> bool,
) -> Result<FieldValues> {
    decode(text, ValuesSeed { catalog, wanted, room: (0, 0) })
}

fn decode<F: Fn(FieldNo) -> bool>(text: &str, seed: ValuesSeed<'_, F>) -> Result<FieldValues> {
    seed.deserialize(&mut serde_json::Deserializer::from_str(text))
        // What they hold is about a person and stays out of messages.
        .context("stored values are not readable")
}

/// As many values as most rows have.
const VALUES_USUAL: usize = 32;

struct ValuesSeed<'a, F> {
    catalog: &'a FieldCatalog,
    wanted: F,
    /// For how many values room is made at once, and for how many bytes.
    room: (usize, usize),
}

impl<'de, F: Fn(FieldNo) -> bool> DeserializeSeed<'de> for ValuesSeed<'_, F> {
    type Value = FieldValues;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FieldValues, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: Fn(FieldNo) -> bool> Visitor<'de> for ValuesSeed<'_, F> {
    type Value = FieldValues;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FieldValues, A::Error> {
        let mut values = FieldValues::with_room_for(self.room.0, self.room.1);
        while let Some(field) = map.next_key_seed(NameSeed(self.catalog))? {
            match field.filter(|field| (self.wanted)(*field)) {
                Some(field) => map.next_value_seed(ValueSeed { values: &mut values, field })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(values)
    }
}

/// Reads the name of a field without keeping it.
struct NameSeed<'a>(&'a FieldCatalog);

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = Option<FieldNo>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_> {
    type Value = Option<FieldNo>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.number(name))
    }
}

/// Puts a value among the others as it is read.
struct ValueSeed<'v> {
    values: &'v mut FieldValues,
    field: FieldNo,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for ValueSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.values.set(self.field, value);
        Ok(())
    }
}

/// Returns the claims as a JSON array; `None` when there are none.
pub fn encode_claims(claims: &[ConsentClaim]) -> Option<String> {
    if claims.is_empty() {
        return None;
    }
    let times: Vec<Option<String>> =
        claims.iter().map(|claim| claim.said_at_ms.map(|at| at.to_string())).collect();
    let list: Vec<Vec<Option<&str>>> = claims
        .iter()
        .zip(&times)
        .map(|(claim, said_at)| {
            let mut values = vec![
                Some(&*claim.purpose.0),
                Some(claim.channel.word()),
                Some(claim.state.word()),
                Some(&*claim.wording),
                Some(&*claim.mechanism),
                Some(claim.shown.word()),
                claim.answer.as_deref(),
                claim.policy.as_deref(),
            ];
            // Most claims have neither, and read as those of an earlier leadmill do.
            if said_at.is_some() || claim.ip.is_some() {
                values.extend([said_at.as_deref(), claim.ip.as_deref()]);
            }
            values
        })
        .collect();
    Some(serde_json::to_string(&list).expect("texts are written"))
}

/// Reads what [`encode_claims`] wrote, and the five or eight values that an earlier leadmill wrote.
pub fn decode_claims(text: &str) -> Result<Vec<ConsentClaim>> {
    let list: Vec<Vec<Option<String>>> =
        serde_json::from_str(text).context("stored consents are not readable")?;
    list.into_iter()
        .map(|claim| {
            let mut values = claim.into_iter();
            let mut next = || values.next().flatten();
            let mut must = || next().context("a stored consent is cut short");
            Ok(ConsentClaim {
                purpose: Purpose::new(&must()?),
                channel: word(Channel::ALL, &must()?)?,
                state: word(ConsentState::ALL, &must()?)?,
                wording: must()?,
                mechanism: must()?,
                shown: next().map_or(Ok(Shown::Label), |shown| word(Shown::ALL, &shown))?,
                answer: next(),
                policy: next(),
                said_at_ms: next()
                    .map(|at| at.parse())
                    .transpose()
                    .context("a time is no number")?,
                ip: next(),
            })
        })
        .collect()
}

/// Returns the notices as a JSON array of objects; `None` when there are none.
pub fn encode_notices(notices: &[Notice]) -> Option<String> {
    if notices.is_empty() {
        return None;
    }
    let list: Vec<Value> = notices
        .iter()
        .map(|notice| {
            json!({
                "code": notice.code,
                "column": notice.column,
                "value": notice.value,
                "message": notice.message,
            })
        })
        .collect();
    Some(Value::Array(list).to_string())
}

/// Returns what `text` names in a closed list of words.
pub fn word<T: Copy>(words: &[(&str, T)], text: &str) -> Result<T> {
    words
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, value)| *value)
        .with_context(|| format!("the store holds the unknown word `{text}`"))
}

/// Returns a stored value as text, for showing what differs.
pub fn value_text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => crate::model::ids::hex(bytes),
    }
}

fn push_json_string(text: &mut String, value: &str) {
    text.push('"');
    // Nearly all values are plain, and that is seen many bytes at a time.
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if value.bytes().fold(true, |so_far, byte| so_far & is_plain(byte)) {
        text.push_str(value);
        text.push('"');
        return;
    }
    let mut plain_from = 0;
    for (at, byte) in value.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        text.push_str(&value[plain_from..at]);
        if escape.is_empty() {
            use fmt::Write as _;
            // Writing to a `String` cannot fail.
            let _ = write!(text, "\\u{byte:04x}");
        } else {
            text.push_str(escape);
        }
        plain_from = at + 1;
    }
    text.push_str(&value[plain_from..]);
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::field;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_come_back_as_they_went(email in ".{0,40}", message in any::<String>()) {
            let catalog = FieldCatalog::decode(None);
            let mut values = FieldValues::default();
            values.set(field::EMAIL, email);
            values.set(field::MESSAGE, message);
            let text = encode_values(&values, &catalog);
            prop_assert_eq!(decode_values(&text, &catalog).expect("readable"), values);
        }
    }

    #[test]
    fn claims_come_back_as_they_went() {
        let claims = vec![ConsentClaim {
            purpose: Purpose::new(Purpose::MARKETING),
            channel: Channel::AutomatedCall,
            state: ConsentState::Refused,
            wording: "Wyrażam zgodę na \"kontakt\"".to_owned(),
            mechanism: "checkbox".to_owned(),
            shown: Shown::Text,
            answer: Some("nie".to_owned()),
            policy: None,
            said_at_ms: None,
            ip: None,
        }];
        let text = encode_claims(&claims).expect("some");
        assert_eq!(decode_claims(&text).expect("readable"), claims);
        let dated = vec![ConsentClaim {
            said_at_ms: Some(1_726_146_373_000),
            ip: Some("203.0.113.8".to_owned()),
            ..claims[0].clone()
        }];
        let text = encode_claims(&dated).expect("some");
        assert_eq!(decode_claims(&text).expect("readable"), dated);
        let before = r#"[["marketing","email","given","Zgoda","checkbox"]]"#;
        assert_eq!(decode_claims(before).expect("readable")[0].shown, Shown::Label);
        assert_eq!(encode_claims(&[]), None);
    }
}
