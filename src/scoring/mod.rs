//! Scoring: how many points a lead has, and which rule gave each of them.
//!
//! This room owns the sum. It must not know how rules are written, where leads are kept, nor what a
//! score leads to. Start at [`score`]; what one rule gives is in `points`, how points fade in `decay`, what
//! would make it more in `missing`.

pub mod calibration;
mod decay;
mod expectation;
pub mod lift;
mod missing;
mod points;

use crate::model::decision::{Basis, Contribution, Group, ModelScores, Score};
use crate::model::subject::Subject;
use crate::rules::condition::Lens;
use crate::rules::scoring::{CAP_RULE, Scale, ScoringPolicy};

pub use self::expectation::mismatches;
pub use self::missing::{Given, Missing, OutOfReach, Way, missing};

/// Returns the lead's points at `subject.as_of`, rule by rule.
///
/// Where there are models, the score is that of the first whose condition the lead meets; the totals of
/// all go with it. Points a group has beyond its cap are taken away by a contribution of that group whose
/// rule is [`CAP_RULE`]; so are those beyond the total's ends, from the group that has most of them.
///
/// What the lead does not have gives nothing: a rule has to say what a missing value costs, or ask for its
/// absence.
///
/// # Panics
/// If the contributions do not sum to the total: every point is explained, or none is given.
pub fn score(subject: &Subject<'_>, policy: &ScoringPolicy) -> Score {
    let lens = Lens::new(subject);
    let mut given: Vec<Contribution> = Vec::new();
    for (position, rule) in policy.rules.iter().enumerate() {
        if let Some((points, basis)) = points::given(rule, &lens) {
            given.push(Contribution { rule: position as u16, group: rule.group, points, basis });
        }
    }
    let primary = policy.models.iter().position(|model| model.when.matches_through(&lens));
    decide(given, primary.unwrap_or(0), policy)
}

/// Returns the score of a lead to whom the rules gave `given`; where there are models, that at `primary` decides.
fn decide(given: Vec<Contribution>, primary: usize, policy: &ScoringPolicy) -> Score {
    if policy.models.is_empty() {
        return sum_up(given, &policy.scale, policy);
    }
    let mut decided = None;
    let mut totals = Vec::with_capacity(policy.models.len());
    for (position, model) in policy.models.iter().enumerate() {
        let of_model = |one: &&Contribution| policy.rules[one.rule as usize].is_of(position);
        let own = given.iter().filter(of_model).cloned().collect();
        let score = sum_up(own, &model.scale, policy);
        totals.push((model.id.clone(), score.total));
        if position == primary {
            decided = Some(score);
        }
    }
    let mut score = decided.unwrap_or_else(|| unreachable!("there is a model"));
    score.models = ModelScores { totals, primary };
    score
}

/// Returns the first instant after `subject.as_of`, in milliseconds since 1970 UTC, at which the score may be another
/// though nothing new comes in; `None` when it stays as it is for ever.
///
/// Never later than it is another, and the same whenever it is asked for before: points step down where they are
/// rounded, touches leave windows, days are full. It may be early: what a cap takes anyway counts, too.
pub fn next_change_ms(subject: &Subject<'_>, policy: &ScoringPolicy) -> Option<i64> {
    let lens = Lens::new(subject);
    let of_rules = policy.rules.iter().filter_map(|rule| points::next_change_ms(rule, &lens));
    let of_models = policy.models.iter().filter_map(|model| model.when.next_change_ms(&lens));
    of_rules.chain(of_models).min()
}

/// Returns the sum of what the rules gave, cut to `scale`.
fn sum_up(mut contributions: Vec<Contribution>, scale: &Scale, policy: &ScoringPolicy) -> Score {
    let mut groups = [0_i32; 4];
    for given in &contributions {
        groups[given.group as usize] += given.points;
    }
    let mut take = |groups: &mut [i32; 4], group: Group, points: i32, basis: Basis| {
        groups[group as usize] += points;
        contributions.push(Contribution { rule: CAP_RULE, group, points, basis });
    };
    for (_, group) in Group::ALL {
        let sum = groups[*group as usize];
        if let Some(cap) = scale.group_caps[*group as usize].filter(|cap| *cap < sum) {
            take(&mut groups, *group, cap - sum, Basis::GroupLimit(cap));
        }
    }
    // What the limit of the total takes from a group says nothing about how well somebody fits.
    let grade = policy.matrix.as_ref().map(|matrix| matrix.grade(&groups));
    let sum: i32 = groups.iter().sum();
    let total = sum.clamp(scale.total.0, scale.total.1);
    let mut missing = total - sum;
    while missing != 0 {
        let (group, points) = furthest(&groups, missing);
        take(&mut groups, group, points, Basis::TotalLimit(total));
        missing -= points;
    }
    let explained: i32 = contributions.iter().map(|contribution| contribution.points).sum();
    assert_eq!(explained, total, "a score's contributions sum to its total");
    assert_eq!(groups.iter().sum::<i32>(), total, "a score's groups sum to its total");
    let segment = match (&policy.matrix, grade) {
        (Some(matrix), Some(grade)) => matrix.cell(grade).segment,
        _ => scale.segment_of(total),
    };
    Score { total, groups, contributions, segment, grade, models: ModelScores::default() }
}

/// Returns the group that is furthest off in the direction opposite to `missing` (the first of
/// equals), and what brings it nearer: at most `missing`, and not across 0.
///
/// There is one: the total's ends enclose 0, so somebody has points of that sign while any are missing.
fn furthest(groups: &[i32; 4], missing: i32) -> (Group, i32) {
    let sign = missing.signum();
    let (group, off) = Group::ALL
        .iter()
        .map(|(_, group)| (*group, -groups[*group as usize] * sign))
        .rev()
        .max_by_key(|(_, off)| *off)
        .unwrap_or((Group::Fit, 0));
    assert!(off > 0, "only a group with points can be brought nearer to 0");
    (group, missing.abs().min(off) * sign)
}

#[cfg(test)]
mod tests;
