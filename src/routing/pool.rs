//! Who of a pool may take a lead now, and who among them is to have it.

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use super::loads::Loads;
use super::passed::{PassedOver, Why};
use crate::model::field;
use crate::model::subject::Subject;
use crate::rules::routing::{Matching, Owner, PoolMember, Queue, Route, RoutingPolicy, Strategy};

/// What a lead asks of whoever takes it from a queue.
#[derive(Debug, Default)]
pub(super) struct Needs<'a> {
    /// Skills that whoever takes it must have.
    skills: Vec<&'a str>,
    /// Its language.
    language: Option<&'a str>,
    /// The skill that it names itself.
    skill: Option<Cow<'a, str>>,
    /// Whether it does not matter who works when: the lead is with somebody already.
    at_any_hour: bool,
    /// Owners who have had it, and do not get it back.
    pub(super) had_by: &'a [String],
}

impl<'a> Needs<'a> {
    /// Returns what every lead of `queue` asks for.
    pub(super) fn of_queue(queue: &'a Queue) -> Self {
        let skills = queue.needs_skill.iter().map(String::as_str).collect();
        Self { skills, ..Self::default() }
    }

    /// Returns what a lead asks for when `route` led it to `queue`.
    pub(super) fn of(subject: &'a Subject<'_>, queue: &'a Queue, route: Option<&'a Route>) -> Self {
        let mut needs = Self::of_queue(queue);
        let route_skills = route.into_iter().flat_map(|route| &route.needs_skill);
        needs.skills.extend(route_skills.map(String::as_str));
        let named = queue.skill_field.and_then(|number| subject.values.get(number));
        Self {
            language: subject
                .values
                .get(field::LANGUAGE)
                .filter(|_| queue.language != Matching::Ignored),
            skill: named.map(lower),
            ..needs
        }
    }

    /// Returns the same for a lead that goes back to none of `had_by`.
    pub(super) fn but_not(self, had_by: &'a [String]) -> Self {
        Self { had_by, ..self }
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.chars().any(char::is_uppercase) { text.to_lowercase().into() } else { text.into() }
}

/// A pool as one lead finds it.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    /// Who may take the lead, in the order of the pool.
    pub(super) available: Vec<&'a PoolMember>,
    /// Who may not, and why.
    pub(super) passed: Vec<PassedOver>,
}

fn pool<'a>(
    policy: &'a RoutingPolicy,
    queue: &'a Queue,
) -> impl Iterator<Item = (&'a PoolMember, &'a Owner)> {
    queue.pool.iter().filter_map(|member| Some((member, policy.owner(&member.owner)?)))
}

/// Returns who of the pool of `queue` may take a lead, whomever it would rather have.
pub(super) fn available<'a>(
    policy: &'a RoutingPolicy,
    queue: &'a Queue,
    needs: &Needs<'_>,
    loads: &Loads,
    as_of: DateTime<Utc>,
) -> impl Iterator<Item = (&'a PoolMember, &'a Owner)> {
    pool(policy, queue)
        .filter(move |(member, owner)| barred(owner, member, queue, needs, loads, as_of).is_none())
}

/// Looks at everybody in the pool of `queue`.
pub(super) fn bench<'a>(
    policy: &'a RoutingPolicy,
    queue: &'a Queue,
    needs: &Needs<'_>,
    loads: &Loads,
    as_of: DateTime<Utc>,
) -> Bench<'a> {
    let mut seated: Vec<(&PoolMember, &Owner)> = Vec::with_capacity(queue.pool.len());
    let mut passed = Vec::new();
    for (member, owner) in pool(policy, queue) {
        match barred(owner, member, queue, needs, loads, as_of) {
            Some((why, detail)) => {
                passed.push(PassedOver { owner: owner.id.clone(), why, detail });
            }
            None => seated.push((member, owner)),
        }
    }
    if let Some(language) = needs.language.filter(|_| queue.language == Matching::Preferred) {
        let fits = |owner: &Owner| owner.speaks(language);
        prefer(&mut seated, &mut passed, fits, Why::Language, language);
    }
    if let Some(skill) = needs.skill.as_deref().filter(|_| queue.skill == Matching::Preferred) {
        prefer(&mut seated, &mut passed, |owner| owner.knows(skill), Why::Skill, skill);
    }
    if queue.hours == Matching::Preferred {
        let soonest = seated.iter().map(|(_, owner)| starts_ms(owner, as_of)).min();
        let fits = |owner: &Owner| Some(starts_ms(owner, as_of)) == soonest;
        let why =
            if soonest == Some(as_of.timestamp_millis()) { Why::Closed } else { Why::StartsLater };
        prefer(&mut seated, &mut passed, fits, why, "");
    }
    Bench { available: seated.into_iter().map(|(member, _)| member).collect(), passed }
}

