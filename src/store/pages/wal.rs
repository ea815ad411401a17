//! SQLite's write-ahead log, read as its format is documented (<https://sqlite.org/fileformat2.html#walformat>).

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::checksum;
use crate::store::files::{Reading, beside, reading};

const HEAD_BYTES: usize = 32;
const FRAME_HEAD_BYTES: usize = 24;
/// The first bytes of a log, but for the last bit, which says how its checksums read words.
const MAGIC: u32 = 0x377f_0682;

/// Tells one log from the next in the same file.
pub(super) type Salts = [u8; 8];

/// An open log.
pub(super) struct Wal {
    file: Reading,
    path: PathBuf,
    head: [u8; HEAD_BYTES],
}

/// What stands before a page in the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// Number of the page.
    pub(super) page: u32,
    /// Pages of the whole store, where the frame is a transaction's last; else 0.
    pub(super) pages_after: u32,
    /// Checksum of the page as we keep it; 0 where the frame was known.
    pub(super) sum: u64,
    salts: Salts,
    checksum: [u32; 2],
}

impl Wal {
    /// Opens the log of the store at `store`; none when nothing stands in it.
    pub(super) fn open(store: &Path) -> Result<Option<Self>> {
        let path = wal_path(store);
        let naming = || format!("cannot read {}", path.display());
        let file = match reading(&path) {
            Ok(file) => file,
            Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(fault).with_context(naming),
        };
        let mut head = [0; HEAD_BYTES];
        match file.at(&mut head, 0) {
            Ok(()) => {}
            Err(fault) if fault.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            Err(fault) => return Err(fault).with_context(naming),
        }
        Ok(Some(Self { file, path, head }))
    }

    /// Returns what tells this log from others.
    pub(super) fn salts(&self) -> Salts {
        let mut salts = [0; 8];
        salts.copy_from_slice(&self.head[16..24]);
        salts
    }

    /// Returns the bytes of a page.
    pub(super) fn page_bytes(&self) -> usize {
        word(&self.head, 8) as usize
    }

    /// Reads the page of frame `no`, counted from 1, into `page`.
    pub(super) fn content(&self, no: u32, page: &mut [u8]) -> Result<()> {
        let offset = self.offset(no) + FRAME_HEAD_BYTES as u64;
        self.file.at(page, offset).with_context(|| self.naming())
    }

    /// Returns whether any of `frames`, which are all of page `no`, has the checksum `sum`.
    pub(super) fn any_is(&self, frames: &[u32], no: u32, sum: u64) -> Result<bool> {
        let mut page = vec![0; self.page_bytes()];
        for frame in frames {
            self.content(*frame, &mut page)?;
            if checksum(no, &page) == sum {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the frames up to the end of the last transaction that is whole, as SQLite finds them after a crash: each
    /// frame's checksum covers all before it. Of the first `known` nothing but that checksum is read, and of the others
    /// nothing has to be read again.
    pub(super) fn committed(&self, known: u32) -> Result<Vec<Frame>> {
        let big_endian = match word(&self.head, 0) {
            MAGIC => false,
            other if other == MAGIC | 1 => true,
            _ => return Ok(Vec::new()),
        };
        let mut sum = [0, 0];
        add(&mut sum, &self.head[..24], big_endian);
        let page_bytes = self.page_bytes();
        let is_size = page_bytes.is_power_of_two() && (512..=65_536).contains(&page_bytes);
        if sum != [word(&self.head, 24), word(&self.head, 28)] || !is_size {
            return Ok(Vec::new());
        }
        let mut frames = Vec::new();
        let mut committed = 0;
        let mut bytes = vec![0; FRAME_HEAD_BYTES + page_bytes];
        for no in 1.. {
            let is_known = no <= known;
            let read = if is_known { FRAME_HEAD_BYTES } else { bytes.len() };
            match self.file.at(&mut bytes[..read], self.offset(no)) {
                Ok(()) => {}
                Err(fault) if fault.kind() == ErrorKind::UnexpectedEof => break,
                Err(fault) => return Err(fault).with_context(|| self.naming()),
            }
            let mut frame = frame(&bytes);
            if is_known {
                sum = frame.checksum;
            } else {
                add(&mut sum, &bytes[..8], big_endian);
                add(&mut sum, &bytes[FRAME_HEAD_BYTES..], big_endian);
            }
            if frame.salts != self.salts() || frame.checksum != sum || frame.page == 0 {
                break;
            }
            if !is_known {
                frame.sum = checksum(frame.page, &bytes[FRAME_HEAD_BYTES..]);
            }
            frames.push(frame);
            if frame.pages_after > 0 {
                committed = frames.len();
            }
        }
        frames.truncate(committed);
        Ok(frames)
    }

    fn offset(&self, no: u32) -> u64 {
        let frame_bytes = (FRAME_HEAD_BYTES + self.page_bytes()) as u64;
        HEAD_BYTES as u64 + u64::from(no - 1) * frame_bytes
    }

    fn naming(&self) -> String {
        format!("cannot read {}", self.path.display())
    }
}

/// Returns the numbers of `frames` by their page, both in order.
pub(super) fn by_page(frames: &[Frame]) -> BTreeMap<u32, Vec<u32>> {
    let mut pages: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (no, frame) in (1..).zip(frames) {
        pages.entry(frame.page).or_default().push(no);
    }
    pages
}

/// Returns where the log of the store at `store` lies.
pub(in crate::store) fn wal_path(store: &Path) -> PathBuf {
    beside(store, "-wal")
}

fn frame(head: &[u8]) -> Frame {
    let mut salts = [0; 8];
    salts.copy_from_slice(&head[8..16]);
    let checksum = [word(head, 16), word(head, 20)];
    Frame { page: word(head, 0), pages_after: word(head, 4), sum: 0, salts, checksum }
}

/// Returns the number that stands in four bytes, the highest first.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn add(sum: &mut [u32; 2], bytes: &[u8], big_endian: bool) {
    let read = |four: &[u8]| {
        let number = word(four, 0);
        if big_endian { number } else { number.swap_bytes() }
    };
    for pair in bytes.chunks_exact(8) {
        sum[0] = sum[0].wrapping_add(read(&pair[..4])).wrapping_add(sum[1]);
        sum[1] = sum[1].wrapping_add(read(&pair[4..])).wrapping_add(sum[0]);
    }
}
