//! What can be asked of a store to know that it is well. Nothing here writes.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use rusqlite::{OpenFlags, OptionalExtension as _};

use super::files::beside;
use super::pages::look;
use super::{DELIVER_LOCK, LOCK, SCHEMA_VERSION, Store};

/// Problems of a kind that are told one by one.
const TOLD_MAX: usize = 5;

/// How the store is set up, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Steps of the schema that it has.
    pub schema: i64,
    /// Steps of the schema that this leadmill knows.
    pub schema_known: i64,
    /// Its journal.
    pub journal: String,
}

/// A row that names another which is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dangling {
    /// The table.
    pub table: String,
    /// The table that it refers to.
    pub parent: String,
    /// Such rows.
    pub rows: u64,
}

impl fmt::Display for Dangling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, parent, rows } = self;
        let row = if *rows == 1 { "row" } else { "rows" };
        write!(f, "{rows} {row} of `{table}` without theirs in `{parent}`")
    }
}

/// An input whose rows do not add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbalanced {
    /// Its name.
    pub name: String,
    /// Rows that were read.
    pub read: i64,
    /// Rows that have an outcome.
    pub kept: i64,
}

/// Bytes of a table with its indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSize {
    /// Its name.
    pub table: String,
    /// Bytes of its pages.
    pub bytes: u64,
}

/// References that no foreign key guards: a table, a condition on its rows, and the table where what it names is not.
const REFERENCES: &[(&str, &str, &str)] = &[
    ("match_key", "submission", "submission_no NOT IN (SELECT submission_no FROM submission)"),
    ("membership", "submission", "submission_no NOT IN (SELECT submission_no FROM submission)"),
    ("membership", "lead", "lead_no NOT IN (SELECT lead_no FROM lead WHERE merged_into IS NULL)"),
    ("submission", "membership", "submission_no NOT IN (SELECT submission_no FROM membership)"),
    ("link", "submission", "submission_no NOT IN (SELECT submission_no FROM submission)"),
    ("link", "submission", "with_no NOT IN (SELECT submission_no FROM submission)"),
    ("lead", "submission", "founder_no NOT IN (SELECT submission_no FROM submission)"),
    ("lead", "lead", "merged_into IS NOT NULL AND merged_into NOT IN (SELECT lead_no FROM lead)"),
    ("lead", "lead_alias", "NOT EXISTS (SELECT 1 FROM lead_alias AS a WHERE a.id = lead.id)"),
    ("decision", "lead", "lead_no NOT IN (SELECT lead_no FROM lead)"),
    ("decision", "run", "run_no NOT IN (SELECT run_no FROM run)"),
    ("task", "lead", "lead_no NOT IN (SELECT lead_no FROM lead)"),
    ("task", "because", "because_no NOT IN (SELECT because_no FROM because)"),
    ("turn", "turn_pool", "pool_no NOT IN (SELECT pool_no FROM turn_pool)"),
    ("touch_key", "touch", "touch_no NOT IN (SELECT touch_no FROM touch)"),
    ("seen", "submission", "kind = 's' AND no NOT IN (SELECT submission_no FROM submission)"),
    ("seen", "touch", "kind = 't' AND no NOT IN (SELECT touch_no FROM touch)"),
    ("seen", "quarantine", "kind = 'q' AND no NOT IN (SELECT quarantine_no FROM quarantine)"),
    ("seen", "held", "kind = 'h' AND no NOT IN (SELECT held_no FROM held)"),
    ("outbox", "delivery_target", "target_no NOT IN (SELECT target_no FROM delivery_target)"),
    (
        "outbox",
        "outbox_request",
        "request_no IS NOT NULL AND request_no NOT IN (SELECT request_no FROM outbox_request)",
    ),
    ("dead_letter", "delivery_target", "target_no NOT IN (SELECT target_no FROM delivery_target)"),
    ("delivered", "delivery_target", "target_no NOT IN (SELECT target_no FROM delivery_target)"),
];

/// Returns the version of SQLite, and whether it keeps what it committed.
pub fn sqlite() -> (&'static str, bool) {
    (rusqlite::version(), super::is_safe_sqlite(rusqlite::version_number()))
}

