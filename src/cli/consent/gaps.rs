//! `leadmill consent gaps`

use clap::Args;

use super::{Format, header, local};
use crate::cli::workspace::Global;
use crate::cli::{Outcome, terminal};
use crate::model::consent::Grade;
use crate::pipeline::proof::{contacts_without_consent, each_gap};

/// List consents that are on record and cannot be proven well enough, or contacts that had none.
///
/// Grades: A the text shown is held, and they confirmed by a link; B the text is held, and it is known when they
/// agreed; C one of these is missing, or another system says so; D a bare yes, a box ticked beforehand, a bought list.
#[derive(Debug, Args)]
pub struct Gaps {
    /// Consents of these grades.
    #[arg(long, value_name = "GRADES", value_delimiter = ',', default_value = "C,D", value_parser = ["A", "B", "C", "D"])]
    grade: Vec<String>,
    /// Instead: mails, calls and messages that were handed out though the ledger, as it was then, did not allow them;
    /// there should be none, and the exit code is 3 when there are.
    #[arg(long, conflicts_with = "grade")]
    contacted: bool,
    /// How to write the list.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl Gaps {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let as_of_ms = global.now(&rules)?.timestamp_millis();
        let store = global.read_store()?;
        if self.contacted {
            let mut rows = header([
                "lead",
                "task",
                "handed out",
                "run",
                "purpose",
                "channel",
                "address",
                "why not",
            ]);
            for one in contacts_without_consent(&store, &rules)? {
                rows.push(vec![
                    one.lead,
                    one.task,
                    local(&rules, one.at_ms),
                    one.run,
                    one.stand.purpose,
                    one.stand.channel.word().to_owned(),
                    one.stand.address.unwrap_or_default(),
                    one.stand.verdict.because,
                ]);
            }
            let found = rows.len() as u64 - 1;
            self.print(&rows, "contact without a consent", "contacts without a consent")?;
            return Ok(if found == 0 { 0 } else { 3 });
        }
        let grades: Vec<Grade> = Grade::ALL
            .iter()
            .filter(|(word, _)| self.grade.iter().any(|asked| asked == word))
            .map(|(_, grade)| *grade)
            .collect();
        // Nine columns are wider than a terminal.
        let is_table = self.format == Format::Table;
        let mut rows = if is_table {
            header(["lead", "name", "for", "address", "grade", "said at", "wording", "where"])
        } else {
            header([
                "lead", "name", "purpose", "channel", "address", "grade", "said at", "wording",
                "where",
            ])
        };
        each_gap(&store, &rules, &grades, as_of_ms, |gap| {
            let (purpose, channel) = (gap.stand.purpose, gap.stand.channel.word());
            let mut row = vec![gap.lead, gap.name];
            if is_table {
                row.push(format!("{purpose}/{channel}"));
            } else {
                row.extend([purpose, channel.to_owned()]);
            }
            row.extend([
                gap.stand.address.unwrap_or_default(),
                gap.grade.word().to_owned(),
                local(&rules, gap.event_ms),
                gap.wording,
                gap.place,
            ]);
            rows.push(row);
            Ok(())
        })?;
        self.print(&rows, "consent of these grades", "consents of these grades")?;
        Ok(0)
    }

    fn print(&self, rows: &[Vec<String>], one: &str, many: &str) -> anyhow::Result<()> {
        let found = rows.len() as u64 - 1;
        if self.format != Format::Table {
            return self.format.print(rows, &[]);
        }
        if found > 0 {
            self.format.print(rows, &[])?;
            terminal::print("")?;
        }
        terminal::print(&terminal::count(found, one, many))
    }
}
