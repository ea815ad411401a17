//! What is sent over the wire: what waits, what is being sent, what became of it.
//!
//! Everything here is written in transactions of a few rows, so that a run and `deliver` never wait long for each
//! other; whoever calls opens them.

use anyhow::Result;
use rusqlite::{OptionalExtension as _, Row, params};
use sha2::{Digest as _, Sha256};

use super::Store;
use super::deliveries::TargetNo;
use crate::model::ids::RunNo;

/// Something that is to be delivered.
#[derive(Debug, Clone, Copy)]
pub struct ToDeliver<'a> {
    /// The endpoint.
    pub target: TargetNo,
    /// Its id.
    pub item: &'a str,
    /// Id of its lead; empty where there is none.
    pub lead_id: &'a str,
    /// Its part of a request.
    pub part: &'a [u8],
    /// The address that a mail goes to; empty elsewhere.
    pub recipient: &'a str,
    /// The run that lays it down.
    pub run: RunNo,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// Something that waits to be put into a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its number.
    pub no: i64,
    /// Its id.
    pub item: String,
    /// Id of its lead; empty where there is none.
    pub lead_id: String,
    /// Its part of a request.
    pub part: Vec<u8>,
    /// The address that a mail goes to.
    pub recipient: String,
    /// Whether it goes in a request of its own.
    pub is_alone: bool,
    /// The run that laid it down.
    pub run: RunNo,
    /// When, milliseconds since 1970 UTC.
    pub queued_ms: i64,
}

/// A request that is to be made, or made once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRequest {
    /// Its number.
    pub no: i64,
    /// Its id.
    pub id: String,
    /// Its bytes.
    pub body: Vec<u8>,
    /// Attempts, this one included once it is begun.
    pub attempts: u32,
    /// Whether nobody knows whether it was taken.
    pub is_unknown: bool,
    /// When it failed first, milliseconds since 1970 UTC.
    pub first_failure_ms: Option<i64>,
    /// The record that it changes, as the receiver calls it; empty where it makes one.
    pub record_id: String,
}

/// What items wait for beside their turn, at a receiver that makes a record of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waits {
    /// A record of the same lead at this endpoint, under which theirs is made.
    pub parent: Option<TargetNo>,
    /// Somebody's look at an earlier request of which nobody knows whether it made one.
    pub until_looked_at: bool,
}

/// An item of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub no: i64,
    /// Its id.
    pub item: String,
    /// Id of its lead; empty where there is none.
    pub lead_id: String,
    /// Whether it was not settled yet.
    pub is_open: bool,
    /// The address that a mail goes to.
    pub recipient: String,
    /// When it was laid down, milliseconds since 1970 UTC.
    pub queued_ms: i64,
}

/// What a request comes to, for now or for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// Surely not taken; to be made again.
    Waiting,
    /// Nobody knows; to be made again.
    Unknown,
    /// Nobody knows, and somebody is to look.
    Held,
    /// Over: each item is settled.
    Done,
    /// Over: nothing of it was taken.
    Dead,
    /// Over before it was taken: its items go on without it.
    Dissolved,
}

impl RequestState {
    fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Unknown => "unknown",
            Self::Held => "held",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Dissolved => "dissolved",
        }
    }

    fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Dead | Self::Dissolved)
    }
}

/// What an item comes to for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemEnd {
    /// It was taken.
    Delivered,
    /// It will not be taken; kept for somebody to look at.
    Dead,
    /// Nobody knows whether it was taken; kept for somebody to look at.
    Held,
    /// It must not be sent any more.
    Withdrawn,
    /// Somebody let it rest.
    Dropped,
}

impl ItemEnd {
    fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Held => "held",
            Self::Withdrawn => "withdrawn",
            Self::Dropped => "dropped",
        }
    }

    /// Whether somebody may want to send it after all, for which its bytes are needed.
    fn keeps_bytes(self) -> bool {
        matches!(self, Self::Dead | Self::Held)
    }
}

/// What is known of an endpoint from one command to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointState {
    /// Faults in a row.
    pub faults: u32,
    /// The latest outcomes as bits.
    pub recent: u32,
    /// How many these are.
    pub recent_count: u32,
    /// How often its circuit opened since it was closed last.
    pub opened: u32,
    /// Until when its circuit is open, milliseconds since 1970 UTC.
    pub open_until_ms: Option<i64>,
    /// Until when it asked to be left alone, the same.
    pub paused_until_ms: Option<i64>,
    /// What it was when it said that it is gone; empty when it never did.
    pub gone_as: String,
    /// Since when nothing has got through, milliseconds since 1970 UTC.
    pub failing_since_ms: Option<i64>,
    /// Why.
    pub last_code: String,
}

