//! What people look at: where leads left the chain, what was a duplicate, the page, `run.json`.
//!
//! This room turns figures into rows, tables and a page. It counts nothing itself, knows no store and
//! no clock, and prints nothing. Start at [`page::PageData`] for the page and [`dropoff::Funnel`] for
//! the figures behind it.

pub mod accounts;
pub mod amounts;
pub mod charts;
pub mod comparison;
pub mod dossier;
pub mod dropoff;
pub mod duplicates;
pub mod escape;
pub mod html;
pub mod mask;
pub mod metrics;
pub mod page;
pub mod prometheus;
pub mod rotation;
pub mod rules;
pub mod run_json;
pub mod simulation;
pub mod targets;
pub mod words;

use serde_json::Value;

use crate::model::spreadsheet;

/// Returns a table as CSV; text that a spreadsheet would run as a formula is guarded.
pub fn to_csv(rows: &[Vec<String>]) -> anyhow::Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    for row in rows {
        csv.write_record(row.iter().map(|cell| spreadsheet::guard(cell).into_owned()))?;
    }
    Ok(String::from_utf8(csv.into_inner()?)?)
}

/// Returns a table for programs: an object for each row, by the header; whole numbers are numbers.
pub fn to_json(rows: &[Vec<String>]) -> Value {
    let Some((header, rows)) = rows.split_first() else { return Value::Array(Vec::new()) };
    let value = |cell: &String| match cell.parse::<u64>() {
        Ok(number) => Value::from(number),
        Err(_) => Value::from(cell.as_str()),
    };
    let object = |row: &Vec<String>| {
        Value::Object(header.iter().cloned().zip(row.iter().map(value)).collect())
    };
    Value::Array(rows.iter().map(object).collect())
}

/// Returns a table as Markdown; the columns `right` hold figures.
pub fn to_markdown(rows: &[Vec<String>], right: &[usize]) -> String {
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().map(|cell| escape::for_markdown(cell)).collect();
        text.extend(["| ", &cells.join(" | "), " |\n"]);
        if number == 0 {
            let rule = |at| if right.contains(&at) { "---:" } else { "---" };
            let rules: Vec<&str> = (0..row.len()).map(rule).collect();
            text.extend(["| ", &rules.join(" | "), " |\n"]);
        }
    }
    text
}
