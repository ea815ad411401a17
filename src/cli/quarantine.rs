//! `leadmill quarantine`

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::delivery::rejects::QuarantineOverview;
use crate::pipeline::quarantine::{AlreadyThere, as_row, export};
use crate::report::escape::for_terminal;
use crate::store::Store;
use crate::store::quarantine::{QuarantineEntry, QuarantineFilter};

/// Folder of the workspace that rows to mend are written to.
const EXPORT_FOLDER: &str = "quarantine";
/// Blanks before what belongs to the row above.
const LIST_INDENT: usize = 4;
/// Characters of a value that a list shows.
const VALUE_CHARS: usize = 40;

/// List rows that were not accepted, show one in full, or give them back as files to mend.
///
/// Without a subcommand it lists. A row leaves the list once a mended one came back for it: `export` writes
/// the rows as they were, each behind what is wrong with it; mend them and name the file to
/// `leadmill run`. Every run writes the same files for the rows it met (`out/runs/RUN/quarantine/`).
#[derive(Debug, Args)]
pub struct Quarantine {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    filter: Filter,
    /// Write the list as CSV, with the rows as received.
    #[arg(long)]
    csv: bool,
    /// Write the list as JSON, a row a line.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
}

#[derive(Debug, Args)]
struct Filter {
    /// Only rows that this run met.
    #[arg(long, global = true, value_name = "ID")]
    run: Option<String>,
    /// Only rows with this code, such as no-contact or ragged-row.
    #[arg(long, global = true, value_name = "CODE")]
    code: Option<String>,
    /// Only rows from inputs whose name holds this.
    #[arg(long, global = true, value_name = "TEXT")]
    input: Option<String>,
    /// Also rows for which a mended one came back.
    #[arg(long, global = true)]
    all: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the rows (what the command does by itself).
    List,
    /// Show one row in full: its cells, what is wrong, the way out.
    Show {
        /// The row's number in the list.
        #[arg(value_name = "NO")]
        no: i64,
    },
    /// Write the rows into a folder, a file for each input, to be mended and run again.
    Export {
        /// The folder; default: quarantine/ in the workspace.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

impl Quarantine {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let store = global.read_store()?;
        match &self.action {
            None | Some(Action::List) => self.list(&store)?,
            Some(Action::Show { no }) => show(&store, *no)?,
            Some(Action::Export { folder }) => {
                let folder = folder.clone().unwrap_or_else(|| global.workspace.join(EXPORT_FOLDER));
                give_back(&store, &self.filter(&store)?, &folder)?;
            }
        }
        Ok(0)
    }

    fn filter(&self, store: &Store) -> Result<QuarantineFilter> {
        let run = match &self.filter.run {
            Some(id) => Some(
                store
                    .run_by_id(id)?
                    .ok_or_else(|| UsageError(format!("there is no run `{id}`")))?
                    .no,
            ),
            None => None,
        };
        Ok(QuarantineFilter {
            run,
            no: None,
            code: self.filter.code.clone(),
            input: self.filter.input.clone(),
            open_only: !self.filter.all,
        })
    }

    fn list(&self, store: &Store) -> Result<()> {
        let filter = self.filter(store)?;
        if self.csv {
            let mut writer = QuarantineOverview::new(terminal::stdout())?;
            store.each_quarantined(&filter, |entry| {
                writer.write(&as_row(&entry, &entry.fingerprint.row_id()))
            })?;
            return Ok(writer.finish()?.1.flush()?);
        }
        if self.json {
            let mut out = terminal::stdout();
            store.each_quarantined(&filter, |entry| Ok(writeln!(out, "{}", as_json(&entry))?))?;
            return Ok(out.flush()?);
        }
        let mut listed = 0;
        store.each_quarantined(&filter, |entry| {
            listed += 1;
            print_entry(&entry)
        })?;
        match listed {
            0 => say_that_there_is_none(store, &filter),
            _ => terminal::print(&format!("\n{}", terminal::count(listed, "row", "rows"))),
        }
    }
}

/// Says that no row fits `filter`, and what there is beside it.
fn say_that_there_is_none(store: &Store, filter: &QuarantineFilter) -> Result<()> {
    let mut codes: BTreeMap<String, u64> = BTreeMap::new();
    let others = QuarantineFilter { open_only: filter.open_only, ..QuarantineFilter::default() };
    store.each_quarantined(&others, |entry| {
        *codes.entry(entry.code).or_default() += 1;
        Ok(())
    })?;
    if codes.is_empty() {
        return terminal::print("no row is in quarantine");
    }
    let code = filter.code.as_ref().map(|code| format!("with the code `{code}`"));
    let input = filter.input.as_ref().map(|input| format!("from an input called `{input}`"));
    let run = filter.run.map(|_| "met by this run".to_owned());
    let asked: Vec<String> = [code, input, run].into_iter().flatten().collect();
    let there: Vec<String> = codes.iter().map(|(code, rows)| format!("{code} {rows}")).collect();
    terminal::print_wrapped(
        &format!(
            "no row {} is in quarantine; there are: {}",
            asked.join(" and "),
            there.join(", ")
        ),
        2,
    )
}

/// Prints a row's number and place, and below them what is wrong.
fn print_entry(entry: &QuarantineEntry) -> Result<()> {
    let column = if entry.column.is_empty() {
        String::new()
    } else {
        format!(", column `{}`", entry.column)
    };
    let value = shortened(&entry.value).escape_debug().to_string();
    let value = if value.is_empty() { value } else { format!(", value `{value}`") };
    let place = format!("{}  {}:{}{column}{value}", entry.no, entry.input, entry.line);
    terminal::print_wrapped(&place, LIST_INDENT)?;
    let indent = " ".repeat(LIST_INDENT);
    terminal::print_wrapped(&format!("{indent}{}: {}", entry.code, entry.message), LIST_INDENT)?;
    entry.mended_by.as_ref().map_or(Ok(()), |by| {
        terminal::print_wrapped(&format!("{indent}mended by {by}"), LIST_INDENT)
    })
}

fn show(store: &Store, no: i64) -> Result<()> {
    let filter = QuarantineFilter { no: Some(no), ..QuarantineFilter::default() };
    let mut found = None;
    store.each_quarantined(&filter, |entry| {
        found = Some(entry);
        Ok(())
    })?;
    let Some(entry) = found else {
        return Err(UsageError(format!(
            "there is no quarantined row {no}\nhint: `leadmill quarantine --all` lists them with their \
             numbers"
        ))
        .into());
    };
    let fact = |name: &str, value: String| vec![name.to_owned(), value];
    let mut facts = vec![
        fact("place", format!("{}, line {}, row {}", entry.input, entry.line, entry.record)),
        fact("source", entry.source.clone()),
        fact("met by run", entry.run.clone()),
        fact("code", entry.code.clone()),
    ];
    if !entry.column.is_empty() {
        facts.push(fact("column", entry.column.clone()));
    }
    if !entry.value.is_empty() {
        facts.push(fact("value", entry.value.escape_debug().to_string()));
    }
    facts.push(fact("what is wrong", entry.message.clone()));
    facts.push(fact(
        "state",
        entry.mended_by.as_ref().map_or_else(|| "open".to_owned(), |by| format!("mended by {by}")),
    ));
    terminal::print(&terminal::table(&facts, &[]))?;
    let header = store.input_header(entry.input_no)?;
    let cells: Option<Vec<String>> = serde_json::from_str(&entry.raw).ok();
    let Some(cells) = cells.filter(|_| !header.is_empty()) else {
        return terminal::print(&for_terminal(&format!("\n{}", entry.raw)));
    };
    let mut rows = vec![["column", "cell"].map(str::to_owned).to_vec()];
    for at in 0..cells.len().max(header.len()) {
        let name = header.get(at).map_or("(no column)", String::as_str);
        let cell = cells.get(at).map_or_else(|| "(no cell)".to_owned(), Clone::clone);
        rows.push(vec![name.to_owned(), cell]);
    }
    terminal::print(&format!("\n{}", terminal::table(&rows, &[])))
}

fn give_back(store: &Store, filter: &QuarantineFilter, folder: &std::path::Path) -> Result<()> {
    let files = export(store, filter, folder).map_err(|fault| {
        fault
            .downcast_ref::<AlreadyThere>()
            .map(|there| UsageError(there.to_string()).into())
            .unwrap_or(fault)
    })?;
    if files.is_empty() {
        return say_that_there_is_none(store, filter);
    }
    for file in &files {
        let rows = terminal::count(file.rows, "row", "rows");
        terminal::print(&for_terminal(&format!("{}: {rows}", file.path.display())))?;
    }
    terminal::print(&for_terminal(&format!(
        "next: mend the cells, delete the rows you give up, then run `leadmill run {}`; the columns that \
         start with `leadmill-` say what is wrong and are not read back",
        folder.display()
    )))
}

fn shortened(value: &str) -> String {
    let mut short: String = value.chars().take(VALUE_CHARS).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    short
}

fn as_json(entry: &QuarantineEntry) -> Value {
    json!({
        "no": entry.no,
        "row": entry.fingerprint.row_id(),
        "run": entry.run,
        "input": entry.input,
        "source": entry.source,
        "record": entry.record,
        "line": entry.line,
        "code": entry.code,
        "column": entry.column,
        "value": entry.value,
        "message": entry.message,
        "mended_by": entry.mended_by,
        "raw": entry.raw,
    })
}
