//! Receives forms and webhooks over HTTP and keeps each on the disk before it is acknowledged.
//!
//! This room owns the endpoint: connections, limits, signatures, receipts, and the files in `inbox/received` that a
//! run takes in. It must not know the store, decide anything about a lead, or talk to a CRM; whether a submission is
//! worth anything is for the run to judge. Start at [`serve`]; what happens to one request is in [`door`], how many
//! of them share one trip to the disk in [`committer`], which files there are and who may close them in [`spool`].

mod address;
mod answer;
mod body;
mod committer;
mod door;
mod guard;
mod limiter;
mod multipart;
mod receipt;
mod record;
mod secret;
mod server;
mod spool;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use guard::Guard;
pub use secret::Secret;
pub use server::serve;
pub use spool::{Closed, SpoolFault, close_segments};

use crate::rules::receive::{Form, Network};
use crate::rules::workspace::IpRule;

/// Tells what time it is; the command line hands it in.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Is told what happens, on whatever thread it does.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// A form with the secrets that its rule only names.
#[derive(Debug)]
pub struct Endpoint {
    /// The rule.
    pub form: Form,
    /// What a sender must prove.
    pub guard: Guard,
}

/// What the receiver is to do.
#[derive(Debug)]
pub struct Setup {
    /// Endpoints, at least one.
    pub endpoints: Vec<Endpoint>,
    /// Whose word about a sender's address counts.
    pub trusted_proxies: Vec<Network>,
    /// How much of an address is kept.
    pub ip: IpRule,
    /// How long a file is written at most, in seconds.
    pub close_after_seconds: i64,
    /// The folder that runs read.
    pub inbox: PathBuf,
}

/// Something that whoever watches the receiver may want to know; none of it names a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A request was answered.
    Answered {
        /// Id of the form; none where no form has the path.
        form: Option<String>,
        /// Status of the answer.
        status: u16,
        /// What came of it: `new`, `repeat`, `honeypot`, or why it was refused.
        outcome: &'static str,
        /// The first receipt that was given.
        receipt: Option<String>,
        /// Bytes of the body.
        bytes: u64,
        /// From the first byte of the request's head to the answer.
        millis: i64,
    },
    /// A file is whole, and the next run reads it.
    Closed(Closed),
    /// Something went wrong that somebody must see to.
    Fault(String),
}

/// Returns the lines that a body of this kind, sent to this form at `at_ms`, would be kept as; nothing where it would
/// be refused.
///
/// For whoever asks what bytes come to without a connection; whether the sender may send is for [`Guard`] to say.
pub fn kept_lines(form: &str, kind: &str, body: &[u8], at_ms: i64) -> Option<Vec<Vec<u8>>> {
    let records = body::records(Some(kind), body).ok()?;
    Some(records.iter().map(|record| record.line(record.receipt(form), at_ms, &[])).collect())
}
