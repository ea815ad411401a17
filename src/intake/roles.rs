//! Decides which preset an input belongs to and what each of its columns means.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use regex::Regex;

use super::clean::clean;
use super::contacts::by_their_values;
use super::locate::glob_fits;
use super::outline::{marked_phone, marked_postcode};
use super::parts::part_of;
use crate::model::blank::is_blank;
use crate::model::field::{COMPANY, EMAIL, FieldNo, PHONE, POSTCODE};
use crate::model::row::{Cell, GENERIC_CONSENT, Role};
use crate::normalization::{agrees_to_contact, asks_elsewhere};
use crate::rules::source::{
    ColumnMapping, GENERIC_CSV, HeaderGroup, NamePattern, Recognition, SourceCatalog, SourcePreset,
    asked_key, header_key, parted_key, verbatim_key,
};

/// One column of an input.
#[derive(Debug, Clone)]
pub struct Column {
    /// Header as people see it; a dotted path for JSON.
    pub name: Arc<str>,
    /// What it means.
    pub role: Role,
    pub(super) strip: Vec<String>,
    pub(super) nulls: Vec<String>,
    yes: Vec<String>,
    /// What gave it its meaning.
    pub origin: RoleOrigin,
}

impl Column {
    /// Returns the cell that the value `received` makes in this column; none when it says nothing.
    #[inline]
    pub(super) fn cell(&self, received: String, preset: &SourcePreset) -> Option<Cell> {
        let text = match self.said(clean(&received, preset, &self.strip, &self.nulls)) {
            // Most values stay as they were and need not be copied.
            Cow::Borrowed(text) if text == received => None,
            other => Some(other.into_owned()),
        };
        let text = text.unwrap_or(received);
        if let Some((role, value)) = self.marked(&text) {
            let text = value.to_owned();
            return Some(Cell { column: self.name.clone(), role, text });
        }
        let role = if self.is_meant(&text) { self.role } else { Role::Answer };
        (!is_blank(&text)).then(|| Cell { column: self.name.clone(), role, text })
    }

    /// Returns what Meta itself says of `text` by the mark before it, and the text without. It outweighs what a
    /// question seems to ask for, but not what is known of a column: a fax stays one.
    #[inline]
    fn marked<'t>(&self, text: &'t str) -> Option<(Role, &'t str)> {
        if !matches!(text.trim_start().as_bytes(), [b'p' | b'z', b':', ..]) {
            return None;
        }
        let is_settled = matches!(self.origin, RoleOrigin::Preset | RoleOrigin::Generic(_));
        let may_be_contact = match self.role {
            Role::Answer => !is_settled,
            Role::Field(_) | Role::FullName | Role::Consent(_) => true,
            _ => false,
        };
        let phone = || marked_phone(text).map(|number| (Role::Field(PHONE), number));
        let postcode = || marked_postcode(text).map(|code| (Role::Field(POSTCODE), code));
        if may_be_contact { phone().or_else(postcode) } else { None }
    }

    /// Returns whether nobody knows whose column it is: a `Status` may be one of anything.
    fn is_anybodys(&self) -> bool {
        self.role == Role::Consent(GENERIC_CONSENT)
    }

    /// Returns whether `text` is one that gives the column its meaning; in one of no known source any other is an answer.
    #[inline]
    fn is_meant(&self, text: &str) -> bool {
        self.yes.is_empty()
            || !self.is_anybodys()
            || self.yes.iter().any(|yes| yes.eq_ignore_ascii_case(text.trim()))
    }

    /// Returns what `text` says in this column: a vendor's word for yes becomes `yes`, where the preset lists
    /// such words, and every other nothing.
    #[inline]
    fn said<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        if self.yes.is_empty() || self.is_anybodys() {
            return text;
        }
        let is_yes = self.yes.iter().any(|yes| yes.eq_ignore_ascii_case(text.trim()));
        Cow::Borrowed(if is_yes { "yes" } else { "" })
    }
}

