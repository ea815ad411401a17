//! The command line: one file for each command, whose doc comment is its help.
//!
//! This room owns arguments, the terminal, exit codes and the clock. It must not touch SQL or CSV.
//! Start at [`main`]; what all commands share is in [`workspace`], what they print with in
//! [`terminal`].

mod backup;
mod calibrate;
mod check;
mod clock;
mod consent;
mod dead_letter;
mod deliver;
mod doctor;
mod explain;
mod horizon;
mod init;
mod leads;
mod matching;
mod merge;
mod model;
mod output;
mod people;
mod progress;
mod quarantine;
mod rebuild;
mod receive;
mod report;
mod rescore;
mod restore;
mod retention;
mod review;
mod ropa;
mod rules;
mod run;
mod simulate;
mod sniff;
mod split;
mod subject;
mod target;
mod tasks;
mod terminal;
mod tick;
mod undo;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::pipeline::interrupted::Interrupted;
use crate::pipeline::matching::MatchFault;
use crate::pipeline::{BrokenPromise, Impossible};
use crate::receiving::SpoolFault;
use crate::rules::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::store::key::KeyFault;
use crate::store::{StoreFault, way_back_from, way_out_of_full_disk};
use workspace::{Global, UsageError};

/// Turns exports of leads into a clean, scored and routed list of leads.
///
/// Reads exports of ad platforms, form tools and CRMs (CSV, JSON and Excel, as they are or in zip, gzip
/// or zstd), finds duplicates, keeps consent, scores by your rules, gives every lead an owner or a queue,
/// plans the follow-up, and writes files that your CRM imports. Everything it knows lies in one SQLite
/// file.
///
/// Exit codes: 0 done; 1 failed; 2 usage or rules; 3 done, but somebody must look; 4 another run holds
/// the store, or another receiver the inbox; 5 the store or the consent ledger is damaged, or the key of
/// the erased is missing; 6 an input was refused whole; 70 a promise was broken, nothing published; 130
/// and 143 interrupted.
#[derive(Debug, Parser)]
#[command(name = "leadmill", version, max_term_width = 100, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Run(run::Run),
    Receive(receive::Receive),
    Sniff(sniff::Sniff),
    Calibrate(calibrate::Calibrate),
    Check(check::Check),
    Rules(rules::Rules),
    Ropa(ropa::Ropa),
    Leads(leads::Leads),
    Match(matching::Match),
    Review(review::Review),
    Merge(merge::Merge),
    Model(model::Model),
    Split(split::Split),
    Subject(subject::Subject),
    Target(target::Target),
    Deliver(deliver::Deliver),
    DeadLetter(dead_letter::DeadLetter),
    Tasks(tasks::Tasks),
    Tick(tick::Tick),
    Explain(explain::Explain),
    Consent(consent::Consent),
    Report(report::Report),
    Quarantine(quarantine::Quarantine),
    Undo(undo::Undo),
    Rebuild(rebuild::Rebuild),
    Rescore(rescore::Rescore),
    Retention(retention::Retention),
    Simulate(simulate::Simulate),
    Doctor(doctor::Doctor),
    Backup(backup::Backup),
    Restore(restore::Restore),
}

/// Reads the arguments, runs the command and returns its exit code.
pub fn main() -> ExitCode {
    keep_files_private();
    hear_of_limits();
    let cli = Cli::parse();
    let global = &cli.global;
    if let Err(fault) = global.mask_people() {
        return ExitCode::from(report_fault(&fault, global));
    }
    let outcome = match &cli.command {
        Command::Init(command) => command.run(global),
        Command::Run(command) => command.run(global),
        Command::Receive(command) => command.run(global),
        Command::Sniff(command) => command.run(global),
        Command::Calibrate(command) => command.run(global),
        Command::Check(command) => command.run(global),
        Command::Rules(command) => command.run(global),
        Command::Ropa(command) => command.run(global),
        Command::Leads(command) => command.run(global),
        Command::Match(command) => command.run(global),
        Command::Review(command) => command.run(global),
        Command::Merge(command) => command.run(global),
        Command::Model(command) => command.run(global),
        Command::Split(command) => command.run(global),
        Command::Subject(command) => command.run(global),
        Command::Target(command) => command.run(global),
        Command::Deliver(command) => command.run(global),
        Command::DeadLetter(command) => command.run(global),
        Command::Tasks(command) => command.run(global),
        Command::Tick(command) => command.run(global),
        Command::Explain(command) => command.run(global),
        Command::Consent(command) => command.run(global),
        Command::Report(command) => command.run(global),
        Command::Quarantine(command) => command.run(global),
        Command::Undo(command) => command.run(global),
        Command::Rebuild(command) => command.run(global),
        Command::Rescore(command) => command.run(global),
        Command::Retention(command) => command.run(global),
        Command::Simulate(command) => command.run(global),
        Command::Doctor(command) => command.run(global),
        Command::Backup(command) => command.run(global),
        Command::Restore(command) => command.run(global),
    };
    ExitCode::from(outcome.unwrap_or_else(|fault| report_fault(&fault, global)))
}

/// Lets nobody else read what this process writes: all of it may be about people.
fn keep_files_private() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

/// Lets a write that would be over the process's limit of a file's size fail like any other; else it would end the
/// process without a word.
fn hear_of_limits() {
    #[cfg(unix)]
    {
        let ignored = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        // Where even this fails the process ends at such a write, which is safe, too.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, ignored);
    }
}

/// Says what went wrong and returns the exit code for it.
fn report_fault(fault: &anyhow::Error, global: &Global) -> u8 {
    if terminal::is_broken_pipe(fault) {
        // Whoever read our output has seen enough (`leadmill leads | head`).
        return 0;
    }
    if let Some(diagnostics) = fault.downcast_ref::<Diagnostics>() {
        terminal::say(&format!(
            "{}\n",
            diagnostics.render(terminal::stderr_has_color(), terminal::width()).trim_end()
        ));
        let is_error = |one: &&Diagnostic| one.severity == Severity::Error;
        terminal::error(&format!(
            "the rules have {}; nothing was read or written",
            terminal::count(
                diagnostics.iter().filter(is_error).count() as u64,
                "mistake",
                "mistakes"
            )
        ));
        return 2;
    }
    terminal::error(&format!("{fault:#}"));
    if let Some(hint) = way_back_from(fault, &global.store_path()) {
        terminal::say(&hint);
        return 5;
    }
    if let Some(hint) = way_out_of_full_disk(fault) {
        terminal::say(hint);
        return 1;
    }
    if fault.is::<UsageError>() || fault.is::<Impossible>() {
        return 2;
    }
    if let Some(fault) = fault.downcast_ref::<MatchFault>() {
        return if matches!(fault, MatchFault::Refused(_)) { 6 } else { 2 };
    }
    if fault.is::<Interrupted>() {
        return run::interrupted_exit_code();
    }
    if fault.is::<BrokenPromise>() {
        return 70;
    }
    if fault.is::<KeyFault>() {
        return 5;
    }
    if fault.is::<SpoolFault>() {
        return 4;
    }
    match fault.downcast_ref::<StoreFault>() {
        Some(StoreFault::Locked(_)) => 4,
        Some(StoreFault::Damaged(_)) => 5,
        Some(StoreFault::Missing(_) | StoreFault::Elsewhere(..) | StoreFault::Nowhere(_)) => 2,
        None => 1,
    }
}

/// What a command returns: its exit code.
type Outcome = Result<u8>;
