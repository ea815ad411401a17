//! Turns JSON records into rows: objects become dotted columns, lists of pairs become columns of their own.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use memchr::memchr2;
use serde_json::{Map, Value};

use super::clean::escaped;
use super::contacts::{by_their_values, rescue_contact};
use super::encoding::Charset;
use super::json::{self, JsonPiece, JsonReader, holds};
use super::json_consents;
use super::json_text::{self, text_of};
use super::mojibake::mend;
use super::roles::{Column, Resolver, RoleOrigin, keep_one_of_each};
use super::split_times::SplitTime;
use super::{Caps, Refusal, RefusalKind};
use crate::model::blank::is_blank;
use crate::model::field::{EMAIL, PHONE};
use crate::model::outcome::Rejection;
use crate::model::row::{Cell, GENERIC_CONSENT, Origin, Role, Row, RowContent, RowKind, RowTouch};
use crate::rules::source::{
    GENERIC_JSON, Pivot, SourcePreset, header_key, parted_key, verbatim_key,
};

/// Keys that say where something is, not what it is.
const CONTAINERS: &[&str] = &[
    "body",
    "json",
    "request",
    "formdata",
    "form data",
    "payload",
    "data",
    "lead",
    "contact",
    "person",
    "user",
    "customer",
    "form",
    "fields",
    "properties",
    "traits",
    "context",
    "record",
    "attributes",
    "submission",
    "answers",
    "values",
    "hidden",
    "form response",
    "message",
];
/// Last words of a path that mean nothing without the words before them.
const VAGUE: &[&str] = &[
    "name", "id", "type", "title", "url", "status", "value", "source", "date", "code", "number",
    "time", "version", "medium", "term", "content", "key", "label", "text", "ref", "path",
    "created", "updated", "count", "language", "path",
];
/// How often text in a record may hold a record as text again.
const ENVELOPES_MAX: usize = 4;
/// Paths remembered with their meaning; a file of ever new keys must not fill the memory.
const PATHS_MAX: usize = 4096;

/// The rows of one JSON input.
pub(super) struct JsonRows {
    reader: JsonReader<Box<dyn Read + Send>>,
    input: String,
    charset: Charset,
    flattener: Flattener,
    number: u32,
    caps: Caps,
    /// Records of a page whose first one was handed out, and the page's line.
    waiting: VecDeque<(u32, Charset, Value)>,
}

impl JsonRows {
    pub(super) fn new(
        reader: JsonReader<Box<dyn Read + Send>>,
        input: String,
        charset: Charset,
        resolver: Resolver,
        columns: &[Column],
        caps: Caps,
    ) -> Self {
        let flattener = Flattener::new(resolver, caps.fields).with(columns);
        Self { reader, input, charset, flattener, number: 0, caps, waiting: VecDeque::new() }
    }

    /// Reads the next row.
    pub(super) fn next_row(&mut self) -> Option<Result<Row, Refusal>> {
        if let Some((line, charset, value)) = self.waiting.pop_front() {
            let raw = value.to_string();
            return Some(Ok(self.record(line, charset, &value, raw)));
        }
        let piece = match self.reader.next() {
            Ok(piece) => piece,
            Err(error) => return Some(Err(super::bytes::unreadable(&self.input, &error))),
        };
        match piece {
            JsonPiece::End => None,
            JsonPiece::Cut { line } => Some(Err(self.cut(line))),
            JsonPiece::TooLong { line, head } => {
                let message = format!(
                    "the record is longer than {} bytes; it was left out and reading went on behind it",
                    self.caps.record_bytes
                );
                let origin = self.origin(line);
                Some(Ok(rejected(origin, &escaped(&head), "record-too-long", message)))
            }
            JsonPiece::Record { line, text, terminated } => Some(self.row(line, &text, terminated)),
        }
    }

    fn origin(&mut self, line: u32) -> Origin {
        self.number += 1;
        Origin { record: self.number, line }
    }

    fn cut(&self, line: u32) -> Refusal {
        Refusal::new(
            &self.input,
            RefusalKind::Truncated,
            &format!("the file ends in the middle of the record of line {line}"),
            "it was probably cut while being written or copied: export or download it again",
        )
    }

