//! `leadmill consent verify`

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Deserialize;
use serde_json::json;

use crate::cli::workspace::{Global, UsageError};
use crate::cli::{Outcome, terminal};
use crate::model::ids::{hex, unhex};
use crate::report::run_json::LedgerSummary;
use crate::store::ledger::Head;
use crate::store::ledger::verify::{PROBLEMS_MAX, Problem, Verified};

/// Check that no record of the consent ledger was changed, removed, moved or put in; exits 5 when one was.
///
/// Every record is held against the chain, its evidence and wording against what it commits to. Erased evidence is
/// counted and no fault. A chain cannot tell that its end was cut off, or that all of it was written anew: keep a run's
/// manifest.json where nobody can change it, and name it as the anchor.
#[derive(Debug, Args)]
pub struct Verify {
    /// manifest.json or run.json of an earlier run, or the folder it is in: the ledger must begin as it was then.
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
    /// Answer with one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Anchor {
    ledger: Option<LedgerSummary>,
}

impl Verify {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let anchor = self.anchor.as_deref().map(read_anchor).transpose()?;
        let verified = global.read_store()?.verify_ledger(anchor)?;
        if self.json {
            terminal::print(&as_json(&verified, anchor).to_string())?;
        } else {
            print(&verified, anchor)?;
        }
        Ok(if verified.n_problems == 0 { 0 } else { 5 })
    }
}

/// Reads where the ledger ended when the file at `path` was written.
fn read_anchor(path: &Path) -> Result<Head> {
    let path = if path.is_dir() { path.join("manifest.json") } else { path.to_owned() };
    let shown = path.display();
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {shown}"))?;
    let none = || {
        UsageError(format!(
            "{shown} says nothing about the consent ledger\nhint: name the manifest.json or run.json of a run; \
             those of older leadmills have no anchor"
        ))
    };
    let anchor: Anchor = serde_json::from_str(&text).map_err(|_| none())?;
    let LedgerSummary { records, head } = anchor.ledger.ok_or_else(none)?;
    let hash = unhex(&head).and_then(|bytes| bytes.try_into().ok()).ok_or_else(none)?;
    Ok(Head { seq: records, hash })
}

fn print(verified: &Verified, anchor: Option<Head>) -> Result<()> {
    let records = terminal::count(verified.records, "record", "records");
    if verified.n_problems == 0 {
        let anchored = match anchor {
            Some(anchor) => format!(
                "; it begins with the {} that the anchor knows",
                terminal::count(anchor.seq as u64, "record", "records")
            ),
            None => "; no anchor was given, so a cut end would not be seen".to_owned(),
        };
        terminal::print_wrapped(
            &format!(
                "the ledger is whole: {records}, {} with their evidence, {} erased as it says, {} shown{anchored}",
                verified.matching,
                verified.erased,
                terminal::count(verified.texts, "text", "texts"),
            ),
            2,
        )?;
        return terminal::print(&format!(
            "head {} {}",
            verified.head.seq,
            hex(&verified.head.hash)
        ));
    }
    let problems = terminal::count(verified.n_problems, "fault", "faults");
    terminal::print_wrapped(&format!("the ledger is damaged: {problems} in {records}"), 2)?;
    for (at, problem) in &verified.problems {
        let noun = if *problem == Problem::Text { "text" } else { "record" };
        terminal::print_wrapped(&format!("{noun} {at} {problem}"), 2)?;
    }
    if verified.n_problems > PROBLEMS_MAX as u64 {
        terminal::print(&format!("and {} more", verified.n_problems - PROBLEMS_MAX as u64))?;
    }
    terminal::error(
        "the consent ledger is not as it was appended\nhint: restore the last backup with which `leadmill consent \
         verify --anchor` ends well, and find out who changed the store",
    );
    Ok(())
}

fn as_json(verified: &Verified, anchor: Option<Head>) -> serde_json::Value {
    let problems: Vec<_> = verified
        .problems
        .iter()
        .map(|(at, problem)| json!({"record": at, "problem": problem.to_string()}))
        .collect();
    json!({
        "is_whole": verified.n_problems == 0,
        "records": verified.records,
        "head": hex(&verified.head.hash),
        "evidence": verified.matching,
        "erased": verified.erased,
        "texts": verified.texts,
        "anchored": anchor.map(|_| verified.is_anchored),
        "faults": verified.n_problems,
        "first_faults": problems,
    })
}
