//! Taking back what a run received.
//!
//! Its rows go, with three exceptions. A row that a later run brought, too, stays as that run's: there it had been
//! passed over as seen before, and would otherwise be lost. The consent ledger keeps its records without what they say
//! about people, and appends that they no longer count. Numbers and lead ids are not given to anybody else.

use anyhow::{Context as _, Result};
use rusqlite::{OptionalExtension as _, params};

use super::Store;
use super::denials::takes_back;
use super::ingest::held_keys;
use super::leads::claims;
use crate::identity::guard::holder;
use crate::identity::keys::Keyring;
use crate::model::ids::{LeadId, RunNo, SubmissionNo};
use crate::model::moment::Certainty;
use crate::model::run::TakenBack;
use crate::rules::field::FieldCatalog;

/// Rows that stay as a later run's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandedOver {
    /// How many.
    pub rows: u64,
    /// Submissions among them that say something else in the later run.
    pub changed: Vec<SubmissionNo>,
    /// Those that say the same as before about consent, but were received later.
    pub received_later: Vec<SubmissionNo>,
}

/// A lead that is in no list any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// Its id.
    pub id: String,
    /// The run that took it off.
    pub by: String,
    /// The run that was taken back then.
    pub undone: Option<String>,
    /// Ids of the leads that have those of its rows which stayed.
    pub now_in: Vec<String>,
}

/// A row by kind, as `seen` has it, with the table and column that hold it.
const KINDS: &[(&str, &str, &str)] = &[
    ("s", "submission", "submission_no"),
    ("t", "touch", "touch_no"),
    ("q", "quarantine", "quarantine_no"),
    ("h", "held", "held_no"),
];

impl Store {
    /// Marks `run` as taken back by `by`.
    pub fn mark_undone(&self, run: RunNo, by: RunNo) -> Result<()> {
        self.connection
            .execute("UPDATE run SET undone_by = ?2 WHERE run_no = ?1", params![run.0, by.0])?;
        Ok(())
    }

    /// Hands the rows of `run` that later runs received as well to the first of these.
    pub fn hand_over_repeats(
        &self,
        run: RunNo,
        catalog: &FieldCatalog,
        keyring: &Keyring,
    ) -> Result<HandedOver> {
        self.connection.execute_batch(
            "DROP TABLE IF EXISTS temp.moved;
             CREATE TEMP TABLE moved (kind TEXT, no INTEGER, input_no INTEGER, record INTEGER,
                 line INTEGER, PRIMARY KEY (kind, no)) WITHOUT ROWID;",
        )?;
        for (kind, table, column) in KINDS {
            self.connection.execute(
                &format!(
                    "INSERT INTO temp.moved
                     SELECT kind, no, input_no, record, line FROM (
                         SELECT r.*, row_number() OVER (PARTITION BY r.no ORDER BY r.input_no, r.record)
                             AS place
                         FROM repeat AS r
                         JOIN input AS mine ON mine.input_no = r.input_no AND mine.run_no <> ?1
                         JOIN {table} AS kept ON kept.{column} = r.no
                         JOIN input AS first ON first.input_no = kept.input_no AND first.run_no = ?1
                         WHERE r.kind = '{kind}')
                     WHERE place = 1"
                ),
                [run.0],
            )?;
            let counter = match *kind {
                "s" => "accepted",
                "t" => "touches",
                "q" => "quarantined",
                _ => "held",
            };
            self.connection.execute_batch(&format!(
                "UPDATE {table} SET (input_no, record, line) =
                     (SELECT input_no, record, line FROM temp.moved WHERE kind = '{kind}' AND no = {column})
                     WHERE {column} IN (SELECT no FROM temp.moved WHERE kind = '{kind}');
                 UPDATE input SET repeated = repeated - m.n, {counter} = {counter} + m.n
                     FROM (SELECT input_no, count(*) AS n FROM temp.moved WHERE kind = '{kind}'
                           GROUP BY input_no) AS m
                     WHERE m.input_no = input.input_no;"
            ))?;
        }
        self.connection.execute_batch(
            "UPDATE mended SET (input_no, record, line) =
                 (SELECT m.input_no, m.record, m.line FROM temp.moved AS m
                  WHERE m.kind = mended.kind AND m.no = mended.no)
                 WHERE EXISTS (SELECT 1 FROM temp.moved AS m
                               WHERE m.kind = mended.kind AND m.no = mended.no);
             DELETE FROM repeat WHERE (input_no, record) IN
                 (SELECT input_no, record FROM temp.moved);",
        )?;
        // Who did not say when is taken to have sent it when it was received.
        self.connection.execute(
            "UPDATE submission SET submitted_ms = r.as_of_ms
             FROM temp.moved AS m JOIN input AS i USING (input_no) JOIN run AS r USING (run_no)
             WHERE m.kind = 's' AND m.no = submission.submission_no AND submission.certainty = ?1",
            [Certainty::Received as i64],
        )?;
        let rows: i64 =
            self.connection.query_row("SELECT count(*) FROM temp.moved", [], |row| row.get(0))?;
        let changed = self.moved_variants()?;
        for (submission, input, record) in &changed {
            self.take_variant(*submission, *input, *record, catalog, keyring)?;
        }
        let changed: Vec<SubmissionNo> =
            changed.into_iter().map(|(submission, ..)| submission).collect();
        let mut received_later = self.moved_with_consents()?;
        received_later.retain(|submission| !changed.contains(submission));
        Ok(HandedOver { rows: rows as u64, changed, received_later })
    }

