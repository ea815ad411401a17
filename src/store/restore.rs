//! Putting a backup in the place of the store, in steps each of which can be killed.
//!
//! The old store is moved aside, never overwritten. A file beside the store says that a restore has begun, and with
//! which backup; until it is gone, nothing but that restore opens the store. So nobody makes a new store where the old
//! one has just been moved away, writes to one that does not know yet whom to forget, or sends what was sent already.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};
use rusqlite::{OpenFlags, params};
use serde::{Deserialize, Serialize};

use super::backup::{BackupRecord, examine, hash_of, read_record};
use super::deliveries::{Refused, TargetNo};
use super::files::{
    beside, move_if_there, private_file, reading, remove_if_there, remove_journals, sync_folder_of,
};
use super::outbox::ItemEnd;
use super::pages::wal_path;
use super::{DELIVER_LOCK, LOCK, Store, StoreFault, lock};

/// Code of what was not sent when the backup was made, and may have been since.
pub const RESTORED: &str = "restored";

/// Goes between the name of a store that stepped aside and the stamp.
pub const ASIDE: &str = ".before-";

/// Endings of what steps aside with it.
pub const GOES_ALONG: &[&str] = &["-wal", "-journal", ".sums"];

/// Whether this process is the one that restores, and may open the store meanwhile.
static IS_OURS: AtomicBool = AtomicBool::new(false);

/// What a restore that has begun is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// SHA-256 of the backup.
    pub sha256: String,
    /// The backup, as it was named.
    pub backup: String,
    /// Ends the name of whatever steps aside.
    pub stamp: String,
    /// Whether the old store had erased anybody; none where there was none, or it could not be asked.
    pub had_erased: Option<bool>,
}

/// A restore on its way.
#[derive(Debug)]
pub struct Restoring {
    store: PathBuf,
    /// What it is about.
    pub begun: Begun,
    /// Where the old store is.
    pub aside: PathBuf,
    /// What the backup is.
    pub record: BackupRecord,
    /// Whether the backup had a record to be held against.
    pub had_record: bool,
    /// Whether an earlier attempt had begun.
    pub is_continued: bool,
}

/// Fails when the store at `path` is about to be replaced by a backup, and that was not finished.
pub(super) fn expect_whole(path: &Path) -> Result<()> {
    if IS_OURS.load(Ordering::Relaxed) {
        return Ok(());
    }
    let Some(begun) = begun(path)? else { return Ok(()) };
    Err(StoreFault::Damaged(format!(
        "{} is about to be restored, and that was not finished\nhint: `leadmill restore {}` ends it",
        path.display(),
        begun.backup
    ))
    .into())
}

/// Returns what the restore is about that has begun at the store at `path`, if one has.
pub fn begun(path: &Path) -> Result<Option<Begun>> {
    let path = mark_path(path);
    let naming = || format!("cannot read {}", path.display());
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).map(Some).with_context(naming),
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(fault).with_context(naming),
    }
}

fn mark_path(store: &Path) -> PathBuf {
    beside(store, ".restore")
}

fn part_path(store: &Path) -> PathBuf {
    beside(store, ".restoring")
}

fn aside_path(store: &Path, stamp: &str) -> PathBuf {
    beside(store, &format!("{ASIDE}{stamp}"))
}

