//! What time alone changes: points fade, windows end, days are full, and nobody has come back.
//!
//! Each decision says until when it holds. A run that imports, even nothing, looks again at the leads whose
//! instant has come, after those that its rows and touches concern, in order of number. One that comes out as it
//! was gets no decision, only another instant. Its owner keeps a lead, away or not: nobody waits for an answer. Only an
//! owner who was not in contact in the time that a rule gives loses it to somebody else, with its open tasks.
//!
//! Time alone sets nothing off: a lead that cools down gets no mail and no call, and what was promised to it
//! stays promised, unless its consent has run out. Only a plan whose own `when` looks at time begins and ends with it.

use anyhow::Result;

use super::candidate::Candidate;
use super::dealing::{Assigned, Dealer, Lead};
use super::evaluate::{Deciding, lead_row, leads_per_chunk};
use super::event::{Event, Events};
use super::rescore::{Carried, carry_over};
use super::standing::{Reviewed, review};
use crate::model::decision::Segment;
use crate::model::subject::Subject;
use crate::model::task::{PlannedTask, TaskState};
use crate::routing::{Dealt, assign_again, routes_asked, take_over};
use crate::rules::RuleSet;
use crate::rules::condition::Lens;
use crate::rules::followup::FollowupPolicy;
use crate::scoring;
use crate::store::looks::BY_TIME;
use crate::store::rescore::StandingLead;
use crate::store::tasks::TaskBook;
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
    /// Those that their owner had left lying.
    pub overdue: u64,
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
    let of_reassigning =
        rules.routing.reassign.iter().filter_map(|rule| rule.when.next_change_ms(&lens));
    let of_score = scoring::next_change_ms(subject, &rules.scoring);
    of_score.into_iter().chain(of_routes).chain(of_plans).chain(of_reassigning).min()
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
        let assign = |dealer: &mut Dealer<'_>, lead: &StandingLead, candidate: &Candidate| {
            assign(deciding, dealer, lead, candidate)
        };
        for lead in review(deciding, &mut work.dealer, leads, has_touches, assign)? {
            work.write(&lead)?;
        }
        if !is_replay {
            events(Event::Progress { done: work.looked.leads });
        }
    }
    work.dealer.keep()?;
    looked.overdue = work.dealer.overdue();
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
    fn write(&mut self, reviewed: &Reviewed) -> Result<()> {
        let Deciding { store, rules, run, .. } = self.deciding;
        let Reviewed { standing, plan, candidate, assigned, dealt, planned } = reviewed;
        let previous = store.previous_lead(plan.no)?;
        let list = store.standing_tasks(plan.no, self.stale_ms)?;
        let by_time = tasks_by_time(planned, &list, &rules.followup);
        let tasks = if assigned.arrived {
            by_time.or_else(|| handed_over(planned, &list))
        } else {
            by_time
        };
        let tasks = without_what_is_not_let(tasks, planned, &list);
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

/// Leaves the lead with whoever has it, where owners keep leads and are in contact in time; else gives it to whom a
/// rescore would.
fn assign(
    Deciding { rules, as_of, .. }: Deciding<'_>,
    dealer: &mut Dealer<'_>,
    standing: &StandingLead,
    candidate: &Candidate,
) -> Result<(Assigned, Dealt)> {
    let policy = &rules.routing;
    let (last, route) = (&standing.assignment, candidate.judged.route);
    let is_in_the_team = |owner: &str| policy.owner(owner).is_some();
    let keeps = policy.returning.keep_owner && last.owner.as_deref().is_some_and(is_in_the_team);
    let subject = candidate.subject(as_of);
    dealer.deal(Lead::as_it_stands(standing, candidate), |claims, desk| {
        if keeps {
            return take_over(route, &subject, policy, claims, desk)
                .unwrap_or_else(|| last.clone());
        }
        let assignment = assign_again(route, &subject, policy, last, claims, false, desk);
        // A reason that only tells of another day or score is no other reason.
        let stays = (&assignment.route, &assignment.owner, &assignment.queue)
            == (&last.route, &last.owner, &last.queue);
        if stays { last.clone() } else { assignment }
    })
}

/// Returns what stands on the task list because of the time; `None` leaves it as it is.
fn tasks_by_time(
    planned: &[PlannedTask],
    standing: &[PlannedTask],
    policy: &FollowupPolicy,
) -> Option<Vec<PlannedTask>> {
    let looks_at_time =
        |id: &str| policy.plans.iter().any(|plan| plan.id == id && plan.when.looks_at_time());
    if planned.first().is_some_and(|task| looks_at_time(&task.key.plan)) {
        let Carried { tasks, differ, .. } = carry_over(planned, standing);
        return differ.then_some(tasks);
    }
    let is_left = |task: &PlannedTask| {
        let plan = &task.key.plan;
        looks_at_time(plan) && planned.iter().all(|other| other.key.plan != *plan)
    };
    let open = || standing.iter().filter(|task| task.state == TaskState::Open);
    open().any(is_left).then(|| open().filter(|task| !is_left(task)).cloned().collect())
}

/// Returns `tasks`, or the list as it stands, with what the consent gate no longer lets as it is planned now: a promise
/// is no reason to write to somebody whose consent has run out.
fn without_what_is_not_let(
    tasks: Option<Vec<PlannedTask>>,
    planned: &[PlannedTask],
    standing: &[PlannedTask],
) -> Option<Vec<PlannedTask>> {
    let instead = |task: &PlannedTask| {
        let is_it = |other: &&PlannedTask| {
            let is_let = other.state != TaskState::NotAllowed && other.channel == task.channel;
            other.key == task.key && task.state == TaskState::Open && !is_let
        };
        planned.iter().find(is_it)
    };
    let list = tasks.as_deref().unwrap_or(standing);
    if !list.iter().any(|task| instead(task).is_some()) {
        return tasks;
    }
    let open = list.iter().filter(|task| tasks.is_some() || task.state == TaskState::Open);
    Some(open.map(|task| instead(task).unwrap_or(task).clone()).collect())
}

/// Returns the open tasks as they are for the lead's new owner, whose hours may be others; `None` where nothing is
/// open. What is planned anew and not open is not opened.
fn handed_over(planned: &[PlannedTask], standing: &[PlannedTask]) -> Option<Vec<PlannedTask>> {
    let open = standing.iter().filter(|task| task.state == TaskState::Open);
    let tasks: Vec<PlannedTask> = open
        .map(|task| {
            let is_it =
                |other: &&PlannedTask| other.key == task.key && other.state == TaskState::Open;
            planned.iter().find(is_it).unwrap_or(task).clone()
        })
        .collect();
    (!tasks.is_empty()).then_some(tasks)
}
