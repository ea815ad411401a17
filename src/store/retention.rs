//! What is older than it is to be kept, and taking parts of rows away.

use anyhow::Result;
use rusqlite::params;

use super::Store;
use crate::identity::keys::identity_hash;
use crate::model::ids::{LeadId, LeadNo, SubmissionNo};
use crate::model::touch::{Identity, IdentityKind};
use crate::rules::retention::{KeptThing, RetentionRule};

/// Something that is due: a lead or a row, by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its number.
    pub no: i64,
    /// What lists call it: a lead's id, `file:line` of a row.
    pub called: String,
    /// When it was last heard of or received, milliseconds since 1970 UTC.
    pub since_ms: i64,
}

/// Leads by when somebody last heard of them, be it by a row or by what they did.
const LEADS: &str = "
    WITH heard AS (
        SELECT l.lead_no, l.id, l.segment, l.queue,
               json_extract(coalesce(l.fields, s.fields), '$.\"is-customer\"') AS is_customer,
               max(l.last_ms, coalesce((
                   SELECT max(t.at_ms) FROM membership AS m JOIN match_key AS k USING (submission_no)
                   JOIN touch_key AS tk ON tk.key = k.key JOIN touch AS t USING (touch_no)
                   WHERE m.lead_no = l.lead_no), 0)) AS since_ms
        FROM lead AS l JOIN submission AS s ON s.submission_no = l.founder_no
        WHERE l.merged_into IS NULL AND l.last_ms <= ?1)
    SELECT lead_no, id, since_ms FROM heard
    WHERE since_ms <= ?1
      AND (?2 = '[]' OR segment IN (SELECT value FROM json_each(?2)))
      AND (?3 = '[]' OR queue IN (SELECT value FROM json_each(?3)))
      AND NOT (?4 AND coalesce(is_customer, '') = 'true')
    ORDER BY lead_no";

impl Store {
    /// Returns what `rule` says is over by `as_of_ms`, in order of number; whom somebody may still contact is not
    /// asked.
    pub fn due(&self, rule: &RetentionRule, as_of_ms: i64) -> Result<Vec<Due>> {
        let before_ms = as_of_ms - rule.keep_seconds * 1_000;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Due { no: row.get(0)?, called: row.get(1)?, since_ms: row.get(2)? })
        };
        let (table, column) = match rule.of {
            KeptThing::Leads => {
                let words: Vec<&str> = rule.segments.iter().map(|one| one.word()).collect();
                let mut statement = self.connection.prepare_cached(LEADS)?;
                let rows = statement.query_map(
                    params![
                        before_ms,
                        serde_json::to_string(&words)?,
                        serde_json::to_string(&rule.queues)?,
                        rule.unless_customer
                    ],
                    read,
                )?;
                let mut due = rows.collect::<rusqlite::Result<Vec<Due>>>()?;
                drop(statement);
                if self.has_touches()? {
                    self.drop_heard(&mut due, before_ms)?;
                }
                return Ok(due);
            }
            KeptThing::Quarantine => ("quarantine", "quarantine_no"),
            KeptThing::Held => ("held", "held_no"),
        };
        // Rows that keep nothing of anybody have nothing to lose.
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT t.{column}, i.name || ':' || t.line, r.as_of_ms FROM {table} AS t
             JOIN input AS i USING (input_no) JOIN run AS r USING (run_no)
             WHERE r.as_of_ms <= ?1 AND t.raw <> '' ORDER BY t.{column}"
        ))?;
        let rows = statement.query_map([before_ms], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Drops those of `due` of whom something was heard after `before_ms` that names the lead alone, by any of its ids:
    /// what owners say about tasks, and CRMs that keep our id.
    fn drop_heard(&self, due: &mut Vec<Due>, before_ms: i64) -> Result<()> {
        let mut heard = self.connection.prepare_cached(
            "SELECT max(t.at_ms) FROM touch_key AS k JOIN touch AS t USING (touch_no) WHERE k.key = ?1",
        )?;
        let mut kept = Vec::with_capacity(due.len());
        for mut one in due.drain(..) {
            for member in self.members(LeadNo(one.no))? {
                let id = LeadId::of_founder(self.fingerprint_of_row(member.no)?).to_string();
                let key = identity_hash(&Identity::new(IdentityKind::Lead, id));
                let at_ms: Option<i64> = heard.query_row([key.0], |row| row.get(0))?;
                one.since_ms = one.since_ms.max(at_ms.unwrap_or(i64::MIN));
            }
            if one.since_ms <= before_ms {
                kept.push(one);
            }
        }
        *due = kept;
        Ok(())
    }

    /// Returns the rows of `lead` that still have what `column` holds: the row as received, or an IP address.
    pub fn rows_with(&self, lead: LeadNo, part: RowPart) -> Result<Vec<SubmissionNo>> {
        let condition = match part {
            RowPart::Raw => "s.raw <> '[]'",
            RowPart::Ip => "json_extract(s.fields, '$.ip') IS NOT NULL",
        };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT s.submission_no FROM membership AS m JOIN submission AS s USING (submission_no)
             WHERE m.lead_no = ?1 AND {condition} ORDER BY 1"
        ))?;
        let rows = statement.query_map([lead.0], |row| row.get(0).map(SubmissionNo))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Takes the rows as received away from `submissions`; nothing is decided by them.
    pub fn strip_raw(&self, submissions: &[SubmissionNo]) -> Result<()> {
        for one in submissions {
            self.connection
                .prepare_cached("UPDATE submission SET raw = '[]' WHERE submission_no = ?1")?
                .execute([one.0])?;
            self.connection
                .prepare_cached(
                    "UPDATE variant SET raw = '[]' WHERE (input_no, record) IN
                         (SELECT input_no, record FROM repeat WHERE kind = 's' AND no = ?1)",
                )?
                .execute([one.0])?;
        }
        Ok(())
    }

    /// Takes IP addresses away from `submissions`, out of the rows as received, too, as `strip` does it.
    pub fn strip_ip(
        &self,
        submissions: &[SubmissionNo],
        strip: impl Fn(&str) -> String,
    ) -> Result<()> {
        for one in submissions {
            let raw: String = self
                .connection
                .prepare_cached("SELECT raw FROM submission WHERE submission_no = ?1")?
                .query_row([one.0], |row| row.get(0))?;
            self.connection
                .prepare_cached(
                    "UPDATE submission SET raw = ?2, fields = json_remove(fields, '$.ip') WHERE submission_no = ?1",
                )?
                .execute(params![one.0, strip(&raw)])?;
            self.connection
                .prepare_cached(
                    "UPDATE variant SET raw = '[]', fields = json_remove(fields, '$.ip')
                     WHERE (input_no, record) IN
                         (SELECT input_no, record FROM repeat WHERE kind = 's' AND no = ?1)",
                )?
                .execute([one.0])?;
        }
        Ok(())
    }
}

/// A part of a row that can go while the rest stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowPart {
    /// The row as received.
    Raw,
    /// The IP address.
    Ip,
}
