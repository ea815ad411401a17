//! Business hours: an opening-hours expression with its zone, holidays and closed days, compiled so
//! that asking for the next open minute is cheap.
//!
//! Expressions follow the OpenStreetMap `opening_hours` syntax. The holidays are those of the whole
//! country; days that only a region keeps belong into `extra-closed`.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

use chrono::{
    DateTime, Datelike as _, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc,
};
use chrono_tz::Tz;
use opening_hours::localization::Country;
use opening_hours::{Context, OpeningHours, RuleKind};

use super::decode::Table;
use super::diagnostics::did_you_mean;
use crate::model::moment::utc_from_ms;

/// Years whose windows are worked out; outside them nothing is open.
const YEARS: RangeInclusive<i32> = 1990..=2099;
/// Years in which a calendar must open at least once to be believed.
const YEARS_CHECKED: RangeInclusive<i32> = 2020..=2040;
/// Hours that open on so many days of a year without holidays open with them, too: no country keeps as many.
const DAYS_ENOUGH: usize = 180;
const MINUTE_MS: i64 = 60_000;

/// The first and the last of some days.
pub type DayRange = (NaiveDate, NaiveDate);

/// Half-open stretches of time in milliseconds since 1970 UTC, in order, never touching.
type Windows = Box<[(i64, i64)]>;

/// The workspace's calendar: what owners and plans fall back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Zone of the office.
    pub zone: Tz,
    /// ISO 3166-1 alpha-2 code of the country whose holidays are kept; empty for none.
    pub country: String,
    /// Days on which nobody works.
    pub extra_closed: Vec<NaiveDate>,
    /// The office's hours.
    pub hours: BusinessHours,
    /// All hours of all days but holidays and closed days.
    all_but_holidays: BusinessHours,
}

impl Calendar {
    /// Hours of an office that says nothing about its hours.
    pub const DEFAULT_HOURS: &str = "Mo-Fr 09:00-17:00; PH off";

    /// Reads `[calendar]` of `root`; a missing table stands for a Polish office.
    pub fn decode(root: Option<&Table<'_>>) -> Self {
        let read = root.and_then(|root| root.table("calendar", Self::decode_table));
        read.unwrap_or_else(|| Self::office(Tz::Europe__Warsaw, "PL".to_owned(), Vec::new()))
    }

    fn decode_table(table: &Table<'_>) -> Self {
        let zone = opt_zone(table, "zone").unwrap_or(Tz::Europe__Warsaw);
        let country = opt_country(table, "country").unwrap_or_else(|| "PL".to_owned());
        let mut calendar = Self::office(zone, country, closed_days(table, "extra-closed"));
        if let Some(hours) = opt_hours(table, "hours", &calendar, zone, &[]) {
            calendar.hours = hours;
        }
        calendar
    }

    /// Compiles `expression` in `zone` with this calendar's holidays and closed days, and `absent` too.
    ///
    /// # Errors
    /// What is wrong with the expression, in one line.
    pub fn compile(
        &self,
        expression: &str,
        zone: Tz,
        absent: &[DayRange],
    ) -> Result<BusinessHours, String> {
        // Most people keep the office's hours; then they share what is worked out of them, too.
        let hours = if self.hours.is_of(expression, zone, &self.country) {
            self.hours.clone()
        } else {
            BusinessHours::compile(expression, zone, &self.country, &self.extra_closed)?
        };
        Ok(if absent.is_empty() { hours } else { hours.without(absent) })
    }

    /// Returns this calendar with the holidays of `country`.
    #[must_use]
    pub fn in_country(&self, country: String) -> Self {
        if country == self.country {
            return self.clone();
        }
        let hours = self.hours.clone();
        Self { hours, ..Self::office(self.zone, country, self.extra_closed.clone()) }
    }

    /// Returns whether `day` is a public holiday, or one on which the office is closed besides.
    pub fn is_holiday(&self, day: NaiveDate) -> bool {
        let noon = day.and_hms_opt(12, 0, 0).unwrap_or_default();
        !self.all_but_holidays.is_open(instant_of(self.zone, noon))
    }

    fn office(zone: Tz, country: String, extra_closed: Vec<NaiveDate>) -> Self {
        let compile = |hours: &str| {
            BusinessHours::read(hours, zone, &country, &extra_closed)
                .expect("such hours are valid in every known country")
        };
        let hours = compile(Self::DEFAULT_HOURS);
        let all_but_holidays = compile("Mo-Su 00:00-24:00; PH off");
        Self { zone, country, extra_closed, hours, all_but_holidays }
    }
}

