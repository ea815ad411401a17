//! Dated contacts other than submissions, and the identities by which they are joined to leads.

use super::ids::Fingerprint;

/// Every kind of touch, with what its detail says.
///
/// The first ones are what people do, named as the trackers name them: Segment's and RudderStack's `page` and
/// `screen` calls and their email specification (`Email Opened`, `Email Link Clicked`), GA4's automatic events
/// (`file_download`, `form_start`, `video_start`). What has no kind of its own, such as a webinar or a demo, is an
/// `event` with its name. Those from `call` on are activity: what the sales side did and what came of it.
pub const KINDS: &[(&str, &str)] = &[
    ("page-view", "the URL of the page"),
    ("screen-view", "the name of the app's screen"),
    ("download", "the file's name or URL"),
    ("form-start", "the form, or the page it stands on"),
    ("email-open", "the campaign or the subject"),
    ("email-click", "the link"),
    ("video", "the video's title or URL"),
    ("event", "the event's name"),
    (UNSUBSCRIBED, "the list or campaign"),
    (
        CONSENT_WITHDRAWN,
        "what for and how, and why: `marketing/email, marketing/sms: asked us to stop`",
    ),
    ("call", "how it went, reached or not"),
    ("contacted", "how they were reached"),
    ("meeting-booked", "which"),
    ("meeting-held", "which"),
    ("no-show", "which meeting they missed"),
    ("won", "the deal"),
    ("lost", "why"),
    ("owner-changed", "whose they are now"),
    (TASK_DONE, "which task, `hot/call` or just `call`"),
    (TASK_SNOOZED, "which task, and until when: `hot/call until 2026-11-20T08:00:00Z`"),
];

/// Kind of the touch by which somebody leaves a mailing list.
pub const UNSUBSCRIBED: &str = "unsubscribed";
/// Kind of the touch by which somebody takes consents back.
pub const CONSENT_WITHDRAWN: &str = "consent-withdrawn";
/// Kind of the touch that says that a task is done.
pub const TASK_DONE: &str = "task-done";
/// Kind of the touch that says until when a task is put off.
pub const TASK_SNOOZED: &str = "task-snoozed";

/// What an identity is made of, the strongest first: of several that a touch carries, the strongest that is some
/// lead's own decides whose touch it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityKind {
    /// A lead id that leadmill gave out.
    Lead,
    /// The record id in the CRM that a lead came from.
    External,
    /// The person's id in the product or on the site (`userId`).
    User,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// An anonymous id of a browser or device.
    Visitor,
    /// Only its hash is known: an earlier leadmill kept no more.
    Kept,
}

impl IdentityKind {
    /// Every kind with the word that the store and people use.
    pub const ALL: &[(&str, IdentityKind)] = &[
        ("lead-id", Self::Lead),
        ("external-id", Self::External),
        ("user-id", Self::User),
        ("email", Self::Email),
        ("phone", Self::Phone),
        ("visitor-id", Self::Visitor),
        ("kept", Self::Kept),
    ];

    /// Returns the word that the store and people use.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// One identity that a touch carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// What it is made of.
    pub kind: IdentityKind,
    /// Its canonical value.
    pub value: String,
}

impl Identity {
    /// Makes an identity of a value in canonical form.
    pub fn new(kind: IdentityKind, value: impl Into<String>) -> Self {
        Self { kind, value: value.into() }
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.kind.word(), self.value)
    }
}

impl std::str::FromStr for Identity {
    type Err = NotAnIdentity;

    /// Reads what [`std::fmt::Display`] wrote: `email:anna@example.com`.
    fn from_str(text: &str) -> Result<Self, NotAnIdentity> {
        let (word, value) = text.split_once(':').ok_or(NotAnIdentity)?;
        let known = IdentityKind::ALL.iter().find(|(known, _)| *known == word);
        known.map(|(_, kind)| Self::new(*kind, value)).ok_or(NotAnIdentity)
    }
}

/// A text that is no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnIdentity;

/// A page view, download or other event, joined to a lead by any of its identities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// What makes it the same touch when it is received again.
    pub fingerprint: Fingerprint,
    /// When it happened, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Kind, one of [`KINDS`].
    pub kind: String,
    /// What its kind says: the URL of the page, the name of the event.
    pub detail: String,
    /// What the deal came to, where it says so.
    pub amount: Option<DealAmount>,
    /// Whose it may be: the strongest first, none twice; never empty for a touch that was received.
    pub identities: Vec<Identity>,
}

impl Touch {
    /// Returns what it was about, for people: the detail, and what the deal came to.
    pub fn about(&self) -> String {
        let amount = self.amount.as_ref().map(DealAmount::to_string).unwrap_or_default();
        let parts = [self.detail.as_str(), &amount].map(str::trim);
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

/// What a deal came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealAmount {
    /// The number, above zero, with a dot for decimals.
    pub value: String,
    /// ISO 4217 code; empty where nothing names the currency.
    pub currency: String,
}

impl std::fmt::Display for DealAmount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let blank = if self.currency.is_empty() { "" } else { " " };
        write!(f, "{}{blank}{}", self.value, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_reads_back() {
        for (_, kind) in IdentityKind::ALL {
            let identity = Identity::new(*kind, "a:b c");
            assert_eq!(identity.to_string().parse(), Ok(identity));
        }
        assert_eq!("anna@example.com".parse::<Identity>(), Err(NotAnIdentity));
    }
}
