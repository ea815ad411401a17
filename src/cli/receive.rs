//! `leadmill receive`

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::json;

use super::run::{cut_off, watch_signals};
use super::workspace::{Global, UsageError};
use super::{Outcome, clock, terminal};
use crate::receiving::{Clock, Endpoint, Event, Guard, Listener, Secret, Setup, serve};
use crate::rules::RuleSet;
use crate::rules::receive::Form;
use crate::rules::secret::SecretSource;
use crate::sending::secret;

/// Receive forms and webhooks over HTTP, and keep each for the next run.
///
/// The forms of rules/receive.toml are open as long as this runs. What comes in is checked, written to inbox/received
/// and brought to the disk before it is acknowledged; the same submission gets the same receipt and is kept once. It
/// decides nothing and sends nothing on: `leadmill run` takes in what came until then, also while this runs. There is
/// no TLS: put a web server in front. Ctrl-C or SIGTERM end it with code 0 once all that is under way is answered.
#[derive(Debug, Args)]
pub struct Receive {
    /// Address and port; 0 takes any port that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// Write a line of JSON to stdout for each request.
    #[arg(long)]
    json: bool,
}

impl Receive {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let policy = &rules.receive;
        if policy.forms.is_empty() {
            return Err(UsageError(
                "rules/receive.toml opens no form\nhint: it holds examples; take away the signs at the start of their \
                 lines, in the rules of your workspace"
                    .to_owned(),
            )
            .into());
        }
        let endpoints = policy.forms.iter().map(|form| endpoint(form, &global.workspace));
        let setup = Setup {
            endpoints: endpoints.collect::<Result<_>>()?,
            trusted_proxies: policy.trusted_proxies.clone(),
            ip: rules.workspace.ip,
            close_after_seconds: policy.close_after_seconds,
            inbox: global.inbox_path(),
        };
        let stop = watch_signals()?;
        std::fs::create_dir_all(&setup.inbox)
            .with_context(|| format!("cannot create {}", setup.inbox.display()))?;
        let socket = TcpListener::bind(self.listen).map_err(|fault| {
            let hint = "--listen names another address or port";
            anyhow::anyhow!("cannot listen on {}: {fault}\nhint: {hint}", self.listen)
        })?;
        let address = socket.local_addr().context("cannot listen")?;
        let clock = clock_of(global, &rules)?;
        let reporter = Reporter { clock: Arc::clone(&clock), json: self.json, quiet: global.quiet };
        reporter.began(address, &setup);
        let listener: Listener = Arc::new(move |event| reporter.tell(&event));
        serve(setup, socket, &stop, clock, &listener)?;
        Ok(0)
    }
}

/// Returns the clock, or the instant that counts as now and stands still.
fn clock_of(global: &Global, rules: &RuleSet) -> Result<Clock> {
    if global.as_of.is_none() {
        return Ok(Arc::new(clock::instant));
    }
    let now = global.now(rules)?;
    Ok(Arc::new(move || now))
}

fn endpoint(form: &Form, workspace: &Path) -> Result<Endpoint> {
    let read = |name: &SecretSource| read_secret(name, &form.id, workspace);
    let malformed = |_: &SecretSource| {
        let form = &form.id;
        UsageError(format!(
            "the secret of the form `{form}` is not in base64\nhint: it looks like whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        ))
        .into()
    };
    Ok(Endpoint { guard: Guard::new(&form.check, read, malformed)?, form: form.clone() })
}

/// Reads a secret from where the rules say that it is kept.
fn read_secret(source: &SecretSource, form: &str, workspace: &Path) -> Result<Secret> {
    let found = secret::read(source, workspace).map_err(|fault| {
        UsageError(format!("the form `{form}` cannot check who sends: {fault}"))
    })?;
    Ok(Secret::new(found.reveal()))
}

/// Says what happens; nothing of it names a person.
struct Reporter {
    clock: Clock,
    json: bool,
    quiet: bool,
}

impl Reporter {
    fn began(&self, address: SocketAddr, setup: &Setup) {
        if !address.ip().is_loopback() {
            terminal::warning(
                "without TLS everybody on the way can read what is sent\nhint: let a web server in front take \
                 https, and listen on 127.0.0.1",
            );
        }
        let paths: Vec<&str> =
            setup.endpoints.iter().map(|endpoint| &*endpoint.form.path).collect();
        if self.json {
            print_line(&json!({ "listening": address.to_string(), "paths": paths }));
        } else {
            self.say(&format!("listening on http://{address} for {}", paths.join(", ")));
        }
    }

    fn tell(&self, event: &Event) {
        match event {
            Event::Answered { form, status, outcome, receipt, bytes, millis } => {
                if self.json {
                    print_line(&json!({
                        "at": self.now(),
                        "form": form,
                        "status": status,
                        "outcome": outcome,
                        "receipt": receipt,
                        "bytes": bytes,
                        "ms": millis,
                    }));
                } else {
                    let form = form.as_deref().unwrap_or("-");
                    let receipt =
                        receipt.as_deref().map_or_else(String::new, |it| format!(" {it}"));
                    self.say(&format!(
                        "{} {form} {status} {outcome}{receipt} {bytes} B {millis} ms",
                        self.now()
                    ));
                }
            }
            Event::Closed(closed) => {
                if let Some(text) = cut_off(closed) {
                    terminal::warning(&text);
                }
                let Some(path) = &closed.path else { return };
                if self.json {
                    print_line(&json!({ "at": self.now(), "closed": path.display().to_string() }));
                } else {
                    self.say(&format!("{} closed {}", self.now(), path.display()));
                }
            }
            Event::Fault(text) => terminal::error(text),
        }
    }

    fn now(&self) -> String {
        (self.clock)().format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            terminal::say(text);
        }
    }
}

/// A log that nobody reads any more is no reason to take no more forms.
fn print_line(value: &serde_json::Value) {
    let _ = terminal::print(&value.to_string());
}
