//! Files beside the store and the store's own: their names, who may read them, when they are safe.
//!
//! A store's file must not be opened and closed again beside SQLite: closing any descriptor of a file gives up all
//! locks that the process has on it (POSIX), SQLite's too, and another process could take its WAL away
//! (<https://sqlite.org/howtocorrupt.html>, 2.2). So [`hold`] opens it once for as long as some store of this process
//! is open, and [`reading`] reads through that.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The files that are held.
static HELD: Mutex<Vec<(PathBuf, Weak<File>)>> = Mutex::new(Vec::new());

/// Opens the file at `path` to be read, or returns the one that is held already; to be kept until SQLite has closed it.
pub(super) fn hold(path: &Path) -> io::Result<Arc<File>> {
    let path = path.canonicalize()?;
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    held.retain(|(_, file)| file.strong_count() > 0);
    if let Some(file) = find(&held, &path) {
        return Ok(file);
    }
    let file = Arc::new(File::open(&path)?);
    held.push((path, Arc::downgrade(&file)));
    Ok(file)
}

fn find(held: &[(PathBuf, Weak<File>)], path: &Path) -> Option<Arc<File>> {
    let of_path = held.iter().filter(|(held, _)| held == path);
    of_path.filter_map(|(_, file)| file.upgrade()).find(|file| is_still(file, path))
}

/// Returns whether `file` is still what lies at `path`.
#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = |found: &fs::Metadata| (found.dev(), found.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(a), Ok(b)) if place(&a) == place(&b))
}

#[cfg(not(unix))]
fn is_still(_: &File, _: &Path) -> bool {
    true
}

/// A file that is read from its beginning, be it one that is held.
#[derive(Debug)]
pub struct Reading {
    file: Arc<File>,
    offset: u64,
}

/// Opens the file at `path` to be read, in a way that disturbs no store of this process.
pub fn reading(path: &Path) -> io::Result<Reading> {
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let known = path.canonicalize().ok().and_then(|path| find(&held, &path));
    let file = known.map_or_else(|| File::open(path).map(Arc::new), Ok)?;
    Ok(Reading { file, offset: 0 })
}

impl Reading {
    /// Fills `buffer` with what stands at `offset`.
    pub(super) fn at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        Self { file: Arc::clone(&self.file), offset }.read_exact(buffer)
    }
}

impl Read for Reading {
    #[cfg(unix)]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }

    #[cfg(not(unix))]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        io::Seek::seek(&mut &*self.file, io::SeekFrom::Start(self.offset))?;
        let read = (&*self.file).read(buffer)?;
        self.offset += read as u64;
        Ok(read)
    }
}

/// Returns the path whose name is that of `path` with `ending` behind it.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Returns the bytes that are free for us on the disk of `path`; none where the system does not say.
#[cfg(unix)]
pub fn free_bytes(path: &Path) -> io::Result<Option<u64>> {
    let found = rustix::fs::statvfs(path)?;
    Ok(Some(found.f_bavail.saturating_mul(found.f_frsize)))
}

/// Returns the bytes that are free for us on the disk of `path`; none where the system does not say.
#[cfg(not(unix))]
pub fn free_bytes(_: &Path) -> io::Result<Option<u64>> {
    Ok(None)
}

/// Opens the file at `path` for reading and writing; makes it, for the owner's eyes only, when there is none.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the folder at `path` and those above it that are missing, for the owner's eyes only, and brings their names to
/// the disk: else a power loss could take whatever is put into them.
pub fn private_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    private_folder(folder_of(path))?;
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        // Somebody else was faster.
        Err(_) if path.is_dir() => {}
        made => made?,
    }
    sync_folder_of(path)
}

/// Returns the folder that `path` lies in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Brings the names in the folder of `path` to the disk.
#[cfg(unix)]
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder_of(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes what SQLite lays beside the database at `path`, which nobody has open: it says nothing of what it could not
/// remove itself.
pub(super) fn remove_journals(path: &Path) -> io::Result<()> {
    let endings = ["-journal", "-wal", "-shm"];
    endings.iter().try_for_each(|ending| remove_if_there(&beside(path, ending)))
}

/// Moves what lies at `from` to `to` and brings the names to the disk; nothing happens when there is nothing.
pub(super) fn move_if_there(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::rename(from, to) {
        Ok(()) => sync_folder_of(to).map(|()| true),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// Removes the file at `path`, if there is one.
pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
        _ => Ok(()),
    }
}
