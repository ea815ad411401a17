//! `leadmill deliver`

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::json;

use super::clock::Ticking;
use super::run::{Worker, watch_signals};
use super::workspace::{Global, UsageError, duration};
use super::{Outcome, terminal};
use crate::pipeline::interrupted::Interrupted;
use crate::pipeline::outbox::deliver::{Delivery, EndpointSummary, Way, deliver, waiting};
use crate::pipeline::outbox::tell::tell_sent;
use crate::report::run_json::WaitingSummary;
use crate::rules::RuleSet;
use crate::rules::diagnostics::did_you_mean;
use crate::rules::outbox::Endpoint;
use crate::sending::clock::Clock;
use crate::sending::http::Outgoing;
use crate::sending::wire::Wire;
use crate::store::StoreFault;

/// Send what runs have laid down for the endpoints of outbox.toml.
///
/// What fails is tried again: at once a few times, then by the next commands for 75 hours; what is refused becomes a
/// dead letter. The same delivery goes out with the same id and the same bytes. Consents are asked again just before.
/// A run may go on meanwhile. Put it into cron after the nightly run, and every few minutes if mails go out by it.
#[derive(Debug, Args)]
pub struct Deliver {
    /// Only to this endpoint.
    #[arg(long, value_name = "ID")]
    endpoint: Option<String>,
    /// How long it may take; what is left is sent by the next command.
    #[arg(long, value_name = "TIME", default_value = "10m")]
    budget: String,
    /// Say what waits, and send nothing.
    #[arg(long = "dry-run")]
    send_nothing: bool,
    /// End with one JSON object on stdout.
    #[arg(long)]
    json: bool,
}

impl Deliver {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        expect_endpoint(&rules, self.endpoint.as_deref())?;
        let budget_ms = duration("budget", &self.budget)?.num_milliseconds();
        let ticking = Ticking::from(global.now(&rules)?);
        let interrupted = watch_signals()?;
        let clock = Clock {
            now_ms: &|| ticking.now_ms(),
            sleep: &|time: Duration| std::thread::sleep(time),
        };
        let open = |endpoint: &Endpoint| -> Result<Way, String> {
            let wire = Wire::open(endpoint, &global.workspace)?;
            Ok(Box::new(move |outgoing: &Outgoing<'_>| wire.send(outgoing)))
        };
        let job = Delivery {
            rules: &rules,
            store: &global.store_path(),
            clock,
            budget_ms,
            only: self.endpoint.as_deref(),
            interrupted: &interrupted,
            open: &open,
        };
        let found = if self.send_nothing { waiting(&job)? } else { deliver(&job)? };
        if interrupted.load(Ordering::Relaxed) {
            return Err(Interrupted::Delivering.into());
        }
        let told =
            if self.send_nothing { None } else { tell_tasks(global, &rules, ticking.instant())? };
        self.tell(global, &found)?;
        if let Some(run) = told.filter(|_| !self.json && !global.quiet) {
            terminal::print_wrapped(
                &format!("run {run}: the tasks of mails that were sent are done"),
                2,
            )?;
        }
        for one in &found {
            if let Some(why) = &one.stopped {
                terminal::warning(&format!("endpoint {}: {why}", one.endpoint));
            }
        }
        let needs_a_look = found.iter().any(EndpointSummary::needs_a_look);
        Ok(if needs_a_look && !self.send_nothing { 3 } else { 0 })
    }

    fn tell(&self, global: &Global, found: &[EndpointSummary]) -> Result<()> {
        if self.json {
            let line = json!({ "dry_run": self.send_nothing, "endpoints": found });
            return terminal::print(&line.to_string());
        }
        if global.quiet {
            return Ok(());
        }
        if found.is_empty() {
            let hint = "outbox.toml says where something is sent; no endpoint is on";
            return terminal::print_wrapped(&format!("nothing to send: {hint}"), 2);
        }
        let header = ["endpoint", "delivered", "failed", "given up", "held", "not sent", "waiting"];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        for one in found {
            let figures = one.figures;
            let waits = one.waiting.as_ref().map_or(0, |waiting| waiting.items);
            let counts = [
                figures.delivered,
                figures.failed,
                figures.dead,
                figures.held,
                figures.withdrawn,
                waits,
            ];
            let counts = counts.iter().map(u64::to_string);
            rows.push(std::iter::once(one.endpoint.clone()).chain(counts).collect());
        }
        terminal::print(&terminal::table(&rows, &[1, 2, 3, 4, 5, 6]))?;
        for one in found {
            if let Some(line) =
                one.waiting.as_ref().and_then(|waiting| story(&one.endpoint, waiting))
            {
                terminal::print_wrapped(&line, 2)?;
            }
        }
        Ok(())
    }
}

/// Says that the tasks of mails that were sent are done, unless a run is at work: then the next command does. Returns
/// the id of the run that says so.
fn tell_tasks(global: &Global, rules: &RuleSet, now: DateTime<Utc>) -> Result<Option<String>> {
    let mails = global.read_store()?.mails_to_tell()?;
    if mails.is_empty() {
        return Ok(None);
    }
    let worker = Worker::at(global, rules, None, now)?;
    match worker.work(global, |job, _| tell_sent(job)) {
        Ok(summary) => Ok(summary.map(|summary| summary.run)),
        Err(fault) if matches!(fault.downcast_ref(), Some(StoreFault::Locked(_))) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Says how long what waits for an endpoint has been waiting, and what somebody is to look at.
pub fn story(endpoint: &str, waiting: &WaitingSummary) -> Option<String> {
    let mut parts = Vec::new();
    if waiting.items > 0 {
        let deliveries = terminal::count(waiting.items, "delivery waits", "deliveries wait");
        let mut part = format!("{deliveries}, the oldest for {}", waiting.oldest);
        for (count, what) in [
            (waiting.for_record, "a record at the endpoint under whose records theirs are made"),
            (waiting.for_look, "somebody's look whether an earlier one is there"),
        ] {
            if count > 0 {
                part = format!("{part}; {count} of them for {what}");
            }
        }
        if let Some(failing) = &waiting.failing {
            part = format!("{part}; it has failed for {failing} ({})", waiting.last_code);
        }
        parts.push(part);
    }
    if waiting.stuck > 0 {
        let letters = terminal::count(waiting.stuck, "dead letter", "dead letters");
        parts.push(format!("{letters}: `leadmill dead-letter list --target {endpoint}`"));
    }
    (!parts.is_empty()).then(|| format!("{endpoint}: {}", parts.join("; ")))
}

fn expect_endpoint(rules: &RuleSet, id: Option<&str>) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    let ids: Vec<&str> = rules.outbox.endpoints.iter().map(|one| &*one.id).collect();
    match rules.outbox.get(id) {
        Some(endpoint) if endpoint.is_on => Ok(()),
        Some(_) => {
            let hint = "take `enabled = false` out of outbox.toml";
            Err(UsageError(format!("endpoint `{id}` is off\nhint: {hint}")).into())
        }
        None => {
            let hint = did_you_mean(id, ids.iter().copied()).map_or_else(
                || {
                    let known = if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
                    format!("known endpoints: {known}; outbox.toml has them")
                },
                |near| format!("did you mean `{near}`?"),
            );
            Err(UsageError(format!("there is no endpoint `{id}`\nhint: {hint}")).into())
        }
    }
}
