//! A checksum for each page of the store's file, so that a byte that changed on the disk is found.
//!
//! SQLite's own check sees that a page is a page, not what stands in it. So the checksums of all pages lie beside the
//! store, in `leadmill.db.sums` ([`sums`]). Pages of the file change in one way only: a checkpoint writes back what the
//! WAL holds. So checkpoints are ours ([`seal`]): under SQLite's write lock the pages in the WAL ([`wal`]) get their
//! checksums, these are brought to the disk, and only then is anything written back. Whoever dies in between leaves the
//! WAL, which has checksums of its own and stands above the file. [`look`] holds all of it against each other.
//!
//! What the WAL replaces is held against its checksum before it is replaced: a page that was damaged on the disk, read
//! and written again is not taken for sound.

pub mod look;
mod seal;
mod sums;
mod wal;

pub(super) use seal::WrittenBack;
pub use sums::sums_path;
pub(super) use wal::wal_path;

/// Returns the checksum of page `no`; never 0, which stands for a page that has none.
fn checksum(no: u32, content: &[u8]) -> u64 {
    // The number is the seed, so that two pages that changed places are found, too.
    twox_hash::XxHash64::oneshot(u64::from(no), content).max(1)
}
