//! Who has a lead that is decided about anew, though nobody has come back.

use super::pool::may_stay;
use super::{Claims, Desk, assign, next_route, take_over};
use crate::model::decision::Assignment;
use crate::model::subject::Subject;
use crate::rules::routing::{ESCALATED, REASSIGNED, Route, RoutingPolicy};

/// Returns who has the lead now, of which `last` says who had it and why.
///
/// It moves only where it must: where its owner's time is up, to whoever takes it over. Else owners who keep returning
/// leads keep it (see [`assign`]). When they do not, or with `reroutes`, whoever has it keeps it as long as the route
/// that takes it now leads to the queue that it is in, and they may have it there: another round of turns would only
/// shuffle people's leads. Where it stays with somebody, the reason stays the one for which they got it.
pub fn assign_again(
    chosen: Option<usize>,
    subject: &Subject<'_>,
    policy: &RoutingPolicy,
    last: &Assignment,
    claims: Claims<'_>,
    reroutes: bool,
    desk: &mut Desk,
) -> Assignment {
    if let Some(assignment) = take_over(chosen, subject, policy, claims, desk) {
        return assignment;
    }
    let may_keep = !reroutes;
    if !(policy.returning.keep_owner && may_keep) && is_well_placed(chosen, subject, policy, last) {
        return last.clone();
    }
    let claims = Claims { overdue: None, may_keep, ..claims };
    let assignment = assign(chosen, subject, policy, claims, desk);
    let stays = assignment.owner.is_some()
        && (&assignment.owner, &assignment.queue) == (&last.owner, &last.queue);
    if stays { last.clone() } else { assignment }
}

/// Whether the routes would put the lead where it is, and its owner is one of those who get such leads.
///
/// Where a route lets leads pass that nobody takes, being in the queue of a later one is as good.
fn is_well_placed(
    chosen: Option<usize>,
    subject: &Subject<'_>,
    policy: &RoutingPolicy,
    last: &Assignment,
) -> bool {
    let Some(owner) = last.owner.as_deref() else { return false };
    let mut at = chosen;
    while let Some(position) = at {
        let route = &policy.routes[position];
        if route.queue == last.queue {
            return is_taker(Some(route), subject, policy, last, owner);
        }
        if !policy.lets_pass(route) {
            return false;
        }
        at = next_route(position + 1, subject, policy);
    }
    policy.triage == last.queue && is_taker(None, subject, policy, last, owner)
}

fn is_taker(
    route: Option<&Route>,
    subject: &Subject<'_>,
    policy: &RoutingPolicy,
    last: &Assignment,
    owner: &str,
) -> bool {
    let is_present =
        |id: &str| policy.owner(id).is_some_and(|one| one.away(subject.as_of).is_none());
    // Whom a route would rather have left it lying.
    if [REASSIGNED, ESCALATED].contains(&last.route.as_str()) {
        return is_present(owner);
    }
    let named = route.and_then(|route| route.owner.as_deref());
    if let Some(named) = named.filter(|id| is_present(id)) {
        return named == owner;
    }
    policy.queue(&last.queue).is_some_and(|queue| may_stay(policy, queue, route, subject, owner))
}
