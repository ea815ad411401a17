//! The promise to do something about a lead by a certain time.

use super::ids::LeadId;

/// How a task reaches the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskChannel {
    /// A mail.
    Email,
    /// A call.
    Call,
    /// A text message.
    Sms,
    /// Something a person does by hand.
    Task,
}

impl TaskChannel {
    /// Every channel with its word, in order.
    pub const ALL: &[(&str, TaskChannel)] =
        &[("email", Self::Email), ("call", Self::Call), ("sms", Self::Sms), ("task", Self::Task)];

    /// Returns the word used in rules and files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// Where a task stands when it is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskState {
    /// To be done.
    Open,
    /// Left out: the lead is older than the plan allows mail for.
    TooOld,
    /// Left out: the consent or the address that the channel needs is missing.
    NotAllowed,
    /// Replaced: the lead now follows another plan.
    Superseded,
}

impl TaskState {
    /// Every state with its word, in order.
    pub const ALL: &[(&str, TaskState)] = &[
        ("open", Self::Open),
        ("too-old", Self::TooOld),
        ("not-allowed", Self::NotAllowed),
        ("superseded", Self::Superseded),
    ];

    /// Returns the word used in files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// One step of a plan as followup computes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTask {
    /// Id of the step inside its plan; with the lead it is the task's stable key.
    pub step: String,
    /// Id of the plan.
    pub plan: String,
    /// How it reaches the person.
    pub channel: TaskChannel,
    /// What to do, in one line.
    pub subject: String,
    /// When it is due, milliseconds since 1970 UTC.
    pub due_ms: i64,
    /// Where it stands.
    pub state: TaskState,
    /// Why it is where it stands, or why it is due when it is.
    pub because: String,
}

/// A task with the lead it belongs to, as lists and files show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Stable key, such as `LM-…/call`.
    pub id: String,
    /// The lead.
    pub lead_id: LeadId,
    /// The plan's step.
    pub planned: PlannedTask,
    /// Owner's id, when somebody has the lead.
    pub owner: Option<String>,
    /// Queue's id.
    pub queue: String,
    /// The lead's segment word.
    pub segment: String,
    /// The lead's display name.
    pub lead_name: String,
    /// The lead's e-mail address.
    pub email: Option<String>,
    /// The lead's phone number.
    pub phone: Option<String>,
    /// Minutes past due at the run's as-of; 0 when not late.
    pub late_minutes: i64,
}
