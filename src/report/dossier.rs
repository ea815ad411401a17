//! Everything that is known about a person, for the person: what `subject export` gives out (GDPR art. 15 and 20).
//!
//! The JSON is for programs; the page is for somebody who has never heard of leads, in Polish or English.

use anyhow::Result;
use serde::Serialize;

use super::html;
use crate::model::language::Language;

/// Everything that is known about a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dossier {
    /// Version of the form of this file.
    pub format: &'static str,
    /// As of when, RFC 3339.
    pub as_of: String,
    /// Who answers for the data, as the rules say; empty where they do not.
    pub controller: Vec<(String, String)>,
    /// Ids that were given out for the person, the one in use first.
    pub ids: Vec<String>,
    /// What is held to be true of them.
    pub values: Vec<KnownValue>,
    /// Every address, number and record id that they were ever given.
    pub identifiers: Vec<KnownIdentifier>,
    /// The rows that were received, as they came.
    pub rows: Vec<ReceivedRow>,
    /// What they did on the site or with mails, and what the sales side did.
    pub touches: Vec<DidThis>,
    /// What was decided about them, the latest first.
    pub decisions: Vec<DecidedThis>,
    /// What is to be done or was.
    pub tasks: Vec<ToDo>,
    /// What they agreed to or refused.
    pub consents: Vec<SaidYesOrNo>,
    /// What somebody said about whether rows are theirs.
    pub statements: Vec<String>,
    /// For what their data may be used, and on what ground.
    pub purposes: Vec<UsedFor>,
    /// Files that name them and were put out for others.
    pub recipients: Vec<GivenTo>,
}

/// A value, and the row that it was taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownValue {
    /// Field.
    pub field: String,
    /// Value.
    pub value: String,
    /// `file:line`.
    pub from: String,
}

/// An address, a number or a record id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownIdentifier {
    /// What it is.
    pub kind: String,
    /// The value.
    pub value: String,
    /// When it was first seen.
    pub first_seen: String,
    /// When it was last seen.
    pub last_seen: String,
    /// The source that gave it.
    pub source: String,
}

/// A row as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceivedRow {
    /// `file:line`.
    pub place: String,
    /// The source that it came from.
    pub source: String,
    /// When it was sent; empty where nobody knows.
    pub sent_at: String,
    /// `accepted`, `quarantined` or `held`.
    pub status: &'static str,
    /// The row as received, cell by cell.
    pub received: serde_json::Value,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DidThis {
    /// When.
    pub at: String,
    /// What.
    pub kind: String,
    /// Which page, mail, meeting.
    pub detail: String,
    /// How it is known to be theirs.
    pub known_by: String,
}

/// A decision, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecidedThis {
    /// When.
    pub at: String,
    /// Points.
    pub score: i64,
    /// Segment.
    pub segment: String,
    /// Who has the lead, or in which queue it waits.
    pub with: String,
    /// Why there.
    pub routing: String,
    /// Points with the reason of each.
    pub reasons: Vec<(i32, String)>,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToDo {
    /// What.
    pub subject: String,
    /// How it reaches the person.
    pub channel: String,
    /// By when.
    pub due: String,
    /// Where it stands.
    pub state: String,
    /// Why.
    pub because: String,
}

/// A consent, a refusal, a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaidYesOrNo {
    /// When.
    pub at: String,
    /// What for.
    pub purpose: String,
    /// Through which channel.
    pub channel: String,
    /// What they said.
    pub state: String,
    /// The text that they saw.
    pub wording: String,
    /// How they said it.
    pub mechanism: String,
    /// `file:line`.
    pub place: String,
}

/// A purpose, and what the rules ask for before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsedFor {
    /// What for.
    pub purpose: String,
    /// Through which channels; empty for all.
    pub channels: String,
    /// What must be on record.
    pub requires: String,
    /// Why.
    pub because: String,
    /// Where that is written.
    pub source: String,
}

/// A file that names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenTo {
    /// The run that put it out.
    pub run: String,
    /// The file.
    pub file: String,
    /// For whom it is, where the rules say.
    pub target: String,
    /// Rows that name them.
    pub rows: u64,
}

