//! From enquiry to meeting and to deal, by cohort.

use super::{ALL, Cell, Column, Kind, MetricRow, MetricTable, Share, UNSEEN, column};

/// What became of the enquiries of one cohort within the window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cohort {
    /// The cohort, such as `2026-W47`.
    pub name: String,
    /// Enquiries.
    pub enquiries: u64,
    /// Of these: whose window is not over yet.
    pub open: u64,
    /// Of these: contacted.
    pub contacted: u64,
    /// With a meeting booked; one that was held or missed was booked.
    pub booked: u64,
    /// With a meeting held.
    pub held: u64,
    /// That missed a meeting and had none afterwards.
    pub no_show: u64,
    /// Won: the last of won and lost.
    pub won: u64,
    /// Lost: the last of won and lost.
    pub lost: u64,
}

/// What became of all enquiries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CohortFigures {
    /// By cohort.
    pub cohorts: Vec<Cohort>,
    /// Together.
    pub total: Cohort,
}

const COLUMNS: &[Column] = &[
    column(0, "enquiries", "enquiries", Kind::Count),
    column(0, "window_open", "open", Kind::Count),
    column(0, "contacted", "contacted", Kind::Count),
    column(0, "meeting_booked", "booked", Kind::Count),
    column(0, "meeting_held", "held", Kind::Count),
    column(0, "no_show", "no-show", Kind::Count),
    column(0, "won", "won", Kind::Count),
    column(0, "lost", "lost", Kind::Count),
    column(1, "share_contacted", "contact", Kind::Share),
    column(1, "share_booked", "booked", Kind::Share),
    column(1, "share_held", "held", Kind::Share),
    column(1, "share_no_show", "no-show", Kind::Share),
    column(1, "share_won", "won", Kind::Share),
    column(1, "share_lost", "lost", Kind::Share),
    column(UNSEEN, "cohort", "cohort", Kind::Text),
];

impl CohortFigures {
    /// Returns the figures as a table; `by` heads the cohorts.
    pub fn to_table(&self, title: String, by: &'static str, window: &str) -> MetricTable {
        let rows = self.cohorts.iter().map(|one| MetricRow::new(&one.name, cells(one)));
        MetricTable {
            report: "meetings",
            title,
            by,
            part: None,
            columns: COLUMNS.to_vec(),
            sections: vec![
                String::new(),
                format!("Of the enquiries, within {window}; no-show: of those booked"),
            ],
            rows: rows.collect(),
            totals: vec![MetricRow::new(ALL, cells(&self.total))],
            notes: vec![format!(
                "Counted is what happened within {window} of the enquiry and before the lead's next one. open: \
                 enquiries whose window is not over; a cohort that has some is open, its figures can still rise. Booked are meetings \
                 that were held or missed, too; no-show: missed, and none held since; won and lost: the last of both."
            )],
            missing: None,
        }
    }
}

fn cells(one: &Cohort) -> Vec<Cell> {
    let counts = [
        one.enquiries,
        one.open,
        one.contacted,
        one.booked,
        one.held,
        one.no_show,
        one.won,
        one.lost,
    ];
    let of_all = |part: u64| Cell::Share(Share::new(part, one.enquiries));
    let mut cells: Vec<Cell> = counts.into_iter().map(Cell::Count).collect();
    cells.extend([
        of_all(one.contacted),
        of_all(one.booked),
        of_all(one.held),
        Cell::Share(Share::new(one.no_show, one.booked)),
        of_all(one.won),
        of_all(one.lost),
        Cell::Text(if one.open > 0 { "open" } else { "closed" }.to_owned()),
    ]);
    cells
}
