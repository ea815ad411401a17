//! Reading for files, lists and reports; every query that feeds output has a total order.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::{Row, params};

use super::points::{read_contributions, read_models};
use super::runs::OF_FOUNDED;
use super::{Store, codec};
use crate::model::decision::{Contribution, Grade, Score, Segment};
use crate::model::field::FieldValues;
use crate::model::ids::{LeadId, LeadNo, RunNo, SubmissionNo};
use crate::model::lead::Lead;
use crate::model::run::RowCounts;
use crate::model::task::{PlannedTask, Task, TaskChannel, TaskKey, TaskState};
use crate::rules::field::FieldCatalog;

/// Which leads to list; `None` means any.
#[derive(Debug, Clone, Default)]
pub struct LeadFilter {
    /// Changed by a later run than this.
    pub changed_after: Option<i64>,
    /// In this segment.
    pub segment: Option<String>,
    /// Of this owner.
    pub owner: Option<String>,
    /// In this queue.
    pub queue: Option<String>,
    /// At most this many.
    pub limit: Option<i64>,
}

/// Which tasks to list; `None` means any.
#[derive(Debug, Clone, Default)]
pub struct TaskFilter {
    /// Of this owner.
    pub owner: Option<String>,
    /// Of leads in this segment.
    pub segment: Option<String>,
    /// Due before this instant.
    pub due_before_ms: Option<i64>,
    /// Due at or after this instant.
    pub due_from_ms: Option<i64>,
    /// Also those that are not open.
    pub any_state: bool,
    /// That were open for the first time after this run.
    pub opened_after: Option<i64>,
    /// That this run handed out and that are open.
    pub handed_out_by: Option<RunNo>,
    /// In order of lead instead of due time: whoever reads the leads beside finds neighbors on one page.
    pub by_lead: bool,
    /// Of the open ones at most this many, those that are due last.
    pub due_last: Option<u64>,
    /// At most this many.
    pub limit: Option<i64>,
}

impl TaskFilter {
    /// Returns where the tasks are found: by the index that goes furthest.
    fn found(&self) -> String {
        if let Some(RunNo(run)) = self.handed_out_by {
            let open = "SELECT * FROM task INDEXED BY task_handed WHERE state = 'open'";
            format!("({open} AND handed_run = {run}) AS t")
        } else if let Some(run) = self.opened_after.filter(|run| *run > 0) {
            format!("(SELECT * FROM task INDEXED BY task_by_opening WHERE opened_run > {run}) AS t")
        } else if let Some(count) = self.due_last {
            format!(
                "(SELECT * FROM task INDEXED BY task_open WHERE state = 'open'
                  ORDER BY due_ms DESC, lead_no DESC, plan DESC, step DESC, cycle DESC LIMIT {count}) AS t"
            )
        } else if self.any_state || self.by_lead {
            "task AS t".to_owned()
        } else {
            "task AS t INDEXED BY task_open".to_owned()
        }
    }
}

/// A submission that joined a lead, with the one it was joined to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinEntry {
    /// The lead.
    pub lead: LeadId,
    /// The submission that joined.
    pub joined_no: SubmissionNo,
    /// Its `file:line`.
    pub joined: String,
    /// When it was sent, milliseconds since 1970 UTC.
    pub submitted_ms: i64,
    /// Its preset.
    pub preset: String,
    /// Its values as JSON.
    pub fields: String,
    /// The submission it shares a key with.
    pub with_no: SubmissionNo,
    /// `file:line` of that one.
    pub with: String,
    /// When that one was sent.
    pub with_submitted_ms: i64,
    /// Preset of that one.
    pub with_preset: String,
    /// Its values as JSON.
    pub with_fields: String,
    /// Number of the key's kind.
    pub kind: crate::identity::keys::KeyKind,
}

/// Figures of one source over one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// Preset.
    pub source: String,
    /// Its rows.
    pub rows: RowCounts,
}

/// How stored leads are read back.
#[derive(Clone, Copy)]
pub struct ReadAs<'a> {
    /// Names and kinds of fields.
    pub catalog: &'a FieldCatalog,
    /// Position of the scoring rule with this id; rules that are gone have none.
    pub rule_no: &'a dyn Fn(&str) -> Option<u16>,
    /// The run for which a lead counts as new.
    pub run: RunNo,
}

