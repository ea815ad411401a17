//! Match keys: normalized values that identify somebody.

use sha2::{Digest as _, Sha256};

use super::likeness::near_keys;
use super::matching::lists::Lists;
use crate::model::field::{self, FieldValues};
use crate::model::ids::{Fingerprint, KeyHash, LeadId};
use crate::model::mailbox::mailbox_key;
use crate::model::touch::{Identity, IdentityKind};
use crate::rules::tables::Tables;

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
    /// Two common things at once, such as name and town: who holds it is compared, and may be one person.
    Near,
    /// No key at all: somebody said that two submissions are one person.
    Verdict,
    /// A record id in a CRM: joins touches to a lead, never merges people.
    External,
    /// The person's id in the product or on the site: the same.
    User,
}

impl KeyKind {
    /// Every kind, at the position of its number in the store.
    pub const ALL: &[KeyKind] = &[
        Self::Email,
        Self::RoleEmail,
        Self::Phone,
        Self::Visitor,
        Self::Near,
        Self::Verdict,
        Self::External,
        Self::User,
    ];

    /// Returns whether keys of this kind only say whose touches are whose.
    pub fn only_joins_touches(self) -> bool {
        matches!(self, Self::Visitor | Self::External | Self::User)
    }

    /// Returns the word used in explanations.
    pub fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::RoleEmail => "email and name",
            Self::Phone => "phone",
            Self::Visitor => "visitor",
            Self::Near => "likeness",
            Self::Verdict => "verdict",
            Self::External => "external id",
            Self::User => "user id",
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

/// Makes the keys of submissions, those that identify and those by which similar people meet.
#[derive(Debug)]
pub struct Keyring {
    lists: Lists,
}

impl Keyring {
    /// Takes the word lists out of the tables of the rules.
    pub fn new(tables: &Tables) -> Self {
        Self { lists: Lists::of_tables(tables) }
    }

    /// Returns the word lists.
    pub fn lists(&self) -> &Lists {
        &self.lists
    }

    /// Returns all keys of a submission with these values.
    pub fn keys(&self, values: &FieldValues) -> Vec<MatchKey> {
        let mut keys = match_keys(values);
        let near = near_keys(values, &self.lists).into_iter();
        keys.extend(near.map(|hash| MatchKey { hash, kind: KeyKind::Near, value: String::new() }));
        keys
    }
}

/// Returns the keys by which a submission with these values is known.
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
    for (field, kind, identity) in [
        (field::VISITOR_ID, KeyKind::Visitor, IdentityKind::Visitor),
        (field::EXTERNAL_ID, KeyKind::External, IdentityKind::External),
        (field::USER_ID, KeyKind::User, IdentityKind::User),
    ] {
        if let Some(id) = values.get(field) {
            let hash = identity_hash(&Identity::new(identity, id));
            keys.push(MatchKey { hash, kind, value: id.to_owned() });
        }
    }
    keys
}

/// Returns the identities by which touches find a submission with these values and this fingerprint.
pub fn identities(values: &FieldValues, fingerprint: Fingerprint) -> Vec<Identity> {
    let lead = Identity::new(IdentityKind::Lead, LeadId::of_founder(fingerprint).to_string());
    let own = match_keys(values).into_iter().filter_map(|key| {
        let kind = match key.kind {
            KeyKind::Email | KeyKind::RoleEmail => IdentityKind::Email,
            KeyKind::Phone => IdentityKind::Phone,
            KeyKind::Visitor => IdentityKind::Visitor,
            KeyKind::External => IdentityKind::External,
            KeyKind::User => IdentityKind::User,
            KeyKind::Near | KeyKind::Verdict => return None,
        };
        Some(Identity::new(kind, key.value))
    });
    std::iter::once(lead).chain(own).collect()
}

/// Returns the hash under which touches with `identity` are kept; submissions have the same as a match key.
pub fn identity_hash(identity: &Identity) -> KeyHash {
    let value = identity.value.as_str();
    match identity.kind {
        IdentityKind::Lead => hash("lead", value),
        IdentityKind::External => hash("external", value),
        IdentityKind::User => hash("user", value),
        IdentityKind::Email => email_hash(value),
        IdentityKind::Phone => phone_hash(value),
        IdentityKind::Visitor => hash("visitor", client_id(value)),
        IdentityKind::Kept => kept_hash(value),
    }
}

/// Returns a Google Analytics client id without the version that its cookie puts before it (`GA1.2.`), as the
/// BigQuery export has it (`user_pseudo_id`); any other id as it is.
fn client_id(visitor_id: &str) -> &str {
    let Some(rest) = visitor_id.strip_prefix("GA1.") else { return visitor_id };
    match rest.split_once('.') {
        Some((depth, id)) if depth.bytes().all(|byte| byte.is_ascii_digit()) => id,
        _ => visitor_id,
    }
}

/// Reads a hash that was written as hexadecimal digits.
fn kept_hash(digits: &str) -> KeyHash {
    let mut bytes = [0; 16];
    for (at, byte) in bytes.iter_mut().enumerate() {
        let pair = digits.get(2 * at..2 * at + 2).unwrap_or_default();
        *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
    }
    KeyHash(bytes)
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
    fn a_client_id_is_the_same_in_the_cookie_and_in_the_export() {
        let hash = |id: &str| identity_hash(&Identity::new(IdentityKind::Visitor, id));
        assert_eq!(hash("GA1.2.1000000001.1757000001"), hash("1000000001.1757000001"));
        assert_ne!(hash("GA1.x.1"), hash("1"));
    }

    #[test]
    fn what_was_kept_as_a_hash_is_still_that_hash() {
        let hash = identity_hash(&Identity::new(IdentityKind::User, "u1"));
        let kept = Identity::new(IdentityKind::Kept, crate::model::ids::hex(&hash.0));
        assert_eq!(identity_hash(&kept), hash);
    }

    #[test]
    fn a_function_mailbox_is_a_key_of_its_own_kind() {
        let mut values = FieldValues::default();
        values.set(field::EMAIL, "biuro@przyklad.pl");
        assert_eq!(match_keys(&values)[0].kind, KeyKind::Email);
        values.set(field::EMAIL_IS_ROLE, "true");
        assert_eq!(match_keys(&values)[0].kind, KeyKind::RoleEmail);
    }
}
