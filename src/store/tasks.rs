//! The task list: what a run puts there, and what was handed out once it was due.

use anyhow::Result;
use rusqlite::params;

use super::Store;
use super::interned::Interned;
use crate::model::ids::{Fingerprint, LeadNo, RunNo};
use crate::model::task::{HandedOut, PlannedTask, TaskKey};

const INSERT_TASK: &str =
    "INSERT INTO task (lead_no, plan, step, cycle, channel, subject, due_ms, state, because_no, run_no,
                       put_off, opened_run, ended_ms)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, CASE WHEN ?8 = 'open' THEN ?10 END, ?12)";
/// The same parameters. No upsert: it would have SQLite copy every page that it touches.
const UPDATE_TASK: &str = "UPDATE OR ROLLBACK task SET
         channel = ?5, subject = ?6, due_ms = ?7, state = ?8, because_no = ?9, expired_run = NULL,
         handed_run = CASE WHEN put_off = ?11 THEN handed_run END, put_off = ?11,
         opened_run = ifnull(opened_run, CASE WHEN ?8 = 'open' THEN ?10 END), ended_ms = ?12
     WHERE lead_no = ?1 AND plan = ?2 AND step = ?3 AND cycle = ?4";
/// Whatever fails takes the whole run back, so that SQLite need not copy the pages of the tasks before.
const SUPERSEDE: &str = "UPDATE OR ROLLBACK task SET state = 'superseded', because_no = ?2,
         ended_ms = (SELECT as_of_ms FROM run WHERE run_no = ?3)
     WHERE lead_no = ?1 AND state = 'open'";

/// Tasks that are handed out together, some 150 bytes each.
const DUE_AT_ONCE: usize = 65_536;

/// A task that is to be handed out.
struct DueTask {
    lead: i64,
    plan: String,
    step: String,
    cycle: i64,
    put_off: i64,
    /// Of the submission that founded the lead.
    founder: Fingerprint,
}

/// Keeps tasks; the sentences already met stay in memory.
#[derive(Debug)]
pub struct TaskBook<'s> {
    store: &'s Store,
    run: RunNo,
    sentences: Interned<String>,
}

impl Store {
    /// Opens the task list for writing.
    pub fn task_book(&self, run: RunNo) -> TaskBook<'_> {
        let sentences = Interned::new(
            "INSERT INTO because (text) VALUES (?1) ON CONFLICT (text) DO NOTHING",
            "SELECT because_no FROM because WHERE text = ?1",
        );
        TaskBook { store: self, run, sentences }
    }
}

impl TaskBook<'_> {
    /// Puts `planned` in the place of the open tasks of `lead`.
    ///
    /// A step that is planned again keeps its row: the same lead and key are one task for ever.
    pub fn write(&mut self, lead: LeadNo, is_new: bool, planned: &[PlannedTask]) -> Result<()> {
        let connection = &self.store.connection;
        if !is_new {
            let because = self.sentence("another plan or a newer enquiry took its place")?;
            connection.prepare_cached(SUPERSEDE)?.execute([lead.0, because, self.run.0])?;
        }
        for task in planned {
            let because = self.sentence(&task.because)?;
            let values = params![
                lead.0,
                task.key.plan,
                task.key.step,
                task.key.cycle,
                task.channel.word(),
                task.subject,
                task.due_ms,
                task.state.word(),
                because,
                self.run.0,
                task.put_off,
                task.done_ms
            ];
            let is_known = !is_new && connection.prepare_cached(UPDATE_TASK)?.execute(values)? > 0;
            if !is_known {
                connection.prepare_cached(INSERT_TASK)?.execute(values)?;
            }
        }
        Ok(())
    }

    /// Leaves out open mails and messages that were due before `due_before_ms`: nobody sent them in
    /// time, and now they would only puzzle people. With `only_replayed` those of other leads stay.
    pub fn expire_mail(&mut self, due_before_ms: i64, only_replayed: bool) -> Result<()> {
        let because = self.sentence("it was not sent while it was fresh")?;
        let sql = "UPDATE task INDEXED BY task_open_mail SET state = 'too-old', because_no = ?2, expired_run = ?3
                   WHERE state = 'open' AND channel IN ('email', 'sms') AND due_ms < ?1";
        let of_replayed = format!("{sql} AND lead_no IN (SELECT lead_no FROM temp.replayed_lead)");
        self.store
            .connection
            .prepare_cached(if only_replayed { &of_replayed } else { sql })?
            .execute([due_before_ms, because, self.run.0])?;
        Ok(())
    }

    /// Ends the open tasks of a lead that was merged into another.
    pub fn end(&mut self, lead: LeadNo) -> Result<()> {
        let because = self.sentence("the lead was merged into another")?;
        self.store.connection.prepare_cached(SUPERSEDE)?.execute([lead.0, because, self.run.0])?;
        Ok(())
    }

    fn sentence(&mut self, text: &str) -> Result<i64> {
        self.sentences.number(&self.store.connection, text, |text| Ok(text.to_owned()))
    }
}

