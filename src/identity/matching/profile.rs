//! What the columns of an unknown table hold: from their headers, else from their values.

use super::field::HOLDERS_OF_ONE_MAX;
use super::kind::Kind;
use super::lists::Lists;
use super::prepare::fold;
use super::sheet::{Column, Sheet};

/// What was found out about a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What it holds.
    pub kind: Kind,
    /// How that is known, for people.
    pub because: &'static str,
}

/// Headers, folded, that mean a kind: English, Polish, German.
const HEADERS: &[(Kind, &[&str])] = &[
    (
        Kind::Given,
        &[
            "first name",
            "firstname",
            "given name",
            "givenname",
            "given names",
            "forename",
            "fname",
            "name first",
            "first",
            "given",
            "imie",
            "imiona",
            "pierwsze imie",
            "vorname",
            "vornamen",
            "middle name",
            "name middle",
            "middlename",
            "second name",
            "drugie imie",
            "middle initial",
            "middle init",
            "mname",
        ],
    ),
    (
        Kind::Surname,
        &[
            "last name",
            "lastname",
            "surname",
            "family name",
            "familyname",
            "lname",
            "sname",
            "name last",
            "last",
            "nazwisko",
            "nachname",
            "familienname",
        ],
    ),
    (
        Kind::FullName,
        &[
            "full name",
            "fullname",
            "name full",
            "imie i nazwisko",
            "nazwisko i imie",
            "contact name",
            "contact",
            "person",
            "osoba",
            "osoba kontaktowa",
            "ansprechpartner",
            "vor und nachname",
            "customer name",
            "lead name",
            "person name",
        ],
    ),
    (
        Kind::Organization,
        &[
            "company",
            "company name",
            "companyname",
            "organisation",
            "organization",
            "organization name",
            "org",
            "name org",
            "firma",
            "nazwa firmy",
            "employer",
            "account",
            "account name",
            "unternehmen",
            "firmenname",
            "business",
            "business name",
            "site name",
            "school",
            "restaurant",
            "pracodawca",
            "institution",
            "agency",
        ],
    ),
    (
        Kind::Email,
        &[
            "email",
            "e mail",
            "mail",
            "email address",
            "e mail address",
            "adres e mail",
            "adres email",
            "emailadresse",
            "work email",
            "business email",
            "emailaddress",
        ],
    ),
    (
        Kind::Phone,
        &[
            "phone",
            "phone number",
            "phonenumber",
            "telephone",
            "tel",
            "telefon",
            "numer telefonu",
            "nr telefonu",
            "mobile",
            "mobile phone",
            "cell",
            "cell phone",
            "komorka",
            "handy",
            "telefonnummer",
            "fax",
            "faks",
            "work phone",
            "home phone",
            "telephone number",
            "tel no",
            "phone no",
        ],
    ),
    (
        Kind::Date,
        &[
            "date of birth",
            "dateofbirth",
            "dob",
            "birth date",
            "birthdate",
            "birthday",
            "born",
            "data urodzenia",
            "geburtsdatum",
            "geburtstag",
        ],
    ),
    (
        Kind::Year,
        &["by", "byear", "birth year", "year of birth", "rok urodzenia", "geburtsjahr", "yob"],
    ),
    (Kind::Month, &["bm", "bmonth", "birth month", "month of birth", "miesiac urodzenia", "mob"]),
    (Kind::Day, &["bd", "bday", "birth day", "day of birth", "dzien urodzenia"]),
    (
        Kind::Id,
        &[
            "nip",
            "regon",
            "krs",
            "pesel",
            "vat",
            "vat id",
            "vat number",
            "tax id",
            "tax id number",
            "ssn",
            "soc sec id",
            "social security number",
            "ssn number",
            "national id",
            "national id number",
            "passport",
            "passport number",
            "drivers license number",
            "lei",
            "lei number",
            "ust id",
            "steuernummer",
            "iban",
        ],
    ),
    (
        Kind::Postcode,
        &[
            "postcode",
            "post code",
            "postal code",
            "zip",
            "zip code",
            "zipcode",
            "plz",
            "postleitzahl",
            "kod pocztowy",
            "kod",
            "addr postal code",
            "area code",
            "areacode",
            "postalcode",
        ],
    ),
    (
        Kind::Street,
        &[
            "street",
            "street address",
            "address",
            "adres",
            "ulica",
            "strasse",
            "street name",
            "addr",
            "address 1",
            "address1",
            "address line 1",
            "add1",
            "addr line1",
            "addr line 1",
            "addr full",
            "full address",
            "anschrift",
            "adresse",
            "straße",
            "streetname",
        ],
    ),
    (
        Kind::House,
        &[
            "street number",
            "street no",
            "street num",
            "house number",
            "house no",
            "stno",
            "housenumber",
            "nr domu",
            "numer domu",
            "hausnummer",
            "building number",
            "house",
        ],
    ),
    (
        Kind::City,
        &[
            "city",
            "town",
            "suburb",
            "locality",
            "miasto",
            "miejscowosc",
            "ort",
            "stadt",
            "place",
            "birth place",
            "place of birth",
            "miejsce urodzenia",
            "geburtsort",
            "addr city",
            "municipality",
        ],
    ),
    (
        Kind::Region,
        &[
            "state",
            "county",
            "province",
            "region",
            "wojewodztwo",
            "country",
            "kraj",
            "land",
            "bundesland",
            "addr state",
            "addr country",
            "powiat",
        ],
    ),
    (
        Kind::Web,
        &[
            "website",
            "web site",
            "web",
            "url",
            "www",
            "domain",
            "homepage",
            "strona www",
            "strona",
            "webseite",
        ],
    ),
    (
        Kind::Category,
        &[
            "sex",
            "gender",
            "plec",
            "geschlecht",
            "occupation",
            "zawod",
            "beruf",
            "race",
            "race ethnicity",
            "record type",
            "age",
            "wiek",
        ],
    ),
    (
        Kind::Ignored,
        &[
            "source",
            "zrodlo",
            "quelle",
            "status",
            "lead status",
            "created",
            "created at",
            "created time",
            "updated",
            "updated at",
            "modified",
            "timestamp",
            "submitted at",
            "notes",
            "comment",
            "comments",
            "uwagi",
            "campaign",
            "utm source",
            "utm medium",
            "utm campaign",
            "consent",
            "zgoda",
            "owner",
            "score",
            "segment",
            "row",
            "lp",
            "no",
            "nr",
            "cluster",
            "label",
            "url submitted",
            "ip",
            "user agent",
            "name type",
            "addr type",
            "phone type",
            "national id type",
            "drivers license state",
            "passport country",
            "national id country",
            "tax id type",
            "tax id country",
            "job title",
            "title",
            "stanowisko",
            "position",
            "relationship",
            "data source",
        ],
    ),
];