/// A part of the page.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    title: &'static str,
    note: &'static str,
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Dossier {
    /// Returns the dossier as JSON.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Returns the dossier as a page of its own, without scripts and without anything from a network.
    pub fn to_html(&self, language: Language) -> Result<String> {
        let say = |english, polish| in_words(language, english, polish);
        let title = say("What we know about you", "Co o Pani/Panu wiemy");
        let mut lead_in = vec![format!(
            "{} {}. {} {}.",
            say("As of", "Stan na"),
            self.as_of,
            say("You are known here as", "Oznaczenie w naszych zbiorach:"),
            self.ids.join(", ")
        )];
        lead_in.extend(self.controller.iter().map(|(what, who)| format!("{what}: {who}")));
        lead_in.push(rights(language).to_owned());
        let sections = self.sections(language);
        html::render_dossier(language, title, &lead_in, &sections, say("Nothing.", "Brak."))
    }

    fn sections(&self, language: Language) -> Vec<Section> {
        let say = |english, polish| in_words(language, english, polish);
        vec![
            self.values_section(language),
            self.identifiers_section(language),
            self.rows_section(language),
            Section {
                title: say(
                    "What you did, and what we did with you",
                    "Co Pani/Pan zrobił(a) i co zrobiliśmy my",
                ),
                note: say(
                    "Page views, downloads, mails that were opened, calls and meetings.",
                    "Odwiedzone strony, pobrane pliki, otwarte wiadomości, rozmowy i spotkania.",
                ),
                header: vec![
                    say("when", "kiedy"),
                    say("what", "co"),
                    say("about", "czego dotyczy"),
                    say("how we know that it was you", "skąd wiemy, że to Pani/Pan"),
                ],
                rows: cells(&self.touches, |one| {
                    vec![one.at.clone(), one.kind.clone(), one.detail.clone(), one.known_by.clone()]
                }),
            },
            self.decisions_section(language),
            Section {
                title: say("What we planned", "Co zaplanowaliśmy"),
                note: say(
                    "Calls and mails that follow from your enquiry.",
                    "Telefony i wiadomości, które wynikają z zapytania.",
                ),
                header: vec![
                    say("what", "co"),
                    say("how", "jak"),
                    say("by when", "do kiedy"),
                    say("state", "stan"),
                    say("because", "dlaczego"),
                ],
                rows: cells(&self.tasks, |one| {
                    vec![
                        one.subject.clone(),
                        one.channel.clone(),
                        one.due.clone(),
                        one.state.clone(),
                        one.because.clone(),
                    ]
                }),
            },
            self.consents_section(language),
            self.purposes_section(language),
            self.recipients_section(language),
        ]
    }

    fn values_section(&self, language: Language) -> Section {
        let say = |english, polish| in_words(language, english, polish);
        Section {
            title: say("What we hold to be true", "Dane, które uznajemy za aktualne"),
            note: say(
                "Each value with the row of an export that it was taken from.",
                "Każda wartość z wierszem pliku, z którego pochodzi.",
            ),
            header: vec![say("what", "co"), say("value", "wartość"), say("from", "skąd")],
            rows: cells(&self.values, |one| {
                vec![field_word(language, &one.field), one.value.clone(), one.from.clone()]
            }),
        }
    }

    fn identifiers_section(&self, language: Language) -> Section {
        let say = |english, polish| in_words(language, english, polish);
        Section {
            title: say("Addresses and numbers", "Adresy i numery"),
            note: say(
                "All that we were ever given, also earlier ones.",
                "Wszystkie, jakie kiedykolwiek otrzymaliśmy, także dawne.",
            ),
            header: vec![
                say("what", "co"),
                say("value", "wartość"),
                say("first seen", "po raz pierwszy"),
                say("last seen", "po raz ostatni"),
                say("source", "źródło"),
            ],
            rows: cells(&self.identifiers, |one| {
                vec![
                    field_word(language, &one.kind),
                    one.value.clone(),
                    one.first_seen.clone(),
                    one.last_seen.clone(),
                    one.source.clone(),
                ]
            }),
        }
    }

    fn rows_section(&self, language: Language) -> Section {
        let say = |english, polish| in_words(language, english, polish);
        Section {
            title: say("Where it came from", "Skąd mamy dane"),
            note: say(
                "Forms, advertisements and lists, each row as we received it.",
                "Formularze, reklamy i listy; każdy wiersz tak, jak go otrzymaliśmy.",
            ),
            header: vec![
                say("sent", "wysłano"),
                say("source", "źródło"),
                say("file and line", "plik i wiersz"),
                say("what became of it", "co się z nim stało"),
                say("as received", "treść"),
            ],
            rows: cells(&self.rows, |one| {
                vec![
                    one.sent_at.clone(),
                    one.source.clone(),
                    one.place.clone(),
                    one.status.to_owned(),
                    received_text(&one.received),
                ]
            }),
        }
    }

    fn decisions_section(&self, language: Language) -> Section {
        let say = |english, polish| in_words(language, english, polish);
        Section {
            title: say("What was decided, and why", "Co zdecydowano i dlaczego"),
            note: say(
                "Rules give points for what we know; they say how soon somebody calls you and who. No decision with \
                 legal effect for you is made by a machine alone.",
                "Reguły przyznają punkty za to, co wiemy; od nich zależy, jak szybko i kto się odezwie. Żadna decyzja \
                 wywołująca skutki prawne nie zapada wyłącznie automatycznie.",
            ),
            header: vec![
                say("when", "kiedy"),
                say("points", "punkty"),
                say("with", "kto się zajmuje"),
                say("points for", "za co punkty"),
            ],
            rows: cells(&self.decisions, |one| {
                let reasons = one.reasons.iter().map(|(points, why)| format!("{points:+} {why}"));
                vec![
                    one.at.clone(),
                    format!("{} ({})", one.score, one.segment),
                    one.with.clone(),
                    reasons.collect::<Vec<_>>().join("; "),
                ]
            }),
        }
    }

    fn consents_section(&self, language: Language) -> Section {
        let say = |english, polish| in_words(language, english, polish);
        Section {
            title: say("What you agreed to", "Na co Pani/Pan się zgodził(a)"),
            note: say(
                "Every answer with the text that was shown. You may take a consent back at any time.",
                "Każda odpowiedź z treścią, która była pokazana. Zgodę można wycofać w każdej chwili.",
            ),
            header: vec![
                say("when", "kiedy"),
                say("what for", "cel"),
                say("through", "kanał"),
                say("answer", "odpowiedź"),
                say("text", "treść"),
                say("how", "w jaki sposób"),
                say("file and line", "plik i wiersz"),
            ],
            rows: cells(&self.consents, |one| {
                vec![
                    one.at.clone(),
                    one.purpose.clone(),
                    one.channel.clone(),
                    one.state.clone(),
                    one.wording.clone(),
                    one.mechanism.clone(),
                    one.place.clone(),
                ]
            }),
        }
    }

    fn purposes_section(&self, language: Language) -> Section {
        let say = |english, polish| in_words(language, english, polish);
        Section {
            title: say("What we may use it for", "Do czego możemy używać danych"),
            note: say(
                "Each purpose, what must be on record for it, and the law behind it.",
                "Każdy cel, co musi być odnotowane, i podstawa prawna.",
            ),
            header: vec![
                say("what for", "cel"),
                say("through", "kanał"),
                say("needs", "wymaga"),
                say("because", "dlaczego"),
                say("law", "podstawa"),
            ],
            rows: cells(&self.purposes, |one| {
                vec![
                    one.purpose.clone(),
                    one.channels.clone(),
                    one.requires.clone(),
                    one.because.clone(),
                    one.source.clone(),
                ]
            }),
        }
    }

    fn recipients_section(&self, language: Language) -> Section {
        let say = |english, polish| in_words(language, english, polish);
        Section {
            title: say("Who was given it", "Komu przekazano dane"),
            note: say(
                "Files that name you and were made for other programs or people.",
                "Pliki z Pani/Pana danymi przygotowane dla innych programów lub osób.",
            ),
            header: vec![
                say("run", "przebieg"),
                say("file", "plik"),
                say("for", "dla"),
                say("rows", "wierszy"),
            ],
            rows: cells(&self.recipients, |one| {
                vec![one.run.clone(), one.file.clone(), one.target.clone(), one.rows.to_string()]
            }),
        }
    }
}

