//! Everything leadmill knows, in one SQLite file.
//!
//! This room owns the file, its schema, its transactions and its lock. It must not decide anything
//! about a lead: it is told rows and answers rows. Start at [`Store::open`]; [`ingest`] takes rows in,
//! [`absorb`] answers who shares a key, [`touches`] what people did, [`verdicts`] and [`model`] what they
//! said and accepted, [`leads`] and [`tasks`] keep what was decided, [`ledger`] who agreed to what and [`denials`] who
//! takes it back, [`listing`], [`accounts`], [`quarantine`] and [`history`] read for files and people, [`deliveries`]
//! keeps what targets were given, [`outbox`] what is sent to them and [`letters`] what of that is stuck, [`runs`] keeps
//! the books and recovers from a killed run; [`undo`] takes a run's rows back, [`replay`], [`looks`], [`turns`],
//! [`rescore`] and [`rules`] keep what deciding anew needs, [`erase`] takes a person out, [`retention`] what is too old,
//! and [`key`] lets nobody else know them again; [`loads`] counts who got how many leads, [`totals`] how many there are
//! where, [`metrics`] reads what reports about enquiries are made of.

pub mod absorb;
pub mod accounts;
pub mod alerts;
pub mod codec;
pub mod deliveries;
pub mod denials;
pub mod erase;
pub mod history;
pub mod ingest;
mod interned;
pub mod key;
pub mod leads;
pub mod ledger;
pub mod letters;
pub mod listing;
pub mod loads;
pub mod looks;
pub mod metrics;
pub mod model;
pub mod outbox;
pub mod page;
mod place;
pub mod points;
pub mod quarantine;
pub mod replay;
pub mod rescore;
pub mod retention;
pub mod rules;
pub mod runs;
pub mod tasks;
pub mod tenure;
pub mod totals;
pub mod touches;
pub mod turns;
pub mod undo;
pub mod verdicts;

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags};

/// `LDML` in ASCII: marks the file as a leadmill store (`PRAGMA application_id`).
const APPLICATION_ID: i32 = 0x4C44_4D4C;

/// Every schema step, oldest first; `PRAGMA user_version` counts those applied. Append only.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first_store.sql"),
    include_str!("migrations/0002_undo.sql"),
    include_str!("migrations/0003_identifiers.sql"),
    include_str!("migrations/0004_verdicts.sql"),
    include_str!("migrations/0005_rescore.sql"),
    include_str!("migrations/0006_grades_and_models.sql"),
    include_str!("migrations/0007_touches.sql"),
    include_str!("migrations/0008_keys_by_submission.sql"),
    include_str!("migrations/0009_looks_by_time.sql"),
    include_str!("migrations/0010_routing.sql"),
    include_str!("migrations/0011_tasks.sql"),
    include_str!("migrations/0012_alerts.sql"),
    include_str!("migrations/0013_account_claims.sql"),
    include_str!("migrations/0014_contacts.sql"),
    include_str!("migrations/0015_metrics.sql"),
    include_str!("migrations/0016_ledger.sql"),
    include_str!("migrations/0017_erasure.sql"),
    include_str!("migrations/0021_deliveries.sql"),
    include_str!("migrations/0022_outbox.sql"),
    include_str!("migrations/0024_records.sql"),
    include_str!("migrations/0025_totals.sql"),
];

const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// The step since which rows are found by their record id, too.
const RECORD_IDS_SINCE: i64 = 7;

/// The step that chains the ledger.
const CHAINED_SINCE: usize = 16;

/// Earlier SQLite versions can lose committed writes when a WAL is reset
/// (<https://sqlite.org/wal.html#the_wal_reset_bug>).
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// Why a store cannot be used, for the exit code to tell apart.
#[derive(Debug)]
pub enum StoreFault {
    /// Another run holds it.
    Locked(PathBuf),
    /// The file is damaged, of a newer leadmill, or no leadmill store at all.
    Damaged(String),
    /// There is no store yet.
    Missing(PathBuf),
    /// It lies on another machine, on a file system of this kind.
    Elsewhere(PathBuf, &'static str),
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked(path) => write!(
                f,
                "another run holds {}\nhint: wait for it to end; nothing was written",
                path.display()
            ),
            Self::Damaged(what) => f.write_str(what),
            Self::Missing(path) => write!(
                f,
                "there is no store at {} yet\nhint: `leadmill run` makes it; `--workspace` or \
                 `--store` names another place",
                path.display()
            ),
            Self::Elsewhere(path, kind) => write!(
                f,
                "{} lies on {kind}, where two machines could write to it at once\nhint: keep the store on a disk of \
                 this machine (`--store`); inbox and out may stay where they are",
                path.display()
            ),
        }
    }
}

impl std::error::Error for StoreFault {}

