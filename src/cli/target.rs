//! `leadmill target`

mod check;
mod diff;
mod result;

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};

use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::report::targets::markdown;
use crate::rules::RuleSet;
use crate::rules::diagnostics::did_you_mean;
use crate::rules::target;

/// List the files that other systems import, check any file against one, and read what a system said of it.
///
/// Which of them runs write is said by `targets` in workspace.toml, else by `enabled` in each target's own file.
#[derive(Debug, Args)]
pub struct Target {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List every target, and whether runs write its file.
    List,
    /// Print what a target is made of as Markdown: columns, where they are from, what it takes.
    Docs {
        /// The target; all without one.
        #[arg(value_name = "TARGET")]
        target: Option<String>,
    },
    Check(check::Check),
    Diff(diff::Diff),
    Result(result::ReadResult),
}

impl Target {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        match &self.action {
            Action::List => list(&global.rules()?),
            Action::Docs { target } => docs(&global.rules()?, target.as_deref()),
            Action::Check(command) => command.run(global),
            Action::Diff(command) => command.run(global),
            Action::Result(command) => command.run(global),
        }
    }
}

fn list(rules: &RuleSet) -> Outcome {
    let mut rows = vec![["target", "on", "rows", "format", "file"].map(str::to_owned).to_vec()];
    for one in rules.targets.iter() {
        rows.push(vec![
            one.id.clone(),
            if one.is_on { "yes" } else { "no" }.to_owned(),
            one.rows_of.word().to_owned(),
            one.format.word().to_owned(),
            one.file.clone(),
        ]);
    }
    terminal::print(&terminal::table(&rows, &[]))?;
    let on = rules.targets.on().count() as u64;
    terminal::print(&format!(
        "\n{}, {on} of them on; `targets` in workspace.toml says which",
        terminal::count(rules.targets.len() as u64, "target", "targets")
    ))?;
    Ok(0)
}

fn docs(rules: &RuleSet, id: Option<&str>) -> Outcome {
    let texts: Vec<String> = match id {
        Some(id) => vec![markdown(known(rules, id)?, &rules.fields)],
        None => rules.targets.iter().map(|one| markdown(one, &rules.fields)).collect(),
    };
    terminal::print(texts.join("\n").trim_end())?;
    Ok(0)
}

/// Returns the target called `id`; one that is not there gets a suggestion.
fn known<'r>(rules: &'r RuleSet, id: &str) -> Result<&'r target::Target> {
    let Some(found) = rules.targets.get(id) else {
        let ids: Vec<&str> = rules.targets.iter().map(|one| one.id.as_str()).collect();
        let hint = did_you_mean(id, ids.iter().copied()).map_or_else(
            || format!("known targets: {}", ids.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(UsageError(format!("there is no target `{id}`\nhint: {hint}")).into());
    };
    Ok(found)
}

/// Returns the bytes of a file that somebody named.
fn read(path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        return Err(UsageError(format!("{} is a folder, not a file", path.display())).into());
    }
    if !path.exists() {
        return Err(UsageError(format!("there is no file {}", path.display())).into());
    }
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
