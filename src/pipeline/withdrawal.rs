//! Somebody takes their consent back: taken in as an event, like any.

use anyhow::Result;
use serde_json::json;

use super::Job;
use super::tick::take_in_events;
use crate::model::consent::Channel;
use crate::model::touch::{CONSENT_WITHDRAWN, Identity, IdentityKind};
use crate::report::run_json::RunSummary;

/// The name of the input that withdrawals come in by: a run that took it in cannot be undone.
pub const INPUT: &str = "leadmill consent withdraw";

/// What somebody takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawing<'a> {
    /// Whose it is: a lead, or an address or number with whoever has it.
    pub whose: Identity,
    /// What for.
    pub purposes: Vec<String>,
    /// Through which channels; none stands for all.
    pub channels: Vec<Channel>,
    /// Why, or how they said so.
    pub because: &'a str,
}

/// Takes in what is taken back, as of the job's instant, and publishes what that changed.
///
/// It is an event about the lead, so it follows the lead through merges and splits.
///
/// # Errors
/// Those of a run.
pub fn withdraw(job: &Job<'_>, withdrawing: &Withdrawing<'_>) -> Result<RunSummary> {
    let mut named = Vec::new();
    for purpose in &withdrawing.purposes {
        if withdrawing.channels.is_empty() {
            named.push(format!("{purpose}/*"));
        }
        named.extend(withdrawing.channels.iter().map(|one| format!("{purpose}/{}", one.word())));
    }
    let id = match withdrawing.whose.kind {
        IdentityKind::Email => "email",
        IdentityKind::Phone => "phone",
        _ => "lead_id",
    };
    let event = json!({
        "event": CONSENT_WITHDRAWN,
        "detail": format!("{}: {}", named.join(", "), withdrawing.because),
        id: withdrawing.whose.value,
    });
    take_in_events(job, INPUT, [event], |_| Ok(()))
}
