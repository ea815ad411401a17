//! Everything leadmill knows, in one SQLite file.
//!
//! This room owns the file, its schema, its transactions and its lock. It must not decide anything about a lead: it is
//! told rows and answers rows. Start at [`Store::open`]; [`ingest`] takes rows in, [`absorb`] answers who shares a key,
//! [`identifying`] what else they share, [`touches`] what people did, [`verdicts`] and [`model`] what they said and
//! accepted, [`leads`] and [`tasks`] keep what was decided, [`ledger`] who agreed to what and [`denials`] who takes it
//! back, [`listing`], [`accounts`], [`quarantine`] and [`history`] read for files and people, [`deliveries`] keeps what
//! targets were given, [`outbox`] what is sent to them and [`letters`] what of that is stuck, [`runs`] keeps the books
//! and recovers from a killed run; [`undo`] takes a run's rows back, [`replay`], [`looks`], [`turns`], [`rescore`] and
//! [`rules`] keep what deciding anew needs, [`erase`] takes a person out, [`retention`] what is too old, and [`key`]
//! lets nobody else know them again; [`loads`] counts who got how many leads, [`totals`] how many there are where,
//! [`metrics`] reads what reports about enquiries are made of. [`pages`] finds a byte that changed on the disk,
//! [`health`] what else can be wrong; [`backup`] and [`restore`] are the way back.

pub mod absorb;
pub mod accounts;
pub mod alerts;
pub mod backup;
pub mod codec;
pub mod deliveries;
pub mod denials;
pub mod erase;
mod fault;
pub mod files;
pub mod health;
pub mod history;
pub mod identifying;
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
mod migrating;
pub mod model;
pub mod outbox;
pub mod page;
pub mod pages;
mod place;
pub mod points;
pub mod quarantine;
pub mod replay;
pub mod rescore;
pub mod restore;
pub mod retention;
pub mod rules;
pub mod runs;
pub mod stopping;
pub mod tasks;
pub mod tenure;
pub mod totals;
pub mod touches;
pub mod turns;
pub mod undo;
pub mod verdicts;

use std::cell::RefCell;
use std::fs::{File, TryLockError};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

pub use fault::{StoreFault, is_damage, way_back_from, way_out_of_full_disk};
use files::{beside, hold, private_file, sync_folder_of};
use pages::WrittenBack;

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
    include_str!("migrations/0023_checksums.sql"),
    include_str!("migrations/0024_records.sql"),
    include_str!("migrations/0025_totals.sql"),
    include_str!("migrations/0026_deal_amounts.sql"),
    include_str!("migrations/0027_glances.sql"),
    include_str!("migrations/0028_answers.sql"),
    include_str!("migrations/0029_identifying.sql"),
    include_str!("migrations/0030_counting.sql"),
    include_str!("migrations/0031_given_by_item.sql"),
];

const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// The step that chains the ledger.
const CHAINED_SINCE: usize = 16;

/// Returns whether SQLite of this version keeps what it committed. Earlier ones can lose writes when a WAL is reset
/// (<https://sqlite.org/wal.html#the_wal_reset_bug>); the fix is in 3.51.3 and was carried back to 3.50.7 and 3.44.6.
pub fn is_safe_sqlite(version: i32) -> bool {
    version >= 3_051_003
        || (3_050_007..3_051_000).contains(&version)
        || (3_044_006..3_045_000).contains(&version)
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    /// Outlives the connection: see [`files`].
    _file: Arc<File>,
    /// Held for as long as the store is open for writing.
    lock: Option<Lock>,
    /// Whether the store was found to be one that is ours to write back.
    is_ready: bool,
    /// What ends whatever it is asked: see [`stopping`].
    stop: RefCell<Option<Arc<AtomicBool>>>,
}

/// Ending of the file with the lock of whoever writes.
pub const LOCK: &str = ".lock";
/// Ending of the file with the lock of `deliver`, which writes to the outbox alone.
pub const DELIVER_LOCK: &str = ".deliver.lock";

