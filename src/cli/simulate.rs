//! `leadmill simulate`

use std::io::Write as _;

use anyhow::Result;
use chrono::SecondsFormat;
use clap::{Args, ValueEnum};

use super::rescore::{ScopeArgs, print_sums};
use super::run::Worker;
use super::workspace::Global;
use super::{Outcome, terminal};
use crate::model::moment::utc_from_ms;
use crate::pipeline::rescore::simulate;
use crate::report::comparison::LeadShift;
use crate::report::simulation::{CSV_HEADER, Foremost, Simulation, change_table, csv_row};
use crate::rules::difference::difference;

/// Say what other rules would change, over all leads; write nothing.
///
/// `--rules DIR` names the rules to try; without it those of the workspace are tried: what `leadmill rescore`
/// would do now. The outcome is exactly that of a rescore at the same `--as-of`. It only reads, so a run may
/// go on meanwhile.
#[derive(Debug, Args)]
pub struct Simulate {
    #[command(flatten)]
    scope: ScopeArgs,
    /// How to write it; `csv` is the list of all leads that change.
    #[arg(long, value_enum, default_value = "table")]
    format: SimulationFormat,
    /// List at most this many of the leads that change, those that matter most first. Default: 20 in a table,
    /// 500 in JSON and HTML.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

/// How a simulation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SimulationFormat {
    /// For people.
    Table,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
    /// A page that stands alone.
    Html,
}

impl Simulate {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let at_hand = match global.rules {
            Some(_) => global.own_rules()?,
            None => rules.clone(),
        };
        let scope = self.scope.scope(&rules)?;
        let as_of = global.now(&rules)?;
        let worker = Worker::at(global, &rules, self.scope.threads, as_of)?;
        if self.format == SimulationFormat::Csv {
            let mut csv = csv_out();
            csv.write(&CSV_HEADER.map(str::to_owned))?;
            let mut see = |lead: &LeadShift| {
                if lead.is_change() { csv.write(&csv_row(lead)) } else { Ok(()) }
            };
            worker.work(global, |job, events| simulate(job, &at_hand, scope, &mut see, events))?;
            csv.out.flush()?;
            return Ok(0);
        }
        let listed = if self.format == SimulationFormat::Table { 20 } else { 500 };
        let mut foremost = Foremost::new(self.limit.unwrap_or(listed));
        let mut see = |lead: &LeadShift| {
            foremost.offer(lead);
            Ok(())
        };
        let comparison =
            worker.work(global, |job, events| simulate(job, &at_hand, scope, &mut see, events))?;
        let simulation = Simulation {
            as_of: as_of.to_rfc3339_opts(SecondsFormat::Secs, true),
            since: scope
                .since_ms
                .map(|since| utc_from_ms(since).to_rfc3339_opts(SecondsFormat::Secs, true)),
            reroute: scope.reroutes,
            edits: difference(&at_hand, &rules),
            rules_at_hand: at_hand.hash,
            rules_tried: rules.hash.clone(),
            comparison,
            changes: foremost.into_leads(),
        };
        match self.format {
            SimulationFormat::Json => terminal::print(&serde_json::to_string(&simulation)?)?,
            SimulationFormat::Html => terminal::print(&simulation.html()?)?,
            _ => print_tables(&simulation)?,
        }
        Ok(0)
    }
}

/// Rows of a spreadsheet on stdout, whatever thread writes them.
struct CsvOut {
    out: std::io::BufWriter<std::io::Stdout>,
}

fn csv_out() -> CsvOut {
    CsvOut { out: std::io::BufWriter::new(std::io::stdout()) }
}

impl CsvOut {
    fn write(&mut self, row: &[String]) -> Result<()> {
        let line = crate::report::to_csv(&[row.to_vec()])?;
        Ok(self.out.write_all(terminal::shown(&line).as_bytes())?)
    }
}

fn print_tables(simulation: &Simulation) -> Result<()> {
    let Simulation { rules_at_hand, rules_tried, comparison, .. } = simulation;
    terminal::print(&format!(
        "as of {}; rules {rules_tried} instead of {rules_at_hand}",
        simulation.as_of
    ))?;
    if !simulation.edits.is_empty() {
        let row = |kind: &str, id: &str, edit: &str| [kind, id, edit].map(str::to_owned).to_vec();
        let mut rows = vec![row("rules", "", "otherwise")];
        rows.extend(simulation.edits.iter().map(|one| row(one.kind, &one.id, &one.edit)));
        terminal::print("")?;
        terminal::print(&terminal::table(&rows, &[]))?;
    }
    print_sums(comparison, "would change")?;
    if !simulation.changes.is_empty() {
        let table = change_table(&simulation.changes);
        terminal::print("")?;
        terminal::print(&format!(
            "{} ({} of {})",
            table.title,
            simulation.changes.len(),
            comparison.changed
        ))?;
        terminal::print(&terminal::table(&table.rows, &table.right))?;
    }
    terminal::print("")?;
    terminal::print("nothing was written")
}
