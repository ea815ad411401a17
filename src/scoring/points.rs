//! What one rule gives one lead.

use super::decay::{left_of, next_step_ms};
use crate::model::decision::Basis;
use crate::rules::condition::{Answer, FittingTouch, Lens, Supposition};
use crate::rules::scoring::{Count, ScoreRule, WindowLimit};

/// Returns the points that `rule` gives, and for what; `None` when it gives none.
pub(super) fn given(rule: &ScoreRule, lens: &Lens<'_>) -> Option<(i32, Basis)> {
    match answer(rule, lens) {
        Answer::Yes => match rule.count {
            Count::Once => some(once(rule, lens), Basis::Met),
            Count::Each { per_window, in_total } => each(rule, lens, per_window, in_total, 0),
        },
        Answer::No => None,
        Answer::Missing(field) => some(rule.missing?, Basis::Missing(field.into())),
    }
}

/// Returns what `rule` would give if `supposed` came true now, as [`given`] does.
///
/// The points of a rule that is met only then are whole; those of one that is met already are as faded as they are,
/// unless a touch that it counts is supposed.
pub(super) fn supposed(
    rule: &ScoreRule,
    lens: &Lens<'_>,
    supposed: &Supposition<'_>,
) -> Option<(i32, Basis)> {
    let then = match rule.missing {
        Some(_) => supposed.answer(&rule.when, lens),
        None => supposed.meets(&rule.when, lens).into(),
    };
    match then {
        Answer::Yes => {
            let touches = supposed.touches_for(&rule.when, lens);
            match rule.count {
                Count::Once if touches == 0 && answer(rule, lens) == Answer::Yes => {
                    some(once(rule, lens), Basis::Met)
                }
                Count::Once => some(rule.points, Basis::Met),
                Count::Each { per_window, in_total } => {
                    each(rule, lens, per_window, in_total, touches)
                }
            }
        }
        Answer::No => None,
        Answer::Missing(field) => some(rule.missing?, Basis::Missing(field.into())),
    }
}

/// Returns whether `rule` is met; a value is missing only where the rule says what that costs.
fn answer<'r>(rule: &'r ScoreRule, lens: &Lens<'_>) -> Answer<'r> {
    match rule.missing {
        Some(_) => rule.when.answer(lens),
        None => rule.when.matches_through(lens).into(),
    }
}

fn some(points: i32, basis: Basis) -> Option<(i32, Basis)> {
    (points != 0).then_some((points, basis))
}

fn once(rule: &ScoreRule, lens: &Lens<'_>) -> i32 {
    let Some(decay) = rule.decay else { return rule.points };
    left_of(rule.points, std::iter::once(age_ms(lens, faded_since_ms(rule, lens))), decay)
}

/// Returns from when the points of a rule that gives them once fade.
fn faded_since_ms(rule: &ScoreRule, lens: &Lens<'_>) -> i64 {
    rule.when
        .newest_touch_ms(lens)
        .unwrap_or_else(|| lens.subject().facts.last_submitted_at.timestamp_millis())
}

fn each(
    rule: &ScoreRule,
    lens: &Lens<'_>,
    per_window: Option<WindowLimit>,
    in_total: u32,
    more: usize,
) -> Option<(i32, Basis)> {
    let newest = counted(rule, lens, per_window, in_total, more);
    let times = newest.len() as u32;
    let points = match rule.decay {
        None => rule.points * times as i32,
        Some(decay) => left_of(rule.points, newest.iter().map(|at_ms| age_ms(lens, *at_ms)), decay),
    };
    some(points, Basis::Repeated { times, each: rule.points })
}

/// Returns when the touches happened for which `rule` gives points, oldest first, if `more` happened right now.
fn counted(
    rule: &ScoreRule,
    lens: &Lens<'_>,
    per_window: Option<WindowLimit>,
    in_total: u32,
    more: usize,
) -> Vec<i64> {
    let now = FittingTouch { at_ms: lens.subject().as_of.timestamp_millis(), is_within: true };

    let mut counted: Vec<i64> = Vec::new();
    let mut within: Vec<i64> = Vec::new();
    for touch in rule.when.fitting_touches(lens).into_iter().chain(std::iter::repeat_n(now, more)) {
        if per_window.is_some_and(|limit| is_full(&counted, touch.at_ms, limit)) {
            continue;
        }
        counted.push(touch.at_ms);
        if touch.is_within {
            within.push(touch.at_ms);
        }
    }
    // The newest are worth the most, and are what somebody remembers.
    within.split_off(within.len().saturating_sub(in_total as usize))
}

/// Returns the first instant after as-of, in milliseconds since 1970 UTC, at which [`given`] may come to something
/// else though nothing new comes in.
pub(super) fn next_change_ms(rule: &ScoreRule, lens: &Lens<'_>) -> Option<i64> {
    let of_answer = rule.when.next_change_ms(lens);
    if rule.count == Count::Once && rule.decay.is_none() {
        return of_answer;
    }
    if answer(rule, lens) != Answer::Yes {
        return of_answer;
    }
    let given_ms = match rule.count {
        Count::Once => vec![faded_since_ms(rule, lens)],
        Count::Each { per_window, in_total } => counted(rule, lens, per_window, in_total, 0),
    };
    let as_of_ms = lens.subject().as_of.timestamp_millis();
    let of_fading =
        rule.decay.and_then(|decay| next_step_ms(rule.points, &given_ms, as_of_ms, decay));
    let of_touches = rule.when.next_change_of_touches_ms(lens);
    [of_answer, of_touches, of_fading].into_iter().flatten().min()
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
