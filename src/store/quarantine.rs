//! Rows that were not accepted, and the rows that came back for them.

use anyhow::Result;
use rusqlite::params;

use super::Store;
use crate::model::ids::{Fingerprint, RunNo};

/// Which quarantined rows to list; `None` means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuarantineFilter {
    /// Met by this run.
    pub run: Option<RunNo>,
    /// With this number.
    pub no: Option<i64>,
    /// Refused with this code.
    pub code: Option<String>,
    /// From inputs whose names hold this.
    pub input: Option<String>,
    /// Only those for which no mended row has come back.
    pub open_only: bool,
}

/// A row that was not accepted, as files and lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineEntry {
    /// Number in the store.
    pub no: i64,
    /// What the row is known by when it comes back.
    pub fingerprint: Fingerprint,
    /// Run that met it.
    pub run: String,
    /// Preset of the input.
    pub source: String,
    /// `file:line` of the row that came back for it, if one did.
    pub mended_by: Option<String>,
    /// Input it came from.
    pub input_no: i64,
    /// File as the user named it.
    pub input: String,
    /// Record number.
    pub record: u32,
    /// Physical line.
    pub line: u32,
    /// Stable code.
    pub code: String,
    /// Column at fault.
    pub column: String,
    /// Value as received.
    pub value: String,
    /// What is wrong and the way out.
    pub message: String,
    /// The row as received, as JSON.
    pub raw: String,
}

impl Store {
    /// Hands the quarantined rows that `filter` lets through to `visit`, in order of number, so that the
    /// rows of an input come one after the other.
    pub fn each_quarantined(
        &self,
        filter: &QuarantineFilter,
        mut visit: impl FnMut(QuarantineEntry) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT q.quarantine_no, q.input_no, i.name, q.record, q.line, q.code, q.column_name,
                    q.value, q.message, q.raw, q.fingerprint, r.id, i.source, b.name || ':' || m.line
             FROM quarantine AS q JOIN input AS i USING (input_no) JOIN run AS r USING (run_no)
             LEFT JOIN mended AS m ON m.quarantine_no = q.quarantine_no
             LEFT JOIN input AS b ON b.input_no = m.input_no
             WHERE (?1 IS NULL OR i.run_no = ?1) AND (?2 IS NULL OR q.quarantine_no = ?2)
               AND (?3 IS NULL OR q.code = ?3) AND (?4 IS NULL OR instr(i.name, ?4) > 0)
               AND (NOT ?5 OR m.quarantine_no IS NULL)
             ORDER BY q.quarantine_no",
        )?;
        let mut rows = statement.query(params![
            filter.run.map(|run| run.0),
            filter.no,
            filter.code,
            filter.input,
            filter.open_only
        ])?;
        while let Some(row) = rows.next()? {
            visit(QuarantineEntry {
                no: row.get(0)?,
                input_no: row.get(1)?,
                input: row.get(2)?,
                record: row.get(3)?,
                line: row.get(4)?,
                code: row.get(5)?,
                column: row.get(6)?,
                value: row.get(7)?,
                message: row.get(8)?,
                raw: row.get(9)?,
                fingerprint: Fingerprint(row.get(10)?),
                run: row.get(11)?,
                source: row.get(12)?,
                mended_by: row.get(13)?,
            })?;
        }
        Ok(())
    }

    /// Returns the header of an input; empty for JSON.
    pub fn input_header(&self, input_no: i64) -> Result<Vec<String>> {
        let text: String = self
            .connection
            .prepare_cached("SELECT header FROM input WHERE input_no = ?1")?
            .query_row([input_no], |row| row.get(0))?;
        Ok(serde_json::from_str(&text)?)
    }
}
