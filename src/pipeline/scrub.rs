//! Making sure that the bytes of what was erased are gone from the store's file.
//!
//! SQLite overwrites what it deletes (`secure_delete`), but where it moved a row to another page before, a copy may
//! be left in the gap of the old one. So the file is looked through for pieces of the rows that went; should there
//! be any, the file is written anew.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use anyhow::{Context as _, Result};

use crate::store::Store;
use crate::store::files::reading;

/// Bytes that are looked at together.
const CHUNK_BYTES: usize = 1 << 20;

/// Bytes of a piece: a copy that was cut by a page's end still has one of them.
const PIECE_BYTES: usize = 40;

/// Bytes of the shortest text that tells anybody from others.
const PIECE_BYTES_MIN: usize = 12;

/// A file that still names somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// Offset of the first place.
    pub offset: u64,
    /// How many places.
    pub places: u64,
}

/// Empties the WAL, looks for pieces of `samples` in the file, and writes it anew where some are left.
///
/// While somebody reads the store the WAL cannot be emptied: then nothing is noted, and the next run does it.
pub fn scrub(store: &Store, samples: &[String]) -> Result<()> {
    if !store.checkpoint_whole()? {
        return Ok(());
    }
    let pieces: Vec<&[u8]> = samples.iter().flat_map(|sample| pieces(sample)).collect();
    if !look(&[store.path().to_owned()], &pieces)?.is_empty() {
        store.write_anew()?;
    }
    store.mark_scrubbed()?;
    store.checkpoint()
}

/// Does the same for erasures that were cut short: nobody knows any more what to look for.
pub fn finish_scrubbing(store: &Store) -> Result<()> {
    if store.is_to_be_scrubbed()? && store.checkpoint_whole()? {
        store.write_anew()?;
        store.mark_scrubbed()?;
        store.checkpoint()?;
    }
    Ok(())
}

fn pieces(sample: &str) -> impl Iterator<Item = &[u8]> {
    let chunks = sample.as_bytes().chunks(PIECE_BYTES);
    chunks.filter(|piece| piece.len() >= PIECE_BYTES_MIN)
}

/// Returns which of `files` hold any of `needles`, whatever the case of their letters.
pub fn look(files: &[PathBuf], needles: &[&[u8]]) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    if needles.is_empty() {
        return Ok(found);
    }
    let searcher = AhoCorasick::builder().ascii_case_insensitive(true).build(needles);
    let searcher = searcher.context("cannot prepare to look for what is to be gone")?;
    let longest = needles.iter().map(|needle| needle.len()).max().unwrap_or(1);
    for path in files {
        found.extend(look_into(path, &searcher, longest)?);
    }
    Ok(found)
}

fn look_into(path: &Path, searcher: &AhoCorasick, longest: usize) -> Result<Option<Found>> {
    let naming = || format!("cannot read {}", path.display());
    let mut file = match reading(path) {
        Ok(file) => file,
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(fault).with_context(naming),
    };
    let mut buffer = vec![0; CHUNK_BYTES + longest];
    let (mut kept, mut offset, mut found) = (0, 0, None);
    loop {
        let read = file.read(&mut buffer[kept..]).with_context(naming)?;
        if read == 0 {
            return Ok(found);
        }
        let filled = kept + read;
        // What may begin at the end of this chunk is looked at with the next one.
        let keep = (longest - 1).min(filled);
        for one in searcher.find_iter(&buffer[..filled]) {
            if one.end() <= kept {
                continue;
            }
            let place = offset + one.start() as u64;
            let first =
                found.get_or_insert(Found { path: path.to_owned(), offset: place, places: 0 });
            first.places += 1;
        }
        buffer.copy_within(filled - keep..filled, 0);
        offset += (filled - keep) as u64;
        kept = keep;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_across_two_chunks_is_found_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        for at in [0, CHUNK_BYTES - 3, CHUNK_BYTES, CHUNK_BYTES + 7, 2 * CHUNK_BYTES - 1] {
            let mut bytes = vec![b'.'; 2 * CHUNK_BYTES + 100];
            bytes[at..at + 6].copy_from_slice(b"Kanary");
            std::fs::write(&path, &bytes).unwrap();
            let found = look(std::slice::from_ref(&path), &[b"kanary", b"another"]).unwrap();
            let expected = Found { path: path.clone(), offset: at as u64, places: 1 };
            assert_eq!(found, [expected], "{at}");
        }
        assert_eq!(look(&[folder.path().join("none")], &[b"kanary"]).unwrap(), []);
        assert_eq!(look(&[path], &[b"canary"]).unwrap(), []);
    }
}
