//! Targets: the files that other systems import (`targets/*.toml`).
//!
//! A target is data: its columns say which field or derived value they show and how it is spelled
//! there. A new CRM is a new file here and no code.

mod column;
mod conversion;
mod derived;

use chrono::TimeDelta;
use chrono_tz::Tz;

use self::column::values;
use super::consent::ConsentPolicy;
use super::decode::{CONSENT, Sink, Table, document};
use super::diagnostics::{Place, RuleText, did_you_mean};
use super::field::FieldCatalog;
use super::hours::opt_zone;
use crate::model::consent::{Channel, Purpose};

pub use self::column::{Column, ColumnValue, Form, Rewrite, ScoringPart, TooLong};
pub use self::conversion::{Conversion, ConversionEvent};
pub use self::derived::Derived;

/// How rows are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetFormat {
    /// Comma-separated values with a header, RFC 4180.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// An array of JSON objects.
    Json,
    /// A workbook of one sheet.
    Xlsx,
    /// A table of typed columns.
    Parquet,
}

impl TargetFormat {
    /// Every format with its word, in order.
    pub const ALL: &[(&str, TargetFormat)] = &[
        ("csv", Self::Csv),
        ("jsonl", Self::Jsonl),
        ("json", Self::Json),
        ("xlsx", Self::Xlsx),
        ("parquet", Self::Parquet),
    ];

    /// Returns the word used in rules.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Returns whether this build of leadmill can write it.
    pub fn is_built(self) -> bool {
        cfg!(feature = "parquet") || self != Self::Parquet
    }

    /// Returns whether its bytes are there only once all rows are, so that none can be counted before.
    fn is_whole(self) -> bool {
        matches!(self, Self::Xlsx | Self::Parquet)
    }

    /// Returns whether rows are objects, so that headers may be paths.
    pub fn is_json(self) -> bool {
        matches!(self, Self::Jsonl | Self::Json)
    }
}

/// How lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// A line feed.
    Lf,
    /// A carriage return and a line feed.
    Crlf,
}

/// Which cells stand in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteRule {
    /// Those that could not be read back otherwise.
    Needed,
    /// All of them.
    Always,
}

/// Who opens the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A program: values stand as they are.
    Machine,
    /// A person with a spreadsheet: texts that would run as a formula are guarded.
    Spreadsheet,
}

/// What a row of the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsOf {
    /// A lead that is new or has changed.
    Leads,
    /// A task that is open and was not in an earlier file.
    Tasks,
    /// Something that happened to a lead and that the target was not told before.
    Conversions,
}

impl RowsOf {
    /// Every one with its word, in order.
    pub const ALL: &[(&str, RowsOf)] =
        &[("leads", Self::Leads), ("tasks", Self::Tasks), ("conversions", Self::Conversions)];

    /// Returns the word used in rules.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// One file that another system imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Stable id.
    pub id: String,
    /// Name as people say it.
    pub name: String,
    /// What the file is for.
    pub because: String,
    /// Whether runs write it.
    pub is_on: bool,
    /// Where what is written here about the target is to be read.
    pub source: Option<String>,
    /// How the file gets into the target.
    pub import: Option<String>,
    /// What a row is.
    pub rows_of: RowsOf,
    /// What is told as a conversion; nothing in other files.
    pub conversions: Vec<Conversion>,
    /// Path inside a run's folder, with forward slashes.
    pub file: String,
    /// How rows are written down.
    pub format: TargetFormat,
    /// Whether the file opens with a byte order mark.
    pub bom: bool,
    /// How lines end.
    pub line_end: LineEnd,
    /// Separates cells.
    pub delimiter: u8,
    /// Which cells stand in quotes.
    pub quote: QuoteRule,
    /// Who opens the file.
    pub profile: Profile,
    /// Lines before the header; `{zone}` is the zone of the instants.
    pub preamble: Vec<String>,
    /// Zone in which instants are written; the workspace's without it.
    pub zone: Option<Tz>,
    /// The column that tells rows apart, as position: no two rows of a file have the same.
    pub key: Option<usize>,
    /// Most rows of one file; what is more goes into a further part.
    pub max_rows: Option<u64>,
    /// Most bytes of one file, likewise.
    pub max_bytes: Option<u64>,
    /// Rows for which none of these has a value are none of the target's business.
    pub needs_any: Vec<ColumnValue>,
    /// Rows of leads that the gate does not let be used for all of these are not for the target.
    pub only_with_consent: Vec<(Purpose, Channel)>,
    /// Conversions that lie longer back are not for the target.
    pub max_age: Option<TimeDelta>,
    /// Columns that must not be empty, as positions.
    pub required: Vec<usize>,
    /// Columns of which one must not be empty, as positions; none asks for nothing.
    pub required_any: Vec<usize>,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// The target whose columns, key and required columns it has, and where it says so.
    pub columns_of: Option<(String, Place)>,
    /// Where the target stands.
    pub place: Place,
}

