//! Speed to lead: how long enquiries waited for the first contact.

use super::{ALL, Cell, Column, Kind, MetricRow, MetricTable, Share, column};

/// Within which minutes a first contact is counted.
pub const WITHIN_MINUTES: [i64; 4] = [5, 60, 120, 1_440];

/// Within which minutes the waits of a spread end.
pub const SPREAD_MINUTES: [i64; 7] = [5, 15, 60, 120, 240, 480, 1_440];

/// How long enquiries waited; its counts add up to all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpeedSpread {
    /// Contacted within each of [`SPREAD_MINUTES`], and not within the one before.
    pub within: [u64; 7],
    /// Contacted later.
    pub later: u64,
    /// Not contacted, and the window for that is over.
    pub never: u64,
    /// Not contacted yet, and within the window.
    pub open: u64,
    /// Nobody can know: the row does not say when, or there was contact only before it.
    pub unknown: u64,
    /// Half of the contacted waited no longer, milliseconds; nearest rank.
    pub median_ms: Option<i64>,
}

impl SpeedSpread {
    /// Returns how many were contacted.
    pub fn contacted(&self) -> u64 {
        self.within.iter().sum::<u64>() + self.later
    }

    /// Returns how many there are.
    pub fn enquiries(&self) -> u64 {
        self.contacted() + self.never + self.open + self.unknown
    }
}

/// How fast enquiries were answered, by one clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// Half of the contacted waited no longer, milliseconds; nearest rank.
    pub median_ms: Option<i64>,
    /// Nine in ten of the contacted waited no longer, milliseconds; nearest rank.
    pub p90_ms: Option<i64>,
    /// Contacted within each of [`WITHIN_MINUTES`], of the enquiries that are that old.
    pub within: [Share; 4],
}

/// How the enquiries of one group fared; the counts after `enquiries` add up to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpeedGroup {
    /// The group.
    pub name: String,
    /// Enquiries.
    pub enquiries: u64,
    /// Contacted, at a known time after a known time.
    pub contacted: u64,
    /// Not contacted, and the window for that is over.
    pub never: u64,
    /// Not contacted yet, and within the window.
    pub open: u64,
    /// The row does not say at what time the form was sent.
    pub no_time: u64,
    /// There was contact before the enquiry and none after it.
    pub before: u64,
    /// By the wall clock.
    pub wall: Pace,
    /// By the hours in which the lead's owner works, or the office where nobody has it.
    pub business: Pace,
}

/// How all enquiries fared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpeedFigures {
    /// By group.
    pub groups: Vec<SpeedGroup>,
    /// Together.
    pub total: SpeedGroup,
}

const COLUMNS: &[Column] = &[
    column(0, "enquiries", "enquiries", Kind::Count),
    column(0, "contacted", "contacted", Kind::Count),
    column(0, "never_contacted", "never", Kind::Count),
    column(0, "window_open", "open", Kind::Count),
    column(0, "unknown_no_time", "no time", Kind::Count),
    column(0, "unknown_contact_before", "before", Kind::Count),
    column(1, "wall_median_seconds", "median", Kind::Span),
    column(1, "wall_p90_seconds", "p90", Kind::Span),
    column(1, "wall_within_5m", "5 min", Kind::Share),
    column(1, "wall_within_1h", "1 h", Kind::Share),
    column(1, "wall_within_2h", "2 h", Kind::Share),
    column(1, "wall_within_24h", "24 h", Kind::Share),
    column(2, "business_median_seconds", "median", Kind::Span),
    column(2, "business_p90_seconds", "p90", Kind::Span),
    column(2, "business_within_5m", "5 min", Kind::Share),
    column(2, "business_within_1h", "1 h", Kind::Share),
    column(2, "business_within_2h", "2 h", Kind::Share),
    column(2, "business_within_24h", "24 h", Kind::Share),
];

impl SpeedFigures {
    /// Returns the figures as a table; `by` heads the groups, none where everything is one.
    pub fn to_table(&self, title: String, by: Option<&'static str>, window: &str) -> MetricTable {
        let total = MetricRow::new(ALL, cells(&self.total));
        let (rows, totals) = match by {
            Some(_) => {
                let row = |group: &SpeedGroup| MetricRow::new(&group.name, cells(group));
                (self.groups.iter().map(row).collect(), vec![total])
            }
            None => (vec![total], Vec::new()),
        };
        MetricTable {
            report: "speed",
            title,
            by: by.unwrap_or("group"),
            part: None,
            columns: COLUMNS.to_vec(),
            sections: vec![
                String::new(),
                "By the wall clock, contacted within:".to_owned(),
                "In working hours of the owner, contacted within:".to_owned(),
            ],
            rows,
            totals,
            notes: vec![format!(
                "From the form to the first contact. never: not contacted within {window} nor later; open: younger \
                 than that; no time: the row does not say when; before: contact only before the form. Median and \
                 p90 (nearest rank) are of the contacted; a share is of the enquiries that are that old."
            )],
            missing: None,
        }
    }
}

fn cells(group: &SpeedGroup) -> Vec<Cell> {
    let counts =
        [group.enquiries, group.contacted, group.never, group.open, group.no_time, group.before];
    let mut cells: Vec<Cell> = counts.into_iter().map(Cell::Count).collect();
    for pace in [&group.wall, &group.business] {
        cells.extend([pace.median_ms, pace.p90_ms].map(Cell::span));
        cells.extend(pace.within.map(Cell::Share));
    }
    cells
}
