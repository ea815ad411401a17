//! What a row becomes that tells what somebody did.

use chrono::{TimeDelta, TimeZone as _, Utc};

use super::fingerprint::native_id;
use super::{Normalizer, ToldApart, email, fingerprint, moment, number};
use crate::model::blank::trim;
use crate::model::field::{self, FieldNo};
use crate::model::ids::{Fingerprint, LeadId};
use crate::model::outcome::Rejection;
use crate::model::row::{Cell, Role, RowTouch};
use crate::model::submission::RowVerdict;
use crate::model::touch::{DealAmount, Identity, IdentityKind, Touch};
use crate::rules::field::fold_header;
use crate::rules::source::{NamePattern, ToldTouch, header_key};

/// Nobody was tracked before; a time before it is a counter's start or a broken clock.
const FIRST_YEAR: i32 = 2000;

/// Days that a touch may be ahead of its receipt. No zone and no wrong clock explains more, while files of later
/// days are looked at with an earlier `--as-of`.
const DAYS_AHEAD_MAX: i64 = 366;

/// Ids by which trackers and scripts say that they know nobody.
const NOBODY: &[&str] = &[
    "null",
    "undefined",
    "none",
    "nil",
    "nan",
    "n/a",
    "na",
    "unknown",
    "anonymous",
    "guest",
    "(not set)",
    "not set",
    "(none)",
    "true",
    "false",
    "[object object]",
    "-1",
];

/// What people fill in and events do not carry: a row with any of them is somebody's form.
const OF_FORMS: &[FieldNo] =
    &[field::FIRST_NAME, field::LAST_NAME, field::MESSAGE, field::FORM_NAME, field::COMPANY];

/// Judges a row of a source that tells what people did.
///
/// The strongest identities come first, none twice. A row without any of them, or without a time at which it can
/// have happened, goes to quarantine.
pub(super) fn judge(normalizer: &Normalizer<'_>, touch: RowTouch, cells: &[Cell]) -> RowVerdict {
    let is_named_by_row = touch.kind.is_empty();
    if is_named_by_row && let Some(rejection) = form_among_events(cells) {
        return RowVerdict::Quarantined(rejection);
    }
    let told = match told_by(normalizer, cells).filter(|_| is_named_by_row) {
        Some(ToldTouch { kind: None, .. }) => return RowVerdict::Skipped(NOT_DONE_YET),
        told => told,
    };
    let is_dated_when_noted = told.is_some_and(|told| told.is_dated_when_noted);
    let at_ms = match time(normalizer, cells, is_dated_when_noted) {
        Ok(at_ms) => at_ms,
        Err(rejection) => return RowVerdict::Quarantined(rejection),
    };
    let identities = identities(normalizer, cells);
    if identities.is_empty() {
        return RowVerdict::Quarantined(Rejection {
            code: "touch-of-nobody",
            column: String::new(),
            value: String::new(),
            message: "the event says nobody's e-mail address, phone number or id, so it can join no lead; export \
                      one of them with it, or map its column in the source's preset"
                .to_owned(),
        });
    }
    let RowTouch { kind, detail } = match told.and_then(|told| told.kind.as_ref()) {
        Some(kind) => RowTouch {
            kind: kind.clone(),
            detail: detail(normalizer, cells).unwrap_or_default().to_owned(),
        },
        None if is_named_by_row => match named(normalizer, cells) {
            Ok(named) => named,
            Err(rejection) => return RowVerdict::Quarantined(rejection),
        },
        None => touch,
    };
    let fingerprint = match native_id(cells).filter(|_| told.is_some()) {
        Some(id) => fingerprint_of_record(normalizer, &id, at_ms, &kind),
        None => fingerprint_of(normalizer, is_named_by_row, cells, &kind, &detail),
    };
    let amount = amount(normalizer, cells);
    RowVerdict::Touch(Touch { fingerprint, at_ms, kind, detail, amount, identities })
}

/// Why a row of a source of events may be left out: a deal that is open, a call that is planned. Once something has
/// come of it, the row says so and is another one.
const NOT_DONE_YET: &str = "nothing done yet";

