//! `leadmill report speed`, `meetings`, `sla`, `costs`, and what `dropoff` and `duplicates` say of a period.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::metrics::{Asked, Making, by_one_of};
use crate::cli::terminal;
use crate::cli::workspace::{Global, UsageError, duration};
use crate::intake::InputPath;
use crate::model::metric::By;
use crate::pipeline::metrics::costs::cost_figures;
use crate::pipeline::metrics::dropoff::chain_figures;
use crate::pipeline::metrics::duplicates::{duplicate_figures, each_duplicate};
use crate::pipeline::metrics::meetings::cohort_figures;
use crate::pipeline::metrics::sla::{sharing_figures, sla_figures};
use crate::pipeline::metrics::speed::speed_figures;
use crate::pipeline::metrics::spend::read_spend;
use crate::report::metrics::duplicates::DuplicateList;
use crate::report::metrics::{MetricTable, no_enquiries};

const ALL: &[By] = &[
    By::Source,
    By::Campaign,
    By::Form,
    By::Owner,
    By::Queue,
    By::Segment,
    By::Country,
    By::Day,
    By::Week,
    By::Month,
];

#[derive(Debug, Args)]
pub(super) struct OfSpeed {
    #[command(flatten)]
    asked: Asked,
    /// A row for each of these.
    #[arg(long, value_parser = by_one_of(ALL))]
    by: Option<By>,
    /// Enquiries that nobody answered are `open` for so long, then `never`.
    #[arg(long, value_name = "TIME", default_value = "24h")]
    window: String,
}

#[derive(Debug, Args)]
pub(super) struct OfMeetings {
    #[command(flatten)]
    asked: Asked,
    /// What makes a cohort.
    #[arg(long, value_parser = by_one_of(ALL), default_value = "week")]
    by: By,
    /// What happens later than this after the enquiry is not counted.
    #[arg(long, value_name = "TIME", default_value = "30d")]
    window: String,
}

#[derive(Debug, Args)]
pub(super) struct OfSla {
    #[command(flatten)]
    asked: Asked,
    /// A row for each of these.
    #[arg(long, value_parser = by_one_of(ALL), default_value = "owner")]
    by: By,
    /// How queues share their leads now, instead of how promises were kept; turns count from `--since` on.
    #[arg(long, conflicts_with_all = ["by", "until", "compare"])]
    shares: bool,
}

#[derive(Debug, Args)]
pub(super) struct OfCosts {
    #[command(flatten)]
    asked: Asked,
    /// The spend table: source, campaign, from, to, amount, currency; default: rules/tables/spend.csv.
    #[arg(long, value_name = "FILE")]
    spend: Option<PathBuf>,
    /// Meetings and deals later than this after the enquiry are not counted.
    #[arg(long, value_name = "TIME", default_value = "30d")]
    window: String,
}

/// What `report dropoff` is asked about a period.
#[derive(Debug, Args)]
pub(super) struct OfChain {
    #[command(flatten)]
    pub(super) asked: Asked,
    /// A chain for each of these, over all that was received or the period asked for.
    #[arg(long, value_parser = by_one_of(ALL), conflicts_with = "run")]
    by: Option<By>,
    /// Over all that was ever received, instead of one run.
    #[arg(long, conflicts_with = "run")]
    all: bool,
    /// Enquiries that nobody answered are still in time for so long; default: 24h.
    #[arg(long, value_name = "TIME", conflicts_with = "run")]
    window: Option<String>,
}

/// What `report duplicates --rate` is asked.
#[derive(Debug, Args)]
pub(super) struct OfRate {
    #[command(flatten)]
    pub(super) asked: Asked,
    /// The rate over all that was received or the period asked for, instead of one run, by declared definitions.
    #[arg(long, conflicts_with = "run")]
    pub(super) rate: bool,
    /// Each duplicate with its row and the one before it, as CSV.
    #[arg(long, requires = "rate", conflicts_with_all = ["format", "by", "compare"])]
    list: bool,
    /// A row for each of these; default: source.
    #[arg(long, value_parser = by_one_of(ALL), requires = "rate")]
    by: Option<By>,
    /// How far apart two rows of one form may be to be a repeat.
    #[arg(long, value_name = "TIME", default_value = "30d", requires = "rate")]
    repeat_within: String,
}

/// Returns `table`, or that nobody enquired.
fn unless_empty(table: MetricTable, enquiries: u64) -> MetricTable {
    let missing = (enquiries == 0).then(no_enquiries);
    MetricTable { missing, ..table }
}

impl OfSpeed {
    pub(super) fn print(&self, making: &Making<'_>) -> Result<()> {
        let window = duration("window", &self.window)?;
        let table = self.asked.table(making, self.by, |period| {
            let scope = making.scope(period, self.by);
            let Making { store, rules, activities, .. } = making;
            let figures = speed_figures(store, rules, &scope, activities, window)?;
            let title = making.title("Speed to lead", period);
            let table = figures.to_table(title, self.by.map(By::word), &self.window);
            Ok(making.needing_activity(unless_empty(table, figures.total.enquiries)))
        })?;
        self.asked.print(&[table])
    }
}

