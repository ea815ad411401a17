//! What is worth waking somebody for: rules meet the figures of a run and of the store.
//!
//! An alert has a key, its rule and what it is about. It opens when the key fires and closes when a run that asks its
//! rule finds it in order again. Those that are about one run are told of each run; what goes on is told again when its
//! cooldown is over. Between two imports only what goes by the clock is asked.

use std::collections::BTreeMap;
use std::iter;

use anyhow::Result;
use chrono::{DateTime, Days, NaiveDate, Utc};

use super::Job;
use crate::model::moment::utc_from_ms;
use crate::model::run::Alert;
use crate::rules::alerts::{
    AlertBy, AlertFigures, AlertKind, AlertRule, Found, Lasting, WEEKS_MAX, Weekday,
};
use crate::rules::hours::day_begins;
use crate::store::Store;
use crate::store::alerts::Firing;
use crate::store::runs::{RunKind, RunRecord};

/// How far back a source that is silent now must have brought leads.
const USUAL_DAYS: i64 = 28;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Asks every rule, keeps what opens and closes, and returns what somebody is told now, in the order of the rules.
///
/// `figures` are those of the run; a tick has read nothing that most rules could be about.
pub(super) fn watch(
    job: &Job<'_>,
    store: &Store,
    record: &RunRecord,
    figures: &AlertFigures,
) -> Result<Vec<Alert>> {
    let is_import = record.kind != RunKind::Tick;
    watch_those(job, store, record, figures, |kind| {
        !kind.is_of_delivery() && (kind.needs_no_import() || is_import)
    })
}

/// Asks the rules about what targets would not take or endpoints have not taken yet; part of the publishing
/// transaction, for only then it is known.
pub(super) fn watch_deliveries(
    job: &Job<'_>,
    store: &Store,
    record: &RunRecord,
) -> Result<Vec<Alert>> {
    watch_those(job, store, record, &AlertFigures::default(), AlertKind::is_of_delivery)
}

fn watch_those(
    job: &Job<'_>,
    store: &Store,
    record: &RunRecord,
    figures: &AlertFigures,
    is_asked_for: impl Fn(AlertKind) -> bool,
) -> Result<Vec<Alert>> {
    let watching = Watching { job, store, as_of: utc_from_ms(record.as_of_ms) };
    let all = &job.rules.alerts.rules;
    let rules: Vec<&AlertRule> = all.iter().filter(|rule| is_asked_for(rule.kind)).collect();
    let (mut firing, mut told) = (Vec::new(), Vec::new());
    for rule in &rules {
        for found in watching.found(rule, figures)? {
            let alert = rule.alert(&found);
            let cooldown_ms = rule.cooldown.num_milliseconds();
            let became = store.fire_alert(record.no, record.as_of_ms, &alert, cooldown_ms)?;
            if rule.kind.is_of_one_run() || became != Firing::Quiet {
                told.push(alert.clone());
            }
            firing.push(alert);
        }
    }
    // A rule that is no more finds nothing out of order.
    let known = |id: &str| all.iter().any(|rule| rule.id == id);
    let is_asked = |id: &str| rules.iter().any(|rule| rule.id == id) || !known(id);
    store.close_alerts(record.no, record.as_of_ms, &is_asked, &firing)?;
    Ok(told)
}

/// Returns the same weekday in so many weeks before `day`, the latest first.
pub(super) fn same_weekdays(day: NaiveDate, weeks: u64) -> impl Iterator<Item = NaiveDate> {
    (1..=weeks).filter_map(move |week| day.checked_sub_days(Days::new(7 * week)))
}

/// Leads of a day, and those of them that may be written to.
type DayCount = (u64, u64);

/// Leads that came of one source, campaign or form, or of all.
struct Arrivals {
    /// The day on which the first came.
    first: NaiveDate,
    /// Those of the days that are compared, at least.
    counts: BTreeMap<NaiveDate, DayCount>,
}

impl Arrivals {
    fn since(first: NaiveDate) -> Self {
        Self { first, counts: BTreeMap::new() }
    }
}

struct Watching<'a> {
    job: &'a Job<'a>,
    store: &'a Store,
    as_of: DateTime<Utc>,
}

