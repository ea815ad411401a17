//! `leadmill consent`

mod evidence;
mod gaps;
mod notice;
mod prove;
mod show;
mod verify;
mod withdraw;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};

use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::model::consent::Channel;
use crate::model::moment::utc_from_ms;
use crate::report;
use crate::rules::RuleSet;
use crate::rules::diagnostics::did_you_mean;

/// What people agreed to, the proof of it, and whether the ledger is whole.
///
/// Every answer to a consent question is a record of the ledger: appended, never edited, chained to the one before.
/// None of this is legal advice.
#[derive(Debug, Args)]
pub struct Consent {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Show(show::Show),
    Prove(prove::Prove),
    Verify(verify::Verify),
    Withdraw(withdraw::Withdraw),
    Gaps(gaps::Gaps),
    Notice(notice::Notice),
}

impl Consent {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        match &self.what {
            What::Show(what) => what.run(global),
            What::Prove(what) => what.run(global),
            What::Verify(what) => what.run(global),
            What::Withdraw(what) => what.run(global),
            What::Gaps(what) => what.run(global),
            What::Notice(what) => what.run(global),
        }
    }
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
}

impl Format {
    /// Writes rows, the first of which is the header; the columns `right` hold figures.
    fn print(self, rows: &[Vec<String>], right: &[usize]) -> Result<()> {
        match self {
            Self::Table => terminal::print(&terminal::table(rows, right)),
            Self::Csv => terminal::print(report::to_csv(rows)?.trim_end()),
            Self::Json => terminal::print(&report::to_json(rows).to_string()),
        }
    }
}

/// Returns a header.
fn header<const N: usize>(names: [&str; N]) -> Vec<Vec<String>> {
    vec![names.map(str::to_owned).to_vec()]
}

/// Returns an instant as clocks of the office show it.
fn local(rules: &RuleSet, at_ms: i64) -> String {
    let at = utc_from_ms(at_ms).with_timezone(&rules.workspace.zone);
    at.format("%Y-%m-%d %H:%M").to_string()
}

/// Returns the channel called `word`.
fn channel_called(word: &str) -> Result<Channel> {
    let words = || Channel::ALL.iter().map(|(word, _)| *word);
    Channel::ALL.iter().find(|(known, _)| *known == word).map(|(_, channel)| *channel).ok_or_else(
        || {
            let hint = did_you_mean(word, words()).map_or_else(
                || format!("one of: {}", words().collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            UsageError(format!("there is no channel `{word}`\nhint: {hint}")).into()
        },
    )
}

/// Refuses a purpose that the rules do not know.
fn expect_purpose(rules: &RuleSet, purpose: &str) -> Result<()> {
    if rules.consent.knows(purpose) {
        return Ok(());
    }
    let hint = did_you_mean(purpose, rules.consent.words()).map_or_else(
        || format!("one of: {}", rules.consent.words().collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    Err(UsageError(format!("there is no purpose `{purpose}`\nhint: {hint}")).into())
}

/// Returns `address` as rows have it: an e-mail address in lower case, or a number in E.164.
fn address_called(rules: &RuleSet, address: &str) -> Result<String> {
    let address = address.trim();
    if address.contains('@') {
        return Ok(address.to_lowercase());
    }
    crate::normalization::phone::parse(address, &rules.workspace.default_country, &rules.tables)
        .map(|phone| phone.e164)
        .map_err(|_| {
            UsageError(format!(
                "`{address}` is neither an e-mail address nor a phone number\nhint: write it as in \
             anna@example.com or +48 600 123 456"
            ))
            .into()
        })
}
