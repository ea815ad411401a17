//! Promises kept, gathered.

use anyhow::Result;

use super::{Activities, Groups, Scope, each_enquiry, nearest_rank};
use crate::model::ids::LeadNo;
use crate::model::metric::By;
use crate::model::task::TaskState;
use crate::pipeline::rotation::rotation_figures;
use crate::report::metrics::Share;
use crate::report::metrics::sla::{PromiseGroup, QueueShare, SharingFigures, SlaFigures};
use crate::report::rotation::QueueFigures;
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::metrics::{Key, Promise};
use crate::store::totals::TotalBy;

/// Returns how the calls and tasks that were promised to the enquiries of `scope` were kept.
///
/// A promise belongs to the lead's last enquiry before it is due. It is met by contact between both, or when somebody
/// says that it is done; breached when neither was by the due time, open until then. Another plan takes the place of
/// what is not yet due, and excuses nothing that was. What was left out (no number, no consent, too old) is no promise.
pub fn sla_figures(
    store: &Store,
    rules: &RuleSet,
    scope: &Scope,
    activities: &Activities,
) -> Result<SlaFigures> {
    let by = scope.by.unwrap_or(By::Owner);
    let enquiries = answered(store, rules, scope, activities, by)?;
    let mut groups: Groups<Counting> = Groups::new(Some(by), rules.workspace.zone);
    let as_of_ms = scope.as_of.timestamp_millis();
    store.each_promise(|promise| {
        let from = enquiries.list.partition_point(|one| one.lead < promise.lead);
        let own = enquiries.list[from..].iter().take_while(|one| one.lead == promise.lead);
        let mut own = own.filter(|one| (one.opened_ms..one.next_ms).contains(&promise.due_ms));
        let Some(enquiry) = own.next() else { return Ok(()) };
        let key = &enquiries.names[enquiry.name as usize];
        groups.of(key, enquiry.opened_ms).count(&promise, enquiry.contact_ms, as_of_ms);
        Ok(())
    })?;
    let mut total = Counting::default();
    let groups = groups
        .ranked(|group| group.figures.promised)
        .into_iter()
        .filter(|(_, counting)| counting.figures.promised > 0)
        .map(|(name, counting)| {
            total.add(&counting);
            PromiseGroup { name, ..counting.close() }
        })
        .collect();
    Ok(SlaFigures { groups, total: total.close() })
}

/// Returns how queues share their leads as they are now; turns count since the beginning of `scope`.
pub fn sharing_figures(store: &Store, rules: &RuleSet, scope: &Scope) -> Result<SharingFigures> {
    let mut figures = SharingFigures::default();
    let in_queues = store.lead_totals(TotalBy::Queue)?;
    let waiting = store.leads_without_owner()?;
    let rotation = rotation_figures(store, rules, scope.as_of, scope.since)?;
    let all: u64 = in_queues.iter().map(|(_, leads)| leads).sum();
    for (queue, leads) in in_queues {
        if queue == rules.routing.triage {
            figures.triage.part = leads;
        }
        let shared = rotation.iter().find(|one| one.queue == queue);
        figures.queues.push(QueueShare {
            leads: Share::new(leads, all),
            waiting: waiting.get(&queue).copied().unwrap_or(0),
            turns: shared
                .map_or(0, |one| one.owners.iter().map(|owner| owner.turns).sum::<i64>() as u64),
            parity_per_mille: shared
                .and_then(QueueFigures::parity)
                .map(|parity| (parity * 10.0).round() as u64),
            queue,
        });
    }
    figures.triage.of = all;
    Ok(figures)
}

/// An enquiry and when it was answered.
struct Answered {
    lead: LeadNo,
    opened_ms: i64,
    /// When the lead's next enquiry came, whether or not it is in the scope.
    next_ms: i64,
    contact_ms: Option<i64>,
    name: u32,
}

/// All enquiries of a scope in order of lead and time, 48 bytes each; the names of their groups once.
struct AllAnswered {
    list: Vec<Answered>,
    names: Vec<String>,
}

fn answered(
    store: &Store,
    rules: &RuleSet,
    scope: &Scope,
    activities: &Activities,
    by: By,
) -> Result<AllAnswered> {
    let mut all = AllAnswered { list: Vec::new(), names: Vec::new() };
    let mut numbers = std::collections::HashMap::new();
    each_enquiry(store, rules, scope, activities, &[Key::By(by)], |enquiry| {
        let key = &enquiry.keys[0];
        let name = match numbers.get(key) {
            Some(name) => *name,
            None => {
                let name = all.names.len() as u32;
                numbers.insert(key.clone(), name);
                all.names.push(key.clone());
                name
            }
        };
        all.list.push(Answered {
            lead: enquiry.lead,
            opened_ms: enquiry.opened_ms,
            next_ms: enquiry.next_ms,
            contact_ms: enquiry.first_contact_ms(),
            name,
        });
        Ok(())
    })?;
    Ok(all)
}

#[derive(Debug, Default)]
struct Counting {
    figures: PromiseGroup,
    late_ms: Vec<i64>,
}

impl Counting {
    fn count(&mut self, promise: &Promise, contact_ms: Option<i64>, as_of_ms: i64) {
        let is = |state: TaskState| promise.state == state.word();
        let is_over = is(TaskState::Superseded);
        if !is(TaskState::Open) && !is(TaskState::Done) && !is_over {
            return;
        }
        let done_ms = promise.ended_ms.filter(|at_ms| is(TaskState::Done) && *at_ms <= as_of_ms);
        let kept_ms = contact_ms.into_iter().chain(done_ms).min();
        // Contact ends what waits for it; what ended without any gave way to another plan.
        let gave_way = is_over && promise.ended_ms.is_none_or(|at_ms| at_ms <= promise.due_ms);
        let figures = &mut self.figures;
        figures.promised += 1;
        match kept_ms {
            Some(at_ms) if at_ms <= promise.due_ms => figures.met += 1,
            None if gave_way => figures.replaced += 1,
            None if promise.due_ms >= as_of_ms => figures.open += 1,
            _ => {
                figures.breached += 1;
                let late_ms = kept_ms.unwrap_or(as_of_ms) - promise.due_ms;
                if kept_ms.is_some() {
                    figures.late += 1;
                    self.late_ms.push(late_ms);
                } else if !is_over {
                    figures.oldest_ms = figures.oldest_ms.max(Some(late_ms));
                }
            }
        }
    }

    fn add(&mut self, other: &Self) {
        let (own, others) = (&mut self.figures, &other.figures);
        own.promised += others.promised;
        own.met += others.met;
        own.breached += others.breached;
        own.late += others.late;
        own.open += others.open;
        own.replaced += others.replaced;
        own.oldest_ms = own.oldest_ms.max(others.oldest_ms);
        self.late_ms.extend_from_slice(&other.late_ms);
    }

    fn close(mut self) -> PromiseGroup {
        self.figures.late_median_ms = nearest_rank(&mut self.late_ms, 50);
        self.figures
    }
}