/// All targets, sorted by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetCatalog {
    targets: Vec<Target>,
}

/// Files that a run writes itself; a target must not stand in for one of them.
const RESERVED_FILES: &[&str] = &[
    "manifest.json",
    "run.json",
    "report.html",
    "tasks.csv",
    "tasks.ics",
    "due.csv",
    "alerts.json",
    "metrics.prom",
    "dropoff.csv",
    "duplicates.csv",
    "quarantine.csv",
];

/// Rows that a sheet of a workbook holds below its header.
const SHEET_ROWS_MAX: u64 = 1_048_575;
/// Characters that a cell of a workbook holds.
pub const SHEET_CELL_CHARS_MAX: usize = 32_767;

/// What stands for the zone of the instants in a line before the header.
pub const ZONE: &str = "{zone}";

impl TargetCatalog {
    /// Reads one target from each of `files`; mistakes go to `sink`.
    pub fn decode(files: &[RuleText], fields: &FieldCatalog, sink: &Sink) -> Self {
        let mut targets: Vec<Target> = Vec::new();
        for file in files {
            document(file, sink, |root| targets.extend(Target::decode(root, fields)));
        }
        targets.sort_by(|a, b| (&a.id, &a.place.file.path).cmp(&(&b.id, &b.place.file.path)));
        for (position, target) in targets.iter().enumerate() {
            for earlier in &targets[..position] {
                let path = &earlier.place.file.path;
                if earlier.id == target.id {
                    let message = format!("target `{}` exists already, in {path}", target.id);
                    sink.error(&target.place, message, None);
                } else if earlier.file.eq_ignore_ascii_case(&target.file) {
                    let message = format!("`{}` is already written by {path}", target.file);
                    sink.error(&target.place, message, Some("give it another `file`".to_owned()));
                }
            }
        }
        let mut catalog = Self { targets };
        catalog.lend_columns(sink);
        catalog
    }

    /// Gives the columns of a target to those that say `columns-of`.
    fn lend_columns(&mut self, sink: &Sink) {
        for at in 0..self.targets.len() {
            let Some((id, place)) = self.targets[at].columns_of.clone() else { continue };
            let lender = self.get(&id).filter(|lender| lender.columns_of.is_none()).cloned();
            let target = &mut self.targets[at];
            match lender {
                Some(_) if !target.columns.is_empty() => {
                    let hint = "leave out `columns-of`, or the columns".to_owned();
                    let message = "a target has columns of its own or those of another, not both";
                    sink.error(&place, message, Some(hint));
                }
                Some(lender) => {
                    target.rows_of = lender.rows_of;
                    target.conversions = lender.conversions;
                    target.columns = lender.columns;
                    target.required = lender.required;
                    target.required_any = lender.required_any;
                    target.key = lender.key;
                }
                None => {
                    let hint = "name a target that has columns of its own".to_owned();
                    let message = format!("`{id}` is no target whose columns can be had");
                    sink.error(&place, message, Some(hint));
                }
            }
        }
    }