/// How long a lock of SQLite's is waited for.
const WAIT: Duration = Duration::from_secs(5);

/// What a view keeps of the store in memory, KiB: it goes through each table once.
const VIEW_CACHE_KIB: i64 = 16_384;

/// A process lock; the kernel frees it when the process dies.
///
/// From the moment at which something is written until all of it has its checksums, the number of the process stands in
/// the file: whoever finds one there knows that somebody left something.
#[derive(Debug)]
struct Lock {
    file: File,
    path: PathBuf,
    /// Whether the number of a process stands there.
    is_signed: bool,
}

impl Lock {
    /// Takes the lock whose file ends in `ending`, of the store at `store`; none when somebody has it.
    fn try_take(store: &Path, ending: &str) -> Result<Option<Self>> {
        let path = beside(store, ending);
        let naming = || format!("cannot lock {}", path.display());
        let file = private_file(&path).with_context(naming)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(fault)) => return Err(fault).with_context(naming),
        }
        let is_signed = file.metadata().with_context(naming)?.len() > 0;
        Ok(Some(Self { file, path, is_signed }))
    }

    fn sign(&mut self) -> Result<()> {
        let mut sign = || {
            self.file.set_len(0)?;
            self.file.rewind()?;
            write!(self.file, "{}", std::process::id())
        };
        sign().with_context(|| format!("cannot write {}", self.path.display()))?;
        self.is_signed = true;
        Ok(())
    }

    fn clear(&mut self) {
        // Else the next writer looks after nothing.
        self.is_signed = self.file.set_len(0).is_err();
    }

    /// Returns whether another program, such as SQLite's own shell, may have written back what somebody left in the WAL
    /// of the store at `store`.
    fn may_be_merged(&self, store: &Path) -> bool {
        self.is_signed && pages::look::may_be_merged(store, &self.path)
    }
}

