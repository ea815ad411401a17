//! Leads touched → golden record, score, route, tasks, consents: decided and written together.

use anyhow::Result;
use chrono::{DateTime, Utc};
use rayon::prelude::*;

use super::absorb::{Absorbed, Fresh, LeadPlan};
use super::candidate::{Assembled, Candidate, Judged, candidates, planned};
use super::consents::append_touches;
use super::dealing::{Assigned, Dealer, Lead};
use super::event::{Event, Events};
use super::touched::add_touched;
use super::waiting::add_waiting;
use crate::model::field;
use crate::model::ids::RunNo;
use crate::model::lead::display_name;
use crate::model::task::{PlannedTask, TaskState};
use crate::routing;
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::codec::encode_values;
use crate::store::leads::{LeadRow, Outward, PreviousLead};
use crate::store::ledger::Ledger;
use crate::store::points::{write_contributions, write_models};
use crate::store::tasks::TaskBook;
use crate::store::turns::TurnBook;

/// Leads decided between two looks at the progress bar; bounds the memory of the phase.
pub(super) const LEADS_PER_CHUNK: usize = 2_048;

/// The same where leads bring along what they did, which may be a hundred rows each.
const LEADS_WITH_TOUCHES_PER_CHUNK: usize = 256;

/// Returns how many leads are decided at one time.
pub(super) fn leads_per_chunk(has_touches: bool) -> usize {
    if has_touches { LEADS_WITH_TOUCHES_PER_CHUNK } else { LEADS_PER_CHUNK }
}

const SCORED: i64 = 1;
const ROUTED: i64 = 2;
const SCHEDULED: i64 = 4;
const SENT: i64 = 8;
/// The lead became its owner's: no step of the chain, but what caps and loads count.
const ARRIVED: i64 = 32;

/// How many submissions ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Decided {
    /// Fresh submissions that founded a lead.
    pub created: u64,
    /// Fresh submissions that joined one.
    pub merged: u64,
    /// Leads without an owner because nobody could take them.
    pub nobody_eligible: u64,
    /// Leads that their owner had left lying.
    pub overdue: u64,
}

/// A run that decides.
#[derive(Clone, Copy)]
pub struct Deciding<'a> {
    /// Where leads are read and written.
    pub store: &'a Store,
    /// The policy.
    pub rules: &'a RuleSet,
    /// The run.
    pub run: RunNo,
    /// The instant that counts as now.
    pub as_of: DateTime<Utc>,
    /// The submissions that the run received.
    pub fresh: &'a Fresh,
    /// Whether the run has decided before and does so again: then turns are taken as they were, what the
    /// ledger has stays as it is, and only leads that are decided anew are looked at.
    pub is_replay: bool,
    /// Whether it says when leads are to be looked at again; a run of an older leadmill leaves that to the next one.
    pub looks_by_time: bool,
}

/// Decides about every lead of `absorbed`, to which those are added whose touches may be others since, and writes
/// all of it; runs inside the caller's transaction.
pub fn evaluate(
    deciding: Deciding<'_>,
    absorbed: &mut Absorbed,
    events: Events<'_>,
) -> Result<Decided> {
    let Deciding { store, rules, run, as_of, fresh, is_replay, .. } = deciding;
    for plan in &absorbed.leads {
        store.set_members(plan.no, &plan.members, |member| fresh.contains(member))?;
    }
    let has_touches = store.has_touches()?;
    if has_touches {
        add_touched(deciding, absorbed)?;
    }
    let dealer = Dealer::new(deciding)?;
    add_waiting(deciding, dealer.desk(), absorbed)?;
    let absorbed = &*absorbed;
    if !is_replay {
        events(Event::Phase { name: "deciding", total: absorbed.leads.len() as u64 });
    }
    let mut work = Evaluation {
        deciding,
        absorbed,
        has_touches,
        dealer,
        ledger: store.ledger(run)?,
        tasks: store.task_book(run),
        turns: store.turn_book(run)?,
        decided: Decided::default(),
    };
    if !is_replay {
        append_touches(&mut work.ledger, store, rules, run, as_of.timestamp_millis())?;
    }
    let stale = as_of - rules.followup.max_age;
    work.tasks.expire_mail(stale.timestamp_millis(), is_replay)?;
    let leads_per_chunk = leads_per_chunk(has_touches);
    for (number, chunk) in absorbed.leads.chunks(leads_per_chunk).enumerate() {
        work.chunk(chunk)?;
        if !is_replay {
            let done = (number * leads_per_chunk + chunk.len()) as u64;
            events(Event::Progress { done });
        }
    }
    let named = absorbed.leads.iter().filter(|plan| plan.is_new || plan.is_back);
    store.set_aliases(named.map(|plan| (plan.id, plan.no)))?;
    let routes: Vec<&str> = rules.routing.routes.iter().map(|route| route.id.as_str()).collect();
    store.set_routes(&rules.hash, &routes)?;
    work.dealer.keep()?;
    Ok(Decided { overdue: work.dealer.overdue(), ..work.decided })
}

