//! Opens an input as decompressed bytes, twice the same way, and keeps count of what was read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::archive::{self, Kind, Member, Source};
use super::compressed::{Bytes, unpacked};
use super::locate::InputPath;
use super::workbook::{self, Places, Sheet};
use super::{Caps, Refusal, RefusalKind};

/// An input this small may unpack to any multiple of its size.
pub(super) const RATIO_FREE_BYTES: u64 = 10 << 20;
static SPOOLS: AtomicU64 = AtomicU64::new(0);

/// Where an input's bytes lie: a file, a member of an archive, a sheet of a workbook, or a private copy of
/// standard input.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    pub(super) name: String,
    pub(super) file_bytes: u64,
    member: Option<Member>,
    pub(super) sheet: Option<Sheet>,
    written: Option<Written>,
    is_spool: bool,
}

/// A file's length and when it was last written: they move while somebody writes it.
type Written = (u64, Option<SystemTime>);

fn written(path: &Path) -> Option<Written> {
    fs::metadata(path).ok().map(|found| (found.len(), found.modified().ok()))
}

/// What a file showed of itself at some time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp<'a> {
    path: &'a Path,
    written: Written,
}

impl<'a> Stamp<'a> {
    /// Returns what `input` shows now; nothing for standard input.
    pub(super) fn of(input: &'a InputPath) -> Option<Self> {
        written(&input.path).map(|written| Self { path: &input.path, written })
    }

