//! Where everybody stands in each queue, as a sales lead reads it.

use serde_json::{Value, json};

/// A queue and its pool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueFigures {
    /// Queue's id.
    pub queue: String,
    /// How its pool shares the leads.
    pub strategy: &'static str,
    /// Leads in it that nobody owns.
    pub waiting: u64,
    /// Who gets the next lead that asks for nothing; none when nobody may take one.
    pub next: Option<String>,
    /// The pool, then who has left it and took turns.
    pub owners: Vec<OwnerFigures>,
}

/// Somebody's part in a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnerFigures {
    /// Owner's id.
    pub owner: String,
    /// Share; 0 for who has left the pool.
    pub weight: i64,
    /// Turns taken.
    pub turns: i64,
    /// What the rotation owes them.
    pub owed: i64,
    /// Leads that came to them through this queue today, this week and this month, in turn or not.
    pub leads: Vec<i64>,
    /// What is left of the tightest cap.
    pub cap: Option<CapLeft>,
    /// Why they get no lead now; empty when they may.
    pub state: String,
    /// Id of the lead that took their last turn, and when.
    pub last: Option<(String, String)>,
}

/// What is left of a cap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapLeft {
    /// Leads left.
    pub left: i64,
    /// The limit.
    pub limit: i64,
    /// `a day`, `in 7d`.
    pub window: String,
}

impl QueueFigures {
    /// Returns the percentages of the turns that the owner at `position` got and should have got.
    fn shares(&self, position: usize) -> (Option<f64>, f64) {
        let percent = |part: i64, whole: i64| part as f64 * 100.0 / whole.max(1) as f64;
        let turns: i64 = self.owners.iter().map(|one| one.turns).sum();
        let weights: i64 = self.owners.iter().map(|one| one.weight).sum();
        let one = &self.owners[position];
        ((turns > 0).then(|| percent(one.turns, turns)), percent(one.weight, weights))
    }

    /// Returns the percentage of the turns that went where the weights send them; none before the first turn.
    pub fn parity(&self) -> Option<f64> {
        let away: Option<f64> = (0..self.owners.len())
            .map(|position| {
                let (share, target) = self.shares(position);
                Some((share? - target).abs())
            })
            .sum();
        away.map(|away| 100.0 - away / 2.0)
    }

    /// Returns the queue in one line: how it shares, how evenly, who is next and how many wait.
    pub fn heading(&self) -> String {
        let next = match &self.next {
            Some(next) => format!("next is {next}"),
            None => "nobody may take a lead now".to_owned(),
        };
        let mut parts = vec![next];
        parts.extend(self.parity().map(|parity| format!("{parity:.1} % went by weight")));
        if self.waiting > 0 {
            parts.push(format!("{} waiting", self.waiting));
        }
        format!("{} ({}): {}", self.queue, self.strategy, parts.join(", "))
    }

    /// Returns the last turn of each owner in one line; none before the first.
    pub fn last_turns(&self) -> Option<String> {
        let last = self.owners.iter().filter_map(|one| {
            one.last.as_ref().map(|(lead, at)| format!("{} {lead} ({at})", one.owner))
        });
        let last: Vec<String> = last.collect();
        (!last.is_empty()).then(|| format!("last turns: {}", last.join(", ")))
    }

    /// Returns in one line who gets no lead now, and why; none when everybody may.
    pub fn not_now(&self) -> Option<String> {
        let away = self.owners.iter().filter(|one| !one.state.is_empty());
        let away: Vec<String> = away.map(|one| format!("{} ({})", one.owner, one.state)).collect();
        (!away.is_empty()).then(|| format!("not now: {}", away.join(", ")))
    }

    /// Returns the pool as a table for people, the header first.
    pub fn table(&self) -> Vec<Vec<String>> {
        const HEADER: &[&str] = &[
            "owner", "weight", "turns", "share", "target", "owed", "today", "week", "month",
            "cap left",
        ];
        let has_caps = self.owners.iter().any(|one| one.cap.is_some());
        let mut rows = vec![HEADER.iter().map(|name| (*name).to_owned()).collect()];
        for (position, one) in self.owners.iter().enumerate() {
            let (share, target) = self.shares(position);
            let mut row = vec![
                one.owner.clone(),
                one.weight.to_string(),
                one.turns.to_string(),
                share.map_or_else(String::new, |share| format!("{share:.0}%")),
                format!("{target:.0}%"),
                one.owed.to_string(),
            ];
            row.extend(one.leads.iter().map(i64::to_string));
            row.push(one.cap.as_ref().map_or_else(String::new, CapLeft::text));
            rows.push(row);
        }
        let keep = |column: &str| column != "cap left" || has_caps;
        let kept = |row: Vec<String>| -> Vec<String> {
            row.into_iter()
                .zip(HEADER)
                .filter(|(_, name)| keep(name))
                .map(|(cell, _)| cell)
                .collect()
        };
        rows.into_iter().map(kept).collect()
    }

