//! Reads exports: bytes in, [`Row`]s out.
//!
//! This room owns encodings, compression, delimiters, headers and JSON layouts, the recognition of a
//! source by its marks, and the caps that keep memory in the order of one record. It decides nothing
//! about a lead: it does not trim, parse or judge a value. Start at [`locate`], then [`open`].
//!
//! An input is read twice. The first pass hashes it and finds out what it is; the second hands out rows
//! and ends with an error when what it read was not what the first pass had read. In between,
//! [`OpenInput::preview`] hands out the same rows for what has to be known of all before the first.

mod archive;
mod bytes;
mod cells;
mod clean;
mod codepage;
mod compressed;
mod contacts;
mod dialect;
mod encoding;
mod headings;
mod json;
mod json_consents;
mod json_layout;
mod json_rows;
mod json_text;
mod json_wrappers;
mod locate;
mod mojibake;
mod outline;
mod parts;
mod plain;
mod questions;
mod records;
mod refusal;
mod roles;
mod small_dates;
mod split_times;
mod survey;
mod table;
mod utf16;
mod western;
mod workbook;

#[cfg(test)]
mod horrors;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

pub use archive::{Expansion, expand};
use bytes::{Stamp, Store, Tallied, Tally};
use cells::Dialect;
use contacts::is_contact;
use encoding::Charset;
use json_rows::JsonRows;
pub use locate::{InputPath, LocateProblem, locate, locate_file, locate_folder};
pub use plain::PlainTable;
use records::RecordReader;
pub use refusal::{Refusal, RefusalKind};
pub use roles::{Column, RoleOrigin};
use roles::{Resolver, TableTraits, doubt, is_own, recognize};
use survey::{Survey, survey};
use table::TableRows;
use utf16::Utf16Reader;
use workbook::Places;

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
    /// How long a file that looks cut is watched: it may be one that somebody is still writing.
    pub writer_wait: Duration,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            record_bytes: 1 << 20,
            field_bytes: 64 << 10,
            fields: 4096,
            input_bytes: 20 << 30,
            ratio: 200,
            writer_wait: Duration::from_millis(200),
        }
    }
}

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

