//! The catalog of fields: their names, kinds, survivorship and header aliases (`fields.toml`).

use rustc_hash::FxHashMap;

use super::decode::{FIELDS, Sink, Table};
use super::diagnostics::{Place, did_you_mean};
use super::survivorship::{CRITERIA, Criterion};
use crate::model::field::{self, FieldNo};

/// What kind of value a field holds, and so how it is normalized and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Free text: trimmed, white space collapsed.
    Text,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// Part of a person's name.
    Name,
    /// A company name.
    Company,
    /// A country.
    Country,
    /// A URL.
    Url,
    /// A number, possibly with unit or separators.
    Number,
    /// Yes or no.
    Boolean,
    /// An identifier: never a number, however many digits it has.
    Identifier,
}

/// The kinds by their word in `fields.toml`.
pub const KINDS: &[(&str, FieldKind)] = &[
    ("text", FieldKind::Text),
    ("email", FieldKind::Email),
    ("phone", FieldKind::Phone),
    ("name", FieldKind::Name),
    ("company", FieldKind::Company),
    ("country", FieldKind::Country),
    ("url", FieldKind::Url),
    ("number", FieldKind::Number),
    ("boolean", FieldKind::Boolean),
    ("identifier", FieldKind::Identifier),
];

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSpec {
    /// Name used in rules and files.
    pub name: String,
    /// Kind of value.
    pub kind: FieldKind,
    /// Which submission wins, unless identity.toml says more.
    pub survivorship: Criterion,
    /// Folded headers that mean this field in any source (English, Polish, German).
    pub aliases: Vec<String>,
    /// What it is, for people; may be empty.
    pub because: String,
}

/// All fields: the core ones, then those of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldCatalog {
    specs: Vec<FieldSpec>,
    by_name: FxHashMap<String, FieldNo>,
}

impl FieldCatalog {
    /// Reads `[[field]]` tables; core fields that the file leaves out keep their defaults.
    pub fn decode(root: Option<&Table<'_>>) -> Self {
        let mut catalog = Self::core();
        let Some(root) = root else { return catalog };
        root.tables("field", |table| {
            let name = table.string("id");
            let kind = table.opt_choice("kind", KINDS);
            let survivorship = table.opt_choice("survivorship", CRITERIA);
            if survivorship == Some(Criterion::SourcePriority) {
                let hint = "say it in identity.toml, in a [[survivorship]] with `sources`";
                let message = "`source-priority` needs a list of sources";
                table.error("survivorship", message, Some(hint.to_owned()));
            }
            let aliases = table.strings("aliases").iter().map(|alias| fold_header(alias)).collect();
            let because = table.opt_string("because");
            if name.is_empty() {
                return;
            }
            let number = catalog.by_name.get(&name).copied().unwrap_or_else(|| {
                let number = FieldNo(catalog.specs.len() as u16);
                catalog.by_name.insert(name.clone(), number);
                catalog.specs.push(FieldSpec {
                    name: name.clone(),
                    kind: FieldKind::Text,
                    survivorship: Criterion::MostRecent,
                    aliases: Vec::new(),
                    because: String::new(),
                });
                number
            });
            let spec = &mut catalog.specs[number.0 as usize];
            spec.kind = kind.unwrap_or(spec.kind);
            spec.survivorship = survivorship.unwrap_or(spec.survivorship);
            spec.aliases = aliases;
            spec.because = because.unwrap_or_default();
        });
        catalog
    }

    /// Returns the number of the field called `name`.
    pub fn number(&self, name: &str) -> Option<FieldNo> {
        self.by_name.get(name).copied()
    }

    /// Returns the field called `name`, reporting an unknown one at `place` with a suggestion.
    pub fn expect(&self, name: &str, place: &Place, sink: &Sink) -> Option<FieldNo> {
        let found = self.number(name);
        if found.is_none() {
            let hint = did_you_mean(name, self.specs.iter().map(|spec| spec.name.as_str()))
                .map(|near| format!("did you mean `{near}`?"));
            sink.lacks(FIELDS, place, format!("unknown field `{name}`"), hint);
        }
        found
    }

    /// Returns the field's description.
    pub fn spec(&self, number: FieldNo) -> &FieldSpec {
        &self.specs[number.0 as usize]
    }

    /// Returns the field's name.
    pub fn name(&self, number: FieldNo) -> &str {
        &self.spec(number).name
    }

    /// Iterates in order of number.
    pub fn iter(&self) -> impl Iterator<Item = (FieldNo, &FieldSpec)> {
        self.specs.iter().enumerate().map(|(number, spec)| (FieldNo(number as u16), spec))
    }

    fn core() -> Self {
        let specs: Vec<FieldSpec> = field::CORE
            .iter()
            .map(|name| FieldSpec {
                name: (*name).to_owned(),
                kind: FieldKind::Text,
                survivorship: Criterion::MostRecent,
                aliases: Vec::new(),
                because: String::new(),
            })
            .collect();
        let by_name = specs
            .iter()
            .enumerate()
            .map(|(number, spec)| (spec.name.clone(), FieldNo(number as u16)))
            .collect();
        Self { specs, by_name }
    }
}

/// Folds a header for comparison: lower case, no diacritics, every run of anything that is neither
/// letter nor digit becomes one space (`"Adres e-mail "` and `adres_e_mail` meet).
pub fn fold_header(header: &str) -> String {
    // Most headers and values are ASCII, and this runs for many cells of every row.
    let ascii = if header.is_ascii() {
        std::borrow::Cow::Borrowed(header)
    } else {
        // Letter by letter, because `deunicode` drops the line ends that part words.
        let mut ascii = String::with_capacity(header.len());
        for c in header.chars() {
            if c.is_ascii() {
                ascii.push(c);
            } else {
                ascii.push_str(deunicode::deunicode_char(c).unwrap_or("?"));
            }
        }
        std::borrow::Cow::Owned(ascii)
    };
    let mut folded = String::with_capacity(ascii.len());
    let mut at_word_end = false;
    for byte in ascii.bytes() {
        if byte.is_ascii_alphanumeric() {
            if at_word_end {
                folded.push(' ');
                at_word_end = false;
            }
            folded.push(char::from(byte.to_ascii_lowercase()));
        } else {
            at_word_end = !folded.is_empty();
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_meet_whatever_their_spelling() {
        assert_eq!(fold_header("\u{feff}Adres e-mail\u{a0}"), "adres e mail");
        assert_eq!(fold_header("adres_e_mail"), "adres e mail");
        assert_eq!(fold_header("Imię i Nazwisko:"), "imie i nazwisko");
        assert_eq!(fold_header("Imię\ni\tNazwisko"), "imie i nazwisko");
    }
}