struct Evaluation<'a> {
    deciding: Deciding<'a>,
    absorbed: &'a Absorbed,
    has_touches: bool,
    dealer: Dealer<'a>,
    ledger: Ledger<'a>,
    tasks: TaskBook<'a>,
    turns: TurnBook<'a>,
    decided: Decided,
}

impl Evaluation<'_> {
    fn chunk(&mut self, plans: &[LeadPlan]) -> Result<()> {
        let Deciding { store, .. } = self.deciding;
        let candidates = candidates(self.deciding, plans, self.has_touches)?;
        // Turns are taken one lead after the other, in the order of `absorbed`.
        let mut assignments = Vec::with_capacity(plans.len());
        for (plan, candidate) in plans.iter().zip(&candidates) {
            let previous = if plan.is_new { None } else { store.previous_lead(plan.no)? };
            let assigned = self.assign(plan, candidate, previous.as_ref())?;
            assignments.push((previous, assigned));
        }
        let given = assignments.par_iter().map(|(_, assigned)| &assigned.assignment);
        let tasks = planned(self.deciding, &candidates, given);
        for (at, plan) in plans.iter().enumerate() {
            let (previous, assigned) = &assignments[at];
            self.write(plan, &candidates[at], previous.as_ref(), assigned, &tasks[at])?;
        }
        Ok(())
    }

    /// Gives the lead to somebody, and keeps how it was dealt.
    fn assign(
        &mut self,
        plan: &LeadPlan,
        candidate: &Candidate,
        previous: Option<&PreviousLead>,
    ) -> Result<Assigned> {
        let Deciding { rules, as_of, .. } = self.deciding;
        let owner = self.owner_before(plan, previous)?;
        let own = previous.filter(|lead| lead.owner.is_some());
        let lead = Lead {
            no: plan.no,
            candidate,
            owner: owner.as_deref(),
            queue: own.map(|lead| lead.outward.queue.as_str()),
        };
        let subject = candidate.subject(as_of);
        let (assigned, dealt) = self.dealer.deal(lead, |claims, desk| {
            routing::assign(candidate.judged.route, &subject, &rules.routing, claims, desk)
        })?;
        self.turns.write(plan.no, &dealt)?;
        self.dealer.count(&assigned);
        let is_owned = assigned.assignment.owner.is_some();
        let is_nobodys = !is_owned && !dealt.nobody.is_empty() && dealt.waits_for().is_none();
        self.decided.nobody_eligible += u64::from(is_nobodys);
        Ok(assigned)
    }

    /// The owner of the lead itself, else of the latest lead that it takes in.
    fn owner_before(
        &self,
        plan: &LeadPlan,
        previous: Option<&PreviousLead>,
    ) -> Result<Option<String>> {
        if let Some(owner) = previous.and_then(|lead| lead.owner.clone()) {
            return Ok(Some(owner));
        }
        for absorbed in plan.absorbs.iter().rev() {
            if let Some(owner) =
                self.deciding.store.previous_lead(*absorbed)?.and_then(|lead| lead.owner)
            {
                return Ok(Some(owner));
            }
        }
        Ok(None)
    }

    fn write(
        &mut self,
        plan: &LeadPlan,
        candidate: &Candidate,
        previous: Option<&PreviousLead>,
        assigned: &Assigned,
        tasks: &[PlannedTask],
    ) -> Result<()> {
        let Deciding { store, run, fresh, .. } = self.deciding;
        let row = lead_row(self.deciding, plan, candidate, previous, assigned, tasks)?;
        store.write_lead(run, &row)?;
        let clustered = plan.members.iter().filter(|_| !plan.keeps_members);
        for member in clustered {
            let link = self.absorbed.links.get(member).copied();
            if link.is_some() || !fresh.contains(*member) {
                store.set_link(*member, link)?;
            }
        }
        for absorbed in &plan.absorbs {
            store.merge_lead(*absorbed, plan.no)?;
            self.tasks.end(*absorbed)?;
        }
        for inherited in &plan.inherits {
            store.repoint_lead(*inherited, plan.no)?;
        }
        self.tasks.write(plan.no, plan.is_new, tasks)?;
        self.count_fresh(plan, &candidate.lead)
    }

    /// Counts the submissions that the run received, and puts what they agreed to into the ledger.
    fn count_fresh(&mut self, plan: &LeadPlan, lead: &Assembled) -> Result<()> {
        let Deciding { fresh, as_of, is_replay, .. } = self.deciding;
        let received = lead.members.iter().filter(|member| fresh.contains(member.no));
        for member in received.clone().filter(|_| !is_replay) {
            member.telling().append_to(&mut self.ledger, as_of.timestamp_millis())?;
        }
        let founded = plan.is_new && fresh.contains(plan.founder);
        self.decided.created += u64::from(founded);
        self.decided.merged += received.count() as u64 - u64::from(founded);
        Ok(())
    }
}

