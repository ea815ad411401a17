//! The keys of a lead's company: what its leads have in common and other companies' have not.

use std::fmt;

use crate::identity::matching::lists::Lists;
use crate::identity::matching::prepare::{code, fold, is_nothing};
use crate::identity::matching::similarity::sound;
use crate::model::field::{self, FieldNo, FieldValues};
use crate::rules::tables::Tables;

/// Letters that the telling words of a name must have together for it to be looked for in all towns.
const RARE_LETTERS_MIN: usize = 6;
/// Letters of the first label of a domain from which it tells anything (`firma` in `firma.pl`).
const DOMAIN_LABEL_MIN: usize = 3;
/// Digits of a REGON that are the company's; the other five are its branch's.
const REGON_DIGITS: usize = 9;

/// What a company's key is made of, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CompanyKeyKind {
    /// Tax number.
    Nip,
    /// Number in the court register.
    Krs,
    /// Statistical number.
    Regon,
    /// Domain of the company's own.
    Domain,
    /// One name in one country, and domains that differ only in their ending: `firma.pl`, `firma.com`.
    NameAndDomain,
    /// One name in one town.
    NameAndTown,
    /// One name in one postal area.
    NameAndPostcode,
    /// Names that are nearly one, in one town or postal area.
    SimilarName,
    /// One name in one country.
    Name,
}

impl CompanyKeyKind {
    /// Every kind, the strongest first.
    pub const ALL: [Self; 9] = [
        Self::Nip,
        Self::Krs,
        Self::Regon,
        Self::Domain,
        Self::NameAndDomain,
        Self::NameAndTown,
        Self::NameAndPostcode,
        Self::SimilarName,
        Self::Name,
    ];

    /// Returns the words used in explanations.
    pub fn words(self) -> &'static str {
        match self {
            Self::Nip => "NIP",
            Self::Krs => "KRS",
            Self::Regon => "REGON",
            Self::Domain => "domain",
            Self::NameAndDomain => "name and domain but for its ending",
            Self::NameAndTown => "name and town",
            Self::NameAndPostcode => "name and postcode",
            Self::SimilarName => "similar name in one place",
            Self::Name => "company name",
        }
    }

    /// Returns whether such a key alone tells which company it is.
    pub(super) fn is_anchor(self) -> bool {
        self <= Self::Domain
    }
}

/// A set of kinds of keys.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyKinds(u16);

impl KeyKinds {
    pub(super) fn insert(&mut self, kind: CompanyKeyKind) {
        self.0 |= 1 << kind as u16;
    }

    /// Returns whether `kind` is in the set.
    pub fn contains(self, kind: CompanyKeyKind) -> bool {
        self.0 & (1 << kind as u16) != 0
    }

    /// Returns the kinds that are in both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the kinds that are in either set.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the words of the kinds, the strongest first; that names in one place are similar goes without saying
    /// where they are one.
    pub fn words(self) -> Vec<&'static str> {
        use CompanyKeyKind::{NameAndPostcode, NameAndTown, SimilarName};
        let is_one = self.contains(NameAndTown) || self.contains(NameAndPostcode);
        self.iter()
            .filter(|kind| *kind != SimilarName || !is_one)
            .map(CompanyKeyKind::words)
            .collect()
    }

    /// Iterates over the kinds, the strongest first.
    pub fn iter(self) -> impl Iterator<Item = CompanyKeyKind> {
        CompanyKeyKind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }
}

impl fmt::Debug for KeyKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// One key of a company.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CompanyKey {
    /// What it is made of.
    pub kind: CompanyKeyKind,
    /// Its value, for people as well.
    pub value: String,
}

/// What a lead says of its company.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompanyKeys {
    /// The keys, the strongest first.
    pub keys: Vec<CompanyKey>,
    /// The name, folded and without legal form; none where it is nothing but words that any company may have.
    pub name: Option<String>,
    /// Country as ISO 3166-1 alpha-2; where the lead names none, that of its domain's ending.
    pub country: Option<String>,
}

impl CompanyKeys {
    /// Returns the strongest key of a kind in `kinds` that `other` has, too.
    pub fn shared(&self, other: &Self, kinds: KeyKinds) -> Option<&CompanyKey> {
        self.keys.iter().find(|key| kinds.contains(key.kind) && other.keys.contains(key))
    }
}

/// Whether [`company_keys`] looks at `field`.
pub fn tells_of_company(field: FieldNo) -> bool {
    matches!(
        field,
        field::COMPANY
            | field::COUNTRY
            | field::NIP
            | field::KRS
            | field::REGON
            | field::CITY
            | field::POSTCODE
            | field::EMAIL_DOMAIN
            | field::EMAIL_IS_FREE
            | field::EMAIL_IS_DISPOSABLE
            | field::EMAIL_SUGGESTION
            | field::COMPANY_DOMAIN
    )
}

