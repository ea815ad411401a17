//! The consent ledger: chained envelopes that stay, and payloads that can be erased.
//!
//! Appending is here; [`chain`] says what is hashed, [`verify`] finds what was changed since, [`reading`] is for
//! people. The ledger is a fact: a replay neither reads nor writes it.

pub mod chain;
pub mod reading;
mod salts;
mod upgrade;
pub mod verify;

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use rusqlite::{OptionalExtension as _, Transaction, params};
use sha2::{Digest as _, Sha256};

use self::chain::{Envelope, Hash, NOTHING, Payload, chained, commitment};
use self::salts::Salts;
use super::Store;
use super::interned::REMEMBERED_MAX;
use crate::model::consent::{ConsentClaim, Grade};
use crate::model::ids::{RunNo, SubmissionNo};

pub(super) use upgrade::take_over;

/// State of a record that says that an earlier one no longer counts, because its row was taken back.
pub const UNDONE: &str = "undone";
/// State of a record that says that the payload of an earlier one is gone.
pub const ERASED: &str = "erased";

/// Where the ledger ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Position of the last record; 0 when there is none.
    pub seq: i64,
    /// Its hash.
    pub hash: Hash,
}

/// What said something about a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Teller {
    /// A row.
    Submission(SubmissionNo),
    /// A touch, by its number.
    Touch(i64),
}

/// A record to be appended.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// What said it.
    pub by: Teller,
    /// What was said.
    pub claim: &'a ConsentClaim,
    /// When it counts as said, milliseconds since 1970 UTC.
    pub event_ms: i64,
    /// Whether the source told when.
    pub is_dated: bool,
    /// How well it can be proven.
    pub grade: Grade,
    /// What is about the person.
    pub payload: Payload<'a>,
}

/// Appends to the consent ledger; keeps the texts already met in memory.
#[derive(Debug)]
pub struct Ledger<'s> {
    connection: &'s rusqlite::Connection,
    run: RunNo,
    head: Head,
    salts: Salts,
    texts: HashMap<String, (i64, Hash)>,
    /// The canonical envelope of the record at hand.
    envelope: String,
}

const APPEND: &str = "INSERT INTO consent_record
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";

impl Store {
    /// Opens the ledger for appending.
    pub fn ledger(&self, run: RunNo) -> Result<Ledger<'_>> {
        Ledger::open(&self.connection, run)
    }

    /// Returns where the ledger ends.
    pub fn ledger_head(&self) -> Result<Head> {
        head(&self.connection)
    }

    /// Appends to the ledger that the records of `submission` no longer count, and removes their payloads; returns
    /// how many.
    pub fn supersede_consents_of(
        &self,
        submission: SubmissionNo,
        by: RunNo,
        as_of_ms: i64,
    ) -> Result<u64> {
        self.end_records("c.submission_no = ?1", submission.0, by, (UNDONE, as_of_ms))
    }

    /// Appends to the ledger that the records of the rows and touches of `run` no longer count, and removes their
    /// payloads; returns how many.
    pub(super) fn supersede_consents_of_run(
        &self,
        run: RunNo,
        by: RunNo,
        as_of_ms: i64,
    ) -> Result<u64> {
        self.end_records(
            "(c.submission_no IN (SELECT submission_no FROM submission JOIN input USING (input_no)
                                  WHERE run_no = ?1)
              OR c.touch_no IN (SELECT touch_no FROM touch JOIN input USING (input_no) WHERE run_no = ?1))",
            run.0,
            by,
            (UNDONE, as_of_ms),
        )
    }

    /// Removes every payload of the records that `submission` told, those that no longer count included, and appends
    /// to the ledger that they are erased; returns how many.
    pub fn erase_consents_of_submission(
        &self,
        submission: SubmissionNo,
        by: RunNo,
        as_of_ms: i64,
    ) -> Result<u64> {
        self.end_records("c.submission_no = ?1", submission.0, by, (ERASED, as_of_ms))
    }

    /// Removes every payload of the records that the touch `touch_no` told, and appends to the ledger that they are
    /// erased; returns how many.
    pub fn erase_consents_of_touch(&self, touch_no: i64, by: RunNo, as_of_ms: i64) -> Result<u64> {
        self.end_records("c.touch_no = ?1", touch_no, by, (ERASED, as_of_ms))
    }

    /// Ends the records that `condition` on `?1` names and that stand: with `undone` those that count, with `erased`
    /// those that have a payload.
    fn end_records(
        &self,
        condition: &str,
        value: i64,
        by: RunNo,
        (state, as_of_ms): (&str, i64),
    ) -> Result<u64> {
        let stands = if state == ERASED {
            "EXISTS (SELECT 1 FROM consent_payload AS p WHERE p.seq = c.seq)"
        } else {
            "c.supersedes IS NULL
             AND NOT EXISTS (SELECT 1 FROM consent_record AS later WHERE later.supersedes = c.seq)"
        };
        let sql = format!(
            "SELECT c.seq, c.submission_no, c.touch_no, c.purpose, c.channel, c.wording_no, c.policy_no, c.grade,
                    json_extract(p.payload, '$.place')
             FROM consent_record AS c LEFT JOIN consent_payload AS p USING (seq)
             WHERE {condition} AND {stands} ORDER BY c.seq"
        );
        let mut ledger = self.ledger(by)?;
        let mut statement = self.connection.prepare(&sql)?;
        let ended: Vec<Ended> =
            statement.query_map([value], read_ended)?.collect::<rusqlite::Result<_>>()?;
        for record in &ended {
            ledger.end(record, state, as_of_ms)?;
        }
        Ok(ended.len() as u64)
    }
}

