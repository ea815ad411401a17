//! Checks across owners, queues and routes: names that lead nowhere, routes that never match.

use std::collections::BTreeMap;

use super::{
    Escalation, Owner, Queue, RESERVED_ROUTES, Reassign, Route, RoutingPolicy, Strategy, reassign,
};
use crate::rules::decode::{Sink, Table};
use crate::rules::diagnostics::{Place, did_you_mean};

/// Reports every mistake; a route that names only an owner gets that owner's queue.
pub(super) fn report(policy: &mut RoutingPolicy, root: &Table<'_>) {
    let sink = root.sink();
    duplicates(sink, "owner", policy.owners.iter().map(|owner| (&*owner.id, &owner.place)));
    duplicates(sink, "queue", policy.queues.iter().map(|queue| (&*queue.id, &queue.place)));
    duplicates(sink, "route", policy.routes.iter().map(|route| (&*route.id, &route.place)));
    duplicates(sink, "rule", policy.reassign.iter().map(|rule| (&*rule.id, &rule.place)));
    one_name(policy, sink);
    pools(policy, sink);
    triage(policy, root);
    complete_routes(policy, sink);
    unreachable(policy, sink);
    strategies(policy, sink);
    skills(policy, sink);
    reassign::report(policy, sink);
    idle_queues(policy, sink);
    idle_owners(policy, sink);
}

fn duplicates<'a>(sink: &Sink, kind: &str, found: impl Iterator<Item = (&'a str, &'a Place)>) {
    let mut seen: BTreeMap<&str, &Place> = BTreeMap::new();
    for (id, place) in found.filter(|(id, _)| !id.is_empty()) {
        match seen.get(id) {
            Some(first) => sink.error(
                place,
                format!("{kind} `{id}` exists already (line {})", first.line()),
                Some("give each an id of its own".to_owned()),
            ),
            None => {
                seen.insert(id, place);
            }
        }
    }
}

/// Reports owners whom a CRM may mean by what another is called.
fn one_name(policy: &RoutingPolicy, sink: &Sink) {
    for (position, owner) in policy.owners.iter().enumerate() {
        let is_other = |earlier: &&Owner| {
            let is_shared = |name: &String| earlier.crm_names.contains(name);
            earlier.id != owner.id && owner.crm_names.iter().any(is_shared)
        };
        if let Some(earlier) = policy.owners[..position].iter().find(is_other) {
            let message = format!(
                "owner `{}` can be called as owner `{}` is: a CRM may mean either",
                owner.id, earlier.id
            );
            let hint = "give each an e-mail address, a name and `crm-names` of their own";
            sink.warning(&owner.place, message, Some(hint.to_owned()));
        }
    }
}

pub(super) fn unknown<'a>(
    sink: &Sink,
    place: &Place,
    kind: &str,
    word: &str,
    known: impl Iterator<Item = &'a str>,
) {
    let hint = did_you_mean(word, known).map_or_else(
        || format!("add a [[{kind}]] with id = \"{word}\""),
        |near| format!("did you mean `{near}`?"),
    );
    sink.error(place, format!("there is no {kind} `{word}`"), Some(hint));
}

fn pools(policy: &RoutingPolicy, sink: &Sink) {
    for queue in &policy.queues {
        let mut serving = 0;
        for (position, member) in queue.pool.iter().enumerate() {
            if queue.pool[..position].iter().any(|earlier| earlier.owner == member.owner) {
                sink.error(
                    &member.place,
                    format!(
                        "owner `{}` is twice in the pool of queue `{}`",
                        member.owner, queue.id
                    ),
                    Some("add up the weights".to_owned()),
                );
            }
            match policy.owner(&member.owner) {
                None if member.owner.is_empty() => {}
                None => {
                    let known = policy.owners.iter().map(|owner| owner.id.as_str());
                    unknown(sink, &member.place, "owner", &member.owner, known);
                }
                Some(owner) if !owner.active => sink.warning(
                    &member.place,
                    format!(
                        "owner `{}` in the pool of queue `{}` is not active",
                        owner.id, queue.id
                    ),
                    Some("their turns go to the others; take them out of the pool".to_owned()),
                ),
                Some(_) => serving += 1,
            }
        }
        nobody_serves(policy, queue, serving, sink);
    }
}

