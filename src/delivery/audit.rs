//! What a target would make of a file, whoever wrote it: bytes, header, cells, each finding with the way out.
//!
//! The file is read by a parser of its own that knows RFC 4180 to the byte and takes nothing else, for importers differ
//! in what they forgive.

use std::collections::BTreeMap;

use super::crm::{Keys, missing};
use super::encoding::read_guarded;
use super::form::{self, RefusalCode};
use super::strict_csv::{LineEnds, Record, Strict};
use super::{parquet, workbook};
use crate::rules::target::{LineEnd, Profile, Target, TargetFormat, ZONE};

/// Findings that are kept; the rest is counted.
const FINDINGS_MAX: usize = 1_000;

/// What the target does because of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consequence {
    /// It takes the file as it is; somebody may be surprised later.
    Takes,
    /// It refuses the row.
    RefusesRow,
    /// It refuses the file.
    RefusesFile,
}

impl Consequence {
    /// Returns what it does, as part of a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Takes => "takes it",
            Self::RefusesRow => "refuses the row",
            Self::RefusesFile => "refuses the file",
        }
    }
}

/// Something that the target would not take, or not as it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Line of the file, from 1; 0 when it is about the file as a whole.
    pub line: u64,
    /// Header of the column; may be empty.
    pub column: String,
    /// What it is, for programs.
    pub code: &'static str,
    /// What is found.
    pub what: String,
    /// What the target does.
    pub consequence: Consequence,
    /// The way out.
    pub hint: String,
}

/// What a file came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// Rows below the header.
    pub rows: u64,
    /// What was found, in order of the file; at most a thousand.
    pub findings: Vec<Finding>,
    /// How often each code was found.
    pub counts: BTreeMap<&'static str, u64>,
    /// Whether the target would refuse the file or a row.
    pub is_refused: bool,
}

impl Audit {
    fn add(&mut self, finding: Finding) {
        *self.counts.entry(finding.code).or_default() += 1;
        self.is_refused |= finding.consequence > Consequence::Takes;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    fn file(&mut self, code: &'static str, what: String, consequence: Consequence, hint: &str) {
        let hint = hint.to_owned();
        self.add(Finding { line: 0, column: String::new(), code, what, consequence, hint });
    }
}

/// Returns what `target` would make of a file of these `bytes`; `zone` is the name of the zone of its instants.
pub fn audit(target: &Target, zone: &str, bytes: &[u8]) -> Audit {
    let mut audit = Audit::default();
    size(target, bytes, &mut audit);
    match target.format {
        TargetFormat::Xlsx | TargetFormat::Parquet => table(target, bytes, &mut audit),
        TargetFormat::Csv | TargetFormat::Jsonl | TargetFormat::Json => {
            text_file(target, zone, bytes, &mut audit);
        }
    }
    if let Some(most) = target.max_rows.filter(|most| audit.rows > *most) {
        let what = format!("{} rows, at most {most} fit", audit.rows);
        audit.file("too-many-rows", what, Consequence::RefusesFile, "split the file");
    }
    audit
}

fn text_file(target: &Target, zone: &str, bytes: &[u8], audit: &mut Audit) {
    let bytes = byte_order_mark(target, bytes, audit);
    let Ok(text) = std::str::from_utf8(bytes) else {
        let at = std::str::from_utf8(bytes).map_or_else(|fault| fault.valid_up_to(), |_| 0);
        let line = memchr::memchr_iter(b'\n', &bytes[..at]).count() as u64 + 1;
        audit.add(Finding {
            line,
            column: String::new(),
            code: "not-utf8",
            what: "the bytes are no UTF-8".to_owned(),
            consequence: Consequence::RefusesFile,
            hint: "save the file as UTF-8".to_owned(),
        });
        return;
    };
    if target.format == TargetFormat::Csv {
        return csv(target, zone, text, audit);
    }
    let mut keys = Keys::default();
    if target.format == TargetFormat::Json {
        return json(target, 1, text, &mut keys, audit);
    }
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        json(target, at as u64 + 1, line, &mut keys, audit);
    }
}

/// Looks at the header and the rows of a file that is a table by itself.
fn table(target: &Target, bytes: &[u8], audit: &mut Audit) {
    let is_workbook = target.format == TargetFormat::Xlsx;
    let (mut header, mut keys) = (None, Keys::default());
    let visit = |line, cells| {
        let mut record = Record { line, cells, faults: Vec::new() };
        let Some(columns) = &header else {
            header = Some(header_columns(target, &record, audit));
            return;
        };
        let Some(columns) = columns else { return };
        audit.rows += 1;
        // A sheet is a rectangle whose empty cells are left out.
        if is_workbook && record.cells.len() < columns.len() {
            record.cells.resize(columns.len(), String::new());
        }
        self::cells(target, columns, &record, &mut keys, audit);
    };
    let read = read_guarded(|| {
        if is_workbook { workbook::each_row(bytes, visit) } else { parquet::each_row(bytes, visit) }
    });
    if read.is_none() {
        let hint = if is_workbook {
            "save it as an Excel workbook (.xlsx)"
        } else {
            "write it as Parquet"
        };
        let what = format!("the file is not of format `{}`", target.format.word());
        audit.file("not-readable", what, Consequence::RefusesFile, hint);
    } else if header.is_none() {
        let what = "there is no header".to_owned();
        audit.file("empty", what, Consequence::RefusesFile, "write at least the header");
    }
}

