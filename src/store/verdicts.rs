//! What people said about who is who: it outlives every later import, also that of the same rows again.

use anyhow::Result;
use rusqlite::params;

use super::Store;
use super::absorb::Horizon;
use crate::model::ids::{Fingerprint, LeadNo, RunNo, SubmissionNo};

/// Somebody said that two submissions are one person, or that they are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The run that kept it; a later one outweighs an earlier.
    pub run: RunNo,
    /// One submission.
    pub a: SubmissionNo,
    /// The other.
    pub b: SubmissionNo,
    /// Whether they are one person.
    pub is_same: bool,
}

/// What one run keeps of what somebody said about rows of a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The run's id.
    pub run: String,
    /// Whether the rows are one person.
    pub is_same: bool,
    /// Why, as it was given.
    pub because: String,
    /// The rows that it names, of this lead and of others.
    pub rows: Vec<SubmissionNo>,
}

impl Verdict {
    /// Returns the other submission, when `submission` is one of the two.
    pub fn other_than(&self, submission: SubmissionNo) -> Option<SubmissionNo> {
        match submission {
            one if one == self.a => Some(self.b),
            one if one == self.b => Some(self.a),
            _ => None,
        }
    }
}

impl Store {
    /// Keeps that `a` and `b` are one person, or are not, as said in `run`.
    pub fn keep_verdict(
        &self,
        run: RunNo,
        (a, b): (Fingerprint, Fingerprint),
        is_same: bool,
        because: &str,
    ) -> Result<()> {
        let (a, b) = (a.min(b), a.max(b));
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO verdict VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![run.0, a.0, b.0, is_same, because])?;
        Ok(())
    }

    /// Returns what holds of what was said, as far as `horizon` lets see: of two verdicts about one pair the
    /// later. Verdicts about rows that are not there wait until they are.
    pub fn verdicts(&self, horizon: Horizon) -> Result<Vec<Verdict>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT v.run_no, a.no, b.no, v.is_same
             FROM verdict AS v
             CROSS JOIN run AS r ON r.run_no = v.run_no AND r.undone_by IS NULL
             CROSS JOIN seen AS a ON a.fingerprint = v.a AND a.kind = 's'
             CROSS JOIN seen AS b ON b.fingerprint = v.b AND b.kind = 's'
             WHERE v.run_no <= ?1
               AND NOT EXISTS (
                   SELECT 1 FROM verdict AS later
                   JOIN run AS l ON l.run_no = later.run_no AND l.undone_by IS NULL
                   WHERE later.a = v.a AND later.b = v.b AND later.run_no > v.run_no
                     AND later.run_no <= ?1)
             ORDER BY v.run_no, v.a, v.b",
        )?;
        let rows = statement.query_map([horizon.last_run()], |row| {
            Ok(Verdict {
                run: RunNo(row.get(0)?),
                a: SubmissionNo(row.get(1)?),
                b: SubmissionNo(row.get(2)?),
                is_same: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns what was said about the rows of `lead` and was not taken back, the earliest first.
    pub fn statements_about(&self, lead: LeadNo) -> Result<Vec<Statement>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT v.run, v.verdict = 'same', v.because, v.submission_no, v.other_no
             FROM verdicts AS v JOIN run AS r ON r.id = v.run
             WHERE EXISTS (SELECT 1 FROM membership AS m WHERE m.lead_no = ?1
                           AND m.submission_no IN (v.submission_no, v.other_no))
             ORDER BY r.run_no, 2",
        )?;
        let mut rows = statement.query([lead.0])?;
        let mut statements: Vec<Statement> = Vec::new();
        while let Some(row) = rows.next()? {
            let (run, is_same) = (row.get(0)?, row.get(1)?);
            let is_last = |last: &&mut Statement| last.run == run && last.is_same == is_same;
            let ends: [Option<i64>; 2] = [row.get(3)?, row.get(4)?];
            let ends = ends.into_iter().flatten().map(SubmissionNo);
            match statements.last_mut().filter(is_last) {
                Some(last) => last.rows.extend(ends),
                None => statements.push(Statement {
                    run,
                    is_same,
                    because: row.get(2)?,
                    rows: ends.collect(),
                }),
            }
        }
        for statement in &mut statements {
            statement.rows.sort_unstable();
            statement.rows.dedup();
        }
        Ok(statements)
    }

    /// Returns the submissions that `run` said something about, as far as they are at stake in a replay.
    pub fn judged_at_stake(&self, run: RunNo) -> Result<Vec<SubmissionNo>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT s.no FROM verdict AS v
             CROSS JOIN seen AS s ON s.fingerprint IN (v.a, v.b) AND s.kind = 's'
             JOIN temp.replayed AS r ON r.submission_no = s.no
             WHERE v.run_no = ?1 ORDER BY s.no",
        )?;
        let rows = statement.query_map([run.0], |row| row.get(0).map(SubmissionNo))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