    /// Returns the target called `id`.
    pub fn get(&self, id: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.id == id)
    }

    /// Iterates in order of id.
    pub fn iter(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter()
    }

    /// Iterates over those that runs write, in order of id.
    pub fn on(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| target.is_on)
    }

    /// Switches on those of `named` and no others; mistakes go to `sink`.
    pub(super) fn switch_on(&mut self, named: &[(String, Place)], sink: &Sink) {
        for (id, place) in named {
            if self.get(id).is_none() {
                let hint = did_you_mean(id, self.iter().map(|target| target.id.as_str()))
                    .map_or_else(
                        || "`leadmill target list` names them".to_owned(),
                        |near| format!("did you mean `{near}`?"),
                    );
                sink.lacks("targets", place, format!("there is no target `{id}`"), Some(hint));
            }
        }
        for target in &mut self.targets {
            target.is_on = named.iter().any(|(id, _)| *id == target.id);
        }
    }

    /// Reports targets that are on and whose format this build cannot write, which `is_built` says.
    pub(super) fn check_formats(&self, is_built: fn(TargetFormat) -> bool, sink: &Sink) {
        for target in self.on().filter(|target| !is_built(target.format)) {
            let (id, word) = (&target.id, target.format.word());
            let message =
                format!("target `{id}` is of format `{word}`, which this build cannot write");
            let hint = format!(
                "build leadmill with it: cargo install --path . --features {word}; or switch the target off"
            );
            sink.error(&target.place, message, Some(hint));
        }
    }

    /// Reports purposes of consent that `policy` does not know.
    pub(super) fn check_purposes(&self, policy: &ConsentPolicy, sink: &Sink) {
        for target in &self.targets {
            let shown = target.columns.iter().flat_map(|column| &column.from);
            let shown = shown.filter_map(|value| match value {
                ColumnValue::Consent(purpose, _) => Some(purpose),
                ColumnValue::Field(_) | ColumnValue::Derived(_) => None,
            });
            let asked = target.only_with_consent.iter().map(|(purpose, _)| purpose);
            for purpose in shown.chain(asked).filter(|purpose| !policy.knows(&purpose.0)) {
                let message = format!("unknown purpose of consent `{purpose}`");
                let hint = "add it to `purposes` in consent.toml".to_owned();
                sink.lacks(CONSENT, &target.place, message, Some(hint));
            }
        }
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Leaves out the columns for parts of `scoring.toml` that are not there.
    pub(super) fn leave_out(&mut self, has: impl Fn(ScoringPart) -> bool) {
        for target in &mut self.targets {
            target.leave_out(&has);
        }
    }
}

impl Target {
    /// Leaves out the columns for parts of `scoring.toml` that are not there.
    fn leave_out(&mut self, has: impl Fn(ScoringPart) -> bool) {
        let keeps: Vec<bool> =
            self.columns.iter().map(|column| column.only_with.is_none_or(&has)).collect();
        let new_position = |old: &usize| {
            keeps[*old].then(|| keeps[..*old].iter().filter(|is_kept| **is_kept).count())
        };
        for positions in [&mut self.required, &mut self.required_any] {
            *positions = positions.iter().filter_map(new_position).collect();
        }
        self.key = self.key.as_ref().and_then(new_position);
        self.columns.retain(|column| column.only_with.is_none_or(&has));
    }

