//! Whom not to take in again: people of whom nothing is kept but keyed hashes.
//!
//! A plain hash of a telephone number is no secret: there are a billion of them. So what somebody is recognized by
//! is hashed with a key (HMAC-SHA256, RFC 2104) that lies outside the store. Without the key the hashes say nothing.

use std::collections::HashMap;
use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::model::ids::hex;

/// Separates what is hashed together; no text that was read holds it.
const UNIT: [u8; 1] = [0x1f];

/// The key of the hashes; it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Pepper([u8; 32]);

/// What somebody is recognized by, hashed with the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keyed(pub [u8; 32]);

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper({})", self.id())
    }
}

impl Pepper {
    /// Takes `bytes`, which nobody can guess, as the key.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the key itself, for its file.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the name of the key, by which nobody can tell what it is.
    pub fn id(&self) -> String {
        let digest = Sha256::new_with_prefix(b"leadmill key id").chain_update(self.0).finalize();
        format!("k-{}", hex(&digest[..6]))
    }

    /// Returns the hash of `parts`, which are of this `kind`.
    pub fn keyed(&self, kind: &str, parts: &[&[u8]]) -> Keyed {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .unwrap_or_else(|_| unreachable!("a key of any length will do"));
        mac.update(kind.as_bytes());
        for part in parts {
            mac.update(&UNIT);
            mac.update(part);
        }
        Keyed(mac.finalize().into_bytes().into())
    }
}

/// Everybody who was erased, and when.
#[derive(Debug, Default)]
pub struct Suppressions {
    since_ms: HashMap<Keyed, i64>,
}

impl Suppressions {
    /// Notes that whoever is known by `keyed` was erased at `since_ms`; of several times the last counts.
    pub fn add(&mut self, keyed: Keyed, since_ms: i64) {
        let last = self.since_ms.entry(keyed).or_insert(since_ms);
        *last = since_ms.max(*last);
    }

    /// Returns whether nobody was erased.
    pub fn is_empty(&self) -> bool {
        self.since_ms.is_empty()
    }

    /// Returns when whoever is known by `keyed` was erased, milliseconds since 1970 UTC.
    pub fn since(&self, keyed: Keyed) -> Option<i64> {
        self.since_ms.get(&keyed).copied()
    }

    /// Returns whether something said at `at_ms` stays out, of somebody who is known by any of `keyed`.
    ///
    /// What somebody says after they were erased is a new beginning, and theirs to make; what they said before
    /// stays erased, whichever file brings it. `None`: nobody knows when it was said.
    pub fn hold(&self, keyed: impl Iterator<Item = Keyed>, at_ms: Option<i64>) -> bool {
        let mut since = keyed.filter_map(|one| self.since(one));
        since.any(|since_ms| at_ms.is_none_or(|at_ms| at_ms <= since_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_standard() {
        // RFC 4231, test case 2, has a shorter key; here the key is padded to the same block by HMAC itself.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let Keyed(found) = Pepper::new(key).keyed("what do ya want for nothing?", &[]);
        assert_eq!(hex(&found), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn kinds_and_parts_are_told_apart_and_so_are_keys() {
        let (one, other) = (Pepper::new([1; 32]), Pepper::new([2; 32]));
        assert_ne!(one.keyed("key", &[b"ab"]), one.keyed("key", &[b"a", b"b"]));
        assert_ne!(one.keyed("key", &[b"a"]), one.keyed("row", &[b"a"]));
        assert_ne!(one.keyed("key", &[b"a"]), other.keyed("key", &[b"a"]));
        assert_ne!(one.id(), other.id());
        assert!(!format!("{one:?}").contains("0101"), "{one:?}");
    }

    #[track_caller]
    fn check(erased: &Suppressions, who: Keyed, at_ms: Option<i64>, expected: bool) {
        assert_eq!(erased.hold([who].into_iter(), at_ms), expected, "{at_ms:?}");
    }

    #[test]
    fn what_is_said_later_is_a_new_beginning() {
        let pepper = Pepper::new([7; 32]);
        let [anna, jan] = ["anna", "jan"].map(|name| pepper.keyed("key", &[name.as_bytes()]));
        let mut erased = Suppressions::default();
        erased.add(anna, 100);
        erased.add(anna, 50);
        check(&erased, anna, Some(100), true);
        check(&erased, anna, Some(101), false);
        check(&erased, anna, None, true);
        check(&erased, jan, None, false);
    }
}
