//! Reads exports: bytes in, [`Row`]s out.
//!
//! This room owns encodings, compression, delimiters, headers and JSON layouts, the recognition of a
//! source by its marks, and the caps that keep memory in the order of one record. It decides nothing
//! about a lead: it does not trim, parse or judge a value. Start at [`locate`], then [`open`].
//!
//! An input is read twice. The first pass hashes it and finds out what it is; the second hands out rows
//! and ends with an error when what it read was not what the first pass had read.

mod bytes;
mod cells;
mod clean;
mod dialect;
mod encoding;
mod json;
mod json_layout;
mod json_rows;
mod json_text;
mod locate;
mod records;
mod roles;
mod survey;
mod table;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use bytes::{Store, Tallied, Tally, Utf16Reader};
use cells::Dialect;
use encoding::Charset;
use json_rows::JsonRows;
pub use locate::{InputPath, LocateProblem, locate};
use records::RecordReader;
pub use roles::{Column, RoleOrigin};
use roles::{Resolver, TableTraits, is_own, recognize};
use survey::{Survey, survey};
use table::TableRows;

use crate::model::field::{EMAIL, PHONE};
use crate::model::row::{Role, Row};
use crate::rules::diagnostics::did_you_mean;
use crate::rules::source::{
    Escape, GENERIC_CSV, GENERIC_JSON, SourceCatalog, SourcePreset, header_key,
};

/// Limits on what an input may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Bytes of one record.
    pub record_bytes: usize,
    /// Bytes of one cell.
    pub field_bytes: usize,
    /// Cells of one record.
    pub fields: usize,
    /// Bytes of one input, decompressed.
    pub input_bytes: u64,
    /// How many times larger than its file an input may unpack to, once it is over 10 MiB.
    pub ratio: u64,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            record_bytes: 1 << 20,
            field_bytes: 64 << 10,
            fields: 4096,
            input_bytes: 20 << 30,
            ratio: 200,
        }
    }
}

/// Why an input was refused whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// It holds nothing.
    Empty,
    /// It is not text.
    NotText,
    /// It is a web page.
    Html,
    /// Its end is missing.
    Truncated,
    /// It changed while it was read.
    Changed,
    /// It is over a cap.
    OverCap,
    /// It could not be read.
    Unreadable,
    /// It has no column that could hold a contact, or the source asked for does not exist.
    Unrecognized,
}

/// An input that was refused whole: none of its rows may be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Name of the input.
    pub input: String,
    /// The kind of reason.
    pub kind: RefusalKind,
    /// What was found.
    pub message: String,
    /// The way out.
    pub hint: String,
}

impl Refusal {
    fn new(input: &str, kind: RefusalKind, message: &str, hint: &str) -> Self {
        Self { input: input.to_owned(), kind, message: message.to_owned(), hint: hint.to_owned() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.input, self.message)
    }
}

impl std::error::Error for Refusal {}

/// What decided which source an input comes from; an earlier one outweighs the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChosenBy {
    /// Somebody named the source.
    Request,
    /// The file's name starts with the source's id and two dashes: `tiktok--october.csv`.
    FileName,
    /// The file lies in a folder that is called like the source: `tiktok/october.csv`.
    Folder,
    /// The file shows the source's marks.
    Marks,
    /// No source's marks fit: it is read as any table or any JSON.
    Nothing,
}

/// The source of an input, and why it is that one.
struct Choice {
    preset: Arc<SourcePreset>,
    by: ChosenBy,
    /// Whether the source is sure even where no column looks like a contact.
    is_sure: bool,
}

