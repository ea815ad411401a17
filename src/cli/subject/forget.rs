//! `leadmill subject forget`

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::cli::people::{number_in, the_lead};
use crate::cli::run::Worker;
use crate::cli::terminal::figure;
use crate::cli::workspace::Global;
use crate::cli::{Outcome, terminal};
use crate::model::moment::utc_from_ms;
use crate::pipeline::forget::{Asked, dry_forget, forget};
use crate::pipeline::verify_erasure::{Named, Verification, copies, verify};
use crate::report::run_json::{ErasureSummary, PlaceSummary, RunSummary};
use crate::rules::RuleSet;
use crate::store::key::key_path;

/// Exit code of a look that found something.
const SOMEBODY_MUST_LOOK: u8 = 3;

/// Lines of an input that are listed.
const LINES_LISTED: usize = 12;

/// Erase a person everywhere: from the store, from quarantine, from the files of all runs (GDPR art. 17).
///
/// Leads that shared something with them are decided anew; turns that they took stay taken. What is left is a keyed
/// hash of their addresses, numbers and rows, so that no later file brings them back: such a row is held as
/// suppressed. A row that was sent after the erasure is a new beginning and is taken. The key is made beside the
/// store, in a file that should be kept apart from its backups. It cannot be undone.
///
/// What leadmill cannot reach is listed: the exports that the rows stand in, backups and what a restore put aside, and
/// the files that others have got. With --verify nothing is erased: the store's files are searched byte by byte, and so
/// is everything that was put out; exit code 3 says that something was found.
#[derive(Debug, Args)]
pub struct Forget {
    /// A lead's id, an e-mail address or a phone number.
    #[arg(value_name = "LEAD|EMAIL|PHONE")]
    who: String,
    /// Why; it is kept, so it should name nobody.
    #[arg(long, value_name = "TEXT", default_value = "the person asked for it")]
    because: String,
    /// Do everything on a copy and keep nothing.
    #[arg(long = "dry-run", conflicts_with = "is_verified")]
    keep_nothing: bool,
    /// Erase nothing; look whether they are gone.
    #[arg(long = "verify")]
    is_verified: bool,
    /// Answer with one JSON object on stdout.
    #[arg(long)]
    json: bool,
}

impl Forget {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        if self.is_verified {
            return self.verify(global, &rules);
        }
        let worker = Worker::new(global, &rules, None)?;
        let asked = Asked { text: &self.who, because: &self.because };
        let whom = |store: &crate::store::Store| Ok(vec![the_lead(store, &rules, &self.who)?]);
        let mut summary = worker.work(global, |job, events| {
            if self.keep_nothing {
                dry_forget(job, asked, whom, events)
            } else {
                forget(job, asked, whom, events)
            }
        })?;
        if let Some(erasure) = &mut summary.erasure {
            erasure.copies = copies(&global.store_path(), &global.out_path())?;
        }
        if self.json {
            terminal::print(&summary.to_line()?)?;
        } else if let Some(erasure) = &summary.erasure {
            self.print(global, &summary, erasure)?;
        }
        Ok(summary.exit_code)
    }

    fn print(&self, global: &Global, summary: &RunSummary, erasure: &ErasureSummary) -> Result<()> {
        let verb = if self.keep_nothing { "would erase" } else { "erased" };
        let head = format!("run {} {verb} {}", summary.run, erasure.leads.join(", "));
        terminal::print_wrapped(&head, 2)?;
        terminal::print("")?;
        let mut lines = vec![
            figure("submissions", erasure.rows.submissions),
            figure("page views, calls and other events", erasure.rows.touches),
            figure("quarantined rows", erasure.rows.quarantined),
            figure("held rows", erasure.rows.held),
            figure("consent records without evidence now", erasure.consents),
        ];
        if erasure.shared > 0 {
            let stays = "addresses and numbers that stay, because other leads have them";
            lines.push(figure(stays, erasure.shared));
        }
        lines.push(figure("other leads decided anew and changed", summary.leads.updated));
        terminal::print(&terminal::table(&lines, &[1]))?;
        print_told(erasure)?;
        print_places(&erasure.inputs)?;
        print_copies(&erasure.copies)?;
        terminal::print("")?;
        if self.keep_nothing {
            return terminal::print("dry run: nothing was erased");
        }
        let withdrawn = global.out_path().join("runs").join(&summary.run).join("crm/withdrawn.csv");
        terminal::print_wrapped(
            &format!("take the leads in {} out of your CRM", withdrawn.display()),
            2,
        )?;
        let key = key_path(&global.store_path());
        terminal::print_wrapped(
            &format!(
                "keep {} apart from the store's backups: without it nobody can tell who must not come back",
                key.display()
            ),
            2,
        )
    }

    fn verify(&self, global: &Global, rules: &RuleSet) -> Outcome {
        let store = global.read_store()?;
        let e164 = number_in(rules, &self.who);
        let named = Named { text: &self.who, e164: e164.as_deref() };
        let key = key_path(&global.store_path());
        let found = verify(&store, &key, &global.out_path(), named)?;
        if self.json {
            terminal::print(&as_json(&found).to_string())?;
        } else {
            print_verification(&found)?;
        }
        Ok(if found.is_gone() { 0 } else { SOMEBODY_MUST_LOOK })
    }
}

