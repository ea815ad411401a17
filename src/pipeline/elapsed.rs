//! What time alone changes: points fade, windows end, days are full, and nobody has come back.
//!
//! Each decision says until when it holds. A run that imports, even nothing, looks again at the leads whose
//! instant has come, after those that its rows and touches concern, in order of number. One that comes out as it
//! was gets no decision, only another instant. Its owner keeps a lead, away or not: nobody waits for an answer.
//!
//! Time alone sets nothing off: a lead that cools down gets no mail and no call, and what was promised to it
//! stays promised. Only a plan whose own `when` looks at time begins and ends with it.

use anyhow::Result;
use rayon::prelude::*;

use super::absorb::LeadPlan;
use super::candidate::{Candidate, candidates, planned};
use super::dealing::{Assigned, Dealer};
use super::evaluate::{Deciding, lead_row, leads_per_chunk};
use super::event::{Event, Events};
use super::rescore::{Carried, carry_over, plan_of};
use crate::model::decision::Segment;
use crate::model::field;
use crate::model::subject::Subject;
use crate::model::task::{PlannedTask, TaskState};
use crate::routing::{Dealt, assign_again, is_work, routes_asked};
use crate::rules::RuleSet;
use crate::rules::condition::Lens;
use crate::rules::followup::FollowupPolicy;
use crate::scoring;
use crate::store::leads::TaskBook;
use crate::store::looks::BY_TIME;
use crate::store::rescore::{StandingLead, StandingTask};
use crate::store::turns::TurnBook;

/// How many leads a run looked at because of the time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LookedAgain {
    /// All of them.
    pub leads: u64,
    /// Those that came out otherwise.
    pub changed: u64,
    /// Those of them of which files show it.
    pub shown: u64,
}

/// Returns the first instant after as-of at which the score of a lead, its route or a plan of its segment that
/// looks at time may be another, in milliseconds since 1970 UTC.
pub(super) fn next_look_ms(
    subject: &Subject<'_>,
    segment: Segment,
    route: Option<usize>,
    rules: &RuleSet,
) -> Option<i64> {
    let lens = Lens::new(subject);
    let routes = &rules.routing.routes;
    let tried = routes_asked(route, subject, &rules.routing);
    let of_routes = routes[..tried].iter().filter_map(|route| route.when.next_change_ms(&lens));
    let plans = rules.followup.plans.iter().filter(|plan| plan.segments.contains(&segment));
    let of_plans = plans.filter_map(|plan| plan.when.next_change_ms(&lens));
    let of_score = scoring::next_change_ms(subject, &rules.scoring);
    of_score.into_iter().chain(of_routes).chain(of_plans).min()
}

/// Looks again at the leads whose instant has come; inside the caller's transaction, after all others are decided.
pub(super) fn look_again(deciding: Deciding<'_>, events: Events<'_>) -> Result<LookedAgain> {
    let Deciding { store, rules, run, as_of, is_replay, .. } = deciding;
    let numbers = store.leads_to_look_at(as_of.timestamp_millis(), is_replay)?;
    let mut looked = LookedAgain::default();
    if numbers.is_empty() {
        return Ok(looked);
    }
    if !is_replay {
        let total = numbers.len() as u64;
        events(Event::Phase { name: "looking again, as time passed", total });
    }
    let has_touches = store.has_touches()?;
    let mut work = Looking {
        deciding,
        dealer: Dealer::new(deciding)?,
        stale_ms: (as_of - rules.followup.max_age).timestamp_millis(),
        tasks: store.task_book(run),
        turns: store.turn_book(run)?,
        looked: &mut looked,
    };
    for chunk in numbers.chunks(leads_per_chunk(has_touches)) {
        let leads = chunk.iter().map(|no| store.standing_lead(*no)).collect::<Result<Vec<_>>>()?;
        work.chunk(&leads, has_touches)?;
        if !is_replay {
            events(Event::Progress { done: work.looked.leads });
        }
    }
    work.dealer.keep()?;
    Ok(looked)
}

struct Looking<'a> {
    deciding: Deciding<'a>,
    dealer: Dealer<'a>,
    stale_ms: i64,
    tasks: TaskBook<'a>,
    turns: TurnBook<'a>,
    looked: &'a mut LookedAgain,
}

