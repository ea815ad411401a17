//! Consents that JSON tells as records: `{"label": "Zgoda na newsletter", "given": false}`.
//!
//! The words of the consent say what was asked, never what was answered, whatever the key beside them is called.

use serde_json::{Map, Value};

use super::json_text::text_of;
use crate::rules::field::fold_header;

/// Beginnings of words of keys below which consents stand,
const ABOUT: &[&str] =
    &["zgod", "optin", "gdpr", "rodo", "dsgvo", "klauzul", "oswiadczen", "regulamin"];
/// what may stand anywhere in such a key (`marketingConsent`),
const ABOUT_ANYWHERE: &[&str] = &[
    "consent",
    "einwillig",
    "zustimm",
    "permission",
    "agreement",
    "acceptance",
    "opt in",
    "privacy",
    "datenschutz",
];
/// the beginning of one that says so only of what is right below it,
const ABOUT_BELOW: &[&str] = &["marketing", "newsletter"];
/// and keys of their words, the most telling first.
const LABELS: &[&str] = &[
    "text",
    "tekst",
    "tresc",
    "content",
    "wording",
    "description",
    "opis",
    "label",
    "etykieta",
    "title",
    "tytul",
    "question",
    "pytanie",
    "name",
    "nazwa",
    "bezeichnung",
    "purpose",
    "cel",
    "type",
    "typ",
    "rodzaj",
    "kind",
    "key",
    "id",
    "slug",
    "channel",
    "kanal",
];
/// Folded keys of an answer, the most telling first.
const ANSWERS: &[&str] = &[
    "accepted",
    "is accepted",
    "isaccepted",
    "given",
    "granted",
    "agreed",
    "consented",
    "checked",
    "is checked",
    "ischecked",
    "selected",
    "answer",
    "odpowiedz",
    "value",
    "values",
    "wartosc",
    "wert",
    "response",
    "status",
    "state",
    "stan",
    "consent",
    "zgoda",
    "zaznaczone",
    "zaakceptowano",
    "zaakceptowana",
    "wyrazona",
    "udzielona",
    "enabled",
    "active",
    "opted in",
    "optedin",
    "optin",
    "opt in",
    "subscribed",
    "allowed",
    "zugestimmt",
    "erteilt",
];

/// Beginnings of folded keys of when, or that, a consent was taken back.
const TAKEN_BACK: &[&str] = &[
    "withdrawn",
    "revoked",
    "wycofan",
    "cofniet",
    "unsubscribed",
    "opted out",
    "optedout",
    "widerrufen",
];

/// Fewest words of a consent's own text.
const TEXT_WORDS_MIN: usize = 4;

/// Returns whether consents stand below `path`.
pub(super) fn is_about(path: &str) -> bool {
    let parts: Vec<String> = path.split('.').map(fold_header).collect();
    let begins = |part: &String, stems: &[&str]| {
        part.split(' ').any(|word| stems.iter().any(|stem| word.starts_with(stem)))
    };
    let is_number = |part: &&String| part.bytes().all(|byte| byte.is_ascii_digit());
    parts
        .iter()
        .any(|part| begins(part, ABOUT) || ABOUT_ANYWHERE.iter().any(|stem| part.contains(stem)))
        || parts
            .iter()
            .rev()
            .find(|part| !is_number(part))
            .is_some_and(|part| begins(part, ABOUT_BELOW))
}

/// Returns the words of the consent that `object` at `path` tells, and what was said to it; an answer that cannot be
/// found is one that is unclear. Nothing where it is no such record.
pub(super) fn said<'v>(path: &str, object: &'v Map<String, Value>) -> Option<(&'v str, String)> {
    let has_records = object.values().any(|value| value.is_object() || value.is_array());
    if !is_about(path) || has_records {
        return None;
    }
    let of = |keys: &[&str]| {
        keys.iter().find_map(|known| object.iter().find(|(key, _)| fold_header(key) == *known))
    };
    let (label_key, label) = LABELS.iter().find_map(|known| {
        let (key, value) = of(&[known])?;
        Some((key, value.as_str().filter(|text| text.chars().any(char::is_alphabetic))?))
    })?;
    let others = || object.iter().filter(|(key, _)| *key != label_key);
    let is_taken_back = |(key, value): (&String, &Value)| {
        let key = fold_header(key);
        let told = text_of(value).unwrap_or_default();
        TAKEN_BACK.iter().any(|stem| key.starts_with(stem))
            && !matches!(&*told, "" | "false" | "0" | "null" | "no" | "nie")
    };
    if others().any(is_taken_back) {
        return Some((label, "withdrawn".to_owned()));
    }
    // Beside a short label stands `"sms": false` of another consent; beside the consent's own words only its answer.
    let is_text = label.split_whitespace().nth(TEXT_WORDS_MIN - 1).is_some();
    let known = of(ANSWERS).filter(|(key, _)| *key != label_key);
    let flag = || others().find(|(_, value)| value.is_boolean()).filter(|_| is_text);
    match known.or_else(flag) {
        Some((_, value)) => Some((label, text_of(value).unwrap_or_default())),
        None if !is_text || others().next().is_none() => None,
        None => Some((label, "?".to_owned())),
    }
}