/// Returns the lead's row as the run writes it.
pub(super) fn lead_row(
    deciding: Deciding<'_>,
    plan: &LeadPlan,
    candidate: &Candidate,
    previous: Option<&PreviousLead>,
    Assigned { assignment, arrived, look_ms }: &Assigned,
    tasks: &[PlannedTask],
) -> Result<LeadRow> {
    let Deciding { rules, run, looks_by_time, .. } = deciding;
    let Candidate { lead, judged: Judged { score, .. }, .. } = candidate;
    let outward = Outward {
        fields: (lead.members.len() > 1).then(|| encode_values(&lead.golden.values, &rules.fields)),
        n_submissions: lead.members.len() as i64,
        first_ms: lead.facts.first_submitted_at.timestamp_millis(),
        last_ms: lead.facts.last_submitted_at.timestamp_millis(),
        score: i64::from(score.total),
        segment: score.segment.word().to_owned(),
        groups: score.groups.map(i64::from),
        grade: score.grade.map(|grade| grade.word().to_owned()),
        models: write_models(&score.models)?,
        owner: assignment.owner.clone(),
        queue: assignment.queue.clone(),
        may_email: lead.facts.marketing_email_allowed,
        may_phone: lead.facts.marketing_phone_allowed,
        answers: lead.answers.clone(),
    };
    let changed = plan.is_back || previous.is_none_or(|previous| previous.outward != outward);
    let scheduled = tasks.iter().any(|task| task.state == TaskState::Open);
    Ok(LeadRow {
        no: plan.no,
        id: plan.id,
        founder: plan.founder,
        founded_run: previous.map_or(run.0, |previous| previous.founded_run),
        changed_run: match previous {
            Some(previous) if !changed => previous.changed_run,
            _ => run.0,
        },
        outward,
        name: display_name(&lead.golden.values),
        email: lead.golden.values.get(field::EMAIL).map(str::to_owned),
        phone: lead.golden.values.get(field::PHONE).map(str::to_owned),
        provenance: provenance(lead, rules)?,
        route: assignment.route.clone(),
        reason: assignment.reason.clone(),
        contributions: write_contributions(&score.contributions, |one| rules.scoring.id(one))?,
        steps: SCORED
            | ROUTED
            | if scheduled { SCHEDULED } else { 0 }
            | if changed { SENT } else { 0 }
            | if *arrived { ARRIVED } else { 0 },
        look_ms: if looks_by_time {
            candidate.judged.look_ms.into_iter().chain(*look_ms).min()
        } else {
            Some(0)
        },
    })
}

/// Which submission won which field: the winner of most as `*`, then the exceptions; nothing to say
/// when there is only one.
fn provenance(lead: &Assembled, rules: &RuleSet) -> Result<Option<String>> {
    if lead.members.len() == 1 {
        return Ok(None);
    }
    let mut wins = vec![0; lead.members.len()];
    for (_, winner) in &lead.golden.winners {
        wins[*winner] += 1;
    }
    let most = (0..wins.len()).max_by_key(|member| wins[*member]).unwrap_or(0);
    let mut map = serde_json::Map::new();
    map.insert("*".to_owned(), lead.members[most].no.0.into());
    for (field, winner) in lead.golden.winners.iter().filter(|(_, winner)| *winner != most) {
        map.insert(rules.fields.name(*field).to_owned(), lead.members[*winner].no.0.into());
    }
    Ok(Some(serde_json::to_string(&map)?))
}
