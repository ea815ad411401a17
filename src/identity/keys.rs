//! Match keys: normalized values that identify somebody.

use sha2::{Digest as _, Sha256};

use crate::model::field::{self, FieldValues};
use crate::model::ids::KeyHash;
use crate::model::mailbox::mailbox_key;

/// What a key is made of, and so how far it is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// A personal mailbox.
    Email,
    /// The mailbox of a function (`biuro@`): never merges people with different names.
    RoleEmail,
    /// A phone number.
    Phone,
    /// An anonymous visitor id: joins touches to a lead, never merges people.
    Visitor,
}

impl KeyKind {
    /// Every kind, at the position of its number in the store.
    pub const ALL: &[KeyKind] = &[Self::Email, Self::RoleEmail, Self::Phone, Self::Visitor];

    /// Returns the word used in explanations.
    pub fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::RoleEmail => "email and name",
            Self::Phone => "phone",
            Self::Visitor => "visitor",
        }
    }
}

/// One key of one submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchKey {
    /// What the store keeps and compares: 128 bits of SHA-256, so that equal hashes are equal values.
    pub hash: KeyHash,
    /// What it is made of.
    pub kind: KeyKind,
    /// The normalized value itself.
    pub value: String,
}

/// Returns the keys of a submission with these values.
pub fn match_keys(values: &FieldValues) -> Vec<MatchKey> {
    let mut keys = Vec::with_capacity(3);
    if let Some(email) = values.get(field::EMAIL) {
        let role = values.is_true(field::EMAIL_IS_ROLE);
        let kind = if role { KeyKind::RoleEmail } else { KeyKind::Email };
        let value = mailbox_key(email);
        keys.push(MatchKey { hash: hash("email", &value), kind, value });
    }
    if let Some(phone) = values.get(field::PHONE) {
        keys.push(MatchKey {
            hash: hash("phone", phone),
            kind: KeyKind::Phone,
            value: phone.to_owned(),
        });
    }
    if let Some(visitor) = values.get(field::VISITOR_ID) {
        keys.push(MatchKey {
            hash: hash("visitor", visitor),
            kind: KeyKind::Visitor,
            value: visitor.to_owned(),
        });
    }
    keys
}

/// Returns the hash under which touches of `visitor_id` are kept.
pub fn visitor_hash(visitor_id: &str) -> KeyHash {
    hash("visitor", visitor_id)
}

/// Returns the hash under which touches and submissions of `email` meet.
pub fn email_hash(email: &str) -> KeyHash {
    hash("email", &mailbox_key(email))
}

/// Returns the hash of the phone number `e164`.
pub fn phone_hash(e164: &str) -> KeyHash {
    hash("phone", e164)
}

/// Returns the hash of a near key, which says nothing by itself.
pub(super) fn near_hash(value: &str) -> KeyHash {
    hash("near", value)
}

fn hash(kind: &str, value: &str) -> KeyHash {
    let digest = Sha256::new_with_prefix(kind).chain_update([0x1f]).chain_update(value).finalize();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    KeyHash(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_mailbox_is_a_key_of_its_own_kind() {
        let mut values = FieldValues::default();
        values.set(field::EMAIL, "biuro@przyklad.pl");
        assert_eq!(match_keys(&values)[0].kind, KeyKind::Email);
        values.set(field::EMAIL_IS_ROLE, "true");
        assert_eq!(match_keys(&values)[0].kind, KeyKind::RoleEmail);
    }
}