impl Choice {
    /// Refuses an input that nothing recognizes and that may be of the source that `doubt` answers.
    fn is_beyond_doubt(
        &self,
        input: &str,
        doubt: impl FnOnce() -> Option<Arc<SourcePreset>>,
    ) -> Result<(), Refusal> {
        let other = if self.by == ChosenBy::Nothing { doubt() } else { None };
        other.map_or(Ok(()), |other| Err(Refusal::doubtful(input, &other.id, &self.preset.id)))
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
#[derive(Clone)]
pub struct OpenInput {
    /// Name for people.
    pub name: String,
    /// Hash of the decompressed bytes.
    pub sha256: [u8; 32],
    /// Decompressed bytes.
    pub bytes: u64,
    /// Bytes on disk.
    pub file_bytes: u64,
    /// Name of the encoding, such as `UTF-8` or `windows-1250`; `XLSX` for a workbook.
    pub encoding: String,
    /// Name of the sheet that is read, of a workbook.
    pub sheet: Option<String>,
    /// Whether it starts with a byte order mark.
    pub has_bom: bool,
    /// The delimiter; none for JSON and workbooks.
    pub delimiter: Option<char>,
    /// The source it comes from.
    pub preset: Arc<SourcePreset>,
    /// What decided on the source.
    pub chosen_by: ChosenBy,
    /// Names of its columns, without those that leadmill put in itself; of a JSON input those of its
    /// first records.
    pub header: Vec<String>,
    /// Line of the header, or its row in the sheet; 0 when there is none.
    pub header_line: u32,
    /// What its columns mean, in the order of `header`.
    pub columns: Vec<Column>,
    /// Whether it holds dates whose day and month could be swapped, so that [`OpenInput::preview`] is
    /// worth reading before the rows are judged.
    pub has_small_dates: bool,
    /// What somebody should know about the input as a whole.
    pub notices: Vec<String>,
    store: Arc<Store>,
    caps: Caps,
    charset: Charset,
    resolver: Resolver,
    layout: Layout,
}

#[derive(Clone)]
enum Layout {
    Table { dialect: Dialect, lines_before: u32, header: Vec<String>, is_open_ended: bool },
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
    let is_known = |text: &str| sources.knows_header(text);
    let stamp = Stamp::of(input);
    let store =
        Store::new(input, caps, is_known).map_err(|refusal| settle(refusal, stamp, caps))?;
    let found = survey(&store, caps).map_err(|refusal| wait_for_writer(&store, refusal, caps))?;
    if store.is_being_written() {
        return Err(being_written(&store.name));
    }
    let forced = forced_source.map(|id| preset_by_id(sources, id, &input.name)).transpose()?;
    if store.sheet.is_none() && json_layout::is_json(&found.head) {
        open_json(store, &found, sources, caps, forced)
    } else {
        open_table(store, &found, sources, caps, forced)
    }
}

/// Tells a cut file from one that somebody is still writing.
fn wait_for_writer(store: &Store, refusal: Refusal, caps: &Caps) -> Refusal {
    if store.is_being_written() {
        return being_written(&store.name);
    }
    settle(refusal, store.stamp(), caps)
}

/// Watches what `stamp` shows of a file that is cut: it may be growing.
fn settle(refusal: Refusal, stamp: Option<Stamp<'_>>, caps: &Caps) -> Refusal {
    let Some(stamp) = stamp.filter(|_| refusal.kind == RefusalKind::Truncated) else {
        return refusal;
    };
    thread::sleep(caps.writer_wait);
    if stamp.is_outdated() { being_written(&refusal.input) } else { refusal }
}

fn being_written(name: &str) -> Refusal {
    Refusal::new(
        name,
        RefusalKind::BeingWritten,
        "somebody is still writing this file; it is left for the next run",
        "nothing to do; where files are copied into the inbox slowly, copy them under a name that ends in \
         .part and rename them when they are whole",
    )
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
    let start: Vec<u8> =
        found.head.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(2).collect();
    if start == *b"[[" {
        return Err(Refusal::new(
            &store.name,
            RefusalKind::Unrecognized,
            "this is JSON whose records are lists without names",
            "export objects such as {\"email\": \"…\"}, or save the table as CSV",
        ));
    }
    let is_known = |text: &str| sources.knows_header(text);
    if !found.head_is_all && !found.head.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return Err(Refusal::new(
            &store.name,
            RefusalKind::OverCap,
            &format!(
                "its first line is longer than {} bytes, which no header is",
                found.head.len()
            ),
            "check where the file comes from; export it again with one row a line",
        ));
    }
    let layout = dialect::layout(&found.head, found.head_is_all, found.charset, caps, is_known)
        .ok_or_else(|| unrecognized(&store.name, &[]))?;
    let traits = traits(&layout);
    let recognized = recognize(sources, &traits, &store.name);
    let choice = Choice::make(sources, &store.name, forced, recognized, &[GENERIC_CSV])
        .ok_or_else(|| unrecognized(&store.name, &layout.header))?;
    choice.is_beyond_doubt(&store.name, || doubt(sources, &traits, &layout.header))?;
    let resolver = Resolver::new(sources, choice.preset);
    let mut header =
        headings::under_groups(layout.header, &layout.above, &layout.sample, &resolver);
    // A source that is known to write no header may leave out what it has not got at the end of a row; of
    // a stranger's rows the odd ones are more likely broken.
    let is_open_ended = layout.header_line == 0 && choice.is_sure;
    if is_open_ended {
        let widest = layout.sample.iter().map(Vec::len).max().unwrap_or(0);
        header = dialect::numbered(widest.max(header.len()));
    }
    let columns = resolver.columns(&header, &layout.sample);
    if !choice.is_sure && !columns.iter().any(is_contact) {
        return Err(unrecognized(&store.name, &header));
    }
    let header_line = found.places.as_ref().map_or(layout.header_line, |places| {
        if layout.header_line == 0 { 0 } else { places.row(layout.header_line) }
    });
    let notices = store.sheet.iter().flat_map(|sheet| sheet.unread.iter().map(|name| {
        format!("the sheet `{name}` also holds a table and is not read; save it as a file of its own")
    }));
    let notices = notices.chain(without_rows(&layout.sample, found));
    let notices: Vec<String> = notices.chain(without_time(&columns, &resolver.preset)).collect();
    let mut dialect = layout.dialect;
    let is_plain = dialect.escape == Escape::Doubled;
    let by_preset = |escape: &Escape| is_plain || *escape == Escape::Json;
    if header.iter().any(|name| is_own(name)) {
        // Rows that leadmill gave back to be mended: written by itself, whatever the export was like.
        dialect.escape = Escape::Doubled;
    } else if let Some(escape) = resolver.preset.escape.filter(by_preset) {
        dialect.escape = escape;
    }
    Ok(OpenInput {
        name: store.name.clone(),
        sha256: found.sha256,
        bytes: found.bytes,
        file_bytes: store.file_bytes,
        encoding: store.sheet.as_ref().map_or(found.charset.name(), |_| "XLSX").to_owned(),
        sheet: store.sheet.as_ref().map(|sheet| sheet.name.clone()),
        has_bom: found.bom,
        delimiter: store.sheet.is_none().then_some(char::from(dialect.delimiter)),
        preset: resolver.preset.clone(),
        chosen_by: choice.by,
        header: table::names(&columns),
        header_line,
        columns,
        has_small_dates: found.has_small_dates,
        notices,
        store: Arc::new(store),
        caps: *caps,
        charset: found.charset,
        resolver,
        layout: Layout::Table { dialect, lines_before: layout.lines_before, header, is_open_ended },
    })
}

/// Returns the marks of a table, without the columns that leadmill put in itself.
fn traits(layout: &dialect::Layout) -> TableTraits {
    let received = || layout.header.iter().enumerate().filter(|(_, text)| !is_own(text));
    let rows = layout
        .sample
        .iter()
        .map(|row| received().map(|(at, _)| row.get(at).cloned().unwrap_or_default()).collect());
    TableTraits {
        keys: received().map(|(_, text)| header_key(text)).collect(),
        rows: rows.collect(),
    }
}

/// Says that there is nothing below the header, and whether even that may be cut.
fn without_rows(sample: &[Vec<String>], found: &Survey) -> Option<String> {
    let is_empty = sample.is_empty() && found.head_is_all;
    let is_ended = found.head.ends_with(b"\n") || found.head.ends_with(b"\r");
    is_empty.then(|| {
        let doubt = if is_ended { "" } else { ", and its line has no end: the file may be cut" };
        format!("there are no rows below the header{doubt}")
    })
}

/// Says that no column tells when forms were sent; a contact list need not.
fn without_time(columns: &[Column], preset: &SourcePreset) -> impl Iterator<Item = String> {
    let has_time = columns.iter().any(|column| column.role == Role::SubmittedAt);
    let is_silent = !has_time && !preset.is_contact_list && !columns.is_empty();
    is_silent
        .then(|| {
            "no column says when a form was sent, so the time of receipt stands in; where one does, name it \
             in a preset (`leadmill sniff FILE --write-preset`)"
                .to_owned()
        })
        .into_iter()
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
    let resolver = Resolver::new(sources, choice.preset.clone());
    let columns = json_rows::sample_columns(&resolver, &sample);
    let columns_of_records = columns.clone();
    let header: Vec<String> = columns.iter().map(|column| column.name.to_string()).collect();
    choice.is_beyond_doubt(&store.name, || json::doubt(sources, &sample, &header))?;
    let has_contact = columns.iter().any(is_contact);
    // A sample that could not be parsed shows nothing either way: its lines will say what is wrong.
    let shows_records = !sample.is_empty();
    // What was received bears its source in its name and was acknowledged, so each record is judged by itself.
    let is_known = choice.is_sure || choice.by == ChosenBy::FileName;
    if !is_known && shows_records && !has_contact {
        return Err(unrecognized(&store.name, &header));
    }
    Ok(OpenInput {
        name: store.name.clone(),
        sha256: found.sha256,
        bytes: found.bytes,
        file_bytes: store.file_bytes,
        encoding: found.charset.name().to_owned(),
        sheet: None,
        has_bom: found.bom,
        delimiter: None,
        preset: resolver.preset.clone(),
        chosen_by: choice.by,
        header,
        header_line: 0,
        columns,
        has_small_dates: found.has_small_dates,
        store: Arc::new(store),
        notices: without_time(&columns_of_records, &resolver.preset).collect(),
        caps: *caps,
        charset: found.charset,
        resolver,
        layout: Layout::Json(layout),
    })
}

/// Returns `text` as JSON that every parser accepts, with stray commas and bare line ends mended; nothing when it is
/// no JSON even so.
pub fn mended_json(text: &str) -> Option<Cow<'_, str>> {
    json_text::parse(text).ok().map(|_| json_text::strict(text))
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
    /// Reads the rows ahead of [`OpenInput::rows`], for what has to be known of all before the first.
    pub fn preview(&self) -> Rows {
        self.clone().rows()
    }

