//! `leadmill merge`

use clap::Args;

use super::Outcome;
use super::people::{decide, two_leads};
use super::workspace::Global;
use crate::pipeline::verdicts::Saying;

/// Say that two leads are one person; it holds through every later import.
///
/// The older id survives and the other stays valid as an alias. It is a run of its own: `leadmill undo RUN`
/// takes it back, and its CRM files carry what it changed.
#[derive(Debug, Args)]
pub struct Merge {
    /// One lead: id, e-mail address or phone number.
    #[arg(value_name = "LEAD")]
    a: String,
    /// The other.
    #[arg(value_name = "OTHER")]
    b: String,
    /// Why, for whoever asks later.
    #[arg(long, value_name = "TEXT", default_value = "merged by hand")]
    because: String,
    /// End with one JSON object on stdout.
    #[arg(long)]
    json: bool,
}

impl Merge {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let command = format!("merge {} {}", self.a, self.b);
        decide(global, &rules, &command, &self.because, self.json, |store| {
            let (a, b) = two_leads(store, &rules, &self.a, &self.b)?;
            Ok(vec![Saying::Same(a, b)])
        })
    }
}
