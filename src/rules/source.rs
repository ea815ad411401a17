//! Source presets (`sources/*.toml`): how an export of each system is recognized, and what its columns mean.
//!
//! A preset is data only. Intake recognizes and reads with it; normalization takes its zone, date formats,
//! consents and default channel from it. Columns that a preset does not name fall back to the generic
//! preset and to the aliases of `fields.toml`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::format::{Item, StrftimeItems};
use regex::Regex;

use super::decode::{self, Sink, Table};
use super::diagnostics::{Place, RuleText};
use super::field::{FieldCatalog, fold_header};
use crate::model::consent::{Channel, ConsentState, Purpose};
use crate::model::field::FieldNo;
use crate::model::moment::DateOrder;
use crate::model::row::{ConsentMapping, GENERIC_CONSENT, Role};

/// The preset of tables that no other preset recognizes; its columns serve every other preset, too.
pub const GENERIC_CSV: &str = "generic-csv";
/// The preset of JSON that no other preset recognizes.
pub const GENERIC_JSON: &str = "generic-json";

const ROLES: &[(&str, Role)] = &[
    ("full-name", Role::FullName),
    ("submitted-at", Role::SubmittedAt),
    ("submission-id", Role::SubmissionId),
    ("consent", Role::Consent(GENERIC_CONSENT)),
    ("test-marker", Role::TestMarker),
    ("honeypot", Role::Honeypot),
    ("completion", Role::Completion),
    ("landing-url", Role::LandingUrl),
    ("volatile", Role::Volatile),
    ("answer", Role::Answer),
];

const DATE_ORDERS: &[(&str, DateOrder)] =
    &[("dmy", DateOrder::Dmy), ("mdy", DateOrder::Mdy), ("unknown", DateOrder::Unknown)];

const SKIP_REASONS: &[(&str, &str)] =
    &[("no-personal-data", "no personal data"), ("not-a-lead", "not a lead")];

/// How a source writes a quote or a delimiter that belongs to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// `""` inside quotes (RFC 4180).
    Doubled,
    /// PHP's `fputcsv`: as [`Escape::Doubled`], but a quote after a backslash is left as it is.
    Backslash,
    /// A backslash before a delimiter outside quotes (old Mailchimp exports).
    BackslashDelimiter,
}

const ESCAPES: &[(&str, Escape)] = &[
    ("doubled", Escape::Doubled),
    ("backslash", Escape::Backslash),
    ("backslash-delimiter", Escape::BackslashDelimiter),
];

/// A repair of what an exporter did to its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleaner {
    /// Quotes that CFDB7 puts around values starting with `= + - @ ;`.
    InnerQuotes,
    /// The backslash of `\,`.
    BackslashComma,
    /// Delimiters left at the end of a multiple choice (`A;B;`).
    TrailingSemicolon,
}

const CLEANERS: &[(&str, Cleaner)] = &[
    ("inner-quotes", Cleaner::InnerQuotes),
    ("backslash-comma", Cleaner::BackslashComma),
    ("trailing-semicolon", Cleaner::TrailingSemicolon),
];

/// A folded column name, possibly with a `*` at either end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamePattern {
    /// This name.
    Exact(String),
    /// Names that start so.
    Prefix(String),
    /// Names that end so.
    Suffix(String),
    /// Names that hold this.
    Contains(String),
}

impl NamePattern {
    fn read(text: &str) -> Self {
        let key = header_key(text.trim_matches('*'));
        match (text.starts_with('*'), text.ends_with('*')) {
            (false, false) => Self::Exact(key),
            (false, true) => Self::Prefix(key),
            (true, false) => Self::Suffix(key),
            (true, true) => Self::Contains(key),
        }
    }

    /// Returns whether the folded `name` fits.
    pub fn fits(&self, name: &str) -> bool {
        match self {
            Self::Exact(text) => name == text,
            Self::Prefix(text) => name.starts_with(text.as_str()),
            Self::Suffix(text) => name.ends_with(text.as_str()),
            Self::Contains(text) => name.contains(text.as_str()),
        }
    }
}

