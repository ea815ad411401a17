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
            "WITH arrival (queue, owner, by_time, lead_no) AS (
                 SELECT queue, owner, steps & 16 <> 0, lead_no FROM decision
                 WHERE run_no = ?1 AND steps & 32 <> 0
                 UNION ALL
                 SELECT queue, owner, by_time, lead_no FROM erased_load WHERE run_no = ?1)
             SELECT queue, owner, count(*) FROM arrival
             WHERE (by_time, lead_no) <
                 (SELECT steps & 16 <> 0, lead_no FROM decision WHERE lead_no = ?2 AND run_no = ?1)
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

    /// Sums the loads up from the decisions that are kept, and from those about people who are erased.
    pub(super) fn sum_loads_up(&self) -> Result<()> {
        self.connection.execute_batch(
            "DELETE FROM load;
             INSERT INTO load SELECT run_no, queue, owner, count(*) FROM (
                 SELECT run_no, queue, owner FROM decision WHERE steps & 32 <> 0
                 UNION ALL SELECT run_no, queue, owner FROM erased_load)
                 GROUP BY run_no, queue, owner;",
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
        let mut statement = self.connection.prepare(&waiting(again_in))?;
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

/// Returns the query for [`Store::each_waiting`].
fn waiting(again_in: Option<RunNo>) -> String {
    // A run walks those whom nobody could take once, and asks more only about those without an owner; a replay has
    // many runs, each with few.
    let (dealt, which) = match again_in {
        None => ("", String::new()),
        Some(RunNo(run)) => (
            "temp.earlier_dealt AS e CROSS JOIN",
            format!("n.lead_no = e.lead_no AND e.run_no = {run} AND"),
        ),
    };
    // The founder says whether another lead is about to take it in. A run that looked at it and found nobody either
    // left the decision as it was.
    format!(
        "SELECT l.lead_no, n.queue, n.passed_no, r.rules_hash
         FROM {dealt} no_taker AS n CROSS JOIN lead AS l
         JOIN membership AS m ON m.submission_no = l.founder_no AND m.lead_no = l.lead_no
         JOIN run AS r ON r.run_no = n.run_no
         WHERE {which} l.lead_no = n.lead_no AND l.owner IS NULL AND l.merged_into IS NULL
           AND n.run_no = (SELECT max(last.run_no) FROM no_taker AS last WHERE last.lead_no = l.lead_no)
           AND n.run_no >= (SELECT max(d.run_no) FROM decision AS d WHERE d.lead_no = l.lead_no)
         ORDER BY n.lead_no, n.place"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(again_in: Option<RunNo>, expected: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("leadmill.db")).unwrap();
        store.prepare_replay().unwrap();
        store.take_derived_apart().unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {}", waiting(again_in));
        let mut statement = store.connection.prepare(&sql).unwrap();
        let steps = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<String> = steps.collect::<rusqlite::Result<_>>().unwrap();
        assert_eq!(steps[..expected.len()], *expected);
    }

    #[test]
    fn who_waits_is_found_without_asking_about_everybody() {
        let lead = "SEARCH l USING INTEGER PRIMARY KEY (rowid=?)";
        check(None, &["SCAN n", lead, "CORRELATED SCALAR SUBQUERY 1"]);
        let dealt = "SEARCH e USING PRIMARY KEY (run_no=?)";
        check(Some(RunNo(3)), &[dealt, "SEARCH n USING PRIMARY KEY (lead_no=?)", lead]);
    }
}
