//! Turns one row as received into a judged one: a submission, a touch, or a reason why not.
//!
//! This room owns what a value means: an address, a number, an instant, a yes. It must not know files,
//! SQL, leads or a clock; the time of receipt is handed in. Start at [`Normalizer::normalize`]; every
//! kind of value has a file of its own that opens with what it repairs and what it refuses.

mod agreement;
mod agreement_words;
pub mod answer;
mod answer_limit_words;
mod answer_words;
pub mod attribution;
pub mod company;
mod consent_channel_words;
mod consent_label;
mod consent_label_words;
mod consent_matter;
mod consent_matter_words;
mod consent_notice;
mod consent_others_words;
mod consent_paper_words;
mod consent_row;
mod consent_sent_words;
mod consent_subject;
mod consent_words;
mod consents;
pub mod country;
pub mod date_order;
pub mod device;
mod draft;
pub mod email;
mod fingerprint;
mod folded;
pub mod gibberish;
pub mod ip;
mod mail_domain;
mod memory;
pub mod moment;
mod moment_plain;
mod moment_words;
pub mod number;
pub mod person_name;
mod person_name_words;
pub mod phone;
mod phone_cell;
mod phone_library;
pub mod spam;
pub mod text;
mod touch;
mod verdict;
pub mod web;

use chrono::{DateTime, Utc};

use self::attribution::Words;
pub use self::consent_matter::{agrees_to_contact, asks_elsewhere};
use self::consents::Said;
pub use self::consents::shown_text;
use self::date_order::DateOrders;
use self::device::Device;
use self::draft::{Canonical, Company, WholeName};
pub use self::fingerprint::{ToldApart, fingerprint};
use self::mail_domain::Domain;
use self::memory::Memory;
use self::moment::TimeStyle;
use self::number::Amount;
use self::person_name::PersonName;
use self::phone::{Phone, PhoneFault};
use crate::model::field::FieldNo;
use crate::model::moment::Moment;
use crate::model::row::{ConsentMapping, Origin, Row, RowContent};
use crate::model::submission::RowVerdict;
use crate::rules::field::{FieldCatalog, fold_header};
use crate::rules::routing::RoutingPolicy;
use crate::rules::source::{ColumnMapping, IdScope, ToldTouch};
use crate::rules::tables::Tables;

/// Something worth saying about one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Stable code, as in [`crate::model::outcome::Notice`].
    pub code: &'static str,
    /// What was done or found, in one sentence.
    pub message: String,
}

impl Remark {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// What a preset and its input say of every row.
#[derive(Debug, Clone, Copy)]
pub struct SourceContext<'a> {
    /// Id of the preset, or of the one whose submissions have the same ids; part of every fingerprint.
    pub source_id: &'a str,
    /// Zone of times that carry none.
    pub zone: chrono_tz::Tz,
    /// chrono formats that are tried before anything else.
    pub date_formats: &'a [String],
    /// Order of `9/12/2025` in each column.
    pub date_orders: &'a DateOrders,
    /// Whether serial numbers of days count from 1904.
    pub counts_from_1904: bool,
    /// How far the source's own ids reach.
    pub id_scope: IdScope,
    /// The preset's columns, some of which have a zone of their own.
    pub columns: &'a [ColumnMapping],
    /// What rows of events tell by words in several columns.
    pub told: &'a [ToldTouch],
    /// What [`crate::model::row::Role::Consent`] numbers index.
    pub consents: &'a [ConsentMapping],
    /// ISO 3166-1 alpha-2 code of the country whose phone numbers carry no country code.
    pub default_country: &'a str,
    /// When the input was received.
    pub received_at: DateTime<Utc>,
    /// Whether rows are contacts of a CRM, which change, rather than submissions, which do not: the
    /// fingerprint then covers the content.
    pub is_contact_list: bool,
    /// Field that keeps the native id, where one does.
    pub id_field: Option<FieldNo>,
    /// Canonical source of rows without attribution of their own.
    pub default_source: Option<&'a str>,
    /// Canonical medium of such rows.
    pub default_medium: Option<&'a str>,
    /// Whom a CRM's owner is expected to be one of; absent where nobody asks for them.
    pub team: Option<&'a RoutingPolicy>,
}

/// What a job title tells.
#[derive(Debug, Clone, Copy, Default)]
struct Title {
    seniority: Option<&'static str>,
    department: Option<&'static str>,
}

/// Normalizes the rows of one input, one after the other.
#[derive(Debug)]
pub struct Normalizer<'a> {
    tables: &'a Tables,
    fields: &'a FieldCatalog,
    source: SourceContext<'a>,
    remembered: Remembered,
    sent_at: Option<Moment>,
}