/// Returns what a lead with these golden values says of its company.
pub fn company_keys(values: &FieldValues, lists: &Lists, tables: &Tables) -> CompanyKeys {
    let mut found = CompanyKeys {
        name: values.get(field::COMPANY).and_then(|name| telling_name(name, lists, tables)),
        country: values.get(field::COUNTRY).map(str::to_owned),
        keys: Vec::new(),
    };
    let mut keys = Vec::new();
    let mut push = |kind: CompanyKeyKind, value: String| keys.push(CompanyKey { kind, value });
    for (kind, number, digits_max) in [
        (CompanyKeyKind::Nip, field::NIP, usize::MAX),
        (CompanyKeyKind::Krs, field::KRS, usize::MAX),
        (CompanyKeyKind::Regon, field::REGON, REGON_DIGITS),
    ] {
        if let Some(number) = values.get(number) {
            push(kind, number.chars().take(digits_max).collect());
        }
    }
    let domains = own_domains(values, tables);
    found.country = found.country.take().or_else(|| domains.iter().find_map(|one| country_of(one)));
    for domain in &domains {
        push(CompanyKeyKind::Domain, domain.clone());
    }
    if let Some(name) = found.name.clone() {
        name_keys(&name, &domains, values, tables, push);
    }
    keys.sort();
    keys.dedup();
    found.keys = keys;
    found
}

/// Makes the keys of which a company's `name` is a part.
fn name_keys(
    name: &str,
    domains: &[String],
    values: &FieldValues,
    tables: &Tables,
    mut push: impl FnMut(CompanyKeyKind, String),
) {
    for domain in domains {
        let label = domain.split('.').next().unwrap_or_default();
        // The ending is the company's and outweighs what one lead says.
        let country = country_of(domain).or_else(|| values.get(field::COUNTRY).map(str::to_owned));
        if let Some(country) = country.filter(|_| label.len() >= DOMAIN_LABEL_MIN) {
            push(CompanyKeyKind::NameAndDomain, format!("{name}, {label}.* in {country}"));
        }
    }
    let main_word = telling_words(name, tables).next().unwrap_or(name);
    let text =
        |field: FieldNo, plain: fn(&str) -> Option<String>| values.get(field).and_then(plain);
    let town = text(field::CITY, |town| Some(fold(town)).filter(|town| !is_nothing(town)));
    if let Some(town) = town {
        push(CompanyKeyKind::NameAndTown, format!("{name}, {town}"));
        push(CompanyKeyKind::SimilarName, format!("{}, {town}", sound(main_word)));
    }
    if let Some(postcode) = text(field::POSTCODE, code) {
        push(CompanyKeyKind::NameAndPostcode, format!("{name}, {postcode}"));
        push(CompanyKeyKind::SimilarName, format!("{}, {postcode}", sound(main_word)));
    }
    if telling_words(name, tables).map(str::len).sum::<usize>() >= RARE_LETTERS_MIN {
        push(CompanyKeyKind::Name, name.to_owned());
    }
}

/// Returns the domains that are the company's own: of its web site and of the mailbox.
///
/// A mailbox at a provider for everybody tells nothing, nor does a page on a host for everybody.
pub fn own_domains(values: &FieldValues, tables: &Tables) -> Vec<String> {
    let is_open = |domain: &str| tables.is_free_mail(domain) || tables.is_mail_relay(domain);
    let mail = values.get(field::EMAIL_DOMAIN);
    // Where the domain of the address looks misspelt (`gmial.com`), it is nobody's.
    let is_own_mail = !values.is_true(field::EMAIL_IS_FREE)
        && !values.is_true(field::EMAIL_IS_DISPOSABLE)
        && values.get(field::EMAIL_SUGGESTION).is_none();
    let mut domains = Vec::new();
    if let Some(mail) = mail.filter(|mail| is_own_mail && !is_open(mail)) {
        domains.push(mail.to_owned());
    }
    if let Some(site) = values.get(field::COMPANY_DOMAIN).filter(|site| Some(*site) != mail)
        && !is_open(site)
        && !tables.is_shared_host(site)
    {
        domains.push(site.to_owned());
    }
    domains
}

/// Endings of two letters that companies of all countries use.
const OPEN_ENDINGS: &[&str] =
    &["eu", "io", "ai", "co", "me", "tv", "cc", "ws", "to", "so", "sh", "gg", "fm", "ly"];

/// Returns the country that the ending of `domain` stands for.
fn country_of(domain: &str) -> Option<String> {
    let ending = domain.rsplit('.').next().filter(|ending| ending.len() == 2)?;
    match ending {
        "uk" => Some("GB".to_owned()),
        open if OPEN_ENDINGS.contains(&open) => None,
        country => Some(country.to_ascii_uppercase()),
    }
}

/// Returns a company's name folded and without legal forms, unless any company may be called so.
fn telling_name(name: &str, lists: &Lists, tables: &Tables) -> Option<String> {
    let folded = fold(name);
    let mut bare = folded.as_str();
    loop {
        let shorter = lists.without_legal_form(bare);
        if shorter == bare {
            break;
        }
        bare = shorter;
    }
    let tells = !is_nothing(bare)
        && !tables.is_placeholder(bare)
        && !tables.is_company_word(bare)
        && telling_words(bare, tables).next().is_some();
    tells.then(|| bare.to_owned())
}

/// Returns the words of a folded `name` that say which company it is.
fn telling_words<'n>(name: &'n str, tables: &Tables) -> impl Iterator<Item = &'n str> {
    name.split(' ').filter(|word| word.len() > 1 && !tables.is_company_word(word))
}