impl Store {
    /// Returns whether a run before `run` handed out anything.
    pub fn has_handed_out(&self, run: RunNo) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM handed_out INDEXED BY handed_out_by_run WHERE run_no < ?1)";
        Ok(self.connection.prepare_cached(sql)?.query_row([run.0], |row| row.get(0))?)
    }

    /// Returns what runs before `run` handed out of the tasks of leads that these submissions founded.
    pub fn handed_out(
        &self,
        founders: impl Iterator<Item = Fingerprint>,
        run: RunNo,
    ) -> Result<Vec<HandedOut>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT plan, step, cycle, at_ms FROM handed_out WHERE founder = ?1 AND run_no < ?2",
        )?;
        let mut found = Vec::new();
        for founder in founders {
            let rows = statement.query_map(params![founder.0, run.0], |row| {
                let key = TaskKey { plan: row.get(0)?, step: row.get(1)?, cycle: row.get(2)? };
                Ok(HandedOut { key, at_ms: row.get(3)? })
            })?;
            for row in rows {
                found.push(row?);
            }
        }
        Ok(found)
    }

    /// Hands out, as `run`, the open tasks that are due by `as_of_ms` and that no run has handed out yet; returns how
    /// many.
    pub fn hand_out(&self, run: RunNo, as_of_ms: i64) -> Result<u64> {
        // In order of lead, so that neighbors are read together; they are all found before the first is marked.
        let mut due = self.connection.prepare_cached(
            "WITH due AS MATERIALIZED (
                 SELECT lead_no, plan, step, cycle, put_off FROM task INDEXED BY task_to_hand_out
                 WHERE state = 'open' AND handed_run IS NULL AND due_ms <= ?1
                 ORDER BY lead_no, plan, step, cycle)
             SELECT d.lead_no, d.plan, d.step, d.cycle, d.put_off, s.fingerprint
             FROM due AS d CROSS JOIN lead AS l ON l.lead_no = d.lead_no
             CROSS JOIN submission AS s INDEXED BY submission_glance ON s.submission_no = l.founder_no
             WHERE l.merged_into IS NULL",
        )?;
        let mut handed = 0;
        let mut rows = due.query([as_of_ms])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(DueTask {
                lead: row.get(0)?,
                plan: row.get(1)?,
                step: row.get(2)?,
                cycle: row.get(3)?,
                put_off: row.get(4)?,
                founder: Fingerprint(row.get(5)?),
            });
            if found.len() == DUE_AT_ONCE {
                handed += self.hand_out_those(&mut found, run, as_of_ms)?;
            }
        }
        Ok(handed + self.hand_out_those(&mut found, run, as_of_ms)?)
    }

    /// Hands out the tasks `due`, which are taken out of it; returns how many.
    fn hand_out_those(&self, due: &mut Vec<DueTask>, run: RunNo, as_of_ms: i64) -> Result<u64> {
        let mut keep = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO handed_out VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        let mut mark = self.connection.prepare_cached(
            "UPDATE task SET handed_run = ?5
             WHERE lead_no = ?1 AND plan = ?2 AND step = ?3 AND cycle = ?4",
        )?;
        // Each is kept and marked in the order of the table: neighbors share a page.
        due.sort_unstable_by_key(|task| task.founder);
        let mut handed = Vec::with_capacity(due.len());
        for task in due.drain(..) {
            let DueTask { founder, plan, step, cycle, put_off, .. } = &task;
            let given = params![founder.0, plan, step, cycle, put_off, run.0, as_of_ms];
            // What was handed out before, in a run that is gone, is not handed out again.
            if keep.execute(given)? > 0 {
                handed.push(task);
            }
        }
        handed.sort_unstable_by_key(|task| task.lead);
        for DueTask { lead, plan, step, cycle, .. } in &handed {
            mark.execute(params![lead, plan, step, cycle, run.0])?;
        }
        Ok(handed.len() as u64)
    }

    /// Marks what `run` handed out when it decided for the first time, of the leads at stake.
    pub fn hand_out_again(&self, run: RunNo) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE task SET handed_run = ?1
                 FROM (SELECT t.lead_no, t.plan, t.step, t.cycle
                       FROM handed_out AS h INDEXED BY handed_out_by_run
                       JOIN seen AS s ON s.fingerprint = h.founder AND s.kind = 's'
                       JOIN membership AS m ON m.submission_no = s.no
                       JOIN lead AS l ON l.lead_no = m.lead_no AND l.founder_no = s.no
                       JOIN task AS t ON (t.lead_no, t.plan, t.step, t.cycle) = (l.lead_no, h.plan, h.step, h.cycle)
                       WHERE h.run_no = ?1 AND t.put_off = h.put_off AND t.state = 'open' AND l.merged_into IS NULL
                         AND t.lead_no IN (SELECT lead_no FROM temp.replayed_lead)) AS due
                 WHERE (task.lead_no, task.plan, task.step, task.cycle)
                     = (due.lead_no, due.plan, due.step, due.cycle)",
            )?
            .execute([run.0])?;
        Ok(())
    }

    /// Forgets which tasks `run` handed out, for it goes; that they were handed out stays a fact.
    pub fn forget_handing_out(&self, run: RunNo) -> Result<()> {
        self.connection
            .execute("UPDATE task SET handed_run = NULL WHERE handed_run = ?1", [run.0])?;
        Ok(())
    }
}
