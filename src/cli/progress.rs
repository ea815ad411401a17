//! What a run shows while it works: bars on a terminal; elsewhere a line for each input, and one every few seconds.

mod log;

use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use log::{Log, per_second};

use super::terminal;
use crate::model::run::{InputReport, InputStatus, RowCounts};
use crate::pipeline::event::Event;
use crate::report::escape::for_terminal;

/// Between two looks of what turns: also what cannot say how far it is, is seen to be at work.
const TURN_EVERY: Duration = Duration::from_millis(120);

/// Shows the events of a run on stderr.
pub struct Progress {
    bar: Option<ProgressBar>,
    /// Where there is no terminal.
    log: Option<Log>,
    quiet: bool,
    /// The input that is being read, and since when.
    reading: (String, Instant),
}

impl Progress {
    /// Prepares to show events, or with `quiet` nothing but refusals.
    pub fn new(quiet: bool) -> Self {
        let bar = (!quiet && terminal::stderr_is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(spinner());
            bar.enable_steady_tick(TURN_EVERY);
            bar
        });
        let log = (!quiet && bar.is_none()).then(Log::begin);
        Self { bar, log, quiet, reading: (String::new(), Instant::now()) }
    }

    /// Shows one event.
    pub fn show(&mut self, event: &Event) {
        match event {
            Event::TakenBack { run } => {
                self.line(&format!("run {run} was cut short; it is taken back and done again"));
            }
            Event::Resumed { run } => {
                self.line(&format!(
                    "run {run} was cut short before its files were out; finishing it"
                ));
            }
            Event::SetBack { as_of, latest, latest_as_of } => {
                let instant = |at: &DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
                self.warn(
                    &format!("this run is as of {}", instant(as_of)),
                    &format!(
                        "that is before run {latest}, which is as of {}\nhint: runs stand in the order in which they \
                         were run; `leadmill undo` takes back one that was not meant",
                        instant(latest_as_of)
                    ),
                );
            }
            Event::Notice { name, message } => self.warn(name, message),
            Event::InputOpened { name, bytes, .. } => {
                let name = for_terminal(name).into_owned();
                if let Some(log) = &self.log {
                    log.reading(&name, *bytes);
                }
                if let Some(bar) = &self.bar {
                    bar.set_style(rows_bar());
                    bar.set_length(*bytes);
                    bar.set_position(0);
                    bar.set_message(name.clone());
                }
                self.reading = (name, Instant::now());
            }
            Event::RowsRead { rows, bytes } => {
                if let Some(log) = &self.log {
                    log.read(*rows, *bytes);
                }
                if let Some(bar) = &self.bar {
                    let (name, since) = &self.reading;
                    let pace = per_second(*rows, since.elapsed());
                    bar.set_position(*bytes);
                    bar.set_message(format!("{rows} rows, {pace} rows/s, {name}"));
                }
            }
            Event::InputClosed(report) => self.input(report),
            Event::Phase { name, total } => {
                if let Some(log) = &self.log {
                    log.phase(name, *total);
                }
                if let Some(bar) = &self.bar {
                    bar.set_style(if *total == 0 { spinner() } else { steps_bar() });
                    bar.set_length(*total);
                    bar.set_position(0);
                    bar.set_message(*name);
                }
            }
            Event::Progress { done } => {
                if let Some(log) = &self.log {
                    log.done(*done);
                }
                if let Some(bar) = &self.bar {
                    bar.set_position(*done);
                }
            }
        }
    }

    /// Clears the bar, so that what is said next stands alone.
    pub fn finish(&mut self) {
        self.log = None;
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn input(&self, report: &InputReport) {
        let name = for_terminal(&report.name);
        match &report.status {
            InputStatus::Imported => self.line(&format!(
                "{name}: {} rows of {} ({}): {}",
                report.rows.read,
                report.source,
                report.encoding,
                outcomes(&report.rows)
            )),
            InputStatus::Known(run) => self.line(&format!("{name}: already imported by run {run}")),
            InputStatus::Postponed(reason) => self.warn(&report.name, reason),
            InputStatus::Refused(reason) => {
                let say = || terminal::error(&format!("{}: {reason}", report.name));
                match &self.bar {
                    Some(bar) => bar.suspend(say),
                    None => say(),
                }
            }
        }
    }

    fn warn(&self, name: &str, message: &str) {
        let say = || terminal::warning(&format!("{name}: {message}"));
        match &self.bar {
            _ if self.quiet => {}
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            _ if self.quiet => {}
            Some(bar) => bar.suspend(|| terminal::say(text)),
            None => terminal::say(text),
        }
    }
}

/// Every outcome that a row had, so that the line adds up.
fn outcomes(rows: &RowCounts) -> String {
    let counts = [
        (rows.created + rows.merged, "accepted"),
        (rows.repeated, "seen before"),
        (rows.quarantined, "quarantined"),
        (rows.held, "held"),
        (rows.touches, "page views, calls and other events"),
        (rows.skipped, "no records"),
    ];
    let words: Vec<String> = counts
        .iter()
        .filter(|(count, word)| *count > 0 || *word == "accepted")
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    words.join(", ")
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn rows_bar() -> ProgressStyle {
    ProgressStyle::with_template("{bar:24} {percent:>3} % {eta} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn steps_bar() -> ProgressStyle {
    ProgressStyle::with_template("{bar:24} {human_pos}/{human_len} {eta} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
