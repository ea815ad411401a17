//! Reads one file of `sources/` into a [`SourcePreset`].

use chrono::format::{Item, StrftimeItems};
use chrono_tz::Tz;
use regex::Regex;

use super::{
    Cleaner, ColumnMapping, Escape, Expectation, GENERIC_CSV, GENERIC_JSON, HeaderGroup, IdScope,
    JsonShape, Labels, NamePattern, Pivot, QuestionPair, Recognition, SkipRule, SourcePreset,
    ToldTouch, TouchRule, header_key,
};
use crate::model::consent::{Channel, ConsentState, Purpose};
use crate::model::field;
use crate::model::moment::DateOrder;
use crate::model::row::{ConsentMapping, GENERIC_CONSENT, Role};
use crate::rules::decode::Table;
use crate::rules::diagnostics::did_you_mean;
use crate::rules::field::FieldCatalog;
use crate::rules::field::fold_header;
use crate::rules::pattern;
use crate::rules::touch_kind::{opt_known_touch_kind, touch_kind};
use crate::rules::wording::Wordings;

pub(super) const ROLES: &[(&str, Role)] = &[
    ("full-name", Role::FullName),
    ("account-email", Role::AccountEmail),
    ("account-name", Role::AccountName),
    ("submitted-at", Role::SubmittedAt),
    ("started-at", Role::StartedAt),
    ("submission-id", Role::SubmissionId),
    ("consent", Role::Consent(GENERIC_CONSENT)),
    ("test-marker", Role::TestMarker),
    ("honeypot", Role::Honeypot),
    ("completion", Role::Completion),
    ("landing-url", Role::LandingUrl),
    ("modified-at", Role::ModifiedAt),
    ("volatile", Role::Volatile),
    ("lead-id", Role::LeadId),
    ("event", Role::Event),
    ("event-state", Role::EventState),
    ("event-detail", Role::EventDetail),
    ("event-amount", Role::EventAmount),
    ("event-currency", Role::EventCurrency),
    ("noted-at", Role::NotedAt),
    ("answer", Role::Answer),
];

const DATE_ORDERS: &[(&str, DateOrder)] =
    &[("dmy", DateOrder::Dmy), ("mdy", DateOrder::Mdy), ("unknown", DateOrder::Unknown)];

const SKIP_REASONS: &[(&str, &str)] =
    &[("no-personal-data", "no personal data"), ("not-a-lead", "not a lead")];

const ID_SCOPES: &[(&str, IdScope)] =
    &[("everywhere", IdScope::Everywhere), ("form", IdScope::Form)];

const ESCAPES: &[(&str, Escape)] = &[
    ("doubled", Escape::Doubled),
    ("backslash", Escape::Backslash),
    ("backslash-delimiter", Escape::BackslashDelimiter),
    ("json", Escape::Json),
];

const CLEANERS: &[(&str, Cleaner)] = &[
    ("inner-quotes", Cleaner::InnerQuotes),
    ("backslash-comma", Cleaner::BackslashComma),
    ("trailing-semicolon", Cleaner::TrailingSemicolon),
];

/// Reads the root table of a preset file.
pub(super) fn preset(
    table: &Table<'_>,
    fields: &FieldCatalog,
    wordings: &Wordings,
) -> SourcePreset {
    let (names, consents) = consents(table, wordings);
    let is_contact_list = table.bool_or("contact-list", false);
    let id_field = table
        .opt_string("id-field")
        .and_then(|name| fields.expect(&name, &table.place_of("id-field"), table.sink()));
    let preset = SourcePreset {
        id: table.string("id"),
        name: table.string("name"),
        because: table.string("because"),
        recognize: table.tables("recognize", recognition),
        priority: table.opt_integer("priority").unwrap_or(0),
        columns: table
            .tables("column", |column| column_mapping(column, fields, &names))
            .into_iter()
            .flatten()
            .collect(),
        consents,
        pairs: table.tables("pair", |pair| {
            pair.opt_string("because");
            QuestionPair { questions: pair.string("questions"), answers: pair.string("answers") }
        }),
        zone: zone(table).map(|zone| zone.name().to_owned()),
        id_scope: table.opt_choice("id-scope", ID_SCOPES).unwrap_or_default(),
        date_formats: date_formats(table),
        date_order: table.opt_choice("date-order", DATE_ORDERS).unwrap_or(DateOrder::Unknown),
        counts_from_1904: table.bool_or("days-since-1904", false),
        is_contact_list,
        id_field: id_field.or(is_contact_list.then_some(field::EXTERNAL_ID)),
        ids_as_in: table.opt_string("ids-as-in"),
        tells_enquiries: table.bool_or("enquiries", !is_contact_list),
        tells_events: table.bool_or("events", false),
        told: table.tables("touch", told_touch),
        system: table.opt_string("system"),
        default_source: table.opt_string("source"),
        default_medium: table.opt_string("medium"),
        escape: table.opt_choice("escape", ESCAPES),
        ends_with_newline: table.bool_or("ends-with-newline", false),
        cleaners: table.choices("clean", CLEANERS),
        nulls: table.strings("nulls"),
        json: table.table("json", json_shape).unwrap_or_default(),
        place: table.place().clone(),
    };
    if preset.recognize.is_empty() && preset.id != GENERIC_CSV && preset.id != GENERIC_JSON {
        table.missing("recognize");
    }
    preset
}

