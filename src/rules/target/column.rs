//! One column of a target: where its value comes from, how it is spelled, and what the target takes.

use std::collections::BTreeMap;

use chrono::format::{Item, StrftimeItems};

use super::derived::Derived;
use crate::model::consent::{Channel, Purpose};
use crate::model::field::FieldNo;
use crate::rules::decode::{FIELDS, Sink, Table};
use crate::rules::diagnostics::{Place, did_you_mean};
use crate::rules::field::FieldCatalog;

/// What a consent that a column shows begins with: `consent-partner-share-email`.
const CONSENT: &str = "consent-";

/// Where a column's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnValue {
    /// A field of the lead.
    Field(FieldNo),
    /// A derived value.
    Derived(Derived),
    /// Whether the gate lets the lead be contacted for this, `true` or `false`.
    Consent(Purpose, Channel),
}

/// What happens to a text longer than the target takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooLong {
    /// The row is refused: half an address is a wrong address.
    Refuse,
    /// The text is cut.
    Cut,
}

/// What a cell must be for the target to take it; an empty cell is always of the right form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An address of letters that every mail server knows; most CRMs refuse any other.
    Email,
    /// A number in E.164: a plus and 7 to 15 digits.
    Phone,
    /// A plain decimal number.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A day, `2026-11-29`.
    Date,
    /// An instant with its offset, `2026-11-29T12:00:00+01:00`.
    Timestamp,
    /// A SHA-256 in lower-case hexadecimal.
    Sha256,
    /// A country as two letters.
    Country,
    /// A currency as three capital letters.
    Currency,
    /// A UUID.
    Uuid,
    /// An id of Salesforce: 15 characters, or 18 of which the last three follow from the others.
    SalesforceId,
    /// Anything without an `@`.
    NoAt,
    /// The lead's owner, as the CRM knows them: empty only while nobody has the lead.
    Owner,
}

impl Form {
    /// Every form with its word, in order.
    pub const ALL: &[(&str, Form)] = &[
        ("email", Self::Email),
        ("phone", Self::Phone),
        ("number", Self::Number),
        ("integer", Self::Integer),
        ("boolean", Self::Boolean),
        ("date", Self::Date),
        ("timestamp", Self::Timestamp),
        ("sha256", Self::Sha256),
        ("country", Self::Country),
        ("currency", Self::Currency),
        ("uuid", Self::Uuid),
        ("salesforce-id", Self::SalesforceId),
        ("no-at", Self::NoAt),
        ("owner", Self::Owner),
    ];

    /// Returns the word used in rules.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// How a value is rewritten before it is written down; each network asks for its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewrite {
    /// Lower case, and without dots before the `@` of Gmail.
    GoogleEmail,
    /// Lower case; dots stay, also at Gmail.
    MetaEmail,
    /// Digits alone, without the plus and leading noughts.
    Digits,
    /// Lower case without blanks around it.
    Lower,
    /// Lower case, letters and figures alone: names and towns as Meta takes them.
    Bare,
    /// A UUID that always comes out the same for the same value.
    Uuid,
}

impl Rewrite {
    /// Every way with its word, in order.
    pub const ALL: &[(&str, Rewrite)] = &[
        ("google-email", Self::GoogleEmail),
        ("meta-email", Self::MetaEmail),
        ("digits", Self::Digits),
        ("lower", Self::Lower),
        ("bare", Self::Bare),
        ("uuid", Self::Uuid),
    ];

    /// Returns the word used in rules.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// A part of `scoring.toml` that not everybody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoringPart {
    /// Grades.
    Matrix,
    /// More than one score.
    Models,
}

/// One column of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Header, exactly as the target expects it.
    pub header: String,
    /// The first of these that has a value is shown.
    pub from: Vec<ColumnValue>,
    /// Nothing is shown where any of these has a value.
    pub unless: Vec<ColumnValue>,
    /// Stands between the values, all of which are shown then.
    pub join: Option<String>,
    /// Shown in every row, instead of a value.
    pub constant: Option<String>,
    /// The target's word for each of ours.
    pub map: BTreeMap<String, String>,
    /// Stands for a value that `map` does not name; without it the value passes unchanged.
    pub map_others_to: Option<String>,
    /// Stands for no value.
    pub default: Option<String>,
    /// How instants are written (strftime); without it ISO 8601 with the offset.
    pub format: Option<String>,
    /// How the value is rewritten.
    pub rewrite: Option<Rewrite>,
    /// Whether its SHA-256 is written instead of it.
    pub is_hashed: bool,
    /// Stands before the value where there is one.
    pub prefix: String,
    /// What the target takes.
    pub form: Option<Form>,
    /// The words that the target takes; any without them.
    pub one_of: Vec<String>,
    /// Most characters that the target takes.
    pub max_length: Option<usize>,
    /// What happens to more.
    pub too_long: TooLong,
    /// What the scoring rules must have, or the column is left out.
    pub only_with: Option<ScoringPart>,
    /// What whoever reads the documentation should know.
    pub note: Option<String>,
}

