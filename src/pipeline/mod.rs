//! The order of things: begin → ingest → evaluate → publish → report, in one readable function.
//!
//! This room owns the sequence, the threads and what happens after a crash. It must not print, and it
//! is told what time it is. Start at [`run`]. The store is the seam between the phases, so a run that
//! was killed is simply run again: what did not decide is taken back, what decided is published.

pub mod absorb;
mod account_owners;
pub mod accounts;
mod alerts;
mod amend;
pub mod books;
pub mod calibrate;
mod candidate;
pub mod check;
mod consents;
mod contacts;
pub mod dates;
mod dealing;
pub mod deliveries;
pub mod differences;
pub mod doctor;
pub mod dossier;
pub mod elapsed;
pub mod evaluate;
pub mod event;
pub mod forget;
pub mod history;
pub mod ingest;
pub mod interrupted;
pub mod joining;
mod likely;
pub mod matching;
pub mod messages;
pub mod metrics;
pub mod model;
pub mod otherwise;
pub mod outbox;
pub mod page;
mod parting;
pub mod proof;
pub mod publish;
pub mod quarantine;
pub mod rebuild;
pub mod recognition;
mod replay;
pub mod replay_erasures;
pub mod reports;
pub mod rescore;
pub mod restore;
pub mod retention;
pub mod review;
pub mod review_file;
pub mod ropa;
pub mod rotation;
pub mod rule_usage;
pub mod scrub;
pub mod sniff;
mod standing;
pub mod story;
pub mod subject;
pub mod targets;
pub mod tick;
pub mod touched;
pub mod trace;
pub mod undo;
pub mod verdicts;
pub mod verify_erasure;
mod waiting;
pub mod withdrawal;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use absorb::{Absorbed, Fresh};
use books::Books;
use evaluate::{Decided, Deciding};
use event::{Event, Events};
use ingest::{IngestContext, ingest_input};
use interrupted::{Interrupted, stop_if_interrupted, unless_interrupted};
use recognition::Recognition;

use crate::intake::{self, Caps, InputPath, OpenInput};
use crate::model::ids::{RunNo, SubmissionNo, hex};
use crate::model::moment::utc_from_ms;
use crate::model::run::{InputReport, InputStatus, NoticeCounts, RowCounts};
use crate::report::run_json::RunSummary;
use crate::rules::RuleSet;
use crate::store::absorb::Horizon;
use crate::store::runs::{RunKind, RunOpening, RunRecord, RunState};
use crate::store::{Store, is_damage};

/// Everything a run is given.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The policy.
    pub rules: &'a RuleSet,
    /// The store's file.
    pub store: &'a Path,
    /// The file with the key of the marks by which erased people are known; the first erasure makes it.
    pub key: &'a Path,
    /// The folder that gets `runs/<run>/` and `latest`.
    pub out: &'a Path,
    /// What to read.
    pub inputs: &'a [InputPath],
    /// Preset to use whatever the inputs look like.
    pub forced_source: Option<&'a str>,
    /// The instant that counts as now.
    pub as_of: DateTime<Utc>,
    /// Threads, at least 1; the result does not depend on it.
    pub threads: usize,
    /// Whether CRM files hold every lead instead of the new and changed ones.
    pub full: bool,
    /// Set by a signal; the run stops at the next edge between batches.
    pub interrupted: &'a Arc<AtomicBool>,
}

/// A promise of leadmill's was found broken: nothing is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenPromise(pub String);

impl std::fmt::Display for BrokenPromise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "a promise was broken and nothing was published: {}\nhint: this is a bug in leadmill; the \
             store is as it was before the run",
            self.0
        )
    }
}

impl std::error::Error for BrokenPromise {}

/// What was asked for cannot be done with this store, for the reason it says, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible(pub String);

impl std::fmt::Display for Impossible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Impossible {}

/// Runs the whole chain once and returns what it did.
///
/// # Errors
/// The world's faults with the thing named; [`crate::store::StoreFault`], [`Interrupted`] and
/// [`BrokenPromise`] can be told apart by downcast. Whatever the error, running again is safe.
pub fn run(job: &Job<'_>, events: Events<'_>) -> Result<RunSummary> {
    run_as(job, RunKind::Import, |_| Ok(()), events)
}