    /// Returns whether rows are cells under a header, as in CSV and workbooks, rather than JSON.
    pub fn is_table(&self) -> bool {
        matches!(self.layout, Layout::Table { .. })
    }

    /// Reads the rows.
    pub fn rows(self) -> Rows {
        let tally = Arc::default();
        let mut rows = Rows {
            body: Body::Done,
            tally,
            places: None,
            sha256: self.sha256,
            name: self.name.clone(),
            store: None,
            caps: self.caps,
        };
        match self.store.open(&self.caps) {
            Ok(reader) => {
                let reader = reader.expecting(self.bytes, self.sha256);
                rows.tally = reader.tally.clone();
                rows.places.clone_from(&reader.places);
                let (body, store) = self.body(reader);
                rows.body = body;
                rows.store = Some(store);
            }
            Err(error) => rows.body = Body::Failed(self.store.refusal(&error)),
        }
        rows
    }

    fn body(self, reader: Tallied) -> (Body, Arc<Store>) {
        let reader: Box<dyn Read + Send> = if self.charset.is_utf16() {
            Box::new(Utf16Reader::new(reader, self.charset == Charset::Utf16Le))
        } else {
            Box::new(reader)
        };
        let body = match self.layout {
            Layout::Table { dialect, lines_before, header, is_open_ended } => {
                Body::Table(Box::new(TableRows::new(
                    RecordReader::new(reader, dialect, &self.caps),
                    table::Reading {
                        input: self.name,
                        charset: self.charset,
                        resolver: self.resolver,
                        columns: self.columns,
                        lines_before,
                        is_open_ended,
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
                &self.columns,
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
    places: Option<Arc<Places>>,
    sha256: [u8; 32],
    name: String,
    // A copy of standard input goes when the rows go.
    store: Option<Arc<Store>>,
    caps: Caps,
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
        if self.tally.has_grown() {
            return Some(Err(being_written(&self.name)));
        }
        match self.tally.sha256() {
            Some(sha256) if sha256 != self.sha256 => Some(Err(changed())),
            _ => failure.map(|refusal| {
                Err(match &self.store {
                    Some(store) => wait_for_writer(store, refusal, &self.caps),
                    None => refusal,
                })
            }),
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
            Some(Ok(mut row)) => {
                if let Some(places) = &self.places {
                    row.origin.line = places.row(row.origin.line);
                }
                Some(Ok(row))
            }
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