/// Returns what the words in several columns tell together, by the first of the preset's rules whose words are there.
fn told_by<'a>(normalizer: &Normalizer<'a>, cells: &[Cell]) -> Option<&'a ToldTouch> {
    let says = |role: Role, wanted: &[NamePattern]| {
        let mut said = cells.iter().filter(|cell| cell.role == role).peekable();
        let fits = |text: &str| wanted.iter().any(|pattern| pattern.fits(&header_key(text)));
        wanted.is_empty() || said.peek().is_none() && fits("") || said.any(|cell| fits(&cell.text))
    };
    let mut told = normalizer.source.told.iter();
    told.find(|told| says(Role::Event, &told.event) && says(Role::EventState, &told.state))
}

/// Returns what makes it the same touch when a CRM exports its record again, with another subject, in another language
/// or with other columns; a meeting that was booked and then held is two touches.
fn fingerprint_of_record(
    normalizer: &Normalizer<'_>,
    id: &str,
    at_ms: i64,
    kind: &str,
) -> Fingerprint {
    let shown =
        |column: &str, text: String| Cell { column: column.into(), role: Role::Answer, text };
    let counted = [
        shown("record", id.to_owned()),
        shown("touch at", at_ms.to_string()),
        shown("touch kind", kind.to_owned()),
    ];
    fingerprint(normalizer.source.source_id, &counted, ToldApart::ByContent)
}

/// Returns what makes it the same event when it is received again: the id of a tracker that gives every event one
/// of its own. Of other ids nobody knows what they number (a mailer's is the mail's, whatever was done with it), so
/// they count together with the time and what was done; and without an id two events of one instant may differ
/// only in what the preset takes for their detail.
fn fingerprint_of(
    normalizer: &Normalizer<'_>,
    is_named_by_row: bool,
    cells: &[Cell],
    kind: &str,
    detail: &str,
) -> Fingerprint {
    let (source, told_apart) = (normalizer.source.source_id, normalizer.told_apart());
    let has_id = native_id(cells).is_some();
    if has_id && !is_named_by_row && told_apart != ToldApart::ByContent {
        return fingerprint(source, cells, told_apart);
    }
    let counts = |cell: &&Cell| {
        !(has_id && is_named_by_row) || matches!(cell.role, Role::SubmissionId | Role::SubmittedAt)
    };
    let mut counted: Vec<Cell> = cells.iter().filter(counts).cloned().collect();
    let shown = |column: &str, text: &str| Cell {
        column: column.into(),
        role: Role::Answer,
        text: text.to_owned(),
    };
    counted.extend([shown("touch kind", kind), shown("touch detail", detail)]);
    fingerprint(source, &counted, ToldApart::ByContent)
}

fn form_among_events(cells: &[Cell]) -> Option<Rejection> {
    let is_of_form = |cell: &&Cell| match cell.role {
        Role::FullName => true,
        Role::Field(field) => OF_FORMS.contains(&field),
        _ => false,
    };
    cells.iter().find(is_of_form).map(|cell| Rejection {
        code: "touch-or-lead",
        column: cell.column.to_string(),
        value: cell.text.clone(),
        message: "the row has what people fill in, among events that only tell what they did; if it is a lead, \
                  import the file with --source generic-csv, or generic-json for JSON"
            .to_owned(),
    })
}

/// Returns the cells of a role, those first whose columns the preset names first.
fn in_preset_order<'c>(
    normalizer: &Normalizer<'_>,
    cells: &'c [Cell],
    role: Role,
) -> Vec<&'c Cell> {
    let mut found: Vec<&Cell> = cells.iter().filter(|cell| cell.role == role).collect();
    let mappings = || normalizer.source.columns.iter().filter(|mapping| mapping.role == role);
    if found.len() > 1 && mappings().count() > 1 {
        found.sort_by_cached_key(|cell| {
            mappings().position(|mapping| mapping.is_named(&cell.column)).unwrap_or(usize::MAX)
        });
    }
    found
}

