//! Writing the WAL back, and giving its pages their checksums before.
//!
//! Everything that writes to the store holds back SQLite's own checkpoints, and comes here instead: when the WAL has
//! grown, when a command is done, and when the store is closed.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rusqlite::{Connection, ErrorCode};

use super::sums::{Found, Sums, is_lock_page, sums_path};
use super::wal::Wal;
use super::{checksum, look};
use crate::store::files::{Reading, reading};
use crate::store::{Store, StoreFault};

/// A WAL of so many pages is written back at the next commit. 4,000 of 16 KiB are 62 MiB.
pub const CHECKPOINT_PAGES: i64 = 4_000;

/// How long a transaction of somebody else's is waited for. `deliver` takes milliseconds; a run that decides takes
/// longer, and writes back itself.
const WAIT_FOR_WRITERS: Duration = Duration::from_secs(1);

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

    /// Writes the WAL back and empties it; returns whether that could be done, or somebody reads the store.
    pub fn checkpoint_whole(&self) -> Result<bool> {
        Ok(self.write_back(true)? == WrittenBack::Whole)
    }

    /// Fails when a page that was changed since the last checkpoint was not as it was written; before anything is put out
    /// that follows from it.
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
        self.log("PASSIVE").with_context(|| self.cannot())?;
        let version: i64 = self.pragma("data_version")?;
        drop(writers);
        if !empties {
            return Ok(WrittenBack::Sealed);
        }
        let log = self.log("TRUNCATE").with_context(|| self.cannot())?;
        // A reader may hold the WAL back; the next checkpoint will catch up, nothing is lost.
        anyhow::ensure!(
            log.is_busy || log.frames == log.written,
            "the checkpoint of the store stopped early"
        );
        if self.pragma::<i64>("data_version")? != version {
            // Somebody committed in between, and what they wrote went into the file without a checksum.
            self.seal_file()?;
        }
        Ok(if log.is_busy { WrittenBack::Sealed } else { WrittenBack::Whole })
    }

    /// Makes checksums for a store that has none yet, and looks at its pages where another program may have written back
    /// what a writer that died had committed.
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
        let Some(_writers) = self.hold_writers()? else { return Ok(()) };
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
        if frames < sealed {
            return Err(self.damaged("transactions that had been committed are gone from its WAL"));
        }
        let (pages, pages_after) = committed(&wal, frames, sealed)?;
        let file =
            reading(&self.path).with_context(|| format!("cannot read {}", self.path.display()))?;
        let mut page = vec![0; page_bytes as usize];
        for (no, last) in pages.iter().filter(|(_, last)| last.frame > sealed) {
            wal.content(last.frame, &mut page)?;
            let new = checksum(*no, &page);
            let before = sums.of(*no).filter(|_| !last.was_sealed);
            if let Some(before) = before {
                self.expect_page(&file, *no, [before, new], &mut page)?;
            }
            sums.keep(*no, new);
        }
        sums.of_pages.truncate(pages_after as usize);
        sums.salts = wal.salts();
        sums.frames = frames;
        sums.write(&self.path)
    }

    /// Fails when page `no` of `file`, which is about to be replaced, is neither as it was written nor replaced already.
    fn expect_page(
        &self,
        file: &Reading,
        no: u32,
        either: [u64; 2],
        page: &mut [u8],
    ) -> Result<()> {
        let page_bytes = page.len() as u64;
        let found = match file.at(page, u64::from(no - 1) * page_bytes) {
            Ok(()) => checksum(no, page),
            Err(fault) if fault.kind() == std::io::ErrorKind::UnexpectedEof => 0,
            Err(fault) => {
                return Err(fault).with_context(|| format!("cannot read {}", self.path.display()));
            }
        };
        if either.contains(&found) || is_lock_page(no, page_bytes as u32) {
            return Ok(());
        }
        Err(self.damaged(&format!(
            "page {no} (from byte {}) is not as it was written; did another program change it on purpose, remove {}",
            u64::from(no - 1) * page_bytes,
            sums_path(&self.path).display()
        )))
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

/// The last frame of a page.
struct Last {
    frame: u32,
    /// Whether an earlier frame of it was sealed: then the page in the file may be anything up to that.
    was_sealed: bool,
}

/// Returns the last of the first `frames` frames of every page, of which `sealed` are known already, and of how many
/// pages the store consists then.
fn committed(wal: &Wal, frames: u32, sealed: u32) -> Result<(BTreeMap<u32, Last>, u32)> {
    let (mut pages, mut pages_after) = (BTreeMap::new(), 0);
    for no in 1..=frames {
        let frame = wal.frame(no)?;
        let last = pages.entry(frame.page).or_insert(Last { frame: no, was_sealed: false });
        last.frame = no;
        last.was_sealed |= no <= sealed;
        if frame.pages_after > 0 {
            pages_after = frame.pages_after;
        }
    }
    Ok((pages, pages_after))
}

fn open_beside(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)
        .with_context(|| format!("cannot open the store {}", path.display()))?;
    connection.busy_timeout(WAIT_FOR_WRITERS)?;
    Ok(connection)
}