/// Below this share of filled rows an unnamed column is not worth a field of its own.
const FILLED_MIN: f32 = 0.02;

/// With so many columns of known meaning the others are left alone.
const IDENTIFYING_ENOUGH: usize = 3;

/// Profiles every column of `sheet`.
pub fn profile(sheet: &Sheet, lists: &Lists) -> Vec<Profile> {
    let mut profiles: Vec<Profile> =
        sheet.columns.iter().map(|column| profile_of(column, sheet.len(), lists)).collect();
    // A column called `name` is a person's where the table has no other name of a person, else a company's.
    let has =
        |profiles: &[Profile], kinds: &[Kind]| profiles.iter().any(|one| kinds.contains(&one.kind));
    let has_person = has(&profiles, &[Kind::Given, Kind::Surname]);
    for (profile, column) in profiles.iter_mut().zip(&sheet.columns) {
        if !matches!(folded(&column.header).as_str(), "name" | "nazwa" | "nazwa klienta") {
            continue;
        }
        *profile = if !has_person && looks_like_people(column, lists) {
            Profile { kind: Kind::FullName, because: "header, and given names in it" }
        } else {
            Profile { kind: Kind::Organization, because: "header, and no given names in it" }
        };
    }
    ignore_side_issues(&mut profiles);
    profiles
}

/// Columns that no header names are compared only where little else tells the records apart: in most tables
/// they say what was sold or funded, not to whom.
fn ignore_side_issues(profiles: &mut [Profile]) {
    let identifies = |profile: &&Profile| {
        !matches!(profile.kind, Kind::Ignored | Kind::Text | Kind::Category | Kind::Region)
    };
    if profiles.iter().filter(identifies).count() < IDENTIFYING_ENOUGH {
        return;
    }
    for profile in profiles {
        if profile.because == "values" && matches!(profile.kind, Kind::Text | Kind::Category) {
            *profile = Profile {
                kind: Kind::Ignored,
                because: "unknown header, and other columns tell more",
            };
        }
    }
}

fn folded(header: &str) -> String {
    fold(header)
}