/// What the columns of some names mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMapping {
    /// Their names.
    pub names: Vec<NamePattern>,
    /// Their meaning.
    pub role: Role,
    /// Vendor prefixes to take off a value (`l:`, `p:`).
    pub strip: Vec<String>,
    /// Values that mean nothing was given (`anonymous`).
    pub nulls: Vec<String>,
}

/// One way to recognize a source; everything that it names must fit.
#[derive(Debug, Clone)]
pub struct Recognition {
    /// Folded headers that must all be there.
    pub headers: Vec<String>,
    /// Folded headers of which at least one must be there.
    pub any_headers: Vec<String>,
    /// Folded header of the first column.
    pub first_header: Option<String>,
    /// Folded headers of which one must be the last.
    pub last_headers: Vec<String>,
    /// What the first cell of the first row must look like.
    pub first_cell: Option<Regex>,
    /// What file names look like; a tie-break, never sufficient.
    pub file_name: Option<String>,
    /// Paths that must all exist in a JSON record.
    pub json_keys: Vec<String>,
    /// Values that a JSON record must have at a path.
    pub json_equals: Vec<Expectation>,
}

/// A path in a JSON record and the values it may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// Dotted path.
    pub path: String,
    /// Values, any of which will do.
    pub values: Vec<String>,
}

/// A list of name-value pairs in a JSON record, turned into columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pivot {
    /// Path of the list.
    pub list: String,
    /// Paths in an item that name the column; the first that exists is shown, all may give the role.
    pub names: Vec<String>,
    /// Paths in an item that hold the value; those that exist are joined.
    pub values: Vec<String>,
    /// Where to look up the question's wording.
    pub labels: Option<Labels>,
    /// The role of every column of the list, when it is one and the same.
    pub role: Option<Role>,
}

/// A list that gives questions their wording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Path of the list.
    pub list: String,
    /// Path of the id in an item of the list.
    pub id: String,
    /// Path of the wording in an item of the list.
    pub label: String,
    /// Path of the id in an item of the pivot.
    pub reference: String,
}

/// Records that report a touch instead of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchRule {
    /// All must hold.
    pub when: Vec<Expectation>,
    /// Kind of the touch.
    pub kind: String,
    /// Paths of its detail; the first that exists counts.
    pub detail: Vec<String>,
}

/// Records that are no submission at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkipRule {
    /// All must hold.
    pub when: Vec<Expectation>,
    /// What people are told.
    pub reason: &'static str,
}

/// How a source's JSON is laid out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonShape {
    /// Lists of name-value pairs.
    pub pivots: Vec<Pivot>,
    /// Paths that hold nothing about the person.
    pub ignore: Vec<String>,
    /// Records that are touches.
    pub touches: Vec<TouchRule>,
    /// Records to leave out.
    pub skips: Vec<SkipRule>,
}

/// One source: how to recognize it and how to read it.
#[derive(Debug, Clone)]
pub struct SourcePreset {
    /// Name used with `--source` and in files.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Why the preset exists, for people.
    pub because: String,
    /// Ways to recognize it; none means it is only a fallback.
    pub recognize: Vec<Recognition>,
    /// Breaks ties between presets that fit equally well; higher wins.
    pub priority: i64,
    /// What its columns mean, first match first.
    pub columns: Vec<ColumnMapping>,
    /// What [`Role::Consent`] numbers stand for.
    pub consents: Vec<ConsentMapping>,
    /// IANA zone of times without an offset; none means the workspace's.
    pub zone: Option<String>,
    /// Formats (chrono's) to try first, in order.
    pub date_formats: Vec<String>,
    /// Which of two small numbers is the day.
    pub date_order: DateOrder,
    /// Whether its rows are contacts a CRM knows, not forms that somebody sent.
    pub is_contact_list: bool,
    /// Channel of its leads when the row does not say.
    pub default_source: Option<String>,
    /// Kind of channel of its leads when the row does not say.
    pub default_medium: Option<String>,
    /// How its writer escapes, when known for certain.
    pub escape: Option<Escape>,
    /// Whether its writer always ends the last row with a line end.
    pub ends_with_newline: bool,
    /// Repairs of its values.
    pub cleaners: Vec<Cleaner>,
    /// Values that mean nothing was given, in any column.
    pub nulls: Vec<String>,
    /// Layout of its JSON.
    pub json: JsonShape,
    /// Where it is written.
    pub place: Place,
}