    /// Returns whether the file shows something else by now.
    pub(super) fn is_outdated(&self) -> bool {
        written(self.path) != Some(self.written)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.is_spool {
            // A copy that cannot be removed stays in the temporary folder, which others clean.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Store {
    /// Makes `input` readable more than once; `is_known` says whether a cell is one of somebody's headers.
    pub(super) fn new(
        input: &InputPath,
        caps: &Caps,
        is_known: impl Fn(&str) -> bool + Sync,
    ) -> Result<Self, Refusal> {
        let mut store = Self::locate(input, caps)?;
        let source = || {
            Source::open(&store.path, store.member.as_ref())
                .map_err(|error| unreadable(&input.name, &error))
        };
        let kind = if store.starts_like_an_archive().map_err(|error| store.refusal(&error))? {
            archive::kind(source()?, &input.name, caps)?
        } else {
            Kind::Stream
        };
        match kind {
            Kind::Stream => {}
            Kind::Archive(contents) if store.member.is_none() => {
                let member = contents.only_export(&input.name)?;
                store.file_bytes = member.packed_bytes();
                store.member = Some(member);
            }
            Kind::Archive(_) => {
                return Err(Refusal::new(
                    &input.name,
                    RefusalKind::NotText,
                    "this is an archive inside an archive",
                    "unpack the outer one and pass what is in it",
                ));
            }
            Kind::Workbook => {
                workbook::check(source()?, store.file_bytes, caps)
                    .map_err(|error| store.refusal(&error))?;
                store.sheet = Some(match &input.sheet {
                    Some(sheet) => sheet.clone(),
                    None => {
                        let sheet = workbook::choose(source()?, is_known);
                        let sheet = sheet.map_err(|error| store.refusal(&error))?;
                        let mut sheet = sheet.ok_or_else(|| without_sheet(&input.name))?;
                        // Nobody made inputs of them, so they are not read.
                        sheet.unread.append(&mut sheet.alike);
                        sheet
                    }
                });
            }
        }
        Ok(store)
    }

    fn locate(input: &InputPath, caps: &Caps) -> Result<Self, Refusal> {
        let unreadable = |error: &io::Error| unreadable(&input.name, error);
        if input.is_stdin() {
            return spool(io::stdin().lock(), caps).map_err(|error| unreadable(&error));
        }
        let found = fs::metadata(&input.path).map_err(|error| unreadable(&error))?;
        if !found.is_file() {
            return Err(Refusal::new(
                &input.name,
                RefusalKind::Unreadable,
                "this is not a regular file",
                "save the export to a file, or pass `-` and pipe it in",
            ));
        }
        Ok(Self {
            path: input.path.clone(),
            name: input.name.clone(),
            file_bytes: input.member.as_ref().map_or(found.len(), Member::packed_bytes),
            member: input.member.clone(),
            sheet: None,
            written: Some((found.len(), found.modified().ok())),
            is_spool: false,
        })
    }

    fn starts_like_an_archive(&self) -> io::Result<bool> {
        let mut start = Vec::new();
        self.packed()?.take(4).read_to_end(&mut start)?;
        Ok(start.starts_with(b"PK"))
    }

    /// Opens the bytes as they lie there.
    fn packed(&self) -> io::Result<Bytes> {
        match &self.member {
            Some(member) => member.open(&self.path),
            None => Ok(Box::new(File::open(&self.path)?)),
        }
    }

    /// Opens the decompressed bytes; of a workbook the text of its sheet.
    pub(super) fn open(&self, caps: &Caps) -> io::Result<Tallied> {
        let (reader, is_packed, places): (Bytes, _, _) = match &self.sheet {
            Some(sheet) => {
                let source = Source::open(&self.path, self.member.as_ref())?;
                let (reader, places) = workbook::text(source, sheet.name.clone());
                (Box::new(reader), true, Some(places))
            }
            None => {
                let (reader, is_packed) = unpacked(self.packed()?)?;
                (reader, is_packed || self.member.is_some(), None)
            }
        };
        Ok(Tallied {
            reader,
            hash: Sha256::new(),
            tally: Arc::default(),
            limit: caps.input_bytes,
            ratio_limit: caps.ratio.saturating_mul(self.file_bytes.max(1)),
            is_packed,
            places,
            expected: None,
        })
    }

    /// Returns what the file showed when it was opened.
    pub(super) fn stamp(&self) -> Option<Stamp<'_>> {
        self.written.map(|written| Stamp { path: &self.path, written })
    }

    /// Returns whether the file is not what it was when it was opened: somebody is writing it.
    pub(super) fn is_being_written(&self) -> bool {
        self.stamp().is_some_and(|stamp| stamp.is_outdated())
    }

    /// Says in people's words why reading failed.
    pub(super) fn refusal(&self, error: &io::Error) -> Refusal {
        unreadable(&self.name, error)
    }
}

fn spool(mut stdin: impl Read, caps: &Caps) -> io::Result<Store> {
    let number = SPOOLS.fetch_add(1, Ordering::Relaxed);
    let name = format!("leadmill-stdin-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&path)?;
    let mut store = Store {
        path,
        name: "-".to_owned(),
        file_bytes: 0,
        member: None,
        sheet: None,
        written: None,
        is_spool: true,
    };
    store.file_bytes = io::copy(&mut stdin.by_ref().take(caps.input_bytes + 1), &mut file)?;
    file.flush()?;
    Ok(store)
}

fn without_sheet(name: &str) -> Refusal {
    Refusal::new(
        name,
        RefusalKind::Unrecognized,
        "no sheet of this workbook holds a table",
        "put the headers into one row of the first sheet, or save the sheet as \"CSV UTF-8\"",
    )
}

/// Says in people's words why the input called `name` could not be read.
pub(super) fn unreadable(name: &str, error: &io::Error) -> Refusal {
    if let Some(cap) = error.get_ref().and_then(|inner| inner.downcast_ref::<OverCap>()) {
        return Refusal::new(
            name,
            RefusalKind::OverCap,
            &cap.to_string(),
            "split the file, or check where it comes from",
        );
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Refusal::new(
            name,
            RefusalKind::Truncated,
            "the compressed file ends too early",
            "copy or download it again",
        ),
        io::ErrorKind::FileTooLarge => Refusal::new(
            name,
            RefusalKind::OverCap,
            &error.to_string(),
            "unpack the archive and pass the file itself, or save the sheet as \"CSV UTF-8\"",
        ),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Refusal::new(
            name,
            RefusalKind::Unreadable,
            &format!("the compressed file is damaged ({error})"),
            "copy or download it again",
        ),
        _ => Refusal::new(
            name,
            RefusalKind::Unreadable,
            &format!("it cannot be read: {error}"),
            "check that the file exists and that you may read it",
        ),
    }
}

/// More than a cap allows was met.
#[derive(Debug)]
pub(super) struct OverCap(String);

impl OverCap {
    pub(super) fn error(message: &str) -> io::Error {
        io::Error::other(Self(message.to_owned()))
    }
}

impl std::fmt::Display for OverCap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OverCap {}

/// What has been read so far, and the hash of all once the end was reached.
#[derive(Debug, Default)]
pub(super) struct Tally {
    bytes: AtomicU64,
    sha256: Mutex<Option<[u8; 32]>>,
    /// Set when the input went on behind what was expected to be all of it.
    has_grown: AtomicBool,
}

impl Tally {
    /// Returns whether the bytes expected were read, and more behind them.
    pub(super) fn has_grown(&self) -> bool {
        self.has_grown.load(Ordering::Relaxed)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn sha256(&self) -> Option<[u8; 32]> {
        *self.sha256.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads decompressed bytes while hashing and counting them.
pub(super) struct Tallied {
    reader: Bytes,
    hash: Sha256,
    pub(super) tally: Arc<Tally>,
    limit: u64,
    ratio_limit: u64,
    is_packed: bool,
    /// Of a workbook: which line is which row.
    pub(super) places: Option<Arc<Places>>,
    expected: Option<(u64, [u8; 32])>,
}

impl Tallied {
    /// Says what an earlier pass read, so that a file which was only appended to can be told.
    pub(super) fn expecting(mut self, bytes: u64, sha256: [u8; 32]) -> Self {
        self.expected = Some((bytes, sha256));
        self
    }

    /// Hashes `chunk`, which starts behind `before` bytes.
    fn hash(&mut self, before: u64, chunk: &[u8]) {
        if let Some((bytes, sha256)) = self.expected
            && before <= bytes
            && bytes < before + chunk.len() as u64
        {
            let (first, rest) = chunk.split_at((bytes - before) as usize);
            self.hash.update(first);
            let so_far: [u8; 32] = self.hash.clone().finalize().into();
            self.tally.has_grown.store(so_far == sha256, Ordering::Relaxed);
            self.hash.update(rest);
        } else {
            self.hash.update(chunk);
        }
    }
}

impl Read for Tallied {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if count == 0 && !buffer.is_empty() {
            let digest = self.hash.clone().finalize();
            let mut sha256 = self.tally.sha256.lock().unwrap_or_else(PoisonError::into_inner);
            *sha256 = Some(digest.into());
        }
        let before = self.tally.bytes.fetch_add(count as u64, Ordering::Relaxed);
        self.hash(before, &buffer[..count]);
        let bytes = before + count as u64;
        if bytes > self.limit {
            return Err(io::Error::other(OverCap(format!(
                "it holds more than {} bytes",
                self.limit
            ))));
        }
        if self.is_packed && bytes > RATIO_FREE_BYTES && bytes > self.ratio_limit {
            return Err(io::Error::other(OverCap(
                "it unpacks to far more than an export would (a decompression bomb)".to_owned(),
            )));
        }
        Ok(count)
    }
}
