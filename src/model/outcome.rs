//! What became of a row: every row read ends in exactly one of these.

/// Why a row was not accepted, with everything needed to fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Stable code, such as `ragged-row`, `no-contact`, `email-invalid`.
    pub code: &'static str,
    /// Header of the column at fault; empty when the row as a whole is.
    pub column: String,
    /// The value as received; empty when the row as a whole is at fault.
    pub value: String,
    /// What is wrong and the way out, in one sentence for a marketer.
    pub message: String,
}

/// Why an intact row does not become a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoldReason {
    /// A vendor's or our own test lead.
    Test,
    /// A honeypot was filled in, or a spam rule matched.
    Spam,
    /// The form was left before it was sent.
    Partial,
    /// Withheld by a withdrawal or an erasure.
    Suppressed,
}

impl HoldReason {
    /// Returns the word used in files and messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Spam => "spam",
            Self::Partial => "partial",
            Self::Suppressed => "suppressed",
        }
    }
}

/// Why an intact row was withheld, with the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The kind of reason.
    pub reason: HoldReason,
    /// Header of the column that decided it.
    pub column: String,
    /// The value that decided it.
    pub value: String,
    /// What was found, in one sentence.
    pub message: String,
}

/// Something worth saying about an accepted row: a repair, a suggestion, a loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Stable code, such as `email-typo-suspected`, `phone-unrecoverable`.
    pub code: &'static str,
    /// Header of the column.
    pub column: String,
    /// The value as received.
    pub value: String,
    /// What was done or found, in one sentence.
    pub message: String,
}
