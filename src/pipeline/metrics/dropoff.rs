//! Where rows left the chain over a period, gathered.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anyhow::Result;
use chrono::TimeDelta;

use super::meetings::Reached;
use super::{Activities, Count, Enquiries, Enquiry, Groups, Scope, go_through};
use crate::model::metric::By;
use crate::report::metrics::ALL;
use crate::report::metrics::dropoff::{Chain, ChainFigures, Stuck, Why};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::metrics::{InputRows, Key};

const RECEIVED: usize = 0;
const VALIDATED: usize = 1;
const DEDUPLICATED: usize = 2;
const ROUTED: usize = 3;
const SCHEDULED: usize = 4;
const CONTACTED: usize = 5;
const MEETING: usize = 6;
const WON: usize = 7;

/// Returns where the rows of `scope` left the chain.
///
/// A row that opened an enquiry is as far as the enquiry came: somebody who was contacted passed all steps before,
/// whoever has the lead. Rows that joined an enquiry left at deduplication and count where the enquiry does.
pub fn chain_figures(
    store: &Store,
    rules: &RuleSet,
    scope: &Scope,
    activities: &Activities,
    window: TimeDelta,
) -> Result<ChainFigures> {
    let mut count = ChainCount::new(store, rules, scope, window)?;
    go_through(store, scope, &mut [&mut count.enquiries(activities)])?;
    Ok(count.close())
}

/// Where rows left the chain, while they are counted: see [`chain_figures`].
pub struct ChainCount<'a> {
    rules: &'a RuleSet,
    scope: &'a Scope,
    keys: [Key; 4],
    window_ms: i64,
    knows_activity: bool,
    groups: Groups<Counting>,
}

impl<'a> ChainCount<'a> {
    /// Begins with the rows that are no submissions.
    pub fn new(
        store: &Store,
        rules: &'a RuleSet,
        scope: &'a Scope,
        window: TimeDelta,
    ) -> Result<Self> {
        let mut groups: Groups<Counting> = Groups::new(scope.by, rules.workspace.zone);
        let as_of_ms = scope.as_of.timestamp_millis();
        for input in store.input_rows()? {
            if scope.holds(input.received_ms) && scope.has_come(input.received_ms) {
                let key = if scope.by == Some(By::Source) { input.source.as_str() } else { "" };
                groups.of(key, input.received_ms).take_input(&input, as_of_ms);
            }
        }
        let by = Key::By(scope.by.unwrap_or(By::Day));
        let keys = [by, Key::By(By::Owner), Key::By(By::Queue), Key::HasTask];
        let (window_ms, knows_activity) = (window.num_milliseconds(), store.has_activity()?);
        Ok(Self { rules, scope, keys, window_ms, knows_activity, groups })
    }

    /// Returns what counts the enquiries.
    pub fn enquiries<'s>(&'s mut self, activities: &'s Activities) -> impl Count + 's {
        let Self { rules, scope, keys, window_ms, knows_activity, groups } = self;
        let as_of_ms = scope.as_of.timestamp_millis();
        Enquiries::new(rules, scope, activities, keys, move |enquiry: &Enquiry<'_>| {
            let stands = Stands {
                age_ms: (as_of_ms - enquiry.opened_ms).max(0),
                window_ms: *window_ms,
                triage: &rules.routing.triage,
                knows_activity: *knows_activity,
            };
            groups.of(&enquiry.keys[0], enquiry.opened_ms).take(enquiry, &stands);
            Ok(())
        })
    }

    /// Returns what was counted.
    pub fn close(self) -> ChainFigures {
        let mut total = Counting::default();
        let groups = self.groups.ranked(|group| group.received).into_iter();
        let groups = groups
            .filter(|(_, group)| group.received > 0)
            .map(|(name, group)| {
                total.add(&group);
                Chain { name, ..group.close() }
            })
            .collect();
        let total = Chain { name: ALL.to_owned(), ..total.close() };
        ChainFigures { groups, total, knows_activity: self.knows_activity }
    }
}

/// What an enquiry is measured by.
struct Stands<'a> {
    age_ms: i64,
    window_ms: i64,
    triage: &'a str,
    knows_activity: bool,
}

/// What is counted of a group.
#[derive(Debug, Default)]
struct Counting {
    received: u64,
    because: [BTreeMap<Why, u64>; 8],
    /// How long rows wait at each step, each with how many rows do.
    ages: [Vec<(i64, u64)>; 8],
}