    fn row(&mut self, line: u32, bytes: &[u8], terminated: bool) -> Result<Row, Refusal> {
        let sound = self.charset.sound_utf8(bytes);
        let known = sound.map(|_| Charset::Utf8).or_else(|| self.charset.of_part(bytes));
        let Some(charset) = known else {
            if !terminated {
                return Err(self.cut(line));
            }
            let message = "the record mixes characters of different encodings; correct its letters \
                           and import it again";
            return Ok(rejected(
                self.origin(line),
                &escaped(bytes),
                "invalid-utf8",
                message.to_owned(),
            ));
        };
        let text = sound.map_or_else(|| charset.decoded(bytes), Cow::Borrowed);
        let mut records = match json::records(&text) {
            Ok(records) => VecDeque::from(records),
            Err(_) if !terminated => return Err(self.cut(line)),
            Err(error) => {
                let own = self.reader.take_back(bytes);
                let own = own.as_deref().map(|own| String::from_utf8_lossy(own));
                let message = format!("the record is not JSON: {error}");
                let text = own.as_deref().unwrap_or(&text);
                return Ok(rejected(self.origin(line), text, "broken-json", message));
            }
        };
        let is_wrapped = records.len() != 1 || text.starts_with('"');
        let Some(value) = records.pop_front() else {
            return Ok(rejected(self.origin(line), &text, "broken-json", "it is empty".to_owned()));
        };
        self.waiting.extend(records.into_iter().map(|value| (line, charset, value)));
        let raw = if is_wrapped {
            value.to_string()
        } else {
            json_text::strict(&json_text::without_own(&text)).into_owned()
        };
        Ok(self.record(line, charset, &value, raw))
    }

    fn record(&mut self, line: u32, charset: Charset, value: &Value, raw: String) -> Row {
        let origin = self.origin(line);
        if !value.is_object() {
            let message = "the line holds no object; a record looks like {\"email\": \"…\"}";
            return rejected(origin, &raw, "broken-json", message.to_owned());
        }
        let mut content = self.content(value);
        let mut notices = match &mut content {
            RowContent::Cells(_, cells) => mend(cells),
            _ => Vec::new(),
        };
        notices.extend(self.charset.notice_of_part(charset));
        Row { origin, raw, content, notices }
    }

    fn content(&mut self, value: &Value) -> RowContent {
        let preset = self.flattener.resolver.preset.clone();
        let shape = &preset.json;
        let skip_of = |without_contact: bool| {
            let mut skips = shape.skips.iter().filter(|it| it.without_contact == without_contact);
            skips.find(|skip| holds(value, &skip.when)).map(|skip| skip.reason)
        };
        if let Some(reason) = skip_of(false) {
            return RowContent::Skipped(reason);
        }
        let kind = kind(&preset, value);
        let cells = self.flattener.cells(value, kind == RowKind::Submission);
        if let Some(reason) = skip_of(true).filter(|_| !cells.iter().any(could_be_contact)) {
            return RowContent::Skipped(reason);
        }
        if self.flattener.overflows {
            let message = format!("the record has more than {} values", self.caps.fields);
            return RowContent::Rejected(rejection("too-many-fields", "", String::new(), message));
        }
        for cell in &cells {
            if memchr2(0, 0x1A, cell.text.as_bytes()).is_some() {
                let value = cell.text.escape_default().to_string();
                let message = "the record holds control characters that no form produces; delete \
                               them and import it again";
                return RowContent::Rejected(rejection(
                    "control-characters",
                    &cell.column,
                    value,
                    message.to_owned(),
                ));
            }
            if cell.text.len() > self.caps.field_bytes {
                let value = cell.text.chars().take(200).collect();
                let message = format!("the value has more than {} bytes", self.caps.field_bytes);
                return RowContent::Rejected(rejection(
                    "field-too-long",
                    &cell.column,
                    value,
                    message,
                ));
            }
        }
        if cells.is_empty() {
            return RowContent::Skipped("padding");
        }
        RowContent::Cells(kind, cells)
    }
}

fn could_be_contact(cell: &Cell) -> bool {
    [Role::Field(EMAIL), Role::Field(PHONE)].contains(&cell.role) || cell.text.contains('@')
}

fn rejection(code: &'static str, column: &str, value: String, message: String) -> Rejection {
    Rejection { code, column: column.to_owned(), value, message }
}

/// A row whose text stays what it was: as a JSON string, since it is no JSON itself.
fn rejected(origin: Origin, text: &str, code: &'static str, message: String) -> Row {
    let raw = serde_json::to_string(text).unwrap_or_default();
    let value = text.chars().take(2000).collect();
    let content = RowContent::Rejected(rejection(code, "", value, message));
    Row { origin, raw, content, notices: Vec::new() }
}