    fn moved_with_consents(&self) -> Result<Vec<SubmissionNo>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT m.no FROM temp.moved AS m JOIN submission AS s ON s.submission_no = m.no
             WHERE m.kind = 's' AND s.consents IS NOT NULL ORDER BY m.no",
        )?;
        let rows = statement.query_map([], |row| row.get(0).map(SubmissionNo))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn moved_variants(&self) -> Result<Vec<(SubmissionNo, i64, i64)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT m.no, m.input_no, m.record FROM temp.moved AS m
             JOIN variant AS v ON v.input_no = m.input_no AND v.record = m.record
             WHERE m.kind = 's' ORDER BY m.no",
        )?;
        let rows = statement
            .query_map([], |row| Ok((SubmissionNo(row.get(0)?), row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Lets `submission` say what the row that it is now said, and keeps what it said before for the
    /// later runs that received it so.
    fn take_variant(
        &self,
        submission: SubmissionNo,
        input: i64,
        record: i64,
        catalog: &FieldCatalog,
        keyring: &Keyring,
    ) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM match_key WHERE submission_no = ?1")?
            .execute([submission.0])?;
        self.connection.execute(
            "INSERT OR IGNORE INTO variant
             SELECT r.input_no, r.record, s.submitted_ms, s.modified_ms, s.offset_minutes, s.certainty,
                    s.fields, s.consents, s.notices, s.raw
             FROM repeat AS r JOIN submission AS s ON s.submission_no = r.no
             WHERE r.kind = 's' AND r.no = ?1",
            [submission.0],
        )?;
        self.connection.execute(
            "UPDATE submission SET (submitted_ms, modified_ms, offset_minutes, certainty, fields,
                                    consents, notices, raw) =
                 (SELECT submitted_ms, modified_ms, offset_minutes, certainty, fields, consents,
                         notices, raw FROM variant WHERE input_no = ?2 AND record = ?3)
             WHERE submission_no = ?1",
            params![submission.0, input, record],
        )?;
        self.connection.execute(
            "DELETE FROM variant WHERE input_no = ?1 AND record = ?2",
            params![input, record],
        )?;
        self.connection
            .prepare_cached("INSERT INTO temp.reworded VALUES (?1)")?
            .execute([submission.0])?;
        let values = self.submission_values(submission, catalog)?;
        let keys: Vec<_> = keyring.keys(&values).iter().map(|key| (key.hash, key.kind)).collect();
        for (hash, kind, holder) in held_keys(&keys, &holder(&values)) {
            self.connection
                .prepare_cached("INSERT INTO match_key VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![hash.0, submission.0, kind as i64, holder])?;
        }
        self.connection
            .prepare_cached("DELETE FROM consent_denial WHERE kind = 's' AND no = ?1")?
            .execute([submission.0])?;
        if takes_back(&claims(self.member_row(submission)?.consents.as_deref())?) {
            self.note_denying_row(&keys, submission.0)?;
        }
        Ok(())
    }

    /// Removes the rows of `run`, and appends to the ledger that what they agreed to no longer counts;
    /// `by` is the run that takes it back.
    pub fn take_rows_back(&self, run: RunNo, by: RunNo, as_of_ms: i64) -> Result<TakenBack> {
        let taken_back = TakenBack {
            consents: self.supersede_consents_of_run(run, by, as_of_ms)?,
            ..self.rows_of(run)?
        };
        for (table, column) in
            KINDS.iter().map(|(_, table, column)| (*table, *column)).chain([("input", "input_no")])
        {
            self.connection.execute_batch(&format!(
                "INSERT INTO last_number SELECT '{table}', coalesce(max({column}), 0) FROM {table} WHERE true
                 ON CONFLICT (table_name) DO UPDATE SET no = max(no, excluded.no);"
            ))?;
        }
        self.purge_inputs("run_no = ?1", run.0).context("cannot take the rows of the run back")?;
        Ok(taken_back)
    }

    fn rows_of(&self, run: RunNo) -> Result<TakenBack> {
        let count = |table: &str| -> Result<u64> {
            let sql = format!(
                "SELECT count(*) FROM {table} WHERE input_no IN
                     (SELECT input_no FROM input WHERE run_no = ?1)"
            );
            let rows: i64 = self.connection.query_row(&sql, [run.0], |row| row.get(0))?;
            Ok(rows as u64)
        };
        Ok(TakenBack {
            submissions: count("submission")?,
            touches: count("touch")?,
            quarantined: count("quarantine")?,
            held: count("held")?,
            repeated: count("repeat")?,
            ..TakenBack::default()
        })
    }

    /// Removes the turns that `run` took, and that nobody could take a lead in it; the rotation stands as if
    /// they had not been.
    pub fn give_turns_back(&self, run: RunNo) -> Result<()> {
        self.connection.execute("DELETE FROM turn WHERE run_no = ?1", [run.0])?;
        self.connection.execute("DELETE FROM no_taker WHERE run_no = ?1", [run.0])?;
        self.connection.execute("DELETE FROM account_claim WHERE run_no = ?1", [run.0])?;
        self.connection.execute("DELETE FROM erased_turn WHERE run_no = ?1", [run.0])?;
        self.connection.execute("DELETE FROM erased_load WHERE run_no = ?1", [run.0])?;
        self.sum_turns_up()
    }

    /// Returns whether any lead was ever taken off the lists: its id may come back.
    pub fn has_withdrawn(&self) -> Result<bool> {
        Ok(self
            .connection
            .query_row("SELECT EXISTS (SELECT 1 FROM withdrawal)", [], |row| row.get(0))?)
    }

    /// Hands the leads that `run` took off the lists to `visit`, in order of id.
    pub fn each_withdrawal(
        &self,
        run: RunNo,
        mut visit: impl FnMut(Withdrawal) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, now_in, run, undone_run FROM withdrawn
             WHERE run = (SELECT id FROM run WHERE run_no = ?1) ORDER BY id",
        )?;
        let mut rows = statement.query([run.0])?;
        while let Some(row) = rows.next()? {
            visit(read_withdrawal(row)?)?;
        }
        Ok(())
    }

    /// Returns when the lead with this id was last taken off the lists, if it ever was.
    pub fn last_withdrawal(&self, id: LeadId) -> Result<Option<Withdrawal>> {
        self.connection
            .prepare_cached(
                "SELECT w.id, w.now_in, r.id, u.id FROM withdrawal AS w JOIN run AS r USING (run_no)
                 LEFT JOIN run AS u ON u.run_no = r.undoes
                 WHERE w.id = ?1 ORDER BY w.run_no DESC LIMIT 1",
            )?
            .query_row([id.to_string()], |row| Ok(read_withdrawal(row)))
            .optional()?
            .transpose()
    }

    /// Returns the runs that changed `lead` by taking others back or by computing it anew, each with the
    /// run it took back.
    pub fn corrections_of(
        &self,
        lead: crate::model::ids::LeadNo,
    ) -> Result<Vec<(String, Option<String>)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT r.id, u.id FROM correction AS c JOIN run AS r USING (run_no)
             LEFT JOIN run AS u ON u.run_no = r.undoes
             WHERE c.lead_no = ?1 ORDER BY c.run_no",
        )?;
        let rows = statement.query_map([lead.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn read_withdrawal(row: &rusqlite::Row<'_>) -> Result<Withdrawal> {
    let now_in: String = row.get(1)?;
    Ok(Withdrawal {
        id: row.get(0)?,
        by: row.get(2)?,
        undone: row.get(3)?,
        now_in: serde_json::from_str(&now_in)?,
    })
}
