//! Gives rows that were not accepted back, a file for each input, and knows them again when they return.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::delivery::rejects::{QuarantinedRow, ROW_COLUMN, ROW_PATH, ReimportFile, ReimportNames};
use crate::model::ids::Fingerprint;
use crate::model::row::{Row, RowContent};
use crate::store::Store;
use crate::store::quarantine::{QuarantineEntry, QuarantineFilter};

/// A file that would have been written over; somebody may be mending rows in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlreadyThere(pub PathBuf);

impl fmt::Display for AlreadyThere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is there already, and somebody may be mending rows in it; nothing was written\nhint: \
             take it back with `leadmill run`, move it away, or name another folder",
            self.0.display()
        )
    }
}

impl std::error::Error for AlreadyThere {}

/// A file of rows to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Where it is.
    pub path: PathBuf,
    /// Rows in it.
    pub rows: u64,
}

/// Writes the rows that `filter` lets through into `folder`, a file for each input.
///
/// # Errors
/// [`AlreadyThere`], before anything is written; or the disk's faults.
pub fn export(store: &Store, filter: &QuarantineFilter, folder: &Path) -> Result<Vec<Exported>> {
    let mut taken = None;
    each_file(
        store,
        filter,
        |name| {
            let path = folder.join(name);
            if path.exists() {
                taken.get_or_insert(path);
            }
            Ok(io::sink())
        },
        |_| Ok(()),
    )?;
    if let Some(path) = taken {
        return Err(AlreadyThere(path).into());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut exported = Vec::new();
    each_file(
        store,
        filter,
        |name| {
            let path = folder.join(name);
            create(&path).with_context(|| format!("cannot write {}", path.display()))
        },
        |mut closed| {
            let path = folder.join(&closed.name);
            closed.out.flush().with_context(|| format!("cannot write {}", path.display()))?;
            exported.push(Exported { path, rows: closed.rows });
            Ok(())
        },
    )?;
    Ok(exported)
}

/// Makes a file that only its owner can read: it holds people's data.
fn create(path: &Path) -> io::Result<BufWriter<File>> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(BufWriter::new)
}

fn each_file<W: Write>(
    store: &Store,
    filter: &QuarantineFilter,
    mut create: impl FnMut(&str) -> Result<W>,
    mut close: impl FnMut(Closed<W>) -> Result<()>,
) -> Result<()> {
    let mut files = ToMend::new(store);
    store.each_quarantined(filter, |entry| {
        files.write(&entry, &mut create)?.map_or(Ok(()), &mut close)
    })?;
    files.finish()?.map_or(Ok(()), &mut close)
}

/// Sorts rows into files, one open at a time: the rows of an input come one after the other.
pub(super) struct ToMend<'s, W: Write> {
    store: &'s Store,
    names: ReimportNames,
    open: Option<Open<W>>,
}

struct Open<W: Write> {
    input_no: i64,
    name: String,
    is_json: bool,
    /// The header above the rows, where it is not the input's first one.
    header: Option<Vec<String>>,
    file: ReimportFile<W>,
}

/// A file that has all its rows.
pub(super) struct Closed<W> {
    /// Its name.
    pub(super) name: String,
    /// Rows in it.
    pub(super) rows: u64,
    /// What it was written to.
    pub(super) out: W,
}

impl<'s, W: Write> ToMend<'s, W> {
    pub(super) fn new(store: &'s Store) -> Self {
        Self { store, names: ReimportNames::default(), open: None }
    }

    /// Writes `entry` into the file of its input, which `create` opens by name; returns the file before
    /// it, if that is done.
    pub(super) fn write(
        &mut self,
        entry: &QuarantineEntry,
        create: impl FnOnce(&str) -> Result<W>,
    ) -> Result<Option<Closed<W>>> {
        let (header, cells) = under_header(&entry.raw);
        let is_next = self
            .open
            .as_ref()
            .is_none_or(|open| open.input_no != entry.input_no || open.header != header);
        let closed = if is_next { self.finish()? } else { None };
        let open = match self.open.take() {
            Some(open) => open,
            None => self.create(entry, header, create)?,
        };
        let open = self.open.insert(open);
        let id = entry.fingerprint.row_id();
        let row = as_row(entry, &id);
        if open.is_json {
            open.file.write_line(&row)?;
        } else {
            open.file.write_cells(&row, &cells)?;
        }
        Ok(closed)
    }

    /// Closes the last file and returns it.
    pub(super) fn finish(&mut self) -> Result<Option<Closed<W>>> {
        let Some(open) = self.open.take() else { return Ok(None) };
        let (rows, out) = open.file.finish()?;
        Ok(Some(Closed { name: open.name, rows, out }))
    }

    fn create(
        &mut self,
        entry: &QuarantineEntry,
        own_header: Option<Vec<String>>,
        create: impl FnOnce(&str) -> Result<W>,
    ) -> Result<Open<W>> {
        let header = self.store.input_header(entry.input_no)?;
        let is_json = header.is_empty();
        let header = own_header.clone().unwrap_or(header);
        let extension = if is_json { "jsonl" } else { "csv" };
        let name = self.names.name(&entry.source, &entry.input, extension);
        let out = create(&name)?;
        let file = if is_json {
            ReimportFile::new_jsonl(out)
        } else {
            ReimportFile::new_csv(out, &header, b',')?
        };
        Ok(Open { input_no: entry.input_no, name, is_json, header: own_header, file })
    }
}

/// Returns the cells of a row kept as `raw`, and the header above them where that is not the input's first
/// one (two exports joined to one file).
fn under_header(raw: &str) -> (Option<Vec<String>>, Vec<String>) {
    if raw.starts_with("[[")
        && let Ok((header, cells)) = serde_json::from_str(raw)
    {
        return (Some(header), cells);
    }
    // A row that could not be taken apart was kept as one string instead of an array.
    (None, serde_json::from_str(raw).unwrap_or_else(|_| vec![raw.to_owned()]))
}

/// Returns the part of a row kept as `raw` by which it is known again: its cells, without the header that
/// stood above them.
pub(super) fn without_header(raw: &str) -> &str {
    let mut list = serde_json::Deserializer::from_str(raw.get(1..).unwrap_or_default())
        .into_iter::<serde::de::IgnoredAny>();
    if raw.starts_with("[[") && list.next().is_some_and(|header| header.is_ok()) {
        let cells = raw.get(1 + list.byte_offset() + 1..raw.len() - 1);
        return cells.filter(|cells| cells.starts_with('[')).unwrap_or(raw);
    }
    raw
}

/// Returns `entry`, known by `id`, as files show it.
pub fn as_row<'a>(entry: &'a QuarantineEntry, id: &'a str) -> QuarantinedRow<'a> {
    QuarantinedRow {
        id,
        input: &entry.input,
        record: entry.record,
        line: entry.line,
        code: &entry.code,
        column: &entry.column,
        value: &entry.value,
        message: &entry.message,
        raw: &entry.raw,
    }
}

/// Returns which quarantined row `row` comes back for, if it is one that was given back.
pub(super) fn came_back_for(row: &Row) -> Option<Fingerprint> {
    let RowContent::Cells(_, cells) = &row.content else { return None };
    let is_id = |column: &str| column == ROW_COLUMN || column == ROW_PATH;
    cells
        .iter()
        .find(|cell| is_id(&cell.column))
        .and_then(|cell| Fingerprint::from_row_id(&cell.text))
}
