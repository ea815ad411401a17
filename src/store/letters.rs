//! What is stuck in the outbox: sent once more, or let rest.

use anyhow::Result;
use rusqlite::params;

use super::Store;
use super::deliveries::{REFUSED, TargetNo};

/// A dead letter whose row is to go to its target once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrivable {
    /// Number of the item in the outbox; `None` for a row of a file.
    pub no: Option<i64>,
    /// Number of the dead letter.
    pub letter: i64,
    /// The endpoint's id, or the target's.
    pub to: String,
    /// The item's id.
    pub item: String,
    /// The dead letter's code.
    pub code: String,
    /// The dead letter's reason.
    pub reason: String,
    /// When it died, milliseconds since 1970 UTC.
    pub last_ms: i64,
}

impl Store {
    /// Returns the open dead letters whose bytes are in the outbox, and those of rows of files that a target was given
    /// and would not take; the earliest first.
    pub fn redrivable(&self) -> Result<Vec<Redrivable>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT o.outbox_no, d.dead_letter_no AS letter, t.id, o.item, d.code, d.reason, d.last_ms
             FROM dead_letter AS d
             JOIN delivery_target AS t USING (target_no)
             JOIN outbox AS o ON o.target_no = d.target_no AND o.item = d.item AND o.state IN ('dead', 'held')
             WHERE d.state = 'open'
               AND NOT EXISTS (SELECT 1 FROM outbox AS later
                               WHERE later.target_no = o.target_no AND later.item = o.item
                                 AND later.outbox_no > o.outbox_no)
             UNION ALL
             SELECT NULL, d.dead_letter_no, t.id, d.item, d.code, d.reason, d.last_ms
             FROM dead_letter AS d
             JOIN delivery_target AS t USING (target_no)
             JOIN delivered AS g ON g.target_no = d.target_no AND g.item = d.item AND g.withdrawn_run IS NULL
             WHERE d.state = 'open' AND d.code = ?1
               AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.target_no = d.target_no AND o.item = d.item)
             ORDER BY letter",
        )?;
        let rows = statement.query_map([REFUSED], |row| {
            Ok(Redrivable {
                no: row.get(0)?,
                letter: row.get(1)?,
                to: row.get(2)?,
                item: row.get(3)?,
                code: row.get(4)?,
                reason: row.get(5)?,
                last_ms: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Lets the item with this number be sent once more: in its own request again, with its id and its bytes, or, where
    /// it stood among others, in one of its own.
    pub fn redrive(&self, no: i64, now_ms: i64) -> Result<()> {
        let again = self.connection.prepare_cached(
            "UPDATE outbox_request SET attempts = 0, next_ms = ?2, closed_ms = NULL, first_failure_ms = NULL,
                 state = CASE WHEN unknowns > 0 THEN 'unknown' ELSE 'waiting' END
             WHERE state IN ('dead', 'held')
               AND request_no = (SELECT request_no FROM outbox WHERE outbox_no = ?1)
               AND 1 = (SELECT count(*) FROM outbox AS o WHERE o.request_no = outbox_request.request_no)",
        )?
        .execute(params![no, now_ms])?;
        if again == 0 {
            return self.let_wait_again(no, true);
        }
        self.connection
            .prepare_cached(
                "UPDATE outbox SET state = 'claimed', closed_ms = NULL WHERE outbox_no = ?1",
            )?
            .execute([no])?;
        Ok(())
    }

    /// Ends what is stuck of `item` at `target`: nobody will send it any more. `is_there` says that somebody has found
    /// it there; otherwise it rests.
    pub fn end_stuck(
        &self,
        target: TargetNo,
        item: &str,
        is_there: bool,
        because: &str,
        now_ms: i64,
    ) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE outbox_request SET body = x'', closed_ms = ?3,
                     state = CASE WHEN ?4 AND state = 'held' THEN 'done' ELSE 'dead' END
                 WHERE state IN ('dead', 'held') AND request_no IN
                     (SELECT o.request_no FROM outbox AS o
                      WHERE o.target_no = ?1 AND o.item = ?2 AND o.state IN ('dead', 'held'))
                   AND NOT EXISTS
                     (SELECT 1 FROM outbox AS o WHERE o.request_no = outbox_request.request_no AND o.item <> ?2
                                                  AND o.state IN ('dead', 'held'))",
            )?
            .execute(params![target.0, item, now_ms, is_there])?;
        self.connection
            .prepare_cached(
                "UPDATE outbox SET state = CASE WHEN ?5 AND state = 'held' THEN 'delivered' ELSE 'dropped' END,
                     part = x'', recipient = '', because = ?3, closed_ms = ?4
                 WHERE target_no = ?1 AND item = ?2 AND state IN ('dead', 'held')",
            )?
            .execute(params![target.0, item, because, now_ms, is_there])?;
        Ok(())
    }
}
