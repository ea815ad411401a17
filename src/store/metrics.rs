//! What reports about enquiries are made of: submissions lead by lead, what the sales side did, promises, rows.
//!
//! Each is one pass in a fixed order, handed out row by row, so that a report over a million leads holds only what
//! it counts.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::Store;
use super::codec::word;
use super::touches::{KeptTouch, read_touch};
use crate::model::ids::{LeadNo, SubmissionNo};
use crate::model::metric::By;
use crate::model::moment::Certainty;
use crate::model::task::TaskChannel;

/// Kinds of touches that are activity: what the sales side did and what came of it.
pub const ACTIVITY: &[&str] =
    &["call", "contacted", "meeting-booked", "meeting-held", "no-show", "won", "lost"];

/// A text of a submission or of its lead that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// One of those by which figures are split; those that follow from the time are empty.
    By(By),
    /// Channel the enquiry came by, canonical.
    Channel,
    /// Status that the CRM named.
    CrmStatus,
    /// `1` when something was promised to the lead that may be done, else empty.
    HasTask,
    /// `file:line`.
    Place,
    /// The lead's id.
    LeadId,
}

impl Key {
    /// Returns the expression over `l` (lead), `s` (submission) and `i` (its input).
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::By(By::Source) => "i.source",
            Self::By(By::Campaign) => "json_extract(s.fields, '$.campaign')",
            Self::By(By::Form) => {
                "coalesce(json_extract(s.fields, '$.\"form-name\"'), json_extract(s.fields, '$.\"form-id\"'))"
            }
            Self::By(By::Owner) => "l.owner",
            Self::By(By::Queue) => "l.queue",
            Self::By(By::Segment) => "l.segment",
            Self::By(By::Country) => {
                "json_extract(coalesce(l.fields, (SELECT f.fields FROM submission AS f \
                               WHERE f.submission_no = l.founder_no)), '$.country')"
            }
            Self::By(By::Day | By::Week | By::Month) => "''",
            Self::Channel => "json_extract(s.fields, '$.source')",
            Self::CrmStatus => {
                "CASE WHEN json_extract(s.fields, '$.\"is-customer\"') = 'true' THEN 'customer' \
                 ELSE json_extract(s.fields, '$.\"crm-status\"') END"
            }
            Self::HasTask => {
                "CASE WHEN EXISTS (SELECT 1 FROM task AS t WHERE t.lead_no = l.lead_no \
                      AND t.state NOT IN ('not-allowed', 'too-old', 'not-needed')) THEN '1' END"
            }
            Self::Place => "i.name || ':' || s.line",
            Self::LeadId => "l.id",
        }
    }
}

/// A submission with the lead it is in.
#[derive(Clone, Copy)]
pub struct SubmissionGlance<'r> {
    /// The lead.
    pub lead: LeadNo,
    /// Its number.
    pub no: SubmissionNo,
    /// When it was sent, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// How sure that is.
    pub certainty: Certainty,
    /// Whether somebody asked for something; else a list only says that they are there.
    pub is_enquiry: bool,
    row: &'r Row<'r>,
    /// Column of the first key.
    first_key: usize,
}

impl SubmissionGlance<'_> {
    /// Returns the text at `position` of the keys that were asked for; empty when there is none.
    pub fn key(&self, position: usize) -> Result<&str> {
        Ok(match self.row.get_ref(self.first_key + position)? {
            ValueRef::Null => "",
            text => text.as_str()?,
        })
    }

    /// Returns the same for who asked for the keys behind the first `keys`.
    #[must_use]
    pub fn behind(self, keys: usize) -> Self {
        Self { first_key: self.first_key + keys, ..self }
    }
}

const OWN_COLUMNS: usize = 5;

/// Every certainty by its number.
const CERTAINTIES: [Certainty; 5] = [
    Certainty::Exact,
    Certainty::ZoneAssumed,
    Certainty::DateOnly,
    Certainty::Received,
    Certainty::ClockChange,
];

/// A promise that somebody acts by a certain time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// The lead.
    pub lead: LeadNo,
    /// Plan's id.
    pub plan: String,
    /// Step's id.
    pub step: String,
    /// When it is due, milliseconds since 1970 UTC.
    pub due_ms: i64,
    /// Word of where it stands.
    pub state: String,
    /// When it was done or gave way to another plan, milliseconds since 1970 UTC.
    pub ended_ms: Option<i64>,
}

/// What became of an input's rows but those that were accepted, which are submissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputRows {
    /// Preset.
    pub source: String,
    /// As-of of the run that received them, milliseconds since 1970 UTC.
    pub received_ms: i64,
    /// Had been seen before.
    pub repeated: u64,
    /// Reported a touch.
    pub touches: u64,
    /// Were no records.
    pub skipped: u64,
    /// Were accepted and say who is there: no enquiries.
    pub contacts: u64,
    /// Quarantined rows by code.
    pub quarantined: Vec<(String, u64)>,
    /// Held rows by reason.
    pub held: Vec<(String, u64)>,
}

