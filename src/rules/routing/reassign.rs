//! Leads that go to somebody else because their owner was not in contact in time.

use chrono::{DateTime, TimeDelta, Utc};

use super::lints::unknown;
use super::{Owner, PoolMember, Queue, RoutingPolicy};
use crate::rules::condition::{Condition, ConditionContext};
use crate::rules::decode::{Sink, Table};
use crate::rules::diagnostics::Place;
use crate::rules::followup::Window;

/// How many of its latest owners a lead never goes back to, unless the rule says otherwise.
const REMEMBER: i64 = 3;
/// More nobody keeps apart.
const REMEMBER_MAX: i64 = 100;
/// Older enquiries stay where they are, unless the rule says otherwise.
const MAX_AGE_SECONDS: i64 = 30 * 86_400;
/// No patience lasts longer; it keeps instants inside the calendar.
const SECONDS_MAX: i64 = 366 * 86_400;

/// What keeps a lead with its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoppedBy {
    /// Somebody spoke with the lead, or has a date to.
    Contact,
    /// A call, whether or not anybody was reached, does as well.
    Attempt,
}

impl StoppedBy {
    /// Every answer with its word in `routing.toml`.
    pub const ALL: &[(&str, StoppedBy)] = &[("contact", Self::Contact), ("attempt", Self::Attempt)];
}

/// Where a lead goes that nobody of the pool can take over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Escalation {
    /// It stays with its owner.
    Stay,
    /// To this owner, by id.
    Owner(String),
    /// To the queue with this id.
    Queue(String),
}

/// One rule; the first that is about a lead's queue and whose condition the lead meets decides.
#[derive(Debug, Clone, PartialEq)]
pub struct Reassign {
    /// Stable id.
    pub id: String,
    /// Ids of the queues that it is about; empty for every queue that has a pool.
    pub queues: Vec<String>,
    /// Which of their leads.
    pub when: Condition,
    /// How long an owner may leave a lead lying, at least a second, counted as `window` says.
    pub untouched_for: TimeDelta,
    /// How the time is counted.
    pub window: Window,
    /// What keeps a lead with its owner.
    pub stopped_by: StoppedBy,
    /// How many of its latest owners, the present one included, a lead never goes back to.
    pub remember: usize,
    /// Age of an enquiry from which it stays where it is.
    pub max_age: TimeDelta,
    /// Where a lead goes that nobody of the pool can take over.
    pub escalation: Escalation,
    /// Why, in words a salesperson understands.
    pub because: String,
    /// Where it is written.
    pub place: Place,
    /// Where each of `queues` is named.
    pub queue_places: Vec<Place>,
    /// Where the escalation is written.
    pub escalation_place: Place,
}

impl Reassign {
    /// Returns whether the rule is about leads in `queue` of `policy`.
    pub fn is_about(&self, policy: &RoutingPolicy, queue: &str) -> bool {
        match &self.queues[..] {
            [] => policy.queue(queue).is_some_and(|queue| !queue.pool.is_empty()),
            queues => queues.iter().any(|known| known == queue),
        }
    }

    /// Returns when the time of `owner`, which runs from `since`, is up; `None` when it never is, because they work
    /// no more.
    pub fn up_at(&self, owner: &Owner, since: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let up = self.window.past(since, self.untouched_for, &owner.hours);
        (up > since).then_some(up)
    }

    /// Returns the time in words: `4 working hours`, `90 minutes`.
    pub fn time_in_words(&self) -> String {
        let working = if self.window == Window::OwnerMinutes { "working " } else { "" };
        let (number, unit) = match self.untouched_for.num_seconds() {
            whole if whole % 86_400 == 0 && working.is_empty() => (whole / 86_400, "day"),
            whole if whole % 3_600 == 0 => (whole / 3_600, "hour"),
            started => ((started + 59).div_euclid(60), "minute"),
        };
        format!("{number} {working}{unit}{}", if number == 1 { "" } else { "s" })
    }
}