/// A lead with its values (its own, or those of its only submission) and its latest decision.
const LEADS: &str = "SELECT l.lead_no, l.id, coalesce(l.fields, s.fields), l.n_submissions, \
            l.first_ms, l.last_ms, l.score, l.segment, l.fit, l.intent, l.behavior, l.quality, \
            l.owner, l.queue, d.reason, l.may_email, l.may_phone, l.founded_run, d.contributions, l.changed_run, l.grade, l.models \
     FROM lead AS l CROSS JOIN submission AS s ON s.submission_no = l.founder_no \
     CROSS JOIN decision AS d ON d.lead_no = l.lead_no AND d.run_no = \
         (SELECT max(run_no) FROM decision AS latest WHERE latest.lead_no = l.lead_no)";

const TASK_COLUMNS: &str = "SELECT t.plan, t.step, t.channel, t.subject, t.due_ms, t.state, b.text, \
            l.id, l.owner, l.queue, l.segment, l.name, l.email, l.phone, t.cycle, t.put_off, t.opened_run, t.lead_no, \
            CASE WHEN t.state = 'done' THEN t.ended_ms END";
const OF_TASK: &str = "CROSS JOIN because AS b ON b.because_no = t.because_no \
     CROSS JOIN lead AS l ON l.lead_no = t.lead_no";

impl Store {
    /// Hands every lead that `filter` lets through to `visit`, in order of number, with the run that
    /// last changed it.
    pub fn each_lead(
        &self,
        filter: &LeadFilter,
        read: ReadAs<'_>,
        mut visit: impl FnMut(Lead, RunNo) -> Result<()>,
    ) -> Result<()> {
        // The range condition is the only one with an index; leave it out when it says nothing.
        let changed = filter.changed_after.filter(|after| *after > 0).map_or(String::new(), |after| {
            format!(
                "AND l.lead_no IN (SELECT lead_no FROM lead INDEXED BY lead_by_change WHERE changed_run > {after})"
            )
        });
        let sql = format!(
            "{LEADS}
             WHERE l.merged_into IS NULL {changed}
               AND (?1 IS NULL OR l.segment = ?1) AND (?2 IS NULL OR l.owner = ?2)
               AND (?3 IS NULL OR l.queue = ?3)
             ORDER BY l.lead_no {}",
            limit(filter.limit)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![filter.segment, filter.owner, filter.queue])?;
        while let Some(row) = rows.next()? {
            visit(read_lead(row, read)?, RunNo(row.get(19)?))?;
        }
        Ok(())
    }