/// How many items wait for something beside their turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Blocked {
    /// For the record under which theirs is made.
    pub for_record: u64,
    /// For somebody's look at an earlier one of theirs.
    pub for_look: u64,
}

/// What waits for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The endpoint.
    pub target: TargetNo,
    /// The endpoint's id.
    pub endpoint: String,
    /// Items that wait, be it in a request or not.
    pub items: u64,
    /// Those of them of which nobody knows whether they were taken.
    pub unknown: u64,
    /// Items that are dead or held, and whose dead letter is open.
    pub stuck: u64,
    /// When the oldest of those that wait was laid down, milliseconds since 1970 UTC.
    pub oldest_ms: Option<i64>,
    /// When the earliest failure of those that wait was, the same.
    pub failing_since_ms: Option<i64>,
    /// What the latest failure was.
    pub last_code: String,
}

/// A mail that was sent, and whose task is not said to be done yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMail {
    /// Its number.
    pub no: i64,
    /// Id of its task.
    pub item: String,
    /// When it was sent, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// Whether the record is there under which that of `o` is made; `?2` has these.
const HAS_PARENT: &str = "(?2 IS NULL OR EXISTS
     (SELECT 1 FROM target_record AS p WHERE p.target_no = ?2 AND p.item = o.item))";
/// Whether nothing of the item of `o` waits for somebody's look, where `?3` says that this matters.
const IS_LOOKED_AT: &str = "(NOT ?3 OR NOT EXISTS
     (SELECT 1 FROM outbox AS h INDEXED BY outbox_by_item
      WHERE h.target_no = o.target_no AND h.item = o.item AND h.state = 'held'))";

impl Store {
    /// Lays something down to be delivered. What waits of the same item, and is in no request yet, gives way to it.
    pub fn lay_down(&self, one: ToDeliver<'_>) -> Result<()> {
        let ToDeliver { target, item, lead_id, part, recipient, run, at_ms } = one;
        self.connection
            .prepare_cached(
                "UPDATE outbox SET state = 'superseded', part = x'', recipient = '', closed_ms = ?3,
                     because = 'a newer row of the same lead took its place'
                 WHERE target_no = ?1 AND item = ?2 AND state = 'pending'",
            )?
            .execute(params![target.0, item, at_ms])?;
        self.connection
            .prepare_cached(
                "INSERT INTO outbox (target_no, item, lead_id, part, recipient, run_no, queued_ms, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending')",
            )?
            .execute(params![target.0, item, lead_id, part, recipient, run.0, at_ms])?;
        Ok(())
    }

