//! The file with the checksums. It is replaced as a whole, by a rename, so that it is never half of one.

use std::fs;
use std::io::{BufReader, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::checksum;
use super::wal::Salts;
use crate::store::files::{beside, private_file, reading, sync_folder_of};

const MARK: &[u8; 8] = b"LDMLSUM1";
/// Mark, bytes of a page, salts of the log, frames of it.
const HEAD_BYTES: usize = 8 + 4 + 8 + 4;
const SUM_BYTES: usize = 8;

/// SQLite locks this byte instead of writing it, so the page that has it holds nothing.
const LOCK_BYTE: u64 = 1 << 30;

/// The checksums of a store's pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sums {
    /// Bytes of a page.
    pub(super) page_bytes: u32,
    /// The log whose frames have their checksums here already.
    pub(super) salts: Salts,
    /// How many frames of it.
    pub(super) frames: u32,
    /// Of page 1, 2, …; 0 for a page that has none.
    pub(super) of_pages: Vec<u64>,
}

/// What lies where the checksums should be.
pub(super) enum Found {
    /// Checksums.
    Sums(Sums),
    /// Nothing.
    Nothing,
    /// Something else, or a damaged file.
    Unreadable,
}

/// Returns where the checksums of the store at `store` lie.
pub fn sums_path(store: &Path) -> PathBuf {
    beside(store, ".sums")
}

impl Sums {
    /// Reads the checksums of the store at `store`.
    pub(super) fn read(store: &Path) -> Result<Found> {
        let path = sums_path(store);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(fault) => {
                return Err(fault).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        Ok(Self::parse(&bytes).map_or(Found::Unreadable, Found::Sums))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, own) = bytes.split_at_checked(bytes.len().checked_sub(SUM_BYTES)?)?;
        let is_whole = checksum(0, body) == u64::from_le_bytes(own.try_into().ok()?);
        let (head, sums) = body.split_at_checked(HEAD_BYTES)?;
        if !is_whole || !head.starts_with(MARK) || sums.len() % SUM_BYTES != 0 {
            return None;
        }
        Some(Self {
            page_bytes: u32::from_le_bytes(head[8..12].try_into().ok()?),
            salts: head[12..20].try_into().ok()?,
            frames: u32::from_le_bytes(head[20..24].try_into().ok()?),
            of_pages: sums
                .chunks_exact(SUM_BYTES)
                .map(|sum| sum.try_into().map(u64::from_le_bytes))
                .collect::<Result<_, _>>()
                .ok()?,
        })
    }

    /// Puts the checksums of the store at `store` in the place of those before, and brings them to the disk.
    pub(super) fn write(&self, store: &Path) -> Result<()> {
        let path = sums_path(store);
        let naming = || format!("cannot write {}", path.display());
        let mut bytes = Vec::with_capacity(HEAD_BYTES + SUM_BYTES * (self.of_pages.len() + 1));
        bytes.extend_from_slice(MARK);
        bytes.extend_from_slice(&self.page_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.salts);
        bytes.extend_from_slice(&self.frames.to_le_bytes());
        bytes.extend(self.of_pages.iter().flat_map(|sum| sum.to_le_bytes()));
        bytes.extend_from_slice(&checksum(0, &bytes).to_le_bytes());
        let new = beside(store, ".sums-new");
        let mut file = private_file(&new).with_context(naming)?;
        file.set_len(0).with_context(naming)?;
        file.write_all(&bytes).with_context(naming)?;
        file.sync_all().with_context(naming)?;
        fs::rename(&new, &path).with_context(naming)?;
        sync_folder_of(&path).with_context(naming)
    }

    /// Computes the checksums of the file of the store at `store` as it is, for one that has none yet.
    pub(super) fn of_file(store: &Path, page_bytes: u32) -> Result<Self> {
        let mut of_pages = Vec::new();
        each_page(store, page_bytes, |no, content| {
            of_pages.push(if is_lock_page(no, page_bytes) { 0 } else { checksum(no, content) });
        })?;
        Ok(Self { page_bytes, salts: Salts::default(), frames: 0, of_pages })
    }

    /// Returns the checksum of page `no`, if it has one.
    pub(super) fn of(&self, no: u32) -> Option<u64> {
        self.of_pages.get(no as usize - 1).copied().filter(|sum| *sum != 0)
    }

    /// Keeps the checksum of page `no`.
    pub(super) fn keep(&mut self, no: u32, sum: u64) {
        if self.of_pages.len() < no as usize {
            self.of_pages.resize(no as usize, 0);
        }
        self.of_pages[no as usize - 1] = sum;
    }
}

/// Returns whether page `no` is the one that SQLite never writes.
pub(super) fn is_lock_page(no: u32, page_bytes: u32) -> bool {
    u64::from(no) == LOCK_BYTE / u64::from(page_bytes) + 1
}

/// Hands out the pages of the file of the store at `store` in their order, each with its number.
pub(super) fn each_page(
    store: &Path,
    page_bytes: u32,
    mut each: impl FnMut(u32, &[u8]),
) -> Result<()> {
    let naming = || format!("cannot read {}", store.display());
    let mut reader = BufReader::with_capacity(1 << 20, reading(store).with_context(naming)?);
    let mut page = vec![0; page_bytes as usize];
    for no in 1.. {
        let mut filled = 0;
        while filled < page.len() {
            match reader.read(&mut page[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault).with_context(naming),
            }
        }
        if filled == 0 {
            break;
        }
        each(no, &page[..filled]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("leadmill.db");
        let sums =
            Sums { page_bytes: 512, salts: [7; 8], frames: 3, of_pages: vec![1, 0, u64::MAX] };
        assert!(matches!(Sums::read(&store).unwrap(), Found::Nothing));
        sums.write(&store).unwrap();
        assert!(matches!(Sums::read(&store).unwrap(), Found::Sums(read) if read == sums));
        let bytes = fs::read(sums_path(&store)).unwrap();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            assert_eq!(Sums::parse(&flipped), None, "byte {at}");
            assert_eq!(Sums::parse(&bytes[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn the_page_that_sqlite_locks_has_no_checksum() {
        assert!(is_lock_page(65_537, 16_384));
        assert!(!is_lock_page(65_536, 16_384) && !is_lock_page(65_538, 16_384));
    }
}