/// A record that is ended by a later one.
struct Ended {
    seq: i64,
    submission_no: Option<i64>,
    touch_no: Option<i64>,
    purpose: String,
    channel: String,
    wording_no: Option<i64>,
    policy_no: Option<i64>,
    grade: String,
    place: Option<String>,
}

fn read_ended(row: &rusqlite::Row<'_>) -> rusqlite::Result<Ended> {
    Ok(Ended {
        seq: row.get(0)?,
        submission_no: row.get(1)?,
        touch_no: row.get(2)?,
        purpose: row.get(3)?,
        channel: row.get(4)?,
        wording_no: row.get(5)?,
        policy_no: row.get(6)?,
        grade: row.get(7)?,
        place: row.get(8)?,
    })
}

fn head(connection: &rusqlite::Connection) -> Result<Head> {
    let last = connection
        .prepare_cached("SELECT seq, hash FROM consent_record ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok(Head { seq: row.get(0)?, hash: row.get(1)? }))
        .optional()
        .context("cannot read the consent ledger")?;
    Ok(last.unwrap_or(Head { seq: 0, hash: NOTHING }))
}

impl<'s> Ledger<'s> {
    fn open(connection: &'s rusqlite::Connection, run: RunNo) -> Result<Self> {
        Ok(Self {
            connection,
            run,
            head: head(connection)?,
            salts: Salts::new(),
            texts: HashMap::new(),
            envelope: String::new(),
        })
    }

    /// Opens the ledger inside the transaction that brings a store up to date.
    fn open_in(transaction: &'s Transaction<'_>) -> Result<Self> {
        Self::open(transaction, RunNo(0))
    }

    /// Appends one record.
    pub fn append(&mut self, entry: &Entry<'_>) -> Result<()> {
        let claim = entry.claim;
        let (wording_no, wording) = self.text(&claim.wording)?;
        let policy = claim.policy.as_deref().map(|text| self.text(text)).transpose()?;
        let (submission_no, touch_no) = match entry.by {
            Teller::Submission(no) => (Some(no.0), None),
            Teller::Touch(no) => (None, Some(no)),
        };
        let envelope = Envelope {
            seq: self.head.seq + 1,
            run_no: self.run.0,
            submission_no,
            touch_no,
            purpose: &claim.purpose.0,
            channel: claim.channel.word(),
            state: claim.state.word(),
            event_ms: entry.event_ms,
            is_dated: entry.is_dated,
            wording_no: Some(wording_no),
            policy_no: policy.map(|(no, _)| no),
            mechanism: &claim.mechanism,
            grade: entry.grade.word(),
            supersedes: None,
            commitment: NOTHING,
        };
        let texts = [Some(wording), policy.map(|(_, sha256)| sha256)];
        self.write(envelope, Some(&serde_json::to_string(&entry.payload)?), &texts)
    }

    /// Appends that `record` is ended, and removes its payload: an undo takes a wrong file's people out of the store.
    fn end(&mut self, record: &Ended, state: &str, as_of_ms: i64) -> Result<()> {
        let envelope = Envelope {
            seq: self.head.seq + 1,
            run_no: self.run.0,
            submission_no: record.submission_no,
            touch_no: record.touch_no,
            purpose: &record.purpose,
            channel: &record.channel,
            state,
            event_ms: as_of_ms,
            is_dated: true,
            wording_no: record.wording_no,
            policy_no: record.policy_no,
            mechanism: if state == ERASED { "erasure" } else { "undo" },
            grade: &record.grade,
            supersedes: Some(record.seq),
            commitment: NOTHING,
        };
        // An erasure leaves nothing; an undo says where the row stood that it took back.
        let place = record.place.as_deref().filter(|_| state == UNDONE);
        let payload = place
            .map(|place| serde_json::to_string(&Payload { place, ..Payload::default() }))
            .transpose()?;
        let texts = match &payload {
            Some(_) => [self.sha256(record.wording_no)?, self.sha256(record.policy_no)?],
            None => [None, None],
        };
        self.write(envelope, payload.as_deref(), &texts)?;
        self.connection
            .prepare_cached("DELETE FROM consent_payload WHERE seq = ?1")?
            .execute([record.seq])?;
        Ok(())
    }

    /// Writes the next record of the chain, and its payload if it has one.
    fn write(
        &mut self,
        mut envelope: Envelope<'_>,
        payload: Option<&str>,
        texts: &[Option<Hash>],
    ) -> Result<()> {
        if let Some(payload) = payload {
            let salt = self.salts.next(envelope.seq)?;
            envelope.commitment = commitment(&salt, payload, texts.iter().flatten().copied())?;
            self.connection
                .prepare_cached("INSERT INTO consent_payload VALUES (?1, ?2, ?3)")?
                .execute(params![envelope.seq, salt, payload])?;
        }
        envelope.write(&mut self.envelope)?;
        let hash = chained(&self.head.hash, &self.envelope);
        self.connection.prepare_cached(APPEND)?.execute(params![
            envelope.seq,
            envelope.run_no,
            envelope.submission_no,
            envelope.touch_no,
            envelope.purpose,
            envelope.channel,
            envelope.state,
            envelope.event_ms,
            envelope.is_dated,
            envelope.wording_no,
            envelope.policy_no,
            envelope.mechanism,
            envelope.grade,
            envelope.supersedes,
            envelope.commitment,
            hash
        ])?;
        self.head = Head { seq: envelope.seq, hash };
        Ok(())
    }

    /// Returns the number and the SHA-256 of `text` in the table of texts, into which it is put.
    fn text(&mut self, text: &str) -> Result<(i64, Hash)> {
        if let Some(known) = self.texts.get(text) {
            return Ok(*known);
        }
        let sha256: Hash = Sha256::digest(text).into();
        self.connection
            .prepare_cached(
                "INSERT INTO wording (sha256, text) VALUES (?1, ?2) ON CONFLICT (sha256) DO NOTHING",
            )?
            .execute(params![sha256, text])?;
        let number = self
            .connection
            .prepare_cached("SELECT wording_no FROM wording WHERE sha256 = ?1")?
            .query_row([sha256], |row| row.get(0))?;
        // A form that puts the person's own words in a consent column must not fill the memory.
        if self.texts.len() < REMEMBERED_MAX {
            self.texts.insert(text.to_owned(), (number, sha256));
        }
        Ok((number, sha256))
    }

    fn sha256(&self, text_no: Option<i64>) -> Result<Option<Hash>> {
        let Some(text_no) = text_no else { return Ok(None) };
        self.connection
            .prepare_cached("SELECT sha256 FROM wording WHERE wording_no = ?1")?
            .query_row([text_no], |row| row.get(0))
            .map(Some)
            .context("a text of the consent ledger is missing")
    }
}

#[cfg(test)]
mod tests;
