//! How leads were dealt: whose turn each took, which the rotation is the sum of, and who was passed over.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use rusqlite::{OptionalExtension as _, Params, params};

use super::Store;
use super::interned::Interned;
use crate::model::ids::{LeadNo, RunNo};
use crate::routing::{
    AccountClaim, Dealt, NoTaker, Passed, PassedOver, Pool, RotationEntry, TurnTaken, Why,
};

/// Keeps how leads were dealt.
#[derive(Debug)]
pub struct TurnBook<'s> {
    store: &'s Store,
    run: RunNo,
    keeps_no_takers: bool,
    pools: Interned<Pool>,
    passed: Interned<Passed>,
}

/// The turns that an owner took in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnCount {
    /// Queue's id.
    pub queue: String,
    /// Owner's id.
    pub owner: String,
    /// How many.
    pub turns: i64,
    /// Id of the lead that took the last one; `erased` of somebody who was.
    pub last_lead: String,
    /// When, milliseconds since 1970 UTC.
    pub last_ms: i64,
}

impl Store {
    /// Returns the turns taken in runs whose as-of is `since_ms` or later, by queue and owner.
    pub fn turn_counts(&self, since_ms: i64) -> Result<Vec<TurnCount>> {
        // Of the columns beside a max() SQLite takes those of the row that has it.
        let mut statement = self.connection.prepare_cached(
            "SELECT c.queue, c.owner, c.turns, coalesce(w.id, l.id, 'erased'), c.as_of_ms FROM (
                 SELECT t.queue, t.owner, count(*) AS turns, t.lead_no, r.as_of_ms,
                        max(t.run_no * 8589934592 + t.by_time * 4294967296 + t.lead_no)
                 FROM turn_taken AS t JOIN run AS r USING (run_no)
                 WHERE r.as_of_ms >= ?1 GROUP BY t.queue, t.owner) AS c
             LEFT JOIN lead AS l ON l.lead_no = c.lead_no
             LEFT JOIN lead AS w ON w.lead_no = l.merged_into
             ORDER BY c.queue, c.owner",
        )?;
        let rows = statement.query_map([since_ms], |row| {
            Ok(TurnCount {
                queue: row.get(0)?,
                owner: row.get(1)?,
                turns: row.get(2)?,
                last_lead: row.get(3)?,
                last_ms: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Opens the list of turns for writing.
    pub fn turn_book(&self, run: RunNo) -> Result<TurnBook<'_>> {
        let keeps_no_takers = self
            .connection
            .prepare_cached("SELECT keeps_no_takers FROM run WHERE run_no = ?1")?
            .query_row([run.0], |row| row.get(0))?;
        let pools = Interned::new(
            "INSERT INTO turn_pool (paid) VALUES (?1) ON CONFLICT (paid) DO NOTHING",
            "SELECT pool_no FROM turn_pool WHERE paid = ?1",
        );
        let passed = Interned::new(
            "INSERT INTO turn_passed (members) VALUES (?1) ON CONFLICT (members) DO NOTHING",
            "SELECT passed_no FROM turn_passed WHERE members = ?1",
        );
        Ok(TurnBook { store: self, run, keeps_no_takers, pools, passed })
    }

    /// Returns how `lead` was dealt in `run` before that run was decided about anew.
    pub fn dealt_before(&self, lead: LeadNo, run: RunNo) -> Result<Dealt> {
        self.dealt_in(
            lead,
            run,
            ["temp.earlier_turn", "temp.earlier_no_taker", "temp.earlier_claim"],
        )
    }

    /// Returns how `lead` was dealt in `run`.
    pub fn dealt(&self, lead: LeadNo, run: RunNo) -> Result<Dealt> {
        self.dealt_in(lead, run, ["main.turn", "main.no_taker", "main.account_claim"])
    }

    /// Returns whom `lead` waits for by the end of `run`: its latest decision left it in a queue because they were
    /// away.
    pub fn waits_for(&self, lead: LeadNo, run: RunNo) -> Result<Option<String>> {
        let latest = self
            .connection
            .prepare_cached(
                "SELECT max(n.run_no) FROM no_taker AS n WHERE n.lead_no = ?1 AND n.run_no <= ?2
                 HAVING max(n.run_no) >= (SELECT max(d.run_no) FROM decision AS d
                                          WHERE d.lead_no = ?1 AND d.run_no <= ?2)",
            )?
            .query_row([lead.0, run.0], |row| row.get(0))
            .optional()?;
        let Some(latest) = latest else { return Ok(None) };
        Ok(self.dealt(lead, RunNo(latest))?.waits_for().map(str::to_owned))
    }

    fn dealt_in(&self, lead: LeadNo, run: RunNo, tables: [&str; 3]) -> Result<Dealt> {
        let [turns, no_takers, claims] = tables;
        let found: Option<(TurnTaken, String, Option<String>)> = self
            .connection
            .prepare_cached(&format!(
                "SELECT t.queue, t.owner, t.turn, p.paid, o.members
                 FROM {turns} AS t JOIN turn_pool AS p USING (pool_no)
                 LEFT JOIN turn_passed AS o USING (passed_no)
                 WHERE t.lead_no = ?1 AND t.run_no = ?2"
            ))?
            .query_row([lead.0, run.0], |row| {
                let turn = TurnTaken {
                    queue: row.get(0)?,
                    owner: row.get(1)?,
                    turn: row.get(2)?,
                    pool: Pool::from([]),
                    passed: Passed::from([]),
                };
                Ok((turn, row.get(3)?, row.get(4)?))
            })
            .optional()?;
        let turn = found.map(|(turn, paid, members)| -> Result<TurnTaken> {
            let passed =
                members.map_or_else(|| Ok(turn.passed.clone()), |text| read_passed(&text))?;
            Ok(TurnTaken { pool: pool(&paid)?, passed, ..turn })
        });
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT n.queue, o.members FROM {no_takers} AS n JOIN turn_passed AS o USING (passed_no)
             WHERE n.lead_no = ?1 AND n.run_no = ?2 ORDER BY n.place"
        ))?;
        let mut rows = statement.query([lead.0, run.0])?;
        let mut nobody = Vec::new();
        while let Some(row) = rows.next()? {
            let members: String = row.get(1)?;
            nobody.push(NoTaker { queue: row.get(0)?, passed: read_passed(&members)? });
        }
        let account = self
            .connection
            .prepare_cached(&format!(
                "SELECT owner, at FROM {claims} WHERE lead_no = ?1 AND run_no = ?2"
            ))?
            .query_row([lead.0, run.0], |row| {
                Ok(AccountClaim { owner: row.get(0)?, at: row.get(1)? })
            })
            .optional()?;
        Ok(Dealt { turn: turn.transpose()?, nobody, account })
    }

    /// Sums the rotation up from the turns that are kept.
    pub fn sum_turns_up(&self) -> Result<()> {
        let entries = self.sum_of_turns("true", [])?;
        self.connection.execute("DELETE FROM rotation", [])?;
        self.write_rotation(&entries)
    }

    /// Returns where everybody in `queue` stood before `lead` took its turn in `run`.
    pub fn rotation_before(
        &self,
        queue: &str,
        run: RunNo,
        lead: LeadNo,
    ) -> Result<Vec<RotationEntry>> {
        let before = "t.queue = ?1 AND (t.run_no < ?2 OR t.run_no = ?2 AND (t.by_time, t.lead_no) <
            (SELECT o.by_time, o.lead_no FROM turn_taken AS o WHERE o.lead_no = ?3 AND o.run_no = ?2))";
        self.sum_of_turns(before, params![queue, run.0, lead.0])
    }

