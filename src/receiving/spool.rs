//! The files that submissions are kept in: `inbox/received/<source>--<form>-<time>-<n>.jsonl`.
//!
//! A file that is still written to has `.part` at its end, which intake passes over. Who wants to read what came in
//! closes it: cuts off what was never whole, brings it to the disk and gives it its name. The receiver does so when a
//! file is old or large and when it stops; a run does so before it looks into the inbox, whether a receiver is up or
//! not. They agree by a lock on a file: the receiver holds it for each trip to the disk, and looks afterwards whether
//! its files are still there. So a run neither waits for a timer nor has to know of a process.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};

use super::receipt::Known;
use super::record::read_own;

/// The folder in the inbox.
const FOLDER: &str = "received";
/// What the name of a file that is still written to ends with; intake passes over such files.
const OPEN_END: &str = ".part";
/// What the name of a file ends with that is whole.
const END: &str = ".jsonl";
/// Held by the receiver as long as it is up.
const RECEIVER_LOCK: &str = ".receiver.lock";
/// Held by whoever writes to files or closes them.
const FILES_LOCK: &str = ".files.lock";
/// How much of the end of a file is searched for the last line end at a time.
const TAIL_BYTES: u64 = 64 << 10;

/// Another receiver writes to the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolFault(PathBuf);

impl fmt::Display for SpoolFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "another `leadmill receive` writes to {}\nhint: one is enough for all forms; stop it first, or use another \
             workspace",
            self.0.display()
        )
    }
}

impl std::error::Error for SpoolFault {}

/// A file that was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Its name for runs; none when there was nothing whole in it.
    pub path: Option<PathBuf>,
    /// Bytes at its end that were cut off: of a submission that was never acknowledged.
    pub cut_bytes: u64,
}

/// Closes every file in the inbox that is still written to, so that a run can take it in.
pub fn close_segments(inbox: &Path) -> Result<Vec<Closed>> {
    let folder = inbox.join(FOLDER);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let files = lock_file(&folder, FILES_LOCK)?;
    files.lock().with_context(|| format!("cannot lock {}", folder.display()))?;
    close_all(&folder)
}

fn close_all(folder: &Path) -> Result<Vec<Closed>> {
    let open = names(folder, OPEN_END)?;
    let closed = open.iter().map(|path| close(path)).collect::<Result<Vec<_>>>()?;
    if !closed.is_empty() {
        sync_folder(folder)?;
    }
    Ok(closed)
}

/// Closes the file at `path`, whose name ends with [`OPEN_END`].
fn close(path: &Path) -> Result<Closed> {
    let naming = || format!("cannot close {}", path.display());
    let mut file = OpenOptions::new().read(true).write(true).open(path).with_context(naming)?;
    let bytes = file.metadata().with_context(naming)?.len();
    let whole = whole_bytes(&mut file, bytes).with_context(naming)?;
    if whole == 0 {
        fs::remove_file(path).with_context(naming)?;
        return Ok(Closed { path: None, cut_bytes: bytes });
    }
    if whole < bytes {
        file.set_len(whole).with_context(naming)?;
    }
    file.sync_all().with_context(naming)?;
    let name = path.to_string_lossy();
    let target = PathBuf::from(name.strip_suffix(OPEN_END).unwrap_or(&name));
    fs::rename(path, &target).with_context(naming)?;
    Ok(Closed { path: Some(target), cut_bytes: bytes - whole })
}