    /// Returns whether `item` was ever laid down for `target`, whatever became of it.
    pub fn was_laid_down(&self, target: TargetNo, item: &str) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE target_no = ?1 AND item = ?2)";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![target.0, item], |row| row.get(0))?)
    }

    /// Marks requests that a process left behind while it made them as of unknown fate, to be made again at `now_ms`;
    /// returns them.
    pub fn recover_requests(&self, target: TargetNo, now_ms: i64) -> Result<Vec<KeptRequest>> {
        let mut statement = self.connection.prepare_cached(
            "UPDATE outbox_request SET state = 'unknown', unknowns = unknowns + 1, next_ms = ?2,
                 first_failure_ms = coalesce(first_failure_ms, ?2), last_code = 'killed',
                 first_code = CASE WHEN first_code = '' THEN 'killed' ELSE first_code END
             WHERE target_no = ?1 AND state = 'inflight'
             RETURNING request_no, id, body, attempts, state = 'unknown', first_failure_ms, record_id",
        )?;
        let rows = statement.query_map(params![target.0, now_ms], read_request)?;
        let mut found: Vec<KeptRequest> = rows.collect::<rusqlite::Result<_>>()?;
        found.sort_unstable_by_key(|request| request.no);
        Ok(found)
    }

    /// Returns requests to `target` that are to be made again by `now_ms`, the longest due first.
    pub fn due_requests(
        &self,
        target: TargetNo,
        now_ms: i64,
        most: usize,
    ) -> Result<Vec<KeptRequest>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT request_no, id, body, attempts, state = 'unknown', first_failure_ms, record_id
             FROM outbox_request
             WHERE target_no = ?1 AND state IN ('waiting', 'unknown') AND next_ms <= ?2
             ORDER BY next_ms, request_no LIMIT ?3",
        )?;
        let rows = statement.query_map(params![target.0, now_ms, most as i64], read_request)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the items of request `no`, in their order.
    pub fn members_of(&self, no: i64) -> Result<Vec<Member>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT outbox_no, item, lead_id, state = 'claimed', recipient, queued_ms FROM outbox
             WHERE request_no = ?1 ORDER BY place",
        )?;
        let rows = statement.query_map([no], |row| {
            Ok(Member {
                no: row.get(0)?,
                item: row.get(1)?,
                lead_id: row.get(2)?,
                is_open: row.get(3)?,
                recipient: row.get(4)?,
                queued_ms: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns what waits for a request to `target`, the earliest first; of each lead only its first thing, and nothing
    /// while an earlier one is under way.
    pub fn pending(&self, target: TargetNo, waits: Waits, most: usize) -> Result<Vec<Pending>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT o.outbox_no, o.item, o.lead_id, o.part, o.recipient, o.is_alone, o.run_no, o.queued_ms
             FROM outbox AS o INDEXED BY outbox_open
             WHERE o.target_no = ?1 AND o.state IN ('pending', 'claimed') AND o.state = 'pending'
               AND (o.lead_id = '' OR NOT EXISTS
                    (SELECT 1 FROM outbox AS e INDEXED BY outbox_open_by_lead
                     WHERE e.target_no = o.target_no AND e.lead_id = o.lead_id
                       AND e.state IN ('pending', 'claimed') AND e.outbox_no < o.outbox_no))
               AND {HAS_PARENT} AND {IS_LOOKED_AT}
             ORDER BY o.outbox_no LIMIT ?4"
        ))?;
        let parent = waits.parent.map(|parent| parent.0);
        let given = params![target.0, parent, waits.until_looked_at, most as i64];
        let rows = statement.query_map(given, |row| {
            Ok(Pending {
                no: row.get(0)?,
                item: row.get(1)?,
                lead_id: row.get(2)?,
                part: row.get(3)?,
                recipient: row.get(4)?,
                is_alone: row.get(5)?,
                run: RunNo(row.get(6)?),
                queued_ms: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Begins a request of `members`, which are numbers of pending items, and its first attempt; returns its number.
    /// `record_id` is the record that it changes, empty where it makes one.
    pub fn begin_request(
        &self,
        target: TargetNo,
        id: &str,
        body: &[u8],
        record_id: &str,
        members: &[i64],
        now_ms: i64,
    ) -> Result<i64> {
        let body_hash: [u8; 32] = Sha256::digest(body).into();
        let no: i64 = self
            .connection
            .prepare_cached(
                "INSERT INTO outbox_request
                     (target_no, id, body, body_hash, state, attempts, next_ms, begun_ms, record_id)
                 VALUES (?1, ?2, ?3, ?4, 'inflight', 1, ?5, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET state = 'inflight', attempts = attempts + 1,
                     body = excluded.body, body_hash = excluded.body_hash, record_id = excluded.record_id
                 RETURNING request_no",
            )?
            .query_row(params![target.0, id, body, body_hash, now_ms, record_id], |row| {
                row.get(0)
            })?;
        let mut claim = self.connection.prepare_cached(
            "UPDATE outbox SET state = 'claimed', request_no = ?2, place = ?3 WHERE outbox_no = ?1",
        )?;
        for (place, member) in members.iter().enumerate() {
            claim.execute(params![member, no, place as i64])?;
        }
        Ok(no)
    }

    /// Begins another attempt at request `no`.
    pub fn begin_attempt(&self, no: i64) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE outbox_request SET state = 'inflight', attempts = attempts + 1 WHERE request_no = ?1",
            )?
            .execute([no])?;
        Ok(())
    }

    /// Takes back an attempt that was not made, or that does not count; the request waits as it did before, until
    /// `next_ms`.
    pub fn release_request(&self, request: &KeptRequest, next_ms: i64, code: &str) -> Result<()> {
        let state = if request.is_unknown { "unknown" } else { "waiting" };
        self.connection
            .prepare_cached(
                "UPDATE outbox_request SET state = ?2, attempts = max(0, attempts - 1), next_ms = ?3,
                     last_code = CASE WHEN ?4 = '' THEN last_code ELSE ?4 END
                 WHERE request_no = ?1 AND state = 'inflight'",
            )?
            .execute(params![request.no, state, next_ms, code])?;
        Ok(())
    }

    /// Records a failed attempt at request `no`; it is made again at `next_ms`, or held.
    pub fn fail_request(
        &self,
        no: i64,
        state: RequestState,
        code: &str,
        now_ms: i64,
        next_ms: i64,
    ) -> Result<()> {
        let is_unknown = matches!(state, RequestState::Unknown | RequestState::Held);
        self.connection
            .prepare_cached(
                "UPDATE outbox_request SET state = ?2, next_ms = ?3, last_code = ?4,
                     unknowns = unknowns + ?5, first_failure_ms = coalesce(first_failure_ms, ?6),
                     first_code = CASE WHEN first_code = '' THEN ?4 ELSE first_code END
                 WHERE request_no = ?1",
            )?
            .execute(params![no, state.word(), next_ms, code, is_unknown, now_ms])?;
        Ok(())
    }

    /// Ends request `no`. Its bytes go unless somebody may want it made again.
    pub fn end_request(&self, no: i64, state: RequestState, code: &str, now_ms: i64) -> Result<()> {
        let keeps_bytes = matches!(state, RequestState::Dead | RequestState::Held);
        self.connection
            .prepare_cached(
                "UPDATE outbox_request SET state = ?2, last_code = ?3, closed_ms = ?4,
                     first_code = CASE WHEN first_code = '' AND ?2 = 'dead' THEN ?3 ELSE first_code END,
                     body = CASE WHEN ?5 THEN body ELSE x'' END
                 WHERE request_no = ?1",
            )?
            .execute(params![no, state.word(), code, now_ms, keeps_bytes || !state.is_over()])?;
        Ok(())
    }

    /// Ends the item with this number.
    pub fn end_item(
        &self,
        no: i64,
        end: ItemEnd,
        code: &str,
        because: &str,
        now_ms: i64,
    ) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE outbox SET state = ?2, code = ?3, because = ?4, closed_ms = ?5,
                     part = CASE WHEN ?6 THEN part ELSE x'' END,
                     recipient = CASE WHEN ?6 THEN recipient ELSE '' END
                 WHERE outbox_no = ?1",
            )?
            .execute(params![no, end.word(), code, because, now_ms, end.keeps_bytes()])?;
        Ok(())
    }

    /// Lets the item with this number wait for another request, alone if the last one was refused for it or others.
    pub fn let_wait_again(&self, no: i64, is_alone: bool) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE outbox SET state = 'pending', request_no = NULL, place = 0, is_alone = ?2
                 WHERE outbox_no = ?1",
            )?
            .execute(params![no, is_alone])?;
        Ok(())
    }

    /// Returns when the earliest of the requests to `target` that wait is to be made again; none when none waits.
    pub fn next_due_ms(&self, target: TargetNo) -> Result<Option<i64>> {
        let sql = "SELECT min(next_ms) FROM outbox_request
                   WHERE target_no = ?1 AND state IN ('waiting', 'unknown')";
        Ok(self.connection.prepare_cached(sql)?.query_row([target.0], |row| row.get(0))?)
    }

    /// Returns what is known of the endpoint `target`.
    pub fn endpoint_state(&self, target: TargetNo) -> Result<EndpointState> {
        let sql =
            "SELECT faults, recent, recent_count, opened, open_until_ms, paused_until_ms, gone_as,
                       failing_since_ms, last_code
                   FROM endpoint WHERE target_no = ?1";
        let read = |row: &Row<'_>| {
            Ok(EndpointState {
                faults: row.get(0)?,
                recent: row.get(1)?,
                recent_count: row.get(2)?,
                opened: row.get(3)?,
                open_until_ms: row.get(4)?,
                paused_until_ms: row.get(5)?,
                gone_as: row.get(6)?,
                failing_since_ms: row.get(7)?,
                last_code: row.get(8)?,
            })
        };
        let found = self.connection.prepare_cached(sql)?.query_row([target.0], read).optional()?;
        Ok(found.unwrap_or_default())
    }

    /// Keeps what is known of the endpoint `target`.
    pub fn keep_endpoint_state(&self, target: TargetNo, state: &EndpointState) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO endpoint VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT (target_no) DO UPDATE SET faults = excluded.faults, recent = excluded.recent,
                     recent_count = excluded.recent_count, opened = excluded.opened,
                     open_until_ms = excluded.open_until_ms, paused_until_ms = excluded.paused_until_ms,
                     gone_as = excluded.gone_as, failing_since_ms = excluded.failing_since_ms,
                     last_code = excluded.last_code",
            )?
            .execute(params![
                target.0,
                state.faults,
                state.recent,
                state.recent_count,
                state.opened,
                state.open_until_ms,
                state.paused_until_ms,
                state.gone_as,
                state.failing_since_ms,
                state.last_code
            ])?;
        Ok(())
    }

    /// Returns what waits for each endpoint, or is stuck there, by its id.
    pub fn waiting_deliveries(&self) -> Result<Vec<Waiting>> {
        // `<> 'resolved'` says nothing that `= 'open'` does not, but is how SQLite knows `dead_letter_by_item` again.
        let mut statement = self.connection.prepare_cached(
            "SELECT t.target_no, t.id,
                    sum(o.state IN ('pending', 'claimed')),
                    sum(o.state = 'claimed' AND r.unknowns > 0),
                    count(DISTINCT d.dead_letter_no),
                    min(CASE WHEN o.state IN ('pending', 'claimed') THEN o.queued_ms END),
                    min(coalesce(CASE WHEN o.state = 'claimed' THEN r.first_failure_ms END, e.failing_since_ms)),
                    coalesce(max(e.last_code), '')
             FROM outbox AS o
             JOIN delivery_target AS t USING (target_no)
             LEFT JOIN outbox_request AS r ON r.request_no = o.request_no
             LEFT JOIN endpoint AS e ON e.target_no = o.target_no
             LEFT JOIN dead_letter AS d
                 ON o.state IN ('dead', 'held') AND d.target_no = o.target_no AND d.item = o.item
                    AND d.state <> 'resolved' AND d.state = 'open'
             WHERE o.state IN ('pending', 'claimed', 'dead', 'held')
               AND (o.state IN ('pending', 'claimed') OR d.dead_letter_no IS NOT NULL)
             GROUP BY t.id ORDER BY t.id",
        )?;
        let rows = statement.query_map([], |row| {
            let count = |at| row.get::<_, Option<i64>>(at).map(|count| count.unwrap_or(0) as u64);
            Ok(Waiting {
                target: TargetNo(row.get(0)?),
                endpoint: row.get(1)?,
                items: count(2)?,
                unknown: count(3)?,
                stuck: count(4)?,
                oldest_ms: row.get(5)?,
                failing_since_ms: row.get(6)?,
                last_code: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns how many items for `target` wait for what `waits` says.
    pub fn count_blocked(&self, target: TargetNo, waits: Waits) -> Result<Blocked> {
        if waits == Waits::default() {
            return Ok(Blocked::default());
        }
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT coalesce(sum(NOT {HAS_PARENT}), 0), coalesce(sum(NOT {IS_LOOKED_AT}), 0)
             FROM outbox AS o INDEXED BY outbox_open
             WHERE o.target_no = ?1 AND o.state IN ('pending', 'claimed') AND o.state = 'pending'"
        ))?;
        let given = params![target.0, waits.parent.map(|parent| parent.0), waits.until_looked_at];
        Ok(statement.query_row(given, |row| {
            let count = |at| row.get::<_, i64>(at).map(|count| count as u64);
            Ok(Blocked { for_record: count(0)?, for_look: count(1)? })
        })?)
    }

    /// Returns mails of tasks that were sent and whose tasks are not said to be done yet, in order.
    pub fn mails_to_tell(&self) -> Result<Vec<SentMail>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT o.outbox_no, o.item, o.closed_ms FROM outbox AS o JOIN outbox_request AS r USING (request_no)
             WHERE o.state = 'delivered' AND o.told_ms IS NULL AND o.lead_id <> '' AND r.id LIKE '<%'
             ORDER BY o.outbox_no",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(SentMail { no: row.get(0)?, item: row.get(1)?, at_ms: row.get(2)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Notes that the task of the mail with this number was said to be done.
    pub fn mark_told(&self, no: i64, now_ms: i64) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE outbox SET told_ms = ?2 WHERE outbox_no = ?1")?
            .execute(params![no, now_ms])?;
        Ok(())
    }
}

fn read_request(row: &Row<'_>) -> rusqlite::Result<KeptRequest> {
    Ok(KeptRequest {
        no: row.get(0)?,
        id: row.get(1)?,
        body: row.get(2)?,
        attempts: row.get(3)?,
        is_unknown: row.get(4)?,
        first_failure_ms: row.get(5)?,
        record_id: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_begins_anew_has_the_hash_of_what_it_sends() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("leadmill.db")).unwrap();
        for body in ["before", "after"] {
            store.begin_request(TargetNo(1), "r1", body.as_bytes(), "", &[], 7).unwrap();
            let kept: [u8; 32] = store
                .connection
                .query_row("SELECT body_hash FROM outbox_request", [], |row| row.get(0))
                .unwrap();
            assert_eq!(kept, <[u8; 32]>::from(Sha256::digest(body)), "{body}");
        }
    }
}
