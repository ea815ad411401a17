//! Alerts as they open and close, and the figures that they go by.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::Result;
use rusqlite::params;

use super::Store;
use super::metrics::Key;
use crate::model::ids::RunNo;
use crate::model::metric::By;
use crate::model::run::Alert;
use crate::rules::alerts::AlertBy;

/// An alert as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAlert {
    /// The alert, with what was found last.
    pub alert: Alert,
    /// When it opened, milliseconds since 1970 UTC.
    pub opened_ms: i64,
    /// When it closed; `None` while it is open.
    pub closed_ms: Option<i64>,
    /// The run that opened it; empty when that was undone.
    pub opened_by: String,
}

/// What became of an alert that fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firing {
    /// It opened.
    Opened,
    /// It goes on, and somebody is told again.
    ToldAgain,
    /// It goes on, and was told not long ago.
    Quiet,
}

impl Store {
    /// Keeps that `alert` fires in `run`; while it goes on, it is told again once `cooldown_ms` is over.
    pub fn fire_alert(
        &self,
        run: RunNo,
        as_of_ms: i64,
        alert: &Alert,
        cooldown_ms: i64,
    ) -> Result<Firing> {
        let again = self
            .connection
            .prepare_cached(
                "UPDATE alert SET message = ?2, told_ms = ?3
                 WHERE key = ?1 AND closed_ms IS NULL AND told_ms + ?4 <= ?3",
            )?
            .execute(params![alert.key, alert.message, as_of_ms, cooldown_ms])?;
        if again > 0 {
            return Ok(Firing::ToldAgain);
        }
        let goes_on = self
            .connection
            .prepare_cached("UPDATE alert SET message = ?2 WHERE key = ?1 AND closed_ms IS NULL")?
            .execute(params![alert.key, alert.message])?;
        if goes_on > 0 {
            return Ok(Firing::Quiet);
        }
        self.connection
            .prepare_cached(
                "INSERT INTO alert (key, rule, message, opened_run, opened_ms, told_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
            )?
            .execute(params![alert.key, alert.id, alert.message, run.0, as_of_ms])?;
        Ok(Firing::Opened)
    }

    /// Closes the open alerts of the rules `asked` that are none of `firing`, as `run`; returns them.
    pub fn close_alerts(
        &self,
        run: RunNo,
        as_of_ms: i64,
        asked: &dyn Fn(&str) -> bool,
        firing: &[Alert],
    ) -> Result<Vec<KeptAlert>> {
        let mut closed = Vec::new();
        for kept in self.open_alerts()? {
            let goes_on = firing.iter().any(|one| one.key == kept.alert.key);
            if goes_on || !asked(&kept.alert.id) {
                continue;
            }
            self.connection
                .prepare_cached(
                    "UPDATE alert SET closed_run = ?2, closed_ms = ?3
                     WHERE key = ?1 AND closed_ms IS NULL",
                )?
                .execute(params![kept.alert.key, run.0, as_of_ms])?;
            closed.push(KeptAlert { closed_ms: Some(as_of_ms), ..kept });
        }
        Ok(closed)
    }

    /// Takes back what `run` opened and closed, for it goes; one that has opened anew since stays as it is.
    pub fn take_alerts_back(&self, run: RunNo) -> Result<()> {
        self.connection.execute("DELETE FROM alert WHERE opened_run = ?1", [run.0])?;
        self.connection.execute(
            "UPDATE alert SET closed_run = NULL, closed_ms = NULL
             WHERE closed_run = ?1 AND NOT EXISTS
                 (SELECT 1 FROM alert AS open WHERE open.key = alert.key AND open.closed_ms IS NULL)",
            [run.0],
        )?;
        Ok(())
    }

    /// Returns the alerts that are open, in order of key.
    pub fn open_alerts(&self) -> Result<Vec<KeptAlert>> {
        self.alerts_where("a.closed_ms IS NULL ORDER BY a.key", &[])
    }

    /// Returns the alerts that closed in `run`, in order of key.
    pub fn alerts_closed_by(&self, run: RunNo) -> Result<Vec<KeptAlert>> {
        self.alerts_where("a.closed_run = ?1 ORDER BY a.key", &[&run.0])
    }

    /// Returns the alerts that were open at or after `since_ms`, the latest opened first.
    pub fn alerts_since(&self, since_ms: i64) -> Result<Vec<KeptAlert>> {
        let which = "a.closed_ms IS NULL OR a.closed_ms >= ?1
                     ORDER BY a.closed_ms IS NOT NULL, a.opened_ms DESC, a.key";
        self.alerts_where(which, &[&since_ms])
    }

