//! `leadmill report rules`

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};

use super::ReportFormat;
use crate::cli::horizon::Horizon;
use crate::cli::terminal;
use crate::pipeline::calibrate::MEETING;
use crate::pipeline::rule_usage::{RuleUsage, compare_outcomes, rule_usage};
use crate::report::rules::{
    as_json, dead, lift_legend, lift_table, route_csv, route_table, rule_csv, rule_table,
};
use crate::rules::RuleSet;
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct OfRules {
    /// How to write it.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Only rules and routes that have never fired.
    #[arg(long)]
    dead: bool,
    #[command(flatten)]
    horizon: Horizon,
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

impl OfRules {
    /// Writes the report; leads whose window is over by `as_of` tell what rules are worth.
    pub(super) fn print(&self, store: &Store, rules: &RuleSet, as_of: DateTime<Utc>) -> Result<()> {
        let mut usage = rule_usage(store, rules)?;
        let asked = |kinds: &[&str]| {
            self.horizon.question(kinds.iter().map(|kind| (*kind).to_owned()).collect(), as_of)
        };
        compare_outcomes(store, rules, [&asked(MEETING)?, &asked(&["won"])?], &mut usage)?;
        if self.dead {
            usage.rules.retain(|rule| rule.last_fired.is_none());
            usage.routes.retain(|route| route.last_fired.is_none());
        }
        let RuleUsage { leads, rules, routes, .. } = &usage;
        match self.format {
            Format::Csv => {
                let tables = [rule_csv(rules, *leads), route_csv(routes, *leads)];
                ReportFormat::Csv.print(&tables, &[])
            }
            Format::Json => {
                terminal::print(&as_json(rules, routes, *leads, usage.outcomes).to_string())
            }
            Format::Table => self.print_tables(&usage),
        }
    }

    fn print_tables(&self, usage: &RuleUsage) -> Result<()> {
        let RuleUsage { leads, rules, routes, outcomes } = usage;
        let format = ReportFormat::Table;
        format.print(&[rule_table(rules, *leads)], &[2, 3, 4, 5, 6])?;
        if let Some(outcomes) = outcomes.filter(|_| !self.dead) {
            terminal::print("")?;
            terminal::print_wrapped(&outcomes.in_words(&self.horizon.window), 2)?;
            if let Some(table) = lift_table(rules, outcomes) {
                terminal::print("")?;
                format.print(&[table], &[1, 2, 3, 4, 5, 6, 7])?;
                terminal::print_wrapped(&lift_legend(), 2)?;
            }
        }
        terminal::print("")?;
        format.print(&[route_table(routes, *leads)], &[2, 3, 4])?;
        let Some(dead) = dead(rules, routes) else { return Ok(()) };
        terminal::print("")?;
        terminal::print_wrapped(&dead, 2)
    }
}
