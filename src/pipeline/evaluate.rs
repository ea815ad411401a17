//! Leads touched → golden record, score, route, tasks, consents: decided and written together.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use rayon::prelude::*;

use super::absorb::{Absorbed, Fresh, LeadPlan};
use super::dealing::{Assigned, Dealer};
use super::elapsed::next_look_ms;
use super::event::{Event, Events};
use super::touched::{TouchBook, add_touched};
use super::waiting::add_waiting;
use crate::consent;
use crate::followup::{self, Opening};
use crate::identity::golden::{Golden, Member, golden};
use crate::identity::keys::identities;
use crate::model::consent::{Channel, ConsentClaim, ConsentRecord, ConsentState, Purpose};
use crate::model::decision::{Assignment, ModelScores, Score};
use crate::model::field::{self, FieldValues};
use crate::model::ids::{LeadNo, RunNo, SubmissionNo};
use crate::model::lead::display_name;
use crate::model::moment::utc_from_ms;
use crate::model::subject::{Facts, Subject};
use crate::model::task::{PlannedTask, TaskState};
use crate::model::touch::{Identity, Touch};
use crate::routing::{self, Claims};
use crate::rules::RuleSet;
use crate::scoring;
use crate::store::Store;
use crate::store::codec::{decode_values, encode_values};
use crate::store::leads::{LeadRow, Ledger, MemberRow, Outward, PreviousLead, TaskBook, claims};
use crate::store::points::{write_contributions, write_models};
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
        turns: store.turn_book(run),
        decided: Decided::default(),
    };
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
    Ok(work.decided)
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

/// A lead with its submissions decoded.
pub(super) struct Assembled {
    pub(super) golden: Golden,
    members: Vec<AssembledMember>,
    consents: Vec<ConsentRecord>,
    identities: Vec<Identity>,
    facts: Facts,
    /// Until when the facts hold, milliseconds since 1970 UTC; a consent may grow too old.
    facts_until_ms: Option<i64>,
}

struct AssembledMember {
    no: SubmissionNo,
    submitted_ms: i64,
    modified_ms: i64,
    is_time_known: bool,
    values: FieldValues,
    claims: Vec<ConsentClaim>,
}

/// What one lead alone decides.
pub(super) struct Judged {
    pub(super) score: Score,
    pub(super) route: Option<usize>,
    /// When time alone may change anything of it, milliseconds since 1970 UTC.
    pub(super) look_ms: Option<i64>,
}

/// A lead as it is before anybody gets it.
pub(super) struct Candidate {
    pub(super) lead: Assembled,
    touches: Vec<Touch>,
    pub(super) judged: Judged,
}

impl Candidate {
    /// Returns what conditions look at.
    pub(super) fn subject(&self, as_of: DateTime<Utc>) -> Subject<'_> {
        subject(&self.lead, &self.touches, as_of)
    }
}

/// Reads and judges the leads of `plans`; on all threads, for it looks at each lead alone.
pub(super) fn candidates(
    deciding: Deciding<'_>,
    plans: &[LeadPlan],
    has_touches: bool,
) -> Result<Vec<Candidate>> {
    let Deciding { store, rules, run, as_of, .. } = deciding;
    let rows: Vec<Vec<MemberRow>> = plans
        .iter()
        .map(|plan| plan.members.iter().map(|no| store.member_row(*no)).collect())
        .collect::<Result<_>>()?;
    let assembled: Vec<Assembled> = rows
        .into_par_iter()
        .map(|rows| assemble(&rows, rules, as_of, has_touches))
        .collect::<Result<_>>()?;
    let touches = if has_touches {
        touches(TouchBook::new(store, rules, run), plans, &assembled)?
    } else {
        vec![Vec::new(); plans.len()]
    };
    let judged = |(mut lead, touches): (Assembled, Vec<Touch>)| {
        let judged = judge(&mut lead, &touches, rules, as_of);
        Candidate { lead, touches, judged }
    };
    Ok(assembled.into_par_iter().zip(touches).map(judged).collect())
}

/// Returns what the people of `plans` did.
fn touches(
    mut book: TouchBook<'_>,
    plans: &[LeadPlan],
    leads: &[Assembled],
) -> Result<Vec<Vec<Touch>>> {
    let found = plans.iter().zip(leads).map(|(plan, lead)| {
        let joined = book.touches_of(plan.no, &lead.identities)?;
        Ok(joined.into_iter().map(|one| one.touch).collect())
    });
    found.collect()
}

