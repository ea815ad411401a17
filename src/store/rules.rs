//! The rules as they were when a run decided, so that its decisions can be computed again.

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, Result};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use rusqlite::params;
use sha2::{Digest as _, Sha256};

use super::Store;
use crate::rules::RuleSet;
use crate::rules::diagnostics::RuleText;

impl Store {
    /// Keeps the texts of `rules` that decide about leads, each only once.
    pub fn keep_rules(&self, rules: &RuleSet) -> Result<()> {
        if self.has_rules(&rules.hash)? {
            return Ok(());
        }
        for file in &rules.deciding {
            let sha256: [u8; 32] = Sha256::digest(&*file.text).into();
            let is_known: bool = self
                .connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM rule_text WHERE sha256 = ?1)")?
                .query_row([sha256], |row| row.get(0))?;
            if !is_known {
                let mut deflated = DeflateEncoder::new(Vec::new(), Compression::fast());
                deflated.write_all(file.text.as_bytes())?;
                self.connection
                    .prepare_cached("INSERT INTO rule_text VALUES (?1, ?2)")?
                    .execute(params![sha256, deflated.finish()?])?;
            }
            self.connection
                .prepare_cached("INSERT INTO rule_file VALUES (?1, ?2, ?3)")?
                .execute(params![rules.hash, &*file.path, sha256])?;
        }
        Ok(())
    }

    /// Returns whether the rules with this hash were kept.
    pub fn has_rules(&self, hash: &str) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM rule_file WHERE hash = ?1)")?
            .query_row([hash], |row| row.get(0))?)
    }

    /// Returns the texts that decided under the rules with this hash; empty when they were not kept.
    pub fn kept_rules(&self, hash: &str) -> Result<Vec<RuleText>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT f.path, t.deflated FROM rule_file AS f JOIN rule_text AS t USING (sha256)
             WHERE f.hash = ?1 ORDER BY f.path",
        )?;
        let mut rows = statement.query([hash])?;
        let mut texts = Vec::new();
        while let Some(row) = rows.next()? {
            let (path, deflated): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let mut text = String::new();
            DeflateDecoder::new(&deflated[..])
                .read_to_string(&mut text)
                .with_context(|| format!("the kept rule file {path} is not readable"))?;
            texts.push(RuleText { path: path.into(), text: text.into() });
        }
        Ok(texts)
    }
}
