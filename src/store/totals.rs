//! How many leads and tasks stand where. Triggers keep the leads counted, so that asking costs the same however many
//! there are; of the tasks the open ones are counted by their index. `rebuild --check` counts the leads one by one.

use std::collections::HashMap;

use anyhow::Result;

use super::Store;

/// What `lead_total` has to say: the leads, counted one by one.
pub(super) const RECOUNTED: &str = "(SELECT segment, queue, coalesce(owner, '') AS owner, \
     min(max(score, 0) / 10, 9) AS tens, count(*) AS leads \
     FROM lead WHERE merged_into IS NULL GROUP BY 1, 2, 3, 4)";

/// The place of leads that nobody in a list has.
const NOBODYS: u16 = u16::MAX;

/// By what [`Store::lead_totals`] tells leads apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotalBy {
    /// Segment word.
    Segment,
    /// Queue's id, the fullest first.
    Queue,
    /// Tens of points, from 0 to 9.
    Tens,
}

/// What somebody has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// Owner's or queue's id.
    pub who: String,
    /// Whether it is an owner.
    pub is_owner: bool,
    /// Leads.
    pub leads: u64,
    /// Hot ones.
    pub hot: u64,
    /// Open tasks.
    pub tasks_open: u64,
    /// Of these: late.
    pub tasks_late: u64,
}

impl Store {
    /// Returns how many leads there are of each kind.
    pub fn lead_totals(&self, by: TotalBy) -> Result<Vec<(String, u64)>> {
        let (key, order) = match by {
            TotalBy::Segment => ("segment", "1"),
            TotalBy::Queue => ("queue", "2 DESC, 1"),
            TotalBy::Tens => ("CAST(tens AS TEXT)", "1"),
        };
        let sql = format!("SELECT {key}, sum(leads) FROM lead_total GROUP BY 1 ORDER BY {order}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns how many totals are not what the leads add up to.
    pub fn wrong_totals(&self) -> Result<u64> {
        let sql = format!(
            "SELECT (SELECT count(*) FROM (SELECT * FROM {RECOUNTED} EXCEPT SELECT * FROM lead_total))
                  + (SELECT count(*) FROM (SELECT * FROM lead_total EXCEPT SELECT * FROM {RECOUNTED}))"
        );
        let wrong: i64 = self.connection.query_row(&sql, [], |row| row.get(0))?;
        Ok(wrong as u64)
    }

    /// Returns how many tasks are open, and how many of them were due before `as_of_ms`.
    ///
    /// A lead that is merged into another has no open ones.
    pub fn open_and_late(&self, as_of_ms: i64) -> Result<(u64, u64)> {
        let sql = "SELECT (SELECT count(*) FROM task WHERE state = 'open'),
                          (SELECT count(*) FROM task WHERE state = 'open' AND due_ms < ?1)";
        Ok(self.connection.prepare_cached(sql)?.query_row([as_of_ms], |row| {
            Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64))
        })?)
    }

    /// Returns what each owner, or queue where nobody has the lead, has to do: leads, hot ones, open
    /// tasks, late tasks; the most leads first.
    pub fn load(&self, as_of_ms: i64) -> Result<Vec<Load>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT iif(owner = '', queue, owner), owner <> '', sum(leads),
                    coalesce(sum(leads) FILTER (WHERE segment = 'hot'), 0)
             FROM lead_total GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
        )?;
        let rows = statement.query_map([], |row| {
            let count = |at: usize| row.get::<_, i64>(at).map(|count| count as u64);
            Ok(Load {
                who: row.get(0)?,
                is_owner: row.get(1)?,
                leads: count(2)?,
                hot: count(3)?,
                tasks_open: 0,
                tasks_late: 0,
            })
        })?;
        let mut loads = rows.collect::<rusqlite::Result<Vec<Load>>>()?;
        let whose = self.whose_leads(&loads)?;
        let mut open = self.connection.prepare_cached(
            "SELECT lead_no, due_ms FROM task INDEXED BY task_open WHERE state = 'open'",
        )?;
        let mut rows = open.query([])?;
        while let Some(row) = rows.next()? {
            let place = whose.get(row.get::<_, i64>(0)? as usize).copied().unwrap_or(NOBODYS);
            if let Some(load) = loads.get_mut(usize::from(place)) {
                load.tasks_open += 1;
                load.tasks_late += u64::from(row.get::<_, i64>(1)? < as_of_ms);
            }
        }
        Ok(loads)
    }

    /// Returns by a lead's number the place in `loads` of whoever has it. Tasks lie in order of time: to look each
    /// one's lead up would read all leads in no order.
    fn whose_leads(&self, loads: &[Load]) -> Result<Vec<u16>> {
        let places: HashMap<(&str, bool), u16> = (0..NOBODYS)
            .zip(loads)
            .map(|(place, load)| ((load.who.as_str(), load.is_owner), place))
            .collect();
        let mut leads = self.connection.prepare_cached(
            "SELECT lead_no, owner, queue FROM lead INDEXED BY lead_glance WHERE merged_into IS NULL
             ORDER BY lead_no",
        )?;
        let mut whose = Vec::new();
        let mut rows = leads.query([])?;
        while let Some(row) = rows.next()? {
            let lead = row.get::<_, i64>(0)? as usize;
            let owner = row.get_ref(1)?.as_str_or_null()?;
            let key = match owner {
                Some(owner) => (owner, true),
                None => (row.get_ref(2)?.as_str()?, false),
            };
            whose.resize(lead, NOBODYS);
            whose.push(places.get(&key).copied().unwrap_or(NOBODYS));
        }
        Ok(whose)
    }
}
