//! What rows say about consent: as the gate reads it, and as the ledger keeps it.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::consent::Contact;
use crate::consent::grade::grade;
use crate::identity::keys::identity_hash;
use crate::model::consent::{Channel, ConsentClaim, ConsentRecord, ConsentState, Purpose, Shown};
use crate::model::field::{self, FieldValues};
use crate::model::ids::{LeadId, LeadNo, RunNo, SubmissionNo};
use crate::model::touch::{Identity, IdentityKind, UNSUBSCRIBED};
use crate::rules::RuleSet;
use crate::rules::source::{GENERIC_CSV, GENERIC_JSON};
use crate::store::Store;
use crate::store::codec::decode_values;
use crate::store::denials::DenyingTouch;
use crate::store::leads::{MemberRow, claims};
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
    /// When what it denies counts as said.
    pub(super) denied: DenialTimes,
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
            denied: DenialTimes::of_row(row),
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
                    grade: grade(claim, self.dates(claim)),
                    address: address.map(str::to_owned),
                    event_at_ms: self.said_ms(claim, as_of_ms),
                    is_dated: self.dates(claim),
                    wording: claim.wording.clone(),
                    mechanism: claim.mechanism.clone(),
                    evidence: self.place.to_owned(),
                    ip: self.ip_of(claim).map(str::to_owned),
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
                    is_dated: self.dates(claim),
                    grade: grade(claim, self.dates(claim)),
                    payload: Payload {
                        address,
                        answer: claim.answer.as_deref(),
                        form: self.values.get(field::FORM_NAME).or(self.values.get(field::FORM_ID)),
                        ip: self.ip_of(claim),
                        page: self.values.get(field::LANDING_PAGE),
                        place: self.place,
                        user_agent: self.values.get(field::USER_AGENT),
                    },
                })?;
            }
        }
        Ok(())
    }

    /// Returns whether the source told when `claim` was made.
    fn dates(self, claim: &ConsentClaim) -> bool {
        self.is_dated || claim.said_at_ms.is_some()
    }

    fn ip_of(self, claim: &'a ConsentClaim) -> Option<&'a str> {
        claim.ip.as_deref().or_else(|| self.values.get(field::IP))
    }

    /// Returns when the answer of `claim` counts as given.
    ///
    /// An agreement is proven only for when the row was sent or the contact made. Nobody answers in the future: a
    /// time ahead of `as_of_ms` is a clock's or a zone's error, and a refusal counts at once.
    fn said_ms(self, claim: &ConsentClaim, as_of_ms: i64) -> i64 {
        let said_ms = match claim.state {
            ConsentState::Withdrawn | ConsentState::Objected => self.denied.taken_back_ms,
            ConsentState::Refused => self.denied.refused_ms,
            _ => claim.said_at_ms.unwrap_or(self.submitted_ms),
        };
        said_ms.min(as_of_ms)
    }

    /// Returns whether any of it counts as said when the row was received.
    pub(super) fn is_dated_by_receipt(self, row: &MemberRow) -> bool {
        let is_by_receipt = |claim: &ConsentClaim| {
            !self.dates(claim) || self.said_ms(claim, i64::MAX) == row.received_ms
        };
        self.claims.iter().any(is_by_receipt)
    }
}

/// When what a row denies counts as said, milliseconds since 1970 UTC.
///
/// A contact list shows how things stood when it last changed its record, and where it does not say when, how they
/// stood when it came: whoever left since the contact was made is on it with the day the contact was made. In a
/// table of no known origin that holds for what was taken back, since no form asks for that.
#[derive(Debug, Clone, Copy)]
pub(super) struct DenialTimes {
    refused_ms: i64,
    taken_back_ms: i64,
}

impl DenialTimes {
    /// Returns those of `row`.
    pub(super) fn of_row(row: &MemberRow) -> Self {
        let told_ms = row.changed_ms();
        let when = |shows_how_things_stand: bool| {
            let is_told = row.modified_ms.is_some() || !shows_how_things_stand;
            // Not the run at hand: a list that comes again says nothing new.
            if is_told { told_ms } else { told_ms.max(row.received_ms) }
        };
        let is_list = !row.is_enquiry;
        let is_any_table = [GENERIC_CSV, GENERIC_JSON].contains(&&*row.source);
        Self { refused_ms: when(is_list), taken_back_ms: when(is_list || is_any_table) }
    }
}