/// Runs the chain once `may_begin` agrees, which is asked when nothing is left of a run that was killed: that may have
/// been this one.
fn run_as(
    job: &Job<'_>,
    kind: RunKind,
    may_begin: impl FnOnce(&Store) -> Result<()>,
    events: Events<'_>,
) -> Result<RunSummary> {
    run_in(&Store::open(job.store)?, job, kind, may_begin, events)
}

fn run_in(
    store: &Store,
    job: &Job<'_>,
    kind: RunKind,
    may_begin: impl FnOnce(&Store) -> Result<()>,
    events: Events<'_>,
) -> Result<RunSummary> {
    let inputs = open_inputs(job, events);
    let digest = inputs_digest(&inputs);
    if let Some(summary) = recover(job, store, &digest, events)? {
        return Ok(summary);
    }
    if kind == RunKind::Tick
        && let Some(refusal) = inputs.iter().find_map(|(_, input)| input.as_ref().err())
    {
        anyhow::bail!("cannot read what was said: {}", refusal.message);
    }
    may_begin(store)?;
    let recognition = Recognition::of(job, store)?;
    let record = store.begin_run(opening(job, kind, None, &digest))?;
    let decided = unless_interrupted(job, store, Interrupted::Deciding, || {
        ingest_and_decide(job, store, &record, inputs, recognition.as_ref(), events)
    });
    let books = match decided.and_then(|books| store.commit().map(|()| books)) {
        Ok(books) => books,
        Err(fault) => {
            // On a full disk this may fail, too, and must not hide why.
            let _ = take_back(store, &record, &fault);
            return Err(fault);
        }
    };
    publish::publish(job, store, &record, &books, events)
}

/// Submissions that an interrupted run takes back itself, which is a second's work: more are left to the next run.
const TAKEN_BACK_AT_ONCE: i64 = 10_000;

/// Takes back what `record` wrote before it failed with `fault`. The next run would do it, too, and does where that takes
/// long and somebody waits for the end; a damaged store is left as it is.
fn take_back(store: &Store, record: &RunRecord, fault: &anyhow::Error) -> Result<()> {
    if is_damage(fault) {
        return Ok(());
    }
    store.rollback()?;
    let taken_in = store.last_submission()? + 1 - record.first_submission_no;
    if fault.is::<Interrupted>() && taken_in > TAKEN_BACK_AT_ONCE {
        return Ok(());
    }
    store.purge_run(record.no)
}

/// Returns what a run of `job` is to be.
fn opening<'a>(
    job: &Job<'a>,
    kind: RunKind,
    undoes: Option<RunNo>,
    inputs_digest: &'a str,
) -> RunOpening<'a> {
    RunOpening {
        as_of_ms: job.as_of.timestamp_millis(),
        rules_hash: &job.rules.hash,
        inputs_digest,
        kind,
        undoes,
        is_full: job.full,
    }
}

/// Runs the whole chain on a copy of the store and throws the copy away.
pub fn dry_run(job: &Job<'_>, events: Events<'_>) -> Result<RunSummary> {
    on_a_copy(job, Store::open_if_there(job.store)?, |job| run(job, events))
}