/// What gives a column its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleOrigin {
    /// leadmill wrote the column itself, beside a row that it gave back to be mended.
    Own,
    /// The source's preset.
    Preset,
    /// An alias of a field.
    Alias,
    /// The generic preset; a lower number is a better name for the role.
    Generic(usize),
    /// What is in it: addresses or phone numbers under a name that nobody knows.
    Values,
    /// Nothing any more: another column fits its role better.
    Spare,
    /// Nothing.
    Nothing,
}

/// The rank of a header that no pattern knows, and that agrees in so many words.
const LAST_RANK: usize = usize::MAX;

/// What the names of columns start with that leadmill puts beside rows to be mended.
const OWN_PREFIX: &str = "leadmill ";

/// Returns whether leadmill wrote the column itself, to say what was wrong with the row.
pub(super) fn is_own(header: &str) -> bool {
    header_key(header).starts_with(OWN_PREFIX)
}

/// What a file shows of itself to be recognized by.
pub(super) trait Traits {
    /// Returns how many of the recognition's marks fit, or nothing when one does not.
    fn fit(&self, recognition: &Recognition) -> Option<usize>;
}

/// The marks of a table.
pub(super) struct TableTraits {
    pub(super) keys: Vec<String>,
    /// Cells of the first rows below the header.
    pub(super) rows: Vec<Vec<String>>,
}

impl TableTraits {
    /// Returns the trimmed cell of the first row in column `at`.
    fn cell(&self, at: usize) -> &str {
        self.rows.first().and_then(|row| row.get(at)).map_or("", |cell| cell.trim())
    }
}

impl Traits for TableTraits {
    fn fit(&self, recognition: &Recognition) -> Option<usize> {
        let has = |key: &String| self.keys.contains(key);
        let has_one = |name: &NamePattern| self.keys.iter().any(|key| name.fits(key));
        let speaks_of_tables = !recognition.headers.is_empty()
            || !recognition.any_headers.is_empty()
            || !recognition.one_of.is_empty()
            || recognition.first_cell.is_some()
            || recognition.last_cell.is_some()
            || !recognition.cells.is_empty();
        let cell_fits = |group: &HeaderGroup, at: usize| {
            let Some(regex) = &group.cell else { return true };
            let mut cells = self.rows.iter().filter_map(|row| row.get(at));
            cells.any(|cell| regex.is_match(cell.trim()))
        };
        let has_group = |group: &HeaderGroup| {
            let is_meant = |key: &String| group.names.iter().any(|name| name.fits(key));
            let mut keys = self.keys.iter().enumerate();
            keys.any(|(at, key)| is_meant(key) && cell_fits(group, at))
        };
        let last_at = self.keys.iter().rposition(|key| !key.is_empty());
        let last = last_at.map(|at| &self.keys[at]);
        let holds = |(name, regex): &(String, Regex)| {
            let at = self.keys.iter().position(|key| key == name);
            at.is_some_and(|at| regex.is_match(self.cell(at)))
        };
        let fits = speaks_of_tables
            && recognition.headers.iter().all(has)
            && (recognition.any_headers.is_empty() || recognition.any_headers.iter().any(has_one))
            && recognition.one_of.iter().all(has_group)
            && !recognition.without_headers.iter().any(has_one)
            && recognition.first_header.as_ref().is_none_or(|key| self.keys.first() == Some(key))
            && (recognition.last_headers.is_empty()
                || last.is_some_and(|key| recognition.last_headers.contains(key)))
            && recognition.first_cell.as_ref().is_none_or(|regex| regex.is_match(self.cell(0)))
            && recognition
                .last_cell
                .as_ref()
                .is_none_or(|regex| last_at.is_some_and(|at| regex.is_match(self.cell(at))))
            && recognition.cells.iter().all(holds);
        let marks = recognition.headers.len()
            + usize::from(!recognition.any_headers.is_empty())
            + recognition.one_of.len()
            + usize::from(recognition.first_header.is_some())
            + usize::from(!recognition.last_headers.is_empty())
            + usize::from(recognition.first_cell.is_some())
            + usize::from(recognition.last_cell.is_some())
            + recognition.cells.len();
        fits.then_some(marks)
    }
}