/// Returns the country at `key` whose holidays are to be kept, reporting one without known holidays.
pub fn opt_country(table: &Table<'_>, key: &str) -> Option<String> {
    let country = table.opt_string(key)?;
    if country.is_empty() || country.parse::<Country>().is_ok() {
        return Some(country);
    }
    table.error(
        key,
        format!("no holidays are known for `{country}`"),
        Some("write a two-letter code such as PL or DE, or \"\" for no holidays".to_owned()),
    );
    None
}

/// Returns the zone named at `key`, reporting an unknown one with a suggestion.
pub fn opt_zone(table: &Table<'_>, key: &str) -> Option<Tz> {
    let name = table.opt_string(key)?;
    let zone = name.parse().ok();
    if zone.is_none() {
        let hint = did_you_mean(&name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()))
            .map_or_else(
                || "write it as in Europe/Warsaw".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
        table.error(key, format!("unknown time zone `{name}`"), Some(hint));
    }
    zone
}

/// Returns the hours at `key` compiled with `calendar`'s holidays, reporting what is wrong with them.
pub fn opt_hours(
    table: &Table<'_>,
    key: &str,
    calendar: &Calendar,
    zone: Tz,
    absent: &[DayRange],
) -> Option<BusinessHours> {
    let expression = table.opt_string(key)?;
    let hint = format!("write them as in \"{}\"", Calendar::DEFAULT_HOURS);
    calendar
        .compile(&expression, zone, absent)
        .map_err(|message| table.error(key, message, Some(hint)))
        .ok()
}

/// Returns the day at `key`, written as in `2026-12-31`, reporting anything else.
pub fn opt_day(table: &Table<'_>, key: &str) -> Option<NaiveDate> {
    let text = table.opt_string(key)?;
    let day = text.parse().ok();
    if day.is_none() {
        table.error(key, format!("`{text}` is not a day"), Some(DAY_HINT.to_owned()));
    }
    day
}

const DAY_HINT: &str = "write it as in \"2026-12-31\"";

fn closed_days(table: &Table<'_>, key: &str) -> Vec<NaiveDate> {
    let mut days = Vec::new();
    for (text, place) in table.located_strings(key) {
        match text.parse() {
            Ok(day) => days.push(day),
            Err(_) => table.sink().error(
                &place,
                format!("`{text}` is not a day"),
                Some(DAY_HINT.to_owned()),
            ),
        }
    }
    days.sort_unstable();
    days
}

/// When somebody works.
///
/// Cheap to clone. The windows of a year are worked out when they are first asked for; after that a
/// question is a binary search.
#[derive(Clone)]
pub struct BusinessHours(Arc<Compiled>);

struct Compiled {
    expression: String,
    zone: Tz,
    country: String,
    /// Without holidays: those of all countries are unpacked at once, and most commands never ask for one.
    rules: OpeningHours,
    with_holidays: OnceLock<OpeningHours>,
    closed: Vec<DayRange>,
    /// By year, from the first of [`YEARS`].
    years: Box<[OnceLock<Windows>]>,
}

impl BusinessHours {
    /// Compiles `expression` in `zone` with the public holidays of `country` (empty: none).
    ///
    /// `PH` in the expression stands for those holidays; on `extra_closed` days nothing is open,
    /// whatever the expression says.
    ///
    /// # Errors
    /// What is wrong, in one line: not an opening-hours expression, an unknown country, or hours that
    /// never open.
    pub fn compile(
        expression: &str,
        zone: Tz,
        country: &str,
        extra_closed: &[NaiveDate],
    ) -> Result<Self, String> {
        let hours = Self::read(expression, zone, country, extra_closed)?;
        if !hours.0.surely_opens()
            && YEARS_CHECKED.into_iter().all(|year| hours.windows(year).is_empty())
        {
            return Err(format!("`{expression}` never opens"));
        }
        Ok(hours)
    }

