//! What a zip archive holds: the exports in it, each an input of its own.
//!
//! Nothing is unpacked to disk, so the paths of members are names and nothing else.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::bytes::Stamp;
use super::compressed::{Bytes, MemberReader};
use super::encoding::Charset;
use super::locate::{InputPath, is_export_name};
use super::workbook::{self, Sheet};
use super::{Caps, Refusal, RefusalKind, settle};
use crate::rules::source::SourceCatalog;

/// The first bytes of a zip archive, of an empty one, and of nothing else.
const MAGICS: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
/// More members than any bundle of exports has.
const MEMBERS_MAX: usize = 10_000;
/// A workbook inside an archive is unpacked in memory.
const NESTED_BYTES_MAX: u64 = 64 << 20;

/// One file inside a zip archive: where its bytes are, and what must come out of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    name: String,
    start: u64,
    packed_bytes: u64,
    bytes: u64,
    crc32: u32,
    is_deflated: bool,
}

impl Member {
    /// Opens the member of the archive at `path`.
    pub(super) fn open(&self, path: &Path) -> io::Result<Bytes> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.start))?;
        Ok(Box::new(MemberReader::new(
            Box::new(file),
            self.packed_bytes,
            self.is_deflated,
            self.bytes,
            self.crc32,
        )))
    }

    /// Bytes the member takes in the archive.
    pub(super) fn packed_bytes(&self) -> u64 {
        self.packed_bytes
    }
}

/// Bytes that can be read from any place: of a file, or of a member unpacked in memory.
pub(super) enum Source {
    File(File),
    Memory(Cursor<Vec<u8>>),
}

impl Source {
    /// Opens the file at `path`, or its `member`, which must fit into memory.
    pub(super) fn open(path: &Path, member: Option<&Member>) -> io::Result<Self> {
        let Some(member) = member else { return Ok(Self::File(File::open(path)?)) };
        let mut bytes = Vec::new();
        member.open(path)?.take(NESTED_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > NESTED_BYTES_MAX {
            let message = "a workbook this large must be taken out of its archive first";
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(Self::Memory(Cursor::new(bytes)))
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Memory(bytes) => bytes.read(buffer),
        }
    }
}

impl Seek for Source {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(place),
            Self::Memory(bytes) => bytes.seek(place),
        }
    }
}

/// What a file is as a whole.
#[derive(Debug)]
pub(super) enum Kind {
    /// Bytes to be read from front to back.
    Stream,
    /// An Excel workbook.
    Workbook,
    /// An archive.
    Archive(Contents),
}

/// The files in an archive.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Those that look like exports, by name.
    exports: Vec<(String, Result<Member, String>)>,
    /// Those that do not.
    others: Vec<String>,
}

/// Finds out what `source`, called `name`, is.
pub(super) fn kind(mut source: Source, name: &str, caps: &Caps) -> Result<Kind, Refusal> {
    let mut magic = Vec::new();
    let read = Read::by_ref(&mut source).take(4).read_to_end(&mut magic);
    read.map_err(|error| super::bytes::unreadable(name, &error))?;
    if !MAGICS.contains(&magic.as_slice()) {
        return Ok(Kind::Stream);
    }
    let mut archive = ZipArchive::new(source).map_err(|error| unreadable(name, error))?;
    let has = |part: &str| archive.index_for_name(part).is_some();
    if has("xl/workbook.xml") {
        return Ok(Kind::Workbook);
    }
    if ["[Content_Types].xml", "content.xml", "Index/Document.iwa"].iter().any(|part| has(part)) {
        return Err(Refusal::new(
            name,
            RefusalKind::NotText,
            "this is a document of an office program that leadmill does not read",
            "open it and save the sheet as .xlsx or as \"CSV UTF-8\"",
        ));
    }
    contents(&mut archive, name, caps).map(Kind::Archive)
}

fn unreadable(name: &str, error: ZipError) -> Refusal {
    match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            super::bytes::unreadable(name, &error)
        }
        _ => Refusal::new(
            name,
            RefusalKind::Truncated,
            "the zip archive is cut or damaged: its list of files is missing",
            "copy or download it again",
        ),
    }
}

