//! An instant as a source gave it.

use chrono::{DateTime, TimeZone as _, Utc};

/// How sure a [`Moment`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// The source gave the offset or the instant itself.
    Exact,
    /// The source gave local time; the zone came from its preset or the workspace.
    ZoneAssumed,
    /// The source gave a date only; noon of that day in the assumed zone stands in.
    DateOnly,
    /// The source gave no usable time; the time of receipt stands in.
    Received,
    /// As [`Certainty::ZoneAssumed`], at an hour which the clocks skip or repeat that night.
    ClockChange,
}

/// Which part of a date such as `9/12/2025` comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum DateOrder {
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
    /// Neither the preset nor the column says.
    #[default]
    Unknown,
}

/// An instant, the offset it was written with, and how sure both are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub epoch_ms: i64,
    /// Minutes east of UTC of the wall clock that the source used.
    pub offset_minutes: i32,
    /// How sure the instant is.
    pub certainty: Certainty,
}

impl Moment {
    /// Returns the instant in UTC; instants outside chrono's range become its ends.
    pub fn utc(self) -> DateTime<Utc> {
        utc_from_ms(self.epoch_ms)
    }
}

/// Returns the instant `epoch_ms` milliseconds after 1970 in UTC; out of range becomes the nearest end.
pub fn utc_from_ms(epoch_ms: i64) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(epoch_ms).single().unwrap_or(if epoch_ms < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    })
}
