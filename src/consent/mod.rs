//! The gate: whether somebody may be contacted for a purpose through a channel, and why.
//!
//! This room owns how the lines of the ledger combine into a standing and what the policy makes of
//! it, and [`grade`] how well each can be proven. It must not know how the ledger is stored or chained, nor what
//! the contact would say. Start at [`allowed`]; whom not to take in again is in [`suppression`].

pub mod grade;
pub mod suppression;

use std::cmp::Reverse;

use chrono_tz::Tz;

use crate::model::consent::{Channel, ConsentRecord, ConsentState, Grade, Purpose};
use crate::model::mailbox::mailbox_key;
use crate::model::moment::utc_from_ms;
use crate::rules::consent::{ConsentPolicy, Requirement};

pub use crate::model::consent::Verdict;

const DAY_MS: i64 = 86_400_000;

/// A contact that somebody thinks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact<'a> {
    /// What for.
    pub purpose: &'a str,
    /// Through which channel.
    pub channel: Channel,
    /// To which address or number; `None` where the channel has none, or the lead none for it.
    pub address: Option<&'a str>,
}

/// What the ledger says about one contact; the number is the deciding record's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: never asked, or the answer was left blank.
    Unknown,
    /// Asked to confirm by a link, and has not yet.
    Pending(i64),
    /// Agreed, and how well that can be proven.
    Given(i64, Grade),
    /// Asked and declined.
    Refused(i64),
    /// Taken back, or objected to.
    Withdrawn(i64),
}

impl Standing {
    /// Returns the word that people read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Pending(_) => "pending",
            Self::Given(..) => "given",
            Self::Refused(_) => "refused",
            Self::Withdrawn(_) => "withdrawn",
        }
    }
}

/// Returns where somebody stood at `as_of_ms` with regard to `contact`, where a consent that is proven less well than
/// `proof` does not count against a no.
///
/// What was said last counts, by when it was said and not by when it was received: a withdrawal outlives an older
/// consent that arrives later, and only a newer one that can be proven lifts it. Of answers given at the same instant
/// the more cautious counts. A consent is for the address that it was given with; a no without an address is for all of
/// them. The order of `records` does not matter.
pub fn standing(
    records: &[ConsentRecord],
    contact: Contact<'_>,
    proof: Grade,
    as_of_ms: i64,
) -> Standing {
    match deciding(records, contact, proof, as_of_ms) {
        None => Standing::Unknown,
        Some((record, grade)) => match record.state {
            ConsentState::Refused => Standing::Refused(record.seq),
            ConsentState::Withdrawn | ConsentState::Objected => Standing::Withdrawn(record.seq),
            ConsentState::DoiSent => Standing::Pending(record.seq),
            _ => Standing::Given(record.seq, grade),
        },
    }
}

/// Returns whether `policy` lets somebody with these `records` be contacted at `as_of_ms`.
pub fn allowed(
    policy: &ConsentPolicy,
    records: &[ConsentRecord],
    contact: Contact<'_>,
    as_of_ms: i64,
) -> Verdict {
    let gate = policy.gate(contact.purpose, contact.channel);
    let requires = gate.map_or(policy.otherwise, |gate| gate.requires);
    let name = gate.map_or("otherwise", |gate| &gate.id);
    let proof = gate.map_or(Grade::D, |gate| gate.proof);
    let found = deciding(records, contact, proof, as_of_ms);
    let (allowed, because) = match (requires, found) {
        (Requirement::Allowed, _) => (true, format!("{contact} needs no consent")),
        (_, Some((record, _))) if record.state.is_denial() => {
            let verb = if record.state == ConsentState::Refused { "refused" } else { "withdrawn" };
            (false, format!("{contact} was {verb} {}", source(record, policy.zone)))
        }
        (_, Some((record, grade))) if record.state.is_grant() => {
            let given = format!("consent to {contact} given {}", source(record, policy.zone));
            let age_ms = as_of_ms - record.event_at_ms;
            match gate.filter(|_| requires == Requirement::PriorConsent) {
                Some(_) if grade > proof => {
                    let (grade, proof) = (grade.word(), proof.word());
                    (false, format!("{given}, is proven by grade {grade}, and {proof} is needed"))
                }
                Some(gate) if gate.valid_for_days.is_some_and(|days| age_ms > span_ms(days)) => {
                    let days = gate.valid_for_days.unwrap_or_default();
                    (false, format!("{given} is older than {days} days"))
                }
                _ => (true, given),
            }
        }
        (Requirement::UnlessRefused, _) => {
            (true, format!("{contact} is allowed until somebody objects"))
        }
        (Requirement::PriorConsent, Some((record, _))) => {
            let sent = source(record, policy.zone);
            (false, format!("{contact} waits for the link to be clicked, sent {sent}"))
        }
        (Requirement::PriorConsent, None) => {
            (false, format!("{contact} needs a consent and none is on record"))
        }
    };
    Verdict { allowed, because: format!("{because} (gate {name})") }
}