fn consents(table: &Table<'_>, wordings: &Wordings) -> (Vec<String>, Vec<ConsentMapping>) {
    table
        .tables("consent", |consent| {
            let affirms = consent.opt_choice("affirms", ConsentState::ALL);
            // A form behind which a mail with a link goes out: until they click it, nothing is agreed to.
            let asks_to_confirm = consent.bool_or("double-opt-in", false);
            if asks_to_confirm && affirms.is_some_and(|state| state != ConsentState::Given) {
                consent.error(
                    "double-opt-in",
                    "`double-opt-in` is for a consent that affirms `given`",
                    Some("leave out one of the two".to_owned()),
                );
            }
            let affirms = affirms.unwrap_or(ConsentState::Given);
            let mapping = ConsentMapping {
                purpose: Purpose::new(&consent.string("purpose")),
                channels: consent.choices("channels", Channel::ALL),
                wording: wording(consent, wordings),
                mechanism: consent.opt_string("mechanism").unwrap_or_else(|| "checkbox".into()),
                policy: consent.opt_string("policy"),
                ip_column: consent.opt_string("ip-column").map(|name| fold_header(&name)),
                proves_nothing: consent.bool_or("pre-ticked", false)
                    | consent.bool_or("bought", false),
                affirms: if asks_to_confirm { ConsentState::DoiSent } else { affirms },
            };
            consent.opt_string("because");
            if mapping.channels.is_empty() {
                consent.missing("channels");
            }
            (consent.string("id"), mapping)
        })
        .into_iter()
        .unzip()
}

/// The words that people agreed to: here, or in a file.
fn wording(consent: &Table<'_>, wordings: &Wordings) -> Option<String> {
    let here = consent.opt_string("wording");
    let Some(name) = consent.opt_string("wording-file") else { return here };
    if here.is_some() {
        let hint = Some("leave out one of the two".to_owned());
        consent.error("wording-file", "the words stand in `wording` already", hint);
    }
    let text = wordings.text(&name);
    if text.is_none() {
        let near = did_you_mean(&name, wordings.names());
        let hint = near.map_or_else(
            || format!("write what people read into wordings/{name}.txt"),
            |near| format!("did you mean `{near}`?"),
        );
        consent.error("wording-file", format!("there is no wordings/{name}.txt"), Some(hint));
    }
    text.map(str::to_owned)
}

fn recognition(table: &Table<'_>) -> Recognition {
    let keys = |name: &str| table.strings(name).iter().map(|text| header_key(text)).collect();
    let recognition = Recognition {
        headers: keys("headers"),
        any_headers: patterns(table, "any-headers"),
        first_header: table.opt_string("first-header").map(|text| header_key(&text)),
        one_of: table.tables("one-of", |one| HeaderGroup {
            names: one.strings("names").iter().map(|name| NamePattern::read(name)).collect(),
            cell: regex(one, "cell"),
        }),
        is_doubtful: table.bool_or("doubtful", false),
        without_headers: patterns(table, "without-headers"),
        last_headers: keys("last-headers"),
        first_cell: regex(table, "first-cell"),
        last_cell: regex(table, "last-cell"),
        cells: table.table("cells", cells).unwrap_or_default(),
        file_name: table.opt_string("file-name"),
        json_keys: table.strings("json-keys"),
        json_equals: table.table("json-equals", expectations).unwrap_or_default(),
    };
    let says_nothing = recognition.headers.is_empty()
        && recognition.any_headers.is_empty()
        && recognition.one_of.is_empty()
        && recognition.first_cell.is_none()
        && recognition.last_cell.is_none()
        && recognition.cells.is_empty()
        && recognition.json_keys.is_empty()
        && recognition.json_equals.is_empty();
    if says_nothing {
        table.sink().error(
            table.place(),
            "nothing in here recognizes a file by its content",
            Some(
                "give headers, any-headers, first-cell, last-cell, cells, json-keys or json-equals"
                    .to_owned(),
            ),
        );
    }
    recognition
}

fn patterns(table: &Table<'_>, key: &str) -> Vec<NamePattern> {
    table.strings(key).iter().map(|name| NamePattern::read(name)).collect()
}

