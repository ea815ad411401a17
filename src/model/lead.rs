//! The golden record of one person.

use super::decision::Score;
use super::field::{self, FieldValues};
use super::ids::{LeadId, LeadNo};

/// A lead with its latest decision, as lists, CRM files and reports show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// Internal number.
    pub no: LeadNo,
    /// Public id.
    pub id: LeadId,
    /// Golden values.
    pub values: FieldValues,
    /// Submissions behind it.
    pub n_submissions: u32,
    /// When the earliest submission was sent, milliseconds since 1970 UTC.
    pub first_submitted_ms: i64,
    /// When the latest submission was sent, milliseconds since 1970 UTC.
    pub last_submitted_ms: i64,
    /// Score with contributions.
    pub score: Score,
    /// Owner's id.
    pub owner: Option<String>,
    /// Queue's id.
    pub queue: String,
    /// One line that says why.
    pub routing_reason: String,
    /// Whether marketing by e-mail is allowed.
    pub marketing_email_allowed: bool,
    /// Whether marketing by phone is allowed.
    pub marketing_phone_allowed: bool,
    /// Whether this run made it.
    pub is_new: bool,
}

impl Lead {
    /// Returns what to call the lead in a list: the name, else the company, else the address.
    pub fn display_name(&self) -> String {
        display_name(&self.values)
    }
}

/// Returns what to call somebody with these values: the name, else the company, else the address.
pub fn display_name(values: &FieldValues) -> String {
    let name: Vec<&str> =
        [field::FIRST_NAME, field::LAST_NAME].iter().filter_map(|part| values.get(*part)).collect();
    if !name.is_empty() {
        return name.join(" ");
    }
    [field::COMPANY, field::EMAIL, field::PHONE]
        .iter()
        .find_map(|part| values.get(*part))
        .unwrap_or("(no name)")
        .to_owned()
}
