//! What all reports about enquiries are asked, and how they are written.

use anyhow::Result;
use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use chrono_tz::Tz;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use crate::cli::terminal;
use crate::cli::workspace::{Global, UsageError};
use crate::model::metric::By;
use crate::pipeline::metrics::{Activities, Scope};
use crate::report::metrics::{MetricTable, compare, no_activity};
use crate::rules::RuleSet;
use crate::rules::hours::day_begins;
use crate::store::Store;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum MetricFormat {
    /// For people.
    Table,
    /// For spreadsheets; lengths of time in seconds, shares as count, of how many, percent.
    Csv,
    /// For programs; the figures of csv, on one line.
    Json,
    /// For a page or a message.
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Compare {
    /// The days before `--since`, as many as the period has.
    Previous,
    /// The same days a week before.
    Week,
    /// The same days of the month before, to its end where it is the shorter one.
    Month,
    /// The same days of the year before.
    Year,
}

/// What every report about enquiries is asked.
#[derive(Debug, Args)]
pub(super) struct Asked {
    /// How to write it.
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: MetricFormat,
    /// Only what was sent on this day or later, such as 2026-11-01.
    #[arg(long, value_name = "DAY")]
    pub(super) since: Option<NaiveDate>,
    /// Only what was sent on this day or earlier.
    #[arg(long, value_name = "DAY")]
    pub(super) until: Option<NaiveDate>,
    /// Beside the same of an earlier period, with what changed.
    #[arg(long, value_enum, value_name = "PERIOD", requires = "since")]
    compare: Option<Compare>,
}

/// Returns the parser of a `--by` that knows these.
pub(super) fn by_one_of(known: &'static [By]) -> impl TypedValueParser<Value = By> {
    PossibleValuesParser::new(known.iter().map(|by| by.word()))
        .map(|word| By::of(&word).expect("only known words come through"))
}

/// A report about enquiries that is being made.
pub(super) struct Making<'a> {
    pub(super) store: &'a Store,
    pub(super) rules: &'a RuleSet,
    pub(super) as_of: DateTime<Utc>,
    pub(super) activities: Activities,
    pub(super) knows_activity: bool,
}

/// Days from one to another, each included; open where nothing is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    since: Option<NaiveDate>,
    until: Option<NaiveDate>,
}

impl<'a> Making<'a> {
    pub(super) fn begin(global: &Global, store: &'a Store, rules: &'a RuleSet) -> Result<Self> {
        let as_of = global.now(rules)?;
        // A run may go on meanwhile; what is read one after the other must be of one state.
        store.begin_reading()?;
        Ok(Self {
            store,
            rules,
            as_of,
            activities: Activities::read(store, rules, as_of)?,
            knows_activity: store.has_activity()?,
        })
    }

    /// Returns the scope of a period.
    pub(super) fn scope(&self, period: Period, by: Option<By>) -> Scope {
        let zone = self.rules.workspace.zone;
        Scope {
            since: period.since.map(|day| day_begins(zone, day)),
            until: period.until.map(|day| day_begins(zone, after(day))),
            as_of: self.as_of,
            by,
        }
    }

    /// Returns the title of a report about a period.
    pub(super) fn title(&self, what: &str, period: Period) -> String {
        let zone = self.rules.workspace.zone;
        let days = match (period.since, period.until) {
            (None, None) => "everything received".to_owned(),
            (Some(since), None) => format!("sent since {since}"),
            (None, Some(until)) => format!("sent until {until}"),
            (Some(since), Some(until)) => format!("sent from {since} to {until}"),
        };
        format!(
            "{what}: {days}, as of {}",
            self.as_of.with_timezone(&zone).format("%Y-%m-%d %H:%M")
        )
    }

    /// Returns `table` with a note of what was done about nobody, or that nobody can know where nothing of what the
    /// sales side did was imported.
    pub(super) fn needing_activity(&self, mut table: MetricTable) -> MetricTable {
        if self.activities.of_nobody > 0 {
            table.notes.push(format!(
                "Not counted: {} that no lead has the address, number or id of, or several have",
                terminal::count(self.activities.of_nobody, "activity", "activities")
            ));
        }
        let missing = (!self.knows_activity && table.missing.is_none()).then(no_activity);
        match missing {
            None => table,
            missing => MetricTable { rows: Vec::new(), totals: Vec::new(), missing, ..table },
        }
    }
}

impl Asked {
    /// Returns the period that is asked for.
    pub(super) fn period(&self) -> Result<Period> {
        let Self { since, until, .. } = *self;
        if let (Some(since), Some(until)) = (since, until)
            && until < since
        {
            return Err(UsageError(format!("--until {until} is before --since {since}")).into());
        }
        Ok(Period { since, until })
    }

    /// Makes the table of the period that is asked for, beside the one before where that is asked, too.
    pub(super) fn table(
        &self,
        making: &Making<'_>,
        by: Option<By>,
        make: impl Fn(Period) -> Result<MetricTable>,
    ) -> Result<MetricTable> {
        let period = self.period()?;
        let table = make(period)?;
        let Some(with) = self.compare else { return Ok(table) };
        if by.is_some_and(By::is_time) {
            return Err(UsageError(
                "--compare cannot be split by days, weeks or months: each is in one period only\n\
                 hint: leave out --by, or ask for source, campaign, owner"
                    .to_owned(),
            )
            .into());
        }
        let before = with.before(period, making.as_of, making.rules.workspace.zone);
        let compared = compare(table, &make(before)?);
        let (Some(from), Some(to)) = (before.since, before.until) else { return Ok(compared) };
        Ok(MetricTable { title: format!("{}; before: {from} to {to}", compared.title), ..compared })
    }

