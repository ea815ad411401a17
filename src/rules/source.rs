//! Source presets (`sources/*.toml`): how an export of each system is recognized, and what its columns mean.
//!
//! A preset is data only. Intake recognizes and reads with it; normalization takes its zone, date formats,
//! consents and default channel from it. Columns that a preset does not name fall back to the generic
//! preset and to the aliases of `fields.toml`.

mod heading;
mod preset_file;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono_tz::Tz;
use regex::Regex;

use super::decode::{self, Sink};
use super::diagnostics::{Place, RuleText};
use super::field::{FieldCatalog, fold_header};
use super::wording::Wordings;
use crate::model::field::FieldNo;
use crate::model::moment::DateOrder;
use crate::model::row::{ConsentMapping, GENERIC_CONSENT, Role};

pub use self::heading::{asked_key, composite, header_key, parted_key, verbatim_key};

/// The preset of tables that no other preset recognizes; its columns serve every other preset, too.
pub const GENERIC_CSV: &str = "generic-csv";
/// Preset of events of any system; what is said about tasks is taken in by it.
pub const GENERIC_EVENTS: &str = "generic-events";
/// The preset of JSON that no other preset recognizes.
pub const GENERIC_JSON: &str = "generic-json";

/// How a source writes a quote or a delimiter that belongs to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// `""` inside quotes (RFC 4180).
    Doubled,
    /// PHP's `fputcsv`: as [`Escape::Doubled`], but a quote after a backslash is left as it is.
    Backslash,
    /// A backslash before a delimiter outside quotes (old Mailchimp exports).
    BackslashDelimiter,
    /// Every cell is a JSON scalar: strings in quotes with JSON's escapes, bare numbers and `null`
    /// (Elementor, scripts that join the output of `JSON.stringify`).
    Json,
}

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

/// A folded column name, possibly with `*` for any text, or the very spelling after a `=`.
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
    /// Names that hold these one behind the other: `czy mozemy*zadzwonic*`.
    Parts {
        /// What stands between the stars, of which there are at least two.
        parts: Vec<String>,
        /// Whether anything may stand before the first.
        is_open_start: bool,
        /// Whether anything may follow the last.
        is_open_end: bool,
    },
}

impl NamePattern {
    fn read(text: &str) -> Self {
        if let Some(verbatim) = text.strip_prefix('=') {
            return Self::Exact(verbatim_key(verbatim));
        }
        let inner = text.trim_matches('*');
        let (open_start, open_end) = (text.starts_with('*'), text.ends_with('*'));
        if inner.contains('*') {
            let all: Vec<&str> = inner.split('*').filter(|part| !part.is_empty()).collect();
            let key = |(at, part): (usize, &&str)| {
                edged(part, at > 0 || open_start, at + 1 < all.len() || open_end)
            };
            let parts = all.iter().enumerate().map(key).collect();
            return Self::Parts { parts, is_open_start: open_start, is_open_end: open_end };
        }
        let key = edged(inner, open_start, open_end);
        match (open_start, open_end) {
            (false, false) => Self::Exact(key),
            (false, true) => Self::Prefix(key),
            (true, false) => Self::Suffix(key),
            (true, true) => Self::Contains(key),
        }
    }

    /// Returns whether the folded `name` fits; a very spelling fits only the same.
    pub fn fits(&self, name: &str) -> bool {
        match self {
            Self::Exact(text) => name == text,
            _ if name.starts_with('=') => false,
            Self::Prefix(text) => name.starts_with(text.as_str()),
            Self::Suffix(text) => name.ends_with(text.as_str()),
            Self::Contains(text) => name.contains(text.as_str()),
            Self::Parts { parts, is_open_start, is_open_end } => {
                let mut rest = name;
                for (at, part) in parts.iter().enumerate() {
                    // The last part is looked for at the end, whatever else it stands in before.
                    if at + 1 == parts.len() && !is_open_end {
                        return rest.ends_with(part.as_str());
                    }
                    match rest.find(part.as_str()) {
                        Some(start) if at > 0 || *is_open_start || start == 0 => {
                            rest = &rest[start + part.len()..];
                        }
                        _ => return false,
                    }
                }
                true
            }
        }
    }
}