/// All sources, in order of id.
#[derive(Debug, Clone)]
pub struct SourceCatalog {
    presets: Vec<Arc<SourcePreset>>,
    aliases: Arc<HashMap<String, FieldNo>>,
    known_headers: HashSet<String>,
}

impl SourceCatalog {
    /// Reads the preset files; mistakes go to `sink`.
    pub fn decode(texts: &[&RuleText], fields: &FieldCatalog, sink: &Sink) -> Self {
        let mut presets: Vec<Arc<SourcePreset>> = Vec::new();
        for text in texts {
            decode::document(text, sink, |table| {
                let preset = preset(table, fields);
                if presets.iter().any(|known| known.id == preset.id) {
                    table.error("id", format!("there are two sources `{}`", preset.id), None);
                } else {
                    presets.push(Arc::new(preset));
                }
            });
        }
        presets.sort_by(|a, b| a.id.cmp(&b.id));
        let mut aliases = HashMap::new();
        for (number, spec) in fields.iter() {
            for alias in spec.aliases.iter().chain([&fold_header(&spec.name)]) {
                aliases.entry(alias.clone()).or_insert(number);
            }
        }
        let mut known_headers: HashSet<String> = aliases.keys().cloned().collect();
        for name in
            presets.iter().flat_map(|preset| &preset.columns).flat_map(|column| &column.names)
        {
            if let NamePattern::Exact(name) = name {
                known_headers.insert(name.clone());
            }
        }
        Self { presets, aliases: Arc::new(aliases), known_headers }
    }

    /// Returns whether any preset or field knows a column by this folded name: what tells the header of
    /// a table from the lines above it.
    pub fn knows_header(&self, key: &str) -> bool {
        self.known_headers.contains(key)
    }

    /// Returns the preset called `id`.
    pub fn get(&self, id: &str) -> Option<&Arc<SourcePreset>> {
        self.presets.iter().find(|preset| preset.id == id)
    }

    /// Iterates in order of id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<SourcePreset>> {
        self.presets.iter()
    }

    /// Returns the fields by their folded aliases and names.
    pub fn aliases(&self) -> &Arc<HashMap<String, FieldNo>> {
        &self.aliases
    }
}

/// Returns what two spellings of a header have in common; a header of signs alone stays itself.
pub fn header_key(header: &str) -> String {
    let folded = fold_header(header);
    if folded.is_empty() {
        header.trim_matches(|c: char| c == '\u{feff}' || c.is_whitespace()).to_owned()
    } else {
        folded
    }
}

fn preset(table: &Table<'_>, fields: &FieldCatalog) -> SourcePreset {
    let (names, consents) = consents(table);
    let preset = SourcePreset {
        id: table.string("id"),
        name: table.string("name"),
        because: table.string("because"),
        recognize: table.tables("recognize", recognition),
        priority: table.opt_integer("priority").unwrap_or(0),
        columns: table
            .tables("column", |column| column_mapping(column, fields, &names))
            .into_iter()
            .flatten()
            .collect(),
        consents,
        zone: zone(table),
        date_formats: date_formats(table),
        date_order: table.opt_choice("date-order", DATE_ORDERS).unwrap_or(DateOrder::Unknown),
        is_contact_list: table.bool_or("contact-list", false),
        default_source: table.opt_string("source"),
        default_medium: table.opt_string("medium"),
        escape: table.opt_choice("escape", ESCAPES),
        ends_with_newline: table.bool_or("ends-with-newline", false),
        cleaners: table.choices("clean", CLEANERS),
        nulls: table.strings("nulls"),
        json: table.table("json", json_shape).unwrap_or_default(),
        place: table.place().clone(),
    };
    if preset.recognize.is_empty() && preset.id != GENERIC_CSV && preset.id != GENERIC_JSON {
        table.missing("recognize");
    }
    preset
}

