//! Deciding anew about leads that are there: for keeps as a run, or only to see what it would change.
//!
//! Rows are not clustered again; golden record, consent, score, owner and tasks follow from them under the
//! rules at hand, at the instant of the run. A lead about which nothing comes out otherwise is left as it is,
//! with the decision it has. Deciding only reads, and reads nothing that it leads to be written: a rescore
//! writes what comes out, a simulation does not, and that is all that tells them apart.

use std::collections::BTreeMap;

use anyhow::Result;

use super::absorb::Fresh;
use super::amend::{all_have_a_place, amend, close};
use super::books::Books;
use super::candidate::Candidate;
use super::dealing::{Assigned, Dealer, Lead};
use super::evaluate::{Deciding, LEADS_PER_CHUNK, lead_row, leads_per_chunk};
use super::event::{Event, Events};
use super::interrupted::stop_if_interrupted;
use super::standing::{Reviewed, review};
use super::{Job, opening};
use crate::model::decision::Group;
use crate::model::ids::{LeadNo, RunNo};
use crate::model::moment::utc_from_ms;
use crate::model::task::{PlannedTask, TaskKey, TaskState};
use crate::report::comparison::{Comparing, Comparison, LeadShift, PointShift, TaskShift, Verdict};
use crate::report::run_json::RunSummary;
use crate::routing::{Dealt, assign_again};
use crate::rules::RuleSet;
use crate::rules::routing::RoutingPolicy;
use crate::store::Store;
use crate::store::leads::{LeadRow, PreviousLead};
use crate::store::points::read_contributions;
use crate::store::rescore::{RescoreScope, StandingLead};
use crate::store::runs::{RunKind, RunRecord, RunState};

/// Decides anew about every lead of `scope` and publishes what that changed.
///
/// # Errors
/// Whatever the error, nothing was written, and doing it again is safe.
pub fn rescore(job: &Job<'_>, scope: RescoreScope, events: Events<'_>) -> Result<RunSummary> {
    let asked = format!("rescore {} {scope:?}", job.rules.hash);
    amend(job, &asked, events, |store, digest, events| {
        let record = store.begin_run(opening(job, RunKind::Rescore, None, digest))?;
        store.keep_rules(job.rules)?;
        store.keep_rescore(record.no, scope)?;
        let total = store.count_standing(scope)?;
        events(Event::Phase { name: "deciding anew", total });
        let mut comparing = Comparing::default();
        let fresh = Fresh::starting_at(record.first_submission_no);
        let deciding = deciding(store, job.rules, &record, &fresh, false);
        let mut done = 0;
        decide_and_write(deciding, scope, |lead| {
            comparing.add(&lead.shift()?);
            done += 1;
            if done % LEADS_PER_CHUNK as u64 == 0 {
                events(Event::Progress { done });
                stop_if_interrupted(job)?;
            }
            Ok(())
        })?;
        all_have_a_place(store, |broken| {
            format!("{broken} leads or submissions would be without a place")
        })?;
        let comparison = finish(comparing, &job.rules.routing);
        let books = close(store, &record, Books::of_rescore(comparison))?;
        Ok((record, books))
    })
}

/// Lets the rescore `run` decide once more, about what is at stake in a replay.
pub(super) fn rescore_again(store: &Store, rules: &RuleSet, run: &RunRecord) -> Result<()> {
    let fresh = Fresh::starting_at(run.first_submission_no);
    let deciding = deciding(store, rules, run, &fresh, true);
    decide_and_write(deciding, store.rescore_scope(run.no)?, |_| Ok(()))
}

/// Says what [`rescore`] would change under the rules of `job`, lead by lead to `see` in order of number, and
/// in sum. It only reads: neither a run that goes on meanwhile nor the store itself is touched.
///
/// `at_hand` are the rules that leads are decided by otherwise: they tell what time alone would change.
pub fn simulate(
    job: &Job<'_>,
    at_hand: &RuleSet,
    scope: RescoreScope,
    see: &mut dyn FnMut(&LeadShift) -> Result<()>,
    events: Events<'_>,
) -> Result<Comparison> {
    let store = Store::open_read_only(job.store)?;
    store.begin_reading()?;
    // What a run has taken in that has not decided yet, the rescore would take back or have decided.
    let run = match store.latest_run()? {
        Some(last) if last.state == RunState::Ingesting => RunNo(last.no.0 - 1),
        Some(last) => last.no,
        None => RunNo(0),
    };
    events(Event::Phase { name: "deciding anew", total: store.count_standing(scope)? });
    let fresh = Fresh::starting_at(i64::MAX);
    let deciding = Deciding {
        store: &store,
        rules: job.rules,
        run,
        as_of: job.as_of,
        fresh: &fresh,
        is_replay: false,
        looks_by_time: true,
    };
    let mut comparing = Comparing::default();
    let mut work = Rescoring::new(deciding, scope)?;
    // The same leads under the rules at hand, side by side.
    let is_other = at_hand.hash != job.rules.hash;
    let mut beside = is_other
        .then(|| Rescoring::new(Deciding { rules: at_hand, ..deciding }, scope))
        .transpose()?;
    let mut done = 0;
    while let Some(leads) = work.chunk()? {
        let otherwise = match &mut beside {
            Some(beside) => beside.chunk()?.unwrap_or_default(),
            None => Vec::new(),
        };
        for (at, lead) in leads.iter().enumerate() {
            let mut shift = lead.shift()?;
            let is_same = |other: &Again| other.comes_to_the_same(lead) && shift.is_change();
            shift.by_time_alone = otherwise.get(at).map(is_same);
            comparing.add(&shift);
            see(&shift)?;
        }
        done += leads.len() as u64;
        events(Event::Progress { done });
        stop_if_interrupted(job)?;
    }
    Ok(finish(comparing, &job.rules.routing))
}

