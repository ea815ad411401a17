//! Derived state taken apart and put together again: what deciding anew asks of the store.
//!
//! The submissions at stake are listed in the temporary table `replayed`; the caller lists none without
//! all that share a key with it, so that whatever is decided about them depends on nobody else.

use anyhow::{Context as _, Result};
use rusqlite::params;

use super::Store;
use super::looks::BY_TIME;
use super::totals::RECOUNTED;
use crate::identity::keys::KeyKind;
use crate::model::ids::{Fingerprint, LeadNo, RunNo, SubmissionNo};

/// The tables that are computed from the others, and which of their rows belong to a lead.
const DERIVED: &[(&str, &str)] = &[
    ("lead", "lead_no IN (SELECT lead_no FROM temp.replayed_lead)"),
    ("decision", "lead_no IN (SELECT lead_no FROM temp.replayed_lead)"),
    ("task", "lead_no IN (SELECT lead_no FROM temp.replayed_lead)"),
    ("look", "lead_no IN (SELECT lead_no FROM temp.replayed_lead)"),
    ("turn", "lead_no IN (SELECT lead_no FROM temp.replayed_lead)"),
    ("no_taker", "lead_no IN (SELECT lead_no FROM temp.replayed_lead)"),
    ("account_claim", "lead_no IN (SELECT lead_no FROM temp.replayed_lead)"),
    ("membership", "submission_no IN (SELECT submission_no FROM temp.replayed)"),
    ("link", "submission_no IN (SELECT submission_no FROM temp.replayed)"),
];

/// Columns that hold something about a person.
const PERSONAL: &[&str] = &["name", "email", "phone", "fields", "subject"];

/// How a table that was computed anew differs from what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// Rows that it had and should not have.
    pub too_many: u64,
    /// Rows that it should have and had not.
    pub missing: u64,
    /// The first of these rows, value by value.
    pub example: String,
}

/// Returns what is compared of `column`: all of it, but for what a run of an older leadmill did not keep, which
/// `run.is_full` gives away.
fn compared(column: &str) -> &str {
    match column {
        "opened_run" => {
            "CASE WHEN run_no IN (SELECT run_no FROM run WHERE is_full IS NOT NULL) THEN opened_run END AS opened_run"
        }
        "ended_ms" => {
            "CASE WHEN run_no IN (SELECT run_no FROM run WHERE is_full IS NOT NULL) THEN ended_ms END AS ended_ms"
        }
        "answers" => {
            "CASE WHEN lead_no IN (SELECT lead_no FROM decision JOIN run USING (run_no) WHERE is_full IS NOT NULL)
                  THEN answers END AS answers"
        }
        other => other,
    }
}

impl Store {
    /// Forgets which submissions are at stake.
    pub fn prepare_replay(&self) -> Result<()> {
        self.connection
            .execute_batch(
                "DROP TABLE IF EXISTS temp.replayed;
                 DROP TABLE IF EXISTS temp.replayed_by_run;
                 DROP TABLE IF EXISTS temp.replayed_lead;
                 DROP TABLE IF EXISTS temp.reworded;
                 CREATE TEMP TABLE reworded (submission_no INTEGER PRIMARY KEY);
                 CREATE TEMP TABLE replayed (submission_no INTEGER PRIMARY KEY);
                 CREATE TEMP TABLE replayed_by_run (run_no INTEGER, submission_no INTEGER,
                     PRIMARY KEY (run_no, submission_no)) WITHOUT ROWID;
                 CREATE TEMP TABLE replayed_lead (lead_no INTEGER PRIMARY KEY);",
            )
            .context("cannot make a temporary table; is the temporary folder writable?")?;
        self.prepare_fresh_keys()
    }

    /// Puts `submission` at stake; returns whether it was not yet.
    pub fn put_at_stake(&self, submission: SubmissionNo) -> Result<bool> {
        let added = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO temp.replayed VALUES (?1)")?
            .execute([submission.0])?;
        Ok(added > 0)
    }

    /// Puts every submission at stake, and every lead, be it one that should not be there; keeps copies of
    /// the tables that no lead's rows can be picked from.
    pub fn put_all_at_stake(&self) -> Result<()> {
        self.connection.execute_batch(
            "INSERT INTO temp.replayed SELECT submission_no FROM submission;
             INSERT OR IGNORE INTO temp.replayed SELECT submission_no FROM membership;
             INSERT INTO temp.replayed_lead SELECT lead_no FROM lead;
             DROP TABLE IF EXISTS temp.before_rotation;
             CREATE TEMP TABLE before_rotation AS SELECT * FROM main.rotation;
             DROP TABLE IF EXISTS temp.before_load;
             CREATE TEMP TABLE before_load AS SELECT * FROM main.load;
             DROP TABLE IF EXISTS temp.before_lead_alias;
             CREATE TEMP TABLE before_lead_alias AS SELECT * FROM main.lead_alias;",
        )?;
        Ok(())
    }

