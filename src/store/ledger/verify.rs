//! Whether the ledger is as it was appended: every record, every payload, every text.
//!
//! Records are read in order and one at a time. A chain alone cannot tell that its end was cut off, or that all of it
//! was written anew; whoever kept an earlier head, as every run's `manifest.json` does, holds it against that.

use std::collections::HashMap;
use std::fmt;

use anyhow::{Context as _, Result};
use rusqlite::{Row, Statement, params};
use sha2::{Digest as _, Sha256};

use super::chain::{Envelope, Hash, NOTHING, chained, commitment};
use super::{ERASED, Head, UNDONE};
use crate::model::ids::hex;
use crate::store::Store;
use crate::store::interned::REMEMBERED_MAX;

/// Problems that are told one by one; more are only counted.
pub const PROBLEMS_MAX: usize = 50;

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Records are missing before this one.
    Gap {
        /// The first number that is missing.
        from: i64,
    },
    /// The record is not what was appended behind the one before it: changed, moved, put in, or standing behind such.
    Chain,
    /// The payload is not what the record commits to, or a text that was shown is not what it was.
    Payload,
    /// The payload is gone, and the ledger does not say that it was erased.
    PayloadMissing,
    /// The payload of an erased record is there.
    PayloadBack,
    /// There is a payload without a record.
    PayloadAlone,
    /// A text is not what its hash says.
    Text,
    /// A text that a record needs is gone.
    TextMissing,
    /// It ends a record that is not an earlier one.
    EndsNothing,
    /// The ledger does not reach as far as the anchor.
    Truncated {
        /// Position of the anchor.
        anchor: i64,
    },
    /// The record at the anchor's position has another hash than the anchor.
    Rewritten,
    /// A value has a form that leadmill never writes.
    Unreadable,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { from } => write!(f, "records from {from} on are missing before it"),
            Self::Chain => f.write_str(
                "does not follow from the record before it: changed, moved, put in or one taken out",
            ),
            Self::Payload => f.write_str("its evidence or wording is not what it commits to"),
            Self::PayloadMissing => {
                f.write_str("its evidence is gone, and the ledger does not say that it was erased")
            }
            Self::PayloadBack => f.write_str("its evidence was erased, and is there again"),
            Self::PayloadAlone => f.write_str("there is evidence without a record"),
            Self::Text => f.write_str("is a wording that is not what its hash says"),
            Self::TextMissing => f.write_str("its wording is gone"),
            Self::EndsNothing => f.write_str("ends a record that is not an earlier one"),
            Self::Truncated { anchor } => {
                write!(f, "is the last one, but the anchor knows {anchor}: the end was cut off")
            }
            Self::Rewritten => {
                f.write_str("is not the one that the anchor knows: the ledger was written anew")
            }
            Self::Unreadable => f.write_str("is not a record that leadmill writes"),
        }
    }
}

/// What a look at the whole ledger found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Where it ends.
    pub head: Head,
    /// Records.
    pub records: u64,
    /// Payloads that match what their records commit to.
    pub matching: u64,
    /// Payloads that are gone as the ledger says.
    pub erased: u64,
    /// Texts that match their hashes.
    pub texts: u64,
    /// What is wrong, each with the position of the record (or the number of the text), at most [`PROBLEMS_MAX`].
    pub problems: Vec<(i64, Problem)>,
    /// How many problems there are.
    pub n_problems: u64,
    /// Whether an anchor was found where it should be.
    pub is_anchored: bool,
}

const RECORDS: &str = "SELECT c.seq, c.run_no, c.submission_no, c.touch_no, c.purpose, c.channel, c.state, c.event_ms,
        c.is_dated, c.wording_no, c.policy_no, c.mechanism, c.grade, c.supersedes, c.commitment, c.hash,
        p.salt, p.payload,
        EXISTS (SELECT 1 FROM consent_record AS later WHERE later.supersedes = c.seq AND later.seq > c.seq)
    FROM consent_record AS c LEFT JOIN consent_payload AS p USING (seq)
    ORDER BY c.seq";

impl Store {
    /// Looks at every record of the ledger, and whether it still holds what `anchor` knew.
    ///
    /// # Errors
    /// When the store cannot be read; whatever is wrong with the ledger is in the result.
    pub fn verify_ledger(&self, anchor: Option<Head>) -> Result<Verified> {
        let mut texts =
            self.connection.prepare("SELECT sha256 FROM wording WHERE wording_no = ?1")?;
        let mut found = Findings::new(anchor);
        found.texts(&self.connection)?;
        let mut statement = self.connection.prepare(RECORDS)?;
        let mut rows = statement.query([])?;
        let mut canonical = String::new();
        while let Some(row) = rows.next().context("cannot read the consent ledger")? {
            let seq = row.get(0)?;
            if found.record(seq, row, &mut canonical, &mut texts).is_err() {
                found.tell(seq, Problem::Unreadable);
                found.go_on_behind(seq, row);
            }
        }
        let alone =
            "SELECT seq FROM consent_payload WHERE seq NOT IN (SELECT seq FROM consent_record)
                     ORDER BY seq";
        let mut alone = self.connection.prepare(alone)?;
        let mut rows = alone.query([])?;
        while let Some(row) = rows.next()? {
            found.tell(row.get(0)?, Problem::PayloadAlone);
        }
        Ok(found.close())
    }
}

/// The look at the ledger, as far as it has come.
struct Findings {
    anchor: Option<Head>,
    known_texts: HashMap<i64, Hash>,
    verified: Verified,
}

