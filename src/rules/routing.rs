//! Who gets which lead, as written in `routing.toml`: owners, queues, routes, and the calendar that
//! owners and follow-up plans share.

mod cap;
mod lints;
mod queue;
mod reassign;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use self::cap::decode_caps;
use self::queue::{decode_queue, skills};
use self::reassign::decode_reassign;
use super::condition::{Condition, ConditionContext};
use super::decode::Table;
use super::diagnostics::Place;
use super::field::fold_header;
use super::hours::{BusinessHours, Calendar, DayRange, opt_country, opt_day, opt_hours, opt_zone};
use crate::model::subject::Subject;

pub use self::cap::{Cap, Period, Window};
pub use self::queue::{Matching, PoolMember, Queue, Strategy, WhenNobody};
pub use self::reassign::{Escalation, Reassign, StoppedBy};

/// Route names that decisions use for themselves.
pub const RESERVED_ROUTES: &[&str] = &[STICKY, REASSIGNED, ESCALATED, TRIAGE];
/// Names the decision that a returning lead keeps its owner.
pub const STICKY: &str = "sticky";
/// Names the decision that a lead goes to somebody else, because its owner was not in contact in time.
pub const REASSIGNED: &str = "reassigned";
/// Names the decision that such a lead goes to where it is escalated, because nobody else could take it.
pub const ESCALATED: &str = "escalated";
/// Names the decision that no route matched.
pub const TRIAGE: &str = "triage";

/// Somebody who takes leads.
#[derive(Debug, Clone, PartialEq)]
pub struct Owner {
    /// Stable id.
    pub id: String,
    /// Name as people say it.
    pub name: String,
    /// Address as the CRM knows it.
    pub email: String,
    /// Working hours without the days of absence.
    pub hours: BusinessHours,
    /// Zone they live by.
    pub zone: Tz,
    /// Whether they take leads at all.
    pub active: bool,
    /// First and last days of absence.
    pub absent: Vec<DayRange>,
    /// Languages they speak, ISO 639-1.
    pub languages: Vec<String>,
    /// What they know, in lower case.
    pub skills: Vec<String>,
    /// What a CRM may call them, folded like a header: id, name, address, and what else is written.
    pub crm_names: Vec<String>,
    /// Limits to what they take, from all queues together.
    pub caps: Vec<Cap>,
    /// Where they are written.
    pub place: Place,
}

impl Owner {
    /// Returns why the owner takes no lead at `as_of`, or `None` when they do.
    pub fn away(&self, as_of: DateTime<Utc>) -> Option<String> {
        if !self.active {
            return Some("no longer active".to_owned());
        }
        self.absent_until(as_of).map(|last| format!("away until {last}"))
    }

    /// Returns the last day of the absence that `as_of` falls into.
    pub fn absent_until(&self, as_of: DateTime<Utc>) -> Option<NaiveDate> {
        let day = as_of.with_timezone(&self.zone).date_naive();
        let now = self.absent.iter().filter(|(first, last)| (*first..=*last).contains(&day));
        now.map(|(_, last)| *last).max()
    }

    /// Returns whether the owner speaks the lead's language.
    pub fn speaks(&self, language: &str) -> bool {
        self.languages.iter().any(|known| known.eq_ignore_ascii_case(language))
    }

    /// Returns whether the owner has `skill`, in lower case.
    pub fn knows(&self, skill: &str) -> bool {
        self.skills.iter().any(|known| known == skill)
    }
}

/// One rule of routing; the first that matches decides.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Stable id.
    pub id: String,
    /// Which leads it takes.
    pub when: Condition,
    /// Queue's id.
    pub queue: String,
    /// Owner's id, when the route names one person.
    pub owner: Option<String>,
    /// Skills, in lower case, that whoever takes a lead must have, besides those that the queue asks for.
    pub needs_skill: Vec<String>,
    /// What happens when nobody of the queue may take a lead; the queue's answer when absent.
    pub when_nobody: Option<WhenNobody>,
    /// Why, in words a salesperson understands.
    pub because: String,
    /// Where it is written.
    pub place: Place,
    /// Where it names its queue.
    pub queue_place: Place,
    /// Where it names its owner.
    pub owner_place: Place,
    /// Where it names the skills that it needs.
    pub skill_place: Place,
}

