//! Who shares a key: what clustering asks of the store.

use anyhow::{Context as _, Result};
use rusqlite::{OptionalExtension as _, params};

use super::Store;
use super::codec;
use crate::identity::keys::KeyKind;
use crate::model::field::FieldValues;
use crate::model::ids::{Fingerprint, KeyHash, LeadId, LeadNo, SubmissionNo};
use crate::rules::field::FieldCatalog;

/// A submission that holds a key, and under which name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolder {
    /// The submission.
    pub submission: SubmissionNo,
    /// Its folded name.
    pub holder: String,
}

/// All holders of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGroup {
    /// The key.
    pub key: KeyHash,
    /// What it is made of; a mailbox that any holder calls a function's is one for all.
    pub kind: KeyKind,
    /// In order of submission number.
    pub holders: Vec<KeyHolder>,
}

/// A member of a lead as clustering sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberOrder {
    /// The submission.
    pub no: SubmissionNo,
    /// Run that received it.
    pub run: i64,
    /// When it was sent.
    pub submitted_ms: i64,
    /// What identifies it.
    pub fingerprint: Fingerprint,
}

impl Store {
    /// Forgets which keys are fresh; call it before the first [`Store::ingest`] of a run.
    pub fn prepare_fresh_keys(&self) -> Result<()> {
        self.connection
            .execute_batch(
                "CREATE TEMP TABLE IF NOT EXISTS fresh_key (key BLOB PRIMARY KEY) WITHOUT ROWID;
                 DELETE FROM temp.fresh_key;",
            )
            .context("cannot make a temporary table; is the temporary folder writable?")
    }

    /// Returns the highest submission number, 0 when there is none.
    pub fn last_submission(&self) -> Result<i64> {
        Ok(self.next_number("submission", "submission_no")? - 1)
    }

