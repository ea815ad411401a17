//! Where everybody stands in each queue: what `report rotation` shows.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::model::ids::RunNo;
use crate::model::moment::utc_from_ms;
use crate::report::rotation::{CapLeft, OwnerFigures, QueueFigures};
use crate::routing::{Desk, LoadEntry, Passed};
use crate::rules::RuleSet;
use crate::rules::routing::{Owner, Period, PoolMember, Queue, Window};
use crate::store::Store;
use crate::store::turns::TurnCount;

/// Returns the figures of every queue that has a pool, as of `as_of`; turns count since `since`.
pub fn rotation_figures(
    store: &Store,
    rules: &RuleSet,
    as_of: DateTime<Utc>,
    since: Option<DateTime<Utc>>,
) -> Result<Vec<QueueFigures>> {
    let mut desk = Desk::new(&rules.routing, as_of).with_rotation(store.rotation()?);
    let mut loads: Vec<LoadEntry> = Vec::new();
    store.each_load(RunNo(i64::MAX), desk.looks_back_to_ms(), |entry| {
        desk.add(&entry);
        loads.push(entry);
    })?;
    let since_ms = since.map_or(i64::MIN, |since| since.timestamp_millis());
    let gathering = Gathering {
        rules,
        as_of,
        owed: desk
            .rotation_entries()
            .into_iter()
            .map(|one| ((one.queue, one.owner), one.current))
            .collect(),
        turns: store.turn_counts(since_ms)?,
        waiting: store.leads_without_owner()?,
        desk,
        loads,
    };
    let served = rules.routing.queues.iter().filter(|queue| !queue.pool.is_empty());
    Ok(served.map(|queue| gathering.queue(queue)).collect())
}

struct Gathering<'a> {
    rules: &'a RuleSet,
    as_of: DateTime<Utc>,
    owed: BTreeMap<(String, String), i64>,
    turns: Vec<TurnCount>,
    waiting: BTreeMap<String, u64>,
    desk: Desk,
    loads: Vec<LoadEntry>,
}

impl Gathering<'_> {
    fn queue(&self, queue: &Queue) -> QueueFigures {
        let (next, passed) = self.desk.next_of(&self.rules.routing, queue, self.as_of);
        let passed: Passed = passed.into();
        let turns: Vec<&TurnCount> =
            self.turns.iter().filter(|one| one.queue == queue.id).collect();
        let mut owners: Vec<OwnerFigures> =
            queue.pool.iter().map(|member| self.member(queue, member, &turns, &passed)).collect();
        // Who has left the pool keeps the turns that they took.
        let left = turns.iter().filter(|one| !queue.is_served_by(&one.owner));
        owners.extend(left.map(|one| OwnerFigures {
            state: "no longer in the pool".to_owned(),
            ..self.figures(queue, &one.owner, &turns)
        }));
        QueueFigures {
            queue: queue.id.clone(),
            strategy: queue.strategy.word(),
            waiting: self.waiting.get(&queue.id).copied().unwrap_or_default(),
            next,
            owners,
        }
    }

    fn member(
        &self,
        queue: &Queue,
        member: &PoolMember,
        turns: &[&TurnCount],
        passed: &Passed,
    ) -> OwnerFigures {
        let owner = self.rules.routing.owner(&member.owner);
        let cap = owner.and_then(|owner| self.desk.loads().tightest(owner, &queue.id, member));
        OwnerFigures {
            weight: member.weight,
            cap: cap.map(|(cap, left)| CapLeft {
                left: left.max(0),
                limit: cap.leads,
                window: cap.window.words(),
            }),
            state: passed
                .iter()
                .find(|one| one.owner == member.owner)
                .map_or_else(String::new, crate::routing::PassedOver::words),
            ..self.figures(queue, &member.owner, turns)
        }
    }

    fn figures(&self, queue: &Queue, id: &str, turns: &[&TurnCount]) -> OwnerFigures {
        let turn = turns.iter().find(|one| one.owner == id);
        let owner = self.rules.routing.owner(id);
        let leads = Period::ALL.iter().map(|(_, period)| self.leads(queue, owner, *period));
        let key = (queue.id.clone(), id.to_owned());
        OwnerFigures {
            owner: id.to_owned(),
            turns: turn.map_or(0, |one| one.turns),
            owed: self.owed.get(&key).copied().unwrap_or_default(),
            leads: leads.collect(),
            last: turn.map(|one| {
                let at = utc_from_ms(one.last_ms).with_timezone(&self.rules.workspace.zone);
                (one.last_lead.clone(), at.format("%Y-%m-%d %H:%M").to_string())
            }),
            ..OwnerFigures::default()
        }
    }

    /// Leads that came to the owner through the queue in the current period.
    fn leads(&self, queue: &Queue, owner: Option<&Owner>, period: Period) -> i64 {
        let Some(owner) = owner else { return 0 };
        let (from, to) = Window::Calendar(period).span_ms(owner.zone, self.as_of);
        let mine = self.loads.iter().filter(|one| one.queue == queue.id && one.owner == owner.id);
        mine.filter(|one| (from..to).contains(&one.at_ms)).map(|one| one.leads).sum()
    }
}