pub(super) fn decode_reassign(table: &Table<'_>, context: &ConditionContext<'_>) -> Reassign {
    let id = table.string("id");
    let queues = table.located_strings("queues");
    if table.has("queues") && queues.is_empty() {
        table.error("queues", "no queue is named", Some("leave `queues` out for all".to_owned()));
    }
    let remember = table.opt_integer("remember").unwrap_or(REMEMBER);
    if !(1..=REMEMBER_MAX).contains(&remember) {
        table.error(
            "remember",
            format!("a lead cannot remember {remember} owners"),
            Some("write a number from 1, which is its present owner alone, to 100".to_owned()),
        );
    }
    let untouched_for = untouched_for(table);
    let max_age = table.opt_duration_seconds("max-age").unwrap_or(MAX_AGE_SECONDS);
    if max_age <= untouched_for && table.has("untouched-for") {
        table.error(
            "max-age",
            format!("enquiries are too old for rule `{id}` before anybody's time is up"),
            Some("write more than `untouched-for`, such as 30d".to_owned()),
        );
    }
    let (queues, queue_places) = queues.into_iter().unzip();
    let (escalation, escalation_place) = escalation(table);
    Reassign {
        queues,
        when: Condition::decode_key(table, "when", context).unwrap_or_else(Condition::always),
        untouched_for: TimeDelta::seconds(untouched_for.clamp(1, SECONDS_MAX)),
        window: table.opt_choice("window", Window::ALL).unwrap_or(Window::OwnerMinutes),
        stopped_by: table.opt_choice("stopped-by", StoppedBy::ALL).unwrap_or(StoppedBy::Contact),
        remember: remember.clamp(1, REMEMBER_MAX) as usize,
        max_age: TimeDelta::seconds(max_age.min(100 * SECONDS_MAX)),
        escalation,
        because: table.string("because"),
        place: table.place_of("id"),
        queue_places,
        escalation_place,
        id,
    }
}

/// Returns the seconds at `untouched-for`.
fn untouched_for(table: &Table<'_>) -> i64 {
    if !table.has("untouched-for") {
        table.missing("untouched-for");
    }
    let seconds = table.opt_duration_seconds("untouched-for");
    if seconds == Some(0) {
        table.error(
            "untouched-for",
            "nobody can be in contact at once",
            Some("write the time that an owner has, such as 4h".to_owned()),
        );
    } else if seconds.is_some_and(|seconds| seconds > SECONDS_MAX) {
        table.error("untouched-for", "`untouched-for` reaches further than a year", None);
    }
    seconds.unwrap_or_default()
}

fn escalation(table: &Table<'_>) -> (Escalation, Place) {
    let (owner, queue) = (table.opt_string("escalate-to"), table.opt_string("escalate-to-queue"));
    match (owner, queue) {
        (None, None) => (Escalation::Stay, table.place_of("id")),
        (Some(owner), None) => (Escalation::Owner(owner), table.place_of("escalate-to")),
        (owner, Some(queue)) => {
            if owner.is_some() {
                table.error(
                    "escalate-to-queue",
                    "a lead cannot be escalated to an owner and to a queue",
                    Some("keep one of `escalate-to` and `escalate-to-queue`".to_owned()),
                );
            }
            (Escalation::Queue(queue), table.place_of("escalate-to-queue"))
        }
    }
}

/// Reports names that lead nowhere, and rules that move no lead.
pub(super) fn report(policy: &RoutingPolicy, sink: &Sink) {
    let queues = || policy.queues.iter().map(|queue| queue.id.as_str());
    for (position, rule) in policy.reassign.iter().enumerate() {
        for (id, place) in rule.queues.iter().zip(&rule.queue_places) {
            match policy.queue(id) {
                None => unknown(sink, place, "queue", id, queues()),
                Some(queue) => nobody_else(policy, rule, queue, place, sink),
            }
        }
        match &rule.escalation {
            Escalation::Stay => {}
            Escalation::Queue(id) => match policy.queue(id) {
                None => unknown(sink, &rule.escalation_place, "queue", id, queues()),
                Some(queue) if queue.pool.is_empty() => sink.error(
                    &rule.escalation_place,
                    format!("nobody serves queue `{id}`, to which leads are escalated"),
                    Some("add a `pool` to it, or name a queue that has one".to_owned()),
                ),
                Some(_) => {}
            },
            Escalation::Owner(id) => match policy.owner(id) {
                None => {
                    let known = policy.owners.iter().map(|owner| owner.id.as_str());
                    unknown(sink, &rule.escalation_place, "owner", id, known);
                }
                Some(owner) if !owner.active => sink.warning(
                    &rule.escalation_place,
                    format!("owner `{id}`, to whom leads are escalated, is not active"),
                    Some("name somebody who takes leads".to_owned()),
                ),
                Some(_) => {}
            },
        }
        let covers = |earlier: &&Reassign| {
            let takes_all = earlier.when.is_always() || rule.when.implies_same(&earlier.when);
            let has = |queue: &String| earlier.is_about(policy, queue);
            let same_queues = if rule.queues.is_empty() {
                earlier.queues.is_empty()
            } else {
                rule.queues.iter().all(has)
            };
            takes_all && same_queues
        };
        if let Some(earlier) = policy.reassign[..position].iter().find(covers) {
            let line = earlier.place.line();
            sink.error(
                &rule.place,
                format!(
                    "rule `{}` can never decide: rule `{}` (line {line}) above it is about all its leads",
                    rule.id, earlier.id
                ),
                Some(format!("move `{}` above `{}` or remove it", rule.id, earlier.id)),
            );
        }
    }
}

