//! `leadmill ropa`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::workspace::Global;
use super::{Outcome, output, terminal};
use crate::model::language::Language;
use crate::pipeline::ropa::{gaps, register};
use crate::report::{to_csv, to_json, to_markdown};

/// The register of processing activities (GDPR art. 30), as the rules say it.
#[derive(Debug, Args)]
pub struct Ropa {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Export(Export),
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a document.
    Markdown,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
}

/// Write the register: controller, purposes with their grounds, data, sources, recipients, periods, measures.
///
/// It is made of the rules alone. What only you can say is named on stderr as missing.
#[derive(Debug, Args)]
struct Export {
    /// How to write it.
    #[arg(long, value_enum, default_value = "markdown")]
    format: Format,
    /// Language of headings; reasons stand as the rules give them.
    #[arg(long, value_parser = output::language(), default_value = "pl")]
    lang: Language,
    /// File to write; default: stdout.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Ropa {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let Command::Export(command) = &self.command;
        command.run(global)
    }
}

impl Export {
    fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let table = register(&rules, self.lang);
        let text = match self.format {
            Format::Markdown => to_markdown(&table, &[]),
            Format::Csv => to_csv(&table)?,
            Format::Json => to_json(&table).to_string() + "\n",
        };
        match &self.output {
            Some(path) => output::written(path, &|out| Ok(out.write_all(text.as_bytes())?))?,
            None => terminal::print(text.trim_end())?,
        }
        if !global.quiet {
            for gap in gaps(&rules) {
                terminal::warning(&format!("the register lacks {gap}"));
            }
        }
        Ok(0)
    }
}
