//! What the page shows, as figures: `html` renders it, in whatever language.
//!
//! Days are ISO 8601 dates and instants `2026-11-22 06:00`, both in the workspace's zone.

use serde::Serialize;

use super::run_json::{AlertSummary, InputSummary};

/// Everything the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageData {
    /// Version of leadmill.
    pub version: String,
    /// Hash of the rules by which it was made.
    pub rules_hash: String,
    /// The instant that counts as now.
    pub as_of: String,
    /// The day of that instant.
    pub today: String,
    /// The last whole day.
    pub last_day: String,
    /// The first day of the period.
    pub first_day: String,
    /// Alerts that are open, and the limits that the run passed.
    pub alerts: Vec<AlertSummary>,
    /// What happened on the last whole day.
    pub day_tiles: Vec<Tile>,
    /// What stands now.
    pub now_tiles: Vec<Tile>,
    /// New leads of the period.
    pub days: DayFigures,
    /// Where the rows of the period left the chain.
    pub chain: Vec<ChainStep>,
    /// How long the enquiries of the period waited.
    pub speed: SpeedFigures,
    /// All leads per span of points.
    pub scores: Vec<ScoreSpan>,
    /// How many those are.
    pub scored: u64,
    /// Duplicates among the rows of the period, the campaign with the most rows first.
    pub campaigns: Vec<CampaignRow>,
    /// How far apart two rows of one form may be to be a repeat, in days.
    pub repeat_days: u64,
    /// Who has how much to do, the most leads first.
    pub load: Vec<LoadRow>,
    /// Tasks past due, the latest first; the page shows twenty.
    pub overdue: Vec<OverdueRow>,
    /// How many tasks are past due in all.
    pub overdue_total: u64,
    /// Hot leads, the highest score first; the page shows twenty.
    pub hot: Vec<HotLead>,
    /// How many leads are hot in all.
    pub hot_total: u64,
    /// Rows that wait in quarantine, per code, the most first.
    pub quarantine: Vec<QuarantineReason>,
    /// What other systems have not taken, by where it goes; empty when nothing waits and nothing was refused.
    pub undelivered: Vec<UndeliveredRow>,
    /// The run that the page is of, or the latest import.
    pub run: Option<PageRun>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageRun {
    /// Its id.
    pub id: String,
    /// What it read.
    pub inputs: Vec<InputSummary>,
}

/// A big figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tile {
    /// Key of what is counted.
    pub word: &'static str,
    /// How many.
    pub value: u64,
    /// `hot`, `warm`, `cold`, `bad` or empty: how it is colored.
    pub tone: &'static str,
    /// What it is compared with.
    pub against: Option<Against>,
    /// Of how many.
    pub of: Option<u64>,
}

/// A day beside the same weekday before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Against {
    /// The median of those days in tenths; none where they are too few.
    pub usual_tenths: Option<u64>,
    /// By how much the day is above it, in percent; none where that says little.
    pub more_percent: Option<i64>,
    /// By how much the day is above it, in tenths, where percent say little.
    pub more_tenths: Option<i64>,
    /// How many such days there are.
    pub days: u64,
    /// How many there have to be.
    pub least: u64,
    /// Whether nobody works on the day itself.
    pub day_off: bool,
}

/// A change of so few is told in numbers, for percent of a handful say nothing.
const PERCENT_FROM_TENTHS: u64 = 100;

impl Against {
    /// Compares `value` with a median in tenths.
    pub fn usual(value: u64, usual_tenths: u64, days: u64) -> Self {
        let more = (value * 10) as i64 - usual_tenths as i64;
        let in_percent = usual_tenths >= PERCENT_FROM_TENTHS;
        let percent = (more * 100).checked_div(usual_tenths as i64);
        Self {
            usual_tenths: Some(usual_tenths),
            more_percent: percent.filter(|_| in_percent),
            more_tenths: (!in_percent).then_some(more),
            days,
            ..Self::default()
        }
    }
}

/// New leads by day and source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DayFigures {
    /// Sources, the largest first, the rest of them as one at the end.
    pub sources: Vec<SourceTotal>,
    /// Every day of the period.
    pub days: Vec<DayRow>,
    /// All of them.
    pub total: u64,
    /// The most of a day.
    pub most: u64,
    /// That day.
    pub most_on: String,
}

/// A source and what it brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SourceTotal {
    /// Its id; empty for all that are not told apart.
    pub name: String,
    /// New leads.
    pub total: u64,
}

