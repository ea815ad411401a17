//! What lies around the store: files, folders, processes, space.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Check, Examination, RESTORE, count, size, some_of};
use crate::delivery::shelf::{self, OnShelf};
use crate::model::ids::hex;
use crate::store::files::{beside, free_bytes};
use crate::store::health::{FILES_BESIDE, may_be_merged, writer};
use crate::store::runs::{RunRecord, RunState};
use crate::store::{Store, backup, key, restore};

/// Room that a run needs whatever it reads: the WAL until it is written back, and some for logs.
const ROOM_AT_LEAST: u64 = 128 << 20;
/// How many times the bytes of the inbox a run may write: to the WAL, to the store, to files.
const ROOM_PER_INPUT: u64 = 4;

/// Returns whether a restore has begun and was not finished.
pub(super) fn is_restore_begun(job: &Examination<'_>) -> Result<bool> {
    Ok(restore::begun(job.store)?.is_some())
}

/// Says that a restore has begun, if one has.
pub(super) fn restore(job: &Examination<'_>) -> Result<Option<Check>> {
    Ok(restore::begun(job.store)?.map(|begun| {
        let hint = format!("`leadmill restore {}` ends it", begun.backup);
        Check::failure("restore", "a restore has begun and was not finished", hint)
    }))
}

/// Returns whether a process that says so writes to the store now.
pub(super) fn is_at_work(job: &Examination<'_>) -> bool {
    writer(job.store, ".lock").is_some_and(is_alive)
}

/// Returns whether a process that wrote to the store died before it was done, and another program, such as SQLite's own
/// shell, may have written back what it had committed: that knows of no checksums.
pub(super) fn is_merged(job: &Examination<'_>) -> bool {
    [".lock", ".deliver.lock"].iter().any(|ending| {
        writer(job.store, ending).is_some_and(|process| !is_alive(process))
            && may_be_merged(job.store, ending)
    })
}

/// Says who writes to the store.
pub(super) fn writers(job: &Examination<'_>) -> Check {
    const NAME: &str = "writers";
    let mut at_work = Vec::new();
    let mut died = Vec::new();
    for (ending, what) in [(".lock", "a run or another command"), (".deliver.lock", "`deliver`")] {
        match writer(job.store, ending) {
            Some(process) if is_alive(process) => {
                at_work.push(format!("process {process} ({what})"));
            }
            Some(process) => died.push(format!("process {process} ({what})")),
            None => {}
        }
    }
    if !died.is_empty() {
        let found = format!("{} did not end well", died.join(", "));
        return Check::warning(NAME, found, "the next command that writes looks after it");
    }
    if at_work.is_empty() {
        return Check::well(NAME, "nobody writes to the store");
    }
    Check::well(NAME, format!("{} at work", at_work.join(", ")))
}

