//! What reports about enquiries count, gathered from the store in one pass over its leads.
//!
//! An *enquiry* is the submission that opened a cycle: a lead's first, and each that comes more than
//! `restart-after` (followup.toml) after the one that opened the cycle before. What a lead did between two
//! enquiries belongs to the earlier one. Memory is that of the activity of the sales side (24 bytes each) and of what
//! a report counts; leads and rows are streamed. Start at [`go_through`]; a metric is a file beside this one.

pub mod costs;
pub mod dropoff;
pub mod duplicates;
pub mod meetings;
pub mod sla;
pub mod speed;
pub mod spend;

use std::collections::HashMap;

use anyhow::Result;
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use chrono_tz::Tz;

use super::touched::TouchBook;
use crate::followup::{CONTACT_TOUCHES, opens_cycle};
use crate::model::ids::{LeadNo, RunNo};
use crate::model::metric::By;
use crate::model::moment::{Certainty, utc_from_ms};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::metrics::{Key, SubmissionGlance};

/// Activity whose owners are remembered together, before what was read for them is forgotten.
const ACTIVITY_PER_BOOK: usize = 20_000;

const HALF_DAY_MS: i64 = 12 * 3_600_000;

/// What is asked of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// Only what was sent at this instant or later.
    pub since: Option<DateTime<Utc>>,
    /// Only what was sent before this instant.
    pub until: Option<DateTime<Utc>>,
    /// The instant that counts as now.
    pub as_of: DateTime<Utc>,
    /// What tells the rows apart; `None` counts everything together.
    pub by: Option<By>,
}

impl Scope {
    /// Returns whether `at_ms` is in the period.
    pub fn holds(&self, at_ms: i64) -> bool {
        self.since.is_none_or(|since| at_ms >= since.timestamp_millis())
            && self.until.is_none_or(|until| at_ms < until.timestamp_millis())
    }

    /// Returns whether what is dated `at_ms` had come by then: a report as of the past knows nothing that came later.
    pub fn has_come(&self, at_ms: i64) -> bool {
        at_ms <= self.as_of.timestamp_millis()
    }

    fn since_ms(&self) -> Option<i64> {
        self.since.map(|since| since.timestamp_millis())
    }
}

/// What the sales side did, as far as reports about enquiries count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Activity {
    /// Whose.
    pub lead: LeadNo,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// What.
    pub kind: ActivityKind,
}

/// What the sales side did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActivityKind {
    /// Spoke with the lead.
    Contacted,
    /// Made a date.
    MeetingBooked,
    /// Met.
    MeetingHeld,
    /// Waited in vain.
    NoShow,
    /// Sold.
    Won,
    /// Gave up or was refused.
    Lost,
}

impl ActivityKind {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "contacted" => Self::Contacted,
            "meeting-booked" => Self::MeetingBooked,
            "meeting-held" => Self::MeetingHeld,
            "no-show" => Self::NoShow,
            "won" => Self::Won,
            "lost" => Self::Lost,
            _ => return None,
        })
    }

    /// Returns the word of the touch.
    pub fn word(self) -> &'static str {
        match self {
            Self::Contacted => "contacted",
            Self::MeetingBooked => "meeting-booked",
            Self::MeetingHeld => "meeting-held",
            Self::NoShow => "no-show",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// Returns whether somebody was in contact: what ends the follow-up ([`CONTACT_TOUCHES`]).
    pub fn is_contact(self) -> bool {
        CONTACT_TOUCHES.contains(&self.word())
    }

    /// Returns whether there was a meeting to go to.
    pub fn is_meeting(self) -> bool {
        matches!(self, Self::MeetingBooked | Self::MeetingHeld | Self::NoShow)
    }
}

/// All activity of a store, by lead, each in order of time.
#[derive(Debug, Clone, Default)]
pub struct Activities {
    all: Vec<Activity>,
    /// Activity that is nobody's: its identities are no lead's, or several leads'.
    pub of_nobody: u64,
}