/// Returns the preset that fits best: most marks, then priority, then the file's name.
pub(super) fn recognize(
    sources: &SourceCatalog,
    traits: &impl Traits,
    file_name: &str,
) -> Option<Arc<SourcePreset>> {
    let file_name = file_name.rsplit('/').next().unwrap_or(file_name);
    let mut best = None;
    for preset in sources.iter() {
        for recognition in preset.recognize.iter().filter(|one| !one.is_doubtful) {
            let Some(marks) = traits.fit(recognition) else { continue };
            let named =
                recognition.file_name.as_ref().is_some_and(|glob| glob_fits(glob, file_name));
            let rank = (preset.priority, marks, named);
            if best.as_ref().is_none_or(|&(known, _)| rank > known) {
                best = Some((rank, preset));
            }
        }
    }
    best.map(|(_, preset): (_, &Arc<SourcePreset>)| preset.clone())
}

/// Returns the preset of which a file without any preset of its own may be: it has its marks, and no column but those
/// that the preset and the fields of a contact know.
pub(super) fn doubt(
    sources: &SourceCatalog,
    traits: &impl Traits,
    header: &[String],
) -> Option<Arc<SourcePreset>> {
    let fits = |preset: &&Arc<SourcePreset>| {
        let mut doubtful = preset.recognize.iter().filter(|one| one.is_doubtful);
        doubtful.any(|recognition| traits.fit(recognition).is_some())
    };
    let preset = sources.iter().find(fits)?;
    let resolver = Resolver::new(sources, preset.clone());
    let knows = |name: &String| {
        let column = resolver.column(&Arc::from(name.as_str()), &keys_of(name));
        let is_contact = [Role::Field(EMAIL), Role::Field(PHONE)].contains(&column.role);
        column.origin == RoleOrigin::Preset || is_contact
    };
    header.iter().all(knows).then(|| preset.clone())
}

/// Finds the meaning of names: by the preset, then by field aliases, then by the generic preset.
#[derive(Debug, Clone)]
pub(super) struct Resolver {
    pub(super) preset: Arc<SourcePreset>,
    generic: Option<Arc<SourcePreset>>,
    aliases: Arc<HashMap<String, FieldNo>>,
}

impl Resolver {
    pub(super) fn new(sources: &SourceCatalog, preset: Arc<SourcePreset>) -> Self {
        let generic = sources.get(GENERIC_CSV).cloned();
        Self { preset, generic, aliases: sources.aliases().clone() }
    }

    /// Returns the column shown as `name` and known by the folded `keys`, the most telling first.
    pub(super) fn column(&self, name: &Arc<str>, keys: &[String]) -> Column {
        let column = |mapping: &ColumnMapping, origin| Column {
            name: name.clone(),
            role: mapping.role,
            strip: mapping.strip.clone(),
            nulls: mapping.nulls.clone(),
            yes: mapping.yes.clone(),
            origin,
        };
        let plain = |role, origin| Column {
            name: name.clone(),
            role,
            strip: Vec::new(),
            nulls: Vec::new(),
            yes: Vec::new(),
            origin,
        };
        if keys.iter().any(|key| key.starts_with(OWN_PREFIX)) {
            return plain(Role::Volatile, RoleOrigin::Own);
        }
        // `Czy masz zgodę wspólnoty?` speaks of a consent, and asks for none.
        let is_misnamed = |mapping: &ColumnMapping| {
            mapping.role == Role::Consent(GENERIC_CONSENT) && asks_elsewhere(name)
        };
        if let Some((mapping, _)) = find(&self.preset.columns, keys, |_| true) {
            if is_misnamed(mapping) {
                return plain(Role::Answer, RoleOrigin::Nothing);
            }
            return column(mapping, RoleOrigin::Preset);
        }
        let generic = self.generic.as_ref().map_or(&[][..], |preset| &preset.columns[..]);
        for key in keys {
            if let Some(&field) = self.aliases.get(key) {
                return plain(Role::Field(field), RoleOrigin::Alias);
            }
            let is_exact = |pattern: &NamePattern| matches!(pattern, NamePattern::Exact(_));
            let found = find(generic, std::slice::from_ref(key), is_exact)
                .or_else(|| find(generic, std::slice::from_ref(key), |pattern| !is_exact(pattern)));
            if let Some((mapping, rank)) = found {
                if is_misnamed(mapping) {
                    return plain(Role::Answer, RoleOrigin::Nothing);
                }
                return column(mapping, RoleOrigin::Generic(rank));
            }
        }
        if agrees_to_contact(name) && !asks_elsewhere(name) {
            return plain(Role::Consent(GENERIC_CONSENT), RoleOrigin::Generic(LAST_RANK));
        }
        let part = || part_of(name).map(|field| (Role::Field(field), RoleOrigin::Alias));
        self.asked_for(keys).or_else(part).map_or_else(
            || plain(Role::Answer, RoleOrigin::Nothing),
            |(role, origin)| plain(role, origin),
        )
    }

