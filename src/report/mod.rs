//! What people look at: where leads left the chain, what was a duplicate, the page, `run.json`.
//!
//! This room turns figures into rows, tables and a page. It counts nothing itself, knows no store and
//! no clock, and prints nothing. Start at [`html::PageData`] for the page and [`dropoff::Funnel`] for
//! the figures behind it.

pub mod accounts;
pub mod charts;
pub mod comparison;
pub mod dropoff;
pub mod duplicates;
pub mod escape;
pub mod html;
pub mod prometheus;
pub mod rotation;
pub mod rules;
pub mod run_json;
pub mod simulation;

use crate::model::spreadsheet;

/// Returns a table as CSV; text that a spreadsheet would run as a formula is guarded.
pub fn to_csv(rows: &[Vec<String>]) -> anyhow::Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    for row in rows {
        csv.write_record(row.iter().map(|cell| spreadsheet::guard(cell).into_owned()))?;
    }
    Ok(String::from_utf8(csv.into_inner()?)?)
}
