//! How points fade: whole numbers throughout, so that every machine comes to the same.

use crate::rules::scoring::Decay;

/// What is left of points is counted in parts of this size until it is rounded.
const PARTS: i128 = 1 << 20;
/// Halvings after which nothing is left of the most that a rule may give.
const HALVINGS_MAX: i64 = 31;

/// Returns what is left of `points` for each age in `ages_ms`, summed up and then rounded to the nearest
/// whole number, halves away from 0.
///
/// It never grows with an age and never changes its sign.
pub(super) fn left_of(points: i32, ages_ms: impl Iterator<Item = i64>, decay: Decay) -> i32 {
    let parts: i128 = ages_ms.map(|age_ms| parts_left(points.abs(), age_ms.max(0), decay)).sum();
    let rounded = ((parts * 2 + PARTS) / (PARTS * 2)) as i32;
    rounded * points.signum()
}

/// Returns the first instant after `as_of_ms` at which [`left_of`] comes to less for what was given at
/// `given_ms`, all in milliseconds since 1970 UTC; `None` when nothing is left.
pub(super) fn next_step_ms(
    points: i32,
    given_ms: &[i64],
    as_of_ms: i64,
    decay: Decay,
) -> Option<i64> {
    let left = |at_ms: i64| {
        left_of(points, given_ms.iter().map(|given_ms| at_ms.saturating_sub(*given_ms)), decay)
    };
    let now = left(as_of_ms);
    let life_ms = match decay {
        Decay::ToZero(span_ms) => span_ms,
        Decay::HalfLife(span_ms) => span_ms.checked_mul(HALVINGS_MAX)?,
    };
    let newest_ms = given_ms.iter().copied().max().filter(|_| now != 0)?;
    // What is left never grows, so the step lies where the halves of the span disagree.
    let (mut same, mut less) = (as_of_ms, newest_ms.max(as_of_ms).checked_add(life_ms)?);
    while less - same > 1 {
        let middle = same + (less - same) / 2;
        if left(middle) == now {
            same = middle;
        } else {
            less = middle;
        }
    }
    Some(less)
}

fn parts_left(points: i32, age_ms: i64, decay: Decay) -> i128 {
    let parts = i128::from(points) * PARTS;
    match decay {
        Decay::ToZero(span_ms) => {
            parts * i128::from((span_ms - age_ms).max(0)) / i128::from(span_ms)
        }
        Decay::HalfLife(span_ms) => {
            let halvings = age_ms / span_ms;
            if halvings >= HALVINGS_MAX {
                return 0;
            }
            let line = i128::from(span_ms) * 2;
            parts * (line - i128::from(age_ms % span_ms)) / (line << halvings)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;
    const DAY: Decay = Decay::HalfLife(24 * HOUR_MS);

    #[track_caller]
    fn check(decay: Decay, points: i32, ages_hours: &[i64], expected: i32) {
        let left = left_of(points, ages_hours.iter().map(|hours| hours * HOUR_MS), decay);
        assert_eq!(left, expected, "{points} points after {ages_hours:?} h");
    }

    #[test]
    fn points_halve_on_a_straight_line() {
        check(DAY, 16, &[0], 16);
        check(DAY, 16, &[12], 12);
        check(DAY, 16, &[24], 8);
        check(DAY, 16, &[36], 6);
        check(DAY, 16, &[48], 4);
        check(DAY, 15, &[24], 8); // 7.5: halves are rounded away from 0
        check(DAY, -15, &[24], -8);
        check(DAY, 1, &[24 * 7], 0);
        check(DAY, 1_000, &[24 * 400], 0);
    }

    #[test]
    fn points_fade_to_nothing_on_a_straight_line() {
        const TEN_HOURS: Decay = Decay::ToZero(10 * HOUR_MS);
        check(TEN_HOURS, 20, &[0], 20);
        check(TEN_HOURS, 20, &[-3], 20); // a clock that is ahead gives no more
        check(TEN_HOURS, 20, &[5], 10);
        check(TEN_HOURS, -20, &[9], -2);
        check(TEN_HOURS, 20, &[10], 0);
        check(TEN_HOURS, 20, &[5_000], 0);
    }

    #[test]
    fn every_touch_fades_by_its_own_age_and_the_sum_is_rounded() {
        check(DAY, 5, &[48, 24, 0], 9); // 1.25 + 2.5 + 5 = 8.75
        check(DAY, 1, &[24, 24, 24], 2); // 1.5, where each alone would be rounded to 1
        check(DAY, 5, &[], 0);
    }

    proptest::proptest! {
        #[test]
        fn a_step_is_where_the_points_become_fewer(
            points in -200..200_i32,
            span in 1..10_000_000_i64,
            is_half in proptest::bool::ANY,
            given in proptest::collection::vec(0..30_000_000_i64, 0..5),
            as_of in 0..50_000_000_i64,
        ) {
            let decay = if is_half { Decay::HalfLife(span) } else { Decay::ToZero(span) };
            let left = |at: i64| left_of(points, given.iter().map(|given| at - given), decay);
            match next_step_ms(points, &given, as_of, decay) {
                None => proptest::prop_assert_eq!(left(as_of), 0),
                Some(step) => {
                    proptest::prop_assert!(step > as_of);
                    proptest::prop_assert_eq!(left(step - 1), left(as_of));
                    proptest::prop_assert!(left(step).abs() < left(as_of).abs());
                }
            }
        }

        #[test]
        fn what_is_left_never_grows_and_never_changes_its_sign(
            points in -1_000..1_000_i32,
            span_hours in 1..2_000_i64,
            is_half in proptest::bool::ANY,
            ages in proptest::collection::vec(0..100_000_i64, 1..6),
            later in 0..10_000_i64,
        ) {
            let span = span_hours * HOUR_MS;
            let decay = if is_half { Decay::HalfLife(span) } else { Decay::ToZero(span) };
            let at = |later: i64| left_of(points, ages.iter().map(|age| (age + later) * HOUR_MS / 7), decay);
            let (now, then) = (at(0), at(later));
            proptest::prop_assert!(then.abs() <= now.abs());
            proptest::prop_assert!(now.abs() <= points.abs() * ages.len() as i32);
            proptest::prop_assert!(now == 0 || now.signum() == points.signum());
            proptest::prop_assert!(then == 0 || then.signum() == points.signum());
        }

        #[test]
        fn one_touch_is_rounded_as_if_it_were_counted_without_parts(
            points in -1_000..1_000_i32, span in 1..10_000_000_i64, age in 0..100_000_000_i64,
        ) {
            let halvings = age / span;
            let expected = if halvings >= HALVINGS_MAX { 0 } else {
                let left = i128::from(points.abs()) * i128::from(span * 2 - age % span);
                let whole = i128::from(span * 2) << halvings;
                ((left * 2 + whole) / (whole * 2)) as i32 * points.signum()
            };
            let left = left_of(points, std::iter::once(age), Decay::HalfLife(span));
            proptest::prop_assert_eq!(left, expected);
        }
    }
}
