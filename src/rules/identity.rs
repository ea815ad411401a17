//! When a shared value stops identifying one person (`identity.toml`).

use std::collections::HashSet;

use super::decode::Table;
use super::tables::Tables;

/// How many clearly different people may hold a key before it no longer merges them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityPolicy {
    /// From this many differing names on, a personal e-mail address counts as shared.
    pub email_shared_from: usize,
    /// From this many differing names on, a phone number counts as shared.
    pub phone_shared_from: usize,
    /// Groups of given names that are one name (Kasia, Katarzyna), folded.
    pub nicknames: Vec<Vec<String>>,
    /// Given names, folded: two different ones are no spellings of one name unless a group has both.
    pub given_names: HashSet<String>,
}

impl IdentityPolicy {
    /// Reads `[email]` and `[phone]`; absent values keep the defaults 3 and 2.
    pub fn decode(root: Option<&Table<'_>>, tables: &Tables) -> Self {
        let shared_from = |key: &str, default: usize| {
            root.and_then(|root| {
                root.table(key, |table| {
                    table.opt_string("because");
                    let names = table.opt_integer("shared-from-names").unwrap_or(default as i64);
                    if names < 2 {
                        table.error(
                            "shared-from-names",
                            "`shared-from-names` must be 2 or more",
                            Some("one name alone cannot make a value shared".to_owned()),
                        );
                    }
                    names.max(2) as usize
                })
            })
            .unwrap_or(default)
        };
        Self {
            email_shared_from: shared_from("email", 3),
            phone_shared_from: shared_from("phone", 2),
            nicknames: tables.nickname_groups().to_vec(),
            given_names: tables.given_names().map(str::to_owned).collect(),
        }
    }
}