/// Returns the first instant after `as_of_ms` at which what [`allowed`] lets is no longer let because the consent has
/// become too old, in milliseconds since 1970 UTC.
pub fn lapses_at_ms(
    policy: &ConsentPolicy,
    records: &[ConsentRecord],
    contact: Contact<'_>,
    as_of_ms: i64,
) -> Option<i64> {
    let gate = policy.gate(contact.purpose, contact.channel)?;
    let days = gate.valid_for_days.filter(|_| gate.requires == Requirement::PriorConsent)?;
    let (record, grade) = deciding(records, contact, gate.proof, as_of_ms)?;
    let last_ms = record.event_at_ms.checked_add(span_ms(days))?;
    let is_let = record.state.is_grant() && grade <= gate.proof && as_of_ms <= last_ms;
    is_let.then(|| last_ms.saturating_add(1))
}

fn span_ms(days: i64) -> i64 {
    days.saturating_mul(DAY_MS)
}

/// Returns the record that decides about `contact`, and how well what it says can be proven.
fn deciding<'a>(
    records: &'a [ConsentRecord],
    contact: Contact<'_>,
    proof: Grade,
    as_of_ms: i64,
) -> Option<(&'a ConsentRecord, Grade)> {
    let said = || {
        records.iter().filter(|record| {
            record.channel == contact.channel
                && &*record.purpose.0 == contact.purpose
                && record.event_at_ms <= as_of_ms
                && is_about(record, contact)
        })
    };
    // `ConsentState` is declared from the least to the most cautious answer.
    let no = said()
        .filter(|record| record.state.is_denial())
        .max_by_key(|record| (record.event_at_ms, record.state, record.seq));
    // When an undated consent was given nobody knows: it may be older than any refusal, and so counts only
    // where there is none.
    let may_count = |record: &&ConsentRecord| {
        !record.state.is_denial()
            && no.is_none_or(|no| record.is_dated && record.event_at_ms > no.event_at_ms)
    };
    let yes = || said().filter(may_count).filter(|record| record.state.is_grant());
    // The form holds the text and the mailer knows of the click: together they prove both.
    let is_confirmed = yes().any(|record| record.state == ConsentState::DoiConfirmed)
        && said().filter(may_count).any(|record| record.grade <= Grade::B);
    let graded = |record: &ConsentRecord| if is_confirmed { Grade::A } else { record.grade };
    // The latest of those that are proven well enough, and of one instant the best of them; else the best of the
    // others.
    let best = yes()
        .max_by_key(|record| {
            let grade = graded(record);
            let weakness = if grade <= proof { None } else { Some(grade) };
            (Reverse(weakness), record.event_at_ms, Reverse(grade), record.seq)
        })
        .map(|record| (record, graded(record)));
    let asked = said()
        .filter(may_count)
        .filter(|record| record.state == ConsentState::DoiSent)
        .max_by_key(|record| (record.event_at_ms, record.seq))
        .map(|record| (record, record.grade));
    match no {
        Some(no) => best.filter(|(_, grade)| *grade <= proof).or(Some((no, no.grade))),
        None => best.or(asked),
    }
}

/// Returns whether `record` is about the address of `contact`: a yes must be for this very mailbox or number, while a
/// no without an address is for every one, and stops a contact whose address is not known.
fn is_about(record: &ConsentRecord, contact: Contact<'_>) -> bool {
    match (record.address.as_deref(), contact.address) {
        (Some(theirs), Some(asked)) => {
            theirs == asked || (asked.contains('@') && mailbox_key(theirs) == mailbox_key(asked))
        }
        (None, None) => true,
        _ => record.state.is_denial(),
    }
}

impl std::fmt::Display for Contact<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.purpose {
            Purpose::ENQUIRY_REPLY => write!(f, "a reply by {}", self.channel.word()),
            purpose => write!(f, "{purpose} by {}", self.channel.word()),
        }
    }
}

/// Returns the day of `record` as clocks in `zone` show it, and where it came from.
fn source(record: &ConsentRecord, zone: Tz) -> String {
    let day = utc_from_ms(record.event_at_ms).with_timezone(&zone).date_naive();
    if record.evidence.is_empty() { day.to_string() } else { format!("{day}, {}", record.evidence) }
}

#[cfg(test)]
mod tests;
