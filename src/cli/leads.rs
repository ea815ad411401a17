//! `leadmill leads`

use std::io::Write as _;

use clap::{Args, ValueEnum};

use super::workspace::Global;
use super::{Outcome, terminal};
use crate::delivery::crm::{CrmWriter, row};
use crate::model::ids::RunNo;
use crate::model::moment::utc_from_ms;
use crate::pipeline::deliveries::with_lookups;
use crate::pipeline::publish::{read_as, rule_no};
use crate::rules::target::{Target, TargetFormat};
use crate::store::listing::LeadFilter;

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people.
    Table,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Jsonl,
}

/// List leads, in the order in which they came.
#[derive(Debug, Args)]
pub struct Leads {
    /// Only this segment: hot, warm or cold.
    #[arg(long, value_name = "SEGMENT", value_parser = ["hot", "warm", "cold"])]
    segment: Option<String>,
    /// Only leads of this owner.
    #[arg(long, value_name = "ID")]
    owner: Option<String>,
    /// Only leads in this queue.
    #[arg(long, value_name = "ID")]
    queue: Option<String>,
    /// At most this many.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// How to write the list.
    #[arg(long, value_enum, default_value = "table")]
    format: ListFormat,
}

impl Leads {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let store = global.read_store()?;
        Global::expect_owner(&rules, &store, self.owner.as_deref())?;
        Global::expect_queue(&rules, &store, self.queue.as_deref())?;
        let filter = LeadFilter {
            segment: self.segment.clone(),
            owner: self.owner.clone(),
            queue: self.queue.clone(),
            limit: self.limit.map(i64::from),
            ..LeadFilter::default()
        };
        let rule_no = |id: &str| rule_no(&rules, id);
        let read = read_as(&rules, &rule_no, RunNo(0));
        if self.format == ListFormat::Table {
            let mut rows = vec![
                ["lead", "name", "score", "segment", "with", "last submitted"]
                    .map(str::to_owned)
                    .to_vec(),
            ];
            store.each_lead(&filter, read, |lead, _| {
                let at = utc_from_ms(lead.last_submitted_ms).with_timezone(&rules.workspace.zone);
                rows.push(vec![
                    lead.id.to_string(),
                    lead.display_name(),
                    lead.score.total.to_string(),
                    lead.score.segment.word().to_owned(),
                    lead.owner.clone().unwrap_or_else(|| format!("({})", lead.queue)),
                    at.format("%Y-%m-%d %H:%M").to_string(),
                ]);
                Ok(())
            })?;
            terminal::print(&terminal::table(&rows, &[2]))?;
            let listed = rows.len() as u64 - 1;
            terminal::print(&format!("\n{}", terminal::count(listed, "lead", "leads")))?;
            return Ok(0);
        }
        let Some(all_fields) = rules.targets.get("leads") else {
            anyhow::bail!(
                "the target `leads` is missing\nhint: put rules/targets/leads.toml back, or use \
                 --format table"
            );
        };
        let target = match self.format {
            ListFormat::Jsonl => Target { format: TargetFormat::Jsonl, ..all_fields.clone() },
            ListFormat::Csv | ListFormat::Table => all_fields.clone(),
        };
        let mut writer = CrmWriter::new(&target, rules.workspace.zone, terminal::stdout())?;
        with_lookups(&rules, |lookups| {
            store.each_lead(&filter, read, |lead, _| {
                match row(&target, &rules.fields, &lead, lookups) {
                    Ok(row) => writer.write(&row).map(drop),
                    Err(_) => Ok(()),
                }
            })
        })?;
        writer.finish()?.out.flush()?;
        Ok(0)
    }
}