/// What happens to a returning lead whose owner is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenAway {
    /// It waits for its owner.
    Keep,
    /// It is routed like a new lead.
    Reassign,
    /// It waits in its queue without an owner.
    Queue,
}

impl WhenAway {
    /// Every answer with its word in `routing.toml`.
    pub const ALL: &[(&str, WhenAway)] =
        &[("keep", Self::Keep), ("reassign", Self::Reassign), ("queue", Self::Queue)];
}

/// What happens to leads that had an owner before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returning {
    /// Whether they keep them.
    pub keep_owner: bool,
    /// Whether an owner named by the CRM counts like one of ours.
    pub keep_crm_owner: bool,
    /// Whether a lead that nobody has goes to who has other leads of its company, where a turn would decide.
    pub keep_account_owner: bool,
    /// What happens when that owner is away.
    pub when_away: WhenAway,
}

impl Default for Returning {
    fn default() -> Self {
        Self {
            keep_owner: true,
            keep_crm_owner: true,
            keep_account_owner: false,
            when_away: WhenAway::Reassign,
        }
    }
}

/// Owners, queues and routes.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutingPolicy {
    /// The office's calendar.
    pub calendar: Calendar,
    /// Owners in file order.
    pub owners: Vec<Owner>,
    /// Queues in file order.
    pub queues: Vec<Queue>,
    /// Routes in file order: the first that matches decides.
    pub routes: Vec<Route>,
    /// What happens to leads that had an owner before.
    pub returning: Returning,
    /// What happens to leads that their owner leaves lying, in file order: the first that is about one decides.
    pub reassign: Vec<Reassign>,
    /// Id of the queue for leads that no route takes.
    pub triage: String,
}

impl RoutingPolicy {
    /// Reads `routing.toml`; without one every lead goes to a queue called `triage`.
    pub fn decode(root: Option<&Table<'_>>, context: &ConditionContext<'_>) -> Self {
        let mut policy = Self {
            calendar: Calendar::decode(root),
            owners: Vec::new(),
            queues: Vec::new(),
            routes: Vec::new(),
            returning: Returning::default(),
            reassign: Vec::new(),
            triage: TRIAGE.to_owned(),
        };
        let Some(root) = root else { return policy };
        policy.triage = root.opt_string("triage").unwrap_or_else(|| TRIAGE.to_owned());
        policy.returning = root.table("returning", decode_returning).unwrap_or_default();
        policy.owners = root.tables("owner", |table| decode_owner(table, &policy.calendar));
        policy.queues = root.tables("queue", |table| decode_queue(table, context));
        policy.routes = root.tables("route", |table| decode_route(table, context));
        policy.reassign = root.tables("reassign", |table| decode_reassign(table, context));
        lints::report(&mut policy, root);
        for queue in &mut policy.queues {
            reduce_weights(&mut queue.pool);
        }
        policy
    }

    /// Returns the owner with this id.
    pub fn owner(&self, id: &str) -> Option<&Owner> {
        self.owners.iter().find(|owner| owner.id == id)
    }

    /// Returns the owner whom a CRM means by `text`, whatever its case, accents and signs.
    pub fn owner_named(&self, text: &str) -> Option<&Owner> {
        let text = fold_header(text);
        self.owners.iter().find(|owner| owner.crm_names.contains(&text))
    }

    /// Returns the queue with this id.
    pub fn queue(&self, id: &str) -> Option<&Queue> {
        self.queues.iter().find(|queue| queue.id == id)
    }

    /// Returns whether a lead goes on to the next route when nobody takes it from this one.
    pub fn lets_pass(&self, route: &Route) -> bool {
        let queue = self.queue(&route.queue);
        let may_be_taken =
            route.owner.is_some() || queue.is_some_and(|queue| !queue.pool.is_empty());
        let answer = route.when_nobody.or(queue.map(|queue| queue.when_nobody));
        may_be_taken && answer == Some(WhenNobody::Next)
    }

