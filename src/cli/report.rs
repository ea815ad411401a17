//! `leadmill report`

mod alerts;
mod enquiries;
mod metrics;
mod page;
mod rotation;
mod rules;

use std::io::Write as _;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};

use metrics::{Making, MetricFormat};

use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::pipeline::accounts::StoreAccounts;
use crate::pipeline::reports::{dropoff_table, duplicate_tables, published_dropoff};
use crate::report::accounts::{csv_table, member_table, table};
use crate::report::duplicates::explained;
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
    /// How long enquiries waited for the first contact, by the wall clock and in working hours.
    ///
    /// An enquiry is the submission that opened a cycle: a lead's first, and each that comes more than `restart-after`
    /// (followup.toml) after the one before. Contact is whatever ends the follow-up: contacted, a meeting, won, lost.
    /// Working hours are those of the lead's present owner, else the office's. Median and p90 by nearest rank, of the
    /// contacted; each share is of the enquiries that are at least that old.
    Speed(enquiries::OfSpeed),
    /// How many enquiries came to a meeting and to a deal, by week, month or what you like.
    ///
    /// Counted is what happened within the window of each enquiry and before the lead's next one, so that cohorts can
    /// be compared; a cohort is marked open while its figures can still rise.
    Meetings(enquiries::OfMeetings),
    /// Each step of the chain: in, out, stuck, and why; the sums are the rows received.
    ///
    /// Of one run, as it was published; with --all, --by, --since or --until over time, up to contact, meeting and
    /// deal, with how long what is stuck has been there.
    Dropoff(OfDropoff),
    /// Duplicate rates by source and by campaign, with how they are counted.
    ///
    /// Of one run, as its rows were joined; with --rate over time. There a row is, the first that fits: resubmit (the
    /// very same row again), existing customer (won before), repeat (the same person by the same form, source
    /// and campaign within --repeat-within), cross-campaign (through a source or campaign new for them), returning.
    Duplicates(OfDuplicates),
    /// Which calls and tasks were done by their due time, and how evenly leads were shared.
    ///
    /// Promised are the calls and tasks of the plans. Met: contact between the enquiry and the due time; breached:
    /// none by then, be there some later or not; open: not due yet.
    Sla(enquiries::OfSla),
    /// What a lead, a hot lead, a meeting and a deal cost, by a table of what was spent.
    ///
    /// A line of it names a source (the export's preset or the channel, such as `facebook`), a campaign or both, the
    /// days paid for, an amount and its currency. Currencies are never added up.
    Costs(enquiries::OfCosts),
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
    /// One page for everybody: the last four weeks and what stands now, without network and scripts.
    ///
    /// Figures of the last whole day beside the same weekday before it (the median of at most eight weeks, days off
    /// left out), new leads by source, where rows left the chain, speed to lead, scores, duplicates by campaign, late
    /// tasks, hot leads, owners, quarantine. Each run puts the same page out as report.html. It holds personal data.
    Html(page::OfPage),
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
struct OfDropoff {
    #[command(flatten)]
    run: OfRun,
    #[command(flatten)]
    period: enquiries::OfChain,
}

#[derive(Debug, Args)]
struct OfDuplicates {
    #[command(flatten)]
    run: OfRun,
    #[command(flatten)]
    period: enquiries::OfRate,
}

#[derive(Debug, Args)]
struct OfRun {
    /// The run to look at; default: the latest.
    #[arg(long, value_name = "ID", conflicts_with_all = ["since", "until"])]
    run: Option<String>,
}

