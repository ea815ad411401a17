//! What targets were given, what they call it, and what they would not take.

use anyhow::Result;
use rusqlite::{OptionalExtension as _, Row, ToSql, params};

use super::Store;
use super::metrics::{ACTIVITY, is_activity};
use super::touches::{KeptTouch, read_touch};
use crate::model::ids::{LeadNo, RunNo};

/// A target as the store knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetNo(pub i64);

/// Where a target's file was written last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LastPublication {
    /// The run; 0 when it never was.
    pub run: i64,
    /// What its rows followed from beside the leads; empty when that is not known.
    pub definition: String,
}

/// A row that a target would not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number.
    pub no: i64,
    /// The target's id.
    pub target: String,
    /// The lead's id, the task's or the conversion's.
    pub item: String,
    /// Why, for programs.
    pub code: String,
    /// Header of the column at fault; may be empty.
    pub column: String,
    /// Why, in one sentence.
    pub reason: String,
    /// `open`, `resolved` or `dropped`.
    pub state: String,
    /// When it was refused first, milliseconds since 1970 UTC.
    pub first_ms: i64,
    /// When it was refused last, the same.
    pub last_ms: i64,
    /// When it was over, the same.
    pub closed_ms: Option<i64>,
    /// Why it was over.
    pub because: String,
}

/// Which dead letters to list; `None` means any.
#[derive(Debug, Clone, Default)]
pub struct DeadLetterFilter {
    /// Of this target.
    pub target: Option<String>,
    /// With this code.
    pub code: Option<String>,
    /// With this number.
    pub no: Option<i64>,
    /// Also those that are over.
    pub any_state: bool,
}

/// An item that a target has, and whose lead is in no list any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawnItem {
    /// The item: the lead's id.
    pub item: String,
    /// What the target calls its record.
    pub record_id: Option<String>,
    /// The lead that has its rows, after a merge.
    pub now_in: Option<String>,
}

/// How one refusal is told to the store.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// Why, for programs.
    pub code: &'a str,
    /// Header of the column at fault.
    pub column: &'a str,
    /// Why, in one sentence.
    pub reason: &'a str,
    /// The run that found it; none when the target said so.
    pub run: Option<RunNo>,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// Stands for the row of an item that the target would not take.
pub const NOT_TAKEN: [u8; 16] = [0; 16];
/// Code of the dead letter of a row that the target was given and would not take.
pub const REFUSED: &str = "refused";

const DEAD_LETTERS: &str = "SELECT d.dead_letter_no, t.id, d.item, d.code, d.column_name, d.reason, d.state, \
     d.first_ms, d.last_ms, d.closed_ms, d.because \
     FROM dead_letter AS d JOIN delivery_target AS t USING (target_no)";

impl Store {
    /// Returns the number of the target called `id`, which it gets the first time.
    pub fn target_no(&self, id: &str) -> Result<TargetNo> {
        if let Some(known) = self.known_target(id)? {
            return Ok(known);
        }
        self.connection.execute("INSERT INTO delivery_target (id) VALUES (?1)", [id])?;
        Ok(TargetNo(self.connection.last_insert_rowid()))
    }

    /// Returns the number of the target called `id`; `None` when nothing was ever written for it.
    pub fn known_target(&self, id: &str) -> Result<Option<TargetNo>> {
        let sql = "SELECT target_no FROM delivery_target WHERE id = ?1";
        let read = |row: &Row<'_>| row.get(0).map(TargetNo);
        Ok(self.connection.prepare_cached(sql)?.query_row([id], read).optional()?)
    }

    /// Returns where `target`'s file was written last before `run`.
    pub fn last_publication(&self, target: &str, run: RunNo) -> Result<LastPublication> {
        let sql = "SELECT run_no, definition FROM publication WHERE target = ?1 AND run_no < ?2";
        let read =
            |row: &Row<'_>| Ok(LastPublication { run: row.get(0)?, definition: row.get(1)? });
        let found = self.connection.query_row(sql, params![target, run.0], read).optional()?;
        Ok(found.unwrap_or_default())
    }