    /// What a question asks for, when it is a value of the person: `Jaki jest Twój numer telefonu?`. A
    /// question for a date or an id is one about something else.
    fn asked_for(&self, keys: &[String]) -> Option<(Role, RoleOrigin)> {
        let is_plain = |key: &&String| !key.starts_with('=');
        let generic = self.generic.as_ref().map_or(&[][..], |preset| &preset.columns[..]);
        let zoned =
            keys.iter().filter_map(|key| ZONES.iter().find_map(|zone| key.strip_suffix(zone)));
        let zoned: Vec<String> = zoned.map(str::to_owned).collect();
        if let Some((mapping, rank)) = find(generic, &zoned, |_| true)
            && mapping.role == Role::SubmittedAt
        {
            return Some((Role::SubmittedAt, RoleOrigin::Generic(rank)));
        }
        let asked: Vec<String> =
            keys.iter().filter(is_plain).filter_map(|key| asked_key(key)).collect();
        let field = asked.iter().find_map(|key| self.aliases.get(key));
        if let Some(&field) = field {
            return Some((Role::Field(field), RoleOrigin::Alias));
        }
        let (mapping, rank) = find(generic, &asked, |_| true)?;
        (mapping.role == Role::FullName).then_some((Role::FullName, RoleOrigin::Generic(rank)))
    }

    /// Returns whether a column known by one of the folded `keys` means anything.
    pub(super) fn knows(&self, keys: &[String]) -> bool {
        self.column(&Arc::from(""), keys).origin != RoleOrigin::Nothing
    }

    /// Returns the columns of a table; `sample` are its first rows.
    pub(super) fn columns(&self, header: &[String], sample: &[Vec<String>]) -> Vec<Column> {
        let names = distinct(header);
        let mut columns: Vec<Column> = header
            .iter()
            .zip(names)
            .map(|(text, name)| {
                let is_repeated = !text.is_empty() && *name != **text;
                let mut column = self.column(&name, &keys_of(text));
                // Second addresses and numbers are worth having; a second `Adres` is anything.
                let worth = [Role::Field(EMAIL), Role::Field(PHONE)].contains(&column.role);
                if is_repeated && matches!(column.role, Role::Field(_)) && !worth {
                    column.role = Role::Answer;
                    column.origin = RoleOrigin::Spare;
                }
                column
            })
            .collect();
        keep_one_of_each(&mut columns);
        yield_to_plainer(&mut columns);
        by_their_values(&mut columns, sample);
        columns
    }
}

/// Gives `Account Name` up where another column names the company: it is then the account that pays for the
/// advertisement, or the record in the CRM.
fn yield_to_plainer(columns: &mut [Column]) {
    let is_vague = |column: &Column| {
        column.origin == RoleOrigin::Alias && header_key(&column.name) == VAGUE_COMPANY
    };
    let is_company = |column: &Column| column.role == Role::Field(COMPANY);
    if columns.iter().any(|column| is_company(column) && !is_vague(column)) {
        for column in columns.iter_mut().filter(|column| is_company(column) && is_vague(column)) {
            column.role = Role::Answer;
            column.origin = RoleOrigin::Spare;
        }
    }
}

