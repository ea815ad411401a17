//! Recognizing people who were erased, so that no file brings them back.
//!
//! An erased person is known by marks: keyed hashes of their mailboxes, numbers and ids, and of the rows themselves.
//! A mailbox or a mobile number of one's own is enough to be recognized by; a fixed line and the mailbox of a
//! function are shared by many, so they count together with the name alone. What somebody else in the store has,
//! too, is no mark by itself: their next row must not be lost.

use std::collections::BTreeSet;

use anyhow::Result;

use super::Job;
use crate::consent::suppression::{Keyed, Pepper, Suppressions};
use crate::identity::guard::holder;
use crate::identity::keys::{
    KeyKind, email_hash, identities, identity_hash, match_keys, phone_hash,
};
use crate::model::field::{self, FieldValues};
use crate::model::ids::{Fingerprint, KeyHash};
use crate::model::moment::{Certainty, Moment};
use crate::model::outcome::{Hold, HoldReason};
use crate::model::submission::{RowVerdict, Submission};
use crate::model::touch::{Identity, IdentityKind, Touch};
use crate::rules::source::SourcePreset;
use crate::store::{Store, key};

/// Digits at the end of a number by which a row that could not be read is recognized, however it was dialled.
const TELLING_DIGITS: usize = 8;

/// Half a day: a row that only says its day may have been sent at its very beginning, and noon stands in for it.
const HALF_DAY_MS: i64 = 43_200_000;

/// What somebody is recognized by, before it is hashed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// A row, whoever it is about.
    Row(Fingerprint),
    /// A key by itself.
    Key(KeyHash),
    /// A key together with the name beside it.
    Named(KeyHash, String),
    /// A record id, which every system counts by itself.
    Record(KeyHash, String),
    /// The last digits of a number.
    Digits(String),
}

impl Mark {
    /// Returns the mark as it is kept.
    pub fn keyed(&self, pepper: &Pepper) -> Keyed {
        match self {
            Self::Row(row) => pepper.keyed("row", &[&row.0]),
            Self::Key(hash) => pepper.keyed("key", &[&hash.0]),
            Self::Named(hash, name) => pepper.keyed("named", &[&hash.0, name.as_bytes()]),
            Self::Record(hash, system) => pepper.keyed("record", &[&hash.0, system.as_bytes()]),
            Self::Digits(digits) => pepper.keyed("digits", &[digits.as_bytes()]),
        }
    }

    /// Returns the key that somebody else may hold, too.
    pub fn key(&self) -> Option<KeyHash> {
        match self {
            Self::Key(hash) => Some(*hash),
            Self::Row(_) | Self::Named(..) | Self::Record(..) | Self::Digits(_) => None,
        }
    }
}

/// Returns everything by which a submission's person may be recognized later; `system` is that of its source.
pub fn marks_to_keep(
    values: &FieldValues,
    fingerprint: Fingerprint,
    system: &str,
) -> BTreeSet<Mark> {
    let name = holder(values);
    let mut marks = BTreeSet::from([Mark::Row(fingerprint)]);
    for identity in identities(values, fingerprint) {
        marks.extend(identity_mark(&identity, system));
    }
    for hash in addresses(values) {
        marks.extend([Mark::Key(hash), Mark::Named(hash, name.clone())]);
    }
    for phone in listed(values, field::PHONE).chain(listed(values, field::OTHER_PHONES)) {
        marks.extend(telling_digits(phone).map(Mark::Digits));
    }
    marks
}

/// Returns the mark that an identity of a touch is.
pub fn identity_mark(identity: &Identity, system: &str) -> Option<Mark> {
    let hash = identity_hash(identity);
    Some(match identity.kind {
        IdentityKind::External => Mark::Record(hash, system.to_owned()),
        _ => Mark::Key(hash),
    })
}

/// Returns the keys of every mailbox and number that a row gave.
fn addresses(values: &FieldValues) -> Vec<KeyHash> {
    let emails = listed(values, field::EMAIL).chain(listed(values, field::OTHER_EMAILS));
    let phones = listed(values, field::PHONE).chain(listed(values, field::OTHER_PHONES));
    emails.map(email_hash).chain(phones.map(phone_hash)).collect()
}

/// Returns the values of a field that lists several.
pub fn listed(values: &FieldValues, field: field::FieldNo) -> impl Iterator<Item = &str> {
    values.get(field).into_iter().flat_map(|text| text.split("; "))
}

fn telling_digits(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let from = digits.len().checked_sub(TELLING_DIGITS)?;
    Some(digits[from..].to_owned())
}

/// A row that was judged.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// What became of it.
    pub verdict: &'a RowVerdict,
    /// The row as received, as JSON.
    pub raw: &'a str,
    /// What it is known by when it is neither a submission nor a touch.
    pub fingerprint: Option<Fingerprint>,
    /// When it says that it was sent.
    pub sent_at: Option<Moment>,
    /// The preset of its input.
    pub preset: &'a SourcePreset,
    /// The system that the preset reads exports of.
    pub system: &'a str,
}

/// Tells which rows are of people who were erased.
#[derive(Debug)]
pub struct Recognition {
    pepper: Pepper,
    erased: Suppressions,
}

impl Recognition {
    /// Prepares to recognize those whom the store of `job` erased; `None` when it erased nobody.
    ///
    /// # Errors
    /// [`key::KeyFault`] when the key of their marks cannot be had: without it they would come back.
    pub fn of(job: &Job<'_>, store: &Store) -> Result<Option<Self>> {
        let erased = store.suppressions()?;
        let Some(id) = store.erasure_key()?.filter(|_| !erased.is_empty()) else {
            return Ok(None);
        };
        Ok(Some(Self { pepper: key::read_known(job.key, &id)?, erased }))
    }

