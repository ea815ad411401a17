//! The books: which run did what, and recovery from one that was killed.
//!
//! A run walks `ingesting → decided → published`. Whatever a run took in before it decided is purged
//! when the next one begins, so that it simply starts over; a run that decided but did not publish is
//! published by the next one.

use anyhow::{Context as _, Result};
use rusqlite::{OptionalExtension as _, params};

use super::Store;
use crate::model::ids::{InputNo, RunNo};
use crate::model::moment::utc_from_ms;

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Taking rows in.
    Ingesting,
    /// Leads, scores, owners and tasks are decided; the files are not out yet.
    Decided,
    /// Done.
    Published,
}

const STATES: &[(&str, RunState)] = &[
    ("ingesting", RunState::Ingesting),
    ("decided", RunState::Decided),
    ("published", RunState::Published),
];

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunKind {
    /// Taking exports in.
    Import,
    /// Taking another run back.
    Undo,
    /// Computing derived state anew, where it was not what it should be.
    Rebuild,
    /// Keeping what somebody said about who is who, and deciding by it.
    Verdict,
    /// Keeping new weights for telling people alike, and deciding by them.
    Model,
    /// Deciding anew about leads that are there, by other rules or at another time.
    Rescore,
    /// Handing out what became due, and taking in what was said about tasks.
    Tick,
    /// Taking people out for good.
    Erasure,
}

impl RunKind {
    /// Returns whether such a run brings something into the store that leads follow from: rows, verdicts,
    /// weights or rules. It can be undone, and it decides again in a replay.
    pub fn brings_something(self) -> bool {
        match self {
            Self::Import | Self::Verdict | Self::Model | Self::Rescore | Self::Tick => true,
            Self::Undo | Self::Rebuild | Self::Erasure => false,
        }
    }

    /// Returns whether such a run sees what time has changed, and hands out what became due.
    pub fn looks_at_the_clock(self) -> bool {
        matches!(self, Self::Import | Self::Tick)
    }

    /// Every kind with its word, in order.
    pub const ALL: &[(&str, RunKind)] = &[
        ("import", Self::Import),
        ("undo", Self::Undo),
        ("rebuild", Self::Rebuild),
        ("verdict", Self::Verdict),
        ("model", Self::Model),
        ("rescore", Self::Rescore),
        ("tick", Self::Tick),
        ("erasure", Self::Erasure),
    ];

    /// Returns the word used in the store and in files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// A run as its row describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// Number.
    pub no: RunNo,
    /// Name, such as `2026-11-22-0001`.
    pub id: String,
    /// The instant that counts as now, milliseconds since 1970 UTC.
    pub as_of_ms: i64,
    /// Hash of the rules that decided.
    pub rules_hash: String,
    /// leadmill's version.
    pub version: String,
    /// How far it came.
    pub state: RunState,
    /// What it was asked to take in, as one digest: the same means the same run continued.
    pub inputs_digest: String,
    /// First number that its submissions could take.
    pub first_submission_no: i64,
    /// Its books as JSON, once decided.
    pub books: Option<String>,
    /// What it is for.
    pub kind: RunKind,
    /// The run that it took back.
    pub undoes: Option<RunNo>,
    /// The run that took it back.
    pub undone_by: Option<RunNo>,
    /// Whether it looks again at leads that are due; those of an older leadmill did not.
    pub looks_by_time: bool,
    /// Whether its files hold every lead instead of the new and changed ones.
    pub is_full: bool,
}

/// What a run to be opened is to be.
#[derive(Debug, Clone, Copy)]
pub struct RunOpening<'a> {
    /// The instant that counts as now, milliseconds since 1970 UTC.
    pub as_of_ms: i64,
    /// Hash of the rules that decide.
    pub rules_hash: &'a str,
    /// Digest of its inputs.
    pub inputs_digest: &'a str,
    /// What it is for.
    pub kind: RunKind,
    /// The run that it takes back.
    pub undoes: Option<RunNo>,
    /// Whether its files hold every lead instead of the new and changed ones.
    pub is_full: bool,
}

const COLUMNS: &str = "run_no, id, as_of_ms, rules_hash, version, state, inputs_digest, \
                       first_submission_no, books, kind, undoes, undone_by, looks_by_time, is_full";