/// Takes the process lock beside the store: SQLite's own locks do not protect a plan that reads
/// first and writes later.
///
/// # Errors
/// [`StoreFault`] inside the error when another process has it, or the store lies on another machine.
fn lock(path: &Path, ending: &str) -> Result<Lock> {
    expect_place(path)?;
    place::check(path)?;
    // Whoever only looks whether somebody has it has it for a moment.
    for _ in 0..3 {
        if let Some(lock) = Lock::try_take(path, ending)? {
            return Ok(lock);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(StoreFault::Locked(path.to_owned()).into())
}

impl Store {
    /// Opens the store at `path` for writing, making it when there is none, and locks it.
    ///
    /// A store of an older leadmill is backed up and brought up to date.
    ///
    /// # Errors
    /// [`StoreFault`] inside the error when another process holds it or the file is not usable;
    /// nothing is written then.
    pub fn open(path: &Path) -> Result<Self> {
        let lock = lock(path, LOCK)?;
        restore::expect_whole(path)?;
        let is_new = !path.exists();
        if is_new {
            // SQLite would make the file with the umask's mode; leads are nobody else's business.
            private_file(path).with_context(|| format!("cannot create {}", path.display()))?;
        } else {
            finish_beginning(path)?;
            Self::expect_own(path, true)?;
        }
        let mut store = Self::connect(path, OpenFlags::default())?;
        store.get_ready(lock, DELIVER_LOCK)?;
        store.migrate()?;
        if is_new {
            // SQLite does so, too, but says nothing when it could not.
            sync_folder_of(path)
                .with_context(|| format!("cannot bring {} to the disk", path.display()))?;
        }
        Ok(store)
    }

    /// The same for a store that is there.
    ///
    /// # Errors
    /// As [`Store::open`], and [`StoreFault::Missing`] when there is none.
    pub fn open_existing(path: &Path) -> Result<Self> {
        expect_there(path)?;
        Self::open(path)
    }

    /// The same where there may be none yet.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_if_there(path: &Path) -> Result<Option<Self>> {
        // In the midst of a restore there is none for a moment.
        restore::expect_whole(path)?;
        path.exists().then(|| Self::open(path)).transpose()
    }

    /// Opens the store at `path` for reading; a run may go on meanwhile.
    ///
    /// # Errors
    /// [`StoreFault`] inside the error when there is none or the file is not usable.
    pub fn open_read_only(path: &Path) -> Result<Self> {
        expect_there(path)?;
        let store = Self::expect_own(path, false)?;
        if store.pragma::<i64>("user_version")? < SCHEMA_VERSION {
            return Err(StoreFault::Damaged(format!(
                "{} was made by an older leadmill\nhint: the next `leadmill run` brings it up to date",
                path.display()
            ))
            .into());
        }
        store.connection.set_prepared_statement_cache_capacity(64);
        Ok(store)
    }

    /// Returns another view of this store, for another thread: it reads what was committed last, and nothing that is
    /// written while it is there.
    pub fn view(&self) -> Result<Self> {
        let view = Self::connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        view.connection.busy_timeout(WAIT)?;
        view.connection.pragma_update(None, "cache_size", -VIEW_CACHE_KIB)?;
        view.connection.set_prepared_statement_cache_capacity(64);
        self.stop_with_it(&view)?;
        view.begin_reading()?;
        Ok(view)
    }

    /// Opens the store at `path` for `deliver`, which writes to the outbox in transactions of a few rows and so needs
    /// no lock against runs; another `deliver` is locked out.
    ///
    /// # Errors
    /// [`StoreFault`] inside the error when there is none, another `deliver` holds it, or it is not usable.
    pub fn open_for_delivery(path: &Path) -> Result<Self> {
        expect_there(path)?;
        let lock = lock(path, DELIVER_LOCK)?;
        restore::expect_whole(path)?;
        let found = Self::expect_own(path, false)?;
        if found.pragma::<i64>("user_version")? < SCHEMA_VERSION {
            drop((found, lock));
            // Only who holds the store may change its tables; they look at both locks.
            drop(Self::open(path)?);
            return Self::open_for_delivery(path);
        }
        drop(found);
        let mut store = Self::connect(path, OpenFlags::default())?;
        store.get_ready(lock, LOCK)?;
        Ok(store)
    }

    /// Sets the store up to be written to by whoever has `lock`, and looks after what those left who had it before, or
    /// the other one, that ends in `other`. From here on the store has to be closed well.
    fn get_ready(&mut self, lock: Lock, other: &str) -> Result<()> {
        let mut left = None;
        if beside(&self.path, other).exists() {
            left = Lock::try_take(&self.path, other)?.filter(|other| other.is_signed);
        }
        let is_merged = left.iter().chain([&lock]).any(|lock| lock.may_be_merged(&self.path));
        self.lock = Some(lock);
        self.set_pragmas()?;
        self.take_up_checksums(is_merged)?;
        self.is_ready = true;
        self.lock.as_mut().map_or(Ok(()), Lock::sign)?;
        if let Some(mut left) = left {
            left.clear();
        }
        Ok(())
    }

    /// Opens the store at `path` to be looked at, once it is found to be one of ours, or, where it may be, nothing yet.
    /// A connection that cannot write changes no byte of somebody else's file, not even by closing it.
    fn expect_own(path: &Path, may_be_blank: bool) -> Result<Self> {
        let store = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        store.check_identity(may_be_blank)?;
        Ok(store)
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self> {
        let naming = || format!("cannot open the store {}", path.display());
        let file = hold(path).with_context(naming)?;
        let connection = Connection::open_with_flags(path, flags).with_context(naming)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            _file: file,
            lock: None,
            is_ready: false,
            stop: RefCell::default(),
        })
    }

    /// Begins a transaction of a few rows, unless somebody else writes and goes on to; returns whether it did.
    pub fn begin_if_free(&self) -> Result<bool> {
        match self.connection.execute_batch("BEGIN IMMEDIATE") {
            Ok(()) => Ok(true),
            Err(fault) if fault.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
            Err(fault) => Err(fault).context("cannot begin a transaction"),
        }
    }

    /// Returns where the store lies.
    pub fn path(&self) -> &Path {
        &self.path
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
        self.connection.execute_batch("COMMIT").with_context(naming)?;
        self.write_back_if_large()
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
            is_safe_sqlite(rusqlite::version_number()),
            "this build carries SQLite {}, which can lose data; 3.51.3 or later is needed",
            rusqlite::version()
        );
        let path = self.path.display();
        let unread = |fault: anyhow::Error| {
            let cause = fault.downcast_ref::<rusqlite::Error>();
            match cause.and_then(rusqlite::Error::sqlite_error_code) {
                // SQLite must write beside the file even to read it.
                Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => fault.context(format!(
                    "cannot read {path}: its folder must be writable; let this user write there, or copy the \
                     store to where it may"
                )),
                Some(ErrorCode::NotADatabase) if !self.was_ours() => {
                    StoreFault::Damaged(not_a_store(&self.path)).into()
                }
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                    self.damaged(&format!("it is not a usable store ({fault:#})"))
                }
                // The disk's fault, not the file's: nobody should put a sound store aside for it.
                _ => fault.context(format!("cannot read {path}")),
            }
        };
        let id: i32 = self.pragma("application_id").map_err(unread)?;
        if id == 0 && self.is_blank().map_err(unread)? {
            let none = || StoreFault::Missing(self.path.clone()).into();
            return if may_be_blank { Ok(()) } else { Err(none()) };
        }
        let refused = |why: String| Err(StoreFault::Damaged(why).into());
        if id != APPLICATION_ID {
            return refused(not_a_store(&self.path));
        }
        let version: i64 = self.pragma("user_version")?;
        if version > SCHEMA_VERSION {
            return refused(format!(
                "{path} was made by a newer leadmill (schema {version}, this one knows {SCHEMA_VERSION}); nothing was \
                 changed\nhint: use that one, or `leadmill restore` a backup from before it"
            ));
        }
        Ok(())
    }

    /// Returns whether the file was ours, be it no database any more: a store has checksums beside it, a backup its
    /// record.
    fn was_ours(&self) -> bool {
        pages::sums_path(&self.path).exists() || backup::read_record(&self.path).is_some()
    }

    fn set_pragmas(&mut self) -> Result<()> {
        // 16 KiB pages: a tenth less time than 4 KiB on bulk loads; only a new file takes it.
        self.connection.pragma_update(None, "page_size", 16_384)?;
        let mode: String = self
            .connection
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .context("cannot switch the store to WAL")?;
        anyhow::ensure!(mode == "wal", "the store's journal is `{mode}` instead of `wal`");
        set_up_writer(&self.connection)?;
        self.checkpoint_on_close(false)?;
        self.connection.set_prepared_statement_cache_capacity(128);
        Ok(())
    }

    /// Lets SQLite write the WAL back and remove it when it closes the store, or not: see [`pages`].
    fn checkpoint_on_close(&self, does: bool) -> Result<()> {
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !does)?;
        Ok(())
    }

    /// Returns how many pages the store has.
    #[cfg(test)]
    pub(crate) fn pages(&self) -> Result<u32> {
        self.pragma("page_count")
    }

    /// Lets the store grow to so many pages; SQLite says then that the disk is full.
    #[cfg(test)]
    pub(crate) fn grow_to_at_most(&self, pages: u32) -> Result<()> {
        Ok(self.connection.pragma_update(None, "max_page_count", pages)?)
    }

    fn pragma<T: rusqlite::types::FromSql>(&self, name: &str) -> Result<T> {
        Ok(self.connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?)
    }
}

