//! Writing the WAL back, and giving its pages their checksums before.
//!
//! Everything that writes to the store holds back SQLite's own checkpoints, and comes here instead: when the WAL has
//! grown, when a command is done, and when the store is closed.

use std::io::ErrorKind;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rusqlite::{Connection, ErrorCode};

use super::sums::{Found, Sums, sums_path};
use super::wal::{Wal, by_page};
use super::{checksum, look};
use crate::store::files::{Reading, reading};
use crate::store::{Store, StoreFault, WAIT};

/// A WAL of so many pages is written back at the next commit. 4,000 of 16 KiB are 62 MiB.
const CHECKPOINT_PAGES: i64 = 4_000;

/// How long a transaction of somebody else's is waited for. `deliver` takes milliseconds; a run that decides takes
/// longer, and writes back itself.
const WAIT_FOR_WRITERS: Duration = Duration::from_secs(1);

/// How often, and after which pause, the WAL is tried to be emptied while somebody reads: five seconds in all.
const READERS_WAIT: (u32, Duration) = (50, Duration::from_millis(100));

/// How far the WAL came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum WrittenBack {
    /// It is empty.
    Whole,
    /// All of it has its checksums, but somebody reads the store, or it was not to be emptied.
    Sealed,
    /// Somebody writes: they, or the next command, will do it.
    Not,
}

/// What SQLite says of the WAL: frames, and those of them that are in the file already.
struct Log {
    is_busy: bool,
    frames: i64,
    written: i64,
}

impl Store {
    /// Writes the WAL back into the file and empties it, unless somebody reads the store: then the next one catches up.
    ///
    /// # Errors
    /// When it could not be done; SQLite's own checkpoint on close would be silent about that. [`StoreFault::Damaged`]
    /// when a page that is to be replaced is not as it was written.
    pub fn checkpoint(&self) -> Result<()> {
        self.write_back(true).map(drop)
    }

    /// Writes the WAL back and empties it, also when that means to wait for readers; returns whether it could be done.
    pub fn checkpoint_whole(&self) -> Result<bool> {
        let (times, pause) = READERS_WAIT;
        for _ in 0..times {
            match self.write_back(true)? {
                WrittenBack::Whole => return Ok(true),
                WrittenBack::Sealed => sleep(pause),
                WrittenBack::Not => break,
            }
        }
        Ok(false)
    }

    /// Fails when a page that was changed since the last checkpoint was not as it was written; before anything is put
    /// out that follows from it.
    ///
    /// # Errors
    /// [`StoreFault::Damaged`] then.
    pub fn expect_sound(&self) -> Result<()> {
        // Who writes meanwhile seals, too; two would undo each other's work.
        let Some(_writers) = self.hold_writers()? else { return Ok(()) };
        self.seal()
    }

    /// Writes the WAL back when it has grown; after a commit.
    pub(in crate::store) fn write_back_if_large(&self) -> Result<()> {
        match self.log("NOOP") {
            Ok(log) if log.frames >= CHECKPOINT_PAGES && log.written < log.frames => {
                self.write_back(false).map(drop)
            }
            Ok(_) => Ok(()),
            // A query of ours goes on over the commit; the next one will do it.
            Err(fault) if fault.sqlite_error_code() == Some(ErrorCode::DatabaseLocked) => Ok(()),
            Err(fault) => Err(fault).with_context(|| self.cannot()),
        }
    }

    /// Gives the pages in the WAL their checksums and writes them back; `empties` it, too.
    pub(in crate::store) fn write_back(&self, empties: bool) -> Result<WrittenBack> {
        if self.log("NOOP").with_context(|| self.cannot())?.frames == 0 {
            return Ok(WrittenBack::Whole);
        }
        let Some(writers) = self.hold_writers()? else { return Ok(WrittenBack::Not) };
        self.seal()?;
        let log = self.log("PASSIVE").with_context(|| self.cannot())?;
        // Who reads an earlier moment may hold the end of it back; the next checkpoint will catch up, nothing is lost.
        if !empties || log.written < log.frames {
            return Ok(WrittenBack::Sealed);
        }
        let reader = self.read_the_file()?;
        drop(writers);
        self.empty(reader)
    }

    /// Begins to read while all of the WAL is in the file and nobody writes. Whoever reads so reads nothing but the
    /// file, so the WAL may be emptied, but nothing that comes into it from now on may be written back
    /// (<https://sqlite.org/walformat.html#wal_locks>, `WAL_READ_LOCK(0)`).
    fn read_the_file(&self) -> Result<Connection> {
        let reader = open_beside(&self.path)?;
        reader.execute_batch("BEGIN")?;
        reader.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(reader)
    }

