//! What a network is told as a conversion: what happened to a lead, its name there and its worth.

use crate::model::decision::Segment;
use crate::rules::decode::Table;
use crate::rules::diagnostics::Place;

/// What happened to a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversionEvent {
    /// The lead asked for something, the first time.
    Enquiry,
    /// The lead came to be in this segment, the first time.
    Reached(Segment),
    /// A touch of this kind, the first one.
    Touch(&'static str),
}

impl ConversionEvent {
    const ALL: &[(&str, ConversionEvent)] = &[
        ("enquiry", Self::Enquiry),
        ("warm", Self::Reached(Segment::Warm)),
        ("hot", Self::Reached(Segment::Hot)),
        ("contacted", Self::Touch("contacted")),
        ("meeting-booked", Self::Touch("meeting-booked")),
        ("meeting-held", Self::Touch("meeting-held")),
        ("won", Self::Touch("won")),
        ("lost", Self::Touch("lost")),
    ];

    /// Returns the word used in rules.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, event)| *event == self).map_or("", |(word, _)| word)
    }
}

/// One kind of conversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// Stable id.
    pub id: String,
    /// What happened.
    pub event: ConversionEvent,
    /// What the network calls it.
    pub name: String,
    /// What it is worth where the deal itself says nothing, as it is written; empty when nothing is said.
    pub value: String,
    /// Currency of that, and of deals that name none, ISO 4217.
    pub currency: String,
    /// Why it is told.
    pub because: String,
    /// Where it stands.
    pub place: Place,
}

impl Conversion {
    pub(super) fn decode(table: &Table<'_>) -> Self {
        let value = table.opt_scalar("value").unwrap_or_default();
        if !value.is_empty() && !crate::model::spreadsheet::is_number(&value) {
            let hint = Some("such as 1200.00".to_owned());
            table.error("value", format!("`{value}` is not an amount"), hint);
        }
        let currency = table.opt_string("currency").unwrap_or_default();
        if !value.is_empty() && currency.is_empty() {
            let hint =
                Some("write both; a currency alone is that of deals that name none".to_owned());
            table.error("id", "a value needs a currency", hint);
        }
        let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
        if !currency.is_empty() && !is_code {
            let hint = Some("three capital letters, such as PLN".to_owned());
            table.error("currency", format!("`{currency}` is not a currency"), hint);
        }
        Self {
            id: table.string("id"),
            event: table.choice("event", ConversionEvent::ALL, ConversionEvent::Enquiry),
            name: table.string("name"),
            value,
            currency,
            because: table.string("because"),
            place: table.place_of("id"),
        }
    }
}