fn finish(comparing: Comparing, policy: &RoutingPolicy) -> Comparison {
    comparing.finish(|queue, owner| {
        let queue = policy.queue(queue)?;
        let member = queue.pool.iter().find(|member| member.owner == owner)?;
        Some((member.weight, queue.turns()))
    })
}

fn deciding<'a>(
    store: &'a Store,
    rules: &'a RuleSet,
    run: &RunRecord,
    fresh: &'a Fresh,
    is_replay: bool,
) -> Deciding<'a> {
    let as_of = utc_from_ms(run.as_of_ms);
    let looks_by_time = run.looks_by_time;
    Deciding { store, rules, run: run.no, as_of, fresh, is_replay, looks_by_time }
}

/// Decides about every lead of `scope`, hands it to `see`, and writes those that come out otherwise.
fn decide_and_write(
    deciding: Deciding<'_>,
    scope: RescoreScope,
    mut see: impl FnMut(&Again) -> Result<()>,
) -> Result<()> {
    let Deciding { store, rules, run, is_replay, .. } = deciding;
    let mut work = Rescoring::new(deciding, scope)?;
    let (mut tasks, mut turns) = (store.task_book(run), store.turn_book(run)?);
    tasks.expire_mail(work.stale_ms, is_replay)?;
    while let Some(leads) = work.chunk()? {
        for lead in &leads {
            see(lead)?;
            // How it was dealt is a fact, be it to whoever has it.
            turns.write(lead.row.no, &lead.dealt)?;
            if !lead.differs {
                if lead.row.look_ms != lead.standing.look_ms {
                    store.keep_look(run, lead.row.no, lead.row.look_ms)?;
                }
                continue;
            }
            store.write_lead(run, &lead.row)?;
            tasks.write(lead.row.no, false, &lead.tasks)?;
            work.dealer.count(&lead.assigned);
        }
    }
    let routes: Vec<&str> = rules.routing.routes.iter().map(|route| route.id.as_str()).collect();
    store.set_routes(&rules.hash, &routes)?;
    work.dealer.keep()
}

/// The leads of a scope, chunk by chunk.
struct Rescoring<'a> {
    deciding: Deciding<'a>,
    scope: RescoreScope,
    has_touches: bool,
    dealer: Dealer<'a>,
    /// Open mail that was due before this is left out, milliseconds since 1970 UTC.
    stale_ms: i64,
    after: LeadNo,
}

/// A lead that was decided about anew; nothing of it is written yet.
struct Again {
    standing: StandingLead,
    previous: PreviousLead,
    row: LeadRow,
    assigned: Assigned,
    dealt: Dealt,
    /// What the task list gets: all planned steps but those that were over already.
    tasks: Vec<PlannedTask>,
    moves: TaskShift,
    /// Whether anything comes out otherwise than it stands.
    differs: bool,
}

impl<'a> Rescoring<'a> {
    fn new(deciding: Deciding<'a>, scope: RescoreScope) -> Result<Self> {
        let Deciding { store, rules, as_of, .. } = deciding;
        Ok(Self {
            deciding,
            scope,
            has_touches: store.has_touches()?,
            dealer: Dealer::new(deciding)?,
            stale_ms: (as_of - rules.followup.max_age).timestamp_millis(),
            after: LeadNo(0),
        })
    }

    /// Decides about the next leads; `None` when there are no more.
    fn chunk(&mut self) -> Result<Option<Vec<Again>>> {
        let Deciding { store, is_replay, .. } = self.deciding;
        let limit = leads_per_chunk(self.has_touches);
        let leads = store.standing_leads(self.scope, self.after, is_replay, limit)?;
        let Some(last) = leads.last() else { return Ok(None) };
        self.after = last.no;
        let (deciding, reroutes) = (self.deciding, self.scope.reroutes);
        let reviewed = review(
            deciding,
            &mut self.dealer,
            leads,
            self.has_touches,
            |dealer, lead, candidate| assign(deciding, dealer, lead, candidate, reroutes),
        )?;
        reviewed.into_iter().map(|lead| self.compare(lead)).collect::<Result<_>>().map(Some)
    }

