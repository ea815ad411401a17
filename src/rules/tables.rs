//! The lists under `rules/tables/`: what is known about mailboxes, names, titles, channels and countries.
//!
//! A `.txt` file holds one entry a line (`#` starts a comment); a `.toml` file is read like any other
//! rule file. A workspace replaces a list by putting a file of the same name into its own rules.

mod titles;
mod touches;

use foldhash::{HashMap, HashSet};

use super::decode::{Sink, Table, document};
use super::diagnostics::{Place, RuleText, did_you_mean};
use super::field::fold_header;

pub use titles::{DEPARTMENTS, Titles};

/// The files this room reads, by name.
pub const FILES: &[&str] = &[
    "free-mail.txt",
    "role-mailboxes.txt",
    "disposable-allowed.txt",
    "mail-relays.txt",
    "legal-forms.txt",
    "honorifics.txt",
    "given-names.txt",
    "placeholders.toml",
    "test-markers.toml",
    "seniority.toml",
    "departments.toml",
    "sources.toml",
    "referrers.toml",
    "countries.toml",
    "regions.toml",
    "nicknames.toml",
    "mail-typos.toml",
    "spam.toml",
    "shared-hosts.txt",
    "company-words.txt",
    "touches.toml",
];

/// What a click id in a URL says about where the click was paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClickId {
    /// Parameter, such as `gclid`; the field of that name holds its value.
    pub parameter: String,
    /// Canonical source.
    pub source: String,
    /// Canonical medium.
    pub medium: String,
}

/// Where a referring host belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// Host as written; `google.*` stands for any ending.
    host: String,
    source: String,
    medium: String,
}

/// A part of a country, by any of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// ISO 3166-1 alpha-2 code of its country.
    pub country: String,
    /// Its name as it is kept.
    pub name: String,
    /// Every folded name, the kept one first.
    aliases: Vec<String>,
}

/// What betrays that no person filled in a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpamMarks {
    /// Nobody sends a form in fewer seconds after opening it.
    pub fill_seconds_min: u32,
    /// What no name holds, lower case.
    pub in_names: Vec<String>,
    /// What no person types into a form, lower case.
    pub in_texts: Vec<String>,
}

/// All lists, compiled once and shared by every row.
///
/// Words are folded by [`fold_header`]; ask with folded words.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    free_mail: HashSet<String>,
    role_mailboxes: HashSet<String>,
    disposable_allowed: HashSet<String>,
    mail_relays: HashSet<String>,
    misspelt_providers: Vec<String>,
    misspelt_domains: HashMap<String, String>,
    misspelt_endings: HashMap<String, String>,
    placeholder_words: HashSet<String>,
    placeholder_names: HashSet<String>,
    placeholder_emails: HashSet<String>,
    placeholder_phones: HashSet<String>,
    test_texts: Vec<String>,
    test_emails: HashSet<String>,
    vendor_test_emails: HashSet<String>,
    placeholder_mailboxes: HashSet<String>,
    test_names: HashSet<String>,
    spam: SpamMarks,
    legal_forms: HashMap<String, String>,
    legal_form_words_max: usize,
    countries: HashMap<String, String>,
    regions: Vec<Region>,
    honorifics: HashSet<String>,
    titles: Titles,
    honorifics_with_dot: HashSet<String>,
    sources: HashMap<String, String>,
    media: HashMap<String, String>,
    click_ids: Vec<ClickId>,
    referrers: Vec<Referrer>,
    nickname_groups: Vec<Vec<String>>,
    given_names: HashSet<String>,
    shared_hosts: HashSet<String>,
    company_words: HashSet<String>,
    /// Kinds of touches by the folded names of events.
    touch_kinds: HashMap<String, &'static str>,
}