/// Rows of submissions that were received again, 24 bytes each.
#[derive(Debug, Clone, Default)]
pub struct Resubmissions {
    names: BTreeMap<i64, String>,
    rows: Vec<(SubmissionNo, i64, u32)>,
}

impl Resubmissions {
    fn of(&self, submission: SubmissionNo) -> &[(SubmissionNo, i64, u32)] {
        let own = &self.rows[self.rows.partition_point(|(no, ..)| *no < submission)..];
        &own[..own.partition_point(|(no, ..)| *no == submission)]
    }

    /// Returns how often the row of `submission` was received again.
    pub fn count(&self, submission: SubmissionNo) -> u64 {
        self.of(submission).len() as u64
    }

    /// Returns `file:line` of each time that it was.
    pub fn places(&self, submission: SubmissionNo) -> impl Iterator<Item = String> + '_ {
        let name = |input| self.names.get(input).map_or("", String::as_str);
        self.of(submission).iter().map(move |(_, input, line)| format!("{}:{line}", name(input)))
    }
}

impl Store {
    /// Hands every submission of the leads last heard of at `since_ms` or later to `visit`, with `keys`: in order of
    /// lead, then of time, then of fingerprint.
    pub fn each_submission_by_lead(
        &self,
        keys: &[Key],
        since_ms: Option<i64>,
        mut visit: impl FnMut(SubmissionGlance<'_>) -> Result<()>,
    ) -> Result<()> {
        let texts: String = keys.iter().flat_map(|key| [", ", key.sql()]).collect();
        let heard = match since_ms {
            Some(since_ms) => {
                self.find_heard_since(since_ms)?;
                "temp.heard AS h CROSS JOIN"
            }
            None => "",
        };
        let is_heard = since_ms.map_or("", |_| "AND l.lead_no = h.lead_no");
        // Most of what is asked stands in indexes; all of it is read in order of lead, so that neighbors share pages.
        let mut statement = self.connection.prepare(&format!(
            "SELECT l.lead_no, s.submission_no, s.submitted_ms, s.certainty, i.tells_contacts{texts}
             FROM {heard} lead AS l INDEXED BY lead_glance
             CROSS JOIN membership AS m ON m.lead_no = l.lead_no
             CROSS JOIN submission AS s INDEXED BY submission_glance ON s.submission_no = m.submission_no
             CROSS JOIN input AS i ON i.input_no = s.input_no
             WHERE l.merged_into IS NULL {is_heard}
             ORDER BY l.lead_no, s.submitted_ms, s.fingerprint"
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(SubmissionGlance {
                lead: LeadNo(row.get(0)?),
                no: SubmissionNo(row.get(1)?),
                at_ms: row.get(2)?,
                certainty: CERTAINTIES
                    [usize::from(row.get::<_, u8>(3)?).min(CERTAINTIES.len() - 1)],
                is_enquiry: !row.get::<_, bool>(4)?,
                row,
                first_key: OWN_COLUMNS,
            })?;
        }
        Ok(())
    }

    /// Finds the leads last heard of at `since_ms` or later: `temp.heard`, in their order.
    fn find_heard_since(&self, since_ms: i64) -> Result<()> {
        self.connection.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS heard (lead_no INTEGER PRIMARY KEY);
             DELETE FROM temp.heard;",
        )?;
        self.connection.execute(
            "INSERT INTO temp.heard SELECT lead_no FROM lead INDEXED BY lead_by_last
             WHERE merged_into IS NULL AND last_ms >= ?1 ORDER BY lead_no",
            [since_ms],
        )?;
        Ok(())
    }

    /// Returns whether the store knows of any activity of the sales side.
    pub fn has_activity(&self) -> Result<bool> {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM touch WHERE {})", is_activity());
        Ok(self.connection.query_row(&sql, [], |row| row.get(0))?)
    }

    /// Hands what the sales side did up to `as_of_ms` to `visit`, in order of number.
    pub fn each_activity(
        &self,
        as_of_ms: i64,
        mut visit: impl FnMut(KeptTouch) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare(&format!(
            "SELECT t.touch_no, t.at_ms, t.kind, t.detail, t.identities, i.source, t.amount, t.currency
             FROM touch AS t JOIN input AS i ON i.input_no = t.input_no
             WHERE {} AND t.at_ms <= ?1 ORDER BY t.touch_no",
            is_activity()
        ))?;
        let mut rows = statement.query([as_of_ms])?;
        while let Some(row) = rows.next()? {
            visit(read_touch(row)?)?;
        }
        Ok(())
    }

    /// Hands the calls and the tasks that were promised to `visit`, in order of lead, plan and step.
    pub fn each_promise(&self, mut visit: impl FnMut(Promise) -> Result<()>) -> Result<()> {
        let mut statement = self.connection.prepare(
            "SELECT t.lead_no, t.plan, t.step, t.channel, t.due_ms, t.state, t.ended_ms FROM task AS t
             ORDER BY t.lead_no, t.plan, t.step",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let channel = word(TaskChannel::ALL, row.get_ref(3)?.as_str()?)?;
            if !matches!(channel, TaskChannel::Call | TaskChannel::Task) {
                continue;
            }
            visit(Promise {
                lead: LeadNo(row.get(0)?),
                plan: row.get(1)?,
                step: row.get(2)?,
                due_ms: row.get(4)?,
                state: row.get(5)?,
                ended_ms: row.get(6)?,
            })?;
        }
        Ok(())
    }

