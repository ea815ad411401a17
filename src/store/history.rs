//! Reading the history of one lead.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::OptionalExtension as _;

use super::Store;
use super::points::{GivenPoints, read_contributions, read_models};
use crate::identity::keys::KeyKind;
use crate::model::decision::ModelScores;
use crate::model::ids::{LeadNo, SubmissionNo};
use crate::rules::routing::{ESCALATED, REASSIGNED, STICKY};

/// One decision about a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionEntry {
    /// The run.
    pub run: String,
    /// When it counted as now, milliseconds since 1970 UTC.
    pub as_of_ms: i64,
    /// Hash of the rules that decided.
    pub rules_hash: String,
    /// Total score.
    pub score: i64,
    /// Segment word.
    pub segment: String,
    /// Grade word; `None` without a matrix.
    pub grade: Option<String>,
    /// What the scoring models said, the one that decided first.
    pub models: ModelScores,
    /// What each rule gave.
    pub contributions: Vec<GivenPoints>,
    /// Owner's id.
    pub owner: Option<String>,
    /// Queue's id.
    pub queue: String,
    /// One line that says why.
    pub reason: String,
    /// Id of the route that decided.
    pub route: String,
    /// Ids of the routes above it: they did not match, or let the lead pass because nobody could take it.
    pub tried: Vec<String>,
}

/// A decision at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionGlance<'a> {
    /// When it counted as now, milliseconds since 1970 UTC.
    pub as_of_ms: i64,
    /// Contributions as JSON.
    pub contributions: &'a str,
    /// Id of the route that decided.
    pub route: &'a str,
    /// Whether it is the latest about its lead.
    pub is_latest: bool,
}

/// One event of a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventEntry {
    /// Stable id.
    pub id: String,
    /// The run.
    pub run: String,
    /// Step of the chain.
    pub step: String,
    /// `done` or `pending`.
    pub status: String,
}

impl Store {
    /// Returns the submission that `submission` is joined with; none for the first of a lead.
    pub fn joined_with(&self, submission: SubmissionNo) -> Result<Option<SubmissionNo>> {
        Ok(self
            .connection
            .prepare_cached("SELECT with_no FROM link WHERE submission_no = ?1")?
            .query_row([submission.0], |row| row.get(0))
            .optional()?
            .map(SubmissionNo))
    }

