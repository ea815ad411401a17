//! What is hashed, and how: for whoever wants to check the ledger without leadmill.
//!
//! An envelope is a JSON object with its keys in alphabetical order and nothing between them (RFC 8785 for the
//! values that occur: integers, texts, null, true and false). `hash = SHA-256(0x01 || hash before || envelope)`,
//! where the hash before the first record is 32 zeroes. `commit` in it is
//! `HMAC-SHA256(salt, payload || SHA-256 of the wording || SHA-256 of the policy)` in hexadecimal digits; a text that
//! there is none of adds nothing, and a record that never had a payload has 64 noughts.

use anyhow::Result;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::model::ids::hex;

/// A SHA-256.
pub type Hash = [u8; 32];

/// What stands for the hash before the first record, and for the commitment of a record without a payload.
pub const NOTHING: Hash = [0; 32];

/// Sets the hashes of the ledger apart from those of anything else (as RFC 9162 does with nodes and leaves).
const CHAINED: [u8; 1] = [1];

/// The part of a record that names nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Position in the ledger, from 1.
    pub seq: i64,
    /// The run that appended it.
    pub run_no: i64,
    /// The row that said it.
    pub submission_no: Option<i64>,
    /// The touch that said it.
    pub touch_no: Option<i64>,
    /// What for.
    pub purpose: &'a str,
    /// Through which channel.
    pub channel: &'a str,
    /// What happened.
    pub state: &'a str,
    /// When, milliseconds since 1970 UTC.
    pub event_ms: i64,
    /// Whether the source told when.
    pub is_dated: bool,
    /// The text that was shown.
    pub wording_no: Option<i64>,
    /// The policy that was shown.
    pub policy_no: Option<i64>,
    /// How it was expressed.
    pub mechanism: &'a str,
    /// How well it can be proven.
    pub grade: &'a str,
    /// The earlier record that it is about.
    pub supersedes: Option<i64>,
    /// What it commits to.
    pub commitment: Hash,
}

/// The canonical form: its keys in alphabetical order.
#[derive(Serialize)]
struct Canonical<'a> {
    at: i64,
    channel: &'a str,
    commit: &'a str,
    dated: bool,
    grade: &'a str,
    mechanism: &'a str,
    policy: Option<i64>,
    purpose: &'a str,
    run: i64,
    seq: i64,
    state: &'a str,
    submission: Option<i64>,
    supersedes: Option<i64>,
    touch: Option<i64>,
    v: i64,
    wording: Option<i64>,
}

impl Envelope<'_> {
    /// Writes the canonical form over what is in `text`.
    pub fn write(&self, text: &mut String) -> Result<()> {
        *text = serde_json::to_string(&Canonical {
            at: self.event_ms,
            channel: self.channel,
            commit: &hex(&self.commitment),
            dated: self.is_dated,
            grade: self.grade,
            mechanism: self.mechanism,
            policy: self.policy_no,
            purpose: self.purpose,
            run: self.run_no,
            seq: self.seq,
            state: self.state,
            submission: self.submission_no,
            supersedes: self.supersedes,
            touch: self.touch_no,
            v: 1,
            wording: self.wording_no,
        })?;
        Ok(())
    }
}

/// Returns the hash of the record whose canonical envelope is `envelope`, behind the one with the hash `before`.
pub fn chained(before: &Hash, envelope: &str) -> Hash {
    Sha256::new_with_prefix(CHAINED).chain_update(before).chain_update(envelope).finalize().into()
}

/// Returns what an envelope commits to.
pub fn commitment(salt: &Hash, payload: &str, texts: impl Iterator<Item = Hash>) -> Result<Hash> {
    let mut mac = Hmac::<Sha256>::new_from_slice(salt)?;
    mac.update(payload.as_bytes());
    texts.for_each(|sha256| mac.update(&sha256));
    Ok(mac.finalize().into_bytes().into())
}

/// The part of a record that is about a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Payload<'a> {
    // In alphabetical order: this is the canonical form.
    /// The address or number that it is for; `None` when it is for the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<&'a str>,
    /// The answer as received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<&'a str>,
    /// The form's name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<&'a str>,
    /// The IP address that it was sent from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<&'a str>,
    /// The page that the form stood on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<&'a str>,
    /// `file:line` of the row.
    pub place: &'a str,
    /// The program that it was sent with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope<'static> {
        Envelope {
            seq: 2,
            run_no: 1,
            submission_no: Some(7),
            touch_no: None,
            purpose: "marketing",
            channel: "email",
            state: "given",
            event_ms: 1_700_000_000_000,
            is_dated: true,
            wording_no: Some(3),
            policy_no: None,
            mechanism: "a \"box\"",
            grade: "B",
            supersedes: None,
            commitment: [0xab; 32],
        }
    }

    #[test]
    fn an_envelope_is_canonical_json() {
        let mut text = String::new();
        envelope().write(&mut text).unwrap();
        let expected = format!(
            "{{\"at\":1700000000000,\"channel\":\"email\",\"commit\":\"{}\",\"dated\":true,\"grade\":\"B\",\
             \"mechanism\":\"a \\\"box\\\"\",\"policy\":null,\"purpose\":\"marketing\",\"run\":1,\"seq\":2,\
             \"state\":\"given\",\"submission\":7,\"supersedes\":null,\"touch\":null,\"v\":1,\"wording\":3}}",
            "ab".repeat(32)
        );
        assert_eq!(text, expected);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        let keys: Vec<&String> = read.as_object().unwrap().keys().collect();
        assert!(keys.is_sorted());
    }

    #[test]
    fn a_commitment_is_an_hmac_of_payload_and_texts() {
        let salt = [0x0b; 32];
        let (one, two) = ([1; 32], [2; 32]);
        let both = commitment(&salt, "{}", [one, two].into_iter()).unwrap();
        assert_ne!(both, commitment(&salt, "{}", [two, one].into_iter()).unwrap());
        assert_ne!(both, commitment(&[0x0c; 32], "{}", [one, two].into_iter()).unwrap());
        // What HMAC is, spelled out (RFC 2104): H(K ^ opad || H(K ^ ipad || text)).
        let pad = |with: u8| {
            let mut block = [with; 64];
            block[..32].iter_mut().zip(salt).for_each(|(byte, key)| *byte ^= key);
            block
        };
        let inner: Hash = Sha256::new_with_prefix(pad(0x36))
            .chain_update("{}")
            .chain_update(one)
            .chain_update(two)
            .finalize()
            .into();
        let outer: Hash = Sha256::new_with_prefix(pad(0x5c)).chain_update(inner).finalize().into();
        assert_eq!(both, outer);
    }

    #[test]
    fn a_payload_has_its_keys_in_order_and_nothing_unknown() {
        let payload = Payload {
            address: Some("anna@przyklad.pl"),
            answer: Some("tak"),
            form: Some("kontakt"),
            ip: Some("192.0.2.1"),
            page: Some("https://przyklad.pl"),
            place: "meta.csv:2",
            user_agent: Some("curl"),
        };
        let read = serde_json::to_value(&payload).unwrap();
        let keys: Vec<&String> = read.as_object().unwrap().keys().collect();
        assert!(keys.is_sorted());
        let bare = Payload { place: "meta.csv:2", ..Payload::default() };
        assert_eq!(serde_json::to_string(&bare).unwrap(), "{\"place\":\"meta.csv:2\"}");
    }
}
