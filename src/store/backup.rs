//! Copies of the store: made while others read and write it, looked at before they count, and found again.
//!
//! A backup is two files: the copy, and beside it a record (`.json`) of what it is, with its SHA-256. The record is
//! there before the copy has its name, so a copy without one was not made here, or not to its end.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::files::{
    beside, folder_of, private_file, private_folder, remove_if_there, remove_journals,
    sync_folder_of,
};
use super::pages::look;
use super::{CHAINED_SINCE, Store, StoreFault, is_damage};
use crate::model::ids::hex;
use crate::model::moment::utc_from_ms;

/// The format of the record.
const FORMAT: &str = "leadmill-backup-1";
/// Begins the name of every backup; a command goes on with the instant: `leadmill-2026-11-20T190000Z.db`.
const PREFIX: &str = "leadmill-";

/// What a backup is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupRecord {
    format: String,
    /// SHA-256 of the copy.
    pub sha256: String,
    /// Its bytes.
    pub bytes: u64,
    /// When it was made; those that a new leadmill makes before it changes the schema do not say.
    pub taken_at: Option<String>,
    /// The leadmill that made it.
    pub version: String,
    /// Steps of the schema that it has.
    pub schema: i64,
    /// The latest run that it knows.
    pub latest_run: Option<String>,
    /// As of when that was.
    pub latest_as_of: Option<String>,
    /// Submissions in it.
    pub submissions: u64,
    /// Leads in it.
    pub leads: u64,
    /// Records of the consent ledger in it.
    pub consents: u64,
    /// Hash of the last of them.
    pub ledger_head: String,
}

/// A copy that lies in a folder of backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The copy.
    pub path: PathBuf,
    /// What it is; none where its record is missing or says something else.
    pub record: Option<BackupRecord>,
}

impl Listed {
    /// Returns what backups are ordered by: what they know, and when they were made.
    fn age(&self) -> (Option<&str>, Option<&str>) {
        let record = self.record.as_ref();
        let taken = record.and_then(|record| record.taken_at.as_deref());
        let known = record.and_then(|record| record.latest_as_of.as_deref());
        (taken.or(known), known)
    }
}

/// Returns the folder in which backups of the store at `store` lie unless somebody names another.
pub fn folder(store: &Path) -> PathBuf {
    folder_of(store).join("backups")
}

/// Returns the name of a backup that is made at `now_ms`, milliseconds since 1970 UTC.
pub fn name_at(now_ms: i64) -> String {
    format!("{PREFIX}{}.db", stamp(now_ms))
}

/// Writes an instant, milliseconds since 1970 UTC, as it stands in the names of files.
pub fn stamp(ms: i64) -> String {
    utc_from_ms(ms).format("%Y-%m-%dT%H%M%SZ").to_string()
}

/// Returns where the record of the backup at `backup` lies.
pub fn record_path(backup: &Path) -> PathBuf {
    beside(backup, ".json")
}

/// Returns how to get the store at `store` back, with its newest backup, for whoever has to be told.
pub(super) fn way_back(store: &Path) -> String {
    let folder = folder(store);
    let newest = list(&folder).ok().and_then(|mut all| {
        all.retain(|one| one.record.is_some());
        all.pop()
    });
    let look = "`leadmill doctor --deep` looks at all of it";
    match newest {
        Some(Listed { path, record: Some(record) }) => {
            let of = record.taken_at.or(record.latest_as_of).unwrap_or_default();
            format!(
                "hint: `leadmill restore {}` puts the backup of {of} in its place; {look}",
                path.display()
            )
        }
        _ => format!(
            "hint: {look}; `leadmill restore FILE` puts a backup in its place, but there is none in {}",
            folder.display()
        ),
    }
}

/// Returns the backups in `folder`, the oldest first.
pub fn list(folder: &Path) -> Result<Vec<Listed>> {
    let naming = || format!("cannot read {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(fault) => return Err(fault).with_context(naming),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.with_context(naming)?.path();
        if path.extension().is_some_and(|kind| kind == "db") && path.is_file() {
            let bytes = path.metadata().map_or(0, |found| found.len());
            let record = read_record(&path).filter(|record| record.bytes == bytes);
            found.push(Listed { path, record });
        }
    }
    found.sort_by(|a, b| a.age().cmp(&b.age()).then_with(|| a.path.cmp(&b.path)));
    Ok(found)
}