    /// Returns the rows of submissions that were received again.
    pub fn resubmissions(&self) -> Result<Resubmissions> {
        let mut names = self.connection.prepare("SELECT input_no, name FROM input")?;
        let names = names.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let names = names.collect::<rusqlite::Result<_>>()?;
        let mut rows = self.connection.prepare(
            "SELECT no, input_no, line FROM repeat WHERE kind = 's' ORDER BY no, input_no, record",
        )?;
        let rows =
            rows.query_map([], |row| Ok((SubmissionNo(row.get(0)?), row.get(1)?, row.get(2)?)))?;
        Ok(Resubmissions { names, rows: rows.collect::<rusqlite::Result<_>>()? })
    }

    /// Returns what became of the rows of every input, in order of number.
    pub fn input_rows(&self) -> Result<Vec<InputRows>> {
        let counts = |table: &str, word: &str| -> Result<Vec<(i64, String, u64)>> {
            let mut statement = self.connection.prepare(&format!(
                "SELECT input_no, {word}, count(*) FROM {table} GROUP BY 1, 2 ORDER BY 1, 2"
            ))?;
            let rows = statement.query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)? as u64))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        let (quarantined, held) = (counts("quarantine", "code")?, counts("held", "reason")?);
        // What an input counts by itself (touches, contacts) is counted there.
        let erased = counts(
            "erased_row JOIN input USING (input_no)
             WHERE kind IN ('q', 'h') OR (kind = 's' AND NOT tells_contacts)",
            "'erased'",
        )?;
        let of = |all: &[(i64, String, u64)], input: i64| -> Vec<(String, u64)> {
            let from = all.partition_point(|(no, _, _)| *no < input);
            let own = all[from..].iter().take_while(|(no, _, _)| *no == input);
            own.map(|(_, word, count)| (word.clone(), *count)).collect()
        };
        let mut statement = self.connection.prepare(
            "SELECT i.input_no, i.source, r.as_of_ms, i.repeated, i.touches, i.skipped,
                    iif(i.tells_contacts, i.accepted, 0)
             FROM input AS i JOIN run AS r USING (run_no)
             WHERE r.undone_by IS NULL AND r.kind <> 'tick' ORDER BY i.input_no",
        )?;
        let rows = statement.query_map([], |row| {
            let count = |at: usize| row.get::<_, i64>(at).map(|count| count as u64);
            let input = row.get(0)?;
            Ok(InputRows {
                source: row.get(1)?,
                received_ms: row.get(2)?,
                repeated: count(3)?,
                touches: count(4)?,
                skipped: count(5)?,
                contacts: count(6)?,
                quarantined: of(&quarantined, input),
                held: [of(&held, input), of(&erased, input)].concat(),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// Returns the condition under which the index of activity is used.
pub(super) fn is_activity() -> String {
    format!("kind IN ('{}')", ACTIVITY.join("', '"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::touch::{KINDS, TASK_DONE, TASK_SNOOZED};

    #[test]
    fn activity_is_found_by_its_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("leadmill.db")).unwrap();
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT touch_no, at_ms FROM touch WHERE {} ORDER BY touch_no",
            is_activity()
        );
        let plan: String = store.connection.query_row(&sql, [], |row| row.get(3)).unwrap();
        assert!(plan.contains("touch_of_sales"), "{plan}");
    }

    #[test]
    fn whatever_is_asked_of_submissions_stands_in_the_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("leadmill.db")).unwrap();
        let keys = [Key::By(By::Campaign), Key::By(By::Form), Key::Channel, Key::CrmStatus];
        for key in keys.map(Key::sql).into_iter().chain(["s.line", "s.fingerprint"]) {
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT s.submission_no, s.input_no, s.submitted_ms, s.certainty, {key}
                 FROM membership AS m CROSS JOIN submission AS s INDEXED BY submission_glance
                     ON s.submission_no = m.submission_no"
            );
            let mut plan = store.connection.prepare(&sql).unwrap();
            let steps = plan.query_map([], |row| row.get::<_, String>(3)).unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).collect();
            let is_all = |step: &String| step.contains("COVERING INDEX submission_glance");
            assert!(steps.iter().any(is_all), "{key}: {steps:?}");
        }
    }

    #[test]
    fn certainties_stand_at_their_numbers() {
        for (number, certainty) in CERTAINTIES.into_iter().enumerate() {
            assert_eq!(certainty as usize, number);
        }
    }

    #[test]
    fn activity_is_every_kind_from_call_on_but_what_says_nothing_of_the_lead() {
        let kinds = KINDS.iter().map(|(kind, _)| *kind).skip_while(|kind| *kind != "call");
        let of_leads =
            kinds.filter(|kind| !["owner-changed", TASK_DONE, TASK_SNOOZED].contains(kind));
        assert_eq!(of_leads.collect::<Vec<_>>(), ACTIVITY);
    }
}