impl Restoring {
    /// Puts the backup at `backup` in the place of the store at `store`, which moves aside to a name that ends in
    /// `stamp`. From here on nothing else opens the store until [`Restoring::finish`].
    ///
    /// # Errors
    /// [`StoreFault`] inside the error when the store is held by another process, another restore has begun, or the
    /// backup is damaged or of a newer leadmill: then nothing was changed.
    pub fn begin(store: &Path, backup: &Path, stamp: &str) -> Result<Self> {
        let _locks = (lock(store, LOCK)?, lock(store, DELIVER_LOCK)?);
        let shown = backup.display();
        if wal_path(backup).metadata().is_ok_and(|found| found.len() > 0) {
            return Err(StoreFault::Damaged(format!(
                "{shown} is no backup but a store of its own: what was committed last stands in {}; nothing was \
                 changed\nhint: `leadmill --store {shown} backup FILE.db` makes a backup of it",
                wal_path(backup).display()
            ))
            .into());
        }
        let record = read_record(backup);
        if record.is_none() && !is_database(backup) {
            return Err(StoreFault::Damaged(format!(
                "{shown} is no backup of a leadmill store; nothing was changed\nhint: `leadmill backup --list` shows \
                 which there are"
            ))
            .into());
        }
        let taken_at = record.as_ref().and_then(|record| record.taken_at.clone());
        let found = examine(backup, taken_at, &|problem| refuse(backup, problem))?;
        if record.as_ref().is_some_and(|record| record.sha256 != found.sha256) {
            return Err(StoreFault::Damaged(format!(
                "{shown} is not what its record says that it is; nothing was changed\nhint: take another backup; \
                 `leadmill backup --list` shows them"
            ))
            .into());
        }
        let before = begun(store)?;
        if let Some(other) = before.as_ref().filter(|before| before.sha256 != found.sha256) {
            return Err(StoreFault::Damaged(format!(
                "{} is about to be restored from another backup\nhint: `leadmill restore {}` ends that first",
                store.display(),
                other.backup
            ))
            .into());
        }
        let is_continued = before.is_some();
        let begun = match before {
            Some(begun) => begun,
            None => Self::prepare(store, backup, &found.sha256, stamp)?,
        };
        IS_OURS.store(true, Ordering::Relaxed);
        let aside = aside_path(store, &begun.stamp);
        swap(store, &aside)?;
        Ok(Self {
            store: store.to_owned(),
            begun,
            aside,
            record: found,
            had_record: record.is_some(),
            is_continued,
        })
    }

    /// Copies the backup beside the store and marks the restore as begun.
    fn prepare(store: &Path, backup: &Path, sha256: &str, stamp: &str) -> Result<Begun> {
        let part = part_path(store);
        let naming = || format!("cannot copy {} to {}", backup.display(), part.display());
        remove_if_there(&part).with_context(naming)?;
        let mut to = private_file(&part).with_context(naming)?;
        let mut from = File::open(backup).with_context(naming)?;
        std::io::copy(&mut from, &mut to).with_context(naming)?;
        to.sync_all().with_context(naming)?;
        drop(to);
        let (copied, _) = hash_of(&part)?;
        anyhow::ensure!(copied == sha256, "{} changed while it was copied", backup.display());
        // As a store is, so that nothing has to be changed in it once it is in its place.
        remove_journals(&part).with_context(naming)?;
        let connection = rusqlite::Connection::open(&part).with_context(naming)?;
        let mode: String = connection
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .with_context(naming)?;
        anyhow::ensure!(mode == "wal", "the copy's journal is `{mode}`");
        connection.close().map_err(|(_, fault)| fault).with_context(naming)?;
        remove_journals(&part).with_context(naming)?;
        File::open(&part).and_then(|file| file.sync_all()).with_context(naming)?;
        let numbered = (2..).map(|attempt| format!("{stamp}-{attempt}"));
        let mut stamps = std::iter::once(stamp.to_owned()).chain(numbered);
        let is_free = |stamp: &String| !aside_path(store, stamp).exists();
        let begun = Begun {
            sha256: sha256.to_owned(),
            backup: fs::canonicalize(backup)
                .unwrap_or_else(|_| backup.to_owned())
                .display()
                .to_string(),
            stamp: stamps.find(is_free).context("no name is free for the old store")?,
            had_erased: has_erased(store),
        };
        let mark = mark_path(store);
        let naming = || format!("cannot write {}", mark.display());
        let new = beside(&mark, "-new");
        let mut file = private_file(&new).with_context(naming)?;
        file.set_len(0).with_context(naming)?;
        file.write_all(serde_json::to_string(&begun)?.as_bytes()).with_context(naming)?;
        file.sync_all().with_context(naming)?;
        fs::rename(&new, &mark).with_context(naming)?;
        sync_folder_of(&mark).with_context(naming)?;
        Ok(begun)
    }