fn consents(table: &Table<'_>) -> (Vec<String>, Vec<ConsentMapping>) {
    table
        .tables("consent", |consent| {
            let mapping = ConsentMapping {
                purpose: Purpose::new(&consent.string("purpose")),
                channels: consent.choices("channels", Channel::ALL),
                wording: consent.opt_string("wording"),
                mechanism: consent.opt_string("mechanism").unwrap_or_else(|| "checkbox".into()),
                affirms: consent
                    .opt_choice("affirms", ConsentState::ALL)
                    .unwrap_or(ConsentState::Given),
            };
            consent.opt_string("because");
            if mapping.channels.is_empty() {
                consent.missing("channels");
            }
            (consent.string("id"), mapping)
        })
        .into_iter()
        .unzip()
}

fn recognition(table: &Table<'_>) -> Recognition {
    let keys = |name: &str| table.strings(name).iter().map(|text| header_key(text)).collect();
    let recognition = Recognition {
        headers: keys("headers"),
        any_headers: keys("any-headers"),
        first_header: table.opt_string("first-header").map(|text| header_key(&text)),
        last_headers: keys("last-headers"),
        first_cell: regex(table, "first-cell"),
        file_name: table.opt_string("file-name"),
        json_keys: table.strings("json-keys"),
        json_equals: table.table("json-equals", expectations).unwrap_or_default(),
    };
    let says_nothing = recognition.headers.is_empty()
        && recognition.any_headers.is_empty()
        && recognition.first_cell.is_none()
        && recognition.json_keys.is_empty()
        && recognition.json_equals.is_empty();
    if says_nothing {
        table.sink().error(
            table.place(),
            "nothing in here recognizes a file by its content",
            Some("give headers, any-headers, first-cell, json-keys or json-equals".to_owned()),
        );
    }
    recognition
}

fn regex(table: &Table<'_>, key: &str) -> Option<Regex> {
    let pattern = table.opt_string(key)?;
    match Regex::new(&pattern) {
        Ok(regex) => Some(regex),
        Err(error) => {
            let text = error.to_string();
            let cause = text.lines().last().unwrap_or_default().trim();
            table.error(key, format!("`{pattern}` is not a regular expression: {cause}"), None);
            None
        }
    }
}

fn expectations(table: &Table<'_>) -> Vec<Expectation> {
    table
        .keys()
        .into_iter()
        .map(|path| Expectation { values: table.scalars(&path), path })
        .collect()
}

fn column_mapping(
    table: &Table<'_>,
    fields: &FieldCatalog,
    consents: &[String],
) -> Option<ColumnMapping> {
    let mapping = ColumnMapping {
        names: table.strings("names").iter().map(|name| NamePattern::read(name)).collect(),
        strip: table.strings("strip"),
        nulls: table.strings("nulls"),
        role: Role::Answer,
    };
    table.opt_string("because");
    if mapping.names.is_empty() {
        table.missing("names");
    }
    let field = table.opt_string("field");
    let consent = table.opt_string("consent");
    let role = table.opt_choice("role", ROLES);
    let role = match (field, consent, role) {
        (Some(name), None, None) => {
            fields.expect(&name, &table.place_of("field"), table.sink()).map(Role::Field)
        }
        (None, Some(id), None) => {
            let number = consents.iter().position(|known| *known == id);
            if number.is_none() {
                table.error(
                    "consent",
                    format!("there is no [[consent]] `{id}` in this file"),
                    None,
                );
            }
            number.map(|number| Role::Consent(number as u16))
        }
        (None, None, Some(role)) => Some(role),
        (None, None, None) if table.has("role") => None,
        _ => {
            table.sink().error(
                table.place(),
                "a column needs exactly one of `field`, `role` and `consent`",
                None,
            );
            None
        }
    };
    role.map(|role| ColumnMapping { role, ..mapping })
}