#[cfg(unix)]
fn is_alive(process: u32) -> bool {
    let Some(process) = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw) else {
        return false;
    };
    // Somebody else's process is one that may not be asked.
    !matches!(rustix::process::test_kill_process(process), Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn is_alive(_: u32) -> bool {
    true
}

/// Holds what was put out against the manifests, these against the runs that the store knows, and the consent ledger
/// against where they say that it ended.
pub(super) fn published(
    job: &Examination<'_>,
    store: Option<&Store>,
    known: Option<&[RunRecord]>,
) -> Result<Check> {
    const NAME: &str = "files";
    let runs = shelf::runs(job.out)?;
    let (mut warnings, mut failures) = (Vec::new(), Vec::new());
    let (mut files, mut bytes) = (0, 0);
    let last_of_all = runs.last().cloned();
    for run in &runs {
        // Only the latest is read to the last byte, unless everything is.
        let found = shelf::check(job.out, run, job.is_deep || Some(run) == last_of_all.as_ref());
        files += found.files;
        bytes += found.bytes;
        warnings.extend(found.problems.iter().map(|problem| format!("{run}/{problem}")));
        match known.map(|known| known.iter().find(|record| record.id == *run)) {
            Some(None) => warnings.push(format!("{run} is of no run that the store knows")),
            Some(Some(_)) => {
                let broken = store.map(|store| is_anchor_broken(store, &found)).transpose();
                if broken.unwrap_or(Some(true)).unwrap_or(false) {
                    failures.push(format!("the consent ledger is not the one that {run} knows"));
                }
            }
            None => {}
        }
    }
    warnings.extend(latest_problem(job, known));
    let looked = format!(
        "{} in {}, {}",
        count(files, "file", "files"),
        count(runs.len() as u64, "run", "runs"),
        size(bytes)
    );
    if !failures.is_empty() {
        let hint = format!("records were cut off or written anew: {RESTORE}");
        return Ok(Check::failure(NAME, some_of(&failures), hint));
    }
    if !warnings.is_empty() {
        let hint = "the store is what counts: `leadmill run --full` puts everything out anew";
        return Ok(Check::warning(NAME, some_of(&warnings), hint));
    }
    Ok(Check::well(NAME, format!("{looked}, as their manifests say")))
}

/// Returns what is wrong with where `latest` points.
fn latest_problem(job: &Examination<'_>, known: Option<&[RunRecord]>) -> Option<String> {
    let published = known?.iter().rfind(|run| run.state == RunState::Published)?;
    match shelf::latest(job.out) {
        Some(latest) if latest == published.id => None,
        Some(latest) => {
            Some(format!("latest is {latest}, but {} was published last", published.id))
        }
        None => Some(format!("latest is missing, though {} was published", published.id)),
    }
}

/// Returns whether the ledger holds something else where `found` says that it ended.
fn is_anchor_broken(store: &Store, found: &OnShelf) -> Result<bool> {
    let Some((records, head)) = found.anchor.as_ref().filter(|(records, _)| *records > 0) else {
        return Ok(false);
    };
    Ok(store.ledger_hash_at(*records)?.is_none_or(|hash| hex(&hash) != *head))
}

/// Looks whether anybody else may read what is about people.
pub(super) fn permissions(job: &Examination<'_>) -> Check {
    const NAME: &str = "permissions";
    let mut paths: Vec<PathBuf> = FILES_BESIDE.iter().map(|end| beside(job.store, end)).collect();
    paths.extend([job.key.to_owned(), key::log_path(job.key)]);
    paths.extend([backup::folder(job.store), job.out.to_owned()]);
    let (mut open, mut looked) = (Vec::new(), 0_u64);
    while let Some(path) = paths.pop() {
        let Ok(found) = path.symlink_metadata() else { continue };
        if found.is_symlink() {
            continue;
        }
        looked += 1;
        if is_open_to_others(&found) {
            open.push(path.display().to_string());
        }
        if found.is_dir()
            && let Ok(entries) = fs::read_dir(&path)
        {
            paths.extend(entries.flatten().map(|entry| entry.path()));
        }
    }
    open.sort();
    if open.is_empty() {
        Check::well(NAME, format!("{looked} files and folders are for their owner alone"))
    } else {
        let found = format!("others may read {}", some_of(&open));
        Check::warning(NAME, found, "take it from them: chmod -R go= and the path")
    }
}

#[cfg(unix)]
fn is_open_to_others(found: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

/// Looks whether the disk has room for what waits in the inbox.
pub(super) fn space(job: &Examination<'_>) -> Result<Check> {
    const NAME: &str = "space";
    let folder = job.store.parent().filter(|path| !path.as_os_str().is_empty());
    let Some(free) = free_bytes(folder.unwrap_or(Path::new(".")))? else {
        return Ok(Check::well(NAME, "this system does not say"));
    };
    let (waiting, again) = (bytes_below(job.inbox), latest_bytes(job));
    let needed = ROOM_AT_LEAST + ROOM_PER_INPUT * waiting + 2 * again;
    let found = format!("{} are free, a run may need {}", size(free), size(needed));
    Ok(if free < needed {
        let hint =
            "make room: archive exports that were taken in, old folders in out/runs, old backups";
        Check::warning(NAME, found, hint)
    } else {
        Check::well(NAME, found)
    })
}

fn latest_bytes(job: &Examination<'_>) -> u64 {
    shelf::latest(job.out).map_or(0, |run| shelf::check(job.out, &run, false).bytes)
}

fn bytes_below(folder: &Path) -> u64 {
    let (mut bytes, mut folders) = (0, vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(found) if found.is_dir() => folders.push(entry.path()),
                Ok(found) => bytes += found.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}

/// Says which backup is the newest.
pub(super) fn backups(job: &Examination<'_>) -> Result<Check> {
    const NAME: &str = "backups";
    let folder = backup::folder(job.store);
    let all = backup::list(&folder)?;
    let without = all.iter().filter(|one| one.record.is_none()).count() as u64;
    if without > 0 {
        let found = format!(
            "{} without a record of its own size in {}",
            count(without, "copy", "copies"),
            folder.display()
        );
        let hint = "`leadmill backup --list` shows which; make a new one and remove these";
        return Ok(Check::warning(NAME, found, hint));
    }
    let newest = all.last().and_then(|one| one.record.as_ref());
    Ok(Check::well(
        NAME,
        match newest {
            Some(record) => format!(
                "{}, the newest of {}",
                all.len(),
                record
                    .taken_at
                    .as_deref()
                    .or(record.latest_as_of.as_deref())
                    .unwrap_or("unknown age")
            ),
            None => format!("none in {}; `leadmill backup` makes one", folder.display()),
        },
    ))
}
