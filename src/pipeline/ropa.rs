//! The register of processing (GDPR art. 30), as far as the rules say it.
//!
//! What only people can say (transfers, contracts with processors) is left open and named as a gap, never made up.

use crate::model::language::Language;
use crate::rules::RuleSet;
use crate::rules::consent::Gate;

/// What is kept of people, by the fields that hold it.
const CATEGORIES: &[(&str, &str, &[&str])] = &[
    (
        "name and contact",
        "imię, nazwisko i kontakt",
        &["first-name", "last-name", "honorific", "email", "phone", "other-emails", "other-phones"],
    ),
    ("address", "adres", &["street", "postcode", "city", "region", "country"]),
    (
        "work",
        "praca",
        &["company", "job-title", "seniority", "department", "employees", "nip", "website"],
    ),
    ("enquiry", "zapytanie", &["product", "message", "budget", "form-name"]),
    (
        "where they came from",
        "skąd przyszli",
        &["source", "medium", "campaign", "referrer", "landing-page", "gclid", "fbclid"],
    ),
    ("device", "urządzenie", &["ip", "user-agent", "device", "browser", "visitor-id"]),
    ("behavior", "zachowanie", &["page-view", "download", "email-open", "email-click", "video"]),
    (
        "what came of it",
        "przebieg kontaktu",
        &["call", "contacted", "meeting-booked", "meeting-held", "won", "lost"],
    ),
    ("assessment", "ocena", &["score", "segment", "owner", "queue"]),
];

/// What leadmill itself does for safety.
const MEASURES: &[(&str, &str)] = &[
    (
        "store, keys and everything that is put out are readable by their owner alone (0600, 0700)",
        "magazyn danych, klucze i wszystkie pliki wynikowe czyta tylko ich właściciel (0600, 0700)",
    ),
    (
        "deleted data is overwritten (secure_delete), and the file is searched for remains after an erasure",
        "usunięte dane są nadpisywane (secure_delete), a po usunięciu osoby plik jest przeszukiwany pod kątem pozostałości",
    ),
    (
        "erased people are known by keyed hashes alone (HMAC-SHA256); the key lies outside the store",
        "osoby usunięte są rozpoznawane tylko po skrótach z kluczem (HMAC-SHA256); klucz leży poza magazynem",
    ),
    (
        "consents are appended to a ledger and never edited",
        "zgody są dopisywane do rejestru i nigdy nie są zmieniane",
    ),
    (
        "every decision says why; runs can be taken back",
        "każda decyzja ma uzasadnienie, a przebiegi można cofnąć",
    ),
    (
        "nothing is sent over a network; files go where the controller puts them",
        "nic nie jest wysyłane przez sieć; pliki trafiają tam, gdzie umieści je administrator",
    ),
];

/// Returns the register as a table, the header first: section, what, detail, ground.
pub fn register(rules: &RuleSet, language: Language) -> Vec<Vec<String>> {
    let mut register = Register { language, rows: Vec::new() };
    let header =
        [("section", "część"), ("what", "co"), ("detail", "szczegóły"), ("ground", "podstawa")];
    register.rows.push(header.map(|(en, pl)| register.say(en, pl).to_owned()).to_vec());
    register.controller(rules);
    for gate in &rules.consent.gates {
        register.purpose(gate);
    }
    register.categories(rules);
    register.recipients(rules);
    register.retention(rules);
    let section = register.say("security measures", "środki bezpieczeństwa");
    for (en, pl) in MEASURES {
        register.add(section, register.say(en, pl), "", "art. 32");
    }
    let ip = rules.workspace.ip.word();
    register.add(section, "IP", &format!("ip = \"{ip}\""), "art. 5(1)(c)");
    register.rows
}

/// Returns what the register lacks and only people can say, each with where to say it.
pub fn gaps(rules: &RuleSet) -> Vec<&'static str> {
    let controller = &rules.workspace.controller;
    let mut gaps = Vec::new();
    if controller.name.is_none() {
        gaps.push("who answers for the data: `name` in [controller] of rules/workspace.toml");
    }
    if controller.contact.is_none() {
        gaps.push("how they are reached: `contact` in [controller] of rules/workspace.toml");
    }
    if controller.dpo.is_none() {
        gaps.push("the data protection officer, if there is one: `dpo` in [controller]");
    }
    if !rules.retention.rules.iter().any(|rule| rule.is_on) {
        gaps.push("how long data is kept: no rule of rules/retention.toml is on");
    }
    gaps.push("transfers to third countries and processors: leadmill does not know where files go");
    gaps
}

