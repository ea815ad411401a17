//! `leadmill report alerts`

use anyhow::Result;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::ReportFormat;
use crate::cli::terminal;
use crate::model::moment::utc_from_ms;
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::alerts::KeptAlert;

/// Closed alerts that are listed, in days back.
const DAYS: i64 = 30;

#[derive(Debug, Args)]
pub(super) struct OfAlerts {
    /// How to write it.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
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

impl OfAlerts {
    pub(super) fn print(&self, store: &Store, rules: &RuleSet, as_of: DateTime<Utc>) -> Result<()> {
        let since = as_of - TimeDelta::days(DAYS);
        let alerts = store.alerts_since(since.timestamp_millis())?;
        match self.format {
            Format::Table => print_table(&alerts, rules),
            Format::Csv => ReportFormat::Csv.print(&[csv_table(&alerts)], &[]),
            Format::Json => {
                let alerts: Vec<_> = alerts.iter().map(as_json).collect();
                terminal::print(&json!({"alerts": alerts}).to_string())
            }
        }
    }
}

fn print_table(alerts: &[KeptAlert], rules: &RuleSet) -> Result<()> {
    if alerts.is_empty() {
        return terminal::print(&format!("no alert is open, and none was in the last {DAYS} days"));
    }
    let zone = rules.workspace.zone;
    let local = |ms: i64| utc_from_ms(ms).with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
    let mut rows = vec![["alert", "opened", "closed", "what"].map(str::to_owned).to_vec()];
    rows.extend(alerts.iter().map(|kept| {
        vec![
            kept.alert.key.clone(),
            local(kept.opened_ms),
            kept.closed_ms.map_or_else(|| "open".to_owned(), local),
            kept.alert.message.clone(),
        ]
    }));
    terminal::print(&terminal::table(&rows, &[]))
}

fn csv_table(alerts: &[KeptAlert]) -> Vec<Vec<String>> {
    let header = ["key", "rule", "opened-at", "opened-by", "closed-at", "message"];
    let rows = alerts.iter().map(|kept| {
        vec![
            kept.alert.key.clone(),
            kept.alert.id.clone(),
            instant(kept.opened_ms),
            kept.opened_by.clone(),
            kept.closed_ms.map(instant).unwrap_or_default(),
            kept.alert.message.clone(),
        ]
    });
    std::iter::once(header.map(str::to_owned).to_vec()).chain(rows).collect()
}

fn as_json(kept: &KeptAlert) -> serde_json::Value {
    json!({
        "key": kept.alert.key,
        "rule": kept.alert.id,
        "opened_at": instant(kept.opened_ms),
        "opened_by": kept.opened_by,
        "closed_at": kept.closed_ms.map(instant),
        "message": kept.alert.message,
    })
}

fn instant(ms: i64) -> String {
    utc_from_ms(ms).to_rfc3339_opts(SecondsFormat::Secs, true)
}