/// Does `work` on a copy of `store` and throws the copy away.
fn on_a_copy(
    job: &Job<'_>,
    store: Option<Store>,
    work: impl FnOnce(&Job<'_>) -> Result<RunSummary>,
) -> Result<RunSummary> {
    let scratch = Scratch::create()?;
    let copy = scratch.0.join("leadmill.db");
    if let Some(store) = store {
        store.copy_to(&copy)?;
    }
    let job = Job { store: &copy, out: &scratch.0.join("out"), ..*job };
    let mut summary = work(&job)?;
    summary.dry_run = true;
    summary.ledger = None;
    Ok(summary)
}

/// A folder that is removed when it is dropped.
struct Scratch(std::path::PathBuf);

impl Scratch {
    /// Makes a folder that nobody else can look into, and that nobody has made before.
    fn create() -> Result<Self> {
        let base = std::env::temp_dir();
        for attempt in 0..1_000 {
            let path = base.join(format!("leadmill-{}-{attempt}", std::process::id()));
            let mut builder = std::fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            match builder.create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(fault) if fault.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(fault) => {
                    return Err(fault).with_context(|| format!("cannot create {}", path.display()));
                }
            }
        }
        anyhow::bail!("cannot find a free name for a temporary folder in {}", base.display())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

type Opened = (String, Result<OpenInput, intake::Refusal>);

fn open_inputs(job: &Job<'_>, events: Events<'_>) -> Vec<Opened> {
    let caps = caps(job.rules);
    let mut inputs = Vec::with_capacity(job.inputs.len());
    for input in job.inputs {
        let expansion = intake::expand(input, &job.rules.sources, &caps);
        inputs.extend(expansion.inputs);
        for name in expansion.left_out {
            let message = "this is no export and was left out".to_owned();
            events(Event::Notice { name, message });
        }
    }
    events(Event::Phase { name: "looking at the inputs", total: inputs.len() as u64 });
    let mut opened = Vec::with_capacity(inputs.len());
    for (done, input) in inputs.into_iter().enumerate() {
        let (name, result) = match input {
            Ok(input) => (input.name.clone(), open_input(&input, job.rules, job.forced_source)),
            Err(refusal) => (refusal.input.clone(), Err(refusal)),
        };
        for message in result.iter().flat_map(|input| input.notices.clone()) {
            events(Event::Notice { name: name.clone(), message });
        }
        opened.push((name, result));
        events(Event::Progress { done: done as u64 + 1 });
    }
    opened
}

/// Columns that only leadmill's own files have side by side.
const OWN_COLUMNS: &[&[&str]] = &[&["lead-id", "routing-reason"], &["task-id", "lead-id"]];

/// Looks at `input` and finds out what it is.
///
/// # Errors
/// What [`intake::open`] refuses, and files that leadmill wrote itself: taking our own conclusions in as
/// what people said would turn "no consent on record" into a refusal.
pub fn open_input(
    input: &InputPath,
    rules: &RuleSet,
    forced_source: Option<&str>,
) -> Result<OpenInput, intake::Refusal> {
    let opened = intake::open(input, &rules.sources, &caps(rules), forced_source)?;
    let has = |name: &&str| opened.header.iter().any(|column| column == name);
    if OWN_COLUMNS.iter().any(|columns| columns.iter().all(&has)) {
        return Err(intake::Refusal {
            input: opened.name,
            kind: intake::RefusalKind::Unrecognized,
            message: "leadmill wrote this file itself".to_owned(),
            hint: "import the exports it was made of; leads.csv and tasks.csv are results"
                .to_owned(),
        });
    }
    Ok(opened)
}

/// Returns the caps of the workspace in the form intake takes them.
pub fn caps(rules: &RuleSet) -> Caps {
    let caps = rules.workspace.caps;
    Caps {
        record_bytes: caps.record_bytes as usize,
        field_bytes: caps.field_bytes as usize,
        fields: caps.fields as usize,
        input_bytes: caps.input_bytes,
        ratio: caps.ratio,
        ..Caps::default()
    }
}

/// The same inputs have the same digest, whatever their names, their order and their compression.
fn inputs_digest(inputs: &[Opened]) -> String {
    let mut hashes: Vec<String> = inputs
        .iter()
        .filter_map(|(_, input)| input.as_ref().ok().map(|input| hex(&input.sha256)))
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    hex(&Sha256::digest(hashes.join("\n")))
}

/// Takes back a run that never decided; publishes one that never published. Returns its summary when
/// it was asked for the same: then this run is that run.
fn recover(
    job: &Job<'_>,
    store: &Store,
    digest: &str,
    events: Events<'_>,
) -> Result<Option<RunSummary>> {
    let Some(last) = store.latest_run()? else { return Ok(None) };
    match last.state {
        RunState::Published => {
            event::note_if_set_back(&last, job.as_of, events);
            scrub::finish_scrubbing(store)?;
            Ok(None)
        }
        RunState::Ingesting => {
            events(Event::TakenBack { run: last.id.clone() });
            store.purge_run(last.no)?;
            Ok(None)
        }
        RunState::Decided => {
            events(Event::Resumed { run: last.id.clone() });
            let books = books_of(&last)?;
            let as_it_was = Job { full: last.is_full, ..*job };
            let summary = publish::publish(&as_it_was, store, &last, &books, events)?;
            // Whoever asks for an erasure again is told that it is done.
            scrub::finish_scrubbing(store)?;
            let is_this = last.inputs_digest == digest && (last.is_full || !job.full);
            Ok(is_this.then_some(summary))
        }
    }
}

/// Returns the books that were closed for `run`.
fn books_of(run: &RunRecord) -> Result<Books> {
    let text = run.books.as_deref().with_context(|| format!("run {} is not done", run.id))?;
    serde_json::from_str(text)
        .with_context(|| format!("the books of run {} are not readable", run.id))
}

fn ingest_and_decide(
    job: &Job<'_>,
    store: &Store,
    record: &RunRecord,
    inputs: Vec<Opened>,
    recognition: Option<&Recognition>,
    events: Events<'_>,
) -> Result<Books> {
    let mut fresh = Fresh::starting_at(record.first_submission_no);
    store.prepare_fresh_keys()?;
    let mut reports = Vec::with_capacity(inputs.len());
    for (name, input) in inputs {
        let context = IngestContext {
            store,
            rules: job.rules,
            run: record.no,
            as_of: job.as_of,
            threads: job.threads,
            interrupted: job.interrupted,
            recognition,
        };
        reports.push(take_in(context, &name, input, &mut fresh, events)?);
    }
    stop_if_interrupted(job)?;
    store.begin()?;
    events(Event::Phase { name: "finding duplicates", total: 0 });
    store.keep_rules(job.rules)?;
    let (absorbed, decided) = decide(job, store, record, &fresh, &[], events)?;
    stop_if_interrupted(job)?;
    let looked = elapsed::look_again(deciding(job, store, record, &fresh), events)?;
    events(Event::Phase { name: "handing tasks out", total: 0 });
    let handed_out = store.hand_out(record.no, record.as_of_ms)?;
    stop_if_interrupted(job)?;
    let mut books = Books::close(job, store, record, &reports, &decided, &absorbed, looked)?;
    books.handed_out = handed_out;
    amend::close(store, record, books)
}

/// Lets `record` decide about its `fresh` submissions, those of `seeds`, and whatever they touch.
fn decide(
    job: &Job<'_>,
    store: &Store,
    record: &RunRecord,
    fresh: &Fresh,
    seeds: &[SubmissionNo],
    events: Events<'_>,
) -> Result<(Absorbed, Decided)> {
    let mut absorbed = absorb::absorb(store, job.rules, record.no.0, fresh, seeds, Horizon::Now)?;
    let decided = evaluate::evaluate(deciding(job, store, record, fresh), &mut absorbed, events)?;
    Ok((absorbed, decided))
}

fn deciding<'a>(
    job: &Job<'a>,
    store: &'a Store,
    record: &RunRecord,
    fresh: &'a Fresh,
) -> Deciding<'a> {
    Deciding {
        store,
        rules: job.rules,
        run: record.no,
        as_of: utc_from_ms(record.as_of_ms),
        fresh,
        is_replay: false,
        looks_by_time: record.looks_by_time,
    }
}

fn take_in(
    context: IngestContext<'_>,
    name: &str,
    input: Result<OpenInput, intake::Refusal>,
    fresh: &mut Fresh,
    events: Events<'_>,
) -> Result<InputReport> {
    let report = |sha256: String, source: String, encoding: String, status| InputReport {
        name: name.to_owned(),
        sha256,
        source,
        encoding,
        status,
        rows: RowCounts::default(),
        notices: NoticeCounts::new(),
        warnings: Vec::new(),
    };
    let input = match input {
        Ok(input) => input,
        Err(refusal) => {
            let status = ingest::refused(&refusal);
            let report = report(String::new(), String::new(), String::new(), status);
            events(Event::InputClosed(report.clone()));
            return Ok(report);
        }
    };
    if let Some(known) = context.store.input_known(input.sha256)? {
        let report = report(
            hex(&input.sha256),
            input.preset.id.clone(),
            input.encoding.clone(),
            InputStatus::Known(known),
        );
        events(Event::InputClosed(report.clone()));
        return Ok(report);
    }
    ingest_input(context, input, fresh, events)
}
