//! `leadmill consent show`

use chrono::SecondsFormat;
use clap::Args;
use serde_json::json;

use super::evidence::as_json;
use super::{Format, header, local};
use crate::cli::people::{leads_called, no_lead};
use crate::cli::workspace::Global;
use crate::cli::{Outcome, terminal};
use crate::model::moment::utc_from_ms;
use crate::pipeline::proof::{Dossier, dossier, place_of};
use crate::rules::RuleSet;

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
            let dossier = dossier(&store, &rules, lead)?;
            match self.format {
                Format::Table => print(&dossier, &rules, as_of_ms)?,
                Format::Csv => Format::Csv.print(&timeline(&dossier, &rules), &[])?,
                Format::Json => terminal::print(&told(&dossier, &rules, as_of_ms).to_string())?,
            }
        }
        Ok(0)
    }
}

fn print(dossier: &Dossier, rules: &RuleSet, as_of_ms: i64) -> anyhow::Result<()> {
    let lead = &dossier.lead;
    terminal::print_wrapped(&format!("{}  {}", lead.id, lead.display_name()), 2)?;
    if dossier.records.is_empty() {
        return terminal::print("\nno consent on record: whoever is silent has not agreed");
    }
    terminal::print(&format!("\n{}", terminal::table(&timeline(dossier, rules), &[0])))?;
    let mut rows = header(["purpose", "channel", "address", "said", "may we", "why"]);
    for stand in dossier.stands(rules, as_of_ms) {
        rows.push(vec![
            stand.purpose,
            stand.channel.word().to_owned(),
            stand.address.unwrap_or_default(),
            stand.standing.word().to_owned(),
            if stand.verdict.allowed { "yes" } else { "no" }.to_owned(),
            stand.verdict.because,
        ]);
    }
    terminal::print(&format!("\n{}", terminal::table(&rows, &[])))
}

fn timeline(dossier: &Dossier, rules: &RuleSet) -> Vec<Vec<String>> {
    let mut rows = header(["record", "said at", "what", "for", "grade", "wording", "where"]);
    let mut records: Vec<_> = dossier.records.iter().collect();
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
            record.wording.as_ref().map_or_else(String::new, |(text, _)| text.clone()),
            place_of(record.evidence.as_ref()),
        ]);
    }
    rows
}

fn told(dossier: &Dossier, rules: &RuleSet, as_of_ms: i64) -> serde_json::Value {
    let instant = |ms: i64| utc_from_ms(ms).to_rfc3339_opts(SecondsFormat::Secs, true);
    let records: Vec<_> = dossier.records.iter().map(|record| as_json(record, &instant)).collect();
    let stands: Vec<_> = dossier
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
        "lead": dossier.lead.id.to_string(),
        "as_of": instant(as_of_ms),
        "records": records,
        "standing": stands,
    })
}