fn nobody_else(policy: &RoutingPolicy, rule: &Reassign, queue: &Queue, place: &Place, sink: &Sink) {
    let takes = |member: &&PoolMember| policy.owner(&member.owner).is_some_and(|one| one.active);
    let serving = queue.pool.iter().filter(takes).count();
    if serving < 2 && rule.escalation == Escalation::Stay {
        sink.warning(
            place,
            format!("queue `{}` has nobody who could take a lead over", queue.id),
            Some("add an owner to its pool, or write `escalate-to`".to_owned()),
        );
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn rule(untouched_for: TimeDelta, window: Window) -> Reassign {
        let nowhere = Place {
            file: crate::rules::diagnostics::RuleText { path: "".into(), text: "".into() },
            span: 0..0,
        };
        Reassign {
            id: String::new(),
            queues: Vec::new(),
            when: Condition::always(),
            untouched_for,
            window,
            stopped_by: StoppedBy::Contact,
            remember: 1,
            max_age: TimeDelta::days(30),
            escalation: Escalation::Stay,
            because: String::new(),
            place: nowhere.clone(),
            queue_places: Vec::new(),
            escalation_place: nowhere,
        }
    }

    fn owner(hours: &str) -> Owner {
        let policy = crate::rules::routing::tests::read(&format!(
            "[[owner]]\nid = 'anna'\nhours = '{hours}'\n\
             absent = [{{ from = '2026-12-07', to = '2026-12-08' }}]\n"
        ));
        policy.0.owners[0].clone()
    }

    #[track_caller]
    fn check(window: Window, hours: i64, since: &str, expected: &str) {
        // Local times in Warsaw, and the offset that the clocks show.
        let at = |text: &str| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M %z").unwrap().to_utc();
        let rule = rule(TimeDelta::hours(hours), window);
        let up = rule.up_at(&owner("Mo-Fr 09:00-17:00; PH off"), at(since)).unwrap();
        let shown = up.with_timezone(&Tz::Europe__Warsaw).format("%Y-%m-%d %H:%M %z").to_string();
        assert_eq!(shown, expected, "{hours}h {window:?} since {since}");
    }

    #[test]
    fn only_minutes_that_the_owner_works_count() {
        use Window::OwnerMinutes;
        check(OwnerMinutes, 4, "2026-11-17 20:00 +0100", "2026-11-18 13:00 +0100");
        check(OwnerMinutes, 4, "2026-11-18 10:30 +0100", "2026-11-18 14:30 +0100");
        // Friday afternoon goes on on Monday.
        check(OwnerMinutes, 4, "2026-11-20 15:00 +0100", "2026-11-23 11:00 +0100");
        // Independence Day is no working day, nor are days of absence.
        check(OwnerMinutes, 4, "2026-11-10 15:00 +0100", "2026-11-12 11:00 +0100");
        check(OwnerMinutes, 4, "2026-12-04 15:00 +0100", "2026-12-09 11:00 +0100");
        // Both nights on which the clocks change lie on a weekend: working time is the same, the clock's is not.
        check(OwnerMinutes, 4, "2026-03-27 15:00 +0100", "2026-03-30 11:00 +0200");
        check(OwnerMinutes, 4, "2026-10-23 15:00 +0200", "2026-10-26 11:00 +0100");
    }

    #[test]
    fn the_clock_goes_on_at_night() {
        use Window::{Any, Owner};
        check(Any, 4, "2026-11-17 20:00 +0100", "2026-11-18 00:00 +0100");
        check(Owner, 4, "2026-11-17 20:00 +0100", "2026-11-18 09:00 +0100");
        // A day of 23 hours, and one of 25.
        check(Any, 24, "2026-03-28 15:00 +0100", "2026-03-29 16:00 +0200");
        check(Any, 24, "2026-10-24 15:00 +0200", "2026-10-25 14:00 +0100");
        check(Owner, 24, "2026-10-24 15:00 +0200", "2026-10-26 09:00 +0100");
    }

    #[test]
    fn who_never_works_again_is_not_chased() {
        let since = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let rule = rule(TimeDelta::hours(1), Window::OwnerMinutes);
        assert_eq!(rule.up_at(&owner("2020-2026 Mo-Fr 09:00-17:00"), since), None);
    }

    #[test]
    fn the_time_is_told_in_its_largest_unit() {
        for (minutes, window, expected) in [
            (240, Window::OwnerMinutes, "4 working hours"),
            (60, Window::OwnerMinutes, "1 working hour"),
            (90, Window::Owner, "90 minutes"),
            (2_880, Window::Any, "2 days"),
            (2_880, Window::OwnerMinutes, "48 working hours"),
        ] {
            assert_eq!(rule(TimeDelta::minutes(minutes), window).time_in_words(), expected);
        }
    }
}