impl Choice {
    /// Chooses among what was asked for, what the input's name says and what its marks say.
    fn make(
        sources: &SourceCatalog,
        input: &str,
        forced: Option<Arc<SourcePreset>>,
        recognized: Option<Arc<SourcePreset>>,
        fallbacks: &[&str],
    ) -> Option<Self> {
        let is_sure = forced.is_some() || recognized.is_some();
        let choice = |by| move |preset| Self { preset, by, is_sure };
        forced
            .map(choice(ChosenBy::Request))
            .or_else(|| named_source(sources, input).map(|(preset, by)| choice(by)(preset)))
            .or_else(|| recognized.map(choice(ChosenBy::Marks)))
            .or_else(|| {
                let fallback = fallbacks.iter().find_map(|id| sources.get(id)).cloned();
                fallback.map(choice(ChosenBy::Nothing))
            })
    }
}

/// Returns the source that an input's own name or that of its folder asks for.
fn named_source(sources: &SourceCatalog, input: &str) -> Option<(Arc<SourcePreset>, ChosenBy)> {
    let mut parts = input.rsplit('/');
    let file = parts.next().unwrap_or_default();
    let by_file = file.split_once("--").and_then(|(id, _)| sources.get(id));
    let mut by_folder = || parts.next().and_then(|folder| sources.get(folder));
    by_file
        .map(|preset| (preset.clone(), ChosenBy::FileName))
        .or_else(|| by_folder().map(|preset| (preset.clone(), ChosenBy::Folder)))
}

/// An input that was looked at and can be read.
pub struct OpenInput {
    /// Name for people.
    pub name: String,
    /// Hash of the decompressed bytes.
    pub sha256: [u8; 32],
    /// Decompressed bytes.
    pub bytes: u64,
    /// Bytes on disk.
    pub file_bytes: u64,
    /// Name of the encoding, such as `UTF-8` or `windows-1250`.
    pub encoding: String,
    /// Whether it starts with a byte order mark.
    pub has_bom: bool,
    /// The delimiter; none for JSON.
    pub delimiter: Option<char>,
    /// The source it comes from.
    pub preset: Arc<SourcePreset>,
    /// What decided on the source.
    pub chosen_by: ChosenBy,
    /// Names of its columns, without those that leadmill put in itself; of a JSON input those of its
    /// first records.
    pub header: Vec<String>,
    /// Line of the header; 0 when there is none.
    pub header_line: u32,
    /// What its columns mean, in the order of `header`.
    pub columns: Vec<Column>,
    store: Store,
    caps: Caps,
    charset: Charset,
    resolver: Resolver,
    layout: Layout,
}

enum Layout {
    Table { dialect: Dialect, records_before: usize, header: Vec<String> },
    Json(json_layout::Layout),
}

/// Looks at `input` as a whole and finds out what it is.
///
/// `forced_source` names a preset instead of recognizing one.
///
/// # Errors
/// When the input cannot be read, is no export, is cut, is over a cap, or has no column for an e-mail
/// address or a phone number.
pub fn open(
    input: &InputPath,
    sources: &SourceCatalog,
    caps: &Caps,
    forced_source: Option<&str>,
) -> Result<OpenInput, Refusal> {
    let store = Store::new(input, caps)?;
    let found = survey(&store, caps)?;
    let forced = forced_source.map(|id| preset_by_id(sources, id, &input.name)).transpose()?;
    if json_layout::is_json(&found.head) {
        open_json(store, &found, sources, caps, forced)
    } else {
        open_table(store, &found, sources, caps, forced)
    }
}