    fn sum_of_turns(&self, which: &str, params: impl Params) -> Result<Vec<RotationEntry>> {
        let mut standings: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT t.queue, t.owner, p.paid, count(*) FROM turn_taken AS t JOIN turn_pool AS p USING (pool_no)
             WHERE {which}
             GROUP BY t.queue, t.owner, t.pool_no ORDER BY t.queue, t.owner, t.pool_no",
        ))?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            let (queue, owner, paid): (String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            let turns: i64 = row.get(3)?;
            for (member, weight) in pool(&paid)?.iter() {
                standings.entry((queue.clone(), member.clone())).or_default().0 += weight * turns;
                standings.entry((queue.clone(), owner.clone())).or_default().0 -= weight * turns;
            }
            standings.entry((queue, owner)).or_default().1 += turns;
        }
        let entries = standings.into_iter().map(|((queue, owner), (current, assigned))| {
            RotationEntry { queue, owner, current, assigned }
        });
        Ok(entries.collect())
    }
}

impl TurnBook<'_> {
    /// Keeps how `lead` was dealt.
    pub fn write(&mut self, lead: LeadNo, dealt: &Dealt) -> Result<()> {
        if let Some(taken) = &dealt.turn {
            let pool = self.pool(&taken.pool)?;
            let passed =
                if taken.passed.is_empty() { None } else { Some(self.passed(&taken.passed)?) };
            self.store
                .connection
                .prepare_cached("INSERT INTO turn VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
                .execute(params![
                    lead.0,
                    self.run.0,
                    taken.queue,
                    taken.owner,
                    taken.turn,
                    pool,
                    passed
                ])?;
        }
        if let Some(claim) = &dealt.account {
            self.store
                .connection
                .prepare_cached("INSERT INTO account_claim VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![lead.0, self.run.0, claim.owner, claim.at])?;
        }
        let nobody = if self.keeps_no_takers { &dealt.nobody[..] } else { &[] };
        for (place, one) in nobody.iter().enumerate() {
            let passed = self.passed(&one.passed)?;
            self.store
                .connection
                .prepare_cached("INSERT INTO no_taker VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![lead.0, self.run.0, place as i64, one.queue, passed])?;
        }
        Ok(())
    }

    fn passed(&mut self, passed: &Passed) -> Result<i64> {
        self.passed.number(&self.store.connection, passed, |passed| {
            let members: Vec<(&str, &str, &str)> = passed
                .iter()
                .map(|one| (one.owner.as_str(), one.why.word(), one.detail.as_str()))
                .collect();
            Ok(serde_json::to_string(&members)?)
        })
    }

    fn pool(&mut self, paid: &Pool) -> Result<i64> {
        let written = |paid: &Pool| Ok(serde_json::to_string(&paid[..])?);
        self.pools.number(&self.store.connection, paid, written)
    }
}

fn pool(paid: &str) -> Result<Pool> {
    let members: Vec<(String, i64)> = serde_json::from_str(paid)?;
    Ok(members.into())
}

/// Reads a list of those who were passed over.
pub(super) fn read_passed(members: &str) -> Result<Passed> {
    let members: Vec<(String, String, String)> = serde_json::from_str(members)?;
    members
        .into_iter()
        .map(|(owner, word, detail)| {
            let found = Why::ALL.iter().find(|(known, _)| *known == word);
            let (_, why) = found.with_context(|| format!("unknown reason `{word}`"))?;
            Ok(PassedOver { owner, why: *why, detail })
        })
        .collect()
}
