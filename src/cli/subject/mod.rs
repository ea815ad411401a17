//! `leadmill subject`

mod allow;
mod export;
mod forget;

use clap::{Args, Subcommand};

use super::Outcome;
use super::workspace::Global;

/// What a person may ask for: everything about them, or to be forgotten.
#[derive(Debug, Args)]
pub struct Subject {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Export(export::Export),
    Forget(forget::Forget),
    Allow(allow::Allow),
}

impl Subject {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        match &self.command {
            Command::Export(command) => command.run(global),
            Command::Forget(command) => command.run(global),
            Command::Allow(command) => command.run(global),
        }
    }
}