/// Whoever got a file has to be told (GDPR art. 19).
fn print_told(erasure: &ErasureSummary) -> Result<()> {
    if erasure.told.is_empty() {
        return Ok(());
    }
    terminal::print("")?;
    terminal::print_wrapped("tell whoever got one of these files (GDPR art. 19):", 2)?;
    let mut rows = vec![["run", "file", "rows"].map(str::to_owned).to_vec()];
    rows.extend(
        erasure
            .told
            .iter()
            .map(|one| vec![one.run.clone(), one.file.clone(), one.rows.to_string()]),
    );
    terminal::print(&terminal::table(&rows, &[2]))
}

/// Exports are their owner's: leadmill says where somebody stands in them, and leaves them as they are.
fn print_places(inputs: &[PlaceSummary]) -> Result<()> {
    if inputs.is_empty() {
        return Ok(());
    }
    terminal::print("")?;
    terminal::print_wrapped(
        "they still stand in these exports, as far as you kept them; leadmill changes no export:",
        2,
    )?;
    for place in inputs {
        let mut lines: Vec<String> =
            place.lines.iter().take(LINES_LISTED).map(u32::to_string).collect();
        let more = place.lines.len().saturating_sub(LINES_LISTED);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        terminal::print_wrapped(&format!("  {}: line {}", place.input, lines.join(", ")), 4)?;
    }
    Ok(())
}

/// Copies are there to be as they were: leadmill changes none.
fn print_copies(copies: &[String]) -> Result<()> {
    if copies.is_empty() {
        return Ok(());
    }
    terminal::print("")?;
    terminal::print_wrapped(
        "of these copies, those from before the erasure still name them; remove them when nobody needs them any more \
         (a backup that is restored forgets once more):",
        2,
    )?;
    copies.iter().try_for_each(|path| terminal::print_wrapped(&format!("  {path}"), 4))
}

fn print_verification(found: &Verification) -> Result<()> {
    let erased = found.erased.as_ref().map_or_else(
        || "nobody of that name was erased".to_owned(),
        |(run, at_ms)| format!("erased by run {run}, as of {}", utc_from_ms(*at_ms).to_rfc3339()),
    );
    terminal::print_wrapped(&erased, 2)?;
    if found.leads > 0 {
        let leads = terminal::count(found.leads, "lead answers", "leads answer");
        terminal::print_wrapped(&format!("{leads} to the name"), 2)?;
    }
    for one in &found.bytes {
        let places = terminal::count(one.places, "place", "places");
        let line = format!("{}: {places}, the first at byte {}", one.path.display(), one.offset);
        terminal::print_wrapped(&line, 2)?;
    }
    for one in &found.carriers {
        let line = format!("run {}: {}: {} rows", one.run, one.file, one.parts);
        terminal::print_wrapped(&line, 2)?;
    }
    if found.is_unfinished {
        terminal::print_wrapped(
            "an erasure was cut short or somebody was reading the store: the next `leadmill run` finishes it",
            2,
        )?;
    }
    if found.is_gone() {
        terminal::print_wrapped("nothing is left of them in the store and in what was put out", 2)?;
    }
    if found.erased.is_some() { print_copies(&found.copies) } else { Ok(()) }
}

fn as_json(found: &Verification) -> serde_json::Value {
    let bytes = found.bytes.iter().map(|one| {
        json!({"file": one.path.display().to_string(), "offset": one.offset, "places": one.places})
    });
    let carriers = found
        .carriers
        .iter()
        .map(|one| json!({"run": one.run, "file": one.file, "rows": one.parts}));
    json!({
        "gone": found.is_gone(),
        "erased_by": found.erased.as_ref().map(|(run, _)| run),
        "erased_at": found.erased.as_ref().map(|(_, at_ms)| utc_from_ms(*at_ms).to_rfc3339()),
        "leads": found.leads,
        "bytes": bytes.collect::<Vec<_>>(),
        "files": carriers.collect::<Vec<_>>(),
        "unfinished": found.is_unfinished,
        "copies": found.copies,
    })
}
