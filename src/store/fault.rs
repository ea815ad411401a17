//! What can be wrong with a store or its disk, told apart for exit codes, each with the way out.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::{backup, files};

/// Why a store cannot be used, for the exit code to tell apart.
#[derive(Debug)]
pub enum StoreFault {
    /// Another run holds it.
    Locked(PathBuf),
    /// The file is damaged, of a newer leadmill, or no leadmill store at all.
    Damaged(String),
    /// There is no store yet.
    Missing(PathBuf),
    /// It lies on another machine, on a file system of this kind.
    Elsewhere(PathBuf, &'static str),
    /// No store can lie there: it is a folder, or in none.
    Nowhere(PathBuf),
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked(path) => write!(
                f,
                "another run holds {}\nhint: wait for it to end; nothing was written",
                path.display()
            ),
            Self::Damaged(what) => f.write_str(what),
            Self::Nowhere(path) if path.is_dir() => write!(
                f,
                "{0} is a folder, and the store is a file\nhint: `--store {0}/leadmill.db` names the file, `--workspace \
                 {0}` the folder of all",
                path.display()
            ),
            Self::Nowhere(path) => write!(
                f,
                "there is no folder {} for the store\nhint: make it, or let `--workspace` or `--store` name another \
                 place",
                files::folder_of(path).display()
            ),
            Self::Missing(path) => write!(
                f,
                "there is no store at {} yet\nhint: `leadmill run` makes it; `--workspace` or \
                 `--store` names another place",
                path.display()
            ),
            Self::Elsewhere(path, kind) => write!(
                f,
                "{} lies on {kind}, where two machines could write to it at once\nhint: keep the store on a disk of \
                 this machine (`--store`); inbox and out may stay where they are",
                path.display()
            ),
        }
    }
}

impl std::error::Error for StoreFault {}

impl StoreFault {
    /// Returns the fault of the store at `path`, in which `what` was found, with the way back.
    pub(super) fn damaged(path: &Path, what: &str) -> Self {
        let shown = path.display();
        Self::Damaged(format!(
            "{shown} is damaged: {what}; nothing was put out, and the file is as it was\n{}",
            backup::way_back(path)
        ))
    }
}

/// Returns the way back where `fault` is SQLite's, which found the store at `path` to be damaged; [`StoreFault`] names
/// its own.
pub fn way_back_from(fault: &anyhow::Error, path: &Path) -> Option<String> {
    (is_damage(fault) && !fault.is::<StoreFault>()).then(|| backup::way_back(path))
}

/// Returns whether `fault` says that the store is damaged.
pub fn is_damage(fault: &anyhow::Error) -> bool {
    let is_sqlites = |cause: &rusqlite::Error| {
        let code = cause.sqlite_error_code();
        matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
    };
    matches!(fault.downcast_ref(), Some(StoreFault::Damaged(_)))
        || fault.chain().filter_map(|cause| cause.downcast_ref()).any(is_sqlites)
}

/// Returns the way out where `fault` is that a disk is full, or lets us have no more of it.
pub fn way_out_of_full_disk(fault: &anyhow::Error) -> Option<&'static str> {
    let is_full = |cause: &(dyn std::error::Error + 'static)| {
        let of_sqlite = cause.downcast_ref::<rusqlite::Error>();
        let of_system = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        of_sqlite.and_then(rusqlite::Error::sqlite_error_code) == Some(ErrorCode::DiskFull)
            || matches!(of_system, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
    };
    fault.chain().any(is_full).then_some(
        "hint: make room on that disk, or let `--store` and `--out` name another; then do the same again, it goes on \
         from where it was",
    )
}
