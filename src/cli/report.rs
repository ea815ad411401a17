//! `leadmill report`

mod alerts;
mod rotation;
mod rules;

use std::io::Write as _;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};

use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::pipeline::accounts::StoreAccounts;
use crate::pipeline::reports::{dropoff_table, duplicate_tables};
use crate::report::accounts::{csv_table, member_table, table};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::runs::{RunKind, RunRecord};

/// Look at what happened: lost rows, duplicates, companies, shares of leads, rules that fired.
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
    /// Companies with two leads or more: who has them, how warm they are, what links them.
    ///
    /// Leads are linked, not merged: by the company's tax or register number, its own domain, its name in one town,
    /// or a rare name in one country. What leads of several companies share links nobody.
    Accounts(OfAccounts),
    /// Who is next in each queue, and how evenly its leads were shared.
    ///
    /// For everybody in a pool: weight, turns, their share and what the weights ask for, what the rotation owes
    /// them, leads through the queue today, this week and this month, what is left of their cap, and why they
    /// get no lead now.
    Rotation(rotation::OfRotation),
    /// Alerts that are open, and those that closed in the last thirty days.
    Alerts(alerts::OfAlerts),
    /// How often each scoring rule and each route fired, which never did, and what each rule is worth.
    ///
    /// Counted are the leads that there are, by their latest decision; `last fired` looks at all decisions. Once
    /// it is known how leads ended, each rule's leads are set beside the others, as `calibrate` sees them: how many
    /// had a meeting, how many bought, and the lift, which is one share divided by the other.
    Rules(rules::OfRules),
}

#[derive(Debug, Args)]
struct OfAccounts {
    /// How to write it.
    #[arg(long, value_enum, default_value = "table")]
    format: ReportFormat,
    /// At most this many accounts, those with the most leads.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// One row for each lead of these accounts, with what links it.
    #[arg(long)]
    members: bool,
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
            What::Rotation(of) => of.print(&store, &rules, global.now(&rules)?)?,
            What::Alerts(of) => of.print(&store, &rules, global.now(&rules)?)?,
            What::Rules(of) => of.print(&store, &rules, global.now(&rules)?)?,
            What::Accounts(of) => of.print(&StoreAccounts::new(&store, &rules)?)?,
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
        self.format.print(tables, right)
    }
}

impl OfAccounts {
    fn print(&self, accounts: &StoreAccounts<'_>) -> Result<()> {
        let is_csv = self.format == ReportFormat::Csv;
        if self.members {
            return self.format.print(&[member_table(&accounts.members(self.limit)?)], &[]);
        }
        let figures = accounts.figures(self.limit)?;
        if is_csv {
            return self.format.print(&[csv_table(&figures)], &[]);
        }
        self.format.print(&[table(&figures)], &[3])?;
        let shared = figures.iter().filter(|one| one.owners.len() > 1).count() as u64;
        let several = match shared {
            0 => String::new(),
            shared => format!(", {shared} with several owners"),
        };
        let (shown, total) = (figures.len(), accounts.count());
        let listed = if shown < total {
            format!("{shown} of {total} accounts")
        } else {
            terminal::count(total as u64, "account", "accounts")
        };
        terminal::print(&format!("\n{listed} of two leads or more{several}"))
    }
}

impl ReportFormat {
    /// Writes tables, in which the columns `right` hold figures.
    fn print(self, tables: &[Vec<Vec<String>>], right: &[usize]) -> Result<()> {
        if self == Self::Csv {
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