    /// Reads the `[target]` table and the `[[column]]` tables of one file.
    pub fn decode(root: &Table<'_>, fields: &FieldCatalog) -> Option<Self> {
        let columns = root.tables("column", |table| Column::decode(table, fields));
        let conversions = root.tables("conversion", Conversion::decode);
        let places = header_places(root);
        let target = root.table("target", |table| {
            check_headers(&places, table);
            let (required, required_any) = (
                positions(table, "required", &columns),
                positions(table, "required-any", &columns),
            );
            let format = table.opt_choice("format", TargetFormat::ALL).unwrap_or(TargetFormat::Csv);
            check_paths(&columns, format, table);
            if format.is_whole() && table.has("max-bytes") {
                let hint = "say `max-rows`".to_owned();
                let message = format!(
                    "how large a file of format `{}` gets is known too late",
                    format.word()
                );
                table.error("max-bytes", message, Some(hint));
            }
            Self {
                id: table.string("id"),
                name: table.string("name"),
                because: table.string("because"),
                is_on: table.bool_or("enabled", true),
                source: table.opt_string("source"),
                import: table.opt_string("import"),
                rows_of: rows_of(table, &columns, &conversions),
                conversions,
                file: file_path(table),
                format,
                bom: table.bool_or("bom", false),
                line_end: table
                    .opt_choice("line-end", &[("lf", LineEnd::Lf), ("crlf", LineEnd::Crlf)])
                    .unwrap_or(LineEnd::Lf),
                delimiter: delimiter(table),
                quote: table
                    .opt_choice(
                        "quote",
                        &[("needed", QuoteRule::Needed), ("always", QuoteRule::Always)],
                    )
                    .unwrap_or(QuoteRule::Needed),
                profile: table
                    .opt_choice(
                        "profile",
                        &[("machine", Profile::Machine), ("spreadsheet", Profile::Spreadsheet)],
                    )
                    .unwrap_or(Profile::Machine),
                preamble: table.strings("preamble"),
                zone: opt_zone(table, "zone"),
                key: positions(table, "key", &columns).first().copied(),
                max_rows: limit(table, "max-rows")
                    .or((format == TargetFormat::Xlsx).then_some(SHEET_ROWS_MAX)),
                max_bytes: limit(table, "max-bytes"),
                needs_any: values(table, "needs-any", fields),
                only_with_consent: consents(table),
                max_age: table.opt_duration_seconds("max-age").and_then(TimeDelta::try_seconds),
                required,
                required_any,
                columns,
                columns_of: table.located_strings("columns-of").into_iter().next(),
                place: table.place().clone(),
            }
        });
        if target.is_none() && !root.has("target") {
            root.missing("target");
        }
        target
    }
}

fn rows_of(table: &Table<'_>, columns: &[Column], conversions: &[Conversion]) -> RowsOf {
    let rows_of = table.opt_choice("rows-of", RowsOf::ALL).unwrap_or(RowsOf::Leads);
    let shows = |column: &&Column, is: fn(Derived) -> bool| {
        let mut from = column.from.iter();
        from.any(|value| matches!(value, ColumnValue::Derived(known) if is(*known)))
    };
    for (kind, is, what) in [
        (RowsOf::Tasks, Derived::is_of_task as fn(Derived) -> bool, "a task"),
        (RowsOf::Conversions, Derived::is_of_conversion, "a conversion"),
    ] {
        if rows_of != kind
            && let Some(column) = columns.iter().find(|column| shows(column, is))
        {
            let message = format!(
                "column `{}` shows {what}, and the rows are {}",
                column.header,
                rows_of.word()
            );
            let hint = format!("add rows-of = \"{}\" to [target]", kind.word());
            table.error("id", message, Some(hint));
        }
    }
    if (rows_of == RowsOf::Conversions) == conversions.is_empty() {
        let hint = "a file of conversions says by [[conversion]] what is told, and no other does";
        let message = "`rows-of` and `[[conversion]]` do not fit together";
        table.error("id", message, Some(hint.to_owned()));
    }
    rows_of
}

/// A header with a dot is a path into objects, which only JSON has.
fn check_paths(columns: &[Column], format: TargetFormat, table: &Table<'_>) {
    if !format.is_json() {
        return;
    }
    let path = |column: &Column| column.header.trim_end_matches("[]").to_owned() + ".";
    for (at, column) in columns.iter().enumerate() {
        let mut others = columns.iter().enumerate().filter(|(other, _)| *other != at);
        if let Some((_, other)) = others.find(|(_, other)| path(other).starts_with(&path(column))) {
            let message = format!("`{}` cannot be a value and hold others", column.header);
            let hint = format!("`{}` stands inside it", other.header);
            table.error("id", message, Some(hint));
        }
    }
}