impl Tables {
    /// Compiles the files of `rules/tables/`; mistakes and unknown file names go to `sink`.
    pub fn decode(texts: &[&RuleText], sink: &Sink) -> Self {
        let mut tables = Self::default();
        for text in texts {
            tables.read_file(text, sink);
        }
        tables.legal_form_words_max =
            tables.legal_forms.keys().map(|form| form.split(' ').count()).max().unwrap_or(0);
        let in_groups = tables.nickname_groups.iter().flatten().cloned();
        tables.given_names.extend(in_groups);
        tables.sort_referrers();
        tables
    }

    fn read_file(&mut self, text: &RuleText, sink: &Sink) {
        let name = text.path.rsplit('/').next().unwrap_or_default();
        match name {
            "free-mail.txt" => self.free_mail = domains(text),
            "role-mailboxes.txt" => self.role_mailboxes = lines(text, str::to_lowercase),
            "disposable-allowed.txt" => self.disposable_allowed = domains(text),
            "mail-relays.txt" => self.mail_relays = domains(text),
            "shared-hosts.txt" => self.shared_hosts = domains(text),
            "company-words.txt" => self.company_words = lines(text, fold_header),
            "legal-forms.txt" => self.legal_forms = spellings(text),
            "honorifics.txt" => self.read_honorifics(text),
            "given-names.txt" => self.given_names = lines(text, fold_header),
            "placeholders.toml" => document(text, sink, |root| self.read_placeholders(root)),
            "test-markers.toml" => document(text, sink, |root| self.read_test_markers(root)),
            "seniority.toml" => document(text, sink, |root| self.titles.read_seniority(root)),
            "departments.toml" => document(text, sink, |root| self.titles.read_departments(root)),
            "sources.toml" => document(text, sink, |root| self.read_sources(root)),
            "referrers.toml" => document(text, sink, |root| self.read_referrers(root)),
            "countries.toml" => document(text, sink, |root| self.read_countries(root)),
            "regions.toml" => document(text, sink, |root| self.read_regions(root)),
            "nicknames.toml" => document(text, sink, |root| self.read_nicknames(root)),
            "mail-typos.toml" => document(text, sink, |root| self.read_mail_typos(root)),
            "spam.toml" => document(text, sink, |root| self.read_spam(root)),
            "touches.toml" => document(text, sink, |root| self.read_touches(root)),
            // A text table of the workspace's own is a list for conditions, unless it is a slip.
            list if list.strip_suffix(".txt").is_some()
                && did_you_mean(list, FILES.iter().copied()).is_none() => {}
            unknown => {
                let hint = did_you_mean(unknown, FILES.iter().copied()).map_or_else(
                    || format!("known tables: {}", FILES.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                let place = Place { file: text.clone(), span: 0..0 };
                sink.error(&place, format!("nothing reads the table `{unknown}`"), Some(hint));
            }
        }
    }

    fn read_placeholders(&mut self, root: &Table<'_>) {
        self.placeholder_words = folded(root, "words");
        self.placeholder_names = folded(root, "names");
        self.placeholder_mailboxes = lower(root, "mailboxes").into_iter().collect();
        self.placeholder_emails = lower(root, "emails").into_iter().collect();
        self.placeholder_phones = lower(root, "phones").into_iter().collect();
    }

    fn read_test_markers(&mut self, root: &Table<'_>) {
        self.test_texts = lower(root, "texts");
        self.test_emails = lower(root, "emails").into_iter().collect();
        self.vendor_test_emails = lower(root, "vendor-emails").into_iter().collect();
        self.test_names = folded(root, "names");
    }

    fn read_sources(&mut self, root: &Table<'_>) {
        self.sources = aliases(root, "source");
        self.media = aliases(root, "medium");
        self.click_ids = root.tables("click-id", |table| ClickId {
            parameter: table.string("parameter"),
            source: table.string("source"),
            medium: table.string("medium"),
        });
    }

    fn read_referrers(&mut self, root: &Table<'_>) {
        root.tables("referrer", |table| {
            let source = table.string("source");
            let medium = table.string("medium");
            for host in table.strings("hosts") {
                let host = host.to_lowercase();
                self.referrers.push(Referrer {
                    host,
                    source: source.clone(),
                    medium: medium.clone(),
                });
            }
        });
    }

    fn read_countries(&mut self, root: &Table<'_>) {
        for code in root.keys() {
            if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
                root.error(
                    &code,
                    format!("`{code}` is not a country code"),
                    Some("write two capital letters of ISO 3166-1, such as PL".to_owned()),
                );
            }
            for name in root.strings(&code) {
                self.countries.insert(fold_header(&name), code.clone());
            }
            self.countries.insert(code.to_lowercase(), code);
        }
    }

    fn read_regions(&mut self, root: &Table<'_>) {
        for country in root.keys() {
            root.table(&country, |regions| {
                for name in regions.keys() {
                    let mut aliases = vec![fold_header(&name)];
                    aliases.extend(regions.strings(&name).iter().map(|alias| fold_header(alias)));
                    self.regions.push(Region { country: country.clone(), name, aliases });
                }
            });
        }
    }

    fn read_mail_typos(&mut self, root: &Table<'_>) {
        self.misspelt_providers = lower(root, "providers");
        for (key, found) in
            [("domains", &mut self.misspelt_domains), ("endings", &mut self.misspelt_endings)]
        {
            root.table(key, |table| {
                for meant in table.keys() {
                    for typed in table.strings(&meant) {
                        found.insert(typed.to_lowercase(), meant.to_lowercase());
                    }
                }
            });
        }
    }

    fn read_spam(&mut self, root: &Table<'_>) {
        self.spam = SpamMarks {
            fill_seconds_min: u32::try_from(root.integer("fill-seconds-min")).unwrap_or(0),
            in_names: lower(root, "in-names"),
            in_texts: lower(root, "in-texts"),
        };
    }

    /// A title that is a name or a word, too, is written with its dot and counts only with it.
    fn read_honorifics(&mut self, text: &RuleText) {
        for line in entries(text) {
            let titles = if line.ends_with('.') {
                &mut self.honorifics_with_dot
            } else {
                &mut self.honorifics
            };
            titles.insert(fold_header(line));
        }
    }

    fn read_nicknames(&mut self, root: &Table<'_>) {
        self.nickname_groups = root.tables("group", |table| {
            table.opt_string("because");
            table.strings("names").iter().map(|name| fold_header(name)).collect()
        });
    }

    /// The longest host is asked first, so that `mail.google.com` wins over `google.*`.
    fn sort_referrers(&mut self) {
        self.referrers.sort_by(|a, b| {
            let wild = |referrer: &Referrer| referrer.host.ends_with(".*");
            (wild(a), std::cmp::Reverse(a.host.len()), &a.host).cmp(&(
                wild(b),
                std::cmp::Reverse(b.host.len()),
                &b.host,
            ))
        });
    }

    /// Returns whether mailboxes at `domain` (lower case) are given away to anybody.
    pub fn is_free_mail(&self, domain: &str) -> bool {
        self.free_mail.contains(domain)
    }

    /// Returns the names of function mailboxes, in no order.
    pub fn role_mailboxes(&self) -> impl Iterator<Item = &str> {
        self.role_mailboxes.iter().map(String::as_str)
    }

    /// Returns the titles and salutations that stand before names, folded, in no order.
    pub fn honorifics(&self) -> impl Iterator<Item = &str> {
        self.honorifics.iter().map(String::as_str)
    }

    /// Returns the spellings of legal forms, folded, in no order.
    pub fn legal_form_spellings(&self) -> impl Iterator<Item = &str> {
        self.legal_forms.keys().map(String::as_str)
    }

    /// Returns the known given names, folded, in no order.
    pub fn given_names(&self) -> impl Iterator<Item = &str> {
        self.given_names.iter().map(String::as_str)
    }

    /// Returns every free-mail domain, in no order that means anything.
    pub fn free_mail_domains(&self) -> impl Iterator<Item = &str> {
        self.free_mail.iter().map(String::as_str)
    }

    /// Returns whether `local_part` (lower case, without tag) belongs to a function.
    pub fn is_role_mailbox(&self, local_part: &str) -> bool {
        self.role_mailboxes.contains(local_part)
    }

    /// Returns whether `domain` must never be called disposable.
    pub fn is_never_disposable(&self, domain: &str) -> bool {
        self.disposable_allowed.contains(domain)
    }

    /// Returns whether `domain` forwards mail to somebody who hides the address.
    pub fn is_mail_relay(&self, domain: &str) -> bool {
        self.mail_relays.contains(domain)
    }

    /// Returns whether anybody can have a page at `host` (lower case) or at a domain above it.
    pub fn is_shared_host(&self, host: &str) -> bool {
        let mut above = Some(host);
        while let Some(domain) = above {
            if self.shared_hosts.contains(domain) {
                return true;
            }
            above = domain.split_once('.').map(|(_, rest)| rest);
        }
        false
    }

    /// Returns whether the folded `words` say of a company what it does or is, not which one it is.
    pub fn is_company_word(&self, words: &str) -> bool {
        self.company_words.contains(words)
    }

    /// Returns the providers whose misspellings are worth a suggestion, the likeliest first.
    pub fn misspelt_providers(&self) -> &[String] {
        &self.misspelt_providers
    }

    /// Returns what the misspelt `domain` (lower case) is known to mean.
    pub fn misspelt_domain(&self, domain: &str) -> Option<&str> {
        self.misspelt_domains.get(domain).map(String::as_str)
    }

    /// Returns the last label that `ending` (lower case) is a slip for.
    pub fn misspelt_ending(&self, ending: &str) -> Option<&str> {
        self.misspelt_endings.get(ending).map(String::as_str)
    }

    /// Returns what betrays that no person filled in a form.
    pub fn spam(&self) -> &SpamMarks {
        &self.spam
    }

    /// Returns whether the folded `words` stand for nothing.
    pub fn is_placeholder(&self, words: &str) -> bool {
        self.placeholder_words.contains(words)
    }

    /// Returns whether the folded `words` are written where a name belongs and are none.
    pub fn is_placeholder_name(&self, words: &str) -> bool {
        self.placeholder_words.contains(words) || self.placeholder_names.contains(words)
    }

    /// Returns whether nobody reads `address` (lower case).
    pub fn is_placeholder_email(&self, address: &str) -> bool {
        self.placeholder_emails.contains(address)
    }

    /// Returns whether nobody answers the national number `digits`.
    pub fn is_placeholder_phone(&self, digits: &str) -> bool {
        let mut bytes = digits.bytes();
        let first = bytes.next();
        (digits.len() >= 6 && bytes.all(|byte| Some(byte) == first))
            || self.placeholder_phones.contains(digits)
    }

    /// Returns whether some vendor's dummy value begins with the letter or figure `first` (lower case).
    pub fn may_open_test_text(&self, first: u8) -> bool {
        self.test_texts.iter().any(|marker| {
            marker.as_bytes().first().is_none_or(|byte| *byte == first || !byte.is_ascii())
        })
    }

    /// Returns whether `text` (lower case, trimmed) opens like a vendor's dummy value.
    pub fn is_test_text(&self, text: &str) -> bool {
        self.test_texts.iter().any(|marker| text.starts_with(marker.as_str()))
    }

    /// Returns whether nobody reads a mailbox with the name `local_part` (lower case), wherever it is.
    pub fn is_placeholder_mailbox(&self, local_part: &str) -> bool {
        self.placeholder_mailboxes.contains(local_part)
    }

    /// Returns whether vendors put `address` (lower case) into test leads.
    pub fn is_vendor_test_email(&self, address: &str) -> bool {
        self.vendor_test_emails.contains(address)
    }

    /// Returns whether `address` (lower case) is used for trying forms.
    pub fn is_test_email(&self, address: &str) -> bool {
        self.test_emails.contains(address)
    }

    /// Returns whether the folded `name` is what people type to try a form.
    pub fn is_test_name(&self, name: &str) -> bool {
        self.test_names.contains(name)
    }

    /// Returns the usual spelling of the legal form that the folded `words` are.
    pub fn legal_form(&self, words: &str) -> Option<&str> {
        self.legal_forms.get(words).map(String::as_str)
    }

    /// Returns how many words the longest legal form has.
    pub fn legal_form_words_max(&self) -> usize {
        self.legal_form_words_max
    }

    /// Returns the ISO 3166-1 alpha-2 code of the country with the folded `name` or code.
    pub fn country(&self, name: &str) -> Option<&str> {
        self.countries.get(name).map(String::as_str)
    }

    /// Iterates over the folded names of countries with their codes, in no order that means anything.
    pub fn country_names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.countries.iter().map(|(name, code)| (name.as_str(), code.as_str()))
    }

