//! Bringing a store of an older leadmill up to date: backed up first, then in one transaction.

use anyhow::{Context as _, Result};
use rusqlite::Connection;

use super::{
    APPLICATION_ID, CHAINED_SINCE, MIGRATIONS, SCHEMA_VERSION, Store, ledger, restore, touches,
};

/// The step since which rows are found by their record id, too.
pub(super) const RECORD_IDS_SINCE: i64 = 7;

/// What is said of a migration that failed.
const CANNOT: &str = "cannot bring the store's schema up to date";

impl Store {
    /// Brings the schema up to date. A store with anything in it is backed up before; a migration that is killed leaves
    /// the store as it was.
    pub(super) fn migrate(&mut self) -> Result<()> {
        let version: i64 = self.pragma("user_version")?;
        if version == SCHEMA_VERSION {
            return Ok(());
        }
        // What is restored is a backup already, and may be the very file that would be written.
        if version > 0 && restore::begun(&self.path)?.is_none() {
            self.back_up_before_migration(version)?;
        }
        take_steps(&mut self.connection, SCHEMA_VERSION)
    }
}

/// Takes every step up to `to` that the store has not taken, all or none.
fn take_steps(connection: &mut Connection, to: i64) -> Result<()> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let transaction = connection.transaction()?;
    for (number, step) in (1..).zip(&MIGRATIONS[..to as usize]).skip(version as usize) {
        transaction.execute_batch(step).context(CANNOT)?;
        if number == CHAINED_SINCE {
            ledger::take_over(&transaction)?;
        }
    }
    if version < RECORD_IDS_SINCE && to >= RECORD_IDS_SINCE {
        touches::add_record_id_keys(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", to)?;
    transaction.commit().context(CANNOT)
}

#[cfg(test)]
mod tests;
