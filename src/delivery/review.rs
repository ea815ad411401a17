//! Pairs of leads to be looked at, as a file to fill in and read back.

use std::io::Write;

use anyhow::Result;

use super::guard;
use crate::model::field;
use crate::model::lead::Lead;

/// Columns of the file; [`VERDICT`] is empty.
pub const HEADER: &[&str] = &[
    VERDICT,
    LEAD,
    OTHER,
    "probability",
    "bits",
    "name",
    "other-name",
    "email",
    "other-email",
    "phone",
    "other-phone",
    "company",
    "other-company",
    "why",
];
/// The column to fill in.
pub const VERDICT: &str = "verdict";
/// The column of one lead's id.
pub const LEAD: &str = "lead";
/// The column of the other lead's id.
pub const OTHER: &str = "other";

/// A pair of leads that somebody should have a look at.
#[derive(Debug, Clone)]
pub struct ReviewRow {
    /// One lead.
    pub a: Lead,
    /// The other.
    pub b: Lead,
    /// Log2 odds that both are one person.
    pub bits: f32,
    /// The same as a probability.
    pub probability: f32,
    /// Each field with how they agree in it and its bits.
    pub why: String,
}

/// Writes `rows` for a spreadsheet: what people wrote is guarded against being taken for a formula, and stands there as
/// `shown` shows it. The ids are as they are, since the file is read back by them.
pub fn write_review(
    out: impl Write,
    rows: &[ReviewRow],
    shown: &dyn Fn(&str) -> String,
) -> Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(HEADER)?;
    for row in rows {
        let cell = |text: &str| guard(&shown(text)).into_owned();
        let value = |lead: &Lead, field| cell(lead.values.get(field).unwrap_or_default());
        csv.write_record([
            String::new(),
            row.a.id.to_string(),
            row.b.id.to_string(),
            format!("{:.3}", row.probability),
            format!("{:.1}", row.bits),
            cell(&row.a.display_name()),
            cell(&row.b.display_name()),
            value(&row.a, field::EMAIL),
            value(&row.b, field::EMAIL),
            value(&row.a, field::PHONE),
            value(&row.b, field::PHONE),
            value(&row.a, field::COMPANY),
            value(&row.b, field::COMPANY),
            row.why.clone(),
        ])?;
    }
    csv.flush()?;
    Ok(())
}