/// What somebody else's row, or a touch, takes back of a lead's consents.
#[derive(Debug, Clone)]
pub(super) enum Denial {
    /// The row of somebody who shares a mailbox or number with the lead.
    Row(Box<MemberRow>),
    /// A touch.
    Touch(DenyingTouch),
}

/// Returns what takes back consents of the lead that `rows` make, as far as it had been received by the end of `run`;
/// its own rows speak for themselves.
pub(super) fn deniers(store: &Store, rows: &[MemberRow], run: RunNo) -> Result<BTreeSet<Teller>> {
    let mut deniers = BTreeSet::new();
    for row in rows {
        let id = LeadId::of_founder(row.fingerprint).to_string();
        let lead = identity_hash(&Identity::new(IdentityKind::Lead, id));
        deniers.extend(store.deniers(row.no, lead, run)?);
    }
    for row in rows {
        deniers.remove(&Teller::Submission(row.no));
    }
    Ok(deniers)
}

/// Returns the same, read.
pub(super) fn denials(store: &Store, rows: &[MemberRow], run: RunNo) -> Result<Vec<Denial>> {
    let read = |denier| {
        Ok(match denier {
            Teller::Submission(no) => Denial::Row(Box::new(store.member_row(no)?)),
            Teller::Touch(no) => Denial::Touch(store.denying_touch(no)?),
        })
    };
    deniers(store, rows, run)?.into_iter().map(read).collect()
}

impl Denial {
    /// Adds what it takes back to the `records` of a lead, as the gate reads them at `as_of_ms`.
    pub(super) fn add_to(
        &self,
        records: &mut Vec<ConsentRecord>,
        rules: &RuleSet,
        as_of_ms: i64,
    ) -> Result<()> {
        match self {
            Self::Row(row) => {
                let mut claims = claims(row.consents.as_deref())?;
                // What somebody else agreed to or was asked is theirs; that the mailbox wants no more counts for all.
                claims.retain(|claim| {
                    matches!(claim.state, ConsentState::Withdrawn | ConsentState::Objected)
                });
                let values = decode_values(&row.fields, &rules.fields)?;
                let mut theirs = Vec::new();
                Telling::of_row(row, &claims, &values).add_to(&mut theirs, as_of_ms);
                // Without an address it is about that person, who is another.
                for record in theirs.into_iter().filter(|one| one.address.is_some()) {
                    records.push(ConsentRecord { seq: records.len() as i64 + 1, ..record });
                }
            }
            Self::Touch(touch) => {
                for (claim, address) in taken_back_by(touch, rules) {
                    records.push(ConsentRecord {
                        seq: records.len() as i64 + 1,
                        grade: grade(&claim, true),
                        purpose: claim.purpose,
                        channel: claim.channel,
                        state: claim.state,
                        address,
                        event_at_ms: touch.at_ms.min(as_of_ms),
                        is_dated: true,
                        wording: claim.wording,
                        mechanism: claim.mechanism,
                        evidence: touch.place.clone(),
                        ip: None,
                        user_agent: None,
                    });
                }
            }
        }
        Ok(())
    }
}

/// Appends what touches of `run` take back to the ledger.
pub(super) fn append_touches(
    ledger: &mut Ledger<'_>,
    store: &Store,
    rules: &RuleSet,
    run: RunNo,
    as_of_ms: i64,
) -> Result<()> {
    for touch in store.denying_touches_of(run)? {
        for (claim, address) in taken_back_by(&touch, rules) {
            ledger.append(&Entry {
                by: Teller::Touch(touch.no),
                claim: &claim,
                event_ms: touch.at_ms.min(as_of_ms),
                is_dated: true,
                grade: grade(&claim, true),
                payload: Payload {
                    address: address.as_deref(),
                    answer: claim.answer.as_deref(),
                    place: &touch.place,
                    ..Payload::default()
                },
            })?;
        }
    }
    Ok(())
}

