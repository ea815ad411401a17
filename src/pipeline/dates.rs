//! Settles the order of day and month in every column before the first row is judged.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};

use crate::intake::OpenInput;
use crate::model::row::RowContent;
use crate::normalization::date_order::{DateHabits, DateOrders, DateSurvey};
use crate::rules::RuleSet;

/// Reads `input` ahead where its bytes hold dates that can be read two ways, and settles their order.
///
/// What goes wrong while reading ahead goes wrong again when the rows are read, and is said then.
pub fn settle(
    input: &OpenInput,
    rules: &RuleSet,
    as_of: DateTime<Utc>,
    interrupted: &AtomicBool,
) -> DateOrders {
    let habits = DateHabits {
        order: input.preset.date_order,
        formats: &input.preset.date_formats,
        country: &rules.workspace.default_country,
    };
    let mut survey = DateSurvey::new(as_of);
    if input.has_small_dates {
        for row in input.preview() {
            let Ok(row) = row else { break };
            if interrupted.load(Ordering::Relaxed) {
                break;
            }
            if let RowContent::Cells(_, cells) = &row.content {
                survey.add(cells);
            }
        }
    }
    survey.settle(habits)
}