    /// Returns the hot leads with the highest scores, at most `limit`; of equals the smaller id comes first.
    pub fn best_hot_leads(&self, limit: usize) -> Result<Vec<LeadNo>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT lead_no FROM lead INDEXED BY lead_hot WHERE merged_into IS NULL AND segment = 'hot'
             ORDER BY score DESC, id LIMIT ?1",
        )?;
        let rows = statement.query_map([limit as i64], |row| row.get(0).map(LeadNo))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns one lead.
    pub fn lead(&self, lead: LeadNo, read: ReadAs<'_>) -> Result<Lead> {
        let sql = format!("{LEADS} WHERE l.lead_no = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([lead.0])?;
        let row = rows.next()?.ok_or_else(|| anyhow::anyhow!("lead {} is missing", lead.0))?;
        read_lead(row, read)
    }

    /// Returns the values of the lead numbered `lead`.
    pub fn lead_values(&self, lead: LeadNo, catalog: &FieldCatalog) -> Result<FieldValues> {
        let mut statement = self.connection.prepare_cached(
            "SELECT coalesce(l.fields, s.fields)
             FROM lead AS l JOIN submission AS s ON s.submission_no = l.founder_no WHERE l.lead_no = ?1",
        )?;
        let mut rows = statement.query([lead.0])?;
        let row = rows.next()?.ok_or_else(|| anyhow::anyhow!("lead {} is missing", lead.0))?;
        codec::decode_values(row.get_ref(0)?.as_str()?, catalog)
    }

    /// Hands every task that `filter` lets through to `visit`, the earliest due first unless it asks for another order.
    pub fn each_task(
        &self,
        filter: &TaskFilter,
        as_of_ms: i64,
        mut visit: impl FnMut(Task) -> Result<()>,
    ) -> Result<()> {
        let order = if filter.by_lead {
            "t.lead_no, t.due_ms, t.plan, t.step, t.cycle"
        } else {
            "t.due_ms, l.id, t.plan, t.step, t.cycle"
        };
        let (found, state) =
            (filter.found(), if filter.any_state { "" } else { "AND t.state = 'open'" });
        let before =
            filter.due_before_ms.map_or(String::new(), |ms| format!("AND t.due_ms < {ms}"));
        let from = filter.due_from_ms.map_or(String::new(), |ms| format!("AND t.due_ms >= {ms}"));
        let mut statement = self.connection.prepare(&format!(
            "{TASK_COLUMNS} FROM {found} {OF_TASK}
             WHERE l.merged_into IS NULL {state} {before} {from}
               AND (?1 IS NULL OR l.owner = ?1) AND (?2 IS NULL OR l.segment = ?2)
             ORDER BY {order} {}",
            limit(filter.limit)
        ))?;
        let mut rows = statement.query(params![filter.owner, filter.segment])?;
        while let Some(row) = rows.next()? {
            visit(read_task(row, as_of_ms)?)?;
        }
        Ok(())
    }

    /// Returns the tasks of one lead, the earliest due first, in whatever state.
    pub fn tasks_of(&self, lead: LeadNo, as_of_ms: i64) -> Result<Vec<Task>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "{TASK_COLUMNS} FROM task AS t {OF_TASK} WHERE t.lead_no = ?1 ORDER BY t.due_ms, t.plan, t.step, t.cycle"
        ))?;
        let mut rows = statement.query([lead.0])?;
        let mut tasks = Vec::new();
        while let Some(row) = rows.next()? {
            tasks.push(read_task(row, as_of_ms)?);
        }
        Ok(tasks)
    }

    /// Hands the submissions from `first_submission` on that joined another to `visit`.
    pub fn each_join(
        &self,
        first_submission: i64,
        mut visit: impl FnMut(JoinEntry) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT l.id, i.name || ':' || s.line, s.submitted_ms, i.source, s.fields,
                    wi.name || ':' || w.line, w.submitted_ms, wi.source, w.fields, k.kind,
                    k.submission_no, k.with_no
             FROM link AS k
             JOIN submission AS s ON s.submission_no = k.submission_no
             JOIN input AS i ON i.input_no = s.input_no
             JOIN submission AS w ON w.submission_no = k.with_no
             JOIN input AS wi ON wi.input_no = w.input_no
             JOIN membership AS m ON m.submission_no = k.submission_no
             JOIN lead AS l ON l.lead_no = m.lead_no
             WHERE k.submission_no >= ?1 ORDER BY k.submission_no",
        )?;
        let mut rows = statement.query([first_submission])?;
        while let Some(row) = rows.next()? {
            visit(JoinEntry {
                lead: read_id(row, 0)?,
                joined_no: SubmissionNo(row.get(10)?),
                joined: row.get(1)?,
                submitted_ms: row.get(2)?,
                preset: row.get(3)?,
                fields: row.get(4)?,
                with_no: SubmissionNo(row.get(11)?),
                with: row.get(5)?,
                with_submitted_ms: row.get(6)?,
                with_preset: row.get(7)?,
                with_fields: row.get(8)?,
                kind: super::absorb::kind(row.get(9)?)?,
            })?;
        }
        Ok(())
    }

    /// Returns word and count pairs of one run: `held` by reason or `quarantine` by code.
    pub fn counts_by(&self, what: CountBy, run: RunNo) -> Result<Vec<(String, u64)>> {
        let sql = match what {
            CountBy::QuarantineCode => {
                "SELECT q.code, count(*) FROM quarantine AS q JOIN input AS i USING (input_no)
                 WHERE i.run_no = ?1 GROUP BY q.code ORDER BY count(*) DESC, q.code"
            }
            CountBy::HoldReason => {
                "SELECT h.reason, count(*) FROM held AS h JOIN input AS i USING (input_no)
                 WHERE i.run_no = ?1 GROUP BY h.reason ORDER BY count(*) DESC, h.reason"
            }
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([run.0], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)? as u64))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the rows of `run` by source; created and merged are told apart by the leads founded.
    pub fn source_counts(&self, run: RunNo) -> Result<Vec<SourceCounts>> {
        let mut by_source: BTreeMap<String, RowCounts> = BTreeMap::new();
        let mut statement = self.connection.prepare_cached(
            "SELECT source, sum(rows_read), sum(accepted), sum(repeated), sum(quarantined),
                    sum(held), sum(touches), sum(skipped)
             FROM input WHERE run_no = ?1 GROUP BY source ORDER BY source",
        )?;
        let mut rows = statement.query([run.0])?;
        while let Some(row) = rows.next()? {
            let count = |at: usize| row.get::<_, i64>(at).map(|count| count as u64);
            let counts = RowCounts {
                read: count(1)?,
                merged: count(2)?,
                repeated: count(3)?,
                quarantined: count(4)?,
                held: count(5)?,
                touches: count(6)?,
                skipped: count(7)?,
                created: 0,
            };
            by_source.insert(row.get(0)?, counts);
        }
        let mut founded = self.connection.prepare_cached(&format!(
            "SELECT i.source, count(*) {OF_FOUNDED} GROUP BY i.source ORDER BY i.source"
        ))?;
        let mut rows = founded.query([run.0])?;
        while let Some(row) = rows.next()? {
            let source: String = row.get(0)?;
            let created = row.get::<_, i64>(1)? as u64;
            if let Some(counts) = by_source.get_mut(&source) {
                counts.created = created;
                counts.merged -= created;
            }
        }
        Ok(by_source.into_iter().map(|(source, rows)| SourceCounts { source, rows }).collect())
    }

    /// Returns how many leads there are, and how many `run` founded and changed; `triage` is the queue
    /// of leads that no route takes.
    pub fn lead_counts(&self, run: RunNo, triage: &str) -> Result<LeadCounts> {
        Ok(self.connection.query_row(
            "SELECT (SELECT coalesce(sum(leads), 0) FROM lead_total),
                    count(*) FILTER (WHERE founded_run = ?1), count(*),
                    count(*) FILTER (WHERE owner IS NOT NULL AND queue <> ?2),
                    count(*) FILTER (WHERE queue = ?2)
             FROM lead WHERE changed_run = ?1 AND merged_into IS NULL",
            params![run.0, triage],
            |row| {
                let count = |at: usize| row.get::<_, i64>(at).map(|count| count as u64);
                Ok(LeadCounts {
                    total: count(0)?,
                    founded: count(1)?,
                    changed: count(2)?,
                    changed_owned: count(3)?,
                    changed_triage: count(4)?,
                })
            },
        )?)
    }

    /// Returns how many tasks of leads decided by `run` stand in each state, and how many are late.
    pub fn task_counts(&self, run: RunNo, as_of_ms: i64) -> Result<TaskCounts> {
        Ok(self.connection.query_row(
            "SELECT count(*) FILTER (WHERE t.state = 'open'),
                    count(*) FILTER (WHERE t.state = 'open' AND t.due_ms < ?2),
                    count(*) FILTER (WHERE t.state = 'not-allowed'),
                    count(*) FILTER (WHERE t.state = 'too-old')
             FROM lead AS l JOIN task AS t USING (lead_no)
             WHERE l.changed_run = ?1 AND l.merged_into IS NULL",
            params![run.0, as_of_ms],
            |row| {
                let count = |at: usize| row.get::<_, i64>(at).map(|count| count as u64);
                Ok(TaskCounts {
                    open: count(0)?,
                    late: count(1)?,
                    not_allowed: count(2)?,
                    too_old: count(3)?,
                })
            },
        )?)
    }

    /// Returns submissions per preset and campaign among those numbered `first_submission` or higher.
    pub fn submissions_by_source(
        &self,
        first_submission: i64,
    ) -> Result<Vec<(String, String, u64)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT i.source, coalesce(json_extract(s.fields, '$.campaign'), ''), count(*)
             FROM submission AS s INDEXED BY submission_glance JOIN input AS i USING (input_no)
             WHERE s.submission_no >= ?1 GROUP BY 1, 2 ORDER BY 1, 2",
        )?;
        let rows = statement.query_map([first_submission], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)? as u64))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns how many submissions from `first_submission` on are in no lead: broken promises. That every lead has a
    /// queue the table itself sees to.
    pub fn broken_promises(&self, first_submission: i64) -> Result<u64> {
        let broken: i64 = self.connection.query_row(
            "SELECT count(*) FROM submission AS s INDEXED BY submission_glance
             WHERE s.submission_no >= ?1 AND NOT EXISTS
                 (SELECT 1 FROM membership AS m WHERE m.submission_no = s.submission_no)",
            [first_submission],
            |row| row.get(0),
        )?;
        Ok(broken as u64)
    }
}