    /// Hands every key with two or more holders to `visit`, in order of key: all keys of the store, or
    /// with `only_fresh` those that this run's inputs brought.
    pub fn key_groups(
        &self,
        only_fresh: bool,
        mut visit: impl FnMut(KeyGroup) -> Result<()>,
    ) -> Result<()> {
        let sql = if only_fresh {
            "SELECT k.key, k.submission_no, k.kind, k.holder
             FROM temp.fresh_key AS f CROSS JOIN match_key AS k ON k.key = f.key
             ORDER BY f.key, k.submission_no"
        } else {
            "SELECT key, submission_no, kind, holder FROM match_key ORDER BY key, submission_no"
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut group: Option<KeyGroup> = None;
        while let Some(row) = rows.next()? {
            let key = KeyHash(row.get(0)?);
            let kind = kind(row.get(2)?)?;
            if group.as_ref().is_none_or(|group| group.key != key) {
                let done = group.replace(KeyGroup { key, kind, holders: Vec::new() });
                if let Some(done) = done.filter(|group| group.holders.len() > 1) {
                    visit(done)?;
                }
            }
            if let Some(group) = &mut group {
                if kind == KeyKind::RoleEmail {
                    group.kind = kind;
                }
                group
                    .holders
                    .push(KeyHolder { submission: SubmissionNo(row.get(1)?), holder: row.get(3)? });
            }
        }
        match group.filter(|group| group.holders.len() > 1) {
            Some(last) => visit(last),
            None => Ok(()),
        }
    }

    /// Returns all holders of `key`.
    pub fn key_group(&self, key: KeyHash) -> Result<Option<KeyGroup>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT submission_no, kind, holder FROM match_key WHERE key = ?1 ORDER BY submission_no",
        )?;
        let mut rows = statement.query([key.0])?;
        let mut group: Option<KeyGroup> = None;
        while let Some(row) = rows.next()? {
            let kind = kind(row.get(1)?)?;
            let group = group.get_or_insert_with(|| KeyGroup { key, kind, holders: Vec::new() });
            if kind == KeyKind::RoleEmail {
                group.kind = kind;
            }
            group
                .holders
                .push(KeyHolder { submission: SubmissionNo(row.get(0)?), holder: row.get(2)? });
        }
        Ok(group)
    }

    /// Returns the lead that `submission` belongs to.
    pub fn lead_of(&self, submission: SubmissionNo) -> Result<Option<LeadNo>> {
        Ok(self
            .connection
            .prepare_cached("SELECT lead_no FROM membership WHERE submission_no = ?1")?
            .query_row([submission.0], |row| row.get(0))
            .optional()?
            .map(LeadNo))
    }

    /// Returns the members of `lead` in order of submission number.
    pub fn members(&self, lead: LeadNo) -> Result<Vec<MemberOrder>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT s.submission_no, i.run_no, s.submitted_ms, s.fingerprint
             FROM membership AS m
             JOIN submission AS s USING (submission_no) JOIN input AS i USING (input_no)
             WHERE m.lead_no = ?1 ORDER BY s.submission_no",
        )?;
        let rows = statement.query_map([lead.0], |row| {
            Ok(MemberOrder {
                no: SubmissionNo(row.get(0)?),
                run: row.get(1)?,
                submitted_ms: row.get(2)?,
                fingerprint: Fingerprint(row.get(3)?),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the values of `submission`.
    pub fn submission_values(
        &self,
        submission: SubmissionNo,
        catalog: &FieldCatalog,
    ) -> Result<FieldValues> {
        let text: String = self
            .connection
            .prepare_cached("SELECT fields FROM submission WHERE submission_no = ?1")?
            .query_row([submission.0], |row| row.get(0))?;
        codec::decode_values(&text, catalog)
    }

    /// Returns the lead that `id` names or once named.
    pub fn lead_by_id(&self, id: LeadId) -> Result<Option<LeadNo>> {
        Ok(self
            .connection
            .prepare_cached("SELECT lead_no FROM lead_alias WHERE id = ?1")?
            .query_row([id.to_string()], |row| row.get(0))
            .optional()?
            .map(LeadNo))
    }

    /// Returns the founding submission of `lead`.
    pub fn founder(&self, lead: LeadNo) -> Result<SubmissionNo> {
        Ok(self
            .connection
            .prepare_cached("SELECT founder_no FROM lead WHERE lead_no = ?1")?
            .query_row([lead.0], |row| row.get(0).map(SubmissionNo))?)
    }

    /// Moves `submissions` to `lead`; those from number `first_fresh` on have no lead yet.
    pub fn set_members(
        &self,
        lead: LeadNo,
        submissions: &[SubmissionNo],
        first_fresh: i64,
    ) -> Result<()> {
        let mut insert =
            self.connection.prepare_cached("INSERT INTO membership VALUES (?1, ?2)")?;
        let mut update = self.connection.prepare_cached(
            "UPDATE membership SET lead_no = ?2 WHERE submission_no = ?1 AND lead_no <> ?2",
        )?;
        for submission in submissions {
            let statement = if submission.0 >= first_fresh { &mut insert } else { &mut update };
            statement.execute(params![submission.0, lead.0])?;
        }
        Ok(())
    }

    /// Notes which key joined `submission` to another of its lead, instead of what was noted before.
    pub fn set_link(
        &self,
        submission: SubmissionNo,
        link: Option<(SubmissionNo, KeyKind)>,
    ) -> Result<()> {
        let Some((with, kind)) = link else {
            self.connection
                .prepare_cached("DELETE FROM link WHERE submission_no = ?1")?
                .execute([submission.0])?;
            return Ok(());
        };
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO link VALUES (?1, ?2, ?3)")?
            .execute(params![submission.0, with.0, kind as i64])?;
        Ok(())
    }
}

pub(super) fn kind(number: i64) -> Result<KeyKind> {
    KeyKind::ALL
        .get(number as usize)
        .copied()
        .with_context(|| format!("the store holds the unknown key kind {number}"))
}
