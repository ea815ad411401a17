//! How long an answer holds: the first instant after as-of at which time alone may change it.
//!
//! Such an instant follows from the lead, not from when it is asked for: at any other as-of before it the same
//! one comes out. So it does not matter how often a lead is looked at meanwhile.

use chrono::TimeDelta;

use super::lens::Lens;
use super::{Answer, Condition, Test, came_back};
use crate::model::subject::Subject;

impl Condition {
    /// Returns the first instant after as-of, in milliseconds since 1970 UTC, at which the answer may be another
    /// though nothing new comes in; `None` when it holds for ever.
    ///
    /// It holds for [`Condition::matches`] and [`Condition::answer`], and is never too late. It is early where
    /// two parts of a group change and the answer does not.
    pub fn next_change_ms(&self, lens: &Lens<'_>) -> Option<i64> {
        self.may_change_with_time(lens).then(|| self.0.next_change_ms(lens)).flatten()
    }

    /// Returns the same for [`Condition::fitting_touches`] and [`Condition::newest_touch_ms`].
    pub fn next_change_of_touches_ms(&self, lens: &Lens<'_>) -> Option<i64> {
        let mut earliest = None;
        self.0.visit_touch_tests(&mut |test| {
            earliest = min_of(earliest, test.next_change_of_window_ms(lens));
        });
        earliest
    }

    /// Most conditions cannot, and nothing else about them needs to be found out.
    fn may_change_with_time(&self, lens: &Lens<'_>) -> bool {
        self.looks_at_time() || (self.looks_at_touches() && next_touch_ms(lens.subject()).is_some())
    }
}

impl Test {
    fn next_change_ms(&self, lens: &Lens<'_>) -> Option<i64> {
        match self {
            Self::All(parts) => earliest(parts, lens, Answer::No),
            Self::Any(parts) => earliest(parts, lens, Answer::Yes),
            Self::Not(inner) => inner.next_change_ms(lens),
            Self::Field(operand, operator) => operand.next_change_ms(operator, lens.subject()),
            Self::Touch(test) => test.next_change_ms(lens),
            Self::ReturnedWithin(window) => end_of_return_ms(*window, lens.subject()),
        }
    }
}

/// Returns when the first of `parts` may change, unless one that never does has decided the group for ever.
fn earliest(parts: &[Test], lens: &Lens<'_>, decided: Answer<'_>) -> Option<i64> {
    let mut earliest = None;
    let mut lasting = Vec::new();
    for part in parts {
        match part.next_change_ms(lens) {
            None => lasting.push(part),
            found => earliest = min_of(earliest, found),
        }
    }
    earliest.filter(|_| lasting.iter().all(|part| part.answer(lens) != decided))
}

/// Returns the earlier of two instants, of which there may be none.
pub(super) fn min_of(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

/// Returns when the first touch that lies ahead happens.
pub(super) fn next_touch_ms(subject: &Subject<'_>) -> Option<i64> {
    let as_of_ms = subject.as_of.timestamp_millis();
    let ahead = subject.touches.partition_point(|touch| touch.at_ms <= as_of_ms);
    subject.touches.get(ahead).map(|touch| touch.at_ms)
}

fn end_of_return_ms(window: TimeDelta, subject: &Subject<'_>) -> Option<i64> {
    if !came_back(subject.facts) {
        return None;
    }
    let last_ms = subject.facts.last_submitted_at.timestamp_millis();
    let end_ms = last_ms.checked_add(window.num_milliseconds());
    let as_of_ms = subject.as_of.timestamp_millis();
    [Some(last_ms), end_ms].into_iter().flatten().find(|at_ms| *at_ms > as_of_ms)
}
