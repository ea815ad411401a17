//! Lets a run's folder appear all at once.
//!
//! Files are written into `out/.staging-<run>/`, hashed on the way and flushed to the disk; the
//! manifest comes last; one rename moves the folder to `out/runs/<run>/`, then `out/latest` is swapped.
//! A reader sees the whole folder or none of it, whenever the power goes.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::model::ids::hex;

pub(super) const MANIFEST: &str = "manifest.json";
/// Files that are brought to the disk together: each by itself waits for the disk, and those that wait at once wait as
/// long as one. So many are open meanwhile.
const SYNCED_AT_ONCE: usize = 64;
const STAGING_PREFIX: &str = ".staging-";
const ASIDE_PREFIX: &str = ".replaced-";

/// A file that was written, as the manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Path inside the run's folder, with forward slashes.
    pub name: String,
    /// Lower-case hexadecimal SHA-256 of its bytes.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
    /// Rows, where the file has rows.
    pub rows: Option<u64>,
}

/// A run's folder while it is written.
#[derive(Debug)]
pub struct Staging {
    out_dir: PathBuf,
    run_id: String,
    staged: PathBuf,
    opened: BTreeMap<String, Option<FileEntry>>,
    /// Files that are written whole and not yet brought to the disk.
    unsynced: Vec<(PathBuf, File)>,
}

/// A run's folder once it is out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The folder.
    pub folder: PathBuf,
    /// What points at it: a symbolic link, or a text file where the system has none.
    pub latest: PathBuf,
    /// Files sorted by name, without the manifest.
    pub files: Vec<FileEntry>,
    /// Lower-case hexadecimal SHA-256 of the manifest.
    pub manifest_sha256: String,
}

/// A file of a [`Staging`]: counts and hashes what goes through.
#[derive(Debug)]
pub struct StagedFile {
    name: String,
    path: PathBuf,
    out: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Write for StagedFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.out.write(buffer)?;
        self.hash.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Staging {
    /// Opens an empty staging folder for `run_id`; what killed runs left under any name is cleared away.
    ///
    /// The caller holds the lock of the store: another run's staging folder would not survive.
    pub fn create(out_dir: &Path, run_id: &str) -> Result<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        ensure!(
            !run_id.is_empty() && run_id.chars().all(plain) && !run_id.starts_with('.'),
            "`{run_id}` cannot name a run's folder"
        );
        create_folders(&out_dir.join("runs"))?;
        // The first run makes it, and what lies in a folder that nobody finds is lost.
        sync_folder(folder_of(out_dir))?;
        clear_leftovers(out_dir)?;
        let staged = out_dir.join(format!("{STAGING_PREFIX}{run_id}"));
        create_folder(&staged)?;
        Ok(Self {
            out_dir: out_dir.to_owned(),
            run_id: run_id.to_owned(),
            staged,
            opened: BTreeMap::new(),
            unsynced: Vec::new(),
        })
    }

    /// Returns a staging of the same folder, for another thread to write files of their own into; give it back to
    /// [`Staging::take_over`].
    #[must_use]
    pub fn beside(&self) -> Self {
        Self {
            out_dir: self.out_dir.clone(),
            run_id: self.run_id.clone(),
            staged: self.staged.clone(),
            opened: BTreeMap::new(),
            unsynced: Vec::new(),
        }
    }

    /// Takes in what was written by `other`, which is [`Staging::beside`] this one.
    pub fn take_over(&mut self, other: Self) -> Result<()> {
        for (name, entry) in other.opened {
            let is_new = self.opened.insert(name.clone(), entry).is_none();
            ensure!(is_new, "`{name}` is written twice");
        }
        self.unsynced.extend(other.unsynced);
        Ok(())
    }

    /// Opens the file `name`, a path with forward slashes such as `crm/leads.csv`; give it back to
    /// [`Staging::close_file`].
    pub fn file(&mut self, name: &str) -> Result<StagedFile> {
        let inside = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
        ensure!(inside && !name.contains(['\\', ':']), "`{name}` leaves the run's folder");
        ensure!(name != MANIFEST, "`{name}` is written when the run is published");
        ensure!(!self.opened.contains_key(name), "`{name}` is written twice");
        let path = self.staged.join(name);
        if let Some(parent) = path.parent() {
            create_folders(parent)?;
        }
        let file = create_file(&path)?;
        self.opened.insert(name.to_owned(), None);
        Ok(StagedFile {
            name: name.to_owned(),
            path,
            out: BufWriter::with_capacity(1 << 16, file),
            hash: Sha256::new(),
            bytes: 0,
        })
    }

