//! When a lead is looked at again though nothing new came in, and which runs did so.

use anyhow::Result;
use rusqlite::params;

use super::Store;
use crate::model::ids::{LeadNo, RunNo};

/// The bit of [`super::leads::LeadRow::steps`] that says that time alone was the reason.
pub const BY_TIME: i64 = 16;

/// Asked for their order, SQLite would rather go through all leads.
const TO_LOOK_AT: &str = "SELECT lead_no FROM lead INDEXED BY lead_by_look WHERE look_ms <= ?1";

/// Leads that a run changed by time alone, as its files show them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangedByTime {
    /// All of them.
    pub leads: u64,
    /// Those with an owner, outside triage.
    pub owned: u64,
    /// Those in triage.
    pub triage: u64,
}

impl Store {
    /// Returns the leads whose decision time alone may have changed by `as_of_ms`, in order of number; with
    /// `only_replayed` those at stake in a replay.
    pub fn leads_to_look_at(&self, as_of_ms: i64, only_replayed: bool) -> Result<Vec<LeadNo>> {
        let at_stake = "AND lead_no IN (SELECT lead_no FROM temp.replayed_lead)";
        let at_stake = if only_replayed { at_stake } else { "" };
        let mut statement = self.connection.prepare_cached(&format!("{TO_LOOK_AT} {at_stake}"))?;
        let rows = statement.query_map([as_of_ms], |row| row.get(0).map(LeadNo))?;
        let mut leads = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        leads.sort_unstable();
        Ok(leads)
    }

    /// Keeps that `run` looked at `lead`, found it as it was, and when it is to be looked at next.
    pub fn keep_look(&self, run: RunNo, lead: LeadNo, look_ms: Option<i64>) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE lead SET look_ms = ?2 WHERE lead_no = ?1")?
            .execute(params![lead.0, look_ms])?;
        self.connection
            .prepare_cached("INSERT INTO look VALUES (?1, ?2)")?
            .execute([run.0, lead.0])?;
        Ok(())
    }

    /// Returns how many leads `run` changed by time alone.
    pub fn changed_by_time(&self, run: RunNo, triage: &str) -> Result<ChangedByTime> {
        Ok(self.connection.query_row(
            "SELECT count(*), count(*) FILTER (WHERE l.owner IS NOT NULL AND l.queue <> ?2),
                    count(*) FILTER (WHERE l.queue = ?2)
             FROM lead AS l JOIN decision AS d ON d.lead_no = l.lead_no AND d.run_no = ?1
             WHERE l.changed_run = ?1 AND l.merged_into IS NULL AND d.steps & ?3 <> 0",
            params![run.0, triage, BY_TIME],
            |row| {
                let count = |at: usize| row.get::<_, i64>(at).map(|count| count as u64);
                Ok(ChangedByTime { leads: count(0)?, owned: count(1)?, triage: count(2)? })
            },
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_to_look_at_are_a_range_of_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("leadmill.db")).unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {TO_LOOK_AT}");
        let plan: String = store.connection.query_row(&sql, [7], |row| row.get(3)).unwrap();
        assert!(plan.contains("INDEX lead_by_look (look_ms<?)"), "{plan}");
    }
}
