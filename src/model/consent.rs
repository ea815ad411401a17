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

/// What a consent record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentState {
    /// Agreed.
    Given,
    /// Asked and declined.
    Refused,
    /// Taken back.
    Withdrawn,
}

impl ConsentState {
    /// Every state with its word, in order.
    pub const ALL: &[(&str, ConsentState)] =
        &[("given", Self::Given), ("refused", Self::Refused), ("withdrawn", Self::Withdrawn)];

    /// Returns the word used in rules and files.
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
    /// Given, refused or withdrawn; a blank answer makes no claim at all.
    pub state: ConsentState,
    /// The sentence the person saw, or the header of the question when nothing better is known.
    pub wording: String,
    /// How it was expressed, such as `checkbox`, `import`.
    pub mechanism: String,
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
    /// Given, refused or withdrawn.
    pub state: ConsentState,
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