    /// Ends the restore: from here on the store can be opened as any.
    pub fn finish(self) -> Result<()> {
        let mark = mark_path(&self.store);
        let naming = || format!("cannot remove {}", mark.display());
        remove_if_there(&mark).with_context(naming)?;
        sync_folder_of(&mark).with_context(naming)?;
        IS_OURS.store(false, Ordering::Relaxed);
        Ok(())
    }
}

/// Returns whether the file at `path` begins as SQLite's do (<https://sqlite.org/fileformat.html>, 1.3).
fn is_database(path: &Path) -> bool {
    let mut start = [0; 16];
    let read = reading(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"SQLite format 3\0"
}

fn refuse(backup: &Path, problem: &str) -> anyhow::Error {
    StoreFault::Damaged(format!(
        "{} is damaged: {problem}; nothing was changed\nhint: take another backup; `leadmill backup --list` shows them",
        backup.display()
    ))
    .into()
}

/// Returns whether the store at `path` has erased anybody; none where it cannot be asked.
fn has_erased(path: &Path) -> Option<bool> {
    let store = Store::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    store.check_identity(false).ok()?;
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'erasure'";
    let tables: i64 = store.connection.query_row(sql, [], |row| row.get(0)).ok()?;
    Some(tables > 0 && store.erasure_key().ok()?.is_some())
}

/// Moves the old store aside and the copy of the backup into its place. Done again after a kill, it goes on where it
/// was.
fn swap(store: &Path, aside: &Path) -> Result<()> {
    let part = part_path(store);
    if !part.exists() {
        return Ok(());
    }
    let naming = || format!("cannot move {} aside", store.display());
    // The copy is complete, so whatever lies in the store's place is the old one. What stands in its journals must not
    // be taken for the new one's.
    for ending in [&[""], GOES_ALONG].concat() {
        let (from, to) = (beside(store, ending), beside(aside, ending));
        let is_empty = from.metadata().is_ok_and(|found| found.len() == 0);
        if is_empty && ["-wal", "-journal"].contains(&ending) {
            remove_if_there(&from).with_context(naming)?;
        } else {
            move_if_there(&from, &to).with_context(naming)?;
        }
    }
    remove_if_there(&beside(store, "-shm")).with_context(naming)?;
    fs::rename(&part, store).with_context(naming)?;
    sync_folder_of(store).with_context(naming)
}

impl Store {
    /// Holds everything that waits to be sent: it may have been since the backup was made, and nobody knows. Returns
    /// how much that is.
    pub fn hold_unsent(&self, now_ms: i64) -> Result<u64> {
        let reason = "it waited when the backup was made, and may have been sent since";
        self.begin()?;
        let waiting: Vec<(i64, i64, String)> = self
            .connection
            .prepare(
                "SELECT outbox_no, target_no, item FROM outbox WHERE state IN ('pending', 'claimed')
                 ORDER BY outbox_no",
            )?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (no, target, item) in &waiting {
            let target = TargetNo(*target);
            self.end_item(*no, ItemEnd::Held, RESTORED, reason, now_ms)?;
            let refused = Refused { code: RESTORED, column: "", reason, run: None, at_ms: now_ms };
            self.keep_dead_letter(target, item, refused)?;
            self.forget_delivered(target, item)?;
        }
        self.connection.execute(
            "UPDATE outbox_request SET state = 'held', unknowns = unknowns + 1, last_code = ?1, next_ms = ?2,
                 first_failure_ms = coalesce(first_failure_ms, ?2)
             WHERE state IN ('inflight', 'waiting', 'unknown')",
            params![RESTORED, now_ms],
        )?;
        // Also those that an attempt before held.
        let held: i64 = self.connection.query_row(
            "SELECT count(*) FROM outbox WHERE state = 'held' AND code = ?1",
            [RESTORED],
            |row| row.get(0),
        )?;
        self.commit()?;
        Ok(held as u64)
    }
}