    /// Returns every id that was given out for `lead`, in order.
    pub fn ids_of(&self, lead: LeadNo) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM lead_alias WHERE lead_no = ?1 AND id IN
                 (SELECT id FROM lead WHERE lead_no = ?1 OR merged_into = ?1)
             ORDER BY id",
        )?;
        let rows = statement.query_map([lead.0], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns which submission won each field of `lead`; `*` stands for all fields not named, and the
    /// map is empty when there is only one submission.
    pub fn winners_of(&self, lead: LeadNo) -> Result<BTreeMap<String, SubmissionNo>> {
        let text: Option<String> = self
            .connection
            .prepare_cached("SELECT provenance FROM lead WHERE lead_no = ?1")?
            .query_row([lead.0], |row| row.get(0))?;
        let map: BTreeMap<String, i64> = match text {
            Some(text) => serde_json::from_str(&text)?,
            None => BTreeMap::new(),
        };
        Ok(map.into_iter().map(|(field, no)| (field, SubmissionNo(no))).collect())
    }

    /// Returns what joined `submission` to another of its lead: the key's kind and `file:line`.
    pub fn link_of(&self, submission: SubmissionNo) -> Result<Option<(KeyKind, String)>> {
        let found: Option<(i64, String)> = self
            .connection
            .prepare_cached(
                "SELECT k.kind, i.name || ':' || s.line FROM link AS k
                 JOIN submission AS s ON s.submission_no = k.with_no JOIN input AS i USING (input_no)
                 WHERE k.submission_no = ?1",
            )?
            .query_row([submission.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        found.map(|(kind, with)| Ok((super::absorb::kind(kind)?, with))).transpose()
    }

    /// Returns code and message of the notices on `submission`.
    pub fn notices_of(&self, submission: SubmissionNo) -> Result<Vec<(String, String)>> {
        let text: Option<String> = self
            .connection
            .prepare_cached("SELECT notices FROM submission WHERE submission_no = ?1")?
            .query_row([submission.0], |row| row.get(0))?;
        let list: Vec<serde_json::Value> = match text {
            Some(text) => serde_json::from_str(&text)?,
            None => Vec::new(),
        };
        let word = |one: &serde_json::Value, key: &str| {
            one.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
        };
        Ok(list.iter().map(|one| (word(one, "code"), word(one, "message"))).collect())
    }

    /// Returns the decisions about `lead`, the latest first.
    pub fn decisions_of(&self, lead: LeadNo) -> Result<Vec<DecisionEntry>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT r.id, r.as_of_ms, r.rules_hash, d.score, d.segment, d.contributions, d.owner,
                    d.queue, d.reason, d.route, s.routes, d.grade, d.models
             FROM decision AS d JOIN run AS r USING (run_no)
             LEFT JOIN rule_set AS s ON s.hash = r.rules_hash
             WHERE d.lead_no = ?1 ORDER BY d.run_no DESC",
        )?;
        let mut rows = statement.query([lead.0])?;
        let mut decisions = Vec::new();
        while let Some(row) = rows.next()? {
            let contributions: String = row.get(5)?;
            let route: String = row.get(9)?;
            let routes: Option<String> = row.get(10)?;
            let routes: Vec<String> = serde_json::from_str(routes.as_deref().unwrap_or("[]"))?;
            decisions.push(DecisionEntry {
                run: row.get(0)?,
                as_of_ms: row.get(1)?,
                rules_hash: row.get(2)?,
                score: row.get(3)?,
                segment: row.get(4)?,
                grade: row.get(11)?,
                models: read_models(row.get::<_, Option<String>>(12)?.as_deref())?,
                contributions: read_contributions(&contributions)?,
                owner: row.get(6)?,
                queue: row.get(7)?,
                reason: row.get(8)?,
                route: route.clone(),
                tried: tried(routes, &route),
            });
        }
        Ok(decisions)
    }

    /// Returns whether any row was received with what a CRM said of the person. Looks at all rows where none was.
    pub fn has_crm_status(&self) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM submission WHERE fields LIKE '%\"crm-status\"%')";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// Hands every decision about the leads that there are to `visit`, in order of lead and run.
    pub fn each_decision(
        &self,
        mut visit: impl FnMut(DecisionGlance<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT r.as_of_ms, d.contributions, d.route,
                    lead(d.lead_no) OVER (ORDER BY d.lead_no, d.run_no) IS NOT d.lead_no
             FROM decision AS d
             JOIN lead AS l ON l.lead_no = d.lead_no AND l.merged_into IS NULL
             JOIN run AS r ON r.run_no = d.run_no
             ORDER BY d.lead_no, d.run_no",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(DecisionGlance {
                as_of_ms: row.get(0)?,
                contributions: row.get_ref(1)?.as_str()?,
                route: row.get_ref(2)?.as_str()?,
                is_latest: row.get(3)?,
            })?;
        }
        Ok(())
    }

    /// Returns the leads that were ever given the identifier `value`, in order of number; looks at every
    /// submission.
    pub fn leads_once_called(&self, value: &str) -> Result<Vec<LeadNo>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT lead_no FROM identifiers
             WHERE value = ?1 OR (kind = 'email' AND lower(value) = lower(?1)) ORDER BY lead_no",
        )?;
        let rows = statement.query_map([value], |row| row.get(0).map(LeadNo))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the events of `lead`, in order of run and step.
    pub fn events_of(&self, lead: LeadNo) -> Result<Vec<EventEntry>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT event_id, run, step, status FROM events WHERE lead_no = ?1
             ORDER BY run, instr('received validated deduplicated scored routed followup-scheduled sent',
                                 step), event_id",
        )?;
        let rows = statement.query_map([lead.0], |row| {
            Ok(EventEntry {
                id: row.get(0)?,
                run: row.get(1)?,
                step: row.get(2)?,
                status: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// Returns the routes above the one that decided; a returning lead that keeps its owner was not asked, and a lead in
/// triage went past all of them.
fn tried(mut routes: Vec<String>, route: &str) -> Vec<String> {
    match routes.iter().position(|known| known == route) {
        Some(at) => routes.truncate(at),
        None if [STICKY, REASSIGNED, ESCALATED].contains(&route) => routes.clear(),
        None => {}
    }
    routes
}
