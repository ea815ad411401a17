//! Leads as they stand, judged and dealt once more, for whoever decides about leads of which no rows came.

use anyhow::Result;
use rayon::prelude::*;

use super::absorb::LeadPlan;
use super::candidate::{Candidate, candidates, planned};
use super::dealing::{Assigned, Dealer};
use super::evaluate::Deciding;
use crate::model::task::PlannedTask;
use crate::routing::Dealt;
use crate::store::rescore::StandingLead;

/// A lead that was judged and dealt once more; nothing of it is written yet.
pub(super) struct Reviewed {
    /// As it stands.
    pub(super) standing: StandingLead,
    pub(super) plan: LeadPlan,
    pub(super) candidate: Candidate,
    pub(super) assigned: Assigned,
    pub(super) dealt: Dealt,
    /// What its latest enquiry sets off now.
    pub(super) planned: Vec<PlannedTask>,
}

/// Judges `leads` on all threads, lets `assign` give them to people one after the other, in their order, and plans
/// what is to be done.
pub(super) fn review<'a>(
    deciding: Deciding<'a>,
    dealer: &mut Dealer<'a>,
    leads: Vec<StandingLead>,
    has_touches: bool,
    mut assign: impl FnMut(&mut Dealer<'a>, &StandingLead, &Candidate) -> Result<(Assigned, Dealt)>,
) -> Result<Vec<Reviewed>> {
    let store = deciding.store;
    let plans = leads
        .iter()
        .map(|lead| LeadPlan::as_it_stands(store, lead.no, lead.id, lead.founder))
        .collect::<Result<Vec<_>>>()?;
    let candidates = candidates(deciding, &plans, has_touches)?;
    let mut assigned = Vec::with_capacity(leads.len());
    for (lead, candidate) in leads.iter().zip(&candidates) {
        assigned.push(assign(dealer, lead, candidate)?);
    }
    let given = assigned.par_iter().map(|(assigned, _)| &assigned.assignment);
    let planned = planned(deciding, &candidates, given);
    let parts = leads.into_iter().zip(plans).zip(candidates).zip(assigned).zip(planned);
    let reviewed = parts.map(|((((standing, plan), candidate), (assigned, dealt)), planned)| {
        Reviewed { standing, plan, candidate, assigned, dealt, planned }
    });
    Ok(reviewed.collect())
}
