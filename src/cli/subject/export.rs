//! `leadmill subject export`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::people::the_lead;
use crate::cli::workspace::Global;
use crate::cli::{Outcome, output, terminal};
use crate::model::language::Language;
use crate::pipeline::dossier::dossier;

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For programs, and for whoever takes the data elsewhere (GDPR art. 20).
    Json,
    /// For the person (GDPR art. 15).
    Html,
}

/// Give out everything that is known about a person (GDPR art. 15 and 20).
///
/// Values with the row that each came from, all rows as received (those in quarantine, too), what they did, every
/// decision with its reasons, consents with the texts that were shown, purposes and their grounds, and the files that
/// named them. The page is for somebody who has never heard of leads; it has no scripts and loads nothing.
#[derive(Debug, Args)]
pub struct Export {
    /// A lead's id, an e-mail address or a phone number.
    #[arg(value_name = "LEAD|EMAIL|PHONE")]
    who: String,
    /// How to write it.
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
    /// Language of the page.
    #[arg(long, value_parser = output::language(), default_value = "pl")]
    lang: Language,
    /// File to write, for the owner's eyes only; default: stdout.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let as_of = global.now(&rules)?;
        let store = global.read_store()?;
        let lead = the_lead(&store, &rules, &self.who)?;
        let dossier = dossier(&store, &rules, &global.out_path(), lead, as_of)?;
        let text = match self.format {
            Format::Json => dossier.to_json()?,
            Format::Html => dossier.to_html(self.lang)?,
        };
        match &self.output {
            Some(path) => output::written(path, &|out| Ok(out.write_all(text.as_bytes())?))?,
            None => terminal::print(text.trim_end())?,
        }
        Ok(0)
    }
}