/// Returns when it happened; what is dated when it was noted, and what says no other time, when it was written down.
fn time(
    normalizer: &Normalizer<'_>,
    cells: &[Cell],
    is_dated_when_noted: bool,
) -> Result<i64, Rejection> {
    let reject = |cell: Option<&Cell>, message: String| Rejection {
        code: "touch-time",
        column: cell.map_or_else(String::new, |cell| cell.column.to_string()),
        value: cell.map_or_else(String::new, |cell| cell.text.clone()),
        message,
    };
    let mut times =
        [Role::SubmittedAt, Role::NotedAt].map(|role| in_preset_order(normalizer, cells, role));
    if is_dated_when_noted {
        times.reverse();
    }
    let times = times.concat();
    let read = |cell: &Cell| {
        let style = normalizer.time_style(&cell.column);
        moment::parse(&cell.text, style).ok().map(|(moment, _)| moment.epoch_ms)
    };
    let Some((cell, at_ms)) = times.iter().find_map(|cell| Some((*cell, read(cell)?))) else {
        let message = "the event says no time that can be read; export it as in 2026-03-10T12:00:00Z, or map its \
                       column in the source's preset";
        return Err(reject(times.first().copied(), message.to_owned()));
    };
    let first = Utc.with_ymd_and_hms(FIRST_YEAR, 1, 1, 0, 0, 0).single();
    let last = normalizer.source.received_at + TimeDelta::days(DAYS_AHEAD_MAX);
    let is_possible = first.is_none_or(|first| at_ms >= first.timestamp_millis())
        && at_ms <= last.timestamp_millis();
    if is_possible {
        return Ok(at_ms);
    }
    let message = format!(
        "nothing can have happened then: times count from {FIRST_YEAR} to a year after the import; correct the \
         time, or the zone or date order of the source's preset"
    );
    Err(reject(Some(cell), message))
}

fn identities(normalizer: &Normalizer<'_>, cells: &[Cell]) -> Vec<Identity> {
    let mut identities = Vec::new();
    let country = country(normalizer, cells);
    for cell in cells {
        let text = trim(&cell.text);
        let id = |kind| (!is_nobodys(text)).then(|| Identity::new(kind, text));
        match cell.role {
            // An id of another system under that name is a record id of its.
            Role::LeadId => identities.extend(match text.parse::<LeadId>() {
                Ok(lead) => Some(Identity::new(IdentityKind::Lead, lead.to_string())),
                Err(_) => id(IdentityKind::External),
            }),
            // A deal names all of its contacts in one cell.
            Role::Field(field::EXTERNAL_ID) => identities.extend(
                text.split(';')
                    .map(trim)
                    .filter(|id| !is_nobodys(id))
                    .map(|id| Identity::new(IdentityKind::External, id)),
            ),
            Role::Field(field::USER_ID) => identities.extend(id(IdentityKind::User)),
            Role::Field(field::VISITOR_ID) => identities.extend(id(IdentityKind::Visitor)),
            Role::Field(field::EMAIL) => identities.extend(
                email::parse(text, normalizer.tables)
                    .ok()
                    .map(|email| Identity::new(IdentityKind::Email, email.address)),
            ),
            Role::Field(field::PHONE) => identities.extend(
                normalizer
                    .phone(text, country.as_deref())
                    .ok()
                    .map(|phone| Identity::new(IdentityKind::Phone, phone.e164)),
            ),
            _ => {}
        }
    }
    // Many apps take the address itself for the user id.
    let addresses =
        identities.iter().filter(|one| one.kind == IdentityKind::User).filter_map(|one| {
            let email =
                one.value.contains('@').then(|| email::parse(&one.value, normalizer.tables).ok());
            email.flatten().map(|email| Identity::new(IdentityKind::Email, email.address))
        });
    let addresses: Vec<Identity> = addresses.collect();
    identities.extend(addresses);
    identities.sort_unstable();
    identities.dedup();
    identities
}

/// Returns the first country that the row names, which tells how a national number is dialled.
fn country(normalizer: &Normalizer<'_>, cells: &[Cell]) -> Option<String> {
    let mut named = cells.iter().filter(|cell| cell.role == Role::Field(field::COUNTRY));
    named.find_map(|cell| normalizer.canonical(&cell.text, field::COUNTRY).ok().flatten())
}

/// Returns whether `id` is one that everybody gets who is not known.
fn is_nobodys(id: &str) -> bool {
    let has_sign = id.chars().any(|c| c.is_alphanumeric() && c != '0');
    !has_sign || NOBODY.contains(&id.to_lowercase().as_str())
}