impl Findings {
    fn new(anchor: Option<Head>) -> Self {
        let verified = Verified {
            head: Head { seq: 0, hash: NOTHING },
            records: 0,
            matching: 0,
            erased: 0,
            texts: 0,
            problems: Vec::new(),
            n_problems: 0,
            // The beginning of every ledger is the same.
            is_anchored: anchor.is_some_and(|anchor| anchor == Head { seq: 0, hash: NOTHING }),
        };
        Self { anchor, known_texts: HashMap::new(), verified }
    }

    fn tell(&mut self, seq: i64, problem: Problem) {
        self.verified.n_problems += 1;
        if self.verified.problems.len() < PROBLEMS_MAX {
            self.verified.problems.push((seq, problem));
        }
    }

    /// Holds every text against its hash.
    fn texts(&mut self, connection: &rusqlite::Connection) -> Result<()> {
        let mut statement = connection
            .prepare("SELECT wording_no, sha256, text FROM wording ORDER BY wording_no")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let text = row.get_ref(2)?.as_bytes().unwrap_or_default();
            if row.get_ref(1)?.as_bytes().is_ok_and(|kept| *kept == *Sha256::digest(text)) {
                self.verified.texts += 1;
            } else {
                self.tell(row.get(0)?, Problem::Text);
            }
        }
        Ok(())
    }

    fn record(
        &mut self,
        seq: i64,
        row: &Row<'_>,
        canonical: &mut String,
        texts: &mut Statement<'_>,
    ) -> Result<()> {
        let envelope = Envelope {
            seq,
            run_no: row.get(1)?,
            submission_no: row.get(2)?,
            touch_no: row.get(3)?,
            purpose: row.get_ref(4)?.as_str()?,
            channel: row.get_ref(5)?.as_str()?,
            state: row.get_ref(6)?.as_str()?,
            event_ms: row.get(7)?,
            is_dated: flag(row.get(8)?)?,
            wording_no: row.get(9)?,
            policy_no: row.get(10)?,
            mechanism: row.get_ref(11)?.as_str()?,
            grade: row.get_ref(12)?.as_str()?,
            supersedes: row.get(13)?,
            commitment: row.get(14)?,
        };
        let hash: Hash = row.get(15)?;
        envelope.write(canonical)?;
        let (before, expected) = (self.verified.head, self.verified.head.seq + 1);
        if seq != expected {
            self.tell(seq, Problem::Gap { from: expected });
        }
        if chained(&before.hash, canonical) != hash {
            self.tell(seq, Problem::Chain);
        }
        if envelope.supersedes.is_some_and(|earlier| earlier >= seq || earlier < 1) {
            self.tell(seq, Problem::EndsNothing);
        }
        self.payload(row, &envelope, texts)?;
        self.behind(Head { seq, hash });
        Ok(())
    }

    /// Goes on behind a record that cannot be read, with the hash that it has.
    fn go_on_behind(&mut self, seq: i64, row: &Row<'_>) {
        self.behind(Head { seq, hash: row.get(15).unwrap_or(NOTHING) });
    }

    fn behind(&mut self, head: Head) {
        self.verified.records += 1;
        self.verified.head = head;
        if let Some(anchor) = self.anchor.filter(|anchor| anchor.seq == head.seq) {
            if anchor.hash == head.hash {
                self.verified.is_anchored = true;
            } else {
                self.tell(head.seq, Problem::Rewritten);
            }
        }
    }

    fn payload(
        &mut self,
        row: &Row<'_>,
        envelope: &Envelope<'_>,
        texts: &mut Statement<'_>,
    ) -> Result<()> {
        let (seq, is_ended): (i64, bool) = (envelope.seq, row.get(18)?);
        let Ok(payload) = row.get_ref(17)?.as_str() else {
            if is_ended || envelope.commitment == NOTHING && is_bare(envelope) {
                self.verified.erased += u64::from(envelope.commitment != NOTHING);
            } else {
                self.tell(seq, Problem::PayloadMissing);
            }
            return Ok(());
        };
        if is_ended {
            self.tell(seq, Problem::PayloadBack);
            return Ok(());
        }
        let salt: Hash = row.get(16)?;
        let mut shown = Vec::with_capacity(2);
        for text_no in [envelope.wording_no, envelope.policy_no].into_iter().flatten() {
            match self.text(text_no, texts)? {
                Some(sha256) => shown.push(sha256),
                None => {
                    self.tell(seq, Problem::TextMissing);
                    return Ok(());
                }
            }
        }
        if commitment(&salt, payload, shown.into_iter())? == envelope.commitment {
            self.verified.matching += 1;
        } else {
            self.tell(seq, Problem::Payload);
        }
        Ok(())
    }

    fn text(&mut self, text_no: i64, texts: &mut Statement<'_>) -> Result<Option<Hash>> {
        if let Some(known) = self.known_texts.get(&text_no) {
            return Ok(Some(*known));
        }
        let mut rows = texts.query(params![text_no])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let sha256: Hash = row.get(0)?;
        if self.known_texts.len() < REMEMBERED_MAX {
            self.known_texts.insert(text_no, sha256);
        }
        Ok(Some(sha256))
    }

    fn close(mut self) -> Verified {
        let head = self.verified.head;
        if let Some(anchor) = self.anchor.filter(|anchor| anchor.seq > head.seq) {
            self.tell(head.seq, Problem::Truncated { anchor: anchor.seq });
        }
        self.verified
    }
}

/// Reads a number that is written as 0 or 1 only.
fn flag(number: i64) -> Result<bool> {
    anyhow::ensure!(matches!(number, 0 | 1), "{number} is neither 0 nor 1");
    Ok(number == 1)
}

/// Returns whether such a record may have been appended without a payload.
fn is_bare(envelope: &Envelope<'_>) -> bool {
    matches!(envelope.state, ERASED | UNDONE)
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, hex(&self.hash))
    }
}