    /// Takes `file` into the manifest; it is on the disk once the folder is published.
    pub fn close_file(&mut self, file: StagedFile, rows: Option<u64>) -> Result<()> {
        let naming = || format!("write {}", file.path.display());
        let inner =
            file.out.into_inner().map_err(io::IntoInnerError::into_error).with_context(naming)?;
        self.unsynced.push((file.path, inner));
        if self.unsynced.len() >= SYNCED_AT_ONCE {
            self.sync_files()?;
        }
        let entry = FileEntry {
            name: file.name.clone(),
            sha256: hex(&file.hash.finalize()),
            bytes: file.bytes,
            rows,
        };
        self.opened.insert(file.name, Some(entry));
        Ok(())
    }

    /// Writes a whole file at once.
    pub fn write_file(&mut self, name: &str, bytes: &[u8], rows: Option<u64>) -> Result<()> {
        let mut file = self.file(name)?;
        file.write_all(bytes).with_context(|| format!("write {}", file.path.display()))?;
        self.close_file(file, rows)
    }

    /// Returns what was closed so far, sorted by name: `run.json` lists it.
    pub fn files(&self) -> Vec<FileEntry> {
        self.opened.values().flatten().cloned().collect()
    }

    /// Writes the manifest, moves the folder to `runs/<run>/` and swaps `latest`.
    ///
    /// `extra` is an object whose entries stand in the manifest before the files, such as the run, its
    /// rules and its inputs. A folder that a killed run left under the same name is replaced.
    pub fn publish(mut self, extra: Value) -> Result<Published> {
        let open = self.opened.iter().find(|(_, entry)| entry.is_none());
        if let Some((name, _)) = open {
            bail!("`{name}` was opened and never closed; nothing is published");
        }
        self.sync_files()?;
        let files = self.files();
        let manifest = manifest(extra, &files)?;
        // `file` would refuse this name, on purpose.
        let path = self.staged.join(MANIFEST);
        let mut out = create_file(&path)?;
        let naming = || format!("write {}", path.display());
        out.write_all(manifest.as_bytes()).with_context(naming)?;
        out.sync_all().with_context(naming)?;
        self.sync_folders()?;

        let folder = self.out_dir.join("runs").join(&self.run_id);
        self.replace(&folder)?;
        self.opened.clear();
        sync_folder(&self.out_dir.join("runs"))?;
        let latest = swap_latest(&self.out_dir, &self.run_id)?;
        sync_folder(&self.out_dir)?;
        Ok(Published {
            folder,
            latest,
            files,
            manifest_sha256: hex(&Sha256::digest(manifest.as_bytes())),
        })
    }

    /// Removes the staging folder: for a run that fails after it began to write.
    pub fn discard(self) -> Result<()> {
        remove_if_there(&self.staged)
    }

    /// Brings what was written to the disk: all at once, or, where a run may have one thread only, one by one.
    fn sync_files(&mut self) -> Result<()> {
        let files = std::mem::take(&mut self.unsynced);
        let sync = |(path, file): &(PathBuf, File)| {
            file.sync_all().with_context(|| format!("write {}", path.display()))
        };
        if rayon::current_num_threads() == 1 {
            return files.iter().try_for_each(sync);
        }
        std::thread::scope(|scope| {
            let wait = |file| {
                let waiting = std::thread::Builder::new().spawn_scoped(scope, move || sync(file));
                // A system that has no thread left can still wait by itself.
                waiting.map_err(|_| sync(file))
            };
            let waiting: Vec<_> = files.iter().map(wait).collect();
            waiting.into_iter().try_for_each(|one| match one {
                Ok(thread) => thread.join().unwrap_or_else(|_| bail!("a thread died that wrote")),
                Err(synced) => synced,
            })
        })
    }

    fn sync_folders(&self) -> Result<()> {
        let mut folders: Vec<&Path> =
            self.opened.keys().flat_map(|name| Path::new(name).ancestors().skip(1)).collect();
        folders.retain(|folder| !folder.as_os_str().is_empty());
        folders.sort_unstable();
        folders.dedup();
        // The deepest first, so that a folder is safe before the entry that names it.
        for folder in folders.iter().rev() {
            sync_folder(&self.staged.join(folder))?;
        }
        sync_folder(&self.staged)
    }

    fn replace(&self, folder: &Path) -> Result<()> {
        // A folder cannot be renamed over one that is not empty, so the old one steps aside first.
        let aside = self.out_dir.join(format!("{ASIDE_PREFIX}{}", self.run_id));
        remove_if_there(&aside)?;
        let had_old = folder.symlink_metadata().is_ok();
        if had_old {
            rename(folder, &aside)?;
        }
        if let Err(failure) = rename(&self.staged, folder) {
            if had_old {
                rename(&aside, folder)?;
            }
            return Err(failure);
        }
        remove_if_there(&aside)
    }
}