/// A name for the company of a lead in a CRM, and for the advertiser's own in an advertising network.
const VAGUE_COMPANY: &str = "account name";

/// Returns the keys that a header may be known by, the most telling first.
pub(super) fn keys_of(header: &str) -> Vec<String> {
    [Some(verbatim_key(header)), Some(header_key(header)), parted_key(header)]
        .into_iter()
        .flatten()
        .collect()
}

fn find<'a>(
    columns: &'a [ColumnMapping],
    keys: &[String],
    wanted: impl Fn(&NamePattern) -> bool,
) -> Option<(&'a ColumnMapping, usize)> {
    columns.iter().find_map(|mapping| {
        let fits =
            |pattern: &NamePattern| keys.iter().any(|key| mapping.takes(key) && pattern.fits(key));
        let rank = mapping.names.iter().position(|pattern| wanted(pattern) && fits(pattern))?;
        Some((mapping, rank))
    })
}

/// Names columns so that no two are alike: the second `E-mail` becomes `E-mail #2`.
fn distinct(header: &[String]) -> Vec<Arc<str>> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    header
        .iter()
        .enumerate()
        .map(|(at, text)| {
            if text.is_empty() {
                return format!("column {}", at + 1).into();
            }
            let times = seen.entry(text.as_str()).or_insert(0);
            *times += 1;
            if *times == 1 { text.as_str().into() } else { format!("{text} #{times}").into() }
        })
        .collect()
}

/// A row has one time and one id: the preset's, or else the best of the generic ones.
pub(super) fn keep_one_of_each(columns: &mut [Column]) {
    for role in [Role::SubmittedAt, Role::SubmissionId, Role::Completion] {
        let of_role = |column: &&Column| column.role == role;
        let by_preset =
            columns.iter().filter(of_role).any(|column| column.origin == RoleOrigin::Preset);
        let best = columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.role == role)
            .filter_map(|(at, column)| match column.origin {
                RoleOrigin::Generic(rank) => Some((rank, at)),
                _ => None,
            })
            .min();
        for (at, column) in columns.iter_mut().enumerate() {
            let is_generic = matches!(column.origin, RoleOrigin::Generic(_));
            let is_best = best.is_some_and(|(_, best)| best == at);
            if column.role == role && is_generic && (by_preset || !is_best) {
                column.role = Role::Answer;
                column.origin = RoleOrigin::Spare;
            }
        }
    }
}

/// What a header of times may end with.
const ZONES: &[&str] = &[" utc", " gmt", " utc 0", " gmt 0", " cet", " local time"];
#[cfg(test)]
mod tests {
    use super::super::tests::shipped;
    use super::*;

    #[test]
    fn a_vendors_word_for_yes_is_yes_however_long_it_is() {
        let (sources, _, _) = shipped();
        let preset = sources.get(GENERIC_CSV).unwrap();
        let column = Column {
            name: "status".into(),
            role: Role::Answer,
            strip: Vec::new(),
            nulls: Vec::new(),
            yes: vec!["out".to_owned(), "unsubscribed".to_owned()],
            origin: RoleOrigin::Preset,
        };
        let check = |received: &str, expected: Option<&str>| {
            let cell = column.cell(received.to_owned(), preset);
            assert_eq!(cell.map(|cell| cell.text).as_deref(), expected, "{received}");
        };
        check("out", Some("yes"));
        check("Out ", Some("yes"));
        check("unsubscribed", Some("yes"));
        check("active", None);
    }

    /// Returns the roles of the columns of a table without a preset.
    fn roles(header: &[&str], rows: &[&[&str]]) -> Vec<Role> {
        let (sources, _, _) = shipped();
        let resolver = Resolver::new(&sources, sources.get(GENERIC_CSV).unwrap().clone());
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let header: Vec<String> = owned(header);
        let rows: Vec<Vec<String>> = rows.iter().map(|row| owned(row)).collect();
        resolver.columns(&header, &rows).iter().map(|column| column.role).collect()
    }