fn contents(
    archive: &mut ZipArchive<Source>,
    name: &str,
    caps: &Caps,
) -> Result<Contents, Refusal> {
    if archive.len() > MEMBERS_MAX {
        return Err(bomb(name, &format!("it holds {} files", archive.len())));
    }
    let mut found = Contents::default();
    let (mut bytes, mut packed_bytes) = (0_u64, 0_u64);
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index).map_err(|error| unreadable(name, error))?;
        let path = member_name(member.name_raw());
        if member.is_dir() || is_debris(&path) {
            continue;
        }
        bytes = bytes.saturating_add(member.size());
        packed_bytes = packed_bytes.saturating_add(member.compressed_size());
        let refused = if member.encrypted() {
            Some("it is locked with a password".to_owned())
        } else if member.is_symlink() {
            Some("it is a link to another file".to_owned())
        } else {
            match member.compression() {
                CompressionMethod::Stored | CompressionMethod::Deflated => None,
                other => Some(format!("its compression ({other}) is not supported")),
            }
        };
        let known = Member {
            name: path.clone(),
            start: member.data_start().unwrap_or_default(),
            packed_bytes: member.compressed_size(),
            bytes: member.size(),
            crc32: member.crc32(),
            is_deflated: member.compression() != CompressionMethod::Stored,
        };
        if is_export_name(&path) {
            found.exports.push((path, refused.map_or(Ok(known), Err)));
        } else {
            found.others.push(path);
        }
    }
    // Members may overlap, so that each alone stays within bounds and all together do not.
    if bytes > caps.input_bytes.max(super::bytes::RATIO_FREE_BYTES)
        || (bytes > super::bytes::RATIO_FREE_BYTES
            && bytes > packed_bytes.max(1).saturating_mul(caps.ratio))
    {
        return Err(bomb(name, "its files unpack to far more than exports would"));
    }
    found.exports.sort();
    found.others.sort();
    Ok(found)
}

fn bomb(name: &str, message: &str) -> Refusal {
    Refusal::new(
        name,
        RefusalKind::OverCap,
        &format!("{message} (a decompression bomb?)"),
        "check where it comes from; unpack it and pass the exports themselves",
    )
}

/// The name of a member as text: UTF-8, else the code page of Polish Windows.
fn member_name(raw: &[u8]) -> String {
    let text = std::str::from_utf8(raw)
        .map_or_else(|_| Charset::Cp852.decoded(raw).into_owned(), str::to_owned);
    text.replace('\\', "/")
}

/// What operating systems put into archives beside the files that people meant.
fn is_debris(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    path.split('/').any(|part| part == "__MACOSX")
        || file.starts_with('.')
        || ["thumbs.db", "desktop.ini"].contains(&file.to_lowercase().as_str())
}

impl Contents {
    /// Returns the archive's one export, for where only one can be read.
    pub(super) fn only_export(self, name: &str) -> Result<Member, Refusal> {
        let mut exports = self.exports;
        let several = exports.len() > 1;
        match exports.pop() {
            Some((member, found)) if !several => {
                found.map_err(|reason| locked(&format!("{name}/{member}"), &reason))
            }
            Some(_) => Err(Refusal::new(
                name,
                RefusalKind::NotText,
                "this is a zip archive of several exports",
                "save it to a file and pass the file: each export in it is read by itself",
            )),
            None => Err(without_exports(name, &self.others)),
        }
    }
}

fn locked(name: &str, reason: &str) -> Refusal {
    Refusal::new(
        name,
        RefusalKind::Unreadable,
        reason,
        "unpack the archive and pass the exports themselves",
    )
}

fn without_exports(name: &str, others: &[String]) -> Refusal {
    let shown: Vec<&str> = others.iter().map(String::as_str).take(5).collect();
    let message = if shown.is_empty() {
        "the zip archive is empty".to_owned()
    } else {
        format!("the zip archive holds no export, only {}", shown.join(", "))
    };
    Refusal::new(
        name,
        RefusalKind::NotText,
        &message,
        "exports end in .csv .tsv .txt .json .jsonl .ndjson or .xlsx",
    )
}

/// The inputs that one argument stands for, and the files that were left out.
#[derive(Debug, Default)]
pub struct Expansion {
    /// Each input, or why one cannot be read.
    pub inputs: Vec<Result<InputPath, Refusal>>,
    /// Names of members that are no exports.
    pub left_out: Vec<String>,
}

