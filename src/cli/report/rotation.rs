//! `leadmill report rotation`

use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::ReportFormat;
use crate::cli::terminal;
use crate::pipeline::rotation::rotation_figures;
use crate::report::rotation::{QueueFigures, csv_table};
use crate::rules::RuleSet;
use crate::rules::hours::day_begins;
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct OfRotation {
    /// How to write it.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Count turns from this day on, as in 2026-11-01; default: all.
    #[arg(long, value_name = "DAY")]
    since: Option<NaiveDate>,
}

/// How the report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
}

/// Columns that hold figures.
const FIGURES: &[usize] = &[1, 2, 3, 4, 5, 6, 7, 8];

impl OfRotation {
    pub(super) fn print(&self, store: &Store, rules: &RuleSet, as_of: DateTime<Utc>) -> Result<()> {
        let zone = rules.workspace.zone;
        let since = self.since.map(|day| day_begins(zone, day));
        let queues = rotation_figures(store, rules, as_of, since)?;
        match self.format {
            Format::Table => print_tables(&queues),
            Format::Csv => ReportFormat::Csv.print(&[csv_table(&queues)], &[]),
            Format::Json => {
                let queues: Vec<_> = queues.iter().map(QueueFigures::to_json).collect();
                terminal::print(&json!({"queues": queues}).to_string())
            }
        }
    }
}

fn print_tables(queues: &[QueueFigures]) -> Result<()> {
    if queues.is_empty() {
        return terminal::print("no queue has a pool");
    }
    for (number, queue) in queues.iter().enumerate() {
        if number > 0 {
            terminal::print("")?;
        }
        terminal::print_wrapped(&queue.heading(), 2)?;
        terminal::print(&terminal::table(&queue.table(), FIGURES))?;
        for line in queue.not_now().into_iter().chain(queue.last_turns()) {
            terminal::print_wrapped(&line, 2)?;
        }
    }
    Ok(())
}
