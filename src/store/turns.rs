//! Whose turn a lead took: what the rotation is the sum of.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use anyhow::Result;
use rusqlite::{OptionalExtension as _, params};

use super::Store;
use crate::model::ids::{LeadNo, RunNo};
use crate::routing::{Pool, RotationEntry, TurnTaken};

/// Keeps turns; the pools already met stay in memory, for there are few.
#[derive(Debug)]
pub struct TurnBook<'s> {
    store: &'s Store,
    run: RunNo,
    pools: HashMap<Pool, i64>,
}

impl Store {
    /// Opens the list of turns for writing.
    pub fn turn_book(&self, run: RunNo) -> TurnBook<'_> {
        TurnBook { store: self, run, pools: HashMap::new() }
    }

    /// Returns the turn that `lead` took in `run` before that run was decided about anew.
    pub fn earlier_turn(&self, lead: LeadNo, run: RunNo) -> Result<Option<TurnTaken>> {
        let found: Option<(TurnTaken, String)> = self
            .connection
            .prepare_cached(
                "SELECT t.queue, t.owner, t.turn, p.paid
                 FROM temp.earlier_turn AS t JOIN turn_pool AS p USING (pool_no)
                 WHERE t.lead_no = ?1 AND t.run_no = ?2",
            )?
            .query_row([lead.0, run.0], |row| {
                let turn = TurnTaken {
                    queue: row.get(0)?,
                    owner: row.get(1)?,
                    turn: row.get(2)?,
                    pool: Pool::from([]),
                };
                Ok((turn, row.get(3)?))
            })
            .optional()?;
        found.map(|(turn, paid)| Ok(TurnTaken { pool: pool(&paid)?, ..turn })).transpose()
    }

    /// Sums the rotation up from the turns that are kept.
    pub fn sum_turns_up(&self) -> Result<()> {
        let mut standings: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
        let mut statement = self.connection.prepare_cached(
            "SELECT t.queue, t.owner, p.paid, count(*) FROM turn AS t JOIN turn_pool AS p USING (pool_no)
             GROUP BY t.queue, t.owner, t.pool_no ORDER BY t.queue, t.owner, t.pool_no",
        )?;
        let mut rows = statement.query([])?;
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
        drop(rows);
        self.connection.execute("DELETE FROM rotation", [])?;
        let entries = standings.into_iter().map(|((queue, owner), (current, assigned))| {
            RotationEntry { queue, owner, current, assigned }
        });
        self.write_rotation(&entries.collect::<Vec<_>>())
    }
}

impl TurnBook<'_> {
    /// Keeps the turn that `lead` took.
    pub fn write(&mut self, lead: LeadNo, taken: &TurnTaken) -> Result<()> {
        let pool = self.pool(&taken.pool)?;
        self.store
            .connection
            .prepare_cached("INSERT INTO turn VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![lead.0, self.run.0, taken.queue, taken.owner, taken.turn, pool])?;
        Ok(())
    }

    fn pool(&mut self, paid: &Pool) -> Result<i64> {
        if let Some(known) = self.pools.get(paid) {
            return Ok(*known);
        }
        let text = serde_json::to_string(&paid[..])?;
        let connection = &self.store.connection;
        connection
            .prepare_cached(
                "INSERT INTO turn_pool (paid) VALUES (?1) ON CONFLICT (paid) DO NOTHING",
            )?
            .execute([&text])?;
        let number = connection
            .prepare_cached("SELECT pool_no FROM turn_pool WHERE paid = ?1")?
            .query_row([&text], |row| row.get(0))?;
        self.pools.insert(Arc::clone(paid), number);
        Ok(number)
    }
}

fn pool(paid: &str) -> Result<Pool> {
    let members: Vec<(String, i64)> = serde_json::from_str(paid)?;
    Ok(members.into())
}
