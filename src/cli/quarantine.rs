//! `leadmill quarantine`

use std::io::Write as _;

use clap::Args;

use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::delivery::rejects::{QuarantineOverview, QuarantinedRow};
use crate::store::listing::QuarantineEntry;

/// List rows that were not accepted, each with what is wrong and the way out.
///
/// The run that met them wrote them as files to fix, too (`out/runs/RUN/quarantine/…`): put the fixed file
/// into the inbox, or name it to `leadmill run`. The list keeps what was met; `--run` narrows it.
#[derive(Debug, Args)]
pub struct Quarantine {
    /// Only rows of this run.
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// Write CSV with the rows as received.
    #[arg(long)]
    csv: bool,
}

impl Quarantine {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let store = global.read_store()?;
        let run = match &self.run {
            Some(id) => Some(
                store
                    .run_by_id(id)?
                    .ok_or_else(|| UsageError(format!("there is no run `{id}`")))?
                    .no,
            ),
            None => None,
        };
        if self.csv {
            let mut writer = QuarantineOverview::new(terminal::stdout())?;
            store.each_quarantined(run, |entry| writer.write(&as_row(&entry)))?;
            writer.finish()?.1.flush()?;
            return Ok(0);
        }
        let mut rows =
            vec![["input", "line", "column", "value", "what is wrong"].map(str::to_owned).to_vec()];
        store.each_quarantined(run, |entry| {
            let value: String = entry.value.chars().take(40).collect();
            rows.push(vec![
                entry.input.clone(),
                entry.line.to_string(),
                entry.column.clone(),
                value,
                format!("{}: {}", entry.code, entry.message),
            ]);
            Ok(())
        })?;
        if rows.len() == 1 {
            terminal::print("no row is in quarantine")?;
        } else {
            terminal::print(&terminal::table(&rows, &[1]))?;
        }
        Ok(0)
    }
}

fn as_row(entry: &QuarantineEntry) -> QuarantinedRow<'_> {
    QuarantinedRow {
        input: &entry.input,
        record: entry.record,
        line: entry.line,
        code: &entry.code,
        column: &entry.column,
        value: &entry.value,
        message: &entry.message,
        raw: &entry.raw,
    }
}
