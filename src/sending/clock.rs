//! The time as whoever started the command tells it.

use std::time::Duration;

/// Longest sleep between two looks at whether somebody wants the command to stop.
const SLICE: Duration = Duration::from_millis(100);

/// What time it is, and a way to wait; tests hand in one that runs as they like.
#[derive(Clone, Copy)]
pub struct Clock<'a> {
    /// Returns now, milliseconds since 1970 UTC.
    pub now_ms: &'a (dyn Fn() -> i64 + Sync),
    /// Waits.
    pub sleep: &'a (dyn Fn(Duration) + Sync),
}

impl Clock<'_> {
    /// Returns now, milliseconds since 1970 UTC.
    pub fn now(&self) -> i64 {
        (self.now_ms)()
    }

    /// Waits until `until_ms`, or until `is_over` says so.
    pub fn wait_until(&self, until_ms: i64, is_over: impl Fn() -> bool) {
        loop {
            let left = u64::try_from(until_ms - self.now()).unwrap_or(0);
            if left == 0 || is_over() {
                return;
            }
            (self.sleep)(SLICE.min(Duration::from_millis(left)));
        }
    }
}