    /// Returns why a row is withheld and the fingerprint to keep of it, when it is of somebody who was erased and says
    /// nothing newer.
    pub fn hold(&self, received: &Received<'_>) -> Option<(Fingerprint, Hold)> {
        let Received { verdict, raw, fingerprint, sent_at, preset, system } = *received;
        let (own, marks, at_ms) = match verdict {
            RowVerdict::Skipped(_) => return None,
            RowVerdict::Accepted(one) => {
                let at_ms = (!preset.is_contact_list && preset.tells_enquiries)
                    .then(|| earliest(one.submitted_at))
                    .flatten();
                (one.fingerprint, marks_of_submission(one, system), at_ms)
            }
            RowVerdict::Touch(touch) => {
                (touch.fingerprint, marks_of_touch(touch, system), Some(touch.at_ms))
            }
            RowVerdict::Held(_) | RowVerdict::Quarantined(_) => {
                (fingerprint?, marks_in_text(raw), sent_at.and_then(earliest))
            }
        };
        let row = Mark::Row(own).keyed(&self.pepper);
        let of_person = marks.iter().map(|mark| mark.keyed(&self.pepper));
        // The very row that was erased is never newer than its erasure, whatever it says of its time.
        let is_held = self.erased.since(row).is_some() || self.erased.hold(of_person, at_ms);
        is_held.then(|| {
            let mut kept = [0; 16];
            kept.copy_from_slice(&row.0[..16]);
            let hold = Hold {
                reason: HoldReason::Suppressed,
                column: String::new(),
                value: String::new(),
                message: "they were erased, and the row is not newer than that".to_owned(),
            };
            (Fingerprint(kept), hold)
        })
    }
}

/// Returns the earliest instant that `moment` may be; `None` when nobody knows.
fn earliest(moment: Moment) -> Option<i64> {
    match moment.certainty {
        Certainty::Received => None,
        Certainty::DateOnly => Some(moment.epoch_ms - HALF_DAY_MS),
        Certainty::Exact | Certainty::ZoneAssumed | Certainty::ClockChange => Some(moment.epoch_ms),
    }
}

fn marks_of_submission(submission: &Submission, system: &str) -> Vec<Mark> {
    let values = &submission.values;
    let name = holder(values);
    let mut marks = Vec::new();
    for key in match_keys(values) {
        let is_shared = match key.kind {
            KeyKind::RoleEmail => true,
            KeyKind::Phone => values.get(field::PHONE_TYPE) == Some("fixed"),
            _ => false,
        };
        marks.push(match key.kind {
            KeyKind::External => Mark::Record(key.hash, system.to_owned()),
            _ if is_shared => Mark::Named(key.hash, name.clone()),
            _ => Mark::Key(key.hash),
        });
    }
    let others = listed(values, field::OTHER_EMAILS)
        .map(email_hash)
        .chain(listed(values, field::OTHER_PHONES).map(phone_hash));
    // Which of several is a function's mailbox nobody noted: the name has to agree.
    marks.extend(others.map(|hash| Mark::Named(hash, name.clone())));
    marks
}

fn marks_of_touch(touch: &Touch, system: &str) -> Vec<Mark> {
    touch.identities.iter().filter_map(|identity| identity_mark(identity, system)).collect()
}

/// Returns the marks that may be in a row that became no submission: whatever looks like an address or a number.
fn marks_in_text(raw: &str) -> Vec<Mark> {
    let is_part = |c: char| c.is_alphanumeric() || "@.!#$%&*+/=?^_`{|}~-".contains(c);
    let words = raw.split(|c| !is_part(c)).filter(|word| word.contains('@'));
    let mut marks: Vec<Mark> =
        words.map(|word| Mark::Key(email_hash(word.trim_matches(['.', '-'])))).collect();
    let is_of_number = |c: char| c.is_ascii_digit() || " ()+-./".contains(c);
    marks.extend(raw.split(|c| !is_of_number(c)).filter_map(telling_digits).map(Mark::Digits));
    marks
}

/// Returns the marks of whoever `text` names, an e-mail address or a telephone number in E.164.
pub fn marks_called(text: &str, e164: Option<&str>) -> Vec<Mark> {
    match e164 {
        Some(phone) => {
            let digits = telling_digits(phone).map(Mark::Digits);
            [Mark::Key(phone_hash(phone))].into_iter().chain(digits).collect()
        }
        None => vec![Mark::Key(email_hash(text))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_numbers_are_found_in_whatever_a_row_holds() {
        let raw =
            r#"["7","Anna <Anna.Zak@Przyklad.pl>.","tel. (0048) 600-123-456","2026-11-20 08:00"]"#;
        let marks = marks_in_text(raw);
        assert!(marks.contains(&Mark::Key(email_hash("anna.zak@przyklad.pl"))), "{marks:?}");
        assert!(marks.contains(&Mark::Digits("00123456".to_owned())), "{marks:?}");
    }

    #[track_caller]
    fn check(certainty: Certainty, expected: Option<i64>) {
        let moment = Moment { epoch_ms: 2 * HALF_DAY_MS, offset_minutes: 0, certainty };
        assert_eq!(earliest(moment), expected, "{certainty:?}");
    }

    #[test]
    fn a_day_may_have_been_its_first_minute_and_a_time_of_receipt_is_none() {
        check(Certainty::Exact, Some(2 * HALF_DAY_MS));
        check(Certainty::DateOnly, Some(HALF_DAY_MS));
        check(Certainty::Received, None);
    }
}
