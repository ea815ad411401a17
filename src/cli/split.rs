//! `leadmill split`

use clap::Args;

use super::Outcome;
use super::people::{decide, the_lead};
use super::workspace::Global;
use crate::model::ids::SubmissionNo;
use crate::pipeline::verdicts::Saying;

/// Say that some rows of a lead are somebody else; it holds through every later import.
///
/// `leadmill explain LEAD` numbers a lead's rows. Those named become a lead of their own, or go to where they
/// belong. It is a run of its own: `leadmill undo RUN` takes it back.
#[derive(Debug, Args)]
pub struct Split {
    /// The lead: id, e-mail address or phone number.
    #[arg(value_name = "LEAD")]
    lead: String,
    /// Rows that are somebody else.
    #[arg(long, value_name = "N", required = true, value_delimiter = ',', num_args = 1..)]
    rows: Vec<i64>,
    /// Why, for whoever asks later.
    #[arg(long, value_name = "TEXT", default_value = "split by hand")]
    because: String,
    /// End with one JSON object on stdout.
    #[arg(long)]
    json: bool,
}

impl Split {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let command = format!("split {} {:?}", self.lead, self.rows);
        decide(global, &rules, &command, &self.because, self.json, |store| {
            let lead = the_lead(store, &rules, &self.lead)?;
            let mut rows: Vec<SubmissionNo> =
                self.rows.iter().map(|no| SubmissionNo(*no)).collect();
            rows.sort_unstable();
            rows.dedup();
            Ok(vec![Saying::Split(lead, rows)])
        })
    }
}
