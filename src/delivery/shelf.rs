//! The folders of runs that are out: are they as their manifests say, and what of them a store knows nothing about.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::publication::{MANIFEST, create_folders, point_latest_at, sync_folder};
use crate::model::ids::hex;

/// Where a run's folder said that the consent ledger ended: records, and the last one's hash in hexadecimal.
pub type Anchor = (i64, String);

/// A run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnShelf {
    /// The run's id.
    pub run: String,
    /// Files that the manifest lists.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Where the consent ledger ended; runs of older leadmills do not say.
    pub anchor: Option<Anchor>,
    /// What is not as the manifest says, each in a few words.
    pub problems: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    ledger: Option<Ledger>,
    files: Vec<Entry>,
}

#[derive(Deserialize)]
struct Ledger {
    records: i64,
    head: String,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    /// None, as of the size, where the file went whole, because it named somebody who was erased.
    sha256: Option<String>,
    bytes: Option<u64>,
}

/// Returns the ids of the runs whose folders are in `out_dir`, in order.
pub fn runs(out_dir: &Path) -> Result<Vec<String>> {
    folders_in(&out_dir.join("runs"))
}

/// Returns the names of the folders in `folder`, in order; none where it does not exist.
fn folders_in(folder: &Path) -> Result<Vec<String>> {
    let naming = || format!("cannot read {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(fault) => return Err(fault).with_context(naming),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.with_context(naming)?;
        if entry.file_type().with_context(naming)?.is_dir() {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}

/// Returns the run that `out_dir/latest` points at.
pub fn latest(out_dir: &Path) -> Option<String> {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    match fs::read_link(out_dir.join("latest")) {
        Ok(path) => name(&path),
        // Where the system has no links.
        Err(_) => name(Path::new(fs::read_to_string(out_dir.join("latest.txt")).ok()?.trim())),
    }
}

/// Holds the folder of `run` in `out_dir` against its manifest: sizes, and with `reads_all` every byte.
pub fn check(out_dir: &Path, run: &str, reads_all: bool) -> OnShelf {
    let folder = out_dir.join("runs").join(run);
    let mut found =
        OnShelf { run: run.to_owned(), files: 0, bytes: 0, anchor: None, problems: Vec::new() };
    let manifest =
        fs::read_to_string(folder.join(MANIFEST)).map_err(|fault| fault.to_string()).and_then(
            |text| serde_json::from_str::<Manifest>(&text).map_err(|fault| fault.to_string()),
        );
    let manifest = match manifest {
        Ok(manifest) => manifest,
        Err(fault) => {
            found.problems.push(format!("{MANIFEST} cannot be read: {fault}"));
            return found;
        }
    };
    found.anchor = manifest.ledger.map(|ledger| (ledger.records, ledger.head));
    for entry in manifest.files {
        found.files += 1;
        found.bytes += entry.bytes.unwrap_or(0);
        if let Err(problem) = check_file(&folder, &entry, reads_all) {
            found.problems.push(format!("{} {problem}", entry.name));
        }
    }
    found
}

fn check_file(folder: &Path, entry: &Entry, reads_all: bool) -> Result<(), String> {
    let path = folder.join(&entry.name);
    let (Some(sha256), Some(bytes)) = (&entry.sha256, entry.bytes) else {
        let is_there = path.symlink_metadata().is_ok();
        return if is_there {
            Err("is there again, though it was erased".to_owned())
        } else {
            Ok(())
        };
    };
    let size = path.metadata().map_err(|fault| match fault.kind() {
        ErrorKind::NotFound => "is missing".to_owned(),
        _ => format!("cannot be read: {fault}"),
    })?;
    if size.len() != bytes {
        return Err(format!("has {} bytes, not {bytes}", size.len()));
    }
    if reads_all {
        let found = sha256_of(&path).map_err(|fault| format!("cannot be read: {fault}"))?;
        if found != *sha256 {
            return Err("is not what was written".to_owned());
        }
    }
    Ok(())
}

fn sha256_of(path: &Path) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&buffer[..read]);
    }
}