fn kind(preset: &SourcePreset, value: &Value) -> RowKind {
    let touch = preset.json.touches.iter().find(|touch| holds(value, &touch.when));
    let other = RowKind::of_rows(preset.tells_events);
    touch.map_or(other, |touch| {
        let detail = touch
            .detail
            .iter()
            .filter_map(|path| json_text::at(value, path).and_then(text_of))
            .find(|text| !text.is_empty());
        RowKind::Touch(RowTouch { kind: touch.kind.clone(), detail: detail.unwrap_or_default() })
    })
}

/// Returns the columns that the first records show; where no name gives the address or the number away,
/// its values do.
pub(super) fn sample_columns(resolver: &Resolver, sample: &[Value]) -> Vec<Column> {
    let mut flattener = Flattener::new(resolver.clone(), PATHS_MAX);
    let mut columns: Vec<Column> = Vec::new();
    let mut rows = Vec::new();
    for value in sample {
        let mut row = vec![String::new(); columns.len()];
        for (column, text) in flattener.pairs(value) {
            match columns.iter().position(|known| known.name == column.name) {
                Some(at) => row[at] = text,
                None => {
                    columns.push(column);
                    row.push(text);
                }
            }
        }
        rows.push(row);
    }
    by_their_values(&mut columns, &rows);
    columns
}

/// Takes records apart, remembering what each path means.
struct Flattener {
    resolver: Resolver,
    known: HashMap<String, Column>,
    /// Columns whose values told what their names did not.
    by_values: Vec<Column>,
    split_time: Option<SplitTime>,
    fields_max: usize,
    /// The record taken apart last has more values than that; the surplus was left.
    overflows: bool,
    envelopes: usize,
}

impl Flattener {
    fn new(resolver: Resolver, fields_max: usize) -> Self {
        Self {
            resolver,
            known: HashMap::new(),
            by_values: Vec::new(),
            split_time: None,
            fields_max,
            overflows: false,
            envelopes: 0,
        }
    }

    /// Remembers what the first records' `columns` show together.
    fn with(mut self, columns: &[Column]) -> Self {
        let found = columns.iter().filter(|column| column.origin == RoleOrigin::Values);
        self.by_values = found.cloned().collect();
        self.split_time = SplitTime::find(columns);
        self
    }

    fn cells(&mut self, value: &Value, is_submission: bool) -> Vec<Cell> {
        let preset = self.resolver.preset.clone();
        let (mut cells, origins): (Vec<Cell>, Vec<RoleOrigin>) = self
            .pairs(value)
            .into_iter()
            .filter_map(|(column, text)| {
                let origin = column.origin;
                column.cell(text, &preset).map(|cell| (cell, origin))
            })
            .unzip();
        if is_submission {
            rescue_contact(&mut cells, |at, _| origins[at] == RoleOrigin::Nothing);
        }
        if let Some(split) = &self.split_time {
            split.join(&mut cells);
        }
        cells
    }

    fn pairs(&mut self, value: &Value) -> Vec<(Column, String)> {
        let mut pairs = Vec::with_capacity(value.as_object().map_or(0, Map::len));
        let preset = self.resolver.preset.clone();
        self.walk(&preset, value, value, "", &mut pairs);
        self.overflows = pairs.len() > self.fields_max;
        let (mut columns, texts): (Vec<Column>, Vec<String>) = pairs.into_iter().unzip();
        keep_one_of_each(&mut columns);
        for found in &self.by_values {
            let known = columns.iter_mut().find(|column| column.name == found.name);
            if let Some(column) = known.filter(|column| column.origin == RoleOrigin::Nothing) {
                column.clone_from(found);
            }
        }
        columns.into_iter().zip(texts).collect()
    }

