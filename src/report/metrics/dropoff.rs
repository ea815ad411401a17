//! Where rows left the chain over a period, for how long, and why.

use super::{Cell, Column, Kind, MetricRow, MetricTable, column};
use crate::model::language::Language;
use crate::report::words::Words;

/// The steps of the chain, in the order in which a row walks them.
pub const STEPS: [&str; 8] = [
    "received",
    "validated",
    "deduplicated",
    "routed",
    "followup-scheduled",
    "contacted",
    "meeting",
    "won",
];

/// The first step that only imported activity tells about.
pub const FIRST_BY_ACTIVITY: usize = 5;

/// Why a row left the chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It reports what somebody did.
    Touches,
    /// It is no record.
    NoRecords,
    /// It says who is there.
    Contacts,
    /// It was not accepted, with this code.
    Quarantined(String),
    /// It was withheld for this reason.
    Held(String),
    /// It had been received before.
    SeenBefore,
    /// It came to an enquiry that was there.
    Joined,
    /// Somebody gave up or was refused.
    Lost,
    /// There was a meeting, and no end yet.
    Undecided,
    /// There was contact, and no meeting yet.
    NoMeeting,
    /// No route takes it.
    Triage,
    /// It waits in this queue.
    Nobodys(String),
    /// No task may be done.
    NothingAllowed,
    /// Nobody was in contact, and there is time left.
    InTime,
    /// Nobody was in contact.
    NeverContacted,
}

impl Why {
    /// Returns the stable word of it, and what it is about; empty when that is clear.
    pub fn word(&self) -> (&'static str, &str) {
        match self {
            Self::Touches => ("touches", ""),
            Self::NoRecords => ("no-records", ""),
            Self::Contacts => ("contacts", ""),
            Self::Quarantined(code) => ("quarantined", code),
            Self::Held(reason) => ("held", reason),
            Self::SeenBefore => ("seen-before", ""),
            Self::Joined => ("joined", ""),
            Self::Lost => ("lost", ""),
            Self::Undecided => ("undecided", ""),
            Self::NoMeeting => ("no-meeting", ""),
            Self::Triage => ("triage", ""),
            Self::Nobodys(queue) => ("nobodys", queue),
            Self::NothingAllowed => ("nothing-allowed", ""),
            Self::InTime => ("in-time", ""),
            Self::NeverContacted => ("never-contacted", ""),
        }
    }

    /// Returns it in words.
    pub fn text(&self) -> String {
        let (word, of) = self.word();
        let words = Words::of(Language::English);
        words.say(&format!("why-{word}"), &[("of", of)]).unwrap_or_else(|| word.to_owned())
    }
}

/// What left the chain at one step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stuck {
    /// Rows.
    pub rows: u64,
    /// Since when the oldest of them waits, milliseconds; none where nobody waits.
    pub oldest_ms: Option<i64>,
    /// Half of them wait no longer, milliseconds; nearest rank.
    pub median_ms: Option<i64>,
    /// Why, each with its rows, the most first.
    pub because: Vec<(Why, u64)>,
}

/// The chain of one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// The group.
    pub name: String,
    /// Rows received.
    pub received: u64,
    /// What left at each of [`STEPS`]; with what reached the end it adds up to `received`.
    pub stuck: [Stuck; 8],
}

impl Chain {
    /// Returns how many rows came to the step at `position`.
    pub fn came_to(&self, position: usize) -> u64 {
        self.received - self.stuck[..position].iter().map(|stuck| stuck.rows).sum::<u64>()
    }
}

/// The chain of every group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainFigures {
    /// By group.
    pub groups: Vec<Chain>,
    /// Together.
    pub total: Chain,
    /// Whether any activity was imported; without it nobody knows who was contacted.
    pub knows_activity: bool,
}

const COLUMNS: &[Column] = &[
    column(0, "in", "in", Kind::Count),
    column(0, "out", "out", Kind::Count),
    column(0, "stuck", "stuck", Kind::Count),
    column(0, "oldest_seconds", "oldest", Kind::Span),
    column(0, "median_seconds", "median", Kind::Span),
    column(0, "because", "because", Kind::Text),
];

impl ChainFigures {
    /// Returns the figures as a table; `by` heads the groups, none where everything is one.
    pub fn to_table(&self, title: String, by: Option<&'static str>, window: &str) -> MetricTable {
        let (rows, totals) = match by {
            Some(_) => {
                let rows = self.groups.iter().flat_map(|chain| self.rows(chain, true));
                (rows.collect(), self.rows(&self.total, true))
            }
            None => (self.rows(&self.total, false), Vec::new()),
        };
        let mut notes = vec![format!(
            "In rows; each stays where it left, so all that is stuck and what comes out last is what was received. \
             Rows that never became a lead count by when they were received, others with the enquiry that they \
             opened or joined. Ages count from there (median: nearest rank). Contact is waited for within {window}."
        )];
        if !self.knows_activity {
            notes.push(super::no_activity());
        }
        MetricTable {
            report: "dropoff",
            title,
            by: by.unwrap_or("step"),
            part: by.map(|_| "step"),
            columns: COLUMNS.to_vec(),
            sections: vec![String::new()],
            rows,
            totals,
            notes,
            missing: None,
        }
    }

    fn rows(&self, chain: &Chain, is_grouped: bool) -> Vec<MetricRow> {
        let row = |(position, step): (usize, &&str)| {
            let cells = if position >= FIRST_BY_ACTIVITY && !self.knows_activity {
                let mut cells = vec![Cell::Nothing; COLUMNS.len() - 1];
                cells.push(Cell::Text("unknown: no activity yet".to_owned()));
                cells
            } else {
                let (came, stuck) = (chain.came_to(position), &chain.stuck[position]);
                let because =
                    stuck.because.iter().map(|(why, rows)| format!("{rows} {}", why.text()));
                vec![
                    Cell::Count(came),
                    Cell::Count(came - stuck.rows),
                    Cell::Count(stuck.rows),
                    Cell::span(stuck.oldest_ms),
                    Cell::span(stuck.median_ms),
                    Cell::Text(because.collect::<Vec<_>>().join("; ")),
                ]
            };
            let name = if is_grouped { &chain.name } else { *step };
            let part = if is_grouped { (*step).to_owned() } else { String::new() };
            MetricRow { part, ..MetricRow::new(name, cells) }
        };
        // Once is enough to say that nobody knows.
        let known =
            if is_grouped && !self.knows_activity { FIRST_BY_ACTIVITY } else { STEPS.len() };
        STEPS.iter().enumerate().take(known).map(row).collect()
    }
}