fn nobody_serves(policy: &RoutingPolicy, queue: &Queue, serving: usize, sink: &Sink) {
    let named = policy.routes.iter().any(|route| route.queue == queue.id && route.owner.is_some());
    if serving == 0 && !queue.unattended && queue.id != policy.triage && !named {
        sink.warning(
            &queue.place,
            format!("nobody serves queue `{}`: its leads get no owner", queue.id),
            Some("add a `pool`, or write `unattended = true` if that is meant".to_owned()),
        );
    }
}

/// Reports weights that do nothing, and capacity that nobody can have left.
fn strategies(policy: &RoutingPolicy, sink: &Sink) {
    for queue in &policy.queues {
        let word = queue.strategy.word();
        for member in &queue.pool {
            if let Some(place) = member.weight_place.as_ref().filter(|_| !queue.strategy.weighs()) {
                sink.error(
                    place,
                    format!("queue `{}` goes by `{word}`, where weights do nothing", queue.id),
                    Some("take the weight out, or write `strategy = \"weighted\"`".to_owned()),
                );
            }
            let has_cap = |owner: &Owner| !owner.caps.is_empty() || !member.caps.is_empty();
            if queue.strategy == Strategy::CapacityLeft
                && policy.owner(&member.owner).is_some_and(|owner| !has_cap(owner))
            {
                sink.error(
                    &member.place,
                    format!(
                        "queue `{}` goes by `{word}`, but owner `{}` has no cap",
                        queue.id, member.owner
                    ),
                    Some(
                        "add `cap = [{ leads = 20, per = \"day\" }]` to the owner or here"
                            .to_owned(),
                    ),
                );
            }
        }
    }
}

/// Reports skills that a queue or route needs and nobody of the pool has.
fn skills(policy: &RoutingPolicy, sink: &Sink) {
    let known = || policy.owners.iter().flat_map(|owner| &owner.skills).map(String::as_str);
    let report = |queue: &Queue, needed: &[&str], place: &Place| {
        let has_all = |owner: &Owner| needed.iter().all(|skill| owner.knows(skill));
        let pool = || queue.pool.iter().filter_map(|member| policy.owner(&member.owner));
        if needed.is_empty() || queue.pool.is_empty() || pool().any(has_all) {
            return;
        }
        let missing = needed.iter().find(|skill| !pool().any(|owner| owner.knows(skill)));
        let (what, hint) = match missing {
            Some(skill) => (
                format!("has skill `{skill}`"),
                did_you_mean(skill, known()).filter(|near| near != skill).map_or_else(
                    || format!("add it to an owner of the pool: skills = [\"{skill}\"]"),
                    |near| format!("did you mean `{near}`?"),
                ),
            ),
            None => {
                let each: Vec<String> = needed.iter().map(|skill| format!("`{skill}`")).collect();
                (
                    format!("has all of {}", each.join(" and ")),
                    "let one owner have them all".to_owned(),
                )
            }
        };
        let message =
            format!("nobody in the pool of queue `{}` {what}: its leads get no owner", queue.id);
        sink.warning(place, message, Some(hint));
    };
    for queue in &policy.queues {
        let needed: Vec<&str> = queue.needs_skill.iter().map(String::as_str).collect();
        report(queue, &needed, &queue.skill_place);
    }
    for route in policy.routes.iter().filter(|route| !route.needs_skill.is_empty()) {
        if let Some(queue) = policy.queue(&route.queue) {
            let all = route.needs_skill.iter().chain(&queue.needs_skill);
            report(queue, &all.map(String::as_str).collect::<Vec<_>>(), &route.skill_place);
        }
    }
}

fn triage(policy: &RoutingPolicy, root: &Table<'_>) {
    if policy.queue(&policy.triage).is_none() {
        root.sink().error(
            &root.place_of("triage"),
            format!("there is no queue `{}` for leads that no route takes", policy.triage),
            Some(format!("add a [[queue]] with id = \"{}\"", policy.triage)),
        );
    }
}

