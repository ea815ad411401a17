//! Dated contacts other than submissions.

use super::ids::Fingerprint;

/// A page view, download or tracked event, joined to a lead by visitor id or e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// What makes it the same touch when it is received again.
    pub fingerprint: Fingerprint,
    /// When it happened, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Kind, such as `page-view` or `event`.
    pub kind: String,
    /// URL of the page or name of the event.
    pub detail: String,
    /// Anonymous visitor id.
    pub visitor_id: Option<String>,
    /// Canonical e-mail address.
    pub email: Option<String>,
}
