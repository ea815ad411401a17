//! How many leads came to whom, and which wait for somebody.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::params;

use super::Store;
use super::turns::read_passed;
use crate::model::ids::{LeadNo, RunNo};
use crate::routing::{LoadEntry, Passed};

/// Leads by queue and owner.
pub type LeadsTo = BTreeMap<(String, String), i64>;

/// A lead that waits because nobody could take it when it was last dealt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingLead {
    /// Its number.
    pub lead: LeadNo,
    /// A queue in which nobody could.
    pub queue: String,
    /// Number of the list of those who could not; the same list has the same number.
    pub passed_no: i64,
    /// Hash of the rules by which it was dealt then.
    pub rules_hash: String,
}

impl Store {
    /// Hands the leads that came to somebody by the end of `run`, in runs whose as-of is `since_ms` or later,
    /// to `visit`.
    pub fn each_load(
        &self,
        run: RunNo,
        since_ms: i64,
        mut visit: impl FnMut(LoadEntry),
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT l.queue, l.owner, r.as_of_ms, l.leads FROM load AS l JOIN run AS r USING (run_no)
             WHERE r.run_no <= ?1 AND r.as_of_ms >= ?2",
        )?;
        let mut rows = statement.query([run.0, since_ms])?;
        while let Some(row) = rows.next()? {
            visit(LoadEntry {
                queue: row.get(0)?,
                owner: row.get(1)?,
                at_ms: row.get(2)?,
                leads: row.get(3)?,
            });
        }
        Ok(())
    }

    /// Hands the leads that came to somebody in `run`, whose as-of is `at_ms`, before it decided about `lead` to
    /// `visit`.
    pub fn each_arrival_before(
        &self,
        run: RunNo,
        at_ms: i64,
        lead: LeadNo,
        mut visit: impl FnMut(LoadEntry),
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT queue, owner, count(*) FROM decision
             WHERE run_no = ?1 AND steps & 32 <> 0 AND (steps & 16, lead_no) <
                 (SELECT steps & 16, lead_no FROM decision WHERE lead_no = ?2 AND run_no = ?1)
             GROUP BY queue, owner",
        )?;
        let mut rows = statement.query([run.0, lead.0])?;
        while let Some(row) = rows.next()? {
            let (queue, owner, leads) = (row.get(0)?, row.get(1)?, row.get(2)?);
            visit(LoadEntry { queue, owner, at_ms, leads });
        }
        Ok(())
    }

    /// Adds the leads that came to somebody in `run`.
    pub fn add_load(&self, run: RunNo, leads: &LeadsTo) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO load VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (run_no, queue, owner) DO UPDATE SET leads = leads + excluded.leads",
        )?;
        for ((queue, owner), leads) in leads {
            statement.execute(params![run.0, queue, owner, leads])?;
        }
        Ok(())
    }

    /// Sums the loads up from the decisions that are kept.
    pub(super) fn sum_loads_up(&self) -> Result<()> {
        self.connection.execute_batch(
            "DELETE FROM load;
             INSERT INTO load SELECT run_no, queue, owner, count(*) FROM decision
                 WHERE steps & 32 <> 0 GROUP BY run_no, queue, owner;",
        )?;
        Ok(())
    }

    /// Hands every lead that waits because nobody could take it to `visit`, once for each queue in which
    /// nobody could, in order of lead. With `again_in` only those at stake in a replay about which this run
    /// decided before, though not because of the time.
    pub fn each_waiting(
        &self,
        again_in: Option<RunNo>,
        mut visit: impl FnMut(WaitingLead) -> Result<()>,
    ) -> Result<()> {
        // The founder says whether another lead is about to take it in. A run that looked at it and found nobody either
        // left the decision as it was.
        let waiting = "SELECT l.lead_no, n.queue, n.passed_no, r.rules_hash
             FROM no_taker AS n CROSS JOIN lead AS l USING (lead_no)
             JOIN membership AS m ON m.submission_no = l.founder_no AND m.lead_no = l.lead_no
             JOIN run AS r ON r.run_no = n.run_no
             WHERE l.owner IS NULL AND l.merged_into IS NULL
               AND n.run_no = (SELECT max(last.run_no) FROM no_taker AS last WHERE last.lead_no = n.lead_no)
               AND n.run_no >= (SELECT max(d.run_no) FROM decision AS d WHERE d.lead_no = n.lead_no)";
        let dealt = match again_in {
            None => String::new(),
            Some(RunNo(run)) => format!(
                "AND l.lead_no IN (SELECT lead_no FROM temp.earlier_dealt WHERE run_no = {run})"
            ),
        };
        let sql = format!("{waiting} {dealt} ORDER BY n.lead_no, n.place");
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(WaitingLead {
                lead: LeadNo(row.get(0)?),
                queue: row.get(1)?,
                passed_no: row.get(2)?,
                rules_hash: row.get(3)?,
            })?;
        }
        Ok(())
    }

    /// Returns the leads that nobody owns, by queue.
    pub fn leads_without_owner(&self) -> Result<BTreeMap<String, u64>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT queue, count(*) FROM lead WHERE owner IS NULL AND merged_into IS NULL GROUP BY queue",
        )?;
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the list of those who were passed over that has the number `passed_no`.
    pub fn passed_over(&self, passed_no: i64) -> Result<Passed> {
        let members: String = self
            .connection
            .prepare_cached("SELECT members FROM turn_passed WHERE passed_no = ?1")?
            .query_row([passed_no], |row| row.get(0))?;
        read_passed(&members)
    }
}
