//! `leadmill consent show`

use chrono::SecondsFormat;
use clap::Args;
use serde_json::json;

use super::evidence::as_json;
use super::{Format, header, local};
use crate::cli::people::{leads_called, no_lead};
use crate::cli::workspace::Global;
use crate::cli::{Outcome, terminal};
use crate::consent::Standing;
use crate::model::moment::utc_from_ms;
use crate::model::touch::CONSENT_WITHDRAWN;
use crate::pipeline::proof::{Extract, extract, place_of};
use crate::rules::RuleSet;
use crate::store::ledger::reading::Kept;

/// Show what somebody agreed to and refused, in the order in which it was said, and where that leaves them.
///
/// For each purpose, channel and address: what was said last, and whether the gate of consent.toml lets it at
/// `--as-of`. A record of somebody else is shown where it takes mail to a shared mailbox back.
#[derive(Debug, Args)]
pub struct Show {
    /// A lead's id, an e-mail address or a phone number.
    #[arg(value_name = "LEAD|EMAIL|PHONE")]
    who: String,
    /// How to write it.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl Show {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let as_of_ms = global.now(&rules)?.timestamp_millis();
        let store = global.read_store()?;
        let leads = leads_called(&store, &rules, &self.who)?;
        if leads.is_empty() {
            return Err(no_lead(&self.who));
        }
        for lead in leads {
            let extract = extract(&store, &rules, lead)?;
            match self.format {
                Format::Table => print(&extract, &rules, as_of_ms)?,
                Format::Csv => Format::Csv.print(&timeline(&extract, &rules), &[])?,
                Format::Json => terminal::print(&told(&extract, &rules, as_of_ms).to_string())?,
            }
        }
        Ok(0)
    }
}

fn print(extract: &Extract, rules: &RuleSet, as_of_ms: i64) -> anyhow::Result<()> {
    let lead = &extract.lead;
    terminal::print_wrapped(&format!("{}  {}", lead.id, lead.display_name()), 2)?;
    if extract.records.is_empty() {
        return terminal::print("\nno consent on record: whoever is silent has not agreed");
    }
    let rows = together(timeline(extract, rules));
    terminal::print(&format!("\n{}", terminal::table(&rows, &[])))?;
    let mut rows = header(["purpose", "channel", "address", "said", "may we", "why"]);
    for stand in extract.stands(rules, as_of_ms) {
        rows.push(vec![
            stand.purpose,
            stand.channel.word().to_owned(),
            stand.address.unwrap_or_default(),
            stand.standing.word().to_owned(),
            if stand.verdict.allowed { "yes" } else { "no" }.to_owned(),
            match stand.standing {
                // The records above say when and where.
                Standing::Refused(_) | Standing::Withdrawn(_) => String::new(),
                _ => stand.verdict.because,
            },
        ]);
    }
    terminal::print(&format!("\n{}", terminal::table(&rows, &[])))
}

/// Puts records that only differ in their number and in what they are about into one row: whoever takes everything back
/// says so once.
fn together(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let mut together: Vec<Vec<String>> = Vec::new();
    let is_like = |one: &[String], other: &[String]| one[1] == other[1] && one[3..] == other[3..];
    let mut first = String::new();
    for row in rows {
        match together.last_mut().filter(|last| is_like(last, &row)) {
            Some(last) => {
                last[0] = format!("{first}-{}", row[0]);
                last[2] = format!("{}; {}", last[2], row[2]);
            }
            None => {
                first.clone_from(&row[0]);
                together.push(row);
            }
        }
    }
    together
}

fn timeline(extract: &Extract, rules: &RuleSet) -> Vec<Vec<String>> {
    let mut rows = header(["record", "said at", "what", "for", "grade", "wording", "where"]);
    let mut records: Vec<_> = extract.records.iter().collect();
    records.sort_by_key(|record| (record.event_ms, record.seq));
    for record in records {
        let ended =
            record.ended.as_ref().map_or_else(String::new, |(state, _)| format!(", {state}"));
        let address = record.evidence.as_ref().and_then(|one| one.address.clone());
        rows.push(vec![
            record.seq.to_string(),
            local(rules, record.event_ms),
            format!("{} {} {}{ended}", record.purpose, record.channel.word(), record.state.word()),
            address.unwrap_or_default(),
            record.grade.word().to_owned(),
            shown(record),
            place_of(record.evidence.as_ref()),
        ]);
    }
    rows
}

/// Returns what somebody saw, or why they took a consent back.
fn shown(record: &Kept) -> String {
    let answer = record.evidence.as_ref().and_then(|evidence| evidence.answer.clone());
    match answer.filter(|_| record.mechanism == CONSENT_WITHDRAWN) {
        Some(detail) => detail.split_once(": ").map_or(detail.clone(), |(_, why)| why.to_owned()),
        None => record.wording.as_ref().map_or_else(String::new, |(text, _)| text.clone()),
    }
}

fn told(extract: &Extract, rules: &RuleSet, as_of_ms: i64) -> serde_json::Value {
    let instant = |ms: i64| utc_from_ms(ms).to_rfc3339_opts(SecondsFormat::Secs, true);
    let records: Vec<_> = extract.records.iter().map(|record| as_json(record, &instant)).collect();
    let stands: Vec<_> = extract
        .stands(rules, as_of_ms)
        .into_iter()
        .map(|stand| {
            json!({
                "purpose": stand.purpose,
                "channel": stand.channel.word(),
                "address": stand.address,
                "said": stand.standing.word(),
                "allowed": stand.verdict.allowed,
                "because": stand.verdict.because,
            })
        })
        .collect();
    json!({
        "lead": extract.lead.id.to_string(),
        "as_of": instant(as_of_ms),
        "records": records,
        "standing": stands,
    })
}
