//! `leadmill consent notice`

use clap::Args;

use super::{Format, header, local};
use crate::cli::workspace::{Global, UsageError};
use crate::cli::{Outcome, terminal};
use crate::model::ids::hex;

/// Digits of a SHA-256 that tell texts apart.
const SHORT: usize = 12;

/// List the texts that people were shown when they answered, or show one of them whole.
#[derive(Debug, Args)]
pub struct Notice {
    /// The SHA-256 of a text, or how it begins.
    #[arg(value_name = "SHA256")]
    sha256: Option<String>,
    /// How to write the list.
    #[arg(long, value_enum, default_value = "table", conflicts_with = "sha256")]
    format: Format,
}

impl Notice {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let store = global.read_store()?;
        let begins = self.sha256.as_deref().unwrap_or_default().trim().to_lowercase();
        let notices = store.notices(&begins)?;
        let first = |at_ms: Option<i64>| at_ms.map_or_else(String::new, |ms| local(&rules, ms));
        if self.sha256.is_some() {
            let [notice] = &notices[..] else {
                let what = if notices.is_empty() { "no text" } else { "several texts" };
                return Err(UsageError(format!(
                    "{what} with a SHA-256 that begins with `{begins}`\nhint: `leadmill consent notice` lists them"
                ))
                .into());
            };
            terminal::print_wrapped(
                &format!(
                    "{}  {}, first {}",
                    hex(&notice.sha256),
                    terminal::count(notice.records, "record", "records"),
                    first(notice.first_ms)
                ),
                2,
            )?;
            terminal::print_wrapped(&notice.text, 0)?;
            return Ok(0);
        }
        let mut rows = header(["sha256", "records", "first used", "text"]);
        for notice in notices {
            let whole = hex(&notice.sha256);
            let shown = if self.format == Format::Table { &whole[..SHORT] } else { &whole };
            rows.push(vec![
                shown.to_owned(),
                notice.records.to_string(),
                first(notice.first_ms),
                notice.text,
            ]);
        }
        self.format.print(&rows, &[1])?;
        Ok(0)
    }
}