/// Returns whether `owner` is one of those to whom `route` and `queue` may give such leads, so that one which they
/// have may stay with them: caps and hours do not matter then, nor whom the queue would rather give it to.
pub(super) fn may_stay(
    policy: &RoutingPolicy,
    queue: &Queue,
    route: Option<&Route>,
    subject: &Subject<'_>,
    owner: &str,
) -> bool {
    let needs = Needs { at_any_hour: true, ..Needs::of(subject, queue, route) };
    available(policy, queue, &needs, &Loads::default(), subject.as_of)
        .any(|(member, _)| member.owner == owner)
}

/// Returns why `owner` takes no such lead, the lasting reasons first.
fn barred(
    owner: &Owner,
    member: &PoolMember,
    queue: &Queue,
    needs: &Needs<'_>,
    loads: &Loads,
    as_of: DateTime<Utc>,
) -> Option<(Why, String)> {
    if !owner.active {
        return Some((Why::Inactive, String::new()));
    }
    if needs.had_by.contains(&owner.id) {
        return Some((Why::HadIt, String::new()));
    }
    let named = needs.skill.as_deref().filter(|_| queue.skill == Matching::Required);
    let missing = needs.skills.iter().copied().chain(named).find(|skill| !owner.knows(skill));
    if let Some(skill) = missing {
        return Some((Why::Skill, skill.to_owned()));
    }
    let language = needs.language.filter(|_| queue.language == Matching::Required);
    if let Some(language) = language.filter(|language| !owner.speaks(language)) {
        return Some((Why::Language, language.to_owned()));
    }
    if let Some(last) = owner.absent_until(as_of) {
        return Some((Why::Away, last.to_string()));
    }
    let must_work = queue.hours == Matching::Required && !needs.at_any_hour;
    if must_work && !owner.hours.is_open(as_of) {
        return Some((Why::Closed, String::new()));
    }
    let full = loads.caps(owner, &queue.id, member).find(|(cap, came)| *came >= cap.leads);
    full.map(|(cap, _)| (Why::Full, format!("{} {}", cap.leads, cap.window.words())))
}

/// Keeps those who fit, when there are any.
fn prefer(
    seated: &mut Vec<(&PoolMember, &Owner)>,
    passed: &mut Vec<PassedOver>,
    fits: impl Fn(&Owner) -> bool,
    why: Why,
    detail: &str,
) {
    if !seated.iter().any(|(_, owner)| fits(owner)) {
        return;
    }
    seated.retain(|(_, owner)| {
        let stays = fits(owner);
        if !stays {
            let detail = detail.to_owned();
            passed.push(PassedOver { owner: owner.id.clone(), why, detail });
        }
        stays
    });
}

/// When `owner` works next: now, when they do.
fn starts_ms(owner: &Owner, as_of: DateTime<Utc>) -> i64 {
    let at = owner.hours.next_open(as_of);
    // Hours that never open again answer with the question.
    if at == as_of && !owner.hours.is_open(as_of) { i64::MAX } else { at.timestamp_millis() }
}

/// Returns those of `available` among whom the turn decides: by load or capacity the first, else everybody.
pub(super) fn leading<'a>(
    policy: &RoutingPolicy,
    queue: &Queue,
    available: &[&'a PoolMember],
    loads: &Loads,
) -> Vec<&'a PoolMember> {
    let rank: &dyn Fn(&PoolMember, &PoolMember) -> Ordering = match queue.strategy {
        Strategy::Rotation | Strategy::Weighted => return available.to_vec(),
        Strategy::LeastLoaded(period) => &move |a, b| {
            let (a_leads, b_leads) = (loads.leads(&a.owner, period), loads.leads(&b.owner, period));
            (a_leads * b.weight).cmp(&(b_leads * a.weight))
        },
        Strategy::CapacityLeft => &|a, b| {
            let left = |member: &PoolMember| {
                let owner = policy.owner(&member.owner);
                let cap = owner.and_then(|owner| loads.tightest(owner, &queue.id, member));
                cap.map_or((0, 1), |(cap, left)| (left, cap.leads))
            };
            let ((a_left, a_limit), (b_left, b_limit)) = (left(a), left(b));
            (b_left * a_limit).cmp(&(a_left * b_limit))
        },
    };
    let Some(first) = available
        .iter()
        .copied()
        .reduce(|best, one| if rank(one, best) == Ordering::Less { one } else { best })
    else {
        return Vec::new();
    };
    available.iter().copied().filter(|one| rank(one, first) == Ordering::Equal).collect()
}

#[cfg(test)]
mod tests;