impl Activities {
    /// Finds out whose everything is that the sales side did up to `as_of`.
    pub fn read(store: &Store, rules: &RuleSet, as_of: DateTime<Utc>) -> Result<Self> {
        let mut found = Self::default();
        let open = || TouchBook::new(store, rules, RunNo(i64::MAX));
        let (mut book, mut read) = (open(), 0);
        store.each_activity(as_of.timestamp_millis(), |kept| {
            // A call that reached nobody changes no figure.
            let Some(kind) = ActivityKind::of(&kept.touch.kind) else { return Ok(()) };
            read += 1;
            if read % ACTIVITY_PER_BOOK == 0 {
                book = open();
            }
            match book.leads_of(&kept)? {
                Some((_, leads)) => found.all.extend(leads.iter().map(|lead| Activity {
                    lead: *lead,
                    at_ms: kept.touch.at_ms,
                    kind,
                })),
                None => found.of_nobody += 1,
            }
            Ok(())
        })?;
        found.all.sort_unstable();
        Ok(found)
    }

    /// Returns everything, in order of lead and time.
    pub fn all(&self) -> &[Activity] {
        &self.all
    }

    /// Returns what was done about `lead`, in order of time.
    pub fn of(&self, lead: LeadNo) -> &[Activity] {
        let from = self.all.partition_point(|one| one.lead < lead);
        let own = &self.all[from..];
        &own[..own.partition_point(|one| one.lead == lead)]
    }
}

/// The submission that opened a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enquiry<'a> {
    /// The lead.
    pub lead: LeadNo,
    /// When it was sent, milliseconds since 1970 UTC.
    pub opened_ms: i64,
    /// Whether the row says at what time of the day.
    pub is_time_known: bool,
    /// When the lead's next enquiry came; `i64::MAX` for the last one.
    pub next_ms: i64,
    /// What the sales side did before the lead's first enquiry; empty for a later one.
    pub before: &'a [Activity],
    /// What it did from this enquiry on, up to the next.
    pub since: &'a [Activity],
    /// The keys that were asked for.
    pub keys: &'a [String],
    /// Submissions of the cycle, this one included.
    pub submissions: u64,
}

impl Enquiry<'_> {
    /// Returns when there was contact first, milliseconds since 1970 UTC.
    pub fn first_contact_ms(&self) -> Option<i64> {
        self.since.iter().find(|one| one.kind.is_contact()).map(|one| one.at_ms)
    }
}

/// What counts submissions as they are gone through: lead by lead, each lead's in order of time.
pub trait Count {
    /// Returns what it has to know of each.
    fn keys(&self) -> &[Key];