fn cells<T>(all: &[T], row: impl Fn(&T) -> Vec<String>) -> Vec<Vec<String>> {
    all.iter().map(row).collect()
}

fn in_words(language: Language, english: &'static str, polish: &'static str) -> &'static str {
    match language {
        Language::English => english,
        Language::Polish => polish,
    }
}

fn rights(language: Language) -> &'static str {
    in_words(
        language,
        "You may have this corrected, erased or moved elsewhere, have its use restricted, object to it, take a \
         consent back, and complain to the supervisory authority.",
        "Ma Pani/Pan prawo do sprostowania, usunięcia i przeniesienia danych, ograniczenia ich przetwarzania, \
         sprzeciwu, wycofania zgody oraz skargi do Prezesa UODO.",
    )
}

/// Words for the fields that people know under another name: field, English, Polish.
const FIELD_WORDS: &[(&str, &str, &str)] = &[
    ("email", "e-mail address", "adres e-mail"),
    ("phone", "telephone number", "numer telefonu"),
    ("first-name", "first name", "imię"),
    ("last-name", "last name", "nazwisko"),
    ("honorific", "form of address", "zwrot grzecznościowy"),
    ("company", "company", "firma"),
    ("nip", "tax number (NIP)", "NIP"),
    ("website", "web site", "strona internetowa"),
    ("job-title", "job title", "stanowisko"),
    ("employees", "employees", "liczba pracowników"),
    ("street", "street", "ulica"),
    ("postcode", "postcode", "kod pocztowy"),
    ("city", "city", "miejscowość"),
    ("region", "region", "województwo"),
    ("country", "country", "kraj"),
    ("language", "language", "język"),
    ("product", "asked about", "zapytanie o"),
    ("message", "message", "wiadomość"),
    ("budget", "budget", "budżet"),
    ("external-id", "record number in a CRM", "numer w systemie CRM"),
    ("source", "came by", "źródło"),
    ("campaign", "campaign", "kampania"),
    ("ip", "IP address", "adres IP"),
    ("user-agent", "browser, as it names itself", "przeglądarka, jak się przedstawia"),
    ("visitor-id", "number of your browser", "numer przeglądarki"),
    ("other-emails", "further e-mail addresses", "inne adresy e-mail"),
    ("other-phones", "further telephone numbers", "inne numery telefonu"),
];