/// Returns whether `fault` comes of what stands in the file: it is damaged, or holds what no query of ours expects. A
/// disk that cannot be read, a lock or too little memory is none of the store's faults.
pub fn is_of_content(fault: &anyhow::Error) -> bool {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, SqliteFailure,
        Utf8Error,
    };
    let is_such = |cause: &rusqlite::Error| match cause {
        // Our statements are right, so this says that a table is not there, or no JSON where some should be.
        SqliteFailure(found, _) => found.extended_code == rusqlite::ffi::SQLITE_ERROR,
        FromSqlConversionFailure(..)
        | IntegralValueOutOfRange(..)
        | InvalidColumnType(..)
        | Utf8Error(..) => true,
        _ => false,
    };
    super::is_damage(fault) || fault.chain().filter_map(|cause| cause.downcast_ref()).any(is_such)
}

/// Who writes to a store, or did, by the file of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// The process of this number does.
    AtWork(u32),
    /// The process of this number died, or could not give all that it wrote its checksums.
    Left(u32),
}

/// Returns who writes to the store at `path`, or did, by the lock whose file ends in `ending`.
pub fn writer(path: &Path, ending: &str) -> Option<Writer> {
    let mut lock = File::open(beside(path, ending)).ok()?;
    let is_held = matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock));
    let mut text = String::new();
    lock.read_to_string(&mut text).ok()?;
    let process = text.trim().parse().ok()?;
    Some(if is_held { Writer::AtWork(process) } else { Writer::Left(process) })
}

/// Returns whether another program may have written back what a writer of the store at `path` left in the WAL who had
/// the lock whose file ends in `ending`.
pub fn may_be_merged(path: &Path, ending: &str) -> bool {
    look::may_be_merged(path, &beside(path, ending))
}

/// Endings of the files that lie beside a store and belong to it.
pub const FILES_BESIDE: &[&str] = &[
    "",
    "-wal",
    "-shm",
    "-journal",
    LOCK,
    DELIVER_LOCK,
    ".sums",
    ".sums-new",
    ".restore",
    ".restore-new",
    ".restoring",
];

