//! Leads as they stand, read in order of number, so that a run can decide anew about all of them.

use anyhow::{Context as _, Result};
use rusqlite::{Row, params};

use super::Store;
use crate::model::decision::Assignment;
use crate::model::ids::{LeadId, LeadNo, RunNo, SubmissionNo};
use crate::model::task::{PlannedTask, TaskChannel, TaskKey, TaskState};

/// What a rescore is asked to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RescoreScope {
    /// Only leads last heard of at this instant or later, milliseconds since 1970 UTC.
    pub since_ms: Option<i64>,
    /// Whether leads leave the owners whom the routes would not give them.
    pub reroutes: bool,
}

/// A lead with what was decided about it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingLead {
    /// Number.
    pub no: LeadNo,
    /// Id.
    pub id: LeadId,
    /// Founding submission.
    pub founder: SubmissionNo,
    /// Which submission won which field, as JSON.
    pub provenance: Option<String>,
    /// Contributions of the latest decision as JSON.
    pub contributions: String,
    /// Who has it since the latest decision, and why.
    pub assignment: Assignment,
    /// When it is to be looked at again, milliseconds since 1970 UTC.
    pub look_ms: Option<i64>,
}

const STANDING: &str =
    "SELECT l.lead_no, l.id, l.founder_no, l.provenance, d.contributions, d.route, d.owner,
            d.queue, d.reason, l.look_ms
     FROM lead AS l JOIN decision AS d ON d.lead_no = l.lead_no AND d.run_no =
         (SELECT max(run_no) FROM decision AS last WHERE last.lead_no = l.lead_no)
     WHERE l.merged_into IS NULL";

impl Store {
    /// Keeps what was asked of the rescore `run`.
    pub fn keep_rescore(&self, run: RunNo, scope: RescoreScope) -> Result<()> {
        self.connection.execute(
            "INSERT INTO rescore VALUES (?1, ?2, ?3)",
            params![run.0, scope.since_ms, scope.reroutes],
        )?;
        Ok(())
    }

    /// Returns what was asked of the rescore `run`.
    pub fn rescore_scope(&self, run: RunNo) -> Result<RescoreScope> {
        self.connection
            .query_row("SELECT since_ms, reroutes FROM rescore WHERE run_no = ?1", [run.0], |row| {
                Ok(RescoreScope { since_ms: row.get(0)?, reroutes: row.get(1)? })
            })
            .context("what was asked of a rescore is missing from the store")
    }

    /// Returns at most `limit` leads of `scope` numbered above `after`, in order of number; with
    /// `only_replayed` those at stake in a replay.
    pub fn standing_leads(
        &self,
        scope: RescoreScope,
        after: LeadNo,
        only_replayed: bool,
        limit: usize,
    ) -> Result<Vec<StandingLead>> {
        let at_stake = if only_replayed {
            "AND l.lead_no IN (SELECT lead_no FROM temp.replayed_lead)"
        } else {
            ""
        };
        let mut statement = self.connection.prepare_cached(&format!(
            "{STANDING} AND l.lead_no > ?1 AND l.last_ms >= ?2 {at_stake}
                 ORDER BY l.lead_no LIMIT ?3"
        ))?;
        let since_ms = scope.since_ms.unwrap_or(i64::MIN);
        let mut rows = statement.query(params![after.0, since_ms, limit as i64])?;
        let mut leads = Vec::with_capacity(limit);
        while let Some(row) = rows.next()? {
            leads.push(read_standing(row)?);
        }
        Ok(leads)
    }

    /// Returns `lead`, which stands, with what was decided about it last.
    pub fn standing_lead(&self, lead: LeadNo) -> Result<StandingLead> {
        self.connection
            .prepare_cached(&format!("{STANDING} AND l.lead_no = ?1"))?
            .query_row([lead.0], |row| Ok(read_standing(row)))
            .context("a lead is missing from the store")?
    }

    /// Returns how many leads of `scope` there are.
    pub fn count_standing(&self, scope: RescoreScope) -> Result<u64> {
        let since_ms = scope.since_ms.unwrap_or(i64::MIN);
        let sql = "SELECT count(*) FROM lead WHERE merged_into IS NULL AND last_ms >= ?1";
        let count: i64 = self.connection.query_row(sql, [since_ms], |row| row.get(0))?;
        Ok(count as u64)
    }

    /// Returns the numbers of the submissions of `lead`, in order.
    pub fn member_numbers(&self, lead: LeadNo) -> Result<Vec<SubmissionNo>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT submission_no FROM membership WHERE lead_no = ?1 ORDER BY submission_no",
        )?;
        let rows = statement.query_map([lead.0], |row| row.get(0).map(SubmissionNo))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the tasks of `lead` as they stand once mail that was due before `stale_ms` is left out.
    pub fn standing_tasks(&self, lead: LeadNo, stale_ms: i64) -> Result<Vec<PlannedTask>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT t.plan, t.step, t.cycle, t.channel, t.subject, t.due_ms,
                    CASE WHEN t.state = 'open' AND t.channel IN ('email', 'sms') AND t.due_ms < ?2
                         THEN 'too-old' ELSE t.state END, b.text, t.put_off,
                    CASE WHEN t.state = 'done' THEN t.ended_ms END
             FROM task AS t JOIN because AS b USING (because_no)
             WHERE t.lead_no = ?1 ORDER BY t.plan, t.step, t.cycle",
        )?;
        let mut rows = statement.query([lead.0, stale_ms])?;
        let mut tasks = Vec::new();
        while let Some(row) = rows.next()? {
            tasks.push(PlannedTask {
                key: TaskKey { plan: row.get(0)?, step: row.get(1)?, cycle: row.get(2)? },
                channel: super::codec::word(TaskChannel::ALL, &row.get::<_, String>(3)?)?,
                subject: row.get(4)?,
                due_ms: row.get(5)?,
                state: super::codec::word(TaskState::ALL, &row.get::<_, String>(6)?)?,
                because: row.get(7)?,
                put_off: row.get(8)?,
                done_ms: row.get(9)?,
            });
        }
        Ok(tasks)
    }
}

fn read_standing(row: &Row<'_>) -> Result<StandingLead> {
    let id: String = row.get(1)?;
    Ok(StandingLead {
        no: LeadNo(row.get(0)?),
        id: id.parse().map_err(|_| anyhow::anyhow!("the lead id `{id}` is not readable"))?,
        founder: SubmissionNo(row.get(2)?),
        provenance: row.get(3)?,
        contributions: row.get(4)?,
        assignment: Assignment {
            route: row.get(5)?,
            owner: row.get(6)?,
            queue: row.get(7)?,
            reason: row.get(8)?,
        },
        look_ms: row.get(9)?,
    })
}