fn field_word(language: Language, field: &str) -> String {
    let known = FIELD_WORDS.iter().find(|(name, _, _)| *name == field);
    known.map_or_else(
        || field.replace('-', " "),
        |(_, en, pl)| in_words(language, en, pl).to_owned(),
    )
}

/// Returns a row as text: `column: value; …`, or its cells where nobody named them.
fn received_text(received: &serde_json::Value) -> String {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match received {
        serde_json::Value::Object(cells) => {
            let filled = cells.iter().filter(|(_, value)| !text(value).is_empty());
            filled
                .map(|(name, value)| format!("{name}: {}", text(value)))
                .collect::<Vec<_>>()
                .join("; ")
        }
        serde_json::Value::Array(cells) => {
            cells.iter().map(text).filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("; ")
        }
        other => text(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dossier() -> Dossier {
        Dossier {
            format: "leadmill-subject-1",
            as_of: "2026-11-20T19:00:00Z".to_owned(),
            controller: vec![("controller".to_owned(), "Przykład sp. z o.o.".to_owned())],
            ids: vec!["LM-0123456789AB".to_owned()],
            values: vec![KnownValue {
                field: "first-name".to_owned(),
                value: "<b>Żaneta</b>".to_owned(),
                from: "a.csv:2".to_owned(),
            }],
            identifiers: Vec::new(),
            rows: Vec::new(),
            touches: Vec::new(),
            decisions: Vec::new(),
            tasks: Vec::new(),
            consents: Vec::new(),
            statements: Vec::new(),
            purposes: Vec::new(),
            recipients: Vec::new(),
        }
    }

    #[test]
    fn the_page_speaks_the_language_and_takes_nothing_for_markup() {
        let polish = dossier().to_html(Language::Polish).unwrap();
        assert!(polish.contains("<html lang=\"pl\">") && polish.contains("imię"), "{polish}");
        assert!(!polish.contains("<b>") && polish.contains("&lt;b&gt;"), "{polish}");
        let english = dossier().to_html(Language::English).unwrap();
        assert!(english.contains("What we know about you") && english.contains("first name"));
        assert!(!english.contains("<script"), "{english}");
    }

    #[test]
    fn a_row_is_told_cell_by_cell() {
        let named = serde_json::json!({"E-mail": "a@b.example", "Firma": "", "Lata": 5});
        assert_eq!(received_text(&named), "E-mail: a@b.example; Lata: 5");
        assert_eq!(received_text(&serde_json::json!(["1", "", "x"])), "1; x");
    }
}
