//! Who agreed to what, through which channel.

use std::fmt;

/// What personal data may be used for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purpose(pub Box<str>);

impl Purpose {
    /// Answering the enquiry itself.
    pub const ENQUIRY_REPLY: &str = "enquiry-reply";
    /// Commercial information.
    pub const MARKETING: &str = "marketing";
    /// Profiling.
    pub const PROFILING: &str = "profiling";
    /// Passing data to partners.
    pub const PARTNER_SHARE: &str = "partner-share";
    /// Every purpose that leadmill knows; a workspace may add its own.
    pub const KNOWN: &[&str] =
        &[Self::ENQUIRY_REPLY, Self::MARKETING, Self::PROFILING, Self::PARTNER_SHARE];

    /// Returns the purpose called `word`.
    pub fn new(word: &str) -> Self {
        Self(word.into())
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A way to reach somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Electronic mail.
    Email,
    /// Text message.
    Sms,
    /// A call by a person.
    Phone,
    /// A call by a machine.
    AutomatedCall,
    /// WhatsApp, Messenger and their like.
    Messenger,
    /// Paper.
    Post,
}

impl Channel {
    /// Every channel with its word, in order.
    pub const ALL: &[(&str, Channel)] = &[
        ("email", Self::Email),
        ("sms", Self::Sms),
        ("phone", Self::Phone),
        ("automated-call", Self::AutomatedCall),
        ("messenger", Self::Messenger),
        ("post", Self::Post),
    ];

    /// Returns the word used in rules and files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// What a consent record says; declared from the least to the most cautious answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentState {
    /// Asked to confirm by a link (double opt-in); until they do, nothing is agreed to.
    DoiSent,
    /// Another system says that they agreed, and nothing else is known.
    ImportedUnproven,
    /// Agreed.
    Given,
    /// Agreed, and confirmed it by a link (double opt-in).
    DoiConfirmed,
    /// Asked and declined.
    Refused,
    /// Taken back.
    Withdrawn,
    /// Objected to being contacted at all (GDPR art. 21).
    Objected,
}

impl ConsentState {
    /// Every state with its word, in order.
    pub const ALL: &[(&str, ConsentState)] = &[
        ("doi-sent", Self::DoiSent),
        ("imported-unproven", Self::ImportedUnproven),
        ("given", Self::Given),
        ("doi-confirmed", Self::DoiConfirmed),
        ("refused", Self::Refused),
        ("withdrawn", Self::Withdrawn),
        ("objected", Self::Objected),
    ];

    /// Returns the word used in rules and files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Returns whether it says yes.
    pub fn is_grant(self) -> bool {
        matches!(self, Self::ImportedUnproven | Self::Given | Self::DoiConfirmed)
    }

    /// Returns whether it says no.
    pub fn is_denial(self) -> bool {
        matches!(self, Self::Refused | Self::Withdrawn | Self::Objected)
    }
}

/// How well a consent can be proven, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// The text that was shown is held, and they confirmed by a link.
    A,
    /// The text that was shown is held, and it is known when they agreed.
    B,
    /// The text is not held, or the time is not known, or another system says so.
    C,
    /// A bare yes, a box that was ticked beforehand, a bought list.
    D,
}

impl Grade {
    /// Every grade with its word, in order.
    pub const ALL: &[(&str, Grade)] =
        &[("A", Self::A), ("B", Self::B), ("C", Self::C), ("D", Self::D)];

    /// Returns the word used in rules and files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// What a source holds of what somebody saw when they answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shown {
    /// The text itself.
    Text,
    /// The name of the column or question, and nothing more.
    Label,
    /// Whatever was shown proves nothing: the box was ticked beforehand, or the list was bought.
    Nothing,
}

impl Shown {
    /// Every value with its word, in order.
    pub const ALL: &[(&str, Shown)] =
        &[("text", Self::Text), ("label", Self::Label), ("nothing", Self::Nothing)];

    /// Returns the word used in the store.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// One answer to one consent question, for one purpose and one channel, as a row gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentClaim {
    /// What for.
    pub purpose: Purpose,
    /// Through which channel.
    pub channel: Channel,
    /// What was answered; a blank answer makes no claim at all.
    pub state: ConsentState,
    /// The sentence the person saw, or the header of the question when nothing better is known.
    pub wording: String,
    /// How it was expressed, such as `checkbox`, `import`.
    pub mechanism: String,
    /// What `wording` is.
    pub shown: Shown,
    /// The answer as received; `None` where it is the wording itself.
    pub answer: Option<String>,
    /// The privacy policy that was shown, when the preset knows it.
    pub policy: Option<String>,
    /// When it was said, milliseconds since 1970 UTC, where the answer is that time; else it was said with the row.
    pub said_at_ms: Option<i64>,
    /// The IP address that it was said from, where a column of its own has it; else that of the row.
    pub ip: Option<String>,
}

/// One line of the ledger as the gate reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRecord {
    /// Position in the ledger.
    pub seq: i64,
    /// What for.
    pub purpose: Purpose,
    /// Through which channel.
    pub channel: Channel,
    /// What was answered.
    pub state: ConsentState,
    /// How well it can be proven.
    pub grade: Grade,
    /// The address or number that it is for; `None` when it is for the person, whatever the address.
    pub address: Option<String>,
    /// When it was said, milliseconds since 1970 UTC.
    pub event_at_ms: i64,
    /// Whether the source told when; else the time of receipt stands in.
    pub is_dated: bool,
    /// The sentence the person saw.
    pub wording: String,
    /// How it was expressed.
    pub mechanism: String,
    /// `file:line` of the row that carried it.
    pub evidence: String,
    /// IP address, when the row had one.
    pub ip: Option<String>,
    /// User agent, when the row had one.
    pub user_agent: Option<String>,
}

/// Whether a contact is allowed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is.
    pub allowed: bool,
    /// What decided, in one line for people.
    pub because: String,
}
