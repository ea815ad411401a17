//! Leads are dealt one after the other: what runs of every kind do alike when they give leads to people.

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use super::account_owners::AccountOwners;
use super::candidate::Candidate;
use super::evaluate::Deciding;
use crate::model::decision::Assignment;
use crate::model::field;
use crate::model::ids::LeadNo;
use crate::model::moment::utc_from_ms;
use crate::routing::{self, Claims, Dealt, Desk, Enquiry, Overdue, TimeUp, time_up};
use crate::rules::routing::WhenAway;
use crate::store::loads::LeadsTo;
use crate::store::rescore::StandingLead;
use crate::store::tenure::Tenure;

/// A lead that is to be dealt, and who has it.
#[derive(Clone, Copy)]
pub(super) struct Lead<'a> {
    pub(super) no: LeadNo,
    pub(super) candidate: &'a Candidate,
    /// Its owner before; where it had none, that of a lead which it takes in.
    pub(super) owner: Option<&'a str>,
    /// The queue in which its own owner had it.
    pub(super) queue: Option<&'a str>,
}

impl<'a> Lead<'a> {
    /// Returns a lead of which no rows came.
    pub(super) fn as_it_stands(standing: &'a StandingLead, candidate: &'a Candidate) -> Self {
        let last = &standing.assignment;
        let queue = last.owner.is_some().then_some(last.queue.as_str());
        Self { no: standing.no, candidate, owner: last.owner.as_deref(), queue }
    }
}

/// Who has a lead, and whether they get it now.
pub(super) struct Assigned {
    pub(super) assignment: Assignment,
    pub(super) arrived: bool,
    /// When somebody is to look whether its owner's time is up, milliseconds since 1970 UTC.
    pub(super) look_ms: Option<i64>,
}

/// Deals from the desk as the store has it, and knows what came of it.
pub(super) struct Dealer<'a> {
    deciding: Deciding<'a>,
    desk: Desk,
    arrived: LeadsTo,
    overdue: u64,
    /// Where new leads go to who has others of their company.
    accounts: Option<AccountOwners<'a>>,
}

impl<'a> Dealer<'a> {
    /// Takes up the turns and loads that the run finds.
    pub(super) fn new(deciding: Deciding<'a>) -> Result<Self> {
        let Deciding { store, rules, run, as_of, is_replay, .. } = deciding;
        let mut desk = Desk::new(&rules.routing, as_of).with_rotation(store.rotation()?);
        store.each_load(run, desk.looks_back_to_ms(), |entry| desk.add(&entry))?;
        // What it came to is a fact, so a replay does not ask.
        let asks = rules.routing.returning.keep_account_owner && !is_replay;
        let accounts = asks.then(|| AccountOwners::new(deciding));
        Ok(Self { deciding, desk, arrived: LeadsTo::new(), overdue: 0, accounts })
    }

    /// Returns the desk.
    pub(super) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Returns how many leads were found that their owner had left lying, each once.
    pub(super) fn overdue(&self) -> u64 {
        self.overdue
    }