    /// Returns the rule for a lead in `queue` whose owner leaves it lying.
    pub fn reassign_for(&self, subject: &Subject<'_>, queue: &str) -> Option<&Reassign> {
        self.reassign.iter().find(|rule| rule.is_about(self, queue) && rule.when.matches(subject))
    }

    /// Returns the first queue that `owner` serves.
    pub fn queue_of(&self, owner: &str) -> Option<&Queue> {
        self.queues.iter().find(|queue| queue.is_served_by(owner))
    }
}

fn decode_returning(table: &Table<'_>) -> Returning {
    let usual = Returning::default();
    table.opt_string("because");
    Returning {
        keep_owner: table.bool_or("keep-owner", usual.keep_owner),
        keep_crm_owner: table.bool_or("keep-crm-owner", usual.keep_crm_owner),
        keep_account_owner: table.bool_or("keep-account-owner", usual.keep_account_owner),
        when_away: table.opt_choice("when-owner-away", WhenAway::ALL).unwrap_or(usual.when_away),
    }
}

fn decode_owner(table: &Table<'_>, calendar: &Calendar) -> Owner {
    let id = table.string("id");
    let zone = opt_zone(table, "zone").unwrap_or(calendar.zone);
    let country = opt_country(table, "country").unwrap_or_else(|| calendar.country.clone());
    let calendar = &calendar.in_country(country);
    let absent: Vec<DayRange> =
        table.tables("absent", decode_absence).into_iter().flatten().collect();
    let hours = opt_hours(table, "hours", calendar, zone, &absent).unwrap_or_else(|| {
        let office = calendar.compile(calendar.hours.expression(), zone, &absent);
        office.unwrap_or_else(|_| calendar.hours.clone())
    });
    table.opt_string("because");
    let name = table.opt_string("name").unwrap_or_else(|| id.clone());
    let email = table.opt_string("email").unwrap_or_default();
    let mut crm_names = table.strings("crm-names");
    crm_names.extend([&id, &name, &email].map(String::clone));
    for known in &mut crm_names {
        *known = fold_header(known);
    }
    crm_names.retain(|known| !known.is_empty());
    Owner {
        name,
        email,
        hours,
        zone,
        active: table.bool_or("active", true),
        absent,
        languages: table.strings("languages"),
        skills: skills(table, "skills"),
        crm_names,
        caps: decode_caps(table),
        place: table.place_of("id"),
        id,
    }
}

fn decode_absence(table: &Table<'_>) -> Option<DayRange> {
    for key in ["from", "to"] {
        if !table.has(key) {
            table.missing(key);
        }
    }
    table.opt_string("because");
    let (first, last): (NaiveDate, NaiveDate) = (opt_day(table, "from")?, opt_day(table, "to")?);
    if last < first {
        table.error("to", "the absence ends before it begins", None);
        return None;
    }
    Some((first, last))
}

fn decode_route(table: &Table<'_>, context: &ConditionContext<'_>) -> Route {
    let id = table.string("id");
    Route {
        when: Condition::decode_key(table, "when", context).unwrap_or_else(Condition::always),
        queue: table.opt_string("queue").unwrap_or_default(),
        owner: table.opt_string("owner"),
        needs_skill: skills(table, "needs-skill"),
        when_nobody: table.opt_choice("when-nobody", WhenNobody::ALL),
        because: table.string("because"),
        place: table.place_of("id"),
        queue_place: table.place_of("queue"),
        owner_place: table.place_of("owner"),
        skill_place: table.place_of("needs-skill"),
        id,
    }
}

/// Divides weights by what they have in common: 200 and 100 take turns like 2 and 1.
fn reduce_weights(pool: &mut [PoolMember]) {
    let common =
        pool.iter().fold(0, |common, member| greatest_common_divisor(member.weight, common));
    if common > 1 {
        for member in pool {
            member.weight /= common;
        }
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests;