/// Returns the key of a part of a name; a sign next to a star is the edge of a word: `* rodo` must not find
/// `srodowisko`.
fn edged(part: &str, is_after_star: bool, is_before_star: bool) -> String {
    let is_sign = |c: char| !c.is_alphanumeric();
    let mut key = header_key(part);
    if is_after_star && part.starts_with(is_sign) {
        key.insert(0, ' ');
    }
    if is_before_star && part.ends_with(is_sign) {
        key.push(' ');
    }
    key
}

/// What the columns of some names mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMapping {
    /// Their names.
    pub names: Vec<NamePattern>,
    /// Most words of a header that a name with a star means: a wording may have the same words in it.
    pub words_max: Option<usize>,
    /// Their meaning.
    pub role: Role,
    /// Vendor prefixes to take off a value (`l:`, `p:`).
    pub strip: Vec<String>,
    /// Values that mean nothing was given (`anonymous`).
    pub nulls: Vec<String>,
    /// Values that mean yes, where there are such: then any other says nothing (`Status`: `unsubscribed`).
    pub yes: Vec<String>,
    /// Zone of its times, where it is not that of the file's other columns (Gravity Forms).
    pub zone: Option<Tz>,
}

impl ColumnMapping {
    /// Returns whether a column with this header is meant.
    pub fn is_named(&self, header: &str) -> bool {
        let keys = [verbatim_key(header), header_key(header)];
        keys.iter().any(|key| self.takes(key) && self.names.iter().any(|name| name.fits(key)))
    }

    /// Returns whether the key of a header is not too long for its names.
    pub fn takes(&self, key: &str) -> bool {
        self.words_max.is_none_or(|max| key.split(' ').count() <= max)
    }
}

/// Pairs of columns, numbered alike, of which one holds a question and the other what was answered
/// (`Question 1`, `Response 1`): what the answer means differs from row to row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionPair {
    /// What headers of questions start with.
    pub questions: String,
    /// What headers of answers start with.
    pub answers: String,
}

impl QuestionPair {
    /// Returns the header of the answer to the question under `header`.
    pub fn answer_to(&self, header: &str) -> Option<String> {
        let number = header.strip_prefix(self.questions.as_str())?.trim();
        number.parse::<u32>().ok().map(|number| format!("{}{number}", self.answers))
    }
}

/// How far the ids of a source reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdScope {
    /// No two submissions have the same id, whatever the form or the site (Meta, Typeform).
    #[default]
    Everywhere,
    /// Every form, sheet or site counts from 1 (Microsoft Forms, most plugins): only together with the
    /// time does an id tell submissions apart.
    Form,
}

/// One way to recognize a source; everything that it names must fit.
#[derive(Debug, Clone)]
pub struct Recognition {
    /// Folded headers that must all be there.
    pub headers: Vec<String>,
    /// Headers of which at least one must be there.
    pub any_headers: Vec<NamePattern>,
    /// Groups of headers; of each there must be one.
    pub one_of: Vec<HeaderGroup>,
    /// Whether a file that fits, and which nothing else recognizes, may as well be something else: it is refused
    /// until somebody names its source.
    pub is_doubtful: bool,
    /// Headers of which none may be there.
    pub without_headers: Vec<NamePattern>,
    /// Folded header of the first column.
    pub first_header: Option<String>,
    /// Folded headers of which one must be the last.
    pub last_headers: Vec<String>,
    /// What the first cell of the first row must look like.
    pub first_cell: Option<Regex>,
    /// What the last cell of the first row must look like.
    pub last_cell: Option<Regex>,
    /// What the first row must hold in columns of these folded names.
    pub cells: Vec<(String, Regex)>,
    /// What file names look like; a tie-break, never sufficient.
    pub file_name: Option<String>,
    /// Paths that must all exist in a JSON record.
    pub json_keys: Vec<String>,
    /// Values that a JSON record must have at a path.
    pub json_equals: Vec<Expectation>,
}

