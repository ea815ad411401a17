//! Touches and what finds them: rows under the hashes of their identities, and who holds the same.

use anyhow::{Context as _, Result};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::Store;
use crate::identity::keys::{KeyKind, identity_hash};
use crate::model::ids::{Fingerprint, KeyHash, LeadId, LeadNo, RunNo, SubmissionNo};
use crate::model::touch::{DealAmount, Identity, IdentityKind, Touch};

/// A touch as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTouch {
    /// Its number.
    pub no: i64,
    /// What it is.
    pub touch: Touch,
    /// Preset of its input.
    pub source: String,
}

/// A lead that holds an identity, and the preset of the row that gave it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// The lead.
    pub lead: LeadNo,
    /// Preset of the input that the identity came from.
    pub source: String,
}

impl Store {
    /// Returns whether the store has any touch at all.
    pub fn has_touches(&self) -> Result<bool> {
        Ok(self
            .connection
            .query_row("SELECT EXISTS (SELECT 1 FROM touch)", [], |row| row.get(0))?)
    }

    /// Returns whether any touch is kept under `key` that had been received by the end of `run`.
    pub fn has_touch(&self, key: KeyHash, run: RunNo) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM touch_key AS k
                     CROSS JOIN touch AS t ON t.touch_no = k.touch_no
                     CROSS JOIN input AS i ON i.input_no = t.input_no
                     WHERE k.key = ?1 AND i.run_no <= ?2)",
            )?
            .query_row(params![key.0, run.0], |row| row.get(0))?)
    }

    /// Returns the touches kept under `key` that had been received by the end of `run`, in order of number.
    pub fn touches_under(&self, key: KeyHash, run: RunNo) -> Result<Vec<KeptTouch>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT t.touch_no, t.at_ms, t.kind, t.detail, t.identities, i.source, t.amount, t.currency
             FROM touch_key AS k CROSS JOIN touch AS t ON t.touch_no = k.touch_no
             CROSS JOIN input AS i ON i.input_no = t.input_no
             WHERE k.key = ?1 AND i.run_no <= ?2 ORDER BY k.touch_no",
        )?;
        let mut rows = statement.query(params![key.0, run.0])?;
        let mut touches = Vec::new();
        while let Some(row) = rows.next()? {
            touches.push(read_touch(row)?);
        }
        Ok(touches)
    }

    /// Hands the identities that stand beside `key` in touches received by the end of `run` to `visit`.
    pub fn each_identity_beside(
        &self,
        key: KeyHash,
        run: RunNo,
        mut visit: impl FnMut(Identity),
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT t.identities FROM touch_key AS k CROSS JOIN touch AS t ON t.touch_no = k.touch_no
             CROSS JOIN input AS i ON i.input_no = t.input_no
             WHERE k.key = ?1 AND k.beside > 0 AND i.run_no <= ?2",
        )?;
        let mut rows = statement.query(params![key.0, run.0])?;
        while let Some(row) = rows.next()? {
            read_identities(row.get_ref(0)?.as_str()?)?.into_iter().for_each(&mut visit);
        }
        Ok(())
    }

    /// Hands every identity of the touches that `run` received to `visit`; in a replay, of those at stake.
    pub fn each_identity_received(
        &self,
        run: RunNo,
        is_replay: bool,
        mut visit: impl FnMut(Identity) -> Result<()>,
    ) -> Result<()> {
        let sql = if is_replay {
            "SELECT t.identities FROM temp.replayed_touch AS r CROSS JOIN touch AS t USING (touch_no)
             WHERE r.run_no = ?1"
        } else {
            "SELECT t.identities FROM input AS i CROSS JOIN touch AS t ON t.input_no = i.input_no
             WHERE i.run_no = ?1"
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([run.0])?;
        while let Some(row) = rows.next()? {
            for identity in read_identities(row.get_ref(0)?.as_str()?)? {
                visit(identity)?;
            }
        }
        Ok(())
    }

    /// Returns the leads that hold `identity` by one of their rows, none twice for one source.
    pub fn holders(&self, identity: &Identity) -> Result<Vec<Holder>> {
        let read = |row: &Row<'_>| Ok(Holder { lead: LeadNo(row.get(0)?), source: row.get(1)? });
        if identity.kind == IdentityKind::Lead {
            let Ok(id) = identity.value.parse::<LeadId>() else { return Ok(Vec::new()) };
            let (first, last) = id.founders();
            let mut statement = self.connection.prepare_cached(
                "SELECT DISTINCT m.lead_no, i.source FROM seen AS s
                 CROSS JOIN membership AS m ON m.submission_no = s.no
                 CROSS JOIN submission AS u ON u.submission_no = s.no
                 CROSS JOIN input AS i ON i.input_no = u.input_no
                 WHERE s.fingerprint BETWEEN ?1 AND ?2 AND s.kind = 's' ORDER BY 1, 2",
            )?;
            let rows = statement.query_map(params![first.0, last.0], read)?;
            return Ok(rows.collect::<rusqlite::Result<_>>()?);
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT m.lead_no, i.source FROM match_key AS k
             CROSS JOIN membership AS m ON m.submission_no = k.submission_no
             CROSS JOIN submission AS u ON u.submission_no = k.submission_no
             CROSS JOIN input AS i ON i.input_no = u.input_no
             WHERE k.key = ?1 ORDER BY 1, 2",
        )?;
        let rows = statement.query_map([identity_hash(identity).0], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the submissions that hold `identity`, be they in a lead or not.
    pub fn submissions_with(&self, identity: &Identity) -> Result<Vec<SubmissionNo>> {
        let read = |row: &Row<'_>| row.get(0).map(SubmissionNo);
        if identity.kind == IdentityKind::Lead {
            let Ok(id) = identity.value.parse::<LeadId>() else { return Ok(Vec::new()) };
            let (first, last) = id.founders();
            let mut statement = self.connection.prepare_cached(
                "SELECT no FROM seen WHERE fingerprint BETWEEN ?1 AND ?2 AND kind = 's' ORDER BY no",
            )?;
            let rows = statement.query_map(params![first.0, last.0], read)?;
            return Ok(rows.collect::<rusqlite::Result<_>>()?);
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT submission_no FROM match_key WHERE key = ?1 ORDER BY submission_no",
        )?;
        let rows = statement.query_map([identity_hash(identity).0], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns what identifies `submission`.
    pub fn fingerprint_of_row(&self, submission: SubmissionNo) -> Result<Fingerprint> {
        let bytes: Option<[u8; 16]> = self
            .connection
            .prepare_cached("SELECT fingerprint FROM submission WHERE submission_no = ?1")?
            .query_row([submission.0], |row| row.get(0))
            .optional()?;
        Ok(Fingerprint(bytes.context("a submission is missing from the store")?))
    }

    /// Returns the identities of the touch with this number, the strongest first.
    pub fn touch_identities(&self, touch_no: i64) -> Result<Vec<Identity>> {
        let text: Option<String> = self
            .connection
            .prepare_cached("SELECT identities FROM touch WHERE touch_no = ?1")?
            .query_row([touch_no], |row| row.get(0))
            .optional()?;
        read_identities(&text.context("a touch is missing from the store")?)
    }

    /// Returns the preset of the input that the touch with this number came from.
    pub fn touch_source(&self, touch_no: i64) -> Result<String> {
        let source: Option<String> = self
            .connection
            .prepare_cached(
                "SELECT i.source FROM touch AS t JOIN input AS i USING (input_no) WHERE t.touch_no = ?1",
            )?
            .query_row([touch_no], |row| row.get(0))
            .optional()?;
        source.context("a touch is missing from the store")
    }

    /// Returns `file:line` of the touch with this number.
    pub fn touch_place(&self, touch_no: i64) -> Result<String> {
        let place: Option<String> = self
            .connection
            .prepare_cached(
                "SELECT i.name || ':' || t.line FROM touch AS t JOIN input AS i USING (input_no)
                 WHERE t.touch_no = ?1",
            )?
            .query_row([touch_no], |row| row.get(0))
            .optional()?;
        place.context("a touch is missing from the store")
    }

    /// Returns the submissions at stake in a replay, in order of number.
    pub fn submissions_at_stake(&self) -> Result<Vec<SubmissionNo>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT r.submission_no FROM temp.replayed AS r JOIN submission AS s USING (submission_no)
             ORDER BY 1",
        )?;
        let rows = statement.query_map([], |row| row.get(0).map(SubmissionNo))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Puts the touches under `keys` at stake, each with the run that received it.
    pub fn put_touches_at_stake(&self, keys: impl Iterator<Item = KeyHash>) -> Result<()> {
        self.connection.execute_batch(
            "DROP TABLE IF EXISTS temp.replayed_touch;
             CREATE TEMP TABLE replayed_touch (run_no INTEGER, touch_no INTEGER,
                 PRIMARY KEY (run_no, touch_no)) WITHOUT ROWID;",
        )?;
        let mut insert = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO temp.replayed_touch
             SELECT i.run_no, k.touch_no FROM touch_key AS k CROSS JOIN touch AS t USING (touch_no)
             CROSS JOIN input AS i USING (input_no) WHERE k.key = ?1",
        )?;
        for key in keys {
            insert.execute([key.0])?;
        }
        Ok(())
    }
}

/// Writes identities as the store keeps them.
pub(super) fn write_identities(identities: &[Identity]) -> String {
    let texts: Vec<String> = identities.iter().map(Identity::to_string).collect();
    serde_json::Value::from(texts).to_string()
}

/// Reads number, time, kind, detail, identities, the preset of the input, amount and currency.
pub(super) fn read_touch(row: &Row<'_>) -> Result<KeptTouch> {
    Ok(KeptTouch {
        no: row.get(0)?,
        touch: Touch {
            // Only ingest asks whether a touch was seen before.
            fingerprint: Fingerprint([0; 16]),
            at_ms: row.get(1)?,
            kind: row.get(2)?,
            detail: row.get(3)?,
            amount: match row.get(6)? {
                Some(value) => Some(DealAmount { value, currency: row.get(7)? }),
                None => None,
            },
            identities: read_identities(row.get_ref(4)?.as_str()?)?,
        },
        source: row.get(5)?,
    })
}

pub(super) fn read_identities(text: &str) -> Result<Vec<Identity>> {
    let texts: Vec<String> =
        serde_json::from_str(text).context("the identities of a touch are not readable")?;
    Ok(texts.iter().filter_map(|text| text.parse().ok()).collect())
}

/// Gives the rows of a store from before touches were found by record ids the keys that they need.
pub(super) fn add_record_id_keys(transaction: &Transaction<'_>) -> Result<()> {
    let mut read = transaction.prepare(
        "SELECT submission_no, json_extract(fields, '$.\"external-id\"') FROM submission
         WHERE fields LIKE '%\"external-id\"%'",
    )?;
    let mut insert =
        transaction.prepare("INSERT OR IGNORE INTO match_key VALUES (?1, ?2, ?3, '')")?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let (no, id): (i64, Option<String>) = (row.get(0)?, row.get(1)?);
        if let Some(id) = id {
            let key = identity_hash(&Identity::new(IdentityKind::External, id));
            insert.execute(params![key.0, no, KeyKind::External as i64])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::store::migrating::RECORD_IDS_SINCE;
    use crate::store::{APPLICATION_ID, MIGRATIONS};

    #[test]
    fn touches_of_a_store_from_before_are_still_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("leadmill.db");
        let visitor = Identity::new(IdentityKind::Visitor, "v1");
        let old = Connection::open(&path).unwrap();
        for step in &MIGRATIONS[..RECORD_IDS_SINCE as usize - 1] {
            old.execute_batch(step).unwrap();
        }
        old.execute_batch(
            "INSERT INTO run (run_no, id, as_of_ms, rules_hash, version, state, inputs_digest, first_submission_no)
                 VALUES (1, 'r1', 0, '', '', 'published', '', 1);
             INSERT INTO input (input_no, run_no, sha256, name, source, encoding, header, bytes)
                 VALUES (1, 1, x'00', 'a.csv', 'hubspot-contacts', 'UTF-8', '[]', 1);
             INSERT INTO submission VALUES
                 (1, 1, 1, 2, x'00', 0, NULL, 0, 0, '{\"external-id\":\"901\"}', NULL, NULL, '[]');",
        )
        .unwrap();
        let key = identity_hash(&visitor).0;
        old.execute("INSERT INTO touch VALUES (1, 1, 1, 2, 5, 'page-view', '/', ?1)", [key])
            .unwrap();
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", RECORD_IDS_SINCE - 1).unwrap();
        drop(old);
        let store = Store::open(&path).unwrap();
        let found = store.touches_under(identity_hash(&visitor), RunNo(1)).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(identity_hash(&found[0].touch.identities[0]), identity_hash(&visitor));
        let record_id = Identity::new(IdentityKind::External, "901");
        assert_eq!(store.submissions_with(&record_id).unwrap(), [SubmissionNo(1)]);
    }
}