fn complete_routes(policy: &mut RoutingPolicy, sink: &Sink) {
    let mut routes = std::mem::take(&mut policy.routes);
    for route in &mut routes {
        if RESERVED_ROUTES.contains(&route.id.as_str()) {
            sink.error(
                &route.place,
                format!("a route cannot be called `{}`", route.id),
                Some("decisions use that name for themselves".to_owned()),
            );
        }
        if let Some(owner) = &route.owner
            && policy.owner(owner).is_none()
        {
            let known = policy.owners.iter().map(|owner| owner.id.as_str());
            unknown(sink, &route.owner_place, "owner", owner, known);
        } else if route.queue.is_empty() {
            infer_queue(policy, route, sink);
        }
        if !route.queue.is_empty() && policy.queue(&route.queue).is_none() {
            let known = policy.queues.iter().map(|queue| queue.id.as_str());
            unknown(sink, &route.queue_place, "queue", &route.queue, known);
        }
    }
    policy.routes = routes;
}

fn infer_queue(policy: &RoutingPolicy, route: &mut Route, sink: &Sink) {
    let Some(owner) = &route.owner else {
        sink.error(
            &route.place,
            format!("route `{}` leads nowhere", route.id),
            Some("add `queue`, or `owner` for one person".to_owned()),
        );
        return;
    };
    match policy.queue_of(owner) {
        Some(queue) => route.queue.clone_from(&queue.id),
        None => sink.error(
            &route.place,
            format!("route `{}` names owner `{owner}`, who serves no queue", route.id),
            Some("add `queue`: every lead waits in one".to_owned()),
        ),
    }
}

fn unreachable(policy: &RoutingPolicy, sink: &Sink) {
    for (position, route) in policy.routes.iter().enumerate() {
        // Those that let leads pass which nobody takes shadow nothing.
        let mut above = policy.routes[..position].iter().filter(|one| !policy.lets_pass(one));
        if let Some(all) = above.clone().find(|earlier| earlier.when.is_always()) {
            sink.error(
                &route.place,
                format!(
                    "route `{}` can never match: the catch-all route `{}` (line {}) is above it",
                    route.id,
                    all.id,
                    all.place.line()
                ),
                Some(format!("move `{}` to the end of the file", all.id)),
            );
        } else if let Some(wider) = above.find(|earlier| route.when.implies_same(&earlier.when)) {
            sink.error(
                &route.place,
                format!(
                    "route `{}` can never match: route `{}` (line {}) above it takes all its leads",
                    route.id,
                    wider.id,
                    wider.place.line()
                ),
                Some(format!("move `{}` above `{}` or remove it", route.id, wider.id)),
            );
        }
    }
}

fn idle_queues(policy: &RoutingPolicy, sink: &Sink) {
    for queue in &policy.queues {
        let is_escalated_to =
            |rule: &Reassign| rule.escalation == Escalation::Queue(queue.id.clone());
        let used = policy.routes.iter().any(|route| route.queue == queue.id)
            || policy.reassign.iter().any(is_escalated_to);
        if !used && queue.id != policy.triage {
            sink.warning(
                &queue.place,
                format!("no route leads to queue `{}`", queue.id),
                Some("add a route or remove the queue".to_owned()),
            );
        }
    }
}

fn idle_owners(policy: &RoutingPolicy, sink: &Sink) {
    let mut members = policy.queues.iter().flat_map(|queue| &queue.pool);
    if members.any(|member| policy.owner(&member.owner).is_none()) {
        // Reported already; a misspelt owner must not be reported a second time as one without work.
        return;
    }
    for owner in policy.owners.iter().filter(|owner| owner.active && !owner.id.is_empty()) {
        let named =
            policy.routes.iter().any(|route| route.owner.as_deref() == Some(owner.id.as_str()));
        if !named && policy.queue_of(&owner.id).is_none() {
            sink.warning(
                &owner.place,
                format!("owner `{}` serves no queue and gets no new leads", owner.id),
                Some("add them to a pool, or write `active = false`".to_owned()),
            );
        }
    }
}
