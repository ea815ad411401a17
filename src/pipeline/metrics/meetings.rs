//! From enquiry to meeting and to deal, gathered.

use anyhow::Result;
use chrono::TimeDelta;

use super::{Activities, ActivityKind, Groups, Scope, each_enquiry};
use crate::model::metric::By;
use crate::report::metrics::meetings::{Cohort, CohortFigures};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::metrics::Key;

/// What one enquiry came to within its window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Reached {
    /// Somebody was in contact.
    pub contacted: bool,
    /// A meeting was booked, held or missed.
    pub booked: bool,
    /// A meeting was held.
    pub held: bool,
    /// A meeting was missed and none held since.
    pub no_show: bool,
    /// How it ended: won or lost, the last of both.
    pub won: Option<bool>,
}

impl Reached {
    /// Reads what the sales side did, in order of time, up to `until_ms`.
    pub fn by(activity: &[super::Activity], until_ms: i64) -> Self {
        let mut reached = Self::default();
        for one in activity.iter().take_while(|one| one.at_ms <= until_ms) {
            reached.contacted |= one.kind.is_contact();
            reached.booked |= one.kind.is_meeting();
            match one.kind {
                ActivityKind::MeetingHeld => (reached.held, reached.no_show) = (true, false),
                ActivityKind::NoShow => reached.no_show = true,
                ActivityKind::Won => reached.won = Some(true),
                ActivityKind::Lost => reached.won = Some(false),
                ActivityKind::Contacted | ActivityKind::MeetingBooked => {}
            }
        }
        reached
    }
}

/// Returns what became of the enquiries of `scope` within `window`, and before the lead's next enquiry.
///
/// A cohort whose enquiries are all older than the window is closed: nothing that happens later changes it.
pub fn cohort_figures(
    store: &Store,
    rules: &RuleSet,
    scope: &Scope,
    activities: &Activities,
    window: TimeDelta,
) -> Result<CohortFigures> {
    let as_of_ms = scope.as_of.timestamp_millis();
    let mut groups: Groups<Cohort> = Groups::new(scope.by, rules.workspace.zone);
    let mut total = Cohort::default();
    let keys = [Key::By(scope.by.unwrap_or(By::Day))];
    each_enquiry(store, rules, scope, activities, &keys, |enquiry| {
        let closes_ms = enquiry.opened_ms.saturating_add(window.num_milliseconds());
        let reached = Reached::by(enquiry.since, closes_ms);
        for cohort in [groups.of(&enquiry.keys[0], enquiry.opened_ms), &mut total] {
            cohort.enquiries += 1;
            cohort.open += u64::from(closes_ms > as_of_ms);
            cohort.contacted += u64::from(reached.contacted);
            cohort.booked += u64::from(reached.booked);
            cohort.held += u64::from(reached.held);
            cohort.no_show += u64::from(reached.no_show);
            cohort.won += u64::from(reached.won == Some(true));
            cohort.lost += u64::from(reached.won == Some(false));
        }
        Ok(())
    })?;
    let cohorts = groups.ranked(|cohort| cohort.enquiries).into_iter();
    let cohorts = cohorts.map(|(name, cohort)| Cohort { name, ..cohort }).collect();
    Ok(CohortFigures { cohorts, total })
}