    /// Returns the region with the folded `name` in `country`, or in any country when none is known;
    /// nothing where several have the name.
    pub fn region(&self, name: &str, country: Option<&str>) -> Option<&Region> {
        let mut found = self
            .regions
            .iter()
            .filter(|region| country.is_none_or(|country| region.country == country))
            .filter(|region| region.aliases.iter().any(|alias| alias == name));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// Returns whether the folded `words` are a title or salutation; `has_dot` says whether a dot ends
    /// them where they stand.
    pub fn is_honorific(&self, words: &str, has_dot: bool) -> bool {
        self.honorifics.contains(words) || (has_dot && self.honorifics_with_dot.contains(words))
    }

    /// Returns what job titles say.
    pub fn titles(&self) -> &Titles {
        &self.titles
    }

    /// Returns the canonical name of the folded source `alias`.
    pub fn source(&self, alias: &str) -> Option<&str> {
        self.sources.get(alias).map(String::as_str)
    }

    /// Returns the canonical name of the folded medium `alias`.
    pub fn medium(&self, alias: &str) -> Option<&str> {
        self.media.get(alias).map(String::as_str)
    }

    /// Returns the click ids, the most telling first.
    pub fn click_ids(&self) -> &[ClickId] {
        &self.click_ids
    }

    /// Returns the source and medium of a referring `host` (lower case).
    pub fn referrer(&self, host: &str) -> Option<(&str, &str)> {
        self.referrers
            .iter()
            .find(|referrer| host_matches(host, &referrer.host))
            .map(|referrer| (referrer.source.as_str(), referrer.medium.as_str()))
    }

    /// Returns groups of folded given names that one person may use for another.
    pub fn nickname_groups(&self) -> &[Vec<String>] {
        &self.nickname_groups
    }

    /// Returns whether the folded `word` is a given name.
    pub fn is_given_name(&self, word: &str) -> bool {
        self.given_names.contains(word)
    }
}

fn host_matches(host: &str, pattern: &str) -> bool {
    if let Some(label) = pattern.strip_suffix(".*") {
        // The name may carry subdomains and one or two labels of public suffix: www.google.co.uk.
        let labels: Vec<&str> = host.split('.').collect();
        let after = labels.iter().position(|&part| part == label).map(|at| labels.len() - at - 1);
        return matches!(after, Some(1 | 2));
    }
    host.strip_suffix(pattern).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn entries(text: &RuleText) -> impl Iterator<Item = &str> {
    text.text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
}

fn lines(text: &RuleText, fold: impl Fn(&str) -> String) -> HashSet<String> {
    entries(text).map(fold).collect()
}

/// Reads lines of `usual spelling = other, other`; each spelling is folded, the usual one kept as written.
fn spellings(text: &RuleText) -> HashMap<String, String> {
    let mut found = HashMap::default();
    for line in entries(text) {
        let (usual, others) = line.split_once('=').unwrap_or((line, ""));
        for spelling in std::iter::once(usual).chain(others.split(',')) {
            let folded = fold_header(spelling);
            if !folded.is_empty() {
                found.insert(folded, usual.trim().to_owned());
            }
        }
    }
    found
}

fn domains(text: &RuleText) -> HashSet<String> {
    lines(text, |line| line.trim_start_matches('@').to_lowercase())
}

fn folded(table: &Table<'_>, key: &str) -> HashSet<String> {
    table.strings(key).iter().map(|word| fold_header(word)).collect()
}

fn lower(table: &Table<'_>, key: &str) -> Vec<String> {
    table.strings(key).iter().map(|word| word.to_lowercase()).collect()
}

fn aliases(root: &Table<'_>, key: &str) -> HashMap<String, String> {
    let mut found = HashMap::default();
    root.tables(key, |table| {
        let id = table.string("id");
        table.opt_string("because");
        for (alias, place) in table.located_strings("aliases") {
            let taken = found.insert(fold_header(&alias), id.clone());
            if let Some(other) = taken.filter(|other| *other != id) {
                table.sink().error(
                    &place,
                    format!("`{alias}` already means `{other}`"),
                    Some("keep it in one of the two".to_owned()),
                );
            }
        }
        found.insert(fold_header(&id), id);
    });
    found
}

/// The shipped tables, for the tests of every room.
#[cfg(test)]
pub(crate) fn shipped() -> &'static Tables {
    static SHIPPED: std::sync::LazyLock<Tables> = std::sync::LazyLock::new(|| {
        let sink = Sink::default();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/tables");
        let texts: Vec<RuleText> = FILES
            .iter()
            .map(|name| RuleText {
                path: format!("rules/tables/{name}").into(),
                text: std::fs::read_to_string(folder.join(name)).unwrap().into(),
            })
            .collect();
        let tables = Tables::decode(&texts.iter().collect::<Vec<_>>(), &sink);
        assert_eq!(sink.take(), []);
        tables
    });
    &SHIPPED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_tables_have_no_mistakes() {
        let tables = shipped();
        assert!(tables.is_free_mail("wp.pl"));
        assert!(tables.is_role_mailbox("biuro"));
        assert!(tables.is_placeholder("nie podam"));
        assert!(tables.is_given_name("jan"));
        assert_eq!(tables.country("polska"), Some("PL"));
        assert!(tables.nickname_groups().iter().any(|group| group.contains(&"kasia".to_owned())));
    }

    #[test]
    fn a_repeated_digit_is_never_a_number() {
        assert!(shipped().is_placeholder_phone("111111111"));
        assert!(shipped().is_placeholder_phone("123456789"));
        assert!(!shipped().is_placeholder_phone("600123456"));
        assert!(!shipped().is_placeholder_phone(""));
    }

    #[track_caller]
    fn check_referrer(host: &str, expected: Option<(&str, &str)>) {
        assert_eq!(shipped().referrer(host), expected, "{host}");
    }

    #[test]
    fn a_host_matches_itself_and_its_subdomains() {
        check_referrer("www.google.co.uk", Some(("google", "organic")));
        check_referrer("mail.google.com", Some(("gmail", "email")));
        check_referrer("gemini.google.com", Some(("gemini", "chat")));
        check_referrer("l.facebook.com", Some(("facebook", "social")));
        check_referrer("notfacebook.com", None);
        check_referrer("google.evil.example.com", None);
    }

    #[test]
    fn an_unknown_table_is_reported_with_a_suggestion() {
        let sink = Sink::default();
        let text = RuleText { path: "rules/tables/free-mails.txt".into(), text: "x.pl".into() };
        let _ = Tables::decode(&[&text], &sink);
        let found = sink.take();
        assert_eq!(found[0].hint.as_deref(), Some("did you mean `free-mail.txt`?"));
    }
}