    #[test]
    fn a_whole_name_is_one_in_many_languages() {
        for header in [
            "Nom et prénom",
            "nombre_completo",
            "Nombre y apellidos",
            "Contact person",
            "Ansprechpartner",
            "Osoba kontaktowa",
            "Imię i nazwisko",
            "Nom complet",
            "Vor- und Zuname",
            "¿Cuál es tu nombre completo?",
        ] {
            assert_eq!(roles(&[header], &[]), [Role::FullName], "{header}");
        }
    }

    #[test]
    fn an_account_is_the_company_only_where_no_other_column_names_it() {
        let company = Role::Field(COMPANY);
        assert_eq!(roles(&["Account Name"], &[]), [company]);
        assert_eq!(roles(&["Account Name", "Company Name"], &[]), [Role::Answer, company]);
    }

    #[test]
    fn numbers_that_meta_marks_are_a_contact_beside_an_address() {
        let (phone, email) = (Role::Field(PHONE), Role::Field(EMAIL));
        let found = roles(&["your_best_line", "email"], &[&["p:+48501234567", "a@example.com"]]);
        assert_eq!(found, [phone, email]);
        let found = roles(&["Order", "email"], &[&["501234567", "a@example.com"]]);
        assert_eq!(found, [Role::Answer, email]);
        let found = roles(&["Whom do you recommend us to?"], &[&["b@example.com"]]);
        assert_eq!(found, [Role::Answer]);
    }

    #[test]
    fn headers_of_many_languages_name_their_field() {
        let (sources, fields, _) = shipped();
        let resolver = Resolver::new(&sources, sources.get(GENERIC_CSV).unwrap().clone());
        for (header, expected) in [
            ("Kraj/region", "country"),
            ("Land/Region", "country"),
            ("Address (Country)", "country"),
            ("Adres (Kraj)", "country"),
            ("Comment or Message", "message"),
            ("W czym możemy pomóc?", "message"),
            ("służbowy_adres_e-mail", "email"),
            ("Dienstliche E-Mail", "email"),
            ("Company email", "email"),
            ("Numer telefonu użytkownika", "phone"),
            ("Prénom", "first-name"),
            ("nom_de_famille", "last-name"),
            ("Apellidos", "last-name"),
            ("Zugeordnetes Unternehmen", "company"),
            ("Société", "company"),
            ("Jobbezeichnung", "job-title"),
            ("Kampagnenname", "campaign"),
            ("Identyfikator kliknięcia Google", "gclid"),
            ("numéro_de_téléphone", "phone"),
            ("Número de teléfono", "phone"),
            ("Quel est votre e-mail professionnel ?", "email"),
            ("correo_electrónico", "email"),
            ("¿Cuál es tu presupuesto?", "budget"),
            ("Nombre de la empresa", "company"),
            ("Code postal", "postcode"),
            ("Puesto", "job-title"),
            ("wie_hoch_ist_ihr_budget?", "budget"),
            ("Jaki macie budżet?", "budget"),
            ("Wie heißt Ihr Unternehmen?", "company"),
            ("¿Cómo se llama tu empresa?", "company"),
            ("Comment s'appelle votre entreprise ?", "company"),
            ("Zip/Postal Code", "postcode"),
            ("Wie groß ist Ihr Unternehmen?", "employees"),
            ("Name (First)", "first-name"),
            ("Imię i nazwisko (Nazwisko)", "last-name"),
            ("Imię i nazwisko - First Name", "first-name"),
            ("Nom et prénom - Last Name", "last-name"),
            ("Adres - Postal / Zip Code", "postcode"),
            ("Address (State / Province)", "region"),
            ("E-mail (Enter Email)", "email"),
        ] {
            let column = resolver.column(&header.into(), &keys_of(header));
            let Role::Field(found) = column.role else { panic!("{header}: {:?}", column.role) };
            assert_eq!(fields.name(found), expected, "{header}");
        }
    }
}
