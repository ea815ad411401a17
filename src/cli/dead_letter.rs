//! `leadmill dead-letter`

use std::io::Write as _;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

use super::workspace::{Global, UsageError};
use super::{Outcome, clock, terminal};
use crate::model::moment::utc_from_ms;
use crate::pipeline::outbox::redrive::{self, Which};
use crate::pipeline::outbox::{NO_RECORD, UNKNOWN};
use crate::rules::RuleSet;
use crate::rules::outbox::Endpoint;
use crate::sending::results::is_record_id;
use crate::store::Store;
use crate::store::deliveries::{DeadLetter as Letter, DeadLetterFilter};
use crate::store::restore::RESTORED;

/// List what a target would not take, or did not; show one; send it again; let one rest.
///
/// Without a subcommand it lists. A dead letter is over by itself once its row was written: change the lead, the
/// target's file or the owner, and run.
#[derive(Debug, Args)]
pub struct DeadLetter {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    filter: Filter,
}

#[derive(Debug, Args)]
struct Filter {
    /// Only of this target.
    #[arg(long, global = true, value_name = "TARGET")]
    target: Option<String>,
    /// Only with this code, such as missing or bad-form.
    #[arg(long, global = true, value_name = "CODE")]
    code: Option<String>,
    /// Also those that are over.
    #[arg(long, global = true)]
    all: bool,
    /// Write the list as JSON, a dead letter a line.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List them (what the command does by itself).
    List,
    /// Show one: which row of which target, what was wrong, since when.
    Show {
        /// Its number in the list.
        #[arg(value_name = "NO")]
        no: i64,
    },
    /// Send what an endpoint refused once more; consents are asked anew. What was sent alone goes out with the same id
    /// and bytes, what stood in one request with others in a request of its own. What a CRM refused of a file (`target
    /// result`) is written by the next run, with all else that it refused of the same target.
    Redrive(Redrive),
    /// Let one rest: nobody is told of it any more, unless it is refused for another reason, or a result that is read
    /// says so again.
    Drop(DropOne),
}

#[derive(Debug, Args)]
struct DropOne {
    /// Its number in the list.
    #[arg(value_name = "NO")]
    no: i64,
    /// Why nothing is to be done about it.
    #[arg(long, value_name = "TEXT")]
    because: String,
    /// The endpoint has it, as a record that it calls so: what comes of the lead later changes that.
    #[arg(long = "record", value_name = "ID")]
    known_as: Option<String>,
    /// The endpoint has its record no more: the lead's next change makes another.
    #[arg(long = "forget-record", conflicts_with = "known_as")]
    is_gone: bool,
}

#[derive(Debug, Args)]
struct Redrive {
    /// Their numbers in the list; all that the options mean without any.
    #[arg(value_name = "NO")]
    letters: Vec<i64>,
    /// Only those whose reason holds this text.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Only those that were refused last at this instant or later.
    #[arg(long, value_name = "INSTANT")]
    since: Option<String>,
    /// So many at most, the earliest first.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Say which, and change nothing.
    #[arg(long = "dry-run")]
    change_nothing: bool,
}

impl DeadLetter {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        match &self.action {
            None | Some(Action::List) => self.list(&global.read_store()?)?,
            Some(Action::Show { no }) => show(&global.rules()?, &global.read_store()?, *no)?,
            Some(Action::Redrive(command)) => redrive(global, &self.filter, command)?,
            Some(Action::Drop(command)) => drop_one(global, command)?,
        }
        Ok(0)
    }

    fn list(&self, store: &Store) -> Result<()> {
        let filter = DeadLetterFilter {
            target: self.filter.target.clone(),
            code: self.filter.code.clone(),
            no: None,
            any_state: self.filter.all,
        };
        if self.filter.json {
            let mut out = terminal::stdout();
            store.each_dead_letter(&filter, |one| Ok(writeln!(out, "{}", as_json(&one))?))?;
            return Ok(out.flush()?);
        }
        let mut rows = vec![["no", "target", "what", "column", "why"].map(str::to_owned).to_vec()];
        store.each_dead_letter(&filter, |one| {
            let state =
                if one.state == "open" { String::new() } else { format!(" ({})", one.state) };
            let why = format!("{}{state}", one.reason);
            rows.push(vec![one.no.to_string(), one.target, one.item, one.column, why]);
            Ok(())
        })?;
        let listed = rows.len() as u64 - 1;
        if listed == 0 {
            return terminal::print("no dead letter is open");
        }
        terminal::print(&terminal::table(&rows, &[0]))?;
        terminal::print(&format!("\n{}", terminal::count(listed, "dead letter", "dead letters")))
    }
}