struct Register {
    language: Language,
    rows: Vec<Vec<String>>,
}

impl Register {
    fn say<'t>(&self, english: &'t str, polish: &'t str) -> &'t str {
        if self.language == Language::Polish { polish } else { english }
    }

    fn add(&mut self, section: &str, what: &str, detail: &str, ground: &str) {
        self.rows.push([section, what, detail, ground].map(str::to_owned).to_vec());
    }

    fn controller(&mut self, rules: &RuleSet) {
        let section = self.say("controller", "administrator").to_owned();
        let missing = self.say("not said", "nie podano").to_owned();
        let controller = &rules.workspace.controller;
        for (what, value) in [
            (self.say("name", "nazwa").to_owned(), &controller.name),
            (self.say("contact", "kontakt").to_owned(), &controller.contact),
            (
                self.say("data protection officer", "inspektor ochrony danych").to_owned(),
                &controller.dpo,
            ),
        ] {
            self.add(&section, &what, value.as_deref().unwrap_or(&missing), "art. 30(1)(a)");
        }
    }

    fn purpose(&mut self, gate: &Gate) {
        let section = self.say("purposes", "cele").to_owned();
        let channels: Vec<&str> = gate.channels.iter().map(|one| one.word()).collect();
        let what = format!("{} ({})", gate.purpose, channels.join(", "));
        let detail = format!("{}: {}", gate.requires.word(), gate.because);
        self.add(&section, &what, &detail, gate.source.as_deref().unwrap_or_default());
    }

    fn categories(&mut self, rules: &RuleSet) {
        let people = self.say("people", "osoby").to_owned();
        let who = self.say(
            "people who sent an enquiry, and contacts of a CRM or a mailing list",
            "osoby, które wysłały zapytanie, oraz kontakty z CRM lub listy mailingowej",
        );
        let who = who.to_owned();
        self.add(&people, &who, "", "art. 30(1)(c)");
        let section = self.say("data", "dane").to_owned();
        for (en, pl, fields) in CATEGORIES {
            let what = self.say(en, pl).to_owned();
            self.add(&section, &what, &fields.join(", "), "art. 30(1)(c)");
        }
        let core = crate::model::field::CORE.len();
        let own: Vec<&str> =
            rules.fields.iter().skip(core).map(|(_, field)| field.name.as_str()).collect();
        if !own.is_empty() {
            let what = self.say("fields of your own", "pola własne").to_owned();
            self.add(&section, &what, &own.join(", "), "art. 30(1)(c)");
        }
        let section = self.say("sources", "źródła").to_owned();
        for preset in rules.sources.iter() {
            self.add(&section, &preset.id, &preset.name, "art. 14(2)(f)");
        }
    }

    fn recipients(&mut self, rules: &RuleSet) {
        let section = self.say("recipients", "odbiorcy").to_owned();
        for target in rules.targets.iter() {
            self.add(&section, &target.id, &target.file, "art. 30(1)(d)");
        }
        let owners: Vec<&str> =
            rules.routing.owners.iter().map(|owner| owner.id.as_str()).collect();
        let what = self.say("owners of leads", "opiekunowie leadów").to_owned();
        self.add(&section, &what, &owners.join(", "), "art. 30(1)(d)");
    }

    fn retention(&mut self, rules: &RuleSet) {
        let section = self.say("how long", "okres przechowywania").to_owned();
        for rule in &rules.retention.rules {
            let state = if rule.is_on {
                self.say("on", "włączona")
            } else {
                self.say("off", "wyłączona")
            };
            let days = rule.keep_seconds / 86_400;
            let what = format!("{}: {}, {days} d ({state})", rule.id, rule.of.word());
            let detail = format!("{}: {}", rule.then.word(), rule.because);
            self.add(&section, &what, &detail, rule.source.as_deref().unwrap_or_default());
        }
    }
}