fn not_a_store(path: &Path) -> String {
    format!(
        "{} is not a leadmill store; nothing was changed\nhint: move it away to start anew, name another file with \
         `--store`, or `leadmill restore` a backup",
        path.display()
    )
}

/// Fails when no store can lie at `path`.
fn expect_place(path: &Path) -> Result<()> {
    if path.is_dir() || !files::folder_of(path).is_dir() {
        return Err(StoreFault::Nowhere(path.to_owned()).into());
    }
    Ok(())
}

/// Fails when there is no store at `path`; a restore that was not finished may have moved it away, and that is said
/// then.
fn expect_there(path: &Path) -> Result<()> {
    restore::expect_whole(path)?;
    if path.is_dir() {
        return expect_place(path);
    }
    if path.exists() { Ok(()) } else { Err(StoreFault::Missing(path.to_owned()).into()) }
}

/// Largest file of a store that has nothing in it yet: one page of the largest size.
const BEGINNING_BYTES_MAX: u64 = 65_536;

/// Lets SQLite take back what was begun of a new store by a process that died: until it has a WAL it has a rollback
/// journal, and a connection that cannot write is refused as long as that is there.
fn finish_beginning(path: &Path) -> Result<()> {
    let is_small = path.metadata().is_ok_and(|found| found.len() <= BEGINNING_BYTES_MAX);
    if is_small && beside(path, "-journal").exists() {
        let naming = || format!("cannot open the store {}", path.display());
        let connection = Connection::open(path).with_context(naming)?;
        let _: i64 = connection
            .query_row("PRAGMA schema_version", [], |row| row.get(0))
            .with_context(naming)?;
    }
    Ok(())
}