impl Store {
    /// Returns whether any run was undone.
    pub fn has_undone_runs(&self) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM run WHERE undone_by IS NOT NULL)";
        Ok(self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    /// Opens the books for a new run; durable at once unless a transaction is open.
    pub fn begin_run(&self, opening: RunOpening<'_>) -> Result<RunRecord> {
        let no = self.next_number("run", "run_no")?;
        let record = RunRecord {
            no: RunNo(no),
            id: format!("{}-{no:04}", utc_from_ms(opening.as_of_ms).format("%Y-%m-%d")),
            as_of_ms: opening.as_of_ms,
            rules_hash: opening.rules_hash.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state: RunState::Ingesting,
            inputs_digest: opening.inputs_digest.to_owned(),
            first_submission_no: self.last_submission()? + 1,
            books: None,
            kind: opening.kind,
            undoes: opening.undoes,
            undone_by: None,
            looks_by_time: true,
            is_full: opening.is_full,
        };
        self.connection
            .execute(
                "INSERT INTO run (run_no, id, as_of_ms, rules_hash, version, state, inputs_digest,
                                  first_submission_no, kind, undoes, looks_by_time,
                                  is_full, keeps_no_takers)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'ingesting', ?6, ?7, ?8, ?9, ?10, ?11, 1)",
                params![
                    no,
                    record.id,
                    record.as_of_ms,
                    record.rules_hash,
                    record.version,
                    record.inputs_digest,
                    record.first_submission_no,
                    record.kind.word(),
                    record.undoes.map(|run| run.0),
                    record.looks_by_time,
                    record.is_full
                ],
            )
            .context("cannot open the books of the run")?;
        Ok(record)
    }

    /// Returns the latest run.
    pub fn latest_run(&self) -> Result<Option<RunRecord>> {
        let sql = format!("SELECT {COLUMNS} FROM run ORDER BY run_no DESC LIMIT 1");
        self.connection.query_row(&sql, [], |row| Ok(read_run(row))).optional()?.transpose()
    }

    /// Returns the run called `id`.
    pub fn run_by_id(&self, id: &str) -> Result<Option<RunRecord>> {
        let sql = format!("SELECT {COLUMNS} FROM run WHERE id = ?1");
        self.connection.query_row(&sql, [id], |row| Ok(read_run(row))).optional()?.transpose()
    }

    /// Returns the run with this number.
    pub fn run_by_no(&self, run: RunNo) -> Result<Option<RunRecord>> {
        let sql = format!("SELECT {COLUMNS} FROM run WHERE run_no = ?1");
        self.connection.query_row(&sql, [run.0], |row| Ok(read_run(row))).optional()?.transpose()
    }

    /// Returns every run, the earliest first.
    pub fn all_runs(&self) -> Result<Vec<RunRecord>> {
        let sql = format!("SELECT {COLUMNS} FROM run ORDER BY run_no");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([], |row| Ok(read_run(row)))?;
        rows.map(|row| row?).collect()
    }

    /// Marks `run` as decided and keeps its books; part of the deciding transaction.
    pub fn mark_decided(&self, run: RunNo, books: &str) -> Result<()> {
        self.connection.execute(
            "UPDATE run SET state = 'decided', books = ?2 WHERE run_no = ?1",
            params![run.0, books],
        )?;
        Ok(())
    }

    /// Marks `run` as published; part of the publishing transaction.
    pub fn mark_published(&self, run: RunNo) -> Result<()> {
        self.connection.execute("UPDATE run SET state = 'published' WHERE run_no = ?1", [run.0])?;
        Ok(())
    }

    /// Keeps `books` as those of `run`; part of the publishing transaction.
    pub fn keep_books(&self, run: RunNo, books: &str) -> Result<()> {
        let sql = "UPDATE run SET books = ?2 WHERE run_no = ?1";
        self.connection.execute(sql, params![run.0, books])?;
        Ok(())
    }

    /// Returns the run that imported the input with this hash.
    pub fn input_known(&self, sha256: [u8; 32]) -> Result<Option<String>> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT r.id FROM input AS i JOIN run AS r USING (run_no) WHERE i.sha256 = ?1",
            )?
            .query_row([sha256], |row| row.get(0))
            .optional()?)
    }

    /// Removes what a run that never decided left behind, and its row.
    pub fn purge_run(&self, run: RunNo) -> Result<()> {
        let first: Option<i64> = self.connection.query_row(
            "SELECT min(input_no) FROM input WHERE run_no = ?1",
            [run.0],
            |row| row.get(0),
        )?;
        if let Some(first) = first {
            self.purge_inputs_from(InputNo(first))?;
        }
        self.connection.execute("DELETE FROM run WHERE run_no = ?1", [run.0])?;
        Ok(())
    }

    /// Removes the inputs from `first` on with every row of theirs; they have no leads yet.
    pub(super) fn purge_inputs_from(&self, first: InputNo) -> Result<()> {
        self.begin()?;
        self.purge_inputs("input_no >= ?1", first.0)
            .context("cannot take back an unfinished import")?;
        self.commit()
    }

    /// Removes the inputs that `condition` on `?1` names, with every row of theirs; inside a transaction.
    pub(super) fn purge_inputs(&self, condition: &str, value: i64) -> Result<()> {
        self.connection.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS purged_input (input_no INTEGER PRIMARY KEY);
             CREATE TEMP TABLE IF NOT EXISTS purged (submission_no INTEGER PRIMARY KEY);",
        )?;
        let inputs =
            format!("INSERT INTO temp.purged_input SELECT input_no FROM input WHERE {condition}");
        self.connection.execute(&inputs, [value])?;
        self.connection.execute_batch(
            "INSERT INTO temp.purged SELECT submission_no FROM submission
                 WHERE input_no IN (SELECT input_no FROM temp.purged_input);
             DELETE FROM seen WHERE
                 (kind = 's' AND no IN (SELECT submission_no FROM temp.purged))
              OR (kind = 't' AND no IN (SELECT touch_no FROM touch
                      WHERE input_no IN (SELECT input_no FROM temp.purged_input)))
              OR (kind = 'q' AND no IN (SELECT quarantine_no FROM quarantine
                      WHERE input_no IN (SELECT input_no FROM temp.purged_input)))
              OR (kind = 'h' AND no IN (SELECT held_no FROM held
                      WHERE input_no IN (SELECT input_no FROM temp.purged_input)));
             DELETE FROM match_key WHERE submission_no IN (SELECT submission_no FROM temp.purged);
             DELETE FROM consent_denial WHERE
                 (kind = 's' AND no IN (SELECT submission_no FROM temp.purged))
              OR (kind = 't' AND no IN (SELECT touch_no FROM touch
                      WHERE input_no IN (SELECT input_no FROM temp.purged_input)));
             DELETE FROM mended WHERE input_no IN (SELECT input_no FROM temp.purged_input)
                 OR quarantine_no IN (SELECT quarantine_no FROM quarantine
                      WHERE input_no IN (SELECT input_no FROM temp.purged_input));
             DELETE FROM variant WHERE input_no IN (SELECT input_no FROM temp.purged_input);
             DELETE FROM repeat WHERE input_no IN (SELECT input_no FROM temp.purged_input);
             DELETE FROM erased_row WHERE input_no IN (SELECT input_no FROM temp.purged_input);
             DELETE FROM touch_key WHERE touch_no IN (SELECT touch_no FROM touch
                      WHERE input_no IN (SELECT input_no FROM temp.purged_input));
             DELETE FROM touch WHERE input_no IN (SELECT input_no FROM temp.purged_input);
             DELETE FROM quarantine WHERE input_no IN (SELECT input_no FROM temp.purged_input);
             DELETE FROM held WHERE input_no IN (SELECT input_no FROM temp.purged_input);
             DELETE FROM submission WHERE input_no IN (SELECT input_no FROM temp.purged_input);
             DELETE FROM input WHERE input_no IN (SELECT input_no FROM temp.purged_input);
             DELETE FROM temp.purged_input;
             DELETE FROM temp.purged;",
        )?;
        Ok(())
    }

    /// Returns how many leads the rows of each input founded in `run`, by the input's SHA-256.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn founded_by_input(&self, run: RunNo) -> Result<Vec<(Vec<u8>, u64)>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT i.sha256, count(*) {OF_FOUNDED} GROUP BY i.input_no ORDER BY i.input_no"
        ))?;
        let founded = statement
            .query_map([run.0], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(founded)
    }
}