/// Removes the oldest of the backups in `folder` that a command made, but for `keep`; returns which.
///
/// Those that a new leadmill made of an older store, and whatever has no record, are left alone.
pub fn keep_newest(folder: &Path, keep: usize) -> Result<Vec<PathBuf>> {
    let mut made = list(folder)?;
    let has_instant = |one: &Listed| one.record.as_ref().is_some_and(|it| it.taken_at.is_some());
    let is_named = |one: &Listed| {
        one.path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
    };
    made.retain(|one| has_instant(one) && is_named(one));
    let kept = made.split_off(made.len().saturating_sub(keep));
    remove_records_alone(folder, kept.first())?;
    let mut removed = Vec::new();
    for one in made {
        let naming = || format!("cannot remove {}", one.path.display());
        // The copy first: a record without one is nothing, a copy without a record is a riddle.
        fs::remove_file(&one.path).with_context(naming)?;
        remove_if_there(&record_path(&one.path)).with_context(naming)?;
        removed.push(one.path);
    }
    Ok(removed)
}

/// Removes the records of backups from before `oldest` whose copies are gone: somebody was killed who removed both.
fn remove_records_alone(folder: &Path, oldest: Option<&Listed>) -> Result<()> {
    let taken_at = |record: Option<BackupRecord>| record.and_then(|record| record.taken_at);
    let Some(since) = taken_at(oldest.and_then(|one| one.record.clone())) else { return Ok(()) };
    let naming = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(naming)? {
        let path = entry.with_context(naming)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(copy) = name.strip_suffix(".json").filter(|copy| copy.starts_with(PREFIX)) else {
            continue;
        };
        let copy = folder.join(copy);
        // One that is newer may be about to get its copy.
        if !copy.exists() && taken_at(read_record(&copy)).is_some_and(|taken| taken < since) {
            remove_if_there(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Reads the record of the backup at `backup`; none when there is none, or it cannot be read.
pub fn read_record(backup: &Path) -> Option<BackupRecord> {
    let record: BackupRecord = serde_json::from_slice(&fs::read(record_path(backup)).ok()?).ok()?;
    (record.format == FORMAT).then_some(record)
}

/// Looks at the whole of the store at `path`, which nobody writes to: its pages as SQLite sees them, what its rows
/// refer to, and its consent ledger. Returns what it is.
///
/// # Errors
/// What `refuse` makes of a problem that was found; [`StoreFault::Damaged`] when it is of a newer leadmill or no store
/// of leadmill's.
pub(super) fn examine(
    path: &Path,
    taken_at: Option<String>,
    refuse: &dyn Fn(&str) -> anyhow::Error,
) -> Result<BackupRecord> {
    match look_through(path, taken_at, refuse) {
        // What SQLite cannot even read.
        Err(fault) if is_damage(&fault) && !fault.is::<StoreFault>() => {
            Err(refuse(&format!("{fault:#}")))
        }
        other => other,
    }
}

fn look_through(
    path: &Path,
    taken_at: Option<String>,
    refuse: &dyn Fn(&str) -> anyhow::Error,
) -> Result<BackupRecord> {
    let store = Store::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    store.check_identity(false)?;
    let problem = store.integrity()?.into_iter().next();
    let problem = problem.or(store.dangling()?.into_iter().next().map(|it| it.to_string()));
    if let Some(problem) = problem {
        return Err(refuse(&problem));
    }
    let schema: i64 = store.pragma("user_version")?;
    let mut ledger_head = String::new();
    if schema >= CHAINED_SINCE as i64 {
        let verified = store.verify_ledger(None)?;
        if let Some((seq, problem)) = verified.problems.first() {
            return Err(refuse(&format!("record {seq} of its consent ledger {problem}")));
        }
        ledger_head = hex(&verified.head.hash);
    }
    let latest = store.latest_of_any_schema()?;
    let count = |table: &str| -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {table}");
        Ok(store.connection.query_row(&sql, [], |row| row.get::<_, i64>(0))? as u64)
    };
    let (sha256, bytes) = hash_of(path)?;
    Ok(BackupRecord {
        format: FORMAT.to_owned(),
        sha256,
        bytes,
        taken_at,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema,
        latest_as_of: latest.as_ref().map(|(_, as_of_ms)| instant(*as_of_ms)),
        latest_run: latest.map(|(id, _)| id),
        submissions: count("submission")?,
        leads: count("lead WHERE merged_into IS NULL")?,
        consents: count("consent_record")?,
        ledger_head,
    })
}

/// Writes an instant as records do.
pub fn instant(ms: i64) -> String {
    utc_from_ms(ms).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Returns the SHA-256 of the file at `path`, and its bytes.
pub(super) fn hash_of(path: &Path) -> Result<(String, u64)> {
    let naming = || format!("cannot read {}", path.display());
    let mut file = super::files::reading(path).with_context(naming)?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 18]);
    loop {
        let read = file.read(&mut buffer).with_context(naming)?;
        if read == 0 {
            return Ok((hex(&hash.finalize()), bytes));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}

impl Store {
    /// Copies the store to `path` as it is now, for a dry run.
    pub fn copy_to(&self, path: &Path) -> Result<()> {
        let mut copy =
            Connection::open(path).with_context(|| format!("cannot create {}", path.display()))?;
        // In one step: between two, somebody could write, and it would begin anew.
        rusqlite::backup::Backup::new(&self.connection, &mut copy)?
            .run_to_completion(i32::MAX, Duration::from_millis(50), None)
            .with_context(|| format!("cannot copy the store to {}", path.display()))
    }

    /// Backs the store up to `path`, as it is at one moment; others may read and write it meanwhile. What is there
    /// already is replaced once the new one is found to be sound.
    ///
    /// # Errors
    /// [`StoreFault::Damaged`] when the store, or the copy, is damaged: then there is no new backup.
    pub fn back_up(&self, path: &Path, taken_ms: Option<i64>) -> Result<BackupRecord> {
        let naming = || format!("cannot write {}", path.display());
        private_folder(folder_of(path)).with_context(naming)?;
        let part = beside(path, ".part");
        let clear = || remove_if_there(&part).and_then(|()| remove_journals(&part));
        clear().with_context(naming)?;
        private_file(&part).with_context(naming)?;
        let outcome = self.copy_sound(&part, taken_ms).and_then(|record| {
            sync(&part).with_context(naming)?;
            write_record(path, &record)?;
            fs::rename(&part, path).with_context(naming)?;
            sync_folder_of(path).with_context(naming)?;
            Ok(record)
        });
        if outcome.is_err() {
            let _ = clear();
        }
        outcome
    }

    fn copy_sound(&self, part: &Path, taken_ms: Option<i64>) -> Result<BackupRecord> {
        // What is wrong with the copy was wrong with the store: its pages were held against their checksums.
        let refuse = |problem: &str| self.damaged(problem);
        // What is read here stays as it is until the copy is made.
        self.begin_reading()?;
        let copied = self.pin().and_then(|()| {
            let found = look::pages(&self.path)?;
            if found.is_damaged() {
                return Err(self.damaged("there are pages that are not as they were written"));
            }
            self.copy_to(part)
        });
        self.rollback()?;
        copied?;
        let naming = || format!("cannot write {}", part.display());
        be_one_file(part).with_context(naming)?;
        examine(part, taken_ms.map(instant), &refuse)
    }

    /// Reads something, so that the open transaction is of this moment.
    pub(super) fn pin(&self) -> Result<()> {
        Ok(self.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?)
    }

    /// Returns the latest run and its as-of; every schema there was can be asked.
    fn latest_of_any_schema(&self) -> Result<Option<(String, i64)>> {
        let sql = "SELECT id, as_of_ms FROM run ORDER BY run_no DESC LIMIT 1";
        let of_row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        Ok(self.connection.query_row(sql, [], of_row).optional()?)
    }

    /// Keeps the store as it was before its schema is changed. The name says the latest run, too: a store of that
    /// schema that somebody puts in its place later is another one.
    pub(super) fn back_up_before_migration(&self, schema: i64) -> Result<()> {
        let run = self.latest_of_any_schema()?.map_or_else(String::new, |(id, _)| format!("-{id}"));
        let path = folder(&self.path).join(format!("{PREFIX}schema-{schema:04}{run}.db"));
        self.back_up(&path, None).map(drop).map_err(|fault| {
            let what = "cannot back the store up before its schema is changed; nothing was changed";
            if !is_damage(&fault) {
                return fault.context(what);
            }
            StoreFault::Damaged(format!(
                "{what}: {fault:#}; the leadmill that made it still opens it, and its `leadmill rebuild` mends what \
                 follows from other rows"
            ))
            .into()
        })
    }
}

/// Lets the database at `path` be one file, to be carried about without another beside it.
fn be_one_file(path: &Path) -> Result<()> {
    let copy = Connection::open(path)?;
    let _: String = copy.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    copy.close().map_err(|(_, fault)| fault)?;
    remove_journals(path)?;
    // SQLite answers `delete` also where it could not write that down, and then the file still says that there is a WAL
    // (<https://sqlite.org/fileformat.html>, 1.3: bytes 18 and 19).
    let mut head = [0; 20];
    File::open(path)?.read_exact(&mut head)?;
    anyhow::ensure!(head[18..] == [1, 1], "the disk did not take that it has no WAL");
    Ok(())
}

fn sync(path: &Path) -> std::io::Result<()> {
    File::options().write(true).open(path)?.sync_all()
}

fn write_record(backup: &Path, record: &BackupRecord) -> Result<()> {
    let path = record_path(backup);
    let naming = || format!("cannot write {}", path.display());
    let part = beside(&path, ".part");
    let mut file = private_file(&part).with_context(naming)?;
    file.set_len(0).with_context(naming)?;
    let text = serde_json::to_string_pretty(record)? + "\n";
    file.write_all(text.as_bytes()).with_context(naming)?;
    file.sync_all().with_context(naming)?;
    fs::rename(&part, &path).with_context(naming)
}