fn limit(table: &Table<'_>, key: &str) -> Option<u64> {
    let limit = table.opt_integer(key)?;
    if limit < 1 {
        table.error(key, format!("`{key}` must be at least 1"), None);
    }
    u64::try_from(limit).ok().filter(|limit| *limit > 0)
}

/// Reads purposes and channels, such as `partner-share/email`.
fn consents(table: &Table<'_>) -> Vec<(Purpose, Channel)> {
    let read = |(text, place): (String, Place)| {
        let parts = text.split_once('/');
        let found = parts.and_then(|(purpose, word)| {
            let (_, channel) = Channel::ALL.iter().find(|(known, _)| *known == word)?;
            Some((Purpose::new(purpose), *channel))
        });
        if found.is_none() {
            let hint = "write purpose and channel, such as partner-share/email".to_owned();
            table.sink().error(&place, format!("`{text}` is no consent"), Some(hint));
        }
        found
    };
    table.located_strings("only-with-consent").into_iter().filter_map(read).collect()
}

fn header_places(root: &Table<'_>) -> Vec<(String, Place)> {
    root.tables("column", |table| {
        // A second look at the same tables: `Column::decode` has reported what is unknown in them.
        table.accept_all();
        (table.opt_string("header").unwrap_or_default(), table.place_of("header"))
    })
}

fn check_headers(headers: &[(String, Place)], table: &Table<'_>) {
    if headers.is_empty() && !table.has("columns-of") {
        table.error("id", "a target needs at least one `[[column]]`", None);
    }
    for (position, (header, place)) in headers.iter().enumerate() {
        let earlier = headers[..position].iter().find(|(known, _)| known == header);
        if let Some((_, first)) = earlier.filter(|_| !header.is_empty()) {
            let message = format!("header `{header}` stands twice, first in line {}", first.line());
            table.sink().error(place, message, Some("rename or remove one of them".to_owned()));
        }
    }
}

fn positions(table: &Table<'_>, key: &str, columns: &[Column]) -> Vec<usize> {
    let mut found = Vec::new();
    for (header, place) in table.located_strings(key) {
        if let Some(position) = columns.iter().position(|column| column.header == header) {
            found.push(position);
            continue;
        }
        let hint = did_you_mean(&header, columns.iter().map(|c| c.header.as_str())).map_or_else(
            || "add a `[[column]]` with this header".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("`{key}` names `{header}`, which is not among the columns");
        table.sink().error(&place, message, Some(hint));
    }
    found
}

fn file_path(table: &Table<'_>) -> String {
    let file = table.string("file");
    let inside = file.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !file.is_empty() && (!inside || file.contains(['\\', ':'])) {
        table.error(
            "file",
            format!("`{file}` does not stay inside the run's folder"),
            Some("write a relative path such as `crm/leads.csv`".to_owned()),
        );
    }
    let lower = file.to_ascii_lowercase();
    if RESERVED_FILES.contains(&lower.as_str()) || lower.starts_with("quarantine/") {
        let hint = Some("put it into `crm/`".to_owned());
        table.error("file", format!("`{file}` is a file that every run writes itself"), hint);
    }
    file
}

fn delimiter(table: &Table<'_>) -> u8 {
    let Some(text) = table.opt_string("delimiter") else { return b',' };
    match text.as_bytes() {
        [byte] if byte.is_ascii_punctuation() && *byte != b'"' || *byte == b'\t' => *byte,
        _ => {
            let hint = Some("one of `,` `;` `|` or a tab, \"\\t\"".to_owned());
            table.error("delimiter", format!("`{text}` cannot separate cells"), hint);
            b','
        }
    }
}

#[cfg(test)]
mod tests;
