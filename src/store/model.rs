//! The weights by which people are told alike: what was accepted, what they are learned from, and whom other weights
//! may join otherwise.

use anyhow::Result;
use rusqlite::{OptionalExtension as _, params};

use super::Store;
use super::absorb::Horizon;
use super::codec::decode_values;
use crate::identity::keys::KeyKind;
use crate::model::field::FieldValues;
use crate::model::ids::{RunNo, SubmissionNo};
use crate::rules::field::FieldCatalog;

impl Store {
    /// Keeps the weights that `run` decides by, and every run after it.
    pub fn keep_pair_model(&self, run: RunNo, body: &str) -> Result<()> {
        self.connection
            .prepare_cached("INSERT INTO pair_model VALUES (?1, ?2)")?
            .execute(params![run.0, body])?;
        Ok(())
    }

    /// Returns the weights that hold as far as `horizon` lets see, with the run that brought them.
    pub fn pair_model(&self, horizon: Horizon) -> Result<Option<(RunNo, String)>> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT m.run_no, m.body FROM pair_model AS m
                 JOIN run AS r ON r.run_no = m.run_no AND r.undone_by IS NULL
                 WHERE m.run_no <= ?1 ORDER BY m.run_no DESC LIMIT 1",
            )?
            .query_row([horizon.last_run()], |row| Ok((RunNo(row.get(0)?), row.get(1)?)))
            .optional()?)
    }

    /// Returns the submissions that may be joined by likeness: they share a near key with another.
    pub fn near_holders(&self) -> Result<Vec<SubmissionNo>> {
        self.near("SELECT submission_no FROM submission")
    }

    /// Returns those of [`Store::near_holders`] that are at stake in a replay and were there in `run`.
    pub fn near_holders_at_stake(&self, run: RunNo) -> Result<Vec<SubmissionNo>> {
        self.near(&format!(
            "SELECT r.submission_no FROM temp.replayed AS r
             JOIN submission AS s USING (submission_no) JOIN input AS i USING (input_no)
             WHERE i.run_no <= {}",
            run.0
        ))
    }

    /// `among` selects the submissions that count.
    fn near(&self, among: &str) -> Result<Vec<SubmissionNo>> {
        let mut statement = self.connection.prepare(&format!(
            "WITH counted AS MATERIALIZED ({among})
             SELECT DISTINCT k.submission_no FROM match_key AS k
             WHERE k.kind = {} AND k.submission_no IN counted AND EXISTS (
                 SELECT 1 FROM match_key AS o
                 WHERE o.key = k.key AND o.submission_no <> k.submission_no
                   AND o.submission_no IN counted)
             ORDER BY 1",
            KeyKind::Near as i64
        ))?;
        let rows = statement.query_map([], |row| row.get(0).map(SubmissionNo))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Hands the values of `limit` submissions at most to `visit`, in order of fingerprint: whatever order they
    /// came in.
    pub fn each_values(
        &self,
        catalog: &FieldCatalog,
        limit: usize,
        mut visit: impl FnMut(FieldValues) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT fields FROM submission ORDER BY fingerprint, submission_no LIMIT ?1",
        )?;
        let mut rows = statement.query([limit as i64])?;
        while let Some(row) = rows.next()? {
            let fields: String = row.get(0)?;
            visit(decode_values(&fields, catalog)?)?;
        }
        Ok(())
    }
}
