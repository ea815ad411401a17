//! What people said about tasks: that one is done, or put off.
//!
//! Both come in as touches of the lead, from `leadmill tasks` or from any file of events, and are joined to it like
//! every other touch: they outlive merges and splits, and a replay finds them where they were.

use chrono::{DateTime, Utc};

use crate::model::moment::utc_from_ms;
use crate::model::subject::Subject;
use crate::model::task::TaskKey;
use crate::model::touch::{TASK_DONE, TASK_SNOOZED};

/// What was said about the tasks of one lead by as-of.
pub(super) struct Said<'a> {
    done: Vec<(Name<'a>, i64)>,
    snoozed: Vec<(Name<'a>, i64)>,
}

/// What a touch calls a task: by its whole key, or by its step alone.
enum Name<'a> {
    Key(TaskKey),
    Step(&'a str),
}

impl<'a> Name<'a> {
    fn read(text: &'a str) -> Self {
        // The lead's id stands before the key where a whole task id was given.
        let key = text.split_once('/').filter(|(lead, _)| lead.starts_with("LM-"));
        let text = key.map_or(text, |(_, key)| key).trim();
        text.parse().map_or(Self::Step(text), Self::Key)
    }

    fn is(&self, key: &TaskKey) -> bool {
        match self {
            Self::Key(named) => named == key,
            Self::Step(step) => *step == key.step,
        }
    }
}

impl<'a> Said<'a> {
    pub(super) fn about(subject: &Subject<'a>) -> Self {
        let mut said = Self { done: Vec::new(), snoozed: Vec::new() };
        let as_of_ms = subject.as_of.timestamp_millis();
        for touch in subject.touches.iter().filter(|touch| touch.at_ms <= as_of_ms) {
            if touch.kind == TASK_DONE {
                said.done.push((Name::read(&touch.detail), touch.at_ms));
            } else if touch.kind == TASK_SNOOZED
                && let Some((task, until)) = touch.detail.split_once(" until ")
                && let Ok(until) = DateTime::parse_from_rfc3339(until.trim())
            {
                said.snoozed.push((Name::read(task), until.timestamp_millis()));
            }
        }
        said
    }

    /// Returns when the task was done, the first time. One that is named by its step alone is that of the cycle in
    /// which it was said; a mail is done whatever plan it is a step of.
    pub(super) fn done_at(
        &self,
        key: &TaskKey,
        is_automatic: bool,
        opened_at: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let since = opened_at.timestamp_millis();
        let is_it = |name: &Name<'_>, at_ms: i64| match name {
            Name::Key(named) if named == key => true,
            Name::Key(named) => {
                is_automatic && (&named.step, named.cycle) == (&key.step, key.cycle)
            }
            Name::Step(_) => name.is(key) && at_ms >= since,
        };
        let done = self.done.iter().filter(|(name, at_ms)| is_it(name, *at_ms));
        done.map(|(_, at_ms)| utc_from_ms(*at_ms)).min()
    }

    /// Returns how many times the task was put off, and until when, by what was said last.
    pub(super) fn snoozed(&self, key: &TaskKey) -> (u32, Option<DateTime<Utc>>) {
        let snoozed = self.snoozed.iter().filter(|(name, _)| name.is(key));
        snoozed
            .fold((0, None), |(times, _), (_, until_ms)| (times + 1, Some(utc_from_ms(*until_ms))))
    }
}