/// Sets a connection up as everything has it that writes.
fn set_up_writer(connection: &Connection) -> Result<()> {
    connection.busy_timeout(WAIT)?;
    Ok(connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA cache_size = -65536;
         PRAGMA wal_autocheckpoint = 0;",
    )?)
}

impl Drop for Store {
    /// Writes the WAL back and lets SQLite remove it, unless somebody else reads or writes: then they will.
    fn drop(&mut self) {
        if !self.is_ready || self.lock.is_none() {
            return;
        }
        let close = || -> Result<WrittenBack> {
            self.rollback()?;
            let written = self.write_back(true)?;
            self.checkpoint_on_close(written == WrittenBack::Whole)?;
            Ok(written)
        };
        let is_closed = close().is_ok_and(|written| written != WrittenBack::Not);
        if let Some(lock) = self.lock.as_mut().filter(|_| is_closed) {
            lock.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sqlite_that_loses_writes_is_known_by_its_version() {
        let check = |version: i32, expected: bool| {
            assert_eq!(is_safe_sqlite(version), expected, "{version}");
        };
        for version in [3_007_000, 3_044_005, 3_045_000, 3_050_006, 3_051_000, 3_051_002] {
            check(version, false);
        }
        for version in [3_044_006, 3_044_099, 3_050_007, 3_051_003, 3_053_002, 4_000_000] {
            check(version, true);
        }
        check(rusqlite::version_number(), true);
    }

    #[test]
    fn a_view_reads_what_was_committed_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("leadmill.db")).unwrap();
        let is_known = |store: &Store, id| store.known_target(id).unwrap().is_some();
        store.target_no("before").unwrap();
        store.begin().unwrap();
        store.target_no("meanwhile").unwrap();
        let view = store.view().unwrap();
        assert!(is_known(&view, "before"));
        store.commit().unwrap();
        assert!(!is_known(&view, "meanwhile"));
        assert!(view.target_no("mine").is_err());
        drop(view);
        assert!(is_known(&store.view().unwrap(), "meanwhile"));
    }

    #[test]
    fn who_writes_keeps_what_it_committed_and_overwrites_what_it_deleted() {
        let connection = Connection::open_in_memory().unwrap();
        set_up_writer(&connection).unwrap();
        for (name, expected) in [
            ("synchronous", 2),
            ("foreign_keys", 1),
            ("secure_delete", 1),
            ("wal_autocheckpoint", 0),
        ] {
            let sql = format!("PRAGMA {name}");
            let found: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert_eq!(found, expected, "{name}");
        }
    }
}
