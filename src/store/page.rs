//! What only the page asks for: sums over all leads, tasks and quarantined rows.

use anyhow::Result;

use super::Store;

/// Zones differ from UTC by whole quarters of an hour, so leads of one quarter are of one day everywhere.
const QUARTER_MS: i64 = 15 * 60_000;

/// Leads that wrote first in one quarter of an hour and came by one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrivals {
    /// Where the quarter begins, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Preset of the input that brought them.
    pub source: String,
    /// How many.
    pub leads: u64,
    /// Those of them that are hot now.
    pub hot: u64,
}

/// Rows that wait in quarantine for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Stable code.
    pub code: String,
    /// How many.
    pub rows: u64,
    /// What is wrong with the latest of them.
    pub message: String,
}

impl Store {
    /// Returns the leads that wrote first at `since_ms` or later and before `until_ms`, in order of time and source.
    pub fn arrivals(&self, since_ms: i64, until_ms: i64) -> Result<Vec<Arrivals>> {
        let mut statement = self.connection.prepare(&format!(
            "SELECT l.first_ms / {QUARTER_MS} AS quarter, i.source, count(*),
                    count(*) FILTER (WHERE l.segment = 'hot')
             FROM lead AS l INDEXED BY lead_by_first
             CROSS JOIN submission AS s INDEXED BY submission_glance ON s.submission_no = l.founder_no
             CROSS JOIN input AS i ON i.input_no = s.input_no
             WHERE l.merged_into IS NULL AND l.first_ms >= ?1 AND l.first_ms < ?2
             GROUP BY 1, 2 ORDER BY 1, 2"
        ))?;
        let rows = statement.query_map([since_ms, until_ms], |row| {
            Ok(Arrivals {
                at_ms: row.get::<_, i64>(0)? * QUARTER_MS,
                source: row.get(1)?,
                leads: row.get::<_, i64>(2)? as u64,
                hot: row.get::<_, i64>(3)? as u64,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns why rows wait in quarantine for which none has come back, the most first.
    pub fn waiting_in_quarantine(&self) -> Result<Vec<Waiting>> {
        // SQLite takes what is not aggregated from the row with the maximum.
        let mut statement = self.connection.prepare(
            "SELECT q.code, count(*), q.message, max(q.quarantine_no) FROM quarantine AS q
             WHERE NOT EXISTS (SELECT 1 FROM mended AS m WHERE m.quarantine_no = q.quarantine_no)
             GROUP BY q.code ORDER BY count(*) DESC, q.code",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Waiting {
                code: row.get(0)?,
                rows: row.get::<_, i64>(1)? as u64,
                message: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
