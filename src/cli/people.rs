//! What the commands about people share: which lead a text names, and saying who is who.

use anyhow::Result;

use super::run::Worker;
use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::model::ids::LeadNo;
use crate::normalization::phone;
use crate::pipeline::review::{Comparison, meaning};
use crate::pipeline::story::{find, find_by_id};
use crate::pipeline::verdicts::{Saying, say};
use crate::rules::RuleSet;
use crate::store::Store;

/// Returns the leads that `text` names: by id, e-mail address or phone number.
pub fn leads_called(store: &Store, rules: &RuleSet, text: &str) -> Result<Vec<LeadNo>> {
    let text = text.trim();
    // What numbers look like in all countries is unpacked first: that takes longer than all the rest.
    if let Some(lead) = find_by_id(store, text)? {
        return Ok(vec![lead]);
    }
    find(store, text, number_in(rules, text).as_deref())
}

/// Returns the phone number that `text` is, in E.164.
pub fn number_in(rules: &RuleSet, text: &str) -> Option<String> {
    let text = text.trim();
    let number = (!text.contains('@'))
        .then(|| phone::parse(text, &rules.workspace.default_country, &rules.tables).ok());
    number.flatten().map(|phone| phone.e164)
}

/// Says that no lead is called `text`.
pub fn no_lead(text: &str) -> anyhow::Error {
    UsageError(format!(
        "no lead answers to `{text}`\nhint: give an id such as LM-0123456789AB, an e-mail address or a phone \
         number; `leadmill leads` lists them"
    ))
    .into()
}

/// Returns the one lead that `text` names.
pub fn the_lead(store: &Store, rules: &RuleSet, text: &str) -> Result<LeadNo> {
    match leads_called(store, rules, text)?[..] {
        [lead] => Ok(lead),
        [] => Err(no_lead(text)),
        _ => Err(UsageError(format!(
            "`{text}` names several leads\nhint: give an id; `leadmill explain {text}` shows them"
        ))
        .into()),
    }
}

/// Refuses two names of one lead.
pub fn two_leads(store: &Store, rules: &RuleSet, a: &str, b: &str) -> Result<(LeadNo, LeadNo)> {
    let leads = (the_lead(store, rules, a)?, the_lead(store, rules, b)?);
    if leads.0 == leads.1 {
        let message =
            format!("`{a}` and `{b}` are one lead already\nhint: `leadmill explain {a}` says why");
        return Err(UsageError(message).into());
    }
    Ok(leads)
}

/// Keeps what `sayings` makes of the store, decides by it, and says what came of it.
pub fn decide(
    global: &Global,
    rules: &RuleSet,
    command: &str,
    because: &str,
    json: bool,
    sayings: impl Fn(&Store) -> Result<Vec<Saying>> + Send + Sync,
) -> Outcome {
    let worker = Worker::new(global, rules, None)?;
    let summary =
        worker.work(global, |job, events| say(job, command, because, &sayings, events))?;
    if json {
        terminal::print(&summary.to_line()?)?;
    } else if !global.quiet {
        let leads = terminal::count(summary.leads.new + summary.leads.updated, "lead", "leads");
        terminal::print_wrapped(
            &format!(
                "run {}: {leads} decided anew, {} in the store; files in {}; `leadmill undo {}` takes it back",
                summary.run,
                summary.leads.total,
                global.out_path().join("runs").join(&summary.run).display(),
                summary.run,
            ),
            2,
        )?;
    }
    Ok(summary.exit_code)
}

/// Prints how two submissions agree: each field with its bits, and what they add up to.
pub fn print_comparison(comparison: &Comparison) -> Result<()> {
    let mut rows = vec![["field", "agreement", "bits"].map(str::to_owned).to_vec()];
    for (field, level, bits) in &comparison.reasons {
        rows.push(vec![(*field).to_owned(), (*level).to_owned(), format!("{bits:+.1}")]);
    }
    terminal::print(&terminal::table(&rows, &[2]))?;
    let veto = if comparison.is_vetoed { "; the names contradict each other" } else { "" };
    terminal::print_wrapped(
        &format!(
            "together {:+.1} bits against strangers, a probability of {:.3}: {}{veto}",
            comparison.bits,
            comparison.probability,
            meaning(comparison),
        ),
        2,
    )
}

/// Returns the reasons of a comparison on one line.
pub fn reasons(comparison: &Comparison) -> String {
    let reason = |(field, level, bits): &(&str, &str, f32)| format!("{field} {level} {bits:+.1}");
    comparison.reasons.iter().map(reason).collect::<Vec<_>>().join("; ")
}
