//! Texts that stand in the store once, and are numbers wherever they are meant.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use anyhow::Result;
use rusqlite::{Connection, ToSql};

/// Numbers kept in memory; the store knows the rest. Texts may hold what somebody wrote, so there may be any
/// number of them.
pub(super) const REMEMBERED_MAX: usize = 10_000;

/// A table of texts, with the numbers that were met.
#[derive(Debug)]
pub(super) struct Interned<K> {
    insert: &'static str,
    select: &'static str,
    met: HashMap<K, i64>,
}

impl<K: Eq + Hash> Interned<K> {
    /// `insert` adds the text `?1` unless it is there, `select` returns its number.
    pub(super) fn new(insert: &'static str, select: &'static str) -> Self {
        Self { insert, select, met: HashMap::new() }
    }

    /// Returns the number of the text that `key` is written as, which gets one if it has none.
    pub(super) fn number<Q, T>(
        &mut self,
        connection: &Connection,
        key: &Q,
        written: impl FnOnce(&Q) -> Result<T>,
    ) -> Result<i64>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        T: ToSql,
    {
        if let Some(number) = self.met.get(key) {
            return Ok(*number);
        }
        let text = written(key)?;
        connection.prepare_cached(self.insert)?.execute([&text])?;
        let number =
            connection.prepare_cached(self.select)?.query_row([&text], |row| row.get(0))?;
        if self.met.len() < REMEMBERED_MAX {
            self.met.insert(key.to_owned(), number);
        }
        Ok(number)
    }
}
