//! What took a consent back, found by the mailbox, number or id that it is about.
//!
//! Few rows and touches do, so they stand in a table of their own: whoever shares a mailbox with somebody who does not
//! want mail is asked about with one look at it.

use anyhow::Result;
use rusqlite::params;

use super::Store;
use super::ledger::Teller;
use super::touches::read_identities;
use crate::identity::keys::{KeyKind, identity_hash};
use crate::model::consent::{ConsentClaim, ConsentState};
use crate::model::ids::{KeyHash, RunNo, SubmissionNo};
use crate::model::touch::{CONSENT_WITHDRAWN, Identity, IdentityKind, Touch, UNSUBSCRIBED};

/// A touch that takes a consent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenyingTouch {
    /// Its number.
    pub no: i64,
    /// When it happened, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Its kind.
    pub kind: String,
    /// What its kind says.
    pub detail: String,
    /// Whose it may be.
    pub identities: Vec<Identity>,
    /// `file:line` that it came from.
    pub place: String,
}

/// Returns whether any of `claims` takes a consent back.
pub(super) fn takes_back(claims: &[ConsentClaim]) -> bool {
    let is_taken_back = |state| matches!(state, ConsentState::Withdrawn | ConsentState::Objected);
    claims.iter().any(|claim| is_taken_back(claim.state))
}

const TOUCH: &str =
    "SELECT t.touch_no, t.at_ms, t.kind, t.detail, t.identities, i.name || ':' || t.line
     FROM touch AS t JOIN input AS i USING (input_no)";

impl Store {
    /// Notes that the submission `no`, which has these keys, takes a consent back.
    pub(super) fn note_denying_row(&self, keys: &[(KeyHash, KeyKind)], no: i64) -> Result<()> {
        let is_address =
            |kind| matches!(kind, KeyKind::Email | KeyKind::RoleEmail | KeyKind::Phone);
        for (key, _) in keys.iter().filter(|(_, kind)| is_address(*kind)) {
            self.note_denial(*key, "s", no)?;
        }
        Ok(())
    }

    /// Notes that the touch `no` takes a consent back, if it does. A browser is not who it is used by.
    pub(super) fn note_denying_touch(&self, touch: &Touch, no: i64) -> Result<()> {
        if touch.kind != UNSUBSCRIBED && touch.kind != CONSENT_WITHDRAWN {
            return Ok(());
        }
        let is_somebodys = |one: &&Identity| one.kind != IdentityKind::Visitor;
        for identity in touch.identities.iter().filter(is_somebodys) {
            self.note_denial(identity_hash(identity), "t", no)?;
        }
        Ok(())
    }

    fn note_denial(&self, key: KeyHash, kind: &str, no: i64) -> Result<()> {
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO consent_denial VALUES (?1, ?2, ?3)")?
            .execute(params![key.0, kind, no])?;
        Ok(())
    }

    /// Returns whether anything ever took a consent back.
    pub fn has_denials(&self) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM consent_denial)")?
            .query_row([], |row| row.get(0))?)
    }

    /// Returns what took consents back for a mailbox, number or id of `submission`, or for the lead with the key
    /// `lead`, as far as it had been received by the end of `run`; in order.
    pub fn deniers(
        &self,
        submission: SubmissionNo,
        lead: KeyHash,
        run: RunNo,
    ) -> Result<Vec<Teller>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT d.kind, d.no
             FROM (SELECT key FROM match_key WHERE submission_no = ?1 UNION ALL SELECT ?2) AS k
             CROSS JOIN consent_denial AS d ON d.key = k.key
             WHERE ?3 >= (SELECT i.run_no FROM input AS i WHERE i.input_no = CASE d.kind
                 WHEN 's' THEN (SELECT s.input_no FROM submission AS s WHERE s.submission_no = d.no)
                 ELSE (SELECT t.input_no FROM touch AS t WHERE t.touch_no = d.no) END)
             ORDER BY d.kind, d.no",
        )?;
        let mut rows = statement.query(params![submission.0, lead.0, run.0])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let no = row.get(1)?;
            found.push(match row.get_ref(0)?.as_str()? {
                "s" => Teller::Submission(SubmissionNo(no)),
                _ => Teller::Touch(no),
            });
        }
        Ok(found)
    }

    /// Returns the touch `no`, which takes a consent back.
    pub fn denying_touch(&self, no: i64) -> Result<DenyingTouch> {
        let sql = format!("{TOUCH} WHERE t.touch_no = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([no])?;
        let row =
            rows.next()?.ok_or_else(|| anyhow::anyhow!("a touch is missing from the store"))?;
        read_denying(row)
    }

    /// Returns the touches that `run` received and that take a consent back, in order of number.
    pub fn denying_touches_of(&self, run: RunNo) -> Result<Vec<DenyingTouch>> {
        let sql = format!(
            "{TOUCH} WHERE i.run_no = ?1
                 AND t.touch_no IN (SELECT no FROM consent_denial WHERE kind = 't') ORDER BY t.touch_no"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([run.0])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read_denying(row)?);
        }
        Ok(found)
    }
}

fn read_denying(row: &rusqlite::Row<'_>) -> Result<DenyingTouch> {
    Ok(DenyingTouch {
        no: row.get(0)?,
        at_ms: row.get(1)?,
        kind: row.get(2)?,
        detail: row.get(3)?,
        identities: read_identities(row.get_ref(4)?.as_str()?)?,
        place: row.get(5)?,
    })
}