    fn walk(
        &mut self,
        preset: &SourcePreset,
        root: &Value,
        value: &Value,
        path: &str,
        pairs: &mut Vec<(Column, String)>,
    ) {
        if pairs.len() > self.fields_max {
            return;
        }
        let under = |ignored: &String| {
            path.strip_prefix(ignored.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if preset.json.ignore.iter().any(under) {
            return;
        }
        match value {
            Value::Object(object) => {
                if preset.id == GENERIC_JSON
                    && let Some((label, answer)) = json_consents::said(path, object)
                {
                    let mut column = self.answer(&[label.to_owned()]);
                    if !matches!(column.role, Role::Consent(_)) {
                        column.role = Role::Consent(GENERIC_CONSENT);
                    }
                    column.name = label.into();
                    pairs.push((column, answer));
                    return;
                }
                for (key, inner) in object {
                    self.walk(preset, root, inner, &joined(path, key), pairs);
                }
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                let known =
                    preset.json.pivots.iter().find(|pivot| pivot.list.eq_ignore_ascii_case(path));
                let guessed = match known {
                    None if preset.id == GENERIC_JSON && !json_consents::is_about(path) => {
                        pairs_in(items)
                    }
                    _ => None,
                };
                if let Some(pivot) = known.or(guessed.as_ref()) {
                    self.pivot(root, pivot, items, pairs);
                    return;
                }
                for (at, inner) in items.iter().enumerate() {
                    self.walk(preset, root, inner, &joined(path, &(at + 1).to_string()), pairs);
                }
            }
            Value::String(text) if text.starts_with('{') && is_envelope(path) => {
                match json_text::parse(text) {
                    Ok(inner @ Value::Object(_)) if self.envelopes < ENVELOPES_MAX => {
                        self.envelopes += 1;
                        self.walk(preset, root, &inner, path, pairs);
                        self.envelopes -= 1;
                    }
                    _ => pairs.push((self.column(path), text.clone())),
                }
            }
            scalar => {
                if let Some(text) = text_of(scalar).filter(|text| !is_blank(text)) {
                    pairs.push((self.column(path), text));
                }
            }
        }
    }

    fn pivot(
        &mut self,
        root: &Value,
        pivot: &Pivot,
        items: &[Value],
        pairs: &mut Vec<(Column, String)>,
    ) {
        for item in items {
            if pairs.len() > self.fields_max {
                return;
            }
            let values: Vec<String> = pivot
                .values
                .iter()
                .filter_map(|path| json_text::at(item, path).and_then(text_of))
                .filter(|text| !text.trim().is_empty())
                .collect();
            if values.is_empty() {
                continue;
            }
            let own =
                pivot.names.iter().filter_map(|path| json_text::at(item, path).and_then(text_of));
            let names: Vec<String> = label(root, pivot, item)
                .into_iter()
                .chain(own)
                .filter(|name| !name.trim().is_empty())
                .collect();
            if names.is_empty() {
                continue;
            }
            let mut column = self.answer(&names);
            if let Some(role) = pivot.role {
                column.role = role;
            }
            // What a consent is for stands in its words, not in its id.
            let words = |name: &&String| name.split_whitespace().count();
            let shown = match column.role {
                Role::Consent(_) => names.iter().rev().max_by_key(words),
                _ => names.first(),
            };
            let Some(shown) = shown else { continue };
            let times = pairs.iter().filter(|(column, _)| base_name(&column.name) == shown).count();
            let name: Arc<str> = if times == 0 {
                shown.as_str().into()
            } else {
                format!("{shown} #{}", times + 1).into()
            };
            column.name = name;
            pairs.push((column, values.join(", ")));
        }
    }

    /// The column of an answer that goes by any of `names`.
    fn answer(&mut self, names: &[String]) -> Column {
        let path = names.join("\n");
        if let Some(known) = self.known.get(&path) {
            return known.clone();
        }
        let keys: Vec<String> = names
            .iter()
            .flat_map(|name| [Some(header_key(name)), parted_key(name)])
            .flatten()
            .collect();
        let column = self.resolver.column(&path.as_str().into(), &keys);
        if self.known.len() < PATHS_MAX {
            self.known.insert(path, column.clone());
        }
        column
    }

    fn column(&mut self, path: &str) -> Column {
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        let base = base_name(path);
        let mut column = self.resolver.column(&path.into(), &path_keys(base));
        // As with headers: a second address or number is worth having, a second anything else is not.
        let worth = [Role::Field(EMAIL), Role::Field(PHONE)].contains(&column.role);
        if base != path && matches!(column.role, Role::Field(_)) && !worth {
            column.role = Role::Answer;
        }
        if self.known.len() < PATHS_MAX {
            self.known.insert(path.to_owned(), column.clone());
        }
        column
    }
}

/// Keys under which a list of answers has its questions, and those of what was answered.
const QUESTION_KEYS: &[&str] = &["question", "label", "title", "name", "field", "key", "id"];
const ANSWER_KEYS: &[&str] = &["answer", "value", "values", "response", "text"];

/// Returns how a list of questions and answers is to be read, if `items` are nothing else:
/// `[{"label": "E-mail", "value": "…"}]`.
fn pairs_in(items: &[Value]) -> Option<Pivot> {
    let key_of = |item: &Value, keys: &[&str]| {
        keys.iter()
            .find(|key| item.get(**key).is_some_and(|value| !value.is_object()))
            .map(|key| (*key).to_owned())
    };
    let of_all = |keys: &[&str]| {
        let found: Option<Vec<String>> = items.iter().map(|item| key_of(item, keys)).collect();
        found.map(|mut found| {
            found.sort();
            found.dedup();
            found
        })
    };
    let (names, values) = (of_all(QUESTION_KEYS)?, of_all(ANSWER_KEYS)?);
    // What stands beside belongs to the question: its type, its number. Records have more to say.
    let is_small = |item: &Value| item.as_object().is_some_and(|item| item.len() <= 5);
    let has_names = items
        .iter()
        .all(|item| names.iter().any(|key| item.get(key).is_some_and(Value::is_string)));
    (items.iter().all(is_small) && has_names).then(|| Pivot {
        list: String::new(),
        names,
        values,
        labels: None,
        role: None,
    })
}

fn base_name(name: &str) -> &str {
    match name.rsplit_once(" #") {
        Some((base, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => base,
        _ => name,
    }
}

fn label(root: &Value, pivot: &Pivot, item: &Value) -> Option<String> {
    let labels = pivot.labels.as_ref()?;
    let reference = text_of(json_text::at(item, &labels.reference)?)?;
    let list = json_text::at(root, &labels.list)?.as_array()?;
    let entry = list.iter().find(|entry| {
        json_text::at(entry, &labels.id).and_then(text_of).as_deref() == Some(reference.as_str())
    })?;
    json_text::at(entry, &labels.label).and_then(text_of)
}

fn joined<'k>(path: &str, key: &'k str) -> Cow<'k, str> {
    if path.is_empty() { Cow::Borrowed(key) } else { Cow::Owned([path, ".", key].concat()) }
}

/// Automation tools put a whole record as text under such keys.
fn is_envelope(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
    ["body", "payload", "data", "raw", "json"].contains(&last.as_str())
}

/// The folded names that a path may be known by, the longest first; behind them the same with the words
/// of `createdAt` apart.
fn path_keys(path: &str) -> Vec<String> {
    let last = path.rsplit('.').next().unwrap_or(path);
    let mut keys = vec![verbatim_key(last), header_key(path)];
    let parts: Vec<String> = path.split('.').map(header_key).collect();
    let parted: Vec<String> =
        path.split('.').map(|part| parted_key(part).unwrap_or_else(|| header_key(part))).collect();
    let is_parted = parted != parts;
    add_keys(&mut keys, &parts);
    if is_parted {
        keys.push(parted.join(" "));
        add_keys(&mut keys, &parted);
    }
    keys.dedup();
    keys
}

fn add_keys(keys: &mut Vec<String>, parts: &[String]) {
    let is_container = |part: &String| {
        CONTAINERS.contains(&part.as_str()) || part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let from = parts.iter().position(|part| !is_container(part)).unwrap_or(parts.len() - 1);
    let parts = &parts[from..];
    keys.push(parts.join(" "));
    if parts.len() > 2 {
        keys.push(parts[parts.len() - 2..].join(" "));
    }
    if let Some(last) = parts.last()
        && parts.len() > 1
        && !VAGUE.contains(&last.as_str())
    {
        keys.push(last.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &[&str]) {
        assert_eq!(path_keys(path)[1..], *expected, "{path}");
    }

    #[test]
    fn a_path_is_known_by_its_telling_end() {
        check("email", &["email"]);
        check("body.lead.email", &["body lead email", "email"]);
        check("1.imie", &["1 imie", "imie"]);
        check("context.library.name", &["context library name", "library name"]);
        check("traits.company.name", &["traits company name", "company name"]);
        check("body.lead.consents.phone", &["body lead consents phone", "consents phone", "phone"]);
        check("Phone Number", &["phone number"]);
        check(
            "lead.contactInfo.emailAddress",
            &[
                "lead contactinfo emailaddress",
                "contactinfo emailaddress",
                "emailaddress",
                "lead contact info email address",
                "contact info email address",
                "email address",
            ],
        );
    }
}
