//! What one rule gives one lead.

use super::decay::left_of;
use crate::model::decision::Basis;
use crate::rules::condition::{Answer, Lens};
use crate::rules::scoring::{Count, ScoreRule, WindowLimit};

/// Returns the points that `rule` gives, and for what; `None` when it gives none.
pub(super) fn given(rule: &ScoreRule, lens: &Lens<'_>) -> Option<(i32, Basis)> {
    if let Some(points) = rule.missing {
        match rule.when.answer(lens) {
            Answer::Yes => {}
            Answer::No => return None,
            Answer::Missing(field) => return some(points, Basis::Missing(field.into())),
        }
    } else if !rule.when.matches_through(lens) {
        return None;
    }
    match rule.count {
        Count::Once => some(once(rule, lens), Basis::Met),
        Count::Each { per_window, in_total } => each(rule, lens, per_window, in_total),
    }
}

fn some(points: i32, basis: Basis) -> Option<(i32, Basis)> {
    (points != 0).then_some((points, basis))
}

fn once(rule: &ScoreRule, lens: &Lens<'_>) -> i32 {
    let Some(decay) = rule.decay else { return rule.points };
    let newest_ms = rule
        .when
        .newest_touch_ms(lens)
        .unwrap_or_else(|| lens.subject().facts.last_submitted_at.timestamp_millis());
    left_of(rule.points, std::iter::once(age_ms(lens, newest_ms)), decay)
}

fn each(
    rule: &ScoreRule,
    lens: &Lens<'_>,
    per_window: Option<WindowLimit>,
    in_total: u32,
) -> Option<(i32, Basis)> {
    let mut counted: Vec<i64> = Vec::new();
    let mut within: Vec<i64> = Vec::new();
    for touch in rule.when.fitting_touches(lens) {
        if per_window.is_some_and(|limit| is_full(&counted, touch.at_ms, limit)) {
            continue;
        }
        counted.push(touch.at_ms);
        if touch.is_within {
            within.push(touch.at_ms);
        }
    }
    // The newest are worth the most, and are what somebody remembers.
    let newest = &within[within.len().saturating_sub(in_total as usize)..];
    let times = newest.len() as u32;
    let points = match rule.decay {
        None => rule.points * times as i32,
        Some(decay) => left_of(rule.points, newest.iter().map(|at_ms| age_ms(lens, *at_ms)), decay),
    };
    some(points, Basis::Repeated { times, each: rule.points })
}

/// Returns whether the span that ends with `at_ms` holds as many touches as it may; `counted` are those
/// before, oldest first.
fn is_full(counted: &[i64], at_ms: i64, limit: WindowLimit) -> bool {
    let since_ms = at_ms.saturating_sub(limit.window_ms);
    counted
        .len()
        .checked_sub(limit.times as usize)
        .is_some_and(|oldest_of_full| counted[oldest_of_full] > since_ms)
}

fn age_ms(lens: &Lens<'_>, at_ms: i64) -> i64 {
    lens.subject().as_of.timestamp_millis().saturating_sub(at_ms)
}
