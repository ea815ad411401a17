//! What was decided: leads, decisions, rotation.

use anyhow::{Context as _, Result};
use rusqlite::{OptionalExtension as _, params};

use super::{Store, codec};
use crate::model::consent::ConsentClaim;
use crate::model::ids::{Fingerprint, LeadId, LeadNo, RunNo, SubmissionNo};
use crate::model::moment::Certainty;
use crate::routing::RotationEntry;

/// A lead that is written sets a trigger off, and whatever fails after that takes the whole run back anyway: without `OR
/// ROLLBACK` every page that is touched would be copied first, so that the one lead could be taken back. An upsert takes
/// that copy in any case.
const INSERT_LEAD: &str =
    "INSERT OR ROLLBACK INTO lead VALUES (?1, ?2, NULL, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
         ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)";
/// The same parameters; id and founding stay.
const UPDATE_LEAD: &str = "UPDATE OR ROLLBACK lead SET
         merged_into = NULL, changed_run = ?5, n_submissions = ?6, first_ms = ?7, last_ms = ?8, name = ?9,
         email = ?10, phone = ?11, fields = ?12, provenance = ?13, score = ?14, segment = ?15, fit = ?16,
         intent = ?17, behavior = ?18, quality = ?19, owner = ?20, queue = ?21, may_email = ?22,
         may_phone = ?23, grade = ?24, models = ?25, look_ms = ?26, answers = ?27
     WHERE lead_no = ?1";

/// A submission as evaluation reads it; the JSON is decoded by a worker thread.
#[derive(Debug, Clone)]
pub struct MemberRow {
    /// The submission.
    pub no: SubmissionNo,
    /// When it was sent.
    pub submitted_ms: i64,
    /// When the source last changed its record of it; only contact lists say.
    pub modified_ms: Option<i64>,
    /// As-of of the run that received it first.
    pub received_ms: i64,
    /// What identifies it.
    pub fingerprint: Fingerprint,
    /// Whether the source said when; else the time of receipt stands in.
    pub is_time_known: bool,
    /// Preset of its input.
    pub source: String,
    /// Whether somebody asked for something by it; else it says that somebody is known.
    pub is_enquiry: bool,
    /// `file:line` it came from.
    pub evidence: String,
    /// Values as JSON.
    pub fields: String,
    /// Consent claims as JSON.
    pub consents: Option<String>,
}

impl MemberRow {
    /// Returns when what the row says came about: when it was sent or, of a contact list, last changed.
    pub fn changed_ms(&self) -> i64 {
        self.modified_ms.map_or(self.submitted_ms, |at_ms| at_ms.max(self.submitted_ms))
    }
}

/// What the store knew of a lead before this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousLead {
    /// Owner's id.
    pub owner: Option<String>,
    /// Everything that files show, for telling whether it changed.
    pub outward: Outward,
    /// Run that founded it.
    pub founded_run: i64,
    /// Run that last changed it.
    pub changed_run: i64,
}

/// The part of a lead that output files show; a lead is changed when this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outward {
    /// Values as JSON; `None` when they are those of the founder, its only submission.
    pub fields: Option<String>,
    /// Submissions behind it.
    pub n_submissions: i64,
    /// Earliest submission.
    pub first_ms: i64,
    /// Latest submission.
    pub last_ms: i64,
    /// Total score.
    pub score: i64,
    /// Segment word.
    pub segment: String,
    /// Points per group.
    pub groups: [i64; 4],
    /// Grade word; `None` without a matrix.
    pub grade: Option<String>,
    /// What the scoring models say, as JSON; `None` without models.
    pub models: Option<String>,
    /// Owner's id.
    pub owner: Option<String>,
    /// Queue's id.
    pub queue: String,
    /// Whether marketing by e-mail is allowed.
    pub may_email: bool,
    /// Whether marketing by phone is allowed.
    pub may_phone: bool,
    /// What the gate answers about every other purpose and channel that the lead said anything about, such as
    /// `partner-share/email+ profiling/email-`; `None` when there is none.
    pub answers: Option<String>,
}

