//! The ledger as people read it: each record with its evidence and the texts that were shown.

use anyhow::{Context as _, Result};
use rusqlite::{Row, params};
use serde::Deserialize;

use super::Teller;
use super::chain::Hash;
use crate::model::consent::{Channel, ConsentState, Grade, Purpose};
use crate::model::ids::{Fingerprint, LeadNo, RunNo, SubmissionNo};
use crate::store::Store;
use crate::store::codec::word;

/// A record of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Position in the ledger.
    pub seq: i64,
    /// Its hash.
    pub hash: Hash,
    /// The run that appended it.
    pub run_no: RunNo,
    /// That run's id.
    pub run: String,
    /// What for.
    pub purpose: Purpose,
    /// Through which channel.
    pub channel: Channel,
    /// What was answered.
    pub state: ConsentState,
    /// When, milliseconds since 1970 UTC.
    pub event_ms: i64,
    /// Whether the source told when.
    pub is_dated: bool,
    /// How it was expressed.
    pub mechanism: String,
    /// How well it can be proven.
    pub grade: Grade,
    /// The text that was shown, and its SHA-256; `None` once it is erased.
    pub wording: Option<(String, Hash)>,
    /// The policy that was shown.
    pub policy: Option<String>,
    /// What is about the person; `None` once it is erased.
    pub evidence: Option<Evidence>,
    /// `undone` or `erased` and the run, where a later record ended it.
    pub ended: Option<(String, RunNo)>,
}

/// The payload of a record, read back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Evidence {
    /// The address or number that it is for.
    pub address: Option<String>,
    /// The answer as received, where it is not the wording.
    pub answer: Option<String>,
    /// The form's name or id.
    pub form: Option<String>,
    /// The IP address that it was sent from.
    pub ip: Option<String>,
    /// The page that the form stood on.
    pub page: Option<String>,
    /// `file:line` of the row.
    pub place: String,
    /// The program that it was sent with.
    pub user_agent: Option<String>,
}

/// A text that was shown, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its SHA-256.
    pub sha256: Hash,
    /// What it says.
    pub text: String,
    /// Records that name it as their wording or policy.
    pub records: u64,
    /// The earliest of them, milliseconds since 1970 UTC.
    pub first_ms: Option<i64>,
}

/// Something that reached out to a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Founding row of the lead at that time.
    pub founder: Fingerprint,
    /// The row's number, where it is still there.
    pub submission: SubmissionNo,
    /// Id of the plan.
    pub plan: String,
    /// Id of its step.
    pub step: String,
    /// The run that handed it out.
    pub run_no: RunNo,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Whether it is a task by hand instead of what the step says.
    pub is_by_hand: bool,
}

const KEPT: &str =
    "SELECT c.seq, c.hash, c.run_no, r.id, c.purpose, c.channel, c.state, c.event_ms, c.is_dated,
        c.mechanism, c.grade, w.text, w.sha256, o.text, p.payload, e.state, e.run_no
    FROM consent_record AS c JOIN run AS r USING (run_no)
    LEFT JOIN wording AS w ON w.wording_no = c.wording_no
    LEFT JOIN wording AS o ON o.wording_no = c.policy_no
    LEFT JOIN consent_payload AS p ON p.seq = c.seq
    LEFT JOIN consent_record AS e
        ON e.seq = (SELECT min(seq) FROM consent_record AS later WHERE later.supersedes = c.seq)";

impl Store {
    /// Returns what `denier` told, in order.
    pub fn consents_told_by(&self, by: Teller) -> Result<Vec<Kept>> {
        let (column, no) = match by {
            Teller::Submission(no) => ("submission_no", no.0),
            Teller::Touch(no) => ("touch_no", no),
        };
        let sql = format!(
            "{KEPT} WHERE c.{column} = ?1 AND c.state NOT IN ('undone', 'erased') ORDER BY c.seq"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([no])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read_kept(row).context("a record of the consent ledger is not readable")?);
        }
        Ok(found)
    }

    /// Returns the numbers of the leads that there are, in order.
    pub fn lead_numbers(&self) -> Result<Vec<LeadNo>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT lead_no FROM lead WHERE merged_into IS NULL ORDER BY lead_no",
        )?;
        let rows = statement.query_map([], |row| row.get(0).map(LeadNo))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the texts that were shown, or whose SHA-256 begins with the hexadecimal digits `begins`; those shown
    /// most often first.
    pub fn notices(&self, begins: &str) -> Result<Vec<Notice>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT w.sha256, w.text, count(c.seq), min(c.event_ms)
             FROM wording AS w LEFT JOIN consent_record AS c
                 ON (c.wording_no = w.wording_no OR c.policy_no = w.wording_no)
                AND c.state NOT IN ('undone', 'erased')
             WHERE substr(lower(hex(w.sha256)), 1, length(?1)) = ?1
             GROUP BY w.wording_no ORDER BY 3 DESC, 4, 1",
        )?;
        let rows = statement.query_map([begins], |row| {
            Ok(Notice {
                sha256: row.get(0)?,
                text: row.get(1)?,
                records: row.get::<_, i64>(2)? as u64,
                first_ms: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Hands what was handed out to people and concerns rows that are there to `visit`, the earliest first.
    pub fn each_reached(&self, mut visit: impl FnMut(Reached) -> Result<()>) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT h.founder, s.no, h.plan, h.step, h.run_no, h.at_ms, coalesce(t.channel, '') = 'task'
             FROM handed_out AS h JOIN seen AS s ON s.fingerprint = h.founder AND s.kind = 's'
             LEFT JOIN membership AS m ON m.submission_no = s.no
             LEFT JOIN task AS t ON (t.lead_no, t.plan, t.step, t.cycle) = (m.lead_no, h.plan, h.step, h.cycle)
             ORDER BY h.run_no, h.founder, h.plan, h.step, h.cycle, h.put_off",
        )?;
        let mut rows = statement.query(params![])?;
        while let Some(row) = rows.next()? {
            visit(Reached {
                founder: Fingerprint(row.get(0)?),
                submission: SubmissionNo(row.get(1)?),
                plan: row.get(2)?,
                step: row.get(3)?,
                run_no: RunNo(row.get(4)?),
                at_ms: row.get(5)?,
                is_by_hand: row.get(6)?,
            })?;
        }
        Ok(())
    }
}

fn read_kept(row: &Row<'_>) -> Result<Kept> {
    let text: Option<String> = row.get(11)?;
    let sha256: Option<Hash> = row.get(12)?;
    let ended: Option<String> = row.get(15)?;
    let payload: Option<String> = row.get(14)?;
    Ok(Kept {
        seq: row.get(0)?,
        hash: row.get(1)?,
        run_no: RunNo(row.get(2)?),
        run: row.get(3)?,
        purpose: Purpose::new(row.get_ref(4)?.as_str()?),
        channel: word(Channel::ALL, row.get_ref(5)?.as_str()?)?,
        state: word(ConsentState::ALL, row.get_ref(6)?.as_str()?)?,
        event_ms: row.get(7)?,
        is_dated: row.get(8)?,
        mechanism: row.get(9)?,
        grade: word(Grade::ALL, row.get_ref(10)?.as_str()?)?,
        wording: text.zip(sha256),
        policy: row.get(13)?,
        evidence: payload.map(|payload| serde_json::from_str(&payload)).transpose()?,
        ended: match ended {
            Some(state) => Some((state, RunNo(row.get(16)?))),
            None => None,
        },
    })
}
