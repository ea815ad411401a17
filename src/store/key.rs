//! The key of the hashes by which erased people are recognized, in a file beside the store.
//!
//! Whoever has the store alone learns nothing from the hashes; so the key must not lie in it, nor in its backups.
//! Beside the key lies the log of erasures, by which a restored backup forgets once more whom it still knew.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::files::sync_folder_of;
use crate::consent::suppression::Pepper;
use crate::model::ids::{hex, unhex};

/// The first line of the file, so that nobody takes it for something else.
const MARK: &str = "leadmill-key-1";

/// Longest file that is looked at.
const BYTES_MAX: u64 = 4_096;

/// The key of the erased cannot be had, so nobody can tell who must not be taken in again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFault(String);

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KeyFault {}

/// Returns where the key of the store at `store` lies.
pub fn key_path(store: &Path) -> PathBuf {
    store.with_extension("key")
}

/// Returns where the log of erasures lies that belongs to the key at `key`.
pub fn log_path(key: &Path) -> PathBuf {
    key.with_extension("erasures.log")
}

/// Reads the key at `path`; `None` when there is no such file.
///
/// # Errors
/// [`KeyFault`] when the file is no key.
pub fn read(path: &Path) -> Result<Option<Pepper>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(None),
        Err(fault) => {
            return Err(fault).with_context(|| format!("cannot read the key {}", path.display()));
        }
    };
    let mut text = String::new();
    // Whatever is wrong with it, what it holds is not shown.
    let read = file.take(BYTES_MAX).read_to_string(&mut text).is_ok();
    let pepper = if read { parse(&text) } else { None };
    pepper.map(Some).ok_or_else(|| {
        KeyFault(format!(
            "{} is not a key\nhint: put the key back that was made when somebody was first erased; without it nobody \
             can tell who must not be taken in again",
            path.display()
        ))
        .into()
    })
}

/// Reads the key with the name `id` at `path`.
///
/// # Errors
/// [`KeyFault`] when there is none, or it is another one.
pub fn read_known(path: &Path, id: &str) -> Result<Pepper> {
    let hint = "hint: put it back from where it is kept; without it nobody can tell who was erased, and they would \
                come back with the next file";
    match read(path)? {
        Some(pepper) if pepper.id() == id => Ok(pepper),
        Some(other) => Err(KeyFault(format!(
            "{} is the key {}, but the store's erased people are known under the key {id}\n{hint}",
            path.display(),
            other.id()
        ))
        .into()),
        None => Err(KeyFault(format!(
            "the key {} is missing: the store has people who were erased\n{hint}",
            path.display()
        ))
        .into()),
    }
}

/// Fails when people were erased, and the log that belongs to the key at `key` is not there.
///
/// # Errors
/// [`KeyFault`] then.
pub fn expect_log(key: &Path) -> Result<()> {
    let log = log_path(key);
    if log.exists() {
        return Ok(());
    }
    Err(KeyFault(format!(
        "the log of erasures {} is missing: people were erased, and a backup may still know them\nhint: put it back \
         from where it is kept; should it be lost for good, make an empty file of that name: whoever was erased after \
         the backup was made comes back then",
        log.display()
    ))
    .into())
}

/// Makes a key at `path`, for the owner's eyes only, and brings it to the disk before anything rests on it.
pub fn make(path: &Path) -> Result<Pepper> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|fault| anyhow::anyhow!("cannot draw a random key: {fault}"))?;
    let pepper = Pepper::new(bytes);
    let text = format!("{MARK}\n{}\n{}\n", pepper.id(), hex(pepper.bytes()));
    let naming = || format!("cannot write the key {}", path.display());
    let mut file = private().create_new(true).open(path).with_context(naming)?;
    file.write_all(text.as_bytes()).with_context(naming)?;
    file.sync_all().with_context(naming)?;
    sync_folder_of(path).with_context(naming)?;
    Ok(pepper)
}

/// Appends `line` to the log at `path`, unless it stands there.
pub fn log(path: &Path, line: &str) -> Result<()> {
    let naming = || format!("cannot write {}", path.display());
    let known = match fs::read_to_string(path) {
        Ok(known) => known,
        Err(fault) if fault.kind() == ErrorKind::NotFound => String::new(),
        Err(fault) => return Err(fault).with_context(|| format!("cannot read {}", path.display())),
    };
    if known.lines().any(|one| one == line) {
        return Ok(());
    }
    // A line that was cut off by a kill stays alone on its line, and is no erasure.
    let gap = if known.is_empty() || known.ends_with('\n') { "" } else { "\n" };
    let mut file = private().append(true).create(true).open(path).with_context(naming)?;
    file.write_all(format!("{gap}{line}\n").as_bytes()).with_context(naming)?;
    file.sync_all().with_context(naming)?;
    sync_folder_of(path).with_context(naming)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn parse(text: &str) -> Option<Pepper> {
    let mut lines = text.lines();
    let (mark, id, digits) = (lines.next()?, lines.next()?, lines.next()?.trim());
    let bytes = unhex(digits).filter(|_| mark == MARK)?.try_into().ok()?;
    Some(Pepper::new(bytes)).filter(|pepper| pepper.id() == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = key_path(&folder.path().join("leadmill.db"));
        assert_eq!(path.file_name().unwrap(), "leadmill.key");
        assert_eq!(read(&path).unwrap(), None);
        let pepper = make(&path).unwrap();
        assert_eq!(read(&path).unwrap(), Some(pepper.clone()));
        assert_eq!(read_known(&path, &pepper.id()).unwrap(), pepper);
        assert!(make(&path).is_err(), "a second key would forget everybody");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.key");
        if !text.is_empty() {
            fs::write(&path, text).unwrap();
        }
        let fault = read_known(&path, "k-1").unwrap_err();
        assert!(fault.is::<KeyFault>());
        let said = fault.to_string();
        assert!(said.contains(expected) && said.contains("\nhint: "), "{said}");
        assert!(!said.contains("beef"), "{said}");
    }

    #[test]
    fn a_key_that_is_missing_broken_or_another_one_is_said() {
        check("", "is missing");
        check("leadmill-key-1\nk-1\nbeef\n", "is not a key");
        check(&format!("leadmill-key-1\nk-1\n{}\n", "be".repeat(32)), "is not a key");
        let other = Pepper::new([0xBE; 32]);
        let text = format!("{MARK}\n{}\n{}\n", other.id(), hex(other.bytes()));
        check(&text, "but the store's erased people are known under the key k-1");
    }

    #[test]
    fn a_line_is_logged_once_also_behind_one_that_was_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = log_path(&folder.path().join("leadmill.key"));
        assert_eq!(path.file_name().unwrap(), "leadmill.erasures.log");
        fs::write(&path, "{\"cut").unwrap();
        for _ in 0..2 {
            log(&path, "{}").unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"cut\n{}\n");
    }
}
