//! The books: which run did what, and recovery from one that was killed.
//!
//! A run walks `ingesting → decided → published`. Whatever a run took in before it decided is purged
//! when the next one begins, so that it simply starts over; a run that decided but did not publish is
//! published by the next one.

use anyhow::{Context as _, Result};
use rusqlite::{OptionalExtension as _, params};

use super::Store;
use crate::model::ids::{InputNo, RunNo};

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
    /// What it was asked to take in, as one digest: the same inputs mean the same run continued.
    pub inputs_digest: String,
    /// First number that its submissions could take.
    pub first_submission_no: i64,
    /// Its books as JSON, once decided.
    pub books: Option<String>,
}

const COLUMNS: &str = "run_no, id, as_of_ms, rules_hash, version, state, inputs_digest, \
                       first_submission_no, books";

impl Store {
    /// Opens the books for a new run and makes that durable.
    pub fn begin_run(
        &self,
        as_of_ms: i64,
        day: &str,
        rules_hash: &str,
        inputs_digest: &str,
    ) -> Result<RunRecord> {
        let no = self.next_number("run", "run_no")?;
        let record = RunRecord {
            no: RunNo(no),
            id: format!("{day}-{no:04}"),
            as_of_ms,
            rules_hash: rules_hash.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state: RunState::Ingesting,
            inputs_digest: inputs_digest.to_owned(),
            first_submission_no: self.last_submission()? + 1,
            books: None,
        };
        self.connection
            .execute(
                "INSERT INTO run VALUES (?1, ?2, ?3, ?4, ?5, 'ingesting', ?6, ?7, NULL)",
                params![
                    no,
                    record.id,
                    as_of_ms,
                    rules_hash,
                    record.version,
                    inputs_digest,
                    record.first_submission_no
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

    /// Marks `run` as decided and keeps its books; part of the deciding transaction.
    pub fn mark_decided(&self, run: RunNo, books: &str) -> Result<()> {
        self.connection.execute(
            "UPDATE run SET state = 'decided', books = ?2 WHERE run_no = ?1",
            params![run.0, books],
        )?;
        Ok(())
    }

    /// Marks `run` as published, and each of `targets` as written up to it.
    pub fn mark_published(&self, run: RunNo, targets: &[String]) -> Result<()> {
        self.begin()?;
        for target in targets {
            self.connection.execute(
                "INSERT INTO publication VALUES (?1, ?2)
                 ON CONFLICT (target) DO UPDATE SET run_no = excluded.run_no",
                params![target, run.0],
            )?;
        }
        self.connection.execute("UPDATE run SET state = 'published' WHERE run_no = ?1", [run.0])?;
        self.commit()
    }

    /// Returns the run up to which `target`'s file was written before `run`; 0 when it never was.
    pub fn published_up_to(&self, target: &str, run: RunNo) -> Result<i64> {
        Ok(self
            .connection
            .query_row(
                "SELECT run_no FROM publication WHERE target = ?1 AND run_no < ?2",
                params![target, run.0],
                |row| row.get(0),
            )
            .optional()?
            .unwrap_or(0))
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
        self.connection
            .execute_batch(&format!(
                "CREATE TEMP TABLE purged AS
                     SELECT submission_no FROM submission WHERE input_no >= {0};
                 DELETE FROM seen WHERE
                     (kind = 's' AND no IN (SELECT submission_no FROM submission WHERE input_no >= {0}))
                  OR (kind = 't' AND no IN (SELECT touch_no FROM touch WHERE input_no >= {0}))
                  OR (kind = 'q' AND no IN (SELECT quarantine_no FROM quarantine WHERE input_no >= {0}))
                  OR (kind = 'h' AND no IN (SELECT held_no FROM held WHERE input_no >= {0}));
                 DELETE FROM match_key WHERE submission_no IN (SELECT submission_no FROM purged);
                 DELETE FROM repeat WHERE input_no >= {0};
                 DELETE FROM mended WHERE input_no >= {0};
                 DELETE FROM touch WHERE input_no >= {0};
                 DELETE FROM quarantine WHERE input_no >= {0};
                 DELETE FROM held WHERE input_no >= {0};
                 DELETE FROM submission WHERE input_no >= {0};
                 DELETE FROM input WHERE input_no >= {0};
                 DROP TABLE purged;",
                first.0
            ))
            .context("cannot take back an unfinished import")?;
        self.commit()
    }

    /// Returns how many leads the rows of each input founded in `run`, by the input's SHA-256.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn founded_by_input(&self, run: RunNo) -> Result<Vec<(Vec<u8>, u64)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT i.sha256, count(*) FROM lead AS l
             JOIN submission AS s ON s.submission_no = l.founder_no
             JOIN input AS i USING (input_no)
             WHERE l.founded_run = ?1 AND l.merged_into IS NULL AND i.run_no = ?1
             GROUP BY i.input_no ORDER BY i.input_no",
        )?;
        let founded = statement
            .query_map([run.0], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(founded)
    }
}

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
    })
}