fn preset_by_id(
    sources: &SourceCatalog,
    id: &str,
    input: &str,
) -> Result<Arc<SourcePreset>, Refusal> {
    sources.get(id).cloned().ok_or_else(|| {
        let ids: Vec<&str> = sources.iter().map(|preset| preset.id.as_str()).collect();
        let hint = did_you_mean(id, ids.iter().copied()).map_or_else(
            || format!("known sources: {}", ids.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        Refusal::new(input, RefusalKind::Unrecognized, &format!("there is no source `{id}`"), &hint)
    })
}

fn open_table(
    store: Store,
    found: &Survey,
    sources: &SourceCatalog,
    caps: &Caps,
    forced: Option<Arc<SourcePreset>>,
) -> Result<OpenInput, Refusal> {
    let is_known = |key: &str| sources.knows_header(key);
    let layout = dialect::layout(&found.head, found.head_is_all, found.charset, caps, is_known)
        .ok_or_else(|| unrecognized(&store.name, &[]))?;
    let traits = traits(&layout);
    let recognized = recognize(sources, &traits, &store.name);
    let choice = Choice::make(sources, &store.name, forced, recognized, &[GENERIC_CSV])
        .ok_or_else(|| unrecognized(&store.name, &layout.header))?;
    let resolver = Resolver::new(sources, choice.preset);
    let columns = resolver.columns(&layout.header, &layout.sample);
    let has_contact = columns.iter().any(is_contact);
    if !choice.is_sure && !has_contact {
        return Err(unrecognized(&store.name, &layout.header));
    }
    let mut dialect = layout.dialect;
    if let Some(escape) = resolver.preset.escape.filter(|_| dialect.escape == Escape::Doubled) {
        dialect.escape = escape;
    }
    Ok(OpenInput {
        name: store.name.clone(),
        sha256: found.sha256,
        bytes: found.bytes,
        file_bytes: store.file_bytes,
        encoding: found.charset.name().to_owned(),
        has_bom: found.bom,
        delimiter: Some(char::from(dialect.delimiter)),
        preset: resolver.preset.clone(),
        chosen_by: choice.by,
        header: table::names(&columns),
        header_line: layout.header_line,
        columns,
        store,
        caps: *caps,
        charset: found.charset,
        resolver,
        layout: Layout::Table {
            dialect,
            records_before: layout.records_before,
            header: layout.header,
        },
    })
}

/// Returns the marks of a table, without the columns that leadmill put in itself.
fn traits(layout: &dialect::Layout) -> TableTraits {
    let first = layout.sample.first();
    let (mut keys, mut first_row) = (Vec::new(), Vec::new());
    for (at, text) in layout.header.iter().enumerate().filter(|(_, text)| !is_own(text)) {
        keys.push(header_key(text));
        first_row.push(first.and_then(|row| row.get(at)).cloned().unwrap_or_default());
    }
    TableTraits { keys, first_row }
}

fn open_json(
    store: Store,
    found: &Survey,
    sources: &SourceCatalog,
    caps: &Caps,
    forced: Option<Arc<SourcePreset>>,
) -> Result<OpenInput, Refusal> {
    let layout = json_layout::layout(&found.head);
    let sample = json::sample(&found.head, found.charset, &layout);
    let recognized = json::recognize(sources, &sample, &store.name);
    let fallbacks = [GENERIC_JSON, GENERIC_CSV];
    let choice = Choice::make(sources, &store.name, forced, recognized, &fallbacks)
        .ok_or_else(|| unrecognized(&store.name, &[]))?;
    let resolver = Resolver::new(sources, choice.preset);
    let columns = json_rows::sample_columns(&resolver, &sample);
    let header: Vec<String> = columns.iter().map(|column| column.name.to_string()).collect();
    let has_contact = columns.iter().any(is_contact);
    // A sample that could not be parsed shows nothing either way: its lines will say what is wrong.
    let shows_records = !sample.is_empty();
    if !choice.is_sure && shows_records && !has_contact {
        return Err(unrecognized(&store.name, &header));
    }
    Ok(OpenInput {
        name: store.name.clone(),
        sha256: found.sha256,
        bytes: found.bytes,
        file_bytes: store.file_bytes,
        encoding: found.charset.name().to_owned(),
        has_bom: found.bom,
        delimiter: None,
        preset: resolver.preset.clone(),
        chosen_by: choice.by,
        header,
        header_line: 0,
        columns,
        store,
        caps: *caps,
        charset: found.charset,
        resolver,
        layout: Layout::Json(layout),
    })
}

fn is_contact(column: &Column) -> bool {
    column.role == Role::Field(EMAIL) || column.role == Role::Field(PHONE)
}

fn unrecognized(input: &str, header: &[String]) -> Refusal {
    let shown: Vec<&str> = header.iter().map(String::as_str).take(30).collect();
    let message = if shown.is_empty() {
        "no table and no records were found in it".to_owned()
    } else {
        format!(
            "none of its columns holds an e-mail address or a phone number: {}",
            shown.join(", ")
        )
    };
    Refusal::new(
        input,
        RefusalKind::Unrecognized,
        &message,
        "name the source with --source, or add the headers to the aliases in rules/fields.toml",
    )
}

impl OpenInput {
    /// Reads the rows.
    pub fn rows(self) -> Rows {
        let tally = Arc::default();
        let mut rows = Rows {
            body: Body::Done,
            tally,
            sha256: self.sha256,
            name: self.name.clone(),
            spool: None,
        };
        match self.store.open(&self.caps) {
            Ok(reader) => {
                rows.tally = reader.tally.clone();
                let (body, store) = self.body(reader);
                rows.body = body;
                rows.spool = Some(store);
            }
            Err(error) => rows.body = Body::Failed(self.store.refusal(&error)),
        }
        rows
    }

    fn body(self, reader: Tallied) -> (Body, Store) {
        let reader: Box<dyn Read + Send> = if self.charset.is_utf16() {
            Box::new(Utf16Reader::new(reader, self.charset == Charset::Utf16Le))
        } else {
            Box::new(reader)
        };
        let body = match self.layout {
            Layout::Table { dialect, records_before, header } => {
                Body::Table(Box::new(TableRows::new(
                    RecordReader::new(reader, dialect, &self.caps),
                    table::Reading {
                        input: self.name,
                        charset: self.charset,
                        resolver: self.resolver,
                        columns: self.columns,
                        records_before,
                        caps: self.caps,
                    },
                    &header,
                )))
            }
            Layout::Json(layout) => Body::Json(Box::new(JsonRows::new(
                json::JsonReader::new(reader, layout, &self.caps),
                self.name,
                self.charset,
                self.resolver,
                self.caps,
            ))),
        };
        (body, self.store)
    }
}

enum Body {
    Table(Box<TableRows>),
    Json(Box<JsonRows>),
    Failed(Refusal),
    Done,
}

/// The rows of one input; memory stays in the order of one record.
///
/// After an error there are no more rows, and those that came before it must not be kept.
pub struct Rows {
    body: Body,
    tally: Arc<Tally>,
    sha256: [u8; 32],
    name: String,
    // Standard input was copied to a temporary file, which goes when the rows go.
    spool: Option<Store>,
}

impl Rows {
    /// Returns how many decompressed bytes were read so far.
    pub fn bytes_read(&self) -> u64 {
        self.tally.bytes()
    }

    /// What is to be said once the rows have ended or failed.
    fn end(&self, failure: Option<Refusal>) -> Option<Result<Row, Refusal>> {
        let changed = || {
            Refusal::new(
                &self.name,
                RefusalKind::Changed,
                "the file changed while it was read",
                "wait until it is written completely, then run again",
            )
        };
        match self.tally.sha256() {
            Some(sha256) if sha256 != self.sha256 => Some(Err(changed())),
            _ => failure.map(Err),
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Row, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match &mut self.body {
            Body::Table(rows) => rows.next_row(),
            Body::Json(rows) => rows.next_row(),
            Body::Failed(_) | Body::Done => None,
        };
        match next {
            Some(Ok(row)) => Some(Ok(row)),
            Some(Err(refusal)) => {
                self.body = Body::Done;
                self.end(Some(refusal))
            }
            None => match std::mem::replace(&mut self.body, Body::Done) {
                Body::Failed(refusal) => Some(Err(refusal)),
                Body::Done => None,
                Body::Table(_) | Body::Json(_) => self.end(None),
            },
        }
    }
}