fn size(target: &Target, bytes: &[u8], audit: &mut Audit) {
    if let Some(most) = target.max_bytes.filter(|most| bytes.len() as u64 > *most) {
        let what = format!("{} bytes, at most {most} fit", bytes.len());
        audit.file("too-large", what, Consequence::RefusesFile, "split the file");
    }
}

fn byte_order_mark<'b>(target: &Target, bytes: &'b [u8], audit: &mut Audit) -> &'b [u8] {
    match bytes.strip_prefix("\u{feff}".as_bytes()) {
        Some(rest) => {
            if !target.bom {
                let what = "a byte order mark becomes part of the first column's name".to_owned();
                let hint = "save the file as UTF-8 without a byte order mark";
                audit.file("byte-order-mark", what, Consequence::RefusesFile, hint);
            }
            rest
        }
        None => {
            if target.bom && bytes.iter().any(|byte| !byte.is_ascii()) {
                let what = "no byte order mark, and letters that are none of a to z".to_owned();
                let hint = "save the file as UTF-8 with a byte order mark, or Excel garbles them";
                audit.file("no-byte-order-mark", what, Consequence::Takes, hint);
            }
            bytes
        }
    }
}

fn csv(target: &Target, zone: &str, text: &str, audit: &mut Audit) {
    let mut reader = Strict::new(text, target.delimiter);
    for expected in &target.preamble {
        let expected = expected.replace(ZONE, zone);
        let found = reader.skip_line();
        let key = expected.split('=').next().unwrap_or_default();
        if !found.starts_with(key) {
            let what = format!("the first line is not `{expected}`");
            audit.file(
                "no-preamble",
                what,
                Consequence::RefusesFile,
                "put the line above the header",
            );
            return;
        }
    }
    let Some(header) = reader.next() else {
        let hint = "write at least the header";
        audit.file("empty", "there is no header".to_owned(), Consequence::RefusesFile, hint);
        return;
    };
    quoting(&header, audit);
    let Some(columns) = header_columns(target, &header, audit) else { return };
    let mut keys = Keys::default();
    for record in reader.by_ref() {
        audit.rows += 1;
        quoting(&record, audit);
        cells(target, &columns, &record, &mut keys, audit);
    }
    line_ends(target, reader.line_ends(), audit);
}

fn line_ends(target: &Target, found: LineEnds, audit: &mut Audit) {
    let (wrong, wanted) = match target.line_end {
        LineEnd::Lf => (found.crlf + found.cr, "LF"),
        LineEnd::Crlf => (found.lf + found.cr, "CRLF"),
    };
    if wrong > 0 {
        // Bulk jobs are told the line end; wizards take either.
        let consequence = match target.line_end {
            LineEnd::Lf => Consequence::RefusesFile,
            LineEnd::Crlf if found.cr > 0 => Consequence::RefusesFile,
            LineEnd::Crlf => Consequence::Takes,
        };
        let what = format!("{wrong} lines do not end with {wanted}");
        audit.file("line-end", what, consequence, "save the file with one kind of line end");
    }
}

fn quoting(record: &Record, audit: &mut Audit) {
    for fault in &record.faults {
        audit.add(Finding {
            line: fault.line,
            column: String::new(),
            code: "quoting",
            what: fault.what.to_owned(),
            consequence: Consequence::RefusesFile,
            hint: "put the cell into quotes and double the quotes inside".to_owned(),
        });
    }
}