/// Headers of which one must be there, and what the first row must look like under it.
#[derive(Debug, Clone)]
pub struct HeaderGroup {
    /// The headers.
    pub names: Vec<NamePattern>,
    /// What the cell below must look like.
    pub cell: Option<Regex>,
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

/// What a row of events tells by the words in its columns; the first whose words are there counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldTouch {
    /// What the columns that name the event may say; none for anything.
    pub event: Vec<NamePattern>,
    /// What the columns of its state may say, nothing being one of the answers; none for anything.
    pub state: Vec<NamePattern>,
    /// Kind of the touch; none where nothing has been done yet.
    pub kind: Option<String>,
    /// Whether it counts for the time at which it was written down, rather than the time that it is for.
    pub is_dated_when_noted: bool,
}

/// Records that are no submission at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkipRule {
    /// All must hold.
    pub when: Vec<Expectation>,
    /// Whether only records without any address or number are meant.
    pub without_contact: bool,
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
#[expect(clippy::struct_excessive_bools, reason = "each is a flag as the file has it")]
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
    /// Columns that hold a question each, beside those with the answers.
    pub pairs: Vec<QuestionPair>,
    /// What [`Role::Consent`] numbers stand for.
    pub consents: Vec<ConsentMapping>,
    /// IANA zone of times without an offset; none means the workspace's.
    pub zone: Option<String>,
    /// Formats (chrono's) to try first, in order.
    pub date_formats: Vec<String>,
    /// Which of two small numbers is the day.
    pub date_order: DateOrder,
    /// Whether its spreadsheets count days from 1904, as Excel for Mac once did.
    pub counts_from_1904: bool,
    /// How far its submission ids reach.
    pub id_scope: IdScope,
    /// Whether its rows are contacts a CRM knows, not forms that somebody sent.
    pub is_contact_list: bool,
    /// Field that keeps its submission ids; those of a contact list are record ids without it.
    pub id_field: Option<FieldNo>,
    /// Id of the preset of the same system whose submissions have the same ids: one that both tell of is one.
    pub ids_as_in: Option<String>,
    /// Whether its rows are enquiries, which open a cycle and set off what is planned.
    pub tells_enquiries: bool,
    /// Whether its rows tell what people did, instead of who they are.
    pub tells_events: bool,
    /// What its rows of events tell, where words in several columns say it together.
    pub told: Vec<ToldTouch>,
    /// The system whose record ids it has, which other presets have, too; none for one of its own.
    pub system: Option<String>,
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
    pub fn decode(
        texts: &[&RuleText],
        fields: &FieldCatalog,
        wordings: &Wordings,
        sink: &Sink,
    ) -> Self {
        let mut presets: Vec<Arc<SourcePreset>> = Vec::new();
        for text in texts {
            decode::document(text, sink, |table| {
                let preset = preset_file::preset(table, fields, wordings);
                if presets.iter().any(|known| known.id == preset.id) {
                    table.error("id", format!("there are two sources `{}`", preset.id), None);
                } else {
                    presets.push(Arc::new(preset));
                }
            });
        }
        presets.sort_by(|a, b| a.id.cmp(&b.id));
        for preset in &presets {
            let other = preset.ids_as_in.as_ref();
            if let Some(other) = other.filter(|id| !presets.iter().any(|known| known.id == **id)) {
                let message = format!("`ids-as-in` names `{other}`, and there is no such source");
                sink.error(&preset.place, message, None);
            }
        }
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

    /// Returns whether any preset or field knows a column by the name in this cell: what tells the header of
    /// a table from the lines above it.
    pub fn knows_header(&self, text: &str) -> bool {
        let knows = |key: &str| self.known_headers.contains(key);
        knows(&header_key(text)) || parted_key(text).is_some_and(|key| knows(&key))
    }

    /// Returns the system whose record ids the preset `id` has: two presets of one system mean the same person by the
    /// same id.
    pub fn system_of<'a>(&'a self, id: &'a str) -> &'a str {
        self.get(id).and_then(|preset| preset.system.as_deref()).unwrap_or(id)
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

/// Returns the word that a preset uses for `role`; a consent of the preset's own is just a consent.
///
/// # Panics
/// For a role that is a field: presets name the field instead.
pub fn role_word(role: Role) -> &'static str {
    let role = match role {
        Role::Consent(_) => Role::Consent(GENERIC_CONSENT),
        other => other,
    };
    let found = preset_file::ROLES.iter().find(|(_, known)| *known == role);
    found.map_or_else(|| panic!("a field has a name, not a role"), |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let sink = Sink::default();
        let file = RuleText { path: "rules/sources/x.toml".into(), text: text.into() };
        let wording = RuleText {
            path: "rules/wordings/newsletter.txt".into(),
            text: "Chcę dostawać newsletter.\n".into(),
        };
        let wordings = Wordings::decode(&[&wording], &sink);
        SourceCatalog::decode(&[&file], &FieldCatalog::decode(None), &wordings, &sink);
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
    fn a_wording_stands_here_or_in_a_file() {
        let with = |wording: &str, expected: &[&str]| {
            let rest = format!(
                "[[recognize]]\nheaders = [\"a\"]\n\
                [[consent]]\nid = \"m\"\npurpose = \"marketing\"\nchannels = [\"email\"]\n{wording}\n\
                [[column]]\nnames = [\"zgoda*\"]\nconsent = \"m\"\n"
            );
            check(&format!("{START}{rest}"), expected);
        };
        with("wording-file = \"newsletter\"", &[]);
        with("wording-file = \"newsleter\"", &["there is no wordings/newsleter.txt"]);
        with(
            "wording = \"Tak\"\nwording-file = \"newsletter\"",
            &["the words stand in `wording` already"],
        );
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
    fn a_told_touch_has_a_kind_or_is_left_out() {
        let rest = "[[recognize]]\nheaders = [\"a\"]\n\
            [[touch]]\nevent = [\"call\"]\nkind = \"cal\"\n\
            [[touch]]\nevent = [\"call\"]\n\
            [[touch]]\nevent = [\"call\"]\nskip = true\nkind = \"call\"\n";
        check(
            &format!("{START}{rest}"),
            &[
                "there is no kind of touch `cal`",
                "`kind` is missing",
                "a row that is left out has no kind",
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
        assert!(fits("* rodo *", "zgoda (RODO) klienta") && !fits("* rodo *", "środowisko pracy"));
        assert_eq!(NamePattern::read("=website_url"), NamePattern::Exact("=website_url".into()));
    }

    #[test]
    fn stars_stand_for_any_text() {
        let fits = |pattern: &str, name: &str| NamePattern::read(pattern).fits(name);
        assert!(fits("czy mozemy*zadzwonic*", "czy mozemy do ciebie zadzwonic"));
        assert!(!fits("czy mozemy*zadzwonic*", "kiedy czy mozemy zadzwonic"));
        assert!(!fits("czy mozemy*zadzwonic*", "zadzwonic czy mozemy"));
        assert!(fits("*zgod* data", "moja zgoda na marketing data"));
        assert!(fits("*zgod* data", "zgoda data data"));
        assert!(!fits("*zgod* data", "zgoda dane"));
        assert!(!fits("*zgod* data", "zgodadata"));
        // The very spelling of a header is never found by a part of it.
        assert!(!fits("*zgod*", "=Data zgody"));
        assert!(fits("=Data zgody", "=Data zgody"));
    }
}