    fn compare(&self, reviewed: Reviewed) -> Result<Again> {
        let store = self.deciding.store;
        let Reviewed { standing, plan, candidate, assigned, dealt, planned } = reviewed;
        let previous = store.previous_lead(plan.no)?.ok_or_else(|| {
            anyhow::anyhow!("lead {} went away while it was decided about", plan.id)
        })?;
        let list = store.standing_tasks(plan.no, self.stale_ms)?;
        let Carried { tasks, moves, differ } = carry_over(&planned, &list);
        let row = lead_row(self.deciding, &plan, &candidate, Some(&previous), &assigned, &tasks)?;
        let differs = differ
            || row.outward != previous.outward
            || row.contributions != standing.contributions
            || row.provenance != standing.provenance
            || assigned.assignment != standing.assignment;
        Ok(Again { standing, previous, row, assigned, dealt, tasks, moves, differs })
    }
}

fn assign(
    Deciding { rules, as_of, .. }: Deciding<'_>,
    dealer: &mut Dealer<'_>,
    standing: &StandingLead,
    candidate: &Candidate,
    reroutes: bool,
) -> Result<(Assigned, Dealt)> {
    let subject = candidate.subject(as_of);
    let (last, route) = (&standing.assignment, candidate.judged.route);
    dealer.deal(Lead::as_it_stands(standing, candidate), |claims, desk| {
        assign_again(route, &subject, &rules.routing, last, claims, reroutes, desk)
    })
}

/// Planned tasks beside those that stand.
pub(super) struct Carried {
    /// What the task list gets.
    pub(super) tasks: Vec<PlannedTask>,
    moves: TaskShift,
    /// Whether any of it stands otherwise now.
    pub(super) differ: bool,
}

/// Puts `planned` beside the list: what was let go for its age is not started again, and what is open does
/// not get too old by being looked at.
pub(super) fn carry_over(planned: &[PlannedTask], standing: &[PlannedTask]) -> Carried {
    let list: BTreeMap<&TaskKey, &PlannedTask> =
        standing.iter().map(|task| (&task.key, task)).collect();
    let known = |task: &PlannedTask| list.get(&task.key).copied();
    let carried = planned.iter().filter_map(|task| match (known(task), task.state) {
        (Some(stands), _) if stands.state == TaskState::TooOld => None,
        (Some(stands), TaskState::TooOld) if stands.state == TaskState::Open => {
            let because = stands.because.clone();
            Some(PlannedTask { state: TaskState::Open, because, ..task.clone() })
        }
        _ => Some(task.clone()),
    });
    let tasks: Vec<PlannedTask> = carried.collect();
    let mut moves = TaskShift::default();
    let mut still_open = 0;
    for task in tasks.iter().filter(|task| task.state == TaskState::Open) {
        let Some(stands) = known(task).filter(|stands| stands.state == TaskState::Open) else {
            moves.opened += 1;
            continue;
        };
        still_open += 1;
        let (is, was) = (
            (task.due_ms, &task.subject, task.channel),
            (stands.due_ms, &stands.subject, stands.channel),
        );
        moves.moved += u64::from(is != was);
    }
    let open = standing.iter().filter(|task| task.state == TaskState::Open).count() as u64;
    moves.ended = open - still_open;
    let differ = !moves.is_none()
        || tasks.iter().any(|task| known(task).is_none_or(|stands| stands.state != task.state));
    Carried { tasks, moves, differ }
}

impl Again {
    /// Returns whether two rule sets decide alike about one lead.
    fn comes_to_the_same(&self, other: &Self) -> bool {
        self.row.outward == other.row.outward && self.moves == other.moves
    }

    /// Returns the lead as people compare it.
    fn shift(&self) -> Result<LeadShift> {
        let Self { standing, previous, row, .. } = self;
        let verdict = |out: &crate::store::leads::Outward, route: &str| Verdict {
            score: out.score,
            segment: out.segment.clone(),
            owner: out.owner.clone(),
            queue: out.queue.clone(),
            route: route.to_owned(),
        };
        Ok(LeadShift {
            lead: row.id.to_string(),
            name: row.name.clone(),
            before: verdict(&previous.outward, &standing.assignment.route),
            after: verdict(&row.outward, &row.route),
            tasks: self.moves,
            points: point_shifts(&standing.contributions, &row.contributions)?,
            by_time_alone: None,
        })
    }
}

fn point_shifts(before: &str, after: &str) -> Result<Vec<PointShift>> {
    let mut points: BTreeMap<(String, Group), (i64, i64)> = BTreeMap::new();
    for given in read_contributions(before)? {
        points.entry((given.rule, given.group)).or_default().0 += i64::from(given.points);
    }
    for given in read_contributions(after)? {
        points.entry((given.rule, given.group)).or_default().1 += i64::from(given.points);
    }
    let shift = |((rule, group), (before, after)): ((String, Group), (i64, i64))| PointShift {
        rule,
        group: group.word().to_owned(),
        before,
        after,
    };
    Ok(points.into_iter().map(shift).collect())
}