impl Store {
    /// Opens the store at `path` to be looked at, whatever is in it.
    ///
    /// # Errors
    /// [`super::StoreFault`] when there is none, or nothing can be asked of it.
    pub fn open_to_look(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Err(super::StoreFault::Missing(path.to_owned()).into());
        }
        let store = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        store.check_identity(false)?;
        store.connection.set_prepared_statement_cache_capacity(64);
        // Nothing that is read from here on is written back meanwhile.
        store.begin_reading()?;
        store.pin()?;
        Ok(store)
    }

    /// Returns how the store is set up.
    pub fn setup(&self) -> Result<Setup> {
        Ok(Setup {
            schema: self.pragma("user_version")?,
            schema_known: SCHEMA_VERSION,
            journal: self.pragma("journal_mode")?,
        })
    }

    /// Returns what SQLite finds wrong with the structure of the store's file.
    pub fn integrity(&self) -> Result<Vec<String>> {
        let mut statement =
            self.connection.prepare(&format!("PRAGMA integrity_check({TOLD_MAX})"))?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        let mut found: Vec<String> = rows.collect::<rusqlite::Result<_>>()?;
        found.retain(|line| line != "ok");
        Ok(found)
    }

    /// Returns which foreign keys lead nowhere.
    pub fn dangling(&self) -> Result<Vec<Dangling>> {
        let mut statement = self.connection.prepare(
            "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2 ORDER BY 1, 2",
        )?;
        let rows = statement.query_map([], |row| {
            let rows: i64 = row.get(2)?;
            Ok(Dangling { table: row.get(0)?, parent: row.get(1)?, rows: rows as u64 })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns which references that no foreign key guards lead nowhere. While a run takes rows in, they are in no lead
    /// yet: `is_whole` says that none does.
    pub fn orphans(&self, is_whole: bool) -> Result<Vec<Dangling>> {
        let mut found = Vec::new();
        for (table, parent, condition) in REFERENCES {
            if !is_whole && *table == "submission" {
                continue;
            }
            let sql = format!("SELECT count(*) FROM \"{table}\" WHERE {condition}");
            let rows: i64 = self
                .connection
                .query_row(&sql, [], |row| row.get(0))
                .with_context(|| format!("cannot look for rows of {table} without theirs"))?;
            if rows > 0 {
                let (table, parent) = ((*table).to_owned(), (*parent).to_owned());
                found.push(Dangling { table, parent, rows: rows as u64 });
            }
        }
        Ok(found)
    }

    /// Returns the inputs whose rows do not add up to what was read of them, and how many
    /// inputs there are.
    pub fn unbalanced_inputs(&self) -> Result<(Vec<Unbalanced>, u64)> {
        let mut statement = self.connection.prepare(
            "WITH kept AS (
                 SELECT input_no, count(*) AS n FROM submission GROUP BY input_no
                 UNION ALL SELECT input_no, count(*) FROM touch GROUP BY input_no
                 UNION ALL SELECT input_no, count(*) FROM quarantine GROUP BY input_no
                 UNION ALL SELECT input_no, count(*) FROM held GROUP BY input_no
                 UNION ALL SELECT input_no, count(*) FROM repeat GROUP BY input_no
                 UNION ALL SELECT input_no, count(*) FROM erased_row GROUP BY input_no),
             sums AS (SELECT input_no, sum(n) AS n FROM kept GROUP BY input_no)
             SELECT i.name, i.rows_read - i.skipped, coalesce(s.n, 0)
             FROM input AS i JOIN run AS r USING (run_no) LEFT JOIN sums AS s USING (input_no)
             WHERE r.state <> 'ingesting' AND i.rows_read - i.skipped <> coalesce(s.n, 0)
             ORDER BY i.input_no",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Unbalanced { name: row.get(0)?, read: row.get(1)?, kept: row.get(2)? })
        })?;
        let found = rows.collect::<rusqlite::Result<_>>()?;
        let count = "SELECT count(*) FROM input";
        let inputs: i64 = self.connection.query_row(count, [], |row| row.get(0))?;
        Ok((found, inputs as u64))
    }

    /// Returns how many quarantined rows wait for a row that comes back for them.
    pub fn count_quarantined(&self) -> Result<u64> {
        let sql = "SELECT count(*) FROM quarantine
                   WHERE quarantine_no NOT IN (SELECT quarantine_no FROM mended)";
        Ok(self.connection.query_row(sql, [], |row| row.get::<_, i64>(0))? as u64)
    }

    /// Returns the hash of record `seq` of the consent ledger.
    pub fn ledger_hash_at(&self, seq: i64) -> Result<Option<[u8; 32]>> {
        let sql = "SELECT hash FROM consent_record WHERE seq = ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([seq], |row| row.get(0)).optional()?)
    }

    /// Returns how many dead letters are open, and when the oldest of them died, milliseconds since 1970 UTC.
    pub fn open_letters(&self) -> Result<(u64, Option<i64>)> {
        let sql = "SELECT count(*), min(first_ms) FROM dead_letter WHERE state = 'open'";
        let of_row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?));
        Ok(self.connection.query_row(sql, [], of_row)?)
    }

    /// Returns how many bytes of inputs were read, decompressed, and in how many rows.
    pub fn imported(&self) -> Result<(u64, u64)> {
        let sql = "SELECT coalesce(sum(bytes), 0), coalesce(sum(rows_read), 0) FROM input";
        Ok(self.connection.query_row(sql, [], |row| {
            Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64))
        })?)
    }

    /// Returns the bytes of each table with its indexes, the largest first; reads every page.
    pub fn table_sizes(&self) -> Result<Vec<TableSize>> {
        let mut statement = self.connection.prepare(
            "SELECT coalesce(s.tbl_name, d.name), sum(d.pgsize)
             FROM dbstat AS d LEFT JOIN sqlite_schema AS s ON s.name = d.name
             WHERE d.aggregate = TRUE GROUP BY 1 ORDER BY 2 DESC, 1",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(TableSize { table: row.get(0)?, bytes: row.get::<_, i64>(1)? as u64 })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the name of the table or index that has page `no`, where SQLite can still tell.
    pub fn owner_of_page(&self, no: u32) -> Option<String> {
        let sql = "SELECT name FROM dbstat WHERE pageno = ?1";
        self.connection.query_row(sql, [no], |row| row.get(0)).ok()
    }

    /// Returns the bytes of the store's pages, and those of them that nothing is kept in.
    pub fn page_figures(&self) -> Result<(u64, u64)> {
        let bytes: i64 = self.pragma("page_size")?;
        let (pages, free): (i64, i64) =
            (self.pragma("page_count")?, self.pragma("freelist_count")?);
        Ok(((pages * bytes) as u64, (free * bytes) as u64))
    }
}