/// Returns how far the whole lines of `file` go.
fn whole_bytes(file: &mut File, bytes: u64) -> std::io::Result<u64> {
    let mut end = bytes;
    while end > 0 {
        let start = end.saturating_sub(TAIL_BYTES);
        let mut tail = vec![0; (end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut tail)?;
        if let Some(at) = memchr::memrchr(b'\n', &tail) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Returns the files of the folder whose names end with `end`, sorted.
fn names(folder: &Path, end: &str) -> Result<Vec<PathBuf>> {
    let naming = || format!("cannot read {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(naming)? {
        let entry = entry.with_context(naming)?;
        let is_file = entry.file_type().with_context(naming)?.is_file();
        if is_file && entry.file_name().to_string_lossy().ends_with(end) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The folder, held by a receiver.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    files: File,
    _receiver: File,
}

impl Spool {
    /// Opens the folder in `inbox` for writing, and closes what a killed receiver left.
    ///
    /// # Errors
    /// [`SpoolFault`] when another receiver holds it.
    pub(super) fn open(inbox: &Path) -> Result<(Self, Vec<Closed>)> {
        let folder = inbox.join(FOLDER);
        let naming = || format!("cannot make {}", folder.display());
        fs::create_dir_all(&folder).with_context(naming)?;
        // Both may be new, and what lies in a folder that nobody finds is lost.
        let above = inbox.parent().filter(|above| !above.as_os_str().is_empty());
        sync_folder(inbox)?;
        sync_folder(above.unwrap_or(Path::new(".")))?;
        let receiver = lock_file(&folder, RECEIVER_LOCK)?;
        match receiver.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SpoolFault(folder).into()),
            Err(TryLockError::Error(fault)) => {
                return Err(fault).with_context(|| format!("cannot lock {}", folder.display()));
            }
        }
        let files = lock_file(&folder, FILES_LOCK)?;
        let spool = Self { folder, files, _receiver: receiver };
        let closed = spool.locked(close_all)?;
        Ok((spool, closed))
    }

    /// Does `work` while nobody else writes to the files or closes them.
    pub(super) fn locked<T>(&self, work: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
        let naming = || format!("cannot lock {}", self.folder.display());
        self.files.lock().with_context(naming)?;
        let outcome = work(&self.folder);
        self.files.unlock().with_context(naming)?;
        outcome
    }

    /// Finds in the files of a form the receipts that it gave of late.
    pub(super) fn recall(&self, start: &str, known: &mut Known, now_ms: i64) -> Result<()> {
        let mut found = Vec::new();
        for path in names(&self.folder, END)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_of_form = name.strip_prefix(start).is_some_and(is_time_and_number);
            let naming = || format!("cannot read {}", path.display());
            let written =
                fs::metadata(&path).and_then(|file| file.modified()).with_context(naming)?;
            let is_late =
                DateTime::<Utc>::from(written).timestamp_millis() > now_ms - known.window_ms();
            if !is_of_form || !is_late {
                continue;
            }
            let bytes = fs::read(&path).with_context(naming)?;
            let lines = bytes.split(|byte| *byte == b'\n');
            found.extend(lines.filter_map(|line| read_own(std::str::from_utf8(line).ok()?)));
        }
        found.sort_by_key(|(receipt, at_ms)| (*at_ms, *receipt));
        for (receipt, at_ms) in found {
            known.add(receipt, at_ms);
        }
        Ok(())
    }
}

/// Returns whether `rest` is what stands behind the form in the name of a file: another form may be called like this
/// one and more.
fn is_time_and_number(rest: &str) -> bool {
    let rest = rest.strip_suffix(END).unwrap_or(rest);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    rest.split_once('-').is_some_and(|(time, number)| {
        let digits = time.replacen('T', "", 1);
        is_number(digits.strip_suffix('Z').unwrap_or("")) && is_number(number)
    })
}

/// Returns what the names of a form's files start with.
pub(super) fn name_start(source: &str, form: &str) -> String {
    format!("{source}--{form}-")
}

/// A file that is written to.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    file: File,
    /// Bytes that are on the disk.
    bytes: u64,
    opened_ms: i64,
}

impl Segment {
    /// Makes a file whose name starts with `start`, and brings its name to the disk.
    pub(super) fn create(folder: &Path, start: &str, now_ms: i64) -> Result<Self> {
        let naming = || format!("cannot make a file in {}", folder.display());
        fs::create_dir_all(folder).with_context(naming)?;
        let time = DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
        let time = time.format("%Y%m%dT%H%M%SZ");
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        for number in 1.. {
            let whole = folder.join(format!("{start}{time}-{number}{END}"));
            if whole.exists() {
                continue;
            }
            let path = folder.join(format!("{start}{time}-{number}{END}{OPEN_END}"));
            match options.open(&path) {
                Ok(file) => {
                    sync_folder(folder)?;
                    return Ok(Self { path, file, bytes: 0, opened_ms: now_ms });
                }
                Err(fault) if fault.kind() == ErrorKind::AlreadyExists => {}
                Err(fault) => return Err(fault).with_context(naming),
            }
        }
        unreachable!("one of all numbers is free")
    }

    /// Returns whether nobody has closed or moved the file.
    pub(super) fn is_there(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok()
    }

    /// Returns the bytes that are in it.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns since when it is written to.
    pub(super) fn opened_ms(&self) -> i64 {
        self.opened_ms
    }

    /// Appends `lines` and brings them to the disk; when that fails nothing of them stays.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<()> {
        let written = self.file.write_all(lines).and_then(|()| self.file.sync_data());
        if let Err(fault) = written {
            // Nobody was told that these were taken, and they will be sent again. Where even this fails the next one
            // who closes the file cuts off what is not whole.
            let _ = self.file.set_len(self.bytes).and_then(|()| self.file.sync_data());
            return Err(fault).with_context(|| format!("cannot write {}", self.path.display()));
        }
        self.bytes += lines.len() as u64;
        Ok(())
    }

    /// Gives the file its name.
    pub(super) fn close(self, folder: &Path) -> Result<Closed> {
        let closed = close(&self.path)?;
        sync_folder(folder)?;
        Ok(closed)
    }
}