/// Moves the folders of runs that are not among `known` to `aside`, a folder beside `runs`, and lets `latest` point at
/// the latest that is left; returns which. Done again after a kill, it goes on where it was.
pub fn set_aside(out_dir: &Path, known: &BTreeSet<String>, aside: &str) -> Result<Vec<String>> {
    let target = out_dir.join(aside);
    let all = runs(out_dir)?;
    let (left, unknown): (Vec<_>, Vec<_>) = all.into_iter().partition(|run| known.contains(run));
    if !unknown.is_empty() {
        create_folders(&target)?;
        // First of all its name: else the disk may know that the runs have gone, and not where to.
        sync_folder(out_dir)?;
    }
    for run in &unknown {
        let from = out_dir.join("runs").join(run);
        let to = target.join(run);
        fs::rename(&from, &to)
            .with_context(|| format!("cannot move {} to {}", from.display(), to.display()))?;
    }
    // Also those that an attempt before moved.
    let moved = folders_in(&target)?;
    if !moved.is_empty() {
        sync_folder(&target)?;
        sync_folder(&out_dir.join("runs"))?;
        let points_at_none = latest(out_dir).is_none_or(|run| !left.contains(&run));
        if points_at_none {
            point_latest_at(out_dir, left.last().map(String::as_str))?;
        }
        sync_folder(out_dir)?;
    }
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::publication::Staging;
    use super::*;

    fn publish(out: &Path, run: &str) {
        let mut staging = Staging::create(out, run).unwrap();
        staging.write_file("crm/leads.csv", b"id\n1\n", Some(1)).unwrap();
        let ledger = json!({"records": 3, "head": "ab"});
        staging.publish(json!({"run": run, "ledger": ledger})).unwrap();
    }

    #[track_caller]
    fn check_says(out: &Path, reads_all: bool, expected: &[&str]) {
        assert_eq!(check(out, "r1", reads_all).problems, expected);
    }

    #[test]
    fn a_file_that_is_not_as_the_manifest_says_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        publish(out, "r1");
        let file = out.join("runs/r1/crm/leads.csv");
        let found = check(out, "r1", true);
        assert_eq!((found.files, found.bytes, found.anchor), (1, 5, Some((3, "ab".to_owned()))));
        check_says(out, true, &[]);
        fs::write(&file, "id\n2\n").unwrap();
        check_says(out, false, &[]);
        check_says(out, true, &["crm/leads.csv is not what was written"]);
        fs::write(&file, "id\n").unwrap();
        check_says(out, false, &["crm/leads.csv has 3 bytes, not 5"]);
        fs::remove_file(&file).unwrap();
        check_says(out, false, &["crm/leads.csv is missing"]);
        // What an erasure took whole is listed without a hash, and is not missed.
        let gone = json!({"files": [{"name": "crm/leads.csv", "sha256": null, "bytes": null}]});
        fs::write(out.join("runs/r1/manifest.json"), gone.to_string()).unwrap();
        check_says(out, true, &[]);
        fs::write(&file, "id\n").unwrap();
        check_says(out, true, &["crm/leads.csv is there again, though it was erased"]);
        fs::write(out.join("runs/r1/manifest.json"), "{").unwrap();
        assert!(check(out, "r1", false).problems[0].starts_with("manifest.json cannot be read"));
    }

    #[test]
    fn runs_that_nobody_knows_step_aside_and_latest_follows() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        for run in ["r1", "r2", "r3"] {
            publish(out, run);
        }
        let known = BTreeSet::from(["r1".to_owned()]);
        for _ in 0..2 {
            assert_eq!(set_aside(out, &known, "before-x").unwrap(), ["r2", "r3"]);
            assert_eq!(runs(out).unwrap(), ["r1"]);
            assert_eq!(latest(out).as_deref(), Some("r1"));
            assert!(out.join("before-x/r3/manifest.json").exists());
        }
        assert_eq!(set_aside(out, &BTreeSet::new(), "before-y").unwrap(), ["r1"]);
        assert_eq!(latest(out), None);
        assert!(!out.join("latest").exists());
    }
}