    /// Takes the next one in.
    fn take(&mut self, row: SubmissionGlance<'_>) -> Result<()>;

    /// There are no more.
    fn end(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Goes once through the submissions of the leads that were heard of in `scope` or later, for all `counts`.
pub fn go_through(store: &Store, scope: &Scope, counts: &mut [&mut dyn Count]) -> Result<()> {
    let keys: Vec<Key> = counts.iter().flat_map(|count| count.keys()).copied().collect();
    store.each_submission_by_lead(&keys, scope.since_ms(), |row| {
        let mut row = row;
        for count in &mut *counts {
            count.take(row)?;
            row = row.behind(count.keys().len());
        }
        Ok(())
    })?;
    counts.iter_mut().try_for_each(|count| count.end())
}

/// Hands the enquiries of `scope` to `visit` with `keys` of the submission that opened them, in order of lead and time.
pub fn each_enquiry(
    store: &Store,
    rules: &RuleSet,
    scope: &Scope,
    activities: &Activities,
    keys: &[Key],
    visit: impl FnMut(&Enquiry<'_>) -> Result<()>,
) -> Result<()> {
    go_through(store, scope, &mut [&mut Enquiries::new(rules, scope, activities, keys, visit)])
}

/// Follows the submissions of one lead after the other from enquiry to enquiry; see [`each_enquiry`].
pub struct Enquiries<'a, V> {
    restart_after: TimeDelta,
    scope: &'a Scope,
    activities: &'a Activities,
    keys: &'a [Key],
    open: Option<Opened>,
    visit: V,
}

struct Opened {
    lead: LeadNo,
    at_ms: i64,
    /// When what is done counts for it, milliseconds since 1970 UTC.
    counts_from_ms: i64,
    is_time_known: bool,
    is_first: bool,
    keys: Vec<String>,
    submissions: u64,
}

impl<V: FnMut(&Enquiry<'_>) -> Result<()>> Count for Enquiries<'_, V> {
    fn keys(&self) -> &[Key] {
        self.keys
    }

    fn take(&mut self, row: SubmissionGlance<'_>) -> Result<()> {
        if !row.is_enquiry {
            return Ok(());
        }
        let is_same_lead = self.open.as_ref().is_some_and(|open| open.lead == row.lead);
        if let Some(open) = self.open.as_mut().filter(|_| is_same_lead) {
            let (opened_at, at) = (utc_from_ms(open.at_ms), utc_from_ms(row.at_ms));
            if !opens_cycle(opened_at, at, self.restart_after) {
                // Of rows of one instant one may say so, and another not.
                open.is_time_known |= says_time(row.certainty) && row.at_ms == open.at_ms;
                open.submissions += u64::from(self.scope.has_come(counts_from_ms(&row)));
                return Ok(());
            }
        }
        self.close(if is_same_lead { row.at_ms } else { i64::MAX })?;
        self.open = Some(Opened {
            lead: row.lead,
            at_ms: row.at_ms,
            counts_from_ms: counts_from_ms(&row),
            is_time_known: says_time(row.certainty),
            is_first: !is_same_lead,
            keys: (0..self.keys.len())
                .map(|at| row.key(at).map(str::to_owned))
                .collect::<Result<_>>()?,
            submissions: 1,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.close(i64::MAX)
    }
}

impl<'a, V: FnMut(&Enquiry<'_>) -> Result<()>> Enquiries<'a, V> {
    /// Begins with none; `visit` gets each of `scope`, with `keys` of the submission that opened it.
    pub fn new(
        rules: &RuleSet,
        scope: &'a Scope,
        activities: &'a Activities,
        keys: &'a [Key],
        visit: V,
    ) -> Self {
        let restart_after = rules.followup.restart_after;
        Self { restart_after, scope, activities, keys, open: None, visit }
    }

    fn close(&mut self, next_ms: i64) -> Result<()> {
        let scope = self.scope;
        let is_in = |open: &Opened| scope.holds(open.at_ms) && scope.has_come(open.counts_from_ms);
        let Some(open) = self.open.take().filter(is_in) else { return Ok(()) };
        let own = self.activities.of(open.lead);
        let (before, from) =
            own.split_at(own.partition_point(|one| one.at_ms < open.counts_from_ms));
        (self.visit)(&Enquiry {
            lead: open.lead,
            opened_ms: open.at_ms,
            is_time_known: open.is_time_known,
            next_ms,
            before: if open.is_first { before } else { &[] },
            since: &from[..from.partition_point(|one| one.at_ms < next_ms)],
            keys: &open.keys,
            submissions: open.submissions,
        })
    }
}

/// Returns from when on what is done may answer a row, milliseconds since 1970 UTC.
fn counts_from_ms(row: &SubmissionGlance<'_>) -> i64 {
    match row.certainty {
        // Noon stands in for the day; what was done in its morning may be an answer, too.
        Certainty::DateOnly => row.at_ms - HALF_DAY_MS,
        _ => row.at_ms,
    }
}

/// Returns whether a row says at what time of the day it was sent.
fn says_time(certainty: Certainty) -> bool {
    !matches!(certainty, Certainty::DateOnly | Certainty::Received)
}

/// What is shown where a row or a lead says nothing.
pub const NOTHING: &str = "(none)";

/// Returns the name of the group to which something belongs that was sent at `at_ms` and has `key`.
pub fn group_name(by: Option<By>, key: &str, at_ms: i64, zone: Tz) -> String {
    let day = || utc_from_ms(at_ms).with_timezone(&zone).date_naive();
    match by {
        None => "all".to_owned(),
        Some(By::Day) => day().to_string(),
        Some(By::Week) => {
            let week = day().iso_week();
            format!("{}-W{:02}", week.year(), week.week())
        }
        Some(By::Month) => day().format("%Y-%m").to_string(),
        Some(_) if key.is_empty() => NOTHING.to_owned(),
        Some(_) => key.to_owned(),
    }
}

/// Groups by name, each with what is counted of it.
#[derive(Debug)]
pub struct Groups<T> {
    by: Option<By>,
    zone: Tz,
    known: HashMap<String, T>,
}

impl<T: Default> Groups<T> {
    /// Begins with none.
    pub fn new(by: Option<By>, zone: Tz) -> Self {
        Self { by, zone, known: HashMap::new() }
    }

    /// Returns what is counted of the group to which something belongs that was sent at `at_ms` and has `key`.
    pub fn of(&mut self, key: &str, at_ms: i64) -> &mut T {
        // Most rows find their group by the key as it is.
        let is_by_key = self.by.is_some_and(|by| !by.is_time()) && !key.is_empty();
        let name = if is_by_key { None } else { Some(group_name(self.by, key, at_ms, self.zone)) };
        let name = name.as_deref().unwrap_or(key);
        if !self.known.contains_key(name) {
            self.known.insert(name.to_owned(), T::default());
        }
        self.known.get_mut(name).expect("it was just put there")
    }

    /// Returns the groups with their names: in order of time, or the largest by `size` first, of equals by name.
    pub fn ranked(self, size: impl Fn(&T) -> u64) -> Vec<(String, T)> {
        let is_time = self.by.is_some_and(By::is_time);
        let mut groups: Vec<(String, T)> = self.known.into_iter().collect();
        groups.sort_by(|(a, left), (b, right)| {
            let by_size =
                if is_time { std::cmp::Ordering::Equal } else { size(right).cmp(&size(left)) };
            by_size.then_with(|| a.cmp(b))
        });
        groups
    }
}

/// Returns the value at `percent` of `values` by nearest rank: the smallest that at least so many percent of them do
/// not exceed. `values` are put in another order.
pub fn nearest_rank(values: &mut [i64], percent: usize) -> Option<i64> {
    let rank = (values.len() * percent).div_ceil(100).max(1);
    if values.is_empty() {
        return None;
    }
    Some(*values.select_nth_unstable(rank - 1).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        #[track_caller]
        fn check(values: &[i64], percent: usize, expected: Option<i64>) {
            assert_eq!(nearest_rank(&mut values.to_vec(), percent), expected, "{values:?}");
        }
        check(&[], 50, None);
        check(&[7], 50, Some(7));
        check(&[7], 90, Some(7));
        check(&[2, 1], 50, Some(1));
        check(&[3, 1, 2], 50, Some(2));
        check(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 90, Some(9));
        check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 90, Some(10));
        check(&[1, 2, 3, 4], 50, Some(2));
    }

    #[test]
    fn a_group_is_named_by_its_day_week_and_month_in_the_zone() {
        #[track_caller]
        fn check(by: By, at: &str, expected: &str) {
            let at: DateTime<Utc> = at.parse().unwrap();
            let name = group_name(Some(by), "", at.timestamp_millis(), Tz::Europe__Warsaw);
            assert_eq!(name, expected, "{at}");
        }
        check(By::Day, "2026-10-24T22:30:00Z", "2026-10-25");
        check(By::Day, "2026-10-25T22:59:59Z", "2026-10-25");
        check(By::Day, "2026-10-25T23:00:00Z", "2026-10-26");
        check(By::Week, "2026-10-25T22:59:59Z", "2026-W43");
        check(By::Week, "2026-10-25T23:00:00Z", "2026-W44");
        check(By::Week, "2027-01-01T12:00:00Z", "2026-W53");
        check(By::Month, "2026-10-31T23:30:00Z", "2026-11");
        assert_eq!(group_name(Some(By::Campaign), "", 0, Tz::UTC), "(none)");
        assert_eq!(group_name(None, "", 0, Tz::UTC), "all");
    }

    #[test]
    fn activity_words_are_those_of_touches() {
        for kind in crate::store::metrics::ACTIVITY.iter().filter(|kind| **kind != "call") {
            assert_eq!(ActivityKind::of(kind).map(ActivityKind::word), Some(*kind));
        }
    }
}
