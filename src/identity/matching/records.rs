//! Records ready to be compared: typed fields made of the columns of a sheet.

use super::compare::FIELDS_MAX;
use super::field::{Builder, Bundle, Field, ValueNo};
use super::kind::Kind;
use super::lists::Lists;
use super::person::Names;
use super::prepare::{self, fold, is_nothing};
use super::profile::Profile;
use super::sheet::Sheet;

/// Fields that hubs may add beside those of the columns.
const FIELDS_FOR_HUBS: usize = 2;

/// All records, field by field.
#[derive(Debug, Clone)]
pub struct Records {
    /// The fields, of which every record may have values.
    pub fields: Vec<Field>,
    /// Number of records.
    pub n_records: usize,
    /// Whether they are people; else companies, shops, places.
    pub are_people: bool,
}

impl Records {
    /// Prepares every value of `sheet`, whose columns hold what `profiles` says.
    pub fn prepare(sheet: &Sheet, profiles: &[Profile], lists: &Lists) -> Self {
        let mut records = Self::of_columns(sheet, profiles, lists, learnable);
        keep_fullest(&mut records.fields);
        records.set_hubs_apart();
        records
    }

    /// Prepares a few records for a model that was learned from others: every column makes a field, all words
    /// weigh the same, and nothing is concluded from how often a value stands there.
    pub fn prepare_few(sheet: &Sheet, profiles: &[Profile], lists: &Lists) -> Self {
        Self::of_columns(sheet, profiles, lists, |builder| Some(builder.build_of_few()))
    }

    fn of_columns(
        sheet: &Sheet,
        profiles: &[Profile],
        lists: &Lists,
        build: fn(Builder<'_>) -> Option<Field>,
    ) -> Self {
        let is_name =
            |one: &Profile| matches!(one.kind, Kind::Given | Kind::Surname | Kind::FullName);
        let are_people = profiles.iter().any(is_name);
        let mut preparation =
            Preparation { sheet, profiles, lists, are_people, finish: build, fields: Vec::new() };
        if are_people {
            preparation.names();
        }
        preparation.each(Kind::Date, Bundle::Own);
        preparation.ids();
        preparation.date_of_parts();
        preparation.emails();
        preparation.phones();
        preparation.webs();
        preparation.descriptions();
        Self { fields: preparation.fields, n_records: sheet.len(), are_people }
    }

    /// Returns the number of the first field of `kind`.
    pub fn field_of(&self, kind: Kind) -> Option<usize> {
        self.fields.iter().position(|field| field.kind == kind)
    }

    /// Returns the numbers of the fields of given name and surname.
    pub fn names(&self) -> Option<(usize, usize)> {
        self.field_of(Kind::Given).zip(self.field_of(Kind::Surname))
    }
}

/// Finishes a field of records to learn from.
fn learnable(builder: Builder<'_>) -> Option<Field> {
    builder.build()
}

/// Leaves the fields that most records fill, as many as are compared.
fn keep_fullest(fields: &mut Vec<Field>) {
    let mut filled: Vec<usize> = fields.iter().map(Field::filled).collect();
    filled.sort_unstable_by(|a, b| b.cmp(a));
    if let Some(most_left_out) = filled.get(FIELDS_MAX - FIELDS_FOR_HUBS) {
        fields.retain(|field| field.filled() > *most_left_out);
    }
}

struct Preparation<'a> {
    sheet: &'a Sheet,
    profiles: &'a [Profile],
    lists: &'a Lists,
    are_people: bool,
    finish: fn(Builder<'_>) -> Option<Field>,
    fields: Vec<Field>,
}

impl Preparation<'_> {
    fn columns(&self, kind: Kind) -> Vec<usize> {
        (0..self.profiles.len()).filter(|at| self.profiles[*at].kind == kind).collect()
    }

    fn text(&self, column: usize, row: usize) -> &str {
        self.sheet.columns[column].text(row)
    }