    /// Empties the WAL unless somebody reads it or has committed since `reader` began: SQLite takes its write lock for
    /// that itself, so there is a gap, and what others commit in it has no checksums yet. `reader` keeps it out of the
    /// file.
    fn empty(&self, reader: Connection) -> Result<WrittenBack> {
        self.connection.busy_timeout(Duration::ZERO)?;
        let log = self.log("TRUNCATE").with_context(|| self.cannot());
        self.connection.busy_timeout(WAIT)?;
        drop(reader);
        Ok(if log?.is_busy { WrittenBack::Sealed } else { WrittenBack::Whole })
    }

    /// Makes checksums for a store that has none yet, and looks at its pages where another program may have written
    /// back what somebody left in the WAL.
    ///
    /// # Errors
    /// [`StoreFault::Damaged`] when SQLite finds a fault in it, [`StoreFault::Locked`] when somebody writes and goes on
    /// to.
    pub(in crate::store) fn take_up_checksums(&self, is_merged: bool) -> Result<()> {
        if !sums_path(&self.path).exists() {
            return self.seal_file();
        }
        if !is_merged || !look::pages(&self.path)?.is_damaged() {
            return Ok(());
        }
        // That program knows of no checksums; or the file is damaged. Only SQLite can tell now.
        let found: String =
            self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found == "ok" { self.seal_file() } else { Err(self.damaged(&found)) }
    }

    /// Takes the file as it is for sound.
    fn seal_file(&self) -> Result<()> {
        let Some(_writers) = self.hold_writers()? else {
            return Err(StoreFault::Locked(self.path.clone()).into());
        };
        Sums::of_file(&self.path, self.page_bytes()?)?.write(&self.path)
    }

    /// Computes the checksums of what was committed since the last time, from the WAL; nobody writes meanwhile.
    fn seal(&self) -> Result<()> {
        let frames = self.log("NOOP").with_context(|| self.cannot())?.frames as u32;
        let Some(wal) = Wal::open(&self.path)?.filter(|_| frames > 0) else { return Ok(()) };
        let page_bytes = self.page_bytes()?;
        let mut sums = match Sums::read(&self.path)? {
            Found::Sums(sums) if sums.page_bytes == page_bytes => sums,
            _ => Sums::of_file(&self.path, page_bytes)?,
        };
        let sealed = if sums.salts == wal.salts() { sums.frames } else { 0 };
        if frames == sealed {
            return Ok(());
        }
        let mut committed = wal.committed(sealed)?;
        if committed.len() < frames.max(sealed) as usize {
            let what = "transactions that had been committed are gone from its WAL, or cannot be read there";
            return Err(self.damaged(what));
        }
        committed.truncate(frames as usize);
        let file =
            reading(&self.path).with_context(|| format!("cannot read {}", self.path.display()))?;
        let mut page = vec![0; page_bytes as usize];
        for (no, of_page) in by_page(&committed) {
            let last = of_page[of_page.len() - 1];
            if last <= sealed {
                continue;
            }
            // What a frame that was sealed replaces may be anything up to that frame.
            let before = sums.of(no).filter(|_| of_page[0] > sealed);
            if let Some(before) = before
                && let found = self.checksum_in(&file, no, &mut page)?
                && found != before
                && !wal.any_is(&of_page, no, found)?
            {
                let from = u64::from(no - 1) * u64::from(page_bytes);
                let what = format!("page {no} (from byte {from}) is not as it was written");
                return Err(self.damaged(&what));
            }
            sums.keep(no, committed[last as usize - 1].sum);
        }
        sums.of_pages.truncate(committed.last().map_or(0, |last| last.pages_after) as usize);
        sums.salts = wal.salts();
        sums.frames = frames;
        sums.write(&self.path)
    }

    /// Returns the checksum of page `no` as it stands in `file`, or is missing there; `page` is room for it.
    fn checksum_in(&self, file: &Reading, no: u32, page: &mut [u8]) -> Result<u64> {
        match file.at(page, u64::from(no - 1) * page.len() as u64) {
            Ok(()) => Ok(checksum(no, page)),
            Err(fault) if fault.kind() == ErrorKind::UnexpectedEof => Ok(0),
            Err(fault) => {
                Err(fault).with_context(|| format!("cannot read {}", self.path.display()))
            }
        }
    }

    /// Keeps everybody from writing until the connection is dropped; none when somebody writes and goes on to.
    fn hold_writers(&self) -> Result<Option<Connection>> {
        // A checkpoint cannot be made by the connection that has a transaction open.
        let writers = open_beside(&self.path)?;
        match writers.execute_batch("BEGIN IMMEDIATE") {
            Ok(()) => Ok(Some(writers)),
            Err(fault) if fault.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(None),
            Err(fault) => Err(fault).context("cannot hold the store"),
        }
    }