/// What the values of this input were found to say.
#[derive(Debug, Default)]
struct Remembered {
    /// As dialled in the default country.
    phones: Memory<Result<Phone, PhoneFault>>,
    titles: Memory<Title>,
    devices: Memory<Device>,
    given_names: Memory<PersonName>,
    family_names: Memory<PersonName>,
    whole_names: Memory<WholeName>,
    /// Whether a name is one that people try forms with, or none at all.
    odd_names: Memory<bool>,
    budgets: Memory<Option<Amount>>,
    head_counts: Memory<Option<Amount>>,
    companies: Memory<Option<Company>>,
    legal_forms: Memory<Option<String>>,
    /// By question, column and answer.
    consents: Memory<Said>,
    domains: Memory<Domain>,
    /// For sources and media.
    words: Words,
    /// Values in canonical form, by the number of their field.
    values: Vec<Memory<Canonical>>,
}

impl<'a> Normalizer<'a> {
    /// Prepares to normalize the rows of `source`.
    pub fn new(tables: &'a Tables, fields: &'a FieldCatalog, source: SourceContext<'a>) -> Self {
        let values = fields.iter().map(|_| Memory::default()).collect();
        let remembered = Remembered { values, ..Remembered::default() };
        Self { tables, fields, source, remembered, sent_at: None }
    }

    /// Returns when the row that was judged last says that it was sent, whatever the verdict about it.
    pub fn sent_at(&self) -> Option<Moment> {
        self.sent_at
    }

    /// Judges `row`; returns where it stood, the row as received, and the verdict.
    ///
    /// The verdict depends on the row and what is known of the source and its columns, never on rows before it.
    pub fn normalize(&mut self, row: Row) -> (Origin, String, RowVerdict) {
        let Row { origin, raw, content, mut notices } = row;
        self.sent_at = None;
        let mut verdict = match content {
            RowContent::Skipped(reason) => RowVerdict::Skipped(reason),
            RowContent::Rejected(rejection) => RowVerdict::Quarantined(rejection),
            RowContent::Cells(kind, cells) => self.judge(origin, &raw, kind, &cells),
        };
        if let RowVerdict::Accepted(submission) = &mut verdict {
            notices.append(&mut submission.notices);
            submission.notices = notices;
        }
        (origin, raw, verdict)
    }

    /// Reads a phone number as dialled in the row's `country`, else, also where that makes none of it, as in the
    /// source's default country; those of the default country are remembered.
    fn phone(&self, raw: &str, country: Option<&str>) -> Result<Phone, PhoneFault> {
        let default = self.source.default_country;
        if let Some(country) = country.filter(|country| *country != default) {
            let found = phone::parse(raw, country, self.tables);
            if !matches!(found, Err(PhoneFault::Invalid(_))) {
                return found;
            }
        }
        self.remembered.phones.recall(raw, || phone::parse(raw, default, self.tables))
    }

    /// Reads a job title; the same few thousand titles make up any export.
    fn title(&self, title: &str) -> Title {
        self.remembered.titles.recall(title, || {
            let folded = fold_header(title);
            Title {
                seniority: self.tables.titles().seniority(&folded),
                department: self.tables.titles().department(&folded),
            }
        })
    }

    /// Reads a user agent; one version of one browser sends most forms of a month.
    fn device(&self, user_agent: &str) -> Device {
        self.remembered.devices.recall(user_agent, || device::read(user_agent))
    }

    fn told_apart(&self) -> ToldApart {
        match self.source.id_scope {
            _ if self.source.is_contact_list => ToldApart::ByContent,
            IdScope::Everywhere => ToldApart::ById,
            IdScope::Form => ToldApart::ByIdAndTime,
        }
    }

    /// Returns how times of `column` are written: its own zone comes before the source's.
    fn time_style(&self, column: &str) -> TimeStyle<'a> {
        let zoned = self.source.columns.iter().filter(|mapping| mapping.zone.is_some());
        let own = zoned.filter(|mapping| mapping.is_named(column)).find_map(|mapping| mapping.zone);
        TimeStyle {
            zone: own.or_else(|| zone_in(column)).unwrap_or(self.source.zone),
            formats: self.source.date_formats,
            orders: self.source.date_orders.of(column),
            counts_from_1904: self.source.counts_from_1904,
        }
    }
}

/// Returns the zone that a header such as `Submitted At (UTC)` names.
fn zone_in(column: &str) -> Option<chrono_tz::Tz> {
    let named = column.trim_end_matches([')', ']', ' ']);
    let last = named.get(named.len().checked_sub(3)?..)?;
    let before = named[..named.len() - 3].chars().next_back();
    let is_word = before.is_none_or(|c| !c.is_alphanumeric());
    (is_word && ["utc", "gmt"].iter().any(|zone| last.eq_ignore_ascii_case(zone)))
        .then_some(chrono_tz::UTC)
}

#[cfg(test)]
mod tests;