    /// The same for an expression that is known to open some time.
    fn read(
        expression: &str,
        zone: Tz,
        country: &str,
        extra_closed: &[NaiveDate],
    ) -> Result<Self, String> {
        let rules: OpeningHours = expression
            .parse()
            .map_err(|_| format!("`{expression}` is not an opening-hours expression"))?;
        if !country.is_empty() {
            let _: Country =
                country.parse().map_err(|_| format!("no holidays are known for `{country}`"))?;
        }
        Ok(Self::assemble(
            expression.to_owned(),
            zone,
            country.to_owned(),
            rules,
            extra_closed.iter().map(|day| (*day, *day)).collect(),
        ))
    }

    /// Returns whether these are the hours of `expression` in `zone`, with the holidays of `country`.
    fn is_of(&self, expression: &str, zone: Tz, country: &str) -> bool {
        let own = &*self.0;
        own.expression == expression && own.zone == zone && own.country == country
    }

    /// Returns these hours without the days of `absent`.
    #[must_use]
    pub fn without(&self, absent: &[DayRange]) -> Self {
        let mut closed = self.0.closed.clone();
        closed.extend_from_slice(absent);
        let Compiled { expression, zone, country, rules, .. } = &*self.0;
        Self::assemble(expression.clone(), *zone, country.clone(), rules.clone(), closed)
    }

    fn assemble(
        expression: String,
        zone: Tz,
        country: String,
        rules: OpeningHours,
        closed: Vec<DayRange>,
    ) -> Self {
        let years = YEARS.map(|_| OnceLock::new()).collect();
        let with_holidays = OnceLock::new();
        Self(Arc::new(Compiled { expression, zone, country, rules, with_holidays, closed, years }))
    }

    /// Returns whether there is an instant in the years that are looked at for which both are open.
    pub fn meets(&self, other: &Self) -> bool {
        YEARS_CHECKED.into_iter().any(|year| {
            let (mut ours, mut theirs) = (self.windows(year), other.windows(year));
            while let ([own, rest @ ..], [their, other_rest @ ..]) = (ours, theirs) {
                if own.0 < their.1 && their.0 < own.1 {
                    return true;
                }
                if own.1 <= their.1 { ours = rest } else { theirs = other_rest }
            }
            false
        })
    }

    /// Returns the expression as written.
    pub fn expression(&self) -> &str {
        &self.0.expression
    }

    /// Returns the zone the expression is read in.
    pub fn zone(&self) -> Tz {
        self.0.zone
    }

    /// Returns whether it is open at `at`; the closing minute itself is closed.
    pub fn is_open(&self, at: DateTime<Utc>) -> bool {
        let at_ms = at.timestamp_millis();
        self.windows_from(at_ms).next().is_some_and(|(start, _)| start <= at_ms)
    }

    /// Returns `at` when it is open, otherwise the instant it opens next.
    ///
    /// Returns `at` itself when it never opens again (the expression names years that are over, or
    /// `at` is outside 1990 to 2099).
    pub fn next_open(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let at_ms = at.timestamp_millis();
        match self.windows_from(at_ms).next() {
            Some((start, _)) if start > at_ms => utc_from_ms(start),
            _ => at,
        }
    }

    /// Returns the instant at which `minutes` of open time have passed since `from`.
    ///
    /// 0 minutes returns `from` itself, open or not. Minutes that run out exactly at closing time end
    /// there, not on the next morning. Open minutes are real ones: a clock change adds or takes none.
    pub fn add_business_minutes(&self, from: DateTime<Utc>, minutes: i64) -> DateTime<Utc> {
        let mut left_ms = minutes.saturating_mul(MINUTE_MS);
        if left_ms <= 0 {
            return from;
        }
        let from_ms = from.timestamp_millis();
        let mut reached = from_ms;
        for (start, end) in self.windows_from(from_ms) {
            let start = start.max(from_ms);
            if left_ms <= end - start {
                return utc_from_ms(start + left_ms);
            }
            left_ms -= end - start;
            reached = end;
        }
        // It closes for ever before the minutes are over: the last closing time is the best promise left.
        utc_from_ms(reached)
    }

    /// Returns the open time between two instants in milliseconds; 0 when `to_ms` is not the later one.
    pub fn open_ms_between(&self, from_ms: i64, to_ms: i64) -> i64 {
        self.windows_from(from_ms)
            .take_while(|(start, _)| *start < to_ms)
            .map(|(start, end)| (end.min(to_ms) - start.max(from_ms)).max(0))
            .sum()
    }