impl Looking<'_> {
    fn chunk(&mut self, leads: &[StandingLead], has_touches: bool) -> Result<()> {
        let store = self.deciding.store;
        let plans = leads.iter().map(|lead| plan_of(store, lead)).collect::<Result<Vec<_>>>()?;
        let candidates = candidates(self.deciding, &plans, has_touches)?;
        let mut assigned = Vec::with_capacity(leads.len());
        for (lead, candidate) in leads.iter().zip(&candidates) {
            assigned.push(self.assign(lead, candidate)?);
        }
        let given = assigned.par_iter().map(|(assigned, _)| &assigned.assignment);
        let tasks = planned(self.deciding, &candidates, given);
        for (at, (lead, plan)) in leads.iter().zip(&plans).enumerate() {
            let (assigned, dealt) = &assigned[at];
            self.write(lead, plan, &candidates[at], (assigned, dealt), &tasks[at])?;
        }
        Ok(())
    }

    /// Leaves the lead with whoever has it, where owners keep leads; else gives it to whom a rescore would.
    fn assign(&mut self, lead: &StandingLead, candidate: &Candidate) -> Result<(Assigned, Dealt)> {
        let Deciding { rules, as_of, .. } = self.deciding;
        let policy = &rules.routing;
        let last = &lead.assignment;
        let is_in_the_team = |owner: &str| policy.owner(owner).is_some();
        if policy.returning.keep_owner && last.owner.as_deref().is_some_and(is_in_the_team) {
            return Ok((Assigned::new(last.clone(), last.owner.as_deref()), Dealt::default()));
        }
        let subject = candidate.subject(as_of);
        let crm_owner = candidate.lead.golden.values.get(field::CRM_OWNER);
        let (mut assigned, dealt) = self.dealer.deal(lead.no, last.owner.as_deref(), |desk| {
            let route = candidate.judged.route;
            let assignment = assign_again(route, &subject, policy, last, crm_owner, false, desk);
            // A reason that only tells of another day or score is no other reason.
            let stays = (&assignment.route, &assignment.owner, &assignment.queue)
                == (&last.route, &last.owner, &last.queue);
            if stays { last.clone() } else { assignment }
        })?;
        assigned.arrived &= is_work(&assigned.assignment, &subject);
        Ok((assigned, dealt))
    }

    fn write(
        &mut self,
        standing: &StandingLead,
        plan: &LeadPlan,
        candidate: &Candidate,
        (assigned, dealt): (&Assigned, &Dealt),
        planned: &[PlannedTask],
    ) -> Result<()> {
        let Deciding { store, rules, run, .. } = self.deciding;
        let previous = store.previous_lead(plan.no)?;
        let list = store.standing_tasks(plan.no, self.stale_ms)?;
        let tasks = tasks_by_time(planned, &list, &rules.followup);
        let on_the_list = tasks.as_deref().unwrap_or_default();
        let mut row =
            lead_row(self.deciding, plan, candidate, previous.as_ref(), assigned, on_the_list)?;
        row.steps |= BY_TIME;
        let is_shown = previous.is_none_or(|previous| previous.outward != row.outward);
        let differs = is_shown
            || tasks.is_some()
            || dealt.turn.is_some()
            || row.contributions != standing.contributions
            || row.provenance != standing.provenance
            || assigned.assignment != standing.assignment;
        self.looked.leads += 1;
        self.looked.changed += u64::from(differs);
        self.looked.shown += u64::from(is_shown);
        // How it was dealt is a fact, be it that nobody took it.
        self.turns.write(row.no, dealt)?;
        if !differs {
            return store.keep_look(run, row.no, row.look_ms);
        }
        self.dealer.count(assigned);
        store.write_lead(run, &row)?;
        if let Some(tasks) = &tasks {
            self.tasks.write(row.no, false, tasks)?;
        }
        Ok(())
    }
}

/// Returns what stands on the task list because of the time; `None` leaves it as it is.
fn tasks_by_time(
    planned: &[PlannedTask],
    standing: &[StandingTask],
    policy: &FollowupPolicy,
) -> Option<Vec<PlannedTask>> {
    let looks_at_time =
        |id: &str| policy.plans.iter().any(|plan| plan.id == id && plan.when.looks_at_time());
    if planned.first().is_some_and(|task| looks_at_time(&task.plan)) {
        let Carried { tasks, differ, .. } = carry_over(planned, standing);
        return differ.then_some(tasks);
    }
    let is_left = |task: &&StandingTask| {
        looks_at_time(&task.plan) && planned.iter().all(|other| other.plan != task.plan)
    };
    let open = || standing.iter().filter(|task| task.state == TaskState::Open);
    let kept = |task: &StandingTask| PlannedTask {
        plan: task.plan.clone(),
        step: task.step.clone(),
        channel: task.channel,
        subject: task.subject.clone(),
        due_ms: task.due_ms,
        state: task.state,
        because: task.because.clone(),
    };
    open().any(|task| is_left(&task)).then(|| {
        let stays = open().filter(|task| !is_left(task));
        stays.map(kept).collect()
    })
}
