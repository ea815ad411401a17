//! Speed to lead, gathered.

use std::collections::HashMap;

use anyhow::Result;
use chrono::TimeDelta;

use super::{Activities, Count, Enquiries, Enquiry, Groups, Scope, each_enquiry, nearest_rank};
use crate::model::metric::By;
use crate::model::moment::utc_from_ms;
use crate::report::metrics::Share;
use crate::report::metrics::speed::{
    Pace, SPREAD_MINUTES, SpeedFigures, SpeedGroup, SpeedSpread, WITHIN_MINUTES,
};
use crate::rules::RuleSet;
use crate::rules::hours::BusinessHours;
use crate::store::Store;
use crate::store::metrics::Key;

const MINUTE_MS: i64 = 60_000;

/// Returns how long the enquiries of `scope` waited for the first contact.
///
/// An enquiry is the submission that opened a cycle; contact is whatever ends the follow-up
/// ([`crate::followup::CONTACT_TOUCHES`]), at the enquiry or later and before the lead's next one. Who was not
/// contacted is `open` for `window` after the enquiry, then `never`. By the second clock only that time counts in which
/// the lead's present owner works, or the office where nobody has it; whoever is called on Sunday waited no time at
/// all.
pub fn speed_figures(
    store: &Store,
    rules: &RuleSet,
    scope: &Scope,
    activities: &Activities,
    window: TimeDelta,
) -> Result<SpeedFigures> {
    let hours: HashMap<&str, &BusinessHours> =
        rules.routing.owners.iter().map(|owner| (owner.id.as_str(), &owner.hours)).collect();
    let keys = [Key::By(By::Owner), Key::By(scope.by.unwrap_or(By::Day))];
    let mut groups: Groups<Counting> = Groups::new(scope.by, rules.workspace.zone);
    let as_of_ms = scope.as_of.timestamp_millis();
    each_enquiry(store, rules, scope, activities, &keys, |enquiry| {
        let hours = hours.get(enquiry.keys[0].as_str()).copied().unwrap_or(&rules.followup.hours);
        let group = groups.of(&enquiry.keys[1], enquiry.opened_ms);
        group.count(enquiry, hours, as_of_ms, window.num_milliseconds());
        Ok(())
    })?;
    let mut total = Counting::default();
    let groups = groups.ranked(|group| group.figures.enquiries).into_iter();
    let groups: Vec<SpeedGroup> = groups
        .map(|(name, counting)| {
            total.add(&counting);
            SpeedGroup { name, ..counting.close() }
        })
        .collect();
    Ok(SpeedFigures { groups, total: total.close() })
}

/// How the enquiries of a scope are spread over the time that they waited, by the wall clock, while they are counted;
/// who counts how is as in [`speed_figures`].
pub struct SpreadCount<'a> {
    rules: &'a RuleSet,
    scope: &'a Scope,
    window_ms: i64,
    spread: SpeedSpread,
    waits_ms: Vec<i64>,
}

impl<'a> SpreadCount<'a> {
    /// Begins with none.
    pub fn new(rules: &'a RuleSet, scope: &'a Scope, window: TimeDelta) -> Self {
        let (spread, waits_ms) = (SpeedSpread::default(), Vec::new());
        Self { rules, scope, window_ms: window.num_milliseconds(), spread, waits_ms }
    }

    /// Returns what counts the enquiries.
    pub fn enquiries<'s>(&'s mut self, activities: &'s Activities) -> impl Count + 's {
        let Self { rules, scope, window_ms, spread, waits_ms } = self;
        let as_of_ms = scope.as_of.timestamp_millis();
        Enquiries::new(rules, scope, activities, &[], move |enquiry: &Enquiry<'_>| {
            match Fate::of(enquiry, as_of_ms, *window_ms) {
                Fate::NoTime | Fate::Before => spread.unknown += 1,
                Fate::Open => spread.open += 1,
                Fate::Never => spread.never += 1,
                Fate::Contacted { wait_ms } => {
                    waits_ms.push(wait_ms);
                    let within = SPREAD_MINUTES.iter().position(|one| wait_ms <= one * MINUTE_MS);
                    match within {
                        Some(at) => spread.within[at] += 1,
                        None => spread.later += 1,
                    }
                }
            }
            Ok(())
        })
    }

    /// Returns what was counted.
    pub fn close(mut self) -> SpeedSpread {
        self.spread.median_ms = nearest_rank(&mut self.waits_ms, 50);
        self.spread
    }
}