/// Returns the tasks that each lead's latest enquiry sets off, now that it is known who has it.
pub(super) fn planned<'a>(
    deciding: Deciding<'_>,
    candidates: &[Candidate],
    assignments: impl IndexedParallelIterator<Item = &'a Assignment>,
) -> Vec<Vec<PlannedTask>> {
    let Deciding { rules, as_of, .. } = deciding;
    candidates
        .par_iter()
        .zip(assignments)
        .map(|(one, assignment)| {
            plan_tasks(&one.lead, &one.touches, &one.judged, assignment, rules, as_of)
        })
        .collect()
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
        let claims = Claims {
            owner: owner.as_deref(),
            may_keep: true,
            crm_owner: candidate.lead.golden.values.get(field::CRM_OWNER),
        };
        let subject = candidate.subject(as_of);
        let (assigned, dealt) = self.dealer.deal(plan.no, owner.as_deref(), |desk| {
            routing::assign(candidate.judged.route, &subject, &rules.routing, claims, desk)
        })?;
        self.turns.write(plan.no, &dealt)?;
        self.dealer.count(&assigned);
        let is_owned = assigned.assignment.owner.is_some();
        self.decided.nobody_eligible += u64::from(!is_owned && !dealt.nobody.is_empty());
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
            for claim in &member.claims {
                let (sent, changed) = (member.submitted_ms, member.modified_ms);
                let said_ms = said_ms(claim, sent, changed, as_of.timestamp_millis());
                self.ledger.append(member.no, claim, said_ms)?;
            }
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
    Assigned { assignment, arrived }: &Assigned,
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
        look_ms: if looks_by_time { candidate.judged.look_ms } else { Some(0) },
    })
}

/// Returns the score of the lead that `rows` make, as it is at `at` with what was done by then.
pub(super) fn score_as_of(
    rows: &[MemberRow],
    touches: &[Touch],
    rules: &RuleSet,
    at: DateTime<Utc>,
) -> Result<Score> {
    let lead = assemble(rows, rules, at, false)?;
    Ok(scoring::score(&subject(&lead, touches, at), &rules.scoring))
}

fn assemble(
    rows: &[MemberRow],
    rules: &RuleSet,
    as_of: DateTime<Utc>,
    has_touches: bool,
) -> Result<Assembled> {
    let mut members = Vec::with_capacity(rows.len());
    let mut consents = Vec::new();
    let mut own = BTreeSet::new();
    for row in rows {
        let values = decode_values(&row.fields, &rules.fields)?;
        let claims = claims(row.consents.as_deref())?;
        for claim in &claims {
            let seq = consents.len() as i64 + 1;
            consents.push(record(claim, row, &values, seq, as_of.timestamp_millis()));
        }
        if has_touches {
            own.extend(identities(&values, row.fingerprint));
        }
        members.push(AssembledMember {
            no: row.no,
            submitted_ms: row.submitted_ms,
            modified_ms: row.changed_ms(),
            is_time_known: row.is_time_known,
            values,
            claims,
        });
    }
    let views: Vec<Member<'_>> = members
        .iter()
        .zip(rows)
        .map(|(member, row)| Member {
            values: &member.values,
            submitted_ms: member.submitted_ms,
            modified_ms: member.modified_ms,
            fingerprint: row.fingerprint,
            source: &row.source,
        })
        .collect();
    let golden = golden(&views, &rules.fields, &rules.survivorship);
    let sources: BTreeSet<&str> = rows.iter().map(|row| row.source.as_str()).collect();
    let times = || members.iter().map(|member| member.submitted_ms);
    let may = |channel| {
        consent::allowed(
            &rules.consent,
            &consents,
            Purpose::MARKETING,
            channel,
            as_of.timestamp_millis(),
        )
        .allowed
    };
    let facts = Facts {
        n_submissions: members.len() as u32,
        n_sources: sources.len() as u32,
        first_submitted_at: utc_from_ms(times().min().context("a lead without submissions")?),
        last_submitted_at: utc_from_ms(times().max().context("a lead without submissions")?),
        marketing_email_allowed: golden.values.get(field::EMAIL).is_some() && may(Channel::Email),
        marketing_phone_allowed: golden.values.get(field::PHONE).is_some() && may(Channel::Phone),
        score: None,
        segment: None,
        grade: None,
        models: ModelScores::default(),
    };
    let identities = own.into_iter().collect();
    let facts_until_ms = facts_until_ms(&members, &consents, rules, as_of.timestamp_millis());
    Ok(Assembled { golden, members, consents, identities, facts, facts_until_ms })
}

/// Returns when a consent that counts grows too old, or an answer that lies ahead takes its own place among others.
fn facts_until_ms(
    members: &[AssembledMember],
    consents: &[ConsentRecord],
    rules: &RuleSet,
    as_of_ms: i64,
) -> Option<i64> {
    let lapses = [Channel::Email, Channel::Phone].into_iter().filter_map(|channel| {
        consent::lapses_at_ms(&rules.consent, consents, Purpose::MARKETING, channel, as_of_ms)
    });
    let said = members.iter().filter(|member| !member.claims.is_empty());
    let ahead = said.flat_map(|member| [member.submitted_ms, member.modified_ms]);
    lapses.chain(ahead.filter(|at_ms| *at_ms > as_of_ms)).min()
}

