//! `leadmill report`

use std::io::Write as _;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};

use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::pipeline::reports::{dropoff_table, duplicate_tables};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::runs::{RunKind, RunRecord};

/// Look at what happened: where leads left the chain, who came more than once.
#[derive(Debug, Args)]
pub struct Report {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Each step of the chain: in, out, stuck, and why; the sums are the rows received.
    Dropoff(Of),
    /// Duplicate rates by source and by campaign, with how they are counted.
    Duplicates(Of),
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For people.
    Table,
    /// For spreadsheets.
    Csv,
}

#[derive(Debug, Args)]
struct Of {
    /// The run to look at; default: the latest.
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// How to write it.
    #[arg(long, value_enum, default_value = "table")]
    format: ReportFormat,
}

impl Report {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let store = global.read_store()?;
        match &self.what {
            What::Dropoff(of) => {
                let run = of.run_record(&store)?;
                let table = dropoff_table(&store, &rules, &run)?;
                of.print(&[table], &[2, 3, 4])?;
            }
            What::Duplicates(of) => {
                let run = of.run_record(&store)?;
                of.duplicates(&store, &rules, &run)?;
            }
        }
        Ok(0)
    }
}

fn is_standing_import(run: &RunRecord) -> bool {
    run.kind == RunKind::Import && run.undone_by.is_none()
}

impl Of {
    fn run_record(&self, store: &Store) -> Result<RunRecord> {
        let found = match &self.run {
            Some(id) => store.run_by_id(id)?,
            // An undo received nothing that a report could be about.
            None => store.all_runs()?.into_iter().rev().find(is_standing_import),
        };
        if let Some(run) = found.as_ref().filter(|run| run.undone_by.is_some()) {
            return Err(UsageError(format!(
                "run {0} was undone, and its rows are gone\nhint: the report as it was is in \
                 out/runs/{0}",
                run.id
            ))
            .into());
        }
        found.ok_or_else(|| {
            UsageError(match &self.run {
                Some(id) => format!("there is no run `{id}`"),
                None => "nothing has been run yet".to_owned(),
            })
            .into()
        })
    }

    fn duplicates(&self, store: &Store, rules: &RuleSet, run: &RunRecord) -> Result<()> {
        let tables = duplicate_tables(store, rules, run)?;
        self.print(&tables, &[1, 2, 3, 4, 5, 6, 7])
    }

    fn print(&self, tables: &[Vec<Vec<String>>], right: &[usize]) -> Result<()> {
        if self.format == ReportFormat::Csv {
            let mut out = terminal::stdout();
            for table in tables {
                out.write_all(crate::report::to_csv(table)?.as_bytes())?;
            }
            return Ok(out.flush()?);
        }
        for (number, table) in tables.iter().enumerate() {
            if number > 0 {
                terminal::print("")?;
            }
            let columns = table.first().map_or(0, Vec::len);
            let right: Vec<usize> = right.iter().copied().filter(|at| *at < columns).collect();
            terminal::print(&terminal::table(table, &right))?;
        }
        Ok(())
    }
}
