//! Touch clauses: how often something happened, and when last.

use std::ops::Range;

use super::horizon::min_of;
use super::lens::Lens;
use super::needles::Needles;
use super::operator::folded_strings;
use crate::rules::decode::Table;
use crate::rules::touch_kind::opt_touch_kind;

/// The kind that a clause with nothing but `event = ".."` counts.
const EVENT: &str = "event";

/// `{ touch = "page-view", url-contains = "/pricing", within = "7d", at-least = 2 }`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TouchTest {
    kind: Box<str>,
    /// Any of them in the detail is enough; `None` asks for nothing.
    detail: Option<Needles>,
    within_seconds: Option<i64>,
    at_least: u32,
    at_most: Option<u32>,
}

impl TouchTest {
    /// Reads a touch clause; `event = ".."` alone means touches of kind `event`.
    pub(super) fn decode(table: &Table<'_>) -> Option<Self> {
        let kind = opt_touch_kind(table, "touch").unwrap_or_else(|| EVENT.to_owned());
        let mut detail = folded_strings(table, "url-contains");
        let events = folded_strings(table, "event");
        if !detail.is_empty() && !events.is_empty() {
            table.error(
                "event",
                "`event` and `url-contains` both look at the touch's detail",
                Some("keep one of them".to_owned()),
            );
            return None;
        }
        detail.extend(events);
        let detail = (!detail.is_empty()).then(|| Needles::new(detail));
        let within_seconds = table.opt_duration_seconds("within");
        let at_most = count(table, "at-most", 0);
        // `at-most = 0` alone asks for what did not happen.
        let at_least = count(table, "at-least", 1).unwrap_or_else(|| u32::from(at_most.is_none()));
        if at_most.is_some_and(|at_most| at_most < at_least) {
            table.error("at-most", "`at-most` is below `at-least`", None);
            return None;
        }
        Some(Self { kind: kind.into(), detail, within_seconds, at_least, at_most })
    }

    pub(super) fn name(&self) -> &str {
        &self.kind
    }

    /// Returns how often it must have happened at least, and at most.
    pub(super) fn bounds(&self) -> (u32, Option<u32>) {
        (self.at_least, self.at_most)
    }

    pub(super) fn looks_at_time(&self) -> bool {
        self.within_seconds.is_some()
    }

    pub(super) fn matches(&self, lens: &Lens<'_>) -> bool {
        self.accepts(self.count(lens))
    }

    /// Returns whether it is met by one who did it `count` times.
    pub(super) fn accepts(&self, count: usize) -> bool {
        count >= self.at_least as usize
            && self.at_most.is_none_or(|at_most| count <= at_most as usize)
    }

    /// Returns when the count, which changes with time alone, next makes another answer.
    pub(super) fn next_change_ms(&self, lens: &Lens<'_>) -> Option<i64> {
        let touches = lens.subject().touches;
        let Range { start, end } = self.window(lens);
        let mut moves: Vec<(i64, bool)> = Vec::new();
        for position in (start..touches.len()).filter(|position| self.fits(*position, lens)) {
            let at_ms = touches[position].at_ms;
            moves.extend((position >= end).then_some((at_ms, true)));
            moves.extend(self.leaves_ms(at_ms).map(|at_ms| (at_ms, false)));
        }
        moves.sort_unstable();
        let mut count = self.count(lens);
        let answer = self.accepts(count);
        for at_once in moves.chunk_by(|(one, _), (other, _)| one == other) {
            let enter = at_once.iter().filter(|(_, enters)| *enters).count();
            count = count + enter - (at_once.len() - enter);
            if self.accepts(count) != answer {
                return Some(at_once[0].0);
            }
        }
        None
    }

