//! Rows in: one input becomes visible whole or not at all.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context as _, Result};
use rusqlite::{OptionalExtension as _, params};

use super::Store;
use super::denials::takes_back;
use super::touches::write_identities;
use crate::identity::guard::{UNPROVEN, holder};
use crate::identity::keys::{KeyKind, Keyring, identity_hash};
use crate::model::ids::{Fingerprint, InputNo, KeyHash, RunNo, SubmissionNo};
use crate::model::moment::Certainty;
use crate::model::row::Origin;
use crate::model::run::NoticeCounts;
use crate::model::submission::Submission;
use crate::model::touch::Touch;
use crate::rules::field::FieldCatalog;
use crate::store::codec;

/// Rows between two commits. Measured: 131,072 rows with sorted keys wrote a quarter of the bytes, in
/// a quarter of the CPU time, of 8,192 rows with keys in order of arrival.
const ROWS_PER_COMMIT: usize = 131_072;

/// A submission made ready for its row by a worker thread.
#[derive(Debug)]
pub struct EncodedSubmission {
    fingerprint: Fingerprint,
    submitted_ms: i64,
    modified_ms: Option<i64>,
    offset_minutes: i32,
    certainty: i64,
    fields: String,
    consents: Option<String>,
    notices: Option<String>,
    /// Each code once, however many columns it was said of.
    notice_codes: BTreeSet<&'static str>,
    raw: String,
    keys: Vec<(KeyHash, KeyKind)>,
    holder: String,
    /// Whether it takes a consent back.
    takes_back: bool,
}

/// Returns `submission` in the form its row takes.
pub fn encode(
    submission: Submission,
    catalog: &FieldCatalog,
    keyring: &Keyring,
) -> EncodedSubmission {
    EncodedSubmission {
        fingerprint: submission.fingerprint,
        submitted_ms: submission.submitted_at.epoch_ms,
        modified_ms: submission.modified_at_ms,
        offset_minutes: submission.submitted_at.offset_minutes,
        certainty: submission.submitted_at.certainty as i64,
        fields: codec::encode_values(&submission.values, catalog),
        consents: codec::encode_claims(&submission.consents),
        takes_back: takes_back(&submission.consents),
        notices: codec::encode_notices(&submission.notices),
        notice_codes: submission.notices.iter().map(|notice| notice.code).collect(),
        keys: keyring
            .keys(&submission.values)
            .into_iter()
            .map(|key| (key.hash, key.kind))
            .collect(),
        holder: holder(&submission.values),
        raw: submission.raw,
    }
}

/// A touch made ready for its row by a worker thread.
#[derive(Debug)]
pub struct EncodedTouch {
    touch: Touch,
    identities: String,
    /// None twice.
    keys: Vec<KeyHash>,
}

/// Returns `touch` in the form its row takes.
pub fn encode_touch(touch: Touch) -> EncodedTouch {
    let mut keys: Vec<KeyHash> = touch.identities.iter().map(identity_hash).collect();
    keys.sort_unstable();
    keys.dedup();
    EncodedTouch { identities: write_identities(&touch.identities), keys, touch }
}

/// A row to keep.
#[derive(Debug)]
pub enum IngestRow {
    /// An accepted submission.
    Submission(Box<EncodedSubmission>),
    /// A touch.
    Touch(Box<EncodedTouch>),
    /// A row that was not accepted.
    Quarantined {
        /// What makes it the same when received again.
        fingerprint: Fingerprint,
        /// Why.
        rejection: crate::model::outcome::Rejection,
        /// The row as received.
        raw: String,
    },
    /// A row that was withheld.
    Held {
        /// What makes it the same when received again.
        fingerprint: Fingerprint,
        /// Why.
        hold: crate::model::outcome::Hold,
        /// The row as received.
        raw: String,
    },
    /// Not a record.
    Skipped,
}

/// What the store made of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFate {
    /// Kept as a submission under this number, with what orders it among founders.
    Submission {
        /// Its number.
        no: SubmissionNo,
        /// When it was sent.
        submitted_ms: i64,
        /// What identifies it.
        fingerprint: Fingerprint,
    },
    /// Kept as something else, or skipped.
    Kept,
    /// Seen before.
    Repeated,
}

