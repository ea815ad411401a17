//! When leads are looked at, and how long they have to end: what every command asks that compares rules with outcomes.

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::Args;

use super::workspace::duration;
use crate::pipeline::calibrate::Question;

/// How long leads have to end well, and when they are looked at.
#[derive(Debug, Args)]
pub(super) struct Horizon {
    /// A good end counts if it comes within this time; younger leads are left out.
    #[arg(long, value_name = "TIME", default_value = "90d")]
    pub(super) window: String,
    /// How long after it came a lead is looked at: what became known later could not have helped.
    #[arg(long, value_name = "TIME", default_value = "1d")]
    known_after: String,
}

impl Horizon {
    /// Returns what is asked of the store, where touches of the kinds `successes` are a good end.
    pub(super) fn question(
        &self,
        successes: Vec<String>,
        as_of: DateTime<Utc>,
    ) -> Result<Question> {
        Ok(Question {
            successes,
            window: duration("window", &self.window)?,
            known_after: duration("known-after", &self.known_after)?,
            as_of,
        })
    }
}