/// Returns `input` itself, or the exports in it when it is a zip archive, as `archive.zip/member.csv`; of a
/// workbook its sheet, and behind it those with the very same header, as `book.xlsx/Sheet2`.
///
/// What the operating system added to an archive is passed over; other files are named as left out. A
/// file that cannot be opened is returned as it is: [`super::open`] says what is wrong with it.
pub fn expand(input: &InputPath, sources: &SourceCatalog, caps: &Caps) -> Expansion {
    let mut expansion = unpack(input, caps);
    let inputs = std::mem::take(&mut expansion.inputs).into_iter();
    expansion.inputs = inputs
        .flat_map(|input| match input {
            Ok(input) => sheets(&input, sources, caps).into_iter().map(Ok).collect(),
            Err(refusal) => vec![Err(refusal)],
        })
        .collect();
    expansion
}

/// The sheets of a workbook that are to be read, or the input itself. What is wrong with it is said when it
/// is opened.
fn sheets(input: &InputPath, sources: &SourceCatalog, caps: &Caps) -> Vec<InputPath> {
    let itself = || vec![input.clone()];
    if input.is_stdin() || !input.path.is_file() {
        return itself();
    }
    let source = || Source::open(&input.path, input.member.as_ref()).ok();
    let is_workbook = |source| matches!(kind(source, &input.name, caps), Ok(Kind::Workbook));
    if !starts_like_an_archive(input) || !source().is_some_and(is_workbook) {
        return itself();
    }
    let file_bytes = std::fs::metadata(&input.path).map_or(0, |found| found.len());
    let file_bytes = input.member.as_ref().map_or(file_bytes, Member::packed_bytes);
    let is_sound = source().is_some_and(|source| workbook::check(source, file_bytes, caps).is_ok());
    let is_known = |text: &str| sources.knows_header(text);
    let chosen = source()
        .filter(|_| is_sound)
        .and_then(|source| workbook::choose(source, is_known).ok().flatten());
    let Some(mut first) = chosen.filter(|sheet| !sheet.alike.is_empty()) else { return itself() };
    let alike = std::mem::take(&mut first.alike);
    let others = alike.into_iter().map(|name| InputPath {
        name: format!("{}/{name}", input.name),
        sheet: Some(Sheet { name, unread: Vec::new(), alike: Vec::new() }),
        ..input.clone()
    });
    let others: Vec<InputPath> = others.collect();
    let first = InputPath { sheet: Some(first), ..input.clone() };
    [vec![first], others].concat()
}

/// Looks at the first bytes before the whole of a member is unpacked.
fn starts_like_an_archive(input: &InputPath) -> bool {
    let bytes: io::Result<Bytes> = match &input.member {
        Some(member) => member.open(&input.path),
        None => File::open(&input.path).map(|file| Box::new(file) as Bytes),
    };
    let mut start = Vec::new();
    bytes.and_then(|bytes| bytes.take(4).read_to_end(&mut start)).is_ok()
        && start.starts_with(b"PK")
}

fn unpack(input: &InputPath, caps: &Caps) -> Expansion {
    let itself = || Expansion { inputs: vec![Ok(input.clone())], left_out: Vec::new() };
    if input.is_stdin() || input.member.is_some() || !input.path.is_file() {
        return itself();
    }
    let Ok(source) = Source::open(&input.path, None) else { return itself() };
    match kind(source, &input.name, caps) {
        Ok(Kind::Archive(contents)) if contents.exports.is_empty() => Expansion {
            inputs: vec![Err(without_exports(&input.name, &contents.others))],
            left_out: Vec::new(),
        },
        Ok(Kind::Archive(contents)) => {
            let full = |member: &str| format!("{}/{member}", input.name);
            let inputs = contents.exports.into_iter().map(|(path, found)| {
                let name = full(&path);
                match found {
                    Ok(member) => Ok(InputPath { name, member: Some(member), ..input.clone() }),
                    Err(reason) => Err(locked(&name, &reason)),
                }
            });
            Expansion {
                inputs: inputs.collect(),
                left_out: contents.others.iter().map(|path| full(path)).collect(),
            }
        }
        Ok(Kind::Stream | Kind::Workbook) => itself(),
        Err(refusal) => Expansion {
            inputs: vec![Err(settle(refusal, Stamp::of(input), caps))],
            left_out: Vec::new(),
        },
    }
}
