//! What the page tells by days: new leads by source, and the last whole day beside the same weekday before it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{Datelike as _, NaiveDate, Weekday};

use super::{DAYS, Page, days_before};
use crate::model::moment::utc_from_ms;
use crate::pipeline::alerts::same_weekdays;
use crate::pipeline::metrics::{Activities, Activity, ActivityKind};
use crate::report::charts::SERIES;
use crate::report::page::{Against, DayFigures, DayRow, SourceTotal, Tile};
use crate::rules::alerts::{HISTORY_DAYS_MIN, WEEKS, median};
use crate::store::page::Arrivals;

/// Sources that are told apart; the rest is one.
const SOURCES: usize = SERIES.len() - 1;

/// Counts by day.
type Counts = BTreeMap<NaiveDate, u64>;

impl Page<'_> {
    /// Returns the leads of the page's days and of the weeks that the last whole day is compared with.
    pub(super) fn arrivals(&self) -> Result<Vec<Arrivals>> {
        let first = days_before(self.last_day(), 7 * WEEKS as u64).min(self.first_day);
        self.store.arrivals(self.midnight_ms(first), self.as_of_ms() + 1)
    }

    /// Returns the new leads of every day, by source.
    pub(super) fn days(&self, arrivals: &[Arrivals]) -> DayFigures {
        let mut by_source: BTreeMap<&str, Counts> = BTreeMap::new();
        for one in arrivals {
            let day = self.day_of(one.at_ms);
            if day >= self.first_day {
                *by_source.entry(&one.source).or_default().entry(day).or_default() += one.leads;
            }
        }
        let total = |counts: &Counts| counts.values().sum::<u64>();
        let mut largest: Vec<(&str, Counts)> = by_source.into_iter().collect();
        largest.sort_by_key(|(name, counts)| (Reverse(total(counts)), *name));
        let rest = largest.split_off(largest.len().min(SOURCES));
        if !rest.is_empty() {
            let mut together = Counts::new();
            for (day, leads) in rest.into_iter().flat_map(|(_, counts)| counts) {
                *together.entry(day).or_default() += leads;
            }
            largest.push(("", together));
        }
        let days: Vec<DayRow> = self
            .first_day
            .iter_days()
            .take(DAYS as usize)
            .map(|day| self.day_row(day, &largest))
            .collect();
        // Of equal days the earlier one.
        let most = days.iter().max_by_key(|day| (day.total, Reverse(day.day.clone())));
        DayFigures {
            sources: largest
                .iter()
                .map(|(name, counts)| SourceTotal {
                    name: (*name).to_owned(),
                    total: total(counts),
                })
                .collect(),
            total: days.iter().map(|day| day.total).sum(),
            most: most.map_or(0, |day| day.total),
            most_on: most.map_or(String::new(), |day| day.day.clone()),
            days,
        }
    }

    fn day_row(&self, day: NaiveDate, sources: &[(&str, Counts)]) -> DayRow {
        let on_day = |(_, counts): &(&str, Counts)| counts.get(&day).copied().unwrap_or(0);
        let counts: Vec<u64> = sources.iter().map(on_day).collect();
        DayRow {
            day: day.to_string(),
            is_monday: day.weekday() == Weekday::Mon,
            off: self.is_off(day),
            total: counts.iter().sum(),
            counts,
        }
    }

    /// Returns what happened on the last whole day beside a usual one.
    pub(super) fn day_tiles(
        &self,
        arrivals: &[Arrivals],
        activities: &Activities,
        knows_activity: bool,
    ) -> Vec<Tile> {
        let (mut new, mut hot) = (Counts::new(), Counts::new());
        for one in arrivals {
            let day = self.day_of(one.at_ms);
            *new.entry(day).or_default() += one.leads;
            *hot.entry(day).or_default() += one.hot;
        }
        let first = new.keys().next().copied();
        let mut tiles = vec![
            self.day_tile("tile-new-leads", &new, first),
            self.day_tile("tile-new-hot", &hot, None),
        ];
        if knows_activity {
            let of =
                |is_counted: fn(ActivityKind) -> bool| self.leads_by_day(activities, is_counted);
            let contacts = of(ActivityKind::is_contact);
            let first = contacts.keys().next().copied();
            tiles.push(self.day_tile("tile-contacts", &contacts, first));
            let meetings = of(|kind| kind == ActivityKind::MeetingBooked);
            tiles.push(self.day_tile("tile-meetings", &meetings, first));
            tiles.push(self.day_tile("tile-won", &of(|kind| kind == ActivityKind::Won), first));
        }
        tiles
    }

    /// Returns of how many leads something of a kind is known, by day; what several touches tell of one day counts
    /// once.
    fn leads_by_day(
        &self,
        activities: &Activities,
        is_counted: fn(ActivityKind) -> bool,
    ) -> Counts {
        let since_ms = self.midnight_ms(days_before(self.last_day(), 7 * WEEKS as u64));
        let mut counts = Counts::new();
        let mut last = None;
        for Activity { lead, at_ms, kind } in activities.all() {
            if is_counted(*kind) && *at_ms >= since_ms {
                let day = self.day_of(*at_ms);
                // They come by lead and time.
                if last.replace((*lead, day)) != Some((*lead, day)) {
                    *counts.entry(day).or_default() += 1;
                }
            }
        }
        counts
    }

    /// Returns the tile of a count; days before `first` are unknown, not empty, and without one nothing is compared.
    fn day_tile(&self, word: &'static str, counts: &Counts, first: Option<NaiveDate>) -> Tile {
        let on = |day: NaiveDate| counts.get(&day).copied().unwrap_or(0);
        let day = self.last_day();
        Tile {
            word,
            value: on(day),
            tone: "",
            against: first.map(|first| self.against(on(day), first, on)),
            of: None,
        }
    }

    fn against(&self, value: u64, first: NaiveDate, on: impl Fn(NaiveDate) -> u64) -> Against {
        let day = self.last_day();
        let before: Vec<u64> = same_weekdays(day, WEEKS as u64)
            .take_while(|day| *day >= first)
            .filter(|day| !self.is_off(*day))
            .map(on)
            .collect();
        let days = before.len() as u64;
        if self.is_off(day) {
            return Against { day_off: true, days, ..Against::default() };
        }
        if before.len() < HISTORY_DAYS_MIN {
            return Against { days, least: HISTORY_DAYS_MIN as u64, ..Against::default() };
        }
        let usual_tenths = median(before.iter().map(|count| (count * 10) as f64)) as u64;
        Against::usual(value, usual_tenths, days)
    }

    fn is_off(&self, day: NaiveDate) -> bool {
        self.rules.routing.calendar.is_holiday(day)
    }

    fn day_of(&self, at_ms: i64) -> NaiveDate {
        utc_from_ms(at_ms).with_timezone(&self.rules.workspace.zone).date_naive()
    }
}
