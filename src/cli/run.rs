//! `leadmill run`

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context as _, Result, anyhow};
use chrono::{DateTime, Utc};
use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::deliver::story;
use super::progress::Progress;
use super::terminal::figure;
use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::intake::{InputPath, LocateProblem, locate, locate_folder};
use crate::pipeline::event::Events;
use crate::pipeline::{Job, dry_run, run};
use crate::receiving::{Closed, close_segments};
use crate::report::run_json::RunSummary;
use crate::rules::RuleSet;
use crate::store::files::private_folder;
use crate::store::key::key_path;

/// Take exports in, decide about every lead they touch, and write the files.
///
/// INPUT is a file, a folder, a glob or `-` for stdin; without one the workspace's inbox is read. Rows
/// seen before are not taken again, so running twice is free; a run that was killed is simply run
/// again. Leads that time alone may have changed (points fade, windows end) are looked at again, also
/// when nothing comes in.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Run {
    /// Files, folders, globs, or `-` for stdin.
    #[arg(value_name = "INPUT")]
    inputs: Vec<String>,
    /// Read every input as this source, whatever it looks like.
    #[arg(long, value_name = "ID")]
    source: Option<String>,
    /// Do everything on a copy and keep nothing.
    #[arg(long = "dry-run")]
    keep_nothing: bool,
    /// Write every lead to the CRM files, not only new and changed ones.
    #[arg(long)]
    full: bool,
    /// Also say for each target how many rows are new, changed, unchanged, withdrawn and refused.
    #[arg(long, conflicts_with = "json")]
    diff: bool,
    /// End with one JSON object on stdout instead of tables.
    #[arg(long)]
    json: bool,
    /// Threads; the result does not depend on it. Default: one for each core.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

/// Which signal asked the process to stop, as its exit code; 0 for none.
static STOPPED_BY: std::sync::OnceLock<Arc<AtomicUsize>> = std::sync::OnceLock::new();

/// Returns the exit code of an interrupted run: 128 and the signal's number.
pub fn interrupted_exit_code() -> u8 {
    let code = STOPPED_BY.get().map_or(0, |code| code.load(Ordering::Relaxed));
    if code == 0 { 130 } else { code as u8 }
}

/// What commands that write share: the job, its threads, its signals and its progress.
pub struct Worker<'a> {
    rules: &'a RuleSet,
    store: PathBuf,
    key: PathBuf,
    out: PathBuf,
    inputs: &'a [InputPath],
    forced_source: Option<&'a str>,
    as_of: DateTime<Utc>,
    threads: usize,
    full: bool,
    interrupted: Arc<AtomicBool>,
}

impl<'a> Worker<'a> {
    /// Prepares a job without inputs; from here on a signal stops it at the next edge.
    pub fn new(global: &Global, rules: &'a RuleSet, threads: Option<NonZeroUsize>) -> Result<Self> {
        Self::at(global, rules, threads, global.now(rules)?)
    }

    /// Prepares the same at an instant that is known already.
    pub fn at(
        global: &Global,
        rules: &'a RuleSet,
        threads: Option<NonZeroUsize>,
        as_of: DateTime<Utc>,
    ) -> Result<Self> {
        global.expect_out_folder()?;
        Ok(Self {
            rules,
            store: global.store_path(),
            key: key_path(&global.store_path()),
            out: global.out_path(),
            inputs: &[],
            forced_source: None,
            as_of,
            threads: threads
                .or_else(|| std::thread::available_parallelism().ok())
                .map_or(1, usize::from),
            full: false,
            interrupted: watch_signals()?,
        })
    }

    /// Does `work` on a pool of threads and shows how it comes along.
    pub fn work<T: Send>(
        &self,
        global: &Global,
        work: impl FnOnce(&Job<'_>, Events<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        let job = Job {
            rules: self.rules,
            store: &self.store,
            key: &self.key,
            out: &self.out,
            inputs: self.inputs,
            forced_source: self.forced_source,
            as_of: self.as_of,
            threads: self.threads,
            full: self.full,
            interrupted: &self.interrupted,
        };
        let mut progress = Progress::new(global.quiet);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .build()
            .context("cannot start the worker threads")?;
        let outcome = pool.install(|| work(&job, &mut |event| progress.show(&event)));
        progress.finish();
        outcome
    }
}

