//! Why an input is refused whole, said to people.

use std::fmt;

/// Why an input was refused whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// It holds nothing.
    Empty,
    /// It is not text.
    NotText,
    /// It is a web page.
    Html,
    /// Its end is missing.
    Truncated,
    /// It changed while it was read.
    Changed,
    /// Somebody is still writing it: the next run will find it whole.
    BeingWritten,
    /// It is over a cap.
    OverCap,
    /// It could not be read.
    Unreadable,
    /// It has no column that could hold a contact, or the source asked for does not exist.
    Unrecognized,
}

/// An input that was refused whole: none of its rows may be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Name of the input.
    pub input: String,
    /// The kind of reason.
    pub kind: RefusalKind,
    /// What was found.
    pub message: String,
    /// The way out.
    pub hint: String,
}

impl Refusal {
    pub(super) fn new(input: &str, kind: RefusalKind, message: &str, hint: &str) -> Self {
        Self { input: input.to_owned(), kind, message: message.to_owned(), hint: hint.to_owned() }
    }

    /// Says that the rows may be events, as the source `events` reads them, or people, as `people` would.
    pub(super) fn doubtful(input: &str, events: &str, people: &str) -> Self {
        Self::new(
            input,
            RefusalKind::Unrecognized,
            "its rows may be people who sent something, or a log of what people did",
            &format!(
                "name the source: --source {events} if each row is something that somebody did, \
                 --source {people} if each row is somebody to be called back"
            ),
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.input, self.message)
    }
}

impl std::error::Error for Refusal {}
