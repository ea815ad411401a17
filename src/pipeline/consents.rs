//! What rows say about consent: as the gate reads it, and as the ledger keeps it.

use anyhow::Result;

use crate::consent::grade::grade;
use crate::model::consent::{Channel, ConsentClaim, ConsentRecord};
use crate::model::field::{self, FieldValues};
use crate::model::ids::SubmissionNo;
use crate::store::leads::MemberRow;
use crate::store::ledger::chain::Payload;
use crate::store::ledger::{Entry, Ledger, Teller};

/// A row that says something about consent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Telling<'a> {
    /// The row.
    pub(super) no: SubmissionNo,
    /// What it claims.
    pub(super) claims: &'a [ConsentClaim],
    /// Its values.
    pub(super) values: &'a FieldValues,
    /// `file:line` that it came from.
    pub(super) place: &'a str,
    /// When it was sent.
    pub(super) submitted_ms: i64,
    /// When what it says came about.
    pub(super) changed_ms: i64,
    /// Whether the source told when.
    pub(super) is_dated: bool,
}

impl<'a> Telling<'a> {
    /// Returns what `row`, whose claims and values these are, tells.
    pub(super) fn of_row(
        row: &'a MemberRow,
        claims: &'a [ConsentClaim],
        values: &'a FieldValues,
    ) -> Self {
        Self {
            no: row.no,
            claims,
            values,
            place: &row.evidence,
            submitted_ms: row.submitted_ms,
            changed_ms: row.changed_ms(),
            is_dated: row.is_time_known,
        }
    }

    /// Adds what it tells to the `records` of a lead, as the gate reads them at `as_of_ms`; their numbers only order
    /// the records of one lead.
    pub(super) fn add_to(self, records: &mut Vec<ConsentRecord>, as_of_ms: i64) {
        for claim in self.claims {
            for address in addresses(claim.channel, self.values) {
                records.push(ConsentRecord {
                    seq: records.len() as i64 + 1,
                    purpose: claim.purpose.clone(),
                    channel: claim.channel,
                    state: claim.state,
                    grade: grade(claim, self.is_dated),
                    address: address.map(str::to_owned),
                    event_at_ms: self.said_ms(claim, as_of_ms),
                    is_dated: self.is_dated,
                    wording: claim.wording.clone(),
                    mechanism: claim.mechanism.clone(),
                    evidence: self.place.to_owned(),
                    ip: self.values.get(field::IP).map(str::to_owned),
                    user_agent: self.values.get(field::USER_AGENT).map(str::to_owned),
                });
            }
        }
    }

    /// Appends what it tells to the ledger: a record for each address that it is for.
    pub(super) fn append_to(self, ledger: &mut Ledger<'_>, as_of_ms: i64) -> Result<()> {
        for claim in self.claims {
            for address in addresses(claim.channel, self.values) {
                ledger.append(&Entry {
                    by: Teller::Submission(self.no),
                    claim,
                    event_ms: self.said_ms(claim, as_of_ms),
                    is_dated: self.is_dated,
                    grade: grade(claim, self.is_dated),
                    payload: Payload {
                        address,
                        answer: claim.answer.as_deref(),
                        form: self.values.get(field::FORM_NAME).or(self.values.get(field::FORM_ID)),
                        ip: self.values.get(field::IP),
                        page: self.values.get(field::LANDING_PAGE),
                        place: self.place,
                        user_agent: self.values.get(field::USER_AGENT),
                    },
                })?;
            }
        }
        Ok(())
    }

    /// Returns when the answer of `claim` counts as given.
    ///
    /// A contact list shows how things stood when it last changed its record: that somebody declines is as
    /// recent as that, while an agreement is proven only for when the contact was made. Nobody answers in
    /// the future: a time ahead of `as_of_ms` is a clock's or a zone's error, and a refusal counts at once.
    fn said_ms(self, claim: &ConsentClaim, as_of_ms: i64) -> i64 {
        let said_ms = if claim.state.is_denial() { self.changed_ms } else { self.submitted_ms };
        said_ms.min(as_of_ms)
    }
}

/// Returns the addresses or numbers that a row with these values speaks about through `channel`: a consent is for the
/// address that it was given with. `None` stands for the person, where the row has no such address.
pub(super) fn addresses(channel: Channel, values: &FieldValues) -> Vec<Option<&str>> {
    let fields = match channel {
        Channel::Email => [field::EMAIL, field::OTHER_EMAILS],
        Channel::Sms | Channel::Phone | Channel::AutomatedCall | Channel::Messenger => {
            [field::PHONE, field::OTHER_PHONES]
        }
        Channel::Post => return vec![None],
    };
    let of_field = |field| values.get(field).into_iter().flat_map(|text| text.split("; "));
    let found: Vec<Option<&str>> = fields.into_iter().flat_map(of_field).map(Some).collect();
    if found.is_empty() { vec![None] } else { found }
}