    /// Iterates over the windows that end after `at_ms`, in order.
    fn windows_from(&self, at_ms: i64) -> impl Iterator<Item = (i64, i64)> + '_ {
        // The local year may differ from the UTC year by a day, and a window may reach into the new year.
        let year = utc_from_ms(at_ms).year();
        (year.saturating_sub(1).max(*YEARS.start())..=*YEARS.end()).flat_map(move |year| {
            let windows = self.windows(year);
            let first = windows.partition_point(|(_, end)| *end <= at_ms);
            windows[first..].iter().copied()
        })
    }

    fn windows(&self, year: i32) -> &[(i64, i64)] {
        let at = usize::try_from(year - YEARS.start()).ok();
        let cell = at.and_then(|at| self.0.years.get(at));
        cell.map_or(&[], |cell| cell.get_or_init(|| self.0.open_in(year)))
    }
}

impl Compiled {
    /// Returns whether it opens some time, whatever days are holidays; `false` says nothing.
    fn surely_opens(&self) -> bool {
        let opens = |day: &NaiveDate| {
            self.rules.schedule_at(*day).into_iter().any(|range| range.kind == RuleKind::Open)
        };
        self.days_in(*YEARS_CHECKED.start()).filter(opens).count() >= DAYS_ENOUGH
    }

    /// Iterates over the days of `year` on which it is not closed.
    fn days_in(&self, year: i32) -> impl Iterator<Item = NaiveDate> + '_ {
        let first = NaiveDate::from_ymd_opt(year, 1, 1);
        let days = first.into_iter().flat_map(|first| first.iter_days());
        let is_closed = |day: &NaiveDate| {
            self.closed.iter().any(|(first, last)| (*first..=*last).contains(day))
        };
        days.take_while(move |day| day.year() == year).filter(move |day| !is_closed(day))
    }

    fn open_in(&self, year: i32) -> Windows {
        let rules = self.with_holidays.get_or_init(|| {
            let country = self.country.parse::<Country>().ok();
            let holidays = country.map(Country::holidays).unwrap_or_default();
            self.rules.clone().with_context(Context::default().with_holidays(holidays))
        });
        let mut windows: Vec<(i64, i64)> = Vec::new();
        for day in self.days_in(year) {
            for range in rules.schedule_at(day) {
                if range.kind != RuleKind::Open {
                    continue;
                }
                let start = self.instant(day, range.range.start.mins_from_midnight());
                let end = self.instant(day, range.range.end.mins_from_midnight());
                match windows.last_mut() {
                    Some(last) if last.1 >= start => last.1 = last.1.max(end),
                    // A window inside the hour that spring skips is empty.
                    _ if start < end => windows.push((start, end)),
                    _ => {}
                }
            }
        }
        windows.into_boxed_slice()
    }

    fn instant(&self, day: NaiveDate, minute: u16) -> i64 {
        let day = day.checked_add_days(Days::new(u64::from(minute / 1_440))).unwrap_or(day);
        let minute = u32::from(minute % 1_440);
        let local = day.and_hms_opt(minute / 60, minute % 60, 0).unwrap_or_default();
        instant_of(self.zone, local).timestamp_millis()
    }
}

/// Returns the instant at which clocks in `zone` show `local`.
///
/// A time that spring skips becomes the first instant after the gap; of a time that autumn shows
/// twice the first counts.
pub fn instant_of(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    let mut asked = local;
    // No zone ever skipped more than a day.
    for _ in 0..96 {
        match zone.from_local_datetime(&asked) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => return at.to_utc(),
            LocalResult::None => asked += chrono::Duration::minutes(15),
        }
    }
    local.and_utc()
}

/// Returns the instant at which `day` begins in `zone`, as [`instant_of`] says where clocks jump over midnight.
pub fn day_begins(zone: Tz, day: NaiveDate) -> DateTime<Utc> {
    instant_of(zone, day.and_time(NaiveTime::MIN))
}

impl fmt::Debug for BusinessHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BusinessHours({:?} in {})", self.0.expression, self.0.zone)
    }
}

impl PartialEq for BusinessHours {
    fn eq(&self, other: &Self) -> bool {
        let parts = |hours: &Self| {
            let Compiled { expression, zone, country, closed, .. } = &*hours.0;
            (expression.clone(), *zone, country.clone(), closed.clone())
        };
        parts(self) == parts(other)
    }
}

impl Eq for BusinessHours {}

#[cfg(test)]
mod tests;
