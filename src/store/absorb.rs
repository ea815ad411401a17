//! Who shares a key: what clustering asks of the store.

use anyhow::{Context as _, Result};
use rusqlite::{OptionalExtension as _, params};

use super::Store;
use super::codec;
use crate::identity::keys::KeyKind;
use crate::model::field::FieldValues;
use crate::model::ids::{Fingerprint, KeyHash, LeadId, LeadNo, RunNo, SubmissionNo};
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

/// How much of the store an answer may rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Horizon {
    /// All of it.
    Now,
    /// What had been received by the end of this run: it is decided about again.
    Run(RunNo),
}

impl Horizon {
    /// Returns the number of the last run that it lets see.
    pub(super) fn last_run(self) -> i64 {
        match self {
            Self::Now => i64::MAX,
            Self::Run(run) => run.0,
        }
    }
}

/// Which keys [`Store::key_groups`] hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyScope {
    /// Every key of the store.
    All,
    /// Those that the fresh submissions brought, with their holders up to the horizon.
    Fresh(Horizon),
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

    /// Hands every key with two or more holders in `scope` to `visit`, in order of key.
    pub fn key_groups(
        &self,
        scope: KeyScope,
        mut visit: impl FnMut(KeyGroup) -> Result<()>,
    ) -> Result<()> {
        let (sql, horizon) = match scope {
            KeyScope::All => (
                "SELECT key, submission_no, kind, holder FROM match_key
                 WHERE ?1 > 0 ORDER BY key, submission_no",
                Horizon::Now,
            ),
            KeyScope::Fresh(Horizon::Now) => (
                "SELECT k.key, k.submission_no, k.kind, k.holder
                 FROM temp.fresh_key AS f CROSS JOIN match_key AS k ON k.key = f.key
                 WHERE ?1 > 0 ORDER BY f.key, k.submission_no",
                Horizon::Now,
            ),
            KeyScope::Fresh(horizon @ Horizon::Run(_)) => (
                "SELECT k.key, k.submission_no, k.kind, k.holder
                 FROM temp.fresh_key AS f CROSS JOIN match_key AS k ON k.key = f.key
                 CROSS JOIN submission AS s ON s.submission_no = k.submission_no
                 CROSS JOIN input AS i ON i.input_no = s.input_no
                 WHERE i.run_no <= ?1 ORDER BY f.key, k.submission_no",
                horizon,
            ),
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([horizon.last_run()])?;
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

    /// Returns all holders of `key` that `horizon` lets see.
    pub fn key_group(&self, key: KeyHash, horizon: Horizon) -> Result<Option<KeyGroup>> {
        let sql = match horizon {
            Horizon::Now => {
                "SELECT submission_no, kind, holder FROM match_key
                 WHERE key = ?1 AND ?2 > 0 ORDER BY submission_no"
            }
            Horizon::Run(_) => {
                "SELECT k.submission_no, k.kind, k.holder FROM match_key AS k
                 CROSS JOIN submission AS s ON s.submission_no = k.submission_no
                 CROSS JOIN input AS i ON i.input_no = s.input_no
                 WHERE k.key = ?1 AND i.run_no <= ?2 ORDER BY k.submission_no"
            }
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![key.0, horizon.last_run()])?;
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

    /// Returns the keys that are kept for `submission`: those by which others know it, whatever the word lists of
    /// today would make of its values.
    pub fn keys_of(&self, submission: SubmissionNo) -> Result<Vec<(KeyHash, KeyKind)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT key, kind FROM match_key WHERE submission_no = ?1 ORDER BY kind, key",
        )?;
        let mut rows = statement.query([submission.0])?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next()? {
            keys.push((KeyHash(row.get(0)?), kind(row.get(1)?)?));
        }
        Ok(keys)
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
        let mut statement = self
            .connection
            .prepare_cached("SELECT fields FROM submission WHERE submission_no = ?1")?;
        let mut rows = statement.query([submission.0])?;
        let row = rows.next()?.context("a submission is missing from the store")?;
        codec::decode_values(row.get_ref(0)?.as_str()?, catalog)
    }

    /// Returns the lead that `id` names or once named; none when its run was taken back.
    pub fn lead_by_id(&self, id: LeadId) -> Result<Option<LeadNo>> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT a.lead_no FROM lead_alias AS a JOIN lead AS l USING (lead_no) WHERE a.id = ?1",
            )?
            .query_row([id.to_string()], |row| row.get(0))
            .optional()?
            .map(LeadNo))
    }

    /// Returns the number that goes with `id`, when it was ever given out, and whether a lead has it now:
    /// it may have been merged into another, or taken back.
    pub fn number_of(&self, id: LeadId) -> Result<Option<(LeadNo, bool)>> {
        let id = id.to_string();
        let Some(named) = self
            .connection
            .prepare_cached("SELECT lead_no FROM lead_alias WHERE id = ?1")?
            .query_row([&id], |row| row.get::<_, i64>(0))
            .optional()?
        else {
            return Ok(None);
        };
        let own = self
            .connection
            .prepare_cached(
                "SELECT lead_no FROM lead WHERE id = ?1 AND (lead_no = ?2 OR merged_into = ?2)",
            )?
            .query_row(params![id, named], |row| row.get(0))
            .optional()?;
        // Whoever removes a lead turns its id back to its own number.
        Ok(Some(own.map_or((LeadNo(named), false), |own| (LeadNo(own), true))))
    }

    /// Returns the founding submission of `lead`.
    pub fn founder(&self, lead: LeadNo) -> Result<SubmissionNo> {
        Ok(self
            .connection
            .prepare_cached("SELECT founder_no FROM lead WHERE lead_no = ?1")?
            .query_row([lead.0], |row| row.get(0).map(SubmissionNo))?)
    }

    /// Moves `submissions` to `lead`; those that are fresh have no lead yet.
    pub fn set_members(
        &self,
        lead: LeadNo,
        submissions: &[SubmissionNo],
        is_fresh: impl Fn(SubmissionNo) -> bool,
    ) -> Result<()> {
        let mut insert =
            self.connection.prepare_cached("INSERT INTO membership VALUES (?1, ?2)")?;
        let mut update = self.connection.prepare_cached(
            "UPDATE membership SET lead_no = ?2 WHERE submission_no = ?1 AND lead_no <> ?2",
        )?;
        for submission in submissions {
            let statement = if is_fresh(*submission) { &mut insert } else { &mut update };
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
