//! Who has a lead that is decided about anew, though nobody has come back.

use super::{Choice, Rotation, assign};
use crate::model::decision::Assignment;
use crate::model::subject::Subject;
use crate::rules::routing::RoutingPolicy;

/// Returns who has the lead now, of which `last` says who had it and why.
///
/// It moves only where it must. Owners who keep returning leads keep it (see [`assign`]). When they do not,
/// or with `reroutes`, whoever has it keeps it as long as the route that takes it now leads to the queue
/// that it is in, and they may have it there: another round of turns would only shuffle people's leads.
/// Where it stays with somebody, the reason stays the one for which they got it.
pub fn assign_again(
    choice: &Choice,
    subject: &Subject<'_>,
    policy: &RoutingPolicy,
    last: &Assignment,
    crm_owner: Option<&str>,
    reroutes: bool,
    rotation: &mut Rotation,
) -> Assignment {
    let keeps = policy.returning.keep_owner && !reroutes;
    if !keeps && is_well_placed(choice, subject, policy, last) {
        return last.clone();
    }
    let owner = last.owner.as_deref().filter(|_| keeps);
    let assignment = assign(choice, subject, policy, owner, crm_owner, rotation);
    let stays = assignment.owner.is_some()
        && (&assignment.owner, &assignment.queue) == (&last.owner, &last.queue);
    if stays { last.clone() } else { assignment }
}

/// Whether the route would put the lead where it is, and its owner is one of those who get such leads.
fn is_well_placed(
    choice: &Choice,
    subject: &Subject<'_>,
    policy: &RoutingPolicy,
    last: &Assignment,
) -> bool {
    let Some(owner) = last.owner.as_deref() else { return false };
    let route = choice.route.map(|position| &policy.routes[position]);
    let queue = route.map_or(&policy.triage, |route| &route.queue);
    if *queue != last.queue {
        return false;
    }
    let is_present =
        |id: &str| policy.owner(id).is_some_and(|one| one.away(subject.as_of).is_none());
    if let Some(named) = route.and_then(|route| route.owner.as_deref()).filter(|id| is_present(id))
    {
        return named == owner;
    }
    policy
        .queue(queue)
        .is_some_and(|queue| policy.available(queue, subject).iter().any(|one| one.owner == owner))
}
