//! Salts: what makes a commitment say nothing once it is gone.

use anyhow::{Context as _, Result, anyhow};
use sha2::{Digest as _, Sha256};

use super::chain::Hash;

/// Salts fetched from the system at a time.
const FETCHED: usize = 128;

/// Makes salts of 256 random bits.
#[derive(Debug)]
pub(super) enum Salts {
    /// From the operating system, many at a time.
    Random { fetched: Vec<u8>, used: usize },
    /// From a seed, so that tests can hold two stores against each other.
    Seeded(String),
}

impl Salts {
    /// Returns the system's; in a build with debug assertions, which is never shipped, a seed in
    /// `LEADMILL_TEST_SALTS` takes their place.
    pub(super) fn new() -> Self {
        if cfg!(debug_assertions)
            && let Ok(seed) = std::env::var("LEADMILL_TEST_SALTS")
        {
            return Self::Seeded(seed);
        }
        Self::Random { fetched: Vec::new(), used: 0 }
    }

    /// Returns the salt of record `seq`.
    pub(super) fn next(&mut self, seq: i64) -> Result<Hash> {
        match self {
            Self::Seeded(seed) => {
                let number = seq.to_be_bytes();
                Ok(Sha256::new_with_prefix(&*seed).chain_update(number).finalize().into())
            }
            Self::Random { fetched, used } => {
                let mut salt = [0; 32];
                if *used == fetched.len() {
                    fetched.resize(FETCHED * salt.len(), 0);
                    getrandom::fill(fetched)
                        .map_err(|fault| anyhow!("{fault}"))
                        .context("the system gives no random numbers")?;
                    *used = 0;
                }
                salt.copy_from_slice(&fetched[*used..*used + 32]);
                *used += salt.len();
                Ok(salt)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_salt_comes_twice() {
        let mut salts = Salts::Random { fetched: Vec::new(), used: 0 };
        let seen: HashSet<Hash> = (0..1_000).map(|seq| salts.next(seq).unwrap()).collect();
        assert_eq!(seen.len(), 1_000);
    }
}