/// An input as its row describes it.
#[derive(Debug, Clone)]
pub struct InputRecord {
    /// File as the user named it.
    pub name: String,
    /// SHA-256 of the decompressed bytes.
    pub sha256: [u8; 32],
    /// Preset.
    pub source: String,
    /// Whether its rows say who is known, and are no enquiries.
    pub tells_contacts: bool,
    /// Encoding as found.
    pub encoding: String,
    /// Header cells, empty for JSON.
    pub header: Vec<String>,
    /// Decompressed bytes.
    pub bytes: u64,
}

/// How many rows of an input ended where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InputCounts {
    /// Rows read.
    pub read: u64,
    /// Accepted as submissions.
    pub accepted: u64,
    /// Seen before.
    pub repeated: u64,
    /// Not accepted.
    pub quarantined: u64,
    /// Withheld.
    pub held: u64,
    /// Touches.
    pub touches: u64,
    /// No records.
    pub skipped: u64,
}

/// The first numbers that rows of an input can have.
#[derive(Debug, Clone, Copy)]
struct FirstNumbers {
    submission: i64,
    touch: i64,
    quarantine: i64,
    held: i64,
}

/// An input on its way in; dropping it without [`Ingest::finish`] leaves its rows to be purged.
#[derive(Debug)]
pub struct Ingest<'s> {
    store: &'s Store,
    input: InputNo,
    first: FirstNumbers,
    next_submission: i64,
    next_touch: i64,
    next_quarantine: i64,
    next_held: i64,
    pending_seen: HashMap<Fingerprint, (&'static str, i64)>,
    pending_keys: Vec<(KeyHash, i64, KeyKind, String)>,
    pending_touch_keys: Vec<(KeyHash, i64, i64)>,
    rows_since_commit: usize,
    track_fresh_keys: bool,
    counts: InputCounts,
    notices: BTreeMap<&'static str, u64>,
    /// As what the last row was kept, or had been kept before.
    last: Option<(String, i64)>,
}

impl Store {
    /// Begins to take in `record`; `track_fresh_keys` remembers its keys for [`super::absorb`].
    pub fn ingest(
        &self,
        run: RunNo,
        record: &InputRecord,
        track_fresh_keys: bool,
    ) -> Result<Ingest<'_>> {
        self.begin()?;
        let input = InputNo(self.next_number("input", "input_no")?);
        self.connection
            .prepare_cached(
                "INSERT INTO input (input_no, run_no, sha256, name, source, encoding, header, bytes,
                                    tells_contacts)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                input.0,
                run.0,
                record.sha256,
                record.name,
                record.source,
                record.encoding,
                serde_json::to_string(&record.header)?,
                record.bytes as i64,
                record.tells_contacts
            ])?;
        let first = FirstNumbers {
            submission: self.next_number("submission", "submission_no")?,
            touch: self.next_number("touch", "touch_no")?,
            quarantine: self.next_number("quarantine", "quarantine_no")?,
            held: self.next_number("held", "held_no")?,
        };
        Ok(Ingest {
            store: self,
            input,
            first,
            next_submission: first.submission,
            next_touch: first.touch,
            next_quarantine: first.quarantine,
            next_held: first.held,
            pending_seen: HashMap::new(),
            pending_keys: Vec::new(),
            pending_touch_keys: Vec::new(),
            rows_since_commit: 0,
            track_fresh_keys,
            counts: InputCounts::default(),
            notices: BTreeMap::new(),
            last: None,
        })
    }

    /// Returns the number after the last one used in `table`, be it by a row that is gone.
    pub(super) fn next_number(&self, table: &str, column: &str) -> Result<i64> {
        let sql = format!(
            "SELECT max((SELECT coalesce(max({column}), 0) FROM {table}),
                        coalesce((SELECT no FROM last_number WHERE table_name = '{table}'), 0)) + 1"
        );
        Ok(self.connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
    }
}