impl Counting {
    fn stop(&mut self, step: usize, why: Why, rows: u64, age_ms: Option<i64>) {
        if rows == 0 {
            return;
        }
        self.received += rows;
        *self.because[step].entry(why).or_default() += rows;
        self.ages[step].extend(age_ms.map(|age_ms| (age_ms, rows)));
    }

    fn take_input(&mut self, input: &InputRows, as_of_ms: i64) {
        let age_ms = (as_of_ms - input.received_ms).max(0);
        self.stop(RECEIVED, Why::Touches, input.touches, None);
        self.stop(RECEIVED, Why::NoRecords, input.skipped, None);
        self.stop(RECEIVED, Why::Contacts, input.contacts, None);
        for (code, rows) in &input.quarantined {
            self.stop(VALIDATED, Why::Quarantined(code.clone()), *rows, Some(age_ms));
        }
        for (reason, rows) in &input.held {
            self.stop(VALIDATED, Why::Held(reason.clone()), *rows, Some(age_ms));
        }
        self.stop(DEDUPLICATED, Why::SeenBefore, input.repeated, None);
    }

    fn take(&mut self, enquiry: &Enquiry<'_>, stands: &Stands<'_>) {
        self.stop(DEDUPLICATED, Why::Joined, enquiry.submissions - 1, None);
        let [_, owner, queue, has_task] = enquiry.keys else { return };
        let reached = Reached::by(enquiry.since, i64::MAX);
        let age_ms = Some(stands.age_ms);
        if reached.won == Some(true) {
            self.received += 1;
        } else if reached.booked {
            let why = if reached.won.is_some() { Why::Lost } else { Why::Undecided };
            self.stop(WON, why, 1, age_ms);
        } else if reached.contacted {
            let why = if reached.won.is_some() { Why::Lost } else { Why::NoMeeting };
            self.stop(MEETING, why, 1, age_ms);
        } else if owner.is_empty() {
            let why =
                if queue == stands.triage { Why::Triage } else { Why::Nobodys(queue.clone()) };
            self.stop(ROUTED, why, 1, age_ms);
        } else if has_task.is_empty() {
            self.stop(SCHEDULED, Why::NothingAllowed, 1, age_ms);
        } else if !stands.knows_activity {
            self.received += 1;
        } else if stands.age_ms < stands.window_ms {
            self.stop(CONTACTED, Why::InTime, 1, age_ms);
        } else {
            self.stop(CONTACTED, Why::NeverContacted, 1, age_ms);
        }
    }

    fn add(&mut self, other: &Self) {
        self.received += other.received;
        for step in 0..other.ages.len() {
            for (why, rows) in &other.because[step] {
                *self.because[step].entry(why.clone()).or_default() += rows;
            }
            self.ages[step].extend_from_slice(&other.ages[step]);
        }
    }

    fn close(self) -> Chain {
        let mut stuck: [Stuck; 8] = std::array::from_fn(|_| Stuck::default());
        let counted = self.because.into_iter().zip(self.ages);
        for (into, (because, mut ages)) in stuck.iter_mut().zip(counted) {
            into.rows = because.values().sum();
            into.because = because.into_iter().collect();
            into.because.sort_by_cached_key(|(why, rows)| (Reverse(*rows), why.text()));
            ages.sort_unstable();
            into.oldest_ms = ages.last().map(|(age_ms, _)| *age_ms);
            into.median_ms = median(&ages);
        }
        Chain { name: String::new(), received: self.received, stuck }
    }
}

/// Returns the median by nearest rank of values in order, each with how often it stands there.
fn median(values: &[(i64, u64)]) -> Option<i64> {
    let total: u64 = values.iter().map(|(_, times)| times).sum();
    let mut rank = 0;
    values.iter().find_map(|(value, times)| {
        rank += times;
        (rank * 2 >= total).then_some(*value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_counts_each_value_as_often_as_it_stands_there() {
        #[track_caller]
        fn check(values: &[(i64, u64)], expected: Option<i64>) {
            assert_eq!(median(values), expected, "{values:?}");
        }
        check(&[], None);
        check(&[(7, 1)], Some(7));
        check(&[(1, 1), (2, 1)], Some(1));
        check(&[(1, 1), (2, 2)], Some(2));
        check(&[(1, 3), (9, 2)], Some(1));
    }
}