impl Watching<'_> {
    fn found(&self, rule: &AlertRule, figures: &AlertFigures) -> Result<Vec<Found>> {
        let about_all = |what: Option<String>| {
            what.map(|what| Found { of: String::new(), what }).into_iter().collect()
        };
        Ok(match rule.kind {
            AlertKind::LeadsFell | AlertKind::ConsentFell => {
                let days = self.weekdays(rule)?;
                let found = days.into_iter().filter_map(|(of, weekday)| {
                    rule.of_weekday(&weekday).map(|what| Found { of, what })
                });
                found.collect()
            }
            AlertKind::Silent => {
                let lasting = self.silences(rule)?;
                let found = lasting.into_iter().filter_map(|(of, lasting)| {
                    rule.of_clock(&lasting).map(|what| Found { of, what })
                });
                found.collect()
            }
            AlertKind::InputMissing => self.missing(rule, &self.store.last_input_by_source()?),
            AlertKind::CanaryMissing => self.missing(rule, &self.store.last_test_by_source()?),
            AlertKind::TasksOverdue => {
                about_all(rule.of_waiting(self.store.count_overdue(self.since(rule))?))
            }
            AlertKind::HotUntouched => {
                about_all(rule.of_waiting(self.store.count_hot_waiting(self.since(rule))?))
            }
            AlertKind::DeadLetters => about_all(rule.of_waiting(self.store.count_dead_letters()?)),
            AlertKind::DeliveriesWaiting => self.deliveries(rule)?,
            _ => about_all(rule.of_run(figures)),
        })
    }

    /// The instant from which something must have lasted.
    fn since(&self, rule: &AlertRule) -> i64 {
        self.as_of.timestamp_millis() - rule.lasting.num_milliseconds()
    }

    /// Leads of yesterday and of the same weekday before, by what the rule tells them by.
    ///
    /// History begins with the first lead: days before it are unknown, not empty. A day off is no day to compare, be it
    /// yesterday or long ago.
    fn weekdays(&self, rule: &AlertRule) -> Result<BTreeMap<String, Weekday>> {
        let zone = self.job.rules.workspace.zone;
        let calendar = &self.job.rules.routing.calendar;
        let today = self.as_of.with_timezone(&zone).date_naive();
        let Some(yesterday) = today.checked_sub_days(Days::new(1)) else {
            return Ok(BTreeMap::new());
        };
        let arrived = self.arrivals_by_day(rule, yesterday)?;
        let on = |counts: &BTreeMap<NaiveDate, DayCount>, day: NaiveDate| {
            (!calendar.is_holiday(day)).then(|| counts.get(&day).copied().unwrap_or_default())
        };
        let compared = arrived.into_iter().map(|(of, Arrivals { first, counts })| {
            let before = same_weekdays(yesterday, WEEKS_MAX as u64)
                .take_while(|day| *day >= first)
                .filter_map(|day| on(&counts, day))
                .collect();
            (of, Weekday { day: on(&counts, yesterday), before })
        });
        Ok(compared.collect())
    }

    /// Counts the leads of `yesterday` and of the same weekdays before, by what the rule tells them by.
    fn arrivals_by_day(
        &self,
        rule: &AlertRule,
        yesterday: NaiveDate,
    ) -> Result<BTreeMap<String, Arrivals>> {
        let zone = self.job.rules.workspace.zone;
        let day_of = |at_ms: i64| utc_from_ms(at_ms).with_timezone(&zone).date_naive();
        let begins_ms = |day: NaiveDate| day_begins(zone, day).timestamp_millis();
        let since_ms =
            same_weekdays(yesterday, WEEKS_MAX as u64).last().map_or(i64::MIN, begins_ms);
        let mut arrived: BTreeMap<String, Arrivals> = BTreeMap::new();
        let mut count = |at_ms: i64, may_email: bool, of: String| {
            if rule.by.is_some() && of.is_empty() {
                return;
            }
            let day = day_of(at_ms);
            let arrivals = arrived.entry(of).or_insert_with(|| Arrivals::since(day));
            arrivals.first = day.min(arrivals.first);
            let count = arrivals.counts.entry(day).or_default();
            count.0 += 1;
            count.1 += u64::from(may_email);
        };
        if rule.by.is_some() {
            // When each of them began is known from all days.
            self.store.each_arrival(rule.by, since_ms..i64::MAX, count)?;
            return Ok(arrived);
        }
        for day in iter::once(yesterday).chain(same_weekdays(yesterday, WEEKS_MAX as u64)) {
            let end_ms = day.succ_opt().map_or(i64::MAX, begins_ms);
            self.store.each_arrival(None, begins_ms(day)..end_ms, &mut count)?;
        }
        if let Some(first_ms) = self.store.first_arrival_ms(since_ms)? {
            let first = day_of(first_ms);
            arrived.entry(String::new()).or_insert_with(|| Arrivals::since(first)).first = first;
        }
        Ok(arrived)
    }

    /// What has waited for long, at each endpoint that something is sent to.
    fn deliveries(&self, rule: &AlertRule) -> Result<Vec<Found>> {
        let now_ms = self.as_of.timestamp_millis();
        let waiting = self.store.waiting_deliveries()?.into_iter();
        let is_on = |id: &str| self.job.rules.outbox.on().any(|endpoint| endpoint.id == id);
        let found = waiting.filter(|one| is_on(&one.endpoint)).filter_map(|one| {
            let hours = (now_ms - one.oldest_ms?) / HOUR_MS;
            let what = rule.of_deliveries(one.items, hours, &one.last_code)?;
            Some(Found { of: one.endpoint, what })
        });
        Ok(found.collect())
    }

    /// How long nothing has come from each that brought leads in the four weeks before.
    fn silences(&self, rule: &AlertRule) -> Result<BTreeMap<String, Lasting>> {
        let now_ms = self.as_of.timestamp_millis();
        let silent_since = self.since(rule);
        if rule.by == Some(AlertBy::Source) && self.all_sources_are_heard(rule)? {
            return Ok(BTreeMap::new());
        }
        let since_ms = silent_since - USUAL_DAYS * DAY_MS;
        let mut found: BTreeMap<String, (i64, u64)> = BTreeMap::new();
        self.store.each_arrival(rule.by, since_ms..now_ms + 1, |at_ms, _, of| {
            if of.is_empty() {
                return;
            }
            let (last, usual) = found.entry(of).or_default();
            *last = at_ms.max(*last);
            *usual += u64::from(at_ms < silent_since);
        })?;
        let lasting = found
            .into_iter()
            .map(|(of, (last, usual))| (of, Lasting { hours: (now_ms - last) / HOUR_MS, usual }));
        Ok(lasting.collect())
    }

    /// Returns whether each source has brought a lead so lately that `rule` finds none silent: the few days are read
    /// before the weeks.
    fn all_sources_are_heard(&self, rule: &AlertRule) -> Result<bool> {
        let now_ms = self.as_of.timestamp_millis();
        let lately_ms = now_ms - rule.lasting.num_hours() * HOUR_MS;
        let mut unheard = self.store.sources()?;
        self.store.each_arrival(rule.by, lately_ms + 1..now_ms + 1, |_, _, of| {
            unheard.remove(&of);
        })?;
        Ok(unheard.is_empty())
    }

    /// What has not come for long: from the rule's source, or from each that ever sent one.
    fn missing(&self, rule: &AlertRule, last: &BTreeMap<String, i64>) -> Vec<Found> {
        let now_ms = self.as_of.timestamp_millis();
        let lasting = |last_ms: i64| Lasting { hours: (now_ms - last_ms) / HOUR_MS, usual: 0 };
        match &rule.source {
            // A store that is younger than that cannot know.
            Some(source) => last
                .get(source)
                .and_then(|last_ms| rule.of_clock(&lasting(*last_ms)))
                .map(|what| Found { of: source.clone(), what })
                .into_iter()
                .collect(),
            None => last
                .iter()
                .filter_map(|(source, last_ms)| {
                    let what = rule.of_clock(&lasting(*last_ms))?;
                    Some(Found { of: source.clone(), what })
                })
                .collect(),
        }
    }
}
