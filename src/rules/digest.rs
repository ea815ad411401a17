//! What the mail of a day shows (`templates/digest.txt`): what waits for an owner, or for the whole team.
//!
//! A mailbox keeps what it gets for years and nobody erases anything there, so a digest names leads by their ids alone:
//! name, address and number stand in the CRM, in the owner's list and in `leadmill explain`.

use minijinja::value::{Serde, Value as Shown};
use serde::Serialize;

use crate::model::decision::Segment;
use crate::model::task::TaskChannel;

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

    /// Returns digests to try a template out on: an owner's with tasks of every kind, the whole team's, and one that
    /// has nothing.
    pub(super) fn samples() -> Vec<Shown> {
        let mut tasks = Vec::new();
        for (channel, _) in TaskChannel::ALL {
            for (segment, _) in Segment::ALL {
                tasks.push(DigestTask {
                    lead: "LM-000000000000".to_owned(),
                    task: format!("{segment}/{channel}"),
                    channel: (*channel).to_owned(),
                    segment: (*segment).to_owned(),
                    due: "2026-01-01 09:00".to_owned(),
                    link: "https://example.com".to_owned(),
                });
            }
        }
        let (overdue_count, due_count) = (tasks.len() + 1, tasks.len());
        let both =
            Self { day: "2026-01-01".to_owned(), overdue_count, due_count, ..Self::default() };
        let owners_own =
            Self { name: "x".to_owned(), overdue: tasks.clone(), due: tasks, ..both.clone() };
        let owner = |name: &str| DigestOwner { name: name.to_owned(), overdue: 1, due: 1 };
        let owners = vec![owner("x"), owner("")];
        let teams = Self { owners, alerts: vec!["x".to_owned()], ..both };
        [owners_own, teams, Self::default()].map(|sample| Serde(sample).into()).into()
    }
}
