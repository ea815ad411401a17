//! Taking a person out: every row of theirs, and what only made sense with it.
//!
//! [`Store::put_erased`] lists what goes, the other steps go by that list. Derived state is not touched here: whoever
//! erases decides anew about whatever shares a key with the person, as an undo does. What was given out to others
//! (turns, leads that owners got) stays as a fact.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use rusqlite::{OptionalExtension as _, params};

use super::Store;
use crate::consent::suppression::{Keyed, Suppressions};
use crate::model::ids::{Fingerprint, KeyHash, LeadNo, RunNo, SubmissionNo};
use crate::model::run::ErasedRows;

/// Everything of a person that has a row of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Belongings {
    /// Their leads, merged ones included.
    pub leads: Vec<LeadNo>,
    /// Rows that they are made of.
    pub submissions: Vec<SubmissionNo>,
    /// What they did.
    pub touches: Vec<i64>,
    /// Rows of theirs that were not accepted.
    pub quarantined: Vec<i64>,
    /// Rows of theirs that were withheld.
    pub held: Vec<i64>,
}

/// A row as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowAsReceived {
    /// `file:line`.
    pub place: String,
    /// Preset of its input.
    pub source: String,
    /// When it was sent, milliseconds since 1970 UTC; none where it did not say.
    pub sent_ms: Option<i64>,
    /// Header of its input; empty for JSON.
    pub header: Vec<String>,
    /// The row, as JSON.
    pub raw: String,
}

/// A row that waits in quarantine or is withheld, as received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingText<'a> {
    /// `q` or `h`, as in `seen`.
    pub kind: &'static str,
    /// Its number.
    pub no: i64,
    /// The row, as JSON.
    pub raw: &'a str,
}

/// An erasure whose work outside the store is not known to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureRecord {
    /// The run.
    pub run: RunNo,
    /// Name of the key under which those who were erased are known.
    pub key_id: String,
    /// Why.
    pub because: String,
    /// What names them in files, as JSON; none once these are rewritten.
    pub traces: Option<String>,
}

/// The tables that hold received rows, by their kind in `seen`.
const HOLDERS: &[(&str, &str, &str)] = &[
    ("s", "submission", "submission_no"),
    ("t", "touch", "touch_no"),
    ("q", "quarantine", "quarantine_no"),
    ("h", "held", "held_no"),
];