impl Run {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let worker = Worker::new(global, &rules, self.threads)?;
        Global::expect_source(&rules, self.source.as_deref())?;
        let (inputs, code_of_missing) = self.locate(global)?;
        private_folder(&global.workspace)
            .with_context(|| format!("cannot create {}", global.workspace.display()))?;
        let worker = Worker {
            inputs: &inputs,
            forced_source: self.source.as_deref(),
            full: self.full,
            ..worker
        };
        let work = if self.keep_nothing { dry_run } else { run };
        let summary = worker.work(global, work)?;
        if self.json {
            terminal::print(&summary.to_line()?)?;
        } else if !global.quiet {
            self.print_tables(global, &summary)?;
        }
        for alert in &summary.alerts {
            terminal::warning(&format!("alert {}: {}", alert.id, alert.message));
        }
        Ok(code_of_missing.unwrap_or(summary.exit_code))
    }

    /// Finds the inputs; the exit code says that there are others: some that were named are not there (2), or the inbox
    /// has some that cannot be read (1).
    fn locate(&self, global: &Global) -> Result<(Vec<InputPath>, Option<u8>)> {
        if let Some(args) = Some(&self.inputs).filter(|args| !args.is_empty()) {
            let (found, problems) = locate(args);
            problems.iter().for_each(say);
            if found.is_empty() {
                return Err(
                    UsageError("there is nothing to read; nothing was written".to_owned()).into()
                );
            }
            return Ok((found, (!problems.is_empty()).then_some(2)));
        }
        let inbox = global.inbox_path();
        if !inbox.is_dir() {
            return Err(UsageError(format!(
                "there is no inbox at {}\nhint: name the files to read, or make a workspace with \
                 `leadmill init`",
                inbox.display()
            ))
            .into());
        }
        close_received(&inbox);
        // An empty inbox is a quiet night, not a mistake: tasks fall due and alerts fire all the same.
        let (found, problems) = locate_folder(&inbox).map_err(|fault| anyhow!(told(&fault)))?;
        problems.iter().for_each(say);
        Ok((found, (!problems.is_empty()).then_some(1)))
    }

    fn print_tables(&self, global: &Global, summary: &RunSummary) -> Result<()> {
        let rows = summary.rows;
        terminal::print(&format!("run {} as of {}", summary.run, summary.as_of))?;
        terminal::print("")?;
        let mut lines = vec![
            vec!["rows".to_owned(), String::new()],
            figure("  read", rows.read),
            figure("  became a lead", rows.created),
            figure("  joined a lead", rows.merged),
            figure("  seen before", rows.repeated),
            figure("  quarantined", rows.quarantined),
            figure("  held (test, spam, partial)", rows.held),
            figure("  page views, calls and other events", rows.touches),
            figure("  no records", rows.skipped),
            vec!["leads".to_owned(), String::new()],
            figure("  new", summary.leads.new),
            figure("  updated", summary.leads.updated),
            figure("  in the store", summary.leads.total),
            figure("  hot", summary.segments.hot),
            figure("  warm", summary.segments.warm),
            figure("  cold", summary.segments.cold),
            figure("  in triage, this run", summary.triage),
            vec!["tasks".to_owned(), String::new()],
            figure("  open", summary.tasks.open),
            figure("  late", summary.tasks.late),
        ];
        if summary.tasks.listed < summary.tasks.open {
            lines.push(figure(
                "  in tasks.csv, those due last (all: leadmill tasks)",
                summary.tasks.listed,
            ));
        }
        if summary.looked_again.leads > 0 {
            lines.push(figure("leads looked at again, as time passed", summary.looked_again.leads));
            lines.push(figure("  changed", summary.looked_again.changed));
        }
        if !summary.notices.is_empty() {
            lines.push(vec!["rows taken with a notice".to_owned(), String::new()]);
            lines.extend(
                summary.notices.iter().map(|(code, rows)| figure(&format!("  {code}"), *rows)),
            );
        }
        if summary.pairs_to_review > 0 {
            lines.push(figure(
                "pairs that may be one person: leadmill review",
                summary.pairs_to_review,
            ));
        }
        if summary.newly_shared_contacts > 0 {
            lines.push(figure("contacts found to be shared", summary.newly_shared_contacts));
        }
        terminal::print(&terminal::table(&lines, &[1]))?;
        terminal::print("")?;
        let told = summary.outbox.iter().filter_map(|one| story(&one.endpoint, &one.waiting));
        let told: Vec<String> = told.collect();
        if !told.is_empty() {
            told.iter().try_for_each(|line| terminal::print_wrapped(line, 2))?;
            terminal::print("`leadmill deliver` sends what waits\n")?;
        }
        if self.diff {
            terminal::print(&deliveries(summary))?;
            terminal::print("")?;
        }
        if self.keep_nothing {
            return terminal::print("dry run: nothing was stored or published");
        }
        let latest = global.out_path().join("latest");
        terminal::print(&format!(
            "{} files in {}, also as {}",
            summary.files.len() + 1,
            global.out_path().join("runs").join(&summary.run).display(),
            latest.display()
        ))
    }
}