    /// Returns when the next touch that fits enters or leaves the window.
    pub(super) fn next_change_of_window_ms(&self, lens: &Lens<'_>) -> Option<i64> {
        let touches = lens.subject().touches;
        let Range { start, end } = self.window(lens);
        let first = |mut positions: Range<usize>| {
            positions.find(|position| self.fits(*position, lens)).map(|at| touches[at].at_ms)
        };
        let enters = first(end..touches.len());
        let leaves = first(start..end).and_then(|at_ms| self.leaves_ms(at_ms));
        min_of(enters, leaves)
    }

    /// Returns when a touch of `at_ms` is no longer in the window.
    fn leaves_ms(&self, at_ms: i64) -> Option<i64> {
        at_ms.checked_add(self.within_seconds?.checked_mul(1_000)?)
    }

    /// Returns how many touches fit in `(as_of - within, as_of]`.
    pub(super) fn count(&self, lens: &Lens<'_>) -> usize {
        self.fitting(lens).count()
    }

    pub(super) fn newest_ms(&self, lens: &Lens<'_>) -> Option<i64> {
        self.fitting(lens).next_back().map(|position| lens.subject().touches[position].at_ms)
    }

    /// Returns whether whoever passes this test passes `other`, too.
    pub(super) fn implies(&self, other: &Self) -> bool {
        let window_fits = match (self.within_seconds, other.within_seconds) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(mine), Some(theirs)) => mine <= theirs,
        };
        self.kind == other.kind
            && self.details_fit(other)
            && other.at_most.is_none()
            && self.at_least >= other.at_least
            && window_fits
    }

    /// Returns whether every touch of now that this test counts is one that `other` counts.
    pub(super) fn makes_one_for(&self, other: &Self) -> bool {
        self.kind == other.kind && self.details_fit(other) && other.within_seconds != Some(0)
    }

    /// Returns how many more touches it takes for the count to be enough, or (`holds` is not so) too much.
    pub(super) fn lacks(&self, holds: bool, lens: &Lens<'_>) -> usize {
        let wanted = match self.at_most {
            Some(at_most) if !holds => at_most as usize + 1,
            _ => self.at_least as usize,
        };
        wanted.saturating_sub(self.count(lens))
    }

    /// Returns whether each detail that fits this test fits `other`, too.
    fn details_fit(&self, other: &Self) -> bool {
        match (&self.detail, &other.detail) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(mine), Some(theirs)) => mine.words().iter().all(|word| theirs.are_in(word)),
        }
    }

    /// Returns the positions of the touches up to now that fit, and whether each is in the window.
    pub(super) fn fitting_ever(&self, lens: &Lens<'_>) -> impl Iterator<Item = (usize, bool)> {
        let Range { start, end } = self.window(lens);
        (0..end).filter(|position| self.fits(*position, lens)).map(move |at| (at, at >= start))
    }

    fn fitting(&self, lens: &Lens<'_>) -> impl DoubleEndedIterator<Item = usize> {
        self.window(lens).filter(|position| self.fits(*position, lens))
    }

    /// Returns the positions of the touches in `(as_of - within, as_of]`; they are sorted.
    fn window(&self, lens: &Lens<'_>) -> Range<usize> {
        let subject = lens.subject();
        let until = subject.as_of.timestamp_millis();
        let end = subject.touches.partition_point(|touch| touch.at_ms <= until);
        let start = self.within_seconds.map_or(0, |seconds| {
            let since = until.saturating_sub(seconds.saturating_mul(1_000));
            subject.touches[..end].partition_point(|touch| touch.at_ms <= since)
        });
        start..end
    }

    fn fits(&self, position: usize, lens: &Lens<'_>) -> bool {
        lens.subject().touches[position].kind.eq_ignore_ascii_case(&self.kind)
            && self.detail.as_ref().is_none_or(|detail| detail.are_in(lens.detail(position)))
    }
}

fn count(table: &Table<'_>, key: &str, lowest: u32) -> Option<u32> {
    let number = table.opt_integer(key)?;
    let count = u32::try_from(number).ok().filter(|count| *count >= lowest);
    if count.is_none() {
        table.error(key, format!("`{key}` must be at least {lowest}"), None);
    }
    count
}