/// A day and what each source brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DayRow {
    /// The day.
    pub day: String,
    /// Whether it is a Monday, where a week begins.
    pub is_monday: bool,
    /// Whether it is a holiday.
    pub off: bool,
    /// New leads of each source.
    pub counts: Vec<u64>,
    /// Together.
    pub total: u64,
}

/// A step of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainStep {
    /// Its name.
    pub step: &'static str,
    /// Whether anybody can know.
    pub is_known: bool,
    /// Rows that came.
    pub came: u64,
    /// Rows that went on.
    pub went: u64,
    /// Rows that left.
    pub left: u64,
    /// Why they did, the most first.
    pub because: Vec<ChainReason>,
}

/// Why rows left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainReason {
    /// Key of the reason.
    pub word: &'static str,
    /// The code or the queue that it is about.
    pub of: String,
    /// How many rows.
    pub rows: u64,
}

/// How long enquiries waited for the first contact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SpeedFigures {
    /// Whether anything is known of what the sales side did.
    pub knows_activity: bool,
    /// Enquiries; the buckets add up to them.
    pub enquiries: u64,
    /// Those that were answered.
    pub contacted: u64,
    /// Half of these waited no longer.
    pub median_minutes: Option<i64>,
    /// By how long they waited.
    pub buckets: Vec<SpeedBucket>,
}

/// Enquiries that waited equally long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpeedBucket {
    /// Key of how long.
    pub word: &'static str,
    /// How many.
    pub enquiries: u64,
}

/// Leads whose score falls into a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScoreSpan {
    /// The fewest points.
    pub from: i32,
    /// The most points.
    pub to: i32,
    /// How many leads.
    pub leads: u64,
    /// Segment the span lies in; may be empty.
    pub segment: String,
}

/// Duplicates of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CampaignRow {
    /// Its name; empty when it has none.
    pub name: String,
    /// `named`, `none` for rows without a campaign, `rest` for all that are not told apart.
    pub kind: &'static str,
    /// Rows received.
    pub rows: u64,
    /// Those of them that were duplicates.
    pub duplicates: u64,
    /// Those by kind.
    pub by_kind: [u64; 5],
    /// Whether there are too few rows to say anything.
    pub is_small: bool,
}

/// What an owner or a queue has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoadRow {
    /// Owner's or queue's name.
    pub name: String,
    /// `owner` or `queue`.
    pub kind: &'static str,
    /// Leads.
    pub leads: u64,
    /// Of these: hot.
    pub hot: u64,
    /// Tasks to be done.
    pub tasks_open: u64,
    /// Of these: past due.
    pub tasks_late: u64,
}

/// A task past due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OverdueRow {
    /// Lead's name.
    pub lead: String,
    /// Lead's id.
    pub lead_id: String,
    /// What to do.
    pub subject: String,
    /// Owner's or queue's name.
    pub who: String,
    /// Segment.
    pub segment: String,
    /// When it was due.
    pub due: String,
    /// How late it is.
    pub late_minutes: i64,
}

/// Rows quarantined for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantineReason {
    /// Stable code.
    pub code: String,
    /// Rows.
    pub rows: u64,
    /// What is wrong and the way out, for one of them.
    pub message: String,
}

/// What a target or an endpoint has not taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UndeliveredRow {
    /// Its id.
    pub to: String,
    /// Deliveries that wait to be sent.
    pub waiting: u64,
    /// For how long the oldest of them has waited.
    pub oldest_minutes: Option<i64>,
    /// For how long nothing has got through.
    pub failing_minutes: Option<i64>,
    /// What the latest failure was; may be empty.
    pub last_code: String,
    /// Dead letters about which nothing was done yet.
    pub dead_letters: u64,
}

/// A hot lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HotLead {
    /// Lead's id.
    pub lead_id: String,
    /// Name.
    pub name: String,
    /// Points.
    pub score: i32,
    /// Owner's or queue's name.
    pub who: String,
    /// Why it is hot.
    pub reason: String,
    /// What to do next; empty when nothing is planned.
    pub next: String,
    /// When.
    pub next_due: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_a_handful_is_told_in_numbers() {
        #[track_caller]
        fn check(value: u64, usual_tenths: u64, expected: (Option<i64>, Option<i64>)) {
            let against = Against::usual(value, usual_tenths, 8);
            assert_eq!((against.more_percent, against.more_tenths), expected);
        }
        check(412, 3_675, (Some(12), None));
        check(96, 1_280, (Some(-25), None));
        check(10, 100, (Some(0), None));
        check(4, 25, (None, Some(15)));
        check(0, 0, (None, Some(0)));
        check(3, 0, (None, Some(30)));
    }
}
