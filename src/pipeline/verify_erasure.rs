//! Whether somebody is gone: from the store, its files byte by byte, and what was put out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::recognition::marks_called;
use super::restore::RUNS_ASIDE;
use super::scrub::{Found, look};
use super::story::{find, find_withdrawn};
use crate::delivery::erasing::{Carrier, find as find_carriers};
use crate::delivery::traces::Traces;
use crate::store::files::{beside, folder_of};
use crate::store::health::FILES_BESIDE;
use crate::store::restore::{ASIDE, GOES_ALONG};
use crate::store::{Store, backup, key};

/// Whom to look for, as somebody names them.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// A lead's id, an e-mail address or a telephone number.
    pub text: &'a str,
    /// The number in E.164, when it is one.
    pub e164: Option<&'a str>,
}

/// What was found of somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// The run that erased them, and when, milliseconds since 1970 UTC; none when nobody did.
    pub erased: Option<(String, i64)>,
    /// Leads that answer to the name.
    pub leads: u64,
    /// Files of the store whose bytes name them.
    pub bytes: Vec<Found>,
    /// Files that were put out and name them.
    pub carriers: Vec<Carrier>,
    /// Whether an erasure was cut short and is to be finished by the next run.
    pub is_unfinished: bool,
    /// Copies that were not looked at.
    pub copies: Vec<String>,
}

impl Verification {
    /// Returns whether they were erased and nothing is left in the store and in what was put out.
    pub fn is_gone(&self) -> bool {
        self.erased.is_some()
            && self.leads == 0
            && self.bytes.is_empty()
            && self.carriers.is_empty()
            && !self.is_unfinished
    }
}

/// Looks for whoever is `named` in `store`, in its files and below `out_dir`.
///
/// # Errors
/// [`key::KeyFault`] when the store has erased people and their key is missing.
pub fn verify(
    store: &Store,
    key_path: &Path,
    out_dir: &Path,
    named: Named<'_>,
) -> Result<Verification> {
    let text = named.text.trim();
    let mut verification = Verification {
        leads: find(store, text, named.e164)?.len() as u64,
        is_unfinished: store.is_to_be_scrubbed()? || store.is_erasure_unfinished()?,
        copies: copies(store.path(), out_dir)?,
        ..Verification::default()
    };
    let mut traces = Traces::default();
    let needle = match (named.e164, find_withdrawn(store, text)?) {
        (_, Some(withdrawal)) => {
            verification.erased = store.erasure_called(&withdrawal.by)?;
            traces.ids.push(withdrawal.id);
            String::new()
        }
        (Some(phone), None) => {
            traces.phones.push(phone.to_owned());
            phone.trim_start_matches('+').to_owned()
        }
        (None, None) => {
            traces.emails.push(text.to_owned());
            text.to_owned()
        }
    };
    if let Some(id) = store.erasure_key()?.filter(|_| !needle.is_empty()) {
        let pepper = key::read_known(key_path, &id)?;
        for mark in marks_called(text, named.e164) {
            verification.erased = verification.erased.or(store.erased_by(mark.keyed(&pepper))?);
        }
    }
    if !needle.is_empty() {
        verification.bytes = look(&files_of(store.path(), key_path), &[needle.as_bytes()])?;
    }
    verification.carriers = find_carriers(out_dir, &traces)?;
    Ok(verification)
}

/// Returns the copies that no erasure reaches: backups of the store at `store` in their folder, and stores and runs
/// that a restore put aside, in order.
pub fn copies(store: &Path, out_dir: &Path) -> Result<Vec<String>> {
    let mut found: Vec<PathBuf> =
        backup::list(&backup::folder(store))?.into_iter().map(|one| one.path).collect();
    let name = store.file_name().unwrap_or_default().to_string_lossy();
    for (folder, prefix) in
        [(folder_of(store), format!("{name}{ASIDE}")), (out_dir, RUNS_ASIDE.to_owned())]
    {
        // A folder that cannot be read has none, or that is said by whoever needs it.
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let goes_along = GOES_ALONG.iter().chain(&["-shm"]).any(|end| name.ends_with(end));
            if name.starts_with(&prefix) && !goes_along {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found.iter().map(|path| path.display().to_string()).collect())
}

/// Returns the files in which the store keeps what it knows.
fn files_of(store: &Path, key_path: &Path) -> Vec<PathBuf> {
    let log = key::log_path(key_path);
    let mut files: Vec<PathBuf> = FILES_BESIDE.iter().map(|end| beside(store, end)).collect();
    files.push(log);
    files
}