fn profile_of(column: &Column, n_rows: usize, lists: &Lists) -> Profile {
    let counts = column.counts();
    let distinct = counts.iter().skip(1).filter(|count| **count > 0).count();
    let filled: u32 = counts.iter().skip(1).sum();
    let ignored = |because| Profile { kind: Kind::Ignored, because };
    // What a few rows have in common tells them from the rest of the world.
    let is_constant = distinct <= 1;
    if is_constant && !(2..=HOLDERS_OF_ONE_MAX).contains(&(filled as usize)) {
        return ignored("says the same everywhere");
    }
    let header = folded(&column.header);
    if let Some(kind) = kind_of_header(&header) {
        return Profile { kind, because: "header" };
    }
    if (filled as f32) < FILLED_MIN * n_rows as f32 {
        return ignored("nearly always empty");
    }
    let profile = by_values(column, &counts, distinct, filled, lists);
    if is_constant && !matches!(profile.kind, Kind::Email | Kind::Phone | Kind::Date) {
        return ignored("says the same everywhere");
    }
    profile
}

fn kind_of_header(header: &str) -> Option<Kind> {
    let known = |header: &str| {
        HEADERS.iter().find(|(_, names)| names.contains(&header)).map(|(kind, _)| *kind)
    };
    // `fname_c1` and `Address 2` are `fname` and `Address`; `ADDR_LINE1` was listed.
    known(header).or_else(|| {
        let mut words: Vec<&str> = header.split(' ').collect();
        let is_number = |word: &str| {
            let digits = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
            !digits.is_empty()
                && word.len() <= 2
                && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let last = words.pop()?;
        if is_number(last) || matches!(last, "fake" | "clean" | "raw" | "new" | "old") {
            return known(&words.join(" "));
        }
        let stem = header.trim_end_matches(|c: char| c.is_ascii_digit());
        known(stem.trim_end())
    })
}

fn by_values(
    column: &Column,
    counts: &[u32],
    distinct: usize,
    filled: u32,
    lists: &Lists,
) -> Profile {
    let share = |test: &dyn Fn(&str) -> bool| {
        let hits: u32 = (column.texts.iter().zip(counts).skip(1))
            .filter(|(text, _)| test(text))
            .map(|(_, count)| *count)
            .sum();
        hits as f32 / filled as f32
    };
    let found = |kind| Profile { kind, because: "values" };
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
    if share(&|text| text.contains('@')) > 0.6 {
        return found(Kind::Email);
    }
    if share(&|text| super::prepare::date_parts(text).is_some()) > 0.7 {
        return found(Kind::Date);
    }
    if share(&|text| text.contains("://") || text.starts_with("www.")) > 0.6 {
        return found(Kind::Web);
    }
    let is_phone = |text: &str| {
        (7..=15).contains(&digits(text)) && letters(text) == 0 && text.len() > digits(text)
    };
    if share(&is_phone) > 0.6 {
        return found(Kind::Phone);
    }
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if share(&is_number) > 0.9 {
        // Numbers that never repeat count rows; few different ones are amounts and codes.
        let kind = match distinct {
            _ if distinct as f32 > 0.98 * filled as f32 => Kind::Ignored,
            _ if distinct as f32 > 0.5 * filled as f32 => Kind::Id,
            _ => Kind::Category,
        };
        return found(kind);
    }
    if distinct <= 60 && (distinct as f32) < 0.05 * filled as f32 {
        return found(Kind::Category);
    }
    let is_given = |text: &str| lists.is_given_name(&fold(text));
    if share(&is_given) > 0.5 {
        return found(Kind::Given);
    }
    // What names the records stands in most of them.
    if filled as usize * 2 > column.rows.len() && looks_like_people(column, lists) {
        return found(Kind::FullName);
    }
    if distinct as f32 > 0.98 * filled as f32 && share(&|text| !text.contains(' ')) > 0.9 {
        return Profile { kind: Kind::Ignored, because: "differs in every row" };
    }
    found(Kind::Text)
}

/// Returns whether a third of the values are two to four words of which the first or last is a given name.
fn looks_like_people(column: &Column, lists: &Lists) -> bool {
    let (mut named, mut all) = (0_usize, 0_usize);
    for text in column.texts.iter().skip(1) {
        let name = fold(text);
        let words: Vec<&str> = name.split(' ').collect();
        all += 1;
        let fits =
            (2..=4).contains(&words.len()) && !name.bytes().any(|byte| byte.is_ascii_digit());
        let is_given = |word: Option<&&str>| word.is_some_and(|word| lists.is_given_name(word));
        named += usize::from(fits && (is_given(words.first()) || is_given(words.last())));
    }
    all > 0 && named * 3 > all
}