fn find(store: &Store, no: i64) -> Result<Letter> {
    let filter = DeadLetterFilter { no: Some(no), any_state: true, ..DeadLetterFilter::default() };
    let mut found = None;
    store.each_dead_letter(&filter, |one| {
        found = Some(one);
        Ok(())
    })?;
    found.ok_or_else(|| {
        let hint = "`leadmill dead-letter list --all` has them with their numbers";
        UsageError(format!("there is no dead letter {no}\nhint: {hint}")).into()
    })
}

fn show(rules: &RuleSet, store: &Store, no: i64) -> Result<()> {
    let one = find(store, no)?;
    let at = |ms: i64| utc_from_ms(ms).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let fact = |name: &str, value: String| vec![name.to_owned(), value];
    let mut facts = vec![
        fact("target", one.target.clone()),
        fact("what", one.item.clone()),
        fact("code", one.code.clone()),
        fact("column", one.column.clone()),
        fact("why", one.reason.clone()),
        fact("since", at(one.first_ms)),
        fact("last", at(one.last_ms)),
        fact("state", one.state.clone()),
    ];
    if let Some(closed_ms) = one.closed_ms {
        facts.push(fact("closed", format!("{}: {}", at(closed_ms), one.because)));
    }
    facts.retain(|fact| !fact[1].is_empty());
    terminal::print(&terminal::table(&facts, &[]))?;
    if one.state != "open" {
        return Ok(());
    }
    let drop = format!("`leadmill dead-letter drop {no}");
    let is_unsure = [UNKNOWN, NO_RECORD, RESTORED].contains(&&*one.code);
    let keeps_records = makes_records(rules, &one.target);
    let next = if keeps_records && is_unsure {
        let redrive = format!("`leadmill dead-letter redrive {no}`");
        format!(
            "look for its record there: {drop} --record ID --because TEXT` if it is, else {redrive}"
        )
    } else if keeps_records && has_record(store, &one)? {
        format!(
            "{drop} --forget-record --because TEXT` if the record is gone and another is wanted"
        )
    } else {
        let lead = one.item.split('/').next().unwrap_or_default();
        format!("`leadmill explain {lead}` tells of the lead")
    };
    terminal::print("")?;
    terminal::print_wrapped(&format!("next: {next}"), 2)
}

/// Returns whether `target` is an endpoint that makes a record of each item.
fn makes_records(rules: &RuleSet, target: &str) -> bool {
    let http = rules.outbox.get(target).and_then(Endpoint::http);
    http.is_some_and(|http| http.shape.record.is_some())
}

/// Returns whether it is known what the target calls its record.
fn has_record(store: &Store, one: &Letter) -> Result<bool> {
    let Some(target) = store.known_target(&one.target)? else { return Ok(false) };
    Ok(store.record_id(target, &one.item)?.is_some())
}

