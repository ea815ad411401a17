//! What a run says while it works: progress bars, logs and tests all consume this one stream.

use chrono::{DateTime, Utc};

use crate::model::moment::utc_from_ms;
use crate::model::run::InputReport;
use crate::store::runs::RunRecord;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A run that was killed before it decided was taken back.
    TakenBack {
        /// Its id.
        run: String,
    },
    /// A run that was killed before it published is being published.
    Resumed {
        /// Its id.
        run: String,
    },
    /// The instant that counts as now lies before that of the latest run.
    SetBack {
        /// The instant that counts as now.
        as_of: DateTime<Utc>,
        /// Id of the latest run.
        latest: String,
        /// Its instant.
        latest_as_of: DateTime<Utc>,
    },
    /// Something about an input as a whole that somebody should know.
    Notice {
        /// File as the user named it.
        name: String,
        /// What was found, and what to do.
        message: String,
    },
    /// An input is being read.
    InputOpened {
        /// File as the user named it.
        name: String,
        /// Preset that recognized it.
        source: String,
        /// Bytes to read.
        bytes: u64,
    },
    /// Rows of the open input were taken in.
    RowsRead {
        /// Rows so far.
        rows: u64,
        /// Bytes so far.
        bytes: u64,
    },
    /// An input is done, known or refused.
    InputClosed(InputReport),
    /// A phase begins.
    Phase {
        /// What it does, for people.
        name: &'static str,
        /// Steps it takes; 0 when unknown.
        total: u64,
    },
    /// The phase came this far.
    Progress {
        /// Steps done.
        done: u64,
    },
}

/// Where events go.
pub type Events<'a> = &'a mut dyn FnMut(Event);

/// Says so where `as_of` lies before the instant of the run `latest`: a clock that was set back, or a slip of the pen.
pub(super) fn note_if_set_back(latest: &RunRecord, as_of: DateTime<Utc>, events: Events<'_>) {
    let latest_as_of = utc_from_ms(latest.as_of_ms);
    if as_of < latest_as_of {
        events(Event::SetBack { as_of, latest: latest.id.clone(), latest_as_of });
    }
}