impl Report {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let store = global.read_store()?;
        match &self.what {
            What::Dropoff(of) if of.period.is_asked() => {
                of.period.print(&Making::begin(global, &store, &rules)?)?;
            }
            What::Dropoff(of) => {
                let run = of.run.record(&store)?;
                let table = match published_dropoff(&run)? {
                    Some(table) => table,
                    None => {
                        say_that_it_is_counted_today(global, &run);
                        dropoff_table(&store, &rules, &run)?
                    }
                };
                of.period.asked.format.print(&[table], &[2, 3, 4])?;
            }
            What::Duplicates(of) if of.period.is_asked() => {
                of.period.print(&Making::begin(global, &store, &rules)?)?;
            }
            What::Duplicates(of) => {
                let run = of.run.record(&store)?;
                let mut tables = duplicate_tables(&store, &rules, &run)?;
                let format = of.period.asked.format;
                let is_table = matches!(format, MetricFormat::Table);
                if is_table {
                    for table in &mut tables {
                        shorten_header(table);
                    }
                }
                format.print(&tables, &[1, 2, 3, 4, 5, 6, 7])?;
                if is_table {
                    terminal::print("")?;
                    terminal::print_wrapped(&explained(), 0)?;
                }
            }
            What::Speed(of) => of.print(&Making::begin(global, &store, &rules)?)?,
            What::Meetings(of) => of.print(&Making::begin(global, &store, &rules)?)?,
            What::Sla(of) => of.print(&Making::begin(global, &store, &rules)?)?,
            What::Costs(of) => of.print(global, &Making::begin(global, &store, &rules)?)?,
            What::Rotation(of) => of.print(&store, &rules, global.now(&rules)?)?,
            What::Html(of) => of.print(global, &store, &rules)?,
            What::Alerts(of) => of.print(&store, &rules, global.now(&rules)?)?,
            What::Rules(of) => of.print(&store, &rules, global.now(&rules)?)?,
            What::Accounts(of) => of.print(&StoreAccounts::new(&store, &rules)?)?,
        }
        Ok(0)
    }
}

/// Names the columns of a table of duplicates so that it fits a terminal.
fn shorten_header(table: &mut [Vec<String>]) {
    for name in table.first_mut().into_iter().flatten() {
        match name.as_str() {
            "submissions" => "sent".clone_into(name),
            "duplicates" => "in all".clone_into(name),
            _ => {}
        }
    }
}

/// An older leadmill kept no drop-off, and what the store counts of a run gets less with every later one.
fn say_that_it_is_counted_today(global: &Global, run: &RunRecord) {
    let file = global.out_path().join("runs").join(&run.id).join("dropoff.csv");
    terminal::warning(&format!(
        "of run {} no drop-off was kept; of its leads those are counted that no later run changed\nhint: as it was \
         published it is in {}",
        run.id,
        file.display()
    ));
}

fn is_standing_import(run: &RunRecord) -> bool {
    run.kind == RunKind::Import && run.undone_by.is_none()
}

impl OfRun {
    fn record(&self, store: &Store) -> Result<RunRecord> {
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
}

impl OfAccounts {
    fn print(&self, accounts: &StoreAccounts<'_>) -> Result<()> {
        let is_csv = self.format == ReportFormat::Csv;
        if self.members {
            let mut table = member_table(&accounts.members(self.limit)?);
            if let Some(header) = table.first_mut().filter(|_| !is_csv) {
                for name in header {
                    *name = name.replace('_', " ");
                }
            }
            return self.format.print(&[table], &[]);
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

impl MetricFormat {
    /// Writes the tables of a run, in which the columns `right` hold figures.
    fn print(self, tables: &[Vec<Vec<String>>], right: &[usize]) -> Result<()> {
        match self {
            Self::Table => ReportFormat::Table.print(tables, right),
            Self::Csv => ReportFormat::Csv.print(tables, right),
            Self::Json => {
                let tables = tables.iter().map(|table| crate::report::to_json(table)).collect();
                terminal::print(&serde_json::Value::Array(tables).to_string())
            }
            Self::Markdown => {
                let of = |table: &Vec<Vec<String>>| crate::report::to_markdown(table, right);
                let texts: Vec<String> = tables.iter().map(of).collect();
                terminal::print(texts.join("\n").trim_end())
            }
        }
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
