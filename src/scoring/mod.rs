//! Scoring: how many points a lead has, and which rule gave each of them.
//!
//! This room owns the sum. It must not know how rules are written, where leads are kept, nor what a
//! score leads to. Start at [`score`].

mod expectation;

use crate::model::decision::{Contribution, Group, Score, Segment};
use crate::model::subject::Subject;
use crate::rules::scoring::{CAP_RULE, ScoreRule, ScoringPolicy};

pub use self::expectation::mismatches;

/// Returns the lead's points at `subject.as_of`, rule by rule.
///
/// Points a group has beyond its cap are taken away by a contribution of that group whose rule is
/// [`CAP_RULE`]; so are those beyond the total's ends, from the group that has most of them on. What the lead does not have gives nothing: a rule has to ask for
/// an absent value (`exists = false`) to take points for it.
///
/// # Panics
/// If the contributions do not sum to the total: every point is explained, or none is given.
pub fn score(subject: &Subject<'_>, policy: &ScoringPolicy) -> Score {
    let mut contributions = Vec::new();
    let mut groups = [0_i32; 4];
    for (position, rule) in policy.rules.iter().enumerate() {
        if !rule.when.matches(subject) {
            continue;
        }
        let points = points_now(rule, subject);
        if points != 0 {
            contributions.push(Contribution { rule: position as u16, group: rule.group, points });
            groups[rule.group as usize] += points;
        }
    }
    let mut take = |groups: &mut [i32; 4], group: Group, points: i32| {
        groups[group as usize] += points;
        contributions.push(Contribution { rule: CAP_RULE, group, points });
    };
    for (_, group) in Group::ALL {
        let sum = groups[*group as usize];
        if let Some(cap) = policy.group_caps[*group as usize].filter(|cap| *cap < sum) {
            take(&mut groups, *group, cap - sum);
        }
    }
    let sum: i32 = groups.iter().sum();
    let total = sum.clamp(policy.total.0, policy.total.1);
    let mut missing = total - sum;
    while missing != 0 {
        let (group, points) = furthest(&groups, missing);
        take(&mut groups, group, points);
        missing -= points;
    }
    let explained: i32 = contributions.iter().map(|contribution| contribution.points).sum();
    assert_eq!(explained, total, "a score's contributions sum to its total");
    assert_eq!(groups.iter().sum::<i32>(), total, "a score's groups sum to its total");
    Score { total, groups, contributions, segment: policy.segment_of(total) }
}

/// Returns why `contribution` was given, or which cap took the points.
pub fn because<'a>(contribution: &Contribution, policy: &'a ScoringPolicy) -> &'a str {
    policy.because(contribution)
}

/// Returns how many points are missing to the next segment, and which one that is; `None` when hot.
pub fn missing_to_next(score: &Score, policy: &ScoringPolicy) -> Option<(Segment, i32)> {
    match score.segment {
        Segment::Cold => Some((Segment::Warm, policy.warm_from - score.total)),
        Segment::Warm => Some((Segment::Hot, policy.hot_from - score.total)),
        Segment::Hot => None,
    }
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

fn points_now(rule: &ScoreRule, subject: &Subject<'_>) -> i32 {
    let Some(half_life_seconds) = rule.half_life_seconds else { return rule.points };
    let newest_ms = rule
        .when
        .newest_touch_ms(subject)
        .unwrap_or_else(|| subject.facts.last_submitted_at.timestamp_millis());
    let age_ms = subject.as_of.timestamp_millis().saturating_sub(newest_ms).max(0);
    decayed(rule.points, age_ms, half_life_seconds.saturating_mul(1_000))
}

/// Returns what is left of `points` after `age_ms`: half after each half-life, on a straight line
/// between two halvings, rounded to the nearest whole point and halves away from 0.
///
/// Whole numbers throughout: the same points on every machine.
fn decayed(points: i32, age_ms: i64, half_life_ms: i64) -> i32 {
    let halvings = age_ms / half_life_ms;
    if halvings >= 31 {
        return 0;
    }
    let into = i128::from(age_ms % half_life_ms);
    let line = i128::from(half_life_ms) * 2;
    let left = i128::from(points) * (line - into);
    let divisor = line << halvings;
    let rounded = (left.abs() * 2 + divisor) / (divisor * 2);
    (if left < 0 { -rounded } else { rounded }) as i32
}

#[cfg(test)]
mod tests;