/// Everything but the rows themselves that goes with them, in this order.
const TAKE_OUT: &str = "
    DELETE FROM variant WHERE (input_no, record) IN
        (SELECT r.input_no, r.record FROM repeat AS r JOIN temp.erased AS e ON e.kind = r.kind AND e.no = r.no);
    UPDATE repeat SET kind = 'e', no = 0
        WHERE EXISTS (SELECT 1 FROM temp.erased AS e WHERE e.kind = repeat.kind AND e.no = repeat.no);
    DELETE FROM mended WHERE
        quarantine_no IN (SELECT no FROM temp.erased WHERE kind = 'q')
        OR EXISTS (SELECT 1 FROM temp.erased AS e WHERE e.kind = mended.kind AND e.no = mended.no);
    DELETE FROM handed_out WHERE founder IN
        (SELECT s.fingerprint FROM submission AS s JOIN temp.erased AS e ON e.kind = 's' AND e.no = s.submission_no);
    DELETE FROM verdict WHERE
        a IN (SELECT s.fingerprint FROM submission AS s
              JOIN temp.erased AS e ON e.kind = 's' AND e.no = s.submission_no)
        OR b IN (SELECT s.fingerprint FROM submission AS s
                 JOIN temp.erased AS e ON e.kind = 's' AND e.no = s.submission_no);
    DELETE FROM seen WHERE EXISTS (SELECT 1 FROM temp.erased AS e WHERE e.kind = seen.kind AND e.no = seen.no);
    DELETE FROM match_key WHERE submission_no IN (SELECT no FROM temp.erased WHERE kind = 's');
    DELETE FROM touch_key WHERE touch_no IN (SELECT no FROM temp.erased WHERE kind = 't');
    DELETE FROM consent_denial
        WHERE EXISTS (SELECT 1 FROM temp.erased AS e WHERE e.kind = consent_denial.kind AND e.no = consent_denial.no);
    -- That a target has a row of theirs stays, so that it can be told to take it out; what the row said does not. An
    -- item is a lead's id, or that of a task or conversion, which begins with the lead's and a slash ('0' comes next).
    UPDATE delivered SET row_hash = zeroblob(16) WHERE item IN
        (SELECT d.item FROM temp.erased_lead AS e
         CROSS JOIN delivered AS d ON d.item >= e.id AND d.item < e.id || '0');
    DELETE FROM target_record WHERE (target_no, item) IN
        (SELECT r.target_no, r.item FROM temp.erased_lead AS e CROSS JOIN delivery_target AS t
         JOIN target_record AS r ON r.target_no = t.target_no AND r.item >= e.id AND r.item < e.id || '0');
    DELETE FROM dead_letter WHERE EXISTS
        (SELECT 1 FROM temp.erased_lead AS e
         WHERE dead_letter.item >= e.id AND dead_letter.item < e.id || '0');
    -- Requests that hold something of theirs go whole; what others have in them is to be looked at where nobody knows
    -- whether it was taken, and goes into another request where it surely was not.
    UPDATE outbox SET state = CASE WHEN (SELECT r.state FROM outbox_request AS r WHERE r.request_no = outbox.request_no)
                                        = 'waiting' THEN 'pending' ELSE 'held' END,
            code = 'unknown-outcome', because = 'it stood in one request with somebody who was erased', request_no = NULL,
            place = 0
        WHERE state = 'claimed' AND lead_id NOT IN (SELECT id FROM temp.erased_lead) AND request_no IN
            (SELECT o.request_no FROM outbox AS o JOIN temp.erased_lead AS e ON e.id = o.lead_id);
    INSERT OR IGNORE INTO dead_letter (target_no, item, code, column_name, reason, state, first_run, first_ms, last_ms)
        SELECT target_no, item, code, '', because, 'open', NULL, queued_ms, queued_ms FROM outbox
        WHERE state = 'held' AND request_no IS NULL
          AND lead_id NOT IN (SELECT id FROM temp.erased_lead)
          AND NOT EXISTS (SELECT 1 FROM dead_letter AS d WHERE d.target_no = outbox.target_no
                          AND d.item = outbox.item AND d.state <> 'resolved');
    UPDATE outbox_request SET body = x'', body_hash = zeroblob(32), record_id = '', state = CASE WHEN state = 'done' THEN state ELSE 'dissolved' END
        WHERE request_no IN
            (SELECT o.request_no FROM outbox AS o JOIN temp.erased_lead AS e ON e.id = o.lead_id);
    DELETE FROM outbox WHERE lead_id IN (SELECT id FROM temp.erased_lead);
    DELETE FROM correction WHERE lead_no IN (SELECT lead_no FROM temp.erased_lead);
    DELETE FROM lead_alias WHERE lead_no IN (SELECT lead_no FROM temp.erased_lead);
    UPDATE run SET inputs_digest = '' WHERE state = 'published' AND kind <> 'import';";

impl Store {
    /// Keeps temporary tables in memory from here on, so that no temporary file gets a copy of what is to go; before
    /// any transaction.
    pub fn keep_temporary_in_memory(&self) -> Result<()> {
        self.connection
            .pragma_update(None, "temp_store", "MEMORY")
            .context("cannot prepare the store")
    }