/// Returns what the event was about: a page or link before all else.
fn detail<'c>(normalizer: &Normalizer<'_>, cells: &'c [Cell]) -> Option<&'c str> {
    let details = in_preset_order(normalizer, cells, Role::EventDetail);
    let texts = || details.iter().map(|cell| trim(&cell.text)).filter(|text| !text.is_empty());
    let is_place = |text: &&str| text.starts_with('/') || text.contains("://");
    let pages = [Role::LandingUrl, Role::Field(field::LANDING_PAGE)];
    let page = || {
        let found = pages.iter().flat_map(|role| cells.iter().filter(|cell| cell.role == *role));
        let mut found = found.map(|cell| trim(&cell.text));
        found.find(|text| !text.is_empty())
    };
    texts().find(is_place).or_else(|| texts().next()).or_else(page)
}

/// Returns what the deal came to, by the first column that says it: one number above zero, which is what a CRM shows
/// where nobody has written down any. The currency stands beside it, or in a column of its own.
fn amount(normalizer: &Normalizer<'_>, cells: &[Cell]) -> Option<DealAmount> {
    let amounts = in_preset_order(normalizer, cells, Role::EventAmount);
    let amount = amounts.iter().find_map(|cell| {
        let amount = number::money(&cell.text)?;
        let is_one = amount.upper.is_none() && !amount.is_product;
        (is_one && amount.value.parse::<f64>().is_ok_and(|value| value > 0.0)).then_some(amount)
    })?;
    let named = || {
        let mut columns = cells.iter().filter(|cell| cell.role == Role::EventCurrency);
        columns.find_map(|cell| number::currency_code(&cell.text))
    };
    let currency = amount.currency.map(str::to_owned).or_else(named).unwrap_or_default();
    Some(DealAmount { value: amount.value, currency })
}

/// Returns the kind and the detail of an event that a column names.
fn named(normalizer: &Normalizer<'_>, cells: &[Cell]) -> Result<RowTouch, Rejection> {
    let first = |role: Role| {
        cells
            .iter()
            .filter(|cell| cell.role == role)
            .map(|cell| trim(&cell.text))
            .find(|text| !text.is_empty())
    };
    let detail = detail(normalizer, cells);
    let kind_of = |event: &str| normalizer.tables.touch_kind(&fold_header(event));
    let events = cells.iter().filter(|cell| cell.role == Role::Event);
    let known = events.map(|cell| trim(&cell.text)).find(|event| kind_of(event).is_some());
    let Some(event) = known.or_else(|| first(Role::Event)) else {
        return detail.filter(|_| normalizer.source.told.is_empty()).map_or_else(
            || {
                Err(Rejection {
                    code: "touch-without-name",
                    column: String::new(),
                    value: String::new(),
                    message: "the event has no name, and no page that could stand for one; export one of them with it, \
                              or map its column in the source's preset"
                        .to_owned(),
                })
            },
            |page| Ok(RowTouch { kind: "page-view".to_owned(), detail: page.to_owned() }),
        );
    };
    Ok(match kind_of(event) {
        Some(kind) => {
            RowTouch { kind: kind.to_owned(), detail: detail.unwrap_or_default().to_owned() }
        }
        None if !normalizer.source.told.is_empty() => {
            let cell = cells.iter().find(|cell| cell.role == Role::Event);
            return Err(Rejection {
                code: "touch-kind",
                column: cell.map_or_else(String::new, |cell| cell.column.to_string()),
                value: event.to_owned(),
                message: "nothing says what that is; name it under its kind in tables/touches.toml, or in a [[touch]] \
                          of the source's preset, and import the row again"
                    .to_owned(),
            });
        }
        None => RowTouch {
            kind: "event".to_owned(),
            detail: detail.map_or_else(|| event.to_owned(), |detail| format!("{event} {detail}")),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_everybody_has_is_nobodys() {
        for id in ["", "0", "0000-0000", "-", "NULL", "undefined", "(not set)", "-1"] {
            assert!(is_nobodys(id), "{id}");
        }
        for id in ["10", "v1", "a", "507f191e-0001", "1000000001.1757000001"] {
            assert!(!is_nobodys(id), "{id}");
        }
    }
}
