//! `leadmill consent withdraw`

use clap::Args;

use super::{address_called, channel_called, expect_purpose};
use crate::cli::people::the_lead;
use crate::cli::run::Worker;
use crate::cli::workspace::Global;
use crate::cli::{Outcome, terminal};
use crate::model::consent::{Channel, Purpose};
use crate::model::touch::{Identity, IdentityKind};
use crate::pipeline::story;
use crate::pipeline::withdrawal::{Withdrawing, withdraw};
use crate::rules::RuleSet;

/// Put on record that somebody takes their consent back, as of `--as-of`.
///
/// Without further options: every consent, through every channel, for every address of theirs, those that become known
/// later included; answering their enquiries stays allowed unless that is named. It is a run of its own. `leadmill
/// undo` does not take it back: only a newer consent that can be proven lifts it.
#[derive(Debug, Args)]
pub struct Withdraw {
    /// A lead's id, an e-mail address or a phone number.
    #[arg(value_name = "LEAD|EMAIL|PHONE")]
    who: String,
    /// Only what is for this purpose; may be given more than once.
    #[arg(long = "purpose", value_name = "PURPOSE")]
    purposes: Vec<String>,
    /// Only through this channel; may be given more than once.
    #[arg(long = "channel", value_name = "CHANNEL")]
    channels: Vec<String>,
    /// Only for this address or number, whoever else has it.
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// Why, or how they said so; kept as evidence.
    #[arg(long, value_name = "TEXT")]
    because: String,
    /// End with one JSON object on stdout.
    #[arg(long)]
    json: bool,
}

impl Withdraw {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        for purpose in &self.purposes {
            expect_purpose(&rules, purpose)?;
        }
        let channels: Vec<Channel> =
            self.channels.iter().map(|word| channel_called(word)).collect::<Result<_, _>>()?;
        let (name, whose) = self.whose(global, &rules)?;
        let withdrawing = Withdrawing {
            whose,
            purposes: if self.purposes.is_empty() {
                all_purposes(&rules)
            } else {
                self.purposes.clone()
            },
            channels,
            because: &self.because,
        };
        let worker = Worker::new(global, &rules, None)?;
        let summary = worker.work(global, |job, _| withdraw(job, &withdrawing))?;
        if self.json {
            terminal::print(&summary.to_line()?)?;
        } else if !global.quiet {
            terminal::print_wrapped(
                &format!(
                    "run {}: {name} takes back {}; `leadmill consent show {name}` tells what is left",
                    summary.run,
                    withdrawing.purposes.join(", "),
                ),
                2,
            )?;
        }
        Ok(summary.exit_code)
    }

    /// Returns what to call whoever takes it back, and what tells who it is.
    fn whose(&self, global: &Global, rules: &RuleSet) -> anyhow::Result<(String, Identity)> {
        if let Some(address) = &self.address {
            let address = address_called(rules, address)?;
            let kind =
                if address.contains('@') { IdentityKind::Email } else { IdentityKind::Phone };
            return Ok((address.clone(), Identity::new(kind, address)));
        }
        let store = global.read_store()?;
        let lead = the_lead(&store, rules, &self.who)?;
        let id = story::lead(&store, rules, lead)?.id.to_string();
        Ok((id.clone(), Identity::new(IdentityKind::Lead, id)))
    }
}

/// Returns every purpose that somebody is asked about; that an enquiry is answered is none.
fn all_purposes(rules: &RuleSet) -> Vec<String> {
    rules
        .consent
        .words()
        .filter(|word| *word != Purpose::ENQUIRY_REPLY)
        .map(str::to_owned)
        .collect()
}