    /// Makes a field of `columns`: `add` gives the builder what a row holds.
    fn build(
        &mut self,
        kind: Kind,
        columns: &[usize],
        bundle: Bundle,
        mut add: impl FnMut(&Self, usize, &mut Builder<'_>),
    ) {
        if columns.is_empty() {
            return;
        }
        let headers: Vec<&str> =
            columns.iter().map(|at| self.sheet.columns[*at].header.as_str()).collect();
        let mut builder = Builder::new(kind, headers.join(" + "), bundle, self.lists);
        for row in 0..self.sheet.len() {
            add(self, row, &mut builder);
            builder.close_record();
        }
        self.fields.extend((self.finish)(builder));
    }

    fn one(&mut self, at: usize, bundle: Bundle) {
        let kind = self.profiles[at].kind;
        let column = &self.sheet.columns[at];
        // Each text is read once, however many rows hold it.
        let mut read: Vec<Option<Option<ValueNo>>> = vec![None; column.texts.len()];
        self.build(kind, &[at], bundle, |this, row, builder| {
            let known = &mut read[column.rows[row] as usize];
            match *known {
                Some(None) => {}
                Some(Some(value)) => builder.add_known(value),
                None => {
                    let text = plain(kind, column.text(row), this.lists);
                    *known = Some(text.map(|text| builder.add(&text)));
                }
            }
        });
    }

    fn each(&mut self, kind: Kind, bundle: Bundle) {
        for at in self.columns(kind) {
            self.one(at, bundle);
        }
    }

    /// Colleagues share the numbers of their company; a person's number is its own.
    fn ids(&mut self) {
        for at in self.columns(Kind::Id) {
            let is_company = is_company_id(&self.sheet.columns[at].header);
            let bundle = if self.are_people && is_company { Bundle::Shared } else { Bundle::Own };
            self.one(at, bundle);
        }
    }

    fn names(&mut self) {
        let full = self.columns(Kind::FullName);
        let (mut given, surname) = (self.columns(Kind::Given), self.columns(Kind::Surname));
        // A middle name is a fact of its own.
        let middle = if given.len() > 1 { given.split_off(1) } else { Vec::new() };
        let names = Names::new(self.sheet, &given, &surname, &full, self.lists);
        let sources = |own: &[usize]| if own.is_empty() { full.clone() } else { own.to_vec() };
        self.build(Kind::Given, &sources(&given), Bundle::Own, |_, row, builder| {
            if let Some(name) = names.given(row) {
                builder.add(&name);
            }
        });
        self.build(Kind::Surname, &sources(&surname), Bundle::Own, |_, row, builder| {
            if let Some(name) = names.surname(row) {
                builder.add(&name);
            }
        });
        for at in middle {
            self.one(at, Bundle::Own);
        }
    }

    fn date_of_parts(&mut self) {
        let [year, month, day] =
            [Kind::Year, Kind::Month, Kind::Day].map(|kind| self.columns(kind).first().copied());
        let Some(year) = year else { return };
        let columns: Vec<usize> = [Some(year), month, day].into_iter().flatten().collect();
        self.build(Kind::Date, &columns, Bundle::Own, |this, row, builder| {
            let number = |at: usize| this.text(at, row).parse::<u16>().ok();
            let part = |at: Option<usize>| at.and_then(number).unwrap_or(0);
            if let Some(year) = number(year) {
                builder.add(&format!("{year:04}-{:02}-{:02}", part(month), part(day)));
            }
        });
    }

    fn emails(&mut self) {
        let columns = self.columns(Kind::Email);
        self.build(Kind::Email, &columns, Bundle::Own, |this, row, builder| {
            for at in &columns {
                // A function's mailbox tells of the company, through its domain.
                if let Some((mailbox, domain)) = prepare::email(this.text(*at, row))
                    && !this.lists.is_role_mailbox(&mailbox)
                {
                    builder.add(&format!("{mailbox}@{domain}"));
                }
            }
        });
    }

    fn phones(&mut self) {
        let columns = self.columns(Kind::Phone);
        let bundle = if self.are_people { Bundle::Own } else { Bundle::Shared };
        self.build(Kind::Phone, &columns, bundle, |this, row, builder| {
            for at in &columns {
                if let Some(number) = prepare::phone(this.text(*at, row)) {
                    builder.add(&number);
                }
            }
        });
    }

    fn webs(&mut self) {
        let (web, mail) = (self.columns(Kind::Web), self.columns(Kind::Email));
        let columns: Vec<usize> = web.iter().chain(&mail).copied().collect();
        self.build(Kind::Web, &columns, Bundle::Shared, |this, row, builder| {
            let domains = web.iter().filter_map(|at| prepare::domain(this.text(*at, row)));
            let of_mail = mail.iter().filter_map(|at| prepare::email(this.text(*at, row)));
            let private = of_mail
                .map(|(_, domain)| domain)
                .filter(|domain| !domain.is_empty() && !this.lists.is_free_mail(domain));
            for domain in domains.chain(private) {
                builder.add(&domain);
            }
        });
    }

    /// Makes a field of each column of names, places and words.
    fn descriptions(&mut self) {
        // The first name of an organization is the record's own; an agency or mother company is its surroundings.
        let main = self.columns(Kind::Organization).first().copied().filter(|_| !self.are_people);
        for at in 0..self.profiles.len() {
            match self.profiles[at].kind {
                Kind::Organization if main == Some(at) => self.one(at, Bundle::Own),
                Kind::Organization
                | Kind::Street
                | Kind::House
                | Kind::Postcode
                | Kind::City
                | Kind::Region => self.one(at, Bundle::Shared),
                Kind::Category | Kind::Text => self.one(at, Bundle::Own),
                _ => {}
            }
        }
    }
}

/// Numbers that are given to companies, in Poland and elsewhere.
const COMPANY_IDS: &[&str] =
    &["nip", "regon", "krs", "vat", "vat id", "vat number", "lei", "lei number", "ust id"];

fn is_company_id(header: &str) -> bool {
    COMPANY_IDS.contains(&fold(header).as_str())
}

/// Returns a value of `kind` in the form in which it is compared; nothing when it says nothing.
fn plain(kind: Kind, text: &str, lists: &Lists) -> Option<String> {
    match kind {
        Kind::Date => prepare::date_parts(text)
            .map(|[year, month, day]| format!("{year:04}-{month:02}-{day:02}")),
        Kind::Id | Kind::Postcode | Kind::House => prepare::code(text),
        Kind::Organization => {
            let name = fold(text);
            let bare = lists.without_legal_form(&name);
            (!is_nothing(bare)).then(|| bare.to_owned())
        }
        _ => {
            let folded = fold(text);
            // An initial is a middle name; one letter elsewhere may be a blank.
            let is_initial = kind == Kind::Given && folded.len() == 1;
            (is_initial || !is_nothing(&folded)).then_some(folded)
        }
    }
}