/// Returns what each target was given as a table.
fn deliveries(summary: &RunSummary) -> String {
    let header = ["target", "new", "changed", "unchanged", "withdrawn", "refused"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for one in &summary.deliveries {
        let counts = [one.new, one.changed, one.unchanged, one.withdrawn, one.refused];
        let counts = counts.iter().map(u64::to_string);
        rows.push(std::iter::once(one.target.clone()).chain(counts).collect());
    }
    terminal::table(&rows, &[1, 2, 3, 4, 5])
}

fn say(problem: &LocateProblem) {
    terminal::error(&told(problem));
}

fn told(problem: &LocateProblem) -> String {
    format!("{}: {}\nhint: {}", problem.argument, problem.message, problem.hint)
}

/// Closes the files that `leadmill receive` writes to, so that what came in until now is taken in.
fn close_received(inbox: &Path) {
    match close_segments(inbox) {
        Ok(closed) => closed.iter().filter_map(cut_off).for_each(|text| terminal::warning(&text)),
        // What is in other files must not wait for it, and what is in these is taken in by a later run.
        Err(fault) => terminal::warning(&format!(
            "{fault:#}; what came in there is left for the next run\nhint: run as the user who receives"
        )),
    }
}

/// Says that the end of a file was cut off, if it was.
pub(super) fn cut_off(closed: &Closed) -> Option<String> {
    let bytes = terminal::count(closed.cut_bytes, "byte", "bytes");
    let place =
        closed.path.as_ref().map_or_else(String::new, |path| format!(" of {}", path.display()));
    let said =
        format!("{bytes} at the end{place} cut off: a submission that was never acknowledged");
    (closed.cut_bytes > 0).then_some(said)
}

/// Makes Ctrl-C and SIGTERM stop the run at the next edge; a second one stops the process at once,
/// which is safe, too.
pub(super) fn watch_signals() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let code = Arc::clone(STOPPED_BY.get_or_init(|| Arc::new(AtomicUsize::new(0))));
    for (signal, exit_code) in [(SIGINT, 130), (SIGTERM, 143)] {
        flag::register_conditional_shutdown(signal, exit_code, Arc::clone(&interrupted))
            .and_then(|_| flag::register_usize(signal, Arc::clone(&code), exit_code as usize))
            .and_then(|_| flag::register(signal, Arc::clone(&interrupted)))
            .context("cannot watch for signals")?;
    }
    Ok(interrupted)
}