fn lock_file(folder: &Path, name: &str) -> Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let path = folder.join(name);
    options.open(&path).with_context(|| format!("cannot make the lock {}", path.display()))
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.with_context(|| format!("cannot bring {} to the disk", folder.display()))
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_950_572_000;

    fn names_in(inbox: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(inbox.join(FOLDER))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_whole_once_it_is_closed_and_names_are_never_taken_twice() {
        let inbox = tempfile::tempdir().unwrap();
        let (spool, closed) = Spool::open(inbox.path()).unwrap();
        assert_eq!(closed, []);
        for number in 1..=2 {
            let closed = spool.locked(|folder| {
                let mut segment = Segment::create(folder, "generic-json--contact-", NOW_MS)?;
                segment.append(b"{}\n")?;
                let open = format!("generic-json--contact-20261129T110932Z-{number}.jsonl.part");
                assert!(names_in(inbox.path()).contains(&open), "{:?}", names_in(inbox.path()));
                segment.close(folder)
            });
            assert_eq!(closed.unwrap().cut_bytes, 0);
        }
        assert_eq!(
            names_in(inbox.path()),
            [
                "generic-json--contact-20261129T110932Z-1.jsonl",
                "generic-json--contact-20261129T110932Z-2.jsonl"
            ]
        );
    }

    #[test]
    fn a_second_receiver_is_refused_and_a_run_closes_beside_it() {
        let inbox = tempfile::tempdir().unwrap();
        assert_eq!(close_segments(inbox.path()).unwrap(), []);
        let (spool, _) = Spool::open(inbox.path()).unwrap();
        assert!(Spool::open(inbox.path()).unwrap_err().is::<SpoolFault>());
        let segment = spool.locked(|folder| {
            let mut segment = Segment::create(folder, "a--b-", NOW_MS)?;
            segment.append(b"{}\n").map(|()| segment)
        });
        let segment = segment.unwrap();
        assert!(segment.is_there());
        assert_eq!(close_segments(inbox.path()).unwrap().len(), 1);
        assert!(!segment.is_there());
        drop(spool);
        assert!(Spool::open(inbox.path()).is_ok());
    }

    #[track_caller]
    fn check(left: &[u8], expected: Option<&[u8]>, cut_bytes: u64) {
        let inbox = tempfile::tempdir().unwrap();
        let folder = inbox.path().join(FOLDER);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a--b-1-1.jsonl.part"), left).unwrap();
        let closed = close_segments(inbox.path()).unwrap();
        assert_eq!(closed.len(), 1);
        assert_eq!(closed[0].cut_bytes, cut_bytes);
        let found = closed[0].path.as_ref().map(|path| fs::read(path).unwrap());
        assert_eq!(found.as_deref(), expected);
        assert!(!folder.join("a--b-1-1.jsonl.part").exists());
    }

    #[test]
    fn what_a_killed_receiver_left_keeps_its_whole_lines() {
        check(b"{\"a\":1}\n{\"b\":2}\n", Some(b"{\"a\":1}\n{\"b\":2}\n"), 0);
        check(b"{\"a\":1}\n{\"b\":", Some(b"{\"a\":1}\n"), 5);
        check(b"{\"b\":", None, 5);
        check(b"", None, 0);
        let long = [b"{\"a\":1}\n".to_vec(), vec![b'x'; 3 * TAIL_BYTES as usize]].concat();
        check(&long, Some(b"{\"a\":1}\n"), 3 * TAIL_BYTES);
    }

    #[test]
    fn receipts_are_found_in_the_files_of_their_form_alone() {
        let inbox = tempfile::tempdir().unwrap();
        let (spool, _) = Spool::open(inbox.path()).unwrap();
        let record =
            super::super::record::Record::of_fields(vec![("a".to_owned(), "1".to_owned())]);
        let now_ms = DateTime::<Utc>::from(fs::metadata(inbox.path()).unwrap().modified().unwrap());
        let now_ms = now_ms.timestamp_millis();
        for form in ["contact", "contact-2"] {
            let line = record.line(record.receipt(form), now_ms, &[]);
            let kept = spool.locked(|folder| {
                let mut segment =
                    Segment::create(folder, &name_start("generic-json", form), now_ms)?;
                segment.append(&line)?;
                segment.append(b"{\"torn\":")?;
                segment.close(folder)
            });
            assert_eq!(kept.unwrap().cut_bytes, 8);
        }
        let mut known = Known::new(60_000);
        spool.recall(&name_start("generic-json", "contact"), &mut known, now_ms).unwrap();
        assert!(known.holds(record.receipt("contact"), now_ms));
        assert!(!known.holds(record.receipt("contact-2"), now_ms));
        assert!(!known.holds(record.receipt("contact"), now_ms + 60_000));
    }
}
