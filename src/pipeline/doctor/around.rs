//! What lies around the store: files, folders, processes, space.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Check, Examination, RESTORE, some_of, told};
use crate::delivery::shelf::{self, OnShelf};
use crate::model::ids::hex;
use crate::report::amounts::{count, size};
use crate::store::files::{beside, folder_of, free_bytes};
use crate::store::health::{FILES_BESIDE, Writer, may_be_merged, writer};
use crate::store::runs::{RunRecord, RunState};
use crate::store::{DELIVER_LOCK, LOCK, Store, backup, key, restore};

/// Room that a run needs whatever it reads: the WAL until it is written back, and some for logs.
const ROOM_AT_LEAST: u64 = 128 << 20;
/// How many times the bytes of the inbox a run may write: to the WAL, to the store, to files.
const ROOM_PER_INPUT: u64 = 4;

/// Says that a restore has begun, if one has.
pub(super) fn restore(job: &Examination<'_>) -> Option<Check> {
    const NAME: &str = "restore";
    match restore::begun(job.store) {
        Ok(begun) => begun.map(|begun| {
            let hint = format!("`leadmill restore {}` ends it", begun.backup);
            Check::failure(NAME, "a restore has begun and was not finished", hint)
        }),
        Err(fault) => Some(told(NAME, &fault)),
    }
}

/// Returns whether a run or another command writes to the store now.
pub(super) fn is_at_work(job: &Examination<'_>) -> bool {
    matches!(writer(job.store, LOCK), Some(Writer::AtWork(_)))
}

/// Returns whether somebody left in the WAL what has no checksums, and another program, such as SQLite's own shell, may
/// have written that back.
pub(super) fn is_merged(job: &Examination<'_>) -> bool {
    [LOCK, DELIVER_LOCK].iter().any(|ending| {
        matches!(writer(job.store, ending), Some(Writer::Left(_)))
            && may_be_merged(job.store, ending)
    })
}

/// Says who writes to the store.
pub(super) fn writers(job: &Examination<'_>) -> Check {
    const NAME: &str = "writers";
    let mut at_work = Vec::new();
    let mut left = Vec::new();
    for (ending, what) in [(LOCK, "a run or another command"), (DELIVER_LOCK, "`deliver`")] {
        match writer(job.store, ending) {
            Some(Writer::AtWork(process)) => at_work.push(format!("process {process} ({what})")),
            Some(Writer::Left(process)) => left.push(format!("process {process} ({what})")),
            None => {}
        }
    }
    if !left.is_empty() {
        let found = format!("{} died, or left what the next one writes back", left.join(", "));
        return Check::warning(NAME, found, "the next command that writes looks after it");
    }
    if at_work.is_empty() {
        return Check::well(NAME, "nobody writes to the store");
    }
    Check::well(NAME, format!("{} at work", at_work.join(", ")))
}

/// Holds what was put out against the manifests, and where `store` can be asked, these against the runs that it knows
/// and its consent ledger against where they say that it ended. Leaves in `latest_bytes` how much `latest` points at.
pub(super) fn published(
    job: &Examination<'_>,
    store: Option<&Store>,
    latest_bytes: &mut u64,
) -> Result<Check> {
    const NAME: &str = "files";
    let runs = shelf::runs(job.out)?;
    let latest = shelf::latest(job.out);
    let known = store.map(Store::all_runs).transpose()?;
    let (mut of_latest, mut warnings, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    let (mut files, mut bytes) = (0, 0);
    for (at, run) in runs.iter().enumerate() {
        // Only the last is read to its end, unless everything is.
        let found = shelf::check(job.out, run, job.is_deep || at + 1 == runs.len());
        files += found.files;
        bytes += found.bytes;
        let is_latest = latest.as_ref() == Some(run);
        if is_latest {
            *latest_bytes = found.bytes;
        }
        let problems = if is_latest { &mut of_latest } else { &mut warnings };
        problems.extend(found.problems.iter().map(|problem| format!("{run}/{problem}")));
        let (Some(store), Some(known)) = (store, &known) else { continue };
        if !known.iter().any(|record| record.id == *run) {
            warnings.push(format!("{run} is of no run that the store knows"));
        } else if is_anchor_broken(store, &found)? {
            failures.push(format!("the consent ledger is not the one that {run} knows"));
        }
    }
    of_latest.extend(latest_problem(latest.as_deref(), known.as_deref()));
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
    let mut hints = Vec::new();
    if !of_latest.is_empty() {
        hints.push("the store is what counts: `leadmill run --full` puts everything out anew");
    }
    if !warnings.is_empty() {
        hints.push("of earlier runs: put the file back, or move that folder out of `out/runs`");
    }
    if !hints.is_empty() {
        return Ok(Check::warning(
            NAME,
            some_of(&[of_latest, warnings].concat()),
            hints.join("; "),
        ));
    }
    Ok(Check::well(NAME, format!("{looked}, as their manifests say")))
}

/// Returns what is wrong with where `latest` points.
fn latest_problem(latest: Option<&str>, known: Option<&[RunRecord]>) -> Option<String> {
    let published = known?.iter().rfind(|run| run.state == RunState::Published)?;
    match latest {
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

/// Looks whether the disk has room for what waits in the inbox, and to put out twice what was last.
pub(super) fn space(job: &Examination<'_>, latest_bytes: u64) -> Result<Check> {
    const NAME: &str = "space";
    let Some(free) = free_bytes(folder_of(job.store))? else {
        return Ok(Check::well(NAME, "this system does not say"));
    };
    let waiting = bytes_below(job.inbox);
    let needed = ROOM_AT_LEAST + ROOM_PER_INPUT * waiting + 2 * latest_bytes;
    let found = format!("{} are free, a run may need {}", size(free), size(needed));
    Ok(if free < needed {
        let hint =
            "make room: archive exports that were taken in, old folders in out/runs, old backups";
        Check::warning(NAME, found, hint)
    } else {
        Check::well(NAME, found)
    })
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