    /// Writes tables.
    pub(super) fn print(&self, tables: &[MetricTable]) -> Result<()> {
        match self.format {
            MetricFormat::Table => print_for_people(tables),
            MetricFormat::Csv => {
                let csv: Result<String> = tables.iter().take(1).map(MetricTable::to_csv).collect();
                terminal::print(csv?.trim_end())?;
                // Whoever reads rows must not take a sentence for one.
                tables.iter().filter_map(|table| table.missing.as_deref()).for_each(terminal::say);
                Ok(())
            }
            MetricFormat::Json => {
                let mut tables = tables.iter().map(MetricTable::to_json);
                let mut first = tables.next().unwrap_or_default();
                // Only promises bring a second table: how the queues shared the leads.
                if let (Some(object), Some(second)) = (first.as_object_mut(), tables.next()) {
                    object.insert("queues".to_owned(), second);
                }
                terminal::print(&first.to_string())
            }
            MetricFormat::Markdown => {
                let texts: Vec<String> = tables.iter().map(MetricTable::to_markdown).collect();
                terminal::print(texts.join("\n").trim_end())
            }
        }
    }
}

fn print_for_people(tables: &[MetricTable]) -> Result<()> {
    for (number, table) in tables.iter().enumerate() {
        if number > 0 {
            terminal::print("")?;
        }
        terminal::print_wrapped(&table.title, 2)?;
        if let Some(missing) = &table.missing {
            terminal::print_wrapped(missing, 0)?;
            continue;
        }
        for section in table.to_sections() {
            terminal::print("")?;
            if !section.title.is_empty() {
                terminal::print_wrapped(&section.title, 2)?;
            }
            terminal::print(&terminal::table(&section.rows, &section.right))?;
        }
        for note in &table.notes {
            terminal::print("")?;
            terminal::print_wrapped(note, 0)?;
        }
    }
    Ok(())
}

impl Compare {
    /// Returns the days that a period is compared with; one without an end goes up to now.
    fn before(self, period: Period, as_of: DateTime<Utc>, zone: Tz) -> Period {
        let today = as_of.with_timezone(&zone).date_naive();
        let Some(since) = period.since else { return period };
        let until = period.until.unwrap_or(today).max(since);
        let earlier = |day: NaiveDate| {
            let found = match self {
                Self::Previous => {
                    day.checked_sub_days(Days::new((until - since).num_days() as u64 + 1))
                }
                Self::Week => day.checked_sub_days(Days::new(7)),
                // What no month has, such as 31 February, is its last day.
                Self::Month => day.checked_sub_months(Months::new(1)),
                Self::Year => day.checked_sub_months(Months::new(12)),
            };
            found.unwrap_or(day)
        };
        Period { since: Some(earlier(since)), until: Some(earlier(until)) }
    }
}

fn after(day: NaiveDate) -> NaiveDate {
    day.succ_opt().unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(with: Compare, since: &str, until: Option<&str>, expected: (&str, &str)) {
        let period = Period {
            since: Some(since.parse().unwrap()),
            until: until.map(|day| day.parse().unwrap()),
        };
        let as_of = "2026-11-20T23:30:00Z".parse().unwrap();
        let Period { since, until } = with.before(period, as_of, Tz::Europe__Warsaw);
        assert_eq!(
            (since.unwrap().to_string().as_str(), until.unwrap().to_string().as_str()),
            expected
        );
    }

    #[test]
    fn the_period_before_has_as_many_days() {
        use Compare::Previous;
        check(Previous, "2026-11-09", Some("2026-11-15"), ("2026-11-02", "2026-11-08"));
        check(Previous, "2026-11-15", Some("2026-11-15"), ("2026-11-14", "2026-11-14"));
        // In Warsaw it is the 21st already.
        check(Previous, "2026-11-20", None, ("2026-11-18", "2026-11-19"));
        check(Previous, "2026-12-24", None, ("2026-12-23", "2026-12-23"));
    }

    #[test]
    fn the_same_days_of_the_week_the_month_and_the_year_before() {
        use Compare::{Month, Week, Year};
        check(Week, "2026-11-16", None, ("2026-11-09", "2026-11-14"));
        check(Week, "2026-03-02", Some("2026-03-04"), ("2026-02-23", "2026-02-25"));
        check(Month, "2026-11-01", Some("2026-11-15"), ("2026-10-01", "2026-10-15"));
        check(Month, "2026-03-01", Some("2026-03-31"), ("2026-02-01", "2026-02-28"));
        check(Month, "2024-03-30", Some("2024-03-31"), ("2024-02-29", "2024-02-29"));
        check(Month, "2026-01-10", Some("2026-01-20"), ("2025-12-10", "2025-12-20"));
        check(Year, "2024-02-01", Some("2024-02-29"), ("2023-02-01", "2023-02-28"));
    }
}
