//! A row as intake hands it over: cells with the role each column plays.

use std::sync::Arc;

use super::consent::Purpose;
use super::field::FieldNo;
use super::outcome::{Notice, Rejection};

/// Where a row stands in its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Record number, the first data record is 1; headers and preambles do not count.
    pub record: u32,
    /// Physical line on which the record starts, the first line of the file is 1.
    pub line: u32,
}

/// What a column means to leadmill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Holds the value of a field.
    Field(FieldNo),
    /// Holds a whole name that has to be split.
    FullName,
    /// Holds the address of the account that somebody was logged in with: theirs, unless the form was given another.
    AccountEmail,
    /// Holds the name of that account.
    AccountName,
    /// Holds when the form was sent.
    SubmittedAt,
    /// Holds when the form was opened, for telling a bot by its speed.
    StartedAt,
    /// Holds the source's own id of the submission.
    SubmissionId,
    /// Holds an answer to a consent question; the number indexes the preset's consent mappings,
    /// or is [`GENERIC_CONSENT`] for a column that only its header gives away.
    Consent(u16),
    /// Is true for a vendor's test lead.
    TestMarker,
    /// Is invisible to people; anything in it betrays a bot.
    Honeypot,
    /// Says whether the form was completed.
    Completion,
    /// Is a URL whose query may carry UTM parameters and click ids.
    LandingUrl,
    /// Holds when the source last changed its record. Of two exports of one contact the later state counts;
    /// no part of the fingerprint.
    ModifiedAt,
    /// Changes between two exports of the same submission (`lead_status`, read or unread): kept with the
    /// raw row, but no part of the fingerprint.
    Volatile,
    /// Holds a lead id as leadmill gave it out.
    LeadId,
    /// Holds the name of what somebody did.
    Event,
    /// Holds how far an event has come: planned or done, its outcome, the stage of a deal.
    EventState,
    /// Holds what an event was about: a page, a file, a link, a campaign.
    EventDetail,
    /// Holds what a deal came to, with or without its currency.
    EventAmount,
    /// Holds the currency of that.
    EventCurrency,
    /// Holds when somebody wrote an event down, such as the day on which a meeting was booked.
    NotedAt,
    /// Is kept with the raw row and answers nothing that leadmill asks.
    Answer,
}

/// The consent number of a column recognized by its header alone.
pub const GENERIC_CONSENT: u16 = u16::MAX;

/// One cell of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Header of the column as people see it; a dotted path for JSON.
    pub column: Arc<str>,
    /// What the column means.
    pub role: Role,
    /// The decoded text, not yet trimmed.
    pub text: String,
}

/// A page view, download or other tracked event that a row reports instead of a submission.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowTouch {
    /// Kind, such as `page-view` or `event`; empty where the row's own cells name it.
    pub kind: String,
    /// URL of the page or name of the event.
    pub detail: String,
}

/// What a row turned out to be, before any value is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowKind {
    /// Somebody sent a form, or a CRM knows somebody.
    Submission,
    /// Somebody did something on a page.
    Touch(RowTouch),
}

impl RowKind {
    /// Returns what a row is of a source whose rows all tell events, or none do.
    pub fn of_rows(tell_events: bool) -> Self {
        if tell_events { Self::Touch(RowTouch::default()) } else { Self::Submission }
    }
}

/// One row as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it stands.
    pub origin: Origin,
    /// The row as received, as JSON: an array of cells for CSV, the object itself for JSON.
    pub raw: String,
    /// Its cells, or why it could not be taken apart.
    pub content: RowContent,
    /// What intake had to repair to read it.
    pub notices: Vec<Notice>,
}

/// What intake made of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowContent {
    /// The cells that are not empty, in column order.
    Cells(RowKind, Vec<Cell>),
    /// Not a record: padding, totals, a repeated header, a notification without personal data.
    Skipped(&'static str),
    /// Could not be taken apart; goes to quarantine.
    Rejected(Rejection),
}

/// Which consent a column of a preset stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentMapping {
    /// What is agreed to.
    pub purpose: Purpose,
    /// Through which channels.
    pub channels: Vec<super::consent::Channel>,
    /// The sentence shown to the person, when the preset knows it.
    pub wording: Option<String>,
    /// How consent was expressed, such as `checkbox`, `import`.
    pub mechanism: String,
    /// The privacy policy that was shown, or its version, when the preset knows it.
    pub policy: Option<String>,
    /// Folded header of the column with the IP address from which it was said, when it has one of its own.
    pub ip_column: Option<String>,
    /// Whether whatever was shown proves nothing: the box was ticked beforehand, or the list was bought.
    pub proves_nothing: bool,
    /// What an affirmative value means; a column such as `UNSUB_TIME` means a withdrawal.
    pub affirms: super::consent::ConsentState,
}