    /// Returns the queue for programs.
    pub fn to_json(&self) -> Value {
        let owners = self.owners.iter().enumerate().map(|(position, one)| {
            let (share, target) = self.shares(position);
            json!({
                "owner": one.owner,
                "weight": one.weight,
                "turns": one.turns,
                "share_percent": share,
                "target_percent": target,
                "owed": one.owed,
                "leads_today": one.leads.first(),
                "leads_week": one.leads.get(1),
                "leads_month": one.leads.get(2),
                "cap": one.cap.as_ref().map(|cap| json!({
                    "left": cap.left, "limit": cap.limit, "window": cap.window,
                })),
                "not_now_because": (!one.state.is_empty()).then_some(&one.state),
                "last_lead": one.last.as_ref().map(|(lead, _)| lead),
                "last_at": one.last.as_ref().map(|(_, at)| at),
            })
        });
        json!({
            "queue": self.queue,
            "strategy": self.strategy,
            "waiting": self.waiting,
            "next": self.next,
            "parity_percent": self.parity(),
            "owners": owners.collect::<Vec<_>>(),
        })
    }
}

impl CapLeft {
    fn text(&self) -> String {
        format!("{} of {} {}", self.left, self.limit, self.window)
    }
}

/// Returns all queues as one table for spreadsheets, the header first.
pub fn csv_table(queues: &[QueueFigures]) -> Vec<Vec<String>> {
    let header = [
        "queue",
        "strategy",
        "waiting",
        "owner",
        "weight",
        "turns",
        "share_percent",
        "target_percent",
        "owed",
        "leads_today",
        "leads_week",
        "leads_month",
        "cap_left",
        "is_next",
        "not_now_because",
        "last_lead",
        "last_at",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for queue in queues {
        for (position, one) in queue.owners.iter().enumerate() {
            let (share, target) = queue.shares(position);
            let (lead, at) = one.last.clone().unwrap_or_default();
            let mut row = vec![
                queue.queue.clone(),
                queue.strategy.to_owned(),
                queue.waiting.to_string(),
                one.owner.clone(),
                one.weight.to_string(),
                one.turns.to_string(),
                share.map_or_else(String::new, |share| format!("{share:.1}")),
                format!("{target:.1}"),
                one.owed.to_string(),
            ];
            row.extend(one.leads.iter().map(i64::to_string));
            row.extend([
                one.cap.as_ref().map_or_else(String::new, CapLeft::text),
                if queue.next.as_ref() == Some(&one.owner) { "yes" } else { "" }.to_owned(),
                one.state.clone(),
                lead,
                at,
            ]);
            rows.push(row);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(turns: &[(i64, i64)]) -> QueueFigures {
        let owners = turns.iter().map(|(weight, turns)| OwnerFigures {
            weight: *weight,
            turns: *turns,
            leads: vec![0; 3],
            ..OwnerFigures::default()
        });
        QueueFigures { owners: owners.collect(), ..QueueFigures::default() }
    }

    #[test]
    fn parity_is_the_part_that_went_by_weight() {
        for (turns, expected) in [
            (&[(2, 200), (1, 100)][..], Some(100.0)),
            (&[(1, 3), (1, 1)], Some(75.0)),
            (&[(1, 0), (1, 7)], Some(50.0)),
            // Who has left the pool had turns that nobody should have now.
            (&[(1, 5), (0, 5)], Some(50.0)),
            (&[(1, 0), (1, 0)], None),
        ] {
            assert_eq!(queue(turns).parity(), expected, "{turns:?}");
        }
    }

    #[test]
    fn every_row_has_a_cell_for_each_column() {
        let queue = queue(&[(2, 1), (1, 0)]);
        for table in [queue.table(), csv_table(std::slice::from_ref(&queue))] {
            assert!(table.iter().all(|row| row.len() == table[0].len()), "{table:?}");
        }
    }
}