    /// Marks `target`'s file as written by `run`, its rows following from `definition`.
    pub fn keep_publication(&self, target: &str, run: RunNo, definition: &str) -> Result<()> {
        self.connection.execute(
            "INSERT INTO publication (target, run_no, definition) VALUES (?1, ?2, ?3)
             ON CONFLICT (target) DO UPDATE SET run_no = excluded.run_no, definition = excluded.definition",
            params![target, run.0, definition],
        )?;
        Ok(())
    }

    /// Returns the row of `item` as `target` has it; `None` when it has none, or was told to take it out.
    pub fn delivered(&self, target: TargetNo, item: &str) -> Result<Option<[u8; 16]>> {
        let sql = "SELECT row_hash FROM delivered
                   WHERE target_no = ?1 AND item = ?2 AND withdrawn_run IS NULL";
        let read = |row: &Row<'_>| row.get(0);
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![target.0, item], read).optional()?)
    }

    /// Returns the id of the run whose file gave `target` the row of `item` that it has.
    pub fn delivered_by(&self, target: TargetNo, item: &str) -> Result<Option<String>> {
        let sql = "SELECT r.id FROM delivered AS d JOIN run AS r USING (run_no)
                   WHERE d.target_no = ?1 AND d.item = ?2 AND d.withdrawn_run IS NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![target.0, item], |row| row.get(0)).optional()?)
    }

    /// Returns whether `target` was ever given `item`.
    pub fn was_delivered(&self, target: TargetNo, item: &str) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM delivered WHERE target_no = ?1 AND item = ?2)";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![target.0, item], |row| row.get(0))?)
    }

    /// Keeps that `target` was given `item` by `run` as a row of this hash.
    pub fn keep_delivered(
        &self,
        target: TargetNo,
        item: &str,
        row_hash: [u8; 16],
        run: RunNo,
    ) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO delivered VALUES (?1, ?2, ?3, ?4, NULL)
                 ON CONFLICT (item, target_no) DO UPDATE SET row_hash = excluded.row_hash,
                     run_no = excluded.run_no, withdrawn_run = NULL",
            )?
            .execute(params![target.0, item, row_hash, run.0])?;
        Ok(())
    }

    /// Forgets that `target` was given `item`: it did not take it.
    pub fn forget_delivered(&self, target: TargetNo, item: &str) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM delivered WHERE target_no = ?1 AND item = ?2")?
            .execute(params![target.0, item])?;
        Ok(())
    }

    /// Returns the leads that `target` has and that are in no list any more, in order of id.
    pub fn withdrawn_from(&self, target: TargetNo) -> Result<Vec<WithdrawnItem>> {
        // From the side of the leads that are gone: they are few, and what was delivered is most of the store.
        let mut statement = self.connection.prepare_cached(
            "WITH gone AS (
                 SELECT id FROM lead WHERE merged_into IS NOT NULL
                 UNION SELECT id FROM withdrawal)
             SELECT d.item, k.record_id,
                    (SELECT l.id FROM lead_alias AS a JOIN lead AS l ON l.lead_no = a.lead_no
                     WHERE a.id = d.item AND l.merged_into IS NULL)
             FROM gone AS g
             CROSS JOIN delivered AS d ON d.target_no = ?1 AND d.item = g.id AND d.withdrawn_run IS NULL
             LEFT JOIN target_record AS k ON k.target_no = d.target_no AND k.item = d.item
             WHERE NOT EXISTS (SELECT 1 FROM lead_alias AS a JOIN lead AS l ON l.lead_no = a.lead_no
                               WHERE a.id = d.item AND l.id = a.id AND l.merged_into IS NULL)
             ORDER BY d.item",
        )?;
        let rows = statement.query_map([target.0], |row| {
            Ok(WithdrawnItem { item: row.get(0)?, record_id: row.get(1)?, now_in: row.get(2)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps that `run` told `target` to take `item` out.
    pub fn keep_withdrawn(&self, target: TargetNo, item: &str, run: RunNo) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE delivered SET withdrawn_run = ?3 WHERE target_no = ?1 AND item = ?2",
            )?
            .execute(params![target.0, item, run.0])?;
        Ok(())
    }

    /// Keeps what `target` calls its record of `item`.
    pub fn keep_record_id(
        &self,
        target: TargetNo,
        item: &str,
        record_id: &str,
        at_ms: i64,
    ) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO target_record VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (target_no, item) DO UPDATE SET record_id = excluded.record_id,
                     at_ms = excluded.at_ms",
            )?
            .execute(params![target.0, item, record_id, at_ms])?;
        Ok(())
    }

    /// Forgets what `target` calls its record of `item`: it has none any more.
    pub fn forget_record_id(&self, target: TargetNo, item: &str) -> Result<()> {
        self.connection.execute(
            "DELETE FROM target_record WHERE target_no = ?1 AND item = ?2",
            params![target.0, item],
        )?;
        Ok(())
    }

    /// Returns what `target` calls its record of `item`.
    pub fn record_id(&self, target: TargetNo, item: &str) -> Result<Option<String>> {
        let sql = "SELECT record_id FROM target_record WHERE target_no = ?1 AND item = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![target.0, item], |row| row.get(0)).optional()?)
    }

    /// Keeps that `target` would not take `item`. One that somebody dropped opens again only for another reason.
    pub fn keep_dead_letter(
        &self,
        target: TargetNo,
        item: &str,
        refused: Refused<'_>,
    ) -> Result<()> {
        let Refused { code, column, reason, run, at_ms } = refused;
        let known = self
            .connection
            .prepare_cached(
                "UPDATE dead_letter SET last_ms = max(last_ms, ?6), reason = ?5,
                     state = CASE WHEN code = ?3 AND column_name = ?4 THEN state ELSE 'open' END,
                     closed_ms = CASE WHEN code = ?3 AND column_name = ?4 THEN closed_ms END,
                     because = CASE WHEN code = ?3 AND column_name = ?4 THEN because ELSE '' END,
                     code = ?3, column_name = ?4
                 WHERE target_no = ?1 AND item = ?2 AND state <> 'resolved'",
            )?
            .execute(params![target.0, item, code, column, reason, at_ms])?;
        if known == 0 {
            self.connection
                .prepare_cached(
                    "INSERT INTO dead_letter (target_no, item, code, column_name, reason, state,
                                              first_run, first_ms, last_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5, 'open', ?6, ?7, ?7)",
                )?
                .execute(params![
                    target.0,
                    item,
                    code,
                    column,
                    reason,
                    run.map(|run| run.0),
                    at_ms
                ])?;
        }
        Ok(())
    }

    /// Opens the dead letter of `item` at `target` again where somebody dropped it: the target has said so again.
    pub fn reopen_dead_letter(&self, target: TargetNo, item: &str) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE dead_letter SET state = 'open', closed_ms = NULL, because = ''
                 WHERE target_no = ?1 AND item = ?2 AND state = 'dropped'",
            )?
            .execute(params![target.0, item])?;
        Ok(())
    }

    /// Closes the dead letter of `item` at `target`, if there is one; returns whether there was one that was open or
    /// dropped.
    pub fn resolve_dead_letter(
        &self,
        target: TargetNo,
        item: &str,
        at_ms: i64,
        because: &str,
    ) -> Result<bool> {
        let closed = self
            .connection
            .prepare_cached(
                "UPDATE dead_letter SET state = 'resolved', closed_ms = ?3, because = ?4
                 WHERE target_no = ?1 AND item = ?2 AND state <> 'resolved'",
            )?
            .execute(params![target.0, item, at_ms, because])?;
        Ok(closed > 0)
    }

    /// Marks the row of `item` that `target` was given as one that it has not: whatever is offered differs from it.
    pub fn mark_not_taken(&self, target: TargetNo, item: &str) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE delivered SET row_hash = ?3 WHERE target_no = ?1 AND item = ?2",
            )?
            .execute(params![target.0, item, NOT_TAKEN])?;
        Ok(())
    }

    /// Lets the next run offer everything to the file of `target` once more: what it has as it is stays out of it.
    pub fn offer_again(&self, target: &str) -> Result<()> {
        // As though its rows followed from something else than they do.
        let sql = "UPDATE publication SET definition = 'offered again' WHERE target = ?1";
        self.connection.execute(sql, [target])?;
        Ok(())
    }

    /// Returns why `target` would not take the row of `item` that it was given; `None` when it did not say so.
    pub fn refusal(&self, target: TargetNo, item: &str) -> Result<Option<String>> {
        let sql = "SELECT reason FROM dead_letter
                   WHERE target_no = ?1 AND item = ?2 AND state <> 'resolved' AND code = ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let reason = statement.query_row(params![target.0, item, REFUSED], |row| row.get(0));
        Ok(reason.optional()?)
    }

    /// Closes the dead letters of leads that are in no list any more; returns how many were open. What an endpoint may
    /// have taken stays for somebody to look at.
    pub fn resolve_dead_letters_of_gone(&self, at_ms: i64, because: &str) -> Result<u64> {
        let closed = self.connection.execute(
            "UPDATE dead_letter SET state = 'resolved', closed_ms = ?1, because = ?2
             WHERE state = 'open' AND item LIKE 'LM-%' AND NOT EXISTS
                 (SELECT 1 FROM outbox AS o INDEXED BY outbox_by_item
                  WHERE o.target_no = dead_letter.target_no AND o.item = dead_letter.item AND o.state = 'held')
             AND NOT EXISTS
                 (SELECT 1 FROM lead AS l
                  JOIN lead_alias AS a ON a.lead_no = l.lead_no
                  WHERE a.id = CASE WHEN instr(item, '/') > 0 THEN substr(item, 1, instr(item, '/') - 1)
                                    ELSE item END
                    AND (l.id = a.id OR instr(item, '/') > 0) AND l.merged_into IS NULL)",
            params![at_ms, because],
        )?;
        Ok(closed as u64)
    }

    /// Lets the open dead letter with this number rest; returns whether there is one.
    pub fn drop_dead_letter(&self, no: i64, at_ms: i64, because: &str) -> Result<bool> {
        let dropped = self.connection.execute(
            "UPDATE dead_letter SET state = 'dropped', closed_ms = ?2, because = ?3
             WHERE dead_letter_no = ?1 AND state = 'open'",
            params![no, at_ms, because],
        )?;
        Ok(dropped > 0)
    }

    /// Returns whether the target called `id` was ever published to, so that it may have been given something.
    pub fn was_published(&self, id: &str) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM publication WHERE target = ?1)";
        Ok(self.connection.query_row(sql, [id], |row| row.get(0))?)
    }

    /// Returns whether `target` has dead letters that are not resolved.
    pub fn has_dead_letters(&self, target: TargetNo) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM dead_letter WHERE target_no = ?1 AND state <> 'resolved')";
        Ok(self.connection.query_row(sql, [target.0], |row| row.get(0))?)
    }

    /// Returns how many open dead letters each target has that has any, by its id.
    pub fn dead_letters_by_target(&self) -> Result<Vec<(String, u64)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT t.id, count(*) FROM dead_letter AS d JOIN delivery_target AS t USING (target_no)
             WHERE d.state = 'open' GROUP BY t.id ORDER BY t.id",
        )?;
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns how many dead letters are open.
    pub fn count_dead_letters(&self) -> Result<u64> {
        let sql = "SELECT count(*) FROM dead_letter WHERE state = 'open'";
        let count: i64 = self.connection.query_row(sql, [], |row| row.get(0))?;
        Ok(count as u64)
    }

    /// Hands the dead letters that `filter` lets through to `visit`, the earliest first.
    pub fn each_dead_letter(
        &self,
        filter: &DeadLetterFilter,
        mut visit: impl FnMut(DeadLetter) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(&format!(
            "{DEAD_LETTERS}
             WHERE (?1 IS NULL OR t.id = ?1) AND (?2 IS NULL OR d.code = ?2)
               AND (?3 IS NULL OR d.dead_letter_no = ?3) AND (?4 OR d.state = 'open')
             ORDER BY d.dead_letter_no"
        ))?;
        let given = params![filter.target, filter.code, filter.no, filter.any_state];
        let mut rows = statement.query(given)?;
        while let Some(row) = rows.next()? {
            visit(DeadLetter {
                no: row.get(0)?,
                target: row.get(1)?,
                item: row.get(2)?,
                code: row.get(3)?,
                column: row.get(4)?,
                reason: row.get(5)?,
                state: row.get(6)?,
                first_ms: row.get(7)?,
                last_ms: row.get(8)?,
                closed_ms: row.get(9)?,
                because: row.get(10)?,
            })?;
        }
        Ok(())
    }

    /// Returns when `lead` came to be in `segment` the first time, milliseconds since 1970 UTC: the instant of the
    /// run that decided so.
    pub fn reached_segment_ms(&self, lead: LeadNo, segment: &str) -> Result<Option<i64>> {
        let sql = "SELECT r.as_of_ms FROM decision AS d JOIN run AS r USING (run_no)
                   WHERE d.lead_no = ?1 AND d.segment = ?2 ORDER BY d.run_no LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![lead.0, segment], |row| row.get(0)).optional()?)
    }

    /// Returns the leads that a later run than `run` changed, in order.
    pub fn leads_changed_after(&self, run: i64) -> Result<Vec<LeadNo>> {
        let sql = "SELECT lead_no FROM lead
                   WHERE merged_into IS NULL AND changed_run > ?1 ORDER BY lead_no";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([run], |row| row.get(0).map(LeadNo))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the touches of this `kind` that a later run than `run` received, in order of number.
    pub fn touches_received_after(&self, run: i64, kind: &str) -> Result<Vec<KeptTouch>> {
        let found = "FROM input AS i CROSS JOIN touch AS t ON t.input_no = i.input_no
                     WHERE i.run_no > ?1 AND t.kind = ?2";
        self.touches_found(found, params![run, kind])
    }

    /// Returns the touches of this `kind` that lay ahead when `run` was published and no longer do at `as_of_ms`, such
    /// as what a list calls won today, for which noon stands in; in order of number.
    pub fn touches_come_true(&self, run: i64, as_of_ms: i64, kind: &str) -> Result<Vec<KeptTouch>> {
        // What the sales side did has an index; other kinds are rarely told as conversions.
        let by_index =
            if ACTIVITY.contains(&kind) { format!("AND {}", is_activity()) } else { String::new() };
        let found = format!(
            "FROM touch AS t JOIN input AS i USING (input_no)
             WHERE t.kind = ?3 {by_index} AND t.at_ms <= ?2
               AND t.at_ms > (SELECT as_of_ms FROM run WHERE run_no = ?1)"
        );
        self.touches_found(&found, params![run, as_of_ms, kind])
    }

    /// Returns the touches `t`, of inputs `i`, that are `found` in a `FROM` with its condition, in order of number.
    fn touches_found(&self, found: &str, params: &[&dyn ToSql]) -> Result<Vec<KeptTouch>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT t.touch_no, t.at_ms, t.kind, t.detail, t.identities, i.source, t.amount, t.currency
             {found} ORDER BY t.touch_no"
        ))?;
        let mut rows = statement.query(params)?;
        let mut touches = Vec::new();
        while let Some(row) = rows.next()? {
            touches.push(read_touch(row)?);
        }
        Ok(touches)
    }
}