/// Returns the clause that ends a list, where it has an end. A list that might have one is sorted in a tree of all its
/// rows, which takes many times as long.
fn limit(rows: Option<i64>) -> String {
    rows.map_or(String::new(), |rows| format!("LIMIT {rows}"))
}

/// What [`Store::counts_by`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountBy {
    /// Rows quarantined by the run, by code.
    QuarantineCode,
    /// Rows held by the run, by reason.
    HoldReason,
}

/// How many leads stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeadCounts {
    /// In the store.
    pub total: u64,
    /// Founded by the run.
    pub founded: u64,
    /// Founded or changed by the run.
    pub changed: u64,
    /// Changed ones with an owner.
    pub changed_owned: u64,
    /// Changed ones in triage.
    pub changed_triage: u64,
}

/// How many tasks stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskCounts {
    /// To be done.
    pub open: u64,
    /// Open and past due.
    pub late: u64,
    /// Left out for want of consent or address.
    pub not_allowed: u64,
    /// Left out because the lead is too old.
    pub too_old: u64,
}

fn read_lead(row: &Row<'_>, read: ReadAs<'_>) -> Result<Lead> {
    let segment: String = row.get(7)?;
    let fields: String = row.get(2)?;
    let founded: i64 = row.get(17)?;
    let contributions: Option<String> = row.get(18)?;
    let contributions = read_contributions(contributions.as_deref().unwrap_or("[]"))?
        .into_iter()
        .map(|given| Contribution {
            rule: (read.rule_no)(&given.rule).unwrap_or(u16::MAX),
            group: given.group,
            points: given.points,
            basis: given.basis,
        })
        .collect();
    let grade: Option<String> = row.get(20)?;
    let models: Option<String> = row.get(21)?;
    Ok(Lead {
        no: LeadNo(row.get(0)?),
        id: read_id(row, 1)?,
        values: codec::decode_values(&fields, read.catalog)?,
        n_submissions: row.get(3)?,
        first_submitted_ms: row.get(4)?,
        last_submitted_ms: row.get(5)?,
        score: Score {
            total: row.get(6)?,
            groups: [row.get(8)?, row.get(9)?, row.get(10)?, row.get(11)?],
            contributions,
            segment: codec::word(Segment::ALL, &segment)?,
            grade: grade.map(|grade| codec::word(Grade::ALL, &grade)).transpose()?,
            models: read_models(models.as_deref())?,
        },
        owner: row.get(12)?,
        queue: row.get(13)?,
        routing_reason: row.get(14)?,
        marketing_email_allowed: row.get(15)?,
        marketing_phone_allowed: row.get(16)?,
        is_new: founded == read.run.0,
    })
}

