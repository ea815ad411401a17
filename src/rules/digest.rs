//! What the mail of a day shows (`templates/digest.txt`): what waits for an owner, or for the whole team.
//!
//! A mailbox keeps what it gets for years and nobody erases anything there, so a digest names leads by their ids alone:
//! name, address and number stand in the CRM, in the owner's list and in `leadmill explain`.

use minijinja::value::{Serde, Value as Shown};
use serde::Serialize;

/// Name of the template.
pub const DIGEST: &str = "digest";

/// The mail of a day, as its template shows it. The first line of what the template makes is the subject.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Digest {
    /// The day, `2026-11-20`.
    pub day: String,
    /// Name of the owner whose tasks these are; empty in the mail for the whole team.
    pub name: String,
    /// Calls and other tasks that are past due, the earliest first.
    pub overdue: Vec<DigestTask>,
    /// Those that are due by the end of the day.
    pub due: Vec<DigestTask>,
    /// How many are past due, shown or not.
    pub overdue_count: usize,
    /// How many are due by the end of the day, the same.
    pub due_count: usize,
    /// What each owner has to do, in the mail for the whole team.
    pub owners: Vec<DigestOwner>,
    /// What is out of order, the same.
    pub alerts: Vec<String>,
}

/// A task, as a digest shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DigestTask {
    /// Id of the lead.
    pub lead: String,
    /// Which task, such as `hot/call`.
    pub task: String,
    /// `email`, `call`, `sms` or `task`.
    pub channel: String,
    /// `hot`, `warm` or `cold`.
    pub segment: String,
    /// When it is due: `2026-11-20 14:00`.
    pub due: String,
    /// Address of the lead in the CRM; empty without `lead-url`.
    pub link: String,
}

/// How much waits for somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DigestOwner {
    /// The owner's name; empty for leads that nobody has.
    pub name: String,
    /// Tasks that are past due.
    pub overdue: usize,
    /// Tasks that are due by the end of the day.
    pub due: usize,
}

impl Digest {
    /// What a template can show.
    pub(super) const VARIABLES: &[&str] =
        &["day", "name", "overdue", "due", "overdue_count", "due_count", "owners", "alerts"];

    /// Returns whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.overdue_count == 0 && self.due_count == 0 && self.alerts.is_empty()
    }

    /// Returns digests to try a template out on: one that has everything, one that has nothing.
    pub(super) fn samples() -> [Shown; 2] {
        let task = DigestTask {
            lead: "LM-000000000000".to_owned(),
            task: "hot/call".to_owned(),
            channel: "call".to_owned(),
            segment: "hot".to_owned(),
            due: "2026-01-01 09:00".to_owned(),
            link: "https://example.com".to_owned(),
        };
        let full = Self {
            day: "2026-01-01".to_owned(),
            name: "x".to_owned(),
            overdue: vec![task.clone()],
            due: vec![task],
            overdue_count: 2,
            due_count: 2,
            owners: vec![DigestOwner { name: "x".to_owned(), overdue: 1, due: 1 }],
            alerts: vec!["x".to_owned()],
        };
        [Serde(full).into(), Serde(Self::default()).into()]
    }
}