    fn log(&self, mode: &str) -> rusqlite::Result<Log> {
        self.connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
            let (is_busy, frames, written): (bool, i64, i64) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            // Both are -1 where there is no WAL.
            Ok(Log { is_busy, frames: frames.max(0), written: written.max(0) })
        })
    }

    fn cannot(&self) -> String {
        format!("cannot checkpoint {}", self.path.display())
    }

    fn page_bytes(&self) -> Result<u32> {
        self.pragma("page_size")
    }

    /// Returns the fault of a store in which `what` was found.
    pub(in crate::store) fn damaged(&self, what: &str) -> anyhow::Error {
        StoreFault::damaged(&self.path, what).into()
    }
}

fn open_beside(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)
        .with_context(|| format!("cannot open the store {}", path.display()))?;
    connection.busy_timeout(WAIT_FOR_WRITERS)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::backup::hash_of;

    /// A store all of whose pages have checksums, and somebody else who writes to it.
    fn store_and_other() -> (tempfile::TempDir, Store, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("leadmill.db")).unwrap();
        let other = open_beside(store.path()).unwrap();
        other.execute_batch("PRAGMA wal_autocheckpoint = 0; CREATE TABLE other (x)").unwrap();
        assert_eq!(store.write_back(true).unwrap(), WrittenBack::Whole);
        (folder, store, other)
    }

    #[test]
    fn what_is_committed_just_before_the_wal_is_emptied_stays_in_it() {
        let (_folder, store, other) = store_and_other();
        other.execute_batch("INSERT INTO other VALUES (1)").unwrap();
        let writers = store.hold_writers().unwrap().unwrap();
        store.seal().unwrap();
        store.log("PASSIVE").unwrap();
        let reader = store.read_the_file().unwrap();
        drop(writers);
        other.execute_batch("INSERT INTO other VALUES (2)").unwrap();
        let file = hash_of(store.path()).unwrap();
        assert_eq!(store.empty(reader).unwrap(), WrittenBack::Sealed);
        assert_eq!(hash_of(store.path()).unwrap(), file, "it went into the file unsealed");
        assert_eq!(store.write_back(true).unwrap(), WrittenBack::Whole);
        let pages = look::pages(store.path()).unwrap();
        assert!(!pages.is_damaged() && pages.in_wal == 0, "{pages:?}");
    }

    #[test]
    fn what_another_program_wrote_back_half_is_no_damage() {
        let (_folder, store, other) = store_and_other();
        other.execute_batch("INSERT INTO other VALUES (1)").unwrap();
        // Whoever reads there keeps the WAL from beginning anew.
        let reader = store.read_the_file().unwrap();
        let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
        other.query_row(checkpoint, [], |_| Ok(())).unwrap();
        other.execute_batch("INSERT INTO other VALUES (2)").unwrap();
        drop(reader);
        assert!(!look::pages(store.path()).unwrap().is_damaged());
        assert_eq!(store.write_back(true).unwrap(), WrittenBack::Whole);
        assert!(!look::pages(store.path()).unwrap().is_damaged());
    }

    #[test]
    fn a_wal_that_changed_on_the_disk_is_not_written_back() {
        use std::io::{Read as _, Seek as _, Write as _};
        let (_folder, store, other) = store_and_other();
        other.execute_batch("INSERT INTO other VALUES (1)").unwrap();
        let wal = crate::store::pages::wal_path(store.path());
        let mut wal = std::fs::File::options().read(true).write(true).open(wal).unwrap();
        let mut last = [0];
        wal.seek(std::io::SeekFrom::End(-1)).unwrap();
        wal.read_exact(&mut last).unwrap();
        wal.seek(std::io::SeekFrom::End(-1)).unwrap();
        wal.write_all(&[last[0] ^ 1]).unwrap();
        let file = hash_of(store.path()).unwrap();
        let fault = store.write_back(true).unwrap_err();
        assert!(fault.to_string().contains("cannot be read there"), "{fault}");
        assert_eq!(hash_of(store.path()).unwrap(), file);
    }

    #[test]
    fn checksums_are_not_made_while_somebody_writes() {
        let (_folder, store, other) = store_and_other();
        std::fs::remove_file(sums_path(store.path())).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let fault = store.take_up_checksums(false).unwrap_err();
        assert!(matches!(fault.downcast_ref(), Some(StoreFault::Locked(_))), "{fault}");
        other.execute_batch("ROLLBACK").unwrap();
        store.take_up_checksums(false).unwrap();
        assert!(sums_path(store.path()).exists());
    }
}
