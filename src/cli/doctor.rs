//! `leadmill doctor`

use clap::Args;
use serde_json::json;

use super::workspace::Global;
use super::{Outcome, clock, terminal};
use crate::pipeline::doctor::{Check, Examination, Verdict, examine, worst};
use crate::store::key::key_path;

/// Look whether the store and everything around it is well; changes nothing.
///
/// One line a check: the SQLite in use, who writes, how the store is set up, what its rows refer to, whether every row
/// of every input has one outcome, the consent ledger and where manifests say that it ended, the key and log of those
/// who were erased, deliveries that are stuck, the files that were put out, who may read what, room on the disk,
/// backups. With --deep every byte of the store is held against the checksum that was kept when it was written, and
/// every file against its manifest. What cannot be looked at is said beside the rest.
///
/// Exit codes: 0 all is well; 3 somebody should look; 5 the store, its ledger or its key is damaged. Others may read
/// and write meanwhile.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Read every byte of the store and of what was put out.
    #[arg(long)]
    deep: bool,
    /// Answer with one JSON object.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let (store, out, inbox) = (global.store_path(), global.out_path(), global.inbox_path());
        let now = clock::as_of_whatever_the_rules(global.as_of.as_deref())?;
        let checks = examine(&Examination {
            store: &store,
            key: &key_path(&store),
            out: &out,
            inbox: &inbox,
            now_ms: now.timestamp_millis(),
            is_deep: self.deep,
        })?;
        let worst = worst(&checks);
        if self.json {
            terminal::print(&as_json(&checks, worst).to_string())?;
        } else {
            print(&checks, global.quiet)?;
        }
        Ok(match worst {
            Verdict::Well => 0,
            Verdict::Warning => 3,
            Verdict::Failure => 5,
        })
    }
}

/// Prints a line a check; only those with something to do where nothing else is to be said.
fn print(checks: &[Check], is_quiet: bool) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for check in checks.iter().filter(|check| !is_quiet || check.verdict != Verdict::Well) {
        let (verdict, name) = (check.verdict.word().to_owned(), check.name.to_owned());
        rows.push(vec![verdict, name, check.found.clone()]);
        if !check.hint.is_empty() {
            rows.push(vec![String::new(), String::new(), format!("hint: {}", check.hint)]);
        }
    }
    if rows.is_empty() { Ok(()) } else { terminal::print(&terminal::table(&rows, &[])) }
}

fn as_json(checks: &[Check], worst: Verdict) -> serde_json::Value {
    let checks = checks.iter().map(|check| {
        json!({
            "check": check.name,
            "verdict": check.verdict.word(),
            "found": check.found,
            "hint": Some(&check.hint).filter(|hint| !hint.is_empty()),
        })
    });
    json!({ "verdict": worst.word(), "checks": checks.collect::<Vec<_>>() })
}