fn regex(table: &Table<'_>, key: &str) -> Option<Regex> {
    let source = table.opt_string(key)?;
    match pattern::compile(&source) {
        Ok(regex) => Some(regex),
        Err(reason) => {
            let hint = Some(pattern::HINT.to_owned());
            table.error(key, format!("the pattern cannot be used: {reason}"), hint);
            None
        }
    }
}

fn cells(table: &Table<'_>) -> Vec<(String, Regex)> {
    let keys = table.keys().into_iter();
    keys.filter_map(|name| Some((header_key(&name), regex(table, &name)?))).collect()
}

fn expectations(table: &Table<'_>) -> Vec<Expectation> {
    table
        .keys()
        .into_iter()
        .map(|path| Expectation { values: table.scalars(&path), path })
        .collect()
}

fn column_mapping(
    table: &Table<'_>,
    fields: &FieldCatalog,
    consents: &[String],
) -> Option<ColumnMapping> {
    let mapping = ColumnMapping {
        names: table.strings("names").iter().map(|name| NamePattern::read(name)).collect(),
        words_max: table
            .opt_integer_in("words-max", 1..=100)
            .and_then(|max| usize::try_from(max).ok()),
        strip: table.strings("strip"),
        nulls: table.strings("nulls"),
        yes: table.strings("yes"),
        zone: zone(table),
        role: Role::Answer,
    };
    table.opt_string("because");
    if mapping.names.is_empty() {
        table.missing("names");
    }
    let field = table.opt_string("field");
    let consent = table.opt_string("consent");
    let role = table.opt_choice("role", ROLES);
    let role = match (field, consent, role) {
        (Some(name), None, None) => {
            fields.expect(&name, &table.place_of("field"), table.sink()).map(Role::Field)
        }
        (None, Some(id), None) => {
            let number = consents.iter().position(|known| *known == id);
            if number.is_none() {
                table.error(
                    "consent",
                    format!("there is no [[consent]] `{id}` in this file"),
                    None,
                );
            }
            number.map(|number| Role::Consent(number as u16))
        }
        (None, None, Some(role)) => Some(role),
        (None, None, None) if table.has("role") => None,
        _ => {
            table.sink().error(
                table.place(),
                "a column needs exactly one of `field`, `role` and `consent`",
                None,
            );
            None
        }
    };
    role.map(|role| ColumnMapping { role, ..mapping })
}

fn told_touch(table: &Table<'_>) -> ToldTouch {
    let is_skip = table.bool_or("skip", false);
    table.opt_string("because");
    let kind = opt_known_touch_kind(table, "kind");
    if is_skip && kind.is_some() {
        let hint = "take one of them out".to_owned();
        table.error("kind", "a row that is left out has no kind".to_owned(), Some(hint));
    } else if !is_skip && !table.has("kind") {
        table.missing("kind");
    }
    ToldTouch {
        event: patterns(table, "event"),
        state: patterns(table, "state"),
        kind: kind.filter(|_| !is_skip).map(str::to_owned),
        is_dated_when_noted: table.bool_or("dated-when-noted", false),
    }
}

fn zone(table: &Table<'_>) -> Option<Tz> {
    let name = table.opt_string("zone")?;
    let zone = name.parse().ok();
    if zone.is_none() {
        table.error(
            "zone",
            format!("`{name}` is not a time zone"),
            Some("write an IANA name such as Europe/Warsaw or UTC".to_owned()),
        );
    }
    zone
}

fn date_formats(table: &Table<'_>) -> Vec<String> {
    let formats = table.located_strings("date-formats");
    for (format, place) in &formats {
        if StrftimeItems::new(format).any(|item| matches!(item, Item::Error)) {
            table.sink().error(
                place,
                format!("`{format}` is not a date format"),
                Some("write it as in %Y-%m-%d %H:%M:%S".to_owned()),
            );
        }
    }
    formats.into_iter().map(|(format, _)| format).collect()
}

fn json_shape(table: &Table<'_>) -> JsonShape {
    JsonShape {
        pivots: table.tables("pivot", |pivot| Pivot {
            list: pivot.string("list"),
            names: pivot.strings("names"),
            values: pivot.strings("values"),
            labels: pivot.table("labels", |labels| Labels {
                list: labels.string("list"),
                id: labels.string("id"),
                label: labels.string("label"),
                reference: labels.string("reference"),
            }),
            role: pivot.opt_choice("role", ROLES),
        }),
        ignore: table.strings("ignore"),
        touches: table.tables("touch", |touch| TouchRule {
            when: touch.table("when", expectations).unwrap_or_default(),
            kind: touch_kind(touch, "kind").to_owned(),
            detail: touch.strings("detail"),
        }),
        skips: table.tables("skip", |skip| SkipRule {
            when: skip.table("when", expectations).unwrap_or_default(),
            without_contact: skip.bool_or("without-contact", false),
            reason: skip.choice("reason", SKIP_REASONS, "not a lead"),
        }),
    }
}