/// A lead with its decision, ready to be written.
#[derive(Debug, Clone)]
pub struct LeadRow {
    /// Number.
    pub no: LeadNo,
    /// Id.
    pub id: LeadId,
    /// Founding submission.
    pub founder: SubmissionNo,
    /// Run that founded it.
    pub founded_run: i64,
    /// Run that last changed what files show of it.
    pub changed_run: i64,
    /// What files show.
    pub outward: Outward,
    /// Display name.
    pub name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Which submission won which field, as JSON; `None` when one submission is all there is.
    pub provenance: Option<String>,
    /// Route that decided.
    pub route: String,
    /// One line that says why.
    pub reason: String,
    /// Contributions as JSON.
    pub contributions: String,
    /// Steps taken, as the bits of the `events` view, and why the lead was looked at.
    pub steps: i64,
    /// When time alone may change the decision, milliseconds since 1970 UTC; `None` when it never does.
    pub look_ms: Option<i64>,
}

impl Store {
    /// Returns `submission` as evaluation reads it.
    pub fn member_row(&self, submission: SubmissionNo) -> Result<MemberRow> {
        self.connection
            .prepare_cached(
                "SELECT s.submitted_ms, s.fingerprint, i.source, i.name || ':' || s.line,
                        s.fields, s.consents, s.certainty, s.modified_ms, i.tells_contacts, r.as_of_ms
                 FROM submission AS s JOIN input AS i USING (input_no)
                 JOIN run AS r USING (run_no) WHERE s.submission_no = ?1",
            )?
            .query_row([submission.0], |row| {
                Ok(MemberRow {
                    no: submission,
                    submitted_ms: row.get(0)?,
                    is_time_known: row.get::<_, i64>(6)? != Certainty::Received as i64,
                    fingerprint: Fingerprint(row.get(1)?),
                    source: row.get(2)?,
                    is_enquiry: !row.get::<_, bool>(8)?,
                    evidence: row.get(3)?,
                    modified_ms: row.get(7)?,
                    received_ms: row.get(9)?,
                    fields: row.get(4)?,
                    consents: row.get(5)?,
                })
            })
            .context("a submission is missing from the store")
    }

    /// Returns what is known of `lead` from earlier runs.
    pub fn previous_lead(&self, lead: LeadNo) -> Result<Option<PreviousLead>> {
        self.connection
            .prepare_cached(
                "SELECT fields, n_submissions, first_ms, last_ms, score, segment, fit, intent,
                        behavior, quality, owner, queue, may_email, may_phone, founded_run,
                        changed_run, grade, models, answers
                 FROM lead WHERE lead_no = ?1",
            )?
            .query_row([lead.0], |row| {
                let owner: Option<String> = row.get(10)?;
                Ok(PreviousLead {
                    owner: owner.clone(),
                    outward: Outward {
                        fields: row.get(0)?,
                        n_submissions: row.get(1)?,
                        first_ms: row.get(2)?,
                        last_ms: row.get(3)?,
                        score: row.get(4)?,
                        segment: row.get(5)?,
                        groups: [row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?],
                        grade: row.get(16)?,
                        models: row.get(17)?,
                        owner,
                        queue: row.get(11)?,
                        may_email: row.get(12)?,
                        may_phone: row.get(13)?,
                        answers: row.get(18)?,
                    },
                    founded_run: row.get(14)?,
                    changed_run: row.get(15)?,
                })
            })
            .optional()
            .context("cannot read a lead")
    }

    /// Returns the number that the next lead takes.
    pub fn next_lead_no(&self) -> Result<i64> {
        self.next_number("lead", "lead_no")
    }