fn zone(table: &Table<'_>) -> Option<String> {
    let zone = table.opt_string("zone")?;
    if zone.parse::<chrono_tz::Tz>().is_err() {
        table.error(
            "zone",
            format!("`{zone}` is not a time zone"),
            Some("write an IANA name such as Europe/Warsaw or UTC".to_owned()),
        );
    }
    Some(zone)
}

fn date_formats(table: &Table<'_>) -> Vec<String> {
    let formats = table.located_strings("date-formats");
    for (format, place) in &formats {
        if StrftimeItems::new(format).any(|item| matches!(item, Item::Error)) {
            table.sink().error(
                place,
                format!("`{format}` is not a date format"),
                Some("write it as in %Y-%m-%d %H:%M:%S".to_owned()),
            );
        }
    }
    formats.into_iter().map(|(format, _)| format).collect()
}

fn json_shape(table: &Table<'_>) -> JsonShape {
    JsonShape {
        pivots: table.tables("pivot", |pivot| Pivot {
            list: pivot.string("list"),
            names: pivot.strings("names"),
            values: pivot.strings("values"),
            labels: pivot.table("labels", |labels| Labels {
                list: labels.string("list"),
                id: labels.string("id"),
                label: labels.string("label"),
                reference: labels.string("reference"),
            }),
            role: pivot.opt_choice("role", ROLES),
        }),
        ignore: table.strings("ignore"),
        touches: table.tables("touch", |touch| TouchRule {
            when: touch.table("when", expectations).unwrap_or_default(),
            kind: touch.string("kind"),
            detail: touch.strings("detail"),
        }),
        skips: table.tables("skip", |skip| SkipRule {
            when: skip.table("when", expectations).unwrap_or_default(),
            reason: skip.choice("reason", SKIP_REASONS, "not a lead"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let sink = Sink::default();
        let file = RuleText { path: "rules/sources/x.toml".into(), text: text.into() };
        SourceCatalog::decode(&[&file], &FieldCatalog::decode(None), &sink);
        let found: Vec<String> = sink.take().into_iter().map(|found| found.message).collect();
        assert_eq!(found, expected);
    }

    const START: &str = "id = \"x\"\nname = \"X\"\nbecause = \"a form\"\n";

    #[test]
    fn a_whole_preset_is_clean() {
        let rest = "zone = \"Europe/Warsaw\"\ndate-formats = [\"%d.%m.%Y\"]\n\
            [[recognize]]\nheaders = [\"a\"]\n\
            [[consent]]\nid = \"m\"\npurpose = \"marketing\"\nchannels = [\"email\"]\n\
            [[column]]\nnames = [\"zgoda*\"]\nconsent = \"m\"\n";
        check(&format!("{START}{rest}"), &[]);
    }

    #[test]
    fn every_mistake_is_named() {
        let rest = "zone = \"Warsaw\"\ndate-formats = [\"%Q\"]\n\
            [[recognize]]\nfile-name = \"x*\"\n\
            [[column]]\nnames = [\"a\"]\nfield = \"emial\"\n\
            [[column]]\nnames = [\"b\"]\nconsent = \"m\"\n\
            [[column]]\nnames = [\"c\"]\n";
        check(
            &format!("{START}{rest}"),
            &[
                "nothing in here recognizes a file by its content",
                "unknown field `emial`",
                "there is no [[consent]] `m` in this file",
                "a column needs exactly one of `field`, `role` and `consent`",
                "`Warsaw` is not a time zone",
                "`%Q` is not a date format",
            ],
        );
    }

    #[test]
    fn names_may_end_in_a_star() {
        let fits = |pattern: &str, name: &str| NamePattern::read(pattern).fits(&header_key(name));
        assert!(fits("Question*", "Question 12"));
        assert!(fits("*(Consent)", "Zgoda (Consent)"));
        assert!(fits("*zgod*", "Wyrażam zgodę"));
        assert!(fits("#", "\u{feff}#"));
        assert!(!fits("name", "first name"));
    }
}