/// Returns what `touch` takes back, each with the address that it is for; without one it is for the person.
fn taken_back_by(touch: &DenyingTouch, rules: &RuleSet) -> Vec<(ConsentClaim, Option<String>)> {
    let of_kind = |kind| touch.identities.iter().find(|one| one.kind == kind);
    // Whoever names the lead means all of its addresses.
    let is_about_lead = of_kind(IdentityKind::Lead).is_some();
    let mut found = Vec::new();
    for (purpose, channel) in meant_by(touch, rules) {
        let address = match channel {
            Channel::Email => of_kind(IdentityKind::Email),
            Channel::Post => None,
            _ => of_kind(IdentityKind::Phone),
        }
        .filter(|_| !is_about_lead);
        // What an address says is about the address, not about another way to reach whoever has it.
        let has_address = [IdentityKind::Email, IdentityKind::Phone]
            .into_iter()
            .any(|kind| of_kind(kind).is_some());
        if address.is_none() && has_address && !is_about_lead {
            continue;
        }
        let claim = ConsentClaim {
            purpose: Purpose::new(purpose),
            channel,
            state: ConsentState::Withdrawn,
            wording: touch.kind.clone(),
            mechanism: touch.kind.clone(),
            shown: Shown::Label,
            answer: Some(touch.detail.clone()).filter(|detail| !detail.is_empty()),
            policy: None,
            said_at_ms: None,
            ip: None,
        };
        found.push((claim, address.map(|one| one.value.clone())));
    }
    found
}

/// Returns the purposes and channels that `touch` speaks of, in order: those that its detail names, else marketing; by
/// e-mail where somebody left a mailing list, by every channel where they took their consent back.
fn meant_by<'t>(touch: &'t DenyingTouch, rules: &RuleSet) -> Vec<(&'t str, Channel)> {
    if touch.kind == UNSUBSCRIBED {
        return vec![(Purpose::MARKETING, Channel::Email)];
    }
    let all = |purpose| Channel::ALL.iter().map(move |(_, channel)| (purpose, *channel));
    let named = touch.detail.split_once(':').map_or(&*touch.detail, |(named, _)| named);
    let mut found: Vec<(&str, Channel)> = Vec::new();
    for part in named.split(',').map(str::trim) {
        let Some((purpose, word)) = part.split_once('/') else { continue };
        if !rules.consent.knows(purpose) {
            continue;
        }
        match Channel::ALL.iter().find(|(known, _)| *known == word) {
            Some((_, channel)) => found.push((purpose, *channel)),
            None if word == "*" => found.extend(all(purpose)),
            None => {}
        }
    }
    if found.is_empty() { all(Purpose::MARKETING).collect() } else { found }
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

/// Returns what `lead` agreed to, refused and took back, as the gate reads it at `as_of_ms`.
pub(super) fn consents_of(
    store: &Store,
    rules: &RuleSet,
    lead: LeadNo,
    as_of_ms: i64,
) -> Result<Vec<ConsentRecord>> {
    let (mut rows, mut records) = (Vec::new(), Vec::new());
    for member in store.members(lead)? {
        let row = store.member_row(member.no)?;
        let values = decode_values(&row.fields, &rules.fields)?;
        let claims = claims(row.consents.as_deref())?;
        Telling::of_row(&row, &claims, &values).add_to(&mut records, as_of_ms);
        rows.push(row);
    }
    for denial in denials(store, &rows, RunNo(i64::MAX))? {
        denial.add_to(&mut records, rules, as_of_ms)?;
    }
    Ok(records)
}

/// Returns the contact that is meant when a lead with these values is to be reached through `channel`.
pub(super) fn contact<'a>(
    purpose: &'a str,
    channel: Channel,
    values: &'a FieldValues,
) -> Contact<'a> {
    let address = match channel {
        Channel::Email => values.get(field::EMAIL),
        Channel::Sms | Channel::Phone | Channel::AutomatedCall | Channel::Messenger => {
            values.get(field::PHONE)
        }
        Channel::Post => None,
    };
    Contact { purpose, channel, address }
}