impl Column {
    pub(super) fn decode(table: &Table<'_>, fields: &FieldCatalog) -> Self {
        let (from, unless) = (values(table, "from", fields), values(table, "unless", fields));
        let constant = table.opt_string("const");
        if table.has("from") == table.has("const") {
            table.error(
                "header",
                "a column needs either `from` or `const`",
                Some("`from` names a field, `const` is shown in every row".to_owned()),
            );
        }
        let format = table.opt_string("format");
        check_format(table, format.as_deref(), &from);
        let map = table.table("map", |map| {
            map.keys().into_iter().map(|key| (key.clone(), map.string(&key))).collect()
        });
        let max_length = table.opt_integer("max-length");
        if max_length.is_some_and(|length| length < 1) {
            table.error("max-length", "`max-length` must be at least 1", None);
        }
        let column = Self {
            header: table.string("header"),
            from,
            unless,
            join: table.opt_string("join"),
            constant,
            map: map.unwrap_or_default(),
            map_others_to: table.opt_string("map-others-to"),
            default: table.opt_string("default"),
            format,
            rewrite: table.opt_choice("rewrite", Rewrite::ALL),
            is_hashed: table.opt_choice("hash", &[("sha256", ())]).is_some(),
            prefix: table.opt_string("prefix").unwrap_or_default(),
            form: table.opt_choice("form", Form::ALL),
            one_of: table.strings("one-of"),
            max_length: max_length.and_then(|length| usize::try_from(length).ok()),
            too_long: table
                .opt_choice("too-long", &[("refuse", TooLong::Refuse), ("cut", TooLong::Cut)])
                .unwrap_or(TooLong::Refuse),
            only_with: table.opt_choice(
                "only-with",
                &[("matrix", ScoringPart::Matrix), ("models", ScoringPart::Models)],
            ),
            note: table.opt_string("note"),
        };
        column.check_words(table);
        column
    }

    /// Returns whether every row shows the same whatever the run.
    pub fn is_of_run(&self) -> bool {
        self.from
            .iter()
            .any(|value| matches!(value, ColumnValue::Derived(derived) if derived.is_of_run()))
    }

    /// What the column itself writes must be among the words that it says the target takes.
    fn check_words(&self, table: &Table<'_>) {
        if self.one_of.is_empty() {
            return;
        }
        let words = self.map.values().chain(&self.map_others_to).chain(&self.default);
        for word in words.chain(&self.constant).filter(|word| !word.is_empty()) {
            if !self.one_of.contains(word) {
                let hint = did_you_mean(word, self.one_of.iter().map(String::as_str)).map_or_else(
                    || "add it to `one-of`, or write a word that is there".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                let message = format!("the target does not take `{word}`");
                table.error("one-of", message, Some(hint));
            }
        }
    }
}

/// Returns what the words at `key` name.
pub(super) fn values(table: &Table<'_>, key: &str, fields: &FieldCatalog) -> Vec<ColumnValue> {
    let words = table.located_strings(key);
    let value = |(word, place): &(String, Place)| column_value(word, place, fields, table.sink());
    words.iter().filter_map(value).collect()
}

/// Returns what `word` names: a field, a derived value or a consent.
fn column_value(
    word: &str,
    place: &Place,
    fields: &FieldCatalog,
    sink: &Sink,
) -> Option<ColumnValue> {
    if let Some((_, derived)) = Derived::ALL.iter().find(|(known, _)| *known == word) {
        return Some(ColumnValue::Derived(*derived));
    }
    if let Some(number) = fields.number(word) {
        return Some(ColumnValue::Field(number));
    }
    let consent = word.strip_prefix(CONSENT).and_then(|rest| {
        let of = |(word, channel): &(&str, Channel)| {
            let purpose = rest.strip_suffix(word)?.strip_suffix('-')?;
            Some(ColumnValue::Consent(Purpose::new(purpose), *channel))
        };
        Channel::ALL.iter().find_map(of)
    });
    if consent.is_some() {
        return consent;
    }
    let known = fields.iter().map(|(_, spec)| spec.name.as_str());
    let hint = did_you_mean(word, known.chain(Derived::ALL.iter().map(|(known, _)| *known)))
        .map_or_else(
            || "fields stand in fields.toml".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
    sink.lacks(FIELDS, place, format!("unknown field `{word}`"), Some(hint));
    None
}

impl ColumnValue {
    /// Returns the word used in rules.
    pub fn word(&self, fields: &FieldCatalog) -> String {
        match self {
            Self::Field(number) => fields.spec(*number).name.clone(),
            Self::Derived(derived) => derived.word().to_owned(),
            Self::Consent(purpose, channel) => format!("{CONSENT}{purpose}-{}", channel.word()),
        }
    }
}

fn check_format(table: &Table<'_>, format: Option<&str>, from: &[ColumnValue]) {
    let Some(format) = format else { return };
    let instants =
        |value: &ColumnValue| matches!(value, ColumnValue::Derived(known) if known.is_instant());
    if !from.is_empty() && !from.iter().any(instants) {
        let hint =
            "only first-submitted-at, last-submitted-at, task-due and conversion-time have one";
        table.error("format", "`format` is for instants", Some(hint.to_owned()));
    }
    if StrftimeItems::new(format).any(|item| item == Item::Error) {
        let hint = "for example `%Y-%m-%d` or `%d.%m.%Y %H:%M`".to_owned();
        table.error("format", format!("`{format}` is not a date format"), Some(hint));
    }
}