/// Returns a claim as the gate reads it; `seq` only orders the records of one lead.
pub(super) fn record(
    claim: &ConsentClaim,
    row: &MemberRow,
    values: &FieldValues,
    seq: i64,
    as_of_ms: i64,
) -> ConsentRecord {
    ConsentRecord {
        seq,
        purpose: claim.purpose.clone(),
        channel: claim.channel,
        state: claim.state,
        event_at_ms: said_ms(claim, row.submitted_ms, row.changed_ms(), as_of_ms),
        is_dated: row.is_time_known,
        wording: claim.wording.clone(),
        mechanism: claim.mechanism.clone(),
        evidence: row.evidence.clone(),
        ip: values.get(field::IP).map(str::to_owned),
        user_agent: values.get(field::USER_AGENT).map(str::to_owned),
    }
}

/// Returns when the answer of `claim` counts as given.
///
/// A contact list shows how things stood when it last changed its record: that somebody declines is as
/// recent as that, while an agreement is proven only for when the contact was made. Nobody answers in
/// the future: a time ahead of `as_of_ms` is a clock's or a zone's error, and a refusal counts at once.
pub(super) fn said_ms(
    claim: &ConsentClaim,
    submitted_ms: i64,
    modified_ms: i64,
    as_of_ms: i64,
) -> i64 {
    let said_ms = if claim.state == ConsentState::Given { submitted_ms } else { modified_ms };
    said_ms.min(as_of_ms)
}

fn subject<'a>(lead: &'a Assembled, touches: &'a [Touch], as_of: DateTime<Utc>) -> Subject<'a> {
    Subject { values: &lead.golden.values, facts: &lead.facts, touches, as_of }
}

/// A lead as somebody sees it who decides nothing.
pub(super) struct Seen {
    lead: Assembled,
    touches: Vec<Touch>,
    as_of: DateTime<Utc>,
}

impl Seen {
    /// Looks at `no`, made of `members`, with what runs up to `run` received, under `rules` at `as_of`.
    pub(super) fn by_run(
        store: &Store,
        rules: &RuleSet,
        (run, as_of): (RunNo, DateTime<Utc>),
        no: LeadNo,
        members: &[MemberRow],
    ) -> Result<Self> {
        let has_touches = store.has_touches()?;
        let mut lead = assemble(members, rules, as_of, has_touches)?;
        let touches = if has_touches {
            let joined = TouchBook::new(store, rules, run).touches_of(no, &lead.identities)?;
            joined.into_iter().map(|one| one.touch).collect()
        } else {
            Vec::new()
        };
        judge(&mut lead, &touches, rules, as_of);
        Ok(Self { lead, touches, as_of })
    }

    /// Returns the lead as rules see it, with its score.
    pub(super) fn subject(&self) -> Subject<'_> {
        subject(&self.lead, &self.touches, self.as_of)
    }
}

fn judge(lead: &mut Assembled, touches: &[Touch], rules: &RuleSet, as_of: DateTime<Utc>) -> Judged {
    let score = scoring::score(&subject(lead, touches, as_of), &rules.scoring);
    lead.facts.know(&score);
    let subject = subject(lead, touches, as_of);
    let route = routing::choose(&subject, &rules.routing);
    let of_rules = next_look_ms(&subject, score.segment, route, rules);
    let look_ms = of_rules.into_iter().chain(lead.facts_until_ms).min();
    Judged { score, route, look_ms }
}

fn plan_tasks(
    lead: &Assembled,
    touches: &[Touch],
    judged: &Judged,
    assignment: &Assignment,
    rules: &RuleSet,
    as_of: DateTime<Utc>,
) -> Vec<PlannedTask> {
    let owner = assignment.owner.as_deref().and_then(|owner| rules.routing.owner(owner));
    let allowed = |purpose: &str, channel: Channel| {
        consent::allowed(&rules.consent, &lead.consents, purpose, channel, as_of.timestamp_millis())
    };
    let times: Vec<_> = lead.members.iter().map(|one| utc_from_ms(one.submitted_ms)).collect();
    let at = followup::cycle_opened_at(&times, rules.followup.restart_after).unwrap_or(as_of);
    let is_known = lead
        .members
        .iter()
        .any(|one| one.is_time_known && one.submitted_ms == at.timestamp_millis());
    followup::plan_from(
        Opening { at, is_known },
        &subject(lead, touches, as_of),
        &display_name(&lead.golden.values),
        judged.score.segment,
        owner.map(|owner| &owner.hours),
        &rules.followup,
        &allowed,
    )
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