fn drop_one(global: &Global, asked: &DropOne) -> Result<()> {
    let (no, because) = (asked.no, asked.because.trim());
    if because.is_empty() {
        return Err(UsageError("--because says why nothing is to be done".to_owned()).into());
    }
    if asked.known_as.as_deref().is_some_and(|id| !is_record_id(id)) {
        let hint = "copy it from the address of the record, or from its page";
        return Err(UsageError(format!("--record is no id of a record\nhint: {hint}")).into());
    }
    let rules = global.rules()?;
    let at_ms = global.now(&rules)?.timestamp_millis();
    let store = Store::open_existing(&global.store_path())?;
    let letter = find(&store, no)?;
    if (asked.known_as.is_some() || asked.is_gone) && !makes_records(&rules, &letter.target) {
        let hint = "only endpoints whose request has `record-at` have some";
        let what = format!("`{}` has no records whose ids are kept", letter.target);
        return Err(UsageError(format!("{what}\nhint: {hint}")).into());
    }
    store.begin()?;
    if !store.drop_dead_letter(no, at_ms, because)? {
        return Err(UsageError(format!("dead letter {no} is {} already", letter.state)).into());
    }
    let target = store.target_no(&letter.target)?;
    if let Some(id) = &asked.known_as {
        store.keep_record_id(target, &letter.item, id, at_ms)?;
    }
    if asked.is_gone {
        store.forget_record_id(target, &letter.item)?;
    }
    store.end_stuck(target, &letter.item, asked.known_as.is_some(), because, at_ms)?;
    store.commit()?;
    terminal::print(&format!("dead letter {no} is dropped"))
}

fn redrive(global: &Global, filter: &Filter, asked: &Redrive) -> Result<()> {
    let rules = global.rules()?;
    let since = asked.since.as_deref();
    let since = since.map(|text| clock::as_of(Some(text), rules.workspace.zone)).transpose();
    let which = Which {
        letters: asked.letters.clone(),
        target: filter.target.clone(),
        code: filter.code.clone(),
        reason: asked.reason.clone(),
        since_ms: since.map_err(UsageError)?.map(|since| since.timestamp_millis()),
        limit: asked.limit,
    };
    if which == Which::default() {
        let hint =
            "name numbers of the list, or give --target, --code, --reason, --since or --limit";
        return Err(UsageError(format!("nothing says which\nhint: {hint}")).into());
    }
    let store = if asked.change_nothing {
        global.read_store()?
    } else {
        Store::open_existing(&global.store_path())?
    };
    let found = redrive::find(&store, &rules, &which)?;
    if let Some(no) = asked.letters.iter().find(|no| found.iter().all(|one| one.letter != **no)) {
        let one = find(&store, *no)?;
        let hint = "only what an endpoint refused can, and leads and conversions that a CRM refused; else change the \
                    lead or the target and run, with --full for all tasks";
        let what = format!("dead letter {no} ({}, {}) cannot go out again", one.target, one.state);
        return Err(UsageError(format!("{what}\nhint: {hint}")).into());
    }
    let mut rows = vec![["no", "target", "what", "why"].map(str::to_owned).to_vec()];
    for one in &found {
        rows.push(vec![
            one.letter.to_string(),
            one.to.clone(),
            one.item.clone(),
            one.reason.clone(),
        ]);
    }
    if !found.is_empty() {
        terminal::print(&terminal::table(&rows, &[0]))?;
        terminal::print("")?;
    }
    let of_files = found.iter().filter(|one| one.no.is_none()).count();
    let letters = |count: usize| terminal::count(count as u64, "dead letter", "dead letters");
    if asked.change_nothing {
        let all = letters(found.len());
        return terminal::print(&format!("{all} would go out again; nothing was changed"));
    }
    redrive::redrive(&store, &found, global.now(&rules)?.timestamp_millis())?;
    if of_files > 0 {
        let written = letters(of_files);
        terminal::print(&format!("{written} to be written again by the next `leadmill run`"))?;
    }
    if of_files < found.len() || found.is_empty() {
        let sent = letters(found.len() - of_files);
        terminal::print(&format!("{sent} to be sent again by the next `leadmill deliver`"))?;
    }
    Ok(())
}

fn as_json(one: &Letter) -> serde_json::Value {
    let at = |ms: i64| utc_from_ms(ms).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    json!({
        "no": one.no, "target": one.target, "what": one.item, "code": one.code,
        "column": one.column, "why": one.reason, "state": one.state, "since": at(one.first_ms),
        "last": at(one.last_ms), "closed": one.closed_ms.map(at), "because": one.because,
    })
}
