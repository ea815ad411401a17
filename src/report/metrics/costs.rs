//! What a lead, a hot one, a meeting and a deal cost.

use super::{Cell, Column, Kind, MetricRow, MetricTable, column};

/// What was spent on one source and campaign, and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CostGroup {
    /// Source and campaign.
    pub name: String,
    /// Currency code.
    pub currency: String,
    /// Spent, in hundredths.
    pub spent: i64,
    /// Leads with an enquiry in the time that was paid for.
    pub leads: u64,
    /// Of these: hot now.
    pub hot: u64,
    /// Of these: with a meeting booked within the window.
    pub meetings: u64,
    /// Of these: won within the window.
    pub won: u64,
}

/// What was spent on everything, and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CostFigures {
    /// By source and campaign, the most expensive first.
    pub groups: Vec<CostGroup>,
    /// By currency; currencies are never added up.
    pub totals: Vec<CostGroup>,
    /// Lines of the spend table for whose time and name no lead came.
    pub unmatched: Vec<String>,
    /// Enquiries for which the table has no line.
    pub unpaid: u64,
}

const COLUMNS: &[Column] = &[
    column(0, "spent", "spent", Kind::Money),
    column(0, "leads", "leads", Kind::Count),
    column(0, "hot", "hot", Kind::Count),
    column(0, "meetings", "meetings", Kind::Count),
    column(0, "won", "won", Kind::Count),
    column(1, "per_lead", "lead", Kind::Money),
    column(1, "per_hot_lead", "hot lead", Kind::Money),
    column(1, "per_meeting", "meeting", Kind::Money),
    column(1, "per_won", "won", Kind::Money),
];

/// Unmatched lines that are named before the rest is only counted.
const NAMED_MAX: usize = 10;

impl CostFigures {
    /// Returns the figures as a table.
    pub fn to_table(&self, title: String, window: &str, knows_activity: bool) -> MetricTable {
        let mut notes = vec![format!(
            "A lead counts where its enquiry names the source and campaign and falls into the time paid for; an \
             enquiry counts once, for the line that says the most. Meetings and deals within {window} of it; hot as \
             it is now. What was paid for days outside the period is left out, day by day."
        )];
        if !knows_activity {
            notes.push(super::no_activity());
        }
        if !self.unmatched.is_empty() {
            let more = self.unmatched.len().saturating_sub(NAMED_MAX);
            let named = self.unmatched.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>();
            let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
            notes.push(format!("No lead for: {}{rest}", named.join("; ")));
        }
        if self.unpaid > 0 {
            notes.push(format!("Enquiries without a line of their own: {}", self.unpaid));
        }
        let row = |group: &CostGroup| {
            let per = |count| Cell::money(per_piece(group.spent, count));
            let activity = |count| if knows_activity { Cell::Count(count) } else { Cell::Nothing };
            let per_activity = |count| if knows_activity { per(count) } else { Cell::Nothing };
            let cells = vec![
                Cell::Money(group.spent),
                Cell::Count(group.leads),
                Cell::Count(group.hot),
                activity(group.meetings),
                activity(group.won),
                per(group.leads),
                per(group.hot),
                per_activity(group.meetings),
                per_activity(group.won),
            ];
            MetricRow { part: group.currency.clone(), ..MetricRow::new(&group.name, cells) }
        };
        MetricTable {
            report: "costs",
            title,
            by: "source / campaign",
            part: Some("currency"),
            columns: COLUMNS.to_vec(),
            sections: vec![String::new(), "Cost per:".to_owned()],
            rows: self.groups.iter().map(row).collect(),
            totals: self.totals.iter().map(row).collect(),
            notes,
            missing: None,
        }
    }
}

/// Returns what each of `count` costs, in hundredths rounded to the nearest; nothing where there is none.
pub fn per_piece(spent: i64, count: u64) -> Option<i64> {
    let count = i64::try_from(count).ok().filter(|count| *count > 0)?;
    Some(spent.saturating_add(count / 2).div_euclid(count))
}