    /// Writes a lead and the decision of `run` about it.
    pub fn write_lead(&self, run: RunNo, lead: &LeadRow) -> Result<()> {
        let out = &lead.outward;
        let id = lead.id.to_string();
        let values = params![
            lead.no.0,
            id,
            lead.founder.0,
            lead.founded_run,
            lead.changed_run,
            out.n_submissions,
            out.first_ms,
            out.last_ms,
            lead.name,
            lead.email,
            lead.phone,
            out.fields,
            lead.provenance,
            out.score,
            out.segment,
            out.groups[0],
            out.groups[1],
            out.groups[2],
            out.groups[3],
            out.owner,
            out.queue,
            out.may_email,
            out.may_phone,
            out.grade,
            out.models,
            lead.look_ms,
            out.answers
        ];
        let is_known = lead.founded_run != run.0
            && self.connection.prepare_cached(UPDATE_LEAD)?.execute(values)? > 0;
        if !is_known {
            self.connection.prepare_cached(INSERT_LEAD)?.execute(values)?;
        }
        self.connection
            .prepare_cached(
                "INSERT INTO decision VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                lead.no.0,
                run.0,
                lead.steps,
                out.score,
                out.segment,
                lead.contributions,
                out.owner,
                out.queue,
                lead.route,
                lead.reason,
                out.grade,
                out.models
            ])?;
        Ok(())
    }

    /// Remembers for ever which lead each id names.
    ///
    /// Ids are hashes: written in their own order, neighbors share a page of the index.
    pub fn set_aliases(&self, aliases: impl Iterator<Item = (LeadId, LeadNo)>) -> Result<()> {
        let mut aliases: Vec<_> = aliases.collect();
        aliases.sort_unstable();
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO lead_alias VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET lead_no = excluded.lead_no",
        )?;
        for (id, lead) in aliases {
            statement.execute(params![id.to_string(), lead.0])?;
        }
        Ok(())
    }

    /// Turns `loser` into an alias of `winner`; its history stays.
    pub fn merge_lead(&self, loser: LeadNo, winner: LeadNo) -> Result<()> {
        // Every id of the loser is that of its row or of a row merged into it, so nothing is searched.
        for sql in [
            "UPDATE lead_alias SET lead_no = ?2 WHERE lead_no = ?1 AND id IN
                 (SELECT id FROM lead WHERE lead_no = ?1 OR merged_into = ?1)",
            "UPDATE lead SET merged_into = ?2, look_ms = NULL WHERE lead_no = ?1 OR merged_into = ?1",
        ] {
            self.connection.prepare_cached(sql)?.execute(params![loser.0, winner.0])?;
        }
        Ok(())
    }

    /// Lets `merged`, which is merged into another lead already, be an alias of `winner` instead: the row that
    /// founded it is there now.
    pub fn repoint_lead(&self, merged: LeadNo, winner: LeadNo) -> Result<()> {
        for sql in [
            "UPDATE lead_alias SET lead_no = ?2 WHERE id = (SELECT id FROM lead WHERE lead_no = ?1)",
            "UPDATE lead SET merged_into = ?2 WHERE lead_no = ?1",
        ] {
            self.connection.prepare_cached(sql)?.execute(params![merged.0, winner.0])?;
        }
        Ok(())
    }

    /// Remembers in which order the routes of a rule set stand.
    pub fn set_routes(&self, rules_hash: &str, routes: &[&str]) -> Result<()> {
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO rule_set VALUES (?1, ?2)")?
            .execute(params![rules_hash, serde_json::to_string(routes)?])?;
        Ok(())
    }

    /// Returns the rotation's state.
    pub fn rotation(&self) -> Result<Vec<RotationEntry>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT queue, owner, current, assigned FROM rotation ORDER BY queue, owner",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(RotationEntry {
                queue: row.get(0)?,
                owner: row.get(1)?,
                current: row.get(2)?,
                assigned: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps the rotation's state.
    pub fn write_rotation(&self, entries: &[RotationEntry]) -> Result<()> {
        let mut statement = self
            .connection
            .prepare_cached("INSERT OR REPLACE INTO rotation VALUES (?1, ?2, ?3, ?4)")?;
        for entry in entries {
            statement.execute(params![entry.queue, entry.owner, entry.current, entry.assigned])?;
        }
        Ok(())
    }
}

/// Returns the claims kept with a submission.
pub fn claims(consents: Option<&str>) -> Result<Vec<ConsentClaim>> {
    consents.map_or_else(|| Ok(Vec::new()), codec::decode_claims)
}
