//! `leadmill backup`

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::workspace::{Global, UsageError};
use super::{Outcome, clock, terminal};
use crate::report::amounts::size;
use crate::store::Store;
use crate::store::backup::{self, BackupRecord, Listed};
use crate::store::pages::look::{Checksums, checksums};

/// Copy the store to a file from which it can be restored; others may read and write it meanwhile.
///
/// The copy is of one moment, looked at from end to end before it gets its name, and has a record beside it (.json)
/// with its SHA-256 and what it is. It holds the store alone: leads, submissions as received, the consent ledger, the
/// outbox, and the rules that decided. Not in it are rules/, inbox/, out/, and on purpose neither the key of those who
/// were erased (leadmill.key) nor the log beside it: keep these two apart from backups.
#[derive(Debug, Args)]
pub struct Backup {
    /// File that ends in .db, or folder for a file named after the instant; default: backups/ beside the store.
    #[arg(value_name = "PATH")]
    to: Option<PathBuf>,
    /// Remove the oldest such backups of that folder, but for N.
    #[arg(long, value_name = "N")]
    keep: Option<NonZeroUsize>,
    /// List the backups of that folder, the oldest first, instead of making one.
    #[arg(long, conflicts_with = "keep")]
    list: bool,
    /// Answer with one JSON object.
    #[arg(long)]
    json: bool,
}

impl Backup {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let store = global.store_path();
        let to = self.to.clone().unwrap_or_else(|| backup::folder(&store));
        let is_file = to.extension().is_some_and(|kind| kind == "db") && !to.is_dir();
        if self.list {
            return self.list(&to);
        }
        if is_file && self.keep.is_some() {
            let hint = "hint: name a folder, in which files are named after the instant";
            return Err(UsageError(format!("--keep is about a folder of backups\n{hint}")).into());
        }
        let now_ms = clock::as_of_whatever_the_rules(global.as_of.as_deref())?.timestamp_millis();
        let path = if is_file { to.clone() } else { to.join(backup::name_at(now_ms)) };
        if path.exists() {
            let hint = "hint: name another file, or wait a second";
            return Err(UsageError(format!("{} is there already\n{hint}", path.display())).into());
        }
        let (checksums, _) = checksums(&store)?;
        let record = Store::open_read_only(&store)?.back_up(&path, Some(now_ms))?;
        if checksums != Checksums::Kept {
            terminal::warning(
                "the store has no checksums to be held against, so a byte that changed in it may be in the backup, \
                 too; the next command that writes makes them",
            );
        }
        let removed = match self.keep {
            Some(keep) => backup::keep_newest(&to, keep.get())?,
            None => Vec::new(),
        };
        if self.json {
            let removed: Vec<_> = removed.iter().map(|path| path.display().to_string()).collect();
            let mut line = as_json(&path, Some(&record));
            line["removed"] = json!(removed);
            terminal::print(&line.to_string())?;
        } else if !global.quiet {
            say(&path, &record, &removed)?;
        }
        Ok(0)
    }

    fn list(&self, folder: &Path) -> Outcome {
        let all = backup::list(folder)?;
        if self.json {
            let all: Vec<_> =
                all.iter().map(|one| as_json(&one.path, one.record.as_ref())).collect();
            terminal::print(&json!({ "backups": all }).to_string())?;
        } else if all.is_empty() {
            terminal::print_wrapped(&format!("there is no backup in {}", folder.display()), 2)?;
        } else {
            let header = ["backup", "taken", "latest run", "leads", "bytes"];
            let mut rows = vec![header.map(str::to_owned).to_vec()];
            rows.extend(all.iter().map(row));
            terminal::print(&terminal::table(&rows, &[3, 4]))?;
        }
        Ok(0)
    }
}

fn row(one: &Listed) -> Vec<String> {
    let name = one.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match &one.record {
        Some(record) => vec![
            name,
            record
                .taken_at
                .clone()
                .unwrap_or_else(|| format!("before schema {} changed", record.schema)),
            record.latest_run.clone().unwrap_or_default(),
            record.leads.to_string(),
            record.bytes.to_string(),
        ],
        None => {
            vec![name, "no record of it".to_owned(), String::new(), String::new(), String::new()]
        }
    }
}

fn say(path: &Path, record: &BackupRecord, removed: &[PathBuf]) -> Result<()> {
    let latest = record
        .latest_run
        .as_ref()
        .map_or_else(|| "before any run".to_owned(), |run| format!("up to run {run}"));
    let head = format!(
        "{}: {}, {latest}, {} and {}; it was looked at from end to end",
        path.display(),
        size(record.bytes),
        terminal::count(record.leads, "lead", "leads"),
        terminal::count(record.submissions, "submission", "submissions"),
    );
    terminal::print_wrapped(&head, 2)?;
    for path in removed {
        terminal::print_wrapped(&format!("removed {}", path.display()), 2)?;
    }
    terminal::print_wrapped(
        "not in it: rules/, inbox/, out/, and the key of those who were erased, which is to be kept apart from backups",
        2,
    )
}

fn as_json(path: &Path, record: Option<&BackupRecord>) -> serde_json::Value {
    json!({ "backup": path.display().to_string(), "record": record })
}