    fn alerts_where(&self, which: &str, given: &[&dyn rusqlite::ToSql]) -> Result<Vec<KeptAlert>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT a.rule, a.key, a.message, a.opened_ms, a.closed_ms, coalesce(r.id, '')
             FROM alert AS a LEFT JOIN run AS r ON r.run_no = a.opened_run WHERE {which}"
        ))?;
        let rows = statement.query_map(given, |row| {
            Ok(KeptAlert {
                alert: Alert { id: row.get(0)?, key: row.get(1)?, message: row.get(2)? },
                opened_ms: row.get(3)?,
                closed_ms: row.get(4)?,
                opened_by: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Hands each lead that first wrote in `span`, milliseconds since 1970 UTC, to `visit`: when, whether it may be
    /// written to, and what `by` tells it by.
    pub fn each_arrival(
        &self,
        by: Option<AlertBy>,
        span: Range<i64>,
        mut visit: impl FnMut(i64, bool, String),
    ) -> Result<()> {
        let of = match by {
            None => "''",
            Some(AlertBy::Source) => "i.source",
            Some(AlertBy::Campaign) => Key::By(By::Campaign).sql(),
            Some(AlertBy::Form) => Key::By(By::Form).sql(),
        };
        let from = match by {
            None => "",
            Some(_) => {
                "CROSS JOIN submission AS s INDEXED BY submission_glance ON s.submission_no = l.founder_no \
                 CROSS JOIN input AS i ON i.input_no = s.input_no"
            }
        };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT l.first_ms, l.may_email, coalesce({of}, '') FROM lead AS l INDEXED BY lead_by_first {from}
             WHERE l.merged_into IS NULL AND l.first_ms >= ?1 AND l.first_ms < ?2"
        ))?;
        let mut rows = statement.query([span.start, span.end])?;
        while let Some(row) = rows.next()? {
            visit(row.get(0)?, row.get(1)?, row.get(2)?);
        }
        Ok(())
    }

    /// Returns when the first lead wrote of those that wrote at or after `since_ms`, milliseconds since 1970 UTC.
    pub fn first_arrival_ms(&self, since_ms: i64) -> Result<Option<i64>> {
        let sql = "SELECT min(first_ms) FROM lead INDEXED BY lead_by_first
                   WHERE merged_into IS NULL AND first_ms >= ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([since_ms], |row| row.get(0))?)
    }

    /// Returns the sources of all inputs that brought submissions.
    pub fn sources(&self) -> Result<BTreeSet<String>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT DISTINCT source FROM input WHERE accepted > 0")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns when an input of each source was read last, milliseconds since 1970 UTC.
    pub fn last_input_by_source(&self) -> Result<BTreeMap<String, i64>> {
        self.instants(
            "SELECT i.source, max(r.as_of_ms) FROM input AS i JOIN run AS r USING (run_no)
             WHERE r.undone_by IS NULL GROUP BY i.source",
        )
    }

    /// Returns when a test lead of each source was read last, milliseconds since 1970 UTC.
    pub fn last_test_by_source(&self) -> Result<BTreeMap<String, i64>> {
        self.instants(
            "SELECT i.source, max(r.as_of_ms) FROM held AS h JOIN input AS i USING (input_no)
             JOIN run AS r USING (run_no) WHERE h.reason = 'test' GROUP BY i.source",
        )
    }

    fn instants(&self, sql: &str) -> Result<BTreeMap<String, i64>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the open calls and tasks that were due before `due_before_ms`.
    pub fn count_overdue(&self, due_before_ms: i64) -> Result<u64> {
        self.count_of(
            "SELECT count(*) FROM task JOIN lead USING (lead_no)
             WHERE state = 'open' AND channel IN ('call', 'task') AND due_ms < ?1
               AND merged_into IS NULL",
            due_before_ms,
        )
    }

    /// Returns the hot leads that wrote last before `before_ms` and for whom a call or a task is still open.
    pub fn count_hot_waiting(&self, before_ms: i64) -> Result<u64> {
        self.count_of(
            "SELECT count(*) FROM lead AS l INDEXED BY lead_hot
             WHERE l.segment = 'hot' AND l.merged_into IS NULL AND l.last_ms < ?1
               AND EXISTS (SELECT 1 FROM task AS t WHERE t.lead_no = l.lead_no
                             AND t.state = 'open' AND t.channel IN ('call', 'task'))",
            before_ms,
        )
    }

    fn count_of(&self, sql: &str, before_ms: i64) -> Result<u64> {
        let count: i64 =
            self.connection.prepare_cached(sql)?.query_row([before_ms], |row| row.get(0))?;
        Ok(count as u64)
    }
}