fn manifest(extra: Value, files: &[FileEntry]) -> Result<String> {
    let mut root = Map::new();
    root.insert("format".to_owned(), json!("leadmill-manifest-1"));
    match extra {
        Value::Object(entries) => root.extend(entries),
        Value::Null => {}
        other => bail!("the manifest takes an object, not {other}"),
    }
    let files: Vec<Value> = files
        .iter()
        .map(|file| {
            json!({
                "name": file.name, "sha256": file.sha256, "bytes": file.bytes, "rows": file.rows,
            })
        })
        .collect();
    root.insert("files".to_owned(), Value::Array(files));
    Ok(serde_json::to_string_pretty(&Value::Object(root))? + "\n")
}

#[cfg(unix)]
fn swap_latest(out_dir: &Path, run_id: &str) -> Result<PathBuf> {
    let latest = out_dir.join("latest");
    let temporary = out_dir.join(".latest-new");
    remove_if_there(&temporary)?;
    std::os::unix::fs::symlink(Path::new("runs").join(run_id), &temporary)
        .with_context(|| format!("link {}", temporary.display()))?;
    rename(&temporary, &latest)?;
    Ok(latest)
}

#[cfg(not(unix))]
fn swap_latest(out_dir: &Path, run_id: &str) -> Result<PathBuf> {
    let latest = out_dir.join("latest.txt");
    let temporary = out_dir.join(".latest-new");
    fs::write(&temporary, format!("runs/{run_id}\n"))
        .with_context(|| format!("write {}", temporary.display()))?;
    rename(&temporary, &latest)?;
    Ok(latest)
}

/// Lets `latest` point at the folder of `run`, or at nothing.
pub(super) fn point_latest_at(out_dir: &Path, run: Option<&str>) -> Result<()> {
    match run {
        Some(run) => swap_latest(out_dir, run).map(drop),
        None => ["latest", "latest.txt"]
            .iter()
            .try_for_each(|name| remove_if_there(&out_dir.join(name))),
    }
}

/// Removes what killed runs were writing, and puts back a folder that had stepped aside for a
/// replacement that never came.
fn clear_leftovers(out_dir: &Path) -> Result<()> {
    let naming = || format!("read {}", out_dir.display());
    for entry in fs::read_dir(out_dir).with_context(naming)? {
        let entry = entry.with_context(naming)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with(STAGING_PREFIX) {
            remove_if_there(&entry.path())?;
        } else if let Some(run) = name.strip_prefix(ASIDE_PREFIX) {
            let published = out_dir.join("runs").join(run);
            if published.symlink_metadata().is_ok() {
                remove_if_there(&entry.path())?;
            } else {
                rename(&entry.path(), &published)?;
            }
        }
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).with_context(|| format!("move {} to {}", from.display(), to.display()))
}

fn remove_if_there(path: &Path) -> Result<()> {
    let naming = || format!("remove {}", path.display());
    match path.symlink_metadata() {
        Err(absent) if absent.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(failure) => Err(failure).with_context(naming),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path).with_context(naming),
        Ok(_) => fs::remove_file(path).with_context(naming),
    }
}

pub(super) fn create_folders(path: &Path) -> Result<()> {
    folder_builder()
        .recursive(true)
        .create(path)
        .with_context(|| format!("create {}", path.display()))
}

fn create_folder(path: &Path) -> Result<()> {
    folder_builder().create(path).with_context(|| format!("create {}", path.display()))
}

/// What is in these folders is personal data: for the owner's eyes only.
fn folder_builder() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

pub(super) fn create_file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).with_context(|| format!("create {}", path.display()))
}

/// Brings the names in a folder to the disk.
#[cfg(unix)]
pub fn sync_folder(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("flush {}", path.display()))
}

/// Does nothing: other systems let nobody.
#[cfg(not(unix))]
pub fn sync_folder(_: &Path) -> Result<()> {
    Ok(())
}