/// An open store.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    /// Held for as long as the store is open for writing; the kernel frees it when the process dies.
    _lock: Option<File>,
}

impl Store {
    /// Opens the store at `path` for writing, making it when there is none, and locks it.
    ///
    /// # Errors
    /// [`StoreFault`] inside the error when another process holds it or the file is not usable;
    /// nothing is written then.
    pub fn open(path: &Path) -> Result<Self> {
        place::check(path)?;
        let lock = lock(path, ".lock")?;
        let is_new = !path.exists();
        if is_new {
            // SQLite would make the file with the umask's mode; leads are nobody else's business.
            private_file(path).with_context(|| format!("cannot create {}", path.display()))?;
        }
        let connection = Connection::open(path)
            .with_context(|| format!("cannot open the store {}", path.display()))?;
        let mut store = Self { connection, path: path.to_owned(), _lock: Some(lock) };
        store.check_identity(true)?;
        store.set_pragmas()?;
        store.migrate()?;
        if is_new {
            // SQLite does so, too, but says nothing when it could not.
            sync_folder_of(path)?;
        }
        Ok(store)
    }

    /// Opens the store at `path` for reading; a run may go on meanwhile.
    ///
    /// # Errors
    /// [`StoreFault`] inside the error when there is none or the file is not usable.
    pub fn open_read_only(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Err(StoreFault::Missing(path.to_owned()).into());
        }
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .with_context(|| format!("cannot open the store {}", path.display()))?;
        let store = Self { connection, path: path.to_owned(), _lock: None };
        store.check_identity(false)?;
        let version: i64 = store.pragma("user_version")?;
        if version < SCHEMA_VERSION {
            return Err(StoreFault::Damaged(format!(
                "{} was made by an older leadmill\nhint: the next `leadmill run` brings it up to date",
                path.display()
            ))
            .into());
        }
        store.connection.set_prepared_statement_cache_capacity(64);
        Ok(store)
    }

    /// Opens the store at `path` for `deliver`, which writes to the outbox in transactions of a few rows and so needs
    /// no lock against runs; another `deliver` is locked out.
    ///
    /// # Errors
    /// [`StoreFault`] inside the error when there is none, another `deliver` holds it, or it is not usable.
    pub fn open_for_delivery(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Err(StoreFault::Missing(path.to_owned()).into());
        }
        let lock = lock(path, ".deliver.lock")?;
        let connection = Connection::open(path)
            .with_context(|| format!("cannot open the store {}", path.display()))?;
        let mut store = Self { connection, path: path.to_owned(), _lock: Some(lock) };
        store.check_identity(false)?;
        let version: i64 = store.pragma("user_version")?;
        if version < SCHEMA_VERSION {
            // Only who holds the store may change its tables.
            drop(Self::open(path)?);
        }
        store.set_pragmas()?;
        Ok(store)
    }

    /// Begins a transaction of a few rows, unless somebody else writes and goes on to; returns whether it did.
    pub fn begin_if_free(&self) -> Result<bool> {
        match self.connection.execute_batch("BEGIN IMMEDIATE") {
            Ok(()) => Ok(true),
            Err(fault) if fault.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
            Err(fault) => Err(fault).context("cannot begin a transaction"),
        }
    }

    /// Copies the store to `path` as it is now, for a dry run.
    pub fn copy_to(&self, path: &Path) -> Result<()> {
        let mut copy =
            Connection::open(path).with_context(|| format!("cannot create {}", path.display()))?;
        rusqlite::backup::Backup::new(&self.connection, &mut copy)?
            .run_to_completion(1_000, std::time::Duration::ZERO, None)
            .context("cannot copy the store")
    }

    /// Returns where the store lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the WAL back into the file and empties it.
    ///
    /// # Errors
    /// When SQLite reports that it could not; its own checkpoint on close would be silent about that.
    pub fn checkpoint(&self) -> Result<()> {
        let (busy, log, done): (i64, i64, i64) = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .with_context(|| format!("cannot checkpoint {}", self.path.display()))?;
        // A reader may hold the WAL back; the next checkpoint will catch up, nothing is lost.
        anyhow::ensure!(busy != 0 || log == done, "the checkpoint of the store stopped early");
        Ok(())
    }

    /// Writes the WAL back and empties it; returns whether that could be done, or somebody reads the store.
    pub fn checkpoint_whole(&self) -> Result<bool> {
        let busy: i64 = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .context("cannot checkpoint the store")?;
        Ok(busy == 0)
    }

    /// Begins the one transaction in which a run decides; all of it becomes visible, or nothing.
    pub fn begin(&self) -> Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE").context("cannot begin a transaction")
    }

    /// Holds on to the store as it is now: whatever others write, later reads do not see it.
    pub fn begin_reading(&self) -> Result<()> {
        self.connection.execute_batch("BEGIN DEFERRED").context("cannot begin to read")
    }

    /// Makes everything since [`Store::begin`] durable.
    pub fn commit(&self) -> Result<()> {
        let naming = || format!("cannot commit to {}", self.path.display());
        self.connection.execute_batch("COMMIT").with_context(naming)
    }

    /// Forgets everything since [`Store::begin`].
    pub fn rollback(&self) -> Result<()> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.execute_batch("ROLLBACK").context("cannot roll back")
    }

    /// Returns whether nothing was ever stored: a run was killed before it had made the tables.
    fn is_blank(&self) -> Result<bool> {
        let objects = "SELECT count(*) FROM sqlite_schema";
        let count: i64 = self.connection.query_row(objects, [], |row| row.get(0))?;
        Ok(count == 0)
    }

    fn check_identity(&self, may_be_blank: bool) -> Result<()> {
        anyhow::ensure!(
            rusqlite::version_number() >= SQLITE_VERSION_MIN,
            "this build carries SQLite {}, which can lose data; 3.51.3 or later is needed",
            rusqlite::version()
        );
        let path = self.path.display();
        let damaged = |why: String| {
            anyhow::Error::from(StoreFault::Damaged(format!(
                "{why}\nhint: restore the last backup of {path}, or move the file away to start anew"
            )))
        };
        let unread = |fault: anyhow::Error| {
            let cause = fault.downcast_ref::<rusqlite::Error>();
            match cause.and_then(rusqlite::Error::sqlite_error_code) {
                // SQLite must write beside the file even to read it.
                Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => fault.context(format!(
                    "cannot read {path}: its folder must be writable; let this user write there, or copy the \
                     store to where it may"
                )),
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                    damaged(format!("{path} is not a usable store: {fault:#}"))
                }
                // The disk's fault, not the file's: nobody should put a sound store aside for it.
                _ => fault.context(format!("cannot read {path}")),
            }
        };
        let id: i32 = self.pragma("application_id").map_err(unread)?;
        if id == 0 && may_be_blank && self.is_blank().map_err(unread)? {
            return Ok(());
        }
        if id != APPLICATION_ID {
            return Err(damaged(format!("{path} is not a leadmill store")));
        }
        let version: i64 = self.pragma("user_version")?;
        if version > SCHEMA_VERSION {
            return Err(damaged(format!("{path} was made by a newer leadmill (schema {version})")));
        }
        Ok(())
    }

    fn set_pragmas(&mut self) -> Result<()> {
        // 16 KiB pages: a tenth less time than 4 KiB on bulk loads; only a new file takes it.
        self.connection.pragma_update(None, "page_size", 16_384)?;
        let mode: String = self
            .connection
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .context("cannot switch the store to WAL")?;
        anyhow::ensure!(mode == "wal", "the store's journal is `{mode}` instead of `wal`");
        self.connection.execute_batch(
            "PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = ON;
             PRAGMA cache_size = -65536;
             PRAGMA busy_timeout = 5000;
             PRAGMA wal_autocheckpoint = 4000;",
        )?;
        self.connection.set_prepared_statement_cache_capacity(128);
        Ok(())
    }

    fn migrate(&mut self) -> Result<()> {
        let version: i64 = self.pragma("user_version")?;
        if version == SCHEMA_VERSION {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        for (number, step) in (1..).zip(MIGRATIONS).skip(version as usize) {
            transaction
                .execute_batch(step)
                .context("cannot bring the store's schema up to date")?;
            if number == CHAINED_SINCE {
                ledger::take_over(&transaction)?;
            }
        }
        if version < RECORD_IDS_SINCE {
            touches::add_record_id_keys(&transaction)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        transaction.commit().context("cannot bring the store's schema up to date")
    }

    fn pragma<T: rusqlite::types::FromSql>(&self, name: &str) -> Result<T> {
        Ok(self.connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?)
    }
}

/// Takes the process lock beside the store: SQLite's own locks do not protect a plan that reads
/// first and writes later.
fn lock(path: &Path, ending: &str) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    let lock_path = PathBuf::from(name);
    let file = private_file(&lock_path)
        .with_context(|| format!("cannot create the lock file {}", lock_path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreFault::Locked(path.to_owned()).into()),
        Err(TryLockError::Error(fault)) => {
            Err(fault).with_context(|| format!("cannot lock {}", lock_path.display()))
        }
    }
}

/// Returns the folder that `path` lies in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Brings the name of a file that was made to the disk.
#[cfg(unix)]
fn sync_folder_of(path: &Path) -> Result<()> {
    File::open(folder_of(path))
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("cannot bring {} to the disk", path.display()))
}

#[cfg(not(unix))]
fn sync_folder_of(_: &Path) -> Result<()> {
    Ok(())
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}
