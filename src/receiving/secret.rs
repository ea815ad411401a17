//! Secrets: never shown, and compared in a time that says nothing about them.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What a sender must know.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Keeps `text` as a secret.
    pub fn new(text: &str) -> Self {
        Self(text.as_bytes().into())
    }

    /// Returns whether `given` is the secret; how long that takes depends on the length of `given` alone.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        // Both are made into tags of one length first, and the library compares these in constant time.
        Self(given.into())
            .tag(&[b"leadmill"])
            .verify_slice(&self.tag(&[b"leadmill"]).finalize().into_bytes())
            .is_ok()
    }

    /// Returns whether `signature` is the HMAC-SHA256 of `parts`, one after another, under the secret.
    pub(super) fn signed(&self, parts: &[&[u8]], signature: &[u8]) -> bool {
        self.tag(parts).verify_slice(signature).is_ok()
    }

    /// Returns the key that the text of the secret encodes, as in `whsec_MfKQ…`.
    pub(super) fn decoded(&self, decode: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Self> {
        decode(&self.0).map(|bytes| Self(bytes.into()))
    }

    fn tag(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        // HMAC takes a key of any length.
        let mut tag = Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| unreachable!());
        for part in parts {
            tag.update(part);
        }
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_itself_and_nothing_near() {
        let secret = Secret::new("hunter2");
        for (given, expected) in [
            ("hunter2", true),
            ("hunter", false),
            ("hunter22", false),
            ("HUNTER2", false),
            ("", false),
        ] {
            assert_eq!(secret.is(given.as_bytes()), expected, "{given}");
        }
    }

    #[test]
    fn a_secret_shows_nothing_of_itself() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "Secret(…) Some(Secret(…))");
    }
}