/// The leads that the rows of run `?1` founded in it, from the side of its rows, which are few most nights.
pub(super) const OF_FOUNDED: &str = "FROM run AS r
     CROSS JOIN submission AS s INDEXED BY submission_glance ON s.submission_no >= r.first_submission_no
     CROSS JOIN input AS i ON i.input_no = s.input_no
     CROSS JOIN membership AS m ON m.submission_no = s.submission_no
     CROSS JOIN lead AS l ON l.lead_no = m.lead_no
     WHERE r.run_no = ?1 AND i.run_no = ?1 AND l.founder_no = s.submission_no AND l.founded_run = ?1
           AND l.merged_into IS NULL";

fn read_run(row: &rusqlite::Row<'_>) -> Result<RunRecord> {
    let state: String = row.get(5)?;
    Ok(RunRecord {
        no: RunNo(row.get(0)?),
        id: row.get(1)?,
        as_of_ms: row.get(2)?,
        rules_hash: row.get(3)?,
        version: row.get(4)?,
        state: super::codec::word(STATES, &state)?,
        inputs_digest: row.get(6)?,
        first_submission_no: row.get(7)?,
        books: row.get(8)?,
        kind: super::codec::word(RunKind::ALL, &row.get::<_, String>(9)?)?,
        undoes: row.get::<_, Option<i64>>(10)?.map(RunNo),
        undone_by: row.get::<_, Option<i64>>(11)?.map(RunNo),
        looks_by_time: row.get(12)?,
        is_full: row.get::<_, Option<bool>>(13)?.unwrap_or(false),
    })
}