/// Returns, for each cell of a row, the position of its column in the target; `None` ends the look at the file.
fn header_columns(
    target: &Target,
    header: &Record,
    audit: &mut Audit,
) -> Option<Vec<Option<usize>>> {
    let finding = |column: &str, code, what: String, consequence, hint: String| Finding {
        line: header.line,
        column: column.to_owned(),
        code,
        what,
        consequence,
        hint,
    };
    let wanted: Vec<&str> = target.columns.iter().map(|column| column.header.as_str()).collect();
    if header.cells.len() == 1 && wanted.len() > 1 {
        let what = format!(
            "the header is one cell; cells are parted by `{}`",
            char::from(target.delimiter).escape_default()
        );
        let hint = "save the file with that separator".to_owned();
        audit.add(finding("", "delimiter", what, Consequence::RefusesFile, hint));
        return None;
    }
    let mut positions = Vec::with_capacity(header.cells.len());
    for (at, name) in header.cells.iter().enumerate() {
        let position = wanted.iter().position(|known| known == name);
        if header.cells[..at].contains(name) {
            let hint = "rename or remove one of them".to_owned();
            let what = format!("`{name}` stands twice in the header");
            audit.add(finding(name, "header-twice", what, Consequence::RefusesFile, hint));
        } else if position.is_none() {
            let near = crate::rules::diagnostics::did_you_mean(name, wanted.iter().copied());
            let hint = near.map_or_else(
                || "remove the column, or add it to the target's file of rules".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let what = format!("`{name}` is no column of the target");
            audit.add(finding(name, "header-unknown", what, Consequence::Takes, hint));
        }
        positions.push(position);
    }
    for position in &target.required {
        if !positions.contains(&Some(*position)) {
            let name = wanted[*position];
            let what = format!("the required column `{name}` is missing");
            let hint = "add the column".to_owned();
            audit.add(finding(name, "header-missing", what, Consequence::RefusesFile, hint));
        }
    }
    Some(positions)
}

fn cells(
    target: &Target,
    columns: &[Option<usize>],
    record: &Record,
    keys: &mut Keys,
    audit: &mut Audit,
) {
    if record.cells.len() != columns.len() {
        audit.add(Finding {
            line: record.line,
            column: String::new(),
            code: "ragged-row",
            what: format!("{} cells below {} headers", record.cells.len(), columns.len()),
            consequence: Consequence::RefusesRow,
            hint: "quote cells that hold the separator, and give every row all of its cells"
                .to_owned(),
        });
        return;
    }
    let mut values = vec![""; target.columns.len()];
    for (cell, position) in record.cells.iter().zip(columns) {
        if let Some(position) = position {
            values[*position] = cell;
        }
    }
    row(target, record.line, &values, keys, audit);
}

/// Looks at one row, whose `values` stand in the order of the target's columns.
fn row(target: &Target, line: u64, values: &[&str], keys: &mut Keys, audit: &mut Audit) {
    let add = |audit: &mut Audit, column: &str, code, what: String, consequence, hint: String| {
        audit.add(Finding { line, column: column.to_owned(), code, what, consequence, hint });
    };
    let mut refusals = Vec::new();
    for (column, value) in target.columns.iter().zip(values) {
        refusals.extend(form::check(column, value, None).err());
        if value.trim() != *value && !value.is_empty() {
            let what = "the value begins or ends with a blank, which counts".to_owned();
            let hint = "remove the blank".to_owned();
            add(audit, &column.header, "blank-around", what, Consequence::Takes, hint);
        }
        let is_guarded =
            value.starts_with("'+") || value.starts_with("'=") || value.starts_with("'-");
        if target.profile == Profile::Machine && is_guarded {
            let what =
                "an apostrophe that only spreadsheets take off stands before the value".to_owned();
            let hint = "write the value as it is; this file is read by a program".to_owned();
            add(audit, &column.header, "guarded", what, Consequence::Takes, hint);
        }
    }
    refusals.extend(missing(target, |at| values[at].trim().is_empty()).err());
    if let Some(position) = target.key {
        refusals.extend(keys.take_text(target, values[position]).err());
    }
    for refusal in refusals {
        let hint = way_out(refusal.code).to_owned();
        let code = refusal.code.word();
        add(audit, &refusal.column, code, refusal.reason, Consequence::RefusesRow, hint);
    }
}

fn way_out(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::Missing => "fill the cell, or leave the row out",
        RefusalCode::TooLong | RefusalCode::TooLarge => "shorten the value",
        RefusalCode::NotAChoice => "write one of the words, or add yours to the target's picklist",
        RefusalCode::BadForm => "write the value in that form, or leave the cell empty",
        RefusalCode::OwnerUnknown => "give the owner an address and a name in routing.toml",
        RefusalCode::DuplicateKey => "keep one of the rows",
        RefusalCode::Refused => "mend the row",
    }
}

/// Looks at a document of JSON: an object that is a row, or an array of them.
fn json(target: &Target, line: u64, text: &str, keys: &mut Keys, audit: &mut Audit) {
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(text);
    let rows = match parsed {
        Ok(serde_json::Value::Array(rows)) if target.format == TargetFormat::Json => rows,
        Ok(row @ serde_json::Value::Object(_)) if target.format == TargetFormat::Jsonl => vec![row],
        Ok(_) | Err(_) => {
            audit.add(Finding {
                line,
                column: String::new(),
                code: "not-json",
                what: match target.format {
                    TargetFormat::Jsonl => "the line is no JSON object".to_owned(),
                    _ => "the file is no JSON array of objects".to_owned(),
                },
                consequence: Consequence::RefusesFile,
                hint: "write it as `leadmill target docs` shows".to_owned(),
            });
            return;
        }
    };
    for one in rows {
        audit.rows += 1;
        let texts: Vec<String> =
            target.columns.iter().map(|column| at_path(&one, &column.header)).collect();
        let values: Vec<&str> = texts.iter().map(String::as_str).collect();
        row(target, line, &values, keys, audit);
    }
}

/// Returns the value where a header says, as text; empty where there is none.
fn at_path(row: &serde_json::Value, header: &str) -> String {
    let (path, is_list) = match header.strip_suffix("[]") {
        Some(path) => (path, true),
        None => (header, false),
    };
    let found = path.split('.').try_fold(row, |inner, part| inner.get(part));
    let found = if is_list { found.and_then(|list| list.get(0)) } else { found };
    match found {
        None | Some(serde_json::Value::Null) => String::new(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
