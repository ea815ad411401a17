//! The promise to do something about a lead by a certain time.

use super::ids::{LeadId, LeadNo};

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
    /// Replaced: the lead now follows another plan, or was reached before.
    Superseded,
    /// Somebody said that it is done.
    Done,
    /// Left out: the step is for other leads.
    NotNeeded,
}

impl TaskState {
    /// Every state with its word, in order.
    pub const ALL: &[(&str, TaskState)] = &[
        ("open", Self::Open),
        ("too-old", Self::TooOld),
        ("not-allowed", Self::NotAllowed),
        ("superseded", Self::Superseded),
        ("done", Self::Done),
        ("not-needed", Self::NotNeeded),
    ];

    /// Returns the word used in files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// What tells a task of a lead from its others: the same key is the same task, however often it is planned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKey {
    /// Id of the plan.
    pub plan: String,
    /// Id of the step inside its plan.
    pub step: String,
    /// Which time the lead goes through its plans: 1, and one more each time it comes back after a long silence.
    pub cycle: u32,
}

impl std::fmt::Display for TaskKey {
    /// Writes what follows the lead's id in the task's: `hot/call`, and `hot/call/2` the second time.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.plan, self.step)?;
        if self.cycle > 1 { write!(f, "/{}", self.cycle) } else { Ok(()) }
    }
}

impl std::str::FromStr for TaskKey {
    type Err = NotATask;

    /// Reads what [`std::fmt::Display`] wrote.
    fn from_str(text: &str) -> Result<Self, NotATask> {
        let parts: Vec<&str> = text.split('/').collect();
        let (plan, step, cycle) = match parts[..] {
            [plan, step] => (plan, step, 1),
            [plan, step, cycle] => (plan, step, cycle.parse().map_err(|_| NotATask)?),
            _ => return Err(NotATask),
        };
        if plan.is_empty() || step.is_empty() || cycle == 0 {
            return Err(NotATask);
        }
        Ok(Self { plan: plan.to_owned(), step: step.to_owned(), cycle })
    }
}

/// A text that names no task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotATask;

/// One step of a plan as followup computes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTask {
    /// Which task of its lead it is.
    pub key: TaskKey,
    /// How it reaches the person.
    pub channel: TaskChannel,
    /// What to do, in one line.
    pub subject: String,
    /// When it is due, milliseconds since 1970 UTC.
    pub due_ms: i64,
    /// How many times it was put off.
    pub put_off: u32,
    /// Where it stands.
    pub state: TaskState,
    /// Why it is where it stands, or why it is due when it is.
    pub because: String,
    /// When it was done, milliseconds since 1970 UTC; none while it was not.
    pub done_ms: Option<i64>,
}

/// A task that became due and was handed out to whoever does it, be it a person or a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOut {
    /// Which task.
    pub key: TaskKey,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// A task with the lead it belongs to, as lists and files show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The lead's number in the store.
    pub lead_no: LeadNo,
    /// The lead's id.
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
    /// The run in which it was open for the first time; none when it never was.
    pub opened_run: Option<i64>,
    /// Minutes past due at the run's as-of; 0 when not late.
    pub late_minutes: i64,
}

impl Task {
    /// Returns the id by which people, calendars and CRMs know it, such as `LM-0123456789AB/hot/call`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.lead_id, self.planned.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back() {
        for text in ["hot/call", "hot/call/2"] {
            assert_eq!(text.parse::<TaskKey>().unwrap().to_string(), text);
        }
        for text in ["call", "hot/", "hot/call/0", "hot/call/x", "a/b/2/3"] {
            assert_eq!(text.parse::<TaskKey>(), Err(NotATask), "{text}");
        }
    }
}
