//! Looking at every page: is it as it was written?

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::checksum;
use super::sums::{Found, Sums, each_page, is_lock_page};
use super::wal::{Salts, Wal, by_page};

/// What a look at all pages found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pages {
    /// Pages of the file.
    pub pages: u64,
    /// Bytes of a page.
    pub page_bytes: u32,
    /// Pages that are as their checksums say.
    pub sound: u64,
    /// Pages that the WAL has anew; each of its frames has a checksum of SQLite's.
    pub in_wal: u64,
    /// Pages without a checksum.
    pub uncovered: u64,
    /// Numbers of the pages that are not as they were written, in order.
    pub damaged: Vec<u32>,
    /// Pages that are gone from the end of the file.
    pub missing: u64,
    /// Transactions that had been committed are gone from the WAL, or cannot be read there.
    pub wal_is_cut: bool,
    /// What is known about the checksums themselves.
    pub checksums: Checksums,
}

/// Whether there are checksums to hold pages against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Checksums {
    /// There are.
    Kept,
    /// There are none.
    #[default]
    None,
    /// Their file is damaged.
    Unreadable,
}

impl Pages {
    /// Returns whether anything is not as it was written.
    pub fn is_damaged(&self) -> bool {
        !self.damaged.is_empty() || self.missing > 0 || self.wal_is_cut
    }
}

/// Looks at how many pages of the store at `path` have checksums, without reading the pages.
pub fn checksums(path: &Path) -> Result<(Checksums, u64)> {
    Ok(match Sums::read(path)? {
        Found::Sums(sums) => (Checksums::Kept, sums.of_pages.len() as u64),
        Found::Nothing => (Checksums::None, 0),
        Found::Unreadable => (Checksums::Unreadable, 0),
    })
}

/// Returns whether another program, such as SQLite's own shell, may have written back what a writer had committed that
/// died: its WAL is empty, and the file has changed since it took the lock at `lock`.
pub(in crate::store) fn may_be_merged(path: &Path, lock: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
    let is_later =
        matches!((changed(path), changed(lock)), (Some(file), Some(lock)) if file > lock);
    let is_empty = || match Wal::open(path) {
        Ok(Some(wal)) => wal.committed(0).is_ok_and(|frames| frames.is_empty()),
        Ok(None) => true,
        Err(_) => false,
    };
    is_later && is_empty()
}

/// Holds every page of the store at `path` against its checksum.
///
/// Whoever holds a read transaction open meanwhile, as `doctor` does, gets an answer that no writer disturbs: nothing
/// that the transaction could see is written back then.
///
/// # Errors
/// When a file cannot be read; whatever is wrong with the pages is in the result.
pub fn pages(path: &Path) -> Result<Pages> {
    let (mut found, mut of) = look_once(path)?;
    // A writer may have sealed and written back meanwhile: then what was found is of two moments.
    while found.is_damaged() {
        let (again, of_again) = look_once(path)?;
        if of_again == of {
            break;
        }
        (found, of) = (again, of_again);
    }
    Ok(found)
}

/// Looks once; returns also what says whether anybody sealed since.
fn look_once(path: &Path) -> Result<(Pages, (Salts, u32))> {
    // The checksums first: what is sealed after this moment stands in the WAL, which is looked at next.
    let sums = match Sums::read(path)? {
        Found::Sums(sums) => sums,
        Found::Nothing => return Ok((Pages::default(), Default::default())),
        Found::Unreadable => {
            let found = Pages { checksums: Checksums::Unreadable, ..Pages::default() };
            return Ok((found, Default::default()));
        }
    };
    let mut found =
        Pages { page_bytes: sums.page_bytes, checksums: Checksums::Kept, ..Pages::default() };
    let mut above = BTreeMap::new();
    let (mut pages_after, mut sealed) = (None, 0);
    let wal = Wal::open(path)?;
    if let Some(wal) = &wal {
        let frames = wal.committed(0)?;
        sealed = if wal.salts() == sums.salts { sums.frames } else { 0 };
        found.wal_is_cut = frames.len() < sealed as usize;
        pages_after = frames.last().map(|last| last.pages_after);
        above = by_page(&frames);
    }
    let mut replaced = Vec::new();
    // What the WAL made the store shorter by may stand in the file until it is written back.
    let most = pages_after.unwrap_or(u32::MAX);
    each_page(path, sums.page_bytes, |no, content| {
        if no > most {
            return;
        }
        found.pages += 1;
        if let Some(frames) = above.get(&no) {
            found.in_wal += 1;
            // What a frame that was sealed replaces may be anything up to that frame.
            if frames[0] > sealed && sums.of(no).is_some_and(|sum| sum != checksum(no, content)) {
                replaced.push((no, checksum(no, content)));
            }
            return;
        }
        match sums.of(no) {
            Some(sum) if sum == checksum(no, content) => found.sound += 1,
            Some(_) => found.damaged.push(no),
            None => found.uncovered += u64::from(!is_lock_page(no, sums.page_bytes)),
        }
    })?;
    for (no, sum) in replaced {
        // It may stand in the file already.
        if let Some(wal) = &wal
            && !wal.any_is(&above[&no], no, sum)?
        {
            found.damaged.push(no);
        }
    }
    found.damaged.sort_unstable();
    if pages_after.is_none() {
        found.missing = (sums.of_pages.len() as u64).saturating_sub(found.pages);
    }
    Ok((found, (sums.salts, sums.frames)))
}