    /// Returns the submissions whose fate may hang on `run`, before those who share a key with them: its
    /// own, and those of leads that it decided about, looked at, or whose mails it let go. A lead that was merged into
    /// another since keeps its tasks, while its rows are the other's.
    pub fn at_stake_of(&self, run: RunNo) -> Result<Vec<SubmissionNo>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT submission_no FROM submission JOIN input USING (input_no) WHERE run_no = ?1
             UNION
             SELECT submission_no FROM membership WHERE lead_no IN
                 (SELECT coalesce(l.merged_into, l.lead_no) FROM lead AS l WHERE l.lead_no IN
                      (SELECT lead_no FROM decision WHERE run_no = ?1
                       UNION SELECT lead_no FROM look WHERE run_no = ?1
                       UNION SELECT lead_no FROM task WHERE expired_run = ?1))
             UNION
             SELECT s.no FROM verdict AS v
             JOIN seen AS s ON s.fingerprint IN (v.a, v.b) AND s.kind = 's' WHERE v.run_no = ?1
             UNION
             SELECT submission_no FROM match_key
             WHERE kind = ?2 AND EXISTS (SELECT 1 FROM pair_model WHERE run_no = ?1)
             ORDER BY 1",
        )?;
        let rows = statement
            .query_map([run.0, KeyKind::Near as i64], |row| row.get(0).map(SubmissionNo))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps a copy of the rows of every derived table that are at stake, to tell afterwards what changed.
    pub fn remember_derived(&self) -> Result<()> {
        self.list_leads_at_stake()?;
        for (table, at_stake) in DERIVED {
            self.connection.execute_batch(&format!(
                "DROP TABLE IF EXISTS temp.before_{table};
                 CREATE TEMP TABLE before_{table} AS SELECT * FROM main.{table} WHERE {at_stake};"
            ))?;
        }
        self.connection.execute_batch(
            "CREATE INDEX temp.before_lead_by_no ON before_lead (lead_no);
             CREATE INDEX temp.before_membership_by_lead ON before_membership (lead_no);",
        )?;
        Ok(())
    }

    fn list_leads_at_stake(&self) -> Result<()> {
        self.connection.execute_batch(
            "INSERT OR IGNORE INTO temp.replayed_lead SELECT lead_no FROM membership
                 WHERE submission_no IN (SELECT submission_no FROM temp.replayed);
             INSERT OR IGNORE INTO temp.replayed_lead SELECT lead_no FROM lead
                 WHERE merged_into IN (SELECT lead_no FROM temp.replayed_lead);",
        )?;
        Ok(())
    }

    /// Removes what was decided about the submissions at stake, and what sums it up; ids keep their numbers, and how
    /// leads were dealt is laid aside for [`Store::dealt_before`] and [`Store::each_waiting`].
    pub fn take_derived_apart(&self) -> Result<()> {
        self.lay_deals_aside()?;
        self.connection.execute_batch(
            "INSERT INTO last_number SELECT 'lead', coalesce(max(lead_no), 0) FROM lead WHERE true
                 ON CONFLICT (table_name) DO UPDATE SET no = max(no, excluded.no);
             UPDATE lead_alias SET lead_no = l.lead_no FROM lead AS l
                 WHERE l.id = lead_alias.id AND l.merged_into IS NOT NULL
                   AND l.lead_no IN (SELECT lead_no FROM temp.replayed_lead);",
        )?;
        for (table, at_stake) in DERIVED {
            self.connection.execute(&format!("DELETE FROM main.{table} WHERE {at_stake}"), [])?;
        }
        self.sum_loads_up()?;
        self.connection.execute_batch(
            "INSERT INTO temp.replayed_by_run
             SELECT i.run_no, r.submission_no FROM temp.replayed AS r
             JOIN submission AS s USING (submission_no) JOIN input AS i USING (input_no);",
        )?;
        Ok(())
    }

    /// A lead that waited is dealt again by its run whether or not that came to a turn: its decisions tell, and
    /// the turns, should decisions be missing. Those that it only looked at because of the time are others.
    fn lay_deals_aside(&self) -> Result<()> {
        self.connection.execute_batch(&format!(
            "DROP TABLE IF EXISTS temp.earlier_turn;
             CREATE TEMP TABLE earlier_turn (lead_no INTEGER, run_no INTEGER, queue TEXT, owner TEXT,
                 turn INTEGER, pool_no INTEGER, passed_no INTEGER,
                 PRIMARY KEY (lead_no, run_no)) WITHOUT ROWID;
             INSERT INTO temp.earlier_turn SELECT * FROM main.turn
                 WHERE lead_no IN (SELECT lead_no FROM temp.replayed_lead);
             DROP TABLE IF EXISTS temp.earlier_no_taker;
             CREATE TEMP TABLE earlier_no_taker (lead_no INTEGER, run_no INTEGER, place INTEGER,
                 queue TEXT, passed_no INTEGER, PRIMARY KEY (lead_no, run_no, place)) WITHOUT ROWID;
             INSERT INTO temp.earlier_no_taker SELECT * FROM main.no_taker
                 WHERE lead_no IN (SELECT lead_no FROM temp.replayed_lead);
             DROP TABLE IF EXISTS temp.earlier_claim;
             CREATE TEMP TABLE earlier_claim (lead_no INTEGER, run_no INTEGER, owner TEXT, at TEXT,
                 PRIMARY KEY (lead_no, run_no)) WITHOUT ROWID;
             INSERT INTO temp.earlier_claim SELECT * FROM main.account_claim
                 WHERE lead_no IN (SELECT lead_no FROM temp.replayed_lead);
             DROP TABLE IF EXISTS temp.earlier_dealt;
             CREATE TEMP TABLE earlier_dealt (run_no INTEGER, lead_no INTEGER,
                 PRIMARY KEY (run_no, lead_no)) WITHOUT ROWID;
             WITH once_waiting AS (SELECT DISTINCT lead_no FROM temp.earlier_no_taker)
             INSERT INTO temp.earlier_dealt
             SELECT d.run_no, d.lead_no FROM once_waiting CROSS JOIN main.decision AS d USING (lead_no)
             UNION SELECT t.run_no, t.lead_no FROM once_waiting CROSS JOIN temp.earlier_turn AS t USING (lead_no)
             UNION SELECT run_no, lead_no FROM temp.earlier_no_taker
             EXCEPT SELECT d.run_no, d.lead_no FROM once_waiting
                    CROSS JOIN main.decision AS d USING (lead_no) WHERE d.steps & {BY_TIME} <> 0;
             DELETE FROM temp.earlier_dealt
                 WHERE EXISTS (SELECT 1 FROM main.look AS l
                               WHERE (l.run_no, l.lead_no) = (earlier_dealt.run_no, earlier_dealt.lead_no));"
        ))?;
        Ok(())
    }

    /// Returns the submissions at stake that `run` received, in order of number.
    pub fn received_by(&self, run: RunNo) -> Result<Vec<(SubmissionNo, i64, Fingerprint)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT s.submission_no, s.submitted_ms, s.fingerprint
             FROM temp.replayed_by_run AS r JOIN submission AS s USING (submission_no)
             WHERE r.run_no = ?1 ORDER BY s.submission_no",
        )?;
        let rows = statement.query_map([run.0], |row| {
            Ok((SubmissionNo(row.get(0)?), row.get(1)?, Fingerprint(row.get(2)?)))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Makes the keys of the submissions at stake that `run` received those that [`Store::key_groups`] takes for
    /// fresh.
    pub fn set_fresh_keys(&self, run: RunNo) -> Result<()> {
        self.connection.execute("DELETE FROM temp.fresh_key", [])?;
        self.connection
            .prepare_cached(
                "INSERT INTO temp.fresh_key
                 SELECT DISTINCT k.key FROM temp.replayed_by_run AS r
                 CROSS JOIN match_key AS k ON k.submission_no = r.submission_no
                 WHERE r.run_no = ?1 ORDER BY k.key",
            )?
            .execute([run.0])?;
        Ok(())
    }

    /// Counts `leads` among those at stake: deciding anew may found some that were not there.
    pub fn put_leads_at_stake(&self, leads: impl Iterator<Item = LeadNo>) -> Result<()> {
        let mut insert = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO temp.replayed_lead VALUES (?1)")?;
        for lead in leads {
            insert.execute([lead.0])?;
        }
        Ok(())
    }

    /// Ends deciding anew: the rotation is the sum of the turns, and what undos and rebuilds have changed
    /// since their own runs counts as changed by them.
    pub fn finish_replay(&self) -> Result<()> {
        self.sum_turns_up()?;
        self.connection.execute(
            "UPDATE lead SET changed_run = max(changed_run, c.run_no)
             FROM (SELECT lead_no, max(run_no) AS run_no FROM correction GROUP BY lead_no) AS c
             WHERE c.lead_no = lead.lead_no
               AND lead.lead_no IN (SELECT lead_no FROM temp.replayed_lead)",
            [],
        )?;
        Ok(())
    }

    /// Notes which leads `run` changed or took off every list by deciding anew; returns how many of each.
    ///
    /// The columns are those of [`Outward`](super::leads::Outward), what files show of a lead.
    /// Values that a lead shares with its only submission are the same as before unless that one says something
    /// else now.
    pub fn write_corrections(&self, run: RunNo) -> Result<(u64, u64)> {
        let changed = self.connection.execute(
            "INSERT INTO correction
             SELECT l.lead_no, ?1 FROM temp.replayed_lead JOIN lead AS l USING (lead_no)
             LEFT JOIN temp.before_lead AS b ON b.lead_no = l.lead_no AND b.merged_into IS NULL
             WHERE l.merged_into IS NULL AND (b.lead_no IS NULL OR
                 (l.founder_no, l.n_submissions, l.first_ms, l.last_ms, l.score, l.segment, l.fit,
                  l.intent, l.behavior, l.quality, l.queue, l.may_email, l.may_phone)
                 <> (b.founder_no, b.n_submissions, b.first_ms, b.last_ms, b.score, b.segment, b.fit,
                  b.intent, b.behavior, b.quality, b.queue, b.may_email, b.may_phone)
                 OR l.fields IS NOT b.fields OR l.owner IS NOT b.owner OR l.grade IS NOT b.grade
                 OR l.models IS NOT b.models OR l.answers IS NOT b.answers
                 OR (l.fields IS NULL
                     AND l.founder_no IN (SELECT submission_no FROM temp.reworded)))",
            [run.0],
        )?;
        let withdrawn = self.connection.execute(
            "INSERT INTO withdrawal
             SELECT b.id, ?1, (SELECT json_group_array(id) FROM (
                     SELECT DISTINCT n.id FROM temp.before_membership AS m
                     JOIN membership AS nm USING (submission_no) JOIN lead AS n ON n.lead_no = nm.lead_no
                     WHERE m.lead_no = b.lead_no ORDER BY n.id))
             FROM temp.before_lead AS b LEFT JOIN lead AS l USING (lead_no)
             WHERE b.merged_into IS NULL AND (l.lead_no IS NULL OR l.merged_into IS NOT NULL)",
            [run.0],
        )?;
        self.finish_replay()?;
        Ok((changed as u64, withdrawn as u64))
    }

    /// Returns how derived state differs from what was kept of it, when all of it was at stake.
    pub fn differences(&self) -> Result<Vec<Difference>> {
        let mut found = Vec::new();
        for table in [
            "lead",
            "lead_alias",
            "membership",
            "link",
            "decision",
            "look",
            "task",
            "turn",
            "no_taker",
            "account_claim",
            "rotation",
            "load",
        ] {
            let (was, is) = (format!("temp.before_{table}"), format!("main.{table}"));
            found.extend(self.difference(table, &was, &is)?);
        }
        // What triggers keep up follows from the leads as they are, whoever decided about them.
        found.extend(self.difference("lead_total", "lead_total", RECOUNTED)?);
        Ok(found)
    }

    /// Returns how what `was` kept of `table` differs from what it `is` to be.
    fn difference(&self, table: &'static str, was: &str, is: &str) -> Result<Option<Difference>> {
        let (too_many, first) = self.rows_only_in(was, is)?;
        let (missing, second) = self.rows_only_in(is, was)?;
        Ok(first.or(second).map(|example| Difference { table, too_many, missing, example }))
    }

    fn rows_only_in(&self, one: &str, other: &str) -> Result<(u64, Option<String>)> {
        let all = self.connection.prepare(&format!("SELECT * FROM {one}"))?;
        let columns: Vec<&str> = all.column_names().into_iter().map(compared).collect();
        let columns = columns.join(", ");
        let sql = format!("SELECT {columns} FROM {one} EXCEPT SELECT {columns} FROM {other}");
        let mut statement = self.connection.prepare(&sql)?;
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut rows = statement.query(params![])?;
        let (mut count, mut example) = (0, None);
        while let Some(row) = rows.next()? {
            count += 1;
            if example.is_none() {
                let value = |at: usize, name: &str| match name {
                    // What is about a person stays out of messages.
                    name if PERSONAL.contains(&name) => Ok("(not shown)".to_owned()),
                    _ => row.get_ref(at).map(super::codec::value_text),
                };
                let cells = names
                    .iter()
                    .enumerate()
                    .map(|(at, name)| Ok(format!("{name}={}", value(at, name)?)));
                example = Some(cells.collect::<rusqlite::Result<Vec<_>>>()?.join(" "));
            }
        }
        Ok((count, example))
    }
}