impl OfMeetings {
    pub(super) fn print(&self, making: &Making<'_>) -> Result<()> {
        let window = duration("window", &self.window)?;
        let table = self.asked.table(making, Some(self.by), |period| {
            let scope = making.scope(period, Some(self.by));
            let Making { store, rules, activities, .. } = making;
            let figures = cohort_figures(store, rules, &scope, activities, window)?;
            let title = making.title("Lead to meeting and to deal", period);
            let table = figures.to_table(title, self.by.word(), &self.window);
            Ok(making.needing_activity(unless_empty(table, figures.total.enquiries)))
        })?;
        self.asked.print(&[table])
    }
}

impl OfSla {
    pub(super) fn print(&self, making: &Making<'_>) -> Result<()> {
        let Making { store, rules, activities, .. } = making;
        let period = self.asked.period()?;
        let scope = making.scope(period, Some(self.by));
        let queues = sharing_figures(store, rules, &scope)?.to_table();
        if self.shares {
            return self.asked.print(&[queues]);
        }
        let promises = self.asked.table(making, Some(self.by), |period| {
            let scope = making.scope(period, Some(self.by));
            let figures = sla_figures(store, rules, &scope, activities)?;
            let title = making.title("Promises kept", period);
            let mut table = figures.to_table(title, self.by.word());
            table.missing = (figures.total.promised == 0).then(|| {
                "no call and no task was promised in this period: plans in followup.toml promise them".to_owned()
            });
            Ok(making.needing_activity(table))
        })?;
        self.asked.print(&[promises, queues])
    }
}

impl OfCosts {
    pub(super) fn print(&self, global: &Global, making: &Making<'_>) -> Result<()> {
        let window = duration("window", &self.window)?;
        let usual = global.rules_path().join("tables/spend.csv");
        let path = self.spend.clone().unwrap_or(usual);
        if !path.is_file() {
            return Err(UsageError(format!(
                "there is no spend table at {}\nhint: a CSV with source, campaign, from, to, amount, currency; \
                 `--spend FILE` names another",
                path.display()
            ))
            .into());
        }
        let lines = read_spend(&InputPath::file(path), making.rules)?;
        let table = self.asked.table(making, None, |period| {
            let scope = making.scope(period, None);
            let Making { store, rules, activities, .. } = making;
            let figures = cost_figures(store, rules, &scope, activities, window, &lines)?;
            let title = making.title("What leads cost", period);
            let mut table = figures.to_table(title, &self.window, making.knows_activity);
            table.missing = figures
                .groups
                .is_empty()
                .then(|| "the spend table has no line for a day of this period".to_owned());
            Ok(table)
        })?;
        self.asked.print(&[table])
    }
}

impl OfChain {
    /// Returns whether a period is asked about, and not a run.
    pub(super) fn is_asked(&self) -> bool {
        let Self { asked, by, all, window } = self;
        let has_days = asked.since.is_some() || asked.until.is_some();
        *all || has_days || by.is_some() || window.is_some()
    }

    pub(super) fn print(&self, making: &Making<'_>) -> Result<()> {
        let within = self.window.as_deref().unwrap_or("24h");
        let window = duration("window", within)?;
        let table = self.asked.table(making, self.by, |period| {
            let scope = making.scope(period, self.by);
            let Making { store, rules, activities, .. } = making;
            let figures = chain_figures(store, rules, &scope, activities, window)?;
            let title = making.title("Drop-off", period);
            let table = figures.to_table(title, self.by.map(By::word), within);
            Ok(unless_empty(table, figures.total.received))
        })?;
        self.asked.print(&[table])
    }
}

impl OfRate {
    /// Returns whether a period is asked about, and not a run.
    pub(super) fn is_asked(&self) -> bool {
        self.rate || self.asked.since.is_some() || self.asked.until.is_some()
    }

    pub(super) fn print(&self, making: &Making<'_>) -> Result<()> {
        let within = duration("repeat-within", &self.repeat_within)?;
        let by = self.by.unwrap_or(By::Source);
        let Making { store, rules, activities, .. } = making;
        if self.list {
            let scope = making.scope(self.asked.period()?, None);
            let mut list = DuplicateList::new(terminal::stdout())?;
            each_duplicate(store, rules, &scope, activities, within, |one| list.write(one))?;
            return list.finish();
        }
        let table = self.asked.table(making, Some(by), |period| {
            let scope = making.scope(period, Some(by));
            let figures = duplicate_figures(store, rules, &scope, activities, within)?;
            let title = making.title("Duplicate rate", period);
            let table = figures.to_table(title, by.word(), &self.repeat_within);
            Ok(unless_empty(table, figures.total.rows))
        })?;
        self.asked.print(&[table])
    }
}
