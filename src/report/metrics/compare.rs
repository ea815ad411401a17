//! The same figures of two periods side by side.

use std::collections::{HashMap, HashSet};

use super::{Cell, MetricRow, MetricTable};

/// The period that was asked for.
pub(super) const NOW: &str = "now";
const BEFORE: &str = "before";
const CHANGE: &str = "change";

/// Returns `now` with three rows for each group: its own, those of `before`, and the difference.
///
/// Groups stand in the order of `now`, then those that only `before` has. Of a share the difference is in percentage
/// points; where one side knows nothing, neither does the difference. Nothing is missing where one side has something.
pub fn compare(now: MetricTable, before: &MetricTable) -> MetricTable {
    let earlier: HashMap<(&str, &str), &MetricRow> =
        before.rows.iter().map(|row| (row.key(), row)).collect();
    let known: HashSet<(&str, &str)> = now.rows.iter().map(MetricRow::key).collect();
    let blank = vec![Cell::Nothing; now.columns.len()];
    let mut rows = Vec::new();
    for row in &now.rows {
        let before = earlier.get(&row.key()).map_or(&blank, |row| &row.cells);
        rows.extend(side_by_side(row, &row.cells, before));
    }
    for row in before.rows.iter().filter(|row| !known.contains(&row.key())) {
        rows.extend(side_by_side(row, &blank, &row.cells));
    }
    let mut totals = Vec::new();
    for total in &now.totals {
        let earlier = before.totals.iter().find(|one| one.key() == total.key());
        let before = earlier.map_or(&blank, |total| &total.cells);
        totals.extend(side_by_side(total, &total.cells, before));
    }
    let missing = now.missing.filter(|_| before.missing.is_some());
    MetricTable { rows, totals, missing, ..now }
}

fn side_by_side(of: &MetricRow, now: &[Cell], before: &[Cell]) -> Vec<MetricRow> {
    let change = now.iter().zip(before).map(|(now, before)| difference(now, before)).collect();
    let periods = [(NOW, now.to_vec()), (BEFORE, before.to_vec()), (CHANGE, change)];
    let row = |(period, cells)| MetricRow { period: Some(period), cells, ..of.clone() };
    periods.into_iter().map(row).collect()
}

fn difference(now: &Cell, before: &Cell) -> Cell {
    match (now, before) {
        (Cell::Count(now), Cell::Count(before)) => Cell::MoreBy(*now as i64 - *before as i64),
        (Cell::Share(now), Cell::Share(before)) => match (now.per_mille(), before.per_mille()) {
            (Some(now), Some(before)) => Cell::PointsBy(now as i64 - before as i64),
            _ => Cell::Nothing,
        },
        (Cell::Span(now), Cell::Span(before)) => Cell::Span(now - before),
        (Cell::Money(now), Cell::Money(before)) => Cell::Money(now - before),
        (Cell::Text(_), Cell::Text(_)) => Cell::Text(String::new()),
        _ => Cell::Nothing,
    }
}