    /// Lists what goes for the steps that follow.
    pub fn put_erased(&self, belongings: &Belongings) -> Result<()> {
        self.connection
            .execute_batch(
                "DROP TABLE IF EXISTS temp.erased;
                 DROP TABLE IF EXISTS temp.erased_lead;
                 CREATE TEMP TABLE erased (kind TEXT, no INTEGER, PRIMARY KEY (kind, no)) WITHOUT ROWID;
                 CREATE TEMP TABLE erased_lead (lead_no INTEGER PRIMARY KEY, id TEXT NOT NULL);",
            )
            .context("cannot make a temporary table")?;
        let submissions = belongings.submissions.iter().map(|one| ("s", one.0));
        let touches = belongings.touches.iter().map(|no| ("t", *no));
        let quarantined = belongings.quarantined.iter().map(|no| ("q", *no));
        let held = belongings.held.iter().map(|no| ("h", *no));
        let mut insert =
            self.connection.prepare_cached("INSERT OR IGNORE INTO temp.erased VALUES (?1, ?2)")?;
        for (kind, no) in submissions.chain(touches).chain(quarantined).chain(held) {
            insert.execute(params![kind, no])?;
        }
        // With their ids: these are asked for when the leads are gone.
        let mut insert = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO temp.erased_lead SELECT lead_no, id FROM lead WHERE lead_no = ?1",
        )?;
        for lead in &belongings.leads {
            insert.execute([lead.0])?;
        }
        Ok(())
    }

    /// Returns `lead` and every lead that was merged into it.
    pub fn with_merged(&self, lead: LeadNo) -> Result<Vec<LeadNo>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT lead_no FROM lead WHERE lead_no = ?1 OR merged_into = ?1 ORDER BY lead_no",
        )?;
        let rows = statement.query_map([lead.0], |row| row.get(0).map(LeadNo))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the row of `kind`, as in `seen`, that has this number.
    pub fn row_as_received(&self, kind: &str, no: i64) -> Result<RowAsReceived> {
        let holder = HOLDERS.iter().find(|(known, ..)| *known == kind);
        let (_, table, column) = holder.context("no such kind of row")?;
        let sent = if kind == "s" { "iif(t.certainty = 3, NULL, t.submitted_ms)" } else { "NULL" };
        let sql = format!(
            "SELECT i.name || ':' || t.line, i.source, {sent}, i.header, t.raw
             FROM {table} AS t JOIN input AS i USING (input_no) WHERE t.{column} = ?1"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([no])?;
        let row = rows.next()?.context("a row is missing from the store")?;
        let header: String = row.get(3)?;
        Ok(RowAsReceived {
            place: row.get(0)?,
            source: row.get(1)?,
            sent_ms: row.get(2)?,
            header: serde_json::from_str(&header)?,
            raw: row.get(4)?,
        })
    }

    /// Returns the id of the lead `lead`, be it merged or not, and the name that it shows.
    pub fn id_and_name(&self, lead: LeadNo) -> Result<(String, String)> {
        self.connection
            .prepare_cached("SELECT id, name FROM lead WHERE lead_no = ?1")?
            .query_row([lead.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .context("a lead is missing from the store")
    }

    /// Returns what later rows of `submission` said otherwise, each as JSON.
    pub fn variants_of(&self, submission: SubmissionNo) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT v.fields FROM repeat AS r JOIN variant AS v USING (input_no, record)
             WHERE r.kind = 's' AND r.no = ?1 ORDER BY input_no, record",
        )?;
        let rows = statement.query_map([submission.0], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the touches under `key`, by number, whatever run received them.
    pub fn touch_numbers(&self, key: KeyHash) -> Result<Vec<i64>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT touch_no FROM touch_key WHERE key = ?1 ORDER BY touch_no")?;
        let rows = statement.query_map([key.0], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the quarantined rows for which one of `submissions` came back.
    pub fn came_back_as(&self, submissions: &[SubmissionNo]) -> Result<Vec<i64>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT quarantine_no FROM mended WHERE kind = 's' AND no = ?1 ORDER BY quarantine_no",
        )?;
        let mut found = Vec::new();
        for submission in submissions {
            for no in statement.query_map([submission.0], |row| row.get(0))? {
                found.push(no?);
            }
        }
        Ok(found)
    }

    /// Hands every row that waits in quarantine or is withheld to `visit`.
    pub fn each_waiting_text(
        &self,
        mut visit: impl FnMut(WaitingText<'_>) -> Result<()>,
    ) -> Result<()> {
        for (kind, table, column) in &HOLDERS[2..] {
            let sql = format!("SELECT {column}, raw FROM {table} ORDER BY {column}");
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let raw = row.get_ref(1)?.as_str()?;
                visit(WaitingText { kind, no: row.get(0)?, raw })?;
            }
        }
        Ok(())
    }

    /// Hands the values of every submission that is not listed to `visit`, as JSON.
    pub fn each_text_of_others(&self, mut visit: impl FnMut(&str)) -> Result<()> {
        let mut statement = self.connection.prepare(
            "SELECT fields FROM submission
             WHERE submission_no NOT IN (SELECT no FROM temp.erased WHERE kind = 's')",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(row.get_ref(0)?.as_str()?);
        }
        Ok(())
    }

    /// Hands every row that was ever kept and is there to `visit`: its fingerprint, its kind as in `seen`, its number.
    pub fn each_seen(&self, mut visit: impl FnMut(Fingerprint, &str, i64)) -> Result<()> {
        let mut statement = self
            .connection
            .prepare("SELECT fingerprint, kind, no FROM seen ORDER BY fingerprint")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(Fingerprint(row.get(0)?), row.get_ref(1)?.as_str()?, row.get(2)?);
        }
        Ok(())
    }

    /// Returns every name that a row gave or a lead shows.
    pub fn names(&self) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare(
            "SELECT name FROM lead
             UNION SELECT json_extract(fields, '$.\"first-name\"') FROM submission
             UNION SELECT json_extract(fields, '$.\"last-name\"') FROM submission ORDER BY 1",
        )?;
        let rows = statement.query_map([], |row| row.get::<_, Option<String>>(0))?;
        let names: Vec<Option<String>> = rows.collect::<rusqlite::Result<_>>()?;
        Ok(names.into_iter().flatten().collect())
    }

    /// Hands the name of every lead to `visit`.
    pub fn each_name(&self, mut visit: impl FnMut(LeadNo, &str)) -> Result<()> {
        let mut statement =
            self.connection.prepare("SELECT lead_no, name FROM lead WHERE merged_into IS NULL")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(LeadNo(row.get(0)?), row.get_ref(1)?.as_str()?);
        }
        Ok(())
    }

    /// Returns whether any submission but those that are listed holds `key`.
    pub fn is_key_of_others(&self, key: KeyHash) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM match_key WHERE key = ?1 AND submission_no NOT IN
                     (SELECT no FROM temp.erased WHERE kind = 's'))",
            )?
            .query_row([key.0], |row| row.get(0))?)
    }

    /// Returns the fingerprints of the rows that are listed.
    pub fn fingerprints_of_erased(&self) -> Result<Vec<Fingerprint>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT s.fingerprint FROM seen AS s
             WHERE EXISTS (SELECT 1 FROM temp.erased AS e WHERE e.kind = s.kind AND e.no = s.no) ORDER BY 1",
        )?;
        let rows = statement.query_map([], |row| row.get(0).map(Fingerprint))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns where the rows that are listed stand in the inputs, and where they were received again: the input's
    /// name and the line, in order.
    pub fn places_of_erased(&self) -> Result<Vec<(String, u32)>> {
        let first = HOLDERS.iter().map(|(kind, table, column)| {
            format!(
                "SELECT i.name, t.line FROM {table} AS t
                 JOIN temp.erased AS e ON e.kind = '{kind}' AND e.no = t.{column} JOIN input AS i USING (input_no)"
            )
        });
        let again = "SELECT i.name, r.line FROM repeat AS r
                     JOIN temp.erased AS e ON e.kind = r.kind AND e.no = r.no JOIN input AS i USING (input_no)";
        let parts: Vec<String> = first.chain([again.to_owned()]).collect();
        let sql = format!("{} ORDER BY 1, 2", parts.join(" UNION "));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns texts that stand beside each other in the rows that are listed: what a copy of such a row that was
    /// left behind in the store's file is told by.
    pub fn samples_of_erased(&self) -> Result<Vec<String>> {
        let sql = "
            SELECT s.raw FROM submission AS s JOIN temp.erased AS e ON e.kind = 's' AND e.no = s.submission_no
            UNION SELECT s.fields FROM submission AS s JOIN temp.erased AS e ON e.kind = 's' AND e.no = s.submission_no
            UNION SELECT v.raw FROM variant AS v JOIN repeat AS r USING (input_no, record)
                JOIN temp.erased AS e ON e.kind = r.kind AND e.no = r.no
            UNION SELECT q.raw FROM quarantine AS q JOIN temp.erased AS e ON e.kind = 'q' AND e.no = q.quarantine_no
            UNION SELECT h.raw FROM held AS h JOIN temp.erased AS e ON e.kind = 'h' AND e.no = h.held_no
            UNION SELECT t.identities FROM touch AS t JOIN temp.erased AS e ON e.kind = 't' AND e.no = t.touch_no
            UNION SELECT p.payload FROM consent_record AS c JOIN consent_payload AS p USING (seq)
                JOIN temp.erased AS e ON e.kind = 's' AND e.no = c.submission_no OR e.kind = 't' AND e.no = c.touch_no
            UNION SELECT l.fields FROM lead AS l JOIN temp.erased_lead USING (lead_no) WHERE l.fields IS NOT NULL
            UNION SELECT CAST(o.part AS TEXT) FROM outbox AS o JOIN temp.erased_lead AS e ON e.id = o.lead_id
            UNION SELECT json_extract(l.fields, f.value) FROM lead AS l JOIN temp.erased_lead AS e USING (lead_no)
                JOIN json_each('[\"$.email\", \"$.phone\"]') AS f
                WHERE json_extract(l.fields, f.value) IS NOT NULL
                  AND EXISTS (SELECT 1 FROM outbox AS o WHERE o.lead_id = e.id)
            ORDER BY 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps the turns that the listed leads took, and that they came to somebody: nobody else's turn is to change.
    pub fn keep_turns_of_erased(&self) -> Result<()> {
        self.connection.execute_batch(
            "INSERT INTO erased_turn
                 SELECT t.* FROM turn_taken AS t WHERE t.lead_no IN (SELECT lead_no FROM temp.erased_lead)
                 AND NOT EXISTS (SELECT 1 FROM erased_turn AS k
                                 WHERE k.lead_no = t.lead_no AND k.run_no = t.run_no);
             INSERT INTO erased_load
                 SELECT d.lead_no, d.run_no, d.queue, d.owner, d.steps & 16 <> 0 FROM decision AS d
                 WHERE d.lead_no IN (SELECT lead_no FROM temp.erased_lead) AND d.steps & 32 <> 0;
             DELETE FROM turn WHERE lead_no IN (SELECT lead_no FROM temp.erased_lead);
             DELETE FROM no_taker WHERE lead_no IN (SELECT lead_no FROM temp.erased_lead);
             DELETE FROM account_claim WHERE lead_no IN (SELECT lead_no FROM temp.erased_lead);",
        )?;
        Ok(())
    }

    /// Removes what the ledger holds about the person behind the rows that are listed, and says so in it; returns how
    /// many records that were. A text that nobody's consent needs any more goes, too: it may hold their own words.
    pub fn erase_consents(
        &self,
        belongings: &Belongings,
        run: RunNo,
        as_of_ms: i64,
    ) -> Result<u64> {
        let mut erased = 0;
        for submission in &belongings.submissions {
            erased += self.erase_consents_of_submission(*submission, run, as_of_ms)?;
        }
        for touch in &belongings.touches {
            erased += self.erase_consents_of_touch(*touch, run, as_of_ms)?;
        }
        self.connection.execute_batch(
            "DELETE FROM wording WHERE wording_no IN (
                 SELECT w.no FROM (
                     SELECT c.wording_no AS no FROM consent_record AS c
                     JOIN temp.erased AS e ON e.kind = 's' AND e.no = c.submission_no
                     UNION SELECT c.policy_no FROM consent_record AS c
                     JOIN temp.erased AS e ON e.kind = 's' AND e.no = c.submission_no
                     UNION SELECT c.wording_no FROM consent_record AS c
                     JOIN temp.erased AS e ON e.kind = 't' AND e.no = c.touch_no
                     UNION SELECT c.policy_no FROM consent_record AS c
                     JOIN temp.erased AS e ON e.kind = 't' AND e.no = c.touch_no) AS w
                 WHERE NOT EXISTS (SELECT 1 FROM consent_record AS c JOIN consent_payload AS p USING (seq)
                                   WHERE c.wording_no = w.no OR c.policy_no = w.no));",
        )?;
        Ok(erased)
    }

    /// Removes the rows that are listed and everything that hangs on them; `run` is the erasure.
    pub fn take_erased_out(&self, run: RunNo) -> Result<ErasedRows> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for (kind, table, column) in HOLDERS {
            self.connection.execute_batch(&format!(
                "INSERT INTO last_number SELECT '{table}', coalesce(max({column}), 0) FROM {table} WHERE true
                 ON CONFLICT (table_name) DO UPDATE SET no = max(no, excluded.no);"
            ))?;
            let stubs = self.connection.execute(
                &format!(
                    "INSERT OR IGNORE INTO erased_row
                     SELECT t.input_no, t.record, t.line, e.kind, ?1 FROM {table} AS t
                     JOIN temp.erased AS e ON e.kind = '{kind}' AND e.no = t.{column}"
                ),
                [run.0],
            )?;
            counts.insert(kind, stubs as u64);
        }
        let again: i64 = self.connection.query_row(
            "SELECT count(*) FROM repeat AS r JOIN temp.erased AS e ON e.kind = r.kind AND e.no = r.no",
            [],
            |row| row.get(0),
        )?;
        self.connection.execute_batch(TAKE_OUT).context("cannot take a person's rows out")?;
        for (kind, table, column) in HOLDERS {
            self.connection.execute_batch(&format!(
                "DELETE FROM {table} WHERE {column} IN (SELECT no FROM temp.erased WHERE kind = '{kind}');"
            ))?;
        }
        let of = |kind: &str| counts.get(kind).copied().unwrap_or_default();
        Ok(ErasedRows {
            submissions: of("s"),
            touches: of("t"),
            quarantined: of("q"),
            held: of("h"),
            repeated: again as u64,
        })
    }

    /// Notes that the leads which are listed are in no list any more, also those that had been merged: a CRM may have
    /// them.
    pub fn withdraw_erased(&self, run: RunNo) -> Result<()> {
        self.connection.execute(
            "INSERT OR IGNORE INTO withdrawal
             SELECT b.id, ?1, '[]' FROM temp.before_lead AS b JOIN temp.erased_lead USING (lead_no)",
            [run.0],
        )?;
        Ok(())
    }

    /// Keeps that `run` erased people who are known by `keyed` from now on.
    pub fn keep_erasure(
        &self,
        record: &ErasureRecord,
        keyed: &[Keyed],
        since_ms: i64,
    ) -> Result<()> {
        self.connection.execute(
            "INSERT INTO erasure (run_no, key_id, because, traces) VALUES (?1, ?2, ?3, ?4)",
            params![record.run.0, record.key_id, record.because, record.traces],
        )?;
        self.suppress(record.run, keyed, since_ms)
    }

    /// Lets rows of whoever is known by `keyed` stay out, unless they are newer than `since_ms`.
    pub fn suppress(&self, run: RunNo, keyed: &[Keyed], since_ms: i64) -> Result<()> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO suppression (hash, run_no, since_ms) VALUES (?1, ?2, ?3)
             ON CONFLICT (hash) DO UPDATE SET
                 run_no = excluded.run_no, since_ms = max(since_ms, excluded.since_ms),
                 allowed_ms = NULL, allowed_because = NULL",
        )?;
        for one in keyed {
            insert.execute(params![one.0, run.0, since_ms])?;
        }
        Ok(())
    }

    /// Lets whoever is known by any of `keyed` be taken in again; returns the runs that had erased them.
    pub fn allow(&self, keyed: &[Keyed], at_ms: i64, because: &str) -> Result<Vec<String>> {
        let mut update = self.connection.prepare_cached(
            "UPDATE suppression SET allowed_ms = ?2, allowed_because = ?3
             WHERE hash = ?1 AND allowed_ms IS NULL
             RETURNING (SELECT id FROM run WHERE run.run_no = suppression.run_no)",
        )?;
        let mut runs = Vec::new();
        for one in keyed {
            let run: Option<String> =
                update.query_row(params![one.0, at_ms, because], |row| row.get(0)).optional()?;
            runs.extend(run);
        }
        runs.sort();
        runs.dedup();
        Ok(runs)
    }

    /// Returns the run that erased whoever is known by `keyed`, and when; none of somebody who may come back.
    pub fn erased_by(&self, keyed: Keyed) -> Result<Option<(String, i64)>> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT r.id, s.since_ms FROM suppression AS s JOIN run AS r USING (run_no)
                 WHERE s.hash = ?1 AND s.allowed_ms IS NULL",
            )?
            .query_row([keyed.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    /// Returns everybody who must not be taken in again.
    pub fn suppressions(&self) -> Result<Suppressions> {
        let mut all = Suppressions::default();
        let mut statement = self.connection.prepare_cached(
            "SELECT hash, since_ms FROM suppression WHERE allowed_ms IS NULL ORDER BY hash",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            all.add(Keyed(row.get(0)?), row.get(1)?);
        }
        Ok(all)
    }

    /// Returns the hashes of everybody who must not be taken in again, in order.
    pub fn all_suppressed(&self) -> Result<Vec<Keyed>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT hash FROM suppression WHERE allowed_ms IS NULL ORDER BY hash",
        )?;
        let rows = statement.query_map([], |row| row.get(0).map(Keyed))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the name of the key under which people are known who were erased; none when nobody was.
    pub fn erasure_key(&self) -> Result<Option<String>> {
        Ok(self
            .connection
            .query_row("SELECT key_id FROM erasure ORDER BY run_no DESC LIMIT 1", [], |row| {
                row.get(0)
            })
            .optional()?)
    }

    /// Returns what `run` erased, if it is an erasure.
    pub fn erasure_of(&self, run: RunNo) -> Result<Option<ErasureRecord>> {
        Ok(self
            .connection
            .prepare_cached("SELECT key_id, because, traces FROM erasure WHERE run_no = ?1")?
            .query_row([run.0], |row| {
                Ok(ErasureRecord {
                    run,
                    key_id: row.get(0)?,
                    because: row.get(1)?,
                    traces: row.get(2)?,
                })
            })
            .optional()?)
    }

    /// Returns the run called `run` and when it was, if it erased somebody.
    pub fn erasure_called(&self, run: &str) -> Result<Option<(String, i64)>> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT r.id, r.as_of_ms FROM erasure JOIN run AS r USING (run_no) WHERE r.id = ?1",
            )?
            .query_row([run], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    /// Returns whether an erasure was cut short before it was done outside the store.
    pub fn is_erasure_unfinished(&self) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM erasure JOIN run USING (run_no)
                                  WHERE traces IS NOT NULL OR state <> 'published')";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// Returns the hashes that `run` made people known by, each with when they were erased, in order.
    pub fn suppressed_by(&self, run: RunNo) -> Result<Vec<(Keyed, i64)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT hash, since_ms FROM suppression WHERE run_no = ?1 ORDER BY hash",
        )?;
        let rows = statement.query_map([run.0], |row| Ok((Keyed(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Forgets what named those whom `run` erased: no file does any more.
    pub fn forget_traces(&self, run: RunNo) -> Result<()> {
        self.connection.execute("UPDATE erasure SET traces = NULL WHERE run_no = ?1", [run.0])?;
        Ok(())
    }

    /// Returns whether the store's file may hold remains of somebody who was erased.
    pub fn is_to_be_scrubbed(&self) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM erasure JOIN run USING (run_no)
                            WHERE is_scrubbed = 0 AND state = 'published')";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// Notes that the store's file holds no remains of those who were erased.
    pub fn mark_scrubbed(&self) -> Result<()> {
        self.connection.execute("UPDATE erasure SET is_scrubbed = 1 WHERE is_scrubbed = 0", [])?;
        Ok(())
    }

    /// Writes the whole file anew, so that nothing is left in it of what was deleted.
    pub fn write_anew(&self) -> Result<()> {
        self.connection
            .execute_batch("PRAGMA temp_store = DEFAULT; VACUUM;")
            .context("cannot write the store anew; is there room for it once more?")
    }
}
