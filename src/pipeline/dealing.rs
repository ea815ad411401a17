//! Leads are dealt one after the other: what runs of every kind do alike when they give leads to people.

use anyhow::Result;

use super::evaluate::Deciding;
use crate::model::decision::Assignment;
use crate::model::ids::LeadNo;
use crate::routing::{Dealt, Desk};
use crate::store::loads::LeadsTo;

/// Who has a lead, and whether they get it now.
pub(super) struct Assigned {
    pub(super) assignment: Assignment,
    pub(super) arrived: bool,
}

impl Assigned {
    /// Tells a new owner from `before`, the one whom the lead had.
    pub(super) fn new(assignment: Assignment, before: Option<&str>) -> Self {
        let arrived = assignment.owner.is_some() && assignment.owner.as_deref() != before;
        Self { assignment, arrived }
    }
}

/// Deals from the desk as the store has it, and knows what came of it.
pub(super) struct Dealer<'a> {
    deciding: Deciding<'a>,
    desk: Desk,
    arrived: LeadsTo,
}

impl<'a> Dealer<'a> {
    /// Takes up the turns and loads that the run finds.
    pub(super) fn new(deciding: Deciding<'a>) -> Result<Self> {
        let Deciding { store, rules, run, as_of, .. } = deciding;
        let mut desk = Desk::new(&rules.routing, as_of).with_rotation(store.rotation()?);
        store.each_load(run, desk.looks_back_to_ms(), |entry| desk.add(&entry))?;
        Ok(Self { deciding, desk, arrived: LeadsTo::new() })
    }

    /// Returns the desk.
    pub(super) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Deals `lead`, whose owner was `before`, by `assign`: in a replay as the run dealt it when it decided first.
    pub(super) fn deal(
        &mut self,
        lead: LeadNo,
        before: Option<&str>,
        assign: impl FnOnce(&mut Desk) -> Assignment,
    ) -> Result<(Assigned, Dealt)> {
        let Deciding { store, run, is_replay, .. } = self.deciding;
        let earlier = if is_replay { store.dealt_before(lead, run)? } else { Dealt::default() };
        self.desk.expect(earlier);
        let assignment = assign(&mut self.desk);
        Ok((Assigned::new(assignment, before), self.desk.take_dealt()))
    }

    /// Counts a lead that is written for the one who gets it.
    pub(super) fn count(&mut self, assigned: &Assigned) {
        let Assigned { assignment, arrived } = assigned;
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