/// What became of an enquiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The row does not say at what time it was sent.
    NoTime,
    /// There was contact before it and none after it.
    Before,
    /// It was answered after so long.
    Contacted { wait_ms: i64 },
    /// It was not answered yet, and within the window.
    Open,
    /// It was not answered.
    Never,
}

impl Fate {
    fn of(enquiry: &Enquiry<'_>, as_of_ms: i64, window_ms: i64) -> Self {
        if !enquiry.is_time_known {
            return Self::NoTime;
        }
        match enquiry.first_contact_ms() {
            Some(at_ms) => Self::Contacted { wait_ms: at_ms - enquiry.opened_ms },
            None if enquiry.before.iter().any(|one| one.kind.is_contact()) => Self::Before,
            None if as_of_ms - enquiry.opened_ms < window_ms => Self::Open,
            None => Self::Never,
        }
    }
}

/// What is counted of a group; the waits are kept, for a percentile is one of them.
#[derive(Debug, Default)]
struct Counting {
    figures: SpeedGroup,
    wall_ms: Vec<i64>,
    business_ms: Vec<i64>,
}

impl Counting {
    fn count(
        &mut self,
        enquiry: &Enquiry<'_>,
        hours: &BusinessHours,
        as_of_ms: i64,
        window_ms: i64,
    ) {
        let figures = &mut self.figures;
        figures.enquiries += 1;
        let opened_ms = enquiry.opened_ms;
        let age_ms = as_of_ms - opened_ms;
        let (count, wall_ms) = match Fate::of(enquiry, as_of_ms, window_ms) {
            Fate::NoTime => return figures.no_time += 1,
            Fate::Before => return figures.before += 1,
            Fate::Contacted { wait_ms } => (&mut figures.contacted, Some(wait_ms)),
            Fate::Open => (&mut figures.open, None),
            Fate::Never => (&mut figures.never, None),
        };
        *count += 1;
        let business_ms = wall_ms.map(|ms| hours.open_ms_between(opened_ms, opened_ms + ms));
        for (at, minutes) in WITHIN_MINUTES.into_iter().enumerate() {
            let limit_ms = minutes * MINUTE_MS;
            if age_ms >= limit_ms {
                figures.wall.within[at].count(wall_ms.is_some_and(|ms| ms <= limit_ms));
            }
            let over = hours.add_business_minutes(utc_from_ms(opened_ms), minutes);
            if over.timestamp_millis() <= as_of_ms {
                figures.business.within[at].count(business_ms.is_some_and(|ms| ms <= limit_ms));
            }
        }
        self.wall_ms.extend(wall_ms);
        self.business_ms.extend(business_ms);
    }

    fn add(&mut self, other: &Self) {
        let (own, others) = (&mut self.figures, &other.figures);
        own.enquiries += others.enquiries;
        own.contacted += others.contacted;
        own.never += others.never;
        own.open += others.open;
        own.no_time += others.no_time;
        own.before += others.before;
        for (own, others) in [(&mut own.wall, &others.wall), (&mut own.business, &others.business)]
        {
            for (own, other) in own.within.iter_mut().zip(others.within) {
                *own = Share::new(own.part + other.part, own.of + other.of);
            }
        }
        self.wall_ms.extend_from_slice(&other.wall_ms);
        self.business_ms.extend_from_slice(&other.business_ms);
    }

    fn close(mut self) -> SpeedGroup {
        let finish = |pace: &mut Pace, waits: &mut [i64]| {
            pace.median_ms = nearest_rank(waits, 50);
            pace.p90_ms = nearest_rank(waits, 90);
        };
        finish(&mut self.figures.wall, &mut self.wall_ms);
        finish(&mut self.figures.business, &mut self.business_ms);
        self.figures
    }
}
