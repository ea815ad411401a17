//! Who has had a lead, and since when.

use anyhow::Result;
use rusqlite::{OptionalExtension as _, params};

use super::Store;
use crate::model::ids::{LeadNo, RunNo, SubmissionNo};

/// How long a lead has been with its owner, and with whom it was before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tenure {
    /// As-of of the run since which it has been with its owner, milliseconds since 1970 UTC; `None` when it is not.
    pub since_ms: Option<i64>,
    /// Everybody who has had it or a lead that was merged into it, the latest first and none twice.
    pub had_by: Vec<String>,
}

impl Store {
    /// Returns how long `lead` has been with `owner` by the end of `run`.
    pub fn tenure(&self, lead: LeadNo, owner: &str, run: RunNo) -> Result<Tenure> {
        let mut statement = self.connection.prepare_cached(
            "WITH one (lead_no, is_own) AS (
                 SELECT ?1, true UNION ALL SELECT lead_no, false FROM lead WHERE merged_into = ?1)
             SELECT one.is_own, d.owner, r.as_of_ms
             FROM one CROSS JOIN decision AS d USING (lead_no) JOIN run AS r USING (run_no)
             WHERE d.run_no <= ?2 ORDER BY d.run_no DESC, one.is_own DESC, one.lead_no",
        )?;
        let mut rows = statement.query(params![lead.0, run.0])?;
        let (mut tenure, mut is_with_them) = (Tenure::default(), true);
        while let Some(row) = rows.next()? {
            let (is_own, had, as_of_ms): (bool, Option<String>, i64) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            if is_own && is_with_them {
                is_with_them = had.as_deref() == Some(owner);
                if is_with_them {
                    tenure.since_ms = Some(as_of_ms);
                }
            }
            tenure.had_by.extend(had.filter(|had| !tenure.had_by.contains(had)));
        }
        Ok(tenure)
    }

    /// Returns the queue in which `lead` was last with `owner` by the end of `run`; `None` when it never was.
    pub fn queue_with(&self, lead: LeadNo, owner: &str, run: RunNo) -> Result<Option<String>> {
        let queue = self
            .connection
            .prepare_cached(
                "SELECT queue FROM decision WHERE lead_no = ?1 AND run_no <= ?2 AND owner = ?3
                 ORDER BY run_no DESC LIMIT 1",
            )?
            .query_row(params![lead.0, run.0, owner], |row| row.get(0))
            .optional()?;
        Ok(queue)
    }

    /// Returns whether a run up to `run` whose as-of is `at_ms` or later has decided about `lead` or looked at it.
    pub fn was_seen_since(&self, lead: LeadNo, at_ms: i64, run: RunNo) -> Result<bool> {
        let was_seen = self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM run AS r WHERE r.run_no <= ?2 AND r.as_of_ms >= ?3 AND (
                     EXISTS (SELECT 1 FROM decision AS d WHERE (d.lead_no, d.run_no) = (?1, r.run_no))
                     OR EXISTS (SELECT 1 FROM look AS k WHERE (k.run_no, k.lead_no) = (r.run_no, ?1))))",
            )?
            .query_row(params![lead.0, run.0, at_ms], |row| row.get(0))?;
        Ok(was_seen)
    }

    /// Returns the as-of of the run that received `submission`, milliseconds since 1970 UTC.
    pub fn received_ms(&self, submission: SubmissionNo) -> Result<i64> {
        let at_ms = self
            .connection
            .prepare_cached(
                "SELECT r.as_of_ms FROM submission AS s JOIN input AS i USING (input_no)
                 JOIN run AS r USING (run_no) WHERE s.submission_no = ?1",
            )?
            .query_row([submission.0], |row| row.get(0))?;
        Ok(at_ms)
    }
}