    /// Deals `lead` by `assign`: in a replay as the run dealt it when it decided first.
    pub(super) fn deal(
        &mut self,
        lead: Lead<'_>,
        assign: impl FnOnce(Claims<'_>, &mut Desk) -> Assignment,
    ) -> Result<(Assigned, Dealt)> {
        let Deciding { store, rules, run, as_of, is_replay, .. } = self.deciding;
        let earlier = if is_replay { store.dealt_before(lead.no, run)? } else { Dealt::default() };
        let mut account = earlier.account.clone();
        self.desk.expect(earlier);
        let waited_for = self.waited_for(&lead)?;
        let lead = Lead { owner: lead.owner.or(waited_for.as_deref()), ..lead };
        if let Some(accounts) = self.accounts.as_mut().filter(|_| lead.owner.is_none()) {
            account = accounts.claim(lead.no, lead.candidate)?;
        }
        let held = self.held(&lead)?;
        let last_queue = match (lead.queue, lead.owner) {
            (None, Some(owner)) => store.queue_with(lead.no, owner, run)?,
            _ => None,
        };
        let claims = Claims {
            overdue: held.as_ref().and_then(|held| held.overdue(&lead, self.deciding)),
            owner: lead.owner,
            queue: lead.queue.or(last_queue.as_deref()),
            may_keep: true,
            crm_owner: lead.candidate.lead.golden.values.get(field::CRM_OWNER),
            account: account.as_ref().filter(|_| lead.owner.is_none()),
        };
        let assignment = assign(claims, &mut self.desk);
        if let Some(accounts) = &mut self.accounts {
            accounts.note(lead.no, lead.candidate, assignment.owner.as_deref());
        }
        let (is_overdue, dealt) = (claims.overdue.is_some(), self.desk.take_dealt());
        let subject = lead.candidate.subject(as_of);
        let arrived = assignment.owner.is_some()
            && assignment.owner.as_deref() != lead.owner
            && routing::is_work(&assignment, &subject);
        let look_ms = match (&held, &assignment.owner) {
            (Some(held), Some(owner)) => {
                let since = if arrived { as_of } else { held.since };
                let place = (owner.as_str(), assignment.queue.as_str());
                let (up, _) = time_up(&rules.routing, &subject, place, since, &held.enquiry);
                self.overdue += u64::from(is_overdue && self.is_news(lead.no, up)?);
                let looks_at = match up {
                    TimeUp::Never => None,
                    TimeUp::At(at) => Some(at),
                    TimeUp::Since(_) if is_overdue => {
                        routing::next_try(&rules.routing, &dealt.nobody, as_of)
                    }
                    // It came under another rule by what it was decided about for.
                    TimeUp::Since(_) => Some(as_of + TimeDelta::milliseconds(1)),
                };
                looks_at.map(|at| at.timestamp_millis())
            }
            _ => None,
        };
        Ok((Assigned { assignment, arrived, look_ms }, dealt))
    }

    /// Returns the owner whom a lead without one waits for, as long as they may come back.
    fn waited_for(&self, lead: &Lead<'_>) -> Result<Option<String>> {
        let Deciding { store, rules, run, .. } = self.deciding;
        if lead.owner.is_some() || rules.routing.returning.when_away != WhenAway::Queue {
            return Ok(None);
        }
        let is_active = |owner: &String| rules.routing.owner(owner).is_some_and(|one| one.active);
        Ok(store.waits_for(lead.no, run)?.filter(is_active))
    }

    /// Returns since when the lead has been with its owner; `None` where no rule asks.
    fn held(&self, lead: &Lead<'_>) -> Result<Option<Held>> {
        let Deciding { store, rules, run, as_of, .. } = self.deciding;
        let has_enquired = lead.candidate.lead.facts.n_submissions > 0;
        if rules.routing.reassign.is_empty() || !has_enquired {
            return Ok(None);
        }
        let enquiry = lead.candidate.enquiry(store, rules, as_of)?;
        let own = lead.owner.filter(|_| lead.queue.is_some());
        let tenure = match own {
            Some(owner) => store.tenure(lead.no, owner, run)?,
            None => Tenure::default(),
        };
        let since = tenure.since_ms.map_or(as_of, utc_from_ms);
        Ok(Some(Held { enquiry, since, tenure }))
    }

    /// Returns whether no run has seen before that the time is `up`: that of whoever takes the lead over is not.
    fn is_news(&self, lead: LeadNo, up: TimeUp) -> Result<bool> {
        let Deciding { store, run, .. } = self.deciding;
        let TimeUp::Since(at) = up else { return Ok(true) };
        Ok(!store.was_seen_since(lead, at.timestamp_millis(), run)?)
    }

    /// Counts a lead that is written for the one who gets it.
    pub(super) fn count(&mut self, assigned: &Assigned) {
        let Assigned { assignment, arrived, .. } = assigned;
        if let Some(owner) = assignment.owner.clone().filter(|_| *arrived) {
            *self.arrived.entry((assignment.queue.clone(), owner)).or_default() += 1;
        }
    }

    /// Keeps where everybody stands now.
    pub(super) fn keep(&self) -> Result<()> {
        let Deciding { store, run, .. } = self.deciding;
        store.add_load(run, &self.arrived)?;
        store.write_rotation(&self.desk.rotation_entries())
    }
}

/// How a lead stands with its owner.
struct Held {
    enquiry: Enquiry,
    since: DateTime<Utc>,
    tenure: Tenure,
}

impl Held {
    /// Returns the lead as one whose owner's time is up, if it is.
    fn overdue<'a>(&'a self, lead: &Lead<'a>, deciding: Deciding<'a>) -> Option<Overdue<'a>> {
        let Deciding { rules, as_of, .. } = deciding;
        let (owner, queue) = (lead.owner?, lead.queue?);
        let subject = lead.candidate.subject(as_of);
        let found = time_up(&rules.routing, &subject, (owner, queue), self.since, &self.enquiry);
        let (TimeUp::Since(_), Some(rule)) = found else { return None };
        Some(Overdue { rule, owner, queue, had_by: &self.tenure.had_by })
    }
}