/// Returns the folder that holds `path`.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(out: &Path, run: &str, text: &str) -> Published {
        let mut staging = Staging::create(out, run).unwrap();
        staging.write_file("tasks.csv", text.as_bytes(), Some(1)).unwrap();
        let mut file = staging.file("crm/x.csv").unwrap();
        file.write_all(b"a,b\n").unwrap();
        file.write_all(b"1,2\n").unwrap();
        staging.close_file(file, Some(1)).unwrap();
        staging.publish(json!({"run": run, "rules": "abc"})).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_run_appears_whole_and_latest_points_at_it() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        publish(&out, "run-0001", "x");
        let second = publish(&out, "run-0002", "y");
        assert_eq!(names(&out.join("runs")), ["run-0001", "run-0002"]);
        assert_eq!(names(&out), ["latest", "runs"]);
        assert_eq!(names(&second.folder), ["crm", "manifest.json", "tasks.csv"]);
        assert_eq!(fs::read_to_string(out.join("latest/tasks.csv")).unwrap(), "y");
    }

    #[test]
    fn the_manifest_lists_hash_size_and_rows_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let published = publish(folder.path(), "r1", "x");
        let text = fs::read_to_string(published.folder.join("manifest.json")).unwrap();
        let manifest: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(manifest["run"], "r1");
        assert_eq!(manifest["files"][0]["name"], "crm/x.csv");
        assert_eq!(manifest["files"][0]["bytes"], 8);
        assert_eq!(manifest["files"][1]["name"], "tasks.csv");
        assert_eq!(
            manifest["files"][1]["sha256"],
            "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
        );
        assert_eq!(published.manifest_sha256, hex(&Sha256::digest(text.as_bytes())));
        let again = tempfile::tempdir().unwrap();
        assert_eq!(publish(again.path(), "r1", "x").manifest_sha256, published.manifest_sha256);
    }

    #[test]
    fn what_a_killed_run_left_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        publish(out, "r1", "first");
        fs::create_dir_all(out.join(".staging-r1/crm")).unwrap();
        fs::write(out.join(".staging-r1/crm/old.csv"), "old").unwrap();
        fs::create_dir_all(out.join(".replaced-r1")).unwrap();
        let published = publish(out, "r1", "again");
        assert_eq!(fs::read_to_string(published.folder.join("tasks.csv")).unwrap(), "again");
        assert_eq!(names(&published.folder.join("crm")), ["x.csv"]);
        assert_eq!(names(out), ["latest", "runs"]);
    }

    #[test]
    fn a_folder_that_stepped_aside_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let first = publish(out, "r1", "first");
        fs::rename(&first.folder, out.join(".replaced-r1")).unwrap();
        fs::create_dir(out.join(".staging-r0")).unwrap();
        let next = Staging::create(out, "r2").unwrap();
        assert_eq!(fs::read_to_string(out.join("latest/tasks.csv")).unwrap(), "first");
        next.discard().unwrap();
        assert_eq!(names(out), ["latest", "runs"]);
    }

    #[test]
    fn nothing_is_published_while_a_file_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let mut staging = Staging::create(folder.path(), "r1").unwrap();
        let _open = staging.file("a.csv").unwrap();
        let failure = staging.publish(Value::Null).unwrap_err().to_string();
        assert_eq!(failure, "`a.csv` was opened and never closed; nothing is published");
        assert!(!folder.path().join("latest").exists());
    }

    #[test]
    fn what_is_written_beside_a_staging_is_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut staging = Staging::create(folder.path(), "r1").unwrap();
        let mut beside = staging.beside();
        staging.write_file("a.csv", b"a", None).unwrap();
        beside.write_file("b/c.csv", b"c", Some(1)).unwrap();
        let mut twice = staging.beside();
        staging.take_over(beside).unwrap();
        fs::remove_file(folder.path().join(".staging-r1/a.csv")).unwrap();
        twice.write_file("a.csv", b"a", None).unwrap();
        let refused = staging.take_over(twice).unwrap_err().to_string();
        assert_eq!(refused, "`a.csv` is written twice");
        let published = staging.publish(Value::Null).unwrap();
        let listed: Vec<_> = published.files.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(listed, ["a.csv", "b/c.csv"]);
    }

    #[test]
    fn a_file_that_another_thread_left_open_is_not_published() {
        let folder = tempfile::tempdir().unwrap();
        let mut staging = Staging::create(folder.path(), "r1").unwrap();
        let mut beside = staging.beside();
        let _open = beside.file("a.csv").unwrap();
        staging.take_over(beside).unwrap();
        let failure = staging.publish(Value::Null).unwrap_err().to_string();
        assert_eq!(failure, "`a.csv` was opened and never closed; nothing is published");
    }

    #[test]
    fn names_stay_inside_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let mut staging = Staging::create(folder.path(), "r1").unwrap();
        for name in ["../x", "/x", "a//b", "", "a\\b", "manifest.json"] {
            assert!(staging.file(name).is_err(), "{name}");
        }
        for run in ["", "..", "a/b", ".x"] {
            assert!(Staging::create(folder.path(), run).is_err(), "{run}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let published = publish(&folder.path().join("out"), "r1", "x");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&published.folder), 0o700);
        assert_eq!(mode(&published.folder.join("crm")), 0o700);
        assert_eq!(mode(&published.folder.join("crm/x.csv")), 0o600);
        assert_eq!(mode(&published.folder.join("manifest.json")), 0o600);
    }
}