impl Ingest<'_> {
    /// Keeps one row, or notes that it was seen before.
    pub fn write(&mut self, origin: Origin, row: IngestRow) -> Result<RowFate> {
        self.counts.read += 1;
        self.rows_since_commit += 1;
        self.last = None;
        if self.rows_since_commit >= ROWS_PER_COMMIT {
            self.flush()?;
            self.store.commit()?;
            self.store.begin()?;
        }
        let fingerprint = match &row {
            IngestRow::Skipped => {
                self.counts.skipped += 1;
                return Ok(RowFate::Kept);
            }
            IngestRow::Submission(submission) => submission.fingerprint,
            IngestRow::Touch(row) => row.touch.fingerprint,
            IngestRow::Quarantined { fingerprint, .. } | IngestRow::Held { fingerprint, .. } => {
                *fingerprint
            }
        };
        if let Some((kind, no)) = self.seen(fingerprint)? {
            self.repeat(origin, &row, kind, no)?;
            return Ok(RowFate::Repeated);
        }
        match row {
            IngestRow::Submission(submission) => return self.write_submission(origin, *submission),
            IngestRow::Touch(row) => self.write_touch(origin, &row)?,
            IngestRow::Quarantined { rejection, raw, .. } => {
                self.counts.quarantined += 1;
                let no = take(&mut self.next_quarantine);
                self.keep(fingerprint, "q", no);
                self.store
                    .connection
                    .prepare_cached(
                        "INSERT INTO quarantine VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                    )?
                    .execute(params![
                        no,
                        fingerprint.0,
                        self.input.0,
                        origin.record,
                        origin.line,
                        rejection.code,
                        rejection.column,
                        rejection.value,
                        rejection.message,
                        raw
                    ])?;
            }
            IngestRow::Held { hold, raw, .. } => {
                self.counts.held += 1;
                let no = take(&mut self.next_held);
                self.keep(fingerprint, "h", no);
                self.store
                    .connection
                    .prepare_cached("INSERT INTO held VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
                    .execute(params![
                        no,
                        self.input.0,
                        origin.record,
                        origin.line,
                        hold.reason.word(),
                        hold.column,
                        hold.value,
                        hold.message,
                        raw
                    ])?;
            }
            IngestRow::Skipped => {}
        }
        Ok(RowFate::Kept)
    }

    /// Notes that the row written last came back for the quarantined row with this fingerprint, which is
    /// then open no longer; nothing happens when there is no such row, or it came back as it went.
    pub fn mend(&mut self, origin: Origin, quarantined: Fingerprint) -> Result<()> {
        let Some((kind, no)) = self.last.take() else { return Ok(()) };
        let Some((was, quarantine_no)) = self.seen(quarantined)? else { return Ok(()) };
        if was != "q" || (kind == "q" && no == quarantine_no) {
            return Ok(());
        }
        self.store
            .connection
            .prepare_cached("INSERT OR IGNORE INTO mended VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![quarantine_no, self.input.0, origin.record, origin.line, kind, no])?;
        Ok(())
    }

    fn keep(&mut self, fingerprint: Fingerprint, kind: &'static str, no: i64) {
        self.pending_seen.insert(fingerprint, (kind, no));
        self.last = Some((kind.to_owned(), no));
    }

    /// Makes the input visible and returns its counts and those of the notices on accepted rows.
    ///
    /// What is kept with the input is counted in the tables, what is returned was counted on the way: the books of the
    /// run hold both against each other.
    pub fn finish(mut self) -> Result<(InputCounts, NoticeCounts)> {
        self.flush()?;
        let counts = self.stored_counts()?;
        self.store
            .connection
            .prepare_cached(
                "UPDATE input SET rows_read = ?2, accepted = ?3, repeated = ?4, quarantined = ?5,
                 held = ?6, touches = ?7, skipped = ?8 WHERE input_no = ?1",
            )?
            .execute(params![
                self.input.0,
                counts.read as i64,
                counts.accepted as i64,
                counts.repeated as i64,
                counts.quarantined as i64,
                counts.held as i64,
                counts.touches as i64,
                counts.skipped as i64
            ])?;
        self.store.commit()?;
        let notices =
            self.notices.into_iter().map(|(code, rows)| (code.to_owned(), rows)).collect();
        Ok((self.counts, notices))
    }

    /// Counts the rows of the input where they are kept.
    fn stored_counts(&self) -> Result<InputCounts> {
        let count = |sql: &str, from: i64| -> Result<u64> {
            let count: i64 =
                self.store.connection.prepare_cached(sql)?.query_row([from], |row| row.get(0))?;
            Ok(count as u64)
        };
        let FirstNumbers { submission, touch, quarantine, held } = self.first;
        Ok(InputCounts {
            read: self.counts.read,
            accepted: count(
                "SELECT count(*) FROM submission INDEXED BY submission_glance WHERE submission_no >= ?1",
                submission,
            )?,
            repeated: count("SELECT count(*) FROM repeat WHERE input_no = ?1", self.input.0)?,
            quarantined: count(
                "SELECT count(*) FROM quarantine WHERE quarantine_no >= ?1",
                quarantine,
            )?,
            held: count("SELECT count(*) FROM held WHERE held_no >= ?1", held)?,
            touches: count("SELECT count(*) FROM touch WHERE touch_no >= ?1", touch)?,
            skipped: self.counts.skipped,
        })
    }

    /// Takes back every row of the input: it was cut short, changed while read, or interrupted.
    pub fn abandon(self) -> Result<()> {
        self.store.rollback()?;
        self.store.purge_inputs_from(self.input)
    }

    fn write_submission(&mut self, origin: Origin, row: EncodedSubmission) -> Result<RowFate> {
        self.counts.accepted += 1;
        for code in row.notice_codes {
            *self.notices.entry(code).or_default() += 1;
        }
        let no = take(&mut self.next_submission);
        self.keep(row.fingerprint, "s", no);
        self.store
            .connection
            .prepare_cached(
                "INSERT INTO submission
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                no,
                self.input.0,
                origin.record,
                origin.line,
                row.fingerprint.0,
                row.submitted_ms,
                row.modified_ms,
                row.offset_minutes,
                row.certainty,
                row.fields,
                row.consents,
                row.notices,
                row.raw
            ])?;
        for (hash, kind, holder) in held_keys(&row.keys, &row.holder) {
            self.pending_keys.push((hash, no, kind, holder));
        }
        if row.takes_back {
            self.store.note_denying_row(&row.keys, no)?;
        }
        Ok(RowFate::Submission {
            no: SubmissionNo(no),
            submitted_ms: row.submitted_ms,
            fingerprint: row.fingerprint,
        })
    }

    fn write_touch(&mut self, origin: Origin, row: &EncodedTouch) -> Result<()> {
        self.counts.touches += 1;
        let no = take(&mut self.next_touch);
        self.keep(row.touch.fingerprint, "t", no);
        self.store
            .connection
            .prepare_cached(
                "INSERT INTO touch (touch_no, input_no, record, line, at_ms, kind, detail, identities, amount, currency)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                no,
                self.input.0,
                origin.record,
                origin.line,
                row.touch.at_ms,
                row.touch.kind,
                row.touch.detail,
                row.identities,
                row.touch.amount.as_ref().map(|amount| &amount.value),
                row.touch.amount.as_ref().map(|amount| &amount.currency),
            ])?;
        self.store.note_denying_touch(&row.touch, no)?;
        let beside = row.keys.len() as i64 - 1;
        self.pending_touch_keys.extend(row.keys.iter().map(|key| (*key, no, beside)));
        Ok(())
    }

    /// Notes that `row` was kept as `kind` and `no` before.
    fn repeat(&mut self, origin: Origin, row: &IngestRow, kind: String, no: i64) -> Result<()> {
        self.write_repeat(origin, &kind, no)?;
        if let IngestRow::Submission(submission) = row
            && kind == "s"
        {
            self.keep_variant(origin, submission, no)?;
        }
        self.last = Some((kind, no));
        Ok(())
    }

    /// Keeps what a row says that is the same submission as `no` by its id, but says something else.
    fn keep_variant(&self, origin: Origin, row: &EncodedSubmission, no: i64) -> Result<()> {
        let connection = &self.store.connection;
        let says_the_same: bool = connection
            .prepare_cached(
                "SELECT fields = ?2 AND consents IS ?3 AND modified_ms IS ?4 AND certainty = ?5
                        AND (submitted_ms = ?6 OR certainty = ?7)
                 FROM submission WHERE submission_no = ?1",
            )?
            .query_row(
                params![
                    no,
                    row.fields,
                    row.consents,
                    row.modified_ms,
                    row.certainty,
                    row.submitted_ms,
                    Certainty::Received as i64
                ],
                |row| row.get(0),
            )?;
        if says_the_same {
            return Ok(());
        }
        connection
            .prepare_cached("INSERT INTO variant VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?
            .execute(params![
                self.input.0,
                origin.record,
                row.submitted_ms,
                row.modified_ms,
                row.offset_minutes,
                row.certainty,
                row.fields,
                row.consents,
                row.notices,
                row.raw
            ])?;
        Ok(())
    }

    fn write_repeat(&mut self, origin: Origin, kind: &str, no: i64) -> Result<()> {
        self.counts.repeated += 1;
        self.store
            .connection
            .prepare_cached("INSERT INTO repeat VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![self.input.0, origin.record, origin.line, kind, no])?;
        Ok(())
    }

    fn seen(&self, fingerprint: Fingerprint) -> Result<Option<(String, i64)>> {
        if let Some((kind, no)) = self.pending_seen.get(&fingerprint) {
            return Ok(Some(((*kind).to_owned(), *no)));
        }
        self.store
            .connection
            .prepare_cached("SELECT kind, no FROM seen WHERE fingerprint = ?1")?
            .query_row([fingerprint.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .context("cannot look a row up in the store")
    }

    /// Writes the pending keys in order of their hash: neighbors share a page, so a commit dirties a
    /// fraction of the pages that arrival order would.
    fn flush(&mut self) -> Result<()> {
        self.rows_since_commit = 0;
        let mut seen: Vec<_> = self.pending_seen.drain().collect();
        seen.sort_unstable();
        let connection = &self.store.connection;
        let mut insert = connection.prepare_cached("INSERT INTO seen VALUES (?1, ?2, ?3)")?;
        for (fingerprint, (kind, no)) in seen {
            insert.execute(params![fingerprint.0, kind, no])?;
        }
        self.pending_touch_keys.sort_unstable();
        let mut insert = connection.prepare_cached("INSERT INTO touch_key VALUES (?1, ?2, ?3)")?;
        for (hash, no, beside) in self.pending_touch_keys.drain(..) {
            insert.execute(params![hash.0, no, beside])?;
        }
        self.pending_keys.sort_unstable();
        let mut insert =
            connection.prepare_cached("INSERT INTO match_key VALUES (?1, ?2, ?3, ?4)")?;
        let mut fresh =
            connection.prepare_cached("INSERT OR IGNORE INTO temp.fresh_key VALUES (?1)")?;
        for (hash, no, kind, holder) in self.pending_keys.drain(..) {
            insert.execute(params![hash.0, no, kind as i64, holder])?;
            if self.track_fresh_keys {
                fresh.execute([hash.0])?;
            }
        }
        Ok(())
    }
}

/// Returns each key with the name it is held under.
pub(super) fn held_keys(
    keys: &[(KeyHash, KeyKind)],
    holder: &str,
) -> Vec<(KeyHash, KeyKind, String)> {
    let has_address =
        keys.iter().any(|(_, kind)| matches!(kind, KeyKind::Email | KeyKind::RoleEmail));
    keys.iter()
        .map(|&(hash, kind)| {
            let is_unproven = kind == KeyKind::Phone && holder.is_empty() && has_address;
            let holder = match kind {
                _ if is_unproven => UNPROVEN,
                // Who holds a near key is told apart by all that they say, not by their name.
                KeyKind::Near => "",
                // Nobody joins by these, so nobody asks under which name.
                kind if kind.only_joins_touches() => "",
                _ => holder,
            };
            (hash, kind, holder.to_owned())
        })
        .collect()
}

fn take(next: &mut i64) -> i64 {
    let no = *next;
    *next += 1;
    no
}