fn read_task(row: &Row<'_>, as_of_ms: i64) -> Result<Task> {
    let channel: String = row.get(2)?;
    let due_ms: i64 = row.get(4)?;
    let state: String = row.get(5)?;
    let state = codec::word(TaskState::ALL, &state)?;
    let lead_id = read_id(row, 7)?;
    let is_late = state == TaskState::Open && due_ms < as_of_ms;
    Ok(Task {
        lead_no: LeadNo(row.get(17)?),
        lead_id,
        planned: PlannedTask {
            key: TaskKey { plan: row.get(0)?, step: row.get(1)?, cycle: row.get(14)? },
            channel: codec::word(TaskChannel::ALL, &channel)?,
            subject: row.get(3)?,
            due_ms,
            put_off: row.get(15)?,
            state,
            because: row.get(6)?,
            done_ms: row.get(18)?,
        },
        owner: row.get(8)?,
        queue: row.get(9)?,
        segment: row.get(10)?,
        lead_name: row.get(11)?,
        email: row.get(12)?,
        phone: row.get(13)?,
        opened_run: row.get(16)?,
        late_minutes: if is_late { (as_of_ms - due_ms) / 60_000 } else { 0 },
    })
}

pub(super) fn read_id(row: &Row<'_>, at: usize) -> Result<LeadId> {
    let text: String = row.get(at)?;
    text.parse().map_err(|_| anyhow::anyhow!("the store holds the unreadable lead id `{text}`"))
}
